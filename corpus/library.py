"""The folder of article files a person owns: list, read, save, remove.

An article is a Markdown file with front matter, `<slug>-<id>.md`. Records stay records, one `.jsonl` file for each
batch added, since an archive may hold hundreds of thousands. Any readable file that a person puts into the folder
counts too. Every write is a new file renamed over the old, so a reader or a crash never meets half of one.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from corpus.article import Article
from corpus.clean import one_line
from corpus.dedupe import Duplicates, canonical_url, url_key
from corpus.errors import LibraryError, LibraryLocked, SourceError
from corpus.language import language_of
from corpus.readers.item import Found, Item, Refused
from corpus.readers.markdown import format_markdown
from corpus.readers.records import parse_record, record_line
from corpus.readers.source import read

LOCK_TIMEOUT_S = 10.0
_LOCK = ".lock"
_HOLDER = ".lock-holder"
_TEMPORARY = ".new-"
_SAFE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SLUG_LIMIT = 60
# Signatures are made anew in each process, at a millisecond an article; beyond this only the same words are noticed.
_NEAR_LIMIT = 2000
_OPTIONAL = ("url", "source", "author", "published", "language")


class Kind(StrEnum):
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

    kind: Kind
    source: str
    title: str | None = None
    id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an article lies, and what tells it from others.

    `offset` is its line's first byte in a file of records, None in any other. `url` is the key of its address, `words`
    equal where two texts differ in white space and case alone.
    """

    id: str
    url: str | None
    path: Path
    offset: int | None
    digest: bytes
    words: bytes


