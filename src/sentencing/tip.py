"""Cleans what the TIP Report and UNODC say of justice and tiers: pure functions from raw frames to tidy ones.

Raw frames are those of `corrections.read`: the index is the line of the raw file.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import pandas as pd

from . import facts, sources
from .periods import ACCEPTED, Period, parse_period
from .schemas import Problem, RawDataError

COUNTS = "tip/coded_2018_counts.csv"
SERBIA = "tip/serbia_figures.csv"
OTHER = "tip/other_editions_figures.csv"
TIERS = "tip/tiers.csv"
UNODC = "unodc/country_totals.csv"

# ---------------------------------------------------------------------------- recodes

STAGES = ("investigation", "prosecution", "conviction", "acquittal", "victims_identified")
UNITS = {"persons": "persons", "cases": "cases", "unspecified": "unspecified", "count": "unspecified"}
LAWS = {law: law for law in ("trafficking", "related", "mixed", "unspecified")}
QUALIFIERS = {q: q for q in ("exact", "at_least", "at_most", "approx", "derived", "none", "not_reported")}
CODED_EXPLOITATION = {e: e for e in ("all", "sex", "labor", "other")}
CODED_EDITION = 2018
# A reporting period is filed under its first year; a multi-year one tells its years only in the note.
CODED_PERIODS = {
    "calendar_year": "{year}",
    "reporting_period": "{year}-{next_year}",
    "fiscal_year": "FY{year}",
    "multi_year": "",
}
# Coders named the finer form in the note alone; other notes leave it blank.
CODED_DETAIL = {
    "forced begging": "begging",
    "child forced begging": "begging",
    "organized begging": "begging",
    "forced criminality": "criminality",
    "multiple types": "multiple",
    "both sex and labor": "multiple",
    "form not stated": "unspecified",
}


class Share(NamedTuple):
    """What an `exploitation` cell means: the broad form, the finer word, whose, and under which law."""

    exploitation: str
    detail: str = ""
    victim_group: str = "all"
    law: str = "unspecified"


EXPLOITATION = {
    "": Share("all"),
    "all": Share("all"),
    "all_adult": Share("all", victim_group="adult"),
    "all_child": Share("all", victim_group="child"),
    "all_related": Share("all", law="related"),
    "child": Share("all", victim_group="child"),
    "sex": Share("sex"),
    "labor": Share("labor"),
    "begging": Share("other", "begging"),
    "criminality": Share("other", "criminality"),
    "forced_criminality": Share("other", "criminality"),
    "multiple": Share("other", "multiple"),
    "sex_and_labor": Share("other", "multiple"),
    "sex_or_other": Share("other", "sex_or_other"),
    "unspecified": Share("other", "unspecified"),
}


class Meaning(NamedTuple):
    """What an indicator counts; `part` names what, where that is less than the whole country's figure."""

    stage: str
    part: str = ""
    victim_group: str = "all"
    law: str = "unspecified"
    continuing: int | None = None
    series: str = ""


INDICATORS = {
    "investigations": Meaning("investigation"),
    "other:cases_initiated": Meaning("investigation", law="mixed"),
    "other:cases_initiated_trafficking_article": Meaning("investigation", law="trafficking"),
    "other:art600_investigations": Meaning("investigation", "article 600", law="related"),
    "other:ICE_investigations": Meaning("investigation", "ICE"),
    "other:FBI_investigations": Meaning("investigation", "FBI"),
    "other:SPAK_new_investigations": Meaning("investigation", "SPAK"),
    "other:local_investigations": Meaning("investigation", "local authorities"),
    "other:prosecutor_investigations": Meaning("investigation", "prosecutors"),
    "other:investigations_border_guard": Meaning("investigation", "border guard"),
    "prosecutions": Meaning("prosecution"),
    "other:prosecution_cases": Meaning("prosecution"),
    "other:prosecution_cases_sex": Meaning("prosecution"),
    "other:prosecution_cases_labor": Meaning("prosecution"),
    "other:ongoing_prosecutions": Meaning("prosecution", continuing=1),
    "other:ongoing_trials": Meaning("prosecution", "trials", continuing=1),
    "other:hti_prosnum": Meaning("prosecution", series="hti"),
    "other:charged": Meaning("prosecution", "charges"),
    "other:charges": Meaning("prosecution", "charges"),
    "other:cases_to_trial": Meaning("prosecution", "trials"),
    "other:cases_to_court": Meaning("prosecution", "trials"),
    "other:federation_prosecutions": Meaning("prosecution", "Federation"),
    "other:art195_prosecutions": Meaning("prosecution", "article 195", law="related"),
    "other:art600_indictments": Meaning("prosecution", "article 600", law="related"),
    "convictions": Meaning("conviction"),
    "other:conviction_decisions": Meaning("conviction"),
    "other:convictions_first_instance": Meaning("conviction", "first instance"),
    "other:federation_convictions": Meaning("conviction", "Federation"),
    "other:RS_convictions": Meaning("conviction", "Republika Srpska"),
    "other:convictions_state_RS_BD": Meaning("conviction", "all but the Federation"),
    "other:art600_convictions": Meaning("conviction", "article 600", law="related"),
    "acquittals": Meaning("acquittal"),
    "victims_identified": Meaning("victims_identified"),
    "victims_sex_trafficking": Meaning("victims_identified"),
    "victims_forced_labor": Meaning("victims_identified"),
    "victims_forced_begging": Meaning("victims_identified"),
    "other:victims_forced_criminality": Meaning("victims_identified"),
    "other:victims_multiple": Meaning("victims_identified"),
    "victims_children": Meaning("victims_identified", victim_group="child"),
    "victims_female": Meaning("victims_identified", victim_group="female"),
    "other:victims_male": Meaning("victims_identified", victim_group="male"),
    "other:victims_foreign": Meaning("victims_identified", "foreign"),
    "other:victims_migrants": Meaning("victims_identified", "migrants"),
    "other:victims_dominican_republic": Meaning("victims_identified", "from the Dominican Republic"),
    "other:police_victims": Meaning("victims_identified", series="police"),
    "other:police_victims_children": Meaning("victims_identified", victim_group="child", series="police"),
    "other:police_victims_female": Meaning("victims_identified", victim_group="female", series="police"),
}
# These name the form themselves, so a blank `exploitation` cell must not make them totals.
INDICATOR_EXPLOITATION = {
    "other:prosecution_cases_sex": "sex",
    "other:prosecution_cases_labor": "labor",
    "victims_sex_trafficking": "sex",
    "victims_forced_labor": "labor",
    "victims_forced_begging": "begging",
    "other:victims_forced_criminality": "criminality",
    "other:victims_multiple": "multiple",
}

