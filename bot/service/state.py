"""state.db: what the bot keeps across restarts, in SQLite. Questions are kept only if the settings say so.

A commit survives a crash of the process; the last few may be lost in a power cut (WAL mode, synchronous=NORMAL). All
methods are called from one thread.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]

StateError = sqlite3.Error
"""What any method may raise if the file can no longer be read or written, for example on a full disk."""

DAY_S = 86_400.0
ANSWERS_KEPT_S = 90 * DAY_S
UPDATES_KEPT_S = 2 * DAY_S  # Telegram keeps updates for a day, so none is delivered again after two

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER, digest TEXT, at REAL NOT NULL, body TEXT, PRIMARY KEY (id, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, snapshot TEXT NOT NULL, answered INTEGER NOT NULL,
    quotes TEXT NOT NULL, question TEXT, certain INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS replies (
    chat INTEGER, message INTEGER, reply INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (chat, message)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS votes (
    answer INTEGER, place INTEGER, voter TEXT, good INTEGER NOT NULL, at REAL NOT NULL, snapshot TEXT NOT NULL,
    article TEXT NOT NULL, content TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, question TEXT,
    PRIMARY KEY (answer, place, voter)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS languages (person INTEGER PRIMARY KEY, language TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS subscribers (
    chat INTEGER, thread INTEGER, language TEXT NOT NULL, told TEXT NOT NULL DEFAULT '', PRIMARY KEY (chat, thread)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (article TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote on a quote: the quote's article and offsets, and the question if it was kept."""

    good: bool
    at: float
    snapshot: str
    article: str
    content: str
    start: int
    stop: int
    question: str | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer as it was shown, its quotes as records; the question where it was kept."""

    snapshot: str
    answered: bool
    quotes: list[Json]
    question: str | None
    certain: bool


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A chat, or a topic in one (thread 0 is none), that is told about new articles, in its language."""

    chat: int
    thread: int
    language: str


