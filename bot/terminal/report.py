"""An evaluation as a table for the terminal and as an HTML page: reliability plot, distributions, worst failures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import fields

from retrieval.evaluation import CalibrationBin, EvaluationResult, GoldQuestion
from retrieval.results import Answer, Quote

FAILURES = 30
_SIDE = 320
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1b1b }
table { border-collapse: collapse }
td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
figure { display: inline-block; margin: 1rem 2rem 1rem 0 }
figcaption { max-width: 20rem; color: #555 }
article { border-top: 1px solid #ccc; padding: 1rem 0 }
article div { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem }
blockquote { margin: 0; border-left: 3px solid #ccc; padding-left: 1rem }
mark { background: #ffe9a8 }
small { color: #555 }
"""


def figure_rows(figures: EvaluationResult) -> list[tuple[str, str]]:
    """Name and formatted value of each figure that was measured."""
    found = [(field.name, getattr(figures, field.name)) for field in fields(figures) if field.name != "bins"]
    return [
        (name, f"{value:.4f}" if isinstance(value, float) else str(value)) for name, value in found if value is not None
    ]


def text_report(figures: EvaluationResult) -> str:
    """The figures, one a line."""
    return "\n".join(f"{name:22s} {value}" for name, value in figure_rows(figures))


def html_report(
    name: str, figures: EvaluationResult, questions: Sequence[GoldQuestion], answers: Sequence[Answer]
) -> str:
    """A self-contained HTML page: figures, plots, and the failures with the highest confidence."""
    answerable = [a.confidence for q, a in zip(questions, answers, strict=True) if q.gold]
    unanswerable = [a.confidence for q, a in zip(questions, answers, strict=True) if not q.gold]
    title = html.escape(f"newsquote on {name}")
    lines = "".join(f"<tr><th>{field}</th><td>{value}</td></tr>" for field, value in figure_rows(figures))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><table>{lines}</table>"
        f"<figure>{_reliability(figures.bins)}<figcaption>Reliability: how often the first quote was right, by stated "
        f"confidence. On the line is calibrated; a dot's size is the number of questions.</figcaption></figure>"
        f"<figure>{_distributions(answerable, unanswerable)}<figcaption>Confidence of questions with an answer "
        f"(blue) and without one (orange), as shares of each.</figcaption></figure>"
        f"<h2>Worst failures</h2>{''.join(_failures(questions, answers))}</html>\n"
    )


def _reliability(bins: Iterable[CalibrationBin]) -> str:
    filled = [b for b in bins if b.count]
    most = max((b.count for b in filled), default=1)
    dots = "".join(
        f'<circle cx="{b.confidence * _SIDE:.1f}" cy="{(1 - b.right) * _SIDE:.1f}" fill="#2b6cb0" fill-opacity=".7" '
        f'r="{3 + 9 * (b.count / most) ** 0.5:.1f}">'
        f"<title>{b.count} questions: said {b.confidence:.2f}, right {b.right:.2f}</title></circle>"
        for b in filled
    )
    return _plot(f'<line x1="0" y1="{_SIDE}" x2="{_SIDE}" y2="0" stroke="#999" stroke-dasharray="4"/>{dots}')


def _distributions(answerable: Sequence[float], unanswerable: Sequence[float]) -> str:
    bars = []
    shares = [[_share(scores, tenth) for tenth in range(10)] for scores in (answerable, unanswerable)]
    highest = max(max(line) for line in shares) or 1
    for number, (line, colour) in enumerate(zip(shares, ("#2b6cb0", "#dd6b20"), strict=True)):
        for tenth, share in enumerate(line):
            height = share / highest * _SIDE
            bars.append(
                f'<rect x="{tenth * _SIDE / 10 + 2 + number * 14}" y="{_SIDE - height:.1f}" width="13" '
                f'height="{height:.1f}" fill="{colour}"><title>{share:.0%}</title></rect>'
            )
    return _plot("".join(bars))


def _share(scores: Sequence[float], tenth: int) -> float:
    return sum(min(9, int(score * 10)) == tenth for score in scores) / max(1, len(scores))


def _plot(inside: str) -> str:
    labels = "".join(
        f'<text x="{at * _SIDE}" y="{_SIDE + 18}" text-anchor="middle" font-size="12">{at:g}</text>'
        for at in (0, 0.5, 1)
    )
    return (
        f'<svg viewBox="-20 -20 {_SIDE + 40} {_SIDE + 45}" width="{_SIDE + 40}" role="img">'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#ccc"/>{inside}{labels}</svg>'
    )


def _failures(questions: Sequence[GoldQuestion], answers: Sequence[Answer]) -> Iterable[str]:
    """Failures, worst first: wrong answers by falling confidence, then declined questions by rising confidence."""
    wrong = [(q, a) for q, a in zip(questions, answers, strict=True) if a.answered and q.rank(a) != 0]
    missed = [(q, a) for q, a in zip(questions, answers, strict=True) if not a.answered and q.gold]
    wrong.sort(key=lambda pair: -pair[1].confidence)
    missed.sort(key=lambda pair: pair[1].confidence)
    for question, answer in [*wrong[:FAILURES], *missed[:FAILURES]]:
        rank = question.rank(answer)
        kind = "answered" if answer.answered else "declined"
        shown = _quote(answer.quotes[0]) if answer.quotes else "nothing"
        if not question.gold:
            wanted = "No article answers this."
        elif rank:
            wanted = _quote(answer.quotes[rank]) + f"<small>quote {rank + 1}</small>"
        else:
            wanted = html.escape(" … ".join(dict.fromkeys(gold.window for gold in question.gold)))
        yield (
            f"<article><h3>{html.escape(question.question)}</h3><p>{kind}, confidence {answer.confidence:.2f}</p>"
            f"<div><section><h4>Shown</h4>{shown}</section><section><h4>Wanted</h4>{wanted}</section></div></article>"
        )


def _quote(quote: Quote) -> str:
    pieces, at = [], quote.span.start
    text = quote.article.text
    for mark in sorted(quote.highlights):
        pieces += [html.escape(text[at : mark.start]), f"<mark>{html.escape(text[mark.start : mark.end])}</mark>"]
        at = mark.end
    pieces.append(html.escape(text[at : quote.span.end]))
    return f"<blockquote>{''.join(pieces)}</blockquote><small>{html.escape(quote.article.title)}</small>"
