"""Search, above all across languages: vectors of text an encoder cannot read are ignored, and words still find it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.ranking.question import Question
from retrieval.ranking.search import ARTICLE_SMOOTHING, Searcher
from retrieval.results import Query
from retrieval.text.languages import LanguagePair
from tests.fakes import HashingEncoder

ARTICLES = [
    Article("metro", "Metro opens", "The second metro line opened on Sunday. A ticket costs half a dinar."),
    Article("cup", "Cup final", "The sailors won the cup for the sixth time. The crowd was large."),
    Article("lake", "نفوق الأسماك في بحيرة الصفصاف", "نفقت آلاف الأسماك في البحيرة. وقال الوالي إن الصيد محظور."),
    Article("court", "محاكمة مصرفي", "قضت المحكمة بسجن مدير المصرف ثماني سنوات. وأمرت بمصادرة يخت."),
]


class ReadingEncoder(HashingEncoder):
    """The same, but it claims to read Arabic."""

    @property
    def multilingual(self) -> bool:
        return True


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot.open(tmp_path, publish(ARTICLES, HashingEncoder(), tmp_path).name)


def test_a_snapshot_knows_its_arabic_passages(snapshot: Snapshot) -> None:
    assert snapshot.arabic(np.arange(4)).tolist() == [False, False, True, True]


def test_a_question_that_the_encoder_cannot_read_is_answered_by_words(snapshot: Snapshot) -> None:
    answer = Answerer(snapshot, HashingEncoder()).answer(Query("بكم سنة حُكم على مدير المصرف بالسجن؟"))
    assert answer.quotes[0].article.id == "court"
    evidence = answer.quotes[0].evidence
    assert (evidence["cosine"], evidence["passage cosine"], "dense rank" in evidence) == (0, 0, False)


def test_passages_that_the_encoder_cannot_read_are_found_by_words_and_have_no_cosine(snapshot: Snapshot) -> None:
    for text, articles in (("Who won the cup?", [1, 0]), ("Who won the cup in البحيرة?", [1, 2, 0])):
        query = Query(text)
        hits = Searcher(snapshot, HashingEncoder()).search(query, Question.parse(query)).hits
        assert [hit.article for hit in hits] == articles
        assert [hit.evidence[:, 5:7].any() for hit in hits if hit.article > 1] == [False] * (len(articles) - 2)


def test_a_question_in_a_language_the_library_lacks_is_declined(tmp_path: Path) -> None:
    published = publish(ARTICLES[:2], HashingEncoder(), tmp_path)
    answer = Answerer(Snapshot.open(tmp_path, published.name), HashingEncoder()).answer(Query("من فاز بالكأس؟"))
    assert (answer.answered, answer.quotes) == (False, ())


def test_each_passage_is_ranked_by_the_weights_of_its_language_pair(snapshot: Snapshot) -> None:
    query = Query("متى افتُتح المترو في البحيرة؟")
    hits = Searcher(snapshot, ReadingEncoder()).search(query, Question.parse(query)).hits
    assert {hit.article: hit.language_pair for hit in hits} == {
        0: LanguagePair.CROSSING,
        1: LanguagePair.CROSSING,
        2: LanguagePair.ARABIC,
        3: LanguagePair.ARABIC,
    }


def test_scores_are_smoothed_by_article_for_multilingual_encoders_only(tmp_path: Path) -> None:
    long = Article(
        "log", "The log of a mill", " ".join(f"On day {day} the mill ground {day} sacks." for day in range(40))
    )
    query = Query("How many sacks did the mill grind on day 7?")
    for encoder, smoothing in ((HashingEncoder(name="english"), 0.0), (ReadingEncoder(name="all"), ARTICLE_SMOOTHING)):
        published = publish([*ARTICLES, long], encoder, tmp_path)
        hits = Searcher(Snapshot.open(tmp_path, published.name), encoder).search(query, Question.parse(query)).hits
        own = [max(score for _, score in hit.sentences) for hit in hits]
        best = {hit.article: score for hit, score in sorted(zip(hits, own, strict=True), key=lambda pair: pair[1])}
        assert [hit.article for hit in hits].count(4) > 2
        assert [hit.score for hit in hits] == pytest.approx(
            [score + smoothing * (best[hit.article] - score) for hit, score in zip(hits, own, strict=True)]
        )


def test_an_arabic_question_does_not_require_the_name_it_puts_in_quotation_marks(snapshot: Snapshot) -> None:
    query = Query("ماذا حدث في «بحيرة صفصاف»؟")
    hits = Searcher(snapshot, HashingEncoder()).search(query, Question.parse(query)).hits
    assert hits[0].article == 2


def test_an_arabic_phrase_alone_must_occur(snapshot: Snapshot) -> None:
    for text, articles in (("«آلاف الأسماك»", [2]), ("«الأسماك آلاف»", [])):
        query = Query(text)
        hits = Searcher(snapshot, HashingEncoder()).search(query, Question.parse(query)).hits
        assert [hit.article for hit in hits] == articles
