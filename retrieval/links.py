"""Links that open an article at the quoted words: URLs with a text fragment.

The form is that of the WICG draft "URL Fragment Text Directives": `#:~:text=start,end`, percent-encoded, including
commas, ampersands and hyphens inside the words.
"""

from __future__ import annotations

from urllib.parse import quote, urldefrag

_MAX_WHOLE_WORDS = 12
_EDGE_WORDS = 5


def link_to(url: str | None, words: str) -> str | None:
    """`url` with a fragment that highlights `words`; None without a URL.

    Of more than twelve words, the fragment holds only the first and the last five, as the draft allows. Words that
    cross the end of a paragraph are cut there, because a browser looks for each end of a range within one block.
    """
    if url is None:
        return None
    found = words.split("\n\n")[0].split()
    if not found:
        return url
    parts = [found] if len(found) <= _MAX_WHOLE_WORDS else [found[:_EDGE_WORDS], found[-_EDGE_WORDS:]]
    directive = ",".join(quote(" ".join(part), safe="").replace("-", "%2D") for part in parts)
    return f"{urldefrag(url).url}#:~:text={directive}"
