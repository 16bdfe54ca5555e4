"""What an open index shows, for tests that change it meanwhile."""

from __future__ import annotations

from retrieval.index.contract import ArticleFilter
from retrieval.milvus.index import MilvusIndex
from tests.fakes import HashingEncoder
from tests.sample_library import articles_in


def visible_texts(index: MilvusIndex) -> tuple[set[str], set[str]]:
    """The texts of the articles that an open index lists, and of those that its searches find."""
    fetched = index.retrieve(
        HashingEncoder().encode_query("the").vector, {"the": 1.0, "harbour": 1.0}, 100, ArticleFilter()
    )
    found = {index.article(int(row)).text for row in index.passages(fetched.rows).article}
    return {article.text for article in articles_in(index)}, found
