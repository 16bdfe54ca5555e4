"""The rules of the layout that an import contract cannot say."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "corpus", "retrieval")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

TELEGRAM = ("application", "command_menu", "documents", "handlers", "incoming", "messages", "polling", "retrying")
DOORS = {
    "faiss": {"retrieval/index/vectors.py"},
    "filelock": {"corpus/storage/lock.py"},
    "onnx": {
        "retrieval/models/conversion/multilingual_graph.py",
        "retrieval/models/conversion/onnx_graph.py",
        "retrieval/models/conversion/readers.py",
    },
    "onnxruntime": {
        "retrieval/models/conversion/onnx_graph.py",
        "retrieval/models/encoder.py",
        "retrieval/models/reader.py",
    },
    "prompt_toolkit": {"bot/terminal/chat.py"},
    "pymilvus": {"retrieval/milvus/client.py", "retrieval/milvus/generations.py", "retrieval/milvus/index.py"},
    "rensa": {"corpus/text/dedupe.py"},
    "sentence_transformers": {
        "retrieval/models/conversion/onnx_graph.py",
        "retrieval/models/conversion/torch_models.py",
    },
    "Stemmer": {"retrieval/text/analysis.py"},
    "tantivy": {"retrieval/index/lexical.py"},
    "telegram": {f"bot/telegram_bot/{name}.py" for name in TELEGRAM},
    "tenacity": {"corpus/feed_polling.py"},
    "tokenizers": {
        "retrieval/models/conversion/multilingual_export.py",
        "retrieval/models/encoder.py",
        "retrieval/models/reader.py",
    },
    "tornado": {"bot/telegram_bot/webhook.py"},
    "torch": {"retrieval/models/conversion/readers.py", "retrieval/models/conversion/torch_models.py"},
    "transformers": {"retrieval/models/conversion/readers.py", "retrieval/models/conversion/torch_models.py"},
}


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_is_imported_behind_its_door_only(library: str) -> None:
    assert {name_of(path) for path in MODULES if library in imports_of(path)} <= DOORS[library]


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.name not in {"__init__.py", "__main__.py", "errors.py"}], ids=name_of
)
def test_every_module_has_a_test_file_of_its_name(module: Path) -> None:
    assert (ROOT / "tests" / module.relative_to(ROOT).parent / f"test_{module.name}").is_file()


FOLDERS = sorted({path.parent for path in MODULES})
DATA = {".json", ".npz"}


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_folder_says_in_one_sentence_what_it_is_and_holds_a_dozen_files_at_most(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert said is not None
    files = [path for path in folder.iterdir() if path.suffix in {".py", *DATA} and path.name != "__init__.py"]
    assert len(files) <= 12


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_file_of_code_has_400_lines_at_most(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_exports_is_sorted_and_there(package: str) -> None:
    module = importlib.import_module(package)
    exported = getattr(module, "__all__", [])
    assert list(exported) == sorted(exported)
    assert all(hasattr(module, name) for name in exported)


@pytest.mark.parametrize(
    "module", ["corpus", "retrieval", "retrieval.answering", "bot.cli", "bot.conversation.dialogue"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = [
        "torch",
        "onnxruntime",
        "faiss",
        "pymilvus",
        "telegram",
        "sentence_transformers",
        "transformers",
        "rich",
        "trafilatura",
    ]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout == "[]\n"


def test_the_changelog_names_the_version_once() -> None:
    from importlib.metadata import version

    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert len(headings) == len(set(headings))
    assert headings[0] == "## Unreleased" or headings[0].startswith(f"## {version('newsquote')}")
