"""Forms of publication: what is drawn, told, read and tested; the whole run; and what is made of its results."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from sentencing import fanout, figures, paths, power, publication, tables
from sentencing.models import IntervalRegression, NotEstimable, expand_groups

EDGES = [12.0 * year for year in range(1, 11)]
TRUTH = power.Truth("lognormal", 46.0, np.log(0.35), 6.0)
PUBLISHED = yaml.safe_load((paths.PARAMS / "publication.yml").read_text(encoding="utf-8"))


def design(form: str, people: int = 20, years=(5,), changes=(6.0,), samples: int = 1000, truth=TRUTH) -> power.Design:
    a_year = [people] * max(years)
    return power.Design("made up", "monitor", truth, form, "usual", a_year, a_year, list(years), list(changes), samples,
                        7, 0.05, EDGES)  # fmt: skip


def powers(form: str, **given) -> dict[tuple[int, float], float]:
    return {(row["years"], row["change_months"]): row["power"] for row in power.simulate(design(form, **given))}


# --- What people get --------------------------------------------------------------------------------------------------


def test_terms_are_on_the_grid_and_of_the_distribution():
    months = 6.0 * power.draw_steps(TRUTH, 6.0, 40, 5000, (1, 2))
    assert months.shape == (5000, 40) and months.min() >= 6
    # P(T < 36) of pronounced terms is F(36 - g/2); the median is that after the change.
    for edge in (36.0, 60.0):
        expected = stats.norm.cdf(np.log((edge - 3) / 52.0) / 0.35)
        assert np.mean(months < edge) == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(months.size))


@pytest.mark.parametrize("family", ["weibull", "loglogistic"])
def test_terms_of_other_families_have_the_median_they_should(family):
    fine = power.Truth(family, 46.0, np.log(0.3), 0.01)
    assert 0.01 * np.median(power.draw_steps(fine, 0.0, 100, 2000, (1, 2))) == pytest.approx(46, abs=0.3)


def test_scores_are_the_same_for_any_change_and_number_of_samples():
    many, few = (power.draw_steps(TRUTH, 0.0, 9, n, (3, 1)) for n in (50, 8))
    assert np.array_equal(many[:8], few)
    assert np.all(power.draw_steps(TRUTH, 12.0, 9, 50, (3, 1)) >= many)
    assert not np.array_equal(many, power.draw_steps(TRUTH, 0.0, 9, 50, (3, 2)))


def test_people_of_one_case_are_alike_and_each_is_distributed_as_before():
    fine = TRUTH._replace(grid_months=0.01, together=3, correlation=0.5)
    logs = np.log(0.01 * power.draw_steps(fine, 0.0, 7, 20000, (4,)))
    found = np.corrcoef(logs.T)
    cases = [0, 0, 0, 1, 1, 1, 2]
    expected = [[1.0 if i == j else 0.5 * (cases[i] == cases[j]) for j in range(7)] for i in range(7)]
    np.testing.assert_allclose(found, expected, atol=0.03)
    np.testing.assert_allclose(logs.std(axis=0), 0.35, rtol=0.03)


# --- What is told and read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["yearly_bands", "three_bands"])
def test_every_term_lies_in_the_band_that_is_told(name):
    form = power.form_of(name, 6.0, EDGES)
    for steps in range(1, 40):
        (group,) = form.read(int(form.state(np.array([[steps]]))[0, 0]))
        months = 6.0 * steps
        assert np.isnan(group.low) or group.low < months or (group.low == months and group.low_inclusive)
        assert np.isnan(group.high) or months < group.high or (group.high == months and group.high_inclusive)


@pytest.mark.parametrize("name", ["exact", "yearly_bands", "three_bands", "shares_with_base"])
def test_cells_cover_all_terms_once(name):
    low, high, *inclusive = zip(*power.form_of(name, 6.0, EDGES).cells(), strict=True)
    alone = IntervalRegression(low, high, grid=6.0, low_inclusive=inclusive[0], high_inclusive=inclusive[1])
    assert np.exp(alone.loglike_obs([3.8, -1.0])).sum() == pytest.approx(1, abs=1e-12)


def test_percentages_with_their_base_give_back_the_numbers():
    form = power.form_of("shares_with_base", 6.0, EDGES)
    steps = power.draw_steps(TRUTH, 0.0, 29, 300, (5,))
    for line, told in zip(6.0 * steps, form.state(steps)[:, 0], strict=True):
        counts = [np.sum(line < 36), np.sum((line >= 36) & (line <= 60)), np.sum(line > 60)]
        assert [group.n for group in form.read(int(told))] == [(count,) for count in counts if count]


def test_percentages_without_a_base_are_read_as_the_evidence_table_reads_them():
    """Of each year of the evidence with bands of an unknown base that nothing caps."""
    table = tables.read_csv("data/processed/evidence.csv")
    bands = table[table["base_candidates"].notna() & table["convictions_known"].isna()]
    # A band that is only what others leave has no printed share.
    whole = [part for _, part in bands.groupby("evidence_id") if not part["is_remainder"].any()]
    assert len(whole) >= 2
    for part in whole:
        read = power._counts(tuple(part["share_percent"].astype(int)), 0)
        assert [";".join(map(str, counts)) for counts in read] == part["count_candidates"].astype(str).tolist()


def terms_of(people: int, years: int, samples: int) -> list[list[np.ndarray]]:
    """Months of each year (samples, people), before and after, as `simulate` draws them."""
    return [[6.0 * power.draw_steps(TRUTH, 6.0 * side, people, samples, (7, side, year, people))
             for year in range(years)] for side in (0, 1)]  # fmt: skip


def by_hand(form: str, years: list[np.ndarray]) -> dict:
    """One sample as a reader would write it down for `expand_groups`: each year's terms (people,)."""
    bands = [(np.nan, 36, True, False), (36, 60, True, True), (60, np.nan, False, True)]
    if form == "exact":
        terms = np.concatenate(years)
        return {"low": terms, "high": terms, "n": np.ones(len(terms))}
    if form == "average":
        means = [np.rint(year.mean()) for year in years]
        return {"low": means, "high": means, "n": [len(year) for year in years], "average": [True] * len(years)}
    if form == "range":
        ends = {name: [True] * len(years) for name in ("low_attained", "high_attained", "attained_allowed")}
        return {"low": [year.min() for year in years], "high": [year.max() for year in years],
                "n": [len(year) for year in years]} | ends  # fmt: skip
    if form == "yearly_bands":
        floor = np.minimum(np.floor(np.concatenate(years) / 12) * 12, 120)
        low, high = np.where(floor == 0, np.nan, floor), np.where(floor == 120, np.nan, floor + 12)
        return {"low": low, "high": high, "n": np.ones(len(floor)), "high_inclusive": False}
    rows = []
    for number, year in enumerate(years):
        counts = [np.sum(year < 36), np.sum((year >= 36) & (year <= 60)), np.sum(year > 60)]
        if form == "shares_without_base":
            shares = [int(np.floor(100 * count / len(year) + 0.5)) for count in counts]
            bases = power.grouping.feasible_bases(shares, at_most=100)[:3]
            sizes = [power.grouping.share_counts(shares, base)[0] for base in bases]
            counts = [[size[i] for size in sizes] for i in range(3)]
        rows += [(*band, n, number) for band, n in zip(bands, counts, strict=True) if np.max(n) > 0]
    low, high, low_inclusive, high_inclusive, n, base = zip(*rows, strict=True)
    return {"low": low, "high": high, "n": n, "base": base, "low_inclusive": low_inclusive,
            "high_inclusive": high_inclusive}  # fmt: skip


