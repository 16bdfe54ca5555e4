"""Recognises follow-up questions by rules over their words, measured on tests/data/dialogues.json.

A question leans when it cannot be understood alone: it points back ("they", "there", "that one"), is a piece of a
sentence ("and the officials?", "since when?"), or names so little of its own that something must be missing ("who led
the study?"). What names its own subject stands alone, however it begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from retrieval.text.analysis import terms

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_QUOTED = re.compile(r"[\"“«][^\"”»]+[\"”»]")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_MARKS = re.compile(r"[\u064b-\u065f\u0670\u0640]")  # vowel signs and tatweel


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_QUESTION_WORDS = _words("what when where which who whom whose why how what's who's where's when's how's")
_AUXILIARIES = _words(
    """
is are was were be been do does did has have had can could will would shall should may might must isn't
aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't can't couldn't won't wouldn't shouldn't
"""
)
_CONJUNCTIONS = _words("and but or so then also plus ok okay well")
_PREPOSITIONS = _words(
    """
in on at for from to by with without about of since until till before after during against between among per
via compared under over into near inside outside like except
"""
)
_DETERMINERS = _words("a an the any some more other another all every each no most")
_CLAUSE_MARKERS = _words(
    """
and but or because when while why how if that who which where after before until since although though say
says said saying think thinks believe believes claim claims claimed
"""
)
_POSSESSIVES = _words("his her hers their theirs its")
_SUBJECTS = _words("he she they it")
_POINTERS = _POSSESSIVES | _SUBJECTS | _words("him them this that these those there here")
_BACKWARD = _words("same both neither former latter ones others such respectively otherwise")
_PERIODS = _words("year month week morning afternoon evening night season weekend quarter century decade")
_LIGHT = (  # words that ask or shade but name nothing
    _words(
        """
say said says saying happen happened happens mean means meant think thinks thought name names named call
called kind type sort many much long often old big high large far soon fast good bad get got gets make made
makes take took takes go goes went come comes came give gave given exactly precisely really actually else
again still yet too very just only ever even rather not never always also next later earlier ago now today
last first more most less least few other others another any anything anyone anybody something someone somebody
nobody nothing everything
part way thing things people person persons year years month months week weeks day days date time
times hour hours reason reasons example examples context grounds case point detail details question response
answer know tell show explain describe list mention mentions mentioned please lol hm hmm ah oh wow yes no ok
okay well sure right true correct legal possible if than as own once twice there's it's that's out up off
down s t
"""
    )
    | _QUESTION_WORDS
    | _AUXILIARIES
    | _CONJUNCTIONS
    | _PREPOSITIONS
    | _DETERMINERS
    | _POINTERS
    | _BACKWARD
    | _words("i me my you your we us our one")
)
_WHO_IS_THE = re.compile(r"(?:and )?who(?:'s| is| are| was| were) the \w+\W*", re.I)
_REFERRING_STARTS = ("what about", "how about", "what of", "why not", "how so", "how come", "what else", "who else")

_AR_QUESTION_WORDS = _words(  # the written ones, then those of the Gulf, Egypt and the Levant
    """
من ما ماذا متى أين اين كيف كم لماذا لم هل أي اي أية لمن ممن عم عما بماذا بم بكم إلام علام مم
وش ايش إيش شنو شو ليش ليه وين فين مين منو شلون كام قديش امتى إمتى
"""
)
_AR_OPENINGS = _words("طيب حسنا حسنًا زين اوكي تمام أوكي ماشي")
_AR_PERIODS = _words("العام السنة الشهر الأسبوع الاسبوع اليوم الصيف الشتاء الربيع الخريف الموسم المساء الصباح الليلة")
_AR_PREPOSITIONS = _words("في من على الى إلى عن مع بعد قبل منذ حتى عند بين ضد خلال حول دون بدون مقارنة")
_AR_POINTERS = _words("هذا هذه ذلك تلك هؤلاء أولئك هناك هنا كلاهما كليهما نفسه نفسها كذلك ذاك")
_AR_DEMONSTRATIVES = _words("هذا هذه ذلك تلك هؤلاء أولئك ذاك")
_AR_ATTACHED = _words(
    """
عنه عنها عنهم فيه فيها فيهم به بها بهم له لها لهم منه منها منهم معه معها معهم عليه عليها عليهم إليه إليها
إليهم اليه اليها اليهم بينهم بينها عنده عندها عندهم لديه لديها لديهم
"""
)
_AR_LIGHT = (
    _words(
        """
