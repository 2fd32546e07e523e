"""What is computed from figures on victims: shares, trends, pairs, the scenario, and people on no list."""

import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from sentencing import centre, corrections, figures, paths, sources, stages, tables, victims
from sentencing.models import NotEstimable

COUNTED = {
    "victims_id": "V-001", "series": "tip", "series_basis": "tip", "measure": "victims_identified", "year": 2020,
    "period_label": pd.NA, "period_start": "2020-01-01", "period_end": "2020-12-31", "period_kind": "full_year",
    "dimension": "total", "category": "total", "value_kind": "count", "value": 50.0, "count": 50, "base_n": pd.NA,
    "preferred": 1, "n_publications": 1, "source_ids": "unodc-001", "raw_rows": "CV-001", "note": pd.NA,
}  # fmt: skip
JUSTICE = {
    "iso3": "MKD", "stage": "victims_identified", "unit": "persons", "value": 10, "part": pd.NA, "qualifier": "exact",
    "period_kind": "calendar_year", "period_start": "2016-01-01", "period_end": "2016-12-31", "exploitation": "all",
    "exploitation_detail": pd.NA, "victim_group": "all", "law": "trafficking", "continuing": 0, "series": "tip",
    "edition": 2018, "reference_year": 2016, "source_ids": "unodc-001",
}  # fmt: skip
WHOLE = {"year": "Int64", "count": "Int64", "base_n": "Int64", "preferred": "Int64"}


def counted(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([COUNTED | row for row in rows], columns=list(COUNTED)).astype(WHOLE)


def justice(*rows: dict) -> pd.DataFrame:
    frame = pd.DataFrame([JUSTICE | row for row in rows], columns=list(JUSTICE))
    return frame.astype({"value": "Int64", "edition": "Int64", "reference_year": "Int64"})


def part(category: str, count: int, dimension: str = "exploitation", **more) -> dict:
    return {"dimension": dimension, "category": category, "count": count, "value": float(count)} | more


def yearly(*rows: tuple) -> pd.DataFrame:
    """Figures as `stages.yearly_figures` gives them: stage, body, year, low and, where another, high."""
    full = [
        (stage, body, year, low if low == high else pd.NA, low, high, pd.NA, "unodc-001")
        for stage, body, year, low, high in ((*row, row[3])[:5] if len(row) == 4 else row for row in rows)
    ]
    frame = pd.DataFrame(full, columns=stages.COLUMNS)
    return frame.astype(dict.fromkeys(["year", "value", "value_low", "value_high", "edition"], "Int64"))


# --- The rule of choice -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """The real table of published figures on victims, as corrected."""
    return corrections.Reader("data/raw", "data/corrections.yml")("centre/victims.csv")


@pytest.mark.parametrize("rule", centre.CONFLICT_RULES)
def test_choosing_anew_in_the_clean_table_gives_what_cleaning_under_the_rule_gives(published, rule):
    known = sources.read_sources()
    stored = tables.read_csv("data/processed/victims.csv")
    wanted = centre.clean_victims(published, rule, known)[["victims_id", "preferred"]]
    pd.testing.assert_frame_equal(
        centre.choose(stored, rule, known)[["victims_id", "preferred"]], wanted, check_dtype=False
    )


@pytest.mark.parametrize("rule", centre.CONFLICT_RULES)
def test_national_figures_are_those_chosen_among_the_conflicts(published, rule):
    known = sources.read_sources()
    conflicts = centre.victim_conflicts(published, rule, known)
    chosen = conflicts[conflicts["chosen"] == 1].set_index(centre.DATED_FACT)["value"]
    figures = centre.national_figures(tables.read_csv("data/processed/victims.csv"), rule, known)
    assert not figures.duplicated(centre.DATED_FACT).any()
    found = figures.set_index(centre.DATED_FACT)["value"]
    assert len(chosen) and found.loc[chosen.index].astype(int).tolist() == chosen.astype(int).tolist()


def test_national_figures_refuse_an_unknown_rule():
    with pytest.raises(ValueError, match="nearest is 'latest'"):
        centre.national_figures(counted({}), "lattest", {"unodc-001": {"published": "2020"}})


# --- Shares -------------------------------------------------------------------------------------------------------


def test_share_has_the_wilson_interval():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    (row,) = victims.shares(counted(part("sex", 81, base_n=263)), justice(), "SRB").to_dict("records")
    assert row["share"] == pytest.approx(81 / 263)
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.2553, 0.3662)


