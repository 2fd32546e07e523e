"""What the results of many designs say together: how far the answer moves, by which choices, and what stays.

Kinds of source are never joined; the comparison of countries has none to tell apart. Choices without a better option
(equivalent ones) are looked at among designs that agree in all other choices; how far these others move the answer is
told apart from that.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import between, estimands, schemas, within
from .designs import Combination, Declared, Design, Designs, fit_design, study_of
from .inference import refit
from .models import NotConverged, NotEstimable
from .models.likelihood import UnknownSize
from .within import TREND, Rows, Study

INFLUENCE = ["design", "source_kind", "estimand", "without", "estimate", "change", "reason"]
SHARES = ["source_kind", "estimand", "choice", "equivalent", "share", "low", "high", "designs", "reason"]
BAND = f"got {estimands.SHARE_LABELS['36_60']}"
RELATIVE = ("months", "ratio")  # units whose changes are told as factors
# Two slopes that differ by less, relatively, are one: refits are not more exact.
_SAME = 1e-6


def _apart(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each kind of source; all of them, under a blank, where none is told apart."""
    return list(frame.groupby("source_kind", sort=False)) if "source_kind" in frame else [("", frame)]


def _of(frame: pd.DataFrame, source_kind: str, estimand: str) -> pd.DataFrame:
    own = frame[frame["estimand"] == estimand]
    return own[own["source_kind"] == source_kind] if source_kind else own


def n_designs(results: pd.DataFrame, source_kind: str, estimand: str) -> int:
    """Designs of which an estimand is asked, with those that cannot be estimated; `source_kind` may be blank."""
    return len(_of(results, source_kind, estimand))


def _named(*parts: str) -> str:
    """Parts of the name of a value, joined; blank ones left out."""
    return "_".join(filter(None, parts))


def references(found: Designs) -> dict[str, Design]:
    """For each kind of source the first design: that of the first options, which are those of the published results.

    Under a blank where no kind is told apart.
    """
    firsts: dict[str, Design] = {}
    for design in found.distinct:
        firsts.setdefault(design.combination.get("source_kind", ""), design)
    return firsts


def curve(results: pd.DataFrame, source_kind: str, estimand: str) -> pd.DataFrame:
    """The rows of all estimable designs for one estimand, by their estimates; `source_kind` may be blank."""
    own = _of(results, source_kind, estimand)
    return own[own["estimate"].notna()].sort_values(["estimate", "design"], kind="stable").reset_index(drop=True)


# --- Which choices move the answer ------------------------------------------------------------------------------------


def variance_shares(
    results: pd.DataFrame, found: Designs, declared: Declared, *, n_boot: int = 999, seed: int
) -> pd.DataFrame:
    """How much of the variation between designs goes with each choice by itself.

    The share is that of the sum of squares between a choice's options in the total. For equivalent choices both are
    taken within every combination of the other choices and added up; for the others both are taken among the means of
    these combinations. Every combination that exclusions leave has the same weight, those too that lead to one design,
    so that each option is set against the same others. Options that are only tried alone (`Choice.alone`) are left
    out, as are choices that have no others but the first: see `moves`. What the shares leave over to 1 goes with
    choices jointly. Combinations that cannot be estimated are left out, so that shares of the others can overlap.

    Parameters
    ----------
    results : pandas.DataFrame
        As of `multiverse.read_results`.
    found : Designs
        The designs that the results are of.

    Returns
    -------
    pandas.DataFrame
        SHARES. `low` and `high` are 95 % percentiles from drawing anew, with replacement, those under which a share is
        looked at: for an equivalent choice the combinations of the others, and the reverse. They tell how much a share
        hangs on what else is chosen. They are no confidence intervals: designs are declared, not sampled, and
        which people happened to be sentenced does not enter. `reason` says why a share is blank.
    """
    combined = _combined(results, found, declared)
    for choice in declared.choices:
        combined = combined[combined[choice.id].isin(choice.crossed)]
    touched = {choice.id: choice.touches for choice in declared.choices}
    rng, rows = np.random.default_rng(seed), []
    for kind, own in _apart(combined):
        for estimand in declared.estimands:
            usable = own[own[estimand].notna()]
            told = dict(zip(SHARES, (kind, estimand), strict=False)) | {"designs": usable["design"].nunique()}
            for equivalent in (True, False):
                names = declared.names(equivalent, crossed=True)
                share = _shares_within if equivalent else _shares_among
                drawn = share(usable, estimand, names, declared.names(not equivalent, crossed=True), n_boot, rng)
                for name, values in zip(names, drawn.T, strict=True):
                    if estimand in touched[name]:
                        rows.append(told | {"choice": name, "equivalent": equivalent} | _share(values))
    return pd.DataFrame(rows, columns=SHARES)


