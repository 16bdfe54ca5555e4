"""Creates generations, moves the alias to the current one, and drops old ones. Writing only."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, replace

from retrieval.errors import SnapshotCorrupt, SnapshotOutdated
from retrieval.index.writing import passage_records
from retrieval.index.writing.current_snapshot import TIMESTAMP_FORMAT, next_timestamp
from retrieval.milvus.client import SLOW_TIMEOUT_S, MilvusConnection
from retrieval.milvus.generation import COLLECTIONS, FORMAT, PREFIX, PRIMARY_KEYS, Generation
from retrieval.milvus.index import K1, B
from retrieval.milvus.row_format import generation_row
from retrieval.models.encoder import Encoder

INDEXED_FIELDS = ("key", "day", "outlet")
"""Fields of `passages` with selective filters; without an index, a server scans every row."""


def updatable_generation(milvus: MilvusConnection) -> Generation | None:
    """The current generation, None if there is none or it cannot be read and so not be updated in place."""
    try:
        return milvus.current_generation()
    except (SnapshotCorrupt, SnapshotOutdated):
        return None


def begin_generation(
    milvus: MilvusConnection, current: Generation | None, encoder: Encoder, now: dt.datetime, *, full: bool
) -> Generation:
    """The generation to write to: the current one, one that was started but not finished, or a new one."""
    made_by = (FORMAT, encoder.fingerprint, encoder.dim, passage_records.pipeline_version())
    if current is not None and not full and made_by == _made_by(current):
        return current
    for one in milvus.generations():
        served = current is not None and one.generation == current.generation
        if not served and not one.whole and made_by == _made_by(one) and one.full == full:
            return one
    moment = next_timestamp(max([*milvus.collections(), current.name if current else ""], default="") or None, now)
    about = Generation(
        format=FORMAT,
        generation=f"{moment:{TIMESTAMP_FORMAT}}",
        name="",
        created=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        encoder=encoder.fingerprint,
        dim=encoder.dim,
        recipe=passage_records.pipeline_version(),
        full=full,
        whole=False,
        version=0,
        articles=0,
        passages=0,
        tokens=0,
        following=0,
    )
    about = replace(about, name=snapshot_name(about, moment))
    with milvus.translating_errors():
        for kind in reversed(COLLECTIONS):  # `about` comes last: it makes the generation known
            _create(milvus, about, kind)
        name = milvus.collection(about.generation, "about")
        milvus.client.upsert(name, [generation_row(about)], timeout=SLOW_TIMEOUT_S)
    return about


def _made_by(about: Generation) -> tuple[int, str, int, str]:
    return about.format, about.encoder, about.dim, about.recipe


def snapshot_name(about: Generation, moment: dt.datetime) -> str:
    """A snapshot's name for a version: when it was made, and eight hexadecimal digits of what it holds."""
    content = json.dumps({**asdict(about), "name": ""})
    return f"{moment:{TIMESTAMP_FORMAT}}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def move_alias(milvus: MilvusConnection, about: Generation) -> None:
    """Make a generation current."""
    from pymilvus.exceptions import MilvusException

    target = milvus.collection(about.generation, "about")
    try:
        milvus.client.describe_alias(PREFIX, timeout=milvus.timeout_s)
    except MilvusException as exc:
        if exc.code not in {100, 1600}:
            raise
        milvus.client.create_alias(target, PREFIX, timeout=SLOW_TIMEOUT_S)
    else:
        milvus.client.alter_alias(target, PREFIX, timeout=SLOW_TIMEOUT_S)


def drop_generations(milvus: MilvusConnection, keep: set[str]) -> None:
    """Drop the collections of all generations but those to keep."""
    for generation, names in milvus.collections().items():
        if generation not in keep:
            for name in names:
                milvus.client.drop_collection(name, timeout=SLOW_TIMEOUT_S)


def _create(milvus: MilvusConnection, about: Generation, kind: str) -> None:
    """Create and load an empty collection."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    index = milvus.client.prepare_index_params()

    def text(name: str) -> None:
        """Adds an array of strings that a server memory-maps."""
        size = {"max_capacity": 4096, "max_length": 65_535}
        schema.add_field(name, DataType.ARRAY, element_type=DataType.VARCHAR, mmap_enabled=True, **size)

    if kind == "passages":
        schema.add_field("row", DataType.INT64, is_primary=True)
        for name in ("article", "start", "end", "key", "outlet", "day", "died"):
            schema.add_field(name, DataType.INT64)
        schema.add_field("arabic", DataType.BOOL)
        schema.add_field(
            "terms",
            DataType.VARCHAR,
            max_length=65_535,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=about.dim)
        for name in ("folded", "words", "word_vectors", "sentences", "sentence_vectors"):
            text(name)
        function = Function(
            name="bm25", function_type=FunctionType.BM25, input_field_names=["terms"], output_field_names=["sparse"]
        )
        schema.add_function(function)
        for name in INDEXED_FIELDS:
            index.add_index(name, index_type="INVERTED")
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        index.add_index(
            "sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B}
        )
    else:
        # Every collection must have a vector field.
        schema.add_field(PRIMARY_KEYS[kind], DataType.INT64, is_primary=True)
        schema.add_field("nothing", DataType.FLOAT_VECTOR, dim=2)
        index.add_index("nothing", index_type="FLAT", metric_type="IP")
        if kind == "articles":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("digest", DataType.VARCHAR, max_length=32)
            schema.add_field("title", DataType.VARCHAR, max_length=65_535)
            schema.add_field("published", DataType.VARCHAR, max_length=64)
            schema.add_field("ready", DataType.BOOL)
            schema.add_field("died", DataType.INT64)
            text("content")
        elif kind == "terms":
            schema.add_field("name", DataType.VARCHAR, max_length=65_535)
            schema.add_field("count", DataType.INT64)
        else:
            schema.add_field("content", DataType.VARCHAR, max_length=65_535)
    name = milvus.collection(about.generation, kind)
    milvus.client.create_collection(name, schema=schema, timeout=SLOW_TIMEOUT_S)
    # The collection is empty, so there is nothing to wait for.
    milvus.client.create_index(name, index, timeout=SLOW_TIMEOUT_S, sync=False)
    milvus.client.load_collection(name, timeout=SLOW_TIMEOUT_S)
