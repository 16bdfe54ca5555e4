"""Libraries of more than one segment: articles are added and removed without rewriting large segments."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from corpus.article import Article
from retrieval.answering import Answerer
from retrieval.index import snapshot_folder
from retrieval.index.contract import ArticleFilter
from retrieval.index.snapshot import Snapshot
from retrieval.index.writing import current_snapshot, segment_writer
from retrieval.index.writing import publishing as publishing
from retrieval.index.writing.merging import merge
from retrieval.index.writing.publishing import publish
from retrieval.results import Query
from retrieval.text.analysis import terms
from tests.fakes import HashingEncoder, StoppingEncoder
from tests.sample_library import LIBRARY, articles_in

NAMES = """alder birch cedar dogwood elm fir ginkgo hazel ivy juniper kapok larch maple nutmeg oak pine quince
rowan""".split()  # noqa: SIM905
TREES = [
    Article(
        f"{number:02d}",
        f"About the {name}",
        f"The {name} stands by the gate. It was planted in {1900 + number} by a gardener.\n\nThe {name} is tall.",
        source=("Gate Post", "Garden News")[number % 2],
        published=f"2026-11-{number + 1:02d}",
    )
    for number, name in enumerate(NAMES)
]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of up to four passages count as small; each of these articles has one passage."""
    monkeypatch.setattr(publishing, "SMALL_SEGMENT", 4)


def publish_articles(folder: Path, articles: Sequence[Article]) -> Snapshot:
    return Snapshot.open(folder, publish(articles, HashingEncoder(), folder).name)


def file_identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def segment_sizes(opened: Snapshot) -> list[int]:
    return [segment.manifest.articles for segment in opened.segments]


def articles_with_word(opened: Snapshot, name: str) -> list[str]:
    """The ids of the articles that contain the word."""
    rows = opened.retrieve(None, dict.fromkeys(terms(name), 1.0), 100, ArticleFilter()).lexical_ranking
    return [opened.article(row).id for row in opened.passages(rows).article.tolist()]


def test_new_articles_go_into_a_new_segment_and_the_others_stay_untouched(tmp_path: Path) -> None:
    first = publish_articles(tmp_path, TREES[:10])
    files = {path: file_identity(path) for path in first.segments[0].folder.rglob("*") if path.is_file()}
    second = publish_articles(tmp_path, TREES[:11])
    assert (segment_sizes(first), segment_sizes(second)) == ([10], [10, 1])
    assert second.segments[0].folder == first.segments[0].folder
    assert {path: file_identity(path) for path in files} == files
    assert articles_in(second) == TREES[:11]
    assert (articles_with_word(second, "kapok"), articles_with_word(second, "alder")) == (["10"], ["00"])
    answer = Answerer(second, HashingEncoder()).answer(Query("When was the kapok planted?"))
    assert [quote.article.id for quote in answer.quotes][:1] == ["10"]


def test_a_small_segment_grows_until_it_is_large(tmp_path: Path) -> None:
    publish_articles(tmp_path, TREES[:8])
    seen = [segment_sizes(publish_articles(tmp_path, TREES[:count])) for count in range(9, 16)]
    assert seen == [[8, 1], [8, 2], [8, 3], [8, 4], [8, 5], [8, 5, 1], [8, 5, 2]]


def test_publishing_never_rewrites_a_large_segment(tmp_path: Path) -> None:
    for count in (8, 13, 18):
        opened = publish_articles(tmp_path, TREES[:count])
    assert segment_sizes(opened) == [8, 5, 5]


