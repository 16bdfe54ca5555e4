from __future__ import annotations

import numpy as np
import pytest

from retrieval.text.analysis import words
from retrieval.text.answer_types import AnswerType, WordShape, answer_type_match, answer_type_of, word_shapes


@pytest.mark.parametrize(
    ("question", "answer_type"),
    [
        ("How many officials came?", AnswerType.NUMBER),
        ("What did the bridge cost?", AnswerType.MONEY),
        ("Which share of the votes did she get?", AnswerType.SHARE),
        ("How long did the talks last?", AnswerType.DURATION),
        ("In which year was it built?", AnswerType.DATE),
        ("Who wrote the report?", AnswerType.PERSON),
        ("Where is the dam?", AnswerType.PLACE),
        ("What is the ship called?", AnswerType.NAME),
        ("Why did he leave?", AnswerType.OPEN),
        ("كم رحلة ألغيت بسبب العاصفة؟", AnswerType.NUMBER),
        ("كم يبلغ سعر التذكرة؟", AnswerType.MONEY),
        ("ما نسبة الزيادة التي تطالب بها النقابة؟", AnswerType.SHARE),
        ("كم من الوقت أمامه للطعن في القرار؟", AnswerType.DURATION),
        ("متى افتُتح المقهى؟", AnswerType.DATE),
        ("في أي عام سُرق التمثال؟", AnswerType.DATE),
        ("من هو مدير المستشفى؟", AnswerType.PERSON),
        ("من سجل هدف القلعة؟", AnswerType.PERSON),
        ("من أين العداءة؟", AnswerType.PLACE),
        ("في أي مدينة تقام البطولة؟", AnswerType.PLACE),
        ("ما اسم السحلية الجديدة؟", AnswerType.NAME),
        ("لماذا فشلت المحادثات؟", AnswerType.OPEN),
    ],
)
def test_the_answer_type_follows_from_the_question(question: str, answer_type: AnswerType) -> None:
    assert answer_type_of(question) == answer_type


def test_words_have_the_shapes_they_look_like() -> None:
    text = "On Monday Ana Ruiz paid $20 for three of 1984's 5% bonds, two years late."
    found = words(text)
    shapes = {
        text[word.span.start : word.span.end]: WordShape(int(shape))
        for word, shape in zip(found, word_shapes(text, found, [0]), strict=True)
        if shape
    }
    assert shapes == {
        "On": WordShape.LEADING,
        "Monday": WordShape.CAPITAL | WordShape.DAY,
        "Ana": WordShape.CAPITAL,
        "Ruiz": WordShape.CAPITAL,
        "20": WordShape.DIGITS | WordShape.MONEY,
        "three": WordShape.COUNT,
        "1984": WordShape.DIGITS | WordShape.YEAR,
        "5": WordShape.DIGITS | WordShape.SHARE,
        "two": WordShape.COUNT,
        "years": WordShape.PERIOD,
    }


def test_arabic_words_have_their_shapes_with_particles_attached() -> None:
    text = "بثلاثة دنانير في مارس ١٩٨٤ بعد سنتين والجمعة"
    found = words(text)
    assert [WordShape(int(shape)) for shape in word_shapes(text, found, [0])] == [
        WordShape.ARABIC | WordShape.COUNT,
        WordShape.ARABIC | WordShape.MONEY,
        WordShape.ARABIC,
        WordShape.ARABIC | WordShape.DAY,
        WordShape.DIGITS | WordShape.YEAR,
        WordShape.ARABIC,
        WordShape.ARABIC | WordShape.PERIOD,
        WordShape.ARABIC | WordShape.DAY,
    ]


def test_segments_match_an_answer_type_by_the_shapes_of_their_words() -> None:
    shapes = np.array([WordShape.DIGITS, 0, WordShape.PERIOD, WordShape.CAPITAL, WordShape.CAPITAL], np.uint16)
    edges = np.array([0, 1, 3, 5, 5])
    expected = {
        AnswerType.NUMBER: [1, 0, 0, 0],
        AnswerType.SHARE: [0.5, 0, 0, 0],
        AnswerType.MONEY: [0.5, 0, 0, 0],
        AnswerType.DURATION: [0.5, 0.5, 0, 0],
        AnswerType.DATE: [0.3, 0.5, 0, 0],
        AnswerType.PERSON: [0, 0, 1, 0],
        AnswerType.PLACE: [0, 0, 1, 0],
        AnswerType.NAME: [0, 0, 1, 0],
        AnswerType.OPEN: [0, 0, 0, 0],
    }
    assert {
        answer_type: answer_type_match(shapes, edges, answer_type).round(3).tolist() for answer_type in AnswerType
    } == {answer_type: pytest.approx(values) for answer_type, values in expected.items()}
