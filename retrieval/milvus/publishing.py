"""Articles to an index on Milvus. Writing only; answering never imports this. One writer at a time, many readers.

Where the encoder or the way passages are made changed, or everything is wanted anew, a new generation of collections
is filled and the alias moves to it, once it is whole; the one before stays, for `use`, and older ones are dropped. Else
the generation that serves gets a new version in place: what is new gets numbers that no version has yet, what is to go
is marked as dead from the new version on, then one row says that this version serves. What is dead is deleted when the
version after next is made. Whoever is killed leaves the old version serving, and the next run goes on. The counts of
terms alone have no versions: for moments passages are weighed by those of the version that comes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from corpus.article import Article
from retrieval.errors import SnapshotMissing
from retrieval.index.build_progress import ProgressCallback
from retrieval.index.contract import PassageVectors
from retrieval.index.writing.publishing import Published, Source, as_source
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
    """Make what serves hold these articles and no others; see `retrieval.index.writing.publishing.publish`.

    `known` gives the vectors of passages that another index has made already.

    Raises:
        IndexUnreachable: the server cannot be written to; the next run goes on from there.
        PublishError: an article has more passages than there is room for, or the server does not have what was written.
    """
    source = as_source(articles)
    serving = updatable_generation(milvus)
    about = begin_generation(milvus, serving, encoder, now(), full=full)
    inplace = serving is not None and about.generation == serving.generation
    milvus.load(about)
    for one in milvus.generations():
        if one.generation not in {about.generation, serving.generation if serving else ""}:
            milvus.release(one)  # whoever still asked it when another began to serve has long got an answer
    held = [about]
    if serving is not None and not inplace and not full and serving.encoder == about.encoder:
        held.append(serving)

    def carried(keys: Iterable[int]) -> Mapping[int, PassageVectors]:
        wanted = set(keys)
        found = dict(known(wanted))
        for one in held:
            found.update(MilvusIndex(milvus, one).vectors(wanted - found.keys()))
        return found

    with milvus.translating_errors():
        done = GenerationUpdate(milvus, about, serves=inplace).run(source, encoder, carried, progress, now)
        if not inplace:
            move_alias(milvus, done.about)
            drop_generations(milvus, keep={done.about.generation, serving.generation if serving else ""})
    return Published(done.about.name, done.about.articles, done.about.passages, done.encoded)


def use(milvus: MilvusConnection, name: str) -> None:
    """Let another generation serve.

    Raises:
        SnapshotMissing: there is none of that name, or it is not whole.
        IndexUnreachable: the server does not answer.
    """
    about = next((one for one in milvus.generations() if one.name == name and one.whole), None)
    if about is None:
        raise SnapshotMissing(f"there is no snapshot {name}; newsquote index list shows those there are")
    milvus.load(about)
    with milvus.translating_errors():
        move_alias(milvus, about)
