"""The engines that can hold an index, behind one interface, so that one test covers all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from corpus.article import Article
from retrieval.index.contract import IndexStore, Published
from retrieval.index.store import SnapshotStore
from retrieval.index.writing import current_snapshot
from retrieval.index.writing import publishing as embedded
from retrieval.milvus import publishing
from retrieval.milvus.store import MilvusStore
from retrieval.models.encoder import Encoder


class Engine(Protocol):
    """An engine with a store of its own."""

    store: IndexStore

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published: ...

    def use(self, name: str) -> None: ...


class SnapshotEngine:
    def __init__(self, folder: Path) -> None:
        self.store: IndexStore = SnapshotStore(folder / "snapshots")
        self._folder = folder / "snapshots"

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published:
        return embedded.publish(articles, encoder, self._folder, **more)

    def use(self, name: str) -> None:
        current_snapshot.switch_to(self._folder, name)


class MilvusEngine:
    """Milvus Lite in a file."""

    def __init__(self, folder: Path) -> None:
        self.milvus = MilvusStore(str(folder / "milvus.db"))
        self.store: IndexStore = self.milvus

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published:
        return publishing.publish(articles, encoder, self.milvus, **more)

    def use(self, name: str) -> None:
        publishing.use(self.milvus, name)


ENGINES: dict[str, Callable[[Path], Engine]] = {"snapshots": SnapshotEngine, "milvus": MilvusEngine}
