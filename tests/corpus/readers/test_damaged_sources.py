"""Reading damaged bytes in any format gives items and raises nothing."""

from __future__ import annotations

import gzip
import io
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Found, Refused, read
from tests.corpus.readers.documents import BODY, columns, docx, page, pdf, rss, sitemap, zipped

LINKED = '<script type="application/ld+json">{"headline": "x", "datePublished": "2026-11-24", "author": ["A"]}</script>'
MAIL = b"""From: a
Subject: b
Date: Tue, 24 Nov 2026 10:00:00 +0300
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

SGVsbG8gdGhlcmU=
--b
Content-Type: text/html

<p>Hello</p>
--b--
"""
SOUND = {
    "a.html": page(head=LINKED),
    "a.pdf": pdf("Title\n" + BODY, BODY),
    "b.pdf": columns("\n".join(["left"] * 9), "\n".join(["right"] * 9), by_turns=True),
    "a.docx": docx("Title", BODY, table=True),
    "a.zip": zipped({"a.txt": b"Title\n\nText", "b.html": page(), "c.jsonl": b'{"title": "T", "text": "x"}'}),
    "a.xml": rss(f"<title>T</title><link>/x</link><description><![CDATA[{BODY * 2}]]></description>"),
    "s.xml": sitemap("/a"),
    "a.eml": MAIL,
    "a.md": b"---\ntitle: T\ndate: 2026-11-24\nauthor: [a, b]\n---\n# X\n\nBody *x* [a](b).\n",
    "a.jsonl": b'{"title": "T", "text": "x", "id": "a"}\n' * 3,
    "a.json": b'[{"title": "T", "text": "x"}]',
    "a.txt": BODY.encode(),
    "a.gz": gzip.compress(BODY.encode()),
}
PIECES = st.sampled_from([b"", b"\0", b"<", b'"', b"&", b"\xff\xfe", b"{", b"[", b"\n\n", b"<p>", b"9" * 20, b"<!--"])
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES | st.binary(max_size=4)), max_size=6)


@pytest.mark.parametrize(("name", "sound"), SOUND.items(), ids=SOUND.keys())
@settings(max_examples=25, deadline=None)
@given(DAMAGE)
def test_damaged_bytes_give_items_and_no_error(name: str, sound: bytes, damage: list[tuple[float, int, bytes]]) -> None:
    data = bytearray(sound)
    for share, cut, piece in damage:
        at = int(share * len(data))
        data[at : at + cut] = piece
    with warnings.catch_warnings():
        # What a library thinks of nonsense is no news.
        warnings.simplefilter("ignore")
        for item in read(io.BytesIO(bytes(data)), name=name):
            assert isinstance(item, Found | Refused)
            assert isinstance(item, Found) or ("\n" not in item.reason and item.reason)
