"""Published counts of trafficking victims in Serbia: one row per figure, conflicts between publishers shown.

Figures of different series (who counted) are never mixed, and contradicting figures are never averaged.
"""

import difflib
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

import pandas as pd

from .sources import join_ids

CONFLICT_RULES = ("primary", "latest", "lowest", "highest")

# ASTRA counts its own clients and the police the victims in their own criminal reports: neither contradicts
# a national count by differing from it.
NATIONAL_SERIES = ("center", "agency", "tip", "other")
COMPARABLE_PERIODS = ("full_year", "part_year")

BASIS_ORDER = ("authority", "greta", "press_attributed", "tip", "unattributed", "")
PRECISION_ORDER = ("day", "month", "year", "")
KIND_ORDER = ("count", "percent", "share_text")

PERIOD = ["year", "period_label", "period_start", "period_end"]
FACT = ["measure", *PERIOD, "dimension", "category"]
FIGURE = ["series", *FACT, "value_kind", "value", "value_text", "base_n"]
# Facts are compared between publishers by their dates alone; labels are each publisher's own words.
DATED_FACT = ["measure", "period_start", "period_end", "dimension", "category"]

VICTIMS_COLUMNS = [
    "victims_id", "series", "series_basis", "measure", "year", "period_label", "period_start", "period_end",
    "period_kind", "period_precision", "dimension", "category", "several_countries", "value_kind", "value",
    "count", "count_low", "count_high", "count_basis", "share_percent", "share_text", "base_n",
    "why_no_count", "preferred", "conflict_id", "n_publications", "source_ids", "raw_rows", "correction_ids", "note",
]  # fmt: skip
CONFLICTS_COLUMNS = [
    "conflict_id", "measure", "year", "period_start", "period_end", "period_kind", "dimension", "category",
    "series", "series_basis", "value", "n_publications", "source_ids", "raw_rows", "published", "chosen",
    "chosen_because",
]  # fmt: skip
PROBLEMS_COLUMNS = [
    "problem", "victims_id", "series", "measure", "period_start", "period_end", "dimension", "category",
    "count_low", "whole_id", "whole_category", "whole_count", "raw_rows",
]  # fmt: skip

# The codes of the tables in words.
SERIES_LABELS = {
    "tip": "TIP Report", "center": "Centre", "agency": "Agency before the Centre", "police": "police",
    "astra": "ASTRA, its own clients", "other": "other or unnamed body",
}  # fmt: skip

NEARNESS = (
    "published by the body that counts",
    "a figure of the body that counts, given by GRETA",
    "a figure of the body that counts, quoted by the press",
    "'official statistics' of an institution not named",
    "the U.S. Trafficking in Persons Report",
    "another publisher",
)

# How the remark on a figure says that all of its raw rows are flagged.
DOUBTFUL = "not preferred"

WHY_NO_COUNT = {
    "share_text": "given in words only",
    "percent_change": "a change in percent, not a number of victims",
    "difference": "a difference between two years, not a number of victims",
    "mean_years": "a mean age, not a number of victims",
}


class Step(NamedTuple):
    """One step in choosing between figures: the column looked at, its direction, and the reason it gives."""

    column: str
    ascending: bool
    reason: str


FIRST = Step("doubtful", True, "the only value that is not flagged as doubtful")
RULE_STEPS = {
    "primary": [],
    "latest": [Step("published", False, "published last")],
    "lowest": [Step("value", True, "the lowest published")],
    "highest": [Step("value", False, "the highest published")],
}
TIE_STEPS = [
    Step("nearness", True, "nearest to the body that counts"),
    Step("n_publications", False, "the most often published among equals"),
    Step("value", False, "the largest among equals"),
    Step("published", False, "published last among equals"),
    Step("raw_rows", True, "the first in the raw table among equals"),
]


class BreakdownError(ValueError):
    """Parts larger than the whole they are printed with. `problems` has one row for each."""

    def __init__(self, problems: pd.DataFrame):
        self.problems = problems
        lines = [
            f"  {p['victims_id']} (raw rows {p['raw_rows']}): {p['series']}, {p['measure']}, "
            f"{p['dimension']} {p['category']}: {p['count_low']} of {p['whole_count']}"
            for p in problems.to_dict("records")
        ]
        super().__init__("\n".join([f"{len(lines)} counts of victims exceed their own base", *lines]))


