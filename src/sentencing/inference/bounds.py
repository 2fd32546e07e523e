"""Shares that published groups allow without any model: the smallest and the largest, exactly.

Nothing is assumed of people between two bounds, or of people of whom nothing was published, but where they can be.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..models.errors import NotEstimable
from ..models.turnbull import interval_cuts, set_cuts


@dataclass(frozen=True, eq=False)
class BandGroup:
    """People published together (a year, a country) in rows that each lie between two bounds.

    Attributes
    ----------
    low, high : array_like of float, length m
        Bounds of the rows; NaN or infinite where open, equal where the value is known.
    counts : array_like of float, (S, m) or (m,)
        People in each row under each of S possible readings ("scenarios"), one of which is true: say, the bases that
        printed percentages can have. One dimension: the counts are known.
    low_inclusive, high_inclusive : bool or array_like of bool, length m
        Whether a bound itself belongs to the row.
    low_attained, high_attained : bool or array_like of bool, length m
        Whether at least one person of the row is exactly at the bound, as in "from 12 to 96 months".
    total : float or array_like of float, length S, optional
        People who must be accounted for, such as everyone convicted that year. Those beyond the counts are unknown:
        they may be anywhere. Default: only those counted.
    label : str
        Name of the group in messages.

    Raises
    ------
    ValueError
        Arrays that do not fit together, counts or totals that are negative or missing, a lower bound above the upper
        one, equal bounds of which one does not belong to the row, an attained end that is open or does not belong to
        the row; or no scenario is possible, because each has more people than `total` or a row with fewer people
        than attained ends. (Where only some are, those are left out.)
    """

    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    low_inclusive: np.ndarray | bool = True
    high_inclusive: np.ndarray | bool = True
    low_attained: np.ndarray | bool = False
    high_attained: np.ndarray | bool = False
    total: np.ndarray | float | None = None
    label: str = "group"
    possible: np.ndarray = field(init=False, repr=False)  # bool, length S
    unknown: np.ndarray = field(init=False, repr=False)  # people beyond the counts, length S

    def __post_init__(self):
        low, high = (np.asarray(bound, dtype=float).reshape(-1) for bound in (self.low, self.high))
        counts = np.asarray(self.counts, dtype=float)
        counts = counts[None, :] if counts.ndim == 1 else counts
        if counts.ndim != 2 or len(low) != len(high) or counts.shape[1] != len(low) or not len(counts):
            raise ValueError(
                f"{self.label}: {len(low)} lower bounds, {len(high)} upper bounds and counts of shape {counts.shape}; "
                "counts must have one column a row and at least one scenario"
            )
        flags = {}
        for name in ("low_inclusive", "high_inclusive", "low_attained", "high_attained"):
            flag = np.asarray(getattr(self, name), dtype=bool)
            if flag.ndim and flag.shape != low.shape:
                raise ValueError(f"{self.label}: {name} has the shape {flag.shape} for {len(low)} rows")
            flags[name] = np.broadcast_to(flag, low.shape)
        open_low, open_high = (np.isnan(low) | np.isinf(low), np.isnan(high) | np.isinf(high))
        for wrong, what in (
            (np.isposinf(low) | np.isneginf(high), "open on the wrong side"),
            (low > high, "lower bound above the upper one"),
            (
                (low == high) & ~(flags["low_inclusive"] & flags["high_inclusive"]),
                "equal bounds, which must both belong to the row",
            ),
            (
                (flags["low_attained"] & open_low) | (flags["high_attained"] & open_high),
                "an open end said to be attained",
            ),
            (
                (flags["low_attained"] & ~flags["low_inclusive"]) | (flags["high_attained"] & ~flags["high_inclusive"]),
                "an end said to be attained that does not belong to the row",
            ),
            (~(np.isfinite(counts) & (counts >= 0)).all(axis=0), "counts must be finite numbers from 0 on"),
        ):
            if wrong.any():
                raise ValueError(f"{self.label}, rows {np.flatnonzero(wrong).tolist()}: {what}")
        for name, value in {"low": low, "high": high, "counts": counts, **flags}.items():
            object.__setattr__(self, name, value)
        self._find_possible()

    def _find_possible(self) -> None:
        counted = self.counts.sum(axis=1)
        total = counted if self.total is None else np.asarray(self.total, dtype=float)
        if total.ndim and total.shape != counted.shape:
            raise ValueError(f"{self.label}: total has the shape {total.shape} for {len(counted)} scenarios")
        total = np.broadcast_to(total, counted.shape)
        if not (np.isfinite(total) & (total >= 0)).all():
            raise ValueError(f"{self.label}: total must be finite numbers from 0 on; found {self.total}")
        too_many = counted > total
        too_few = (self.counts < self._people_at_ends()).any(axis=1)
        if (too_many | too_few).all():
            raise ValueError(
                f"{self.label}: no scenario is possible; the counts sum to {counted.tolist()} of {total.tolist()} "
                f"people, and {self._people_at_ends().tolist()} people are needed at the ends of the rows"
            )
        object.__setattr__(self, "possible", ~(too_many | too_few))
        object.__setattr__(self, "unknown", total - counted)

    def _people_at_ends(self) -> np.ndarray:
        """People of each row who are at one of its ends for sure."""
        both = self.low_attained.astype(int) + self.high_attained.astype(int)
        return np.where(self.low == self.high, np.minimum(both, 1), both)

    def inside(self, begin: complex, end: complex) -> tuple[np.ndarray, np.ndarray]:
        """Fewest and most people whose value lies between two cuts, under each scenario (two arrays of length S).

        Cuts are those of `sentencing.models.turnbull.interval_cuts`.
        """
        first, last = interval_cuts(self.low, self.high, self.low_inclusive, self.high_inclusive)
        never = np.maximum(first, begin) >= np.minimum(last, end)
        always = (begin <= first) & (last <= end)
        low_inside, high_inside = (
            (begin <= cuts[0]) & (cuts[1] <= end)
            for cuts in (interval_cuts(self.low, self.low), interval_cuts(self.high, self.high))
        )
        # Of use only for rows partly inside, whose ends are two people: a row of one value is inside or outside.
        at_low, at_high = self.low_attained, self.high_attained
        sure = (at_low & low_inside).astype(float) + (at_high & high_inside)
        barred = (at_low & ~low_inside).astype(float) + (at_high & ~high_inside)
        fewest = np.where(always, self.counts, np.where(never, 0, sure))
        most = np.where(always, self.counts, np.where(never, 0, self.counts - barred))
        return fewest.sum(axis=1), most.sum(axis=1) + self.unknown


@dataclass(frozen=True)
class ShareBounds:
    """Smallest and largest share of people in a set, over all groups together.

    Attributes
    ----------
    smallest, largest : float
        Between 0 and 1.
    smallest_people, largest_people : tuple of float
        The people in the set and all people whose ratio the share is.
    smallest_scenarios, largest_scenarios : tuple of int
        For each group, the scenario (row of its `counts`) at which the share is attained. Where several do, one.
    n_known, n_total : tuple of float
        Fewest and most people counted in rows, and fewest and most people in all, over the possible scenarios.
    """

    smallest: float
    largest: float
    smallest_people: tuple[float, float]
    largest_people: tuple[float, float]
    smallest_scenarios: tuple[int, ...]
    largest_scenarios: tuple[int, ...]
    n_known: tuple[float, float]
    n_total: tuple[float, float]


def share_bounds(
    groups: Iterable[BandGroup], low, high, *, low_inclusive: bool = True, high_inclusive: bool = True
) -> ShareBounds:
    """Smallest and largest share of people whose value lies in a set, with unknown people inside or outside.

    Parameters
    ----------
    groups : iterable of BandGroup
        With nobody in two of them.
    low, high : float
        The set; NaN or infinite where open.
    low_inclusive, high_inclusive : bool
        Whether the bounds belong to the set.

    Returns
    -------
    ShareBounds

    Raises
    ------
    ValueError
        The set is empty.
    NotEstimable
        There are no people under any scenario.

    Notes
    -----
    The share is a ratio of two sums over the groups, with one scenario to choose in each. For a given ratio r the
    best choice is that of each group alone, the least (or greatest) people inside - r x people; the ratio of these
    choices is the next r, until it does not improve any more (Dinkelbach 1967). This ends after finitely many steps
    at the exact extreme.

    References
    ----------
    Dinkelbach (1967), On nonlinear fractional programming, Management Science 13, 492-498.
    """
    groups = list(groups)
    begin, end = set_cuts(low, high, low_inclusive, high_inclusive)
    scenarios = [np.flatnonzero(group.possible) for group in groups]
    known = [group.counts.sum(axis=1)[group.possible] for group in groups]
    people = [counted + group.unknown[group.possible] for counted, group in zip(known, groups, strict=True)]
    if not sum(total.max() for total in people):
        raise NotEstimable("there are no people under any scenario", rows=[group.label for group in groups])
    fewest, most = [], []
    for group in groups:
        least, greatest = group.inside(begin, end)
        fewest.append(least[group.possible])
        most.append(greatest[group.possible])
    found = {}
    for name, inside, sign in (("smallest", fewest, 1), ("largest", most, -1)):
        chosen = _least_ratio([sign * part for part in inside], people)
        in_set, of = (float(sum(p[c] for p, c in zip(parts, chosen, strict=True))) for parts in (inside, people))
        found[name] = in_set / of
        found[f"{name}_people"] = (in_set, of)
        found[f"{name}_scenarios"] = tuple(int(s[c]) for s, c in zip(scenarios, chosen, strict=True))
    return ShareBounds(**found, n_known=_range(known), n_total=_range(people))


def share_table(groups: Iterable[BandGroup], edges: Sequence[float] = (36, 60)) -> pd.DataFrame:
    """Smallest and largest shares under, between (both edges included) and over two edges.

    Parameters
    ----------
    groups : iterable of BandGroup
    edges : two float
        Ascending; equal edges make "between" one value.

    Returns
    -------
    pandas.DataFrame
        Index `share`: "under", "between", "over". Columns `smallest`, `largest`; `smallest_in`, `smallest_of`,
        `largest_in`, `largest_of`: the people whose ratios these are. In all scenarios the three shares add up to 1,
        so the smallest do not exceed 1 together and the largest do not fall short of it.

    Raises
    ------
    ValueError
        Edges that are not two finite ascending numbers.
    NotEstimable
        There are no people.
    """
    try:
        first, second = (float(edge) for edge in edges)
    except (TypeError, ValueError) as error:
        raise ValueError(f"edges must be two numbers; found {edges}") from error
    if not (np.isfinite([first, second]).all() and first <= second):
        raise ValueError(f"edges must be two finite ascending numbers; found {edges}")
    groups = list(groups)
    bounds = {
        "under": share_bounds(groups, np.nan, first, high_inclusive=False),
        "between": share_bounds(groups, first, second),
        "over": share_bounds(groups, second, np.nan, low_inclusive=False),
    }
    rows = {
        name: {
            "smallest": b.smallest,
            "largest": b.largest,
            "smallest_in": b.smallest_people[0],
            "smallest_of": b.smallest_people[1],
            "largest_in": b.largest_people[0],
            "largest_of": b.largest_people[1],
        }
        for name, b in bounds.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("share")


def add_unknown(groups: Iterable[BandGroup], n: float, label: str = "unknown") -> list[BandGroup]:
    """The groups and one more: `n` people of whom nothing at all is known.

    Raises
    ------
    ValueError
        n is negative or missing.
    """
    nobody = np.empty(0)
    return [*groups, BandGroup(nobody, nobody, np.empty((1, 0)), total=n, label=label)]


def _least_ratio(numerators: list[np.ndarray], denominators: list[np.ndarray]) -> list[int]:
    """For each group the choice that together make sum of numerators / sum of denominators the least."""
    pairs = list(zip(numerators, denominators, strict=True))
    chosen = [int(np.argmax(below)) for _, below in pairs]
    ratio = _ratio(pairs, chosen)
    while True:
        better = [int(np.argmin(above - ratio * below)) for above, below in pairs]
        improved = _ratio(pairs, better)
        if not improved < ratio:
            return chosen
        chosen, ratio = better, improved


def _ratio(pairs, chosen) -> float:
    above, below = (sum(pair[part][c] for pair, c in zip(pairs, chosen, strict=True)) for part in (0, 1))
    # Nobody at all: such a choice improves on nothing.
    return above / below if below else np.inf


def _range(parts: list[np.ndarray]) -> tuple[float, float]:
    return float(sum(part.min() for part in parts)), float(sum(part.max() for part in parts))
