"""Designs of the comparison of countries, and evidence under each coder's own rows."""

import csv
import json
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import yaml

from sentencing import between, corrections, designs, estimands, evidence, multiverse, paths, robustness, tables, within
from sentencing.between import ESTIMANDS, OF_COUNTRY, OPTIONS

PUBLISHED = yaml.safe_load((paths.PARAMS / "multiverse-countries.yml").read_text(encoding="utf-8"))
COUNTRIES = ("DEU", "MYS", "CUB", "SRB")


def few(**options) -> dict:
    """The published choices with the first option of each only, but for those given."""
    content = deepcopy(PUBLISHED)
    for entry in content["choices"]:
        entry["options"] = options.get(entry["id"], entry["options"][:1])
        entry["alone"] = [option for option in entry.get("alone", []) if option in entry["options"]]
    return content


def first(**options) -> dict:
    """A combination: the first options, but for those given."""
    return {entry["id"]: designs._plain(entry["options"][0]) for entry in PUBLISHED["choices"]} | options


STUDY = designs.declare(PUBLISHED).study


@pytest.fixture(scope="module")
def real() -> between.Tables:
    return multiverse.load(STUDY)


@pytest.fixture(scope="module")
def prepared(real) -> between.Prepared:
    return between.Prepared(real, STUDY)


# --- Declaration, combinations, hash ----------------------------------------------------------------------------------


def test_published_choices_are_those_of_the_code_and_begin_with_the_published_comparison():
    assert [entry["id"] for entry in PUBLISHED["choices"]] == list(OPTIONS)
    assert list(PUBLISHED["estimands"]) == list(ESTIMANDS)
    assert {name for entry in PUBLISHED["choices"] for name in entry["touches"]} == set(ESTIMANDS)
    values = json.loads((paths.RESULTS / "06-compare-countries.json").read_text(encoding="utf-8"))["parameters"]
    assert values == {"country": STUDY.country, "first_year": STUDY.first_year, "last_year": STUDY.last_year}
    text = (paths.NOTEBOOKS / "06-compare-countries.ipynb").read_text(encoding="utf-8")
    for name in ("family", "grid_months", "range_rule", "base_rule", "life_cap_months", "aggregate_sentences"):
        assert f"{name} = {json.dumps(first()[name])}".replace('"', '\\"') in text, name
    assert "press_cases = False" in text and "related_offences = False" in text and "tier_at_most_years = 3\\n" in text


def test_an_option_tried_alone_needs_a_reason_and_cannot_be_the_first():
    content = few(coder=["adjudicated", "first"], related_offences=["out", "in"])
    del content["why_alone"]
    content["choices"][-1]["alone"] = ["adjudicated", "first"]
    content["study"]["about"] = "planets"
    with pytest.raises(ValueError) as told:
        designs.declare(content)
    for fault in ("'why_alone' is missing", "choice 'coder', alone (the first never is): 'adjudicated'",
                  "study, about: 'planets' is not one of country, countries"):  # fmt: skip
        assert fault in str(told.value), fault


@pytest.fixture(scope="module")
def some(real):
    declared = designs.declare(few(grid_months=[6, 0], family=["lognormal", "weibull"], publicised_cases=["out", "in"],
                                   coder=["adjudicated", "first"], scale=["by_kind", "common"]))  # fmt: skip
    return declared, designs.designs(real, declared)


def test_options_tried_alone_meet_no_other_and_only_the_first_of_equivalent_choices(some):
    declared, found = some
    # Of 32: 8 without such an option; with either of two, publicised cases in or out.
    assert (found.product, found.excluded, len(found.combinations)) == (32, 20, 12)
    assert found.by_exclusion == {declared.why_alone: 20}
    alone = found.combinations["coder"].eq("first").astype(int) + found.combinations["scale"].eq("common")
    assert alone.max() == 1
    others = found.combinations[alone == 1]
    assert set(others["family"]) == {"lognormal"} and set(others["grid_months"]) == {6.0}
    assert set(others["publicised_cases"]) == {"in", "out"}
    # A common scale is another model only with publicised cases.
    assert found.duplicates == 1 and len(found.distinct) == 11


def test_every_combination_has_the_hash_of_its_own_rows_and_model(some, real):
    for combination in some[1].combinations.iloc[3::6].to_dict("records"):
        assert between.digest(between.rows_of(real, STUDY, combination), combination) == combination["design"]


