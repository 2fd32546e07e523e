"""IntervalRegression: what its likelihood is, what leaves it unchanged, what it refuses, what it tells."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog
from statsmodels.tools.numdiff import approx_fprime

from sentencing.models import IntervalRegression, NotConverged, NotEstimable, profile
from sentencing.models.likelihood import ABOVE, AVERAGE, BELOW, CELL, EXACT, UnknownSize

FAMILIES = ["lognormal", "loglogistic", "weibull"]
LINKS = ["log", "identity"]
OPEN = math.nan
LATENT = {
    ("lognormal", "log"): lambda mu, sigma: stats.lognorm(s=sigma, scale=np.exp(mu)),
    ("loglogistic", "log"): lambda mu, sigma: stats.fisk(c=1 / sigma, scale=np.exp(mu)),
    ("weibull", "log"): lambda mu, sigma: stats.weibull_min(c=1 / sigma, scale=np.exp(mu)),
    ("lognormal", "identity"): lambda mu, sigma: stats.norm(loc=mu, scale=sigma),
    ("loglogistic", "identity"): lambda mu, sigma: stats.logistic(loc=mu, scale=sigma),
    ("weibull", "identity"): lambda mu, sigma: stats.gumbel_l(loc=mu, scale=sigma),
}
ERRORS = {"lognormal": stats.norm, "loglogistic": stats.logistic, "weibull": stats.gumbel_l}


def mixed_table(n: int = 40, seed: int = 1, dist: str = "lognormal") -> pd.DataFrame:
    """Exact, banded, left- and right-open rows in months, with two covariates and weights."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"age": rng.normal(35, 8, n), "kind": rng.integers(0, 2, n) * 1.0})
    log_term = 3.0 + 0.01 * table["age"] + 0.3 * table["kind"] + 0.5 * ERRORS[dist].rvs(size=n, random_state=rng)
    term = np.exp(log_term).to_numpy()
    low, high = term.copy(), term.copy()
    band = np.arange(n) % 4
    low[band == 1] *= rng.uniform(0.5, 0.95, (band == 1).sum())
    high[band == 1] *= rng.uniform(1.05, 2.0, (band == 1).sum())
    low[band == 2] = OPEN
    high[band == 2] *= 1.3
    low[band == 3] *= 0.8
    high[band == 3] = OPEN
    return table.assign(low=low, high=high, n=rng.integers(1, 6, n).astype(float))


def design(table: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(len(table)), table["age"], table["kind"]])


def of_table(table: pd.DataFrame, dist: str = "lognormal", **options) -> IntervalRegression:
    options = {"weights": table["n"].to_numpy()} | options
    return IntervalRegression(table["low"].to_numpy(), table["high"].to_numpy(), design(table), dist=dist, **options)


def of_bands(edges, counts, dist: str = "lognormal", **options) -> IntervalRegression:
    return IntervalRegression([OPEN, *edges], [*edges, OPEN], weights=counts, dist=dist, **options)


def refusal(low, high, exog=None, **options) -> NotEstimable:
    with pytest.raises(NotEstimable) as caught:
        IntervalRegression(low, high, exog, **options).fit()
    assert caught.value.reason
    return caught.value


def parts(model: IntervalRegression, params) -> list[np.ndarray]:
    params = np.asarray(params, float)
    return [np.asarray(part, float) for part in (model.loglike(params), model.score(params), model.hessian(params))]


def assert_same_fit(one, other, shift=0.0, llf=0.0, rel=1e-7):
    np.testing.assert_allclose(one.params - shift, other.params, rtol=rel, atol=rel)
    np.testing.assert_allclose(one.cov_params(), other.cov_params(), rtol=100 * rel, atol=100 * rel)
    assert one.llf - llf == pytest.approx(other.llf, rel=1e-10, abs=1e-8)


# ---------------------------------------------------------------------------- the likelihood, independently


def reference_loglike(
    low, high, mu, sigma, dist, link="log", weights=1.0, lower_truncation=None, upper_truncation=None
):
    """Sum of weighted log densities and log probabilities by scipy's distributions; no care is taken of tails."""
    latent = LATENT[dist, link](mu, sigma)
    below = np.where(np.isfinite(low), latent.cdf(np.nan_to_num(low)), 0.0)
    above = np.where(np.isfinite(high), latent.cdf(np.nan_to_num(high)), 1.0)
    exact = np.asarray(low) == np.asarray(high)
    value = np.where(exact, latent.logpdf(np.where(exact, low, 1.0)), np.log(np.where(exact, 1.0, above - below)))
    if lower_truncation is not None:
        value = value - np.log(latent.cdf(upper_truncation) - latent.cdf(lower_truncation))
    return float(np.sum(weights * value))


def plain(dist, link):
    table = mixed_table(dist=dist)
    model = of_table(table, dist, link=link)
    params = np.array([3.1, 0.012, 0.2, -0.6] if link == "log" else [20.0, 0.7, 6.0, 2.9])
    mu, sigma = design(table) @ params[:3], np.exp(params[3])
    low, high = table["low"], table["high"]
    return model, params, reference_loglike(low, high, mu, sigma, dist, link, table["n"])


def scale_covariates(dist, link):
    table = mixed_table(dist=dist)
    exog_scale = design(table)[:, [0, 2]]
    model = of_table(table, dist, link=link, exog_scale=exog_scale)
    params = np.array([3.1, 0.012, 0.2, -0.6, 0.25] if link == "log" else [20.0, 0.7, 6.0, 2.9, -0.3])
    mu, sigma = design(table) @ params[:3], np.exp(exog_scale @ params[3:])
    return model, params, reference_loglike(table["low"], table["high"], mu, sigma, dist, link, table["n"])


def on_a_grid(dist, link):
    low = np.array([OPEN, 36, 60, 24, 48, OPEN, 6])
    high = np.array([36, 60, OPEN, 24, 96, 120, 6])
    low_inclusive = [True, True, False, True, False, True, True]
    high_inclusive = [False, True, True, True, False, True, True]
    exog = np.column_stack([np.ones(7), [0, 1, 0, 1, 0, 1, 0]])
    weights = np.array([3.0, 8, 2, 1, 4, 2, 1])
    model = IntervalRegression(
        low, high, exog, weights=weights, dist=dist, link=link, grid=6,
        low_inclusive=low_inclusive, high_inclusive=high_inclusive,
    )  # fmt: skip
    params = np.array([3.6, 0.2, -0.4] if link == "log" else [40.0, 9.0, 3.0])
    moved_low, moved_high = [OPEN, 33, 63, 21, 51, OPEN, 3], [33, 63, OPEN, 27, 93, 123, 9]
    mu, sigma = exog @ params[:2], np.exp(params[2])
    return model, params, reference_loglike(moved_low, moved_high, mu, sigma, dist, link, weights)


def truncated(dist, link):
    table = mixed_table(dist=dist)
    lower = np.fmin(table["low"], table["high"]).to_numpy() * 0.7
    lower = np.where(np.isnan(table["low"]), 1.0, lower)
    upper = np.fmax(table["low"], table["high"]).to_numpy() * 3
    bounds = {"lower_truncation": lower, "upper_truncation": upper}
    # An open end reaches as far as the window, no farther: nobody outside it can have been seen.
    low, high = table["low"].fillna(pd.Series(lower)), table["high"].fillna(pd.Series(upper))
    model = IntervalRegression(low, high, design(table), weights=table["n"], dist=dist, link=link, **bounds)
    params = np.array([3.1, 0.012, 0.2, -0.3] if link == "log" else [20.0, 0.7, 6.0, 2.9])
    mu, sigma = design(table) @ params[:3], np.exp(params[3])
    return model, params, reference_loglike(low, high, mu, sigma, dist, link, table["n"], **bounds)


def with_averages(dist, link):
    low, high = np.array([OPEN, 36, 60, 41.0, 55.0]), np.array([36, 60, OPEN, 41.0, 55.0])
    exog = np.column_stack([np.ones(5), [0, 1, 0, 1, 0]])
    weights, average = np.array([3.0, 8, 2, 12, 5]), np.array([False, False, False, True, True])
    model = IntervalRegression(low, high, exog, weights=weights, dist=dist, link=link, average=average)
    params = np.array([3.6, 0.2, -1.1] if link == "log" else [40.0, 9.0, 2.8])
    mu, sigma = exog @ params[:2], np.exp(params[2])
    banded = reference_loglike(low[:3], high[:3], mu[:3], sigma, dist, link, weights[:3])
    latent = LATENT[dist, link](mu[3:], sigma)
    means = stats.norm.logpdf(low[3:], latent.mean(), np.sqrt(latent.var() / weights[3:]))
    return model, params, banded + means.sum()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("case", [plain, scale_covariates, on_a_grid, truncated, with_averages])