def test_missing_base_is_the_total_of_the_same_body_and_year_only():
    found = victims.shares(
        counted({"count": 40}, part("sex", 10), part("labor", 5, year=2019), part("sex", 7, series="center")),
        justice(), "SRB",
    )  # fmt: skip
    assert found[["body", "part", "base_n", "base_from"]].values.tolist() == [["tip", "sex", 40, "total of the year"]]


def test_printed_base_goes_before_the_total():
    found = victims.shares(counted({"count": 40}, part("sex", 10, base_n=36)), justice(), "SRB")
    assert found["base_n"].tolist() == [36]


@pytest.mark.parametrize("change", [{"preferred": 0}, {"period_kind": "part_year"}, {"count": pd.NA},
                                    {"measure": "assisted"}])  # fmt: skip
def test_figures_that_do_not_speak_for_a_full_year_have_no_share(change):
    assert victims.shares(counted(part("sex", 10, base_n=36) | change), justice(), "SRB").empty


def test_groups_by_sex_and_age_are_added_up_only_when_they_make_the_base():
    groups = {"adult_female": 21, "adult_male": 8, "child_female": 13, "child_male": 1}
    cells = [part(name, n, "sex_x_age", base_n=43) for name, n in groups.items()]
    found = victims.shares(counted(*cells), justice(), "SRB").set_index("part")["count"]
    assert found.to_dict() == {"child": 14, "female": 34, "male": 9}
    assert victims.shares(counted(*cells[:3]), justice(), "SRB").empty
    assert victims.shares(counted(*[c | {"base_n": 44} for c in cells]), justice(), "SRB").empty


def test_elsewhere_a_part_needs_the_one_total_of_its_edition_and_period():
    sex = {"exploitation": "sex", "value": 6}
    assert victims.shares(counted(), justice({}, sex), "MKD")["base_n"].tolist() == [10]
    assert victims.shares(counted(), justice({}, {"value": 125}, sex), "MKD").empty
    assert victims.shares(counted(), justice({"edition": 2019}, sex), "MKD").empty
    assert victims.shares(counted(), justice({"value": 5}, sex), "MKD").empty
    assert victims.shares(counted(), justice({}, sex), "SRB").empty


def test_forms_that_add_up_to_more_than_the_victims_are_told():
    found = victims.shares(counted(part("sex", 30, base_n=40), part("labor", 11, base_n=40)), justice(), "SRB")
    assert victims.overlapping_forms(found)[["body", "year", "sum", "base_n"]].values.tolist() == [
        ["tip", 2020, 41, 40]
    ]
    assert victims.overlapping_forms(found[found["part"] == "sex"]).empty


def test_shares_of_bodies_stand_in_rows_of_their_own():
    found = victims.shares(
        counted(part("sex", 10, base_n=40), part("sex", 9, base_n=30, series="center"), part("labor", 4, base_n=40)),
        justice(), "SRB",
    )  # fmt: skip
    shown = victims.shown_shares(found)
    assert shown["body"].tolist() == ["national Centre", "TIP Report"]
    assert shown["sexual exploitation"].str[:8].tolist() == ["9 of 30:", "10 of 40"]
    assert shown["labour exploitation"].iloc[0] is None


