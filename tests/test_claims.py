"""The rules that give claims their verdicts: every verdict a rule can give, from made-up data."""

from datetime import date

import pandas as pd
import pytest
from scipy import stats

from sentencing import claims, corrections, paths, sources, tables
from sentencing.claims import CONTRADICTED, PARTLY, SUPPORTED, UNSETTLED, UNTESTABLE

ACCOUNT, OTHER = "rferl-2024-09", "ohchr-001"


def frame(columns: str, *rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


# --- Reading a claim ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "number"),
    [
        ("In 2024 there were 35 cases", 35),
        ("up to Seven times", 7),
        ("a maximum of 12 years", 12),
        ("a long time", None),
    ],
)
def test_number_of_a_claim_is_its_first_that_is_no_year(claim, number):
    assert claims.number_in(claim) == number


def test_year_of_a_claim():
    assert claims.year_in("About 500 workers, since 2015 or 2016") == 2015


def test_every_claim_has_a_question_and_nothing_else_has():
    listed = [
        row["claim_id"] for row in corrections.Reader(paths.RAW, paths.CORRECTIONS)("claims.csv").to_dict("records")
    ]
    assert listed == list(claims.QUESTIONS)
    assert all(text.strip() for question in claims.QUESTIONS.values() for text in question)


def test_sources_of_the_publisher_of_the_account_are_known():
    of_the_account = {source_id for source_id in sources.read_sources() if claims.of_the_account(source_id)}
    assert {ACCOUNT, "rfe-rl-001"} <= of_the_account
    assert all(
        "rfe" in (source_id + sources.read_sources()[source_id]["publisher"]).lower() for source_id in of_the_account
    )


# --- Citizenship ----------------------------------------------------------------------------------------------------


def mentioned(*rows):
    return frame("table year who form source_id", ("x", 2011, "bih", "sex", OTHER), *rows).astype({"year": "Int64"})


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (("x", 2018, "chn", "sex", OTHER), CONTRADICTED),
        (("x", 2018, "rou;chn", "sex", OTHER), CONTRADICTED),
        (("x", 2018, "alleged_chinese", "sex", OTHER), CONTRADICTED),
        (("x", 2024, "chn", "sex", OTHER), UNSETTLED),  # the case itself
        (("x", 2018, "chn", "labor", OTHER), UNSETTLED),
        (("x", 2018, "chn", pd.NA, OTHER), UNSETTLED),
        (("x", pd.NA, "chn", "sex", OTHER), UNSETTLED),
        (("x", 2018, "machna", "sex", OTHER), UNSETTLED),
    ],
)
def test_earlier_case_contradicts_and_none_settles_nothing(row, verdict):
    ruling = claims.first_case(mentioned(row))
    assert (ruling.verdict, ruling.n) == (verdict, 2)
    assert ruling.value == (1 if verdict == CONTRADICTED else 0)


VICTIMS = "series measure year period_start period_end period_kind dimension category count preferred source_ids"


def victims(*rows):
    made = frame(VICTIMS, *rows)
    return made.astype({"year": "Int64", "count": "Int64"})


def total(year, count, series="center", start="01-01", end="12-31", kind="full_year", preferred=1):
    return (series, "victims_identified", year, f"{year}-{start}", f"{year}-{end}", kind, "total", "total", count,
            preferred, OTHER)  # fmt: skip


def citizens(year, category, count=pd.NA, series="center", measure="victims_identified"):
    return (
        series,
        measure,
        year,
        f"{year}-01-01",
        f"{year}-12-31",
        "full_year",
        "citizenship",
        category,
        count,
        1,
        OTHER,
    )


def unodc(*rows):
    """Rows of (year, category, value); the category "total" is the total."""
    return frame(
        "iso3 year indicator dimension category sex age value source_id",
        *(("SRB", year, "detected_trafficking_victims", "total" if category == "total" else "by_citizenship", category,
           "total", "total", value, "unodc-001") for year, category, value in rows),
    )  # fmt: skip


