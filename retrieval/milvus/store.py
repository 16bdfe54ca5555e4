"""The indexes on a Milvus server. Reading only."""

from __future__ import annotations

from retrieval.errors import SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.milvus.client import MilvusConnection
from retrieval.milvus.generation import PREFIX, Generation
from retrieval.milvus.index import MilvusIndex


class MilvusStore(MilvusConnection):
    """The indexes on a Milvus server, an `IndexStore`."""

    def current(self) -> str | None:
        """The name of the current index; a server may answer with the one of some seconds ago, but at once."""
        with self.translating_errors():
            about = self._read_about(PREFIX, latest=False) or self._read_about(PREFIX, latest=True)
        return None if about is None else about.name

    def open(self, name: str | None = None, *, encoder: str | None = None) -> MilvusIndex:
        """Open an index, the current one by default; `encoder` is the fingerprint of the encoder used for questions.

        Raises:
            SnapshotMissing, SnapshotOutdated, SnapshotCorrupt: there is none that can be used.
            IndexUnreachable: the server does not answer.
        """
        about = (
            self.current_generation() if name is None else next((a for a in self.generations() if a.name == name), None)
        )
        if about is None:
            raise SnapshotMissing(f"there is no index {name or 'at ' + self.url} yet; run: newsquote index build")
        if encoder is not None and about.encoder != encoder:
            raise SnapshotOutdated(
                f"the index {about.name} was made with the encoder {about.encoder}, the one in use is {encoder}; "
                "run: newsquote index build"
            )
        self.load(about)
        return MilvusIndex(self, about)

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that the current index was made with."""
        about = self.current_generation()
        return None if about is None else about.encoder

    def descriptions(self) -> list[tuple[str, str]]:
        """Name and description of each generation, oldest first."""
        return [
            (one.name, f"{one.articles} articles, {one.passages} passages" if one.whole else "not finished")
            if isinstance(one, Generation)
            else (generation, str(one))
            for generation, one in self._readable_or_error().items()
            if one is not None
        ]

    def check(self) -> str:
        """Read every row of the current index."""
        index = self.open()
        articles = passages = 0
        for _, kept in index.export():
            articles, passages = articles + 1, passages + len(kept)
        about = index.about
        if not about.whole or (articles, passages) != (about.articles, about.passages):
            raise SnapshotCorrupt(
                f"the index {about.name} has {articles} articles and {passages} passages, not {about.articles} and "
                f"{about.passages}; run: newsquote index build"
            )
        return f"{about.name} is intact: {articles} articles, {passages} passages."