@pytest.mark.parametrize("form", list(power.SHORT))
def test_the_batch_gives_what_the_estimator_gives_one_history_at_a_time(form):
    """The estimator starts anew from its own starting values, on rows written down by hand."""
    people, years, samples = 8, 3, 6
    terms = terms_of(people, years, samples)
    chosen = power.form_of(form, 6.0, EDGES)
    sides = [np.hstack(power.state_years(chosen, TRUTH, 6.0, [people] * years, samples, 7, after=bool(side)))
             for side in (0, 1)]  # fmt: skip
    tested = power.likelihood_ratio(power.told(chosen, *sides, "lognormal", 6.0), TRUTH.params(6.0))
    assert tested.estimable.sum() >= 4
    for sample in np.flatnonzero(tested.estimable):
        parts = [expand_groups(**by_hand(form, [year[sample] for year in side])) for side in terms]
        exog = np.repeat([0.0, 1.0], [len(part.low) for part in parts])
        joined = {name: np.concatenate([part.keywords()[name] for part in parts])
                  for name in ("low", "high", "low_inclusive", "high_inclusive", "average", "weights")}  # fmt: skip
        moved = [
            group._replace(rows=[row + len(parts[0].low) for row in group.rows]) for group in parts[1].unknown_sizes
        ]
        joined |= {"grid": 6.0, "unknown_sizes": [*parts[0].unknown_sizes, *moved]}
        whole = IntervalRegression(exog=np.column_stack([np.ones(len(exog)), exog]), **joined).fit()
        null = IntervalRegression(**joined).fit()
        assert tested.statistic[sample] == pytest.approx(2 * (whole.llf - null.llf), rel=1e-4, abs=1e-5)
        change = np.exp(whole.params.iloc[0]) * np.expm1(whole.params.iloc[1])
        assert tested.change_months[sample] == pytest.approx(change, rel=1e-3, abs=1e-3)


