"""newsquote ask: answers for people and for programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot import wiring
from bot.commands.arguments import date, quote_limit
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_error, print_result
from retrieval.errors import QuestionError

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers
    from retrieval.results import Answer, Query


def add_parsers(commands: Subparsers) -> None:
    """Add `ask`."""
    ask = commands.add_parser("ask", help="answer a question, or each line of standard input")
    ask.add_argument("question", help="the question; - reads one a line from standard input")
    ask.add_argument("--limit", type=quote_limit, metavar="N", help="at most N quotes")
    ask.add_argument("--json", action="store_true", help="one JSON object a question")
    ask.add_argument("--since", type=date, metavar="DATE", help="only articles published on or after DATE")
    ask.add_argument("--until", type=date, metavar="DATE", help="only articles published on or before DATE")
    ask.add_argument("--source", metavar="NAME", help="only articles of this outlet")
    ask.add_argument("--why", action="store_true", help="show the evidence behind the answer")
    ask.set_defaults(run=_ask)


def _ask(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    from bot.terminal.answer_records import answer_record
    from retrieval.answering import clean_question
    from retrieval.results import Answer

    queries: Iterable[Query] = (
        (_query(line, options, settings) for line in _lines(sys.stdin))
        if options.question == "-"
        else [_query(options.question, options, settings)]
    )
    if options.question != "-":
        clean_question(options.question)  # a question that cannot be asked should not wait for the index
    second_stage = wiring.open_second_stage(settings)
    wiring.ensure_index(settings)
    answerer = wiring.open_answerer(settings, second_stage)
    status = ExitStatus.DONE
    for query in queries:
        try:
            answer = answerer.answer(query)
        except QuestionError as exc:
            if options.question != "-":
                raise
            status = ExitStatus.WRONG_USE
            if options.json:
                nothing = Answer(
                    query.text.encode("utf-8", "replace").decode(), False, 0.0, (), answerer.snapshot.name, 0.0
                )
                print_result(json.dumps({**answer_record(nothing), "error": str(exc)}))
            else:
                print_error(exc)
            continue
        if options.json:
            print_result(json.dumps(answer_record(answer, why=options.why), ensure_ascii=False))
        else:
            _show(answer, why=options.why)
        sys.stdout.flush()
        if options.question != "-" and not answer.answered:
            status = ExitStatus.NOT_FOUND
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


def _show(answer: Answer, *, why: bool) -> None:
    from bot.conversation import rendering, rich_text
    from bot.conversation.dialogue import language_of
    from bot.conversation.languages import Language
    from bot.terminal.chat import Screen

    language = language_of(answer.question) or Language.EN
    parts = [rendering.answer(answer, language, count=len(answer.quotes), look=rendering.QuoteLook.MARKS)]
    if why:
        parts.append(rendering.why(answer, language))
    Screen(sys.stdout).show(rich_text.joined(parts, "\n\n"))