def test_figure_draws_each_body_apart_with_the_look_it_has_elsewhere():
    found = victims.shares(
        counted(part("sex", 10, base_n=40), part("sex", 9, base_n=30, series="center"),
                part("forced_begging", 4, base_n=40)),
        justice(), "SRB",
    )  # fmt: skip
    shown = figures.share_intervals(found, yearly(("victims_identified", "unodc", 2020, 9)), "Serbia")
    assert "TIP Report: 25 % (14 to 40)" in shown.text and "national Centre: 30 %" in shown.text
    assert "forced begging" not in shown.text
    looks = figures._body_looks({"tip", "unodc", "center"})
    assert [looks[body][0] for body in ("tip", "unodc", "center")] == list(figures.COLOURS.values())[:3]
    assert len(set(figures._body_looks(set(stages.BODIES)).values())) == len(stages.BODIES)


def test_figure_without_shares_says_so():
    nothing = victims.shares(counted(), justice(), "MKD")
    assert "No share is published" in figures.share_intervals(nothing, yearly(), "North Macedonia").text


# --- Trends -------------------------------------------------------------------------------------------------------


def test_poisson_trend_of_counts_that_double_each_year_is_two():
    found = victims.trend(range(2010, 2016), [3, 6, 12, 24, 48, 96])
    assert found["model"] == "Poisson" and found["why_not"] == ""
    assert found["rate_ratio"] == pytest.approx(2) and found["dispersion"] == pytest.approx(0, abs=1e-9)
    # On an exact curve the variance of the slope is 1 / sum(mu (x - mean of x weighted by mu)^2).
    years, counts = np.arange(6), np.array([3, 6, 12, 24, 48, 96])
    error = (counts * (years - np.average(years, weights=counts)) ** 2).sum() ** -0.5
    assert (found["low"], found["high"]) == pytest.approx((2 * np.exp(-1.959964 * error), 2 * np.exp(1.959964 * error)))


def test_overdispersed_counts_get_the_negative_binomial_and_a_wider_interval():
    counts = [20, 90, 15, 120, 40, 150, 30, 100]
    found = victims.trend(range(2010, 2018), counts)
    assert found["model"] == "negative binomial" and found["dispersion"] > 1
    design = victims.sm.add_constant(np.arange(8.0))
    poisson = victims.sm.GLM(counts, design, family=victims.sm.families.Poisson()).fit()
    low, high = np.exp(poisson.conf_int()[1])
    assert found["high"] / found["low"] > high / low


@pytest.mark.parametrize(
    ("counts", "reason"),
    [([5, 6, 7, 8], "fewer than 5"), ([], "fewer than 5"), ([5, 6, None, 8, 9], "withheld"), ([0] * 6, "no year")],
)
def test_trend_that_cannot_be_fitted_says_why(counts, reason):
    found = victims.trend(range(2010, 2010 + len(counts)), counts)
    assert reason in found["why_not"] and found["rate_ratio"] is None and found["n_years"] == len(counts)


@pytest.mark.parametrize(("years", "counts"), [([2010] * 5, [1] * 5), (range(5), [1, 2, 3, 4, -1]),
                                               (range(5), [1, 2, 3, 4, 0.5])])  # fmt: skip
def test_broken_counts_are_refused(years, counts):
    with pytest.raises(ValueError, match="whole counts"):
        victims.trend(years, counts)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 200), min_size=5, max_size=12).filter(any), st.permutations(range(12)))
def test_order_of_the_years_does_not_matter(counts, order):
    years = [2000 + place for place in range(len(counts))]
    mixed = [place for place in order if place < len(counts)]
    first = victims.trend(years, counts)
    second = victims.trend([years[place] for place in mixed], [counts[place] for place in mixed])
    assert first["model"] == second["model"] and first["rate_ratio"] == pytest.approx(second["rate_ratio"], rel=1e-6)


