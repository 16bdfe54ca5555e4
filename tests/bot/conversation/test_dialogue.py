from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.dialogue import (
    QUESTION_LIMIT,
    QUOTE_LIMIT,
    Ask,
    Browse,
    DialogueState,
    Explain,
    Help,
    Leave,
    Say,
    Show,
    Turn,
    Widen,
    resolve,
    step,
)
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from retrieval.answering import MAX_QUESTION
from retrieval.results import Query
from tests.bot.answers import FIRST, LAST, SECOND, THIRD, answer, article, quote

EN, AR = Language.EN, Language.AR
QUOTES = tuple(quote(article(), words) for words in (FIRST, SECOND, THIRD, LAST))
ANSWER = answer(*QUOTES)
TALKING = DialogueState(questions=("Which tier is Kuwait in?",), answer=ANSWER)


def turn(text: str, state: DialogueState = DialogueState()) -> Turn:  # noqa: B008
    return step(state, text)[1]


def asked(text: str, *context: str, language: Language = EN) -> Ask:
    return Ask(Query(text, limit=QUOTE_LIMIT, context=context), language)


def test_a_question_is_asked_as_it_was_written() -> None:
    assert turn('  "Palermo Protocol" -Qatar signed? ') == asked('"Palermo Protocol" -Qatar signed?')


def test_a_question_may_be_as_long_as_can_be_answered() -> None:
    assert QUESTION_LIMIT == MAX_QUESTION
    assert turn("a" * QUESTION_LIMIT) == asked("a" * QUESTION_LIMIT)
    assert turn("a" * (QUESTION_LIMIT + 1)) == Say(
        "That's too long (2,001 characters, limit 2,000). Could you shorten it?", EN
    )


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", Phrase.EMPTY),
        (" \n\t", Phrase.EMPTY),
        ("?!", Phrase.EMPTY),
        ("...", Phrase.EMPTY),
        ("\x00\x1b", Phrase.EMPTY),
        ("🎉", Phrase.WORDLESS),
        ("👍🏽 ❤️!", Phrase.WORDLESS),
        ("-kuwait -qatar", Phrase.ONLY_EXCLUDED),
        ("hello", Phrase.GREETING),
        ("what can you do?", Phrase.ABILITIES),
        ("thanks!", Phrase.THANKS),
        ("great", Phrase.GLAD),
        ("how are you?", Phrase.HOW_ARE_YOU),
        ("that's wrong", Phrase.SORRY),
        ("/more", Phrase.ASK_FIRST),
        ("/context", Phrase.ASK_FIRST),
        ("/why", Phrase.ASK_FIRST),
    ],
)
def test_what_needs_no_search_is_answered_at_once(text: str, phrase: Phrase) -> None:
    assert step(DialogueState(), text) == (DialogueState(), Say(say(phrase, EN), EN))


@pytest.mark.parametrize("text", ["/language", "/language klingon"])
def test_the_languages_there_are_to_choose_from_are_named(text: str) -> None:
    assert turn(text) == Say("Which language should I use? Type one of these: /language en, /language ar", EN)


@pytest.mark.parametrize("text", ["/help", "/HELP", "/help@newsquote_bot", "/start", "help"])
def test_help(text: str) -> None:
    assert turn(text) == Help(EN)


@pytest.mark.parametrize("text", ["/quit", "/exit", "bye", "quit"])
def test_leaving(text: str) -> None:
    assert turn(text) == Leave("Goodbye!", EN)


@pytest.mark.parametrize(
    ("text", "page"),
    [("/articles", 1), ("/articles 3", 3), ("/articles 0", 1), ("/articles -2", 1), ("/articles x", 1)],
)
def test_articles_are_listed_by_the_page(text: str, page: int) -> None:
    assert turn(text) == Browse(EN, page)


def test_an_unknown_command_is_named_in_short() -> None:
    assert turn("/" + "x" * 50 + " y") == Say(f"I don't know /{'x' * 39}. See /help for what I can do.", EN)


