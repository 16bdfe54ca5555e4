from __future__ import annotations

from html.parser import HTMLParser

from bot.terminal import report
from corpus.article import Article, Span
from retrieval.evaluation import GoldAnswer, GoldQuestion, measure
from retrieval.results import Answer, Quote

ARTICLE = Article(id="a0000", title="Tom & <b>Jerry</b>", text="First <i>sentence</i>. Second one & more.")
RIGHT = GoldQuestion("What is second?", "a0000", (GoldAnswer("Second", "Second"),))
NONE = GoldQuestion("Who is <script>?", "a0000", ())
ANSWER = Answer("q", True, 0.8, (Quote(ARTICLE, Span(0, 41), (Span(23, 41),), 1.0, Span(0, 41)),), "snapshot", 2.0)
DECLINED = Answer("q", False, 0.1, (), "snapshot", 2.0)


def text_of(page: str) -> str:
    class Reader(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(page)
    return reader.text


def test_the_table_has_a_line_for_each_figure_that_was_measured() -> None:
    lines = report.text_report(measure([RIGHT], [ANSWER], articles=1)).splitlines()
    assert lines[:4] == [
        "articles               1",
        "questions              1",
        "answerable             1",
        "recall_at_1            1.0000",
    ]
    assert not any(line.startswith(("auroc", "bins")) for line in lines)


def test_the_page_shows_failures_with_their_quotes_and_no_foreign_markup() -> None:
    cases, answers = [RIGHT, NONE, RIGHT], [ANSWER, ANSWER, DECLINED]
    page = report.html_report("news & more.json", measure(cases, answers, articles=1), cases, answers)
    assert "newsquote on news & more.json" in text_of(page)
    assert "Who is <script>?answered, confidence 0.80" in text_of(page)
    assert "First <i>sentence</i>. Second one & more.Tom & <b>Jerry</b>" in text_of(page)
    assert "No article answers this." in text_of(page)
    assert "declined, confidence 0.10" in text_of(page)
    assert "<mark>Second one &amp; more.</mark>" in page
    assert not any(tag in page for tag in ("<script", "<i>", "<b>"))
    assert page.count("<svg") == 2
