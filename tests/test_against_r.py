"""The same data sets through survreg of R's package survival, fitted while the test runs."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sentencing.models import IntervalRegression

FAMILIES = {"lognormal": stats.norm, "loglogistic": stats.logistic, "weibull": stats.gumbel_l}
DATA_SETS = 50
COVARIATES = ["x1", "x2", "x3", "x4"]
MINUTES = 5

SCRIPT = """
suppressPackageStartupMessages(library(survival))
places <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(places[1])
lines <- "set,dist,name,value"
tell <- function(set, dist, names, values)
    lines <<- c(lines, sprintf("%d,%s,%s,%.17g", set, dist, names, values))
for (one in split(rows, rows$set)) {
    used <- c("x1", "x2", "x3", "x4")[seq_len(one$covariates[1])]
    formula <- reformulate(c("1", used), quote(Surv(low, high, type = "interval2")))
    environment(formula) <- environment()
    for (dist in c("lognormal", "loglogistic", "weibull")) {
        warned <- 0
        fit <- withCallingHandlers(
            survreg(formula, data = one, weights = n, dist = dist,
                    control = survreg.control(rel.tolerance = 1e-13, maxiter = 500)),
            warning = function(w) { warned <<- warned + 1; invokeRestart("muffleWarning") })
        tell(one$set[1], dist, c("const", used), unname(coef(fit)))
        tell(one$set[1], dist, c("log_scale", "llf", "iterations", "warnings"),
             c(log(fit$scale), fit$loglik[2], fit$iter, warned))
    }
}
writeLines(lines, places[2])
"""


def why_not() -> str:
    """Why R cannot be asked, or an empty string."""
    if shutil.which("Rscript") is None:
        return "Rscript is not installed"
    asked = subprocess.run(["Rscript", "--vanilla", "-e", "library(survival)"], capture_output=True, timeout=60)
    return "" if asked.returncode == 0 else "R has no package survival"


if reason := why_not():
    pytest.skip(reason, allow_module_level=True)


def random_data_set(number: int) -> pd.DataFrame:
    """Exact, left-, right- and interval-censored rows in shares that differ from set to set; n from 20 to 2000."""
    rng = np.random.default_rng([2024, number])
    covariates = number % 5
    # A small set with many covariates would too often have no maximum at all.
    n = int(round(np.exp(rng.uniform(np.log(20 + 20 * covariates), np.log(2000)))))
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n), rng.uniform(-2, 3, n), rng.integers(1, 5, n)])
    beta, scale = rng.normal(0, 0.5, 4), rng.uniform(0.3, 1.2)
    error = list(FAMILIES.values())[rng.integers(3)].rvs(size=n, random_state=rng)
    term = np.exp(rng.uniform(1, 6) + x[:, :covariates] @ beta[:covariates] + scale * error)
    kind = rng.choice(4, size=n, p=rng.dirichlet([4, 2, 3, 3]))
    below, above = np.exp(-rng.exponential(0.5, (2, n)) * [[1], [-1]])
    low = np.where(kind == 1, np.nan, np.where(kind == 0, term, term * below))
    high = np.where(kind == 2, np.nan, np.where(kind == 0, term, term * above))
    table = pd.DataFrame(x, columns=COVARIATES)
    return table.assign(set=number, covariates=covariates, low=low, high=high, n=rng.choice([0.5, 1, 2, 7], n))


@pytest.fixture(scope="module")
def data_sets() -> dict[int, pd.DataFrame]:
    return {number: random_data_set(number) for number in range(DATA_SETS)}


@pytest.fixture(scope="module")
def from_r(data_sets, tmp_path_factory) -> dict[tuple[int, str], pd.Series]:
    folder = tmp_path_factory.mktemp("r")
    script, data, fits = (folder / name for name in ("fit.R", "data.csv", "fits.csv"))
    script.write_text(SCRIPT, encoding="utf-8")
    # Seventeen digits each way, so that both sides see the same numbers.
    pd.concat(data_sets.values()).to_csv(data, index=False, na_rep="NA", float_format="%.17g")
    done = subprocess.run(
        ["Rscript", "--vanilla", script, data, fits], capture_output=True, text=True, timeout=60 * MINUTES
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(fits).set_index("name")
    return {key: fit["value"] for key, fit in table.groupby(["set", "dist"])}


def test_the_data_sets_are_as_varied_as_meant(data_sets):
    sizes = [len(table) for table in data_sets.values()]
    assert min(sizes) < 60 and max(sizes) > 1000
    assert {table["covariates"].iloc[0] for table in data_sets.values()} == {0, 1, 2, 3, 4}
    rows = pd.concat(data_sets.values())
    exact, left, right = rows["low"] == rows["high"], rows["low"].isna(), rows["high"].isna()
    for share in (exact, left, right, ~(exact | left | right)):
        assert 0.1 < share.mean() < 0.5


@pytest.mark.parametrize("dist", FAMILIES)
@pytest.mark.parametrize("number", range(DATA_SETS))
def test_fit_is_that_of_survreg(number, dist, data_sets, from_r):
    table, expected = data_sets[number], from_r[number, dist]
    used = COVARIATES[: number % 5]
    exog = table[used].assign(const=1.0)[["const", *used]].astype(float)
    results = IntervalRegression(table["low"], table["high"], exog, weights=table["n"], dist=dist).fit()
    assert results.converged
    assert expected["warnings"] == 0 and expected["iterations"] < 500, "R itself has not converged"

    names = ["const", *used, "log_scale"]
    assert list(results.params.index) == names
    both = pd.DataFrame({"here": results.params, "survreg": expected[names]})
    off = (both["here"] - both["survreg"]).abs() > np.maximum(1e-6 * both["survreg"].abs(), 1e-7)
    assert not off.any(), both[off].to_string(float_format="%.12g")
    # survreg's likelihood of log families includes the Jacobian of exact rows, too.
    assert results.llf == pytest.approx(expected["llf"], rel=0, abs=1e-6)
