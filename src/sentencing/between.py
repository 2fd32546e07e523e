"""A design of the comparison of countries: one spread between them, and what goes with their tiers and laws.

It offers what `designs` asks of a study. Intervals are those that the page of the comparison prints: Wald intervals of
parameters, and for one country that of its own level alone. There is no bootstrap: drawing countries with replacement
makes copies of one country count as countries that are alike, which is another spread than the one estimated, and two
hundred fits of each design would take a day.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from . import compare, estimands, evidence, sentences, within
from .models import NotEstimable
from .models.families import FAMILIES
from .models.groups import RANGE_RULES

TIER_RATIOS = {"tier_1_ratio": "1", "watch_list_ratio": "2WL", "tier_3_ratio": "3"}  # each against Tier 2
OF_COUNTRY = ("country_median", "country_own_share", "country_ratio", "share_below")
ESTIMANDS = ("factor", "common_median", *TIER_RATIOS, "rule_of_law_ratio", *OF_COUNTRY)
UNITS = dict.fromkeys(ESTIMANDS, "ratio") | {"common_median": "months", "country_median": "months"}
UNITS |= {"country_own_share": "share", "share_below": "share"}
COVARIATE_SETS = {"all": compare.COVARIATES, "none": ()} | {
    f"without_{left.replace(' ', '_')}": tuple(c for c in compare.COVARIATES if c != left)
    for left in compare.COVARIATES
}
# What may be chosen. A number may be any from the least on.
OPTIONS: dict[str, tuple[str, ...] | float] = {
    "range_rule": RANGE_RULES,
    "grid_months": 0.0,
    "family": tuple(FAMILIES),
    "covariates": tuple(COVARIATE_SETS),
    "publicised_cases": ("out", "in"),
    "averages": ("in", "out"),
    "aggregate_sentences": estimands.AGGREGATE_RULES,
    "related_offences": ("out", "in"),
    "years": ("all", "last_only"),
    "tier_at_most_years": 1.0,
    "scale": ("by_kind", "common"),
    "base_rule": tuple(rule for rule in sentences.BASE_RULES if rule != "marginal"),
    "life_cap_months": 1.0,
    "coder": (evidence.ADJUDICATED, *evidence.CODERS),
}
APART = ""
_SELECTION_RULES = ("coder", "years", "publicised_cases", "averages", "aggregate_sentences", "related_offences")
_FACT_RULES = ("tier_at_most_years", "life_cap_months")
_EXPANSION_RULES = ("range_rule", "base_rule")
_NO_INTERVAL = "no interval is defined for it"
# Covariates are rounded so, that the order in which their mean was taken does not show.
_DECIMALS = 12

Combination = dict[str, str | float]  # an option for each choice


class Study(NamedTuple):
    """Of which country among which evidence."""

    country: str  # the one that is marked
    first_year: int
    last_year: int
    least_information: float  # no median for a country whose own evidence carries less
    evidence: str
    evidence_by_coder: str
    tiers: str
    statutes: str
    controls: str  # a raw table
    corrections: str


class Tables(NamedTuple):
    """What the comparison is made from; `evidence` as of `evidence.with_coders`, the others as of `compare`."""

    evidence: pd.DataFrame
    tiers: pd.DataFrame
    controls: pd.DataFrame
    statutes: pd.DataFrame

    def without(self, iso3: str) -> "Tables":
        """The same without the sentences of one country."""
        return self._replace(evidence=self.evidence[self.evidence["iso3"] != iso3])


# --- Rows and model of a combination --------------------------------------------------------------------------------


class Rows(NamedTuple):
    """What enters the likelihood of a design, in an order that depends on nothing but itself; or why nothing does."""

    entered: compare.Entered | None
    refused: str
    covariates: tuple[str, ...]

    @property
    def people(self) -> float:
        """People in the model."""
        return 0.0 if self.entered is None else float(self.entered.bounds["weights"].sum())

    @property
    def clusters(self) -> int:
        """Countries in the model."""
        return 0 if self.entered is None else self.entered.rows["iso3"].nunique()

    @property
    def estimands(self) -> tuple[str, ...]:
        """What is read of the design: nothing of a covariate that it does not have."""
        of = dict.fromkeys(TIER_RATIOS, "tier") | {"rule_of_law_ratio": "rule of law"}
        return tuple(name for name in ESTIMANDS if name not in of or of[name] in self.covariates)

    def table(self) -> pd.DataFrame:
        """Country, bounds and covariates in one table."""
        own = self.entered
        parts = [own.rows["iso3"], own.bounds, own.exog.add_prefix("x "), own.exog_scale.add_prefix("z ")]
        return pd.concat(parts, axis=1)


def rows_of(tables: Tables, study: Study, combination: Combination) -> Rows:
    """The rows of the likelihood that a combination leads to."""
    return Prepared(tables, study).rows(combination)


def _selected(tables: Tables, study: Study, combination: Combination) -> pd.DataFrame:
    own = evidence.of_coder(tables.evidence, combination["coder"])
    first_year = study.last_year if combination["years"] == "last_only" else study.first_year
    rows = compare.select(
        own, first_year, study.last_year, publicised=combination["publicised_cases"] == "in",
        aggregate=combination["aggregate_sentences"], related=combination["related_offences"] == "in",
    )  # fmt: skip
    if combination["averages"] == "out":
        rows = rows[rows["kind"].ne("mean")]
    return rows.sort_values("row_id", ignore_index=True)


def _facts(pairs: pd.DataFrame, tables: Tables, combination: Combination) -> pd.DataFrame:
    of = (int(combination["tier_at_most_years"]), combination["life_cap_months"])
    return compare.country_facts(pairs, tables.tiers, tables.controls, tables.statutes, *of)


def _rows(expanded: tuple, combination: Combination) -> Rows:
    covariates = COVARIATE_SETS[combination["covariates"]]
    try:
        entered = compare.with_covariates(*expanded, covariates, combination["scale"] == "common")
    except NotEstimable as refusal:
        return Rows(None, refusal.reason, covariates)
    entered = entered._replace(exog=entered.exog.round(_DECIMALS))
    table = Rows(entered, "", covariates).table()
    order = table.sort_values(list(table.columns), kind="stable", na_position="first").index
    parts = {name: getattr(entered, name).loc[order].reset_index(drop=True)
             for name in ("rows", "bounds", "exog", "exog_scale")}  # fmt: skip
    return Rows(entered._replace(**parts), "", covariates)


def digest(rows: Rows, combination: Combination) -> str:
    """Hash of the rows and the model: the same for every process, whatever the order of the tables."""
    return _digest(_inner(rows), combination)


def _inner(rows: Rows) -> str:
    content = [rows.refused, list(rows.covariates)]
    if rows.entered is not None:
        table = rows.table()
        content = [list(table), within.plain_cells(table), rows.entered.log_constant]
    return within.hashed(content)


def _digest(rows: str, combination: Combination) -> str:
    return within.hashed([rows, float(combination["grid_months"]), combination["family"]])[:16]


class Prepared:
    """The rows of each set of rules, selected, described and expanded once."""

    def __init__(self, tables: Tables, study: Study):
        self.tables, self.study = tables, study
        own = tables.evidence[tables.evidence["year_high"].between(study.first_year, study.last_year).fillna(False)]
        self._pairs = own[["iso3", "year_high"]].drop_duplicates()
        self._known: dict[tuple, object] = {}

    def _kept(self, stage: str, rules: tuple[str, ...], combination: Combination, make: Callable):
        """What `make` gives, made once for each set of options that it hangs on."""
        key = (stage, *(combination[name] for name in rules))
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def rows(self, combination: Combination) -> Rows:
        """`rows_of` a combination."""
        facts = self._kept("facts", _FACT_RULES, combination, lambda: _facts(self._pairs, self.tables, combination))
        selected = self._kept(
            "selected", _SELECTION_RULES, combination, lambda: _selected(self.tables, self.study, combination)
        )
        with_tier = "tier" in COVARIATE_SETS[combination["covariates"]]
        choices = estimands.Choices(**{name: combination[name] for name in estimands.Choices._fields})
        expanded = self._kept(
            f"expanded, tier: {with_tier}", (*_FACT_RULES, *_SELECTION_RULES, *_EXPANSION_RULES), combination,
            lambda: compare.expand(compare.with_facts(selected, facts), choices, with_tier),
        )  # fmt: skip
        return _rows(expanded, combination)

    def digest(self, combination: Combination) -> str:
        """`digest` of what a combination leads to."""
        rules = (*_FACT_RULES, *_SELECTION_RULES, *_EXPANSION_RULES, "covariates", "scale")
        inner = self._kept("digest", rules, combination, lambda: _inner(self.rows(combination)))
        return _digest(inner, combination)


# --- What a design says -----------------------------------------------------------------------------------------------


def points(rows: Rows, combination: Combination) -> dict[str, float]:
    """Estimates of a design that are about all countries, without intervals.

    Raises
    ------
    NotEstimable, NotConverged
        With the reason.
    """
    return {name: ends[0] for name, ends in _common(_fitted(rows, combination), rows).items()}


def read(rows: Rows, study: Study, combination: Combination, replicates: int | None = None) -> dict[str, dict]:
    """Every estimand of a design.

    Parameters
    ----------
    replicates : int, optional
        Without meaning here: there is no bootstrap.

    Returns
    -------
    dict of str to dict
        For each estimand its `estimate`, `low` and `high` (95 %), and `reason`, why it or its interval is missing.

    Raises
    ------
    NotEstimable, NotConverged
        When there is no fit, with the reason.
    """
    results = _fitted(rows, combination)
    found = {name: _told(*ends) for name, ends in _common(results, rows).items()}
    return found | _of_country(results, study)


def _fitted(rows: Rows, combination: Combination):
    if rows.entered is None:
        raise NotEstimable(rows.refused)
    return compare.model(rows.entered, combination["family"], combination["grid_months"]).fit()


def _told(estimate: float, low: float = np.nan, high: float = np.nan, reason: str = "") -> dict:
    return {"estimate": estimate, "low": low, "high": high, "reason": reason}


def _common(results, rows: Rows) -> dict[str, tuple[float, float, float, str]]:
    """What is about all countries: estimate, ends of the interval, and the reason why either is missing."""
    no_spread = "no spread between countries is found, so it has no interval" if results.boundary else ""
    found = {"factor": (*compare.factor(results), no_spread), "common_median": (*results.common_median(), "")}
    own = rows.estimands
    found |= {name: _tier_ratio(results, rows, tier) for name, tier in TIER_RATIOS.items() if name in own}
    if "rule_of_law_ratio" in own:
        found["rule_of_law_ratio"] = _ratio(results, {"rule of law": 1.0})
    return found


def _tier_ratio(results, rows: Rows, tier: str) -> tuple[float, float, float, str]:
    """Median in a tier divided by that in Tier 2; either may be the reference, which has no column."""
    there = set(rows.entered.rows["tier"])
    missing = [compare.TIERS[t] for t in (tier, "2") if t not in there]
    if missing:
        return np.nan, np.nan, np.nan, f"no country of {' and '.join(missing)} is left"
    return _ratio(results, {compare.TIERS[tier]: 1.0, compare.TIERS["2"]: -1.0})


def _ratio(results, contrast: dict[str, float]) -> tuple[float, float, float, str]:
    """Ratio of medians for a difference of covariates, with its Wald interval; the reference has no parameter."""
    difference = pd.Series(contrast).reindex(results.params.index[:-1]).fillna(0.0).to_numpy()
    middle = float(difference @ results.params.to_numpy()[:-1])
    half = stats.norm.isf(0.025) * float(np.sqrt(difference @ results.cov_params().to_numpy()[:-1, :-1] @ difference))
    return float(np.exp(middle)), float(np.exp(middle - half)), float(np.exp(middle + half)), ""


def _of_country(results, study: Study) -> dict[str, dict]:
    """What is about the marked country: only where its own evidence carries enough of the information."""
    medians = results.shrunken_median(least_information=study.least_information)
    if study.country not in medians.index:
        return {name: _told(np.nan, reason="nothing on the country is left") for name in OF_COUNTRY}
    own, common = medians.loc[study.country], results.common_median()[0]
    share = _told(own["own_information"], reason=_NO_INTERVAL)
    if np.isnan(own["median"]):
        refused = _told(np.nan, reason=own["said"])
        return dict.fromkeys(OF_COUNTRY, refused) | {"country_own_share": share}
    ends = own[["median", "lower", "upper"]].to_numpy(dtype=float)
    others = medians["median"].drop(study.country).dropna()
    below = _told(float((others < own["median"]).mean()), reason=_NO_INTERVAL) if len(others) else _told(
        np.nan, reason="no other country has a median")  # fmt: skip
    return {
        "country_median": _told(*ends), "country_own_share": share, "country_ratio": _told(*ends / common),
        "share_below": below,
    }  # fmt: skip
