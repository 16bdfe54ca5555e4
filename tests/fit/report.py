"""How well calibrated the fitted confidence is: figures as Markdown, and a reliability plot. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import auroc
from tests.fit.examples import COUNTS, Judged

Floats = NDArray[np.float32]

ASKED = frozenset(COUNTS) - {"gap", "gone"}
"""The kinds that people may ask: what is said of probabilities is said of these."""

RIGHT_SHARE = 0.6
"""How often the first quote answers a question that a reader asks, supposed."""


def expected(right: NDArray[np.bool_], weight: Floats) -> Floats:
    """The weights scaled so that RIGHT_SHARE of them lies on what is right, (n,)."""
    share = np.where(right, RIGHT_SHARE / weight[right].sum(), (1 - RIGHT_SHARE) / weight[~right].sum())
    return np.asarray(share * weight, np.float32)


def weights_of(rows: Sequence[Judged]) -> Floats:
    """What each row counts among the questions that people may ask, (n,)."""
    weight = np.array([row.counts if row.kind in ASKED else 0.0 for row in rows], np.float32)
    return expected(np.array([row.right for row in rows]), weight)


def reliability(
    found: Floats, right: NDArray[np.bool_], weight: Floats, bins: int = 10
) -> list[tuple[float, float, float]]:
    """The mean probability, the share that is right and the weight of each tenth that holds any."""
    place = np.minimum((found * bins).astype(int), bins - 1)
    groups = [place == one for one in range(bins) if (place == one).any()]
    return [
        (
            float(np.average(found[group], weights=weight[group])),
            float(np.average(right[group], weights=weight[group])),
            float(weight[group].sum() / weight.sum()),
        )
        for group in groups
    ]


def plot(points: Sequence[tuple[float, float, float]]) -> str:
    """A reliability plot as SVG: probability to the right, share that is right upwards, circles by weight."""
    most = max(count for _, _, count in points)
    circles = "\n".join(
        f'<circle cx="{40 + 320 * said:.1f}" cy="{360 - 320 * was:.1f}" r="{3 + 9 * (count / most) ** 0.5:.1f}">'
        f"<title>{count:.2f} of all: said {said:.2f}, was {was:.2f}</title></circle>"
        for said, was, count in points
    )
    ticks = "\n".join(
        f'<text x="{40 + 32 * tenth}" y="378" text-anchor="middle">{tenth / 10:g}</text>'
        f'<text x="32" y="{364 - 32 * tenth}" text-anchor="end">{tenth / 10:g}</text>'
        for tenth in range(0, 11, 2)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" font-family="sans-serif" font-size="11">\n'
        '<title>Confidence said and share that was right</title>\n<rect width="400" height="400" fill="white"/>\n'
        '<path d="M40 40V360H360" fill="none" stroke="black"/>\n'
        '<path d="M40 360L360 40" stroke="gray" stroke-dasharray="4"/>\n'
        f'<g fill="#2266aa">\n{circles}\n</g>\n{ticks}\n</svg>\n'
    )


def report(rows: Sequence[Judged], found: Floats, sentences: float) -> str:
    """What the fit reaches on articles it did not see, as Markdown."""
    right = np.array([row.right for row in rows])
    asked = np.array([row.kind in ASKED for row in rows])
    lines = [
        "# Figures of the last fit",
        "",
        "Five folds by article; nothing here is evaluation data.",
        "",
        f"- The best sentence of the library answers: {sentences:.3f} of the answerable questions.",
    ]
    for name, kinds in (
        ("near misses, plain and far questions", ("near-miss", "plain", "far")),
        ("questions whose answer was cut out", ("gap",)),
        ("questions whose article is gone", ("gone",)),
    ):
        other = np.array([row.kind in kinds for row in rows])
        area = auroc(found[right & asked].tolist(), found[other].tolist())
        lines.append(f"- AUROC of right answers against {name}: {area:.3f}")
    weight = weights_of(rows)
    points = reliability(found, right, weight)
    error = sum(share * abs(said - was) for said, was, share in points)
    lines += [
        f"- Expected calibration error over ten bins, {RIGHT_SHARE} right as supposed: {error:.3f} (reliability.svg)",
        "",
        "| threshold | right ones that are answered | answered ones that are right |",
        "| --- | --- | --- |",
    ]
    for threshold in (0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8):
        yes = found >= threshold
        answered = weight[yes & right].sum() / weight[right].sum()
        lines.append(f"| {threshold} | {answered:.3f} | {weight[yes & right].sum() / weight[yes].sum():.3f} |")
    return "\n".join(lines) + "\n"
