"""How answers, lists of articles, explanations and help look, as rich text: pure, for a terminal and for Telegram."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum, auto

from bot.conversation import languages
from bot.conversation.dialogue import Explain, Help, Leave, Say, Show, Widen
from bot.conversation.languages import Language
from bot.conversation.phrases import FSI, LRM, PDI, RLM, Phrase, say
from bot.conversation.rich_text import (
    ENDLESS,
    MessageRoom,
    Rich,
    Style,
    Styled,
    has_letters,
    joined,
    one_line,
    right_to_left,
)
from corpus.article import Article, Span
from retrieval.results import Answer, Quote

LONG = 480  # code points; a passage beyond them folds up around its best sentence, or shows its paragraphs alone
NEAR = 160  # code points; what is left of a long passage on either side stays open up to here
ALSO = 5  # articles that say the same; more are left out


class QuoteLook(StrEnum):
    """How a quote is set off: in quotation marks, for lines of text, or in blocks, for a messenger."""

    MARKS = auto()
    BLOCKS = auto()


def reply(
    turn: Say | Help | Show | Widen | Explain | Leave,
    *,
    look: QuoteLook,
    room: MessageRoom = ENDLESS,
    commands: Sequence[str] = (),
) -> Rich:
    """The rich text of a reply. `commands` are those that help explains, without their slash."""
    match turn:
        case Say() | Leave():
            return Rich(turn.text)
        case Help():
            return help_text(commands, turn.language)
        case Show():
            return answer(turn.answer, turn.language, first=turn.first, count=turn.count, look=look, room=room)
        case Widen():
            return wider(turn.quote, turn.language, look=look, room=room)
        case _:  # Explain
            return why(turn.answer, turn.language, room=room)


def answer(
    answer: Answer, language: Language, *, first: int = 0, count: int = 1, look: QuoteLook, room: MessageRoom = ENDLESS
) -> Rich:
    """Quotes of an answer with their sources, as many whole ones as fit.

    `count` of them from index `first`. What declined or only may answer says so before its first quote. Where not even
    one fits, its best sentence is shown, else its source alone. Empty only where not even one line fits.
    """
    quotes = answer.quotes[first : first + count]
    head = Rich("")
    if not answer.answered and first == 0:
        nearest = Phrase.NEAREST if len(quotes) == 1 else Phrase.NEAREST_SEVERAL
        said = [Phrase.NOT_FOUND, nearest] if quotes else [Phrase.NOT_FOUND]
        head = Rich(" ".join(say(phrase, language) for phrase in said))
    elif not answer.certain and first == 0:
        head = Rich(say(Phrase.MAY_ANSWER, language))
    if not quotes:
        return room.fill([head], "")
    for opening in (_whole, _sentence, _source_alone):
        shown = room.fill([joined([head, opening(quotes[0], language, look)], "\n\n")], "")
        if shown.text:
            rest = (_whole(each, language, look) for each in quotes[1:])
            return room.fill([shown, *rest], "\n\n")
    return room.fill([head if head.text else Rich(say(Phrase.TOO_LONG_TO_SHOW, language))], "")


def wider(quote: Quote, language: Language, *, look: QuoteLook, room: MessageRoom = ENDLESS) -> Rich:
    """A quote with the text around it, highlights marked; the quote alone where that does not fit."""
    address = Rich(quote.article.url or "") if look is QuoteLook.MARKS else Rich("")
    around = _excerpt(quote, _trimmed(quote.article, quote.context), look)
    whole = joined([around, _under(quote, language, look), address], "\n")
    if room.holds(whole):
        return whole
    alone = Answer(question="", answered=True, confidence=1, quotes=(quote,), snapshot="", took_ms=0)
    return answer(alone, language, look=look, room=room)


def source(article: Article, language: Language, *, link: str | None = None) -> Rich:
    """The line under a quote: title, outlet and date, the title linking to `link` or else to the article."""
    url = link or article.url
    title = Rich(one_line(article.title))
    pieces = [title.styled(Style.LINK, url) if url else title]
    if article.source:
        pieces.append(Rich(one_line(article.source)))
    if article.published:
        pieces.append(Rich(languages.date(article.published, language)))
    if len({right_to_left(piece.text) for piece in pieces if has_letters(piece.text)}) > 1:
        pieces = [Rich(FSI) + piece + Rich(PDI) for piece in pieces]
        pieces[0] = (
            Rich(RLM if language.right_to_left else LRM) + pieces[0]
        )  # what is isolated gives a line no direction
    return joined(pieces, " · ")


def articles(
    listed: Sequence[Article],
    language: Language,
    *,
    first: int = 0,
    count: int | None = None,
    head: Rich | None = None,
    room: MessageRoom = ENDLESS,
) -> Rich:
    """How many articles there are, or `head`, and `count` of them from index `first`, numbered, as many as fit."""
    if not listed:
        return Rich(say(Phrase.NO_ARTICLES, language))
    if first >= len(listed):
        return Rich(say(Phrase.NO_SUCH_PAGE, language, page=first // (count or 1) + 1))
    head = head or Rich(say(Phrase.ARTICLE_COUNT, language, count=len(listed)))
    last = len(listed) if count is None else min(first + count, len(listed))
    lines = (
        Rich(f"{languages.number(place + 1, language)}. ") + source(listed[place], language)
        for place in range(first, last)
    )
    return room.fill([head, *lines], "\n")


def why(answer: Answer, language: Language, *, room: MessageRoom = ENDLESS) -> Rich:
    """The confidence behind answering or declining, and the evidence of each quote, one column per quote."""
    if not answer.quotes:
        return room.fill([Rich(say(Phrase.WHY_NOTHING, language))], "")
    stated = Phrase.WHY_ANSWERED if answer.certain else Phrase.WHY_UNSURE
    decided = stated if answer.answered else Phrase.WHY_DECLINED
    head = Rich(say(decided, language, confidence=languages.percent(answer.confidence, language)))
    quotes = answer.quotes[:5]
    names = dict.fromkeys(name for quote in quotes for name in quote.evidence)
    rows = [
        [
            say(Phrase.EVIDENCE_QUOTE, language),
            *(languages.number(place, language) for place in range(1, len(quotes) + 1)),
        ],
        *([_named(name, language), *(_figure(q.evidence.get(name), language) for q in quotes)] for name in names),
        [say(Phrase.EVIDENCE_SCORE, language), *(languages.figure(quote.score, language) for quote in quotes)],
    ]
    decisive = [[_named(name, language), languages.figure(value, language)] for name, value in answer.evidence.items()]
    tables = [_table(rows, language).styled(Style.CODE) for rows in (rows, decisive) if rows]
    return room.fill([head, *tables], "\n\n")


def help_text(commands: Sequence[str], language: Language) -> Rich:
    """How to ask, and what the commands do."""
    return Rich(f"{say(Phrase.HELP, language)} ") + command_list(commands, language)


def command_list(commands: Sequence[str], language: Language) -> Rich:
    """A line for each command."""
    left, right = (FSI, PDI) if language.right_to_left else ("", "")
    lines = (f"{left}/{name}{right} – " + say(Phrase(f"command_{name}"), language) for name in commands)
    return Rich("\n".join([say(Phrase.COMMANDS, language), *lines]))


def _whole(quote: Quote, language: Language, look: QuoteLook) -> Rich:
    blocks = _folded(quote) if look is QuoteLook.BLOCKS else [_paragraphs(quote)]
    best = _best(quote)
    shown = [
        _excerpt(quote, block, look, expandable=not (block.start <= best.start and best.end <= block.end))
        for block in blocks
    ]
    return joined([*shown, _under(quote, language, look)], "\n")


def _sentence(quote: Quote, language: Language, look: QuoteLook) -> Rich:
    return joined([_excerpt(quote, _best(quote), look), _under(quote, language, look)], "\n")


def _source_alone(quote: Quote, language: Language, look: QuoteLook) -> Rich:
    return joined([Rich(say(Phrase.TOO_LONG_TO_SHOW, language)), _under(quote, language, look)], "\n")


def _under(quote: Quote, language: Language, look: QuoteLook) -> Rich:
    line = joined([source(quote.article, language, link=quote.link), _also_in(quote.also_in, language)], "\n")
    return line.styled(Style.DIM) if look is QuoteLook.MARKS else line


def _also_in(others: Sequence[Article], language: Language) -> Rich:
    """Links to other articles that say the same, named by their outlet or else their title."""
    if not others:
        return Rich("")
    head = Rich(say(Phrase.ALSO_IN, language))
    names = [(one_line(a.source or a.title), a.url) for a in others[:ALSO]]
    if len({right_to_left(text) for text in (head.text, *(name for name, _ in names)) if has_letters(text)}) > 1:
        names = [(FSI + name + PDI, url) for name, url in names]
    shown = [Rich(name).styled(Style.LINK, url) if url else Rich(name) for name, url in names]
    return head + Rich(" ") + joined([*shown, *([Rich("…")] if len(others) > ALSO else [])], ", ")


def _folded(quote: Quote) -> list[Span]:
    """The quote in one block, or a long one in up to three: before, around and after its best sentence."""
    whole, best = _trimmed(quote.article, quote.span), _best(quote)
    if whole.end - whole.start <= LONG:
        return [whole]
    start = whole.start if best.start - whole.start <= NEAR else best.start
    end = whole.end if whole.end - best.end <= NEAR else best.end
    parts = (Span(whole.start, start), Span(start, end), Span(end, whole.end))
    return [_trimmed(quote.article, part) for part in parts if quote.article.text[slice(*part)].strip()]


def _paragraphs(quote: Quote) -> Span:
    """The quote, or of a long one the whole paragraphs that hold its best two sentences, or else its best one."""
    whole = _trimmed(quote.article, quote.span)
    if whole.end - whole.start <= LONG:
        return whole
    text = quote.article.text
    for marks in (quote.highlights[:2], quote.highlights[:1]):
        first, last = min((m.start for m in marks), default=whole.start), max((m.end for m in marks), default=whole.end)
        start = max(whole.start, text.rfind("\n", whole.start, first) + 1)
        end = text.find("\n", len(text[:last].rstrip()), whole.end)
        shown = _trimmed(quote.article, Span(start, whole.end if end < 0 else end))
        if shown.end - shown.start <= 2 * LONG:
            break
    return shown


def _best(quote: Quote) -> Span:
    return _trimmed(quote.article, quote.highlights[0] if quote.highlights else quote.span)


def _excerpt(quote: Quote, span: Span, look: QuoteLook, *, expandable: bool = False) -> Rich:
    """The article's words in `span`, set off as a quote: the best sentence marked, the words that answer in bold.

    In lines, its other highlights are underlined; in a messenger that would look like links.
    """
    spans: list[Styled] = []
    for place, highlight in enumerate(quote.highlights[: 1 if look is QuoteLook.BLOCKS else None]):
        start, end = _trimmed(quote.article, highlight)
        start, end = max(start, span.start) - span.start, min(end, span.end) - span.start
        if start < end and all(end <= other.start or other.end <= start for other in spans):
            spans.append(Styled(start, end, _mark(quote, look, place)))
            if not place:
                spans += _answering_words(quote, span)
    words = Rich(quote.article.text[slice(*span)], tuple(spans))
    quoted = words.styled(Style.EXPANDABLE_QUOTE if expandable else Style.QUOTE)
    if look is QuoteLook.BLOCKS:
        return quoted
    left, right = "«»" if right_to_left(words.text) else '""'
    return Rich(left) + quoted + Rich(right)


def _mark(quote: Quote, look: QuoteLook, place: int) -> Style:
    """How the highlight in this place looks: the best one is bold, or else only the words in it that answer are."""
    if place:
        return Style.UNDERLINE
    if quote.answer is None:
        return Style.BOLD
    return Style.ITALIC if look is QuoteLook.BLOCKS else Style.UNDERLINE


def _answering_words(quote: Quote, span: Span) -> list[Styled]:
    if quote.answer is None or not span.start <= quote.answer.start < quote.answer.end <= span.end:
        return []
    return [Styled(quote.answer.start - span.start, quote.answer.end - span.start, Style.BOLD)]


def _trimmed(article: Article, span: Span) -> Span:
    """The span without the white space at its ends."""
    words = article.text[slice(*span)]
    start = span.start + len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip()))


def _named(evidence: str, language: Language) -> str:
    return say(Phrase(f"evidence_{evidence.replace(' ', '_')}"), language)


def _figure(value: float | None, language: Language) -> str:
    return "–" if value is None else languages.figure(value, language)


def _table(rows: Sequence[Sequence[str]], language: Language) -> Rich:
    """Rows of cells in columns, the first to the side where reading begins, figures to the right.

    A row that opens with an Arabic word runs from right to left, and so do its columns: there a figure is at the right
    of its column where the spaces come after it.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = str.ljust if language.right_to_left else str.rjust
    sides = [str.ljust, *([figures] * (len(widths) - 1))]
    lines = ((side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)) for row in rows)
    return Rich("\n".join("  ".join(line) for line in lines))
