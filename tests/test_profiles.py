"""One country by itself: each figure as it was published, nothing filled in, and a place among its neighbours."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentencing import corrections, estimands, profiles, schemas, stages, tables

CAP = 480.0
COUNTS = ("value", "value_low", "value_high")
ONE_TO_FOUR = (None, 1, 4)


def yearly(*rows: tuple) -> pd.DataFrame:
    """Rows of `stages.yearly_figures`: stage, body, year, and value or (value, low, high)."""
    made = [(*row[:3], *(row[3] if isinstance(row[3], tuple) else (row[3],) * 3)) for row in rows]
    frame = pd.DataFrame(made, columns=["stage", "body", "year", *COUNTS])
    frame = frame.astype(dict.fromkeys(("year", *COUNTS), "Int64"))
    return frame.assign(edition=pd.NA, source_ids="s1")[stages.COLUMNS]


def justice(*rows: tuple) -> pd.DataFrame:
    """Rows of the processed table: country, stage, body, year, and value or (value, low, high)."""
    made = [
        {"iso3": iso3, "stage": stage, "series": body, "reference_year": year, "unit": "persons", "edition": 2018,
         "source_ids": f"j-{iso3}"} | dict(zip(COUNTS, n if isinstance(n, tuple) else (n,) * 3, strict=True))
        for iso3, stage, body, year, n in rows
    ]  # fmt: skip
    plain = {"exploitation": "all", "victim_group": "all", "law": "trafficking", "continuing": 0, "part": None,
             "period_kind": "calendar_year", "qualifier": "exact"}  # fmt: skip
    columns = ["iso3", "stage", "series", "reference_year", "unit", "edition", "source_ids", *COUNTS]
    frame = pd.DataFrame(made, columns=columns)
    return frame.assign(**plain).astype(dict.fromkeys(("reference_year", "edition", *COUNTS), "Int64"))


def controls(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["iso3", "year", "population"]).astype({"year": "Int64", "population": "Int64"})
    return frame.assign(source_id="people")


def statutes(*rows: dict) -> pd.DataFrame:
    blank = {"iso3": "SRB", "told_by": "TIP Report", "edition": 2018, "form": "basic_all", "article": None,
             "paragraph": None, "valid_from": None, "valid_to": None, "min_months": None, "max_months": None,
             "life_max": 0, "source_ids": "law"}  # fmt: skip
    numbers = dict.fromkeys(("edition", "min_months", "max_months", "life_max"), "Int64")
    return pd.DataFrame([blank | row for row in rows], columns=list(blank)).astype(numbers)


def fitted(*rows: dict) -> pd.DataFrame:
    blank = {"iso3": "SRB", "median": np.nan, "lower": np.nan, "upper": np.nan, "said": "estimated",
             "own_information": 0.5, "source_ids": "n6"}  # fmt: skip
    return pd.DataFrame([blank | row for row in rows], columns=list(blank))


def unodc(**subregions: str) -> pd.DataFrame:
    return pd.DataFrame({"iso3": list(subregions), "subregion": list(subregions.values())})


def terms(*months: float) -> pd.DataFrame:
    """Evidence on as many people, each sentenced to a term that is told."""
    own = tables.read_csv("data/processed/evidence.csv")
    row = own[(own["used"] == 1) & own["kind"].eq("exact") & own["n"].eq(1) & own["sanction"].eq("prison")].iloc[:1]
    made = pd.concat([row] * len(months) or [row.iloc[:0]], ignore_index=True)
    names = [f"e{i}" for i in range(len(made))]
    return made.assign(low_months=list(months), high_months=list(months), evidence_id=names, row_id=names)


TIERS = pd.DataFrame(
    {"iso3": ["SRB", "SRB", "ALB"], "report_year": [2018, 2017, 2018], "tier": ["2WL", "2", None],
     "source_id": ["t18", "t17", "t18"]}
)  # fmt: skip
CUSTODY = pd.DataFrame(
    {"iso3": ["SRB", "SRB", "SRB", "HRV"], "reference_year": [2017, 2016, 2017, 2015], "n_convicted": [3, 8, 3, 1],
     "n_prison": [2, None, 2, 1], "n_suspended": [1, 0, 1, 0], "n_fine_only": [0, 0, 0, 0],
     "n_unknown": [0, 1, 0, 0], "used": [1, 0, 1, 1], "why_not": [None, "a part only", None, None],
     "source_id": ["c2", "c1", "c3", "c4"]}
).astype({"n_prison": "Int64"})  # fmt: skip


NO_FIGURES, NO_LAW, NO_TERMS = yearly(), statutes(), terms()


def glance(iso3="SRB", figures=NO_FIGURES, laws=NO_LAW, rows=NO_TERMS):
    return {g.name: g for g in profiles.at_a_glance(TIERS, figures, laws, rows, CUSTODY, iso3, 2024, CAP)}


def test_countries_with_data_are_those_of_any_table_once_each():
    one, two = pd.DataFrame({"iso3": ["SRB", "ALB", None]}), pd.DataFrame({"iso3": ["SRB", "BGR"]})
    assert profiles.with_data(one, two) == ["ALB", "BGR", "SRB"]
    assert profiles.with_data(one.iloc[:0]) == []


# --- Figures as they were printed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "counts", "told"),
    [("tip", 7, "7"), ("tip", 0, "0"), ("unodc", ONE_TO_FOUR, "<5"), ("tip", ONE_TO_FOUR, "1 to 4"),
     ("unodc", (3, 3, 3), "3"), ("tip", (3, 3, None), "at least 3"), ("tip", (6, None, 6), "at most 6"),
     ("tip", (60, None, None), "about 60"), ("unodc", (None, None, None), "–"), ("unodc", (None, 1, 6), "1 to 6")],
)  # fmt: skip
def test_figure_is_told_as_it_was_printed(body, counts, told):
    row = yearly(("conviction", body, 2017, counts)).iloc[0].to_dict()
    assert profiles.figure(row) == told


@given(st.sampled_from(profiles.PUBLISHERS), *[st.none() | st.integers(0, 9)] * 3)
def test_zero_is_told_only_where_it_was_printed(body, value, low, high):
    told = profiles.figure(yearly(("conviction", body, 2017, (value, low, high))).iloc[0].to_dict())
    assert ("0" in told.split()) == (0 in (low, high) or (value == 0 and low is None and high is None))
    assert not re.search("nan|NA|None", told)


def test_publishers_stand_beside_each_other_and_nothing_is_filled_in():
    figures = yearly(
        ("conviction", "tip", 2016, 5), ("conviction", "unodc", 2017, ONE_TO_FOUR), ("prosecution", "unodc", 2016, 0),
        ("conviction", "hti", 2015, 9), ("prison", "official", 2014, 4), ("victims_identified", "center", 2013, 4),
    )  # fmt: skip
    found = profiles.side_by_side(figures)
    assert list(found) == [
        "year", "victims, TIP Report", "victims, UNODC", "prosecuted, TIP Report", "prosecuted, UNODC",
        "convicted, TIP Report", "convicted, UNODC",
    ]  # fmt: skip
    told = [{head: cell for head, cell in row.items() if pd.notna(cell)} for row in found.to_dict("records")]
    assert told == [
        {"year": 2016, "prosecuted, UNODC": "0", "convicted, TIP Report": "5"},
        {"year": 2017, "convicted, UNODC": "<5"},
    ]
    assert "<5" not in tables.show(found, "c").markup and "&lt;5" in tables.show(found, "c").markup


def test_no_figures_are_no_rows():
    assert len(profiles.side_by_side(yearly())) == 0
    assert profiles.latest(yearly(), "conviction", "tip") is None


def test_latest_is_the_last_year_of_that_publisher_within_the_years_asked_for():
    figures = yearly(("conviction", "tip", 2019, 4), ("conviction", "tip", 2012, 9), ("conviction", "unodc", 2021, 6))
    assert profiles.latest(figures, "conviction", "tip")["value"] == 4
    assert profiles.latest(figures, "conviction", "tip", range(2010, 2019))["value"] == 9
    assert profiles.latest(figures, "conviction", "tip", range(2013, 2019)) is None
    assert profiles.latest(figures, "prosecution", "tip") is None


# --- Among comparable countries ---------------------------------------------------------------------------------------

REGION = unodc(SRB="Southern Europe", ALB="Southern Europe", HRV="Southern Europe", DEU="Western Europe")
NEAR = profiles.Peers("Southern Europe", ("ALB", "HRV"))


def test_peers_are_the_others_of_the_subregion():
    assert profiles.peers(REGION, "SRB") == NEAR
    assert profiles.peers(REGION, "DEU") == profiles.Peers("Western Europe", ())
    assert profiles.peers(REGION, "XKX") == profiles.Peers("", ())


@given(st.dictionaries(st.sampled_from(["SRB", "ALB", "HRV", "DEU", "FRA", "ITA"]), st.sampled_from("abc")))
def test_country_is_never_its_own_peer_and_peers_are_mutual(subregions):
    table = pd.concat([unodc(**subregions)] * 2)  # each country stands in the table with every year
    near = {iso3: set(profiles.peers(table, iso3).iso3s) for iso3 in subregions}
    assert all(iso3 not in others for iso3, others in near.items())
    assert all(iso3 in near[other] for iso3, others in near.items() for other in others)


PEOPLE, NO_MEDIANS = controls(("SRB", 2017, 7_000_000)), fitted()


def measured(table, people=PEOPLE, laws=NO_LAW, medians=NO_MEDIANS):
    return profiles.measures(("SRB", "ALB", "HRV"), table, laws, people, medians, range(2015, 2020), CAP)


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(1, 2_000_000_000))
def test_rate_is_the_count_per_million_people(count, population):
    row = measured(justice(("SRB", "conviction", "tip", 2017, count)), controls(("SRB", 2017, population))).iloc[0]
    assert row[["measure", "year", "source_ids"]].tolist() == ["conviction_tip", 2017, "j-SRB;people"]
    np.testing.assert_allclose(row[["value", "low", "high"]].astype(float), 1e6 * count / population)


def test_rate_of_a_withheld_count_has_ends_and_no_value():
    row = measured(justice(("SRB", "conviction", "unodc", 2017, ONE_TO_FOUR)), controls(("SRB", 2017, 2_000_000))).iloc[
        0
    ]
    assert np.isnan(row["value"]) and row[["low", "high"]].tolist() == [0.5, 2.0]


@pytest.mark.parametrize("people", [(), (("SRB", 2017, None),), (("SRB", 2017, 0),), (("SRB", 2016, 7_000_000),)])
def test_there_is_no_rate_where_the_people_of_that_year_are_not_known(people):
    assert not len(measured(justice(("SRB", "conviction", "tip", 2017, 3)), controls(*people)))


def test_rates_are_of_the_last_year_within_the_span():
    counts = [("SRB", "conviction", "tip", year, year - 2010) for year in (2014, 2016, 2018, 2020)]
    people = controls(*(("SRB", year, 1_000_000) for year in range(2014, 2021)))
    assert measured(justice(*counts), people)[["year", "value"]].values.tolist() == [[2018, 8.0]]


def test_law_and_fitted_median_are_measures_where_told():
    laws = statutes({"min_months": 36, "max_months": 144}, {"iso3": "ALB", "life_max": 1}, {"iso3": "HRV"})
    medians = fitted({"median": 40.0, "lower": 30.0, "upper": 50.0}, {"iso3": "ALB", "said": "too little"})
    found = measured(justice(), laws=laws, medians=medians).set_index(["iso3", "measure"])
    assert found["value"].to_dict() == {
        ("SRB", "law_maximum"): 144.0, ("SRB", "median_term"): 40.0, ("ALB", "law_maximum"): CAP
    }  # fmt: skip
    assert found.loc[("SRB", "median_term"), ["low", "high"]].tolist() == [30.0, 50.0]


def drawn(measure="conviction_tip", **counts) -> pd.DataFrame:
    """Measures of countries: a number, or (value, low, high)."""
    rows = [
        (iso3, schemas.country_name(iso3), measure, 2017, *(n if isinstance(n, tuple) else (n,) * 3), "number", iso3)
        for iso3, n in counts.items()
    ]
    return pd.DataFrame(rows, columns=profiles.MEASURE_COLUMNS).astype(dict.fromkeys(("value", "low", "high"), float))


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=6))
def test_quartiles_of_the_peers_are_those_of_the_peers_alone(values):
    others = dict(zip(("ALB", "HRV", "BIH", "MKD", "MNE", "SVN"), values, strict=False))
    own, peers = profiles.standing(drawn(SRB=3.0, **others), "SRB", NEAR).to_dict("records")
    assert (own["name"], own["value"], own["n"]) == ("own_conviction_tip", 3.0, len(values))
    assert peers["name"] == "peers_conviction_tip" and peers["source_ids"] == ";".join(sorted(others))
    np.testing.assert_allclose([peers[c] for c in ("low", "value", "high")], np.quantile(values, [0.25, 0.5, 0.75]))


def test_withheld_count_of_a_peer_enters_with_its_middle_and_own_stays_open():
    found = profiles.standing(drawn(SRB=(np.nan, 1, 4), ALB=(np.nan, 2, 4)), "SRB", NEAR)
    own, peers = found.to_dict("records")
    assert np.isnan(own["value"]) and (own["low"], own["high"]) == (1, 4) and peers["value"] == 3.0
    assert list(found) == estimands.REPORTED


def test_measure_that_only_peers_publish_is_left_out():
    assert not len(profiles.standing(drawn(ALB=1.0), "SRB", NEAR))


@pytest.mark.parametrize(
    ("own", "told"),
    [(0.0, "0"), ((np.nan, 1, 4), "1 to 4"), ((5.0, 2, 9), "5 (2 to 9)"), (3544.17, "3540"), (0.01234, "0.0123"),
     ((3.0, 3.0, np.nan), "at least 3"), ((np.nan, np.nan, 3.0), "at most 3")],
)  # fmt: skip
def test_standing_is_shown_in_full_and_open_ends_stay_open(own, told):
    found = profiles.shown_standing(profiles.standing(drawn(SRB=own, ALB=1.0, HRV=3.0), "SRB", NEAR))
    label = f"{profiles.MEASURES['conviction_tip']} (2017)"
    assert found.values.tolist() == [[label, told, 2, "2 (1.5 to 2.5)"]]


def test_country_without_peers_that_publish_has_a_dash():
    found = profiles.shown_standing(profiles.standing(drawn("law_maximum", SRB=144.0), "SRB", NEAR))
    assert found.values.tolist() == [[profiles.MEASURES["law_maximum"], "144", 0, "–"]]


def test_standing_in_words_counts_only_what_is_certain():
    table = drawn(SRB=(np.nan, 1, 4), ALB=0.5, HRV=5.0, BIH=2.0, MKD=(np.nan, 4, 9), MNE=(7.0, 7.0, np.nan))
    told = profiles.standing_told(table, "SRB", NEAR)
    assert told.startswith("Serbia among other countries of Southern Europe. ")
    assert told.endswith("TIP Report: 1 lower, 2 higher, 2 equal or not to be told apart.")


def test_standing_in_words_says_that_there_is_nothing_or_nobody():
    assert profiles.standing_told(drawn(SRB=1.0), "SRB", NEAR).startswith("Nothing is published in which Serbia")
    assert "does not have Kosovo" in profiles.standing_told(drawn(XKX=1.0), "XKX", profiles.Peers("", ()))


# --- Law, prison, terms, silence --------------------------------------------------------------------------------------


def test_text_of_the_law_stands_first_and_in_order_of_time():
    article = {"form": "article", "told_by": "text", "edition": None, "article": "388", "paragraph": "1"}
    found = profiles.shown_law(
        statutes(
            {"form": "child", "min_months": 60},
            article | {"valid_from": "2010", "min_months": 36, "max_months": 144},
            article | {"valid_from": "2006", "valid_to": "2009", "min_months": 24, "paragraph": None, "life_max": 1},
            {"form": "sex"}, {"iso3": "ALB", "min_months": 1},
        ),
        "SRB",
    )  # fmt: skip
    assert found.iloc[:2].values.tolist() == [
        ["art. 388", "24", "life", "since 2006 until 2009", "text"],
        ["art. 388, para. 1", "36", "144", "since 2010", "text"],
    ]
    assert found.iloc[2].tolist() == ["child victims", "60", "–", "–", "TIP Report, 2018"]


def test_every_form_of_the_law_has_words():
    table = tables.read_csv("data/processed/statutes.csv")
    for iso3 in profiles.with_data(table):
        assert profiles.shown_law(table, iso3)["offence"].ne("").all(), iso3


def test_custody_is_shown_as_told_and_rows_that_show_the_same_are_one():
    found = profiles.shown_custody(CUSTODY, "SRB")
    assert found["year"].tolist() == [2017, 2016]
    assert found["tells_of_everybody"].tolist() == ["yes", "no: a part only"]
    assert pd.isna(found["prison"].iloc[1]) and not len(profiles.shown_custody(CUSTODY, "ALB"))


def test_terms_in_words_tell_what_is_printed_and_what_is_estimated():
    assert "Nothing usable is published" in profiles.terms_told(terms(), "Serbia", fitted(), "SRB", CAP)
    alone = profiles.terms_told(terms(24.0), "Serbia", fitted(), "SRB", CAP)
    assert "1 person sentenced in Serbia" in alone and alone.endswith("median 24 months.")
    assert "2 people" in profiles.terms_told(terms(24.0, 36.0), "Serbia", fitted(), "SRB", CAP)
    refused = profiles.terms_told(terms(24.0), "Serbia", fitted({"said": "too little is told"}), "SRB", CAP)
    assert refused.endswith("no estimate for this country: too little is told.")
    given_one = fitted({"median": 40.2, "lower": 30.0, "upper": 50.0, "own_information": 0.25})
    told = profiles.terms_told(terms(24.0), "Serbia", given_one, "SRB", CAP)
    assert "median of 40 months (30 to 50); 25 % of that information" in told


COVERAGE = pd.DataFrame(
    [("SRB", 2016, "prosecution", "reported"), ("SRB", 2017, "prosecution", "not_reported"),
     ("SRB", 2017, "custody_share", "reported_as_none"), ("ALB", 2017, "conviction", "reported")],
    columns=["iso3", "reference_year", "stage", "status"],
)  # fmt: skip
FLAGS = pd.DataFrame(
    {"iso3": "SRB", "flag": ["sentencing_data_reported", "courts_lenient_criticised"], "value": ["partial", "1"]}
)


def test_silence_has_every_step_and_year_and_what_was_not_read_is_no_silence():
    grid = profiles.silence(COVERAGE, "SRB", range(2015, 2018))
    assert grid.index.tolist() == ["prosecution", "custody_share", "conviction"]
    assert grid.values.tolist() == [
        ["not_covered", "reported", "not_reported"],
        ["not_covered", "not_covered", "reported_as_none"],
        ["not_covered"] * 3,
    ]
    assert (profiles.silence(COVERAGE, "MKD", range(2016, 2018)) == "not_covered").all(axis=None)


def test_silence_in_words():
    grid = profiles.silence(COVERAGE, "SRB", range(2016, 2018))
    told = profiles.silence_told(grid, FLAGS, "SRB", 2017)
    assert "tells some sentences, and criticises courts as lenient. For 2017" in told
    assert told.endswith(": prosecution.")
    told = profiles.silence_told(grid, FLAGS.assign(value=["no", "0"]), "SRB", 2016)
    assert "lenient" not in told and told.endswith("on: nothing, every step has one.")
    assert "was not coded, or there is none" in profiles.silence_told(grid, FLAGS, "ALB", 2017)


# --- At a glance ------------------------------------------------------------------------------------------------------

LINES = ["tier", "victims_tip", "victims_unodc", "prosecuted_tip", "prosecuted_unodc", "convicted_tip",
         "convicted_unodc", "law", "known_terms", "prison"]  # fmt: skip


def test_glance_says_the_last_thing_known_with_its_year_and_sources():
    figures = yearly(("conviction", "tip", 2016, 5), ("conviction", "tip", 2017, 0), ("conviction", "unodc", 2015,
                     ONE_TO_FOUR))  # fmt: skip
    found = glance(figures=figures, laws=statutes({"min_months": 36, "max_months": 144}), rows=terms(24.0, 24.0))
    assert list(found) == LINES
    answers = {name: line.answer for name, line in found.items() if line.answer != profiles.NEVER_SEEN}
    assert answers == {
        "tier": "Tier 2 Watch List (2018)", "convicted_tip": "0 (2017)", "convicted_unodc": "<5 (2015)",
        "law": "36 to 144 months", "known_terms": "2 people; median 24 months", "prison": "told for 2017",
    }  # fmt: skip
    assert found["tier"].source_ids == "t18" and found["prison"].source_ids == "c2;c3"


def test_glance_at_a_country_of_which_nothing_is_known_says_so_in_every_line():
    found = glance("ALB")
    assert list(found) == LINES
    assert found.pop("prison").answer == "not told in any year"
    assert {(line.answer, line.source_ids) for line in found.values()} == {(profiles.NEVER_SEEN, "")}


@pytest.mark.parametrize(
    ("law", "told"),
    [({"min_months": 36, "life_max": 1}, "36 months to life"), ({"max_months": 144}, "… to 144 months"),
     ({"min_months": 36}, "36 to … months"), ({}, profiles.NEVER_SEEN)],
)  # fmt: skip
def test_law_at_a_glance(law, told):
    assert glance(laws=statutes(law))["law"].answer == told


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(profiles.STEPS)), st.sampled_from([*profiles.PUBLISHERS, "hti"]),
                  st.integers(2010, 2015), st.sampled_from([0, 3, ONE_TO_FOUR, (3, 3, None), (None,) * 3])),
        unique_by=lambda row: row[:3], max_size=8,
    )
)  # fmt: skip
def test_glance_has_an_answer_to_every_question_whatever_is_published(rows):
    found = glance(figures=yearly(*rows))
    assert list(found) == LINES
    shown = profiles.shown_glance(list(found.values()))
    assert shown.notna().all(axis=None) and shown.ne("").all(axis=None)
    for stage, step in profiles.STEPS.items():
        for body in profiles.PUBLISHERS:
            known = any(row[:2] == (stage, body) for row in rows)
            assert (found[f"{step}_{body}"].answer == profiles.NEVER_SEEN) == (not known)


# --- Every country ----------------------------------------------------------------------------------------------------

NAMES = ("justice", "victims", "evidence", "custody", "statutes", "tiers", "coverage")


class World:
    """The tables as they are, cut by country, so that a question about one country looks at its own rows only."""

    def __init__(self):
        read = corrections.Reader("data/raw", "data/corrections.yml")
        self.whole = {name: tables.read_csv(f"data/processed/{name}.csv") for name in NAMES}
        self.whole["controls"] = read("controls/country_year.csv")
        self.flags, self.unodc = read("tip/coded_2018_flags.csv"), read("unodc/country_totals.csv")
        self.fitted = tables.read_csv("results/sentences-by-country.csv")
        self.parts = {name: dict(list(t.groupby("iso3"))) for name, t in self.whole.items() if name != "victims"}

    def own(self, name: str, iso3: str) -> pd.DataFrame:
        return self.parts[name].get(iso3, self.whole[name].iloc[:0])

    def measures(self, iso3: str) -> pd.DataFrame:
        own = [self.own(name, iso3) for name in ("justice", "statutes", "controls")]
        return profiles.measures((iso3,), *own, self.fitted, range(2015, 2020), CAP)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def codes(world) -> list[str]:
    return profiles.with_data(*(world.whole[name] for name in ("justice", "tiers", "statutes", "evidence", "custody")))


def faults(iso3: str, **shown) -> list[str]:
    """Cells and sentences that hold what no reader should see."""
    wrong = re.compile(r"\bnan\b|NA>|\bNone\b|NaT|\d\.0\b|\de[+-]")
    cells = [(name, str(cell)) for name, table in shown.items() if isinstance(table, pd.DataFrame)
             for column in table for cell in table[column] if pd.notna(cell)]  # fmt: skip
    cells += [(name, text) for name, text in shown.items() if isinstance(text, str)]
    return [f"{iso3}, {name}: {text!r}" for name, text in cells if not text.strip() or wrong.search(text)]


@pytest.mark.slow
def test_every_country_is_told_of_without_a_blank_or_a_broken_cell(world, codes):
    found, years = [], range(2003, 2025)
    for iso3 in codes:
        custody, laws = world.own("custody", iso3), world.own("statutes", iso3)
        evidence, tiers = world.own("evidence", iso3), world.own("tiers", iso3)
        figures = stages.yearly_figures(world.own("justice", iso3), world.whole["victims"], evidence, iso3)
        rows = estimands.select(evidence, iso3, 2003, 2025, aggregate="upper_bound", related=False)
        lines = profiles.at_a_glance(tiers, figures, laws, rows, custody, iso3, 2024, CAP)
        assert [line.name for line in lines] == LINES, iso3
        beside = profiles.side_by_side(figures)
        assert beside.drop(columns="year").notna().any(axis=1).all(), iso3
        grid = profiles.silence(world.own("coverage", iso3), iso3, years)
        assert set(grid.values.ravel()) <= set(profiles.STATUSES) and list(grid) == list(years), iso3
        found += faults(
            iso3, glance=profiles.shown_glance(lines), beside=beside, law=profiles.shown_law(laws, iso3),
            custody=profiles.shown_custody(custody, iso3), silence=profiles.silence_told(grid, world.flags, iso3, 2017),
            terms=profiles.terms_told(rows, schemas.country_name(iso3), world.fitted, iso3, CAP),
        )  # fmt: skip
    assert len(codes) > 150 and not found


@pytest.mark.slow
def test_every_country_has_its_place_among_its_peers(world, codes):
    near = {iso3: profiles.peers(world.unodc, iso3) for iso3 in codes}
    everybody = sorted({*codes, *(other for peers in near.values() for other in peers.iso3s)})
    table = pd.concat([world.measures(iso3) for iso3 in everybody], ignore_index=True)
    assert table["measure"].isin(profiles.MEASURES).all() and not (table["low"] > table["high"]).any()
    found = []
    for iso3, peers in near.items():
        assert iso3 not in peers.iso3s
        measured_here = table[table["iso3"].isin((iso3, *peers.iso3s))]
        placed = profiles.standing(measured_here, iso3, peers)
        assert placed["name"].is_unique and (placed["n"] <= len(peers.iso3s)).all(), iso3
        words = profiles.standing_told(measured_here, iso3, peers)
        found += faults(iso3, standing=profiles.shown_standing(placed), told=words)
    assert not found


def test_measures_of_a_group_are_those_of_each(world):
    group = ("SRB", "ALB", "TWN", "DEU")
    arguments = [world.whole[name] for name in ("justice", "statutes", "controls")]
    together = profiles.measures(group, *arguments, world.fitted, range(2015, 2020), CAP)
    apart = pd.concat([world.measures(iso3) for iso3 in group], ignore_index=True)
    pd.testing.assert_frame_equal(together, apart)
    assert set(together["iso3"]) >= {"SRB", "ALB", "DEU"}
