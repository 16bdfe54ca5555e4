"""newsquote index: build, list, switch, check, merge and migrate the index."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot import wiring
from bot.commands.arguments import index_url
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers
    from bot.service.editing import Editor


def add_parsers(commands: Subparsers) -> None:
    """Add `index` with its actions."""
    index = commands.add_parser("index", help="the index").add_subparsers(metavar="ACTION", required=True)
    build = index.add_parser("build", help="build it from the library and publish it")
    build.add_argument("--full", action="store_true", help="encode every passage anew")
    build.set_defaults(run=_build)
    index.add_parser("list", help="the snapshots that are kept").set_defaults(run=_list)
    switch = index.add_parser("use", help="let another snapshot serve")
    switch.add_argument("name", metavar="NAME")
    switch.set_defaults(run=_use)
    index.add_parser("check", help="read every byte of the snapshot that serves").set_defaults(run=_check)
    merge = index.add_parser("merge", help="merge what many additions to a large library left behind")
    merge.set_defaults(run=_merge)
    migrate = index.add_parser("migrate", help="copy the index from the home to a Milvus server, or back")
    migrate.add_argument("url", type=index_url, metavar="URL", help="the server's, such as http://localhost:19530")
    migrate.add_argument("--back", action="store_true", help="from the server to the home")
    migrate.set_defaults(run=_migrate)


def _build(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    return build_index(settings, full=options.full)


def build_index(settings: Settings, *, full: bool) -> ExitStatus:
    """Build the index from the library, with `full` from nothing, and say what was built."""
    from bot.service.storage import open_store

    editor = wiring.open_editor(settings)
    if editor.library.is_empty() and open_store(settings).current() is None:
        editor.prepare(print_note)
        return ExitStatus.DONE
    done = editor.build(full=full)
    print_result(
        f"now serving {done.name}: {done.articles} articles, {done.passages} passages, {done.encoded} newly encoded."
    )
    _merge_segments(editor)
    return ExitStatus.DONE


def _merge(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    if not _merge_segments(wiring.open_editor(settings)):
        print_note("There is nothing to merge.")
    return ExitStatus.DONE


def _merge_segments(editor: Editor) -> bool:
    """Merge what many additions left behind, and say so where there was something."""
    name = editor.merge()
    if name is not None:
        print_result(f"now serving {name}: the same articles, in fewer segments.")
    return name is not None


def _list(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.storage import open_store

    store = open_store(settings)
    current = store.current()
    for name, about in store.descriptions():
        print_result(f"{'*' if name == current else ' '} {name}  {about}")
    if current is None:
        print_note("There is no index yet; build one: newsquote index build")
    return ExitStatus.DONE


def _use(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.storage import switch_to

    switch_to(settings, options.name)
    print_result(f"now serving {options.name}")
    return ExitStatus.DONE


def _check(_: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.storage import open_store

    print_result(open_store(settings).check())
    return ExitStatus.DONE


def _migrate(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from dataclasses import replace

    from bot.service.storage import open_store, publish
    from bot.terminal.progress import build_progress_bar
    from corpus import Library
    from retrieval.index.writing.migration import IndexSource, migrate

    home, server = replace(settings, index_url=None), replace(settings, index_url=options.url)
    old, new = (server, home) if options.back else (home, server)
    encoder = wiring.open_encoder(settings)
    with Library(settings.library).lock():
        index = open_store(old).open(encoder=encoder.fingerprint)
        source = IndexSource(index)
        with build_progress_bar() as step:
            done = migrate(
                index,
                lambda source, known: publish(source, encoder, new, full=False, progress=step, known=known),
                lambda: open_store(new).open(),
                source,
            )
    print_result(
        f"{done.name} holds the same: {done.articles} articles, {done.passages} passages, {done.encoded} encoded."
    )
    if new.index_url != settings.index_url:
        print_note(
            "To answer from it: "
            + ("take index_url out of" if options.back else f'index_url = "{options.url}" in')
            + f" {settings.home / 'config.toml'}"
        )
    return ExitStatus.DONE
