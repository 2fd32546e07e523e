"""Does the interval regression find the truth? Samples with known parameters, each kind of evidence apart.

    python benchmarks/simulation.py --samples 1000 --to results/simulation.csv --jobs 2

Lengths are in months. The median at the reference covariates (all 0) is 44 and log T has standard deviation 0.6;
with covariates, a fair binary one moves log T by 0.3 and a standard normal one by -0.2. Both are drawn anew for each
sample. Of the n lengths of a sample there is left, by the kind of evidence:

exact        every length.
banded       whether it lies below 36, in 36 to 60, in 60 to 120, or above.
mixed        a third exact; a third banded; a sixth with a bound of its own (log-normal about 24 months, log-sd 0.5),
             "more than" which is all that is said of whoever exceeds it, others being exact; the rest in a wide
             interval whose upper end is four times the lower, laid without regard to the length.
range        people come in groups of 5 to 15 (any size that leaves a rest that can be divided so, equally likely);
             of each group its number and its smallest and largest length. Covariates are those of the group. The
             same samples are fitted twice: by rule A ("range, attained ends": somebody has each end) and by rule B
             ("range, plain interval": all lie between the ends).

Sample i of a design depends on the seed, the design and i alone, so neither the number of processes nor the number
of samples changes it.

One row of the table is a design and a parameter, or a quantity derived from the parameters at the reference
covariates (for these only estimates are judged). Its columns:

first_estimate          estimate in sample 0; blank where that one has none
samples, not_estimable, not_converged, estimated
                        drawn; refused as undetermined; without a maximum found; left, to which all that follows refers
bias, bias_mc_se        mean estimate less the truth; Monte-Carlo standard error of that
bias_per_se, bias_per_sd
                        bias in units of the mean standard error, of the standard deviation of the estimates
known_bias              for exact log-normal lengths the known bias, (digamma((n - p)/2) + log(2/n))/2 for log sigma
                        with p coefficients, and 0 for coefficients (as for any least squares)
se_per_sd               mean standard error by standard deviation of the estimates
profile_coverage        share of samples in which the likelihood-ratio test at 5 % does not reject the truth, which is
                        to say that the 95 % profile interval holds it; profile_failed: constrained maximum not found
wald_coverage           share in which the truth lies within 1.96 standard errors
*_target                met or not met: bias less than 0.1 standard error; coverage no further from 95 % than three
                        Monte-Carlo standard errors (those of a true 95 %). A question mark: a bias so near its target
                        (two Monte-Carlo standard errors) that other samples might have decided otherwise. Ranges have
                        no target.
"""

import os

if __name__ == "__main__":
    # Arrays are small and processes many: threads within each would only wait. Read when NumPy is loaded.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ[variable] = "1"

import argparse
import itertools
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from sentencing.models import IntervalRegression, IntervalRegressionResults, NotConverged, NotEstimable, expand_groups
from sentencing.models.families import FAMILIES
from sentencing.models.profile import deviance_at

SEED = 20240229
MEDIAN_MONTHS = 44.0
LOG_SD = 0.6
EFFECTS = {"binary": 0.3, "normal": -0.2}

BAND_EDGES_MONTHS = (36.0, 60.0, 120.0)
OWN_BOUND_MEDIAN_MONTHS, OWN_BOUND_LOG_SD = 24.0, 0.5
WIDE_RATIO = 4.0
GROUP_SIZES = (5, 15)

EXACT, BANDED, MIXED, RANGE = "exact", "banded", "mixed", "range"
ATTAINED, INTERVAL = "range, attained ends", "range, plain interval"
RULES = {ATTAINED: "attained", INTERVAL: "interval"}
EVIDENCE = (EXACT, BANDED, MIXED, ATTAINED, INTERVAL)
COVARIATES = (0, 2)
PEOPLE = (50, 500)

DERIVED = ("P(T < 36)", "P(36 <= T <= 60)", "median")

MOST_BIAS_SE = 0.1
CONFIDENCE = 0.95
MOST_COVERAGE_MC_SE = 3.0
SIGNIFICANT_DIGITS = 6

COLUMNS = [
    "seed", "dist", "evidence", "covariates", "n", "parameter", "true", "first_estimate",
    "samples", "not_estimable", "not_converged", "estimated",
    "mean_estimate", "bias", "bias_mc_se", "known_bias", "bias_per_se", "bias_per_se_mc_se", "bias_target",
    "sd", "bias_per_sd", "bias_per_sd_mc_se", "mean_se", "se_per_sd",
    "profile_coverage", "profile_coverage_mc_se", "profile_failed", "profile_target",
    "wald_coverage", "wald_coverage_mc_se", "wald_target",
]  # fmt: skip