def test_an_answer_shows_its_first_quote_and_starts_a_thread() -> None:
    state, ask = step(DialogueState(), "Which tier is Kuwait in?")
    assert isinstance(ask, Ask)
    assert resolve(state, ask, ANSWER) == (TALKING, Show(ANSWER, 0, 1, EN))


def test_a_follow_up_carries_its_thread_and_a_fresh_question_ends_it() -> None:
    state, contexts = DialogueState(), []
    for text in ("Which tier is Kuwait in?", "why?", "since when?", "by whom?", "and now?", "Who is Alina Romanowski?"):
        state, ask = step(state, text)
        assert isinstance(ask, Ask)
        contexts.append(ask.query.context)
        state, _ = resolve(state, ask, ANSWER)
    assert contexts == [
        (),
        ("Which tier is Kuwait in?",),
        ("Which tier is Kuwait in?", "why?"),
        ("Which tier is Kuwait in?", "why?", "since when?"),
        ("Which tier is Kuwait in?", "since when?", "by whom?"),
        (),
    ]
    assert state.questions == ("Who is Alina Romanowski?",)


def test_small_talk_does_not_end_a_thread() -> None:
    state, _ = step(TALKING, "thanks!")
    assert turn("and since when?", state) == asked("and since when?", "Which tier is Kuwait in?")


def test_more_shows_the_next_quotes_until_there_are_none() -> None:
    state, turns = TALKING, []
    for text in ("/more", "more please", "/more"):
        state, shown = step(state, text)
        turns.append(shown)
    assert turns == [Show(ANSWER, 1, 2, EN), Show(ANSWER, 3, 1, EN), Say("That's all I found.", EN)]


def test_context_is_that_of_the_quote_last_shown() -> None:
    assert [turn("/context", replace(TALKING, shown=shown)) for shown in (0, 3)] == [
        Widen(QUOTES[0], EN),
        Widen(QUOTES[3], EN),
    ]


def test_an_answer_without_quotes_has_no_context_and_no_more() -> None:
    nothing = DialogueState(questions=("x",), answer=answer(answered=False))
    assert [turn("/context", nothing), turn("/more", nothing)] == [
        Say("Ask me a question first.", EN),
        Say("That's all I found.", EN),
    ]


def test_why_explains_the_last_answer() -> None:
    assert turn("/why", TALKING) == Explain(ANSWER, EN)


@pytest.mark.parametrize("name", ["ar", "AR", "arabic", "Arabic", "العربية", " ar-KW "])
def test_a_chosen_language_stays(name: str) -> None:
    state, said = step(DialogueState(client=EN), f"/language {name}")
    assert said == Say("سأستخدم العربية من الآن.", AR)
    assert turn("thanks", state) == Say("على الرحب والسعة! اسألني متى شئت.", AR)


@pytest.mark.parametrize(
    ("state", "text", "language"),
    [
        pytest.param(DialogueState(), "من هو الأمير؟", AR, id="the question's"),
        pytest.param(DialogueState(client=EN), "من هو الأمير؟", EN, id="before it the client's"),
        pytest.param(DialogueState(client=EN, chosen=AR), "Who is the emir?", AR, id="before all the chosen"),
        pytest.param(DialogueState(heard=AR), "/help", AR, id="a command says nothing about it"),
        pytest.param(DialogueState(), "؟", AR, id="its question mark"),
        pytest.param(DialogueState(heard=AR), "2010?", AR, id="nor does a number"),
        pytest.param(DialogueState(), "«من هو Alexander Hamilton؟»", AR, id="the one it opens in"),
        pytest.param(DialogueState(), "Who runs الهيئة العامة للصناعة?", EN, id="whatever the name is written in"),
    ],
)
def test_the_language_spoken(state: DialogueState, text: str, language: Language) -> None:
    assert turn(text, state).language is language


@given(st.text())
def test_whatever_is_said_gets_a_turn_and_a_question_keeps_its_words(text: str) -> None:
    for state in (DialogueState(), TALKING):
        after, done = step(state, text)
        assert after.questions == state.questions
        if isinstance(done, Ask):
            assert text.strip().endswith(done.query.text)
            assert done.query.text