def test_people_without_a_told_citizenship_are_as_many_as_they_can_be():
    years = claims.accounted_for(
        victims(total(2020, 9), total(2020, 99, preferred=0), total(2020, 50, "astra"), citizens(2020, "foreign"),
                citizens(2020, "albania", series="astra"), citizens(2021, "india;china", 3)),
        unodc((2020, "total", "8"), (2020, "nationals", "4"), (2020, "BIH", "<5"), (2022, "nationals", "7"),
              (2022, "total", "<5")),
        2020, 2023,
    )  # fmt: skip
    assert years["total"].tolist()[:1] == [9] and years["told"].tolist()[:1] == [5]
    assert years["not_told"].tolist()[0] == 4
    assert years["named"].tolist() == ["Serbia, Bosnia and Herzegovina, Foreign", "India, china", "Serbia", ""]
    assert years.loc[years["year"].eq(2022), "not_told"].tolist() == [0]
    assert years.loc[years["year"].eq(2023), ["total", "told", "not_told"]].isna().all(axis=None)


def years(*rows):
    made = frame("year total told named not_told", *rows)
    return made.astype({"total": "Int64", "told": "Int64", "not_told": "Int64"})


def test_people_without_a_told_citizenship_are_withheld_where_they_are_one_or_two():
    found = years((2015, 40, 18, "x", 22), (2021, 46, 42, "x", 4), (2022, 62, 61, "x", 1), (2023, 66, pd.NA, "", 66))
    shown = claims.shown_accounted(found)
    # The smallest other year too, since the sums over years are reported.
    assert shown["told"].tolist()[:3] == [18, "withheld", "withheld"] and pd.isna(shown["told"][3])
    assert shown["not_told"].tolist() == [22, "withheld", "withheld", 66] and shown["total"].equals(found["total"])
    assert claims.shown_accounted(found[:2]).equals(found[:2].astype({"told": object, "not_told": object}))
    assert len(claims.shown_accounted(found[3:])) == 1


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([(2015, 9, 9, "Serbia", 0), (2016, 5, 5, "Serbia, Romania", 0)], SUPPORTED),
        ([(2015, 9, 9, "Serbia", 0), (2016, 5, 4, "Serbia", 1)], PARTLY),
        ([(2015, 9, 9, "Serbia", 0), (2016, pd.NA, pd.NA, "", pd.NA)], PARTLY),
        ([(2015, 9, 8, "Serbia", 1), (2016, pd.NA, pd.NA, "", pd.NA)], UNSETTLED),
        ([(2015, 9, 9, "Serbia, China", 0)], CONTRADICTED),
        ([(2015, 9, 0, "india, china", 9)], CONTRADICTED),
    ],
)
def test_record_without_chinese_victims_needs_everybody_accounted_for(rows, verdict):
    assert claims.none_recorded(years(*rows)).verdict == verdict


COVERED, OPEN = (2021, 46, 42, "Serbia, Eritrea", 4), (2022, pd.NA, pd.NA, "", pd.NA)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ([COVERED], [COVERED], SUPPORTED),
        ([COVERED], [OPEN], PARTLY),
        ([COVERED, OPEN], [OPEN], UNSETTLED),
        ([COVERED], [(2021, 46, 42, "India", 4)], CONTRADICTED),
        (
            [(2021, 900, 42, "Serbia", 858)],
            [OPEN],
            UNSETTLED,
        ),  # so many are without a citizenship that all may be among them
    ],
)
def test_group_is_unrecognised_only_where_it_cannot_be_among_the_identified(first, second, verdict):
    ruling = claims.recognised({"Viet": years(*first), "India": years(*second)}, {"Viet": 400, "India": 11})
    assert ruling.verdict == verdict


# --- Part of a year -------------------------------------------------------------------------------------------------


def test_count_within_a_counted_period_is_binomial():
    expected, low, high = claims.expected_by(70, 0.5, within=True)
    assert expected == 35
    assert stats.binom.cdf(low - 1, 70, 0.5) < 0.025 <= stats.binom.cdf(low, 70, 0.5)
    assert stats.binom.sf(high, 70, 0.5) <= 0.025 < stats.binom.sf(high - 1, 70, 0.5)


def test_prediction_from_another_year_is_wider_and_keeps_what_the_conditional_test_does_not_reject():
    expected, low, high = claims.expected_by(66, 0.68, within=False)
    _, low_within, high_within = claims.expected_by(66, 0.68, within=True)
    assert low < low_within < expected < high_within < high
    for count, kept in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        both = stats.binom(count + 66, 0.68 / 1.68)
        assert (min(both.cdf(count), both.sf(count - 1)) > 0.025) == kept


def test_prediction_from_nobody_starts_at_nobody():
    assert claims.expected_by(0, 0.5, within=False)[:2] == (0, 0)


