"""Dates are read as publishers write them, and never invented."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.text.dates import iso_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00+00:00"),
        ("2026-11-24 10:00", "2026-11-24T10:00:00"),
        ("20261124", "2026-11-24"),
        ("Tue, 24 Nov 2026 10:00:00 +0300", "2026-11-24T10:00:00+03:00"),
        ("24 November 2026", "2026-11-24"),
        ("1st of March, 2026", "2026-03-01"),
        ("Nov. 24, 2026", "2026-11-24"),
        ("Published: Sept 3rd, 2026 at noon", "2026-09-03"),
        ("2026/1/4", "2026-01-04"),
        ("posted 2026-11-24 at ten", "2026-11-24"),
        ("May 2026, then May 3, 2026", "2026-05-03"),
        ("الثلاثاء ٢٤ نوفمبر ٢٠٢٦", "2026-11-24"),
        ("نُشر في 3 أيلول، 2026 الساعة 10", "2026-09-03"),
        ("1 تشرين الأول 2026", "2026-10-01"),
        ("2 كانون الثاني 2027", "2027-01-02"),
        ("٢٠٢٦/١١/٢٤", "2026-11-24"),
        ("12 مقالا 2026", None),
        ("03/04/2026", None),
        ("2026", None),
        ("Tue, 99 Nov 2026 10:00:00 GMT", None),
        ("November 19, 2019, 07:47 PM EST", "2019-11-19"),
        ("31 February 2026", None),
        ("12 Nonember 2026", None),
        ("2026-99-24 at ten", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_read(text: str, date: str | None) -> None:
    assert iso_date(text) == date


@given(
    st.dates(min_value=dt.date(1000, 1, 1)),
    st.sampled_from(["%d %B %Y", "%b %d, %Y", "%B %d %Y", "%Y/%m/%d", "%Y-%m-%d"]),
)
def test_every_day_is_read_in_every_form(day: dt.date, form: str) -> None:
    assert iso_date(day.strftime(form)) == day.isoformat()


@given(st.text())
def test_whatever_is_read_is_a_date(text: str) -> None:
    if (date := iso_date(text)) is not None:
        dt.datetime.fromisoformat(date)
