from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.service.state import AnswerRow, StateDatabase, Subscriber, Vote

QUOTES = [
    {"article": "harbour", "content": "c1", "span": [0, 57]},
    {"article": "bees", "content": "c2", "span": [3, 20]},
]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state.db"


def test_an_update_is_stored_once_and_unhandled_until_it_is_marked(path: Path) -> None:
    first, second = {"update_id": 7, "message": {"text": "é"}}, {"update_id": 6}
    with StateDatabase(path) as state:
        assert state.store_updates([first, second]) == [first, second]
        assert state.store_updates([first]) == []
        state.mark_handled(first)
    with StateDatabase(path) as state:
        assert state.unhandled_updates() == [second]
        assert state.store_updates([first]) == []


def test_a_different_update_with_the_same_id_is_not_a_duplicate(path: Path) -> None:
    old, new = {"update_id": 7, "message": {"text": "old"}}, {"update_id": 7, "message": {"text": "new"}}
    with StateDatabase(path) as state:
        state.store_updates([old])
        state.mark_handled(old)
        assert state.store_updates([old, new]) == [new]
        assert state.unhandled_updates() == [new]


def test_the_content_of_an_update_is_deleted_once_it_is_handled(path: Path) -> None:
    with StateDatabase(path) as state:
        update = {"update_id": 7, "message": {"text": "a private question"}}
        state.store_updates([update])
        state.mark_handled(update)
    with StateDatabase(path) as state:
        state.delete_expired()
    assert b"a private question" not in path.read_bytes()


def test_an_answer_is_found_by_its_number_after_a_restart(path: Path) -> None:
    with StateDatabase(path) as state:
        number = state.store_answer("20261124T001500Z-1a2b3c4d", QUOTES, answered=True, certain=False)
    with StateDatabase(path) as state:
        assert state.stored_answer(number) == AnswerRow("20261124T001500Z-1a2b3c4d", True, QUOTES, None, False)
        assert state.stored_answer(number + 1) is None


def test_an_answer_stored_before_there_were_uncertain_ones_is_certain(path: Path) -> None:
    with StateDatabase(path) as state:
        number = state.store_answer("s", QUOTES, answered=True, certain=False)
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE answers DROP COLUMN certain")
    with StateDatabase(path) as state:
        assert state.stored_answer(number) == AnswerRow("s", True, QUOTES, None, True)


def test_old_answers_replies_and_updates_are_deleted(path: Path, clock: Clock) -> None:
    with StateDatabase(path, clock) as state:
        number = state.store_answer("s", QUOTES, answered=True)
        state.store_reply(1, 2, 3)
        state.store_updates([{"update_id": 7}, {"update_id": 8}])
        state.mark_handled({"update_id": 7})
        clock.now += 100 * 86_400
        state.delete_expired()
        assert (state.stored_answer(number), state.reply_to(1, 2)) == (None, None)
        assert state.store_updates([{"update_id": 7}, {"update_id": 8}]) == [{"update_id": 7}]


def test_a_vote_counts_once_and_can_be_changed(path: Path, clock: Clock) -> None:
    with StateDatabase(path, clock) as state:
        number = state.store_answer("s", QUOTES, answered=True, question="Who?")
        assert [state.vote(number, 1, 42, good=good) for good in (True, True, False)] == [True, False, True]
        assert state.vote(number, 1, 43, good=True)
        counted = [Vote(good, clock.now, "s", "bees", "c2", 3, 20, "Who?") for good in (False, True)]
        assert sorted(state.votes(), key=lambda vote: vote.good) == counted
        with pytest.raises(KeyError):
            state.vote(number, 2, 42, good=True)


def test_a_person_is_deleted_on_request_and_votes_name_nobody(path: Path) -> None:
    with StateDatabase(path) as state:
        number = state.store_answer("s", QUOTES, answered=True)
        state.vote(number, 0, 987_654_321, good=True)
        state.set_language(987_654_321, "ar")
        state.subscribe(Subscriber(987_654_321, 0, "ar"))
        voters = [voter for (voter,) in state._db.execute("SELECT voter FROM votes")]
        assert "987654321" not in voters[0]
        assert state.language(987_654_321) == "ar"
        state.delete_person(987_654_321)
        assert (state.votes(), state.language(987_654_321), state.count_subscribers()) == ([], None, 0)


def test_subscribers_are_notified_once_of_each_news(path: Path) -> None:
    ada, topic = Subscriber(1, 0, "en"), Subscriber(-100, 5, "ar")
    with StateDatabase(path) as state:
        assert [state.subscribe(ada), state.subscribe(ada), state.subscribe(topic)] == [True, False, True]
        state.record_articles(["a", "b"], "s1")
        assert (state.latest_news(), state.unnotified()) == (("", []), [])
        state.record_articles(["a", "b", "c"], "s2")
        assert (state.latest_news(), state.unnotified()) == (("s2", ["c"]), [topic, ada])
        state.mark_notified(ada)
        state.record_articles(["c"], "s3")
        assert (state.latest_news(), state.unnotified()) == (("s2", ["c"]), [topic])


def test_a_new_subscriber_is_not_notified_of_old_articles(path: Path) -> None:
    with StateDatabase(path) as state:
        state.record_articles(["a"], "s1")
        state.record_articles(["b"], "s2")
        state.subscribe(Subscriber(1, 0, "en"))
        assert state.unnotified() == []


def test_a_subscription_moves_with_its_group_and_ends_on_request(path: Path) -> None:
    with StateDatabase(path) as state:
        state.subscribe(Subscriber(-100, 5, "ar"))
        state.subscribe(Subscriber(1, 0, "en"))
        state.move_chat(-100, -200)
        assert [state.unsubscribe(-100), state.unsubscribe(-200), state.unsubscribe(-200)] == [False, True, False]
        assert [state.unsubscribe(1, 5), state.unsubscribe(1, 0)] == [False, True]


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(OSError, match=r"state\.db cannot be used"):
        StateDatabase(path)


def test_confirmed_updates_can_be_deleted_and_arrive_again(tmp_path: Path) -> None:
    updates = [{"update_id": number, "message": {"text": str(number)}} for number in (1, 2, 3)]
    with StateDatabase(tmp_path / "state.db") as state:
        state.store_updates(updates)
        for update in updates[:2]:
            state.mark_handled(update)
        state.confirm_updates(2)
        assert state.store_updates(updates) == []
    with StateDatabase(tmp_path / "state.db") as state:
        state.delete_confirmed()
        assert state.unhandled_updates() == updates[2:]
        assert state.store_updates(updates) == updates[:1]
