"""The nonparametric estimate against brute force, closed forms, linear programmes and other software."""

import importlib
import io
import itertools
import math
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog
from scipy.stats import binom, chi2
from statsmodels.duration.survfunc import SurvfuncRight

from sentencing.models.errors import NotConverged, NotEstimable
from sentencing.models.turnbull import interval_cuts, set_cuts, turnbull

# The package offers the function under the name of the module.
module = importlib.import_module("sentencing.models.turnbull")

OPEN = math.nan
INF = math.inf


def fit(rows, **keywords):
    """From (low, high, weight, low_inclusive, high_inclusive) tuples, of which the last two may be left out."""
    filled = [(*row, *(True,) * (5 - len(row))) for row in rows]
    low, high, weights, at_low, at_high = (list(column) for column in zip(*filled, strict=True))
    return turnbull(low, high, weights, low_inclusive=at_low, high_inclusive=at_high, **keywords)


def bands(under, between, over):
    return [(OPEN, 36, under, True, False), (36, 60, between), (60, OPEN, over, False, True)]


few_people = st.integers(1, 20)


@st.composite
def a_row(draw, weights=few_people):
    low, high = sorted([draw(st.integers(0, 6)), draw(st.integers(0, 6))])
    at_low, at_high = (True, True) if low == high else (draw(st.booleans()), draw(st.booleans()))
    kind = draw(st.sampled_from(["both", "both", "below", "above"]))
    return (
        OPEN if kind == "below" else low, OPEN if kind == "above" else high, draw(weights),
        at_low or kind == "below", at_high or kind == "above",
    )  # fmt: skip


some_rows = st.lists(a_row(), min_size=1, max_size=9)
# A point for every piece into which whole and half bounds from 0 to 6 can cut the line.
POINTS = [-1.0, *(k / 4 for k in range(25)), 7.0]


def holds(row, point) -> bool:
    low, high, _, at_low, at_high = (*row, *(True,) * (5 - len(row)))
    above = math.isnan(low) or point > low or (point == low and at_low)
    below = math.isnan(high) or point < high or (point == high and at_high)
    return above and below


def coverage(rows) -> np.ndarray:
    """(rows, points) of 0 and 1: which points a row holds."""
    return np.array([[holds(row, point) for point in POINTS] for row in rows], dtype=float)


# ---------------------------------------------------------------------------- innermost intervals


def test_bands_with_shared_edges_are_three_disjoint_intervals():
    found = fit(bands(1, 16, 2)).intervals
    expected = pd.DataFrame(
        {
            "left": [-INF, 36, 60],
            "right": [36, 60, INF],
            "left_inclusive": [False, True, False],
            "right_inclusive": [False, True, False],
            "mass": [1 / 19, 16 / 19, 2 / 19],
        }
    )
    pd.testing.assert_frame_equal(found, expected)


def test_a_term_on_the_edge_lies_in_the_band_that_includes_the_edge():
    found = fit([*bands(1, 16, 2), (36, 36, 3)])
    assert found.intervals[["left", "right"]].to_numpy().tolist() == [[-INF, 36], [36, 36], [60, INF]]
    np.testing.assert_allclose(found.intervals["mass"], [1 / 22, 19 / 22, 2 / 22])
    assert found.cdf_bounds(36, strict=True) == pytest.approx((1 / 22, 1 / 22))
    assert found.cdf_bounds(36) == pytest.approx((20 / 22, 20 / 22))


def test_closed_intervals_that_touch_meet_in_a_point_and_half_open_ones_do_not():
    touching = fit([(0, 36, 2), (36, 60, 3)]).intervals
    assert touching[["left", "right", "mass"]].to_numpy().tolist() == [[36, 36, 1]]
    apart = fit([(0, 36, 2, True, False), (36, 60, 3)])
    np.testing.assert_allclose(apart.intervals["mass"], [0.4, 0.6])
    neither = fit([(0, 36, 2, True, False), (36, 60, 3, False, True)])
    np.testing.assert_allclose(neither.intervals["mass"], [0.4, 0.6])
    assert neither.share_bounds(36, 36) == (0, 0)
    assert apart.share_bounds(36, 36) == pytest.approx((0, 0.6))


@settings(max_examples=200)
@given(some_rows)
def test_innermost_intervals_are_the_largest_sets_of_rows_that_meet(rows):
    met = {frozenset(np.flatnonzero(column)) for column in coverage(rows).T}
    largest = {rows_there for rows_there in met if rows_there and not any(rows_there < other for other in met)}
    found = fit(rows).intervals
    cells = [(*cell, 1, at_low, at_high) for *cell, at_low, at_high in found.drop(columns="mass").to_numpy()]
    points_of = [[k for k, point in enumerate(POINTS) if holds(cell, point)] for cell in cells]
    covered = coverage(rows)
    sets = [{frozenset(np.flatnonzero(covered[:, k])) for k in points} for points in points_of]
    assert all(len(of_cell) == 1 for of_cell in sets)  # the same rows everywhere in a cell, and some point in it
    assert len(sets) == len(largest)
    assert set().union(*sets) == largest
    beginnings = [points[0] for points in points_of]
    assert beginnings == sorted(beginnings)


