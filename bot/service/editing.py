"""Changes to the library and their publication, for the command line, the bot's admins and `newsquote watch`."""

from __future__ import annotations

import itertools
import logging
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from bot.service.progress import ProgressReporter, count_progress, no_progress
from bot.service.storage import merge, merge_due, open_store, publish
from bot.settings import Settings, SettingsError
from corpus import (
    Article,
    Item,
    Library,
    LibraryError,
    LibraryLocked,
    Outcome,
    SourceError,
    read,
    shipped_articles,
)
from corpus.feed_polling import Feed, FeedPoller
from corpus.fetching.fetcher import Fetcher
from corpus.readers.item_count import estimate_item_count
from corpus.readers.markdown import file_stem, format_markdown, parse_markdown
from corpus.readers.text import decode
from corpus.storage.entry import article_digest
from corpus.watching import StopEvent, watch
from retrieval.errors import RetrievalError
from retrieval.index.contract import Published
from retrieval.models.encoder import Encoder

log = logging.getLogger(__name__)


class Editor:
    """Changes the library of a home and publishes it, holding the library's lock until the new index is current.

    Segments that a large index has to merge after that are merged by another process, without the lock; see
    `retrieval.index.writing.merging`. `encoder` opens the encoder when it is first needed; `progress` reports on slow
    work.
    """

    def __init__(
        self, settings: Settings, encoder: Callable[[], Encoder], progress: ProgressReporter = no_progress
    ) -> None:
        self.library = Library(settings.library)
        self._home = settings.home
        self._settings = settings
        self._published = settings.home / "published"
        self._encoder = encoder
        self._progress = progress
        self._allow_private = settings.allow_private_addresses
        self._merge_process: subprocess.Popen[bytes] | None = None
        self._feeds = [_feed(listed, settings.feed_minutes) for listed in settings.feeds]

    def prepare(self, say: Callable[[str], None]) -> None:
        """Build the index if there is none, from the shipped articles if the library is empty.

        `say` is called with a line for the person who waits before each slow part.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            if open_store(self._settings).current() is not None:
                return  # another process was faster
            if self.library.is_empty():
                say("The library is empty: adding the article newsquote comes with.")
                self.library.add(shipped_articles())
            say("Building the index: a few seconds, once.")
            self._publish(full=False)

    def add(
        self,
        sources: Sequence[str],
        stdin: BinaryIO | None = None,
        *,
        on_replaced: Callable[[Article], None] | None = None,
        indexing: Callable[[], None] = lambda: None,
    ) -> list[Outcome]:
        """Add articles from files, folders, URLs or `-` to the library and publish; returns one outcome for each.

        `on_replaced` is called with the old version of each article that is replaced; `indexing` is called once all
        are read, if there is something to publish.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            self._refresh_library()
            with count_progress(self._progress, "Reading articles", estimate_item_count(sources)) as step:
                done = itertools.count(1)
                outcomes = self.library.add(
                    self._items(sources, stdin), on_outcome=lambda _: step(next(done)), on_replaced=on_replaced
                )
            self._publish_changes(indexing)
        return outcomes

    def undo(self, added: Sequence[str], replaced: Sequence[Article]) -> list[str]:
        """Undo an addition: remove the added articles, restore the replaced ones and publish; returns the ids undone.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            done = self.library.remove(added)
            for article in replaced:
                now = self.library.get(article.id)
                if now is not None:
                    self.library.revise(article, expected=now)
                    done.append(article.id)
            self._publish_changes()
        return done

    def edit(self, article_id: str, change: Callable[[Path], None]) -> Article | None:
        """Let a person edit an article as Markdown and publish it; None if nothing was changed.

        `change` edits the file it is given. A draft that cannot be used stays in the home's drafts/, and the next call
        goes on from there.

        Raises:
            CorpusError: there is no such article, or the draft cannot be used; the message says where it is.
            RetrievalError: the index cannot be written.
        """
        old = self.library.get(article_id)
        if old is None:
            raise LibraryError(f"there is no article {article_id}")
        draft = self._home / "drafts" / f"{file_stem(old)}.md"
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            if not draft.exists():
                draft.write_text(format_markdown(old), encoding="utf-8")
            try:
                change(draft)
            finally:
                written = draft.read_bytes()
                if written == format_markdown(old).encode():
                    draft.unlink()
        except OSError as exc:
            raise LibraryError(f"{draft} cannot be used: {exc.strerror or exc}") from exc
        try:
            new = parse_markdown(decode(written, binary=True), name=draft.stem)
            if new.id != old.id:
                raise SourceError(f"its front matter must keep the line id: {old.id}")
            if article_digest(new) == article_digest(old):
                draft.unlink(missing_ok=True)
                return None
            with self.library.lock():
                self.library.revise(new, expected=old)
                draft.unlink()
                self._publish_changes()
        except (SourceError, LibraryError) as exc:
            again = f"newsquote articles edit {old.id} goes on from there"
            raise SourceError(f"what was written is kept in {draft}, {again}: {exc}") from exc
        return new

    def remove(self, ids: Sequence[str]) -> list[str]:
        """Remove articles by id and publish; returns the ids that were found.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            removed = self.library.remove(ids)
            self._publish_changes()
        return removed

    def build(self, *, full: bool) -> Published:
        """Publish a snapshot of the library; with `full`, every passage is encoded again.

        Raises:
            CorpusError, RetrievalError: the library is gone or cannot be read, or the index cannot be written.
        """
        if not self.library.folder.exists():
            raise LibraryError(f"the library {self.library.folder} is gone; put it back, then build")
        with self.library.lock():
            return self._publish(full=full)

    def rebuild(self) -> Published:
        """Publish what the library holds now, and merge segments in the background if that is due.

        Raises:
            CorpusError, RetrievalError: as `build`.
        """
        done = self.build(full=False)
        self.merge_in_background()
        return done

    def merge(self) -> str | None:
        """Merge the segments that many additions to a large library left behind.

        Returns the name of the new snapshot, None if there was nothing to merge. If another process holds the lock, the
        next merge publishes what this one merged.

        Raises:
            RetrievalError: the index cannot be written.
        """
        try:
            with self._progress() as step:
                return merge(self._settings, self.library.lock, progress=step)
        except LibraryLocked as exc:
            log.warning("what was merged is published by the next merge: %s", exc)
            return None

    def merge_in_background(self) -> None:
        """Merge segments that are due in another process, which outlives this one."""
        if (self._merge_process is None or self._merge_process.poll() is not None) and merge_due(self._settings):
            command = [sys.executable, "-P", "-m", "bot", "--home", str(self._home.absolute()), "index", "merge"]
            nowhere = subprocess.DEVNULL
            self._merge_process = subprocess.Popen(
                command, stdin=nowhere, stdout=nowhere, stderr=nowhere, cwd=self._home, start_new_session=True
            )
            if hasattr(os, "setpriority"):
                os.setpriority(os.PRIO_PROCESS, self._merge_process.pid, 10)  # asking and adding take precedence

    def watch(self, stop: StopEvent, say: Callable[[str], None]) -> None:
        """Publish every change of the library, by hand or from its feeds, until `stop` is set.

        Raises:
            LibraryError: the library cannot be read or written.
        """
        with Fetcher(allow_private=self._allow_private) as fetcher:
            feeds = FeedPoller(self._feeds, fetcher, self.library.folder.parent / "feeds.json")
            for _ in watch(self.library, feeds, stop):
                before = open_store(self._settings).current()
                try:
                    done = self.rebuild()
                except (LibraryLocked, RetrievalError) as exc:
                    say(f"not published, the next change tries again: {exc}")
                    continue
                if done.name != before:
                    say(f"now serving {done.name}: {done.articles} articles, {done.encoded} passages newly encoded")

    def _publish_changes(self, indexing: Callable[[], None] = lambda: None) -> None:
        """Publish if the library has changed since it was last published, even by a process that was killed.

        `indexing` is called first, if there is something to publish.
        """
        try:
            published = self._published.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            published = ""
        has_index = open_store(self._settings).current() is not None
        if published != self.library.fingerprint() and (has_index or self.library.ids()):
            indexing()
            self._publish(full=False)
            self.merge_in_background()

    def _refresh_library(self) -> None:
        """Read files of the library that were changed by hand, showing progress: there may be thousands."""
        with count_progress(self._progress, "Reading the library", None) as step:
            self.library.refresh(step)

    def _publish(self, *, full: bool) -> Published:
        self._refresh_library()
        encoder = self._encoder()  # opening it may be slow, and is no part of the build
        with self._progress() as step:
            digest = self.library.fingerprint()
            done = publish(self.library, encoder, self._settings, full=full, progress=step)
        self._published.write_text(digest, encoding="utf-8")
        log.info("serving %s: %d articles, %d passages, %d new", done.name, done.articles, done.passages, done.encoded)
        return done

    def _items(self, sources: Sequence[str], stdin: BinaryIO | None) -> Iterator[Item]:
        with Fetcher(allow_private=self._allow_private) as fetcher:
            for source in sources:
                yield from read((stdin or b"") if source == "-" else source, fetcher=fetcher)


def _feed(listed: str, minutes: int) -> Feed:
    """The feed of a setting: a URL, followed by its own minutes if it has any."""
    url, *own = listed.split()
    return Feed(url, 60.0 * int(own[0] if own else minutes))


_EDITORS = ("sensible-editor", "nano", "vim", "vi")


def external_editor(environ: Mapping[str, str]) -> Callable[[Path], None]:
    """Return a function that opens a file in the person's editor and waits until it is closed.

    Raises:
        SettingsError: there is no editor.
    """
    wanted = environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()
    try:
        command = shlex.split(wanted)
    except ValueError as exc:
        raise SettingsError(f"$EDITOR is {wanted!r}, which is no command: {exc}") from exc
    command = command or [next((name for name in _EDITORS if shutil.which(name)), "")]
    if not command[0] or shutil.which(command[0]) is None:
        named = f"the editor {command[0]} is not there" if command[0] else "no editor was found"
        raise SettingsError(f"{named}; set EDITOR to the command of one")

    def edit(path: Path) -> None:
        status = subprocess.run([*command, str(path)], check=False).returncode
        if status:
            raise SourceError(f"the editor ended with status {status}; nothing was taken over from {path}")

    return edit
