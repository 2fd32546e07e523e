"""What the evidence of one country says: bounds by trying everything out, estimates by hand, reasons where refused."""

import csv
import functools
import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sentencing import courts, estimands, law, paths, tables
from sentencing.models import IntervalRegression, NotConverged, NotEstimable

OPEN = float("nan")
ROW = {
    "iso3": "AAA", "year": 2018, "n": 1, "n_basis": "stated", "share_percent": OPEN, "count_candidates": pd.NA,
    "kind": "interval", "low_months": OPEN, "high_months": OPEN, "low_inclusive": 1, "high_inclusive": 1,
    "low_attained": 0, "high_attained": 0, "attained_allowed": 0, "covers_all": 0, "sanction": "prison",
    "high_sanction": pd.NA,
    "aggregate_sentence": 0, "offence": "trafficking", "source_kind": "monitor", "source_id": "page", "used": 1,
}  # fmt: skip
UNDER = {"high_months": 36, "high_inclusive": 0}
BETWEEN = {"low_months": 36, "high_months": 60}
OVER = {"low_months": 60, "low_inclusive": 0}
RANGE = {"kind": "range", "low_attained": 1, "high_attained": 1, "source_kind": "official", "n_basis": "inferred_total"}
PRESS = {"source_kind": "publicised"}
WHOLE = ["year", "year_low", "year_high", "n"]
CHOICES = estimands.Choices()
NO_LAWS = pd.DataFrame(columns=["iso3", "told_by", "edition", "form", "paragraph"])


def frame(*rows: dict) -> pd.DataFrame:
    """Rows as in the evidence table: ROW with changes; each a group of its own unless `evidence_id` says otherwise."""
    filled = []
    for place, row in enumerate(rows):
        row = ROW | {"evidence_id": f"table:{place}"} | row
        filled.append({"year_low": row["year"], "year_high": row["year"], "row_id": f"table:row{place}"} | row)
    columns = [*ROW, "evidence_id", "row_id", "year_low", "year_high"]
    types = dict.fromkeys(WHOLE, "Int64") | {"low_months": float, "high_months": float, "count_candidates": object}
    return pd.DataFrame(filled, columns=columns).astype(types)


def term(months: float, **changes) -> dict:
    return {"kind": "exact", "low_months": months, "high_months": months} | changes


def bands(year: int, *counts: str, **changes) -> list[dict]:
    """Under 36, 36 to 60 and over 60 months of one year, with the people of each under each base ("1;2")."""
    share = {"evidence_id": f"bands:{year}", "year": year, "n": pd.NA, "n_basis": "base", "share_percent": 1.0}
    return [share | band | {"count_candidates": count} | changes
            for band, count in zip((UNDER, BETWEEN, OVER), counts, strict=True)]  # fmt: skip


def totals(*rows: tuple) -> pd.DataFrame:
    """Year, lowest and highest number convicted, as of `convicted_totals`."""
    told = pd.DataFrame(rows, columns=["year", "value_low", "value_high"]).astype("Int64")
    return told.assign(stage="conviction", body="tip", source_ids="total")


def spans(reported: pd.DataFrame) -> dict[str, tuple]:
    return {row["name"]: (row["low"], row["high"]) for row in reported.to_dict("records")}


def numbers(reported: pd.DataFrame) -> dict[str, float]:
    return dict(zip(reported["name"], reported["value"], strict=True))


def refusals(reported: pd.DataFrame) -> dict[str, str]:
    return dict(zip(reported["name"], reported["refused"], strict=True))


# ---------------------------------------------------------------------------- people counted by hand

# Raw rows that describe Serbian people of whom something about the term is known, read one by one: table, row and
# number of people; for percentages the smallest number of whom these can be shares.
COUNTED = {
    "2006": [("groups", "SRB-G-003", 1)],
    "2011": [("groups", "SRB-G-002", 47)],
    "2013": [("cases", f"SRB-2013-BG-OC-ITALY|{defendant}", 1) for defendant in "1234"],
    "2015": [("bands", "SRB-B-002", 1), ("bands", "SRB-B-003", 16), ("bands", "SRB-B-004", 2)],
    "2016": [("cases", "SRB-2016-NS-01|1", 1)],
    "2017": [("coded", "SRB-2017-01", 13)],
    "2018": [("bands", "SRB-B-005", 3), ("rest", "2018", 5)],
    "2019": [("bands", "SRB-B-001", 3), ("bands", "SRB-B-006", 1)],
    "2020": [("bands", "SRB-B-012", 1), ("bands", "SRB-B-007", 1), ("rest", "2020", 4)],
    "2020 to 2021": [("cases", "SRB-2020-PA-01|1", 1)],
    "2021": [("bands", "SRB-B-008", 1), ("rest", "2021", 8)],
    "2022": [("bands", "SRB-B-011", 4), ("bands", "SRB-B-010", 0), ("bands", "SRB-B-009", 1)],
    "2025": [("cases", "SRB-2025-ZA-CHN|1", 1)],
}
# The other raw rows on Serbia, and why nobody in them is counted (again).
NOT_COUNTED = {
    "groups": {
        "SRB-G-001": "2017 again", **{f"SRB-G-00{i}": "2013 again" for i in range(4, 8)}, "SRB-G-008": "2016 again",
        "SRB-G-009": "Pancevo again", **{f"SRB-G-0{i}": "bands again" for i in range(10, 22)},
        **{f"SRB-G-0{i}": "mostly another offence" for i in range(22, 25)}, "SRB-G-025": "an average of most cases",
    },
    "bands": {"SRB-B-013": "in words, of an unknown base"},
    "cases": {
        **{f"SRB-2024-SD-01|{i}": "term not visible" for i in range(1, 4)},
        **{f"SRB-2011-SHERLOC-01|{i}": "outcome not visible" for i in range(1, 5)},
        **{f"SRB-SD-UKR-FIRST|{i}": "term not visible" for i in range(1, 5)},
    },
    "world": {
        **{f"SRB-b35677|{i}": "2013 again" for i in range(1, 5)}, "SRB-9256de|1": "Pancevo again",
        **{f"SRB-baa518|{i}": "term not visible" for i in ("1", "2-3", "4")},
    },
    "other": {"OE-G-036": "2013 again"},
    "coded": {},
    "official": {},
}  # fmt: skip
RAW = {
    "groups": (courts.SERBIA_GROUPS, "group_id"), "bands": (courts.SERBIA_BANDS, "band_id"),
    "cases": (courts.SERBIA_CASES, "case_id"), "world": (courts.WORLD_CASES, "case_id"),
    "other": (courts.OTHER_GROUPS, "group_id"), "coded": (courts.CODED, "group_id"),
    "official": (courts.SERBIA_OFFICIAL, "row_id"),
}  # fmt: skip
BY_HAND = {years: sum(n for *_, n in rows) for years, rows in COUNTED.items()}


@functools.cache
def raw_rows(table: str) -> dict[str, dict]:
    name, key = RAW[table]
    with (paths.RAW / name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("iso3", "SRB") == "SRB"]
    return {row[key] + (f"|{row['defendant_no']}" if key == "case_id" else ""): row for row in rows}


