"""Regression for lengths known exactly, between bounds, on one side only, or on average."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from statsmodels.formula._manager import FormulaManager
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable

from . import identifiability
from .errors import NotConverged, NotEstimable
from .families import FAMILIES
from .likelihood import ABOVE, AVERAGE, BELOW, CELL, EXACT, KINDS, OPEN, Likelihood, UnknownSize, weighted_products
from .newton import Maximum, maximise
from .profile import profile_intervals
from .results import LikelihoodResults

LINKS = ("log", "identity")

# Share of the information of exact data, in the direction known least, below which a maximum is suspected of lying at
# infinity, and is examined by linear programming.
_SUSPECT = 1e-4
_HOPELESS = 1e-7
# From this many rows on, a fit to every so many of them gives the starting values.
_MANY_ROWS, _FEW_ROWS = 8192, 2048


class IntervalRegression:
    """Location-scale regression on exact, interval, one-sided and averaged lengths.

    log T = x'b + sigma e (or T itself, with the identity link), log sigma = z'g; e standard normal, logistic or
    smallest extreme value. Likelihood as in Meeker & Escobar (1998), Statistical Methods for Reliability Data,
    chapters 8 and 17; the pronounced-term grid is told below.

    Parameters
    ----------
    low, high : array_like of float, shape (n,)
        Bounds of each length, in any unit; NaN or infinite where open; equal where the length is known exactly. Under
        the log link a lower bound of 0 or less is open, since no length lies there.
    exog : array_like, shape (n, k), optional
        Covariates of the location, with a constant if one is wanted. Default: a constant alone.
    weights : array_like of float, shape (n,), optional
        People each row stands for, at least 0. Rows of weight 0 are left out. Default 1.
    dist : {"lognormal", "loglogistic", "weibull"}
        With the identity link the errors are normal, logistic and smallest extreme value all the same.
    link : {"log", "identity"}
    exog_scale : array_like, shape (n, q), optional
        Covariates of log sigma, with a constant if one is wanted. Default: a constant alone.
    grid : float
        Distance between the lengths that are ever pronounced, in the unit of the bounds; 0: lengths are continuous.
        A pronounced t then means that the latent length lies in [t - grid/2, t + grid/2].
    low_inclusive, high_inclusive : bool or array_like of bool, shape (n,)
        Whether the bound itself belongs to the interval. Matters with a grid, where an inclusive bound moves outwards
        by half a grid and an exclusive one inwards: "under 36" ends at 36 - grid/2.
    lower_truncation, upper_truncation : float or array_like, shape (n,), optional
        Lengths outside these (inclusive) bounds could not have been observed; they move with the grid too.
    average : array_like of bool, shape (n,), optional
        Rows whose `low` (= `high`) is the mean of `weights` people, with the normal density of that mean. Averages
        are taken of the lengths themselves and do not move with the grid.
    unknown_sizes : sequence of UnknownSize, optional
        Groups whose number of people is one of several. Weights of their rows are not used.
    log_constant : float
        Added to the log-likelihood, such as the constants of groups described by their extremes.

    Raises
    ------
    ValueError
        Bounds the wrong way round, lengths that differ, negative or missing weights, missing covariates, an upper
        bound of 0 or less under the log link; the message names the rows. Unknown `dist` or `link`.
    """

    def __init__(
        self,
        low,
        high,
        exog=None,
        *,
        weights=None,
        dist: str = "lognormal",
        link: str = "log",
        exog_scale=None,
        grid: float = 0.0,
        low_inclusive=True,
        high_inclusive=True,
        lower_truncation=None,
        upper_truncation=None,
        average=None,
        unknown_sizes=(),
        log_constant: float = 0.0,
    ):
        if dist not in FAMILIES:
            raise ValueError(f"dist {dist!r} is not one of {', '.join(FAMILIES)}")
        if link not in LINKS:
            raise ValueError(f"link {link!r} is not one of {', '.join(LINKS)}")
        if not (np.isfinite(grid) and grid >= 0):
            raise ValueError(f"grid is {grid!r}; it must be a distance of 0 or more")
        self.dist, self.link, self.grid = dist, link, float(grid)
        self.row_labels = _labels_of(low, high, exog, weights)
        self.low, self.high = _column(low, "low"), _column(high, "high")
        n = len(self.low)
        self.exog, exog_names = _design(exog, n, "exog", "const")
        self.exog_scale, scale_names = _design(exog_scale, n, "exog_scale", "")
        scale_names = [f"log_scale:{name}" if name else "log_scale" for name in scale_names]
        self.param_names = exog_names + scale_names
        self.weights = np.ones(n) if weights is None else _column(weights, "weights")
        self.average = np.zeros(n, dtype=bool) if average is None else np.asarray(average, dtype=bool)
        for name in ("high", "exog", "exog_scale", "weights", "average"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, but low has {n}")
        self._refuse("weights", ~(self.weights >= 0) | ~np.isfinite(self.weights), "must be 0 or more")
        self._refuse("low and high", self.low > self.high, "low must not lie above high")
        ends = self.low == self.high
        self._refuse("average", self.average & ~(ends & np.isfinite(self.low)), "an average has low equal to high")
        self.low_inclusive = np.broadcast_to(np.asarray(low_inclusive, dtype=bool), (n,))
        self.high_inclusive = np.broadcast_to(np.asarray(high_inclusive, dtype=bool), (n,))
        self._refuse("low and high", ends & ~(self.low_inclusive & self.high_inclusive), "an exact value is inclusive")
        self.unknown_sizes = tuple(self._checked(UnknownSize(*group)) for group in unknown_sizes)
        window = (lower_truncation, upper_truncation)
        self.likelihood = Likelihood.of(
            *self._latent(window),
            self.exog,
            self.exog_scale,
            self.weights,
            family=FAMILIES[dist],
            log_link=link == "log",
            unknown_sizes=self.unknown_sizes,
            constant=log_constant,
        )

    @classmethod
    def from_formula(cls, formula: str, data: pd.DataFrame, *, scale: str | None = None, **keywords):
        """Build the model from a data frame.

        Parameters
        ----------
        formula : str
            `"low + high ~ covariates"`: the columns with the bounds (the same twice where lengths are exact), then
            the location's covariates, in the language that statsmodels uses.
        data : pandas.DataFrame
        scale : str, optional
            Covariates of log sigma, such as `"kind"`. Default: a constant.
        **keywords
            As of the class; a string names a column of `data`.

        Raises
        ------
        ValueError
            A formula without two bounds, a column that does not exist, or missing covariates.
        """
        left, tilde, right = formula.partition("~")
        bounds = [name.strip() for name in left.split("+")]
        if not tilde or len(bounds) != 2:
            raise ValueError(f"formula {formula!r}: expected 'low + high ~ covariates'")
        taken = {
            key: value for key, value in keywords.items() if isinstance(value, str) and key not in ("dist", "link")
        }
        for name in [*bounds, *taken.values()]:
            if name not in data.columns:
                raise ValueError(f"there is no column {name!r}; the columns are {', '.join(map(str, data.columns))}")
        keywords = keywords | {key: data[name] for key, name in taken.items()}
        if scale is not None:
            keywords["exog_scale"] = _formula_matrix(scale, data)
        exog = _formula_matrix(right, data)
        model = cls(data[bounds[0]], data[bounds[1]], exog, **keywords)
        model.formula, model.scale_formula = formula, scale
        return model

    formula: str | None = None
    scale_formula: str | None = None

    # --- From what was published to what is latent --------------------------------------------------------------

    def _refuse(self, what: str, wrong: np.ndarray, right: str) -> None:
        if wrong.any():
            places = np.flatnonzero(wrong)[:10]
            told = [f"{self.row_labels[i]} (low {self.low[i]:g}, high {self.high[i]:g})" for i in places]
            raise ValueError(f"{what}: {right}; rows {', '.join(told)}")

    def _checked(self, group: UnknownSize) -> UnknownSize:
        counts = np.atleast_2d(np.asarray(group.counts, dtype=float))
        log_weight = np.asarray(group.log_weight, dtype=float)
        rows = np.asarray(group.rows, dtype=int)
        if counts.shape != (len(log_weight), len(rows)):
            raise ValueError(f"unknown size: counts has shape {counts.shape}, not {(len(log_weight), len(rows))}")
        if not (np.all(counts >= 0) and np.all(np.isfinite(counts)) and np.all(np.isfinite(log_weight))):
            raise ValueError("unknown size: counts must be 0 or more, and log weights finite")
        if self.average[rows].any():
            raise ValueError("unknown size: a group with an average must have a known number of people")
        return UnknownSize(rows, counts, log_weight)

    def _shifted(self, bound, inclusive, side: int) -> np.ndarray:
        """A bound of pronounced lengths as one of latent lengths; `side` is -1 for lower and 1 for upper bounds."""
        return bound + side * 0.5 * self.grid * np.where(inclusive, 1.0, -1.0)

    def _latent(self, window) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        """Kind, middle and width of each row on the scale of y, and its truncation window."""
        low = self._shifted(np.where(np.isnan(self.low), -np.inf, self.low), self.low_inclusive, -1)
        high = self._shifted(np.where(np.isnan(self.high), np.inf, self.high), self.high_inclusive, 1)
        low, high = (np.where(self.average, bound, moved) for bound, moved in ((self.low, low), (self.high, high)))
        truncation, what = None, "low and high"
        if any(edge is not None for edge in window):
            edges = [
                _edge(value, open_end, len(low)) for value, open_end in zip(window, (-np.inf, np.inf), strict=True)
            ]
            lower, upper = self._shifted(edges[0], True, -1), self._shifted(edges[1], True, 1)
            self._refuse("truncation", (self.average), "averages cannot be truncated")
            self._refuse("truncation", (low == high) & ((low < lower) | (high > upper)), "a length lies outside")
            low, high = np.maximum(low, lower), np.minimum(high, upper)
            what = "low and high within the truncation"
            truncation = np.column_stack([self._on_scale(lower), self._on_scale(upper)])
        narrow = np.isfinite(low) & ~self.average & (self.low != self.high)
        self._refuse(what, (low > high) | (narrow & (low == high)), "no length lies between the bounds")
        if self.link == "log":
            self._refuse("high", ~(high > 0), "must lie above 0 under the log link")
            low = np.where(low > 0, low, -np.inf)
        has_low, has_high = np.isfinite(low), np.isfinite(high)
        kind = np.select(
            [self.average, has_low & has_high & (low == high), has_low & has_high, has_high, has_low],
            [AVERAGE, EXACT, CELL, BELOW, ABOVE],
            OPEN,
        )
        safe_low, safe_high = np.where(has_low, low, 1.0), np.where(has_high, high, 1.0)
        both = kind == CELL
        if self.link == "log":
            # The logarithm of the ratio, not the difference of logarithms: it keeps its digits for narrow rows.
            width = np.log1p(np.where(both, (safe_high - safe_low) / safe_low, 0.0))
            y_low, y_high = np.log(safe_low), np.log(safe_high)
        else:
            width, y_low, y_high = np.where(both, safe_high - safe_low, 0.0), safe_low, safe_high
        middle = np.select([kind == AVERAGE, both, kind == BELOW, kind == OPEN],
                           [safe_low, y_low + 0.5 * width, y_high, 0.0], y_low)  # fmt: skip
        return kind, middle, width, truncation

    def _on_scale(self, value):
        if self.link == "identity":
            return np.asarray(value, dtype=float)
        value = np.asarray(value, dtype=float)
        return np.where(value > 0, np.log(np.where(value > 0, value, 1.0)), -np.inf)

    # --- Likelihood ---------------------------------------------------------------------------------------------

    def loglike(self, params) -> float:
        """Log-likelihood (of the density of T, where lengths are exact) at parameters of shape (k + q,)."""
        return float(self.likelihood.evaluate(params).value[0])

    def score(self, params) -> np.ndarray:
        """Gradient of the log-likelihood, shape (k + q,)."""
        return self.likelihood.evaluate(params).gradient[0]

    def hessian(self, params) -> np.ndarray:
        """Hessian of the log-likelihood, shape (k + q, k + q)."""
        return self.likelihood.evaluate(params).hessian[0]

    def score_obs(self, params) -> np.ndarray:
        """Score of each given row, weights included, shape (n, k + q)."""
        return self.likelihood.scores(np.asarray(params, dtype=float))

    def loglike_obs(self, params) -> np.ndarray:
        """Log-likelihood of one person of each given row, shape (n,); 0 for rows that say nothing."""
        values = self.likelihood.row_values(np.asarray(params, dtype=float))
        places = self.likelihood.row_of
        return np.where(places >= 0, values[places], 0.0) if len(values) else np.zeros(len(places))

    # --- Fit ----------------------------------------------------------------------------------------------------

    def fit(
        self, start_params=None, *, fixed: Mapping[str, float] | None = None, maxiter: int = 200
    ) -> "IntervalRegressionResults":
        """Maximise the likelihood.

        Parameters
        ----------
        start_params : array_like, shape (k + q,), optional
        fixed : mapping of parameter name to value, optional
            Parameters that are not estimated.
        maxiter : int

        Returns
        -------
        IntervalRegressionResults

        Raises
        ------
        NotEstimable
            When the evidence does not determine the parameters; the message names rows or columns.
        NotConverged
            When the iteration ends before the gradient is 0 although a maximum exists.
        """
        fixed = dict(fixed or {})
        unknown = set(fixed) - set(self.param_names)
        if unknown:
            raise ValueError(f"there is no parameter {sorted(unknown)}; they are {', '.join(self.param_names)}")
        free = np.array([name not in fixed for name in self.param_names])
        identifiability.check_rows(self.likelihood, self.param_names, self.row_labels)
        start = self._start() if start_params is None else np.array(start_params, dtype=float)
        start[~free] = [fixed[name] for name in self.param_names if name in fixed]
        found = self._maximise(start, free, maxiter)
        share = float(self._least_information(found, free)[0])
        if not (found.converged[0] and share > _SUSPECT) and free.all():
            self._explain(found, share)
        if not found.converged[0]:
            raise NotConverged(
                f"no maximum after {found.n_iter[0]} steps: log-likelihood {found.value[0]:.6g}, largest gradient "
                f"{np.max(np.abs(found.gradient[0][free])):.3g}"
            )
        return IntervalRegressionResults(self, found, free, share)

    def _maximise(self, start: np.ndarray, free: np.ndarray, maxiter: int) -> Maximum:
        def evaluate(theta, _):
            return self.likelihood.evaluate(theta)

        people = np.array([self.likelihood.people])
        found = maximise(evaluate, start[None], people=people, free=free, maxiter=maxiter)
        if len(self.likelihood.kind) < _MANY_ROWS:
            # Cheap here: value and Hessian at the very estimates, not one vanishing step before them.
            value, gradient, hessian = self.likelihood.evaluate(found.params)
            found = found._replace(value=value, gradient=gradient, hessian=hessian)
        return found

    def _start(self) -> np.ndarray:
        if len(self.likelihood.kind) >= _MANY_ROWS and not self.unknown_sizes:
            few = self.likelihood.thinned(len(self.likelihood.kind) // _FEW_ROWS)
            start = _midpoint_regression(few)
            found = maximise(lambda t, _: few.evaluate(t), start[None], people=np.array([few.people]), tol=1e-5)
            if found.converged[0]:
                return found.params[0]
        return _midpoint_regression(self.likelihood)

    def _least_information(self, found: Maximum, free: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """Information in the direction known least, as a share of that of exact data in the same place, (B,).

        `weight` (B, n) are people of the rows for each maximum; default those of the data.
        """
        own, k = self.likelihood, self.exog.shape[1]
        if weight is None:
            weight = own.mean_weight[None]
        with np.errstate(all="ignore"):
            inverse = np.exp(-(found.params[:, k:] @ own.exog_scale.T))
            full = np.zeros_like(found.hessian)
            full[:, :k, :k] = weighted_products(weight * inverse**2, own.exog, own.exog)
            full[:, k:, k:] = weighted_products(weight, own.exog_scale, own.exog_scale)
        full, observed = full[:, free][:, :, free], -found.hessian[:, free][:, :, free]
        diagonal = np.einsum("bii->bi", full)
        share = np.zeros(len(full))
        usable = np.isfinite(full).all(axis=(1, 2)) & np.isfinite(observed).all(axis=(1, 2))
        usable &= (diagonal > 0).all(axis=1) if free.any() else False
        if not usable.any():
            return share
        # A common scaling keeps the generalised eigenproblem well conditioned whatever the units of covariates.
        scale = 1.0 / np.sqrt(diagonal[usable])
        scale = scale[:, :, None] * scale[:, None, :]
        full, observed = full[usable] * scale, observed[usable] * scale
        values, vectors = np.linalg.eigh(full)
        whitened = vectors / np.sqrt(np.maximum(values, 1e-300))[:, None, :]
        whitened[values[:, 0] <= 1e-14 * values[:, -1]] = 0.0  # dependent columns: nothing is known of their difference
        share[usable] = np.linalg.eigvalsh(whitened.transpose(0, 2, 1) @ observed @ whitened)[:, 0]
        return share

    def _explain(self, found: Maximum, share: float) -> None:
        """Raise the reason why there is no finite maximum, where there is none."""
        own = self.likelihood
        reason = identifiability.explain(own, self.param_names, self.row_labels, found.params[0])
        if reason is not None:
            raise reason
        k = self.exog.shape[1]
        needs_variance = self.dist == "loglogistic" and self.link == "log" and self.average.any()
        if needs_variance and np.max(own.exog_scale @ found.params[0, k:]) > np.log(0.49):
            raise NotEstimable(
                "a log-logistic length has a variance only where its scale is below 1/2, and the average of several "
                "people needs one",
                rows=[self.row_labels[i] for i in np.flatnonzero(self.average)],
            )
        if found.converged[0] and share < _HOPELESS and (not own.one_scale or own.truncation is not None):
            raise NotEstimable(
                f"the evidence carries {max(share, 0.0):.1g} of the information that exact lengths would, in the "
                "direction known least",
                columns=self.param_names,
            )


def _midpoint_regression(own: Likelihood) -> np.ndarray:
    """Starting values: least squares through the middle of each row, one-sided rows at their bound."""
    log_average = own.kind == AVERAGE
    y = own.middle
    if own.log_link and log_average.any():
        y = np.where(log_average, np.log(np.where(log_average, y, 1.0)), y)
    weight = np.sqrt(own.weight * own.size)
    coefficients = np.linalg.lstsq(own.exog * weight[:, None], y * weight, rcond=None)[0]
    residual = y - own.exog @ coefficients
    variance = np.average(residual**2 + own.width**2 / 12.0, weights=weight**2)
    # Where every row has one value the spread is unknown; any positive start will do.
    typical = np.abs(y).max() if not own.log_link else 1.0
    sigma = np.sqrt(variance) if variance > 0 else 0.1 * (typical or 1.0)
    # No row may start so far out that its density is beyond reckoning: Newton comes back from there in tiny steps.
    sigma = max(sigma, float(np.abs(residual).max()) / 5.0)
    log_sigma = np.log(sigma)
    scale = np.linalg.lstsq(own.exog_scale, np.full(len(y), log_sigma), rcond=None)[0]
    return np.concatenate([coefficients, scale])


class IntervalRegressionResults(LikelihoodResults):
    """A fitted `IntervalRegression`.

    Attributes
    ----------
    params, bse, tvalues, pvalues : pandas.Series, length k + q
        Coefficients, then log-scale parameters; standard errors from the observed information; Wald tests.
    llf, aic, bic, nobs : float
        `nobs` is the number of people (sum of weights).
    least_information : float
        Information in the direction known least, as a share of what exact lengths would carry there.
    """

    def __init__(self, model: IntervalRegression, found: Maximum, free: np.ndarray, share: float, cov=None):
        self.model, self._found, self._free = model, found, free
        self.least_information = share
        names = model.param_names
        self.params = pd.Series(found.params[0], index=names)
        self.llf = float(found.value[0])
        self.converged, self.n_iter = bool(found.converged[0]), int(found.n_iter[0])
        self.nobs = model.likelihood.people
        self.df_model = int(free[: model.exog.shape[1]].sum()) - _has_constant(model.likelihood.exog)
        self.df_resid = self.nobs - free.sum()
        self._cov = self._inverse_information() if cov is None else cov
        self.cov_type = "nonrobust" if cov is None else "cluster"

    def _inverse_information(self) -> np.ndarray:
        cov = np.zeros((len(self.params), len(self.params)))
        inside = np.ix_(self._free, self._free)
        cov[inside] = np.linalg.inv(-self._found.hessian[0][inside]) if self._free.any() else 0.0
        return cov

    def score_obs(self) -> np.ndarray:
        """Score of each given row at the estimates, shape (n, k + q)."""
        return self.model.score_obs(self.params)

    def _profile_intervals(self, alpha: float) -> pd.DataFrame:
        return profile_intervals(self, alpha)

    def get_robustcov_results(self, groups=None) -> "IntervalRegressionResults":
        """The same fit with the sandwich covariance (Huber 1967), clustered.

        Parameters
        ----------
        groups : array_like, shape (n,), optional
            Cluster of each row. Default: each row is a cluster (all its people together).

        Raises
        ------
        NotEstimable
            With fewer than two clusters.
        ValueError
            When a group of unknown size lies in several clusters.
        """
        label, count = cluster_labels(self.model, groups)
        if count < 2:
            raise NotEstimable("a sandwich covariance needs at least two clusters")
        scores = np.zeros((count, len(self.params)))
        np.add.at(scores, label, self.score_obs())
        bread = self._inverse_information()
        return IntervalRegressionResults(
            self.model, self._found, self._free, self.least_information, bread @ scores.T @ scores @ bread
        )

    # --- What the fit says --------------------------------------------------------------------------------------

    def location_scale(self, exog=None, exog_scale=None, params=None) -> tuple[np.ndarray, np.ndarray]:
        """x'b and sigma, shape (m,), at covariates of shape (m, k) and (m, q); default those of the data."""
        params = np.asarray(self.params if params is None else params, dtype=float)
        model, k = self.model, self.model.exog.shape[1]
        x = _at(model.exog, exog, "exog")
        z = _at(model.exog_scale, exog_scale, "exog_scale", optional=exog is not None)
        if len(z) == 1 and len(x) > 1:
            z = np.repeat(z, len(x), axis=0)
        return x @ params[:k], np.exp(z @ params[k:])

    def predict(
        self,
        exog=None,
        exog_scale=None,
        *,
        what: str = "median",
        q: float = 0.5,
        at=None,
        low=None,
        high=None,
        low_inclusive: bool = True,
        high_inclusive: bool = True,
        params=None,
    ) -> np.ndarray:
        """What the fitted distribution says at given covariates.

        Parameters
        ----------
        exog, exog_scale : array_like, shape (m, k) and (m, q), optional
            Default: those of the data. `exog_scale` may be left out where the scale is constant.
        what : str
            `median`, `quantile` (of order `q`), `mean`, `location` (x'b), `scale` (sigma): of the latent length.
            `cdf` and `survival`: P(T <= at), P(T > at), of the latent length. `probability`: that a *pronounced*
            length lies between `low` and `high`, each inclusive or not, so the grid is applied.
        params : array_like, optional
            Parameters to use instead of the estimates.

        Returns
        -------
        numpy.ndarray, shape (m,)

        Raises
        ------
        NotEstimable
            For a mean that does not exist (log-logistic with a scale of 1 or more).
        """
        location, sigma = self.location_scale(exog, exog_scale, params)
        model = self.model
        family = model.likelihood.family
        if what == "location":
            return location
        if what == "scale":
            return sigma
        if what in ("median", "quantile"):
            y = location + sigma * family.quantile(0.5 if what == "median" else q)
            return np.exp(y) if model.link == "log" else y
        if what == "mean":
            return self._mean(location, sigma)
        if what in ("cdf", "survival"):
            if at is None:
                raise ValueError(f"what={what!r} needs the length `at`")
            tail = family.log_cdf if what == "cdf" else family.log_sf
            return _tail(tail, (model._on_scale(at) - location) / sigma)
        if what == "probability":
            low = -np.inf if low is None or np.isnan(low) else low
            high = np.inf if high is None or np.isnan(high) else high
            latent_low = model._on_scale(model._shifted(low, low_inclusive, -1))
            latent_high = model._on_scale(model._shifted(high, high_inclusive, 1))
            upper, lower = (latent_high - location) / sigma, (latent_low - location) / sigma
            # Taken in the tail where both are small, so that far bands keep their digits.
            by_cdf = _tail(family.log_cdf, upper) - _tail(family.log_cdf, lower)
            by_sf = _tail(family.log_sf, lower) - _tail(family.log_sf, upper)
            return np.maximum(np.where(lower > 0, by_sf, by_cdf), 0.0)
        raise ValueError(
            f"what={what!r} is not one of median, quantile, mean, location, scale, cdf, survival, probability"
        )

    def _mean(self, location: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        family = self.model.likelihood.family
        if self.model.link == "identity":
            return location + sigma * family.mean
        if self.model.dist == "loglogistic" and np.any(sigma >= 1):
            raise NotEstimable(f"a log-logistic length with scale {sigma.max():.3g} has no mean: it must be below 1")
        return np.exp(location + family.log_moment(1, sigma)[0])

    def diagnostics(self) -> pd.DataFrame:
        """For each given row: its kind, people, fitted log probability, and influence on each parameter.

        Influence is the one-step change of each estimate, in standard errors, were the row left out with all its
        people (Cook & Weisberg 1982, Residuals and Influence in Regression).
        """
        own = self.model.likelihood
        kind = [KINDS[own.kind[place]] if place >= 0 else "says nothing" for place in own.row_of]
        influence = -self.score_obs() @ self._inverse_information()
        with np.errstate(divide="ignore", invalid="ignore"):
            influence = np.where(self.bse.to_numpy() > 0, influence / self.bse.to_numpy(), 0.0)
        table = pd.DataFrame(
            {"kind": kind, "people": self.model.weights, "log_probability": self.model.loglike_obs(self.params)},
            index=pd.Index(self.model.row_labels),
        )
        shifts = pd.DataFrame(influence, index=table.index, columns=[f"influence:{name}" for name in self.params.index])
        return pd.concat([table, shifts], axis=1)

    def summary(self, alpha: float = 0.05) -> Summary:
        """Table of the fit, as statsmodels prints them."""
        own, model = self.model.likelihood, self.model
        interval = self.conf_int(alpha)
        top = [
            ["Distribution:", f"{model.dist}, {model.link} link", "Log-likelihood:", f"{self.llf:.6g}"],
            ["People:", f"{self.nobs:.6g}", "AIC:", f"{self.aic:.6g}"],
            ["Rows (distinct):", f"{len(model.low)} ({len(own.kind)})", "BIC:", f"{self.bic:.6g}"],
            ["Grid:", f"{model.grid:g}", "Covariance:", self.cov_type],
        ]
        counts = {KINDS[k]: float((own.weight * own.size)[own.kind == k].sum()) for k in np.unique(own.kind)}
        told = "People by kind of row: " + ", ".join(f"{name} {people:.6g}" for name, people in counts.items())
        body = [
            [f"{v:.4f}" for v in row]
            for row in np.column_stack([self.params, self.bse, self.tvalues, self.pvalues, interval])
        ]
        heads = ["coef", "std err", "z", "P>|z|", f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"]
        summary = Summary()
        summary.tables = [
            SimpleTable(top, title="Interval regression"),
            SimpleTable(body, headers=heads, stubs=list(self.params.index)),
        ]
        summary.add_extra_txt([told])
        return summary


def is_determined(model: IntervalRegression, found: Maximum, free: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Whether each of B maxima, with people `weight` (B, n) in the rows, is beyond suspicion of lying at infinity."""
    return model._least_information(found, free, weight) > _SUSPECT


def cluster_labels(model: IntervalRegression, groups) -> tuple[np.ndarray, int]:
    """Cluster of each given row as 0, 1, …, shape (n,), and how many clusters carry evidence.

    By default each row is its own cluster, and a group of unknown size is one.
    """
    n = len(model.low)
    if groups is None:
        groups = np.arange(n)
        for group in model.unknown_sizes:
            groups[group.rows] = groups[group.rows[0]]
    groups = np.asarray(groups)
    if len(groups) != n:
        raise ValueError(f"groups has {len(groups)} rows, but the model has {n}")
    if pd.isna(groups).any():
        raise ValueError(f"groups: rows {np.flatnonzero(pd.isna(groups))[:10].tolist()} belong to none")
    for group in model.unknown_sizes:
        if len(set(groups[group.rows].tolist())) > 1:
            raise ValueError(f"a group of unknown size lies in several clusters: rows {list(group.rows)}")
    used = model.likelihood.row_of >= 0
    label = np.zeros(n, dtype=int)
    label[used], names = pd.factorize(groups[used])
    return label, len(names)


def _has_constant(exog: np.ndarray) -> int:
    """1 where some combination of the columns is a constant, else 0."""
    if np.any(np.all(exog == exog[:1], axis=0) & (exog[0] != 0)):
        return 1
    fitted = exog @ np.linalg.lstsq(exog, np.ones(len(exog)), rcond=None)[0]
    return int(np.allclose(fitted, 1.0))


def _tail(log_tail, z) -> np.ndarray:
    """exp of a log tail, also at infinite z."""
    z = np.asarray(z, dtype=float)
    finite = np.isfinite(z)
    inside = np.exp(log_tail(np.where(finite, z, 0.0)).value)
    at_infinity = np.where(z > 0, 1.0, 0.0) if log_tail.__name__ == "log_cdf" else np.where(z > 0, 0.0, 1.0)
    return np.where(finite, inside, at_infinity)


def _at(given: np.ndarray, wanted, what: str, optional: bool = False) -> np.ndarray:
    if wanted is None:
        constant = bool(np.all(given == given[:1]))
        if optional and not constant:
            raise ValueError(f"{what} is needed too: it differs between rows of the data")
        return given[:1] if optional else given
    x = np.atleast_2d(np.asarray(wanted, dtype=float))
    if x.shape[1] != given.shape[1]:
        raise ValueError(f"{what} must have {given.shape[1]} columns, not {x.shape[1]}")
    return x


def _edge(value, open_end: float, n: int) -> np.ndarray:
    edge = np.broadcast_to(np.asarray(open_end if value is None else value, dtype=float), (n,))
    return np.where(np.isnan(edge), open_end, edge)


def _column(values, name: str) -> np.ndarray:
    column = np.asarray(values, dtype=float)
    if column.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {column.ndim}")
    return column


def _labels_of(*given):
    for values in given:
        if isinstance(values, pd.Series | pd.DataFrame):
            return values.index
    return range(len(given[0]))


def _design(values, n: int, what: str, default: str) -> tuple[np.ndarray, list[str]]:
    if values is None:
        return np.ones((n, 1)), [default]
    if isinstance(values, pd.DataFrame):
        names = [str(c) for c in values.columns]
    elif isinstance(values, pd.Series):
        names = [str(values.name or "x1")]
    else:
        names = []
    array = np.asarray(values, dtype=float)
    array = array[:, None] if array.ndim == 1 else array
    names = names or [f"x{i + 1}" for i in range(array.shape[1])]
    finite = np.isfinite(array)
    if not finite.all():
        places = np.flatnonzero(~finite.all(axis=1))[:10]
        label = values.index[places].tolist() if hasattr(values, "index") else places.tolist()
        columns = ", ".join(name for name, good in zip(names, finite.all(axis=0), strict=True) if not good)
        raise ValueError(f"{what} has missing or infinite values of {columns} in rows {label}")
    return array, names


def _formula_matrix(right: str, data: pd.DataFrame) -> pd.DataFrame:
    try:
        matrix = FormulaManager().get_matrices(f"~ {right}", data, pandas=True, na_action="drop")
    except Exception as error:  # each formula engine has errors of its own
        columns = ", ".join(map(str, data.columns))
        raise ValueError(f"covariates {right.strip()!r}: {error}; the columns are {columns}") from error
    if len(matrix) < len(data):
        missing = data.index.difference(matrix.index).tolist()
        raise ValueError(f"covariates {right.strip()!r} are missing in rows {missing[:10]}")
    return matrix.rename(columns={"Intercept": "const"})
