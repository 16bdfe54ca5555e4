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
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from corpus.article import Article
from corpus.storage.entry import article_digest
from retrieval.errors import PublishError, SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.index.build_progress import BuildProgress, ProgressCallback, Stage
from retrieval.index.contract import PassageRecord, PassageVectors, day_number, outlet_key
from retrieval.index.writing import passage_records
from retrieval.index.writing.current_snapshot import STAMP, next_timestamp
from retrieval.index.writing.passage_records import encode_articles, index_terms
from retrieval.index.writing.publishing import Published, Source, as_source, batches
from retrieval.milvus.store import (
    FORMAT,
    K1,
    KEYS,
    KINDS,
    LIST,
    LIVING,
    LONG_S,
    PAGE,
    PER_ARTICLE,
    PREFIX,
    B,
    Generation,
    Milvus,
    MilvusIndex,
    chunks,
    folded_of,
    name_key,
    packed,
    rows_of,
    signed,
    token_of,
)
from retrieval.models.encoder import Encoder

_TERMS_BYTES = 65_000
_NAME = 8_000
"""Of a word or title so many characters are kept beside what tells it from others, to show and to put in order."""
_AT_ONCE = 256
ARTICLE_FIELDS = ("number", "name", "digest", "title", "published", "ready", "content", "nothing")
PASSAGE_FIELDS = (
    *("row", "article", "start", "end", "key", "day", "outlet", "arabic", "terms", "vector"),
    *("folded", "words", "word_vectors", "sentences", "sentence_vectors"),
)

SOUGHT = ("key", "day", "outlet")
"""Fields of a passage that few are chosen by; where one has no index, a server compares it in every row."""


