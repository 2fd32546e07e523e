"""Whom a verb speaks of: the number of people named before or after it."""

import re
from typing import NamedTuple

from .grammar import number
from .vocabulary import words

_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*'?|\d[\d,]*|[^\sA-Za-z\d]")
PEOPLE = words("""trafficker traffickers defendant defendants offender offenders perpetrator perpetrators individual
    individuals people person persons man men woman women convict convicts other others officer officers official
    officials suspect suspects criminal criminals national nationals citizen citizens owner owners couple member members
    captain driver employer employers recruiter recruiters smuggler smugglers""")
_LEGAL = words("article articles section sections art under law act code number no chapter")
_BREAK = words(". ; :")
_AUXILIARY = words("were have had been")
_SOME = words("most majority many some several few")
_PARTS = (["of"], ["on"], ["to"], ["for"], ["against"], ["by"])
_SINGULAR = words("""trafficker defendant perpetrator offender man woman suspect individual officer official him her he
    she""")
_AFTER_OTHER = words("""years year months month days percent million articles counts article convictions cases
    consecutive""")


class People(NamedTuple):
    """`n` people, named at `start` in the text; `all` where the text says that it means everyone."""

    n: int | None
    all: bool
    start: int


def before(text: str, end: int, reach: int = 110) -> People | None:
    """The people named last before an offset, within its clause: "two traffickers" before "received".

    Numbers of articles and years are passed over; what stands in brackets is not looked at.
    """
    start = max(0, end - reach)
    named = [(m[0], start + m.start()) for m in _WORD.finditer(_without_brackets(text[start:end]))]
    for i in range(len(named) - 1, -1, -1):
        word, at = named[i]
        low = word.lower()
        if word in _BREAK:
            return None
        value = _value(named, i)
        if value is not None:
            part = _part_of(named, i)
            if part is not None:
                return People(*part) if part[0] is not None else None
            return People(value, i > 0 and named[i - 1][0].lower() in ("all", "both") or low == "both", at)
        if low == "all" and i and named[i - 1][0].lower() in ("nearly", "almost", "not"):
            return None
        if low in ("all", "each", "these", "those") and any(
            w.lower().rstrip("'") in PEOPLE | {"convicted", "sentences", "them", "whom"}
            for w, _ in named[i + 1 : i + 4]
        ):
            return People(None, low in ("all", "each", "these"), at)
        if low == "both":
            return People(2, True, at)
        if low == "all" and all(w.lower() in _AUXILIARY for w, _ in named[i + 1 :]):
            return People(None, True, at)
        if _the_convicted([w.lower() for w, _ in named[max(0, i - 3) : i + 1]]):
            return People(None, True, at)
        if low in _SOME and [w.lower() for w, _ in named[i + 1 : i + 2]] == ["of"] or low == "half":
            return None
        if (
            low in _SINGULAR
            and i
            and _determiner([w.lower() for w, _ in named[max(0, i - 3) : i]])
            or low in ("he", "she", "him", "her")
        ):
            return People(1, False, at)
    return None


def _the_convicted(last: list[str]) -> bool:
    """Whether words end in "the convicted traffickers" as those of whom a verb speaks: everyone, not "of the ..."."""
    *before, plural = last
    return (
        plural in PEOPLE and plural.endswith("s") and before[-2:] == ["the", "convicted"] and before[:-2] not in _PARTS
    )


def _part_of(named: list[tuple[str, int]], i: int) -> tuple[int | None, bool, int] | None:
    """The number before "of the 20": those are meant, not the 20; None in "half of the 20"."""
    k = i - 1
    while k > 0 and named[k][0].lower() in ("the", "these", "those"):
        k -= 1
    if k < 1 or named[k][0].lower() not in ("of",):
        return None
    value = number(named[k - 1][0].lower())
    if value is None and named[k - 1][0].lower() not in _SOME | {"half", "percent", "none"}:
        return None
    return value, False, named[k - 1][1]


def _determiner(near: list[str]) -> bool:
    return any(word in ("the", "a", "an", "other", "only", "this") for word in near) and "of" not in near


def _value(named: list[tuple[str, int]], i: int) -> int | None:
    word = named[i][0].rstrip(",")
    value = number(word.lower())
    if value is None or (word.isdigit() and 1900 <= value <= 2100) or value > 100_000:
        return None
    previous = [w.lower() for w, _ in named[max(0, i - 3) : i]]
    if previous and (
        previous[-1] in _LEGAL
        or previous[-1] in ("$", "€", "of", "-")
        and _of_a_group(previous)
        or previous[-1] in ("and", "or")
        and any(w in _LEGAL or w.isdigit() for w in previous[:-1])
    ):
        return None
    following = [w.lower() for w, _ in named[i + 1 : i + 3]]
    if following and following[0] in _AFTER_OTHER:
        return None
    return value


def _of_a_group(previous: list[str]) -> bool:
    return previous[-1] != "of" or len(previous) > 1 and number(previous[-2]) is not None


def _without_brackets(text: str) -> str:
    """Blank out brackets, keeping every offset."""
    out, depth = [], 0
    for char in text:
        depth += char == "("
        out.append(" " if depth > 0 else char)
        depth -= char == ")" and depth > 0
    return "".join(out)
