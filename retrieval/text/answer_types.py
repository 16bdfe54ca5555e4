"""What kind of answer a question asks for, and which words of a text could be one. Pure.

Rules on the surface of English and Arabic words: a hint among others when a sentence is chosen, never a condition.
Arabic has no capitals, so names are not seen there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntFlag, StrEnum

import numpy as np
from numpy.typing import NDArray

from retrieval.text.analysis import Word, folded_words, without_particles


class AnswerType(StrEnum):
    """What a question asks for; OPEN where the words of the answer cannot be guessed."""

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
    """What a word looks like. LEADING is a capital that opens a sentence or a quotation and may mean nothing."""

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


def _any(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTS = _any(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "million millions billion billions trillion dozen dozens half third quarter quarters thirds once twice double "
    "doubled triple tripled"
)
_MONEY = _any(
    "dollar dollars cent cents pound pounds euro euros pence yen yuan rupee rupees crown crowns usd bn franc francs "
    "peso pesos won"
)
_SHARES = _any("percent percentage")
_MONTHS = _any(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec"
)
_DAYS = _any(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun yesterday today "
    "tomorrow tonight"
)
_PERIODS = _any(
    "year years month months week weeks day days hour hours minute minutes second seconds decade decades century "
    "centuries spring summer autumn fall winter morning afternoon evening night noon midnight quarter half "
    "season weekend"
)
_ARABIC_COUNTS = _any(
    "واحد واحده اثنان اثنين ثلاث ثلاثه اربع اربعه خمس خمسه ست سته سبع سبعه ثمان ثماني ثمانيه تسع تسعه عشر عشره عشرون "
    "عشرين ثلاثون ثلاثين اربعون اربعين خمسون خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين ميه مايه مييتان الف "
    "الاف مليون مليونا ملايين مليار مليارات نصف ثلث ربع عشرات مئات الاولي الثانيه الثالثه الاول الثاني الثالث"
)
_ARABIC_MONEY = _any(
    "دولار دولارا دولارات دينار دينارا دنانير درهم درهما دراهم ريال ريالا ليره يورو جنيه جنيها قرش سنت"
)
_ARABIC_SHARES = _any("ميه مايه بالميه بالمايه")
_ARABIC_DATES = _any(
    "يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر نوفمبر ديسمبر شباط اذار نيسان ايار حزيران تموز اب "
    "ايلول تشرين احد اثنين ثلاثاء اربعاء خميس جمعه سبت امس غدا اليوم"
)
_ARABIC_PERIODS = _any(
    "عام عاما اعوام عامين سنه سنوات سنتين شهر شهرا اشهر شهرين اسبوع اسبوعا اسابيع يوم يوما ايام يومين ساعه ساعات "
    "ساعتين دقيقه دقائق دقايق ثانيه ثوان قرن قرنا عقد عقود صباح مساء ليل ليله فجر ظهر ربيع صيف خريف شتاء منتصف"
)
_MARKED = (
    (_COUNTS, WordShape.COUNT),
    (_MONEY, WordShape.MONEY),
    (_SHARES, WordShape.SHARE),
    (_DAYS, WordShape.DAY),
    (_PERIODS, WordShape.PERIOD),
)
_ARABIC_MARKED = (
    (_ARABIC_COUNTS, WordShape.COUNT),
    (_ARABIC_MONEY, WordShape.MONEY),
    (_ARABIC_SHARES, WordShape.SHARE),
    (_ARABIC_DATES, WordShape.DAY),
    (_ARABIC_PERIODS, WordShape.PERIOD),
)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_PER_CENT = re.compile(r"\s?[%٪]|[ -]?per ?cent")
_OPENS = "“\"'‘"

_AMOUNT = re.compile(
    r"\bhow (?:many|much|old|long|far|big|tall|high|deep|wide|fast|heavy|often|large|small|few|strong)\b|\b(?:"
    r"percentage|proportion|share|price|cost|amount|rate|number|fee|fine|salary|score|speed|revenue|profit|valuation|"
    r"distance|age)\b"
)
_LENGTH = re.compile(r"\bhow (?:long|often)\b")
_PART = re.compile(r"percent|proportion|share|rate")
_SUM = re.compile(
    r"\b(?:price|cost|fee|salary|revenue|profit|fine|pay|paid|worth|spend|earn|money|bond|valuation|budget)\b"
)
_TIME = re.compile(
    r"\b(?:when|(?:what|which) (?:year|date|day|month)|what time|(?:until|since|by|from|on) (?:what|which|when)|date)\b"
)
_PERSON = re.compile(r"\b(?:who|whose|whom)\b")
_PLACE = re.compile(
    r"\b(?:where|(?:which|what) (?:city|country|town|state|place|province|park|street|county|village|island|nation|"
    r"region|institution|university|school|hospital|stadium))\b"
)
_NAME = re.compile(
    r"\b(?:which|name|called|what (?:company|firm|team|agency|group|newspaper|channel|app|organi[sz]ation|party))\b"
)


_ARABIC_LETTER = re.compile("[\u0600-\u06ff]")
_ARABIC_KINDS = (
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
_ARABIC_ASKED = tuple((kind, re.compile(rf"(?:^|\s)(?:{pattern})(?=\s|$)")) for kind, pattern in _ARABIC_KINDS)


def answer_type_of(question: str) -> AnswerType:
    """The kind of answer that a question asks for."""
    if _ARABIC_LETTER.search(question):
        plain = " ".join(folded_words(question))
        return next((kind for kind, pattern in _ARABIC_ASKED if pattern.search(plain)), AnswerType.OPEN)
    text = question.casefold()
    if _AMOUNT.search(text):
        if _LENGTH.search(text):
            return AnswerType.DURATION
        if _PART.search(text):
            return AnswerType.SHARE
        return AnswerType.MONEY if _SUM.search(text) else AnswerType.NUMBER
    for pattern, kind in (
        (_TIME, AnswerType.DATE),
        (_PERSON, AnswerType.PERSON),
        (_PLACE, AnswerType.PLACE),
        (_NAME, AnswerType.NAME),
    ):
        if pattern.search(text):
            return kind
    return AnswerType.OPEN


def word_shapes(text: str, content: Sequence[Word], opens: Sequence[int]) -> NDArray[np.uint16]:
    """What each word of a text looks like, (n,) uint16 of `Mark`; `opens` is where its sentences start, ascending."""
    found = np.zeros(len(content), np.uint16)
    sentence = 0
    for number, word in enumerate(content):
        start, end = word.span
        while sentence + 1 < len(opens) and opens[sentence + 1] <= start:
            sentence += 1
        before = text[start - 1 : start]
        mark = WordShape(0)
        if text[start].isupper():
            leads = before in _OPENS or not any(ch.isalnum() for ch in text[opens[sentence] : start])
            mark |= WordShape.LEADING if leads else WordShape.CAPITAL
        if text[start].isdigit():
            mark |= WordShape.DIGITS
            if _YEAR.fullmatch(word.folded):
                mark |= WordShape.YEAR
            if before in {"$", "£", "€", "¥"}:
                mark |= WordShape.MONEY
            if _PER_CENT.match(text, end):
                mark |= WordShape.SHARE
        if word.folded in _MONTHS and text[start].isupper():
            mark |= WordShape.DAY
        for group, one in _MARKED:
            if word.folded in group:
                mark |= one
        if _ARABIC_LETTER.match(word.folded):
            mark |= WordShape.ARABIC
            forms = {word.folded, without_particles(word.folded)}
            for group, one in _ARABIC_MARKED:
                if not forms.isdisjoint(group):
                    mark |= one
        found[number] = mark
    return found


def answer_type_match(marked: NDArray[np.uint16], edges: NDArray[np.int64], kind: AnswerType) -> NDArray[np.float32]:
    """How well each run of words could hold an answer of a kind, (m,) float32 from 0 to 1; 0 for OPEN.

    Args:
        marked: (n,) uint16 of `Mark`, 0 for words the question itself has.
        edges: (m + 1,), run i is words edges[i] to edges[i + 1].
        kind: What is asked for.
    """

    def share(*wanted: WordShape, least: int = 1) -> NDArray[np.float32]:
        mask = sum(wanted, WordShape(0))
        ahead = np.concatenate(([0], np.cumsum((marked & int(mask)) > 0)))
        return np.asarray(ahead[edges[1:]] - ahead[edges[:-1]] >= least, np.float32)

    half = np.float32(0.5)
    number = share(WordShape.DIGITS, WordShape.COUNT)

    def best(*values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.maximum.reduce(values), np.float32)

    match kind:
        case AnswerType.NUMBER:
            return number
        case AnswerType.SHARE:
            return best(share(WordShape.SHARE), half * number)
        case AnswerType.MONEY:
            return best(share(WordShape.MONEY), half * number)
        case AnswerType.DURATION:
            period = share(WordShape.PERIOD)
            return best(period * number, half * period, half * number)
        case AnswerType.DATE:
            return best(
                share(WordShape.YEAR, WordShape.DAY),
                half * share(WordShape.PERIOD),
                np.float32(0.3) * share(WordShape.DIGITS),
            )
        case AnswerType.PERSON:
            return best(share(WordShape.CAPITAL, least=2), np.float32(0.7) * share(WordShape.CAPITAL))
        case AnswerType.PLACE | AnswerType.NAME:
            return best(share(WordShape.CAPITAL), np.float32(0.3) * share(WordShape.LEADING))
        case AnswerType.OPEN:
            return np.zeros(len(edges) - 1, np.float32)
