"""From a page of the report to the sections of a narrative, or a reason why not.

The pages' layouts have changed many times: headings as <h2> or <h3>, as a bold paragraph, as bold words at the
beginning of a paragraph, or in capitals glued to the text after them; text in paragraphs, lists, tables or broken
by <br>. So a page is first taken apart into lines, each with what is known of its look, and headings are found
among these. A line ends where a block element begins or ends, and at <br>.

What is known of the pages comes from stored copies, most of them of their text alone: the first line ("SERBIA: Tier 2"
and "SERBIA: TIER 2 WATCH LIST" to 2021, "SERBIA (Tier 2)" since, in <h2> as another project reads it), the headings
(RECOMMENDATIONS FOR SERBIA in 2017, PRIORITIZED RECOMMENDATIONS later, with and without a colon; PROSECUTION,
PROTECTION, PREVENTION, TRAFFICKING PROFILE), recommendations as a list or as one paragraph with bullets, and the
container's class `entry-content` of 2019. Which element holds the headings in which year could not be confirmed.

A page is read whole or not at all: a heading that is not known between two that are, a missing, repeated or too
short section, another country or another edition is a `LayoutError`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bs4 import BeautifulSoup, CData, NavigableString, Tag
from bs4.exceptions import ParserRejectedMarkup

from . import addresses

SECTIONS = ("intro", "recommendations", "prosecution", "protection", "prevention", "trafficking_profile",
            "government_efforts")  # fmt: skip
HEADINGS = {
    "recommendations": r"(?:prioriti[sz]ed )?recommendations(?: for [^:•]{3,60}?)?",
    "prosecution": r"prosecution",
    "protection": r"protection",
    "prevention": r"prevention",
    "trafficking_profile": r"(?:human )?trafficking profile|scope and magnitude",
    "government_efforts": r"government efforts",
}
# A special case (a country at war, say) is told in one section of efforts instead of the usual four.
USUAL = ("recommendations", "prosecution", "protection", "prevention")
SPECIAL = ("government_efforts",)

# Far below any narrative; a page below them is an error page or a stub.
MIN_SECTION, MIN_NARRATIVE = 60, 1000  # characters
MAX_TITLE = 120  # characters
# More than this after the last section, under a heading that is not known, may be a new section.
MAX_REST = 500  # characters

TITLE = re.compile(r"(?P<country>[^():]{2,80}?)\s*(?:\(\s*|[:–—-]\s*)(?P<tier>tier\s*[123].*|special case.*)", re.I)
EDITION = re.compile(r"\b(20\d\d)\s+Trafficking in Persons Report", re.I)
CLOSING = re.compile(
    r"(?:tags\b|share\b|related\b|back to top|footnotes?\b|in this section|the office of (?:website management|"
    r"electronic information|global public affairs|the historian))",
    re.I,
)
GLUED = re.compile(
    r"(PRIORITI[SZ]ED RECOMMENDATIONS|RECOMMENDATIONS FOR [^a-z:•]{3,60}?(?=:)|PROSECUTION|PROTECTION|PREVENTION|"
    r"TRAFFICKING PROFILE|SCOPE AND MAGNITUDE|GOVERNMENT EFFORTS)\s*[:.]?\s*(?=[•\"“]|[A-Z][a-z ]|$)"
)

SKIPPED = {"script", "style", "noscript", "template", "svg", "nav", "footer", "aside", "form", "button", "iframe",
           "select", "head", "figcaption"}  # fmt: skip
INLINE = {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "img", "ins", "mark",
          "q", "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "wbr"}  # fmt: skip
FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:nav|menu|breadcrumbs?|footer|share|sharing|social|sidebar|related|cookies?|banner|toc)(?:$|[\s_-])",
    re.I,
)


class LayoutError(ValueError):
    """The page is not laid out as any that is known here; the message says in what."""


@dataclass
class Line:
    """A line of a page: its text, the bold words it begins with, and how deep a heading it is (0: none)."""

    text: str
    bold: str
    linked: bool
    depth: int
    place: tuple[Tag, ...] = field(repr=False, default=())


def parse(content: bytes, iso3: str, year: int, encoding: str | None = None) -> dict[str, str]:
    """The sections of a country's narrative, by name; a section that the page does not have is empty.

    Parameters
    ----------
    content : bytes
        The page.
    iso3, year
        Of which country and edition it has to be.
    encoding : str, optional
        As the server named it; else it is taken from the page.

    Raises
    ------
    LayoutError
        When the page is not a narrative of the country and year in a layout known here.
    """
    try:
        soup = BeautifulSoup(content, "html.parser", from_encoding=encoding)
    except ParserRejectedMarkup as error:
        raise LayoutError(f"it cannot be read as HTML ({error})") from None
    _check_edition(soup, year)
    try:
        lines = [line for line in _lines(soup) if line.text]
    except RecursionError:
        raise LayoutError("its elements are nested too deeply to be read") from None
    found = [(i, kind) for i, line in enumerate(lines) if (kind := _kind(line))]
    if not found:
        raise LayoutError("none of the known headings is on the page")
    title = _find_title(lines, found[0][0], iso3)
    repeated = sorted({kind for _, kind in found if [k for _, k in found].count(kind) > 1})
    if repeated:
        raise LayoutError(f"more than one heading for {', '.join(repeated)}")
    last, end = found[-1][0], _end_of_container(lines, [title, *(i for i, _ in found)])
    deepest = max(lines[i].depth or 7 for i, _ in found)
    starts = dict(found)
    sections = {name: [] for name in SECTIONS}
    sections["intro"].append(lines[title].text[len(_title_words(lines[title])) :].lstrip(" :.–—-"))
    kind = "intro"
    for i in range(title + 1, end):
        line = lines[i]
        if i in starts:
            kind = starts[i]
            sections[kind].append(_rest(line))
        elif i > last and CLOSING.match(line.text):
            break
        elif _is_unknown_heading(line, deepest):
            if i < last:
                raise LayoutError(f"a heading that is not known: {line.text[:60]!r}")
            if sum(len(rest.text) for rest in lines[i + 1 : end]) > MAX_REST:
                raise LayoutError(f"after the last section more text, under a heading not known: {line.text[:60]!r}")
            break
        else:
            sections[kind].append(line.text)
    narrative = {name: "\n".join(filter(None, texts)) for name, texts in sections.items()}
    _check_whole(narrative)
    return narrative


def _check_edition(soup: BeautifulSoup, year: int) -> None:
    heads = " ".join(tag.get_text(" ") for tag in soup.find_all(["title", "h1"]))
    years = {int(found) for found in EDITION.findall(heads)}
    if years and year not in years:
        raise LayoutError(f"the page is of the edition of {', '.join(map(str, sorted(years)))}, not of {year}")


def _find_title(lines: list[Line], first: int, iso3: str) -> int:
    """Where the line stands that names the country and its tier; the last such line before the first heading."""
    titles = [(i, found) for i, line in enumerate(lines[:first]) if (found := TITLE.fullmatch(_title_words(line)))]
    if not titles:
        raise LayoutError("no line with the country and its tier, such as 'SERBIA (Tier 2)', before the first heading")
    i, found = titles[-1]
    if not addresses.same_country(found["country"], iso3):
        raise LayoutError(f"the page is headed {lines[i].text[:60]!r}, which is not {addresses.names(iso3)[0]}")
    return i


def _title_words(line: Line) -> str:
    """The words of a line that may be a title: all, or of a longer line the bold ones it begins with."""
    return line.text if len(line.text) <= MAX_TITLE else line.bold[:MAX_TITLE]


def _end_of_container(lines: list[Line], known: list[int]) -> int:
    """The line after the last one in the smallest element that holds all of `known`: what follows is furniture."""
    shared = lines[known[0]].place
    for i in known[1:]:
        both = zip(shared, lines[i].place, strict=False)
        shared = tuple(a for a, b in both if a is b)
    inside = [i for i, line in enumerate(lines) if not shared or any(tag is shared[-1] for tag in line.place)]
    return inside[-1] + 1


def _kind(line: Line) -> str | None:
    """The section that a line opens, if it is the whole line, the bold words it begins with, or glued to the text."""
    if line.linked:
        return None
    for words in (line.text, line.bold):
        for kind, pattern in HEADINGS.items():
            if re.fullmatch(pattern, words.rstrip(" :.–—-"), re.I):
                return kind
    if glued := GLUED.match(line.text):
        return next(kind for kind, pattern in HEADINGS.items() if re.fullmatch(pattern, glued[1], re.I))
    return None


def _rest(line: Line) -> str:
    """What follows the heading in its own line."""
    for words in (line.text, line.bold):
        if any(re.fullmatch(pattern, words.rstrip(" :.–—-"), re.I) for pattern in HEADINGS.values()):
            return line.text[len(words) :].lstrip(" :.–—-")
    return line.text[GLUED.match(line.text).end() :]


def _is_unknown_heading(line: Line, deepest: int) -> bool:
    """A heading tag as high as the known ones, or, where these are mere paragraphs, a bold line in capitals."""
    if line.depth:
        return line.depth <= deepest
    return deepest == 7 and line.bold == line.text and line.text.isupper() and 3 < len(line.text) <= 80


def _check_whole(narrative: dict[str, str]) -> None:
    usual = narrative["prosecution"] or narrative["protection"] or narrative["prevention"]
    needed = USUAL if usual or not narrative["government_efforts"] else SPECIAL
    missing = [name for name in needed if not narrative[name]]
    if missing:
        raise LayoutError(f"no heading, or no text, for {', '.join(missing)}")
    short = [name for name in ("intro", *needed) if len(narrative[name]) < MIN_SECTION]
    if short:
        raise LayoutError(f"fewer than {MIN_SECTION} characters in {', '.join(short)}")
    n = sum(map(len, narrative.values()))
    if n < MIN_NARRATIVE:
        raise LayoutError(f"{n} characters in all; a narrative has at least {MIN_NARRATIVE}")


# --- Lines --------------------------------------------------------------------------------------------------------


def _lines(soup: BeautifulSoup) -> Iterator[Line]:
    line: list[tuple[str, bool, bool]] = []
    depth: int = 0
    place: tuple[Tag, ...] = ()
    for text, bold, linked, now_depth, now_place, breaks in _runs(soup, False, False, 0, ()):
        if breaks:
            if line:
                yield _line(line, depth, place)
            line = []
        else:
            if not line:
                depth, place = now_depth, now_place
            line.append((text, bold, linked))
    if line:
        yield _line(line, depth, place)


def _runs(tag: Tag, bold: bool, linked: bool, depth: int, place: tuple[Tag, ...]) -> Iterator[tuple]:
    """Pieces of text with their look, and breaks between lines, in the page's order."""
    for child in tag.children:
        if type(child) in (NavigableString, CData):
            yield str(child), bold, linked, depth, place, False
        elif isinstance(child, Tag) and not _is_furniture(child):
            if child.name in INLINE:
                look = bold or child.name in ("b", "strong") or _is_styled_bold(child)
                yield from _runs(child, look, linked or (child.name == "a" and child.has_attr("href")), depth, place)
                continue
            yield "", bold, linked, depth, place, True
            inner = int(child.name[1]) if re.fullmatch("h[1-6]", child.name) else depth
            yield from _runs(child, bold or _is_styled_bold(child), linked, inner, (*place, child))
            yield "", bold, linked, depth, place, True


