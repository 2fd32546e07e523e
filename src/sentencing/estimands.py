"""What the evidence of one country says of its prison terms, for each kind of source by itself.

Three quantities are kept apart: terms in judgments that an organisation monitored, terms of all convicted as a
government reports them, and terms in publicised cases. First come bounds that need no model, then estimates; where the
evidence does not carry an estimate, the reason stands in its place.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from . import courts, evidence, law, sentences
from .inference import (
    BandGroup,
    free_threshold_test,
    predict_extremes,
    profile_interval,
    profile_intervals_together,
    share_bounds,
    share_table,
)
from .models import GroupRows, IntervalRegression, IntervalRegressionResults, NotConverged, NotEstimable, turnbull
from .sources import join_ids

KINDS = evidence.SOURCE_KINDS
# The bands in which Serbian judgments are published, months; both edges belong to the middle one.
EDGES_MONTHS = (36.0, 60.0)
SHARES = {"under": "under_36", "between": "36_60", "over": "over_60"}
SHARE_LABELS = {
    "under_36": "under three years",
    "36_60": "from three to five years",
    "over_60": "over five years",
}
AGGREGATE_RULES = ("upper_bound", "exact", "out")
# What every function here reports, one row a number: `group` is of whom, `quantity` is what; `value` is missing where
# only bounds are known or where `refused` says why there is no estimate; `n` is in persons, under the smallest bases.
REPORTED = ["name", "group", "quantity", "value", "low", "high", "unit", "n", "source_ids", "refused"]


def line(name, group, quantity, value, low, high, unit, n, source_ids="", refused="") -> dict:
    """One row of a table in REPORTED columns."""
    row = (name, group, quantity, value, low, high, unit, int(n), source_ids, refused)
    return dict(zip(REPORTED, row, strict=True))


class Choices(NamedTuple):
    """What an analyst has to choose before fitting; see `sentences.expand` and `models.IntervalRegression`."""

    family: str = "lognormal"
    grid_months: float = 6.0
    range_rule: str = "where_allowed"
    base_rule: str = "marginal"
    life_cap_months: float = 480.0

    def expand(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, GroupRows]:
        """Rows of the evidence as rows of a likelihood; see `sentences.expand`."""
        return sentences.expand(
            rows, life_cap_months=self.life_cap_months, range_rule=self.range_rule, base_rule=self.base_rule
        )


# --- Which people ---------------------------------------------------------------------------------------------------


def select(
    table: pd.DataFrame,
    iso3: str | None,
    first_year: int,
    last_year: int,
    *,
    publicised: bool = True,
    aggregate: str = "upper_bound",
    related: bool = False,
) -> pd.DataFrame:
    """Usable rows of one country (or all) whose sentences were passed within a span of years.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    iso3 : str or None
        None: all countries, in the order of the table.
    publicised : bool
        Whether to keep publicised cases.
    aggregate : {"upper_bound", "exact", "out"}
        What to do with one term for several offences: the trafficking part is at most that (so that one without an
        upper bound, such as a life term, tells nothing and is left out), or is that, or the row is left out.
    related : bool
        Whether to keep offences that are related to trafficking.

    Raises
    ------
    ValueError
        Unknown `aggregate`.
    """
    if aggregate not in AGGREGATE_RULES:
        raise ValueError(f"aggregate_sentences {aggregate!r} is not one of {', '.join(AGGREGATE_RULES)}")
    within = table["year_low"].ge(first_year).fillna(False) & table["year_high"].le(last_year).fillna(False)
    rows = table[(table["used"] == 1) & within & (iso3 is None or table["iso3"] == iso3)]
    rows = rows[publicised | rows["source_kind"].ne("publicised")]
    rows = rows[related | rows["offence"].ne("related")]
    several = rows["aggregate_sentence"].eq(1)
    if aggregate == "out":
        rows = rows[~several]
    elif aggregate == "upper_bound":
        rows = rows[~(several & rows["high_months"].isna())]
        several = several[rows.index]
        rows = rows.assign(
            low_months=rows["low_months"].astype("float64").mask(several),
            kind=rows["kind"].mask(several & rows["kind"].ne("mean"), "interval"),
            low_attained=rows["low_attained"].mask(several, 0),
            high_attained=rows["high_attained"].mask(several, 0),
        )
    return rows.reset_index(drop=True)


def people_by_year(table: pd.DataFrame, iso3: str, by_hand: dict[str, int] | None = None) -> pd.DataFrame:
    """Everybody in the usable evidence of a country, by year and kind of source, under the smallest bases.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    by_hand : dict of str to int, optional
        The people of each year, or span of years, as somebody counted them in the raw tables. Years of which an
        authority's own table covers everyone are not compared: it replaces what was counted.

    Returns
    -------
    pandas.DataFrame
        `years` (text), one column for each kind that occurs, headed by its label, `people`, and `by_hand` if given.

    Raises
    ------
    ValueError
        When a year differs from the count made by hand: somebody is counted twice, or not at all.
    """
    own = table[(table["iso3"] == iso3) & (table["used"] == 1)]
    counted = evidence.people(own)
    counted["years"] = [_years(low, high) for low, high in zip(counted["year_low"], counted["year_high"], strict=True)]
    wide = counted.pivot_table(index="years", columns="source_kind", values="n_smallest", aggfunc="sum", fill_value=0)
    wide = wide[[kind for kind in KINDS if kind in wide]].astype("Int64").rename(columns=KINDS)
    people = wide.assign(people=wide.sum(axis=1)).rename_axis(columns=None).reset_index()
    if by_hand is None:
        return people
    whole = own["evidence_id"].str.startswith(f"{courts.SERBIA_OFFICIAL}:") & own["covers_all"].eq(1)
    replaced = set(own.loc[whole, "year"])
    by_hand = {years: n for years, n in by_hand.items() if not _all_in(years, replaced)}
    computed = {
        years: n for years, n in zip(people["years"], people["people"], strict=True) if not _all_in(years, replaced)
    }
    wrong = [
        f"{years}: {computed.get(years, 0)} people in the evidence, {by_hand.get(years, 0)} counted by hand"
        for years in sorted({*computed, *by_hand})
        if computed.get(years, 0) != by_hand.get(years, 0)
    ]
    if wrong:
        raise ValueError("the evidence does not hold the people counted by hand; " + "; ".join(wrong))
    return people.assign(by_hand=people["years"].map(by_hand))


def _years(low, high) -> str:
    if pd.isna(low) or pd.isna(high):
        return "not told"
    return str(low) if low == high else f"{low} to {high}"


def _all_in(years: str, known: set[int]) -> bool:
    """Whether all years of a text made by `_years` are known."""
    ends = [int(year) for year in years.split(" to ") if year.isdigit()]
    return bool(ends) and known.issuperset(range(ends[0], ends[-1] + 1))


def _about(rows: pd.DataFrame) -> tuple[int, str]:
    """What a number from rows rests on: people under the smallest bases, and sources."""
    return evidence.n_people(rows), join_ids(rows["source_id"])


# --- Bounds that need no model --------------------------------------------------------------------------------------


def band_groups(rows: pd.DataFrame, totals: dict[int, list[int]] | None = None) -> list[BandGroup]:
    """Groups for `inference.share_bounds`, one for each published group, or one a year where totals are given.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `select`.
    totals : dict of int to list of int, optional
        For each year the numbers of convicted people that are published. People beyond those described are then of
        unknown term. Where more people are described than a total has, the described ones are the total. Rows of
        other years are left out.
    """
    if totals is None:
        return [_band_group(part, str(name)) for name, part in rows.groupby("evidence_id", sort=True)]
    nobody = rows.iloc[:0]
    by_year = dict(list(rows[rows["year"].notna()].groupby("year")))
    return [_band_group(by_year.get(year, nobody), str(year), published) for year, published in sorted(totals.items())]


def _band_group(part: pd.DataFrame, label: str, totals: list[int] | None = None) -> BandGroup:
    counts = np.ones((1, 0))
    for _, group in part.groupby("evidence_id", sort=False):
        own = np.array([_counts(row) for row in group.to_dict("records")]).T  # (S, rows)
        counts = np.hstack([np.repeat(counts, len(own), axis=0), np.tile(own, (len(counts), 1))])
    order = part.groupby("evidence_id", sort=False).indices.values()
    part = part.iloc[np.concatenate([*order, np.empty(0, dtype=int)]).astype(int)]
    # An average bounds nobody's term; a life term is longer than any edge.
    bounded = part["kind"].ne("mean")
    low, high = (part[end].astype("float64").where(bounded) for end in ("low_months", "high_months"))
    for_life = part["sanction"].eq("life") & low.isna() & high.isna()
    total = None
    if totals is not None:
        described = counts.sum(axis=1)
        total = np.maximum(np.tile(totals, len(counts)), np.repeat(described, len(totals)))
        counts = np.repeat(counts, len(totals), axis=0)
    return BandGroup(
        low.mask(for_life, EDGES_MONTHS[-1]),
        high,
        counts,
        low_inclusive=part["low_inclusive"].astype(bool) & ~for_life,
        high_inclusive=part["high_inclusive"].astype(bool),
        low_attained=part["low_attained"].astype(bool),
        high_attained=part["high_attained"].astype(bool),
        total=total,
        label=label,
    )


def _counts(row: dict) -> list[float]:
    return sentences.possible_people(row["n"], row["count_candidates"])


def bounds(rows: pd.DataFrame, prefix: str, group: str, totals: dict[int, list[int]] | None = None) -> pd.DataFrame:
    """Smallest and largest share of terms under, from and over EDGES_MONTHS that the published figures allow.

    Returns
    -------
    pandas.DataFrame
        REPORTED, one row for each of SHARES, named `bounds_<prefix>_<share>`; `n` is the number of people of whom
        something is known (under the smallest bases). Empty where there is nobody.
    """
    groups = band_groups(rows, totals)
    if not any((group.counts.sum(axis=1) + group.unknown).any() for group in groups):
        return pd.DataFrame(columns=REPORTED)
    table = share_table(groups, EDGES_MONTHS)
    n = share_bounds(groups, np.nan, np.nan).n_known[0]
    sources = join_ids(rows["source_id"])
    return pd.DataFrame(
        [
            line(f"bounds_{prefix}_{name}", group, f"possible share {SHARE_LABELS[name]}",
                      np.nan, table.at[share, "smallest"], table.at[share, "largest"], "share", n, sources)
            for share, name in SHARES.items()
        ],
        columns=REPORTED,
    )  # fmt: skip


def all_bounds(rows: pd.DataFrame, convictions: pd.DataFrame, range_rule: str = "where_allowed") -> pd.DataFrame:
    """Bounds for each kind of source, for each year of monitored judgments, and for all convicted.

    For all convicted, only years with a published total enter, and publicised cases only in years without other
    evidence, since elsewhere they may be among the people it describes.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `select`.
    convictions : pandas.DataFrame
        As of `convicted_totals`.
    range_rule : str
        Whether somebody received the ends of a range: see `models.groups.expand_groups`.
    """
    rows = with_received_ends(rows, range_rule)
    monitored = rows[rows["source_kind"] == "monitor"]
    parts = [bounds(part, f"monitor_{year}", f"{year}, monitored") for year, part in monitored.groupby("year")]
    parts += [bounds(rows[rows["source_kind"] == kind], kind, label) for kind, label in KINDS.items()]
    if len(convictions):
        totals = {year: sorted({*t["value_low"], *t["value_high"]}) for year, t in convictions.groupby("year")}
        wide = by_others(rows)
        wide = wide[wide["year"].isin(totals)]
        everyone = bounds(wide, "all", "all convicted", totals)
        parts.append(everyone.assign(source_ids=join_ids([*wide["source_id"], *convictions["source_ids"]])))
    return reported_together(parts)


def with_received_ends(rows: pd.DataFrame, range_rule: str) -> pd.DataFrame:
    """Rows whose ends count as somebody's term only where the rule says so: see `models.groups.expand_groups`."""
    received = pd.Series(range_rule == "attained", index=rows.index)
    if range_rule == "where_allowed":
        received = rows["attained_allowed"].eq(1)
    return rows.assign(**{end: rows[end].where(received, 0) for end in ("low_attained", "high_attained")})