def test_likelihood_is_that_of_scipys_distributions_and_its_derivatives_are_exact(case, dist, link):
    model, params, expected = case(dist, link)
    assert model.loglike(params) == pytest.approx(expected, rel=1e-9)
    for point in (params, params + 0.05 * np.resize([1, -0.01, 1, -1], len(params))):
        score, hessian = model.score(point), model.hessian(point)
        # Central differences are good to about 1e-9 of the size of what is differenced.
        numeric = approx_fprime(point, model.loglike, centered=True)
        np.testing.assert_allclose(score, numeric, rtol=1e-6, atol=1e-7 * (1 + np.abs(numeric).max()))
        numeric = approx_fprime(point, model.score, centered=True)
        np.testing.assert_allclose(hessian, numeric, rtol=1e-6, atol=1e-7 * (1 + np.abs(numeric).max()))
        np.testing.assert_allclose(hessian, np.transpose(hessian), rtol=1e-12)
        rows = np.asarray(model.score_obs(point))
        np.testing.assert_allclose(rows.sum(axis=0), score, rtol=1e-9, atol=1e-9 * np.abs(rows).max())


@pytest.mark.parametrize("dist", FAMILIES)
def test_identity_link_on_logs_is_the_log_link_but_for_the_jacobian(dist):
    table = mixed_table(dist=dist)
    logs = table.assign(low=np.log(table["low"]), high=np.log(table["high"]))
    exact = table["low"] == table["high"]
    assert 0 < exact.sum() < len(table)
    jacobian = -(table["n"] * np.log(table["low"]))[exact].sum()
    assert_same_fit(of_table(table, dist).fit(), of_table(logs, dist, link="identity").fit(), llf=jacobian)


def test_gaussian_on_exact_values_is_least_squares():
    table = mixed_table(60)
    exog, value = design(table), table["age"] * 0.3 + np.sin(np.arange(60)) * 4 - 12
    results = IntervalRegression(value, value, exog[:, [0, 2]], link="identity").fit()
    coefficients, residuals, *_ = np.linalg.lstsq(exog[:, [0, 2]], value, rcond=None)
    sigma = math.sqrt(residuals[0] / 60)
    np.testing.assert_allclose(results.params, [*coefficients, math.log(sigma)], rtol=1e-8)
    np.testing.assert_allclose(
        results.bse,
        [*(sigma * np.sqrt(np.diag(np.linalg.inv(exog[:, [0, 2]].T @ exog[:, [0, 2]])))), 1 / math.sqrt(120)],
        rtol=1e-7,
    )


def test_a_constant_is_added_to_the_log_likelihood_and_to_nothing_else():
    table = mixed_table()
    without, with_constant = of_table(table).fit(), of_table(table, log_constant=7.25).fit()
    assert_same_fit(with_constant, without, llf=7.25)


# ---------------------------------------------------------------------------- what leaves it unchanged