def test_what_cannot_be_estimated_is_recorded_and_counted_as_not_found():
    rows = power.simulate(design("average", years=(1, 3), samples=50))
    assert [(row["found"], row["not_estimable"]) for row in rows if row["years"] == 1] == [(0, 50)] * 2
    assert all(row["not_estimable"] < 5 for row in rows if row["years"] == 3)
    with pytest.raises(NotEstimable):
        IntervalRegression([44, 50], [44, 50], [[1, 0], [1, 1]], weights=[20, 20], average=[True, True]).fit()


# --- Power ------------------------------------------------------------------------------------------------------------


def information(edges_months: list[float], change_months: float, n: int) -> np.ndarray:
    """Expected information on constant, step and log scale from the probabilities of cells, differenced by hand."""
    start = np.array([np.log(46.0), np.log1p(change_months / 46.0), np.log(0.35)])
    edges = np.log(np.array(edges_months))
    total = np.zeros((3, 3))
    for side in (0, 1):

        def probabilities(theta, side=side):
            cdf = stats.norm.cdf((edges - theta[0] - side * theta[1]) / np.exp(theta[2]))
            return np.diff(np.concatenate([[0.0], cdf, [1.0]]))

        slopes = np.array([(probabilities(start + h) - probabilities(start - h)) / 2e-5 for h in 1e-5 * np.eye(3)])
        p = probabilities(start)
        keep = p > 1e-12
        total += n * (slopes[:, keep] / p[keep]) @ slopes[:, keep].T
    return total


@pytest.mark.parametrize(("form", "edges"), [
    ("three_bands", [33.0, 63.0]), ("shares_with_base", [33.0, 63.0]), ("yearly_bands", [e - 3 for e in EDGES]),
    ("exact", [6.0 * k + 3 for k in range(1, 80)]),
])  # fmt: skip
def test_formula_is_that_of_the_expected_information(form, edges):
    chosen = power.form_of(form, 6.0, EDGES)
    inverse = np.linalg.inv(information(edges, 6.0, 120))
    z = np.log1p(6 / 46) / np.sqrt(inverse[1, 1])
    expected = stats.norm.sf(1.959964 - z) + stats.norm.cdf(-1.959964 - z)
    assert power.power_by_formula(chosen, TRUTH, 6.0, 120, 120, 0.05) == pytest.approx(expected, rel=1e-4)
    assert power.power_by_formula(chosen, TRUTH, 0.0, 120, 120, 0.05) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("form", ["exact", "yearly_bands", "three_bands"])
def test_simulated_power_is_that_of_the_formula_where_people_are_many(form):
    for row in power.simulate(design(form, years=(5, 10))):
        error = np.sqrt(row["by_formula"] * (1 - row["by_formula"]) / row["samples"])
        assert abs(row["power"] - row["by_formula"]) < 3.5 * error + 0.005


