"""From reports to prison: one figure for each year, stage and body that counted, and where bodies disagree.

Bodies are kept apart throughout: a figure of one is never filled in with a figure of another.
"""

import pandas as pd

from . import evidence
from .sources import join_ids

STAGES = {
    "reports_received": "Reports of possible victims received",
    "victims_identified": "Victims identified",
    "prosecution": "People prosecuted",
    "conviction": "People convicted",
    "prison": "People whose prison term is known in some way",
}
BODIES = {
    "tip": "TIP Report",
    "unodc": "UNODC",
    "hti": "TIP Report, as other researchers coded it",
    "center": "national Centre",
    "other": "other or unnamed body",
    "agency": "Agency before the Centre",
    "police": "police",
    "astra": "ASTRA, its own clients",
    "official": "from government figures",
    "monitor": "from monitored judgments",
    "publicised": "from publicised cases",
}
COLUMNS = ["stage", "body", "year", "value", "value_low", "value_high", "edition", "source_ids"]

# These do not count what the others count, so differing from them is no disagreement: ASTRA counts its own clients,
# the police the victims in its own reports; whether the secondary coding counts persons or cases is not known; and
# the evidence on sentences covers only those somebody wrote about.
NOT_COMPARED = ("astra", "police", "hti", "official", "monitor", "publicised")


