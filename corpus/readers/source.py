"""Reads any source: detects its format, by content first and by suffix second, and passes it to that reader."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO

from corpus.errors import SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.readers.markdown import parse_markdown
from corpus.readers.records import article_from_record, read_records
from corpus.readers.text import article_from_text, decode

if TYPE_CHECKING:
    from corpus.fetching.fetcher import Fetcher, Page
    from corpus.readers.feed import FeedEntry

# More than any article has. Record files are read line by line and have no limit.
SIZE_LIMIT = 64 << 20
# So that nobody adds a whole site by accident: sitemaps list sitemaps.
_LISTED_PAGE_LIMIT = 1000
_HEAD_SIZE = 4096
_MARKDOWN_SUFFIXES = (".md", ".markdown", ".mdown")
RECORD_SUFFIXES = (".jsonl", ".ndjson")
_PAGE_SUFFIXES = (".html", ".htm", ".xhtml")
_MAIL_SUFFIXES = (".eml", ".mht", ".mhtml")
WEB_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PAGE_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*|<\?xml[^>]*\?>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
# Browsers write the address of a page they save into it.
_SAVED_FROM = re.compile(rb"<!-- saved from url=\(\d+\)(\S+) -->")


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known about a file besides its content: the address it came from, and the character set sent with it.

    `fetcher` fetches what it links to. `depth` counts the archives and listings it is inside. `wanted` tells which
    entries of a feed or sitemap to read.
    """

    fetcher: Fetcher | None = None
    url: str | None = None
    charset: str | None = None
    depth: int = 0
    wanted: Callable[[FeedEntry], bool] | None = None


def read(
    source: Path | str | bytes | BinaryIO, *, name: str | None = None, fetcher: Fetcher | None = None
) -> Iterator[Item]:
    """Yields a `Found` for each article in the source, in order, and a `Refused` for each part that gave none.

    A path may be a file or a folder; a folder is read recursively, sorted, without hidden files. A web address may be a
    page, a document, a feed or a sitemap. Bytes or an open stream are read as one file, which messages call `name`
    ("standard input" by default). `fetcher` fetches addresses and what feeds list. Without one an address gets a
    fetcher of its own, and a feed in a file gives only the articles it contains in full.

    No source raises an error: one that cannot be read is a `Refused`.
    """
    if isinstance(source, str) and not source.strip():
        yield Refused(name or "a source", "its name is empty")
    elif isinstance(source, str) and WEB_ADDRESS.match(source):
        yield from _read_address(source, name or source, fetcher)
    elif isinstance(source, bytes):
        yield from _read_stream(io.BytesIO(source), name or "standard input", _Context(fetcher))
    elif isinstance(source, str | Path):
        yield from _read_path(Path(source), name, _Context(fetcher))
    else:
        yield from _read_stream(source, name or "standard input", _Context(fetcher))


def _read_address(address: str, name: str, fetcher: Fetcher | None) -> Iterator[Item]:
    if fetcher is None:
        from corpus.fetching.fetcher import Fetcher

        with Fetcher() as own:
            yield from _read_address(address, name, own)
        return
    try:
        page = fetcher.get(address)
    except SourceError as exc:
        yield Refused(name, str(exc))
    else:
        yield from read_response(page, name=name, fetcher=fetcher)


def read_response(
    page: Page, *, name: str, fetcher: Fetcher | None = None, wanted: Callable[[FeedEntry], bool] | None = None
) -> Iterator[Item]:
    """Yields the items in a fetched page, as `read` does; of a feed or sitemap, only the entries that are `wanted`.

    The source of an item from a feed or sitemap is its `entry_source`.
    """
    yield from _read_stream(io.BytesIO(page.data), name, _Context(fetcher, page.url, page.charset, wanted=wanted))


def entry_source(listing: str, entry: FeedEntry) -> str:
    """The `source` of the item that an entry of a feed or sitemap gives."""
    return f"{listing}: {entry.url or entry.title}"


def _read_path(path: Path, name: str | None, context: _Context) -> Iterator[Item]:
    # A name that is not valid in any encoding could not even be printed.
    name = name or os.fsencode(path).decode("utf-8", "replace")
    try:
        if path.is_dir():
            yield from _read_folder(path, context)
        elif path.exists() and not path.is_file():
            yield Refused(name, "it is neither a file nor a folder")
        else:
            with path.open("rb") as stream:
                yield from _read_stream(stream, name, context)
    except (OSError, ValueError) as exc:
        yield Refused(name, describe_error(exc))


