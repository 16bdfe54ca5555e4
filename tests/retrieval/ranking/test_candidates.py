from __future__ import annotations

from pathlib import Path

import numpy as np

from corpus.article import Span
from retrieval.ranking.candidates import compare_candidates
from retrieval.ranking.fusion import CandidateFeatures
from retrieval.ranking.question import Question
from retrieval.results import Query
from tests.fakes import HashingEncoder
from tests.sample_library import BRIDGE, HARBOUR, built


def compared(folder: Path, text: str, *, unreadable: bool = False) -> tuple[CandidateFeatures, list[Span]]:
    """The two articles' passages compared with a question."""
    question, encoder = Question.parse(Query(text)), HashingEncoder()
    passages = built(folder, [BRIDGE, HARBOUR]).passages(np.arange(2))
    return compare_candidates(
        question,
        encoder.encode_query(question.text),
        passages,
        idf=np.ones(len(question.content), np.float32),
        cosine=np.array([0.5, 0.25], np.float32),
        bm25=np.array([1, 0.5], np.float32),
        unreadable=np.full(2, unreadable),
    )


def test_each_passage_has_a_title_and_its_sentences_in_order(tmp_path: Path) -> None:
    candidates, spans = compared(tmp_path, "Who found cracks in the pillars?")
    assert candidates.titles.sum() == 2
    assert candidates.titles[np.searchsorted(candidates.owner, [0, 1])].all()
    assert len(spans) == (~candidates.titles).sum()
    owners = candidates.owner[~candidates.titles].tolist()
    texts = [
        (BRIDGE, HARBOUR)[owner].text[span.start : span.end].strip() for owner, span in zip(owners, spans, strict=True)
    ]
    assert "Engineers found cracks in two pillars." in texts
    assert candidates.edges[0] == 0
    assert candidates.edges[-1] == len(candidates.similar) == len(candidates.same)
    assert (np.diff(candidates.edges) >= 0).all()


def test_the_words_of_a_sentence_match_the_same_words_of_the_question(tmp_path: Path) -> None:
    candidates, _ = compared(tmp_path, "Who found cracks in the pillars?")
    matching = np.maximum.reduceat(candidates.same.sum(axis=1), candidates.edges[:-1][np.diff(candidates.edges) > 0])
    assert candidates.same.any(axis=0).all()
    assert matching.max() == 1
    assert candidates.similar[candidates.same].min() > 0.9


def test_of_unreadable_passages_only_equal_terms_match(tmp_path: Path) -> None:
    candidates, _ = compared(tmp_path, "Who found cracks in the pillars?", unreadable=True)
    assert (candidates.similar == candidates.same).all()
    assert not candidates.cosine.any()


def test_words_that_the_question_has_itself_do_not_count_as_the_type_of_answer(tmp_path: Path) -> None:
    asked, _ = compared(tmp_path / "asked", "How many days is eleven days?")
    unasked, _ = compared(tmp_path / "unasked", "How many days?")
    assert asked.answer_type_match.sum() < unasked.answer_type_match.sum()
