"""Justice, revisions, tiers, coverage and agreement, on frames such as the loader gives."""

import functools
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing import corrections, facts, tip
from sentencing.schemas import RawDataError

CODED = {
    "iso3": "SRB", "reference_year": 2017, "stage": "conviction", "unit": "persons", "value": 13,
    "qualifier": "exact", "exploitation": "all", "law": "trafficking", "period": "reporting_period",
    "continuing": pd.NA, "note": pd.NA, "locator": "prosecution:1-9", "source_id": "narratives-2018",
}  # fmt: skip
FIGURE = {
    "iso3": "SRB", "report_year": 2018, "reference_period": "2017", "indicator": "convictions", "value": "13",
    "unit": "persons", "qualifier": "exact", "exploitation": pd.NA, "group_n": pd.NA, "source_id": "mirror",
    "locator": "Prosecution", "note": pd.NA,
}  # fmt: skip
UNODC = {
    "iso3": "SRB", "country": "Serbia", "region": "Europe", "subregion": "Southern Europe", "year": 2017,
    "indicator": "convicted", "value": "13", "source_id": "unodc-001",
}  # fmt: skip
TIER = {
    "iso3": "SRB", "country": "Serbia", "report_year": 2018, "tier": "2", "n_sources": 1,
    "conflicts_with": pd.NA, "source_id": "tiers", "added_from": pd.NA, "note": pd.NA,
}  # fmt: skip


def table(base: dict, *changes: dict) -> pd.DataFrame:
    """A raw frame whose rows are `base` with `changes`; the index counts lines from 2 like the loader's."""
    rows = [base | {"correction_ids": ""} | change for change in changes]
    frame = pd.DataFrame(rows, columns=[*base, "correction_ids"])
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame


def justice(coded=(), serbia=(), other=(), unodc=()) -> pd.DataFrame:
    figures = table(FIGURE, *serbia), table(FIGURE, *other)
    return tip.clean_justice(table(CODED, *coded), *figures, table(UNODC, *unodc))


@functools.cache
def raw(name: str) -> pd.DataFrame:
    return corrections.read(name).frame


@functools.cache
def real_justice() -> pd.DataFrame:
    return tip.clean_justice(*(raw(name) for name in (tip.COUNTS, tip.SERBIA, tip.OTHER, tip.UNODC)))


def of(frame: pd.DataFrame, **wanted) -> pd.DataFrame:
    for column, value in wanted.items():
        frame = frame[frame[column].eq(value).fillna(False)]
    return frame


# ---------------------------------------------------------------------------- one row at a time


def test_a_coded_row_is_of_the_2018_edition_and_names_its_line():
    row = justice(coded=[{}]).iloc[0]
    assert (row.series, row.edition, row.reference_year, row.value, row.vintage) == ("tip", 2018, 2017, 13, 1)
    assert (row.raw_rows, row.source_ids, row.n_publications) == (f"{tip.COUNTS}:2", "narratives-2018", 1)
    assert (row.period_kind, row.period_start, row.period_end) == (
        "reporting_period", pd.Timestamp("2017-01-01"), pd.Timestamp("2018-12-31")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("qualifier", "value", "expected", "low", "high"),
    [
        ("exact", 7, 7, 7, 7),
        ("at_least", 7, 7, 7, None),
        ("at_most", 7, 7, None, 7),
        ("approx", 7, 7, None, None),
        ("none", 0, 0, 0, 0),
        ("not_reported", pd.NA, None, None, None),
    ],
)
def test_bounds_follow_the_qualifier_and_blank_never_becomes_zero(qualifier, value, expected, low, high):
    row = justice(coded=[{"qualifier": qualifier, "value": value}]).iloc[0]
    found = [None if pd.isna(row[c]) else row[c] for c in ("value", "value_low", "value_high")]
    assert found == [expected, low, high]
    assert row.qualifier == qualifier


def test_a_suppressed_unodc_count_is_between_one_and_four_and_has_no_value():
    row = justice(unodc=[{"value": "<5"}]).iloc[0]
    assert pd.isna(row.value)
    assert (row.value_low, row.value_high, row.qualifier, row.unit, row.series) == (
        1, 4, "suppressed", "persons", "unodc"
    )  # fmt: skip


def test_unodc_indicators_become_stages():
    rows = justice(unodc=[{"indicator": i} for i in ("convicted", "prosecuted", "detected_victims")])
    assert set(rows.stage) == {"conviction", "prosecution", "victims_identified"}


