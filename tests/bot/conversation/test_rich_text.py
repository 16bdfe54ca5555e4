from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.conversation.rich_text import (
    Rich,
    Style,
    Styled,
    joined,
    one_line,
    printable,
    right_to_left,
    terminal,
    utf16_units,
)


def printed(rich: Rich) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="truecolor", width=200, highlight=False, no_color=False
    )
    console.print(terminal(rich))
    return out.getvalue()


def test_styles_become_colours() -> None:
    rich = Rich("a bold word", (Styled(0, 11, Style.QUOTE), Styled(2, 6, Style.BOLD), Styled(7, 11, Style.UNDERLINE)))
    assert printed(rich) == "a \x1b[1;32mbold\x1b[0m \x1b[4mword\x1b[0m\n"


def test_a_link_in_a_terminal_has_a_printable_web_address_or_none() -> None:
    fine = printed(Rich("go", (Styled(0, 2, Style.LINK, "https://news.example/كويت?q=a b\x1b[2J\x07"),)))
    assert ";https://news.example/%D9%83%D9%88%D9%8A%D8%AA?q=a%20b%1B[2J%07\x1b\\go" in fine
    assert printed(Rich("go", (Styled(0, 2, Style.LINK, "javascript:alert(1)"),))) == "go\n"
    assert printed(Rich("go", (Styled(0, 2, Style.LINK),))) == "go\n"


def test_printable_keeps_words_and_drops_orders() -> None:
    assert printable("a\tb\r\n\x1b[31mred\x1b[0m \x9b2J\x07\x00\udc80é 🚀 كويت\u200f") == "a b\nred 2Jé 🚀 كويت\u200f"


@given(st.lists(st.builds(Rich, st.text(max_size=5)).map(lambda part: part.styled(Style.BOLD))), st.text(max_size=2))
def test_joined_parts_keep_their_spans(parts: list[Rich], gap: str) -> None:
    whole = joined(parts, gap)
    assert whole.text == gap.join(part.text for part in parts if part.text)
    assert [whole.text[s.start : s.end] for s in whole.spans] == [part.text for part in parts if part.text]


@given(st.text())
def test_utf_16_units_are_those_of_the_encoding(text: str) -> None:
    assert utf16_units(text) == sum(2 if ord(ch) > 0xFFFF else 1 for ch in text)


@pytest.mark.parametrize(("text", "leftwards"), [("كويت", True), ("12 كويت", True), ("Kuwait", False), ("12", False)])
def test_the_direction_of_a_text_is_that_of_its_first_strong_letter(text: str, leftwards: bool) -> None:
    assert right_to_left(text) is leftwards


def test_a_line_has_no_directional_controls_and_is_cut_with_an_ellipsis() -> None:
    assert one_line("Two\nlines \u202eand\u202c a trick") == "Two lines and a trick"
    assert one_line("abcdef", limit=5) == "abcd…"
