"""A link that opens the article at the quoted words: a URL with a text fragment.

The form is that of the WICG draft "URL Fragment Text Directives": `#:~:text=start,end`, percent-encoded, where a
comma, an ampersand and a hyphen inside the words are encoded too.
"""

from __future__ import annotations

from urllib.parse import quote, urldefrag

_WHOLE = 12
_EDGE = 5


def link_to(url: str | None, words: str) -> str | None:
    """`url` with a fragment that marks `words`; None without a URL.

    Of more than twelve words only the first and the last five are named, as the draft allows. Words that run
    over a paragraph's end are named up to it: a browser finds the ends of a range in one block each.
    """
    if url is None:
        return None
    found = words.split("\n\n")[0].split()
    if not found:
        return url
    parts = [found] if len(found) <= _WHOLE else [found[:_EDGE], found[-_EDGE:]]
    directive = ",".join(quote(" ".join(part), safe="").replace("-", "%2D") for part in parts)
    return f"{urldefrag(url).url}#:~:text={directive}"
