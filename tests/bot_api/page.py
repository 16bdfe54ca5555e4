"""A chat as a phone would show it, as one HTML page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence

from tests.bot_api.checks import Json

STYLE = """
* { box-sizing: border-box }
body { margin: 0; background: #dfe6ec; font: 15px/1.4 system-ui, sans-serif; display: flex; flex-wrap: wrap; gap: 2rem;
  justify-content: center; padding: 2rem }
section { width: 390px; background: #c9d8c5; border: 10px solid #22272b; border-radius: 34px; overflow: hidden }
header { background: #fff; padding: .7rem 1rem; font-weight: 600; text-align: center }
main { padding: .8rem; display: flex; flex-direction: column; gap: .5rem }
article { max-width: 88%; border-radius: 14px; padding: .45rem .7rem; background: #fff; white-space: pre-wrap;
  overflow-wrap: anywhere; align-self: flex-start }
article.me { background: #e3fbc5; align-self: flex-end }
div.bot { align-self: flex-start; max-width: 92%; display: flex; flex-direction: column; gap: 4px }
div.bot article { max-width: 100% }
blockquote { margin: .1rem 0; padding: .15rem .5rem; border-left: 3px solid #3d8ad8; background: #eef5fc;
  border-radius: 5px }
blockquote.folded { max-height: 4.4em; overflow: hidden; opacity: .75; cursor: pointer }
blockquote.folded:focus, blockquote.folded:hover { max-height: none; opacity: 1 }
div.me { align-self: flex-end }
ul { align-self: stretch; margin: 0 -.8rem; padding: 0; list-style: none; background: #fff }
li { padding: .35rem .8rem; border-top: 1px solid #e3e8ec; line-height: 1.3 }
li span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; color: #667 }
li.typed { background: #f3f6f8 }
nav { display: flex; gap: 4px }
nav span { flex: 1; text-align: center; background: #7d9a78cc; color: #fff; border-radius: 8px; padding: .3rem .4rem }
small { color: #667; align-self: center; background: #ffffffa0; border-radius: 10px; padding: 0 .6rem }
a { color: #1b6fc2; text-decoration: none }
pre { margin: 0; overflow-x: auto; font-size: 11px }
"""

_TAGS = {
    "bold": ("<b>", "</b>"),
    "italic": ("<i>", "</i>"),
    "underline": ("<u>", "</u>"),
    "strikethrough": ("<s>", "</s>"),
    "code": ("<code>", "</code>"),
    "pre": ("<pre>", "</pre>"),
    "blockquote": ('<blockquote dir="auto">', "</blockquote>"),
    "expandable_blockquote": ('<blockquote dir="auto" class="folded" tabindex="0">', "</blockquote>"),
}
_BLOCKS = ("blockquote", "expandable_blockquote", "pre")


def marked_up(text: str, entities: Sequence[Json]) -> str:
    """A text with its entities as HTML; everything in it is escaped. Entities are nested or apart."""
    raw = text.encode("utf-16-le")

    def words(start: int, end: int) -> str:
        return html.escape(raw[2 * start : 2 * end].decode("utf-16-le"))

    def within(start: int, end: int, inner: Sequence[Json]) -> str:
        pieces, at, rest = [], start, list(inner)
        while rest:
            entity = rest.pop(0)
            first, last = entity["offset"], entity["offset"] + entity["length"]
            nested = [other for other in rest if other["offset"] < last]
            rest = rest[len(nested) :]
            opening, closing = _tags(entity)
            before = words(at, first)
            pieces += [before, opening, within(first, last, nested), closing]
            at = last
            if entity["type"] in _BLOCKS and words(at, at + 1) == "\n":
                at += 1  # the block's own end already breaks the line
        return "".join([*pieces, words(at, end)])

    ordered = sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))
    return within(0, len(raw) // 2, ordered)


def _tags(entity: Json) -> tuple[str, str]:
    if entity["type"] == "text_link":
        return f'<a href="{html.escape(entity["url"])}">', "</a>"
    return _TAGS.get(entity["type"], ("", ""))


def message(held: Json, bot: int) -> str:
    """One message, on the side of who wrote it, with its buttons; or what is `typed` inline, under its results."""
    words = marked_up(held.get("text", ""), held.get("entities", []))
    if "results" in held:
        rows = "".join(
            f"<li><b>{html.escape(each['title'])}</b><span>{html.escape(each.get('description', ''))}</span></li>"
            for each in held["results"]
        )
        return f"<ul dir='auto'>{rows}<li class='typed'>{html.escape(held['typed'])}</li></ul>"
    if held["from"]["id"] != bot:
        return f'<article class="me" dir="auto">{words}</article>'
    rows = held.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = "".join(
        "<nav>" + "".join(f"<span>{html.escape(button['text'])}</span>" for button in row) + "</nav>" for row in rows
    )
    side = "bot me" if held.get("via") else "bot"
    return f'<div class="{side}"><article dir="auto">{words}</article>{buttons}</div>'


def page(screens: Sequence[tuple[str, Sequence[Json | str]]], bot: int) -> str:
    """Screens side by side: each has a title and messages; a text between them is a remark, such as a tap."""
    shown = "".join(
        f"<section><header>{html.escape(title)}</header><main>"
        + "".join(
            f"<small>{html.escape(each)}</small>" if isinstance(each, str) else message(each, bot) for each in messages
        )
        + "</main></section>"
        for title, messages in screens
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>newsquote on Telegram</title><style>{STYLE}</style>{shown}</html>\n"
    )
