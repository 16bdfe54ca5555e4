from __future__ import annotations

import re

import numpy as np
import pytest

from retrieval.models.loading import open_reader
from retrieval.models.manifest import read_manifest
from tests.conftest import Tiny


@pytest.mark.parametrize(
    ("name", "precision", "note", "within"), [("rough", "int8", "", 3.0), ("precise", "float32", "int8-", 0.001)]
)
def test_a_question_answering_model_is_served_the_quickest_way_that_keeps_its_scores(
    tiny: Tiny, name: str, precision: str, note: str, within: float
) -> None:
    made = tiny.report["readers"][name]
    manifest = made["manifest"]
    assert (manifest["backend"], manifest["precision"].split("-")[0]) == ("onnx", precision)
    assert (manifest["pooling"], manifest["dim"], manifest["max_length"]) == ("span", 2, 256)
    assert manifest["note"].startswith(note)
    assert [len(starts) for starts in made["served"]] == [len(starts) for starts in made["own"]]
    assert np.concatenate(made["served"]) == pytest.approx(np.concatenate(made["own"]), abs=within)
    assert made["files"] == ["manifest.json", "model.onnx", "tokenizer.json"]


def test_a_converted_reader_opens_and_is_told_from_encoders_and_rerankers(tiny: Tiny) -> None:
    folder = tiny.folder / "readers" / "precise"
    manifest = read_manifest(folder)
    assert (manifest.reads, manifest.reranks) == (True, False)
    text = "the bridge of the river"
    (reading,) = open_reader(folder).read("the bridge", [text])
    assert [text[start:end] for start, end in reading.offsets.tolist()] == text.split()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("an encoder as a reader", r".*/mean/model is no question-answering model: its architecture is BertModel"),
        ("a reader's prompt", r".*/rough is a question-answering model, which takes no prompts"),
        ("a reader in a reranker's place", r".*/taken-by-reranker/rough is a reranker, made of .*; remove it or .*"),
    ],
)
def test_what_is_no_reader_or_would_take_anothers_place_is_refused_in_one_line(
    tiny: Tiny, case: str, said: str
) -> None:
    assert re.fullmatch(said, tiny.report["refused"][case])
