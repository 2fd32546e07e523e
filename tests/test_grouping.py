"""Bases behind percentages, and disjoint leaves of nested groups."""

import itertools
import math
import random
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentencing import grouping
from sentencing.grouping import NestingError, disjoint_leaves, feasible_bases, share_counts

OPEN = math.nan


# ---------------------------------------------------------------------------- bases of percentages


def rounds_to(count: int, base: int, share: float, rounding: float) -> bool:
    """Exactly, in fractions; either way of rounding a half counts."""
    return abs(Fraction(100 * count, base) - Fraction(str(share))) <= Fraction(str(rounding))


def bases_by_brute_force(shares: list[float], rounding: float, at_most: int) -> list[int]:
    off_by = abs(sum(Fraction(str(s)) for s in shares) - 100)
    covers_everyone = off_by <= Fraction(str(rounding)) * len(shares)
    found = []
    for base in range(1, at_most + 1):
        sums = {0}
        for share in shares:
            fitting = [k for k in range(base + 1) if rounds_to(k, base, share, rounding)]
            sums = {total + k for total in sums for k in fitting}
        if any(total == base if covers_everyone else total <= base for total in sums):
            found.append(base)
    return found


def printed(count: int, base: int, decimals: int) -> float:
    """A share as a careful author prints it: a half is rounded up."""
    scale = 10**decimals
    return math.floor(Fraction(100 * count * scale, base) + Fraction(1, 2)) / scale


@pytest.mark.parametrize(
    ("shares", "at_most", "expected"),
    [
        ([5, 84, 11], 36, [19]),
        ([38], 14, [8, 13]),
        ([11], 9, [9]),
        ([100], 3, [1, 2, 3]),
        ([33, 33, 33], 6, [3, 6]),
        ([60, 60], 50, []),
    ],
)
def test_bases_that_printed_shares_can_have(shares, at_most, expected):
    assert feasible_bases(shares, at_most=at_most) == expected


@pytest.mark.parametrize(("shares", "smallest"), [([75, 25], 4), ([17, 17], 6), ([80, 0, 20], 5)])
def test_the_smallest_base_of_uncapped_shares(shares, smallest):
    assert feasible_bases(shares)[0] == smallest


def test_bases_are_sought_up_to_a_hundred_for_whole_percents_and_higher_for_finer_ones():
    assert feasible_bases([50])[-1] == 100
    assert feasible_bases([50.0], rounding=0.05)[-1] == 1000


@given(share=st.integers(0, 100))
def test_from_a_hundred_on_every_base_can_give_any_one_whole_percent(share):
    assert set(range(100, 131)) <= set(feasible_bases([share], at_most=130))


def test_finer_rounding_leaves_fewer_bases():
    assert feasible_bases([33], at_most=12) == [3, 6, 9, 12]
    assert feasible_bases([33.3], rounding=0.05, at_most=12) == [3, 6, 9, 12]
    assert feasible_bases([36.36], rounding=0.005, at_most=40) == [11, 22, 33]
    assert feasible_bases([36.4], rounding=0.5, at_most=40) != [11, 22, 33]


@settings(max_examples=60, deadline=None)
@given(
    shares=st.lists(st.integers(0, 100), min_size=1, max_size=3),
    rounding=st.sampled_from([0.5, 0.05, 0.005]),
    at_most=st.integers(1, 40),
)
def test_bases_agree_with_a_search_in_exact_fractions(shares, rounding, at_most):
    assert feasible_bases(shares, rounding, at_most) == bases_by_brute_force(shares, rounding, at_most)


counts_of_people = st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any)
precisions = st.sampled_from([(0, 0.5), (1, 0.05), (2, 0.005)])


@settings(max_examples=150, deadline=None)
@given(counts=counts_of_people, precision=precisions)
def test_the_true_base_is_found_when_the_parts_make_the_whole(counts, precision):
    decimals, rounding = precision
    base = sum(counts)
    shares = [printed(k, base, decimals) for k in counts]
    bases = feasible_bases(shares, rounding, at_most=base + 3)
    assert base in bases
    assert tuple(counts) in share_counts(shares, base, rounding)
    for possible in bases:
        for way in share_counts(shares, possible, rounding):
            assert sum(way) == possible
            assert all(rounds_to(k, possible, s, rounding) for k, s in zip(way, shares, strict=True))


