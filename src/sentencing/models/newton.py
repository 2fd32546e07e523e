"""Newton's method with safe steps, for many maximisations at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .likelihood import Evaluation

# A step is taken back until it brings this share of what its slope promises (Armijo).
_SUFFICIENT = 1e-4
_MOST_HALVINGS = 40
# Squared length of a step, in standard errors of single parameters, by its decrement: 2 where they are uncorrelated.
_LONG = 1e6
_LONG_STEPS_TRIED = 3


class Maximum(NamedTuple):
    """Where B maximisations ended; arrays of length B first."""

    params: np.ndarray  # (B, p)
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    converged: np.ndarray  # bool
    n_iter: np.ndarray


def maximise(
    evaluate: Callable[[np.ndarray, np.ndarray], Evaluation],
    start: np.ndarray,
    *,
    people: np.ndarray,
    free: np.ndarray | None = None,
    maxiter: int = 100,
    tol: float = 1e-15,
) -> Maximum:
    """Maximise smooth functions by Newton steps that never go down.

    Where the Hessian is not negative definite its eigenvalues are turned negative, so each step is uphill; it is
    halved until the value has risen enough. The tolerance is on half the squared Newton decrement for each person (the
    rise that a quadratic function would still have), so it does not depend on weights or units. When it is met the
    step is still taken, which squares the error, but nothing is computed anew: value and Hessian differ by less than
    matters.

    Parameters
    ----------
    evaluate : callable
        Takes parameters (b, p) and the positions (b,) of the maximisations they belong to.
    start : numpy.ndarray, shape (B, p)
    people : numpy.ndarray, shape (B,)
        Sum of the weights.
    free : numpy.ndarray of bool, shape (p,), optional
        Parameters that may move; others keep their starting values.

    Returns
    -------
    Maximum
        `converged` is False where `maxiter` was reached, no step went up, or a value was not finite.
    """
    params = np.array(start, dtype=float, ndmin=2)
    b, p = params.shape
    free = np.ones(p, dtype=bool) if free is None else np.asarray(free, dtype=bool)
    everyone = np.arange(b)
    now = evaluate(params, everyone)
    value, gradient, hessian = (np.array(a) for a in now)
    converged, stuck = np.zeros(b, dtype=bool), ~_finite(now)
    n_iter, close = np.zeros(b, dtype=int), np.zeros(b, dtype=int)
    for _ in range(maxiter):
        active = np.flatnonzero(~(converged | stuck))
        if not active.size:
            break
        step, decrement = _step(gradient[active][:, free], hessian[active][:, free][:, :, free])
        small = decrement <= tol * people[active]
        # Along a ridge a vanishing gradient still asks for a long step. It is tested like any other, a few times over,
        # and what then is left of it is left out.
        with np.errstate(over="ignore"):
            length = np.einsum("bi,bii->b", step**2, np.abs(hessian[active][:, free][:, :, free]))
        short = length <= _LONG * decrement
        close[active] += small
        done = small & (short | (close[active] > _LONG_STEPS_TRIED))
        converged[active[done]] = True
        last = active[done & short]
        params[np.ix_(last, free)] += step[done & short]
        value[last] += decrement[done & short]
        gradient[np.ix_(last, free)] = 0.0
        active, step, decrement, small = (a[~done] for a in (active, step, decrement, small))
        if not active.size:
            break
        n_iter[active] += 1
        waiting, size = np.arange(len(active)), 1.0
        for _ in range(_MOST_HALVINGS):
            who = active[waiting]
            trial = params[who].copy()
            trial[:, free] += size * step[waiting]
            new = evaluate(trial, who)
            rounding = 1e-13 * (1e-3 * people[who] + np.abs(value[who]))
            enough = value[who] + _SUFFICIENT * size * 2 * decrement[waiting] - rounding
            good = _finite(new) & (new.value >= enough)
            moved = who[good]
            params[moved], value[moved] = trial[good], new.value[good]
            gradient[moved], hessian[moved] = new.gradient[good], new.hessian[good]
            waiting, size = waiting[~good], size * 0.5
            if not waiting.size:
                break
        converged[active[waiting]] = small[waiting]
        stuck[active[waiting]] = True
    return Maximum(params, value, gradient, hessian, converged, n_iter)


def _finite(evaluation: Evaluation) -> np.ndarray:
    return (
        np.isfinite(evaluation.value)
        & np.isfinite(evaluation.gradient).all(axis=1)
        & np.isfinite(evaluation.hessian).all(axis=(1, 2))
    )


def _step(gradient: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Uphill Newton steps (B, f) and half their squared decrements (B,)."""
    if not gradient.shape[1]:
        return gradient, np.zeros(len(gradient))
    information = -hessian
    # Scaled to a unit diagonal, so that units of covariates do not decide what counts as singular.
    diagonal = np.abs(np.einsum("bii->bi", information))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = information * scale[:, :, None] * scale[:, None, :]
    direction = scale * gradient
    try:
        np.linalg.cholesky(scaled)
        step = np.linalg.solve(scaled, direction[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        values = np.maximum(np.abs(values), 1e-8)
        step = np.einsum("bij,bj->bi", vectors, np.einsum("bji,bj->bi", vectors, direction) / values)
    return scale * step, 0.5 * np.einsum("bi,bi->b", direction, step)