def test_paces_take_the_year_before_and_totals_of_the_year_that_go_on():
    pace = claims.paces(victims(
        total(2023, 366), total(2022, 5), total(2024, 70, "other", end="12-24", kind="part_year"),
        total(2023, 9, "tip"),
        total(2024, 30, end="08-31", kind="part_year"), total(2024, 8, start="07-01"),
        total(2023, 8, end="06-30", kind="part_year"),
        (*total(2023, 8)[:2], pd.NA, *total(2023, 8)[3:]),
    ))  # fmt: skip
    assert pace["total_of"].tolist() == ["the Centre, 2023", "another body, 2024"]
    days = (claims.EARLY_SEPTEMBER - date(2024, 1, 1)).days + 1
    assert pace["expected"].tolist() == pytest.approx([366 * days / 365, 70 * days / 359])
    assert claims.same_period(victims(total(2024, 30, end="08-31"), total(2024, 9, "astra", end="08-31"),
                                      total(2024, 7, end="06-30"), total(2024, 70))) == [30]  # fmt: skip


@pytest.mark.parametrize(
    ("own", "ranges", "verdict"),
    [
        ([35], [(50, 60)], SUPPORTED),
        ([30], [(30, 40)], CONTRADICTED),
        ([], [(30, 40), (35, 50)], PARTLY),
        ([], [(30, 40), (41, 56)], UNSETTLED),
        ([], [], UNSETTLED),
    ],
)
def test_own_count_decides_and_paces_only_make_plausible(own, ranges, verdict):
    pace = frame("total_of n expected low high source_ids", *(("x", 70, 45.0, *ends, OTHER) for ends in ranges))
    assert claims.so_far(35, own, pace).verdict == verdict


# --- The law and the sentences --------------------------------------------------------------------------------------


def law(*rows):
    made = frame("paragraph min_months max_months", *rows).assign(source_ids=OTHER)
    return made.astype({"min_months": "Int64", "max_months": "Int64"})


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([("1", 36, 144), ("2", 36, 144), ("8", pd.NA, pd.NA)], SUPPORTED),  # of the last nothing was seen
        ([("1", 36, 144), ("4", 60, 180)], PARTLY),
        ([("1", 36, 144), ("3", 60, pd.NA)], PARTLY),
        ([("1", 24, 120), ("4", 36, 144)], CONTRADICTED),
        ([("1", 36, pd.NA)], UNSETTLED),
        ([("1", 36, 144), ("1", 24, 120)], UNSETTLED),
        ([], UNSETTLED),
    ],
)
def test_longest_term_of_the_law(rows, verdict):
    assert claims.longest_term(12, law(*rows)).verdict == verdict


def test_only_paragraphs_in_force_are_read():
    statutes = frame(
        "iso3 form article paragraph valid_from valid_to",
        ("SRB", "article", "388", "old", "2006-01-01", 2009), ("SRB", "article", "388", "new", "2009", pd.NA),
        ("SRB", "article", "388", "to come", "2025-06-01", pd.NA), ("SRB", "article", "389", "other", "2009", pd.NA),
        ("MKD", "article", "388", "abroad", "2009", pd.NA), ("SRB", "basic_all", "388", "told", "2009", pd.NA),
        ("SRB", "article", "388", "undated", pd.NA, pd.NA),
    ).astype({"valid_to": "Int64"})  # fmt: skip
    assert claims.paragraphs(statutes)["paragraph"].tolist() == ["new"]
    assert claims.paragraphs(statutes, 2008)["paragraph"].tolist() == ["old"]


@pytest.mark.parametrize(
    ("monitored", "everybody", "verdict"),
    [
        ((0.6, 0.8), (0.51, 0.9), SUPPORTED),
        ((0.51, 0.8), (0.1, 0.9), PARTLY),
        ((0.1, 0.49), (0.1, 0.9), CONTRADICTED),
        ((0.4, 0.7), (0.1, 0.9), UNSETTLED),
        ((0.5, 0.5), (0.5, 0.5), UNSETTLED),  # a half is not more than a half
        (None, None, UNSETTLED),
    ],
)
def test_usual_range_is_ruled_on_by_bounds(monitored, everybody, verdict):
    bounds = {"bounds_monitor_36_60": monitored, "bounds_all_36_60": everybody}
    values = {name: dict(zip(("low", "high"), ends, strict=True)) for name, ends in bounds.items() if ends}
    # An estimate of the model never takes part.
    assert (
        claims.usual_range(values | {"monitor_share_36_60": {"value": 0.99, "low": 0.98, "high": 1.0}}).verdict
        == verdict
    )


