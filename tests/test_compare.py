"""The comparison of countries: what goes into the model, what is said without one, and who publishes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from sentencing import compare, estimands, figures, tables
from sentencing.models import NotEstimable

CHOICES = estimands.Choices(base_rule="average", grid_months=0.0)
ROW = {
    "iso3": "SRB", "row_id": "r", "year": 2017, "year_low": 2017, "year_high": 2017, "n": 1, "count_candidates": None,
    "kind": "exact", "low_months": 24.0, "high_months": 24.0, "low_inclusive": 1, "high_inclusive": 1,
    "low_attained": 0, "high_attained": 0, "attained_allowed": 0, "sanction": "prison", "high_sanction": None,
    "aggregate_sentence": 0, "offence": "trafficking", "exploitation": "unspecified", "source_kind": "official",
    "source_id": "us-department-of-state-002", "used": 1, "evidence_id": "e", "tier": "2", "tier_report": 2017,
    "rule_of_law": 0.0, "min_months": 36.0, "max_months": 144.0, "for_life": False, "context_sources": "world-bank-001",
}  # fmt: skip


def rows(*changes: dict) -> pd.DataFrame:
    """Rows of the evidence, described, that differ from ROW in what is given."""
    made = [ROW | {"row_id": f"r{i}", "evidence_id": f"e{i}"} | change for i, change in enumerate(changes)]
    whole = {c: "Int64" for c in ("year", "year_low", "year_high", "n")}
    return pd.DataFrame(made, columns=list(ROW)).astype(whole)


def exact(iso3: str, *months: float, **more) -> list[dict]:
    return [{"iso3": iso3, "low_months": m, "high_months": m} | more for m in months]


def between(iso3: str, low, high, n: int = 1, **more) -> dict:
    return {"iso3": iso3, "low_months": low, "high_months": high, "n": n, "kind": "interval"} | more


@pytest.fixture(scope="module")
def world() -> pd.DataFrame:
    """Exact terms of six made-up countries of two tiers, and one country of which only "at least" is told."""
    draw = np.random.default_rng(7)
    made = []
    for place, iso3 in enumerate(("ALB", "BGR", "HRV", "HUN", "ROU", "SRB")):
        level, tier = draw.normal(3.6, 0.7), ("1", "2")[place % 2]
        more = {"tier": tier, "rule_of_law": place / 5, "max_months": 60.0 * (1 + (place * 7) % 5)}
        made += exact(iso3, *np.exp(level + draw.normal(0, 0.4, 2 if iso3 == "SRB" else 6)).round(3), **more)
    return rows(*made, between("MKD", 12.0, None, 30, tier="1", rule_of_law=0.4, max_months=96.0))


@pytest.fixture(scope="module")
def fitted(world) -> compare.Fit:
    return compare.fit(world, CHOICES, ("tier",), 50)


# --- Rows and what is known of countries ----------------------------------------------------------------------------


def test_rows_of_a_country_are_those_of_the_notebook_on_it():
    evidence = tables.read_csv("data/processed/evidence.csv").query("iso3 in ('ALB', 'BIH', 'SRB')")
    rules = {"publicised": False, "aggregate": "upper_bound", "related": False}
    chosen = compare.select(evidence, 2016, 2017, **rules)
    own = estimands.select(evidence, "SRB", 2016, 2017, **rules)
    pd.testing.assert_frame_equal(chosen[chosen["iso3"] == "SRB"].reset_index(drop=True), own, check_dtype=False)
    assert len(own) and chosen["iso3"].is_monotonic_increasing


def test_nobody_is_selected_where_nothing_is_told():
    assert not len(compare.select(rows(*exact("SRB", 24)), 1990, 1991))


TIERS = pd.DataFrame(
    {"iso3": ["SRB", "SRB", "SRB", "ALB", "ALB", "BGR"], "report_year": [2015, 2017, 2018, 2014, 2018, 2016],
     "tier": ["2", "2WL", "3", "1", "2", "Auto"], "source_id": [f"s{i}" for i in range(6)]}
)  # fmt: skip


def test_earlier_tier_is_never_that_of_a_report_after_the_year():
    found = compare.earlier_tiers(TIERS, 2017, 3)
    assert found.loc["SRB"].tolist() == ["2WL", 2017, "s1"]
    assert compare.earlier_tiers(TIERS, 2016, 2).loc["SRB", "tier"] == "2"


def test_earlier_tier_is_unknown_where_all_reports_are_too_old_or_name_none():
    assert list(compare.earlier_tiers(TIERS, 2017, 3).index) == ["SRB"]
    assert list(compare.earlier_tiers(TIERS, 2017, 4).index) == ["ALB", "SRB"]
    assert list(compare.earlier_tiers(TIERS, 2016, 1).index) == []


def described(statutes: list[dict], iso3: str = "SRB", controls: float = -0.1) -> pd.Series:
    blank = {"iso3": iso3, "told_by": "TIP Report", "edition": 2018, "form": "basic_all", "paragraph": None,
             "valid_from": None, "valid_to": None, "min_months": np.nan, "max_months": np.nan, "life_max": 0,
             "source_ids": "law-1"}  # fmt: skip
    laws = pd.DataFrame([blank | row for row in statutes], columns=list(blank))
    laws = laws.astype({c: "float64" for c in ("min_months", "max_months")})
    ruled = pd.DataFrame({"iso3": [iso3], "year": [2017], "rule_of_law": [controls], "source_id": ["wb"]})
    given = rows(*exact(iso3, 24)).drop(columns=["tier", "tier_report", "rule_of_law", "min_months", "max_months",
                                                 "for_life", "context_sources"])  # fmt: skip
    found = compare.describe_countries(given, TIERS, ruled, laws, 3, 480.0)
    assert len(found) == 1
    return found.iloc[0]


def test_countries_are_described_with_tier_law_and_sources():
    row = described([{"min_months": 36, "max_months": 144}])
    assert [row[c] for c in ("tier", "tier_report", "rule_of_law", "max_months")] == ["2WL", 2017, -0.1, 144.0]
    assert row["context_sources"] == "law-1;s1;wb" and not row["for_life"]


def test_what_is_not_known_of_a_country_stays_open():
    row = described([], iso3="HUN", controls=np.nan)
    assert row["tier"] == "unknown" and np.isnan([row["rule_of_law"], row["max_months"], row["min_months"]]).all()


def test_maximum_for_life_counts_as_the_cap_and_an_untold_one_does_not():
    assert described([{"min_months": 36, "life_max": 1}])[["max_months", "for_life"]].tolist() == [480.0, True]
    assert np.isnan(described([{"min_months": 36}])["max_months"])


def test_laws_that_only_a_later_edition_tells_are_not_taken():
    told = [{"max_months": 144}, {"edition": 2023, "max_months": 999}]
    assert described(told)["max_months"] == 144.0


# --- Design and model -----------------------------------------------------------------------------------------------


def test_design_has_a_column_for_each_thing_that_differs_and_none_that_does_not():
    made = rows(
        {"tier": "2", "rule_of_law": 1.0}, {"tier": "2", "rule_of_law": -1.0, "exploitation": "sex"},
        {"tier": "1", "exploitation": "domestic", "max_months": np.nan}, {"tier": "3"},
    )  # fmt: skip
    found = compare.design(made, compare.COVARIATES)
    assert list(found) == ["const", "Tier 1", "Tier 3", "rule of law", "maximum not told", "sex only",
                           "several forms, or another"]  # fmt: skip
    assert found["Tier 1"].tolist() == [0, 0, 1, 0] and found["rule of law"].tolist() == [1, -1, 0, 0]
    assert found["maximum not told"].tolist() == [0, 0, 1, 0] and found["several forms, or another"].tolist()[2] == 1


def test_missing_values_are_nought_beside_a_column_of_their_own():
    found = compare.design(rows({"rule_of_law": np.nan}, {"rule_of_law": 3.0}, {"rule_of_law": 1.0}), ("rule of law",))
    assert found["rule of law"].tolist() == [0, 1, -1] and found["rule of law not known"].tolist() == [1, 0, 0]


def test_design_without_covariates_is_a_constant_and_the_kind_of_source():
    made = rows({}, {"source_kind": "monitor"})
    assert list(compare.design(rows({}), ())) == ["const"]
    assert compare.design(made, ())["government figures"].tolist() == [1, 0]
    assert list(compare.scale_design(made)) == ["const", "government figures"]
    assert list(compare.scale_design(rows({}))) == ["const"]


def test_assembled_model_of_exact_terms_agrees_with_a_mixed_model(world):
    """Oracle: statsmodels' MixedLM by maximum likelihood, on the logarithms."""
    own = world[world["iso3"] != "MKD"].reset_index(drop=True)
    found = compare.fit(own, CHOICES, ("tier", "rule of law", "statutory maximum"), 50)
    assert found.covariates == ("tier", "rule of law", "statutory maximum") and found.gave_up == ()
    y, x = np.log(own["low_months"]), compare.design(own, found.covariates)
    oracle = sm.MixedLM(y, x, groups=own["iso3"]).fit(reml=False)
    k = x.shape[1]
    np.testing.assert_allclose(found.results.params.iloc[:k], oracle.fe_params, rtol=2e-3, atol=2e-3)
    assert found.results.tau == pytest.approx(np.sqrt(oracle.cov_re.iloc[0, 0]), rel=0.01)
    assert np.exp(found.results.params["log_scale:const"]) == pytest.approx(np.sqrt(oracle.scale), rel=0.01)


