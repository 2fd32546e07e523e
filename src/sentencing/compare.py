"""Sentence lengths, prison and publication across countries, by a model that says where a country has no answer.

Countries are described, not ranked by what made them so: the tier of the TIP Report is an outcome of diplomacy too
(US Government Accountability Office, GAO-17-56), and who publishes sentences is no random part of all countries.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from . import estimands, evidence, law, schemas, sentences, stages
from .estimands import line
from .models import Custody, NotConverged, NotEstimable, RandomInterceptIntervalRegression
from .models.families import FAMILIES
from .sources import join_ids

NEIGHBOURS = {"SRB": ("BIH", "MNE", "MKD", "ALB", "XKX", "BGR", "ROU", "HUN", "HRV")}
TIERS = {"1": "Tier 1", "2": "Tier 2", "2WL": "Tier 2 Watch List", "3": "Tier 3", "unknown": "no earlier tier known"}
# Covariates of the location, in the order in which they are given up when the evidence does not carry them all, the
# last first.
COVARIATES = ("tier", "rule of law", "statutory maximum", "exploitation")
NOTHING = "no covariates"
EXPLOITATIONS = {"sex": "sex only", "labor": "labour only", "mixed": "several forms, or another"}
CUSTODY_CATEGORIES = ("prison", "suspended", "other")
LAWS = ("trafficking", "mixed", "unspecified")


# --- The rows and what is known of their countries --------------------------------------------------------------------


def select(table: pd.DataFrame, first_year: int, last_year: int, **rules) -> pd.DataFrame:
    """Usable rows of all countries, by country; each country's are those of `estimands.select` under the same rules."""
    chosen = estimands.select(table, None, first_year, last_year, **rules)
    return chosen.sort_values("iso3", kind="stable", ignore_index=True)


def earlier_tiers(tiers: pd.DataFrame, year: int, at_most_years: int) -> pd.DataFrame:
    """The last known tier of each country in the reports up to that of a year.

    The report of a year came out in the middle of it, so that it could not know the sentences of that year. The next
    one, which tells them, set its tier with them in view; its tier is never taken.

    Parameters
    ----------
    tiers : pandas.DataFrame
        `processed/tiers.csv`.
    year : int
        Year of the sentences.
    at_most_years : int
        Number of reports looked at; 1: only that of the year itself.

    Returns
    -------
    pandas.DataFrame
        Index: country. `tier` (a key of TIERS), `tier_report` (year of the report), `tier_source` (source ids).
    """
    told = tiers[tiers["tier"].astype("str").isin(TIERS) & tiers["tier"].ne("unknown")]
    told = told[told["report_year"].between(year - at_most_years + 1, year)].sort_values("report_year")
    last = told.drop_duplicates("iso3", keep="last").set_index("iso3")
    return pd.DataFrame(
        {"tier": last["tier"].astype("str"), "tier_report": last["report_year"], "tier_source": last["source_id"]}
    )


def describe_countries(
    rows: pd.DataFrame,
    tiers: pd.DataFrame,
    controls: pd.DataFrame,
    statutes: pd.DataFrame,
    tier_at_most_years: int,
    life_cap_months: float,
) -> pd.DataFrame:
    """Rows with what is known of their country in the year of the sentences.

    Parameters
    ----------
    rows : pandas.DataFrame
        Any with `iso3` and `year_high`, the last year in which the sentences may have been passed.
    tiers, controls, statutes : pandas.DataFrame
        `processed/tiers.csv`, `raw/controls/country_year.csv`, `processed/statutes.csv`. Laws that only a later
        edition of the TIP Report than that on the year tells are not taken.
    tier_at_most_years : int
        See `earlier_tiers`.
    life_cap_months : float
        A maximum for life counts as so many months.

    Returns
    -------
    pandas.DataFrame
        The rows with `tier` ("unknown" where none is), `tier_report`, `rule_of_law` (NaN where not published),
        `min_months`, `max_months` (NaN where not told), `for_life` (the maximum is for life), `law_sources`,
        `context_sources`.
    """
    pairs = rows[["iso3", "year_high"]].drop_duplicates()
    return with_facts(rows, country_facts(pairs, tiers, controls, statutes, tier_at_most_years, life_cap_months))


