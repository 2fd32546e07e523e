"""Declared choices between evidence and estimate, the distinct designs that they lead to, and what each design says.

A design is known by the hash of the rows and the model it comes to, so that choices that change nothing are not counted
twice. How they are run is told in `multiverse`, what their results say together in `robustness`.
"""

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import estimands, sentences
from .inference import FEWEST_CLUSTERS, cluster_bootstrap, profile_intervals_together
from .models import IntervalRegression, IntervalRegressionResults, NotConverged, NotEstimable
from .models.families import FAMILIES
from .models.groups import RANGE_RULES
from .models.likelihood import UnknownSize

TREND = "trend_percent"
ESTIMANDS = ("median_months", "share_under_36", "share_36_60", "share_over_60", TREND)
FEWEST_YEARS = 3  # of a trend: a line through two points always fits
# What may be chosen. A number of months may be any from the least on.
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
}
_SELECTION_RULES = ("publicised_cases", "aggregate_sentences", "related_offences")
_EVIDENCE_RULES = ("range_rule", "base_rule", "life_cap_months", *_SELECTION_RULES)
RESULTS = ["design", *OPTIONS, "combinations", "estimand", "estimate", "low", "high", "boot_low", "boot_high", "people",
           "clusters", "converged", "replicates", "failed_replicates", "reason"]  # fmt: skip

Combination = dict[str, str | float]  # an option for each choice


# --- What is declared -----------------------------------------------------------------------------------------------


class Choice(NamedTuple):
    """One thing to choose. `equivalent`: no option is better founded, and all estimate the same quantity."""

    id: str
    options: tuple
    reason: str
    equivalent: bool
    touches: tuple[str, ...]


class Exclusion(NamedTuple):
    """Options that make no sense together."""

    where: dict
    reason: str

    def holds(self, combination: Combination) -> bool:
        return all(combination[choice] == option for choice, option in self.where.items())


class Study(NamedTuple):
    """Of which evidence, and how finely."""

    country: str
    first_year: int
    last_year: int
    evidence: str
    replicates: int
    seed: int


class Declared(NamedTuple):
    """Everything that stands in a file of choices."""

    study: Study
    estimands: dict[str, str]
    choices: tuple[Choice, ...]
    exclusions: tuple[Exclusion, ...]

    def names(self, equivalent: bool) -> list[str]:
        """Choices that are equivalent, or those that are not; without the kind of source, which is never mixed."""
        return [c.id for c in self.choices if c.equivalent == equivalent and c.id != "source_kind"]

    def quick(self) -> "Declared":
        """At most two options of every choice and few replicates, to try things out."""
        short = tuple(choice._replace(options=choice.options[:2]) for choice in self.choices)
        left = {choice.id: choice.options for choice in short}
        exclusions = tuple(e for e in self.exclusions if all(o in left[c] for c, o in e.where.items()))
        return Declared(
            self.study._replace(replicates=min(20, self.study.replicates)), self.estimands, short, exclusions
        )


def declare(content: dict) -> Declared:
    """Check what a file of choices holds.

    Parameters
    ----------
    content : dict
        `study`, `estimands`, `choices` and `exclusions`, as in `params/multiverse.yml`.

    Raises
    ------
    ValueError
        Listing everything that is wrong.
    """
    content = content if isinstance(content, dict) else {}
    faults = [f"{part!r} is missing" for part in ("study", "estimands", "choices") if not content.get(part)]
    faults += _unknown("part", content, ("study", "estimands", "choices", "exclusions"))
    study, named = content.get("study") or {}, content.get("estimands") or {}
    faults += _unknown("study", study, Study._fields)
    faults += [f"study: {field!r} is missing" for field in Study._fields if study and field not in study]
    types = Study.__annotations__.items()
    faults += [f"study: {field!r} is {study[field]!r}, not of type {kind.__name__}"
               for field, kind in types if field in study and type(study[field]) is not kind]  # fmt: skip
    faults += _unknown("estimand", named, ESTIMANDS)
    entries = content.get("choices") or []
    ids = [entry.get("id") for entry in entries]
    faults += [f"choice {name!r} is declared {times} times" for name, times in Counter(ids).items() if times > 1]
    faults += _unknown("choice", ids, tuple(OPTIONS))
    faults += [f"choice {name!r} is not declared" for name in OPTIONS if name not in ids] if entries else []
    for entry in entries:
        faults += _faults_of_choice(entry, tuple(named))
    options = {entry.get("id"): entry.get("options") or [] for entry in entries}
    for number, entry in enumerate(content.get("exclusions") or [], 1):
        where, about = entry.get("where") or {}, f"exclusion {number}"
        faults += _unknown(about, entry, Exclusion._fields)
        faults += [] if where else [f"{about}: 'where' is missing"]
        faults += [] if str(entry.get("reason") or "").strip() else [f"{about}: 'reason' is missing"]
        for name, option in where.items():
            if name not in options:
                faults += _unknown(about, [name], tuple(options))
            elif option not in options[name]:
                faults.append(f"{about}: {option!r} is no declared option of {name!r}")
    if faults:
        raise ValueError("choices: " + "; ".join(faults))
    return Declared(
        Study(**study),
        dict(named),
        tuple(
            Choice(e["id"], tuple(_plain(o) for o in e["options"]), e["reason"].strip(), e["equivalent"],
                   tuple(e["touches"])) for e in entries
        ),
        tuple(
            Exclusion({name: _plain(o) for name, o in e["where"].items()}, e["reason"].strip())
            for e in content.get("exclusions") or []
        ),
    )  # fmt: skip