TIER_INDICATORS = {"tier"}
STATUTES = {
    "statutory_min", "statutory_max", "other:statutory_min_qualified", "other:statutory_min_raised_to",
}  # fmt: skip
SENTENCES = {
    "sentence_min", "sentence_max", "sentence_typical", "sentence_case", "suspended_sentences",
    "other:began_serving_sentence", "other:community_service", "other:convicted_prison",
    "other:convicted_restraint_of_liberty", "other:early_release_convicted_traffickers",
    "other:fifth_convicted_no_or_unclear_prison", "other:fine", "other:fine_or_administrative",
    "other:fine_plus_confiscation", "other:jail_term_redeemable_up_to", "other:life_sentence",
    "other:mean_sentence_days", "other:mean_unsuspended_months", "other:sentenced_to_prison",
    "other:sentences_over_1500_days", "other:sentences_over_24_months", "other:sentences_over_36_months",
    "other:served_prison_time", "other:total_imprisonment_5_offenders",
}  # fmt: skip
SHARES_AND_CHANGES = {
    "other:convictions_change_pct", "other:investigations_change_pct", "other:pct_acquitted",
    "other:pct_convicted", "other:pct_fully_suspended", "other:pct_ge_12_months", "other:pct_jail",
    "other:pct_no_prison", "other:pct_prison", "other:pct_prison_not_suspended",
    "other:pct_significant_prison", "other:pct_suspended", "other:pct_suspended_of_pleas",
    "other:pct_victims_assisted",
}  # fmt: skip
# Steps before an investigation is opened, and arrests, belong to no stage counted here.
BEFORE_THE_STAGES = {
    "other:arrests", "other:arrests_sexual_labor_exploitation", "other:arrest_warrants",
    "other:cases_referred_to_Serious_Crimes_Court", "other:cases_reported_to_prosecutor",
    "other:complaints_filed", "other:criminal_complaints", "other:cross_border_cases",
    "other:police_referrals_to_GPO", "other:reported_perpetrators", "other:reported_perpetrators_female",
}  # fmt: skip
# Verdicts of any outcome, remainders that hold more than acquittals, excerpts cut before they say what is
# counted, judgments that an NGO happened to read, offences other than trafficking, and officials, whom the
# 2018 coding leaves out too.
NOT_COMPARABLE = {
    "other:aliens_act_cases", "other:aliens_act_convictions", "other:court_decisions_analysed",
    "other:defendants_analysed", "other:dismissed_statute_of_limitations", "other:first_instance_33",
    "other:judgments_analysed", "other:officials_convicted", "other:plea_judgments",
    "other:probable_convictions", "other:verdicts", "other:verdicts_without_conviction",
    "other:victims_in_judgments",
}  # fmt: skip
SUPPORT_AND_MONEY = {
    "asset_or_compensation", "reports_to_center", "other:action_plan_rsd",
    "other:alleged_forced_labor_vietnamese", "other:center_budget_rsd", "other:joint_investigative_teams",
    "other:new_social_workers_cptv", "other:referred_by_civil_society_other",
    "other:referred_by_government", "other:referred_by_law_enforcement", "other:referred_by_ngo_io",
    "other:referred_by_other_government", "other:referred_by_private_other", "other:referred_by_self",
    "other:referred_by_social_welfare", "other:temporary_residence_permits",
    "other:victims_assisted_by_NES", "other:victims_ever_compensated",
}  # fmt: skip
IGNORED = (
    TIER_INDICATORS | STATUTES | SENTENCES | SHARES_AND_CHANGES | BEFORE_THE_STAGES | NOT_COMPARABLE
    | SUPPORT_AND_MONEY
)  # fmt: skip

UNODC_STAGES = {
    "convicted": "conviction", "prosecuted": "prosecution", "detected_victims": "victims_identified"
}  # fmt: skip
SUPPRESSED = {"<5": (1, 4)}
TIER_RANKS = {"1": 1, "2": 2, "2WL": 3, "3": 4, "special": pd.NA, "2_or_2WL": pd.NA}

