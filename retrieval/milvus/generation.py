"""The layout of an index on Milvus: generations of four collections, their versions, and filters over them.

A generation has the collections PREFIX_<generation>_<collection>. The alias PREFIX points to the `about` collection of
the current generation, so that switching to a new one is a single step.

    about       one row: the contents of the index as JSON, and its current version
    articles    an article a row: id, digest, content, title and date; `ready` once all its passages are there
    passages    a passage a row: vector, terms for BM25, day and outlet to filter by, and the data that search needs
    terms       the number of passages that an index term or folded word occurs in

Articles are numbered in the order they are inserted; passage p of article a is row a * 65,536 + p. A version has the
articles with numbers below `following` that did not die in it or before. So a change becomes visible all at once, when
its row of `about` is written. Articles that died in the last version are kept for readers of the one before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index.contract import ArticleFilter, outlet_key

FORMAT = 3
"""Increased whenever the meaning of the collections changes."""
PREFIX = "newsquote"
PRIMARY_KEYS = {"about": "id", "articles": "number", "passages": "row", "terms": "key"}
"""The collections, each with its primary key."""
COLLECTIONS = tuple(PRIMARY_KEYS)
ROWS_PER_ARTICLE = 1 << 16
"""Row numbers reserved for the passages of an article."""
NEVER = 1 << 62
"""The value of `died` for an article that is not removed."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The contents of a generation, the row of `about`. Every change gives it a new `name` and `version`.

    `following` is the number of the next article; `tokens` counts terms with repetitions. `whole` is false while the
    generation is being filled or its terms are being recounted; the counts are then not reliable.
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
        """Parse the JSON written by `to_json`.

        Raises:
            SnapshotCorrupt: it is not such JSON.
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
        """The JSON stored in `about`."""
        return json.dumps(asdict(self))

    def condition(self, kind: str) -> str:
        """A filter for the articles or passages that this version has."""
        return f"{'number' if kind == 'articles' else 'article'} < {self.following} and died > {self.version}"


def article_rows(number: int) -> str:
    """A filter for the passages of the article with this number."""
    return f"row >= {number * ROWS_PER_ARTICLE} and row < {(number + 1) * ROWS_PER_ARTICLE}"


def filter_expression(where: ArticleFilter) -> str:
    """An article filter as a Milvus filter expression, empty if it allows everything."""
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
