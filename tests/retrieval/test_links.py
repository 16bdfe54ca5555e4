from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.links import link_to


def test_without_a_url_there_is_no_link() -> None:
    assert link_to(None, "any words") is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Ten officials left.", "https://x.org/a#:~:text=Ten%20officials%20left."),
        ("one-off, yes & no", "https://x.org/a#:~:text=one%2Doff%2C%20yes%20%26%20no"),
        ("قال الوزير", "https://x.org/a#:~:text=%D9%82%D8%A7%D9%84%20%D8%A7%D9%84%D9%88%D8%B2%D9%8A%D8%B1"),
        (" ".join("abcdefghijklmnop"), "https://x.org/a#:~:text=a%20b%20c%20d%20e,l%20m%20n%20o%20p"),
        ("end of one\n\nstart of the next", "https://x.org/a#:~:text=end%20of%20one"),
        (" \n", "https://x.org/a"),
    ],
    ids=["short", "reserved characters", "Arabic", "only the ends of many words", "two paragraphs", "no words"],
)
def test_the_fragment_holds_the_words(words: str, expected: str) -> None:
    assert link_to("https://x.org/a", words) == expected


def test_the_text_fragment_replaces_a_fragment_of_the_url() -> None:
    assert link_to("https://x.org/a?b=1#top", "word") == "https://x.org/a?b=1#:~:text=word"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_part_of_the_fragment_occurs_in_the_words(words: str) -> None:
    link = link_to("https://x.org/a", words) or ""
    if ":~:text=" in link:
        for part in link.split(":~:text=")[1].split(","):
            assert unquote(part) in " ".join(words.split())
