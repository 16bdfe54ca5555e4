from __future__ import annotations

import datetime as dt
from pathlib import Path

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import IndexUnreachable, SnapshotCorrupt, SnapshotOutdated
from retrieval.index.contract import WORD, ArticleFilter, outlet_key
from retrieval.milvus.store import (
    SETTLE_S,
    Generation,
    Milvus,
    chunks,
    condition_of,
    packed,
    rows_of,
    signed,
    token_of,
    unpacked,
)

ABOUT = Generation(3, "20261124T001500Z", "20261124T001500Z-1a2b3c4d", "", "e", 32, "r", False, True, 5, 1, 2, 3, 4)


def test_conditions_are_said_in_milvus_words() -> None:
    day = dt.date(2026, 11, 1)
    assert condition_of(ArticleFilter()) == ""
    assert condition_of(ArticleFilter(since=day)) == f"day > 0 and day >= {day.toordinal()}"
    assert condition_of(ArticleFilter(until=day)) == f"day > 0 and day <= {day.toordinal()}"
    assert condition_of(ArticleFilter(source="x or 1 == 1")) == f"outlet == {outlet_key('x or 1 == 1')}"


@given(st.text(min_size=1, max_size=20))
def test_a_token_is_one_plain_word_and_stands_for_one_term(term: str) -> None:
    token = token_of(term)
    assert token.isascii()
    assert token.isalnum()
    assert token == token.lower()
    assert token_of(term + "'") != token


def test_plain_terms_stay_as_they_are() -> None:
    assert [token_of(term) for term in ("kuwait", "2010")] == ["kuwait", "2010"]


@given(st.lists(st.integers(-128, 127), max_size=300))
def test_bytes_come_back_as_they_were(values: list[int]) -> None:
    array = np.array(values, np.int8)
    assert unpacked(packed(array), np.dtype("i1")).tolist() == values
    words = np.zeros(len(values), WORD)
    words["term"] = np.abs(array.astype(np.int64))
    assert unpacked(packed(words), WORD).tolist() == words.tolist()


@given(st.text(max_size=100))
def test_no_part_of_a_text_is_too_long_and_together_they_are_the_text(text: str) -> None:
    long = text * 1000
    parts = chunks(long)
    assert "".join(parts) == long
    assert all(len(part.encode("utf-8", "surrogatepass")) < 65_535 for part in parts)


@given(st.integers(0, (1 << 64) - 1))
def test_a_key_of_64_bits_becomes_a_number_with_a_sign_and_back(key: int) -> None:
    assert -(1 << 63) <= signed(key) < 1 << 63
    assert signed(key) % (1 << 64) == key


def test_a_version_has_what_was_there_before_the_next_and_is_not_dead() -> None:
    assert ABOUT.has("articles") == "number < 4 and died > 5"
    assert ABOUT.has("passages") == "article < 4 and died > 5"
    assert rows_of(3) == "row >= 196608 and row < 262144"


def test_what_an_index_says_of_itself_comes_back() -> None:
    assert Generation.read(ABOUT.to_json()) == ABOUT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 3}'])
def test_an_index_that_does_not_say_what_it_holds_is_refused(text: str) -> None:
    with pytest.raises(SnapshotCorrupt, match="newsquote index build --full"):
        Generation.read(text)


def test_an_index_of_another_format_is_refused() -> None:
    with pytest.raises(SnapshotOutdated, match="has format 7, this newsquote reads 3"):
        Generation.read(ABOUT.to_json().replace('"format": 3', '"format": 7'))


def test_a_server_that_does_not_answer_is_one_clear_line() -> None:
    with pytest.raises(IndexUnreachable, match=r"at http://127\.0\.0\.1:1 cannot be used: .*; check index_url"):
        Milvus("http://127.0.0.1:1", timeout_s=0.2)


class Refused(grpc.RpcError):  # type: ignore[misc]  # grpc has no types
    """What pymilvus passes on as it is."""

    def details(self) -> str:
        return "deadline\nexceeded"


def test_what_goes_wrong_below_pymilvus_is_one_clear_line_without_the_password(tmp_path: Path) -> None:
    milvus = Milvus(str(tmp_path / "milvus.db"))
    milvus.url = "http://root:secret@host:19530"
    with pytest.raises(IndexUnreachable) as failed, milvus.translated():
        raise Refused
    assert str(failed.value) == "the index at http://host:19530 cannot be used: deadline exceeded; check index_url"


def test_a_writer_waits_until_a_server_shows_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    milvus = Milvus(str(tmp_path / "milvus.db"))
    milvus.settle()
    assert waited == []
    milvus.url = "http://host:19530"
    milvus.settle()
    assert waited == [SETTLE_S]


def test_a_term_too_long_for_an_analyzer_has_a_short_token() -> None:
    assert token_of("a" * 64) == "a" * 64
    assert len(token_of("a" * 70_000)) == 17


def test_an_empty_server_has_no_index(tmp_path: Path) -> None:
    milvus = Milvus(str(tmp_path / "empty.db"))
    assert (milvus.current(), milvus.encoder(), milvus.listed()) == (None, None, [])
