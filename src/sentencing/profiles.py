"""One country by itself: what is published of it, what is not, and where it stands among countries of its region.

Nothing is filled in. A figure of one publisher is never joined to that of another, and a measure of which a country
publishes nothing stays blank, however poor the page becomes.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from . import compare, estimands, evidence, schemas, stages
from .estimands import line
from .sources import join_ids

PUBLISHERS = ("tip", "unodc")
STEPS = {"victims_identified": "victims", "prosecution": "prosecuted", "conviction": "convicted"}
STATUSES = {
    "reported": "reported",
    "reported_as_none": "reported as none",
    "not_reported": "not reported",
    "not_covered": "not read here",
}
# What the readers of the 2018 edition noted of a narrative, in words.
SENTENCING_TOLD = {
    "yes": "tells sentences",
    "partial": "tells some sentences",
    "no": "tells no sentences",
    "no_convictions": "tells of no conviction",
}
LENIENT = "criticises courts as lenient"
FORMS = {
    "all": "basic form",
    "basic_all": "basic form",
    "adult": "adult victims",
    "child": "child victims",
    "sex": "exploitation for sex",
    "labor": "exploitation for labour",
    "aggravated": "aggravated form",
    "related": "related offence",
}
SPECIAL_TIERS = {"special": "special case", "2_or_2WL": "Tier 2 or Tier 2 Watch List"}
NEVER_SEEN = "no figure was seen"


def with_data(*tables: pd.DataFrame) -> list[str]:
    """Codes of all countries that occur in any of the tables (column `iso3`), in alphabetical order."""
    return sorted(set().union(*(table["iso3"].dropna() for table in tables)))


# --- Side by side -----------------------------------------------------------------------------------------------------


def side_by_side(yearly: pd.DataFrame) -> pd.DataFrame:
    """Yearly totals of the TIP Report and UNODC beside each other, as text; a count that UNODC withholds stays "<5".

    Parameters
    ----------
    yearly : pandas.DataFrame
        As of `stages.yearly_figures`, for one country.

    Returns
    -------
    pandas.DataFrame
        `year` and one column for each step and publisher, such as "convicted, UNODC"; years without any figure are
        left out.
    """
    own = yearly[yearly["body"].isin(PUBLISHERS) & yearly["stage"].isin(STEPS)]
    heads = [f"{step}, {stages.BODIES[body]}" for step in STEPS.values() for body in PUBLISHERS]
    named = [f"{STEPS[stage]}, {stages.BODIES[body]}" for stage, body in zip(own["stage"], own["body"], strict=True)]
    told = own.assign(head=named, told=[figure(row) for row in own.to_dict("records")])
    wide = told.pivot(index="year", columns="head", values="told").reindex(columns=heads)
    return wide.rename_axis(columns=None).reset_index()


def figure(row: dict) -> str:
    """A figure of `stages.yearly_figures` as its publisher prints it: 7, "<5", "at least 3", "about 60", "1 to 6"."""
    low, high = row["value_low"], row["value_high"]
    if pd.isna(row["value"]) and row["body"] == "unodc" and (low, high) == (1, 4):
        return "<5"
    if pd.isna(low) and pd.isna(high):
        return "–" if pd.isna(row["value"]) else f"about {row['value']}"
    if pd.isna(high):
        return f"at least {low}"
    if pd.isna(low):
        return f"at most {high}"
    return f"{low}" if low == high else f"{low} to {high}"


def latest(yearly: pd.DataFrame, stage: str, body: str, years: range | None = None) -> dict | None:
    """The last figure of a stage by a publisher, within `years` if told; None where there is none."""
    own = yearly[(yearly["stage"] == stage) & (yearly["body"] == body)]
    own = own if years is None else own[own["year"].isin(years)]
    return own.sort_values("year").iloc[-1].to_dict() if len(own) else None


# --- Among comparable countries ---------------------------------------------------------------------------------------


class Peers(NamedTuple):
    """The countries one country is compared with."""

    label: str
    iso3s: tuple[str, ...]


def peers(unodc: pd.DataFrame, iso3: str) -> Peers:
    """The other countries of its subregion, as the United Nations draws them; nobody where it is in none.

    Parameters
    ----------
    unodc : pandas.DataFrame
        Raw table of UNODC's country totals, which files each country under a subregion.
    """
    own = unodc.loc[unodc["iso3"] == iso3, "subregion"]
    if not len(own):
        return Peers("", ())
    near = unodc.loc[unodc["subregion"] == own.iloc[0], "iso3"]
    return Peers(own.iloc[0], tuple(sorted(set(near) - {iso3})))


MEASURE_COLUMNS = ["iso3", "country", "measure", "year", "value", "low", "high", "unit", "source_ids"]
RATES = {
    f"{stage}_{body}": f"{step} a year per million people, {stages.BODIES[body]}"
    for stage, step in STEPS.items()
    for body in PUBLISHERS
}
MEASURES = RATES | {
    "law_maximum": "longest term in the law for the basic form, months",
    "median_term": "median term of those sentenced (notebook 06), months",
}


def measures(
    iso3s: tuple[str, ...],
    justice: pd.DataFrame,
    statutes: pd.DataFrame,
    controls: pd.DataFrame,
    countries: pd.DataFrame,
    years: range,
    life_cap_months: float,
) -> pd.DataFrame:
    """What countries can be compared in, one row for each country and measure that is published.

    Parameters
    ----------
    iso3s : tuple of str
    justice, statutes : pandas.DataFrame
        Processed tables.
    controls : pandas.DataFrame
        Raw table with `population` by country and year.
    countries : pandas.DataFrame
        What notebook 06 says of each country's sentences, as of `compare.by_country`.
    years : range
        Rates are of the last year in it with a figure; the law is that at its end.
    life_cap_months : float
        A maximum for life counts as so many months.

    Returns
    -------
    pandas.DataFrame
        MEASURE_COLUMNS; `measure` is a key of MEASURES. `low` and `high` are the ends of a count that is withheld
        or, for the median term, of its 95 % interval; they equal `value` where nothing is open.
    """
    counted = controls[controls["population"].gt(0).fillna(False)].set_index(["iso3", "year"])
    people, people_source = counted["population"], counted["source_id"]
    fitted = countries.set_index("iso3")
    justice, statutes = (table[table["iso3"].isin(iso3s)] for table in (justice, statutes))
    totals, found = stages.justice_totals(justice), []
    for iso3 in iso3s:
        own = totals[totals["iso3"] == iso3]
        for stage in STEPS:
            for body in PUBLISHERS:
                told = latest(own, stage, body, years)
                key = (iso3, told["year"]) if told else None
                if told and key in people.index:
                    ends = [np.nan if pd.isna(told[c]) else 1e6 * told[c] / people[key]
                            for c in ("value", "value_low", "value_high")]  # fmt: skip
                    sources = join_ids([told["source_ids"], people_source[key]])
                    found.append([iso3, f"{stage}_{body}", told["year"], *ends, "number", sources])
        penalty = compare.law_in(statutes, iso3, years[-1], life_cap_months)
        if not np.isnan(penalty["max_months"]):
            most = (penalty["max_months"],) * 3
            found.append([iso3, "law_maximum", years[-1], *most, "months", penalty["law_sources"]])
        if iso3 in fitted.index and not pd.isna(fitted.loc[iso3, "median"]):
            row = fitted.loc[iso3]
            found.append([iso3, "median_term", pd.NA, *row[["median", "lower", "upper"]], "months", row["source_ids"]])
    table = pd.DataFrame(found, columns=[c for c in MEASURE_COLUMNS if c != "country"])
    table.insert(1, "country", [schemas.country_name(iso3) for iso3 in table["iso3"]])
    return table.astype({"year": "Int64", "value": "float64", "low": "float64", "high": "float64"})


def standing(measured: pd.DataFrame, iso3: str, near: Peers) -> pd.DataFrame:
    """Where a country stands among its peers in each measure that it publishes; `estimands.REPORTED`.

    Two rows a measure: the country's own number, and the median and quartiles of its peers. `n` is the number of
    peers with the measure. A peer whose count is withheld enters the quartiles with the middle of what it can be.
    """
    name, lines = schemas.country_name(iso3), []
    for measure, label in MEASURES.items():
        rows = measured[measured["measure"] == measure]
        own, others = rows[rows["iso3"] == iso3], rows[rows["iso3"] != iso3]
        if not len(own):
            continue
        row = own.iloc[0]
        dated = f"{label} ({row['year']})" if measure in RATES else label
        ends = (np.nan, np.nan) if row["low"] == row["high"] else row[["low", "high"]]
        told = (f"own_{measure}", name, dated, row["value"], *ends, row["unit"])
        lines.append(line(*told, len(others), row["source_ids"]))
        if len(others):
            middle = others["value"].fillna((others["low"] + others["high"]) / 2).dropna()
            quartiles = middle.quantile([0.5, 0.25, 0.75])
            sources = join_ids(others["source_ids"])
            group = f"other countries of {near.label}: median (quartiles)"
            lines.append(line(f"peers_{measure}", group, dated, *quartiles, row["unit"], len(others), sources))
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def shown_standing(placed: pd.DataFrame) -> pd.DataFrame:
    """`standing` for a page: a row for each measure."""
    rows = []
    for row in placed.to_dict("records"):
        value, low, high = ("" if pd.isna(row[c]) else _brief(row[c]) for c in ("value", "low", "high"))
        if low and high:
            told = f"{value} ({low} to {high})" if value else f"{low} to {high}"
        else:
            told = f"at least {low}" if low else f"at most {high}" if high else value
        if row["name"].startswith("own_"):
            rows.append({"measure": row["quantity"], "country": told, "others": row["n"], "their_median": "–"})
        else:
            rows[-1]["their_median"] = told
    return pd.DataFrame(rows, columns=["measure", "country", "others", "their_median"])


def _brief(number: float) -> str:
    """A number with three digits that count, in full: 3540, not 3.54e+03."""
    return f"{float(f'{number:.3g}'):.15g}"


def standing_told(measured: pd.DataFrame, iso3: str, near: Peers) -> str:
    """In each measure, how many peers are certainly below and above a country, in words."""
    name, told = schemas.country_name(iso3), []
    if not near.iso3s:
        return (
            f"The United Nations' table of regions used here does not have {name}, so there is nobody to compare with."
        )
    for measure, label in MEASURES.items():
        rows = measured[measured["measure"] == measure].set_index("iso3")
        if iso3 in rows.index and len(rows) > 1:
            own, others = rows.loc[iso3], rows.drop(index=iso3)
            below, above = int((others["high"] < own["low"]).sum()), int((others["low"] > own["high"]).sum())
            told.append(
                f"{label}: {below} lower, {above} higher, {len(others) - below - above} equal or not to be told apart"
            )
    if not told:
        return f"Nothing is published in which {name} could be compared with other countries of {near.label}."
    return f"{name} among other countries of {near.label}. " + "; ".join(told) + "."


# --- The law, prison, what is not told --------------------------------------------------------------------------------


def shown_law(statutes: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Every prison term of the law that was read, for a page; months. The text of the law first, in order of time."""
    own = statutes[(statutes["iso3"] == iso3) & statutes[["min_months", "max_months", "life_max"]].notna().any(axis=1)]
    own = own.assign(is_text=own["form"].eq("article")).sort_values(
        ["is_text", "valid_from", "article", "paragraph"], ascending=[False, True, True, True], kind="stable"
    )
    rows = []
    for row in own.to_dict("records"):
        low, high = ("–" if pd.isna(row[c]) else f"{row[c]:g}" for c in ("min_months", "max_months"))
        for_life = pd.notna(row["life_max"]) and row["life_max"] == 1 and high == "–"
        span = [f"{word} {row[c]}" for word, c in (("since", "valid_from"), ("until", "valid_to")) if pd.notna(row[c])]
        edition = "" if pd.isna(row["edition"]) else f", {row['edition']:g}"
        rows.append(
            {
                "offence": _offence(row),
                "minimum": low,
                "maximum": "life" if for_life else high,
                "in_force": " ".join(span) or "–",
                "told_by": f"{row['told_by']}{edition}",
            }
        )
    return pd.DataFrame(rows, columns=["offence", "minimum", "maximum", "in_force", "told_by"])