@settings(max_examples=100, deadline=None)
@given(counts=counts_of_people, unprinted=st.integers(1, 20), precision=precisions)
def test_the_true_base_is_found_when_a_part_is_not_printed(counts, unprinted, precision):
    decimals, rounding = precision
    base = sum(counts) + unprinted
    shares = [printed(k, base, decimals) for k in counts]
    assume(100 - sum(shares) > rounding * len(shares))  # else the shares look as if they covered everyone
    assert base in feasible_bases(shares, rounding, at_most=base)
    ways = share_counts(shares, base, rounding)
    assert tuple(counts) in ways
    assert all(sum(way) <= base for way in ways)


@pytest.mark.parametrize("shares", [[], [-1], [100.5], [50, 101], [math.nan]])
def test_shares_that_are_no_percentages_are_refused(shares):
    with pytest.raises(ValueError, match="between 0 and 100"):
        feasible_bases(shares)


def test_counts_behind_the_bands_of_2015():
    assert share_counts([5, 84, 11], 19) == [(1, 16, 2)]
    assert share_counts([5, 84, 11], 20) == []


def test_all_counts_are_listed_where_a_base_is_large_enough_for_several():
    assert share_counts([50], 200, covers_everyone=False) == [(99,), (100,), (101,)]
    assert share_counts([50, 50], 200) == [(99, 101), (100, 100), (101, 99)]


def test_whether_the_parts_make_the_whole_can_be_told():
    assert share_counts([50, 49], 100) == []
    assert share_counts([50, 49], 100, covers_everyone=False) == [(50, 49)]


def test_without_a_cap_only_the_smallest_bases_are_considered():
    assert grouping.considered_bases([4, 8, 12, 16], cap_known=False) == [4, 8, 12]
    assert grouping.considered_bases([4, 8, 12, 16], cap_known=False, n_without_cap=1) == [4]
    assert grouping.considered_bases([4, 8, 12, 16], cap_known=True) == [4, 8, 12, 16]


# ---------------------------------------------------------------------------- nested groups


def group(name, n, low, high, parent=None, ends=""):
    """`ends` holds L, H or both: the bounds that are somebody's sentence."""
    return {
        "id": name, "parent": parent, "n": n, "low": low, "high": high,
        "low_attained": "L" in ends, "high_attained": "H" in ends,
    }  # fmt: skip


def nested(*groups: dict) -> pd.DataFrame:
    return pd.DataFrame(groups).set_index("id").astype({"n": "float64", "low": "float64", "high": "float64"})


def leaves(*groups: dict) -> dict:
    """Leaf by id: n, low, high, and the attained ends as letters; None where missing."""
    frame = disjoint_leaves(nested(*groups))
    assert frame["id"].is_unique
    return {
        leaf.id: tuple(None if pd.isna(v) else v for v in (leaf.n, leaf.low, leaf.high))
        + ("L" * leaf.low_attained + "H" * leaf.high_attained,)
        for leaf in frame.itertuples()
    }


def faults_of(*groups: dict) -> str:
    with pytest.raises(NestingError) as error:
        disjoint_leaves(nested(*groups))
    return str(error.value)


def test_a_nest_of_three_levels_is_cut_into_its_people():
    found = leaves(
        group("all", 10, 6, 96, ends="LH"),
        group("over two years", 6, 24, OPEN, "all"),
        group("longest", 1, 96, 96, "over two years"),
    )
    assert found == {
        "longest": (1, 96, 96, ""),
        "over two years": (5, 24, 96, ""),
        "all": (4, 6, 96, "L"),
    }


def test_a_group_that_contains_none_stays_as_it_is():
    assert leaves(group("a", 3, 12, OPEN, ends="L"), group("b", None, OPEN, 60)) == {
        "a": (3, 12, None, "L"),
        "b": (None, None, 60, ""),
    }


