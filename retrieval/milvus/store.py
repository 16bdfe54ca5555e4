"""An index on Milvus: the only door to pymilvus. Reading only.

A published index is a generation of four collections, PREFIX_<generation>_KIND; the alias PREFIX names the one that
serves, by its `about` collection, so that a new generation begins to serve in one step.

    about       one row: what the index holds, as JSON, and which version of it serves
    articles    an article a row: its id, digest, content and what it is listed by; not `ready` as long as its passages
                are not all there
    passages    a passage a row: vector, terms for BM25, day and outlet to choose by, and what is kept of it
    terms       in how many passages an index term or folded word occurs

An article's number counts up; passage p of article a has the row a * 65,536 + p. A version has the articles with
numbers below `following` that did not die in it or before: all of a change is seen at once, when its row of `about` is
written, and none of it before. What died lately stays for those who still read the version before.

Milvus has no type for bytes that its embedded form knows as well, so they are base64 in arrays of strings.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import math
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from corpus.article import Article, Span
from retrieval.errors import IndexUnreachable, RetrievalError, SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.index.contract import (
    SENTENCE,
    WORD,
    ArticleFilter,
    ArticleSummary,
    Floats,
    Matches,
    PassageData,
    PassageRecord,
    PassageVectors,
    Rows,
    outlet_key,
)
from retrieval.text.late_interaction import WORD_DIM

if TYPE_CHECKING:
    from pymilvus import MilvusClient

FORMAT = 3
"""Goes up whenever what the collections hold changes its meaning."""

PREFIX = "newsquote"
KEYS = {"about": "id", "articles": "number", "passages": "row", "terms": "key"}
"""The kinds of collections, each with its key."""
KINDS = tuple(KEYS)
PER_ARTICLE = 1 << 16
"""Rows set aside for an article's passages."""
LIVING = 1 << 62
"""The version in which what lives dies."""

K1, B = 1.2, 0.75
"""BM25's parameters, tantivy's too."""

LONG_S = 600.0
"""So long a server may take over what it does once in a while, such as loading a collection."""
SETTLE_S = 6.0
"""A server may answer from up to five seconds ago, which is its `common.gracefulTime`."""

