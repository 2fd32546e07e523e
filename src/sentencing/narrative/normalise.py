"""Mends what printing did to a text, and remembers where every character stood.

The report is set in columns: page headers stand inside sentences, sentences and numbers are glued to the next word,
and some glyphs come out as others. Rules read the mended text; what they cite are offsets in the text as given.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from .vocabulary import words

# A header is a page number and the name of a country in capitals, glued to what follows (or the other way round).
# Few characters can begin one: they are asked for first, as in other patterns that are tried at every character.
_NAME = r"[A-Z][A-Z'’,\- ]{2,40}"
_HEADER = re.compile(
    rf"(?=[A-Z\d])(?:(?<![A-Z\d])\d{{1,6}}(?P<after>{_NAME})|(?<=[a-z,;.] )(?P<before>{_NAME}?)\d{{2,6}}(?=[a-z(]))"
)
_OPENERS = words(
    "A After All Also Although An Anti Article As At Authorities Both By Courts Despite Due During Each Experts For "
    "From Government However If In It Its Judges Labor Law Local Many Media Most NGO Nearly New Observers Of Officials "
    "On One Other Police Prosecutors Sex Since Some Such The Their There These They This Those Though To Traffickers "
    "Two Under Victims When While With"
)
_GLYPHS = {
    **dict.fromkeys("Š—–", " - "),
    **dict.fromkeys("“”„ﬁﬂ", '"'),
    **dict.fromkeys("’‘‚", "'"),
    "•": "€",
}
_LIGATURES = {"ﬁ": "fi", "ﬂ": "fl"}
# One pass over the text: a glyph, white space other than one blank, a full stop glued to the next sentence, and where
# a number and a word run into each other.
_DAMAGE = re.compile(
    rf"[{''.join(_GLYPHS)}]| \s+|[^\S ]\s*|[.;](?<=[a-z)\]\"\d%].)(?=[A-Z\"ﬁ“])"
    r"|(?<=\d)(?=[a-z]{3})|(?=\d{2})(?<=[a-z]{2})"
)


@dataclass(frozen=True)
class Clean:
    """A mended text and the way back.

    Attributes
    ----------
    text : str
        The mended text, which rules read.
    original : str
        The text as given.
    """

    text: str
    original: str
    _starts: list[int] = field(repr=False)
    _origins: list[int] = field(repr=False)
    _copied: list[bool] = field(repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the mended `text[start:end]` stands in the text as given, as half-open offsets."""
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"no characters between {start} and {end}")
        first, last = self._origin(start), self._origin(end - 1)
        return first, max(first, min(last + 1, len(self.original)))

    def _origin(self, position: int) -> int:
        piece = bisect_right(self._starts, position) - 1
        return self._origins[piece] + (position - self._starts[piece] if self._copied[piece] else 0)


def normalise(original: str) -> Clean:
    """Mend a text in time linear in its length.

    Page headers go; dashes become " - ", curly quotes straight ones, runs of white space one blank; a full stop gets
    the blank that glued sentences lost, and a number is parted from a word that runs into it.
    """
    glyphs = _GLYPHS | _LIGATURES if re.search(r"[a-z][ﬁﬂ][a-z]", original) else _GLYPHS
    pieces, starts, origins, copied, length = [], [], [], [], 0

    def put(piece: str, origin: int, copy: bool):
        nonlocal length
        if piece:
            pieces.append(piece)
            starts.append(length)
            origins.append(origin)
            copied.append(copy)
            length += len(piece)

    def copy(start: int, end: int):
        at = start
        for damage in _DAMAGE.finditer(original, start, end):
            put(original[at : damage.start()], at, True)
            put(_mended(damage[0], glyphs), damage.start(), False)
            at = damage.end()
        put(original[at:end], at, True)

    done = 0
    for header in _HEADER.finditer(original):
        end = _header_end(header, original)
        if header.start() < done or end is None:
            continue
        copy(done, header.start())
        if pieces and not pieces[-1][-1].isspace():
            put(" ", header.start(), False)
        done = end
    copy(done, len(original))
    return Clean("".join(pieces), original, starts, origins, copied)


def _mended(found: str, glyphs: dict[str, str]) -> str:
    return glyphs.get(found) or f"{found.strip()} "


def _header_end(header: re.Match, original: str) -> int | None:
    """Where a page header ends; None where the capitals are an acronym of the text rather than a country's name."""
    if header["before"] is not None:
        return header.end() if len(header["before"].strip()) > 3 else None
    end = header.end()
    while end > header.start("after") and not original[end - 1].isupper():
        end -= 1
    word = re.compile(r"[A-Z][a-z]+|A(?= )").match(original, end - 1)
    if word and (word[0] in _OPENERS or re.fullmatch(r"[A-Z][a-z]{1,2}", word[0])) and word[0] != "A":
        end -= 1
    name = original[header.start("after") : end].strip()
    return end if len(name) > 3 else None
