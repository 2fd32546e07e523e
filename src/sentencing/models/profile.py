"""Profile-likelihood intervals: all values of a quantity that a likelihood-ratio test does not reject."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import optimize, stats

from .errors import NotConverged

# A profile that has not fallen far enough at this many standard errors is taken as open: no value is rejected.
_FAR = 400.0
# Of the search for many ends at once; the difference is that of central differences, in standard errors.
_STEPS, _HALVINGS, _DIFFERENCE = 60, 12, 1e-4


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


def profile_intervals_together(
    results, functions: Callable[[np.ndarray], np.ndarray], alpha: float = 0.05
) -> list[tuple[float, float] | NotConverged]:
    """`profile_interval` of several functions of the parameters, all ends searched for at once.

    Newton's method on the conditions that hold at an end (Venzon & Moolgavkar 1988, Appl. Stat. 37: 87-94): there the
    log-likelihood has fallen by the cut, and the gradient of the function is a multiple of its gradient. An end that is
    not found so, or lies at a point that is no extreme, is searched for by `profile_interval`.

    Parameters
    ----------
    results : IntervalRegressionResults
    functions : callable
        Takes parameters of shape (m, p), gives (m, q).

    Returns
    -------
    list of length q
        The two ends, as of `profile_interval`, or why they cannot be found.
    """
    region = _Region(results, alpha)
    at_centre = functions(region.params(np.zeros((1, region.size))))[0]
    ends = _ends_together(region, functions, len(at_centre))
    found = []
    for place, pair in enumerate(ends):
        if np.isnan(pair).any():
            try:
                pair = profile_interval(results, lambda p, i=place: float(functions(p[None])[0, i]), alpha)
            except NotConverged as reason:
                found.append(reason)
                continue
        found.append((float(pair[0]), float(pair[1])))
    return found


class _Region:
    """Parameters that a likelihood-ratio test does not reject, in coordinates in which they are about a ball."""

    def __init__(self, results, alpha: float):
        self.likelihood, self.free = results.model.likelihood, results._free
        self.centre = results.params.to_numpy()
        self.level = results.llf - 0.5 * float(stats.chi2.isf(alpha, 1))
        self.radius = np.sqrt(2.0 * (results.llf - self.level))
        information = -results._found.hessian[0][np.ix_(self.free, self.free)]
        self.root = np.linalg.inv(np.linalg.cholesky(information)).T
        self.size = int(self.free.sum())

    def params(self, points: np.ndarray) -> np.ndarray:
        """Parameters (..., p) of points (..., f)."""
        full = np.broadcast_to(self.centre, (*points.shape[:-1], len(self.centre))).copy()
        full[..., self.free] += points @ self.root.T
        return full

    def room(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How far the log-likelihood is above the cut at points (b, f); with gradient and Hessian."""
        found = self.likelihood.evaluate(self.params(points))
        hessian = self.root.T @ found.hessian[:, self.free][:, :, self.free] @ self.root
        return found.value - self.level, found.gradient[:, self.free] @ self.root, hessian

    def edge(self, directions: np.ndarray) -> np.ndarray:
        """Points (b, f) near the edge along directions of length 1 from the centre, by bisection.

        Where the likelihood is flat around its maximum and steep beyond, the ball tells little of the edge.
        """
        inside, outside = np.zeros(len(directions)), np.full(len(directions), 4.0 * self.radius)
        for _ in range(_HALVINGS):
            middle = 0.5 * (inside + outside)
            within = self.room(middle[:, None] * directions)[0] > 0
            inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
        return inside[:, None] * directions


def _ends_together(region: _Region, functions: Callable, q: int) -> np.ndarray:
    """Ends (q, 2) of the intervals, NaN where none was found."""
    which, side = np.repeat(np.arange(q), 2), np.tile([-1.0, 1.0], q)
    _, slope, _ = _differences(region, functions, np.zeros((2 * q, region.size)), which)
    length = np.linalg.norm(slope, axis=1)
    changing = np.flatnonzero(length > 0)
    ends, sign = np.full(2 * q, np.nan), np.divide(side, length, out=np.zeros(2 * q), where=length > 0)
    start = region.edge(sign[changing, None] * slope[changing])
    ends[changing] = _climb(region, functions, start, which[changing], sign[changing])
    lost = changing[np.isnan(ends[changing])]
    if len(lost):
        # The slope at the estimate can lead astray; the best of many points around does so less.
        around = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * region.size), axis=-1).reshape(-1, region.size)
        around = around[np.any(around != 0, axis=1)]
        edge = region.edge(around / np.linalg.norm(around, axis=1)[:, None])
        best = np.argmax(side[lost, None] * functions(region.params(edge))[:, which[lost]].T, axis=1)
        ends[lost] = _climb(region, functions, edge[best], which[lost], sign[lost])
    return ends.reshape(q, 2)


