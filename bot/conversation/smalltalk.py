"""Small talk: whole messages that call for a human reply rather than a search."""

from __future__ import annotations

import re
from enum import StrEnum, auto

from retrieval.text.analysis import standardise_question_word

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MARKS = re.compile(r"[\u064b-\u065f\u0670\u0640]")  # Arabic vowel signs and tatweel
_FOLDS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "’": "'"})
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")


class SmallTalk(StrEnum):
    """The kinds of small talk."""

    GREETING = auto()
    HOW_ARE_YOU = auto()
    THANKS = auto()
    GLAD = auto()
    GOODBYE = auto()
    ABILITIES = auto()
    SORRY = auto()
    HELP = auto()
    MORE = auto()


_UTTERANCES = {
    SmallTalk.GREETING: """
        hi; hello; hey; hiya; howdy; yo; greetings; good morning; good afternoon; good evening; good day; hi there;
        hello there; hey there; salam; salaam; salam alaikum; assalamu alaikum; marhaba; ahlan; start; مرحبا; اهلا;
        اهلا وسهلا; اهلا بك; هلا; هلا والله; السلام عليكم; السلام عليكم ورحمه الله; السلام عليكم ورحمه الله وبركاته;
        سلام; هاي; هلو; حياك الله; صباح الخير; مساء الخير; صباح النور; مساء النور; تحيه; يا هلا
    """,
    SmallTalk.HOW_ARE_YOU: """
        how are you; how are you doing; how are you today; how r u; how's it going; how is it going; what's up;
        whats up; sup; how do you do; كيف حالك; كيفك; كيف الحال; شلونك; شخبارك; كيف انت; ما اخبارك
    """,
    SmallTalk.THANKS: """
        no thanks; no thank you; no; nope; nothing; never mind; that's all; that is all; لا شكرا; لا; لا شيء;
        هذا كل شيء;
        thanks; thank you; thx; ty; thank u; cheers; many thanks; much appreciated; i appreciate it; thanks a
        million; that helped; that's helpful; that is helpful; that was helpful; very helpful; helpful; that helps;
        شكرا; شكرا جزيلا; شكرا لك; شكرا لكم; مشكور; مشكوره; يعطيك العافيه; الف شكر; تسلم; ممنون; جزاك الله خيرا;
        اشكرك
    """,
    SmallTalk.GLAD: """
        ok; okay; k; great; cool; nice; good; wow; perfect; awesome; amazing; excellent; super; got it; i see;
        understood; good job; well done; nice one; good answer; great answer; very good; very nice; alright; all
        right; fine; interesting; good to know; sure; yes; yep; yeah; right; correct; that's right; love it;
        brilliant; fantastic; i like it; i like you; good bot; حسنا; رائع; ممتاز; جميل; جيد; تمام; اوكي; ماشي; طيب;
        عظيم; احسنت; فهمت; مفهوم; نعم; ممتاز جدا; جيد جدا; رائع جدا; صحيح; ما شاء الله; زين
    """,
    SmallTalk.GOODBYE: """
        bye; goodbye; good bye; bye bye; see you; see ya; see you later; see you soon; good night; farewell; cya;
        later; take care; have a nice day; have a good day; quit; exit; مع السلامه; الي اللقاء; وداعا; تصبح علي خير;
        في امان الله; باي
    """,
    SmallTalk.ABILITIES: """
        what can you do; what do you do; what can you do for me; who are you; what are you; are you a bot; are you a
        robot; are you human; are you an ai; are you real; are you chatgpt; what's your name; what is your name; how
        do you work; what can i ask; what can i ask you; what should i ask; what do you know; what can you tell me;
        what can you help me with; how can you help; how can you help me; what are you for; who made you; who built
        you; what is your purpose; tell me about yourself; introduce yourself; what can i do here; what can i do;
        what are you able to do; what questions can i ask; do you speak arabic; do you speak english; do you
        understand arabic; can i ask you something; can i ask you a question; can i ask a question; can you answer
        questions; what kind of questions can i ask; what topics do you know; ماذا تستطيع ان تفعل; ماذا يمكنك ان
        تفعل; ماذا تفعل; من انت; ما انت; ما اسمك; ماذا تعرف; كيف تعمل; كيف يمكنك مساعدتي; بماذا يمكنك مساعدتي; بم
        تساعدني; هل انت روبوت; هل انت بوت; هل انت انسان; ماذا اسال; ماذا يمكنني ان اسال; ماذا يمكنني ان اسالك; عم
        يمكنني ان اسال; هل تتحدث العربيه; هل تتكلم العربيه; هل تتكلم عربي; ما وظيفتك; ما هي وظيفتك; ما قدراتك; ماذا
        تقدر تسوي; ما تقدر تسوي; ما تسوي; عرفني بنفسك; عرف بنفسك; من صنعك; ما فائدتك; هل يمكنني ان اسالك; ماذا بامكانك
        ان تفعل; ما الذي تستطيع فعله; ما الذي يمكنك فعله; ماذا يمكنك فعله
    """,
    SmallTalk.SORRY: """
        that's wrong; that is wrong; wrong; wrong answer; bad answer; bad bot; that's not right; that is not right;
        not what i asked; that's not what i asked; that is not what i asked; you're wrong; you are wrong; not
        helpful; useless; that's not helpful; that's not an answer; you didn't answer; you did not answer my
        question; nonsense; that makes no sense; خطا; هذا خطا; غلط; هذا غلط; جواب
        غلط; مو صحيح; مش صحيح; جواب خاطئ; اجابه خاطئه; هذا غير صحيح; غير صحيح; لم تجب;
        لم تجب عن سؤالي; ليس هذا ما سالت عنه; غير مفيد; ليس هذا سؤالي
    """,
    SmallTalk.HELP: """
        help; help me; i need help; can you help; can you help me; commands; menu; what commands are there; مساعده;
        ساعدني; الاوامر; هل يمكنك مساعدتي; احتاج مساعده; احتاج الي مساعده
    """,
    SmallTalk.MORE: """
        more; more please; tell me more; show more; show me more; next; continue; go on; keep going; another;
        another one; give me more; more passages; more results; more quotes; anything else; is there more; and more;
        المزيد; اكثر; مزيد; اكمل; تابع; التالي; غيره; اخبرني بالمزيد; اخبرني المزيد; هات المزيد; زدني; هل هناك
        المزيد
    """,
}
_BY_UTTERANCE = {
    tuple(utterance.split()): talk for talk, utterances in _UTTERANCES.items() for utterance in utterances.split(";")
}
_LONGEST = max(map(len, _BY_UTTERANCE))
_FILLERS = """
    please so very much a lot again dear friend friends bot guys everyone all you there buddy mate sir madam for the
    answer answers your help my really oh ah well just and today too everybody then
    لك لكم بك بكم جدا كثيرا جزيلا يا صديقي من فضلك لو سمحت الان اليوم علي المساعده بوت اخي اختي سيدي و وسهلا
    """.split()  # noqa: SIM905