# --- Designs and their truth ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Design:
    """What is known of how many people, and how many covariates there are."""

    evidence: str
    covariates: int
    n: int
    dist: str = "lognormal"

    @property
    def drawn_as(self) -> str:
        """The kind of evidence as it is drawn: both rules for ranges read the same samples."""
        return RANGE if self.evidence in RULES else self.evidence

    @property
    def key(self) -> tuple[int, ...]:
        """Tells the samples of this design from those of others; no other design may change it."""
        return ((EXACT, BANDED, MIXED, RANGE).index(self.drawn_as), self.covariates, self.n)

    @property
    def names(self) -> list[str]:
        return ["const", *list(EFFECTS)[: self.covariates], "log_scale"]

    @property
    def sigma(self) -> float:
        return LOG_SD / math.sqrt(FAMILIES[self.dist].variance)

    @property
    def truth(self) -> np.ndarray:
        """Coefficients, then log sigma; shape (p + 1,)."""
        location = math.log(MEDIAN_MONTHS) - self.sigma * float(FAMILIES[self.dist].quantile(0.5))
        return np.array([location, *list(EFFECTS.values())[: self.covariates], math.log(self.sigma)])

    def __str__(self) -> str:
        return f"{self.evidence}; {self.covariates or 'no'} covariates; {self.n} people"


def designs(dist: str = "lognormal") -> list[Design]:
    return [Design(*each, dist) for each in itertools.product(EVIDENCE, COVARIATES, PEOPLE)]


# --- Samples ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Lengths in months and covariates of people, and what a source tells: bounds of people, or of groups."""

    months: np.ndarray  # (n,)
    exog: np.ndarray  # (n, p), the constant first
    low: np.ndarray  # (n,) or (groups,)
    high: np.ndarray
    group_sizes: np.ndarray | None = None  # (groups,); people stand in the order of their groups


