"""Time the interval regression beside R's survreg and Python's lifelines, on the same data in one run.

    python benchmarks/estimator.py [--quick]

Prints what was measured, whether the three give the same answer, and which targets are reached. Times are
information: the exit code is 0 whatever they are. How to read the tables is told in README.md beside this file.
"""

# One core for everyone; the libraries below read these when they are loaded, and R inherits them.
import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"

import argparse
import importlib.metadata
import importlib.util
import math
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from sentencing import paths
from sentencing.inference import cluster_bootstrap
from sentencing.models import IntervalRegression, NotConverged, NotEstimable

FAMILIES = ("lognormal", "loglogistic", "weibull")
SEED = 20180628
EDGES_MONTHS = (36.0, 60.0, 120.0)
SURVREG = Path(__file__).with_name("survreg.R")
NO_SURVIVAL = 3  # exit code of survreg.R where the R package is absent

OURS, R, LIFELINES = "ours", "survreg", "lifelines"
LIFELINES_AT_MOST = 20_000  # rows; beyond, one fit takes the better part of a minute
LIFELINES_RUNS = 3

BLOCK_SECONDS = 0.02  # fits shorter than this are timed in blocks: R's clock has milliseconds
FIRST_COUNTS_SECONDS = 1.0  # a fit longer than this needs no warm-up: its first run is a repetition

# What is called the same answer. Each fitter stops by a rule of its own, so not the last digits; a different
# maximum, or a stop short of it, shows well above this.
SAME_LLF_RELATIVE = 1e-6
SAME_PARAMS = 1e-3


@dataclass(frozen=True)
class Problem:
    """Rows to fit: bounds in months (NaN = open), people per row, and covariates with the constant first."""

    name: str
    low: np.ndarray
    high: np.ndarray
    exog: np.ndarray
    weights: np.ndarray

    @property
    def n_rows(self) -> int:
        return len(self.low)

    @property
    def weighted(self) -> bool:
        return bool((self.weights != 1).any())

    def write(self, folder: Path) -> None:
        for name in ("low", "high", "weights"):
            getattr(self, name).astype("<f8").tofile(folder / name)
        self.exog.T.astype("<f8").tofile(folder / "exog")

    @classmethod
    def read(cls, folder: Path) -> "Problem":
        low, high, weights, flat = (np.fromfile(folder / name, "<f8") for name in ("low", "high", "weights", "exog"))
        return cls(folder.name, low, high, np.ascontiguousarray(flat.reshape(-1, len(low)).T), weights)


@dataclass(frozen=True)
class Plan:
    """How often to repeat a fit: at least and at most so many times, and no longer than so many seconds between."""

    at_least: int
    at_most: int
    seconds: float


@dataclass
class Fitted:
    """What one fitter did with one problem. `seconds` is empty where it gave no answer; `note` then says why.

    `seconds` are by the clock, `cpu_seconds` those in which the processor worked for it, one of each a repetition.
    """

    tool: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    params: np.ndarray | None = None
    llf: float = math.nan
    note: str = ""

    @property
    def median(self) -> float:
        return float(np.median(self.seconds)) if self.seconds else math.nan

    @property
    def best(self) -> float:
        return min(self.seconds, default=math.nan)

    @property
    def cpu_median(self) -> float:
        return float(np.median(self.cpu_seconds)) if self.cpu_seconds else math.nan

    def same_as(self, other: "Fitted") -> bool:
        if self.params is None or other.params is None:
            return False
        near = np.abs(self.params - other.params).max() <= SAME_PARAMS
        return bool(near and abs(self.llf - other.llf) <= SAME_LLF_RELATIVE * abs(other.llf))


# --- Data ---------------------------------------------------------------------------------------------------------


def banded(name: str, exog: np.ndarray, coefficients, scale: float, rng: np.random.Generator) -> Problem:
    """Log-normal terms of which only the band is known: under 36, 36-60, 60-120, over 120 months."""
    months = np.exp(exog @ np.asarray(coefficients) + scale * rng.standard_normal(len(exog)))
    band = np.searchsorted(EDGES_MONTHS, months)
    edges = np.array([np.nan, *EDGES_MONTHS, np.nan])
    return Problem(name, edges[band], edges[band + 1], exog, np.ones(len(exog)))


def continuous(n_rows: int) -> Problem:
    """One continuous covariate: no two rows are alike."""
    rng = np.random.default_rng(SEED)
    exog = np.column_stack([np.ones(n_rows), rng.standard_normal(n_rows)])
    return banded(f"continuous, {n_rows:,} rows", exog, [3.8, 0.3], 0.7, rng)