def test_a_zero_in_a_figures_table_means_none_as_it_does_in_the_coded_one():
    assert justice(serbia=[{"value": "0"}]).qualifier.tolist() == ["none"]


def test_a_zero_of_the_secondary_coding_stays_a_mere_number():
    row = justice(serbia=[{"indicator": "other:hti_prosnum", "unit": "count", "value": "0"}]).iloc[0]
    assert (row.qualifier, row.series, row.unit) == ("exact", "hti", "unspecified")


@pytest.mark.parametrize(
    ("change", "series"),
    [
        ({}, "tip"),
        ({"note": "NOT TIP: counted elsewhere"}, "other"),
        ({"note": "another body's figure via an encyclopaedia, not TIP"}, "other"),
        ({"report_year": pd.NA}, "other"),
        ({"report_year": pd.NA, "note": "Police figure"}, "police"),
        ({"report_year": pd.NA, "indicator": "other:police_victims"}, "police"),
        ({"note": "NOT TIP: suspects", "locator": "police section"}, "police"),
        ({"note": "by police and border guard"}, "tip"),
    ],
)
def test_only_what_a_tip_edition_says_is_series_tip(change, series):
    row = justice(serbia=[change]).iloc[0]
    assert row.series == series
    assert pd.isna(row.edition) == (series != "tip")


@pytest.mark.parametrize(
    ("indicator", "cell", "exploitation", "detail", "group"),
    [
        ("victims_sex_trafficking", "sex", "sex", None, "all"),
        ("victims_sex_trafficking", pd.NA, "sex", None, "all"),
        ("victims_forced_begging", "begging", "other", "begging", "all"),
        ("other:victims_forced_criminality", "criminality", "other", "criminality", "all"),
        ("other:victims_multiple", "multiple", "other", "multiple", "all"),
        ("victims_identified", "forced_criminality", "other", "criminality", "all"),
        ("victims_children", pd.NA, "all", None, "child"),
        ("victims_female", pd.NA, "all", None, "female"),
        ("other:victims_male", pd.NA, "all", None, "male"),
        ("convictions", "child", "all", None, "child"),
    ],
)
def test_forms_of_exploitation_and_groups_of_victims_stay_apart(indicator, cell, exploitation, detail, group):
    row = justice(serbia=[{"indicator": indicator, "exploitation": cell}]).iloc[0]
    assert (row.exploitation, row.victim_group) == (exploitation, group)
    assert row.exploitation_detail == detail if detail else pd.isna(row.exploitation_detail)


def test_a_part_of_the_country_is_marked_as_a_part():
    rows = justice(other=[{"indicator": "convictions"}, {"indicator": "other:RS_convictions", "value": "0"}])
    assert dict(zip(rows.value, rows.part.fillna(""), strict=True)) == {13: "", 0: "Republika Srpska"}


def test_a_multi_year_figure_has_no_reference_year_and_keeps_its_filing_year_in_the_id():
    row = justice(coded=[{"period": "multi_year", "reference_year": 2016}]).iloc[0]
    assert pd.isna(row.reference_year) and pd.isna(row.period_start)
    assert "several-to-2016" in row.justice_id


def test_the_fiscal_year_of_the_united_states_ends_in_september():
    row = justice(coded=[{"iso3": "USA", "period": "fiscal_year"}]).iloc[0]
    assert (row.period_start, row.period_end) == (pd.Timestamp("2016-10-01"), pd.Timestamp("2017-09-30"))


def test_a_period_beginning_in_the_year_of_the_report_is_a_part_of_it():
    row = justice(coded=[{"reference_year": 2018}]).iloc[0]
    assert (row.period_kind, row.reference_year) == ("part_year", 2018)
    assert pd.isna(row.period_end)


def test_ignored_indicators_give_no_row():
    figures = [{"indicator": i, "unit": "months"} for i in ("tier", "sentence_min", "reports_to_center")]
    assert justice(serbia=figures).empty


def test_no_indicator_is_both_counted_and_ignored():
    assert not set(tip.INDICATORS) & tip.IGNORED
    assert set(tip.INDICATOR_EXPLOITATION) <= set(tip.INDICATORS)


# ---------------------------------------------------------------------------- copies and editions


