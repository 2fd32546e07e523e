"""What courts did: described groups of sentenced people from every raw table in one set of columns, the kinds of
sanction given, and the statutes in force.

A group is a row as published. Nothing is judged here; `sentencing.evidence` decides what can be used and why not.
"""

import pandas as pd

from .sources import join_ids

CODED = "tip/coded_2018_sentences.csv"
CODED_CUSTODY = "tip/coded_2018_custody.csv"
CODED_STATUTES = "tip/coded_2018_statutes.csv"
OTHER_GROUPS = "tip/other_editions_sentence_groups.csv"
OTHER_FIGURES = "tip/other_editions_figures.csv"
SERBIA_GROUPS = "courts/serbia_sentence_groups.csv"
SERBIA_CASES = "courts/serbia_cases.csv"
SERBIA_BANDS = "courts/serbia_sentence_bands.csv"
SERBIA_STATUTE = "courts/serbia_statute.csv"
SERBIA_OFFICIAL = "courts/serbia_official_sentences.csv"
WORLD_CASES = "courts/world_cases.csv"

GROUP_COLUMNS = [
    "table", "key", "row", "group", "iso3", "year", "year_low", "year_high", "n", "n_basis", "kind", "low_months",
    "high_months", "low_inclusive", "high_inclusive", "covers_all", "sanction", "low_sanction", "high_sanction",
    "term_basis", "aggregate_sentence",
    "offence", "exploitation", "instance", "level", "source_kind", "subset_of", "same_as", "share_percent",
    "convictions_known", "outcome", "source_id", "locator", "note", "correction_ids",
]  # fmt: skip

WHOLE_COLUMNS = [
    "year", "year_low", "year_high", "n", "low_inclusive", "high_inclusive", "covers_all", "aggregate_sentence",
]  # fmt: skip
NUMBER_COLUMNS = ["low_months", "high_months", "share_percent", "convictions_known"]

N_BASIS = {
    "exact": "stated", "stated": "stated", "derived": "derived", "approx": "approximate", "at_least": "minimum",
    "lower_bound": "minimum", "inferred_total": "inferred_total", "unknown": "unknown", "none": "unknown",
}  # fmt: skip
SANCTION = {
    "prison": "prison", "partly_suspended": "partly_suspended", "suspended": "suspended", "fine": "fine",
    "probation": "probation", "house_arrest": "house_arrest", "community": "community", "life": "life",
    "death": "death", "unspecified": "unspecified", "unknown": "unspecified", "": "unspecified",
}  # fmt: skip
EXPLOITATION = {
    "sex": "sex", "labor": "labor", "domestic_servitude": "labor", "both": "mixed", "mixed": "mixed",
    "sex_and_labor": "mixed", "marriage": "other", "begging": "other", "criminality": "other",
    "organ_removal": "other", "unspecified": "unspecified", "all": "unspecified", "all_related": "unspecified",
    "child": "unspecified", "unknown": "unspecified", "": "unspecified",
}  # fmt: skip

# Offences of other editions that are not trafficking itself, or not only; all others there are trafficking.
RELATED_OFFENCES = {
    "Law 137-03 / child code", "acts relating to trafficking", "bribery in trafficking case (official)",
    "pimping facilitation and bribery (police)", "pimping, illegal migration (Q1)",
    "promoting prostitution of minors", "trafficking or related", "trafficking, pimping, illegal migration (Q1)",
    "trafficking-related", "trafficking-related (Q1)", "trafficking-related (pre-law provisions)",
}  # fmt: skip


def coded_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Groups of the 2018 edition as coded, one row each, in GROUP_COLUMNS."""
    case = frame["level"].eq("case")
    return _in_columns(
        frame,
        CODED,
        key=frame["group_id"],
        year=frame["reference_year"],
        n_basis=recode(frame["n_qualifier"], N_BASIS, CODED),
        instance="unknown",
        source_kind=case.map({True: "publicised", False: "official"}),
        subset_of=(CODED + ":" + frame["subset_of"]).where(frame["subset_of"].notna()),
    )


def other_edition_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Groups from other editions and countries, in GROUP_COLUMNS."""
    everyone = frame["covers_all"].eq(1).fillna(False).astype(bool)
    return _in_columns(
        frame,
        OTHER_GROUPS,
        key=frame["group_id"],
        year=frame["reference_year"],
        n_basis=recode(frame["n_basis"], N_BASIS, OTHER_GROUPS),
        offence=frame["offence"].isin(RELATED_OFFENCES).map({True: "related", False: "trafficking"}),
        level=everyone.map({True: "national", False: "subset"}),
        subset_of=(OTHER_GROUPS + ":" + frame["subset_of"]).where(frame["subset_of"].notna()),
    )


