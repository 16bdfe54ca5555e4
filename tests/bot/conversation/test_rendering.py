from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.dialogue import Explain, Help, Leave, Say, Show, Widen
from bot.conversation.languages import Language
from bot.conversation.phrases import FSI, LRM, PDI, RLM, Phrase, say
from bot.conversation.rendering import LONG, QuoteLook, answer, articles, help_text, reply, source, why, wider
from bot.conversation.rich_text import (
    MessageRoom,
    Rich,
    Style,
    Styled,
    printable,
    right_to_left,
    terminal,
    utf16_units,
)
from corpus.article import Article, Span
from retrieval.ranking import confidence, fusion
from retrieval.results import Answer, Quote
from tests.bot import answers
from tests.bot.answers import FIRST, LAST, SECOND, TEXT, THIRD, TITLE, article, quote

EN, AR = Language.EN, Language.AR
PHONE = MessageRoom(4096, utf16_units)
SOURCE = f"{TITLE} · Times Kuwait"


def pieces(rich: Rich, *styles: Style) -> list[tuple[str, str]]:
    """The spans of some styles, or of all, as style and words."""
    return [(s.style.value, rich.text[s.start : s.end]) for s in rich.spans if not styles or s.style in styles]


def test_an_answer_in_lines_is_its_words_in_quotation_marks_over_its_source() -> None:
    rich = answer(answers.answer(quote(article(), f"{FIRST} {SECOND}", SECOND, FIRST)), EN, look=QuoteLook.MARKS)
    assert rich.text == f'"{FIRST} {SECOND}"\n{SOURCE}'
    assert pieces(rich) == [("quote", f"{FIRST} {SECOND}"), ("bold", SECOND), ("underline", FIRST), ("dim", SOURCE)]


def test_an_answer_in_blocks_has_no_quotation_marks_and_links_its_title() -> None:
    kuwait = article(url="https://news.example/kuwait", published="2026-11-24")
    rich = answer(answers.answer(quote(kuwait, FIRST, FIRST, link="https://news.example/kuwait#:~:text=According")), EN,
                  look=QuoteLook.BLOCKS)  # fmt: skip
    assert rich.text == f"{FIRST}\n{SOURCE} · 24 November 2026"
    assert rich.spans == (
        Styled(0, len(FIRST), Style.QUOTE),
        Styled(0, len(FIRST), Style.BOLD),
        Styled(
            len(FIRST) + 1,
            len(FIRST) + 1 + len(TITLE),
            Style.LINK,
            "https://news.example/kuwait#:~:text=According",
        ),
    )


def test_other_articles_that_say_the_same_are_named_under_the_source() -> None:
    others = (
        article(source="The Daily", url="https://daily.example/"),
        article(title="Victims protected", source=None),
        article(source="القبس"),
    )
    told = replace(quote(article(), FIRST, FIRST), also_in=others)
    rich = answer(answers.answer(told), EN, look=QuoteLook.BLOCKS)
    names = [f"{FSI}{name}{PDI}" for name in ("The Daily", "Victims protected", "القبس")]
    assert rich.text == f"{FIRST}\n{SOURCE}\nAlso in: {', '.join(names)}"
    assert pieces(rich, Style.LINK) == [("link", names[0])]
    many = replace(told, also_in=tuple(article(source=f"Paper {n}") for n in range(7)))
    line = answer(answers.answer(many), EN, look=QuoteLook.MARKS).text.splitlines()[-1]
    assert line == "Also in: Paper 0, Paper 1, Paper 2, Paper 3, Paper 4, …"


def test_a_title_links_to_the_article_where_the_quote_has_no_link() -> None:
    kuwait = article(url="https://news.example/kuwait", source=None)
    assert source(kuwait, EN) == Rich(TITLE, (Styled(0, len(TITLE), Style.LINK, "https://news.example/kuwait"),))


def test_an_arabic_quote_has_the_quotation_marks_of_its_language() -> None:
    words = "بقيت الكويت في المستوى الثاني."
    rich = answer(answers.answer(quote(article(words, "تقرير", source="القبس"), words)), EN, look=QuoteLook.MARKS)
    assert rich.text == f"«{words}»\nتقرير · القبس"


