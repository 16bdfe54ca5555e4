from __future__ import annotations

from pathlib import Path

from retrieval.milvus.store import MilvusStore


def test_an_empty_server_has_no_index(tmp_path: Path) -> None:
    milvus = MilvusStore(str(tmp_path / "empty.db"))
    assert (milvus.current(), milvus.encoder(), milvus.descriptions()) == (None, None, [])
