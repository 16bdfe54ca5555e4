from __future__ import annotations

import string
import unicodedata

import pytest

from bot.conversation.languages import Language, Template, catalogue
from bot.conversation.phrases import FSI, PDI, Phrase, say

FORMS = {Language.EN: {"one", "other"}, Language.AR: {"zero", "one", "two", "few", "many", "other"}}
TABLES = {language: catalogue(language).phrases for language in Language}


def templates(template: Template) -> list[str]:
    return [template] if isinstance(template, str) else list(template.values())


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_every_catalogue_has_every_phrase_in_the_same_order(language: Language) -> None:
    assert list(TABLES[language]) == list(Phrase)


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
            spelt_out = {"zero", "one", "two"}
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
        say(Phrase.OUTCOME_REFUSED, language, title=arabic, reason=english) for language in (Language.EN, Language.AR)
    ] == [f"Not added: {FSI}{arabic}{PDI} ({english})", f"لم يُضف: {arabic} ({FSI}{english}{PDI})"]
    assert say(Phrase.UNKNOWN_COMMAND, Language.AR, command="/x").startswith(f"لا أعرف {FSI}/x{PDI}. ")
