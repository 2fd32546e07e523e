"""Cluster bootstrap: whole clusters are drawn with replacement, and all replicates are fitted at once.

A replicate changes nothing but the weights of rows, so the fits of all replicates are one batch of arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ..models.errors import NotEstimable
from ..models.interval import IntervalRegression, IntervalRegressionResults, cluster_labels, is_determined
from ..models.newton import Maximum, maximise

# With g clusters there are (2g - 1)! / (g! (g - 1)!) different resamples: 10 for three clusters, 126 for five.
FEWEST_CLUSTERS = 5

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class BootstrapResult:
    """Replicates of a cluster bootstrap.

    Attributes
    ----------
    params : pandas.DataFrame, shape (B, p)
        Estimates of the replicates that could be fitted.
    leave_one_out : pandas.DataFrame, shape (G, p)
        Estimates without each cluster (fewer rows where those could not be fitted).
    estimate : pandas.Series, shape (p,)
    n_boot, n_failed, n_clusters : int
        Replicates drawn; those among them whose evidence does not determine the parameters; clusters.
    most_failed : float
        Share of failed replicates above which intervals are refused.
    seed : int
    """

    params: pd.DataFrame
    leave_one_out: pd.DataFrame
    estimate: pd.Series
    n_boot: int
    n_failed: int
    n_clusters: int
    most_failed: float
    seed: int

    @property
    def bse(self) -> pd.Series:
        """Standard deviation of the replicates."""
        return self.params.std(ddof=1)

    def interval(
        self, statistic: Statistic | None = None, alpha: float = 0.05, method: str = "percentile"
    ) -> pd.DataFrame:
        """Bootstrap confidence intervals (Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 13, 14).

        Parameters
        ----------
        statistic : callable, optional
            Takes parameters of shape (m, p), gives (m,) or (m, r). Default: the parameters themselves.
        alpha : float
        method : {"percentile", "bca"}
            BCa corrects for bias and skewness; its acceleration is taken from leaving out one cluster at a time.

        Returns
        -------
        pandas.DataFrame
            Columns `estimate`, `lower`, `upper`; one row for each statistic.

        Raises
        ------
        NotEstimable
            When too many replicates failed (what is left would be a selection), or when BCa lacks leave-one-out
            estimates.
        """
        if self.n_failed > self.most_failed * self.n_boot:
            raise NotEstimable(
                f"{self.n_failed} of {self.n_boot} replicates do not determine the parameters; those that do are a "
                "selection, and an interval from them would mislead"
            )
        names = list(self.params.columns) if statistic is None else None
        replicates, point = (_values(statistic, np.atleast_2d(v)) for v in (self.params, self.estimate))
        if method == "percentile":
            levels = np.tile([[alpha / 2], [1 - alpha / 2]], replicates.shape[1])
        elif method == "bca":
            if len(self.leave_one_out) < self.n_clusters:
                raise NotEstimable(
                    f"without {self.n_clusters - len(self.leave_one_out)} of the clusters, one at a time, the rest "
                    "does not determine the parameters, so the acceleration of BCa cannot be computed"
                )
            levels = _bca_levels(replicates, point[0], _values(statistic, self.leave_one_out.to_numpy()), alpha)
        else:
            raise ValueError(f"method {method!r} is not one of percentile, bca")
        ends = [np.quantile(replicates[:, j], levels[:, j]) for j in range(replicates.shape[1])]
        table = pd.DataFrame(ends, columns=["lower", "upper"], index=names)
        table.insert(0, "estimate", point[0])
        return table


def _values(statistic: Statistic | None, params: np.ndarray) -> np.ndarray:
    params = np.asarray(params, dtype=float)
    values = params if statistic is None else np.asarray(statistic(params), dtype=float)
    return values[:, None] if values.ndim == 1 else values


def _bca_levels(replicates: np.ndarray, point: np.ndarray, left_out: np.ndarray, alpha: float) -> np.ndarray:
    below = (np.sum(replicates < point, axis=0) + 0.5 * np.sum(replicates == point, axis=0)) / len(replicates)
    bias = special.ndtri(np.clip(below, 0.5 / len(replicates), 1 - 0.5 / len(replicates)))
    away = left_out.mean(axis=0) - left_out
    spread = np.sum(away**2, axis=0) ** 1.5
    acceleration = np.where(spread > 0, np.sum(away**3, axis=0) / np.where(spread > 0, 6 * spread, 1.0), 0.0)
    z = special.ndtri(np.array([[alpha / 2], [1 - alpha / 2]]))
    return special.ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))


def cluster_bootstrap(
    results: IntervalRegressionResults,
    groups=None,
    *,
    strata=None,
    n_boot: int = 1999,
    seed: int,
    most_failed: float = 0.05,
) -> BootstrapResult:
    """Draw clusters with replacement and refit.

    Parameters
    ----------
    results : IntervalRegressionResults
    groups : array_like, shape (n,), optional
        Cluster of each row; default each row (with all its people) is one.
    strata : array_like, shape (n,), optional
        Stratum of each row, such as its kind of source: clusters are drawn within strata, as many as there are in each.
    n_boot : int
    seed : int
        Of NumPy's default generator.
    most_failed : float
        Share of replicates that may fail before intervals are refused.

    Returns
    -------
    BootstrapResult

    Raises
    ------
    NotEstimable
        With fewer than five clusters: their few resamples say next to nothing.
    ValueError
        When a cluster lies in several strata.
    """
    label, count = cluster_labels(results.model, groups)
    if count < FEWEST_CLUSTERS:
        raise NotEstimable(f"{count} clusters are too few to resample; at least {FEWEST_CLUSTERS} are needed")
    rng, draws = np.random.default_rng(seed), np.empty((n_boot, count), dtype=int)
    for members in _members(label, count, results.model.likelihood.row_of >= 0, strata):
        draws[:, members] = members[rng.integers(0, len(members), size=(n_boot, len(members)))]
    offset = draws + count * np.arange(n_boot)[:, None]
    times = np.bincount(offset.ravel(), minlength=n_boot * count).reshape(n_boot, count).astype(float)
    fitted = (results.model, results.params.to_numpy(), results._free, label)
    replicates, good = refit(*fitted, times)
    left_out, kept = refit(*fitted, 1.0 - np.eye(count))
    names = results.params.index
    return BootstrapResult(
        pd.DataFrame(replicates[good], columns=names),
        pd.DataFrame(left_out[kept], columns=names),
        results.params,
        n_boot,
        int(np.sum(~good)),
        count,
        most_failed,
        seed,
    )


def _members(label: np.ndarray, count: int, inside: np.ndarray, strata) -> list[np.ndarray]:
    """Clusters of each stratum; all together where there are no strata."""
    if strata is None:
        return [np.arange(count)]
    pairs = pd.DataFrame({"cluster": label, "stratum": np.asarray(strata)})[inside].drop_duplicates()
    if len(pairs) > count:
        raise ValueError(f"{len(pairs) - count} clusters lie in several strata")
    return [np.sort(own.to_numpy()) for _, own in pairs.groupby("stratum", sort=True)["cluster"]]


def refit(
    model: IntervalRegression, start: np.ndarray, free: np.ndarray, label: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the model again with each cluster counted so many times, all at once.

    Parameters
    ----------
    model : IntervalRegression
    start : numpy.ndarray, shape (p,)
        Where every fit begins.
    free : numpy.ndarray of bool, shape (p,)
        Parameters that are estimated.
    label : numpy.ndarray of int, shape (n,)
        Cluster of each given row.
    times : numpy.ndarray, shape (B, G)

    Returns
    -------
    tuple of numpy.ndarray (B, p) and numpy.ndarray of bool (B,)
        Estimates, and whether the maximum was found and is determined by the evidence.
    """
    found, good = refit_maxima(model, start, free, label, times)
    return found.params, good