JUSTICE_COLUMNS = [
    "justice_id", "iso3", "reference_year", "period_start", "period_end", "period_kind", "period_precision",
    "stage", "unit", "exploitation", "exploitation_detail", "victim_group", "part", "law", "continuing",
    "value", "value_low", "value_high", "qualifier", "series", "edition", "vintage", "source_ids",
    "n_publications", "raw_rows", "locator", "correction_ids", "note",
]  # fmt: skip
FACT = [
    "iso3", "stage", "unit", "exploitation", "exploitation_detail", "victim_group", "part", "law",
    "continuing", "series",
]  # fmt: skip
LOOSE = [column for column in FACT if column not in ("unit", "law", "exploitation_detail")]
SAME_FIGURE = [
    "edition", "iso3", "period_label", "stage", "exploitation", "victim_group", "part", "value", "qualifier"
]  # fmt: skip
# What a copy that does not tell a thing holds instead: it may stand for any of the values.
VAGUE = {"unit": "unspecified", "law": "unspecified", "exploitation_detail": "", "continuing": None}
YEARLONG = ("calendar_year", "reporting_period", "fiscal_year")
REVISION_COLUMNS = [
    "iso3", "reference_year", "period_start", "period_end", "stage", "unit", "exploitation",
    "exploitation_detail", "victim_group", "part", "law", "continuing", "first_edition", "first_value",
    "last_edition", "last_value", "change", "n_vintages", "source_ids", "justice_ids", "why_not_compared",
]  # fmt: skip
INTEGERS = {
    "reference_year", "value", "value_low", "value_high", "continuing", "edition", "n_publications",
    "first_edition", "first_value", "last_edition", "last_value", "change", "n_vintages",
}  # fmt: skip
TIER_COLUMNS = [
    "iso3", "country", "report_year", "tier", "tier_rank", "conflicts_with", "n_sources", "added_from",
    "source_id", "raw_rows", "correction_ids", "note",
]  # fmt: skip


# ---------------------------------------------------------------------------- justice


def clean_justice(
    coded_counts: pd.DataFrame,
    serbia_figures: pd.DataFrame,
    other_figures: pd.DataFrame,
    unodc_totals: pd.DataFrame,
) -> pd.DataFrame:
    """Put all counts of the stages of justice into one table.

    Parameters
    ----------
    coded_counts, serbia_figures, other_figures, unodc_totals : pandas.DataFrame
        The raw tables named by `COUNTS`, `SERBIA`, `OTHER` and `UNODC`.

    Returns
    -------
    pandas.DataFrame
        One row per country, reference period, stage, unit, exploitation, law, value, qualifier, edition and
        series (columns `JUSTICE_COLUMNS`), in an order that does not depend on that of the input. Values
        count persons or cases as `unit` says. Totals and their parts are both rows: filter before summing.

        `reference_year` is blank for periods of more than a year. `value_low` and `value_high` bound the
        count: both equal `value` where it is exact, derived or none; one is blank for at_least and at_most,
        both for approx and not_reported; a suppressed "<5" has 1 and 4 and no value. `part` names what a
        figure is limited to beyond exploitation and victims (a body, a region, an article of law, a step), as
        far as the indicator says so; the coded narratives tell such limits in `note` only. `edition` is the
        report year, for series hti that of the narrative which its coders read.

        Copies of one edition (a mirror, or the coded narrative) that give the same figure are one row: a
        copy that does not tell unit, law, finer exploitation or whether cases were carried over takes them
        from one that does. `vintage` counts the editions that gave a figure for the same fact, from 1; there,
        law unspecified is taken as trafficking. Other series are never folded and have vintage 1.

    Raises
    ------
    schemas.RawDataError
        With every unknown indicator, unit, code or period and every value that does not fit its qualifier.
    """
    problems: list[Problem] = []
    records = [
        *_read_rows(coded_counts, COUNTS, _read_coded, problems),
        *_read_rows(serbia_figures, SERBIA, _read_figure, problems),
        *_read_rows(other_figures, OTHER, _read_figure, problems),
        *_read_rows(unodc_totals, UNODC, _read_unodc, problems),
    ]
    if problems:
        raise RawDataError(problems)
    return _justice_frame([_merge(copies) for copies in _fold(records)])


class _Unknown(Exception):
    """One cell cannot be read; carries what a Problem needs besides the place."""

    def __init__(self, column: str, value: str, expected: str):
        self.column, self.value, self.expected = column, value, expected


def _read_rows(
    frame: pd.DataFrame, table: str, read: Callable[[dict, str], dict | None], problems: list[Problem]
) -> list[dict]:
    records = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        cells = {column: _text(value) for column, value in cells.items()}
        try:
            record = read(cells, table)
        except _Unknown as unknown:
            problems.append(_problem(table, row, unknown.column, unknown.value, unknown.expected))
            continue
        if record is not None:
            provenance = {"table": table, "row": int(row), "source_id": cells["source_id"]}
            shared = {c: cells.get(c, "") for c in ("locator", "note", "correction_ids")}
            records.append({"iso3": cells["iso3"], **record, **provenance, **shared})
    return records


def _problem(table: str, row: int, column: str, value: str, expected: str) -> Problem:
    return Problem(f"data/raw/{table}", int(row), column, value, expected)


def _text(value) -> str:
    if pd.isna(value):
        return ""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _recode(cells: dict, column: str, codes: dict):
    if cells[column] not in codes:
        known = ", ".join(repr(code) for code in sorted(codes))
        raise _Unknown(column, cells[column], f"one of {known}")
    return codes[cells[column]]