@functools.cache
def real() -> pd.DataFrame:
    return tables.read_csv(paths.PROCESSED / "evidence.csv")


def test_hand_count_goes_through_every_raw_row_on_serbia():
    counted = {(table, key) for rows in COUNTED.values() for table, key, _ in rows if table != "rest"}
    aside = {(table, key) for table, keys in NOT_COUNTED.items() for key in keys}
    assert not counted & aside
    assert counted | aside == {(table, key) for table in RAW for key in raw_rows(table)}


def test_hand_count_agrees_with_the_numbers_in_the_raw_rows():
    """Stated numbers as they stand; printed percentages by trying out every smaller number of people."""
    for years, rows in COUNTED.items():
        stated = {key: n for table, key, n in rows if table in ("groups", "coded")}
        for key, n in stated.items():
            row = raw_rows("groups" if key.startswith("SRB-G") else "coded")[key]
            assert (row["n"], row["reference_year"]) == (str(n), years)
        shares = {key: int(raw_rows("bands")[key]["value"]) for table, key, _ in rows if table == "bands"}
        if not shares:
            continue
        assert {raw_rows("bands")[key]["year"] for key in shares} == {years}
        for base in range(1, BY_HAND[years] + 1):
            # Half a percent up or down prints as the share; parts of everybody add up to the base.
            fits = [[k for k in range(base + 1) if abs(Fraction(100 * k, base) - share) <= Fraction(1, 2)]
                    for share in shares.values()]  # fmt: skip
            whole = sum(shares.values()) == 100
            possible = [c for c in itertools.product(*fits) if (sum(c) == base if whole else sum(c) <= base)]
            assert bool(possible) == (base == BY_HAND[years]), (years, base)
        assert possible == [tuple(n for table, _, n in rows if table == "bands")]


def test_serbian_evidence_holds_the_people_counted_by_hand():
    assert sum(BY_HAND.values()) == 119
    people = estimands.people_by_year(real(), "SRB", BY_HAND)
    assert dict(zip(people["years"], people["people"], strict=True)) == BY_HAND
    assert people["people"].equals(people["by_hand"].astype("Int64"))
    by_kind = people[["monitored judgments", "government figures", "publicised cases"]]
    assert by_kind.sum().tolist() == [51, 60, 8] and by_kind.sum(axis=1).tolist() == people["people"].tolist()


@pytest.mark.parametrize("row", ["SRB-2025-ZA-CHN|1", "SRB-2017-01", "SRB-B-003", "2018#rest", "SRB-2020-PA-01|1"])
def test_somebody_counted_twice_or_left_out_is_an_error_that_names_the_year(row):
    own = real()[(real()["iso3"] == "SRB") & (real()["used"] == 1)]
    (one,) = own.index[own["row_id"].str.endswith(f":{row}")]
    years = estimands._years(own.at[one, "year_low"], own.at[one, "year_high"])
    for wrong in (pd.concat([own, own.loc[[one]]]), own.drop(index=one)):
        with pytest.raises(ValueError, match=rf"{years}: \d+ people in the evidence, {BY_HAND[years]} counted by hand"):
            estimands.people_by_year(wrong, "SRB", BY_HAND)


def test_year_that_only_one_of_the_two_counts_has_is_an_error():
    rows = frame({"year": 2018, "n": 3})
    for wrong in ({}, {"2018": 3, "2019": 1}, {"2018": 4}):
        with pytest.raises(ValueError, match="counted by hand"):
            estimands.people_by_year(rows, "AAA", wrong)
    assert estimands.people_by_year(rows, "AAA", {"2018": 3})["people"].tolist() == [3]


def test_years_that_an_authority_covers_are_not_held_to_the_older_count():
    official = {"evidence_id": f"{courts.SERBIA_OFFICIAL}:2018", "covers_all": 1, "source_kind": "official"}
    rows = frame(official | {"n": 12}, official | {"n": 3, "year": 2019}, {"n": 4, "year": 2017})
    by_hand = {"2017": 4, "2018": 8, "2018 to 2019": 1}
    assert estimands.people_by_year(rows, "AAA", by_hand)["people"].tolist() == [4, 12, 3]
    for wrong in (by_hand | {"2017": 5}, by_hand | {"2019 to 2020": 1}):
        with pytest.raises(ValueError, match="counted by hand"):
            estimands.people_by_year(rows, "AAA", wrong)
    with pytest.raises(ValueError, match="2018: 12 people"):
        estimands.people_by_year(rows.assign(covers_all=0), "AAA", by_hand)


def test_people_are_counted_from_usable_rows_of_the_country_alone():
    rows = frame({"n": 3}, {"n": 4, "used": 0}, {"n": 5, "iso3": "BBB"}, *bands(2018, "1;2", "0;1", "2;2"))
    people = estimands.people_by_year(rows, "AAA")
    assert people["people"].tolist() == [3 + 1 + 0 + 2]
    assert estimands.people_by_year(rows, "CCC").empty


# ---------------------------------------------------------------------------- which rows


@pytest.mark.parametrize(
    ("change", "selection", "kept"),
    [
        ({}, {}, True),
        ({"used": 0}, {}, False),
        ({"iso3": "BBB"}, {}, False),
        ({"year": 2009}, {}, False),
        ({"year": 2010}, {}, True),
        ({"year": 2020}, {}, True),
        ({"year": 2021}, {}, False),
        ({"year": pd.NA, "year_low": 2019, "year_high": 2020}, {}, True),
        ({"year": pd.NA, "year_low": 2019, "year_high": 2021}, {}, False),
        ({"year": pd.NA}, {}, False),
        (PRESS, {}, True),
        (PRESS, {"publicised": False}, False),
        ({"offence": "related"}, {}, False),
        ({"offence": "related"}, {"related": True}, True),
        ({"offence": "unspecified"}, {}, True),
        ({"aggregate_sentence": 1}, {"aggregate": "exact"}, True),
        ({"aggregate_sentence": 1}, {"aggregate": "out"}, False),
    ],
)
def test_rows_are_selected_by_what_is_asked_for(change, selection, kept):
    assert len(estimands.select(frame(term(48) | change), "AAA", 2010, 2020, **selection)) == kept


def test_one_term_for_several_offences_is_an_upper_bound_unless_told_otherwise():
    rows = frame(term(63, aggregate_sentence=1), RANGE | BETWEEN | {"aggregate_sentence": 1}, term(48))
    bounded = estimands.select(rows, "AAA", 2010, 2020)
    assert bounded["low_months"].isna().tolist() == [True, True, False]
    assert bounded["high_months"].tolist() == [63, 60, 48]
    assert bounded["kind"].tolist() == ["interval", "interval", "exact"]
    assert not bounded[["low_attained", "high_attained"]].any(axis=None)
    exact = estimands.select(rows, "AAA", 2010, 2020, aggregate="exact")
    pd.testing.assert_frame_equal(exact, rows)


