"""A design of the study of one country: terms of each kind of source by itself, perhaps with a trend.

It offers what `designs` asks of a study.
"""

import hashlib
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import estimands, evidence, sentences
from .inference import FEWEST_CLUSTERS, cluster_bootstrap, profile_intervals_together
from .models import IntervalRegression, IntervalRegressionResults, NotEstimable
from .models.families import FAMILIES
from .models.groups import RANGE_RULES
from .models.likelihood import UnknownSize

TREND = "trend_percent"
ESTIMANDS = ("median_months", "share_under_36", "share_36_60", "share_over_60", TREND)
UNITS = {"median_months": "months", TREND: "percent"} | dict.fromkeys(ESTIMANDS[1:4], "share")
FEWEST_YEARS = 3  # of a trend: a line through two points always fits
# What may be chosen. A number may be any from the least on.
OPTIONS: dict[str, tuple[str, ...] | float] = {
    "source_kind": tuple(kind for kind in estimands.KINDS if kind != "other"),
    "range_rule": RANGE_RULES,
    "grid_months": 0.0,
    "base_rule": sentences.BASE_RULES,
    "publicised_cases": ("in", "out"),
    "aggregate_sentences": estimands.AGGREGATE_RULES,
    "family": tuple(FAMILIES),
    "trend": ("none", "linear"),
    "scale": ("by_kind", "common"),
    "life_cap_months": 1.0,
    "related_offences": ("out", "in"),
    "coder": (evidence.ADJUDICATED, *evidence.CODERS),
}
APART = "source_kind"  # the choice whose options are never looked at together
_SELECTION_RULES = ("publicised_cases", "aggregate_sentences", "related_offences", "coder")
_EXPANSION_RULES = ("range_rule", "base_rule", "life_cap_months")

Combination = dict[str, str | float]  # an option for each choice


class Study(NamedTuple):
    """Of which evidence, and how finely."""

    country: str
    first_year: int
    last_year: int
    evidence: str
    evidence_by_coder: str
    replicates: int
    seed: int


# --- Rows and model of a combination --------------------------------------------------------------------------------


class Rows(NamedTuple):
    """What enters the likelihood of a design: r rows in an order that depends on nothing but themselves."""

    table: pd.DataFrame  # low, high (months), low_inclusive, high_inclusive, average, weight, kind, year, cluster
    unknown_sizes: tuple[UnknownSize, ...]
    log_constant: float
    target: str  # the kind of source that is read
    trend: bool  # whether the location of the target has a slope

    @property
    def people(self) -> float:
        """People of the target; under the smallest base where it is marginalised over."""
        own = (self.table["kind"] == self.target).to_numpy()
        weight = self.table["weight"].to_numpy()
        # A base belongs to one published group, and so to one kind.
        unsure = [group.counts.sum(axis=1).min() for group in self.unknown_sizes if own[list(group.rows)].all()]
        return float(np.nansum(weight[own]) + sum(unsure))

    @property
    def clusters(self) -> int:
        """Published groups that inform the model."""
        return self.table["cluster"].nunique()

    @property
    def estimands(self) -> tuple[str, ...]:
        """What is read of the design."""
        return ESTIMANDS if self.trend else tuple(name for name in ESTIMANDS if name != TREND)

    @property
    def years(self) -> list[int]:
        """Years of the target."""
        return sorted(set(self.table.loc[self.table["kind"] == self.target, "year"].dropna().astype(int)))

    def exog(self, year: np.ndarray | None = None) -> pd.DataFrame:
        """A location for each kind of source, the target's first, and the slope of the target.

        Parameters
        ----------
        year : numpy.ndarray, shape (r,), optional
            In place of the rows' own.
        """
        kinds = sorted(set(self.table["kind"]), key=lambda kind: (kind != self.target, kind))
        columns = {kind: (self.table["kind"] == kind).astype(float) for kind in kinds}
        if self.trend:
            own = self.table["year"].to_numpy(dtype=float) if year is None else year
            slope = np.where(self.table["kind"] == self.target, own - np.mean(self.years), 0.0)
            columns["trend"] = pd.Series(slope, index=self.table.index)
        return pd.DataFrame(columns)

    def content(self) -> list:
        """All of it as plain data, for a hash."""
        cells = plain_cells(self.table)
        sizes = [[list(map(int, g.rows)), g.counts.tolist(), g.log_weight.tolist()] for g in self.unknown_sizes]
        return [cells, sizes, self.log_constant, self.target, self.trend]


