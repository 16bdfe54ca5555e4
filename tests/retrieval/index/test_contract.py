from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus.article import Article, Span
from retrieval.answering import Answerer
from retrieval.errors import SnapshotMissing, SnapshotOutdated
from retrieval.index.contract import ArticleFilter, Candidates, Index, Rows, day_number, outlet_key
from retrieval.index.store import SnapshotStore
from retrieval.index.writing import publishing as publishing
from retrieval.index.writing import segment_writer
from retrieval.results import Query
from tests.fakes import HashingEncoder, StoppingEncoder
from tests.retrieval.engines import ENGINES, Engine
from tests.sample_library import BEES, BRIDGE, HARBOUR, LIBRARY, articles_in, built


@pytest.mark.parametrize(
    ("where", "everything"),
    [
        (ArticleFilter(), True),
        (ArticleFilter(since=dt.date(2026, 11, 1)), False),
        (ArticleFilter(until=dt.date(2026, 11, 1)), False),
        (ArticleFilter(source="Ostra Post"), False),
    ],
)
def test_only_an_empty_filter_allows_everything(where: ArticleFilter, everything: bool) -> None:
    assert where.allows_all is everything


def test_selecting_candidates_drops_their_scores_and_keeps_the_rankings() -> None:
    ranked = np.array([9, 2, 4])
    fetched = Candidates(
        np.array([2, 4, 9]), np.array([0.1, 0.2, 0.3], np.float32), np.ones(3, np.float32), ranked, ranked
    )
    kept = fetched.select(np.array([True, False, True]))
    assert kept.rows.tolist() == [2, 9]
    assert kept.cosine.tolist() == np.array([0.1, 0.3], np.float32).tolist()
    assert kept.dense_ranking.tolist() == kept.lexical_ranking.tolist() == [9, 2, 4]


def test_days_are_ordinals_and_outlets_ignore_case() -> None:
    assert day_number(None) == 0
    assert day_number("2026-11-01T10:00:00+00:00") == day_number("2026-11-01") == dt.date(2026, 11, 1).toordinal()
    assert outlet_key("The Vell Courier") == outlet_key(" the vell COURIER ") != outlet_key("Ostra Post")
    assert 0 <= outlet_key(None) == outlet_key("") < 1 << 63


# One suite for every engine.

EXTRA = Article("harbour-ar", "إضراب الميناء", "انتهى إضراب عمال الميناء يوم الاثنين. قالت النقابة إن الأجور سترتفع.")
ARTICLES = [*LIBRARY, EXTRA]


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = ENGINES[request.param](tmp_path_factory.mktemp("engine"))
    made.publish(ARTICLES, HashingEncoder())
    return made


@pytest.fixture
def index(engine: Engine) -> Index:
    return engine.store.open(encoder="hashing-32")


def ids(index: Index, rows: Rows) -> list[str]:
    return [index.article(int(row)).id for row in index.passages(rows).article]


def test_its_articles_are_given_back_word_for_word(index: Index) -> None:
    found = {article.id: article for article in articles_in(index)}
    assert found == {article.id: article for article in ARTICLES}
    assert {i: article.text for i, article in found.items()} == {article.id: article.text for article in ARTICLES}
    numbered = list(index.articles_with_rows())
    assert all(index.article(row) == article for row, article in numbered)
    assert sorted(index.summaries()) == sorted((row, one.id, one.title, one.published) for row, one in numbered)
    assert list(index.load(row for row, _ in numbered[::-1])) == [article for _, article in numbered[::-1]]


def test_passages_are_found_by_dense_and_by_lexical_search(index: Index) -> None:
    vector = HashingEncoder().encode_query("The bridge over the Ostra").vector
    fetched = index.retrieve(vector, {"bridg": 1.0, "harbour": 1.0}, 2, ArticleFilter())
    assert fetched.rows.tolist() == sorted(fetched.rows.tolist())
    assert ids(index, fetched.dense_ranking)[0] == "bridge"
    assert sorted(ids(index, fetched.lexical_ranking)) == ["bridge", "harbour"]
    by_row = dict(zip(fetched.rows.tolist(), fetched.cosine.tolist(), strict=True))
    assert by_row[int(fetched.dense_ranking[0])] == max(by_row.values())
    assert (fetched.bm25 > 0).sum() == 2