def test_one_term_for_several_offences_without_an_upper_bound_tells_nothing():
    life = {"sanction": "life", "aggregate_sentence": 1}
    rows = frame(life, {"low_months": 12, "aggregate_sentence": 1}, {"sanction": "life"}, {"low_months": 12})
    assert estimands.select(rows, "AAA", 2010, 2020)["row_id"].tolist() == ["table:row2", "table:row3"]
    assert len(estimands.select(rows, "AAA", 2010, 2020, aggregate="exact")) == 4


def test_unknown_rule_for_several_offences_is_refused():
    with pytest.raises(ValueError, match="'mean' is not one of upper_bound, exact, out"):
        estimands.select(frame({}), "AAA", 2010, 2020, aggregate="mean")


# ---------------------------------------------------------------------------- bounds that need no model

POINTS = (6, 12, 30, 35.9, 36, 40, 60, 60.1, 72, 200)


def cell(months: float) -> int:
    return 0 if months < 36 else 1 if months <= 60 else 2


def placements(row: dict, n: int) -> set[tuple]:
    """People under, from and over the edges, for every way to place the n people of a row."""
    low, high = (default if math.isnan(row[end]) else row[end]
                 for end, default in (("low_months", -math.inf), ("high_months", math.inf)))  # fmt: skip
    allowed = [p for p in POINTS if (low < p or (low == p and row["low_inclusive"]))
               and (p < high or (p == high and row["high_inclusive"]))]  # fmt: skip
    found = set()
    for people in itertools.combinations_with_replacement(allowed, n):
        ends = {low} if row["low_attained"] else set()
        ends |= {high} if row["high_attained"] else set()
        if ends <= set(people):
            cells = [cell(p) for p in people]
            found.add(tuple(cells.count(c) for c in range(3)))
    return found


def added(*sets: set[tuple]) -> set[tuple]:
    return {tuple(map(sum, zip(*parts, strict=True))) for parts in itertools.product(*sets)}


def tried_out(rows: pd.DataFrame, year_totals: dict[int, list[int]] | None = None) -> dict[str, tuple]:
    """Smallest and largest shares over all readings: bases, totals, and places of people."""
    by_year = {year: [] for year in (year_totals or set(rows["year"]))}
    for _, group in rows.groupby("evidence_id"):
        members = group.to_dict("records")
        counts = [[int(c) for c in str(m["count_candidates"]).split(";")] if pd.isna(m["n"]) else [m["n"]]
                  for m in members]  # fmt: skip
        outcomes = set()
        for scenario in zip(*counts, strict=True):
            outcomes |= added(*(placements(m, n) for m, n in zip(members, scenario, strict=True)))
        if members[0]["year"] in by_year:
            by_year[members[0]["year"]].append(outcomes)
    years = []
    for year, groups in by_year.items():
        described = added({(0, 0, 0)}, *groups)
        outcomes = set()
        for people, total in itertools.product(described, (year_totals or {}).get(year, [0])):
            beyond = max(total - sum(people), 0)
            anywhere = {(a, b, beyond - a - b) for a in range(beyond + 1) for b in range(beyond + 1 - a)}
            outcomes |= added({people}, anywhere)
        years.append(outcomes)
    whole = [people for people in added(*years) if sum(people)]
    shares = [[Fraction(people[c], sum(people)) for people in whole] for c in range(3)]
    return {name: (min(s), max(s)) for name, s in zip(("under_36", "36_60", "over_60"), shares, strict=True)}


GROUPS = {
    "bands of two bases": [*bands(2018, "1;2", "1;3", "0;1")],
    "an undivided band and its rest": [
        {"evidence_id": "b", "n": pd.NA, "count_candidates": "1;2", **OVER},
        {"evidence_id": "b", "n": pd.NA, "count_candidates": "2;3", "high_months": 60},
    ],
    "two years of several bases": [*bands(2018, "1;2", "1;3", "0;1"), *bands(2019, "0;1", "3;4", "1;1")],
    "a range whose ends somebody received": [RANGE | {"low_months": 12, "high_months": 72, "n": 4}],
    "a range of two at the edges": [RANGE | {"low_months": 36, "high_months": 60, "n": 2}],
    "a known minimum": [RANGE | {"low_months": 12, "n": 3, "high_attained": 0}],
    "bands and a range of one year": [
        *bands(2018, "1;1", "1;2", "1;0"), RANGE | {"low_months": 30, "high_months": 40, "n": 3}
    ],
    "single terms at the edges": [term(36), term(60), term(12, n=2), term(72)],
    "strict bounds inside a band": [{"low_months": 36, "low_inclusive": 0, "high_months": 60, "high_inclusive": 0},
                                    {"high_months": 36, "n": 2}, {"low_months": 60, "n": 2}],
}  # fmt: skip


@pytest.mark.parametrize("year_totals", [None, [4], [6, 9], [1]], ids=lambda t: "none" if t is None else str(t))
@pytest.mark.parametrize("rows", GROUPS.values(), ids=GROUPS)
def test_bounds_are_the_extremes_over_everything_that_can_be(rows, year_totals):
    rows = frame(*rows)
    by_year = None if year_totals is None else {2018: year_totals, 2017: [2]}
    found = spans(estimands.bounds(rows, "x", "group", by_year))
    for name, ends in tried_out(rows, by_year).items():
        assert found[f"bounds_x_{name}"] == pytest.approx(tuple(map(float, ends)), abs=1e-12), name


def test_people_beyond_those_described_may_have_any_term():
    rows = frame(*bands(2015, "1", "16", "2"))
    reported = estimands.all_bounds(rows, totals((2015, 20, 25)))
    assert spans(reported)["bounds_monitor_36_60"] == spans(reported)["bounds_monitor_2015_36_60"] == (16 / 19, 16 / 19)
    assert spans(reported)["bounds_all_under_36"] == (1 / 25, (1 + 6) / 25)
    assert spans(reported)["bounds_all_36_60"] == (16 / 25, (16 + 6) / 25)
    assert reported["n"].tolist() == [19] * 9
    assert set(reported.loc[reported["name"].str.startswith("bounds_all"), "source_ids"]) == {"page;total"}


def test_where_more_people_are_described_than_counted_they_are_the_total():
    rows = frame(*bands(2015, "1", "16", "2"))
    assert spans(estimands.all_bounds(rows, totals((2015, 10, 12))))["bounds_all_36_60"] == (16 / 19, 16 / 19)


def test_publicised_cases_are_left_out_of_all_convicted_only_where_others_describe_the_year():
    rows = frame(*bands(2018, "0", "2", "0"), term(240, **PRESS), term(240, year=2013, source_id="press", **PRESS))
    assert estimands.by_others(rows)["year"].tolist() == [2018] * 3 + [2013]
    reported = estimands.all_bounds(rows, totals((2018, 4, 4), (2013, 1, 1)))
    # 2018: two from three to five years and two of whom nothing is known; 2013: the one publicised person.
    assert spans(reported)["bounds_all_36_60"] == (2 / 5, 4 / 5)
    assert spans(reported)["bounds_all_over_60"] == (1 / 5, 3 / 5)
    assert spans(reported)["bounds_publicised_over_60"] == (1, 1)
    told = estimands.unreported(rows, totals((2018, 4, 4), (2013, 1, 1))).set_index("year")
    assert told["known"].to_dict() == {2013: 1, 2018: 2}
    assert told["percent_unknown_low"].to_dict() == {2013: 0, 2018: 50}