tables_of_bands = st.lists(
    st.tuples(
        st.sampled_from([OPEN, 6.0, 12.0, 36.0]),
        st.sampled_from([36.0, 60.0, 120.0, OPEN]),
        st.integers(0, 1),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=12,
)


def unpack(rows):
    low, high, kind, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    return low, high, np.column_stack([np.ones(len(kind)), kind]), weights


@given(rows=tables_of_bands, dist=st.sampled_from(FAMILIES), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_weights_are_repetitions_in_any_order_and_may_be_split(rows, dist, shuffle):
    low, high, exog, weights = unpack(rows)
    params = [3.3, 0.4, -0.2]
    whole = parts(IntervalRegression(low, high, exog, weights=weights, dist=dist), params)

    repeated = [row for row in rows for _ in range(row[3])]
    shuffle.shuffle(repeated)
    low, high, exog, _ = unpack(repeated)
    one_by_one = parts(IntervalRegression(low, high, exog, dist=dist), params)

    split = [(*row[:3], share) for row in rows for share in (0.3 * row[3], 0.7 * row[3])]
    low, high, exog, weights = unpack(split)
    in_shares = parts(IntervalRegression(low, high, exog, weights=weights, dist=dist), params)

    for reached, wanted, again in zip(one_by_one, whole, in_shares, strict=True):
        np.testing.assert_allclose(reached, wanted, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(again, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dist", FAMILIES)
def test_fit_of_weighted_rows_is_that_of_repeated_rows_in_another_order(dist):
    table = mixed_table(dist=dist)
    repeated = table.loc[table.index.repeat(table["n"].astype(int))].sample(frac=1, random_state=3)
    weighted, unweighted = of_table(table, dist).fit(), of_table(repeated, dist, weights=None).fit()
    assert_same_fit(weighted, unweighted)
    assert weighted.nobs == unweighted.nobs == table["n"].sum()


def test_rows_of_weight_zero_are_left_out():
    table = mixed_table()
    # A row far away would change everything, were it not left out.
    extra = pd.concat([table, table.head(1).assign(low=1e4, high=1e4, n=0.0)], ignore_index=True)
    assert_same_fit(of_table(extra).fit(), of_table(table).fit())


@given(
    factor=st.sampled_from([30.4, 1 / 12, 1e-3, 365.25]),
    dist=st.sampled_from(FAMILIES),
    seed=st.integers(0, 50),
    grid=st.sampled_from([0.0, 6.0]),
)
@settings(max_examples=15)
def test_another_unit_of_time_shifts_only_the_intercept_and_the_density_of_exact_rows(factor, dist, seed, grid):
    table = mixed_table(seed=seed, dist=dist)
    days = table.assign(low=table["low"] * factor, high=table["high"] * factor)
    exact = (table["low"] == table["high"]) & (grid == 0)
    in_months, in_days = of_table(table, dist, grid=grid).fit(), of_table(days, dist, grid=grid * factor).fit()
    jacobian = -table["n"][exact].sum() * math.log(factor)
    assert_same_fit(in_days, in_months, shift=np.array([math.log(factor), 0, 0, 0]), llf=jacobian)


@given(shift=st.floats(-500, 500), factor=st.floats(0.01, 100), dist=st.sampled_from(FAMILIES))
@settings(max_examples=15)
def test_moving_and_stretching_an_identity_scale_moves_and_stretches_the_coefficients(shift, factor, dist):
    table = mixed_table(dist=dist)
    moved = table.assign(low=shift + factor * table["low"], high=shift + factor * table["high"])
    before, after = of_table(table, dist, link="identity").fit(), of_table(moved, dist, link="identity").fit()
    beta = factor * before.params.to_numpy()[:3] + [shift, 0, 0]
    np.testing.assert_allclose(after.params, [*beta, before.params.iloc[3] + math.log(factor)], rtol=1e-6, atol=1e-8)
    exact = table["n"][table["low"] == table["high"]].sum()
    assert after.llf == pytest.approx(before.llf - exact * math.log(factor), abs=1e-6)


@given(stretch=st.floats(1e-4, 1e4), centre=st.floats(-100, 100), dist=st.sampled_from(FAMILIES))
@settings(max_examples=15)
def test_another_unit_of_a_covariate_changes_no_fitted_term(stretch, centre, dist):
    table = mixed_table(dist=dist)
    other = table.assign(age=stretch * (table["age"] - centre))
    one, two = of_table(table, dist).fit(), of_table(other, dist).fit()
    assert one.llf == pytest.approx(two.llf, abs=1e-7)
    assert one.params.iloc[1] == pytest.approx(two.params.iloc[1] * stretch, rel=1e-5)
    np.testing.assert_allclose(one.predict(), two.predict(), rtol=1e-6)


@pytest.mark.parametrize("dist", FAMILIES)
def test_where_the_iteration_starts_does_not_matter(dist):
    table = mixed_table(dist=dist)
    best = of_table(table, dist).fit()
    for away in ([0.5, 0.0, 0.5, 0.5], [-0.5, 0.01, 0.0, -0.5], [5.0, 0.0, 0.0, 2.0]):
        again = of_table(table, dist).fit(start_params=best.params.to_numpy() + away)
        np.testing.assert_allclose(again.params, best.params, rtol=1e-6, atol=1e-8)


def test_an_iteration_cut_short_is_not_passed_off_as_a_result():
    with pytest.raises(NotConverged):
        of_table(mixed_table()).fit(start_params=[0.0, 0.0, 0.0, 2.0], maxiter=1)


# ---------------------------------------------------------------------------- no number is lost


def log_difference(latent, low: float, high: float) -> float:
    """log(F(high) - F(low)), from whichever tail is the smaller."""
    if latent.sf(low) < 0.5:
        above, below = latent.logsf(low), latent.logsf(high)
    else:
        above, below = latent.logcdf(high), latent.logcdf(low)
    return float(above + np.log1p(-np.exp(below - above)))


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("z", [-40, -38, -20, -8, -3, 0, 2, 3, 6])
def test_probabilities_far_out_keep_their_digits(dist, z):
    for width in (0.01, 1.0, 10.0):
        model = IntervalRegression([float(z)], [z + width], np.ones((1, 1)), dist=dist, link="identity")
        expected = log_difference(ERRORS[dist], z, z + width)
        assert model.loglike(np.zeros(2)) == pytest.approx(expected, rel=1e-10)
    if dist == "weibull":
        return  # log S(40) is -exp(40): the distribution has no such upper tail
    mirrored = IntervalRegression([-z - 1.0], [float(-z)], np.ones((1, 1)), dist=dist, link="identity")
    same = IntervalRegression([float(z)], [z + 1.0], np.ones((1, 1)), dist=dist, link="identity")
    assert mirrored.loglike(np.zeros(2)) == pytest.approx(same.loglike(np.zeros(2)), rel=1e-12)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("term", [0.5, 36.0, 60.0, 600.0])
def test_a_band_a_hundred_millionth_wide_is_a_density_times_its_width(dist, link, term):
    high = term + 1e-8
    params = [3.5, -0.4] if link == "log" else [40.0, 4.0]
    latent = LATENT[dist, link](params[0], math.exp(params[1]))
    # At the middle of the band: where the log density falls by hundreds a month, even this width can be felt.
    expected = latent.logpdf(term + (high - term) / 2) + math.log(high - term)
    model = IntervalRegression([term], [high], np.ones((1, 1)), dist=dist, link=link)
    assert model.loglike(np.array(params)) == pytest.approx(expected, abs=1e-6)
    # Its derivatives are those of the density, too: nothing cancels.
    density = IntervalRegression([term], [term], np.ones((1, 1)), dist=dist, link=link)
    np.testing.assert_allclose(model.score(np.array(params)), density.score(np.array(params)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(model.hessian(np.array(params)), density.hessian(np.array(params)), rtol=1e-4, atol=1e-4)


extreme_rows = st.lists(
    st.tuples(
        st.floats(-40, 40),
        st.sampled_from(["exact", "narrow", "wide", "left", "right"]),
        st.floats(-6, 9),
    ),
    min_size=1,
    max_size=6,
)


def extreme_table(rows, sigma: float, link: str):
    """Bounds up to 40 scales from nought (under the log link: from one month); weights 1e-6 to 1e9."""
    low, high = [], []
    for z, kind, _ in rows:
        value = sigma * z if link == "identity" else math.exp(sigma * z)
        narrow = value + 1e-8 * (1.0 if link == "identity" else value)
        wide = sigma * (z + 1) if link == "identity" else math.exp(sigma * (z + 1))
        low.append(OPEN if kind == "left" else value)
        high.append({"exact": value, "narrow": narrow, "wide": wide, "left": value, "right": OPEN}[kind])
    return np.array(low), np.array(high), np.array([10.0**exponent for *_, exponent in rows])


@given(
    rows=extreme_rows,
    log_scale=st.floats(-3, 1.5),
    grid=st.booleans(),
    dist=st.sampled_from(FAMILIES),
    link=st.sampled_from(LINKS),
)
@settings(max_examples=300)
def test_log_likelihood_and_derivatives_are_finite_everywhere(rows, log_scale, grid, dist, link):
    low, high, weights = extreme_table(rows, math.exp(log_scale), link)
    exog = np.column_stack([np.ones(len(rows)), np.arange(len(rows))])
    options = {"grid": 0.5} if grid and link == "identity" else {}
    model = IntervalRegression(low, high, exog, weights=weights, dist=dist, link=link, **options)
    for part in (*parts(model, [0.0, 0.0, log_scale]), model.score_obs(np.array([0.0, 0.0, log_scale]))):
        assert np.isfinite(part).all()


@given(rows=extreme_rows, dist=st.sampled_from(FAMILIES), link=st.sampled_from(LINKS))
@settings(max_examples=25)
def test_a_fit_to_extreme_rows_is_finite_or_refused(rows, dist, link):
    """Five ordinary bands, and rows far out or hardly any width, of weights from a millionth to a thousand million."""
    low, high, weights = extreme_table(rows, 0.5, link)
    edges = np.array([-1.0, -0.3, 0.2, 0.9]) if link == "identity" else np.exp([-1.0, -0.3, 0.2, 0.9])
    model = IntervalRegression(
        [OPEN, *edges, *low], [*edges, OPEN, *high], weights=[3, 5, 6, 4, 2, *weights], dist=dist, link=link
    )
    try:
        results = model.fit()
    except NotEstimable as refused:
        assert refused.reason
        return
    assert results.converged
    for part in (results.params, results.bse, results.cov_params(), results.llf, results.aic, results.bic):
        assert np.isfinite(np.asarray(part)).all()
    assert (results.bse > 0).all()


# ---------------------------------------------------------------------------- grid, truncation, averages


@pytest.mark.parametrize("dist", FAMILIES)
def test_probabilities_of_all_bands_of_pronounced_terms_add_up_to_one(dist):
    bands = [(OPEN, True, 36, False), (36, True, 60, True), (60, False, OPEN, True)]
    low, low_inclusive, high, high_inclusive = (list(column) for column in zip(*bands, strict=True))
    results = IntervalRegression(
        low, high, weights=[5, 9, 2], dist=dist, grid=6, low_inclusive=low_inclusive, high_inclusive=high_inclusive
    ).fit()
    shares = [
        results.predict(np.ones((1, 1)), what="probability", low=low, low_inclusive=a, high=high, high_inclusive=b)
        for low, a, high, b in bands
    ]
    # Three bands are fitted perfectly by two parameters.
    np.testing.assert_allclose(np.ravel(shares), np.array([5, 9, 2]) / 16, rtol=1e-7)
    cells = [results.predict(np.ones((1, 1)), what="probability", low=t, high=t) for t in range(36, 61, 6)]
    np.testing.assert_allclose(np.sum(cells), 9 / 16, rtol=1e-7)
    mu, sigma = results.params.iloc[0], math.exp(results.params.iloc[1])
    assert np.ravel(shares)[0] == pytest.approx(LATENT[dist, "log"](mu, sigma).cdf(33), rel=1e-10)


def test_with_a_grid_of_nought_inclusive_and_exclusive_bounds_are_the_same():
    model = of_bands([36, 60], [5, 9, 2], low_inclusive=[False] * 3, high_inclusive=[False] * 3)
    assert_same_fit(model.fit(), of_bands([36, 60], [5, 9, 2]).fit())


def test_a_lower_bound_that_the_grid_moves_to_nought_or_below_is_open():
    low, high = [2, 36, 60], [36, 60, OPEN]
    gridded = IntervalRegression(low, high, weights=[5, 9, 2], grid=6, high_inclusive=[False, True, True],
                                 low_inclusive=[True, True, False])  # fmt: skip
    by_hand = IntervalRegression([OPEN, 33, 63], [33, 63, OPEN], weights=[5, 9, 2])
    assert_same_fit(gridded.fit(), by_hand.fit())


@pytest.mark.parametrize("dist", FAMILIES)
def test_lower_bounds_of_nought_are_open_under_the_log_link_only(dist):
    low, high, counts = np.array([0.0, 36, 60]), np.array([36.0, 60, OPEN]), [5, 9, 2]
    assert_same_fit(
        IntervalRegression(low, high, weights=counts, dist=dist).fit(), of_bands([36, 60], counts, dist).fit()
    )
    params = np.array([45.0, 3.0])
    value = IntervalRegression(low, high, weights=counts, dist=dist, link="identity").loglike(params)
    latent = LATENT[dist, "identity"](45.0, math.exp(3.0))
    assert value == pytest.approx(
        5 * np.log(latent.cdf(36) - latent.cdf(0)) + 9 * np.log(latent.cdf(60) - latent.cdf(36)) + 2 * latent.logsf(60)
    )


@pytest.mark.parametrize("dist", FAMILIES)
def test_a_truncated_fit_recovers_what_a_plain_one_misses(dist):
    """Only terms of 20 to 100 months were ever seen; four standard errors leave 1 in 16,000 to chance."""
    rng = np.random.default_rng(11)
    truth = np.array([3.7, math.log(0.45)])
    term = np.exp(truth[0] + 0.45 * ERRORS[dist].rvs(size=12_000, random_state=rng))
    term = term[(term > 20) & (term < 100)][:4000]
    assert len(term) == 4000
    window = {"lower_truncation": np.full(4000, 20.0), "upper_truncation": np.full(4000, 100.0)}
    aware = IntervalRegression(term, term, dist=dist, **window).fit()
    plain = IntervalRegression(term, term, dist=dist).fit()
    assert (np.abs(aware.params - truth) < 4 * aware.bse).all()
    assert (np.abs(plain.params - truth) / plain.bse).max() > 8


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("bounds", [(OPEN, OPEN), (-math.inf, math.inf), (0.0, math.inf)])
def test_an_open_window_truncates_nothing(dist, bounds):
    table = mixed_table(dist=dist)
    window = {"lower_truncation": np.full(len(table), bounds[0]), "upper_truncation": np.full(len(table), bounds[1])}
    assert_same_fit(of_table(table, dist, **window).fit(), of_table(table, dist).fit())


@pytest.mark.parametrize("dist", FAMILIES)
def test_an_open_end_reaches_to_the_end_of_the_window(dist):
    """Nobody outside the window was seen: "over 60 months" among terms of 12 to 120 is a term of 60 to 120."""
    window = {"lower_truncation": np.full(2, 12.0), "upper_truncation": np.full(2, 120.0)}
    as_said = IntervalRegression([60.0, OPEN], [OPEN, 36.0], weights=[3.0, 2], dist=dist, **window)
    as_meant = IntervalRegression([60.0, 12.0], [120.0, 36.0], weights=[3.0, 2], dist=dist, **window)
    for reached, wanted in zip(parts(as_said, [3.6, -0.5]), parts(as_meant, [3.6, -0.5]), strict=True):
        np.testing.assert_allclose(reached, wanted, rtol=1e-10)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dist", FAMILIES)
def test_averages_of_groups_tell_location_and_scale_of_people(dist, link):
    """Forty people a group: tails as long as those of a log-logistic of scale 0.4 would not average out."""
    scale = {"lognormal": 0.4, "weibull": 0.4, "loglogistic": 0.12}[dist]
    truth = np.array([3.6, math.log(scale)] if link == "log" else [40.0, math.log(9.0)])
    rng = np.random.default_rng(5)
    people = np.full(300, 40)
    latent = LATENT[dist, link](truth[0], math.exp(truth[1]))
    means = latent.rvs(size=(300, 40), random_state=rng).mean(axis=1)
    results = IntervalRegression(means, means, weights=people, dist=dist, link=link, average=np.full(300, True)).fit()
    assert results.nobs == 300 * 40
    assert (np.abs(results.params - truth) < 4 * results.bse).all()


def test_an_average_of_terms_so_dispersed_that_they_have_no_variance_is_refused():
    rng = np.random.default_rng(3)
    term = np.exp(3.5 + 1.2 * rng.logistic(size=300))
    low = np.array([*term, 60.0])
    average = np.arange(301) == 300
    error = refusal(low, low, dist="loglogistic", average=average)
    assert re.search("log-?logistic|variance", str(error), re.IGNORECASE)
    IntervalRegression(low, low, dist="lognormal", average=average).fit()


# ---------------------------------------------------------------------------- results, as in statsmodels


def test_results_have_the_formulas_and_labels_of_statsmodels():
    table = mixed_table()
    results = IntervalRegression.from_formula("low + high ~ age + kind", table, weights="n").fit()
    names = list(results.params.index)
    assert names[1:] == ["age", "kind", "log_scale"]
    assert results.aic == pytest.approx(2 * 4 - 2 * results.llf)
    assert results.nobs == table["n"].sum()
    assert results.bic == pytest.approx(4 * math.log(results.nobs) - 2 * results.llf)
    assert results.df_model == 2
    assert results.df_resid == results.nobs - 4
    cov = results.cov_params()
    assert list(cov.index) == list(cov.columns) == list(results.bse.index) == names
    np.testing.assert_allclose(cov, np.linalg.inv(-results.model.hessian(results.params.to_numpy())), rtol=1e-8)
    np.testing.assert_allclose(results.bse, np.sqrt(np.diag(cov)), rtol=1e-12)
    np.testing.assert_allclose(results.tvalues, results.params / results.bse, rtol=1e-12)
    np.testing.assert_allclose(results.pvalues, 2 * stats.norm.sf(np.abs(results.tvalues)), rtol=1e-9)
    assert results.llf == pytest.approx(results.model.loglike(results.params.to_numpy()), rel=1e-14)
    assert results.n_iter >= 1
    summary, ends = results.summary(alpha=0.1), results.conf_int(0.1)
    top, body = (table.data for table in summary.tables)
    own, model = results.model.likelihood, results.model
    assert {line[i]: line[i + 1] for line in top for i in (0, 2)} == {
        "Distribution:": f"{model.dist}, {model.link} link", "Log-likelihood:": f"{results.llf:.6g}",
        "People:": f"{results.nobs:.6g}", "AIC:": f"{results.aic:.6g}", "BIC:": f"{results.bic:.6g}",
        "Rows (distinct):": f"{len(model.low)} ({len(own.kind)})", "Grid:": "0", "Covariance:": results.cov_type,
    }  # fmt: skip
    assert body[0] == ["", "coef", "std err", "z", "P>|z|", "[0.05", "0.95]"]
    columns = [results.params, results.bse, results.tvalues, results.pvalues, ends["lower"], ends["upper"]]
    assert body[1:] == [[name, *(f"{column[name]:.4f}" for column in columns)] for name in names]
    told = str(summary)
    assert "Interval regression" in told and str(results.summary()) == str(results.summary(alpha=0.05))
    kinds = results.diagnostics().groupby("kind")["people"].sum()
    said = dict(part.rsplit(" ", 1) for part in re.search("People by kind of row: (.*)", told)[1].split(", "))
    assert {kind: float(people) for kind, people in said.items()} == kinds.to_dict()


def test_columns_are_named_as_given():
    table = mixed_table()
    array = of_table(table, exog_scale=design(table)[:, [0, 2]]).fit()
    assert list(array.params.index[:3]) == ["x1", "x2", "x3"]
    assert list(array.params.index[3:]) == ["log_scale:x1", "log_scale:x2"]
    exog = pd.DataFrame(design(table), columns=["one", "years", "kind"])
    frame = IntervalRegression(table["low"], table["high"], exog, exog_scale=exog[["one", "kind"]]).fit()
    assert list(frame.params.index) == ["one", "years", "kind", "log_scale:one", "log_scale:kind"]
    assert list(of_bands([36, 60], [5, 9, 2]).fit().params.index) == ["const", "log_scale"]


def test_intervals_are_of_95_percent_unless_told_otherwise():
    results = of_bands([24, 36, 60], [5, 9, 6, 2]).fit()
    for method in ("wald", "profile"):
        pd.testing.assert_frame_equal(results.conf_int(method=method), results.conf_int(0.05, method))
        assert (results.conf_int(0.1, method)["upper"] < results.conf_int(method=method)["upper"]).all()


@pytest.mark.parametrize("dist", FAMILIES)
def test_formula_and_arrays_agree(dist):
    table = mixed_table(dist=dist)
    table["place"] = np.resize(["a", "b", "c"], len(table))
    exog = np.column_stack([np.ones(len(table)), table["place"] == "b", table["place"] == "c", table["age"]])
    options = {"dist": dist, "exog_scale": design(table)[:, [0, 2]]}
    arrays = IntervalRegression(table["low"], table["high"], exog.astype(float), weights=table["n"], **options).fit()
    for weights in ("n", table["n"].to_numpy()):
        formula = IntervalRegression.from_formula(
            "low + high ~ C(place) + age", table, weights=weights, scale="kind", dist=dist
        ).fit()
        np.testing.assert_allclose(formula.params, arrays.params, rtol=1e-7, atol=1e-9)
        assert formula.llf == pytest.approx(arrays.llf, abs=1e-8)
    assert "age" in formula.params.index


def test_one_name_twice_is_an_exact_term():
    table = mixed_table()
    table["term"] = table["low"].fillna(table["high"])
    formula = IntervalRegression.from_formula("term + term ~ kind", table).fit()
    arrays = IntervalRegression(table["term"], table["term"], design(table)[:, [0, 2]]).fit()
    assert_same_fit(formula, arrays)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("low + high ~ age + shoe_size", {}),
        ("low + shoe_size ~ age", {}),
        ("shoe_size + high ~ age", {}),
        ("low + high ~ age", {"weights": "shoe_size"}),
        ("low + high ~ age", {"scale": "shoe_size"}),
    ],
)
def test_a_column_that_is_not_there_is_named(formula, options):
    with pytest.raises((ValueError, KeyError), match="shoe_size"):
        IntervalRegression.from_formula(formula, mixed_table(), **options)


def test_missing_covariates_of_a_formula_are_named_and_rows_with_open_bounds_are_kept():
    table = mixed_table()
    assert IntervalRegression.from_formula("low + high ~ kind", table).fit().nobs == len(table)
    table.loc[7, "age"] = OPEN
    with pytest.raises(ValueError, match="age") as caught:
        IntervalRegression.from_formula("low + high ~ kind + age", table)
    assert "7" in re.findall(r"\d+", str(caught.value))


def test_a_parameter_held_fixed_stays_there_and_the_others_move():
    """Weibull of scale one is exponential: people who ended divided by the time all were seen."""
    rng = np.random.default_rng(2)
    seen, ended = rng.exponential(40, 50), rng.random(50) < 0.7
    model = IntervalRegression(seen, np.where(ended, seen, OPEN), dist="weibull")
    results = model.fit(fixed={"log_scale": 0.0})
    assert results.params["log_scale"] == 0
    assert results.params["const"] == pytest.approx(math.log(seen.sum() / ended.sum()), rel=1e-9)
    assert results.llf == pytest.approx(ended.sum() * -(results.params["const"] + 1), rel=1e-10)
    assert results.llf < model.fit().llf


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_wald_intervals_are_multiples_of_standard_errors(alpha):
    results = of_table(mixed_table()).fit()
    limits = results.conf_int(alpha=alpha)
    reach = stats.norm.isf(alpha / 2) * results.bse
    assert list(limits.columns) == ["lower", "upper"] and list(limits.index) == list(results.params.index)
    np.testing.assert_allclose(limits["lower"], results.params - reach, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(limits["upper"], results.params + reach, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dist", FAMILIES)
def test_profile_intervals_end_where_the_profile_has_fallen_by_half_a_quantile(dist):
    model = of_bands([12, 36, 60, 120], [2, 4, 5, 3, 1], dist)
    results = model.fit()
    limits = results.conf_int(method="profile")
    for name in results.params.index:
        for limit in limits.loc[name]:
            held = model.fit(fixed={name: limit})
            assert 2 * (results.llf - held.llf) == pytest.approx(stats.chi2.isf(0.05, 1), abs=1e-4)
        assert limits.loc[name, "lower"] < results.params[name] < limits.loc[name, "upper"]


def test_sandwich_is_that_of_the_scores():
    table = mixed_table()
    results = of_table(table).fit()
    scores = np.asarray(results.model.score_obs(results.params.to_numpy()))
    assert scores.shape == (len(table), 4)
    bread = np.linalg.inv(-results.model.hessian(results.params.to_numpy()))
    alone = results.get_robustcov_results(groups=np.arange(len(table)))
    np.testing.assert_allclose(alone.cov_params(), bread @ scores.T @ scores @ bread, rtol=1e-8)

    groups = np.array([f"case {number % 9}" for number in range(len(table))])
    sums = pd.DataFrame(scores).groupby(groups).sum().to_numpy()
    clustered = results.get_robustcov_results(groups=groups)
    np.testing.assert_allclose(clustered.cov_params(), bread @ sums.T @ sums @ bread, rtol=1e-8)
    np.testing.assert_allclose(clustered.params, results.params)
    np.testing.assert_allclose(clustered.bse, np.sqrt(np.diag(clustered.cov_params())))


def test_scores_stay_with_their_rows_when_identical_rows_are_collapsed():
    low, high = np.array([OPEN, 36, 60, 36, OPEN, 36]), np.array([36, 60, OPEN, 60, 36, 60])
    weights = np.array([1.0, 2, 3, 4, 5, 6])
    model, params = IntervalRegression(low, high, weights=weights), np.array([3.5, -0.3])
    rows = np.asarray(model.score_obs(params))
    assert rows.shape == (6, 2)
    for row in range(6):
        alone = IntervalRegression(low[[row]], high[[row]], weights=weights[[row]])
        np.testing.assert_allclose(rows[row], alone.score(params), rtol=1e-10)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dist", FAMILIES)
def test_predictions_are_those_of_scipys_distributions(dist, link):
    table = mixed_table(dist=dist)
    exog_scale = design(table)[:, [0, 2]]
    results = of_table(table, dist, link=link, exog_scale=exog_scale).fit()
    new, new_scale = np.array([[1, 30, 0], [1, 50, 1.0]]), np.array([[1.0, 0], [1, 1]])
    params = results.params.to_numpy()
    mu, sigma = new @ params[:3], np.exp(new_scale @ params[3:])
    latent = LATENT[dist, link](mu, sigma)

    def predicted(**options):
        return np.asarray(results.predict(new, new_scale, **options), float)

    assert (sigma < 1).all() or link == "identity"
    np.testing.assert_allclose(predicted(), latent.median(), rtol=1e-10)
    np.testing.assert_allclose(predicted(what="median"), latent.median(), rtol=1e-10)
    np.testing.assert_allclose(predicted(what="mean"), latent.mean(), rtol=1e-9)
    for q in (0.01, 0.25, 0.9):
        np.testing.assert_allclose(predicted(what="quantile", q=q), latent.ppf(q), rtol=1e-9)
    for at in (6.0, 36.0, 200.0):
        np.testing.assert_allclose(predicted(what="cdf", at=at), latent.cdf(at), rtol=1e-9)
        np.testing.assert_allclose(predicted(what="survival", at=at), latent.sf(at), rtol=1e-9)
    np.testing.assert_allclose(
        predicted(what="probability", low=36, high=60), latent.cdf(60) - latent.cdf(36), rtol=1e-9
    )
    np.testing.assert_allclose(predicted(what="probability", low=OPEN, high=60), latent.cdf(60), rtol=1e-9)
    np.testing.assert_allclose(predicted(what="probability", low=60, high=OPEN), latent.sf(60), rtol=1e-9)
    np.testing.assert_allclose(predicted(what="location"), mu, rtol=1e-12)
    np.testing.assert_allclose(predicted(what="scale"), sigma, rtol=1e-12)
    own = LATENT[dist, link](design(table) @ params[:3], np.exp(exog_scale @ params[3:]))
    np.testing.assert_allclose(results.predict(), own.median(), rtol=1e-10)


def test_the_mean_of_a_loglogistic_without_a_mean_is_refused():
    results = of_bands([12, 36, 60, 120], [30, 8, 5, 8, 30], "loglogistic").fit()
    assert math.exp(results.params["log_scale"]) > 1
    with pytest.raises(NotEstimable, match="mean"):
        results.predict(np.ones((1, 1)), what="mean")
    assert np.isfinite(results.predict(np.ones((1, 1)), what="median")).all()
    lognormal = of_bands([12, 36, 60, 120], [30, 8, 5, 8, 30], "lognormal").fit()
    assert np.isfinite(lognormal.predict(np.ones((1, 1)), what="mean")).all()


@pytest.mark.parametrize("what", ["average", "Median", ""])
def test_a_prediction_that_is_not_offered_is_named_with_those_that_are(what):
    results = of_bands([36, 60], [5, 9, 2]).fit()
    with pytest.raises(ValueError, match="median"):
        results.predict(what=what)


# ---------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize("dist", FAMILIES)
def test_columns_that_determine_each_other_are_named(dist):
    table = mixed_table(dist=dist)
    exog = pd.DataFrame({"const": 1.0, "age": table["age"], "kind": table["kind"]})
    error = refusal(table["low"], table["high"], exog.assign(other=1 - exog["kind"]), dist=dist)
    assert error.columns and set(error.columns) <= {"const", "kind", "other"}
    error = refusal(table["low"], table["high"], exog.assign(nothing=0.0), dist=dist)
    assert error.columns == ("nothing",)
    error = refusal(table["low"], table["high"], exog, exog_scale=exog.assign(months=12 * exog["age"]), dist=dist)
    assert error.columns and all(column.endswith(("age", "months")) for column in error.columns)


def test_more_columns_than_rows_are_refused():
    table = mixed_table(8).head(2)
    assert refusal(table["low"], table["high"], pd.DataFrame({"a": [1.0, 1], "b": [1.0, 2], "c": [0.5, 7]})).columns


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    ("low", "high"),
    [
        ([12, 36, 60], [OPEN, OPEN, OPEN]),
        ([12, 12, 12], [math.inf] * 3),
        ([OPEN, OPEN, -math.inf], [36, 60, 120]),
        ([OPEN, 36], [60, OPEN]),  # everyone may be at 48
        ([OPEN, 60], [36, OPEN]),  # no scale is too large
        ([OPEN, 36], [36, OPEN]),  # one edge
        ([36], [60]),  # one finite band
        ([36, 36, 40], [60, 60, 70]),  # finite bands with a common part
        ([24, 36], [36, 60]),  # two adjacent bands
        ([60], [60]),
        ([36, 36, 36], [36, 36, 36]),  # no spread at all
        ([36, 36, 24], [36, 36, 60]),
        ([36, 12], [36, OPEN]),
    ],
)
def test_evidence_that_leaves_location_or_scale_free_is_refused(low, high, link, dist):
    error = refusal(low, high, dist=dist, link=link)
    assert error.rows or error.columns
    assert set(error.rows) <= set(range(len(low)))


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("edge", [12.0, 36.0, 60.0])
@pytest.mark.parametrize("counts", [(1, 1), (2, 14), (14, 2), (7, 2), (3, 400)])
def test_shares_on_both_sides_of_one_edge_do_not_tell_location_from_scale(counts, edge, link, dist):
    refusal([OPEN, edge], [edge, OPEN], weights=counts, dist=dist, link=link)
    refusal([6, edge], [edge, OPEN], weights=counts, dist=dist, link=link)
    refusal([6, edge], [edge, 96], weights=counts, dist=dist, link=link)
    # Of a group with a location and a scale of its own, beside one that tells both.
    exog = pd.DataFrame({"const": 1.0, "group": [0, 0, 0, 1, 1]})
    low, high = [OPEN, 24, 48, OPEN, edge], [24, 48, OPEN, edge, OPEN]
    refusal(low, high, exog, exog_scale=exog, weights=[5, 9, 2, *counts], dist=dist, link=link)


@pytest.mark.parametrize("dist", FAMILIES)
def test_evidence_just_past_those_is_not_refused(dist):
    for low, high in (
        ([24, 60], [36, 120]),
        ([24, OPEN, 60], [36, 60, OPEN]),
        ([OPEN, 36, 60], [36, 60, OPEN]),
        ([36, 48], [36, 48]),
        ([OPEN, 24, OPEN, 60], [24, OPEN, 60, OPEN]),
    ):
        weights = [1, 5, 5, 1] if len(low) == 4 else None
        results = IntervalRegression(low, high, weights=weights, dist=dist).fit()
        assert results.converged and np.isfinite(results.bse).all()


@pytest.mark.parametrize("dist", FAMILIES)
def test_shares_that_do_not_rise_with_time_are_refused(dist):
    """Five in six are below 24 and one in six below 60: the larger the scale, the better."""
    error = refusal([OPEN, 24, OPEN, 60], [24, OPEN, 60, OPEN], weights=[5, 1, 1, 5], dist=dist)
    assert error.rows or error.columns


@pytest.mark.parametrize("dist", FAMILIES)
def test_bands_that_a_covariate_fits_perfectly_are_refused(dist):
    exog = pd.DataFrame({"const": 1.0, "later": [0, 0, 0, 1, 1]})
    error = refusal([24, 24, 24, 36, 36], [36, 36, 36, 60, 60], exog, weights=[3, 1, 2, 5, 1], dist=dist)
    assert error.rows or error.columns


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize(("low", "high"), [(60, OPEN), (OPEN, 12)])
def test_a_group_with_one_sided_evidence_only_is_named(dist, low, high):
    exog = pd.DataFrame({"const": 1.0, "age": [0.1, 0.5, 0.2, 0.9, 0.3], "group": [0, 0, 0, 1, 1]})
    error = refusal([OPEN, 36, 60, low, low], [36, 60, OPEN, high, high], exog, weights=[5, 9, 2, 1, 4], dist=dist)
    assert "group" in error.columns
    assert not error.rows or {3, 4} <= set(error.rows)
    with_two_sides = IntervalRegression(
        [OPEN, 36, 60, low, 36], [36, 60, OPEN, high, 60], exog[["const", "group"]], weights=[5, 9, 2, 1, 4], dist=dist
    )
    assert with_two_sides.fit().converged


@pytest.mark.parametrize("dist", FAMILIES)
def test_a_group_whose_own_scale_nothing_tells_is_refused(dist):
    exog = pd.DataFrame({"const": 1.0, "group": [0, 0, 0, 1, 1]})
    low, high, weights = [OPEN, 36, 60, OPEN, 36], [36, 60, OPEN, 36, 60], [5, 9, 2, 1, 4]
    assert IntervalRegression(low, high, exog, weights=weights, dist=dist).fit().converged
    error = refusal(low, high, exog, exog_scale=exog, weights=weights, dist=dist)
    assert any("group" in column for column in error.columns) or {3, 4} <= set(error.rows)
    # Nobody of the group between the bounds: no scale is too large for it.
    refusal([OPEN, 36, 60, OPEN, 60], [36, 60, OPEN, 36, OPEN], exog, exog_scale=exog, weights=weights, dist=dist)


@pytest.mark.parametrize("dist", FAMILIES)
def test_exact_terms_on_a_line_are_refused(dist):
    years = np.arange(5.0)
    exog = pd.DataFrame({"const": 1.0, "years": years})
    term = np.exp(3 + 0.25 * years)
    assert refusal(term, term, exog, dist=dist).rows
    assert refusal(3 + 0.25 * years, 3 + 0.25 * years, exog, dist=dist, link="identity").rows
    # Another row of the first year: a band through which the line passes does not help, one beside it does.
    longer = pd.concat([exog, exog.iloc[[0]]], ignore_index=True)
    assert refusal([*term, 18.0], [*term, 24.0], longer, dist=dist).rows
    assert IntervalRegression([*term, 30.0], [*term, 40.0], longer, dist=dist).fit().converged


def test_nobody_is_refused():
    assert "weight" in str(refusal([OPEN, 36, 60], [36, 60, OPEN], weights=[0.0, 0.0, 0.0]))
    assert "row" in str(refusal([], []))
    assert "row" in str(refusal([], [], np.empty((0, 2)), weights=[]))
    assert "open" in str(refusal([OPEN, -math.inf], [OPEN, math.inf]))


# ---------------------------------------------------------------------------- refused if and only if no maximum exists


def maximum_exists(low, high, exog, link: str) -> bool:
    """Whether the likelihood of intervals has one finite maximum of positive scale, without maximising it.

    In (a, t) = (coefficients, 1) / scale the log-likelihoods of the three families are concave (Burridge 1981,
    J. R. Statist. Soc. B 43:41-45). A finite maximum with t > 0 is missed only when some direction never lowers any
    row, or when the best is at t = 0, where every interval with two ends has probability nought.
    """
    low, high = (np.log(bound) if link == "log" else bound for bound in (low, high))
    above = np.column_stack([exog, -high])[np.isfinite(high)]  # t * high - x'a must not fall
    below = np.column_stack([-exog, low])[np.isfinite(low)]  # t * low - x'a must not rise
    rows, width = np.vstack([above, below]), exog.shape[1] + 1
    bounds = [(-1, 1)] * (width - 1) + [(0, 1)]  # any direction there is can be made to reach this box
    for objective in (*np.eye(width), *-np.eye(width)):
        best = linprog(-objective, A_ub=rows, b_ub=np.zeros(len(rows)), bounds=bounds)
        assert best.status == 0
        if -best.fun > 0.5:
            return False
    return True


def fit_or_refusal(*arguments, **options):
    """The results, checked to be a strict maximum, or None where the model was refused."""
    try:
        model = IntervalRegression(*arguments, **options)
        results = model.fit()
    except NotEstimable:
        return None
    assert results.converged
    params = results.params.to_numpy()
    llf, score, hessian = parts(model, params)
    assert np.linalg.eigvalsh(hessian)[-1] < 0
    assert score @ np.linalg.solve(-hessian, score) < 1e-10  # twice the gain that one more step could bring
    for step in np.vstack([np.eye(len(params)), -np.eye(len(params))]):
        assert model.loglike(params + 0.1 * step) < llf
    return results


EDGES = [12.0, 24.0, 36.0, 60.0, 96.0]
bands_of_any_kind = st.tuples(st.sampled_from([OPEN, *EDGES]), st.sampled_from([OPEN, *EDGES])).filter(
    lambda band: not band[0] > band[1]
)
people = st.sampled_from([1.0, 2.0, 7.0])


@given(
    rows=st.lists(st.tuples(bands_of_any_kind, st.integers(0, 2), people), min_size=1, max_size=9),
    covariates=st.sampled_from(["none", "slope", "groups"]),
    dist=st.sampled_from(FAMILIES),
    link=st.sampled_from(LINKS),
)
@settings(max_examples=120)
def test_a_fit_is_refused_if_and_only_if_no_maximum_exists(rows, covariates, dist, link):
    low, high = np.array([band for band, *_ in rows]).T
    group, weights = np.array([row[1:] for row in rows], float).T
    exog = np.column_stack(
        [np.ones(len(rows)), *{"none": [], "slope": [group], "groups": [group == 1, group == 2]}[covariates]]
    ).astype(float)
    assume((np.isfinite(low) & np.isfinite(high)).any())  # else the best may be at an infinite scale
    results = fit_or_refusal(low, high, exog, weights=weights, dist=dist, link=link)
    assert (results is not None) == maximum_exists(low, high, exog, link)


@given(
    rows=st.lists(st.tuples(st.booleans(), st.sampled_from(EDGES), people), min_size=2, max_size=8),
    dist=st.sampled_from(FAMILIES),
)
@settings(max_examples=60)
def test_one_sided_rows_are_refused_unless_shares_below_rise_with_the_bound(rows, dist):
    """Without an interval of two ends the likelihood at an infinite scale is that of a coin.

    Its slope there, in one over the scale, is the number of people times the mean log bound of those below less that
    of those above. So the scale is finite if and only if the former is larger.
    """
    below, bound, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    below = below == 1
    low, high = np.where(below, OPEN, bound), np.where(below, bound, OPEN)
    finite = maximum_exists(low, high, np.ones((len(rows), 1)), "log")
    if below.any() and not below.all():
        slope = np.average(np.log(bound[below]), weights=weights[below]) - np.average(
            np.log(bound[~below]), weights=weights[~below]
        )
        assume(not 0 < slope < 0.02)  # a scale so large that next to nothing is told may be refused as well
        finite = finite and slope > 0
    results = fit_or_refusal(low, high, weights=weights, dist=dist)
    assert (results is not None) == finite


@given(
    rows=st.lists(st.tuples(bands_of_any_kind, people), min_size=2, max_size=10),
    data=st.data(),
    dist=st.sampled_from(FAMILIES),
)
@settings(max_examples=40)
def test_groups_with_scales_of_their_own_are_refused_if_and_only_if_one_of_them_alone_is(rows, data, dist):
    low, high = np.array([band for band, _ in rows]).T
    weights = np.array([n for _, n in rows])
    group = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(rows), max_size=len(rows))))
    exog = np.column_stack([group == 0, group == 1]).astype(float)
    alone, exist = [], []
    for member in (group == 0, group == 1):
        assume((np.isfinite(low) & np.isfinite(high))[member].any())
        exist.append(maximum_exists(low[member], high[member], np.ones((member.sum(), 1)), "log"))
        if exist[-1]:
            alone.append(fit_or_refusal(low[member], high[member], weights=weights[member], dist=dist))
    together = fit_or_refusal(low, high, exog, exog_scale=exog, weights=weights, dist=dist)
    assert (together is not None) == all(exist)
    if together is not None:
        assert together.llf == pytest.approx(sum(results.llf for results in alone), abs=1e-8)


# ---------------------------------------------------------------------------- input that is wrong


def complaint(low=(OPEN, 36, 60), high=(36, 60, OPEN), exog=None, **options) -> str:
    with pytest.raises(ValueError) as caught:
        IntervalRegression(list(low), list(high), exog, **({"weights": [5, 9, 2]} | options)).fit()
    assert not isinstance(caught.value, NotEstimable)
    return str(caught.value)


def numbers_in(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)}


def test_bounds_in_the_wrong_order_are_named():
    assert {1.0, 60.0, 36.0} <= numbers_in(complaint(low=[OPEN, 60, 60], high=[36, 36, OPEN]))


@pytest.mark.parametrize(
    "options",
    [
        {"high": [36, 60]},
        {"low": [36, 60]},
        {"weights": [5, 9]},
        {"exog": np.ones((4, 1))},
        {"exog_scale": np.ones((2, 1))},
        {"low_inclusive": [True, False]},
        {"average": [False, False]},
        {"lower_truncation": [1.0, 1.0]},
    ],
)
def test_columns_of_different_lengths_are_refused(options):
    wrong = {len(value) for value in options.values()}
    assert wrong | {3} <= numbers_in(complaint(**options))


@pytest.mark.parametrize("wrong", [OPEN, math.inf])
@pytest.mark.parametrize("which", ["exog", "exog_scale"])
def test_covariates_that_are_not_numbers_are_named_with_their_row(which, wrong):
    table = pd.DataFrame({"const": 1.0, "age": [30, 40, wrong]})
    told = complaint(**{which: table})
    assert "age" in told and 2 in numbers_in(told)


@pytest.mark.parametrize("wrong", [-1.0, OPEN, math.inf])
def test_weights_that_are_not_numbers_of_people_are_named(wrong):
    told = complaint(weights=[5, wrong, 2])
    assert "weight" in told and 1 in numbers_in(told)


@pytest.mark.parametrize(("low", "high"), [(OPEN, 0), (OPEN, -3), (0, 0), (-5, -5)])
def test_terms_that_are_not_positive_have_no_logarithm(low, high):
    told = complaint(low=[low, 36, 60], high=[high, 60, OPEN])
    assert {0.0, float(high)} <= numbers_in(told)


def test_families_and_links_that_are_not_offered_are_named_with_those_that_are():
    assert {"gamma", "lognormal", "loglogistic", "weibull"} <= set(re.findall(r"\w+", complaint(dist="gamma")))
    assert {"probit", "log", "identity"} <= set(re.findall(r"\w+", complaint(link="probit")))


def test_a_grid_must_not_be_negative():
    assert "grid" in complaint(grid=-6)


def test_an_average_is_one_number():
    assert "average" in complaint(average=[False, True, False])


def test_a_window_must_hold_the_row_it_belongs_to():
    told = complaint(low=[24, 36, 60], high=[36, 60, 96], lower_truncation=[12.0, 70, 12], upper_truncation=[120.0] * 3)
    assert "truncat" in told and 1 in numbers_in(told)


@pytest.mark.parametrize("scale", [0.05, 1.0, 3.0])
def test_exact_lengths_carry_all_the_information_that_exact_lengths_can(scale):
    rng = np.random.default_rng(5)
    exog = np.column_stack([np.ones(60), rng.normal(size=60)])
    months = np.exp(3.6 + 0.2 * exog[:, 1] + scale * rng.normal(size=60))
    results = IntervalRegression(months, months, exog, weights=rng.integers(1, 4, 60)).fit()
    # The scale is known from the squares of the residuals: observed and expected information are the same there.
    assert results.least_information == pytest.approx(1.0, rel=1e-6)


# ---------------------------------------------------------------------------- rows of a likelihood


def test_rows_are_sorted_by_kind_and_within_a_kind_stay_as_they_came():
    """More rows than any sort leaves in place by itself; each given row knows which one it became."""
    n = 60
    kinds = np.arange(n) % 3  # open below, open above, cell: as rows, not as numbers of kinds
    bound = 12.0 + np.arange(n)
    low, high = np.where(kinds == 0, OPEN, bound), np.where(kinds == 1, OPEN, bound + 6.0)
    weights = np.where(np.arange(n) == 7, 0.0, 1.0 + np.arange(n))
    rows = IntervalRegression(low, high, weights=weights, link="identity").likelihood
    order = [*range(2, n, 3), *range(0, n, 3), *(i for i in range(1, n, 3) if i != 7)]
    place = np.full(n, -1)
    place[order] = np.arange(n - 1)
    assert rows.row_of.tolist() == place.tolist()
    assert rows.kind.tolist() == [CELL] * 20 + [BELOW] * 20 + [ABOVE] * 19
    middle = np.select([kinds == 0, kinds == 1], [bound + 6.0, bound], bound + 3.0)
    assert rows.middle.tolist() == middle[order].tolist()
    assert rows.width[:20].tolist() == [6.0] * 20
    assert rows.weight.tolist() == weights[order].tolist() and rows.size.tolist() == [1.0] * (n - 1)
    assert rows.given_weight.tolist() == weights.tolist()
    assert rows.people == weights.sum() and rows.mean_weight.tolist() == weights[order].tolist()
    assert (rows.n_params, rows.one_scale, rows.grouped.any(), rows.constant) == (2, True, False, 0.0)


def test_rows_alike_become_one_but_averages_and_people_are_counted_rightly():
    low, high = [36, 36, 48, 48, OPEN, 24], [60, 60, 48, 48, OPEN, 24]
    model = IntervalRegression(low, high, weights=[2, 3, 4, 5, 7, 1], average=[False, False, True, True, False, False])
    rows = model.likelihood
    assert rows.row_of.tolist() == [1, 1, 2, 3, -1, 0] and rows.kind.tolist() == [EXACT, CELL, AVERAGE, AVERAGE]
    assert rows.weight.tolist() == [1, 5, 1, 1] and rows.size.tolist() == [1, 1, 4, 5]
    assert rows.given_weight.tolist() == [2, 3, 1, 1, 0, 1]
    assert rows.people == 15 and rows.mean_weight.tolist() == [1, 5, 4, 5]
    np.testing.assert_allclose(rows.middle, [np.log(24), np.log(np.sqrt(36 * 60)), 48, 48], rtol=1e-12)
    np.testing.assert_allclose(rows.width[1], np.log(60 / 36), rtol=1e-12)


def test_every_third_row_keeps_all_that_belongs_to_it():
    low, high = np.arange(10.0) + 12, np.arange(10.0) + 24
    exog = np.column_stack([np.ones(10), np.arange(10)])
    model = IntervalRegression(
        low, high, exog, exog_scale=exog, weights=np.arange(1, 11), lower_truncation=low - 1, upper_truncation=high + 5,
    )  # fmt: skip
    whole, some = model.likelihood, model.likelihood.thinned(3)
    for name in ("kind", "middle", "width", "exog", "exog_scale", "weight", "size", "truncation"):
        np.testing.assert_array_equal(getattr(some, name), getattr(whole, name)[[0, 3, 6, 9]])
    assert some.people == 1 + 4 + 7 + 10 and len(some.row_of) == len(some.given_weight) == 0
    at = np.array([3.0, 0.01, -1.0, 0.02])
    alone = IntervalRegression(
        low[::3], high[::3], exog[::3], exog_scale=exog[::3], weights=[1, 4, 7, 10], lower_truncation=(low - 1)[::3],
        upper_truncation=(high + 5)[::3],
    )  # fmt: skip
    np.testing.assert_allclose(some.evaluate(at).value, alone.loglike(at), rtol=1e-12)


def test_many_rows_and_many_parameter_vectors_are_evaluated_in_pieces_that_add_up():
    """Arrays are worked on a few thousand numbers at a time; so many rows, and so many lines, do not fit in one."""
    rng = np.random.default_rng(8)
    low = rng.uniform(6, 60, 9000)
    model = IntervalRegression(low, low + rng.uniform(1, 30, 9000), rng.normal(size=(9000, 1)))
    theta = np.column_stack([np.linspace(0.5, 1.0, 3), np.linspace(-0.3, 0.2, 3)])
    found = model.likelihood.evaluate(theta)
    halves = [model.likelihood.evaluate(theta, weight=np.tile(np.arange(9000) % 2 == k, (3, 1)) * 1.0) for k in (0, 1)]
    for whole, one, other in zip(found, *halves, strict=True):
        np.testing.assert_allclose(whole, one + other, rtol=1e-9)
    each = np.array([model.likelihood.row_values(line).sum() for line in theta])
    np.testing.assert_allclose(found.value, each, rtol=1e-10)
    few = IntervalRegression(low[:5000], low[:5000] + 6, np.ones((5000, 1))).likelihood
    alone = [few.evaluate(line) for line in theta]
    for place, part in enumerate(few.evaluate(theta)):
        np.testing.assert_allclose(part, np.concatenate([one[place] for one in alone]), rtol=1e-10)


def sizes(counts, log_weight, rows=(0, 1)) -> UnknownSize:
    return UnknownSize(list(rows), np.array(counts, dtype=float), np.array(log_weight, dtype=float))


def test_groups_of_unknown_size_are_summed_over_their_sizes():
    """Two or five people, then one or three, whose bands are printed as shares; the last row is of certain people."""
    low, high = [OPEN, 36, 24, 24], [36, OPEN, 48, 60]
    groups = [sizes([[1, 1], [2, 3]], [-0.5, 0.2]), sizes([[1], [3]], [0.0, -1.0], [2])]
    model = IntervalRegression(low, high, weights=[9, 9, 9, 4], unknown_sizes=groups)
    mu, sigma = 3.4, 0.6
    cut = stats.norm(mu, sigma).cdf
    p = [cut(np.log(36)), 1 - cut(np.log(36)), cut(np.log(48)) - cut(np.log(24)), cut(np.log(60)) - cut(np.log(24))]
    expected = np.log(np.exp(-0.5) * p[0] * p[1] + np.exp(0.2) * p[0] ** 2 * p[1] ** 3)
    expected += np.log(p[2] + np.exp(-1.0) * p[2] ** 3) + 4 * np.log(p[3])
    at = np.array([mu, np.log(sigma)])
    assert model.loglike(at) == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(model.score(at), approx_fprime(at, model.loglike, centered=True), rtol=1e-6)
    np.testing.assert_allclose(model.hessian(at), approx_fprime(at, model.score, centered=True), rtol=1e-6)
    np.testing.assert_allclose(np.sum(model.score_obs(at), axis=0), model.score(at), rtol=1e-10)
    rows = model.likelihood
    assert rows.people == 2 + 1 + 4  # at their smallest
    by_given = rows.mean_weight[rows.row_of]
    assert by_given.tolist() == [1.5, 2.0, 2.0, 4.0] and rows.grouped[rows.row_of].tolist() == [True, True, True, False]
    # A sample in which the first group is drawn twice and the second not at all.
    twice = rows.evaluate(at, multiplicity=np.array([[2.0, 0.0]])).value[0]
    assert twice == pytest.approx(2 * np.log(np.exp(-0.5) * p[0] * p[1] + np.exp(0.2) * p[0] ** 2 * p[1] ** 3)
                                  + 4 * np.log(p[3]), rel=1e-10)  # fmt: skip


# ---------------------------------------------------------------------------- profile intervals of functions


@pytest.mark.parametrize("alpha", [0.05, 0.32])
def test_ends_for_the_median_of_exact_terms_have_a_closed_form(alpha):
    """Of exact lognormal terms the deviance of a location a is n log(1 + (a - mean)² / s²); a median is exp(a)."""
    logs = np.log([12.0, 20, 30, 36, 40, 52, 60, 84, 96, 150])
    results = IntervalRegression(np.exp(logs), np.exp(logs)).fit()
    quantile = stats.chi2.isf(alpha, 1)
    half = logs.std() * np.sqrt(np.expm1(quantile / len(logs)))
    expected = [logs.mean() - half, logs.mean() + half]
    np.testing.assert_allclose(profile.profile_interval_of_parameter(results, "const", alpha), expected, atol=1e-8)
    np.testing.assert_allclose(
        profile.profile_interval(results, lambda p: np.exp(p[0]), alpha), np.exp(expected), rtol=1e-5
    )
    # Of the scale it is n (2 (l - log s) + s² / exp(2 l) - 1).
    fall = [len(logs) * (2 * (end - np.log(logs.std())) + logs.var() * np.exp(-2 * end) - 1)
            for end in profile.profile_interval(results, lambda p: p[1], alpha)]  # fmt: skip
    np.testing.assert_allclose(fall, quantile, rtol=1e-4)
    deviance, at = profile.deviance_at(results, "const", expected[0])
    assert deviance == pytest.approx(quantile, rel=1e-8) and at[0] == expected[0]
    assert at[1] == pytest.approx(0.5 * np.log(np.mean((logs - expected[0]) ** 2)), abs=1e-7)


def test_intervals_of_all_parameters_leave_those_held_fixed_where_they_are():
    model = of_bands([12, 36, 60, 120], [2, 4, 5, 3, 1])
    held = model.fit(fixed={"log_scale": -0.4})
    found = profile.profile_intervals(held, 0.1)
    assert list(found.columns) == ["lower", "upper"] and list(found.index) == ["const", "log_scale"]
    assert found.loc["log_scale"].tolist() == [-0.4, -0.4]
    for end in found.loc["const"]:
        fall = 2 * (held.llf - model.loglike([end, -0.4]))
        assert fall == pytest.approx(stats.chi2.isf(0.1, 1), abs=1e-6)
    alone = profile.profile_interval(held, lambda p: p[0], 0.1)
    np.testing.assert_allclose(alone, found.loc["const"], atol=1e-5)


def test_intervals_found_together_are_those_found_one_by_one():
    results = of_table(mixed_table()).fit()
    x = np.array([1.0, 40.0, 1.0])
    normal = stats.norm

    def functions(params):
        middle, sigma = params[:, :3] @ x, np.exp(params[:, 3])
        return np.column_stack([middle, np.exp(middle), sigma, normal.cdf((np.log(36) - middle) / sigma),
                                -2.0 * middle, np.zeros(len(params))])  # fmt: skip

    together = profile.profile_intervals_together(results, functions, 0.1)
    for place, found in enumerate(together[:5]):
        alone = profile.profile_interval(results, lambda p, i=place: functions(p[None])[0, i], 0.1)
        np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-5)
    # Ends do not depend on how a quantity is told: on a log scale, or turned around.
    np.testing.assert_allclose(np.log(together[1]), together[0], rtol=1e-7)
    np.testing.assert_allclose(np.array(together[4])[::-1], -2.0 * np.array(together[0]), rtol=1e-7)
    assert isinstance(together[5], NotConverged)
    assert str(together[5]) == "the function does not change with the parameters at the estimate"


