"""Small worked examples for the notebook that teaches the estimator: made-up people, seen in every which way.

Nothing here is evidence. Every draw comes from a seed given by the caller.
"""

import numpy as np
import pandas as pd

from .inference import predict_extremes, profile_interval
from .models import GroupRows, IntervalRegression, IntervalRegressionResults, NotEstimable, expand_groups
from .models.families import FAMILIES

OPEN = float("nan")
EDGES_MONTHS = (36.0, 60.0)


def pronounced_terms(n: int, median_months: float, log_sd: float, grid_months: float, dist: str, seed: int):
    """n latent lengths and the terms pronounced for them, the nearest on the grid; two arrays (n,), months.

    `log_sd` is the standard deviation of the logarithm, whatever the family.
    """
    family = FAMILIES[dist]
    sigma = scale_of(dist, log_sd)
    u = np.random.default_rng(seed).uniform(size=n)
    latent = median_months * np.exp(sigma * (family.quantile(u) - family.quantile(0.5)))
    return latent, np.maximum(np.round(latent / grid_months), 1.0) * grid_months if grid_months else latent


def scale_of(dist: str, log_sd: float) -> float:
    """The family's scale sigma at which the logarithm of a length has standard deviation `log_sd`."""
    return log_sd / float(np.sqrt(FAMILIES[dist].variance))


def in_bands(terms_months: np.ndarray, edges_months=EDGES_MONTHS) -> GroupRows:
    """Terms as the numbers of people under the first edge, between the edges (both included), and over the last."""
    first, last = edges_months
    counts = [np.sum(terms_months < first), np.sum((terms_months >= first) & (terms_months <= last)),
              np.sum(terms_months > last)]  # fmt: skip
    bands = [(OPEN, first, True, False), (first, last, True, True), (last, OPEN, False, True)]
    filled = [(*band, float(count)) for band, count in zip(bands, counts, strict=True) if count]
    low, high, low_inclusive, high_inclusive, n = zip(*filled, strict=True)
    return expand_groups(low, high, n, low_inclusive=low_inclusive, high_inclusive=high_inclusive)


def views(terms_months: np.ndarray) -> dict[str, GroupRows]:
    """The same people as different sources would describe them; rows by the name of the description."""
    terms, n = np.asarray(terms_months, dtype=float), len(terms_months)
    ends = {"low_attained": [True], "high_attained": [True], "attained_allowed": [True]}
    extremes = ([terms.min()], [terms.max()], [n])
    return {
        "every term": expand_groups(terms, terms, np.ones(n)),
        "three bands": in_bands(terms),
        "the average": expand_groups([terms.mean()], [terms.mean()], [n], average=[True]),
        "from … to …, both attained": expand_groups(*extremes, **ends),
        "between … and …": expand_groups(*extremes, **ends, range_rule="interval"),
        "at least …": expand_groups([terms.min()], [OPEN], [n]),
    }


def fit(rows: GroupRows, dist: str, grid_months: float) -> IntervalRegressionResults:
    """The model with a constant alone."""
    return IntervalRegression(dist=dist, grid=grid_months, **rows.keywords()).fit()


def compare(described: dict[str, GroupRows], dist: str, grid_months: float) -> pd.DataFrame:
    """Median and its 95 % profile interval from each description, months; or why there is none.

    Returns
    -------
    pandas.DataFrame
        `description`, `people`, `median_months`, `lower_months`, `upper_months`, `why_not`.
    """
    rows = []
    for name, groups in described.items():
        row = {"description": name, "people": float(np.nansum(groups.weight)) or OPEN}
        try:
            results = fit(groups, dist, grid_months)
            ends = profile_interval(results, lambda p, r=results: float(r.predict(np.ones((1, 1)), params=p)[0]))
            row |= {"median_months": float(results.predict(np.ones((1, 1)))[0]), "lower_months": ends[0]}
            rows.append(row | {"upper_months": ends[1], "why_not": ""})
        except NotEstimable as refusal:
            rows.append(row | {"median_months": OPEN, "lower_months": OPEN, "upper_months": OPEN,
                               "why_not": refusal.reason})  # fmt: skip
    return pd.DataFrame(rows)


def likelihood_curves(
    descriptions: dict[str, tuple[float, float]], medians_months, log_sd: float, dist: str, grid_months: float
) -> pd.DataFrame:
    """How well each median fits one offender, as a share of the best fit, for each description of that offender.

    Parameters
    ----------
    descriptions : dict of str to (low, high)
        Bounds in months; NaN where open.
    medians_months : array_like, shape (m,)

    Returns
    -------
    pandas.DataFrame
        Index: medians; one column for each description, at most 1.
    """
    family, sigma = FAMILIES[dist], scale_of(dist, log_sd)
    location = np.log(medians_months) - sigma * family.quantile(0.5)
    curves = {}
    for name, (low, high) in descriptions.items():
        model = IntervalRegression([low], [high], dist=dist, grid=grid_months)
        value = model.likelihood.evaluate(np.column_stack([location, np.full(len(location), np.log(sigma))])).value
        curves[name] = np.exp(value - value.max())
    return pd.DataFrame(curves, index=pd.Index(medians_months, name="median_months"))