def _offence(row: dict) -> str:
    if row["form"] == "article":
        return f"art. {row['article']}" + (f", para. {row['paragraph']}" if pd.notna(row["paragraph"]) else "")
    coded = row["form"].removeprefix("figure:").removeprefix("all_")
    return FORMS[coded]


def shown_custody(custody: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """What became of the convicted, year by year, for a page; persons, blank is not told."""
    own = custody[custody["iso3"] == iso3]
    usable = np.where(own["used"] == 1, "yes", "no: " + own["why_not"].fillna("").astype("str"))
    columns = {"reference_year": "year", "n_convicted": "convicted", "n_prison": "prison", "n_suspended": "suspended",
               "n_fine_only": "fine only", "n_unknown": "not told"}  # fmt: skip
    shown = own[list(columns)].rename(columns=columns).assign(tells_of_everybody=usable)
    # Rows that differ only in figures that are not for this page, such as shares of another group, are one.
    return shown.drop_duplicates()


def terms_told(rows: pd.DataFrame, name: str, countries: pd.DataFrame, iso3: str, life_cap_months: float) -> str:
    """What is known of the length of sentences, in words.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `estimands.select`, for one country.
    countries : pandas.DataFrame
        As of `compare.by_country`.
    """
    if not len(rows):
        return f"Nothing usable is published here on the terms of people sentenced for trafficking in {name}."
    n, (low, high) = evidence.n_people(rows), compare.median_bounds(rows, life_cap_months)
    told = (
        f"Something about the term is published for {n} {'person' if n == 1 else 'people'} sentenced in {name}. By "
        f"what is printed alone, all years and kinds of source together: {compare.span_told(low, high)}."
    )
    own = countries[countries["iso3"] == iso3]
    if not len(own):
        return told
    row = own.iloc[0]
    if pd.isna(row["median"]):
        return f"{told} Notebook 06 gives no estimate for this country: {row['said']}."
    return (
        f"{told} Notebook 06, which borrows from other countries what this one does not tell, estimates a median of "
        f"{row['median']:.0f} months ({row['lower']:.0f} to {row['upper']:.0f}); "
        f"{100 * row['own_information']:.0f} % of that information is the country's own."
    )


def silence(coverage: pd.DataFrame, iso3: str, years: range) -> pd.DataFrame:
    """Status of each step (rows, keys of `stages`' or the report's own) in each year (columns) for one country.

    Years outside the processed grid, and countries without a row of it, are "not_covered".
    """
    own = coverage[(coverage["iso3"] == iso3) & coverage["reference_year"].isin(years)]
    steps = list(dict.fromkeys(coverage["stage"]))
    wide = own.pivot(index="stage", columns="reference_year", values="status")
    return wide.astype("str").reindex(index=steps, columns=list(years)).astype("str").fillna("not_covered")


def silence_told(grid: pd.DataFrame, flags: pd.DataFrame, iso3: str, year: int) -> str:
    """What the edition on `year` does not tell, in words."""
    name = schemas.country_name(iso3)
    own = flags[flags["iso3"] == iso3].set_index("flag")["value"]
    if not len(own):
        return (
            f"The narrative of the 2018 edition on {name} was not coded, or there is none; that figures are missing "
            "here says nothing about whether they exist."
        )
    missing = [step.replace("_", " ") for step, status in grid[year].items() if status == "not_reported"]
    told = f"The narrative of the 2018 edition on {name} {SENTENCING_TOLD[own['sentencing_data_reported']]}"
    told += f", and {LENIENT}" if own["courts_lenient_criticised"] == "1" else ""
    return f"{told}. For {year} it gives no figure on: {', '.join(missing) or 'nothing, every step has one'}."


# --- At a glance ------------------------------------------------------------------------------------------------------


class Glance(NamedTuple):
    """One line of the summary: its name, a question, the answer in words, and its sources."""

    name: str
    question: str
    answer: str
    source_ids: str


def at_a_glance(
    tiers: pd.DataFrame,
    yearly: pd.DataFrame,
    statutes: pd.DataFrame,
    rows: pd.DataFrame,
    custody: pd.DataFrame,
    iso3: str,
    year: int,
    life_cap_months: float,
) -> list[Glance]:
    """The last thing known of each kind, or that nothing was seen.

    Parameters
    ----------
    tiers, yearly, statutes, custody : pandas.DataFrame
        Of all countries, but `yearly` (`stages.yearly_figures`) of one.
    rows : pandas.DataFrame
        As of `estimands.select`, for the country.
    year : int
        The law is that at its end.
    """
    graded = tiers[(tiers["iso3"] == iso3) & tiers["tier"].notna()].sort_values("report_year")
    lines = [Glance("tier", "Tier", NEVER_SEEN, "")]
    if len(graded):
        last = graded.iloc[-1]
        tier = (compare.TIERS | SPECIAL_TIERS)[str(last["tier"])]
        lines = [Glance("tier", "Tier (year of the report)", f"{tier} ({last['report_year']})", last["source_id"])]
    for stage, step in STEPS.items():
        for body in PUBLISHERS:
            told = latest(yearly, stage, body)
            answer = f"{figure(told)} ({told['year']})" if told else NEVER_SEEN
            question = f"{step.capitalize()}, {stages.BODIES[body]} (year)"
            lines.append(Glance(f"{step}_{body}", question, answer, told["source_ids"] if told else ""))
    penalty = compare.law_in(statutes, iso3, year, life_cap_months)
    lines.append(Glance("law", "Law, basic form", _law_told(penalty), penalty["law_sources"] or ""))
    n, span = evidence.n_people(rows), compare.span_told(*compare.median_bounds(rows, life_cap_months))
    known = f"{n} {'person' if n == 1 else 'people'}; {span}"
    lines.append(Glance("known_terms", "Terms of those sentenced", known if n else NEVER_SEEN,
                        join_ids(rows["source_id"])))  # fmt: skip
    usable = custody[(custody["iso3"] == iso3) & (custody["used"] == 1)]
    years = ", ".join(str(year) for year in sorted(set(usable["reference_year"])))
    answer = f"told for {years}" if years else "not told in any year"
    lines.append(Glance("prison", "Prison or not, of everybody convicted", answer, join_ids(usable["source_id"])))
    return lines


def _law_told(penalty: dict) -> str:
    low, high = ("…" if np.isnan(penalty[c]) else f"{penalty[c]:g}" for c in ("min_months", "max_months"))
    if low == high == "…":
        return NEVER_SEEN
    return f"{low} months to life" if penalty["for_life"] else f"{low} to {high} months"


def shown_glance(lines: list[Glance]) -> pd.DataFrame:
    """The summary for a page."""
    return pd.DataFrame([(line.question, line.answer) for line in lines], columns=["what", "last_known"])
