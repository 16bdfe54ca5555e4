from __future__ import annotations

from dataclasses import replace

import numpy as np

from corpus.article import Article
from corpus.text.split import split_article
from retrieval.index.writing.passage_records import passage_key, passage_terms, passage_vectors, pipeline_version
from retrieval.text.late_interaction import WORD_DIM, int8_scale, term_keys
from retrieval.text.search_text import search_text
from tests.fakes import HashingEncoder
from tests.sample_library import BEES, HARBOUR

[BEES_PASSAGE] = split_article(BEES)


def test_a_passage_is_encoded_after_its_title() -> None:
    assert search_text(BEES_PASSAGE) == f"{BEES.title}\n{BEES.text}"


def test_content_words_are_kept_in_order_and_all_words_folded() -> None:
    own = passage_terms(BEES_PASSAGE)
    assert own.folded[:5] == ("city", "bees", "thrive", "bees", "on")
    assert [word.folded for word in own.content][:5] == ["city", "bees", "thrive", "bees", "city"]
    assert own.words["term"].tolist() == term_keys([word.term for word in own.content]).tolist()


def test_a_sentence_knows_how_many_words_precede_it() -> None:
    own = passage_terms(BEES_PASSAGE)
    assert own.sentences["word"].tolist() == [3, 3 + len(["bees", "city", "roofs", "made", "honey", "ever"])]
    assert own.sentences["start"].tolist() == [0, BEES.text.index("“")]
    assert own.sentences["end"].tolist()[-1] == len(BEES.text)
    assert own.sentences["heading"].tolist() == [False, False]


def test_a_passage_is_arabic_when_half_of_its_words_are() -> None:
    texts = {"نفقت آلاف الأسماك في البحيرة.": True, "The نفقت.": True, "Fish died near نفقت.": False, "Fish.": False}
    for text, arabic in texts.items():
        [passage] = split_article(Article("a", "ا" if arabic else "A", text))
        assert passage_terms(passage).arabic is arabic


def test_a_passage_key_depends_on_title_text_and_sentence_ends() -> None:
    passages = [split_article(one)[0] for one in (HARBOUR, replace(HARBOUR, title="Other"), replace(HARBOUR, id="x"))]
    keys = [passage_key(passage) for passage in passages]
    assert keys[0] == keys[2] != keys[1]
    assert passage_key(replace(BEES_PASSAGE, sentences=(BEES_PASSAGE.span,))) != passage_key(BEES_PASSAGE)


def test_a_sentences_vector_is_the_mean_of_its_tokens() -> None:
    encoded = next(HashingEncoder().encode_passages([search_text(BEES_PASSAGE)]))
    own = passage_terms(BEES_PASSAGE)
    made = passage_vectors(BEES_PASSAGE, own.content, encoded)
    assert (made.passage.shape, made.sentences.shape) == ((32,), (2, 32))
    assert made.words.shape == (len(own.content), WORD_DIM)
    inside = encoded.offsets[:, 0] >= len(BEES.title) + 1 + own.sentences["start"][1]
    mean = encoded.tokens[inside].mean(axis=0)
    cosine = made.sentences[1] @ mean / np.linalg.norm(mean) / int8_scale(32)
    assert np.isclose(cosine, 1, atol=0.02)


def test_the_pipeline_version_is_stable() -> None:
    assert pipeline_version() == pipeline_version()
    assert len(pipeline_version()) == 16