def test_all_convicted_names_only_sources_of_the_years_it_is_about():
    rows = frame(*bands(2018, "0", "2", "0"), term(48, year=2022, source_id="elsewhere", **PRESS))
    reported = estimands.all_bounds(rows, totals((2018, 4, 4))).set_index("name")
    assert reported.at["bounds_all_36_60", "source_ids"] == "page;total"


def test_year_nobody_describes_is_all_unknown_and_year_without_a_total_does_not_enter():
    reported = estimands.all_bounds(frame(*bands(2018, "0", "2", "0")), totals((2016, 3, 3)))
    assert spans(reported)["bounds_all_36_60"] == (0, 1)
    assert reported.set_index("name").at["bounds_all_36_60", "n"] == 0


@pytest.mark.parametrize("rows", [frame(), frame(term(48, year=2013))], ids=["nobody", "another year"])
def test_where_nobody_was_convicted_there_is_no_share_of_all_convicted(rows):
    nobody = totals((2017, 0, 0))
    assert not estimands.all_bounds(rows, nobody)["name"].str.contains("_all_").any()
    assert estimands.unknown_share(estimands.unreported(rows, nobody), nobody).empty


def test_averages_bound_nobody_and_life_is_longer_than_any_edge():
    average = {"kind": "mean", "low_months": 48, "high_months": 48, "n": 3}
    assert spans(estimands.bounds(frame(average), "x", "g"))["bounds_x_36_60"] == (0, 1)
    life = frame({"sanction": "life", "n": 2}, term(48))
    assert spans(estimands.bounds(life, "x", "g"))["bounds_x_over_60"] == pytest.approx((2 / 3, 2 / 3))


def test_bounds_of_serbia_follow_from_the_printed_shares():
    """Two years by hand: 2019 prints 75 % from three to five years; of 2020's third of six nothing else is left."""
    rows = estimands.select(real(), "SRB", 2006, 2025)
    found = spans(estimands.all_bounds(rows, totals()))
    assert found["bounds_monitor_2019_36_60"] == pytest.approx((0.75, 0.75))
    assert found["bounds_monitor_2020_36_60"] == pytest.approx((4 / 6, 4 / 6))
    # 2018 prints only the share over five years: the other five of eight (or eight of 13) may be on either side.
    assert found["bounds_monitor_2018_36_60"] == pytest.approx((0, 5 / 8))
    assert found["bounds_monitor_2018_over_60"] == pytest.approx((3 / 8, 5 / 13))
    # That these many people and these ends belong together is not told, so that anybody may be anywhere within them...
    assert found["bounds_official_over_60"] == (0, 1)
    # ... and if it were: one of 13 and one of 47 at each end, all others anywhere.
    bolder = spans(estimands.all_bounds(rows, totals(), "attained"))
    assert bolder["bounds_official_over_60"] == pytest.approx((2 / 60, 58 / 60))


def test_middle_band_and_overall_are_parts_of_the_bounds():
    reported = estimands.all_bounds(frame(*bands(2015, "1", "16", "2")), totals((2015, 20, 25)))
    names = ["bounds_monitor_2015", "bounds_monitor", "bounds_all"]
    assert estimands.middle_band(reported)["name"].tolist() == [f"{name}_36_60" for name in names]
    assert not estimands.overall(reported)["name"].str.contains("2015").any()
    assert len(estimands.overall(reported)) == 6


# ---------------------------------------------------------------------------- how much is not known


def test_totals_are_of_persons_convicted_as_the_two_bodies_give_them():
    rows = [("conviction", "tip", 2016, 5, 5), ("conviction", "unodc", 2017, 1, 4), ("prosecution", "tip", 2016, 9, 9),
            ("conviction", "hti", 2016, 7, 7), ("conviction", "tip", 2005, 8, 8),
            ("conviction", "tip", 2018, 12, pd.NA)]  # fmt: skip
    told = pd.DataFrame(rows, columns=["stage", "body", "year", "value_low", "value_high"])
    found = estimands.convicted_totals(told, 2006, 2020)
    # "At least 12" is no total; the secondary coding may count cases.
    assert found[["body", "year"]].to_numpy().tolist() == [["tip", 2016], ["unodc", 2017]]


def test_share_unknown_is_of_all_years_together():
    rows = frame(*bands(2015, "1;2", "1;3", "0;1"), term(48, year=2016))
    convictions = totals((2015, 4, 10), (2015, 8, 8), (2016, 0, 1))
    unknown = estimands.unreported(rows, convictions)
    # 2015: 2 of 4 to 10; 2016: one person, whom one of the bodies does not count.
    assert unknown[["convicted_low", "convicted_high", "known"]].to_numpy().tolist() == [[4, 10, 2], [0, 1, 1]]
    assert unknown["percent_unknown_low"].tolist() == [50, 0]
    assert unknown["percent_unknown_high"].tolist() == [80, 0]
    (share,) = estimands.unknown_share(unknown, convictions).to_dict("records")
    assert (share["low"], share["high"], share["n"]) == (pytest.approx(1 - 3 / 5), pytest.approx(1 - 3 / 11), 11)


def test_bodies_of_which_one_reports_nobody_leave_the_share_unknown_open():
    convictions = totals((2017, 0, 0), (2017, 3, 3))
    (share,) = estimands.unknown_share(estimands.unreported(frame(), convictions), convictions).to_dict("records")
    assert (share["low"], share["high"]) == (0, 1)


# ---------------------------------------------------------------------------- estimates


@pytest.mark.parametrize("family", ["lognormal", "loglogistic", "weibull"])
@pytest.mark.parametrize("grid", [0.0, 6.0, 12.0])
def test_three_bands_are_reproduced_exactly(family, grid):
    """Two parameters for two free shares; "under 36" ends half a grid below 36, "over 60" starts as far above."""
    rows = frame(*(band | {"n": n} for band, n in zip((UNDER, BETWEEN, OVER), (3, 5, 2), strict=True)))
    choices = CHOICES._replace(family=family, grid_months=grid)
    results = estimands.fit(rows, choices)
    assert results.predict(what="cdf", at=36 - grid / 2)[0] == pytest.approx(0.3, abs=1e-7)
    assert results.predict(what="survival", at=60 + grid / 2)[0] == pytest.approx(0.2, abs=1e-7)
    shares = {
        name: found(results, None) for name, (unit, _, found) in estimands.quantities({}, {}).items() if unit == "share"
    }
    assert shares == pytest.approx({"share_under_36": 0.3, "share_36_60": 0.5, "share_over_60": 0.2}, abs=1e-7)


def test_median_of_three_bands_is_that_of_the_curve_through_them():
    rows = frame(*(band | {"n": n} for band, n in zip((UNDER, BETWEEN, OVER), (3, 5, 2), strict=True)))
    # ln 33 = m + s z(0.3) and ln 63 = m + s z(0.8).
    z = stats.norm.ppf([0.3, 0.8])
    s = math.log(63 / 33) / (z[1] - z[0])
    assert estimands.fit(rows, CHOICES).predict()[0] == pytest.approx(math.exp(math.log(33) - s * z[0]), rel=1e-6)


