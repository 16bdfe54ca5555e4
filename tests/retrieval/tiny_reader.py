"""A reader made by hand, without torch: each word has its own start and end logit, whatever else the texts say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from retrieval.checksums import sha256_of
from retrieval.models.manifest import ModelManifest, write_manifest

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def build_reader(
    folder: Path, starts: Mapping[str, float], ends: Mapping[str, float], *, absent: float = 0.0, max_length: int = 64
) -> Path:
    """A folder with a reader; words that are not named have logits of -1, and "not here" has `absent` in all."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys([*SPECIAL, *starts, *ends]))
    tokenizer = Tokenizer(WordLevel({name: at for at, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, names.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    tables = [
        np.array([{"[CLS]": absent / 2, **of}.get(name, -1.0) for name in names], np.float32) for of in (starts, ends)
    ]
    graph = helper.make_graph(
        [helper.make_node("Gather", [name, "input_ids"], [f"{name}_logits"]) for name in ("start", "end")],
        "reader",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "length"])
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ],
        [
            helper.make_tensor_value_info(f"{name}_logits", TensorProto.FLOAT, ["rows", "length"])
            for name in ("start", "end")
        ],
        [numpy_helper.from_array(table, name) for table, name in zip(tables, ("start", "end"), strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    write_manifest(
        folder,
        ModelManifest(
            name=folder.name,
            source="tests",
            source_sha256="",
            backend="onnx",
            precision="float32",
            files={name: sha256_of(folder / name) for name in ("model.onnx", "tokenizer.json")},
            pooling="span",
            normalised=False,
            max_length=max_length,
            query_prompt="",
            passage_prompt="",
            dim=2,
            parity=None,
            made_with={},
        ),
    )
    return folder
