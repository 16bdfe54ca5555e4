"""Publishes articles to an index on Milvus. Writing only; answering never imports this. One writer, many readers.

A full build, another encoder or another pipeline version fills a new generation of collections; once it is complete,
the alias moves to it. The generation before is kept, for `use`, and older ones are dropped. Otherwise the current
generation gets a new version in place: new articles get numbers that no version has yet, removed ones are marked as
dead from the new version on, then a single row makes the version current. Dead articles are deleted when the version
after next is made. A writer that is killed leaves the old version current, and the next run continues its work. Only
the counts of terms have no versions: for a moment, passages are scored with those of the version to come.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from corpus.article import Article
from retrieval.errors import SnapshotMissing
from retrieval.index.build_progress import ProgressCallback
from retrieval.index.contract import PassageVectors, Published
from retrieval.index.writing.publishing import Source, as_source
from retrieval.milvus.client import MilvusConnection
from retrieval.milvus.generation_update import GenerationUpdate
from retrieval.milvus.generations import begin_generation, drop_generations, move_alias, updatable_generation
from retrieval.milvus.index import MilvusIndex
from retrieval.models.encoder import Encoder


def publish(
    articles: Source | Iterable[Article],
    encoder: Encoder,
    milvus: MilvusConnection,
    *,
    full: bool = False,
    progress: ProgressCallback = lambda _: None,
    known: Callable[[Iterable[int]], Mapping[int, PassageVectors]] = lambda _: {},
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Published:
    """Make the index hold these articles and no others; see `retrieval.index.writing.publishing.publish`.

    `known` returns the vectors of passages that another index already has, by key.

    Raises:
        IndexUnreachable: the server cannot be written to; the next run continues from there.
        PublishError: an article has too many passages, or the server does not have all that was written.
    """
    source = as_source(articles)
    current = updatable_generation(milvus)
    about = begin_generation(milvus, current, encoder, now(), full=full)
    in_place = current is not None and about.generation == current.generation
    milvus.load(about)
    for one in milvus.generations():
        if one.generation not in {about.generation, current.generation if current else ""}:
            milvus.release(one)  # it is no longer current, and its last readers are done
    sources = [about]
    if current is not None and not in_place and not full and current.encoder == about.encoder:
        sources.append(current)

    def known_vectors(keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        wanted = set(keys)
        found = dict(known(wanted))
        for one in sources:
            found.update(MilvusIndex(milvus, one).vectors(wanted - found.keys()))
        return found

    with milvus.translating_errors():
        update = GenerationUpdate(milvus, about, is_current=in_place)
        about = update.run(source, encoder, known_vectors, progress, now)
        if not in_place:
            move_alias(milvus, about)
            drop_generations(milvus, keep={about.generation, current.generation if current else ""})
    return Published(about.name, about.articles, about.passages, update.encoded)


def use(milvus: MilvusConnection, name: str) -> None:
    """Make another generation current.

    Raises:
        SnapshotMissing: there is none of that name, or it is not complete.
        IndexUnreachable: the server does not answer.
    """
    about = next((one for one in milvus.generations() if one.name == name and one.whole), None)
    if about is None:
        raise SnapshotMissing(f"there is no snapshot {name}; newsquote index list shows those there are")
    milvus.load(about)
    with milvus.translating_errors():
        move_alias(milvus, about)
