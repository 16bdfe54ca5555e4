"""The engines an index may be kept by, each behind the same four functions, so that one test body serves all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from corpus.article import Article
from retrieval import publish as embedded
from retrieval import publish_milvus, serving
from retrieval.encoder import Encoder
from retrieval.index import Store
from retrieval.milvus import Milvus
from retrieval.publish import Published
from retrieval.snapshot import Snapshots


class Engine(Protocol):
    """Publishes to a store of its own."""

    store: Store

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published: ...

    def use(self, name: str) -> None: ...


class InTheHome:
    def __init__(self, folder: Path) -> None:
        self.store: Store = Snapshots(folder / "snapshots")
        self._folder = folder / "snapshots"

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published:
        return embedded.publish(articles, encoder, self._folder, **more)

    def use(self, name: str) -> None:
        serving.use(self._folder, name)


class OnMilvus:
    """Milvus Lite in a file."""

    def __init__(self, folder: Path) -> None:
        self.milvus = Milvus(str(folder / "milvus.db"))
        self.store: Store = self.milvus

    def publish(self, articles: Iterable[Article], encoder: Encoder, **more: Any) -> Published:
        return publish_milvus.publish(articles, encoder, self.milvus, **more)

    def use(self, name: str) -> None:
        publish_milvus.use(self.milvus, name)


ENGINES: dict[str, Callable[[Path], Engine]] = {"in the home": InTheHome, "on Milvus": OnMilvus}
