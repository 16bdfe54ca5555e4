"""An archive is read file by file; dangerous files are refused and the others read."""

from __future__ import annotations

import io
import re
from typing import BinaryIO

import pytest

from corpus import Refused, SourceError
from corpus.readers import archive
from corpus.readers.archive import is_word_document, open_files
from tests.corpus.readers.documents import docx, zipped


def listed(data: bytes) -> list[tuple[str, bytes] | Refused]:
    found = open_files(io.BytesIO(data), "a.zip")
    return [entry if isinstance(entry, Refused) else (entry[0], entry[1].read()) for entry in found]


def test_files_come_sorted_without_folders_and_hidden_ones() -> None:
    data = zipped({"b.txt": b"b", "a/": b"", "a/c.txt": b"c", ".git/x": b"", "__MACOSX/._b": b"", "a/.x": b""})
    assert listed(data) == [("a.zip: a/c.txt", b"c"), ("a.zip: b.txt", b"b")]


@pytest.mark.parametrize("name", ["../x.txt", "/etc/x.txt", "a/../../x.txt"])
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    assert (
        listed(zipped({name: b"x", "ok.txt": b"y"}))[:2].count(
            Refused(f"a.zip: {name}", "its name leads out of the archive")
        )
        == 1
    )


def test_only_the_decompression_bomb_is_refused() -> None:
    data = zipped({"bomb.txt": b"\0" * (8 << 20), "ok.txt": b"y"})
    refused, *others = listed(data)
    assert isinstance(refused, Refused)
    assert re.fullmatch(r"it unpacks to 10\d\d times its size", refused.reason)
    assert others == [("a.zip: ok.txt", b"y")]


def test_only_the_encrypted_file_is_refused() -> None:
    data = bytearray(zipped({"a.txt": b"x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert listed(bytes(data)) == [Refused("a.zip: a.txt", "it is locked with a password")]


def test_too_many_files_or_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({"a.txt": b"x", "b.txt": b"x" * 100})
    monkeypatch.setattr(archive, "ENTRY_LIMIT", 1)
    with pytest.raises(SourceError, match="the archive holds 2 files; at most 1 are read"):
        listed(data)
    monkeypatch.undo()
    monkeypatch.setattr(archive, "UNPACKED_LIMIT", 50)
    with pytest.raises(SourceError, match="the archive unpacks to more than 0 GiB"):
        listed(data)


@pytest.mark.parametrize("data", [b"PK\x03\x04rubbish", zipped({"a.txt": b"x" * 99})[:-30]])
def test_a_damaged_archive_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match="the archive is damaged"):
        listed(data)
    with pytest.raises(SourceError, match="the archive is damaged"):
        is_word_document(io.BytesIO(data))


def test_a_word_document_is_recognised_and_the_stream_is_rewound() -> None:
    for data, document in ((docx("x"), True), (zipped({"a.txt": b"x"}), False)):
        stream: BinaryIO = io.BytesIO(data)
        assert is_word_document(stream) is document
        assert stream.tell() == 0
