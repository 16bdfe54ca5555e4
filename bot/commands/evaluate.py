"""newsquote eval: measures quality on a file of questions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bot import wiring
from bot.commands.exit_status import ExitStatus
from bot.settings import Settings
from bot.terminal.output import print_result

if TYPE_CHECKING:
    from bot.commands.arguments import Subparsers


def add_parsers(commands: Subparsers) -> None:
    """Add `eval`."""
    evaluate = commands.add_parser("eval", help="measure quality on a file of questions in SQuAD 2.0 form")
    evaluate.add_argument("file", type=Path, metavar="FILE")
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.add_argument("--html", type=Path, metavar="REPORT", help="write a page with plots and the worst failures")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace, settings: Settings) -> ExitStatus:
    import tempfile
    from dataclasses import asdict

    from bot.terminal import report
    from bot.terminal.progress import build_progress_bar, progress_bar
    from retrieval.answering import Answerer
    from retrieval.evaluation import LIMIT, measure, read_questions
    from retrieval.index.snapshot import Snapshot
    from retrieval.index.writing.publishing import publish
    from retrieval.results import Query

    articles, questions = read_questions(options.file.read_bytes())
    second_stage = wiring.open_second_stage(settings)
    encoder = wiring.open_encoder(settings)
    with tempfile.TemporaryDirectory() as folder:
        with build_progress_bar() as step:
            publish(articles, encoder, Path(folder), progress=step)
        answerer = Answerer(
            Snapshot.open(Path(folder)),
            encoder,
            threshold=settings.threshold,
            reranker=second_stage.reranker,
            reader=second_stage.reader,
        )
        answers = []
        with progress_bar("Asking questions", len(questions)) as step:
            for question in questions:
                answers.append(answerer.answer(Query(question.question, limit=LIMIT)))
                step(len(answers))
    figures = measure(questions, answers, articles=len(articles))
    if options.html:
        options.html.write_text(report.html_report(options.file.name, figures, questions, answers), encoding="utf-8")
    print_result(json.dumps(asdict(figures)) if options.json else report.text_report(figures))
    return ExitStatus.DONE
