"""The format of a source decides its reader; what cannot be read is refused with a reason."""

from __future__ import annotations

import errno
import gzip
import io
import os
from pathlib import Path

import pytest

from corpus import Found, Item, Refused, read, shipped_articles
from corpus.fetching.fetcher import Fetcher
from corpus.readers import source
from corpus.readers.item_count import estimate_item_count
from tests.corpus.readers.documents import BODY, docx, page, pdf, rss, sitemap, zipped
from tests.corpus.servers import Site, response

RECORD = b'{"title": "R", "text": "One."}\n'


def titles(items: list[Item]) -> list[str]:
    return [item.article.title if isinstance(item, Found) else item.reason for item in items]


def test_a_folder_is_read_with_all_below_it_sorted_and_hidden_files_left_out(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.md", "a/y.jsonl", ".hidden.txt", ".git/config.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(RECORD if name.endswith("jsonl") else f"{name[0]} title\n\nBody.".encode())
    items = list(read(tmp_path))
    assert titles(items) == ["b title", "R", "a title"]
    assert [item.source for item in items] == [
        f"{tmp_path}/b.txt",
        f"{tmp_path}/a/y.jsonl, line 1",
        f"{tmp_path}/a/z.md",
    ]


def test_the_file_may_be_named_by_a_string_or_a_path_or_be_bytes_or_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"A title\n\nBody.")
    for given in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert titles(list(read(given))) == ["A title"]
    with path.open("rb") as stream:
        assert [item.source for item in read(stream, name="a stream")] == ["a stream"]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("r.jsonl", RECORD * 2, ["R", "R"]),
        ("r.jsonl.gz", gzip.compress(RECORD * 2), ["R", "R"]),
        ("r.gz", gzip.compress(RECORD), ["R"]),
        ("r", RECORD, ["R"]),
        ("r.txt", b" \n" + RECORD, ["R"]),
        ("a.txt.gz", gzip.compress(b"A title\n\nBody."), ["A title"]),
        ("r.json", RECORD, ["R"]),
        ("r.json", b"[" + RECORD + b", 3]", ["R", "it is not an object with a title and a text"]),
        ("r.json", b'{\n  "title": "R",\n  "text": "One."\n}\n', ["R"]),
        ("r", b'{\n  "title": "R",\n  "text": "One."\n}\n', ["r"]),
        ("r.json", RECORD * 2 + b"{", ["R", "R", "it is not JSON: "]),
        ("r.json", b"[", ["it is not JSON: Expecting value: line 1 column 2 (char 1)"]),
        ("a", b"---\ntitle: M\n---\nBody.", ["M"]),
        ("a.md", b"# M\n\nBody.", ["M"]),
        ("a.md", RECORD, ["a"]),
        ("a.md", b"---\nid: x\ntitle: T\n---\n\n\x07\x08\n", ["T"]),
        ("a.md", b"---\nid: x\ntitle: T\n---\n\n\0\n", ["the text holds a NUL or a lone surrogate"]),
        ("a.txt", b"", ["it is empty"]),
        ("a.txt", b"\x00\x01\x02", ["it is binary, not text"]),
        ("a.gz", gzip.compress(RECORD)[:-9], ["it is a damaged gzip file: Compressed file ended before the "]),
        ("a.gz", b"\x1f\x8b\x08\x00junk that is no deflate stream at all", ["it is a damaged gzip file: "]),
    ],
)
def test_content_decides_then_the_suffix(tmp_path: Path, name: str, data: bytes, expected: list[str]) -> None:
    (tmp_path / name).write_bytes(data)
    found = titles(list(read(tmp_path / name)))
    assert [title[: len(wanted)] for title, wanted in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_not_the_current_folder(name: str) -> None:
    assert list(read(name)) == [Refused("a source", "its name is empty")]
    assert estimate_item_count([name]) is None


@pytest.mark.parametrize(
    "data", [zipped({"a.txt": b"A title\n\nBody."}), RECORD, b"R\n\nBody."], ids=["zip", "record", "text"]
)
def test_a_pipe_can_be_read(data: bytes) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    with open(ours, "rb") as stream:  # noqa: PTH123 - it has no path
        assert [item.article.text for item in read(stream) if isinstance(item, Found)] in (["Body."], ["One."])


def test_the_raw_page_is_the_shipped_article(tmp_path: Path) -> None:
    (shipped,) = shipped_articles()
    path = tmp_path / "000_f221a55d6af88efb.txt"
    path.write_text(f"Site icon TimesKuwait\n\n{shipped.title}\n\n{shipped.text}\n\nExit mobile version", "utf-8")
    (found,) = read(path)
    assert found == Found(shipped, str(path))
    assert isinstance(found, Found)
    assert found.article.text == shipped.text


def test_a_path_that_is_missing_empty_or_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert list(read(tmp_path / "no")) == [Refused(f"{tmp_path}/no", "there is no such file")]
    assert list(read(tmp_path / "pipe")) == [Refused(f"{tmp_path}/pipe", "it is neither a file nor a folder")]
    assert list(read(tmp_path / "folder")) == [Refused(f"{tmp_path}/folder", "the folder holds no files")]
    assert list(read("a\0b")) == [Refused("a\0b", "it cannot be read: embedded null byte")]


def test_a_file_without_read_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("A title\n\nBody.")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert list(read(tmp_path / "a.txt")) == [Refused(f"{tmp_path}/a.txt", "no permission to read it")]


def test_a_folder_without_read_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(read(tmp_path)) == [Refused(str(tmp_path), "no permission to read it")]


def test_a_failing_disk_is_a_refusal() -> None:
    class Failing(io.BytesIO):
        def readinto(self, _: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

    assert list(read(Failing(b"x"), name="disk")) == [Refused("disk", "it cannot be read: Input/output error")]


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SIZE_LIMIT", 1 << 20)
    assert list(read(gzip.compress(b"x" * (2 << 20)))) == [Refused("standard input", "it is larger than 1 MiB")]


def test_a_saved_page_has_its_original_address(tmp_path: Path) -> None:
    (tmp_path / "a.htm").write_bytes(b"<!-- saved from url=(0020)https://x.kw/road -->" + page())
    (found,) = read(tmp_path / "a.htm")
    assert isinstance(found, Found)
    assert (found.article.url, found.article.text) == ("https://x.kw/road", BODY)


@pytest.mark.parametrize(
    ("name", "data", "title"),
    [
        ("a", page(head="<title>Road opens</title>"), "Road opens"),
        ("a.html", b"<p>" + page(head="<title>Road opens</title>"), "Road opens"),
        ("a.pdf", pdf("Road opens\n" + BODY), "Road opens"),
        ("a", docx("Road opens", "Text.", style="Title"), "Road opens"),
        ("a.eml", b"Subject: Road opens\n\nText.", "Road opens"),
        ("a", b"From: a\nSubject: Road opens\n\nText.", "Road opens"),
        ("a.zip", zipped({"b.txt": b"Road opens\n\nText."}), "Road opens"),
        ("a.zip", zipped({"b.jsonl.gz": gzip.compress(RECORD)}), "R"),
        ("a.zip", zipped({"b.docx": docx("Road opens", "Text.", style="Title")}), "Road opens"),
        (
            "a.epub",
            zipped({"b.xhtml": b"<?xml version='1.0'?>" + page(head="<title>Road opens</title>")}),
            "Road opens",
        ),
        (
            "a.xml",
            rss(f"<title>Road opens</title><description><![CDATA[{'<p>' + BODY * 2}]]></description>"),
            "Road opens",
        ),
    ],
)
def test_every_format_is_recognised_by_its_content(tmp_path: Path, name: str, data: bytes, title: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert titles(list(read(tmp_path / name))) == [title]


def test_an_address_gives_its_page_with_the_address(site: Site, fetcher: Fetcher) -> None:
    site.responses["/old"] = response(status="301 Moved", Location="/road")
    site.responses["/road"] = response(page(head="<title>Road opens</title>"))
    site.responses["/note"] = response(b"A note\n\nIts text.", Content_Type="text/plain")
    (found,) = read(f"{site.address}/old", fetcher=fetcher)
    assert isinstance(found, Found)
    assert (found.source, found.article.url) == (f"{site.address}/old", f"{site.address}/road")
    (note,) = read(f"{site.address}/note", fetcher=fetcher)
    assert isinstance(note, Found)
    assert (note.article.title, note.article.url) == ("A note", f"{site.address}/note")


def test_an_address_that_cannot_be_fetched_is_refused(site: Site, fetcher: Fetcher) -> None:
    assert list(read(f"{site.address}/no", fetcher=fetcher)) == [
        Refused(f"{site.address}/no", "the server answers 404 Not Found")
    ]
    assert list(read("ftp://x.kw/a")) == [Refused("ftp://x.kw/a", "only http and https are fetched, not ftp")]


def test_a_feed_gives_its_full_articles_and_the_other_pages_are_fetched(site: Site, fetcher: Fetcher) -> None:
    full = f"<title>In full</title><link>/full</link><description><![CDATA[<p>{BODY} {BODY}</p>]]></description>"
    items = [f"<title>T</title><link>{site.address}/{name}</link>" for name in ("road", "no", "hidden")]
    site.responses["/feed"] = response(rss(full, *items, "<title>No link</title>"))
    site.responses["/road"] = response(page(head="<title>Road opens</title>"))
    site.responses["/robots.txt"] = response(b"User-agent: *\nDisallow: /hidden")
    assert titles(list(read(f"{site.address}/feed", fetcher=fetcher))) == [
        "In full",
        "Road opens",
        "the server answers 404 Not Found",
        "the host's robots.txt does not allow it",
        "it holds no more than a teaser, and its page was not fetched",
    ]


@pytest.mark.parametrize("name", ["feed", "map"])
def test_robots_txt_applies_to_feeds_and_sitemaps_but_not_to_a_page_the_user_names(
    site: Site, fetcher: Fetcher, name: str
) -> None:
    site.responses["/robots.txt"] = response(b"User-agent: *\nDisallow: /")
    site.responses["/feed"] = response(rss(f"<title>T</title><link>{site.address}/page</link>"))
    site.responses["/map"] = response(sitemap(f"{site.address}/page"))
    site.responses["/page"] = response(page(head="<title>Road opens</title>"))
    assert titles(list(read(f"{site.address}/{name}", fetcher=fetcher))) == ["the host's robots.txt does not allow it"]
    assert titles(list(read(f"{site.address}/page", fetcher=fetcher))) == ["Road opens"]


def test_a_sitemap_gives_its_pages_and_those_of_its_sitemaps(site: Site, fetcher: Fetcher) -> None:
    site.responses["/all.xml"] = response(sitemap("/one.xml", "/all.xml", kind="sitemapindex", entry="sitemap"))
    site.responses["/one.xml"] = response(sitemap("/road"))
    site.responses["/road"] = response(page(head="<title>Road opens</title>"))
    found = titles(list(read(f"{site.address}/all.xml", fetcher=fetcher)))
    assert found[0] == "Road opens"
    assert set(found[1:]) == {"it is a listing inside a listing of listings"}


def test_no_more_pages_of_a_listing_are_fetched_than_the_limit(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_LISTED_PAGE_LIMIT", 1)
    site.responses["/s.xml"] = response(sitemap("/a", "/b", "/c"))
    assert titles(list(read(f"{site.address}/s.xml", fetcher=fetcher))) == [
        "the server answers 404 Not Found",
        "only the first 1 of its pages are fetched",
    ]
    assert site.paths() == ["/s.xml", "/robots.txt", "/a"]
