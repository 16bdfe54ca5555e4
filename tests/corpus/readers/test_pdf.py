"""A PDF gives its paragraphs, without running heads, page numbers and hyphenation."""

from __future__ import annotations

import pytest

from corpus import SourceError
from corpus.readers import pdf as module
from corpus.readers.pdf import join_pages, read_pdf
from tests.corpus.readers.documents import columns, pdf

LINES = (
    "The Cabinet approved on Monday a plan to widen the coastal road be-",
    "tween Salmiya and Fintas, the minister of public works told report-",
    "ers in Kuwait City after the weekly session.",
    "The work begins in March and costs 42 million dinars, she said, and",
    "it ends before the summer of 2028 if nothing goes wrong again.",
)
PARAGRAPHS = (
    "The Cabinet approved on Monday a plan to widen the coastal road between Salmiya and Fintas, the minister of "
    "public works told reporters in Kuwait City after the weekly session.\n\n"
    "The work begins in March and costs 42 million dinars, she said, and it ends before the summer of 2028 if nothing "
    "goes wrong again."
)


def test_lines_and_hyphenated_words_are_joined() -> None:
    article = read_pdf(pdf("Road to be widened\n" + "\n".join(LINES)), name="file")
    assert (article.title, article.text) == ("Road to be widened", PARAGRAPHS)
    assert (article.author, article.published) == (None, None)


def test_title_and_author_are_in_the_documents_properties() -> None:
    data = pdf(
        "Road opens\n" + "\n".join(LINES), info="/Title (Road opens) /Author (Ann Lee) /CreationDate (D:20200101)"
    )
    article = read_pdf(data, name="file")
    assert (article.title, article.author, article.published, article.text) == (
        "Road opens",
        "Ann Lee",
        None,
        PARAGRAPHS,
    )


@pytest.mark.parametrize("title", ["Microsoft Word - road.doc", "road.indd", "untitled"])
def test_a_file_name_is_not_a_title(title: str) -> None:
    assert read_pdf(pdf("\n".join(LINES), info=f"/Title ({title})"), name="coastal_road").title == "coastal road"


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages = [
        ["THE DAILY  24 November 2026", f"Words of page {name} stand here alone", "and go on below.", f"Page {n} of 4"]
        for n, name in enumerate(("one", "two", "three", "four"), start=1)
    ]
    text = join_pages(["\n".join(lines) for lines in pages])
    assert "DAILY" not in text
    assert "of 4" not in text
    assert [f"page {name}" in text for name in ("one", "two", "three", "four")] == [True] * 4


def test_a_line_at_the_same_end_of_two_pages_is_left_out_and_kept_elsewhere() -> None:
    pages = [
        "THE DAILY 24 November\nOne\nChorus\nis sung\nnow",
        "THE DAILY 25 November\nTwo\nmore\nChorus\nis over\nthen",
    ]
    text = join_pages(pages)
    assert ("DAILY" in text, text.count("Chorus")) == (False, 2)
    long = "A line of the text as long as the page is wide, said again word for word because the minister said so."
    assert join_pages([f"One\n{long}\nTwo", f"Three\n{long}\nFour"]).count(long) == 2


def test_a_hyphen_stays_where_the_word_has_one_elsewhere_and_in_numbers() -> None:
    text = join_pages(
        ["an anti-trafficking law and an anti-\ntrafficking act of wide-\nranging reach in 2024-\n2025 here"]
    )
    assert text == "an anti-trafficking law and an anti-trafficking act of wideranging reach in 2024-2025 here"


def test_the_first_heading_in_larger_letters_is_the_title_and_others_are_paragraphs() -> None:
    shown = [
        "BT /F1 8 Tf 72 820 Td (THE DAILY) Tj ET",
        "BT /F1 22 Tf 72 790 Td (Coastal road) Tj 0 -26 Td (to be widened) Tj ET",
    ]
    for number, line in enumerate(LINES):
        shown.append(f"BT /F1 11 Tf 72 {740 - 14 * number} Td ({line}) Tj ET")
    shown.append("BT /F1 15 Tf 72 640 Td (What it costs) Tj ET")
    shown.append("BT /F1 11 Tf 72 620 Td (Nobody knows what it costs in the end and nobody asks for it now.) Tj ET")
    article = read_pdf(pdf(drawn=" ".join(shown), info="/Title (print.html)"), name="file")
    assert article.title == "Coastal road to be widened"
    assert article.text == (
        f"{PARAGRAPHS}\n\nWhat it costs\n\nNobody knows what it costs in the end and nobody asks for it now."
    )


def test_arabic_is_read_from_right_to_left_in_plain_letters() -> None:
    def row(y: float, *pieces: str) -> list[module._Piece]:
        return [module._Piece(100.0 + 40 * n, y, 12.0, piece) for n, piece in enumerate(pieces)]

    drawn = row(700.2, "ﻖ", "ﻳ", "ﻟﻄﺮ", "ا", "  ", "ﻋﻠﻰ") + row(680.0, "\u0664\u0662", " ", "ﺧﻄﺔ")
    assert [line for _, line in module._right_to_left(drawn)] == ["على الطريق", "خطة \u0664\u0662"]
    visual = row(700.0, "الطريق إلى الكويت 2026"[::-1].replace("6202", "2026"))
    assert [line for _, line in module._right_to_left(visual)] == ["الطريق إلى الكويت 2026"]


@pytest.mark.parametrize("by_turns", [False, True], ids=["one after the other", "line by line"])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_are_read_one_after_the_other(count: int, *, by_turns: bool) -> None:
    texts = [[f"line {n} of column {column} is here" for n in range(9)] for column in range(count)]
    article = read_pdf(columns(*("\n".join(lines) for lines in texts), by_turns=by_turns), name="columns")
    assert article.text == " ".join(line for lines in texts for line in lines)


def test_a_table_is_read_row_by_row() -> None:
    roads = "\n".join(f"Road {n}" for n in range(9))
    prices = "\n".join(f"{n} million" for n in range(9))
    assert "Road 3 3 million Road 4 4 million" in read_pdf(columns(roads, prices, by_turns=True), name="table").text


def test_a_heading_stands_alone() -> None:
    text = join_pages(["What it costs\n" + "\n".join(LINES)])
    assert text == "What it costs\n\n" + PARAGRAPHS


def test_a_blank_line_ends_a_paragraph() -> None:
    assert join_pages(["one\n\ntwo\nthree", ""]) == "one\n\ntwo three"


def test_no_pages_have_no_text() -> None:
    assert join_pages([]) == ""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf(""), "the PDF holds no text; if its pages are scans, run OCR on it first"),
        (pdf("a", encrypt=True), "the PDF is locked with a password"),
        (b"%PDF-1.4\nrubbish", "the PDF is damaged: "),
        (pdf("a")[:200], "the PDF is damaged: "),
    ],
    ids=["no text", "locked", "rubbish", "cut"],
)
def test_a_pdf_that_gives_no_article_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_pdf(data, name="file")
    assert str(caught.value).startswith(reason)


def test_a_pdf_of_too_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_LIMIT", 2)
    with pytest.raises(SourceError, match="the PDF has 3 pages; at most 2 are read"):
        read_pdf(pdf("a", "b", "c"), name="file")


def test_a_pdf_of_too_much_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TEXT_LIMIT", 10)
    with pytest.raises(SourceError, match="the PDF holds more than 10 characters of text"):
        read_pdf(pdf("\n".join(LINES)), name="file")
