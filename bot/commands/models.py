"""newsquote model: add a model, list the converted ones, choose the encoder in use."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers


def add_parsers(commands: Subparsers) -> None:
    """Add `model` with its actions."""
    model = commands.add_parser("model", help="the encoder and the reranker")
    actions = model.add_subparsers(metavar="ACTION", required=True)
    add = actions.add_parser("add", help="convert any SentenceTransformer or CrossEncoder for serving")
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
    from bot.service import models

    added = models.add_model(
        settings, options.source, query_prompt=options.query_prompt, passage_prompt=options.passage_prompt
    )
    print_result(models.describe_model(added, settings.models_folder))
    if added.reranks:
        print_note(f'To rerank with it, write rerank = "{added.name}" into {settings.home / "config.toml"}')
    elif added.name != settings.model:
        print_note(f"To encode with it: newsquote model use {added.name} --rebuild")
    return ExitStatus.DONE


def _list(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service import models

    lines = models.model_lines(settings)
    for line in lines:
        print_result(line)
    if not lines:
        print_note("No model is converted yet; the first question does it, or: newsquote model add NAME_OR_PATH")
    return ExitStatus.DONE


def _use(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.commands.index import build_index
    from bot.service import models

    outdated = models.use_model(settings, options.name)
    print_result(f"{options.name} encodes.")
    if outdated and options.rebuild:
        return build_index(Settings.load(settings.home), full=False)
    if outdated:
        print_note("The index was made with another model and must be rebuilt: newsquote index build")
    return ExitStatus.DONE