def test_lexical_search_alone_and_dense_search_alone_work(index: Index) -> None:
    words = index.retrieve(None, {"honey": 1.0}, 3, ArticleFilter())
    assert (ids(index, words.lexical_ranking), words.dense_ranking.tolist()) == (["bees"], [])
    assert not words.cosine.any()
    vector = HashingEncoder().encode_query("honey").vector
    meaning = index.retrieve(vector, {}, 3, ArticleFilter())
    assert ids(index, meaning.dense_ranking)[0] == "bees"
    assert meaning.lexical_ranking.tolist() == []
    assert not meaning.bm25.any()
    assert index.retrieve(None, {"zanzibar": 1.0}, 3, ArticleFilter()).rows.tolist() == []
    assert index.retrieve(None, {}, 3, ArticleFilter()).rows.tolist() == []


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (ArticleFilter(since=dt.date(2026, 11, 1)), ["bridge"]),
        (ArticleFilter(until=dt.date(2026, 10, 31)), ["harbour"]),
        (ArticleFilter(since=dt.date(2026, 10, 5), until=dt.date(2026, 11, 1)), ["bridge", "harbour"]),
        (ArticleFilter(source="the VELL courier "), ["harbour"]),
        (ArticleFilter(since=dt.date(2026, 11, 1), source="The Vell Courier"), []),
    ],
    ids=["since", "until", "between", "an outlet", "both"],
)
def test_a_filter_limits_what_is_found(index: Index, where: ArticleFilter, found: list[str]) -> None:
    vector = HashingEncoder().encode_query("the bridge and the bees").vector
    fetched = index.retrieve(vector, {"bee": 1.0, "bridg": 1.0, "harbour": 1.0}, 4, where)
    assert (sorted(ids(index, fetched.dense_ranking)), sorted(ids(index, fetched.lexical_ranking))) == (found, found)


def test_passage_data_comes_back_in_the_order_asked_for(index: Index) -> None:
    rows = {article.id: row for article in ARTICLES for row in rows_of(index, article.id)}
    asked = np.array([rows["harbour-ar"], rows["bees"]], np.int64)
    kept = index.passages(asked)
    assert [index.article(row).id for row in kept.article.tolist()] == ["harbour-ar", "bees"]
    assert kept.spans == (Span(0, len(EXTRA.text)), Span(0, len(BEES.text)))
    assert kept.arabic.tolist() == index.arabic(asked).tolist() == [True, False]
    assert kept.sentence_counts.tolist() == [2, 2]
    assert len(kept.words) == len(kept.word_vectors) == kept.word_counts.sum()
    assert len(kept.sentences) == len(kept.sentence_vectors) == 4
    assert index.texts(asked) == [EXTRA.text, BEES.text]
    assert index.passages(np.empty(0, np.int64)).spans == ()


def rows_of(index: Index, article_id: str) -> list[int]:
    vector = HashingEncoder().encode_query("x").vector
    rows = index.retrieve(vector, {}, 100, ArticleFilter()).rows
    return [int(row) for row, one in zip(rows, ids(index, rows), strict=True) if one == article_id]


def test_document_frequencies_and_known_words(index: Index) -> None:
    assert [index.document_frequency(term) for term in ("ostra", "deal", "zanzibar")] == [1, 1, 0]
    assert index.known_words(["bees", "ostra", "zanzibar", "الميناء", "a'b\"c"]) == {"bees", "ostra", "الميناء"}
    assert index.size == 4


def test_every_engine_gives_the_same_answers(engine: Engine, tmp_path: Path) -> None:
    built(tmp_path, ARTICLES)
    theirs = Answerer(SnapshotStore(tmp_path).open(), HashingEncoder())
    ours = Answerer(engine.store.open(), HashingEncoder())
    for text in ("How long did the strike last?", "bees -honey", '"two pillars"', "Who said it?", "متى انتهى الإضراب؟"):
        one, other = (answerer.answer(Query(text)) for answerer in (ours, theirs))
        assert [(q.article.id, q.span, q.highlights) for q in one.quotes] == [
            (q.article.id, q.span, q.highlights) for q in other.quotes
        ]
        assert one.confidence == pytest.approx(other.confidence, abs=0.02)


