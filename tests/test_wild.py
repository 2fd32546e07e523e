"""Score wild cluster bootstrap: against plain loops, exact p values of few clusters, size and power."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing.inference import wild
from sentencing.inference.wild import wild_score_test
from sentencing.models import IntervalRegression, NotEstimable, UnknownSize

OPEN = math.nan
EDGES = np.array([12.0, 24, 36, 60, 120])
FAMILIES = ["lognormal", "weibull", "loglogistic"]


def banded(log_length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the bands that lengths fall into."""
    place = np.searchsorted(np.log(EDGES), log_length)
    return np.array([OPEN, *EDGES])[place], np.array([*EDGES, OPEN])[place]


def clustered(rng, n_clusters: int, per_cluster: int = 15, effect: float = 0.0, spread: float = 0.4):
    """Frame of banded lengths with an effect of each cluster; `x` alternates between clusters, `age` within them."""
    cluster = np.repeat(np.arange(n_clusters), per_cluster)
    data = pd.DataFrame({"cluster": cluster, "x": (cluster % 2) * 1.0, "age": rng.normal(size=len(cluster))})
    location = 3.5 + effect * data["x"] + 0.2 * data["age"] + spread * rng.normal(size=n_clusters)[cluster]
    data["low"], data["high"] = banded(location + 0.6 * rng.normal(size=len(cluster)))
    data["n"] = rng.integers(1, 4, len(data)) * 1.0
    return data


def fitted(data: pd.DataFrame, dist: str = "lognormal", formula: str = "low + high ~ x + age", **keywords):
    return IntervalRegression.from_formula(formula, data, weights="n", dist=dist, **keywords).fit()


# ---------------------------------------------------------------------------- an independent computation


def scores_by_differences(results, name: str, value: float, groups, information: str = "estimate") -> list[float]:
    """Effective score of each cluster: derivative of its own log-likelihood, taken numerically.

    The derivative goes along the direction in which the nuisance parameters follow the tested one when they are
    fitted again, so that to first order their scores stay 0: that is what orthogonal means. Where they do so is
    around the estimate or around the hypothesis.
    """
    model, step = results.model, 1e-4
    held = results.params[~results._free].to_dict()

    def refitted(at: float) -> np.ndarray:
        return model.fit(results.params, fixed={**held, name: at}).params.to_numpy()

    around = results.params[name] if information == "estimate" else value
    direction = refitted(around + step) - refitted(around - step)
    low, high = refitted(value) - 0.5 * direction, refitted(value) + 0.5 * direction
    totals: dict = {}
    for row, group in enumerate(groups):
        change = model.weights[row] * (model.loglike_obs(high)[row] - model.loglike_obs(low)[row])
        totals[group] = totals.get(group, 0.0) + change / (2 * step)
    return [totals[group] for group in sorted(totals)]


def centred_statistic(scores) -> float:
    """Kline & Santos' own statistic: scores are taken from their mean in the variance, with G/(G - 1)."""
    count, mean = len(scores), sum(scores) / len(scores)
    variance = count / (count - 1) * sum((s - mean) ** 2 for s in scores)
    return math.inf if variance == 0 else sum(scores) ** 2 / variance


