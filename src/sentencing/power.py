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
from .sources import join_ids

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
        Where the search begins.
    """
    model, label, times = published
    statistic, change = np.zeros(len(times)), np.full(len(times), np.nan)
    estimable = times @ np.bincount(label, minlength=times.shape[1]) > model.exog.shape[1]
    if not estimable.any():  # rows no more than coefficients are met exactly, and the spread runs to 0
        return Tested(statistic, change, estimable)
    inside = np.flatnonzero(estimable)
    whole, good = refit_maxima(model, start, np.ones(3, dtype=bool), label, times[inside])
    without = np.array([start[0] + start[1] / 2, 0.0, start[2]])
    null, _ = refit_maxima(model, without, np.array([True, False, True]), label, times[inside])
    good &= null.converged
    estimable[inside] = good
    statistic[inside[good]] = np.maximum(2 * (whole.value - null.value), 0.0)[good]
    location, step, log_scale = whole.params[good].T
    half = np.exp(location + np.exp(log_scale) * model.likelihood.family.quantile(0.5))
    change[inside[good]] = half * np.expm1(step)
    return Tested(statistic, change, estimable)


def power_by_formula(form: Form, truth: Truth, change_months: float, before: int, after: int, level: float) -> float:
    """Power of the test for so many people on each side, from the expected information; NaN where there is no formula.

    For forms that tell each person's cell the expected information of n people is that of n times the probabilities of
    the cells. The squared step, times what is known of it with the other parameters unknown, is the noncentrality of
    the chi-square statistic (e.g. Lehmann & Romano 2005, Testing Statistical Hypotheses). It supposes many independent
    people.
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


