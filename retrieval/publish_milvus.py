"""Articles to an index on Milvus. Writing only; answering never imports this. One writer at a time, many readers.

Where the encoder or the way passages are made changed, or everything is wanted anew, a new generation of collections
is filled and the alias moves to it, once it is whole; the one before stays, for `use`, and older ones are dropped. Else
the generation that serves is changed in place: an article counts once its passages are all there, and one that is gone
loses its passages before itself, so that whoever is killed leaves nothing that the next run does not put right.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from corpus.article import Article
from corpus.catalog import digest_of
from retrieval import rows
from retrieval.encoder import Encoder
from retrieval.errors import SnapshotMissing
from retrieval.index import day_of, outlet_of
from retrieval.milvus import (
    FORMAT,
    KINDS,
    PER_ARTICLE,
    PREFIX,
    About,
    Milvus,
    MilvusIndex,
    chunks,
    folded_of,
    name_key,
    packed,
    signed,
    token_of,
)
from retrieval.publish import STAMP, Published, Source, after, batches, given
from retrieval.rows import Kept, Vectors, encoded, index_terms
from retrieval.steps import Progress, Step, What

_TERMS_BYTES = 65_000
_AT_ONCE = 256


def publish(
    articles: Source | Iterable[Article],
    encoder: Encoder,
    milvus: Milvus,
    *,
    full: bool = False,
    progress: Progress = lambda _: None,
    known: Callable[[Iterable[int]], Mapping[int, Vectors]] = lambda _: {},
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> Published:
    """Make what serves hold these articles and no others; see `retrieval.publish.publish`.

    `known` gives the vectors of passages that another index has made already.

    Raises:
        IndexUnreachable: the server cannot be written to; the next run goes on from there.
    """
    source = given(articles)
    serving = milvus.serving()
    about = _begun(milvus, serving, encoder, now(), full=full)
    inplace = serving is not None and about.generation == serving.generation
    milvus.load(about)
    with milvus.translated():
        done = _Change(milvus, about).run(source, encoder, known, progress, now)
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
    with milvus.translated():
        _serve(milvus, about)


@dataclass(frozen=True, slots=True)
class _Done:
    about: About
    encoded: int


@dataclass(slots=True)
class _Change:
    """One change of a generation to what a source holds."""

    milvus: Milvus
    about: About
    encoded: int = 0
    tokens: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    articles: int = 0
    passages: int = 0

    def run(
        self,
        source: Source,
        encoder: Encoder,
        known: Callable[[Iterable[int]], Mapping[int, Vectors]],
        progress: Progress,
        now: Callable[[], dt.datetime],
    ) -> _Done:
        wanted = source.digests()
        there, unwanted = self._there(wanted)
        fresh = [one for one in wanted if one not in there]
        if self.about.whole and not fresh and not unwanted:
            return _Done(self.about, 0)
        started_whole = self.about.whole
        number = self._following()
        self.about = replace(self.about, whole=False, following=number)
        self._say(self.about)
        index = MilvusIndex(self.milvus, self.about)

        def vectors(keys: Iterable[int]) -> Mapping[int, Vectors]:
            listed = list(keys)
            return {**index.vectors(listed), **known(listed)}

        for batch in batches(source.load(fresh)):
            made = list(encoded(batch, encoder, vectors))
            self._insert(number, [(article, kept) for article, kept, _ in made])
            number += len(made)
            self.encoded += sum(new for _, _, new in made)
            progress(Step(What.ARTICLES, self.articles, len(fresh)))
        self._delete(unwanted)
        moment = after(self.about.name, now())
        if started_whole:
            self._count()
            articles = self.about.articles + len(fresh) - len(unwanted)
            passages, tokens = self.about.passages + self.passages, self.about.tokens + self.tokens
        else:
            articles, passages, tokens = self._recount()
        about = replace(
            self.about,
            whole=True,
            created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            articles=articles,
            passages=passages,
            tokens=tokens,
            following=number,
        )
        about = replace(about, name=_name(about, moment))
        self._say(about)
        return _Done(about, self.encoded)

    def _there(self, wanted: Mapping[str, bytes]) -> tuple[set[str], list[int]]:
        """The ids of articles that are there as they are wanted, and the numbers of those that are not."""
        there: set[str] = set()
        unwanted = []
        for page in self._pages("articles", "number", ("number", "name", "digest", "ready")):
            for row in page:
                good = row["ready"] and row["name"] not in there and wanted.get(row["name"], b"").hex() == row["digest"]
                if good:
                    there.add(row["name"])
                else:
                    unwanted.append(int(row["number"]))
        return there, unwanted

    def _following(self) -> int:
        """The number that the next article gets: beyond every one that is there, also after a kill."""
        found = self.milvus.rows(self.about.generation, "articles", f"number >= {self.about.following}", ("number",))
        return max([self.about.following, *(int(row["number"]) + 1 for row in found)])

    def _insert(self, number: int, made: Sequence[tuple[Article, Sequence[Kept]]]) -> None:
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

    def _delete(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            first = number * PER_ARTICLE
            condition = f"row >= {first} and row < {first + PER_ARTICLE}"
            for row in self.milvus.rows(self.about.generation, "passages", condition, ("row", "folded")):
                self._note(folded_of(row), -1)
            self.milvus.client.delete(self._name("passages"), filter=condition)
            self.milvus.client.delete(self._name("articles"), filter=f"number == {number}")

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
            found = self.milvus.rows(self.about.generation, "terms", f"key in {list(keys)}", ("key", "count"))
            old = {int(row["key"]): int(row["count"]) for row in found}
            new = {key: old.get(key, 0) + self.counts[name] for key, name in keys.items()}
            self._upsert("terms", [_term_row(key, keys[key], count) for key, count in new.items()])

    def _recount(self) -> tuple[int, int, int]:
        """Count everything that is there: articles, passages and terms with repetitions."""
        articles = sum(len(page) for page in self._pages("articles", "number", ("number",)))
        self.counts, self.passages, self.tokens = Counter(), 0, 0
        for page in self._pages("passages", "row", ("row", "folded")):
            for row in page:
                self._note(folded_of(row), 1)
        counted = {name_key(name): (name, count) for name, count in self.counts.items()}
        for page in self._pages("terms", "key", ("key", "name", "count")):
            for row in page:
                if int(row["key"]) not in counted and row["count"]:
                    counted[int(row["key"])] = (row["name"], 0)
        listed = [_term_row(key, name, count) for key, (name, count) in counted.items()]
        for start in range(0, len(listed), _AT_ONCE):
            self._upsert("terms", listed[start : start + _AT_ONCE])
        return articles, self.passages, self.tokens

    def _pages(self, kind: str, key: str, fields: Sequence[str]) -> Iterable[list[dict[str, Any]]]:
        return self.milvus.pages(self.about.generation, kind, key, fields)

    def _say(self, about: About) -> None:
        self._upsert("about", [_about_row(about)])

    def _upsert(self, kind: str, found: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(found), _AT_ONCE):
            self.milvus.client.upsert(self._name(kind), [dict(row) for row in found[start : start + _AT_ONCE]])

    def _name(self, kind: str) -> str:
        return self.milvus.collection(self.about.generation, kind)


def _begun(milvus: Milvus, serving: About | None, encoder: Encoder, now: dt.datetime, *, full: bool) -> About:
    """The generation to change: the one that serves, one that was begun and not finished, or a new one."""
    made_by = (FORMAT, encoder.fingerprint, encoder.dim, rows.recipe())
    if serving is not None and not full and made_by == _made_by(serving):
        return serving
    for one in milvus.generations():
        served = serving is not None and one.generation == serving.generation
        if not served and not one.whole and made_by == _made_by(one) and one.full == full:
            return one
    moment = after(serving.name if serving else None, now)
    about = About(
        format=FORMAT,
        generation=f"{moment:{STAMP}}",
        name="",
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder.fingerprint,
        dim=encoder.dim,
        recipe=rows.recipe(),
        full=full,
        whole=False,
        articles=0,
        passages=0,
        tokens=0,
        following=0,
    )
    about = replace(about, name=_name(about, moment))
    with milvus.translated():
        for kind in reversed(KINDS):  # its `about` is what makes a generation known
            _create(milvus, about, kind)
        milvus.client.upsert(milvus.collection(about.generation, "about"), [_about_row(about)])
    return about


def _made_by(about: About) -> tuple[int, str, int, str]:
    return about.format, about.encoder, about.dim, about.recipe


def _name(about: About, moment: dt.datetime) -> str:
    content = json.dumps({**asdict(about), "name": ""})
    return f"{moment:{STAMP}}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _serve(milvus: Milvus, about: About) -> None:
    """Move the alias: from here on this generation serves."""
    from pymilvus.exceptions import MilvusException

    target = milvus.collection(about.generation, "about")
    try:
        milvus.client.describe_alias(PREFIX)
    except MilvusException as exc:
        if exc.code not in {100, 1600}:
            raise
        milvus.client.create_alias(target, PREFIX)
    else:
        milvus.client.alter_alias(target, PREFIX)


def _drop(milvus: Milvus, keep: set[str]) -> None:
    """Remove the collections of other generations."""
    for name in milvus.client.list_collections():
        parts = name.split("_")
        if len(parts) == 3 and parts[0] == PREFIX and parts[1] not in keep:
            with contextlib.suppress(KeyError):
                milvus.client.drop_collection(name)


def _create(milvus: Milvus, about: About, kind: str) -> None:
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
        for name in ("article", "start", "end", "key", "outlet", "day"):
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
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        index.add_index(
            "sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": 1.2, "bm25_b": 0.75}
        )
    else:
        # A collection must have a vector, needed or not.
        schema.add_field({"articles": "number", "terms": "key"}.get(kind, "id"), DataType.INT64, is_primary=True)
        schema.add_field("nothing", DataType.FLOAT_VECTOR, dim=2)
        index.add_index("nothing", index_type="FLAT", metric_type="IP")
        if kind == "articles":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("digest", DataType.VARCHAR, max_length=32)
            schema.add_field("ready", DataType.BOOL)
            text("content")
        elif kind == "terms":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("count", DataType.INT64)
        else:
            schema.add_field("content", DataType.VARCHAR, max_length=65_535)
    name = milvus.collection(about.generation, kind)
    if name in milvus.client.list_collections():
        milvus.client.drop_collection(name)
    milvus.client.create_collection(name, schema=schema, index_params=index)


def _about_row(about: About) -> dict[str, Any]:
    return {"id": 0, "content": about.to_json(), "nothing": [0.0, 0.0]}


def _article_row(number: int, article: Article) -> dict[str, Any]:
    content = json.dumps(asdict(article), ensure_ascii=False, separators=(",", ":"))
    return {
        "number": number,
        "name": article.id,
        "digest": digest_of(article).hex(),
        "ready": False,
        "content": chunks(content),
        "nothing": [0.0, 0.0],
    }


def _passage_row(row: int, number: int, article: Article, one: Kept) -> dict[str, Any]:
    text = " ".join(map(token_of, index_terms(one.folded)))
    return {
        "row": row,
        "article": number,
        "start": one.span.start,
        "end": one.span.end,
        "key": signed(one.key),
        "day": day_of(article.published),
        "outlet": outlet_of(article.source),
        "arabic": bool(one.arabic),
        "terms": text if len(text) <= _TERMS_BYTES else text[:_TERMS_BYTES].rsplit(" ", 1)[0],
        "vector": one.vectors.passage.tolist(),
        "folded": chunks("\t".join(one.folded)),
        "words": packed(one.words),
        "word_vectors": packed(one.vectors.words),
        "sentences": packed(one.sentences),
        "sentence_vectors": packed(one.vectors.sentences),
    }


def _term_row(key: int, name: str, count: int) -> dict[str, Any]:
    return {"key": key, "name": name, "count": count, "nothing": [0.0, 0.0]}
