"""Test of one parameter with few clusters: the clusters' scores get random signs instead of a normal distribution.

With few clusters the sandwich covariance is too small and its tests reject too often. Perturbing the scores of a fit
under the hypothesis needs no further fits, and with few clusters all perturbations can be listed.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..models import NotEstimable
from ..models.interval import IntervalRegressionResults, cluster_labels

# Webb (2023), Reworking wild bootstrap-based inference for clustered errors, Can. J. Econ. 56: 839-858. Each value has
# probability 1/6; mean 0, variance 1, third moment 0.
_WEBB = np.sqrt([0.5, 1.0, 1.5])
WEIGHTS = {"rademacher": np.array([-1.0, 1.0]), "webb": np.concatenate([-_WEBB[::-1], _WEBB])}
INFORMATION = ("estimate", "hypothesis")

# With one cluster the statistic is 1 whatever the data, and with two p is 1/2 or 1 by the signs alone. From three on,
# where p can be 1/4, it depends on how large the scores are.
FEWEST_CLUSTERS = 3

# Most weight vectors that are listed on demand, about 200 MB.
_MOST_LISTED = 2**20
# Scores smaller than this share of the largest sum of absolute contributions are what rounding leaves of 0.
_ROUNDING = 1e-8
# Statistics lie between 0 and the number of clusters; closer than this share of that number they are tied.
_TIE = 1e-11


@dataclass(frozen=True, eq=False)
class WildScoreResult:
    """Outcome of `wild_score_test`.

    Attributes
    ----------
    name, value : str and float
        The hypothesis: this parameter has this value.
    statistic : float
        Squared sum of the effective scores over their sum of squares; between 0 and the number of clusters.
    p_value : float
        Two-sided.
    smallest_attainable_p : float
        No data from as many clusters can give a smaller p, however clearly they contradict the hypothesis.
    n_clusters, n_informative : int
        Clusters with evidence, and those of them whose effective score is not 0; only these are perturbed.
    weights : str
    exhaustive : bool
        Whether every weight vector was used, so that nothing about p is random.
    n_boot : int
        Weight vectors used: all up to sign if exhaustive, else those drawn.
    seed : int
        Of the draws; unused if exhaustive.
    effective_scores : pandas.Series
        One for each cluster with evidence, by its name in `groups`. Their sum is above 0 where the data favour a
        parameter above `value`.
    """

    name: str
    value: float
    statistic: float
    p_value: float
    smallest_attainable_p: float
    n_clusters: int
    n_informative: int
    weights: str
    exhaustive: bool
    n_boot: int
    seed: int
    effective_scores: pd.Series = field(repr=False)

    def summary(self) -> str:
        """The test in words, smallest attainable p included."""
        how = f"all {self.n_boot} vectors" if self.exhaustive else f"{self.n_boot} vectors drawn with seed {self.seed}"
        silent = self.n_clusters - self.n_informative
        lines = [
            f"Wild score bootstrap test of {self.name} = {self.value:g}",
            f"Clusters: {self.n_clusters}" + (f", {silent} of which say nothing about {self.name}" if silent else ""),
            f"Weights: {self.weights}, {how}",
            f"Statistic: {self.statistic:.4g}; p = {self.p_value:.4g}",
            f"Smallest attainable p: {self.smallest_attainable_p:.4g}",
        ]
        return "\n".join(lines)

    __str__ = summary


def wild_score_test(
    results: IntervalRegressionResults,
    name: str,
    value: float = 0.0,
    *,
    groups,
    weights: str = "rademacher",
    n_boot: int = 9999,
    seed: int,
    exhaustive: bool | None = None,
    information: str = "estimate",
) -> WildScoreResult:
    """Score wild cluster bootstrap test that one parameter has a given value.

    Kline & Santos (2012), A score based approach to wild bootstrap inference, J. Econometric Methods 1(1): 23-41, in
    the form with the hypothesis imposed (their Lagrange-multiplier test). The model is fitted with the parameter held
    at `value`. The effective score of cluster g is e_g = s_g,t - I_tn I_nn^-1 s_g,n: its score of the tested parameter
    less what the nuisance parameters explain of it, I being minus a Hessian. The statistic is (sum e_g)² / sum e_g².
    In each replicate e_g becomes w_g e_g, in numerator and denominator alike, with w_g of mean 0 and variance 1
    independent between clusters; nothing is fitted again.

    The Hessian: under the hypothesis those of both fits estimate the same weights I_tn I_nn^-1, so either serves. But
    the entry of a coefficient and the log scale is, for exact lengths with normal errors, twice the coefficient's own
    score: 0 at the estimate, yet large at the restricted fit in just those samples whose score is large, where it
    unsettles the denominator. With a dozen clusters the Hessian of the restricted fit makes the test reject true
    hypotheses visibly more often than stated, that of the estimate hardly so (tests/test_wild.py simulates both).

    Recentring: Kline & Santos perturb the scores as they are. Those of the tested parameter do not add up to 0 under
    the hypothesis, and it is the weights' mean of 0 that centres the replicates. The scores in the *denominator* they
    take from their mean, in the data and in each replicate. With one parameter that changes no p value: by G clusters
    the centred statistic is G-1 times T / (G - T) for the one used here, T, and rises with it. The p values of both
    are the same to the last digit.

    p values assume clusters whose covariates are alike (Canay, Santos & Shaikh 2021, Rev. Econ. Stat. 103: 346-363);
    where the tested covariate differs from 0 in a few clusters only, they are far too large (MacKinnon & Webb 2018,
    Econometrics J. 21: 114-135).

    Parameters
    ----------
    results : IntervalRegressionResults
        Of the fit without the hypothesis.
    name : str
        The tested parameter.
    value : float
    groups : array_like, shape (n,)
        Cluster of each row that was given to the model; None: each row is one.
    weights : {"rademacher", "webb"}
        -1 and 1, or Webb's six points. With G clusters there are 2^(G-1) and 6^G / 2 vectors that differ by more than
        their sign, and the statistic does not depend on that.
    n_boot : int
        Vectors drawn. p is then (1 + those with a statistic at least as large) / (n_boot + 1).
    seed : int
    exhaustive : bool, optional
        Whether to use all vectors instead, once each; p is then exact. Default: where they are `n_boot` or fewer.
    information : {"estimate", "hypothesis"}
        Whether the Hessian is taken at `results` or at the fit under the hypothesis.

    Returns
    -------
    WildScoreResult
        Its smallest attainable p is 1/2^(G-1) or 1/6^(G-1), G the informative clusters, since constant weights return
        the data's own statistic; or 1/(n_boot + 1) where vectors are drawn and that is larger. Webb's is a bound,
        reached only where all clusters' scores are equal.

    Raises
    ------
    NotEstimable
        With fewer than three clusters that carry evidence on the parameter, or when no effective score differs from 0.
    NotConverged
        When the fit under the hypothesis fails.
    ValueError
        Unknown parameter, weights or information; a parameter that was held fixed in `results`; impossible `n_boot`,
        `seed` or `exhaustive`; groups that leave out rows or divide a group of unknown size.
    """
    model = results.model
    if name not in model.param_names:
        raise ValueError(f"there is no parameter {name!r}; they are {', '.join(model.param_names)}")
    if weights not in WEIGHTS:
        raise ValueError(f"weights {weights!r} are not one of {', '.join(WEIGHTS)}")
    if information not in INFORMATION:
        raise ValueError(f"information {information!r} is not one of {', '.join(INFORMATION)}")
    if n_boot < 1 or n_boot != int(n_boot):
        raise ValueError(f"n_boot is {n_boot!r}; it must be a whole number of 1 or more")
    if seed is None:
        raise ValueError("seed is None; it must be a number, so that the draws can be repeated")
    held = results.params[~results._free].to_dict()
    if name in held:
        raise ValueError(f"{name} was held at {held[name]:g} in these results, so they have no estimate of it to test")

    label, count = cluster_labels(model, groups)
    if count < FEWEST_CLUSTERS:
        raise NotEstimable(f"{count} clusters carry evidence; the test needs at least {FEWEST_CLUSTERS}")
    restricted = model.fit(results.params.to_numpy(), fixed={**held, name: float(value)})
    hessian = model.hessian((results if information == "estimate" else restricted).params)
    scores, size = _effective_scores(restricted, hessian, name, label, count)
    informative = np.abs(scores) > _ROUNDING * size.max()
    if not informative.any():
        raise NotEstimable(
            f"the effective score of {name} is 0 in every cluster, so it has no variance", columns=[name]
        )
    if informative.sum() < FEWEST_CLUSTERS:
        raise NotEstimable(
            f"the effective score of {name} differs from 0 in {informative.sum()} clusters only; the test needs at "
            f"least {FEWEST_CLUSTERS}",
            columns=[name],
        )
    # In an order of their own, so that the draws meet the same scores however rows and clusters are arranged.
    perturbed = scores[informative]
    perturbed = perturbed[np.lexsort((perturbed, np.abs(perturbed)))]
    vectors, all_of_them = _weight_vectors(len(perturbed), weights, int(n_boot), seed, exhaustive)
    statistic, replicates = _statistics(np.ones((1, len(perturbed))), perturbed)[0], _statistics(vectors, perturbed)
    as_large = int(np.sum(replicates >= statistic - _TIE * len(perturbed)))
    smallest = len(WEIGHTS[weights]) ** (1.0 - len(perturbed))
    return WildScoreResult(
        name=name,
        value=float(value),
        statistic=float(statistic),
        p_value=as_large / len(vectors) if all_of_them else (1 + as_large) / (len(vectors) + 1),
        smallest_attainable_p=smallest if all_of_them else max(smallest, 1 / (len(vectors) + 1)),
        n_clusters=count,
        n_informative=len(perturbed),
        weights=weights,
        exhaustive=all_of_them,
        n_boot=len(vectors),
        seed=seed,
        effective_scores=pd.Series(scores, index=_cluster_names(model, groups), name=name),
    )


def _effective_scores(
    restricted: IntervalRegressionResults, hessian: np.ndarray, name: str, label: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Effective scores (G,) and the sums (G,) of the absolute contributions that make them up."""
    tested = restricted.params.index.get_loc(name)
    nuisance = np.flatnonzero(restricted._free)
    explained = np.linalg.solve(hessian[np.ix_(nuisance, nuisance)], hessian[nuisance, tested])
    direction = np.zeros(len(restricted.params))
    direction[tested], direction[nuisance] = 1.0, -explained
    contributions = restricted.score_obs() * direction
    scores, size = np.zeros(count), np.zeros(count)
    np.add.at(scores, label, contributions.sum(axis=1))
    np.add.at(size, label, np.abs(contributions).sum(axis=1))
    return scores, size