def long_article() -> tuple[Article, str, str, str]:
    before = " ".join(f"Sentence {n} before it." for n in range(12))
    after = " ".join(f"Sentence {n} after it." for n in range(12))
    best = "Here is what was asked for."
    return article(f"{before} {best}\n\n{after}"), before, best, after


def test_a_long_passage_folds_up_around_its_best_sentence() -> None:
    told, before, best, after = long_article()
    rich = answer(answers.answer(quote(told, told.text, best)), EN, look=QuoteLook.BLOCKS)
    assert rich.text == f"{before}\n{best}\n{after}\n{SOURCE}"
    assert pieces(rich) == [
        ("expandable_quote", before),
        ("quote", best),
        ("bold", best),
        ("expandable_quote", after),
    ]


def test_what_is_short_beside_the_best_sentence_stays_open() -> None:
    after = "And on it went. " * 40
    told = article(f"{FIRST} {SECOND} {after.strip()}")
    rich = answer(answers.answer(quote(told, told.text, SECOND)), EN, look=QuoteLook.BLOCKS)
    assert pieces(rich) == [
        ("quote", f"{FIRST} {SECOND}"),
        ("bold", SECOND),
        ("expandable_quote", after.strip()),
    ]


def test_a_declined_answer_says_so_before_the_nearest_quotes() -> None:
    declined = answers.answer(quote(article(), LAST), quote(article(), THIRD), answered=False)
    first, second = (answer(declined, EN, first=n, look=QuoteLook.MARKS).text for n in (0, 1))
    assert first == f'I didn\'t find an answer to that in the articles. Closest passage:\n\n"{LAST}"\n{SOURCE}'
    assert second == f'"{THIRD}"\n{SOURCE}'


@pytest.mark.parametrize(("confidence", "head"), [(0.79, "This may answer it:\n\n"), (0.8, "")])
def test_an_answer_that_is_not_certain_says_that_it_may_be_one(confidence: float, head: str) -> None:
    unsure = answers.answer(quote(article(), FIRST, FIRST), quote(article(), LAST, LAST), confidence=confidence)
    assert answer(unsure, EN, look=QuoteLook.MARKS).text == f'{head}"{FIRST}"\n{SOURCE}'
    assert answer(unsure, EN, first=1, look=QuoteLook.MARKS).text == f'"{LAST}"\n{SOURCE}'


def test_an_answer_without_quotes_says_so() -> None:
    nothing = answers.answer(answered=False)
    assert answer(nothing, EN, look=QuoteLook.MARKS) == Rich("I didn't find an answer to that in the articles.")
    assert answer(nothing, EN, first=1, look=QuoteLook.MARKS) == Rich("")


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        pytest.param(1000, f"{FIRST} {SECOND}\n{SOURCE}\n\n{LAST}\n{SOURCE}", id="both quotes"),
        pytest.param(300, f"{FIRST} {SECOND}\n{SOURCE}", id="the first, whole"),
        pytest.param(190, f"{SECOND}\n{SOURCE}", id="its best sentence"),
        pytest.param(132, f"The passage is too long to show here.\n{SOURCE}", id="its source"),
        pytest.param(60, "The passage is too long to show here.", id="a word about it"),
        pytest.param(20, "", id="nothing"),
    ],
)
def test_whole_quotes_are_dropped_to_keep_a_limit(limit: int, text: str) -> None:
    two = answers.answer(quote(article(), f"{FIRST} {SECOND}", SECOND), quote(article(), LAST))
    assert answer(two, EN, count=2, look=QuoteLook.BLOCKS, room=MessageRoom(limit)).text == text


def test_a_limit_is_kept_as_it_is_measured() -> None:
    rockets = "🚀" * 100
    one = answers.answer(quote(article(f"{rockets}. Yes.", "T", source=None), f"{rockets}. Yes.", "Yes."))
    assert answer(one, EN, look=QuoteLook.BLOCKS, room=MessageRoom(150)).text == f"{rockets}. Yes.\nT"
    assert answer(one, EN, look=QuoteLook.BLOCKS, room=MessageRoom(150, utf16_units)).text == "Yes.\nT"


