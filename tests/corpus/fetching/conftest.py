"""A fetcher with narrow limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus.fetching.fetcher import Fetcher


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(allow_private=True, delay_s=0, timeout_s=2, size_limit=1 << 20, redirect_limit=3) as made:
        yield made
