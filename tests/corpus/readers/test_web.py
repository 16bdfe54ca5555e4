"""A page gives its article, word for word, and nothing of what stands around it."""

from __future__ import annotations

import json

import pytest

from corpus import SourceError
from corpus.readers.web import decode_page, read_page, text_of_html
from tests.corpus.readers.pages import BODY, SENTENCES, page

FULL_HEAD = """<title>Coastal road to be widened - The Daily</title><link rel="canonical" href="https://x.kw/road">
<meta property="og:site_name" content="The Daily"><meta name="author" content="Ann Lee">
<meta property="article:published_time" content="2026-11-24T10:00:00+03:00">"""


def body(**parts: str) -> str:
    return read_page(page(head="<title>Coastal road to be widened</title>", **parts)).text


def test_a_page_gives_its_article_and_what_it_states_of_itself() -> None:
    data = page(head=FULL_HEAD, before="<h1>Coastal road to be widened</h1>")
    article = read_page(data, url="https://www.x.kw/road?utm_source=x")
    assert article.text == BODY
    assert (article.title, article.url, article.source, article.author, article.published, article.language) == (
        "Coastal road to be widened",
        "https://x.kw/road",
        "The Daily",
        "Ann Lee",
        "2026-11-24T10:00:00+03:00",
        "en",
    )


def test_words_in_links_and_emphasis_stay_in_their_sentence() -> None:
    first = SENTENCES[0].replace("a plan", '<span class="link"><a href="/plan"><b>a</b> plan</a></span>')
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in (first, *SENTENCES[1:]))
    assert body(body=paragraphs) == BODY


@pytest.mark.parametrize(
    "extra",
    [
        "<p>Read more: Ten roads that were never built</p>",
        "<p>Related: Ten roads that were never built</p>",
        "<p>[button link='/x' type='big']Send us your view[/button]</p>",
        "<p>Advertisement</p>",
        "<ul><li><a href='/1'>Ten roads</a></li><li><a href='/2'>Nine bridges</a></li></ul>",
        "<div style='display: none'><p>You have three articles left this month, dear reader of this page.</p></div>",
        "<style>.a { margin: 0 } .b { padding: 1px; border: 1px solid red; color: blue; float: left }</style>",
        "<script>var a = 'The Cabinet approved on Monday a plan to widen the coastal road between the two.';</script>",
        "<form><p>Sign up for our newsletter and never miss a word of what the Cabinet does all day.</p></form>",
        "<div class='tooltip'><p>The Cabinet is the government of the country and meets on Mondays in Bayan.</p></div>",
    ],
)
def test_what_stands_between_paragraphs_is_left_out(extra: str) -> None:
    paragraphs = [f"<p>{sentence}</p>" for sentence in SENTENCES]
    assert body(body=extra.join(paragraphs)) == BODY


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<h1>Coastal road to be widened</h1><h2>A minister spoke</h2>", ""),
        ("<p>By Ann Lee</p>", ""),
        ("<p>Published 24 November 2026</p>", ""),
        ("<p>3 min read</p>", ""),
        ("<p>News &gt; Kuwait &gt; Roads</p>", ""),
        ("<p>Posted 2026-11-24 03:00:00 Changed 2026-11-24 04:10:00</p>", ""),
        ("<p>Roads</p><p>Ann Lee</p><p>Coastal road to be widened</p>", ""),
        ("", "<h3>Comments</h3>"),
        ("", "<p>Follow us on Facebook and Twitter</p>"),
        ("", "<p>Subscribe to our newsletter for more of the same every day</p>"),
        ("", "<p>Click here for more information.</p>"),
        ("", "<p><a href='/1'>Ten roads that were never built</a></p>"),
        ("", "<p>12 comments</p>"),
        ("", "<p>Questions? Comments? E-mail us at roads@x.kw</p>"),
        ("", "<p>Filed under: Roads</p>"),
    ],
)
def test_title_byline_and_calls_at_the_ends_are_left_out(before: str, after: str) -> None:
    assert body(before=before, after=after) == BODY


@pytest.mark.parametrize("control", ["\x00", "\x1f", "&#0;", "&#1", "&#x1F;", "\ufffe", "\x7f"])
def test_control_characters_are_passed_over(control: str) -> None:
    inside = SENTENCES[0].replace("Cabinet", f"Cab{control}inet<b>{control}</b>")
    assert body(body="".join(f"<p>{sentence}</p>" for sentence in (inside, *SENTENCES[1:]))) == BODY


def test_text_with_line_breaks_for_paragraphs_is_taken() -> None:
    assert body(body="<div>" + "<br><br>".join(SENTENCES) + "</div>") == BODY


def test_loose_text_keeps_its_inline_words_and_its_neighbours() -> None:
    loose = f"<div>{SENTENCES[0]} <b>So it</b> was said.<p>{SENTENCES[1]}</p>{SENTENCES[2]}<p>{SENTENCES[3]}</p></div>"
    assert body(body=loose).replace("\n\n", " ") == f"{SENTENCES[0]} So it was said. " + " ".join(SENTENCES[1:])


