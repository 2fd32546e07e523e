"""Published victim counts: folding, shares, periods, conflicts between publishers, and parts of a whole."""

from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing import centre, corrections, sources

SOURCES = {
    "report-2018": {"published": "2018"},
    "report-2019": {"published": "2019"},
    "press-2019": {"published": "2019-10-18"},
    "press-2020": {"published": "2020-02"},
    "undated": {"published": ""},
}
BLANK_ROW = {
    "year": 2017, "period_label": "", "period_start": "2017-01-01", "period_end": "2017-12-31",
    "period_precision": "day", "series": "center", "series_basis": "press_attributed",
    "measure": "victims_identified", "dimension": "total", "category": "total", "multi": "", "value": "",
    "value_text": "", "value_kind": "count", "base_n": "", "source_id": "press-2019", "note": "",
    "correction_ids": "",
    "flag_ids": "",
}  # fmt: skip


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Text cells typed as the loader does: integers Int64, numbers float64, blanks missing."""
    rows = rows.astype("str").replace("", pd.NA)
    for column in ("year", "multi", "base_n"):
        rows[column] = pd.to_numeric(rows[column]).astype("Int64")
    rows["value"] = pd.to_numeric(rows["value"]).astype("float64")
    rows["flag_ids"] = rows["flag_ids"].fillna("")
    # Every flag is a correction; not every correction is a flag.
    rows["correction_ids"] = rows["correction_ids"].fillna("").where(rows["flag_ids"] == "", rows["flag_ids"])
    rows.index = pd.RangeIndex(2, len(rows) + 2, name="row")
    return rows


def table(*rows: dict) -> pd.DataFrame:
    """A raw table of yearly totals of the Centre for 2017, changed by what each of `rows` tells."""
    return typed(pd.DataFrame([{"row_id": f"CV-{n:03}"} | BLANK_ROW | row for n, row in enumerate(rows, 1)]))


def clean(*rows: dict, rule: str = "primary") -> pd.DataFrame:
    return centre.clean_victims(table(*rows), rule, SOURCES)


def conflicts(*rows: dict, rule: str = "primary") -> pd.DataFrame:
    return centre.victim_conflicts(table(*rows), rule, SOURCES)


def chosen(found: pd.DataFrame) -> int:
    (value,) = found.loc[found["chosen"] == 1, "value"]
    return int(value)


def with_period(start: str, end: str) -> dict:
    return {"period_start": start, "period_end": end}


TIP = {"series": "tip", "series_basis": "tip", "source_id": "report-2018"}
OFFICIAL = {"series": "other", "series_basis": "unattributed", "source_id": "press-2020"}
OTHER = {"series": "other", "series_basis": "", "source_id": "undated"}


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    """The real table with the declared corrections, which flag 53 victims in 2018 (CV-244, CV-245)."""
    return corrections.read("centre/victims.csv").frame


# Folding


def test_restatements_become_one_row_with_all_sources_and_rows():
    (figure,) = clean({"value": 43, "source_id": "press-2020"}, {"value": 43}).to_dict("records")
    assert figure["source_ids"] == "press-2019;press-2020"
    assert figure["raw_rows"] == "CV-001;CV-002"
    assert figure["n_publications"] == 2
    assert figure["count"] == 43


def test_a_source_that_says_it_twice_is_one_publication():
    (figure,) = clean({"value": 43}, {"value": 43}).to_dict("records")
    assert (figure["n_publications"], figure["raw_rows"]) == (1, "CV-001;CV-002")


@pytest.mark.parametrize(
    "bases, best",
    [
        (["press_attributed", "authority"], "authority"),
        (["press_attributed", "greta"], "greta"),
        (["unattributed", "tip"], "tip"),
        (["", "unattributed"], "unattributed"),
    ],
)
def test_the_best_basis_of_the_restatements_is_kept(bases, best):
    assert clean(*({"value": 43, "series_basis": basis} for basis in bases))["series_basis"].tolist() == [best]


@pytest.mark.parametrize(
    "difference",
    [
        {"series": "agency"},
        {"measure": "reports_received"},
        with_period("2017-01-01", "2017-06-30"),
        {"period_label": "cumulative"},
        {"dimension": "age_group"},
        {"category": "child"},
        {"value": 44},
        {"value_kind": "percent"},
    ],
)
def test_figures_that_differ_in_anything_are_not_folded(difference):
    assert len(clean({"value": 43}, {"value": 43} | difference)) == 2


def test_words_are_folded_only_with_the_same_words():
    words = {"value_kind": "share_text"}
    figures = clean(*(words | {"value_text": text} for text in ("majority", "majority", "half")))
    assert figures["raw_rows"].tolist() == ["CV-001;CV-002", "CV-003"]


def test_a_restatement_without_base_joins_the_only_known_base():
    (figure,) = clean({"value": 22, "base_n": 40}, {"value": 22}).to_dict("records")
    assert figure["base_n"] == 40


def test_different_bases_are_different_figures():
    figures = clean({"value": 22, "base_n": 40}, {"value": 22, "base_n": 43}, {"value": 22})
    assert figures["base_n"].fillna(0).tolist() == [40, 43, 0]


def test_notes_of_all_restatements_are_kept_once():
    notes = ["first half", "", "repeated", "first half"]
    assert clean(*({"value": 1, "note": n} for n in notes))["note"].tolist() == ["first half | repeated"]


def test_several_countries_are_marked_and_several_places_are_not():
    several = {"multi": 1, "value_kind": "share_text", "value_text": "most"}
    figures = clean(
        several | {"dimension": "citizenship", "category": "india;vietnam"},
        several | {"dimension": "place", "category": "belgrade;nis"},
        {"dimension": "citizenship", "category": "serbia", "value": 2},
    )
    assert figures["several_countries"].tolist() == [1, 0, 0]


def test_a_count_that_is_not_whole_is_refused_by_row():
    with pytest.raises(ValueError, match=r"CV-002 \(1.5\)"):
        clean({"value": 1}, {"value": 1.5})


# Shares


@pytest.mark.parametrize(
    "share, base, count",
    [(62.12, 66, 41), (69, 74, 51), (60, 40, 24), (80, 125, 100), (90, 78, 70), (0.3, 387, 1)],
)
def test_a_share_of_a_known_base_that_fits_one_whole_number_becomes_that_count(share, base, count):
    (figure,) = clean({"value_kind": "percent", "value": share, "base_n": base}).to_dict("records")
    assert [figure[c] for c in ("count", "count_low", "count_high")] == [count] * 3
    assert (figure["count_basis"], figure["share_percent"]) == ("converted", share)
    assert pd.isna(figure["why_no_count"])


def test_a_share_that_fits_several_whole_numbers_gives_only_bounds():
    (figure,) = clean({"value_kind": "percent", "value": 72, "base_n": 387}).to_dict("records")
    assert pd.isna(figure["count"])
    assert (figure["count_low"], figure["count_high"]) == (277, 280)
    assert "several whole numbers out of 387" in figure["why_no_count"]


def test_a_share_that_fits_no_whole_number_stays_blank_and_says_so():
    (figure,) = clean({"value_kind": "percent", "value": 72, "base_n": 66}).to_dict("records")
    assert all(pd.isna(figure[c]) for c in ("count", "count_low", "count_high", "count_basis"))
    assert figure["why_no_count"] == "no whole number out of 66 makes 72 %"


def test_a_share_without_base_stays_a_share():
    (figure,) = clean({"value_kind": "percent", "value": 49}).to_dict("records")
    assert pd.isna(figure["count"]) and pd.isna(figure["count_low"])
    assert figure["share_percent"] == 49
    assert figure["why_no_count"] == "a share without a known base"


def test_shares_in_words_are_never_converted():
    (figure,) = clean({"value_kind": "share_text", "value_text": "half", "base_n": 16}).to_dict("records")
    assert pd.isna(figure["count"]) and pd.isna(figure["count_low"]) and pd.isna(figure["share_percent"])
    assert figure["share_text"] == "half"


@pytest.mark.parametrize("kind", ["percent_change", "difference", "mean_years"])
def test_changes_and_means_are_neither_counts_nor_shares_but_keep_their_value(kind):
    (figure,) = clean({"value_kind": kind, "value": 12}).to_dict("records")
    assert pd.isna(figure["count"]) and pd.isna(figure["share_percent"])
    assert figure["value"] == 12
    assert figure["why_no_count"]


decimals = st.integers(0, 3)
bases = st.integers(1, 2000)


@given(st.integers(0, 110_000), decimals, bases)
def test_every_count_found_rounds_to_the_printed_share(digits, n_decimals, base):
    share, half_width = digits / 10**n_decimals, float(f"5e-{n_decimals + 1}")
    for k in centre.whole_counts(share, base, half_width):
        assert 0 <= k <= base
        distance = abs(Fraction(100 * k, base) - Fraction(digits, 10**n_decimals))
        assert distance <= Fraction(5, 10 ** (n_decimals + 1))


@given(st.data(), bases, decimals)
def test_the_count_behind_a_true_share_is_always_found(data, base, n_decimals):
    k = data.draw(st.integers(0, base))
    share = float(round(Fraction(100 * k, base), n_decimals))
    assert k in centre.whole_counts(share, base, float(f"5e-{n_decimals + 1}"))


@given(st.integers(0, 1000), bases)
def test_the_counts_found_are_all_there_are(tenths, base):
    share = Fraction(tenths, 10)
    fitting = [k for k in range(base + 1) if abs(Fraction(100 * k, base) - share) <= Fraction(1, 20)]
    assert centre.whole_counts(tenths / 10, base, 0.05) == fitting


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1; found 0"):
        centre.whole_counts(50, 0, 0.5)


# Periods


@pytest.mark.parametrize(
    "start, end, kind",
    [
        ("2016-01-01", "2016-12-31", "full_year"),
        ("2016-01-01", "2016-12-30", "part_year"),
        ("2016-01-02", "2016-12-31", "part_year"),
        ("2013-01-01", "2016-12-31", "multi_year"),
        ("2016-04-01", "2017-03-31", "multi_year"),
        ("", "2016-12-31", "unclear"),
        ("2016-01-01", pd.NA, "unclear"),
        (float("nan"), float("nan"), "unclear"),
        ("2016", "2016", "unclear"),
    ],
)
def test_period_kind_by_dates(start, end, kind):
    assert centre.period_kind(start, end) == kind


def test_a_year_known_only_to_the_month_may_lack_part_of_december():
    assert centre.period_kind("2011-01-01", "2011-12-31", "month") == "unclear"
    assert centre.period_kind("2013-01-01", "2013-07-31", "month") == "part_year"
    assert centre.period_kind("2018-01-01", "2018-12-31", "year") == "full_year"


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before it starts on 2017-01-01"):
        centre.period_kind("2017-01-01", "2016-12-31")


# Whole rows


def test_a_clean_row_tells_everything_of_its_figure():
    found = clean(
        {"value": 57, "note": "b"}, {"value": 57, "source_id": "report-2018", "series_basis": "authority", "note": "a"},
        TIP | {"value": 49, "base_n": 50},
    )  # fmt: skip
    assert list(found) == centre.VICTIMS_COLUMNS and list(found.index) == [0, 1]
    rows = [
        {column: None if pd.isna(value) else value for column, value in row.items()}
        for row in found.astype("object").to_dict("records")
    ]
    shared = {
        "measure": "victims_identified", "year": 2017, "period_label": None, "period_start": "2017-01-01",
        "period_end": "2017-12-31", "period_kind": "full_year", "period_precision": "day", "dimension": "total",
        "category": "total", "several_countries": 0, "value_kind": "count", "count_basis": "stated",
        "share_percent": None, "share_text": None, "why_no_count": None, "preferred": 1,
        "conflict_id": "victims_identified/2017/total/total", "correction_ids": None,
    }  # fmt: skip
    own = dict.fromkeys(["value", "count", "count_low", "count_high"], 57)
    theirs = dict.fromkeys(["value", "count", "count_low", "count_high"], 49)
    assert sorted(rows, key=lambda row: row["series"]) == [
        shared | own | {"victims_id": "V-001", "series": "center", "series_basis": "authority", "base_n": None,
                        "n_publications": 2, "source_ids": "press-2019;report-2018", "raw_rows": "CV-001;CV-002",
                        "note": "b | a"},
        shared | theirs | {"victims_id": "V-003", "series": "tip", "series_basis": "tip", "base_n": 50,
                           "n_publications": 1, "source_ids": "report-2018", "raw_rows": "CV-003", "note": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"value_kind": "percent", "value": 33}, (None, None, None, None, "a share without a known base")),
        ({"value_kind": "percent", "value": 33, "base_n": 7},
         (None, None, None, None, "no whole number out of 7 makes 33 %")),
        ({"value_kind": "percent", "value": 50, "base_n": 200},
         (None, 99, 101, "converted", "several whole numbers out of 200 make 50 %")),
        ({"value_kind": "percent", "value": 12.5, "base_n": 8}, (1, 1, 1, "converted", None)),
        ({"value_kind": "share_text", "value_text": "most"}, (None, None, None, None, "given in words only")),
        ({"value_kind": "percent_change", "value": 5},
         (None, None, None, None, "a change in percent, not a number of victims")),
        ({"value_kind": "difference", "value": 5},
         (None, None, None, None, "a difference between two years, not a number of victims")),
        ({"value_kind": "mean_years", "value": 15}, (None, None, None, None, "a mean age, not a number of victims")),
        ({"value_kind": "rank", "value": 5}, (None, None, None, None, "not a number of victims but rank")),
    ],
)  # fmt: skip
def test_figure_without_a_count_says_why(row, told):
    found = clean(row).iloc[0]
    columns = ["count", "count_low", "count_high", "count_basis", "why_no_count"]
    assert tuple(None if pd.isna(value) else value for value in found[columns]) == told


# Conflicts


def test_a_conflict_is_listed_with_everything_a_reader_needs():
    found = conflicts(TIP | {"value": 49}, {"value": 57, "series_basis": "greta"}, OFFICIAL | {"value": 49})
    assert list(found) == centre.CONFLICTS_COLUMNS and list(found.index) == [0, 1, 2]
    shown = found.drop(columns=["measure", "year", "period_start", "period_end", "dimension", "category"])
    place = ["victims_identified/2017/total/total", "full_year"]
    assert shown.astype("object").where(shown.notna(), None).values.tolist() == [
        [*place, "center", "greta", 57, 1, "press-2019", "CV-002", "2019-10-18", 1,
         "nearest to the body that counts: a figure of the body that counts, given by GRETA"],
        [*place, "other", "unattributed", 49, 1, "press-2020", "CV-003", "2020-02", 0, None],
        [*place, "tip", "tip", 49, 1, "report-2018", "CV-001", "2018", 0, None],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "rule", "value", "reason"),
    [
        ([{"value": 57}, OFFICIAL | {"value": 60}], "latest", 60, "published last"),
        ([{"value": 57}, OFFICIAL | {"value": 60}], "lowest", 57, "the lowest published"),
        ([{"value": 57}, OFFICIAL | {"value": 60}], "highest", 60, "the highest published"),
        ([{"value": 57}, {"value": 57, "source_id": "report-2018"}, {"value": 60}], "primary", 57,
         "the most often published among equals"),
        ([{"value": 57}, {"value": 60}], "latest", 60, "the largest among equals"),
        ([TIP | {"value": 60}, OFFICIAL | {"value": 57}], "primary", 57,
         "nearest to the body that counts: 'official statistics' of an institution not named"),
        ([TIP | {"value": 57}, OTHER | {"value": 60}], "primary", 57,
         "nearest to the body that counts: the U.S. Trafficking in Persons Report"),
        ([{"value": 57, "flag_ids": "c1"}, TIP | {"value": 49}], "primary", 49,
         "the only value that is not flagged as doubtful"),
        ([{"value": 57, "flag_ids": "c1"}, TIP | {"value": 49, "flag_ids": "c2"}], "primary", 57,
         "nearest to the body that counts: a figure of the body that counts, quoted by the press; doubtful "
         "(correction c1), but nothing else was published"),
    ],
)  # fmt: skip
def test_reason_of_a_choice_is_told_in_full(rows, rule, value, reason):
    found = conflicts(*rows, rule=rule)
    assert chosen(found) == value and found.loc[found["chosen"] == 1, "chosen_because"].item() == reason


def test_the_doubtful_rival_says_by_which_correction_it_is_so():
    found = conflicts({"value": 57, "flag_ids": "c1"}, TIP | {"value": 49})
    assert found.loc[found["chosen"] == 0, "chosen_because"].tolist() == ["not taken: doubtful (correction c1)"]
    both = clean({"value": 57, "flag_ids": "c1", "note": "n"}, TIP | {"value": 49})
    assert both.loc[both["series"] == "center", "note"].item() == "n | doubtful (correction c1): not preferred"
    partly = clean({"value": 57, "flag_ids": "c1"}, {"value": 57})
    assert partly["note"].item() == "doubtful in some of its publications (correction c1)"


def test_an_unknown_rule_and_a_broken_count_are_told_in_full():
    with pytest.raises(ValueError) as caught:
        clean({"value": 57}, rule="primry")
    allowed = ", ".join(centre.CONFLICT_RULES)
    assert str(caught.value) == (f"conflict_rule 'primry' is unknown; allowed are {allowed}; the nearest is 'primary'")
    with pytest.raises(ValueError) as caught:
        clean({"value": 57.5}, {"value": ""}, {"value": 3})
    assert str(caught.value) == "counts must be whole numbers; these are not: CV-001 (57.5), CV-002 (nan)"
    with pytest.raises(ValueError) as caught:
        centre.period_kind("2017-01-02", "2017-01-01")
    assert str(caught.value) == "the period ends on 2017-01-01, before it starts on 2017-01-02"


def test_different_numbers_for_one_fact_are_listed_and_one_is_taken():
    found = conflicts({"value": 57}, TIP | {"value": 49}, TIP | {"value": 49, "source_id": "report-2019"})
    assert found[["series", "value", "n_publications", "published", "chosen"]].values.tolist() == [
        ["center", 57, 1, "2019-10-18", 1],
        ["tip", 49, 2, "2019", 0],
    ]
    assert found["conflict_id"].unique().tolist() == ["victims_identified/2017/total/total"]
    assert found.loc[0, "chosen_because"].startswith("nearest to the body that counts")


def test_the_same_number_from_several_series_is_no_conflict():
    assert conflicts({"value": 39}, OFFICIAL | {"value": 39}).empty


def test_a_shared_value_is_shown_for_each_series_where_another_differs():
    found = conflicts({"value": 39}, OFFICIAL | {"value": 39}, TIP | {"value": 36})
    assert list(zip(found["series"], found["value"], found["chosen"], strict=True)) == [
        ("center", 39, 1),
        ("other", 39, 0),
        ("tip", 36, 0),
    ]


@pytest.mark.parametrize("series", ["astra", "police"])
def test_those_who_count_their_own_cases_contradict_nobody(series):
    assert conflicts({"value": 57}, {"series": series, "series_basis": "", "value": 15}).empty


def test_periods_are_compared_only_with_equal_periods():
    half = with_period("2017-01-01", "2017-06-30")
    seven_months = with_period("2017-01-01", "2017-07-31")
    assert conflicts({"value": 57}, TIP | half | {"value": 26}, OFFICIAL | seven_months | {"value": 30}).empty
    found = conflicts({"value": 86} | half, OTHER | half | {"value": 88})
    assert found["conflict_id"].unique().tolist() == ["victims_identified/2017-01-01..2017-06-30/total/total"]
    assert found["period_kind"].unique().tolist() == ["part_year"]


def test_undated_periods_and_several_years_are_not_compared():
    undated = with_period("", "")
    several = with_period("2013-01-01", "2016-12-31")
    for period in (undated, several):
        assert conflicts({"value": 57} | period, TIP | period | {"value": 49}).empty


def test_other_categories_and_other_kinds_of_value_do_not_contradict_a_total():
    assert conflicts(
        {"value": 57},
        OFFICIAL | {"value": 39, "category": "annual_min"},
        TIP | {"value": 60, "value_kind": "percent"},
    ).empty


def test_one_series_may_contradict_itself():
    found = conflicts({"value": 57}, {"value": 60}, {"value": 60, "source_id": "press-2020"})
    assert found["value"].tolist() == [57, 60]
    assert chosen(found) == 60
    assert "most often published" in found.loc[1, "chosen_because"]


def test_rivals_alike_in_all_else_go_to_the_larger_value():
    found = conflicts({"value": 57}, {"value": 60}, {"value": 58})
    assert chosen(found) == 60
    assert found.loc[2, "chosen_because"] == "the largest among equals"


LADDER = [
    {"series_basis": "authority", "value": 1},
    {"series_basis": "greta", "value": 2},
    {"series_basis": "press_attributed", "value": 3},
    OFFICIAL | {"value": 4},
    TIP | {"value": 5},
    OTHER | {"value": 6},
]


@pytest.mark.parametrize("step", range(len(LADDER) - 1))
def test_primary_takes_the_publisher_nearest_to_the_body_that_counts(step):
    assert chosen(conflicts(*reversed(LADDER[step:]))) == step + 1


def test_the_former_agency_is_as_near_as_the_centre():
    assert chosen(conflicts({"series": "agency", "value": 60}, TIP | {"value": 96})) == 60


@pytest.mark.parametrize("rule, value", [("latest", 4), ("lowest", 1), ("highest", 6)])
def test_the_other_rules_take_the_last_the_lowest_and_the_highest(rule, value):
    assert chosen(conflicts(*LADDER, rule=rule)) == value


def test_the_latest_loses_without_a_date_and_equal_dates_go_to_the_nearest():
    assert chosen(conflicts({"value": 1}, OTHER | {"value": 2}, rule="latest")) == 1
    same_day = {"source_id": "press-2019"}
    assert chosen(conflicts({"value": 1}, OFFICIAL | {"value": 2} | same_day, rule="latest")) == 1


def test_no_rule_ever_invents_a_number():
    published = {row["value"] for row in LADDER}
    for rule in centre.CONFLICT_RULES:
        assert set(conflicts(*LADDER, rule=rule)["value"]) == published


@pytest.mark.parametrize("rule", centre.CONFLICT_RULES)
def test_a_doubtful_figure_is_shown_but_not_taken_by_any_rule(rule):
    doubtful = {"flag_ids": "doubt", "source_id": "press-2020", "series_basis": "authority"}
    for value in (1, 99):
        found = conflicts(doubtful | {"value": value}, TIP | {"value": 76}, rule=rule)
        assert chosen(found) == 76
        assert found["value"].tolist() == [value, 76]
        assert found.loc[0, "chosen_because"] == "not taken: doubtful (correction doubt)"


def test_a_doubtful_figure_is_taken_where_all_are_doubtful_and_this_is_said():
    doubt = {"flag_ids": "doubt"}
    found = conflicts({"value": 53} | doubt, TIP | {"value": 76} | doubt)
    assert chosen(found) == 53
    assert found.loc[0, "chosen_because"].endswith("doubtful (correction doubt), but nothing else was published")


def test_a_figure_is_not_doubtful_when_another_publisher_stands_for_it():
    found = conflicts(
        {"value": 53, "flag_ids": "doubt"},
        {"value": 53, "source_id": "press-2020"},
        TIP | {"value": 76},
    )
    assert chosen(found) == 53


@pytest.mark.parametrize("function", [centre.clean_victims, centre.victim_conflicts])
def test_an_unknown_rule_is_refused_with_the_nearest_known_one(function):
    with pytest.raises(ValueError, match="primary, latest, lowest, highest; the nearest is 'primary'"):
        function(table({"value": 1}), "primry", SOURCES)


# What a series speaks with


def test_each_series_speaks_with_one_row_by_the_rule():
    rows = [{"value": 57}, {"value": 60}, TIP | {"value": 49}]
    assert clean(*rows, rule="lowest")["preferred"].tolist() == [1, 0, 1]
    assert clean(*rows, rule="highest")["preferred"].tolist() == [0, 1, 1]


def test_a_count_is_preferred_to_a_share_and_a_share_to_words():
    words = {"value_kind": "share_text", "value_text": "more than half"}
    share = {"value_kind": "percent", "value": 60, "base_n": 40}
    assert clean(words, share, {"value": 24})["preferred"].tolist() == [0, 0, 1]
    assert clean(words, share)["preferred"].tolist() == [0, 1]


def test_a_row_that_was_corrected_but_not_flagged_is_not_doubtful():
    corrected = {"value": 57, "series_basis": "authority", "correction_ids": "mended"}
    assert clean(corrected, {"value": 76})["preferred"].tolist() == [1, 0]
    assert clean(corrected)["correction_ids"].tolist() == ["mended"]


def test_a_doubtful_row_never_speaks_for_its_series():
    doubtful = {"value": 53, "series_basis": "authority", "flag_ids": "doubt"}
    figures = clean(doubtful, {"value": 76})
    assert figures["preferred"].tolist() == [0, 1]
    assert figures.loc[0, "note"] == "doubtful (correction doubt): not preferred"
    (alone,) = clean(doubtful).to_dict("records")
    assert alone["preferred"] == 0
    assert alone["correction_ids"] == "doubt"


def test_figures_know_the_conflict_they_are_part_of():
    figures = clean({"value": 57}, TIP | {"value": 49}, {"series": "astra", "series_basis": "", "value": 15})
    assert figures["conflict_id"].fillna("").tolist() == ["victims_identified/2017/total/total"] * 2 + [""]


# Parts of a whole


def test_counts_above_their_own_base_are_all_listed():
    child = {"dimension": "age_group", "category": "child"}
    female = {"dimension": "sex", "category": "female"}
    figures = clean(
        child | {"value": 41, "base_n": 40},
        female | {"value": 50, "base_n": 43},
        TIP | child | {"value": 40, "base_n": 40},
    )
    with pytest.raises(centre.BreakdownError) as error:
        centre.check_breakdowns(figures)
    assert error.value.problems["victims_id"].tolist() == ["V-001", "V-002"]
    for text in ("V-001", "CV-001", "41 of 40", "V-002", "CV-002", "50 of 43"):
        assert text in str(error.value)


def test_a_part_above_every_whole_its_series_gave_is_a_problem():
    child = {"dimension": "age_group", "category": "child"}
    girls = {"dimension": "sex_x_age", "category": "child_female"}
    figures = clean({"value": 40}, {"value": 43}, child | {"value": 44}, girls | {"value": 45})
    problems = centre.reconcile_breakdowns(figures)
    pairs = list(zip(problems["victims_id"], problems["whole_id"], problems["whole_count"], strict=True))
    assert pairs == [("V-003", "V-002", 43), ("V-004", "V-002", 43), ("V-004", "V-003", 44)]
    assert set(problems["problem"]) == {"above_whole"}


def test_a_part_is_not_held_against_another_series_another_period_or_a_workload():
    child = {"dimension": "age_group", "category": "child", "value": 24}
    figures = clean(
        child,
        {"value": 24},
        TIP | {"value": 20},
        with_period("2017-01-01", "2017-06-30") | {"value": 10},
        {"category": "new_reports", "value": 12},
        {"category": "total_worked_on", "value": 30},
    )
    assert centre.reconcile_breakdowns(figures).empty
    centre.check_breakdowns(figures)


def test_categories_beside_each_other_are_not_taken_for_parts():
    referrer = {"dimension": "referrer", "measure": "reports_received"}
    figures = clean(
        referrer | {"category": "civil_society", "value": 24},
        referrer | {"category": "civil_society_or_other", "value": 38},
    )
    assert centre.reconcile_breakdowns(figures).empty


# Order, and the real table

MIXED = [
    *LADDER,
    {"value": 3, "source_id": "press-2020", "note": "again"},
    {"value": 3, "source_id": "undated", "note": "and again"},
    {"value": 4, "flag_ids": "doubt"},
    {"value": 60, "value_kind": "percent", "base_n": 40, "dimension": "age_group", "category": "child"},
    TIP | {"value": 22, "base_n": 36, "dimension": "age_group", "category": "child"},
    OFFICIAL | {"value": 23, "dimension": "age_group", "category": "child"},
]


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(len(MIXED))), st.sampled_from(centre.CONFLICT_RULES))
def test_the_order_of_the_raw_rows_changes_nothing(order, rule):
    frame = table(*MIXED)
    for function in (centre.clean_victims, centre.victim_conflicts):
        pd.testing.assert_frame_equal(function(frame.iloc[list(order)], rule, SOURCES), function(frame, rule, SOURCES))


def test_the_input_is_left_as_it_was(real):
    before = real.copy(deep=True)
    centre.clean_victims(real, "primary", sources.read_sources())
    centre.victim_conflicts(real, "primary", sources.read_sources())
    pd.testing.assert_frame_equal(real, before)


def test_no_raw_row_and_no_source_is_lost(real):
    victims = centre.clean_victims(real, "primary", sources.read_sources())
    rows = victims["raw_rows"].str.split(";").explode()
    assert sorted(rows) == sorted(real["row_id"])
    source_of = real.set_index("row_id")["source_id"]
    for figure in victims.to_dict("records"):
        assert set(figure["source_ids"].split(";")) == {source_of[row] for row in figure["raw_rows"].split(";")}
    assert victims["victims_id"].is_unique
    assert list(victims.columns) == centre.VICTIMS_COLUMNS


def test_each_real_figure_has_a_count_or_a_reason_and_each_fact_one_preferred_row(real):
    victims = centre.clean_victims(real, "primary", sources.read_sources())
    assert (victims["count"].isna() == victims["why_no_count"].notna()).all()
    undoubted = victims[victims["correction_ids"].isna()]
    assert (undoubted.groupby(["series", *centre.FACT], dropna=False)["preferred"].sum() == 1).all()
    assert (victims.loc[victims["correction_ids"].notna(), "preferred"] == 0).all()


def test_the_real_yearly_totals_are_disputed_as_published(real):
    found = centre.victim_conflicts(real, "primary", sources.read_sources())
    totals = found[
        (found["measure"] == "victims_identified")
        & (found["dimension"] == "total")
        & (found["period_kind"] == "full_year")
    ]
    values = totals.groupby("year").apply(lambda t: set(zip(t["series"], t["value"], strict=True)))
    assert values.to_dict() == {
        2015: {("tip", 36), ("center", 40)},
        2016: {("tip", 49), ("center", 57)},
        2017: {("tip", 40), ("other", 43)},
        2018: {("tip", 76), ("other", 76), ("center", 53)},
        2019: {("tip", 36), ("center", 39), ("other", 39)},
        2020: {("tip", 48), ("center", 57), ("other", 59)},
        2021: {("tip", 43), ("other", 46)},
    }
    taken = totals[totals["chosen"] == 1].set_index("year")["value"].to_dict()
    assert taken == {2015: 40, 2016: 57, 2017: 43, 2018: 76, 2019: 39, 2020: 57, 2021: 46}


def test_each_real_conflict_has_one_chosen_row_with_a_reason_under_every_rule(real):
    for rule in centre.CONFLICT_RULES:
        found = centre.victim_conflicts(real, rule, sources.read_sources())
        assert (found.groupby("conflict_id")["chosen"].sum() == 1).all()
        assert (found.groupby("conflict_id")["value"].nunique() > 1).all()
        assert found.loc[found["chosen"] == 1, "chosen_because"].notna().all()
        assert not found["raw_rows"].str.contains("CV-244|CV-245")[found["chosen"] == 1].any()


def test_both_real_tables_name_the_same_conflicts(real):
    known = sources.read_sources()
    victims, found = (
        centre.clean_victims(real, "latest", known),
        centre.victim_conflicts(real, "latest", known),
    )
    assert set(victims["conflict_id"].dropna()) == set(found["conflict_id"])


def test_real_figures_of_december_articles_are_not_taken_for_full_years(real):
    victims = centre.clean_victims(real, "primary", sources.read_sources())
    kinds = victims.set_index("raw_rows")["period_kind"]
    assert kinds[["CV-226", "CV-227", "CV-326"]].unique().tolist() == ["unclear"]


def test_real_parts_fit_their_wholes(real):
    victims = centre.clean_victims(real, "primary", sources.read_sources())
    assert centre.reconcile_breakdowns(victims).empty
