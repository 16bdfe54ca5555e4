"""Builders of small documents in the formats that readers read."""

from __future__ import annotations

import io
import zipfile
import zlib

SENTENCES = (
    "The Cabinet approved on Monday a plan to widen the coastal road between Salmiya and Fintas, the minister said.",
    "The work begins in March and costs 42 million dinars, she told reporters after the weekly session of the Cabinet.",
    "Traffic will be led over Fahaheel Road while the bridges are built, and buses will run every five minutes there.",
    "Residents of Salwa had asked for walls against the noise, which stand before the first lane opens next winter.",
)
BODY = "\n\n".join(SENTENCES)


def page(*, head: str = "", before: str = "", after: str = "", body: str | None = None, lang: str = "en") -> bytes:
    """A page with the four sentences as its paragraphs, between menus and a footer."""
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES) if body is None else body
    return f"""<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul></nav>
<main><article>{before}{paragraphs}{after}</article></main>
<footer><p>Copyright 2026 The Daily. All rights reserved.</p></footer></body></html>""".encode()


def pdf(*pages: str, info: str = "", encrypt: bool = False, drawn: str | None = None) -> bytes:
    """A PDF of pages of lines in Helvetica, one line of the string a line on the page, or of one page as `drawn`."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages if drawn is None else ("",):
        shown = " T* ".join(f"({line.translate({40: 32, 41: 32, 92: 32})}) Tj" for line in text.split("\n"))
        stream = zlib.compress((drawn or f"BT /F1 11 Tf 14 TL 72 770 Td {shown} ET").encode("cp1252"))
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {len(objects) + 2} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode() + stream + b"\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    objects.append(f"<< {info} >>".encode("cp1252"))
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{place:010} 00000 n \n" for place in places).encode())
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    out.write(f"{trailer}\nstartxref\n{start}\n%%EOF".encode())
    if not encrypt:
        return out.getvalue()
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(out))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def columns(*texts: str, by_turns: bool) -> bytes:
    """A PDF page of columns, drawn one after the other or line by line across all."""
    places = range(30, 570, 540 // len(texts))
    lines = [
        (x, 770 - 14 * n, line)
        for x, text in zip(places, texts, strict=False)
        for n, line in enumerate(text.split("\n"))
    ]
    if by_turns:
        lines.sort(key=lambda line: (-line[1], line[0]))
    return pdf(drawn=" ".join(f"BT /F1 10 Tf {x} {y} Td ({line}) Tj ET" for x, y, line in lines))


def docx(*paragraphs: str, title: str = "", author: str = "", style: str = "Normal", table: bool = False) -> bytes:
    """A Word document; the first paragraph has the style."""
    from docx import Document

    document = Document()
    for row, text in enumerate(paragraphs):
        document.add_paragraph(text, style=style if row == 0 else "Normal")
    if table:
        cells = document.add_table(2, 2)
        for row in range(2):
            for column in range(2):
                cells.cell(row, column).text = f"{row}{column}"
    document.core_properties.title = title
    document.core_properties.author = author
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zipped(files: dict[str, bytes], *, level: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", level) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def rss(*items: str, title: str = "The Daily") -> bytes:
    """An RSS feed of these items."""
    listed = "".join(f"<item>{item}</item>" for item in items)
    channel = f"<channel><title>{title}</title><link>https://x.kw/</link>{listed}</channel>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0">{channel}</rss>'.encode()


def sitemap(*addresses: str, kind: str = "urlset", entry: str = "url") -> bytes:
    """A sitemap of these addresses."""
    listed = "".join(f"<{entry}><loc>{address}</loc></{entry}>" for address in addresses)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0"?><{kind} xmlns="{space}">{listed}</{kind}>'.encode()