# ---------------------------------------------------------------------------- closed forms and other estimators


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=8))
def test_disjoint_bands_give_the_sample_shares(weights):
    edges = np.arange(len(weights) + 1) * 12.0
    found = turnbull(edges[:-1], edges[1:], weights, high_inclusive=False)
    shares = np.array(weights) / sum(weights)
    np.testing.assert_allclose(found.intervals["mass"], shares, rtol=1e-9)
    assert found.llf == pytest.approx(np.dot(weights, np.log(shares)), rel=1e-12, abs=1e-9)
    assert found.unique


def test_nested_bands_split_the_outer_ones_in_the_proportion_of_the_inner_ones():
    # 7 people up to 60 of whom nothing more is known, 2 below 36, 4 from 36 to 60, 5 above 60.
    found = fit([(OPEN, 60, 7), *bands(2, 4, 5)])
    below_60 = (7 + 2 + 4) / 18
    np.testing.assert_allclose(found.intervals["mass"], [below_60 * 2 / 6, below_60 * 4 / 6, 5 / 18], rtol=1e-10)
    np.testing.assert_allclose(found.row_probability, [13 / 18, 13 / 54, 26 / 54, 5 / 18], rtol=1e-10)


def test_exact_terms_give_the_empirical_distribution():
    found = turnbull([48, 12, 12, 36], [48, 12, 12, 36])
    assert found.intervals["mass"].tolist() == pytest.approx([0.5, 0.25, 0.25])
    at = np.array([[11.9, 12], [36, 50]])
    lower, upper = found.cdf_bounds(at)
    np.testing.assert_allclose(lower, [[0, 0.5], [0.75, 1]])
    np.testing.assert_allclose(upper, lower, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_kaplan_meier_on_exact_and_right_censored_terms(seed):
    random = np.random.default_rng(seed)
    n = 60
    term, end = random.integers(1, 25, n), random.integers(1, 40, n)
    event, weight = term <= end, random.integers(1, 5, n)
    time = np.minimum(term, end).astype(float)
    found = turnbull(time, np.where(event, time, INF), weight, low_inclusive=event)
    survival = SurvfuncRight(time, event, freq_weights=weight)
    lower, upper = found.cdf_bounds(survival.surv_times)
    np.testing.assert_allclose(lower, 1 - survival.surv_prob, atol=1e-9)
    np.testing.assert_allclose(upper, 1 - survival.surv_prob, atol=1e-9)
    assert found.unique


# survfit stops as soon as the curve moves by less than 5e-05 in a step, which may be far from the maximum, so that it
# is run as it is and with a smaller limit.
R_CODE = r"""
suppressPackageStartupMessages(library(survival))
rows <- read.csv(commandArgs(TRUE)[1])
run <- function(limit) {
  for (id in unique(rows$id)) {
    fit <- survfit(Surv(low, high, type = "interval2") ~ 1, data = rows[rows$id == id, ], weights = w)
    cat(sprintf("%s,%d,%.17g,%.17g\n", limit, id, fit$time, fit$surv), sep = "")
  }
}
run("own")
code <- deparse(survival:::survfitTurnbull)
stopifnot(sum(grepl("eps > 5e-05", code, fixed = TRUE)) == 1)
patient <- eval(parse(text = sub("5e-05", "1e-10", code, fixed = TRUE)), asNamespace("survival"))
assignInNamespace("survfitTurnbull", patient, "survival")
run("small")
"""


def random_rows(seed: int) -> pd.DataFrame:
    """Exact terms, bands, "at most" and "at least"."""
    random = np.random.default_rng(seed)
    n = 40
    term = np.round(random.lognormal(3.8, 0.8, n), 1)
    kind = random.choice(["exact", "band", "at most", "at least"], n, p=[0.2, 0.4, 0.2, 0.2])
    low = np.floor(term / 12) * 12
    high = low + random.choice([12, 24, 48], n)
    low, high = (np.where(kind == "at most", -INF, low), np.where(kind == "at least", INF, high))
    exact = kind == "exact"
    low, high = np.where(exact, term, low), np.where(exact, term, high)
    return pd.DataFrame({"id": seed, "low": low, "high": high, "w": random.integers(1, 6, n)})


@pytest.fixture(scope="module")
def survival_of_r(tmp_path_factory) -> dict:
    """Per limit and data set: R's survival function, continuous from the right or the left."""
    if not shutil.which("Rscript"):
        pytest.skip("Rscript is not installed")
    there = subprocess.run(["Rscript", "-e", "library(survival)"], capture_output=True, text=True, timeout=60)
    if there.returncode:
        pytest.skip("R is there without its package survival")
    folder = tmp_path_factory.mktemp("r")
    rows = pd.concat([random_rows(seed) for seed in range(20)]).replace([INF, -INF], np.nan)
    rows.to_csv(folder / "rows.csv", index=False, na_rep="NA")
    (folder / "fit.R").write_text(R_CODE)
    run = ["Rscript", str(folder / "fit.R"), str(folder / "rows.csv")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    steps = pd.read_csv(io.StringIO(done.stdout), names=["limit", "id", "time", "survival"])

    def step_function(part):
        part = part.sort_values("time")
        times, values = (part["time"].to_numpy(), np.append(1, part["survival"].to_numpy()))
        return lambda at, side="right": values[np.searchsorted(times, at, side=side)]

    return {key: step_function(part) for key, part in steps.groupby(["limit", "id"])}


@pytest.mark.parametrize("seed", range(20))
def test_r_finds_the_same_distribution_and_no_greater_likelihood(survival_of_r, seed):
    rows = random_rows(seed)
    low, high, weight = (rows[column].to_numpy(dtype=float) for column in ("low", "high", "w"))
    exact = low == high  # R's intervals do not include their lower bound
    found = turnbull(low, high, weight, low_inclusive=exact)

    def fitted_by_r(survival):
        return np.where(exact, survival(low, "left"), survival(low)) - np.where(np.isinf(high), 0, survival(high))

    for limit in ("own", "small"):
        assert found.llf >= weight @ np.log(fitted_by_r(survival_of_r[limit, seed])) - 1e-12 * abs(found.llf)
    survival = survival_of_r["small", seed]
    np.testing.assert_allclose(found.row_probability, fitted_by_r(survival), atol=1e-5)
    ends = np.unique(np.concatenate([low, high]))
    ends = ends[np.isfinite(ends)]
    lower, upper = found.cdf_bounds(ends)
    assert (1 - survival(ends) >= lower - 1e-5).all()
    assert (1 - survival(ends) <= upper + 1e-5).all()


# ---------------------------------------------------------------------------- properties of a maximum


@settings(max_examples=200)
@given(st.lists(a_row(st.one_of(st.integers(1, 20), st.floats(1e-3, 1e5))), min_size=1, max_size=9))
def test_masses_satisfy_the_conditions_of_a_maximum(rows):
    found = fit(rows)
    mass, weight = (found.intervals["mass"].to_numpy(), np.array([row[2] for row in rows], dtype=float))
    assert mass.sum() == pytest.approx(1, abs=1e-12)
    assert (mass >= 0).all()
    ends = found.intervals.drop(columns="mass").to_numpy()
    cells = [(*bounds, 1, *flags) for bounds, flags in ((cell[:2], cell[2:]) for cell in ends)]
    # A point of each cell decides which rows cover it, for no row ends inside a cell.
    inner = [next(point for point in POINTS if holds(cell, point)) for cell in cells]
    covered = np.array([[holds(row, point) for point in inner] for row in rows], dtype=float)
    probability = covered @ mass
    np.testing.assert_allclose(found.row_probability, probability, rtol=1e-9)
    assert found.llf == pytest.approx(weight @ np.log(probability), rel=1e-9, abs=1e-9)
    total = weight.sum()
    derivative = covered.T @ (weight / probability)
    assert derivative.max() - total <= 2e-10 * total
    np.testing.assert_allclose(derivative[mass > 1e-6], total, rtol=1e-6)
    assert -1e-13 * total <= found.gap <= 1e-10 * total


@settings(max_examples=60)
@given(some_rows, st.randoms(use_true_random=False))
def test_weights_are_repetitions_and_the_order_of_rows_does_not_matter(rows, chance):
    repeated = [(*row[:2], 1, *row[3:]) for row in rows for _ in range(row[2])]
    chance.shuffle(repeated)
    one, other = fit(rows), fit(repeated)
    assert other.llf == pytest.approx(one.llf, rel=1e-10, abs=1e-10)
    assert (one.unique, one.nobs) == (other.unique, other.nobs)
    columns = ["left", "right", "left_inclusive", "right_inclusive"]
    pd.testing.assert_frame_equal(one.intervals[columns], other.intervals[columns])
    for strict in (True, False):
        np.testing.assert_allclose(one.cdf_bounds(POINTS, strict), other.cdf_bounds(POINTS, strict), atol=1e-8)


@settings(max_examples=60)
@given(some_rows, st.integers(1, 50))
def test_rows_without_bounds_or_without_people_change_nothing(rows, people):
    assume(any(not (math.isnan(row[0]) and math.isnan(row[1])) for row in rows))
    one, other = (fit(rows), fit([(OPEN, OPEN, people), *rows, (3, 3, 0), (-INF, INF, people)]))
    pd.testing.assert_frame_equal(one.intervals, other.intervals)
    assert (one.llf, one.nobs, one.unique) == (other.llf, other.nobs, other.unique)
    assert other.row_probability[[0, -1]].tolist() == [1, 1]
    assert math.isnan(other.row_probability[-2])
    np.testing.assert_array_equal(one.row_probability, other.row_probability[1:-2])
    pd.testing.assert_frame_equal(one.confidence_band([2, 3]), other.confidence_band([2, 3]))


# ---------------------------------------------------------------------------- what is left undetermined


def extremes_by_linear_programme(rows, found, wanted) -> tuple[float, float]:
    """Least and greatest mass on the points `wanted` over the distributions on the points that fit the rows as well."""
    system = np.vstack([coverage(rows), np.ones(len(POINTS))])
    fixed = np.append(found.row_probability, 1)
    values = []
    for sign in (1, -1):
        done = linprog(sign * np.asarray(wanted, dtype=float), A_eq=system, b_eq=fixed, bounds=(0, None))
        assert done.status == 0, done.message
        values.append(sign * done.fun)
    return tuple(values)


@settings(max_examples=100)
@given(some_rows, a_row())
def test_bounds_are_those_of_the_linear_programme_over_all_maximisers(rows, target):
    found = fit(rows)
    for at, strict in itertools.product([-0.5, 2, 2.5, 3], [True, False]):
        wanted = [point < at if strict else point <= at for point in POINTS]
        assert found.cdf_bounds(at, strict) == pytest.approx(
            extremes_by_linear_programme(rows, found, wanted), abs=1e-6
        )
    low, high, _, at_low, at_high = target
    expected = extremes_by_linear_programme(rows, found, [holds(target, point) for point in POINTS])
    assert found.share_bounds(low, high, at_low, at_high) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=100)
@given(some_rows)
def test_uniqueness_is_that_of_the_linear_programme(rows):
    found = fit(rows)
    ends = found.intervals.drop(columns="mass").to_numpy()
    cells = [(*cell[:2], 1, *cell[2:]) for cell in ends]
    widths = []
    for cell in cells:
        lower, upper = extremes_by_linear_programme(rows, found, [holds(cell, point) for point in POINTS])
        widths.append(upper - lower)
    assert found.unique == (max(widths) < 1e-5)


def test_where_a_mass_lies_inside_its_interval_stays_open():
    placed = fit([(1, OPEN, 2), (OPEN, 2, 2)])
    assert placed.unique
    assert placed.cdf_bounds([1, 1.5, 2]).lower.tolist() == [0, 0, 1]
    assert placed.cdf_bounds([0.9, 1, 1.5, 2]).upper.tolist() == [0, 1, 1, 1]


@settings(max_examples=100)
@given(some_rows)
def test_bounds_of_the_distribution_are_ordered_and_do_not_fall(rows):
    found = fit(rows)
    at = np.linspace(-1, 7, 33)
    lower, upper = found.cdf_bounds(at)
    strictly_lower, strictly_upper = found.cdf_bounds(at, strict=True)
    assert (lower <= upper + 1e-12).all()
    assert (np.diff(lower) >= -1e-12).all() and (np.diff(upper) >= -1e-12).all()
    assert (strictly_lower <= lower + 1e-12).all() and (strictly_upper <= upper + 1e-12).all()
    assert found.cdf_bounds(INF) == pytest.approx((1, 1))
    assert found.cdf_bounds(-INF) == (0, 0)


@settings(max_examples=60)
@given(some_rows, st.floats(0.05, 1))
def test_quantiles_are_where_the_bounds_of_the_distribution_reach_them(rows, q):
    found = fit(rows)
    at = np.round(np.arange(-1, 7.001, 0.25), 2)
    lower, upper = found.cdf_bounds(at)
    assume((abs(lower - q) > 1e-6).all() and (abs(upper - q) > 1e-6).all())
    smallest, largest = found.quantile_bounds(q)
    assert smallest <= largest
    # A bound may be approached from the right only, so that the distribution reaches q just after it.
    reached = at[upper >= q]
    if reached.size and not math.isinf(smallest):
        assert reached[0] - 0.25 <= smallest <= reached[0]
    elif math.isinf(smallest):
        assert reached[0] == at[0]
    surely = at[lower >= q]
    if math.isinf(largest):
        assert not surely.size
    else:
        assert surely[0] - 0.25 <= largest <= surely[0]


def test_quantiles_of_bands():
    found = fit(bands(1, 16, 2))
    lower, upper = found.quantile_bounds([0.05, 0.5, 17 / 19, 0.9, 1])
    assert lower.tolist() == [-INF, 36, 36, 60, 60]
    assert upper.tolist() == [36, 60, 60, INF, INF]
    assert turnbull([12, 24], [12, 24]).quantile_bounds(0.5) == (12, 12)


@pytest.mark.parametrize("n", [9, 12, 20, 50])
def test_a_quantile_is_reached_in_spite_of_binary_rounding(n):
    terms = np.arange(1.0, n + 1)
    lower, upper = turnbull(terms, terms).quantile_bounds(terms / n)
    assert lower.tolist() == upper.tolist() == terms.tolist()


# ---------------------------------------------------------------------------- likelihood-ratio intervals


def binomial_interval(inside: float, total: float, alpha: float) -> tuple[float, float]:
    """All p whose binomial likelihood ratio is within the chi-square(1) quantile."""

    def loss(p):
        terms = [k * math.log(k / total / share) for k, share in ((inside, p), (total - inside, 1 - p)) if k]
        return 2 * sum(terms) - chi2.ppf(1 - alpha, 1)

    best = inside / total
    lower = brentq(loss, 1e-300, best, xtol=1e-14) if inside else 0
    upper = brentq(loss, best, 1 - 1e-16, xtol=1e-14) if inside < total else 1
    return lower, upper


@pytest.mark.parametrize(
    "counts", [(1, 16, 2), (0, 5, 3), (4, 0, 0), (0, 0, 1), (250, 400, 350), (0.5, 0.3, 2.2), (0.1, 3, 900)]
)
@pytest.mark.parametrize("alpha", [0.32, 0.05, 0.001])
def test_on_disjoint_bands_the_interval_is_the_binomial_one(counts, alpha):
    found, total = fit(bands(*counts)), sum(counts)
    under = found.confidence_band([36], alpha, strict=True)
    assert under[["lower", "upper"]].to_numpy()[0] == pytest.approx(
        binomial_interval(counts[0], total, alpha), abs=1e-8
    )
    up_to_60 = found.confidence_band(60, alpha)
    assert up_to_60.index.tolist() == [60]
    assert up_to_60[["lower", "upper"]].to_numpy()[0] == pytest.approx(
        binomial_interval(counts[0] + counts[1], total, alpha), abs=1e-8
    )
    between = found.confidence_share(36, 60, alpha=alpha)
    assert between == pytest.approx(binomial_interval(counts[1], total, alpha), abs=1e-8)


def test_where_nothing_is_known_of_a_place_inside_a_band_the_interval_is_that_of_the_bands_beside_it():
    found = fit(bands(1, 16, 2))
    row = found.confidence_band([48]).iloc[0]
    assert row["lower"] == pytest.approx(binomial_interval(1, 19, 0.05)[0], abs=1e-8)
    assert row["upper"] == pytest.approx(binomial_interval(17, 19, 0.05)[1], abs=1e-8)
    assert (row["npmle_lower"], row["npmle_upper"]) == pytest.approx((1 / 19, 17 / 19))


@pytest.mark.parametrize("weight", [0.5, 1, 2, 10])
def test_a_share_between_that_all_may_lie_beside_has_a_known_profile(weight):
    # Both rows can leave 36 to 60, to one side each. With p inside and half of the others on either side, the
    # log-likelihood is 2 weight log(p + (1 - p)/2), at most 0: p = 2 exp(-quantile/4 weight) - 1, or 0 if that is less.
    found = turnbull([30, 40], [48, 70], [weight, weight])
    expected = max(2 * math.exp(-chi2.ppf(0.95, 1) / (4 * weight)) - 1, 0)
    assert found.confidence_share(36, 60) == pytest.approx((expected, 1), abs=1e-8)


def test_below_all_that_is_known_the_upper_end_is_that_of_no_one_among_all():
    band = turnbull([12, 24, 24], [18, 30, OPEN]).confidence_band([6, -INF, INF])
    assert band["lower"].tolist() == pytest.approx([0, 0, 1], abs=1e-14)
    assert band["upper"].tolist() == pytest.approx([1 - math.exp(-chi2.ppf(0.95, 1) / 6), 0, 1], abs=1e-8)


def profile_by_expectation_maximisation(rows, inside, p: float) -> tuple[float, float]:
    """Largest log-likelihood with mass p on the points `inside`: what was reached, and a bound that none exceeds."""
    covered, weight = coverage(rows), np.array([row[2] for row in rows], dtype=float)
    totals = [(np.asarray(part), total) for part, total in ((inside, p), (~inside, 1 - p)) if total]
    mass = sum(part * total / part.sum() for part, total in totals)
    if not (covered @ mass > 0).all():
        return -INF, -INF
    for _ in range(5000):
        moved = mass * (covered.T @ (weight / (covered @ mass)))
        # A part that no row covers has all places alike.
        mass = sum(part * (moved * total / moved[part].sum() if moved[part].any() else mass) for part, total in totals)
    reached = weight @ np.log(covered @ mass)
    derivative = covered.T @ (weight / (covered @ mass))
    # The log-likelihood lies below its tangent, which is highest where each part sits on its steepest point.
    return reached, reached + sum(total * derivative[part].max() for part, total in totals) - weight.sum()


@settings(max_examples=50)
@given(some_rows, st.sampled_from([1, 2.5, 3, 4]), st.sampled_from([0.3, 0.05]))
def test_interval_ends_where_the_profile_crosses_the_quantile(rows, at, alpha):
    found = fit(rows)
    row = found.confidence_band([at], alpha).iloc[0]
    assert 0 <= row["lower"] <= row["npmle_lower"] <= row["npmle_upper"] <= row["upper"] <= 1
    inside = np.array(POINTS) <= at
    allowed = chi2.ppf(1 - alpha, 1) / 2
    for end in (row["lower"], row["upper"]):
        reached, bound = profile_by_expectation_maximisation(rows, inside, end)
        assert found.llf - bound <= allowed + 1e-6
        if end not in (0, 1):
            assert found.llf - reached >= allowed - 1e-6
            assert bound - reached < 0.05


@settings(max_examples=30)
@given(some_rows)
def test_a_lower_level_gives_an_interval_inside(rows):
    found = fit(rows)
    narrow, wide = (found.confidence_band(POINTS[::4], 0.3), found.confidence_band(POINTS[::4], 0.02))
    assert (wide["lower"] <= narrow["lower"] + 1e-8).all() and (narrow["upper"] <= wide["upper"] + 1e-8).all()
    # And P(T <= at) does not fall as `at` grows, so neither do the ends.
    for band in (narrow, wide):
        assert (np.diff(band["lower"]) >= -1e-8).all() and (np.diff(band["upper"]) >= -1e-8).all()


def test_on_two_bands_the_interval_holds_the_truth_about_as_often_as_it_says():
    n, p = 30, 0.3
    intervals = {
        k: fit([(OPEN, 36, k), (36, OPEN, n - k, False, True)]).confidence_band([36])[["lower", "upper"]].to_numpy()[0]
        for k in range(n + 1)
    }
    for k, ends in intervals.items():
        assert ends == pytest.approx(binomial_interval(k, n, 0.05), abs=1e-8)
    held = np.array([low <= p <= high for low, high in intervals.values()])
    drawn = np.random.default_rng(20260101).binomial(n, p, 2000)
    exactly = binom.pmf(np.arange(n + 1), n, p) @ held
    assert held[drawn].mean() == pytest.approx(exactly, abs=3 * math.sqrt(exactly * (1 - exactly) / 2000))
    assert 0.93 <= exactly <= 0.97


def test_on_bands_that_overlap_the_interval_holds_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(5)
    truth, held = np.array([0.3, 0.5, 0.2]), []
    for _ in range(300):
        people = random.multinomial(60, truth)
        # Of a fifth it is said only that they are up to 60, or from 36 on, whatever their term within these.
        up_to_60 = random.binomial(people[:2], 0.2)
        from_36 = np.array([random.binomial(people[1] - up_to_60[1], 0.25), random.binomial(people[2], 0.2)])
        known = people - [up_to_60[0], up_to_60[1] + from_36[0], from_36[1]]
        rows = [*bands(*known), (OPEN, 60, up_to_60.sum()), (36, OPEN, from_36.sum())]
        row = fit(rows).confidence_band([36], strict=True).iloc[0]
        held.append(row["lower"] <= truth[0] <= row["upper"])
    # Chance alone moves the share of 300 by 0.0126 (one standard error).
    assert 0.95 - 3 * 0.0126 <= np.mean(held) <= 0.95 + 3 * 0.0126


# ---------------------------------------------------------------------------- bootstrap

OVERLAPPING = [*bands(3, 5, 2), (OPEN, 60, 4), (30, OPEN, 3), (48, 48, 1), (24, 50, 2), (OPEN, OPEN, 6)]
CLUSTERS = ["a", "a", "b", "b", "c", "c", "d", "e"]


def test_samples_of_groups_are_fitted_as_if_each_were_the_only_data():
    found = fit(OVERLAPPING)
    n_boot, alpha, at = 119, 0.1, [30, 36, 40, 60]
    band = found.confidence_band(at, alpha, "bootstrap", groups=CLUSTERS, seed=3, n_boot=n_boot)
    drawn = np.random.default_rng(3).multinomial(5, np.full(5, 0.2), size=n_boot)
    lower, upper = np.zeros((n_boot, len(at))), np.ones((n_boot, len(at)))
    for b, times in enumerate(drawn):
        of_row = dict(zip("abcde", times, strict=True))
        rows = [(*row[:2], row[2] * of_row[group], *row[3:]) for row, group in zip(OVERLAPPING, CLUSTERS, strict=True)]
        if any(row[2] for row in rows[:-1]):
            lower[b], upper[b] = fit(rows).cdf_bounds(at)
    # 120 x 0.05 = 6th smallest, 120 x 0.95 = 114th smallest.
    expected = np.column_stack([np.sort(lower, axis=0)[5], np.sort(upper, axis=0)[113]])
    envelope = np.column_stack(found.cdf_bounds(at))
    expected = np.column_stack([np.minimum(expected[:, 0], envelope[:, 0]), np.maximum(expected[:, 1], envelope[:, 1])])
    np.testing.assert_allclose(band[["lower", "upper"]], expected, atol=1e-7)


def test_samples_whose_first_iteration_is_slow_are_brought_to_the_maximum_too():
    rows = random_rows(17)
    exact = rows["low"] == rows["high"]
    found = turnbull(rows["low"], rows["high"], rows["w"], low_inclusive=exact)
    band = found.confidence_band([24, 48], 0.5, "bootstrap", groups=range(40), seed=2, n_boot=19)
    drawn = np.random.default_rng(2).multinomial(40, np.full(40, 1 / 40), size=19)
    refitted = [turnbull(rows["low"], rows["high"], rows["w"] * times, low_inclusive=exact) for times in drawn]
    lower, upper = np.array([one.cdf_bounds([24, 48]) for one in refitted]).transpose(1, 0, 2)
    # 20 x 0.25 = 5th smallest, 20 x 0.75 = 15th.
    np.testing.assert_allclose(band["lower"], np.sort(lower, axis=0)[4], atol=1e-8)
    np.testing.assert_allclose(band["upper"], np.sort(upper, axis=0)[14], atol=1e-8)


def test_even_the_interval_of_a_single_sample_holds_the_estimate():
    found = fit(bands(3, 5, 2))
    ends = [found.confidence_band([36], method="bootstrap", strict=True, seed=seed, n_boot=1) for seed in range(10)]
    lower, upper = np.array([band[["lower", "upper"]].to_numpy()[0] for band in ends]).T
    assert (lower <= 0.3 + 1e-12).all() and (upper >= 0.3 - 1e-12).all()
    assert (lower < 0.29).any() and (upper > 0.31).any()  # the samples differ from the data, to either side


def test_people_are_resampled_one_by_one_without_groups():
    counts = (4, 11, 5)
    found = fit(bands(*counts))
    band = found.confidence_band([36], method="bootstrap", strict=True, seed=1)
    # Percentiles of the binomial share 4/20; the sample quantiles of 999 draws are at most one person off.
    expected = binom.ppf([0.025, 0.975], 20, 4 / 20) / 20
    np.testing.assert_allclose(band[["lower", "upper"]].to_numpy()[0], expected, atol=1 / 20 + 1e-9)
    between = found.confidence_share(36, 60, method="bootstrap", seed=1)
    np.testing.assert_allclose(between, binom.ppf([0.025, 0.975], 20, 11 / 20) / 20, atol=1 / 20 + 1e-9)


def test_bootstrap_repeats_with_its_seed_and_holds_the_estimate():
    found = fit(OVERLAPPING)
    one, other, third = (
        found.confidence_band([30, 36, 48], method="bootstrap", seed=seed, n_boot=199) for seed in (8, 8, 9)
    )
    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(third)
    assert (one["lower"] <= one["npmle_lower"]).all() and (one["upper"] >= one["npmle_upper"]).all()


def test_samples_in_which_nothing_is_known_count_as_nothing_known():
    # One of two groups has no bounds: a quarter of the samples hold nothing else.
    found = fit([(12, 12, 1), (OPEN, OPEN, 1)])
    band = found.confidence_band([12], method="bootstrap", groups=[1, 2], seed=0, n_boot=399)
    assert band[["lower", "upper"]].to_numpy().tolist() == [[0, 1]]
    assert found.confidence_band([12])["lower"].iloc[0] == pytest.approx(binomial_interval(1, 1, 0.05)[0], abs=1e-8)


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 5], [2, 4]), r"positions \[1\]: lower bound above"),
        (([1, 4], [2, 4], None, {"low_inclusive": [True, False]}), r"positions \[1\]: equal bounds"),
        (([4, 1], [4, 2], None, {"high_inclusive": False}), r"positions \[0\]: equal bounds"),
        (([1, 1], [2, 2], [1, -1]), r"positions \[1\]: weights"),
        (([1, 1], [2, 2], [math.nan, 1]), r"positions \[0\]: weights"),
        (([1, 1], [2, 2], [INF, 1]), r"positions \[0\]: weights"),
        (([INF, 1], [INF, 2]), r"positions \[0\]: a lower bound of plus infinity"),
        (([1, 1], [2, -INF]), r"positions \[1\]: an upper bound of minus infinity"),
        (([1, 1], [2]), r"different lengths: \[2, 1, 2\]"),
        (([1, 1], [2, 2], None, {"low_inclusive": [True]}), r"different lengths: \[2, 2, 2, 1\]"),
    ],
)
def test_rows_that_make_no_sense_are_refused_with_their_position(arguments, message):
    *arrays, keywords = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    with pytest.raises(ValueError, match=message):
        turnbull(*arrays, **keywords)