def refit_maxima(
    model: IntervalRegression, start: np.ndarray, free: np.ndarray, label: np.ndarray, times: np.ndarray
) -> tuple[Maximum, np.ndarray]:
    """As `refit`, with the log-likelihood and its derivatives at each maximum."""
    own = model.likelihood
    count = times.shape[1]
    inside = own.row_of >= 0
    by_cluster = np.zeros((count, len(own.kind)))
    np.add.at(by_cluster, (label[inside], own.row_of[inside]), own.given_weight[inside])
    weight = times @ by_cluster
    multiplicity = None
    mean_weight = weight * own.size
    if own.unknown_sizes:
        cluster_of = [label[group.rows[0]] for group in model.unknown_sizes]
        multiplicity = times[:, cluster_of]
        for place, group in enumerate(own.unknown_sizes):
            mean_weight[:, group.rows] = multiplicity[:, [place]] * group.counts.mean(axis=0)

    def evaluate(theta, who):
        return own.evaluate(theta, weight[who], None if multiplicity is None else multiplicity[who])

    starts = np.repeat(start[None], len(times), axis=0)
    # A replicate needs no more digits than its Monte-Carlo error leaves; one step beyond the tolerance squares it.
    people = mean_weight.sum(axis=1)
    found = maximise(evaluate, starts, people=people, free=free, tol=1e-8)
    return found, found.converged & is_determined(model, found, free, mean_weight)