def test_paragraphs_in_separate_boxes_are_all_taken() -> None:
    long = [f"{sentence} Part {n} of the report says so." for n in range(4) for sentence in SENTENCES]
    boxes = "".join(
        f"<div class='part'><div class='text'><p>{'</p><p>'.join(long[n : n + 4])}</p></div></div><div>Ad</div>"
        for n in range(0, 16, 4)
    )
    assert body(body=f"<div class='parts'>{boxes}</div>") == "\n\n".join(long)


@pytest.mark.parametrize("free", [True, False])
def test_a_page_that_a_script_fills_is_read_from_what_it_tells_machines(*, free: bool) -> None:
    told = {"@type": "NewsArticle", "headline": "Road", "articleBody": BODY, "isAccessibleForFree": free}
    data = page(head=f'<script type="application/ld+json">{json.dumps(told)}</script>', body="<div id=app></div>")
    if free:
        assert read_page(data).text == BODY
    else:
        with pytest.raises(SourceError, match="the page shows its article to subscribers only"):
            read_page(data)


def test_a_page_in_a_form_is_read() -> None:
    inner = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    assert body(body=f"<form action='/'>{inner}</form>") == BODY


def test_a_page_in_a_form_without_paragraphs_is_read() -> None:
    inner = "".join(f"<span>{sentence} </span><br><br>" for sentence in SENTENCES)
    assert body(body=f"<form action='/'><input type='hidden' value='x'>{inner}</form>") == BODY


def test_a_language_without_spaces_between_words_is_read() -> None:
    text = "科威特内阁周一批准了拓宽沿海公路的计划，部长说。工程将于三月开始，耗资四千二百万第纳尔。"
    found = read_page(
        page(
            head="<title>沿海公路将拓宽 - 每日新闻 - 两岸</title>",
            body=f"<h1>沿海公路将拓宽</h1><p>{text}</p><p>{text}补充。</p>",
        )
    )
    assert (found.title, found.text) == ("沿海公路将拓宽", f"{text}\n\n{text}补充。")


def test_lists_tables_and_headings_keep_their_shape() -> None:
    extra = "<h2>What it costs</h2><ul><li>Forty million for the road</li><li>Two million for the walls</li></ul>"
    listed = "What it costs\n\n- Forty million for the road\n- Two million for the walls"
    assert body(after=extra + f"<p>{SENTENCES[0]} Again.</p>") == f"{BODY}\n\n{listed}\n\n{SENTENCES[0]} Again."


def test_rows_of_a_table_are_lines() -> None:
    rows = "".join(f"<tr><td>Road {n}</td><td>{n} million</td></tr>" for n in range(4))
    text = body(after=f"<table>{rows}</table><p>{SENTENCES[0]} Again.</p>")
    assert "Road 0 0 million\nRoad 1 1 million\nRoad 2 2 million" in text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body></body></html>", "no article was found on the page"),
        (b"", "it is an empty page"),
        (b"<html>", "no article was found on the page"),
        (
            page(body="<p>Please enable JavaScript to view this page.</p>"),
            "the page shows no article but a check that the reader is a person, or that a script runs",
        ),
        (
            page(body=f"<p>{SENTENCES[0]} Please verify you are a human.</p>"),
            "the page shows no article but a check that the reader is a person, or that a script runs",
        ),
        (
            page(body=f"<p>{SENTENCES[0]}</p><p>Subscribe to continue reading.</p>"),
            "the page shows its article to subscribers only",
        ),
        (
            page(
                head='<script type="application/ld+json">{"headline": "Road", "isAccessibleForFree": "False"}</script>',
                body=f"<p>{SENTENCES[0]} {SENTENCES[1]}</p>",
            ),
            "the page shows its article to subscribers only",
        ),
    ],
)
def test_a_page_without_an_article_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_page(data)
    assert str(caught.value) == reason


def test_a_page_without_a_title_is_called_by_its_first_line() -> None:
    assert read_page(page()).title == SENTENCES[0]


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
def test_a_page_is_decoded_as_what_it_is(data: bytes, charset: str | None, text: str) -> None:
    assert decode_page(data, charset).startswith(text)


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("plain  \n", "plain"),
        ("a &amp; b", "a & b"),
        ("Lead <b>bold</b> text<p>One <a href='x'>two</a>.</p>tail", "Lead bold text\n\nOne two.\n\ntail"),
        ("one<br>two", "one\ntwo"),
        ("<p>a</p><script>x()</script><!-- c --><p>b</p>", "a\n\nb"),
        ("<ul><li>one thing</li><li>two</li></ul>", "one thing\n\ntwo"),
        ("<", "<"),
    ],
)
def test_a_piece_of_html_gives_its_text(fragment: str, text: str) -> None:
    assert text_of_html(fragment) == text