def test_two_copies_of_one_edition_are_one_row_with_both_sources():
    rows = justice(coded=[{}], serbia=[{}])
    assert len(rows) == 1
    row = rows.iloc[0]
    assert (row.source_ids, row.n_publications) == ("mirror;narratives-2018", 2)
    assert row.raw_rows == f"{tip.COUNTS}:2;{tip.SERBIA}:2"
    assert row.law == "trafficking"


def test_a_copy_that_tells_the_unit_fills_it_in():
    rows = justice(coded=[{"unit": "unspecified"}], other=[{"unit": "cases"}])
    assert rows.unit.tolist() == ["cases"]


def test_a_copy_does_not_fold_with_another_unit():
    assert len(justice(coded=[{"unit": "cases"}], serbia=[{"unit": "persons"}])) == 2


def test_different_values_in_one_edition_stay_apart():
    rows = justice(coded=[{}], serbia=[{"value": "14"}])
    assert sorted(rows.value) == [13, 14]
    assert rows.justice_id.is_unique


def test_the_same_number_twice_in_one_narrative_is_two_facts():
    coded = [{"value": 0, "qualifier": "none", "note": note} for note in ("State only", "Federation only")]
    rows = justice(coded=coded, other=[{"value": "0"}])
    assert sorted(rows.n_publications) == [1, 2]


def test_new_and_continuing_prosecutions_stay_apart_and_a_copy_joins_the_right_one():
    coded = [{"stage": "prosecution", "value": 24}, {"stage": "prosecution", "value": 14, "continuing": 1}]
    ongoing = {"indicator": "other:ongoing_prosecutions", "value": "14"}
    serbia = [{"indicator": "prosecutions", "value": "24"}, ongoing]
    rows = justice(coded=coded, serbia=serbia)
    assert dict(zip(rows.continuing, rows.value, strict=True)) == {0: 24, 1: 14}
    assert rows.n_publications.tolist() == [2, 2]


def test_a_restatement_is_a_new_row_with_the_next_vintage():
    rows = justice(serbia=[{}, {"report_year": 2020, "value": "12"}, {"report_year": 2019}])
    assert dict(zip(rows.edition, rows.vintage, strict=True)) == {2018: 1, 2019: 2, 2020: 3}
    assert len(rows) == 3


def test_vintages_link_a_coded_figure_with_an_edition_that_names_no_law():
    rows = justice(coded=[{}], serbia=[{"report_year": 2019}])
    assert dict(zip(rows.edition, rows.vintage, strict=True)) == {2018: 1, 2019: 2}


def test_press_figures_are_not_folded_and_are_all_first_vintage():
    rows = justice(serbia=[{"report_year": pd.NA, "source_id": s} for s in ("paper-1", "paper-2")])
    assert rows.vintage.tolist() == [1, 1] and rows.n_publications.tolist() == [1, 1]


def test_corrections_of_all_copies_are_told():
    rows = justice(coded=[{"correction_ids": "b;a"}], serbia=[{"correction_ids": "c"}])
    assert rows.correction_ids.tolist() == ["a;b;c"]


SMALL_CODED = [{}, {"value": 22, "reference_year": 2016}, {"note": "of these"}, {"exploitation": "sex"}]
SMALL_FIGURES = [{}, {"value": "14"}, {"report_year": 2019}, {"indicator": "tier"}, {"report_year": pd.NA}]


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(len(SMALL_CODED))), st.permutations(range(len(SMALL_FIGURES))))
def test_the_order_of_raw_rows_changes_nothing(coded_order, figure_order):
    coded, figures = table(CODED, *SMALL_CODED), table(FIGURE, *SMALL_FIGURES)
    rest = table(FIGURE), table(UNODC, {})
    usual = tip.clean_justice(coded, figures, *rest)
    shuffled = tip.clean_justice(coded.iloc[coded_order], figures.iloc[figure_order], *rest)
    pd.testing.assert_frame_equal(usual, shuffled)
    mixed = shuffled.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(tip.revisions(usual), tip.revisions(mixed))


COUNTED = st.tuples(st.integers(0, 5), st.sampled_from(["persons", "cases", "unspecified"]))


@given(st.lists(COUNTED, max_size=6))
def test_no_raw_row_is_lost_or_used_twice(facts):
    coded = [{"value": v, "unit": u, "note": str(i)} for i, (v, u) in enumerate(facts) if v]
    figures = [{"value": str(v), "unit": u, "source_id": f"m{i}"} for i, (v, u) in enumerate(facts)]
    rows = justice(coded=coded, serbia=figures)
    used = [r for cell in rows.raw_rows for r in cell.split(";")]
    assert len(used) == len(set(used)) == len(coded) + len(figures)
    assert rows.justice_id.is_unique