def _period(text: str, iso3: str) -> Period:
    try:
        return parse_period(text, iso3)
    except ValueError:
        raise _Unknown("reference_period", text, f"a period ({ACCEPTED})") from None


def _count(cells: dict, qualifier: str) -> int | None:
    if qualifier == "not_reported":
        if cells["value"]:
            raise _Unknown("value", cells["value"], "a blank, because the qualifier is not_reported")
        return None
    if not re.fullmatch(r"\d+", cells["value"]):
        raise _Unknown("value", cells["value"], "a whole number of persons or cases")
    value = int(cells["value"])
    if qualifier == "none" and value:
        raise _Unknown("value", cells["value"], "0, because the qualifier is none")
    return value


def _bounds(value: int | None, qualifier: str) -> tuple[int | None, int | None]:
    low = value if qualifier in ("exact", "derived", "none", "at_least") else None
    high = value if qualifier in ("exact", "derived", "none", "at_most") else None
    return low, high


def _read_coded(cells: dict, table: str) -> dict:
    stage = _recode(cells, "stage", {s: s for s in STAGES})
    qualifier = _recode(cells, "qualifier", QUALIFIERS)
    exploitation = _recode(cells, "exploitation", CODED_EXPLOITATION)
    year, value = int(cells["reference_year"]), _count(cells, qualifier)
    period = _coded_period(cells, year)
    note_form = CODED_DETAIL.get(cells["note"].split(";")[0].strip(), "")
    low, high = _bounds(value, qualifier)
    return {
        "period": period,
        "reference_year": None if cells["period"] == "multi_year" else year,
        "period_label": f"several-to-{year}" if cells["period"] == "multi_year" else _label(period, year),
        "stage": stage, "unit": _recode(cells, "unit", UNITS), "exploitation": exploitation,
        "exploitation_detail": note_form if exploitation == "other" else "",
        "victim_group": "all", "part": "",
        "law": _recode(cells, "law", LAWS), "continuing": int(cells["continuing"] or 0),
        "value": value, "value_low": low, "value_high": high, "qualifier": qualifier,
        "series": "tip", "edition": CODED_EDITION,
    }  # fmt: skip


def _coded_period(cells: dict, year: int) -> Period:
    form = _recode(cells, "period", CODED_PERIODS)
    if cells["period"] == "multi_year":
        return Period(None, None, "multi_year", "unknown")
    if cells["period"] == "reporting_period" and year >= CODED_EDITION:
        # The report went to press in that year, so it can only mean the first months.
        return Period(parse_period(str(year)).start, None, "part_year", "year")
    return parse_period(form.format(year=year, next_year=year + 1), cells["iso3"])


def _read_figure(cells: dict, table: str) -> dict | None:
    if cells["indicator"] in IGNORED:
        return None
    if cells["indicator"] not in INDICATORS:
        known = ", ".join(sorted(INDICATORS))
        raise _Unknown("indicator", cells["indicator"], f"a justice count ({known}) or one of tip.IGNORED")
    meaning, share = INDICATORS[cells["indicator"]], _share(cells)
    series, qualifier = _series(cells, meaning), _recode(cells, "qualifier", QUALIFIERS)
    value = _count(cells, qualifier)
    if value == 0 and qualifier == "exact" and series != "hti":
        qualifier = "none"  # an HTI zero may also mean that the coder found no number
    period = _period(cells["reference_period"], cells["iso3"])
    low, high = _bounds(value, qualifier)
    return {
        "period": period,
        "reference_year": period.reference_year,
        "period_label": _label(period, period.reference_year),
        "stage": meaning.stage, "unit": _recode(cells, "unit", UNITS),
        "exploitation": share.exploitation, "exploitation_detail": share.detail,
        "victim_group": _only(meaning.victim_group, share.victim_group, "all"), "part": meaning.part,
        "law": _only(meaning.law, share.law, "unspecified"), "continuing": meaning.continuing,
        "value": value, "value_low": low, "value_high": high, "qualifier": qualifier,
        "series": series, "edition": int(cells["report_year"]) if series in ("tip", "hti") else None,
    }  # fmt: skip


def _share(cells: dict) -> Share:
    share = _recode(cells, "exploitation", EXPLOITATION)
    named = INDICATOR_EXPLOITATION.get(cells["indicator"])
    if named is None or share == EXPLOITATION[named]:
        return share
    if share != EXPLOITATION["all"]:
        raise _Unknown("exploitation", cells["exploitation"], f"{named!r} or blank for {cells['indicator']}")
    return EXPLOITATION[named]


def _only(first: str, second: str, default: str) -> str:
    return first if first != default else second


def _series(cells: dict, meaning: Meaning) -> str:
    if meaning.series:
        return meaning.series
    if cells["report_year"] and not re.search(r"\bnot TIP\b", cells["note"], flags=re.IGNORECASE):
        return "tip"
    told = f"{cells['note']} {cells['locator']}".lower()
    if "police" in told:
        return "police"
    return "prosecutor" if "prosecutor" in told else "other"


def _read_unodc(cells: dict, table: str) -> dict:
    year = int(cells["year"])
    if cells["value"] in SUPPRESSED:
        (low, high), value, qualifier = SUPPRESSED[cells["value"]], None, "suppressed"
    else:
        value = _count(cells, "exact")
        qualifier = "exact" if value else "none"
        low = high = value
    return {
        "period": parse_period(str(year)), "reference_year": year, "period_label": str(year),
        "stage": _recode(cells, "indicator", UNODC_STAGES), "unit": "persons", "exploitation": "all",
        "exploitation_detail": "", "victim_group": "all", "part": "", "law": "trafficking", "continuing": 0,
        "value": value, "value_low": low, "value_high": high, "qualifier": qualifier,
        "series": "unodc", "edition": None,
    }  # fmt: skip