def _combined(results: pd.DataFrame, found: Designs, declared: Declared) -> pd.DataFrame:
    """Every combination with the estimates of the design it leads to, a column for each estimand."""
    wide = results.pivot(index="design", columns="estimand", values="estimate")
    return found.combinations.join(wide.reindex(columns=list(declared.estimands)), on="design")


MOVES = ["source_kind", "estimand", "choice", "option", "equivalent", "pairs", "smallest", "middle", "largest",
         "name", "unit"]  # fmt: skip


def moves(results: pd.DataFrame, found: Designs, declared: Declared) -> pd.DataFrame:
    """How far each option moves each estimate from where the first option has it, all else equal.

    Returns
    -------
    pandas.DataFrame
        MOVES, one row for each option but the first. `pairs` are pairs of combinations that differ in this option only
        and can both be estimated; `smallest`, `middle` and `largest` of the estimate under the option less that under
        the first one, or for months and ratios divided by it; `unit` is then "ratio". `name` is that of the value.
    """
    combined = _combined(results, found, declared)
    names, units = [choice.id for choice in declared.choices], study_of(declared.study).UNITS
    touched = {choice.id: choice.touches for choice in declared.choices}
    rows = []
    for kind, own in _apart(combined):
        for choice in declared.choices:
            others = [name for name in names if name != choice.id]
            first = own[own[choice.id] == choice.options[0]].set_index(others)
            for option in choice.options[1:] if choice.id != study_of(declared.study).APART else ():
                then = own[own[choice.id] == option].set_index(others)
                for estimand in touched[choice.id]:
                    relative = units[estimand] in RELATIVE
                    pair = first[[estimand]].join(then[estimand].rename("then"), how="inner").dropna()
                    change = pair["then"] / pair[estimand] if relative else pair["then"] - pair[estimand]
                    told = [change.min(), change.median(), change.max()]
                    name = _named("moves", kind, estimand, choice.id, words(option).replace(" ", "_"))
                    unit = "ratio" if relative else units[estimand]
                    rows.append([kind, estimand, choice.id, option, choice.equivalent, len(pair), *np.round(told, 9),
                                 name, unit])  # fmt: skip
    return pd.DataFrame(rows, columns=MOVES)


def idle(found: Designs, declared: Declared) -> list[str]:
    """Choices with several options none of which leads to another design than the first, whatever else is chosen."""
    names, combinations = [choice.id for choice in declared.choices], found.combinations
    still = []
    for choice in declared.choices:
        others = [name for name in names if name != choice.id]
        several = len(choice.options) > 1
        if several and combinations.groupby(others, sort=False)["design"].nunique().max() == 1:
            still.append(choice.id)
    return still


def _share(values: np.ndarray) -> dict:
    """The first value with percentiles of the others; rounded, so that what moves nothing has 0."""
    if np.isnan(values[0]):
        blank = dict.fromkeys(("share", "low", "high"), np.nan)
        return blank | {"reason": "no estimable designs differ in what is compared"}
    low, high = np.nanquantile(values[1:], [0.025, 0.975]) if len(values) > 1 else (np.nan, np.nan)
    return {"share": round(values[0], 9), "low": round(low, 9), "high": round(high, 9), "reason": ""}


def _shares_within(usable: pd.DataFrame, estimand: str, names, others, n_boot: int, rng) -> np.ndarray:
    """Shares (1 + n_boot, names) of choices in the variation within cells, which are combinations of `others`."""
    cells = usable.groupby(others, sort=False)[estimand]
    away = usable[estimand] - cells.transform("mean")
    cell = cells.ngroup()
    whole = (away**2).groupby(cell).sum().to_numpy()
    parts = []
    for name in names:
        main = away.groupby([cell, usable[name]]).transform("mean")
        parts.append((main**2).groupby(cell).sum().to_numpy())
    weight = _draws(len(whole), n_boot, rng)
    return _ratio(weight @ np.array(parts).reshape(len(names), len(whole)).T, weight @ whole, usable[estimand])


