"""Group intercepts: against mixed models, against numerical integration, and at the edges of what can be known."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import integrate, optimize, special, stats

from sentencing.models import (
    IntervalRegression,
    NotConverged,
    NotEstimable,
    RandomInterceptIntervalRegression,
    random_intercept,
)

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


@pytest.mark.parametrize("quadrature", ["hermite", "legendre"])
@pytest.mark.parametrize("dist", FAMILIES)
def test_marginal_likelihood_is_the_integral(dist, quadrature):
    table = banded(sample(5, 4, seed=3))
    model = of(table, dist=dist, quadrature=quadrature)
    location, slope, log_sigma, log_tau = params = [3.6, 0.2, -0.7, -0.6]
    sigma, tau, e = np.exp(log_sigma), np.exp(log_tau), FAMILIES[dist]
    parts = {}
    for name, rows in table.groupby("group"):
        low = np.log(rows["low"].fillna(0.0).replace(0.0, 1e-300)).to_numpy()
        high = np.log(rows["high"].fillna(1e300)).to_numpy()
        eta = location + slope * rows["x"].to_numpy()

        def joint(u, low=low, high=high, eta=eta):
            inside = e.cdf((high - eta - u) / sigma) - e.cdf((low - eta - u) / sigma)
            return np.prod(inside) * stats.norm.pdf(u, scale=tau)

        parts[name] = np.log(integrate.quad(joint, -6, 6, epsabs=1e-15, epsrel=1e-12, limit=200, points=[0.0])[0])
    assert model.loglike(params) == pytest.approx(sum(parts.values()), rel=1e-9)
    assert model.loglike_groups(params).to_dict() == pytest.approx(parts, rel=1e-9)


@pytest.mark.parametrize("quadrature", ["hermite", "legendre"])
@pytest.mark.parametrize("dist", FAMILIES)
def test_derivatives_are_those_of_finite_differences(dist, quadrature):
    table = banded(sample(6, 5, seed=4)).assign(kind=lambda d: (d["x"] > 0).astype(float))
    model = of(table, dist=dist, scale="kind", grid=6, quadrature=quadrature)
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


def test_posterior_of_an_intercept_is_that_of_a_numerical_integral():
    table = banded(sample(6, 4, seed=10))
    results = of(table).fit()
    sigma, tau = np.exp(results.params["log_scale"]), results.tau
    found = results.group_effects()
    assert (found["rows"] == 4).all() and (found["people"] == 4).all()
    u = np.linspace(-8 * tau, 8 * tau, 20001)
    for name, rows in table.groupby("group"):
        low, high = np.log(rows["low"].fillna(1e-300)), np.log(rows["high"].fillna(1e300))
        eta = results.params["const"] + results.params["x"] * rows["x"]
        inside = [stats.norm.cdf((b - e - u) / sigma) - stats.norm.cdf((a - e - u) / sigma)
                  for a, b, e in zip(low, high, eta, strict=True)]  # fmt: skip
        weight = np.prod(inside, axis=0) * stats.norm.pdf(u, scale=tau)
        mean = np.average(u, weights=weight)
        variance = np.average((u - mean) ** 2, weights=weight)
        own = found.loc[name]
        assert own["posterior_mean"] == pytest.approx(mean, abs=1e-7)
        assert own["posterior_sd"] == pytest.approx(np.sqrt(variance), rel=1e-6)
        assert own["own_information"] == pytest.approx(1 - variance / tau**2, abs=1e-6)


def test_a_shrunken_median_is_at_the_posterior_mean_of_its_group():
    table = banded(sample(8, 6, seed=11)).assign(kind=lambda d: (d.index % 2).astype(float))
    results = of(table, dist="weibull", scale="kind").fit()
    params, effects = results.params.to_numpy(), results.group_effects()
    x = table.groupby("group")["x"].mean().to_numpy()
    sigma = np.exp(params[2] + params[3] * 0.5)
    middle = params[0] + params[1] * x + effects["posterior_mean"] + sigma * stats.gumbel_l.ppf(0.5)
    told = results.shrunken_median(least_information=0.0, alpha=0.1)
    np.testing.assert_allclose(told["median"], np.exp(middle), rtol=1e-9)
    half = stats.norm.isf(0.05) * effects["posterior_sd"]
    np.testing.assert_allclose(told["lower"], np.exp(middle - half), rtol=1e-9)
    np.testing.assert_allclose(told["upper"], np.exp(middle + half), rtol=1e-9)
    np.testing.assert_allclose(told["scale"], sigma, rtol=1e-9)
    assert set(told["said"]) == {"estimated"}
    own = np.column_stack([np.ones(len(x)), x])
    for exog in ([1.0, 0.3], [[1.0, 0.3]]):
        shifted = results.shrunken_median(exog, least_information=0.0)["median"]
        np.testing.assert_allclose(np.log(shifted / told["median"]), params[1] * (0.3 - x), atol=1e-9)
    np.testing.assert_allclose(results.shrunken_median(own, 0.0)["median"], told["median"], rtol=1e-9)
    assert results.shrunken_median(exog_scale=[1.0, 1.0])["scale"].iloc[0] == pytest.approx(np.exp(sum(params[2:4])))
    none = results.shrunken_median(least_information=1.0)
    assert none[["median", "lower", "upper"]].isna().all(axis=None)
    assert none["said"].str.fullmatch(r"own evidence carries 0\.\d\d of the information, less than 1").all()
    for wrong in ([1.0], [[1.0, 0.3]] * 3, [1.0, OPEN]):
        with pytest.raises(ValueError, match="exog"):
            results.shrunken_median(wrong)
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError, match="least_information"):
            results.shrunken_median(least_information=share)


def test_the_evidence_of_a_group_is_told_in_words():
    rows = [("both", 24, 36), ("both", OPEN, 36), ("apart", 24, OPEN), ("apart", OPEN, 60), ("least", 24, OPEN),
            ("least", 60, OPEN), ("one", 24, OPEN), ("most", OPEN, 60), ("most", OPEN, 12), ("zero", 0, OPEN),
            ("without", 24, 36)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["group", "low", "high"]).assign(n=2.0)
    table.loc[table["group"] == "without", "n"] = 0.0
    model = RandomInterceptIntervalRegression.from_formula("low + high ~ 1", table, groups="group", weights="n")
    told = model.evidence
    assert told["evidence"].to_dict() == {
        "both": "two-sided", "apart": "two-sided", "least": "only at least 24 (for some 60)",
        "one": "only at least 24", "most": "only at most 60 (for some 12)", "zero": "nothing",
    }  # fmt: skip
    assert told["two_sided"].to_dict() == {name: name in ("both", "apart") for name in told.index}
    assert told["rows"].to_dict() == {"both": 2, "apart": 2, "least": 2, "one": 1, "most": 2, "zero": 1}
    assert (told["people"] == 2 * told["rows"]).all()


def exact(table: pd.DataFrame):
    return RandomInterceptIntervalRegression.from_formula("t + t ~ 1", table, groups="group").fit()


def test_ends_of_the_profile_interval_of_the_spread_are_just_not_rejected():
    results = exact(sample(8, 4, tau=0.8, seed=12))
    ends = results.conf_int(method="profile").loc["log_sd_group"]
    assert ends["lower"] < results.params["log_sd_group"] < ends["upper"]
    for end in ends:
        held = optimize.minimize(
            lambda free, end=end: -results.model.loglike([*free, end]), results.params[:-1].to_numpy(),
            jac=lambda free, end=end: -results.model.score([*free, end])[:-1], method="BFGS", options={"gtol": 1e-7},
        )  # fmt: skip
        assert 2 * (results.llf + held.fun) == pytest.approx(stats.chi2.isf(0.05, 1), abs=1e-4)


def test_test_of_no_difference_is_half_a_chi_square():
    results = of(banded(sample(10, 5, seed=12))).fit()
    found, rise = results.lr_test_group(), 2 * (results.llf - results.pooled.llf)
    assert found.statistic == pytest.approx(rise) and rise > 0
    assert found.p_value == pytest.approx(0.5 * stats.chi2.sf(rise, 1))
    assert results.nobs == 50 and results.n_groups == 10 and not results.boundary
    assert results.aic == pytest.approx(8 - 2 * results.llf) and results.bic == pytest.approx(
        4 * np.log(50) - 2 * results.llf
    )


def test_where_no_difference_is_not_rejected_the_interval_of_the_spread_reaches_to_none():
    results = exact(sample(4, 4, tau=0.0, seed=2))
    assert results.boundary and results.n_iter == results.pooled.n_iter
    ends = results.conf_int(method="profile")
    assert ends.loc["log_sd_group", "lower"] == -np.inf and np.isfinite(ends.loc["log_sd_group", "upper"])
    assert ends.loc["const", "lower"] < results.params["const"] < ends.loc["const", "upper"]
    told = results.shrunken_median(least_information=0.0)
    assert told["median"].isna().all() and told["said"].str.startswith("no difference between groups").all()
    assert "tau = 0 is best" in str(results.summary())


def test_summary_tells_the_fit():
    results = of(banded(sample(10, 5, seed=12))).fit()
    summary, ends = results.summary(alpha=0.1), results.conf_int(0.1)
    top, body = (table.data for table in summary.tables)
    assert {line[i]: line[i + 1] for line in top for i in (0, 2)} == {
        "Distribution:": "lognormal, log link", "Log-likelihood:": f"{results.llf:.6g}", "People:": "50",
        "AIC:": f"{results.aic:.6g}", "BIC:": f"{results.bic:.6g}", "Groups:": "10", "Nodes:": "50, hermite",
        "Rows (distinct):": f"50 ({len(results.model.likelihood.kind)})", "Grid:": "0",
        "Quadrature error:": f"{results.quadrature_error:.1g}",
    }  # fmt: skip
    assert body[0] == ["", "coef", "std err", "z", "P>|z|", "[0.05", "0.95]"]
    columns = [results.params, results.bse, results.tvalues, results.pvalues, ends["lower"], ends["upper"]]
    assert body[1:] == [[name, *(f"{column[name]:.4f}" for column in columns)] for name in results.params.index]
    told, test = str(summary), results.lr_test_group()
    assert str(results.summary()) == str(results.summary(alpha=0.05)) != told
    assert "Interval regression with group intercepts" in told
    assert f"between groups {results.tau:.4g}; likelihood ratio against none {test.statistic:.4g}" in told
    assert f"p = {test.p_value:.3g} (half" in told
    assert f"Groups by evidence: two-sided {results.model.evidence['two_sided'].sum()}, only at " in told


@pytest.mark.parametrize(("quadrature", "instead"), [("hermite", ' or quadrature="legendre"'), ("legendre", "")])
def test_who_ends_before_a_maximum_is_told_what_to_try(quadrature, instead):
    with pytest.raises(NotConverged) as refused:
        of(banded(sample(6, 4, seed=10)), quadrature=quadrature).fit(maxiter=1)
    assert str(refused.value).endswith(f"; try more than 50 nodes{instead}")
    assert "after 1 steps" in str(refused.value)


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


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"groups": "place"}, "no column 'place'"), ({"nodes": 3}, "nodes is 3"), ({"nodes": 4.5}, "nodes is 4.5"),
     ({"quadrature": "simpson"}, "simpson"), ({"groups": ["a"] * 3}, r"shape \(3,\)")],
)  # fmt: skip
def test_what_is_no_grouping_or_quadrature_is_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        RandomInterceptIntervalRegression.from_formula(
            "low + high ~ x", banded(sample(4, 3)), **{"groups": "group", **options}
        )


# ---------------------------------------------------------------------------- what is told of a model, a fit, a refusal


def told_by(raised, act) -> str:
    with pytest.raises(raised) as caught:
        act()
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"groups": "place"}, "there is no column 'place'; the columns are t, x, group, low, high"),
        ({"nodes": 3}, "nodes is 3; it must be a whole number from 4 on"),
        ({"nodes": 4.5}, "nodes is 4.5; it must be a whole number from 4 on"),
        ({"quadrature": "simpson"}, "quadrature 'simpson' is not one of hermite, legendre"),
        ({"groups": ["a"] * 3}, "groups has shape (3,), but low has 4 rows"),
        ({"groups": ["a", None, "b", math.nan]}, "groups: rows [1, 3] belong to none"),
        ({"unknown_sizes": [([0], [[1], [2]], [0.0, 0.0])]},
         "unknown_sizes cannot be combined with group intercepts: settle on one size"),
    ],
)  # fmt: skip
def test_refusal_of_a_model_says_what_is_wrong_and_what_is_right(options, told):
    table, options = banded(sample(2, 2)), {"groups": "group"} | options
    build = RandomInterceptIntervalRegression.from_formula
    assert told_by(ValueError, lambda: build("low + high ~ x", table, **options)) == told


def test_eleven_rows_without_a_group_are_told_by_the_first_ten():
    table = banded(sample(4, 3)).assign(group=lambda d: d["group"].where(d.index > 10))
    assert told_by(ValueError, lambda: of(table)) == f"groups: rows {list(range(10))} belong to none"


def test_four_nodes_are_enough_to_begin_with_and_a_whole_number_may_be_a_float():
    assert of(banded(sample(2, 2)), nodes=4.0).nodes == 4


FLAT = "within every group one value (or one fitted line) fits all rows, so the spread within groups is not told from 0"
TWO = "the spread between groups needs at least two groups with evidence"
ALONE = "so the spread within groups cannot be told from that between them"


@pytest.mark.parametrize(
    ("rows", "reason", "labels", "columns"),
    [
        ([("a", 24, 36), ("a", 30, 60)], f"{TWO}; only a has any", (), ("log_sd_group",)),
        ([("a", OPEN, OPEN)], f"{TWO}; none has any", (), ("log_sd_group",)),
        ([("a", 24, 24), ("b", 36, 36), ("c", 96, 96)], f"every group is one exact value of one person, {ALONE}",
         (0, 1, 2), ("log_scale", "log_sd_group")),
        ([("a", 24, 24), ("b", 36, 36), ("c", 60, 96)], f"every group is one person, {ALONE}",
         (0, 1, 2), ("log_scale", "log_sd_group")),
        ([("a", 24, 36), ("a", 30, 60), ("b", 60, 96), ("b", 72, 120), ("c", 12, 18)], FLAT,
         (0, 1, 2, 3, 4), ("log_scale", "log_sd_group")),
    ],
)  # fmt: skip
def test_refusal_of_a_fit_names_the_reason_the_rows_and_the_parameters(rows, reason, labels, columns):
    low, high = [low for _, low, _ in rows], [high for *_, high in rows]
    model = RandomInterceptIntervalRegression(low, high, groups=[group for group, *_ in rows])
    with pytest.raises(NotEstimable) as refused:
        model.fit()
    assert (refused.value.reason, refused.value.rows, refused.value.columns) == (reason, labels, columns)


def test_what_the_fit_without_groups_refuses_is_refused_with_its_rows_and_columns():
    table = banded(sample(4, 3)).assign(x=1.0)
    with pytest.raises(NotEstimable) as without:
        IntervalRegression.from_formula("low + high ~ x", table).fit()
    with pytest.raises(NotEstimable) as refused:
        of(table).fit()
    assert refused.value.reason == f"without group intercepts already: {without.value.reason}"
    assert (refused.value.rows, refused.value.columns) == (without.value.rows, without.value.columns)


def test_a_scale_of_its_own_that_nothing_tells_is_refused_with_its_rows_and_name():
    """Groups of the second kind hold two equal terms each: their scale within groups may as well be 0."""
    plain = sample(6, 4, seed=3).assign(first=1.0, second=0.0)
    equal = sample(5, 1, seed=4).assign(first=0.0, second=1.0, group=[f"h{g}" for g in range(5)])
    table = pd.concat([plain, equal, equal], ignore_index=True)
    model = RandomInterceptIntervalRegression.from_formula(
        "t + t ~ 1", table, groups="group", scale="0 + first + second"
    )
    with pytest.raises(NotEstimable) as refused:
        model.fit()
    assert refused.value.reason == (
        "within every group one value (or one fitted line) fits all rows of this scale, so it is not told from 0"
    )
    assert refused.value.rows == tuple(range(24, 34)) and len(refused.value.columns) == 1
    assert refused.value.columns[0] in model.param_names and "second" in refused.value.columns[0]


def test_starting_values_may_be_whole_numbers_and_one_start_leads_to_the_same_maximum():
    model = of(banded(sample(8, 4, seed=6)))
    found = model.fit()
    for start in ([4, 0, -1, -1], np.array([[3, 0, 0, 0], [4, 1, -1, -1]])):
        np.testing.assert_allclose(model.fit(start).params, found.params, rtol=1e-6)
    assert model.loglike([4, 0, -1, -1]) == model.loglike([4.0, 0.0, -1.0, -1.0])
    pd.testing.assert_series_equal(model.loglike_groups([4, 0, -1, -1]), model.loglike_groups([4.0, 0.0, -1.0, -1.0]))


def test_fewer_nodes_asked_for_are_used():
    table = banded(sample(6, 5, seed=4))
    model, coarse, params = of(table), of(table, nodes=5), [3.6, 0.2, -0.7, 0.3]
    assert model.loglike(params, 5) == coarse.loglike(params) != model.loglike(params)
    pd.testing.assert_series_equal(model.loglike_groups(params, 5), coarse.loglike_groups(params))
    assert model.loglike_groups(params).sum() == pytest.approx(model.loglike(params), rel=1e-12)
    assert list(model.loglike_groups(params).index) == [f"g{g:02d}" for g in range(6)]


def test_a_group_whose_rows_say_nothing_has_no_log_likelihood_and_no_part_in_the_fit():
    table = banded(sample(6, 5, seed=10))
    silent = pd.DataFrame({"low": [OPEN], "high": [OPEN], "x": [0.5], "group": ["silent"], "t": [OPEN]})
    with_it, without = of(pd.concat([table, silent], ignore_index=True)), of(table)
    assert with_it.loglike_groups([3.6, 0.2, -0.7, -0.6])["silent"] == pytest.approx(0.0, abs=1e-12)
    assert with_it.n_groups == without.n_groups == 6 and with_it.group_names.name == "group"
    found, other = with_it.fit(), without.fit()
    np.testing.assert_allclose(found.params, other.params, rtol=1e-8)
    own = found.group_effects().loc["silent"]
    assert (own["people"], own["rows"], own["evidence"]) == (1.0, 1, "nothing")
    assert own["posterior_mean"] == pytest.approx(0.0, abs=1e-10)
    assert own["posterior_sd"] == pytest.approx(found.tau, rel=1e-8)
    assert found.shrunken_median(least_information=0.0).loc["silent", "said"] == "nothing is known"
    assert found.converged and found.n_iter > 0 and found.least_information > 0.1


@pytest.mark.parametrize("sign", [-1, 1])
def test_mode_of_a_steep_posterior_is_found_where_newton_alone_goes_to_and_fro(sign):
    """Tails of a logistic are straight: a step from far out leads far beyond the bound, and from there back."""
    sigma, tau, people, away = 0.05, 3.0, 40.0, 4.0
    bound = math.exp(3.0 + sign * away)
    low, high = (bound, OPEN) if sign > 0 else (OPEN, bound)
    model = RandomInterceptIntervalRegression(
        [low, 24.0], [high, 36.0], weights=[people, 1.0], groups=["far", "mid"], dist="loglogistic"
    )
    (v, _), (spread, _) = model._modes(*model._split(np.array([3.0, np.log(sigma), np.log(tau)])))

    def miss(at):  # probability of the other side of the bound
        return special.expit((away - tau * at) / sigma)

    mode = optimize.brentq(lambda at: people * tau / sigma * miss(at) - at, 0.0, 10.0, xtol=1e-13)
    assert v == pytest.approx(sign * mode, abs=1e-8)
    bend = 1.0 + people * (tau / sigma) ** 2 * miss(mode) * (1 - miss(mode))
    assert spread == pytest.approx(bend**-0.5, rel=1e-5)


@pytest.mark.parametrize("nodes", [4, 7, 50])
def test_nodes_integrate_polynomials_exactly(nodes):
    """Of the normal density: 1, 0, 1, 0, 3; over [-1, 1], without its 1 / sqrt(2 pi): 2, 0, 2/3, 0, 2/5."""
    x, log_weight = random_intercept._hermite(nodes)
    found = [np.sum(x**k * np.exp(-0.5 * x * x + log_weight)) for k in range(5)]
    np.testing.assert_allclose(found, [1, 0, 1, 0, 3], atol=1e-12)
    x, log_weight = random_intercept._legendre(nodes)
    found = [np.sqrt(2 * np.pi) * np.sum(x**k * np.exp(log_weight)) for k in range(5)]
    np.testing.assert_allclose(found, [2, 0, 2 / 3, 0, 2 / 5], atol=1e-12)


def test_nodes_whose_weights_vanish_are_left_out():
    x, log_weight = random_intercept._hermite(400)
    assert len(x) < 400 and np.isfinite(log_weight).all()
    assert np.sum(np.exp(-0.5 * x * x + log_weight)) == pytest.approx(1.0, abs=1e-12)


def test_panels_end_where_a_normal_posterior_has_fallen_by_the_levels():
    """Without evidence the posterior is the prior: v² / 2 = 4 and 40."""
    model = RandomInterceptIntervalRegression([OPEN, 24, 36], [OPEN, 36, 60], groups=list("abc"), quadrature="legendre")
    at = model._split(np.array([3.5, -0.5, -1.0]))
    ends = model._level_ends(at, model._modes(*at)[0])
    np.testing.assert_allclose(ends[:, 0], [-np.sqrt(80), -np.sqrt(8), 0, np.sqrt(8), np.sqrt(80)], rtol=0.01)
    assert (np.diff(ends, axis=0) > 0).all() and (ends[2] == 0).all()
    top = model._joint(at, model._modes(*at)[0][None])[0]
    for row, level in zip(ends[[0, 1, 3, 4]], [40, 4, 4, 40], strict=True):
        fall = top - model._joint(at, model._modes(*at)[0][None] + row)[0]
        np.testing.assert_allclose(np.sqrt(fall[0]), np.sqrt(level), atol=0.011)


def test_rows_shared_by_groups_are_kept_apart_with_their_people():
    model = RandomInterceptIntervalRegression(
        [24, 24, 24, 36, OPEN], [36, 36, 36, OPEN, OPEN], groups=list("abaab"), weights=[1, 2, 3, 4, 5]
    )
    rows = model.likelihood
    assert list(model.group_names) == ["a", "b"] and model.group.tolist() == [0, 1, 0]
    assert rows.weight.tolist() == [4, 2, 4] and rows.row_of.tolist() == [0, 1, 0, 2, -1]
    assert rows.people == 10 and model.group_of_given.tolist() == [0, 1, 0, 0, 1]
    assert model.param_names == ["const", "log_scale", "log_sd_group"]


def test_median_on_the_scale_of_the_length_itself():
    """Identity link: medians are the location, and their ends lie as far below as above."""
    table = sample(10, 5, seed=3).assign(y=lambda d: 40 + 10 * np.log(d["t"]))
    results = RandomInterceptIntervalRegression.from_formula("y + y ~ 1", table, groups="group", link="identity").fit()
    middle, low, high = results.common_median(0.1)
    assert middle == pytest.approx(results.params["const"], rel=1e-12)
    assert middle - low == pytest.approx(stats.norm.isf(0.05) * results.bse["const"]) == high - middle
    told = results.shrunken_median(least_information=0.0)
    np.testing.assert_allclose(told["median"], results.params["const"] + results.group_effects()["posterior_mean"])
    assert list(told) == ["median", "lower", "upper", "scale", "own_information", "evidence", "said"]
    assert list(results.group_effects()) == [
        "people", "rows", "posterior_mean", "posterior_sd", "own_information", "evidence",
    ]  # fmt: skip


@pytest.mark.parametrize("exog", [[1.0, 0.3, 2.0], [[1.0, 0.3]] * 3])
def test_covariates_of_another_shape_are_refused_with_the_right_ones(exog):
    results = of(banded(sample(8, 6, seed=11))).fit()
    shape = np.shape(exog)
    assert told_by(ValueError, lambda: results.shrunken_median(exog)) == (
        f"exog has shape {shape}; it must be (2,) or (8, 2)"
    )
    assert told_by(ValueError, lambda: results.shrunken_median(exog_scale=[math.inf])) == (
        "exog_scale has missing or infinite values"
    )
    assert told_by(ValueError, lambda: results.shrunken_median(least_information=1.5)) == (
        "least_information is 1.5; it must be a share between 0 and 1"
    )
