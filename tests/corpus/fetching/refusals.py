"""Why a fetcher refuses an address."""

from __future__ import annotations

import pytest

from corpus import SourceError
from corpus.fetching.fetcher import Fetcher


def refusal(fetcher: Fetcher, url: str, *, robots: bool = False) -> str:
    with pytest.raises(SourceError) as caught:
        fetcher.get(url, robots=robots)
    return str(caught.value)
