from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article
from retrieval.answering import MAX_QUESTION, Answerer, clean_question
from retrieval.errors import QuestionError
from retrieval.results import Query, Quote
from tests.fakes import Clock, HashingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, articles_in, built


@pytest.fixture(scope="module")
def answerer(tmp_path_factory: pytest.TempPathFactory) -> Answerer:
    return Answerer(built(tmp_path_factory.mktemp("snapshots")), HashingEncoder())


def articles_of(quotes: tuple[Quote, ...]) -> list[Article]:
    return [quote.article for quote in quotes]


def test_the_best_sentence_of_the_best_passage_is_highlighted(answerer: Answerer) -> None:
    quote = answerer.answer(Query("Who found cracks in two pillars?")).quotes[0]
    assert quote.article == BRIDGE
    best = quote.highlights[0]
    assert BRIDGE.text[best.start : best.end] == "Engineers found cracks in two pillars."


@given(st.text(min_size=1).filter(lambda text: text.strip()) | st.sampled_from(HARBOUR.text.split(". ")))
def test_whatever_is_asked_every_quote_is_a_slice_of_its_article(answerer: Answerer, text: str) -> None:
    try:
        answer = answerer.answer(Query(text, limit=10))
    except QuestionError:
        return
    assert 0 <= answer.confidence <= 1
    assert answer.snapshot == answerer.snapshot.name
    for quote in answer.quotes:
        assert quote.text == quote.article.text[quote.span.start : quote.span.end] == quote.text.strip()
        assert 1 <= len(quote.highlights) <= 3
        assert quote.context.start <= quote.span.start < quote.span.end <= quote.context.end


@given(st.sampled_from(["strike", "bridge May", "honey roofs", "Who is Marta Quill?", "repairs cost crowns"]))
def test_the_same_question_gets_the_same_answer(answerer: Answerer, text: str) -> None:
    first, second = (answerer.answer(Query(text)) for _ in range(2))
    assert replace(first, took_ms=0) == replace(second, took_ms=0)


def test_no_more_quotes_are_given_than_asked_for(answerer: Answerer) -> None:
    assert [len(answerer.answer(Query("May bridge strike honey", limit=limit)).quotes) for limit in (1, 2, 3)] == [
        1,
        2,
        3,
    ]


def test_a_quoted_phrase_must_occur_and_an_excluded_word_must_not(answerer: Answerer) -> None:
    def found(text: str) -> list[Article]:
        return articles_of(answerer.answer(Query(text)).quotes)

    assert found('bridge strike "eleven days"') == [HARBOUR]
    assert found('bridge strike "days eleven"') == []
    assert BRIDGE not in found("strike bees -bridge")
    assert found("bridge -Ostra -strike -honey") == []


def test_a_source_or_a_time_without_articles_finds_nothing(answerer: Answerer) -> None:
    answer = answerer.answer(Query("strike", source="Nobody's News"))
    assert (answer.answered, answer.confidence, answer.quotes) == (False, 0.0, ())


def test_a_follow_up_is_searched_with_the_words_of_earlier_questions(answerer: Answerer) -> None:
    follow_up = answerer.answer(Query("and how much?", context=("Who repairs the bridge over the Ostra?",)))
    assert articles_of(follow_up.quotes)[0] == BRIDGE


@pytest.mark.parametrize(
    "text", ["???", "🐝", "the of and", "\u200b"], ids=["marks", "emoji", "stop words", "zero width"]
)
def test_a_question_without_content_is_declined_without_quotes(answerer: Answerer, text: str) -> None:
    answer = answerer.answer(Query(text))
    assert (answer.answered, answer.confidence, answer.quotes) == (False, 0.0, ())


@pytest.mark.parametrize(("threshold", "answered"), [(0.0, True), (1.0, False)])
def test_the_threshold_decides(tmp_path: Path, threshold: float, answered: bool) -> None:
    answerer = Answerer(built(tmp_path), HashingEncoder(), threshold=threshold)
    answer = answerer.answer(Query("How long did the strike last?"))
    assert (answer.answered, bool(answer.quotes)) == (answered, True)


