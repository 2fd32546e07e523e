"""Bootstrap of clusters: replicates are fits of clusters counted anew, drawn within strata where those are told."""

import numpy as np
import pytest

from sentencing.inference import cluster_bootstrap, refit
from sentencing.models import IntervalRegression, NotEstimable


def fitted(n: int = 24):
    rng = np.random.default_rng(5)
    months = np.exp(rng.normal(3.8, 0.5, n))
    low, high = np.floor(months / 12) * 12, np.ceil(months / 12) * 12
    return IntervalRegression(low, high, weights=rng.integers(1, 4, n)).fit()


CLUSTERS = np.repeat(np.arange(8), 3)
STRATA = np.where(CLUSTERS < 6, "many", "few")


def test_a_replicate_is_the_fit_with_its_clusters_counted_so_often():
    results = fitted()
    times = np.array([[2, 0, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 3, 1]], dtype=float)
    found, good = refit(results.model, results.params.to_numpy(), results._free, CLUSTERS, times)
    assert good.all()
    for line, params in zip(times, found, strict=True):
        model = results.model
        again = IntervalRegression(model.low, model.high, weights=model.weights * line[CLUSTERS]).fit()
        assert params == pytest.approx(again.params.to_numpy(), rel=1e-6)


def test_strata_keep_their_number_of_clusters():
    """Without strata the small one is at times not drawn at all, and its coefficient is then not determined."""
    model = fitted().model
    exog = np.column_stack([np.ones(24), STRATA == "few"])
    results = IntervalRegression(model.low, model.high, exog, weights=np.ones(24)).fit()
    free = cluster_bootstrap(results, CLUSTERS, n_boot=300, seed=1)
    kept = cluster_bootstrap(results, CLUSTERS, strata=STRATA, n_boot=300, seed=1)
    # That happens in (6/8)^8 = 10 % of draws.
    assert 10 <= free.n_failed <= 60 and kept.n_failed == 0 and len(kept.params) == 300


def test_one_stratum_is_none():
    results = fitted()
    plain, one = (cluster_bootstrap(results, CLUSTERS, n_boot=20, seed=3, **given)
                  for given in ({}, {"strata": np.ones(24)}))  # fmt: skip
    np.testing.assert_array_equal(plain.params, one.params)


def test_clusters_across_strata_and_too_few_clusters_are_refused():
    results = fitted()
    with pytest.raises(ValueError, match="1 clusters lie in several strata"):
        cluster_bootstrap(results, CLUSTERS, strata=np.arange(24) < 4, n_boot=5, seed=1)
    with pytest.raises(NotEstimable, match="4 clusters are too few"):
        cluster_bootstrap(results, CLUSTERS // 2, n_boot=5, seed=1)
