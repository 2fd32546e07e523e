"""Which year a figure is about: mentions of years in a sentence, and what stands when there is none.

An edition covers the year before it unless it says otherwise. A fiscal year counts as the year that it is named
after, in which it mostly lies; the previous reporting period is the year before the edition's own.
"""

import re
from typing import NamedTuple

# Mentions begin where words do (or at a number); within words nothing is tried, which saves most of the time.
_MENTION = re.compile(
    r"(?<![a-z])(?:"
    r"(?P<two>(?:in|for|during) (?:both |either )?(?P<first>(?:19|20)\d\d) (?:or|and|nor) (?P<second>(?:19"
    r"|20)\d\d)(?!\d))"
    r"|(?P<span>(?:from |between |of )?(?:[A-Z][a-z]+ )?(?:19|20)\d\d ?(?:-|to|through|and|until) ?(?:[A-Z][a-z]+ "
    r")?(?P<until>(?:19|20)\d\d)(?!\d))"
    r"|(?P<fiscal>(?:fiscal|financial) year[s]? (?:\d{4}[-/ ]+)?(?P<fy>(?:19|20)\d\d)|FYs? ?(?P<fy2>(?:19|20)?\d\d))"
    r"|(?P<year>(?:(?:calendar )?year |the )?(?<![$€\d/])(?P<named>(?:19|20)\d\d)(?![\d/]|,\d|-\d)(?: reporting "
    r"period| report\b)?)"
    r"|(?P<previous>(?:the |a )?(?:previous|prior|last|preceding|past) (?:one\b|annual |\d+-month )?(?:reporting "
    r")?(?:periods?|years?|one)(?![a-z])(?: of reporting)?"
    r"|the year (?:before|prior)|(?:a|one) year (?:earlier|ago|before)|the previous three )"
    r"|(?P<before>(?:the |each of the )?(?:previous|prior|last|past|preceding) two (?:reporting )?(?:periods|years))"
    r"|(?P<current>(?:the|this|current) (?:current )?reporting (?:period|year)|this year))",
)
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
MONTH = re.compile(rf"\b(?:{_MONTHS})\b")
_FRONT = re.compile(
    r"(?:^|[,;:(]|\b(?:and|while|but|whereas|although|though|or))\s*(?:in|during|for|since|over|as in)?\s*(?:the\s*)?$",
    re.I,
)
# "Three prosecutions from the previous year" began then; they are not that year's figure.
_ORIGIN = re.compile(
    r"(?:from|initiated in|begun in|opened in|started in|prosecuted in|investigated in|identified in|filed in"
    r"|since|convicted in|initiated during|arrested in) (?:the |a )?$"
)
_ORIGIN_NAMED = re.compile(
    r"\b(?:cases?(?: that)? (?:from|initiated in|opened in|begun in|began in|filed in)|arrested in|committed in"
    r"|occurr\w+ in"
    r"|detained in|(?:investigations|prosecutions|cases|trials) from) (?:early |late )?$"
)
_LIKE = re.compile(
    r"(?<!number )(?<!same )(?<!amount )\b(?:[Aa]s in|[Uu]nlike(?: in)?|[Ll]ike(?: in)?|[Aa]s with|[Ss]imilar to) $"
)
_CHANGE = re.compile(
    r"increase|decrease|decline|drop|compare|reduc|up from|down from|rise|fewer|more than|same (?:number|as)"
)
_STAND_BACK = re.compile(
    r"\s*(?:$|- |[.;)]|,? (?:compared|and|an? (?:increase|decrease)|from|while|which|this|but)\b|, (?:the|which"
    r"|compared))"
)


_LAW_YEAR = re.compile(
    r",? (?:anti|law\b|act\b|code\b|penal|criminal code|decree|trafficking (?:law|act)|TIP|Anti|Law|Act"
    r"|[A-Z][a-z]+ (?:Act|Law|Code))"
)


_ANY = re.compile(r"19|20|FY|year|period")


_UNTIL = re.compile(
    rf"\b(?:as of|by|since|until|through|end of|before|after|dating back to|dates? from)"
    rf"(?: the end of)?(?: (?:early|late|mid|{_MONTHS}))? $",
    re.IGNORECASE,
)


_BEGAN = re.compile(rf"\b(?:commenced|began|begun|started|dated) in (?:{_MONTHS})? ?$")


class Mention(NamedTuple):
    """A year told in a sentence; `fronted` where it opens its clause and so speaks of what follows."""

    start: int
    end: int
    years: tuple[int, ...]
    period: str
    fronted: bool


def mentions(text: str, report_year: int) -> list[Mention]:
    """The years told in a sentence, in order."""
    found: list[Mention] = []
    if not _ANY.search(text):
        return found
    for match in _MENTION.finditer(text):
        years, period = _read(match, report_year)
        if (
            not years
            or _LAW_YEAR.match(text, match.end())
            or re.search(
                r"(?:[Ll]aw|Act|Code|[Dd]ecree|amended in|since|enacted in|No\.) $", text[: match.start()][-12:]
            )
        ):
            continue
        before = text[: match.start()]
        # "A 2016 case" is told apart by its year; what is done with it is not of that year.
        if match["named"] and re.search(r"\ba $", before[-3:]):
            continue
        if match["named"] and (_UNTIL.search(before[-40:]) or _BEGAN.search(before[-40:])):
            continue
        if (match["previous"] or match["named"]) and _LIKE.search(before[-20:]):
            continue
        origin = _ORIGIN if match["previous"] else _ORIGIN_NAMED if match["named"] or match["two"] else None
        if origin and origin.search(before[-60:]) and not _compares(before[-140:]):
            continue
        fronted = _FRONT.search(before[-25:]) is not None
        if (
            fronted
            and before.strip()
            and before.rstrip()[-1:] != "("
            and re.search(r",\s*(?:in|during)\s*(?:the\s*)?$", before)
        ):
            fronted = _STAND_BACK.match(text, match.end()) is None
        fronted = fronted or re.match(r":|,? (?:when|in which|during which)\b", text[match.end() :]) is not None
        found.append(Mention(match.start(), match.end(), years, period, fronted))
    return found


def _compares(before: str) -> bool:
    """Whether a comparison leads up to a year, with no clause of its own between."""
    last = max((match.end() for match in _CHANGE.finditer(before)), default=-1)
    return last >= 0 and ", and " not in before[last:]


def _read(match: re.Match, report_year: int) -> tuple[tuple[int, ...], str]:
    kind = match.lastgroup if match.lastgroup in ("previous", "current") else None
    if match["two"]:
        return (int(match["first"]), int(match["second"])), "calendar_year"
    if match["span"]:
        return (min(int(match["until"]), report_year - 1),), "multi_year"
    if match["fiscal"]:
        year = int(match["fy"] or match["fy2"])
        return (year if year > 99 else 2000 + year,), "fiscal_year"
    if match["year"]:
        year = int(match["named"])
        if "report" in match["year"]:
            return (year - (year == report_year),), "reporting_period"
        return ((year,), "calendar_year") if report_year - 12 <= year <= report_year else ((), "")
    if kind == "previous" or match["previous"] or match["before"]:
        return (report_year - 2,), "reporting_period"
    return (report_year - 1,), "reporting_period"
