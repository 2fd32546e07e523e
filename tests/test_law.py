"""The law on the books: which penalty applies to a judgment, at its own date and at that of the offence."""

import math

import pandas as pd
import pytest

from sentencing import law, paths, tables

NONE = float("nan")
OLD, NEW = law.Penalty(24, 120), law.Penalty(36, 144)
STATUTE = {"iso3": "AAA", "told_by": "statute text", "form": "article", "paragraph": "1", "source_ids": "code"}
REPORT = {"iso3": "AAA", "told_by": "TIP Report", "edition": 2018, "form": "basic_all", "source_ids": "report"}


def penalties(*laws: tuple) -> pd.DataFrame:
    """Laws as (from_year, to_year, minimum, maximum), years None where open."""
    frame = pd.DataFrame([(*each, "code") for each in laws], columns=law.COLUMNS)
    return frame.astype({"from_year": "Int64", "to_year": "Int64", "min_months": float, "max_months": float})


RAISED = penalties((2006, 2009, *OLD), (2009, None, *NEW))


def statutes(*changes: dict) -> pd.DataFrame:
    columns = ["iso3", "told_by", "edition", "form", "paragraph", "valid_from", "valid_to", "min_months", "max_months"]
    frame = pd.DataFrame(changes, columns=[*columns, "source_ids"])
    return frame.astype({"edition": "Int64", "min_months": float, "max_months": float})


@pytest.mark.parametrize(("year", "penalty"), [(2005, None), (2006, OLD), (2008, OLD), (2009, NEW), (2025, NEW)])
def test_law_at_judgment_is_that_of_the_end_of_the_year(year, penalty):
    assert law.at_judgment(RAISED, year) == penalty


@pytest.mark.parametrize(
    ("year", "lag", "penalty"),
    [(2004, 5, None), (2008, 5, OLD), (2009, 0, OLD), (2010, 0, NEW), (2010, 1, OLD), (2014, 5, OLD), (2015, 5, NEW)],
)
def test_milder_old_law_reaches_as_far_as_offences_may_lie_back(year, lag, penalty):
    assert law.mildest(RAISED, year, lag) == penalty


@pytest.mark.parametrize("year", [2009, 2012, 2020])
def test_new_law_that_is_milder_applies_to_old_offences_too(year):
    assert law.mildest(penalties((2006, 2009, *NEW), (2009, None, *OLD)), year, 5) == OLD


def test_of_equal_maxima_the_lower_minimum_is_milder_and_no_maximum_is_never_milder():
    assert law.mildest(penalties((2006, 2009, 60, 120), (2009, None, 24, 120)), 2010, 5).min_months == 24
    assert law.mildest(penalties((2006, 2009, 12, NONE), (2009, None, 60, 240)), 2010, 5).max_months == 240


@pytest.mark.parametrize("year", [1999, 2010, 2025])
def test_law_without_dates_applies_to_every_year(year):
    told = penalties((None, None, 48, NONE))
    for penalty in (law.at_judgment(told, year), law.mildest(told, year, 5)):
        assert penalty.min_months == 48 and math.isnan(penalty.max_months)


def test_no_law_is_none_and_marks_nothing():
    nothing = law.basic_penalties(statutes(STATUTE), "BBB")
    assert list(nothing) == law.COLUMNS and nothing.empty
    assert law.at_judgment(nothing, 2020) is None and law.mildest(nothing, 2020, 5) is None
    assert law.marks(nothing, 2020) == {} and law.last_change(nothing, otherwise=2006) == 2006


def test_marks_name_the_law_and_leave_out_what_it_does_not_tell():
    assert law.marks(RAISED, 2020) == {"minimum of the law since 2009": 36, "maximum of the law since 2009": 144}
    assert law.marks(penalties((None, None, 48, NONE)), 2020) == {"minimum of the law": 48}


def test_last_change_is_the_first_full_year_under_the_last_law():
    assert law.last_change(RAISED, otherwise=2006) == 2010
    assert law.last_change(penalties((None, None, 48, NONE)), otherwise=2006) == 2006


def test_text_of_the_law_is_taken_before_what_is_said_of_it_and_in_the_order_of_time():
    found = law.basic_penalties(
        statutes(
            STATUTE | {"valid_from": "2009-09-11", "min_months": 36, "max_months": 144},
            STATUTE | {"valid_from": "2006", "valid_to": "2009-09", "min_months": 24, "max_months": 120},
            STATUTE | {"paragraph": "3", "valid_from": "2009", "min_months": 60},
            REPORT | {"min_months": 1, "max_months": 2},
            STATUTE | {"iso3": "BBB", "valid_from": "2001", "min_months": 5, "max_months": 6},
        ),
        "AAA",
    )
    pd.testing.assert_frame_equal(found, RAISED)


def test_of_the_report_only_the_last_edition_and_the_basic_form_count():
    found = law.basic_penalties(
        statutes(
            REPORT | {"edition": 2017, "min_months": 1, "max_months": 2},
            REPORT | {"min_months": 48, "max_months": 96},
            REPORT | {"form": "child", "min_months": 96, "max_months": 180},
            REPORT | {"form": "sex", "min_months": 3, "max_months": 4},
        ),
        "AAA",
    ).squeeze()
    assert (found["min_months"], found["max_months"]) == (48, 96)
    assert pd.isna(found["from_year"]) and pd.isna(found["to_year"])


@pytest.mark.parametrize(
    ("sex", "labour", "expected"),
    [((36, 96), (12, 120), (12, 120)), ((36, NONE), (12, 120), (12, NONE)), ((NONE, 96), (12, 60), (NONE, 96))],
)
def test_several_forms_give_the_widest_penalty_and_none_where_one_is_not_told(sex, labour, expected):
    forms = [REPORT | {"form": form, "min_months": low, "max_months": high, "source_ids": f"{form};report"}
             for form, (low, high) in {"sex": sex, "labor": labour}.items()]  # fmt: skip
    found = law.basic_penalties(statutes(*forms), "AAA").squeeze()
    assert found[["min_months", "max_months"]].tolist() == pytest.approx(list(expected), nan_ok=True)
    assert found["source_ids"] == "labor;report;sex"


def test_serbian_law_is_that_of_article_388_before_and_after_2009():
    found = law.basic_penalties(tables.read_csv(paths.PROCESSED / "statutes.csv"), "SRB")
    assert found["from_year"].tolist() == [2006, 2009]
    assert found[["min_months", "max_months"]].to_numpy().tolist() == [list(OLD), list(NEW)]
    assert law.mildest(found, 2014, 5) == OLD and law.mildest(found, 2015, 5) == NEW