def test_each_body_has_a_trend_of_its_own_and_unnamed_bodies_have_none():
    years = range(2010, 2015)
    rows = [("victims_identified", body, year, 10 + year - 2010) for body in ("tip", "other") for year in years]
    found = victims.trends(yearly(*rows, *[("conviction", "tip", year, 9) for year in years])).set_index("body")
    assert found["stage"].unique().tolist() == ["victims_identified"]
    assert found.loc["tip", "rate_ratio"] > 1 and "unnamed" in found.loc["other", "why_not"]
    assert pd.isna(found.loc["other", "rate_ratio"])


def test_rules_differ_where_publishers_contradict_each_other():
    rows = [{"year": year, "period_start": f"{year}-01-01", "period_end": f"{year}-12-31", "series": series,
             "series_basis": basis, "count": n, "value": float(n), "raw_rows": f"CV-{year}{series}"}
            for series, basis, step in (("tip", "tip", 0), ("center", "authority", 5))
            for year in range(2010, 2016) for n in [40 + step * (year - 2009)]]  # fmt: skip
    args = ({"unodc-001": {"published": "2020"}}, range(2000, 2030))
    found = victims.trends_by_rule(counted(*rows), *args, "SRB").set_index(["stage", "rule"])
    ratios = found.loc["victims_identified", "rate_ratio"]
    assert ratios["lowest"] == pytest.approx(1) and ratios["highest"] > 1.05
    assert ratios["primary"] == ratios["highest"]
    assert set(found.loc["victims_identified", "years_disputed"]) == {6}
    assert victims.trends_by_rule(counted(*rows), *args, "MKD").empty


# --- Pairs --------------------------------------------------------------------------------------------------------


def test_pairs_are_compared_and_never_averaged():
    found = victims.tip_against_unodc(
        yearly(("conviction", "tip", 2010, 36), ("conviction", "unodc", 2010, 24), ("conviction", "tip", 2011, 13),
               ("conviction", "unodc", 2011, 13), ("conviction", "tip", 2012, 9), ("conviction", "center", 2012, 9))
    )  # fmt: skip
    assert found[["year", "tip", "unodc", "difference", "ratio", "agree"]].values.tolist() == [
        [2010, "36", "24", "12", "1.50", "no"],
        [2011, "13", "13", "0", "1.00", "yes"],
    ]


@pytest.mark.parametrize(("tip", "difference", "agree"), [(24, "20 to 23", "no"), (3, "-1 to 2", "cannot be told")])
def test_suppressed_count_leaves_a_range(tip, difference, agree):
    figures = yearly(("prosecution", "tip", 2017, tip), ("prosecution", "unodc", 2017, 1, 4))
    (found,) = victims.tip_against_unodc(figures).to_dict("records")
    assert (found["unodc"], found["difference"], found["agree"]) == ("1 to 4", difference, agree)


# --- Scenario -----------------------------------------------------------------------------------------------------

WORKERS = pd.DataFrame([{"year": 2020, "workers": "workers", "low": 50, "high": 150, "source_ids": "b"}])


def scenario(*parts: dict) -> pd.DataFrame:
    found = victims.detection_scenario(WORKERS, counted({}, *parts), yearly(("victims_identified", "tip", 2020, 50)))
    return found.set_index("quantity")[["published", "scenario_low", "scenario_high"]]


def test_scenario_adds_the_workers_to_what_a_body_publishes():
    found = scenario(part("labor", 10), part("foreign", 5, "citizenship"))
    assert found.loc["victims"].tolist() == [50, 100, 200]
    assert found.loc["labour exploitation"].tolist() == [0.2, 60 / 100, 160 / 200]
    assert found.loc["foreign"].tolist() == [0.1, 55 / 100, 155 / 200]


def test_what_is_not_published_may_be_nobody_or_everybody():
    found = scenario(part("serbia", 39, "citizenship"), part("male", 20, "sex"))
    assert found.loc["labour exploitation", ["scenario_low", "scenario_high"]].tolist() == [50 / 100, 1]
    assert found.loc["foreign", ["scenario_low", "scenario_high"]].tolist() == [50 / 100, 161 / 200]
    assert found["published"].isna()[["labour exploitation", "foreign"]].all()
    # All of the workers may be men, or none.
    assert found.loc["men and boys"].tolist() == [0.4, 20 / 200, 170 / 200]


