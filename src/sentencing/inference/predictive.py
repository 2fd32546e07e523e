"""Could the fitted distribution have produced the extremes that were printed?"""

import numpy as np
import pandas as pd

from ..models.interval import IntervalRegressionResults


def predict_extremes(
    results: IntervalRegressionResults, low, high, n, exog=None, exog_scale=None, *, n_draws: int = 4000, seed: int
) -> pd.DataFrame:
    """Posterior-predictive check of the smallest and largest length of described groups (Gelman, Meng & Stern 1996).

    Parameters are drawn from the normal approximation to their posterior (estimates and covariance of the fit); for
    each draw the smallest and largest of n pronounced lengths are drawn through their exact distributions,
    1 - S(t)^n and F(t)^n.

    Parameters
    ----------
    results : IntervalRegressionResults
    low, high : array_like of float, shape (m,)
        Printed extremes; NaN where none is printed.
    n : array_like of float, shape (m,)
        People of each group.
    exog, exog_scale : array_like, optional
        Covariates of each group, or one line for all; default a constant.
    n_draws, seed : int

    Returns
    -------
    pandas.DataFrame
        For `smallest` and `largest` each: the `printed` value, the predicted median and 95 % interval
        (`…_median`, `…_lower`, `…_upper`), and `…_p`, twice the smaller predictive probability of a value as extreme
        as the printed one on either side (at most 1). Small p: the fit could hardly have produced it.

    Raises
    ------
    ValueError
        When lengths differ or a number of people is below 1.
    """
    low, high, n = (np.asarray(a, dtype=float) for a in (low, high, n))
    if not len(low) == len(high) == len(n) or not np.all(n >= 1):
        raise ValueError("low, high and n must be as long as each other, and every n at least 1")
    model = results.model
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(results.params, results.cov_params(), size=n_draws, method="eigh")
    rows = []
    for i in range(len(n)):
        x = None if exog is None else np.atleast_2d(exog)[min(i, len(np.atleast_2d(exog)) - 1)]
        z = None if exog_scale is None else np.atleast_2d(exog_scale)[min(i, len(np.atleast_2d(exog_scale)) - 1)]
        x = np.ones(1) if x is None else x
        z = np.ones(1) if z is None else z
        location, sigma = draws[:, : len(x)] @ x, np.exp(draws[:, len(x) :] @ z)
        u = rng.uniform(size=(2, n_draws))
        family = model.likelihood.family
        # 1 - (1 - u)^(1/n) through logarithms, since it is tiny for large n.
        smallest = family.quantile(-np.expm1(np.log1p(-u[0]) / n[i]))
        largest = family.quantile(np.exp(np.log(u[1]) / n[i]))
        row = {"n": n[i]}
        for name, z_value, printed in (("smallest", smallest, low[i]), ("largest", largest, high[i])):
            y = location + sigma * z_value
            length = _pronounced(np.exp(y) if model.link == "log" else y, model.grid)
            row |= {f"{name}_printed": printed} | _compared(length, printed, name)
        rows.append(row)
    return pd.DataFrame(rows)


def _pronounced(length: np.ndarray, grid: float) -> np.ndarray:
    """The pronounced length nearest to each latent one; nobody is sentenced to less than one step of the grid."""
    return np.maximum(np.round(length / grid), 1.0) * grid if grid > 0 else length


def _compared(predicted: np.ndarray, printed: float, name: str) -> dict:
    lower, median, upper = np.quantile(predicted, [0.025, 0.5, 0.975])
    p = np.nan
    if np.isfinite(printed):
        # The values are discrete: counting the printed one on both sides keeps p from being too small.
        p = min(1.0, 2 * min(np.mean(predicted <= printed), np.mean(predicted >= printed)))
    return {f"{name}_median": median, f"{name}_lower": lower, f"{name}_upper": upper, f"{name}_p": p}