def test_a_long_article_has_consecutive_passages_with_neighbouring_sentences(tmp_path: Path) -> None:
    text = " ".join(f"Sentence number {n} of this long report speaks about the {n}th harbour." for n in range(40))
    for name, make in ENGINES.items():
        folder = tmp_path / name
        folder.mkdir()
        made = make(folder)
        made.publish([Article("long", "Long", text), HARBOUR], HashingEncoder())
        index = made.store.open()
        rows = rows_of(index, "long")
        spans = index.passages(np.array(rows)).spans
        assert len(rows) > 3
        assert rows == list(range(rows[0], rows[0] + len(rows)))
        before, after = index.neighbours(rows[1], rows[2])
        assert before is not None
        assert after is not None
        assert (before.end, after.start) == (spans[1].start, spans[2].end)
        assert (index.neighbours(rows[0], rows[0])[0], index.neighbours(rows[-1], rows[-1])[1]) == (None, None)


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_publishing_adds_replaces_removes_and_rolls_back(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    engine = make(tmp_path)
    assert (engine.store.current(), engine.store.encoder(), engine.store.descriptions()) == (None, None, [])
    with pytest.raises(SnapshotMissing, match="newsquote index build"):
        engine.store.open()
    encoder = HashingEncoder()
    first = engine.publish([BEES, HARBOUR], encoder)
    assert (first.articles, first.passages, first.encoded, engine.store.current()) == (2, 2, 2, first.name)
    assert engine.publish([BEES, HARBOUR], encoder).name == first.name
    changed = replace(HARBOUR, text="The harbour is calm. Nobody strikes.")
    second = engine.publish([changed, BRIDGE], encoder)
    assert (second.articles, second.encoded, encoder.passages) == (2, 2, 4)
    index = engine.store.open(encoder=encoder.fingerprint)
    assert index.name == second.name == engine.store.current()
    assert {article.id: article.text for article in articles_in(index)} == {
        "harbour": changed.text,
        "bridge": BRIDGE.text,
    }
    assert [index.document_frequency(term) for term in ("honey", "calm", "strike")] == [0, 1, 1]
    assert index.known_words(["honey", "calm"]) == {"calm"}
    assert engine.store.check().startswith(f"{second.name} is intact: 2 articles, 2 passages")
    with pytest.raises(SnapshotOutdated, match="newsquote index build"):
        engine.store.open(encoder="another")
    third = engine.publish([changed, BRIDGE], encoder, full=True)
    assert (third.name != second.name, third.encoded) == (True, 2)
    assert engine.store.descriptions()[-1] == (third.name, "2 articles, 2 passages")
    engine.use(second.name)
    assert engine.store.current() == second.name
    with pytest.raises(SnapshotMissing, match="newsquote index list"):
        engine.use("20200101T000000Z-00000000")


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_another_encoder_encodes_everything_again(make: Callable[[Path], Engine], tmp_path: Path) -> None:
    engine = make(tmp_path)
    engine.publish([BEES], HashingEncoder(name="one"))
    assert engine.store.encoder() == "one-32"
    assert engine.publish([BEES], HashingEncoder(name="two")).encoded == 1
    assert engine.store.encoder() == "two-32"


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("full", [False, True])
def test_an_interrupted_publication_is_finished_by_the_next(
    make: Callable[[Path], Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    monkeypatch.setattr(publishing, "_PASSAGES_PER_BATCH", 1)
    monkeypatch.setattr(segment_writer, "_CHECKPOINT_S", 0.0)
    engine = make(tmp_path)
    engine.publish([BEES], HashingEncoder())
    serving = engine.store.current()
    with pytest.raises(KeyboardInterrupt):
        engine.publish([BEES, BRIDGE, EXTRA, HARBOUR], StoppingEncoder(2 if not full else 3), full=full)
    assert engine.store.current() in {serving, None} or not full
    assert "bees" in {article.id for article in articles_in(engine.store.open())}
    encoder = HashingEncoder()
    done = engine.publish([BEES, BRIDGE, EXTRA, HARBOUR], encoder, full=full)
    assert (done.articles, done.passages, encoder.passages) == (4, 4, 1)
    index = engine.store.open()
    assert [index.document_frequency(term) for term in ("honey", "ostra", "deal")] == [1, 1, 1]
    assert {article.id for article in articles_in(index)} == {"bees", "bridge", "harbour", "harbour-ar"}
    assert engine.store.check().startswith(f"{done.name} is intact: 4 articles")
