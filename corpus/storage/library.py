"""The folder of article files a person owns: list, read, save, remove.

An article is a Markdown file with front matter, `<slug>-<id>.md`. Records stay records, one `.jsonl` file for each
batch added, since an archive may hold hundreds of thousands. Any readable file that a person puts into the folder
counts too. Every write is a new file renamed over the old, so a reader or a crash never meets half of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from corpus.article import Article
from corpus.errors import LibraryError
from corpus.readers.item import Found, Item, Refused
from corpus.storage.batch import Batch
from corpus.storage.catalog import Catalog
from corpus.storage.disk import sync
from corpus.storage.files import ArticleReader, explain_write_errors, rewrite_records
from corpus.storage.lock import LOCK_TIMEOUT_S, WriteLock
from corpus.storage.outcome import Outcome, OutcomeKind
from corpus.text.dedupe import url_key


class Library:
    """The articles in `folder`, which need not exist before the first is added.

    Reading takes no lock and sees each file as it was before or after a write.
    """

    def __init__(self, folder: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.folder = folder
        self._catalog = Catalog(folder)
        self._lock = WriteLock(folder, lock_timeout_s)

    def is_empty(self) -> bool:
        """Whether the folder is not there or holds nothing but what the library keeps for itself."""
        return not self.folder.exists() or all(path.name.startswith(".") for path in self.folder.iterdir())

    def articles(self) -> Iterator[Article]:
        """Every article, by ascending id, read one at a time.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._catalog.refresh()
        with ArticleReader(self.folder) as reader:
            # All are known before the first is handed out: what is done with it may change the library.
            for entry in list(self._catalog.entries()):
                yield reader.load(entry)

    def get(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        self._catalog.refresh()
        entries = self._catalog.find(article_id)
        if not entries:
            return None
        with ArticleReader(self.folder) as reader:
            return reader.load(entries[0])

    def ids(self) -> list[str]:
        """Every id, ascending."""
        self._catalog.refresh()
        return self._catalog.ids()

    def count(self) -> int:
        """How many articles there are."""
        self._catalog.refresh()
        return self._catalog.count_ids()

    def digests(self) -> dict[str, bytes]:
        """A value for each article, by ascending id, that changes with anything the article says; no text is read."""
        self._catalog.refresh()
        return self._catalog.digests()

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order, read one at a time.

        Raises:
            LibraryError: there is none with an id, or the folder cannot be read.
        """
        self._catalog.refresh()
        with ArticleReader(self.folder) as reader:
            for article_id in ids:
                entries = self._catalog.find(article_id)
                if not entries:
                    raise LibraryError(f"the library has no article {article_id} any more; try again")
                yield reader.load(entries[0])

    def refresh(self, step: Callable[[int], None]) -> None:
        """Reads the files that somebody changed, which every other question does too; `step` is told how many so far.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._catalog.refresh(step)

    def has_url(self, url: str) -> bool:
        """Whether there is an article of this address, whatever tracks its reader in it."""
        self._catalog.refresh()
        return self._catalog.find_by_url(url_key(url)) is not None

    def refused(self) -> list[Refused]:
        """The files and records in the folder that hold no usable article, with the reason for each."""
        self._catalog.refresh()
        return self._catalog.refused()

    def fingerprint(self) -> str:
        """A value that changes when a file of the library does; it is made from sizes and times, not from content."""
        listing = "\n".join(f"{path}\0{stat}" for path, stat in self._catalog.list_files())
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()

    def add(
        self,
        items: Iterable[Item | Article],
        *,
        on_outcome: Callable[[Outcome], None] | None = None,
        on_replaced: Callable[[Article], None] | None = None,
    ) -> list[Outcome]:
        """Puts the articles in and says of each item, in order, what became of it.

        `on_replaced` is given each article that is replaced, as it was.

        An article with an id or URL that the library has replaces the one there, which keeps its id, unless it says the
        same. What it does not know (a date, an author) is kept from the one there. Articles found in records are
        written by the thousand, all others at once; whoever interrupts finds each article whole or absent, and what was
        taken before Ctrl-C is there.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written.
        """
        outcomes = []
        with self.lock(), explain_write_errors(self.folder), Batch(self.folder, self._catalog, on_replaced) as batch:
            for item in items:
                outcome = (
                    Outcome(OutcomeKind.REFUSED, item.source, reason=item.reason)
                    if isinstance(item, Refused)
                    else batch.add(item if isinstance(item, Found) else Found(item, item.id))
                )
                outcomes.append(outcome)
                if on_outcome is not None:
                    on_outcome(outcome)
            batch.finish()
        return outcomes

    def revise(self, article: Article, *, expected: Article) -> None:
        """Puts an article in the place of the one with its id, with all it says and no more.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: what is there is no longer as `expected`, or the folder cannot be written.
        """
        with self.lock(), explain_write_errors(self.folder), Batch(self.folder, self._catalog) as batch:
            batch.revise(article, expected)
            batch.finish()

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Takes articles out, with their files, and returns the ids that were there, in the order given.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written, or an article shares a file that cannot be rewritten.
        """
        with self.lock(), explain_write_errors(self.folder):
            self._catalog.refresh()
            found = {article_id: self._catalog.find(article_id) for article_id in dict.fromkeys(ids)}
            there = [article_id for article_id, entries in found.items() if entries]
            lines: dict[str, dict[int, Article | None]] = {}
            files: set[str] = set()
            for entry in (entry for entries in found.values() for entry in entries):
                if entry.is_record:
                    lines.setdefault(entry.path, {})[entry.start] = None
                elif self._catalog.count_in_file(entry.path) > 1:
                    path = self.folder / entry.path
                    raise LibraryError(f"{path} holds more articles than {entry.id}; take that one out of it by hand")
                else:
                    files.add(entry.path)
            for name, changes in lines.items():
                rewrite_records(self.folder / name, changes)
            for name in files:
                (self.folder / name).unlink(missing_ok=True)
            sync(self.folder)
        return there

    def lock(self) -> AbstractContextManager[None]:
        """Holds the library for writing; may be nested. `add` and `remove` do so themselves.

        Raises:
            LibraryLocked: another process holds it, longer than the timeout; the message names the process.
            LibraryError: the folder cannot be written.
        """
        return self._lock.held()
