"""What the collections on a server hold: a generation, its versions, and the conditions that choose from one.

An index on Milvus is a generation of four collections, PREFIX_<generation>_KIND; the alias PREFIX names the one that
serves, by its `about` collection, so that a new generation begins to serve in one step.

    about       one row: what the index holds, as JSON, and which version of it serves
    articles    an article a row: its id, digest, content and what it is listed by; not `ready` as long as its passages
                are not all there
    passages    a passage a row: vector, terms for BM25, day and outlet to choose by, and what is kept of it
    terms       in how many passages an index term or folded word occurs

An article's number counts up; passage p of article a has the row a * 65,536 + p. A version has the articles with
numbers below `following` that did not die in it or before: all of a change is seen at once, when its row of `about` is
written, and none of it before. What died lately stays for those who still read the version before.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index.contract import ArticleFilter, outlet_key

FORMAT = 3
"""Goes up whenever what the collections hold changes its meaning."""
PREFIX = "newsquote"
PRIMARY_KEYS = {"about": "id", "articles": "number", "passages": "row", "terms": "key"}
"""The kinds of collections, each with its key."""
COLLECTIONS = tuple(PRIMARY_KEYS)
ROWS_PER_ARTICLE = 1 << 16
"""Rows set aside for an article's passages."""
NEVER = 1 << 62
"""The version in which what lives dies."""


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

    def condition(self, kind: str) -> str:
        """The condition that this version has an article or passage."""
        return f"{'number' if kind == 'articles' else 'article'} < {self.following} and died > {self.version}"


def article_rows(number: int) -> str:
    """The condition that a passage is of the article with this number."""
    return f"row >= {number * ROWS_PER_ARTICLE} and row < {(number + 1) * ROWS_PER_ARTICLE}"


def filter_expression(where: ArticleFilter) -> str:
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
