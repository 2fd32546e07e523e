"""Shares of prison, suspended and other with unknown remainders, and the hurdle of custody and length."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from sentencing.models.custody import Custody, Hurdle, NoOverdispersion
from sentencing.models.errors import NotConverged, NotEstimable
from sentencing.models.interval import IntervalRegression

NAN = math.nan
TWO = ("prison", "other")
ALL_BUT_PRISON = (False, True, True)
# Groups that differ far more than chance; the last three have remainders: without prison, anything, not suspended.
COUNTS = np.array([[9, 1, 2], [1, 7, 3], [4, 0, 0], [0, 2, 9], [6, 5, 1], [3, 0, 1], [2, 3, 0], [1, 1, 4]], dtype=float)
REMAINDER = np.array([0, 0, 0, 0, 0, 6, 5, 3], dtype=float)
AMONG = np.array([[True] * 3] * 5 + [list(ALL_BUT_PRISON), [True] * 3, [True, False, True]])


def example(**changed) -> Custody:
    return Custody(**{"counts": COUNTS, "remainder": REMAINDER, "remainder_among": AMONG} | changed)


def params_of(shares, precision=None) -> np.ndarray:
    logits = np.log(np.asarray(shares[:-1]) / shares[-1])
    return logits if precision is None else np.append(logits, math.log(precision))


def urn_sequence(order, masses) -> float:
    """Probability of drawing the categories in this order when each ball goes back with another of its kind."""
    urn, probability = list(masses), 1.0
    for category in order:
        probability *= urn[category] / sum(urn)
        urn[category] += 1
    return probability


def by_completions(counts, remainder, among, sequence_probability) -> float:
    known = [c for c, n in enumerate(counts) for _ in range(n)]
    allowed = [c for c, may in enumerate(among) if may]
    completions = itertools.product(allowed, repeat=remainder)
    return sum(sequence_probability(known + list(rest)) for rest in completions)


def central_difference(function, at, step=1e-5) -> np.ndarray:
    """Derivatives by each parameter, in the last axis."""
    steps = step * np.eye(len(at))
    return np.stack([(function(at + s) - function(at - s)) / (2 * step) for s in steps], axis=-1)


def simulate(rng, n_groups: int, shares, precision: float) -> Custody:
    """Groups of 1 to 40 whose outcomes are hidden at random, in some groups only among sanctions without prison."""
    counts = np.zeros((n_groups, len(shares)))
    remainder, among = np.zeros(n_groups), np.ones(counts.shape, dtype=bool)
    for i in range(n_groups):
        outcomes = rng.choice(len(shares), rng.integers(1, 41), p=rng.dirichlet(precision * np.asarray(shares)))
        if rng.random() < 0.5:
            among[i, 0] = False
        hidden = (rng.random(len(outcomes)) < 0.4) & among[i, outcomes]
        counts[i] = np.bincount(outcomes[~hidden], minlength=len(shares))
        remainder[i] = hidden.sum()
    return Custody(counts, remainder, among)


# ---------------------------------------------------------------------------- likelihood

GROUPS_TO_COMPLETE = [
    ([3, 1, 2], 0, [True, True, True]),
    ([2, 0, 1], 4, [False, True, True]),
    ([0, 0, 0], 5, [True, False, True]),
    ([1, 2, 0], 3, [True, True, True]),
    ([0, 1, 1], 2, [True, False, False]),
]


@pytest.mark.parametrize(("counts", "remainder", "among"), GROUPS_TO_COMPLETE)
def test_a_remainder_is_summed_over_everything_it_may_be(counts, remainder, among):
    shares, precision = np.array([0.5, 0.2, 0.3]), 1.7
    custody = Custody([counts], [remainder], [among])
    # People who may be in any category have a probability of 1, whatever the urn holds.
    urn = by_completions(counts, remainder, among, lambda order: urn_sequence(order, precision * shares))
    assert custody.loglike(params_of(shares, precision)) == pytest.approx(math.log(urn), abs=1e-12)
    independent = by_completions(counts, remainder, among, lambda order: math.prod(shares[order]))
    assert custody.loglike(params_of(shares)) == pytest.approx(math.log(independent), abs=1e-12)


def test_four_categories_and_several_groups_multiply():
    shares, precision = np.array([0.4, 0.1, 0.2, 0.3]), 0.6
    groups = [([2, 0, 1, 0], 3, [False, True, False, True]), ([0, 1, 0, 1], 2, [True, True, True, False])]
    counts, remainder, among = zip(*groups, strict=True)
    custody = Custody(counts, remainder, among, categories=("prison", "suspended", "fine", "other"))
    expected = sum(
        math.log(by_completions(*group, lambda order: urn_sequence(order, precision * shares))) for group in groups
    )
    assert custody.loglike(params_of(shares, precision)) == pytest.approx(expected, abs=1e-12)


def test_beta_binomial_is_scipys_less_its_coefficient():
    counts = np.array([[4, 3], [0, 6], [11, 2]], dtype=float)
    custody = Custody(counts, categories=TWO)
    a, b = 1.3, 2.1
    n = counts.sum(axis=1)
    full = stats.betabinom.logpmf(counts[:, 0], n, a, b).sum()
    llf = custody.loglike(params_of([a / (a + b), b / (a + b)], a + b))
    assert llf + custody.log_coefficient == pytest.approx(full, abs=1e-10)
    assert custody.log_coefficient == pytest.approx(
        sum(math.log(math.comb(int(m), int(x))) for m, (x, _) in zip(n, counts, strict=True))
    )
    full = stats.binom.logpmf(counts[:, 0], n, 0.3).sum()
    assert custody.loglike(params_of([0.3, 0.7])) + custody.log_coefficient == pytest.approx(full, abs=1e-10)


def test_dirichlet_multinomial_is_scipys_less_its_coefficient():
    counts = np.array([[4, 3, 0], [0, 6, 1], [11, 2, 5]])
    custody = Custody(counts)
    alpha = np.array([1.3, 2.1, 0.4])
    full = stats.dirichlet_multinomial.logpmf(counts, alpha, counts.sum(axis=1)).sum()
    llf = custody.loglike(params_of(alpha / alpha.sum(), alpha.sum()))
    assert llf + custody.log_coefficient == pytest.approx(full, abs=1e-10)


@pytest.mark.parametrize("precision", [None, 1e-3, 0.8, 15.0, 60.0, 2e3])
def test_gradient_and_hessian_agree_with_differences(precision):
    custody, at = example(), params_of([0.45, 0.2, 0.35], precision)
    np.testing.assert_allclose(custody.score(at), central_difference(custody.loglike, at), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(custody.hessian(at), central_difference(custody.score, at), rtol=1e-6, atol=1e-6)


def test_at_a_huge_precision_the_score_is_still_that_of_the_expansion_around_the_multinomial():
    shares, precision = np.array([0.45, 0.2, 0.35]), 1e9
    custody = Custody(COUNTS)
    n = COUNTS.sum(axis=1)
    # d llf / d(1/A) at 1/A = 0, from log prod (p + j/A) and log prod (1 + j/A)
    slope = (COUNTS * (COUNTS - 1) / (2 * shares)).sum() - (n * (n - 1) / 2).sum()
    assert slope > 1
    assert custody.score(params_of(shares, precision))[-1] == pytest.approx(-slope / precision, rel=1e-5)
    assert custody.loglike(params_of(shares, precision)) == pytest.approx(custody.loglike(params_of(shares)), abs=1e-6)


def test_parameters_of_a_wrong_length_are_refused():
    with pytest.raises(ValueError, match=r"2 logits.*found shape \(4,\)"):
        example().loglike(np.zeros(4))


# ---------------------------------------------------------------------------- fits


def test_without_remainders_the_multinomial_is_the_pooled_share():
    results = Custody(COUNTS).fit()
    totals = COUNTS.sum(axis=0)
    shares = totals / totals.sum()
    table = results.probabilities()
    np.testing.assert_allclose(table["estimate"], shares, rtol=1e-9)
    assert list(table.index) == ["prison", "suspended", "other"]
    assert results.llf == pytest.approx((totals * np.log(shares)).sum(), abs=1e-10)
    # Variance of a log odds from counts: 1 / x_c + 1 / x_last, covariance 1 / x_last.
    expected = np.diag(1 / totals[:2]) + 1 / totals[2]
    np.testing.assert_allclose(results.cov_params(), expected, rtol=1e-9)
    np.testing.assert_allclose(results.bse, np.sqrt(np.diag(expected)), rtol=1e-9)
    assert list(results.params.index) == ["logit:prison", "logit:suspended"]
    assert (results.nobs, results.n_groups, results.n_convicted) == (totals.sum(), 8, totals.sum())
    assert results.aic == pytest.approx(-2 * results.llf + 4)
    assert results.bic == pytest.approx(-2 * results.llf + 2 * math.log(totals.sum()))
    assert results.llf_with_coefficient == pytest.approx(results.llf + Custody(COUNTS).log_coefficient)
    assert results.llf_includes_coefficient is False
    assert results.converged
    assert (results.precision, results.intraclass_correlation) == (math.inf, 0)


def test_a_remainder_without_prison_has_a_closed_form_in_the_multinomial():
    """Prison is then known of everybody; suspended and other divide what is left as the known people do."""
    results = Custody([[6, 3, 1], [2, 1, 4]], [5, 3], ALL_BUT_PRISON).fit()
    prison = 8 / 25
    expected = [prison, (1 - prison) * 4 / 9, (1 - prison) * 5 / 9]
    np.testing.assert_allclose(results.probabilities()["estimate"], expected, rtol=1e-8)
    assert results.nobs == 25


def test_a_category_nobody_is_known_to_be_in_can_be_estimated_from_overlapping_remainders():
    """p^10 (1 - p)^20 for both outer shares p: a third each."""
    results = Custody([[5, 0, 0], [0, 5, 0]], [10, 10], [[True, False, True], [False, True, True]]).fit()
    np.testing.assert_allclose(results.probabilities()["estimate"], [1 / 3] * 3, rtol=1e-8)


def test_a_share_that_is_small_but_not_zero_is_estimated():
    """p^5000 (1 - p)^5001 for both outer shares leaves one in 10001 for the category nobody is known to be in."""
    custody = Custody([[5000, 0, 0], [0, 5000, 0]], [5001, 5001], [[True, False, True], [False, True, True]])
    shares = custody.fit().probabilities(method="wald")["estimate"]
    np.testing.assert_allclose(shares, [5000 / 10001, 5000 / 10001, 1 / 10001], rtol=1e-6)


@pytest.mark.parametrize("model", ["multinomial", "dirichlet-multinomial"])
def test_the_maximum_agrees_with_a_general_optimiser(model):
    custody = example()
    results = custody.fit(model)
    bounds = [(-6, 6)] * 2 + [(-5, 8)] * (model == "dirichlet-multinomial")
    found = optimize.differential_evolution(lambda p: -custody.loglike(p), bounds, rng=1, tol=1e-12)
    assert results.llf == pytest.approx(-found.fun, abs=1e-8)
    np.testing.assert_allclose(results.params, found.x, atol=1e-4)
    np.testing.assert_allclose(custody.score(results.params), 0, atol=1e-8)
    np.testing.assert_allclose(results.cov_params(), np.linalg.inv(-custody.hessian(results.params)), rtol=1e-8)


@pytest.mark.parametrize(("alias", "model"), [("binomial", "multinomial"), ("beta-binomial", "dirichlet-multinomial")])
def test_for_two_categories_the_binomial_names_are_the_same(alias, model):
    custody = Custody([[9, 1], [2, 7], [5, 5]], categories=TWO)
    assert custody.fit(alias).params.equals(custody.fit(model).params)
    assert custody.fit(alias).model_name == model
    with pytest.raises(ValueError, match=f"'{alias}' is not one of multinomial, dirichlet-multinomial for 3"):
        example().fit(alias)


def test_precision_and_intraclass_correlation():
    results = example().fit("dirichlet-multinomial")
    assert list(results.params.index) == ["logit:prison", "logit:suspended", "log_precision"]
    assert results.precision == pytest.approx(math.exp(results.params["log_precision"]))
    table = results.overdispersion()
    assert table.loc["intraclass_correlation", "estimate"] == pytest.approx(1 / (1 + results.precision))
    assert results.intraclass_correlation == table.loc["intraclass_correlation", "estimate"]
    assert table.loc["intraclass_correlation", "lower"] == pytest.approx(1 / (1 + table.loc["precision", "upper"]))
    assert table.loc["intraclass_correlation", "upper"] == pytest.approx(1 / (1 + table.loc["precision", "lower"]))
    assert (table["lower"] < table["estimate"]).all() and (table["estimate"] < table["upper"]).all()
    with pytest.raises(ValueError, match="multinomial has no overdispersion"):
        example().fit().overdispersion()


def test_truth_is_recovered_from_many_groups():
    rng = np.random.default_rng(20240611)
    shares, precision, n_times = [0.5, 0.3, 0.2], 4.0, 30
    truth = params_of(shares, precision)
    standardised = []
    for _ in range(n_times):
        results = simulate(rng, 200, shares, precision).fit("dirichlet-multinomial")
        standardised.append((results.params - truth) / results.bse)
    standardised = np.array(standardised)
    # Means and variances of 30 standard normal numbers, three standard errors wide.
    assert (np.abs(standardised.mean(axis=0)) < 3 / math.sqrt(n_times)).all()
    assert (np.abs(standardised.var(axis=0, ddof=1) - 1) < 3 * math.sqrt(2 / (n_times - 1))).all()


def test_taking_unknown_for_no_prison_would_be_seen():
    rng = np.random.default_rng(5)
    custody = simulate(rng, 200, [0.5, 0.3, 0.2], 4.0)
    as_other = custody.known + np.outer(custody.remainder, [0, 0, 1])
    right = custody.fit("dirichlet-multinomial").probabilities().loc["prison"]
    wrong = Custody(as_other).fit("dirichlet-multinomial").probabilities().loc["prison"]
    assert right["lower"] < 0.5 < right["upper"]
    assert wrong["upper"] < 0.45


# ---------------------------------------------------------------------------- intervals


def test_the_binomial_profile_interval_is_that_of_the_likelihood_ratio():
    table = Custody([[7, 21]], categories=TWO).fit().probabilities(alpha=0.1)

    def excess(p):
        return 2 * (7 * math.log(0.25 / p) + 21 * math.log(0.75 / (1 - p))) - stats.chi2.isf(0.1, 1)

    assert table.loc["prison", "lower"] == pytest.approx(optimize.brentq(excess, 0.01, 0.25), rel=1e-7)
    assert table.loc["prison", "upper"] == pytest.approx(optimize.brentq(excess, 0.25, 0.9), rel=1e-7)
    assert table.loc["other", "lower"] == pytest.approx(1 - table.loc["prison", "upper"], rel=1e-7)


def test_the_binomial_wald_interval_is_on_the_logit_scale():
    table = Custody([[7, 21]], categories=TWO).fit().probabilities(method="wald")
    centre, half = math.log(7 / 21), stats.norm.isf(0.025) * math.sqrt(1 / 7 + 1 / 21)
    ends = 1 / (1 + np.exp(-np.array([centre - half, centre + half])))
    np.testing.assert_allclose(table.loc["prison", ["lower", "upper"]], ends, rtol=1e-9)
    np.testing.assert_allclose(table.loc["other", ["upper", "lower"]], 1 - ends, rtol=1e-9)


def best_with_share_held(custody: Custody, category: int, share: float, start) -> float:
    """Largest log-likelihood when a category has this share; `start`: logit of how the other two divide what is left,
    then the log precision."""
    others = [c for c in range(3) if c != category]

    def negative(free):
        division = 1 / (1 + math.exp(-free[0]))
        shares = np.empty(3)
        shares[[category, *others]] = share, (1 - share) * division, (1 - share) * (1 - division)
        return -custody.loglike(np.append(params_of(shares), free[1:]))

    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    return -optimize.minimize(negative, start, method="Nelder-Mead", options=options).fun


@pytest.mark.parametrize("category", [0, 1, 2])
@pytest.mark.parametrize("model", ["multinomial", "dirichlet-multinomial"])
def test_at_the_ends_of_a_profile_interval_the_best_likelihood_is_just_excluded(model, category):
    custody = example()
    results = custody.fit(model)
    for end in results.probabilities().iloc[category][["lower", "upper"]]:
        best = best_with_share_held(custody, category, end, [0.0] if model == "multinomial" else [0.0, 0.5])
        assert 2 * (results.llf - best) == pytest.approx(stats.chi2.isf(0.05, 1), abs=1e-6)


def test_a_profile_that_passes_through_the_multinomial_comes_back_from_it():
    """Near the estimate the best precision is finite, then infinite, then finite again."""
    custody = Custody(
        [[1, 0, 2], [5, 0, 1], [1, 3, 2], [4, 0, 3]], [0, 0, 0, 2], [[True] * 3] * 3 + [[False, True, False]]
    )
    results = custody.fit("dirichlet-multinomial")
    lower = results.probabilities().loc["other", "lower"]
    best = best_with_share_held(custody, 2, lower, [0.0, 2.0])
    assert 2 * (results.llf - best) == pytest.approx(stats.chi2.isf(0.05, 1), abs=1e-6)


def test_wald_and_profile_agree_when_there_are_many_people():
    results = Custody(1000 * np.array([[5, 3, 2], [4, 4, 2]])).fit()
    np.testing.assert_allclose(results.probabilities(), results.probabilities(method="wald"), atol=1e-4)
    np.testing.assert_allclose(results.conf_int(method="profile"), results.conf_int(), atol=1e-3)


def test_a_wald_interval_of_the_parameters_is_the_estimate_and_its_standard_errors():
    results = example().fit("dirichlet-multinomial")
    table = results.conf_int(alpha=0.32)
    half = stats.norm.isf(0.16)
    np.testing.assert_allclose(table["upper"] - results.params, half * results.bse)
    np.testing.assert_allclose(results.params - table["lower"], half * results.bse)


def test_a_profile_interval_of_the_parameters_excludes_just_so_much():
    custody = example()
    results = custody.fit("dirichlet-multinomial")
    for end in results.conf_int(method="profile").loc["log_precision"]:
        best = optimize.minimize(
            lambda logits, end=end: -custody.loglike(np.append(logits, end)), [0.0, 0.0], method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12},
        )  # fmt: skip
        assert 2 * (results.llf + best.fun) == pytest.approx(stats.chi2.isf(0.05, 1), abs=1e-6)


def test_the_precision_has_no_upper_limit_when_the_multinomial_is_not_excluded():
    results = Custody([[6, 4], [3, 7], [8, 3]], categories=TWO).fit("beta-binomial")
    assert results.lr_test_overdispersion().statistic < stats.chi2.isf(0.05, 1)
    table = results.overdispersion()
    assert table.loc["precision", "upper"] == math.inf
    assert table.loc["intraclass_correlation", "lower"] == 0
    assert 0 < table.loc["precision", "lower"] < results.precision


@pytest.mark.parametrize(
    ("given_arguments", "message"), [({"alpha": 0}, "alpha.*found 0"), ({"method": "exact"}, "'exact' is not one of")]
)
def test_intervals_of_unknown_kind_are_refused(given_arguments, message):
    results = example().fit()
    for ask in (results.probabilities, results.conf_int):
        with pytest.raises(ValueError, match=message):
            ask(**given_arguments)


# ---------------------------------------------------------------------------- overdispersion


def test_the_boundary_test_halves_the_tail_of_chi_square():
    multinomial, urn = example().fit(), example().fit("dirichlet-multinomial")
    test = urn.lr_test_overdispersion()
    assert test.statistic == pytest.approx(2 * (urn.llf - multinomial.llf), abs=1e-8)
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 1) / 2, rel=1e-9)
    assert multinomial.lr_test_overdispersion() == pytest.approx(test, rel=1e-6)


def test_the_boundary_test_is_sized_rightly_when_there_is_no_overdispersion():
    rng, n_times = np.random.default_rng(11), 60
    samples = [rng.multinomial(12, [0.5, 0.3, 0.2], size=100) for _ in range(n_times)]
    p_values = np.array([Custody(sample).fit().lr_test_overdispersion().p_value for sample in samples])
    # Half of the time the statistic is 0; below 0.5 the p value is uniform. Three standard errors wide.
    for share, expected in (((p_values == 1).mean(), 0.5), ((p_values < 0.2).mean(), 0.2)):
        assert abs(share - expected) < 3 * math.sqrt(expected * (1 - expected) / n_times)


def test_groups_that_do_not_differ_have_the_multinomial_as_limit():
    custody = Custody([[5, 5], [4, 4]], categories=TWO)
    with pytest.raises(NoOverdispersion, match=r"precision.*infinity.*log-likelihood -12\.4766") as caught:
        custody.fit("beta-binomial")
    assert isinstance(caught.value, NotEstimable)
    assert caught.value.llf == pytest.approx(18 * math.log(0.5), abs=1e-10)
    assert custody.fit().lr_test_overdispersion() == (0.0, 1.0)


# ---------------------------------------------------------------------------- groups


@pytest.mark.parametrize("row", range(len(COUNTS)))
def test_a_groups_shrunken_share_is_the_chance_that_its_next_person_is_in_the_category(row):
    results = example().fit("dirichlet-multinomial")
    before = Custody(COUNTS[[row]], REMAINDER[[row]], AMONG[[row]])
    for c, category in enumerate(before.categories):
        one_more = COUNTS[[row]] + np.eye(3)[c]
        after = Custody(one_more, REMAINDER[[row]], AMONG[[row]])
        chance = math.exp(after.loglike(results.params) - before.loglike(results.params))
        assert results.shrunken().loc[row, category] == pytest.approx(chance, rel=1e-9)
    predicted = results.predict_group(COUNTS[row], REMAINDER[row], AMONG[row])
    pd.testing.assert_series_equal(predicted, results.shrunken().loc[row], check_names=False)


def test_own_information_is_the_weight_of_the_groups_own_people():
    results = example().fit("dirichlet-multinomial")
    table, common = results.shrunken(), results.probabilities()["estimate"]
    own = table["own_information"]
    np.testing.assert_allclose(own, table["n"] / (table["n"] + results.precision), rtol=1e-12)
    # The remainder of row 5 is without prison, that of row 6 tells nothing.
    assert table["n"].tolist() == [12, 11, 4, 11, 12, 10, 5, 9]
    for row in range(6):
        mixed = (1 - own[row]) * common["prison"] + own[row] * COUNTS[row, 0] / table.loc[row, "n"]
        assert table.loc[row, "prison"] == pytest.approx(mixed, rel=1e-9)
    # One person divides the six of row 5 into suspended and other: that weight is 1 / (1 + a_S).
    within = 1 / (1 + results.precision * (common["suspended"] + common["other"]))
    assert table.loc[5, "own_information_within"] == pytest.approx(min(within, own[5]), rel=1e-9)
    assert (table["own_information_within"] == own)[[0, 1, 2, 3, 4, 6]].all()
    np.testing.assert_allclose(table[list(common.index)].sum(axis=1), 1, rtol=1e-12)


def test_a_group_of_which_nothing_is_known_has_the_common_shares():
    results = example().fit("dirichlet-multinomial")
    common = results.probabilities()["estimate"]
    for nothing in (results.predict_group(), results.predict_group([0, 0, 0], 9)):
        np.testing.assert_allclose(nothing[list(common.index)].astype(float), common, rtol=1e-12)
        assert nothing["own_information"] == 0
    everyone = example().fit().shrunken()
    np.testing.assert_allclose(everyone["prison"], example().fit().probabilities().loc["prison", "estimate"])
    assert (everyone["own_information"] == 0).all()


# ---------------------------------------------------------------------------- bounds


def test_bounds_put_nobody_or_everybody_of_the_remainder_into_the_category():
    custody = Custody([[6, 3, 1], [2, 1, 4]], [5, 3], [ALL_BUT_PRISON, (True, True, True)])
    assert custody.bounds("prison") == (8 / 25, 11 / 25, 25)
    assert custody.bounds("suspended") == (4 / 25, 12 / 25, 25)
    table = custody.bounds()
    assert table.loc["other"].tolist() == [5 / 25, 13 / 25, 25]
    groups = custody.bounds("prison", by_group=True)
    assert groups.loc[0].tolist() == [6 / 15, 6 / 15, 15]
    assert groups.loc[1].tolist() == [2 / 10, 5 / 10, 10]


def test_bounds_need_no_estimate():
    custody = Custody([[0, 0, 0]], [7])
    assert custody.bounds("prison") == (0, 1, 7)
    with pytest.raises(NotEstimable, match="nobody was convicted; rows: X"):
        Custody([[0, 0, 0]], groups=["X"]).bounds("prison")
    assert Custody([[0, 0, 0], [1, 0, 0]]).bounds("prison", by_group=True)["lower"].isna().tolist() == [True, False]
    with pytest.raises(ValueError, match="'fine' is not one of prison, suspended, other"):
        custody.bounds("fine")
    with pytest.raises(ValueError, match="by_group needs a category"):
        custody.bounds(by_group=True)


# ---------------------------------------------------------------------------- input


def test_a_missing_count_is_part_of_the_remainder():
    told = Custody([[5, NAN, NAN], [2, 3, 4]], [7, 0], ALL_BUT_PRISON)
    zero = Custody([[5, 0, 0], [2, 3, 4]], [7, 0], ALL_BUT_PRISON)
    assert told.fit().params.equals(zero.fit().params)
    assert told.bounds("other") == zero.bounds("other") == (4 / 21, 11 / 21, 21)


def test_a_remainder_with_one_possible_category_is_known():
    among = [[False, True, False]] * len(COUNTS)
    known = COUNTS + np.outer(REMAINDER, [0, 1, 0])
    for model in ("multinomial", "dirichlet-multinomial"):
        results = Custody(COUNTS, REMAINDER, among).fit(model)
        pd.testing.assert_series_equal(results.params, Custody(known).fit(model).params)
        assert results.nobs == known.sum()


def test_frames_are_read_by_the_names_of_their_columns():
    frame = pd.DataFrame(COUNTS, columns=["prison", "suspended", "other"], index=list("ABCDEFGH"))
    among = pd.DataFrame(AMONG, columns=frame.columns, index=frame.index)
    remainder = pd.Series(REMAINDER, index=frame.index)
    shuffled = ["other", "prison", "suspended"]
    custody = Custody(frame[shuffled], remainder, among[shuffled])
    assert custody.fit().params.equals(example().fit().params)
    assert custody.fit("dirichlet-multinomial").shrunken().index.tolist() == list("ABCDEFGH")
    assert Custody(frame, groups=range(10, 18)).groups == tuple(range(10, 18))
    with pytest.raises(ValueError, match="counts has the columns prison, suspended, other, fine; they must be"):
        Custody(frame.assign(fine=1))
    with pytest.raises(ValueError, match="remainder is indexed differently"):
        Custody(frame, remainder[::-1])
    with pytest.raises(ValueError, match="remainder_among is indexed differently"):
        Custody(frame, remainder, among[::-1])


def test_fractions_of_people_are_weights():
    halves = Custody(np.vstack([COUNTS, COUNTS]) / 2).fit()
    whole = Custody(COUNTS).fit()
    pd.testing.assert_series_equal(halves.params, whole.params)
    assert halves.llf == pytest.approx(whole.llf)
    a, x = np.array([1.3, 2.1, 0.4]), np.array([1.5, 0.25, 2.0])
    expected = math.lgamma(a.sum()) - math.lgamma(a.sum() + x.sum())
    expected += sum(math.lgamma(b + y) - math.lgamma(b) for b, y in zip(a, x, strict=True))
    assert Custody([x]).loglike(params_of(a / a.sum(), a.sum())) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("given_arguments", "message"),
    [
        ({"counts": [[1, 2, 3], [1, -2, 3]]}, "groups 1; columns suspended: counts must be numbers of people from 0"),
        ({"counts": [[1, 2, math.inf]]}, "groups 0; columns other: counts must be"),
        ({"counts": [[1, 2, 3]], "remainder": [NAN], "groups": ["SRB"]}, "groups SRB: remainder must be a number"),
        ({"counts": [[1, 2, 3], [4, 5, 6]], "remainder": [0, -1]}, "groups 1: remainder must be a number of people"),
        ({"counts": [[1, 2, 3]], "remainder": [math.inf]}, "groups 0: remainder must be a number"),
        ({"counts": [[1, 2, 3]], "remainder": [1, 2]}, r"one number for each of 1 groups; found shape \(2,\)"),
        ({"counts": [[1, 2, 3], [1, NAN, 3]]}, "groups 1; columns suspended: counts are missing: give the people"),
        (
            {"counts": [[NAN, 2, 3]], "remainder": [4], "remainder_among": ALL_BUT_PRISON},
            "groups 0; columns prison: counts are missing, but remainder_among excludes them",
        ),
        (
            {"counts": [[1, 2, 3]], "remainder": [4], "remainder_among": [[False] * 3]},
            "groups 0: remainder_among leaves no category",
        ),
        ({"counts": [[1, 2, 3]], "remainder_among": [[True, False]]}, r"shape \(1, 3\) or \(3,\); found \(1, 2\)"),
        ({"counts": [[1, 2, 3]], "remainder_among": [[0.5, 1, 1]]}, "nothing but True and False"),
        ({"counts": [[1, 2]]}, r"a column for each of prison, suspended, other; found shape \(1, 2\)"),
        ({"counts": [1, 2, 3]}, r"found shape \(3,\)"),
        ({"counts": [[1]], "categories": ["prison"]}, "two or more different names"),
        ({"counts": [[1, 2]], "categories": ["prison", "prison"]}, "two or more different names"),
        ({"counts": [[1, 2, 3]], "groups": ["A", "B"]}, "2 labels for 1 rows"),
    ],
)
def test_input_that_makes_no_sense_is_refused_with_its_group(given_arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        Custody(**given_arguments)
    assert not isinstance(caught.value, NotEstimable)


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="'poisson' is not one of multinomial, dirichlet-multinomial for 3 categories"):
        example().fit("poisson")


@pytest.mark.parametrize(
    ("given_arguments", "told"),
    [
        ({"counts": [[1, 2, 3], [1, -2, 3]]},
         "groups 1; columns suspended: counts must be numbers of people from 0 on"),
        ({"counts": [[-1, 2, -3], [1, -2, 3]]},
         "groups 0, 1; columns prison, suspended, other: counts must be numbers of people from 0 on"),
        ({"counts": [[-1, 2, 3]] * 11},
         "groups 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …; columns prison: counts must be numbers of people from 0 on"),
        ({"counts": [[1, 2, 3]], "remainder": [NAN]}, "groups 0: remainder must be a number of people from 0 on"),
        ({"counts": [[1, 2, 3]], "remainder": [1, 2]},
         "remainder must have one number for each of 1 groups; found shape (2,)"),
        ({"counts": [[1, NAN, 3]]},
         "groups 0; columns suspended: counts are missing: give the people they stand for in remainder"),
        ({"counts": [[NAN, 2, 3]], "remainder": [4], "remainder_among": ALL_BUT_PRISON},
         "groups 0; columns prison: counts are missing, but remainder_among excludes them"),
        ({"counts": [[1, 2, 3]], "remainder": [4], "remainder_among": [[False] * 3]},
         "groups 0: remainder_among leaves no category for the remainder"),
        ({"counts": [[1, 2, 3]], "remainder_among": [[True, False]]},
         "remainder_among must have shape (1, 3) or (3,); found (1, 2)"),
        ({"counts": [[1, 2, 3]], "remainder_among": [[2, 1, 1]]},
         "remainder_among must hold nothing but True and False"),
        ({"counts": [1, 2, 3]},
         "counts must have a row a group and a column for each of prison, suspended, other; found shape (3,)"),
        ({"counts": [[1]], "categories": ["prison"]},
         "categories must be two or more different names; found ('prison',)"),
        ({"counts": [[1, 2, 3]], "groups": ["A", "B"]}, "groups has 2 labels for 1 rows of counts"),
        ({"counts": pd.DataFrame([[1, 2, 3]], columns=["prison", "fine", "other"])},
         "counts has the columns prison, fine, other; they must be the categories prison, suspended, other"),
        ({"counts": pd.DataFrame([[1, 2, 3]], columns=["prison", "suspended", "other"]),
          "remainder": pd.Series([1], index=["x"])},
         "remainder is indexed differently from counts; put its rows in the same order"),
    ],
)  # fmt: skip
def test_refusal_of_input_names_group_and_column_and_says_what_would_be_right(given_arguments, told):
    with pytest.raises(ValueError) as caught:
        Custody(**given_arguments)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"counts": np.empty((0, 3))}, "there is no group"),
        ({"counts": [[0, 0, 0]]}, "nobody was convicted"),
        ({"counts": [[0, 0, 0]], "remainder": [4]},
         "all people are in remainders that may be in any category, so nothing is known of their outcomes"),
        ({"counts": [[5, 3, 0], [1, 6, 0]]},
         "nobody is known to be in these categories and the likelihood is largest when their share is 0, where the "
         "logit is infinite: see bounds() for the shares the counts allow"),
        ({"counts": [[5, 0, 0], [1, 0, 0]], "remainder": [2, 3], "remainder_among": ALL_BUT_PRISON},
         "the remainders only tell the sum of these categories, and nobody is known to be in them"),
        ({"counts": [[5, 3, 2]]}, "one group does not show how groups differ"),
        ({"counts": np.eye(3)},
         "no group has more than one person of whom something is known: people of the same group cannot be compared"),
        ({"counts": 4 * np.eye(3)},
         "in every group all people may have had the same outcome, so the precision goes to 0"),
    ],
)  # fmt: skip
def test_refusal_of_a_fit_gives_the_reason_in_full(arguments, reason):
    with pytest.raises(NotEstimable) as caught:
        Custody(**arguments).fit("dirichlet-multinomial")
    assert caught.value.reason == reason


def test_what_is_counted_of_groups_people_and_evidence():
    """Six known and four who are not in prison; five of whom nothing is known; two who can only be in prison."""
    custody = Custody(
        [[3, 2, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]], remainder=[4, 5, 2, 0], groups=list("abcd"),
        remainder_among=[ALL_BUT_PRISON, [True] * 3, [True, False, False], [True] * 3],
    )  # fmt: skip
    assert custody.groups == tuple("abcd") and custody.categories == ("prison", "suspended", "other")
    assert custody.known.tolist() == [[3, 2, 1], [0, 0, 0], [3, 0, 0], [0, 0, 0]]
    assert custody.remainder.tolist() == [4, 5, 0, 0]
    assert (custody.n_convicted, custody.nobs, custody.n_groups) == (18.0, 13.0, 2)
    coefficient = math.factorial(10) / (math.factorial(3) * 2 * math.factorial(4))
    assert custody.log_coefficient == pytest.approx(math.log(coefficient), rel=1e-12)
    assert custody.bounds("prison") == pytest.approx((6 / 18, 11 / 18, 18.0))
    assert custody.bounds("other") == pytest.approx((1 / 18, 10 / 18, 18.0))
    table = custody.bounds()
    assert list(table.index) == ["prison", "suspended", "other"] and table.loc["suspended"].tolist() == pytest.approx(
        [2 / 18, 11 / 18, 18]
    )


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("model", ["multinomial", "dirichlet-multinomial"])
@pytest.mark.parametrize(
    ("arguments", "message", "rows", "columns"),
    [
        ({"counts": np.empty((0, 3))}, "there is no group", (), ()),
        ({"counts": [[0, 0, 0]] * 2}, "nobody was convicted", (0, 1), ()),
        ({"counts": [[0, 0, 0]] * 2, "remainder": [4, 9], "groups": ["A", "B"]}, "in any category", ("A", "B"), ()),
        ({"counts": [[5, 3, 0], [1, 6, 0]]}, r"share is 0.*bounds\(\)", (), ("other",)),
        ({"counts": [[5, 3, 0], [1, 6, 0]], "remainder": [4, 0]}, "share is 0", (), ("other",)),
        ({"counts": [[5, 0, 0], [1, 0, 0]]}, "share is 0", (), ("suspended", "other")),
        (
            {"counts": [[5, 0, 0], [1, 0, 0]], "remainder": [2, 3], "remainder_among": ALL_BUT_PRISON},
            "only tell the sum",
            (),
            ("suspended", "other"),
        ),
        # All who may be "other" may as well be in prison, where people are known to be.
        (
            {"counts": [[9, 1, 0], [1, 9, 0]], "remainder": [3, 0], "remainder_among": [True, False, True]},
            "share is 0",
            (),
            ("other",),
        ),
    ],
)
def test_shares_that_cannot_be_estimated_are_refused(arguments, message, rows, columns, model):
    with pytest.raises(NotEstimable, match=message) as caught:
        Custody(**arguments).fit(model)
    assert (caught.value.rows, caught.value.columns) == (rows, columns)


@pytest.mark.parametrize(
    ("arguments", "message", "rows"),
    [
        ({"counts": [[5, 3, 2]], "groups": ["A"]}, "one group does not show how groups differ", ("A",)),
        # The second group's people may be anything: it tells nothing.
        ({"counts": [[5, 3, 2], [0, 0, 0]], "remainder": [0, 8]}, "one group does not show", (0,)),
        ({"counts": np.eye(3), "groups": ["A", "B", "C"]}, "more than one person", ("A", "B", "C")),
        ({"counts": 4 * np.eye(3)}, "precision goes to 0", (0, 1, 2)),
        (
            {
                "counts": [[4, 0, 0], [0, 0, 2], [0, 3, 0]],
                "remainder": [0, 3, 0],
                "remainder_among": ALL_BUT_PRISON,
            },
            "precision goes to 0",
            (0, 1, 2),
        ),
    ],
)
def test_overdispersion_that_cannot_be_estimated_is_refused(arguments, message, rows):
    custody = Custody(**arguments)
    with pytest.raises(NotEstimable, match=message) as caught:
        custody.fit("dirichlet-multinomial")
    assert caught.value.rows == rows
    with pytest.raises(NotEstimable, match=message):
        custody.fit("multinomial").lr_test_overdispersion()


@pytest.mark.parametrize("counts", [[[0.5, 0], [0, 4]], [[0.5, 0], [0, 4], [3, 0]]])
def test_a_precision_that_goes_to_zero_is_noticed_with_fractions_of_people_too(counts):
    with pytest.raises(NotEstimable, match="precision goes to 0; rows: 0, 1"):
        Custody(counts, categories=TWO).fit("beta-binomial")


def test_one_mixed_group_keeps_the_precision_from_going_to_zero():
    counts = np.vstack([4 * np.eye(3), [3, 1, 0]])
    assert 0.01 < Custody(counts).fit("dirichlet-multinomial").precision < 2


@pytest.mark.parametrize("model", ["multinomial", "dirichlet-multinomial"])
def test_too_few_steps_are_told(model):
    with pytest.raises(NotConverged, match="after 1 steps"):
        example().fit(model, maxiter=1)


# ---------------------------------------------------------------------------- properties

people = st.integers(0, 9)


@st.composite
def custody_tables(draw):
    """Counts, remainders and sets of 2 to 5 groups in which every category is known of somebody."""
    n_groups = draw(st.integers(2, 5))
    counts = draw(st.lists(st.tuples(people, people, people), min_size=n_groups, max_size=n_groups))
    sets = st.tuples(*[st.booleans()] * 3).filter(any)
    remainder = draw(st.lists(people, min_size=n_groups, max_size=n_groups))
    among = draw(st.lists(sets, min_size=n_groups, max_size=n_groups))
    counts = np.array(counts, dtype=float) + np.eye(3)[np.arange(n_groups) % 3]
    counts[-1] += 1
    return counts, np.array(remainder, dtype=float), np.array(among)


def shares_and_llf(custody: Custody, model="multinomial"):
    """Both, or the kind and limit of a refusal."""
    try:
        results = custody.fit(model)
    except NoOverdispersion as refusal:
        return None, refusal.llf
    except NotEstimable as refusal:
        return refusal.reason, None
    return results._shares, results.llf


def assert_same(one, other):
    assert type(one[0]) is type(other[0])
    if isinstance(one[0], str):
        assert one == other
        return
    assert one[1] == pytest.approx(other[1], abs=1e-8)
    if one[0] is not None:
        np.testing.assert_allclose(one[0], other[0], rtol=1e-5, atol=1e-9)


@given(custody_tables(), st.randoms(use_true_random=False), st.sampled_from(["multinomial", "dirichlet-multinomial"]))
@settings(max_examples=40)
def test_the_order_of_groups_is_irrelevant(table, random, model):
    order = random.sample(range(len(table[0])), len(table[0]))
    assert_same(
        shares_and_llf(Custody(*table), model), shares_and_llf(Custody(*(part[order] for part in table)), model)
    )


@given(custody_tables(), st.permutations(range(3)), st.sampled_from(["multinomial", "dirichlet-multinomial"]))
@settings(max_examples=40)
def test_relabelling_the_categories_permutes_the_answer(table, order, model):
    counts, remainder, among = table
    order = list(order)
    shares, llf = shares_and_llf(Custody(counts, remainder, among), model)
    expected = shares[order] if isinstance(shares, np.ndarray) else shares
    categories = np.array(["prison", "suspended", "other"])[order]
    permuted = Custody(counts[:, order], remainder, among[:, order], categories=categories)
    assert_same((expected, llf), shares_and_llf(permuted, model))


@given(custody_tables(), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=40)
def test_splitting_a_group_changes_nothing_in_the_multinomial(table, from_known, from_rest):
    counts, remainder, among = table
    part = np.minimum(counts[0], from_known)
    rest = min(remainder[0], from_rest)
    split = Custody(
        np.vstack([part, counts[0] - part, counts[1:]]),
        np.concatenate([[rest, remainder[0] - rest], remainder[1:]]),
        np.vstack([among[:1], among]),
    )
    assert_same(shares_and_llf(Custody(*table)), shares_and_llf(split))


@given(custody_tables(), people, st.sampled_from(["multinomial", "dirichlet-multinomial"]))
@settings(max_examples=40)
def test_people_who_may_be_anything_change_no_estimate(table, n_unknown, model):
    counts, remainder, among = table
    more = Custody(
        np.vstack([counts, [0, 0, 0]]), np.append(remainder, n_unknown), np.vstack([among, [True, True, True]])
    )
    same, less = shares_and_llf(more, model), shares_and_llf(Custody(*table), model)
    assert_same(same, less)
    without = np.where(among.all(axis=1), 0.0, remainder)
    assert_same(shares_and_llf(Custody(counts, without, among), model), less)
    assert more.nobs == Custody(*table).nobs
    assert more.n_convicted == Custody(*table).n_convicted + n_unknown


@given(custody_tables())
@settings(max_examples=40)
def test_the_bounds_contain_the_multinomial_estimate(table):
    custody = Custody(*table)
    bounds = custody.bounds()
    shares = custody.fit().probabilities(method="wald")["estimate"]
    assert (bounds["lower"] <= shares + 1e-9).all() and (shares <= bounds["upper"] + 1e-9).all()
    assert bounds["lower"].sum() <= 1 + 1e-12 <= bounds["upper"].sum() + 2e-12


@given(custody_tables())
@settings(max_examples=40)
def test_a_fit_is_at_least_as_likely_as_anything_near_it(table):
    custody = Custody(*table)
    for model in ("multinomial", "dirichlet-multinomial"):
        try:
            results = custody.fit(model)
        except NoOverdispersion as refusal:
            assert refusal.llf == pytest.approx(custody.fit().llf, abs=1e-9)
            continue
        for step in itertools.product([-0.05, 0, 0.05], repeat=len(results.params)):
            assert custody.loglike(results.params + np.array(step)) <= results.llf + 1e-10


# ---------------------------------------------------------------------------- text


def test_the_summary_says_what_is_assumed_and_what_is_left_out():
    text = example().fit("dirichlet-multinomial").summary()
    results = example().fit("dirichlet-multinomial")
    for part in (
        "dirichlet-multinomial",
        "Convicted people 79, of whom nothing is known of 5; people who tell something 74 in 8 groups",
        f"{results.llf:.4f}",
        "is not included",
        "coarsened at random",
        "without an assumption",
        "log_precision",
        f"{results.precision:.4f}",
        "50:50 mixture",
    ):
        assert part in text
    plain = example().fit().summary(alpha=0.1)
    assert "90%" in plain and "log_precision" not in plain
    lines, test = text.splitlines(), results.lr_test_overdispersion()
    assert lines[0] == "Custody: dirichlet-multinomial" and lines.count("") == 4
    assert f"AIC {results.aic:.4f}; BIC {results.bic:.4f}" in text
    assert f"log {results.model.log_coefficient:.4f}, is not included" in text
    assert f"multinomial {test.statistic:.4f}, p = {test.p_value:.4g} (50:50" in text
    assert f"Parameters (logits relative to {results.model.categories[-1]}; Wald intervals, 95%)" in lines
    assert "Shares (profile likelihood intervals, 95%; outcomes coarsened at random)" in lines
    assert "Overdispersion (profile likelihood intervals, 95%)" in lines
    for name in results.params.index:
        numbers = [results.params[name], results.bse[name], *results.conf_int().loc[name]]
        (line,) = (line for line in lines if line.startswith(f"{name} "))
        assert [float(number) for number in line.split()[1:]] == pytest.approx(numbers, abs=1e-4)


# ---------------------------------------------------------------------------- custody and length


class Lognormal:
    """Exact maximum likelihood of a lognormal, with the interface that a hurdle asks of a length model."""

    def __init__(self, months):
        logs = np.log(np.asarray(months, dtype=float))
        self.mu, self.sigma, n = logs.mean(), logs.std(), len(logs)
        self.llf = stats.lognorm.logpdf(months, self.sigma, scale=math.exp(self.mu)).sum()
        self.params = pd.Series([self.mu, math.log(self.sigma)], index=["const", "log_scale"])
        self._cov = np.diag([self.sigma**2 / n, 1 / (2 * n)])

    def cov_params(self):
        return pd.DataFrame(self._cov, index=self.params.index, columns=self.params.index)

    def predict(self, what, at=None, q=None, shift=0.0):
        distribution = stats.lognorm(self.sigma, scale=math.exp(self.mu + shift))
        return {"survival": distribution.sf, "quantile": distribution.ppf}[what](at if what == "survival" else q)


MONTHS = np.array([6, 12, 14, 18, 24, 24, 30, 36, 48, 60, 66, 96, 150], dtype=float)


@pytest.fixture
def hurdle() -> Hurdle:
    return Hurdle(example().fit("dirichlet-multinomial"), Lognormal(MONTHS))


@pytest.mark.parametrize("model", ["multinomial", "dirichlet-multinomial"])
def test_custody_and_length_add_up_to_the_joint_model(model):
    """Oracle T12: all parameters of the joint likelihood, written out here, maximised at once."""
    custody = Custody(COUNTS).fit(model)
    hurdle = Hurdle(custody, Lognormal(MONTHS))
    n = COUNTS.sum(axis=1)

    def joint(params):
        shares = np.exp(np.append(params[:2], 0.0))
        shares /= shares.sum()
        if model == "multinomial":
            counts = stats.multinomial.logpmf(COUNTS, n.astype(int), shares)
        else:
            counts = stats.dirichlet_multinomial.logpmf(COUNTS.astype(int), shares * math.exp(params[2]), n.astype(int))
        mu, log_sigma = params[-2:]
        return counts.sum() + stats.lognorm.logpdf(MONTHS, math.exp(log_sigma), scale=math.exp(mu)).sum()

    start = np.zeros(len(hurdle.params))
    start[-2:] = 3.0, 0.0
    found = optimize.minimize(lambda params: -joint(params), start, method="BFGS", options={"gtol": 1e-6})
    assert -found.fun - custody.model.log_coefficient == pytest.approx(hurdle.llf, abs=1e-6)
    np.testing.assert_allclose(found.x, hurdle.params, rtol=1e-4, atol=1e-5)
    assert hurdle.aic == pytest.approx(-2 * hurdle.llf + 2 * len(start))


def test_parameters_are_joined_and_their_covariance_is_in_blocks(hurdle):
    assert hurdle.params.index.tolist() == [
        "custody:logit:prison", "custody:logit:suspended", "custody:log_precision", "length:const", "length:log_scale"
    ]  # fmt: skip
    cov = hurdle.cov_params().to_numpy()
    np.testing.assert_allclose(cov[:3, :3], hurdle.custody.cov_params())
    np.testing.assert_allclose(cov[3:, 3:], hurdle.length.cov_params())
    assert (cov[:3, 3:] == 0).all() and (cov[3:, :3] == 0).all()
    np.testing.assert_allclose(hurdle.bse, np.sqrt(np.diag(cov)))
    assert hurdle.converged


def test_survival_is_of_all_convicted(hurdle):
    p = hurdle.custody.probabilities().loc["prison", "estimate"]
    assert hurdle.probability == pytest.approx(p)
    at = np.array([0.0, 12.0, 60.0])
    expected = p * stats.lognorm.sf(at, hurdle.length.sigma, scale=math.exp(hurdle.length.mu))
    np.testing.assert_allclose(hurdle.survival(at), expected)
    assert hurdle.survival(36.0, shift=1.0) > hurdle.survival(36.0)
    with pytest.raises(ValueError, match="months from 0 on; found -1"):
        hurdle.survival(-1)


def test_quantiles_are_zero_for_those_without_prison_and_invert_survival_beyond(hurdle):
    without = 1 - hurdle.probability
    assert hurdle.quantile(0.0) == hurdle.quantile(0.99 * without) == hurdle.quantile(without) == 0
    assert without > 0.52
    for q in (without + 1e-3, 0.8, 0.99):
        assert hurdle.survival(hurdle.quantile(q)) == pytest.approx(1 - q, rel=1e-9)
    together = hurdle.quantile([without / 2, 0.8])
    assert together.tolist() == [0, hurdle.quantile(0.8)]
    assert hurdle.quantile(0.8, shift=1.0) == pytest.approx(math.e * hurdle.quantile(0.8))
    for wrong in (-0.1, 1.0, NAN):
        with pytest.raises(ValueError, match="q must lie between 0 and 1"):
            hurdle.quantile(wrong)


def test_another_category_can_be_the_one_with_a_length():
    custody = example().fit()
    hurdle = Hurdle(custody, Lognormal(MONTHS), category="suspended")
    assert hurdle.probability == pytest.approx(custody.probabilities().loc["suspended", "estimate"])


def test_a_hurdle_of_unfitting_parts_is_refused():
    with pytest.raises(ValueError, match="'fine' is not one of prison, suspended, other"):
        Hurdle(example().fit(), Lognormal(MONTHS), category="fine")
    with pytest.raises(TypeError, match="length_results has no llf, params, cov_params, predict"):
        Hurdle(example().fit(), object())


def test_a_hurdles_summary_tells_both_parts_and_that_nothing_joins_them(hurdle):
    text = hurdle.summary()
    for part in (f"{hurdle.llf:.4f}", f"{hurdle.probability:.4f}", "No correlation", "length:log_scale"):
        assert part in text


def test_a_hurdle_takes_an_interval_regression():
    custody = example().fit()
    hurdle, by_hand = Hurdle(custody, IntervalRegression(MONTHS, MONTHS).fit()), Hurdle(custody, Lognormal(MONTHS))
    assert hurdle.llf == pytest.approx(by_hand.llf, abs=1e-8)
    np.testing.assert_allclose(hurdle.params, by_hand.params, rtol=1e-6)
    np.testing.assert_allclose(hurdle.cov_params(), by_hand.cov_params(), rtol=1e-4, atol=1e-10)
    # The length model answers for each of its rows unless told whom to answer for.
    at = np.array([12.0, 36.0, 60.0])
    np.testing.assert_allclose(hurdle.survival(at, exog=[[1.0]]), by_hand.survival(at), rtol=1e-6)
    assert hurdle.survival(36.0).shape == MONTHS.shape
    quantiles = hurdle.quantile([0.1, 0.8], exog=[[1.0]])
    np.testing.assert_allclose(quantiles, [[0.0], [by_hand.quantile(0.8)]], rtol=1e-6)