# ---------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [
        ({"indicator": "other:something_new"}, "indicator", "other:something_new"),
        ({"unit": "percent"}, "unit", "percent"),
        ({"qualifier": "roughly"}, "qualifier", "roughly"),
        ({"exploitation": "organs"}, "exploitation", "organs"),
        ({"indicator": "victims_sex_trafficking", "exploitation": "labor"}, "exploitation", "labor"),
        ({"reference_period": "2017?"}, "reference_period", "2017?"),
        ({"value": "12.5"}, "value", "12.5"),
        ({"value": pd.NA}, "value", ""),
        ({"value": "3", "qualifier": "none"}, "value", "3"),
        ({"value": "3", "qualifier": "not_reported"}, "value", "3"),
    ],
)
def test_an_unknown_cell_stops_the_cleaning_naming_table_row_and_value(change, column, value):
    with pytest.raises(RawDataError) as error:
        justice(serbia=[{}, change])
    problem = error.value.problems[0]
    assert (problem.file, problem.row, problem.column, problem.value) == (
        f"data/raw/{tip.SERBIA}", 3, column, value
    )  # fmt: skip


@pytest.mark.parametrize("column", ["stage", "unit", "qualifier", "exploitation", "law", "period"])
def test_an_unknown_code_of_the_coded_narratives_is_refused_with_the_known_ones(column):
    with pytest.raises(RawDataError) as error:
        justice(coded=[{column: "novel"}])
    assert "'novel'" in str(error.value) and "one of '" in str(error.value)
    assert f"{tip.COUNTS}, row 2, column {column}" in str(error.value)


def test_all_faults_of_all_tables_are_told_at_once():
    with pytest.raises(RawDataError) as error:
        justice(coded=[{"unit": "x"}], serbia=[{"unit": "y"}], unodc=[{"indicator": "z"}, {"value": "few"}])
    assert len(error.value.problems) == 4


# ---------------------------------------------------------------------------- revisions


def test_a_revision_tells_first_and_last_value_and_the_change():
    told = {2016: "5", 2017: "4", 2018: "3"}
    figures = [{"report_year": year, "value": value} for year, value in told.items()]
    row = tip.revisions(justice(serbia=figures)).iloc[0]
    assert (row.first_edition, row.first_value, row.last_edition, row.last_value) == (2016, 5, 2018, 3)
    assert (row.change, row.n_vintages) == (-2, 3)
    assert pd.isna(row.why_not_compared)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ([{}, {"value": "14"}, {"report_year": 2019}], "several figures"),
        ([{"qualifier": "at_least"}, {"report_year": 2019}], "no exact figure"),
        ([{}, {"report_year": 2019, "unit": "cases"}], "share no unit"),
    ],
)
def test_what_cannot_be_compared_is_kept_with_the_reason(figures, reason):
    found = tip.revisions(justice(serbia=figures))
    assert len(found) == 1
    assert reason in found.why_not_compared[0]
    assert found[["first_value", "last_value", "change"]].isna().all(axis=None)


def test_facts_of_one_edition_and_of_other_series_are_no_revisions():
    other = {"report_year": pd.NA}
    assert tip.revisions(justice(coded=[{}], serbia=[{}, other, other | {"value": "9"}], unodc=[{}])).empty


def test_part_of_a_year_is_not_a_restatement_of_the_year():
    figures = [{}, {"report_year": 2019, "reference_period": "2017-01/2017-06"}]
    assert tip.revisions(justice(serbia=figures)).empty


# ---------------------------------------------------------------------------- tiers


def test_tiers_are_ranked_from_best_to_worst_and_special_cases_are_not_ranked():
    tiers = [{"iso3": c, "tier": t} for c, t in zip("ABCDEF", tip.TIER_RANKS, strict=True)]
    ranks = tip.clean_tiers(table(TIER, *tiers)).set_index("tier").tier_rank
    assert ranks.dropna().to_dict() == {"1": 1, "2": 2, "2WL": 3, "3": 4}
    assert ranks[["special", "2_or_2WL"]].isna().all()


def test_a_missing_country_year_is_filled_from_the_serbian_figures():
    figures = table(FIGURE, {"indicator": "tier", "value": "3", "report_year": 2001, "unit": "tier"}, {})
    tiers = tip.clean_tiers(table(TIER, {}), figures)
    assert tiers.report_year.tolist() == [2001, 2018]
    assert tiers.added_from.fillna("").tolist() == [tip.SERBIA, ""]
    assert tiers.country.tolist() == ["Serbia", "Serbia"]