def serbia_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Serbian groups, in GROUP_COLUMNS."""
    official = frame["source_kind"].eq("official")
    return _in_columns(
        frame,
        SERBIA_GROUPS,
        key=frame["group_id"],
        year=frame["reference_year"],
        n_basis=recode(frame["n_basis"], N_BASIS, SERBIA_GROUPS),
        level=official.map({True: "national", False: "subset"}).mask(frame["source_kind"] == "publicised", "case"),
    )


def serbia_cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Serbian defendants of publicised cases, in GROUP_COLUMNS; each row is one person."""
    return _in_columns(
        frame,
        SERBIA_CASES,
        key=frame["case_id"] + "|" + frame["defendant_no"].astype(str),
        group=frame["case_id"],
        year=frame["judgment_year"],
        n=1,
        n_basis="stated",
        kind=_term_kind(frame["sentence_low_months"], frame["sentence_high_months"]),
        low_months=frame["sentence_low_months"],
        high_months=frame["sentence_high_months"],
        level="case",
        source_kind="publicised",
    )


def world_cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Defendants of publicised cases abroad, in GROUP_COLUMNS; a row is a person or a group sentenced together."""
    convicted_of = frame["trafficking_conviction"].map({1: "trafficking", 0: "related"}).fillna("unspecified")
    stands = ~frame["status"].isin(["annulled", "quashed"])
    return _in_columns(
        frame,
        WORLD_CASES,
        key=frame["case_id"] + "|" + frame["defendant_no"],
        group=frame["case_id"],
        year=frame["judgment_year"],
        n_basis=frame["n"].notna().map({True: "stated", False: "unknown"}),
        kind=_term_kind(frame["sentence_low_months"], frame["sentence_high_months"]),
        low_months=frame["sentence_low_months"],
        high_months=frame["sentence_high_months"],
        offence=convicted_of,
        level="case",
        source_kind="publicised",
        outcome=frame["outcome"].where(stands, "does_not_stand"),
    )


def monitored_bands(frame: pd.DataFrame) -> pd.DataFrame:
    """Bands of monitored judgments, in GROUP_COLUMNS: a share of an unprinted base instead of a number of people.

    All bands of one year are shares of the same base and so one `group`. Whether a term of just three or five years
    falls below or above an edge is not told. It is taken as in the band "three to five years", which holds both:
    "under" and "over" leave their edge out.
    """
    label = frame["year"].astype("str").where(frame["year"].notna(), frame["period_label"])
    years = frame["period_label"].str.extract(r"^(\d{4})-(\d{4})$").astype("float64")
    return _in_columns(
        frame.assign(iso3="SRB", n=pd.NA),
        SERBIA_BANDS,
        key=frame["band_id"],
        group=label,
        n_basis="base",
        kind="interval",
        # A band "under 36" starts at nothing in particular: its lower end is open, not a term of 0 months.
        low_months=frame["band_low_months"].astype("float64").where(frame["band_low_months"] > 0),
        high_months=frame["band_high_months"].astype("float64"),
        low_inclusive=frame["band_high_months"].notna().astype(int),
        high_inclusive=(frame["band_low_months"] > 0).astype(int),
        sanction="prison",
        level="subset",
        year_low=years[0].astype("Int64"),
        year_high=years[1].astype("Int64"),
        share_percent=frame["value"].where(frame["value_kind"] == "percent"),
    )


def official_sentences(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a distribution of sentences that an authority published, in GROUP_COLUMNS.

    The rows of one year are parts of one published table and so one `group`. A row of nobody describes no one.

    Raises
    ------
    ValueError
        When rows of one year count the same people twice or contradict each other: first-instance and final judgments
        side by side, parts beside their total, or `covers_all` in some rows only. The message names year and column.
    """
    _check_one_table_a_year(frame)
    somebody = frame[frame["n_persons"] > 0]
    imprisoned = somebody["sanction"].isin(["prison", "partly_suspended", "life"])
    low, high = somebody["low_months"].astype("float64"), somebody["high_months"].astype("float64")
    return _in_columns(
        somebody.assign(iso3="SRB", n=somebody["n_persons"]),
        SERBIA_OFFICIAL,
        key=somebody["row_id"],
        group=somebody["year"].astype("str"),
        n_basis="stated",
        kind=_term_kind(low, high),
        low_months=low.where(low > 0),
        high_months=high,
        offence="trafficking",
        instance=somebody["judgment"],
        level=imprisoned.map({True: "national", False: "subset"}),
        source_kind="official",
    )