def _shares_among(usable: pd.DataFrame, estimand: str, names, others, n_boot: int, rng) -> np.ndarray:
    """Shares (1 + n_boot, names) of choices in the variation of cell means; cells are combinations of `names`."""
    if not len(usable):
        return np.full((1, len(names)), np.nan)
    cells, under = (usable.groupby(by, sort=False).ngroup().to_numpy() for by in (names, others))
    n_cells, n_under = cells.max() + 1, under.max() + 1
    filled = np.zeros((n_cells, n_under))
    np.add.at(filled, (cells, under), 1.0)
    sums = np.zeros((n_cells, n_under))
    np.add.at(sums, (cells, under), usable[estimand].to_numpy(dtype=float))
    weight = _draws(n_under, n_boot, rng)
    with np.errstate(invalid="ignore"):
        means = (weight @ sums.T) / (weight @ filled.T)  # NaN for a cell of which nothing was drawn
    away = np.nan_to_num(means - np.nanmean(means, axis=1, keepdims=True))
    there = ~np.isnan(means)
    parts = []
    for name in names:
        first = pd.Series(pd.factorize(usable[name])[0]).groupby(cells).first().to_numpy()
        option = np.eye(first.max() + 1)[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(np.nansum((away @ option) ** 2 / (there @ option), axis=1))
    return _ratio(np.array(parts).T, np.sum(away**2, axis=1), usable[estimand])


def _draws(n: int, n_boot: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of n is counted (1 + n_boot, n): first each once, then as drawn with replacement."""
    if not n:
        return np.ones((1, 0))
    return np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=n_boot)])


def _ratio(parts: np.ndarray, whole: np.ndarray, values: pd.Series) -> np.ndarray:
    """Parts (B, m) of totals (B,); NaN where nothing varies beyond rounding."""
    least = 1e-18 * float((values**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole[:, None] > least, parts / whole[:, None], np.nan)


# --- Influence of each source, and of each country --------------------------------------------------------------------


def near(found: Designs, declared: Declared) -> list[Design]:
    """The first design of each kind of source, and all that differ from it in one choice only."""
    firsts = [design.combination for design in references(found).values()]
    by_hash = {design.hash: design for design in found.distinct}
    every = found.combinations.drop(columns="design")
    differing = pd.concat([every.ne(pd.Series(first)).sum(axis=1) for first in firsts], axis=1).min(axis=1)
    hashes = dict.fromkeys(found.combinations.loc[differing <= 1, "design"])
    return [by_hash[hashed] for hashed in hashes]


def leave_one_source_out(table: pd.DataFrame, study: Study, combinations: list[Combination]) -> pd.DataFrame:
    """Every estimand of some designs without each source; without intervals.

    A row that names several sources goes with each of them: it cannot be told which of them it would stay without.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table, or as of `evidence.with_coders`.

    Returns
    -------
    pandas.DataFrame
        INFLUENCE. `without` is a source, or blank for the design with all; `change` is the estimate without the source
        less that with all; `reason` says why there is none. Sources that do not inform a design are left out.
    """
    rows = []
    for combination in combinations:
        whole = within.rows_of(table, study, combination)
        base, why = _points(within, whole, combination)
        informing = table["evidence_id"].isin(set(whole.table["cluster"])) & table["used"].eq(1)
        named = table.loc[informing, "source_id"].str.split(";")
        hashed = within.digest(whole, combination)
        for source in ["", *sorted(set(named.explode()))]:
            found, reason = base, why
            if source:
                left = table[~table["source_id"].fillna("").str.split(";").map(lambda ids, s=source: s in ids)]
                found, reason = _points(within, within.rows_of(left, study, combination), combination)
            for name in whole.estimands:
                change = found[name] - base[name] if source else np.nan
                told = (combination["source_kind"], name, source, found[name], change, reason)
                rows.append(dict(zip(INFLUENCE, (hashed, *told), strict=True)))
    return pd.DataFrame(rows, columns=INFLUENCE)


def _points(study, rows, combination: Combination) -> tuple[dict[str, float], str]:
    """Estimates of a design of a study's module, NaN with the reason where there are none."""
    try:
        return study.points(rows, combination), ""
    except (NotEstimable, NotConverged) as refusal:
        return dict.fromkeys(rows.estimands, np.nan), refusal.reason


WITHOUT = ["design", "without", "estimand", "estimate", "low", "high", "reason"]


def leave_one_country_out(
    tables_: between.Tables, study: between.Study, combination: Combination, countries: list[str]
) -> list[dict]:
    """Every estimand of a design of the comparison without the sentences of each country.

    Parameters
    ----------
    countries : list of str
        A blank stands for none.

    Returns
    -------
    list of dict
        Rows in WITHOUT columns. `design` is that with all countries.
    """
    hashed = between.digest(between.rows_of(tables_, study, combination), combination)
    rows = []
    for iso3 in countries:
        found = fit_design(tables_.without(iso3), study, combination)
        rows += [{name: (row | {"design": hashed, "without": iso3})[name] for name in WITHOUT} for row in found]
    return rows


def country_influence(left_out: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    """Estimate without each country divided by that with all; of each estimand the farthest from 1 first.

    Parameters
    ----------
    left_out : pandas.DataFrame
        WITHOUT columns, with the rows of no country.
    wanted : list of str
        Estimands.

    Returns
    -------
    pandas.DataFrame
        `estimand`, `iso3`, `country`, `change` (NaN where nothing is estimated without it), `reason`.
    """
    own = left_out[left_out["estimand"].isin(wanted)]
    whole = own[own["without"] == ""].set_index("estimand")["estimate"]
    own = own[own["without"] != ""]
    change = (own["estimate"] / own["estimand"].map(whole)).round(9)
    table = own[["estimand", "reason"]].assign(iso3=own["without"], change=change)
    table = table.assign(country=table["iso3"].map(schemas.country_name), far=np.log(change).abs(),
                         place=table["estimand"].map(wanted.index))  # fmt: skip
    ordered = table.sort_values(["place", "far", "iso3"], ascending=[True, False, True], ignore_index=True)
    return ordered[["estimand", "iso3", "country", "change", "reason"]]


def shown_country_influence(changes: pd.DataFrame, declared: Declared, n: int) -> pd.DataFrame:
    """Of `country_influence` the so many countries that move each estimand farthest, for a page."""
    rows = []
    for estimand, own in changes.groupby("estimand", sort=False):
        told = [f"{r.country} × {r.change:.2f}" for r in own.dropna(subset=["change"]).head(n).itertuples()]
        ends = f"× {own['change'].min():.2f} to × {own['change'].max():.2f}"
        rows.append([declared.estimands[estimand], ends, "; ".join(told), int(own["change"].isna().sum())])
    return pd.DataFrame(rows, columns=["what", "without_any_one_country", "farthest", "no_estimate_without"])


def source_influence(influence: pd.DataFrame) -> pd.DataFrame:
    """Changes without each source: in the first design of each kind, and their range over all designs looked at.

    Parameters
    ----------
    influence : pandas.DataFrame
        As of `leave_one_source_out`, the designs in the order of `near`.

    Returns
    -------
    pandas.DataFrame
        `source_kind`, `estimand`, `without`; `change` in the first design, `smallest` and `largest` change in any;
        `designs` that the source informs and that can be estimated with it, `lost` of these that cannot without it;
        `name` and `unit` of the value.
    """
    rows = []
    for (kind, estimand, source), own in influence.groupby(["source_kind", "estimand", "without"], sort=False):
        if not source:
            continue
        base = influence[influence["estimand"].eq(estimand) & influence["without"].eq("")]
        could = base.loc[base["estimate"].notna(), "design"]
        published = influence.loc[influence["source_kind"] == kind, "design"].iloc[0]
        first = own.loc[own["design"] == published, "change"].max()  # NaN where it does not inform that design
        own = own[own["design"].isin(could)]
        lost = int(own["change"].isna().sum())
        name = f"without_{kind}_{estimand}_{source.replace('-', '_')}"
        rows.append([kind, estimand, source, first, own["change"].min(), own["change"].max(), len(own), lost, name,
                     within.UNITS[estimand]])  # fmt: skip
    columns = ["source_kind", "estimand", "without", "change", "smallest", "largest", "designs", "lost", "name", "unit"]
    return pd.DataFrame(rows, columns=columns)


# --- Is there a trend? ------------------------------------------------------------------------------------------------


class PermutationTest(NamedTuple):
    """Test that terms of one kind of source do not change with the years.

    Attributes
    ----------
    designs : pandas.DataFrame
        One row each: `design`, `trend_percent`, `p_value`, `failed` permutations, `reason` why it is no valid design.
    statistic : float
        Absolute value of the median trend of valid designs, percent a year.
    p_value : float
        Of that, all designs together.
    permutations, groups : int
        Drawn permutations, and published groups whose years were exchanged.
    arrangements : float
        Different ways to deal the years out: no p can lie below 1 / arrangements.
    """

    designs: pd.DataFrame
    statistic: float
    p_value: float
    permutations: int
    groups: int
    arrangements: float


def permutation_test(
    table: pd.DataFrame, study: Study, combinations: list[Combination], *, permutations: int = 199, seed: int
) -> PermutationTest:
    """Exchange the years of published groups of one kind of source, refit, and see how often a trend is as large.

    A published group keeps its rows together, since their numbers come from one base. Each permutation is the same for
    all designs, so that they can be tested together. p = (1 + as large) / (1 + permutations); a permutation that a
    design cannot be fitted to counts as large.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    combinations : list
        Of designs with a trend, of one kind of source. Those that cannot be estimated are named and left out.

    Raises
    ------
    ValueError
        For designs without a trend or of several kinds of source.
    NotEstimable
        When no design is valid.
    """
    kinds = {combination["source_kind"] for combination in combinations}
    if len(kinds) != 1 or any(combination["trend"] != "linear" for combination in combinations):
        raise ValueError(f"a permutation test needs designs with a trend, of one kind of source; found {sorted(kinds)}")
    several = [within.rows_of(table, study, combination) for combination in combinations]
    year_of = {}
    for rows in several:
        own = rows.table[rows.table["kind"] == rows.target]
        year_of |= dict(zip(own["cluster"], own["year"].astype(int), strict=True))
    groups = sorted(year_of)
    years = np.array([year_of[group] for group in groups])
    rng = np.random.default_rng(seed)
    dealt = np.array([years, *(rng.permutation(years) for _ in range(permutations))]).reshape(-1, len(groups))
    lines, slopes = [], []
    for combination, rows in zip(combinations, several, strict=True):
        line = {"trend_percent": np.nan, "p_value": np.nan, "failed": 0, "reason": ""}
        try:
            found = _permuted(rows, combination, groups, dealt)
            line |= {"trend_percent": 100 * math.expm1(found[0]), "p_value": _p_value(np.abs(found)),
                     "failed": int(np.isnan(found).sum())}  # fmt: skip
            slopes.append(found)
        except (NotEstimable, NotConverged) as refusal:
            line["reason"] = refusal.reason
        lines.append(combination | line)
    if not slopes:
        raise NotEstimable("no design has a trend to test; " + "; ".join(sorted({line["reason"] for line in lines})))
    together = np.abs(np.median(np.array(slopes), axis=0))  # NaN where any design failed
    arrangements = math.factorial(len(years)) / math.prod(math.factorial(n) for n in Counter(years.tolist()).values())
    return PermutationTest(pd.DataFrame(lines), 100 * math.expm1(together[0]), _p_value(together), permutations,
                           len(groups), arrangements)  # fmt: skip


def _p_value(statistic: np.ndarray) -> float:
    """Of the first among all; what is missing counts as large."""
    observed = statistic[0]
    return float(np.mean(~(statistic < observed * (1 - _SAME))))


def _permuted(rows: Rows, combination: Combination, groups: list[str], dealt: np.ndarray) -> np.ndarray:
    """Slope under each deal of years (B, groups), NaN where not determined; the first is fitted by itself too.

    Each row stands there once for every year, and a deal gives weight to one of them: all refits are one batch.
    """
    chosen = (combination["grid_months"], combination["family"])
    fitted = within.fit(rows, *chosen)
    calendar = np.unique(dealt)
    target = (rows.table["kind"] == rows.target).to_numpy()
    copies = np.where(target, len(calendar), 1)
    source = np.repeat(np.arange(len(target)), copies)
    start = np.cumsum(copies) - copies
    turn = np.arange(len(source)) - start[source]
    table = rows.table.iloc[source].reset_index(drop=True)
    own = target[source]
    table["year"] = np.where(own, calendar[np.where(own, turn, 0)].astype(float), np.nan)
    number = {group: place for place, group in enumerate(groups)}
    place = np.array([number.get(cluster, 0) for cluster in table["cluster"]])
    label = np.where(own, place * len(calendar) + turn, len(groups) * len(calendar))
    sizes = tuple(
        UnknownSize([int(start[row]) + k for row in group.rows], group.counts, group.log_weight)
        for group in rows.unknown_sizes
        for k in range(copies[group.rows[0]])
    )
    copied = rows._replace(table=table, unknown_sizes=sizes)
    times = (dealt[:, :, None] == calendar).reshape(len(dealt), -1).astype(float)
    times = np.column_stack([times, np.ones(len(dealt))])
    regression = within.model(copied, *chosen, copied.exog())
    found, good = refit(regression, fitted.params.to_numpy(), fitted._free, label, times)
    return np.where(good, found[:, regression.param_names.index("trend")], np.nan)


# --- What stays -------------------------------------------------------------------------------------------------------


def survives(results: pd.DataFrame) -> dict[str, str]:
    """For each kind of source, what holds in every design that can be estimated; in words.

    Only what all say is said of them together. Where they disagree that is told, without counting votes: choices are
    not alike, and their number is nobody's probability.
    """
    found = {}
    for kind, own in _apart(results):
        name = estimands.KINDS[kind].capitalize()
        n = own["design"].nunique()
        estimated = {e: curve(own, kind, e) for e in within.ESTIMANDS}
        k = len(estimated["median_months"])
        if not k:
            found[kind] = f"{name}: none of {n} designs can be estimated."
            continue
        median, band = estimated["median_months"], estimated["share_36_60"]
        low, high = median["estimate"].min(), median["estimate"].max()
        told = [
            f"{name}: {k} of {n} distinct designs can be estimated. In every one of these the median term lies from "
            f"{low:.0f} to {high:.0f} months",
            _settled(band, 0.5, f"more than half {BAND}", f"half or fewer {BAND}"),
        ]
        if len(estimated[TREND]):
            rises, falls = "the median term rises over the years", "the median term falls over the years or stays"
            told.append(_settled(estimated[TREND], 0.0, rises, falls))
        found[kind] = "; ".join(told) + "."
    return found


def survives_comparison(results: pd.DataFrame, country: str) -> dict[str, str]:
    """What holds in every design of the comparison that can be estimated, in words, by what it is about.

    Parameters
    ----------
    country : str
        Name of the marked country.
    """
    n, k = results["design"].nunique(), len(curve(results, "", "factor"))
    if not k:
        return {"countries": f"None of {n} designs can be estimated."}

    def span(estimand: str, form: str, factor: float = 1.0) -> str:
        values = factor * curve(results, "", estimand)["estimate"]
        return f"{format(values.min(), form)} to {format(values.max(), form)}"

    found = {
        "countries": f"Countries differ under every choice: in all {k} of {n} distinct designs that can be estimated, "
        f"sentences in a country one spread above the common level are {span('factor', '.1f')} times as long as at "
        f"that level. The median at the common level lies from {span('common_median', '.0f')} months."
    }
    told = []
    for tier, label in (
        ("watch_list_ratio", "on the Watch List"),
        ("tier_1_ratio", "in Tier 1"),
        ("tier_3_ratio", "in Tier 3"),
    ):
        rows = curve(results, "", tier)
        if len(rows):
            longer, shorter = (f"sentences {label} are {how} than in Tier 2" for how in ("longer", "shorter"))
            told.append(f"{_settled(rows, 1.0, longer, shorter)}, with ratios from {span(tier, '.2f')}")
    rows = curve(results, "", "rule_of_law_ratio")
    if len(rows):
        longer, shorter = (f"sentences are {how} where the rule of law is stronger" for how in ("longer", "shorter"))
        told.append(f"{_settled(rows, 1.0, longer, shorter)}, with ratios from {span('rule_of_law_ratio', '.2f')}")
    if told:
        found["covariates"] = f"Of the designs with such covariates: {'; '.join(told)}."
    rows = curve(results, "", "country_ratio")
    found["country"] = f"{country}: no design gives a median."
    if len(rows):
        longer, shorter = (f"it is {how} than at the common level" for how in ("longer", "shorter"))
        found["country"] = (
            f"{country}: {len(rows)} designs give a median, from {span('country_median', '.0f')} months; "
            f"{_settled(rows, 1.0, longer, shorter)}. Of the other countries with a median "
            f"{span('share_below', '.0f', 100)} % lie below it."
        )
    return found


def _settled(rows: pd.DataFrame, limit: float, above: str, below: str) -> str:
    """Whether all estimates, and all intervals, lie on one side of a limit."""
    over, under = (rows["estimate"] > limit).all(), (rows["estimate"] <= limit).all()
    if not (over or under):
        return f"designs disagree whether {above}"
    beyond = rows["low"] > limit if over else rows["high"] < limit  # an open end is beyond nothing
    sure = "all intervals agree" if beyond.all() else "no interval is clear of the contrary" if not beyond.any() else (
        "not all intervals are clear of the contrary")  # fmt: skip
    return f"in every one {above if over else below} ({sure})"


# --- For pages --------------------------------------------------------------------------------------------------------


def shown_choices(declared: Declared) -> pd.DataFrame:
    """The declared choices for a page, equivalent ones first."""
    ordered = sorted(declared.choices, key=lambda choice: not choice.equivalent)
    return pd.DataFrame(
        {
            "choice": [words(choice.id) for choice in ordered],
            "options": [
                ", ".join(words(option) + " (alone)" * (option in choice.alone) for option in choice.options)
                for choice in ordered
            ],
            "equivalent": ["yes" if choice.equivalent else "no" for choice in ordered],
            "why it can be made in more than one way": [choice.reason for choice in ordered],
        }
    )


def words(text) -> str:
    """The name of a choice, an option or an estimand as a page says it."""
    return f"{text:g}" if isinstance(text, float) else str(text).replace("_", " ")


def counts(found: Designs, results: pd.DataFrame) -> pd.DataFrame:
    """How many designs there are, and how many rows their results have; REPORTED.

    Raises
    ------
    ValueError
        When the results are not those of these designs, as after a change of evidence or choices.
    """
    theirs, ours = set(results["design"]), {design.hash for design in found.distinct}
    if theirs != ours:
        raise ValueError(
            f"the results are of other designs ({len(ours - theirs)} are missing, {len(theirs - ours)} too many); "
            "make multiverse fits them anew"
        )
    numbers = {
        "product": ("combinations of all options", found.product),
        "excluded": ("combinations excluded", found.excluded),
        "duplicates": ("combinations that lead to a design already there", found.duplicates),
        "distinct": ("distinct designs", len(found.distinct)),
        "rows": ("results, one for each design and estimand", len(results)),
    }
    lines = [
        estimands.line(f"n_{key}", "all kinds of source", label, n, np.nan, np.nan, "number", n)
        for key, (label, n) in numbers.items()
    ]
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def fit_again(
    table,
    declared: Declared,
    found: Designs,
    results: pd.DataFrame,
    at_most: int | None = None,
    tolerance: float = 1e-4,
) -> str:
    """Fit the quick set of the declared designs here, without intervals, and compare with the results; in words.

    Parameters
    ----------
    table
        What the study takes: see `multiverse.load`.
    found : Designs
        Those that the choices lead to.
    at_most : int, optional
        Take so many of the set, evenly.

    Raises
    ------
    ValueError
        When an estimate is not that of the results, relatively to the tolerance, or is in one place only.
    """
    recorded = results.set_index(["design", "estimand"])["estimate"]
    study = study_of(declared.study)
    quick = found.combinations
    for choice in declared.quick().choices:
        quick = quick[quick[choice.id].isin(choice.options)]
    wanted = set(quick["design"])
    again, differing = _evenly([design for design in found.distinct if design.hash in wanted], at_most), []
    for design in again:
        rows = study.rows_of(table, declared.study, design.combination)
        for name, value in _points(study, rows, design.combination)[0].items():
            before = recorded[(design.hash, name)]
            if not (np.isclose(value, before, rtol=tolerance, atol=1e-6) or np.isnan(value) and np.isnan(before)):
                differing.append(f"{design.hash} {name}: {before:g} before, {value:g} now")
    if differing:
        raise ValueError(
            "designs give other estimates than those written down; make multiverse: " + "; ".join(differing)
        )
    which = "those" if at_most is None else "taken evenly from those"
    return f"{len(again)} designs, {which} of two options of each choice, were fitted again for this page: all agree."


def _evenly(several, at_most: int | None) -> list:
    """So many of a sequence, evenly spaced; all where no number is given."""
    n = len(several) if at_most is None else min(at_most, len(several))
    return [several[place] for place in np.unique(np.linspace(0, len(several) - 1, n).astype(int))]


def shown_idle(found: Designs, declared: Declared) -> str:
    """`idle` in words."""
    names = [words(name) for name in idle(found, declared)]
    return f"Choices that lead to no other rows here, whatever their option: {', '.join(names) or 'none'}."


def shown_exclusions(found: Designs) -> pd.DataFrame:
    """Exclusions for a page; one that others have made needless has none."""
    return pd.DataFrame({"why": list(found.by_exclusion), "combinations": list(found.by_exclusion.values())})


def reasons(results: pd.DataFrame) -> pd.DataFrame:
    """For each kind of source and estimand the designs, the estimable ones, and the reasons of the others in words."""
    rows = []
    for kind, estimand, own in _by_estimand(results):
        # A design with an estimate can have a reason too, why it lacks an interval by bootstrap.
        counted = own.loc[own["estimate"].isna(), "reason"].value_counts()
        told = "; ".join(f"{reason} ({n})" for reason, n in counted.items())
        what = ", ".join(filter(None, [estimands.KINDS.get(kind, ""), words(estimand)]))
        estimable = int(own["estimate"].notna().sum())
        rows.append([kind, estimand, what, len(own), estimable, told or "–"])
    return pd.DataFrame(rows, columns=["source_kind", "estimand", "what", "designs", "estimable", "why_not"])


def shown_reasons(found: pd.DataFrame) -> pd.DataFrame:
    """`reasons` for a page."""
    return found[["what", "designs", "estimable", "why_not"]]


def _by_estimand(frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Kind of source (blank where none is told apart), estimand, and their rows."""
    for kind, own in _apart(frame):
        for estimand, rows in own.groupby("estimand", sort=False):
            yield kind, estimand, rows


def ranges(results: pd.DataFrame, declared: Declared, source_ids: str) -> pd.DataFrame:
    """Smallest and largest estimate, and the widest interval, of each kind of source and estimand; REPORTED."""
    lines = []
    units = study_of(declared.study).UNITS
    for kind, estimand, own in _by_estimand(results):
        usable = own.dropna(subset=["estimate"])
        if not len(usable):
            continue
        people = 0 if np.isnan(own["people"].iloc[0]) else int(own["people"].iloc[0])
        about = (units[estimand], people, source_ids)
        label, group = declared.estimands[estimand], estimands.KINDS.get(kind, "all designs")
        intervals = usable[["low", "high"]].notna().any(axis=None)
        for key, what, low, high in (
            ("estimates", "estimates", usable["estimate"].min(), usable["estimate"].max()),
            ("intervals", "widest 95 % intervals", usable["low"].min(), usable["high"].max()),
        )[: 2 if intervals else 1]:
            told = (_named("range", kind, estimand, key), group, f"{label}: {what}", np.nan, low, high)
            lines.append(estimands.line(*told, *about))
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def shown_shares(shares: pd.DataFrame, declared: Declared) -> pd.DataFrame:
    """For each kind of source and estimand the choices that move it, the strongest first; percent."""
    rows = []
    for kind, estimand, own in _by_estimand(shares):
        cells = {}
        for equivalent, head in ((True, "equivalent choices"), (False, "other choices")):
            part = own[own["equivalent"].eq(equivalent) & own["share"].ge(0.01)].sort_values("share", ascending=False)
            cells[head] = "; ".join(
                f"{words(r.choice)} {100 * r.share:.0f} ({100 * r.low:.0f} to {100 * r.high:.0f})"
                for r in part.itertuples()
            )
        if any(cells.values()):
            what = ": ".join(filter(None, [estimands.KINDS.get(kind, ""), declared.estimands[estimand]]))
            what = what[0].upper() + what[1:]
            rows.append({"what": what} | {head: text or "none" for head, text in cells.items()})
    return pd.DataFrame(rows, columns=["what", "equivalent choices", "other choices"])


def shown_moves(moved: pd.DataFrame, declared: Declared, estimand: str) -> pd.DataFrame:
    """`moves` of one estimand for a page, the option that moves it farthest first."""
    relative = study_of(declared.study).UNITS[estimand] in RELATIVE
    own = moved[moved["estimand"].eq(estimand) & moved["pairs"].gt(0)]
    ends = own[["smallest", "largest"]]
    far = (np.log(ends) if relative else ends).abs().max(axis=1)
    own = own.assign(far=far).sort_values(["far", "choice", "option"], ascending=[False, True, True], kind="stable")
    form = "× {:.2f}" if relative else "{:+.2f}"
    told = {end: [form.format(value) for value in own[end]] for end in ("smallest", "middle", "largest")}
    firsts = {choice.id: words(choice.options[0]) for choice in declared.choices}
    head = {"choice": own["choice"].map(words), "option": own["option"].map(words),
            "against": own["choice"].map(firsts),
            "equivalent": own["equivalent"].map({True: "yes", False: "no"})}  # fmt: skip
    return pd.DataFrame(head | told | {"pairs": own["pairs"]}).reset_index(drop=True)


def shown_influence(influence: pd.DataFrame) -> pd.DataFrame:
    """`source_influence` for a page: a row for each kind of source and source, a column for each estimand.

    Without sources that inform a single design, as those of other kinds do where the spread is common.
    """
    own = influence[influence["estimand"].ne(TREND) & influence["designs"].gt(1)]
    texts = []
    for row in own.itertuples():
        factor = 1 if row.unit == "months" else 100
        # Rounded first: a change of nothing has no sign.
        ends = ["–" if np.isnan(end) else f"{round(factor * end) or 0:+.0f}"
                for end in (row.change, row.smallest, row.largest)]  # fmt: skip
        texts.append(ends[0] if ends[1] == ends[2] == ends[0] else f"{ends[0]} ({ends[1]} to {ends[2]})")
    lost = own["lost"].astype(str) + " of " + own["designs"].astype(str)
    wide = own.assign(told=texts, kind=own["source_kind"].map(estimands.KINDS), lost_without_it=lost)
    wide = wide.pivot(index=["kind", "without", "lost_without_it"], columns="estimand", values="told")
    wide = wide.reindex(columns=[e for e in within.ESTIMANDS if e in wide]).rename(columns=words)
    wide = wide.rename_axis(columns=None).reset_index().rename(columns={"without": "without source"})
    return wide[[*(c for c in wide if c != "lost_without_it"), "lost_without_it"]]


def trend_test(
    table: pd.DataFrame, declared: Declared, found: Designs, source_kind: str, n_designs: int, permutations: int,
    seed: int,
) -> PermutationTest:  # fmt: skip
    """`permutation_test` of so many designs with a trend, taken evenly from all of a kind of source."""
    trended = [d.combination for d in found.distinct
               if d.combination["source_kind"] == source_kind and d.combination["trend"] == "linear"]  # fmt: skip
    return permutation_test(table, declared.study, _evenly(trended, n_designs), permutations=permutations, seed=seed)


def trend_reported(test: PermutationTest, source_ids: str) -> pd.DataFrame:
    """The test in numbers; REPORTED."""
    valid = test.designs[test.designs["reason"].eq("")]
    rows = {
        "designs": ("designs tested", len(valid), np.nan, np.nan, "number"),
        "groups": ("published groups whose years are exchanged", test.groups, np.nan, np.nan, "number"),
        "slope": ("median trend of the designs, absolute", test.statistic, np.nan, np.nan, "percent"),
        "p": ("p value, all designs together", test.p_value, np.nan, np.nan, "p"),
        "p_each": ("p values of single designs", np.nan, valid["p_value"].min(), valid["p_value"].max(), "p"),
    }
    lines = [
        estimands.line(f"trend_{key}", "monitored judgments", label, *numbers, test.permutations, source_ids)
        for key, (label, *numbers) in rows.items()
    ]
    return pd.DataFrame(lines, columns=estimands.REPORTED)


def trend_told(test: PermutationTest) -> str:
    """The test in words."""
    valid = test.designs[test.designs["reason"].eq("")]
    slopes, p_values = valid["trend_percent"], valid["p_value"]
    return (
        f"In {len(valid)} designs the median term changes by {slopes.min():.1f} to {slopes.max():.1f} percent a year. "
        f"When the years of the {test.groups} published groups are dealt out anew {test.permutations} times, a median "
        f"slope as large comes up with p = {test.p_value:.2f} (single designs: {p_values.min():.2f} to "
        f"{p_values.max():.2f}). The years can be dealt in {test.arrangements:.0f} different ways."
    )
