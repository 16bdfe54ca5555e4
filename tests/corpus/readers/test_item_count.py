"""Items are counted without reading them, if possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.readers.item_count import estimate_item_count
from tests.corpus.readers.test_source import RECORD


@pytest.mark.parametrize(
    ("sources", "count"),
    [(["a.txt"], 1), (["r.jsonl"], 3), (["."], 5), (["a.txt", "r.jsonl", "none.txt"], 4), ([], 0)]
    + [([source], None) for source in ("https://x.kw/a", "-", "a.zip", "r.jsonl.gz", "feed.xml")],
)
def test_items_are_counted_without_reading_them_if_possible(
    tmp_path: Path, sources: list[str], count: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name in ("a.txt", "folder/b.txt"):
        (tmp_path / name).write_text("A title\n\nBody.")
    (tmp_path / "r.jsonl").write_bytes(RECORD * 3)
    assert estimate_item_count(sources) == count