@pytest.mark.parametrize("rows", [[], [(1, 2, 0)], [(OPEN, OPEN, 3), (-INF, INF, 2), (1, 2, 0)]])
def test_nothing_is_estimated_from_nothing(rows):
    low, high, weight = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    with pytest.raises(NotEstimable, match="nothing is known"):
        turnbull(low, high, weight)


def test_a_fit_that_is_not_at_the_maximum_is_never_returned(monkeypatch):
    rows = [(1, 3, 2), (2, 5, 3), (4, 8, 5), (7, 9, 1), (3, 4, 1)]
    assert fit(rows).gap <= 1e-10 * 12
    monkeypatch.setattr(module, "_MAX_NEWTON", 1)
    with pytest.raises(NotConverged, match="duality gap of .* 1e-10 was asked for .5 distinct rows, "):
        fit(rows)


def test_least_squares_that_reaches_its_limit_does_not_end_the_fit(monkeypatch):
    expected = fit(OVERLAPPING)

    def refuses(*_, **__):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(module, "nnls", refuses)
    monkeypatch.setattr(module, "_MAX_NEWTON", 20_000)
    assert fit(OVERLAPPING).llf == pytest.approx(expected.llf, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f.cdf_bounds([1, math.nan]), r"positions \[1\]"),
        (lambda f: f.share_bounds(5, 4), r"no value lies in \[5, 4\]"),
        (lambda f: f.share_bounds(4, 4, True, False), r"no value lies in \[4, 4\)"),
        (lambda f: f.quantile_bounds([0.5, 0]), "above 0 and not above 1"),
        (lambda f: f.quantile_bounds(1.1), "above 0 and not above 1"),
        (lambda f: f.confidence_band([36], alpha=0), "alpha must be between 0 and 1"),
        (lambda f: f.confidence_band([36], method="wald"), "'wald' is neither"),
        (lambda f: f.confidence_band([math.nan]), r"positions \[0\]"),
        (lambda f: f.confidence_band([36], method="bootstrap", groups=[1, 2]), "2 labels for 3 rows"),
        (lambda f: f.confidence_band([36], method="bootstrap", groups=[1, None, 2]), r"positions \[1\]: no group"),
        (lambda f: f.confidence_band([36], method="bootstrap", n_boot=0), "at least 1"),
        (lambda f: f.confidence_band([36], method="bootstrap"), r"positions \[2\]: weights that are not whole"),
    ],
)
def test_questions_without_an_answer_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(fit(bands(1, 2, 2.5)))


