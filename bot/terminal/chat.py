"""A conversation in the terminal, over the streams it is given.

On a terminal: a prompt with history and editing, highlights in colour. Otherwise plain lines in and out, without a
prompt and without colour codes, so that it can be scripted.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from bot.conversation import rendering, rich_text
from bot.conversation.dialogue import Ask, Browse, DialogueState, Leave, Reply, resolve, step
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rendering import QuoteLook
from bot.conversation.rich_text import Rich, Style
from bot.terminal.answer_records import turn_record
from corpus.article import Article
from retrieval.errors import RetrievalError
from retrieval.results import Answer, Query

if TYPE_CHECKING:
    from prompt_toolkit.history import History
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output
    from rich.console import Console

log = logging.getLogger(__name__)

COMMANDS = ("more", "context", "articles", "why", "language", "help", "quit")
ARTICLES_PER_PAGE = 20


class ChatBackend(Protocol):
    """What a chat needs: answers and the list of articles."""

    def answer(self, query: Query) -> Answer:
        """Answer a question, or decline."""

    def articles(self) -> Sequence[Article]:
        """All articles, in the order to list them."""


class Screen:
    """Prints rendered text, styled on a terminal and plain elsewhere; control characters never reach the terminal."""

    def __init__(self, stream: TextIO, *, styled: bool | None = None) -> None:
        self._stream = stream
        self.styled = stream.isatty() if styled is None else styled

    def show_turn(self, turn: Reply | None, rich: Rich) -> None:
        """Print what is said in a conversation, an empty line behind it unless it ends; None is what went wrong."""
        self.show(rich + Rich("" if isinstance(turn, Leave) else "\n"))

    def show(self, rich: Rich) -> None:
        """Print with a newline, and flush."""
        if self.styled:
            self._console().print(rich_text.terminal(rich))
        else:
            self._stream.write(rich_text.printable(rich.text) + "\n")
        self._stream.flush()

    def wait(self, text: str) -> AbstractContextManager[object]:
        """Show a line while the context is open; nothing on plain output."""
        return self._console().status(text) if self.styled else nullcontext()

    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self._stream, force_terminal=True, highlight=False, markup=False, emoji=False)


class JsonScreen(Screen):
    """Prints each turn of a conversation as a JSON object on one line, as `turn_record` has it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, styled=False)

    def show_turn(self, turn: Reply | None, rich: Rich) -> None:
        """Print the turn's record."""
        self._stream.write(json.dumps(turn_record(turn, rich_text.printable(rich.text)), ensure_ascii=False) + "\n")
        self._stream.flush()


def run_chat(
    load: Callable[[], ChatBackend],
    *,
    stdin: TextIO,
    stdout: TextIO,
    as_json: bool = False,
    history: Path | None = None,
    language: Language | None = None,
    keys: Input | None = None,
    display: Output | None = None,
) -> None:
    """Chat until the person leaves or the input ends.

    `load` runs in the background while the prompt is shown, and may be slow. With `as_json`
    plain lines are read and each reply is a JSON object. `history` is the file that keeps what was
    typed, readable by its owner only. `language` is the terminal's, if known; it is used until the person has written
    something. `keys` and `display` replace the terminal's input and output in tests.

    Raises:
        Exception: whatever `load` raised, when its result is first needed.
    """
    interactive = stdin.isatty() and stdout.isatty() and not as_json
    screen = JsonScreen(stdout) if as_json else Screen(stdout, styled=interactive)
    lines = _prompted_lines(history, screen, language, keys, display) if interactive else _piped_lines(stdin)
    executor = ThreadPoolExecutor(1, "load")
    try:
        _Conversation(executor.submit(load), screen, DialogueState(heard=language or Language.EN)).run(lines)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


class _Conversation:
    def __init__(self, backend: Future[ChatBackend], screen: Screen, state: DialogueState) -> None:
        self._backend = backend
        self._screen = screen
        self._state = state

    def run(self, lines: Iterator[str]) -> None:
        for line in lines:
            try:
                reply = self._reply(line)
            except KeyboardInterrupt:
                if not self._screen.styled:
                    raise
                continue
            self._show(reply)
            if isinstance(reply, Leave):
                return

    def _reply(self, line: str) -> Reply | RetrievalError:
        state, turn = step(self._state, line)
        self._state = state
        if isinstance(turn, Ask):
            backend = self._loaded()
            try:
                answer = backend.answer(turn.query)
            except RetrievalError as exc:
                return exc
            self._state, turn = resolve(state, turn, answer)
        return turn

    def _loaded(self) -> ChatBackend:
        if self._backend.done():
            return self._backend.result()
        with self._screen.wait(say(Phrase.LOADING, self._state.language)):
            return self._backend.result()

    def _show(self, reply: Reply | RetrievalError) -> None:
        if isinstance(reply, RetrievalError):
            failed = Rich(say(Phrase.FAILED, self._state.language, reason=str(reply)))
            self._screen.show_turn(None, failed)
        elif isinstance(reply, Browse):
            self._screen.show_turn(reply, _page(self._loaded().articles(), reply))
        else:
            self._screen.show_turn(reply, rendering.reply(reply, look=QuoteLook.MARKS, commands=COMMANDS))


def _page(articles: Sequence[Article], browse: Browse) -> Rich:
    first = (browse.page - 1) * ARTICLES_PER_PAGE
    listed = rendering.articles(articles, browse.language, first=first, count=ARTICLES_PER_PAGE)
    if first + ARTICLES_PER_PAGE >= len(articles):
        return listed
    return rich_text.joined([listed, Rich(say(Phrase.ARTICLES_NEXT, browse.language, page=browse.page + 1))], "\n")


def _piped_lines(stdin: TextIO) -> Iterator[str]:
    if isinstance(stdin, TextIOWrapper):
        stdin.reconfigure(encoding="utf-8", errors="replace")
    yield from stdin


def _prompted_lines(
    history: Path | None, screen: Screen, language: Language | None, keys: Input | None, display: Output | None
) -> Iterator[str]:
    """The lines a person types. Ctrl-C drops a line; Ctrl-C twice on an empty line or Ctrl-D ends the chat."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    speaks = language or Language.EN
    session: PromptSession[str] = PromptSession(
        history=_history(history),
        completer=WordCompleter([f"/{name}" for name in COMMANDS], sentence=True),
        complete_while_typing=False,
        input=keys,
        output=display,
    )
    screen.show(Rich(say(Phrase.WELCOME, speaks)).styled(Style.DIM))
    interrupted = False
    while True:
        try:
            line = session.prompt("> ")
        except KeyboardInterrupt:
            if interrupted and not session.default_buffer.text:
                return
            interrupted = True
            screen.show(Rich(say(Phrase.INTERRUPTED, speaks)).styled(Style.DIM))
        except EOFError:
            return
        else:
            interrupted = False
            yield line


def _history(path: Path | None) -> History:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class PrintableHistory(FileHistory):
        def store_string(self, string: str) -> None:
            super().store_string(rich_text.printable(string))  # a lone surrogate cannot be written

    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        path.chmod(0o600)
    except OSError as exc:
        log.warning("what you type will not be remembered: %s: %s", path, exc.strerror)
        return InMemoryHistory()
    return PrintableHistory(path)