def information(
    n: int, median_months: float, log_sd: float, dist: str, grid_months: float, samples: int, seed: int
) -> pd.DataFrame:
    """Expected information that each description carries at the truth, as a share of that of exact continuous lengths.

    Minus the Hessian of the log-likelihood: for terms and bands with the expected number of people in each cell, for
    a range from smallest to largest averaged over samples of n people. Only descriptions whose bounds were fixed
    beforehand, or whose ends enter as lengths, have a likelihood of which this can be said.

    Returns
    -------
    pandas.DataFrame
        `description`; `median_spread_known`, `median`, `spread`: shares from 0 to 1, the last two with the other
        unknown too.
    """
    sigma = scale_of(dist, log_sd)
    truth = np.array([np.log(median_months) - sigma * FAMILIES[dist].quantile(0.5), np.log(sigma)])
    to_median = np.array([1.0, sigma * FAMILIES[dist].quantile(0.5)])  # its derivative by both parameters
    fine = np.linspace(0.0, 40 * median_months, 40_001)
    whole = _expected(n, truth, dist, 0.0, np.append(fine, OPEN))
    first, last = EDGES_MONTHS
    every = grid_months * (np.arange(1.0, 401.0) - 0.5) if grid_months else fine
    half = grid_months / 2
    found = {
        "every term": _expected(n, truth, dist, 0.0, np.concatenate([[0.0], every[every > 0], [OPEN]])),
        "three bands": _expected(n, truth, dist, 0.0, np.array([0.0, first - half, last + half, OPEN])),
        f"under {first:g} or not": _expected(n, truth, dist, 0.0, np.array([0.0, first - half, OPEN])),
    }
    name, total = "from … to …, both attained", np.zeros((2, 2))
    for sample in range(samples):
        terms = pronounced_terms(n, median_months, log_sd, grid_months, dist, seed + sample)[1]
        rows = views(terms)[name]
        total -= IntervalRegression(dist=dist, grid=grid_months, **rows.keywords()).hessian(truth) / samples
    return pd.DataFrame([{"description": n} | _shares(m, whole, to_median) for n, m in (found | {name: total}).items()])


def _expected(n: int, truth: np.ndarray, dist: str, grid_months: float, edges: np.ndarray) -> np.ndarray:
    """Expected information of n people of whom it is known between which edges they lie."""
    alone = IntervalRegression(edges[:-1], edges[1:], dist=dist, grid=grid_months)
    expected = n * np.exp(alone.loglike_obs(truth))
    return -IntervalRegression(edges[:-1], edges[1:], weights=expected, dist=dist, grid=grid_months).hessian(truth)


def _shares(matrix: np.ndarray, whole: np.ndarray, to_median: np.ndarray) -> dict[str, float]:
    shares = {"median_spread_known": matrix[0, 0] / whole[0, 0], "median": 0.0, "spread": 0.0}
    values = np.linalg.eigvalsh(matrix)
    # A description that leaves a combination of both undetermined carries nothing on either alone.
    if values[0] > 1e-9 * values[-1]:
        best, cov = np.linalg.inv(whole), np.linalg.inv(matrix)
        on_median = (to_median @ best @ to_median) / (to_median @ cov @ to_median)
        shares |= {"median": on_median, "spread": best[1, 1] / cov[1, 1]}
    return shares


def heaping(terms_months: np.ndarray, median_months: float, log_sd: float, dist: str, grids_months) -> pd.DataFrame:
    """What the three bands of pronounced terms say of the latent lengths when read on each grid.

    Returns
    -------
    pandas.DataFrame
        `read_as`, `median_months`, `log_sd`, `share_under_24` (percent of pronounced terms); the truth first.
    """
    under = 24.0
    truth = {"read_as": "what happened", "median_months": median_months, "log_sd": log_sd}
    rows = [truth | {"share_under_24": 100 * float(np.mean(terms_months < under))}]
    for grid in grids_months:
        results = fit(in_bands(terms_months), dist, grid)
        one = np.ones((1, 1))
        share = results.predict(one, what="probability", high=under, high_inclusive=False)[0]
        spread = results.predict(one, what="scale")[0] / scale_of(dist, 1.0)
        read = f"bands, terms every {grid:g} months" if grid else "bands, any length pronounced"
        rows.append({"read_as": read, "median_months": results.predict(one)[0], "log_sd": spread,
                     "share_under_24": 100 * share})  # fmt: skip
    return pd.DataFrame(rows)