def _plain(option):
    """Months as floats, so that 6 and 6.0 are one option."""
    return float(option) if isinstance(option, int | float) else option


def _unknown(about: str, found: Iterable, known: tuple) -> list[str]:
    return [f"{about}: {name!r} is not one of {', '.join(map(str, known))}" for name in found if name not in known]


def _faults_of_choice(entry: dict, declared: tuple[str, ...]) -> list[str]:
    name, options = entry.get("id"), entry.get("options") or []
    about = f"choice {name!r}"
    faults = _unknown(about, entry, Choice._fields)
    faults += [] if options else [f"{about}: 'options' is missing"]
    faults += [f"{about}: option {o!r} stands there {n} times" for o, n in Counter(options).items() if n > 1]
    faults += [] if str(entry.get("reason") or "").strip() else [f"{about}: 'reason' is missing"]
    faults += [] if isinstance(entry.get("equivalent"), bool) else [f"{about}: 'equivalent' has to be true or false"]
    faults += [] if entry.get("touches") else [f"{about}: 'touches' is missing"]
    faults += _unknown(f"{about}, touches", entry.get("touches") or [], declared)
    known = OPTIONS.get(name)
    if isinstance(known, tuple):
        return faults + _unknown(about, options, known)
    if known is None:
        return faults
    wrong = [o for o in options if isinstance(o, bool) or not isinstance(o, int | float) or not known <= o < np.inf]
    return faults + [f"{about}: {o!r} is no number of months from {known:g} on" for o in wrong]


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
        cells = self.table.astype(object).where(self.table.notna(), None)
        sizes = [[list(map(int, g.rows)), g.counts.tolist(), g.log_weight.tolist()] for g in self.unknown_sizes]
        return [cells.to_numpy().tolist(), sizes, self.log_constant, self.target, self.trend]


def rows_of(table: pd.DataFrame, study: Study, combination: Combination) -> Rows:
    """The rows of the likelihood that a combination leads to.

    With a scale for each kind of source the others say nothing of the target, and are left out.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    """
    return _rows(_expanded(_selected(table, study, combination), combination), combination)


