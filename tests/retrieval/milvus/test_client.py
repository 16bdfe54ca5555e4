from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from retrieval.errors import IndexUnreachable
from retrieval.milvus.client import CONSISTENCY_DELAY_S
from retrieval.milvus.store import MilvusStore


def test_a_server_that_does_not_answer_gives_a_one_line_error() -> None:
    with pytest.raises(IndexUnreachable, match=r"at http://127\.0\.0\.1:1 cannot be used: .*; check index_url"):
        MilvusStore("http://127.0.0.1:1", timeout_s=0.2)


class Refused(grpc.RpcError):  # type: ignore[misc]  # grpc has no types
    """What pymilvus passes on as it is."""

    def details(self) -> str:
        return "deadline\nexceeded"


def test_an_error_of_grpc_becomes_one_line_without_the_password(tmp_path: Path) -> None:
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    milvus.url = "http://root:secret@host:19530"
    with pytest.raises(IndexUnreachable) as failed, milvus.translating_errors():
        raise Refused
    assert str(failed.value) == "the index at http://host:19530 cannot be used: deadline exceeded; check index_url"


def test_a_writer_waits_until_its_writes_are_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    milvus = MilvusStore(str(tmp_path / "milvus.db"))
    milvus.wait_until_visible()
    assert waited == []
    milvus.url = "http://host:19530"
    milvus.wait_until_visible()
    assert waited == [CONSISTENCY_DELAY_S]