def test_leaves_tell_their_root_and_whether_they_are_a_remainder():
    frame = disjoint_leaves(
        nested(group("a", 5, 6, 96), group("b", 4, 12, 60, "a"), group("c", 1, 24, 24, "b"), group("d", 2, 1, 2))
    ).set_index("id")
    assert frame["root"].to_dict() == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert frame["is_remainder"].to_dict() == {"a": True, "b": True, "c": False, "d": False}


def test_a_parent_whose_people_are_all_in_its_parts_leaves_no_remainder():
    assert set(leaves(group("a", 4, 6, 60), group("b", 2, 6, 6, "a"), group("c", 2, 60, 60, "a"))) == {"b", "c"}


def test_the_remainder_of_a_parent_of_unknown_size_is_of_unknown_size():
    found = leaves(group("a", None, 9, 192), group("b", 3, 12, OPEN, "a"))
    assert found == {"a": (None, 9, 192, ""), "b": (3, 12, 192, "")}


def test_a_part_of_unknown_size_takes_nobody_from_its_parent():
    found = leaves(group("a", 10, 6, 96), group("b", None, 12, 60, "a"))
    assert found == {"a": (10, 6, 96, ""), "b": (None, 12, 60, "")}


def test_people_inside_a_part_of_unknown_size_are_still_taken_from_the_whole():
    found = leaves(group("a", 10, 6, 96), group("b", None, 12, 60, "a"), group("c", 4, 24, 24, "b"))
    assert sum(n for n, *_ in found.values() if n is not None) == 10


@pytest.mark.parametrize(
    ("part", "marks"),
    [
        (group("b", 2, 6, 6, "a"), {"a": "H", "b": ""}),  # an exact leaf holds the lower end: no mark needed
        (group("b", 2, 24, OPEN, "a"), {"a": "L", "b": ""}),  # either could hold 96: not guessed
        (group("b", 2, 24, 48, "a"), {"a": "LH", "b": ""}),
        (group("b", 9, 6, 96, "a"), {"a": "", "b": ""}),
        (group("b", 10, 12, OPEN, "a"), {"b": "H"}),  # the only leaf, though 6 is outside it
    ],
)
def test_an_attained_end_goes_to_the_only_leaf_that_can_hold_it(part, marks):
    found = leaves(group("a", 10, 6, 96, ends="LH"), part)
    assert {name: leaf[3] for name, leaf in found.items()} == marks


def test_an_end_that_the_parent_cuts_off_is_nobodys_sentence():
    """Someone got 3 months, says the part; nobody less than 6, says the whole: 6 itself was not attained by that."""
    try:
        found = leaves(group("a", 10, 6, 96), group("b", 4, 3, 50, "a", ends="LH"))
    except NestingError:
        return
    assert found["b"][3] == "H"


def test_an_open_end_is_never_attained():
    found = leaves(group("a", 10, 6, OPEN, ends="LH"), group("b", 2, 12, 24, "a"))
    assert found["a"] == (8, 6, None, "L")


def test_children_that_outnumber_their_parent_are_named_with_the_numbers():
    text = faults_of(group("whole", 5, 6, 96), group("one", 4, 6, 96, "whole"), group("two", 3, 6, 96, "whole"))
    assert all(word in text for word in ("whole", "5", "one (4", "two (3"))


def test_an_unknown_parent_is_named():
    text = faults_of(group("child", 1, 6, 6, "nowhere"))
    assert "child" in text and "nowhere" in text


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_is_named_in_full(ring):
    text = faults_of(
        *(group(name, 2, 6, 96, parent) for name, parent in zip(ring, ring[1:] + ring[:1], strict=True)),
        group("hanging on it", 1, 6, 96, "a"),
    )
    assert all(f"{name} is part of itself" in text for name in ring)


def test_bounds_that_do_not_meet_are_named():
    text = faults_of(group("whole", 5, 12, 96), group("part", 2, 1, 6, "whole"))
    assert "part" in text and "1" in text and "6" in text


def test_bounds_that_only_touch_meet():
    assert leaves(group("a", 5, 12, 96), group("b", 2, 1, 12, "a"))["b"] == (2, 12, 12, "")