def test_covariates_that_cannot_be_told_apart_are_given_up_from_the_last_and_said():
    made = [{**row, "rule_of_law": float(row["tier"] == "2")} for row in exact("SRB", 12, 30, 60, tier="2")]
    made += exact("ALB", 24, 90, 50, tier="1") + exact("HUN", 15, 20, 33, tier="1")
    found = compare.fit(rows(*made), CHOICES, ("tier", "rule of law"), 50)
    assert found.covariates == ("tier",) and found.results is not None
    ((names, reason),) = found.gave_up
    assert names == "tier, rule of law" and reason in compare.fit_told(found, rows(*made))


def test_rows_without_a_tier_are_left_out_only_while_the_tier_is_a_covariate(world):
    made = pd.concat([world, rows(*exact("USA", 10, 400, tier="unknown"))], ignore_index=True)
    assert "USA" not in set(compare.fit(made, CHOICES, ("tier",), 50).rows["iso3"])
    bare = compare.fit(made, CHOICES, (), 50)
    assert "USA" in set(bare.rows["iso3"])
    assert "2 rows, of United States of America" in compare.fit_told(compare.fit(made, CHOICES, ("tier",), 50), made)


def test_nothing_at_all_is_said_and_no_error():
    nobody = rows()
    found = compare.fit(nobody, CHOICES, compare.COVARIATES, 50)
    assert found.results is None and "No model" in compare.fit_told(found, nobody)
    countries = compare.by_country(nobody, found, "SRB", 0.5, 480.0)
    assert not len(countries) and not len(compare.reported_medians(countries)) and not len(compare.effects(found))
    assert compare.position_told(countries, "SRB").startswith("Nothing usable on sentences in Serbia")
    assert compare.spread(found, "model", "all", nobody)["refused"].item()
    assert "no country has a median" in figures.country_dots(countries, "Serbia", "months").text.lower()


