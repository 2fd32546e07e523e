"""What became of the convicted: prison, suspended, fine, other; from the groups that were read and their numbers."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from .grammar import number
from .rows import Fact
from .split import Sentence
from .terms import is_of_others, is_single_case, people_told
from .years import mentions

_PRISON = re.compile(
    r"\b(?:received|issued|imposed|imposing|sentenced to|given|served|serving|went to|to serve|resulted in|carried"
    r"|required)(?: (?:only|a|an|any|some|actual|effective|significant|un(?:suspended|conditional)|time in))*"
    r" (?:prison|jail|imprisonment|custodial|terms? of imprisonment|sentences of imprisonment)\b(?! (?:term"
    r"|sentence)s? (?:that|which) the court suspended)"
    r"|\bto (?:jail|prison|terms of imprisonment)\b(?! (?:term|sentence)s?)|\bwere imprisoned\b",
    re.IGNORECASE,
)
_PRISON_ON = re.compile(
    r"\b(?:prison|jail|custodial|imprisonment)(?: (?:sentences?|terms?|time))? (?:were imposed on|on|to|for) "
    r"(?P<n>[\w-]+)\b(?!-| (?:years?|months?)\b)"
)
_AWAITED = re.compile(r"\b(?:await(?:ed|ing)|pending|scheduled for) sentencing\b")
_NONE = re.compile(
    r"\b[Nn]one of (?:the |these |those )?[^.;,]{0,40}(?:received|served|was|were)\b[^.;,]{0,30}"
    r"(?:prison|jail|imprison|incarcerat)"
)
# "One of the nine" tells of all nine; "one trafficker" may be a story.
_SHARE = re.compile(r"[\w-]+ of (?:the|these|those)\b")
_KINDS = {
    **dict.fromkeys(("prison", "partly_suspended", "life", "death"), "n_prison"),
    "suspended": "n_suspended",
    "fine": "n_fine_only",
    **dict.fromkeys(("probation", "house_arrest", "community"), "n_other_noncustodial"),
}
_LOOK_BACK = 8
COLUMNS = ("n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial")


class Base(NamedTuple):
    """A number of convicted people, and where it is told: what is said after it may be about them alone."""

    section: str
    start: int
    year: int
    n: int


def imprisoned(sentence: Sentence, report_year: int, year: int, convicted: int | None) -> list[Fact]:
    """Numbers sent to prison that a sentence gives, with or without length."""
    text, found = sentence.text, []
    if not re.search(r"prison|jail|custodial|sentencing", text) or is_of_others(text):
        return found
    nobody = list(_NONE.finditer(text))
    imposed_on = [match for match in _PRISON_ON.finditer(text) if number(match["n"].lower()) is not None]
    for match in imposed_on:
        n = number(match["n"].lower())
        found.append(_told(sentence, match.start(), match.end(), n, report_year, year, False))
    for match in _AWAITED.finditer(text):
        people = people_told(text, match.start(), 90)
        n = people.n if people else convicted if convicted == 1 else None
        if n is not None:
            fact = _told(sentence, match.start(), match.end(), n, report_year, year, False)
            found.append(fact._replace(cells={**fact.cells, "reference_year": year, "all": None}))
    for match in _PRISON.finditer(text):
        if any(other.start() < match.end() and match.start() < other.end() for other in (*nobody, *imposed_on)):
            continue
        people = people_told(text, match.start(), 90)
        if people is None:
            continue
        n = convicted if people.n is None and people.all else people.n
        if n is not None:
            fact = _told(sentence, people.start, match.end(), n, report_year, year, people.all)
            found.append(fact._replace(cells={**fact.cells, "share": _SHARE.match(text, people.start) is not None}))
        elif re.search(r"\b(?:remaining|rest|others)\b", text[people.start : match.start()]):
            found.append(_told(sentence, people.start, match.end(), None, report_year, year, False))
    for match in re.finditer(
        r"\b(?:[Tt]he (?:remaining|other|rest of the)|[Nn]early all|[Aa]lmost all) (?:of the )?(?:convicted )?"
        r"(?:traffickers|defendants|offenders|perpetrators) (?:received|were sentenced to) "
        r"(?:sentences of imprison|prison|jail|imprison)",
        text,
    ):
        found.append(_told(sentence, match.start(), match.end(), None, report_year, year, False))
    for match in nobody:
        found.append(_told(sentence, match.start(), match.end(), 0, report_year, year, False))
    return found


def _told(sentence: Sentence, start: int, end: int, n: int | None, report_year: int, year: int, everyone: bool) -> Fact:
    when = mentions(sentence.text, report_year)
    clause = sentence.text.rfind(";", 0, start)
    fronted = [m for m in when if clause <= m.start < start and m.fronted]
    after = [m for m in when if 0 <= m.start - end < 25 and not m.fronted]
    told = after[0].years[0] if after else fronted[-1].years[0] if fronted else year
    part = sentence.part
    return Fact("custody", part.section, part.role, sentence.start + start, sentence.start + end, "custody: prison",
                {"reference_year": told, "n": n, "all": everyone,
                 "level": "case" if is_single_case(sentence.text) else ""})  # fmt: skip


def custody(
    groups: Iterable[Fact], told: Iterable[Fact], convicted: dict[int, int], bases: Iterable[Base] = ()
) -> list[Fact]:
    """Rows for the years of which the text says what became of the convicted: of all, and of parts told in full.

    Parameters
    ----------
    groups : iterable of Fact
        Groups of sentenced people (table sentences).
    told : iterable of Fact
        Numbers of prisoners without length, from `imprisoned`.
    convicted : dict
        National number of convicted people by year.
    bases : iterable of Base
        All numbers of convicted people, of the country and of parts of it, in the order of the text.
    """
    groups, told, rows = list(groups), list(told), []
    said: dict[tuple[str, int], list[Base]] = {}
    for base in sorted(bases):
        said.setdefault((base.section, base.year), []).append(base)
    for year in sorted({f.cells["reference_year"] for f in (*groups, *told)}, reverse=True):
        of_year = ([f for f in facts if f.cells["reference_year"] == year] for facts in (groups, told))
        rows += _rows(year, *of_year, convicted.get(year), said)
    return rows


def _rows(year: int, groups: list[Fact], told: list[Fact], convicted: int | None, said: dict) -> list[Fact]:
    """The row of the country and those of parts of it in a year."""
    parts, taken = [], set()
    for base, facts in _by_base(groups, told, convicted, said).items():
        inner = [[fact for fact in facts if fact.table == table] for table in ("sentences", "custody")]
        row = _row(year, *inner, base.n)
        if row and (row.cells["remainder"] == "none" or any(fact.cells["n"] == 0 for fact in inner[1])):
            parts.append(row._replace(cells={**row.cells, "scope": "subset"}))
            taken |= {id(fact) for fact in facts}
    row = _row(year, *([f for f in facts if id(f) not in taken] for facts in (groups, told)), convicted)
    if len(parts) > 1 and sum(part.cells["n_convicted"] for part in parts) == convicted:
        row, parts = _sum(parts), [part for part in parts if part.cells["n_convicted"] > 1]
    return [*([row] if row else []), *parts]


def _by_base(groups: list[Fact], told: list[Fact], convicted: int | None, said: dict) -> dict[Base, list[Fact]]:
    """Facts by the part of the convicted that they are about; groups that sum to all convicted are about no part."""
    known = [fact.cells["n"] for fact in groups if _counts_people(fact.cells)]
    in_sum = convicted in (*known, sum(n for n in known if n <= (convicted or 0)))
    found: dict[Base, list[Fact]] = {}
    for fact in (*(() if in_sum else groups), *told):
        base = _base(fact, said)
        if base and base.n != convicted and fact.cells["level"] != "case":
            found.setdefault(base, []).append(fact)
    return found


def _sum(parts: list[Fact]) -> Fact:
    """The row of the country where its parts make up all of its convicted."""
    names = ("n_convicted", "n_sentenced", *COLUMNS)
    sums = {name: sum(part.cells[name] or 0 for part in parts) for name in names}
    return parts[0]._replace(cells={**parts[0].cells, **sums, "scope": "national"})


def _base(fact: Fact, said: dict[tuple[str, int], list[Base]]) -> Base | None:
    """The last number of convicted people before a fact, in its section and of its year, that it can be part of.

    "All three" are those of whom the text said that they are three.
    """
    bases = said.get((fact.section, fact.cells["reference_year"]), [])
    last = bisect_left(bases, fact.start, key=lambda base: base.start)
    near = bases[max(0, last - _LOOK_BACK) : last][::-1]
    if fact.cells.get("covers_all") or fact.cells.get("all"):
        near.sort(key=lambda base: base.n != fact.cells["n"])
    return next((base for base in near if base.n >= (fact.cells["n"] or 0)), None)


def _row(year: int, groups: list[Fact], told: list[Fact], convicted: int | None) -> Fact | None:
    """The row of a year; single cases count only where with them everyone is told of."""
    row = _of_known(year, *([f for f in facts if f.cells["level"] != "case"] for facts in (groups, told)), convicted)
    if row is None or row.cells["remainder"] != "none":
        with_cases = _of_known(year, groups, told, convicted)
        if convicted and with_cases and with_cases.cells["remainder"] == "none":
            return with_cases
    return row


def _of_known(year: int, groups: list[Fact], told: list[Fact], convicted: int | None) -> Fact | None:
    known = [f for f in groups if f.cells["reference_year"] == year and _counts_people(f.cells)]
    jailed = [f for f in told if f.cells["reference_year"] == year and f.cells["all"] is not None]
    awaiting = sum(f.cells["n"] for f in told if f.cells["reference_year"] == year and f.cells["all"] is None)
    for fact in (*known, *jailed):
        cells = fact.cells
        if cells["n"] == 1 and convicted is None and len(known) > 1:
            continue
        n, whole = cells["n"], cells.get("covers_all") or cells.get("all")
        if whole and n is not None and ("all" in cells or n == (convicted or n)):
            return _fact(fact, year, n, _less_the_others(fact, known, n), n)
    if convicted == 1 and len(groups_of_year := [f for f in groups if f.cells["reference_year"] == year]) == 1:
        only = groups_of_year[0]
        if only.cells["sanction"] in _KINDS:
            return _fact(only, year, 1, dict.fromkeys(COLUMNS, 0) | {_KINDS[only.cells["sanction"]]: 1}, 1)
    if awaiting and awaiting == convicted:
        return _fact(told[0], year, convicted, dict.fromkeys(COLUMNS), 0)
    if not convicted or not known and not jailed:
        return None
    numbers = _numbers(known, jailed, convicted)
    remaining = any(f.cells["n"] is None for f in jailed)
    if convicted and remaining and numbers["n_prison"] is None and 0 < _total(numbers) < convicted:
        numbers["n_prison"] = convicted - _total(numbers)
    total = _total(numbers)
    story = total == 1 and convicted != 1 and not any(f.cells.get("share") for f in jailed)
    if story or (total == 0 and not jailed):
        return None
    first = (known or jailed)[0]
    if convicted and awaiting and total + awaiting == convicted:
        return _fact(first, year, convicted, {column: n or 0 for column, n in numbers.items()}, total)
    if total == convicted:
        return _fact(first, year, convicted, {column: n or 0 for column, n in numbers.items()}, convicted)
    return _fact(first, year, convicted, numbers, None)


def _numbers(known: list[Fact], jailed: list[Fact], convicted: int | None) -> dict[str, int | None]:
    """People by what became of them: the sums of groups; where they exceed the convicted, prison groups overlap."""
    by_column: dict[str, list[int]] = {}
    for fact in known:
        if not convicted or fact.cells["n"] <= convicted:
            by_column.setdefault(_KINDS[fact.cells["sanction"]], []).append(fact.cells["n"])
    numbers = {column: sum(by_column[column]) if column in by_column else None for column in COLUMNS}
    for column in COLUMNS:
        if convicted and column in by_column and _total(numbers) > convicted:
            numbers[column] = max(by_column[column])
    told = [n for fact in jailed if (n := fact.cells["n"]) is not None and (not convicted or n <= convicted)]
    if told and max(told) > (numbers["n_prison"] or -1):
        numbers["n_prison"] = max(told)
    others = _total(numbers) - (numbers["n_prison"] or 0)
    if convicted and numbers["n_prison"] and 0 < convicted - others < numbers["n_prison"] and numbers["n_suspended"]:
        numbers["n_prison"] = convicted - others
    return numbers


def _less_the_others(whole: Fact, known: list[Fact], n: int) -> dict[str, int]:
    """Numbers of a year in which a group is everyone: those told to be suspended or fined are taken off it."""
    column = _KINDS[whole.cells.get("sanction", "prison")]
    numbers = dict.fromkeys(COLUMNS, 0)
    for other in known:
        kind = _KINDS[other.cells["sanction"]]
        if kind != column and not other.cells["covers_all"] and numbers[kind] + other.cells["n"] <= n:
            numbers[kind] += other.cells["n"]
    rest = n - sum(numbers.values())
    return numbers | {column: rest} if rest >= 0 else dict.fromkeys(COLUMNS, 0) | {column: n}


def _counts_people(cells: dict) -> bool:
    """Whether a group tells of a known number of people, of whom no other group of the year is a part."""
    known = cells["n_qualifier"] == "exact" or cells["covers_all"]
    return bool(cells["n"] is not None and known and cells["kind"] != "mean" and cells["sanction"] in _KINDS)


def _total(numbers: dict[str, int | None]) -> int:
    return sum(n or 0 for n in numbers.values())


def _fact(first: Fact, year: int, convicted: int | None, numbers: dict, sentenced: int | None) -> Fact:
    everyone = sentenced is not None and sentenced == convicted
    rule = "custody: all described" if everyone else "custody: some described"
    cells = {"reference_year": year, "n_convicted": convicted, "n_sentenced": sentenced, **numbers}
    cells |= {"qualifier": "exact", "law": "trafficking", "exploitation": "all", "scope": "national"}
    cells["remainder"] = "none" if everyone else "unknown"
    return Fact("custody", first.section, first.role, first.start, first.end, rule, cells)