def draw(design: Design, number: int, seed: int = SEED) -> Sample:
    """Sample `number` of a design."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*design.key, number)))
    sizes = draw_group_sizes(design.n, rng) if design.drawn_as == RANGE else None
    exog = draw_covariates(design.n if sizes is None else len(sizes), design.covariates, rng)
    exog = exog if sizes is None else np.repeat(exog, sizes, axis=0)
    error = FAMILIES[design.dist].quantile(rng.uniform(size=design.n))
    months = np.exp(exog @ design.truth[:-1] + design.sigma * error)
    if sizes is not None:
        starts = np.cumsum(sizes) - sizes
        return Sample(months, exog, np.minimum.reduceat(months, starts), np.maximum.reduceat(months, starts), sizes)
    if design.drawn_as == EXACT:
        low, high = months, months
    elif design.drawn_as == BANDED:
        low, high = banded(months)
    else:
        low, high = mixed(months, rng)
    return Sample(months, exog, low, high)


def draw_covariates(rows: int, covariates: int, rng: np.random.Generator) -> np.ndarray:
    columns = [np.ones(rows), rng.integers(0, 2, rows).astype(float), rng.standard_normal(rows)]
    return np.column_stack(columns[: 1 + covariates])


def draw_group_sizes(people: int, rng: np.random.Generator) -> np.ndarray:
    smallest, largest = GROUP_SIZES
    sizes, rest = [], people
    while rest:
        possible = [s for s in range(smallest, largest + 1) if rest == s or rest - s >= smallest]
        sizes.append(int(rng.choice(possible)))
        rest -= sizes[-1]
    return np.array(sizes)


def banded(months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    band = np.searchsorted(BAND_EDGES_MONTHS, months)
    return np.array([np.nan, *BAND_EDGES_MONTHS])[band], np.array([*BAND_EDGES_MONTHS, np.nan])[band]


def mixed(months: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bounds by place in the sample, which says nothing of the length; each bound too is laid without regard to it."""
    n = len(months)
    low, high = months.copy(), months.copy()
    bands, own, wide = np.split(np.arange(n), [n // 3, 2 * (n // 3), 2 * (n // 3) + n // 6])[1:]
    low[bands], high[bands] = banded(months[bands])
    bound = OWN_BOUND_MEDIAN_MONTHS * np.exp(OWN_BOUND_LOG_SD * rng.standard_normal(len(own)))
    exceeds = months[own] > bound
    low[own[exceeds]], high[own[exceeds]] = bound[exceeds], np.nan
    step, shift = math.log(WIDE_RATIO), rng.uniform(size=len(wide))
    cell = np.floor(np.log(months[wide]) / step - shift)
    low[wide], high[wide] = np.exp((cell + shift) * step), np.exp((cell + shift + 1) * step)
    return low, high


# --- One sample fitted ------------------------------------------------------------------------------------------


def model_of(design: Design, sample: Sample) -> IntervalRegression:
    if sample.group_sizes is None:
        exog = pd.DataFrame(sample.exog, columns=design.names[:-1])
        return IntervalRegression(sample.low, sample.high, exog, dist=design.dist)
    ends = np.ones(len(sample.group_sizes), dtype=bool)
    rows = expand_groups(
        sample.low, sample.high, sample.group_sizes.astype(float), low_attained=ends, high_attained=ends,
        range_rule=RULES[design.evidence],
    )  # fmt: skip
    of_groups = sample.exog[np.cumsum(sample.group_sizes) - 1]
    exog = pd.DataFrame(of_groups[rows.source_row], columns=design.names[:-1])
    return IntervalRegression(exog=exog, dist=design.dist, **rows.keywords())


def derived(results: IntervalRegressionResults, params: np.ndarray | None = None) -> np.ndarray:
    """The quantities `DERIVED` at the reference covariates, shape (3,)."""
    reference = np.eye(1, results.model.exog.shape[1])
    under = results.predict(reference, what="cdf", at=36.0, params=params)
    between = results.predict(reference, what="probability", low=36.0, high=60.0, params=params)
    return np.concatenate([under, between, results.predict(reference, params=params)])


def true_derived(design: Design) -> np.ndarray:
    def below(months):
        z = (math.log(months) - design.truth[0]) / design.sigma
        return float(np.exp(FAMILIES[design.dist].log_cdf(np.array(z)).value))

    return np.array([below(36.0), below(60.0) - below(36.0), MEDIAN_MONTHS])


def profile_holds(results: IntervalRegressionResults, name: str, value: float) -> bool:
    """Whether the profile interval of a parameter holds `value`: the likelihood-ratio test does not reject it.

    Raises
    ------
    NotConverged
    """
    return bool(deviance_at(results, name, value)[0] <= stats.chi2.ppf(CONFIDENCE, 1))


@dataclass
class Estimates:
    """Of the samples of one design; NaN in samples that have none. Parameters: coefficients, log sigma, derived."""

    values: np.ndarray  # (samples, p + 1 + 3)
    errors: np.ndarray  # (samples, p + 1) standard errors
    in_profile: np.ndarray  # (samples, p + 1) 1, 0, or NaN where no constrained maximum was found
    not_estimable: np.ndarray  # (samples,) bool
    not_converged: np.ndarray


def estimate(design: Design, samples: int, seed: int = SEED, *, profiles: bool = True) -> Estimates:
    """Draw and fit samples 0 to `samples` - 1 of a design; without `profiles` these stay NaN."""
    names, truth = design.names, design.truth
    out = Estimates(
        np.full((samples, len(names) + len(DERIVED)), np.nan),
        np.full((samples, len(names)), np.nan),
        np.full((samples, len(names)), np.nan),
        np.zeros(samples, dtype=bool),
        np.zeros(samples, dtype=bool),
    )
    for i in range(samples):
        try:
            results = model_of(design, draw(design, i, seed)).fit()
        except NotEstimable:
            out.not_estimable[i] = True
            continue
        except NotConverged:
            out.not_converged[i] = True
            continue
        out.values[i] = [*results.params[names], *derived(results)]
        out.errors[i] = results.bse[names]
        for j, name in enumerate(names if profiles else []):
            try:
                out.in_profile[i, j] = profile_holds(results, name, truth[j])
            except NotConverged:
                continue  # stays NaN, which is counted as profile_failed
    return out


# --- What the samples say ---------------------------------------------------------------------------------------


def theory(design: Design) -> np.ndarray:
    """Known biases of the parameters, shape (p + 1,); NaN where there is no closed form.

    For exact log-normal lengths n s² / sigma² is chi-square with n - p degrees of freedom, whatever the covariates,
    and the expected logarithm of a chi-square with d degrees is digamma(d/2) + log 2.
    """
    if design.evidence != EXACT or design.dist != "lognormal":
        return np.full(len(design.names), np.nan)
    n, p = design.n, 1 + design.covariates
    return np.append(np.zeros(p), 0.5 * (special.digamma((n - p) / 2) + math.log(2 / n)))


def summarise(design: Design, found: Estimates, seed: int = SEED) -> pd.DataFrame:
    """The rows of the table for one design, columns `COLUMNS`; numbers not yet rounded."""
    parameters = len(design.names)
    truth = np.concatenate([design.truth, true_derived(design)])
    known_bias = np.append(theory(design), np.full(len(DERIVED), np.nan))
    good = ~(found.not_estimable | found.not_converged)
    count = int(good.sum())
    rows = []
    for j, name in enumerate([*design.names, *DERIVED]):
        values = found.values[good, j]
        mean, sd = (float(values.mean()) if count else np.nan), (float(values.std(ddof=1)) if count > 1 else np.nan)
        bias = mean - truth[j]
        row = {
            "seed": seed, "dist": design.dist, "evidence": design.evidence, "covariates": design.covariates,
            "n": design.n, "parameter": name, "true": truth[j], "first_estimate": found.values[0, j],
            "samples": len(good), "not_estimable": int(found.not_estimable.sum()),
            "not_converged": int(found.not_converged.sum()), "estimated": count,
            "mean_estimate": mean, "bias": bias, "bias_mc_se": sd / math.sqrt(max(count, 1)),
            "known_bias": known_bias[j], "sd": sd, "bias_per_sd": bias / sd,
            # Of a mean by a standard deviation, for values that are about normal.
            "bias_per_sd_mc_se": math.sqrt((1 + (bias / sd) ** 2 / 2) / max(count, 1)),
        }  # fmt: skip
        if j < parameters:
            row |= judged(values, found.errors[good, j], found.in_profile[good, j], truth[j])
        if design.evidence in RULES:
            row |= dict.fromkeys(("bias_target", "profile_target", "wald_target"), "")
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def judged(values: np.ndarray, errors: np.ndarray, in_profile: np.ndarray, truth: float) -> dict:
    """What standard errors and intervals are worth."""
    if len(values) < 2:
        return {}
    mean_se, bias = float(errors.mean()), float(values.mean()) - truth
    sd = float(values.std(ddof=1))
    bias_per_se, mc_se = bias / mean_se, sd / mean_se / math.sqrt(len(values))
    near = abs(abs(bias_per_se) - MOST_BIAS_SE) < 2 * mc_se
    decided = in_profile[~np.isnan(in_profile)]
    wald = np.abs(values - truth) <= stats.norm.ppf(0.5 + CONFIDENCE / 2) * errors
    return {
        "bias_per_se": bias_per_se,
        "bias_per_se_mc_se": mc_se,
        "bias_target": ("met" if abs(bias_per_se) < MOST_BIAS_SE else "not met") + ("?" if near else ""),
        "mean_se": mean_se,
        "se_per_sd": mean_se / sd,
        "profile_failed": int(len(in_profile) - len(decided)),
        **coverage("profile", decided),
        **coverage("wald", wald),
    }


def coverage(method: str, holds: np.ndarray) -> dict:
    if not len(holds):
        return {}
    share = float(np.mean(holds))
    allowed = MOST_COVERAGE_MC_SE * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / len(holds))
    return {
        f"{method}_coverage": share,
        f"{method}_coverage_mc_se": math.sqrt(share * (1 - share) / len(holds)),
        f"{method}_target": "met" if abs(share - CONFIDENCE) <= allowed else "not met",
    }


def run_design(design: Design, samples: int, seed: int = SEED) -> tuple[pd.DataFrame, float]:
    """Rows of the table for one design, and the seconds they took."""
    begin = time.perf_counter()
    return summarise(design, estimate(design, samples, seed), seed), time.perf_counter() - begin


def run(chosen: list[Design], samples: int, seed: int = SEED, jobs: int = 1, tell=lambda text: None) -> pd.DataFrame:
    """The whole table, in the order of the designs whatever the number of processes."""
    tables: dict[Design, pd.DataFrame] = {}

    def take(design: Design, answer: tuple[pd.DataFrame, float]) -> None:
        tables[design] = answer[0]
        tell(f"  {len(tables)}/{len(chosen)}  {answer[1]:5.0f} s  {design}")

    if jobs == 1:
        for design in chosen:
            take(design, run_design(design, samples, seed))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            waiting = {design: pool.submit(run_design, design, samples, seed) for design in chosen}
            for design, future in waiting.items():
                take(design, future.result())
    return pd.concat([tables[design] for design in chosen], ignore_index=True)


# --- Table and print --------------------------------------------------------------------------------------------


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """Every cell as text: fractions with six significant digits, blank where there is nothing."""
    whole = {"seed", "covariates", "n", "samples", "not_estimable", "not_converged", "estimated", "profile_failed"}

    def text(column: str, value) -> str:
        if isinstance(value, str):
            return value
        if pd.isna(value):
            return ""
        return str(int(value)) if column in whole else f"{value:.{SIGNIFICANT_DIGITS}g}"

    return pd.DataFrame({column: [text(column, value) for value in table[column]] for column in table})


def write(table: pd.DataFrame, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    as_written(table).to_csv(place, index=False, lineterminator="\n", encoding="utf-8")


def print_table(table: pd.DataFrame) -> None:
    print(
        "bias: mean estimate less truth, ± Monte-Carlo standard error; theory: bias known for exact log-normal data;\n"
        "/SE, /SD: bias by mean standard error and by SD of the estimates, ± Monte-Carlo standard error; SE/SD: mean\n"
        "standard error by SD; profile, Wald: coverage of 95 % intervals in %, ± Monte-Carlo standard error"
    )
    for (evidence, covariates, n), part in table.groupby(["evidence", "covariates", "n"], sort=False):
        first = part.iloc[0]
        lost = [f"{first[c]} {c.replace('_', ' ')}" for c in ("not_estimable", "not_converged") if first[c]]
        failed = int(part["profile_failed"].fillna(0).sum())
        lost += [f"{failed} constrained maxima not found"] if failed else []
        told = ", ".join([f"{first['estimated']} of {first['samples']} estimated", *lost])
        print(f"\n{first['dist']}; {Design(evidence, covariates, n)}: {told}")
        print(f"  {'':<17}{'truth':>8}{'bias':>19}{'theory':>9}{'/SE':>15} {'':<9}{'/SD':>15}{'SE/SD':>7}"
              f"{'profile':>12} {'':<9}{'Wald':>12}")  # fmt: skip
        for _, row in part.iterrows():
            print(line(row))


def line(row: pd.Series) -> str:
    def number(value, pattern: str) -> str:
        return "" if pd.isna(value) else format(value, pattern)

    def with_error(column: str, pattern: str, times: float = 1.0) -> str:
        if pd.isna(row[column]):
            return ""
        return f"{row[column] * times:{pattern}} ± {row[f'{column}_mc_se'] * times:{pattern.removeprefix('+')}}"

    target = {c: "" if pd.isna(row[c]) else row[c] for c in ("bias_target", "profile_target", "wald_target")}
    return (
        f"  {row['parameter']:<17}{row['true']:>8.4g}{with_error('bias', '+.4f'):>19}"
        f"{number(row['known_bias'], '+.4f'):>9}{with_error('bias_per_se', '+.3f'):>15} {target['bias_target']:<9}"
        f"{with_error('bias_per_sd', '+.3f'):>15}{number(row['se_per_sd'], '.3f'):>7}"
        f"{with_error('profile_coverage', '.1f', 100):>12} {target['profile_target']:<9}"
        f"{with_error('wald_coverage', '.1f', 100):>12} {target['wald_target']}"
    ).rstrip()


def print_targets(table: pd.DataFrame) -> None:
    """How many targets are met by exact, banded and mixed evidence, and each that is not."""
    aimed = table[~table["evidence"].isin(list(RULES)) & ~table["parameter"].isin(DERIVED)]
    print(f"\nTargets for exact, banded and mixed evidence ({len(aimed)} parameters in all designs)")
    for what, target, value in (
        (f"bias below {MOST_BIAS_SE:g} standard error", "bias_target", "bias_per_se"),
        ("coverage of profile intervals", "profile_target", "profile_coverage"),
        ("coverage of Wald intervals", "wald_target", "wald_coverage"),
    ):
        met = aimed[target].str.startswith("met").fillna(False).astype(bool)
        print(f"  {what}: met {int(met.sum())}, not met {int((~met).sum())}")
        for _, row in aimed[~met].iterrows():
            design = Design(row["evidence"], row["covariates"], row["n"])
            print(f"    {row[target] or 'no estimate'}: {design}: {row['parameter']} {row[value]:.3f}"
                  f" ± {row[f'{value}_mc_se']:.3f}")  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000, help="of each design (default 1000)")
    parser.add_argument("--to", type=Path, help="the table to write; without it the table is only printed")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1); they do not change the results")
    parser.add_argument("--dist", choices=list(FAMILIES), default="lognormal", help="family drawn and fitted")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default {SEED}")
    given = parser.parse_args(arguments)
    if given.samples < 2 or given.jobs < 1:
        parser.error("--samples must be 2 or more, and --jobs 1 or more")
    begin = time.perf_counter()
    table = run(designs(given.dist), given.samples, given.seed, given.jobs, lambda text: print(text, file=sys.stderr))
    print_table(table)
    print_targets(table)
    if given.to is not None:
        write(table, given.to)
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