def test_bases_left_open_are_no_choice_for_this_model():
    made = rows(between("SRB", 12.0, 36.0, None, count_candidates="3;6"), *exact("ALB", 24, 30))
    with pytest.raises(ValueError, match="base_rule 'marginal'"):
        compare.fit(made, CHOICES._replace(base_rule="marginal"), (), 50)


def test_effects_are_ratios_of_medians_with_the_model_s_intervals(fitted):
    (row,) = compare.effects(fitted).to_dict("records")
    estimate, (low, high) = fitted.results.params["Tier 2"], fitted.results.conf_int().loc["Tier 2"]
    assert (row["name"], row["quantity"]) == ("effect_tier_2", "Tier 2, against Tier 1")
    assert [row["value"], row["low"], row["high"]] == pytest.approx(np.exp([estimate, low, high]))


def test_spread_is_that_of_the_fit(fitted, world):
    found = compare.spread(fitted, "model", "all", world).set_index("name")
    assert found.at["model_tau", "value"] == fitted.results.tau
    assert found.at["model_factor", "value"] == pytest.approx(np.exp(fitted.results.tau))
    assert found.at["model_p", "value"] == fitted.results.lr_test_group().p_value


# --- Country by country ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (exact("SRB", 12, 24, 60), (24, 24)),
        (exact("SRB", 12, 24), (12, 24)),
        ([between("SRB", 12.0, 36.0, 3), *exact("SRB", 60, 60)], (12, 36)),
        ([between("SRB", 12.0, None, 5)], (12, None)),
        ([between("SRB", None, 12.0, 5)], (None, 12)),
        ([between("SRB", None, 12.0, 1), between("SRB", 24.0, None, 1)], (None, None)),
        ([{"kind": "mean", "n": 9}], (None, None)),
        ([{"low_months": np.nan, "high_months": np.nan, "sanction": "life", "n": 3}], (480, None)),
        ([between("SRB", 12.0, 36.0, None, count_candidates="2;6"), *exact("SRB", 60, 60, 60)], (12, 36)),
    ],
)
def test_bounds_of_the_median_are_those_the_printed_bounds_allow(made, expected):
    found = compare.median_bounds(rows(*made), 480.0)
    assert tuple(None if np.isnan(end) else end for end in found) == expected


