"""Whether banded evidence contradicts a family of distributions: the family against thresholds that are free.

Bands only say between which edges people fall. An ordered model asks of the edges no more than their order; a family
asks that they lie where log lengths lie. Twice the difference of the log-likelihoods tests the latter.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from scipy.optimize import linprog
from scipy.special import softmax
from scipy.stats import chi2

from ..models import NotConverged, NotEstimable
from ..models.identifiability import _labels, bounds_of_rows
from ..models.interval import IntervalRegressionResults
from ..models.likelihood import AVERAGE, EXACT, Evaluation
from ..models.newton import Maximum, maximise

# Edges closer than this share of the largest edge are one, moved apart by rounding.
_SAME_EDGE = 1e-10
# Statistics this far below 0 are rounding.
_ROUNDING = 1e-8
# A gradient for each person above this is no maximum.
_FLAT = 1e-6
# The weights of the barrier that keeps gaps between thresholds open, for each person.
_BARRIERS = 10.0 ** -np.arange(2, 11, 2)
# Under the last of them, gaps narrower than this are on their way to 0.
_CLOSING = 1e-5
# Directions in which bounds move apart by less than this are none.
_SEPARATED = 1e-7
# Fewer people than this in the average band make the chi-square distribution a rough guide.
_FEW = 5


class FreeThresholdTest(NamedTuple):
    """Outcome of `free_threshold_test`; `note` says what weakens it, and is empty if nothing does."""

    statistic: float
    df: int
    p_value: float
    llf_free: float
    llf_family: float
    note: str


def free_threshold_test(results: IntervalRegressionResults) -> FreeThresholdTest:
    """Likelihood-ratio test of a family of distributions against free thresholds.

    The family says P(y <= edge_k | x) = F((edge_k - x'b) / sigma), y being the length or its logarithm. The free model
    is the ordered one of McCullagh (1980), Regression models for ordinal data, J. R. Stat. Soc. B 42: 109-142:
    F(theta_k - x'c) with theta_1 <= theta_2 <= … free. It contains the family, with theta_k = edge_k / sigma, so the
    statistic, twice the difference of the log-likelihoods, is 0 or more.

    Edges are the bounds of all rows, on the latent scale, so moved by the grid; rows may span several of the bands
    between them. With a constant among the covariates (which the thresholds take over), K bands leave (K - 1) - 2
    degrees of freedom: nothing with three bands. Without one it is (K - 1) - 1.

    Bands to which the free model gives no probability do not count. Most are known beforehand: a band holds someone
    only if some row begins at its lower edge and some row ends at its upper one (Turnbull 1976, J. R. Stat. Soc. B 38:
    290-295); this takes out edges that nobody's evidence tells apart, and bands without people. Others are found by
    the fit, where the order of the thresholds binds. Each is merged with a neighbour and takes a degree of freedom
    with it. That is the reading most ready to reject the family, so `note` tells p with all bands as well.

    Parameters
    ----------
    results : IntervalRegressionResults
        Of a fit to intervals and one-sided rows, with one common scale, every parameter estimated.

    Returns
    -------
    FreeThresholdTest
        `p_value` is NaN, and `df` 0, where nothing can be checked.

    Raises
    ------
    NotEstimable
        For exact lengths, averages, truncation, covariates of the scale, and when covariates separate the bands in the
        free model, whose coefficients then run to infinity; the message names rows or columns.
    NotConverged
        When no maximum is found, or one that lies below the family's.
    ValueError
        When parameters were held fixed.
    """
    _refuse_what_is_not_banded(results)
    bands = _bands_of(results)
    _refuse_separation(bands, results)
    maximum, bands = _maximum(bands)

    llf_family = results.llf
    statistic = 2.0 * (maximum - llf_family)
    if not statistic >= -_ROUNDING:
        raise NotConverged(
            f"the free thresholds reach a log-likelihood of {maximum:.10g} only, the family {llf_family:.10g}"
        )
    statistic = max(statistic, 0.0)
    extra = bands.x.shape[1] - len(results.params)
    df = bands.n_thresholds + extra
    p_value = float(chi2.sf(statistic, df)) if df > 0 else np.nan
    note = _note(bands, statistic, df, len(bands.edges) + extra, results.nobs)
    return FreeThresholdTest(statistic, max(df, 0), p_value, maximum, llf_family, note)


# --- From rows to thresholds ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bands:
    """n rows between thresholds 0 (minus infinity), 1, …, m, m + 1 (infinity); r covariates, p = m + r parameters."""

    family: type
    edges: np.ndarray  # (M,) all edges, on the scale of y
    threshold_of: np.ndarray  # (M + 2,) threshold that each edge belongs to, both infinities included
    first: np.ndarray  # (n,) threshold at the lower end of each row
    last: np.ndarray  # (n,) and at the upper end
    x: np.ndarray  # (n, r) covariates, centred and of unit size; thresholds take the constant
    columns: list[str]  # r names
    weight: np.ndarray  # (n,); 0 for rows of groups of unknown size
    groups: tuple  # of UnknownSize
    constant: float
    start: np.ndarray  # (p,) thresholds and coefficients of the family
    in_units: np.ndarray  # (M,) edges as lengths, for messages
    row: np.ndarray  # (n,) row of the likelihood

    @property
    def n_thresholds(self) -> int:
        return int(self.threshold_of[-1]) - 1

    def merged(self, closed: np.ndarray, start: np.ndarray) -> "_Bands":
        """The same rows after closing bands; `closed` (m + 1,) is by the lower threshold, `start` (p,) for all."""
        new = np.concatenate([[0], np.cumsum(~closed)])
        m = self.n_thresholds
        thresholds = [start[:m][new[1:-1] == k].mean() for k in range(1, new[-1])]
        return replace(
            self,
            threshold_of=new[self.threshold_of],
            first=new[self.first],
            last=new[self.last],
            start=np.concatenate([thresholds, start[m:]]),
        )


def _refuse_what_is_not_banded(results: IntervalRegressionResults) -> None:
    model, own = results.model, results.model.likelihood
    if not results._free.all():
        held = results.params.index[~results._free]
        raise ValueError(f"{', '.join(held)} held fixed: free thresholds are compared with a family that is free too")
    if np.any(own.exog_scale != own.exog_scale[:1]):
        names = [name for name in model.param_names if name.startswith("log_scale")]
        raise NotEstimable("thresholds in units of the scale need one scale common to all rows", columns=names)
    for kind, what in ((EXACT, "exact lengths have no edges"), (AVERAGE, "averages have no edges")):
        rows = np.flatnonzero(own.kind == kind)
        if rows.size:
            reason = f"{what}, and free thresholds give them no density"
            raise NotEstimable(reason, rows=_labels(own, model.row_labels, rows))
    if own.truncation is not None:
        raise NotEstimable("truncated rows are divided by a probability that free thresholds leave open")


def _bands_of(results: IntervalRegressionResults) -> _Bands:
    model, own = results.model, results.model.likelihood
    low, high = bounds_of_rows(own)
    people = own.weight.copy()
    for group in own.unknown_sizes:
        people[group.rows] = group.counts.max(axis=0)
    row = np.flatnonzero(people > 0)
    edges, first, last = _edges(low[row], high[row])
    if np.any(first == last):
        narrow = _labels(own, model.row_labels, row[first == last])
        raise NotEstimable("rows are too narrow for free thresholds", rows=narrow)

    begun, ended = np.zeros(len(edges) + 2, dtype=bool), np.zeros(len(edges) + 2, dtype=bool)
    begun[first], ended[last] = True, True
    threshold_of = np.concatenate([[0], np.cumsum(begun[:-1] & ended[1:])])
    if threshold_of[-1] == 1:
        raise NotEstimable("one band has a part in every row, so there are no thresholds to set free")
    first, last = threshold_of[first], threshold_of[last]
    says = (first > 0) | (last < threshold_of[-1])
    row, first, last = row[says], first[says], last[says]

    coefficients, log_scale = np.split(results.params.to_numpy(), [own.exog.shape[1]])
    location, sigma = own.exog[row] @ coefficients, np.exp(own.exog_scale[0] @ log_scale)
    x, chosen = _covariates(own.exog, row)
    # The family's own thresholds and coefficients, where edges share a threshold their mean.
    basis = np.column_stack([np.ones(len(row)), x])
    level, *slopes = np.linalg.lstsq(basis, location / sigma, rcond=None)[0]
    inner = [edges[threshold_of[1:-1] == t].mean() / sigma - level for t in range(1, threshold_of[-1])]
    place = np.full(len(own.kind), -1)
    place[row] = np.arange(len(row))
    groups = []
    for group in own.unknown_sizes:
        inside = place[group.rows] >= 0
        groups.append(group._replace(rows=place[group.rows][inside], counts=group.counts[:, inside]))
    return _Bands(
        family=own.family,
        edges=edges,
        threshold_of=threshold_of,
        first=first,
        last=last,
        x=x,
        columns=[model.param_names[column] for column in chosen],
        weight=np.where(own.grouped, 0.0, own.weight)[row],
        groups=tuple(groups),
        constant=own.constant,
        start=np.array([*inner, *slopes]),
        in_units=np.exp(edges) if own.log_link else edges,
        row=row,
    )


def _edges(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All edges (M,), and the place of each row's ends among them (n,): 0 and M + 1 where open."""
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    finite = np.unique(np.concatenate([low[has_low], high[has_high]]))
    begins = np.diff(finite, prepend=-np.inf) > _SAME_EDGE * np.abs(finite).max()
    place = np.cumsum(begins)
    first, last = np.zeros(len(low), dtype=int), np.full(len(low), place[-1] + 1)
    first[has_low] = place[np.searchsorted(finite, low[has_low])]
    last[has_high] = place[np.searchsorted(finite, high[has_high])]
    return finite[begins], first, last


def _covariates(exog: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centred columns of unit size that neither depend on each other nor on a constant (n, r), and their places."""
    x = exog[row] - exog[row].mean(axis=0)
    size = np.sqrt(np.mean(x**2, axis=0))
    varies = np.flatnonzero(size > 1e-10 * np.sqrt(np.mean(exog**2, axis=0)))
    if not varies.size:
        return x[:, :0], varies
    x = x[:, varies] / size[varies]
    _, triangle, pivots = qr(x, mode="economic", pivoting=True)
    chosen = np.sort(pivots[: len(triangle)][np.abs(np.diag(triangle)) > 1e-10 * np.abs(triangle[0, 0])])
    return x[:, chosen], varies[chosen]


# --- The free model -------------------------------------------------------------------------------------------------


class _Objective:
    """Log-likelihood by thresholds and coefficients (p,); concave for the families used here.

    A row's mid-point and width are linear in the parameters, which makes its derivatives those of the families.
    """

    def __init__(self, bands: _Bands):
        self.bands = bands
        m, (n, r) = bands.n_thresholds, bands.x.shape
        self.below, self.above = bands.first == 0, bands.last == m + 1
        self.cell = ~(self.below | self.above)
        unit = np.vstack([np.zeros(m), np.eye(m), np.zeros(m)])
        lower, upper = unit[bands.first], unit[bands.last]
        share = np.where(self.cell, 0.5, 1.0)[:, None]
        self.middle = np.hstack([share * (lower + upper), -bands.x])
        self.width = np.hstack([np.where(self.cell[:, None], upper - lower, 0.0), np.zeros((n, r))])
        self.gaps = np.hstack([np.diff(np.eye(m), axis=0), np.zeros((m - 1, r))])

    def rows(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """Log probability of each row with its derivatives by mid-point and width, each (n,)."""
        middle, width = self.middle @ theta, self.width @ theta
        value, by_m, by_w, by_mm, by_mw, by_ww = (np.zeros(len(middle)) for _ in range(6))
        family = self.bands.family
        for part, tail in ((self.below, family.log_cdf), (self.above, family.log_sf)):
            value[part], by_m[part], by_mm[part] = tail(middle[part])
        if self.cell.any():
            w = width[self.cell]
            found = family.log_cell(middle[self.cell], w)
            value[self.cell], by_m[self.cell], by_mm[self.cell] = found.value, found.dm, found.dm_dm
            by_w[self.cell] = found.w_dw / w
            by_mw[self.cell], by_ww[self.cell] = found.w_dm_dw / w, found.w2_dw_dw / w**2
        return value, by_m, by_w, by_mm, by_mw, by_ww

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient (p,) and Hessian (p, p) at one vector of parameters."""
        p = len(theta)
        with np.errstate(all="ignore"):
            value, by_m, by_w, by_mm, by_mw, by_ww = self.rows(theta)
        scores = by_m[:, None] * self.middle + by_w[:, None] * self.width
        weight, total, hessian = self.bands.weight.copy(), self.bands.constant, np.zeros((p, p))
        for group in self.bands.groups:
            # Where nobody is counted a row says nothing, even where it is impossible.
            terms = np.where(group.counts > 0, group.counts * value[group.rows], 0.0).sum(axis=1)
            joint = np.asarray(group.log_weight) + terms
            posterior = softmax(joint)
            total += np.logaddexp.reduce(joint)
            by_size = group.counts @ scores[group.rows]
            mean = posterior @ by_size
            hessian += (by_size * posterior[:, None]).T @ by_size - np.outer(mean, mean)
            weight[group.rows] = posterior @ group.counts
        total += self.bands.weight @ value
        cross = (self.middle * (weight * by_mw)[:, None]).T @ self.width
        hessian += (self.middle * (weight * by_mm)[:, None]).T @ self.middle + cross + cross.T
        hessian += (self.width * (weight * by_ww)[:, None]).T @ self.width
        return float(total), weight @ scores, hessian

    def evaluate_in_order(self, theta: np.ndarray, barrier: float, gaps: np.ndarray) -> Evaluation:
        """With a barrier before the closing of some gaps; minus infinity where thresholds are not in order."""
        between = self.gaps @ theta
        if np.any(between <= 0):
            p = len(theta)
            return Evaluation(np.array([-np.inf]), np.zeros((1, p)), np.zeros((1, p, p)))
        total, gradient, hessian = self.evaluate(theta)
        push = self.gaps[gaps] / between[gaps][:, None]
        total += barrier * np.log(between[gaps]).sum()
        gradient, hessian = gradient + barrier * push.sum(axis=0), hessian - barrier * push.T @ push
        return Evaluation(np.array([total]), gradient[None], hessian[None])

    def maximise(self, start: np.ndarray, people: float, barrier: float = 0.0, gaps=()) -> Maximum:
        gaps = np.array(gaps, dtype=int)
        return maximise(
            lambda theta, _: self.evaluate_in_order(theta[0], barrier, gaps), start[None], people=np.array([people])
        )


def _maximum(bands: _Bands) -> tuple[float, _Bands]:
    """Largest log-likelihood with thresholds in order, and the bands that are left open there.

    A band that some row holds alone stays open by itself. Whether others do is found with a logarithmic barrier, which
    leaves open gaps as they are and those to be closed in proportion to itself; the conditions of Karush, Kuhn & Tucker
    are checked once they have been closed.
    """
    objective, at = _Objective(bands), bands.start
    m, people = bands.n_thresholds, bands.weight.sum() + sum(group.counts.sum(axis=1).max() for group in bands.groups)
    own = bands.first[bands.last == bands.first + 1]
    loose = np.setdiff1d(np.arange(1, m), own) - 1
    for share in _BARRIERS if loose.size else ():
        at = objective.maximise(at, people, share * people, loose).params[0]
    gap, closed = np.full(m + 1, np.inf), np.zeros(m + 1, dtype=bool)
    gap[1 + loose] = objective.gaps[loose] @ at
    closed[gap < _CLOSING] = True
    while True:
        left = bands.merged(closed, at)
        found = _Objective(left).maximise(left.start, people)
        if not found.converged[0] or np.abs(found.gradient[0]).max() > _FLAT * people:
            raise NotConverged(
                f"no maximum of the free thresholds after {found.n_iter[0]} steps: log-likelihood "
                f"{found.value[0]:.6g}, largest gradient {np.abs(found.gradient[0]).max():.3g}"
            )
        thresholds = np.split(found.params[0], [left.n_thresholds])
        everywhere = np.concatenate([thresholds[0][np.cumsum(~closed[:m]) - 1], thresholds[1]])
        slope = objective.evaluate(everywhere)[1][:m]
        # Of opening a band, all thresholds above it moving up.
        opening = np.append(np.cumsum(slope[::-1])[::-1], 0.0)
        wrong = closed & (opening > _FLAT * people)
        if not wrong.any():
            return float(found.value[0]), left
        closed[np.argmax(np.where(wrong, gap, -np.inf))] = False


def _refuse_separation(bands: _Bands, results: IntervalRegressionResults) -> None:
    """Refuse a free model whose coefficients run to infinity.

    They do if there is a direction in which no row's interval shrinks from either end, and some grow. Without
    covariates there is none: every threshold is the lower end of some row and the upper end of another.
    """
    m, r = bands.n_thresholds, bands.x.shape[1]
    if not r:
        return
    objective = _Objective(bands)
    unit = np.vstack([np.zeros(m), np.eye(m), np.zeros(m)])
    begins, ends = bands.first > 0, bands.last <= m
    growth = np.vstack(
        [
            np.hstack([-unit[bands.first], bands.x])[begins],
            np.hstack([unit[bands.last], -bands.x])[ends],
        ]
    )
    ordered = np.vstack([growth, objective.gaps])
    total = growth.sum(axis=0)
    found = linprog(-total, A_ub=-ordered, b_ub=np.zeros(len(ordered)), bounds=[(-1.0, 1.0)] * (m + r))
    if found.status != 0:
        raise NotConverged(f"whether covariates separate the bands could not be told: {found.message}")
    if -found.fun > _SEPARATED * max(1.0, np.abs(total).max()):
        grown = np.zeros(len(bands.first), dtype=bool)
        moved = growth @ found.x > _SEPARATED
        grown[np.flatnonzero(begins)[moved[: begins.sum()]]] = True
        grown[np.flatnonzero(ends)[moved[begins.sum() :]]] = True
        raise NotEstimable(
            "covariates separate the bands, so that coefficients beside free thresholds run to infinity",
            rows=_labels(results.model.likelihood, results.model.row_labels, bands.row[grown]),
            columns=[name for name, d in zip(bands.columns, found.x[m:], strict=True) if abs(d) > _SEPARATED],
        )


# --- What weakens the test --------------------------------------------------------------------------------------------


def _note(bands: _Bands, statistic: float, df: int, df_of_all: int, people: float) -> str:
    said = []
    if df <= 0:
        said.append("nothing can be checked: no more thresholds are free than the family has parameters in their place")
    empty = np.flatnonzero(np.diff(bands.threshold_of) == 0)
    if empty.size:
        ends = ["-inf" if not np.isfinite(e) else f"{e:g}" for e in (-np.inf, *bands.in_units)] + ["inf"]
        told = ", ".join(f"{ends[k]} to {ends[k + 1]}" for k in empty)
        text = f"the free thresholds give no probability to {told}; merged with what lies beside"
        if df_of_all > 0:
            text += f" (unmerged: df {df_of_all}, p {chi2.sf(statistic, df_of_all):.3g})"
        said.append(text)
    if people < _FEW * (bands.n_thresholds + 1):
        said.append(
            f"{people:g} people in {bands.n_thresholds + 1} bands: the chi-square distribution is a rough guide"
        )
    return "; ".join(said)