def log_probability(low: float, high: float) -> float:
    """Of a length between two, natural logs normal about 4 with standard deviation 0.5."""
    return float(np.log(np.diff(stats.norm.cdf((np.log([low, high]) - 4) / 0.5))[0]))


@pytest.mark.parametrize(
    ("row", "low", "high"),
    [
        (UNDER, 1e-9, 33), ({"high_months": 36}, 1e-9, 39), (BETWEEN, 33, 63), (OVER, 63, 1e9),
        ({"low_months": 60}, 57, 1e9), (term(48), 45, 51), ({"sanction": "life"}, 477, 1e9),
    ],
)  # fmt: skip
def test_bounds_move_by_half_a_grid_strict_ones_inwards(row, low, high):
    _, expanded = estimands.sentences.expand(frame(row), life_cap_months=480)
    model = IntervalRegression(grid=6, **expanded.keywords())
    assert model.loglike([4, math.log(0.5)]) == pytest.approx(log_probability(low, high), rel=1e-9)


# Ranges as printed: somebody received each end, but the text does not say that they are of all these people.
RANGES = [RANGE | {"low_months": 12, "high_months": 96, "n": 13, "year": 2017},
          RANGE | {"low_months": 6, "high_months": 120, "n": 47, "year": 2011}]  # fmt: skip


def test_ranges_alone_are_refused_unless_their_ends_are_taken_as_sentences():
    fits, reported = estimands.report(frame(*RANGES), CHOICES, law.basic_penalties(NO_LAWS, "AAA"), 5)
    assert isinstance(fits["official"], NotEstimable)
    assert reported[["value", "low", "high"]].isna().all(axis=None) and (reported["refused"] != "").all()
    assert reported["n"].eq(60).all()


def test_ranges_whose_ends_are_sentences_are_two_people_at_the_ends_and_the_others_between():
    fits, reported = estimands.report(
        frame(*RANGES), CHOICES._replace(range_rule="attained"), law.basic_penalties(NO_LAWS, "AAA"), 5, "_attained"
    )
    by_hand = IntervalRegression(
        [12, 96, 12, 6, 120, 6], [12, 96, 96, 6, 120, 120], weights=[1, 1, 11, 1, 1, 45], grid=6,
        log_constant=math.log(13 * 12) + math.log(47 * 46),
    ).fit()  # fmt: skip
    assert fits["official"].llf == pytest.approx(by_hand.llf, rel=1e-9)
    row = reported.set_index("name").loc["official_median_months_attained"]
    assert row["value"] == pytest.approx(by_hand.predict()[0], rel=1e-6)
    assert row["low"] < row["value"] < row["high"] and row["refused"] == "" and row["n"] == 60


def test_rule_for_ranges_is_where_allowed_by_default():
    allowed = frame(RANGES[0] | {"attained_allowed": 1}, RANGES[1])
    assert math.isfinite(estimands.fit(allowed, CHOICES).llf)


@pytest.mark.parametrize(
    ("rule", "counts"), [("smallest", (1, 2, 1)), ("largest", (2, 3, 4)), ("average", (1.5, 2.5, 2.5))]
)
def test_bases_are_used_by_the_rule_chosen(rule, counts):
    results = estimands.fit(frame(*bands(2018, "1;2", "2;3", "1;4")), CHOICES._replace(base_rule=rule))
    assert results.predict(what="cdf", at=33)[0] == pytest.approx(counts[0] / sum(counts), abs=1e-7)
    assert results.predict(what="survival", at=63)[0] == pytest.approx(counts[2] / sum(counts), abs=1e-7)


def test_kinds_are_fitted_each_by_itself_and_those_without_rows_not_at_all():
    monitored = bands(2018, "3", "5", "2")
    fits = estimands.fit_kinds(frame(*monitored, *RANGES), CHOICES)
    assert list(fits) == ["monitor", "official"]
    assert fits["monitor"].llf == estimands.fit(frame(*monitored), CHOICES).llf
    assert estimands.fit_kinds(frame(), CHOICES) == {}
    with pytest.raises(NotEstimable, match="no evidence"):
        estimands.fit(frame(), CHOICES)
    with pytest.raises(NotEstimable, match="no row is left"):
        estimands.fit(frame(*RANGES), CHOICES._replace(range_rule="drop"))


@pytest.mark.parametrize("family", ["lognormal", "loglogistic", "weibull"])
@pytest.mark.parametrize("grid", [0.0, 6.0])
def test_shares_at_thresholds_are_those_reported_with_their_profile_intervals(family, grid):
    rows = frame(*bands(2015, "5", "9", "2"), *[RANGE | {"low_months": 12, "high_months": 96, "n": 9}])
    fits = estimands.fit_kinds(rows, CHOICES._replace(family=family, grid_months=grid))
    found = estimands.fitted_shares(rows, fits)
    monitored = found[found["source_kind"] == "monitor"].set_index("threshold_months")
    assert list(monitored.index) == list(estimands.thresholds(grid)) and monitored.index[-1] == 240 + grid
    assert (np.diff(monitored["share_shorter"]) >= 0).all() and monitored.at[0.0, "share_shorter"] == 0
    reported = estimands.estimates(rows, fits, law.basic_penalties(NO_LAWS, "SRB"), 5).set_index("name")
    told = reported.loc["monitor_share_under_36"]
    for mine, theirs in {"share_shorter": "value", "low": "low", "high": "high"}.items():
        assert monitored.at[36.0, mine] == pytest.approx(told[theirs], rel=1e-6)
    (refused,) = found[found["source_kind"] == "official"].to_dict("records")
    assert math.isnan(refused["threshold_months"]) and refused["refused"] == fits["official"].reason
    assert refused["people"] == 9 and (monitored["people"] == 16).all()


def test_shares_without_an_interval_are_kept(monkeypatch):
    rows = frame(*bands(2015, "5", "9", "2"))
    fits = estimands.fit_kinds(rows, CHOICES)
    given = [NotConverged("lost"), (-math.inf, 0.0)]
    lost = [*given, *[(-1.0, 1.0)] * (len(estimands.thresholds(6.0)) - 4)]
    monkeypatch.setattr(estimands, "profile_intervals_together", lambda results, functions: lost)
    found = estimands.fitted_shares(rows, fits).set_index("threshold_months")
    assert found["share_shorter"].notna().all()
    assert found.at[6.0, "refused"] == "no interval: lost" and math.isnan(found.at[6.0, "low"])
    assert math.isnan(found.at[9.0, "low"]) and found.at[9.0, "high"] == pytest.approx(0.5)
    assert found.at[12.0, "low"] == pytest.approx(stats.norm.cdf(-1.0))


