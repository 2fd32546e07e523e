"""Group intercepts: against mixed models, against numerical integration, and at the edges of what can be known."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import integrate, stats

from sentencing.models import IntervalRegression, NotEstimable, RandomInterceptIntervalRegression

OPEN = math.nan
FAMILIES = {"lognormal": stats.norm, "loglogistic": stats.logistic, "weibull": stats.gumbel_l}


def sample(n_groups=25, size=6, tau=0.4, sigma=0.5, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), size)
    x = rng.standard_normal(len(group))
    y = 3.7 + 0.3 * x + tau * rng.standard_normal(n_groups)[group] + sigma * rng.standard_normal(len(group))
    return pd.DataFrame({"t": np.exp(y), "x": x, "group": [f"g{g:02d}" for g in group]})


def banded(table: pd.DataFrame, edges=(24.0, 36.0, 60.0)) -> pd.DataFrame:
    cuts = np.array([OPEN, *edges, OPEN])
    place = np.searchsorted(edges, table["t"])
    return table.assign(low=cuts[place], high=cuts[place + 1])


def of(table: pd.DataFrame, **options) -> RandomInterceptIntervalRegression:
    return RandomInterceptIntervalRegression.from_formula("low + high ~ x", table, groups="group", **options)


@pytest.mark.parametrize(("seed", "kept"), [(0, 1.0), (1, 0.6), (2, 0.6)])
def test_exact_lognormal_lengths_give_the_mixed_model_of_their_logarithms(seed, kept):
    table = sample(seed=seed)
    table = table[np.random.default_rng(seed).random(len(table)) < kept].assign(y=lambda d: np.log(d["t"]))
    mixed = smf.mixedlm("y ~ x", table, groups=table["group"])
    other = mixed.fit(reml=False, method="bfgs", gtol=1e-9, maxiter=1000)
    own = RandomInterceptIntervalRegression.from_formula("t + t ~ x", table, groups="group").fit()
    expected = [*other.fe_params, 0.5 * np.log(other.scale), 0.5 * np.log(other.cov_re.iloc[0, 0])]
    np.testing.assert_allclose(own.params, expected, rtol=1e-6)
    assert own.llf == pytest.approx(other.llf - table["y"].sum(), abs=1e-6)
    effects, rows = own.group_effects(), table.groupby("group").size()
    blups = pd.Series({name: value.iloc[0] for name, value in other.random_effects.items()})
    np.testing.assert_allclose(effects["posterior_mean"], blups[effects.index], atol=1e-5)
    own_share = rows / (rows + np.exp(2 * own.params["log_scale"]) / own.tau**2)
    np.testing.assert_allclose(effects["own_information"], own_share[effects.index], rtol=1e-8)


@pytest.mark.parametrize("dist", FAMILIES)
def test_marginal_likelihood_is_the_integral(dist):
    table = banded(sample(5, 4, seed=3))
    model = of(table, dist=dist)
    location, slope, log_sigma, log_tau = params = [3.6, 0.2, -0.7, -0.6]
    sigma, tau, e = np.exp(log_sigma), np.exp(log_tau), FAMILIES[dist]
    total = 0.0
    for _, rows in table.groupby("group"):
        low = np.log(rows["low"].fillna(0.0).replace(0.0, 1e-300)).to_numpy()
        high = np.log(rows["high"].fillna(1e300)).to_numpy()
        eta = location + slope * rows["x"].to_numpy()

        def joint(u, low=low, high=high, eta=eta):
            inside = e.cdf((high - eta - u) / sigma) - e.cdf((low - eta - u) / sigma)
            return np.prod(inside) * stats.norm.pdf(u, scale=tau)

        total += np.log(integrate.quad(joint, -6, 6, epsabs=1e-15, epsrel=1e-12, limit=200, points=[0.0])[0])
    assert model.loglike(params) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("dist", FAMILIES)
def test_derivatives_are_those_of_finite_differences(dist):
    table = banded(sample(6, 5, seed=4)).assign(kind=lambda d: (d["x"] > 0).astype(float))
    model = of(table, dist=dist, scale="kind", grid=6)
    at, step = np.array([3.6, 0.2, -0.7, 0.1, -0.6]), 1e-5
    for j, shift in enumerate(step * np.eye(5)):
        slope = (model.loglike(at + shift) - model.loglike(at - shift)) / (2 * step)
        assert model.score(at)[j] == pytest.approx(slope, rel=1e-5, abs=1e-6)
        curve = (model.score(at + shift) - model.score(at - shift)) / (2 * step)
        np.testing.assert_allclose(model.hessian(at)[j], curve, rtol=1e-5, atol=1e-5)


def test_groups_that_hardly_differ_are_pooled():
    table = banded(sample(seed=5))
    pooled = IntervalRegression.from_formula("low + high ~ x", table)
    params = [3.6, 0.2, -0.7]
    assert of(table).loglike([*params, -12.0]) == pytest.approx(pooled.loglike(params), rel=1e-8)


def test_truth_is_recovered_from_bands():
    """The mean of 12 fits to 40 groups lies within three Monte-Carlo standard errors of the truth, and 0.05 for the
    known small-sample bias of both spreads."""
    fits = np.array([of(banded(sample(40, 6, seed=100 + i))).fit().params for i in range(12)])
    error = fits.std(axis=0, ddof=1) / np.sqrt(len(fits))
    truth = np.array([3.7, 0.3, np.log(0.5), np.log(0.4)])
    assert np.all(np.abs(fits.mean(axis=0) - truth) < 3 * error + np.array([0, 0, 0.05, 0.05]))


def test_weights_are_repetition_and_order_is_nothing():
    table = banded(sample(8, 4, seed=6))
    twice = pd.concat([table, table])
    weighted = of(table.assign(n=2.0), weights="n").fit()
    np.testing.assert_allclose(of(twice.sample(frac=1, random_state=1)).fit().params, weighted.params, rtol=1e-7)


def test_another_unit_moves_the_intercept_alone():
    table = banded(sample(12, 5, seed=7))
    days = table.assign(low=table["low"] * 30.4, high=table["high"] * 30.4)
    shift = of(days).fit().params - of(table).fit().params
    np.testing.assert_allclose(shift, [np.log(30.4), 0, 0, 0], atol=1e-6)


def test_more_nodes_change_nothing():
    table = banded(sample(12, 5, seed=8))
    few, many = of(table).fit(), of(table, nodes=120).fit()
    assert few.quadrature_error < 1e-8
    np.testing.assert_allclose(few.params, many.params, rtol=1e-7)


def test_no_difference_between_groups_is_told_as_such():
    tables = [sample(12, 5, tau=0.0, seed=seed) for seed in range(6)]
    fits = [RandomInterceptIntervalRegression.from_formula("t + t ~ x", t, groups="group").fit() for t in tables]
    at_zero = [fit for fit in fits if fit.boundary]
    assert at_zero
    for fit in at_zero:
        assert fit.tau == 0
        assert fit.llf == pytest.approx(fit.pooled.llf)
        assert tuple(fit.lr_test_group()) == (0, 1)
        assert fit.group_effects()["posterior_sd"].isna().all()


@pytest.mark.parametrize("dist", FAMILIES)
def test_common_median_is_that_of_a_group_at_the_mean_of_the_groups_covariates(dist):
    """Its interval is what shifting the covariate there makes of the interval of the constant."""
    table = banded(sample(12, 5, seed=4))
    table.loc[table["group"] == "g00", "x"] += 1.0
    results = of(table, dist=dist).fit()
    centre = table.groupby("group")["x"].mean().mean()
    median_of_e = FAMILIES[dist].ppf(0.5)
    shifted = of(table.assign(x=table["x"] - centre), dist=dist).fit()
    k = shifted.params.index[0]
    sigma = np.exp(shifted.params["log_scale"])
    middle = shifted.params[k] + sigma * median_of_e
    cov = shifted.cov_params().loc[[k, "log_scale"], [k, "log_scale"]].to_numpy()
    slope = np.array([1.0, sigma * median_of_e])
    half = stats.norm.isf(0.025) * np.sqrt(slope @ cov @ slope)
    expected = np.exp([middle, middle - half, middle + half])
    np.testing.assert_allclose(results.common_median(), expected, rtol=1e-6)


def test_groups_with_little_of_their_own_get_words_and_no_median():
    table = banded(sample(12, 6, seed=9))
    one_sided = pd.DataFrame({"low": [24.0], "high": [OPEN], "x": [0.0], "group": ["only"]})
    results = of(pd.concat([table, one_sided], ignore_index=True)).fit()
    told = results.shrunken_median()
    assert math.isnan(told.loc["only", "median"])
    assert "24" in told.loc["only", "said"]
    others = told.drop(index="only")
    assert others["median"].notna().sum() > 0
    assert (others["lower"] < others["median"])[others["median"].notna()].all()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (sample(1, 8).assign(low=lambda d: d["t"], high=lambda d: d["t"]), "group"),
        (sample(8, 1).assign(low=lambda d: d["t"], high=lambda d: d["t"]), "group"),
        (sample(5, 4).assign(low=24.0, high=OPEN), "bound"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(table, reason):
    with pytest.raises(NotEstimable, match=reason):
        of(table).fit()


def test_rows_without_a_group_are_refused():
    table = banded(sample(4, 3)).assign(group=lambda d: d["group"].where(d.index != 5))
    with pytest.raises(ValueError, match=r"\[5\] belong to none"):
        of(table)
