"""Reads the files in a zip archive without unpacking it to disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from corpus.errors import SourceError
from corpus.readers.item import Refused

# What zipfile raises for a damaged archive.
_DAMAGE_ERRORS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError, KeyError, NotImplementedError, OverflowError,
    ValueError,
)  # fmt: skip
_OTHER_OFFICE = {
    "xl/workbook.xml": "a spreadsheet",
    "ppt/presentation.xml": "a presentation",
    "content.xml": "an OpenDocument file",
}
ENTRY_LIMIT = 20_000
UNPACKED_LIMIT = 4 << 30
# Text compresses to a tenth; what compresses to a thousandth is a bomb. Small files may be one line many times over.
_RATIO_LIMIT, _RATIO_FROM = 200, 4 << 20


def is_word_document(stream: BinaryIO) -> bool:
    """Whether the archive is a Word document; the stream is rewound to its start.

    Raises:
        SourceError: it is damaged, or an Office document of another kind.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
    except _DAMAGE_ERRORS as exc:
        raise SourceError(f"the archive is damaged: {exc}") from exc
    finally:
        stream.seek(0)
    for other, kind in _OTHER_OFFICE.items():
        if other in names:
            raise SourceError(f"it is {kind}, which is not read; save its text as .docx or plain text")
    return "word/document.xml" in names


def open_files(stream: BinaryIO, name: str) -> Iterator[tuple[str, BinaryIO] | Refused]:
    """The name and stream of each file in the archive, sorted by name, without folders and hidden files.

    Raises:
        SourceError: the archive is damaged, or it would unpack to too much.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            listed = sorted(archive.infolist(), key=lambda entry: entry.filename)
            if len(listed) > ENTRY_LIMIT:
                raise SourceError(f"the archive holds {len(listed)} files; at most {ENTRY_LIMIT} are read")
            if sum(entry.file_size for entry in listed) > UNPACKED_LIMIT:
                raise SourceError(f"the archive unpacks to more than {UNPACKED_LIMIT >> 30} GiB")
            for entry in listed:
                path = PurePosixPath(entry.filename)
                if entry.is_dir() or any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts):
                    continue
                yield _open(archive, entry, f"{name}: {entry.filename}")
    except _DAMAGE_ERRORS as exc:
        raise SourceError(f"the archive is damaged: {exc}") from exc


def _open(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: str) -> tuple[str, BinaryIO] | Refused:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
        return Refused(source, "its name leads out of the archive")
    if entry.flag_bits & 1:
        return Refused(source, "it is locked with a password")
    if entry.file_size > _RATIO_FROM and entry.file_size > _RATIO_LIMIT * max(1, entry.compress_size):
        return Refused(source, f"it unpacks to {entry.file_size // max(1, entry.compress_size)} times its size")
    return source, archive.open(entry)  # type: ignore[return-value]