def test_turnbull_gives_the_counts_of_bands_and_leaves_a_wide_range_open():
    rows = frame(*bands(2018, "3", "5", "2"), RANGE | {"low_months": 12, "high_months": 96, "n": 4})
    found = spans(estimands.npmle(rows, CHOICES))
    assert found["turnbull_monitor_36_60"] == pytest.approx((0.5, 0.5))
    assert found["turnbull_monitor_under_36"] == pytest.approx((0.3, 0.3))
    assert found["turnbull_official_36_60"] == pytest.approx((0, 1))
    # Bases that are marginalised over in a likelihood are averaged over here: 1.5, 2.5 and 2.5 people.
    several = spans(estimands.npmle(frame(*bands(2018, "1;2", "2;3", "1;4")), CHOICES))
    assert several["turnbull_monitor_36_60"] == pytest.approx((2.5 / 6.5, 2.5 / 6.5))
    assert estimands.npmle(frame({"kind": "mean", "low_months": 48, "high_months": 48}), CHOICES).empty


def test_families_are_those_asked_for_and_refusals_have_their_reason():
    rows = frame(*bands(2018, "3", "5", "2"), *RANGES)
    reported = estimands.families(rows, CHOICES, names=("lognormal", "weibull"))
    value = numbers(reported)
    assert value["lognormal_monitor_share_36_60"] == pytest.approx(value["weibull_monitor_share_36_60"], abs=1e-7)
    assert value["lognormal_monitor_median_months"] != pytest.approx(value["weibull_monitor_median_months"], rel=1e-4)
    assert refusals(reported)["weibull_official_median_months"] != "" and len(reported) == 8


def test_three_bands_leave_nothing_to_check_of_a_family():
    rows = frame(*bands(2018, "3", "5", "2"), term(48, **PRESS), term(60, **PRESS), *RANGES)
    reported = estimands.family_check(rows, estimands.fit_kinds(rows, CHOICES)).set_index("name")["refused"]
    assert "no degree of freedom" in reported["family_check_monitor_p"]
    assert reported["family_check_official_p"] == "no fit to check"
    assert "singly or by their extremes" in reported["family_check_publicised_p"]


def test_extremes_are_checked_only_against_ranges_with_ends():
    rows = frame(*bands(2018, "3", "5", "2"), RANGES[0], BETWEEN | {"n": 9})
    fits = estimands.fit_kinds(rows, CHOICES)
    checked = estimands.extremes(rows, fits, seed=1)
    assert checked["name"].tolist() == [f"extremes_monitor_1_{end}" for end in ("smallest", "smallest_p", "largest",
                                                                                "largest_p")]  # fmt: skip
    assert checked["quantity"].iloc[0] == "2017, 13 people: smallest term (12 months printed)"
    assert checked["quantity"].iloc[2] == "2017, 13 people: largest term (96 months printed)"
    assert checked["n"].eq(13).all() and checked["group"].eq("monitored judgments").all()
    predicted = checked[checked["unit"] == "months"]
    assert (predicted["low"] <= predicted["value"]).all() and (predicted["value"] <= predicted["high"]).all()
    assert checked.loc[checked["unit"] == "p", "value"].between(0, 1).all()
    assert estimands.extremes(rows.iloc[:3], fits, seed=1).empty


# ---------------------------------------------------------------------------- against the law


class Uniform:
    """Stands for a fit: terms evenly spread from 0 to 96 months."""

    def predict(self, what="median", params=None, low=0.0, high=96.0, low_inclusive=True, high_inclusive=True):
        assert what in ("median", "probability")
        if what == "probability":
            assert not (high < 96 and high_inclusive), "a term of just the minimum is not below it"
        return np.array([48.0 if what == "median" else (high - low) / 96])


def test_two_laws_weigh_as_many_people_as_were_judged_under_them():
    old, new = law.Penalty(24, 120), law.Penalty(36, 144)
    laws = {"judgment": {2008: old, 2012: new, 2013: new}, "mildest": {2008: old, 2012: old, 2013: new}}
    found = estimands.quantities(laws, {2008: 3, 2012: 1, 2013: 2})
    value = {name: found[name][2](Uniform(), None) for name in found if "m_" in name or "minimum" in name}
    assert value["median_to_minimum_judgment"] == pytest.approx(48 * (3 / 24 + 3 / 36) / 6)
    assert value["median_to_minimum_mildest"] == pytest.approx(48 * (4 / 24 + 2 / 36) / 6)
    assert value["median_to_maximum_judgment"] == pytest.approx(48 * (3 / 120 + 3 / 144) / 6)
    assert value["share_under_minimum_judgment"] == pytest.approx((3 * 24 + 3 * 36) / 96 / 6)
    assert value["share_under_minimum_mildest"] == pytest.approx((4 * 24 + 2 * 36) / 96 / 6)
    assert "share_under_maximum_judgment" not in found


@pytest.mark.parametrize("laws", [{}, {"judgment": {2008: None}}, {"judgment": {2008: law.Penalty(OPEN, OPEN)}}])
def test_where_no_law_is_told_nothing_is_measured_by_it(laws):
    assert set(estimands.quantities(laws, {2008: 3})) == {
        "median_months", "share_under_36", "share_36_60", "share_over_60"
    }  # fmt: skip


def test_law_that_names_only_a_minimum_gives_no_ratio_to_a_maximum():
    found = estimands.quantities({"judgment": {2008: law.Penalty(48, OPEN)}}, {2008: 3})
    assert "median_to_minimum_judgment" in found and "median_to_maximum_judgment" not in found


def test_share_below_the_minimum_is_of_pronounced_terms(monkeypatch):
    """With a grid of six months "below 36" is below 33 on the curve, below 24 is below 21."""
    monkeypatch.setattr(estimands, "profile_interval", lambda results, function: (function(results.params), math.inf))
    rows = frame(*bands(2008, "6", "10", "4"), *bands(2012, "3", "5", "2"))
    laws = pd.DataFrame([(2006, 2009, 24.0, 120.0, "code"), (2009, pd.NA, 36.0, 144.0, "code")], columns=law.COLUMNS)
    laws = laws.astype({"from_year": "Int64", "to_year": "Int64"})
    fits, reported = estimands.report(rows, CHOICES, laws, 5)
    below = {months: fits["monitor"].predict(what="cdf", at=months)[0] for months in (21, 33)}
    median = fits["monitor"].predict()[0]
    found = numbers(reported)
    assert found["monitor_share_under_minimum_judgment"] == pytest.approx((2 * below[21] + below[33]) / 3)
    assert found["monitor_share_under_minimum_mildest"] == pytest.approx(below[21])
    assert found["monitor_median_to_minimum_judgment"] == pytest.approx(median * (2 / 24 + 1 / 36) / 3)
    assert found["monitor_median_to_maximum_mildest"] == pytest.approx(median / 120)
    # The function whose interval is asked for is that of the value; an open end is missing, not infinite.
    assert reported["low"].tolist() == pytest.approx(reported["value"].tolist())
    assert reported["high"].isna().all() and reported["refused"].eq("").all()


