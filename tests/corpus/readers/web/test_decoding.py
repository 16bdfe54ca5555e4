"""A page is decoded in its encoding."""

from __future__ import annotations

import pytest

from corpus.readers.web.decoding import decode_page


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("<p>é</p>".encode(), None, "<p>é</p>"),
        ("<p>é</p>".encode("utf-8-sig"), "latin-1", "<p>é</p>"),
        ("<meta charset=iso-8859-1><p>“é”</p>".encode("cp1252"), None, "<meta charset=iso-8859-1><p>“é”</p>"),
        ("<p>ق</p>".encode("cp1256"), "windows-1256", "<p>ق</p>"),
        ("<meta charset='euc-kr'>한국어".encode("euc-kr"), None, "<meta charset='euc-kr'>한국어"),
        ("<meta charset='euc-kr'>한국어".encode("euc-kr"), "no-such-charset", "<meta charset='euc-kr'>한국어"),
        ("<meta charset=utf-8>é".encode() + b"\xc3", None, "<meta charset=utf-8>é\ufffd"),
        ("Le café où l'été a été très agréable, déjà vu à Genève. ".encode("cp1252") * 5, None, "Le café où"),
    ],
)
def test_a_page_is_decoded_in_its_encoding(data: bytes, charset: str | None, text: str) -> None:
    assert decode_page(data, charset).startswith(text)