def test_longest_part_of_a_year_stands_in_where_there_is_no_full_year():
    parts = [{"series": "other", "period_kind": "part_year", "period_end": end, "count": n, "value": float(n)}
             for end, n in (("2020-06-30", 20), ("2020-12-24", 70))]  # fmt: skip
    found = victims.detection_scenario(WORKERS, counted(*parts), yearly(("victims_identified", "tip", 2019, 50)))
    assert found["base"].unique().tolist() == ["other or unnamed body, to 2020-12-24"]
    assert found.set_index("quantity").loc["victims", "scenario_low"] == 120


def test_numbers_of_workers_come_from_the_tables_with_their_range():
    presumed = {"measure": "victims_presumed", "dimension": "citizenship", "category": "vietnam", "year": 2021}
    rows = counted(presumed | {"count": 400, "preferred": 0}, presumed | {"count": 500}, {"count": 43})
    proceedings = pd.DataFrame([{"year": 2024, "indicator": victims.INDIAN_WORKERS, "unit": "count", "value": 11.0,
                                 "source_id": "b"}])  # fmt: skip
    found = victims.workers_not_identified(rows, proceedings, "SRB")
    assert found[["year", "low", "high"]].values.tolist() == [[2021, 400, 500], [2024, 11, 11]]
    assert victims.workers_not_identified(rows, proceedings, "MKD").empty
    with pytest.raises(ValueError, match="Indian workers"):
        victims.workers_not_identified(rows, proceedings.assign(indicator="other"), "SRB")


# --- Outside estimate ---------------------------------------------------------------------------------------------


def test_quoted_ratio_multiplies_each_body_by_itself_within_its_years():
    estimate = pd.DataFrame([{"iso3": "SRB", "year_low": 2013, "year_high": 2016, "low": 4.0, "high": 9.0,
                              "quantity": "estimated_to_detected", "source_id": "b"}])  # fmt: skip
    whole = {"series": "center", "year": pd.NA, "period_start": "2013-01-01", "period_end": "2016-12-31",
             "period_kind": "multi_year", "count": 296}  # fmt: skip
    figures = yearly(("victims_identified", "center", 2013, 92), ("victims_identified", "tip", 2016, 49),
                     ("victims_identified", "tip", 2017, 40), ("victims_identified", "astra", 2015, 8))  # fmt: skip
    found = victims.outside_benchmark(estimate, figures, counted(whole), "SRB")
    assert found[["body", "period", "detected", "quoted_low", "quoted_high"]].values.tolist() == [
        ["center", "2013", 92, 368, 828],
        ["center", "2013 to 2016", 296, 1184, 2664],
        ["tip", "2016", 49, 196, 441],
    ]
    assert set(found["source_ids"]) == {"b;unodc-001"}
    assert victims.outside_benchmark(estimate, figures, counted(whole), "MKD").empty


# --- Undetected ---------------------------------------------------------------------------------------------------


def histories(**counts) -> pd.DataFrame:
    """Capture histories from words such as h110=3: three people on the first two of three lists."""
    rows = [[*map(int, word[1:]), n] for word, n in counts.items()]
    return pd.DataFrame(rows, columns=[*"abcdef"[: len(rows[0]) - 1], "count"])