def test_estimate_whose_interval_is_not_found_stands_without_one(monkeypatch):
    def fail(results, function):
        raise NotConverged("no end within reach")

    monkeypatch.setattr(estimands, "profile_interval", fail)
    reported = estimands.report(frame(*bands(2018, "3", "5", "2")), CHOICES, law.basic_penalties(NO_LAWS, "AAA"), 5)[1]
    assert reported["value"].notna().all() and reported[["low", "high"]].isna().all(axis=None)
    assert set(reported["refused"]) == {"no interval: no end within reach"}


# ---------------------------------------------------------------------------- do kinds agree?


def test_common_distribution_is_tested_by_twice_the_difference_of_log_likelihoods():
    rows = frame(*bands(2018, "3", "5", "2"), *(term(m, **PRESS) for m in (48, 120, 126, 180)))
    low, high, n = [OPEN, 36, 60, 48, 120, 126, 180], [36, 60, OPEN, 48, 120, 126, 180], [3, 5, 2, 1, 1, 1, 1]
    strict = {"low_inclusive": [1, 1, 0, 1, 1, 1, 1], "high_inclusive": [0, 1, 1, 1, 1, 1, 1]}

    def llf(part: slice) -> float:
        flags = {name: np.array(flag[part], dtype=bool) for name, flag in strict.items()}
        return IntervalRegression(low[part], high[part], weights=n[part], grid=6, **flags).fit().llf

    statistic = 2 * (llf(slice(0, 3)) + llf(slice(3, None)) - llf(slice(None)))
    reported = estimands.common_test(rows, CHOICES)
    found = numbers(reported)
    assert found["common_statistic"] == pytest.approx(statistic, rel=1e-6) and statistic > 5
    assert found["common_df"] == 2
    assert found["common_p_value"] == pytest.approx(math.exp(-statistic / 2), rel=1e-5)  # chi-square of two degrees
    assert set(reported["group"]) == {"monitored judgments and publicised cases"} and set(reported["n"]) == {14}


def test_kinds_with_the_same_evidence_have_a_common_distribution():
    twice = [*bands(2018, "3", "5", "2"), *bands(2018, "3", "5", "2", source_kind="official", evidence_id="o")]
    found = numbers(estimands.common_test(frame(*twice), CHOICES))
    assert found["common_statistic"] == pytest.approx(0, abs=1e-6) and found["common_p_value"] == pytest.approx(1)


def test_one_kind_alone_is_not_tested_and_the_reason_names_the_others():
    reported = estimands.common_test(frame(*bands(2018, "3", "5", "2"), *RANGES), CHOICES)
    assert len(reported) == 1 and math.isnan(reported["value"].item())
    assert "government figures: " in reported["refused"].item()
    assert "no kind of source" in estimands.common_test(frame(), CHOICES)["group"].item()


def test_test_of_the_same_kinds_is_told_once():
    rows = frame(*bands(2018, "3", "5", "2"), *(term(m, **PRESS) for m in (48, 120, 126)), *RANGES)
    several = {"": CHOICES, "_again": CHOICES, "_attained": CHOICES._replace(range_rule="attained")}
    found = numbers(estimands.common_tests(rows, several))
    assert len(found) == 6 and not any("again" in name for name in found)
    assert found["common_df_attained"] == 4


# ---------------------------------------------------------------------------- over the years


def yearly_terms(years, growth: float, **changes) -> pd.DataFrame:
    """Two people a year, alike far above and below a median that grows by a factor each year."""
    return frame(*(term(40 * growth ** (year - 2015) * off, year=year, **changes)
                   for year in years for off in (0.8, 1.25)))  # fmt: skip


def test_trend_is_the_growth_of_the_median():
    rows = yearly_terms((2015, 2016, 2018), 1.1)
    row = estimands.trend(rows, "monitor", CHOICES._replace(grid_months=0.0)).squeeze()
    assert row["value"] == pytest.approx(10, rel=1e-5) and row["low"] < 10 < row["high"]
    assert (row["n"], row["unit"], row["refused"]) == (6, "percent", "")


@pytest.mark.parametrize(
    ("rows", "kind", "reason"),
    [
        (yearly_terms((2015, 2016), 1.1), "monitor", "evidence of 2 years; a trend needs at least three"),
        (yearly_terms((2015,), 1.1), "monitor", "evidence of 1 year;"),
        (yearly_terms((2015, 2016, 2017, 2018), 1.1, **PRESS), "publicised", "what the press takes up"),
        (frame(*(RANGES[0] | {"year": year} for year in (2015, 2016, 2017))), "official", ""),
        (frame(*(term(48, year=pd.NA, year_low=y, year_high=y + 1) for y in range(5))), "monitor", "0 years"),
    ],
)
def test_trend_is_refused(rows, kind, reason):
    row = estimands.trend(rows, kind, CHOICES).squeeze()
    assert np.isnan(row[["value", "low", "high"]].astype(float)).all()
    assert reason in row["refused"] and row["refused"]


def test_trends_are_one_for_each_kind_that_is_there():
    rows = pd.concat([yearly_terms((2015, 2016), 1.1), yearly_terms((2015,), 1, **PRESS)])
    assert estimands.trends(rows, CHOICES)["name"].tolist() == ["monitor_trend_percent", "publicised_trend_percent"]
    assert estimands.trends(frame(), CHOICES).empty


def spread(before: int, after: int, **changes) -> pd.DataFrame:
    years = [2008 - i for i in range(before)] + [2009 + i for i in range(after)]
    return frame(*(row for year in years for row in bands(year, "1", "1", "1", **changes)))


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        (spread(2, 2), False),
        (spread(3, 2), False),
        (spread(2, 1), True),
        (spread(1, 5), True),
        (spread(2, 2, **PRESS), True),
        (frame(), True),
        (pd.concat([spread(2, 0), spread(0, 2, source_kind="official")]), True),
        (pd.concat([spread(2, 0), spread(2, 2, source_kind="official")]), False),
    ],
    ids=["2-2", "3-2", "2-1", "1-5", "press", "nothing", "two kinds", "one of two"],
)
def test_periods_are_compared_only_within_a_kind_with_two_groups_on_each_side(rows, refused):
    told = estimands.why_not(estimands.compare_periods, rows, 2009)
    assert told.startswith("refused, because ") == refused
    if refused:
        with pytest.raises(NotEstimable, match="a difference would be one between sources"):
            estimands.compare_periods(rows, 2009)


def test_refusal_to_compare_periods_counts_published_groups_and_not_their_bands():
    with pytest.raises(NotEstimable, match="monitored judgments: 1 published group before 2009, 2 from then"):
        estimands.compare_periods(spread(1, 2), 2009)


# ---------------------------------------------------------------------------- a single case, prison or not, words

CASES = [term(m, evidence_id=f"cases:{i}", **PRESS) for i, m in enumerate((36, 60, 120, 126, 180))]