def test_power_grows_with_years_people_and_the_change():
    by_years = powers("three_bands", years=(2, 5, 10), changes=(6.0, 12.0))
    assert by_years[2, 6.0] + 0.05 < by_years[5, 6.0] < by_years[10, 6.0] - 0.05
    assert by_years[5, 6.0] + 0.05 < by_years[5, 12.0]
    assert powers("three_bands", people=10)[5, 6.0] + 0.05 < by_years[5, 6.0]


def test_merging_bands_never_helps():
    """As T11 of the method says of expected information; the same histories are told in each form."""
    by_formula = [power.power_by_formula(power.form_of(form, 6.0, EDGES), TRUTH, 6.0, 100, 100, 0.05)
                  for form in ("exact", "yearly_bands", "three_bands")]  # fmt: skip
    assert by_formula[0] > by_formula[1] > by_formula[2]
    exact, yearly, three = (powers(form)[5, 6.0] for form in ("exact", "yearly_bands", "three_bands"))
    error = np.sqrt(0.25 / 1000)
    assert exact > yearly - 2 * error and yearly > three - 2 * error and exact > three


def test_percentages_with_their_base_are_as_good_as_numbers():
    assert powers("shares_with_base", samples=200) == powers("three_bands", samples=200)


@pytest.mark.parametrize("form", ["exact", "yearly_bands", "three_bands", "range"])
def test_false_alarms_are_about_as_many_as_the_level_says(form):
    (row,) = power.simulate(design(form, years=(6,), changes=()))
    assert row["low"] < 0.06 and row["high"] > 0.03 and row["power"] == row["found"] / row["samples"]


def test_people_sentenced_together_raise_false_alarms_and_a_calibrated_test_needs_more():
    alike = TRUTH._replace(together=3, correlation=0.5)
    rows = {row["change_months"]: row for row in power.simulate(design("exact", truth=alike))}
    apart = {row["change_months"]: row for row in power.simulate(design("exact"))}
    assert rows[0.0]["low"] > 0.1 and rows[6.0]["calibrated_power"] < apart[6.0]["power"] - 0.15
    assert np.isnan(rows[6.0]["by_formula"])


# --- What is declared -------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once():
    content = yaml.safe_load(yaml.safe_dump(PUBLISHED))
    content["study"] |= {"colour": 1, "years": [3, 2]}
    del content["study"]["seed"]
    content["forms"][0]["id"] = "median"
    content["scenarios"][0] |= {"spread": "wide", "family": "gamma", "people": ["none"], "source_kind": "court"}
    content["now"]["sets"][0] |= {"scenario": "nowhere", "forms": ["exactly"]}
    del content["people"]
    with pytest.raises(ValueError) as told:
        power.declare(content)
    for fault in ("study: 'colour'", "'seed' is missing", "'years' have to rise", "form: 'median'", "'wide' is not one",
                  "'gamma' is not one", "'none' is not one", "'court' is not one", "now: 'nowhere'", "'exactly' is not",
                  "'people' is missing"):  # fmt: skip
        assert fault in str(told.value), fault


@pytest.mark.parametrize("content", [None, {}, []])
def test_nothing_is_no_declaration(content):
    with pytest.raises(ValueError, match="'scenarios' is missing"):
        power.declare(content)


@pytest.fixture(scope="module")
def declared() -> power.Declared:
    return publication.read("params/publication.yml")


@pytest.fixture(scope="module")
def found(declared) -> list[power.Design]:
    return publication.designs(declared)


def test_truth_is_that_of_the_published_estimates(found, declared):
    values = tables.read_values("results/05-sentences-in-serbia.json")["values"]
    truths = {d.scenario: d.truth for d in found}
    assert truths["monitored"].median_months == pytest.approx(values["monitor_median_months"]["value"], rel=1e-5)
    assert truths["government"].median_months == pytest.approx(
        values["official_median_months_attained"]["value"], rel=1e-5
    )
    assert truths["less_spread"].log_scale < truths["monitored"].log_scale < truths["more_spread"].log_scale
    assert {truth.grid_months for truth in truths.values()} == {declared.study.grid_months}


