"""Sources in, articles out: one module a format, each the only door to its library."""

from __future__ import annotations

from corpus.readers.item import Found, Item, Refused
from corpus.readers.source import read

__all__ = ["Found", "Item", "Refused", "read"]
