"""A table of malformed inputs: each is refused in one clear line, and the good files next to it are added."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from corpus import Library, OutcomeKind, read
from tests.corpus.readers.documents import BODY, SENTENCES, docx, page, pdf, rss, sitemap, zipped

EMPTY, BINARY, NO_TEXT = "it is empty", "it is binary, not text", "it holds no text"
NO_ARTICLE = "no article was found on the page"
NOT_JSON, GZIP, ZIP = "it is not JSON: ", "it is a damaged gzip file: ", "the archive is damaged: "
DOCUMENT, PDF, TEASER = "the document is damaged: ", "the PDF is damaged: ", "it holds no more than a teaser"
RECORD = b'{"title": "T", "text": "x"}'


def record(**fields: object) -> bytes:
    return json.dumps({"title": "T", "text": "x", **fields}).encode()


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return out.getvalue()


def flipped(data: bytes, text: bytes) -> bytes:
    """The bytes with one bit of the text in them turned."""
    place = data.index(text)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


CASES: dict[str, tuple[str, bytes, str]] = {
    "empty text": ("a.txt", b"", EMPTY),
    "white space": ("a.txt", b" \n\t\r\n", EMPTY),
    "furniture alone": ("a.txt", b"Share this\n\nExit mobile version", NO_TEXT),
    "invisible characters alone": ("a.txt", "\u200b\ufeff\u2060".encode(), NO_TEXT),
    "byte order mark alone": ("a.txt", codecs.BOM_UTF8, NO_TEXT),
    "NUL in text": ("a.txt", b"abc\0def", BINARY),
    "control characters": ("a.txt", bytes(range(1, 9)) * 20, BINARY),
    "UTF-16 without its mark, cut short": ("a.txt", "A title\n\nText".encode("utf-16-le")[1:], BINARY),
    "UTF-16 cut short": ("a.txt", "Title".encode("utf-16") + b"x", "it starts as utf-16 but is not: "),
    "UTF-8 mark on something else": ("a.txt", codecs.BOM_UTF8 + b"\xff\xfe\xfd", "it starts as utf-8 but is not: "),
    "PNG": ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", BINARY),
    "JPEG called text": ("a.txt", b"\xff\xd8\xff\xe0\0\x10JFIF\0", BINARY),
    "GIF": ("a.gif", b"GIF89a\x01\0\x01\0\x80\0\0", BINARY),
    "MP3": ("a.mp3", b"ID3\x04\0\0\0\0\0\0", BINARY),
    "program": ("a.bin", b"\x7fELF\x02\x01\x01\0\0\0\0\0", BINARY),
    "SQLite": ("a.db", b"SQLite format 3\0\x10\0", BINARY),
    "tar": ("a.tar", tar(), BINARY),
    "packed tar": ("a.tar.gz", gzip.compress(tar()), BINARY),
    "rar": ("a.rar", b"Rar!\x1a\x07\x01\0\x33\x92", BINARY),
    "7z": ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", BINARY),
    "old Word": ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a file of an old Office; save it as .docx"),
    "rich text": ("a.rtf", b"{\\rtf1\\ansi Hello}", "it is rich text; save it as .docx or plain text"),
    "spreadsheet": ("a.xlsx", zipped({"xl/workbook.xml": b"<x/>"}), "it is a spreadsheet, which is not read; "),
    "presentation": (
        "a.pptx",
        zipped({"ppt/presentation.xml": b"<x/>"}),
        "it is a presentation, which is not read; ",
    ),
    "OpenDocument": ("a.odt", zipped({"content.xml": b"<x/>"}), "it is an OpenDocument file, which is not read; "),
    "drawing": (
        "a.svg",
        b'<?xml version="1.0"?><svg>A</svg>',
        "it is XML that is no feed, sitemap or page",
    ),
    "Markdown with broken YAML": ("a.md", b"---\ntitle: [x\n---\nText", "its front matter is not YAML in line 3: "),
    "Markdown with a list": ("a.md", b"---\n- a\n---\nText", "its front matter is not a list of fields"),
    "Markdown without text": ("a.md", b"---\ntitle: T\n---\n\n", NO_TEXT),
    "Markdown with a bad date": (
        "a.md",
        b"---\ntitle: T\ndate: soon\n---\nText",
        "published is 'soon', not a date",
    ),
    "Markdown of the library with NUL": ("a.md", b"---\nid: a\ntitle: T\n---\n\nx\0\n", "the text holds a NUL"),
    "YAML bomb": (
        "a.md",
        b"---\na: &a [x,x]\nb: &b [*a,*a]\ntitle: *b\n---\n",
        NO_TEXT,
    ),
    "empty records": ("a.jsonl", b"", EMPTY),
    "record that is no JSON": ("a.jsonl", b"not json\n", NOT_JSON),
    "record cut short": ("a.jsonl", RECORD[:-3], NOT_JSON),
    "record that is a list": ("a.jsonl", b"[1]", "it is not an object with a title and a text"),
    "record that is a number": ("a.jsonl", b"5", "it is not an object with a title and a text"),
    "record without title": ("a.jsonl", b'{"text": "x"}', "it has no title"),
    "record without text": ("a.jsonl", b'{"title": "x"}', "it has no text"),
    "record with a blank text": ("a.jsonl", record(text=" "), "its text is not usable text"),
    "record with a number as text": ("a.jsonl", record(text=5), "its text is not usable text"),
    "record with a list of authors": ("a.jsonl", record(author=["A"]), 'its author is ["A"], not text'),
    "record with an impossible date": ("a.jsonl", record(published="soon"), "published is 'soon', not a date"),
    "record with NUL": ("a.jsonl", record(text="x\0"), "the text holds a NUL or a lone surrogate"),
    "record with half a character": ("a.jsonl", b'{"title": "T", "text": "\\ud800"}', "it holds a lone surrogate"),
    "record not in UTF-8": ("a.jsonl", b'{"title": "T", "text": "\xe9"}', "it is not UTF-8 (byte 24)"),
    "record nested too deep": ("a.jsonl", b"[" * 100_000, "it is not JSON that can be read: nested too deep"),
    "record with an endless number": ("a.jsonl", b"1" * 5000, "it is not JSON that can be read: nested too deep"),
    "JSON that is none": ("a.json", b"{", NOT_JSON),
    "JSON of other things": ("a.json", b'{"data": []}', "it has no title"),
    "JSON nested too deep": ("a.json", b"[" * 100_000, NOT_JSON),
    "gzip cut short": ("a.txt.gz", gzip.compress(BODY.encode())[:-12], GZIP),
    "gzip of rubbish": ("a.gz", b"\x1f\x8b\x08\0rubbish that cannot be unpacked", GZIP),
    "gzip with a flipped byte": ("a.gz", gzip.compress(BODY.encode())[:-8] + b"\0" * 8, GZIP),
    "gzip of nothing": ("a.gz", gzip.compress(b""), EMPTY),
    "gzip of gzip": ("a.gz.gz", gzip.compress(gzip.compress(BODY.encode())), "it is packed more than once"),
    "gzip bomb": ("a.txt.gz", gzip.compress(b"a" * (65 << 20)), "it is larger than 64 MiB"),
    "zip cut short": ("a.zip", zipped({"a.txt": b"x" * 99})[:-30], ZIP),
    "zip of rubbish": ("a.zip", b"PK\x03\x04rubbish", ZIP),
    "zip of nothing": ("a.zip", zipped({}), "the archive holds no files"),
    "zip in a zip": (
        "a.zip",
        zipped({"b.zip": zipped({"c.txt": b"x"})}),
        "it is an archive inside an archive",
    ),
    "zip bomb": ("a.zip", zipped({"a.txt": b"\0" * (8 << 20)}), "it unpacks to 10"),
    "zip that leads out": ("a.zip", zipped({"../a.txt": b"x"}), "its name leads out of the archive"),
    "zip with a flipped byte": (
        "a.zip",
        flipped(zipped({"a.txt": BODY.encode()}, level=zipfile.ZIP_STORED), b"Cabinet"),
        "it is damaged in its archive: Bad CRC-32",
    ),
    "zip with a file of no name": (
        "a.zip",
        zipped({"a.txt": b"x"}).replace(b"\x05\0\0\0a.txt", b"\0\0\0\0a.txt"),
        ZIP,
    ),
    "zip with an empty file": ("a.zip", zipped({"a.txt": b""}), EMPTY),
    "Word of rubbish": ("a.docx", zipped({"word/document.xml": b"<w"}), DOCUMENT),
    "Word without text": ("a.docx", docx(""), NO_TEXT),
    "Word called text": ("a.txt", docx(), NO_TEXT),
    "PDF of rubbish": ("a.pdf", b"%PDF-1.4\nrubbish", PDF),
    "PDF cut short": ("a.pdf", pdf("Text")[:150], PDF),
    "PDF of scans": ("a.pdf", pdf("", ""), "the PDF holds no text; if its pages are scans"),
    "PDF bomb": ("a.pdf", pdf(drawn=" " * (100 << 20)), "the PDF is damaged: Limit reached while decompressing"),
    "PDF with a password": ("a.pdf", pdf("Text", encrypt=True), "the PDF is locked with a password"),
    "PDF of ten thousand pages": ("a.pdf", pdf(*[""] * 1001), "the PDF has 1001 pages; at most 1000 are read"),
    "page without anything": ("a.html", b"<html></html>", NO_ARTICLE),
    "page of menus": ("a.html", page(body=""), NO_ARTICLE),
    "page that needs a script": (
        "a.html",
        page(body="<p>Please enable JavaScript.</p>"),
        "the page shows no article but a check",
    ),
    "page behind a wall": (
        "a.html",
        page(body=f"<p>{SENTENCES[0]}</p><p>Subscribe to continue reading.</p>"),
        "the page shows its article to subscribers only",
    ),
    "page cut in its head": ("a.html", b"<!DOCTYPE html><html><head><title>Ti", NO_ARTICLE),
    "page nested too deep": ("a.html", b"<html><body>" + b"<div>" * 20_000, NO_ARTICLE),
    "page of nine megabytes": ("a.html", page() + b" " * (9 << 20), "the page is larger than 8 MiB"),
    "page of tables": ("a.html", b"<html>" + b"<table><tr><td>a</td></tr></table>" * 2000, NO_ARTICLE),
    "mail without text": ("a.eml", b"From: a@x.kw\nSubject: x\n\n", NO_TEXT),
    "mail with a broken part": (
        "a.eml",
        b"From: a\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n",
        NO_TEXT,
    ),
    "mail in an unknown encoding": (
        "a.eml",
        b"From: a\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=nonsense\n\nHello\n",
        "the message is damaged: ",
    ),
    "feed that is empty": ("a.xml", rss(), "the feed lists no articles"),
    "feed of rubbish": ("a.xml", b"<?xml version='1.0'?><rss><channel><it", "the feed cannot be read: "),
    "feed in a broken encoding": ("a.xml", b"<rss>\xff\xfe<channel>" + b"\xcb" * 9, "the feed "),
    "feed of teasers": ("a.xml", rss("<title>T</title><description>Short…</description>"), TEASER),
    "entity bomb": (
        "a.xml",
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>',
        "it declares XML entities, which are not read",
    ),
    "entity that reads files": (
        "a.xml",
        b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>',
        "it declares XML entities, which are not read",
    ),
    "sitemap that is empty": ("a.xml", sitemap(), "the sitemap lists no pages"),
    "sitemap of rubbish": ("a.xml", b"<urlset><url>", "the sitemap is not XML: "),
    "sitemap without a way out": ("a.xml", sitemap("https://x.kw/a"), TEASER),
}


@pytest.mark.parametrize(("name", "data", "reason"), CASES.values(), ids=CASES.keys())
def test_a_malformed_input_is_refused_in_one_line_and_others_are_added(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_bytes(data)
    (folder / "0 good.txt").write_text("A first title\n\nA good text.")
    (folder / "z good.txt").write_text("A last title\n\nAnother good text.")
    library = Library(tmp_path / "library")
    first, refused, last = library.add(read(folder))
    assert (first.kind, last.kind) == (OutcomeKind.ADDED, OutcomeKind.ADDED)
    assert sorted(article.title for article in library.articles()) == ["A first title", "A last title"]
    assert refused.kind is OutcomeKind.REFUSED
    assert refused.source.startswith(os.fspath(folder / name))
    assert refused.reason is not None
    assert refused.reason.startswith(reason)
    assert "\n" not in refused.reason
    assert len(refused.reason) < 250


def test_the_table_has_all_promised_malformed_inputs() -> None:
    assert len(CASES) >= 60
