from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.service.hot_reload import ReloadingAnswerer
from retrieval.answering import Answerer
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing.publishing import publish
from retrieval.results import Query
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY


@pytest.fixture
def open_answerer(tmp_path: Path) -> Callable[[], ReloadingAnswerer]:
    publish([HARBOUR], HashingEncoder(), tmp_path)
    return lambda: ReloadingAnswerer(
        lambda: Answerer(Snapshot.open(tmp_path), HashingEncoder()), lambda: snapshot_folder.current_name(tmp_path)
    )


def test_a_new_snapshot_answers_the_next_question(
    open_answerer: Callable[[], ReloadingAnswerer], tmp_path: Path
) -> None:
    answerer = open_answerer()
    assert [quote.article for quote in answerer.answer(Query("cracks in two pillars")).quotes] == [HARBOUR]
    name = publish(LIBRARY, HashingEncoder(), tmp_path).name
    answer = answerer.answer(Query("cracks in two pillars"))
    assert (answer.quotes[0].article, answer.snapshot) == (BRIDGE, name)


def test_a_new_snapshot_that_is_damaged_leaves_the_old_one_answering(
    open_answerer: Callable[[], ReloadingAnswerer], tmp_path: Path
) -> None:
    answerer = open_answerer()
    old = answerer.answer(Query("strike")).snapshot
    name = publish(LIBRARY, HashingEncoder(), tmp_path).name
    (Snapshot.open(tmp_path, name).segments[0].folder / "vectors.bin").write_bytes(b"damaged")
    assert answerer.answer(Query("strike")).snapshot == old


def test_articles_are_listed_newest_first_and_undated_ones_last(
    open_answerer: Callable[[], ReloadingAnswerer], tmp_path: Path
) -> None:
    answerer = open_answerer()
    publish(LIBRARY, HashingEncoder(), tmp_path)
    assert list(answerer.articles()) == [BRIDGE, HARBOUR, BEES]
