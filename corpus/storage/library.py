"""The folder of article files a person owns: list, read, save, remove.

An article is a Markdown file with front matter, `<slug>-<id>.md`. Records stay records, one `.jsonl` file for each
batch added, since an archive may hold hundreds of thousands. Any readable file that a person puts into the folder
counts too. Every write is a new file renamed over the old, so a reader or a crash never meets half of one.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from corpus.article import Article, content_id
from corpus.errors import LibraryError, LibraryLocked, SourceError
from corpus.readers.item import Found, Item, Refused
from corpus.readers.markdown import file_stem, format_markdown
from corpus.readers.records import parse_record, record_line
from corpus.readers.source import read
from corpus.storage.catalog import Catalog, Entry, digest_of, entry_of, is_own, make_hidden
from corpus.storage.disk import sync
from corpus.text.clean import one_line
from corpus.text.dedupe import canonical_url, contained, same_story, shingles, url_key
from corpus.text.language import language_of

LOCK_TIMEOUT_S = 10.0
_LOCK = "lock"
_HOLDER = "writer"
_TEMPORARY = ".new-"
# So many records are written to a file before the next is begun: what is lost when a process is killed.
_PART = 5000
# Of the records not yet written, so many are compared word by word with one that comes.
_CANDIDATES = 10
_OPTIONAL = ("url", "source", "author", "published", "language")


class OutcomeKind(StrEnum):
    """What became of one article or source that was to be added."""

    ADDED = "added"
    REPLACED = "replaced"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article or source, for a person to read.

    `title` and `id` are None for what was refused, `reason` is None for what was added.
    """

    kind: OutcomeKind
    source: str
    title: str | None = None
    id: str | None = None
    reason: str | None = None


