from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import confidence, fusion
from retrieval.ranking.confidence import Network, Regressions, calibrated, evidence_of, log_chance
from retrieval.ranking.fusion import Evidence
from retrieval.text.answer_types import AnswerType

NONE = np.zeros((1, len(confidence.EVIDENCE)), np.float32)
RANDOM = np.random.default_rng(5)
NETWORK = Network(
    centre=RANDOM.random(len(confidence.EVIDENCE), np.float32),
    scale=RANDOM.random(len(confidence.EVIDENCE), np.float32) + np.float32(0.1),
    direct=RANDOM.standard_normal(len(confidence.EVIDENCE), np.float32),
    hidden=RANDOM.standard_normal((len(confidence.EVIDENCE), 4), np.float32),
    shift=RANDOM.standard_normal(4, np.float32),
    out=RANDOM.standard_normal(4, np.float32),
    bias=-1.0,
)


def evidence() -> Evidence:
    """Three passages of a sentence each, the first two of one article; two question words."""
    sentences = np.zeros((3, len(fusion.EVIDENCE)), np.float32)
    sentences[:, fusion.EVIDENCE.index("cosine")] = [0.5, 0.6, 0.2]
    return Evidence(
        sentences=sentences,
        owner=np.array([0, 1, 2]),
        around=np.array([[0.6, 0.1], [0, 0], [0, 0]], np.float32),
        met=np.array([[0.8, 0.2], [0.1, 0.7], [0.4, 0.9]], np.float32),
        exact=np.array([[True, False], [False, False], [True, False]]),
    )


def named(
    scores: list[float],
    kind: AnswerType = AnswerType.OPEN,
    articles: tuple[int, ...] = (4, 4, 7),
    weighed: Evidence | None = None,
) -> dict[str, float]:
    found = evidence_of(
        weighed or evidence(),
        np.array(scores, np.float32),
        np.array(articles),
        np.array([3, 1], np.float32),
        8.0,
        kind=kind,
        respelt=2,
        unknown=1,
    )
    return dict(zip(confidence.EVIDENCE, found.round(4).tolist(), strict=True))


def test_the_evidence_is_the_best_sentences_own_and_its_articles() -> None:
    found = named([9, 5, 7.5])
    wanted = {
        "score": 9, "lead": 1.5, "cosine": 0.5, "best cosine": 0.6, "article words": 0.775, "exact": 0.75, "bm25": 2,
        "best passage words": 0.65, "unmet": 0.2, "article unmet": 0.15, "around unmet": 0.3, "absent": 0.25,
        "length": 0.6931, "respelt": 2, "unknown": 1, "alone": 0, "lacks": 0, "open": 1, "date": 0,
    }  # fmt: skip
    assert {name: round(found[name], 4) for name in wanted} == wanted


def test_a_lead_over_nobody_is_as_long_as_leads_are_counted() -> None:
    found = named([9, 5, 7], articles=(4, 4, 4))
    assert (found["lead"], found["alone"]) == (6, 1)


def test_what_has_none_of_the_questions_words_is_no_rival_where_something_has_some() -> None:
    unrelated = replace(evidence(), exact=np.array([[True, False], [False, False], [False, False]]))
    related_to_none = replace(evidence(), exact=np.zeros((3, 2), np.bool_))
    found = [named([9, 5, 7.5], weighed=weighed) for weighed in (unrelated, related_to_none)]
    assert [(one["lead"], one["alone"]) for one in found] == [(6, 1), (1.5, 0)]


def test_a_sentence_without_a_number_lacks_what_how_many_asks_for() -> None:
    assert {
        kind: named([9, 5, 7], kind)["lacks"]
        for kind in (AnswerType.NUMBER, AnswerType.DATE, AnswerType.PERSON, AnswerType.OPEN)
    } == {
        AnswerType.NUMBER: 1,
        AnswerType.DATE: 1,
        AnswerType.PERSON: 0,
        AnswerType.OPEN: 0,
    }


@given(st.lists(st.floats(-50, 50, width=32), min_size=len(confidence.EVIDENCE), max_size=len(confidence.EVIDENCE)))
def test_a_probability_lies_between_0_and_1(values: list[float]) -> None:
    assert 0 <= NETWORK(np.array([values], np.float32))[0] <= 1


def test_a_network_is_a_line_and_a_bent_part_within_its_reach() -> None:
    one = np.ones(1, np.float32)
    network = Network(one, 2 * one, 3 * one, np.ones((1, 1), np.float32), 0 * one, 4 * one, -1)
    rows = np.array([[1], [3], [99], [999]], np.float32)
    assert np.allclose(network.log_odds(rows), [-1, 2 + 4 * np.tanh(1), 14 + 4 * np.tanh(5), 14 + 4 * np.tanh(5)])


def test_an_unknown_name_is_doubted() -> None:
    weights = np.zeros(len(confidence.EVIDENCE) + 1, np.float32)
    sure = weights + 0
    sure[-1] = 20
    judge = Regressions(sure, weights, np.array([1, 0, 1], np.float32))
    doubted = NONE.copy()
    doubted[0, confidence.EVIDENCE.index("unknown")] = 1
    assert np.allclose(judge(NONE), 0.5)
    assert np.allclose(judge(doubted), 1 / (1 + np.exp(confidence.UNKNOWN)))


def test_in_a_library_of_one_article_an_unknown_name_is_doubted_further() -> None:
    rows = np.repeat(NONE, 2, axis=0)
    rows[:, confidence.EVIDENCE.index("unknown")] = 1
    rows[1, confidence.EVIDENCE.index("alone")] = 1
    network = replace(NETWORK, direct=0 * NETWORK.direct, out=0 * NETWORK.out)
    known, alone = network(rows)
    assert np.isclose(np.log(known / (1 - known)) - np.log(alone / (1 - alone)), confidence.UNKNOWN_ALONE, atol=1e-3)


def test_a_better_chance_is_never_a_lower_probability() -> None:
    assert (np.diff(calibrated(np.linspace(-20, 0, 50, dtype=np.float32), np.array([2, 1], np.float32))) >= 0).all()


def test_both_chances_are_needed() -> None:
    none = np.zeros(len(confidence.EVIDENCE) + 1, np.float32)
    sure, unsure = none.copy(), none.copy()
    sure[-1], unsure[-1] = 20, -20
    assert np.allclose(log_chance(NONE, sure, sure), 0, atol=1e-6)
    assert np.allclose(log_chance(NONE, sure, unsure), -20, atol=1e-3)
    assert np.allclose(log_chance(NONE, unsure, sure), -20, atol=1e-3)


def test_the_curve_may_be_over_the_log_odds() -> None:
    chances = np.log(np.array([0.2, 0.5, 0.8], np.float32))
    assert np.allclose(confidence.log_odds(chances), np.log([0.25, 1, 4]), atol=1e-5)
    assert np.allclose(calibrated(chances, np.array([1, 0, 1], np.float32)), [0.2, 0.5, 0.8], atol=1e-5)
    assert np.allclose(calibrated(chances, np.array([1, 0], np.float32)), [0.2 / 1.2, 0.5 / 1.5, 0.8 / 1.8], atol=1e-5)
    assert np.isfinite(confidence.log_odds(np.zeros(1, np.float32))).all()