def test_wider_context_shows_the_paragraphs_around_a_quote() -> None:
    one = quote(article(url="https://news.example/1"), THIRD, THIRD, context=f"{THIRD}\n\n{LAST}")
    rich = wider(one, EN, look=QuoteLook.MARKS)
    assert rich.text == f'"{THIRD}\n\n{LAST}"\n{SOURCE}\nhttps://news.example/1'
    assert pieces(rich) == [("quote", f"{THIRD}\n\n{LAST}"), ("bold", THIRD), ("dim", SOURCE), ("link", TITLE)]


def test_wider_context_gives_way_to_the_quote_where_there_is_no_room() -> None:
    one = quote(article(), THIRD, THIRD)
    assert wider(one, EN, look=QuoteLook.BLOCKS, room=MessageRoom(len(TEXT))).text == f"{THIRD}\n{SOURCE}"


def test_metadata_of_both_directions_is_isolated_and_of_one_is_not() -> None:
    mixed = article(title="تقرير عن الكويت", source="Times Kuwait", published="2026-11-24")
    assert source(mixed, EN).text == (
        f"{LRM}{FSI}تقرير عن الكويت{PDI} · {FSI}Times Kuwait{PDI} · {FSI}24 November 2026{PDI}"
    )
    assert source(article(published="2026-11-24"), AR).text == (
        f"{RLM}{FSI}{TITLE}{PDI} · {FSI}Times Kuwait{PDI} · {FSI}٢٤ نوفمبر ٢٠٢٦{PDI}"
    )
    assert source(article(title="1984", source="99"), EN).text == "1984 · 99"


def test_a_link_over_an_isolated_title_covers_the_title_alone() -> None:
    mixed = article(title="تقرير", url="https://news.example/1")
    assert pieces(source(mixed, EN)) == [("link", "تقرير")]


def test_a_title_is_one_line_without_directional_controls_and_not_endless() -> None:
    assert source(article(title="Two\nlines \u202eand\u202c a trick", source=None), EN).text == "Two lines and a trick"
    assert source(article(title="long " * 100, source=None), EN).text == ("long " * 40).strip() + "…"


WEIGHED = Answer(
    "?",
    True,
    0.914,
    (
        replace(quote(article(), FIRST), evidence={"dense rank": 1.0, "cosine": 0.712}),
        replace(quote(article(), LAST), evidence={"bm25": 12.0}),
    ),
    "s",
    1,
    {"unmet": 0.5, "lead": -2.0},
)


def test_why_is_a_table_with_a_column_a_quote() -> None:
    table = (
        "quote               1     2\n"
        "rank by meaning     1     –\n"
        "meaning          0.71     –\n"
        "BM25                –    12\n"
        "score            0.50  0.50"
    )
    decisive = "passage missing   0.50\nlead over others    -2"
    rich = why(WEIGHED, EN)
    assert rich.text == f"I'm 91% sure the first quote answers this.\n\n{table}\n\n{decisive}"
    assert pieces(rich) == [("code", table), ("code", decisive)]


def test_why_in_arabic_is_a_table_that_runs_from_right_to_left() -> None:
    table = (
        "الاقتباس        ١     ٢   \n"
        "الرتبة بالمعنى  ١     –   \n"
        "المعنى          ٠٫٧١  –   \n"
        "درجة BM25       –     ١٢  \n"
        "الدرجة          ٠٫٥٠  ٠٫٥٠"
    )
    decisive = "ناقص في المقطع   ٠٫٥٠\nالتقدم على غيره  -٢  "
    rich = why(WEIGHED, AR)
    assert pieces(rich) == [("code", table), ("code", decisive)]
    assert rich.text == f"أنا متأكد بنسبة ٩١٪ من أن الاقتباس الأول يجيب عن السؤال.\n\n{table}\n\n{decisive}"


def test_each_row_of_the_arabic_table_opens_with_what_turns_it_to_the_right() -> None:
    assert all(right_to_left(say(phrase, AR)) for phrase in Phrase if phrase.startswith("evidence_"))


