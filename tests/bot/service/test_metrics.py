from __future__ import annotations

import pytest

from bot.service.metrics import Metrics


def test_every_counter_is_there_from_the_start_and_counts() -> None:
    metrics = Metrics()
    assert "newsquote_answered_total 0\n" in metrics.text({})
    metrics.count("answered")
    metrics.observe_wait(0.07)
    metrics.observe_wait(99)
    lines = metrics.text({"waiting": 3}).splitlines()
    assert metrics["answered"] == 1
    assert {
        "newsquote_answered_total 1",
        'newsquote_answer_seconds_bucket{le="0.05"} 0',
        'newsquote_answer_seconds_bucket{le="0.1"} 1',
        'newsquote_answer_seconds_bucket{le="30.0"} 1',
        'newsquote_answer_seconds_bucket{le="+Inf"} 2',
        "newsquote_answer_seconds_sum 99.070000",
        "newsquote_answer_seconds_count 2",
        "# TYPE newsquote_waiting gauge",
        "newsquote_waiting 3",
    } <= set(lines)


def test_a_wait_equal_to_a_bound_falls_in_its_bucket() -> None:
    metrics = Metrics()
    metrics.observe_wait(0.1)
    assert 'newsquote_answer_seconds_bucket{le="0.1"} 1' in metrics.text({})


def test_an_unknown_counter_is_an_error() -> None:
    with pytest.raises(KeyError):
        Metrics().count("answred")