def test_hash_changes_with_a_row_and_with_the_model_and_with_nothing_else(real, prepared):
    def of(changed=None, **options):
        if changed is None:
            return prepared.digest(first(**options))
        return between.digest(between.rows_of(changed, STUDY, first(**options)), first(**options))

    own = real.evidence.query("iso3 == 'PRT' and used == 1 and year == 2017 and coder == 'adjudicated'").index[0]
    changed = [
        of(real._replace(evidence=real.evidence.drop(index=own))),
        of(real._replace(controls=real.controls.assign(rule_of_law=2 * real.controls["rule_of_law"]))),
        of(real.without("PRT")),
    ]
    other = [of(**option) for option in (
        {"family": "weibull"}, {"grid_months": 0.0}, {"covariates": "none"}, {"publicised_cases": "in"},
        {"averages": "out"}, {"coder": "first"}, {"coder": "second"}, {"years": "last_only"},
        {"tier_at_most_years": 2.0}, {"life_cap_months": 360.0}, {"related_offences": "in"}, {"range_rule": "interval"},
    )]  # fmt: skip
    everything = [of(), *changed[:2], *other]
    assert len(set(everything)) == len(everything) and changed[2] not in everything
    shuffled = real._replace(evidence=real.evidence.sample(frac=1, random_state=1), tiers=real.tiers.iloc[::-1])
    assert {of(shuffled), of(base_rule="largest"), of(scale="common")} == {of()}
    assert of(covariates="none", tier_at_most_years=2.0) == of(covariates="none")


# --- What a design says -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(prepared) -> dict:
    return {row["estimand"]: row for row in designs.fit_rows(prepared.rows(first()), STUDY, first())}


def test_reference_design_is_the_comparison_of_notebook_06(reference):
    values = json.loads((paths.RESULTS / "06-compare-countries.json").read_text(encoding="utf-8"))["values"]
    published = {
        "factor": "model_factor", "tier_1_ratio": "effect_tier_1", "watch_list_ratio": "effect_tier_2_watch_list",
        "tier_3_ratio": "effect_tier_3", "rule_of_law_ratio": "effect_rule_of_law", "country_median": "median_SRB",
    }  # fmt: skip
    for name, value in published.items():
        ends = [values[value][end] for end in ("value", "low", "high")]
        assert [reference[name][end] for end in ("estimate", "low", "high")] == pytest.approx(ends, rel=1e-5), name
    assert reference["country_own_share"]["estimate"] == pytest.approx(
        values["position_own_information"]["value"], rel=1e-5
    )
    assert reference["factor"]["people"] == values["model_tau"]["n"]
    assert reference["factor"]["clusters"] == values["evidence_model_countries"]["value"]


def test_the_marked_country_is_set_beside_the_common_level_and_the_other_medians(reference):
    told = {name: row["estimate"] for name, row in reference.items()}
    assert told["country_ratio"] == pytest.approx(told["country_median"] / told["common_median"], rel=1e-12)
    medians = tables.read_csv("results/sentences-by-country.csv").set_index("iso3")["median"].dropna()
    below = (medians.drop("SRB") < medians["SRB"]).mean()
    assert told["share_below"] == pytest.approx(below)


def test_a_design_without_a_fit_has_a_row_for_every_estimand_and_the_reason(prepared):
    combination = first(family="loglogistic")
    rows = designs.fit_rows(prepared.rows(combination), STUDY, combination)
    assert [row["estimand"] for row in rows] == list(ESTIMANDS)
    for row in rows:
        assert "log-logistic length has a variance only" in row["reason"]
        assert np.isnan(row["estimate"]) and not row["converged"]


def test_what_a_covariate_would_say_is_not_asked_of_a_design_without_it(prepared):
    rows = prepared.rows(first(covariates="none"))
    assert rows.estimands == ("factor", "common_median", *OF_COUNTRY)
    assert "rule_of_law_ratio" not in prepared.rows(first(covariates="without_rule_of_law")).estimands


def test_a_country_without_rows_has_its_reason_and_the_others_their_estimates(prepared):
    """Serbia's evidence of these years is a range."""
    combination = first(range_rule="drop", covariates="none")
    rows = {row["estimand"]: row for row in designs.fit_rows(prepared.rows(combination), STUDY, combination)}
    for name in OF_COUNTRY:
        assert np.isnan(rows[name]["estimate"]) and rows[name]["reason"] == "nothing on the country is left"
    assert rows["factor"]["estimate"] > 1 and rows["factor"]["converged"]


