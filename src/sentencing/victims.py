"""What the figures on victims can carry: shares, trends, comparisons, a scenario, and the undetected.

Figures of different bodies are kept apart throughout, and nothing is averaged. Where an answer is not determined by
what is published, the reason stands in its place.
"""

import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from . import centre, schemas, stages
from .models.errors import NotConverged, NotEstimable
from .sources import join_ids

CONFIDENCE = 0.95
Z_95 = stats.norm.ppf((1 + CONFIDENCE) / 2)

# --- Shares -------------------------------------------------------------------------------------------------------

DIVISIONS = {"sex": "sex", "age_group": "age", "exploitation": "form of exploitation"}
PARTS = {
    "child": "children",
    "adult": "adults",
    "female": "women and girls",
    "male": "men and boys",
    "sex": "sexual exploitation",
    "labor": "labour exploitation",
    "forced_begging": "forced begging",
    "forced_criminality": "forced criminality",
    "forced_marriage": "forced marriage",
    "multiple_exploitation": "several forms at once",
    "other_or_multiple_unclear": "other or several forms (unclear)",
    "other": "another form",
}
# Those that several years have; the figure shows them.
MAIN_PARTS = ("child", "female", "sex", "labor")

# How the rows of a table are kept as values; see `tables.Values.add_rows`.
SHARE_VALUES = {
    "name": "share_{body}_{year}_{part}", "value": "share", "unit": "share", "label": "{label}", "low": "low",
    "high": "high", "n": "base_n", "sources": "source_ids",
}  # fmt: skip
SHARE_COLUMNS = [
    "body", "year", "divided_by", "part", "count", "base_n", "base_from", "share", "low", "high", "source_ids", "label",
]  # fmt: skip


