"""From a narrative to the rows of the four tables: which of the facts read stand, and where their words are.

The introduction restates the sections below it, so what it says is taken only where they say nothing. A later figure
for the same step and year is another figure only where it differs in kind.
"""

import re
from collections.abc import Iterable

from .custody import Base, custody, imprisoned
from .events import Context, counts
from .grammar import number
from .penalties import penalties
from .read import Narrative
from .rows import COLUMNS, Fact
from .split import Part, Sentence, parts, sentences
from .terms import sentences_imposed

# Advice to the government, prevention and the profile of the country hold no figures of these tables.
_READ = ("intro", "prosecution", "protection", "government_efforts")
_JUSTICE = ("intro", "prosecution")
# Rules whose figures count only where no other tells of the step.
_STAND_IN = ("count: victims assisted",)
_OF_THE_CONVICTED = re.compile(
    r"\b[Oo]f (?:the )?(?P<n>[\w,-]+) (?:convicted\b|convictions\b|traffickers convicted\b|people convicted\b)"
    r"(?: in (?P<year>20\d\d)\b)?"
)
# A sentence that opens so speaks of the people, and so of the year, of the one before.
_GOES_ON = re.compile(r"Of (?:the|these|those)\b|(?:The )?(?:[Rr]emaining|[Oo]thers?)\b|These\b")
_ONE_SENTENCE = 120
_SAME_LIST = 60


def extract(narrative: Narrative) -> dict[str, list[dict]]:
    """Read a narrative.

    Parameters
    ----------
    narrative : Narrative

    Returns
    -------
    dict
        Rows by table (`counts`, `custody`, `sentences`, `statutes`), with the columns of the coded tables and `rule`;
        what a rule does not tell is None. `locator` is section:start-end, offsets in that section's text as given.
    """
    sections = {name: text for name, text in narrative.sections.items() if name in _READ}
    read = [(part, list(sentences(part))) for part in parts(sections)]
    counted = _keep_counts(_counts(read, narrative.report_year))
    convictions = _convictions(counted)
    # Sentences without a year of their own are of the year of the convictions told first.
    told_first = next((fact.cells["reference_year"] for fact in convictions if not fact.compared), None)
    year = told_first or narrative.report_year - 1
    totals: dict[int, int] = {}
    for fact in convictions:
        if fact.cells["exploitation"] == "all":
            totals.setdefault(fact.cells["reference_year"], fact.cells["value"])
    laws, groups, prisoners, carried = [], [], [], year
    bases = [Base(f.section, f.start, f.cells["reference_year"], f.cells["value"]) for f in convictions]
    for sentence in _sentences(read, _JUSTICE):
        told = _OF_THE_CONVICTED.search(sentence.text)
        if told and (n := number(told["n"].lower())) is not None:
            of_year = int(told["year"] or year)
            totals.setdefault(of_year, n)
            bases.append(Base(sentence.part.section, sentence.start, of_year, n))
        laws += penalties(sentence)
        carried = carried if _GOES_ON.match(sentence.text) else year
        imposed = sentences_imposed(sentence, narrative.report_year, carried, totals)
        carried = imposed[0].cells["reference_year"] if imposed else carried
        groups += imposed
        of_year = int(told["year"]) if told and told["year"] else carried
        prisoners += imprisoned(sentence, narrative.report_year, of_year, totals.get(of_year))
    prescribed = {(law.section, law.start) for law in laws}
    groups = _unless_restated([group for group in groups if (group.section, group.start) not in prescribed])
    facts = [
        *counted,
        *custody(groups, _unless_restated(prisoners), totals, bases),
        *groups,
        *_unless_restated(laws),
    ]
    return _tables(narrative, facts, {part.section: part for part, _ in read})


def _counts(read: list[tuple[Part, list[Sentence]]], report_year: int) -> list[Fact]:
    facts = []
    for part, found in read:
        if part.role not in (*_JUSTICE, "protection"):
            continue
        context = Context(report_year)
        for sentence in found:
            counted = counts(sentence, context)
            facts += counted.facts
            context = counted.context
    return facts


def _sentences(read: list[tuple[Part, list[Sentence]]], roles: Iterable[str]) -> Iterable[Sentence]:
    return (sentence for part, found in read if part.role in roles for sentence in found)


def _convictions(facts: list[Fact]) -> list[Fact]:
    found = [f for f in facts if f.cells["stage"] == "conviction" and f.cells["value"]]
    return [f for f in found if f.role == "prosecution"] or found


def _unless_restated(facts: list[Fact]) -> list[Fact]:
    """Drop what the introduction says where the section on prosecution says something of the kind; and repeats."""
    if any(fact.role == "prosecution" for fact in facts):
        facts = [fact for fact in facts if fact.role == "prosecution"]
    seen, kept = set(), []
    for fact in facts:
        key = (fact.section, fact.start, fact.end, *(str(value) for value in fact.cells.values()))
        if key not in seen:
            seen.add(key)
            kept.append(fact)
    return kept


def _step(fact: Fact) -> tuple[str, int]:
    return fact.cells["stage"], fact.cells["reference_year"]