def test_no_terms_within_the_bounds_have_a_median_outside():
    made = rows(between("SRB", 6.0, 30.0, 4), between("SRB", 24.0, 90.0, 3), *exact("SRB", 48, 12))
    low, high = compare.median_bounds(made, 480.0)
    draw, n = np.random.default_rng(1), made["n"].to_numpy(int)
    ends = made[["low_months", "high_months"]].to_numpy(float).repeat(n, axis=0)
    medians = np.median(ends[:, 0] + draw.random((200, len(ends))) * np.diff(ends).T, axis=1)
    assert (medians >= low).all() and (medians <= high).all()


def test_averages_are_told_apart_from_terms():
    made = rows({"kind": "mean", "n": 9}, {"kind": "mean", "n": 1, "low_months": 44.0, "high_months": 44.0})
    assert compare.printed_average(made) == pytest.approx(26.0) and np.isnan(compare.printed_average(rows({})))


def test_a_country_of_one_sided_evidence_gets_words_and_no_median(world, fitted):
    row = compare.by_country(world, fitted, "SRB", 0.5, 480.0).set_index("iso3").loc["MKD"]
    assert np.isnan([row["median"], row["lower"], row["upper"]]).all() and row["said"] == "at least 12 months"
    assert row["mark"] == "neighbour" and row["people"] == 30 and row["raw_low"] == 12


def test_medians_are_given_from_the_least_own_information_on(world, fitted):
    own = fitted.results.group_effects()["own_information"]
    assert own.drop("MKD").idxmin() == "SRB"  # of whom fewer people are told
    for limit, given in ((own["SRB"] - 1e-6, True), (own["SRB"] + 1e-6, False)):
        found = compare.by_country(world, fitted, "SRB", float(limit), 480.0).set_index("iso3")
        assert found["median"].drop(["MKD", "SRB"]).notna().all() and pd.notna(found.at["SRB", "median"]) == given
        assert ("of the information" in found.at["SRB", "said"]) == (not given)


def test_shares_at_thresholds_are_read_from_the_curve_behind_the_median(world, fitted):
    countries = compare.by_country(world, fitted, "SRB", 0.5, 480.0)
    months = estimands.thresholds(6.0)
    shares = compare.shares_shorter(countries, "lognormal", 6.0, months)
    place = int(countries.index[countries["iso3"] == "SRB"][0])
    row, at = countries.loc[place], 10
    z = np.log((months[at] - 3.0) / row[["median", "upper", "lower"]].to_numpy(float)) / row["scale"]
    assert shares[place, at] == pytest.approx(stats.norm.cdf(z))
    assert row["scale"] == pytest.approx(np.exp(fitted.results.params.iloc[-2]))
    assert (shares[place, months <= 3.0] == 0).all() and (np.diff(shares[place], axis=0) >= 0).all()
    assert np.isnan(shares[countries["median"].isna().to_numpy()]).all()


def test_marks_are_those_of_the_country_that_is_looked_at(world, fitted):
    marks = compare.by_country(world, fitted, "MKD", 0.5, 480.0).set_index("iso3")["mark"]
    assert marks[marks != ""].to_dict() == {"MKD": "country"}
    assert compare.marked("SRB")[0] == "SRB" and len(compare.marked("SRB")) == 10


@pytest.mark.parametrize(
    ("said", "words", "ends", "expected"),
    [
        ("estimated", "two-sided", (1, 2), "estimated"),
        ("…", "only at least 1", (1, np.nan), "at least 1 month"),
        ("…", "only at most 60 (for some 12)", (np.nan, 60), "at most 60 months (for some 12)"),
        ("too little", "two-sided", (12, 36), "median between 12 and 36 months; too little"),
        ("too little", "two-sided", (np.nan, np.nan), "no bound of the median; too little"),
    ],
)
def test_what_is_known_instead_of_a_median(said, words, ends, expected):
    assert compare.known_in_words(said, words, *ends) == expected


