"""Profile-likelihood intervals: all values of a quantity that a likelihood-ratio test does not reject."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import optimize, stats

from .errors import NotConverged

# A profile that has not fallen far enough at this many standard errors is taken as open: no value is rejected.
_FAR = 400.0


def profile_intervals(results, alpha: float = 0.05) -> pd.DataFrame:
    """Profile intervals of all free parameters; columns `lower` and `upper`, infinite where open."""
    rows = {
        name: profile_interval_of_parameter(results, name, alpha) if free else (value, value)
        for name, value, free in zip(results.params.index, results.params, results._free, strict=True)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["lower", "upper"])


def deviance_at(results, name: str, value: float, start=None):
    """Twice the fall of the maximised log-likelihood when one parameter is held at `value`, and where that maximum is.

    Returns
    -------
    tuple of float and numpy.ndarray, shape (p,)

    Raises
    ------
    NotConverged
    """
    free = results._free & (results.params.index != name)
    begin = results.params.to_numpy().copy() if start is None else np.array(start, dtype=float)
    begin[results.params.index.get_loc(name)] = value
    found = results.model._maximise(begin, free, 100)
    if not found.converged[0]:
        raise NotConverged(f"no maximum with {name} held at {value:.6g}")
    return 2.0 * (results.llf - float(found.value[0])), found.params[0]


def profile_interval_of_parameter(results, name: str, alpha: float = 0.05) -> tuple[float, float]:
    """Ends of the profile interval of one parameter (Venzon & Moolgavkar 1988, Appl. Stat. 37: 87-94).

    Raises
    ------
    NotConverged
        When a constrained maximum is not found although the likelihood still falls.
    """
    target = np.sqrt(stats.chi2.isf(alpha, 1))
    return tuple(_end(results, name, side, target) for side in (-1.0, 1.0))


def _end(results, name: str, side: float, target: float) -> float:
    estimate, error = (
        float(results.params[name]),
        float(np.sqrt(np.diag(results._inverse_information())[results.params.index.get_loc(name)])),
    )
    state = {"at": results.params.to_numpy()}

    def excess(value: float) -> float:
        deviance, state["at"] = deviance_at(results, name, value, state["at"])
        return np.sqrt(max(deviance, 0.0)) - target

    inner, step, last, before = estimate, target * error, -target, -np.inf
    while step <= _FAR * error:
        outer = estimate + side * step
        try:
            now = excess(outer)
        except NotConverged:
            # Numbers ran out on the way to a limit that the likelihood has all but reached.
            if last > -target and last - before < 1e-6:
                return side * np.inf
            raise
        if now >= 0:
            state["at"] = results.params.to_numpy()
            return float(optimize.brentq(excess, *sorted((inner, outer)), xtol=1e-10 * max(error, 1e-12), rtol=1e-12))
        before, last, inner, step = last, now, outer, step * 1.7
    return side * np.inf


def profile_interval(results, function: Callable[[np.ndarray], float], alpha: float = 0.05) -> tuple[float, float]:
    """Profile interval of any smooth function of the parameters, such as a median or the share under 36 months.

    Its ends are the smallest and largest value of the function where the log-likelihood lies no more than half a
    chi-square quantile (1 df) below its maximum.

    Parameters
    ----------
    results : IntervalRegressionResults
    function : callable
        Takes parameters of shape (p,), gives one number.

    Returns
    -------
    tuple of float
        Infinite (or the function's limit) where the region is open.

    Raises
    ------
    NotConverged
        When an end cannot be found.
    """
    model, free = results.model, results._free
    centre = results.params.to_numpy()
    cut = 0.5 * float(stats.chi2.isf(alpha, 1))
    # In these coordinates the region is about a ball of radius sqrt(2 cut).
    information = -results._found.hessian[0][np.ix_(free, free)]
    root = np.linalg.inv(np.linalg.cholesky(information)).T
    radius = np.sqrt(2.0 * cut)

    def params(point):
        full = centre.copy()
        full[free] = centre[free] + root @ point
        return full

    def room(point):
        value = model.likelihood.evaluate(params(point)).value[0] - results.llf + cut
        return value if np.isfinite(value) else -1e6

    def room_slope(point):
        slope = root.T @ model.likelihood.evaluate(params(point)).gradient[0][free]
        return np.where(np.isfinite(slope), slope, 0.0)

    def slope(point):
        return optimize.approx_fprime(point, lambda u: function(params(u)), 1e-6)

    at_centre = function(centre)
    direction = slope(np.zeros(int(free.sum())))
    size = np.linalg.norm(direction)
    if not size > 0:
        raise NotConverged("the function does not change with the parameters at the estimate")
    unit = size * radius
    ends = []
    for side in (-1.0, 1.0):
        found = optimize.minimize(
            lambda u, side=side: -side * (function(params(u)) - at_centre) / unit,
            side * radius * direction / size,
            jac=lambda u, side=side: -side * slope(u) / unit,
            constraints={"type": "ineq", "fun": room, "jac": room_slope},
            bounds=[(-_FAR, _FAR)] * int(free.sum()),
            method="SLSQP",
            options={"maxiter": 300, "ftol": 1e-12},
        )
        if not (found.success or found.status == 8) or room(found.x) < -1e-5:
            raise NotConverged(f"no end of the profile interval: {found.message}")
        on_wall = np.max(np.abs(found.x)) > 0.99 * _FAR
        ends.append(side * np.inf if on_wall and room(found.x) > 1e-3 else float(function(params(found.x))))
    return ends[0], ends[1]