def test_interval_of_the_spread_told_is_that_of_its_own_profile():
    results = of_bands([12, 36, 60, 120], [2, 4, 5, 3, 1]).fit()
    (found,) = profile.profile_intervals_together(results, lambda params: params[:, 1:])
    np.testing.assert_allclose(found, profile.profile_interval_of_parameter(results, "log_scale"), atol=1e-7)


def test_parameter_that_cannot_be_held_there_is_named_with_its_value():
    results = of_bands([12, 36, 60, 120], [2, 4, 5, 3, 1]).fit()
    with pytest.raises(NotConverged) as caught:
        profile.deviance_at(results, "log_scale", -1000.0)
    assert str(caught.value) == "no maximum with log_scale held at -1000"


def test_ends_of_smooth_functions_are_found_without_the_slower_search(monkeypatch):
    def never(*_):
        raise AssertionError("searched for one by one")

    results = of_table(mixed_table()).fit()
    monkeypatch.setattr(profile, "profile_interval", never)
    x = np.array([1.0, 40.0, 1.0])
    middle, spread = profile.profile_intervals_together(
        results, lambda params: np.column_stack([params[:, :3] @ x, np.exp(params[:, 3])])
    )
    assert middle[0] < results.params.to_numpy()[:3] @ x < middle[1]
    assert spread[0] < np.exp(results.params["log_scale"]) < spread[1]
    np.testing.assert_allclose(
        np.log(spread), profile.profile_interval_of_parameter(results, "log_scale"), atol=1e-6
    )  # fmt: skip