def _line(pieces: list[tuple[str, bool, bool]], depth: int, place: tuple[Tag, ...]) -> Line:
    text = _squeeze("".join(piece for piece, _, _ in pieces))
    leading = []
    for piece, bold, _ in pieces:
        if not bold and piece.strip():
            break
        leading.append(piece)
    worded = [linked for piece, _, linked in pieces if piece.strip()]
    return Line(text, _squeeze("".join(leading)), bool(worded) and all(worded) and not depth, depth, place)


def _squeeze(text: str) -> str:
    return re.sub(r"[\s\u00a0\u200b\ufeff]+", " ", text).strip()


def _is_styled_bold(tag: Tag) -> bool:
    return bool(re.search(r"font-weight:\s*(?:bold|[6-9]00)", tag.get("style") or "", re.I))


def _is_furniture(tag: Tag) -> bool:
    """Not part of the text: scripts, menus, footers, and what is hidden; never what holds a section's heading."""
    if tag.name in SKIPPED or tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    if re.search(r"display:\s*none", tag.get("style") or "", re.I):
        return True
    if tag.name not in ("div", "section", "ul", "ol", "table"):
        return False
    named = " ".join([*(tag.get("class") or []), tag.get("id") or ""])
    return bool(FURNITURE.search(named) or tag.get("role") in ("navigation", "contentinfo")) and not _holds_heading(tag)


def _holds_heading(tag: Tag) -> bool:
    marks = tag.find_all(["h1", "h2", "h3", "h4", "h5", "h6", "b", "strong"])
    words = (_squeeze(mark.get_text()).rstrip(" :.") for mark in marks if not mark.find_parent("a"))
    return any(re.fullmatch(pattern, word, re.I) for word in words for pattern in HEADINGS.values())
