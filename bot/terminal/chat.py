"""A conversation in the terminal, over the streams it is given.

On a terminal: a prompt with history and editing, highlights in colour. Otherwise plain lines in and out, without a
prompt and without colour codes, so that it can be scripted.
"""

from __future__ import annotations

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


class Newsroom(Protocol):
    """What a conversation is held with."""

    def answer(self, query: Query) -> Answer:
        """Answer a question, or decline."""

    def articles(self) -> Sequence[Article]:
        """The articles there are, in the order to list them."""


class Screen:
    """Prints what was rendered, styled on a terminal and plain elsewhere; its words can never steer the terminal."""

    def __init__(self, stream: TextIO, *, styled: bool | None = None) -> None:
        self._stream = stream
        self.styled = stream.isatty() if styled is None else styled

    def show(self, rich: Rich) -> None:
        """Print and flush, with a line end."""
        if self.styled:
            self._console().print(rich_text.terminal(rich))
        else:
            self._stream.write(rich_text.printable(rich.text) + "\n")
        self._stream.flush()

    def wait(self, text: str) -> AbstractContextManager[object]:
        """A line that is there while the context is open; nothing where the output is plain."""
        return self._console().status(text) if self.styled else nullcontext()

    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self._stream, force_terminal=True, highlight=False, markup=False, emoji=False)


def converse(
    load: Callable[[], Newsroom],
    *,
    stdin: TextIO,
    stdout: TextIO,
    history: Path | None = None,
    language: Language | None = None,
    keys: Input | None = None,
    display: Output | None = None,
) -> None:
    """Talk until the person leaves or the input ends.

    `load` runs at once, beside the prompt, and may take its time. `history` is the file that remembers what was typed,
    made private to its owner. `language` is the one of the person's terminal, where known: it is spoken until the
    person has said something. `keys` and `display` stand
    in for the terminal's.

    Raises:
        Exception: whatever `load` raised, when its result is first needed.
    """
    interactive = stdin.isatty() and stdout.isatty()
    screen = Screen(stdout, styled=interactive)
    lines = _typed(history, screen, language, keys, display) if interactive else _read(stdin)
    executor = ThreadPoolExecutor(1, "load")
    try:
        _Conversation(executor.submit(load), screen, DialogueState(heard=language or Language.EN)).run(lines)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


class _Conversation:
    def __init__(self, newsroom: Future[Newsroom], screen: Screen, state: DialogueState) -> None:
        self._newsroom = newsroom
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
            newsroom = self._opened()
            try:
                answer = newsroom.answer(turn.query)
            except RetrievalError as exc:
                return exc
            self._state, turn = resolve(state, turn, answer)
        return turn

    def _opened(self) -> Newsroom:
        if self._newsroom.done():
            return self._newsroom.result()
        with self._screen.wait(say(Phrase.LOADING, self._state.language)):
            return self._newsroom.result()

    def _show(self, reply: Reply | RetrievalError) -> None:
        if isinstance(reply, RetrievalError):
            shown = Rich(say(Phrase.FAILED, self._state.language, reason=str(reply)))
        elif isinstance(reply, Browse):
            shown = _page(self._opened().articles(), reply)
        else:
            shown = rendering.reply(reply, look=QuoteLook.MARKS, commands=COMMANDS)
        self._screen.show(shown + Rich("" if isinstance(reply, Leave) else "\n"))


def _page(articles: Sequence[Article], browse: Browse) -> Rich:
    first = (browse.page - 1) * ARTICLES_PER_PAGE
    listed = rendering.articles(articles, browse.language, first=first, count=ARTICLES_PER_PAGE)
    if first + ARTICLES_PER_PAGE >= len(articles):
        return listed
    return rich_text.joined([listed, Rich(say(Phrase.ARTICLES_NEXT, browse.language, page=browse.page + 1))], "\n")


def _read(stdin: TextIO) -> Iterator[str]:
    if isinstance(stdin, TextIOWrapper):
        stdin.reconfigure(encoding="utf-8", errors="replace")
    yield from stdin


def _typed(
    history: Path | None, screen: Screen, language: Language | None, keys: Input | None, display: Output | None
) -> Iterator[str]:
    """The lines a person types; Ctrl-C drops one, twice in a row with nothing typed or Ctrl-D ends them."""
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

    class Remembered(FileHistory):
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
    return Remembered(path)
