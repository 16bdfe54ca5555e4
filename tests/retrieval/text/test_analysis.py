from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.text.analysis import fold, standardise_question_word, terms, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Romanowski's reports", "romanowski report"),
        ("the U.S. protocol", "US protocols"),
        ("1,472.19 dollars", "1472.19 dollar"),
        ("ten officials", "10 official"),
        ("the second level", "2 levels"),
        ("Café Zürich", "cafe zurich"),
        ("ＷＩＤＥ letters", "wide letter"),
        ("أحمد إلى المدرسة", "احمد الي المدرسه"),
        ("مؤتمر الآثار المائي", "موتمر الاثار المايي"),
        ("مُحَمَّد", "محمد"),
        ("الاتـــجار", "الاتجار"),
        ("عام ٢٠١٠", "عام 2010"),
        ("والوزارة بالوزارة للوزارة", "وزارة الوزارة وزارة"),
        ("ثلاثة وزراء، مئة يوم", "3 وزراء 100 يوم"),
        ("وقال، فقال", "قال قال"),
    ],
    ids=[
        "possessive and plural", "abbreviation", "thousands", "number word", "ordinal", "accents", "width",
        "alef, ya, ta marbuta", "hamza", "marks", "tatweel", "Arabic-Indic digits",
        "particles", "Arabic number words", "conjunctions",
    ],
)  # fmt: skip
def test_spelling_variants_have_the_same_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_stop_words_are_left_out() -> None:
    assert terms("Which of them is in the house?") == ["hous"]
    assert terms("ما هو تقرير الخارجية") == terms("تقرير الخارجية")
    assert terms("وفي الكويت، ومن ثم إلى مصر") == terms("الكويت مصر")


def test_the_name_ali_is_not_taken_for_a_preposition() -> None:
    assert terms("على الطاولة وعلى الأرض") == terms("الطاولة الأرض")
    assert terms("من هو علي؟") == terms("علي") != []


def test_numbers_keep_their_decimals() -> None:
    assert terms("$1,472.19 and 0.5%") == ["1472.19", "0.5"]


def test_words_have_their_spans_in_the_text() -> None:
    text = "“Kuwait’s law,” he said."
    assert [text[w.span.start : w.span.end] for w in words(text)] == ["Kuwait’s", "law", "he", "said"]


@given(st.text())
def test_words_are_slices_in_order_that_do_not_overlap(text: str) -> None:
    end = 0
    for word in words(text):
        assert end <= word.span.start < word.span.end <= len(text)
        assert word.folded
        assert word.term
        end = word.span.end


@given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1))
def test_folding_twice_changes_nothing(word: str) -> None:
    once = fold(word)
    if once:
        assert fold(once) == once


@pytest.mark.parametrize(
    ("spoken", "standard"),
    [
        ("وين يصب النهر؟", "أين يصب النهر؟"),
        ("وليش تأخر المترو؟", "ولماذا تأخر المترو؟"),
        ("شنو سعر التذكرة؟", "ما سعر التذكرة؟"),
        ("مين مدير المصرف؟", "من مدير المصرف؟"),
        ("من مثّل دور جون وين؟", "من مثّل دور جون وين؟"),
        ("وينشر المقال غدا؟", "وينشر المقال غدا؟"),
        ("Where is it?", "Where is it?"),
    ],
)
def test_a_leading_spoken_question_word_becomes_the_standard_one(spoken: str, standard: str) -> None:
    assert standardise_question_word(spoken) == standard
