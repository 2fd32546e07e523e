"""How a sentence is built: its tokens, its comparisons and brackets, and the years that they speak of."""

import re
from bisect import bisect_right
from typing import NamedTuple

from .grammar import tokens
from .vocabulary import GERUNDS, PAST, SUBJECTS
from .years import Mention, mentions

_CHANGE = r"increase|decrease|decline|drop|reduction|rise|jump|improvement|change"
# "(?=\w)": a word begins here, so that nothing is tried where one ends.
_COMPARE = re.compile(
    r"\b(?=\w)(?:(?:(?:this|which|these) )?(?:(?:was|were|is|are) )?compare[sd]?(?: favorably)?(?: with| to)?"
    r"|in comparison(?: to| with)?|comparable to|by comparison"
    rf"|(?:an?|this was an?|the) (?:[a-z]+ )?(?:{_CHANGE})\b(?: of [^,;]{{1,20}})?(?: in [^,;]{{1,40}})?"
    r"(?: from| compared| over| on)"
    r"|(?:up|down) from|(?:increase|decrease|decline|drop)s? from|(?:increased|decreased|declined|dropped|fell) from"
    r"|after (?=(?:investigating|prosecuting|convicting|identifying)\b)|(?:more than )?(?:double|twice|triple|half) the"
    r"|versus|as against|as opposed to|relative to|on par with|similar to|equal to"
    r"|(?:more|fewer|less|higher|lower) than (?:in )?the)\b",
    re.IGNORECASE,
)
_SAME = re.compile(
    r"\b(?:the )?same (?:number|amount|total|figure)?(?: of [a-z ]{3,40}?)?(?:,? ?as)?(?: it)?(?: [a-z]+){0,2}?"
    r"(?: in| during| for)? (?=(?:the )?(?:previous|prior|20\d\d|preceding|last))",
    re.IGNORECASE,
)
_RESPECTIVELY = re.compile(r",? respectively")
_BACK = re.compile(r"\s*(?:Of (?:these|those|the)|These|Among|In this total|Within)|[^.]*of (?:the|these) victims")
_SHARE = re.compile(r" \([\d.]+ percent\)")
_HEAD = 12
_NOT_VERBS = ("alleged", "suspected", "forced", "unidentified")


class Segment(NamedTuple):
    """A stretch of tokens that speaks of one thing: "main", a "comparison", or what stands in a "bracket".

    `parent` is the position of the segment around it, -1 for the sentence.
    """

    kind: str
    start: int
    end: int
    parent: int


class When(NamedTuple):
    """Years that a figure is about, and the kind of period."""

    years: tuple[int, ...]
    period: str = "reporting_period"


