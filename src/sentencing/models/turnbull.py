"""Nonparametric distribution of a length that is known exactly, between bounds or on one side only.

Turnbull's estimator, what it leaves undetermined, and confidence intervals for the probability of a set of lengths.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq, nnls
from scipy.stats import chi2

from .errors import NotConverged, NotEstimable

# A cumulative probability that reaches q but for binary rounding does reach it.
_SLACK = 1e-9
# Newton steps go on beyond the tolerance asked for while they help: one more step squares what is left of the gap.
_AIM = 1e-13
_MAX_NEWTON = 200
# Nobody can tell a probability this close to 0 or 1 from 0 or 1.
_EXTREME = 1e-10


class Bounds(NamedTuple):
    """Smallest and largest value, floats or arrays of the shape that was asked for."""

    lower: np.ndarray | float
    upper: np.ndarray | float


def interval_cuts(low, high, low_inclusive=True, high_inclusive=True) -> tuple[np.ndarray, np.ndarray]:
    """Where intervals begin and end, as cuts of the line that no value lies on.

    A cut just below v and one just above it differ, so that [v, …, (v, …, …, v] and …, v) are told apart and an
    interval holds something exactly when its first cut is smaller than its last.

    Parameters
    ----------
    low, high : array_like of float
        Bounds; NaN or infinite where open.
    low_inclusive, high_inclusive : array_like of bool
        Whether the bound itself belongs to the interval.

    Returns
    -------
    begin, end : ndarray of complex
        Real part: the bound. Imaginary part: -1 just below it, 1 just above, 0 at an open end. NumPy sorts complex
        numbers by the real part, then by the imaginary one, which is the order of the cuts.
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    low, high = (np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))
    below = np.where(np.asarray(low_inclusive, dtype=bool), -1.0, 1.0) * np.isfinite(low)
    above = np.where(np.asarray(high_inclusive, dtype=bool), 1.0, -1.0) * np.isfinite(high)
    return low + 1j * below, high + 1j * above


def set_cuts(low, high, low_inclusive: bool = True, high_inclusive: bool = True) -> tuple[complex, complex]:
    """Where one set begins and ends: as `interval_cuts`, but ValueError when no value lies in it."""
    begin, end = interval_cuts(low, high, low_inclusive, high_inclusive)
    if not begin < end:
        brackets = "[" if low_inclusive else "(", "]" if high_inclusive else ")"
        raise ValueError(f"no value lies in {brackets[0]}{low}, {high}{brackets[1]}")
    return complex(begin), complex(end)


