"""Reads the metadata of a web page: title, outlet, author, date, language and address."""

from __future__ import annotations

import copy
import datetime as dt
import html
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from corpus.text.clean import comparison_key, one_line
from corpus.text.dates import iso_date

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# A heading that shares this much of its words with a stated title is the title.
_MIN_OVERLAP = 0.5
_SHORT_NAME = 3
_LONG_NAME = 4
_LONG_HEADING = 6
_MAX_DEPTH = 20


@dataclass(slots=True)
class PageMetadata:
    """The metadata of a page. `free` is false if the page says it has a paywall; `body` is the text in its JSON-LD."""

    title: str | None = None
    site: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None
    url: str | None = None
    free: bool = True
    body: str = ""


def read_metadata(tree: HtmlElement, url: str | None) -> PageMetadata:
    """The page's metadata, from its JSON-LD, meta elements and headings."""
    stated = list(_linked_data(tree))
    url = _canonical_address(tree, url)
    host = (urlsplit(url).hostname or "").removeprefix("www.") if url else ""
    site = _site(tree, stated, host)
    return PageMetadata(
        title=_title(tree, stated, site, host),
        site=site,
        author=_author(tree, stated, site),
        published=_published(tree, stated),
        language=_first_text(tree, "/html/@lang")[:2].lower() or None,
        url=url,
        body=next((body for entry in stated if isinstance(body := entry.get("articleBody"), str)), ""),
        free=all(str(entry.get("isAccessibleForFree", True)).lower() != "false" for entry in stated),
    )


def _linked_data(tree: HtmlElement) -> Iterator[dict[str, object]]:
    """The JSON-LD objects that have a headline or a publication date; only the articles if there are any."""
    found: list[dict[str, object]] = []

    def walk(value: object, depth: int) -> None:
        if isinstance(value, dict):
            if "headline" in value or "datePublished" in value:
                found.append(value)
            for key, inner in value.items():
                # The item that a fact check reviews is another article.
                if key != "itemReviewed":
                    walk(inner, depth + 1)
        elif isinstance(value, list) and depth < _MAX_DEPTH:
            for inner in value:
                walk(inner, depth + 1)

    for script in tree.xpath("//script[@type='application/ld+json']"):
        try:
            walk(json.loads(script.text or "", strict=False), 0)
        except (ValueError, RecursionError):
            continue
    articles = [entry for entry in found if re.search("Article|Posting|Report", str(entry.get("@type")))]
    yield from articles or found


def _first_text(tree: HtmlElement, path: str) -> str:
    """The first match of the XPath that is not blank, on one line; "" if there is none."""
    for found in tree.xpath(path):
        if text := one_line(html.unescape(found if isinstance(found, str) else found.text_content())):
            return text
    return ""


def _meta(tree: HtmlElement, *names: str) -> str:
    for name in names:
        low = f"translate(@{{}}, '{string.ascii_uppercase}', '{string.ascii_lowercase}') = '{name}'"
        if text := _first_text(tree, f"//meta[{low.format('property')} or {low.format('name')}]/@content"):
            return text
    return ""


def _names(value: object) -> list[str]:
    """The names in an author or publisher, whichever JSON-LD form it has."""
    if isinstance(value, list):
        return [name for entry in value for name in _names(entry)]
    if isinstance(value, dict):
        return _names(value.get("name"))
    return [one_line(html.unescape(value))] if isinstance(value, str) and value.strip() else []


def _canonical_address(tree: HtmlElement, url: str | None) -> str | None:
    for stated in (_first_text(tree, "//link[@rel='canonical']/@href"), _meta(tree, "og:url")):
        try:
            address = urlsplit(urljoin(url or "", stated))
        except ValueError:
            continue
        if address.scheme not in ("http", "https") or not address.hostname:
            continue
        # A canonical address on another site is a mistake or a trick, and a front page is not an article.
        if url is None or (
            _site_of(address.hostname) == _site_of(urlsplit(url).hostname or "") and address.path != "/"
        ):
            return address.geturl()
    return url


def _site_of(host: str) -> str:
    return ".".join(host.lower().split(".")[-2:])


def _site(tree: HtmlElement, stated: list[dict[str, object]], host: str) -> str | None:
    names = [_meta(tree, "og:site_name"), *(n for entry in stated for n in _names(entry.get("publisher")))]
    for name in names:
        name = re.split(r"\s+[|•»–—-]\s+", name)[0].strip()
        if name and "://" not in name:
            return name
    return host or None


def _title(tree: HtmlElement, stated: list[dict[str, object]], site: str | None, host: str) -> str | None:
    """The headline a reader sees: the heading that agrees with a stated title, or else the first stated title."""
    called = [
        _meta(tree, "og:title"),
        *(n for entry in stated for n in _names(entry.get("headline"))),
        _first_text(tree, "//title"),
    ]
    called = [_without_site(name, site, host) for name in called if name]
    for heading in tree.xpath("//h1"):
        words = one_line(heading.text_content())
        if any(_overlap(words, name) >= _MIN_OVERLAP or _is_prefix_of(name, words, site, host) for name in called):
            return words
    return called[0] if called else None


