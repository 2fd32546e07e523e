"""One figure for each year, stage and body: which rows of the tables count, and where bodies disagree."""

import pandas as pd
import pytest

from sentencing import evidence, paths, stages, tables

TOTAL = {
    "iso3": "MKD", "stage": "conviction", "unit": "persons", "exploitation": "all", "victim_group": "all",
    "law": "trafficking", "part": pd.NA, "continuing": 0, "reference_year": 2015, "period_kind": "calendar_year",
    "qualifier": "exact", "series": "tip", "edition": 2016, "value": 5, "value_low": 5, "value_high": 5,
    "source_ids": "s1",
}  # fmt: skip
SERIES = {
    "series": "center", "measure": "victims_identified", "year": 2015, "dimension": "total", "category": "total",
    "period_kind": "full_year", "preferred": 1, "count": 40, "source_ids": "c1",
}  # fmt: skip


def totals(*rows: dict) -> list[tuple]:
    """Country, stage, body, year, value, edition and sources of the figures that come of rows like TOTAL."""
    found = stages.justice_totals(pd.DataFrame([TOTAL | row for row in rows]).astype({"edition": "Int64"}))
    columns = ["iso3", "stage", "body", "year", "value", "edition", "source_ids"]
    return list(found[columns].itertuples(index=False, name=None))


def figures(*rows: tuple) -> pd.DataFrame:
    """Stage, body, year, low and high as rows of `stages.yearly_figures`."""
    frame = pd.DataFrame(rows, columns=["stage", "body", "year", "value_low", "value_high"])
    return frame.assign(value=frame["value_low"], edition=pd.NA, source_ids="s1")[stages.COLUMNS]


# --- From the table of justice figures ----------------------------------------------------------------------------


def test_a_total_of_a_full_year_is_a_figure():
    assert totals({}) == [("MKD", "conviction", "tip", 2015, 5, 2016, "s1")]


@pytest.mark.parametrize(
    ("column", "value"),
    [("unit", "unspecified"), ("law", "unspecified"), ("law", "mixed"), ("series", "unodc"), ("series", "police"),
     ("stage", "prosecution"), ("qualifier", "at_least"), ("period_kind", "reporting_period")],
)  # fmt: skip
def test_so_is_one_that_may_be_it(column, value):
    assert len(totals({column: value})) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [("stage", "investigation"), ("unit", "cases"), ("exploitation", "sex"), ("victim_group", "children"),
     ("law", "related"), ("part", "new"), ("continuing", 1), ("reference_year", pd.NA), ("period_kind", "part_year"),
     ("period_kind", "multi_year"), ("qualifier", "not_reported"), ("series", "nobody")],
)  # fmt: skip
def test_what_counts_something_else_is_none(column, value):
    assert totals({column: value}) == []
    assert totals({}, {column: value, "value": 7, "value_low": 7}) == totals({})


def test_the_last_edition_speaks_alone():
    rows = [{"edition": 2016, "value": 5, "value_low": 5}, {"edition": 2018, "value": 6, "value_low": 6},
            {"edition": 2017, "value": 7, "value_low": 7}]  # fmt: skip
    assert totals(*rows) == [("MKD", "conviction", "tip", 2015, 6, 2018, "s1")]


def test_persons_are_taken_before_numbers_whose_unit_is_not_told():
    assert totals({"unit": "unspecified", "value": 9, "value_low": 9}, {})[0][4] == 5


def test_one_edition_that_contradicts_itself_gives_no_total_and_one_that_repeats_itself_does():
    assert totals({}, {"value": 6, "value_low": 6}) == []
    assert totals({"source_ids": "s2"}, {"source_ids": "s1"})[0][6] == "s1;s2"


def test_bodies_without_editions_stages_years_and_countries_are_kept_apart():
    others = [{"series": "unodc", "edition": pd.NA, "value": 4}, {"stage": "prosecution"}, {"reference_year": 2016},
              {"iso3": "HRV"}]  # fmt: skip
    assert len(totals({}, *others)) == 5


def test_bounds_stay_bounds():
    found = stages.justice_totals(pd.DataFrame([TOTAL | {"value": pd.NA, "value_low": 1, "value_high": 4}]))
    assert found["value"].isna().all() and found[["value_low", "value_high"]].values.tolist() == [[1, 4]]


@pytest.mark.parametrize(("body", "n"), [("tip", 1), ("unodc", 1), ("hti", 1), ("police", 0), ("other", 0)])
def test_other_bodies_of_serbia_speak_through_the_table_of_the_centre(body, n):
    assert len(totals({"iso3": "SRB", "series": body})) == n
    assert len(totals({"series": body})) == 1


# --- From the Centre's table ----------------------------------------------------------------------------------------


def of_serbia(**cells) -> list[tuple]:
    """Stage, body, year, value and edition of the yearly figures that a row like SERIES gives."""
    nothing = tables.read_csv(paths.PROCESSED / "evidence.csv").iloc[:0]
    none = pd.DataFrame([TOTAL | {"iso3": "HRV"}])
    found = stages.yearly_figures(none, pd.DataFrame([SERIES | cells]), nothing, "SRB")
    return list(found[["stage", "body", "year", "value", "value_low", "value_high"]].itertuples(index=False, name=None))


def test_a_total_of_the_centre_is_a_figure_of_serbia():
    assert of_serbia() == [("victims_identified", "center", 2015, 40, 40, 40)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("measure", "victims_assisted"), ("dimension", "age"), ("category", "sex"), ("period_kind", "part_year"),
     ("preferred", 0), ("count", pd.NA), ("series", "tip")],
)  # fmt: skip
def test_of_the_centre_too_only_totals_of_full_years_count(column, value):
    assert of_serbia(**{column: value}) == []