def publish(
    articles: Source | Iterable[Article],
    encoder: Encoder,
    milvus: Milvus,
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
    serving = _serving(milvus)
    about = _begun(milvus, serving, encoder, now(), full=full)
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

    with milvus.translated():
        done = _Change(milvus, about, serves=inplace).run(source, encoder, carried, progress, now)
        if not inplace:
            _serve(milvus, done.about)
            _drop(milvus, keep={done.about.generation, serving.generation if serving else ""})
    return Published(done.about.name, done.about.articles, done.about.passages, done.encoded)


def use(milvus: Milvus, name: str) -> None:
    """Let another generation serve.

    Raises:
        SnapshotMissing: there is none of that name, or it is not whole.
        IndexUnreachable: the server does not answer.
    """
    about = next((one for one in milvus.generations() if one.name == name and one.whole), None)
    if about is None:
        raise SnapshotMissing(f"there is no snapshot {name}; newsquote index list shows those there are")
    milvus.load(about)
    with milvus.translated():
        _serve(milvus, about)


def _serving(milvus: Milvus) -> Generation | None:
    """What serves, None where it cannot be changed in place."""
    try:
        return milvus.serving()
    except (SnapshotCorrupt, SnapshotOutdated):
        return None


@dataclass(slots=True)
class _There:
    """What a generation holds already.

    `names` are the ids of articles that are as they are wanted; `left` are the numbers of those of them that an
    interrupted run wrote, `back` of those that it marked as dead, `scrap` of what else it wrote. `going` are the
    numbers of articles that serve and are not wanted, `following` is the first number that was never given.
    """

    following: int
    names: set[str] = field(default_factory=set)
    left: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    scrap: list[int] = field(default_factory=list)
    going: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Done:
    about: Generation
    encoded: int


@dataclass(slots=True)
class _Change:
    """One change of a generation, which `serves` or is to, to what a source holds."""

    milvus: Milvus
    about: Generation
    serves: bool
    encoded: int = 0
    tokens: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    articles: int = 0
    passages: int = 0

    def run(
        self,
        source: Source,
        encoder: Encoder,
        known: Callable[[Iterable[int]], Mapping[int, PassageVectors]],
        progress: ProgressCallback,
        now: Callable[[], dt.datetime],
    ) -> _Done:
        wanted = source.digests()
        there = self._there(wanted)
        fresh = [one for one in wanted if one not in there.names]
        if self.about.whole and not (fresh or there.left or there.going):
            return _Done(self.about, 0)
        long_dead = f"died < {self.about.version}"
        self._delete(long_dead, long_dead)
        for number in there.scrap:
            self._delete(rows_of(number), f"number == {number}")
        for number in there.back:
            self._mark(number, LIVING)
        number = there.following
        for batch in batches(source.load(fresh)):
            made = list(encode_articles(batch, encoder, known))
            self._insert(number, [(article, kept) for article, kept, _ in made])
            number += len(made)
            self.encoded += sum(new for _, _, new in made)
            progress(BuildProgress(Stage.ARTICLES, self.articles, len(fresh)))
        version = self.about.version + 1
        for one in there.left:
            self._note_all(one, 1)
        for one in there.going:
            self._note_all(one, -1)
            self._mark(one, version)
        return _Done(
            self._finished(replace(self.about, version=version, following=number), len(there.names), now()),
            self.encoded,
        )

    def _finished(self, about: Generation, before: int, now: dt.datetime) -> Generation:
        """Count what a version has and let it serve, or, where the alias is to move, be ready to.

        Raises:
            PublishError: the server does not have what was written.
        """
        written = self.passages
        if self.about.whole:
            self._say(replace(self.about, whole=False))
            self._count()
            passages, tokens = self.about.passages + self.passages, self.about.tokens + self.tokens
        else:
            passages, tokens = self._recount(about)
        moment = next_timestamp(self.about.name, now)
        about = replace(
            about,
            whole=True,
            created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            articles=before + self.articles,
            passages=passages,
            tokens=tokens,
        )
        about = replace(about, name=_name(about, moment))
        there = [self.milvus.count(about.generation, kind, about.has(kind)) for kind in ("articles", "passages")]
        expected = [about.articles, max(passages, written)]
        if there != expected:
            if not self.serves:  # else the next run would go on with it
                _drop(self.milvus, keep=self.milvus.collections().keys() - {self.about.generation})
            raise PublishError(
                f"Milvus has {there[0]} articles with {there[1]} passages, not the {expected[0]} with {expected[1]} "
                "that were written; run: newsquote index build --full"
            )
        self.milvus.settle()
        self._say(about)
        return about

    def _there(self, wanted: Mapping[str, bytes]) -> _There:
        """What is there, and what of it is wanted."""
        there = _There(following=self.about.following)
        fields = ("number", "name", "digest", "ready", "died")
        for page in self._pages("articles", "number >= 0", fields, LIST):
            for row in page:
                number, name = int(row["number"]), row["name"]
                served = number < self.about.following
                if served and row["died"] <= self.about.version:
                    continue
                good = row["ready"] and name not in there.names and wanted.get(name, b"").hex() == row["digest"]
                if good:
                    there.names.add(name)
                if not served:
                    (there.left if good else there.scrap).append(number)
                    there.following = max(there.following, number + 1)
                elif not good:
                    there.going.append(number)
                elif row["died"] != LIVING:
                    there.back.append(number)
        return there

    def _insert(self, number: int, made: Sequence[tuple[Article, Sequence[PassageRecord]]]) -> None:
        for article, kept in made:
            if len(kept) > PER_ARTICLE:
                raise PublishError(
                    f"the article {article.id} has {len(kept)} passages, a Milvus index has room for {PER_ARTICLE}; "
                    "divide it, or remove it: newsquote articles remove"
                )
        articles = [_article_row(number + at, article) for at, (article, _) in enumerate(made)]
        self._upsert("articles", articles)
        passages = [
            _passage_row((number + at) * PER_ARTICLE + place, number + at, article, one)
            for at, (article, kept) in enumerate(made)
            for place, one in enumerate(kept)
        ]
        self._upsert("passages", passages)
        self._upsert("articles", [{**row, "ready": True} for row in articles])
        for _, kept in made:
            for one in kept:
                self._note(one.folded, 1)
        self.articles += len(made)

    def _delete(self, passages: str, articles: str) -> None:
        """Delete what meets a condition; passages before their articles, so that none is forgotten."""
        for kind, condition in (("passages", passages), ("articles", articles)):
            self.milvus.client.delete(self._name(kind), filter=condition, timeout=LONG_S)

    def _mark(self, number: int, died: int) -> None:
        """Write down in which version an article died, its passages first."""
        for kind, condition, fields in (
            ("passages", rows_of(number), PASSAGE_FIELDS),
            ("articles", f"number == {number}", ARTICLE_FIELDS),
        ):
            for page in self._pages(kind, condition, fields):
                self._upsert(kind, [{**row, "died": died} for row in page])

    def _note_all(self, number: int, sign: int) -> None:
        """Count an article's passages among what changed."""
        for page in self._pages("passages", rows_of(number), ("row", "folded"), LIST):
            for row in page:
                self._note(folded_of(row), sign)

    def _note(self, folded: Sequence[str], sign: int) -> None:
        """Count a passage's words and terms among what changed."""
        terms = index_terms(folded)
        self.passages += sign
        self.tokens += sign * len(terms)
        for name in {*(f"t {term}" for term in terms), *(f"w {word}" for word in folded)}:
            self.counts[name] += sign

    def _count(self) -> None:
        """Add what changed to the counts."""
        names = [name for name, change in self.counts.items() if change]
        for start in range(0, len(names), _AT_ONCE):
            keys = {name_key(name): name for name in names[start : start + _AT_ONCE]}
            found = self.milvus.rows(
                self.about.generation, "terms", f"key in {list(keys)}", ("key", "count"), latest=True
            )
            old = {int(row["key"]): int(row["count"]) for row in found}
            new = {key: old.get(key, 0) + self.counts[name] for key, name in keys.items()}
            self._upsert("terms", [_term_row(key, keys[key], count) for key, count in new.items()])

    def _recount(self, about: Generation) -> tuple[int, int]:
        """Count everything that a version has: passages and terms with repetitions."""
        self.counts, self.passages, self.tokens = Counter(), 0, 0
        for page in self._pages("passages", about.has("passages"), ("row", "folded"), LIST):
            for row in page:
                self._note(folded_of(row), 1)
        counted = {name_key(name): (name, count) for name, count in self.counts.items()}
        for page in self._pages("terms", "key >= 0", ("key", "name", "count"), LIST):
            for row in page:
                if int(row["key"]) not in counted and row["count"]:
                    counted[int(row["key"])] = (row["name"], 0)
        self._upsert("terms", [_term_row(key, name, count) for key, (name, count) in counted.items()])
        return self.passages, self.tokens

    def _pages(
        self, kind: str, where: str, fields: Sequence[str], at_once: int = PAGE
    ) -> Iterable[list[dict[str, Any]]]:
        return self.milvus.pages(self.about.generation, kind, where, fields, at_once=at_once, latest=True)

    def _say(self, about: Generation) -> None:
        self._upsert("about", [_about_row(about)])

    def _upsert(self, kind: str, found: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            rows_ = [dict(row) for row in found[start : start + _AT_ONCE]]
            self.milvus.client.upsert(self._name(kind), rows_, timeout=LONG_S)

    def _name(self, kind: str) -> str:
        return self.milvus.collection(self.about.generation, kind)


def _begun(milvus: Milvus, serving: Generation | None, encoder: Encoder, now: dt.datetime, *, full: bool) -> Generation:
    """The generation to change: the one that serves, one that was begun and not finished, or a new one."""
    made_by = (FORMAT, encoder.fingerprint, encoder.dim, passage_records.pipeline_version())
    if serving is not None and not full and made_by == _made_by(serving):
        return serving
    for one in milvus.generations():
        served = serving is not None and one.generation == serving.generation
        if not served and not one.whole and made_by == _made_by(one) and one.full == full:
            return one
    moment = next_timestamp(max([*milvus.collections(), serving.name if serving else ""], default="") or None, now)
    about = Generation(
        format=FORMAT,
        generation=f"{moment:{STAMP}}",
        name="",
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder.fingerprint,
        dim=encoder.dim,
        recipe=passage_records.pipeline_version(),
        full=full,
        whole=False,
        version=0,
        articles=0,
        passages=0,
        tokens=0,
        following=0,
    )
    about = replace(about, name=_name(about, moment))
    with milvus.translated():
        for kind in reversed(KINDS):  # its `about` is what makes a generation known
            _create(milvus, about, kind)
        name = milvus.collection(about.generation, "about")
        milvus.client.upsert(name, [_about_row(about)], timeout=LONG_S)
    return about


def _made_by(about: Generation) -> tuple[int, str, int, str]:
    return about.format, about.encoder, about.dim, about.recipe


def _name(about: Generation, moment: dt.datetime) -> str:
    content = json.dumps({**asdict(about), "name": ""})
    return f"{moment:{STAMP}}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _serve(milvus: Milvus, about: Generation) -> None:
    """Move the alias: from here on this generation serves."""
    from pymilvus.exceptions import MilvusException

    target = milvus.collection(about.generation, "about")
    try:
        milvus.client.describe_alias(PREFIX, timeout=milvus.timeout_s)
    except MilvusException as exc:
        if exc.code not in {100, 1600}:
            raise
        milvus.client.create_alias(target, PREFIX, timeout=LONG_S)
    else:
        milvus.client.alter_alias(target, PREFIX, timeout=LONG_S)


def _drop(milvus: Milvus, keep: set[str]) -> None:
    """Remove the collections of other generations."""
    for generation, names in milvus.collections().items():
        if generation not in keep:
            for name in names:
                milvus.client.drop_collection(name, timeout=LONG_S)


def _create(milvus: Milvus, about: Generation, kind: str) -> None:
    """Make an empty collection."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    index = milvus.client.prepare_index_params()

    def text(name: str) -> None:
        """Strings that a server should map from its disk, not hold."""
        size = {"max_capacity": 4096, "max_length": 65_535}
        schema.add_field(name, DataType.ARRAY, element_type=DataType.VARCHAR, mmap_enabled=True, **size)

    if kind == "passages":
        schema.add_field("row", DataType.INT64, is_primary=True)
        for name in ("article", "start", "end", "key", "outlet", "day", "died"):
            schema.add_field(name, DataType.INT64)
        schema.add_field("arabic", DataType.BOOL)
        schema.add_field(
            "terms",
            DataType.VARCHAR,
            max_length=65_535,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=about.dim)
        for name in ("folded", "words", "word_vectors", "sentences", "sentence_vectors"):
            text(name)
        function = Function(
            name="bm25", function_type=FunctionType.BM25, input_field_names=["terms"], output_field_names=["sparse"]
        )
        schema.add_function(function)
        for name in SOUGHT:
            index.add_index(name, index_type="INVERTED")
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        index.add_index(
            "sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B}
        )
    else:
        # A collection must have a vector, needed or not.
        schema.add_field(KEYS[kind], DataType.INT64, is_primary=True)
        schema.add_field("nothing", DataType.FLOAT_VECTOR, dim=2)
        index.add_index("nothing", index_type="FLAT", metric_type="IP")
        if kind == "articles":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("digest", DataType.VARCHAR, max_length=32)
            schema.add_field("title", DataType.VARCHAR, max_length=65_535)
            schema.add_field("published", DataType.VARCHAR, max_length=64)
            schema.add_field("ready", DataType.BOOL)
            schema.add_field("died", DataType.INT64)
            text("content")
        elif kind == "terms":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("count", DataType.INT64)
        else:
            schema.add_field("content", DataType.VARCHAR, max_length=65_535)
    name = milvus.collection(about.generation, kind)
    milvus.client.create_collection(name, schema=schema, timeout=LONG_S)
    milvus.client.create_index(name, index, timeout=LONG_S, sync=False)  # over no rows: there is nothing to wait for
    milvus.client.load_collection(name, timeout=LONG_S)


def _about_row(about: Generation) -> dict[str, Any]:
    return {"id": 0, "content": about.to_json(), "nothing": [0.0, 0.0]}


def _article_row(number: int, article: Article) -> dict[str, Any]:
    content = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":"))
    return {
        "number": number,
        "name": article.id,
        "digest": article_digest(article).hex(),
        "title": article.title[:_NAME],
        "published": article.published or "",
        "ready": False,
        "died": LIVING,
        "content": chunks(content),
        "nothing": [0.0, 0.0],
    }


def _passage_row(row: int, number: int, article: Article, one: PassageRecord) -> dict[str, Any]:
    text = " ".join(map(token_of, index_terms(one.folded)))
    return {
        "row": row,
        "article": number,
        "start": one.span.start,
        "end": one.span.end,
        "key": signed(one.key),
        "day": day_number(article.published),
        "outlet": outlet_key(article.source),
        "arabic": bool(one.arabic),
        "died": LIVING,
        "terms": text if len(text) <= _TERMS_BYTES else text[:_TERMS_BYTES].rsplit(" ", 1)[0],
        "vector": one.vectors.passage.tolist(),
        "folded": chunks("\t".join(one.folded)),
        "words": packed(one.words),
        "word_vectors": packed(one.vectors.words),
        "sentences": packed(one.sentences),
        "sentence_vectors": packed(one.vectors.sentences),
    }


def _term_row(key: int, name: str, count: int) -> dict[str, Any]:
    return {"key": key, "name": name[:_NAME], "count": count, "nothing": [0.0, 0.0]}
