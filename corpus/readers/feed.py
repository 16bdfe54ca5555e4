"""Reads the entries of feeds and sitemaps. The only module that imports feedparser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from corpus.article import Article
from corpus.errors import SourceError
from corpus.readers.text import make_article
from corpus.readers.web.blocks import html_to_text
from corpus.readers.web.decoding import decode_page
from corpus.text.clean import one_line
from corpus.text.dates import iso_date

# An entry with fewer words is a teaser, whatever the feed calls it.
_MIN_FULL_TEXT_WORDS = 120
ENTRY_LIMIT = 5000
_CUT_SHORT = re.compile(r"(?:\[?(?:…|\.\.\.)\]?|(?:read|continue)\s+(?:more|reading).{0,40})\s*$", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:\w+:)?(rss|feed|rdf|urlset|sitemapindex)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a feed or sitemap; `article` is None if only the linked page has the text."""

    url: str | None
    title: str
    article: Article | None


def detect_listing(head: bytes) -> str | None:
    """Tells whether the bytes are the start of a "feed" or a "sitemap"; None if of neither."""
    if not (found := _ROOT.search(head[:2048])) or b"<html" in head[:2048].lower():
        return None
    return "sitemap" if found[1].lower() in (b"urlset", b"sitemapindex") else "feed"


def read_feed(data: bytes, *, url: str | None = None) -> list[FeedEntry]:
    """The entries of an RSS or Atom feed, in order.

    Raises:
        SourceError: it cannot be parsed, declares XML entities, or lists nothing.
    """
    import feedparser

    _refuse_entities(data)
    try:
        parsed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=True)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as exc:
        raise SourceError(f"the feed cannot be read: {one_line(str(exc))[:120]}") from exc
    if not parsed.entries:
        reason = one_line(str(parsed.get("bozo_exception") or ""))
        raise SourceError(f"the feed cannot be read: {reason[:120]}" if reason else "the feed lists no articles")
    outlet = one_line(parsed.feed.get("title", "")) or None
    return [_entry(entry, outlet, url) for entry in parsed.entries[:ENTRY_LIMIT]]


def _entry(entry: dict[str, object], outlet: str | None, base: str | None) -> FeedEntry:
    link = str(entry.get("link") or "")
    address = urljoin(base or "", link) if link else None
    title = one_line(html_to_text(str(entry.get("title") or "")))
    contents = [str(c.get("value") or "") for c in entry.get("content") or ()]  # type: ignore[attr-defined]
    texts = [html_to_text(content) for content in (*contents, str(entry.get("summary") or ""))]
    text = max(texts, key=len)
    if not title or len(text.split()) < _MIN_FULL_TEXT_WORDS or _CUT_SHORT.search(text):
        return FeedEntry(address, title or address or "an entry without title or link", None)
    article = make_article(
        title,
        text,
        url=address,
        source=outlet,
        author=one_line(str(entry.get("author") or "")) or None,
        published=iso_date(str(entry.get("published") or "")),
    )
    return FeedEntry(address, title, article)


def read_sitemap(data: bytes, *, url: str | None = None) -> tuple[list[str], list[str]]:
    """The addresses of the pages and of the further sitemaps that a sitemap lists, in order.

    Raises:
        SourceError: it cannot be parsed, declares XML entities, or lists nothing.
    """
    from xml.etree import ElementTree

    _refuse_entities(data)
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as exc:
        raise SourceError(f"the sitemap is not XML: {exc}") from exc
    pages: list[str] = []
    maps: list[str] = []
    for entry in root:
        kind = entry.tag.rpartition("}")[2].lower()
        found = next((e.text for e in entry if e.tag.rpartition("}")[2].lower() == "loc" and e.text), None)
        if found:
            (maps if kind == "sitemap" else pages).append(urljoin(url or "", found.strip()))
    if not pages and not maps:
        raise SourceError("the sitemap lists no pages")
    return pages[:ENTRY_LIMIT], maps


def _refuse_entities(data: bytes) -> None:
    """Refuses XML entities: they can make gigabytes of a few lines, or read other files, and no feed needs them."""
    if "<!entity" in decode_page(data[:1_000_000]).lower():
        raise SourceError("it declares XML entities, which are not read")