def test_the_time_an_answer_takes_is_measured(tmp_path: Path) -> None:
    clock = Clock()

    class Slow(HashingEncoder):
        def encode_query(self, text: str):  # type: ignore[no-untyped-def]
            clock.now += 0.25
            return super().encode_query(text)

    assert Answerer(built(tmp_path), Slow(), clock=clock).answer(Query("strike")).took_ms == 250


def test_a_quote_of_an_article_with_an_address_links_to_its_best_sentence(answerer: Answerer) -> None:
    quotes = answerer.answer(Query("How long had the strike lasted?", limit=3)).quotes
    assert quotes[0].link == "https://example.org/harbour#:~:text=The%20strike%20had%20lasted%20eleven%20days."
    assert {quote.link for quote in quotes[1:]} <= {None}


def test_no_article_fills_the_first_three_quotes_unless_it_is_named(tmp_path: Path) -> None:
    paragraphs = [f"The ferry sails on day {n}. " + f"Nobody waits at pier {n} in the rain. " * 14 for n in range(6)]
    ferry = Article(id="ferry", title="Ferry times", text="\n\n".join(paragraphs))
    answerer = Answerer(built(tmp_path, [BEES, ferry]), HashingEncoder())
    answer, of_named = (
        answerer.answer(Query(text, limit=10))
        for text in ("ferry pier honey", "What do the Ferry Times say of a pier?")
    )
    assert articles_of(answer.quotes)[:3].count(ferry) == 2
    assert articles_of(of_named.quotes)[:3].count(ferry) == 3
    spans = sorted(quote.span for quote in answer.quotes if quote.article == ferry)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_an_empty_library_finds_nothing(tmp_path: Path) -> None:
    assert Answerer(built(tmp_path, []), HashingEncoder()).answer(Query("strike")).quotes == ()


@pytest.mark.parametrize(
    ("question", "expected"),
    [("  Who\n said\twhat? ", "Who said what?"), ("cafe\u0301", "café"), ("a\x00b\udcffc\x1b[31m", "a b c [31m")],
    ids=["white space", "composed", "control characters and surrogates"],
)
def test_a_question_is_cleaned(question: str, expected: str) -> None:
    assert clean_question(question) == expected


@given(st.text())
def test_cleaning_twice_changes_nothing(question: str) -> None:
    try:
        once = clean_question(question)
    except QuestionError:
        return
    assert clean_question(once) == once
    once.encode()


@pytest.mark.parametrize("question", ["", " \n", "\x00\x07", "\udcff"])
def test_an_empty_question_is_refused(question: str) -> None:
    with pytest.raises(QuestionError, match="the question is empty"):
        clean_question(question)


def test_a_question_that_is_too_long_is_refused() -> None:
    assert clean_question("x" * MAX_QUESTION)
    with pytest.raises(QuestionError, match=r"2,001 characters; 2,000 are the most"):
        clean_question("x" * (MAX_QUESTION + 1))


def test_the_articles_are_those_of_the_library(answerer: Answerer) -> None:
    assert articles_in(answerer.snapshot) == list(LIBRARY)


def test_a_reprinted_story_is_quoted_once_and_names_the_other_articles(tmp_path: Path) -> None:
    reprint = replace(
        HARBOUR,
        id="reprint",
        title="Dockers back at work",
        source="The Bay Times",
        text=HARBOUR.text + " More follows.",
    )
    short = replace(HARBOUR, id="short", title="Strike over", source=None, text=HARBOUR.text.split("\n\n")[0])
    other = replace(HARBOUR, id="other", title="Ferry strike", text="The ferry strike had lasted eleven weeks by then.")
    answerer = Answerer(built(tmp_path, [BRIDGE, HARBOUR, other, reprint, short]), HashingEncoder())
    answer = answerer.answer(Query("How many days had the strike lasted?", limit=5))
    stories = {frozenset((q.article.id, *(a.id for a in q.also_in))) for q in answer.quotes}
    assert frozenset(("harbour", "reprint", "short")) in stories
    assert all(len(ids) == 1 for ids in stories if "harbour" not in ids)
    assert frozenset(("other",)) in stories
    one = answerer.answer(Query("How many days had the strike lasted?", limit=1)).quotes[0]
    assert one == answer.quotes[0]
