"""Sentences tile the text, and a table of hard cases in which `|` marks where one ends."""

from __future__ import annotations

import re
import time
import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import Span, shipped_articles, split_sentences, trim

CASES = {
    "plain": "Kuwait signed.| It will report in May.",
    "ambassador": "US Ambassador to Kuwait, H E Alina Romanowski, affirmed her desire.| She spoke on Sunday.",
    "dotted honour": "H.E. Alina Romanowski spoke.| H. E. Salem Al-Sabah listened.",
    "us name": "Commenting on the U.S. State Department's report, she smiled.| It was long.",
    "us end": "He moved to the U.S.| The visa took a year.",
    "un agency": "The U.N. Security Council met.| It voted.",
    "number": "It is No. 5 on the list.| No. 6 is Qatar.",
    "no as answer": "He said no.| The vote failed.",
    "decimals": "Prices rose 3.5 percent to $2.1 billion.| Wages rose 1.2.| Rents fell.",
    "version": "Version 2.0.1 ships in June.| Version 3 follows.",
    "mister": "Mr. Smith met Mrs. Jones and Dr. Brown.| They ate.",
    "military": "Lt. Col. James Hill and Gen. Ray Odierno flew home.| Sgt. York stayed.",
    "politics": "Sen. Bernie Sanders and Rep. Ilhan Omar voted no.| Gov. Newsom signed it.",
    "saint": "They walked to St. Mary's church on St. James St. in London.| It rained.",
    "initials": "J. R. R. Tolkien and C. S. Lewis met weekly.| J.K. Rowling was not born.",
    "middle initial": "George W. Bush and John F. Kennedy Jr. met him.| He smiled.",
    "plan b": "They have no Plan B.| The coach said so.",
    "clock end": "The shop closed at 5 p.m.| The owner went home.",
    "clock zone": "The launch is at 9 a.m. Eastern on May 3.| Watch it live.",
    "clock middle": "At 6 a.m. Smith went to the bank.| He left early.",
    "clock day": "It starts at 7 p.m. Friday in the hall.| Doors open early.",
    "months": "He came on Jan. 3 and left on Sept. 15, 2019.| She stayed.",
    "month end": "They will meet in Sept.| The date is open.",
    "company": "Apple Inc. said on Monday that it would pay.| Shares rose.",
    "company title": "Alphabet Inc. Chief Executive Sundar Pichai spoke.| Shares of Ford Motor Co. rose.",
    "company end": "He works at Acme Corp.| The firm makes anvils.",
    "etc": "They sell pens, paper, etc.| The shop is small.",
    "eg": "Use a fruit, e.g. an apple, i.e. something sweet.| Enjoy.",
    "versus": "It was Smith vs. Jones in the final.| Smith won.",
    "page": "See p. 12 and pp. 14-16 and Fig. 3 in vol. 2.| The rest is old.",
    "et al": "Smith et al. found it first.| Nobody noticed.",
    "ellipsis lower": "He waited ... and waited.| Nothing came.",
    "ellipsis upper": "He waited...| Then he left.",
    "ellipsis character": "He waited…| Then he left… and slept.",
    "ellipsis character lower": "He waited… and then he left.| Good.",
    "ellipsis pause": "Well... I do not know.| Ask her.",
    "question": "Why?| Nobody knows!| It is late.",
    "bangs": "What?!| He was gone.| Really?!| Yes!!!",
    "quote inside": "“Stop!” he said.| “Go on,” she replied.",
    "quote end": "He said, “We will stay.”| She left.",
    "straight quote end": 'He said, "We will stay."| She left.',
    "quote said": "“Where is it?” Smith asked.| Nobody moved.",
    "quote said full": "“Go away!” Maria Gomez shouted.| He went.",
    "unbalanced quote": "This ensures our policies adhere to our principles.”| According to the report, it remains.",
    "quote then stop": "It is known as the “Palermo Protocol”).| The report stated more.",
    "single quotes": "'It is done.'| 'Is it?'| They laughed.",
    "guillemets": "«C'est fini.»| Il est parti.",
    "bracketed sentence": "He left.| (Nobody saw him.)| She stayed.",
    "bracketed mark": "The plan (is it one?) failed.| We left.",
    "footnote": "It was built in 1900.[12]| The tower fell in 1950.[a]| It was rebuilt.",
    "yahoo": "He sold Yahoo! Inc shares.| They fell.",
    "url": "See https://example.com/a.b?c=d.e for more.| Or www.kuna.net.kw.| It is free.",
    "email": "Write to j.doe@example.co.uk today.| We answer.",
    "file": "Open report.final.pdf and read.| Then close it.",
    "blank line": "A heading without a stop\n\n|The body follows.| It is short.",
    "wrapped": "This line was wrapped at a width and goes on in the next line, where\nKuwait stands.| It ends.",
    "wrapped heading": "Kuwait signs\n|This line was wrapped at a width and goes on to a next line, where\nKuwait is.",
    "short lines": "Ticketing: open\n|VIP : 60,000\n|R : 50,000",
    "cubic feet": "With the 2.1 cu.ft. front trunk it holds 21.7 cu.ft. in total.| It is small.",
    "bullets": "We need:\n|- salt\n|- pepper\n|- Mr. Smith",
    "numbers": "Steps:\n|1. Open the door.\n|2. Go in.\n|3. Close it.",
    "numbered inline": "1. Introduction\n\n|The report begins.",
    "letters": "a) first\n|b) second",
    "paragraphs by single line ends": "Stocks fell on Monday as traders waited for the bank to speak about rates again"
    * 3
    + "\n|Bonds rose.",
    "heading line": "Markets\n|Stocks fell on Monday as traders waited for the bank.| Bonds rose.",
    "arabic": "كيف حالك؟| أنا بخير.| شكرا لك!",
    "arabic semicolon": "ذهب إلى السوق؛ ثم عاد، وكان متعبا.| نام مبكرا.",
    "arabic doctor": "قال د. محمد إن العدد 3.5 في المئة.| وأضاف أ. علي أنه كاف.",
    "arabic initial": "صدرت ترجمة جون سي. ميسنجر أمس.| ثم نفدت.",
    "arabic letters": "قالت بي بي سي.| ثم صمتت.",
    "arabic quotes": "قال: «لن نستسلم.»| ثم رحل.",
    "urdu": "وہ گھر گیا۔| پھر سو گیا۔",
    "hindi": "वह घर गया।| फिर सो गया।",
    "chinese": "他走了。|她留下了！|为什么？",
    "iphone": "They launched a phone.| iPhone sales rose.",
    "money": "It cost $5.| €6 is too much.| £7 is absurd.",
    "number start": "It fell.| 20 people died in 2019.| 3 survived.",
    "year": "It happened in 2010.| The year after was calm.",
    "roman": "World War I.| The war ended in 1918.",
    "degree": "Jane Roe, Ph.D., and John Doe, M.D., agreed.| They published.",
    "hashtag": "Tag us.| #kuwait is trending.| @kuna said so.",
    "dash": "He left. – and came back.| Good.",
    "address": "She lives at 10 Downing St. in London.| It has a cat.",
    "ratings": "Moody's cut it to Baa3.| S&P kept BBB.| Fitch waited.",
    "time dots": "The bus leaves at 10.30.| Be early.",
    "names with ms": "Ms. Lee, Prof. Kim and Hon. Park came.| Rev. Moon did not.",
    "sports": "He won 6-4, 6-3.| No. 2 seed Rafael Nadal lost.",
    "spaced ellipsis": "He said . . . nothing.| Good.",
    "trailing space": "It ended.  \n",
    "no stop": "Exit mobile version",
}


