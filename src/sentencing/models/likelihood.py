"""The log-likelihood of a location-scale model for mixed evidence, with its gradient and Hessian.

    y = x'b + sigma e,  log sigma = z'g;  y the length itself or its logarithm

A row is an exact value, an interval (possibly open on one side) or the average of several people. Everything is
computed for many parameter vectors at once (first axis), so that bootstrap replicates are arrays and not a loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

EXACT, CELL, BELOW, ABOVE, AVERAGE, OPEN = range(6)
KINDS = ("exact", "interval", "open below", "open above", "average", "open on both sides")

# Elements worked on at a time: the temporary arrays of one piece then stay in the processor's cache.
_PIECE = 8192


class UnknownSize(NamedTuple):
    """A group whose number of people is not printed, but can only be one of several.

    Its contribution to the log-likelihood is log sum_s exp(log_weight[s] + sum_r counts[s, r] l_r), l_r being the log
    probability of row r: the sizes are marginalised over, not chosen.
    """

    rows: Sequence[int]  # positions of its rows, length m; their own weights are not used
    counts: np.ndarray  # (S, m) people of each row under each possible size
    log_weight: np.ndarray  # (S,) log prior of each size plus the log number of arrangements it stands for


class Evaluation(NamedTuple):
    """Value (B,), gradient (B, p) and Hessian (B, p, p) of the log-likelihood at B parameter vectors."""

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray


class _Derivatives(NamedTuple):
    """Of each row's contribution by its linear predictors eta = x'b and s = log sigma; arrays (B, n)."""

    value: np.ndarray
    eta: np.ndarray
    s: np.ndarray
    eta_eta: np.ndarray
    eta_s: np.ndarray
    s_s: np.ndarray


@dataclass(frozen=True)
class Likelihood:
    """Rows grouped by kind, identical ones collapsed, ready to be evaluated.

    Build it with `Likelihood.of`. n rows are left of the N that were given; p = k + q parameters.
    """

    family: type
    log_link: bool
    kind: np.ndarray  # (n,) ascending, so that each kind is one slice
    middle: np.ndarray  # (n,) midpoint of a cell; the value, bound or average otherwise. On the scale of y, but
    width: np.ndarray  # (n,) averages on the scale of the length itself, since they are no averages of y
    truncation: np.ndarray | None  # (n, 2) window on the scale of y, infinite where open
    exog: np.ndarray  # (n, k)
    exog_scale: np.ndarray  # (n, q)
    weight: np.ndarray  # (n,) sum of the weights collapsed into the row; 1 for averages
    size: np.ndarray  # (n,) people behind an average; 1 otherwise
    row_of: np.ndarray  # (N,) row each given row went to; -1 where left out
    given_weight: np.ndarray  # (N,) weight of each given row
    unknown_sizes: tuple[UnknownSize, ...]  # rows renumbered
    constant: float

    @classmethod
    def of(
        cls, kind, middle, width, truncation, exog, exog_scale, weights, *, family, log_link, unknown_sizes=(), constant
    ) -> "Likelihood":
        """Leave out rows that say nothing, collapse those that are identical, and sort the rest by kind.

        Parameters
        ----------
        kind, middle, width, weights : numpy.ndarray, shape (N,)
            As described by the fields; `weights` of averages are the people behind them.
        truncation : numpy.ndarray, shape (N, 2), or None
        exog : numpy.ndarray, shape (N, k)
        exog_scale : numpy.ndarray, shape (N, q)
        family : class of `families`
        log_link : bool
        unknown_sizes : sequence of UnknownSize
        constant : float
            Added to the log-likelihood.
        """
        grouped = np.zeros(len(kind), dtype=bool)
        for group in unknown_sizes:
            grouped[list(group.rows)] = True
        weights = np.where(grouped, 1.0, weights)
        keep = np.flatnonzero((weights > 0) & (kind != OPEN))
        average = kind == AVERAGE
        columns = [kind.astype(float), middle, width, *exog.T]
        columns += [] if _constant(exog_scale) else list(exog_scale.T)
        columns += [] if truncation is None else list(truncation.T)
        if average.any() or grouped.any():  # these keep a row of their own
            columns.append(np.where(average | grouped, np.arange(len(kind)) + 1.0, 0.0))
        label, first = _identical([c if len(keep) == len(kind) else c[keep] for c in columns])
        order = np.argsort(kind[keep][first], kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        row_of = np.full(len(kind), -1)
        row_of[keep] = place[label]
        chosen = keep[first[order]]
        summed = np.bincount(row_of[keep], weights=weights[keep], minlength=len(chosen))
        is_average = average[chosen]
        return cls(
            family,
            log_link,
            kind[chosen],
            middle[chosen],
            width[chosen],
            None if truncation is None else truncation[chosen],
            np.ascontiguousarray(exog[chosen]),
            np.ascontiguousarray(exog_scale[chosen]),
            np.where(is_average, 1.0, summed),
            np.where(is_average, weights[chosen], 1.0),
            row_of,
            np.where(average, 1.0, weights) * (row_of >= 0),
            tuple(_renumbered(group, row_of) for group in unknown_sizes),
            float(constant),
        )

    @property
    def n_params(self) -> int:
        return self.exog.shape[1] + self.exog_scale.shape[1]

    @cached_property
    def one_scale(self) -> bool:
        return _constant(self.exog_scale)

    @cached_property
    def grouped(self) -> np.ndarray:
        """(n,) bool: rows of groups of unknown size."""
        grouped = np.zeros(len(self.kind), dtype=bool)
        for group in self.unknown_sizes:
            grouped[group.rows] = True
        return grouped

    @cached_property
    def people(self) -> float:
        """Sum of the weights, averages by the people behind them and unknown sizes at their smallest."""
        sure = float(np.sum((self.weight * self.size)[~self.grouped]))
        return sure + sum(float(group.counts.sum(axis=1).min()) for group in self.unknown_sizes)

    @cached_property
    def mean_weight(self) -> np.ndarray:
        """(n,) people in each row; of groups of unknown size the mean of their possible counts."""
        weight = np.where(self.grouped, 0.0, self.weight * self.size)
        for group in self.unknown_sizes:
            weight[group.rows] += group.counts.mean(axis=0)
        return weight

    def thinned(self, step: int) -> "Likelihood":
        """Every `step`-th row, for starting values; only without groups of unknown size."""
        some = slice(None, None, step)
        short = {
            name: getattr(self, name)[some]
            for name in ("kind", "middle", "width", "exog", "exog_scale", "weight", "size")
        }
        truncation = None if self.truncation is None else self.truncation[some]
        return replace(self, **short, truncation=truncation, row_of=np.arange(0), given_weight=np.arange(0.0))

    # --- Derivatives of rows ------------------------------------------------------------------------------------

    def _rows(self, theta: np.ndarray, rows: slice) -> _Derivatives:
        k = self.exog.shape[1]
        eta = theta[:, :k] @ self.exog[rows].T
        s = theta[:, k:] if self.one_scale else theta[:, k:] @ self.exog_scale[rows].T
        out = _Derivatives(*(np.empty(eta.shape) for _ in _Derivatives._fields))
        kinds = self.kind[rows]
        edges = np.searchsorted(kinds, np.arange(len(KINDS) + 1))
        for kind in np.flatnonzero(np.diff(edges)):
            part = slice(edges[kind], edges[kind + 1])
            whole = slice(rows.start + part.start, rows.start + part.stop)
            found = self._of_kind(kind, whole, eta[:, part], s if self.one_scale else s[:, part])
            for target, value in zip(out, found, strict=True):
                target[:, part] = value
        if self.truncation is not None:
            for target, value in zip(out, self._window(rows, eta, s), strict=True):
                target -= value
        return out

    def _of_kind(self, kind: int, rows: slice, eta: np.ndarray, s: np.ndarray) -> _Derivatives:
        middle, family, inverse = self.middle[rows], self.family, np.exp(-s)
        if kind == AVERAGE:
            return self._average(rows, eta, s)
        z = (middle - eta) * inverse
        if kind == CELL:
            return _by_predictors_cell(family.log_cell(z, self.width[rows] * inverse), z, inverse)
        if kind == BELOW:
            return _by_predictors(family.log_cdf(z), z, inverse)
        if kind == ABOVE:
            return _by_predictors(family.log_sf(z), z, inverse)
        value, d_eta, d_s, *second = _by_predictors(family.log_density(z), z, inverse)
        jacobian = middle if self.log_link else 0.0
        return _Derivatives(value - s - jacobian, d_eta, d_s - 1.0, *second)

    def _window(self, rows: slice, eta: np.ndarray, s: np.ndarray) -> _Derivatives:
        """log(F(upper) - F(lower)) of the truncation window of each row."""
        lower, upper = self.truncation[rows].T
        out = _Derivatives(*(np.zeros(eta.shape) for _ in _Derivatives._fields))
        inverse = np.exp(-s)
        both, below = np.isfinite(lower) & np.isfinite(upper), ~np.isfinite(lower) & np.isfinite(upper)
        above = np.isfinite(lower) & ~np.isfinite(upper)
        for part, kind in ((both, CELL), (below, BELOW), (above, ABOVE)):
            if not part.any():
                continue
            inv = inverse if self.one_scale else inverse[:, part]
            point = {CELL: 0.5 * (lower[part] + upper[part]), BELOW: upper[part], ABOVE: lower[part]}[kind]
            z = (point - eta[:, part]) * inv
            if kind == CELL:
                cell = self.family.log_cell(z, (upper[part] - lower[part]) * inv)
                found = _by_predictors_cell(cell, z, inv)
            else:
                tail = self.family.log_cdf if kind == BELOW else self.family.log_sf
                found = _by_predictors(tail(z), z, inv)
            for target, value in zip(out, found, strict=True):
                target[:, part] = value
        return out

    def _average(self, rows: slice, eta: np.ndarray, s: np.ndarray) -> _Derivatives:
        """Normal density of a mean of n lengths, with the family's own mean and variance / n."""
        mean, n, family = self.middle[rows], self.size[rows], self.family
        if not self.log_link:
            inverse = np.exp(-s)
            z = (mean - eta) * inverse - family.mean
            precision = n / family.variance
            value = 0.5 * np.log(precision / (2 * np.pi)) - 0.5 * precision * z * z
            # z is taken from the family's mean, but s moves it around eta.
            d1, d2, around = -precision * z, np.broadcast_to(-precision, z.shape), z + family.mean
            return _Derivatives(
                value - s,
                -d1 * inverse,
                -around * d1 - 1.0,
                d2 * inverse**2,
                (d1 + around * d2) * inverse,
                around * d1 + around**2 * d2,
            )
        sigma = np.exp(s)
        first, first1, first2 = family.log_moment(1, sigma)
        second, second1, second2 = family.log_moment(2, sigma)
        # log mean A = eta + log E[e^(sigma e)]; log variance = 2 A + c, c = log(E2 / E1² - 1)
        a = eta + first
        a_s, a_ss = sigma * first1, sigma * first1 + sigma**2 * first2
        k = second - 2 * first
        k_s = sigma * (second1 - 2 * first1)
        k_ss = k_s + sigma**2 * (second2 - 2 * first2)
        c = np.log(np.expm1(k))
        c_k = -1.0 / np.expm1(-k)
        c_s, c_ss = c_k * k_s, -np.exp(-k) * c_k**2 * k_s**2 + c_k * k_ss
        r, precision = mean * np.exp(-a), n * np.exp(-c)
        q = 0.5 * precision * (r - 1.0) ** 2
        l_a, l_aa = -1.0 + precision * (r - 1.0) * r, -precision * r * (2.0 * r - 1.0)
        l_c, l_cc, l_ac = q - 0.5, -q, -precision * r * (r - 1.0)
        return _Derivatives(
            0.5 * np.log(n / (2 * np.pi)) - a - 0.5 * c - q,
            l_a,
            l_a * a_s + l_c * c_s,
            l_aa,
            l_aa * a_s + l_ac * c_s,
            l_aa * a_s**2 + 2 * l_ac * a_s * c_s + l_cc * c_s**2 + l_a * a_ss + l_c * c_ss,
        )

    # --- Sums over rows -----------------------------------------------------------------------------------------

    def evaluate(self, theta, weight=None, multiplicity=None) -> Evaluation:
        """Log-likelihood with gradient and Hessian.

        Parameters
        ----------
        theta : array_like, shape (B, p)
            Coefficients, then log-scale parameters.
        weight : numpy.ndarray, shape (B, n), optional
            Weights of the rows instead of the model's own, one line for each parameter vector.
        multiplicity : numpy.ndarray, shape (B, G), optional
            How often each group of unknown size counts.

        Returns
        -------
        Evaluation
            Not finite where a parameter vector lies outside what can be represented.
        """
        theta = np.atleast_2d(np.asarray(theta, dtype=float))
        with np.errstate(all="ignore"):
            if self.unknown_sizes:
                return self._evaluate_at_once(theta, weight, multiplicity)
            n, (b, p) = len(self.kind), theta.shape
            total = Evaluation(np.full(b, self.constant), np.zeros((b, p)), np.zeros((b, p, p)))
            per_line = max(1, _PIECE // max(n, 1))
            for i in range(0, b, per_line):
                lines = slice(i, min(i + per_line, b))
                for j in range(0, n, _PIECE):
                    rows = slice(j, min(j + _PIECE, n))
                    w = self.weight[rows] if weight is None else weight[lines, rows]
                    self._add(total, lines, rows, self._rows(theta[lines], rows), w)
            return total

    def _add(self, total: Evaluation, lines: slice, rows: slice, d: _Derivatives, w: np.ndarray) -> None:
        x, z, k = self.exog[rows], self.exog_scale[rows], self.exog.shape[1]
        total.value[lines] += np.sum(w * d.value, axis=1)
        w_s, w_ss, w_es = w * d.s, w * d.s_s, w * d.eta_s
        total.gradient[lines, :k] += (w * d.eta) @ x
        total.gradient[lines, k:] += w_s @ z
        hessian = total.hessian[lines]
        hessian[:, :k, :k] += weighted_products(w * d.eta_eta, x, x)
        cross = weighted_products(w_es, x, z)
        hessian[:, :k, k:] += cross
        hessian[:, k:, :k] += cross.transpose(0, 2, 1)
        hessian[:, k:, k:] += weighted_products(w_ss, z, z)

    def _evaluate_at_once(self, theta, weight, multiplicity) -> Evaluation:
        """With groups of unknown size: their sizes get posterior weights, whose spread adds to the Hessian."""
        rows, (b, p) = slice(0, len(self.kind)), theta.shape
        d = self._rows(theta, rows)
        w = np.broadcast_to(self.weight if weight is None else weight, d.value.shape).copy()
        w[:, self.grouped] = 0.0
        total = Evaluation(np.full(b, self.constant), np.zeros((b, p)), np.zeros((b, p, p)))
        total.value[:] += np.sum(w * np.where(w > 0, d.value, 0.0), axis=1)
        scores = self._row_scores(d)
        for place, group in enumerate(self.unknown_sizes):
            times = np.ones(b) if multiplicity is None else multiplicity[:, place]
            value, posterior, mean_counts = _marginal(group, d.value[:, group.rows])
            total.value[:] += times * value
            by_size = np.einsum("sr,brp->bsp", group.counts, scores[:, group.rows])
            mean = np.einsum("bs,bsp->bp", posterior, by_size)
            spread = np.einsum("bs,bsp,bsr->bpr", posterior, by_size, by_size) - mean[:, :, None] * mean[:, None, :]
            total.hessian[:] += times[:, None, None] * spread
            w[:, group.rows] = times[:, None] * mean_counts
        value = total.value.copy()
        self._add(total, slice(0, b), rows, d, w)
        total.value[:] = value
        return total

    def _row_scores(self, d: _Derivatives) -> np.ndarray:
        """(B, n, p) score of one person in each row."""
        return np.concatenate(
            [
                d.eta[:, :, None] * self.exog[None],
                np.broadcast_to(d.s, d.eta.shape)[:, :, None] * self.exog_scale[None],
            ],
            axis=2,
        )

    def row_values(self, theta: np.ndarray) -> np.ndarray:
        """(n,) contribution of one person in each row at one parameter vector."""
        with np.errstate(all="ignore"):
            return self._rows(np.atleast_2d(theta), slice(0, len(self.kind))).value[0]

    def scores(self, theta: np.ndarray) -> np.ndarray:
        """(N, p) score of each given row, weights included; rows left out have 0.

        The score of a group of unknown size is shared among its rows by their mean posterior counts.
        """
        with np.errstate(all="ignore"):
            d = self._rows(np.atleast_2d(theta), slice(0, len(self.kind)))
        each = self._row_scores(d)[0]
        weight = self.given_weight.copy()
        for group in self.unknown_sizes:
            counts = _marginal(group, d.value[:, group.rows])[2][0]
            weight[[int(np.flatnonzero(self.row_of == row)[0]) for row in group.rows]] = counts
        scores = weight[:, None] * each[self.row_of]
        scores[self.row_of < 0] = 0.0
        return scores


def _marginal(group: UnknownSize, log_p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log marginal (B,), posterior of the sizes (B, S) and mean counts (B, m), from log probabilities (B, m)."""
    # A row that nobody is in under a size says nothing there, even where its probability is 0.
    terms = np.where(group.counts[None] > 0, group.counts[None] * log_p[:, None, :], 0.0)
    joint = group.log_weight + terms.sum(axis=2)
    top = joint.max(axis=1, keepdims=True)
    shifted = np.exp(joint - np.where(np.isfinite(top), top, 0.0))
    total = shifted.sum(axis=1, keepdims=True)
    posterior = shifted / total
    return (top + np.log(total))[:, 0], posterior, posterior @ group.counts


def _by_predictors(point, z, inverse) -> _Derivatives:
    """Chain rule from z = (y - eta) / sigma to eta and s = log sigma."""
    z_d1 = z * point.d1
    return _Derivatives(
        point.value,
        -point.d1 * inverse,
        -z_d1,
        point.d2 * inverse**2,
        (point.d1 + z * point.d2) * inverse,
        z_d1 + z * z * point.d2,
    )


def _by_predictors_cell(cell, m, inverse) -> _Derivatives:
    """The same from m and w = width / sigma; the width moves with s alone."""
    d_s = m * cell.dm + cell.w_dw
    m_mm = m * cell.dm_dm
    return _Derivatives(
        cell.value,
        -cell.dm * inverse,
        -d_s,
        cell.dm_dm * inverse**2,
        (cell.dm + m_mm + cell.w_dm_dw) * inverse,
        d_s + m * m_mm + 2.0 * m * cell.w_dm_dw + cell.w2_dw_dw,
    )


def weighted_products(w: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(B, k, q) sums over rows of w x z', for weights (B, n)."""
    if len(w) == 1:
        return ((w[0][:, None] * x).T @ z)[None]
    products = (x[:, :, None] * z[:, None, :]).reshape(len(x), -1)
    return (w @ products).reshape(len(w), x.shape[1], z.shape[1])


def _constant(exog_scale: np.ndarray) -> bool:
    return exog_scale.shape[1] == 1 and bool(np.all(exog_scale == 1.0))


def _renumbered(group: UnknownSize, row_of: np.ndarray) -> UnknownSize:
    counts = np.atleast_2d(np.asarray(group.counts, dtype=float))
    places = row_of[list(group.rows)]
    inside = places >= 0  # a row open on both sides has probability 1 and says nothing
    return UnknownSize(places[inside], counts[:, inside], np.asarray(group.log_weight, dtype=float))


def _identical(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Label rows that are equal in every column: labels (N,), and the first row of each label.

    Rows are told apart by a 64-bit mix of their bits; should two different rows ever share one, nothing is collapsed.
    """
    n = len(columns[0])
    varying = [c for c in columns if n and np.any(c != c[0])]
    mix = np.zeros(n, dtype=np.uint64)
    for column in varying:
        bits = (np.ascontiguousarray(column) + 0.0).view(np.uint64)  # + 0.0 makes -0.0 the same as 0.0
        mix ^= bits
        mix *= np.uint64(0x9E3779B97F4A7C15)
        mix ^= mix >> np.uint64(29)
    label, seen = pd.factorize(mix)
    first = np.empty(len(seen), dtype=np.int64)
    first[label[::-1]] = np.arange(n - 1, -1, -1)
    if len(seen) < n and any(not np.array_equal(c, c[first][label]) for c in varying):
        return np.arange(n), np.arange(n)
    return label, first