def _climb(region: _Region, functions: Callable, points: np.ndarray, which: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Largest values of `sign` times a function each on the edge of the region, (b,), from points (b, f); or NaN."""
    points, ends, working = points.copy(), np.full(len(which), np.nan), np.arange(len(which))
    multiplier = np.full(len(which), np.nan)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            if not len(working):
                break
            value, slope, bend = _differences(region, functions, points[working], which[working])
            slope, bend = sign[working, None] * slope, sign[working, None, None] * bend
            room, fall, curve = region.room(points[working])
            steepness = np.einsum("bi,bi->b", fall, fall)
            own = multiplier[working]
            own = np.where(np.isnan(own), -np.einsum("bi,bi->b", slope, fall) / steepness, own)
            matrix = np.zeros((len(working), region.size + 1, region.size + 1))
            matrix[:, :-1, :-1] = bend + own[:, None, None] * curve
            matrix[:, :-1, -1] = matrix[:, -1, :-1] = fall
            left = np.column_stack([slope + own[:, None] * fall, room])
            whole = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(left).all(axis=1)
            small = whole & (np.abs(left).max(axis=1) < 1e-7)
            extreme = np.zeros(len(working), dtype=bool)
            extreme[small] = _is_extreme(matrix[small, :-1, :-1], fall[small], own[small])
            ends[working[small & extreme]] = value[small & extreme]
            on = whole & ~small
            working, matrix, left, own = working[on], matrix[on], left[on], own[on]
            try:
                step = -np.linalg.solve(matrix, left[:, :, None])[:, :, 0]
            except np.linalg.LinAlgError:
                break
            # Far from the end the quadratic picture is not to be trusted.
            size, most = np.linalg.norm(step[:, :-1], axis=1), 0.5 * np.linalg.norm(points[working], axis=1)
            step[:, :-1] *= np.minimum(1.0, most / np.maximum(size, 1e-300))[:, None]
            points[working] += step[:, :-1]
            multiplier[working] = np.where(size <= most, own + step[:, -1], np.nan)
    return ends


def _is_extreme(bend: np.ndarray, fall: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """Whether the function, along the edge of the region, bends back to both sides; second-order condition."""
    unit = fall / np.linalg.norm(fall, axis=1)[:, None]
    along = np.eye(fall.shape[1]) - unit[:, :, None] * unit[:, None, :]
    return (multiplier > 0) & (np.linalg.eigvalsh(along @ bend @ along)[:, -1] < 1e-6)


def _differences(region: _Region, functions: Callable, points: np.ndarray, which: np.ndarray):
    """Value (b,), gradient (b, f) and Hessian (b, f, f) by central differences of one function for each point."""
    size, h = region.size, _DIFFERENCE
    plus = h * np.eye(size)
    pairs = [(i, j) for i in range(size) for j in range(i)]
    mixed = [a * plus[i] + b * plus[j] for i, j in pairs for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    moves = np.vstack([np.zeros((1, size)), plus, -plus, *[m[None] for m in mixed]])
    values = functions(region.params((points[:, None] + moves[None]).reshape(-1, size)))
    values = values.reshape(len(points), len(moves), -1)[np.arange(len(points)), :, which]
    here, up, down = values[:, 0], values[:, 1 : 1 + size], values[:, 1 + size : 1 + 2 * size]
    hessian = np.zeros((len(points), size, size))
    hessian[:, range(size), range(size)] = (up - 2 * here[:, None] + down) / h**2
    for number, (i, j) in enumerate(pairs):
        a, b, c, d = values[:, 1 + 2 * size + 4 * number : 5 + 2 * size + 4 * number].T
        hessian[:, i, j] = hessian[:, j, i] = (a - b - c + d) / (4 * h**2)
    return here, (up - down) / (2 * h), hessian