def test_ratio_to_the_law_is_of_the_median_or_of_the_printed_bounds(world, fitted):
    countries = compare.by_country(world, fitted, "SRB", 0.5, 480.0)
    found = compare.reported_medians(countries).set_index("name")
    own = countries.set_index("iso3")
    assert found.at["ratio_to_maximum_SRB", "value"] == pytest.approx(
        own.at["SRB", "median"] / own.at["SRB", "max_months"]
    )
    open_end = found.loc["ratio_to_maximum_MKD"]
    assert np.isnan([open_end["value"], open_end["high"]]).all() and open_end["low"] == pytest.approx(12 / 96)
    assert found.at["median_MKD", "refused"] == "at least 12 months"


def test_countries_whose_law_is_not_told_have_no_ratio(world, fitted):
    countries = compare.by_country(world.assign(max_months=np.nan), fitted, "SRB", 0.5, 480.0)
    assert not len(compare.to_law(countries, "max"))
    assert not compare.reported_medians(countries)["name"].str.contains("maximum").any()


def test_position_counts_intervals_wholly_apart():
    countries = pd.DataFrame(
        {"iso3": ["SRB", "ALB", "HUN", "BIH"], "country": list("SAHB"), "median": [20.0, 5.0, 22.0, 90.0],
         "lower": [15.0, 4.0, 18.0, 60.0], "upper": [25.0, 6.0, 30.0, 120.0], "own_information": 0.8, "people": 3,
         "raw_low": 12.0, "raw_high": 36.0, "said": "estimated", "source_ids": ""}
    )  # fmt: skip
    found = compare.position(countries, "SRB").set_index("name")["value"]
    assert [found[f"position_{key}"] for key in ("others", "below", "above")] == [3, 1, 1]
    told = compare.position_told(countries, "SRB")
    assert "20 (15 to 25) months" in told and "Bulgaria" in told and "Albania 5" in told


def test_fit_that_contradicts_the_printed_bounds_is_named():
    countries = pd.DataFrame(
        {"iso3": ["SRB", "ALB", "HUN", "ROU"], "median": [20.0, 10.0, 10.0, np.nan], "lower": [15.0, 8.0, 8.0, np.nan],
         "upper": [25.0, 11.5, 13.0, np.nan], "raw_low": 12.0, "raw_high": [36.0, 36.0, np.nan, np.nan], "people": 2,
         "source_ids": "a"}
    )  # fmt: skip
    checked = compare.against_printed(countries)
    assert checked["value"].tolist() == [3, 2, 1]
    assert "(Albania)" in compare.against_printed_told(countries, checked)


def test_drawing_names_every_country_and_what_is_known_instead_of_a_median(world, fitted):
    countries = compare.by_country(world, fitted, "SRB", 0.5, 480.0)
    text = figures.country_dots(countries, "Serbia", "months").text
    assert "North Macedonia: at least 12 months" in text and "Serbia: " in text


# --- Who publishes --------------------------------------------------------------------------------------------------


def test_countries_are_sorted_by_what_is_told_of_them_the_most_telling_first():
    coverage = pd.DataFrame(
        [("SRB", "reported"), ("ALB", "reported"), ("ALB", "not_reported"), ("HUN", "reported_as_none"),
         ("ROU", "not_reported"), ("BGR", "not_covered")], columns=["iso3", "status"],
    ).assign(stage="conviction", reference_year=2017)  # fmt: skip
    controls = pd.DataFrame({"iso3": ["SRB", "ALB"], "year": 2017, "rule_of_law": [-0.1, -0.4], "source_id": "w"})
    made = rows(*exact("SRB", 24), *exact("MKD", 24), *exact("ALB", 24, source_kind="publicised"))
    found = compare.reporting(coverage, made, TIERS, controls, range(2016, 2018), 3)
    assert found.set_index("iso3")["reports"].to_dict() == {
        "SRB": "sentences", "MKD": "sentences", "ALB": "convictions", "HUN": "none", "ROU": "silent"
    }  # fmt: skip
    counted = compare.reporters(found, "x").set_index("name")["value"]
    assert counted["coverage_sentences"] == 2 and counted["coverage_sentences_tier_2wl"] == 1
    assert counted["coverage_sentences_tier_unknown"] == 1 and counted["coverage_convictions_rule_of_law"] == -0.4