def test_two_lists_give_chapmans_estimate_with_its_variance():
    # 10 on one list, 15 on the other, 5 on both: 11 * 16 / 6 - 1 and 11 * 16 * 5 * 10 / (36 * 7), by hand.
    found = victims.estimate_undetected(histories(h10=5, h01=10, h11=5))
    assert found.method == "Chapman" and found.n_detected == 20
    assert found.total == pytest.approx(11 * 16 / 6 - 1)
    assert found.variance == pytest.approx(8800 / 252)
    undetected, spread = 11 * 16 / 6 - 21, 8800 / 252
    factor = np.exp(1.959964 * np.log(1 + spread / undetected**2) ** 0.5)
    assert (found.low, found.high) == pytest.approx((undetected / factor, undetected * factor))
    assert len(found.assumptions) == 4


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_log_linear_model_of_two_lists_is_lincoln_petersen(first, second, both):
    found = victims.estimate_undetected(histories(h10=first, h01=second, h11=both), "log-linear")
    assert found.total == pytest.approx((first + both) * (second + both) / both, rel=1e-6)
    # The delta method on log(n10 n01 / n11).
    error = (1 / first + 1 / second + 1 / both) ** 0.5
    assert found.high / found.n_undetected == pytest.approx(np.exp(1.959964 * error), rel=1e-5)


def independent(chances=(0.5, 0.4, 0.2), n=1000) -> pd.DataFrame:
    """Expected counts of independent lists; whole numbers for these chances."""
    rows = []
    for history in product((0, 1), repeat=len(chances)):
        p = np.prod([c if on else 1 - c for c, on in zip(chances, history, strict=True)])
        rows.append([*history, round(n * p)])
    return pd.DataFrame(rows, columns=[*"abcdef"[: len(chances)], "count"])


def test_three_independent_lists_give_back_who_is_on_none():
    everybody = independent()
    found = victims.estimate_undetected(everybody[everybody[["a", "b", "c"]].any(axis=1)])
    assert found.method == "log-linear" and found.lists == ("a", "b", "c")
    assert found.n_undetected == pytest.approx(240) and found.total == pytest.approx(1000)
    assert found.low < 240 < found.high


def test_history_without_a_row_is_one_that_nobody_has():
    full = histories(h100=9, h010=8, h001=7, h110=3, h101=2, h011=0, h111=0)
    short = full[full["count"] > 0]
    assert victims.estimate_undetected(full).total == victims.estimate_undetected(short).total


def test_list_with_nobody_on_it_is_left_out_and_told():
    found = victims.estimate_undetected(histories(h100=5, h010=10, h110=5, h001=0))
    assert (found.method, found.lists, found.dropped) == ("Chapman", ("a", "b"), ("c",))
    assert found.total == pytest.approx(11 * 16 / 6 - 1)


@pytest.mark.parametrize(
    ("table", "reason"),
    [(histories(h1=5), "fewer than two are given"), (pd.DataFrame(columns=["count"]), "fewer than two are given"),
     (histories(h10=5, h01=None, h11=None), "not published"), (histories(h10=5, h01=7, h11=0), "nobody is on more"),
     (histories(h100=5, h010=7, h001=2), "nobody is on more"), (histories(h10=5, h01=0, h11=3), "holds everybody"),
     (histories(h10=5, h01=0, h11=0), "fewer than two lists have")],
)  # fmt: skip
def test_without_lists_that_overlap_it_declines(table, reason):
    with pytest.raises(NotEstimable, match=reason):
        victims.estimate_undetected(table)


