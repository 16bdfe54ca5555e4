"""The type of answer a question asks for, and which words of a text could be of that type.

Rules on the surface of English and Arabic words. They give one feature among others for choosing a sentence and never
rule one out. Arabic has no capitals, so names are not recognised there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntFlag, StrEnum

import numpy as np
from numpy.typing import NDArray

from retrieval.text.analysis import Word, folded_words, without_particles


class AnswerType(StrEnum):
    """The type of answer a question asks for; OPEN if the question does not tell."""

    NUMBER = "number"
    MONEY = "money"
    SHARE = "share"
    DURATION = "duration"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    NAME = "name"
    OPEN = "open"


class WordShape(IntFlag):
    """What a word looks like. LEADING is a capital that starts a sentence or a quotation, so it may not mark a name."""

    CAPITAL = 1
    LEADING = 2
    DIGITS = 4
    COUNT = 8
    MONEY = 16
    SHARE = 32
    YEAR = 64
    DAY = 128
    PERIOD = 256
    ARABIC = 512


def _word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTS = _word_set(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "million millions billion billions trillion dozen dozens half third quarter quarters thirds once twice double "
    "doubled triple tripled"
)
_MONEY = _word_set(
    "dollar dollars cent cents pound pounds euro euros pence yen yuan rupee rupees crown crowns usd bn franc francs "
    "peso pesos won"
)
_SHARES = _word_set("percent percentage")
_MONTHS = _word_set(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec"
)
_DAYS = _word_set(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun yesterday today "
    "tomorrow tonight"
)
_PERIODS = _word_set(
    "year years month months week weeks day days hour hours minute minutes second seconds decade decades century "
    "centuries spring summer autumn fall winter morning afternoon evening night noon midnight quarter half "
    "season weekend"
)
_ARABIC_COUNTS = _word_set(
    "واحد واحده اثنان اثنين ثلاث ثلاثه اربع اربعه خمس خمسه ست سته سبع سبعه ثمان ثماني ثمانيه تسع تسعه عشر عشره عشرون "
    "عشرين ثلاثون ثلاثين اربعون اربعين خمسون خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين ميه مايه مييتان الف "
    "الاف مليون مليونا ملايين مليار مليارات نصف ثلث ربع عشرات مئات الاولي الثانيه الثالثه الاول الثاني الثالث"
)
_ARABIC_MONEY = _word_set(
    "دولار دولارا دولارات دينار دينارا دنانير درهم درهما دراهم ريال ريالا ليره يورو جنيه جنيها قرش سنت"
)
_ARABIC_SHARES = _word_set("ميه مايه بالميه بالمايه")
_ARABIC_DATES = _word_set(
    "يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر شباط اذار نيسان ايار حزيران تموز اب "
    "ايلول تشرين احد اثنين ثلاثاء اربعاء خميس جمعه سبت امس غدا اليوم"
)
_ARABIC_PERIODS = _word_set(
    "عام عاما اعوام عامين سنه سنوات سنتين شهر شهرا اشهر شهرين اسبوع اسبوعا اسابيع يوم يوما ايام يومين ساعه ساعات "
    "ساعتين دقيقه دقائق دقايق ثانيه ثوان قرن قرنا عقد عقود صباح مساء ليل ليله فجر ظهر ربيع صيف خريف شتاء منتصف"
)
_SHAPE_WORDS = (
    (_COUNTS, WordShape.COUNT),
    (_MONEY, WordShape.MONEY),
    (_SHARES, WordShape.SHARE),
    (_DAYS, WordShape.DAY),
    (_PERIODS, WordShape.PERIOD),
)
_ARABIC_SHAPE_WORDS = (
    (_ARABIC_COUNTS, WordShape.COUNT),
    (_ARABIC_MONEY, WordShape.MONEY),
    (_ARABIC_SHARES, WordShape.SHARE),
    (_ARABIC_DATES, WordShape.DAY),
    (_ARABIC_PERIODS, WordShape.PERIOD),
)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_PER_CENT = re.compile(r"\s?[%٪]|[ -]?per ?cent")
_OPENING_QUOTES = "“\"'‘"

_ASKS_AMOUNT = re.compile(
    r"\bhow (?:many|much|old|long|far|big|tall|high|deep|wide|fast|heavy|often|large|small|few|strong)\b|\b(?:"
    r"percentage|proportion|share|price|cost|amount|rate|number|fee|fine|salary|score|speed|revenue|profit|valuation|"
    r"distance|age)\b"
)
_ASKS_DURATION = re.compile(r"\bhow (?:long|often)\b")
_ASKS_SHARE = re.compile(r"percent|proportion|share|rate")
_ASKS_MONEY = re.compile(
    r"\b(?:price|cost|fee|salary|revenue|profit|fine|pay|paid|worth|spend|earn|money|bond|valuation|budget)\b"
)
_ASKS_DATE = re.compile(
    r"\b(?:when|(?:what|which) (?:year|date|day|month)|what time|(?:until|since|by|from|on) (?:what|which|when)|date)\b"
)
_ASKS_PERSON = re.compile(r"\b(?:who|whose|whom)\b")
_ASKS_PLACE = re.compile(
    r"\b(?:where|(?:which|what) (?:city|country|town|state|place|province|park|street|county|village|island|nation|"
    r"region|institution|university|school|hospital|stadium))\b"
)
_ASKS_NAME = re.compile(
    r"\b(?:which|name|called|what (?:company|firm|team|agency|group|newspaper|channel|app|organi[sz]ation|party))\b"
)


_ARABIC_LETTER = re.compile("[\u0600-\u06ff]")
_ARABIC_PATTERNS = (
    (
        AnswerType.DURATION,
        r"كم (?:من الوقت|يوما|ساعه|شهرا|سنه|عاما|اسبوعا|دقيقه|دام|دامت|استمر|استمرت|استغرق|استغرقت|مده|بقي)|المده",
    ),
    (AnswerType.SHARE, r"نسبه|بالميه|في الميه|حصه"),
    (
        AnswerType.MONEY,
        r"(?:كم|بكم|ما|ماهي|ماهو)\b.*\b(?:سعر|ثمن|كلفه|تكلفه|كلف|كلفت|قيمه|راتب|دفع|دفعت|مبلغ|ميزانيه|غرامه|رسوم|جايزه|بيع|بيعت)",
    ),
    (AnswerType.NUMBER, r"(?:كم|بكم|عدد|درجه|سرعه|طول|ارتفاع|مساحه|وزن|عمر)"),
    (AnswerType.DATE, r"متي|منذ متي|(?:اي|ايه) (?:عام|سنه|يوم|شهر|تاريخ|موعد|قرن)|تاريخ|موعد"),
    (AnswerType.PLACE, r"اين|(?:اي|ايه) (?:مدينه|بلد|دوله|مكان|منطقه|قريه|ولايه|محافظه|جامعه|مدرسه|شارع|جزيره)"),
    (AnswerType.PERSON, r"(?:^|و)من(?! (?:اي|ايه|اين|خلال|بين|اجل))|من (?:هو|هي|هم|الذي|التي)|لمن|ممن"),
    (AnswerType.NAME, r"اسم|اسماء|يسمي|تسمي|يدعي|تدعي|(?:اي|ايه)"),
)
_ASKS_IN_ARABIC = tuple(
    (answer_type, re.compile(rf"(?:^|\s)(?:{pattern})(?=\s|$)")) for answer_type, pattern in _ARABIC_PATTERNS
)


def answer_type_of(question: str) -> AnswerType:
    """The type of answer that a question asks for."""
    if _ARABIC_LETTER.search(question):
        plain = " ".join(folded_words(question))
        return next((answer_type for answer_type, pattern in _ASKS_IN_ARABIC if pattern.search(plain)), AnswerType.OPEN)
    text = question.casefold()
    if _ASKS_AMOUNT.search(text):
        if _ASKS_DURATION.search(text):
            return AnswerType.DURATION
        if _ASKS_SHARE.search(text):
            return AnswerType.SHARE
        return AnswerType.MONEY if _ASKS_MONEY.search(text) else AnswerType.NUMBER
    for pattern, answer_type in (
        (_ASKS_DATE, AnswerType.DATE),
        (_ASKS_PERSON, AnswerType.PERSON),
        (_ASKS_PLACE, AnswerType.PLACE),
        (_ASKS_NAME, AnswerType.NAME),
    ):
        if pattern.search(text):
            return answer_type
    return AnswerType.OPEN


def word_shapes(text: str, words: Sequence[Word], sentence_starts: Sequence[int]) -> NDArray[np.uint16]:
    """What each word of a text looks like, (n,) uint16 of `WordShape`; `sentence_starts` are offsets, ascending."""
    shapes = np.zeros(len(words), np.uint16)
    sentence = 0
    for number, word in enumerate(words):
        start, end = word.span
        while sentence + 1 < len(sentence_starts) and sentence_starts[sentence + 1] <= start:
            sentence += 1
        before = text[start - 1 : start]
        shape = WordShape(0)
        if text[start].isupper():
            is_leading = before in _OPENING_QUOTES or not any(
                ch.isalnum() for ch in text[sentence_starts[sentence] : start]
            )
            shape |= WordShape.LEADING if is_leading else WordShape.CAPITAL
        if text[start].isdigit():
            shape |= WordShape.DIGITS
            if _YEAR.fullmatch(word.folded):
                shape |= WordShape.YEAR
            if before in {"$", "£", "€", "¥"}:
                shape |= WordShape.MONEY
            if _PER_CENT.match(text, end):
                shape |= WordShape.SHARE
        if word.folded in _MONTHS and text[start].isupper():
            shape |= WordShape.DAY
        for group, flag in _SHAPE_WORDS:
            if word.folded in group:
                shape |= flag
        if _ARABIC_LETTER.match(word.folded):
            shape |= WordShape.ARABIC
            forms = {word.folded, without_particles(word.folded)}
            for group, flag in _ARABIC_SHAPE_WORDS:
                if not forms.isdisjoint(group):
                    shape |= flag
        shapes[number] = shape
    return shapes


def answer_type_match(
    shapes: NDArray[np.uint16], edges: NDArray[np.int64], answer_type: AnswerType
) -> NDArray[np.float32]:
    """How well each segment of a text fits an answer type, (m,) float32 from 0 to 1; 0 for OPEN.

    Args:
        shapes: (n,) uint16 of `WordShape`, 0 for words that the question has too.
        edges: (m + 1,) int64; segment i is words edges[i] to edges[i + 1].
        answer_type: What the question asks for.
    """

    def has(*wanted: WordShape, least: int = 1) -> NDArray[np.float32]:
        mask = sum(wanted, WordShape(0))
        counts = np.concatenate(([0], np.cumsum((shapes & int(mask)) > 0)))
        return np.asarray(counts[edges[1:]] - counts[edges[:-1]] >= least, np.float32)

    half = np.float32(0.5)
    number = has(WordShape.DIGITS, WordShape.COUNT)

    def best(*values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.maximum.reduce(values), np.float32)

    match answer_type:
        case AnswerType.NUMBER:
            return number
        case AnswerType.SHARE:
            return best(has(WordShape.SHARE), half * number)
        case AnswerType.MONEY:
            return best(has(WordShape.MONEY), half * number)
        case AnswerType.DURATION:
            period = has(WordShape.PERIOD)
            return best(period * number, half * period, half * number)
        case AnswerType.DATE:
            return best(
                has(WordShape.YEAR, WordShape.DAY),
                half * has(WordShape.PERIOD),
                np.float32(0.3) * has(WordShape.DIGITS),
            )
        case AnswerType.PERSON:
            return best(has(WordShape.CAPITAL, least=2), np.float32(0.7) * has(WordShape.CAPITAL))
        case AnswerType.PLACE | AnswerType.NAME:
            return best(has(WordShape.CAPITAL), np.float32(0.3) * has(WordShape.LEADING))
        case AnswerType.OPEN:
            return np.zeros(len(edges) - 1, np.float32)
