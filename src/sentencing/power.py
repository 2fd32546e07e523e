"""How surely a change of sentences would be seen, for each form in which sentences may be published.

People are drawn from a known distribution before and after a change, and told in some form, year by year. The model of
this project, with a step between the periods, is fitted to what was told, and the step is tested. How often it is found
is the power of that form of publication; how often one is found where there is none, its false alarms.
"""

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from . import estimands, evidence, grouping, stages
from .inference import refit_maxima
from .models import IntervalRegression, NotEstimable, expand_groups
from .models.families import FAMILIES

CONFIDENCE = 0.95  # of intervals for simulated shares
SIGNIFICANT_DIGITS = 6  # of what is drawn from, so that the last bits of a fit do not decide on a person's term
RESULTS = [
    "scenario", "source_kind", "form", "people", "people_a_year", "years", "people_before", "people_after",
    "change_months", "samples", "found", "not_estimable", "power", "low", "high", "by_formula", "calibrated_power",
    "family", "median_months", "log_scale", "together", "correlation", "seed",
]  # fmt: skip
SHORT = {
    "exact": "every term",
    "yearly_bands": "bands of a year",
    "three_bands": "three bands",
    "shares_with_base": "percentages with base",
    "shares_without_base": "percentages without base",
    "range": "shortest and longest term",
    "average": "average term",
}
NOW = "now"


# --- What people get ------------------------------------------------------------------------------------------------


class Truth(NamedTuple):
    """Distribution of terms: log T = location + sigma e, pronounced on a grid; people of a case may be alike.

    `log_scale` is log sigma. `together` people are sentenced at a time (the last of a year may be fewer), and the
    normal scores of two of them have the given `correlation` (a Gaussian copula), so that each one's distribution
    stays what it is.
    """

    family: str
    median_months: float
    log_scale: float
    grid_months: float
    together: int = 1
    correlation: float = 0.0

    @property
    def sigma(self) -> float:
        return float(np.exp(self.log_scale))

    def location(self, change_months: float = 0.0) -> float:
        """Location at which the median is longer by so much."""
        return float(np.log(self.median_months + change_months) - self.sigma * FAMILIES[self.family].quantile(0.5))

    def params(self, change_months: float) -> np.ndarray:
        """Constant, step and log scale of the model that is fitted."""
        return np.array([self.location(), self.location(change_months) - self.location(), self.log_scale])


def draw_steps(truth: Truth, change_months: float, people: int, samples: int, key: Iterable[int]) -> np.ndarray:
    """Pronounced terms in steps of the grid, whole numbers from 1 on, shape (samples, people).

    `key` is the seed. Under one key the scores of people are the same for any change and any number of samples.
    """
    rng = np.random.default_rng(list(key))
    score = rng.standard_normal((samples, people))
    if truth.together > 1:
        cases = np.arange(people) // truth.together
        # Of another stream, so that a scenario without cases has the same scores of its own.
        common = np.random.default_rng([*key, truth.together]).standard_normal((samples, cases[-1] + 1))
        score = np.sqrt(truth.correlation) * common[:, cases] + np.sqrt(1 - truth.correlation) * score
    latent = np.exp(truth.location(change_months) + truth.sigma * _quantile(truth.family, score))
    return np.maximum(np.rint(latent / truth.grid_months), 1).astype(np.int64)


def _quantile(family: str, score: np.ndarray) -> np.ndarray:
    """The family's quantiles at the levels of normal scores."""
    return score if family == "lognormal" else FAMILIES[family].quantile(special.ndtr(score))


# --- What is published ----------------------------------------------------------------------------------------------


class Group(NamedTuple):
    """People told together, as arguments of `models.expand_groups`; several possible numbers share a base."""

    low: float
    high: float
    n: tuple[int, ...]
    attained: bool = False
    low_inclusive: bool = True
    high_inclusive: bool = True
    average: bool = False


