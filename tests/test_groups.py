"""The rows a described group stands for in a likelihood."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing.models import IntervalRegression
from sentencing.models.groups import RANGE_RULES, expand_groups

OPEN = math.nan
months = st.integers(1, 20).map(lambda years: 6.0 * years)


def rows_of(expanded) -> list[tuple]:
    """(low, high, weight, source) with None for open ends."""
    columns = (expanded.low, expanded.high, expanded.weight, expanded.source_row)
    return [tuple(None if np.isnan(v) else float(v) for v in row) for row in zip(*columns, strict=True)]


def expand_one(low, high, n, ends="", allowed=True, rule="attained"):
    return expand_groups(
        [low], [high], [n], low_attained=["L" in ends], high_attained=["H" in ends], attained_allowed=[allowed],
        range_rule=rule,
    )  # fmt: skip


@pytest.mark.parametrize("n", [2, 3, 5, 13])
def test_two_attained_ends_are_two_people_and_the_others_between_them(n):
    expanded = expand_one(12, 96, n, "LH")
    ends = [(12, 12, 1, 0), (96, 96, 1, 0)]
    assert rows_of(expanded) == ends + [(12, 96, n - 2, 0)] * (n > 2)
    assert expanded.log_constant == pytest.approx(math.log(n * (n - 1)))


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize(("ends", "low", "high"), [("L", 12, OPEN), ("H", OPEN, 96), ("L", 12, 96), ("H", 12, 96)])
def test_one_attained_end_is_one_person_and_the_others_beyond(n, ends, low, high):
    expanded = expand_one(low, high, n, ends)
    end = low if ends == "L" else high
    others = (None if math.isnan(low) else low, None if math.isnan(high) else high, n - 1, 0)
    assert rows_of(expanded) == [(end, end, 1, 0)] + [others] * (n > 1)
    assert expanded.log_constant == pytest.approx(math.log(n))


def uniform_likelihood(expanded, n_groups: int) -> np.ndarray:
    """Likelihood of each group when terms are uniform on (0, 1): an exact row has density 1, an interval its length."""
    length = np.nan_to_num(expanded.high, nan=1.0) - np.nan_to_num(expanded.low, nan=0.0)
    log_row = np.where(expanded.low == expanded.high, 0.0, np.log(np.where(length > 0, length, 1.0)))
    log_group = np.bincount(expanded.source_row, weights=expanded.weight * log_row, minlength=n_groups)
    return np.exp(log_group + expanded.log_constant / n_groups)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_likelihood_of_two_ends_is_a_density_that_integrates_to_one(n):
    cells = 120
    middle = (np.arange(cells) + 0.5) / cells
    low, high = (a.ravel() for a in np.meshgrid(middle, middle))
    low, high = low[low < high], high[low < high]
    true = np.ones(len(low), dtype=bool)
    expanded = expand_groups(
        low, high, np.full(len(low), n), low_attained=true, high_attained=true, range_rule="attained"
    )
    assert uniform_likelihood(expanded, len(low)).sum() / cells**2 == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("n", [1, 4])
def test_the_likelihood_of_a_known_minimum_integrates_to_one(n):
    low = (np.arange(400) + 0.5) / 400
    true = np.ones(len(low), dtype=bool)
    expanded = expand_groups(low, low * np.nan, np.full(400, n), low_attained=true, range_rule="attained")
    assert uniform_likelihood(expanded, 400).mean() == pytest.approx(1, abs=1e-4)


def test_plain_intervals_and_exact_terms_are_one_row_each():
    expanded = expand_groups([OPEN, 36, 60, 48], [36, 60, OPEN, 48], [1, 16, 2, 3])
    assert rows_of(expanded) == [(None, 36, 1, 0), (36, 60, 16, 1), (60, None, 2, 2), (48, 48, 3, 3)]
    assert expanded.log_constant == 0


def test_a_range_as_an_interval_is_one_row():
    expanded = expand_one(12, 96, 13, "LH", rule="interval")
    assert rows_of(expanded) == [(12, 96, 13, 0)]
    assert expanded.log_constant == 0


def test_dropping_ranges_keeps_intervals_and_exact_terms():
    expanded = expand_groups(
        [6, 12, 24, 36], [60, 60, 24, 48], [5, 5, 5, 5],
        low_attained=[True, False, True, False], high_attained=[False, True, True, False], range_rule="drop",
    )  # fmt: skip
    assert rows_of(expanded) == [(24, 24, 5, 2), (36, 48, 5, 3)]


def test_attained_ends_enter_only_where_allowed():
    ranges = {"low": [6, 12], "high": [60, 96], "n": [5, 7], "low_attained": [1, 1], "high_attained": [1, 1]}
    expanded = expand_groups(**ranges, attained_allowed=[True, False])
    assert rows_of(expanded) == [(6, 6, 1, 0), (60, 60, 1, 0), (6, 60, 3, 0), (12, 96, 7, 1)]
    assert expanded.log_constant == pytest.approx(math.log(5 * 4))
    assert rows_of(expand_groups(**ranges)) == [(6, 60, 5, 0), (12, 96, 7, 1)]
    everywhere = expand_groups(**ranges, attained_allowed=[True, False], range_rule="attained")
    assert everywhere.log_constant == pytest.approx(math.log(5 * 4) + math.log(7 * 6))


def test_no_groups_give_no_rows():
    expanded = expand_groups([], [], [])
    assert rows_of(expanded) == []
    assert expanded.log_constant == 0


@st.composite
def described(draw):
    low, high = sorted([draw(months), draw(months)])
    ends = draw(st.sampled_from(["", "L", "H", "LH"])) if low < high else ""
    low = low if "L" in ends else draw(st.sampled_from([low, OPEN]))
    return low, high, draw(st.integers(max(len(ends), 1), 30)), "L" in ends, "H" in ends, draw(st.booleans())


@settings(max_examples=100, deadline=None)
@given(st.lists(described(), min_size=1, max_size=6), st.sampled_from(RANGE_RULES))
def test_no_person_is_lost_or_added_by_any_rule_but_drop(groups, rule):
    low, high, n, at_low, at_high, allowed = (np.array(c) for c in zip(*groups, strict=True))
    expanded = expand_groups(
        low, high, n, low_attained=at_low, high_attained=at_high, attained_allowed=allowed, range_rule=rule
    )
    people = np.bincount(expanded.source_row, weights=expanded.weight, minlength=len(n))
    kept = ~(at_low | at_high) if rule == "drop" else np.ones(len(n), dtype=bool)
    np.testing.assert_allclose(people, np.where(kept, n, 0))
    assert (expanded.weight > 0).all()
    assert (np.diff(expanded.source_row) >= 0).all()
    assert not (expanded.low > expanded.high).any()


@pytest.mark.parametrize(
    ("given_groups", "message"),
    [
        ({"low": [6, 61], "high": [60, 60], "n": [1, 1]}, r"\[1\].*lower bound above"),
        ({"low": [6, 6], "high": [60, 60], "n": [1, math.nan]}, r"\[1\].*n missing"),
        ({"low": [6, 6], "high": [60, 60], "n": [0, 1]}, r"\[0\].*n missing or not above 0"),
        ({"low": [6, 6], "high": [60, 60], "n": [-2, 1]}, r"\[0\].*not above 0"),
        ({"low": [6, 6], "high": [60], "n": [1, 1]}, "different lengths"),
        ({"low": [6], "high": [60], "n": [1], "low_attained": [True, False]}, "different lengths"),
        ({"low": [6], "high": [60], "n": [1], "range_rule": "sometimes"}, "'sometimes' is not one of where_allowed"),
    ],
)
def test_groups_that_make_no_sense_are_refused_with_their_position(given_groups, message):
    with pytest.raises(ValueError, match=message):
        expand_groups(**given_groups)


@pytest.mark.parametrize(("n", "ends"), [(1, "LH"), (1.5, "LH"), (0.5, "L")])
def test_fewer_people_than_attained_ends_are_refused(n, ends):
    with pytest.raises(ValueError, match=r"\[0\].*fewer people than ends"):
        expand_one(12, 96, n, ends)
    assert rows_of(expand_one(12, 96, n, ends, rule="interval")) == [(12, 96, n, 0)]


# ---------------------------------------------------------------------------- life, averages, unknown numbers


def test_a_life_term_is_only_known_to_exceed_the_cap():
    expanded = expand_groups([OPEN, 60], [OPEN, OPEN], [2, 5], life=[1, 1], low_attained=[0, 1], high_attained=[0, 1],
                             range_rule="attained", life_cap=480)  # fmt: skip
    assert rows_of(expanded) == [(480, None, 2, 0), (60, 60, 1, 1), (480, None, 1, 1), (60, None, 3, 1)]
    assert expanded.log_constant == pytest.approx(math.log(20))
    with pytest.raises(ValueError, match=r"\[0\].*life_cap"):
        expand_groups([OPEN], [OPEN], [2], life=[True])
    with pytest.raises(ValueError, match=r"\[0\].*no upper bound"):
        expand_groups([12], [24], [2], life=[True], life_cap=480)


def test_an_average_stays_one_row():
    expanded = expand_groups([36, 12], [36, 96], [5, 3], average=[True, False])
    assert expanded.average.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"\[1\].*equal bounds"):
        expand_groups([36, 12], [36, 96], [5, 3], average=[True, True])


def bands_of_unknown_base(counts, **options):
    return expand_groups([OPEN, 36, 60], [36, 60, OPEN], counts, base=["2020"] * 3,
                         low_inclusive=[True, True, False], high_inclusive=[False, True, True], **options)  # fmt: skip


def test_unknown_sizes_are_marginalised_with_the_number_of_arrangements():
    expanded = bands_of_unknown_base([[1, 2], [4, 8], [1, 2]])
    (group,) = expanded.unknown_sizes
    assert group.counts.tolist() == [[1, 4, 1], [2, 8, 2]]
    model = IntervalRegression(grid=6, **expanded.keywords())
    params = np.array([3.8, -0.7])
    p = np.exp(model.loglike_obs(params))
    six = math.factorial(6) / (math.factorial(4)) * p[0] * p[1] ** 4 * p[2]
    twelve = math.factorial(12) / (2 * 2 * math.factorial(8)) * p[0] ** 2 * p[1] ** 8 * p[2] ** 2
    assert model.loglike(params) == pytest.approx(math.log((six + twelve) / 2), rel=1e-12)


def test_one_possible_size_is_that_size():
    sure = IntervalRegression(grid=6, **bands_of_unknown_base([1, 4, 1]).keywords()).fit()
    twice = IntervalRegression(grid=6, **bands_of_unknown_base([[1, 1], [4, 4], [1, 1]]).keywords()).fit()
    np.testing.assert_allclose(twice.params, sure.params, rtol=1e-9)
    np.testing.assert_allclose(twice.bse, sure.bse, rtol=1e-8)
    assert twice.llf - sure.llf == pytest.approx(math.log(30), rel=1e-9)


@pytest.mark.parametrize("dist", ["lognormal", "loglogistic", "weibull"])
def test_derivatives_with_unknown_sizes_are_those_of_finite_differences(dist):
    low = [OPEN, 36, 60, 24, 12, 30]
    high = [36, 60, OPEN, 48, 96, 30]
    counts = [[1, 2, 3], [4, 8, 12], [1, 2, 3], [2, 3], 9, 4]
    expanded = expand_groups(low, high, counts, base=["a", "a", "a", "b", "c", "d"])
    x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 0]])[expanded.source_row]
    model = IntervalRegression(exog=x, dist=dist, **expanded.keywords())
    at, step = np.array([3.7, 0.2, -0.4]), 1e-5
    for j in range(3):
        shift = step * np.eye(3)[j]
        slope = (model.loglike(at + shift) - model.loglike(at - shift)) / (2 * step)
        assert model.score(at)[j] == pytest.approx(slope, rel=1e-6, abs=1e-7)
        curve = (model.score(at + shift) - model.score(at - shift)) / (2 * step)
        np.testing.assert_allclose(model.hessian(at)[j], curve, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(model.score_obs(at).sum(axis=0), model.score(at), rtol=1e-9, atol=1e-10)


def test_a_range_of_unknown_size_has_its_own_constant_under_each_size():
    expanded = expand_groups([12], [96], [[3, 5]], low_attained=[1], high_attained=[1], range_rule="attained")
    (group,) = expanded.unknown_sizes
    assert group.counts.tolist() == [[1, 1, 1], [1, 1, 3]]
    np.testing.assert_allclose(group.log_weight, np.log([6 / 2, 20 / 2]))
    assert expanded.log_constant == 0


def test_bases_whose_groups_have_different_numbers_of_sizes_are_refused():
    with pytest.raises(ValueError, match=r"'2020'.*\[2, 3\] possible sizes"):
        bands_of_unknown_base([[1, 2], [4, 8, 12], [1, 2]])