def test_a_removed_article_is_not_found_and_its_segment_stays(tmp_path: Path) -> None:
    first = publish_articles(tmp_path, TREES[:10])
    left = [tree for tree in TREES[:10] if tree.id != "03"]
    second = publish_articles(tmp_path, left)
    assert second.segments[0].folder == first.segments[0].folder
    assert (second.manifest.gone, second.manifest.articles, second.size) == ((3,), 9, 9)
    assert articles_in(second) == left
    fetched = second.retrieve(HashingEncoder().encode_query("dogwood").vector, {"dogwood": 1.0}, 100, ArticleFilter())
    assert fetched.lexical_ranking.tolist() == []
    assert len(fetched.dense_ranking) == 9
    assert second.passages(fetched.rows).article.tolist() == list(range(9))
    assert articles_with_word(second, "dogwood") == []
    assert articles_with_word(Snapshot.open(tmp_path, first.name), "dogwood") == ["03"]


def test_a_changed_article_is_found_in_its_new_version(tmp_path: Path) -> None:
    publish_articles(tmp_path, TREES[:10])
    changed = Article("03", "About the willow", "The willow was planted in 1850 by a monk.", published="2026-11-30")
    opened = publish_articles(tmp_path, [*TREES[:3], changed, *TREES[4:10]])
    assert (segment_sizes(opened), opened.manifest.gone) == ([10, 1], (3,))
    assert (articles_with_word(opened, "willow"), articles_with_word(opened, "dogwood")) == (["03"], [])
    assert opened.article(9) == changed
    assert opened.known_words(["willow", "monk"]) == {"willow", "monk"}


def test_a_library_that_shrinks_becomes_one_segment_again(tmp_path: Path) -> None:
    publish_articles(tmp_path / "gradual", TREES)
    publish_articles(tmp_path / "gradual", TREES[:9])
    gradual = publish_articles(tmp_path / "gradual", TREES[:3])
    anew = publish_articles(tmp_path / "anew", TREES[:3])
    assert [segment.folder.name for segment in gradual.segments] == [segment.folder.name for segment in anew.segments]


def test_document_frequencies_count_over_all_segments(tmp_path: Path) -> None:
    """The score of one library does not depend on how it was cut; the mean length of a passage is alike here."""
    for count in (8, 13, 15):
        cut = publish_articles(tmp_path / "cut", TREES[:count])
    whole = publish_articles(tmp_path / "whole", TREES[:15])
    assert (len(cut.segments), len(whole.segments)) == (3, 1)
    assert cut.document_frequency("gate") == whole.document_frequency("gate") == 15
    weights = {"gate": 1.0, "cedar": 1.0, "nutmeg": 2.0, "1912": 1.0}
    ours, theirs = (one.retrieve(None, weights, 100, ArticleFilter()) for one in (cut, whole))
    assert ours.lexical_ranking.tolist() == theirs.lexical_ranking.tolist()
    assert np.allclose(ours.bm25, theirs.bm25, rtol=0.02)
    assert not ours.cosine.any()


def test_a_filter_applies_to_every_segment(tmp_path: Path) -> None:
    for count in (8, 13, 15):
        opened = publish_articles(tmp_path, TREES[:count])
    vector = HashingEncoder().encode_query("gate").vector
    found = opened.retrieve(vector, {"gate": 1.0}, 100, ArticleFilter(source="garden news"))
    assert found.dense_ranking.tolist() != []
    assert sorted(found.dense_ranking.tolist()) == sorted(found.lexical_ranking.tolist()) == list(range(1, 15, 2))


@examples(max_examples=12)
@given(st.lists(st.tuples(st.sets(st.sampled_from(TREES), min_size=1), st.booleans()), min_size=2, max_size=5))
def test_a_snapshot_finds_its_articles_whatever_was_published_before(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[set[Article], bool]]
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    for chosen, merges in steps:
        articles = sorted(chosen, key=lambda article: article.id)
        opened = publish_articles(folder, articles)
        if merges:
            merge(folder, nullcontext)
            opened = Snapshot.open(folder)
        assert sorted(articles_in(opened), key=lambda article: article.id) == articles
        rows = opened.retrieve(None, {"gate": 1.0}, 100, ArticleFilter()).lexical_ranking
        assert sorted(opened.passages(rows).article.tolist()) == list(range(len(articles)))
        assert opened.texts(rows) == [opened.article(row).text for row in opened.passages(rows).article.tolist()]
        for article in articles:
            assert articles_with_word(opened, article.title.split()[-1]) == [article.id]


