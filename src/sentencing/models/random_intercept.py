"""Interval regression whose groups differ: one normal intercept for each group, integrated out.

    y = x'b + u_g + sigma e,  log sigma = z'g,  u_g ~ N(0, tau^2);  y the length itself or its logarithm

Groups share what they have in common, and a group with little evidence of its own is drawn towards the others. How
much of an answer is a group's own is told beside it, and where that is too little no answer is given.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, optimize, sparse, special, stats
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable

from . import identifiability
from .errors import NotConverged, NotEstimable
from .interval import IntervalRegression, IntervalRegressionResults
from .likelihood import ABOVE, AVERAGE, BELOW, EXACT, KINDS, OPEN, Evaluation, Likelihood, _Derivatives
from .newton import Maximum, maximise
from .profile import deviance_at, profile_interval_of_parameter
from .results import LikelihoodResults

LOG_SD = "log_sd_group"
QUADRATURES = ("hermite", "legendre")

# Log-likelihoods closer than this, relative to their size, are equal: quadrature leaves no more digits.
_SAME = 1e-10
# Relative change of the log-likelihood under twice the nodes from which on it is not an integral any more.
_COARSE = 1e-5
# Shares of the information of exact data below which a maximum is examined, or given up: as for the model without
# group intercepts.
_SUSPECT = 1e-5
_HOPELESS = 1e-7
# Shares of the pooled variance that starting values give to the groups: the profile can have a maximum at tau = 0 and
# another one inside.
_START_SHARES = (0.1, 0.4, 0.8)
_MAX_STEPS = 200
# Rows with which linear programming begins.
_FIRST_ROWS = 200
# Gauss-Legendre panels end where the log posterior lies so much below its mode; beyond the last is nothing to add.
_LEVELS = np.array([4.0, 40.0])


class GroupTest(NamedTuple):
    """Likelihood-ratio test of tau = 0."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class _Nodes:
    """Posterior of the standardised intercepts v = u / tau on Q nodes for each of G groups, at one parameter vector."""

    v: np.ndarray  # (Q, G)
    probability: np.ndarray  # (Q, G), each group adds up to 1
    log_marginal: np.ndarray  # (G,) log-likelihood of each group
    rows: _Derivatives  # (Q, n), at the nodes of each row's group