def _cluster_names(model, groups) -> np.ndarray:
    used = model.likelihood.row_of >= 0
    if groups is None:
        # As `cluster_labels` has it: each row is a cluster, a group of unknown size too.
        groups = np.arange(len(used))
        for group in model.unknown_sizes:
            groups[list(group.rows)] = group.rows[0]
    return pd.unique(np.asarray(groups)[used])


def _weight_vectors(n: int, weights: str, n_boot: int, seed: int, exhaustive: bool | None) -> tuple[np.ndarray, bool]:
    """Weight vectors (B, n), and whether they are all there are, up to sign."""
    values = WEIGHTS[weights]
    number = len(values) ** n // 2
    if exhaustive is None:
        exhaustive = number <= n_boot
    if not exhaustive:
        return np.random.default_rng(seed).choice(values, size=(n_boot, n)), False
    if number > max(n_boot, _MOST_LISTED):
        raise ValueError(
            f"exhaustive: {n} clusters have {number} vectors of {weights} weights; at most {_MOST_LISTED} can be "
            "listed, so draw some of them (exhaustive=False)"
        )
    # A vector and its negative give one statistic, so the first weight need only take the lower half of the values.
    digits = np.indices((len(values) // 2,) + (len(values),) * (n - 1), dtype=np.int8).reshape(n, -1).T
    return values[digits], True


def _statistics(vectors: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Statistic (B,) under each weight vector (B, G)."""
    return (vectors @ scores) ** 2 / (vectors**2 @ scores**2)