def turnbull(
    low, high, weights=None, *, low_inclusive=True, high_inclusive=True, tol: float = 1e-10
) -> "TurnbullResult":
    """Nonparametric maximum-likelihood estimate (NPMLE) of the distribution of T.

    Each row says that `weights` people have a T between two bounds. The likelihood depends on the distribution only
    through the masses of the innermost intervals (Turnbull 1976): those that begin where some row begins, end where
    some row ends, and hold no other end of a row. Where inside an innermost interval its mass lies is not
    determined; the masses and with them the probabilities of the rows are. (Masses are unique where the matrix of
    which row covers which interval has full column rank, Gentleman & Geyer 1994. On a line it has: each innermost
    interval is the last of some row, which makes it triangular. It is checked all the same.)

    Parameters
    ----------
    low, high : array_like of float, length n
        Bounds of T; NaN or infinite where open, equal where T is known exactly.
    weights : array_like of float, length n, optional
        People per row; any number from 0 on. Rows of weight 0 are left out. Default: one person a row.
    low_inclusive, high_inclusive : bool or array_like of bool, length n
        Whether a bound itself belongs to the row: "under 36" is ``high=36`` with ``high_inclusive=False``. Rows known
        exactly have both. A term censored at c in the sense of Kaplan and Meier is above c: ``low_inclusive=False``.
    tol : float
        Largest duality gap allowed, as a share of the sum of the weights.

    Returns
    -------
    TurnbullResult

    Raises
    ------
    ValueError
        Arrays of different lengths, a lower bound above the upper one, equal bounds of which one does not belong to
        the row, a bound at the wrong infinity, a weight that is negative, missing or infinite. The message gives
        the positions.
    NotEstimable
        No row of positive weight has a bound: nothing is known of T. (Beside other rows, one without bounds changes
        nothing.)
    NotConverged
        The duality gap stayed above `tol`.

    Notes
    -----
    Maximised by Newton steps whose quadratic problem on the simplex is solved by nonnegative least squares (Wang
    2007). With d_j the derivative of the log-likelihood for the mass of interval j and W the sum of the weights,
    max d_j - W bounds what any other distribution could add to the log-likelihood; 0 is the Karush-Kuhn-Tucker
    condition.

    References
    ----------
    Turnbull (1976), JRSS B 38, 290-295. Gentleman & Geyer (1994), Biometrika 81, 618-623. Wang (2007), JRSS B 69,
    185-198; the least-squares form of the quadratic problem is of Dax (1990), J. Optim. Theory Appl. 64, 429-432.
    """
    begin, end, weight = _checked(low, high, weights, low_inclusive, high_inclusive)
    tells = (weight > 0) & ~(np.isneginf(begin.real) & np.isposinf(end.real))
    if not tells.any():
        reason = "no row of positive weight has a bound, so that nothing is known of the distribution"
        raise NotEstimable(reason, rows=np.flatnonzero(weight > 0).tolist())
    rows, of_row = _Rows.distinct(begin[tells], end[tells], weight[tells])
    cells = rows.innermost()
    incidence = rows.incidence(cells)
    total = weight[tells].sum()
    fit = _maximise(incidence, rows.weight / total, tol)
    probability = np.full(len(weight), np.nan)
    probability[tells] = fit.row_probability[of_row]
    probability[~tells & (weight > 0)] = 1.0
    left, right = rows.cuts[cells], rows.cuts[cells + 1]
    intervals = pd.DataFrame(
        {
            "left": left.real,
            "right": right.real,
            "left_inclusive": left.imag < 0,
            "right_inclusive": right.imag > 0,
            "mass": fit.mass,
        }
    )
    distinct = np.full(len(weight), -1)
    distinct[tells] = of_row
    return TurnbullResult(
        intervals=intervals,
        llf=float(rows.weight @ np.log(fit.row_probability)),
        gap=float(fit.gap * total),
        unique=bool(np.linalg.matrix_rank(incidence) == len(cells)),
        nobs=float(total),
        row_probability=probability,
        _rows=rows,
        _cells=cells,
        _fitted=fit.row_probability,
        _weight=weight,
        _distinct=distinct,
        _tol=tol,
    )