def plain_cells(table: pd.DataFrame) -> list[list]:
    """The cells of a table as plain data; None where missing."""
    return [[None if cell != cell else cell for cell in row] for row in table.astype(object).to_numpy().tolist()]


def rows_of(table: pd.DataFrame, study: Study, combination: Combination) -> Rows:
    """The rows of the likelihood that a combination leads to.

    With a scale for each kind of source the others say nothing of the target, and are left out.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table, or as of `evidence.with_coders`.
    """
    return _rows(_expanded(_selected(table, study, combination), combination), combination)


def _selected(table: pd.DataFrame, study: Study, combination: Combination) -> pd.DataFrame:
    return estimands.select(
        evidence.of_coder(table, combination["coder"]), study.country, study.first_year, study.last_year,
        publicised=combination["publicised_cases"] == "in", aggregate=combination["aggregate_sentences"],
        related=combination["related_offences"] == "in",
    )  # fmt: skip


def _expanded(rows: pd.DataFrame, combination: Combination) -> Rows:
    of_row, e = sentences.expand(
        rows, life_cap_months=combination["life_cap_months"], range_rule=combination["range_rule"],
        base_rule=combination["base_rule"],
    )  # fmt: skip
    columns = {
        "low": e.low, "high": e.high, "low_inclusive": e.low_inclusive.astype(bool),
        "high_inclusive": e.high_inclusive.astype(bool), "average": e.average.astype(bool), "weight": e.weight,
        "kind": of_row["source_kind"].to_numpy(dtype=object),
        "year": of_row["year"].astype("float64").to_numpy(),
        "cluster": of_row["evidence_id"].to_numpy(dtype=object),
    }  # fmt: skip
    return Rows(pd.DataFrame(columns), e.unknown_sizes, e.log_constant, "", False)


def _rows(expanded: Rows, combination: Combination) -> Rows:
    table, target, trend = expanded.table, combination["source_kind"], combination["trend"] == "linear"
    keep = table["low"].notna() | table["high"].notna()
    keep &= table["kind"].eq(target) if combination["scale"] == "by_kind" else True
    keep &= table["kind"].ne(target) | table["year"].notna() if trend else True
    ordered = table[keep].sort_values(list(table.columns), kind="stable", na_position="first")
    place = {old: new for new, old in enumerate(ordered.index)}
    # Years are told apart only where they enter; a row of several years then has none.
    years = ordered["year"].where(ordered["kind"] == target) if trend else np.nan
    sizes = [_placed(group, place) for group in expanded.unknown_sizes]
    return Rows(
        ordered.assign(year=years).reset_index(drop=True),
        tuple(sorted((g for g in sizes if len(g.rows)), key=lambda group: group.rows)),
        expanded.log_constant, target, trend,
    )  # fmt: skip


def _placed(group: UnknownSize, place: dict[int, int]) -> UnknownSize:
    left = sorted((place[row], column) for column, row in enumerate(group.rows) if row in place)
    return UnknownSize(
        [row for row, _ in left], np.asarray(group.counts)[:, [column for _, column in left]], group.log_weight
    )


def digest(rows: Rows, combination: Combination) -> str:
    """Hash of the rows and the model: the same for every process, whatever the order of the evidence table."""
    return _digest(_inner(rows), combination)