@pytest.mark.parametrize(
    ("table", "reason"),
    [(histories(h10=5, h01=7, h00=3), "on no list"), (histories(h10=5, h20=7, h11=1), "0 and 1"),
     (histories(h10=5, h01=-1, h11=1), "not negative"), (histories(h10=5, h01=1.5, h11=1), "whole"),
     (pd.concat([histories(h10=5, h01=2, h11=1)] * 2), "twice"),
     (histories(h10=5, h01=2, h11=1).drop(columns="count"), "'count'")],
)  # fmt: skip
def test_what_is_no_table_of_histories_is_refused(table, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        victims.estimate_undetected(table)
    assert not isinstance(caught.value, NotEstimable)


def test_chapman_is_for_two_lists():
    with pytest.raises(ValueError, match="does not fit 3 lists"):
        victims.estimate_undetected(histories(h100=9, h010=8, h001=7, h110=3, h101=2), "Chapman")


def test_published_lists_have_sizes_but_no_overlaps_so_no_estimate_is_made():
    figures = yearly(("victims_identified", "tip", 2018, 76), ("victims_identified", "other", 2018, 75),
                     ("victims_identified", "astra", 2018, 8), ("victims_identified", "center", 2023, 66),
                     ("victims_identified", "unodc", 2018, 32))  # fmt: skip
    lists = victims.published_lists(figures)
    assert set(lists["year"]) == {2018}
    assert dict(zip(lists["list"], zip(lists["low"], lists["high"], strict=True), strict=True)) == {
        victims.AUTHORITIES: (75, 76),
        "clients of ASTRA": (8, 8),
    }
    assert len(victims.histories_of(lists)) == 3
    told = victims.undetected_told(lists)
    assert "75 to 76" in told and "No estimate is made" in told and "not published" in told


def test_country_without_lists_is_told_so():
    assert "No list of victims is published" in victims.undetected_told(victims.published_lists(yearly()))


def test_gaps_are_the_years_without_a_figure_of_any_body():
    held = yearly(("conviction", "tip", 2011, 3), ("conviction", "unodc", 2011, 4), ("conviction", "unodc", 2013, 1, 4))
    found = stages.gaps(held, range(2010, 2014)).set_index("stage")
    assert found.loc["conviction", ["years_with_a_figure", "years_without"]].tolist() == [2, "2010, 2012"]
    assert found.loc["prosecution", "years_with_a_figure"] == 0 and set(found["n_years"]) == {4}


# --- Values -------------------------------------------------------------------------------------------------------


def test_rows_of_a_table_become_values_and_missing_ones_do_not():
    values = tables.Values("x", {})
    rows = pd.DataFrame({"year": [2019, 2020], "share": [0.5, None], "n": [4, 5]})
    values.add_rows(rows, "share_{year}", "share", "share in {year}", value="share", n="n")
    assert values.values == {"share_2019": {"label": "share in 2019", "value": 0.5, "unit": "share", "n": 4}}


def test_rows_with_bounds_alone_become_values_too():
    values = tables.Values("x", {})
    rows = pd.DataFrame({"year": [2019, 2020], "least": [1, None], "most": [3, None], "unit": "persons"})
    values.add_rows(rows, "people_{year}", "{unit}", "people in {year}", low="least", high="most")
    assert values.values == {
        "people_2019": {"label": "people in 2019", "value": None, "unit": "persons", "low": 1.0, "high": 3.0}
    }


# --- Small counts -------------------------------------------------------------------------------------------------


def shown(counts) -> np.ndarray:
    """A table with its totals as it is shown: what is withheld is missing."""
    hidden = victims.withheld(counts)
    totals = np.vstack([np.hstack([counts, counts.sum(1, keepdims=True)]),
                        np.append(counts.sum(0), counts.sum())])  # fmt: skip
    return np.where(hidden, np.nan, totals)


def follows(table: np.ndarray) -> list[tuple[int, int]]:
    """Withheld entries that can be only one number: for each the least and the most by integer programming.

    Independent of the code: its variables are all cells, whole and not negative, and totals are sums of them.
    """
    n_rows, n_columns = table.shape[0] - 1, table.shape[1] - 1
    sums = np.zeros((*table.shape, n_rows, n_columns))
    for row, column in product(range(table.shape[0]), range(table.shape[1])):
        rows = slice(None) if row == n_rows else row
        sums[row, column][rows, slice(None) if column == n_columns else column] = 1
    known = ~np.isnan(table)
    given = optimize.LinearConstraint(sums[known].reshape(known.sum(), n_rows * n_columns), table[known], table[known])
    found = []
    for place in map(tuple, np.argwhere(~known)):
        aim = sums[place].ravel()
        ends = [optimize.milp(sign * aim, constraints=[given] if known.any() else [], integrality=np.ones(aim.size),
                              bounds=optimize.Bounds(0, 1000)).fun * sign for sign in (1, -1)]  # fmt: skip
        found += [place] if round(ends[0]) == round(ends[1]) else []
    return found


tables_of_people = st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(st.integers(0, 9), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
        lambda counts: np.array(counts).reshape(shape)
    )
)