def _read_folder(folder: Path, context: _Context) -> Iterator[Item]:
    errors: list[OSError] = []
    empty = True
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in sorted(f for f in files if not f.startswith(".")):
            empty = False
            yield from _read_path(Path(parent, file), None, context)
    for error in errors:
        yield Refused(str(error.filename), describe_error(error))
    if empty and not errors:
        yield Refused(str(folder), "the folder holds no files")


def describe_error(error: Exception) -> str:
    """What went wrong with a file, for the user."""
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case PermissionError():
            return "no permission to read it"
        case OSError(strerror=str(text)):
            return f"it cannot be read: {text}"
        case _:
            return f"it cannot be read: {error}"


def _read_stream(stream: BinaryIO, name: str, context: _Context) -> Iterator[Item]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(_as_raw(stream))
    try:
        if buffered.peek(2)[:2] == b"\x1f\x8b":
            with gzip.open(buffered) as unpacked:
                yield from _read_unpacked(io.BufferedReader(_as_raw(unpacked)), name, name.removesuffix(".gz"), context)
        else:
            yield from _read_unpacked(buffered, name, name, context)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        yield Refused(name, f"it is a damaged gzip file: {exc}")
    except zipfile.BadZipFile as exc:
        yield Refused(name, f"it is damaged in its archive: {exc}")
    except OSError as exc:
        yield Refused(name, describe_error(exc))
    except SourceError as exc:
        yield Refused(name, str(exc))


def _as_raw(stream: BinaryIO | gzip.GzipFile) -> io.RawIOBase:
    """The stream with the type that BufferedReader asks for; all it uses is readinto."""
    return stream  # type: ignore[return-value]


def _read_unpacked(stream: io.BufferedReader, name: str, unpacked_name: str, context: _Context) -> Iterator[Item]:
    """Yields the items in a file that is not compressed; `unpacked_name` is the name without .gz."""
    path = PurePath(unpacked_name)
    suffix = path.suffix.lower()
    head = stream.peek(_HEAD_SIZE)[:_HEAD_SIZE]
    if suffix in RECORD_SUFFIXES or (suffix not in (*_MARKDOWN_SUFFIXES, ".json") and _is_record(head)):
        yield from read_records(stream, name)
        return
    if head.startswith(b"\x1f\x8b"):
        raise SourceError("it is packed more than once")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        # A zip archive is read from its end.
        whole = stream if stream.seekable() else io.BytesIO(_read_whole(stream))
        yield from _read_zip(whole, name, path.stem, context)
        return
    data = _read_whole(stream)
    # Each format's library is imported when the first file of that format is read.
    if b"%PDF-" in head[:1024]:
        from corpus.readers.pdf import read_pdf

        yield Found(read_pdf(data, name=path.stem), name)
    elif data.startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceError("it is a file of an old Office; save it as .docx")
    elif data.startswith(b"{\\rtf"):
        raise SourceError("it is rich text; save it as .docx or plain text")
    elif suffix == ".json":
        yield from _read_json(data, name)
    elif suffix in _MARKDOWN_SUFFIXES:
        yield from _read_markup(data, name, path.stem)
    else:
        yield from _read_text(data, name, path, context)


def _read_whole(stream: BinaryIO) -> bytes:
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise SourceError(f"it is larger than {SIZE_LIMIT >> 20} MiB")
    return data


def _read_markup(data: bytes, name: str, stem: str) -> Iterator[Item]:
    # A file that the library wrote is taken exactly, control characters included.
    yield Found(parse_markdown(decode(data, binary=data.startswith(b"---\nid: ")), name=stem), name)