def justice(*figures_: tuple) -> pd.DataFrame:
    made = [
        {"iso3": iso3, "reference_year": year, "series": series, "value": high if low == high else None,
         "value_low": low, "value_high": high, "edition": edition, "period_kind": period}
        for iso3, year, series, low, high, edition, period in figures_
    ]  # fmt: skip
    same = {"stage": "conviction", "unit": "persons", "exploitation": "all", "victim_group": "all", "part": None,
            "law": "trafficking", "continuing": 0, "qualifier": "exact", "source_ids": "s"}  # fmt: skip
    whole = {c: "Int64" for c in ("value", "value_low", "value_high", "edition")}
    return pd.DataFrame(made).assign(**same).astype(whole)


FIGURES = [
    ("SRB", 2017, "tip", 13, 13, 2018, "reporting_period"), ("SRB", 2017, "unodc", 13, 13, None, "calendar_year"),
    ("SRB", 2016, "tip", 36, 36, 2018, "calendar_year"), ("SRB", 2016, "unodc", 30, 30, None, "calendar_year"),
    ("ALB", 2017, "tip", 3, 3, 2018, "calendar_year"), ("ALB", 2017, "unodc", 1, 4, None, "calendar_year"),
    ("HUN", 2017, "tip", 9, 9, 2019, "calendar_year"), ("HUN", 2017, "unodc", 1, 4, None, "calendar_year"),
    ("HUN", 2017, "tip", 2, 2, 2018, "calendar_year"), ("ROU", 2017, "tip", 5, 5, 2018, "calendar_year"),
    ("BGR", 2017, "tip", 5, None, 2018, "calendar_year"), ("BGR", 2017, "unodc", 7, 7, None, "calendar_year"),
]  # fmt: skip


def test_publishers_agree_only_where_both_print_the_same_number():
    found = compare.tip_and_unodc(justice(*FIGURES))
    assert found.set_index(["iso3", "year"])["agree"].to_dict() == {
        ("ALB", 2017): "cannot be told", ("BGR", 2017): "cannot be told", ("HUN", 2017): "no", ("SRB", 2016): "no",
        ("SRB", 2017): "yes",
    }  # fmt: skip


def test_share_that_agrees_depends_on_the_edition_and_the_period():
    _, reported = compare.agreement(justice(*FIGURES), 2018)
    found = reported.set_index("name")
    assert [found.at[f"tip_unodc_all_{k}", "value"] for k in ("pairs", "equal", "open", "differ")] == [5, 1, 2, 2]
    assert found.at["tip_unodc_edition_open", "value"] == 3  # the earlier edition's figure may be equal
    assert found.at["tip_unodc_edition_calendar_equal", "value"] == 0
    assert found.loc["tip_unodc_all_share", ["low", "high"]].tolist() == pytest.approx([0.2, 0.6])
    assert found.at["tip_unodc_all_share_told", "value"] == pytest.approx(1 / 3)


def test_no_pairs_are_no_error():
    pairs, reported = compare.agreement(justice(("ROU", 2017, "tip", 5, 5, 2018, "calendar_year")), 2018)
    assert not len(pairs) and (reported["value"] == 0).all()
    assert "of 0 countries" in figures.two_publishers(pairs, "Serbia", "SRB").text


# --- Prison or not --------------------------------------------------------------------------------------------------


def custody(*figures_: dict) -> pd.DataFrame:
    blank = {"iso3": "ALB", "reference_year": 2017, "n_convicted": 10, "n_prison": None, "n_suspended": None,
             "n_fine_only": None, "n_other_noncustodial": None, "n_not_prison": None, "n_unknown": 0,
             "law": "trafficking", "used": 1, "why_not": None, "source_id": "s"}  # fmt: skip
    whole = {c: "Int64" for c in blank if c.startswith("n_")}
    return pd.DataFrame([blank | f for f in figures_], columns=list(blank)).astype(whole)


CUSTODY = custody(
    {"n_prison": 6, "n_suspended": 3, "n_other_noncustodial": 1},
    {"iso3": "HUN", "n_prison": 2, "n_unknown": 8},
    {"iso3": "UKR", "n_prison": 4},
    {"iso3": "ROU", "n_suspended": 4, "n_unknown": 6},
    {"iso3": "BGR", "n_prison": 9, "law": "related"},
    {"iso3": "SRB", "n_prison": 9, "used": 0, "why_not": "another offence"},
)


