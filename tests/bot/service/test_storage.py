from __future__ import annotations

from pathlib import Path

import pytest

from bot.service import storage
from bot.settings import Settings, SettingsError
from retrieval.index.store import SnapshotStore
from retrieval.index.writing.migration import IndexSource
from retrieval.milvus.store import MilvusStore
from tests.fakes import HashingEncoder
from tests.sample_library import LIBRARY, articles_in, built


def publish(settings: Settings, source: IndexSource) -> str:
    done = storage.publish(source, HashingEncoder(), settings, full=False, progress=lambda _: None)
    return done.name


@pytest.mark.parametrize("url", [None, "milvus.db"], ids=["in the home", "on Milvus"])
def test_what_is_published_is_read_from_the_same_place(tmp_path: Path, url: str | None) -> None:
    environ = {} if url is None else {"NEWSQUOTE_INDEX_URL": str(tmp_path / url)}
    settings = Settings.load(tmp_path, environ)
    store = storage.open_store(settings)
    assert isinstance(store, SnapshotStore if url is None else MilvusStore)
    name = publish(settings, IndexSource(built(tmp_path / "other")))
    assert store.current() == name
    assert {article.id for article in articles_in(store.open())} == {article.id for article in LIBRARY}
    storage.switch_to(settings, name)
    assert store.current() == name


@pytest.mark.parametrize("url", ["localhost:19530", "milvus", "ftp://host"])
def test_only_a_url_or_a_file_holds_an_index(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"NEWSQUOTE_INDEX_URL .* must be a URL, or a file.s path in \.db, not"):
        Settings.load(tmp_path, {"NEWSQUOTE_INDEX_URL": url})


def test_the_servers_password_is_not_shown(tmp_path: Path) -> None:
    settings = Settings.load(
        tmp_path, {"NEWSQUOTE_INDEX_URL": "http://h:19530", "NEWSQUOTE_INDEX_TOKEN": "root:secret"}
    )
    assert "secret" not in repr(settings)
    assert ("index_token", "********", "environment") in settings.describe()