def _keep_counts(facts: list[Fact]) -> list[Fact]:
    told = {fact.cells["stage"] for fact in facts if fact.role != "intro"}
    protected = any(f.role == "protection" and f.cells["stage"] == "victims_identified" for f in facts)
    facts = [
        f for f in facts
        if not (f.role == "intro" and f.cells["stage"] in told)
        and not (f.role == "prosecution" and f.cells["stage"] == "victims_identified" and protected)
    ]  # fmt: skip
    # What is carried on from earlier years does not gainsay that nothing new was begun.
    positive = {_step(f) for f in facts if f.cells["value"] and f.rule not in _STAND_IN and not f.cells["continuing"]}
    counted = {_step(f) for f in facts if f.cells["value"] and f.cells["exploitation"] == "all"}
    denied = {_step(f) for f in facts if f.rule == "count: none" and f.cells["exploitation"] == "all"}
    seen, first, kept = set(), {}, []
    for fact in facts:
        cells, step = fact.cells, _step(fact)
        if fact.rule in _STAND_IN and step in positive:
            continue
        if fact.rule == "count: not reported":
            if step in denied | counted or step in positive and cells["exploitation"] != "all":
                continue
        elif not cells["value"] and fact.rule in ("count: none", "count: unspecified"):
            if (
                (step in positive and cells["exploitation"] == "all")
                or cells["exploitation"] == "other"
                or (cells["exploitation"] != "all" and fact.rule != "count: unspecified" and step in positive)
            ):
                continue
            if ("none", step, cells["exploitation"]) in seen:
                continue
            seen.add(("none", step, cells["exploitation"]))
        place = (step, cells["value"], cells["exploitation"], fact.section, fact.start, fact.end)
        if place in seen:
            continue
        seen.add(place)
        if cells["stage"] == "victims_identified" and cells["exploitation"] in ("sex", "labor"):
            at = first.setdefault((step, cells["unit"], cells["value"], cells["exploitation"]), fact)
            if at is not fact and fact.start - at.start > _SAME_LIST:
                continue
        if cells["exploitation"] == "all" and cells["stage"] == "victims_identified":
            at = first.setdefault((step, cells["unit"]), fact)
            if at is not fact and not fact.also and fact.start - at.start > _SAME_LIST:
                continue
        kept.append(fact)
    return [*kept, *_totals(kept)]


def _totals(facts: list[Fact]) -> list[Fact]:
    """The total of a step and year of which only forms of exploitation are told: the one form, or their sum."""
    steps: dict[tuple[str, int], list[Fact]] = {}
    for fact in facts:
        steps.setdefault(_step(fact), []).append(fact)
    found = []
    whole = {
        f.cells["stage"] for f in facts if f.cells["exploitation"] == "all" and f.cells["value"] and not f.compared
    }
    for group in steps.values():
        # Children freed from armed groups are no total.
        if any(fact.cells["exploitation"] == "all" or fact.rule == "count: children" for fact in group):
            continue
        first = group[0]
        alike = [f for f in group if f.cells["unit"] in (first.cells["unit"], "unspecified") and f.cells["value"]]
        forms = [f.cells["exploitation"] for f in alike]
        # A figure for comparison is a total only where the figure that it is compared with has one of its own.
        partial = first.compared and first.cells["stage"] not in whole
        if len(alike) == 1 and not partial and len({f.cells["exploitation"] for f in group if f.cells["value"]}) == 1:
            found.append(first._replace(cells={**first.cells, "exploitation": "all"}, rule="count: all of one form"))
        elif len(alike) > 1 and alike[-1].end - alike[0].start < _ONE_SENTENCE and len(set(forms)) == len(forms):
            total = {**first.cells, "value": sum(f.cells["value"] for f in alike), "exploitation": "all"}
            found.append(first._replace(end=alike[-1].end, cells=total, rule="count: sum of forms"))
    return found


def _tables(narrative: Narrative, facts: list[Fact], by_section: dict[str, Part]) -> dict[str, list[dict]]:
    tables: dict[str, list[dict]] = {table: [] for table in COLUMNS}
    for fact in facts:
        start, end = by_section[fact.section].clean.span(fact.start, fact.end)
        row = dict.fromkeys(COLUMNS[fact.table])
        row |= {"iso3": narrative.iso3, **fact.cells, "locator": f"{fact.section}:{start}-{end}", "rule": fact.rule}
        tables[fact.table].append(row)
    _number_groups(tables["sentences"])
    return tables


def _number_groups(rows: list[dict]):
    numbers: dict[int, int] = {}
    for row in rows:
        year = row["reference_year"]
        numbers[year] = numbers.get(year, 0) + 1
        row["group_id"] = f"{row['iso3']}-{year}-{numbers[year]:02d}"
    whole = {row["reference_year"]: row["group_id"] for row in reversed(rows) if row["covers_all"]}
    for row in rows:
        above = whole.get(row["reference_year"])
        if above and not row["covers_all"] and row["level"] == "subset":
            row |= {"subset_of": above, "note": "nesting presumed"}
