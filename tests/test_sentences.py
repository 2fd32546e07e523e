"""From the real evidence table, and from small ones, to what an estimator takes."""

import functools

import pandas as pd
import pytest

from sentencing import evidence, paths, sentences
from sentencing.models import IntervalRegression

OPEN = float("nan")
ROW = {
    "evidence_id": "A", "row_id": "A", "iso3": "AAA", "n": 10, "count_candidates": OPEN, "kind": "range",
    "low_months": 6.0, "high_months": 96.0, "low_inclusive": 1, "high_inclusive": 1, "low_attained": 1,
    "high_attained": 1, "attained_allowed": 1, "sanction": "prison", "high_sanction": OPEN, "used": 1,
}  # fmt: skip
PLAIN = {"kind": "interval", "low_attained": 0, "high_attained": 0}


def table(*changes: dict) -> pd.DataFrame:
    return pd.DataFrame([ROW | change for change in changes])


def expand(frame: pd.DataFrame, **rules):
    return sentences.expand(frame, life_cap_months=480, **rules)


@functools.cache
def real() -> pd.DataFrame:
    return pd.read_csv(paths.PROCESSED / "evidence.csv")


def bands(counts_long: str, counts_short: str) -> pd.DataFrame:
    share = PLAIN | {"evidence_id": "2018", "n": OPEN}
    return table(
        share | {"row_id": "long", "low_months": 60.0, "high_months": OPEN, "count_candidates": counts_long},
        share | {"row_id": "rest", "low_months": OPEN, "high_months": 60.0, "count_candidates": counts_short},
    )


@pytest.mark.parametrize(("base_rule", "weights"), [("smallest", [3, 5]), ("largest", [5, 8]), ("average", [4, 6.5])])
def test_bands_weigh_what_the_base_rule_says(base_rule, weights):
    rows, expanded = expand(bands("3;5", "5;8"), base_rule=base_rule)
    assert rows["row_id"].tolist() == ["long", "rest"]
    assert expanded.weight.tolist() == weights
    assert expanded.unknown_sizes == ()


def test_by_default_bases_are_marginalised_over():
    (group,) = expand(bands("3;5", "5;8"))[1].unknown_sizes
    assert group.counts.tolist() == [[3, 5], [5, 8]]


def test_a_range_is_expanded_by_its_rule_with_its_ids():
    rows, expanded = expand(table({}))
    assert list(zip(expanded.low, expanded.high, expanded.weight, strict=True)) == [(6, 6, 1), (96, 96, 1), (6, 96, 8)]
    assert set(rows["row_id"]) == {"A"}
    assert expand(table({}), range_rule="interval")[1].weight.tolist() == [10]
    assert expand(table({}), range_rule="drop")[0].empty


def test_means_are_averages_and_nobody_is_expanded_from_unused_rows_or_empty_bands():
    frame = table(
        PLAIN | {"kind": "mean", "low_months": 40.0, "high_months": 40.0}, {"used": 0}, PLAIN | {"n": OPEN,
        "count_candidates": "0"},
    )  # fmt: skip
    _, expanded = expand(frame)
    assert expanded.average.tolist() == [True]
    assert expanded.weight.tolist() == [10]


def test_a_life_sentence_exceeds_the_cap():
    life = PLAIN | {"sanction": "life", "low_months": OPEN, "high_months": OPEN, "kind": "unknown", "n": 2}
    _, expanded = expand(table(life))
    assert (expanded.low.tolist(), expanded.weight.tolist()) == ([480], [2])


def test_bounds_keep_whether_they_belong_to_the_row():
    _, expanded = expand(table(PLAIN | {"low_inclusive": 0}, PLAIN | {"high_inclusive": 0, "n": 3}, PLAIN))
    assert expanded.low_inclusive.tolist() == [False, True, True]
    assert expanded.high_inclusive.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("n", "counts", "people"), [(3, OPEN, [3]), (pd.NA, "3;5", [3, 5]), (0, "3;5", [0]), (OPEN, "4", [4])]
)
def test_people_are_those_stated_or_those_under_each_base(n, counts, people):
    assert sentences.possible_people(n, counts) == people


def test_a_lower_bound_of_nothing_is_open():
    _, expanded = expand(table(PLAIN | {"low_months": 0.0, "high_months": 12.0}))
    assert pd.isna(expanded.low).all()


@pytest.mark.parametrize("base_rule", ["smallest", "largest"])
@pytest.mark.parametrize("range_rule", ["where_allowed", "attained", "interval"])
def test_the_real_people_are_all_in_the_likelihood(range_rule, base_rule):
    told = evidence.people(real().query("kind != 'mean' or low_months == high_months"))
    _, expanded = expand(real(), range_rule=range_rule, base_rule=base_rule)
    assert expanded.weight.sum() == told[f"n_{base_rule}"].sum()


def test_the_real_monitored_judgments_of_serbia_can_be_fitted():
    rows, expanded = expand(real().query("iso3 == 'SRB' and source_kind == 'monitor'"))
    assert set(rows["iso3"]) == {"SRB"}
    assert len(expanded.unknown_sizes) == 4
    assert IntervalRegression(grid=6, **expanded.keywords()).fit().converged


@pytest.mark.parametrize("rules", [{"range_rule": "sometimes"}, {"base_rule": "median"}])
def test_an_unknown_rule_is_refused(rules):
    with pytest.raises(ValueError, match="is not one of"):
        expand(real(), **rules)
