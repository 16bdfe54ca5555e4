from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.smalltalk import Talk, talk_of, without_opening


@pytest.mark.parametrize(
    ("text", "talk"),
    [
        ("hello", Talk.GREETING),
        ("Hellooooo!!!", Talk.GREETING),
        ("hey there 👋", Talk.GREETING),
        ("السلام عليكم ورحمة الله وبركاته", Talk.GREETING),
        ("أهلاً وسهلاً بك", Talk.GREETING),
        ("How are you doing today?", Talk.HOW_ARE_YOU),
        ("كيف حالك؟", Talk.HOW_ARE_YOU),
        ("thank you so much my friend", Talk.THANKS),
        ("شُكْرًا جزيلًا لك", Talk.THANKS),
        ("no thanks", Talk.THANKS),
        ("ok great, thank you", Talk.THANKS),
        ("so cool!!", Talk.GLAD),
        ("ممتاز جدًا", Talk.GLAD),
        ("bye", Talk.GOODBYE),
        ("مع السلامة", Talk.GOODBYE),
        ("What can you do?", Talk.ABILITIES),
        ("what's your name", Talk.ABILITIES),
        ("what’s your name", Talk.ABILITIES),
        ("Hello! who are you?", Talk.ABILITIES),
        ("ماذا تستطيع أن تفعل؟", Talk.ABILITIES),
        ("من أنت", Talk.ABILITIES),
        ("وش تقدر تسوي؟", Talk.ABILITIES),
        ("منو انت", Talk.ABILITIES),
        ("شنو تسوي", Talk.ABILITIES),
        ("that's not what I asked", Talk.SORRY),
        ("هذا خطأ", Talk.SORRY),
        ("غلط", Talk.SORRY),
        ("help me please", Talk.HELP),
        ("مساعدة", Talk.HELP),
        ("Tell me more", Talk.MORE),
        ("and more?", Talk.MORE),
        ("المزيد من فضلك", Talk.MORE),
    ],
)
def test_small_talk_is_understood(text: str, talk: Talk) -> None:
    assert talk_of(text) is talk


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
    assert talk_of(text) is None


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
