from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.ranking import confidence, fusion
from retrieval.ranking.confidence import Network, RegressionProduct, answer_evidence, calibrate, log_product
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
        neighbourhood_match=np.array([[0.6, 0.1], [0, 0], [0, 0]], np.float32),
        passage_match=np.array([[0.8, 0.2], [0.1, 0.7], [0.4, 0.9]], np.float32),
        passage_exact=np.array([[True, False], [False, False], [True, False]]),
    )


def named(
    scores: list[float],
    answer_type: AnswerType = AnswerType.OPEN,
    articles: tuple[int, ...] = (4, 4, 7),
    sentence_evidence: Evidence | None = None,
) -> dict[str, float]:
    found = answer_evidence(
        sentence_evidence or evidence(),
        np.array(scores, np.float32),
        np.array(articles),
        np.array([3, 1], np.float32),
        8.0,
        answer_type=answer_type,
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


def test_without_a_rival_the_lead_is_the_largest_possible() -> None:
    found = named([9, 5, 7], articles=(4, 4, 4))
    assert (found["lead"], found["alone"]) == (6, 1)


def test_an_article_without_a_word_of_the_question_is_no_rival_where_another_has_one() -> None:
    unrelated = replace(evidence(), passage_exact=np.array([[True, False], [False, False], [False, False]]))
    related_to_none = replace(evidence(), passage_exact=np.zeros((3, 2), np.bool_))
    found = [named([9, 5, 7.5], sentence_evidence=given) for given in (unrelated, related_to_none)]
    assert [(one["lead"], one["alone"]) for one in found] == [(6, 1), (1.5, 0)]


def test_a_sentence_without_a_number_lacks_the_answer_to_how_many() -> None:
    assert {
        answer_type: named([9, 5, 7], answer_type)["lacks"]
        for answer_type in (AnswerType.NUMBER, AnswerType.DATE, AnswerType.PERSON, AnswerType.OPEN)
    } == {
        AnswerType.NUMBER: 1,
        AnswerType.DATE: 1,
        AnswerType.PERSON: 0,
        AnswerType.OPEN: 0,
    }


@given(st.lists(st.floats(-50, 50, width=32), min_size=len(confidence.EVIDENCE), max_size=len(confidence.EVIDENCE)))
def test_a_probability_lies_between_0_and_1(values: list[float]) -> None:
    assert 0 <= NETWORK(np.array([values], np.float32))[0] <= 1


def test_a_network_adds_a_linear_and_a_hidden_part_of_clipped_evidence() -> None:
    one = np.ones(1, np.float32)
    network = Network(one, 2 * one, 3 * one, np.ones((1, 1), np.float32), 0 * one, 4 * one, -1)
    rows = np.array([[1], [3], [99], [999]], np.float32)
    assert np.allclose(network.log_odds(rows), [-1, 2 + 4 * np.tanh(1), 14 + 4 * np.tanh(5), 14 + 4 * np.tanh(5)])


def test_an_unknown_name_lowers_the_probability() -> None:
    weights = np.zeros(len(confidence.EVIDENCE) + 1, np.float32)
    sure = weights + 0
    sure[-1] = 20
    probability = RegressionProduct(sure, weights, np.array([1, 0, 1], np.float32))
    unknown = NONE.copy()
    unknown[0, confidence.EVIDENCE.index("unknown")] = 1
    assert np.allclose(probability(NONE), 0.5)
    assert np.allclose(probability(unknown), 1 / (1 + np.exp(confidence.UNKNOWN_NAME_PENALTY)))


def test_without_a_rival_an_unknown_name_lowers_the_probability_further() -> None:
    rows = np.repeat(NONE, 2, axis=0)
    rows[:, confidence.EVIDENCE.index("unknown")] = 1
    rows[1, confidence.EVIDENCE.index("alone")] = 1
    network = replace(NETWORK, direct=0 * NETWORK.direct, out=0 * NETWORK.out)
    known, alone = network(rows)
    assert np.isclose(
        np.log(known / (1 - known)) - np.log(alone / (1 - alone)),
        confidence.UNKNOWN_NAME_WITHOUT_RIVALS_PENALTY,
        atol=1e-3,
    )


def test_calibration_keeps_the_order_of_probabilities() -> None:
    assert (np.diff(calibrate(np.linspace(-20, 0, 50, dtype=np.float32), np.array([2, 1], np.float32))) >= 0).all()


def test_the_product_is_low_where_either_probability_is() -> None:
    none = np.zeros(len(confidence.EVIDENCE) + 1, np.float32)
    sure, unsure = none.copy(), none.copy()
    sure[-1], unsure[-1] = 20, -20
    assert np.allclose(log_product(NONE, sure, sure), 0, atol=1e-6)
    assert np.allclose(log_product(NONE, sure, unsure), -20, atol=1e-3)
    assert np.allclose(log_product(NONE, unsure, sure), -20, atol=1e-3)


def test_calibration_may_be_over_the_log_odds() -> None:
    logarithms = np.log(np.array([0.2, 0.5, 0.8], np.float32))
    assert np.allclose(confidence.log_odds(logarithms), np.log([0.25, 1, 4]), atol=1e-5)
    assert np.allclose(calibrate(logarithms, np.array([1, 0, 1], np.float32)), [0.2, 0.5, 0.8], atol=1e-5)
    assert np.allclose(
        calibrate(logarithms, np.array([1, 0], np.float32)), [0.2 / 1.2, 0.5 / 1.5, 0.8 / 1.8], atol=1e-5
    )
    assert np.isfinite(confidence.log_odds(np.zeros(1, np.float32))).all()
