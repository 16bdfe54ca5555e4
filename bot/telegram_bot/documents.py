"""Documents, posts and addresses that admins send to be added to the library."""

from __future__ import annotations

import json
import mimetypes
import re
import textwrap
from pathlib import Path, PurePosixPath

from telegram import Document, Message, MessageOriginChannel
from telegram.error import BadRequest, NetworkError

from bot.telegram_bot.incoming import text_of, well_formed

DOWNLOADS = 3
TITLE_LIMIT = 120  # code points of a post's first line

SHARED_ADDRESS = re.compile(r"(?:[^?؟]*\n)?\s*(https?://\S+)")  # under its page's title, as phones share it


async def download(document: Document, path: Path) -> None:
    """Download a document, retrying where it was lost on the way."""
    file = await document.get_file()
    for tries in range(1, DOWNLOADS + 1):
        try:
            await file.download_to_drive(path)
        except NetworkError as exc:
            if isinstance(exc, BadRequest) or tries == DOWNLOADS:
                raise
        else:
            return


def file_name_of(document: Document) -> str:
    """A document's file name, with an extension for its type where known."""
    name = PurePosixPath(well_formed(document.file_name or "")).name or "document"
    guessed = mimetypes.guess_extension(document.mime_type or "") if "." not in name else None
    return name + (guessed or "")


def write_record(message: Message, path: Path) -> str:
    """Write a post as an article record, titled with its first line; gives the path."""
    words = text_of(message).strip()
    title, _, rest = words.partition("\n")
    origin = message.forward_origin
    record = {"title": textwrap.shorten(title, TITLE_LIMIT, placeholder=" …"), "text": rest.strip() or words}
    if origin is not None:
        record["published"] = origin.date.date().isoformat()
    if isinstance(origin, MessageOriginChannel):
        record["source"] = origin.chat.title or ""
        if origin.chat.username:
            record["url"] = f"https://t.me/{origin.chat.username}/{origin.message_id}"
    path.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return str(path)
