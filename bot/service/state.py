"""state.db: what the bot must remember over a restart. SQLite in WAL mode; no question's text unless told to keep it.

A commit survives the end of the process, however it ends; the last few may be lost when the machine loses power
(synchronous=NORMAL). All of it is called from one thread.
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
"""What any method may raise where the file cannot be read or written any more, such as on a full disk."""

DAY_S = 86_400.0
ANSWERS_KEPT_S = 90 * DAY_S
UPDATES_KEPT_S = 2 * DAY_S  # Telegram keeps updates for a day, so none comes again after two

_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER, digest TEXT, at REAL NOT NULL, body TEXT, PRIMARY KEY (id, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, snapshot TEXT NOT NULL, answered INTEGER NOT NULL,
    quotes TEXT NOT NULL, question TEXT
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
    """What somebody thought of a quote: where it stands, and the question where that is kept."""

    good: bool
    at: float
    snapshot: str
    article: str
    content: str
    start: int
    stop: int
    question: str | None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A chat, or a topic of one (0 is none), that wants to hear of new articles, in its language."""

    chat: int
    thread: int
    language: str


class StateDatabase:
    """An open state.db, made where there is none.

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
            self._db.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as exc:
            raise OSError(f"{path} cannot be used: {exc}") from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Updates: what Telegram was told we have, and was not answered yet.

    def keep_updates(self, updates: Iterable[Mapping[str, Any]]) -> list[Json]:
        """Keep updates in one commit; gives those that had not been seen before, in the order given.

        Numbers alone do not tell them apart: they may begin anew, after a week of silence or with another server.
        """
        now, fresh = self._clock(), []
        with self._commit():
            for update in updates:
                body = json.dumps(update)
                row = (update["update_id"], _digest(body), now, body)
                if self._db.execute("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?)", row).rowcount:
                    fresh.append(dict(update))
        return fresh

    def update_done(self, update: Mapping[str, Any]) -> None:
        """An update was handled: forget what it said, remember that it was here."""
        key = (update["update_id"], _digest(json.dumps(update)))
        self._db.execute("UPDATE inbox SET body = NULL WHERE id = ? AND digest = ?", key)

    def confirmed(self, offset: int) -> None:
        """Telegram knows that we have every update before `offset`, and sends none of them again."""
        self.learn("confirmed", str(offset))

    def forget_confirmed(self) -> None:
        """Forget that confirmed updates were here: another server may count from 1 and say the same once more."""
        offset = int(self.known("confirmed") or 0)
        self._db.execute("DELETE FROM inbox WHERE body IS NULL AND id < ?", (offset,))

    def open_updates(self) -> list[Json]:
        """The updates that were kept and not handled, in order."""
        rows = self._db.execute("SELECT body FROM inbox WHERE body IS NOT NULL ORDER BY at, id")
        return [json.loads(body) for (body,) in rows]

    # Answers: what the buttons under them need.

    def keep_answer(self, snapshot: str, quotes: list[Json], *, answered: bool, question: str | None = None) -> int:
        """Keep what an answer quotes; gives the number its buttons carry."""
        row = (self._clock(), snapshot, answered, json.dumps(quotes), question)
        sql = "INSERT INTO answers (at, snapshot, answered, quotes, question) VALUES (?, ?, ?, ?, ?)"
        return int(self._db.execute(sql, row).lastrowid or 0)

    def answer(self, number: int) -> tuple[str, bool, list[Json], str | None] | None:
        """The snapshot of an answer, whether it answered, its quotes and, where kept, its question."""
        row = self._db.execute("SELECT snapshot, answered, quotes, question FROM answers WHERE id = ?", (number,))
        found = row.fetchone()
        return None if found is None else (found[0], bool(found[1]), json.loads(found[2]), found[3])

    def keep_reply(self, chat: int, message: int, reply: int) -> None:
        """Remember which message of ours answers a person's."""
        self._db.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", (chat, message, reply, self._clock()))

    def reply_to(self, chat: int, message: int) -> int | None:
        """Our message that answers a person's, where there is one."""
        row = self._db.execute("SELECT reply FROM replies WHERE chat = ? AND message = ?", (chat, message)).fetchone()
        return None if row is None else int(row[0])

    # Votes.

    def vote(self, answer: int, place: int, person: int, *, good: bool) -> bool:
        """Count a person's vote on a quote, in place of an earlier one; False where they voted so before.

        Raises:
            KeyError: the answer is not kept, or has no such quote.
        """
        kept = self.answer(answer)
        if kept is None or not 0 <= place < len(kept[2]):
            raise KeyError(answer)
        quote, voter = kept[2][place], self._voter(person)
        key = (answer, place, voter)
        sql = "SELECT good FROM votes WHERE answer = ? AND place = ? AND voter = ?"
        before = self._db.execute(sql, key).fetchone()
        if before is not None and bool(before[0]) == good:
            return False
        values = (good, self._clock(), kept[0], quote["article"], quote["content"], *quote["span"], kept[3])
        self._db.execute("INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*key, *values))
        return True

    def votes(self) -> list[Vote]:
        """Every vote, oldest first."""
        rows = self._db.execute(
            "SELECT good, at, snapshot, article, content, start, stop, question FROM votes ORDER BY at"
        )
        return [Vote(bool(good), *rest) for good, *rest in rows]

    def _voter(self, person: int) -> str:
        """A person's name in the votes: tells voters apart, and none can be found by it without this file."""
        key = self.known("voters") or self.learn("voters", secrets.token_hex(16))
        return blake2b(str(person).encode(), key=key.encode(), digest_size=8).hexdigest()

    # People and chats.

    def language(self, person: int) -> str | None:
        """The language a person chose."""
        row = self._db.execute("SELECT language FROM languages WHERE person = ?", (person,)).fetchone()
        return None if row is None else str(row[0])

    def choose_language(self, person: int, language: str) -> None:
        """Remember the language a person chose."""
        self._db.execute("INSERT OR REPLACE INTO languages VALUES (?, ?)", (person, language))

    def subscribe(self, subscriber: Subscriber) -> bool:
        """Announce articles that are new from now on to a chat; False where that was so before."""
        row = (subscriber.chat, subscriber.thread, subscriber.language, self.news()[0])
        return bool(self._db.execute("INSERT OR IGNORE INTO subscribers VALUES (?, ?, ?, ?)", row).rowcount)

    def unsubscribe(self, chat: int, thread: int | None = None) -> bool:
        """Announce nothing more to a topic, or to all of a chat; False where nothing was."""
        sql = "DELETE FROM subscribers WHERE chat = ? AND (? IS NULL OR thread = ?)"
        return bool(self._db.execute(sql, (chat, thread, thread)).rowcount)

    def note_articles(self, articles: Iterable[str], name: str) -> None:
        """Make the articles that were never seen before the news of `name`; the first ever seen are no news."""
        first = self._db.execute("SELECT 1 FROM seen LIMIT 1").fetchone() is None
        sql = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT article FROM seen) ORDER BY key"
        with self._commit():
            new = [article for (article,) in self._db.execute(sql, (json.dumps(list(articles)),))]
            self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((article,) for article in new))
            if new and not first:
                self.learn("news", json.dumps([name, new]))

    def news(self) -> tuple[str, list[str]]:
        """The name of the latest news and its articles."""
        name, articles = json.loads(self.known("news") or '["", []]')
        return name, articles

    def untold(self) -> list[Subscriber]:
        """The subscribers who have not been told of the latest news."""
        rows = self._db.execute("SELECT chat, thread, language FROM subscribers WHERE told != ?", (self.news()[0],))
        return [Subscriber(*row) for row in rows]

    def told(self, subscriber: Subscriber) -> None:
        """A subscriber has been told of the latest news."""
        sql = "UPDATE subscribers SET told = ? WHERE chat = ? AND thread = ?"
        self._db.execute(sql, (self.news()[0], subscriber.chat, subscriber.thread))

    def subscribers(self) -> int:
        """How many chats and topics hear of new articles."""
        return int(self._db.execute("SELECT count(*) FROM subscribers").fetchone()[0])

    def move_chat(self, old: int, new: int) -> None:
        """A group became a supergroup."""
        with self._commit():
            self._db.execute("UPDATE OR REPLACE subscribers SET chat = ? WHERE chat = ?", (new, old))
            self._db.execute("DELETE FROM replies WHERE chat = ?", (old,))

    # What else is known, and what is forgotten.

    def known(self, name: str) -> str | None:
        """A value learned before."""
        row = self._db.execute("SELECT value FROM known WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def learn(self, name: str, value: str) -> str:
        """Remember a value; gives it back."""
        self._db.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (name, value))
        return value

    def forget_person(self, person: int) -> None:
        """Forget everything kept about a person."""
        with self._commit():
            self._db.execute("DELETE FROM languages WHERE person = ?", (person,))
            self._db.execute("DELETE FROM votes WHERE voter = ?", (self._voter(person),))
            self._db.execute("DELETE FROM subscribers WHERE chat = ?", (person,))
            self._db.execute("DELETE FROM replies WHERE chat = ?", (person,))

    def tidy(self) -> None:
        """Forget handled updates, answers and replies that nobody comes back to, and what they said from the log file.

        SQLite's write-ahead log holds what was overwritten until it is emptied.
        """
        now = self._clock()
        with self._commit():
            self._db.execute("DELETE FROM inbox WHERE body IS NULL AND at < ?", (now - UPDATES_KEPT_S,))
            self._db.execute("DELETE FROM answers WHERE at < ?", (now - ANSWERS_KEPT_S,))
            self._db.execute("DELETE FROM replies WHERE at < ?", (now - 2 * DAY_S,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _commit(self) -> AbstractContextManager[object]:
        """One transaction for several statements, undone where one fails."""
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def _digest(body: str) -> str:
    return blake2b(body.encode(), digest_size=8).hexdigest()
