"""What became of convicted people when part of the outcomes is unknown: multinomial and Dirichlet-multinomial shares
of prison, suspended and other sanctions, and the hurdle model that joins such a share to a model of sentence length.

Notation: group i has x_c people known to be in category c, and a remainder of r people known only to be in one of the
categories of a set S; n is the sum of all; p_c are probabilities, a_c = A p_c the Dirichlet's parameters, A its
precision.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import linalg, optimize, special, stats

from .errors import NotConverged, NotEstimable
from .likelihood import Evaluation
from .newton import maximise
from .results import LikelihoodResults

CATEGORIES = ("prison", "suspended", "other")
MODELS = ("multinomial", "dirichlet-multinomial")
_TWO_CATEGORY_NAMES = {"binomial": "multinomial", "beta-binomial": "dirichlet-multinomial"}

# A gain in log-likelihood below this share of its size is rounding, not evidence of overdispersion.
_GAIN = 1e-9
# A share below this, of a category nobody is known to be in, is tested for being exactly 0.
_SMALL_SHARE = 1e-3
_START_LOG_PRECISIONS = np.linspace(-6.0, 18.0, 25)
# Beyond, the urn differs from the multinomial by less than rounding does; a profile starts again from below.
_INFINITE_LOG_PRECISION = 25.0
_RESTART_LOG_PRECISION = 10.0
_SMALLEST_PRECISION = 1e-8


class NoOverdispersion(NotEstimable):
    """The groups differ no more than chance allows: the precision goes to infinity.

    Attributes
    ----------
    llf : float
        Log-likelihood of the multinomial, which is the limit (and the supremum) of the Dirichlet-multinomial's.
    """

    def __init__(self, llf: float):
        self.llf = llf
        super().__init__(
            "the groups differ no more than a multinomial lets them, so the precision of the Dirichlet-multinomial "
            f"goes to infinity; the multinomial is its limit, with log-likelihood {llf:.6f}: fit(model='multinomial')"
        )


class Bounds(NamedTuple):
    """Smallest and largest share that the counts allow, and the number of convicted people they are shares of."""

    lower: float
    upper: float
    n_convicted: float


class OverdispersionTest(NamedTuple):
    """Likelihood ratio of the Dirichlet-multinomial against the multinomial, and its boundary p value."""

    statistic: float
    p_value: float


# ---------------------------------------------------------------------------- likelihood


class _Evidence(NamedTuple):
    """The people who tell something: known counts, remainder and its set. Where r = 0 the set is everything."""

    x: np.ndarray  # (g, K)
    r: np.ndarray  # (g,)
    among: np.ndarray  # (g, K), 0 or 1

    @property
    def n(self) -> np.ndarray:
        return self.x.sum(axis=1) + self.r

    def keeping(self, categories: np.ndarray) -> "_Evidence":
        return _Evidence(self.x[:, categories], self.r, self.among[:, categories])


def _log_rising(a: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log Gamma(a + n) - log Gamma(a) and its first two derivatives in a, for a > 0 and n >= 0.

    From a = 20 on by Stirling's series (with terms to a^-11, below rounding there) arranged so that nothing cancels:
    differences of the functions themselves lose all digits of the score when the precision is large.
    """
    a, n = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(n, dtype=float))
    parts = np.zeros((3, *a.shape))
    small, large = (n > 0) & (a < 20), (n > 0) & (a >= 20)
    if small.any():
        below, above = a[small], a[small] + n[small]
        for order, function in enumerate((special.gammaln, special.digamma, _trigamma)):
            parts[order, small] = function(above) - function(below)
    if large.any():
        b, m = a[large], n[large]
        z, t = b + m, m / b
        parts[0, large] = (b - 0.5) * np.log1p(t) - m + m * np.log(z)
        parts[1, large] = np.log1p(t) + t / (2 * z)
        parts[2, large] = -t / z - t * (b + z) / (2 * b * z**2)
        for j, bernoulli in ((2, 1 / 6), (4, -1 / 30), (6, 1 / 42), (8, -1 / 30), (10, 5 / 66), (12, -691 / 2730)):
            parts[0, large] += bernoulli / (j * (j - 1)) * (z ** (1 - j) - b ** (1 - j))
            parts[1, large] -= bernoulli / j * (z**-j - b**-j)
            parts[2, large] += bernoulli * (z ** (-j - 1) - b ** (-j - 1))
    return parts[0], parts[1], parts[2]


def _trigamma(z: np.ndarray) -> np.ndarray:
    return special.polygamma(1, z)


