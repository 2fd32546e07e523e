"""From described groups to rows of a likelihood: ranges, averages, life terms, groups of unknown size."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from .likelihood import UnknownSize

RANGE_RULES = ("where_allowed", "attained", "interval", "drop")


class GroupRows(NamedTuple):
    """Rows for `IntervalRegression`. Arrays have length r; bounds in the unit given, NaN where open."""

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray  # people; NaN where their number is one of several
    source_row: np.ndarray  # position of the described group each row comes from
    low_inclusive: np.ndarray
    high_inclusive: np.ndarray
    average: np.ndarray  # bool: the row is the mean of its people
    unknown_sizes: tuple[UnknownSize, ...]
    log_constant: float  # sum of the constants that rule A adds to the log-likelihood

    def keywords(self) -> dict:
        """Everything `IntervalRegression` takes but covariates; those of row i are at `source_row[i]`."""
        sized = {"weights": np.where(np.isnan(self.weight), 1.0, self.weight), "unknown_sizes": self.unknown_sizes}
        names = ("low", "high", "low_inclusive", "high_inclusive", "average", "log_constant")
        return {name: getattr(self, name) for name in names} | sized


class _Row(NamedTuple):
    low: float
    high: float
    low_inclusive: bool
    high_inclusive: bool
    counts: np.ndarray  # (S,) people under each possible size; S is 1 where the number is known
    average: bool
    group: int


def expand_groups(
    low,
    high,
    n,
    *,
    low_attained=None,
    high_attained=None,
    attained_allowed=None,
    range_rule: str = "where_allowed",
    low_inclusive=True,
    high_inclusive=True,
    average=None,
    life=None,
    life_cap: float | None = None,
    base: Sequence[Hashable] | None = None,
) -> GroupRows:
    """The exact, interval and average rows that described groups of people stand for.

    A group of n people "from L to H" may mean that L and H are themselves lengths somebody received (rule A: one
    person at L, one at H, the other n - 2 between them, and a constant log n(n - 1) for not knowing who), or only
    that all lie between (rule B: one interval with weight n). With one attained end: one person there, n - 1 beyond,
    and log n. A group without attained ends is one row of weight n; equal bounds make it exact.

    A group whose number of people is one of several is kept as an `UnknownSize`, to be marginalised over: each size
    is weighed by the number of arrangements of people that it stands for, and all sizes are alike beforehand.

    Parameters
    ----------
    low, high : array_like of float, length g
        Bounds; NaN where open.
    n : array_like of float, or sequence of float and of sequences of float; length g
        People; a sequence lists the numbers that are possible.
    low_attained, high_attained : array_like of bool, length g, optional
        Whether the end is itself somebody's length (the group is a range). Default: none.
    attained_allowed : array_like of bool, length g, optional
        Whether the conditions of rule A hold: all are covered, n is stated, both ends are of the same kind. Default:
        none.
    range_rule : {"where_allowed", "attained", "interval", "drop"}
        Rule A where its conditions hold and B elsewhere; A for every range; B for every range; no ranges at all.
    low_inclusive, high_inclusive : bool or array_like of bool, length g
        Whether the bound belongs to the interval.
    average : array_like of bool, length g, optional
        Whether the group is described by its mean (low = high) of n people.
    life : array_like of bool, length g, optional
        Whether the upper end is for life: it is then only known to exceed `life_cap`. With no lower bound all n are.
    life_cap : float, optional
        Needed where any group has a life term; in the unit of the bounds.
    base : sequence of hashable, length g, optional
        Groups with the same base share one unknown size: the i-th numbers of each belong together. Default: each
        group of unknown size has its own.

    Returns
    -------
    GroupRows
        Rows in the order of the groups; rows of weight 0 under every size are left out.

    Raises
    ------
    ValueError
        Unknown rule, lengths that differ, n missing or not above 0, a lower bound above the upper one, an open end
        said to be attained, rule A for fewer people than attained ends, a life term without a cap, or sizes of one
        base that differ in number. The message gives the positions.
    """
    if range_rule not in RANGE_RULES:
        raise ValueError(f"range_rule {range_rule!r} is not one of {', '.join(RANGE_RULES)}")
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    sizes = [np.atleast_1d(np.asarray(each, dtype=float)) for each in n]
    low_attained, high_attained, allowed, average, life = (
        np.zeros(len(low), dtype=bool) if a is None else np.asarray(a, dtype=bool)
        for a in (low_attained, high_attained, attained_allowed, average, life)
    )
    _check_groups(low, high, sizes, low_attained, high_attained, allowed, average, life, life_cap)
    inclusive = [np.broadcast_to(np.asarray(a, dtype=bool), low.shape) for a in (low_inclusive, high_inclusive)]
    is_range = (low_attained | high_attained) & ~(low == high)
    by_ends = is_range & (allowed if range_rule == "where_allowed" else range_rule == "attained")
    n_ends = low_attained.astype(int) + high_attained.astype(int)
    too_few = [int(i) for i in np.flatnonzero(by_ends) if np.min(sizes[i]) < n_ends[i]]
    if too_few:
        raise ValueError(f"positions {too_few}: fewer people than ends that somebody received")

    rows: list[_Row] = []
    constants = [np.zeros(len(size)) for size in sizes]
    for i, size in enumerate(sizes):
        if is_range[i] and range_rule == "drop":
            continue
        at_life = life[i]
        capped = (life_cap, np.nan) if at_life else (high[i], high[i])
        between, one = size.copy(), np.ones(len(size))
        if at_life and np.isnan(low[i]):
            rows.append(_Row(life_cap, np.nan, True, True, size, False, i))
            continue
        if by_ends[i]:
            constants[i] = np.log(size) + (np.log(np.maximum(size - 1, 1e-300)) if n_ends[i] == 2 else 0.0)
            if low_attained[i]:
                rows.append(_Row(low[i], low[i], True, True, one, False, i))
            if high_attained[i]:
                rows.append(_Row(*capped, True, True, one, False, i))
            between = between - n_ends[i]
        if np.any(between > 0):
            rows.append(_Row(low[i], high[i], inclusive[0][i], inclusive[1][i], between, bool(average[i]), i))
    known = np.array([len(sizes[row.group]) == 1 for row in rows], dtype=bool)
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in _Row._fields]
    weight = [row.counts[0] if sure else np.nan for row, sure in zip(rows, known, strict=True)]
    return GroupRows(
        np.array(columns[0], dtype=float),
        np.array(columns[1], dtype=float),
        np.array(weight, dtype=float),
        np.array(columns[6], dtype=int),
        np.array(columns[2], dtype=bool),
        np.array(columns[3], dtype=bool),
        np.array(columns[5], dtype=bool),
        _unknown_sizes(rows, sizes, constants, base),
        float(sum(c[0] for c in constants if len(c) == 1)),
    )


def _unknown_sizes(rows: list[_Row], sizes: list[np.ndarray], constants, base) -> tuple[UnknownSize, ...]:
    unsure = [i for i, size in enumerate(sizes) if len(size) > 1]
    together: dict[Hashable, list[int]] = {}
    for i in unsure:
        together.setdefault(i if base is None else base[i], []).append(i)
    found = []
    for label, groups in together.items():
        several = {len(sizes[i]) for i in groups}
        if len(several) > 1:
            raise ValueError(f"positions {groups}: base {label!r} has groups with {sorted(several)} possible sizes")
        people = np.array([sizes[i] for i in groups])  # (groups, S)
        # The number of ways to deal the people out among the groups of the base.
        arrangements = gammaln(people.sum(axis=0) + 1) - gammaln(people + 1).sum(axis=0)
        log_weight = arrangements + sum(constants[i] for i in groups) - np.log(people.shape[1])
        places = [place for place, row in enumerate(rows) if row.group in groups]
        if places:
            found.append(UnknownSize(places, np.array([rows[place].counts for place in places]).T, log_weight))
    return tuple(found)


def _check_groups(low, high, sizes, low_attained, high_attained, allowed, average, life, life_cap) -> None:
    lengths = [len(a) for a in (low, high, sizes, low_attained, high_attained, allowed, average, life)]
    if len(set(lengths)) != 1:
        raise ValueError(f"arrays of different lengths: {lengths}")
    # One person of none is possible under some sizes of a base, but not under all.
    missing = [not (np.all(size >= 0) and np.max(size, initial=0) > 0) for size in sizes]
    several = np.array([len(size) > 1 for size in sizes], dtype=bool)
    for wrong, what in (
        (low > high, "lower bound above the upper one"),
        (np.array(missing, dtype=bool), "n missing or not above 0"),
        ((low_attained & np.isnan(low)) | (high_attained & np.isnan(high) & ~life), "an open end said to be attained"),
        (average & ~(low == high), "an average needs equal bounds"),
        (average & several, "an average needs one number of people"),
        (life & np.isfinite(high), "a life term has no upper bound"),
        (life & (life_cap is None), "a life term needs life_cap"),
    ):
        if np.any(wrong):
            raise ValueError(f"positions {np.flatnonzero(wrong).tolist()}: {what}")
    if life_cap is not None and np.any(low[life] > life_cap):
        raise ValueError(f"positions {np.flatnonzero(life & (low > life_cap)).tolist()}: lower bound above life_cap")
