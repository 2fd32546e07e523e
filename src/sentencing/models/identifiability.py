"""Whether evidence determines a location-scale model at all.

With a = b/sigma and t = 1/sigma the log-likelihood is concave in (a, t) for the families used here (Burridge 1981,
J. R. Stat. Soc. B 43: 41-45). A concave function has a unique, finite maximum unless it fails to fall along some
direction (d, k), k >= 0. A row known to lie in [l, h] fails to fall there exactly when k l <= x'd <= k h (an open end
asks nothing; an exact value asks for equality). Linear programming finds such a direction or proves that there is
none. With k > 0 some coefficients lie inside every row, and the scale runs to 0; with k = 0 some covariate separates
rows that are open on one side.
"""

import numpy as np
from scipy.optimize import linprog

from .errors import NotEstimable
from .likelihood import ABOVE, AVERAGE, BELOW, CELL, EXACT, Likelihood

_TOLERANCE = 1e-7


def check_rank(exog: np.ndarray, names: list[str], what: str) -> None:
    """Refuse columns that are combinations of those before them.

    Raises
    ------
    NotEstimable
        Naming the columns.
    """
    size = np.sqrt(np.einsum("ij,ij->j", exog, exog))
    zero = size == 0
    # A matrix of normal equations would square the condition number; the triangle of a QR does not.
    triangle = np.linalg.qr(exog / np.where(zero, 1.0, size), mode="r")
    dependent = np.ones(len(names), dtype=bool)
    dependent[: len(triangle)] = np.abs(np.diag(triangle)) < 1e-10
    if dependent.any():
        named = [name for name, bad in zip(names, dependent, strict=True) if bad]
        raise NotEstimable(f"columns of {what} depend on each other in the rows that carry weight", columns=named)


