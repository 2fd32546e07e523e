"""From the evidence table to what an estimator takes: rules for ranges, for unprinted bases and for life terms."""

import pandas as pd

from .models.groups import GroupRows, expand_groups

BASE_RULES = ("marginal", "average", "smallest", "largest")


def expand(
    evidence: pd.DataFrame,
    *,
    life_cap_months: float,
    range_rule: str = "where_allowed",
    base_rule: str = "marginal",
) -> tuple[pd.DataFrame, GroupRows]:
    """The used evidence as rows of a likelihood.

    Parameters
    ----------
    evidence : pandas.DataFrame
        Rows of the evidence table; only `used` ones are expanded. An average that is itself printed as a range is
        left out: it bounds nobody's term, and the likelihood of averages needs one number.
    life_cap_months : float
        A life term is known to exceed so many months.
    range_rule : str
        See `models.groups.expand_groups`.
    base_rule : {"marginal", "average", "smallest", "largest"}
        For shares of an unprinted base: marginalise over the considered bases, weigh by the mean of their counts, or
        take one of them.

    Returns
    -------
    rows : pandas.DataFrame, length r
        The evidence row that each row of the likelihood comes from.
    expanded : GroupRows
        For `IntervalRegression(exog=…, **expanded.keywords())`.

    Raises
    ------
    ValueError
        Unknown rules.
    """
    if base_rule not in BASE_RULES:
        raise ValueError(f"base_rule {base_rule!r} is not one of {', '.join(BASE_RULES)}")
    averaged = evidence["kind"] == "mean"
    used = evidence[(evidence["used"] == 1) & ~(averaged & (evidence["low_months"] != evidence["high_months"]))]
    people = [_people(n, counts, base_rule) for n, counts in zip(used["n"], used["count_candidates"], strict=True)]
    somebody = pd.Series([max(n) > 0 for n in people], index=used.index, dtype=bool)
    used, people = used[somebody].reset_index(drop=True), [n for n, some in zip(people, somebody, strict=True) if some]
    expanded = expand_groups(
        # Every term is longer than nothing: a lower bound of 0 ("less than a year") bounds nothing.
        used["low_months"].astype("float64").where(used["low_months"] != 0),
        used["high_months"].astype("float64"),
        people,
        low_attained=used["low_attained"],
        high_attained=used["high_attained"],
        attained_allowed=used["attained_allowed"],
        low_inclusive=used["low_inclusive"],
        high_inclusive=used["high_inclusive"],
        range_rule=range_rule,
        average=used["kind"] == "mean",
        life=used["high_months"].isna() & (used["sanction"].eq("life") | used["high_sanction"].eq("life")),
        life_cap=life_cap_months,
        base=used["evidence_id"].tolist(),
    )
    return used.iloc[expanded.source_row].reset_index(drop=True), expanded


def possible_people(n, counts) -> list[float]:
    """The numbers of people a row can stand for: its `n`, or those under each base of its printed share."""
    return [float(n)] if not pd.isna(n) else [float(c) for c in str(counts).split(";")]


def _people(n, counts, base_rule: str) -> list[float]:
    numbers = possible_people(n, counts)
    settled = {"average": [sum(numbers) / len(numbers)], "smallest": numbers[:1], "largest": numbers[-1:]}
    return settled.get(base_rule, numbers)
