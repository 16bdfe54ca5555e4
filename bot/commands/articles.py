"""newsquote articles: list, show, edit, export and remove the articles of the library."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bot import wiring
from bot.commands.arguments import add_article_filters, positive_number
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_error, print_note, print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers
    from bot.terminal.listing import ArticleSelection
    from corpus import Article, Library


def add_parsers(commands: Subparsers) -> None:
    """Add `articles` with its actions."""
    articles = commands.add_parser("articles", help="the library").add_subparsers(metavar="ACTION", required=True)
    listing = articles.add_parser("list", help="every article, or those chosen")
    listing.add_argument("--json", action="store_true", help="one JSON array")
    listing.add_argument(
        "--sort",
        choices=("published", "title", "source", "author", "language", "id"),
        default="published",
        help="by what; by date the newest first unless given",
    )
    listing.add_argument("--reverse", action="store_true", help="the other way round")
    listing.add_argument("--limit", type=positive_number, metavar="N", help="at most N articles a page")
    listing.add_argument("--page", type=positive_number, metavar="N", default=1, help="the N-th page")
    add_article_filters(listing)
    listing.set_defaults(run=_list)
    show = articles.add_parser("show", help="one article")
    show.add_argument("id")
    show.add_argument("--json", action="store_true", help="one JSON object")
    show.set_defaults(run=_show)
    edit = articles.add_parser("edit", help="change one article in your editor ($VISUAL or $EDITOR)")
    edit.add_argument("id")
    edit.set_defaults(run=_edit)
    export = articles.add_parser("export", help="write articles to a file that newsquote add reads")
    export.add_argument(
        "file",
        metavar="FILE",
        help="a new .jsonl, .jsonl.gz or .zip (of Markdown); - writes records to standard output",
    )
    add_article_filters(export)
    export.set_defaults(run=_export)
    remove = articles.add_parser("remove", help="remove articles")
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(run=_remove)


def _selection(options: argparse.Namespace) -> ArticleSelection:
    from bot.terminal.listing import ArticleSelection

    return ArticleSelection(options.since, options.until, options.source, options.language, options.title)


def _selected(library: Library, selection: ArticleSelection, what: str) -> Iterator[Article]:
    """The selected articles of the library; shows progress where that takes long."""
    from bot.terminal.progress import progress_bar

    with progress_bar("Reading the library", None) as step:
        library.refresh(step)
    with progress_bar(what, len(library.ids())) as step:
        for done, article in enumerate(library.articles(), 1):
            if selection.matches(article):
                yield article
            step(done)


def _list(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.terminal.chat import Screen
    from bot.terminal.listing import ArticleSelection, SortKey, article_record, paginate, sort_records, summary_line
    from corpus import Library

    selection = _selection(options)
    selected = _selected(Library(settings.library), selection, "Reading articles")
    listed = sort_records(
        (article_record(a, text=False) for a in selected), SortKey(options.sort), backwards=options.reverse
    )
    shown, place = paginate(listed, options.limit, options.page)
    if options.json:
        print_result(json.dumps(shown, ensure_ascii=False))
        return ExitStatus.DONE
    screen = Screen(sys.stdout)
    for one in shown:
        screen.show(summary_line(one))
    if place:
        print_note(place)
    elif not listed and selection == ArticleSelection():
        print_note("There is no article yet; newsquote add FILE adds one")
    elif not listed:
        print_note(
            "There is no such article; newsquote articles list shows those there are, newsquote add FILE adds one"
        )
    return ExitStatus.DONE


def _show(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.terminal.chat import Screen
    from bot.terminal.listing import article_record, full_article
    from corpus import Library

    article = Library(settings.library).get(options.id)
    if article is None:
        return _unknown(options.id)
    if options.json:
        print_result(json.dumps(article_record(article, text=True), ensure_ascii=False))
    else:
        Screen(sys.stdout).show(full_article(article))
    return ExitStatus.DONE


def _edit(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.service.editing import external_editor

    editor = wiring.open_editor(settings)
    if options.id not in editor.library.ids():
        return _unknown(options.id)
    changed = editor.edit(options.id, external_editor(os.environ))
    print_result(f"replaced: {changed.title} ({changed.id})" if changed else "nothing was changed")
    return ExitStatus.DONE


def _export(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from corpus import Library
    from corpus.storage.export import export, write_records

    selected = _selected(Library(settings.library), _selection(options), "Exporting articles")
    if options.file == "-":
        write_records(selected, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        print_result(f"exported {export(selected, Path(options.file))} articles to {options.file}")
    return ExitStatus.DONE


def _remove(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    removed = wiring.open_editor(settings).remove(options.ids)
    for article_id in removed:
        print_result(f"removed: {article_id}")
    missing = [article_id for article_id in options.ids if article_id not in removed]
    return _unknown(", ".join(missing)) if missing else ExitStatus.DONE


def _unknown(article_id: str) -> ExitStatus:
    print_error(f"there is no article {article_id}; newsquote articles list shows those there are")
    return ExitStatus.FAILED