class StateDatabase:
    """An open state.db, created if there is none.

    Raises:
        OSError: the file cannot be opened or is no database.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")  # deleted rows are overwritten
            self._db.executescript(_SCHEMA)
            if "certain" not in {column for _, column, *_ in self._db.execute("PRAGMA table_info(answers)")}:
                self._db.execute("ALTER TABLE answers ADD COLUMN certain INTEGER NOT NULL DEFAULT 1")
        except sqlite3.Error as exc:
            raise OSError(f"{path} cannot be used: {exc}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    # Updates that Telegram delivered and that are not handled yet.

    def store_updates(self, updates: Iterable[Mapping[str, Any]]) -> list[Json]:
        """Store updates in one commit; returns those not seen before, in the order given.

        Ids alone do not tell updates apart: they may start again, after a week without updates or on another server.
        """
        now, fresh = self._clock(), []
        with self._transaction():
            for update in updates:
                body = json.dumps(update)
                row = (update["update_id"], _digest(body), now, body)
                if self._db.execute("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?)", row).rowcount:
                    fresh.append(dict(update))
        return fresh

    def mark_handled(self, update: Mapping[str, Any]) -> None:
        """Mark an update as handled: its content is deleted, its id is kept."""
        key = (update["update_id"], _digest(json.dumps(update)))
        self._db.execute("UPDATE inbox SET body = NULL WHERE id = ? AND digest = ?", key)

    def confirm_updates(self, offset: int) -> None:
        """Note that Telegram knows that every update before `offset` arrived, and sends none of them again."""
        self.set_value("confirmed", str(offset))

    def delete_confirmed(self) -> None:
        """Delete the ids of confirmed updates: another server may count from 1 and send identical updates."""
        offset = int(self.get_value("confirmed") or 0)
        self._db.execute("DELETE FROM inbox WHERE body IS NULL AND id < ?", (offset,))

    def unhandled_updates(self) -> list[Json]:
        """The stored updates that are not handled, oldest first."""
        rows = self._db.execute("SELECT body FROM inbox WHERE body IS NOT NULL ORDER BY at, id")
        return [json.loads(body) for (body,) in rows]

    # Answers: what the buttons under them need.

    def store_answer(
        self, snapshot: str, quotes: list[Json], *, answered: bool, certain: bool = True, question: str | None = None
    ) -> int:
        """Store an answer's quotes; returns the number that its buttons carry."""
        row = (self._clock(), snapshot, answered, json.dumps(quotes), question, certain)
        sql = "INSERT INTO answers (at, snapshot, answered, quotes, question, certain) VALUES (?, ?, ?, ?, ?, ?)"
        return int(self._db.execute(sql, row).lastrowid or 0)

    def stored_answer(self, number: int) -> AnswerRow | None:
        """A stored answer; None for an unknown number."""
        columns = "snapshot, answered, quotes, question, certain"
        row = self._db.execute(f"SELECT {columns} FROM answers WHERE id = ?", (number,)).fetchone()
        return None if row is None else AnswerRow(row[0], bool(row[1]), json.loads(row[2]), row[3], bool(row[4]))

    def store_reply(self, chat: int, message: int, reply: int) -> None:
        """Store which message of the bot replies to a person's message."""
        self._db.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", (chat, message, reply, self._clock()))

    def reply_to(self, chat: int, message: int) -> int | None:
        """The bot's message that replies to a person's message, None if there is none."""
        row = self._db.execute("SELECT reply FROM replies WHERE chat = ? AND message = ?", (chat, message)).fetchone()
        return None if row is None else int(row[0])

    # Votes.

    def vote(self, answer: int, place: int, person: int, *, good: bool) -> bool:
        """Count a person's vote on a quote, in place of an earlier one; False where they voted so before.

        Raises:
            KeyError: the answer is not kept, or has no such quote.
        """
        kept = self.stored_answer(answer)
        if kept is None or not 0 <= place < len(kept.quotes):
            raise KeyError(answer)
        quote, voter = kept.quotes[place], self._voter(person)
        key = (answer, place, voter)
        sql = "SELECT good FROM votes WHERE answer = ? AND place = ? AND voter = ?"
        before = self._db.execute(sql, key).fetchone()
        if before is not None and bool(before[0]) == good:
            return False
        values = (good, self._clock(), kept.snapshot, quote["article"], quote["content"], *quote["span"])
        row = (*key, *values, kept.question)
        self._db.execute("INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return True

    def votes(self) -> list[Vote]:
        """Every vote, oldest first."""
        rows = self._db.execute(
            "SELECT good, at, snapshot, article, content, start, stop, question FROM votes ORDER BY at"
        )
        return [Vote(bool(good), *rest) for good, *rest in rows]

    def _voter(self, person: int) -> str:
        """A person's pseudonym in the votes, which cannot be traced back without the key in this file."""
        key = self.get_value("voters") or self.set_value("voters", secrets.token_hex(16))
        return blake2b(str(person).encode(), key=key.encode(), digest_size=8).hexdigest()

    # People and chats.

    def language(self, person: int) -> str | None:
        """The language a person chose."""
        row = self._db.execute("SELECT language FROM languages WHERE person = ?", (person,)).fetchone()
        return None if row is None else str(row[0])

    def set_language(self, person: int, language: str) -> None:
        """Store the language a person chose."""
        self._db.execute("INSERT OR REPLACE INTO languages VALUES (?, ?)", (person, language))

    def subscribe(self, subscriber: Subscriber) -> bool:
        """Announce new articles to a chat from now on; False if it was subscribed before."""
        row = (subscriber.chat, subscriber.thread, subscriber.language, self.latest_news()[0])
        return bool(self._db.execute("INSERT OR IGNORE INTO subscribers VALUES (?, ?, ?, ?)", row).rowcount)

    def unsubscribe(self, chat: int, thread: int | None = None) -> bool:
        """End the subscription of a topic, or of a whole chat; False if there was none."""
        sql = "DELETE FROM subscribers WHERE chat = ? AND (? IS NULL OR thread = ?)"
        return bool(self._db.execute(sql, (chat, thread, thread)).rowcount)

    def record_articles(self, articles: Iterable[str], name: str) -> None:
        """Record articles; those not seen before become the news of `name`, unless they are the first ever."""
        first = self._db.execute("SELECT 1 FROM seen LIMIT 1").fetchone() is None
        sql = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT article FROM seen) ORDER BY key"
        with self._transaction():
            new = [article for (article,) in self._db.execute(sql, (json.dumps(list(articles)),))]
            self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((article,) for article in new))
            if new and not first:
                self.set_value("news", json.dumps([name, new]))

    def latest_news(self) -> tuple[str, list[str]]:
        """The snapshot that brought the latest new articles, and their ids."""
        name, articles = json.loads(self.get_value("news") or '["", []]')
        return name, articles

    def unnotified(self) -> list[Subscriber]:
        """The subscribers that have not been told about the latest news."""
        rows = self._db.execute(
            "SELECT chat, thread, language FROM subscribers WHERE told != ?", (self.latest_news()[0],)
        )
        return [Subscriber(*row) for row in rows]

    def mark_notified(self, subscriber: Subscriber) -> None:
        """Note that a subscriber was told about the latest news."""
        sql = "UPDATE subscribers SET told = ? WHERE chat = ? AND thread = ?"
        self._db.execute(sql, (self.latest_news()[0], subscriber.chat, subscriber.thread))

    def count_subscribers(self) -> int:
        """The number of subscribed chats and topics."""
        return int(self._db.execute("SELECT count(*) FROM subscribers").fetchone()[0])

    def move_chat(self, old: int, new: int) -> None:
        """Carry subscriptions over to the new id of a group that became a supergroup."""
        with self._transaction():
            self._db.execute("UPDATE OR REPLACE subscribers SET chat = ? WHERE chat = ?", (new, old))
            self._db.execute("DELETE FROM replies WHERE chat = ?", (old,))

    # Other values, and deletion.

    def get_value(self, name: str) -> str | None:
        """A stored value, None if there is none."""
        row = self._db.execute("SELECT value FROM known WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_value(self, name: str, value: str) -> str:
        """Store a value and return it."""
        self._db.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (name, value))
        return value

    def delete_person(self, person: int) -> None:
        """Delete everything stored about a person."""
        with self._transaction():
            self._db.execute("DELETE FROM languages WHERE person = ?", (person,))
            self._db.execute("DELETE FROM votes WHERE voter = ?", (self._voter(person),))
            self._db.execute("DELETE FROM subscribers WHERE chat = ?", (person,))
            self._db.execute("DELETE FROM replies WHERE chat = ?", (person,))

    def delete_expired(self) -> None:
        """Delete old handled updates, answers and replies, and empty the write-ahead log, which may still hold them."""
        now = self._clock()
        with self._transaction():
            self._db.execute("DELETE FROM inbox WHERE body IS NULL AND at < ?", (now - UPDATES_KEPT_S,))
            self._db.execute("DELETE FROM answers WHERE at < ?", (now - ANSWERS_KEPT_S,))
            self._db.execute("DELETE FROM replies WHERE at < ?", (now - 2 * DAY_S,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _transaction(self) -> AbstractContextManager[object]:
        """One transaction for several statements, rolled back if one fails."""
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def _digest(body: str) -> str:
    return blake2b(body.encode(), digest_size=8).hexdigest()
