"""A web server on this machine, and a fetcher that may ask it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus.fetching.fetcher import Fetcher
from tests.corpus.clocks import Clock
from tests.corpus.servers import Site, serve_site


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as made:
        yield made


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(allow_private=True, delay_s=0, timeout_s=2) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    """A clock that shows a time since 1970."""
    return Clock(1_000_000.0)