def _is_prefix_of(name: str, heading: str, site: str | None, host: str) -> bool:
    """Whether the title is the heading followed by other names, for scripts without spaces between words."""
    return (
        len(heading) >= _LONG_HEADING
        and name.startswith(heading)
        and name[len(heading) :].lstrip()[:1] in ("-", "–", "—", "|", "_")
        and not _names_site(heading, {comparison_key(site or ""), comparison_key(host)} - {""})
    )


def _without_site(title: str, site: str | None, host: str) -> str:
    """The title without the name of the site at either end."""
    names = {comparison_key(site or ""), comparison_key(host), comparison_key(host.split(".")[0])} - {""}
    while len(parts := re.split(r"(\s+[|•·»:–—-]+\s+|:\s+)", title)) > 1:
        if _names_site(parts[-1], names):
            title = "".join(parts[:-2])
        elif _names_site(parts[0], names):
            title = "".join(parts[2:])
        else:
            break
    return title.strip()


def _names_site(part: str, names: set[str]) -> bool:
    key = comparison_key(part)
    short = len(part.split()) <= _LONG_NAME
    return bool(key) and any(key == n or (short and len(key) > _SHORT_NAME and (key in n or n in key)) for n in names)


def _overlap(one: str, two: str) -> float:
    """The share of the longer text's words that both have."""
    words, others = set(re.findall(r"\w+", one.lower())), set(re.findall(r"\w+", two.lower()))
    return len(words & others) / max(len(words), len(others), 1)


def _author(tree: HtmlElement, stated: list[dict[str, object]], site: str | None) -> str | None:
    names = [n for entry in stated for n in _names(entry.get("author"))]
    names = names or [_meta(tree, "author", "article:author", "parsely-author", "sailthru.author")]
    names = [re.sub(r"^by\s+", "", name, flags=re.IGNORECASE) for name in names]
    shown = dict.fromkeys(
        n for n in names if n and "://" not in n and comparison_key(n) not in (comparison_key(site or ""), "admin")
    )
    return ", ".join(shown) or None


_DATE_PROPERTIES = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date",
    "pubdate",     "publishdate", "publish-date", "date", "dc.date.issued", "dc.date", "dcterms.created",
    "article.published", "pdate", "ptime",
)  # fmt: skip


_UPDATED = re.compile(r"modif|updated|lastmod|moddate|utime|revision", re.IGNORECASE)


def _published(tree: HtmlElement, stated: list[dict[str, object]]) -> str | None:
    """The date, or date and time, that the page gives for its publication, not for an update."""
    candidates = [str(entry.get("datePublished") or "") for entry in stated]
    candidates += [_meta(tree, name) for name in _DATE_PROPERTIES]
    candidates += [_first_text(tree, f"//*[@itemprop='datePublished']/@{name}") for name in ("content", "datetime")] + [
        _first_text(tree, "//*[@itemprop='datePublished']")
    ]
    candidates.append(
        _first_text(tree, "//time[@pubdate or contains(@class, 'publish') or contains(@class, 'entry-date')]/@datetime")
    )
    for candidate in candidates:
        if candidate and (date := iso_date(candidate)):
            return date
    import htmldate

    # If nothing else is stated, htmldate takes the date of an update even when told not to.
    kept = copy.deepcopy(tree)
    for element in list(kept.iter("meta", "time", "span")):
        named = " ".join(element.get(key, "") for key in ("name", "property", "itemprop", "http-equiv", "class"))
        if _UPDATED.search(named):
            element.drop_tree()
    found = htmldate.find_date(kept, original_date=True, extensive_search=False)
    return found if found and _shows_date(kept, found) else None


def _shows_date(tree: HtmlElement, date: str) -> bool:
    """Whether the page shows this exact day in some form; htmldate turns a mere month into the first of it."""
    day = dt.date.fromisoformat(date)
    year, month, number = day.year, f"0?{day.month}", f"0?{day.day}"
    name = rf"{day:%b}[a-z]*"
    forms = (
        rf"{year}[-/.]?{month}[-/.]?{number}(?!\d)|\b{number}[-/.]{month}[-/.]{year}|\b{month}/{number}/{year}"
        rf"|\b{number}(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{name}\.?,?\s+{year}|{name}\.?\s+{number}(?:st|nd|rd|th)?,?\s+{year}"
        rf"|{year}[년年]\s*{month}[월月]\s*{number}[일日]"
    )
    from lxml import etree

    return re.search(forms, etree.tostring(tree, encoding="unicode"), re.IGNORECASE) is not None