def _read_text(data: bytes, name: str, path: PurePath, context: _Context) -> Iterator[Item]:
    """Yields the items in a text file: a feed, page, Markdown file, message or plain text."""
    from corpus.readers.feed import detect_listing

    suffix = path.suffix.lower()
    head = data[:_HEAD_SIZE].removeprefix(b"\xef\xbb\xbf")
    kind = detect_listing(head)
    if kind is not None:
        yield from _read_listing(data, name, kind, context)
    elif _PAGE_START.match(head) or (suffix in _PAGE_SUFFIXES and b"<" in head):
        from corpus.readers.web.page import read_page

        saved = _SAVED_FROM.search(head)
        url = context.url or (saved[1].decode("utf-8", "replace") if saved else None)
        yield Found(read_page(data, url=url, charset=context.charset), name)
    elif head.startswith((b"<?xml", b"<svg")):
        raise SourceError("it is XML that is no feed, sitemap or page")
    elif head.startswith((b"---\n", b"---\r\n")):
        yield from _read_markup(data, name, path.stem)
    else:
        from corpus.readers.mail import is_mail, read_mail

        if suffix in _MAIL_SUFFIXES or is_mail(head):
            yield Found(read_mail(data, name=path.stem), name)
        else:
            article = article_from_text(decode(data), name=path.stem)
            yield Found(article if context.url is None else replace(article, url=context.url), name)


def _read_zip(stream: BinaryIO, name: str, stem: str, context: _Context) -> Iterator[Item]:
    from corpus.readers.archive import is_word_document, open_files

    if is_word_document(stream):
        from corpus.readers.docx import read_docx

        yield Found(read_docx(_read_whole(stream), name=stem), name)
        return
    if context.depth:
        raise SourceError("it is an archive inside an archive")
    empty = True
    for entry in open_files(stream, name):
        empty = False
        if isinstance(entry, Refused):
            yield entry
        else:
            source, unpacked = entry
            with unpacked:
                yield from _read_stream(unpacked, source, replace(context, depth=1))
    if empty:
        raise SourceError("the archive holds no files")


def _read_listing(data: bytes, name: str, kind: str, context: _Context) -> Iterator[Item]:
    """Yields the articles that a feed or a sitemap lists."""
    from corpus.readers.feed import FeedEntry, read_feed, read_sitemap

    if context.url and context.fetcher and not context.fetcher.allowed_by_robots(context.url):
        raise SourceError("the host's robots.txt does not allow it")
    if kind == "sitemap":
        pages, maps = read_sitemap(data, url=context.url)
        for address in maps:
            listed_in = FeedEntry(address, address, None)
            yield from _read_linked(listed_in, entry_source(name, listed_in), context)
        listed = [FeedEntry(address, address, None) for address in pages]
    else:
        listed = read_feed(data, url=context.url)
    if context.wanted is not None:
        listed = [entry for entry in listed if context.wanted(entry)]
    for number, entry in enumerate(listed):
        source = entry_source(name, entry)
        if entry.article is not None:
            yield Found(entry.article, source)
        elif number >= _LISTED_PAGE_LIMIT:
            yield Refused(source, f"only the first {_LISTED_PAGE_LIMIT} of its pages are fetched")
            return
        else:
            yield from _read_linked(entry, source, context)


def _read_linked(entry: FeedEntry, source: str, context: _Context) -> Iterator[Item]:
    """Yields the items on the page that an entry links to."""
    if entry.url is None or context.fetcher is None:
        yield Refused(source, "it holds no more than a teaser, and its page was not fetched")
        return
    if context.depth > 1:
        raise SourceError("it is a listing inside a listing of listings")
    try:
        page = context.fetcher.get(entry.url, robots=True)
    except SourceError as exc:
        yield Refused(source, str(exc))
        return
    with suppress(OSError):
        inner = _Context(context.fetcher, page.url, page.charset, context.depth + 1, context.wanted)
        yield from _read_stream(io.BytesIO(page.data), source, inner)


def _is_record(head: bytes) -> bool:
    """Whether the first line that is not blank is a record, or the start of one."""
    line, end, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    return line.startswith(b"{") and b'"title"' in line and (b'"text"' in line or not end)


def _read_json(data: bytes, name: str) -> Iterator[Item]:
    """Yields the items in a .json file: one record, a list of them, or one per line."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError) as exc:
        if _is_record(data[:_HEAD_SIZE]):
            yield from read_records(io.BytesIO(data), name)
            return
        raise SourceError(f"it is not JSON: {exc}") from exc
    for number, record in enumerate(loaded if isinstance(loaded, list) else [loaded], start=1):
        source = f"{name}, record {number}"
        try:
            yield Found(article_from_record(record)[0], source, record=True)
        except SourceError as exc:
            yield Refused(source, str(exc))
