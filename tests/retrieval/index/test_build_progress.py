from __future__ import annotations

import pytest

from retrieval.index.build_progress import Stage, estimated_seconds, remaining_seconds


def test_a_build_of_a_million_passages_takes_two_to_three_minutes_after_its_last_article() -> None:
    assert 120 < remaining_seconds(Stage.ARTICLES, 1_092_242, 4096) < 180
    assert remaining_seconds(Stage.ARTICLES, 1_092_242, 4096) == pytest.approx(
        remaining_seconds(Stage.MERGED, 1_092_242, 4096)
    )


def test_the_time_left_decreases_from_stage_to_stage() -> None:
    parts = list(Stage)[1:]
    left = [remaining_seconds(what, 100_000, 1024) for what in parts]
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    for what in parts:
        with_it = remaining_seconds(what, 100_000, 1024, itself=True)
        assert with_it - remaining_seconds(what, 100_000, 1024) == pytest.approx(estimated_seconds(what, 100_000, 1024))


def test_a_flat_index_takes_no_time_to_build() -> None:
    assert [estimated_seconds(what, 10_000, 0) for what in (Stage.GROUPS, Stage.VECTORS, Stage.RECALL)] == [0, 0, 0]