def _log_power(a: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n log a and its first two derivatives in a: what `_log_rising` tends to when a is large beside n."""
    a, n = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(n, dtype=float))
    base = np.where(n == 0, 1.0, a)
    return n * np.log(base), n / base, -n / base**2


def _in_masses(evidence: _Evidence, masses: np.ndarray, urn: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood, gradient (K,) and Hessian (K, K) in unnormalised masses a (K,).

    With `urn`, Pólya's urn: a ball drawn is put back with another of its colour; without, the multinomial with
    probabilities a / sum(a).
    """
    x, r, among = evidence
    log_drawn = _log_rising if urn else _log_power
    in_set = among @ masses + ((among * x).sum(axis=1) if urn else 0.0)
    known, d_known, dd_known = log_drawn(masses, x)
    rest, d_rest, dd_rest = log_drawn(in_set, r)
    everyone, d_everyone, dd_everyone = log_drawn(masses.sum(), evidence.n)
    value = known.sum() + rest.sum() - everyone.sum()
    gradient = d_known.sum(axis=0) + d_rest @ among - d_everyone.sum()
    hessian = np.diag(dd_known.sum(axis=0)) + (among.T * dd_rest) @ among - dd_everyone.sum()
    return float(value), gradient, hessian


def _log_softmax(free_logits: np.ndarray) -> np.ndarray:
    """Log shares of the categories whose logits relative to the last one are given."""
    logits = np.append(free_logits, 0.0)
    return logits - special.logsumexp(logits)


class _Objective:
    """Log-likelihood with analytic gradient and Hessian in free parameters.

    The parameters are the logits of the categories of a block relative to its last one and, with `urn`, the log
    precision. The block is everything, or everything but the category `held`, whose own logit against all others
    is then held at `held_logit`.
    """

    def __init__(self, evidence: _Evidence, urn: bool, held: int | None = None, held_logit: float = 0.0):
        self.evidence, self.urn, self.held = evidence, urn, (held, held_logit)
        n_categories = evidence.x.shape[1]
        self.block = np.array([c for c in range(n_categories) if c != held])
        self.outside = np.zeros(n_categories)
        if held is not None:
            self.outside[held] = -np.logaddexp(0.0, -held_logit)
            self.outside[self.block] = -np.logaddexp(0.0, held_logit)

    def log_masses(self, params: np.ndarray) -> np.ndarray:
        logits = params[:-1] if self.urn else params
        log_masses = self.outside + (params[-1] if self.urn else 0.0)
        log_masses[self.block] += _log_softmax(logits)
        return log_masses

    def __call__(self, params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        params = np.asarray(params, dtype=float)
        if self.urn and params[-1] > _INFINITE_LOG_PRECISION:
            value, gradient, hessian = _Objective(self.evidence, False, *self.held)(params[:-1])
            return value, np.append(gradient, 0.0), np.pad(hessian, (0, 1))
        masses = np.exp(self.log_masses(params))
        value, by_mass, by_masses = _in_masses(self.evidence, masses, self.urn)
        by_log = masses * by_mass
        by_logs = np.outer(masses, masses) * by_masses + np.diag(by_log)
        shares = np.exp(_log_softmax(params[:-1] if self.urn else params))[:-1]
        jacobian = np.zeros((len(masses), len(params)))
        jacobian[self.block, : len(shares)] = -shares
        jacobian[self.block[:-1], np.arange(len(shares))] += 1.0
        if self.urn:
            jacobian[:, -1] = 1.0
        hessian = jacobian.T @ by_logs @ jacobian
        bend = by_log[self.block].sum() * (np.diag(shares) - np.outer(shares, shares))
        hessian[: len(shares), : len(shares)] -= bend
        return value, by_log @ jacobian, hessian


class _Optimum(NamedTuple):
    params: np.ndarray
    value: float
    hessian: np.ndarray
    stationary: bool  # no step promises a gain
    n_iter: int

    @property
    def concave(self) -> bool:
        return not self.params.size or bool(linalg.eigvalsh(-self.hessian)[0] > 0)


def _newton(objective, start: np.ndarray, maxiter: int, people: float) -> _Optimum:
    def one(params: np.ndarray, _) -> Evaluation:
        # A long trial step may overflow; it is taken back.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return Evaluation(*(np.array([part]) for part in objective(params[0])))

    found = maximise(one, start, people=np.array([people]), maxiter=maxiter)
    return _Optimum(
        found.params[0], float(found.value[0]), found.hessian[0], bool(found.converged[0]), int(found.n_iter[0])
    )


def _start_logits(evidence: _Evidence, each_group_once: bool = False) -> np.ndarray:
    """Logits of the shares when every remainder is spread evenly over its set: never 0, hence finite.

    The shares are of all people (best at a high precision) or the mean of the groups' shares (best at a low one).
    """
    spread = evidence.x + evidence.among * (evidence.r / evidence.among.sum(axis=1))[:, None]
    share = np.log((spread / evidence.n[:, None] if each_group_once else spread).sum(axis=0))
    return share[:-1] - share[-1]


def _climb_precision(evidence: _Evidence, maxiter: int) -> _Optimum:
    """The best of the maxima reached from every peak of the likelihood along the precision."""
    objective, people = _Objective(evidence, urn=True), evidence.n.sum()
    reached = []
    for each_group_once in (False, True):
        logits = _start_logits(evidence, each_group_once)
        starts = [np.append(logits, log_precision) for log_precision in _START_LOG_PRECISIONS]
        values = np.array([-np.inf, *(objective(start)[0] for start in starts), -np.inf])
        peaks = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:]))
        reached += [_newton(objective, starts[peak], maxiter, people) for peak in peaks]
    return max(reached, key=lambda optimum: optimum.value)


def _climb(evidence: _Evidence, urn: bool, maxiter: int) -> _Optimum:
    if urn:
        return _climb_precision(evidence, maxiter)
    return _newton(_Objective(evidence, urn=False), _start_logits(evidence), maxiter, evidence.n.sum())


def _categories_at_zero(evidence: _Evidence, urn: bool, optimum: _Optimum, maxiter: int) -> tuple[np.ndarray, float]:
    """Which categories' shares are 0 at the maximum (bool, (K,)), and the log-likelihood there.

    Only a category that nobody is known to be in can be. Its share is 0 when, with it left out and the rest
    maximised, a little mass in it would not raise the log-likelihood (Karush, Kuhn and Tucker).
    """
    masses = np.exp(_Objective(evidence, urn).log_masses(optimum.params))
    zero = (evidence.x.sum(axis=0) == 0) & (masses < _SMALL_SHARE * masses.sum())
    for needed in evidence.among[evidence.r > 0] > 0:
        if zero[needed].all():
            zero = zero & ~needed  # these people must be somewhere
    value = optimum.value
    while zero.any():
        kept = evidence.keeping(~zero)
        reduced = _climb(kept, urn, maxiter)
        at = np.zeros(len(masses))
        at[~zero] = np.exp(_Objective(kept, urn).log_masses(reduced.params))
        _, slope, _ = _in_masses(evidence, np.where(zero, 1e-300, at), urn)
        rising = zero & (slope > 1e-9 * evidence.n.sum() / at.sum())
        if not rising.any():
            return zero, max(value, reduced.value)
        zero = zero & ~rising
    return zero, value