class Library:
    """The articles in `folder`, which need not exist before the first is added.

    Reading takes no lock and sees each file as it was before or after a write. What is read of a file is kept until the
    file changes, the texts excepted.
    """

    def __init__(self, folder: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.folder = folder
        self._lock_timeout_s = lock_timeout_s
        self._files: dict[Path, tuple[tuple[int, int, int], list[_Entry], list[Refused]]] = {}
        self._entries: dict[str, list[_Entry]] = {}
        self._urls: set[str] | None = None
        self._lock_depth = 0

    def articles(self) -> Iterator[Article]:
        """Every article, by ascending id, read one at a time.

        Raises:
            LibraryError: the folder cannot be read.
        """
        self._scan()
        with _Reader() as reader:
            for article_id in sorted(self._entries):
                yield reader.load(self._entries[article_id][0])

    def get(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        self._scan()
        if article_id not in self._entries:
            return None
        with _Reader() as reader:
            return reader.load(self._entries[article_id][0])

    def ids(self) -> list[str]:
        """Every id, ascending."""
        self._scan()
        return sorted(self._entries)

    def has_url(self, url: str) -> bool:
        """Whether there is an article of this address, whatever tracks its reader in it."""
        self._scan()
        if self._urls is None:
            self._urls = {entry.url for entries in self._entries.values() for entry in entries if entry.url}
        return url_key(url) in self._urls

    def refused(self) -> list[Refused]:
        """The files and records in the folder that hold no usable article, with the reason for each."""
        self._scan()
        return [refused for _, (_, _, refusals) in sorted(self._files.items()) for refused in refusals]

    def digest(self) -> str:
        """A value that changes when a file of the library does; it is made from sizes and times, not from content."""
        listing = "\n".join(f"{path.relative_to(self.folder)}\0{stat}" for path, stat in self._listing())
        return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()

    def add(
        self, items: Iterable[Item | Article], *, on_outcome: Callable[[Outcome], None] | None = None
    ) -> list[Outcome]:
        """Puts the articles in and says of each item, in order, what became of it.

        An article with an id or URL that the library has replaces the one there, which keeps its id, unless it says the
        same. What it does not know (a date, an author) is kept from the one there. Articles found in records are
        written when the last item was taken, all others at once; whoever interrupts finds each article whole or absent.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written.
        """
        outcomes = []
        with self.lock(), _writing(self.folder), _Batch(self) as batch:
            for item in items:
                outcome = (
                    Outcome(Kind.REFUSED, item.source, reason=item.reason)
                    if isinstance(item, Refused)
                    else batch.add(item if isinstance(item, Found) else Found(item, item.id))
                )
                outcomes.append(outcome)
                if on_outcome is not None:
                    on_outcome(outcome)
            batch.finish()
        return outcomes

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Takes articles out, with their files, and returns the ids that were there, in the order given.

        Raises:
            LibraryLocked: another process writes to the library.
            LibraryError: the folder cannot be written, or an article shares a file that cannot be rewritten.
        """
        with self.lock(), _writing(self.folder):
            self._scan()
            there = [article_id for article_id in dict.fromkeys(ids) if article_id in self._entries]
            lines: dict[Path, dict[int, Article | None]] = {}
            files: set[Path] = set()
            for entry in (entry for article_id in there for entry in self._entries[article_id]):
                if entry.offset is not None:
                    lines.setdefault(entry.path, {})[entry.offset] = None
                elif len(self._files[entry.path][1]) > 1:
                    raise LibraryError(
                        f"{entry.path} holds more articles than {entry.id}; take that one out of it by hand"
                    )
                else:
                    files.add(entry.path)
            for path, changes in lines.items():
                _rewrite_records(path, changes)
            for path in files:
                path.unlink(missing_ok=True)
            _sync_folder(self.folder)
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

        holder = self.folder / _HOLDER
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / _LOCK)
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

    def _listing(self) -> list[tuple[Path, tuple[int, int, int]]]:
        """Each file that is not hidden, sorted, with what changes when it does."""
        found = []
        try:
            for parent, folders, files in os.walk(self.folder, onerror=_raise):
                folders[:] = [name for name in folders if not name.startswith(".")]
                for name in files:
                    if not name.startswith("."):
                        path = Path(parent, name)
                        with suppress(FileNotFoundError):
                            stat = path.stat()
                            found.append((path, (stat.st_size, stat.st_mtime_ns, stat.st_ino)))
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise LibraryError(f"cannot read the library {self.folder}: {exc.strerror}") from exc
        return sorted(found)

    def _scan(self) -> None:
        """Brings what is known of the files up to date."""
        listing = self._listing()
        known = self._files
        if len(known) == len(listing) and all(path in known and known[path][0] == stat for path, stat in listing):
            return
        self._files = {
            path: known[path] if path in known and known[path][0] == stat else (stat, *_read_entries(path))
            for path, stat in listing
        }
        self._entries = {}
        self._urls = None
        # Of two with one id the library's own file wins, then a file of records, then any other.
        for _, entries, _ in sorted(self._files.values(), key=lambda known: _rank(known[1])):
            for entry in entries:
                self._entries.setdefault(entry.id, []).append(entry)


class _Batch:
    """One call of `Library.add`: what it knows of the library, and the records it has yet to write."""

    def __init__(self, library: Library) -> None:
        library._scan()
        self._folder = library.folder
        self._entries = {article_id: entries[0] for article_id, entries in library._entries.items()}
        self._by_url = {entry.url: entry for entry in self._entries.values() if entry.url}
        self._by_words = {entry.words: entry.id for entry in reversed(self._entries.values())}
        self._near: Duplicates | None = None
        self._changes: dict[Path, dict[int, Article | None]] = {}
        self._records: BinaryIO | None = None
        self._records_path = self._folder / f"{_TEMPORARY}{os.urandom(8).hex()}"
        self._records_hash = hashlib.sha256()
        self._reader = _Reader()

    def __enter__(self) -> _Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.__exit__()
        if self._records is not None:
            self._records.close()
        self._records_path.unlink(missing_ok=True)

    def add(self, found: Found) -> Outcome:
        article = _tidy(found.article)
        there = self._entries.get(article.id) or (self._by_url.get(url_key(article.url)) if article.url else None)
        if there is None:
            reason = self._repeats(article, record=found.record)
            self._save(article, record=found.record)
            return Outcome(Kind.ADDED, found.source, article.title, article.id, reason)
        article = replace(article, id=there.id)
        if there.digest == _digest(article):
            return Outcome(Kind.SKIPPED, found.source, article.title, article.id, "already in the library")
        old = self._load(there)
        article = replace(article, **{key: getattr(article, key) or getattr(old, key) for key in _OPTIONAL})
        if (article, article.text) == (old, old.text):
            return Outcome(Kind.SKIPPED, found.source, article.title, article.id, "already in the library")
        self._replace(there, article)
        reason = "its text changed" if article.text != old.text else "what is known about it changed"
        return Outcome(Kind.REPLACED, found.source, article.title, article.id, reason)

    def finish(self) -> None:
        """Writes what was kept back: new records, then changes to old ones."""
        if self._records is not None:
            self._records.flush()
            os.fsync(self._records.fileno())
            self._records.close()
            target = _free_name(self._folder, f"records-{self._records_hash.hexdigest()[:16]}", ".jsonl")
            self._records_path.rename(target)
        for path, changes in self._changes.items():
            _rewrite_records(path, changes)
        _sync_folder(self._folder)

    def _repeats(self, article: Article, *, record: bool) -> str | None:
        """What to say of an article whose text the library has already, or nearly: it is a further source of it."""
        if same := self._by_words.get(_words(article.text)):
            return f"the same text as {same}, kept as a further source"
        if record or len(self._entries) > _NEAR_LIMIT:
            return None
        if self._near is None:
            self._near = Duplicates(lambda article_id: self._load(self._entries[article_id]).text)
            for entry in self._entries.values():
                self._near.note(entry.id, self._load(entry).text)
        match = self._near.add(article.id, article.text)
        return f"nearly the same text as {match.id}, kept as a further source" if match else None

    def _load(self, entry: _Entry) -> Article:
        if entry.offset is None:
            return self._reader.load(entry)
        if entry.path == self._records_path and self._records is not None:
            self._records.flush()
        changed = self._changes.get(entry.path, {}).get(entry.offset)
        return changed or self._reader.load(entry)

    def _save(self, article: Article, *, record: bool) -> None:
        if not record:
            path = _free_name(self._folder, f"{_slug(article.title)}-{_file_id(article.id)}", ".md")
            _write(path, format_markdown(article).encode())
            self._know(article, path, None)
            return
        if self._records is None:
            self._records = self._records_path.open("wb")
        offset = self._records.tell()
        line = record_line(article).encode()
        self._records.write(line)
        self._records_hash.update(line)
        self._know(article, self._records_path, offset)

    def _replace(self, there: _Entry, article: Article) -> None:
        if there.offset is not None and there.path != self._records_path:
            self._changes.setdefault(there.path, {})[there.offset] = article
            self._know(article, there.path, there.offset)
        elif there.offset is None and _is_own(there.path):
            _write(there.path, format_markdown(article).encode())
            self._know(article, there.path, None)
        else:
            # A file of another form stays as it is, behind the library's own; so does a record of this very batch.
            self._save(article, record=False)

    def _know(self, article: Article, path: Path, offset: int | None) -> None:
        entry = _entry(article, path, offset)
        self._entries[article.id] = entry
        self._by_words.setdefault(entry.words, entry.id)
        if entry.url:
            self._by_url[entry.url] = entry


class _Reader:
    """Loads entries, keeping files of records open between them."""

    def __init__(self) -> None:
        self._open: dict[Path, BinaryIO] = {}

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._open.values():
            stream.close()
        self._open.clear()

    def load(self, entry: _Entry) -> Article:
        try:
            if entry.offset is None:
                items = read(entry.path)
                return next(i.article for i in items if isinstance(i, Found) and i.article.id == entry.id)
            if entry.path not in self._open:
                self._open[entry.path] = entry.path.open("rb")
            self._open[entry.path].seek(entry.offset)
            article, _ = parse_record(self._open[entry.path].readline())
        except (OSError, SourceError, StopIteration) as exc:
            raise LibraryError(f"{entry.path} changed while it was read; try again") from exc
        return article


def _read_entries(path: Path) -> tuple[list[_Entry], list[Refused]]:
    entries, refusals = [], []
    items = _read_lines(path) if path.suffix == ".jsonl" else ((item, None) for item in read(path))
    for item, offset in items:
        if isinstance(item, Refused):
            refusals.append(item)
        else:
            entries.append(_entry(item.article, path, offset))
    return entries, refusals


def _read_lines(path: Path) -> Iterator[tuple[Item, int | None]]:
    """The records of a file with the byte each begins at."""
    try:
        with path.open("rb") as stream:
            offset = 0
            for number, line in enumerate(stream, start=1):
                source = f"{path}, line {number}"
                if line.strip():
                    try:
                        yield Found(parse_record(line)[0], source, record=True), offset
                    except SourceError as exc:
                        yield Refused(source, str(exc)), None
                offset += len(line)
    except OSError as exc:
        yield Refused(str(path), f"it cannot be read: {exc.strerror}"), None


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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


def _entry(article: Article, path: Path, offset: int | None) -> _Entry:
    url = url_key(article.url) if article.url else None
    return _Entry(article.id, url, path, offset, _digest(article), _words(article.text))


def _words(text: str) -> bytes:
    return hashlib.blake2b("".join(text.split()).casefold().encode(), digest_size=16).digest()


def _digest(article: Article) -> bytes:
    parts = (article.title, article.text, *(getattr(article, key) or "" for key in _OPTIONAL))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def _is_own(path: Path) -> bool:
    return path.suffix == ".md"


def _rank(entries: list[_Entry]) -> int:
    if not entries or _is_own(entries[0].path):
        return 0
    return 1 if entries[0].offset is not None else 2


def _slug(title: str) -> str:
    folded = unicodedata.normalize("NFKD", title).lower()
    words = re.sub(r"[^\w]+", "-", re.sub(r"[̀-ͯ]", "", folded)).strip("-_")
    cut = words[:_SLUG_LIMIT].rsplit("-", 1)[0] if len(words) > _SLUG_LIMIT else words
    while len(cut.encode()) > 2 * _SLUG_LIMIT:
        cut = cut[:-1]
    return unicodedata.normalize("NFC", cut) or "article"


def _file_id(article_id: str) -> str:
    """The id where it can be part of any file's name, a hash of it otherwise."""
    if _SAFE_ID.fullmatch(article_id):
        return article_id
    return hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _raise(error: OSError) -> None:
    raise error
