"""How well calibrated the fitted confidence is: figures as Markdown, and a reliability plot. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import auroc
from tests.fit.examples import WEIGHT_BY_KIND, ConfidenceExample

Floats = NDArray[np.float32]

REALISTIC_KINDS = frozenset(WEIGHT_BY_KIND) - {"gap", "gone"}
"""The kinds of questions that people ask; probabilities are calibrated on these."""

RIGHT_SHARE = 0.6
"""How often the first quote answers a reader's question, as an assumption."""


def balance_weights(right: NDArray[np.bool_], weight: Floats) -> Floats:
    """The weights scaled so that they sum to 1 and those of right ones to RIGHT_SHARE, (n,)."""
    share = np.where(right, RIGHT_SHARE / weight[right].sum(), (1 - RIGHT_SHARE) / weight[~right].sum())
    return np.asarray(share * weight, np.float32)


def realistic_weights(examples: Sequence[ConfidenceExample]) -> Floats:
    """What each example counts among the questions that people ask, (n,)."""
    weight = np.array(
        [example.fitting_weight if example.kind in REALISTIC_KINDS else 0.0 for example in examples], np.float32
    )
    return balance_weights(np.array([example.right for example in examples]), weight)


def reliability_bins(
    found: Floats, right: NDArray[np.bool_], weight: Floats, bins: int = 10
) -> list[tuple[float, float, float]]:
    """The mean probability, the share that is right and the share of the weight of each bin that is not empty."""
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


def reliability_plot(points: Sequence[tuple[float, float, float]]) -> str:
    """A reliability plot as SVG: probability against the share that is right, circles sized by weight."""
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


def report(examples: Sequence[ConfidenceExample], found: Floats, sentences: float) -> str:
    """What the fit reaches on articles it did not see, as Markdown.

    `found` (n,) are the examples' probabilities, `sentences` is the share of questions whose best sentence answers.
    """
    right = np.array([example.right for example in examples])
    asked = np.array([example.kind in REALISTIC_KINDS for example in examples])
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
        other = np.array([example.kind in kinds for example in examples])
        area = auroc(found[right & asked].tolist(), found[other].tolist())
        lines.append(f"- AUROC of right answers against {name}: {area:.3f}")
    weight = realistic_weights(examples)
    points = reliability_bins(found, right, weight)
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