def _label(period: Period, year: int | None) -> str:
    if period.kind in YEARLONG:
        return str(year)
    ends = [f"{end:%Y-%m}" if end else "" for end in (period.start, period.end)]
    return "undated" if not any(ends) else "_".join(ends)


def _fold(records: list[dict]) -> list[list[dict]]:
    """Groups of rows that are copies of one figure of one edition; rows of other series stand alone.

    Two rows of one source are never copies: the same number twice in one narrative is two facts.
    """
    groups: dict[tuple, list[list[dict]]] = {}
    for record in sorted(records, key=_fold_order):
        key = tuple(record[column] for column in SAME_FIGURE)
        if record["series"] != "tip":
            key = ("alone", record["table"], record["row"])
        group = groups.setdefault(key, [])
        fitting = [copies for copies in group if _fits(record, copies)]
        if fitting:
            fitting[0].append(record)
        else:
            group.append([record])
    return [copies for group in groups.values() for copies in group]


def _fold_order(record: dict) -> tuple:
    # Coded narratives first, because they tell most; trafficking before other laws, because a copy that tells
    # no law is likelier to mean the headline figure.
    tables = (COUNTS, SERBIA, OTHER, UNODC)
    n_vague = sum(record[column] == vague for column, vague in VAGUE.items())
    return tables.index(record["table"]), record["law"] != "trafficking", n_vague, record["row"]


def _fits(record: dict, copies: list[dict]) -> bool:
    told = _told(copies)
    if any((record["table"], record["source_id"]) == (copy["table"], copy["source_id"]) for copy in copies):
        return False
    return all(vague in (record[c], told[c]) or record[c] == told[c] for c, vague in VAGUE.items())


def _told(copies: list[dict]) -> dict:
    return {
        column: next((copy[column] for copy in copies if copy[column] != vague), vague)
        for column, vague in VAGUE.items()
    }


def _merge(copies: list[dict]) -> dict:
    first, period = copies[0], copies[0]["period"]
    return {
        **first,
        **_told(copies),
        "period_start": period.start,
        "period_end": period.end,
        "period_kind": period.kind,
        "period_precision": period.precision,
        "source_ids": sources.join_ids(copy["source_id"] for copy in copies),
        "n_publications": len({copy["source_id"] for copy in copies}),
        "raw_rows": ";".join(f"{copy['table']}:{copy['row']}" for copy in copies),
        "locator": _joined(copies, "locator"),
        "note": _joined(copies, "note"),
        "correction_ids": _correction_ids(copies),
    }


def _joined(copies: list[dict], column: str) -> str:
    return " | ".join(dict.fromkeys(copy[column] for copy in copies if copy[column]))


def _correction_ids(rows: list[dict]) -> str:
    ids = (i for row in rows for i in _text(row.get("correction_ids", "")).split(";"))
    return ";".join(sorted(set(ids) - {""}))


def _justice_frame(rows: list[dict]) -> pd.DataFrame:
    for row in rows:
        row["continuing"] = row["continuing"] or 0
        row["stem"] = _id_stem(row)
    rows = sorted(rows, key=lambda row: (row["stem"], row["table"], row["row"]))
    seen: Counter = Counter()
    for row in rows:
        seen[row["stem"]] += 1
        repeat = seen[row["stem"]]
        row["justice_id"] = row["stem"] if repeat == 1 else f"{row['stem']}.{repeat}"
    frame = pd.DataFrame(rows, columns=[c for c in JUSTICE_COLUMNS if c != "vintage"])
    for column in frame:
        if column in INTEGERS:
            frame[column] = frame[column].astype("Int64")
        elif column in ("period_start", "period_end"):
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")
        else:
            frame[column] = frame[column].astype("str").replace("", pd.NA)
    frame["vintage"] = _vintages(frame)
    order = ["iso3", "reference_year", "period_start", "stage", "series", "edition", "justice_id"]
    stage_order = {stage: place for place, stage in enumerate(STAGES)}
    return frame.sort_values(
        order, key=lambda s: s.map(stage_order) if s.name == "stage" else s, kind="stable", ignore_index=True
    )[JUSTICE_COLUMNS]


def _id_stem(row: dict) -> str:
    """Country, period, stage, unit, then only what is not the usual, then who says it."""
    special = [
        row["exploitation"],
        row["exploitation_detail"],
        row["victim_group"] if row["victim_group"] != "all" else "",
        row["part"],
        row["law"] if row["law"] not in ("trafficking", "unspecified") else "",
        "continuing" if row["continuing"] else "",
    ]
    who = row["series"] + (str(row["edition"]) if row["edition"] else "")
    parts = [row["iso3"], row["period_label"], row["stage"], row["unit"], *filter(None, special), who]
    return ".".join(re.sub(r"\W+", "-", part) for part in parts)


def _fact_keys(justice: pd.DataFrame, columns: list[str] = FACT) -> pd.DataFrame:
    """The columns that tell which fact a row is about, law unspecified counted as trafficking."""
    yearlong = justice["period_kind"].isin(YEARLONG)
    start, end = (justice[c].astype("str").fillna("") for c in ("period_start", "period_end"))
    keys = justice[columns].fillna({c: "" for c in columns if c != "continuing"})
    if "law" in columns:
        keys["law"] = keys["law"].replace("unspecified", "trafficking")
    year = justice["reference_year"].astype("str")
    return keys.assign(period=year.where(yearlong, justice["period_kind"] + start + "_" + end))


