"""Cleaning removes what is not the article and nothing else; doing it twice changes nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.text.clean import clean_text, is_boilerplate, normalize, one_line, site_name, strip_boilerplate

MESSY = st.text(st.sampled_from("ab \t\r\n\x0b\x85\u2028\ufeff\u200b\u0301é\x00\x07\ud800"))
LINES = st.lists(
    st.sampled_from(["", "Exit mobile version", "Share this:", "Kuwait signs.", "  ", "Advertisement", "Read more"])
).map("\n".join)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line ends"),
        pytest.param("a\u2028b\u2029c\x0bd\x0ce\x85f", "a\nb\nc\nd\ne\nf", id="rare line ends"),
        pytest.param("cafe\u0301", "caf\u00e9", id="composed"),
        pytest.param("\ufeffa\u200bb\x00c\x07\xadd", "abcd", id="invisible"),
        pytest.param("a \t\nb  ", "a\nb", id="trailing spaces"),
        pytest.param("a\n\n \n\nb", "a\n\nb", id="blank lines"),
        pytest.param("\n\n  a\n", "a", id="ends"),
        pytest.param("a\ud800b", "a\ufffdb", id="lone surrogate"),
        pytest.param("می\u200cروم 👩\u200d🚀", "می\u200cروم 👩\u200d🚀", id="joiners stay"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_text_is_cleaned(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(MESSY | st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean


@given(MESSY | st.text())
def test_clean_text_is_what_an_article_may_hold(text: str) -> None:
    clean = clean_text(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert not set(clean) & {"\0", "\r", "\ufeff"}
    assert clean == clean.strip()


@given(st.text())
def test_cleaning_keeps_every_word_without_invisible_letters(text: str) -> None:
    words = "".join(ch for ch in text if ch.isalnum() or ch.isspace())
    assert clean_text(words).split() == unicodedata.normalize("NFC", words).split()


@given(MESSY)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


def test_normalizing_touches_only_composition_and_line_ends() -> None:
    assert normalize(" cafe\u0301 \r\n\r\n\r\n\tb\r") == " caf\u00e9 \n\n\n\tb\n"


@pytest.mark.parametrize(
    "line",
    [
        "Site icon TimesKuwait",
        "Exit mobile version",
        "Share this",
        "SHARE THIS:",
        "Share on Facebook",
        "Facebook | Twitter | WhatsApp",
        "Click to share on Twitter (Opens in new window)",
        "Like this: Loading...",
        "Advertisement",
        "Sponsored Content",
        "Story continues below advertisement",
        "Skip to content",
        "Leave a comment",
        "Comments (3)",
        "You may also like",
        "Related stories:",
        "This site uses cookies to improve your visit.",
        "© 2026 Times Kuwait",
        "Copyright 2026 The Times",
        "All rights reserved.",
        "Follow us on Facebook and Twitter.",
        "Read more...",
        "The post Road opens early appeared first on The Daily.",
    ],
)
def test_boilerplate_is_recognised(line: str) -> None:
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Share prices fell on Monday.",
        "Read more books, she said.",
        "Home sales rose in May.",
        "Comments by the minister drew anger.",
        "🙂",
        "***",
        "Search teams found the boat.",
        "More from him later.",
        "Share on Monday rose 5 percent.",
        "Follow us on the journey to the north, they said.",
        "“Share this with your neighbours.”",
        "Advertisement spending rose 5 percent.",
        "Related to the crown by marriage, she left.",
        "Sponsored by " + "a very long list of firms " * 20,
    ],
)
def test_what_a_reporter_writes_is_not_boilerplate(line: str) -> None:
    assert not is_boilerplate(line)


def test_boilerplate_is_removed_at_the_ends_only() -> None:
    text = "Site icon X\n\nShare this\n\nOne.\n\nAdvertisement\n\nTwo.\n\nLike this:\nExit mobile version"
    assert strip_boilerplate(text) == "One.\n\nAdvertisement\n\nTwo."


def test_nothing_is_left_of_boilerplate_alone() -> None:
    assert strip_boilerplate("Share this\n\nExit mobile version") == ""


@given(LINES)
def test_removing_boilerplate_twice_changes_nothing(text: str) -> None:
    assert strip_boilerplate(strip_boilerplate(text)) == strip_boilerplate(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Site icon TimesKuwait\n\nBody", "Times Kuwait"),
        ("Body\n Site icon KuwaitTimes ", "Kuwait Times"),
        ("Site icon BuzzFeed", "BuzzFeed"),
        ("Site icon The Daily Star", "The Daily Star"),
        ("The Site icon Times", None),
        ("", None),
    ],
)
def test_the_outlet_is_in_the_site_icon_line(text: str, name: str | None) -> None:
    assert site_name(text) == name


def test_a_name_is_put_on_one_line() -> None:
    assert one_line("  a\r\n b\t\u2028c ") == "a b c"