def yearly_figures(justice: pd.DataFrame, victims: pd.DataFrame, known: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Figures of full years for one country.

    Parameters
    ----------
    justice, victims, known : pandas.DataFrame
        The processed tables of justice figures, of the Centre's series (Serbia only) and of the evidence.
    iso3 : str
        The country.

    Returns
    -------
    pandas.DataFrame
        COLUMNS, persons (reports for the first stage). `value` is blank where the body gives only bounds, such as
        a suppressed count of 1 to 4; people known by their sentence are counted under the smallest bases. TIP figures
        are those of the last edition that gives the year; a year for which one edition gives several totals that
        differ is left out, since none of them is the total.
    """
    parts = [justice_totals(justice[justice["iso3"] == iso3])]
    if iso3 == "SRB":
        parts.append(_victim_totals(victims))
    parts.append(_known_terms(known, iso3))
    figures = pd.concat(parts, ignore_index=True)
    figures["edition"] = figures["edition"].astype("Int64")
    order = figures.assign(place=figures["stage"].map(list(STAGES).index)).sort_values(["place", "year", "body"])
    return order[COLUMNS].reset_index(drop=True)


def justice_totals(justice: pd.DataFrame) -> pd.DataFrame:
    """Of `yearly_figures`, those that come from the table of justice figures; of every country in it, `iso3`."""
    whole = justice[
        justice["stage"].isin(STAGES)
        & justice["unit"].isin(["persons", "unspecified"])
        & justice["exploitation"].eq("all")
        & justice["victim_group"].eq("all")
        & justice["law"].isin(["trafficking", "unspecified", "mixed"])
        & justice["part"].isna()
        & justice["continuing"].eq(0)
        & justice["reference_year"].notna()
        & ~justice["period_kind"].isin(["part_year", "multi_year"])
        & justice["qualifier"].ne("not_reported")
    ].rename(columns={"series": "body", "reference_year": "year"})
    # In Serbia bodies other than these speak through the Centre's table. The few figures of theirs that stand only
    # among those of the editions are of parts of a year, of several years or of children: no yearly total is lost.
    whole = whole[whole["body"].isin(["tip", "unodc", "hti"]) | (whole["iso3"].ne("SRB") & whole["body"].isin(BODIES))]
    fact = ["iso3", "stage", "body", "year"]
    # Bodies without editions have one figure each; a blank edition would not compare.
    edition = whole["edition"].astype("float64").fillna(0)
    latest = whole[edition == edition.groupby([whole[c] for c in fact]).transform("max")]
    persons = latest["unit"].eq("persons")
    latest = latest[persons | ~persons.groupby([latest[c] for c in fact]).transform("any")]
    folded = latest.groupby(fact, as_index=False).agg(
        value=("value", "first"),
        value_low=("value_low", "first"),
        value_high=("value_high", "first"),
        edition=("edition", "first"),
        source_ids=("source_ids", join_ids),
        n_values=("value_low", "nunique"),
    )
    return folded[folded["n_values"] <= 1]


def _victim_totals(victims: pd.DataFrame) -> pd.DataFrame:
    whole = victims[
        victims["measure"].isin(STAGES)
        & victims["dimension"].eq("total")
        & victims["category"].eq("total")
        & victims["period_kind"].eq("full_year")
        & victims["preferred"].eq(1)
        & victims["count"].notna()
        # The TIP Report's figures come from the justice table, with their editions.
        & (victims["series"].ne("tip") | victims["measure"].eq("reports_received"))
    ]
    counts = {"value": whole["count"], "value_low": whole["count"], "value_high": whole["count"], "edition": pd.NA}
    return whole.rename(columns={"series": "body", "measure": "stage"}).assign(**counts)[COLUMNS]


def _known_terms(known: pd.DataFrame, iso3: str) -> pd.DataFrame:
    used = known[(known["iso3"] == iso3) & (known["used"] == 1)]
    people = evidence.people(used).dropna(subset=["year_low"])
    people = people[people["year_low"] == people["year_high"]].rename(
        columns={"year_low": "year", "source_kind": "body", "n_smallest": "value_low", "n_largest": "value_high"}
    )
    dated = used[used["year_low"].eq(used["year_high"]).fillna(False)]
    sources = dated.groupby(["year_low", "source_kind"])["source_id"].agg(join_ids)
    return people.assign(
        stage="prison",
        value=people["value_low"],
        edition=pd.NA,
        source_ids=[sources[(row.year, row.body)] for row in people.itertuples()],
    )[COLUMNS]


def comparable(figures: pd.DataFrame) -> pd.DataFrame:
    """The figures of bodies that count all there is to count, so that they should agree."""
    return figures[~figures["body"].isin(NOT_COMPARED)]


def n_compared(figures: pd.DataFrame) -> int:
    """Number of stages and years for which two or more bodies that count the same people give a figure."""
    return int((comparable(figures).groupby(["stage", "year"]).size() > 1).sum())


def disagreements(figures: pd.DataFrame) -> pd.DataFrame:
    """Years and stages for which bodies that count the same people give figures that cannot both hold.

    Returns
    -------
    pandas.DataFrame
        `stage`, `year`, one column for each body (text, so that a suppressed count can say "1 to 4"), and
        `difference`: the smallest distance between the two farthest figures, persons.
    """
    rows = []
    for (stage, year), facts in comparable(figures).groupby(["stage", "year"], sort=False):
        apart = facts["value_low"].max() - facts["value_high"].min()
        if len(facts) > 1 and not pd.isna(apart) and apart > 0:
            shown = {BODIES[f["body"]]: _shown(f) for f in facts.to_dict("records")}
            rows.append({"stage": stage, "year": year} | shown | {"difference": int(apart)})
    bodies = [label for label in BODIES.values() if any(label in row for row in rows)]
    return pd.DataFrame(rows, columns=["stage", "year", *bodies, "difference"])


def agree(low: float, high: float, other_low: float, other_high: float) -> str:
    """Whether two figures, each known between two ends (NaN: open), are the same: "yes", "no" or "cannot be told"."""
    if low > other_high or other_low > high:
        return "no"
    return "yes" if low == high == other_low == other_high else "cannot be told"


def holdings(figures: pd.DataFrame) -> pd.DataFrame:
    """Who publishes what: for each stage and body, in words, the number of years with a figure, the first and last."""
    held = figures.groupby(["stage", "body"], sort=False)["year"].agg(["count", "min", "max"]).reset_index()
    return in_labels(held.rename(columns={"count": "years with a figure", "min": "first", "max": "last"}))


GAP_VALUES = {
    "name": "years_with_{stage}", "value": "years_with_a_figure", "unit": "years",
    "label": "years with a figure on {stage}", "n": "n_years",
}  # fmt: skip


def gaps(figures: pd.DataFrame, years: range) -> pd.DataFrame:
    """The years with a figure from any body, for every stage.

    Returns
    -------
    pandas.DataFrame
        `stage` (code), `step` (in words), `n_years` looked at, `years_with_a_figure`, `years_without` (text).
    """
    rows = []
    for stage, step in STAGES.items():
        held = set(figures.loc[figures["stage"] == stage, "year"]) & set(years)
        without = ", ".join(str(year) for year in years if year not in held)
        found = {"n_years": len(years), "years_with_a_figure": len(held), "years_without": without or "none"}
        rows.append({"stage": stage, "step": step} | found)
    return pd.DataFrame(rows)


def gaps_told(found: pd.DataFrame) -> str:
    """The numbers of years of `gaps` in a sentence."""
    held = "; ".join(f"{row.step.lower()} {row.years_with_a_figure}" for row in found.itertuples())
    return f"Years with any figure, of {found['n_years'].iloc[0]}: {held}."


def in_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with its codes of stages and bodies in words, where it has them."""
    words = {"stage": STAGES, "body": BODIES}
    return frame.assign(**{column: frame[column].map(labels) for column, labels in words.items() if column in frame})


def _shown(figure: dict) -> str:
    low, high = figure["value_low"], figure["value_high"]
    return str(low) if low == high else f"{low} to {high}"


def in_words(figures: pd.DataFrame) -> str:
    """Every figure in words, stage by stage and body by body, for those who do not see the drawing."""
    sentences = []
    for (stage, body), rows in figures.groupby(["stage", "body"], sort=False):
        told = ", ".join(f"{f['year']} {_shown(f)}" for f in rows.to_dict("records"))
        sentences.append(f"{STAGES[stage]}, {BODIES[body]}: {told}.")
    return " ".join(sentences) or "No yearly total is published here."
