"""A connection to a Milvus server, and reading rows of its collections."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from retrieval.errors import IndexUnreachable, RetrievalError, SnapshotCorrupt, SnapshotOutdated
from retrieval.milvus.generation import COLLECTIONS, PREFIX, PRIMARY_KEYS, Generation

if TYPE_CHECKING:
    from pymilvus import MilvusClient

SLOW_TIMEOUT_S = 600.0
"""The timeout for rare, slow operations such as loading a collection."""
CONSISTENCY_DELAY_S = 6.0
"""A server may answer from data up to five seconds old, its `common.gracefulTime`."""
PAGE_ROWS, LONG_PAGE_ROWS = 256, 8192
"""Rows per request: with vectors or texts, and with nothing longer than a passage's words."""


class MilvusConnection:
    """A connection to a Milvus server, or to a file of Milvus Lite, and the generations stored there."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 10.0) -> None:
        """`url` is the server's, or the path of a file that ends in .db; requests time out after `timeout_s`.

        Loading a collection, and requests of writers, may take up to SLOW_TIMEOUT_S.

        Raises:
            IndexUnreachable: pymilvus is not installed, or the server does not answer.
        """
        # Milvus Lite refuses keepalive pings every ten seconds, and gRPC prints each refusal to the terminal.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            from pymilvus import MilvusClient
        except ImportError as exc:
            raise IndexUnreachable(
                "index_url needs pymilvus, which is not installed; run: pip install 'newsquote[milvus]'"
            ) from exc
        self.url = url
        self.timeout_s = timeout_s
        # They log the errors they raise, with tracebacks, and set their own log levels on import.
        for name in ("pymilvus", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with self.translating_errors():
            self.client: MilvusClient = MilvusClient(url, token=token or "", timeout=timeout_s)

    @contextlib.contextmanager
    def translating_errors(self) -> Iterator[None]:
        """Translates errors of pymilvus and gRPC to IndexUnreachable, which says what to do."""
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except (MilvusException, RpcError) as exc:  # pymilvus does not wrap errors that it does not retry
            reason = str(exc.message if isinstance(exc, MilvusException) else exc.details())
            where = re.sub("//[^/]*@", "//", self.url)
            raise IndexUnreachable(
                f"the index at {where} cannot be used: {' '.join(reason.split())}; check index_url"
            ) from exc

    def collection(self, generation: str, kind: str) -> str:
        """The name of a collection."""
        return f"{PREFIX}_{generation}_{kind}"

    def collections(self) -> dict[str, list[str]]:
        """The names of the collections of each generation, oldest first."""
        found: dict[str, list[str]] = {}
        with self.translating_errors():
            for name in sorted(self.client.list_collections(timeout=self.timeout_s)):
                prefix, generation, kind = (*name.split("_", 2), "", "")[:3]
                if prefix == PREFIX and kind in COLLECTIONS:
                    found.setdefault(generation, []).append(name)
        return found

    def generations(self) -> list[Generation]:
        """The generations that can be read, finished or not, oldest first."""
        return [about for about in self._readable_or_error().values() if isinstance(about, Generation)]

    def _readable_or_error(self) -> dict[str, Generation | RetrievalError | None]:
        """Each generation, or the error if it cannot be read, or None while it is being created or dropped."""
        found: dict[str, Generation | RetrievalError | None] = {}
        for generation in self.collections():
            try:
                with self.translating_errors():
                    found[generation] = self._read_about(self.collection(generation, "about"), latest=True)
            except (SnapshotCorrupt, SnapshotOutdated) as exc:
                found[generation] = exc
        return found

    def current_generation(self) -> Generation | None:
        """The current generation, read with strong consistency; None if nothing was ever published.

        Raises:
            SnapshotOutdated, SnapshotCorrupt: it cannot be read.
        """
        with self.translating_errors():
            return self._read_about(PREFIX, latest=True)

    def load(self, about: Generation) -> None:
        """Load a generation's collections; Milvus Lite forgets which were loaded when its process ends."""
        with self.translating_errors():
            for kind in COLLECTIONS:
                self.client.load_collection(self.collection(about.generation, kind), timeout=SLOW_TIMEOUT_S)

    def release(self, about: Generation) -> None:
        """Release the memory of a generation on the server until it is loaded again."""
        with self.translating_errors():
            for kind in ("articles", "passages", "terms"):
                self.client.release_collection(self.collection(about.generation, kind), timeout=SLOW_TIMEOUT_S)

    def wait_until_visible(self) -> None:
        """Wait until every reader of a server sees what was written; in a file it is visible at once."""
        if "://" in self.url:
            time.sleep(CONSISTENCY_DELAY_S)

    def rows(
        self, generation: str, kind: str, where: str, fields: Sequence[str], *, latest: bool = False
    ) -> list[dict[str, Any]]:
        """The rows of a collection that match a filter, which must not be more than some hundreds.

        With `latest`, strong consistency; without, a server may answer from data some seconds old.
        """
        with self.translating_errors():
            return list(
                self.client.query(
                    self.collection(generation, kind),
                    filter=where,
                    output_fields=list(fields),
                    timeout=self.timeout_s,
                    **_consistency(latest=latest),
                )
            )

    def count(self, generation: str, kind: str, where: str) -> int:
        """The number of rows of a collection that match a filter, with strong consistency."""
        with self.translating_errors():
            [found] = self.client.query(
                self.collection(generation, kind),
                filter=where,
                output_fields=["count(*)"],
                timeout=SLOW_TIMEOUT_S,
                **_consistency(latest=True),
            )
        return int(found["count(*)"])

    def pages(
        self,
        generation: str,
        kind: str,
        where: str,
        fields: Sequence[str],
        *,
        page_rows: int = PAGE_ROWS,
        latest: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """All rows of a collection that match a filter, by primary key, `page_rows` at a time."""
        key = PRIMARY_KEYS[kind]
        with self.translating_errors():
            found = self.client.query_iterator(
                self.collection(generation, kind),
                batch_size=page_rows,
                filter=where,
                output_fields=list(fields),
                timeout=self.timeout_s,
                **_consistency(latest=latest),
            )
            try:
                while page := found.next():
                    yield sorted(page, key=lambda row: int(row[key]))
            finally:
                found.close()

    def _read_about(self, name: str, *, latest: bool) -> Generation | None:
        from pymilvus.exceptions import MilvusException

        try:
            try:
                rows = self._about_rows(name, latest=latest)
            except MilvusException as exc:
                if exc.code != 101:  # the collection is not loaded
                    raise
                self.client.load_collection(name, timeout=SLOW_TIMEOUT_S)
                rows = self._about_rows(name, latest=latest)
        except MilvusException as exc:
            if exc.code in {100, 700, 1600}:  # no such collection, index or alias: it is being created or dropped
                return None
            raise
        return Generation.read(rows[0]["content"]) if rows else None

    def _about_rows(self, name: str, *, latest: bool) -> list[dict[str, Any]]:
        asked = {"filter": "id == 0", "output_fields": ["content"], "timeout": self.timeout_s}
        return list(self.client.query(name, **asked, **_consistency(latest=latest)))


def _consistency(*, latest: bool) -> dict[str, Any]:
    return {"consistency_level": "Strong"} if latest else {}
