"""Parts a narrative into its sections, and a section into sentences.

Some narratives come unsplit, all of their text in the introduction; the headings within it tell the parts.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .normalise import Clean, normalise

SECTIONS = ("intro", "recommendations", "prosecution", "protection", "prevention", "trafficking_profile",
            "government_efforts")  # fmt: skip
_HEADING = re.compile(
    r"(?:RECOMMENDATIONS FOR|PROSECUTION|PROTECTION|PREVENTION|TRAFFICKING PROFILE|GOVERNMENT EFFORTS"
    r"|PRIORITIZED RECOMMENDATIONS)(?![a-z])"
)
_ROLES = {
    "RECOMMENDATIONS FOR": "recommendations",
    "PRIORITIZED RECOMMENDATIONS": "recommendations",
    "PROSECUTION": "prosecution",
    "PROTECTION": "protection",
    "PREVENTION": "prevention",
    "TRAFFICKING PROFILE": "trafficking_profile",
    "GOVERNMENT EFFORTS": "prosecution",
}
# Longer ones are no sentences; rules look back and forth within one, so their time stays in line with the text.
LONGEST_SENTENCE = 3000
_END = re.compile(r"[.!?][\"')\]]*\s+(?=[\"'(]?[A-Z\d])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:No|Nos|Art|Arts|Dr|Mr|Mrs|Ms|St|Sec|Secs|vs|etc|Gen|approx)|\b[A-Z]|\b[a-z]\.[a-z]|\$?\d+\.\d+\s[a-z])\.$"
)


class Part(NamedTuple):
    """A stretch of a section: `role` is what it holds, `section` where its offsets count from."""

    role: str
    section: str
    clean: Clean
    start: int
    end: int


class Sentence(NamedTuple):
    """One sentence of a part, as mended; `start` is its offset in the mended text."""

    part: Part
    text: str
    start: int


def parts(sections: dict[str, str]) -> Iterator[Part]:
    """Yield the parts of a narrative, in the order of `SECTIONS`.

    Parameters
    ----------
    sections : dict
        Text of each section by name, as given; absent and empty ones are passed over.
    """
    for section in SECTIONS:
        if not sections.get(section):
            continue
        clean = normalise(sections[section])
        if section in ("intro", "government_efforts"):
            yield from _headed(section, clean)
        else:
            yield Part(section, section, clean, 0, len(clean.text))


def _headed(section: str, clean: Clean) -> Iterator[Part]:
    role, start = "intro" if section == "intro" else "prosecution", 0
    for heading in _HEADING.finditer(clean.text):
        if heading.start() > start:
            yield Part(role, section, clean, start, heading.start())
        role, start = _ROLES[heading[0]], heading.end()
    if start < len(clean.text):
        yield Part(role, section, clean, start, len(clean.text))


def sentences(part: Part) -> Iterator[Sentence]:
    """Yield the sentences of a part; abbreviations and decimals do not end one."""
    for start, end in _stretches(part):
        while end - start > LONGEST_SENTENCE:
            cut = part.clean.text.rfind(" ", start + 1, start + LONGEST_SENTENCE) + 1 or start + LONGEST_SENTENCE
            yield Sentence(part, part.clean.text[start:cut], start)
            start = cut
        yield Sentence(part, part.clean.text[start:end], start)


def _stretches(part: Part) -> Iterator[tuple[int, int]]:
    start = part.start
    for end in _END.finditer(part.clean.text, part.start, part.end):
        if _ABBREVIATION.search(part.clean.text, max(start, end.start() - 12), end.start() + 1):
            continue
        yield start, end.end()
        start = end.end()
    if start < part.end:
        yield start, part.end