class RandomInterceptIntervalRegression:
    """Location-scale regression with a normal random intercept for each group.

    The marginal likelihood is integrated by adaptive Gauss-Hermite quadrature: nodes are centred at the posterior mode
    of each intercept and scaled by its curvature (Liu & Pierce 1994, Biometrika 81: 624-629; Pinheiro & Bates 1995,
    J. Comput. Graph. Stat. 4: 12-35). Its gradient is the posterior mean of the gradient given the intercepts
    (Fisher's identity), its Hessian follows from posterior moments (Louis 1982, J. R. Stat. Soc. B 44: 226-233).

    Parameters
    ----------
    low, high, exog
        As of `IntervalRegression`.
    groups : array_like, shape (n,)
        Group of each row; all people of a row, and all rows of a group, share one intercept.
    nodes : int
        Quadrature nodes for each group. One-sided rows make posteriors skewed and need many.
    quadrature : {"hermite", "legendre"}
        Adaptive Gauss-Hermite, exact where the posteriors are normal; or Gauss-Legendre on four panels between the
        mode and where the log posterior lies 4 and 40 below it. The posterior of a group of many people with one
        bound or one band in common has flat parts and steep edges where tau is twice sigma or more: 50 Hermite nodes
        can miss its log-likelihood by 0.01, Legendre nodes by 1e-6. Where posteriors are normal those miss 1e-10.
    **keywords
        As of `IntervalRegression`, but for `unknown_sizes`.

    Attributes
    ----------
    pooled : IntervalRegression
        The same rows without group intercepts (tau = 0).
    param_names : list of str
        Those of the pooled model, then `log_sd_group` = log tau.
    group_names : pandas.Index, length G
        Groups with at least one row of positive weight, in order of appearance.

    Raises
    ------
    ValueError
        Rows without a group, groups of another length, fewer than four nodes, groups of unknown size; and whatever
        `IntervalRegression` refuses.
    """

    def __init__(self, low, high, exog=None, *, groups, nodes: int = 50, quadrature: str = "hermite", **keywords):
        self._build(IntervalRegression(low, high, exog, **keywords), groups, nodes, quadrature)

    @classmethod
    def from_formula(
        cls, formula: str, data: pd.DataFrame, *, groups, nodes: int = 50, quadrature: str = "hermite", **keywords
    ):
        """Build the model from a data frame.

        Parameters
        ----------
        formula, data, **keywords
            As of `IntervalRegression.from_formula`, `scale` included.
        groups : str or array_like, shape (n,)
            A string names a column of `data`.
        nodes, quadrature
            As of the class.

        Raises
        ------
        ValueError
            As the class, and for a column that does not exist.
        """
        if isinstance(groups, str):
            if groups not in data.columns:
                raise ValueError(f"there is no column {groups!r}; the columns are {', '.join(map(str, data.columns))}")
            groups = data[groups]
        model = cls.__new__(cls)
        model._build(IntervalRegression.from_formula(formula, data, **keywords), groups, nodes, quadrature)
        return model

    def _build(self, pooled: IntervalRegression, groups, nodes: int, quadrature: str) -> None:
        if pooled.unknown_sizes:
            raise ValueError("unknown_sizes cannot be combined with group intercepts: settle on one size")
        if quadrature not in QUADRATURES:
            raise ValueError(f"quadrature {quadrature!r} is not one of {', '.join(QUADRATURES)}")
        if int(nodes) != nodes or nodes < 4:
            raise ValueError(f"nodes is {nodes!r}; it must be a whole number from 4 on")
        name, groups = getattr(groups, "name", None), np.asarray(groups)
        if groups.shape != (len(pooled.low),):
            raise ValueError(f"groups has shape {groups.shape}, but low has {len(pooled.low)} rows")
        without = np.flatnonzero(pd.isna(groups))
        if without.size:
            raise ValueError(f"groups: rows {[pooled.row_labels[i] for i in without[:10]]} belong to none")
        self.pooled, self.nodes, self.quadrature = pooled, int(nodes), quadrature
        self.param_names = [*pooled.param_names, LOG_SD]
        weighty = pooled.weights > 0
        code = np.full(len(groups), -1)
        code[weighty], names = pd.factorize(groups[weighty])
        self.group_names = pd.Index(names, name=name)
        self.group_of_given = code  # (N,) position in group_names of each given row; -1 where it has no weight
        self.likelihood, self.group = _kept_apart(pooled.likelihood, code)

    # --- Likelihood ---------------------------------------------------------------------------------------------

    @property
    def n_groups(self) -> int:
        """Groups that carry evidence."""
        return len(np.unique(self.group))

    @cached_property
    def _membership(self) -> sparse.csr_array:
        """(n, G): 1 where a row belongs to a group."""
        n = len(self.group)
        return sparse.csr_array((np.ones(n), (np.arange(n), self.group)), shape=(n, len(self.group_names)))

    def _by_group(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows of each group: (Q, n) to (Q, G)."""
        return values @ self._membership

    def _split(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """x'b (n,), log sigma (n,) or (1,), and tau."""
        own, k = self.likelihood, self.likelihood.exog.shape[1]
        scale = params[k:-1]
        return own.exog @ params[:k], scale if own.one_scale else own.exog_scale @ scale, np.exp(params[-1])

    def _rows(self, eta: np.ndarray, s: np.ndarray) -> _Derivatives:
        """Contributions of rows, weights included, at locations eta (Q, n); s is log sigma, (n,) or (1,)."""
        own = self.likelihood
        s = np.broadcast_to(s, (len(eta), len(s)))
        out = _Derivatives(*(np.empty(eta.shape) for _ in _Derivatives._fields))
        edges = np.searchsorted(own.kind, np.arange(len(KINDS) + 1))
        for kind in np.flatnonzero(np.diff(edges)):
            part = slice(edges[kind], edges[kind + 1])
            found = own._of_kind(kind, part, eta[:, part], s if own.one_scale else s[:, part])
            for target, value in zip(out, found, strict=True):
                target[:, part] = value
        if own.truncation is not None:
            for target, value in zip(out, own._window(slice(0, len(own.kind)), eta, s), strict=True):
                target -= value
        for target in out:
            target *= own.weight
        return out

    def _modes(self, eta: np.ndarray, s: np.ndarray, tau: float) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mode of each v = u / tau, and (-second derivative of the log posterior)^(-1/2) there; both (G,).

        Newton steps between bounds that close in on a root of the slope; a step that leaves them, or that does not
        get shorter, gives way to bisection.
        """
        v = np.zeros(len(self.group_names))
        lower, upper = np.full_like(v, -np.inf), np.full_like(v, np.inf)
        before = np.full_like(v, np.inf)
        for _ in range(_MAX_STEPS):
            d = self._rows((eta + tau * v[self.group])[None], s)
            slope = tau * self._by_group(d.eta)[0] - v
            # The prior alone bends by 1. Less can only be where averages or truncation make a row not log-concave.
            bend = np.maximum(1.0 - tau * tau * self._by_group(d.eta_eta)[0], 1.0)
            lower, upper = np.where(slope > 0, v, lower), np.where(slope < 0, v, upper)
            step = slope / bend
            if np.all(np.abs(step) < 1e-9) or not np.isfinite(step).all():
                break
            bracketed = np.isfinite(lower) & np.isfinite(upper)
            outside = ~((v + step > lower) & (v + step < upper)) & (slope != 0)
            halve = bracketed & (outside | (np.abs(step) > 0.5 * before))
            middle = 0.5 * (np.where(bracketed, lower, 0.0) + np.where(bracketed, upper, 0.0))
            step = np.where(halve & (np.abs(step) > 1e-9), middle - v, step)
            before, v = np.abs(step), v + step
        return v, 1.0 / np.sqrt(bend)

    def _joint(self, at, v: np.ndarray) -> tuple[np.ndarray, _Derivatives]:
        """Log of likelihood times prior of v (Q, G), without the prior's 1 / sqrt(2 pi), and the rows behind it."""
        eta, s, tau = at
        rows = self._rows(eta + tau * v[:, self.group], s)
        joint = self._by_group(rows.value) - 0.5 * v * v
        return np.where(np.isnan(joint), -np.inf, joint), rows

    def _placed(self, at, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes v (Q, G) for each group and the logarithms of their weights."""
        mode, spread = self._modes(*at)
        if self.quadrature == "hermite":
            x, log_weight = _hermite(nodes)
            return mode + spread * x[:, None], np.log(spread) + log_weight[:, None]
        x, log_weight = _legendre(nodes // 4)
        ends = self._level_ends(at, mode)
        panels = [(mode + a, mode + b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        v = np.concatenate([0.5 * (a + b) + 0.5 * (b - a) * x[:, None] for a, b in panels])
        return v, np.concatenate([np.log(0.5 * (b - a)) + log_weight[:, None] for a, b in panels])

    def _level_ends(self, at, mode: np.ndarray) -> np.ndarray:
        """Distances from the mode, ascending (5, G), at which the log posterior has fallen by the levels; 0 between."""
        top = self._joint(at, mode[None])[0]
        side, level = np.repeat([-1.0, 1.0], len(_LEVELS))[:, None], np.tile(_LEVELS, 2)[:, None]

        def excess(reach):
            # The root of the fall is a straight line for a normal posterior.
            fall = np.clip(top - self._joint(at, mode + side * reach)[0], 0.0, 1e6)
            return np.sqrt(fall) - np.sqrt(level)

        # The prior alone falls that far; without log-concavity the likelihood may take some of it back.
        inner, outer = np.zeros((len(side), len(mode))), np.broadcast_to(np.sqrt(2.0 * level), (len(side), len(mode)))
        at_inner, at_outer = -np.sqrt(level) + inner, excess(outer)
        for _ in range(_MAX_STEPS):
            short = at_outer < 0
            if not short.any():
                break
            outer = np.where(short, 1.5 * outer, outer)
            at_outer = excess(outer)
        reach = outer
        # False position with the Illinois rule. Where exactly panels end matters little.
        for _ in range(_MAX_STEPS):
            reach = outer - at_outer * (outer - inner) / (at_outer - at_inner)
            now = excess(reach)
            if np.all(np.abs(now) < 0.01):
                break
            above = now >= 0
            at_inner = np.where(above, 0.5 * at_inner, now)
            at_outer = np.where(above, now, 0.5 * at_outer)
            outer, inner = np.where(above, reach, outer), np.where(above, inner, reach)
        few = len(_LEVELS)
        return np.concatenate([-reach[few - 1 :: -1], np.zeros((1, len(mode))), reach[few:]])

    def _posterior(self, params: np.ndarray, nodes: int) -> _Nodes:
        at = self._split(params)
        v, log_weight = self._placed(at, nodes)
        joint, rows = self._joint(at, v)
        joint += log_weight
        top = joint.max(axis=0)
        shifted = np.exp(joint - top)
        total = shifted.sum(axis=0)
        probability = shifted / total
        # A node too far out to have any probability may have infinite derivatives; their product is 0.
        nowhere = probability[:, self.group] == 0.0
        for array in rows:
            array[nowhere] = 0.0
        return _Nodes(v, probability, top + np.log(total), rows)

    def _evaluate(self, params: np.ndarray, nodes: int | None = None) -> Evaluation:
        """Value, gradient (p,) and Hessian (p, p) at one parameter vector."""
        own, k, p = self.likelihood, self.likelihood.exog.shape[1], len(self.param_names)
        x, z = own.exog, own.exog_scale
        with np.errstate(all="ignore"):
            at = self._posterior(np.asarray(params, dtype=float), self.nodes if nodes is None else nodes)
            d, pi = at.rows, at.probability
            scores = np.empty((p, *pi.shape))
            for j in range(k):
                scores[j] = self._by_group(d.eta * x[:, j])
            for j in range(p - 1 - k):
                scores[k + j] = self._by_group(d.s * z[:, j])
            scores[-1] = at.v**2 - 1.0
            mean = np.einsum("qg,pqg->pg", pi, scores)
            spread = ((scores - mean[:, None]) * np.sqrt(pi)).reshape(p, -1)
            hessian = spread @ spread.T
            of_row = pi[:, self.group]
            eta_eta, eta_s, s_s = (np.sum(of_row * second, axis=0) for second in (d.eta_eta, d.eta_s, d.s_s))
            hessian[:k, :k] += (x.T * eta_eta) @ x
            cross = (x.T * eta_s) @ z
            hessian[:k, k:-1] += cross
            hessian[k:-1, :k] += cross.T
            hessian[k:-1, k:-1] += (z.T * s_s) @ z
            hessian[-1, -1] -= 2.0 * np.sum(pi * at.v**2)
            return Evaluation(own.constant + at.log_marginal.sum(), mean.sum(axis=1), hessian)

    def loglike(self, params, nodes: int | None = None) -> float:
        """Marginal log-likelihood (of the density of T, where lengths are exact).

        Parameters
        ----------
        params : array_like, shape (k + q + 1,)
            Coefficients, log-scale parameters, log tau; the last may be -inf, which is the pooled model.
        nodes : int, optional
            Instead of the model's own number.
        """
        return float(self._evaluate(params, nodes).value)

    def loglike_groups(self, params, nodes: int | None = None) -> pd.Series:
        """Marginal log-likelihood of each group; 0 for groups whose rows say nothing."""
        with np.errstate(all="ignore"):
            at = self._posterior(np.asarray(params, dtype=float), self.nodes if nodes is None else nodes)
        return pd.Series(at.log_marginal, index=self.group_names)

    def score(self, params) -> np.ndarray:
        """Gradient of the marginal log-likelihood, shape (k + q + 1,)."""
        return self._evaluate(params).gradient

    def hessian(self, params) -> np.ndarray:
        """Hessian of the marginal log-likelihood, shape (k + q + 1, k + q + 1)."""
        return self._evaluate(params).hessian

    # --- Fit ----------------------------------------------------------------------------------------------------

    def fit(self, start_params=None, *, maxiter: int = 100) -> "RandomInterceptResults":
        """Maximise the marginal likelihood.

        Parameters
        ----------
        start_params : array_like, shape (k + q + 1,), optional
            Default: the best of several starts, since the likelihood can have a maximum at tau = 0 and another.
        maxiter : int

        Returns
        -------
        RandomInterceptResults
            With `boundary` True where no tau above 0 is better than 0.

        Raises
        ------
        NotEstimable
            Fewer than two groups; evidence that does not determine the pooled model; nothing that tells the spread
            within groups from that between them. The message names rows or columns.
        NotConverged
            The iteration ended before a maximum, or twice the nodes change the log-likelihood by more than 1e-5 of
            itself.
        """
        if self.n_groups < 2:
            only = f"only {self.group_names[self.group[0]]} has any" if len(self.group) else "none has any"
            reason = f"the spread between groups needs at least two groups with evidence; {only}"
            raise NotEstimable(reason, columns=[LOG_SD])
        try:
            pooled = self.pooled.fit()
        except NotEstimable as error:
            reason = f"without group intercepts already: {error.reason}"
            raise NotEstimable(reason, rows=error.rows, columns=error.columns) from error
        self._refuse_unrepeated()
        starts = self._starts(pooled) if start_params is None else np.array(start_params, dtype=float, ndmin=2)
        found = self._maximise_from(starts, np.ones(len(self.param_names), dtype=bool), maxiter)
        same = _SAME * max(1.0, abs(pooled.llf))
        if not float(found.value[0]) > pooled.llf + same:
            self._check_boundary(pooled, found)
            return RandomInterceptResults(self, pooled, None, 1.0, 0.0)
        share = self._least_information(found)
        if not (found.converged[0] and share > _SUSPECT):
            self._explain(found, share)
        if not found.converged[0]:
            raise NotConverged(
                f"no maximum after {found.n_iter[0]} steps: log-likelihood {found.value[0]:.6g}, largest gradient "
                f"{np.max(np.abs(found.gradient[0])):.3g}; {self._more_accurate()}"
            )
        llf = float(found.value[0])
        error = abs(self.loglike(found.params[0], 2 * self.nodes) - llf) / max(1.0, abs(llf))
        if not error <= _COARSE:
            raise NotConverged(
                f"twice the {self.nodes} nodes change the log-likelihood {llf:.6g} by {error:.2g} of itself; "
                f"{self._more_accurate()}"
            )
        return RandomInterceptResults(self, pooled, found, share, error)

    def _more_accurate(self) -> str:
        instead = ' or quadrature="legendre"' if self.quadrature == "hermite" else ""
        return f"try more than {self.nodes} nodes{instead}"

    def _starts(self, pooled: IntervalRegressionResults) -> np.ndarray:
        own, k = self.likelihood, self.likelihood.exog.shape[1]
        params = pooled.params.to_numpy()
        sigma2 = np.average(np.exp(2.0 * own.exog_scale @ params[k:]), weights=own.weight * own.size)
        constant = np.linalg.lstsq(own.exog_scale, np.ones(len(own.kind)), rcond=None)[0]
        starts = [
            [*params[:k], *(params[k:] + 0.5 * np.log1p(-share) * constant),
             0.5 * np.log(share * sigma2 * own.family.variance)]
            for share in _START_SHARES
        ]  # fmt: skip
        return np.array(starts)

    def _maximise_from(self, starts: np.ndarray, free: np.ndarray, maxiter: int) -> Maximum:
        """The best of the maximisations from each start; one that converged where that makes no difference."""

        def evaluate(theta, _):
            found = [self._evaluate(line) for line in theta]
            return Evaluation(*(np.array(part) for part in zip(*found, strict=True)))

        people = np.full(len(starts), self.likelihood.people)
        found = maximise(evaluate, starts, people=people, free=free, maxiter=maxiter)
        value = np.where(np.isfinite(found.value), found.value, -np.inf)
        close = value >= value.max() - _SAME * max(1.0, abs(value.max()))
        best = np.flatnonzero(close & found.converged) if np.any(close & found.converged) else np.flatnonzero(close)
        return Maximum(*(part[best[:1]] for part in found))

    def _maximise(self, start: np.ndarray, free: np.ndarray, maxiter: int) -> Maximum:
        """From one start, and from larger tau too: what profile intervals call."""
        starts = [start]
        if free[-1]:
            _, s, _ = self._split(start)
            starts = [np.append(start[:-1], max(start[-1], level + float(np.mean(s)))) for level in (-2.0, 0.0)]
            if np.isfinite(start[-1]):
                starts.insert(0, start)
        return self._maximise_from(np.array(starts), free, maxiter)

    def _score_at_zero(self, params: np.ndarray) -> tuple[float, float]:
        """Score of tau^2 at tau = 0, and the sum of squares of its parts from each group."""
        eta, s, _ = self._split(np.append(params, -np.inf))
        d = self._rows(eta[None], s)
        each = 0.5 * (self._by_group(d.eta)[0] ** 2 + self._by_group(d.eta_eta)[0])
        return float(each.sum()), float(np.sum(each**2))

    def _check_boundary(self, pooled: IntervalRegressionResults, found: Maximum) -> None:
        """Raise when the search for a better maximum broke off, or found none although the likelihood rises at 0."""
        same = _SAME * max(1.0, abs(pooled.llf))
        if not (found.converged[0] or found.value[0] > pooled.llf - same):
            raise NotConverged(
                f"whether tau = 0 is best is not known: the search for a better one broke off after {found.n_iter[0]} "
                f"steps, at a log-likelihood of {found.value[0]:.6g}; {self._more_accurate()}"
            )
        score, squares = self._score_at_zero(pooled.params.to_numpy())
        # A rise that small cannot be told from none: it would add less than what counts as the same to the maximum.
        if score > 0 and 0.5 * score**2 / squares > 10.0 * same:
            raise NotConverged(
                f"the log-likelihood rises from tau = 0 (by {score:.3g} for each unit of tau squared), but no maximum "
                f"above {pooled.llf:.6g} was found; the best iteration ended at {found.value[0]:.6g}"
            )

    # --- Whether there is an answer -----------------------------------------------------------------------------

    def _refuse_unrepeated(self) -> None:
        """Refuse evidence in which nothing tells the spread within groups from 0, or from that between them."""
        own = self.likelihood
        columns = [*self.param_names[own.exog.shape[1] : -1], LOG_SD]
        rows = self._labels(np.arange(len(own.kind)))
        one_row = np.bincount(self.group).max() == 1
        if one_row and np.all(own.weight * own.size <= 1):
            exactly = "one exact value of one person" if np.all(own.kind == EXACT) else "one person"
            reason = f"every group is {exactly}, so the spread within groups cannot be told from that between them"
            raise NotEstimable(reason, rows=rows, columns=columns)
        # The mean of n people varies by tau² + sigma² / n: unlike any other single row it may tell the two apart.
        if not np.any(own.kind == AVERAGE) and self._is_flat(np.arange(len(own.kind))):
            reason = "within every group one value (or one fitted line) fits all rows, so the spread within groups is "
            raise NotEstimable(reason + "not told from 0", rows=rows, columns=columns)

    def _is_flat(self, inside: np.ndarray) -> bool:
        """Whether, with free intercepts for all groups, some fitted lines lie inside all the rows `inside`."""
        group = self.group[inside]
        # Rows that exclude each other do so whatever is added to them: some of the largest groups settle it mostly.
        size = np.bincount(group)
        inside = inside[np.lexsort((group, -size[group]))]
        few = _FIRST_ROWS
        while few < len(inside):
            if not self._are_flat(inside[:few]):
                return False
            few *= 4
        return self._are_flat(inside)

    def _are_flat(self, inside: np.ndarray) -> bool:
        own, group = self.likelihood, np.unique(self.group[inside], return_inverse=True)[1]
        low, high = (bound[inside] for bound in identifiability.bounds_of_rows(own))
        dummies = np.zeros((len(inside), group.max() + 1))
        dummies[np.arange(len(inside)), group] = 1.0
        x = own.exog[inside]
        x = x / np.maximum(np.abs(x).max(axis=0), 1e-300)
        within = x - dummies @ (dummies.T @ x / dummies.sum(axis=0)[:, None])
        within[np.abs(within) < 1e-10] = 0.0
        chosen = identifiability._independent(within)
        found = identifiability.flat_direction(low, high, np.column_stack([dummies, x[:, chosen]]))
        return found is not None and found[0] == "scale"

    def _explain(self, found: Maximum, share: float) -> None:
        """Raise the reason why there is no finite maximum, where there is none."""
        own, k = self.likelihood, self.likelihood.exog.shape[1]
        names = self.param_names[k:-1]
        patterns, pattern = np.unique(own.exog_scale, axis=0, return_inverse=True)
        # Only where scales belong to kinds of rows can each be examined on its own.
        for place in range(len(patterns) if len(patterns) <= own.exog_scale.shape[1] else 0):
            inside = np.flatnonzero(pattern.ravel() == place)
            if self._is_flat(inside):
                raise NotEstimable(
                    "within every group one value (or one fitted line) fits all rows of this scale, so it is not told "
                    "from 0",
                    rows=self._labels(inside),
                    columns=[name for name, value in zip(names, patterns[place], strict=True) if value],
                )
        if found.converged[0] and share < _HOPELESS:
            raise NotEstimable(
                f"the evidence carries {max(share, 0.0):.1g} of the information that exact lengths would, in the "
                "direction known least",
                columns=self.param_names,
            )

    def _least_information(self, found: Maximum) -> float:
        """Information in the direction known least, as a share of that of exact normal data in the same place."""
        own, k, params = self.likelihood, self.likelihood.exog.shape[1], found.params[0]
        with np.errstate(all="ignore"):
            people = own.weight * own.size
            precision = people * np.exp(-2.0 * own.exog_scale @ params[k:-1])
            of_group = self._by_group(precision[None])[0]
            between = self._by_group((precision[:, None] * own.exog).T)
            full = np.zeros_like(found.hessian[0])
            prior = np.exp(-2.0 * params[-1])
            full[:k, :k] = (own.exog.T * precision) @ own.exog - (between / (prior + of_group)) @ between.T
            full[k:-1, k:-1] = (own.exog_scale.T * people) @ own.exog_scale
            full[-1, -1] = 2.0 * np.sum((of_group / (prior + of_group)) ** 2)
            scale = 1.0 / np.sqrt(np.diag(full))
            scale = scale[:, None] * scale[None, :]
        if not (np.isfinite(scale).all() and np.isfinite(found.hessian[0]).all()):
            return 0.0
        try:
            return float(linalg.eigh(-found.hessian[0] * scale, full * scale, eigvals_only=True)[0])
        except linalg.LinAlgError:  # the other matrix is not positive definite: nothing is known of some difference
            return 0.0

    def _labels(self, rows: np.ndarray) -> list:
        inside = np.isin(self.likelihood.row_of, rows)
        return [self.pooled.row_labels[i] for i in np.flatnonzero(inside)]

    # --- What is known of each group ----------------------------------------------------------------------------

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """What each group's own rows say, before any fitting; index: groups.

        Columns: `people`, `rows` (of positive weight), `two_sided` (some row bounds from above and some from below, or
        one does both), `evidence` in words, with numbers as they were given.
        """
        model, code = self.pooled, self.group_of_given
        used = code >= 0
        kind = np.where(model.likelihood.row_of >= 0, model.likelihood.kind[model.likelihood.row_of], OPEN)
        # A bound counts where it was given and says something: not a 0 under the log link, nor a truncation.
        has_low = used & np.isfinite(model.low) & ~np.isin(kind, [BELOW, OPEN])
        has_high = used & np.isfinite(model.high) & ~np.isin(kind, [ABOVE, OPEN])
        table = pd.DataFrame({"people": model.weights[used], "rows": 1}).groupby(code[used]).sum()
        table.index = self.group_names
        bounds = [
            (model.low[has_low & (code == place)], model.high[has_high & (code == place)])
            for place in range(len(self.group_names))
        ]
        table["two_sided"] = [bool(len(lows) and len(highs)) for lows, highs in bounds]
        table["evidence"] = [_in_words(lows, highs) for lows, highs in bounds]
        return table

    def _mean_design(self) -> tuple[np.ndarray, np.ndarray]:
        """Covariates of each group, (G, k) and (G, q): means over its people."""
        model, used = self.pooled, self.group_of_given >= 0
        code, weight = self.group_of_given[used], model.weights[used]
        total = np.bincount(code, weight, len(self.group_names))
        return tuple(
            np.column_stack([np.bincount(code, weight * column, len(total)) / total for column in design[used].T])
            for design in (model.exog, model.exog_scale)
        )


class RandomInterceptResults(LikelihoodResults):
    """A fitted `RandomInterceptIntervalRegression`.

    Attributes
    ----------
    params, bse, tvalues, pvalues : pandas.Series, length k + q + 1
        Coefficients, log-scale parameters, log tau; standard errors from the observed information; Wald tests (for
        log tau without meaning as a test of tau = 0: use `lr_test_group`).
    tau : float
        Standard deviation of the intercepts, on the scale of y.
    boundary : bool
        No tau above 0 is better than 0. Then `tau` is 0, log tau is -inf without standard error, and everything else
        is that of the pooled fit.
    llf, aic, bic, nobs : float
        `nobs` is the number of people; tau counts as a parameter, at the boundary too.
    n_groups : int
        Groups with evidence.
    quadrature_error : float
        Relative change of the log-likelihood under twice the nodes.
    least_information : float
        Information in the direction known least, as a share of that of exact normal data; 1 at the boundary, where it
        is not asked for.
    pooled : IntervalRegressionResults
        The fit without group intercepts.
    """

    def __init__(self, model, pooled: IntervalRegressionResults, found: Maximum | None, share: float, error: float):
        self.model, self.pooled, self._found = model, pooled, found
        self.boundary = found is None
        self._free = np.ones(len(model.param_names), dtype=bool)
        values = np.append(pooled.params, -np.inf) if found is None else found.params[0]
        self.params = pd.Series(values, index=model.param_names)
        self.tau = float(np.exp(values[-1]))
        self.llf = pooled.llf if found is None else float(found.value[0])
        self.converged = True
        self.n_iter = pooled.n_iter if found is None else int(found.n_iter[0])
        self.nobs, self.n_groups = model.likelihood.people, model.n_groups
        self.least_information, self.quadrature_error = share, error
        self._cov = self._inverse_information()

    def _inverse_information(self) -> np.ndarray:
        if self._found is not None:
            return np.linalg.inv(-self._found.hessian[0])
        cov = np.full((len(self.params),) * 2, np.nan)
        cov[:-1, :-1] = self.pooled.cov_params()
        return cov

    def _profile_intervals(self, alpha: float) -> pd.DataFrame:
        """The lower end for log tau is -inf where tau = 0 is not rejected."""
        ends = {name: profile_interval_of_parameter(self, name, alpha) for name in self.params.index[:-1]}
        ends[LOG_SD] = self._profile_of_tau(alpha)
        return pd.DataFrame.from_dict(ends, orient="index", columns=["lower", "upper"])

    def _profile_of_tau(self, alpha: float) -> tuple[float, float]:
        cut = float(stats.chi2.isf(alpha, 1))
        at_zero = 2.0 * (self.llf - self.pooled.llf)
        state = {"start": None}

        def excess(log_tau: float) -> float:
            deviance, state["start"] = deviance_at(self, LOG_SD, log_tau, state["start"])
            return deviance - cut

        typical = float(np.mean(self.model._split(self.params.to_numpy())[1]))
        inner = typical - 3.0 if self.boundary else float(self.params[LOG_SD])
        lower = -np.inf if at_zero <= cut else self._crossing(excess, inner, -0.5)
        state["start"] = None
        return lower, self._crossing(excess, inner, 0.5)

    @staticmethod
    def _crossing(excess, inner: float, step: float) -> float:
        """Where `excess` turns positive, going from `inner`, where it is not, in growing steps."""
        for _ in range(40):
            outer = inner + step
            if excess(outer) >= 0:
                return float(optimize.brentq(excess, *sorted((inner, outer)), xtol=1e-9))
            inner, step = outer, 1.3 * step
        return float(np.sign(step) * np.inf)

    def lr_test_group(self) -> GroupTest:
        """Test that groups do not differ (tau = 0).

        Twice the rise of the log-likelihood over the pooled fit. Since tau cannot be negative, its distribution under
        tau = 0 is, for many groups, half a point mass at 0 and half a chi-square with one degree of freedom (Self &
        Liang 1987, J. Am. Stat. Assoc. 82: 605-610, case 5).
        """
        statistic = max(2.0 * (self.llf - self.pooled.llf), 0.0)
        return GroupTest(statistic, 1.0 if statistic == 0.0 else 0.5 * float(stats.chi2.sf(statistic, 1)))

    # --- Groups -------------------------------------------------------------------------------------------------

    @cached_property
    def _intercepts(self) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and variance of each u_g, (G,), at the estimated parameters."""
        if self.boundary:
            zero = np.zeros(len(self.model.group_names))
            return zero, zero
        with np.errstate(all="ignore"):
            at = self.model._posterior(self.params.to_numpy(), self.model.nodes)
        mean = np.sum(at.probability * at.v, axis=0)
        variance = np.sum(at.probability * (at.v - mean) ** 2, axis=0)
        return self.tau * mean, self.tau**2 * variance

    def group_effects(self) -> pd.DataFrame:
        """What is known of each group's intercept.

        Posterior moments are taken at the estimated parameters, whose own uncertainty they leave out (empirical
        Bayes). `own_information` is 1 - Var(u_g | data) / tau²: the share of what is known of the group that its own
        rows say, the rest being the spread of the others. For exact normal data it is I / (I + 1 / tau²), with I the
        information of the group's rows on its intercept.

        Returns
        -------
        pandas.DataFrame
            Index: groups. Columns: `people`, `rows`, `posterior_mean` and `posterior_sd` (on the scale of y),
            `own_information`, `evidence` ("two-sided", "only at least X", "only at most X", "nothing"; where rows
            differ, X holds for all of them and the farthest bound is told beside it). At the boundary all
            intercepts are 0, without a posterior: `posterior_sd` is NaN and `own_information` 0.
        """
        mean, variance = self._intercepts
        table = self.model.evidence[["people", "rows"]].copy()
        table["posterior_mean"] = mean
        table["posterior_sd"] = np.nan if self.boundary else np.sqrt(variance)
        table["own_information"] = 0.0 if self.boundary else 1.0 - variance / self.tau**2
        table["evidence"] = self.model.evidence["evidence"]
        return table

    def common_median(self, alpha: float = 0.05) -> tuple[float, float, float]:
        """Median length at the common level, and its Wald interval, in the unit of the bounds.

        That of a group whose intercept is 0 and whose covariates, of location and scale, are the means over groups,
        each group with the same weight.
        """
        x, z = (covariates.mean(axis=0) for covariates in self.model._mean_design())
        params, k = self.params.to_numpy()[:-1], len(x)
        at_scale = np.exp(z @ params[k:]) * float(self.model.likelihood.family.quantile(0.5))
        middle, slope = x @ params[:k] + at_scale, np.concatenate([x, at_scale * z])
        half = stats.norm.isf(alpha / 2) * np.sqrt(slope @ self._cov[:-1, :-1] @ slope)
        ends = np.array([middle, middle - half, middle + half])
        return tuple((np.exp(ends) if self.model.pooled.link == "log" else ends).tolist())

    def shrunken_median(
        self, exog=None, least_information: float = 0.5, *, exog_scale=None, alpha: float = 0.05
    ) -> pd.DataFrame:
        """Median length in each group, drawn towards the other groups, where the group's own evidence allows one.

        The median of T at x'b + E[u_g | data], in the unit of the bounds. Its interval is that of u_g alone (normal,
        with the posterior's standard deviation): the coefficients' uncertainty is left out.

        Parameters
        ----------
        exog : array_like, shape (k,) or (G, k), optional
            Covariates. Default: each group's own, averaged over its people.
        least_information : float
            No median is given to groups whose `own_information` is less.
        exog_scale : array_like, shape (q,) or (G, q), optional
            Covariates of the scale. Default: each group's own.
        alpha : float
            One minus the coverage of the interval.

        Returns
        -------
        pandas.DataFrame
            Index: groups. Columns: `median`, `lower`, `upper` (NaN where refused), `scale` (sigma), `own_information`,
            `evidence`, `said`: "estimated", or what can be said instead of a number.

        Raises
        ------
        ValueError
            Covariates of the wrong shape, or `least_information` not between 0 and 1.
        """
        if not 0 <= least_information <= 1:
            raise ValueError(f"least_information is {least_information!r}; it must be a share between 0 and 1")
        own = self.model._mean_design()
        x, z = (
            mean if given is None else _covariates(given, mean.shape, what)
            for given, mean, what in zip((exog, exog_scale), own, ("exog", "exog_scale"), strict=True)
        )
        params, k = self.params.to_numpy(), x.shape[1]
        effects = self.group_effects()
        sigma, median_of_e = np.exp(z @ params[k:-1]), float(self.model.likelihood.family.quantile(0.5))
        middle = x @ params[:k] + effects["posterior_mean"].to_numpy() + sigma * median_of_e
        half = stats.norm.isf(alpha / 2) * effects["posterior_sd"].to_numpy()
        table = pd.DataFrame({"median": middle, "lower": middle - half, "upper": middle + half}, index=effects.index)
        if self.model.pooled.link == "log":
            table = np.exp(table)
        table["scale"] = sigma
        table["own_information"], table["evidence"] = effects["own_information"], effects["evidence"]
        two_sided, enough = self.model.evidence["two_sided"], table["own_information"] >= least_information
        table["said"] = [
            self._said(own_share, words, both, least_information)
            for own_share, words, both in zip(table["own_information"], table["evidence"], two_sided, strict=True)
        ]
        table.loc[~(two_sided & enough) | self.boundary, ["median", "lower", "upper"]] = np.nan
        return table

    def _said(self, share: float, words: str, two_sided: bool, least: float) -> str:
        if not two_sided:
            return f"{words} is known"
        if self.boundary:
            return "no difference between groups is found: only what all have in common is estimated"
        if share < least:
            return f"own evidence carries {share:.2f} of the information, less than {least:g}"
        return "estimated"

    def summary(self, alpha: float = 0.05) -> Summary:
        """Table of the fit, as statsmodels prints them."""
        model, inner = self.model, self.model.pooled
        interval, test = self.conf_int(alpha), self.lr_test_group()
        top = [
            ["Distribution:", f"{inner.dist}, {inner.link} link", "Log-likelihood:", f"{self.llf:.6g}"],
            ["People:", f"{self.nobs:.6g}", "AIC:", f"{self.aic:.6g}"],
            ["Groups:", f"{self.n_groups}", "BIC:", f"{self.bic:.6g}"],
            [
                "Rows (distinct):",
                f"{len(inner.low)} ({len(model.likelihood.kind)})",
                "Nodes:",
                f"{model.nodes}, {model.quadrature}",
            ],
            ["Grid:", f"{inner.grid:g}", "Quadrature error:", f"{self.quadrature_error:.1g}"],
        ]
        body = [
            [f"{v:.4f}" for v in row]
            for row in np.column_stack([self.params, self.bse, self.tvalues, self.pvalues, interval])
        ]
        heads = ["coef", "std err", "z", "P>|z|", f"[{alpha / 2:g}", f"{1 - alpha / 2:g}]"]
        summary = Summary()
        summary.tables = [
            SimpleTable(top, title="Interval regression with group intercepts"),
            SimpleTable(body, headers=heads, stubs=list(self.params.index)),
        ]
        found = (
            "No difference between groups is found: tau = 0 is best, and the rest is the fit without them."
            if self.boundary
            else f"Standard deviation between groups {self.tau:.4g}; likelihood ratio against none "
            f"{test.statistic:.4g}, p = {test.p_value:.3g} (half a chi-square with 1 df)."
        )
        kinds = model.evidence["evidence"].str.replace(r"(only at least|only at most) .*", r"\1 some value", regex=True)
        told = ", ".join(f"{name} {count}" for name, count in kinds.value_counts().items())
        summary.add_extra_txt([found, f"Groups by evidence: {told}"])
        return summary


def _kept_apart(own: Likelihood, code: np.ndarray) -> tuple[Likelihood, np.ndarray]:
    """The rows of a likelihood, split by group where several groups share one, and the group of each.

    Parameters
    ----------
    code : numpy.ndarray, shape (N,)
        Group of each given row.
    """
    used = np.flatnonzero(own.row_of >= 0)
    pairs, place = np.unique(np.column_stack([own.row_of[used], code[used]]), axis=0, return_inverse=True)
    rows, place = pairs[:, 0], place.ravel()
    row_of = np.full(len(own.row_of), -1)
    row_of[used] = place
    split = {name: getattr(own, name)[rows] for name in ("kind", "middle", "width", "exog", "exog_scale", "size")}
    weight = np.bincount(place, own.given_weight[used], len(rows))
    truncation = None if own.truncation is None else own.truncation[rows]
    return replace(own, **split, weight=weight, truncation=truncation, row_of=row_of), pairs[:, 1]


@lru_cache(maxsize=16)
def _hermite(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes x, and log weights, with which the sum of exp(h(x) + log weight) is ∫ exp(h(x)) dx / sqrt(2 pi)."""
    x, weight = special.roots_hermitenorm(nodes)
    far = weight > 0  # the outermost weights of very many nodes underflow
    x, weight = x[far], weight[far]
    return x, np.log(weight) + 0.5 * x * x - 0.5 * np.log(2.0 * np.pi)


@lru_cache(maxsize=16)
def _legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for the integral over [-1, 1]."""
    x, weight = special.roots_legendre(nodes)
    return x, np.log(weight) - 0.5 * np.log(2.0 * np.pi)


def _in_words(lows: np.ndarray, highs: np.ndarray) -> str:
    """What one-sided bounds have in common; the farthest is told beside it where they differ."""
    if len(lows) and len(highs):
        return "two-sided"
    if not len(lows) and not len(highs):
        return "nothing"
    side, common, farthest = ("least", lows.min(), lows.max()) if len(lows) else ("most", highs.max(), highs.min())
    beside = "" if common == farthest else f" (for some {farthest:g})"
    return f"only at {side} {common:g}{beside}"


def _covariates(given, shape: tuple[int, int], what: str) -> np.ndarray:
    values = np.asarray(given, dtype=float)
    if values.shape not in ((shape[1],), (1, shape[1]), shape):
        raise ValueError(f"{what} has shape {values.shape}; it must be {(shape[1],)} or {shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what} has missing or infinite values")
    return np.broadcast_to(values, shape)