def test_without_rows_nothing_is_estimated_and_that_is_said(real):
    rows = between.rows_of(real._replace(evidence=real.evidence.assign(used=0)), STUDY, first())
    told = designs.fit_rows(rows, STUDY, first())
    assert (rows.people, rows.clusters) == (0, 0) and {row["reason"] for row in told} == {"no row is left"}


def test_a_country_whose_own_evidence_says_little_has_no_median(prepared):
    combination = first(covariates="none")
    strict = STUDY._replace(least_information=0.99)
    rows = {row["estimand"]: row for row in designs.fit_rows(prepared.rows(combination), strict, combination)}
    assert "of the information, less than 0.99" in rows["country_median"]["reason"]
    assert np.isnan(rows["share_below"]["estimate"]) and rows["country_own_share"]["estimate"] < 0.99


# --- Whose reading ----------------------------------------------------------------------------------------------------


def coded(coder: str, iso3: str) -> list[dict[str, str]]:
    """A coder's own rows on a country, as they stand in the raw table."""
    path = paths.RAW / f"tip/coded_2018_sentences{coder and '_'}{coder}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["iso3"] == iso3]


def weight(prepared, iso3: str, **options) -> float:
    entered = prepared.rows(first(covariates="none", **options)).entered
    return entered.bounds.loc[entered.rows["iso3"].eq(iso3).to_numpy(), "weights"].sum()


def test_a_coder_who_saw_no_fines_has_all_convicted_in_prison(prepared):
    """Nigeria: seven of 26 could choose a fine; the second coder says so only in a note."""
    whole, fined = coded("first", "NGA")[:2]
    (second,) = coded("second", "NGA")
    assert (whole["n"], fined["n"], fined["sanction"], second["n"]) == ("26", "7", "fine", "26")
    assert [weight(prepared, "NGA", coder=coder) for coder in ("adjudicated", "first", "second")] == [19, 19, 26]


def test_a_coder_who_took_a_group_for_a_case_has_it_among_publicised_ones(prepared):
    """Tajikistan: media told of three people."""
    assert [row["level"] for coder in ("", "first", "second") for row in coded(coder, "TJK")] == [
        "subset", "case", "subset",
    ]  # fmt: skip
    assert [weight(prepared, "TJK", coder=coder) for coder in ("adjudicated", "first", "second")] == [3, 0, 3]
    assert weight(prepared, "TJK", coder="first", publicised_cases="in") == 3


def test_where_the_coders_agree_the_country_has_one_design(real):
    declared = yaml.safe_load((paths.PARAMS / "multiverse.yml").read_text(encoding="utf-8"))
    names = ("n", "low_months", "high_months", "sanction", "level")
    told = [[row[name] for name in names] for coder in ("", "first", "second") for row in coded(coder, "SRB")]
    assert told == [["13", "12", "96", "prison", "national"]] * 3
    combination = {entry["id"]: designs._plain(entry["options"][0]) for entry in declared["choices"]}
    combination |= {"source_kind": "official", "range_rule": "attained"}
    study = designs.declare(declared).study
    hashes = {
        within.digest(within.rows_of(real.evidence, study, combination | {"coder": c}), combination)
        for c in ("adjudicated", "first", "second")
    }
    assert len(hashes) == 1


def test_rows_of_a_coder_lead_to_that_coders_table_and_replace_only_countries_coded_twice(real):
    for coder in evidence.CODERS:
        own = evidence.of_coder(real.evidence, coder)
        assert "coder" not in own and not own["row_id"].duplicated().any()
        twice = set(real.evidence.loc[real.evidence["coder"] == coder, "iso3"])
        whole = own["raw_row"].str.startswith("tip/coded_2018_sentences.csv:")
        theirs = own["raw_row"].str.startswith(f"tip/coded_2018_sentences_{coder}.csv:")
        assert not (whole & own["iso3"].isin(twice)).any() and set(own.loc[theirs, "iso3"]) <= twice
        assert {"NGA", "TJK", "MMR", "SRB", "USA"} <= set(own.loc[theirs, "iso3"])
    with pytest.raises(ValueError, match="no row of coder 'third'"):
        evidence.of_coder(real.evidence, "third")


def test_a_country_of_which_a_coder_leaves_nothing_is_named():
    read = corrections.Reader(paths.RAW, paths.CORRECTIONS)
    coded_whole = evidence.read_groups(read, ["tip/coded_2018_sentences.csv"])

    def silent(table):
        rows = read(table)
        return rows[rows["iso3"].ne("FIN")] if table.endswith("sentences_second.csv") else rows

    with pytest.raises(ValueError, match=r"sentences_second\.csv: under it nothing is left of FIN"):
        evidence.by_coder(silent, coded_whole, "tip/coded_2018")