@dataclass(frozen=True)
class TurnbullResult:
    """The NPMLE and what can be said from it; made by `turnbull`.

    Attributes
    ----------
    intervals : pandas.DataFrame
        One row an innermost interval, in ascending order: `left`, `right` (infinite where open), `left_inclusive`,
        `right_inclusive`, `mass`, which may be 0.
    llf : float
        Sum over the rows of weight times log probability (of the very value, where T is known exactly: not a density).
    gap : float
        Duality gap: no distribution has a log-likelihood above ``llf + gap``.
    unique : bool
        Whether the masses are the only ones that attain `llf`; see `turnbull`.
    nobs : float
        Sum of the weights of rows that have a bound.
    row_probability : ndarray, length n
        Fitted probability of every row; 1 without bounds, NaN where the weight is 0.
    """

    intervals: pd.DataFrame
    llf: float
    gap: float
    unique: bool
    nobs: float
    row_probability: np.ndarray = field(repr=False)
    _rows: "_Rows" = field(repr=False)
    _cells: np.ndarray = field(repr=False)  # the piece of the line that each innermost interval is
    _fitted: np.ndarray = field(repr=False)  # probability of each distinct row
    _weight: np.ndarray = field(repr=False)  # as given, length n
    _distinct: np.ndarray = field(repr=False)  # which distinct row each given row is; -1: none
    _tol: float = field(repr=False)

    def cdf_bounds(self, at, strict: bool = False) -> Bounds:
        """Smallest and largest P(T <= at), or P(T < at), over all distributions that attain the likelihood.

        Parameters
        ----------
        at : float or array_like of float
        strict : bool
            P(T < at) instead of P(T <= at).

        Returns
        -------
        Bounds
            Of the shape of `at`. Each is attained or approached by some maximiser, at each point by another.

        Raises
        ------
        ValueError
            A point is NaN.
        """
        points = np.asarray(at, dtype=float)
        lower, upper = self._envelope(_MINUS_INFINITY, _cut_after(points.ravel(), strict))
        return _shaped(lower, upper, points)

    def share_bounds(self, low, high, low_inclusive: bool = True, high_inclusive: bool = True) -> Bounds:
        """Smallest and largest P(low <= T <= high) over all distributions that attain the likelihood.

        Parameters
        ----------
        low, high : float
            NaN or infinite where open.
        low_inclusive, high_inclusive : bool
            Whether the bounds belong to the set.

        Returns
        -------
        Bounds
            Two floats.

        Raises
        ------
        ValueError
            The set is empty.
        """
        begin, end = set_cuts(low, high, low_inclusive, high_inclusive)
        lower, upper = self._envelope(begin, np.array([end]))
        return Bounds(float(lower[0]), float(upper[0]))

    def quantile_bounds(self, q) -> Bounds:
        """Smallest and largest q-quantile, inf {t : P(T <= t) >= q}, over all distributions that attain the likelihood.

        Parameters
        ----------
        q : float or array_like of float
            Above 0, up to 1.

        Returns
        -------
        Bounds
            Of the shape of `q`; infinite where the interval that holds the quantile is open. A bound that does not
            belong to its interval is approached, not attained. A cumulative probability within 1e-9 of `q` counts as
            having reached it.

        Raises
        ------
        ValueError
            q is not above 0 and up to 1.
        """
        wanted = np.asarray(q, dtype=float)
        if not ((wanted > 0) & (wanted <= 1)).all():
            raise ValueError(f"q must be above 0 and not above 1; found {wanted.tolist()}")
        cuts = self._rows.cuts
        lower, upper = self._envelope(_MINUS_INFINITY, cuts)
        reached = wanted.ravel() - _SLACK
        # The mass before a cut can all lie at the beginning of the piece that ends there.
        earliest = cuts.real[np.argmax(upper[None, :] >= reached[:, None], axis=1) - 1]
        latest = cuts.real[np.argmax(lower[None, :] >= reached[:, None], axis=1)]
        return _shaped(earliest, latest, wanted)

    def confidence_band(
        self, at, alpha: float = 0.05, method: str = "likelihood", groups=None, seed=None, n_boot: int = 999,
        strict: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Pointwise confidence intervals for P(T <= at).

        Parameters
        ----------
        at : float or array_like of float, length k
        alpha : float
            One minus the confidence level.
        method : {"likelihood", "bootstrap"}
            "likelihood": all p for which the largest likelihood with P(T <= at) = p is within the chi-square(1)
            quantile of the largest of all; `groups`, `seed` and `n_boot` are not used.
            "bootstrap": percentiles over samples of groups drawn with replacement, of the smallest P(T <= at) in each
            sample for the lower end and of the largest for the upper. Where it would not hold the bounds of
            `cdf_bounds`, the interval is widened to them.
        groups : array_like, length n, optional
            Which cluster each row belongs to. By default every person is one; all weights must then be whole numbers.
        seed : int or numpy.random.Generator, optional
            Of the bootstrap.
        n_boot : int
            Number of samples.
        strict : bool
            P(T < at) instead of P(T <= at).

        Returns
        -------
        pandas.DataFrame
            Index `at`; columns `lower`, `upper` and the bounds of the estimate itself, `npmle_lower`, `npmle_upper`.

        Raises
        ------
        ValueError
            A point is NaN, alpha is not between 0 and 1, an unknown method, groups of another length or with missing
            labels, weights that are not whole without groups, fewer than one sample.
        NotEstimable
            Bootstrap of a single group.
        NotConverged
            A constrained fit, or a bootstrap fit, did not reach the tolerance of the estimate.

        Notes
        -----
        The likelihood ratio is asymptotically chi-square(1) where the rows begin and end at a fixed, finite number
        of points (bands) and the true probabilities between them are positive: then it is the ratio of a multinomial
        model. So it is for exact rows with independent right-censoring (Thomas & Grunkemeier 1975). It is NOT where
        the points of inspection become ever denser, as with continuous inspection times: the estimate then converges
        at the rate n^(1/3) and the ratio has another limit with a smaller quantile (2.27 instead of 3.84 at 95
        percent, Banerjee & Wellner 2001), so that these intervals are too wide. They are conservative, too, where
        P(T <= at) is only bounded by the evidence, and unreliable where it is 0 or 1 or intervals have no mass in
        truth. Few people mean few samples that differ: neither method mends that.

        With p off the estimate, the constrained fit is the unconstrained one with c more people of whom is known
        only that their T is (or is not) in the set: c is the multiplier of the constraint. The ratio grows with c,
        so each end is one root (to 1e-8 or better in p), and every fit has the duality gap as its certificate.

        References
        ----------
        Thomas & Grunkemeier (1975), JASA 70, 865-871. Banerjee & Wellner (2001), Annals of Statistics 29, 1699-1731.
        """
        points = np.atleast_1d(np.asarray(at, dtype=float))
        ends = _cut_after(points, strict)
        index = pd.Index(points, name="at")
        return self._confidence(_MINUS_INFINITY, ends, index, alpha, method, groups, seed, n_boot)

    def confidence_share(
        self, low, high, low_inclusive: bool = True, high_inclusive: bool = True, *, alpha: float = 0.05,
        method: str = "likelihood", groups=None, seed=None, n_boot: int = 999,
    ) -> Bounds:  # fmt: skip
        """Confidence interval for P(low <= T <= high).

        Parameters
        ----------
        low, high, low_inclusive, high_inclusive
            As in `share_bounds`.
        alpha, method, groups, seed, n_boot
            As in `confidence_band`, with the same errors and reservations.

        Returns
        -------
        Bounds
            Two floats.
        """
        begin, end = set_cuts(low, high, low_inclusive, high_inclusive)
        band = self._confidence(begin, np.array([end]), None, alpha, method, groups, seed, n_boot)
        return Bounds(float(band["lower"].iloc[0]), float(band["upper"].iloc[0]))

    def _envelope(self, begin: complex, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _mass_between(self._rows.cuts, self._cells, self._cells + 1, self._mass, begin, ends)

    @property
    def _mass(self) -> np.ndarray:
        return self.intervals["mass"].to_numpy()

    def _confidence(self, begin, ends, index, alpha, method, groups, seed, n_boot) -> pd.DataFrame:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must be between 0 and 1; found {alpha}")
        lowest, highest = self._envelope(begin, ends)
        if method == "likelihood":
            lower, upper = np.array([self._likelihood_interval(begin, end, alpha) for end in ends]).reshape(-1, 2).T
        elif method == "bootstrap":
            lower, upper = self._bootstrap_interval(begin, ends, alpha, groups, seed, n_boot)
        else:
            raise ValueError(f"method {method!r} is neither 'likelihood' nor 'bootstrap'")
        return pd.DataFrame(
            {
                "lower": np.minimum(lower, lowest),
                "upper": np.maximum(upper, highest),
                "npmle_lower": lowest,
                "npmle_upper": highest,
            },
            index=index,
        )

    def _likelihood_interval(self, begin: complex, end: complex, alpha: float) -> tuple[float, float]:
        rows, (at_begin, at_end) = self._rows.with_cuts([begin, end])
        cells = rows.innermost([at_begin, at_end])
        inside = (at_begin <= cells) & (cells < at_end)
        if inside.all() or not inside.any():
            return (1.0, 1.0) if inside.all() else (0.0, 0.0)
        incidence = rows.incidence(cells)
        share, allowed = rows.weight / self.nobs, chi2.isf(alpha, 1) / (2 * self.nobs)
        out_of = _farthest(incidence, share, ~inside, self._fitted, allowed, self._tol)
        into = _farthest(incidence, share, inside, self._fitted, allowed, self._tol)
        return float(np.clip(1 - out_of, 0, 1)), float(np.clip(into, 0, 1))

    def _bootstrap_interval(self, begin, ends, alpha, groups, seed, n_boot) -> tuple[np.ndarray, np.ndarray]:
        if n_boot < 1:
            raise ValueError(f"n_boot must be at least 1; found {n_boot}")
        weights = self._resampled(groups, np.random.default_rng(seed), int(n_boot))
        lower, upper = np.zeros((n_boot, len(ends))), np.ones((n_boot, len(ends)))
        kept = weights.any(axis=1)  # where no row has a bound, the share may be anything
        mass, first, stop = self._refitted(weights[kept])
        lower[kept], upper[kept] = _mass_between(self._rows.cuts, first, stop, mass, begin, ends)
        # The (B + 1) q-th smallest, for which 999 samples need no interpolation at the usual levels.
        return (
            np.quantile(lower, alpha / 2, axis=0, method="weibull"),
            np.quantile(upper, 1 - alpha / 2, axis=0, method="weibull"),
        )

    def _resampled(self, groups, random: np.random.Generator, n_boot: int) -> np.ndarray:
        """(n_boot, distinct rows) weights."""
        n = len(self._weight)
        used = self._weight > 0
        if groups is None:
            if (self._weight != np.round(self._weight)).any():
                odd = np.flatnonzero(self._weight != np.round(self._weight)).tolist()
                raise ValueError(f"positions {odd}: weights that are not whole people; say which groups to resample")
            people = int(self._weight.sum())
            given = random.multinomial(people, self._weight / people, size=n_boot).astype(float)
            n_groups = people
        else:
            labels = pd.Series(groups).to_numpy()
            if len(labels) != n:
                raise ValueError(f"groups has {len(labels)} labels for {n} rows")
            if pd.isna(labels[used]).any():
                missing = np.flatnonzero(pd.isna(labels) & used).tolist()
                raise ValueError(f"positions {missing}: no group")
            codes, names = pd.factorize(labels[used])
            n_groups = len(names)
            drawn = random.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_boot)
            given = np.zeros((n_boot, n))
            given[:, used] = drawn[:, codes] * self._weight[used]
        if n_groups < 2:
            raise NotEstimable("one group cannot be resampled: its samples would all be the same")
        known = self._distinct >= 0
        weights = np.zeros((len(self._rows.weight), n_boot))
        np.add.at(weights, self._distinct[known], given.T[known])
        return weights.T

    def _refitted(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fits of samples of the rows.

        Parameters
        ----------
        weights : ndarray, (B, distinct rows)
            Not all 0 in a sample.

        Returns
        -------
        mass, first, stop : ndarray, (B, innermost intervals of all rows)
            Between cuts `first` and `stop` the mass may lie anywhere as far as the rows of the sample tell.
        """
        # Innermost intervals of all rows are enough for some of them: rows that can meet also meet in one of these.
        incidence = self._rows.incidence(self._cells)
        share = weights / weights.sum(axis=1, keepdims=True)
        mass, gap = _expectation_maximisation(incidence, share, self._tol)
        for b in np.flatnonzero(gap > self._tol):
            there = share[b] > 0
            mass[b] = _maximise(incidence[there], share[b, there], self._tol, start=mass[b]).mass
        first, stop = (np.zeros(mass.shape, dtype=int), np.full(mass.shape, len(self._rows.cuts) - 1))
        for row, covered in enumerate(incidence > 0):
            there = np.ix_(weights[:, row] > 0, covered)
            first[there] = np.maximum(first[there], self._rows.first[row])
            stop[there] = np.minimum(stop[there], self._rows.stop[row])
        return mass, first, stop


# ---------------------------------------------------------------------------- rows along a line of cuts

_MINUS_INFINITY, _PLUS_INFINITY = complex(-np.inf, 0), complex(np.inf, 0)


class _Rows(NamedTuple):
    """Distinct rows. Piece k of the line lies between cuts k and k + 1; a row covers pieces first to stop - 1."""

    cuts: np.ndarray  # complex, ascending, from minus to plus infinity
    first: np.ndarray
    stop: np.ndarray
    weight: np.ndarray

    @classmethod
    def distinct(cls, begin: np.ndarray, end: np.ndarray, weight: np.ndarray) -> tuple["_Rows", np.ndarray]:
        """And for each given row, which distinct row it is."""
        cuts = np.unique(np.concatenate([begin, end, [_MINUS_INFINITY, _PLUS_INFINITY]]))
        covered = np.column_stack([np.searchsorted(cuts, begin), np.searchsorted(cuts, end)])
        pairs, of_row = np.unique(covered, axis=0, return_inverse=True)
        of_row = of_row.ravel()
        return cls(cuts, pairs[:, 0], pairs[:, 1], np.bincount(of_row, weights=weight)), of_row

    def with_cuts(self, more) -> tuple["_Rows", np.ndarray]:
        """The same rows with more cuts, and the positions of these."""
        cuts = np.union1d(self.cuts, more)
        first, stop = (np.searchsorted(cuts, self.cuts[ends]) for ends in (self.first, self.stop))
        return self._replace(cuts=cuts, first=first, stop=stop), np.searchsorted(cuts, more)

    def innermost(self, split_at=()) -> np.ndarray:
        """Pieces that begin where a row begins and end where a row ends; those of each part, where cuts split the line.

        Cuts are the ends of rows and nothing else, apart from the two infinities and `split_at`, so that no piece
        holds an end of a row.
        """
        edges = [0, *split_at, len(self.cuts) - 1] if len(split_at) else []
        begins = np.union1d(self.first, edges[:-1])
        ends = np.union1d(self.stop, edges[1:])
        return begins[np.isin(begins + 1, ends)].astype(int)

    def incidence(self, cells: np.ndarray) -> np.ndarray:
        """(rows, cells) of 0 and 1: whether a row covers a cell."""
        return ((self.first[:, None] <= cells) & (cells < self.stop[:, None])).astype(float)


def _mass_between(cuts, first, stop, mass, begin: complex, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest mass between a cut and others, when masses may lie anywhere between cuts of their own.

    Parameters
    ----------
    cuts : ndarray of complex, ascending
    first, stop : ndarray of int, (..., m)
        The cuts between which each mass lies.
    mass : ndarray, (..., m)
    begin : complex
    ends : ndarray of complex, length k

    Returns
    -------
    lower, upper : ndarray, (..., k)
    """
    not_before, after = (np.searchsorted(cuts, begin, side="left"), np.searchsorted(cuts, begin, side="right"))
    lower, upper = [], []
    for end in ends:
        inside = (first >= not_before) & (stop < np.searchsorted(cuts, end, side="right"))
        touched = (stop >= after) & (first < np.searchsorted(cuts, end, side="left"))
        lower.append((mass * inside).sum(axis=-1))
        upper.append((mass * touched).sum(axis=-1))
    shape = (*np.shape(mass)[:-1], 0)
    bounds = (np.stack(found, axis=-1) if found else np.empty(shape) for found in (lower, upper))
    return tuple(np.clip(bound, 0, 1) for bound in bounds)


# ---------------------------------------------------------------------------- maximising


class _Fit(NamedTuple):
    mass: np.ndarray
    row_probability: np.ndarray
    gap: float  # share of the sum of the weights


def _evaluate(incidence: np.ndarray, weight: np.ndarray, mass: np.ndarray) -> _Fit:
    probability = incidence @ mass
    return _Fit(mass, probability, float((incidence.T @ (weight / probability)).max() - 1))


def _maximise(incidence: np.ndarray, weight: np.ndarray, tol: float, start: np.ndarray | None = None) -> _Fit:
    """Masses of cells that maximise the log-likelihood of rows.

    Parameters
    ----------
    incidence : ndarray, (r, m)
        0 or 1; every row covers some cell.
    weight : ndarray, length r
        Positive, of sum 1.
    tol : float
        Largest gap allowed.
    start : ndarray, length m, optional
        Masses to begin from.
    """
    even = incidence.T @ (weight / incidence.sum(axis=1))
    even += 1 / len(even)
    if start is None:
        mass = even / even.sum()
    else:
        mass = start if (incidence @ start > 0).all() else (start + 1e-3 * even) / (1 + 1e-3 * even.sum())
    fit = best = _evaluate(incidence, weight, mass)
    idle = 0
    for _ in range(_MAX_NEWTON):
        if best.gap <= _AIM or (best.gap <= tol and idle):
            break
        mass = _newton_step(incidence, weight, fit)
        fit = _evaluate(incidence, weight, mass)
        idle = 0 if fit.gap < best.gap else idle + 1
        best = fit if fit.gap < best.gap else best
    if not best.gap <= tol:
        raise NotConverged(
            f"the nonparametric fit stopped with a duality gap of {best.gap:.3g} of the sum of the weights; "
            f"{tol:g} was asked for ({incidence.shape[0]} distinct rows, {incidence.shape[1]} intervals)"
        )
    return best


def _newton_step(incidence: np.ndarray, weight: np.ndarray, fit: _Fit) -> np.ndarray:
    """Masses after one Newton step, shortened until the log-likelihood rises enough."""
    relative = incidence / fit.row_probability[:, None]
    # On the simplex the quadratic approximation is |root(w) (relative q - 2)|² / 2, homogeneous when 2 is taken off
    # every entry; a row of ones with value 1 then holds q to the simplex up to its length, which is put right below.
    root = np.sqrt(weight)[:, None]
    system = np.vstack([root * (relative - 2), np.ones(incidence.shape[1])])
    wanted = np.append(np.zeros(len(weight)), 1.0)
    try:
        target = nnls(system, wanted, maxiter=20 * incidence.shape[1])[0]
    except RuntimeError:  # its iteration limit: a step of expectation-maximisation never fails, and the gap decides
        return fit.mass * (incidence.T @ (weight / fit.row_probability))
    step = target / target.sum() - fit.mass
    change = (incidence @ step) / fit.row_probability
    slope = weight @ change
    length = 1.0
    for _ in range(60):
        # A step that minimises the quadratic has weight @ change >= weight @ change²; where no row changes by more
        # than a quarter, log(1 + c) >= c - 2c²/3 then makes the likelihood rise, without differences lost in rounding.
        if (abs(length * change) <= 0.25).all():
            break
        if (length * change > -1).all() and weight @ np.log1p(length * change) >= 1e-4 * length * slope:
            break
        length /= 2
    moved = fit.mass + length * step
    return moved / moved.sum() if length < 1 else target / target.sum()


def _expectation_maximisation(
    incidence: np.ndarray, weight: np.ndarray, tol: float, max_steps: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """Many fits at once; each stops where it is after `max_steps`, for the gaps tell which are done.

    Parameters
    ----------
    incidence : ndarray, (r, m)
    weight : ndarray, (B, r)
        Of sum 1 in every sample; may be 0.

    Returns
    -------
    mass : ndarray, (B, m)
    gap : ndarray, length B
    """
    mass = np.full((len(weight), incidence.shape[1]), 1 / incidence.shape[1])
    for _ in range(max_steps):
        derivative = _derivatives(incidence, weight, mass)
        if (derivative.max(axis=1, initial=1) - 1 <= tol).all():
            break
        mass = mass * derivative
    return mass, _derivatives(incidence, weight, mass).max(axis=1, initial=1) - 1


def _derivatives(incidence: np.ndarray, weight: np.ndarray, mass: np.ndarray) -> np.ndarray:
    probability = mass @ incidence.T
    return np.divide(weight, probability, out=np.zeros_like(weight), where=weight > 0) @ incidence


def _farthest(incidence, share, inside, fitted, allowed: float, tol: float) -> float:
    """The largest mass of the cells `inside` at which the log-likelihood is still within `allowed` of the largest.

    Parameters
    ----------
    incidence : ndarray, (r, m)
    share : ndarray, length r
        Weights, of sum 1.
    inside : ndarray of bool, length m
    fitted : ndarray, length r
        Row probabilities of the best fit.
    allowed : float
        Loss of log-likelihood per unit of weight.
    """

    def loss(fit: _Fit) -> float:
        return -float(share @ np.log(fit.row_probability[: len(share)] / fitted))

    within = incidence[:, inside]
    if within.any(axis=1).all() and loss(_maximise(within, share, tol)) <= allowed:
        return 1.0
    augmented = np.vstack([incidence, inside])
    latest: list[_Fit] = []

    def fit_with(extra: float) -> _Fit:
        """With people of whom only is known that they are inside: `extra` of all people, these included."""
        start = latest[-1].mass if latest else None
        latest.append(_maximise(augmented, np.append((1 - extra) * share, extra), tol, start))
        return latest[-1]

    few, many = 0.0, 0.5
    while loss(fit_with(many)) <= allowed:
        few, many = many, 1 - (1 - many) / 4
        # The extra people alone hold the mass inside above `extra`.
        if 1 - many < _EXTREME:
            return 1.0

    def excess(extra: float) -> float:
        return loss(fit_with(extra)) - allowed if extra > 0 else -allowed

    root = brentq(excess, few, many, xtol=1e-13, rtol=1e-13)
    return float(fit_with(root).row_probability[-1])


# ---------------------------------------------------------------------------- checks


def _cut_after(points: np.ndarray, strict: bool) -> np.ndarray:
    if np.isnan(points).any():
        raise ValueError(f"positions {np.flatnonzero(np.isnan(points)).tolist()}: a point must not be missing")
    return points + 1j * np.where(np.isfinite(points), -1.0 if strict else 1.0, 0.0)


def _shaped(lower: np.ndarray, upper: np.ndarray, like: np.ndarray) -> Bounds:
    if like.ndim == 0:
        return Bounds(float(lower[0]), float(upper[0]))
    return Bounds(lower.reshape(like.shape), upper.reshape(like.shape))


def _checked(low, high, weights, low_inclusive, high_inclusive) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low, high = (np.atleast_1d(np.asarray(low, dtype=float)), np.atleast_1d(np.asarray(high, dtype=float)))
    weight = np.ones(len(low)) if weights is None else np.atleast_1d(np.asarray(weights, dtype=float))
    flags = [np.asarray(flag, dtype=bool) for flag in (low_inclusive, high_inclusive)]
    lengths = [len(a) for a in (low, high, weight)] + [len(flag) for flag in flags if flag.ndim]
    if len(set(lengths)) != 1:
        raise ValueError(f"arrays of different lengths: {lengths}")
    at_low, at_high = (np.broadcast_to(flag, low.shape) for flag in flags)
    for wrong, what in (
        (~(np.isfinite(weight) & (weight >= 0)), "weights must be finite numbers from 0 on"),
        (np.isposinf(low), "a lower bound of plus infinity; an open one is NaN or minus infinity"),
        (np.isneginf(high), "an upper bound of minus infinity; an open one is NaN or plus infinity"),
        (low > high, "lower bound above the upper one"),
        ((low == high) & ~(at_low & at_high), "equal bounds, which must both belong to the row"),
    ):
        if wrong.any():
            raise ValueError(f"positions {np.flatnonzero(wrong).tolist()}: {what}")
    return *interval_cuts(low, high, at_low, at_high), weight