def test_faults_of_separate_nests_are_told_together():
    text = faults_of(
        group("few", 1, 6, 96), group("many", 2, 6, 96, "few"),
        group("long", 5, 60, 96), group("short", 2, 1, 6, "long"),
        group("still more", 7, 6, 96, "many"),
    )  # fmt: skip
    assert all(word in text for word in ("few has", "short lies", "many has"))


def test_unknown_parents_and_circles_are_told_together():
    text = faults_of(group("a", 1, 6, 6, "nowhere"), group("b", 1, 6, 6, "no place"), group("c", 1, 6, 6, "c"))
    assert all(word in text for word in ("nowhere", "no place", "c is part of itself"))


def test_an_unknown_parent_does_not_hide_what_is_wrong_elsewhere():
    text = faults_of(
        group("orphan", 1, 6, 6, "nowhere"), group("few", 1, 6, 96), group("many", 2, 6, 96, "few")
    )  # fmt: skip
    assert "nowhere" in text and "few has" in text


def test_a_part_outside_its_whole_does_not_hide_what_is_wrong_inside_it():
    text = faults_of(
        group("long", 9, 60, 96), group("short", 2, 1, 6, "long"), group("many", 3, 1, 6, "short")
    )  # fmt: skip
    assert "short lies" in text and "short has" in text


months = st.integers(1, 20).map(lambda years: 6.0 * years)


@st.composite
def nests(draw):
    """Groups that fit into each other. Returns the groups and the interval that each of them truly has."""
    groups, spans = [], {}
    numbers = itertools.count()

    def add(n, low, high, parent, depth):
        name = f"g{next(numbers)}"
        spans[name] = (low, high)
        told_low, told_high = low, high
        if parent is not None:  # parts may be told with bounds that their whole narrows, or with none
            outer = spans[parent]
            told_low = draw(st.sampled_from([low, OPEN, low - 5])) if low == outer[0] else low
            told_high = draw(st.sampled_from([high, OPEN, high + 5])) if high == outer[1] else high
        ends = draw(st.sampled_from(["", "L", "H", "LH"])) if parent is None else ""
        groups.append(group(name, n, told_low, told_high, parent, ends))
        left = n
        while depth < 3 and left and draw(st.booleans()):
            part = draw(st.integers(1, left))
            inner = sorted([draw(st.sampled_from([low, high, (low + high) / 2])) for _ in range(2)])
            add(part, *inner, name, depth + 1)
            left -= part

    for _ in range(draw(st.integers(1, 2))):
        bounds = sorted([draw(months), draw(months)])
        add(draw(st.integers(1, 12)), *bounds, None, 0)
    return groups, spans


@settings(max_examples=100, deadline=None)
@given(nests())
def test_leaves_hold_every_person_once_and_lie_within_all_that_contain_them(nest):
    groups, spans = nest
    found = disjoint_leaves(nested(*groups))
    assert (found["n"] > 0).all()
    roots = {g["id"]: g["n"] for g in groups if g["parent"] is None}
    assert found.groupby("root")["n"].sum().to_dict() == roots
    assert {leaf.id: (leaf.low, leaf.high) for leaf in found.itertuples()} == {i: spans[i] for i in found["id"]}


@settings(max_examples=100, deadline=None)
@given(nests())
def test_an_attained_end_is_marked_at_most_once_and_never_where_ambiguous(nest):
    found = disjoint_leaves(nested(*nest[0]))
    for root in (g for g in nest[0] if g["parent"] is None):
        own = found[found["root"] == root["id"]]
        for end in ("low", "high"):
            marked = own[own[f"{end}_attained"]]
            if not root[f"{end}_attained"]:
                assert marked.empty
            elif len(own) > 1:
                able = own[(own["low"] <= root[end]) & (root[end] <= own["high"])]
                exact = able[able["low"] == able["high"]]
                wanted = able["id"].tolist() if len(able) == 1 and exact.empty else []
                assert marked["id"].tolist() == wanted
                assert (marked[end] == root[end]).all()


@settings(max_examples=50, deadline=None)
@given(nests(), st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(nest, chance: random.Random):
    shuffled = chance.sample(nest[0], len(nest[0]))
    one, other = (disjoint_leaves(nested(*g)).sort_values("id", ignore_index=True) for g in (nest[0], shuffled))
    pd.testing.assert_frame_equal(one, other)
