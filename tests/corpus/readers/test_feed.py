"""Feeds give their entries, and sitemaps their pages."""

from __future__ import annotations

import pytest

from corpus import SourceError
from corpus.readers import feed
from corpus.readers.feed import FeedEntry, detect_listing, read_feed, read_sitemap
from tests.corpus.readers.documents import BODY, SENTENCES, rss, sitemap

FULL = "".join(f"<p>{sentence}</p>" for sentence in (*SENTENCES, *SENTENCES))
ITEM = "<title>Road opens</title><link>https://x.kw/road</link><pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate>"


def test_an_entry_with_its_full_content_is_an_article() -> None:
    (entry,) = read_feed(rss(f"{ITEM}<author>ann@x.kw (Ann Lee)</author><description><![CDATA[{FULL}]]></description>"))
    assert (entry.url, entry.title) == ("https://x.kw/road", "Road opens")
    assert entry.article is not None
    article = entry.article
    assert article.text == f"{BODY}\n\n{BODY}"
    assert (article.url, article.source, article.published) == (
        "https://x.kw/road",
        "The Daily",
        "2026-11-24T10:00:00+00:00",
    )


@pytest.mark.parametrize(
    "text",
    ["A teaser.", f"{BODY} {BODY} [...]", f"{BODY} {BODY} Read more", f"{BODY} {BODY} Continue reading →"],
)
def test_a_teaser_is_not_an_article(text: str) -> None:
    assert read_feed(rss(f"{ITEM}<description>{text}</description>")) == [
        FeedEntry("https://x.kw/road", "Road opens", None)
    ]


def test_atom_and_relative_links_are_read() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>The Daily</title>
<entry><title type="html">A &amp;amp; B</title>
<link href="/road"/><updated>2026-11-25T10:00:00Z</updated></entry><entry><title></title></entry></feed>"""
    assert read_feed(atom.encode(), url="https://x.kw/feed") == [
        FeedEntry("https://x.kw/road", "A & B", None),
        FeedEntry(None, "an entry without title or link", None),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (rss(), "the feed lists no articles"),
        (b"<rss><channel><it", "the feed cannot be read: "),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><rss></rss>', "it declares XML entities, which are not read"),
    ],
)
def test_a_feed_that_gives_nothing_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_feed(data)
    assert str(caught.value).startswith(reason)


def test_a_sitemap_lists_pages_and_further_sitemaps() -> None:
    data = sitemap("https://x.kw/a", " /b ")
    assert read_sitemap(data, url="https://x.kw/s.xml") == (["https://x.kw/a", "https://x.kw/b"], [])
    maps = sitemap("https://x.kw/s1.xml", kind="sitemapindex", entry="sitemap")
    assert read_sitemap(maps) == ([], ["https://x.kw/s1.xml"])


def test_no_more_pages_are_taken_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "ENTRY_LIMIT", 1)
    assert read_sitemap(sitemap("https://x.kw/a", "https://x.kw/b")) == (["https://x.kw/a"], [])
    assert len(read_feed(rss(ITEM, ITEM))) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sitemap(), "the sitemap lists no pages"),
        (sitemap("")[:-9], "the sitemap is not XML: "),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><urlset></urlset>', "it declares XML entities, which are not read"),
    ],
)
def test_a_sitemap_that_gives_nothing_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_sitemap(data)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (rss(), "feed"),
        (b'<?xml version="1.0"?>\n<feed xmlns="x">', "feed"),
        (b'<rdf:RDF xmlns="x">', "feed"),
        (sitemap(), "sitemap"),
        (b"<sitemapindex>", "sitemap"),
        (b"<html><body>How to write <rss>", None),
        (b"text", None),
    ],
)
def test_feeds_and_sitemaps_are_recognised_by_their_root_element(head: bytes, kind: str | None) -> None:
    assert detect_listing(head) == kind