def convictions(justice: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Published yearly totals of convicted people, as of `estimands.convicted_totals`.

    Raises
    ------
    NotEstimable
        When there are none.
    """
    yearly = stages.justice_totals(justice[justice["iso3"] == study.country])
    totals = estimands.convicted_totals(yearly, study.first_year, study.last_year)
    if not len(totals):
        raise NotEstimable("no yearly total of convictions is published, so that nobody can say how many a year")
    return totals


def convicted_a_year(justice: pd.DataFrame, study: Study) -> pd.Series:
    """Published number of convicted people by year; the middle where bodies differ."""
    by_year = convictions(justice, study).groupby("year").agg(low=("value_low", "min"), high=("value_high", "max"))
    return by_year.astype(float).mean(axis=1)


def people_a_year(justice: pd.DataFrame, declared: Declared) -> dict[str, int]:
    """The numbers of people a year that are tried, by their names: quantiles of the published yearly totals."""
    totals = convicted_a_year(justice, declared.study)
    return {name: int(np.rint(np.quantile(totals, share))) for name, share in declared.people.items()}


def shown_people(justice: pd.DataFrame, declared: Declared) -> pd.DataFrame:
    """`people`, `people_a_year` (persons), `published_years` that they come from, `source_ids`."""
    totals = convictions(justice, declared.study)
    found = pd.DataFrame(people_a_year(justice, declared).items(), columns=["people", "people_a_year"])
    return found.assign(published_years=totals["year"].nunique(), source_ids=join_ids(totals["source_ids"]))


def people_in_words(shown: pd.DataFrame) -> str:
    """`shown_people` as a sentence."""
    told = ", ".join(f"{row.people}: {row.people_a_year} people a year" for row in shown.itertuples())
    return f"From {shown['published_years'].iloc[0]} years with a published total: {told}."


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


NEEDED = ["scenario", "form", "people", "people_a_year", "years", "years_low", "years_high", "at_least",
          "calibrated_years", "most_years", "false_alarms", "holds"]  # fmt: skip
SEEN = ["scenario", "form", "people_before", "people_after", "change_months", "at_least", "most_months"]


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
        end of the Monte-Carlo interval of the power, `at_least` is `years_low` or the most years tried;
        `calibrated_years` are those of a test that is made to hold its level.
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
               **needed, "at_least": own["years"].iloc[-1] if needed["years_low"] is pd.NA else needed["years_low"],
               "most_years": own["years"].iloc[-1], "false_alarms": at["alarms"].iloc[0],
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
        most = own["change_months"].iloc[-1]
        row = (scenario, form, own["people_before"].iloc[0], own["people_after"].iloc[0], seen,
               most if seen is pd.NA else seen, most)  # fmt: skip
        rows.append(dict(zip(SEEN, row, strict=True)))
    return pd.DataFrame(rows, columns=SEEN).astype({"change_months": "Float64"})


def check(found: list[Design], results: pd.DataFrame) -> None:
    """Make sure that results are those of the designs that the present evidence and parameters lead to.

    Raises
    ------
    ValueError
        Naming the first design that has no rows, or rows under another truth, or the rows that no design has.
    """
    keys = ["scenario", "form", "people"]
    parts = dict(list(results.groupby(keys, sort=False)))
    for design in found:
        own = parts.pop((design.scenario, design.form, design.people), results.iloc[:0])
        expected = {
            "years": sorted(design.years * (1 + len(design.changes_months))),
            "change_months": sorted([0.0, *design.changes_months] * len(design.years)),
            "people_before": sorted([sum(design.before[:y]) for y in design.years] * (1 + len(design.changes_months))),
            "people_after": sorted([sum(design.after[:y]) for y in design.years] * (1 + len(design.changes_months))),
        }
        settings = {"samples": design.samples, "seed": design.seed} | {
            name: getattr(design.truth, name)
            for name in ("family", "median_months", "log_scale", "together", "correlation")
        }
        wrong = [name for name, values in expected.items() if sorted(own[name].tolist()) != values]
        wrong += [name for name, value in settings.items() if set(own[name]) != {value}]
        if wrong:
            raise ValueError(
                f"the results of {design.scenario}, {design.form}, {design.people} are of other {', '.join(wrong)} "
                "than the evidence and the parameters give; make publication-designs"
            )
    if parts:
        raise ValueError(f"results of no design: {sorted(parts)}; make publication-designs")


def simulate_again(
    found: list[Design], results: pd.DataFrame, scenario: str, people: str, forms: list[str], years: list[int]
) -> str:
    """Simulate a small part of the designs here and compare it with the results; in words.

    Raises
    ------
    ValueError
        When a sample is decided otherwise, or the results are not those of the designs.
    """
    check(found, results)
    own = [d for d in found if (d.scenario, d.people) == (scenario, people) and d.form in forms]
    again = pd.DataFrame([row for design in own for row in simulate(design._replace(years=years))], columns=RESULTS)
    keys, counts = ["scenario", "form", "people", "years", "change_months"], ["found", "not_estimable"]
    before = results.set_index(keys)[counts].rename(columns=lambda name: f"{name}_before")
    joined = again.join(before, on=keys)
    wrong = joined[np.any([joined[name] != joined[f"{name}_before"] for name in counts], axis=0)]
    if len(wrong) or not len(joined):
        told = "; ".join(
            f"{row['form']}, {row['years']} years, change of {row['change_months']:g} months: {row['found_before']} "
            f"found before, {row['found']} now" for row in wrong.to_dict("records")
        )  # fmt: skip
        raise ValueError(f"simulated again, the results are others; make publication-designs: {told or 'no rows'}")
    return (
        f"{len(joined)} rows of the {len(results)} were simulated again for this page, {int(joined['samples'].sum())} "
        "histories in all: each was decided as before."
    )


def histories(design: Design, years: int, change_months: float, count: int) -> pd.DataFrame:
    """The first few made-up histories of a design, as a reader would see them.

    Returns
    -------
    pandas.DataFrame
        `history`, `estimated_change` (months), `p`, `step_found` (yes, no, or no estimate).
    """
    truth = Truth(*design.truth)
    form = form_of(design.form, truth.grid_months, design.yearly_edges_months)
    before, after = (
        np.hstack(state_years(form, truth, change_months, people[:years], count, design.seed, after=side))
        for side, people in enumerate((design.before, design.after))
    )
    published = told(form, before, after, truth.family, truth.grid_months)
    tested = likelihood_ratio(published, truth.params(change_months))
    p = stats.chi2.sf(tested.statistic, 1)
    found = np.where(tested.estimable, np.where(p < design.level, "yes", "no"), "no estimate")
    return pd.DataFrame({"history": np.arange(1, count + 1), "estimated_change": tested.change_months.round(1),
                         "p": p.round(3), "step_found": found})  # fmt: skip


def shown_forms(declared: Declared) -> pd.DataFrame:
    """The forms for a page."""
    return pd.DataFrame([{"form": SHORT[form.id], "what is published of each year": form.reason}
                         for form in declared.forms])  # fmt: skip


def shown_scenarios(found: list[Design], declared: Declared) -> pd.DataFrame:
    """Whose terms are supposed, with the distribution that they come to: median and the middle half of latent terms."""
    truths, rows = {design.scenario: design.truth for design in found}, []
    for scenario in declared.scenarios:
        truth = truths[scenario.id]
        quarter, rest = (
            np.exp(truth.location() + truth.sigma * FAMILIES[truth.family].quantile(q)) for q in (0.25, 0.75)
        )
        told = (scenario.id.replace("_", " "), round(truth.median_months, 1), f"{quarter:.0f} to {rest:.0f}")
        rows.append((*told, scenario.reason))
    return pd.DataFrame(rows, columns=["scenario", "median", "half of the terms", "what is supposed"])


def shown_power(results: pd.DataFrame, study: Study, scenario: str, people: str, alarms: bool = False) -> pd.DataFrame:
    """Power, or false alarms, in percent with intervals: years down, forms across; * where the level is not held."""
    own = with_alarms(results[results["people"] != NOW], study.most_false_alarms)
    own = own[(own["scenario"] == scenario) & (own["people"] == people)]
    which = ("alarms", "alarms_low", "alarms_high") if alarms else ("power", "low", "high")
    value, low, high = (100 * own[column] for column in which)
    texts = [f"{v:.0f} ({a:.0f} to {b:.0f}){'' if held else ' *'}"
             for v, a, b, held in zip(value, low, high, own["holds"], strict=True)]  # fmt: skip
    wide = own.assign(told=texts, form=own["form"].map(SHORT)).pivot_table(
        index="years", columns="form", values="told", aggfunc="first", sort=False
    )
    return wide.sort_index().rename_axis(columns=None).reset_index()


def shown_formula(results: pd.DataFrame, scenario: str, people: str) -> pd.DataFrame:
    """Power by simulation and by formula, percent, where there is a formula; every second number of years."""
    own = results[(results["scenario"] == scenario) & (results["people"] == people) & results["by_formula"].notna()]
    own = own[own["change_months"] > 0]
    texts = [f"{100 * p:.0f} / {100 * f:.0f}" for p, f in zip(own["power"], own["by_formula"], strict=True)]
    wide = own.assign(told=texts, form=own["form"].map(SHORT)).pivot_table(
        index="years", columns="form", values="told", aggfunc="first", sort=False
    )
    return wide.sort_index().iloc[::2].rename_axis(columns=None).reset_index()


def shown_needed(needed: pd.DataFrame, people: str, calibrated: Iterable[str] = ()) -> pd.DataFrame:
    """Years needed by form and scenario, in words; for some scenarios by a test that is made to hold its level too."""
    own = needed[needed["people"] == people]
    columns = {}
    for scenario, rows in own.groupby("scenario", sort=False):
        rows = rows.set_index("form")
        name = scenario.replace("_", " ")
        columns[name] = pd.Series({SHORT[form]: years_in_words(row) for form, row in rows.iterrows()})
        if scenario in calibrated:
            told = rows["calibrated_years"].map(str).where(rows["calibrated_years"].notna(), "more than "
                                                           + rows["most_years"].map(str))  # fmt: skip
            columns[f"{name}, test that allows for it"] = told.rename(index=SHORT)
    return pd.DataFrame(columns).rename_axis("form").reset_index()


def years_in_words(row) -> str:
    """Years needed with what the Monte-Carlo error leaves open: "7 (6 to 7)", "more than 20", or why there is none."""
    if pd.isna(row["years"]):
        return f"more than {row['most_years']}" if row["holds"] else "no test: false alarms"
    most = f"more than {row['most_years']}" if pd.isna(row["years_high"]) else row["years_high"]
    if row["years_low"] == most:
        return str(row["years"])
    return f"{row['years']} ({row['years_low']} to {most})"


def findings(needed: pd.DataFrame, seen: pd.DataFrame, declared: Declared, country: str, people: str) -> dict[str, str]:
    """What an official can act on, by the name of the value: what has to be published, and what is seen now.

    Parameters
    ----------
    needed, seen : pandas.DataFrame
        As of `years_needed` and `smallest_changes`.
    country : str
        Its name.
    people : str
        For which of the declared numbers of people a year.
    """
    study, told = declared.study, {}
    labels = {scenario.id: estimands.KINDS[scenario.source_kind] for scenario in declared.scenarios}
    chance = f"{100 * study.power:.0f} % of histories"
    for scenario in dict.fromkeys(entry.scenario for entry in declared.now):
        own = needed[(needed["scenario"] == scenario) & (needed["people"] == people)]
        parts = [f"{SHORT[row['form']]}: {_years(row)}" for row in own.to_dict("records")]
        told[f"finding_{scenario}"] = (
            f"If {own['people_a_year'].iloc[0]:.0f} people a year get terms as in the {labels[scenario]} of {country}, "
            f"a change of the median by {study.change_months:g} months is seen in {chance} when terms are published "
            f"for so many years before it and as many after: {'; '.join(parts)}."
        )
    for scenario, own in seen.groupby("scenario", sort=False):
        parts = [f"{SHORT[row['form']]}: {_change(row)}" for row in own.to_dict("records")]
        first = own.iloc[0]
        told[f"now_{scenario}"] = (
            f"{labels[scenario].capitalize()} as they are told now, of {first['people_before']} people in the earlier "
            f"and {first['people_after']} in the later years: the smallest change of the median that is seen in "
            f"{chance} is, by the form in which they are told, {'; '.join(parts)}."
        )
    return told


def _years(row: dict) -> str:
    if pd.isna(row["years"]):
        return f"more than {row['most_years']} years" if row["holds"] else "no answer, for the test raises false alarms"
    return f"{row['years']} year{'s' * (row['years'] != 1)}"


def _change(row: dict) -> str:
    if pd.isna(row["change_months"]):
        return f"more than {row['most_months']:g} months"
    return f"{row['change_months']:g} months"


MANY = 100  # people on each side from which the formula is expected to hold


def alarms(results: pd.DataFrame) -> pd.DataFrame:
    """False alarms and histories without an estimate, over all years and numbers of people, by scenario and form.

    Returns
    -------
    pandas.DataFrame
        `scenario`, `form`, `smallest`, `largest` (share of false alarms), `not_estimable` (largest share), `samples`.
    """
    none = results[(results["change_months"] == 0) & (results["people"] != NOW)]
    none = none.assign(missing=none["not_estimable"] / none["samples"])
    return none.groupby(["scenario", "form"], sort=False, as_index=False).agg(
        smallest=("power", "min"),
        largest=("power", "max"),
        not_estimable=("missing", "max"),
        samples=("samples", "min"),
    )


def farthest_from_formula(results: pd.DataFrame) -> float:
    """Largest difference between simulated power and the formula's, with MANY people on each side."""
    many = results[results[["people_before", "people_after"]].min(axis=1) >= MANY]
    return float((many["power"] - many["by_formula"]).abs().max())