# ---------------------------------------------------------------------------- model


class Custody:
    """Shares of the categories that convicted people's outcomes fall into, with remainders that are unknown.

    Unknown is not "not prison": people whose outcome is not reported are a remainder, and the model lets each of them
    be in any category of the remainder's set.

    The likelihood is the probability of an ordered sequence of people. For the multinomial it is

        prod_c p_c^x_c  (sum_{c in S} p_c)^r

    and for the Dirichlet-multinomial, where the categories of S aggregate within Pólya's urn,

        Gamma(A) / Gamma(A + n)  prod_c Gamma(a_c + x_c) / Gamma(a_c)  Gamma(a_S + x_S + r) / Gamma(a_S + x_S)

    with a_S and x_S sums over S: given the known people the probabilities are Dirichlet with parameters a + x, hence
    p_S is Beta(a_S + x_S, rest), and the last factor (with its share of the first) is the mean of p_S^r. The number
    of orderings is left out of every log-likelihood here (`log_coefficient` is its logarithm): it does not depend on
    the parameters.

    **Coarsening at random** (Heitjan & Rubin 1991) is assumed: whether a person's outcome is told, or only that
    it lies in S, must not depend on which outcome in S it was. It fails where, say, prison terms are reported
    and fines are not; the share of prison is then overestimated and no test in these data can tell. `bounds` assumes
    nothing of the kind. People of whom nothing is known (S is everything) leave the estimates as they are.

    Parameters
    ----------
    counts : array_like of float or pandas.DataFrame, shape (g, K)
        People known to be in each category, a row a group; K = 2 gives the binomial and beta-binomial. A frame's
        columns must be `categories`, in any order. Any real number from 0 on is allowed, since an averaged base
        makes fractions of people; between whole numbers the gamma functions interpolate. NaN in a cell means that
        the number was not reported: those people must be counted in `remainder` (all convicted of the group less the
        counts that are told), and their category must be in its set.
    remainder : array_like of float, shape (g,), optional
        Convicted people whose outcome is not in `counts`. Default: nobody. Must not be NaN: a group of unknown
        size cannot be used.
    remainder_among : array_like of bool or pandas.DataFrame, shape (g, K) or (K,), optional
        Categories that these people may be in. Default: all. "The others got sanctions without prison" is every
        category but prison.
    groups : sequence, length g, optional
        Labels of the groups, for messages and tables. Default: the frame's index, or positions.
    categories : sequence of str, length K
        Names of the categories; logits are relative to the last one.

    Attributes
    ----------
    n_convicted : float
        All people, known or not.
    nobs : float
        People who tell something: known, or in a remainder that excludes some category.
    n_groups : int
        Groups with such people.
    log_coefficient : float
        Log number of orderings, to be added to a log-likelihood for the probability of the counts; people of whom
        nothing is known are left out of it.

    Raises
    ------
    ValueError
        Shapes or labels that do not match, fewer than two categories, negative or infinite counts, NaN counts
        without a remainder whose set holds their category, a missing or negative remainder, a remainder that may
        be nowhere. The message names the groups.

    References
    ----------
    Heitjan & Rubin (1991), Ignorability and coarse data, Annals of Statistics 19, doi 10.1214/aos/1176348396.
    Mosimann (1962), On the compound multinomial distribution, Biometrika 49, doi 10.1093/biomet/49.1-2.65.
    """

    def __init__(
        self,
        counts: ArrayLike | pd.DataFrame,
        remainder: ArrayLike | None = None,
        remainder_among: ArrayLike | pd.DataFrame | None = None,
        *,
        groups: Sequence | None = None,
        categories: Sequence[str] = CATEGORIES,
    ):
        self.categories = tuple(categories)
        if len(set(self.categories)) != len(self.categories) or len(self.categories) < 2:
            raise ValueError(f"categories must be two or more different names; found {self.categories}")
        index = counts.index if isinstance(counts, pd.DataFrame) else None
        table = self._columns_in_order(counts, "counts").astype(float)
        if table.ndim != 2 or table.shape[1] != len(self.categories):
            raise ValueError(
                f"counts must have a row a group and a column for each of {', '.join(self.categories)}; "
                f"found shape {table.shape}"
            )
        self.groups = self._labels(groups, index, len(table))
        told = ~np.isnan(table)
        self._refuse((table < 0) | np.isinf(table), "counts must be numbers of people from 0 on")
        rest = self._remainder(remainder, index, len(table))
        among = self._sets(remainder_among, index, table.shape)
        if not told.all() and remainder is None:
            self._refuse(~told, "counts are missing: give the people they stand for in remainder")
        self._refuse(~told & ~among & (rest > 0)[:, None], "counts are missing, but remainder_among excludes them")
        self._refuse((rest > 0) & ~among.any(axis=1), "remainder_among leaves no category for the remainder")

        known = np.where(told, table, 0.0)
        # A remainder that can only be in one category is known.
        certain = among.sum(axis=1) == 1
        known = known + np.where(certain[:, None] & among, rest[:, None], 0.0)
        rest = np.where(certain, 0.0, rest)
        self.known, self.remainder, self.remainder_among = known, rest, among
        self.n_convicted = float(known.sum() + rest.sum())
        self._all_groups = _informative(known, rest, among)
        has_people = self._all_groups.n > 0
        self._evidence = _Evidence(*(part[has_people] for part in self._all_groups))
        self.nobs = float(self._evidence.n.sum())
        self.n_groups = int(has_people.sum())
        self.log_coefficient = float(
            special.gammaln(self._evidence.n + 1).sum()
            - special.gammaln(self._evidence.x + 1).sum()
            - special.gammaln(self._evidence.r + 1).sum()
        )

    def _columns_in_order(self, table, name: str) -> np.ndarray:
        if not isinstance(table, pd.DataFrame):
            return np.asarray(table)
        if sorted(map(str, table.columns)) != sorted(map(str, self.categories)):
            raise ValueError(
                f"{name} has the columns {', '.join(map(str, table.columns))}; they must be the categories "
                f"{', '.join(map(str, self.categories))}"
            )
        return table[list(self.categories)].to_numpy()

    def _labels(self, groups, index, n_groups: int) -> tuple:
        labels = range(n_groups) if index is None and groups is None else index if groups is None else groups
        if len(labels) != n_groups:
            raise ValueError(f"groups has {len(labels)} labels for {n_groups} rows of counts")
        return tuple(labels)

    def _refuse(self, wrong: np.ndarray, what: str) -> None:
        if not wrong.any():
            return
        rows = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        labels = ", ".join(str(self.groups[row]) for row in rows[:10]) + (", …" if len(rows) > 10 else "")
        columns = [self.categories[c] for c in np.flatnonzero(wrong.any(axis=0))] if wrong.ndim == 2 else []
        raise ValueError(f"groups {labels}{'; columns ' + ', '.join(columns) if columns else ''}: {what}")

    @staticmethod
    def _same_index(part, index, name: str) -> None:
        if index is not None and isinstance(part, pd.Series | pd.DataFrame) and not part.index.equals(index):
            raise ValueError(f"{name} is indexed differently from counts; put its rows in the same order")

    def _remainder(self, remainder, index, n_groups: int) -> np.ndarray:
        if remainder is None:
            return np.zeros(n_groups)
        self._same_index(remainder, index, "remainder")
        rest = np.asarray(remainder, dtype=float)
        if rest.shape != (n_groups,):
            raise ValueError(f"remainder must have one number for each of {n_groups} groups; found shape {rest.shape}")
        self._refuse(~(rest >= 0) | np.isinf(rest), "remainder must be a number of people from 0 on")
        return rest

    def _sets(self, among, index, shape: tuple[int, int]) -> np.ndarray:
        if among is None:
            return np.ones(shape, dtype=bool)
        self._same_index(among, index, "remainder_among")
        table = self._columns_in_order(among, "remainder_among")
        if table.shape not in (shape, shape[1:]):
            raise ValueError(f"remainder_among must have shape {shape} or {shape[1:]}; found {table.shape}")
        if not np.isin(table, (True, False)).all():
            raise ValueError("remainder_among must hold nothing but True and False")
        return np.broadcast_to(table.astype(bool), shape)

    # ------------------------------------------------------------------ likelihood in parameters

    def _objective(self, params: ArrayLike) -> tuple[float, np.ndarray, np.ndarray]:
        params = np.asarray(params, dtype=float)
        n_logits = len(self.categories) - 1
        if params.shape not in ((n_logits,), (n_logits + 1,)):
            raise ValueError(
                f"params must be {n_logits} logits, followed by the log precision for the Dirichlet-multinomial; "
                f"found shape {params.shape}"
            )
        return _Objective(self._evidence, urn=len(params) > n_logits)(params)

    def loglike(self, params: ArrayLike) -> float:
        """Log-likelihood: of the multinomial for K - 1 parameters (logits), of the Dirichlet-multinomial for K
        (logits, log precision)."""
        return self._objective(params)[0]

    def score(self, params: ArrayLike) -> np.ndarray:
        """Gradient of `loglike`, shape of `params`."""
        return self._objective(params)[1]

    def hessian(self, params: ArrayLike) -> np.ndarray:
        """Second derivatives of `loglike`, a square of the length of `params`."""
        return self._objective(params)[2]

    # ------------------------------------------------------------------ what needs no model

    def bounds(self, category: str | None = None, by_group: bool = False) -> Bounds | pd.DataFrame:
        """Smallest and largest share of a category among all convicted: nobody of the remainders in it, or everybody
        whom the remainder's set lets be in it. Nothing is assumed.

        Parameters
        ----------
        category : str, optional
            Default: a table of all categories.
        by_group : bool
            A table of one category's bounds, a row a group (NaN where a group has nobody).

        Returns
        -------
        Bounds or pandas.DataFrame
            Shares between 0 and 1; a frame has the columns `lower`, `upper` and `n_convicted`.

        Raises
        ------
        NotEstimable
            When there is nobody.
        ValueError
            Unknown category, or `by_group` without one.
        """
        if category is None:
            if by_group:
                raise ValueError(f"by_group needs a category: one of {', '.join(self.categories)}")
            return pd.DataFrame([self.bounds(c) for c in self.categories], index=self.categories)
        c = _position(category, self.categories)
        lower, total = self.known[:, c], self.known.sum(axis=1) + self.remainder
        upper = lower + np.where(self.remainder_among[:, c], self.remainder, 0.0)
        if by_group:
            size = np.where(total > 0, total, np.nan)
            table = {"lower": lower / size, "upper": upper / size, "n_convicted": total}
            return pd.DataFrame(table, index=list(self.groups))
        if self.n_convicted == 0:
            raise NotEstimable("nobody was convicted", rows=self.groups)
        return Bounds(float(lower.sum() / self.n_convicted), float(upper.sum() / self.n_convicted), self.n_convicted)

    # ------------------------------------------------------------------ fitting

    def fit(self, model: str = "multinomial", maxiter: int = 100) -> "CustodyResults":
        """Maximum likelihood by Newton's method.

        Parameters
        ----------
        model : {"multinomial", "dirichlet-multinomial"}
            For two categories "binomial" and "beta-binomial" are the same.
        maxiter : int
            Newton steps from each starting point.

        Returns
        -------
        CustodyResults

        Raises
        ------
        NotEstimable
            No group with people who tell something; a category whose share would be estimated as 0, or that the
            remainders do not tell from another; for the Dirichlet-multinomial also: a single group, no group of more
            than one person, a precision that goes to 0.
        NoOverdispersion
            (a `NotEstimable`) A precision that goes to infinity.
        NotConverged
            When `maxiter` steps do not reach a maximum.
        ValueError
            Unknown model.
        """
        urn = self._model_name(model) == "dirichlet-multinomial"
        self._refuse_without_evidence()
        if urn:
            self._refuse_without_variation()
            optimum = self._fit_urn(maxiter)
        else:
            optimum = _climb(self._evidence, urn=False, maxiter=maxiter)
            self._refuse_zero_shares(_categories_at_zero(self._evidence, False, optimum, maxiter)[0])
        if not (optimum.stationary and optimum.concave):
            raise NotConverged(
                f"no maximum after {optimum.n_iter} steps, at log-likelihood {optimum.value:.6f}"
                f"{'' if optimum.concave else ', where the Hessian is not negative definite'}"
            )
        return CustodyResults(self, "dirichlet-multinomial" if urn else "multinomial", optimum)

    def _model_name(self, model: str) -> str:
        names = (*MODELS, *_TWO_CATEGORY_NAMES) if len(self.categories) == 2 else MODELS
        if model not in names:
            raise ValueError(f"model {model!r} is not one of {', '.join(names)} for {len(self.categories)} categories")
        return _TWO_CATEGORY_NAMES.get(model, model)

    def _refuse_without_evidence(self) -> None:
        if not self.groups:
            raise NotEstimable("there is no group")
        if self.n_groups == 0 and self.n_convicted == 0:
            raise NotEstimable("nobody was convicted", rows=self.groups)
        if self.n_groups == 0:
            raise NotEstimable(
                "all people are in remainders that may be in any category, so nothing is known of their outcomes",
                rows=self.groups,
            )
        x, r, among = self._evidence
        seen = x.sum(axis=0) > 0
        self._refuse_zero_shares(~seen & ~(among[r > 0] > 0).any(axis=0))
        told = np.vstack([np.eye(len(seen))[seen], among[r > 0], np.ones(len(seen))])
        mixed = (np.abs(linalg.null_space(told)) > 1e-8).any(axis=1)
        if mixed.any():
            raise NotEstimable(
                "the remainders only tell the sum of these categories, and nobody is known to be in them",
                columns=self._names(mixed),
            )

    def _names(self, chosen: np.ndarray) -> list[str]:
        return [self.categories[c] for c in np.flatnonzero(chosen)]

    def _refuse_zero_shares(self, zero: np.ndarray) -> None:
        if zero.any():
            raise NotEstimable(
                "nobody is known to be in these categories and the likelihood is largest when their share is 0, "
                "where the logit is infinite: see bounds() for the shares the counts allow",
                columns=self._names(zero),
            )

    def _labels_with_people(self) -> list:
        return [label for label, n in zip(self.groups, self._all_groups.n, strict=True) if n > 0]

    def _refuse_without_variation(self) -> None:
        x, r, among = self._evidence
        if self.n_groups == 1:
            raise NotEstimable("one group does not show how groups differ", rows=self._labels_with_people())
        if (self._evidence.n <= 1).all():
            raise NotEstimable(
                "no group has more than one person of whom something is known: people of the same group cannot be "
                "compared",
                rows=self._labels_with_people(),
            )
        # E(p^n) is at most E(p) for n >= 1, with equality when p is 0 or 1: a precision of 0.
        one_outcome = ((x == x.sum(axis=1, keepdims=True)) & ((among > 0) | (r == 0)[:, None])).any(axis=1)
        if one_outcome.all() and (self._evidence.n >= 1).all():
            self._refuse_zero_precision()

    def _refuse_zero_precision(self) -> None:
        raise NotEstimable(
            "in every group all people may have had the same outcome, so the precision goes to 0",
            rows=self._labels_with_people(),
        )

    def _fit_urn(self, maxiter: int) -> _Optimum:
        limit = self._limit_llf(maxiter)
        optimum = _climb(self._evidence, urn=True, maxiter=maxiter)
        if np.exp(optimum.params[-1]) < _SMALLEST_PRECISION:
            self._refuse_zero_precision()
        if optimum.value <= limit + _GAIN * (1 + abs(limit)):
            raise NoOverdispersion(limit)
        self._refuse_zero_shares(_categories_at_zero(self._evidence, True, optimum, maxiter)[0])
        return optimum

    def _limit_llf(self, maxiter: int) -> float:
        """Supremum of the multinomial's log-likelihood, shares of 0 allowed."""
        optimum = _climb(self._evidence, urn=False, maxiter=maxiter)
        zero, llf = _categories_at_zero(self._evidence, False, optimum, maxiter)
        if not zero.any() and not optimum.stationary:
            raise NotConverged(f"no maximum of the multinomial, which is the limit, after {optimum.n_iter} steps")
        return llf