def test_people_are_those_of_the_published_totals_and_of_the_evidence(found, declared):
    totals = power.convicted_a_year(tables.read_csv("data/processed/justice.csv"), declared.study)
    people = {d.people: d.before[0] for d in found if d.people != power.NOW}
    assert totals.min() <= people["few"] < people["usual"] < people["many"] <= totals.max()
    values = tables.read_values("results/05-sentences-in-serbia.json")["values"]
    now = {d.scenario: sum(d.before) + sum(d.after) for d in found if d.people == power.NOW}
    assert now == {"monitored": values["monitor_median_months"]["n"],
                   "government": values["official_median_months"]["n"]}  # fmt: skip


# --- All of them ------------------------------------------------------------------------------------------------------


def small(found: list[power.Design]) -> list[power.Design]:
    some = [d for d in found if d.scenario == "monitored" and d.people in ("few", power.NOW)]
    return [d._replace(samples=20, years=d.years[:2]) for d in some]


@pytest.mark.slow
def test_table_is_the_same_to_the_byte_for_any_number_of_workers_and_goes_on_where_it_was(tmp_path, found, capfd):
    chosen = small(found)
    assert publication.run(chosen, tmp_path / "one", tmp_path / "one.csv") == []
    assert publication.run(chosen, tmp_path / "two", tmp_path / "two.csv", workers=2) == []
    whole = (tmp_path / "one.csv").read_bytes()
    assert (tmp_path / "two.csv").read_bytes() == whole
    (tmp_path / "one" / fanout.PARTS / f"{publication.tasks(chosen)[1].name}.csv").unlink()
    assert publication.run(chosen, tmp_path / "one", tmp_path / "again.csv") == []
    assert f"{len(chosen) - 1} of {len(chosen)} up to date" in capfd.readouterr().out
    assert (tmp_path / "again.csv").read_bytes() == whole
    assert list(publication.read_results(tmp_path / "one.csv").columns) == power.RESULTS


def test_a_design_that_breaks_is_told_and_no_table_is_written(tmp_path, found, monkeypatch):
    def broken(design):
        raise RuntimeError("no histories today")

    monkeypatch.setattr(power, "simulate", broken)
    failures = publication.run(small(found)[:1], tmp_path / "out", tmp_path / "out.csv")
    assert [failure.message for failure in failures] == ["RuntimeError: no histories today"]
    assert not (tmp_path / "out.csv").exists()


def test_a_changed_design_is_no_longer_up_to_date(tmp_path, found):
    chosen = [small(found)[2]]
    place = publication.kept(tmp_path)
    fanout.run(publication.simulate, publication.tasks(chosen), place.write, needs=place.needs)
    assert place.missing(publication.tasks(chosen)) == []
    assert len(place.missing(publication.tasks([chosen[0]._replace(seed=8)]))) == 1


# --- What is made of the results --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return publication.read_results()


def test_kept_results_are_of_the_declared_designs_and_of_the_evidence_that_is_here(results, found):
    told = power.simulate_again(found, results, "monitored", "usual", ["three_bands", "range"], [3])
    assert told.startswith(f"4 rows of the {len(results)} were simulated again")
    assert (
        results["seed"].nunique() == 1
        and not results.duplicated(["scenario", "form", "people", "years", "change_months"]).any()
    )


def test_results_that_are_not_those_of_the_designs_are_refused(results, found):
    again = ("monitored", "usual", ["three_bands"], [3])
    moved = [d._replace(truth=d.truth._replace(median_months=45.0)) for d in found]
    with pytest.raises(ValueError, match="other median_months"):
        power.simulate_again(moved, results, *again)
    with pytest.raises(ValueError, match="results of no design"):
        power.simulate_again(found[1:], results, *again)
    with pytest.raises(ValueError, match="of other years"):
        power.simulate_again(found, results.iloc[1:], *again)
    with pytest.raises(ValueError, match="three_bands, 3 years, change of 0 months"):
        power.simulate_again(found, results.assign(found=results["found"] + 1), *again)


