"""newsquote model: add a model, list the converted ones, choose the encoder in use."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers
    from retrieval.models.manifest import ModelManifest


def add_parsers(commands: Subparsers) -> None:
    """Add `model` with its actions."""
    model = commands.add_parser("model", help="encoder, reranker and reader")
    actions = model.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="convert a SentenceTransformer, CrossEncoder or question-answering model")
    add.add_argument("source", metavar="NAME_OR_PATH", help="a folder, a name on the model hub, or the shipped one's")
    add.add_argument("--query-prompt", metavar="TEXT", help="put before questions, if the model's settings lack it")
    add.add_argument("--passage-prompt", metavar="TEXT", help="put before passages, likewise")
    add.set_defaults(run=_add)
    actions.add_parser("list", help="the models that are converted").set_defaults(run=_list)
    use = actions.add_parser("use", help="encode with another model")
    use.add_argument("name", metavar="NAME")
    use.add_argument("--rebuild", action="store_true", help="and build the index for it")
    use.set_defaults(run=_use)


def _add(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.models import add_model
    from bot.terminal.progress import build_progress_bar

    added = add_model(
        settings,
        options.source,
        query_prompt=options.query_prompt,
        passage_prompt=options.passage_prompt,
        progress=build_progress_bar,
    )
    print_result(describe_model(added, settings.models_folder))
    if added.reranks:
        print_note(f'To rerank with it, write rerank = "{added.name}" into {settings.home / "config.toml"}')
    elif added.reads:
        print_note(f'To read with it, write reader = "{added.name}" into {settings.home / "config.toml"}')
    elif added.name != settings.model:
        print_note(f"To encode with it: newsquote model use {added.name} --rebuild")
    return ExitStatus.DONE


def _list(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    lines = model_lines(settings)
    for line in lines:
        print_result(line)
    if not lines:
        print_note("No model is converted yet; the first question does it, or: newsquote model add NAME_OR_PATH")
    return ExitStatus.DONE


def _use(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.commands.index import build_index
    from bot.service.models import use_model
    from bot.terminal.progress import build_progress_bar

    outdated = use_model(settings, options.name, build_progress_bar)
    print_result(f"{options.name} encodes.")
    if outdated and options.rebuild:
        return build_index(Settings.load(settings.home), full=False)
    if outdated:
        print_note("The index was made with another model and must be rebuilt: newsquote index build")
    return ExitStatus.DONE


def model_lines(settings: Settings) -> list[str]:
    """One line a model, those in use marked with a star."""
    from retrieval.models.manifest import installed_models

    return [
        f"{'*' if _in_use(model, settings) else ' '} {describe_model(model, settings.models_folder)}"
        for model in installed_models(settings.models_folder)
    ]


def _in_use(model: ModelManifest, settings: Settings) -> bool:
    if model.reranks:
        return settings.rerank is not None and model.goes_by(settings.rerank)
    if model.reads:
        return isinstance(settings.reader, str) and model.goes_by(settings.reader)
    return model.name == settings.model


def describe_model(model: ModelManifest, models: Path) -> str:
    """What a person wants to know of a model, on one line."""
    size = sum(
        (models / model.name / file).stat().st_size for file in model.files if (models / model.name / file).exists()
    )
    gives = model.kind if model.reranks or model.reads else f"{model.dim} dimensions"
    parts = [f"{model.name}  {model.precision}, {gives}, reads {model.max_length} tokens"]
    if size:
        parts.append(f"{size / 1e6:.0f} MB")
    if model.parity is not None:
        likeness = "correlation with" if model.reranks or model.reads else "cosine to"
        parts.append(
            f"{likeness} its source {model.parity.mean:.4f} (least {model.parity.least:.4f}), "
            f"{model.parity.ranking:.1%} of pairs ranked alike"
        )
    return "; ".join([*parts, *([model.note] if model.note else [])])
