"""The newsquote command: arguments in, wiring, lines out. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bot import logs
from bot.settings import Settings, SettingsError
from corpus.errors import CorpusError
from retrieval.errors import QuestionError, RetrievalError

if TYPE_CHECKING:
    from bot.service.editing import Editor
    from bot.service.hot_reload import ReloadingAnswerer
    from bot.terminal.listing import ArticleSelection
    from corpus import Article, Library, Outcome
    from retrieval.answering import Answerer
    from retrieval.models.encoder import Encoder
    from retrieval.models.reranker import Reranker
    from retrieval.results import Answer, Query

DONE, NOT_FOUND, WRONG_USE, FAILED, STOPPED = 0, 1, 2, 3, 130


class _Parser(argparse.ArgumentParser):
    """One line for an error, as everywhere."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"newsquote: {message}; {self.prog} --help says how\n")


class _Version(argparse.Action):
    """Looks the version up when it is asked for: importlib.metadata takes 25 ms to import."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        parser.exit(DONE, f"newsquote {version('newsquote')}\n")


def entry() -> NoReturn:
    """The console command."""
    # OpenBLAS starts a thread a core when numpy is imported: 0.1 s of CPU, and nothing here multiplies large matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    status = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    logging.shutdown()
    os._exit(status)  # the model's libraries take 0.1 s to tidy up what the system takes back anyway


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit status: 0 done or answered, 1 nothing found, 2 wrong use or settings, 3 it failed."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        logs.configure(os.environ.get("LOGLEVEL") or "WARNING")
    except ValueError as exc:
        return _complain(exc, WRONG_USE)
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        status = options.run(options, Settings.load(options.home))
        sys.stdout.flush()
    except (SettingsError, QuestionError) as exc:
        return _complain(exc, WRONG_USE)
    except (CorpusError, RetrievalError) as exc:
        return _complain(exc, FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has heard enough
        return DONE
    except OSError as exc:
        return _complain(f"{exc.filename or 'the system'}: {exc.strerror or exc}", FAILED)
    except KeyboardInterrupt:
        return _complain("stopped", STOPPED)
    return int(status)


def _complain(what: object, status: int) -> int:
    print("newsquote: " + " ".join(str(what).split()), file=sys.stderr)  # noqa: T201
    return status


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _print(line: str) -> None:
    print(line)  # noqa: T201


def _parser() -> _Parser:
    parser = _Parser(prog="newsquote", description="Ask news articles a question; get their exact words back.")
    parser.add_argument("--home", type=Path, metavar="DIR", help="where library, index and settings are kept")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and stop")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    ask = commands.add_parser("ask", help="answer a question, or each line of standard input")
    ask.add_argument("question", help="the question; - reads one a line from standard input")
    ask.add_argument("--limit", type=_limit, metavar="N", help="at most N quotes")
    ask.add_argument("--json", action="store_true", help="one JSON object a question")
    ask.add_argument("--since", type=_day, metavar="DATE", help="only articles published on or after DATE")
    ask.add_argument("--until", type=_day, metavar="DATE", help="only articles published on or before DATE")
    ask.add_argument("--source", metavar="NAME", help="only articles of this outlet")
    ask.add_argument("--why", action="store_true", help="show the evidence behind the answer")
    ask.set_defaults(run=_ask)

    chat = commands.add_parser("chat", help="a conversation in the terminal")
    chat.set_defaults(run=_chat)

    telegram = commands.add_parser("telegram", help="run the Telegram bot")
    telegram.set_defaults(run=_telegram)

    add = commands.add_parser("add", help="take articles into the library and index them")
    add.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a web address, a file, a folder, or - for standard input"
    )
    add.add_argument("--json", action="store_true", help="one JSON array of outcomes")
    add.set_defaults(run=_add)

    commands.add_parser("watch", help="follow the library's folder and the feeds of the settings").set_defaults(
        run=_watch
    )

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
    listing.add_argument("--limit", type=_count, metavar="N", help="at most N articles a page")
    listing.add_argument("--page", type=_count, metavar="N", default=1, help="the N-th page")
    _choosing(listing)
    listing.set_defaults(run=_articles_list)
    show = articles.add_parser("show", help="one article")
    show.add_argument("id")
    show.add_argument("--json", action="store_true", help="one JSON object")
    show.set_defaults(run=_articles_show)
    edit = articles.add_parser("edit", help="change one article in your editor ($VISUAL or $EDITOR)")
    edit.add_argument("id")
    edit.set_defaults(run=_articles_edit)
    export = articles.add_parser("export", help="write articles to a file that newsquote add reads")
    export.add_argument(
        "file",
        metavar="FILE",
        help="a new .jsonl, .jsonl.gz or .zip (of Markdown); - writes records to standard output",
    )
    _choosing(export)
    export.set_defaults(run=_articles_export)
    remove = articles.add_parser("remove", help="remove articles")
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.set_defaults(run=_articles_remove)

    index = commands.add_parser("index", help="the index").add_subparsers(metavar="ACTION", required=True)
    build = index.add_parser("build", help="build it from the library and publish it")
    build.add_argument("--full", action="store_true", help="encode every passage anew")
    build.set_defaults(run=_index_build)
    index.add_parser("list", help="the snapshots that are kept").set_defaults(run=_index_list)
    use = index.add_parser("use", help="let another snapshot serve")
    use.add_argument("name", metavar="NAME")
    use.set_defaults(run=_index_use)
    index.add_parser("check", help="read every byte of the snapshot that serves").set_defaults(run=_index_check)
    index.add_parser("merge", help="merge what many additions to a large library left behind").set_defaults(
        run=_index_merge
    )
    moving = index.add_parser("migrate", help="copy the index from the home to a Milvus server, or back")
    moving.add_argument("url", type=_index_url, metavar="URL", help="the server's, such as http://localhost:19530")
    moving.add_argument("--back", action="store_true", help="from the server to the home")
    moving.set_defaults(run=_index_migrate)

    model = commands.add_parser("model", help="the encoder and the reranker").add_subparsers(
        metavar="ACTION", required=True
    )
    fetch = model.add_parser("add", help="convert any SentenceTransformer or CrossEncoder for serving")
    fetch.add_argument("source", metavar="NAME_OR_PATH", help="a folder, a name on the model hub, or the shipped one's")
    fetch.add_argument("--query-prompt", metavar="TEXT", help="put before questions, if the model's settings lack it")
    fetch.add_argument("--passage-prompt", metavar="TEXT", help="put before passages, likewise")
    fetch.set_defaults(run=_model_add)
    model.add_parser("list", help="the models that are converted").set_defaults(run=_model_list)
    choose = model.add_parser("use", help="encode with another model")
    choose.add_argument("name", metavar="NAME")
    choose.add_argument("--rebuild", action="store_true", help="and build the index for it")
    choose.set_defaults(run=_model_use)

    evaluate = commands.add_parser("eval", help="measure quality on a file of questions in SQuAD 2.0 form")
    evaluate.add_argument("file", type=Path, metavar="FILE")
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.add_argument("--html", type=Path, metavar="REPORT", help="write a page with plots and the worst failures")
    evaluate.set_defaults(run=_eval)

    feedback = commands.add_parser("feedback", help="what people thought of the quotes").add_subparsers(
        metavar="ACTION", required=True
    )
    feedback.add_parser("export", help="good quotes as questions in SQuAD 2.0 form, for eval").set_defaults(
        run=_feedback_export
    )

    commands.add_parser("config", help="the settings in force").set_defaults(run=_config)
    return parser


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 50")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _choosing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_day, metavar="DATE", help="only those published on or after DATE")
    parser.add_argument("--until", type=_day, metavar="DATE", help="only those published on or before DATE")
    parser.add_argument("--source", metavar="NAME", help="only those of this outlet")
    parser.add_argument("--language", metavar="CODE", help="only those in this language, such as en or ar")
    parser.add_argument("--title", metavar="WORDS", help="only those with these words in their title")


def _index_url(text: str) -> str:
    from bot.settings import read_index_url

    try:
        return read_index_url(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not the URL of a server") from exc


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-11-24") from exc


# What is heavy is made here, when a command first needs it.


def _encoder(settings: Settings) -> Encoder:
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE, MULTILINGUAL, read_manifest

    folder = settings.models_folder / settings.model
    if settings.model in {DEFAULT_SOURCE, MULTILINGUAL} and not folder.exists():
        from bot.commands.models import add_model

        _say("Preparing the language model: once, about half a minute.")
        add_model(settings, settings.model)
    manifest = read_manifest(folder)
    if manifest.backend == "sentence-transformers":
        _say(f"The model {manifest.name} is {manifest.note}; it takes seconds to start.")
    return open_encoder(folder)


def _editor(settings: Settings) -> Editor:
    from bot.service.editing import Editor

    return Editor(settings, lambda: _encoder(settings))


def _prepared(settings: Settings) -> None:
    from bot.service.storage import store_of

    if store_of(settings).current() is None:
        _editor(settings).prepare(_say)


def _reranker(settings: Settings) -> Reranker | None:
    if settings.rerank is None:
        return None
    from bot.commands.models import configured_reranker

    return configured_reranker(settings, settings.rerank, _say)


def _answerer(settings: Settings, reranker: Reranker | None) -> Answerer:
    from bot.service.storage import store_of
    from retrieval.answering import Answerer

    encoder = _encoder(settings)
    opened = store_of(settings).open(encoder=encoder.fingerprint)
    return Answerer(opened, encoder, threshold=settings.threshold, reranker=reranker)


def _opened(settings: Settings, reranker: Reranker | None) -> ReloadingAnswerer:
    from bot.service.hot_reload import ReloadingAnswerer
    from bot.service.storage import store_of

    room = ReloadingAnswerer(lambda: _answerer(settings, reranker), lambda: store_of(settings).current())
    room.answerer()  # now, while the person types
    return room


# The commands.


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    from retrieval.answering import cleaned

    queries: Iterable[Query] = (
        (_query(line, options, settings) for line in _lines(sys.stdin))
        if options.question == "-"
        else [_query(options.question, options, settings)]
    )
    if options.question != "-":
        cleaned(options.question)  # a question that cannot be asked should not wait for the index
    reranker = _reranker(settings)
    _prepared(settings)
    answerer = _answerer(settings, reranker)
    status = DONE
    for query in queries:
        try:
            answer = answerer.answer(query)
        except QuestionError as exc:
            if options.question != "-":
                raise
            status = WRONG_USE
            if options.json:
                _print(json.dumps({**_unanswered(query.text, answerer.snapshot.name), "error": str(exc)}))
            else:
                _complain(exc, WRONG_USE)
            continue
        if options.json:
            _print(answer_json(answer, why=options.why))
        else:
            _show(answer, why=options.why)
        sys.stdout.flush()
        if options.question != "-" and not answer.answered:
            status = NOT_FOUND
    return status


def _lines(stream: Any) -> Iterable[str]:
    """The questions of standard input, one a line; bytes that are not UTF-8 become replacement characters."""
    for line in stream.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def _query(text: str, options: argparse.Namespace, settings: Settings) -> Query:
    from retrieval.results import Query

    return Query(
        text=text,
        limit=options.limit or settings.limit,
        since=options.since,
        until=options.until,
        source=options.source,
    )


def _unanswered(question: str, snapshot: str) -> dict[str, Any]:
    return {
        "question": question.encode("utf-8", "replace").decode(),
        "answered": False,
        "confidence": 0.0,
        "quotes": [],
        "snapshot": snapshot,
        "took_ms": 0.0,
    }


def answer_json(answer: Answer, *, why: bool = False) -> str:
    """An answer as the command line prints it, on one line."""
    from bot.terminal.listing import record

    shown: dict[str, Any] = {
        "question": answer.question,
        "answered": answer.answered,
        "confidence": round(answer.confidence, 4),
        "quotes": [
            {
                "article": record(quote.article, text=False),
                "text": quote.text,
                "start": quote.span.start,
                "end": quote.span.end,
                "highlights": [[mark.start, mark.end] for mark in quote.highlights],
                "score": round(quote.score, 6),
                "link": quote.link,
                **({"also_in": [record(a, text=False) for a in quote.also_in]} if quote.also_in else {}),
                **({"evidence": quote.evidence} if why else {}),
            }
            for quote in answer.quotes
        ],
        "snapshot": answer.snapshot,
        "took_ms": round(answer.took_ms, 2),
        **({"evidence": answer.evidence} if why else {}),
    }
    return json.dumps(shown, ensure_ascii=False)


def _show(answer: Answer, *, why: bool) -> None:
    from bot.conversation import rendering
    from bot.conversation.dialogue import language_of
    from bot.conversation.phrases import Language
    from bot.terminal.chat import Screen

    language = language_of(answer.question) or Language.EN
    parts = [rendering.answer(answer, language, count=len(answer.quotes), look=rendering.QuoteLook.MARKS)]
    if why:
        parts.append(rendering.why(answer, language))
    Screen(sys.stdout).show(rendering.joined(parts, "\n\n"))


def _chat(_: argparse.Namespace, settings: Settings) -> int:
    from bot.conversation.phrases import Language
    from bot.terminal.chat import converse

    reranker = _reranker(settings)
    _prepared(settings)
    converse(
        lambda: _opened(settings, reranker),
        stdin=sys.stdin,
        stdout=sys.stdout,
        history=settings.home / "history",
        language=Language.of(os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")),
    )
    return DONE


def _telegram(_: argparse.Namespace, settings: Settings) -> int:
    from bot.service.engine import Engine
    from bot.service.storage import store_of
    from bot.telegram_bot.application import run

    reranker = None
    if settings.telegram_token is not None:
        reranker = _reranker(settings)
        _prepared(settings)
    return run(
        settings,
        lambda: Engine(lambda: _answerer(settings, reranker), lambda: store_of(settings).current()),
        editor=_editor(settings),
        tell=lambda line: _say(f"newsquote: {line}"),
    )


def _add(options: argparse.Namespace, settings: Settings) -> int:
    stdin = sys.stdin.buffer if "-" in options.sources else None
    return _report(_editor(settings).add(options.sources, stdin), as_json=options.json)


def _report(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    from corpus import OutcomeKind

    if as_json:
        _print(
            json.dumps(
                [
                    {"outcome": o.kind.value, "source": o.source, "title": o.title, "id": o.id, "reason": o.reason}
                    for o in outcomes
                ],
                ensure_ascii=False,
            )
        )
    else:
        for outcome in outcomes:
            what = f"{outcome.title} ({outcome.id})" if outcome.title else outcome.source
            _print(f"{outcome.kind.value}: {what}" + (f": {outcome.reason}" if outcome.reason else ""))
    return FAILED if any(outcome.kind is OutcomeKind.REFUSED for outcome in outcomes) else DONE


def _watch(_: argparse.Namespace, settings: Settings) -> int:
    import signal
    import threading

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    editor = _editor(settings)
    editor.prepare(_say)
    _say(f"newsquote: watching {settings.library} and {len(settings.feeds)} feeds; Ctrl-C stops it")
    editor.watch(stop, lambda line: _say(f"newsquote: {line}"))
    return DONE


def _choice(options: argparse.Namespace) -> ArticleSelection:
    from bot.terminal.listing import ArticleSelection

    return ArticleSelection(options.since, options.until, options.source, options.language, options.title)


def _chosen(library: Library, choice: ArticleSelection, what: str) -> Iterator[Article]:
    """The articles of the library that are meant; says how far it is where that takes long."""
    from bot.terminal.progress import progress_bar

    with progress_bar("Reading the library", None) as step:
        library.refresh(step)
    with progress_bar(what, len(library.ids())) as step:
        for done, article in enumerate(library.articles(), 1):
            if choice.takes(article):
                yield article
            step(done)


def _articles_list(options: argparse.Namespace, settings: Settings) -> int:
    from bot.terminal.chat import Screen
    from bot.terminal.listing import ArticleSelection, Order, page_of, record, sort_records, summary_line
    from corpus import Library

    choice = _choice(options)
    chosen = _chosen(Library(settings.library), choice, "Reading articles")
    listed = sort_records((record(a, text=False) for a in chosen), Order(options.sort), backwards=options.reverse)
    shown, place = page_of(listed, options.limit, options.page)
    if options.json:
        _print(json.dumps(shown, ensure_ascii=False))
        return DONE
    screen = Screen(sys.stdout)
    for one in shown:
        screen.show(summary_line(one))
    if place:
        _say(place)
    elif not listed and choice == ArticleSelection():
        _say("There is no article yet; newsquote add FILE adds one")
    elif not listed:
        _say("There is no such article; newsquote articles list shows those there are, newsquote add FILE adds one")
    return DONE


def _articles_show(options: argparse.Namespace, settings: Settings) -> int:
    from bot.terminal.chat import Screen
    from bot.terminal.listing import full_article, record
    from corpus import Library

    article = Library(settings.library).get(options.id)
    if article is None:
        return _unknown(options.id)
    if options.json:
        _print(json.dumps(record(article, text=True), ensure_ascii=False))
    else:
        Screen(sys.stdout).show(full_article(article))
    return DONE


def _articles_edit(options: argparse.Namespace, settings: Settings) -> int:
    from bot.service.editing import edit_by_hand

    editor = _editor(settings)
    if options.id not in editor.library.ids():
        return _unknown(options.id)
    changed = editor.edit(options.id, edit_by_hand(os.environ))
    _print(f"replaced: {changed.title} ({changed.id})" if changed else "nothing was changed")
    return DONE


def _articles_export(options: argparse.Namespace, settings: Settings) -> int:
    from corpus import Library
    from corpus.storage.export import export, write_records

    chosen = _chosen(Library(settings.library), _choice(options), "Exporting articles")
    if options.file == "-":
        write_records(chosen, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        _print(f"{export(chosen, Path(options.file))} articles are in {options.file}")
    return DONE


def _unknown(article_id: str) -> int:
    return _complain(f"there is no article {article_id}; newsquote articles list shows those there are", FAILED)


def _articles_remove(options: argparse.Namespace, settings: Settings) -> int:
    removed = _editor(settings).remove(options.ids)
    for article_id in removed:
        _print(f"removed: {article_id}")
    missing = [article_id for article_id in options.ids if article_id not in removed]
    return _unknown(", ".join(missing)) if missing else DONE


def _index_build(options: argparse.Namespace, settings: Settings) -> int:
    from bot.service.storage import store_of

    editor = _editor(settings)
    if editor.library.is_empty() and store_of(settings).current() is None:
        editor.prepare(_say)
        return DONE
    done = editor.build(full=options.full)
    _print(f"{done.name} serves: {done.articles} articles, {done.passages} passages, {done.encoded} newly encoded.")
    _merged(editor)
    return DONE


def _index_merge(_: argparse.Namespace, settings: Settings) -> int:
    if not _merged(_editor(settings)):
        _say("There is nothing to merge.")
    return DONE


def _merged(editor: Editor) -> bool:
    """Merge what many additions left behind, and say so where there was something."""
    name = editor.merge()
    if name is not None:
        _print(f"{name} serves: the same, in fewer segments.")
    return name is not None


def _index_list(_: argparse.Namespace, settings: Settings) -> int:
    from bot.service.storage import store_of

    store = store_of(settings)
    serving = store.current()
    for name, about in store.listed():
        _print(f"{'*' if name == serving else ' '} {name}  {about}")
    if serving is None:
        _say("There is no index yet; build one: newsquote index build")
    return DONE


def _index_use(options: argparse.Namespace, settings: Settings) -> int:
    from bot.service.storage import use

    use(settings, options.name)
    _print(f"{options.name} serves.")
    return DONE


def _index_check(_: argparse.Namespace, settings: Settings) -> int:
    from bot.service.storage import store_of

    _print(store_of(settings).check())
    return DONE


def _index_migrate(options: argparse.Namespace, settings: Settings) -> int:
    from dataclasses import replace

    from bot.service.storage import publish, store_of
    from bot.terminal.progress import build_progress_bar
    from corpus import Library
    from retrieval.index.writing.migration import IndexSource, migrate

    here, there = replace(settings, index_url=None), replace(settings, index_url=options.url)
    old, new = (there, here) if options.back else (here, there)
    encoder = _encoder(settings)
    with Library(settings.library).lock():
        index = store_of(old).open(encoder=encoder.fingerprint)
        source = IndexSource(index)
        with build_progress_bar() as step:
            done = migrate(
                index,
                lambda source, known: publish(source, encoder, new, full=False, progress=step, known=known),
                lambda: store_of(new).open(),
                source,
            )
    _print(f"{done.name} holds the same: {done.articles} articles, {done.passages} passages, {done.encoded} encoded.")
    if new.index_url != settings.index_url:
        _say(
            "To answer from it: "
            + ("take index_url out of" if options.back else f'index_url = "{options.url}" in')
            + f" {settings.home / 'config.toml'}"
        )
    return DONE


def _model_add(options: argparse.Namespace, settings: Settings) -> int:
    from bot.commands import models

    made = models.add_model(
        settings, options.source, query_prompt=options.query_prompt, passage_prompt=options.passage_prompt
    )
    _print(models.describe_model(made, settings.models_folder))
    if made.reranks:
        _say(f'To rerank with it, write rerank = "{made.name}" into {settings.home / "config.toml"}')
    elif made.name != settings.model:
        _say(f"To encode with it: newsquote model use {made.name} --rebuild")
    return DONE


def _model_list(_: argparse.Namespace, settings: Settings) -> int:
    from bot.commands import models

    lines = models.model_lines(settings)
    for line in lines:
        _print(line)
    if not lines:
        _say("No model is converted yet; the first question does it, or: newsquote model add NAME_OR_PATH")
    return DONE


def _model_use(options: argparse.Namespace, settings: Settings) -> int:
    from bot.commands import models

    outdated = models.use_model(settings, options.name)
    _print(f"{options.name} encodes.")
    if outdated and options.rebuild:
        return _index_build(argparse.Namespace(full=False), Settings.load(settings.home))
    if outdated:
        _say("The index was made with another model and must be rebuilt: newsquote index build")
    return DONE


def _eval(options: argparse.Namespace, settings: Settings) -> int:
    import tempfile
    from dataclasses import asdict

    from bot.terminal import report
    from bot.terminal.progress import build_progress_bar, progress_bar
    from retrieval.answering import Answerer
    from retrieval.evaluation import LIMIT, measure, read_questions
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.results import Query

    articles, cases = read_questions(options.file.read_bytes())
    reranker = _reranker(settings)
    encoder = _encoder(settings)
    with tempfile.TemporaryDirectory() as folder:
        with build_progress_bar() as step:
            publish(articles, encoder, Path(folder), progress=step)
        answerer = Answerer(Snapshot.open(Path(folder)), encoder, threshold=settings.threshold, reranker=reranker)
        answers = []
        with progress_bar("Asking questions", len(cases)) as step:
            for case in cases:
                answers.append(answerer.answer(Query(case.question, limit=LIMIT)))
                step(len(answers))
    figures = measure(cases, answers, articles=len(articles))
    if options.html:
        options.html.write_text(report.page(options.file.name, figures, cases, answers), encoding="utf-8")
    _print(json.dumps(asdict(figures)) if options.json else report.table(figures))
    return DONE


def _feedback_export(_: argparse.Namespace, settings: Settings) -> int:
    from bot.service.feedback import squad
    from bot.service.state import StateDatabase
    from corpus import Library

    with StateDatabase(settings.home / "state.db") as state:
        votes = state.votes()
    wanted = {vote.article for vote in votes}
    articles = {article.id: article for article in Library(settings.library).articles() if article.id in wanted}
    _print(json.dumps(squad(votes, articles), ensure_ascii=False))
    if votes and not settings.telegram_keep_questions:
        _say("Votes carry their questions only where telegram_keep_questions is true.")
    return DONE


def _config(_: argparse.Namespace, settings: Settings) -> int:
    for name, value, origin in settings.shown():
        _print(f"{name} = {value or '(not set)'}  [{origin}]")
    return DONE
