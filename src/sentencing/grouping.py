"""Arithmetic of grouped sentences, on plain arrays: which bases a percentage can have, and which disjoint groups
nested ones leave.

This module knows nothing of countries or files. It stands below the evidence table.
"""

import itertools
import math

import pandas as pd

# Printed shares are decimal fractions; comparing them needs room for their binary rounding, no more.
_SLACK = 1e-9


class NestingError(ValueError):
    """Groups that are said to contain each other cannot: the message names the rows and the numbers."""


def share_counts(shares_percent, base: int, rounding: float = 0.5, covers_everyone: bool | None = None):
    """All ways in which whole numbers out of `base` can have been printed as the given percentages.

    Parameters
    ----------
    shares_percent : sequence of float, length m
        Printed shares of one base, in percent.
    base : int
        The number of people (or sentences) the shares are of.
    rounding : float
        Half the last printed digit, in percentage points: 0.5 for whole percent. Both ends count, because
        it is not known how an exact half was rounded.
    covers_everyone : bool, optional
        Whether the shares are of parts that together make the whole, so that the counts must add up to `base`.
        By default taken to be so when the shares add up to 100 within their rounding.

    Returns
    -------
    list of tuple of int
        Each of length m, in ascending order; empty when `base` is impossible.
    """
    if covers_everyone is None:
        covers_everyone = _covers_everyone(shares_percent, rounding)
    possible = []
    for share in shares_percent:
        low = math.ceil((share - rounding) * base / 100 - _SLACK)
        high = math.floor((share + rounding) * base / 100 + _SLACK)
        possible.append(range(max(low, 0), min(high, base) + 1))
    counts = itertools.product(*possible)
    return [c for c in counts if (sum(c) == base if covers_everyone else sum(c) <= base)]


def feasible_bases(
    shares_percent, rounding: float = 0.5, at_most: int | None = None, covers_everyone: bool | None = None
) -> list[int]:
    """Every base N for which each share is the rounding of some k/N.

    Where the shares cover everyone (they add up to 100 within their rounding), the k must also add up to N;
    otherwise they must not exceed it.

    Parameters
    ----------
    shares_percent : sequence of float
    rounding : float
        Half the last printed digit, in percentage points.
    at_most : int, optional
        Largest base to consider. By default 100 / (2 x rounding), from where on every base can give any
        one share: 100 for whole percents.
    covers_everyone : bool, optional
        See `share_counts`.

    Returns
    -------
    list of int
        Ascending; empty when no base fits.

    Raises
    ------
    ValueError
        When there is no share, one is not between 0 and 100, or `rounding` is not above 0.
    """
    shares = [float(share) for share in shares_percent]
    if not shares or not all(0 <= share <= 100 for share in shares):
        raise ValueError(f"shares must be percentages between 0 and 100; found {shares}")
    if not rounding > 0:
        raise ValueError(f"rounding must be above 0 percentage points; found {rounding}")
    limit = math.ceil(50 / rounding) if at_most is None else int(at_most)
    return [base for base in range(1, limit + 1) if share_counts(shares, base, rounding, covers_everyone)]


def _covers_everyone(shares_percent, rounding: float) -> bool:
    return abs(sum(shares_percent) - 100) <= rounding * len(list(shares_percent)) + _SLACK


def considered_bases(bases: list[int], cap_known: bool, n_without_cap: int = 3) -> list[int]:
    """The feasible bases that are worth averaging over: all when a known total caps them, else the smallest few."""
    return list(bases) if cap_known else list(bases)[:n_without_cap]