def p_by_loop(scores, values) -> float:
    data = centred_statistic(scores)
    at_least, tried = 0, 0
    for vector in itertools.product(values, repeat=len(scores)):
        replicate = centred_statistic([w * s for w, s in zip(vector, scores, strict=True)])
        tried += 1
        at_least += replicate >= data * (1 - 1e-9)
    return at_least / tried


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("information", wild.INFORMATION)
@pytest.mark.parametrize(("name", "value"), [("x", 0.0), ("age", 0.3), ("log_scale", -0.5)])
def test_against_loops_over_all_sign_vectors(dist, information, name, value):
    data = clustered(np.random.default_rng(1), 7)
    results = fitted(data, dist)
    test = wild_score_test(results, name, value, groups=data["cluster"], seed=0, information=information)
    expected = scores_by_differences(results, name, value, data["cluster"], information)
    np.testing.assert_allclose(test.effective_scores, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    assert list(test.effective_scores.index) == list(range(7))
    assert test.exhaustive and test.n_boot == 2**6 and test.n_clusters == test.n_informative == 7
    assert test.statistic == pytest.approx(sum(expected) ** 2 / sum(e**2 for e in expected), rel=1e-4)
    # The statistic that is centred gives the same p to the last digit.
    assert test.p_value == p_by_loop(expected, [-1, 1])


def test_against_loops_over_all_webb_vectors():
    data = clustered(np.random.default_rng(2), 4)
    results = fitted(data)
    test = wild_score_test(results, "x", -0.2, groups=data["cluster"], weights="webb", seed=0)
    points = [s * math.sqrt(v) for s in (-1, 1) for v in (0.5, 1, 1.5)]
    assert test.exhaustive and test.n_boot == 6**4 // 2
    assert test.p_value == p_by_loop(scores_by_differences(results, "x", -0.2, data["cluster"]), points)
    assert test.smallest_attainable_p == pytest.approx(6**-3)


def test_webb_weights_have_mean_zero_and_variance_one():
    for values in wild.WEIGHTS.values():
        assert np.mean(values) == pytest.approx(0, abs=1e-15)
        assert np.mean(values**2) == pytest.approx(1)
        assert np.mean(values**3) == pytest.approx(0, abs=1e-15)
    assert len(set(wild.WEIGHTS["webb"])) == 6


@pytest.mark.parametrize(("weights", "n_clusters"), [("rademacher", 8), ("webb", 4)])
def test_many_draws_approach_the_listed_vectors(weights, n_clusters):
    data = clustered(np.random.default_rng(3), n_clusters)
    results = fitted(data)
    listed = wild_score_test(results, "x", 0.2, groups=data["cluster"], weights=weights, seed=5)
    drawn = wild_score_test(
        results, "x", 0.2, groups=data["cluster"], weights=weights, seed=5, n_boot=200_000, exhaustive=False
    )
    assert listed.exhaustive and not drawn.exhaustive and drawn.n_boot == 200_000
    assert 0.05 < listed.p_value < 0.95  # else agreement would mean little
    assert drawn.p_value == pytest.approx(listed.p_value, abs=4 * math.sqrt(0.25 / 200_000))
    assert drawn.statistic == listed.statistic


def test_drawn_vectors_count_the_data_itself():
    data = clustered(np.random.default_rng(4), 20, effect=3.0, spread=0.0)
    test = wild_score_test(fitted(data), "x", groups=data["cluster"], seed=1, n_boot=99)
    assert not test.exhaustive
    assert test.p_value == test.smallest_attainable_p == 1 / 100


def test_draws_depend_on_the_seed_alone():
    data = clustered(np.random.default_rng(5), 20)
    results = fitted(data)
    p_values = [wild_score_test(results, "x", groups=data["cluster"], seed=s, n_boot=999).p_value for s in (1, 1, 2)]
    assert p_values[0] == p_values[1] != p_values[2]


# ---------------------------------------------------------------------------- how small p can be


@pytest.mark.parametrize("weights", ["rademacher", "webb"])
@pytest.mark.parametrize("n_clusters", [3, 4, 5])
def test_the_smallest_p_is_that_of_clusters_that_all_say_the_same(n_clusters, weights):
    # Copies of one cluster have equal scores; no data could contradict the hypothesis more.
    one = clustered(np.random.default_rng(6), 1, per_cluster=30)
    data = pd.concat([one.assign(cluster=i) for i in range(n_clusters)])
    results = fitted(data.reset_index(drop=True), formula="low + high ~ age")
    test = wild_score_test(results, "age", 1.0, groups=data["cluster"], weights=weights, seed=0)
    smallest = {"rademacher": 2, "webb": 6}[weights] ** -(n_clusters - 1)
    assert test.exhaustive
    assert test.p_value == pytest.approx(smallest, rel=1e-12)
    assert test.smallest_attainable_p == pytest.approx(smallest, rel=1e-12)
    assert test.statistic == pytest.approx(n_clusters)
    assert f"Smallest attainable p: {smallest:.4g}" in str(test) and str(test) == test.summary()


@given(
    scores=st.lists(st.integers(-20, 20).filter(bool), min_size=3, max_size=5),
    weights=st.sampled_from(["rademacher", "webb"]),
)
@settings(max_examples=60, deadline=None)
def test_listed_vectors_never_give_less_than_the_smallest_p(scores, weights):
    scores = np.array(scores, dtype=float)
    vectors, all_of_them = wild._weight_vectors(len(scores), weights, 1, 0, True)
    assert all_of_them
    both = np.vstack([vectors, -vectors])
    # Each vector of the full product once, and the replicates do not depend on the sign of the vector or the scores.
    assert len(np.unique(both, axis=0)) == len(both) == len(wild.WEIGHTS[weights]) ** len(scores)
    replicates = wild._statistics(vectors, scores)
    np.testing.assert_allclose(wild._statistics(-vectors, scores), replicates, rtol=1e-12)
    np.testing.assert_allclose(wild._statistics(vectors, -scores), replicates, rtol=1e-12)
    assert np.all(replicates <= len(scores) * (1 + 1e-12))
    data = wild._statistics(np.ones((1, len(scores))), scores)[0]
    p_value = np.mean(replicates >= data - 1e-9)
    assert p_value >= len(wild.WEIGHTS[weights]) ** (1.0 - len(scores)) - 1e-12


def test_a_cluster_that_says_nothing_does_not_make_p_smaller():
    # A dummy for cluster 6 takes all its evidence on the location: what remains cannot speak about x.
    rng = np.random.default_rng(7)
    data = clustered(rng, 7)
    data["alone"] = (data["cluster"] == 6) * 1.0
    # Exact values and a common scale that is known: then the scores of that cluster are residuals that add up to 0.
    data["low"] = data["high"] = np.exp(3.5 + rng.normal(size=7)[data["cluster"]] + 0.5 * rng.normal(size=len(data)))
    model = IntervalRegression.from_formula("low + high ~ x + alone", data, weights="n")
    results = model.fit(fixed={"log_scale": -0.5})
    test = wild_score_test(results, "x", 0.1, groups=data["cluster"], seed=0)
    assert abs(test.effective_scores[6]) < 1e-8 * test.effective_scores.abs().max()
    assert (test.n_clusters, test.n_informative, test.n_boot) == (7, 6, 2**5)
    assert test.smallest_attainable_p == 2**-5
    assert "Clusters: 7, 1 of which say nothing about x" in str(test)
    without = data[data["cluster"] != 6]
    other = IntervalRegression.from_formula("low + high ~ x", without, weights="n").fit(fixed={"log_scale": -0.5})
    assert wild_score_test(other, "x", 0.1, groups=without["cluster"], seed=0).p_value == test.p_value


# ---------------------------------------------------------------------------- symmetries


def test_the_sign_of_the_covariate_does_not_matter():
    data = clustered(np.random.default_rng(8), 9)
    flipped = data.assign(x=-data["x"])
    for n_boot in (9999, 99):  # listed, then drawn
        one = wild_score_test(fitted(data), "x", 0.3, groups=data["cluster"], seed=3, n_boot=n_boot)
        other = wild_score_test(fitted(flipped), "x", -0.3, groups=data["cluster"], seed=3, n_boot=n_boot)
        assert one.exhaustive == (n_boot == 9999)
        assert other.p_value == one.p_value
        assert other.statistic == pytest.approx(one.statistic, rel=1e-8)
        np.testing.assert_allclose(other.effective_scores, -one.effective_scores, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("n_boot", [9999, 99])
def test_order_and_names_of_clusters_do_not_matter(n_boot):
    data = clustered(np.random.default_rng(9), 9)
    one = wild_score_test(fitted(data), "x", groups=data["cluster"], seed=3, n_boot=n_boot)
    shuffled = data.sample(frac=1.0, random_state=1).reset_index(drop=True)
    names = np.array(list("RSTUVWXYZ"))[shuffled["cluster"]]
    other = wild_score_test(fitted(shuffled), "x", groups=names, seed=3, n_boot=n_boot)
    assert other.p_value == one.p_value
    assert other.statistic == pytest.approx(one.statistic, rel=1e-8)
    np.testing.assert_allclose(
        other.effective_scores[list("RSTUVWXYZ")].to_numpy(), one.effective_scores, rtol=1e-6, atol=1e-7
    )


def test_people_of_a_cluster_may_share_a_row_or_stand_in_rows_of_their_own():
    data = clustered(np.random.default_rng(10), 6)
    each = data.loc[data.index.repeat(data["n"].astype(int))].assign(n=1.0).reset_index(drop=True)
    one = wild_score_test(fitted(data), "x", groups=data["cluster"], seed=0)
    other = wild_score_test(fitted(each), "x", groups=each["cluster"], seed=0)
    assert other.p_value == one.p_value
    assert other.statistic == pytest.approx(one.statistic, rel=1e-8)


def test_rows_without_evidence_belong_to_no_cluster():
    data = clustered(np.random.default_rng(11), 6)
    open_row = data.iloc[[0]].assign(low=OPEN, high=OPEN, cluster=77)
    nobody = data.iloc[[1]].assign(n=0.0, cluster=88)
    more = pd.concat([open_row, data, nobody], ignore_index=True)
    one = wild_score_test(fitted(data), "x", groups=data["cluster"], seed=0)
    other = wild_score_test(fitted(more), "x", groups=more["cluster"], seed=0)
    assert other.n_clusters == 6
    assert list(other.effective_scores.index) == list(range(6))
    assert other.p_value == one.p_value


def test_without_groups_each_row_is_a_cluster():
    data = clustered(np.random.default_rng(12), 4, per_cluster=3)
    one = wild_score_test(fitted(data), "x", groups=None, seed=0, n_boot=499)
    other = wild_score_test(fitted(data), "x", groups=np.arange(12), seed=0, n_boot=499)
    assert one.n_clusters == 12 and list(one.effective_scores.index) == list(range(12))
    assert one.p_value == other.p_value


# ---------------------------------------------------------------------------- groups of unknown size


def with_unknown_size(data: pd.DataFrame, counts) -> IntervalRegression:
    """The model with the first two rows of cluster 0 as a group of unknown size."""
    exog = data[["x"]].assign(const=1.0)
    group = UnknownSize([0, 1], np.array(counts, dtype=float), np.zeros(len(counts)))
    return IntervalRegression(data["low"], data["high"], exog, weights=data["n"], unknown_sizes=[group])


def test_a_group_of_unknown_size_with_one_possible_size_is_an_ordinary_one():
    data = clustered(np.random.default_rng(13), 6)
    data.loc[[0, 1], "n"] = [3.0, 2.0]
    known = fitted(data, formula="low + high ~ x")
    unknown = with_unknown_size(data, [[3, 2]]).fit()
    one = wild_score_test(known, "x", groups=data["cluster"], seed=0)
    other = wild_score_test(unknown, "x", groups=data["cluster"], seed=0)
    assert other.p_value == one.p_value
    np.testing.assert_allclose(other.effective_scores, one.effective_scores, rtol=1e-6, atol=1e-7)


def test_a_group_of_unknown_size_is_scored_within_its_cluster():
    data = clustered(np.random.default_rng(14), 6)
    model = with_unknown_size(data, [[3, 2], [9, 6], [1, 0]])
    results = model.fit()
    test = wild_score_test(results, "x", 0.1, groups=data["cluster"], seed=0)
    # What the scores of the other clusters' rows leave of the whole score is cluster 0's.
    expected = scores_by_differences(results, "x", 0.1, data["cluster"])
    held = model.fit(results.params, fixed={"x": 0.1})
    expected[0] = model.score(held.params)[0] - sum(expected[1:])
    np.testing.assert_allclose(test.effective_scores, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_a_group_of_unknown_size_cannot_lie_in_two_clusters():
    data = clustered(np.random.default_rng(15), 6)
    data.loc[1, "cluster"] = 5
    results = with_unknown_size(data, [[3, 2], [6, 4]]).fit()
    with pytest.raises(ValueError, match="group of unknown size lies in several clusters"):
        wild_score_test(results, "x", groups=data["cluster"], seed=0)


# ---------------------------------------------------------------------------- size and power


def p_values_of_samples(effect: float, n_samples: int, seed: int) -> pd.DataFrame:
    """p of x = 0 in each sample, with the Hessian of the estimate and of the hypothesis."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_samples):
        data = clustered(rng, 12, effect=effect)
        exog = data[["x"]].assign(const=1.0)
        results = IntervalRegression(data["low"], data["high"], exog, weights=data["n"]).fit()
        found.append(
            {
                information: wild_score_test(
                    results, "x", groups=data["cluster"], seed=0, information=information
                ).p_value
                for information in wild.INFORMATION
            }
        )
    return pd.DataFrame(found)


def test_a_true_hypothesis_is_rejected_about_as_often_as_stated():
    # Twelve clusters, six of each value of x, each with an effect of its own: the sign vectors are all listed, so p is
    # a multiple of 1/2048 and its steps do not matter. 400 samples have a standard error of 1.1 points at 5 %.
    p_values = p_values_of_samples(effect=0.0, n_samples=400, seed=20240701)
    for level in (0.05, 0.10, 0.50):
        allowed = 3 * math.sqrt(level * (1 - level) / 400)
        assert np.mean(p_values["estimate"] <= level) == pytest.approx(level, abs=allowed)
    # The other Hessian, which estimates the same to first order, is the reason for the default.
    assert np.mean(p_values["hypothesis"] <= 0.05) > np.mean(p_values["estimate"] <= 0.05) + 0.01


def test_ignoring_the_clusters_would_reject_a_true_hypothesis_far_too_often():
    # The same samples by the information alone: otherwise the simulation above would not show anything.
    rng = np.random.default_rng(20240701)
    rejected = [fitted(clustered(rng, 12), formula="low + high ~ x").pvalues["x"] <= 0.05 for _ in range(100)]
    assert np.mean(rejected) > 0.25


def test_a_large_effect_is_found():
    p_values = p_values_of_samples(effect=1.5, n_samples=60, seed=20240702)
    assert np.all(np.mean(p_values <= 0.05, axis=0) > 0.9)


# ---------------------------------------------------------------------------- refusals


@pytest.fixture(scope="module")
def few():
    data = clustered(np.random.default_rng(16), 6)
    return data, fitted(data)


@pytest.mark.parametrize("n_clusters", [1, 2])
def test_fewer_than_three_clusters_are_refused(few, n_clusters):
    data, results = few
    with pytest.raises(NotEstimable, match=f"{n_clusters} clusters carry evidence; the test needs at least 3"):
        wild_score_test(results, "age", groups=data["cluster"] % n_clusters, seed=0)


def test_scores_that_are_all_zero_are_refused():
    one = clustered(np.random.default_rng(17), 1, per_cluster=30)
    data = pd.concat([one.assign(cluster=i) for i in range(4)], ignore_index=True)
    results = fitted(data, formula="low + high ~ age")
    # At the estimate the scores of copies, which add up to 0, are each 0.
    with pytest.raises(NotEstimable, match="effective score of age is 0 in every cluster"):
        wild_score_test(results, "age", results.params["age"], groups=data["cluster"], seed=0)


def test_evidence_on_the_parameter_in_too_few_clusters_is_refused():
    rng = np.random.default_rng(18)
    data = clustered(rng, 6)
    data["low"] = data["high"] = np.exp(3.5 + 0.5 * rng.normal(size=len(data)))
    # Each of four clusters has a dummy of its own, so only two can say something about a covariate between them.
    model = IntervalRegression.from_formula("low + high ~ C(cluster.clip(upper=4)) + x", data, weights="n")
    results = model.fit(fixed={"log_scale": -0.5})
    with pytest.raises(NotEstimable, match="differs from 0 in 2 clusters only"):
        wild_score_test(results, "x", 0.2, groups=data["cluster"], seed=0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "X"}, "no parameter 'X'; they are const, x, age, log_scale"),
        ({"weights": "mammen"}, "weights 'mammen' are not one of rademacher, webb"),
        ({"information": "expected"}, "information 'expected' is not one of estimate, hypothesis"),
        ({"n_boot": 0}, "n_boot is 0"),
        ({"n_boot": 9.5}, "n_boot is 9.5"),
        ({"seed": None}, "seed is None"),
        ({"groups": [1, 2]}, "groups has 2 rows, but the model has 90"),
        ({"groups": [np.nan] + [1.0] * 89}, r"rows \[0\] belong to none"),
    ],
)
def test_wrong_arguments_are_named(few, changed, message):
    data, results = few
    name, keywords = changed.get("name", "x"), {"groups": data["cluster"], "seed": 0}
    keywords |= {key: value for key, value in changed.items() if key != "name"}
    with pytest.raises(ValueError, match=message):
        wild_score_test(results, name, **keywords)


def test_more_vectors_than_can_be_listed_are_refused():
    data = clustered(np.random.default_rng(19), 25, per_cluster=4)
    with pytest.raises(ValueError, match=f"25 clusters have {2**24} vectors of rademacher weights"):
        wild_score_test(fitted(data), "x", groups=data["cluster"], seed=0, exhaustive=True)


def test_a_parameter_that_was_held_fixed_is_refused_and_other_fixed_ones_stay(few):
    data, results = few
    held = results.model.fit(fixed={"age": 0.4})
    with pytest.raises(ValueError, match="age was held at 0.4"):
        wild_score_test(held, "age", groups=data["cluster"], seed=0)
    test = wild_score_test(held, "x", 0.1, groups=data["cluster"], seed=0)
    # The same model without `age`, its effect taken off the bounds instead.
    shifted = data.assign(low=data["low"] * np.exp(-0.4 * data["age"]), high=data["high"] * np.exp(-0.4 * data["age"]))
    other = wild_score_test(fitted(shifted, formula="low + high ~ x"), "x", 0.1, groups=data["cluster"], seed=0)
    assert test.p_value == other.p_value
    np.testing.assert_allclose(test.effective_scores, other.effective_scores, rtol=1e-6, atol=1e-7)