def test_segments_that_no_snapshot_uses_are_removed(tmp_path: Path) -> None:
    for count in (8, 9, 10, 11, 12, 13):
        opened = publish_articles(tmp_path, TREES[:count])
    held = {
        name
        for one in snapshot_folder.snapshot_names(tmp_path)
        for name in Snapshot.open(tmp_path, one).manifest.segments
    }
    assert len(snapshot_folder.snapshot_names(tmp_path)) == 3
    assert {path.name for path in (tmp_path / "segments").iterdir()} == held
    assert segment_sizes(opened) == [8, 5]


def interrupt_build(folder: Path, *, full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt a build at the eleventh passage; it saves a checkpoint after every article."""
    with monkeypatch.context() as patch:
        patch.setattr(segment_writer, "_CHECKPOINT_S", 0.0)
        patch.setattr(publishing, "_PASSAGES_PER_BATCH", 1)
        with pytest.raises(KeyboardInterrupt):
            publish(TREES, StoppingEncoder(10), folder, full=full)


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [(False, False, 8), (True, True, 8), (True, False, 8), (False, True, 18)],
    ids=["as it was", "full both times", "no longer full", "full now"],
)
def test_an_interrupted_build_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, before: bool, now: bool, again: int
) -> None:
    interrupt_build(tmp_path, full=before, monkeypatch=monkeypatch)
    encoder = HashingEncoder()
    done = publish(TREES, encoder, tmp_path, full=now)
    assert (encoder.passages, done.articles) == (again, 18)
    anew = publish_articles(tmp_path / "anew", TREES)
    assert Snapshot.open(tmp_path).manifest.segments == anew.manifest.segments
    assert not list(tmp_path.glob(".build-*"))


def test_a_build_of_another_encoder_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_build(tmp_path, full=False, monkeypatch=monkeypatch)
    encoder = HashingEncoder(name="other")
    publish(TREES, encoder, tmp_path)
    assert encoder.passages == 18


def test_the_library_may_change_before_a_build_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_build(tmp_path, full=False, monkeypatch=monkeypatch)
    encoder = HashingEncoder()
    publish([*LIBRARY, *TREES[5:]], encoder, tmp_path)
    assert encoder.passages == 3 + 8
    assert articles_in(Snapshot.open(tmp_path)) == [*LIBRARY, *TREES[5:]]


def test_a_finished_segment_that_was_never_published_is_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(current_snapshot, "switch_to", stop)
        with pytest.raises(KeyboardInterrupt):
            publish(TREES, HashingEncoder(), tmp_path)
    encoder = HashingEncoder()
    assert publish(TREES, encoder, tmp_path).articles == 18
    assert encoder.passages == 0


def test_a_damaged_segment_is_rebuilt_in_place(tmp_path: Path) -> None:
    first = publish_articles(tmp_path, TREES)
    words = first.segments[0].folder / "words.bin"
    sound = words.read_bytes()
    words.write_bytes(b"\1" + sound[1:])
    encoder = HashingEncoder()
    name = publish(TREES, encoder, tmp_path).name
    assert encoder.passages == 18
    assert words.read_bytes() == sound
    for opened in (name, first.name):
        assert articles_in(Snapshot.open(tmp_path, opened)) == TREES


def test_snapshot_names_sort_by_age(tmp_path: Path) -> None:
    made = [publish_articles(tmp_path, TREES[:count]).name for count in (8, 9, 10)]
    assert made == sorted(made)
    assert list(itertools.pairwise(made)) == list(itertools.pairwise(snapshot_folder.snapshot_names(tmp_path)))