def _check_one_table_a_year(official: pd.DataFrame) -> None:
    faults = []
    for year, rows in official.groupby("year"):
        same = [column for column in ("judgment", "covers_all") if rows[column].nunique(dropna=False) > 1]
        # A blank means all of them together.
        alike = [column for column in ("paragraph", "exploitation") if rows[column].isna().nunique() > 1]
        faults += [f"{year}: {column} must be the same in all rows" for column in same]
        faults += [f"{year}: {column} must be given in all rows or in none" for column in alike]
    if faults:
        raise ValueError(f"data/raw/{SERBIA_OFFICIAL}, " + "; ".join(faults))


# How each raw table is put into GROUP_COLUMNS.
GROUPS = {
    SERBIA_OFFICIAL: official_sentences,
    CODED: coded_groups,
    OTHER_GROUPS: other_edition_groups,
    SERBIA_GROUPS: serbia_groups,
    SERBIA_CASES: serbia_cases,
    SERBIA_BANDS: monitored_bands,
    WORLD_CASES: world_cases,
}


def _term_kind(low: pd.Series, high: pd.Series) -> pd.Series:
    kind = pd.Series("interval", index=low.index).mask(low == high, "exact")
    return kind.mask(low.isna() & high.isna(), "unknown")


def _in_columns(frame: pd.DataFrame, table: str, key: pd.Series, **given) -> pd.DataFrame:
    """Put a raw table into GROUP_COLUMNS: what is `given` first, then columns of the same name, then blanks."""
    filled = frame.assign(table=table, key=key, row=frame.index, **given)
    filled = filled.assign(**{c: pd.NA for c in GROUP_COLUMNS if c not in filled})
    filled["group"] = filled["group"].fillna(filled["key"])
    filled["sanction"] = recode(filled["sanction"], SANCTION, table)
    filled["exploitation"] = recode(filled["exploitation"], EXPLOITATION, table)
    for column, usual in (("term_basis", "imposed"), ("offence", "unspecified"), ("instance", "unknown")):
        filled[column] = filled[column].fillna(usual)
    for column, usual in (("covers_all", 0), ("aggregate_sentence", 0), ("low_inclusive", 1), ("high_inclusive", 1)):
        filled[column] = filled[column].fillna(usual)
    filled["year_low"] = filled["year_low"].fillna(filled["year"])
    filled["year_high"] = filled["year_high"].fillna(filled["year"])
    numbers = [*WHOLE_COLUMNS, *NUMBER_COLUMNS, "row"]
    types = {c: "str" for c in GROUP_COLUMNS if c not in numbers}
    types |= dict.fromkeys(WHOLE_COLUMNS, "Int64") | dict.fromkeys(NUMBER_COLUMNS, "Float64")
    typed = filled[GROUP_COLUMNS].astype(types)
    return typed.astype(dict.fromkeys(NUMBER_COLUMNS, "float64")).reset_index(drop=True)


def recode(column: pd.Series, codes: dict[str, str], table: str) -> pd.Series:
    """Replace every value of `column` by its entry in `codes`; blanks count as "".

    Raises
    ------
    ValueError
        When a value has no entry: it names table, rows, value and what is known.
    """
    values = column.fillna("").astype(str)
    unknown = values[~values.isin(codes)]
    if len(unknown):
        rows = ", ".join(map(str, unknown.index[:5]))
        known = ", ".join(sorted(filter(None, codes)))
        raise ValueError(
            f"data/raw/{table}, row {rows}, column {column.name}: unknown {unknown.iloc[0]!r}; known: {known}"
        )
    return values.map(codes)