def test_another_tier_in_the_serbian_figures_is_told_as_a_conflict():
    figures = table(FIGURE, {"indicator": "tier", "value": "2WL", "source_id": "mirror"})
    row = tip.clean_tiers(table(TIER, {"conflicts_with": "x=3"}), figures).iloc[0]
    assert (row.tier, row.conflicts_with) == ("2", "x=3; mirror=2WL")
    assert row.raw_rows == f"{tip.TIERS}:2;{tip.SERBIA}:2"


def test_sources_that_disagree_on_a_missing_country_year_leave_the_tier_blank():
    figures = table(
        FIGURE, *({"indicator": "tier", "report_year": 2002, "value": v, "source_id": v} for v in ("3", "2"))
    )
    row = of(tip.clean_tiers(table(TIER, {}), figures), report_year=2002).iloc[0]
    assert pd.isna(row.tier) and pd.isna(row.tier_rank)
    assert row.conflicts_with == "3=3; 2=2"


@pytest.mark.parametrize("tiers", [[{"tier": "4"}], [{}, {}]])
def test_unknown_tiers_and_repeated_country_years_are_refused(tiers):
    with pytest.raises(RawDataError):
        tip.clean_tiers(table(TIER, *tiers))


def test_tiers_that_fill_and_that_conflict_are_whole_rows_in_order_of_country_and_year():
    further = [
        {
            "indicator": next(iter(tip.TIER_INDICATORS)),
            "value": value,
            "report_year": year,
            "source_id": source,
            "note": note,
        }
        for value, year, source, note in (
            ("3", 2018, "b", "x"),
            ("2", 2018, "c", pd.NA),
            ("1", 2017, "b", "x"),
            ("1", 2017, "a", "y"),
            ("1", 2016, "a", pd.NA),
            ("2WL", 2016, "b", "z"),
        )
    ]
    found = tip.clean_tiers(table(TIER, {"report_year": 2019}, {}, {"iso3": "ALB", "country": "Albania"}),
                            table(FIGURE, *further))  # fmt: skip
    assert list(found) == tip.TIER_COLUMNS and list(found.index) == list(range(5))
    assert found[["iso3", "report_year"]].values.tolist() == [
        ["ALB", 2018], ["SRB", 2016], ["SRB", 2017], ["SRB", 2018], ["SRB", 2019],
    ]  # fmt: skip
    told = found.astype("object").where(found.notna(), None).set_index(["iso3", "report_year"])
    at = {place: told.loc[("SRB", place)].to_dict() for place in (2016, 2017, 2018)}
    shown = ("country", "tier", "tier_rank", "conflicts_with", "n_sources", "added_from", "source_id", "note")
    assert [at[2016][c] for c in shown] == ["Serbia", None, None, "a=1; b=2WL", 0, tip.SERBIA, "a;b", "z"]
    assert [at[2017][c] for c in shown] == ["Serbia", "1", 1, None, 2, tip.SERBIA, "a;b", "x | y"]
    assert [at[2018][c] for c in shown] == ["Serbia", "2", 2, "b=3", 1, None, "tiers", None]
    assert at[2018]["raw_rows"] == f"{tip.TIERS}:3;{tip.SERBIA}:2;{tip.SERBIA}:3"
    assert at[2017]["raw_rows"] == f"{tip.SERBIA}:4;{tip.SERBIA}:5"


def test_faults_of_tiers_are_told_with_table_row_column_and_what_is_right():
    tiers = table(TIER, {}, {"tier": "4"}, {})
    with pytest.raises(RawDataError) as caught:
        tip.clean_tiers(tiers, table(FIGURE, {"indicator": next(iter(tip.TIER_INDICATORS)), "value": "2W"}))
    known = f"one of {', '.join(tip.TIER_RANKS)}"
    found = [(p.file, p.row, p.column, p.value, p.expected) for p in caught.value.problems]
    once = "each country and report year once"
    assert [(row, column, value, expected) for _, row, column, value, expected in found] == [
        (3, "tier", "4", known), (3, "report_year", "SRB 2018", once), (4, "report_year", "SRB 2018", once),
        (2, "value", "2W", known),
    ]  # fmt: skip
    assert [name.endswith(place) for (name, *_), place in zip(found, [tip.TIERS] * 3 + [tip.SERBIA], strict=True)] == [
        True
    ] * 4