def test_bounds_that_are_not_known_settle_nothing():
    values = {"bounds_monitor_36_60": {"value": None}, "bounds_all_36_60": {"low": None, "high": None}}
    assert claims.usual_range(values).verdict == UNSETTLED


def test_values_of_a_run_on_another_country_are_not_used():
    content = {"parameters": {"country": "MKD"}, "values": {"a": {"value": 1}}}
    assert claims.serbian_values(content) == {}
    assert claims.serbian_values(content | {"parameters": {"country": "SRB"}}) == content["values"]


def test_yearly_bounds_are_listed_in_percent():
    values = {"bounds_monitor_2018_36_60": {"low": 0.604, "high": 0.68},
              "bounds_monitor_2015_36_60": {"low": 0, "high": 1},
              "bounds_monitor_2016_36_60": {"value": None}, "bounds_monitor_36_60": {"low": 0, "high": 1}}  # fmt: skip
    assert claims.yearly_bounds(values).to_numpy().tolist() == [[2015, 0, 100], [2018, 60, 68]]
    assert claims.yearly_bounds({}).empty


# --- Proceedings ----------------------------------------------------------------------------------------------------


def proceedings(*rows):
    return frame("year source indicator value unit source_id", *((2019, "astra_case_law", *row, OTHER) for row in rows))


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([("victims (all)", 37, "count")], UNTESTABLE),
        ([("mean number of statements by the victim", 6.8, "count")], SUPPORTED),
        ([("hearings of victims", 3, "count")], CONTRADICTED),
        ([("hearings of victims", float("nan"), "count")], UNTESTABLE),
    ],
)
def test_what_nothing_measures_cannot_be_tested(rows, verdict):
    assert claims.times_told(7, proceedings(*rows)).verdict == verdict


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([("longest proceeding", 37, "months")], SUPPORTED),
        ([("longest proceeding", 36, "months"), ("proceedings lasting over 3 years", 25, "percent")], SUPPORTED),
        ([("longest proceeding", 36, "months"), ("proceedings lasting over 3 years", 0, "percent")], CONTRADICTED),
        ([("proceedings lasting up to 1 year", 25, "percent"), ("longest proceeding", 99, "days")], UNTESTABLE),
    ],
)
def test_one_long_trial_shows_that_trials_can_be_long(rows, verdict):
    assert claims.long_proceedings(claims.durations(proceedings(*rows))).verdict == verdict


# --- Groups of workers, the report, the trial -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "found", "verdict"),
    [
        ([500], True, SUPPORTED),
        ([500], False, PARTLY),
        ([400, 500], True, PARTLY),
        ([400], True, CONTRADICTED),
        ([], True, UNSETTLED),
    ],
)
def test_number_and_finding_are_ruled_on_apart(numbers, found, verdict):
    sizes = frame("count source_ids", *((n, OTHER) for n in numbers))
    assert claims.number_and_finding(500, sizes, found).verdict == verdict


def test_only_numbers_of_presumed_victims_and_identifications_by_authorities_are_taken():
    table = victims(
        citizens(2021, "vietnam", 500, "other", "victims_presumed"),
        citizens(2020, "vietnam", 9, "other", "victims_presumed"),
        citizens(2021, "vietnam", 80, "other", "context_workers"), citizens(2022, "india;vietnam", series="astra"),
        citizens(2023, "india;nepal", series="tip"),
    )  # fmt: skip
    assert claims.published_sizes(table, "vietnam", 2021)["count"].tolist() == [500]
    assert not claims.found_by_authority(table, "vietnam", range(2020, 2025))
    assert claims.found_by_authority(table, "india", range(2023, 2024))
    assert not claims.found_by_authority(table, "india", range(2024, 2025))


@pytest.mark.parametrize(
    ("number", "others", "found", "source_id", "verdict"),
    [
        (11, [400, 500], True, OTHER, SUPPORTED),
        (11, [400, 500], True, ACCOUNT, PARTLY),
        (11, [400, 500], False, OTHER, PARTLY),
        (400, [400, 500], True, OTHER, CONTRADICTED),
        (11, [], True, OTHER, UNSETTLED),
        (None, [400], True, OTHER, UNSETTLED),
    ],
)
def test_smaller_group(number, others, found, source_id, verdict):
    rows = frame("value source_id", *([(float(number), source_id)] if number else []))
    assert claims.smaller_group(rows, others, found).verdict == verdict


