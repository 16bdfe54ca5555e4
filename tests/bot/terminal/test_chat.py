from __future__ import annotations

import io
import json
import logging
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.conversation.languages import Language
from bot.conversation.rich_text import Rich, Style, Styled
from bot.terminal import chat
from bot.terminal.chat import ChatBackend, Screen, run_chat
from corpus.article import Article
from retrieval.errors import QuestionError, SnapshotCorrupt
from retrieval.results import Answer, Query
from tests.bot.answers import FIRST, LAST, SECOND, TEXT, THIRD, TITLE, answer, article, quote

SOURCE = f"{TITLE} · Times Kuwait"
WELCOME = "Ask about the articles. /help for commands, /quit to leave.\n"
INTERRUPTED = "(Ctrl-C again or Ctrl-D to leave)\n"


class PreparedBackend:
    """Answers known questions from a list and remembers what it was asked."""

    def __init__(self, known: Sequence[Article] | None = None) -> None:
        self.known = [article()] if known is None else known
        self.asked: list[Query] = []

    def answer(self, query: Query) -> Answer:
        self.asked.append(query)
        kuwait = article()
        if "tier" in query.text:
            return answer(
                quote(kuwait, f"{FIRST} {SECOND}", FIRST, cosine=0.71), quote(kuwait, THIRD, THIRD), quote(kuwait, LAST)
            )
        if "broken" in query.text:
            raise QuestionError("the question cannot be read")
        return answer(quote(kuwait, LAST, LAST), answered=False, confidence=0.1)

    def articles(self) -> Sequence[Article]:
        return self.known


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_each_line_gets_a_json_object_on_a_line() -> None:
    out = io.StringIO()
    lines = "hello\nWhich tier?\n/more\nsomething broken\nWho?\n"
    run_chat(PreparedBackend, stdin=io.StringIO(lines), stdout=out, as_json=True, language=Language.EN)
    replies = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [reply["kind"] for reply in replies] == ["talk", "answer", "talk", "talk", "declined"]
    assert replies[1]["quotes"][0]["text"] == f"{FIRST} {SECOND}"
    assert replies[1]["text"].startswith(f'"{FIRST} {SECOND}"')
    assert replies[3]["text"].endswith("the question cannot be read")


def transcript(*lines: str, backend: ChatBackend | None = None) -> str:
    out = io.StringIO()
    there = backend or PreparedBackend()
    run_chat(lambda: there, stdin=io.StringIO("".join(f"{line}\n" for line in lines)), stdout=out)
    return out.getvalue()


def test_a_scripted_conversation_is_plain_lines_without_prompts() -> None:
    assert transcript(
        "hello", "Which tier is Kuwait in?", "/more", "/more", "/context", "Who is the emir?", "/articles", "/quit", "x"
    ) == (
        "Hi! I've read a collection of news articles. Ask me something, and I'll answer with exact quotes, or tell you "
        "if they don't say.\n\n"
        f'"{FIRST} {SECOND}"\n{SOURCE}\n\n'
        f'"{THIRD}"\n{SOURCE}\n\n"{LAST}"\n{SOURCE}\n\n'
        "That's all I found.\n\n"
        f'"{TEXT}"\n{SOURCE}\n\n'
        f"I didn't find an answer to that in the articles. Closest passage:\n\n"
        f'"{LAST}"\n{SOURCE}\n\n'
        f"1 article\n1. {SOURCE}\n\n"
        "Goodbye!\n"
    )


def test_why_shows_the_evidence_and_help_the_commands() -> None:
    assert transcript("Which tier is Kuwait in?", "/why", "/help") == (
        f'"{FIRST} {SECOND}"\n{SOURCE}\n\n'
        "I'm 90% sure the first quote answers this.\n\n"
        "quote       1     2     3\n"
        "meaning  0.71     –     –\n"
        "score    0.50  0.50  0.50\n\n"
        "Ask a question in your own words, and I'll answer with exact quotes from the articles. You can also use:\n"
        "/more – next passage\n"
        "/context – more text around the quote\n"
        "/articles – browse all articles\n"
        "/why – why I chose this passage\n"
        "/language – English or العربية\n"
        "/help – list the commands\n"
        "/quit – leave\n\n"
    )


def test_a_follow_up_carries_the_question_before() -> None:
    backend = PreparedBackend()
    transcript("Which tier is Kuwait in?", "and since when?", "Who is Alina Romanowski?", backend=backend)
    assert [(query.text, query.context) for query in backend.asked] == [
        ("Which tier is Kuwait in?", ()),
        ("and since when?", ("Which tier is Kuwait in?",)),
        ("Who is Alina Romanowski?", ()),
    ]