def test_unknown_is_not_not_prison():
    found = compare.custody_bounds(compare.custody_counts(CUSTODY, 2016, 2017)).set_index("iso3")
    assert found[["prison_low", "prison_high"]].T.to_dict("list") == {
        "ALB": [0.6, 0.6], "HUN": [0.2, 1.0], "ROU": [0.0, pytest.approx(0.6)], "UKR": [0.4, pytest.approx(0.4)]
    }  # fmt: skip


def test_only_figures_on_everybody_are_whole():
    assert list(compare.custody_counts(CUSTODY, 2016, 2017, whole=True).index) == ["ALB", "UKR"]


def test_more_people_told_than_convicted_is_an_error():
    with pytest.raises(ValueError, match="Albania"):
        compare.custody_counts(custody({"n_prison": 9, "n_suspended": 3}), 2016, 2017)


def test_custody_over_countries_is_refused_with_its_reason_where_there_is_nobody():
    counts = compare.custody_counts(CUSTODY, 1990, 1991)
    reported, shrunken = compare.custody(counts, "custody", "countries", 0.5)
    assert reported["refused"].item() and not len(shrunken)
    assert compare.custody_totals(compare.custody_bounds(counts))["refused"].iloc[1]


def test_report_on_custody_has_bounds_of_all_figures_and_shares_of_those_on_everybody():
    reported, countries = compare.custody_report(CUSTODY, 2016, 2017, 0.0)
    assert list(countries["iso3"]) == ["ALB", "HUN", "ROU", "UKR"]
    assert countries.set_index("iso3")["prison"].notna().to_dict()["ROU"] is False
    assert {name.rsplit("_", 1)[0] for name in reported["name"]} >= {"custody", "custody_whole", "custody_all"}


def test_shrunken_shares_lie_between_a_country_s_own_and_the_mean():
    made = [("ALB", 38, 2), ("HUN", 4, 36), ("UKR", 20, 20), ("ROU", 35, 5), ("BGR", 1, 0)]
    given = [
        {"iso3": i, "n_convicted": a + b, "n_prison": a, "n_suspended": b // 2, "n_fine_only": b - b // 2}
        for i, a, b in made
    ]
    counts = compare.custody_counts(custody(*given), 2017, 2017)
    reported, shrunken = compare.custody(counts, "custody", "countries", 0.5)
    mean = reported.set_index("name").at["custody_prison", "value"]
    assert mean < shrunken.at["ALB", "prison"] < 0.95 and 0.1 < shrunken.at["HUN", "prison"] < mean
    assert np.isnan(shrunken.at["BGR", "prison"]) and shrunken.at["BGR", "own_information"] < 0.5


def test_a_country_without_a_usable_figure_on_custody_is_told_why():
    bounds = compare.custody_bounds(compare.custody_counts(CUSTODY, 2016, 2017))
    assert "another offence" in compare.custody_told(bounds, CUSTODY, "SRB")
    assert "nothing is published" in compare.custody_told(bounds, CUSTODY, "MNE")
    assert compare.custody_told(bounds, CUSTODY, "HUN").endswith("20 to 100 % went to prison.")


# --- Press ----------------------------------------------------------------------------------------------------------


def test_press_is_longer_only_where_the_bounds_do_not_overlap():
    press = {"source_kind": "publicised"}
    made = rows(
        *exact("ALB", 120, **press), between("ALB", 12.0, 60.0, 5), *exact("HUN", 30, **press),
        between("HUN", 12.0, None, 5), *exact("ROU", 6, **press), *exact("ROU", 24), *exact("BGR", 24, **press),
        *exact("SRB", 24),
    )  # fmt: skip
    found = compare.press_beside_official(made, 480.0)
    assert found.set_index("iso3")["compared"].to_dict() == {
        "ALB": "longer", "HUN": "cannot be told", "ROU": "shorter", "BGR": "nothing to compare with"
    }  # fmt: skip
    assert compare.press_compared(found)["value"].tolist() == [1, 1, 1, 1]
    assert "Of 4 countries" in compare.press_told(compare.press_compared(found))


def test_reasons_are_those_of_the_estimator():
    assert NotEstimable("why", rows=[1]).reason == "why"
