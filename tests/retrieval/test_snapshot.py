from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from corpus.article import Span
from retrieval import snapshot
from retrieval.errors import SnapshotCorrupt, SnapshotMissing, SnapshotOutdated
from retrieval.late import steps
from retrieval.snapshot import Manifest, Snapshot
from tests.fakes import HashingEncoder
from tests.library_of import BEES, HARBOUR, LIBRARY, built


def test_it_gives_back_the_articles_word_for_word(tmp_path: Path) -> None:
    opened = built(tmp_path)
    assert list(opened.articles()) == list(LIBRARY)
    assert [article.text for article in opened.articles()] == [article.text for article in LIBRARY]


def test_its_passages_are_spans_of_whole_sentences(tmp_path: Path) -> None:
    opened = built(tmp_path)
    found = opened.passages(np.array([2, 0]))
    assert found.article.tolist() == [2, 0]
    assert found.spans == (Span(0, len(HARBOUR.text)), Span(0, len(BEES.text)))
    assert opened.texts(np.array([2, 0])) == [HARBOUR.text, BEES.text]
    bees = found.sentences[found.sentence_counts[0] :]
    assert [BEES.text[s["start"] : s["end"]] for s in bees] == [
        "Bees on city roofs made more honey than ever. ",
        "“Nobody expected it,” said Ada Lund.",
    ]


def test_days_and_outlets_choose_passages(tmp_path: Path) -> None:
    opened = built(tmp_path)
    day = dt.date(2026, 11, 1)
    assert opened.published_between(day, None).tolist() == [False, True, False]
    assert opened.published_between(None, dt.date(2026, 10, 31)).tolist() == [False, False, True]
    assert opened.published_between(day, day).tolist() == [False, True, False]
    assert opened.from_source("the vell COURIER").tolist() == [False, False, True]


def test_vectors_have_unit_length(tmp_path: Path) -> None:
    opened = built(tmp_path)
    assert np.allclose(np.linalg.norm(opened.vectors.take(np.arange(3)), axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(opened.sentence_vectors.astype(np.float32), axis=1), steps(32), rtol=2e-2)


def test_without_an_index_it_names_the_command_that_builds_one(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="newsquote index build"):
        Snapshot.open(tmp_path / "none")


@pytest.mark.parametrize("name", ["20200101T000000Z-00000000", "../../etc", ""], ids=["unknown", "a path", "blank"])
def test_only_a_snapshot_that_is_there_can_be_opened(tmp_path: Path, name: str) -> None:
    built(tmp_path)
    if name:
        with pytest.raises(SnapshotMissing, match="newsquote index list"):
            Snapshot.open(tmp_path, name)
    else:
        assert Snapshot.open(tmp_path, name).name == snapshot.current(tmp_path)


def test_a_current_that_names_nothing_is_refused(tmp_path: Path) -> None:
    built(tmp_path)
    (tmp_path / "CURRENT").write_bytes(b"\xff\xfe../..\n")
    with pytest.raises(SnapshotCorrupt, match="CURRENT does not name a snapshot"):
        Snapshot.open(tmp_path)


def test_another_encoder_is_refused_with_the_command_that_rebuilds(tmp_path: Path) -> None:
    built(tmp_path, encoder=HashingEncoder(name="old"))
    with pytest.raises(SnapshotOutdated, match=r"old-32.*new-32.*newsquote index build"):
        Snapshot.open(tmp_path, encoder="new-32")


def test_another_format_is_refused_with_the_command_that_rebuilds(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    record = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**record, "format": 0}))
    with pytest.raises(SnapshotOutdated, match=r"format 0.*newsquote index build"):
        Snapshot.open(tmp_path)


@pytest.mark.parametrize("damage", ["[]", "{", '{"format": 1}'], ids=["a list", "half a file", "nothing in it"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / built(tmp_path).name
    (folder / "manifest.json").write_text(damage.replace('"format": 1', f'"format": {snapshot.FORMAT}'))
    with pytest.raises(SnapshotCorrupt, match="manifest"):
        Snapshot.open(tmp_path)


def files_of(folder: Path) -> list[str]:
    return sorted(Manifest.read(folder).files)


def test_every_file_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    names = files_of(folder)
    assert {"articles.jsonl", "passages.bin", "vectors.faiss"} < set(names)
    for name in names:
        path = folder / name
        sound = path.read_bytes()
        if not sound:
            continue
        path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
        with pytest.raises(SnapshotCorrupt, match=name.replace(".", r"\.")):
            Snapshot.open(tmp_path)
        path.write_bytes(sound)
    assert Snapshot.open(tmp_path).manifest.articles == 3


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    (folder / "words.bin").unlink()
    with pytest.raises(SnapshotCorrupt, match=r"words\.bin"):
        Snapshot.open(tmp_path)


def test_checking_reads_every_byte_again(tmp_path: Path) -> None:
    folder = tmp_path / built(tmp_path).name
    snapshot.check(folder, Manifest.read(folder), memory=None)
    (folder / "keys.bin").write_bytes(b"\0" * (folder / "keys.bin").stat().st_size)
    with pytest.raises(SnapshotCorrupt, match=r"keys\.bin"):
        snapshot.check(folder, Manifest.read(folder), memory=None)
