"""The law on the books: which prison terms it allows for the basic form of trafficking, and since when."""

from typing import NamedTuple

import pandas as pd

from .sources import join_ids

COLUMNS = ["from_year", "to_year", "min_months", "max_months", "source_ids"]


class Penalty(NamedTuple):
    """Statutory minimum and maximum of the basic form, months; NaN where the law names none or it is not told."""

    min_months: float
    max_months: float


def basic_penalties(statutes: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Penalties of the basic form of trafficking, by the years they were in force.

    The text of the law where it is at hand, else what the last edition of the TIP Report says of it. That has no
    dates: the penalty is then taken to have been the same all the time.

    Parameters
    ----------
    statutes : pandas.DataFrame
        `processed/statutes.csv`.
    iso3 : str

    Returns
    -------
    pandas.DataFrame
        COLUMNS, in the order of time. `from_year` and `to_year` are missing where open or not told. Where one
        penalty is told for each of several forms (adults, sex, labour), the lowest minimum and the highest maximum;
        missing where it is for one of the forms.
    """
    own = statutes[statutes["iso3"] == iso3]
    text = own[(own["form"] == "article") & (own["paragraph"] == "1")]
    if len(text):
        first, last = (text[c].astype("str").str[:4].where(text[c].notna()) for c in ("valid_from", "valid_to"))
        dated = text.assign(from_year=first.astype("Int64"), to_year=last.astype("Int64"))
        return dated.sort_values("from_year")[COLUMNS].reset_index(drop=True)
    told = own[(own["told_by"] == "TIP Report") & own["edition"].notna()]
    told = told[told["edition"] == told["edition"].max()]
    for forms in (("basic_all", "figure:all"), ("adult", "figure:all_adult", "sex", "labor")):
        some = told[told["form"].isin(forms)]
        if len(some):
            bounds = {"min_months": some["min_months"].min(skipna=False)}
            bounds |= {"max_months": some["max_months"].max(skipna=False)}
            told = {"from_year": pd.NA, "to_year": pd.NA} | bounds | {"source_ids": join_ids(some["source_ids"])}
            return pd.DataFrame([told])
    return pd.DataFrame(columns=COLUMNS)


def at_judgment(penalties: pd.DataFrame, year: int) -> Penalty | None:
    """The penalty in force at the end of the year of the judgment; None where none is told for that year."""
    valid = _in_force(penalties, year, year)
    return _penalty(valid.iloc[-1]) if len(valid) else None


def mildest(penalties: pd.DataFrame, year: int, lag_years: int) -> Penalty | None:
    """The mildest penalty that can apply to a judgment of `year` for an offence at most `lag_years` before it.

    The law at the time of the offence applies, and of laws that changed since then the milder one: that with the
    lower maximum, then with the lower minimum. None where no law is told for any of those years; a law before the
    first one told may have been milder still.
    """
    valid = _in_force(penalties, year - lag_years, year)
    ranked = valid.sort_values(["max_months", "min_months"], kind="stable")
    return _penalty(ranked.iloc[0]) if len(ranked) else None


def marks(penalties: pd.DataFrame, year: int) -> dict[str, float]:
    """Minimum and maximum of the law in force in a year as lengths to mark in a drawing, months."""
    penalty = at_judgment(penalties, year)
    ends = {} if penalty is None else {"minimum": penalty.min_months, "maximum": penalty.max_months}
    since = penalties["from_year"].dropna()
    words = f"law since {since.iloc[-1]}" if len(since) else "law"
    return {f"{end} of the {words}": months for end, months in ends.items() if not pd.isna(months)}


def last_change(penalties: pd.DataFrame, otherwise: int) -> int:
    """First full year under the last law told; `otherwise` where no date is."""
    since = penalties["from_year"].dropna()
    return int(since.iloc[-1]) + 1 if len(since) else otherwise


def _in_force(penalties: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    begun = penalties["from_year"].isna() | penalties["from_year"].le(last_year).fillna(False)
    not_over = penalties["to_year"].isna() | penalties["to_year"].ge(first_year).fillna(False)
    return penalties[begun & not_over]


def _penalty(row: pd.Series) -> Penalty:
    return Penalty(*(float("nan") if pd.isna(row[c]) else float(row[c]) for c in ("min_months", "max_months")))