def disjoint_leaves(groups: pd.DataFrame) -> pd.DataFrame:
    """Turn nested groups into disjoint ones, so that nobody is counted twice.

    A child's bounds are cut to its parent's. What a parent's n leaves after its children is a remainder with the
    parent's bounds. An end of the parent that somebody received (`low_attained`, `high_attained`) moves to
    the leaf that holds it: to an exact leaf with that very term, which then needs no mark, else to the only leaf
    whose bounds contain it; where several could hold it, the end is left unmarked rather than guessed.

    Parameters
    ----------
    groups : pandas.DataFrame
        Index: unique ids. Columns: `parent` (id or missing), `n` (people, missing when unknown), `low`, `high`
        (months, missing when open), `low_attained`, `high_attained` (bool).

    Returns
    -------
    pandas.DataFrame
        One row a leaf: `id` (of the group it comes from), `root`, `is_remainder`, `n`, `low`, `high`,
        `low_attained`, `high_attained`. A remainder of nobody is left out; the remainder of a parent of
        unknown size has an unknown n.

    Raises
    ------
    NestingError
        With every fault: unknown parent, a circle, children that outnumber their parent, bounds that do not meet.
    """
    parents = groups["parent"].dropna()
    lost = parents[~parents.isin(groups.index)]
    circular = [start for start in parents.index if _in_circle(start, parents)]
    faults = [f"{child} is said to be part of {parent}, which does not exist" for child, parent in lost.items()]
    faults += [f"{start} is part of itself" for start in circular]
    # What is sound is looked at all the same, so that all faults are told at once.
    parents = parents.drop(index=[*lost.index, *circular])
    children = parents.groupby(parents).groups
    leaves: list[dict] = []
    for root in groups.index.difference([*parents.index, *circular], sort=False):
        leaves += _split(root, groups, children, root, (-math.inf, math.inf), faults)
    if faults:
        raise NestingError("\n".join(faults))
    columns = ["id", "root", "is_remainder", "n", "low", "high", "low_attained", "high_attained"]
    return pd.DataFrame(leaves, columns=columns)


def _in_circle(start, parents: pd.Series) -> bool:
    seen, at = set(), start
    while at in parents.index:
        if at in seen:
            return at == start
        seen.add(at)
        at = parents[at]
    return False


def _split(group, groups: pd.DataFrame, children: dict, root, outer: tuple, faults: list[str]) -> list[dict]:
    row = groups.loc[group]
    low, high = _or(row["low"], -math.inf), _or(row["high"], math.inf)
    if low > high:
        faults.append(f"{group} has a lower bound of {low:g} months above its upper bound of {high:g}")
    elif max(low, outer[0]) > min(high, outer[1]):
        faults.append(
            f"{group} lies between {low:g} and {high:g} months, outside the group that contains it "
            f"({outer[0]:g} to {outer[1]:g})"
        )
    else:
        low, high = max(low, outer[0]), min(high, outer[1])
    # An end that the containing group cuts off cannot be anybody's sentence.
    attained = {"low_attained": row["low_attained"] and row["low"] == low}
    attained["high_attained"] = row["high_attained"] and row["high"] == high
    own = {"id": group, "root": root, "is_remainder": group in children, "n": row["n"]}
    own |= {"low": _open(low), "high": _open(high), "low_attained": False, "high_attained": False}
    if group not in children:
        return [own | {end: bool(held) for end, held in attained.items()}]
    parts, taken = [], {}
    for child in children[group]:
        leaves_of_child = _split(child, groups, children, root, (low, high), faults)
        parts += leaves_of_child
        # A child of unknown size takes at least the people of the groups inside it.
        counted = sum(leaf["n"] for leaf in leaves_of_child if not pd.isna(leaf["n"]))
        taken[child] = counted if pd.isna(groups.at[child, "n"]) else groups.at[child, "n"]
    if not pd.isna(row["n"]):
        own["n"] = row["n"] - sum(taken.values())
        if own["n"] < 0:
            inside = ", ".join(f"{child} ({n:g})" for child, n in taken.items())
            faults.append(f"{group} has {row['n']:g} people but contains {inside}")
    leaves = parts + ([own] if pd.isna(own["n"]) or own["n"] > 0 else [])
    for end, mark in (("low", "low_attained"), ("high", "high_attained")):
        if attained[mark]:
            _mark_attained(leaves, end, mark, row[end])
    faults += [
        f"{leaf['id']} leaves one person, who cannot have received both {leaf['low']:g} and {leaf['high']:g} months"
        for leaf in leaves
        if leaf["n"] == 1 and leaf["low_attained"] and leaf["high_attained"]
    ]
    return leaves


def _mark_attained(leaves: list[dict], end: str, mark: str, months: float) -> None:
    if any(leaf["low"] == leaf["high"] == months for leaf in leaves):
        return
    holding = [leaf for leaf in leaves if _or(leaf["low"], -math.inf) <= months <= _or(leaf["high"], math.inf)]
    if len(holding) == 1 and holding[0][end] == months:
        holding[0][mark] = True


def _or(value, instead: float) -> float:
    return instead if pd.isna(value) else float(value)


def _open(value: float) -> float:
    return math.nan if math.isinf(value) else value