def shares(victims: pd.DataFrame, justice: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Shares of the identified victims of a year by sex, age and form of exploitation, body by body.

    Parameters
    ----------
    victims : pandas.DataFrame
        The processed table of the Centre's and others' figures (Serbia only); its `preferred` rows are used.
    justice : pandas.DataFrame
        The processed table of justice figures, used for countries other than Serbia.
    iso3 : str
        The country.

    Returns
    -------
    pandas.DataFrame
        SHARE_COLUMNS: `count` of `base_n` persons, `share` between 0 and 1 with the ends of its Wilson interval at
        CONFIDENCE; `base_from` tells whether the base was printed with the count, is the same body's total of that
        year, or whether the count was added up from parts that make up the base. Only full years (and the TIP
        Report's own year), only counts: a percentage is one only where the clean table turned it into one.
    """
    counted = _counted_in_serbia(victims) if iso3 == "SRB" else _counted_elsewhere(justice, iso3)
    counted = counted[counted["part"].isin(PARTS)].astype({"count": "int64", "base_n": "int64", "year": "int64"})
    low, high = proportion_confint(counted["count"], counted["base_n"], 1 - CONFIDENCE, method="wilson")
    counted = counted.assign(share=counted["count"] / counted["base_n"], low=low, high=high)
    place = counted["part"].map(list(PARTS).index)
    order = counted.assign(place=place).sort_values(["place", "body", "year"], ignore_index=True)
    labels = [
        f"{PARTS[row.part]} among victims identified in {row.year}, {stages.BODIES[row.body]}"
        for row in order.itertuples()
    ]
    return order.assign(label=labels)[SHARE_COLUMNS]


def shown_shares(found: pd.DataFrame) -> pd.DataFrame:
    """Shares for a page: a row for each body and year, a column for each part, "24 of 40: 60 % (45 to 74)"."""
    cells = [
        f"{row.count_} of {row.base_n}: {100 * row.share:.0f} % ({100 * row.low:.0f} to {100 * row.high:.0f})"
        for row in found.rename(columns={"count": "count_"}).itertuples()
    ]
    # Men and boys are those who are not women and girls.
    wide = found.assign(cell=cells)[found["part"] != "male"].pivot(
        index=["body", "year"], columns="part", values="cell"
    )
    ordered = [part for part in PARTS if part in wide]
    wide = wide[ordered].rename(columns=PARTS).rename_axis(columns=None).reset_index()
    return stages.in_labels(wide.astype("object").where(wide.notna(), None))


def _counted_in_serbia(victims: pd.DataFrame) -> pd.DataFrame:
    full = victims[
        victims["measure"].eq("victims_identified")
        & victims["period_kind"].eq("full_year")
        & victims["preferred"].eq(1)
        & victims["count"].notna()
    ].rename(columns={"series": "body", "dimension": "divided_by", "category": "part"})
    total = full[full["divided_by"].eq("total") & full["part"].eq("total")]
    totals = total.drop_duplicates(["body", "year"]).set_index(["body", "year"])["count"]
    own = pd.Series([totals.get((row.body, row.year), pd.NA) for row in full.itertuples()], full.index, "Int64")
    full = full.assign(
        base_from=full["base_n"].notna().map({True: "printed", False: "total of the year"}),
        base_n=full["base_n"].fillna(own),
    )
    columns = ["body", "year", "divided_by", "part", "count", "base_n", "base_from", "source_ids"]
    parts = full.loc[full["divided_by"].isin(DIVISIONS) & full["base_n"].notna(), columns]
    added = [row for _, cells in full[full["divided_by"] == "sex_x_age"].groupby(["body", "year"])
             for row in _margins(cells)]  # fmt: skip
    both = pd.concat([parts, pd.DataFrame(added, columns=columns)], ignore_index=True)
    return both.drop_duplicates(["body", "year", "divided_by", "part"])


def _margins(cells: pd.DataFrame) -> list[dict]:
    """Totals by sex and by age from the four groups of both, where these make up the base; else none."""
    counts = cells.set_index("part")["count"]
    groups = {f"{age}_{sex}": (age, sex) for age, sex in product(("adult", "child"), ("female", "male"))}
    bases = cells["base_n"].dropna().unique()
    if set(counts.index) != set(groups) or len(bases) != 1 or counts.sum() != bases[0]:
        return []
    known = {"body": cells["body"].iloc[0], "year": cells["year"].iloc[0], "base_n": bases[0], "base_from": "added up",
             "source_ids": join_ids(cells["source_ids"])}  # fmt: skip
    return [
        known | {"divided_by": division, "part": part,
                 "count": sum(counts[name] for name, both in groups.items() if part in both)}
        for division, part in (("sex", "female"), ("sex", "male"), ("age_group", "child"))
    ]  # fmt: skip


def _counted_elsewhere(justice: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Parts with the one total of the same body, edition and period; a part without just one total has no base."""
    rows = justice[
        justice["iso3"].eq(iso3)
        & justice["stage"].eq("victims_identified")
        & justice["unit"].isin(["persons", "unspecified"])
        & justice["value"].notna()
        & justice["part"].isna()
        & justice["period_kind"].isin(["calendar_year", "reporting_period"])
        & justice["qualifier"].isin(["exact", "derived", "none"])
    ].rename(columns={"series": "body", "reference_year": "year", "value": "count"})
    total = rows["exploitation"].eq("all") & rows["victim_group"].eq("all")
    by_form = rows["exploitation"].ne("all") & rows["victim_group"].eq("all")
    by_group = rows["exploitation"].eq("all") & rows["victim_group"].ne("all")
    same = ["body", "edition", "year", "period_start", "period_end", "unit", "law", "continuing"]
    totals = rows[total].drop_duplicates([*same, "count"]).drop_duplicates(same, keep=False)
    parts = rows[by_form | by_group].copy()
    parts["part"] = parts["exploitation"].where(by_form, parts["victim_group"])
    detail = parts["exploitation_detail"].map({
        "begging": "forced_begging", "criminality": "forced_criminality", "multiple": "multiple_exploitation",
    })  # fmt: skip
    parts["part"] = parts["part"].where(detail.isna(), detail)
    groups = {"child": "age_group", "adult": "age_group", "female": "sex", "male": "sex"}
    parts["divided_by"] = parts["part"].map(groups).fillna("exploitation")
    parts = parts.merge(totals[[*same, "count"]].rename(columns={"count": "base_n"}), on=same)
    parts = parts[(parts["base_n"] > 0) & (parts["count"] <= parts["base_n"])].sort_values("edition")
    return parts.drop_duplicates(["body", "year", "part"], keep="last").assign(base_from="total of the year")


def overlapping_forms(found: pd.DataFrame) -> pd.DataFrame:
    """Bodies and years whose forms of exploitation add up to more than the victims: `body`, `year`, `sum`, `base_n`."""
    forms = found[found["divided_by"] == "exploitation"]
    summed = forms.groupby(["body", "year"], as_index=False).agg(sum=("count", "sum"), base_n=("base_n", "max"))
    return summed[summed["sum"] > summed["base_n"]].reset_index(drop=True)


# --- Small counts -------------------------------------------------------------------------------------------------

# Those who know them can tell who fewer people than this are, if two traits are known of them.
SMALLEST_SHOWN = 3
WITHHELD = "withheld"
WITHHELD_NOTE = f"{WITHHELD}: fewer than three people, which no source prints, or a figure from which that would follow"

_AGES, _SEXES = ("child", "adult"), ("female", "male")
_TRAITS = {
    name.replace("_", " "): "age" if part in _AGES else "sex" if part in _SEXES else "form of exploitation"
    for part, label in PARTS.items()
    for name in (part, label)
    if name != "sex"  # a column of that name is about the other thing
}
_TRAITS |= {"sexual exploitation": "form of exploitation", "boys": "sex", "girls": "sex", "men": "sex", "women": "sex"}
_TRAITS |= {name.lower(): "citizenship" for name in [*schemas.COUNTRIES.values(), "foreign", "citizenship"]}


def trait(name: str) -> str:
    """Which trait of victims a name in a table is about: sex, age, form of exploitation, citizenship; else blank."""
    return _TRAITS.get(name.strip().lower().replace("_", " "), "")


def crossed(counted: pd.DataFrame, rows: str, columns: str, count: str = "count") -> pd.DataFrame:
    """Victims by two of their traits at once, with totals, for a page; small counts are withheld.

    Every table of victims that no source has printed as such is to be made by this, so that none of its cells tells of
    one or two people (`withheld`).

    Parameters
    ----------
    counted : pandas.DataFrame
        `count` (persons, whole numbers) by the columns named `rows` and `columns`; each person in one row only.
    rows, columns : str
        Names of the two traits.

    Returns
    -------
    pandas.DataFrame
        The column `rows`, one column for each value of the other trait, and "all"; last comes the row "all".

    Raises
    ------
    ValueError
        When a count is missing, negative or broken.
    """
    if counted[[rows, columns, count]].isna().any(axis=None):
        raise ValueError("a table by two traits needs every count and both traits of it")
    wide = counted.pivot_table(index=rows, columns=columns, values=count, aggfunc="sum", fill_value=0, sort=False)
    full = _with_totals(wide.to_numpy())
    cells = np.where(withheld(wide.to_numpy()), WITHHELD, full.astype("int64").astype(object))
    table = pd.DataFrame(cells, columns=[*map(str, wide.columns), "all"])
    table.insert(0, rows, [*wide.index, "all"])
    return table


def withheld(counts, published=None) -> np.ndarray:
    """Which entries of a table of persons must not be shown, so that nothing tells of one or two people.

    Withheld are counts under SMALLEST_SHOWN (totals too), and as many others as it takes for none of all these to
    follow from what is shown: for each several whole numbers remain possible (`possible_counts`). All are to be marked
    alike, so that nobody sees which is the small one. A zero is shown, since it is about nobody, and withheld it would
    be read as somebody; it may have to be withheld to protect a neighbour.

    Parameters
    ----------
    counts : array of shape (rows, columns)
        Whole numbers of persons, none negative; no person in two cells.
    published : array of bool of shape (rows + 1, columns + 1), optional
        Entries, the last row and column being totals, that a source has published as such. They are public and stay,
        so that a reader can check them.

    Returns
    -------
    array of bool of shape (rows + 1, columns + 1)

    Raises
    ------
    ValueError
        When counts are none, or when what is published gives a small count away whatever is withheld.
    """
    full = _with_totals(counts)
    stays = np.zeros(full.shape, bool) if published is None else np.asarray(published, bool)
    hidden = (full > 0) & (full < SMALLEST_SHOWN) & ~stays
    while len(exposed := _exposed(full, hidden)):
        hidden[_protector(full, hidden, ~hidden & ~stays, exposed[0])] = True
    return hidden


def possible_counts(full: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most that each withheld entry can be, by what is shown and by rows and columns adding up.

    Parameters
    ----------
    full, hidden : arrays of shape (rows + 1, columns + 1)
        A table with its totals, and which of its entries are withheld; of those only the place is used.

    Returns
    -------
    two arrays of the same shape
        Whole numbers, since each entry stands in one row and one column; what is shown stands in both.
    """
    low, high = full.copy(), full.copy()
    places = np.argwhere(hidden)
    equations = np.zeros((sum(full.shape), len(places)))
    known = np.zeros(sum(full.shape))
    # Of each line the total counts negatively, and the sum is nothing.
    signs = [np.where(np.arange(n) == n - 1, -1.0, 1.0) for n in full.shape]
    for line in range(full.shape[0]):
        known[line] = -(signs[1] * np.where(hidden, 0, full)[line]).sum()
    for line in range(full.shape[1]):
        known[full.shape[0] + line] = -(signs[0] * np.where(hidden, 0, full)[:, line]).sum()
    for variable, (row, column) in enumerate(places):
        equations[row, variable] = signs[1][column]
        equations[full.shape[0] + column, variable] = signs[0][row]
    # A total that is withheld with all that it is made of has no upper end; far above all is as good.
    most = 10 * full.max() + 10
    for variable, place in enumerate(map(tuple, places)):
        for sign, ends in ((1.0, low), (-1.0, high)):
            aim = sign * np.eye(len(places))[variable]
            ends[place] = round(sign * optimize.linprog(aim, A_eq=equations, b_eq=known, bounds=(0, most)).fun)
    return low, high


def _with_totals(counts) -> np.ndarray:
    """A table of persons with its totals as last row and column."""
    counts = np.asarray(counts, "float64")
    if counts.ndim != 2 or not counts.size or not np.isfinite(counts).all() or (counts < 0).any() or (counts % 1).any():
        raise ValueError("a table of persons has rows and columns of whole numbers, none missing and none negative")
    with_rows = np.hstack([counts, counts.sum(axis=1, keepdims=True)])
    return np.vstack([with_rows, with_rows.sum(axis=0, keepdims=True)])


def _exposed(full: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Places of withheld entries that what is shown gives away."""
    alone = hidden & ((hidden.sum(axis=1, keepdims=True) == 1) | (hidden.sum(axis=0, keepdims=True) == 1))
    if alone.any():  # by subtraction
        return np.argwhere(alone)
    low, high = possible_counts(full, hidden)
    return np.argwhere(hidden & (low == high))


def _protector(full: np.ndarray, hidden: np.ndarray, free: np.ndarray, exposed: np.ndarray) -> tuple[int, int]:
    """Which of the `free` entries is withheld next.

    One of a row or column in which a single one is withheld, since it follows by subtraction; else one beside the
    exposed entry. Rather one that leaves no other alone, rather no total, rather no zero, rather a small one.
    """
    if not free.any():
        raise ValueError("what is published gives a count of fewer than three people away, whatever is withheld")
    in_row, in_column = hidden.sum(axis=1), hidden.sum(axis=0)

    def worth(place):
        row, column = place
        completes = (in_row[row] == 1) + (in_column[column] == 1)
        leaves_alone = (in_row[row] == 0) + (in_column[column] == 0)
        beside = row == exposed[0] or column == exposed[1]
        is_total = row == full.shape[0] - 1 or column == full.shape[1] - 1
        return not completes, leaves_alone, not beside, is_total, full[place] == 0, full[place], place

    return min(map(tuple, np.argwhere(free)), key=worth)


# --- Trends -------------------------------------------------------------------------------------------------------

TREND_STAGES = ("reports_received", "victims_identified")
MIN_YEARS = 5
TREND_VALUES = {
    "value": "rate_ratio", "unit": "ratio", "label": "{label}", "low": "low", "high": "high", "n": "n_years",
    "sources": "source_ids",
}  # fmt: skip
TREND_COLUMNS = [
    "n_years", "first_year", "last_year", "model", "dispersion", "rate_ratio", "low", "high", "why_not",
]  # fmt: skip


def trend(years, counts) -> dict:
    """Regress yearly counts on the year, by maximum likelihood.

    The rate ratio of a Poisson regression with a log link. Where the counts scatter more than Poisson counts do, a
    negative binomial regression with variance mu + alpha mu^2 (NB2) takes its place.

    Parameters
    ----------
    years : sequence of int
        Each once.
    counts : sequence of int
        One for each year; a count that is withheld is missing.

    Returns
    -------
    dict
        TREND_COLUMNS. `dispersion` is Pearson's chi-squared of the Poisson regression divided by its degrees of
        freedom (about 1 for Poisson counts). `rate_ratio` is the factor from one year to the next, `low` and `high`
        its Wald interval at CONFIDENCE. `why_not` says why there is none: fewer than MIN_YEARS, a withheld count,
        no counts above zero.

    Raises
    ------
    ValueError
        When a year stands twice or a count is negative or broken.
    NotConverged
        When the negative binomial likelihood was not maximised.
    """
    table = pd.DataFrame({"year": years, "count": counts}).astype("Float64").sort_values("year")
    known = table["count"].dropna()
    if table["year"].duplicated().any() or (known < 0).any() or (known % 1 != 0).any():
        raise ValueError("a trend needs whole counts, none negative, and one for each year")
    found = dict.fromkeys(TREND_COLUMNS) | {"n_years": len(table), "why_not": ""}
    if len(table):
        found |= {"first_year": int(table["year"].min()), "last_year": int(table["year"].max())}
    if len(table) < MIN_YEARS:
        return found | {"why_not": f"fewer than {MIN_YEARS} years"}
    if len(known) < len(table):
        return found | {"why_not": "the count of a year is withheld"}
    if not known.sum():
        return found | {"why_not": "no year has any"}
    return found | _regressed(table["year"].to_numpy("float64"), table["count"].to_numpy("float64"))


def _regressed(years: np.ndarray, counts: np.ndarray) -> dict:
    design = sm.add_constant(years - years.mean())
    poisson = _poisson(counts, design)
    dispersion = poisson.pearson_chi2 / poisson.df_resid
    # Without the second condition the likelihood of NB2 is largest at alpha = 0, where it is that of Poisson.
    excess = ((counts - poisson.mu) ** 2 - counts).sum()
    if dispersion <= 1 or excess <= 0:
        return _ratio(poisson, "Poisson", dispersion)
    start = [*poisson.params, max(excess / (poisson.mu**2).sum(), 1e-3)]
    model = sm.NegativeBinomial(counts, design, loglike_method="nb2")
    # BFGS stops short; Newton's steps bring the digits that are written to the same place on every machine.
    near = model.fit(start_params=start, disp=0, maxiter=500)
    wider = model.fit(start_params=near.params, method="newton", disp=0, maxiter=100, tol=1e-10)
    if not wider.mle_retvals["converged"]:
        raise NotConverged(f"negative binomial regression of {len(counts)} yearly counts")
    return _ratio(wider, "negative binomial", dispersion)


def _poisson(counts: np.ndarray, design):
    """A Poisson regression with a log link. Its scale is 1: it may have as many parameters as there are counts."""
    # With no degrees of freedom left a scale that is not used would be divided by zero.
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # An exact fit sets it off, which lists and counts may well have; nothing is separated.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        return sm.GLM(counts, design, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=200, scale=1.0)


def _ratio(fitted, model: str, dispersion: float) -> dict:
    low, high = np.exp(np.asarray(fitted.conf_int(1 - CONFIDENCE))[1])
    numbers = {"dispersion": dispersion, "rate_ratio": np.exp(fitted.params[1]), "low": low, "high": high}
    return {"model": model} | {name: float(number) for name, number in numbers.items()}


def trends(yearly: pd.DataFrame) -> pd.DataFrame:
    """The trend of every body's own figures on reports received and on identified victims.

    Parameters
    ----------
    yearly : pandas.DataFrame
        As of `stages.yearly_figures`.

    Returns
    -------
    pandas.DataFrame
        `stage`, `body`, TREND_COLUMNS, `source_ids` and `label`, one row for each stage and body. What stands under
        "other or unnamed body" need not be one body's, so it has no trend.
    """
    rows = [
        {"stage": stage, "body": body} | _own_trend(body, own) | {"source_ids": join_ids(own["source_ids"])}
        for (stage, body), own in yearly.groupby(["stage", "body"], sort=False)
        if stage in TREND_STAGES
    ]
    return _as_trends(pd.DataFrame(rows, columns=["stage", "body", *TREND_COLUMNS, "source_ids"]), stages.BODIES)


def _own_trend(body: str, own: pd.DataFrame) -> dict:
    found = trend(own["year"], own["value"])
    if body == "other" and not found["why_not"]:
        blank = dict.fromkeys(("model", "dispersion", "rate_ratio", "low", "high"))
        return found | blank | {"why_not": "several or unnamed bodies, so no series"}
    return found


def trends_by_rule(victims: pd.DataFrame, sources, years: range, iso3: str) -> pd.DataFrame:
    """The trend of the national count when each disputed year is settled by a rule, for every rule.

    Parameters
    ----------
    victims, sources
        As for `centre.national_figures`; they are of Serbia, so for other countries nothing is returned.
    years : range
        Years looked at.

    Returns
    -------
    pandas.DataFrame
        `stage`, `rule`, TREND_COLUMNS, `years_disputed` (number of years whose figure depends on the rule),
        `source_ids` and `label`.
    """
    chosen = {rule: _national_totals(victims, rule, sources, years) for rule in centre.CONFLICT_RULES}
    rows = []
    for stage in TREND_STAGES if iso3 == "SRB" else ():
        by_rule = {rule: figures[figures["measure"] == stage] for rule, figures in chosen.items()}
        values = pd.DataFrame({rule: own.set_index("year")["count"] for rule, own in by_rule.items()})
        years_disputed = int((values.nunique(axis=1) > 1).sum())
        rows += [
            {"stage": stage, "rule": rule} | trend(own["year"], own["count"])
            | {"years_disputed": years_disputed, "source_ids": join_ids(own["source_ids"])}
            for rule, own in by_rule.items()
        ]  # fmt: skip
    columns = ["stage", "rule", *TREND_COLUMNS, "years_disputed", "source_ids"]
    rules = {rule: f"national count, rule {rule}" for rule in centre.CONFLICT_RULES}
    return _as_trends(pd.DataFrame(rows, columns=columns), rules)


def _national_totals(victims: pd.DataFrame, rule: str, sources, years: range) -> pd.DataFrame:
    figures = centre.national_figures(victims, rule, sources)
    total = figures["dimension"].eq("total") & figures["category"].eq("total")
    return figures[total & figures["period_kind"].eq("full_year") & figures["year"].isin(years)]


def _as_trends(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    numbers = ["dispersion", "rate_ratio", "low", "high"]
    whole = ["n_years", "first_year", "last_year"]
    # The second column tells whose trend it is.
    labels = [f"rate ratio a year, {row[1].replace('_', ' ')}, {names[row[2]]}" for row in frame.itertuples()]
    typed = frame.astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(whole, "Int64"))
    return typed.assign(label=pd.Series(labels, index=frame.index, dtype="object"))


def shown_trends(found: pd.DataFrame) -> pd.DataFrame:
    """Trends for a page: the years, the model, the change from one year to the next, or why there is none."""
    shown = stages.in_labels(found).assign(
        years=[f"{n}, {first} to {last}" for n, first, last in
               zip(found["n_years"], found["first_year"], found["last_year"], strict=True)],
        dispersion=found["dispersion"].round(1),
        rate_ratio=["–" if pd.isna(ratio) else f"{ratio:.2f}" for ratio in found["rate_ratio"]],
        interval=["–" if pd.isna(low) else f"{low:.2f} to {high:.2f}"
                  for low, high in zip(found["low"], found["high"], strict=True)],
        model=found["model"].astype("object").where(found["model"].notna(), None),
    )  # fmt: skip
    extra = [column for column in ("years_disputed", "why_not") if column in found and found[column].ne("").any()]
    whose = "rule" if "rule" in found else "body"
    return shown[["stage", whose, "years", "model", "dispersion", "rate_ratio", "interval", *extra]]


# --- Two publishers -----------------------------------------------------------------------------------------------

PAIR_COLUMNS = ["stage", "year", "tip", "unodc", "difference", "ratio", "agree", "source_ids"]


def tip_against_unodc(yearly: pd.DataFrame) -> pd.DataFrame:
    """Both figures of each stage and year that the TIP Report and UNODC count.

    Returns
    -------
    pandas.DataFrame
        PAIR_COLUMNS; figures, `difference` (TIP minus UNODC) and `ratio` (TIP to UNODC) as text, since a suppressed
        count makes a range of them. `agree` is "yes", "no", or "cannot be told" where they can be equal but need not.
    """
    rows = []
    for (stage, year), facts in yearly.groupby(["stage", "year"], sort=False):
        told = facts[facts["value_low"].notna() & facts["value_high"].notna()]
        figures = {row["body"]: row for row in told.to_dict("records")}
        if {"tip", "unodc"} <= figures.keys():
            tip, unodc = figures["tip"], figures["unodc"]
            both = {"source_ids": join_ids([tip["source_ids"], unodc["source_ids"]])}
            rows.append({"stage": stage, "year": year} | _compared(tip, unodc) | both)
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def shown_pairs(found: pd.DataFrame) -> pd.DataFrame:
    """The pairs of `tip_against_unodc` for a page."""
    return stages.in_labels(found).drop(columns="source_ids").rename(columns={"tip": "TIP", "unodc": "UNODC"})


def _compared(tip: dict, unodc: dict) -> dict:
    low, high = int(tip["value_low"]), int(tip["value_high"])
    other_low, other_high = int(unodc["value_low"]), int(unodc["value_high"])
    least, most = low - other_high, high - other_low
    ratio = "–" if not other_low else _span(f"{low / other_high:.2f}", f"{high / other_low:.2f}")
    return {
        "tip": _span(low, high), "unodc": _span(other_low, other_high), "difference": _span(least, most),
        "ratio": ratio, "agree": stages.agree(low, high, other_low, other_high),
    }  # fmt: skip


def _span(low, high) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


# --- Scenario -----------------------------------------------------------------------------------------------------

INDIAN_WORKERS = "Indian workers (Linglong site) named in ASTRA criminal complaint"
SCENARIO_VALUES = {
    "name": "scenario_{key}", "unit": "{unit}", "label": "{label}", "low": "scenario_low", "high": "scenario_high",
    "n": "base_n", "sources": "source_ids",
}  # fmt: skip
WORKER_COLUMNS = ["year", "workers", "low", "high", "source_ids"]
SCENARIO_COLUMNS = [
    "year", "base", "workers", "quantity", "published", "scenario_low", "scenario_high", "base_n", "source_ids",
    "key", "unit", "label",
]  # fmt: skip


def workers_not_identified(victims: pd.DataFrame, proceedings: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """Published numbers of foreign workers at one building site in Serbia whom nobody is known to have identified.

    Returns
    -------
    pandas.DataFrame
        WORKER_COLUMNS: the lowest and the highest published number of persons; empty for other countries.

    Raises
    ------
    ValueError
        When the tables no longer hold such a figure.
    """
    vietnamese = victims[
        victims["measure"].eq("victims_presumed")
        & victims["dimension"].eq("citizenship")
        & victims["category"].eq("vietnam")
        & victims["count"].notna()
    ]
    indian = proceedings[proceedings["indicator"].eq(INDIAN_WORKERS) & proceedings["unit"].eq("count")].rename(
        columns={"value": "count", "source_id": "source_ids"}
    )
    rows = []
    for workers, found in (("Vietnamese workers", vietnamese), ("Indian workers", indian)):
        if found.empty or found["year"].nunique() != 1:
            raise ValueError(f"{workers}: one year with a published number was expected; found {len(found)} rows")
        rows.append({"year": int(found["year"].iloc[0]), "workers": workers, "low": int(found["count"].min()),
                     "high": int(found["count"].max()), "source_ids": join_ids(found["source_ids"])})  # fmt: skip
    return pd.DataFrame(rows if iso3 == "SRB" else [], columns=WORKER_COLUMNS)


def detection_scenario(workers: pd.DataFrame, victims: pd.DataFrame, yearly: pd.DataFrame) -> pd.DataFrame:
    """How a year's identified victims would have read with these workers among them. Arithmetic, not evidence.

    Every worker is added as foreign and as exploited for labour; their sex is not in the tables, so it may be either.
    What a body does not publish about its own victims may be anything from none to all of them.

    Parameters
    ----------
    workers : pandas.DataFrame
        As of `workers_not_identified`.
    victims, yearly : pandas.DataFrame
        The processed table of victims, and the totals as of `stages.yearly_figures`, of Serbia.

    Returns
    -------
    pandas.DataFrame
        SCENARIO_COLUMNS, for each body's total (`base`) of the year: `quantity` is "victims" or "workers added"
        (persons), or the share of a part (0 to 1); `published` is missing where the body does not tell the part;
        `scenario_low` and `scenario_high` are the ends of the scenario. Where no body has a total of the full year,
        that of the longest part of it is taken.
    """
    rows = []
    for group in workers.to_dict("records"):
        for base in _bases(group["year"], victims, yearly):
            total = base["base_n"]
            known = {
                "year": group["year"],
                "base": base["base"],
                "body": base["body"],
                "workers": group["workers"],
                "base_n": total,
                "source_ids": join_ids([base["source_ids"], group["source_ids"]]),
            }
            totals = {"published": float(total), "scenario_low": float(total + group["low"]),
                      "scenario_high": float(total + group["high"])}  # fmt: skip
            rows.append(known | {"quantity": "victims"} | totals)
            added = {"published": float("nan"), "scenario_low": float(group["low"]),
                     "scenario_high": float(group["high"])}  # fmt: skip
            rows.append(known | {"quantity": "workers added"} | added)
            for part, all_workers in (("labour exploitation", True), ("foreign", True), ("men and boys", False)):
                low, high = base[part]
                ends = [
                    ((low + added * all_workers) / (total + added), (high + added) / (total + added))
                    for added in (group["low"], group["high"])
                ]
                found = {
                    "quantity": part,
                    "published": low / total if low == high else float("nan"),
                    "scenario_low": min(least for least, _ in ends),
                    "scenario_high": max(most for _, most in ends),
                }
                rows.append(known | found)
    for row in rows:
        row["unit"] = "persons" if row["quantity"] in ("victims", "workers added") else "share"
        row["key"] = f"{row['year']}_{row['body']}_{row['quantity'].replace(' ', '_')}"
        row["label"] = f"{row['quantity']} in {row['year']} had the {row['workers']} been recognised, {row['base']}"
    return pd.DataFrame(rows, columns=SCENARIO_COLUMNS)


def shown_scenario(found: pd.DataFrame) -> pd.DataFrame:
    """The scenario for a page: as published, and as it would have read; shares in percent."""
    is_total = found["quantity"].isin(["victims", "workers added"])
    published = [
        ("–" if total else "not published") if pd.isna(value) else f"{value:.0f}" if total else f"{100 * value:.0f} %"
        for value, total in zip(found["published"], is_total, strict=True)
    ]
    scenario = [
        _span(f"{low:.0f}", f"{high:.0f}") if total else _span(f"{100 * low:.0f}", f"{100 * high:.0f}") + " %"
        for low, high, total in zip(found["scenario_low"], found["scenario_high"], is_total, strict=True)
    ]
    return found[["year", "base", "workers", "quantity"]].assign(as_published=published, in_the_scenario=scenario)


def scenario_told(found: pd.DataFrame) -> str:
    """The scenario in a sentence for each base whose labour share is published; blank where there is none."""
    shown = shown_scenario(found)
    sentences = []
    for (year, base), rows in shown.groupby(["year", "base"], sort=False):
        by = rows.set_index("quantity")
        if by.loc["labour exploitation", "as_published"] != "not published":
            total, labour = by.loc["victims"], by.loc["labour exploitation"]
            sentences.append(
                f"{base}, {year}: {total['in_the_scenario']} victims instead of {total['as_published']}, and "
                f"{labour['in_the_scenario']} of them exploited for labour instead of {labour['as_published']}."
            )
    return " ".join(sentences)


def _bases(year: int, victims: pd.DataFrame, yearly: pd.DataFrame) -> list[dict]:
    """Every body's total of the year, with the parts it publishes (persons, or missing)."""
    own = victims[
        victims["measure"].eq("victims_identified") & victims["preferred"].eq(1) & victims["year"].eq(year)
        & victims["count"].notna() & victims["series"].isin([*centre.NATIONAL_SERIES, "unodc"])
    ]  # fmt: skip
    totals = yearly[yearly["stage"].eq("victims_identified") & yearly["year"].eq(year) & yearly["value"].notna()]
    totals = stages.comparable(totals)
    bases = [{"body": t["body"], "base": stages.BODIES[t["body"]], "base_n": int(t["value"]),
              "source_ids": t["source_ids"], "kind": "full_year"} for t in totals.to_dict("records")]  # fmt: skip
    if not bases:
        partial = own[own["period_kind"].eq("part_year") & own["dimension"].eq("total") & own["category"].eq("total")]
        longest = partial[partial["period_end"].eq(partial["period_end"].max())]
        bases = [{"body": t["series"], "base": f"{stages.BODIES[t['series']]}, to {t['period_end']}",
                  "base_n": int(t["count"]), "source_ids": t["source_ids"], "kind": "part_year"}
                 for t in longest.to_dict("records")]  # fmt: skip
    for base in bases:
        base |= _known_parts(own[own["series"].eq(base["body"]) & own["period_kind"].eq(base["kind"])], base["base_n"])
    return bases


def _known_parts(own: pd.DataFrame, total: int) -> dict[str, tuple[int, int]]:
    """Least and most persons of each part among a body's victims, as far as the body's own figures tell."""
    counts = own.drop_duplicates(["dimension", "category"]).set_index(["dimension", "category"])["count"]

    def told(dimension, category):
        return counts.get((dimension, category), pd.NA)

    labour, foreign = told("exploitation", "labor"), told("citizenship", "foreign")
    citizens = told("citizenship", "serbia")
    male, crossed = told("sex", "male"), told("sex_x_age", "adult_male") + told("sex_x_age", "child_male")
    male = crossed if pd.isna(male) else male
    not_citizens = total if pd.isna(citizens) else total - int(citizens)
    limits = {"labour exploitation": (labour, total), "foreign": (foreign, not_citizens), "men and boys": (male, total)}
    return {part: (0, most) if pd.isna(n) else (int(n), int(n)) for part, (n, most) in limits.items()}


# --- Outside estimate ---------------------------------------------------------------------------------------------

OUTSIDE_COLUMNS = [
    "body", "period", "detected", "ratio_low", "ratio_high", "quoted_low", "quoted_high", "source_ids", "key",
    "label",
]  # fmt: skip
OUTSIDE_VALUES = {
    "name": "outside_{key}", "low": "quoted_low", "high": "quoted_high", "unit": "persons", "label": "{label}",
    "n": "detected",
    "sources": "source_ids",
}  # fmt: skip
RATIO_VALUES = {
    "name": "outside_ratio", "value": "ratio_low", "unit": "ratio",
    "label": "estimated to detected victims as others published it, the lower end", "low": "ratio_low",
    "high": "ratio_high", "sources": "source_ids",
}  # fmt: skip


def outside_benchmark(estimates: pd.DataFrame, yearly: pd.DataFrame, victims: pd.DataFrame, iso3: str) -> pd.DataFrame:
    """What a published ratio of estimated to detected victims would make of each body's own totals.

    Parameters
    ----------
    estimates : pandas.DataFrame
        The raw table `centre/outside_estimates.csv`.
    yearly, victims : pandas.DataFrame
        As for `detection_scenario`.
    iso3 : str
        The country.

    Returns
    -------
    pandas.DataFrame
        OUTSIDE_COLUMNS: detected persons of a year or, where a body gives just that, of the whole span, times the
        lower and upper ratio.
    """
    rows = []
    wanted = estimates[estimates["iso3"].eq(iso3) & estimates["quantity"].eq("estimated_to_detected")]
    for estimate in wanted.to_dict("records"):
        first, last = int(estimate["year_low"]), int(estimate["year_high"])
        own = stages.comparable(yearly[yearly["stage"].eq("victims_identified") & yearly["value"].notna()])
        own = own[own["year"].between(first, last)].assign(period=own["year"].astype("str"), detected=own["value"])
        spans = victims[
            victims["measure"].eq("victims_identified") & victims["preferred"].eq(1)
            & victims["dimension"].eq("total") & victims["category"].eq("total")
            & victims["period_start"].eq(f"{first}-01-01") & victims["period_end"].eq(f"{last}-12-31")
        ]  # fmt: skip
        spans = spans.assign(body=spans["series"], period=f"{first} to {last}", detected=spans["count"])
        columns = ["body", "period", "detected", "source_ids"]
        both = pd.concat([own[columns], spans.loc[spans["detected"].notna(), columns]])
        both = both.sort_values(["body", "period"], key=lambda column: column.replace(f"{first} to {last}", "whole"))
        for row in both.to_dict("records"):
            detected = int(row["detected"])
            rows.append(row | {
                "detected": detected, "ratio_low": estimate["low"], "ratio_high": estimate["high"],
                "quoted_low": round(detected * estimate["low"]), "quoted_high": round(detected * estimate["high"]),
                "source_ids": join_ids([row["source_ids"], estimate["source_id"]]),
            })  # fmt: skip
    for row in rows:
        row["key"] = f"{row['body']}_{row['period'].replace(' ', '_')}"
        row["label"] = f"victims identified {row['period']}, {stages.BODIES[row['body']]}, times the quoted ratio"
    return pd.DataFrame(rows, columns=OUTSIDE_COLUMNS)


def shown_outside(found: pd.DataFrame) -> pd.DataFrame:
    """The benchmark for a page."""
    return stages.in_labels(found)[
        ["body", "period", "detected", "ratio_low", "ratio_high", "quoted_low", "quoted_high"]
    ]


# --- Undetected victims -------------------------------------------------------------------------------------------

# Several bodies publish one and the same list: in Serbia the Centre identifies, the TIP Report and others quote it.
AUTHORITIES = "victims identified by the authorities"
LISTS = {
    "center": AUTHORITIES,
    "tip": AUTHORITIES,
    "other": AUTHORITIES,
    "police": "victims in police reports",
    "astra": "clients of ASTRA",
}
ASSUMPTIONS = (
    "the population is closed: nobody enters or leaves it between the lists",
    "the lists are independent: being on one makes being on another neither likelier nor less likely",
    "everybody has the same chance of being on a list",
    "people on several lists are matched without error",
)


@dataclass(frozen=True)
class Undetected:
    """People on no list, estimated from the overlaps of lists.

    Attributes
    ----------
    method : str
        "Chapman" or "log-linear".
    lists, dropped : tuple of str
        Lists used, and lists left out because nobody is on them.
    n_detected : int
        People on at least one list.
    n_undetected, low, high : float
        Estimate of the people on no list and the ends of its interval at CONFIDENCE.
    variance : float
        Variance of `n_undetected`.
    assumptions : tuple of str
        What has to hold for the estimate to mean anything.
    """

    method: str
    lists: tuple[str, ...]
    dropped: tuple[str, ...]
    n_detected: int
    n_undetected: float
    low: float
    high: float
    variance: float
    assumptions: tuple[str, ...] = ASSUMPTIONS

    @property
    def total(self) -> float:
        return self.n_detected + self.n_undetected


LIST_VALUES = {
    "name": "list_{year}_{body}", "value": "low", "unit": "persons", "label": "size of the list: {list}, {year}",
    "low": "low", "high": "high", "sources": "source_ids",
}  # fmt: skip


def published_lists(yearly: pd.DataFrame) -> pd.DataFrame:
    """The lists of victims that publish a size, for the latest of the years that have the most of them.

    Parameters
    ----------
    yearly : pandas.DataFrame
        As of `stages.yearly_figures`.

    Returns
    -------
    pandas.DataFrame
        `year`, `list`, `low` and `high` (its size as different bodies publish it, persons), `body` (one of these) and
        `source_ids`; empty when there is no list.
    """
    own = yearly[yearly["stage"].eq("victims_identified") & yearly["body"].isin(LISTS) & yearly["value"].notna()]
    own = own.assign(list=own["body"].map(LISTS))
    n_lists = own.groupby("year")["list"].nunique()
    latest = own[own["year"] == n_lists[n_lists == n_lists.max()].index.max()] if len(own) else own
    sizes = [
        {"year": int(rows["year"].iloc[0]), "list": name, "low": int(rows["value"].min()),
         "high": int(rows["value"].max()), "body": rows["body"].iloc[0], "source_ids": join_ids(rows["source_ids"])}
        for name, rows in latest.groupby("list", sort=False)
    ]  # fmt: skip
    return pd.DataFrame(sizes, columns=["year", "list", "low", "high", "body", "source_ids"])


def histories_of(lists: pd.DataFrame) -> pd.DataFrame:
    """All capture histories of the lists, with every `count` missing.

    The size of a list does not tell how many of its people are on no other: that nobody publishes.
    """
    possible = [history for history in product((1, 0), repeat=len(lists)) if any(history)]
    histories = pd.DataFrame(possible, columns=list(lists["list"]))
    return histories.assign(count=pd.array([pd.NA] * len(possible), dtype="Int64"))


def undetected_told(lists: pd.DataFrame) -> str:
    """What `estimate_undetected` says of the published lists: an estimate, or its refusal, in words."""
    sizes = "; ".join(f"{row.list}: {_span(row.low, row.high)}" for row in lists.itertuples())
    known = (
        f"Lists with a published size in {lists['year'].iloc[0]}: {sizes}. "
        if len(lists)
        else "No list of victims is published with its size. "
    )
    try:
        found = estimate_undetected(histories_of(lists))
    except NotEstimable as refusal:
        return f"{known}No estimate is made: {refusal.reason}."
    return f"{known}On no list: {found.n_undetected:.0f} people ({found.low:.0f} to {found.high:.0f})."


def estimate_undetected(histories: pd.DataFrame, method: str | None = None) -> Undetected:
    """Estimate how many people are on no list, from how many are on several.

    Two lists: Chapman's estimator (University of California Publications in Statistics 1, 1951) with Seber's
    variance (The Estimation of Animal Abundance, 1982) and Chao's interval, normal on the log of the undetected
    (Biometrics 43, 1987).
    More lists: Poisson log-linear model of independent lists (Fienberg, Biometrika 59, 1972), with a Wald interval on
    the log of the undetected.

    Parameters
    ----------
    histories : pandas.DataFrame
        One row for each capture history: a column of 0 and 1 for each list, and `count`, the people with just that
        history. A history without a row was had by nobody. Nobody can have the history of zeros.
    method : {None, "Chapman", "log-linear"}
        None takes Chapman's for two lists and the other for more.

    Returns
    -------
    Undetected

    Raises
    ------
    NotEstimable
        When there are fewer than two lists with anybody on them, when a count is missing, when nobody is on two lists,
        or when a list holds everybody, so that nothing tells how many it misses.
    ValueError
        When the table is not one of capture histories.
    """
    lists = [column for column in histories if column != "count"]
    if len(lists) < 2:
        raise NotEstimable("people on no list can be estimated only from lists that overlap; fewer than two are given")
    _check_histories(histories, lists)
    missing = histories["count"].isna()
    if missing.any():
        names = [" and ".join(c for c in lists if row[c] == 1) for row in histories[missing].to_dict("records")]
        raise NotEstimable("how many people are on several of the lists, and how many on just one, is not published",
                           rows=names, columns=lists)  # fmt: skip
    counted = histories.astype({"count": "float64"})
    sizes = {name: counted.loc[counted[name] == 1, "count"].sum() for name in lists}
    used = [name for name in lists if sizes[name] > 0]
    n_detected = counted["count"].sum()
    overlap = counted.loc[counted[used].sum(axis=1) > 1, "count"].sum()
    if len(used) < 2:
        raise NotEstimable("fewer than two lists have anybody on them", columns=lists)
    if not overlap:
        raise NotEstimable("nobody is on more than one list, so the lists tell nothing about each other", columns=used)
    complete = [name for name in used if sizes[name] == n_detected]
    if complete:
        reason = "a list holds everybody who is on any, so nothing tells how many it misses"
        raise NotEstimable(reason, columns=complete)
    method = method or ("Chapman" if len(used) == 2 else "log-linear")
    if method == "Chapman" and len(used) == 2:
        estimate = _chapman(sizes[used[0]], sizes[used[1]], overlap)
    elif method == "log-linear":
        estimate = _log_linear(counted, used)
    else:
        raise ValueError(
            f"method {method!r} does not fit {len(used)} lists; known are 'Chapman' (two) and 'log-linear'"
        )
    dropped = tuple(name for name in lists if name not in used)
    return Undetected(method, tuple(used), dropped, int(n_detected), *estimate)


def _check_histories(histories: pd.DataFrame, lists: list[str]) -> None:
    if "count" not in histories or not histories[lists].isin([0, 1]).all(axis=None):
        raise ValueError("capture histories need columns of 0 and 1, one for each list, and a column 'count'")
    if (histories[lists].sum(axis=1) == 0).any():
        raise ValueError("nobody can be counted who is on no list")
    if histories.duplicated(lists).any():
        raise ValueError("a capture history stands twice")
    counts = histories["count"].dropna().astype("float64")
    if (counts < 0).any() or (counts % 1 != 0).any():
        raise ValueError("counts of people are whole and not negative")


def _chapman(first: float, second: float, both: float) -> tuple[float, float, float, float]:
    total = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    undetected = total - (first + second - both)
    factor = np.exp(Z_95 * np.sqrt(np.log1p(variance / undetected**2)))
    return undetected, undetected / factor, undetected * factor, variance


def _log_linear(counted: pd.DataFrame, used: list[str]) -> tuple[float, float, float, float]:
    cells = pd.DataFrame([h for h in product((0, 1), repeat=len(used)) if any(h)], columns=used)
    # Histories that differ only in lists with nobody on them are one.
    seen = counted.groupby(used)["count"].sum()
    observed = np.array([seen.get(history, 0.0) for history in cells.itertuples(index=False, name=None)])
    design = sm.add_constant(cells.astype("float64"), has_constant="add")
    fitted = _poisson(observed, design)
    log_undetected, error = fitted.params["const"], fitted.bse["const"]
    ends = np.exp([log_undetected, log_undetected - Z_95 * error, log_undetected + Z_95 * error])
    return float(ends[0]), float(ends[1]), float(ends[2]), float((ends[0] * error) ** 2)


# --- Result -------------------------------------------------------------------------------------------------------


def result_told(found: pd.DataFrame, scenario: pd.DataFrame) -> str:
    """What the trends and the scenario come to, in sentences."""
    fitted = found[found["rate_ratio"].notna()]
    told = "; ".join(
        f"{stages.BODIES[row.body]}, {stages.STAGES[row.stage].lower()}: {row.rate_ratio:.2f} a year "
        f"({row.low:.2f} to {row.high:.2f}, {row.n_years} years)"
        for row in fitted.itertuples()
    )
    trend_told = f"Factor from year to year, each body by itself: {told}." if told else "No trend can be fitted."
    if scenario.empty:
        return trend_told
    return f"{trend_told} In the scenario, which is no finding: {scenario_told(scenario)}"
