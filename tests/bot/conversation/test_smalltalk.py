from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.smalltalk import SmallTalk, small_talk_of, without_opening


@pytest.mark.parametrize(
    ("text", "talk"),
    [
        ("hello", SmallTalk.GREETING),
        ("Hellooooo!!!", SmallTalk.GREETING),
        ("hey there 👋", SmallTalk.GREETING),
        ("السلام عليكم ورحمة الله وبركاته", SmallTalk.GREETING),
        ("أهلاً وسهلاً بك", SmallTalk.GREETING),
        ("How are you doing today?", SmallTalk.HOW_ARE_YOU),
        ("كيف حالك؟", SmallTalk.HOW_ARE_YOU),
        ("thank you so much my friend", SmallTalk.THANKS),
        ("شُكْرًا جزيلًا لك", SmallTalk.THANKS),
        ("no thanks", SmallTalk.THANKS),
        ("ok great, thank you", SmallTalk.THANKS),
        ("so cool!!", SmallTalk.GLAD),
        ("ممتاز جدًا", SmallTalk.GLAD),
        ("bye", SmallTalk.GOODBYE),
        ("مع السلامة", SmallTalk.GOODBYE),
        ("What can you do?", SmallTalk.ABILITIES),
        ("what's your name", SmallTalk.ABILITIES),
        ("what’s your name", SmallTalk.ABILITIES),
        ("Hello! who are you?", SmallTalk.ABILITIES),
        ("ماذا تستطيع أن تفعل؟", SmallTalk.ABILITIES),
        ("من أنت", SmallTalk.ABILITIES),
        ("وش تقدر تسوي؟", SmallTalk.ABILITIES),
        ("منو انت", SmallTalk.ABILITIES),
        ("شنو تسوي", SmallTalk.ABILITIES),
        ("that's not what I asked", SmallTalk.SORRY),
        ("هذا خطأ", SmallTalk.SORRY),
        ("غلط", SmallTalk.SORRY),
        ("help me please", SmallTalk.HELP),
        ("مساعدة", SmallTalk.HELP),
        ("Tell me more", SmallTalk.MORE),
        ("and more?", SmallTalk.MORE),
        ("المزيد من فضلك", SmallTalk.MORE),
    ],
)
def test_small_talk_is_understood(text: str, talk: SmallTalk) -> None:
    assert small_talk_of(text) is talk


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "why?",
        "Is that right?",
        "so what",
        "what can Kuwait do?",
        "who are you talking about",
        "tell me more about the officials",
        "thanks to whom was the law passed?",
        "good governance in Kuwait",
        "hello kitty sales figures",
        "help for victims",
        "what's up with the officials",
        "more than before?",
        "من أنت تتحدث عنه",
        "شكر الوزير",
    ],
)
def test_a_question_is_not_small_talk(text: str) -> None:
    assert small_talk_of(text) is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hi! which tier is Kuwait in?", "which tier is Kuwait in?"),
        ("thanks a lot, and when?", "and when?"),
        ("مرحبًا، من هو الأمير؟", "من هو الأمير؟"),
        ("good morning - any news?", "any news?"),
        ("hello, !", "hello, !"),
        ("hi", "hi"),
        ("Hi Kuwait", "Hi Kuwait"),
        ("thanks to whom?", "thanks to whom?"),
        ("which tier?", "which tier?"),
    ],
)
def test_a_question_loses_the_greeting_it_opens_with(text: str, question: str) -> None:
    assert without_opening(text) == question


@given(st.text())
def test_a_question_without_its_opening_is_the_end_of_what_was_said(text: str) -> None:
    assert text.endswith(without_opening(text))