def test_differences_are_the_derivatives_of_a_function_of_several_parameters():
    """f = exp(a'p) and g = (b'p)² have gradients f a and 2 (b'p) b, Hessians f a a' and 2 b b'; the root turns them."""
    results = of_table(mixed_table()).fit()
    region = profile._Region(results, 0.05)
    a, b = np.array([0.1, 0.01, -0.2, 0.3]), np.array([0.5, 0.02, 1.0, -1.0])
    points, which = np.array([[0.0, 0, 0, 0], [0.5, -1.0, 0.2, 0.3], [1.0, 0.4, -0.6, 0.1]]), np.array([0, 1, 0])
    found = profile._differences(
        region, lambda p: np.column_stack([np.exp(p @ a), (p @ b) ** 2]), points, which
    )  # fmt: skip
    p = results.params.to_numpy() + points @ region.root.T
    np.testing.assert_allclose(region.params(points), p, rtol=1e-12)
    f, g = np.exp(p @ a), p @ b
    value = np.where(which == 0, f, g**2)
    to, bent = region.root.T @ a, region.root.T @ b
    gradient = np.where(which[:, None] == 0, f[:, None] * to, 2 * g[:, None] * bent)
    hessian = np.where(which[:, None, None] == 0, f[:, None, None] * np.outer(to, to), 2 * np.outer(bent, bent))
    np.testing.assert_allclose(found[0], value, rtol=1e-12)
    np.testing.assert_allclose(found[1], gradient, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found[2], hessian, rtol=1e-4, atol=1e-6)