def test_whatever_is_weighed_has_a_name_as_wide_as_it_has_letters() -> None:
    weighed = {*fusion.EVIDENCE, *confidence.EVIDENCE, "dense rank", "lexical rank"}
    weighed |= {"reranker", "read", "score", "quote"}
    assert {f"evidence_{name.replace(' ', '_')}" for name in weighed} == {
        phrase for phrase in Phrase if phrase.startswith("evidence_")
    }
    named = [say(phrase, language) for phrase in Phrase if phrase.startswith("evidence_") for language in Language]
    assert not [name for name in named if any(map(unicodedata.combining, name))]


def test_why_of_an_answer_that_is_not_certain() -> None:
    unsure = answers.answer(quote(article(), FIRST), confidence=0.61)
    assert why(unsure, EN).text.splitlines()[0] == (
        "I'm 61% sure the first quote answers this: not sure enough to say it does."
    )


def test_why_of_a_declined_answer() -> None:
    declined = answers.answer(quote(article(), FIRST), answered=False, confidence=0.04)
    assert why(declined, EN).text == (
        "I'm only 4% sure the first quote answers this, so I didn't say it does.\n\nquote     1\nscore  0.50"
    )
    assert why(answers.answer(answered=False), EN).text == "No passage has anything in common with the question."


def test_articles_are_counted_and_numbered() -> None:
    listed = [article(title=title, source=None, published="2026-01-02") for title in ("One", "Two", "Three")]
    assert articles(listed, EN).text == (
        "3 articles\n1. One · 2 January 2026\n2. Two · 2 January 2026\n3. Three · 2 January 2026"
    )
    assert articles(listed, AR, first=1, count=1).text == f"٣ مقالات\n٢. {RLM}{FSI}Two{PDI} · {FSI}٢ يناير ٢٠٢٦{PDI}"
    assert articles(listed, EN, room=MessageRoom(40)).text == "3 articles\n1. One · 2 January 2026"
    assert articles([], EN).text == "There are no articles yet."


def test_help_names_each_command() -> None:
    assert help_text(["why", "quit"], EN).text.splitlines()[1:] == ["/why – why I chose this passage", "/quit – leave"]
    assert help_text(["quit"], AR).text.splitlines()[1:] == [f"{FSI}/quit{PDI} – الخروج"]


def test_every_turn_but_the_list_of_articles_is_rendered() -> None:
    one = quote(article(), FIRST, FIRST)
    given_answer = answers.answer(one)
    turns: list[Say | Help | Show | Widen | Explain | Leave] = [
        Say("a", EN),
        Leave("b", EN),
        Help(EN),
        Show(given_answer, 0, 1, EN),
        Widen(one, EN),
        Explain(given_answer, EN),
    ]
    assert [reply(turn, look=QuoteLook.MARKS, commands=["why"]) for turn in turns] == [
        Rich("a"),
        Rich("b"),
        help_text(["why"], EN),
        answer(given_answer, EN, look=QuoteLook.MARKS),
        wider(one, EN, look=QuoteLook.MARKS),
        why(given_answer, EN),
    ]


# A terminal.


# Laws, over nasty texts.

NASTY = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from("🚀👨‍👩‍👧‍👦🇰🇼\u0301\u200b\u200d\u200f\u202e\u2068كويت<b>&*_[]()`~>|\\/\x1b\r\n\t \u2028"),
    ),
    min_size=1,
    max_size=120,
)


@st.composite
def nasty_quotes(draw: st.DrawFn) -> Quote:
    def text() -> str:
        return unicodedata.normalize("NFC", f"x{draw(NASTY) * draw(st.sampled_from([1, 1, 3, 90]))}")

    told = Article("id", text(), text(), url=draw(st.sampled_from([None, "https://news.example/1"])),
                   source=draw(st.none() | NASTY), published=draw(st.sampled_from([None, "2026-11-24"])))  # fmt: skip
    edges = sorted(draw(st.lists(st.integers(0, len(told.text)), min_size=6, max_size=6, unique=False)))
    context, span = Span(edges[0], edges[5]), Span(edges[1], edges[4])
    if not told.text[slice(*span)].strip():
        context = span = Span(0, len(told.text))
    highlights = tuple(
        mark
        for mark in draw(
            st.permutations([Span(span.start, edges[2]), Span(edges[2], edges[3]), Span(edges[3], span.end)])
        )
        if span.start <= mark.start < mark.end <= span.end and told.text[slice(*mark)].strip()
    )
    return Quote(told, span, highlights[: draw(st.integers(0, 3))], 1.0, context)