def _informative(known: np.ndarray, rest: np.ndarray, among: np.ndarray) -> _Evidence:
    """Leave out the people of whom nothing is known; an empty remainder gets the full set, so that no sum is 0."""
    tells = (rest > 0) & ~among.all(axis=1)
    return _Evidence(known, np.where(tells, rest, 0.0), np.where(tells[:, None], among, True).astype(float))


def _position(category: str, categories: tuple[str, ...]) -> int:
    if category not in categories:
        raise ValueError(f"category {category!r} is not one of {', '.join(categories)}")
    return categories.index(category)


# ---------------------------------------------------------------------------- results


class CustodyResults(LikelihoodResults):
    """A fitted `Custody`.

    Attributes
    ----------
    model : Custody
    model_name : {"multinomial", "dirichlet-multinomial"}
    params : pandas.Series
        `logit:CATEGORY` for each category but the last, log(p / p of the last); then `log_precision`, log A, of the
        Dirichlet-multinomial.
    bse : pandas.Series
        Standard errors from the observed information.
    llf : float
        Log-likelihood of an ordered sequence, without the multinomial coefficient (see `llf_with_coefficient`), so
        that both models can be compared.
    aic, bic : float
        The BIC's sample size is `nobs`.
    nobs, n_convicted : float
        People who tell something, and all.
    n_groups : int
    precision, intraclass_correlation : float
        A and rho = 1 / (1 + A), the correlation of two people of a group; infinity and 0 for the multinomial.
    converged : bool
        True: a fit that does not converge raises `NotConverged`.
    n_iter : int
    """

    def __init__(self, model: Custody, model_name: str, optimum: _Optimum):
        self.model, self.model_name = model, model_name
        self._urn = model_name == "dirichlet-multinomial"
        names = [f"logit:{category}" for category in model.categories[:-1]] + ["log_precision"] * self._urn
        self.params = pd.Series(optimum.params, index=names)
        self._cov = linalg.inv(-optimum.hessian)
        self._free = np.ones(len(names), dtype=bool)
        self.llf = optimum.value
        self.llf_includes_coefficient = False
        self.nobs, self.n_groups, self.n_convicted = model.nobs, model.n_groups, model.n_convicted
        self.converged, self.n_iter = True, optimum.n_iter
        self.precision = float(np.exp(optimum.params[-1])) if self._urn else np.inf
        self.intraclass_correlation = 1 / (1 + self.precision)

    @property
    def llf_with_coefficient(self) -> float:
        """Log probability of the counts in any order: `llf` plus `model.log_coefficient`."""
        return self.llf + self.model.log_coefficient

    @property
    def _shares(self) -> np.ndarray:
        return np.exp(_log_softmax(self.params.to_numpy()[: len(self.model.categories) - 1]))

    # ------------------------------------------------------------------ intervals

    def _deficit(self, objective, start: np.ndarray) -> tuple[float, np.ndarray]:
        """How far the likelihood's maximum lies above the objective's, and where the latter is."""
        optimum = _newton(objective, np.minimum(start, _RESTART_LOG_PRECISION), maxiter=200, people=self.nobs)
        deficit = self.llf - optimum.value
        if not optimum.stationary or deficit < -1e-6 * (1 + abs(self.llf)):
            raise NotConverged(
                f"the profile likelihood stopped at {optimum.value:.6f} after {optimum.n_iter} steps "
                f"(log-likelihood of the fit {self.llf:.6f})"
            )
        return deficit, optimum.params

    def _profile_interval(self, objective_at, start: np.ndarray, centre: float, step: float, drop: float) -> tuple:
        """Where the profile lies `drop` below its maximum, on either side; infinite where it never does."""
        ends = []
        for sign in (-1.0, 1.0):
            last = start

            def excess(value: float) -> float:
                nonlocal last
                deficit, last = self._deficit(objective_at(value), last)
                return deficit - drop

            inside, outside, stride = centre, centre + sign * step, step
            while abs(outside) < 60 and excess(outside) < 0:
                stride *= 1.5
                inside, outside = outside, outside + sign * stride
            found = abs(outside) < 60
            ends.append(optimize.brentq(excess, inside, outside, xtol=1e-10) if found else sign * np.inf)
        return tuple(ends)

    def conf_int(self, alpha: float = 0.05, method: str = "wald") -> pd.DataFrame:
        """Intervals of the parameters at level 1 - alpha, columns `lower` and `upper`.

        By profile likelihood the upper end of `log_precision` is infinite where the multinomial is not excluded.
        """
        _check_level(alpha, method)
        if method == "wald":
            half = stats.norm.isf(alpha / 2) * self.bse
            return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})
        values, drop = self.params.to_numpy(), stats.chi2.isf(alpha, 1) / 2
        whole = _Objective(self.model._evidence, self._urn)
        rows = []
        for j, name in enumerate(self.params.index):
            free = np.delete(np.arange(len(values)), j)
            rows.append(
                self._profile_interval(
                    lambda value, j=j, free=free: _with_one_held(whole, j, value, free),
                    values[free],
                    values[j],
                    self.bse[name],
                    drop,
                )
            )
        return pd.DataFrame(rows, index=self.params.index, columns=["lower", "upper"])

    def probabilities(self, alpha: float = 0.05, method: str = "profile") -> pd.DataFrame:
        """Share of each category among all convicted (the mean over groups of the Dirichlet-multinomial).

        Parameters
        ----------
        alpha : float
            One less the level of the intervals.
        method : {"profile", "wald"}
            Likelihood profile of each share, or Wald on the scale of its logit against all others.

        Returns
        -------
        pandas.DataFrame
            Index: categories. Columns `estimate`, `lower`, `upper`.
        """
        _check_level(alpha, method)
        shares = self._shares
        n_logits = len(shares) - 1
        # Of logit(p_c) by the logits: (1{c = d} - p_d) / (1 - p_c)
        jacobian = (np.eye(len(shares))[:, :-1] - shares[:-1]) / (1 - shares)[:, None]
        centre = special.logit(shares)
        errors = np.sqrt(np.einsum("cd,de,ce->c", jacobian, self._cov[:n_logits, :n_logits], jacobian))
        if method == "wald":
            half = stats.norm.isf(alpha / 2) * errors
            lower, upper = centre - half, centre + half
        else:
            drop = stats.chi2.isf(alpha, 1) / 2
            ends = [self._profile_of_share(c, centre[c], errors[c], drop) for c in range(len(shares))]
            lower, upper = np.array(ends).T
        table = {"estimate": shares, "lower": special.expit(lower), "upper": special.expit(upper)}
        return pd.DataFrame(table, index=list(self.model.categories))

    def _profile_of_share(self, c: int, centre: float, step: float, drop: float) -> tuple:
        log_others = np.log(np.delete(self._shares, c))
        start = log_others[:-1] - log_others[-1]
        if self._urn:
            start = np.append(start, self.params["log_precision"])
        evidence = self.model._evidence
        return self._profile_interval(
            lambda logit: _Objective(evidence, self._urn, held=c, held_logit=logit), start, centre, step, drop
        )

    def overdispersion(self, alpha: float = 0.05, method: str = "profile") -> pd.DataFrame:
        """Precision A and intraclass correlation 1 / (1 + A) with intervals at level 1 - alpha.

        Returns
        -------
        pandas.DataFrame
            Index `precision`, `intraclass_correlation`; columns `estimate`, `lower`, `upper`.

        Raises
        ------
        ValueError
            For the multinomial, which has none.
        """
        if not self._urn:
            raise ValueError("the multinomial has no overdispersion; see lr_test_overdispersion()")
        lower, upper = np.exp(self.conf_int(alpha, method).loc["log_precision"])
        rows = {
            "precision": (self.precision, lower, upper),
            "intraclass_correlation": (self.intraclass_correlation, 1 / (1 + upper), 1 / (1 + lower)),
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "lower", "upper"])

    def lr_test_overdispersion(self) -> OverdispersionTest:
        """Likelihood ratio test of the multinomial against the Dirichlet-multinomial.

        Under the multinomial 1 / A lies at its bound of 0, so the statistic is, with many groups, a 50:50 mixture of 0
        and chi-square with one degree of freedom (Self & Liang 1987, doi 10.1080/01621459.1987.10478472). Can be asked
        of either fit; where the maximum is the multinomial the statistic is 0 and p is 1.

        Raises
        ------
        NotEstimable
            Where the data show nothing of how groups differ (see `Custody.fit`).
        """
        if self._urn:
            gain = self.llf - self.model._limit_llf(maxiter=100)
        else:
            try:
                gain = self.model.fit("dirichlet-multinomial").llf - self.llf
            except NoOverdispersion:
                return OverdispersionTest(0.0, 1.0)
        return OverdispersionTest(2 * gain, 0.5 * float(stats.chi2.sf(2 * gain, 1)))

    # ------------------------------------------------------------------ groups

    def shrunken(self) -> pd.DataFrame:
        """Mean share of every category in each group, given the group's people and the fitted Dirichlet.

        Outside the remainder's set S the mean is (a_c + x_c) / (A + n); within it (a_S + x_S + r) / (A + n) is
        divided in the proportions a_c + x_c. The fitted parameters are taken as known. With the multinomial all groups
        have the same shares.

        Returns
        -------
        pandas.DataFrame
            Index: groups. A column for each category, then

            `n` : people of the group who tell something;
            `own_information` : n / (n + A), the weight of the group's own people in the shares of S as a whole and of
            the categories outside it; the rest of the weight is what all groups have in common;
            `own_information_within` : the smaller of that and x_S / (x_S + a_S), which is the weight in how S is
            divided; it holds for the categories of S. The same as `own_information` where nobody is in a remainder
            that tells something.
        """
        return self._posterior(self.model)

    def predict_group(
        self, counts: ArrayLike | None = None, remainder: float = 0.0, remainder_among: ArrayLike | None = None
    ) -> pd.Series:
        """As a row of `shrunken` for one group that need not be among those fitted.

        Parameters
        ----------
        counts : array_like of float, shape (K,), optional
            As in `Custody`, in the order of its categories. Default: nothing is known of the group.
        remainder : float
        remainder_among : array_like of bool, shape (K,), optional
        """
        categories = self.model.categories
        known = np.zeros(len(categories)) if counts is None else np.asarray(counts, dtype=float)
        group = Custody(known[None, :], [remainder], remainder_among, categories=categories)
        return self._posterior(group).iloc[0].rename(None)

    def _posterior(self, model: Custody) -> pd.DataFrame:
        shares, precision = self._shares, self.precision
        x, r, among = evidence = model._all_groups
        n = evidence.n
        if not self._urn:
            means, own, own_within = np.tile(shares, (len(n), 1)), np.zeros(len(n)), np.zeros(len(n))
        else:
            masses = precision * shares + x
            known_within, masses_within = (among * x).sum(axis=1), (among * masses).sum(axis=1)
            raised = np.where(among > 0, (1 + r / masses_within)[:, None], 1.0)
            means = masses * raised / (precision + n)[:, None]
            own = n / (n + precision)
            own_within = np.where(r > 0, np.minimum(own, known_within / masses_within), own)
        table = pd.DataFrame(means, index=list(model.groups), columns=list(model.categories))
        return table.assign(n=n, own_information=own, own_information_within=own_within)

    # ------------------------------------------------------------------ text

    def summary(self, alpha: float = 0.05) -> str:
        """The fit as text: people, parameters, shares, overdispersion, and what is assumed."""
        level = f"{100 * (1 - alpha):g}%"
        unknown = self.n_convicted - self.nobs
        parameters = pd.DataFrame({"estimate": self.params, "std err": self.bse}).join(self.conf_int(alpha))
        lines = [
            f"Custody: {self.model_name}",
            f"Convicted people {self.n_convicted:g}, of whom nothing is known of {unknown:g}; "
            f"people who tell something {self.nobs:g} in {self.n_groups} groups",
            f"Log-likelihood {self.llf:.4f} (of an ordered sequence: the multinomial coefficient, log "
            f"{self.model.log_coefficient:.4f}, is not included); AIC {self.aic:.4f}; BIC {self.bic:.4f}",
            "",
            f"Parameters (logits relative to {self.model.categories[-1]}; Wald intervals, {level})",
            parameters.to_string(float_format=_four_digits),
            "",
            f"Shares (profile likelihood intervals, {level}; outcomes coarsened at random)",
            self.probabilities(alpha).to_string(float_format=_four_digits),
            "",
            "Shares that the counts allow without an assumption",
            self.model.bounds().to_string(float_format=_four_digits),
        ]
        if self._urn:
            test = self.lr_test_overdispersion()
            lines += [
                "",
                f"Overdispersion (profile likelihood intervals, {level})",
                self.overdispersion(alpha).to_string(float_format=_four_digits),
                f"Likelihood ratio against the multinomial {test.statistic:.4f}, p = {test.p_value:.4g} "
                "(50:50 mixture of 0 and chi-square with 1 df)",
            ]
        return "\n".join(lines)