class Library:
    """The articles in `folder`, which need not exist before the first is added.

    Reading takes no lock and sees each file as it was before or after a write.
    """

    def __init__(self, folder: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.folder = folder
        self._lock_timeout_s = lock_timeout_s
        self._catalog = Catalog(folder)
        self._lock_depth = 0

    def is_bare(self) -> bool:
        """Whether the folder is not there or holds nothing but what the library keeps for itself."""
        return not self.folder.exists() or all(path.name.startswith(".") for path in self.folder.iterdir())

    def articles(self) -> Iterator[Article]:
        """Every article, by ascending id, read one at a time.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._catalog.refresh()
        with _Reader(self.folder) as reader:
            # All are known before the first is handed out: what is done with it may change the library.
            for entry in list(self._catalog.entries()):
                yield reader.load(entry)

    def get(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        self._catalog.refresh()
        entries = self._catalog.find(article_id)
        if not entries:
            return None
        with _Reader(self.folder) as reader:
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
        with _Reader(self.folder) as reader:
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
        return self._catalog.with_url(url_key(url)) is not None

    def refused(self) -> list[Refused]:
        """The files and records in the folder that hold no usable article, with the reason for each."""
        self._catalog.refresh()
        return self._catalog.refused()

    def digest(self) -> str:
        """A value that changes when a file of the library does; it is made from sizes and times, not from content."""
        listing = "\n".join(f"{path}\0{stat}" for path, stat in self._catalog.listing())
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
        with self.lock(), _writing(self.folder), _Batch(self.folder, self._catalog, on_replaced) as batch:
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

    def revise(self, article: Article, *, was: Article) -> None:
        """Puts an article in the place of the one with its id, with all it says and no more.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: what is there is no longer what it `was`, or the folder cannot be written.
        """
        with self.lock(), _writing(self.folder), _Batch(self.folder, self._catalog) as batch:
            batch.revise(article, was)
            batch.finish()

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Takes articles out, with their files, and returns the ids that were there, in the order given.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written, or an article shares a file that cannot be rewritten.
        """
        with self.lock(), _writing(self.folder):
            self._catalog.refresh()
            found = {article_id: self._catalog.find(article_id) for article_id in dict.fromkeys(ids)}
            there = [article_id for article_id, entries in found.items() if entries]
            lines: dict[str, dict[int, Article | None]] = {}
            files: set[str] = set()
            for entry in (entry for entries in found.values() for entry in entries):
                if entry.is_record:
                    lines.setdefault(entry.path, {})[entry.start] = None
                elif self._catalog.count_in(entry.path) > 1:
                    path = self.folder / entry.path
                    raise LibraryError(f"{path} holds more articles than {entry.id}; take that one out of it by hand")
                else:
                    files.add(entry.path)
            for name, changes in lines.items():
                _rewrite_records(self.folder / name, changes)
            for name in files:
                (self.folder / name).unlink(missing_ok=True)
            sync(self.folder)
        return there

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the library for writing; may be nested. `add` and `remove` do so themselves.

        Raises:
            LibraryLocked: another process holds it, longer than the timeout; the message names the process.
            LibraryError: the folder cannot be written.
        """
        if self._lock_depth:
            self._lock_depth += 1
            try:
                yield
            finally:
                self._lock_depth -= 1
            return
        from filelock import FileLock, Timeout

        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            hidden = make_hidden(self.folder)
            holder = hidden / _HOLDER
            lock = FileLock(hidden / _LOCK)
            try:
                lock.acquire(timeout=self._lock_timeout_s)
            except Timeout as exc:
                pid = holder.read_text() if holder.exists() else "unknown"
                raise LibraryLocked(
                    f"process {pid} has been writing to {self.folder} for longer than {self._lock_timeout_s:g} s; "
                    "try again when it is done"
                ) from exc
        try:
            with _writing(self.folder):
                holder.write_text(str(os.getpid()))
                for left in self.folder.glob(f"{_TEMPORARY}*"):
                    left.unlink(missing_ok=True)
            self._lock_depth = 1
            yield
        finally:
            self._lock_depth = 0
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Holds a lock file while the context lasts; false, at once, where somebody else holds it.

    Raises:
        OSError: the file cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


class _Batch:
    """One call of `Library.add`: what it knows of the library, and the records it has yet to write."""

    def __init__(self, folder: Path, catalog: Catalog, on_replaced: Callable[[Article], None] | None = None) -> None:
        catalog.refresh()
        self._on_replaced = on_replaced
        self._folder = folder
        self._catalog = catalog
        self._entries: dict[str, Entry] = {}
        self._by_url: dict[str, str] = {}
        self._by_words: dict[bytes, str] = {}
        self._changes: dict[str, dict[int, Article | None]] = {}
        self._reader = _Reader(folder)
        self._begin()

    def _begin(self) -> None:
        """Begins a file of records; it is made when the first comes."""
        self._records: BinaryIO | None = None
        self._records_path = self._folder / f"{_TEMPORARY}{os.urandom(8).hex()}"
        self._records_hash = hashlib.sha256()
        self._records_count = 0
        self._sketched: dict[int, list[str]] = {}

    def __enter__(self) -> _Batch:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is KeyboardInterrupt:
                self.finish()
        finally:
            self._reader.__exit__()
            if self._records is not None:
                self._records.close()
            self._records_path.unlink(missing_ok=True)

    def add(self, found: Found) -> Outcome:
        article = _tidy(found.article)
        there = self._with_id(article.id)
        if there is not None and _is_elsewhere(article, there):
            article = replace(article, id=content_id(article.id, url_key(article.url or "")))
            there = self._with_id(article.id)
        if there is None and article.url:
            there = self._with_url(url_key(article.url))
        if there is None:
            entry = entry_of(article, "")
            reason = self._repeats(article, entry)
            self._save(article, record=found.record, entry=entry)
            return Outcome(OutcomeKind.ADDED, found.source, article.title, article.id, reason)
        article = replace(article, id=there.id)
        if there.digest == digest_of(article):
            return Outcome(OutcomeKind.SKIPPED, found.source, article.title, article.id, "already in the library")
        old = self._load(there)
        article = replace(article, **{key: getattr(article, key) or getattr(old, key) for key in _OPTIONAL})
        if (article, article.text) == (old, old.text):
            return Outcome(OutcomeKind.SKIPPED, found.source, article.title, article.id, "already in the library")
        self._replace(there, article)
        if self._on_replaced is not None:
            self._on_replaced(old)
        reason = "its text changed" if article.text != old.text else "what is known about it changed"
        return Outcome(OutcomeKind.REPLACED, found.source, article.title, article.id, reason)

    def revise(self, article: Article, was: Article) -> None:
        there = self._with_id(article.id)
        if there is None or there.digest != digest_of(was):
            raise LibraryError(f"the article {article.id} was changed or removed meanwhile")
        self._replace(there, _tidy(article))

    def finish(self) -> None:
        """Writes what was kept back: new records, then changes to old ones."""
        self._end_part()
        for path, changes in self._changes.items():
            _rewrite_records(self._folder / path, changes)
        sync(self._folder)

    def _end_part(self) -> None:
        """Gives the records written so far their name, and begins another file."""
        if self._records is None:
            return
        self._records.flush()
        os.fsync(self._records.fileno())
        self._records.close()
        target = _free_name(self._folder, f"records-{self._records_hash.hexdigest()[:16]}", ".jsonl")
        self._records_path.rename(target)
        written = [replace(e, path=target.name) for e in self._entries.values() if e.path == self._records_path.name]
        self._entries.update((entry.id, entry) for entry in written)
        # Of a record that came twice the later one counts, in a file of its own.
        if len(written) == self._records_count:
            self._catalog.note(target.name, written)
        self._begin()

    def _repeats(self, article: Article, entry: Entry) -> str | None:
        """What to say of an article whose text the library has already, or nearly: it is a further source of it."""
        if same := self._with_words(entry.words):
            return f"the same text as {same}, kept as a further source"
        near = self._nearest(article.text, entry.sketched())
        return f"nearly the same text as {near}, kept as a further source" if near else None

    def _nearest(self, text: str, sketched: list[int]) -> str | None:
        """The article whose story this text tells, the one with most in common, then the first by id."""
        found = {entry.id: entry for entry in self._catalog.similar(sketched)}
        held = Counter(article_id for value in sketched for article_id in self._sketched.get(value, ()))
        found |= {article_id: self._entries[article_id] for article_id, _ in held.most_common(_CANDIDATES)}
        shares = []
        for article_id in found:
            other = self._load(self._entries.get(article_id, found[article_id])).text
            if same_story(text, other):
                shares.append((-contained(shingles(text), shingles(other)), article_id))
        return min(shares)[1] if shares else None

    def _with_id(self, article_id: str) -> Entry | None:
        return self._entries.get(article_id) or next(iter(self._catalog.find(article_id)), None)

    def _with_url(self, key: str) -> Entry | None:
        return self._entries[self._by_url[key]] if key in self._by_url else self._catalog.with_url(key)

    def _with_words(self, words: bytes) -> str | None:
        if words in self._by_words:
            return self._by_words[words]
        found = self._catalog.with_words(words)
        return found.id if found else None

    def _load(self, entry: Entry) -> Article:
        if not entry.is_record:
            return self._reader.load(entry)
        if entry.path == self._records_path.name and self._records is not None:
            self._records.flush()
        changed = self._changes.get(entry.path, {}).get(entry.start)
        return changed or self._reader.load(entry)

    def _save(self, article: Article, *, record: bool, entry: Entry) -> None:
        if not record:
            self._write(_free_name(self._folder, file_stem(article), ".md"), article, entry)
            return
        if self._records is None:
            self._records = self._records_path.open("wb")
        start = self._records.tell()
        line = record_line(article).encode()
        self._records.write(line)
        self._records_hash.update(line)
        self._records_count += 1
        self._know(replace(entry, path=self._records_path.name, start=start))
        for value in entry.sketched():
            self._sketched.setdefault(value, []).append(article.id)
        if self._records_count == _PART:
            self._end_part()

    def _replace(self, there: Entry, article: Article) -> None:
        entry = entry_of(article, there.path, there.start)
        if there.is_record and there.path != self._records_path.name:
            self._changes.setdefault(there.path, {})[there.start] = article
            self._know(entry)
        elif not there.is_record and is_own(there.path):
            self._write(self._folder / there.path, article, entry)
        else:
            # A file of another form stays as it is, behind the library's own; so does a record of this very batch.
            self._save(article, record=False, entry=replace(entry, start=-1))

    def _write(self, path: Path, article: Article, entry: Entry) -> None:
        _write(path, format_markdown(article).encode())
        entry = replace(entry, path=os.fspath(path.relative_to(self._folder)))
        self._catalog.note(entry.path, [entry])
        self._know(entry)

    def _know(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._by_words.setdefault(entry.words, entry.id)
        if entry.url:
            self._by_url[entry.url] = entry.id


def _is_elsewhere(article: Article, there: Entry) -> bool:
    """Whether an article whose id is made of its content was published at another address than the one there."""
    own = article.id == content_id(article.title, article.text)
    return own and bool(article.url and there.url) and url_key(article.url or "") != there.url


class _Reader:
    """Loads entries, keeping files of records open between them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def load(self, entry: Entry) -> Article:
        path = self._folder / entry.path
        try:
            if not entry.is_record:
                return next(i.article for i in read(path) if isinstance(i, Found) and i.article.id == entry.id)
            if entry.path not in self._open:
                self._open[entry.path] = path.open("rb")
            self._open[entry.path].seek(entry.start)
            article, _ = parse_record(self._open[entry.path].readline())
        except (OSError, SourceError, StopIteration) as exc:
            raise LibraryError(f"{path} changed while it was read; try again") from exc
        return article


def _rewrite_records(path: Path, changes: dict[int, Article | None]) -> None:
    """Replaces the lines that begin at these bytes; None leaves one out. A file without lines goes."""
    temporary = path.with_name(f"{_TEMPORARY}{os.urandom(8).hex()}")
    offset, size = 0, 0
    try:
        with path.open("rb") as old, temporary.open("wb") as new:
            for line in old:
                article = changes.get(offset)
                if offset not in changes:
                    size += new.write(line)
                elif article is not None:
                    size += new.write(record_line(article).encode())
                offset += len(line)
            new.flush()
            os.fsync(new.fileno())
        if size:
            temporary.replace(path)
        else:
            path.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """The file whole or not at all, also after a crash; the folder's own entry is synced by the caller."""
    temporary = path.with_name(f"{_TEMPORARY}{os.urandom(8).hex()}")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Says of a failed write what failed and what to do."""
    try:
        yield
    except OSError as exc:
        raise LibraryError(
            f"cannot write to the library {folder}: {exc.strerror}; check its permissions and the space left, "
            "or choose another home"
        ) from exc


def _tidy(article: Article) -> Article:
    """The article with its names on one line each, and blanks as unknown."""
    return replace(
        article,
        title=one_line(article.title) or "Untitled",
        url=canonical_url(one_line(article.url or "")) or None,
        source=one_line(article.source or "") or None,
        author=one_line(article.author or "") or None,
        published=one_line(article.published or "") or None,
        language=one_line(article.language or "") or language_of(article.text),
    )


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