def _selected(table: pd.DataFrame, study: Study, combination: Combination) -> pd.DataFrame:
    return estimands.select(
        table, study.country, study.first_year, study.last_year,
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


def digest(rows: Rows, grid_months: float, family: str) -> str:
    """Hash of the rows and the model: the same for every process, whatever the order of the evidence table."""
    return _digest(_inner(rows), grid_months, family)


def _inner(rows: Rows) -> str:
    return hashlib.sha256(json.dumps(rows.content()).encode()).hexdigest()


def _digest(rows: str, grid_months: float, family: str) -> str:
    return hashlib.sha256(json.dumps([rows, float(grid_months), family]).encode()).hexdigest()[:16]


class _Expansions:
    """The evidence under each set of rules, expanded once; sets that give the same rows share one key."""

    def __init__(self, table: pd.DataFrame, study: Study):
        self.table, self.study = table, study
        self.selected: dict[tuple, pd.DataFrame] = {}
        self.known: dict[tuple, tuple[str, Rows]] = {}

    def of(self, combination: Combination) -> tuple[str, Rows]:
        rules = tuple(combination[name] for name in _EVIDENCE_RULES)
        if rules not in self.known:
            which = tuple(combination[name] for name in _SELECTION_RULES)
            if which not in self.selected:
                self.selected[which] = _selected(self.table, self.study, combination)
            rows = _expanded(self.selected[which], combination)
            self.known[rules] = _inner(rows), rows
        return self.known[rules]


# --- Designs ----------------------------------------------------------------------------------------------------------


class Design(NamedTuple):
    """A distinct design: its hash, the first combination that leads to it, and how many do."""

    hash: str
    combination: Combination
    combinations: int


class Designs(NamedTuple):
    """What declared choices come to.

    Attributes
    ----------
    product : int
        Combinations of all options.
    excluded : int
        Of which declared exclusions take away so many; `by_exclusion` says how many the first that holds.
    combinations : pandas.DataFrame
        Those left, one row each: a column for every choice, and `design`.
    distinct : tuple of Design
        In the order in which combinations lead to them.
    """

    product: int
    excluded: int
    by_exclusion: dict[str, int]
    combinations: pd.DataFrame
    distinct: tuple[Design, ...]

    @property
    def duplicates(self) -> int:
        return len(self.combinations) - len(self.distinct)

    def told(self) -> str:
        """How many there are, and why."""
        return (
            f"{len(self.distinct)} distinct designs = {self.product} combinations - {self.excluded} excluded - "
            f"{self.duplicates} that lead to the same rows and model as another"
        )


def designs(table: pd.DataFrame, declared: Declared) -> Designs:
    """Every distinct design of the declared choices.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    """
    names = [choice.id for choice in declared.choices]
    product, by_exclusion, left, hashes = 0, {e.reason: 0 for e in declared.exclusions}, [], []
    expanded = _Expansions(table, declared.study)
    inner: dict[tuple, str] = {}
    for options in itertools.product(*(choice.options for choice in declared.choices)):
        product += 1
        combination = dict(zip(names, options, strict=True))
        reason = next((e.reason for e in declared.exclusions if e.holds(combination)), None)
        if reason is not None:
            by_exclusion[reason] += 1
            continue
        content, found = expanded.of(combination)
        key = (content, *(combination[name] for name in ("source_kind", "scale", "trend")))
        if key not in inner:
            inner[key] = _inner(_rows(found, combination))
        left.append(options)
        hashes.append(_digest(inner[key], combination["grid_months"], combination["family"]))
    combinations = pd.DataFrame(left, columns=names).assign(design=hashes)
    times, first = Counter(hashes), dict(zip(reversed(hashes), reversed(left), strict=True))
    distinct = tuple(Design(h, dict(zip(names, first[h], strict=True)), n) for h, n in times.items())
    return Designs(product, product - len(left), by_exclusion, combinations, distinct)


# --- What a design says -----------------------------------------------------------------------------------------------


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


def fit_design(
    table: pd.DataFrame, study: Study, combination: Combination, combinations: int = 1, replicates: int | None = None
) -> list[dict]:
    """Fit one design and read every estimand of it.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    combinations : int
        How many combinations lead to the design.
    replicates : int, optional
        Of the cluster bootstrap; default those of the study; 0: none.

    Returns
    -------
    list of dict
        A row in RESULTS columns for each estimand. `low` and `high` are the ends of a 95 % profile interval, blank
        where it is open; `boot_low` and `boot_high` percentiles of the cluster bootstrap. `people` are of the target
        (persons; not whole under the mean base), `clusters` the published groups that inform the model. `estimate` is
        blank where the design cannot be estimated, and `reason` says why; it also says why an interval is missing.
    """
    rows, chosen = rows_of(table, study, combination), (combination["grid_months"], combination["family"])
    replicates = study.replicates if replicates is None else replicates
    blank = dict.fromkeys(("estimate", "low", "high", "boot_low", "boot_high"), np.nan)
    common = {"design": digest(rows, *chosen), **combination, "combinations": combinations, **blank,
              "people": rows.people, "clusters": rows.table["cluster"].nunique(), "converged": False,
              "replicates": 0, "failed_replicates": 0, "reason": ""}  # fmt: skip
    wanted = ESTIMANDS if rows.trend else [name for name in ESTIMANDS if name != TREND]
    try:
        results = fit(rows, *chosen)
    except (NotEstimable, NotConverged) as refusal:
        return [_ordered(common | {"estimand": name, "reason": refusal.reason}) for name in wanted]
    read = quantities(results, rows.trend)
    estimates = read(results.params.to_numpy())[0]
    boot, drawn, why = _bootstrap(results, rows, read, replicates, study.seed)
    profiled, found = profile_intervals_together(results, read), []
    for place, name in enumerate(wanted):
        low, high, refused = estimands.ends(profiled[place])
        ends = {"estimate": estimates[place], "low": low, "high": high, "boot_low": boot[place, 0],
                "boot_high": boot[place, 1], "converged": True,
                "reason": "; ".join(filter(None, [refused, why]))}  # fmt: skip
        found.append(_ordered(common | ends | drawn | {"estimand": name}))
    return found


def _ordered(row: dict) -> dict:
    return {name: row[name] for name in RESULTS}


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
