"""How well pages are read, beside the text a person would copy from each: `python -m tests.bench.pages FOLDER`.

FOLDER holds `<id>.html.gz` files and `gold.json`, `{id: {"articleBody": ..., "url": ...}}`, as
scrapinghub/article-extraction-benchmark has them; its figures are counted as there.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

import trafilatura

from corpus import Article, SourceError
from corpus.readers.web.page import read_page

_WORD = re.compile(r"\w+")
_SHINGLE = 4
JUDGED = Path(__file__).with_name("pages_judged.json")


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """All runs of four words, counted; a text with fewer words is one run."""
    words = _WORD.findall(text or "")
    return Counter(tuple(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1)))


def counted(true: str, found: str) -> tuple[float, float, float]:
    """The shares of shingles that both have, that only the found text has and that only the true one has."""
    wanted, got = shingles(true), shingles(found)
    both, extra, missed = (float(sum(part.values())) for part in (wanted & got, got - wanted, wanted - got))
    whole = both + extra + missed
    return both / whole, extra / whole, missed / whole


def figures(counts: Iterable[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Precision, recall and F1: the means of the pages' precisions and recalls, and the F1 of the two means."""
    rows = list(counts)
    precision = fmean(both / (both + extra) if both else 0.0 for both, extra, _ in rows if both + extra)
    recall = fmean(both / (both + missed) if both else 0.0 for both, _, missed in rows if both + missed)
    return precision, recall, 2 * precision * recall / (precision + recall)


def mark(page: str, value: str) -> str:
    """What pages_judged.json stores for a title or a date: a hash, so that it holds no text of the page."""
    return hashlib.sha256(f"{page}\0{''.join(value.split()).casefold()}".encode()).hexdigest()[:12]


def _read(data: bytes, url: str) -> Article | None:
    try:
        return read_page(data, url=url)
    except SourceError:
        return None


def main() -> None:
    """Prints the figures of a folder of pages: of all, of every other one, and how many titles and dates are right."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--judged", type=Path, default=JUDGED, help="what was judged right, as this script wrote it")
    parser.add_argument("--judge", action="store_true", help="show titles and dates, and take all of them for right")
    options = parser.parse_args()
    gold = json.loads((options.folder / "gold.json").read_text("utf-8"))
    ids = sorted(gold)
    pages = {page: gzip.decompress((options.folder / f"{page}.html.gz").read_bytes()) for page in ids}
    found = {page: _read(pages[page], gold[page]["url"]) for page in ids}
    ours = {page: counted(gold[page]["articleBody"], a.text if a else "") for page, a in found.items()}
    alone = {
        page: counted(
            gold[page]["articleBody"],
            trafilatura.extract(pages[page], favor_precision=True, include_comments=False) or "",
        )
        for page in ids
    }
    print(
        "| pages | precision | recall | F1 | trafilatura alone, favouring precision |\n| --- | --- | --- | --- | --- |"
    )
    for name, some in (("all", ids), ("the even ones", ids[::2]), ("the odd ones", ids[1::2])):
        row = (*figures(ours[page] for page in some), figures(alone[page] for page in some)[2])
        print(f"| {name}, {len(some)} | " + " | ".join(f"{figure:.3f}" for figure in row) + " |")
    marks = {page: [mark(page, a.title), mark(page, a.published or "")] for page, a in found.items() if a}
    if options.judge:
        for page, article in found.items():
            print(page, article.published if article else None, article.title if article else None)
        options.judged.write_text(json.dumps(marks, indent=0) + "\n", "utf-8")
        return
    judged = json.loads(options.judged.read_text("utf-8"))
    for place, what in enumerate(("titles", "dates")):
        right = sum(page in marks and page in judged and marks[page][place] == judged[page][place] for page in ids)
        print(f"{what} as judged right: {right} of {len(ids)}")


if __name__ == "__main__":
    main()
