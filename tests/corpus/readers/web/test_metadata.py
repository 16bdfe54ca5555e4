"""A page's metadata is read from the most reliable place."""

from __future__ import annotations

import json

import pytest

from corpus.readers.web.decoding import parse_page
from corpus.readers.web.metadata import PageMetadata, read_metadata


def about(head: str = "", body: str = "", url: str | None = "https://www.daily.kw/road") -> PageMetadata:
    return read_metadata(parse_page(f"<html><head>{head}</head><body>{body}<p>Text</p></body></html>"), url)


def linked(**fields: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", **fields})}</script>'


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Road opens - The Daily</title>", "<h1>Road opens</h1>", "Road opens"),
        ("<title>Road opens | Daily</title>", "", "Road opens"),
        ("<title>Daily: Road opens</title>", "", "Road opens"),
        ("<title>The road: why it opens now</title>", "", "The road: why it opens now"),
        (
            "<title>News</title><meta property='og:title' content='Road opens early'>",
            "<h1>DAILY</h1>",
            "Road opens early",
        ),
        (
            "<meta property='og:title' content='Opinion | Road opens early'>",
            "<h1>Road opens early</h1>",
            "Road opens early",
        ),
        ("<title>Road opens</title>", "<h1>Menu</h1><h1>‘Road’ opens</h1>", "‘Road’ opens"),
        (linked(headline="Road &#8216;opens&#8217;"), "", "Road ‘opens’"),
        (linked(headline="Old road opens") + "<title>Best of</title>", "<h1>Old road opens</h1>", "Old road opens"),
        (
            "<title>Самые популярные дороги по версии daily.kw: список</title>",
            "",
            "Самые популярные дороги по версии daily.kw: список",
        ),
        ("<title>Daily</title>", "", "Daily"),
        ("", "<h1>Road</h1>", None),
    ],
)
def test_the_title_is_the_headline_without_the_sites_name(head: str, body: str, title: str | None) -> None:
    assert about(head, body).title == title


@pytest.mark.parametrize(
    ("head", "site"),
    [
        ("<meta property='og:site_name' content='The Daily | News of the day'>", "The Daily"),
        ("<meta property='og:site_name' content='https://daily.kw'>", "daily.kw"),
        (linked(datePublished="2026", publisher={"name": "The Daily"}), "The Daily"),
        ("", "daily.kw"),
    ],
)
def test_the_outlet_is_what_the_site_calls_itself_or_its_host(head: str, site: str) -> None:
    assert about(head).site == site


@pytest.mark.parametrize(
    ("head", "author"),
    [
        (linked(headline="x", author=[{"name": "Ann Lee"}, {"name": "By Bo Ray"}]), "Ann Lee, Bo Ray"),
        (linked(headline="x", author="Ann Lee"), "Ann Lee"),
        (linked(headline="x", author={"@id": "#ann"}) + "<meta name='author' content='Ann Lee'>", "Ann Lee"),
        ("<meta name='Author' content='By Ann Lee'>", "Ann Lee"),
        ("<meta property='article:author' content='https://facebook.com/daily'>", None),
        ("<meta name='author' content='admin'>", None),
        ("<meta name='author' content='The Daily'><meta property='og:site_name' content='The Daily'>", None),
        ("", None),
    ],
)
def test_the_author_is_a_name(head: str, author: str | None) -> None:
    assert about(head).author == author


@pytest.mark.parametrize(
    ("head", "body", "published"),
    [
        (linked(datePublished="2026-11-24T10:00:00+0300", dateModified="2026-11-25"), "", "2026-11-24T10:00:00+03:00"),
        ("<meta property='article:published_time' content='2026-11-24'>", "", "2026-11-24"),
        ("<meta name='pubdate' content='Nov 24, 2026, 07:47 PM EST'>", "", "2026-11-24"),
        ("", "<span itemprop='datePublished' content='2026-11-24'>now</span>", "2026-11-24"),
        ("", "<span itemprop='datePublished'>24 November 2026</span>", "2026-11-24"),
        ("", "<time class='entry-date' datetime='2026-11-24'>now</time>", "2026-11-24"),
        (
            "<meta property='article:modified_time' content='2026-11-25'>" + linked(headline="x", datePublished="soon"),
            "",
            None,
        ),
        ("<meta property='article:modified_time' content='2020-01-01'>", "", None),
        ("", "<span class='last-updated'>1 January 2020</span>", None),
        ("", "", None),
    ],
)
def test_the_date_is_that_of_publication_and_is_never_invented(head: str, body: str, published: str | None) -> None:
    assert about(head, body).published == published


@pytest.mark.parametrize(
    ("href", "url", "own"),
    [
        ("https://daily.kw/road", "https://www.daily.kw/road?utm_source=x", "https://daily.kw/road"),
        ("/road", "https://www.daily.kw/road?id=3", "https://www.daily.kw/road"),
        ("https://evil.example/road", "https://www.daily.kw/road", "https://www.daily.kw/road"),
        ("https://daily.kw/", "https://www.daily.kw/road", "https://www.daily.kw/road"),
        ("javascript:void(0)", "https://www.daily.kw/road", "https://www.daily.kw/road"),
        ("http://[bad", "https://www.daily.kw/road", "https://www.daily.kw/road"),
        ("https://daily.kw/road", None, "https://daily.kw/road"),
        ("/road", None, None),
    ],
)
def test_the_address_is_the_pages_own_where_it_is_on_its_site(href: str, url: str | None, own: str | None) -> None:
    assert about(f'<link rel="canonical" href="{href}">', url=url).url == own


def test_a_page_may_say_that_it_has_a_paywall() -> None:
    assert [about(linked(headline="x", isAccessibleForFree=free)).free for free in (True, "true", False, "False")] == [
        True,
        True,
        False,
        False,
    ]


def test_json_ld_that_is_broken_too_deep_or_about_another_article_is_ignored() -> None:
    review = linked(itemReviewed={"headline": "Claim", "author": "Somebody"}, headline="Road opens early", author="Ann")
    broken = '<script type="application/ld+json">{"headline": </script><script type="application/ld+json"></script>'
    deep = f'<script type="application/ld+json">{"[" * 5000}{"]" * 5000}</script>'
    found = about(broken + deep + review)
    assert (found.title, found.author) == ("Road opens early", "Ann")


def test_the_language_is_the_pages() -> None:
    assert read_metadata(parse_page("<html lang='AR-kw'><body><p>x</p></body></html>"), None).language == "ar"