def test_a_single_group_is_not_resampled():
    with pytest.raises(NotEstimable, match="one group cannot be resampled"):
        fit(bands(1, 2, 2)).confidence_band([36], method="bootstrap", groups=["x", "x", "x"])


POSITIONS = [
    (([1, 5], [2, 4]), "positions [1]: lower bound above the upper one"),
    (([4, 1], [4, 2], None, {"high_inclusive": False}),
     "positions [0]: equal bounds, which must both belong to the row"),
    (([1, 1], [2, 2], [1, -1]), "positions [1]: weights must be finite numbers from 0 on"),
    (([INF, 1], [INF, 2]), "positions [0]: a lower bound of plus infinity; an open one is NaN or minus infinity"),
    (([1, 1], [2, -INF]), "positions [1]: an upper bound of minus infinity; an open one is NaN or plus infinity"),
    (([1, 1], [2, 2], [1]), "arrays of different lengths: [2, 2, 1]"),
    (([1, 1], [2, 2], None, {"high_inclusive": [True] * 3}), "arrays of different lengths: [2, 2, 2, 3]"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "told"), POSITIONS)
def test_refusal_of_rows_says_where_and_what_would_be_right(arguments, told):
    *arrays, keywords = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    with pytest.raises(ValueError) as caught:
        turnbull(*arrays, **keywords)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda f: f.cdf_bounds([1, OPEN, OPEN]), "positions [1, 2]: a point must not be missing"),
        (lambda f: f.share_bounds(4, 4, False, True), "no value lies in (4, 4]"),
        (lambda f: f.share_bounds(5, 4), "no value lies in [5, 4]"),
        (lambda f: f.share_bounds(4, 4, False, False), "no value lies in (4, 4)"),
        (lambda f: f.quantile_bounds([0.5, 0]), "q must be above 0 and not above 1; found [0.5, 0.0]"),
        (lambda f: f.confidence_band([36], alpha=1), "alpha must be between 0 and 1; found 1"),
        (lambda f: f.confidence_band([36], method="wald"), "method 'wald' is neither 'likelihood' nor 'bootstrap'"),
        (lambda f: f.confidence_share(OPEN, 36, method="bootstrap", groups=[1, 2]), "groups has 2 labels for 3 rows"),
        (lambda f: f.confidence_share(OPEN, 36, method="bootstrap", groups=[1, None, 2]), "positions [1]: no group"),
        (lambda f: f.confidence_share(OPEN, 36, method="bootstrap", n_boot=0), "n_boot must be at least 1; found 0"),
        (lambda f: f.confidence_share(OPEN, 36, method="bootstrap"),
         "positions [2]: weights that are not whole people; say which groups to resample"),
        (lambda f: f.confidence_share(OPEN, 36, method="bootstrap", groups=[1, 1, 1]),
         "one group cannot be resampled: its samples would all be the same"),
    ],
)  # fmt: skip
def test_refusal_of_a_question_says_what_is_wrong(call, told):
    with pytest.raises(ValueError) as caught:
        call(fit(bands(1, 2, 2.5)))
    assert str(caught.value) == told


