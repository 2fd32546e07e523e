"""The simulation study: same samples whatever the processes, coverage by deviance, and the committed table."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sentencing import paths
from sentencing.models.profile import deviance_at

# Workers of a pool import the module by its name, so its folder must be on the path as when it is run.
sys.path.insert(0, str(paths.ROOT / "benchmarks"))

import simulation  # noqa: E402
from simulation import ATTAINED, BANDED, EXACT, INTERVAL, MIXED, Design  # noqa: E402

CHI2_95, NORMAL_975 = stats.chi2.ppf(0.95, 1), stats.norm.ppf(0.975)
COMMITTED = paths.RESULTS / "simulation.csv"
# Half a unit of the last of six digits, relative to the smallest number they can write.
AS_ROUNDED = 5.1e-6


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(COMMITTED, keep_default_na=False, na_values=[""])


def one_design(table: pd.DataFrame, design: Design) -> pd.DataFrame:
    chosen = (table[["evidence", "covariates", "n"]] == [design.evidence, design.covariates, design.n]).all(axis=1)
    return table[chosen].set_index("parameter")


# --- Samples ----------------------------------------------------------------------------------------------------


def test_neither_processes_nor_other_samples_change_a_result(tmp_path):
    chosen = [Design(MIXED, 2, 50), Design(INTERVAL, 0, 50)]
    written = []
    for jobs in (1, 2):
        simulation.write(simulation.run(chosen, 20, jobs=jobs), tmp_path / f"{jobs}.csv")
        written.append((tmp_path / f"{jobs}.csv").read_bytes())
    assert written[0] == written[1]
    few, more = (simulation.estimate(chosen[0], samples, profiles=False).values for samples in (3, 5))
    np.testing.assert_array_equal(few, more[:3])
    assert len(np.unique(more[:, 0])) == 5
    other = simulation.estimate(chosen[0], 3, simulation.SEED + 1, profiles=False).values
    assert not np.any(few == other)


@pytest.mark.parametrize("dist", ["lognormal", "loglogistic", "weibull"])
def test_samples_have_the_median_and_the_spread_they_are_said_to_have(dist):
    design = Design(EXACT, 0, 500, dist)
    logs = np.log(np.concatenate([simulation.draw(design, i).months for i in range(100)]))
    # Five standard errors: of the median 1 / (2 f(median) sqrt(n)), of the SD by the fourth moment.
    density = {"lognormal": 0.3989, "loglogistic": 0.25, "weibull": 0.3466}[dist] / design.sigma
    assert abs(np.median(logs) - np.log(44)) < 5 * 0.5 / density / np.sqrt(len(logs))
    kurtosis = {"lognormal": 3.0, "loglogistic": 4.2, "weibull": 5.4}[dist]
    assert abs(logs.std() / 0.6 - 1) < 5 * np.sqrt((kurtosis - 1) / 4 / len(logs))


def test_what_is_left_of_a_sample_holds_the_lengths():
    for evidence in (EXACT, BANDED, MIXED):
        sample = simulation.draw(Design(evidence, 2, 500), 0)
        below, above = np.nan_to_num(sample.low, nan=0.0), np.nan_to_num(sample.high, nan=np.inf)
        assert np.all((below <= sample.months) & (sample.months <= above))
        assert sample.exog.shape == (500, 3)
    thirds = sample.low[:332] == sample.high[:332]
    assert thirds[:166].all() and not thirds[166:].any()
    own, wide = slice(332, 415), slice(415, 500)
    open_above = np.isnan(sample.high[own])
    assert 0.5 < open_above.mean() < 1 and np.all((sample.low == sample.high)[own] | open_above)
    np.testing.assert_allclose(sample.high[wide] / sample.low[wide], 4.0)


def test_ranges_are_the_extremes_of_groups_that_share_their_covariates():
    design = Design(ATTAINED, 2, 500)
    sample = simulation.draw(design, 3)
    assert sample.group_sizes.sum() == 500 and sample.group_sizes.min() >= 5 and sample.group_sizes.max() <= 15
    groups = np.split(np.arange(500), np.cumsum(sample.group_sizes)[:-1])
    assert np.array_equal(sample.low, [sample.months[g].min() for g in groups])
    assert np.array_equal(sample.high, [sample.months[g].max() for g in groups])
    assert all(len(np.unique(sample.exog[g], axis=0)) == 1 for g in groups)
    assert np.array_equal(simulation.draw(Design(INTERVAL, 2, 500), 3).months, sample.months)
    # The first group's rows: its ends, and the people between.
    model, first = simulation.model_of(design, sample), sample.group_sizes[0]
    assert model.low[:3].tolist() == [sample.low[0], sample.high[0], sample.low[0]]
    assert model.weights[:3].tolist() == [1, 1, first - 2]
    assert np.array_equal(model.exog[:3], sample.exog[:3])


# --- What is counted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [Design(EXACT, 0, 50), Design(BANDED, 2, 50), Design(ATTAINED, 0, 500)], ids=str)
def test_the_deviance_tells_whether_the_profile_interval_holds_a_value(design):
    held = []
    for i in range(2):
        results = simulation.model_of(design, simulation.draw(design, i)).fit()
        ends = results.conf_int(method="profile")
        for name, truth in zip(design.names, design.truth, strict=True):
            lower, upper = ends.loc[name]
            width = upper - lower
            at_ends = [deviance_at(results, name, end)[0] for end in (lower, upper)]
            np.testing.assert_allclose(at_ends, CHI2_95, atol=1e-6)
            for value in (truth, lower - 0.01 * width, lower + 0.01 * width, upper - 0.01 * width, upper + width):
                holds = simulation.profile_holds(results, name, value)
                assert holds == (lower <= value <= upper)
                held.append(holds)
    assert 0 < np.mean(held) < 1


def test_refused_samples_are_counted_and_set_aside():
    design = Design(INTERVAL, 0, 500)
    found = simulation.estimate(design, 12, profiles=False)
    assert 0 < found.not_estimable.sum() < 12
    assert np.array_equal(np.isnan(found.values).all(axis=1), found.not_estimable)
    row = simulation.summarise(design, found).iloc[0]
    assert row["not_estimable"] + row["estimated"] == 12
    assert row["mean_estimate"] == pytest.approx(found.values[~found.not_estimable, 0].mean())


def test_the_bias_of_log_sigma_from_exact_lengths_is_the_one_that_theory_gives():
    design = Design(EXACT, 2, 50)
    table = simulation.summarise(design, simulation.estimate(design, 200, profiles=False)).set_index("parameter")
    row = table.loc["log_scale"]
    # About -(p + 1) / (2 n), p coefficients.
    assert row["known_bias"] == pytest.approx(-4 / 100, rel=0.1)
    assert abs(row["bias"] - row["known_bias"]) < 3 * row["bias_mc_se"]
    assert abs(row["bias"]) > 3 * row["bias_mc_se"]


@pytest.mark.parametrize(
    ("bias_se", "in_profile", "expected"),
    [(0.0, 95, ("met", "met")), (0.08, 93, ("met?", "met")), (-0.12, 92, ("not met?", "not met")),
     (0.5, 99, ("not met", "not met"))],
)  # fmt: skip
def test_targets_are_judged_with_their_monte_carlo_error(bias_se, in_profile, expected):
    values = stats.norm.ppf((np.arange(1000) + 0.5) / 1000) + bias_se
    inside = np.arange(1000) < 10 * in_profile
    row = simulation.judged(values, np.ones(1000), inside.astype(float), 0.0)
    assert (row["bias_target"], row["profile_target"]) == expected
    assert row["bias_per_se"] == pytest.approx(bias_se) and row["se_per_sd"] == pytest.approx(1, rel=1e-2)
    assert row["bias_per_se_mc_se"] == pytest.approx(1 / np.sqrt(1000), rel=1e-2)
    assert row["wald_coverage"] == np.mean(np.abs(values) <= NORMAL_975)


# --- The committed table ----------------------------------------------------------------------------------------


def test_the_committed_table_has_a_thousand_samples_of_every_design(committed):
    assert list(committed.columns) == simulation.COLUMNS
    assert b"\r" not in COMMITTED.read_bytes()
    expected = [
        (d.evidence, d.covariates, d.n, parameter)
        for d in simulation.designs()
        for parameter in [*d.names, *simulation.DERIVED]
    ]
    assert list(committed[["evidence", "covariates", "n", "parameter"]].itertuples(index=False, name=None)) == expected
    assert (committed["samples"] == 1000).all() and (committed["seed"] == simulation.SEED).all()
    assert (committed[["not_estimable", "not_converged", "estimated"]].sum(axis=1) == 1000).all()
    aimed = committed["evidence"].isin([EXACT, BANDED, MIXED]) & ~committed["parameter"].isin(simulation.DERIVED)
    judged = committed.loc[:, committed.columns.str.endswith("_target")].notna().all(axis=1)
    assert np.array_equal(judged, aimed)


@pytest.mark.parametrize("design", simulation.designs(), ids=str)
def test_the_first_sample_gives_what_the_committed_table_says(committed, design):
    rows = one_design(committed, design)
    found = simulation.estimate(design, 1, profiles=False).values[0]
    np.testing.assert_allclose(found, rows["first_estimate"].astype(float), rtol=AS_ROUNDED)


@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize("n", [50, 500])
def test_rows_of_exact_lengths_are_those_of_least_squares(committed, covariates, n):
    """All samples anew in closed form: estimates, standard errors, and likelihood-ratio tests of the truth."""
    design = Design(EXACT, covariates, n)
    truth, p = design.truth, covariates + 1
    estimates, errors, inside = (np.empty((1000, p + 1)) for _ in range(3))
    for i in range(1000):
        sample = simulation.draw(design, i)
        x, y = sample.exog, np.log(sample.months)
        inverse = np.linalg.inv(x.T @ x)
        coefficients = inverse @ (x.T @ y)
        squares = np.sum((y - x @ coefficients) ** 2)
        variance, log_sigma = squares / n, 0.5 * np.log(squares / n)
        estimates[i] = [*coefficients, log_sigma]
        errors[i] = [*np.sqrt(variance * np.diag(inverse)), np.sqrt(0.5 / n)]
        # Holding one coefficient adds (difference)² / its entry of the inverse to the sum of squares.
        added = (coefficients - truth[:p]) ** 2 / np.diag(inverse)
        ratio = variance / np.exp(2 * truth[p])
        inside[i] = np.append(n * np.log1p(added / squares), n * (ratio - 1 - np.log(ratio))) <= CHI2_95
    rows = one_design(committed, design).loc[design.names]
    wald = np.mean(np.abs(estimates - truth) <= NORMAL_975 * errors, axis=0)
    for column, expected in {
        "mean_estimate": estimates.mean(axis=0),
        "sd": estimates.std(axis=0, ddof=1),
        "mean_se": errors.mean(axis=0),
        "profile_coverage": inside.mean(axis=0),
        "wald_coverage": wald,
    }.items():
        np.testing.assert_allclose(rows[column], expected, rtol=AS_ROUNDED, err_msg=column)
    np.testing.assert_allclose(rows["bias"], estimates.mean(axis=0) - truth, rtol=AS_ROUNDED, atol=1e-11)
    np.testing.assert_allclose(rows["bias_per_se"], rows["bias"] / rows["mean_se"], rtol=3 * AS_ROUNDED)
    # Theory: no bias of coefficients, a known one of log sigma.
    assert np.all(np.abs(rows["bias"] - rows["known_bias"]) < 4 * rows["bias_mc_se"])