def clean_custody(coded: pd.DataFrame, serbia: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    """What convicted people were given, by kind of sanction; `processed/custody.csv`.

    A row that lies inside another one of its country and year (a scope `subset` under a `national` row that is of
    the same law, or of all laws) is not used, so that nobody is counted twice.

    Parameters
    ----------
    coded : pandas.DataFrame
        `tip/coded_2018_custody.csv`. What it leaves undescribed is split by its `remainder`: `n_not_prison`
        counts all who are known not to have gone to prison, `n_unknown` those of whom nothing is said.
    serbia : pandas.DataFrame
        `courts/serbia_sentence_groups.csv`, of which the rows without a length are about the kind of sanction.
    official : pandas.DataFrame
        `courts/serbia_official_sentences.csv`. Its years that cover everyone convicted are used.

    Returns
    -------
    pandas.DataFrame
        Counts in persons; a blank is "not stated", never 0. `used` is 1 or 0 and `why_not` says why.
    """
    counts = ["n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial"]
    frame = coded.assign(table=CODED_CUSTODY, row=coded.index, exploitation=coded["exploitation"].fillna("all"))
    not_described = frame["n_convicted"] - frame[counts[2:]].fillna(0).sum(axis=1)
    listed = frame[counts[3:]].sum(axis=1, min_count=1)
    all_others = frame["remainder"].isin(["none", "noncustodial"])
    frame["n_not_prison"] = (frame["n_convicted"] - frame["n_prison"]).where(all_others, listed)
    frame["n_unknown"] = not_described.clip(lower=0).where(frame["remainder"] == "unknown", 0)
    frame["n_unknown"] = frame["n_unknown"].where(frame["n_convicted"].notna())
    none_known = frame["n_convicted"].isna() | frame[counts[2:]].isna().all(axis=1)
    frame["why_not"] = ""
    frame.loc[not_described < 0, "why_not"] = "the sanctions listed add up to more than the convicted"
    frame.loc[none_known, "why_not"] = "number convicted or their sanctions not stated"
    frame.loc[frame["qualifier"] == "at_most", "why_not"] = "given as at most so many: their sanctions are not known"
    inside = _inside_national(frame)
    frame["why_not"] = frame["why_not"].where(frame["why_not"] != "", inside)
    frame = pd.concat([frame, _serbian_custody(serbia), _official_custody(official)], ignore_index=True)
    frame["used"] = (frame["why_not"] == "").astype(int)
    columns = ["iso3", "reference_year", *counts, "n_not_prison", "n_unknown", "qualifier", "law", "exploitation"]
    columns += ["scope", "remainder", "used", "why_not", "source_id", "locator", "table", "row", "note"]
    return frame[columns].sort_values(["iso3", "reference_year", "table", "row"], ignore_index=True)


def _inside_national(frame: pd.DataFrame) -> pd.Series:
    """For each row, the usable national row that already contains its people; blank where there is none."""
    national = frame[(frame["scope"] == "national") & (frame["why_not"] == "")]
    reasons = []
    for subset in frame.itertuples():
        whole = national[
            (national["iso3"] == subset.iso3)
            & (national["reference_year"] == subset.reference_year)
            & (national["law"].isin([subset.law, "mixed"]))
        ]
        inside = subset.scope == "subset" and len(whole)
        reasons.append(f"inside the national figure of {CODED_CUSTODY}:{whole['row'].iloc[0]}" if inside else "")
    return pd.Series(reasons, index=frame.index)


def _serbian_custody(groups: pd.DataFrame) -> pd.DataFrame:
    mixed = groups[(groups["kind"] == "unknown") & (groups["offence"] == "other")]
    return mixed.assign(
        table=SERBIA_GROUPS,
        row=mixed.index,
        law="mixed",
        exploitation="all",
        scope="subset",
        qualifier="approx",
        remainder="unknown",
        why_not="shares of plea judgments, most of them for another offence: no custody figure for trafficking",
    )


CUSTODY_COUNT = {
    "prison": "n_prison", "partly_suspended": "n_prison", "life": "n_prison", "suspended": "n_suspended",
    "fine": "n_fine_only", "house_arrest": "n_other_noncustodial", "probation": "n_other_noncustodial",
    "community": "n_other_noncustodial",
}  # fmt: skip


def _official_custody(official: pd.DataFrame) -> pd.DataFrame:
    """One row a year: how many got which sanction. Where not everyone is covered, the convicted are not known."""
    rows = []
    for year, people in official.groupby("year"):
        kinds = recode(people["sanction"], CUSTODY_COUNT, SERBIA_OFFICIAL)
        counts = people["n_persons"].groupby(kinds).sum().reindex(sorted(set(CUSTODY_COUNT.values())), fill_value=0)
        everyone = bool(people["covers_all"].eq(1).all())
        told = counts.to_dict() | {"n_not_prison": counts.sum() - counts["n_prison"]}
        why_not = "" if counts.sum() else "nobody was convicted"
        rows.append(
            told
            | {
                "iso3": "SRB",
                "reference_year": year,
                "n_convicted": counts.sum() if everyone else pd.NA,
                "n_unknown": 0 if everyone else pd.NA,
                "qualifier": "exact",
                "law": "trafficking",
                "exploitation": "all",
                "scope": "national",
                "remainder": "none" if everyone else "unknown",
                "why_not": why_not if everyone else "does not cover everyone convicted that year",
                "source_id": join_ids(people["source_id"]),
                "table": SERBIA_OFFICIAL,
                "row": people.index[0],
            }
        )
    return pd.DataFrame(rows)


def clean_statutes(serbia: pd.DataFrame, coded: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Prescribed penalties with the dates they were in force, as far as told; `processed/statutes.csv`.

    Rows that give the same article, paragraph, bounds and start are folded into one that lists all sources.

    Parameters
    ----------
    serbia, coded, other : pandas.DataFrame
        `courts/serbia_statute.csv`, `tip/coded_2018_statutes.csv`, `tip/other_editions_figures.csv`.

    Returns
    -------
    pandas.DataFrame
        `min_months` and `max_months` in months, blank where the law names none; dates as printed, with precision.
    """
    of_the_code = serbia["article"].str.fullmatch(r"\d+").map({True: "Criminal Code", False: "other act"})
    law = serbia.assign(table=SERBIA_STATUTE, form="article", told_by="statute text", law_name=of_the_code)
    report = coded.assign(
        table=CODED_STATUTES, told_by="TIP Report", edition=2018, law_name=coded["law_name_short"], description=""
    )
    frame = pd.concat([_rows(law), _rows(report), _rows(_statute_pairs(other))], ignore_index=True)
    same = ["iso3", "told_by", "edition", "form", "article", "paragraph", "valid_from", "min_months", "max_months"]
    same += ["life_max", "law_name"]
    folded = frame.groupby(same, dropna=False, sort=False, as_index=False).agg(
        description=("description", "first"),
        valid_from_precision=("valid_from_precision", "first"),
        valid_to=("valid_to", "first"),
        valid_to_precision=("valid_to_precision", "first"),
        fine_alternative=("fine_alternative", "max"),
        source_ids=("source_id", join_ids),
        raw_rows=("raw_row", ";".join),
        correction_ids=("correction_ids", lambda s: ";".join(filter(None, s))),
        note=("note", "first"),
    )
    order = ["iso3", "told_by", "edition", "article", "valid_from", "paragraph", "form", "raw_rows"]
    return folded.sort_values(order, ignore_index=True)


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    wanted = ["iso3", "told_by", "edition", "form", "article", "paragraph", "description", "valid_from"]
    wanted += ["valid_from_precision", "valid_to", "valid_to_precision", "min_months", "max_months", "life_max"]
    wanted += ["fine_alternative", "law_name", "source_id", "raw_row", "correction_ids", "note"]
    if "raw_row" not in frame:
        frame = frame.assign(raw_row=[f"{table}:{row}" for table, row in zip(frame["table"], frame.index, strict=True)])
    return frame.assign(**{c: pd.NA for c in wanted if c not in frame})[wanted].astype(
        {"min_months": "float64", "max_months": "float64"}
        | dict.fromkeys(["edition", "life_max", "fine_alternative"], "Int64")
    )


def _statute_pairs(figures: pd.DataFrame) -> pd.DataFrame:
    """Minimum and maximum of one law stand in two rows of the figures; put them side by side."""
    bounds = figures[figures["indicator"].isin(["statutory_min", "statutory_max"])].reset_index()
    key = ["iso3", "report_year", "reference_period", "exploitation", "source_id"]
    # Where a page gives several laws, the order of its rows keeps each minimum with its own maximum.
    bounds["place"] = bounds.groupby([*key, "indicator"], dropna=False).cumcount()
    pairs = []
    for _, rows in bounds.groupby([*key, "place"], dropna=False, sort=False):
        value = rows.set_index("indicator")["value"].astype("float64")
        months = {"min_months": value.get("statutory_min"), "max_months": value.get("statutory_max")}
        first = rows.iloc[0]
        told = {c: first[c] for c in ("iso3", "source_id", "note", "correction_ids")}
        told |= {"edition": first["report_year"], "form": f"figure:{first['exploitation']}"}
        told |= {"told_by": "other" if pd.isna(first["report_year"]) else "TIP Report"}
        pairs.append(told | months | {"raw_row": ";".join(f"{OTHER_FIGURES}:{row}" for row in rows["row"])})
    return pd.DataFrame(pairs)