def test_nothing_known_is_refused_with_the_rows_that_have_people():
    with pytest.raises(NotEstimable) as caught:
        turnbull([OPEN, 1, -INF], [OPEN, 2, INF], [3, 0, 1])
    assert caught.value.reason == "no row of positive weight has a bound, so that nothing is known of the distribution"
    assert caught.value.rows == (0, 2) and caught.value.columns == ()


def test_a_result_tells_people_likelihood_gap_and_the_probability_of_every_row():
    """Two below 36, three from there on; one of whom nothing is known, and a row of nobody."""
    found = turnbull([OPEN, 36, OPEN, 36], [36, OPEN, OPEN, 60], [2, 3, 1, 0], high_inclusive=False)
    np.testing.assert_allclose(found.row_probability, [0.4, 0.6, 1.0, np.nan], rtol=1e-10)
    assert found.nobs == 5.0 and found.llf == pytest.approx(2 * np.log(0.4) + 3 * np.log(0.6), rel=1e-12)
    assert found.unique is True and 0 <= abs(found.gap) <= 5e-10
    assert list(found.intervals) == ["left", "right", "left_inclusive", "right_inclusive", "mass"]
    assert found.intervals.dtypes.astype(str).tolist() == ["float64", "float64", "bool", "bool", "float64"]


