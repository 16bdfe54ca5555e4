"""Updates a generation to hold what a source holds: inserts, marks as dead, recounts terms. Writing only."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from corpus.article import Article
from retrieval.errors import PublishError
from retrieval.index.build_progress import BuildProgress, ProgressCallback, Stage
from retrieval.index.contract import PassageRecord, PassageVectors
from retrieval.index.writing.current_snapshot import next_timestamp
from retrieval.index.writing.passage_records import encode_articles, index_terms
from retrieval.index.writing.publishing import Source, passage_batches
from retrieval.milvus.client import LONG_PAGE_ROWS, PAGE_ROWS, SLOW_TIMEOUT_S, MilvusConnection
from retrieval.milvus.generation import NEVER, ROWS_PER_ARTICLE, Generation, article_rows
from retrieval.milvus.generations import drop_generations, snapshot_name
from retrieval.milvus.row_format import (
    ARTICLE_FIELDS,
    PASSAGE_FIELDS,
    article_row,
    folded_words,
    generation_row,
    name_key,
    passage_row,
    term_row,
)
from retrieval.models.encoder import Encoder

_ROWS_PER_UPSERT = 256


@dataclass(slots=True)
class _Contents:
    """The articles that a generation holds already, compared with those wanted.

    `ids` are those of articles that are there, unchanged. Of these, an interrupted run wrote the numbers `unfinished`
    and marked the numbers `revived` as dead; `discarded` are the other articles it wrote. `removed` are the numbers of
    current articles that are not wanted, `following` is the first number that was never used.
    """

    following: int
    ids: set[str] = field(default_factory=set)
    unfinished: list[int] = field(default_factory=list)
    revived: list[int] = field(default_factory=list)
    discarded: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class GenerationUpdate:
    """One update of a generation to what a source holds; `is_current` says whether it is the current one.

    `encoded` is the number of passages newly encoded; `articles`, `passages`, `tokens` and `counts` are changes.
    """

    milvus: MilvusConnection
    about: Generation
    is_current: bool
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
    ) -> Generation:
        """Make the update and return the new version; see `publishing.publish`."""
        wanted = source.digests()
        contents = self._read_contents(wanted)
        new_ids = [one for one in wanted if one not in contents.ids]
        if self.about.whole and not (new_ids or contents.unfinished or contents.removed):
            return self.about
        unread = f"died < {self.about.version}"
        self._delete(unread, unread)
        for number in contents.discarded:
            self._delete(article_rows(number), f"number == {number}")
        for number in contents.revived:
            self._mark_died(number, NEVER)
        number = contents.following
        for batch in passage_batches(source.load(new_ids)):
            made = list(encode_articles(batch, encoder, known))
            self._insert(number, [(article, kept) for article, kept, _ in made])
            number += len(made)
            self.encoded += sum(new for _, _, new in made)
            progress(BuildProgress(Stage.ARTICLES, self.articles, len(new_ids)))
        version = self.about.version + 1
        for one in contents.unfinished:
            self._count_article(one, 1)
        for one in contents.removed:
            self._count_article(one, -1)
            self._mark_died(one, version)
        return self._finish(replace(self.about, version=version, following=number), len(contents.ids), now())

    def _finish(self, about: Generation, unchanged: int, now: dt.datetime) -> Generation:
        """Count the contents of the new version and write it to `about`, which publishes it in the current generation.

        Raises:
            PublishError: the server does not have what was written.
        """
        written = self.passages
        if self.about.whole:
            self._write_about(replace(self.about, whole=False))
            self._update_terms()
            passages, tokens = self.about.passages + self.passages, self.about.tokens + self.tokens
        else:
            passages, tokens = self._recount_terms(about)
        moment = next_timestamp(self.about.name, now)
        about = replace(
            about,
            whole=True,
            created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            articles=unchanged + self.articles,
            passages=passages,
            tokens=tokens,
        )
        about = replace(about, name=snapshot_name(about, moment))
        stored = [self.milvus.count(about.generation, kind, about.condition(kind)) for kind in ("articles", "passages")]
        expected = [about.articles, max(passages, written)]
        if stored != expected:
            if not self.is_current:  # otherwise the next run would continue with it
                drop_generations(self.milvus, keep=self.milvus.collections().keys() - {self.about.generation})
            raise PublishError(
                f"Milvus has {stored[0]} articles with {stored[1]} passages, not the {expected[0]} with {expected[1]} "
                "that were written; run: newsquote index build --full"
            )
        self.milvus.wait_until_visible()
        self._write_about(about)
        return about

    def _read_contents(self, wanted: Mapping[str, bytes]) -> _Contents:
        """Compare the articles that are there with those wanted, digests by id."""
        contents = _Contents(following=self.about.following)
        fields = ("number", "name", "digest", "ready", "died")
        for page in self._pages("articles", "number >= 0", fields, LONG_PAGE_ROWS):
            for row in page:
                number, name = int(row["number"]), row["name"]
                served = number < self.about.following
                if served and row["died"] <= self.about.version:
                    continue
                good = row["ready"] and name not in contents.ids and wanted.get(name, b"").hex() == row["digest"]
                if good:
                    contents.ids.add(name)
                if not served:
                    (contents.unfinished if good else contents.discarded).append(number)
                    contents.following = max(contents.following, number + 1)
                elif not good:
                    contents.removed.append(number)
                elif row["died"] != NEVER:
                    contents.revived.append(number)
        return contents

    def _insert(self, number: int, made: Sequence[tuple[Article, Sequence[PassageRecord]]]) -> None:
        for article, kept in made:
            if len(kept) > ROWS_PER_ARTICLE:
                raise PublishError(
                    f"the article {article.id} has {len(kept)} passages, a Milvus index has room "
                    f"for {ROWS_PER_ARTICLE}; "
                    "divide it, or remove it: newsquote articles remove"
                )
        articles = [article_row(number + at, article) for at, (article, _) in enumerate(made)]
        self._upsert("articles", articles)
        passages = [
            passage_row((number + at) * ROWS_PER_ARTICLE + place, number + at, article, one, index_terms(one.folded))
            for at, (article, kept) in enumerate(made)
            for place, one in enumerate(kept)
        ]
        self._upsert("passages", passages)
        self._upsert("articles", [{**row, "ready": True} for row in articles])
        for _, kept in made:
            for one in kept:
                self._count_passage(one.folded, 1)
        self.articles += len(made)

    def _delete(self, passages: str, articles: str) -> None:
        """Delete what matches the filters, passages before their articles, so that no passage is orphaned."""
        for kind, condition in (("passages", passages), ("articles", articles)):
            self.milvus.client.delete(self._name(kind), filter=condition, timeout=SLOW_TIMEOUT_S)

    def _mark_died(self, number: int, died: int) -> None:
        """Set the version in which an article died, on its passages first."""
        for kind, condition, fields in (
            ("passages", article_rows(number), PASSAGE_FIELDS),
            ("articles", f"number == {number}", ARTICLE_FIELDS),
        ):
            for page in self._pages(kind, condition, fields):
                self._upsert(kind, [{**row, "died": died} for row in page])

    def _count_article(self, number: int, sign: int) -> None:
        """Add (`sign` 1) or subtract (-1) the counts of an article's passages."""
        for page in self._pages("passages", article_rows(number), ("row", "folded"), LONG_PAGE_ROWS):
            for row in page:
                self._count_passage(folded_words(row), sign)

    def _count_passage(self, folded: Sequence[str], sign: int) -> None:
        """Add (`sign` 1) or subtract (-1) the counts of a passage's words and terms."""
        terms = index_terms(folded)
        self.passages += sign
        self.tokens += sign * len(terms)
        for name in {*(f"t {term}" for term in terms), *(f"w {word}" for word in folded)}:
            self.counts[name] += sign

    def _update_terms(self) -> None:
        """Add the changes to the counts in `terms`."""
        names = [name for name, change in self.counts.items() if change]
        for start in range(0, len(names), _ROWS_PER_UPSERT):
            keys = {name_key(name): name for name in names[start : start + _ROWS_PER_UPSERT]}
            found = self.milvus.rows(
                self.about.generation, "terms", f"key in {list(keys)}", ("key", "count"), latest=True
            )
            old = {int(row["key"]): int(row["count"]) for row in found}
            new = {key: old.get(key, 0) + self.counts[name] for key, name in keys.items()}
            self._upsert("terms", [term_row(key, keys[key], count) for key, count in new.items()])

    def _recount_terms(self, about: Generation) -> tuple[int, int]:
        """Rewrite `terms` for a version; the number of its passages and of terms with repetitions."""
        self.counts, self.passages, self.tokens = Counter(), 0, 0
        for page in self._pages("passages", about.condition("passages"), ("row", "folded"), LONG_PAGE_ROWS):
            for row in page:
                self._count_passage(folded_words(row), 1)
        counted = {name_key(name): (name, count) for name, count in self.counts.items()}
        for page in self._pages("terms", "key >= 0", ("key", "name", "count"), LONG_PAGE_ROWS):
            for row in page:
                if int(row["key"]) not in counted and row["count"]:
                    counted[int(row["key"])] = (row["name"], 0)
        self._upsert("terms", [term_row(key, name, count) for key, (name, count) in counted.items()])
        return self.passages, self.tokens

    def _pages(
        self, kind: str, where: str, fields: Sequence[str], page_rows: int = PAGE_ROWS
    ) -> Iterable[list[dict[str, Any]]]:
        return self.milvus.pages(self.about.generation, kind, where, fields, page_rows=page_rows, latest=True)

    def _write_about(self, about: Generation) -> None:
        self._upsert("about", [generation_row(about)])

    def _upsert(self, kind: str, found: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(found), _ROWS_PER_UPSERT):
            rows_ = [dict(row) for row in found[start : start + _ROWS_PER_UPSERT]]
            self.milvus.client.upsert(self._name(kind), rows_, timeout=SLOW_TIMEOUT_S)

    def _name(self, kind: str) -> str:
        return self.milvus.collection(self.about.generation, kind)