def clean_victims(frame: pd.DataFrame, conflict_rule: str, sources: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Fold the publishers that restate a figure, and turn shares with a known base into counts.

    Parameters
    ----------
    frame : pandas.DataFrame
        The corrected raw table `centre/victims.csv`, one row per published figure, with `correction_ids` and
        `flag_ids`: rows that a correction flags are taken as doubtful.
    conflict_rule : {"primary", "latest", "lowest", "highest"}
        Which of several figures a series speaks with; see `victim_conflicts`.
    sources : mapping
        `sources.read_sources()`: for each source_id a mapping that holds `published`.

    Returns
    -------
    pandas.DataFrame
        Columns VICTIMS_COLUMNS, one row per figure of a series, in the order of `victims_id` (the number of
        the figure's first raw row). `year` is as transcribed: with an `unclear` period it need not be the
        year counted. `value` is the number as published, in the unit `value_kind` tells. `count`,
        `count_low`, `count_high` and `base_n` are whole numbers of what `measure` counts (persons or
        reports); `share_percent` is in percent. `several_countries` and `preferred` are 0 or 1. At most one
        row of each series and fact is `preferred`: counts before shares, shares before words, and then as the
        rule takes them; never a doubtful one. A figure is doubtful when all of its raw rows are.

    Raises
    ------
    ValueError
        When the rule is unknown or a count is not a whole number.
    """
    _check_rule(conflict_rule)
    _check_whole(frame)
    figures = _fold(_prepare(frame, sources), FIGURE)
    figures = figures.assign(
        victims_id=figures["raw_rows"].map(_victims_id),
        conflict_id=_conflict_ids(figures),
        several_countries=(figures["multi"].eq(1) & figures["dimension"].eq("citizenship")).astype("Int64"),
        preferred=_preferred(figures, conflict_rule),
    )
    counts = pd.DataFrame([_counted(f) for f in figures.to_dict("records")], index=figures.index)
    figures = figures.join(counts)
    figures["note"] = [_with_remark(f) for f in figures.to_dict("records")]
    whole = ["count", "count_low", "count_high", "base_n", "n_publications", "preferred"]
    figures = figures.astype({**dict.fromkeys(whole, "Int64"), "share_percent": "float64"})
    return _finished(figures, VICTIMS_COLUMNS, ["victims_id", *FIGURE])


def victim_conflicts(frame: pd.DataFrame, conflict_rule: str, sources: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """List the facts for which publishers of the national count gave different numbers.

    Compared are counts as printed, of the series in NATIONAL_SERIES, for the same measure, dimension,
    category and dates, where the dates are one full year or one part of a year. One value is taken, never an
    average:

    - `primary`: of the publisher nearest to the body that counts, in the order of NEARNESS;
    - `latest`: of the last publication; a date known only to the year or month counts as its beginning, an
      unknown date loses;
    - `lowest`, `highest`: by the value.

    Ties are settled as under `primary`, then by the number of publications, the larger value, the later
    publication and the place in the raw table. Doubtful figures (see `clean_victims`) are taken only where
    there are no others.

    Parameters
    ----------
    frame, conflict_rule, sources
        As for `clean_victims`.

    Returns
    -------
    pandas.DataFrame
        Columns CONFLICTS_COLUMNS, one row per conflict, series and value. `value` is a whole number of what
        `measure` counts; `published` the latest date among the row's sources (2019, 2019-10 or 2019-10-18,
        may be blank); `chosen` is 1 for just one row of each conflict.

    Raises
    ------
    ValueError
        When the rule is unknown or a count is not a whole number.
    """
    _check_rule(conflict_rule)
    _check_whole(frame)
    figures = _fold(_prepare(frame, sources), ["series", *DATED_FACT, "value_kind", "value"])
    figures["conflict_id"] = _conflict_ids(figures)
    conflicts = figures[figures["conflict_id"] != ""].copy()
    conflicts["year"] = conflicts["period_start"].str[:4].astype("Int64")
    conflicts["chosen"], conflicts["chosen_because"] = 0, ""
    for _, rivals in conflicts.groupby("conflict_id"):
        ranked = _best_first(rivals, conflict_rule)
        conflicts.loc[ranked.index[0], "chosen"] = 1
        conflicts.loc[ranked.index, "chosen_because"] = _reasons(ranked, conflict_rule)
    conflicts = conflicts.astype({"value": "Int64", "n_publications": "Int64", "chosen": "Int64"})
    return _finished(conflicts, CONFLICTS_COLUMNS, ["measure", "period_start", "conflict_id", "series", "value"])


def choose(victims: pd.DataFrame, conflict_rule: str, sources: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Mark anew, in a clean table, the figures with which each series speaks: `preferred` under another rule.

    Parameters
    ----------
    victims : pandas.DataFrame
        As `clean_victims` returns it or as it was written, under whatever rule.
    conflict_rule, sources
        As for `clean_victims`.

    Returns
    -------
    pandas.DataFrame
        What `clean_victims` gives under `conflict_rule`.

    Raises
    ------
    ValueError
        When the rule is unknown.
    """
    _check_rule(conflict_rule)
    return victims.assign(preferred=_preferred(_rankable(victims, sources), conflict_rule).astype("Int64"))


def national_figures(
    victims: pd.DataFrame, conflict_rule: str, sources: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """One published figure for each fact of the national count, whoever of NATIONAL_SERIES published it.

    The line through these figures is nobody's: it shows what a rule of choice does where publishers contradict
    each other. No figure is averaged or filled in, and none that is doubtful is taken.

    Parameters
    ----------
    victims, conflict_rule, sources
        As for `choose`.

    Returns
    -------
    pandas.DataFrame
        Rows of `victims`: counts of full years and of parts of years, at most one for each measure, dates, dimension
        and category; where `victim_conflicts` lists the fact, the value it chooses under the rule.

    Raises
    ------
    ValueError
        When the rule is unknown.
    """
    _check_rule(conflict_rule)
    figures = _rankable(victims, sources)
    compared = figures[_is_compared(figures) & ~figures["doubtful"]]
    first = _best_first(compared, conflict_rule).drop_duplicates(DATED_FACT)
    return victims.loc[first.index.sort_values()]


def whole_counts(share_percent: float, base_n: int, half_width: float) -> list[int]:
    """Find the whole numbers whose share of `base_n` rounds to the printed share.

    Parameters
    ----------
    share_percent : float
        The share as printed, in percent.
    base_n : int
        What it is a share of, at least 1.
    half_width : float
        Half of the last printed digit, in percentage points: 0.5 for 72, 0.005 for 62.12.

    Returns
    -------
    list of int
        All k from 0 to `base_n` for which 100 * k / base_n lies within `half_width` of the share, ends
        included, since how publishers round an exact half is not known. Empty when there is none.

    Raises
    ------
    ValueError
        When `base_n` is less than 1.
    """
    if base_n < 1:
        raise ValueError(f"a share needs a base of at least 1; found {base_n}")
    # Floats would put 72.5 % of 40 now on this, now on that side of a bound; their shortest decimals do not.
    share, half = Fraction(str(share_percent)), Fraction(str(half_width))
    lowest = max(ceil((share - half) * int(base_n) / 100), 0)
    highest = min(floor((share + half) * int(base_n) / 100), int(base_n))
    return list(range(lowest, highest + 1))


def period_kind(start: str, end: str, precision: str = "day") -> str:
    """Tell what part of the calendar a period covers.

    Parameters
    ----------
    start, end : str
        First and last day, as 2017-12-31; blank or missing where not known.
    precision : str
        To what `start` and `end` are known: day, month or year.

    Returns
    -------
    str
        `full_year` for the days from 1 January to 31 December of one year, `part_year` for less within one
        year, `multi_year` when more than one calendar year is touched, and `unclear` without two full dates.
        January to December known only to the month is `unclear`: part of December may be missing.

    Raises
    ------
    ValueError
        When the period ends before it starts.
    """
    if not all(isinstance(day, str) and len(day) == len("2017-12-31") for day in (start, end)):
        return "unclear"
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    if last < first:
        raise ValueError(f"the period ends on {end}, before it starts on {start}")
    if first.year != last.year:
        return "multi_year"
    if (first.month, first.day, last.month, last.day) != (1, 1, 12, 31):
        return "part_year"
    return "unclear" if precision == "month" else "full_year"


def reconcile_breakdowns(victims: pd.DataFrame) -> pd.DataFrame:
    """Find parts that are larger than their whole.

    Two things are looked for: `above_own_base`, a count above the base printed with it, and `above_whole`, a
    count above every figure its series gave for a group that contains it, for the same measure and period (a
    child among all victims, a child sold for sex among children). Sums of parts are not looked at: forms of
    exploitation overlap.

    Parameters
    ----------
    victims : pandas.DataFrame
        As `clean_victims` returns it.

    Returns
    -------
    pandas.DataFrame
        Columns PROBLEMS_COLUMNS, one row per part and whole; empty when all fit. `count_low` is the least the
        part can be, `whole_count` the most the whole can be; `whole_id` is blank where the whole is `base_n`.
    """
    problems = [*_above_own_base(victims), *_above_whole(victims)]
    found = pd.DataFrame(problems, columns=PROBLEMS_COLUMNS)
    whole = {"count_low": "Int64", "whole_count": "Int64"}
    return found.astype(whole).sort_values(["problem", "victims_id", "whole_id"], ignore_index=True)


def check_breakdowns(victims: pd.DataFrame) -> None:
    """Stop at counts above the base printed with them, which no publisher can mean.

    Parameters
    ----------
    victims : pandas.DataFrame
        As `clean_victims` returns it.

    Raises
    ------
    BreakdownError
        With all offenders: victims_id, raw rows, count and base.
    """
    problems = reconcile_breakdowns(victims)
    offenders = problems[problems["problem"] == "above_own_base"]
    if len(offenders):
        raise BreakdownError(offenders)


def _check_rule(rule: str) -> None:
    if rule not in CONFLICT_RULES:
        nearest = difflib.get_close_matches(str(rule), CONFLICT_RULES, n=1, cutoff=0)[0]
        allowed = ", ".join(CONFLICT_RULES)
        raise ValueError(f"conflict_rule {rule!r} is unknown; allowed are {allowed}; the nearest is {nearest!r}")


def _check_whole(frame: pd.DataFrame) -> None:
    counts = frame[frame["value_kind"] == "count"]
    broken = counts[counts["value"].isna() | (counts["value"] % 1 != 0)]
    if len(broken):
        listed = ", ".join(f"{r.row_id} ({r.value})" for r in broken.itertuples())
        raise ValueError(f"counts must be whole numbers; these are not: {listed}")


def _prepare(frame: pd.DataFrame, sources: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Raw rows in a fixed order, blank texts as "", publication dates added, shared bases filled in."""
    rows = frame.sort_values("row_id", ignore_index=True)
    texts = rows.columns.difference(["year", "multi", "value", "base_n"])
    rows[texts] = rows[texts].fillna("").astype("str")
    rows["multi"] = rows["multi"].fillna(0)
    rows["published"] = [
        max(sources[source_id]["published"] for source_id in ids.split(";")) for ids in rows["source_id"]
    ]
    # A restatement that leaves out the base is still the same figure, as long as only one base is known.
    bases = rows.groupby([c for c in FIGURE if c != "base_n"], dropna=False)["base_n"]
    least, most = bases.transform("min"), bases.transform("max")
    rows["base_n"] = rows["base_n"].fillna(least.where(least == most))
    return rows


def _fold(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """One row per `key`, with all of its sources and raw rows."""
    folded = rows.groupby(key, dropna=False, sort=False, as_index=False).agg(
        series_basis=("series_basis", lambda found: min(found, key=BASIS_ORDER.index)),
        period_precision=("period_precision", lambda found: min(found, key=PRECISION_ORDER.index)),
        multi=("multi", "max"),
        source_ids=("source_id", join_ids),
        raw_rows=("row_id", join_ids),
        published=("published", "max"),
        doubtful=("flag_ids", lambda ids: all(ids != "")),
        flag_ids=("flag_ids", join_ids),
        correction_ids=("correction_ids", join_ids),
        note=("note", lambda notes: " | ".join(dict.fromkeys(filter(None, notes)))),
    )
    return folded.assign(
        n_publications=folded["source_ids"].str.split(";").str.len(),
        period_kind=[
            period_kind(*period)
            for period in zip(folded["period_start"], folded["period_end"], folded["period_precision"], strict=True)
        ],
        nearness=[_nearness(*who) for who in zip(folded["series"], folded["series_basis"], strict=True)],
    )


def _nearness(series: str, basis: str) -> int:
    """Place in NEARNESS: how far the publisher is from the body that counts."""
    if series in ("center", "agency"):
        return {"authority": 0, "greta": 1}.get(basis, 2)
    return {("other", "unattributed"): 3, ("tip", "tip"): 4}.get((series, basis), 5)


def _victims_id(raw_rows: str) -> str:
    """Named after its first raw row, so that new raw rows do not rename the figures already there."""
    return raw_rows.split(";")[0].replace("CV-", "V-")


def _conflict_ids(figures: pd.DataFrame) -> pd.Series:
    """The id of the conflict each figure is part of, "" for none."""
    comparable = figures[_is_compared(figures)]
    n_values = comparable.groupby(DATED_FACT)["value"].transform("nunique")
    disputed = comparable[n_values > 1]
    ids = [_conflict_id(f) for f in disputed.to_dict("records")]
    return pd.Series(ids, index=disputed.index, dtype="str").reindex(figures.index, fill_value="")


def _is_compared(figures: pd.DataFrame) -> pd.Series:
    """Whether a figure is a printed count that publishers of the national count can contradict each other on."""
    return (
        figures["series"].isin(NATIONAL_SERIES)
        & (figures["value_kind"] == "count")
        & figures["period_kind"].isin(COMPARABLE_PERIODS)
    )


def _rankable(victims: pd.DataFrame, sources: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """A clean table with what rival figures are ranked by."""
    return victims.assign(
        published=[max(sources[i]["published"] for i in ids.split(";")) for ids in victims["source_ids"]],
        nearness=[_nearness(*who) for who in zip(victims["series"], victims["series_basis"].fillna(""), strict=True)],
        doubtful=victims["note"].fillna("").str.endswith(DOUBTFUL),
    )


def _conflict_id(figure: dict) -> str:
    full = figure["period_kind"] == "full_year"
    period = figure["period_start"][:4] if full else f"{figure['period_start']}..{figure['period_end']}"
    return "/".join([figure["measure"], period, figure["dimension"], figure["category"]])


def _best_first(figures: pd.DataFrame, rule: str, before: tuple[str, ...] = ()) -> pd.DataFrame:
    """Sort rival figures so that the one the rule takes comes first; `before` are columns to go by first."""
    order = {FIRST.column: FIRST.ascending} | dict.fromkeys(before, True)
    for step in [*RULE_STEPS[rule], *TIE_STEPS]:
        order.setdefault(step.column, step.ascending)
    return figures.sort_values(list(order), ascending=list(order.values()))


def _reasons(ranked: pd.DataFrame, rule: str) -> list[str]:
    """Why the first of the ranked rivals was taken, and for doubtful ones why they were not."""
    reasons = [
        f"not taken: doubtful (correction {ids})" if doubtful else ""
        for ids, doubtful in zip(ranked["flag_ids"], ranked["doubtful"], strict=True)
    ]
    best = ranked.iloc[0]
    # What has to be explained is the value: another series that agrees with it is no rival.
    rival = ranked[ranked["value"] != best["value"]].iloc[0]
    steps = [FIRST, *RULE_STEPS[rule], *TIE_STEPS]
    decisive = next(step for step in steps if best[step.column] != rival[step.column])
    reasons[0] = decisive.reason
    if decisive.column == "nearness":
        reasons[0] += f": {NEARNESS[best['nearness']]}"
    if best["doubtful"]:
        reasons[0] += f"; doubtful (correction {best['flag_ids']}), but nothing else was published"
    return reasons


def _preferred(figures: pd.DataFrame, rule: str) -> pd.Series:
    """1 for the row a series speaks with about a fact, 0 for others."""
    rank = {kind: place for place, kind in enumerate(KIND_ORDER)}
    ranked = figures.assign(vagueness=figures["value_kind"].map(rank).fillna(len(rank)))
    ranked = _best_first(ranked, rule, before=("vagueness",))
    # A series that has only a doubtful figure says nothing about that fact.
    first = ~ranked.duplicated(["series", *FACT]) & ~ranked["doubtful"].astype(bool)
    return first.astype("int64").reindex(figures.index)


def _counted(figure: dict) -> dict:
    """The count of a figure and its bounds, or the reason why it has none."""
    kind, value = figure["value_kind"], figure["value"]
    found = {
        "count": pd.NA, "count_low": pd.NA, "count_high": pd.NA, "count_basis": "", "why_no_count": "",
        "share_percent": value if kind == "percent" else float("nan"), "share_text": figure["value_text"],
    }  # fmt: skip
    if kind == "count":
        stated = dict.fromkeys(["count", "count_low", "count_high"], int(value))
        return found | stated | {"count_basis": "stated"}
    if kind == "percent":
        return found | _converted(value, figure["base_n"])
    return found | {"why_no_count": WHY_NO_COUNT.get(kind, f"not a number of victims but {kind}")}


def _converted(share_percent: float, base_n: int) -> dict:
    """What a printed share of a known base says about the count."""
    if pd.isna(base_n):
        return {"why_no_count": "a share without a known base"}
    possible = whole_counts(share_percent, base_n, _half_width(share_percent))
    if not possible:
        return {"why_no_count": f"no whole number out of {base_n} makes {share_percent:g} %"}
    bounds = {"count_low": possible[0], "count_high": possible[-1], "count_basis": "converted"}
    if len(possible) > 1:
        return bounds | {"why_no_count": f"several whole numbers out of {base_n} make {share_percent:g} %"}
    return bounds | {"count": possible[0]}


def _half_width(share_percent: float) -> float:
    """Half of the last printed digit, taken from the shortest text of the number: 72.0 was printed as 72."""
    decimals = len(repr(float(share_percent)).removesuffix(".0").partition(".")[2])
    return float(f"5e-{decimals + 1}")


def _with_remark(figure: dict) -> str:
    """The raw notes, and what a correction's flag means for the figure."""
    remark = ""
    if figure["doubtful"]:
        remark = f"doubtful (correction {figure['flag_ids']}): {DOUBTFUL}"
    elif figure["flag_ids"]:
        remark = f"doubtful in some of its publications (correction {figure['flag_ids']})"
    return " | ".join(filter(None, [figure["note"], remark]))


def _finished(figures: pd.DataFrame, columns: list[str], order: list[str]) -> pd.DataFrame:
    """The columns wanted, in a fixed order of rows, blank texts as missing."""
    finished = figures.sort_values(order, ignore_index=True)[columns]
    texts = finished.select_dtypes(["str", "object"]).columns
    return finished.assign(**{c: finished[c].astype("str").replace("", pd.NA) for c in texts})


def _above_own_base(victims: pd.DataFrame) -> list[dict]:
    above = victims[(victims["count_low"] > victims["base_n"]).fillna(False)]
    return [
        part | {"problem": "above_own_base", "whole_id": "", "whole_category": "base_n",
                "whole_count": part["base_n"]}
        for part in above.to_dict("records")
    ]  # fmt: skip


def _above_whole(victims: pd.DataFrame) -> list[dict]:
    counted = victims[victims["count_low"].notna()]
    problems = []
    for _, figures in counted.groupby(["series", "measure", *PERIOD], dropna=False):
        for part in figures.to_dict("records"):
            wholes = figures[[_contains(whole, part) for whole in figures.to_dict("records")]]
            # Publishers of a series may differ on the whole: only the largest is exceeded for sure.
            largest = wholes.sort_values("count_high").drop_duplicates(["dimension", "category"], keep="last")
            problems += [
                part | {"problem": "above_whole", "whole_id": whole["victims_id"],
                        "whole_category": whole["category"], "whole_count": whole["count_high"]}
                for whole in largest.to_dict("records")
                if part["count_low"] > whole["count_high"]
            ]  # fmt: skip
    return problems


def _contains(whole: dict, part: dict) -> bool:
    """Whether one category holds another for sure: the total, or a crossed category's own parts.

    Categories of the dimension `total` other than `total` itself are workloads and extremes of several years,
    not parts.
    """
    if part["dimension"] == "total":
        return False
    if whole["dimension"] == "total":
        return whole["category"] == "total"
    words = set(whole["category"].split("_"))
    return "_x_" in part["dimension"] and words < set(part["category"].split("_"))
