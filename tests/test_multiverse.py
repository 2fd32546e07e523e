"""Declared choices, the designs they come to, running all of them, and what they say together."""

import json
import os
import random
import re
import subprocess
import sys
import time
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
import yaml
from scipy import stats

from sentencing import (
    designs,
    estimands,
    fanout,
    multiverse,
    paths,
    robustness,
    tables,
    within,
)
from sentencing.inference import profile_interval, profile_intervals_together
from sentencing.within import ESTIMANDS, OPTIONS

PUBLISHED = yaml.safe_load((paths.PARAMS / "multiverse.yml").read_text(encoding="utf-8"))


RESULTS = designs.results_columns(designs.declare(PUBLISHED).study)


def table() -> pd.DataFrame:
    return tables.read_csv("data/processed/evidence.csv")


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return table()


def few(**options) -> dict:
    """The published choices with the first option of each only, but for those given."""
    content = deepcopy(PUBLISHED)
    for entry in content["choices"]:
        entry["options"] = options.get(entry["id"], entry["options"][:1])
    content["exclusions"] = []
    content["study"]["replicates"] = 20
    return content


def first(**options) -> dict:
    """A combination: the first options, but for those given."""
    return {entry["id"]: designs._plain(entry["options"][0]) for entry in PUBLISHED["choices"]} | options


# --- Declaration ----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once():
    content = few()
    content["choices"][0] |= {"options": ["monitor", "court", "monitor"], "touches": ["mean"], "reason": " "}
    content["choices"][2] |= {"options": [-1, True], "equivalent": "yes", "color": "red"}
    content["choices"].append(deepcopy(content["choices"][6]))
    content["choices"] = [entry for entry in content["choices"] if entry["id"] != "trend"]
    content["estimands"]["mode"] = "most frequent term"
    content["study"] |= {"seed": "one", "colour": 1}
    content["exclusions"] = [{"where": {"familly": "weibull", "scale": "common"}}]
    with pytest.raises(ValueError) as told:
        designs.declare(content)
    for fault in ("'court' is not one of monitor", "option 'monitor' stands there 2 times", "touches: 'mean' is not",
                  "choice 'source_kind': 'reason' is missing", "-1 is no number of months", "True is no number",
                  "'equivalent' has to be true or false", "'color' is not one of", "choice 'family' is declared 2",
                  "choice 'trend' is not declared", "estimand: 'mode'", "'seed' is 'one', not of type int",
                  "study: 'colour'", "exclusion 1: 'familly' is not one of",
                  "'common' is no declared option of 'scale'",
                  "exclusion 1: 'reason' is missing"):  # fmt: skip
        assert fault in str(told.value), fault


@pytest.mark.parametrize("content", [{}, None, {"study": {}, "estimands": {}, "choices": []}])
def test_nothing_is_no_declaration(content):
    with pytest.raises(ValueError, match="'choices' is missing"):
        designs.declare(content)