def made_up(lines: dict[int, tuple[float, float]], people: str = "usual", change: float = 6.0) -> pd.DataFrame:
    """Results of one form: power and false alarms by years; intervals reach three points to each side."""
    rows = []
    for years, shares in lines.items():
        for months, share in zip((change, 0.0), shares, strict=True):
            rows.append({"scenario": "monitored", "form": "exact", "people": people, "people_a_year": 20.0,
                         "years": years, "people_before": 20, "people_after": 10, "change_months": months,
                         "power": share, "low": share - 0.03, "high": share + 0.03,
                         "calibrated_power": share - 0.1})  # fmt: skip
    return pd.DataFrame(rows)


def needed(lines, declared) -> dict:
    return power.years_needed(made_up(lines), declared.study).iloc[0].to_dict()


def test_years_needed_are_the_first_with_power_enough(declared):
    row = needed({1: (0.5, 0.05), 2: (0.78, 0.05), 3: (0.81, 0.05), 4: (0.9, 0.05), 5: (0.95, 0.05)}, declared)
    assert [row[c] for c in ("years", "years_low", "years_high", "calibrated_years")] == [3, 2, 4, 4]
    assert power.years_in_words(row) == "3 (2 to 4)"


def test_years_that_do_not_suffice_are_told_as_more_than_those_tried(declared):
    row = needed({1: (0.5, 0.05), 2: (0.7, 0.05)}, declared)
    assert pd.isna(row["years"]) and row["holds"] and power.years_in_words(row) == "more than 2"


def test_years_with_too_many_false_alarms_do_not_count(declared):
    row = needed({1: (0.9, 0.2), 2: (0.9, 0.2), 3: (0.92, 0.1)}, declared)
    assert row["years"] == 3 and row["false_alarms"] == 0.1  # its interval reaches what is borne
    row = needed({1: (0.9, 0.2), 2: (0.95, 0.2)}, declared)
    assert pd.isna(row["years"]) and not row["holds"] and row["calibrated_years"] == 1
    assert power.years_in_words(row) == "no test: false alarms"


def test_smallest_change_is_the_first_that_is_seen(declared):
    parts = [made_up({3: (share, 0.05)}, "now", change) for change, share in ((6.0, 0.3), (12.0, 0.85), (18.0, 0.99))]
    rows = pd.concat(parts).drop_duplicates(["years", "change_months"])
    seen = power.smallest_changes(rows, declared.study).iloc[0]
    assert (seen["change_months"], seen["people_before"], seen["people_after"]) == (12.0, 20, 10)
    assert power.smallest_changes(rows[rows["change_months"] < 12], declared.study)["change_months"].isna().all()


def test_what_the_page_says_in_words_is_so(results, declared):
    """Bands nearly as good as all terms, far better than extremes; averages cry wolf; the formula holds for many."""
    years = power.years_needed(results, declared.study).set_index(["scenario", "people", "form"])["years"].sort_index()
    for scenario in ("monitored", "government"):
        own = years[scenario, "usual"].fillna(99)
        assert own["exact"] <= own["yearly_bands"] <= own["exact"] + 2
        assert own["range"] > own["three_bands"]
    alarms = power.alarms(results).set_index(["scenario", "form"])
    assert alarms.loc[("monitored", "average"), "largest"] > declared.study.most_false_alarms
    assert alarms.loc[("monitored", "average"), "not_estimable"] == 1
    assert alarms.loc[("together", "exact"), "smallest"] > declared.study.most_false_alarms
    assert power.farthest_from_formula(results) < 0.05


def test_figure_tells_every_form_in_words_and_marks_what_is_not_reached(declared):
    few, usual = made_up({1: (0.5, 0.05), 2: (0.7, 0.05)}, "few"), made_up({1: (0.9, 0.2), 2: (0.95, 0.2)})
    many = made_up({1: (0.5, 0.05), 2: (0.9, 0.05)}, "many")
    needed = power.years_needed(pd.concat([few, usual, many]), declared.study)
    told = figures.years_needed(needed, {"monitored": "As monitored"}, declared.study).text.splitlines()[-1]
    assert told == ("As monitored: every term: 20 people a year more than 2, 20 people a year no test: false alarms, "
                    "20 people a year 2 years.")  # fmt: skip
