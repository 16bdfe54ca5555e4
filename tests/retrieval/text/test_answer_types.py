from __future__ import annotations

import numpy as np
import pytest

from retrieval.text.analysis import words
from retrieval.text.answer_types import Kind, Mark, asked, fits, marks


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many officials came?", Kind.NUMBER),
        ("What did the bridge cost?", Kind.MONEY),
        ("Which share of the votes did she get?", Kind.SHARE),
        ("How long did the talks last?", Kind.DURATION),
        ("In which year was it built?", Kind.DATE),
        ("Who wrote the report?", Kind.PERSON),
        ("Where is the dam?", Kind.PLACE),
        ("What is the ship called?", Kind.NAME),
        ("Why did he leave?", Kind.OPEN),
        ("كم رحلة ألغيت بسبب العاصفة؟", Kind.NUMBER),
        ("كم يبلغ سعر التذكرة؟", Kind.MONEY),
        ("ما نسبة الزيادة التي تطالب بها النقابة؟", Kind.SHARE),
        ("كم من الوقت أمامه للطعن في القرار؟", Kind.DURATION),
        ("متى افتُتح المقهى؟", Kind.DATE),
        ("في أي عام سُرق التمثال؟", Kind.DATE),
        ("من هو مدير المستشفى؟", Kind.PERSON),
        ("من سجل هدف القلعة؟", Kind.PERSON),
        ("من أين العداءة؟", Kind.PLACE),
        ("في أي مدينة تقام البطولة؟", Kind.PLACE),
        ("ما اسم السحلية الجديدة؟", Kind.NAME),
        ("لماذا فشلت المحادثات؟", Kind.OPEN),
    ],
)
def test_the_kind_of_answer_is_read_from_the_question(question: str, kind: Kind) -> None:
    assert asked(question) == kind


def test_words_are_marked_by_what_they_look_like() -> None:
    text = "On Monday Ana Ruiz paid $20 for three of 1984's 5% bonds, two years late."
    found = words(text)
    marked = {
        text[word.span.start : word.span.end]: Mark(int(mark))
        for word, mark in zip(found, marks(text, found, [0]), strict=True)
        if mark
    }
    assert marked == {
        "On": Mark.LEADING,
        "Monday": Mark.CAPITAL | Mark.DAY,
        "Ana": Mark.CAPITAL,
        "Ruiz": Mark.CAPITAL,
        "20": Mark.DIGITS | Mark.MONEY,
        "three": Mark.COUNT,
        "1984": Mark.DIGITS | Mark.YEAR,
        "5": Mark.DIGITS | Mark.SHARE,
        "two": Mark.COUNT,
        "years": Mark.PERIOD,
    }


def test_arabic_words_are_marked_with_their_particles_on() -> None:
    text = "بثلاثة دنانير في مارس ١٩٨٤ بعد سنتين والجمعة"
    found = words(text)
    assert [Mark(int(mark)) for mark in marks(text, found, [0])] == [
        Mark.ARABIC | Mark.COUNT,
        Mark.ARABIC | Mark.MONEY,
        Mark.ARABIC,
        Mark.ARABIC | Mark.DAY,
        Mark.DIGITS | Mark.YEAR,
        Mark.ARABIC,
        Mark.ARABIC | Mark.PERIOD,
        Mark.ARABIC | Mark.DAY,
    ]


def test_a_run_fits_a_kind_by_its_marks() -> None:
    marked = np.array([Mark.DIGITS, 0, Mark.PERIOD, Mark.CAPITAL, Mark.CAPITAL], np.uint16)
    edges = np.array([0, 1, 3, 5, 5])
    expected = {
        Kind.NUMBER: [1, 0, 0, 0],
        Kind.SHARE: [0.5, 0, 0, 0],
        Kind.MONEY: [0.5, 0, 0, 0],
        Kind.DURATION: [0.5, 0.5, 0, 0],
        Kind.DATE: [0.3, 0.5, 0, 0],
        Kind.PERSON: [0, 0, 1, 0],
        Kind.PLACE: [0, 0, 1, 0],
        Kind.NAME: [0, 0, 1, 0],
        Kind.OPEN: [0, 0, 0, 0],
    }
    assert {kind: fits(marked, edges, kind).round(3).tolist() for kind in Kind} == {
        kind: pytest.approx(values) for kind, values in expected.items()
    }