def _inner(rows: Rows) -> str:
    return hashed(rows.content())


def _digest(rows: str, combination: Combination) -> str:
    return hashed([rows, float(combination["grid_months"]), combination["family"]])[:16]


def hashed(content: list) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class Prepared:
    """The evidence under each set of rules, selected and expanded once; sets that give the same share the work."""

    def __init__(self, table: pd.DataFrame, study: Study):
        self.table, self.study = table, study
        self._same: dict[tuple, int] = {}
        self._different: list[pd.DataFrame] = []
        self._expanded: dict[tuple, Rows] = {}
        self._digests: dict[tuple, str] = {}

    def rows(self, combination: Combination) -> Rows:
        """`rows_of` a combination."""
        rules = self._rules(combination)
        if rules not in self._expanded:
            self._expanded[rules] = _expanded(self._different[rules[0]], combination)
        return _rows(self._expanded[rules], combination)

    def digest(self, combination: Combination) -> str:
        """`digest` of what a combination leads to."""
        of_rows = (*self._rules(combination), *(combination[name] for name in (APART, "scale", "trend")))
        key = (*of_rows, combination["grid_months"], combination["family"])
        if key not in self._digests:
            if of_rows not in self._digests:
                self._digests[of_rows] = _inner(self.rows(combination))
            self._digests[key] = _digest(self._digests[of_rows], combination)
        return self._digests[key]

    def _rules(self, combination: Combination) -> tuple:
        return (self._selection(combination), *(combination[name] for name in _EXPANSION_RULES))

    def _selection(self, combination: Combination) -> int:
        """Place of the selected rows among those that differ."""
        which = tuple(combination[name] for name in _SELECTION_RULES)
        if which not in self._same:
            rows = _selected(self.table, self.study, combination)
            told = rows.drop(columns=evidence.PROVENANCE, errors="ignore")
            alike = (place for place, other in enumerate(self._different)
                     if told.equals(other.drop(columns=evidence.PROVENANCE, errors="ignore")))  # fmt: skip
            self._same[which] = next(alike, len(self._different))
            if self._same[which] == len(self._different):
                self._different.append(rows)
        return self._same[which]


# --- What a design says ---------------------------------------------------------------------------------------------


def fit(rows: Rows, grid_months: float, family: str) -> IntervalRegressionResults:
    """The model of a design: a location for each kind of source, one scale, perhaps a slope of the target.

    Raises
    ------
    NotEstimable, NotConverged
        With the reason.
    """
    if not (rows.table["kind"] == rows.target).any():
        raise NotEstimable("no row of this kind of source is left under these choices")
    if rows.trend and len(rows.years) < FEWEST_YEARS:
        many = f"{len(rows.years)} year{'s' * (len(rows.years) != 1)}"
        raise NotEstimable(f"evidence of {many}; a trend needs at least {FEWEST_YEARS}")
    return model(rows, grid_months, family, rows.exog()).fit()


def model(rows: Rows, grid_months: float, family: str, exog: pd.DataFrame) -> IntervalRegression:
    """The regression of a design's rows, unfitted, with covariates of its location, shape (r, k)."""
    table = rows.table
    names = ("low", "high", "low_inclusive", "high_inclusive", "average")
    # Labels of rows are the published groups, so that a refusal names them.
    bounds = {name: pd.Series(table[name].to_numpy(), index=table["cluster"].to_numpy()) for name in names}
    return IntervalRegression(
        **bounds, exog=exog.set_axis(bounds["low"].index), weights=table["weight"].fillna(1.0).to_numpy(),
        unknown_sizes=rows.unknown_sizes, log_constant=rows.log_constant, grid=grid_months, dist=family,
    )  # fmt: skip