def test_an_end_is_an_extreme_where_the_function_bends_back_along_the_edge():
    bend = np.array([np.diag([9.0, -1.0]), np.diag([9.0, 1.0]), np.diag([9.0, -1.0])])
    fall, multiplier = np.array([[2.0, 0.0]] * 3), np.array([1.0, 1.0, -1.0])
    assert profile._is_extreme(bend, fall, multiplier).tolist() == [True, False, False]


def test_edge_of_the_region_is_where_the_likelihood_has_fallen_by_the_cut():
    results = of_table(mixed_table()).fit()
    region = profile._Region(results, 0.1)
    assert region.radius == pytest.approx(np.sqrt(stats.chi2.isf(0.1, 1))) and region.size == 4
    directions = np.vstack([np.eye(4), -np.eye(4)])
    edge = region.edge(directions)
    fall = 2 * (results.llf - np.array([results.model.loglike(p) for p in region.params(edge)]))
    np.testing.assert_allclose(fall, stats.chi2.isf(0.1, 1), rtol=0.01)
    room, slope, curve = region.room(edge)
    assert (room >= 0).all() and room.max() < 0.02
    np.testing.assert_allclose(slope[0], approx_fprime(edge[0], lambda u: region.room(u[None])[0][0], centered=True),
                               rtol=1e-5, atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(curve[0], approx_fprime(edge[0], lambda u: region.room(u[None])[1][0], centered=True),
                               rtol=1e-5, atol=1e-5)  # fmt: skip