def _four_digits(value: float) -> str:
    return f"{value:.4f}"


def _check_level(alpha: float, method: str) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; found {alpha}")
    if method not in ("profile", "wald"):
        raise ValueError(f"method {method!r} is not one of profile, wald")


def _with_one_held(objective: _Objective, j: int, value: float, free: np.ndarray):
    def held(params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        whole, gradient, hessian = objective(np.insert(params, j, value))
        return whole, gradient[free], hessian[np.ix_(free, free)]

    return held


# ---------------------------------------------------------------------------- custody and length together


class Hurdle:
    """Share of unsuspended prison among convicted people, and the length of these terms, as one model.

    Of all convicted a share p is in `category`; their terms follow the length model; everybody else's term is 0. The
    likelihood factorises, so both parts are fitted on their own and their log-likelihoods add up.

    No correlation between being sent to prison and the length is modelled: given what the parts condition on, what
    decides on prison is taken to tell nothing about the term. No Heckman correction is offered: without a variable
    that moves the first decision and not the second (an exclusion restriction) it is identified by the shape of the
    normal distribution alone and tends to be worse than none (Bushway, Johnson & Slocum 2007,
    doi 10.1007/s10940-007-9024-4). The length model has to be of the terms of people in `category` and nobody else;
    that cannot be checked here.

    Parameters
    ----------
    custody_results : CustodyResults
    length_results : results object
        Anything with `llf`, `params` (pandas.Series), `cov_params()` and `predict(what=…)` for `what="survival"` (with
        `at=` months) and `what="quantile"` (with `q=`), such as the results of `IntervalRegression`.
    category : str
        The category whose terms have a length.

    Attributes
    ----------
    probability : float
        p.
    llf, aic : float
        There is no BIC: the parts count different people.
    params, bse : pandas.Series
        Named `custody:…` and `length:…`.
    converged : bool

    Raises
    ------
    ValueError
        Unknown category.
    TypeError
        `length_results` lacks what is needed.
    """

    def __init__(self, custody_results: CustodyResults, length_results, category: str = "prison"):
        c = _position(category, custody_results.model.categories)
        missing = [name for name in ("llf", "params", "cov_params", "predict") if not hasattr(length_results, name)]
        if missing:
            raise TypeError(f"length_results has no {', '.join(missing)}")
        self.custody, self.length, self.category = custody_results, length_results, category
        self.probability = float(custody_results._shares[c])
        self.llf = float(custody_results.llf + length_results.llf)
        self.params = pd.concat(
            [custody_results.params.add_prefix("custody:"), length_results.params.add_prefix("length:")]
        )
        self.converged = bool(custody_results.converged and getattr(length_results, "converged", True))

    @property
    def aic(self) -> float:
        return -2 * self.llf + 2 * len(self.params)

    def cov_params(self) -> pd.DataFrame:
        """Covariance of all parameters; between the parts it is 0."""
        blocks = linalg.block_diag(self.custody.cov_params(), self.length.cov_params())
        return pd.DataFrame(blocks, index=self.params.index, columns=self.params.index)

    @property
    def bse(self) -> pd.Series:
        return pd.Series(np.sqrt(np.diag(self.cov_params())), index=self.params.index)

    def survival(self, at, **of_whom):
        """Share of all convicted people with an unsuspended prison term longer than `at` months (from 0 on).

        `of_whom` (`exog`, `exog_scale`) is handed to the length model's `predict`, which also sets the shape.
        """
        if not (np.asarray(at, dtype=float) >= 0).all():
            raise ValueError(f"at must be months from 0 on; found {at}")
        return self.probability * self.length.predict(what="survival", at=at, **of_whom)

    def quantile(self, q, **of_whom):
        """Term in months not exceeded by the share `q` of all convicted people; 0 for all q up to 1 - p.

        Parameters
        ----------
        q : float or array_like of float
            From 0 to below 1.
        of_whom
            `exog`, `exog_scale`: handed to the length model's `predict`.

        Returns
        -------
        float or numpy.ndarray
            One entry (of the length model's shape, if that is an array) for each q.
        """
        shares = np.asarray(q, dtype=float)
        if not ((shares >= 0) & (shares < 1)).all():
            raise ValueError(f"q must lie between 0 and 1 (1 excluded); found {q}")
        without = 1 - self.probability
        # The length model is asked at its median where the answer is 0, only for the shape of the answer.
        terms = [
            self.length.predict(what="quantile", q=(share - without) / self.probability, **of_whom)
            if share > without
            else 0.0 * self.length.predict(what="quantile", q=0.5, **of_whom)
            for share in shares.ravel()
        ]
        if shares.ndim == 0:
            return terms[0]
        return np.array(terms).reshape(shares.shape + np.shape(terms[0]))

    def summary(self) -> str:
        """Both parts as text, and what is assumed."""
        table = pd.DataFrame({"estimate": self.params, "std err": self.bse})
        return "\n".join(
            [
                f"Hurdle: {self.category} among all convicted people, and the length of these terms",
                f"Log-likelihood {self.llf:.4f} = custody {self.custody.llf:.4f} + length {self.length.llf:.4f}; "
                f"AIC {self.aic:.4f}",
                f"Share of {self.category} {self.probability:.4f}",
                "No correlation between the parts is modelled, and no selection is corrected for.",
                "",
                table.to_string(float_format=_four_digits),
            ]
        )