def _vintages(justice: pd.DataFrame) -> pd.Series:
    keys = _fact_keys(justice)
    ranks = justice.groupby([keys[c] for c in keys], dropna=False)["edition"].rank("dense")
    return ranks.where(justice["series"] == "tip", 1).astype("Int64")


# ---------------------------------------------------------------------------- revisions


def revisions(justice: pd.DataFrame) -> pd.DataFrame:
    """How later editions of the TIP Report restate what earlier ones gave.

    Parameters
    ----------
    justice : pandas.DataFrame
        As of `clean_justice`.

    Returns
    -------
    pandas.DataFrame
        One row per fact that two or more editions give (columns `REVISION_COLUMNS`): its first and last
        value, in persons or cases as `unit` says, and `change`, last minus first. Where the values cannot be
        compared they are blank and `why_not_compared` tells why: an edition gives several figures, or one
        that is not exact, or the editions share no unit, law and finer exploitation.
    """
    tip = justice[justice["series"] == "tip"]
    strict, loose = _fact_keys(tip), _fact_keys(tip, LOOSE)
    strict_id = strict.groupby(list(strict), dropna=False).ngroup()
    loose_id = loose.groupby(list(loose), dropna=False).ngroup()
    restated = tip.groupby(strict_id)["edition"].transform("nunique") >= 2
    several = tip.groupby(loose_id)["edition"].transform("nunique") >= 2
    unlike = several & ~restated.groupby(loose_id).transform("any")
    rows = [_revision(group) for _, group in tip[restated].groupby(strict_id[restated])]
    rows += [
        _revision(group, "the editions share no unit, law and finer exploitation")
        for _, group in tip[unlike].groupby(loose_id[unlike])
    ]
    frame = pd.DataFrame(rows, columns=REVISION_COLUMNS)
    for column in INTEGERS & set(frame):
        frame[column] = frame[column].astype("Int64")
    order = ["iso3", "reference_year", "stage", "justice_ids"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _revision(group: pd.DataFrame, why_not: str = "") -> dict:
    group = group.sort_values(["edition", "justice_id"], kind="stable")
    why_not = why_not or _why_not_compared(group)
    first, last = group.iloc[0], group.iloc[-1]
    shared = {column: _common(group[column]) for column in REVISION_COLUMNS if column in group}
    values = (first["value"], last["value"]) if not why_not else (pd.NA, pd.NA)
    return {
        **shared,
        "first_edition": first["edition"], "first_value": values[0],
        "last_edition": last["edition"], "last_value": values[1],
        "change": values[1] - values[0], "n_vintages": group["edition"].nunique(),
        "source_ids": sources.join_ids(group["source_ids"]),
        "justice_ids": ";".join(group["justice_id"]), "why_not_compared": why_not or pd.NA,
    }  # fmt: skip


def _why_not_compared(group: pd.DataFrame) -> str:
    if group["edition"].duplicated().any():
        return "an edition gives several figures"
    if not group["qualifier"].isin(["exact", "none", "derived"]).all():
        return "an edition gives no exact figure"
    return ""


def _common(column: pd.Series):
    """The one value of a column, or all its values joined."""
    values = list(dict.fromkeys(column.dropna()))
    if len(values) <= 1 or not all(isinstance(value, str) for value in values):
        return values[0] if values else pd.NA
    return ";".join(sorted(values))


# ---------------------------------------------------------------------------- tiers


# What a reader needs of a revision.
REVISED = [
    "iso3", "reference_year", "stage", "exploitation", "first_edition", "first_value", "last_edition", "last_value",
    "change",
]  # fmt: skip


def convictions(justice: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Convictions for all forms of exploitation that the coded edition gives for one country, by year."""
    rows = justice[
        (justice["series"] == "tip")
        & (justice["iso3"] == iso3)
        & (justice["edition"] == CODED_EDITION)
        & (justice["stage"] == "conviction")
        & (justice["exploitation"] == "all")
    ]
    columns = ["reference_year", "unit", "value", "qualifier", "law", "raw_rows", "source_ids"]
    return rows[columns].sort_values(["reference_year", "raw_rows"], ignore_index=True)


QUALIFIER_LABELS = {
    "exact": "a number", "none": "said to be none", "not_reported": "said not to be reported",
    "suppressed": "withheld, 1 to 4", "at_least": "at least", "at_most": "at most", "approx": "about",
    "derived": "computed from printed figures",
}  # fmt: skip


def kinds_of_statement(justice: pd.DataFrame, bodies: dict[str, str]) -> pd.DataFrame:
    """How many figures are which kind of statement, by who published them, in words."""
    counts = justice.groupby(["qualifier", "series"]).size().unstack(fill_value=0)
    counts = counts.reindex([q for q in QUALIFIER_LABELS if q in counts.index])
    return counts.rename(index=QUALIFIER_LABELS, columns=bodies).rename_axis("statement", axis=0).reset_index()


def clean_tiers(tiers: pd.DataFrame, serbia_figures: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tier by country and report year.

    Parameters
    ----------
    tiers : pandas.DataFrame
        The raw table `TIERS`.
    serbia_figures : pandas.DataFrame, optional
        The raw table `SERBIA`. Its tiers fill country-years that `tiers` lacks; where both have one and
        disagree, the other value joins `conflicts_with`. Several sources that disagree on a country-year
        that `tiers` lacks leave the tier blank: which one holds is for a declared correction to choose.

    Returns
    -------
    pandas.DataFrame
        Columns `TIER_COLUMNS`, one row per country and report year. `tier_rank` runs from 1 (best) to 4 over
        1, 2, 2WL, 3 and is blank for special cases, "2_or_2WL" and disputed tiers. `n_sources` is the raw
        table's count, or for added rows that of the sources that agree.

    Raises
    ------
    schemas.RawDataError
        For unknown tiers and repeated country-years.
    """
    frame = tiers.assign(
        raw_rows=[f"{TIERS}:{row}" for row in tiers.index],
        correction_ids=tiers.get("correction_ids", pd.Series("", index=tiers.index)),
    )
    problems = _tier_problems(frame, TIERS, "tier")
    repeated = frame.loc[frame.duplicated(["iso3", "report_year"]), ["iso3", "report_year"]]
    problems += [
        _problem(TIERS, row, "report_year", f"{iso3} {year}", "each country and report year once")
        for row, iso3, year in repeated.itertuples()
    ]
    if serbia_figures is not None:
        further = serbia_figures[serbia_figures["indicator"].isin(TIER_INDICATORS)]
        problems += _tier_problems(further, SERBIA, "value")
    if problems:
        raise RawDataError(problems)
    if serbia_figures is not None:
        frame = _with_further_tiers(frame, further)
    frame["tier_rank"] = frame["tier"].map(TIER_RANKS).astype("Int64")
    for column in ("report_year", "n_sources"):
        frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    for column in ("tier", "conflicts_with", "added_from", "correction_ids", "note"):
        frame[column] = frame[column].astype("str").replace("", pd.NA)
    return frame.sort_values(["iso3", "report_year"], kind="stable", ignore_index=True)[TIER_COLUMNS]


def _tier_problems(frame: pd.DataFrame, table: str, column: str) -> list[Problem]:
    unknown = frame.loc[~frame[column].isin(list(TIER_RANKS)), column]
    expected = f"one of {', '.join(TIER_RANKS)}"
    return [_problem(table, row, column, _text(tier), expected) for row, tier in unknown.items()]


def _with_further_tiers(frame: pd.DataFrame, further: pd.DataFrame) -> pd.DataFrame:
    known = {(row["iso3"], int(row["report_year"])): dict(row) for row in frame.to_dict("records")}
    countries = {row["iso3"]: row["country"] for row in known.values()}
    groups: dict[tuple, list[dict]] = {}
    for row, cells in zip(further.index, further.to_dict("records"), strict=True):
        cells = {column: _text(value) for column, value in cells.items()} | {"raw_row": f"{SERBIA}:{row}"}
        groups.setdefault((cells["iso3"], int(cells["report_year"])), []).append(cells)
    for key, group in groups.items():
        group.sort(key=lambda cells: int(cells["raw_row"].rpartition(":")[2]))
        known[key] = _join_tier(known[key], group) if key in known else _new_tier(key, group, countries)
    return pd.DataFrame(list(known.values()))


def _join_tier(row: dict, group: list[dict]) -> dict:
    conflicts = [_text(row["conflicts_with"])]
    conflicts += [f"{c['source_id']}={c['value']}" for c in group if c["value"] != row["tier"]]
    joined = {
        "conflicts_with": "; ".join(filter(None, conflicts)),
        "raw_rows": ";".join([row["raw_rows"], *(cells["raw_row"] for cells in group)]),
        "correction_ids": _correction_ids([row, *group]),
    }
    return row | joined


def _new_tier(key: tuple[str, int], group: list[dict], countries: dict[str, str]) -> dict:
    values = {cells["value"] for cells in group}
    agreed = len(values) == 1
    return {
        "iso3": key[0], "country": countries.get(key[0], pd.NA), "report_year": key[1],
        "tier": values.pop() if agreed else "",
        "conflicts_with": "" if agreed else "; ".join(f"{c['source_id']}={c['value']}" for c in group),
        "n_sources": len({cells["source_id"] for cells in group}) if agreed else 0, "added_from": SERBIA,
        "source_id": sources.join_ids(cells["source_id"] for cells in group),
        "raw_rows": ";".join(cells["raw_row"] for cells in group),
        "correction_ids": _correction_ids(group), "note": _joined(group, "note"),
    }  # fmt: skip


def tier_coverage(tiers: pd.DataFrame) -> pd.DataFrame:
    """How many countries' tiers are known by report year.

    Returns
    -------
    pandas.DataFrame
        Columns `report_year`, `n_countries` (those with a tier, special cases included) and
        `share_of_largest` (of the report year with most countries, between 0 and 1).
    """
    n_countries = tiers.dropna(subset="tier").groupby("report_year")["iso3"].nunique()
    coverage = n_countries.rename("n_countries").reset_index()
    return coverage.assign(share_of_largest=coverage["n_countries"] / coverage["n_countries"].max())


# ---------------------------------------------------------------------------- coverage


def coverage_grid(
    justice: pd.DataFrame, coded_flags: pd.DataFrame, countries: Iterable[str], years: Iterable[int]
) -> pd.DataFrame:
    """What TIP editions read here tell of each country, year and stage: the missingness as a data set.

    Parameters
    ----------
    justice : pandas.DataFrame
        As of `clean_justice`.
    coded_flags : pandas.DataFrame
        Flags of the 2018 edition; every country in it had its narrative read.
    countries, years : iterables
        The grid, as ISO 3166-1 alpha-3 codes and reference years.

    Returns
    -------
    pandas.DataFrame
        Columns `iso3`, `reference_year`, `stage`, `status`, `editions` (report years joined by ";"), one row
        per cell of the full grid. `status` is

        - `reported`: some figure is above 0, or has a lower bound above 0;
        - `reported_as_none`: the only figures are 0, about all trafficking or about sex and labour both;
        - `not_reported`: the text says so, or gives 0 for a part only, or the country's narrative of the
          2018 edition was read, the year is 2017 and no figure for that year alone was found;
        - `not_covered`: no narrative read here could tell. Absence is not zero.
    """
    tip = justice[(justice["series"] == "tip") & justice["reference_year"].notna()]
    cells = {key: group for key, group in tip.groupby(["iso3", "reference_year", "stage"])}
    was_read = set(coded_flags["iso3"])
    rows = []
    for key in itertools.product(sorted(set(countries)), sorted(set(years)), STAGES):
        read_here = key[0] in was_read and key[1] == CODED_EDITION - 1
        rows.append((*key, *_status(cells.get(key), read_here)))
    grid = pd.DataFrame(rows, columns=["iso3", "reference_year", "stage", "status", "editions"])
    return grid.astype({"reference_year": "Int64", "editions": "str"}).replace({"editions": {"": pd.NA}})


STATUSES = ("reported", "reported_as_none", "not_reported", "not_covered")


def coverage_of(grid: pd.DataFrame, year: int) -> pd.DataFrame:
    """Countries by stage (rows) and status (columns) for one reference year of the grid."""
    cells = grid[grid["reference_year"] == year].groupby(["stage", "status"]).size().unstack(fill_value=0)
    return cells.reindex(index=list(STAGES), columns=list(STATUSES), fill_value=0)


def _status(rows: pd.DataFrame | None, read_here: bool) -> tuple[str, str]:
    editions = {int(edition) for edition in rows["edition"]} if rows is not None else set()
    if read_here:
        editions.add(CODED_EDITION)
    told = ";".join(map(str, sorted(editions)))
    if rows is None:
        return ("not_reported" if read_here else "not_covered"), told
    if (rows[["value", "value_low"]].fillna(0) > 0).any(axis=None):
        return "reported", told
    zeros = rows[rows["value"].eq(0).fillna(False) & rows["part"].isna() & (rows["continuing"] == 0)]
    zero_of = set(zeros.loc[(zeros["victim_group"] == "all") & (zeros["law"] != "related"), "exploitation"])
    whole = "all" in zero_of or {"sex", "labor"} <= zero_of
    return ("reported_as_none" if whole else "not_reported"), told


# ---------------------------------------------------------------------------- agreement of two coders


class Agreement(NamedTuple):
    """F1 over two multisets of facts (symmetric; NaN when both are empty), and how many facts each has."""

    f1: float
    n_first: int
    n_second: int
    n_shared: int


FactBuilder = Callable[[pd.DataFrame], Iterable[tuple]]


def agreement(first: pd.DataFrame, second: pd.DataFrame, keys: FactBuilder) -> Agreement:
    """How far two coders' tables hold the same facts.

    Parameters
    ----------
    first, second : pandas.DataFrame
        The tables of the two coders.
    keys : callable
        Turns a table into its facts; `FACT_KEYS` has one for each kind of coded table.

    Returns
    -------
    Agreement
        `f1` = 2 x shared facts / (facts of the first + facts of the second), repeated facts counted as
        often as both have them.
    """
    found = Counter(keys(first)), Counter(keys(second))
    n_first, n_second = (each.total() for each in found)
    n_shared = (found[0] & found[1]).total()
    f1 = 2 * n_shared / (n_first + n_second) if n_first + n_second else float("nan")
    return Agreement(f1, n_first, n_second, n_shared)


def agreement_table(read: Callable[[str], pd.DataFrame], prefix: str) -> pd.DataFrame:
    """Agreement on each kind of coded table, from the two coders' own rows.

    Parameters
    ----------
    read : callable
        Gives a table by name.
    prefix : str
        The tables are `<prefix>_<kind>_first.csv` and `<prefix>_<kind>_second.csv`.

    Returns
    -------
    pandas.DataFrame
        `table`, `F1`, `F1_as_recorded` (when the tables were made), `facts_first`, `facts_second`, `facts_in_both`;
        scores to two decimals.
    """
    rows = []
    for kind, keys in FACT_KEYS.items():
        both = (read(f"{prefix}_{kind}_{coder}.csv") for coder in ("first", "second"))
        score = agreement(*both, keys)
        recorded = sources.read_sidecar(f"{prefix}_{kind}.csv")["double_coding"]["f1_here"]
        rows.append((kind, score.f1, recorded, score.n_first, score.n_second, score.n_shared))
    return pd.DataFrame(
        rows, columns=["table", "F1", "F1_as_recorded", "facts_first", "facts_second", "facts_in_both"]
    ).round(2)


def _facts(table: str, frame: pd.DataFrame) -> list[tuple]:
    rows = frame.astype("object").map(_text).to_dict("records")
    return [fact for row in rows for fact in facts.of_row(table, row)]


FACT_KEYS: dict[str, FactBuilder] = {table: partial(_facts, table) for table in facts.TABLES}
