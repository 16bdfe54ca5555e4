"""Every fixed sentence a user can see, in each language the project speaks.

A phrase is a template with named places, or one template for each plural form of its `count`. Add a phrase by naming it
in `Phrase` and writing it in every table below; a test holds the tables to the same names and places.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum, auto

# Unicode UAX #9: first strong isolate, pop directional isolate, left-to-right mark, right-to-left mark
FSI, PDI, LRM, RLM = "\u2068", "\u2069", "\u200e", "\u200f"


class Language(StrEnum):
    """A language the project speaks, by its BCP 47 code."""

    EN = "en"
    AR = "ar"

    @classmethod
    def of(cls, code: str | None) -> Language | None:
        """The language of a code such as "ar", "ar-KW" or "en_GB.UTF-8"; None where the project does not speak it."""
        primary = re.split(r"[-_.]", code or "", maxsplit=1)[0].lower()
        return cls(primary) if primary in set(cls) else None


class Plural(StrEnum):
    """The plural forms of the Unicode CLDR."""

    ZERO = auto()
    ONE = auto()
    TWO = auto()
    FEW = auto()
    MANY = auto()
    OTHER = auto()


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
    LANGUAGE_NAME = auto()
    EMPTY = auto()
    WORDLESS = auto()
    ONLY_EXCLUDED = auto()
    TOO_LONG = auto()
    NOT_FOUND = auto()
    NEAREST = auto()
    NO_MORE = auto()
    ASK_FIRST = auto()
    TOO_LONG_TO_SHOW = auto()
    NO_ARTICLES = auto()
    ARTICLE_COUNT = auto()
    ARTICLES_NEXT = auto()
    NO_SUCH_PAGE = auto()
    ALSO_IN = auto()
    WELCOME = auto()
    WHY_ANSWERED = auto()
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


Template = str | Mapping[Plural, str]

_ENGLISH: Mapping[Phrase, Template] = {
    Phrase.GREETING: "Hello! Ask me anything about the articles, and I will answer in their own words.",
    Phrase.HOW_ARE_YOU: "Very well, thank you! What would you like to know?",
    Phrase.THANKS: "You're welcome! Ask me more whenever you like.",
    Phrase.GLAD: "Glad to hear it. What else would you like to know?",
    Phrase.GOODBYE: "Goodbye!",
    Phrase.ABILITIES: (
        "I read news articles and answer questions with their exact words, and I always say where the words stand. "
        "I make nothing up: when the articles do not say, I tell you. Just ask, or see /articles for what I have read."
    ),
    Phrase.SORRY: "Sorry about that. Try other words, or see /more for other passages and /why for my reasons.",
    Phrase.HELP: "Ask in your own words, and I will quote the article that answers. These commands help, too:",
    Phrase.COMMAND_HELP: "what I can do",
    Phrase.COMMAND_MORE: "more passages on your question",
    Phrase.COMMAND_CONTEXT: "the lines around the quote",
    Phrase.COMMAND_ARTICLES: "the articles I have read",
    Phrase.COMMAND_WHY: "why I chose these words",
    Phrase.COMMAND_LANGUAGE: "English or العربية",
    Phrase.COMMAND_QUIT: "leave",
    Phrase.UNKNOWN_COMMAND: "I don't know {command}. See /help for what I can do.",
    Phrase.LANGUAGE_SET: "I will speak English from now on.",
    Phrase.LANGUAGE_WHICH: "Which language shall I speak? Say /language en or /language ar.",
    Phrase.LANGUAGE_NAME: "English",
    Phrase.EMPTY: "I'm listening: ask me a question.",
    Phrase.WORDLESS: "Nice! Now put it in words, and I will look it up.",
    Phrase.ONLY_EXCLUDED: "That only says what to leave out. What shall I look for?",
    Phrase.TOO_LONG: "That is {length} characters, and I can read {limit} at once. Could you ask it more briefly?",
    Phrase.NOT_FOUND: "The articles don't answer that, as far as I can find.",
    Phrase.NEAREST: "The nearest they come:",
    Phrase.NO_MORE: "That was all I found.",
    Phrase.ASK_FIRST: "Ask me a question first.",
    Phrase.TOO_LONG_TO_SHOW: "The passage is too long to show here.",
    Phrase.NO_ARTICLES: "There are no articles yet.",
    Phrase.ARTICLE_COUNT: {Plural.ONE: "{count} article", Plural.OTHER: "{count} articles"},
    Phrase.ARTICLES_NEXT: "/articles {page} shows more.",
    Phrase.NO_SUCH_PAGE: "The articles end before that. /articles shows them from the start.",
    Phrase.ALSO_IN: "Also in:",
    Phrase.WELCOME: "Ask about the articles. /help shows what else there is, /quit leaves.",
    Phrase.WHY_ANSWERED: "I answered: I put the chance that the first quote answers at {confidence}.",
    Phrase.WHY_DECLINED: "I declined: I put the chance that the first quote answers at only {confidence}.",
    Phrase.WHY_NOTHING: "I found no passage that shares anything with the question.",
    Phrase.LOADING: "One moment, I am opening the articles ...",
    Phrase.INTERRUPTED: "(Ctrl-C again or Ctrl-D to leave)",
    Phrase.FAILED: "I could not look that up: {reason}",
    Phrase.COMMAND_ASK: "ask a question, in a group too",
    Phrase.COMMAND_LATEST: "the newest articles",
    Phrase.COMMAND_SINCE: "what came since a day: /since 2026-11-01, with a question if you like",
    Phrase.COMMAND_SUBSCRIBE: "hear of new articles",
    Phrase.COMMAND_UNSUBSCRIBE: "hear no more of new articles",
    Phrase.COMMAND_PRIVACY: "what I remember about you",
    Phrase.COMMAND_ADD: "add an article: a web address, or send a file",
    Phrase.COMMAND_REMOVE: "remove an article by its id",
    Phrase.COMMAND_REBUILD: "build the index anew",
    Phrase.COMMAND_STATUS: "how I am doing",
    Phrase.COMMAND_FEEDBACK: "what people thought of my quotes",
    Phrase.BUTTON_MORE: "More passages ▸",
    Phrase.BUTTON_WIDER: "Wider context",
    Phrase.BUTTON_NARROWER: "Back to the quote",
    Phrase.BUTTON_SHARE: "Share",
    Phrase.BUTTON_OPEN: "Ask me more",
    Phrase.BUTTON_LIST: "All articles",
    Phrase.BUTTON_UNDO: "Undo",
    Phrase.BUTTON_FORGET: "Forget what is mine",
    Phrase.BUTTON_REMOVE: "Remove",
    Phrase.BUTTON_KEEP: "Keep it",
    Phrase.OUTDATED: "The articles have changed since. Please ask again.",
    Phrase.VOTE_COUNTED: "Thank you, I have noted that.",
    Phrase.SLOW_DOWN: "Let me catch up, please: I can answer again in {seconds} s.",
    Phrase.TOO_SLOW: "That took me too long. Please ask again in a moment.",
    Phrase.WENT_WRONG: "Something went wrong on my side. Please try again. (Reference {reference})",
    Phrase.NOT_TEXT: "I can read text only. Ask me a question in words.",
    Phrase.SINCE_HOW: "Write the day, and a question if you like: /since 2026-11-01 What was decided?",
    Phrase.SINCE_DAY: "since {day}",
    Phrase.NOTHING_SINCE: "There are no articles since {day}.",
    Phrase.SUBSCRIBED: "I will tell you here when articles are added. /unsubscribe ends it.",
    Phrase.UNSUBSCRIBED: "I will announce nothing more here.",
    Phrase.NEW_ARTICLES: {Plural.ONE: "{count} new article", Plural.OTHER: "{count} new articles"},
    Phrase.ARTICLE_UNKNOWN: "I have no such article. See /articles for those I have.",
    Phrase.PRIVACY: (
        "I keep: the language you chose, chats that subscribed, your 👍 and 👎 under a name that cannot be "
        "traced to you, and for {days} days which quotes I showed. I do not keep your questions. Say /privacy "
        "forget and I forget all that is yours."
    ),
    Phrase.PRIVACY_QUESTIONS: (
        "I keep: your questions, to learn from them, the language you chose, chats that subscribed, your 👍 "
        "and 👎 under a name that cannot be traced to you, and for {days} days which quotes I showed. Say "
        "/privacy forget and I forget what I know to be yours."
    ),
    Phrase.FORGOTTEN: "Done: I have forgotten what I kept about you.",
    Phrase.INLINE_ASK_ME: "Nothing found – ask me directly",
    Phrase.INLINE_EMPTY: "Type a question, or ask me directly",
    Phrase.ADD_HOW: "Say /add and a web address, or send me a file, or forward me a post.",
    Phrase.ADD_READING: "Reading {source} …",
    Phrase.ADD_TOO_BIG: "The file is larger than the {limit} MB that I can fetch.",
    Phrase.REMOVE_HOW: "Open the article under /articles and tap Remove, or say /remove and its id.",
    Phrase.REMOVE_SURE: "Remove this article?",
    Phrase.OUTCOME_ADDED: "Added: {title}",
    Phrase.OUTCOME_REPLACED: "Replaced: {title}",
    Phrase.OUTCOME_SKIPPED: "Left out: {title} ({reason})",
    Phrase.OUTCOME_REFUSED: "Refused: {title} ({reason})",
    Phrase.OUTCOME_REMOVED: "Removed: {title}",
    Phrase.OUTCOME_RESTORED: "Put back as it was: {title}",
    Phrase.EDIT_FAILED: "That could not be done: {reason}",
    Phrase.REBUILDING: "Building the index …",
    Phrase.REBUILT: "{name} serves. Articles: {articles}, passages: {passages}.",
    Phrase.STATUS: (
        "Index {name}\nArticles {articles}\nAnswered {answered}, declined {declined}\nWaiting "
        "{waiting}\nSubscribers {subscribers}\nUp for {minutes} min"
    ),
    Phrase.FEEDBACK: "👍 {good}, 👎 {bad}. newsquote feedback export writes them as questions for eval.",
    Phrase.EVIDENCE_QUOTE: "quote",
    Phrase.EVIDENCE_SCORE: "score",
    Phrase.EVIDENCE_LEAD: "lead over others",
    Phrase.EVIDENCE_DENSE_RANK: "rank by meaning",
    Phrase.EVIDENCE_LEXICAL_RANK: "rank by words",
    Phrase.EVIDENCE_RERANKER: "reranker",
    Phrase.EVIDENCE_WORDS: "words",
    Phrase.EVIDENCE_AROUND: "words nearby",
    Phrase.EVIDENCE_PASSAGE_WORDS: "passage words",
    Phrase.EVIDENCE_ARTICLE_WORDS: "article words",
    Phrase.EVIDENCE_BEST_PASSAGE_WORDS: "best words",
    Phrase.EVIDENCE_EXACT: "exact words",
    Phrase.EVIDENCE_PASSAGE_EXACT: "passage exact",
    Phrase.EVIDENCE_COSINE: "meaning",
    Phrase.EVIDENCE_PASSAGE_COSINE: "passage meaning",
    Phrase.EVIDENCE_BEST_COSINE: "best meaning",
    Phrase.EVIDENCE_BM25: "BM25",
    Phrase.EVIDENCE_WEAKEST: "weakest word",
    Phrase.EVIDENCE_AROUND_UNMET: "missing nearby",
    Phrase.EVIDENCE_UNMET: "passage missing",
    Phrase.EVIDENCE_ARTICLE_UNMET: "article missing",
    Phrase.EVIDENCE_ABSENT: "found nowhere",
    Phrase.EVIDENCE_KIND: "kind of answer",
    Phrase.EVIDENCE_LACKS: "lacks that kind",
    Phrase.EVIDENCE_HEADING: "heading",
    Phrase.EVIDENCE_LENGTH: "question length",
    Phrase.EVIDENCE_RESPELT: "words put right",
    Phrase.EVIDENCE_UNKNOWN: "unknown names",
    Phrase.EVIDENCE_ALONE: "no rival",
    Phrase.EVIDENCE_NUMBER: "asks how many",
    Phrase.EVIDENCE_MONEY: "asks for a sum",
    Phrase.EVIDENCE_SHARE: "asks for a share",
    Phrase.EVIDENCE_DURATION: "asks how long",
    Phrase.EVIDENCE_DATE: "asks when",
    Phrase.EVIDENCE_PERSON: "asks who",
    Phrase.EVIDENCE_PLACE: "asks where",
    Phrase.EVIDENCE_NAME: "asks for a name",
    Phrase.EVIDENCE_OPEN: "asks openly",
}

_ARABIC: Mapping[Phrase, Template] = {
    Phrase.GREETING: "أهلًا بك! اسألني ما شئت عن المقالات، وسأجيبك بكلماتها هي.",
    Phrase.HOW_ARE_YOU: "بخير، شكرًا لك! ماذا تودّ أن تعرف؟",
    Phrase.THANKS: "على الرحب والسعة! اسألني متى شئت.",
    Phrase.GLAD: "يسعدني ذلك. ماذا تودّ أن تعرف أيضًا؟",
    Phrase.GOODBYE: "إلى اللقاء!",
    Phrase.ABILITIES: (
        "أقرأ المقالات الإخبارية وأجيب عن الأسئلة بنصّ كلماتها، وأذكر دائمًا أين وردت. "
        "لا أختلق شيئًا: إن لم تذكره المقالات أخبرتك بذلك. اسأل مباشرة، أو انظر /articles لتعرف ما قرأته."
    ),
    Phrase.SORRY: "أعتذر عن ذلك. جرّب صياغة أخرى، أو انظر /more لمقاطع أخرى و /why لأسبابي.",
    Phrase.HELP: "اسأل بكلماتك أنت، وسأقتبس لك من المقال الذي يجيب. وهذه الأوامر تساعدك أيضًا:",
    Phrase.COMMAND_HELP: "ما أستطيع فعله",
    Phrase.COMMAND_MORE: "مقاطع أخرى عن سؤالك",
    Phrase.COMMAND_CONTEXT: "ما حول الاقتباس من سطور",
    Phrase.COMMAND_ARTICLES: "المقالات التي قرأتها",
    Phrase.COMMAND_WHY: "لماذا اخترت هذه الكلمات",
    Phrase.COMMAND_LANGUAGE: "العربية أو English",
    Phrase.COMMAND_QUIT: "الخروج",
    Phrase.UNKNOWN_COMMAND: "لا أعرف {command}. انظر /help لتعرف ما أستطيع فعله.",
    Phrase.LANGUAGE_SET: "سأتحدث العربية من الآن.",
    Phrase.LANGUAGE_WHICH: "بأي لغة أتحدث؟ اكتب /language ar أو /language en.",
    Phrase.LANGUAGE_NAME: "العربية",
    Phrase.EMPTY: "أنا أصغي: اسألني سؤالًا.",
    Phrase.WORDLESS: "جميل! اكتبه الآن بالكلمات وسأبحث عنه.",
    Phrase.ONLY_EXCLUDED: "هذا ما ينبغي استبعاده فقط. فعمّ أبحث؟",
    Phrase.TOO_LONG: "عدد أحرف السؤال {length}، وأستطيع قراءة {limit} في المرة الواحدة. هل تختصره؟",
    Phrase.NOT_FOUND: "لم أجد في المقالات جوابًا عن ذلك.",
    Phrase.NEAREST: "أقرب ما ورد فيها:",
    Phrase.NO_MORE: "هذا كل ما وجدته.",
    Phrase.ASK_FIRST: "اسألني سؤالًا أولًا.",
    Phrase.TOO_LONG_TO_SHOW: "المقطع أطول من أن يُعرض هنا.",
    Phrase.NO_ARTICLES: "لا توجد مقالات بعد.",
    Phrase.ARTICLE_COUNT: {
        Plural.ZERO: "لا مقالات",
        Plural.ONE: "مقال واحد",
        Plural.TWO: "مقالان",
        Plural.FEW: "{count} مقالات",
        Plural.MANY: "{count} مقالًا",
        Plural.OTHER: "{count} مقال",
    },
    Phrase.ARTICLES_NEXT: "المزيد: /articles {page}",
    Phrase.NO_SUCH_PAGE: "تنتهي المقالات قبل ذلك. /articles يعرضها من البداية.",
    Phrase.ALSO_IN: "أيضًا في:",
    Phrase.WELCOME: "اسأل عن المقالات. /help يعرض ما سوى ذلك، و /quit للخروج.",
    Phrase.WHY_ANSWERED: "أجبت لأن احتمال أن يجيب الاقتباس الأول هو {confidence} في تقديري.",
    Phrase.WHY_DECLINED: "لم أجب لأن احتمال أن يجيب الاقتباس الأول هو {confidence} فقط في تقديري.",
    Phrase.WHY_NOTHING: "لم أجد مقطعًا يشترك مع السؤال في شيء.",
    Phrase.LOADING: "لحظة، أفتح المقالات ...",
    Phrase.INTERRUPTED: "(للخروج: Ctrl-C مرة أخرى أو Ctrl-D)",
    Phrase.FAILED: "تعذّر البحث عن ذلك: {reason}",
    Phrase.COMMAND_ASK: "طرح سؤال، وفي المجموعات أيضًا",
    Phrase.COMMAND_LATEST: "أحدث المقالات",
    Phrase.COMMAND_SINCE: "ما نُشر منذ يوم: /since 2026-11-01، ومعه سؤال إن شئت",
    Phrase.COMMAND_SUBSCRIBE: "معرفة المقالات الجديدة",
    Phrase.COMMAND_UNSUBSCRIBE: "إيقاف أخبار المقالات الجديدة",
    Phrase.COMMAND_PRIVACY: "ما أتذكّره عنك",
    Phrase.COMMAND_ADD: "إضافة مقال: عنوان صفحة، أو أرسل ملفًا",
    Phrase.COMMAND_REMOVE: "حذف مقال بمعرّفه",
    Phrase.COMMAND_REBUILD: "إعادة بناء الفهرس",
    Phrase.COMMAND_STATUS: "كيف تسير أموري",
    Phrase.COMMAND_FEEDBACK: "رأي الناس في اقتباساتي",
    Phrase.BUTTON_MORE: "مقاطع أخرى ◂",
    Phrase.BUTTON_WIDER: "سياق أوسع",
    Phrase.BUTTON_NARROWER: "عودة إلى الاقتباس",
    Phrase.BUTTON_SHARE: "مشاركة",
    Phrase.BUTTON_OPEN: "اسألني المزيد",
    Phrase.BUTTON_LIST: "كل المقالات",
    Phrase.BUTTON_UNDO: "تراجع",
    Phrase.BUTTON_FORGET: "انسَ ما يخصّني",
    Phrase.BUTTON_REMOVE: "حذف",
    Phrase.BUTTON_KEEP: "إبقاء",
    Phrase.OUTDATED: "تغيّرت المقالات منذ ذلك الحين. اسأل من جديد من فضلك.",
    Phrase.VOTE_COUNTED: "شكرًا لك، سجّلت رأيك.",
    Phrase.SLOW_DOWN: "أمهلني قليلًا من فضلك: أستطيع الإجابة بعد {seconds} ث.",
    Phrase.TOO_SLOW: "استغرق ذلك وقتًا طويلًا. اسأل بعد قليل من فضلك.",
    Phrase.WENT_WRONG: "حدث خطأ من جانبي. حاول مرة أخرى من فضلك. (المرجع {reference})",
    Phrase.NOT_TEXT: "أقرأ النصوص فقط. اسألني بالكلمات.",
    Phrase.SINCE_HOW: "اكتب اليوم، ومعه سؤال إن شئت: /since 2026-11-01 ماذا تقرّر؟",
    Phrase.SINCE_DAY: "منذ {day}",
    Phrase.NOTHING_SINCE: "لا توجد مقالات منذ {day}.",
    Phrase.SUBSCRIBED: "سأخبرك هنا عند إضافة مقالات. الأمر /unsubscribe يوقف ذلك.",
    Phrase.UNSUBSCRIBED: "لن أعلن شيئًا هنا بعد الآن.",
    Phrase.NEW_ARTICLES: {
        Plural.ZERO: "لا مقالات جديدة",
        Plural.ONE: "مقال جديد",
        Plural.TWO: "مقالان جديدان",
        Plural.FEW: "{count} مقالات جديدة",
        Plural.MANY: "{count} مقالًا جديدًا",
        Plural.OTHER: "{count} مقال جديد",
    },
    Phrase.ARTICLE_UNKNOWN: "لا أملك هذا المقال. انظر /articles لما أملكه.",
    Phrase.PRIVACY: (
        "أحتفظ باللغة التي اخترتها، وبالمحادثات المشتركة، وبآرائك 👍 و👎 تحت اسم لا يدلّ عليك، ولمدة {days} "
        "يومًا بالاقتباسات التي عرضتها. لا أحتفظ بأسئلتك. اكتب /privacy forget لأنسى كل ما يخصّك."
    ),
    Phrase.PRIVACY_QUESTIONS: (
        "أحتفظ بأسئلتك لأتعلّم منها، وباللغة التي اخترتها، وبالمحادثات المشتركة، وبآرائك 👍 و👎 تحت اسم لا يدلّ "
        "عليك، ولمدة {days} يومًا بالاقتباسات التي عرضتها. اكتب /privacy forget لأنسى ما أعرف أنه يخصّك."
    ),
    Phrase.FORGOTTEN: "تمّ: نسيت ما احتفظت به عنك.",
    Phrase.INLINE_ASK_ME: "لم أجد شيئًا – اسألني مباشرة",
    Phrase.INLINE_EMPTY: "اكتب سؤالًا، أو اسألني مباشرة",
    Phrase.ADD_HOW: "اكتب /add ثم عنوان صفحة، أو أرسل إليّ ملفًا، أو حوّل إليّ منشورًا.",
    Phrase.ADD_READING: "أقرأ {source} …",
    Phrase.ADD_TOO_BIG: "الملف أكبر من {limit} م.ب التي أستطيع جلبها.",
    Phrase.REMOVE_HOW: "افتح المقال من /articles واضغط «حذف»، أو اكتب /remove ثم معرّفه.",
    Phrase.REMOVE_SURE: "أأحذف هذا المقال؟",
    Phrase.OUTCOME_ADDED: "أُضيف: {title}",
    Phrase.OUTCOME_REPLACED: "استُبدل: {title}",
    Phrase.OUTCOME_SKIPPED: "تُرك: {title} ({reason})",
    Phrase.OUTCOME_REFUSED: "رُفض: {title} ({reason})",
    Phrase.OUTCOME_REMOVED: "حُذف: {title}",
    Phrase.OUTCOME_RESTORED: "أُعيد كما كان: {title}",
    Phrase.EDIT_FAILED: "تعذّر ذلك: {reason}",
    Phrase.REBUILDING: "أبني الفهرس …",
    Phrase.REBUILT: "يعمل الآن {name}: المقالات {articles}، المقاطع {passages}.",
    Phrase.STATUS: (
        "الفهرس {name}\nالمقالات {articles}\nأُجيب {answered}، واعتُذر {declined}\nفي الانتظار "
        "{waiting}\nالمشتركون {subscribers}\nمنذ {minutes} دقيقة"
    ),
    Phrase.FEEDBACK: "👍 {good}، 👎 {bad}. على الجهاز يكتبها الأمر newsquote feedback export أسئلةً للتقييم.",
    Phrase.EVIDENCE_QUOTE: "الاقتباس",
    Phrase.EVIDENCE_SCORE: "الدرجة",
    Phrase.EVIDENCE_LEAD: "التقدم على غيره",
    Phrase.EVIDENCE_DENSE_RANK: "الرتبة بالمعنى",
    Phrase.EVIDENCE_LEXICAL_RANK: "الرتبة بالكلمات",
    Phrase.EVIDENCE_RERANKER: "إعادة الترتيب",
    Phrase.EVIDENCE_WORDS: "الكلمات",
    Phrase.EVIDENCE_AROUND: "كلمات الجوار",
    Phrase.EVIDENCE_PASSAGE_WORDS: "كلمات المقطع",
    Phrase.EVIDENCE_ARTICLE_WORDS: "كلمات المقال",
    Phrase.EVIDENCE_BEST_PASSAGE_WORDS: "أفضل الكلمات",
    Phrase.EVIDENCE_EXACT: "الكلمات بنصها",
    Phrase.EVIDENCE_PASSAGE_EXACT: "المقطع بنصه",
    Phrase.EVIDENCE_COSINE: "المعنى",
    Phrase.EVIDENCE_PASSAGE_COSINE: "معنى المقطع",
    Phrase.EVIDENCE_BEST_COSINE: "أفضل معنى",
    Phrase.EVIDENCE_BM25: "درجة BM25",
    Phrase.EVIDENCE_WEAKEST: "أضعف كلمة",
    Phrase.EVIDENCE_AROUND_UNMET: "ناقص في الجوار",
    Phrase.EVIDENCE_UNMET: "ناقص في المقطع",
    Phrase.EVIDENCE_ARTICLE_UNMET: "ناقص في المقال",
    Phrase.EVIDENCE_ABSENT: "ما لم يرد قط",
    Phrase.EVIDENCE_KIND: "نوع الجواب",
    Phrase.EVIDENCE_LACKS: "خلو من النوع",
    Phrase.EVIDENCE_HEADING: "عنوان",
    Phrase.EVIDENCE_LENGTH: "طول السؤال",
    Phrase.EVIDENCE_RESPELT: "كلمات مصححة",
    Phrase.EVIDENCE_UNKNOWN: "أسماء مجهولة",
    Phrase.EVIDENCE_ALONE: "بلا منافس",
    Phrase.EVIDENCE_NUMBER: "السؤال عن عدد",
    Phrase.EVIDENCE_MONEY: "السؤال عن مبلغ",
    Phrase.EVIDENCE_SHARE: "السؤال عن نسبة",
    Phrase.EVIDENCE_DURATION: "السؤال عن مدة",
    Phrase.EVIDENCE_DATE: "السؤال عن موعد",
    Phrase.EVIDENCE_PERSON: "السؤال عن شخص",
    Phrase.EVIDENCE_PLACE: "السؤال عن مكان",
    Phrase.EVIDENCE_NAME: "السؤال عن اسم",
    Phrase.EVIDENCE_OPEN: "سؤال مفتوح",
}

TABLES: Mapping[Language, Mapping[Phrase, Template]] = {Language.EN: _ENGLISH, Language.AR: _ARABIC}

_MONTHS = {
    Language.EN: "January,February,March,April,May,June,July,August,September,October,November,December",
    Language.AR: "يناير,فبراير,مارس,أبريل,مايو,يونيو,يوليو,أغسطس,سبتمبر,أكتوبر,نوفمبر,ديسمبر",
}
_ARABIC_DIGITS = str.maketrans("0123456789,.%", "٠١٢٣٤٥٦٧٨٩٬٫٪")
_COMMAND = re.compile(r"(?<!\S)/[a-z]+(?: (?:en|ar|forget)\b| \{page\}| \d{4}-\d\d-\d\d)?")


def plural(count: int, language: Language) -> Plural:
    """The plural form that `count` takes, by the rules of the Unicode CLDR."""
    if language is Language.EN:
        return Plural.ONE if count == 1 else Plural.OTHER
    if count <= 2:
        return (Plural.ZERO, Plural.ONE, Plural.TWO)[count]
    if 3 <= count % 100 <= 10:
        return Plural.FEW
    return Plural.MANY if count % 100 >= 11 else Plural.OTHER


def number(value: int, language: Language) -> str:
    """A whole number with its thousands marked, in the digits readers of `language` use."""
    return _digits(f"{value:,}", language)


def percent(share: float, language: Language) -> str:
    """A share from 0 to 1 as whole per cent."""
    return _digits(f"{share:.0%}", language)


def figure(value: float, language: Language) -> str:
    """A measurement: a whole number as it is, any other to two places."""
    return _digits(f"{value:.0f}" if float(value).is_integer() else f"{value:z.2f}", language)


def date(published: str, language: Language) -> str:
    """The day of an ISO 8601 date or time, written out: "24 November 2026"."""
    day = dt.datetime.fromisoformat(published)
    month = _MONTHS[language].split(",")[day.month - 1]
    return _digits(f"{day.day} {month} {day.year}", language)


def say(phrase: Phrase, language: Language, **values: str | int) -> str:
    """The sentence with its places filled.

    Whole numbers are written as `language` writes them, but for `page`, which is to be typed. Words that run in the
    other direction than the sentence are isolated, so that what follows them keeps its place.

    Raises:
        KeyError: a place without a value.
    """
    template = TABLES[language][phrase]
    if not isinstance(template, str):
        count = values["count"]
        assert isinstance(count, int)
        template = template[plural(count, language)]
    if language is Language.AR:  # a command's slash, or the day after it, would move to its other end
        template = _COMMAND.sub(lambda match: f"{FSI}{match.group()}{PDI}", template)
    return template.format_map({name: _filling(name, value, language) for name, value in values.items()})


def _filling(name: str, value: str | int, language: Language) -> str:
    if isinstance(value, int):
        return str(value) if name == "page" else number(value, language)
    against = {"L"} if language is Language.AR else {"R", "AL"}
    foreign = any(unicodedata.bidirectional(ch) in against for ch in value)
    return f"{FSI}{value}{PDI}" if foreign else value


def _digits(text: str, language: Language) -> str:
    return text.translate(_ARABIC_DIGITS) if language is Language.AR else text
