"""Every fixed sentence a user can see: named here, worded for each language in `catalogues/`.

Add a phrase by naming it in `Phrase` and wording it in every catalogue; a test holds the catalogues to the same names
and placeholders.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum, auto

from bot.conversation.languages import Language, catalogue, number, plural

# Unicode UAX #9: first strong isolate, pop directional isolate, left-to-right mark, right-to-left mark
FSI, PDI, LRM, RLM = "\u2068", "\u2069", "\u200e", "\u200f"


class Phrase(StrEnum):
    """The name of each sentence."""

    GREETING = auto()
    HOW_ARE_YOU = auto()
    THANKS = auto()
    GLAD = auto()
    GOODBYE = auto()
    ABILITIES = auto()
    SORRY = auto()
    HELP = auto()
    COMMANDS = auto()
    COMMAND_HELP = auto()
    COMMAND_MORE = auto()
    COMMAND_CONTEXT = auto()
    COMMAND_ARTICLES = auto()
    COMMAND_WHY = auto()
    COMMAND_LANGUAGE = auto()
    COMMAND_QUIT = auto()
    UNKNOWN_COMMAND = auto()
    LANGUAGE_SET = auto()
    LANGUAGE_WHICH = auto()
    LANGUAGE_HOW = auto()
    LANGUAGE_NAME = auto()
    EMPTY = auto()
    WORDLESS = auto()
    ONLY_EXCLUDED = auto()
    TOO_LONG = auto()
    NOT_FOUND = auto()
    MAY_ANSWER = auto()
    NEAREST = auto()
    NEAREST_SEVERAL = auto()
    NO_MORE = auto()
    ASK_FIRST = auto()
    TOO_LONG_TO_SHOW = auto()
    NO_ARTICLES = auto()
    ARTICLE_COUNT = auto()
    PASSAGE_COUNT = auto()
    ARTICLES_NEXT = auto()
    NO_SUCH_PAGE = auto()
    ALSO_IN = auto()
    WELCOME = auto()
    WHY_ANSWERED = auto()
    WHY_UNSURE = auto()
    WHY_DECLINED = auto()
    WHY_NOTHING = auto()
    LOADING = auto()
    INTERRUPTED = auto()
    FAILED = auto()
    COMMAND_ASK = auto()
    COMMAND_LATEST = auto()
    COMMAND_SINCE = auto()
    COMMAND_SUBSCRIBE = auto()
    COMMAND_UNSUBSCRIBE = auto()
    COMMAND_PRIVACY = auto()
    COMMAND_ADD = auto()
    COMMAND_REMOVE = auto()
    COMMAND_REBUILD = auto()
    COMMAND_STATUS = auto()
    COMMAND_FEEDBACK = auto()
    BUTTON_MORE = auto()
    BUTTON_WIDER = auto()
    BUTTON_NARROWER = auto()
    BUTTON_SHARE = auto()
    BUTTON_SHARE_ARTICLE = auto()
    BUTTON_OPEN = auto()
    BUTTON_LIST = auto()
    BUTTON_UNDO = auto()
    BUTTON_FORGET = auto()
    BUTTON_REMOVE = auto()
    BUTTON_KEEP = auto()
    OUTDATED = auto()
    VOTE_COUNTED = auto()
    SLOW_DOWN = auto()
    TOO_SLOW = auto()
    WENT_WRONG = auto()
    NOT_TEXT = auto()
    NOT_ADMIN = auto()
    SINCE_HOW = auto()
    SINCE_DAY = auto()
    NOTHING_SINCE = auto()
    SUBSCRIBED = auto()
    UNSUBSCRIBED = auto()
    NEW_ARTICLES = auto()
    ARTICLE_UNKNOWN = auto()
    PRIVACY = auto()
    PRIVACY_QUESTIONS = auto()
    FORGOTTEN = auto()
    INLINE_ASK_ME = auto()
    INLINE_EMPTY = auto()
    ADD_HOW = auto()
    ADD_READING = auto()
    ADD_TOO_BIG = auto()
    REMOVE_HOW = auto()
    REMOVE_SURE = auto()
    OUTCOME_ADDED = auto()
    OUTCOME_REPLACED = auto()
    OUTCOME_SKIPPED = auto()
    OUTCOME_REFUSED = auto()
    OUTCOME_REMOVED = auto()
    OUTCOME_RESTORED = auto()
    EDIT_FAILED = auto()
    REBUILDING = auto()
    REBUILT = auto()
    STATUS = auto()
    FEEDBACK = auto()
    EVIDENCE_QUOTE = auto()
    EVIDENCE_SCORE = auto()
    EVIDENCE_LEAD = auto()
    EVIDENCE_DENSE_RANK = auto()
    EVIDENCE_LEXICAL_RANK = auto()
    EVIDENCE_RERANKER = auto()
    EVIDENCE_READ = auto()
    EVIDENCE_WORDS = auto()
    EVIDENCE_AROUND = auto()
    EVIDENCE_PASSAGE_WORDS = auto()
    EVIDENCE_ARTICLE_WORDS = auto()
    EVIDENCE_BEST_PASSAGE_WORDS = auto()
    EVIDENCE_EXACT = auto()
    EVIDENCE_PASSAGE_EXACT = auto()
    EVIDENCE_COSINE = auto()
    EVIDENCE_PASSAGE_COSINE = auto()
    EVIDENCE_BEST_COSINE = auto()
    EVIDENCE_BM25 = auto()
    EVIDENCE_WEAKEST = auto()
    EVIDENCE_AROUND_UNMET = auto()
    EVIDENCE_UNMET = auto()
    EVIDENCE_ARTICLE_UNMET = auto()
    EVIDENCE_ABSENT = auto()
    EVIDENCE_KIND = auto()
    EVIDENCE_LACKS = auto()
    EVIDENCE_HEADING = auto()
    EVIDENCE_LENGTH = auto()
    EVIDENCE_RESPELT = auto()
    EVIDENCE_UNKNOWN = auto()
    EVIDENCE_ALONE = auto()
    EVIDENCE_NUMBER = auto()
    EVIDENCE_MONEY = auto()
    EVIDENCE_SHARE = auto()
    EVIDENCE_DURATION = auto()
    EVIDENCE_DATE = auto()
    EVIDENCE_PERSON = auto()
    EVIDENCE_PLACE = auto()
    EVIDENCE_NAME = auto()
    EVIDENCE_OPEN = auto()


_COMMAND = re.compile(r"(?<!\S)/[a-z]+(?: (?:[a-z]{2}|forget)\b| \{page\}| \d{4}-\d\d-\d\d)?")


def say(phrase: Phrase, language: Language, **values: str | int) -> str:
    """The sentence with its placeholders filled.

    Whole numbers are written as `language` writes them, except `page`, which people type back. Values that run in the
    other direction than the sentence are isolated, so that what follows them keeps its place.

    Raises:
        KeyError: a placeholder without a value.
    """
    template = catalogue(language).phrases[phrase]
    if not isinstance(template, str):
        count = values["count"]
        assert isinstance(count, int)
        template = template[plural(count, language)]
    if language.right_to_left:  # a command's slash, or the day after it, would move to its other end
        template = _COMMAND.sub(lambda match: f"{FSI}{match.group()}{PDI}", template)
    return template.format_map({name: _filling(name, value, language) for name, value in values.items()})


def _filling(name: str, value: str | int, language: Language) -> str:
    if isinstance(value, int):
        return str(value) if name == "page" else number(value, language)
    against = {"L"} if language.right_to_left else {"R", "AL"}
    foreign = any(unicodedata.bidirectional(ch) in against for ch in value)
    return f"{FSI}{value}{PDI}" if foreign else value