_OPENING = re.compile(
    r"""\s*(?:hi|hello|hey|thanks|thank\ you|thx|good\ (?:morning|afternoon|evening)
    |مرحبا|مرحبًا|أهلا|أهلًا|أهلاً|السلام\ عليكم|شكرا|شكرًا|شكراً|صباح\ الخير|مساء\ الخير)
    (?:\ (?:there|bot|again|a\ lot|so\ much|very\ much|لك))?\s*[,.!،;:–…-]+\s*(?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)


def small_talk_of(text: str) -> SmallTalk | None:
    """What small talk `text` is, by its last part ("ok great, thank you!" is thanks); None if it is anything else."""
    words, place, talk = _words(standardise_question_word(text)), 0, None
    while place < len(words):
        for length in range(_LONGEST, 0, -1):
            found = _BY_UTTERANCE.get(tuple(words[place : place + length]))
            if found is not None:
                talk, place = found, min(place + length, len(words))
                break
        else:
            if words[place] not in _FILLERS:
                return None
            place += 1
    return talk


def without_opening(text: str) -> str:
    """The question without a greeting or thanks in front of it."""
    opening = _OPENING.match(text)
    return text[opening.end() :] if opening and _words(text[opening.end() :]) else text


def _words(text: str) -> list[str]:
    folded = _STRETCHED.sub(r"\1", _MARKS.sub("", text.casefold().translate(_FOLDS)))
    return _WORD.findall(folded)