@settings(max_examples=40)
@given(tables_of_people)
def test_no_small_count_is_shown_or_follows_from_what_is(counts):
    table = shown(counts)
    assert not np.isin(table, (1, 2)).any()
    assert follows(table) == []
    if not np.isin(np.nan_to_num(table, nan=1), (1, 2)).any():
        assert (table[:-1, :-1] == counts).all()


@settings(max_examples=30)
@given(tables_of_people.filter(lambda counts: not np.isin(shown(counts + 3), (1, 2)).any()))
def test_nothing_is_withheld_of_a_table_without_small_counts(counts):
    large = np.where(counts > 4, counts + 3, 0)
    assert not victims.withheld(large).any()


@pytest.mark.parametrize(
    ("counts", "withheld"),
    [
        ([[1, 5], [6, 7]], 4),  # two in each row and column, no total
        ([[4, 5], [6, 7]], 0),
        ([[0, 5], [6, 0]], 0),  # zeros are shown
        ([[2]], 4),
        ([[0, 2], [0, 7]], 4),
        ([[21, 8], [13, 1]], 4),
    ],
)
def test_as_little_is_withheld_as_it_takes(counts, withheld):
    assert victims.withheld(counts).sum() == withheld


def test_one_withheld_count_alone_would_follow_and_the_test_sees_it(monkeypatch):
    monkeypatch.setattr(victims, "_exposed", lambda full, hidden: [])
    table = shown(np.array([[1, 5], [6, 7]]))
    assert np.isnan(table).sum() == 1 and follows(table) == [(0, 0)]


def test_rows_alone_are_not_enough_and_the_test_sees_it():
    table = shown(np.array([[4, 5, 6], [7, 8, 9], [3, 3, 3]]))
    table[0, :2] = np.nan  # two in a row, but each alone in its column
    assert follows(table) == [(0, 0), (0, 1)]


def test_what_a_source_printed_stays():
    published = np.zeros((3, 3), bool)
    published[0, 0] = True
    hidden = victims.withheld([[1, 5], [6, 2]], published)
    assert not hidden[0, 0] and hidden[1, 1]


def test_small_count_that_printed_figures_give_away_is_told():
    published = np.ones((2, 2), bool)
    published[0, 0] = False
    with pytest.raises(ValueError, match="gives a count of fewer than three people away"):
        victims.withheld([[1]], published)


@pytest.mark.parametrize("wrong", [[[1.5]], [[-1]], [[np.nan]], [], [1, 2]])
def test_table_of_no_people_is_refused(wrong):
    with pytest.raises(ValueError, match="whole numbers"):
        victims.withheld(wrong)


def test_table_by_two_traits_has_totals_and_withholds_small_counts():
    people = pd.DataFrame({"age": ["child", "child", "adult", "adult", "adult"], "form": list("abaab"),
                           "count": [1, 5, 2, 4, 7]})  # fmt: skip
    table = victims.crossed(people, "age", "form")
    assert table.to_dict("list") == {
        "age": ["child", "adult", "all"], "a": ["withheld", "withheld", 7], "b": ["withheld", "withheld", 12],
        "all": [6, 13, 19]}  # fmt: skip
    with pytest.raises(ValueError, match="every count"):
        victims.crossed(people.assign(count=pd.NA), "age", "form")


def test_no_notebook_crosses_traits_by_itself():
    code = "".join(path.read_text(encoding="utf-8") for path in paths.NOTEBOOKS.glob("*.ipynb"))
    assert not re.search(r"crosstab|pivot|unstack", code)
