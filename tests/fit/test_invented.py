from __future__ import annotations

from dataclasses import replace

from corpus.article import Article, Span
from tests.fit.invented import (
    InventedQuestion,
    libraries_with_gaps,
    libraries_without_articles,
    read_news,
    remove_answers,
    single_article_libraries,
)

ARTICLE = Article("a", "Title", "The mill opened in 1901. Anna ran it. In 1901 bread was dear, said Anna Lund.")


def test_every_answer_lies_where_the_data_says() -> None:
    articles, questions = read_news()
    assert len(articles) == 165
    for asked in questions:
        text = articles[asked.article].text
        assert all(text[span.start : span.end].strip() for span in asked.answers), asked.text
        assert bool(asked.answers) == (asked.kind not in {"near-miss", "plain", "far"}), asked.text


def test_an_answer_is_removed_with_its_sentence_and_those_that_repeat_it() -> None:
    assert remove_answers(ARTICLE, [Span(19, 23)]) == replace(ARTICLE, text=ARTICLE.text[25:])
    gap = remove_answers(ARTICLE, [Span(66, 75)])
    assert gap is not None
    assert gap.text == "The mill opened in 1901. Anna ran it. "
    assert remove_answers(replace(ARTICLE, text="Only this."), [Span(0, 4)]) is None


def test_the_libraries_with_gaps_ask_every_answerable_question_once() -> None:
    asked = [InventedQuestion(str(number), number % 2, (Span(0, 3),), "fact") for number in range(5)]
    near = InventedQuestion("near", 0, (), "near-miss")
    libraries = list(libraries_with_gaps([ARTICLE, ARTICLE], [*asked, near]))
    assert [one.text for _, questions in libraries for one in questions] == ["0", "1", "2", "3", "4"]
    assert [[article.text == ARTICLE.text for article in library] for library, _ in libraries] == [
        [False, False],
        [False, False],
        [False, True],
    ]


def test_questions_are_asked_of_libraries_without_their_article() -> None:
    articles = [replace(ARTICLE, id=str(number)) for number in range(3)]
    asked = [InventedQuestion(str(number), number, (Span(0, 3),), "fact") for number in range(3)]
    found = [
        ([article.id for article in library], [one.text for one in questions])
        for library, questions in libraries_without_articles(articles, asked, parts=2)
    ]
    assert found == [(["1"], ["0", "2"]), (["0", "2"], ["1"])]


def test_a_single_article_is_asked_its_own_questions_and_unrelated_ones() -> None:
    asked = [
        InventedQuestion(str(number), number % 3, (Span(0, 3),) if number < 6 else (), "fact") for number in range(7)
    ]
    alone = list(single_article_libraries([ARTICLE, ARTICLE, ARTICLE], asked, 2))
    assert [[one.text for one in own] for _, own, _ in alone] == [["0", "3", "6"], ["1", "4"], ["2", "5"]]
    for number, (_, own, strangers) in enumerate(alone):
        assert {one.article for one in (*own, *strangers)} == {0}
        assert len(strangers) == 2
        assert all(int(one.text) % 3 != number for one in strangers)