def categorical(n_rows: int) -> Problem:
    """Two covariates of four and three categories as dummies: rows collapse to at most 48."""
    rng = np.random.default_rng(SEED)
    first, second = rng.integers(4, size=n_rows), rng.integers(3, size=n_rows)
    exog = np.column_stack([np.ones(n_rows), first[:, None] == [1, 2, 3], second[:, None] == [1, 2]])
    return banded(f"categorical, {n_rows:,} rows", exog, [3.6, 0.2, 0.4, -0.3, 0.25, 0.5], 0.7, rng)


def evidence() -> Problem:
    """The used rows of the evidence table that give a term or bounds for a known number of people.

    Each row counts as the plain interval of its bounds (`range` rows too), which all three fitters understand;
    covariates are a constant and dummies of the kind of source.
    """
    path = paths.PROCESSED / "evidence.csv"
    table = pd.read_csv(path)
    table = table[(table["used"] == 1) & (table["n"] > 0) & table["kind"].isin(["exact", "interval", "range"])]
    low = table["low_months"].where(table["low_months"] > 0)
    high = table["high_months"]
    table = table[(low.notna() | high.notna()) & ~(high <= 0)]
    if table.empty:
        raise ValueError(f"{paths.relative(path)}: no used row has a number of people and a bound")
    dummies = pd.get_dummies(table["source_kind"], drop_first=True).to_numpy(float)
    exog = np.column_stack([np.ones(len(table)), dummies])
    name = f"evidence table, {len(table)} rows"
    return Problem(name, low[table.index].to_numpy(), high[table.index].to_numpy(), exog, table["n"].to_numpy(float))


def small_table(n_rows: int = 60) -> Problem:
    """A table as notebooks have them: bands of a few people each, a constant and two covariates."""
    rng = np.random.default_rng(SEED)
    exog = np.column_stack([np.ones(n_rows), rng.standard_normal(n_rows), np.arange(n_rows) % 2])
    problem = banded(f"small table, {n_rows} rows", exog, [3.8, 0.3, 0.2], 0.7, rng)
    return Problem(problem.name, problem.low, problem.high, exog, rng.integers(1, 20, n_rows).astype(float))


# --- Fitters ------------------------------------------------------------------------------------------------------


def clocked(fit: Callable, times: int = 1) -> tuple[object, np.ndarray]:
    """What the last of so many fits gives, and the seconds of one: by the clock, and of the processor."""
    before = np.array([time.perf_counter(), time.process_time()])
    for _ in range(times):
        result = fit()
    after = np.array([time.perf_counter(), time.process_time()])
    return result, (after - before) / times


def repeat(fit: Callable, plan: Plan) -> tuple[object, list[float], list[float]]:
    """What `fit` gives, and both seconds of each repetition; short fits are timed in blocks."""
    result, first = clocked(fit)
    if first[0] > FIRST_COUNTS_SECONDS:
        times, taken = 1, [first]
    else:
        times, taken = math.ceil(BLOCK_SECONDS / clocked(fit)[1][0]), []
    while len(taken) < plan.at_least or (
        len(taken) < plan.at_most and sum(wall for wall, _ in taken) * times < plan.seconds
    ):
        taken.append(clocked(fit, times)[1])
    wall, cpu = np.transpose(taken).tolist()
    return result, wall, cpu


def our_fit(problem: Problem, family: str):
    """Fit with standard errors, which the other two always work out."""
    weights = problem.weights if problem.weighted else None
    results = IntervalRegression(problem.low, problem.high, problem.exog, weights=weights, dist=family).fit()
    return results, results.bse


def time_ours(problem: Problem, family: str, plan: Plan) -> Fitted:
    try:
        (results, _), *seconds = repeat(lambda: our_fit(problem, family), plan)
    except (NotEstimable, NotConverged) as refusal:
        return Fitted(OURS, note=f"{type(refusal).__name__}: {refusal}")
    note = "" if results.converged else "not converged"
    return Fitted(OURS, *seconds, results.params.to_numpy(), results.llf, note)