def parts(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text)]


def expected(case: str) -> list[str]:
    """The sentences with the white space after each; the mark stands before or after that white space."""
    text, marks = "", [0]
    for piece in case.split("|"):
        text += piece
        marks.append(len(text))
    edges = [0] + [m + len(text[m:]) - len(text[m:].lstrip()) for m in marks[1:-1]] + [len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_hard_case_is_split_where_a_reader_would(case: str) -> None:
    assert parts(case.replace("|", "")) == expected(case)


def test_the_table_is_split_better_than_pysbd_does() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        import pysbd
    ours, theirs = 0, 0
    for case in CASES.values():
        text = case.replace("|", "")
        wanted = [sentence.strip() for sentence in expected(case)]
        ours += [sentence.strip() for sentence in parts(text)] == wanted
        language = "ar" if re.search("[؀-ۿ]", text) else "en"
        theirs += [s.strip() for s in pysbd.Segmenter(language=language, clean=False).segment(text)] == wanted
    assert ours == len(CASES)
    assert theirs < ours - 10


TEXTS = st.text(st.sampled_from("aA. \n\t!?\"'”“)(…؟؛دI5-•。\u2028\x85")) | st.text()


@given(TEXTS)
def test_sentences_tile_the_text(text: str) -> None:
    spans = split_sentences(text)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert all(span.start < span.end for span in spans)


@given(TEXTS)
def test_only_the_first_sentence_may_start_with_white_space_and_none_is_blank(text: str) -> None:
    sentences = parts(text)
    assert not any(sentence[0].isspace() for sentence in sentences[1:])
    assert not any(sentence.isspace() for sentence in sentences[1:])


@given(TEXTS, TEXTS)
def test_a_blank_line_ends_a_sentence_so_paragraphs_are_independent(one: str, two: str) -> None:
    one, two = one.strip(), two.strip()
    if one and two:
        assert parts(f"{one}\n\n{two}")[-len(parts(two)) :] == parts(two)


@given(TEXTS)
def test_trim_leaves_the_words_without_white_space_around(text: str) -> None:
    start, end = trim(text, Span(0, len(text)))
    assert text[start:end] == text.strip()


def test_trim_of_white_space_is_empty_at_its_start() -> None:
    assert trim("a   b", Span(1, 4)) == Span(1, 1)


def test_the_empty_text_has_no_sentences() -> None:
    assert split_sentences("") == []


def test_white_space_alone_is_one_span() -> None:
    assert split_sentences(" \n\n ") == [Span(0, 4)]


def test_the_shipped_article_has_the_sentences_a_reader_counts() -> None:
    (article,) = shipped_articles()
    assert len(split_sentences(article.text)) == 12


@pytest.mark.parametrize("unit", ["a. B ", "\n", "x\n", "“A.” ", "J. ", "...", "a" * 50, "A\nb", "(", "1.\n"])
def test_time_is_linear_in_the_length(unit: str) -> None:
    short, long = unit * 500, unit * 20_000
    start = time.process_time()
    split_sentences(short)
    split_sentences(long)
    assert time.process_time() - start < 3.0