def middle_band(reported: pd.DataFrame) -> pd.DataFrame:
    """Of `all_bounds`, the rows of the middle band."""
    return reported[reported["name"].str.endswith("_36_60")]


def overall(reported: pd.DataFrame) -> pd.DataFrame:
    """Of `all_bounds`, the rows that are not of a single year."""
    return reported[~reported["name"].str.contains(r"_(?:19|20)\d\d_")]


def by_others(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without publicised cases of years in which others describe people too."""
    covered = set(rows.loc[rows["source_kind"] != "publicised", "year"].dropna())
    return rows[rows["source_kind"].ne("publicised") | ~rows["year"].isin(covered)]


def convicted_totals(yearly: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """Published yearly numbers of convicted people within a span of years, from `stages.yearly_figures`.

    Figures of the secondary coding of the TIP Report are left out: whether it counts persons or cases is not told.
    So are those with an open end ("at least 12"), which are no totals.
    """
    told = yearly[(yearly["stage"] == "conviction") & yearly["body"].isin(["tip", "unodc"])]
    told = told[told["value_low"].notna() & told["value_high"].notna()]
    return told[told["year"].between(first_year, last_year)].reset_index(drop=True)


def unreported(rows: pd.DataFrame, convictions: pd.DataFrame) -> pd.DataFrame:
    """Of how many convicted people something about the term is published, year by year.

    Returns
    -------
    pandas.DataFrame
        `year`, `convicted_low`, `convicted_high` (the bodies' smallest and largest figure), `known` (people described,
        smallest bases), `percent_unknown_low`, `percent_unknown_high`.
    """
    wide = by_others(rows)
    told = evidence.people(wide[wide["year"].notna()])
    known = told.groupby("year_low")["n_smallest"].sum()
    table = convictions.groupby("year").agg(convicted_low=("value_low", "min"), convicted_high=("value_high", "max"))
    table["known"] = known.reindex(table.index).fillna(0).astype("int64")
    for end in ("low", "high"):
        total = table[f"convicted_{end}"].clip(lower=table["known"])
        table[f"percent_unknown_{end}"] = (100 * (1 - table["known"] / total)).where(total > 0, 0.0).round(1)
    return table.astype({"convicted_low": "int64", "convicted_high": "int64"}).reset_index()


def unknown_share(table: pd.DataFrame, convictions: pd.DataFrame) -> pd.DataFrame:
    """Share of all convicted people of whose term nothing is published; one row of REPORTED, none without people.

    Parameters
    ----------
    table : pandas.DataFrame
        As of `unreported`.
    convictions : pandas.DataFrame
        As of `convicted_totals`.
    """
    known = table["known"].sum()
    totals = [table[f"convicted_{end}"].clip(lower=table["known"]).sum() for end in ("low", "high")]
    if not totals[1]:
        return pd.DataFrame(columns=REPORTED)
    sources = join_ids(convictions["source_ids"])
    told = ("share_unknown", "all convicted", "share of whom nothing is published")
    low, high = (1 - known / total if total else 0.0 for total in totals)
    return pd.DataFrame([line(*told, np.nan, low, high, "share", totals[1], sources)])


# --- Estimates ------------------------------------------------------------------------------------------------------


def npmle(rows: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """Turnbull's estimate of each kind's shares, as bounds: what it leaves undetermined stays so; REPORTED."""
    parts = []
    for kind, own in _by_kind(rows):
        # It takes one number of people for each row.
        _, e = (choices._replace(base_rule="average") if choices.base_rule == "marginal" else choices).expand(own)
        bounded = ~e.average
        if not bounded.any():
            continue
        found = turnbull(
            e.low[bounded], e.high[bounded], e.weight[bounded],
            low_inclusive=e.low_inclusive[bounded], high_inclusive=e.high_inclusive[bounded],
        )  # fmt: skip
        first, second = EDGES_MONTHS
        ends = {
            "under_36": found.share_bounds(np.nan, first, high_inclusive=False),
            "36_60": found.share_bounds(first, second),
            "over_60": found.share_bounds(second, np.nan, low_inclusive=False),
        }
        for name, (low, high) in ends.items():
            told = (f"turnbull_{kind}_{name}", KINDS[kind], f"share {SHARE_LABELS[name]}")
            parts.append(line(*told, np.nan, low, high, "share", *_about(own)))
    return pd.DataFrame(parts, columns=REPORTED)


def _by_kind(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(kind, rows[rows["source_kind"] == kind]) for kind in KINDS if (rows["source_kind"] == kind).any()]


def fit(rows: pd.DataFrame, choices: Choices, exog: Callable | None = None) -> IntervalRegressionResults:
    """One distribution fitted to rows; `exog` makes covariates, shape (r, k), of the rows of the likelihood.

    Raises
    ------
    NotEstimable
        Also where there are no rows.
    """
    if not len(rows):
        raise NotEstimable("there is no evidence of this kind")
    of_row, expanded = choices.expand(rows)
    if not len(of_row):
        raise NotEstimable("no row is left under the chosen rules")
    covariates = None if exog is None else exog(of_row)
    model = IntervalRegression(
        exog=covariates, dist=choices.family, grid=choices.grid_months, **expanded.keywords()
    )  # fmt: skip
    return model.fit()


def fit_kinds(rows: pd.DataFrame, choices: Choices) -> dict[str, IntervalRegressionResults | NotEstimable]:
    """A fit for each kind of source that has rows, or the reason why there is none."""
    found = {}
    for kind, own in _by_kind(rows):
        try:
            found[kind] = fit(own, choices)
        except (NotEstimable, NotConverged) as refusal:
            found[kind] = refusal
    return found


def quantities(
    laws: dict[str, dict[int, law.Penalty]], people: dict[int, float]
) -> dict[str, tuple[str, str, Callable]]:
    """What is reported of a distribution: for each name a unit, a label and a function of results and parameters.

    Parameters
    ----------
    laws : dict
        For each assumption on the date of the offence ("judgment", "mildest") the penalty of each year.
    people : dict of int to float
        People of each year: the weights of its law.
    """
    first, second = EDGES_MONTHS
    found = {
        "median_months": ("months", "median term", lambda r, p: r.predict(what="median", params=p)[0]),
        "share_under_36": ("share", "share under three years", _probability(high=first, high_inclusive=False)),
        "share_36_60": ("share", "share from three to five years", _probability(low=first, high=second)),
        "share_over_60": ("share", "share over five years", _probability(low=second, low_inclusive=False)),
    }
    words = {"judgment": "of the law at the time of the judgment", "mildest": "of the mildest law that may apply"}
    for which, by_year in laws.items():
        known = {year: by_year[year] for year in people if by_year.get(year) is not None}
        total = sum(people[year] for year in known)
        for end in ("min", "max"):
            months = {year: getattr(penalty, f"{end}_months") for year, penalty in known.items()}
            if not months or not np.isfinite(list(months.values())).all():
                continue
            weights = {m: sum(people[y] for y in months if months[y] == m) / total for m in set(months.values())}
            word = {"min": "minimum", "max": "maximum"}[end]
            found[f"median_to_{word}_{which}"] = ("ratio", f"median divided by the {word} {words[which]}",
                                                  _ratio(weights))  # fmt: skip
            if end == "min":
                found[f"share_under_minimum_{which}"] = (
                    "share", f"share below the minimum {words[which]}", _below(weights)
                )  # fmt: skip
    return found


def _probability(**between) -> Callable:
    return lambda results, params: results.predict(what="probability", params=params, **between)[0]


def _ratio(weights: dict[float, float]) -> Callable:
    inverse = sum(weight / months for months, weight in weights.items())
    return lambda results, params: results.predict(what="median", params=params)[0] * inverse


def _below(weights: dict[float, float]) -> Callable:
    parts = [(weight, _probability(high=months, high_inclusive=False)) for months, weight in weights.items()]
    return lambda results, params: sum(weight * part(results, params) for weight, part in parts)


def estimates(
    rows: pd.DataFrame,
    fits: dict[str, IntervalRegressionResults | NotEstimable],
    penalties: pd.DataFrame,
    lag_years: int,
    suffix: str = "",
) -> pd.DataFrame:
    """Every quantity of every kind of source, with profile intervals; REPORTED.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `select`.
    fits : dict
        As of `fit_kinds`.
    penalties : pandas.DataFrame
        As of `law.basic_penalties`.
    lag_years : int
        Longest time from an offence to its judgment that is thought possible.
    suffix : str
        Put behind the names of values.

    Returns
    -------
    pandas.DataFrame
        `value` is missing and `refused` has the reason where a kind or quantity cannot be estimated; `low` and `high`
        are missing where the interval is open or could not be found.
    """
    found = []
    for kind, own in _by_kind(rows):
        years = evidence.people(own).groupby("year_high")["n_smallest"].sum().astype(float).to_dict()
        laws = {
            "judgment": {year: law.at_judgment(penalties, year) for year in years},
            "mildest": {year: law.mildest(penalties, year, lag_years) for year in years},
        }
        about, results = _about(own), fits[kind]
        for name, (unit, label, function) in quantities(laws, years).items():
            told = (f"{kind}_{name}{suffix}", KINDS[kind], label)
            if isinstance(results, Exception):
                found.append(line(*told, np.nan, np.nan, np.nan, unit, *about, results.reason))
                continue
            value = function(results, results.params.to_numpy())
            low, high, refused = _interval(results, lambda p, f=function, r=results: f(r, p))
            found.append(line(*told, value, low, high, unit, *about, refused))
    return pd.DataFrame(found, columns=REPORTED)


def report(
    rows, choices: Choices, penalties: pd.DataFrame, lag_years: int, suffix: str = ""
) -> tuple[dict, pd.DataFrame]:
    """`fit_kinds` and the `estimates` of its fits."""
    fits = fit_kinds(rows, choices)
    return fits, estimates(rows, fits, penalties, lag_years, suffix)


# Largest threshold of `fitted_shares`; twenty years.
LARGEST_MONTHS = 240.0
FITTED = ["iso3", "source_kind", "people", "threshold_months", "share_shorter", "low", "high", "refused", "source_ids"]


def thresholds(grid_months: float) -> np.ndarray:
    """Thresholds in steps of half a grid (a quarter of a year without one), from 0 to LARGEST_MONTHS; months.

    They go on for one step of the grid: terms longer than t are those not shorter than t and a step.
    """
    step = 0.5 * grid_months or 3.0
    return np.arange(0.0, LARGEST_MONTHS + grid_months + 0.5 * step, step)


def fitted_shares(rows: pd.DataFrame, fits: dict[str, IntervalRegressionResults | NotEstimable]) -> pd.DataFrame:
    """Share of terms shorter than each of many thresholds, by the fit of each kind of source.

    It is the share that `estimates` reports, with the same profile interval: of the pronounced term, so that the curve
    is read half a grid below the threshold.

    Parameters
    ----------
    rows, fits
        As of `estimates`. The fits have one location and one scale.

    Returns
    -------
    pandas.DataFrame
        FITTED: a row for each kind and threshold, or one without a threshold where `refused` says why there is no fit.
        `low` and `high` are missing where the interval is open or could not be found.
    """
    found = []
    for kind, own in _by_kind(rows):
        n, sources = _about(own)
        about, results = (own["iso3"].iloc[0], kind, n), fits[kind]
        if isinstance(results, Exception):
            found.append((*about, *[np.nan] * 4, results.reason, sources))
            continue
        months = thresholds(results.model.grid)
        shares = _shares_shorter(results, months)
        found += [(*about, at, *share, sources) for at, share in zip(months, shares, strict=True)]
    return pd.DataFrame(found, columns=FITTED)


def _shares_shorter(results: IntervalRegressionResults, months: np.ndarray) -> list[tuple[float, float, float, str]]:
    """Share, low, high and the reason where there is no interval, at each threshold."""
    latent = months - 0.5 * results.model.grid
    log_cdf, possible = results.model.likelihood.family.log_cdf, latent > 0
    logs = np.log(latent[possible])

    def standardised(params: np.ndarray) -> np.ndarray:
        return (logs - params[:, :1]) / np.exp(params[:, 1:])

    # A profile interval of z is one of F(z), and keeps its digits where F is all but 0 or 1.
    shares = np.exp(log_cdf(standardised(results.params.to_numpy()[None])[0]).value)
    found = [(0.0, 0.0, 0.0, "")] * int((~possible).sum())
    for share, interval in zip(shares, profile_intervals_together(results, standardised), strict=True):
        low, high, refused = ends(interval)
        found.append((share, *np.exp(log_cdf(np.array([low, high])).value), refused))
    return found


def _interval(results: IntervalRegressionResults, function: Callable) -> tuple[float, float, str]:
    try:
        return ends(profile_interval(results, function))
    except NotConverged as reason:
        return ends(reason)


def ends(interval: tuple[float, float] | NotConverged) -> tuple[float, float, str]:
    """Ends of an interval as they are reported, missing where it is open, and the reason where there is none."""
    if isinstance(interval, NotConverged):
        return np.nan, np.nan, f"no interval: {interval.reason}"
    return *(end if np.isfinite(end) else np.nan for end in interval), ""


def common_test(rows: pd.DataFrame, choices: Choices, suffix: str = "") -> pd.DataFrame:
    """Likelihood-ratio test that the kinds of source share location and scale, against each having its own.

    Returns
    -------
    pandas.DataFrame
        REPORTED: the statistic, its degrees of freedom and p; or one row with the reason, when fewer than two kinds
        can be fitted by themselves.
    """
    fits = fit_kinds(rows, choices)
    fitted = {kind: found for kind, found in fits.items() if not isinstance(found, Exception)}
    both = rows[rows["source_kind"].isin(fitted)]
    group = " and ".join(KINDS[kind] for kind in fitted) or "no kind of source"
    quantities = {"statistic": "likelihood-ratio statistic against a common distribution", "df": "degrees of freedom",
                  "p_value": "p of a common distribution"}  # fmt: skip
    numbers, refused = [np.nan] * 3, ""
    if len(fitted) < 2:
        why = [f"{KINDS[kind]}: {found.reason}" for kind, found in fits.items() if isinstance(found, Exception)]
        refused = "; ".join(["a common distribution can be tested only where two kinds have one of their own", *why])
    else:
        statistic = max(2 * (sum(found.llf for found in fitted.values()) - fit(both, choices).llf), 0.0)
        df = 2 * (len(fitted) - 1)
        numbers = [statistic, df, float(stats.chi2.sf(statistic, df))]
    lines = [
        line(f"common_{name}{suffix}", group, told, number, np.nan, np.nan, "p" if name == "p_value" else "number",
                  *_about(both), refused)
        for (name, told), number in zip(quantities.items(), numbers, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(lines[:1] if refused else lines, columns=REPORTED)


def common_tests(rows: pd.DataFrame, several: dict[str, Choices]) -> pd.DataFrame:
    """`common_test` under several choices, by the suffix of their names; those that test the same kinds only once."""
    tests = [common_test(rows, choices, suffix) for suffix, choices in several.items()]
    return reported_together(tests).drop_duplicates(["group", "quantity"])


def families(rows: pd.DataFrame, choices: Choices, names=("lognormal", "loglogistic", "weibull")) -> pd.DataFrame:
    """Median and share of the middle band of each kind under each family of curves; REPORTED, without intervals."""
    lines = []
    for family in names:
        for kind, found in fit_kinds(rows, choices._replace(family=family)).items():
            own = rows[rows["source_kind"] == kind]
            about = (*_about(own), found.reason if isinstance(found, Exception) else "")
            median = np.nan if about[2] else found.predict(what="median")[0]
            share = np.nan if about[2] else _probability(low=EDGES_MONTHS[0], high=EDGES_MONTHS[1])(found, None)
            told = (("median_months", "median term", median, "months"),
                    ("share_36_60", "share from three to five years", share, "share"))  # fmt: skip
            lines += [
                line(f"{family}_{kind}_{name}", KINDS[kind], f"{words}, {family}", value, np.nan, np.nan, unit, *about)
                for name, words, value, unit in told
            ]
    return pd.DataFrame(lines, columns=REPORTED)


def trend(rows: pd.DataFrame, kind: str, choices: Choices) -> pd.DataFrame:
    """Change of the median from year to year within one kind of source, percent, as one row of REPORTED.

    Publicised cases are refused: what the press takes up changes with the years as well as what courts do. So are
    kinds of fewer than three years: a line through two points always fits.
    """
    own = rows[(rows["source_kind"] == kind) & rows["year"].notna()]
    years = sorted(set(own["year"]))
    told = (f"{kind}_trend_percent", KINDS[kind], "change of the median term a year")
    refused = "one cannot tell a change of sentences from a change of what the press takes up" * (kind == "publicised")
    if not refused and len(years) < 3:
        refused = f"evidence of {len(years)} year{'s' * (len(years) != 1)}; a trend needs at least three"
    if not refused:
        middle = float(np.mean([float(year) for year in years]))

        def with_year(of_row):
            return np.column_stack([np.ones(len(of_row)), of_row["year"].astype(float) - middle])

        try:
            results = fit(own, choices, with_year)
            low, high, refused = _interval(results, lambda p: 100 * np.expm1(p[1]))
            value = 100 * np.expm1(results.params.iloc[1])
            return pd.DataFrame([line(*told, value, low, high, "percent", *_about(own), refused)])
        except (NotEstimable, NotConverged) as reason:
            refused = reason.reason
    refusal = line(*told, np.nan, np.nan, np.nan, "percent", *_about(own), refused)
    return pd.DataFrame([refusal], columns=REPORTED)


def trends(rows: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """`trend` of each kind that has rows."""
    found = [trend(rows, kind, choices) for kind, _ in _by_kind(rows)]
    return reported_together([pd.DataFrame(columns=REPORTED), *found])


def compare_periods(rows: pd.DataFrame, split_year: int) -> None:
    """Refuse to compare terms before a year with those from it on, unless one kind of source spans both sides.

    Raises
    ------
    NotEstimable
        When no kind other than publicised cases has at least two published groups on each side.
    """
    told = []
    for kind, own in _by_kind(rows[rows["source_kind"].ne("publicised") & rows["year"].notna()]):
        before = own.loc[own["year"] < split_year, "evidence_id"].nunique()
        after = own.loc[own["year"] >= split_year, "evidence_id"].nunique()
        if min(before, after) >= 2:
            return
        told.append(
            f"{KINDS[kind]}: {before} published group{'s' * (before != 1)} before {split_year}, {after} from then"
        )
    raise NotEstimable(
        "no kind of source describes both periods well enough, so a difference would be one between sources ("
        + ("; ".join(told) or "there is no evidence but publicised cases")
        + ")"
    )


def why_not(question: Callable, *given) -> str:
    """The reason why a question is refused, as a sentence; or that it is not."""
    try:
        question(*given)
    except NotEstimable as reason:
        return f"refused, because {reason.reason}."
    return "not refused: the evidence spans it."


# --- Checks and single cases ----------------------------------------------------------------------------------------


def extremes(rows: pd.DataFrame, fits: dict, *, seed: int) -> pd.DataFrame:
    """Could each fit have produced the printed extremes of each range? REPORTED.

    For every fit, range and end that somebody received: the predicted extreme of as many people (`value` its median,
    `low` and `high` 95 % of the draws), and the p of the printed one; see `inference.predict_extremes`.
    """
    ranges = rows[(rows["low_attained"].eq(1) | rows["high_attained"].eq(1)) & rows["n"].gt(1)]
    ends = {
        "smallest": ranges["low_months"].astype("float64").where(ranges["low_attained"].eq(1)),
        "largest": ranges["high_months"].astype("float64").where(ranges["high_attained"].eq(1)),
    }
    lines = []
    for kind, results in fits.items():
        if isinstance(results, Exception) or not len(ranges):
            continue
        checked = predict_extremes(results, *ends.values(), ranges["n"].astype("float64"), seed=seed)
        for number, (found, row) in enumerate(zip(checked.to_dict("records"), ranges.to_dict("records"), strict=True)):
            for end in ends:
                printed = found[f"{end}_printed"]
                if np.isnan(printed):
                    continue
                what = f"{_years(row['year_low'], row['year_high'])}, {row['n']} people: {end} term"
                about = (row["n"], row["source_id"])
                predicted = (found[f"{end}_{part}"] for part in ("median", "lower", "upper"))
                name = f"extremes_{kind}_{number + 1}_{end}"
                lines += [
                    line(name, KINDS[kind], f"{what} ({printed:g} months printed)", *predicted, "months", *about),
                    line(f"{name}_p", KINDS[kind], f"{what}: p of the printed one", found[f"{end}_p"], np.nan,
                              np.nan, "p", *about),
                ]  # fmt: skip
    return pd.DataFrame(lines, columns=REPORTED)


def family_check(rows: pd.DataFrame, fits: dict) -> pd.DataFrame:
    """Does the chosen family fit the bands better or worse than free thresholds would? REPORTED, one row a kind.

    With three bands a family of two parameters fits any numbers: then there is nothing to check, and that is said.
    """
    lines = []
    for kind, results in fits.items():
        value, n, refused = np.nan, evidence.n_people(rows[rows["source_kind"] == kind]), ""
        if isinstance(results, Exception):
            refused = "no fit to check"
        elif rows.loc[rows["source_kind"] == kind, "kind"].ne("interval").any():
            refused = "some terms are known singly or by their extremes, which this check of bands cannot use"
        else:
            try:
                found = free_threshold_test(results)
                value, refused = found.p_value, "" if found.df else "no degree of freedom is left: any family fits"
            except (NotEstimable, NotConverged) as reason:
                refused = reason.reason
        told = (f"family_check_{kind}_p", KINDS[kind], "p of the chosen family against free thresholds")
        lines.append(line(*told, value, np.nan, np.nan, "p", n, "", refused))
    return pd.DataFrame(lines, columns=REPORTED)


def place_case(rows: pd.DataFrame, case: str, choices: Choices) -> pd.DataFrame:
    """Where the term of one case stands in the distribution of each kind of source; REPORTED.

    The case itself is left out of the fits, so that it is not compared with itself.

    Parameters
    ----------
    case : str
        End of an `evidence_id`, such as a case id.

    Returns
    -------
    pandas.DataFrame
        Share of terms shorter than that of the case (`value`, with its interval) for each kind, and one row with the
        term itself, named `case_months`; empty where the case is not among the rows or has no single term.
    """
    own = rows[rows["evidence_id"].str.endswith(f":{case}") & rows["kind"].eq("exact")]
    if len(own) != 1:
        return pd.DataFrame(columns=REPORTED)
    months, source = float(own["low_months"].iloc[0]), own["source_id"].iloc[0]
    years = _years(own["year_low"].iloc[0], own["year_high"].iloc[0])
    told = ("case_months", f"the case decided in {years}", "term")
    lines = [line(*told, months, np.nan, np.nan, "months", 1, source)]
    others = rows.drop(index=own.index)
    for kind, results in fit_kinds(others, choices).items():
        about = _about(others[others["source_kind"] == kind])
        told = (f"case_{kind}_share_shorter", KINDS[kind], "share of terms shorter than that of the case")
        if isinstance(results, Exception):
            lines.append(line(*told, np.nan, np.nan, np.nan, "share", *about, results.reason))
            continue
        function = _probability(high=months, high_inclusive=False)
        value = function(results, None)
        low, high, refused = _interval(results, lambda p, f=function, r=results: f(r, p))
        lines.append(line(*told, value, low, high, "share", *about, refused))
    return pd.DataFrame(lines, columns=REPORTED)


def custody(table: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Bounds of the share of the convicted who went to prison, for each usable year.

    Raises
    ------
    NotEstimable
        When the country has no usable row; the message tells why those that exist cannot be used.
    """
    own = table[table["iso3"] == iso3]
    usable = own[own["used"] == 1]
    if not len(usable):
        reasons = "; ".join(sorted(set(own["why_not"].dropna()))) or "nothing is published on it here"
        raise NotEstimable(f"no usable figure says how many of the convicted went to prison ({reasons})")
    low = usable["n_prison"].fillna(0) / usable["n_convicted"]
    not_prison = usable["n_not_prison"].fillna(0)
    return usable.assign(share_low=low, share_high=1 - not_prison / usable["n_convicted"])[
        [
            "reference_year",
            "n_convicted",
            "n_prison",
            "n_not_prison",
            "n_unknown",
            "share_low",
            "share_high",
            "source_id",
        ]
    ].reset_index(drop=True)


def reported_together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Several tables in REPORTED columns as one."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def findings_in_words(country: str, n_people: int, parts: list[pd.DataFrame]) -> dict[str, str]:
    """What came out, one sentence or two for each kind of source and for all convicted, by the name of the value.

    Parameters
    ----------
    country : str
        Its name.
    n_people : int
    parts : list of pandas.DataFrame
        In REPORTED columns: `all_bounds`, `estimates`, `unknown_share`.
    """
    rows = {row["name"]: row for row in reported_together(parts).to_dict("records")}
    people = (
        f"Something about the length of the sentence is published for {n_people} people sentenced for trafficking in "
        f"{country} (the smallest number that fits the printed percentages), by sources that each look at other people."
    )
    nobody = f"Nothing usable is published here on the terms of people sentenced for trafficking in {country}."
    found = {"finding_people": people if n_people else nobody}
    for kind in ("monitor", "official", "publicised"):
        told = (rows.get(name) for name in (f"bounds_{kind}_36_60", f"{kind}_share_36_60", f"{kind}_median_months"))
        found[f"finding_{kind}"] = f"{KINDS[kind].capitalize()}{_kind_in_words(*told)}"
    band, unknown = rows.get("bounds_all_36_60"), rows.get("share_unknown")
    everyone = "No total of convictions is published here with anything on the terms."
    found["finding_all"] = everyone if band is None else (
        f"Of all people convicted in years with a published total, {_span(band)} % got from three to five years: the "
        f"figures say no more, since of {_span(unknown)} % nothing is published."
    )  # fmt: skip
    return found


def _kind_in_words(band: dict | None, share: dict | None, median: dict | None) -> str:
    if band is None:
        return ": nothing is published here."
    told = f" ({band['n']} people): if the published figures are right, {_span(band)} % got from three to five years"
    if share is None or median is None or np.isnan(median["value"]):
        return f"{told}; without further assumptions a median cannot be estimated."
    return (
        f"{told}; a model puts it at {_estimated(share, 100)} %, and the median term at {_estimated(median, 1)} months."
    )


def _estimated(row: dict, factor: float) -> str:
    low, high = factor * row["low"], factor * row["high"]
    return f"{factor * row['value']:.0f}" + ("" if np.isnan(low + high) else f" ({low:.0f} to {high:.0f})")


def _span(row: dict) -> str:
    low, high = (f"{100 * row[end]:.0f}" for end in ("low", "high"))
    return low if low == high else f"{low} to {high}"
