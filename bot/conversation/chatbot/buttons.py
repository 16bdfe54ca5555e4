"""What a tap on a button does."""

from __future__ import annotations

from bot.conversation import cards
from bot.conversation.cards import CallbackData, Card
from bot.conversation.chatbot.admin_commands import AdminCommands
from bot.conversation.chatbot.commands import Commands
from bot.conversation.chatbot.session import MessageOrigin, Session
from bot.conversation.languages import Language
from bot.conversation.phrases import Phrase, say
from bot.conversation.rich_text import Rich


class Buttons:
    """Handles taps."""

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands

    async def press(
        self, press: CallbackData | None, origin: MessageOrigin, admin: AdminCommands | None
    ) -> Card | str | None:
        """The card that replaces the message, or a note for whoever tapped; None where there is nothing to do.

        `admin` is given where an admin tapped.
        """
        language = self._session.language_of(origin.person, origin.client)
        if press is None:
            return say(Phrase.OUTDATED, language)
        match press.what:
            case cards.SAME:
                return None
            case cards.GOOD | cards.BAD:
                return self._voted(press, origin.person, language)
            case cards.LANGUAGE if press.place < len(Language):
                chosen = list(Language)[press.place]
                self._session.store.set_language(origin.person, chosen)
                return Card(Rich(say(Phrase.LANGUAGE_SET, chosen)))
            case cards.FORGET:
                return self._commands.forget(origin, language)
            case cards.UNDO | cards.REMOVE | cards.DROP if admin is not None:
                card = await admin.edited(press, language)
            case _:
                card = await self._session.opened(press, language, admin=admin is not None and origin.private)
        return card or say(Phrase.OUTDATED, language)

    def _voted(self, press: CallbackData, person: int, language: Language) -> str:
        try:
            self._session.store.vote(press.number, press.place, person, good=press.what == cards.GOOD)
        except KeyError:
            return say(Phrase.OUTDATED, language)
        return say(Phrase.VOTE_COUNTED, language)