def test_tier_coverage_is_relative_to_the_fullest_year():
    tiers = tip.clean_tiers(table(TIER, {}, {"iso3": "MNE"}, {"report_year": 2019}))
    coverage = tip.tier_coverage(tiers).set_index("report_year")
    assert coverage.n_countries.to_dict() == {2018: 2, 2019: 1}
    assert coverage.share_of_largest.to_dict() == {2018: 1.0, 2019: 0.5}


# ---------------------------------------------------------------------------- coverage

NONE = {"value": 0, "qualifier": "none"}
FLAGS = pd.DataFrame({"iso3": ["SRB"], "flag": ["courts_lenient_criticised"], "value": ["0"]})


def status(coded=(), other=(), year=2017, iso3="SRB") -> str:
    grid = tip.coverage_grid(justice(coded=coded, other=other), FLAGS, [iso3], [year])
    return of(grid, stage="conviction").status.item()


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        ([{}], "reported"),
        ([{"qualifier": "at_least", "value": 3}], "reported"),
        ([NONE], "reported_as_none"),
        ([NONE, {"law": "related", "value": 2}], "reported"),
        ([NONE | {"exploitation": "labor"}], "not_reported"),
        ([NONE | {"exploitation": e} for e in ("sex", "labor")], "reported_as_none"),
        ([{"value": pd.NA, "qualifier": "not_reported"}], "not_reported"),
        ([{"period": "multi_year"}], "not_reported"),
        ([], "not_reported"),
    ],
)
def test_status_of_a_country_whose_narrative_was_read(coded, expected):
    assert status(coded) == expected


def test_absence_where_no_narrative_was_read_is_not_covered():
    assert status(iso3="MNE") == "not_covered"
    assert status(year=2016) == "not_covered"


def test_none_in_a_part_of_the_country_is_not_none_in_the_country():
    part = {"iso3": "BIH", "indicator": "other:RS_convictions", "value": "0"}
    assert status(other=[part], iso3="BIH") == "not_reported"


def test_figures_of_other_series_do_not_count_as_reported_by_tip():
    grid = tip.coverage_grid(justice(unodc=[{"iso3": "MNE"}]), FLAGS, ["MNE"], [2017])
    assert set(grid.status) == {"not_covered"}


def test_the_grid_is_full_and_names_the_editions():
    told = justice(coded=[{}], serbia=[{"report_year": 2019}])
    grid = tip.coverage_grid(told, FLAGS, ["SRB", "MNE"], [2016, 2017])
    assert len(grid) == 2 * 2 * len(tip.STAGES)
    assert of(grid, iso3="SRB", reference_year=2017, stage="conviction").editions.item() == "2018;2019"
    assert of(grid, iso3="MNE").editions.isna().all()


def test_countries_are_counted_by_stage_and_status_of_one_year():
    told = justice(coded=[{}, {"iso3": "ALB"} | NONE], other=[{"reference_period": "2016", "iso3": "MNE"}])
    grid = tip.coverage_grid(told, FLAGS, ["SRB", "ALB", "MNE", "SRB"], [2016, 2017, 2016])
    counted = tip.coverage_of(grid, 2017)
    assert list(counted.index) == list(tip.STAGES)
    assert list(counted) == ["reported", "reported_as_none", "not_reported", "not_covered"]
    assert counted.loc["conviction"].tolist() == [1, 1, 0, 1]
    assert counted.drop(index="conviction").to_numpy().tolist() == [[0, 0, 1, 2]] * (len(tip.STAGES) - 1)
    assert tip.coverage_of(grid, 2016).loc["conviction"].tolist() == [1, 0, 0, 2]
    assert (tip.coverage_of(grid, 2010) == 0).all(axis=None)
    order = grid[["iso3", "reference_year"]].drop_duplicates().values.tolist()
    assert order == [[iso3, year] for iso3 in ("ALB", "MNE", "SRB") for year in (2016, 2017)]
    assert list(grid) == ["iso3", "reference_year", "stage", "status", "editions"]
    assert list(grid.index) == list(range(len(grid))) and grid["reference_year"].dtype == "Int64"


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        ([NONE | {"law": "related"}], "not_reported"),
        ([NONE | {"law": "unspecified"}], "reported_as_none"),
        ([NONE | {"exploitation": "sex"}], "not_reported"),
        ([NONE | {"exploitation": "sex"}, NONE | {"exploitation": "labor", "law": "related"}], "not_reported"),
        ([NONE | {"stage": "prosecution", "continuing": 1}], "not_reported"),
        ([NONE | {"stage": "prosecution", "continuing": 1}, NONE | {"stage": "prosecution"}], "reported_as_none"),
    ],
)
def test_nobody_under_another_law_or_in_a_part_is_not_nobody_at_all(coded, expected):
    grid = tip.coverage_grid(justice(coded=coded), FLAGS, ["SRB"], [2017])
    assert of(grid, stage=coded[0].get("stage", "conviction")).status.item() == expected