# --- All of them ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    """A file of choices over some countries only, whose designs take no time."""
    folder = tmp_path_factory.mktemp("tiny")
    content = few(family=["lognormal", "loglogistic"], covariates=["none"])
    for name in ("evidence", "evidence_by_coder"):
        table = tables.read_csv(content["study"][name])
        path = folder / f"{name}.csv"
        path.write_text(tables.csv_text(table[table["iso3"].isin(COUNTRIES)]), encoding="utf-8")
        content["study"][name] = str(path)
    place = folder / "choices.yml"
    place.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(place)


def test_tables_are_the_same_to_the_byte_in_any_order_and_after_a_part_was_lost(tiny, tmp_path, monkeypatch):
    def run(folder, batch: int) -> list[bytes]:
        assert multiverse.run(multiverse.read(tiny), folder, folder / "out.csv", batch=batch) == []
        return [(folder / name).read_bytes() for name in ("out.csv", "out-without.csv")]

    whole = run(tmp_path / "one", 16)
    tasks, left_out = multiverse.tasks, multiverse.tasks_left_out
    with monkeypatch.context() as patch:
        missing = multiverse.fanout.Kept.missing
        patch.setattr(multiverse.fanout.Kept, "missing", lambda self, every: missing(self, every)[::-1])
        assert run(tmp_path / "other", 1) == whole
    lost = tmp_path / "other" / multiverse.fanout.PARTS / "00001.csv"
    lost.unlink()
    declared = multiverse.read(tiny)
    found = designs.designs(multiverse.load(declared.study), declared)
    place = multiverse.kept(tmp_path / "other", declared)
    assert [t.name for t in place.missing([*tasks(declared, found, 1), *left_out(declared, found)])] == ["00001"]
    assert run(tmp_path / "other", 1) == whole

    frame = multiverse.read_results(tmp_path / "one" / "out.csv")
    assert list(frame.columns) == designs.results_columns(declared.study)
    assert set(frame["covariates"]) == {"none"} and frame["reason"].str.contains("log-logistic").any()
    without = multiverse.read_results(tmp_path / "one" / "out-without.csv")
    assert list(without.columns) == robustness.WITHOUT and set(without["without"]) == {"", *COUNTRIES}
    combination = found.distinct[0].combination
    expected = designs.fit_design(multiverse.load(declared.study).without("CUB"), declared.study, combination)
    own = without[without["without"] == "CUB"].set_index("estimand")["estimate"]
    assert own["factor"] == pytest.approx(expected[0]["estimate"], rel=1e-5)
    changes = robustness.country_influence(without, ["factor"]).set_index("iso3")["change"]
    base = without[without["without"] == ""].set_index("estimand")["estimate"]
    assert changes["CUB"] == pytest.approx(own["factor"] / base["factor"], rel=1e-6)


@pytest.fixture(scope="module")
def kept() -> pd.DataFrame:
    return multiverse.read_results(paths.RESULTS / "multiverse-countries.csv")


def test_no_row_of_all_results_is_without_estimate_and_without_reason(kept):
    assert (kept.loc[kept["estimate"].isna() | kept["low"].isna(), "reason"] != "").all()
    assert kept.loc[kept["estimate"].notna(), "converged"].all()
    assert kept.loc[~kept["converged"], "estimate"].isna().all()
    assert set(kept["estimand"]) == set(ESTIMANDS) and not kept.duplicated(["design", "estimand"]).any()
    assert 300 <= kept["design"].nunique() <= 900


