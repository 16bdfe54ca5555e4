"""Readers that turn a source into articles: one module per format, and each third-party parser in one module only."""

from __future__ import annotations

from corpus.readers.item import Found, Item, Refused
from corpus.readers.source import read

__all__ = ["Found", "Item", "Refused", "read"]
