"""Reference periods: every form of the raw tables is read, and nothing else."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentencing import paths
from sentencing.periods import EXAMPLES, KINDS, PRECISIONS, parse_period

TABLES = ("tip/serbia_figures.csv", "tip/other_editions_figures.csv")
years = st.integers(1950, 2049)
months = st.integers(1, 12)
texts = st.one_of(
    years.map(str),
    years.map(lambda y: f"FY{y}"),
    years.map(lambda y: f"{y}-{y + 1}"),
    years.map(lambda y: f"{y}-{(y + 1) % 100:02d}"),
    st.tuples(years, months).map(lambda ym: f"{ym[0]}-{ym[1]:02d}"),
    st.tuples(years, years).map(lambda ys: f"{min(ys)}/{max(ys) + 1}"),
    st.tuples(years, months, months).map(lambda t: f"{t[0]}-{min(t[1:]):02d}/{t[0]}-{max(t[1:]):02d}"),
    st.tuples(years, st.sampled_from(["Q1", "Q2", "Q3", "Q4", "H1", "H2"])).map(lambda t: f"{t[0]}-{t[1]}"),
)


@pytest.mark.parametrize(
    ("text", "iso3", "start", "end", "kind", "precision", "reference_year"),
    [
        ("2017", None, date(2017, 1, 1), date(2017, 12, 31), "calendar_year", "year", 2017),
        ("2012-2013", None, date(2012, 1, 1), date(2013, 12, 31), "reporting_period", "year", 2012),
        ("2003-04", None, date(2003, 1, 1), date(2004, 12, 31), "reporting_period", "year", 2003),
        ("2022-23", None, date(2022, 1, 1), date(2023, 12, 31), "reporting_period", "year", 2022),
        ("1998-99", None, date(1998, 1, 1), date(1999, 12, 31), "reporting_period", "year", 1998),
        ("1999-00", None, date(1999, 1, 1), date(2000, 12, 31), "reporting_period", "year", 1999),
        ("2004-03", None, date(2004, 3, 1), date(2004, 3, 31), "part_year", "month", 2004),
        ("2018-12", None, date(2018, 12, 1), date(2018, 12, 31), "part_year", "month", 2018),
        ("2003-2005", None, date(2003, 1, 1), date(2005, 12, 31), "multi_year", "year", None),
        ("FY2014", "USA", date(2013, 10, 1), date(2014, 9, 30), "fiscal_year", "day", 2014),
        ("FY2014", "NPL", date(2014, 1, 1), date(2014, 12, 31), "fiscal_year", "year", 2014),
        ("FY2014", None, date(2014, 1, 1), date(2014, 12, 31), "fiscal_year", "year", 2014),
        ("2018-01/2018-05", None, date(2018, 1, 1), date(2018, 5, 31), "part_year", "month", 2018),
        ("2018-01/2018-12", None, date(2018, 1, 1), date(2018, 12, 31), "calendar_year", "month", 2018),
        ("2000-12/2001-10", None, date(2000, 12, 1), date(2001, 10, 31), "part_year", "month", 2001),
        ("2001-07/2002-06", None, date(2001, 7, 1), date(2002, 6, 30), "part_year", "month", 2001),
        ("1998-01/1999-08", None, date(1998, 1, 1), date(1999, 8, 31), "multi_year", "month", None),
        ("2012/2016", None, date(2012, 1, 1), date(2016, 12, 31), "multi_year", "year", None),
        ("2016-Q1", None, date(2016, 1, 1), date(2016, 3, 31), "part_year", "quarter", 2016),
        ("2005-H1", None, date(2005, 1, 1), date(2005, 6, 30), "part_year", "half_year", 2005),
        ("to early 2018", None, None, date(2018, 12, 31), "open", "year", None),
        ("statute", None, None, None, "statute", "unknown", None),
        ("statute 2009", None, date(2009, 1, 1), None, "statute", "year", None),
        ("", None, None, None, "unknown", "unknown", None),
        (pd.NA, None, None, None, "unknown", "unknown", None),
        (None, None, None, None, "unknown", "unknown", None),
    ],
)
def test_each_form_is_read(text, iso3, start, end, kind, precision, reference_year):
    period = parse_period(text, iso3)
    assert (period.start, period.end, period.kind, period.precision) == (start, end, kind, precision)
    assert period.reference_year == reference_year


@pytest.mark.parametrize(
    "text", ["2017?", "17", "2013-2012", "2012-2012", "2018-13", "2018-00", "2016/2012", "2018-05/2018-01",
             "2016-Q5", "2005-H3", "FY14", "early 2018", "statute of 2009", "2018-01/2018", "٢٠١٧"]
)  # fmt: skip
def test_anything_else_is_refused_with_the_text_and_every_form(text):
    with pytest.raises(ValueError) as error:
        parse_period(text)
    assert repr(text) in str(error.value)
    for example in EXAMPLES.values():
        assert repr(example) in str(error.value)


def test_every_example_in_the_message_is_itself_accepted():
    for example in EXAMPLES.values():
        parse_period(example)


@pytest.mark.parametrize("table", TABLES)
def test_every_period_of_the_raw_tables_is_read(table):
    raw = pd.read_csv(paths.RAW / table, dtype=str, keep_default_na=False)
    kinds = {parse_period(text, iso3).kind for text, iso3 in zip(raw.reference_period, raw.iso3, strict=True)}
    assert kinds <= set(KINDS)


@given(texts, st.sampled_from(["USA", "SRB", None]))
def test_a_closed_period_runs_forward_and_holds_its_reference_year(text, iso3):
    period = parse_period(text, iso3)
    assert period.start <= period.end
    assert period.kind in KINDS and period.precision in PRECISIONS
    if period.reference_year is not None:
        assert period.start.year <= period.reference_year <= period.end.year


@given(texts)
def test_only_periods_of_more_than_a_year_lack_a_reference_year(text):
    period = parse_period(text)
    assert (period.reference_year is None) == (period.kind == "multi_year")
    if period.kind == "multi_year":
        assert (period.end - period.start).days > 366


@given(years, st.sampled_from(["{0}", "FY{0}", "{0}-Q2", "{0}-H2", "{0}-01/{0}-12"]))
def test_a_period_inside_one_year_refers_to_that_year(year, form):
    assert parse_period(form.format(year)).reference_year == year


@given(years)
def test_both_spellings_of_a_reporting_period_mean_the_same(year):
    assert parse_period(f"{year}-{year + 1}") == parse_period(f"{year}-{(year + 1) % 100:02d}")


@given(texts, st.text(" \t", max_size=2))
def test_blanks_around_a_period_change_nothing(text, blanks):
    assert parse_period(blanks + text + blanks) == parse_period(text)


@given(st.text(max_size=12))
def test_no_text_is_read_without_a_kind(text):
    try:
        assert parse_period(text).kind in KINDS
    except ValueError as error:
        assert repr(text) in str(error)
