"""Any source to the items in it: what it is decides who reads it, by content first and by suffix second."""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from corpus.errors import SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.readers.markdown import parse_markdown
from corpus.readers.records import article_from_record, read_records
from corpus.readers.text import article_from_text, decode

# More than any article has; a file of records is read line by line and has no limit.
SIZE_LIMIT = 64 << 20
_HEAD = 4096
_MARKDOWN = (".md", ".markdown", ".mdown")
_RECORDS = (".jsonl", ".ndjson")


def read(source: Path | str | bytes | BinaryIO, *, name: str | None = None) -> Iterator[Item]:
    """What the source holds, in order: a `Found` for each article and a `Refused`, with its reason, for what gave none.

    A path may be a file or a folder; a folder is read with all below it, sorted, hidden files left out. Bytes or an
    open stream are read as one file; `name` stands for them in messages ("standard input" unless given).

    Nothing a source holds raises: that one cannot be read is an item too.
    """
    if isinstance(source, bytes):
        yield from _read_stream(io.BytesIO(source), name or "standard input")
    elif isinstance(source, str | Path):
        yield from _read_path(Path(source), name)
    else:
        yield from _read_stream(source, name or "standard input")


def _read_path(path: Path, name: str | None) -> Iterator[Item]:
    # A name in no encoding could not even be printed.
    name = name or os.fsencode(path).decode("utf-8", "replace")
    try:
        if path.is_dir():
            yield from _read_folder(path)
        elif path.exists() and not path.is_file():
            yield Refused(name, "it is neither a file nor a folder")
        else:
            with path.open("rb") as stream:
                yield from _read_stream(stream, name)
    except (OSError, ValueError) as exc:
        yield Refused(name, reason_of(exc))


def _read_folder(folder: Path) -> Iterator[Item]:
    errors: list[OSError] = []
    empty = True
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in sorted(f for f in files if not f.startswith(".")):
            empty = False
            yield from _read_path(Path(parent, file), None)
    for error in errors:
        yield Refused(str(error.filename), reason_of(error))
    if empty and not errors:
        yield Refused(str(folder), "the folder holds no files")


def reason_of(error: Exception) -> str:
    """What went wrong with a file, in words."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case PermissionError():
            return "no permission to read it"
        case OSError(strerror=str(text)):
            return f"it cannot be read: {text}"
        case _:
            return f"it cannot be read: {error}"


def _read_stream(stream: BinaryIO, name: str) -> Iterator[Item]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(_raw(stream))
    try:
        if buffered.peek(2)[:2] == b"\x1f\x8b":
            with gzip.open(buffered) as unpacked:
                yield from _read_plain(io.BufferedReader(_raw(unpacked)), name, PurePath(name.removesuffix(".gz")))
        else:
            yield from _read_plain(buffered, name, PurePath(name))
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        yield Refused(name, f"it is a damaged gzip file: {exc}")
    except OSError as exc:
        yield Refused(name, reason_of(exc))
    except SourceError as exc:
        yield Refused(name, str(exc))


def _raw(stream: BinaryIO | gzip.GzipFile) -> io.RawIOBase:
    """The stream as what BufferedReader wants; it asks for readinto and for nothing more."""
    return stream  # type: ignore[return-value]


def _read_plain(stream: io.BufferedReader, name: str, path: PurePath) -> Iterator[Item]:
    suffix = path.suffix.lower()
    head = stream.peek(_HEAD)[:_HEAD]
    if suffix in _RECORDS or (suffix not in _MARKDOWN and _is_record(head)):
        yield from read_records(stream, name)
        return
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise SourceError(f"it is larger than {SIZE_LIMIT >> 20} MiB")
    if suffix == ".json":
        yield from _read_json(data, name)
        return
    # What a library wrote is taken to the character, whatever control characters it holds.
    text = decode(data, binary=data.startswith(b"---\nid: "))
    if suffix in _MARKDOWN or head.startswith((b"---\n", b"---\r\n")):
        yield Found(parse_markdown(text, name=path.stem), name)
    else:
        yield Found(article_from_text(text, name=path.stem), name)


def _is_record(head: bytes) -> bool:
    """Whether the first line is a record, or the beginning of one."""
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return line.startswith(b"{") and b'"title"' in line and (b'"text"' in line or b"\n" not in line)


def _read_json(data: bytes, name: str) -> Iterator[Item]:
    """A .json file: one record, or a list of them."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise SourceError(f"it is not JSON: {exc}") from exc
    for number, record in enumerate(loaded if isinstance(loaded, list) else [loaded], start=1):
        source = f"{name}, record {number}"
        try:
            yield Found(article_from_record(record)[0], source, record=True)
        except SourceError as exc:
            yield Refused(source, str(exc))