def test_kept_results_are_of_the_published_choices_and_the_tables_that_are_here(kept, prepared):
    """A sample of designs is computed anew; `make multiverse` makes the table."""
    every = [rows for _, rows in kept.groupby("design", sort=False)]
    for rows in every[:: len(every) // 3]:
        combination = rows.iloc[0][list(OPTIONS)].to_dict()
        found = pd.DataFrame(designs.fit_rows(prepared.rows(combination), STUDY, combination))
        assert set(rows["design"]) == set(found["design"])
        np.testing.assert_allclose(found["estimate"], rows["estimate"], rtol=1e-4, atol=1e-9)


def test_kept_influence_is_of_the_first_design_and_all_its_countries(kept, prepared):
    without = multiverse.read_results(paths.RESULTS / "multiverse-countries-without.csv")
    assert set(without["design"]) == {kept["design"].iloc[0]}
    assert set(without["without"]) == {"", *prepared.rows(first()).entered.rows["iso3"]}
    whole = without[without["without"] == ""].set_index("estimand")["estimate"]
    expected = kept[kept["design"] == kept["design"].iloc[0]].set_index("estimand")["estimate"]
    pd.testing.assert_series_equal(whole, expected)


# --- What they say together -------------------------------------------------------------------------------------------


def made_up(value) -> tuple[pd.DataFrame, designs.Designs, designs.Declared]:
    """Results of designs of which each says what `value` makes of its combination, instead of what a fit says."""
    declared = designs.declare(few(family=["lognormal", "weibull"], publicised_cases=["out", "in"],
                                   coder=["adjudicated", "first"]))  # fmt: skip
    names = [choice.id for choice in declared.choices]
    frame = pd.DataFrame(list(designs._combined(declared.choices)), columns=names)
    frame["design"] = [f"d{i}" for i in range(len(frame))]
    numbers = [value(row) for row in frame.to_dict("records")]
    results = frame.assign(estimand="factor", estimate=numbers, low=np.nan, high=np.nan, reason="")
    return results, designs.Designs(8, 2, {}, frame, ()), declared


def test_moves_compare_designs_that_differ_in_one_option_only():
    results, found, declared = made_up(
        lambda row: (2.0 + (row["publicised_cases"] == "in")) * (1.5 if row["family"] == "weibull" else 1.0)
        * (1.1 if row["coder"] == "first" else 1.0)
    )  # fmt: skip
    moved = robustness.moves(results, found, declared)
    moved = moved[moved["estimand"] == "factor"].set_index("option")
    ends = ["pairs", "smallest", "middle", "largest"]
    assert moved.loc["weibull", ends].tolist() == pytest.approx([2, 1.5, 1.5, 1.5])
    assert moved.loc["first", ends].tolist() == pytest.approx([2, 1.1, 1.1, 1.1])
    assert moved.loc["in", ends].tolist() == pytest.approx([3, 1.5, 1.5, 1.5])
    shown = robustness.shown_moves(moved.reset_index(), declared, "factor")
    assert shown["option"].tolist() == ["weibull", "in", "first"] and shown["largest"].iloc[0] == "× 1.50"


def test_shares_of_variation_leave_options_tried_alone_out():
    results, found, declared = made_up(lambda row: 2.0 + (row["family"] == "weibull") + 100 * (row["coder"] == "first"))
    shares = robustness.variance_shares(results, found, declared, n_boot=20, seed=1)
    own = shares[shares["estimand"] == "factor"].set_index("choice")
    assert own.loc["family", "share"] == 1 and "coder" not in own.index
    assert np.isnan(own.loc["publicised_cases", "share"])


def test_idle_choices_are_those_that_lead_to_no_other_design():
    _, found, declared = made_up(lambda row: 1.0)
    assert robustness.idle(found, declared) == []
    same = found.combinations.groupby(["family", "publicised_cases"])["design"].transform("first")
    assert robustness.idle(found._replace(combinations=found.combinations.assign(design=same)), declared) == ["coder"]


def test_what_survives_is_what_every_design_says():
    blank = {"reason": "", "low": np.nan, "high": np.nan}
    told = {
        "factor": [2.0, 3.0], "common_median": [40.0, 60.0], "watch_list_ratio": [0.5, 0.9],
        "rule_of_law_ratio": [0.7, 1.2], "country_median": [20.0, np.nan], "country_ratio": [0.5, np.nan],
        "share_below": [0.25, np.nan],
    }  # fmt: skip
    rows = [blank | {"design": f"d{i}", "estimand": name, "estimate": value, "high": 0.95 if i == 0 else 1.5}
            for name, values in told.items() for i, value in enumerate(values)]  # fmt: skip
    said = robustness.survives_comparison(pd.DataFrame(rows), "Serbia")
    assert "all 2 of 2 distinct designs" in said["countries"] and "2.0 to 3.0 times" in said["countries"]
    assert (
        "in every one sentences on the Watch List are shorter than in Tier 2 (not all intervals" in (said["covariates"])
    )
    assert "designs disagree whether sentences are longer where the rule of law" in said["covariates"]
    assert "1 designs give a median, from 20 to 20 months; in every one it is shorter" in said["country"]
    assert estimands.KINDS["monitor"] not in " ".join(said.values())
