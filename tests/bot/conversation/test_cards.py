from __future__ import annotations

import datetime as dt
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.conversation import cards
from bot.conversation.cards import CallbackData, Card, StoredAnswer
from bot.conversation.languages import Language
from bot.conversation.rich_text import Rich, utf16_units
from bot.service.browsing import article_key
from bot.telegram_bot.messages import entities_of, keyboard_of
from corpus.article import Article, Span
from retrieval.results import Quote
from tests.bot_api.checks import cut, keyboard, text_and_entities
from tests.sample_library import BRIDGE, HARBOUR, LIBRARY, article_list

NASTY = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from("😀👨‍👩‍👧é̂\u200b\u200fأهلا<b>*_[](`&amp;\n\n .!?«»“”"),
    ),
    min_size=1,
    max_size=400,
)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    text = unicodedata.normalize("NFC", draw(NASTY) * draw(st.sampled_from([1, 1, 3, 40])))
    title = unicodedata.normalize("NFC", draw(NASTY))
    assume(text.strip() and title.strip())
    url = draw(st.sampled_from([None, "https://example.org/a?b=c#d", "example.org", "https://مثال.قطر/خبر"]))
    article = Article(
        id="a",
        title=title,
        text=text,
        url=url,
        source=draw(st.sampled_from([None, "صحيفة", "The Post 😀"])),
        published=draw(st.sampled_from([None, "2026-11-24"])),
    )
    edges = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 6)))
    assume(edges[1] < edges[4] and edges[2] < edges[3])
    assume(text[edges[1] : edges[4]].strip() and text[edges[2] : edges[3]].strip())
    return Quote(
        article=article,
        span=Span(edges[1], edges[4]),
        highlights=(Span(edges[2], edges[3]),),
        score=1,
        context=Span(edges[0], edges[5]),
        link=draw(st.sampled_from([None, url])),
    )


def accepted(card: Card) -> None:
    """Telegram would take the card."""
    raw = [entity.to_dict() for entity in entities_of(card.rich)]
    text_and_entities(card.rich.text, raw)
    markup = keyboard_of(card)
    keyboard(markup.to_dict() if markup else None)
    assert utf16_units(card.rich.text) <= 4096


@given(quotes(), st.sampled_from(Language), st.booleans(), st.booleans())
def test_a_quote_of_any_text_makes_a_message_telegram_takes_with_its_words_verbatim(
    quote: Quote, language: Language, wide: bool, answered: bool
) -> None:
    card = cards.quote(StoredAnswer(1, answered, (quote, quote)), 0, language, wide=wide)
    assert card is not None
    accepted(card)
    entities = [entity.to_dict() for entity in entities_of(card.rich)]
    for entity in entities:
        if entity["type"] in ("blockquote", "expandable_blockquote", "bold"):
            assert cut(card.rich.text, entity) in quote.article.text
    if any(entity["type"] == "blockquote" for entity in entities):
        best = quote.article.text[slice(*quote.highlights[0])].strip()
        assert best in [cut(card.rich.text, e) for e in entities if e["type"] == "bold"]


@given(st.lists(quotes(), max_size=30), st.sampled_from(Language), st.integers(0, 9))
def test_articles_of_any_title_make_messages_telegram_takes(found: list[Quote], language: Language, page: int) -> None:
    listed = article_list(
        [
            Article(id=f"{n}{quote.article.id}", title=quote.article.title, text="Text", url=quote.article.url)
            for n, quote in enumerate(found)
        ]
    )
    accepted(cards.articles(listed, language, page))
    accepted(cards.announcement(listed, language))
    for quote in found[:3]:
        accepted(cards.article(quote.article, language, page, admin=True))
        accepted(cards.removal(quote.article, language, page))
    accepted(cards.latest(listed, language))
    accepted(cards.language_choice(language))


@given(st.sampled_from("qwgbainlfurd"), st.integers(0, 10**15), st.integers(0, 999_999))
def test_what_a_button_means_survives_the_way_in_64_bytes(what: str, number: int, place: int) -> None:
    press = CallbackData(what, str(number), place)
    assert len(press.data.encode()) <= 64
    assert (CallbackData.of(press.data), press.number) == (press, number)


@given(st.text())
def test_data_of_no_button_of_ours_means_nothing_or_something_harmless(data: str) -> None:
    press = CallbackData.of(data)
    assert press is None or press.data == data or press.place == int(data.split(":")[2])


KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "press"),
    [
        ("#12.0", CallbackData("q", "12", 0)),
        ("q-12-3", CallbackData("q", "12", 3)),
        (f"#a-{KEY}", CallbackData("i", KEY)),
        (f"a-{KEY}", CallbackData("i", KEY)),
        ("#x", None),
        ("a-0", None),
        ("", None),
    ],
)
def test_what_is_shared_is_known_by_its_reference(text: str, press: CallbackData | None) -> None:
    assert cards.shared_of(text) == press


def test_what_a_button_shares_is_known_again() -> None:
    quote = Quote(article=HARBOUR, span=Span(0, 90), highlights=(), score=0.5, context=Span(0, 90))
    for card, press in (
        (cards.quote(StoredAnswer(12, True, (quote,)), 0, Language.EN), CallbackData("q", "12", 0)),
        (cards.article(HARBOUR, Language.EN, 0), CallbackData("i", article_key("harbour"))),
    ):
        assert card is not None
        shared = [button.share for row in card.rows for button in row if button.share]
        assert [cards.shared_of(text) for text in shared] == [press]


def labels(card: Card | None) -> list[list[str]]:
    assert card is not None
    return [[button.label for button in row] for row in card.rows]


def test_pages_turn_the_way_people_read() -> None:
    quote = Quote(article=HARBOUR, span=Span(0, 90), highlights=(), score=0.5, context=Span(0, 90))
    stored = StoredAnswer(1, True, (quote, quote, quote))
    assert labels(cards.quote(stored, 1, Language.EN)) == [["◂", "2/3", "▸"], ["Share quote", "👍", "👎"]]
    assert labels(cards.quote(stored, 1, Language.AR)) == [["◂", "٢/٣", "▸"], ["👎", "👍", "مشاركة الاقتباس"]]
    english, arabic = (cards.quote(stored, 1, language) for language in Language)
    assert english is not None
    assert arabic is not None
    assert [button.data for button in english.rows[0]] == ["q:1:0", "n:1:1", "q:1:2"]
    assert [button.data for button in arabic.rows[0]] == ["q:1:2", "n:1:1", "q:1:0"]


def test_the_articles_since_a_day_are_counted_and_listed() -> None:
    listed = article_list(LIBRARY)
    card = cards.since(listed, dt.date(2026, 10, 5), Language.EN)
    assert card.rich.text.split("\n") == [
        "2 articles since 5 October 2026",
        "1. Bridge over the Ostra to close for repairs · Ostra Post · 1 November 2026",
        "2. Harbour strike ends in Port Vell · The Vell Courier · 5 October 2026",
    ]
    assert labels(card) == [["1", "2"]]
    assert cards.since(listed, dt.date(2026, 11, 2), Language.EN) == Card(
        Rich("There are no articles since 2 November 2026.")
    )


def test_the_latest_articles_come_with_their_first_words() -> None:
    card = cards.latest(article_list([HARBOUR, BRIDGE]), Language.EN)
    assert card.rich.text.startswith(
        "Bridge over the Ostra to close for repairs · Ostra Post · 1 November 2026\nThe old"
    )
    assert labels(card) == [["1", "2"], ["All articles"]]
    assert cards.latest(article_list([]), Language.EN).rich.text == "There are no articles yet."


def test_only_admins_see_the_button_that_removes_an_article() -> None:
    assert labels(cards.article(HARBOUR, Language.EN, 2)) == [["All articles", "Share article"]]
    assert labels(cards.article(HARBOUR, Language.EN, 2, admin=True)) == [["All articles", "Share article"], ["Remove"]]
    assert labels(cards.removal(HARBOUR, Language.EN, 2)) == [["Remove", "Cancel"]]


def test_a_quote_that_is_not_there_makes_no_card() -> None:
    assert cards.quote(StoredAnswer(1, True, (None,)), 0, Language.EN) is None
    assert cards.quote(StoredAnswer(1, True, ()), 0, Language.EN) is None


def test_the_last_page_stands_for_all_after_it() -> None:
    listed = article_list(LIBRARY)
    assert cards.articles(listed, Language.EN, 7) == cards.articles(listed, Language.EN, 0)


def test_a_long_article_is_introduced_by_its_first_whole_words() -> None:
    long = Article(id="l", title="Long", text="word " * 200, author="Ada Lund")
    text = cards.article(long, Language.EN, 0).rich.text
    assert text.startswith("Long\nAda Lund\nword word")
    assert text.endswith("word …")
    assert cards.article(HARBOUR, Language.EN, 0).rich.text.endswith("called the deal fair.")