هو هي هم هما هن كان كانت كانوا يكون تكون قد لقد لا لن ليس ليست إن ان أن إنه انه أنه إنها الذي التي الذين
اللذان ثم أو او أيضا ايضا فقط جدا بالضبط تحديدا أكثر اكثر أقل اقل آخر اخر أخرى اخرى الأخرى الآخر الاخرى
الآخرون غير عدد عددهم مرة مرات سنة عام يوم شهر تاريخ سبب السبب قال قالت قالوا يقول تقول حدث يحدث حصل يعني
معنى اسم مثال أمثلة رأي كل بعض نعم حسنا طيب يا و ف بعدين كمان برضو
"""
    )
    | _AR_QUESTION_WORDS
    | _AR_PREPOSITIONS
    | _AR_POINTERS
    | _AR_ATTACHED
)
_AR_SUFFIX = re.compile(r"[^\W\d_]{3,}(?:هم|هما|هن|ها|ه)$")


def is_followup(question: str, before: Sequence[str], article: str = "") -> bool:
    """Whether `question` makes no sense without the questions `before` it, oldest first; false where there are none.

    `article` is the text that answered the last of them, where one did: a question of few words leans on it only where
    it shares one of them.
    """
    if not before:
        return False
    return (
        _is_arabic_followup(question, article) if _ARABIC.search(question) else _is_english_followup(question, article)
    )


def _is_english_followup(question: str, article: str) -> bool:
    words = _TOKEN.findall(question)
    lower = [word.lower().replace("’", "'") for word in words]
    if " ".join(lower).startswith(_REFERRING_STARTS):
        return not _starts_new_subject(question)
    joins = 0
    while joins < len(lower) and lower[joins] in _CONJUNCTIONS:
        joins += 1
    words, lower = words[joins:], lower[joins:]
    content = [word for word in lower if word.removesuffix("'s") not in _LIGHT]
    if not content or _BACKWARD & set(lower) or "which one" in " ".join(lower):
        return True
    named = _named(words, lower) or _QUOTED.search(question) is not None
    if any(_points_back(lower, place, named=_named(words[:place], lower[:place])) for place in range(len(lower))):
        return True
    if not set(lower[:3]) & (_QUESTION_WORDS | _AUXILIARIES):  # a piece of a sentence, or keywords
        opens = lower[0] in _PREPOSITIONS | _DETERMINERS or lower[0].startswith("any")
        short_question = question.rstrip().endswith("?") and len(content) <= 2 and not named
        return joins > 0 or opens or short_question
    if named:
        return False
    defines = re.match(r"(?:what|who)(?: is| are| was| were|'s) ", " ".join(lower)) is not None
    if len(content) > (1 if defines else 2):
        return False
    known = not article or _shared(content, article)
    # "Who is the emir?" is a new question where no emir was mentioned; "who is the minister?" may be about one who was.
    return known or (len(content) == 1 and _WHO_IS_THE.fullmatch(question.strip()) is None)


def _starts_new_subject(question: str) -> bool:
    """Whether a "what about" names a subject and goes on to ask a complete question about it."""
    subject, _, asked = question.partition(",")
    named = [word for word in _TOKEN.findall(subject.lower()) if word not in _LIGHT]
    opening = _TOKEN.findall(asked.lower())[:1]
    return len(named) >= 2 and bool(opening) and opening[0] in _QUESTION_WORDS | _AUXILIARIES


def _shared(content: Sequence[str], article: str) -> bool:
    """Whether one of the words occurs in the article, in any inflection."""
    text = article.lower()
    return any(re.search(rf"\b{re.escape(word[:5])}", text) for word in content)


def _named(words: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether one of the words is a name: capitalised inside a sentence, or at its start and no question word."""
    if all(word[0].isupper() for word in words):
        return any(low not in _LIGHT for low in lower[1:])
    return any(word[0].isupper() and low not in _LIGHT for word, low in zip(words[1:], lower[1:], strict=True)) or (
        bool(words) and words[0][0].isupper() and lower[0].endswith("'s") and lower[0][:-2] not in _LIGHT
    )


def _points_back(lower: Sequence[str], place: int, *, named: bool) -> bool:
    """Whether the word at `place` points to something said before this question. `named`: a name stands before it."""
    word = lower[place]
    if word not in _POINTERS:
        return False
    earlier, later = lower[:place], lower[place + 1 :]
    previous, following = (earlier or [""])[-1], (later or [""])[0]
    content_before = sum(each not in _LIGHT for each in earlier)
    if (named or content_before >= 2) and (word in _POSSESSIVES or (_CLAUSE_MARKERS & set(earlier[1:]))):
        return False  # its antecedent stands in the question itself
    match word:
        case "it":  # "is it true that", "what is it that"
            fills = previous in _AUXILIARIES and (following == "that" or bool({"to", "that"} & set(later[1:3])))
            return not fills
        case "there":
            return not (previous in _AUXILIARIES or following in _AUXILIARIES)
        case "that":  # otherwise it opens a clause: "the law that protects", "said that the wall"
            return not later or (place <= 3 and previous in _AUXILIARIES | _PREPOSITIONS | {"", "why", "how"})
        case "this" | "these" | "those":
            return following not in _PERIODS
        case _:
            return True


def _is_arabic_followup(question: str, article: str) -> bool:
    words = _TOKEN.findall(_MARKS.sub("", question))
    opened = len(words) > 1 and words[0] in _AR_OPENINGS
    words = words[opened:]
    joined = words[0].startswith("و") and (
        words[0][1:] in _AR_LIGHT or (words[0] not in _AR_LIGHT and words[0][1:].startswith(("ال", "لل", "ب")))
    )
    if joined:
        words = [words[0][1:], *words[1:]]
    content = [word for word in words if word not in _AR_LIGHT]
    if len(content) <= 1 or (words[0] == "ماذا" and words[1:2] == ["عن"]):
        return True
    if any(
        word in _AR_DEMONSTRATIVES and after.startswith("ال") and after not in _AR_PERIODS
        for word, after in pairwise(words)
    ):  # "this decision", "that man"
        return len(content) <= 3
    points = any(word in _AR_POINTERS | _AR_ATTACHED or _AR_SUFFIX.fullmatch(word) for word in words)
    if len(content) > 2 or joined or points:
        return len(content) <= 2
    definite = any(word.startswith(("ال", "لل", "بال")) for word in content)  # "the ticket" is one mentioned before
    return definite and bool(article) and set(terms(" ".join(content))) <= set(terms(article))