# ---------------------------------------------------------------------------- what a reader is shown


def test_justice_is_in_order_of_country_year_stage_and_edition_and_numbered_anew():
    told = justice(
        coded=[{"stage": stage, "reference_year": year, "iso3": iso3}
               for iso3 in ("SRB", "ALB") for year in (2017, 2016) for stage in reversed(tip.STAGES)],
        serbia=[{"report_year": 2019}],
    )  # fmt: skip
    place = {stage: number for number, stage in enumerate(tip.STAGES)}
    shown = [(r.iso3, r.reference_year, place[r.stage], r.edition) for r in told.itertuples()]
    assert shown == sorted(shown) and len(shown) == 4 * len(tip.STAGES) + 1
    assert list(told.index) == list(range(len(told))) and list(told) == tip.JUSTICE_COLUMNS


def test_convictions_of_a_country_are_those_of_the_coded_edition_for_all_exploitation_by_year():
    told = tip.convictions(
        justice(
            coded=[{}, {"reference_year": 2015, "value": 20}, {"stage": "prosecution"}, {"iso3": "ALB"},
                   {"exploitation": "sex", "value": 4}],
            serbia=[{"report_year": 2019, "value": "14"}], unodc=[{}],
        ),
        "SRB",
    )  # fmt: skip
    assert list(told) == ["reference_year", "unit", "value", "qualifier", "law", "raw_rows", "source_ids"]
    assert told[["reference_year", "value"]].values.tolist() == [[2015, 20], [2017, 13]]
    assert told["raw_rows"].tolist() == [f"{tip.COUNTS}:3", f"{tip.COUNTS}:2"] and list(told.index) == [0, 1]
    assert set(told["source_ids"]) == {"narratives-2018"} and set(told["law"]) == {"trafficking"}


def test_kinds_of_statement_are_counted_by_publisher_in_words():
    told = justice(
        coded=[{}, {"stage": "prosecution"}, {"iso3": "ALB", "qualifier": "at_least"}],
        unodc=[{"iso3": "MNE"}, {"iso3": "BIH", "value": "<5"}],
    )
    found = tip.kinds_of_statement(told, {"tip": "TIP Report", "unodc": "UNODC"})
    assert list(found) == ["statement", "TIP Report", "UNODC"]
    assert found.values.tolist() == [["a number", 2, 1], ["withheld, 1 to 4", 0, 1], ["at least", 1, 0]]


# ---------------------------------------------------------------------------- agreement


def test_agreement_counts_shared_facts_of_both_with_repeats():
    first, second = table(CODED, {}, {}, {"value": 1}), table(CODED, {}, {"value": 2})
    assert tip.agreement(first, second, tip.FACT_KEYS["counts"]) == (2 / 5, 3, 2, 1)


def test_two_coders_who_find_no_figure_agree():
    first = table(CODED, {"value": pd.NA, "qualifier": "not_reported"})
    assert tip.agreement(first, first, tip.FACT_KEYS["counts"]).f1 == 1


def test_agreement_of_nothing_with_nothing_is_undefined():
    assert math.isnan(tip.agreement(table(CODED), table(CODED), tip.FACT_KEYS["counts"]).f1)


def test_custody_facts_are_the_filled_counts_and_months_are_rounded():
    custody = pd.DataFrame([{"iso3": "A", "reference_year": 2017} | dict.fromkeys(facts.CUSTODY_COUNTS, pd.NA)])
    custody["n_prison"] = 2
    assert list(tip.FACT_KEYS["custody"](custody)) == [("A", "2017", "n_prison", "2")]
    sentence = {"iso3": ["A"], "reference_year": [2017], "low_months": [11.8], "high_months": [float("nan")]}
    assert list(tip.FACT_KEYS["sentences"](pd.DataFrame(sentence))) == [("A", "2017", "12", "")]