def test_an_arabic_question_is_declined_in_arabic_around_an_english_quote() -> None:
    assert transcript("من هو الأمير؟") == (f'لم أجد في المقالات جوابًا عن ذلك. أقرب مقطع:\n\n"{LAST}"\n{SOURCE}\n\n')


def test_an_error_is_reported_and_the_chat_goes_on() -> None:
    assert transcript("this is broken", "bye") == ("I couldn't look that up: the question cannot be read\n\nGoodbye!\n")


def test_control_characters_never_reach_the_output() -> None:
    class Hostile(PreparedBackend):
        def answer(self, query: Query) -> Answer:  # noqa: ARG002
            evil = article("Red \x1b[31malert\x1b[0m and \x9b2J a bell\x07.", "A \x1b]0;title\x07", source="\x1bZ")
            return answer(quote(evil, evil.text))

    assert transcript("tier", "/\x1b[2Jboo", backend=Hostile()) == (
        '"Red alert and 2J a bell."\nA ]0;title · Z\n\nI don\'t know /boo. See /help for what I can do.\n\n'
    )


def test_articles_come_in_pages() -> None:
    backend = PreparedBackend([article(title=f"Story {n}", source=None) for n in range(1, 23)])
    assert transcript("/articles", "/articles 2", "/articles 3", backend=backend) == (
        "22 articles\n" + "".join(f"{n}. Story {n}\n" for n in range(1, 21)) + "More: /articles 2\n\n"
        "22 articles\n21. Story 21\n22. Story 22\n\n"
        "There's no page 3. /articles starts from the first page.\n\n"
    )


def test_bytes_that_are_not_utf_8_are_read_as_replacement_characters() -> None:
    backend = PreparedBackend()
    stdin = io.TextIOWrapper(io.BytesIO(b"which tier\xff?\n"), encoding="ascii")
    run_chat(lambda: backend, stdin=stdin, stdout=io.StringIO())
    assert [query.text for query in backend.asked] == ["which tier\ufffd?"]


def test_small_talk_needs_nothing_loaded_and_a_question_raises_the_loading_error() -> None:
    def fails() -> ChatBackend:
        raise SnapshotCorrupt("the index is damaged; run: newsquote index build")

    out = io.StringIO()
    with pytest.raises(SnapshotCorrupt, match="the index is damaged"):
        run_chat(fails, stdin=io.StringIO("thanks\nWhich tier?\n"), stdout=out)
    assert out.getvalue() == "You're welcome! Feel free to ask me more.\n\n"


def on_a_terminal(typed: str, load: Callable[[], ChatBackend] = PreparedBackend, history: Path | None = None) -> str:
    """What is printed while somebody types `typed`, all at once."""
    out = Terminal()
    with create_pipe_input() as keys:
        keys.send_text(typed)
        run_chat(load, stdin=Terminal(), stdout=out, history=history, keys=keys, display=DummyOutput())
    return out.getvalue()


CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


def test_on_a_terminal_the_best_sentence_stands_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert on_a_terminal(f"which tier\r{CTRL_D}") == (
        f'\x1b[2m{WELCOME.strip()}\x1b[0m\n"\x1b[1;32m{FIRST}\x1b[0m {SECOND}"\n\x1b[2m{SOURCE}\x1b[0m\n\n'
    )


def test_no_color_leaves_the_best_sentence_bold_and_colours_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    assert on_a_terminal(f"which tier\r{CTRL_D}") == (
        f'\x1b[2m{WELCOME.strip()}\x1b[0m\n"\x1b[1m{FIRST}\x1b[0m {SECOND}"\n\x1b[2m{SOURCE}\x1b[0m\n\n'
    )