NASTY_ANSWERS = st.builds(
    lambda quotes, *, answered: Answer("?", answered, 0.5, tuple(quotes), "s", 1),
    st.lists(nasty_quotes(), max_size=3),
    answered=st.booleans(),
)


def lies_well(spans: Sequence[Styled], length: int) -> bool:
    """Whether spans lie in the text, none empty, and any two are disjoint or one holds the other."""
    return all(0 <= s.start < s.end <= length for s in spans) and all(
        a.end <= b.start or b.end <= a.start or (a.start <= b.start and b.end <= a.end)
        or (b.start <= a.start and a.end <= b.end)
        for a in spans for b in spans
    )  # fmt: skip


@given(NASTY_ANSWERS, st.sampled_from(QuoteLook), st.sampled_from(Language), st.integers(0, 6000))
def test_a_message_is_never_longer_than_its_limit_and_its_spans_lie_in_it(
    shown: Answer, look: QuoteLook, language: Language, limit: int
) -> None:
    room = MessageRoom(limit, utf16_units)
    messages = [answer(shown, language, first=n, count=2, look=look, room=room) for n in range(3)]
    messages += [wider(each, language, look=look, room=room) for each in shown.quotes]
    messages += [why(shown, language, room=room)]
    for message in messages:
        assert utf16_units(message.text) <= limit
        assert lies_well(message.spans, len(message.text))


@given(nasty_quotes(), st.sampled_from(QuoteLook))
def test_quoted_words_are_verbatim_and_whole(one: Quote, look: QuoteLook) -> None:
    rich = answer(answers.answer(one), EN, look=look)
    quoted = [words for _, words in pieces(rich, Style.QUOTE, Style.EXPANDABLE_QUOTE)]
    assert all(words in one.text for words in quoted)
    assert "".join("".join(quoted).split()) == "".join(one.text.split())
    if look is QuoteLook.MARKS or len(one.text) <= LONG:
        assert quoted == [one.text.strip()]
    best = one.article.text[slice(*one.highlights[0])].strip() if one.highlights else None
    assert [words for _, words in pieces(rich, Style.BOLD)] == ([best] if best else [])


@given(nasty_quotes(), st.integers(1, 4096))
def test_a_phone_shows_whole_quotes_or_whole_sentences_only(one: Quote, limit: int) -> None:
    rich = answer(answers.answer(one), EN, look=QuoteLook.BLOCKS, room=MessageRoom(limit, utf16_units))
    quoted = "".join("".join(words for _, words in pieces(rich, Style.QUOTE, Style.EXPANDABLE_QUOTE)).split())
    best = one.article.text[slice(*(one.highlights[0] if one.highlights else one.span))]
    assert quoted in {"", "".join(one.text.split()), "".join(best.split())}


def test_a_passage_of_ten_thousand_rockets_gives_way_to_its_source() -> None:
    one = quote(article("🚀" * 10_000, "T", source=None), "🚀" * 10_000)
    assert answer(answers.answer(one), EN, look=QuoteLook.BLOCKS, room=PHONE).text == (
        "The passage is too long to show here.\nT"
    )


@given(nasty_quotes())
def test_a_terminal_gets_no_orders_from_an_article(one: Quote) -> None:
    rich = answer(answers.answer(one), EN, look=QuoteLook.MARKS)
    for shown in (terminal(rich).plain, printable(rich.text)):
        assert all(ch == "\n" or unicodedata.category(ch) not in ("Cc", "Cs") for ch in shown)


@pytest.mark.parametrize(("look", "marked"), [(QuoteLook.MARKS, "underline"), (QuoteLook.BLOCKS, "italic")])
def test_the_words_that_answer_are_bold_in_their_underlined_or_italic_sentence(look: QuoteLook, marked: str) -> None:
    found = article()
    read = replace(quote(found, FIRST, FIRST), answer=answers.span(found, "the second level"))
    rich = answer(answers.answer(read), EN, look=look)
    assert [piece for piece in pieces(rich) if piece[0] in {"bold", marked}] == [
        (marked, FIRST),
        ("bold", "the second level"),
    ]
