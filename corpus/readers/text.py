"""Decodes text, and reads an article from plain text."""

from __future__ import annotations

import codecs
import re
import unicodedata

from corpus.article import Article, content_id
from corpus.errors import SourceError
from corpus.text.clean import clean_text, one_line, site_name, strip_boilerplate
from corpus.text.language import detect_language

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# Text in any 8-bit encoding has hardly any control bytes.
_MAX_CONTROL_SHARE = 0.02
_NOT_TEXT = ("Cc", "Cn", "Co", "Cs")
# Enough for charset-normalizer to decide; it is slow on more.
_ENCODING_SAMPLE = 65_536
# Short texts fit several encodings about equally well, and charset-normalizer then names a rare one. Of those we take
# the most common; if nearly all letters are ASCII, the most common one in which the others belong to one language. Of
# 60 pieces of news in 13 languages and 15 encodings, of 45 letters and more, this decodes 59, charset-normalizer 48.
_COMMON = ("cp1252", "cp1251", "cp1256", "cp1250")
_COHERENCE_MARGIN, _MAX_CHAOS = 0.05, 0.1
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257")
_MIN_ASCII_SHARE = 0.7
_ALPHABETS = tuple(
    frozenset(letters + letters.upper() + "‘’“”„‚«»‹›–—…•€£°©®§ ")
    for letters in (
        "àâæçéèêëîïôœùûüÿ", "äöüß", "áéíñóúüïç¿¡ªº", "àáâãçéêíóôõúüªº", "àèéìíîòóùú", "åäöéæøüœ", "ëéèêïöüáíóú",
        "áéíóúýþðæö", "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţșț", "čćđšž", "çğıîöşüâû",
        "ąčęėįšųūž", "āčēģīķļņšūž", "õäöüšž",
    )
)  # fmt: skip
_TITLE_LIMIT = 250
_UNTITLED = "Untitled"


def decode(data: bytes, *, binary: bool = False) -> str:
    """Decodes bytes: by their byte order mark, as UTF-8, or else in the most likely encoding.

    With `binary` true, control characters are allowed.

    Raises:
        SourceError: the bytes are empty, binary, or in an unknown encoding.
    """
    if not data.strip():
        raise SourceError("it is empty")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as exc:
                raise SourceError(f"it starts as {encoding.removesuffix('-sig')} but is not: {exc.reason}") from exc
    head = data[:_ENCODING_SAMPLE]
    if not binary and (b"\0" in head or len(_BINARY.findall(head)) > _MAX_CONTROL_SHARE * len(head)):
        if (wide := _decode_utf_16(data)) is not None:
            return wide
        raise SourceError("it is binary, not text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_by_guess(data)


def _decode_utf_16(data: bytes) -> str | None:
    """The text if the bytes are UTF-16 without a byte order mark: it has spaces and no unassigned or control codes."""
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if " " in text and not any(unicodedata.category(ch) in _NOT_TEXT and ch not in "\t\n\r" for ch in text):
            return text
    return None


def _latin_encoding(data: bytes) -> str | None:
    """The encoding of a text in Latin letters if all letters outside ASCII belong to one language's alphabet."""
    for encoding in _LATIN:
        text = data.decode(encoding, "replace")
        letters = [ch for ch in text if ch.isalpha()]
        if sum(map(str.isascii, letters)) < _MIN_ASCII_SHARE * len(letters):
            return None
        beyond = {ch for ch in text if not ch.isascii()}
        if any(beyond <= alphabet for alphabet in _ALPHABETS):
            return encoding
    return None


def _decode_by_guess(data: bytes) -> str:
    if encoding := _latin_encoding(data):
        return data.decode(encoding)
    import charset_normalizer

    matches = charset_normalizer.from_bytes(data[:_ENCODING_SAMPLE])
    best = matches.best()
    if best is None:
        raise SourceError("its encoding cannot be told; save it as UTF-8")
    likely = [
        m.encoding for m in matches if m.coherence >= best.coherence - _COHERENCE_MARGIN and m.chaos <= _MAX_CHAOS
    ]
    encoding = next((name for name in _COMMON if name in likely), best.encoding)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise SourceError(f"it seems to be {encoding} but is not throughout; save it as UTF-8") from exc


def article_from_text(text: str, *, name: str) -> Article:
    """The article in plain text: a short first line is its title, boilerplate at both ends is removed.

    If no line can be the title, `name` (a file's name without its suffix) is. The source is known only if the text has
    a page's "Site icon" line. Date and address are not guessed.

    Raises:
        SourceError: no text is left.
    """
    text = clean_text(text)
    source = site_name(text)
    body = strip_boilerplate(text)
    title, rest = _split_title(body)
    rest = strip_boilerplate(rest)
    if title is None or not rest:
        title, rest = title or _title_from(name), rest or body
    return make_article(title, rest, source=source)


def make_article(
    title: str,
    text: str,
    *,
    url: str | None = None,
    source: str | None = None,
    author: str | None = None,
    published: str | None = None,
    language: str | None = None,
) -> Article:
    """An article from clean text, with an id made from its content; its language is detected unless given.

    Raises:
        SourceError: the text is blank.
    """
    if not text.strip():
        raise SourceError("it holds no text")
    title = one_line(title) or _UNTITLED
    return Article(
        content_id(title, text), title, text, url, source, author, published, language or detect_language(text)
    )


def _split_title(body: str) -> tuple[str | None, str]:
    """The first line, if it stands alone, is short and does not end like a sentence, else None; and the rest."""
    first, _, rest = body.partition("\n")
    heading = first.strip().removeprefix("#").lstrip("# ")
    alone = rest.startswith("\n") or first.startswith("#") or len(rest.split("\n", 1)[0]) > 2 * len(first)
    if (
        any(map(str.isalnum, heading))
        and alone
        and len(heading) <= _TITLE_LIMIT
        and not heading.endswith((".", ";", ":", ","))
    ):
        return heading, rest.strip()
    return None, body


def _title_from(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip() or _UNTITLED