def time_survreg(problem: Problem, plans: dict[str, Plan]) -> dict[str, Fitted]:
    """Fit in one R process; each family has a plan of its own."""
    found = {family: Fitted(R) for family in plans}
    rscript = shutil.which("Rscript")
    if not rscript:
        return {family: Fitted(R, note="absent: no Rscript on this machine") for family in plans}
    with tempfile.TemporaryDirectory() as folder:
        problem.write(Path(folder))
        asked = [f"{f}:{p.seconds}:{p.at_least}:{p.at_most}" for f, p in plans.items()]
        command = [rscript, "--vanilla", SURVREG, folder, ",".join(asked)]
        command += [str(BLOCK_SECONDS), str(FIRST_COUNTS_SECONDS)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode == NO_SURVIVAL:
        return {family: Fitted(R, note="absent: R has no package survival") for family in plans}
    if ran.returncode:
        raise RuntimeError(f"{SURVREG.name} failed on {problem.name}:\n{ran.stderr}")
    for line in ran.stdout.splitlines():
        family, what, *values = line.split(",")
        if what == "note":
            found[family].note = values[0]
        elif what == "params":
            found[family].params = np.array(values, float)
        elif what == "llf":
            found[family].llf = float(values[0])
        elif what == "seconds":
            found[family].seconds = [float(value) for value in values]
        elif what == "cpu_seconds":
            found[family].cpu_seconds = [float(value) for value in values]
    return found


def time_lifelines(problem: Problem, family: str) -> Fitted:
    if not importlib.util.find_spec("lifelines"):
        return Fitted(LIFELINES, note="absent: lifelines is not installed")
    if problem.n_rows > LIFELINES_AT_MOST:
        return Fitted(LIFELINES, note=f"left out beyond {LIFELINES_AT_MOST:,} rows")
    import lifelines
    from lifelines.exceptions import ConvergenceError

    classes = {
        "lognormal": lifelines.LogNormalAFTFitter,
        "loglogistic": lifelines.LogLogisticAFTFitter,
        "weibull": lifelines.WeibullAFTFitter,
    }
    location, scale = {
        "lognormal": ("mu_", "sigma_"),
        "loglogistic": ("alpha_", "beta_"),
        "weibull": ("lambda_", "rho_"),
    }[family]
    # Its own names: 0 and infinity are open ends, the constant is added by the fitter.
    names = [f"x{i}" for i in range(1, problem.exog.shape[1])]
    table = pd.DataFrame(problem.exog[:, 1:], columns=names)
    table["low"], table["high"] = np.nan_to_num(problem.low), np.nan_to_num(problem.high, nan=np.inf)
    column = "weights" if problem.weighted else None
    if column:
        table[column] = problem.weights
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            # It warns of overflows on its way; whether it arrived is seen from the comparison.
            warnings.simplefilter("ignore")
            fitter, *seconds = repeat(
                lambda: classes[family]().fit_interval_censoring(table, "low", "high", weights_col=column),
                Plan(LIFELINES_RUNS, LIFELINES_RUNS, 0),
            )
    except ConvergenceError:
        return Fitted(LIFELINES, note=f"ConvergenceError after {time.perf_counter() - start:.2g} s")
    found = fitter.params_
    coefficients = [found[location, name] for name in ("Intercept", *names)]
    # Its scale parameter of the log-logistic and the Weibull is the inverse of ours.
    log_scale = found[scale, "Intercept"] * (1 if family == "lognormal" else -1)
    return Fitted(LIFELINES, *seconds, np.array([*coefficients, log_scale]), fitter.log_likelihood_)


def compare(
    problem: Problem, plans: dict[str, Plan], survreg_plans: dict[str, Plan] | None = None
) -> dict[str, dict[str, Fitted]]:
    """Fit every family with every fitter and print one line each. Gives what was found by family and fitter."""
    by_r = time_survreg(problem, survreg_plans or plans)
    all_found = {}
    print(f"\n{problem.name}, {problem.exog.shape[1]} coefficients" + (", weighted" if problem.weighted else ""))
    print(f"  {'family':<12}{'fitter':<10}{'median s':>10}{'best s':>10}{'cpu s':>10}{'runs':>5}"
          f"{'to ours':>9}{'by cpu':>8}{'log-lik.':>17}{'minus ours':>12}{'parameters':>12}  same")  # fmt: skip
    for family, plan in plans.items():
        ours = time_ours(problem, family, plan)
        found = {OURS: ours, R: by_r[family], LIFELINES: time_lifelines(problem, family)}
        all_found[family] = found
        for tool, fitted in found.items():
            print(f"  {family if tool == OURS else '':<12}{tool:<10}{line(fitted, ours)}".rstrip(), flush=True)
    return all_found


def line(fitted: Fitted, ours: Fitted) -> str:
    if not fitted.seconds:
        return f"      {fitted.note}"
    cells = f"{fitted.median:>10.3g}{fitted.best:>10.3g}{fitted.cpu_median:>10.3g}{len(fitted.seconds):>5}"
    cells += f"{fitted.median / ours.median:>9.3g}{fitted.cpu_median / ours.cpu_median:>8.3g}{fitted.llf:>17.6f}"
    if fitted is not ours and ours.params is not None:
        apart = np.abs(fitted.params - ours.params).max()
        cells += f"{fitted.llf - ours.llf:>12.1e}{apart:>12.1e}  {'yes' if fitted.same_as(ours) else 'NO'}"
    elif fitted is ours:
        cells += f"{'':>24}  -"
    return cells + (f"  ({fitted.note})" if fitted.note else "")


# --- Memory and refits --------------------------------------------------------------------------------------------


def peak_mebibytes() -> float:
    """Largest memory this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux ru_maxrss starts from what the parent held when it started this process; this does not.
        (entry,) = (e for e in status.read_text().splitlines() if e.startswith("VmHWM"))
        return int(entry.split()[1]) / 2**10
    # macOS counts in bytes, others in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def print_peak_here(folder: Path) -> None:
    """Fit the problem in `folder` and print the peak memory of this process before and after, in MiB."""
    problem = Problem.read(folder)
    before = peak_mebibytes()
    our_fit(problem, "lognormal")
    print(before, peak_mebibytes())


def measure_memory(problem: Problem) -> None:
    """Fit in a process of its own, so that nothing else is counted."""
    with tempfile.TemporaryDirectory() as folder:
        problem.write(Path(folder))
        command = [sys.executable, __file__, "--peak-of", folder]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(float, ran.stdout.split())
    arrays = sum(a.nbytes for a in (problem.low, problem.high, problem.exog, problem.weights)) / 2**20
    print(f"  {problem.name}: peak {after:.0f} MiB, of which {before:.0f} MiB Python, libraries and the data "
          f"({arrays:.0f} MiB as arrays); the fit adds {after - before:.0f} MiB")  # fmt: skip


def measure_refits(family: str, seconds: float) -> tuple[float, float]:
    """Print and give the bootstrap refits per second, of the processor and by the clock; and those one at a time."""
    problem = small_table()
    results, _ = our_fit(problem, family)

    def refit(n_boot: int):
        return clocked(lambda: cluster_bootstrap(results, n_boot=n_boot, seed=SEED))

    _, (wall, _) = refit(500)
    n_boot = int(np.clip(500 / wall * seconds, 500, 20_000))
    found, taken = None, []
    for _ in range(3):
        found, one = refit(n_boot)
        taken.append(one)
    rate_by_clock, rate = n_boot / np.median(taken, axis=0)
    robust = results.get_robustcov_results(groups=np.arange(problem.n_rows)).bse
    spread = " ".join(f"{value:.2f}" for value in np.asarray(found.bse) / np.asarray(robust))
    one_by_one, refused = refit_one_by_one(problem, family, seconds)
    print(f"  {family:<12}{rate:>10,.0f}{rate_by_clock:>10,.0f}{n_boot:>10,}{found.n_failed:>9,}"
          f"{one_by_one:>14,.0f}{refused:>9,}    {spread}", flush=True)  # fmt: skip
    return float(rate), float(rate_by_clock)


def refit_one_by_one(problem: Problem, family: str, seconds: float) -> tuple[float, int]:
    """Refits per second of the processor when each resample is a model of its own; how many were refused."""
    rng = np.random.default_rng(SEED)
    even = np.full(problem.n_rows, 1 / problem.n_rows)
    done, refused, start = 0, 0, time.process_time()
    while time.process_time() - start < seconds:
        weights = problem.weights * rng.multinomial(problem.n_rows, even)
        try:
            IntervalRegression(problem.low, problem.high, problem.exog, weights=weights, dist=family).fit()
        except (NotEstimable, NotConverged):
            refused += 1
        done += 1
    return done / (time.process_time() - start), refused


# --- The run ------------------------------------------------------------------------------------------------------


def print_machine() -> None:
    packages = ("numpy", "scipy", "pandas", "statsmodels", "lifelines")
    versions = []
    for name in packages:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    print(f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores, one used; "
          f"load {' '.join(f'{v:.1f}' for v in os.getloadavg())}")  # fmt: skip
    print(f"Python {platform.python_version()}, {', '.join(versions)}")
    rscript = shutil.which("Rscript")
    code = 'cat(R.version.string); if (nzchar(system.file(package = "survival"))) ' \
           'cat(", survival", as.character(packageVersion("survival")))'  # fmt: skip
    print(subprocess.run([rscript, "-e", code], capture_output=True, text=True).stdout if rscript else "R absent")
    if importlib.util.find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        pools = {f"{p.get('internal_api')} {p.get('version')}: {p['num_threads']} thread" for p in threadpool_info()}
        print("; ".join(sorted(pools)))


def processor() -> str:
    """Name of the processor where the system tells it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for entry in listed.read_text().splitlines():
            if entry.startswith("model name"):
                return entry.split(":", 1)[1].strip()
    return platform.processor() or "processor unknown"


def print_target(what: str, reached: bool | None, figure: str) -> None:
    word = {True: "reached", False: "NOT reached", None: "not measured"}[reached]
    print(f"  {what:<66}{word:<14}{figure}")


def print_targets_of_ratio(found: dict[str, dict[str, Fitted]], tool: str, times: float) -> None:
    """The worst family counts. A fitter that failed or found another answer has no speed to compare with."""
    same = {f: by[tool] for f, by in found.items() if by[tool].seconds and by[tool].same_as(by[OURS])}
    ratios = {family: fitted.cpu_median / found[family][OURS].cpu_median for family, fitted in same.items()}
    by_clock = {family: fitted.median / found[family][OURS].median for family, fitted in same.items()}
    what = f"at least {times:g} times as fast as {tool}, continuous, 20,000 rows"
    figures = ", ".join(
        f"{family} {value:.3g} ({by_clock[family]:.3g} by the clock)" for family, value in ratios.items()
    )
    left_out = [family for family in found if family not in same]
    if left_out:
        figures += f"{'; ' if figures else ''}no such answer: {', '.join(left_out)}"
    print_target(what, min(ratios.values()) >= times if ratios else None, figures)


def print_target_of_seconds(found: dict[str, dict[str, Fitted]], what: str, at_most: float) -> None:
    fitted = {family: by[OURS] for family, by in found.items()}
    measured = all(f.seconds for f in fitted.values())
    figures = ", ".join(f"{family} {f.cpu_median:.3g} ({f.median:.3g} by the clock)" for family, f in fitted.items())
    print_target(what, max(f.cpu_median for f in fitted.values()) < at_most if measured else None, figures)


def run(quick: bool) -> None:
    start = time.perf_counter()
    print_machine()
    often, some, few = Plan(5, 20, 1), Plan(5, 10, 2), Plan(3, 3, 0)
    compare(continuous(200), dict.fromkeys(FAMILIES, often))
    middle = compare(continuous(20_000), dict.fromkeys(FAMILIES, some))
    compare(evidence(), dict.fromkeys(FAMILIES, often))
    if not quick:
        million = continuous(1_000_000)
        # R takes several seconds each time: one family well, the others to see that they are no exception.
        once, twice = Plan(1, 1, 0), Plan(2, 2, 0)
        large = compare(million, dict.fromkeys(FAMILIES, few), {"lognormal": few, "loglogistic": once, "weibull": once})
        collapsing = compare(categorical(1_000_000), {"lognormal": some}, {"lognormal": twice})
        print("\nMemory of one fit, lognormal, in a process of its own")
        measure_memory(million)
        measure_memory(categorical(1_000_000))

    print("\nBootstrap of a table of 60 rows and 3 coefficients, refits per second")
    print(f"  {'family':<12}{'cpu':>10}{'clock':>10}{'refits':>10}{'failed':>9}{'one by one':>14}{'failed':>9}"
          "    spread / robust standard error")  # fmt: skip
    rates = {family: measure_refits(family, 1.0) for family in FAMILIES}

    print("\nTargets, by medians of processor seconds")
    print_targets_of_ratio(middle, R, 3)
    print_targets_of_ratio(middle, LIFELINES, 20)
    if not quick:
        print_target_of_seconds(large, "under 4 s: continuous, 1,000,000 rows", 4)
        print_target_of_seconds(collapsing, "under 0.5 s: categorical, 1,000,000 rows that collapse", 0.5)
    figures = ", ".join(f"{family} {rate:,.0f} ({clock:,.0f} by the clock)" for family, (rate, clock) in rates.items())
    reached = min(rate for rate, _ in rates.values()) >= 5000
    print_target("at least 5,000 bootstrap refits a second", reached, figures)
    print(f"\nWhole run: {time.perf_counter() - start:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="leave out the tables of a million rows")
    parser.add_argument("--peak-of", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak_of:
        print_peak_here(given.peak_of)
    else:
        run(given.quick)


if __name__ == "__main__":
    main()
