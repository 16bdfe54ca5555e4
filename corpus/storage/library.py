"""The user's folder of article files: list, read, add and remove articles.

An article is a Markdown file with front matter, `<slug>-<id>.md`. Articles from record files are
stored as records in `.jsonl` files, since an archive may hold hundreds of thousands. Any readable file that the user
puts into the folder counts too. Every write is a new file renamed over the old one, so nobody ever sees half of one.
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
    """The articles in `folder`, which need not exist before the first article is added.

    Reading takes no lock and sees each file as it was before or after a write.
    """

    def __init__(self, folder: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.folder = folder
        self._catalog = Catalog(folder)
        self._lock = WriteLock(folder, lock_timeout_s)

    def is_empty(self) -> bool:
        """Whether the folder does not exist or holds only hidden files."""
        return not self.folder.exists() or all(path.name.startswith(".") for path in self.folder.iterdir())

    def articles(self) -> Iterator[Article]:
        """Every article, by ascending id, read one at a time.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._catalog.refresh()
        with ArticleReader(self.folder) as reader:
            # List all entries before yielding any: the caller may change the library meanwhile.
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

    def digests(self) -> dict[str, bytes]:
        """The `article_digest` of every article, by ascending id; no text is read."""
        self._catalog.refresh()
        return self._catalog.digests()

    def load(self, ids: Iterable[str]) -> Iterator[Article]:
        """The articles with these ids, in their order, read one at a time.

        Raises:
            LibraryError: there is no article with one of the ids, or the folder cannot be read.
        """
        self._catalog.refresh()
        with ArticleReader(self.folder) as reader:
            for article_id in ids:
                entries = self._catalog.find(article_id)
                if not entries:
                    raise LibraryError(f"the library has no article {article_id} any more; try again")
                yield reader.load(entries[0])

    def refresh(self, step: Callable[[int], None]) -> None:
        """Reads the files that have changed, as every other method does first; `step` gets the number read so far.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._catalog.refresh(step)

    def has_url(self, url: str) -> bool:
        """Whether there is an article with this address, tracking parameters aside."""
        self._catalog.refresh()
        return self._catalog.find_by_url(url_key(url)) is not None

    def refused(self) -> list[Refused]:
        """The files and records in the folder that hold no usable article, with the reason for each."""
        self._catalog.refresh()
        return self._catalog.refused()

    def fingerprint(self) -> str:
        """A hash of the sizes and times of all files, which changes when one of them does; no content is read."""
        listing = "\n".join(f"{path}\0{stat}" for path, stat in self._catalog.list_files())
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()

    def add(
        self,
        items: Iterable[Item | Article],
        *,
        on_outcome: Callable[[Outcome], None] | None = None,
        on_replaced: Callable[[Article], None] | None = None,
    ) -> list[Outcome]:
        """Adds the articles and returns the outcome for each item, in order.

        `on_replaced` gets each article that is replaced, as it was before.

        An article whose id or URL the library already has replaces the existing one, which keeps its id, unless nothing
        changed. Fields that the new one lacks (a date, an author) are taken from the old one. Articles from records are
        written by the thousand, all others at once. After an interruption each article is there as a whole or not at
        all, and after Ctrl-C all that were added before it are there.

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
        """Replaces the article with the same id; no field is taken from the old one.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the stored article is no longer equal to `expected`, or the folder cannot be written.
        """
        with self.lock(), explain_write_errors(self.folder), Batch(self.folder, self._catalog) as batch:
            batch.revise(article, expected)
            batch.finish()

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Deletes articles with their files, and returns the ids that existed, in the order given.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written, or an article shares a file that cannot be rewritten.
        """
        with self.lock(), explain_write_errors(self.folder):
            self._catalog.refresh()
            found = {article_id: self._catalog.find(article_id) for article_id in dict.fromkeys(ids)}
            existing = [article_id for article_id, entries in found.items() if entries]
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
        return existing

    def lock(self) -> AbstractContextManager[None]:
        """Locks the library for writing; may be nested. `add`, `revise` and `remove` do so themselves.

        Raises:
            LibraryLocked: another process holds it for longer than the timeout; the message names the process.
            LibraryError: the folder cannot be written.
        """
        return self._lock.held()