def bases(shares_percent: dict[tuple, float], candidates: list[int], dist: str, grid_months: float) -> pd.DataFrame:
    """The same printed shares read with each possible base, and with the base marginalised over.

    Parameters
    ----------
    shares_percent : dict of (low, high, low_inclusive, high_inclusive) to float
        Bands that cover everyone.
    candidates : list of int
        Possible numbers of people.
    """
    low, high, low_in, high_in = zip(*shares_percent, strict=True)
    inclusive = {"low_inclusive": low_in, "high_inclusive": high_in}
    counts = [[round(share * base / 100) for base in candidates] for share in shares_percent.values()]
    described = {
        f"{base} people": expand_groups(low, high, [c[i] for c in counts], **inclusive)
        for i, base in enumerate(candidates)
    }
    described["number unknown"] = expand_groups(low, high, counts, base=["shares"] * len(counts), **inclusive)
    return compare(described, dist, grid_months)


def extremes(results: IntervalRegressionResults, low: float, high: float, n: int, seed: int) -> pd.DataFrame:
    """The predictive check of one printed range, a line for each end."""
    check = predict_extremes(results, [low], [high], [n], seed=seed).iloc[0]
    columns = ("printed", "median", "lower", "upper", "p")
    return pd.DataFrame([{"end": end} | {c: check[f"{end}_{c}"] for c in columns} for end in ("smallest", "largest")])


def simulation_summary(study: pd.DataFrame) -> pd.DataFrame:
    """A line for each design of the simulation: the worst of its location coefficients, and the spread.

    Parameters
    ----------
    study : pandas.DataFrame
        The table that `benchmarks/simulation.py` writes; a line for each design and parameter.

    Returns
    -------
    pandas.DataFrame
        `evidence`, `covariates`, `people`, `fitted` (samples); `bias_location`, `bias_spread` in standard errors;
        `coverage_location`, `coverage_spread` in percent.
    """
    judged = study[study["profile_coverage"].notna()]
    rows = []
    for (evidence, covariates, n), design in judged.groupby(["evidence", "covariates", "n"], sort=False):
        spread = design[design["parameter"] == "log_scale"].iloc[0]
        location = design[design["parameter"] != "log_scale"]
        farthest = location.loc[(location["profile_coverage"] - 0.95).abs().idxmax()]
        rows.append({
            "evidence": evidence, "covariates": covariates, "people": n, "fitted": spread["estimated"],
            "bias_location": location["bias_per_se"].loc[location["bias_per_se"].abs().idxmax()],
            "bias_spread": spread["bias_per_se"],
            "coverage_location": 100 * farthest["profile_coverage"],
            "coverage_spread": 100 * spread["profile_coverage"],
        })  # fmt: skip
    return pd.DataFrame(rows)


def simulation_in_words(study: pd.DataFrame) -> str:
    """Which targets the estimator meets, which it misses and by how much, and what ranges do."""
    judged = study[study["profile_coverage"].notna()]
    ranges = judged["evidence"].str.startswith("range")
    parts = [_targets_in_words(judged[~ranges])]
    for evidence, rows in judged[ranges].groupby("evidence", sort=False):
        lowest = rows.loc[rows["profile_coverage"].idxmin()]
        spread = rows[rows["parameter"] == "log_scale"]["bias_per_se"]
        refused = 100 * (1 - rows["estimated"].sum() / rows["samples"].sum())
        parts.append(
            f"From ranges alone ({evidence.removeprefix('range, ')}) the 95 % interval contains the truth in "
            f"{100 * lowest['profile_coverage']:.1f} to {100 * rows['profile_coverage'].max():.1f} % of samples; the "
            f"spread is off by {spread.min():.1f} to {spread.max():.1f} standard errors. {refused:.0f} % of samples "
            "give no estimate."
        )
    return "\n\n".join(parts)


def _targets_in_words(rows: pd.DataFrame) -> str:
    covered, unbiased = (rows[f"{what}_target"].str.startswith("met") for what in ("profile", "bias"))
    far = rows[~unbiased]
    told = "; ".join(
        f"{r.evidence}, {r.n} people, {r.covariates} covariates: {r.parameter} by {r.bias_per_se:.2f}"
        for r in far.itertuples()
    )
    return (
        f"From exact, banded and mixed evidence, intervals contain the truth as often as they should, within three "
        f"Monte-Carlo standard errors, for {covered.sum()} of {len(rows)} parameters. The bias is less than a tenth of "
        f"a standard error for {unbiased.sum()} of {len(rows)}." + (f" It is larger for: {told}." if told else "")
    )
