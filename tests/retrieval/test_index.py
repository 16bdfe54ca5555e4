from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from retrieval.index import Fetched, Where


@pytest.mark.parametrize(
    ("where", "everything"),
    [
        (Where(), True),
        (Where(since=dt.date(2026, 11, 1)), False),
        (Where(until=dt.date(2026, 11, 1)), False),
        (Where(source="Ostra Post"), False),
    ],
)
def test_only_a_condition_without_conditions_allows_everything(where: Where, everything: bool) -> None:
    assert where.everything is everything


def test_rows_that_are_left_out_take_their_scores_with_them_and_leave_the_ranks() -> None:
    ranked = np.array([9, 2, 4])
    fetched = Fetched(
        np.array([2, 4, 9]), np.array([0.1, 0.2, 0.3], np.float32), np.ones(3, np.float32), ranked, ranked
    )
    kept = fetched.only(np.array([True, False, True]))
    assert kept.rows.tolist() == [2, 9]
    assert kept.cosine.tolist() == np.array([0.1, 0.3], np.float32).tolist()
    assert kept.nearest.tolist() == kept.matching.tolist() == [9, 2, 4]