def test_bounds_of_many_points_keep_their_shape_and_of_none_are_empty():
    found = fit(bands(1, 2, 2))
    for ask in (found.cdf_bounds, found.quantile_bounds):
        assert [part.shape for part in ask(np.full((2, 3), 0.5))] == [(2, 3)] * 2
        assert [part.shape for part in ask([])] == [(0,)] * 2
        assert all(isinstance(part, float) for part in ask(0.5))
    assert all(isinstance(part, float) for part in found.share_bounds(OPEN, 36))
    assert found.confidence_band([]).empty
    band = found.confidence_band([INF, -INF, 36])
    assert list(band) == ["lower", "upper", "npmle_lower", "npmle_upper"] and band.index.name == "at"
    assert band.loc[INF].tolist() == [1, 1, 1, 1] and band.loc[-INF].tolist() == [0, 0, 0, 0]
    assert found.cdf_bounds(-INF) == (0, 0) and found.cdf_bounds(INF, strict=True) == (1, 1)


def test_a_cut_lies_below_or_above_its_bound_and_beside_no_open_end():
    begin, end = interval_cuts([12, 12, OPEN, -INF], [36, 36, OPEN, INF], [True, False] * 2, [True, False] * 2)
    assert begin.tolist() == [12 - 1j, 12 + 1j, complex(-INF, 0), complex(-INF, 0)]
    assert end.tolist() == [36 + 1j, 36 - 1j, complex(INF, 0), complex(INF, 0)]
    assert set_cuts(12, 36) == (12 - 1j, 36 + 1j) and set_cuts(OPEN, OPEN) == (complex(-INF, 0), complex(INF, 0))