@given(st.lists(st.integers(0, 4)), st.lists(st.integers(0, 4)))
def test_agreement_is_symmetric_and_a_share(first, second):
    tables = [table(CODED, *({"value": v} for v in values)) for values in (first, second)]
    there = tip.agreement(*tables, tip.FACT_KEYS["counts"])
    back = tip.agreement(*reversed(tables), tip.FACT_KEYS["counts"])
    if first or second:
        assert there.f1 == back.f1 and 0 <= there.f1 <= 1
    assert tip.agreement(tables[0], tables[0], tip.FACT_KEYS["counts"]).n_shared == len(first)


# ---------------------------------------------------------------------------- the real tables


def test_serbian_convictions_of_the_2018_edition():
    rows = of(real_justice(), iso3="SRB", stage="conviction", edition=2018)
    assert dict(zip(rows.reference_year, rows.value, strict=True)) == {2015: 20, 2016: 22, 2017: 13}
    assert set(rows.n_publications) == {2}


def test_serbian_prosecutions_of_2017_are_new_and_continuing_and_suppressed_at_unodc():
    rows = of(real_justice(), iso3="SRB", stage="prosecution", reference_year=2017)
    edition = of(rows, edition=2018)
    assert dict(zip(edition.continuing, edition.value, strict=True)) == {0: 24, 1: 14}
    assert of(rows, series="unodc").qualifier.tolist() == ["suppressed"]


@pytest.mark.parametrize(("year", "edition_2012", "unodc"), [(2011, 47, 39), (2010, 36, 21)])
def test_tip_and_unodc_disagree_on_serbian_convictions(year, edition_2012, unodc):
    rows = of(real_justice(), iso3="SRB", stage="conviction", reference_year=year)
    assert of(rows, series="tip", edition=2012).value.tolist() == [edition_2012]
    assert of(rows, series="unodc").value.tolist() == [unodc]


def test_the_montenegrin_prosecutions_of_2003_stay_montenegrin():
    rows = of(real_justice(), edition=2003, stage="prosecution", series="tip", value=22)
    assert rows.iso3.tolist() == ["MNE"]


def test_every_raw_row_is_used_once_or_ignored_on_purpose():
    used = [row for cell in real_justice().raw_rows for row in cell.split(";")]
    figures = pd.concat([raw(tip.SERBIA), raw(tip.OTHER)])
    n_counted = int(figures.indicator.isin(list(tip.INDICATORS)).sum())
    assert len(used) == len(set(used)) == len(raw(tip.COUNTS)) + len(raw(tip.UNODC)) + n_counted


def test_ids_are_unique_and_codes_are_among_the_known():
    frame = real_justice()
    assert frame.justice_id.is_unique
    assert list(frame) == tip.JUSTICE_COLUMNS
    assert set(frame.stage) <= set(tip.STAGES)
    assert set(frame.victim_group) <= {"all", "child", "adult", "female", "male"}
    assert frame.value[frame.qualifier == "not_reported"].isna().all()


def test_slovenian_convictions_of_2015_were_restated():
    row = of(tip.revisions(real_justice()), iso3="SVN", reference_year=2015, stage="conviction").iloc[0]
    assert (row.first_edition, row.first_value, row.last_edition, row.last_value) == (2016, 5, 2018, 3)


def test_serbian_tiers_run_without_a_gap():
    tiers = of(tip.clean_tiers(raw(tip.TIERS), raw(tip.SERBIA)), iso3="SRB")
    assert tiers.report_year.tolist() == list(range(2001, 2026))
    assert of(tiers, report_year=2016).tier.item() == "2WL"


def test_every_coded_country_has_a_status_for_2017():
    flags = raw("tip/coded_2018_flags.csv")
    grid = tip.coverage_grid(real_justice(), flags, flags.iso3.unique(), [2017])
    assert "not_covered" not in set(grid.status)
    assert of(grid, iso3="SRB", stage="conviction").status.item() == "reported"


@pytest.mark.parametrize(
    ("kind", "f1"), [("counts", 0.962), ("custody", 0.960), ("sentences", 0.909), ("statutes", 0.976)]
)
def test_agreement_of_the_two_coders(kind, f1):
    first, second = (raw(f"tip/coded_2018_{kind}_{coder}.csv") for coder in ("first", "second"))
    assert tip.agreement(first, second, tip.FACT_KEYS[kind]).f1 == pytest.approx(f1, abs=0.0005)
