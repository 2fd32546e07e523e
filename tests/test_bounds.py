"""Smallest and largest shares without a model: arithmetic by hand, and every arrangement of people tried out."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentencing.inference.bounds import BandGroup, add_unknown, share_bounds, share_table
from sentencing.models.errors import NotEstimable

OPEN = math.nan
BANDS = {
    "low": [OPEN, 36, 60], "high": [36, 60, OPEN], "low_inclusive": [True, True, False],
    "high_inclusive": [False, True, True],
}  # fmt: skip


def table(groups, edges=(36, 60)) -> dict:
    """(smallest, largest) of each share as pairs of people."""
    found = share_table(groups, edges)
    return {
        share: ((row["smallest_in"], row["smallest_of"]), (row["largest_in"], row["largest_of"]))
        for share, row in found.iterrows()
    }


# ---------------------------------------------------------------------------- by hand


def test_bands_at_the_edges_are_known_and_the_unreported_may_be_anywhere():
    # 1 + 16 + 2 = 19 of 25 convicted; 6 unknown.
    found = table([BandGroup(**BANDS, counts=[1, 16, 2], total=25)])
    assert found == {
        "under": ((1, 25), (1 + 6, 25)),
        "between": ((16, 25), (16 + 6, 25)),
        "over": ((2, 25), (2 + 6, 25)),
    }
    only_counted = share_table([BandGroup(**BANDS, counts=[1, 16, 2])])
    assert only_counted.loc["between", ["smallest", "largest"]].tolist() == [16 / 19, 16 / 19]


def test_a_range_with_attained_ends_has_one_person_at_each_and_the_others_anywhere():
    # 12 to 96 for 13: one at 12 (under), one at 96 (over), 11 anywhere.
    found = table([BandGroup([12], [96], [13], low_attained=True, high_attained=True)])
    assert found == {"under": ((1, 13), (12, 13)), "between": ((0, 13), (11, 13)), "over": ((1, 13), (12, 13))}


def test_a_range_without_attained_ends_may_lie_anywhere_within():
    found = table([BandGroup([12], [60], [13])])
    assert found == {"under": ((0, 13), (13, 13)), "between": ((0, 13), (13, 13)), "over": ((0, 13), (0, 13))}


def test_one_attained_end_is_one_person():
    # "At least 36, somebody 36": one between, 4 between or over. "Up to 24, somebody 24": all under.
    groups = [BandGroup([36, OPEN], [OPEN, 24], [5, 2], low_attained=[True, False], high_attained=[False, True])]
    assert table(groups) == {"under": ((2, 7), (2, 7)), "between": ((1, 7), (5, 7)), "over": ((0, 7), (4, 7))}


def test_two_people_at_both_ends_leave_nobody_between():
    found = table([BandGroup([12], [96], [2], low_attained=True, high_attained=True)])
    assert found == {"under": ((1, 2), (1, 2)), "between": ((0, 2), (0, 2)), "over": ((1, 2), (1, 2))}


@pytest.mark.parametrize(
    ("months", "share"), [(35, "under"), (36, "between"), (48, "between"), (60, "between"), (61, "over")]
)
@pytest.mark.parametrize("attained", [False, True])
def test_known_terms_are_counted_on_their_side_of_the_edges(months, share, attained):
    found = table([BandGroup([months], [months], [3], low_attained=attained, high_attained=attained)])
    assert found == {name: ((3, 3),) * 2 if name == share else ((0, 3),) * 2 for name in ("under", "between", "over")}


def test_edges_that_do_not_belong_to_a_row_are_heeded():
    # (36, 60) is between; [36, 60) under 60; under 36 strictly is no one of [36, 60].
    group = BandGroup([36], [60], [4], low_inclusive=False, high_inclusive=False)
    assert share_bounds([group], 36, 36).largest == 0
    assert share_bounds([group], 36, 60, low_inclusive=False, high_inclusive=False).smallest == 1
    assert share_bounds([group], 36.5, 59).smallest == 0
    closed = BandGroup([36], [60], [4])
    assert share_bounds([closed], 36, 36).largest == 1
    assert share_bounds([closed], 36, 60, low_inclusive=False).smallest == 0
    assert share_bounds([closed], OPEN, 36, high_inclusive=False).largest == 0


def test_scenarios_are_chosen_for_all_groups_together():
    # A: 1 of 4 or 3 of 10 between. B: 8 of 10 between, known.
    # Smallest: (1 + 8)/14 = 0.643 against (3 + 8)/20 = 0.55, though 1/4 < 3/10. Largest: 9/14.
    group_a = BandGroup([0, 36], [30, 60], [[3, 1], [7, 3]], label="A")
    group_b = BandGroup([0, 36], [30, 60], [[2, 8]], label="B")
    found = share_bounds([group_a, group_b], 36, 60)
    assert (found.smallest_people, found.smallest_scenarios) == ((11, 20), (1, 0))
    assert (found.largest_people, found.largest_scenarios) == ((9, 14), (0, 0))
    assert (found.smallest, found.largest) == (11 / 20, 9 / 14)
    assert (found.n_known, found.n_total) == ((14, 20), (14, 20))


def test_scenarios_with_more_people_than_there_were_are_left_out():
    # Of 9 convicted, bases 4 and 8 are possible and 12 is not.
    group = BandGroup([0, 36], [30, 60], [[6, 6], [1, 3], [2, 6]], total=9)
    found = share_bounds([group], 36, 60)
    assert (found.smallest_people, found.smallest_scenarios) == ((3, 9), (1,))
    assert (found.largest_people, found.largest_scenarios) == ((8, 9), (1,))
    assert (found.n_known, found.n_total) == ((4, 8), (9, 9))


def test_totals_may_differ_between_scenarios():
    group = BandGroup([0, 36], [30, 60], [[1, 1], [2, 3]], total=[2, 10])
    found = share_bounds([group], 36, 60)
    # 1 of 2; or 3 to 3 + 5 of 10.
    assert (found.smallest_people, found.largest_people) == ((3, 10), (8, 10))
    assert found.n_total == (2, 10)


def test_people_of_whom_nothing_is_known_widen_the_bounds():
    groups = [BandGroup(**BANDS, counts=[1, 16, 2])]
    found = table(add_unknown(groups, 11))
    assert found == {"under": ((1, 30), (12, 30)), "between": ((16, 30), (27, 30)), "over": ((2, 30), (13, 30))}
    assert len(groups) == 1
    assert table(add_unknown(groups, 0)) == table(groups)
    assert table(add_unknown([], 3)) == dict.fromkeys(("under", "between", "over"), ((0, 3), (3, 3)))


def test_a_scenario_without_people_is_no_share():
    # Nobody or 1 under 36 in the first group, and nothing else: the only shares are 1 and 1.
    group = BandGroup([0], [30], [[0], [1]])
    found = share_bounds([group], 0, 36)
    assert (found.smallest, found.largest, found.smallest_scenarios) == (1, 1, (1,))
    assert (found.n_known, found.n_total) == ((0, 1), (0, 1))


# ---------------------------------------------------------------------------- by trying everything

POINTS = [-1.0, *(k / 2 for k in range(9)), 5.0]


def within(point, low, high, at_low, at_high) -> bool:
    above = math.isnan(low) or point > low or (point == low and at_low)
    return above and (math.isnan(high) or point < high or (point == high and at_high))


@st.composite
def a_row(draw):
    low, high = sorted([draw(st.integers(0, 4)), draw(st.integers(0, 4))])
    at_low, at_high = (True, True) if low == high else (draw(st.booleans()), draw(st.booleans()))
    kind = draw(st.sampled_from(["both", "both", "below", "above"]))
    low, high = (OPEN if kind == "below" else low), (OPEN if kind == "above" else high)
    held_low = draw(st.booleans()) and at_low and not math.isnan(low)
    held_high = draw(st.booleans()) and at_high and not math.isnan(high)
    return low, high, at_low, at_high, held_low, held_high


@st.composite
def a_group(draw):
    rows = draw(st.lists(a_row(), min_size=1, max_size=2))
    counts = draw(st.lists(st.tuples(*[st.integers(0, 3)] * len(rows)), min_size=1, max_size=3))
    total = draw(st.one_of(st.none(), st.integers(0, 8)))
    return rows, counts, total


def arrangements(row, n: int):
    """All ways to place n alike people of a row on the points."""
    low, high, at_low, at_high, held_low, held_high = row
    places = [point for point in POINTS if within(point, low, high, at_low, at_high)]
    for placed in itertools.combinations_with_replacement(places, n):
        if (not held_low or low in placed) and (not held_high or high in placed):
            yield placed


def outcomes(group, target) -> set[tuple[int, int]]:
    """All (people in the target, people) that a group allows."""
    rows, counts, total = group
    found = set()
    for scenario in counts:
        unknown = 0 if total is None else total - sum(scenario)
        if unknown < 0:
            continue
        ways = [
            {sum(within(point, *target) for point in placed) for placed in arrangements(row, n)}
            for row, n in zip(rows, scenario, strict=True)
        ]
        for inside in itertools.product(*ways):
            found |= {(sum(inside) + more, sum(scenario) + unknown) for more in range(unknown + 1)}
    return found


def made(group) -> BandGroup:
    rows, counts, total = group
    low, high, at_low, at_high, held_low, held_high = (list(column) for column in zip(*rows, strict=True))
    return BandGroup(
        low, high, counts, low_inclusive=at_low, high_inclusive=at_high, low_attained=held_low,
        high_attained=held_high, total=total,
    )  # fmt: skip


@settings(max_examples=250)
@given(st.lists(a_group(), min_size=1, max_size=3), a_row())
def test_bounds_are_the_extremes_over_every_arrangement(groups, target):
    target = target[:4]
    each = [outcomes(group, target) for group in groups]
    for group, possible in zip(groups, each, strict=True):
        if not possible:
            with pytest.raises(ValueError, match="no scenario is possible"):
                made(group)
    assume(all(each))
    shares = {
        Fraction(sum(pair[0] for pair in chosen), sum(pair[1] for pair in chosen))
        for chosen in itertools.product(*each)
        if any(pair[1] for pair in chosen)
    }
    low, high, at_low, at_high = target
    arguments = ([made(group) for group in groups], low, high)
    if not shares:
        with pytest.raises(NotEstimable, match="no people"):
            share_bounds(*arguments, low_inclusive=at_low, high_inclusive=at_high)
        return
    found = share_bounds(*arguments, low_inclusive=at_low, high_inclusive=at_high)
    assert Fraction(*(int(n) for n in found.smallest_people)) == min(shares)
    assert Fraction(*(int(n) for n in found.largest_people)) == max(shares)
    assert (found.smallest, found.largest) == (float(min(shares)), float(max(shares)))
    assert found.n_total == tuple(
        sum(extreme(pair[1] for pair in possible) for possible in each) for extreme in (min, max)
    )
    # The scenarios named are those that give the people named.
    for chosen, (inside, people) in (
        (found.smallest_scenarios, found.smallest_people),
        (found.largest_scenarios, found.largest_people),
    ):
        alone = [
            outcomes((rows, [counts[s]], total), target)
            for (rows, counts, total), s in zip(groups, chosen, strict=True)
        ]
        assert (inside, people) in {tuple(map(sum, zip(*pairs, strict=True))) for pairs in itertools.product(*alone)}


@st.composite
def many_choices(draw):
    """Groups of two exact rows, one in the target and one not, with several scenarios of their sizes."""
    pair = st.tuples(st.integers(0, 60), st.integers(0, 60))
    return draw(st.lists(st.lists(pair, min_size=1, max_size=4), min_size=1, max_size=5))


@settings(max_examples=200)
@given(many_choices())
def test_the_ratio_over_discrete_choices_is_the_extreme_of_all_combinations(choices):
    shares = [
        Fraction(sum(inside for _, inside in chosen), sum(sum(pair) for pair in chosen))
        for chosen in itertools.product(*choices)
        if sum(sum(pair) for pair in chosen)
    ]
    assume(shares)
    found = share_bounds([BandGroup([12, 48], [12, 48], counts) for counts in choices], 36, 60)
    assert (found.smallest, found.largest) == (float(min(shares)), float(max(shares)))


@settings(max_examples=80)
@given(st.lists(a_group(), min_size=1, max_size=3), st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(0, 5))
def test_shares_under_between_and_over_are_consistent(groups, edges, unknown):
    assume(all(outcomes(group, (OPEN, OPEN, True, True)) for group in groups))
    bands = [made(group) for group in groups]
    assume(any(group.counts[group.possible].sum() + group.unknown[group.possible].sum() for group in bands))
    found = share_table(bands, sorted(edges))
    assert found.index.tolist() == ["under", "between", "over"]
    assert (found["smallest"] >= 0).all() and (found["largest"] <= 1).all()
    assert (found["smallest"] <= found["largest"]).all()
    assert found["smallest"].sum() <= 1 + 1e-12
    assert found["largest"].sum() >= 1 - 1e-12
    wider = share_table(add_unknown(bands, unknown), sorted(edges))
    assert (wider["smallest"] <= found["smallest"]).all() and (wider["largest"] >= found["largest"]).all()


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": [1, 5], "high": [2, 4], "counts": [1, 1]}, r"rows \[1\]: lower bound above"),
        ({"low": [1], "high": [1], "counts": [1], "low_inclusive": False}, r"rows \[0\]: equal bounds"),
        ({"low": [1, 1], "high": [2, 2], "counts": [1, -1]}, r"rows \[1\]: counts must be finite"),
        ({"low": [1, 1], "high": [2, 2], "counts": [[1, 1], [math.nan, 1]]}, r"rows \[0\]: counts must be finite"),
        ({"low": [OPEN], "high": [2], "counts": [1], "low_attained": True}, "open end said to be attained"),
        ({"low": [1], "high": [math.inf], "counts": [1], "high_attained": [True]}, "open end said to be attained"),
        ({"low": [1], "high": [2], "counts": [1], "low_attained": True, "low_inclusive": False}, "does not belong"),
        ({"low": [math.inf], "high": [OPEN], "counts": [1]}, "open on the wrong side"),
        ({"low": [1], "high": [2, 3], "counts": [1]}, "1 lower bounds, 2 upper bounds"),
        ({"low": [1], "high": [2], "counts": [[1, 2]]}, "one column a row"),
        ({"low": [1], "high": [2], "counts": np.empty((0, 1))}, "at least one scenario"),
        ({"low": [1], "high": [2], "counts": [1], "high_inclusive": [True, False]}, "high_inclusive has the shape"),
        ({"low": [1], "high": [2], "counts": [[1], [2]], "total": [3, 4, 5]}, "total has the shape"),
        ({"low": [1], "high": [2], "counts": [1], "total": -1}, "total must be finite"),
        ({"low": [1], "high": [2], "counts": [[3], [5]], "total": 2}, r"no scenario is possible.*\[3.0, 5.0\]"),
        (
            {"low": [1], "high": [2], "counts": [1], "low_attained": True, "high_attained": True},
            r"\[2\] people are needed",
        ),
    ],
)
def test_groups_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"year 2019.*{message}"):
        BandGroup(**arguments, label="year 2019")


def test_a_scenario_with_fewer_people_than_attained_ends_is_left_out():
    group = BandGroup([12], [96], [[1], [3]], low_attained=True, high_attained=True)
    assert share_bounds([group], 36, 60).largest_people == (1, 3)


@pytest.mark.parametrize("edges", [(60, 36), (36,), (12, 36, 60), (36, math.inf), (math.nan, 60), 36])
def test_edges_are_two_ascending_numbers(edges):
    with pytest.raises(ValueError, match="edges must be two"):
        share_table([BandGroup(**BANDS, counts=[1, 2, 3])], edges)


def test_questions_without_an_answer_are_refused():
    group = BandGroup(**BANDS, counts=[1, 2, 3])
    with pytest.raises(ValueError, match=r"no value lies in \[36, 36\)"):
        share_bounds([group], 36, 36, high_inclusive=False)
    with pytest.raises(NotEstimable, match="no people"):
        share_bounds([], 36, 60)
    with pytest.raises(NotEstimable, match="no people.*rows: group"):
        share_bounds([BandGroup(**BANDS, counts=[0, 0, 0])], 36, 60)
    with pytest.raises(ValueError, match="total must be finite"):
        add_unknown([group], -1)