_CHUNK = 16_000
PAGE, LIST = 256, 8192
"""So many rows are asked for at a time: with vectors or texts, and with nothing longer than a passage's words."""
_PLAIN = re.compile(r"[a-z0-9]{1,64}")
_EVIDENCE = ("article", "start", "end", "arabic", "words", "word_vectors", "sentences", "sentence_vectors")


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation holds. `name` is the snapshot's, new with every change, and so is `version`.

    `following` is the number that the next article gets; `tokens` counts terms with repetitions. `whole` is false while
    it is filled, or terms are counted: what is counted is then not what is there.
    """

    format: int
    generation: str
    name: str
    created: str
    encoder: str
    dim: int
    recipe: str
    full: bool
    whole: bool
    version: int
    articles: int
    passages: int
    tokens: int
    following: int

    @classmethod
    def read(cls, text: str) -> Generation:
        """Read what `to_json` wrote.

        Raises:
            SnapshotCorrupt: it is something else.
            SnapshotOutdated: it has another format version.
        """
        try:
            raw = json.loads(text)
            if raw["format"] != FORMAT:
                raise SnapshotOutdated(
                    f"the index has format {raw['format']}, this newsquote reads {FORMAT}; run: newsquote index build"
                )
            return cls(**{field.name: raw[field.name] for field in fields(cls)})
        except (ValueError, TypeError, KeyError) as exc:
            raise SnapshotCorrupt("the index does not say what it holds; run: newsquote index build --full") from exc

    def to_json(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self))

    def has(self, kind: str) -> str:
        """The condition that this version has an article or passage."""
        return f"{'number' if kind == 'articles' else 'article'} < {self.following} and died > {self.version}"


class Milvus:
    """A Milvus server, or a file that Milvus Lite keeps, and the indexes in it."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 10.0) -> None:
        """`url` is that of the server, or a file's path that ends in .db; it must answer within `timeout_s`.

        Loading a collection, and what writers ask for, may take up to LONG_S.

        Raises:
            IndexUnreachable: pymilvus is not installed, or the server does not answer.
        """
        # Milvus Lite turns away who asks after it every ten seconds, and gRPC tells the terminal each time.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            from pymilvus import MilvusClient
        except ImportError as exc:
            raise IndexUnreachable(
                "index_url needs pymilvus, which is not installed; run: pip install 'newsquote[milvus]'"
            ) from exc
        self.url = url
        self.timeout_s = timeout_s
        # They log what they raise, with tracebacks, and set their own levels when they are imported.
        for name in ("pymilvus", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with self.translated():
            self.client: MilvusClient = MilvusClient(url, token=token or "", timeout=timeout_s)

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Says of a failed call what failed and what to do."""
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except (MilvusException, RpcError) as exc:  # pymilvus passes on what is not worth trying again
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
        with self.translated():
            for name in sorted(self.client.list_collections(timeout=self.timeout_s)):
                prefix, generation, kind = (*name.split("_", 2), "", "")[:3]
                if prefix == PREFIX and kind in KINDS:
                    found.setdefault(generation, []).append(name)
        return found

    def generations(self) -> list[Generation]:
        """What is there and can be read, finished or not, oldest first."""
        return [about for about in self._generations().values() if isinstance(about, Generation)]

    def _generations(self) -> dict[str, Generation | RetrievalError | None]:
        """What each generation holds, or why that cannot be told; None where it is about to come or go."""
        found: dict[str, Generation | RetrievalError | None] = {}
        for generation in self.collections():
            try:
                with self.translated():
                    found[generation] = self._about(self.collection(generation, "about"), latest=True)
            except (SnapshotCorrupt, SnapshotOutdated) as exc:
                found[generation] = exc
        return found

    def serving(self) -> Generation | None:
        """What serves at this very moment; None where nothing was ever published.

        Raises:
            SnapshotOutdated, SnapshotCorrupt: it cannot be read.
        """
        with self.translated():
            return self._about(PREFIX, latest=True)

    def current(self) -> str | None:
        """The name of what serves, or served some seconds ago: a server says that at once."""
        with self.translated():
            about = self._about(PREFIX, latest=False) or self._about(PREFIX, latest=True)
        return None if about is None else about.name

    def open(self, name: str | None = None, *, encoder: str | None = None) -> MilvusIndex:
        """The index that serves, or the one of that name; with `encoder`, the fingerprint of the one questions need.

        Raises:
            SnapshotMissing, SnapshotOutdated, SnapshotCorrupt: there is none that can serve.
            IndexUnreachable: the server does not answer.
        """
        about = self.serving() if name is None else next((a for a in self.generations() if a.name == name), None)
        if about is None:
            raise SnapshotMissing(f"there is no index {name or 'at ' + self.url} yet; run: newsquote index build")
        if encoder is not None and about.encoder != encoder:
            raise SnapshotOutdated(
                f"the index {about.name} was made with the encoder {about.encoder}, the one in use is {encoder}; "
                "run: newsquote index build"
            )
        self.load(about)
        return MilvusIndex(self, about)

    def load(self, about: Generation) -> None:
        """See that a generation can be asked: Milvus Lite forgets what was loaded when its process ends."""
        with self.translated():
            for kind in KINDS:
                self.client.load_collection(self.collection(about.generation, kind), timeout=LONG_S)

    def release(self, about: Generation) -> None:
        """Let a server use the memory of a generation for others, until it is loaded again."""
        with self.translated():
            for kind in ("articles", "passages", "terms"):
                self.client.release_collection(self.collection(about.generation, kind), timeout=LONG_S)

    def settle(self) -> None:
        """Wait until whoever asks a server sees all that was written; what a file keeps is seen at once."""
        if "://" in self.url:
            time.sleep(SETTLE_S)

    def encoder(self) -> str | None:
        """The fingerprint of the encoder that made what serves."""
        about = self.serving()
        return None if about is None else about.encoder

    def listed(self) -> list[tuple[str, str]]:
        """Name and description of each generation, oldest first."""
        return [
            (one.name, f"{one.articles} articles, {one.passages} passages" if one.whole else "not finished")
            if isinstance(one, Generation)
            else (generation, str(one))
            for generation, one in self._generations().items()
            if one is not None
        ]

    def check(self) -> str:
        """Read every row of what serves."""
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

    def rows(
        self, generation: str, kind: str, where: str, fields: Sequence[str], *, latest: bool = False
    ) -> list[dict[str, Any]]:
        """The rows of a collection that meet a condition which some hundreds meet at the most.

        With `latest` whatever was written before is seen; without, a server may answer from some seconds ago.
        """
        with self.translated():
            return list(
                self.client.query(
                    self.collection(generation, kind),
                    filter=where,
                    output_fields=list(fields),
                    timeout=self.timeout_s,
                    **_seeing(latest=latest),
                )
            )

    def count(self, generation: str, kind: str, where: str) -> int:
        """How many rows of a collection meet a condition at this very moment."""
        with self.translated():
            [found] = self.client.query(
                self.collection(generation, kind),
                filter=where,
                output_fields=["count(*)"],
                timeout=LONG_S,
                **_seeing(latest=True),
            )
        return int(found["count(*)"])

    def pages(
        self,
        generation: str,
        kind: str,
        where: str,
        fields: Sequence[str],
        *,
        at_once: int = PAGE,
        latest: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """The rows of a collection that meet a condition, however many, by their key, `at_once` at a time."""
        key = KEYS[kind]
        with self.translated():
            found = self.client.query_iterator(
                self.collection(generation, kind),
                batch_size=at_once,
                filter=where,
                output_fields=list(fields),
                timeout=self.timeout_s,
                **_seeing(latest=latest),
            )
            try:
                while page := found.next():
                    yield sorted(page, key=lambda row: int(row[key]))
            finally:
                found.close()

    def _about(self, name: str, *, latest: bool) -> Generation | None:
        from pymilvus.exceptions import MilvusException

        try:
            try:
                rows = self._zero(name, latest=latest)
            except MilvusException as exc:
                if exc.code != 101:  # there, and not loaded
                    raise
                self.client.load_collection(name, timeout=LONG_S)
                rows = self._zero(name, latest=latest)
        except MilvusException as exc:
            if exc.code in {100, 700, 1600}:  # no such collection, index or alias: it is about to come, or to go
                return None
            raise
        return Generation.read(rows[0]["content"]) if rows else None

    def _zero(self, name: str, *, latest: bool) -> list[dict[str, Any]]:
        asked = {"filter": "id == 0", "output_fields": ["content"], "timeout": self.timeout_s}
        return list(self.client.query(name, **asked, **_seeing(latest=latest)))


class MilvusIndex:
    """One published index on Milvus, an `Index`. Not for several threads at once."""

    def __init__(self, milvus: Milvus, about: Generation) -> None:
        self.about = about
        self.name = about.name
        self.size = about.passages
        self._milvus = milvus
        self._articles: dict[int, Article] = {}
        self._counts: dict[str, int] = {}

    def fetch(self, vector: Floats | None, weights: Mapping[str, float], limit: int, where: ArticleFilter) -> Matches:
        """The `limit` passages nearest to a unit vector, and as many that share the most telling terms: one search.

        The engine chooses and joins them by reciprocal ranks; how near each is, is worked out here, as on one machine.
        """
        from pymilvus import AnnSearchRequest, RRFRanker

        condition = " and ".join(filter(None, (condition_of(where), self.about.has("passages"))))
        asked = []
        if vector is not None:
            asked.append(AnnSearchRequest([vector.tolist()], "vector", {"metric_type": "IP"}, limit, expr=condition))
        if weights:
            text = " ".join(map(token_of, weights))
            asked.append(AnnSearchRequest([text], "sparse", {"metric_type": "BM25"}, limit, expr=condition))
        if not asked or not self.size:
            return _fetched([], np.zeros(0, np.float32), np.zeros(0, np.float32), limit)
        name = self._milvus.collection(self.about.generation, "passages")
        with self._milvus.translated():
            [found] = self._milvus.client.hybrid_search(
                name,
                asked,
                RRFRanker(),
                limit=len(asked) * limit,
                output_fields=["row", "vector", "terms"],
                timeout=self._milvus.timeout_s,
            )
        hits = sorted((hit["entity"] for hit in found), key=lambda hit: int(hit["row"]))
        vectors = np.array([hit["vector"] for hit in hits], np.float32).reshape(-1, self.about.dim)
        cosine = np.zeros(len(hits), np.float32) if vector is None else vectors @ vector
        return _fetched(
            [int(hit["row"]) for hit in hits],
            cosine,
            self._bm25(weights, [hit["terms"] for hit in hits]),
            limit,
            dense=vector is not None,
        )

    def passages(self, rows: Rows) -> PassageData:
        """What is kept of these passages."""
        found = self._rows(rows, _EVIDENCE)
        words = [unpacked(row["words"], WORD) for row in found]
        sentences = [unpacked(row["sentences"], SENTENCE) for row in found]
        word_vectors = [unpacked(row["word_vectors"], np.dtype("i1")).reshape(-1, WORD_DIM) for row in found]
        kept = [unpacked(row["sentence_vectors"], np.dtype("i1")).reshape(-1, self.about.dim) for row in found]
        return PassageData(
            article=np.array([row["article"] for row in found], np.int64),
            spans=tuple(Span(row["start"], row["end"]) for row in found),
            arabic=np.array([row["arabic"] for row in found], np.bool_),
            words=np.concatenate([np.empty(0, WORD), *words]),
            word_vectors=np.concatenate([np.empty((0, WORD_DIM), np.int8), *word_vectors]),
            word_counts=np.array([len(one) for one in words], np.int64),
            sentences=np.concatenate([np.empty(0, SENTENCE), *sentences]),
            sentence_vectors=np.concatenate([np.empty((0, self.about.dim), np.int8), *kept]),
            sentence_counts=np.array([len(one) for one in sentences], np.int64),
        )

    def arabic(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these passages have at least as many Arabic words as others, (n,)."""
        return np.array([row["arabic"] for row in self._rows(rows, ("arabic",))], np.bool_)

    def texts(self, rows: Rows) -> list[str]:
        """The words of these passages."""
        found = self._rows(rows, ("article", "start", "end"))
        self._load({int(row["article"]) for row in found})
        return [self._articles[row["article"]].text[row["start"] : row["end"]] for row in found]

    def neighbours(self, first: int, last: int) -> tuple[Span | None, Span | None]:
        """The sentences right before and right after the passages `first` to `last`, neighbours in one article."""
        ends = []
        for row, place in ((first - 1, -1), (last + 1, 0)):
            found = self._found([row], ("sentences",)) if row // PER_ARTICLE == first // PER_ARTICLE else {}
            sentences = unpacked(found[row]["sentences"] if row in found else (), SENTENCE)
            ends.append(Span(int(sentences[place]["start"]), int(sentences[place]["end"])) if len(sentences) else None)
        return ends[0], ends[1]

    def article(self, row: int) -> Article:
        """The article of a row: its number."""
        self._load({row})
        return self._articles[row]

    def articles(self) -> Iterator[Article]:
        """Every article, by number."""
        return (article for _, article in self.articles_with_rows())

    def articles_with_rows(self) -> Iterator[tuple[int, Article]]:
        """Every article with its row."""
        condition = self.about.has("articles")
        for page in self._milvus.pages(self.about.generation, "articles", condition, ("number", "content")):
            yield from ((int(row["number"]), article_of(row)) for row in page)

    def listed(self) -> Iterator[ArticleSummary]:
        """What to list every article by; texts are not asked for."""
        fields = ("number", "name", "title", "published")
        condition = self.about.has("articles")
        for page in self._milvus.pages(self.about.generation, "articles", condition, fields, at_once=LIST):
            for row in page:
                yield ArticleSummary(int(row["number"]), row["name"], row["title"], row["published"] or None)

    def load(self, rows: Iterable[int]) -> Iterator[Article]:
        """The articles of these rows, in their order; some are asked for at a time."""
        rows = iter(rows)
        while batch := list(islice(rows, PAGE)):
            self._load(set(batch))
            yield from [self._articles[row] for row in batch]

    def export(self) -> Iterator[tuple[Article, list[PassageRecord]]]:
        """Every article with all that is kept of its passages."""
        fields = ("row", "vector", "key", "folded", *_EVIDENCE)
        pages = self._milvus.pages(self.about.generation, "passages", self.about.has("passages"), fields)
        groups = groupby(chain.from_iterable(pages), lambda row: int(row["article"]))
        owner: int = -1
        found: Iterable[Mapping[str, Any]] = ()
        for number, article in self.articles_with_rows():
            while owner < number:
                owner, found = next(groups, (LIVING, ()))
            yield article, [kept_of(row, self.about.dim) for row in found] if owner == number else []

    def vectors(self, keys: Iterable[int]) -> dict[int, PassageVectors]:
        """The vectors of those passages that were made of the same words, by their key."""
        wanted = sorted({signed(key) for key in keys})
        found: dict[int, PassageVectors] = {}
        fields = ("vector", "key", "folded", *_EVIDENCE)
        for start in range(0, len(wanted), PAGE):
            condition = f"key in {wanted[start : start + PAGE]}"
            for page in self._milvus.pages(self.about.generation, "passages", condition, fields):
                found.update((kept.key, kept.vectors) for kept in (kept_of(row, self.about.dim) for row in page))
        return found

    def document_frequency(self, term: str) -> int:
        """In how many passages an index term occurs."""
        return self._counted([f"t {term}"])[0]

    def known(self, words: Iterable[str]) -> set[str]:
        """Those of these folded words that occur in a title or text."""
        asked = list(words)
        counts = self._counted([f"w {word}" for word in asked])
        return {word for word, count in zip(asked, counts, strict=True) if count}

    def _counted(self, names: Sequence[str]) -> list[int]:
        """The counts of terms and words; they are remembered, since the index does not change under its name."""
        missing = [name for name in names if name not in self._counts]
        if len(self._counts) > 100_000:
            self._counts.clear()
            missing = list(names)
        self._counts.update(dict.fromkeys(missing, 0))
        keys = {name_key(name): name for name in missing}
        wanted = list(keys)
        for start in range(0, len(wanted), 1000):
            condition = f"key in {wanted[start : start + 1000]}"
            for row in self._milvus.rows(self.about.generation, "terms", condition, ("key", "count")):
                self._counts[keys[int(row["key"])]] = int(row["count"])
        return [self._counts[name] for name in names]

    def _bm25(self, weights: Mapping[str, float], terms: Sequence[str]) -> Floats:
        """What tantivy would give each passage for the weighted terms, but that it rounds the passage's length."""
        counts = self._counted([f"t {term}" for term in weights])
        size, mean = self.about.passages, self.about.tokens / max(1, self.about.passages)
        idf = {
            token_of(term): weight * math.log(1 + (size - count + 0.5) / (count + 0.5))
            for (term, weight), count in zip(weights.items(), counts, strict=True)
        }
        scores = np.zeros(len(terms), np.float32)
        for at, text in enumerate(terms):
            tokens = text.split()
            length = K1 * (1 - B + B * len(tokens) / max(1.0, mean))
            found = Counter(token for token in tokens if token in idf)
            scores[at] = sum(idf[token] * count * (K1 + 1) / (count + length) for token, count in found.items())
        return scores

    def _rows(self, rows: Rows, fields: Sequence[str]) -> list[dict[str, Any]]:
        found = self._found(rows.tolist(), fields)
        try:
            return [found[row] for row in rows.tolist()]
        except KeyError as exc:
            raise SnapshotMissing("the index changed while it was asked; ask again") from exc

    def _found(self, rows: Sequence[int], fields: Sequence[str]) -> dict[int, dict[str, Any]]:
        if not rows:
            return {}
        found = self._milvus.rows(self.about.generation, "passages", f"row in {list(rows)}", ("row", *fields))
        return {int(row["row"]): row for row in found}

    def _load(self, numbers: set[int]) -> None:
        missing = sorted(numbers - self._articles.keys())
        if len(self._articles) > 4096:
            self._articles.clear()
            missing = sorted(numbers)
        if not missing:
            return
        found = self._milvus.rows(self.about.generation, "articles", f"number in {missing}", ("number", "content"))
        self._articles.update((int(row["number"]), article_of(row)) for row in found)
        if not numbers <= self._articles.keys():
            raise SnapshotMissing("the index changed while it was asked; ask again")


def _fetched(rows: Sequence[int], cosine: Floats, bm25: Floats, limit: int, *, dense: bool = False) -> Matches:
    """What was found, with the ranks within it; beyond `limit` a passage counts as not matched."""
    at = np.array(rows, np.int64)
    nearest = np.lexsort((at, -cosine))[:limit] if dense else np.empty(0, np.int64)
    matching = np.lexsort((at, -bm25))[:limit]
    matching = matching[bm25[matching] > 0]
    matched = np.zeros(len(at), np.float32)
    matched[matching] = bm25[matching]
    kept = np.zeros(len(at), np.bool_)
    kept[nearest] = kept[matching] = True
    return Matches(at, np.asarray(cosine, np.float32), matched, at[nearest], at[matching]).only(kept)


def rows_of(number: int) -> str:
    """The condition that a passage is of the article with this number."""
    return f"row >= {number * PER_ARTICLE} and row < {(number + 1) * PER_ARTICLE}"


def _seeing(*, latest: bool) -> dict[str, Any]:
    return {"consistency_level": "Strong"} if latest else {}


def condition_of(where: ArticleFilter) -> str:
    """The condition in Milvus's words, empty for none."""
    parts = []
    if where.since is not None or where.until is not None:
        parts.append("day > 0")
    if where.since is not None:
        parts.append(f"day >= {where.since.toordinal()}")
    if where.until is not None:
        parts.append(f"day <= {where.until.toordinal()}")
    if where.source is not None:
        parts.append(f"outlet == {outlet_key(where.source)}")
    return " and ".join(parts)


def token_of(term: str) -> str:
    """An index term as a word that every analyzer leaves as it is."""
    return term if _PLAIN.fullmatch(term) else f"x{name_key(term):016x}"


def name_key(name: str) -> int:
    """A number, below 2**63, for a name."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def signed(key: int) -> int:
    """An unsigned number of 64 bits as one with a sign, which is what Milvus has."""
    return key - (1 << 64) if key >= 1 << 63 else key


def packed(array: NDArray[Any]) -> list[str]:
    """An array's bytes as strings."""
    return chunks(base64.b64encode(np.ascontiguousarray(array).tobytes()).decode())


def unpacked(parts: Sequence[str], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What `packed` made them of, flat."""
    return np.frombuffer(base64.b64decode("".join(parts)), dtype)


def chunks(text: str) -> list[str]:
    """A text in parts that fit into a string of Milvus, which has 65,535 bytes."""
    return [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]


def article_of(row: Mapping[str, Any]) -> Article:
    """The article of a row of its collection."""
    return Article(**json.loads("".join(row["content"])))


def folded_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The folded words of a row of `passages`."""
    return tuple(word for word in "".join(row["folded"]).split("\t") if word)


def kept_of(row: Mapping[str, Any], dim: int) -> PassageRecord:
    """What a row of `passages` keeps."""
    return PassageRecord(
        span=Span(int(row["start"]), int(row["end"])),
        key=int(row["key"]) % (1 << 64),
        folded=folded_of(row),
        words=unpacked(row["words"], WORD),
        sentences=unpacked(row["sentences"], SENTENCE),
        arabic=bool(row["arabic"]),
        vectors=PassageVectors(
            passage=np.array(row["vector"], np.float32),
            sentences=unpacked(row["sentence_vectors"], np.dtype("i1")).reshape(-1, dim),
            words=unpacked(row["word_vectors"], np.dtype("i1")).reshape(-1, WORD_DIM),
        ),
    )