def quantities(results: IntervalRegressionResults, trend: bool) -> Callable[[np.ndarray], np.ndarray]:
    """What is read of a design: takes parameters (m, p), gives (m, 4), or (m, 5) with a trend, as ESTIMANDS.

    Shares are of pronounced terms: F(36 - g/2) and 1 - F(60 + g/2) with a grid of g months. With a trend the first four
    are of the middle of the target's years.
    """
    family, grid, scale = results.model.likelihood.family, results.model.grid, results.model.exog.shape[1]
    first, second = estimands.EDGES_MONTHS
    edges = np.log([first - grid / 2, second + grid / 2])

    def read(params: np.ndarray) -> np.ndarray:
        params = np.atleast_2d(params)
        location, sigma = params[:, 0], np.exp(params[:, scale])
        median = np.exp(location + sigma * family.quantile(0.5))
        under = np.exp(family.log_cdf((edges[0] - location) / sigma).value)
        over = np.exp(family.log_sf((edges[1] - location) / sigma).value)
        columns = [median, under, np.maximum(1.0 - under - over, 0.0), over]
        return np.column_stack([*columns, 100 * np.expm1(params[:, scale - 1])] if trend else columns)

    return read


def points(rows: Rows, combination: Combination) -> dict[str, float]:
    """Every estimate of a design, without intervals.

    Raises
    ------
    NotEstimable, NotConverged
        With the reason.
    """
    results = fit(rows, combination["grid_months"], combination["family"])
    return dict(zip(rows.estimands, quantities(results, rows.trend)(results.params.to_numpy())[0], strict=True))


def read(rows: Rows, study: Study, combination: Combination, replicates: int | None = None) -> dict[str, dict]:
    """Every estimand of a design, with intervals.

    Parameters
    ----------
    replicates : int, optional
        Of the cluster bootstrap; default those of the study; 0: none.

    Returns
    -------
    dict of str to dict
        For each estimand its `estimate`, `low` and `high` (the ends of a 95 % profile interval, NaN where it is open),
        `boot_low` and `boot_high` (percentiles of the cluster bootstrap), `replicates` and `failed_replicates`, and
        `reason`, why an interval is missing.

    Raises
    ------
    NotEstimable, NotConverged
        With the reason.
    """
    results = fit(rows, combination["grid_months"], combination["family"])
    replicates = study.replicates if replicates is None else replicates
    reading = quantities(results, rows.trend)
    estimates = reading(results.params.to_numpy())[0]
    boot, drawn, why = _bootstrap(results, rows, reading, replicates, study.seed)
    profiled, found = profile_intervals_together(results, reading), {}
    for place, name in enumerate(rows.estimands):
        low, high, refused = estimands.ends(profiled[place])
        found[name] = drawn | {
            "estimate": estimates[place], "low": low, "high": high, "boot_low": boot[place, 0],
            "boot_high": boot[place, 1], "reason": "; ".join(filter(None, [refused, why])),
        }  # fmt: skip
    return found


def _bootstrap(results, rows: Rows, read: Callable, replicates: int, seed: int) -> tuple[np.ndarray, dict, str]:
    """Ends (estimands, 2) of percentile intervals, counts of replicates, and the reason where there are no ends.

    Published groups are drawn within their kinds of source, so that the target always has as many as it has.
    """
    missing, drawn = np.full((len(ESTIMANDS), 2), np.nan), {}
    if not replicates:
        return missing, drawn, ""
    kinds, clusters = rows.table["kind"].to_numpy(), rows.table["cluster"].to_numpy()
    own = len(set(clusters[kinds == rows.target]))
    if own < FEWEST_CLUSTERS:
        return missing, drawn, f"no bootstrap interval: {own} published groups are too few to draw from"
    found = cluster_bootstrap(results, clusters, strata=kinds, n_boot=replicates, seed=seed)
    drawn = {"replicates": replicates, "failed_replicates": found.n_failed}
    try:
        return found.interval(read)[["lower", "upper"]].to_numpy(), drawn, ""
    except NotEstimable:
        return missing, drawn, "no bootstrap interval: too many replicates failed"
