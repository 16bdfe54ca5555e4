"""The same question as others would put it: politely, spoken, in passing, as search words, with a slip. Seeded."""

from __future__ import annotations

import random
import re

BEFORE = (
    "can you tell me {q}", "could you tell me {q}", "can you please tell me {q}", "please tell me {q}", "tell me {q}",
    "do you know {q}", "do you happen to know {q}", "hey, do you know {q}", "hi, {q}", "hello! {q}", "hey {q}",
    "ok so {q}", "ok, {q}", "okay so {q}", "so {q}", "so, {q}", "and {q}", "but {q}", "well, {q}", "um, {q}",
    "btw {q}", "btw, {q}", "by the way, {q}", "quick question: {q}", "quick question - {q}", "question: {q}",
    "I was wondering {q}", "I was wondering, {q}", "i'm wondering {q}", "just wondering, {q}", "I wonder {q}",
    "for my homework: {q}", "for a school project, {q}", "I need to know {q}", "i want to know {q}",
    "I'd like to know {q}", "I would like to know {q}", "does anyone know {q}", "any idea {q}", "remind me, {q}",
    "my mum asks: {q}", "my friend wants to know {q}", "sorry, {q}", "excuse me, {q}", "one more thing: {q}",
    "I read something about this, {q}", "I missed the news. {q}", "according to the article, {q}",
    "according to the news, {q}", "what does the article say: {q}", "in the news story, {q}", "help me out, {q}",
)  # fmt: skip
"""Put before a question; {q} is the question with a small first letter."""

AFTER = (
    " please", ", please", " pls", " thanks", ", thanks", " thank you", " thx", " exactly", " again", ", do you know",
    " by the way", " if you know", " according to the article", " I forgot", " lol", " then", ", roughly",
    ", can you tell me", " cheers",
)  # fmt: skip
"""Put behind a question, before its mark."""

STOP = frozenset((
    "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "and", "or", "is", "are", "was",
    "were", "be", "been", "being", "do", "does", "did", "has", "have", "had", "can", "could", "will", "would",
    "should", "may", "might", "must", "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "that",
    "this", "these", "those", "it", "its", "he", "she", "his", "her", "they", "their", "them", "there", "about", "as",
    "into", "after", "before", "during", "than", "then", "so", "such", "some", "any", "many", "much", "not",
))  # fmt: skip
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def reworded(question: str, rng: random.Random, share: float = 0.4) -> str:
    """The question, or at `share` of the times another wording of it."""
    drawn = rng.random()
    if drawn >= share:
        return question
    part = drawn / share
    if part < 0.5:
        return wrapped(question, rng)
    if part < 0.66:
        return _plain(question)
    if part < 0.84:
        return slipped(question, rng)
    return keywords(question)


def wrapped(question: str, rng: random.Random) -> str:
    """The question among polite or spoken words."""
    plain = question.strip()
    mark = "?" if plain.endswith("?") and rng.random() < 0.7 else ""
    plain = plain.rstrip(" ?")
    way = rng.random()
    if way < 0.8:
        plain = rng.choice(BEFORE).format(q=plain[:1].lower() + plain[1:])
    if way >= 0.6:
        plain += rng.choice(AFTER)
    return plain + mark


def _plain(question: str) -> str:
    return " ".join(re.sub(r"[^\w\s'’.-]", " ", question.lower()).rstrip(" .").split())


def slipped(question: str, rng: random.Random) -> str:
    """The question with one letter of a longer word missing, doubled, swapped or hit beside."""
    places = [match.span() for match in re.finditer(r"[A-Za-z]{5,}", question)]
    if not places:
        return question
    start, end = rng.choice(places)
    word, at = question[start:end], rng.randrange(1, end - start - 1)
    way = rng.randrange(4)
    if way == 0:
        word = word[:at] + word[at + 1 :]
    elif way == 1:
        word = word[:at] + word[at] + word[at:]
    elif way == 2:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    else:
        word = word[:at] + rng.choice(_NEAR[word[at].lower()]) + word[at + 1 :]
    return question[:start] + word + question[end:]


def keywords(question: str) -> str:
    """The question's content as somebody types it into a search box; the question where too little would be left."""
    kept = [word for word in re.findall(r"[\w'’.-]*\w", question) if word.lower() not in STOP]
    return " ".join(kept) if len(kept) >= 3 else question


def swapped(question: str, text: str, names: list[str], rng: random.Random) -> str | None:
    """The question about another name or year than the text's, so that the text does not answer; None without one.

    Only a name that the text has is exchanged, for one of as many words that it has not.
    """
    spans = [match.span() for match in named(question)]
    spans = [span for span in spans if question[span[0] : span[1]] in text]
    if not spans:
        return None
    start, end = rng.choice(spans)
    old = question[start:end]
    if old.isdigit():
        new = str(int(old) + rng.choice((-4, -3, -2, -1, 1, 2, 3, 5)))
        return None if new in text else question[:start] + new + question[end:]
    for _ in range(30):
        new = rng.choice(names)
        low = text.lower()
        if len(new.split()) == len(old.split()) and not any(word.lower() in low for word in new.split()):
            return question[:start] + new + question[end:]
    return None


def named(question: str) -> list[re.Match[str]]:
    """Runs of capitalised words after the first word, and years."""
    found = re.finditer(r"(?<=[a-z,] )[A-Z][\w'’.-]*[a-z](?: [A-Z][\w'’.-]*\w)*|\b(?:19|20)\d\d\b", question)
    return [match for match in found if match.start()]