def test_reports_received_are_taken_from_there_though_the_tip_report_tells_them():
    assert of_serbia(series="tip", measure="reports_received") == [("reports_received", "tip", 2015, 40, 40, 40)]


# --- Together, as committed -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed():
    return [tables.read_csv(paths.PROCESSED / f"{name}.csv") for name in ("justice", "victims", "evidence")]


def test_terms_are_those_of_the_evidence_whose_year_is_one(committed):
    known = committed[2]
    for iso3 in ("SRB", "MKD"):
        found = stages.yearly_figures(*committed, iso3).query("stage == 'prison'")
        counted = evidence.people(known[known["iso3"] == iso3]).query("year_low == year_high")
        assert len(found) == len(counted) > 0
        for row in counted.itertuples():
            (own,) = found[(found["year"] == row.year_low) & (found["body"] == row.source_kind)].to_dict("records")
            assert (own["value"], own["value_low"], own["value_high"]) == (row.n_smallest,) * 2 + (row.n_largest,)
            used = known.query("iso3 == @iso3 and used == 1 and year_low == year_high == @row.year_low")
            named = used.loc[used["source_kind"] == row.source_kind, "source_id"]
            assert own["source_ids"].split(";") == sorted({s for ids in named for s in ids.split(";")})


def test_figures_are_of_one_country_and_in_the_order_of_the_stages(committed):
    found = stages.yearly_figures(*committed, "SRB")
    assert list(found.columns) == stages.COLUMNS and str(found["edition"].dtype) == "Int64"
    order = [(list(stages.STAGES).index(stage), year, body) for stage, year, body in
             found[["stage", "year", "body"]].itertuples(index=False)]  # fmt: skip
    assert order == sorted(order) and len(set(order)) == len(order) and list(found.index) == list(range(len(found)))
    assert {stage for stage, _, _ in order} == set(range(len(stages.STAGES)))
    assert set(found["body"]) > {"center", "tip", "unodc"}
    others = stages.yearly_figures(*committed, "MKD")
    assert "center" not in set(others["body"]) and set(others["stage"]) >= {"conviction", "prison"}


# --- Where bodies disagree --------------------------------------------------------------------------------------------

HELD = figures(
    ("conviction", "tip", 2011, 3, 3), ("conviction", "unodc", 2011, 7, 7), ("conviction", "other", 2011, 5, 5),
    ("conviction", "tip", 2012, 3, 3), ("conviction", "unodc", 2012, 1, 4), ("conviction", "hti", 2012, 90, 90),
    ("prosecution", "tip", 2011, 8, 8), ("prosecution", "unodc", 2011, 1, 4),
    ("victims_identified", "tip", 2011, 8, 8), ("victims_identified", "astra", 2011, 20, 20),
)  # fmt: skip


def test_disagreements_are_figures_that_cannot_both_hold():
    found = stages.disagreements(HELD)
    assert found.to_dict("records")[0] == {
        "stage": "conviction", "year": 2011, "TIP Report": "3", "UNODC": "7", "other or unnamed body": "5",
        "difference": 4,
    }  # fmt: skip
    assert list(found[["stage", "year", "TIP Report", "UNODC", "difference"]].iloc[1]) == \
        ["prosecution", 2011, "8", "1 to 4", 4]  # fmt: skip
    assert len(found) == 2 and list(found.columns)[-1] == "difference"


def test_bodies_that_count_others_are_not_compared():
    assert set(stages.comparable(HELD)["body"]) == {"tip", "unodc", "other"}
    assert stages.n_compared(HELD) == 3
    nothing = stages.disagreements(figures(("conviction", "tip", 2011, 3, 3)))
    assert nothing.empty and list(nothing.columns) == ["stage", "year", "difference"]


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [((3, 3), (3, 3), "yes"), ((3, 3), (4, 4), "no"), ((4, 4), (3, 3), "no"), ((3, 3), (1, 3), "cannot be told"),
     ((3, 3), (3, 6), "cannot be told"), ((1, 2), (3, 4), "no"), ((1, 4), (1, 4), "cannot be told"),
     ((3, float("nan")), (1, 2), "no"), ((3, float("nan")), (5, 5), "cannot be told")],
)  # fmt: skip
def test_two_figures_are_the_same_different_or_either(own, other, told):
    assert stages.agree(*own, *other) == told == stages.agree(*other, *own)


def test_holdings_tell_how_many_years_a_body_gives_and_from_when_to_when():
    found = stages.holdings(HELD).set_index(["stage", "body"])
    assert found.loc[("People convicted", "TIP Report")].to_dict() == {
        "years with a figure": 2, "first": 2011, "last": 2012
    }  # fmt: skip
    assert list(found.index)[0] == ("People convicted", "TIP Report") and len(found) == 8


def test_every_figure_is_told_in_words():
    told = stages.in_words(HELD)
    assert told.startswith("People convicted, TIP Report: 2011 3, 2012 3. People convicted, UNODC: 2011 7, 2012 1 to 4")
    assert told.count(".") == 8
    assert "No yearly total" in stages.in_words(HELD.iloc[:0])


def test_years_with_a_figure_are_told_of_every_stage():
    numbers = "possible victims received 0; victims identified 1; people prosecuted 1; people convicted 2; people whose"
    assert numbers in stages.gaps_told(stages.gaps(HELD, range(2010, 2013)))
    of_conviction = stages.gaps(HELD, range(2011, 2013)).set_index("stage").loc["conviction"]
    assert of_conviction[["step", "years_without"]].tolist() == ["People convicted", "none"]


def test_labels_replace_codes_where_there_are_any():
    frame = pd.DataFrame({"body": ["tip"], "n": [1]})
    assert stages.in_labels(frame).to_dict("records") == [{"body": "TIP Report", "n": 1}]