def with_facts(rows: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Rows with the `country_facts` of their country and year."""
    return rows.merge(facts, on=["iso3", "year_high"], how="left")


def country_facts(
    pairs: pd.DataFrame,
    tiers: pd.DataFrame,
    controls: pd.DataFrame,
    statutes: pd.DataFrame,
    tier_at_most_years: int,
    life_cap_months: float,
) -> pd.DataFrame:
    """What `describe_countries` adds, for pairs of `iso3` and `year_high`; one row a pair, with both columns."""
    facts = []
    for year, countries in pairs.groupby("year_high")["iso3"].unique().items():
        tier = earlier_tiers(tiers, year, tier_at_most_years)
        ruled = controls[controls["year"] == year].set_index("iso3")
        known = statutes[statutes["edition"].isna() | statutes["edition"].le(year + 1).fillna(False)]
        for iso3 in countries:
            fact = {"iso3": iso3, "year_high": year, **law_in(known, iso3, year, life_cap_months)}
            fact |= tier.loc[iso3].to_dict() if iso3 in tier.index else {"tier": "unknown", "tier_report": pd.NA}
            fact |= {"rule_of_law": ruled["rule_of_law"].get(iso3, np.nan), "rule_source": ruled["source_id"].get(iso3)}
            facts.append(fact)
    columns = [
        "iso3",
        "year_high",
        "tier",
        "tier_report",
        "tier_source",
        "rule_of_law",
        "rule_source",
        "min_months",
        "max_months",
        "for_life",
        "law_sources",
    ]
    table = pd.DataFrame(facts, columns=columns)
    named = table[["tier_source", "rule_source", "law_sources"]].astype("object")
    table["context_sources"] = [join_ids(part) for part in named.itertuples(index=False)]
    table["year_high"] = table["year_high"].astype("Int64")
    return table.drop(columns=["tier_source", "rule_source"])


def law_in(statutes: pd.DataFrame, iso3: str, year: int, life_cap_months: float) -> dict:
    """The law on the basic form in a country at the end of a year, as the columns of `describe_countries` have it."""
    penalties = law.basic_penalties(statutes, iso3)
    found = law.at_judgment(penalties, year)
    own = statutes[(statutes["iso3"] == iso3) & statutes["form"].isin(["basic_all", "adult"])]
    least, most = (np.nan, np.nan) if found is None else found
    # `law` tells no months of a maximum for life; it is one where the text says so of the basic form.
    for_life = bool(np.isnan(most) and len(own) and own["life_max"].eq(1).all())
    sources = ";".join(penalties["source_ids"]) or None
    return {
        "min_months": least,
        "max_months": life_cap_months if for_life else most,
        "for_life": for_life,
        "law_sources": sources,
    }


def marked(country: str) -> tuple[str, ...]:
    """A country and, where they are listed, its neighbours."""
    return (country, *NEIGHBOURS.get(country, ()))


# --- The model --------------------------------------------------------------------------------------------------------


class Fit(NamedTuple):
    """A model of all countries, or the reason why there is none."""

    results: object  # RandomInterceptResults, or None
    covariates: tuple[str, ...]  # those of COVARIATES that the model has
    gave_up: tuple[tuple[str, str], ...]  # sets that were tried before, and why they were refused
    rows: pd.DataFrame  # the evidence row of each row of the likelihood


def design(rows: pd.DataFrame, covariates: tuple[str, ...]) -> pd.DataFrame:
    """Covariates of the location, one column each, beside a constant; shape (r, k).

    Missing values get a column of their own ("rule of law not known", "maximum not told") and a 0 in the other, which
    is centred: nothing is filled in, and no row is lost. Columns in which all rows are the same are left out: they
    would say nothing. The reference is the most frequent tier and exploitation "not told".

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `describe_countries`.
    covariates : tuple of str
        Some of COVARIATES.
    """
    columns = {}
    if "tier" in covariates and len(rows):
        reference = rows["tier"].value_counts().sort_index(kind="stable").idxmax()
        columns |= {label: rows["tier"].eq(tier) for tier, label in TIERS.items() if tier != reference}
    if "rule of law" in covariates:
        columns |= _with_missing(rows["rule_of_law"], "rule of law", "rule of law not known")
    if "statutory maximum" in covariates:
        columns |= _with_missing(np.log(rows["max_months"]), "log of the maximum", "maximum not told")
    if "exploitation" in covariates:
        form = (
            rows["exploitation"].fillna("unspecified").where(lambda s: s.isin(["sex", "labor", "unspecified"]), "mixed")
        )
        columns |= {label: form.eq(key) for key, label in EXPLOITATIONS.items()}
    columns |= {label: rows["source_kind"].eq(kind) for kind, label in _other_kinds(rows).items()}
    table = pd.DataFrame({name: pd.Series(column).astype("float64") for name, column in columns.items()}, rows.index)
    varying = [name for name in table if table[name].nunique() > 1]
    return pd.concat([pd.Series(1.0, rows.index, name="const"), table[varying]], axis=1)


def scale_design(rows: pd.DataFrame) -> pd.DataFrame:
    """Covariates of the log scale: a constant, and a column for each kind of source but the first, shape (r, q)."""
    columns = {label: rows["source_kind"].eq(kind).astype("float64") for kind, label in _other_kinds(rows).items()}
    return pd.DataFrame({"const": pd.Series(1.0, rows.index)} | columns)


def _other_kinds(rows: pd.DataFrame) -> dict[str, str]:
    """Kinds of source but the first of those that occur, with labels."""
    return dict(
        [(kind, label) for kind, label in evidence.SOURCE_KINDS.items() if kind in set(rows["source_kind"])][1:]
    )


def _with_missing(values: pd.Series, name: str, missing: str) -> dict[str, pd.Series]:
    values = values.astype("float64")
    return {name: (values - values.mean()).fillna(0.0), missing: values.isna()}


def fit(rows: pd.DataFrame, choices: estimands.Choices, covariates: tuple[str, ...], nodes: int = 50) -> Fit:
    """Fit with all covariates; while that is refused, with one less, the last first.

    Rows without an earlier tier are left out while the tier is among the covariates: as a category of their own they
    would be compared with nobody but themselves.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `describe_countries`.
    choices : estimands.Choices
        `base_rule` must settle on one base.
    covariates : tuple of str
        Some of COVARIATES.
    nodes : int
        Quadrature nodes for each country.
    """
    gave_up, nothing = [], Fit(None, (), (), rows.iloc[:0])
    if not len(rows):
        return nothing._replace(gave_up=((NOTHING, "nothing usable is published for these years"),))
    for k in range(len(covariates), -1, -1):
        used = covariates[:k]
        try:
            return _fit_with(rows, choices, used, nodes)._replace(gave_up=tuple(gave_up))
        except (NotEstimable, NotConverged) as refusal:
            gave_up.append((", ".join(used) or NOTHING, refusal.reason))
    return nothing._replace(gave_up=tuple(gave_up))


def _fit_with(rows: pd.DataFrame, choices: estimands.Choices, covariates: tuple[str, ...], nodes: int) -> Fit:
    entered = enter(rows, choices, covariates)
    return Fit(model(entered, choices.family, choices.grid_months, nodes).fit(), covariates, (), entered.rows)


class Entered(NamedTuple):
    """What enters the likelihood of all countries, r rows."""

    rows: pd.DataFrame  # the evidence row that each comes from
    bounds: pd.DataFrame  # low, high (months), low_inclusive, high_inclusive, average, weights (persons)
    exog: pd.DataFrame  # as of `design`
    exog_scale: pd.DataFrame  # as of `scale_design`
    log_constant: float


def enter(
    rows: pd.DataFrame, choices: estimands.Choices, covariates: tuple[str, ...], common_scale: bool = False
) -> Entered:
    """Rows of the likelihood with their covariates.

    Parameters
    ----------
    rows, choices, covariates
        As of `fit`.
    common_scale : bool
        One scale for all kinds of source.

    Raises
    ------
    NotEstimable
        When no row is left.
    ValueError
        When `base_rule` leaves sizes of groups open.
    """
    return with_covariates(*expand(rows, choices, "tier" in covariates), covariates, common_scale)


def expand(rows: pd.DataFrame, choices: estimands.Choices, with_tier: bool) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """What `Entered` has without covariates: `rows`, `bounds`, `log_constant`; `with_tier`: only where it is known."""
    if with_tier:
        rows = rows[rows["tier"].ne("unknown")]
    of_row, expanded = choices.expand(rows)
    given = expanded.keywords()
    if given.pop("unknown_sizes"):
        raise ValueError(f"base_rule {choices.base_rule!r} leaves the size of groups open; settle on one")
    log_constant = given.pop("log_constant")
    return of_row, pd.DataFrame(given, of_row.index), log_constant


def with_covariates(
    rows: pd.DataFrame, bounds: pd.DataFrame, log_constant: float, covariates: tuple[str, ...], common_scale: bool
) -> Entered:
    """`enter`, of rows that are expanded already."""
    if not len(rows):
        raise NotEstimable("no row is left")
    scale = scale_design(rows)
    return Entered(rows, bounds, design(rows, covariates), scale[["const"]] if common_scale else scale, log_constant)


def model(entered: Entered, family: str, grid_months: float, nodes: int = 50) -> RandomInterceptIntervalRegression:
    """The model of all countries, unfitted; `nodes` are quadrature nodes for each country."""
    return RandomInterceptIntervalRegression(
        **{name: column.to_numpy() for name, column in entered.bounds.items()},
        exog=entered.exog,
        exog_scale=entered.exog_scale,
        groups=entered.rows["iso3"],
        nodes=nodes,
        quadrature="legendre",
        dist=family,
        grid=grid_months,
        log_constant=entered.log_constant,
    )


def median_bounds(rows: pd.DataFrame, life_cap_months: float) -> tuple[float, float]:
    """Smallest and largest median term that the printed bounds of these people allow, without any model; months.

    People whose number is one of several count with its mean. An average bounds nobody's term, so its people may have
    any. A term for life exceeds the cap. NaN: open.
    """
    n = _mean_people(rows)
    bounded = rows["kind"].ne("mean")
    low, high = (rows[end].astype("float64").where(bounded) for end in ("low_months", "high_months"))
    low = low.mask(rows["sanction"].eq("life") & low.isna() & high.isna(), life_cap_months).fillna(0.0)
    least = _weighted_median(low, n, upper=False)
    most = _weighted_median(high.fillna(np.inf), n, upper=True)
    return least if least > 0 else np.nan, most if np.isfinite(most) else np.nan


def _mean_people(rows: pd.DataFrame) -> list[float]:
    people = zip(rows["n"], rows["count_candidates"], strict=True)
    return [float(np.mean(sentences.possible_people(n, counts))) for n, counts in people]


def _weighted_median(values, weights, upper: bool) -> float:
    """The smallest value up to which half (upper: more than half) of the weight lies; NaN without weight."""
    order = np.argsort(np.asarray(values), kind="stable")
    values, below = np.asarray(values)[order], np.cumsum(np.asarray(weights, dtype=float)[order])
    if not len(below) or not below[-1]:
        return np.nan
    return float(values[np.searchsorted(below, below[-1] / 2, side="right" if upper else "left")])


def printed_average(rows: pd.DataFrame) -> float:
    """Average term as printed, over the people of all printed averages; months, NaN where none is a single number."""
    own = rows[rows["kind"].eq("mean") & rows["low_months"].eq(rows["high_months"])]
    n = _mean_people(own)
    return float(np.average(own["low_months"].astype("float64"), weights=n)) if sum(n) else np.nan


COUNTRY_COLUMNS = [
    "iso3",
    "country",
    "mark",
    "tier",
    "people",
    "evidence",
    "own_information",
    "median",
    "lower",
    "upper",
    "scale",
    "raw_low",
    "raw_high",
    "raw_average",
    "said",
    "min_months",
    "max_months",
    "for_life",
    "source_ids",
]


def by_country(
    rows: pd.DataFrame, fitted: Fit, country: str, least_information: float, life_cap_months: float
) -> pd.DataFrame:
    """What is known of each country's terms, printed and fitted, one row a country.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `describe_countries`. Where a country has rows of several years, its tier and law are of the last.
    fitted : Fit
    country : str
        The country that is marked; see `marked`.
    least_information : float
        A median is given to no country whose own evidence carries less of the information.
    life_cap_months : float

    Returns
    -------
    pandas.DataFrame
        COUNTRY_COLUMNS, by tier and median. `mark` is "country", "neighbour" or blank; `median`, `lower`, `upper`
        (months) are missing where refused; `scale` is sigma of the logarithm of a term; `raw_low`, `raw_high` as of
        `median_bounds`; `said` is "estimated" or what is known instead, in words.
    """
    medians = effects = None
    if fitted.results is not None:
        medians = fitted.results.shrunken_median(least_information=least_information)
        effects = fitted.results.group_effects()
    found = []
    for iso3, own in rows.groupby("iso3", sort=True):
        last = own.sort_values("year_high", kind="stable").iloc[-1]
        low, high = median_bounds(own, life_cap_months)
        mark = "country" if iso3 == country else "neighbour" if iso3 in marked(country) else ""
        row = {
            "iso3": iso3,
            "country": schemas.country_name(iso3),
            "mark": mark,
            "tier": last["tier"],
            "people": evidence.n_people(own),
            "raw_low": low,
            "raw_high": high,
            "raw_average": printed_average(own),
            **last[["min_months", "max_months", "for_life"]].to_dict(),
            "source_ids": join_ids([*own["source_id"], *own["context_sources"]]),
        }
        row |= {"evidence": ""} | dict.fromkeys(("own_information", "median", "lower", "upper", "scale"), np.nan)
        if medians is not None and iso3 in medians.index:
            own_median = medians.loc[iso3]
            row |= own_median[["median", "lower", "upper", "scale"]].to_dict()
            row |= effects.loc[iso3, ["own_information", "evidence"]].to_dict()
            row["said"] = known_in_words(own_median["said"], row["evidence"], low, high)
        else:
            row["said"] = known_in_words("not in the model", "", low, high)
        found.append(row)
    table = pd.DataFrame(found, columns=COUNTRY_COLUMNS)
    order = table.assign(place=table["tier"].map(list(TIERS).index))
    order = order.sort_values(["place", "median", "raw_low", "iso3"], kind="stable")
    return order.drop(columns="place").reset_index(drop=True)


def shares_shorter(countries: pd.DataFrame, family: str, grid_months: float, months: np.ndarray) -> np.ndarray:
    """Share of terms shorter than thresholds in each country with a median, by the curve behind that median.

    Parameters
    ----------
    countries : pandas.DataFrame
        As of `by_country`.
    family, grid_months
        Those of the model; shares are of the pronounced term.
    months : numpy.ndarray, shape (q,)
        Thresholds.

    Returns
    -------
    numpy.ndarray, shape (C, q, 3)
        Share, low, high; NaN where there is no median. Like that of the median, the interval is of the country's
        intercept alone: coefficients and scale are taken as known.
    """
    standard = FAMILIES[family]
    latent = months - 0.5 * grid_months
    possible = latent > 0
    medians = countries[["median", "upper", "lower"]].to_numpy(float)[:, None, :]
    scale = countries["scale"].to_numpy(float)[:, None, None]
    shares = np.zeros((len(countries), len(months), 3))
    z = standard.quantile(0.5) + np.log(latent[possible][None, :, None] / medians) / scale
    shares[:, possible] = np.exp(standard.log_cdf(z).value)
    return np.where(np.isnan(medians), np.nan, shares)


def known_in_words(said: str, words: str, low: float, high: float) -> str:
    """What is said of a country: "estimated", or what is known of its terms instead of a median.

    Parameters
    ----------
    said, words : str
        As of `RandomInterceptResults.shrunken_median`: `said` and `evidence`.
    low, high : float
        As of `median_bounds`.
    """
    if said == "estimated":
        return said
    if words.startswith("only at "):
        bound, _, some = words.removeprefix("only ").partition(" (")
        return f"{bound} {'month' if bound.endswith(' 1') else 'months'}" + (f" ({some}" if some else "")
    return f"{span_told(low, high)}; {said}"


def span_told(low: float, high: float) -> str:
    """Bounds of a median (`median_bounds`) in words."""
    if np.isnan(low) and np.isnan(high):
        return "no bound of the median"
    if np.isnan(low):
        return f"median at most {high:g} months"
    if np.isnan(high):
        return f"median at least {_counted(low, 'month')}"
    return f"median {high:g} months" if low == high else f"median between {low:g} and {high:g} months"


def reported_medians(countries: pd.DataFrame) -> pd.DataFrame:
    """Medians of `by_country`, fitted and printed, and their ratios to the law, as `estimands.REPORTED`.

    A ratio has a value where the median is estimated, else the bounds that the printed bounds give it.
    """
    lines = []
    for row in countries.to_dict("records"):
        about = (row["people"], row["source_ids"])
        refused = "" if row["said"] == "estimated" else row["said"]
        fitted, printed = (row["median"], row["lower"], row["upper"]), (np.nan, row["raw_low"], row["raw_high"])
        lines.append(
            line(f"median_{row['iso3']}", row["country"], "shrunken median term", *fitted, "months", *about, refused)
        )
        told = (f"printed_{row['iso3']}", row["country"], "possible median of the printed bounds")
        lines.append(line(*told, *printed, "months", *about))
        for end, word in (("max", "maximum"), ("min", "minimum")):
            legal = row[f"{end}_months"]
            if legal > 0:
                ratio = [months / legal for months in (printed if refused else fitted)]
                label = f"{'possible ' if refused else ''}median divided by the {word} of the law"
                lines.append(line(f"ratio_to_{word}_{row['iso3']}", row["country"], label, *ratio, "ratio", *about))
    kept = [
        told for told in lines if told["refused"] or not np.isnan([told[c] for c in ("value", "low", "high")]).all()
    ]
    return pd.DataFrame(kept, columns=estimands.REPORTED)


_NOTHING_TOLD = (np.nan, np.nan, np.nan)
# What stands behind the value of a count: no bounds, and its unit.
_COUNT = (np.nan, np.nan, "number")


def to_law(countries: pd.DataFrame, end: str) -> pd.DataFrame:
    """`by_country` with its medians and printed bounds divided by the law's `max` or `min`; only where it is told."""
    legal = countries[f"{end}_months"].astype("float64")
    legal = legal.where(legal > 0)
    lengths = ("median", "lower", "upper", "raw_low", "raw_high", "raw_average")
    divided = {c: countries[c].astype("float64") / legal for c in lengths}
    return countries.assign(**divided)[legal.notna()].reset_index(drop=True)


def spreads(fitted: Fit, bare: Fit, rows: pd.DataFrame) -> pd.DataFrame:
    """`spread` of the model with covariates and of that without; REPORTED."""
    parts = [spread(fitted, "model", "with covariates", rows), spread(bare, "bare", "without", rows)]
    return estimands.reported_together(parts)


def spread(fitted: Fit, prefix: str, group: str, rows: pd.DataFrame) -> pd.DataFrame:
    """How far countries differ, and people within a country; REPORTED.

    Parameters
    ----------
    fitted : Fit
    prefix, group : str
        Of the names of the values; what the model has.
    rows : pandas.DataFrame
        The rows the model was given.
    """
    sources = join_ids(rows["source_id"])
    if fitted.results is None:
        n = evidence.n_people(rows)
        told = (f"{prefix}_tau", group, "spread between countries (tau, of the logarithm)", *_NOTHING_TOLD, "number")
        return pd.DataFrame([line(*told, n, sources, fitted.gave_up[-1][1])], columns=estimands.REPORTED)
    results, about = fitted.results, (fitted.results.nobs, sources)
    ends = np.exp(results.conf_int().loc["log_sd_group"].to_numpy(dtype=float))
    within = float(np.exp(results.params["log_scale:const"]))
    p_value = results.lr_test_group().p_value
    lines = [
        ("tau", "spread between countries (tau, of the logarithm)", results.tau, *ends, "number"),
        ("factor", "factor between a typical country and one a spread above", *factor(results), "ratio"),
        ("sigma", "spread within a country (sigma, of the logarithm)", within, *_COUNT),
        ("p", "p of no difference between countries", p_value, np.nan, np.nan, "p"),
    ]
    return pd.DataFrame(
        [line(f"{prefix}_{name}", group, *told, *about) for name, *told in lines], columns=estimands.REPORTED
    )


def factor(results) -> tuple[float, float, float]:
    """How many times as long sentences are in a country one spread above the common level, with a 95 % interval."""
    ends = results.conf_int().loc["log_sd_group"].to_numpy(dtype=float)
    return (float(np.exp(results.tau)), *np.exp(np.exp(ends)).tolist())


def effects(fitted: Fit) -> pd.DataFrame:
    """How median terms of countries differ with each covariate, as ratios with 95 % intervals; REPORTED.

    One for each covariate of the model: the median where it holds divided by that where it does not; for the rule of
    law, by that of a country one unit lower; for the maximum, by that of a country with half the maximum. Differences
    between countries that are alike in the other covariates, no effects of anything.
    """
    if fitted.results is None:
        return pd.DataFrame(columns=estimands.REPORTED)
    results, design_names = fitted.results, design(fitted.rows, fitted.covariates).columns[1:]
    ends = results.conf_int()
    base = fitted.rows["tier"].value_counts().sort_index(kind="stable").idxmax()
    words = {TIERS[t]: f"{TIERS[t]}, against {TIERS[base]}" for t in TIERS}
    words |= {label: f"{label}, against exploitation not told" for label in EXPLOITATIONS.values()}
    words |= {"rule of law": "rule of law, one unit higher", "log of the maximum": "maximum of the law twice as long"}
    lines = []
    for column in design_names:
        step = np.log(2.0) if column == "log of the maximum" else 1.0
        numbers = np.exp(step * np.array([results.params[column], *ends.loc[column]], dtype=float))
        told = words.get(column, column)
        name = "effect_" + "_".join("".join(c if c.isalnum() else " " for c in column.lower()).split())
        lines.append(
            line(name, "ratio of medians", told, *numbers, "ratio", results.nobs, join_ids(fitted.rows["source_id"]))
        )
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def fit_told(fitted: Fit, rows: pd.DataFrame) -> str:
    """Which covariates the model has, what was refused, and what was missing, in words."""
    sentences_ = [f"With {names}: refused, because {reason}." for names, reason in fitted.gave_up]
    if fitted.results is None:
        return " ".join(["No model of countries can be fitted.", *sentences_])
    tiers = rows["tier"].eq("unknown")
    entered = rows[~tiers] if "tier" in fitted.covariates else rows
    lost = sorted(set(entered["iso3"]) - set(fitted.rows["iso3"]))
    told = [
        f"The model has {', '.join(fitted.covariates) or NOTHING}.",
        *sentences_,
        _missing_told("An earlier tier", rows[tiers], "left out" if "tier" in fitted.covariates else "not needed"),
        _missing_told("The rule of law", rows[rows["rule_of_law"].isna()], "a category of its own"),
        _missing_told("The maximum of the law", rows[rows["max_months"].isna()], "a category of its own"),
    ]
    if lost:
        told.append(f"Not in the model, since nothing in their rows can enter it: {_names(lost)}.")
    return " ".join(told)


def _missing_told(what: str, rows: pd.DataFrame, then: str) -> str:
    if not len(rows):
        return f"{what} is known for all rows."
    return f"{what} is not known for {_counted(len(rows), 'row')}, of {_names(rows['iso3'])}; {then}."


def _counted(n: float, one: str, several: str = "") -> str:
    return f"{n:g} {one if n == 1 else several or one + 's'}"


def _names(iso3s) -> str:
    return ", ".join(sorted({schemas.country_name(iso3) for iso3 in iso3s}))


def tier_reports(rows: pd.DataFrame) -> pd.DataFrame:
    """From which report the tier of the rows is: `tier_report` (text), `rows`, `countries`."""
    told = rows.assign(tier_report=rows["tier_report"].astype("str").where(rows["tier_report"].notna(), "none"))
    counted = told.groupby("tier_report").agg(rows=("iso3", "size"), countries=("iso3", "nunique"))
    return counted.reset_index()


# --- Who publishes ----------------------------------------------------------------------------------------------------

REPORTING = {
    "sentences": "describes sentences",
    "convictions": "reports convictions, describes no sentence",
    "none": "reports that nobody was convicted",
    "silent": "gives no number of convictions",
}


def reporting(
    coverage: pd.DataFrame,
    rows: pd.DataFrame,
    tiers: pd.DataFrame,
    controls: pd.DataFrame,
    years: range,
    at_most_years: int,
) -> pd.DataFrame:
    """What each country whose narrative was read reports of a span of years.

    Parameters
    ----------
    coverage : pandas.DataFrame
        `processed/coverage.csv`.
    rows : pandas.DataFrame
        As of `select`; publicised cases do not count.
    tiers, controls : pandas.DataFrame
        See `describe_countries`; those of the last year are taken.
    years : range
    at_most_years : int
        See `earlier_tiers`.

    Returns
    -------
    pandas.DataFrame
        `iso3`, `reports` (a key of REPORTING), `tier`, `rule_of_law`. Countries not covered are not in it, unless
        their sentences are known from elsewhere.
    """
    own = coverage[(coverage["stage"] == "conviction") & coverage["reference_year"].isin(list(years))]
    status = own.groupby("iso3")["status"].agg(set)
    tier = earlier_tiers(tiers, years[-1], at_most_years)
    ruled = controls[controls["year"] == years[-1]].set_index("iso3")["rule_of_law"]
    described = set(rows.loc[rows["source_kind"].ne("publicised"), "iso3"])
    found = []
    for iso3 in sorted({*status.index, *described}):
        stated = status.get(iso3, set())
        kinds = {
            "sentences": iso3 in described,
            "convictions": "reported" in stated,
            "none": "reported_as_none" in stated,
            "silent": "not_reported" in stated,
        }
        if any(kinds.values()):
            reports = next(kind for kind, holds in kinds.items() if holds)
            found.append([iso3, reports, tier["tier"].get(iso3, "unknown"), ruled.get(iso3, np.nan)])
    return pd.DataFrame(found, columns=["iso3", "reports", "tier", "rule_of_law"])


def reporters(found: pd.DataFrame, sources: str) -> pd.DataFrame:
    """`reporting` counted: countries, those of each tier, and the rule of law (median and quartiles); REPORTED."""
    lines = []
    for kind, label in REPORTING.items():
        own = found[found["reports"] == kind]
        told = (len(own), sources)
        lines.append(line(f"coverage_{kind}", label, "countries", len(own), *_COUNT, *told))
        for tier, name in TIERS.items():
            count = int(own["tier"].eq(tier).sum())
            lines.append(line(f"coverage_{kind}_tier_{tier.lower()}", label, name, count, *_COUNT, *told))
        ruled = own["rule_of_law"].dropna()
        quartiles = ruled.quantile([0.5, 0.25, 0.75]).tolist() if len(ruled) else [np.nan] * 3
        told = (f"coverage_{kind}_rule_of_law", label, "rule of law, median (quartiles)", *quartiles, "number")
        lines.append(line(*told, len(ruled), sources, "" if len(ruled) else "no country"))
    return pd.DataFrame(lines, columns=estimands.REPORTED)


# --- Two publishers ---------------------------------------------------------------------------------------------------

PAIRS = ["iso3", "year", "edition", "tip_low", "tip_high", "unodc_low", "unodc_high", "agree", "source_ids"]


def tip_and_unodc(justice: pd.DataFrame) -> pd.DataFrame:
    """Convictions of every country and year that the TIP Report and UNODC both count.

    Returns
    -------
    pandas.DataFrame
        PAIRS. `agree`: "yes", "no", or "cannot be told" where UNODC withholds a small count, or the TIP Report gives a
        minimum, and the two may be equal. `tip_high` is NaN where open.
    """
    convictions = justice[(justice["stage"] == "conviction") & justice["series"].isin(["tip", "unodc"])]
    both = convictions.groupby("iso3")["series"].nunique()
    totals, parts = stages.justice_totals(convictions), []
    for iso3 in both.index[both == 2]:
        yearly = totals[totals["iso3"] == iso3]
        tip, unodc = (yearly[yearly["body"] == body].set_index("year") for body in ("tip", "unodc"))
        for year in sorted(set(tip.index) & set(unodc.index)):
            told = {"iso3": iso3, "year": int(year), "edition": tip.at[year, "edition"]}
            told |= {f"tip_{end}": tip.at[year, f"value_{end}"] for end in ("low", "high")}
            told |= {f"unodc_{end}": unodc.at[year, f"value_{end}"] for end in ("low", "high")}
            parts.append(told | {"source_ids": join_ids([tip.at[year, "source_ids"], unodc.at[year, "source_ids"]])})
    table = pd.DataFrame(parts, columns=PAIRS)
    ends = ["tip_low", "tip_high", "unodc_low", "unodc_high"]
    table[ends] = table[ends].astype("Float64").astype("float64")
    table = table[table["tip_low"].notna() & table["unodc_low"].notna()].reset_index(drop=True)
    table["agree"] = [stages.agree(*numbers) for numbers in table[ends].itertuples(index=False)]
    return table


def agreement(justice: pd.DataFrame, edition: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`tip_and_unodc` of all editions, and how many of its pairs agree under several readings; the latter REPORTED.

    A year that several editions of the TIP Report give is told by the last, so that the readings overlap but are not
    parts of each other.
    """
    others = justice["series"].ne("tip")
    one = others | justice["edition"].eq(edition).fillna(False)
    calendar = others | justice["period_kind"].eq("calendar_year")
    everything = tip_and_unodc(justice)
    readings = {
        "all": ("all editions", everything),
        "edition": (f"edition {edition}", tip_and_unodc(justice[one])),
        "edition_calendar": (f"edition {edition}, calendar years", tip_and_unodc(justice[one & calendar])),
    }
    answers = {"equal": "yes", "may be equal": "cannot be told", "differ": "no"}
    lines = []
    for name, (group, pairs) in readings.items():
        n, sources, agree = len(pairs), join_ids(pairs["source_ids"]), pairs["agree"]
        certain = agree[agree.ne("cannot be told")]
        told = {"pairs": ("country-years with both", n, *_COUNT, n)}
        for key, (words, answer) in zip(("equal", "open", "differ"), answers.items(), strict=True):
            told[key] = (words, int(agree.eq(answer).sum()), *_COUNT, n)
        if n:
            ends = (agree.eq("yes").mean(), agree.ne("no").mean())
            told["share"] = ("share that agrees, smallest and largest", np.nan, *ends, "share", n)
        if len(certain):
            share = certain.eq("yes").mean()
            told["share_told"] = (
                "share that agrees, where it can be told",
                share,
                np.nan,
                np.nan,
                "share",
                len(certain),
            )
        lines += [line(f"tip_unodc_{name}_{key}", group, *rest, sources) for key, rest in told.items()]
    return everything, pd.DataFrame(lines, columns=estimands.REPORTED)


# --- Prison or not ----------------------------------------------------------------------------------------------------


def custody_counts(table: pd.DataFrame, first_year: int, last_year: int, *, whole: bool = False) -> pd.DataFrame:
    """What became of the convicted in each country with usable figures, for `models.Custody`.

    Offences that are only related to trafficking are left out.

    Parameters
    ----------
    table : pandas.DataFrame
        `processed/custody.csv`.
    whole : bool
        Keep only figures that tell of everybody convicted whether it was prison. In the others what is told may have
        been chosen: where only suspended terms are told, say, the rest looks like them to a model.

    Returns
    -------
    pandas.DataFrame
        Index: country. `prison`, `suspended`, `other`: people known to be there; `remainder`: people who are none of
        these for certain; `not_prison`: whether the remainder is known to be outside prison; `n_convicted`;
        `source_ids`. Someone of whom nothing is told may be in prison: unknown is not "not prison".
    """
    own = table[table["used"].eq(1) & table["law"].isin(LAWS) & table["reference_year"].between(first_year, last_year)]
    known = own[["n_prison", "n_suspended"]].astype("float64").set_axis(["prison", "suspended"], axis=1)
    known["other"] = own[["n_fine_only", "n_other_noncustodial"]].astype("float64").sum(axis=1)
    rest = own["n_convicted"].astype("float64") - known.fillna(0.0).sum(axis=1)
    if (rest < 0).any():
        raise ValueError(f"more people are told than were convicted in {_names(own.loc[rest < 0, 'iso3'])}")
    outside = own["n_unknown"].fillna(0).eq(0) & own["n_prison"].notna()
    if whole:
        own, known, rest, outside = (part[outside] for part in (own, known, rest, outside))
    counted = known.fillna(0.0).assign(remainder=rest, not_prison=outside | rest.eq(0), iso3=own["iso3"])
    counted = counted.assign(n_convicted=own["n_convicted"].astype("float64"), source_ids=own["source_id"])
    numbers = {c: "sum" for c in (*CUSTODY_CATEGORIES, "remainder", "n_convicted")}
    return counted.groupby("iso3").agg(numbers | {"not_prison": "all", "source_ids": join_ids})


def custody_bounds(counts: pd.DataFrame) -> pd.DataFrame:
    """Smallest and largest share of the convicted in prison, without a model, for each country.

    Parameters
    ----------
    counts : pandas.DataFrame
        As of `custody_counts`.

    Returns
    -------
    pandas.DataFrame
        `iso3`, `country`, `n_convicted`, `prison_low`, `prison_high`, `source_ids`.
    """
    outside = counts["suspended"] + counts["other"] + counts["remainder"].where(counts["not_prison"], 0.0)
    table = counts.assign(
        prison_low=counts["prison"] / counts["n_convicted"], prison_high=1.0 - outside / counts["n_convicted"]
    ).reset_index()
    table["country"] = table["iso3"].map(schemas.country_name)
    return table[["iso3", "country", "n_convicted", "prison_low", "prison_high", "source_ids"]]


def custody_totals(bounds: pd.DataFrame) -> pd.DataFrame:
    """`custody_bounds` of all people together; REPORTED."""
    n, sources = bounds["n_convicted"].sum(), join_ids(bounds["source_ids"])
    told = ("all people together", _counted(len(bounds), "country", "countries"))
    ends = [(bounds[end] * bounds["n_convicted"]).sum() / n if n else np.nan for end in ("prison_low", "prison_high")]
    refused = "" if n else "no usable figures for these years"
    lines = [
        line("custody_countries", told[0], "countries", len(bounds), *_COUNT, n, sources),
        line("custody_bounds", told[0], "possible share in prison", np.nan, *ends, "share", n, sources, refused),
    ]
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def custody(
    counts: pd.DataFrame, prefix: str, group: str, least_information: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares of the convicted in prison, with a suspended term, or else: on average over countries, and in each.

    Parameters
    ----------
    counts : pandas.DataFrame
        As of `custody_counts`.
    prefix, group : str
        Of the names of the values; which countries these are.
    least_information : float
        No shrunken share is given to a country whose own people carry less of the weight.

    Returns
    -------
    reported : pandas.DataFrame
        REPORTED: mean shares over countries with profile intervals, and how alike two people of one country are
        (intraclass correlation); or the reason why there is no model.
    countries : pandas.DataFrame
        Index: country. `prison` (shrunken, NaN where refused) and `own_information`.
    """
    n, sources = counts["n_convicted"].sum(), join_ids(counts["source_ids"])
    shrunken = pd.DataFrame({"prison": np.nan, "own_information": np.nan}, index=counts.index)
    among = np.ones((len(counts), len(CUSTODY_CATEGORIES)), dtype=bool)
    among[:, 0] = ~counts["not_prison"].to_numpy(dtype=bool)
    try:
        model = Custody(counts[list(CUSTODY_CATEGORIES)], counts["remainder"], among, categories=CUSTODY_CATEGORIES)
        results = model.fit("dirichlet-multinomial")
        shares, alike = results.probabilities(), results.overdispersion().loc["intraclass_correlation"]
    except (NotEstimable, NotConverged) as refusal:
        told = (f"{prefix}_prison", group, "share: prison")
        refused = line(*told, *_NOTHING_TOLD, "share", n, sources, refusal.reason)
        return pd.DataFrame([refused], columns=estimands.REPORTED), shrunken
    lines = [
        line(f"{prefix}_{category}", group, f"share: {category}", *row, "share", results.nobs, sources)
        for category, row in shares.iterrows()
    ]
    told = (f"{prefix}_alike", group, "correlation of two people of one country")
    lines.append(line(*told, *alike, "number", results.nobs, sources))
    found = results.shrunken()[["prison", "own_information"]].reindex(counts.index)
    found["prison"] = found["prison"].where(found["own_information"] >= least_information)
    return pd.DataFrame(lines, columns=estimands.REPORTED), found


def custody_report(
    table: pd.DataFrame, first_year: int, last_year: int, least_information: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prison or not, without a model and with it: from figures that tell of everybody, and from all.

    Returns
    -------
    reported : pandas.DataFrame
        REPORTED: `custody_totals`, and `custody` of either set of figures.
    countries : pandas.DataFrame
        `custody_bounds`, with the shrunken share `prison` and its `own_information` from figures on everybody.
    """
    every, whole = (custody_counts(table, first_year, last_year, whole=only) for only in (False, True))
    countries = custody_bounds(every)
    told, shrunken = custody(whole, "custody_whole", "figures on everybody", least_information)
    also, _ = custody(every, "custody_all", "all figures", least_information)
    reported = estimands.reported_together([custody_totals(countries), told, also])
    return reported, countries.merge(shrunken, left_on="iso3", right_index=True, how="left")


# --- Press beside official figures ------------------------------------------------------------------------------------

PRESS_COLUMNS = [
    "iso3",
    "country",
    "press_people",
    "press_low",
    "press_high",
    "other_people",
    "other_low",
    "other_high",
    "compared",
    "source_ids",
]


def press_beside_official(rows: pd.DataFrame, life_cap_months: float) -> pd.DataFrame:
    """Possible medians of publicised cases and of all other evidence, for each country with publicised cases.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `select`, with publicised cases.

    Returns
    -------
    pandas.DataFrame
        PRESS_COLUMNS, months; `compared` is "longer" or "shorter" where the possible medians do not overlap, else
        "cannot be told", or "nothing to compare with".
    """
    found = []
    for iso3, own in rows.groupby("iso3", sort=True):
        press, others = (own[own["source_kind"].eq("publicised") == is_press] for is_press in (True, False))
        if not len(press):
            continue
        (low, high), (other_low, other_high) = (median_bounds(part, life_cap_months) for part in (press, others))
        compared = "longer" if low > other_high else "shorter" if high < other_low else "cannot be told"
        n = [evidence.n_people(part) for part in (press, others)]
        found.append(
            [
                iso3,
                schemas.country_name(iso3),
                n[0],
                low,
                high,
                n[1],
                other_low,
                other_high,
                compared if n[1] else "nothing to compare with",
                join_ids(own["source_id"]),
            ]
        )
    return pd.DataFrame(found, columns=PRESS_COLUMNS)


def press_compared(found: pd.DataFrame) -> pd.DataFrame:
    """In how many countries the press tells longer or shorter terms than the other evidence; REPORTED."""
    sources = join_ids(found["source_ids"])
    answers = {
        "longer": "press longer",
        "shorter": "press shorter",
        "cannot be told": "cannot be told",
        "nothing to compare with": "nothing to compare with",
    }
    lines = []
    for answer, label in answers.items():
        told = (f"press_{answer.split()[0]}", "countries with publicised cases", label)
        lines.append(line(*told, int(found["compared"].eq(answer).sum()), *_COUNT, len(found), sources))
    return pd.DataFrame(lines, columns=estimands.REPORTED)


# --- In words ---------------------------------------------------------------------------------------------------------


def position_told(countries: pd.DataFrame, country: str) -> str:
    """Where the marked country and its neighbours stand, in words."""
    name = schemas.country_name(country)
    own = countries[countries["iso3"] == country]
    if not len(own):
        told = (
            f"Nothing usable on sentences in {name} is published here for these years, so it has no place among others."
        )
    else:
        row = own.iloc[0]
        printed = span_told(row["raw_low"], row["raw_high"])
        told = f"{name}: {_counted(row['people'], 'person', 'people')}; the printed bounds alone say: {printed}. "
        if np.isnan(row["median"]):
            told += f"No shrunken median is given: {row['said']}."
        else:
            others, below, above = _standing(countries, row)
            told += (
                f"Its shrunken median is {_with_interval(row, '{:.0f}')} months, and "
                f"{100 * row['own_information']:.0f} % of what is known of its level comes from its own evidence. "
                f"Of the intervals of {others} other countries with a median, {below} lie wholly below and "
                f"{above} wholly above its own; the others cannot be told apart from it."
            )
    near = [iso3 for iso3 in marked(country)[1:]]
    there = countries.set_index("iso3")
    some = [f"{schemas.country_name(i)} {_median_told(there.loc[i])}" for i in near if i in there.index]
    missing = [i for i in near if i not in there.index]
    told += f"\n\nNeighbours: {'; '.join(some)}." if some else ""
    return told + (f" Nothing usable is published here on {_names(missing)}." if missing else "")


def _median_told(row: pd.Series) -> str:
    if np.isnan(row["median"]):
        return row["said"]
    span = f"{row['lower']:.0f} to {row['upper']:.0f}"
    return f"{row['median']:.0f} ({span}) months, {_counted(row['people'], 'person', 'people')}"


def position(countries: pd.DataFrame, country: str) -> pd.DataFrame:
    """The numbers of `position_told` that are not those of a country's median; REPORTED, empty without a median."""
    own = countries[(countries["iso3"] == country) & countries["median"].notna()]
    if not len(own):
        return pd.DataFrame(columns=estimands.REPORTED)
    row = own.iloc[0]
    others, below, above = _standing(countries, row)
    name, about = row["country"], (row["people"], row["source_ids"])
    counts = {
        "others": ("other countries with a median", others),
        "below": ("countries whose interval lies wholly below", below),
        "above": ("countries whose interval lies wholly above", above),
    }
    lines = [line(f"position_{key}", name, label, n, *_COUNT, *about) for key, (label, n) in counts.items()]
    told = ("position_own_information", name, "share of the information that is its own", row["own_information"])
    lines.append(line(*told, np.nan, np.nan, "share", *about))
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def _standing(countries: pd.DataFrame, row: pd.Series) -> tuple[int, int, int]:
    """Other countries with a median, and those whose whole interval lies below, or above, that of a country."""
    fitted = countries.dropna(subset=["median"])
    below, above = fitted["upper"] < row["lower"], fitted["lower"] > row["upper"]
    return len(fitted) - 1, int(below.sum()), int(above.sum())


def against_printed(countries: pd.DataFrame) -> pd.DataFrame:
    """In how many countries the fit contradicts what is printed; REPORTED.

    Only countries with a median and some printed bound of it are looked at. A fitted median outside the bounds can be
    shrinkage, or because the median of a few people need not be that of the curve; an interval wholly outside says
    that the common spread does not fit that country.
    """
    own = countries[countries["median"].notna() & countries[["raw_low", "raw_high"]].notna().any(axis=1)]
    counts = {
        "compared": ("countries with a median and printed bounds of it", len(own)),
        "median_outside": ("fitted median outside the printed bounds", int(_outside(own, "median", "median").sum())),
        "interval_outside": ("whole interval outside them", int(_outside(own, "lower", "upper").sum())),
    }
    sources = join_ids(own["source_ids"])
    lines = [
        line(f"check_{key}", "countries", label, number, *_COUNT, own["people"].sum(), sources)
        for key, (label, number) in counts.items()
    ]
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def _outside(countries: pd.DataFrame, lower: str, upper: str) -> pd.Series:
    """Whether all from `lower` to `upper` is below or above the printed bounds."""
    raw_low, raw_high = (countries[c].astype("float64") for c in ("raw_low", "raw_high"))
    return (countries[upper] < raw_low) | (countries[lower] > raw_high)


def against_printed_told(countries: pd.DataFrame, checked: pd.DataFrame) -> str:
    """`against_printed` in words, with the countries whose whole interval is outside."""
    compared, median, interval = checked["value"].astype("int64")
    if not compared:
        return "There is no fitted median to check against printed bounds."
    wrong = _names(countries.loc[_outside(countries, "lower", "upper") & countries["median"].notna(), "iso3"])
    told = (
        f"Of {_counted(compared, 'country', 'countries')} with a fitted median and printed bounds of it, the fitted "
        f"median lies outside the bounds in {median}, and even its whole interval in {interval}"
    )
    return f"{told} ({wrong})." if interval else f"{told}."


def custody_told(countries: pd.DataFrame, table: pd.DataFrame, country: str) -> str:
    """How to read the table of prison or not, and what is known of the marked country, in words."""
    own, name = countries[countries["iso3"] == country], schemas.country_name(country)
    read = "Percent. Shrunken: from figures on everybody only, which may be of one year."
    if len(own):
        row = own.iloc[0]
        span = sorted({f"{100 * row['prison_low']:.0f}", f"{100 * row['prison_high']:.0f}"}, key=float)
        return f"{read} {name}: of {row['n_convicted']:.0f} convicted people {' to '.join(span)} % went to prison."
    reasons = "; ".join(sorted(set(table.loc[table["iso3"] == country, "why_not"].dropna())))
    why = reasons or "nothing is published on it here"
    return f"{read} {name} has no usable figure for these years ({why}): none is estimated."


# --- For pages --------------------------------------------------------------------------------------------------------


def _span_text(low: float, high: float, form: str = "{:g}") -> str:
    low_text, high_text = ("…" if np.isnan(end) else form.format(end) for end in (low, high))
    return low_text if low_text == high_text else f"{low_text} to {high_text}"


def _average_text(row: dict) -> str:
    return "" if np.isnan(row["raw_average"]) else f" (average {row['raw_average']:.0f})"


def _with_interval(row: dict, form: str, otherwise: str = "–") -> str:
    if np.isnan(row["median"]):
        return otherwise
    return f"{form.format(row['median'])} ({form.format(row['lower'])} to {form.format(row['upper'])})"


def shown_countries(countries: pd.DataFrame) -> pd.DataFrame:
    """`by_country` for a page; months, "…" is an open end."""
    rows = []
    for row, ratio in zip(countries.to_dict("records"), _ratio_texts(countries), strict=True):
        law_text = _span_text(row["min_months"], row["max_months"]) + " (life)" * bool(row["for_life"])
        rows.append(
            {
                "country": row["country"] + {"country": " ◆", "neighbour": " ■"}.get(row["mark"], ""),
                "earlier_tier": TIERS[row["tier"]],
                "people": row["people"],
                "printed_bounds_of_the_median": _span_text(row["raw_low"], row["raw_high"]) + _average_text(row),
                "fitted_median_or_what_is_known": _with_interval(row, "{:.0f}", row["said"]),
                "own_share": "–" if np.isnan(row["own_information"]) else f"{100 * row['own_information']:.0f} %",
                "law_minimum_to_maximum": law_text,
                "ratio_to_the_maximum": ratio,
            }
        )
    return pd.DataFrame(rows)


def _ratio_texts(countries: pd.DataFrame) -> list[str]:
    ratios = to_law(countries, "max").set_index("iso3")
    texts = []
    for iso3 in countries["iso3"]:
        if iso3 not in ratios.index:
            texts.append("–")
            continue
        row = ratios.loc[iso3]
        fitted = _with_interval(row, "{:.2f}")
        bounds = _span_text(row["raw_low"], row["raw_high"], "{:.2f}")
        texts.append(fitted if fitted != "–" else f"bounds {bounds}" if bounds != "…" else "–")
    return texts


CUSTODY_VALUES = {
    "name": "prison_{iso3}",
    "unit": "share",
    "label": "{country}: possible share of the convicted in prison",
    "low": "prison_low",
    "high": "prison_high",
    "n": "n_convicted",
    "sources": "source_ids",
}


def shown_custody(countries: pd.DataFrame) -> pd.DataFrame:
    """The countries of `custody_report` for a page; percent."""
    ends = zip(100 * countries["prison_low"], 100 * countries["prison_high"], strict=True)
    return pd.DataFrame(
        {
            "country": countries["country"],
            "convicted": countries["n_convicted"].astype("int64"),
            "in_prison": [_span_text(low, high, "{:.0f}") for low, high in ends],
            "shrunken": ["–" if np.isnan(p) else f"{100 * p:.0f}" for p in countries["prison"]],
            "own_share": ["–" if np.isnan(p) else f"{100 * p:.0f} %" for p in countries["own_information"]],
        }
    )


def shown_press(found: pd.DataFrame) -> pd.DataFrame:
    """`press_beside_official` for a page; months."""
    table = found[["country", "press_people"]].copy()
    table["press_median"] = [_span_text(low, high) for low, high in found[["press_low", "press_high"]].to_numpy(float)]
    table["people_elsewhere"] = found["other_people"]
    table["median_elsewhere"] = [
        _span_text(low, high) for low, high in found[["other_low", "other_high"]].to_numpy(float)
    ]
    return table.assign(press_is=found["compared"])


def context_sources(rows: pd.DataFrame, *tables_: pd.DataFrame) -> str:
    """Sources of rows, and of the rows of other tables on the same countries and years."""
    years = {int(year) for year in rows["year_high"].dropna()}
    named = [rows["source_id"]]
    for table in tables_:
        year = "report_year" if "report_year" in table else "year"
        named.append(table.loc[table["iso3"].isin(set(rows["iso3"])) & table[year].isin(years), "source_id"])
    return join_ids(pd.concat(named).unique())


def shown_reporters(reported: pd.DataFrame) -> pd.DataFrame:
    """`reporters` for a page: one column for each of REPORTING."""
    texts = []
    for row in reported.to_dict("records"):
        value = (
            "–"
            if np.isnan(row["value"])
            else f"{row['value']:.2f}"
            if row["low"] == row["low"]
            else f"{row['value']:.0f}"
        )
        texts.append(value + ("" if np.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"))
    wide = reported.assign(told=texts).pivot_table(
        index="quantity", columns="group", values="told", aggfunc="first", sort=False
    )
    return wide.reset_index().rename_axis(columns=None)


def evidence_counts(rows: pd.DataFrame, fitted: Fit) -> pd.DataFrame:
    """Rows, countries and people that there are, and that the model has; REPORTED."""
    sources = join_ids(rows["source_id"])
    people = evidence.n_people(rows)
    entered = fitted.rows
    in_model = 0 if fitted.results is None else fitted.results.nobs
    missing = {
        "tier": rows["tier"].eq("unknown"),
        "rule_of_law": rows["rule_of_law"].isna(),
        "maximum": rows["max_months"].isna(),
    }
    counts = {
        "rows": ("usable rows", len(rows)),
        "countries": ("countries with usable rows", rows["iso3"].nunique()),
        "people": ("people in usable rows, smallest bases", people),
        "model_countries": ("countries in the model", entered["iso3"].nunique() if fitted.results is not None else 0),
        "model_people": ("people in the model", in_model),
    } | {
        f"rows_without_{key}": (f"rows without {key.replace('_', ' ')}", int(lacks.sum()))
        for key, lacks in missing.items()
    }
    lines = [
        line(f"evidence_{key}", "all countries", label, number, *_COUNT, people, sources)
        for key, (label, number) in counts.items()
    ]
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def press_told(reported: pd.DataFrame) -> str:
    """`press_compared` in a sentence."""
    longer, shorter, open_, nothing = reported["value"].astype("int64")
    total = longer + shorter + open_ + nothing
    return (
        f"Months. Of {_counted(total, 'country', 'countries')} with publicised cases the press tells longer terms in "
        f"{longer} and shorter ones in {shorter}; in {open_} the bounds overlap, and in {nothing} there is nothing to "
        "compare with."
    )
