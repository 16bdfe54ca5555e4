"""Reads and writes Markdown with front matter: the library's own files, and any other Markdown file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import replace

from corpus.article import Article
from corpus.errors import ArticleError, SourceError
from corpus.readers.text import article_from_text, make_article
from corpus.text.clean import clean_text, one_line, strip_boilerplate
from corpus.text.dates import iso_date

_FRONT = re.compile(
    r"---[ \t]*(?P<cr>\r?)\n(?P<fields>(?:(?!---[ \t]*\r?$)[^\n]*\n)*?)---[ \t]*(?:\r?\n|\Z)", re.MULTILINE
)
# Starts with a letter and has nothing that is special in YAML.
_PLAIN = re.compile(r"[A-Za-z](?:[\w .,;()'’“”/?&=%+–—-]|:(?=[^\s:]))*(?<! )")
_NOT_STRINGS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\ufeff\ufffe\uffff]')
_COMMENT = re.compile(r"<!--.{0,5000}?-->", re.DOTALL)
_LINK = re.compile(
    r"(?P<image>!?)\[(?P<words>[^\[\]\n]{0,500})\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"\n]*\")?\)"
)
_EMPHASIS = re.compile(
    r"(?<![\w*_])(?P<mark>\*{1,3}|_{1,3})(?=[^\s*_])(?P<words>[^\n]{0,500}?[^\s*_])(?P=mark)(?![\w*_])"
)
_HEADING = re.compile(r"^#{2,6}[ \t]+", re.MULTILINE)
_MARKS = re.compile("[\u0300-\u036f]")
_SAFE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SLUG_LIMIT = 60
_OPTIONAL = ("url", "source", "author", "published", "language")


def file_stem(article: Article) -> str:
    """The name of an article's file without its suffix: words of the title, then the id, hashed if it is unsafe."""
    folded = unicodedata.normalize("NFKD", article.title).lower()
    words = re.sub(r"[^\w]+", "-", _MARKS.sub("", folded)).strip("-_")
    cut = words[:_SLUG_LIMIT].rsplit("-", 1)[0] if len(words) > _SLUG_LIMIT else words
    while len(cut.encode()) > 2 * _SLUG_LIMIT:
        cut = cut[:-1]
    known = article.id
    if not _SAFE_ID.fullmatch(known):
        known = hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{unicodedata.normalize('NFC', cut) or 'article'}-{known}"


def format_markdown(article: Article) -> str:
    """The file that `parse_markdown` reads back as an equal article with equal text."""
    fields = [(key, getattr(article, key)) for key in ("id", "title", *_OPTIONAL)]
    front = "".join(f"{key}: {_scalar(value)}\n" for key, value in fields if value is not None)
    return f"---\n{front}---\n\n{article.text}\n"


def _scalar(value: str) -> str:
    """The value as YAML that every parser reads back as the same string; PyYAML's own writer loses U+0085."""
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_STRINGS:
        return value
    return '"' + _ESCAPED.sub(lambda found: _escape(found[0]), value) + '"'


def _escape(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\U{ord(character):08x}"


def parse_markdown(text: str, *, name: str) -> Article:
    """The article in a Markdown file; `name` is the file's, without its suffix.

    If the front matter has an `id`, the text below it is taken exactly, less one line end at each end. Otherwise it is
    cleaned like plain text and stripped of markup, and its first heading or line is the title unless the front matter
    has one.

    Raises:
        SourceError: the front matter is not YAML, a field is not usable, or there is no text.
    """
    text = text.removeprefix("\ufeff")
    front = _FRONT.match(text)
    if front is None:
        return article_from_text(_without_markup(text), name=name)
    if front["cr"]:
        # An editor that writes CRLF has done so in the whole file.
        text = text.replace("\r\n", "\n")
        front = _FRONT.match(text) or front
    fields = _parse_fields(front["fields"])
    body = text[front.end() :]
    try:
        if "id" in fields:
            return _parse_exact(fields, body, name=name)
        return _parse_cleaned(fields, body, name=name)
    except ArticleError as exc:
        raise SourceError(str(exc)) from exc


def _parse_exact(fields: dict[str, str], body: str, *, name: str) -> Article:
    body = unicodedata.normalize("NFC", body.removeprefix("\n").removesuffix("\n"))
    if not body.strip():
        raise SourceError("it holds no text")
    title = fields.get("title") or article_from_text(body, name=name).title
    return Article(fields["id"], title, body, **{key: fields.get(key) for key in _OPTIONAL})


def _without_markup(text: str) -> str:
    """The text as it would look rendered: without link targets, images, emphasis marks and heading marks."""
    text = _COMMENT.sub("", text)
    text = _LINK.sub(lambda found: "" if found["image"] else found["words"], text)
    for _ in range(2):
        text = _EMPHASIS.sub(r"\g<words>", text)
    return _HEADING.sub("", text)


def _parse_cleaned(fields: dict[str, str], body: str, *, name: str) -> Article:
    body = _without_markup(body)
    if title := one_line(fields.get("title", "")):
        found = make_article(title, strip_boilerplate(clean_text(body)))
    else:
        found = article_from_text(body, name=name)
    known = {key: one_line(value) for key, value in fields.items() if key in _OPTIONAL}
    if stated := known.get("published") or fields.get("date"):
        known["published"] = iso_date(stated) or stated
    return replace(found, **known)


def _parse_fields(front: str) -> dict[str, str]:
    """The front matter fields that have a value; a list becomes its items joined by commas."""
    import yaml

    # The base loader keeps every scalar a string: a title "No" or a date included. It cannot construct objects.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        loaded = yaml.load(front, Loader=loader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        raise SourceError(
            f"its front matter is not YAML{where}: {getattr(exc, 'problem', None) or getattr(exc, 'reason', exc)}"
        ) from exc
    if loaded in (None, ""):
        return {}
    if not isinstance(loaded, dict):
        raise SourceError("its front matter is not a list of fields such as 'title: ...'")
    fields = {}
    for key, value in loaded.items():
        if isinstance(value, list):
            value = ", ".join(v for v in value if isinstance(v, str))
        if isinstance(key, str) and isinstance(value, str) and value.strip():
            fields[key.lower()] = value
    return fields