@pytest.fixture
def dumb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("dumb")
@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        pytest.param(CTRL_D, "", id="ctrl-d leaves"),
        pytest.param(CTRL_C + CTRL_C, INTERRUPTED, id="ctrl-c twice leaves"),
        pytest.param(
            f"half a quest{CTRL_C}thanks\r{CTRL_C}{CTRL_D}",
            f"{INTERRUPTED}You're welcome! Feel free to ask me more.\n\n{INTERRUPTED}",
            id="ctrl-c drops the line",
        ),
        pytest.param(
            f"{CTRL_C}half a quest{CTRL_C}thanks\r{CTRL_D}",
            f"{INTERRUPTED}{INTERRUPTED}You're welcome! Feel free to ask me more.\n\n",
            id="ctrl-c drops a line begun after another ctrl-c",
        ),
        pytest.param("/quit\r", "Goodbye!\n", id="quit"),
    ],
)
def test_leaving(typed: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert on_a_terminal(typed) == WELCOME + printed
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("dumb")
def test_history_is_private_and_comes_back(tmp_path: Path) -> None:
    history = tmp_path / "new" / "history"
    on_a_terminal(f"thanks\r{CTRL_D}", history=history)
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert on_a_terminal(f"{UP}\r{CTRL_D}", history=history) == (
        f"{WELCOME}You're welcome! Feel free to ask me more.\n\n"
    )


@pytest.mark.usefixtures("dumb")
def test_a_history_open_to_others_is_closed(tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.write_text("")
    history.chmod(0o644)
    on_a_terminal(CTRL_D, history=history)
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.usefixtures("dumb")
def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    caplog.set_level(logging.WARNING)
    assert on_a_terminal(f"thanks\r{CTRL_D}", history=tmp_path / "file" / "new" / "history").startswith(WELCOME)
    assert [record.getMessage() for record in caplog.records] == [
        f"what you type will not be remembered: {tmp_path}/file/new/history: Not a directory"
    ]


@pytest.mark.usefixtures("dumb")
def test_loading_runs_while_a_person_types() -> None:
    typing = threading.Event()

    def load() -> ChatBackend:
        assert typing.wait(10)
        return PreparedBackend()

    class Keen(Terminal):
        def write(self, text: str) -> int:
            if "welcome" in text:  # the reply to "thanks", given before anything was loaded
                typing.set()
            return super().write(text)

    out = Keen()
    with create_pipe_input() as keys:
        keys.send_text(f"thanks\rwhich tier\r{CTRL_D}")
        run_chat(load, stdin=Terminal(), stdout=out, keys=keys, display=DummyOutput())
    assert " ".join(out.getvalue().split()).endswith(f'more. "{FIRST} {SECOND}" {SOURCE}')


def test_a_question_asked_while_loading_shows_a_wait_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    told = threading.Event()

    def load() -> ChatBackend:
        assert told.wait(10)
        return PreparedBackend()

    class Watched(Terminal):
        def write(self, text: str) -> int:
            if "One moment, opening the articles ..." in text:
                told.set()
            return super().write(text)

    out = Watched()
    with create_pipe_input() as keys:
        keys.send_text(f"which tier\r{CTRL_D}")
        run_chat(load, stdin=Terminal(), stdout=out, keys=keys, display=DummyOutput())
    assert FIRST in out.getvalue()


@pytest.mark.usefixtures("dumb")
def test_ctrl_c_during_an_answer_gives_the_prompt_back() -> None:
    class Slow(PreparedBackend):
        def answer(self, query: Query) -> Answer:
            if "slow" in query.text:
                raise KeyboardInterrupt
            return super().answer(query)

    printed = on_a_terminal(f"slow question\rwhich tier\r{CTRL_D}", Slow)
    assert " ".join(printed.split()) == f'{WELCOME.strip()} "{FIRST} {SECOND}" {SOURCE}'


def test_ctrl_c_during_a_scripted_answer_stops() -> None:
    class Slow(PreparedBackend):
        def answer(self, query: Query) -> Answer:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcript("slow question", backend=Slow())


@pytest.mark.usefixtures("dumb")
def test_a_lone_surrogate_does_not_break_the_history(tmp_path: Path) -> None:
    remembered = chat._history(tmp_path / "history")
    remembered.store_string("caf\udce9?")
    assert list(remembered.load_history_strings()) == ["caf?"]


def test_a_plain_screen_prints_text_only() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.show(Rich("bold", (Styled(0, 4, Style.BOLD),)))
    with screen.wait("never shown"):
        pass
    assert out.getvalue() == "bold\n"


def test_the_terminals_language_is_used_until_the_person_writes() -> None:
    out = io.StringIO()
    run_chat(PreparedBackend, stdin=io.StringIO("/more\nhello\n/more\n"), stdout=out, language=Language.AR)
    assert out.getvalue() == (
        "اسألني سؤالًا أولًا.\n\n"
        "Hi! I've read a collection of news articles. Ask me something, and I'll answer with exact quotes, or tell you "
        "if they don't say.\n\n"
        "Ask me a question first.\n\n"
    )


def test_importing_the_chat_loads_nothing_heavy() -> None:
    heavy = "{'prompt_toolkit', 'rich', 'numpy', 'faiss', 'tantivy', 'onnxruntime', 'telegram', 'torch'}"
    code = f"import sys, bot.terminal.chat; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