class Form(NamedTuple):
    """A form of publication.

    Attributes
    ----------
    state : function
        Of a year's terms in steps (samples, people): what is told of it, as whole numbers (samples, statements).
    read : function
        Of one such number: the groups of people that a reader knows of, months.
    cells : function or None
        Where each person is told alone, by the form's own cells: no argument, gives their (low, high, low_inclusive,
        high_inclusive), months, which cover all terms.
    """

    id: str
    state: Callable[[np.ndarray], np.ndarray]
    read: Callable[[int], list[Group]]
    cells: Callable[[], list[tuple]] | None = None


OPEN = float("nan")
_BASE = 1000  # of the digits of a statement: more than any number of people a year, steps of a term, or percent
_MOST_STEPS = 400


def form_of(name: str, grid_months: float, yearly_edges_months: Iterable[float]) -> Form:
    """The form of that name.

    Raises
    ------
    ValueError
        When there is none.
    """
    first, last = estimands.EDGES_MONTHS
    three = [(OPEN, first, True, False), (first, last, True, True), (last, OPEN, False, True)]
    edges = [OPEN, *yearly_edges_months, OPEN]
    yearly = [(low, high, True, False) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    forms = {
        "exact": lambda: _exact(grid_months),
        "yearly_bands": lambda: _bands("yearly_bands", yearly, grid_months),
        "three_bands": lambda: _bands("three_bands", three, grid_months),
        "shares_with_base": lambda: _shares("shares_with_base", three, grid_months, with_base=True),
        "shares_without_base": lambda: _shares("shares_without_base", three, grid_months, with_base=False),
        "range": lambda: Form("range", _ends, lambda told: _range(told, grid_months)),
        "average": lambda: Form("average", lambda steps: _average(steps, grid_months), _read_average),
    }
    if name not in forms:
        raise ValueError(f"form {name!r} is not one of {', '.join(forms)}")
    return forms[name]()


def _exact(grid: float) -> Form:
    def cells():
        # Whoever would get less than half a step gets one.
        yield OPEN, grid, True, True
        yield from ((step * grid, step * grid, True, True) for step in range(2, _MOST_STEPS))
        yield _MOST_STEPS * grid, OPEN, True, True

    return Form("exact", lambda steps: steps, lambda told: [Group(told * grid, told * grid, (1,))], lambda: [*cells()])


def _bands(name: str, bands: list[tuple], grid: float) -> Form:
    def read(told: int) -> list[Group]:
        low, high, low_inclusive, high_inclusive = bands[told]
        return [Group(low, high, (1,), False, low_inclusive, high_inclusive)]

    return Form(name, lambda steps: _band_of(steps * grid, bands), read, lambda: bands)


def _band_of(months: np.ndarray, bands: list[tuple]) -> np.ndarray:
    """The band of each term: how many lower ends it has passed."""
    passed = [months >= low if inclusive else months > low for low, _, inclusive, _ in bands[1:]]
    return np.sum(passed, axis=0)


def _shares(name: str, bands: list[tuple], grid: float, with_base: bool) -> Form:
    def state(steps: np.ndarray) -> np.ndarray:
        people, band = steps.shape[1], _band_of(steps * grid, bands)
        told = np.zeros(len(steps), dtype=np.int64)
        for place in range(len(bands)):
            told = told * _BASE + _percent(np.sum(band == place, axis=1), people)
        return (told * _BASE + (people if with_base else 0))[:, None]

    def read(told: int) -> list[Group]:
        *shares, base = _digits(told, len(bands) + 1)
        counts = _counts(tuple(shares), base)
        # A band that is empty under every base says nothing of the others.
        return [
            Group(low, high, n, False, low_inclusive, high_inclusive)
            for (low, high, low_inclusive, high_inclusive), n in zip(bands, counts, strict=True) if max(n) > 0
        ]  # fmt: skip

    # Up to a hundred people whole percentages with their base give back the numbers, so nothing is lost on the way.
    return Form(name, state, read, (lambda: bands) if with_base else None)


def _percent(count: np.ndarray, people: int) -> np.ndarray:
    """Whole percent, halves upwards, in whole numbers so that no half is missed."""
    return (200 * count + people) // (2 * people)


@functools.cache
def _counts(shares: tuple[int, ...], base: int) -> list[tuple[int, ...]]:
    """People in each band under each possible base, as the evidence table has them; `base` 0: it is not printed."""
    bases = [base] if base else grouping.considered_bases(grouping.feasible_bases(shares, at_most=100), False)
    return list(zip(*(grouping.share_counts(shares, n)[0] for n in bases), strict=True))


def _ends(steps: np.ndarray) -> np.ndarray:
    return ((steps.min(axis=1) * _BASE + steps.max(axis=1)) * _BASE + steps.shape[1])[:, None]


def _range(told: int, grid: float) -> list[Group]:
    low, high, people = _digits(told, 3)
    return [Group(low * grid, high * grid, (people,), attained=True)]


def _average(steps: np.ndarray, grid: float) -> np.ndarray:
    people = steps.shape[1]
    return (np.rint(grid * steps.sum(axis=1) / people).astype(np.int64) * _BASE + people)[:, None]


def _read_average(told: int) -> list[Group]:
    months, people = divmod(told, _BASE)
    return [Group(float(months), float(months), (people,), average=True)]


def _digits(told: int, places: int) -> list[int]:
    found = []
    for _ in range(places):
        told, digit = divmod(told, _BASE)
        found.append(digit)
    return found[::-1]


def state_years(
    form: Form, truth: Truth, change_months: float, people: list[int], samples: int, seed: int, after: bool
) -> list[np.ndarray]:
    """Statements of each year of one side of the change, (samples, statements) each."""
    key = (seed, int(after))
    return [
        form.state(draw_steps(truth, change_months * after, n, samples, (*key, year, n)))
        for year, n in enumerate(people)
    ]


# --- What a reader finds --------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """The model of all different statements, and how often each sample has them.

    Attributes
    ----------
    model : IntervalRegression
        With a constant and the step.
    label : numpy.ndarray of int
        Statement that each row of the model comes from.
    times : numpy.ndarray, shape (samples, statements)
    """

    model: IntervalRegression
    label: np.ndarray
    times: np.ndarray


def told(form: Form, before: np.ndarray, after: np.ndarray, family: str, grid_months: float) -> Told:
    """Rows of the likelihood for statements of both sides, each (samples, statements).

    They are expanded as the evidence table is, by `models.expand_groups`: extremes are terms that somebody got, and
    numbers of people that are not told are marginalised over.
    """
    kinds, times, sides = [], [], []
    for side, statements in enumerate((before, after)):
        different, place = np.unique(statements, return_inverse=True)
        place = place.reshape(statements.shape) + len(different) * np.arange(len(statements))[:, None]
        counted = np.bincount(place.ravel(), minlength=len(statements) * len(different))
        times.append(counted.reshape(len(statements), len(different)).astype(float))
        kinds += different.tolist()
        sides += [side] * len(different)
    groups = [(group, number) for number, kind in enumerate(kinds) for group in form.read(kind)]
    columns = {name: [getattr(group, name) for group, _ in groups] for name in Group._fields}
    statement = np.array([number for _, number in groups])
    attained = columns.pop("attained")
    rows = expand_groups(
        **columns, low_attained=attained, high_attained=attained, attained_allowed=attained, base=statement.tolist()
    )
    label = statement[rows.source_row]
    exog = pd.DataFrame({"const": 1.0, "step": np.array(sides, dtype=float)[label]})
    model = IntervalRegression(exog=exog, dist=family, grid=grid_months, **rows.keywords())
    return Told(model, label, np.hstack(times))


class Tested(NamedTuple):
    """The test of each sample; arrays (samples,).

    Attributes
    ----------
    statistic : likelihood-ratio statistic of no step, 0 where not estimable
    change_months : estimated change of the median
    estimable : bool
    """

    statistic: np.ndarray
    change_months: np.ndarray
    estimable: np.ndarray


def likelihood_ratio(published: Told, start: np.ndarray) -> Tested:
    """Fit with and without the step, all samples at once, and compare.

    The likelihood ratio is used, not Wald's test, because with few people in bands the estimate can run far out while
    its standard error grows faster (Hauck & Donner 1977), so that Wald's test overlooks the largest changes.

    Parameters
    ----------
    start : numpy.ndarray, shape (3,)
        Where the search begins; the maximum is unique, so that it does not matter which.
    """
    fitted = (published.label, published.times)
    free = np.ones(3, dtype=bool)
    whole, good = refit_maxima(published.model, start, free, *fitted)
    without = np.array([start[0] + start[1] / 2, 0.0, start[2]])
    null, _ = refit_maxima(published.model, without, np.array([True, False, True]), *fitted)
    estimable = good & null.converged
    statistic = np.where(estimable, np.maximum(2 * (whole.value - null.value), 0.0), 0.0)
    location, step, log_scale = whole.params.T
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.exp(location + np.exp(log_scale) * published.model.likelihood.family.quantile(0.5))
        change = np.where(estimable, half * np.expm1(step), np.nan)
    return Tested(statistic, change, estimable)


def power_by_formula(form: Form, truth: Truth, change_months: float, before: int, after: int, level: float) -> float:
    """Power of the test for so many people on each side, from the expected information; NaN where there is no formula.

    For forms that tell each person's cell the expected information of n people is that of n times the probabilities of
    the cells. The squared step, times what is known of it with the other parameters unknown, is the noncentrality of
    the chi-square statistic (e.g. Lehmann & Romano 2005, Testing Statistical Hypotheses, section 12.4). It supposes
    many independent people.
    """
    if form.cells is None or truth.together > 1:
        return np.nan
    params = truth.params(change_months)
    low, high, low_inclusive, high_inclusive = (np.array(c) for c in zip(*form.cells(), strict=True))
    n = len(low)
    side = np.repeat([0.0, 1.0], n)
    rows = dict(
        low=np.tile(low, 2), high=np.tile(high, 2), low_inclusive=np.tile(low_inclusive, 2),
        high_inclusive=np.tile(high_inclusive, 2), exog=np.column_stack([np.ones(2 * n), side]), dist=truth.family,
        grid=truth.grid_months,
    )  # fmt: skip
    probability = np.exp(IntervalRegression(**rows).loglike_obs(params))
    expected = IntervalRegression(**rows, weights=np.where(side == 0, before, after) * probability)
    information = -expected.hessian(params)
    on_step = 1 / np.linalg.inv(information)[1, 1]
    return float(stats.ncx2.sf(stats.chi2.isf(level, 1), 1, params[1] ** 2 * on_step))


# --- What is simulated ----------------------------------------------------------------------------------------------


class Design(NamedTuple):
    """One form under one truth: years before and after a change, and the changes that are tried; plain data."""

    scenario: str
    source_kind: str
    truth: Truth
    form: str
    people: str
    before: list[int]  # people of each year before the change, the nearest first
    after: list[int]
    years: list[int]
    changes_months: list[float]
    samples: int
    seed: int
    level: float
    yearly_edges_months: list[float]


def simulate(design: Design) -> list[dict]:
    """Rows in RESULTS columns: one for each number of years and each change, and one for no change at all.

    `years` stand on each side. `found` counts the samples in which the test finds a step; those that cannot be
    estimated (`not_estimable`) are among those where it does not. `low` and `high` are ends of a 95 % Wilson interval
    of `power`. `calibrated_power` is that of a test whose critical value is taken from the samples without a change,
    and so has the right share of false alarms.
    """
    truth = Truth(*design.truth)
    form = form_of(design.form, truth.grid_months, design.yearly_edges_months)
    drawn = (design.samples, design.seed)
    before = state_years(form, truth, 0.0, design.before, *drawn, after=False)
    rows = []
    critical = stats.chi2.isf(design.level, 1)
    calibrated: dict[int, float] = {}
    for change in [0.0, *design.changes_months]:
        after = state_years(form, truth, change, design.after, *drawn, after=True)
        for years in design.years:
            published = told(form, np.hstack(before[:years]), np.hstack(after[:years]), truth.family, truth.grid_months)
            tested = likelihood_ratio(published, truth.params(change))
            if not change:
                calibrated[years] = float(np.quantile(tested.statistic, 1 - design.level, method="higher"))
            people = sum(design.before[:years]), sum(design.after[:years])
            found = int(np.sum(tested.statistic > critical))
            low, high = proportion_confint(found, design.samples, 1 - CONFIDENCE, method="wilson")
            row = {
                "scenario": design.scenario, "source_kind": design.source_kind, "form": design.form,
                "people": design.people, "people_a_year": people[0] / years, "years": years,
                "people_before": people[0], "people_after": people[1], "change_months": change,
                "samples": design.samples, "found": found, "not_estimable": int(np.sum(~tested.estimable)),
                "power": found / design.samples, "low": low, "high": high,
                "by_formula": power_by_formula(form, truth, change, *people, design.level),
                "calibrated_power": float(np.mean(tested.statistic > calibrated[years])) if change else np.nan,
                "family": truth.family, "median_months": truth.median_months, "log_scale": truth.log_scale,
                "together": truth.together, "correlation": truth.correlation, "seed": design.seed,
            }  # fmt: skip
            rows.append({name: row[name] for name in RESULTS})
    return rows


# --- What is declared -----------------------------------------------------------------------------------------------


class Study(NamedTuple):
    """What holds for every design; see `params/publication.yml`."""

    country: str
    first_year: int
    last_year: int
    evidence: str
    justice: str
    grid_months: float
    change_months: float
    years: list[int]
    samples: int
    seed: int
    level: float
    power: float
    most_false_alarms: float
    yearly_edges_months: list[float]


class Scenario(NamedTuple):
    """Whose terms, and what is supposed of them; `spread` is the estimate, or an end of its 95 % interval."""

    id: str
    source_kind: str
    reason: str
    range_rule: str = "where_allowed"
    family: str = "lognormal"
    spread: str = "estimate"
    together: int = 1
    correlation: float = 0.0
    people: list[str] | None = None  # default: each


class FormChoice(NamedTuple):
    """A form and why it is looked at; `samples` where they are fewer than those of the study."""

    id: str
    reason: str
    samples: int | None = None


class Now(NamedTuple):
    """What is published now: people of each year, split into before and from `split_year` on."""

    scenario: str
    split_year: int
    forms: list[str]


class Declared(NamedTuple):
    """Everything that stands in the file of parameters."""

    study: Study
    people: dict[str, float]
    forms: tuple[FormChoice, ...]
    scenarios: tuple[Scenario, ...]
    now_changes_months: list[float]
    now: tuple[Now, ...]


SPREADS = ("low", "estimate", "high")


def declare(content: dict) -> Declared:
    """Check what a file of parameters holds, as in `params/publication.yml`.

    Raises
    ------
    ValueError
        Listing everything that is wrong.
    """
    content = content if isinstance(content, dict) else {}
    faults = [
        f"{part!r} is missing" for part in ("study", "people", "forms", "scenarios", "now") if part not in content
    ]
    study, now = content.get("study") or {}, content.get("now") or {}
    faults += _faults("study", study, Study)
    faults += [f"now: {name!r} is missing" for name in ("changes_months", "sets") if content and name not in now]
    for about, part, kind in (("form", "forms", FormChoice), ("scenario", "scenarios", Scenario)):
        for entry in content.get(part) or []:
            faults += _faults(f"{about} {entry.get('id')!r}", entry, kind)
    for entry in now.get("sets") or []:
        faults += _faults(f"now, {entry.get('scenario')!r}", entry, Now)
    forms, scenarios = ([entry.get("id") for entry in content.get(part) or []] for part in ("forms", "scenarios"))
    faults += _unknown(
        "form", [*forms, *(f for entry in now.get("sets") or [] for f in entry.get("forms") or [])], SHORT
    )
    faults += _unknown("now", [entry.get("scenario") for entry in now.get("sets") or []], scenarios)
    for entry in content.get("scenarios") or []:
        about = f"scenario {entry.get('id')!r}"
        faults += _unknown(about, entry.get("people") or [], content.get("people") or {})
        faults += _unknown(about, [entry.get("spread", "estimate")], SPREADS)
        faults += _unknown(about, [entry.get("source_kind")], estimands.KINDS)
        faults += _unknown(about, [entry.get("family", "lognormal")], FAMILIES)
    years = study.get("years") or []
    faults += [] if years == sorted(set(years)) else ["study: 'years' have to rise"]
    if faults:
        raise ValueError("publication: " + "; ".join(faults))
    return Declared(
        Study(**study), dict(content["people"]), tuple(FormChoice(**entry) for entry in content["forms"]),
        tuple(Scenario(**entry) for entry in content["scenarios"]), list(map(float, now["changes_months"])),
        tuple(Now(**entry) for entry in now["sets"]),
    )  # fmt: skip


def _faults(about: str, entry: dict, kind: type) -> list[str]:
    needed = [name for name in kind._fields if name not in kind._field_defaults]
    missing = [f"{about}: {name!r} is missing" for name in needed if entry and name not in entry]
    return missing + _unknown(about, entry, kind._fields)


def _unknown(about: str, found: Iterable, known: Iterable) -> list[str]:
    return [f"{about}: {name!r} is not one of {', '.join(map(str, known))}" for name in found if name not in known]


def truth_of(table: pd.DataFrame, study: Study, scenario: Scenario) -> Truth:
    """The distribution fitted to a kind of source, as in notebook 05.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.

    Raises
    ------
    NotEstimable, NotConverged
        When the evidence does not carry it.
    """
    rows = estimands.select(table, study.country, study.first_year, study.last_year)
    choices = estimands.Choices(scenario.family, float(study.grid_months), scenario.range_rule)
    results = estimands.fit(rows[rows["source_kind"] == scenario.source_kind], choices)
    log_scale = results.params["log_scale"]
    if scenario.spread != "estimate":
        end = {"low": "lower", "high": "upper"}[scenario.spread]
        log_scale = results.conf_int(method="profile").at["log_scale", end]
    median = results.predict(np.ones((1, 1)))[0]
    return Truth(scenario.family, _rounded(median), _rounded(log_scale), float(study.grid_months), scenario.together,
                 float(scenario.correlation))  # fmt: skip


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def convicted_a_year(justice: pd.DataFrame, study: Study) -> pd.Series:
    """Published number of convicted people by year; the mean where bodies differ."""
    totals = estimands.convicted_totals(
        stages.justice_totals(justice, study.country), study.first_year, study.last_year
    )
    if not len(totals):
        raise NotEstimable("no yearly total of convictions is published, so that nobody can say how many a year")
    by_year = totals.groupby("year").agg(low=("value_low", "min"), high=("value_high", "max")).astype(float)
    return by_year.mean(axis=1)


def people_a_year(justice: pd.DataFrame, declared: Declared) -> dict[str, int]:
    """The numbers of people a year that are tried, by their names: quantiles of the published yearly totals."""
    totals = convicted_a_year(justice, declared.study)
    return {name: int(np.rint(np.quantile(totals, share))) for name, share in declared.people.items()}


def told_now(table: pd.DataFrame, study: Study, source_kind: str) -> pd.Series:
    """People of whom a kind of source tells something, by year; under the smallest bases."""
    rows = estimands.select(table, study.country, study.first_year, study.last_year)
    counted = evidence.people(rows[rows["source_kind"] == source_kind])
    return counted.groupby("year_low")["n_smallest"].sum().astype(int)


def designs(table: pd.DataFrame, justice: pd.DataFrame, declared: Declared) -> list[Design]:
    """Every design that is declared, in the order of the results.

    Parameters
    ----------
    table, justice : pandas.DataFrame
        The evidence table, and that of justice figures.
    """
    study, found = declared.study, []
    a_year = people_a_year(justice, declared)
    truths = {scenario.id: truth_of(table, study, scenario) for scenario in declared.scenarios}
    kinds = {scenario.id: scenario.source_kind for scenario in declared.scenarios}
    samples = {form.id: form.samples or study.samples for form in declared.forms}
    common = (study.seed, study.level, list(map(float, study.yearly_edges_months)))
    for scenario in declared.scenarios:
        for people in scenario.people or declared.people:
            yearly = [a_year[people]] * study.years[-1]
            found += [
                Design(scenario.id, scenario.source_kind, truths[scenario.id], form.id, people, yearly, yearly,
                       study.years, [float(study.change_months)], samples[form.id], *common)
                for form in declared.forms
            ]  # fmt: skip
    for entry in declared.now:
        known = told_now(table, study, kinds[entry.scenario])
        before, after = known[known.index < entry.split_year].tolist(), known[known.index >= entry.split_year].tolist()
        if len(before) != len(after):
            raise ValueError(
                f"now, {entry.scenario!r}: {len(before)} years before {entry.split_year}, {len(after)} from then on; "
                "expected as many"
            )
        found += [
            Design(entry.scenario, kinds[entry.scenario], truths[entry.scenario], form, NOW, before[::-1], after,
                   [len(before)], declared.now_changes_months, samples[form], *common)
            for form in entry.forms
        ]  # fmt: skip
    return found


# --- What it says -----------------------------------------------------------------------------------------------------


NEEDED = ["scenario", "form", "people", "people_a_year", "years", "years_low", "years_high", "calibrated_years",
          "most_years", "false_alarms", "holds"]  # fmt: skip
SEEN = ["scenario", "form", "people_before", "people_after", "change_months", "most_months"]


def with_alarms(results: pd.DataFrame, most_false_alarms: float) -> pd.DataFrame:
    """Rows with a change, each with the share of false alarms of the same test, and whether the test holds its level.

    It does not where even the lower end of the interval for the false alarms is above the most that is borne.
    """
    keys = ["scenario", "form", "people", "years"]
    none = results[results["change_months"] == 0].set_index(keys)[["power", "low", "high"]]
    none = none.rename(columns={"power": "alarms", "low": "alarms_low", "high": "alarms_high"})
    joined = results[results["change_months"] != 0].join(none, on=keys)
    return joined.assign(holds=joined["alarms_low"] <= most_false_alarms)


def years_needed(results: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The smallest number of years on each side with which the change is found often enough, for each form.

    Returns
    -------
    pandas.DataFrame
        NEEDED. `years` is missing where the most years tried do not suffice; a number of years with which the test
        does not hold its level does not count. `years_low` and `years_high` are the same for the upper and the lower
        end of the Monte-Carlo interval of the power; `calibrated_years` for a test that is made to hold its level.
        `false_alarms` is the share with `years`, or with the most years tried; `holds` says whether the level is held
        there.
    """
    rows, regular = [], with_alarms(results[results["people"] != NOW], study.most_false_alarms)
    for (scenario, form, people), own in regular.groupby(["scenario", "form", "people"], sort=False):
        own = own.sort_values("years")
        valid = own[own["holds"]]
        needed = {
            "years": _first(valid["years"], valid["power"] >= study.power),
            "years_low": _first(valid["years"], valid["high"] >= study.power),
            "years_high": _first(valid["years"], valid["low"] >= study.power),
            "calibrated_years": _first(own["years"], own["calibrated_power"] >= study.power),
        }
        at = own[own["years"] == needed["years"]] if needed["years"] is not pd.NA else own.tail(1)
        row = {"scenario": scenario, "form": form, "people": people, "people_a_year": own["people_a_year"].iloc[0],
               **needed, "most_years": own["years"].iloc[-1], "false_alarms": at["alarms"].iloc[0],
               "holds": bool(at["holds"].iloc[0])}  # fmt: skip
        rows.append({name: row[name] for name in NEEDED})
    whole = dict.fromkeys(("years", "years_low", "years_high", "calibrated_years"), "Int64")
    return pd.DataFrame(rows, columns=NEEDED).astype(whole)


def _first(values: pd.Series, enough: pd.Series):
    return values[enough].iloc[0] if enough.any() else pd.NA


def smallest_changes(results: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The smallest change of the median that what is published now would show often enough.

    Returns
    -------
    pandas.DataFrame
        SEEN. `change_months` is missing where not even the largest change tried, `most_months`, is found so often.
    """
    rows, now = [], with_alarms(results[results["people"] == NOW], study.most_false_alarms)
    for (scenario, form), own in now.groupby(["scenario", "form"], sort=False):
        own = own.sort_values("change_months")
        seen = _first(own["change_months"], own["holds"] & (own["power"] >= study.power))
        row = (scenario, form, own["people_before"].iloc[0], own["people_after"].iloc[0], seen,
               own["change_months"].iloc[-1])  # fmt: skip
        rows.append(dict(zip(SEEN, row, strict=True)))
    return pd.DataFrame(rows, columns=SEEN).astype({"change_months": "Float64"})