def edition(*rows):
    made = frame("iso3 report_year indicator locator note source_id", *(("SRB", *row, OTHER) for row in rows))
    return made.astype({"report_year": "Int64"})


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ((2024, "other:chinese_women", "opening", None), SUPPORTED),
        ((2024, "other:women", "opening", "workers of PRC-funded projects"), SUPPORTED),
        ((2024, "other:women", "Trafficking Profile", None), CONTRADICTED),
        ((2024, "tier", "opening", None), UNSETTLED),
        ((2022, "other:chinese_women", "Trafficking Profile", None), UNSETTLED),
        ((pd.NA, "other:chinese_women", None, None), UNSETTLED),
    ],
)
def test_edition_that_was_read_in_part_settles_nothing(row, verdict):
    assert claims.edition_mentions(edition(row)).verdict == verdict


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([("court in Zajecar", "CHN", "hearing opened 12 Sep 2024; x", OTHER)], SUPPORTED),
        ([("court in Zajecar", "CHN", "hearing opened 12 Sep 2024", "rfe-rl-001")], PARTLY),
        ([("court in Bor", "CHN", "hearing opened 12 Sep 2024", OTHER)], CONTRADICTED),
        ([("court in Zajecar", "CHN", "hearing opened 13 Sep 2024", OTHER)], CONTRADICTED),
        ([("court in Zajecar", "BIH", "hearing opened 12 Sep 2024", OTHER)], UNSETTLED),
        ([("court in Zajecar", "CHN", "arrested March 2024", OTHER)], UNSETTLED),
    ],
)
def test_trial_is_confirmed_only_by_another_publisher(rows, verdict):
    told = claims.openings(frame("court defendant_nationality note source_id", *rows))
    claim = "The accused faces trial in Zajecar from 12 September 2024"
    assert claims.trial_opened(claim, told).verdict == verdict


# --- On the page ----------------------------------------------------------------------------------------------------


ROW = {"claim_id": "C06", "claim": "A <b> is told 7 times", "speaker": "x & y", "source_id": ACCOUNT}


def test_card_shows_all_and_keeps_three_values():
    values = tables.Values("08-x", {})
    ruling = claims.Ruling(UNTESTABLE, 0, "rows", "rows that count", n=82, source_ids=OTHER)
    card = tables.claim(values, ROW, ruling)
    assert values["C06_claim"] == ROW["claim"] and values["C06"] == 0 and values["C06_verdict"] == UNTESTABLE
    assert values.values["C06_verdict"]["label"] == ROW["claim"] and values.values["C06"]["n"] == 82
    for part in ("&lt;b&gt;", "x &amp; y", ">cannot be tested</p>", "0 of 82 rows: rows that count", "Sources"):
        assert part in card.markup
    for text in claims.QUESTIONS["C06"]:
        assert tables.html.escape(text) in card.markup and text in card.text
    assert tables.verdicts(values).to_numpy().tolist() == [["C06: A <b> is told 7 times", UNTESTABLE, "0 of 82 rows"]]


def test_verdict_outside_the_closed_set_is_refused():
    with pytest.raises(ValueError, match="C06: 'maybe' is none of supported"):
        tables.claim(tables.Values("08-x", {}), ROW, claims.Ruling("maybe", 0, "rows", "rows"))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"value": 0.3512, "unit": "share", "low": 0.1, "high": 0.625}, "35 % (from 10 % to 62 %)"),
        ({"value": None, "unit": "share", "low": 0.1, "high": 1}, "from 10 % to 100 %"),
        ({"value": None, "unit": "share", "high": 0.5}, "from an unknown number to 50 %"),
        ({"value": None, "unit": "share"}, "not known"),
        ({"value": [400, 500], "unit": "persons", "n": 2}, "400 and 500 persons"),
        ({"value": [], "unit": "persons"}, "none"),
        ({"value": 270, "unit": "persons", "n": 488}, "270 of 488 persons"),
        ({"value": 41.5, "unit": "months", "n": 9}, "41.5 months"),
        ({"value": "12 September 2024", "unit": "date"}, "12 September 2024"),
    ],
)
def test_values_in_words(entry, words):
    assert tables.in_words(entry) == words