def test_case_is_placed_in_a_distribution_that_does_not_hold_it():
    own = term(48, evidence_id="cases:OWN", year=2025, **PRESS)
    reported = estimands.place_case(frame(own, *CASES, *bands(2018, "3", "5", "2")), "OWN", CHOICES).set_index("name")
    assert (reported.at["case_months", "value"], reported.at["case_months", "group"]) == (
        48,
        "the case decided in 2025",
    )
    without = estimands.fit(frame(*CASES), CHOICES)
    shorter = reported.loc["case_publicised_share_shorter"]
    assert shorter["value"] == pytest.approx(without.predict(what="cdf", at=45)[0], rel=1e-6)
    assert shorter["n"] == 5 and shorter["low"] < shorter["value"] < shorter["high"]
    assert shorter["value"] != pytest.approx(estimands.fit(frame(own, *CASES), CHOICES).predict(what="cdf", at=45)[0])
    assert reported.at["case_monitor_share_shorter", "n"] == 10


def test_case_of_a_span_of_years_is_told_with_both():
    own = term(48, evidence_id="cases:OWN", year=pd.NA, year_low=2020, year_high=2021, **PRESS)
    reported = estimands.place_case(frame(own), "OWN", CHOICES)
    assert reported["group"].tolist() == ["the case decided in 2020 to 2021"]


@pytest.mark.parametrize(
    "rows",
    [frame(*CASES), frame(), frame(*(term(m, evidence_id="cases:OWN") for m in (48, 60))),
     frame({"high_months": 48, "evidence_id": "cases:OWN"}), frame(term(48, evidence_id="cases:NOT-OWN"))],
    ids=["absent", "nothing", "two terms", "a bound", "another name"],
)  # fmt: skip
def test_case_that_is_absent_or_has_no_single_term_has_no_place(rows):
    assert estimands.place_case(rows, "OWN", CHOICES).empty


CUSTODY = {"iso3": "AAA", "reference_year": 2017, "n_convicted": 10, "n_prison": 6, "n_not_prison": 2, "n_unknown": 2,
           "source_id": "page", "used": 1, "why_not": ""}  # fmt: skip


def custody(*changes: dict) -> pd.DataFrame:
    counts = ["reference_year", "n_convicted", "n_prison", "n_not_prison", "n_unknown"]
    table = pd.DataFrame([CUSTODY | change for change in changes], columns=list(CUSTODY))
    return table.astype(dict.fromkeys(counts, "Int64"))


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [({}, 0.6, 0.8), ({"n_prison": pd.NA}, 0, 0.8), ({"n_not_prison": pd.NA}, 0.6, 1), ({"n_prison": 10,
     "n_not_prison": 0, "n_unknown": 0}, 1, 1), ({"n_prison": 0, "n_not_prison": 10}, 0, 0)],
)  # fmt: skip
def test_share_in_prison_lies_between_those_known_there_and_those_known_elsewhere(change, low, high):
    found = estimands.custody(custody(change, {"iso3": "BBB"}, {"used": 0}), "AAA")
    assert found[["share_low", "share_high"]].to_numpy().tolist() == [[pytest.approx(low), pytest.approx(high)]]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (custody({"used": 0, "why_not": "of plea judgments"}, {"used": 0, "why_not": "approximate"}),
         r"\(approximate; of plea judgments\)"),
        (custody({"iso3": "BBB"}), "nothing is published"),
        (custody(), "nothing is published"),
    ],
)  # fmt: skip
def test_share_in_prison_is_refused_with_the_reasons_of_the_rows(table, reason):
    with pytest.raises(NotEstimable, match=reason):
        estimands.custody(table, "AAA")
    assert estimands.why_not(estimands.custody, table, "AAA").startswith("refused, because no usable figure")


def test_serbia_has_no_share_in_prison():
    told = estimands.why_not(estimands.custody, tables.read_csv(paths.PROCESSED / "custody.csv"), "SRB")
    assert told.startswith("refused, because no usable figure")


def reported(*rows: tuple) -> pd.DataFrame:
    """Name, value, low, high, and why it is refused."""
    told = pd.DataFrame(rows, columns=["name", "value", "low", "high", "refused"])
    return told.assign(group="g", quantity=told["name"], unit="share", n=1, source_ids="")[estimands.REPORTED]


def test_findings_tell_bounds_estimates_and_what_is_not_known():
    parts = [
        reported(
            ("bounds_monitor_36_60", OPEN, 0.5, 0.75, ""),
            ("bounds_official_36_60", OPEN, 0.251, 0.249, ""),
            ("bounds_all_36_60", OPEN, 0.1, 0.9, ""),
        ),
        reported(
            ("monitor_share_36_60", 0.65, 0.51, 0.78, ""),
            ("monitor_median_months", 46.2, 40, 52, ""),
            ("official_share_36_60", OPEN, OPEN, OPEN, "one-sided"),
            ("official_median_months", OPEN, OPEN, OPEN, "one-sided"),
        ),
        reported(("share_unknown", OPEN, 0.401, 0.399, "")),
    ]
    found = estimands.findings_in_words("Serbia", 119, parts)
    assert "119 people sentenced for trafficking in Serbia" in found.pop("finding_people")
    assert found == {
        "finding_monitor": "Monitored judgments (1 people): if the published figures are right, 50 to 75 % got from "
        "three to five years; a model puts it at 65 (51 to 78) %, and the median term at 46 (40 to 52) months.",
        "finding_official": "Government figures (1 people): if the published figures are right, 25 % got from three to "
        "five years; without further assumptions a median cannot be estimated.",
        "finding_publicised": "Publicised cases: nothing is published here.",
        "finding_all": "Of all people convicted in years with a published total, 10 to 90 % got from three to five "
        "years: the figures say no more, since of 40 % nothing is published.",
    }


def test_median_without_an_interval_is_told_without():
    parts = [reported(("bounds_publicised_36_60", OPEN, 0.2, 0.3, "")),
             reported(("publicised_share_36_60", 0.25, 0.1, 0.4, ""),
                      ("publicised_median_months", 100, OPEN, OPEN, "no interval: it did not converge"))]  # fmt: skip
    told = estimands.findings_in_words("Serbia", 8, parts)["finding_publicised"]
    assert told.endswith("a model puts it at 25 (10 to 40) %, and the median term at 100 months.")


def test_findings_on_a_country_of_which_nothing_is_published_say_so():
    found = estimands.findings_in_words("Tuvalu", 0, [reported()] * 3)
    assert (
        found["finding_people"].startswith("Nothing usable is published here") and "Tuvalu" in found["finding_people"]
    )
    assert all("published here" in told for told in found.values())


def test_country_of_which_nothing_is_published_runs_through_without_an_error():
    rows, convictions = estimands.select(real(), "TUV", 2006, 2025), totals()
    penalties = law.basic_penalties(NO_LAWS, "TUV")
    fits, estimates = estimands.report(rows, CHOICES, penalties, 5)
    share = estimands.unknown_share(estimands.unreported(rows, convictions), convictions)
    empty = [estimands.people_by_year(real(), "TUV"), estimands.all_bounds(rows, convictions), share, estimates,
             estimands.npmle(rows, CHOICES), estimands.families(rows, CHOICES), estimands.trends(rows, CHOICES),
             estimands.extremes(rows, fits, seed=1), estimands.family_check(rows, fits)]  # fmt: skip
    assert fits == {} and all(table.empty for table in empty)
    assert estimands.common_tests(rows, {"": CHOICES})["refused"].item()
