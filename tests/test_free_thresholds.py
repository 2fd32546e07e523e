"""The family against free thresholds: other software, closed forms, brute force, and what cannot be checked."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sentencing.inference import free_thresholds
from sentencing.inference.free_thresholds import free_threshold_test
from sentencing.models import IntervalRegression, NotConverged, NotEstimable, UnknownSize

OPEN = math.nan
FAMILIES = ["lognormal", "weibull", "loglogistic"]
ERRORS = {"lognormal": stats.norm, "loglogistic": stats.logistic, "weibull": stats.gumbel_l}
EDGES = [12.0, 24, 36, 60, 120]


def band_bounds(edges=EDGES) -> tuple[np.ndarray, np.ndarray]:
    return np.array([OPEN, *edges], float), np.array([*edges, OPEN], float)


def banded(counts, edges=EDGES, dist="lognormal", **keywords):
    low, high = band_bounds(edges)
    return IntervalRegression(low, high, weights=counts, dist=dist, **keywords).fit()


def multinomial_llf(counts) -> float:
    counts = np.asarray(counts, float)
    return float(-counts.sum() * stats.entropy(counts))


def people(rng, n: int, edges=EDGES, errors=None) -> pd.DataFrame:
    """One row a person: two covariates and the band."""
    data = pd.DataFrame({"kind": rng.integers(0, 2, n) * 1.0, "age": rng.normal(40, 10, n).round()})
    errors = 0.8 * rng.standard_t(3, n) if errors is None else errors
    data["band"] = np.searchsorted(np.log(edges), 2.8 + 0.5 * data["kind"] + 0.01 * data["age"] + errors)
    return data


def brute_force_llf(low, high, x, weights, dist: str, edges, start) -> float:
    """Largest log-likelihood of ordered thresholds, by SLSQP with constraints and numerical derivatives.

    Rows' bounds are looked up among the edges; nothing is merged beforehand.
    """
    m, family = len(edges), ERRORS[dist]
    place = {edge: k for k, edge in enumerate(edges)}

    def minus_llf(theta):
        total = 0.0
        for lo, hi, row, weight in zip(low, high, x, weights, strict=True):
            level = np.dot(row, theta[m:])
            upper = 1.0 if np.isnan(hi) else family.cdf(theta[place[hi]] - level)
            lower = 0.0 if np.isnan(lo) else family.cdf(theta[place[lo]] - level)
            total -= weight * math.log(max(upper - lower, 1e-300))
        return total

    order = {"type": "ineq", "fun": lambda theta: np.diff(theta[:m])}
    best = math.inf
    for _ in range(4):  # from where the last one stopped, since its numerical derivatives stop it early
        found = optimize.minimize(
            minus_llf, start, constraints=order, method="SLSQP", options={"maxiter": 1000, "ftol": 1e-14}
        )
        if found.fun < best:
            best, start = found.fun, found.x
    return -best


# ---------------------------------------------------------------------------- other software and closed forms


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("link", ["log", "identity"])
def test_with_covariates_the_free_model_is_the_ordered_model(dist, link):
    data = people(np.random.default_rng(1), 400)
    low, high = (bounds[data["band"]] for bounds in band_bounds())
    exog = data[["kind", "age"]].assign(const=1.0)
    results = IntervalRegression(low, high, exog, dist=dist, link=link).fit()
    distr = {"lognormal": "probit", "loglogistic": "logit", "weibull": stats.gumbel_l}[dist]
    ordered = OrderedModel(data["band"].to_numpy(), data[["kind", "age"]].to_numpy(), distr=distr)
    ordered = ordered.fit(method="bfgs", gtol=1e-7, maxiter=1000, disp=False)
    assert ordered.mle_retvals["converged"]
    test = free_threshold_test(results)
    assert test.llf_free == pytest.approx(ordered.llf, abs=1e-7)
    assert test.llf_family == results.llf
    assert test.statistic == pytest.approx(2 * (ordered.llf - results.llf), abs=2e-7)
    assert test.df == 3 and test.note == ""
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 3), rel=1e-12)


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("grid", [0, 6])
def test_without_covariates_the_free_model_reproduces_the_shares(dist, grid):
    counts = [9, 31, 18, 44, 21, 6]
    # "Up to 12, over 12 to 24, …": the grid moves both sides of an edge to the same place.
    sides = {"low_inclusive": False, "high_inclusive": True}
    test = free_threshold_test(banded(counts, dist=dist, grid=grid, **sides))
    assert test.llf_free == pytest.approx(multinomial_llf(counts), abs=1e-9)
    assert test.df == 3 and test.note == ""


@pytest.mark.parametrize("grid", [0.1, 0.7, 6.0])
def test_edges_that_the_grid_moves_together_are_one(grid):
    # "At most 36" ends where "at least 36 + grid" begins, up to rounding.
    low, high = band_bounds()
    low = low + grid
    results = IntervalRegression(low, high, weights=[9, 31, 18, 44, 21, 6], grid=grid).fit()
    test = free_threshold_test(results)
    assert test.df == 3 and test.note == ""
    assert test.llf_free == pytest.approx(multinomial_llf([9, 31, 18, 44, 21, 6]), abs=1e-9)


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("covariate", [False, True])
def test_three_bands_leave_nothing_to_check(dist, covariate):
    low, high = np.tile(band_bounds([36, 60]), 2)
    exog = pd.DataFrame({"const": 1.0, "later": np.repeat([0.0, 1.0], 3)}) if covariate else None
    test = free_threshold_test(IntervalRegression(low, high, exog, weights=[7, 22, 8, 3, 10, 11], dist=dist).fit())
    assert test.statistic == pytest.approx(0, abs=1e-8) and test.statistic >= 0
    assert test.df == 0 and math.isnan(test.p_value)
    assert "nothing can be checked" in test.note


@pytest.mark.parametrize("dist", FAMILIES)
def test_merged_bands_without_covariates_are_turnbulls_estimate(dist):
    # Rows that span several bands; the self-consistent shares of Turnbull 1976, iterated plainly.
    low = np.array([OPEN, 12, 24, 36, 60, 120, OPEN, 12, 24, 36])
    high = np.array([12, 24, 36, 60, 120, OPEN, 36, 60, OPEN, 120])
    weights = np.array([4, 10, 6, 13, 8, 3, 9, 11, 14, 7.0])
    bounds = np.array([-np.inf, *EDGES, np.inf])
    begins, ends = np.nan_to_num(low, nan=-np.inf), np.nan_to_num(high, nan=np.inf)
    inside = (bounds[:-1] >= begins[:, None]) & (bounds[1:] <= ends[:, None])
    shares = np.full(6, 1 / 6)
    for _ in range(20_000):
        shares = weights / weights.sum() @ (inside * shares / (inside @ shares)[:, None])
    test = free_threshold_test(IntervalRegression(low, high, weights=weights, dist=dist).fit())
    assert test.llf_free == pytest.approx(weights @ np.log(inside @ shares), abs=1e-9)
    assert test.df == 3 and test.note == ""


@pytest.mark.parametrize("dist", FAMILIES)
def test_current_status_is_isotonic_regression(dist):
    # Each turbine wheel was looked at once: cracked before, or not yet. Where the share cracked falls with time,
    # neighbouring times are pooled (Ayer and others 1955, Ann. Math. Stat. 26: 641-647).
    table = pd.read_csv(Path(__file__).parent / "oracles" / "t3_turbine.csv")
    table = table[table["n"] > 0]
    results = IntervalRegression(table["lower"], table["upper"], weights=table["n"], dist=dist).fit()
    table["hours"] = table["lower"].fillna(0) + table["upper"].fillna(0)
    cracked = table[table["lower"].isna()].groupby("hours")["n"].sum()
    seen = table.groupby("hours")["n"].sum()
    cracked = cracked.reindex(seen.index).fillna(0)
    pooled = optimize.isotonic_regression(cracked / seen, weights=seen).x
    expected = float(np.sum(special.xlogy(cracked, pooled) + special.xlogy(seen - cracked, 1 - pooled)))
    test = free_threshold_test(results)
    assert test.llf_free == pytest.approx(expected, abs=1e-7)
    # A level of 0 or 1 needs no threshold.
    levels = np.unique(pooled[(pooled > 0) & (pooled < 1)].round(12))
    assert len(levels) < len(seen)
    assert test.df == len(levels) - 2
    assert f"df {len(seen) - 2}" in test.note and "no probability to" in test.note


# ---------------------------------------------------------------------------- brute force


@pytest.mark.parametrize("dist", FAMILIES)
def test_merged_bands_with_a_covariate_against_brute_force(dist):
    rng = np.random.default_rng(3)
    low = np.tile([OPEN, 12, 24, 36, 60, 12, OPEN, 36], 2)
    high = np.tile([12, 24, 36, 60, OPEN, 36, 24, OPEN], 2)
    later = np.repeat([0.0, 1.0], 8)
    weights = rng.integers(1, 15, 16) * 1.0
    results = IntervalRegression(low, high, np.column_stack([np.ones(16), later]), weights=weights, dist=dist).fit()
    test = free_threshold_test(results)
    best = brute_force_llf(low, high, later[:, None], weights, dist, EDGES[:4], [-2.0, -1, 0, 1, 0])
    assert test.llf_free == pytest.approx(best, abs=1e-6)
    assert test.df == 2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dist", FAMILIES)
def test_where_the_order_of_thresholds_binds_against_brute_force(dist, seed):
    # One-sided rows at four edges: nobody is in a band alone, so the bands between may close.
    rng = np.random.default_rng(seed)
    edges = np.repeat([12.0, 24, 36, 60], 4)
    below = np.tile([True, False, True, False], 4)
    later = np.tile([0.0, 0, 1, 1], 4)
    low, high = np.where(below, OPEN, edges), np.where(below, edges, OPEN)
    weights = rng.integers(1, 9, 16) + np.where(below == (edges > 30), 3.0, 0.0)
    results = IntervalRegression(low, high, np.column_stack([np.ones(16), later]), weights=weights, dist=dist).fit()
    test = free_threshold_test(results)
    best = brute_force_llf(low, high, later[:, None], weights, dist, EDGES[:4], [-1.0, -0.5, 0, 0.5, 0])
    assert test.llf_free == pytest.approx(best, abs=1e-6)
    assert 0 <= test.df <= 2
    assert (test.df < 2) == ("no probability to" in test.note)


@pytest.mark.parametrize("seed", range(10))
def test_bands_closed_by_mistake_are_opened_again(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    edges = np.repeat([6.0, 12, 24, 36, 60, 120], 2)
    below = np.tile([True, False], 6)
    # Shares below that rise but for one dip: some bands close, others do not.
    share = np.array([0.1, 0.25, 0.5, 0.4, 0.7, 0.85]) + rng.uniform(-0.05, 0.05, 6)
    weights = 20 * np.where(below, np.repeat(share, 2), 1 - np.repeat(share, 2))
    results = IntervalRegression(np.where(below, OPEN, edges), np.where(below, edges, OPEN), weights=weights).fit()
    expected = free_threshold_test(results)
    assert expected.df == 3
    # Now every gap is taken to be closing.
    monkeypatch.setattr(free_thresholds, "_CLOSING", 100.0)
    test = free_threshold_test(results)
    assert test.llf_free == pytest.approx(expected.llf_free, abs=1e-9)
    assert (test.df, test.note) == (expected.df, expected.note)


@pytest.mark.parametrize("dist", FAMILIES)
def test_derivatives_of_the_free_model(dist):
    low = np.tile([OPEN, 12, 24, 36, 60, 12, OPEN, 36, OPEN, 24, 60], 2)
    high = np.tile([12, 24, 36, 60, OPEN, 36, 24, OPEN, 24, 60, OPEN], 2)
    x = np.column_stack([np.ones(22), np.arange(22) % 5, np.repeat([0, 1], 11)])
    group = UnknownSize([8, 9, 10], [[2, 5, 3], [4, 10, 6], [1, 2, 0]], [0.0, -0.4, -1.0])
    results = IntervalRegression(low, high, x, weights=np.arange(22) % 4 + 1, dist=dist, unknown_sizes=[group]).fit()
    objective = free_thresholds._Objective(free_thresholds._bands_of(results))
    at = np.array([-1.1, -0.2, 0.5, 1.3, 0.3, -0.4])
    _, gradient, hessian = objective.evaluate(at)
    step = 1e-5 * np.eye(6)
    differences = [(objective.evaluate(at + s)[0] - objective.evaluate(at - s)[0]) / 2e-5 for s in step]
    np.testing.assert_allclose(gradient, differences, rtol=1e-7, atol=1e-7)
    differences = [(objective.evaluate(at + s)[1] - objective.evaluate(at - s)[1]) / 2e-5 for s in step]
    np.testing.assert_allclose(hessian, differences, rtol=1e-7, atol=1e-6)


def test_without_a_constant_no_threshold_is_given_away():
    rng = np.random.default_rng(5)
    low, high = np.tile(band_bounds(EDGES[:4]), 3)
    x = np.repeat([0.5, 1.0, 2.0], 5)
    weights = rng.integers(2, 12, 15) * 1.0
    results = IntervalRegression(low, high, x[:, None], weights=weights).fit()
    test = free_threshold_test(results)
    best = brute_force_llf(low, high, x[:, None], weights, "lognormal", EDGES[:4], [-1.0, -0.5, 0, 0.5, 0])
    assert test.llf_free == pytest.approx(best, abs=1e-6)
    assert test.df == 3


def test_the_constant_may_hide_among_other_columns():
    data = people(np.random.default_rng(6), 200)
    low, high = (bounds[data["band"]] for bounds in band_bounds())
    open_constant = data[["kind", "age"]].assign(const=1.0)
    dummies = pd.DataFrame({"other": 1 - data["kind"], "kind": data["kind"], "age": data["age"] / 7})
    tests = [free_threshold_test(IntervalRegression(low, high, x).fit()) for x in (open_constant, dummies)]
    assert tests[0].statistic == pytest.approx(tests[1].statistic, abs=1e-8)
    assert tests[0].df == tests[1].df == 3


# ---------------------------------------------------------------------------- bands without people


def test_a_band_without_people_is_merged_and_noted():
    counts = [9, 31, 0, 44, 21, 6]
    test = free_threshold_test(banded(counts))
    assert test.llf_free == pytest.approx(multinomial_llf([9, 31, 44, 21, 6]), abs=1e-9)
    assert test.df == 2
    unmerged = stats.chi2.sf(test.statistic, 3)
    assert "no probability to 24 to 36; merged" in test.note
    assert f"(unmerged: df 3, p {unmerged:.3g})" in test.note


@pytest.mark.parametrize(
    ("counts", "told"), [([0, 9, 31, 44, 21, 6], "-inf to 12"), ([9, 31, 44, 21, 6, 0], "120 to inf")]
)
def test_an_outer_band_without_people_is_merged_and_noted(counts, told):
    test = free_threshold_test(banded(counts))
    assert test.llf_free == pytest.approx(multinomial_llf([9, 31, 44, 21, 6]), abs=1e-9)
    assert test.df == 2 and f"no probability to {told};" in test.note


def test_rows_that_lose_their_last_bound_say_nothing():
    # Nobody is known to end below 12, so the free model puts everybody above and "at least 12" is certain.
    low, high = [12.0, 12, 24, 36, 60], [OPEN, 24, 36, 60, OPEN]
    weights = [30, 5, 9, 8, 4]
    test = free_threshold_test(IntervalRegression(low, high, weights=weights).fit())
    assert test.llf_free == pytest.approx(multinomial_llf(weights[1:]), abs=1e-9)
    assert test.df == 1 and "no probability to -inf to 12" in test.note


def test_edges_that_no_evidence_tells_apart_count_once():
    # Nobody's row ends at 18 and nobody's begins at 24: both edges divide the same people.
    low, high = [OPEN, 18, 36, 60, 120], [24.0, 36, 60, 120, OPEN]
    weights = [9, 14, 12, 7, 5]
    test = free_threshold_test(IntervalRegression(low, high, weights=weights).fit())
    # Only 18 to 24 and what lies above 36 can hold anyone: the second row can be all in the first of these.
    shares = np.array([9 + 14, 12, 7, 5]) / 47
    expected = float(np.dot([9, 14, 12, 7, 5], np.log([shares[0], shares[0], *shares[1:]])))
    assert test.llf_free == pytest.approx(expected, abs=1e-9)
    assert test.df == 1


def test_too_few_bands_left_give_no_p_value():
    # Bounds that overlap: everybody may be in 33 to 39 or in 57 to 63.
    results = IntervalRegression([OPEN, 33, 57], [39, 63, OPEN], weights=[7, 22, 8]).fit()
    test = free_threshold_test(results)
    assert test.llf_free == pytest.approx(7 * math.log(7 / 15) + 8 * math.log(8 / 15), abs=1e-9)
    assert test.df == 0 and math.isnan(test.p_value) and "nothing can be checked" in test.note


def test_few_people_are_noted():
    assert "11 people in 6 bands" in free_threshold_test(banded([1, 2, 3, 2, 2, 1])).note
    assert free_threshold_test(banded([6, 7, 9, 8, 6, 5])).note == ""


# ---------------------------------------------------------------------------- weights, units, sizes


def test_weights_are_people():
    data = people(np.random.default_rng(7), 150)
    low, high = band_bounds()
    exog = data[["kind"]].assign(const=1.0)
    each = IntervalRegression(low[data["band"]], high[data["band"]], exog).fit()
    cells = data.groupby(["kind", "band"], as_index=False).size()
    exog = cells[["kind"]].assign(const=1.0)
    one, five = (
        free_threshold_test(
            IntervalRegression(low[cells["band"]], high[cells["band"]], exog, weights=times * cells["size"]).fit()
        )
        for times in (1, 5)
    )
    assert one.statistic == pytest.approx(free_threshold_test(each).statistic, abs=1e-8)
    assert five.statistic == pytest.approx(5 * one.statistic, rel=1e-8)


@pytest.mark.parametrize("dist", FAMILIES)
def test_units_of_length_do_not_matter(dist):
    counts = [9, 31, 18, 44, 21, 6]
    months, years = banded(counts, dist=dist), banded(counts, np.array(EDGES) / 12, dist=dist)
    assert free_threshold_test(years).statistic == pytest.approx(free_threshold_test(months).statistic, abs=1e-8)


def test_a_constant_of_the_likelihood_is_on_both_sides():
    counts = [9, 31, 18, 44, 21, 6]
    plain, shifted = (free_threshold_test(banded(counts, log_constant=c)) for c in (0.0, 7.5))
    assert shifted.llf_free == pytest.approx(plain.llf_free + 7.5)
    assert shifted.statistic == pytest.approx(plain.statistic, abs=1e-9)


def test_a_group_of_unknown_size_with_one_possible_size_is_an_ordinary_one():
    counts = np.array([9, 31, 18, 44, 21, 6.0])
    group = UnknownSize([1, 2, 3], [[31, 18, 44]], [0.0])
    known, unknown = banded(counts), banded(counts, unknown_sizes=[group])
    assert free_threshold_test(unknown).statistic == pytest.approx(free_threshold_test(known).statistic, abs=1e-8)


@pytest.mark.parametrize("dist", FAMILIES)
def test_a_group_of_unknown_size_against_brute_force(dist):
    # Shares of 20, 50 and 30 % of 10, 20 or 30 people, besides 40 people whose bands are known.
    low, high = band_bounds([12, 36, 60, 120])
    low, high = np.concatenate([low, [OPEN, 36, 60]]), np.concatenate([high, [36, 60, OPEN]])
    known = np.array([6, 11, 9, 8, 6.0])
    counts, log_weight = np.outer([1, 2, 3], [2.0, 5, 3]), np.log([0.5, 0.3, 0.2])
    group = UnknownSize([5, 6, 7], counts, log_weight)
    results = IntervalRegression(low, high, weights=[*known, 1, 1, 1], dist=dist, unknown_sizes=[group]).fit()

    def minus_llf(z):
        shares = np.exp(np.append(z, 0.0))
        shares = shares / shares.sum()
        merged = np.array([shares[:2].sum(), shares[2], shares[3:].sum()])
        sizes = log_weight + counts @ np.log(merged)
        return -(known @ np.log(shares) + np.logaddexp.reduce(sizes))

    best = optimize.minimize(minus_llf, np.zeros(4), method="BFGS", options={"gtol": 1e-8})
    test = free_threshold_test(results)
    assert test.llf_free == pytest.approx(-best.fun, abs=1e-7)
    assert test.df == 2


# ---------------------------------------------------------------------------- as a test


def test_a_true_family_is_rejected_about_as_often_as_stated_and_a_wrong_one_more_often():
    rng = np.random.default_rng(20240703)
    low, high = band_bounds()
    later = np.repeat([0.0, 1.0], 6)
    exog = np.column_stack([np.ones(12), later])

    def p_value(errors) -> float:
        data = np.searchsorted(np.log(EDGES), 3.4 + 0.3 * np.repeat([0, 1], 200) + errors)
        counts = [np.bincount(part, minlength=6) for part in (data[:200], data[200:])]
        model = IntervalRegression(np.tile(low, 2), np.tile(high, 2), exog, weights=np.concatenate(counts))
        return free_threshold_test(model.fit()).p_value

    true = np.array([p_value(0.9 * rng.normal(size=400)) for _ in range(300)])
    for level in (0.05, 0.5):
        assert np.mean(true <= level) == pytest.approx(level, abs=3 * math.sqrt(level * (1 - level) / 300))
    # Two groups of sentences far apart are no normal distribution.
    wrong = [p_value(0.35 * rng.normal(size=400) + rng.choice([-0.9, 0.9], 400)) for _ in range(40)]
    assert np.mean(np.array(wrong) <= 0.05) > 0.9


bounds_of_rows = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda ends: ends[0] != ends[1])


@given(
    counts=st.lists(st.integers(0, 30), min_size=10, max_size=10),
    spans=st.lists(bounds_of_rows, max_size=6),
    covariate=st.booleans(),
    dist=st.sampled_from(FAMILIES),
)
@settings(max_examples=60, deadline=None)
def test_free_thresholds_never_fit_worse(counts, spans, covariate, dist):
    places = np.array([-np.inf, 12, 24, 36, 60, np.inf])
    ends = [(k, k + 1) for k in range(5)] * 2 + [tuple(sorted(span)) for span in spans]
    later = np.append(np.repeat([0.0, 1.0], 5), np.arange(len(spans)) % 2)
    exog = np.column_stack([np.ones(len(ends)), later]) if covariate else None
    model = IntervalRegression(
        *(places[list(side)] for side in zip(*ends, strict=True)),
        exog,
        weights=[*counts, *[3.0] * len(spans)],
        dist=dist,
    )
    try:
        results = model.fit()
    except NotEstimable:
        return
    try:
        test = free_threshold_test(results)
    except NotEstimable as refused:
        # Where every band of both halves holds somebody, nothing can be separated.
        assert "separate" in refused.reason and covariate and 0 in counts
        return
    assert test.statistic >= 0
    assert test.llf_free <= 0
    assert 0 <= test.df <= 2
    assert (0 <= test.p_value <= 1) if test.df else math.isnan(test.p_value)
    assert (test.df == 2) or test.note


# ---------------------------------------------------------------------------- refusals


def test_exact_lengths_and_averages_are_refused_by_row():
    low, high = band_bounds()
    exact = pd.DataFrame({"low": [*low, 30.0], "high": [*high, 30.0]}, index=list("abcdefg"))
    results = IntervalRegression(exact["low"], exact["high"]).fit()
    with pytest.raises(NotEstimable, match="exact lengths have no edges.*rows: g"):
        free_threshold_test(results)
    results = IntervalRegression(exact["low"], exact["high"], average=[False] * 6 + [True]).fit()
    with pytest.raises(NotEstimable, match="averages have no edges.*rows: g"):
        free_threshold_test(results)
    # With a grid, exact lengths are bands.
    free_threshold_test(IntervalRegression(exact["low"], exact["high"], grid=6).fit())


def test_rows_as_good_as_exact_are_refused_by_row():
    low, high = band_bounds()
    results = IntervalRegression([*low, 30.0], [*high, 30.0 + 1e-10]).fit()
    with pytest.raises(NotEstimable, match="too narrow for free thresholds; rows: 6"):
        free_threshold_test(results)


def test_covariates_of_the_scale_are_refused_by_name():
    low, high = np.tile(band_bounds(), 2)
    scale = pd.DataFrame({"const": 1.0, "late": np.repeat([0.0, 1.0], 6)})
    weights = [9, 31, 18, 44, 21, 6, 3, 5, 9, 20, 9, 9]
    results = IntervalRegression(low, high, weights=weights, exog_scale=scale).fit()
    with pytest.raises(NotEstimable, match="one scale common to all rows.*log_scale:const, log_scale:late"):
        free_threshold_test(results)


def test_a_scale_written_in_other_units_is_still_common():
    counts = [9, 31, 18, 44, 21, 6]
    twos = banded(counts, exog_scale=np.full((6, 1), 2.0))
    assert free_threshold_test(twos).statistic == pytest.approx(free_threshold_test(banded(counts)).statistic, abs=1e-8)


def test_truncation_and_fixed_parameters_are_refused():
    counts = [9, 31, 18, 44, 21, 6]
    with pytest.raises(NotEstimable, match="truncated"):
        free_threshold_test(banded(counts, upper_truncation=400.0))
    model = banded(counts).model
    with pytest.raises(ValueError, match="log_scale held fixed"):
        free_threshold_test(model.fit(fixed={"log_scale": 0.0}))


def test_covariates_that_separate_the_free_bands_are_refused_by_name():
    # Each year has two bands, one higher than the year before: free thresholds can follow the year without limit,
    # while the family's cannot, since these edges are not in line.
    low = [OPEN, 12, 12, 24, 24, 90]
    high = [12.0, 24, 24, 90, 90, OPEN]
    exog = pd.DataFrame({"const": 1.0, "year": np.repeat([0.0, 1, 2], 2)})
    results = IntervalRegression(low, high, exog, weights=[5, 6, 4, 7, 6, 5]).fit()
    assert results.converged
    with pytest.raises(NotEstimable, match="separate the bands.*columns: year"):
        free_threshold_test(results)


def test_rows_that_share_a_band_are_refused():
    # Without a constant the scale is determined although 30 to 36 is part of every row.
    low, high = [OPEN, 12.0, 24, 30], [36.0, 60, OPEN, 120]
    results = IntervalRegression(low, high, [[1.0], [2.0], [-1.0], [0.5]], weights=[4, 5, 6, 7]).fit()
    with pytest.raises(NotEstimable, match="one band has a part in every row"):
        free_threshold_test(results)


def test_a_family_that_fits_better_is_a_failure_and_rounding_is_not():
    results = banded([7, 22, 8], [36, 60])
    best = free_threshold_test(results).llf_free
    results.llf = best + 0.4e-8
    assert free_threshold_test(results).statistic == 0
    results.llf = best + 1e-6
    with pytest.raises(NotConverged, match="the free thresholds reach a log-likelihood of"):
        free_threshold_test(results)
