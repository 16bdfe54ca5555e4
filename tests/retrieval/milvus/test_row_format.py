from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrieval.index.contract import WORD
from retrieval.milvus.row_format import pack_array, signed_key, split_text, term_token, unpack_array


@given(st.text(min_size=1, max_size=20))
def test_a_term_token_is_one_plain_word_and_unique(term: str) -> None:
    token = term_token(term)
    assert token.isascii()
    assert token.isalnum()
    assert token == token.lower()
    assert term_token(term + "'") != token


def test_plain_terms_are_their_own_tokens() -> None:
    assert [term_token(term) for term in ("kuwait", "2010")] == ["kuwait", "2010"]


@given(st.lists(st.integers(-128, 127), max_size=300))
def test_packed_arrays_are_unpacked_unchanged(values: list[int]) -> None:
    array = np.array(values, np.int8)
    assert unpack_array(pack_array(array), np.dtype("i1")).tolist() == values
    words = np.zeros(len(values), WORD)
    words["term"] = np.abs(array.astype(np.int64))
    assert unpack_array(pack_array(words), WORD).tolist() == words.tolist()


@given(st.text(max_size=100))
def test_a_long_text_is_split_into_parts_that_join_to_it(text: str) -> None:
    long = text * 1000
    parts = split_text(long)
    assert "".join(parts) == long
    assert all(len(part.encode("utf-8", "surrogatepass")) < 65_535 for part in parts)


@given(st.integers(0, (1 << 64) - 1))
def test_an_unsigned_key_becomes_a_signed_one_and_back(key: int) -> None:
    assert -(1 << 63) <= signed_key(key) < 1 << 63
    assert signed_key(key) % (1 << 64) == key


def test_a_term_too_long_for_an_analyzer_has_a_short_token() -> None:
    assert term_token("a" * 64) == "a" * 64
    assert len(term_token("a" * 70_000)) == 17
