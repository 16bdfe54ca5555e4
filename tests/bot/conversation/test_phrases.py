from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.phrases import (
    FSI,
    PDI,
    TABLES,
    Language,
    Phrase,
    Plural,
    Template,
    date,
    figure,
    number,
    percent,
    plural,
    say,
)

FORMS = {
    Language.EN: {Plural.ONE, Plural.OTHER},
    Language.AR: set(Plural),
}


def templates(template: Template) -> list[str]:
    return [template] if isinstance(template, str) else list(template.values())


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_no_phrase_is_missing(language: Language) -> None:
    assert set(TABLES[language]) == set(Phrase)


@pytest.mark.parametrize("phrase", Phrase)
def test_every_language_fills_the_same_places(phrase: Phrase) -> None:
    wanted = {frozenset().union(*map(places, templates(TABLES[language][phrase]))) for language in Language}
    assert len(wanted) == 1


@pytest.mark.parametrize("language", Language)
def test_a_plural_has_every_form_of_its_language_and_counts_where_the_form_does_not_say_the_number(
    language: Language,
) -> None:
    for phrase in Phrase:
        template = TABLES[language][phrase]
        if isinstance(template, str):
            assert "count" not in places(template), phrase
        else:
            assert set(template) == FORMS[language], phrase
            spelt_out = {Plural.ZERO, Plural.ONE, Plural.TWO}
            assert all("count" in places(text) for form, text in template.items() if form not in spelt_out), phrase


@pytest.mark.parametrize("phrase", Phrase)
def test_each_language_is_written_in_its_own_letters(phrase: Phrase) -> None:
    if phrase is Phrase.COMMAND_LANGUAGE:  # each language is named in itself
        return
    english = "".join(templates(TABLES[Language.EN][phrase]))
    arabic = "".join(templates(TABLES[Language.AR][phrase]))
    assert not any("ARABIC" in unicodedata.name(ch, "") for ch in english)
    assert any("ARABIC" in unicodedata.name(ch, "") for ch in arabic)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("phrase", Phrase)
def test_every_phrase_can_be_said(phrase: Phrase, language: Language) -> None:
    values = {name: 3 for text in templates(TABLES[language][phrase]) for name in places(text)}
    said = say(phrase, language, **values)
    assert said == said.strip() != ""
    assert "{" not in said


@pytest.mark.parametrize(
    ("count", "english", "arabic"),
    [
        (0, "0 articles", "لا مقالات"),
        (1, "1 article", "مقال واحد"),
        (2, "2 articles", "مقالان"),
        (3, "3 articles", "٣ مقالات"),
        (10, "10 articles", "١٠ مقالات"),
        (11, "11 articles", "١١ مقالًا"),
        (99, "99 articles", "٩٩ مقالًا"),
        (100, "100 articles", "١٠٠ مقال"),
        (102, "102 articles", "١٠٢ مقال"),
        (103, "103 articles", "١٠٣ مقالات"),
        (1234, "1,234 articles", "١٬٢٣٤ مقالًا"),
    ],
)
def test_counts_take_their_plural_form(count: int, english: str, arabic: str) -> None:
    said = [say(Phrase.ARTICLE_COUNT, language, count=count) for language in (Language.EN, Language.AR)]
    assert said == [english, arabic]


@given(st.integers(0, 10**9))
def test_every_count_has_a_form_of_its_language(count: int) -> None:
    assert all(plural(count, language) in FORMS[language] for language in Language)


def test_a_value_is_never_read_as_a_template() -> None:
    assert say(Phrase.UNKNOWN_COMMAND, Language.EN, command="/{limit}") == (
        "I don't know /{limit}. See /help for what I can do."
    )


def test_a_command_keeps_its_slash_in_front_among_arabic_letters() -> None:
    said = say(Phrase.ARTICLES_NEXT, Language.AR, page=2)
    assert said == f"المزيد: {FSI}/articles 2{PDI}"


def test_words_of_the_other_direction_keep_to_their_place() -> None:
    english, arabic = "Kuwait (2019)", "تقرير عن الكويت"
    assert [
        say(Phrase.OUTCOME_SKIPPED, language, title=arabic, reason=english) for language in (Language.EN, Language.AR)
    ] == [f"Left out: {FSI}{arabic}{PDI} ({english})", f"تُرك: {arabic} ({FSI}{english}{PDI})"]
    assert say(Phrase.UNKNOWN_COMMAND, Language.AR, command="/x").startswith(f"لا أعرف {FSI}/x{PDI}. ")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", Language.EN),
        ("ar", Language.AR),
        ("ar-KW", Language.AR),
        ("en_GB.UTF-8", Language.EN),
        ("AR", Language.AR),
        ("fr", None),
        ("C.UTF-8", None),
        ("", None),
        (None, None),
        ("arn", None),
    ],
)
def test_a_language_is_known_by_its_primary_code(code: str | None, language: Language | None) -> None:
    assert Language.of(code) is language


def test_dates_and_numbers_are_written_as_readers_write_them() -> None:
    assert [
        [date("2026-11-24T07:00:00+03:00", language), number(12345, language), percent(0.914, language)]
        for language in (Language.EN, Language.AR)
    ] == [["24 November 2026", "12,345", "91%"], ["٢٤ نوفمبر ٢٠٢٦", "١٢٬٣٤٥", "٩١٪"]]
    assert [[figure(value, language) for value in (3.0, 0.456, -0.001)] for language in (Language.EN, Language.AR)] == [
        ["3", "0.46", "0.00"],
        ["٣", "٠٫٤٦", "٠٫٠٠"],
    ]
