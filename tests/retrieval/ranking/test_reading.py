from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Span
from corpus.text.sentences import split_sentences
from retrieval.models.reader import Reading
from retrieval.ranking.reading import (
    MAX_ANSWER_TOKENS,
    UNREAD,
    ReadingText,
    answering_words,
    best_spans,
    reading_text,
)

TEXT = "Rain fell. The bridge opens in May. The mayor, 52, paid $3.5m for it. Nobody came."
SENTENCES = split_sentences(TEXT)
ARTICLE = Article("a", "Bridge news", TEXT)
WHOLE = ReadingText(TEXT, Span(0, len(TEXT)))


def read(text: str, *, absent: float = 0.0, **logits: tuple[float, float]) -> Reading:
    """A reading with the start and end logits of some words, those of the others -5; each mark is a token too."""
    words = list(re.finditer(r"\w+|[^\w\s]", text))
    of_words = np.array([logits.get(word[0], (-5.0, -5.0)) for word in words], np.float32).reshape(-1, 2)
    offsets = np.array([word.span() for word in words], np.int32).reshape(-1, 2)
    return Reading(of_words[:, 0].copy(), of_words[:, 1].copy(), offsets, absent)


def cut(text: str, span: Span | None) -> str | None:
    return None if span is None else text[span.start : span.end]


def test_the_score_of_a_sentence_is_that_of_the_best_answer_in_it_less_not_here() -> None:
    reading = read(TEXT, absent=1.5, In=(9.0, 9.0), bridge=(1.0, 0.0), May=(0.5, 4.0), mayor=(3.0, 2.0))
    found = best_spans(reading, WHOLE, SENTENCES)
    assert found.scores.tolist() == [-11.5, 3.5, 3.5, -11.5]
    assert [cut(TEXT, found.span(at)) for at in range(4)] == ["Rain", "bridge opens in May", "mayor", "Nobody"]


def test_an_answer_ends_in_the_sentence_that_it_starts_in_and_not_before_its_start() -> None:
    reading = read(TEXT, bridge=(3.0, -5.0), The=(-5.0, 2.0), mayor=(-5.0, 9.0))
    found = best_spans(reading, WHOLE, SENTENCES)
    assert [cut(TEXT, found.span(at)) for at in (1, 2)] == ["bridge", "The mayor"]
    assert found.scores[1] == -2.0


@pytest.mark.parametrize("longest", [1, 2, 3, MAX_ANSWER_TOKENS])
def test_an_answer_has_at_most_so_many_tokens(longest: int) -> None:
    reading = read(TEXT, bridge=(3.0, -4.0), in_=(0.0, 0.0), May=(-5.0, 6.0))
    found = best_spans(reading, WHOLE, SENTENCES, longest=longest)
    expected = "bridge opens in May" if longest > 3 else {1: "May", 2: "in May", 3: "opens in May"}[longest]
    assert cut(TEXT, found.span(1)) == expected


def test_the_sentences_around_the_passage_score_nothing() -> None:
    text = reading_text(ARTICLE, SENTENCES[1:2], 0, before=SENTENCES[0], after=SENTENCES[2])
    assert text == ReadingText(
        "Rain fell. The bridge opens in May. The mayor, 52, paid $3.5m for it.", Span(0, SENTENCES[2].end)
    )
    reading = read(text.text, Rain=(9.0, 9.0), May=(2.0, 2.0), mayor=(9.0, 9.0))
    found = best_spans(reading, text, SENTENCES[1:2])
    assert found.scores.tolist() == [4.0]
    assert cut(TEXT, found.span(0)) == "May"


def test_a_sentence_that_was_not_read_scores_as_the_lowest_of_its_passage() -> None:
    part = ReadingText(TEXT[SENTENCES[1].start : SENTENCES[2].end], Span(SENTENCES[1].start, SENTENCES[2].end))
    found = best_spans(read(part.text, May=(1.0, 1.0)), part, SENTENCES)
    assert found.scores.tolist() == [-10.0, 2.0, -10.0, -10.0]
    assert [found.span(at) is None for at in range(4)] == [True, False, False, True]


