"""Reads and writes the index wherever the settings keep it: in the home, or on a Milvus server."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bot.settings import Settings
from retrieval.index.contract import IndexStore
from retrieval.index.store import SnapshotStore

if TYPE_CHECKING:
    from retrieval.index.build_progress import ProgressCallback
    from retrieval.index.contract import PassageVectors, Published
    from retrieval.index.writing.publishing import Source
    from retrieval.milvus.store import MilvusStore
    from retrieval.models.encoder import Encoder


def open_store(settings: Settings) -> IndexStore:
    """Open the store that holds the index.

    Raises:
        IndexUnreachable: the server does not answer, or its client library is not installed.
    """
    if settings.index_url is None:
        return SnapshotStore(settings.snapshots)
    return connect(settings.index_url, settings.index_token)


@functools.lru_cache(maxsize=4)
def connect(url: str, token: str | None) -> MilvusStore:
    """Connect to a Milvus server; the connection is made once and shared.

    Raises:
        IndexUnreachable: it does not answer.
    """
    from retrieval.milvus.store import MilvusStore

    return MilvusStore(url, token)


def publish(
    source: Source,
    encoder: Encoder,
    settings: Settings,
    *,
    full: bool,
    progress: ProgressCallback,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]] = lambda _: {},
) -> Published:
    """Make the index hold these articles; see `retrieval.index.writing.publishing.publish`.

    Raises:
        PublishError, IndexUnreachable: it cannot be written.
    """
    if settings.index_url is not None:
        from retrieval.milvus import publishing

        milvus = connect(settings.index_url, settings.index_token)
        return publishing.publish(source, encoder, milvus, full=full, progress=progress, known=known)
    from retrieval.index.writing import publishing as embedded

    return embedded.publish(source, encoder, settings.snapshots, full=full, progress=progress, known=known)


def merge_due(settings: Settings) -> bool:
    """Whether the index has segments to merge; never on a server, which merges its own."""
    from retrieval.index.writing.merging import merge_due

    return settings.index_url is None and merge_due(settings.snapshots)


def merge(
    settings: Settings, lock: Callable[[], AbstractContextManager[None]], *, progress: ProgressCallback
) -> str | None:
    """Merge what many additions left behind; see `retrieval.index.writing.merging.merge`.

    Raises:
        PublishError: it cannot be written.
    """
    if settings.index_url is not None:
        return None
    from retrieval.index.writing.merging import merge as merge_embedded

    return merge_embedded(settings.snapshots, lock, progress=progress)


def switch_to(settings: Settings, name: str) -> None:
    """Make another snapshot the current one.

    Raises:
        SnapshotMissing, SnapshotCorrupt, SnapshotOutdated: it cannot be used.
        PublishError, IndexUnreachable: the change cannot be written.
    """
    if settings.index_url is not None:
        from retrieval.milvus import publishing

        publishing.use(connect(settings.index_url, settings.index_token), name)
        return
    from retrieval.index.writing.current_snapshot import switch_to as use_embedded

    use_embedded(settings.snapshots, name)