class Clauses:
    """A sentence with its tokens, segments and mentions of years.

    Parameters
    ----------
    text : str
        The sentence, as mended.
    report_year : int
        Edition.
    years : tuple of int
        Years that the sentence before spoke of; a sentence that looks back ("Of these") shares them.

    Attributes
    ----------
    tokens, segments, mentions : list
    same : list of re.Match
        Where the sentence says "the same number as in 2016".
    inner : list of int
        For each token the position of the innermost segment that holds it.
    base : int
        Year of a figure for which none is told.
    """

    def __init__(self, text: str, report_year: int, years: tuple[int, ...] = ()):
        self.text = text
        self.tokens = tokens(text)
        self._ends = [token.end for token in self.tokens]
        self.mentions = mentions(text, report_year)
        self.same = list(_SAME.finditer(text)) if "same" in text.lower() else []
        self.base = years[0] if years and _BACK.match(text) else report_year - 1
        self.segments, self.inner = self._cut()

    def low(self, i: int) -> str:
        """The token at a position in lower case; "" outside the sentence."""
        return self.tokens[i].low if 0 <= i < len(self.tokens) else ""

    def rest(self, i: int, reach: int) -> str:
        """The text after a token, and after a share in brackets beside it, up to a number of characters."""
        start = self.tokens[i].end
        share = _SHARE.match(self.text, start)
        start = share.end() if share else start
        return self.text[start : start + reach]

    def left(self, i: int, reach: int) -> str:
        """The text before a token, up to a number of characters."""
        return self.text[max(0, self.tokens[i].start - reach) : self.tokens[i].start]

    def token_at(self, offset: int) -> int:
        """The position of the token that holds an offset, or of the next one; the last for what follows it."""
        return min(bisect_right(self._ends, offset), max(len(self.tokens) - 1, 0))

    def kind(self, segment: int) -> str:
        return self.segments[segment].kind

    # ------------------------------------------------------------------ segments

    def _cut(self) -> tuple[list[Segment], list[int]]:
        """Go through the tokens once, with a stack of the segments that are open."""
        brackets, comparisons = self._brackets(), self._comparisons()
        found = [Segment("main", 0, len(self.tokens), -1)]
        if not brackets and not comparisons:
            return found, [0] * len(self.tokens)
        inner, stack = [], [0]
        for i in range(len(self.tokens)):
            while len(stack) > 1 and self._over(found[stack[-1]], found, i, i in comparisons):
                last = stack.pop()
                found[last] = found[last]._replace(end=i)
            kind = "comparison" if i in comparisons else "bracket" if i in brackets else ""
            if kind:
                found.append(Segment(kind, i, brackets.get(i, len(self.tokens)), stack[-1]))
                stack.append(len(found) - 1)
            inner.append(stack[-1])
        return found, inner

    def _brackets(self) -> dict[int, int]:
        opened, found = [], {}
        for i, token in enumerate(self.tokens):
            if token.text == "(":
                opened.append(i)
            elif token.text == ")" and opened:
                found[opened.pop()] = i
        return found

    def _comparisons(self) -> set[int]:
        # At its head, "By comparison" says that the whole sentence is one.
        return {
            self.token_at(match.start())
            for match in (*_COMPARE.finditer(self.text), *self.same)
            if self.text[: match.start()].strip() or not match[0].lower().endswith("comparison")
        }

    def _over(self, segment: Segment, found: list[Segment], i: int, compared_anew: bool) -> bool:
        if segment.kind == "bracket":
            return i >= segment.end
        low = self.tokens[i].low
        around = found[segment.parent]
        if compared_anew or low == ";" or self._dash(i) or (around.kind == "bracket" and i >= around.end):
            return True
        if low == "," and segment.start == 0 and self.low(0) in ("after", "compared", "relative", "similar"):
            return True
        if low == "," and self.low(i + 1) not in ("when", "in", "where") and not self._has_number(segment.start, i):
            return True
        return i > segment.start + 3 and (
            (low in PAST and self.low(i - 1) in ("and", ",") and not self._recounts(segment))
            or (
                low in ("and", "but", "while")
                and self._new_clause(i + 1)
                and not (self.low(i + 1) in PAST and self._recounts(segment))
            )
            or (low == "and" and self._gerund(i + 1) and not any(map(self._gerund, range(segment.start, i))))
        )

    def _gerund(self, i: int) -> bool:
        """Whether a token tells of something in progress, "prosecuting": all verbs of a comparison do, or none."""
        return self.low(i) in GERUNDS

    def _recounts(self, segment: Segment) -> bool:
        """Whether a comparison goes on to tell of another year: "a decrease from 2016, when it prosecuted nine"."""
        return any(token.low == "when" for token in self.tokens[segment.start : segment.start + _HEAD])

    def _has_number(self, start: int, end: int) -> bool:
        """Whether tokens hold a number other than a year: what compares nothing, "as in 2016,", ends at its comma."""
        values = (token for token in self.tokens[start:end] if token.value is not None or token.low in ("none", "no"))
        return any(token.value is None or not (1900 <= token.value <= 2100) for token in values)

    def _dash(self, i: int) -> bool:
        token = self.tokens[i]
        return token.text == "-" and self.text[token.start - 1 : token.end + 1] == " - "

    def _new_clause(self, i: int) -> bool:
        """Whether a clause of its own begins: "it obtained", "courts convicted", "initiated"."""
        first, *following = [token.low for token in self.tokens[i : i + 5]] or [""]
        if (first.endswith("ed") and first not in _NOT_VERBS) or (first in ("did", "has") and following[:1] == ["not"]):
            return True
        return first in SUBJECTS and any(
            (word.endswith("ed") and word not in _NOT_VERBS[:2]) or word in ("did", "had", "were", "was")
            for word in following
        )

    # ------------------------------------------------------------------ years

    def when(self, at: int, segment: int, before: dict[int, When]) -> When:
        """Years of the number at a token: told after it, at the head of its clause, or taken over.

        Parameters
        ----------
        at, segment : int
            Positions of the token and of its segment.
        before : dict
            What was found for earlier numbers, by segment.
        """
        here = self.segments[segment]
        start, end = self.tokens[at].start, self._offset(here.end)
        told = self._told_after(start, end, segment) or self._told_at_head(start, at, segment)
        if told:
            return told
        if segment in before:
            return before[segment]
        if here.kind == "bracket" and here.parent in before:
            return before[here.parent]
        if here.kind == "comparison":
            after = [m for m in self.mentions if start < m.start < end]
            if after:
                return When(after[0].years, after[0].period)
            main = before.get(here.parent, When((self.base,)))
            return When((main.years[0] - 1,))
        fronted = [m for m in self.mentions if m.fronted and m.start < start and self._segment_of(m) == 0]
        if fronted:
            return When(fronted[-1].years, fronted[-1].period)
        return self._from_comparison(start) if here.kind == "main" else When((self.base,))

    def _told_after(self, start: int, end: int, segment: int) -> When | None:
        for mention in self.mentions:
            if not (start < mention.start < end) or mention.fronted:
                continue
            if not self._same_clause(start, mention.start, segment):
                continue
            if len(mention.years) == 2 and _RESPECTIVELY.match(self.text, mention.end):
                values = [t for t in self.tokens if t.value is not None and t.end <= mention.start]
                return When((mention.years[bool(values and values[-1].start == start)],), mention.period)
            return When(mention.years, mention.period)
        return None

    def _told_at_head(self, start: int, at: int, segment: int) -> When | None:
        here = self.segments[segment]
        head = self._offset(here.start)
        fronted = [m for m in self.mentions if m.fronted and head <= m.start < start and self._segment_of(m) == segment]
        if not fronted:
            return None
        last = fronted[-1]
        parted = any(t.text == ";" for t in self.tokens[self.token_at(last.end) : at])
        if here.kind == "main" and last.start > 0 and parted:
            return None
        return When(last.years, last.period)

    def _from_comparison(self, start: int) -> When:
        """The year after that of the comparison, where it lies further back than usual."""
        later = [m for m in self.mentions if m.start > start and self.kind(self._segment_of(m)) != "main"]
        if later and later[0].years[0] < self.base - 1:
            return When((later[0].years[0] + 1,), later[0].period)
        return When((self.base,))

    def _same_clause(self, start: int, stop: int, segment: int) -> bool:
        last = self.token_at(stop)
        if self.kind(segment) == "bracket" and [self._segment_of(m) for m in self.mentions].count(segment) == 1:
            return self.inner[last] == segment
        for i in range(self.token_at(start), last):
            inner = self.inner[i]
            if self.tokens[i].text == ";" and inner == segment:
                return False
            other = self.segments[inner]
            if inner != segment and other.kind == "comparison" and other.parent == segment:
                return False
        return self.inner[last] == segment

    def _segment_of(self, mention: Mention) -> int:
        return self.inner[self.token_at(mention.start)]

    def _offset(self, token: int) -> int:
        return self.tokens[token].start if token < len(self.tokens) else len(self.text) + 1
