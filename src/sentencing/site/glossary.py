"""Where a page first uses a word of the glossary, the word leads to what it means and shows it on hover.

Of the text of a page nothing is changed but that; the mark is a link, so that keyboards and touch reach it too.
"""

import html
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

# Where a link would disturb, or stand inside another; and figures and tables, whose words are short by design.
LEFT_ALONE = {
    "a", "abbr", "button", "caption", "cite", "code", "dfn", "dt", "figcaption", "figure", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "head", "header", "kbd", "label", "math", "nav", "option", "pre", "samp", "script", "select",
    "style", "summary", "svg", "table", "textarea",
}  # fmt: skip
# Pages on which nothing is marked: the glossary itself, titles of other people's works, and text in another language.
PAGES_LEFT_ALONE = {"bibliography", "glossary", "sazetak", "search", "sources"}
CLASSES_LEFT_ALONE = {"math", "highlight", "nohighlight", "cell_output", "sidebar"}

_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{glossary\}[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.DOTALL | re.MULTILINE
)
_PIECE = re.compile(r"(<!--.*?-->|<(?:\"[^\"]*\"|'[^']*'|[^'\">])*>)", re.DOTALL)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)")
_CLASS = re.compile(r"\bclass\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RAW = re.compile(r"(<(script|style)\b.*?</\2\s*>)", re.DOTALL | re.IGNORECASE)


class GlossaryError(ValueError):
    """The glossary is not what it should be; the message lists all that is wrong."""


class Entry(NamedTuple):
    """Words that mean the same (the first is the usual one) and what they mean, in Markdown."""

    terms: tuple[str, ...]
    meaning: str

    @property
    def in_short(self) -> str:
        """The first sentence of the meaning, as plain text."""
        return re.split(r"(?<=[.!?])\s+(?=[A-Z*])", _plain(self.meaning), maxsplit=1)[0]


def read(markdown: str) -> list[Entry]:
    """Entries of every `{glossary}` directive of a text, in order.

    A term starts a line, several terms of one meaning stand below each other, and the meaning is indented.

    Raises
    ------
    GlossaryError
        When there is no entry, a term has no meaning or stands there twice, or a meaning has no term.
    """
    entries, wrong = [], []
    for block in _BLOCK.finditer(markdown):
        terms, meaning = [], []
        for line in [*block["body"].splitlines(), ""]:
            if line.startswith((" ", "\t")):
                meaning.append(line.strip())
            elif line.strip() and not meaning:
                terms.append(line.strip())
            elif meaning:
                entries.append(Entry(tuple(terms), " ".join(filter(None, meaning))))
                terms, meaning = [line.strip()] if line.strip() else [], []
        wrong += [f"{term!r} has no meaning" for term in terms]
    wrong += [f"there is a meaning without a term: {entry.meaning[:40]!r}" for entry in entries if not entry.terms]
    named = [term.casefold() for entry in entries for term in entry.terms]
    wrong += [f"{term!r} stands there twice" for term in sorted({t for t in named if named.count(t) > 1})]
    if wrong or not entries:
        raise GlossaryError("\n".join(wrong) or "there is no entry")
    return entries


def anchor(term: str) -> str:
    """Where a term stands on the page of the glossary, as Sphinx names it."""
    return "term-" + re.sub(r"[^a-zA-Z0-9._]+", "-", term).strip("-")


def mark(page: str, entries: Iterable[Entry], address: str = "glossary.html") -> str:
    """A page with the first use of each entry turned into a link that shows its meaning.

    Words inside LEFT_ALONE, or elements of CLASSES_LEFT_ALONE, are not looked at. Everything else of the page stays
    as it is to the byte.

    Parameters
    ----------
    page : str
        Well-formed HTML.
    entries : iterable of Entry
    address : str
        Of the glossary, as seen from the page.
    """
    entry_of = {term: entry for entry in entries for term in entry.terms}
    if not entry_of:
        return page
    words = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(_words, sorted(entry_of, key=len, reverse=True))) + r")(?![\w-])"
    )
    by_key = {_key(term): term for term in entry_of}
    met: set[Entry] = set()

    def link(match: re.Match) -> str:
        term = by_key.get(_key(match[0])) or by_key[_key(match[0]).removesuffix("s")]
        entry = entry_of[term]
        if entry in met:
            return match[0]
        met.add(entry)
        meaning = html.escape(entry.in_short)
        return f'<a class="term" href="{address}#{anchor(term)}" title="{meaning}">{match[0]}</a>'

    return "".join(words.sub(link, piece) if is_read else piece for piece, is_read in _pieces(page))


def mark_pages(site: Path, entries: list[Entry], glossary: str = "glossary.html") -> list[str]:
    """Mark first uses on every page below a folder but those in PAGES_LEFT_ALONE; the names of pages that changed."""
    changed = []
    for path in sorted(site.rglob("*.html")):
        if path.stem in PAGES_LEFT_ALONE:
            continue
        page = path.read_text(encoding="utf-8")
        marked = mark(page, entries, os.path.relpath(site / glossary, path.parent).replace(os.sep, "/"))
        if marked != page:
            path.write_text(marked, encoding="utf-8", newline="\n")
            changed.append(path.relative_to(site).as_posix())
    return changed


def _pieces(page: str) -> Iterable[tuple[str, bool]]:
    """The page cut at its tags, each piece with whether it is text in which terms are looked for."""
    inside, depth = "", 0  # the tag whose content is left alone, and how many of its name are open
    for number, part in enumerate(_RAW.split(page)):
        if number % 3 == 2:  # the name that the pattern caught beside the whole
            continue
        if number % 3 == 1:  # a script or style: its text may hold what looks like tags
            yield part, False
            continue
        for piece in _PIECE.split(part):
            tag = _TAG.match(piece)
            if tag:
                closes, name = bool(tag[1]), tag[2].lower()
                if inside:
                    depth += (name == inside) * (-1 if closes else 1) * (not piece.endswith("/>"))
                    inside = inside if depth else ""
                elif not closes and not piece.endswith("/>") and _is_left_alone(name, piece):
                    inside, depth = name, 1
            yield piece, not inside and not piece.startswith("<")


def _is_left_alone(name: str, tag: str) -> bool:
    found = _CLASS.search(tag)
    classes = set((found[1] or found[2] or "").split()) if found else set()
    return name in LEFT_ALONE or bool(classes & CLASSES_LEFT_ALONE)


def _words(term: str) -> str:
    """Pattern of a term: any white space between its words, a small or a capital first letter, one or many."""
    first, rest = term[0], r"\s+".join(map(re.escape, term[1:].split(" ")))
    begin = f"[{first.lower()}{first.upper()}]" if first.islower() else re.escape(first)
    return f"{begin}{rest}" + ("" if term.endswith("s") else "s?")


def _key(text: str) -> str:
    text = " ".join(text.split())
    return text[0].lower() + text[1:]


def _plain(markdown: str) -> str:
    """Markdown of one paragraph without roles, links and marks of emphasis."""
    text = re.sub(r"\{cite\w*(?::\w+)?\}`[^`]*`", "", markdown)
    text = re.sub(r"\{[\w:]+\}`([^`<]*?)\s*(?:<[^>]*>)?`", r"\1", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).split())