def test_a_file_that_is_wrong_is_named(tmp_path):
    (tmp_path / "mine.yml").write_text("choices: [", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.yml: "):
        multiverse.read(tmp_path / "mine.yml")


def test_published_choices_are_those_of_the_code_and_begin_with_the_published_results():
    declared = designs.declare(PUBLISHED)
    assert [choice.id for choice in declared.choices] == list(OPTIONS)
    given = yaml.safe_load((paths.PARAMS / "default.yml").read_text(encoding="utf-8"))["05-sentences-in-serbia"]
    reference = first()
    assert {name: reference[name] for name in given if name in reference} == {
        n: v for n, v in given.items() if n in OPTIONS
    }
    assert (declared.study.first_year, declared.study.last_year) == (given["first_year"], given["last_year"])


# --- Designs --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def some(real):
    declared = designs.declare(few(
        source_kind=["monitor", "publicised"], grid_months=[6, 0], publicised_cases=["in", "out"],
        family=["lognormal", "weibull"], life_cap_months=[480, 360], scale=["by_kind", "common"],
    ) | {"exclusions": PUBLISHED["exclusions"][:1]})  # fmt: skip
    return declared, designs.designs(real, declared)


def test_distinct_designs_are_the_product_less_exclusions_less_duplicates(some):
    declared, found = some
    product = np.prod([len(choice.options) for choice in declared.choices])
    assert (found.product, found.excluded, sum(found.by_exclusion.values())) == (product, product // 4, product // 4)
    assert len(found.distinct) == found.product - found.excluded - found.duplicates
    assert found.duplicates > 0 and len({d.hash for d in found.distinct}) == len(found.distinct)
    assert sum(design.combinations for design in found.distinct) == len(found.combinations)
    numbers = [int(n) for n in re.findall(r"\d+", found.told())]
    assert numbers == [len(found.distinct), found.product, found.excluded, found.duplicates]


def test_every_combination_has_the_hash_of_its_own_rows_and_model(some, real):
    declared, found = some
    for combination in found.combinations.iloc[::11].to_dict("records"):
        rows = within.rows_of(real, declared.study, combination)
        assert within.digest(rows, combination) == combination["design"]


def test_duplicates_give_the_same_numbers(some, real):
    declared, found = some
    said = {}
    for combination in found.combinations.to_dict("records"):
        hashed = combination.pop("design")
        rows = designs.fit_design(real, declared.study, combination, replicates=5)
        numbers = pd.DataFrame(rows)[[c for c in RESULTS if c not in OPTIONS]]
        if hashed in said:
            pd.testing.assert_frame_equal(numbers, said[hashed], check_exact=True)
        said[hashed] = numbers
    assert len(said) == len(found.distinct) < len(found.combinations)


def test_distinct_designs_say_different_things(some, real):
    """Else the hash told designs apart that are one."""
    declared, found = some
    said = [tuple(row["estimate"] for row in designs.fit_design(real, declared.study, d.combination, replicates=0))
            for d in found.distinct if d.combination["source_kind"] == "monitor"]  # fmt: skip
    assert len(set(said)) == len(said)


def test_hash_changes_with_a_row_and_with_the_model_and_with_nothing_else(real):
    study, combination = designs.declare(PUBLISHED).study, first()

    def of(changed=real, **options):
        chosen = combination | options
        return within.digest(within.rows_of(changed, study, chosen), chosen)

    own = real.index[(real["iso3"] == "SRB") & (real["used"] == 1) & (real["source_kind"] == "monitor")]
    changes = [
        of(real.drop(index=own[0])),
        of(real.assign(high_months=real["high_months"].mask(real.index == own[0], 30))),
    ]
    options = [of(family="weibull"), of(grid_months=0.0), of(base_rule="largest"), of(trend="linear"),
               of(scale="common"), of(scale="common", source_kind="publicised")]  # fmt: skip
    everything = [of(), *changes, *options]
    assert len(set(everything)) == len(everything)
    others = real.assign(note="changed", high_months=real["high_months"].mask(real["iso3"].ne("SRB"), 1000))
    same = [of(real.sample(frac=1, random_state=1)), of(others), of(life_cap_months=360.0), of(publicised_cases="out")]
    assert set(same) == {of()}


@pytest.mark.slow
def test_hash_is_the_same_in_every_process():
    code = ("import sys; sys.path.insert(0, 'tests'); import test_multiverse as t; from sentencing import designs; "
            "d = designs.declare(t.few(family=['lognormal', 'weibull'])); "
            "print([x.hash for x in designs.designs(t.table(), d).distinct])")  # fmt: skip
    seeds = [os.environ | {"PYTHONHASHSEED": seed} for seed in ("1", "2")]
    told = [subprocess.run([sys.executable, "-c", code], env=env, cwd=paths.ROOT, capture_output=True, text=True).stdout
            for env in seeds]  # fmt: skip
    assert told[0] == told[1] and told[0].count("'") == 4


# --- What a design says -----------------------------------------------------------------------------------------------


def test_reference_design_is_the_estimate_of_notebook_05(real):
    values = json.loads((paths.RESULTS / "05-sentences-in-serbia.json").read_text(encoding="utf-8"))["values"]
    rows = designs.fit_design(real, designs.declare(PUBLISHED).study, first(), replicates=0)
    for row in rows:
        published = values[f"monitor_{row['estimand']}"]
        assert row["estimate"] == pytest.approx(published["value"], rel=1e-5)
        assert [row["low"], row["high"]] == pytest.approx([published["low"], published["high"]], rel=1e-4)
    assert sum(row["estimate"] for row in rows[1:]) == pytest.approx(1, abs=1e-9)
    assert rows[0]["converged"] and rows[0]["people"] == values["monitor_median_months"]["n"]


def test_trend_is_that_of_notebook_05_and_the_others_are_of_the_middle_year(real):
    study = designs.declare(PUBLISHED).study
    rows = estimands.select(real, "SRB", study.first_year, study.last_year)
    expected = estimands.trend(rows, "monitor", estimands.Choices()).iloc[0]
    found = designs.fit_design(real, study, first(trend="linear"), replicates=0)
    assert [row["estimand"] for row in found] == list(ESTIMANDS)
    assert [found[-1][c] for c in ("estimate", "low", "high")] == pytest.approx(
        [expected[c] for c in ("value", "low", "high")], rel=1e-4
    )


@pytest.mark.parametrize("options", [
    {}, {"family": "weibull", "trend": "linear"}, {"scale": "common", "family": "loglogistic"},
    {"source_kind": "publicised", "base_rule": "smallest", "scale": "common"},
])  # fmt: skip
def test_intervals_found_together_are_those_found_one_by_one(real, options):
    combination = first(**options)
    rows = within.rows_of(real, designs.declare(PUBLISHED).study, combination)
    results = within.fit(rows, combination["grid_months"], combination["family"])
    read = within.quantities(results, rows.trend)
    for place, ends in enumerate(profile_intervals_together(results, read)):
        assert ends == pytest.approx(profile_interval(results, lambda p, i=place: float(read(p)[0, i])), rel=1e-5)


@pytest.mark.parametrize(("options", "reason"), [
    ({"source_kind": "official"}, "everybody could have the same value"),
    ({"source_kind": "official", "range_rule": "drop"}, "no row of this kind of source is left"),
    ({"source_kind": "official", "range_rule": "attained", "trend": "linear"}, "evidence of 2 years"),
])  # fmt: skip
def test_a_design_that_cannot_be_estimated_has_a_row_for_every_estimand_and_the_reason(real, options, reason):
    rows = designs.fit_design(real, designs.declare(PUBLISHED).study, first(**options))
    assert [row["estimand"] for row in rows] == list(ESTIMANDS[: 5 if "trend" in options else 4])
    for row in rows:
        assert reason in row["reason"] and np.isnan(row["estimate"]) and not row["converged"]


def test_no_row_of_all_results_is_without_estimate_and_without_reason():
    frame = multiverse.read_results()
    missing = frame["estimate"].isna() | frame["low"].isna() | frame["high"].isna()
    assert (frame.loc[missing & frame["estimate"].isna(), "reason"] != "").all()
    assert (frame["converged"] == frame["estimate"].notna()).all()
    assert set(frame["estimand"]) == set(ESTIMANDS) and not frame.duplicated(["design", "estimand"]).any()


def test_kept_results_are_of_the_published_choices_and_the_evidence_that_is_here(real):
    """A sample of designs is computed anew; `make multiverse` makes the table."""
    frame, declared = multiverse.read_results(), designs.declare(PUBLISHED)
    for _, rows in [*frame.groupby("design", sort=False)][:: max(1, frame["design"].nunique() // 12)]:
        combination = rows.iloc[0][list(OPTIONS)].to_dict()
        found = pd.DataFrame(designs.fit_design(real, declared.study, combination, replicates=0))
        assert set(rows["design"]) == set(found["design"])
        np.testing.assert_allclose(found["estimate"], rows["estimate"], rtol=1e-4, atol=1e-9)


# --- All of them ------------------------------------------------------------------------------------------------------


def small(folder, **options) -> str:
    place = folder / "choices.yml"
    content = few(source_kind=["monitor", "official"], grid_months=[6, 0], family=["lognormal", "weibull"],
                  base_rule=["average", "smallest"], trend=["none", "linear"], **options)  # fmt: skip
    place.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(place)


def run(declared: str, folder, workers: int = 1, batch: int = 3) -> bytes:
    result = folder / "multiverse.csv"
    assert multiverse.run(multiverse.read(declared), folder, result, workers, batch=batch) == []
    return result.read_bytes()


@pytest.mark.slow
def test_table_is_the_same_to_the_byte_for_any_number_of_workers_and_size_of_batches(tmp_path, capfd):
    declared = small(tmp_path)
    one = run(declared, tmp_path / "one")
    assert run(declared, tmp_path / "two", workers=2) == one == run(declared, tmp_path / "other", batch=5)
    assert "distinct designs = 32 combinations - 0 excluded - " in capfd.readouterr().out
    frame = multiverse.read_results(tmp_path / "one" / "multiverse.csv")
    assert list(frame.columns) == RESULTS and frame["reason"].str.contains("everybody could").any()


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_ends_in_the_same_table(tmp_path):
    declared = small(tmp_path, publicised_cases=["in", "out"], range_rule=["where_allowed", "attained"])
    whole = run(declared, tmp_path / "undisturbed", batch=multiverse.BATCH)
    folder, chance = tmp_path / "killed", random.Random(1)
    command = [
        sys.executable,
        "-m",
        "sentencing.multiverse",
        "--declared",
        declared,
        "--to",
        str(folder),
        "--batch",
        "1",
    ]
    parts, killed, before = folder / fanout.PARTS, 0, 0
    for _ in range(10):
        with subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            # Any moment from the first part on; a run without one would only repeat its imports.
            deadline = time.monotonic() + 60
            while process.poll() is None and len(list(parts.glob("*.csv"))) <= before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            killed += process.wait() == -9
        now = len(list(parts.glob("*.csv")))
        assert now >= before  # nothing that was done is done again
        before = now
    assert killed == 10 and not (folder / "multiverse.csv").exists()
    assert subprocess.run(command, cwd=paths.ROOT, capture_output=True).returncode == 0
    assert (folder / "multiverse.csv").read_bytes() == whole


def test_a_batch_that_breaks_is_told_and_no_table_is_written(tmp_path, monkeypatch, capsys):
    declared = small(tmp_path)

    def broken(rows, study, combination, *others):
        if combination["family"] == "weibull":
            raise RuntimeError("no such family today")
        return fit(rows, study, combination, *others)

    fit = designs.fit_rows
    monkeypatch.setattr(designs, "fit_rows", broken)
    assert multiverse.main(["--declared", declared, "--to", str(tmp_path / "out")]) == 1
    assert "RuntimeError: no such family today" in capsys.readouterr().err
    assert not (tmp_path / "out" / "multiverse.csv").exists()
    monkeypatch.undo()
    assert multiverse.main(["--declared", declared, "--to", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "multiverse.csv").exists()


def test_changed_choices_are_no_longer_up_to_date(tmp_path, real):
    declared = designs.declare(few(family=["lognormal", "weibull"]))
    every = multiverse.tasks(declared, designs.designs(real, declared), batch=1)
    place = multiverse.kept(tmp_path, declared)
    fanout.run(multiverse.fit_batch, every, place.write, needs=place.needs)
    assert place.missing(every) == []
    changed = declared._replace(study=declared.study._replace(replicates=5))
    assert len(place.missing(multiverse.tasks(changed, designs.designs(real, changed), batch=1))) == 2


# --- What they say together -------------------------------------------------------------------------------------------


def made_up(value) -> tuple[pd.DataFrame, designs.Designs, designs.Declared]:
    """Results of designs of which each says what `value` makes of its combination, instead of what a fit says."""
    declared = designs.declare(few(family=["lognormal", "weibull"], grid_months=[6, 0], trend=["none", "linear"]))
    names = [choice.id for choice in declared.choices]
    frame = pd.MultiIndex.from_product([choice.options for choice in declared.choices], names=names).to_frame(
        index=False
    )
    frame["design"] = [f"d{i}" for i in range(len(frame))]
    numbers = [value(row) for row in frame.to_dict("records")]
    results = frame.assign(estimand="median_months", estimate=numbers, low=numbers, high=numbers)
    return results, designs.Designs(len(frame), 0, {}, frame, ()), declared


def shares_of(value) -> pd.DataFrame:
    results, found, declared = made_up(value)
    shares = robustness.variance_shares(results, found, declared, n_boot=50, seed=1)
    return shares[shares["estimand"] == "median_months"].set_index("choice")


def test_variance_goes_with_the_choice_that_makes_it():
    shares = shares_of(lambda row: 40 + 3 * (row["family"] == "weibull") + 4 * (row["grid_months"] == 0)
                       + 100 * (row["trend"] == "linear"))  # fmt: skip
    # The variance of a step is the square of half of it; the trend is looked at apart.
    assert shares.loc["family", "share"] == pytest.approx(9 / 25) and shares.loc[
        "grid_months", "share"
    ] == pytest.approx(16 / 25)
    assert shares.loc["trend", "share"] == 1 and shares.loc["base_rule", "share"] == 0
    assert shares.loc["family", "equivalent"] and not shares.loc["trend", "equivalent"]


def test_variance_of_choices_that_act_only_jointly_is_left_over():
    shares = shares_of(lambda row: 40 + 3 * (row["family"] == "weibull") * (1 if row["grid_months"] else -1)
                       - 1.5 * (1 if row["grid_months"] else -1))  # fmt: skip
    assert shares.loc[["family", "grid_months"], "share"].tolist() == pytest.approx([0, 0], abs=1e-9)


def test_share_that_hangs_on_other_choices_has_a_wide_interval():
    shares = shares_of(
        lambda row: 40 + 3 * (row["grid_months"] == 0) + 9 * (row["family"] == "weibull") * (row["trend"] == "linear")
    )
    assert shares.loc["family", "low"] == 0 < shares.loc["family", "share"] < shares.loc["family", "high"]


def test_variance_of_nothing_is_refused():
    shares = shares_of(lambda row: 40.0)
    assert shares["share"].isna().all() and (shares["reason"] != "").all()


def test_without_a_source_its_rows_are_gone(real):
    study = designs.declare(PUBLISHED).study
    found = robustness.leave_one_source_out(real, study, [first()])
    named = real.loc[(real["iso3"] == "SRB") & (real["used"] == 1) & real["source_kind"].eq("monitor"), "source_id"]
    assert set(found["without"]) == {"", *named.str.split(";").explode()}
    source = sorted(set(found["without"]))[1]
    left = real[~real["source_id"].str.contains(source, regex=False, na=False)]
    expected = designs.fit_design(left, study, first(), replicates=0)
    own = found[found["without"] == source]
    assert own["estimate"].tolist() == [row["estimate"] for row in expected]
    base = found[found["without"] == ""].set_index("estimand")["estimate"]
    assert own["change"].tolist() == pytest.approx((own["estimate"] - own["estimand"].map(base)).tolist())


def test_designs_near_the_published_one_differ_from_it_in_one_choice():
    _, found, declared = made_up(lambda row: 40.0)
    made = [designs.Design(row.pop("design"), row, 1) for row in found.combinations.to_dict("records")]
    near = robustness.near(found._replace(distinct=tuple(made)), declared)
    start = made[0].combination
    differing = [sum(design.combination[name] != start[name] for name in start) for design in near]
    assert differing == [0, 1, 1, 1] and near[0].hash == "d0"


def test_influence_of_a_source_is_told_for_the_first_design_and_as_a_range():
    blank = {"source_kind": "monitor", "estimand": "median_months", "reason": ""}
    rows = [blank | {"design": design, "without": source, "estimate": estimate, "change": change}
            for design, source, estimate, change in (
                ("a", "", 40, np.nan), ("a", "one", 44, 4), ("b", "", 50, np.nan), ("b", "one", 45, -5),
                ("c", "", 50, np.nan), ("c", "one", np.nan, np.nan), ("d", "", np.nan, np.nan),
                ("d", "one", np.nan, np.nan))]  # fmt: skip
    told = robustness.source_influence(pd.DataFrame(rows)).iloc[0]
    assert told[["change", "smallest", "largest", "designs", "lost"]].tolist() == [4, -5, 4, 3, 1]
    shown = robustness.shown_influence(robustness.source_influence(pd.DataFrame(rows))).iloc[0]
    assert shown["median months"] == "+4 (-5 to +4)" and shown["lost_without_it"] == "1 of 3"


def test_what_survives_is_what_every_design_says():
    blank = {"source_kind": "monitor", "estimand": "median_months", "low": np.nan, "high": np.nan}
    rows = [blank | {"design": d, "estimate": e} for d, e in (("a", 40), ("b", 48), ("c", np.nan))]
    rows += [blank | {"estimand": "share_36_60", "design": d, "estimate": e, "low": lo}
             for d, e, lo in (("a", 0.6, 0.55), ("b", 0.7, 0.4))]  # fmt: skip
    said = robustness.survives(pd.DataFrame(rows))["monitor"]
    assert "2 of 3 distinct designs" in said and "from 40 to 48 months" in said
    assert "more than half got from three to five years (not all intervals are clear" in said
    rows[-1]["estimate"] = 0.5
    assert "designs disagree whether more than half" in robustness.survives(pd.DataFrame(rows))["monitor"]


# --- Is there a trend? ------------------------------------------------------------------------------------------------


def simulated(seed: int, slope: float = 0.0, groups: int = 12) -> pd.DataFrame:
    """Evidence of made-up groups, one a year, each of one known term or of a band; terms change by `slope` a year."""
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(groups):
        kind = "monitor" if place < groups - 4 else "publicised"
        months = float(np.exp(rng.normal(3.8 + slope * place * (kind == "monitor"), 0.5)))
        low, high = (
            (months, months)
            if rng.random() < 0.6
            else (np.floor(months / 12) * 12 or np.nan, np.ceil(months / 12) * 12)
        )
        rows.append({
            "evidence_id": f"made-up:{place}", "iso3": "SRB", "year": 2010 + place, "year_low": 2010 + place,
            "year_high": 2010 + place, "n": 1, "kind": "exact" if low == high else "interval", "low_months": low,
            "high_months": high, "used": 1, "source_kind": kind, "source_id": "made-up", "sanction": "prison",
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    blank = dict.fromkeys(("low_attained", "high_attained", "attained_allowed", "aggregate_sentence"), 0)
    blank |= {"count_candidates": pd.NA, "high_sanction": pd.NA, "offence": "trafficking"}
    blank |= {"low_inclusive": 1, "high_inclusive": 1}
    return frame.assign(**blank).astype({"year": "Int64"})


TEN = [
    *(first(trend="linear", family=family, grid_months=grid)
      for family in ("lognormal", "loglogistic", "weibull") for grid in (6.0, 0.0, 12.0)),
    first(trend="linear", scale="common"),
]  # fmt: skip


def test_a_permuted_fit_is_the_fit_of_permuted_years():
    study, frame = designs.declare(PUBLISHED).study, simulated(3, groups=12)
    for combination in (TEN[0], TEN[-1]):
        rows = within.rows_of(frame, study, combination)
        groups = sorted(set(rows.table.loc[rows.table["kind"] == "monitor", "cluster"]))
        years = np.array([2010 + int(group.split(":")[1]) for group in groups])
        dealt = np.array([years, np.random.default_rng(1).permutation(years)])
        slopes = robustness._permuted(rows, combination, groups, dealt)
        for deal, slope in zip(dealt, slopes, strict=True):
            year = frame["evidence_id"].map(dict(zip(groups, deal.tolist(), strict=True))).fillna(frame["year"])
            moved = frame.assign(year=year.astype("Int64"))
            fitted = within.fit(within.rows_of(moved, study, combination), 6.0, "lognormal")
            assert slope == pytest.approx(fitted.params["trend"], rel=1e-5)


def test_years_of_marginalised_bases_are_permuted_as_well(real):
    study, combination = designs.declare(PUBLISHED).study, first(trend="linear")
    test = robustness.permutation_test(real, study, [combination], permutations=30, seed=1)
    expected = designs.fit_design(real, study, combination, replicates=0)[-1]["estimate"]
    assert test.designs["trend_percent"].item() == pytest.approx(expected, rel=1e-5)
    assert (test.groups, test.arrangements, test.designs["failed"].item()) == (6, 720, 0)
    assert test.p_value == test.designs["p_value"].item() and 1 / 31 <= test.p_value <= 1


def test_a_strong_trend_is_found_and_refused_designs_are_named(real):
    study = designs.declare(PUBLISHED).study
    test = robustness.permutation_test(simulated(1, slope=0.4), study, TEN, permutations=199, seed=2)
    assert test.p_value <= 0.02 and (test.designs["p_value"] <= 0.05).all()
    official = first(trend="linear", source_kind="official", range_rule="attained")
    with pytest.raises(ValueError, match="of one kind of source"):
        robustness.permutation_test(real, study, [official, TEN[0]], seed=1)
    with pytest.raises(robustness.NotEstimable, match="evidence of 2 years"):
        robustness.permutation_test(real, study, [official], seed=1)


@pytest.mark.slow
def test_without_a_trend_p_values_are_uniform():
    """200 data sets, 199 permutations, 10 designs: for all designs together, and for each by itself."""
    study = designs.declare(PUBLISHED).study
    # Threads of linear algebra only wait for each other in matrices this small.
    with threadpoolctl.threadpool_limits(1):
        tests = [
            robustness.permutation_test(simulated(seed), study, TEN, permutations=199, seed=seed) for seed in range(200)
        ]
    assert stats.kstest([test.p_value for test in tests], "uniform").pvalue > 0.01
    single = pd.DataFrame([test.designs["p_value"].to_numpy() for test in tests])
    for place in single:
        assert stats.kstest(single[place].dropna(), "uniform").pvalue > 0.001, TEN[place]