def test_a_passage_of_which_nothing_was_read_scores_low() -> None:
    found = best_spans(read(""), WHOLE, SENTENCES)
    assert (found.scores.tolist(), found.span(0)) == ([UNREAD] * 4, None)


def test_equal_answers_go_to_the_first_and_shortest() -> None:
    found = best_spans(read(TEXT, bridge=(1.0, 1.0), opens=(1.0, 1.0), May=(1.0, 1.0)), WHOLE, SENTENCES)
    assert cut(TEXT, found.span(1)) == "bridge"


texts = st.lists(
    st.sampled_from(["Rain", "fell", "in", "May.", "Who?", "(a)", "“No,”", "$5", "U.S.", "é", "雨雨", "\n\n", "x-y"]),
    min_size=1,
    max_size=40,
).map(" ".join)


@st.composite
def readings(draw: st.DrawFn) -> tuple[str, Reading]:
    text = draw(texts)
    tokens = [word.span() for word in re.finditer(r"[^\W_]{1,2}|[^\w\s]", text)]
    logits = draw(st.lists(st.integers(-8, 8), min_size=2 * len(tokens), max_size=2 * len(tokens)))
    starts, ends = np.array(logits, np.float32).reshape(2, -1)
    offsets = np.array(tokens, np.int32).reshape(-1, 2)
    return text, Reading(starts, ends, offsets, float(draw(st.integers(-4, 4))))


@given(readings(), st.integers(1, 4))
def test_best_spans_are_those_of_a_search_through_all(given_: tuple[str, Reading], longest: int) -> None:
    text, reading = given_
    sentences = split_sentences(text)
    found = best_spans(reading, ReadingText(text, Span(0, len(text))), sentences, longest=longest)
    offsets = reading.offsets.tolist()
    expected = []
    for sentence in sentences:
        own = [at for at, (start, _) in enumerate(offsets) if sentence.start <= start < sentence.end]
        spans = [(a, b) for a in own for b in own if 0 <= b - a < longest]
        scores = [reading.starts[a] + reading.ends[b] - reading.absent for a, b in spans]
        expected.append(max(scores, default=None))
    read_ = [score for score in expected if score is not None]
    unread = min(read_, default=UNREAD)
    assert found.scores.tolist() == [unread if score is None else score for score in expected]


@given(readings())
def test_the_words_are_a_slice_of_the_sentence_that_begins_and_ends_with_what_is_told(
    given_: tuple[str, Reading],
) -> None:
    text, reading = given_
    sentences = split_sentences(text)
    found = best_spans(reading, ReadingText(text, Span(0, len(text))), sentences)
    for at, sentence in enumerate(sentences):
        words = answering_words(text, sentence, found.span(at), float(found.scores[at]))
        if words is not None:
            assert found.scores[at] > 0
            assert sentence.start <= words.start < words.end <= sentence.end
            assert words != sentence
            shown = text[words.start : words.end]
            assert shown == shown.strip()
            assert any(ch.isalnum() for ch in shown)
            assert answering_words(text, sentence, words, 1.0) == words


