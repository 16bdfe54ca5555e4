"""Feeds on a small web server, for tests."""

from __future__ import annotations

from tests.corpus.readers.documents import rss
from tests.corpus.servers import Site


def listing(site: Site, *names: str) -> bytes:
    return rss(*(f"<title>{name}</title><link>{site.address}/{name}</link>" for name in names))