def bounds_of_rows(likelihood: Likelihood) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (n,) on the scale of y, infinite where open."""
    half = 0.5 * likelihood.width
    kind, middle = likelihood.kind, likelihood.middle
    if likelihood.log_link:
        middle = np.where(kind == AVERAGE, np.log(np.where(kind == AVERAGE, middle, 1.0)), middle)
    low = np.where(kind == CELL, middle - half, np.where(kind == BELOW, -np.inf, middle))
    high = np.where(kind == CELL, middle + half, np.where(kind == ABOVE, np.inf, middle))
    return low, high


def flat_direction(low: np.ndarray, high: np.ndarray, exog: np.ndarray) -> tuple[str, np.ndarray, np.ndarray] | None:
    """A direction along which the log-likelihood never falls, or None when there is none.

    Parameters
    ----------
    low, high : numpy.ndarray, shape (n,)
        Bounds on the scale of y.
    exog : numpy.ndarray, shape (n, k)
        Of full column rank.

    Returns
    -------
    tuple of str, numpy.ndarray (n,) bool, numpy.ndarray (k,) bool, or None
        "scale" or "separation"; the rows and the columns that have part in it.
    """
    finite = np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]])
    shift = float(np.mean(finite))
    spread = float(np.max(np.abs(finite - shift))) or 1.0
    x = exog / np.abs(exog).max(axis=0)
    low, high = (low - shift) / spread, (high - shift) / spread
    # A shift of y is a shift of x'd only where a constant is among the columns; elsewhere bounds stay unshifted.
    if np.linalg.matrix_rank(np.column_stack([x, np.ones(len(x))])) > x.shape[1]:
        low, high = low + shift / spread, high + shift / spread
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    k = x.shape[1]
    a_ub = np.vstack(
        [
            np.column_stack([-x[has_low], low[has_low]]),
            np.column_stack([x[has_high], -high[has_high]]),
        ]
    )
    box = [(-1.0, 1.0)] * k
    found = linprog(np.append(np.zeros(k), -1.0), A_ub=a_ub, b_ub=np.zeros(len(a_ub)), bounds=[*box, (0.0, 1.0)])
    if found.status == 0 and -found.fun > _TOLERANCE:
        return "scale", np.ones(len(x), dtype=bool), np.abs(found.x[:k]) > _TOLERANCE
    slack = np.sum(x[has_low & ~has_high], axis=0) - np.sum(x[has_high & ~has_low], axis=0)
    found = linprog(-slack, A_ub=a_ub[:, :k], b_ub=np.zeros(len(a_ub)), bounds=box)
    if found.status == 0 and -found.fun > _TOLERANCE * max(1.0, float(np.abs(slack).max())):
        return "separation", np.abs(x @ found.x) > _TOLERANCE, np.abs(found.x) > _TOLERANCE
    return None


def check_rows(likelihood: Likelihood, names: list[str], labels) -> None:
    """Refuse what can be seen before any fitting: no rows, dependent columns, evidence all open on one side.

    Parameters
    ----------
    labels : sequence
        Label of each given row, for messages.

    Raises
    ------
    NotEstimable
    """
    if not len(likelihood.kind):
        raise NotEstimable(
            "no row says anything: all are open on both sides or have no weight", rows=list(labels), columns=names
        )
    k = likelihood.exog.shape[1]
    check_rank(likelihood.exog, names[:k], "exog")
    check_rank(likelihood.exog_scale, names[k:], "exog_scale")
    for kind, side in ((BELOW, "an upper"), (ABOVE, "a lower")):
        if np.all(likelihood.kind == kind):
            raise NotEstimable(
                f"every row has {side} bound only, so any location beyond them fits", rows=_labels(likelihood, labels)
            )


def explain(likelihood: Likelihood, names: list[str], labels, params: np.ndarray) -> NotEstimable | None:
    """The reason why a fit has no finite maximum, or None where linear programming proves that it has one.

    Exact for one common scale without truncation. With scale covariates each group of rows that shares its scale
    is examined on its own, as if it had coefficients of its own. `params` is where the iteration ended.
    """
    low, high = bounds_of_rows(likelihood)
    k = likelihood.exog.shape[1]
    patterns, group = np.unique(likelihood.exog_scale, axis=0, return_inverse=True)
    group = group.ravel()
    if len(patterns) > 50:
        return None
    for place in range(len(patterns)):
        inside = np.flatnonzero(group == place)
        x = likelihood.exog[inside]
        columns = _independent(x)
        found = flat_direction(low[inside], high[inside], x[:, columns])
        named = [n for n, v in zip(names[k:], patterns[place], strict=True) if v]
        if found is None:
            # Where all rows are open on one side, a scale without limit, at which every bound has one and the same
            # probability, can fit best.
            one_sided = np.isin(likelihood.kind[inside], [BELOW, ABOVE]).all()
            spread = max(float(np.ptp(likelihood.middle[inside])), 1e-12)
            if one_sided and patterns[place] @ params[k:] > np.log(100 * spread):
                reason = "the share below does not rise with the bound, so no scale is too large"
                return NotEstimable(reason, rows=_labels(likelihood, labels, inside), columns=named)
            continue
        what, rows, used = found
        at = inside[rows]
        if what == "separation":
            named = [names[c] for c, part in zip(columns, used, strict=True) if part]
            reason = "rows open on one side are separated by covariates, whose coefficients run to infinity"
            return NotEstimable(reason, rows=_labels(likelihood, labels, at), columns=named)
        if len(patterns) == 1:
            named = [names[c] for c, part in zip(columns, used, strict=True) if part]
        return NotEstimable(_why_no_scale(likelihood.kind[at]), rows=_labels(likelihood, labels, at), columns=named)
    return None


def _why_no_scale(kinds: np.ndarray) -> str:
    if np.all(kinds == AVERAGE):
        return "averages that lie on the fitted line say nothing of the spread"
    if np.all(np.isin(kinds, [EXACT, AVERAGE])):
        return "the exact values lie on the fitted line, so the scale runs to 0 and the density to infinity"
    return (
        "everybody could have the same value, or lie on one line, within all intervals, so the spread is not determined"
    )


def _independent(x: np.ndarray) -> list[int]:
    chosen: list[int] = []
    for column in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*chosen, column]]) > len(chosen):
            chosen.append(column)
    return chosen


def _labels(likelihood: Likelihood, labels, rows: np.ndarray | None = None) -> list:
    places = likelihood.row_of
    inside = places >= 0 if rows is None else np.isin(places, rows)
    return [labels[i] for i in np.flatnonzero(inside)]