@pytest.mark.parametrize(
    ("text", "chosen", "shown"),
    [
        ("It opens in May , they all said.", "May ,", "May"),
        ("It opens in May, they all said.", ", they", "they"),
        ("It cost them $3.5m, they all said.", "$3.5m,", "$3.5m"),
        ("It rose by 5.2%, they all said.", "5.2%", "5.2%"),
        ("He lives in the U.S. and works there.", "U.S", "U.S."),
        ("He lives in the U.S. and works there.", "the U.S.", "the U.S."),
        ("The mayor said that Kuwaitis came first.", "Kuwait", "Kuwaitis"),
        ("The mayor said that Kuwaitis came first.", "waitis came", "Kuwaitis came"),
        ("The ministry (MoH) said it would stay open.", "(MoH)", "(MoH)"),
        ("The ministry (MoH) said it would stay open.", "MoH)", "MoH"),
        ("The mayor called it “a great day” on Monday.", "“a great day”", "“a great day”"),
        ("The mayor called it “a great day” on Monday.", "“a great", "a great"),
        ("It fell to -3 degrees in the night.", "-3 degrees", "-3 degrees"),
        ("It was - they say - a great success.", "- they say -", "they say"),
        ("قال محمّد إن الجسر سيفتح في مايو.", "محم", "محمّد"),
        ("橋は五月に開く予定です。", "五月", "五月"),
        ("It opens in May... perhaps, they say.", "...", None),
    ],
)
def test_answering_words_are_whole_words_without_stray_marks(text: str, chosen: str, shown: str | None) -> None:
    start = text.index(chosen)
    words = answering_words(text, Span(0, len(text)), Span(start, start + len(chosen)), 1.0)
    assert cut(text, words) == shown


@pytest.mark.parametrize("score", [0.0, -1.0])
def test_there_are_no_words_where_not_here_is_as_likely(score: float) -> None:
    sentence = SENTENCES[1]
    assert answering_words(TEXT, sentence, Span(sentence.end - 5, sentence.end - 2), score) is None
    assert answering_words(TEXT, sentence, None, 1.0) is None


@pytest.mark.parametrize(
    ("chosen", "shown"), [("The bridge opens in May", None), ("bridge opens in May", None), ("opens in May",) * 2]
)
def test_words_that_are_nearly_the_whole_sentence_do_not_stand_out_in_it(chosen: str, shown: str | None) -> None:
    start = TEXT.index(chosen)
    assert cut(TEXT, answering_words(TEXT, SENTENCES[1], Span(start, start + len(chosen)), 1.0)) == shown


def test_a_text_to_read_is_the_hit_with_a_sentence_on_either_side() -> None:
    assert reading_text(ARTICLE, SENTENCES[1:3], 0) == ReadingText(
        "The bridge opens in May. The mayor, 52, paid $3.5m for it.", Span(11, 70)
    )
    around = reading_text(ARTICLE, SENTENCES[1:3], 0, before=SENTENCES[0], after=SENTENCES[3])
    assert around == WHOLE


@pytest.mark.parametrize(
    ("best", "most", "kept"),
    [(1, 20, (0, 4)), (1, 15, (0, 3)), (1, 8, (0, 2)), (1, 5, (1, 2)), (1, 1, (1, 2)), (3, 10, (2, 4)), (3, 3, (3, 4))],
)
def test_where_there_is_too_much_to_read_the_best_sentence_and_what_is_around_it_stay(
    best: int, most: int, kept: tuple[int, int]
) -> None:
    found = reading_text(ARTICLE, SENTENCES, best, most=most)
    first, last = SENTENCES[kept[0]], SENTENCES[kept[1] - 1]
    assert found.span == Span(first.start, last.end)
    assert found.text == TEXT[first.start : last.end].rstrip()


@given(texts, st.data())
def test_what_is_read_is_a_slice_of_the_article_and_holds_the_best_sentence(text: str, data: st.DataObject) -> None:
    sentences = split_sentences(text)
    first = data.draw(st.integers(0, len(sentences) - 1))
    last = data.draw(st.integers(first + 1, len(sentences)))
    best = data.draw(st.integers(0, last - first - 1))
    found = reading_text(
        Article("a", "T", f"{text}x"),
        sentences[first:last],
        best,
        before=sentences[first - 1] if first else None,
        after=sentences[last] if last < len(sentences) else None,
        most=data.draw(st.integers(1, 30)),
    )
    own = sentences[first + best]
    assert found.span.start <= own.start < own.end <= found.span.end
    assert found.text == text[found.span.start : found.span.end].rstrip()
