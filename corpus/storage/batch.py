"""One call of `Library.add`: finds what an article replaces or repeats, and writes it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from corpus.article import Article, content_id
from corpus.errors import LibraryError
from corpus.readers.item import Found
from corpus.readers.markdown import file_stem, format_markdown
from corpus.readers.records import format_record
from corpus.storage.catalog import Catalog
from corpus.storage.disk import sync
from corpus.storage.entry import CatalogEntry, article_digest, is_library_file, make_entry
from corpus.storage.files import TEMPORARY_PREFIX, ArticleReader, rewrite_records, unused_path, write_atomically
from corpus.storage.outcome import Outcome, OutcomeKind
from corpus.text.clean import one_line
from corpus.text.dedupe import canonical_url, containment, same_story, shingles, url_key
from corpus.text.language import detect_language

# Records per file; a process that is killed loses at most this many.
_RECORDS_PER_FILE = 5000
# At most this many of the records not yet written are compared word by word with a new one.
_CANDIDATES = 10
_OPTIONAL = ("url", "source", "author", "published", "language")


class Batch:
    """The state of one call of `Library.add`: the entries it has made, and the records it has yet to write."""

    def __init__(self, folder: Path, catalog: Catalog, on_replaced: Callable[[Article], None] | None = None) -> None:
        catalog.refresh()
        self._on_replaced = on_replaced
        self._folder = folder
        self._catalog = catalog
        self._entries: dict[str, CatalogEntry] = {}
        self._by_url: dict[str, str] = {}
        self._by_text_hash: dict[bytes, str] = {}
        self._changes: dict[str, dict[int, Article | None]] = {}
        self._reader = ArticleReader(folder)
        self._start_records_file()

    def _start_records_file(self) -> None:
        """Prepares a new records file; it is created with the first record."""
        self._records: BinaryIO | None = None
        self._records_path = self._folder / f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}"
        self._records_hash = hashlib.sha256()
        self._records_count = 0
        self._ids_by_sketch: dict[int, list[str]] = {}

    def __enter__(self) -> Batch:
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
        """Adds one article, or replaces the one it is a new version of, and returns the outcome."""
        article = _normalize(found.article)
        existing = self._find_by_id(article.id)
        if existing is not None and _has_other_address(article, existing):
            article = replace(article, id=content_id(article.id, url_key(article.url or "")))
            existing = self._find_by_id(article.id)
        if existing is None and article.url:
            existing = self._find_by_url(url_key(article.url))
        if existing is None:
            entry = make_entry(article, "")
            reason = self._describe_duplicate(article, entry)
            self._save(article, record=found.record, entry=entry)
            return Outcome(OutcomeKind.ADDED, found.source, article.title, article.id, reason)
        article = replace(article, id=existing.id)
        if existing.digest == article_digest(article):
            return Outcome(OutcomeKind.SKIPPED, found.source, article.title, article.id, "already in the library")
        old = self._load(existing)
        article = replace(article, **{key: getattr(article, key) or getattr(old, key) for key in _OPTIONAL})
        if (article, article.text) == (old, old.text):
            return Outcome(OutcomeKind.SKIPPED, found.source, article.title, article.id, "already in the library")
        self._replace(existing, article)
        if self._on_replaced is not None:
            self._on_replaced(old)
        reason = "its text changed" if article.text != old.text else "what is known about it changed"
        return Outcome(OutcomeKind.REPLACED, found.source, article.title, article.id, reason)

    def revise(self, article: Article, expected: Article) -> None:
        """Replaces the article with the same id.

        Raises:
            LibraryError: the stored article is no longer equal to `expected`.
        """
        existing = self._find_by_id(article.id)
        if existing is None or existing.digest != article_digest(expected):
            raise LibraryError(f"the article {article.id} was changed or removed meanwhile")
        self._replace(existing, _normalize(article))

    def finish(self) -> None:
        """Writes what is still pending: new records, then changes to existing ones."""
        self._finish_records_file()
        for path, changes in self._changes.items():
            rewrite_records(self._folder / path, changes)
        sync(self._folder)

    def _finish_records_file(self) -> None:
        """Gives the current records file its final name, and prepares another."""
        if self._records is None:
            return
        self._records.flush()
        os.fsync(self._records.fileno())
        self._records.close()
        target = unused_path(self._folder, f"records-{self._records_hash.hexdigest()[:16]}", ".jsonl")
        self._records_path.rename(target)
        written = [replace(e, path=target.name) for e in self._entries.values() if e.path == self._records_path.name]
        self._entries.update((entry.id, entry) for entry in written)
        # A record that came twice is in a file of its own, so the catalog has to read this one.
        if len(written) == self._records_count:
            self._catalog.update_file(target.name, written)
        self._start_records_file()

    def _describe_duplicate(self, article: Article, entry: CatalogEntry) -> str | None:
        """The reason to report if the library already has this text, exactly or nearly; None if it does not."""
        if same := self._find_by_text_hash(entry.text_hash):
            return f"the same text as {same}, kept as a further source"
        near = self._nearest(article.text, entry.sketch_values())
        return f"nearly the same text as {near}, kept as a further source" if near else None

    def _nearest(self, text: str, sketch_values: list[int]) -> str | None:
        """The id of the article with the same story and the most text in common, of equals the first by id."""
        found = {entry.id: entry for entry in self._catalog.similar(sketch_values)}
        pending = Counter(article_id for value in sketch_values for article_id in self._ids_by_sketch.get(value, ()))
        found |= {article_id: self._entries[article_id] for article_id, _ in pending.most_common(_CANDIDATES)}
        shares = []
        for article_id in found:
            other = self._load(self._entries.get(article_id, found[article_id])).text
            if same_story(text, other):
                shares.append((-containment(shingles(text), shingles(other)), article_id))
        return min(shares)[1] if shares else None

    def _find_by_id(self, article_id: str) -> CatalogEntry | None:
        return self._entries.get(article_id) or next(iter(self._catalog.find(article_id)), None)

    def _find_by_url(self, key: str) -> CatalogEntry | None:
        return self._entries[self._by_url[key]] if key in self._by_url else self._catalog.find_by_url(key)

    def _find_by_text_hash(self, text_hash: bytes) -> str | None:
        if text_hash in self._by_text_hash:
            return self._by_text_hash[text_hash]
        found = self._catalog.find_by_text_hash(text_hash)
        return found.id if found else None

    def _load(self, entry: CatalogEntry) -> Article:
        if not entry.is_record:
            return self._reader.load(entry)
        if entry.path == self._records_path.name and self._records is not None:
            self._records.flush()
        changed = self._changes.get(entry.path, {}).get(entry.start)
        return changed or self._reader.load(entry)

    def _save(self, article: Article, *, record: bool, entry: CatalogEntry) -> None:
        if not record:
            self._write(unused_path(self._folder, file_stem(article), ".md"), article, entry)
            return
        if self._records is None:
            self._records = self._records_path.open("wb")
        start = self._records.tell()
        line = format_record(article).encode()
        self._records.write(line)
        self._records_hash.update(line)
        self._records_count += 1
        self._keep(replace(entry, path=self._records_path.name, start=start))
        for value in entry.sketch_values():
            self._ids_by_sketch.setdefault(value, []).append(article.id)
        if self._records_count == _RECORDS_PER_FILE:
            self._finish_records_file()

    def _replace(self, existing: CatalogEntry, article: Article) -> None:
        entry = make_entry(article, existing.path, existing.start)
        if existing.is_record and existing.path != self._records_path.name:
            self._changes.setdefault(existing.path, {})[existing.start] = article
            self._keep(entry)
        elif not existing.is_record and is_library_file(existing.path):
            self._write(self._folder / existing.path, article, entry)
        else:
            # A file in another format is left alone, since the library's own comes first; so is a record of this batch.
            self._save(article, record=False, entry=replace(entry, start=-1))

    def _write(self, path: Path, article: Article, entry: CatalogEntry) -> None:
        write_atomically(path, format_markdown(article).encode())
        entry = replace(entry, path=os.fspath(path.relative_to(self._folder)))
        self._catalog.update_file(entry.path, [entry])
        self._keep(entry)

    def _keep(self, entry: CatalogEntry) -> None:
        self._entries[entry.id] = entry
        self._by_text_hash.setdefault(entry.text_hash, entry.id)
        if entry.url_key:
            self._by_url[entry.url_key] = entry.id


def _has_other_address(article: Article, existing: CatalogEntry) -> bool:
    """Whether an article with an id made from its content was published at another address than the existing one."""
    own = article.id == content_id(article.title, article.text)
    return own and bool(article.url and existing.url_key) and url_key(article.url or "") != existing.url_key


def _normalize(article: Article) -> Article:
    """The article with each field but the text on one line, and blank fields as None."""
    return replace(
        article,
        title=one_line(article.title) or "Untitled",
        url=canonical_url(one_line(article.url or "")) or None,
        source=one_line(article.source or "") or None,
        author=one_line(article.author or "") or None,
        published=one_line(article.published or "") or None,
        language=one_line(article.language or "") or detect_language(article.text),
    )
