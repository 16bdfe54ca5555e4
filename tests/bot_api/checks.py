"""What Telegram refuses in a text, its entities and its buttons. Lengths and offsets count UTF-16 units."""

from __future__ import annotations

import re
from typing import Any

TEXT_LIMIT = 4096
DATA_LIMIT = 64  # bytes
PLAIN = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    ]
)
QUOTES = frozenset({"blockquote", "expandable_blockquote"})
BUTTON_ACTIONS = [
    "callback_data",
    "url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "web_app",
    "login_url",
    "copy_text",
    "callback_game",
    "pay",
]

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal as the Bot API words it: an HTTP status, a description and, for some, parameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad(description: str) -> ApiError:
    return ApiError(400, f"Bad Request: {description}")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, entity: Json) -> str:
    """The words an entity covers."""
    raw = text.encode("utf-16-le")
    return raw[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def text_and_entities(text: Any, entities: Any, parse_mode: Any = None) -> tuple[str, list[Json]]:
    """The text as it is stored, without white space at its ends, and its entities in order."""
    if parse_mode not in (None, ""):
        if str(parse_mode).lower() not in ("html", "markdown", "markdownv2"):
            raise bad("unsupported parse_mode")
        raise bad("can't parse entities: the test server parses no markup")
    if not isinstance(text, str):
        raise bad("message text is empty")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8") from None
    checked = [_entity(text, entity) for entity in entities or []]
    _nesting(checked)
    if units(text) > TEXT_LIMIT:
        raise bad("message is too long")
    if not text.strip().strip("\u200b\u200c\u200d\u2060\ufeff"):
        raise bad("message text is empty")
    lead = units(text[: len(text) - len(text.lstrip())])
    text = text.strip()
    for entity in checked:
        end = min(entity["offset"] + entity["length"] - lead, units(text))
        entity["offset"] = max(0, entity["offset"] - lead)
        entity["length"] = end - entity["offset"]
        if entity["length"] <= 0:
            raise bad("an entity covers nothing but white space at the text's ends")
    return text, sorted(checked, key=lambda entity: (entity["offset"], -entity["length"]))


def _entity(text: str, entity: Any) -> Json:
    if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
        raise bad("can't parse MessageEntity: Object expected")
    kind, offset, length = entity["type"], entity.get("offset"), entity.get("length")
    if kind not in PLAIN:
        raise bad(f"can't parse MessageEntity: Unsupported type {kind}")
    if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length <= 0:
        raise bad("can't parse MessageEntity: offset and length must be in the text")
    end, size = offset + length, units(text)
    if end > size:
        raise bad(f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {size}")
    raw = text.encode("utf-16-le")
    for place, what in ((offset, "begins"), (end, "ends")):
        if place < size and 0xDC00 <= int.from_bytes(raw[2 * place : 2 * place + 2], "little") < 0xE000:
            raise bad(f"entity beginning at UTF-16 offset {offset} {what} in a middle of a UTF-16 symbol")
    if kind == "text_link" and not re.match(r"(https?|tg|tonsite)://[^\s/?#]+", str(entity.get("url"))):
        raise bad(f"entity beginning at UTF-16 offset {offset} links to no address")
    return dict(entity)


def _nesting(entities: list[Json]) -> None:
    ranges = [(e["offset"], e["offset"] + e["length"], e["type"]) for e in entities]
    for number, (start, end, kind) in enumerate(ranges):
        for other_start, other_end, other in ranges[number + 1 :]:
            if start < other_start < end < other_end or other_start < start < other_end < end:
                raise bad(f"entities cross: {kind} {start}:{end} and {other} {other_start}:{other_end}")
            apart = end <= other_start or other_end <= start
            if not apart and kind in QUOTES and other in QUOTES:
                raise bad("blockquote and expandable_blockquote entities can't be nested")
            if not apart and {kind, other} & {"code", "pre"} and not {kind, other} & QUOTES:
                raise bad(f"pre and code entities can't contain other entities, nor lie in {other}")


def keyboard(markup: Any) -> Json | None:
    """An inline keyboard, the only kind of markup that is understood."""
    if markup in (None, ""):
        return None
    if not isinstance(markup, dict) or not isinstance(markup.get("inline_keyboard"), list):
        raise bad("object expected as reply markup")
    rows = [row for row in markup["inline_keyboard"] if row]
    for button in (button for row in rows for button in row):
        text = button.get("text")
        if not isinstance(text, str) or not text.strip():
            raise bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
        actions = [name for name in BUTTON_ACTIONS if name in button]
        if not actions:
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(actions) > 1:
            raise bad("can't parse inline keyboard button: exactly one action is allowed")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= DATA_LIMIT:
            raise bad("BUTTON_DATA_INVALID")
        if "url" in button and not re.match(r"(https?|tg)://[^\s/?#]+", button["url"]):
            raise bad("inline keyboard button URL is invalid: Wrong HTTP URL")
        if "switch_inline_query" in button and units(button["switch_inline_query"]) > 256:
            raise bad("BUTTON_DATA_INVALID")
        if "copy_text" in button and not 1 <= len(button["copy_text"].get("text", "")) <= 256:
            raise bad("BUTTON_COPY_TEXT_INVALID")
    return {"inline_keyboard": rows} if rows else None


_FOUND = re.compile(r"(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)|(?P<mention>(?<![\w@])@\w{3,32})")


def found_entities(text: str) -> list[Json]:
    """The commands and mentions Telegram marks by itself in what a person writes."""
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match.group())}
        for match in _FOUND.finditer(text)
    ]
