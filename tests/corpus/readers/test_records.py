"""Records are read line by line; a bad line costs only itself."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import Article, Found, Item, Refused, content_id
from corpus.readers import records
from corpus.readers.records import format_record, parse_record, read_records
from tests.corpus.articles import articles


def read(data: bytes) -> list[Item]:
    return list(read_records(io.BytesIO(data), "r.jsonl"))


def test_a_record_is_taken_as_it_is_apart_from_composition_and_line_ends() -> None:
    raw = "  One \r\n\n\n\ncafe\u0301  "
    line = json.dumps({"title": " T ", "text": raw, "id": 7, "author": "", "published": "2026-11-24", "x": 1})
    (found,) = read(line.encode())
    text = "  One \n\n\n\ncaf\u00e9  "
    assert found == Found(Article("7", "T", text, published="2026-11-24"), "r.jsonl, line 1", record=True)
    assert isinstance(found, Found)
    assert found.article.text == text


def test_a_record_without_an_id_has_that_of_its_content_and_its_language() -> None:
    text = "According to the report Kuwait stays where it is."
    (found,) = read(json.dumps({"title": "T", "text": text}).encode())
    assert found == Found(Article(content_id("T", text), "T", text, language="en"), "r.jsonl, line 1", record=True)


def test_a_bad_line_is_refused_and_the_others_are_read() -> None:
    data = b'\xef\xbb\xbf{"title": "A", "text": "One."}\n\n  \nnot json\n{"title": "B", "text": "Two."}'
    first, refused, second = read(data)
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert refused == Refused("r.jsonl, line 4", "it is not JSON: Expecting value at column 1")
    assert (first.article.title, second.source) == ("A", "r.jsonl, line 5")


def test_the_second_record_with_an_id_is_refused() -> None:
    data = b'{"id": "x", "title": "A", "text": "One."}\n{"id": "x", "title": "B", "text": "Two."}'
    assert read(data)[1] == Refused("r.jsonl, line 2", "its id 'x' was already used in line 1")


def test_an_empty_file_is_refused() -> None:
    assert read(b"") == [Refused("r.jsonl", "it is empty")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "it is not an object with a title and a text"),
        ("null", "it is not an object with a title and a text"),
        ('{"title": "T"}', "it has no text"),
        ('{"text": "x"}', "it has no title"),
        ('{"title": "", "text": "x"}', "it has no title"),
        ('{"title": "T", "text": "  "}', "its text is not usable text"),
        ('{"title": ["T"], "text": "x"}', "its title is not usable text"),
        ('{"title": "T", "text": "x", "author": ["Ann"]}', 'its author is ["Ann"], not text'),
        ('{"title": "T", "text": "x", "url": true}', "its url is true, not text"),
        ('{"title": "T", "text": "x", "published": "soon"}', "published is 'soon', not a date such as 2026-11-24"),
        ('{"title": "T", "text": "x\\u0000"}', "the text holds a NUL or a lone surrogate"),
        ('{"title": "T", "text": "x\\ud800"}', "it holds a lone surrogate"),
        ('{"title": "T", "text": "x\\ud800", "id": "a"}', "the text holds a NUL or a lone surrogate"),
        ('{"title": "T", "text": "x"', "it is not JSON: Expecting ',' delimiter at column 27"),
        ("[" * 100_000, "it is not JSON that can be read: nested too deep, or a number too long"),
        ("1" * 5000, "it is not JSON that can be read: nested too deep, or a number too long"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_with_the_reason(line: str, reason: str) -> None:
    assert read(line.encode()) == [Refused("r.jsonl, line 1", reason)]


def test_a_record_that_is_not_utf8_is_refused() -> None:
    assert read(b'{"title": "caf\xe9", "text": "x"}') == [Refused("r.jsonl, line 1", "it is not UTF-8 (byte 14)")]


def test_a_line_without_end_is_refused_and_the_next_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_LINE_LIMIT", 1 << 20)
    refused, found = read(b'{"title": "' + b"x" * (3 << 20) + b'"}\n{"title": "T", "text": "x"}\n')
    assert refused == Refused("r.jsonl, line 1", "the line is longer than 1 MiB")
    assert isinstance(found, Found)
    assert found.source == "r.jsonl, line 2"


@given(articles())
def test_save_then_load_is_the_same_article(article: Article) -> None:
    record, _ = parse_record(format_record(article).encode())
    if record.id == article.id and record.title == article.title and record.text == article.text:
        assert parse_record(format_record(record).encode())[0] == record


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(str.strip))
def test_the_text_of_a_record_changes_in_composition_and_line_ends_alone(text: str) -> None:
    record, _ = parse_record(json.dumps({"title": "T", "text": text}).encode())
    assert record.text == unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


@given(st.binary())
def test_any_bytes_give_items_and_no_error(data: bytes) -> None:
    assert all(isinstance(item, Found | Refused) for item in read(data))
