"""What changes the library and publishes it: the same for the command line, the bot's admins and timed rebuilds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from bot.progress import progress
from bot.settings import Settings
from corpus import Item, Kind, Library, LibraryLocked, Outcome, read, shipped_articles
from corpus.fetch import Fetcher
from corpus.watching import Feed, Feeds, Stop, watch
from retrieval import snapshot
from retrieval.encoder import Encoder
from retrieval.errors import RetrievalError
from retrieval.publish import Published, publish

log = logging.getLogger(__name__)


class Editor:
    """The one writer of a home: every change holds the library's lock until the new index serves."""

    def __init__(self, settings: Settings, encoder: Callable[[], Encoder]) -> None:
        self.library = Library(settings.library)
        self._snapshots = settings.snapshots
        self._encoder = encoder
        self._allow_private = settings.allow_private_addresses
        self._feeds = [Feed(url, 60.0 * settings.feed_minutes) for url in settings.feeds]

    def prepare(self, say: Callable[[str], None]) -> None:
        """Put the shipped articles into an empty home and build the index where there is none.

        Raises:
            CorpusError, RetrievalError: it cannot be done; the message says why.
        """
        empty = not self.library.folder.exists()
        with self.library.lock():
            if snapshot.current(self._snapshots) is not None:
                return  # another process was faster
            if empty:
                say("The library is empty: adding the article newsquote comes with.")
                self.library.add(shipped_articles())
            say("Building the index: a few seconds, once.")
            self._publish(full=False)

    def add(self, sources: Sequence[str], stdin: bytes | None = None) -> list[Outcome]:
        """Take articles from files, folders, URLs or `-` into the library and publish; one outcome for each.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            outcomes = self.library.add(self._items(sources, stdin))
            changed = any(outcome.kind in {Kind.ADDED, Kind.REPLACED} for outcome in outcomes)
            if changed or (snapshot.current(self._snapshots) is None and self.library.ids()):
                self._publish(full=False)
        return outcomes

    def remove(self, ids: Sequence[str]) -> list[str]:
        """Remove articles by id and publish what is left; the ids that were there.

        Raises:
            CorpusError, RetrievalError: the library or the index cannot be written.
        """
        with self.library.lock():
            removed = self.library.remove(ids)
            if removed:
                self._publish(full=False)
        return removed

    def build(self, *, full: bool) -> Published:
        """Publish a snapshot of the library; with `full`, every passage is encoded anew.

        Raises:
            CorpusError, RetrievalError: the library cannot be read or the index cannot be written.
        """
        with self.library.lock():
            return self._publish(full=full)

    def watch(self, stop: Stop, say: Callable[[str], None]) -> None:
        """Publish what changes in the library, by hand or by its feeds, until `stop` is set.

        Raises:
            LibraryError: the library cannot be read or written.
        """
        with Fetcher(allow_private=self._allow_private) as fetcher:
            feeds = Feeds(self._feeds, fetcher, self.library.folder.parent / "feeds.json")
            for _ in watch(self.library, feeds, stop):
                before = snapshot.current(self._snapshots)
                try:
                    done = self.build(full=False)
                except (LibraryLocked, RetrievalError) as exc:
                    say(f"not published, the next change tries again: {exc}")
                    continue
                if done.name != before:
                    say(f"{done.name} serves: {done.articles} articles, {done.encoded} passages newly encoded")

    def _publish(self, *, full: bool) -> Published:
        with progress("Indexing articles", len(self.library.ids())) as step:
            done = publish(self.library.articles(), self._encoder(), self._snapshots, full=full, progress=step)
        log.info("%s serves: %d articles, %d passages, %d new", done.name, done.articles, done.passages, done.encoded)
        return done

    def _items(self, sources: Sequence[str], stdin: bytes | None) -> Iterator[Item]:
        with Fetcher(allow_private=self._allow_private) as fetcher:
            for source in sources:
                yield from read(stdin or b"" if source == "-" else source, fetcher=fetcher)
