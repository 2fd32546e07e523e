"""The claims of a news account of September 2024, each with a rule that gives its verdict.

A rule is a function from tables or values to a verdict. It is stated before it is applied, and asks the same of the
evidence whatever comes out; the tests reach every verdict a rule can give with made-up data. The rules are not blind:
who wrote them had read the tables. Two things hold for all. What the tables do not show is not thereby absent: a claim
that something never happened can be contradicted by one row, but is supported only where the tables account for
everybody. And a publisher's later page does not confirm its earlier one.

The account is about Serbia, so the rules are too.
"""

import re
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from . import schemas
from . import victims as counted
from .sources import join_ids
from .tip import SUPPRESSED

SUPPORTED, PARTLY, CONTRADICTED = "supported", "partly supported", "contradicted"
UNSETTLED, UNTESTABLE = "cannot be settled", "cannot be tested"
VERDICTS = (SUPPORTED, PARTLY, CONTRADICTED, UNSETTLED, UNTESTABLE)

COUNTRY = "SRB"
ACCOUNT_YEAR = 2024
# The account says "early September"; it appeared on the twelfth.
EARLY_SEPTEMBER = date(2024, 9, 5)
# "A long time" is what the yearly analyses of judgments print as their longest class: over three years.
LONG_MONTHS = 36
LEVEL = 0.95
NUMBER_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
                "ten": 10, "eleven": 11, "twelve": 12}  # fmt: skip
AUTHORITIES = ("center", "agency", "tip", "police")


class Question(NamedTuple):
    """What would have to be true for a claim to hold, which data bear on it, and what would change the verdict."""

    must_be_true: str
    data: str
    would_change: str


class Ruling(NamedTuple):
    """The verdict on a claim and the value that was computed for it."""

    verdict: str
    value: object
    unit: str
    label: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    source_ids: str = ""


QUESTIONS = {
    "C01": Question(
        "No source tells of a sex-trafficking case in Serbia with Chinese nationals, as accused or as victims, before "
        "the year of the account.",
        "Publicised court cases; victims by citizenship; UNODC's victims and convicted people by citizenship; figures "
        "on Serbia from the editions of the TIP Report. They go back to the early years of the century, but most pages "
        "were seen in part, and most cases give no nationality.",
        "One earlier case in any source contradicts the claim. Nothing short of a complete register of cases could "
        "support it.",
    ),
    "C02": Question(
        "In every year from the one named to the last full year before the account, nobody whom the Centre recorded "
        "as a victim was Chinese.",
        "The Centre's figures by citizenship, as others quote them, and UNODC's yearly victims by citizenship, set "
        "against the largest total published for the year. UNODC's figures come from the state, but are not the "
        "Centre's own list.",
        "The Centre's yearly breakdown by citizenship. One Chinese victim in it contradicts the claim.",
    ),
    "C03": Question(
        "The Centre's own count up to early September is the number claimed.",
        "Published totals of victims: the Centre's for the year before, and a non-governmental organisation's for most "
        "of the same year. The account says cases; the totals count people, and a case may have several victims.",
        "A count of the Centre for January to August or September of that year.",
    ),
    "C04": Question(
        "No paragraph of the Article on trafficking in the Criminal Code allows a longer term than the one claimed.",
        "The Article by paragraph, as in force in the year of the account. Where a paragraph prints no maximum, the "
        "general maximum of the Code applies, which is in no table here.",
        "A text of the law in force in that year with other terms.",
    ),
    "C05": Question(
        "More than half of the prison terms for trafficking last from three to five years, both included.",
        "Shares of monitored judgments in bands of years, official yearly figures, ranges and single cases. The bounds "
        "hold without any model. The estimate of a model is shown beside them and may not decide: it rests on a family "
        "of distributions and on judgments that an organisation chose to monitor.",
        "A yearly table of all sentences for trafficking by length.",
    ),
    "C06": Question(
        "The mean number of times a victim has to tell what happened, up to the end of the trial, is about the number "
        "claimed.",
        "The yearly analyses of judgments. None of their indicators counts statements or hearings of victims.",
        "Any published count of how often victims are heard.",
    ),
    "C07": Question(
        "At least one trial lasted longer than three years, the longest class that the analyses of judgments print.",
        "How long proceedings lasted, from the yearly analyses of judgments.",
        "Analyses that find no trial of over three years.",
    ),
    "C08": Question(
        "The number of workers is about the one claimed, and an authority or a court found that they were exploited.",
        "The numbers of Vietnamese workers that bodies published, and identifications of Vietnamese victims. The "
        "published numbers are of workers said to be victims: allegations, not findings.",
        "A finding of a court or an identification of these workers as victims; or a list of the workers.",
    ),
    "C09": Question(
        "In the year of the account there was a group of Indian workers, smaller than the Vietnamese one, and a source "
        "other than the account's publisher tells of it as a finding.",
        "Numbers of Indian workers by year. One source dates a group of Indian workers to another year, and one tells "
        "of a group at another site; neither is this group.",
        "A number from another publisher, or an identification of these workers as victims.",
    ),
    "C10": Question(
        "Up to the account, no authority recognised workers of either group as victims of trafficking.",
        "Victims by citizenship, from UNODC and from others, in the years from each group's own to that of the "
        "account. What became of investigations is in no table.",
        "Figures by citizenship for all of these years, or a prosecutor's decision in either case.",
    ),
    "C11": Question(
        "The edition of that year says so in its part on Serbia.",
        "What was read of that edition: its opening paragraphs, by locator. The passage would stand in the trafficking "
        "profile, which was not seen.",
        "The full text of the edition.",
    ),
    "C12": Question(
        "The hearing opened at that court on that day.",
        "The entry of the case among publicised cases. It comes from a later report of the publisher of the account.",
        "A notice of the court, or a report of another publisher.",
    ),
}


def number_in(claim: str) -> int | None:
    """The first number of a claim that is no year, in digits or as a word; None when there is none."""
    for word in re.findall(r"\d+|[a-z]+", claim.lower()):
        number = int(word) if word.isdecimal() else NUMBER_WORDS.get(word)
        if number and not 1900 < number < 2100:
            return number
    return None


def year_in(claim: str) -> int:
    """The first year that a claim names."""
    return int(re.search(r"\b(?:19|20)\d\d\b", claim)[0])


def _in_words(number: int) -> str:
    return next((word for word, n in NUMBER_WORDS.items() if n == number), "none" if not number else str(number))


def of_the_account(source_id: str) -> bool:
    """Whether a source is of the publisher of the account, Radio Free Europe."""
    return source_id.startswith(("rfe-", "rferl"))


def _other_publishers(source_ids) -> bool:
    return any(not of_the_account(source_id) for ids in source_ids for source_id in str(ids).split(";"))


# --- C01, C02, C10: who is known to have been a victim or accused, by citizenship ---------------------------------


def mentions(cases: pd.DataFrame, world: pd.DataFrame, victims: pd.DataFrame, unodc: pd.DataFrame, tip: pd.DataFrame):
    """Every row on Serbia that tells a nationality or citizenship.

    Parameters
    ----------
    cases, world : pandas.DataFrame
        Raw defendants in publicised cases, in Serbia and anywhere.
    victims : pandas.DataFrame
        The processed table of victims.
    unodc, tip : pandas.DataFrame
        Raw UNODC data on Serbia; figures on Serbia from TIP editions and others.

    Returns
    -------
    pandas.DataFrame
        `table`, `year`, `who` (countries as printed, lower case), `form` (of exploitation, where told), `source_id`.
    """
    tried = cases[cases["iso3"].eq(COUNTRY) & cases["defendant_nationality"].notna()]
    abroad = world[world["iso3"].eq(COUNTRY) & world["defendant_nationality_iso3"].notna()]
    counted = victims[victims["dimension"].eq("citizenship")]
    recorded = unodc[unodc["dimension"].eq("by_citizenship")]
    told = tip[tip["iso3"].eq(COUNTRY) & tip["indicator"].str.contains(r"foreign|chinese|vietnam|indian", case=False)]
    parts = {
        "courts/serbia_cases": (tried, "judgment_year", "defendant_nationality", "exploitation", "source_id"),
        "courts/world_cases": (abroad, "judgment_year", "defendant_nationality_iso3", "exploitation", "source_id"),
        "victims": (counted, "year", "category", None, "source_ids"),
        "unodc/serbia_detail": (recorded, "year", "category", None, "source_id"),
        "tip/serbia_figures": (told, "report_year", "indicator", "exploitation", "source_id"),
    }
    return pd.concat([
        pd.DataFrame({
            "table": table, "year": rows[year].astype("Int64").to_numpy(), "who": rows[who].str.lower().to_numpy(),
            "form": rows[form].to_numpy() if form else pd.NA, "source_id": rows[sources].to_numpy(),
        })
        for table, (rows, year, who, form, sources) in parts.items()
    ], ignore_index=True)  # fmt: skip


def reach(mentioned: pd.DataFrame) -> pd.DataFrame:
    """How many rows of each table tell a nationality, and from which year to which."""
    counted = mentioned.groupby("table", sort=False)["year"].agg(["size", "min", "max"]).reset_index()
    return counted.rename(columns={"size": "rows", "min": "first_year", "max": "last_year"})


def first_case(mentioned: pd.DataFrame) -> Ruling:
    """C01. Contradicted by an earlier sex-trafficking row with Chinese nationals; never supported: no table is whole.

    A row that does not tell the form of exploitation, or the year, cannot contradict.
    """
    chinese = mentioned[mentioned["who"].str.contains(r"\bchn\b|china|chinese") & mentioned["form"].eq("sex")]
    earlier = chinese[chinese["year"].lt(ACCOUNT_YEAR).fillna(False)]
    return Ruling(
        CONTRADICTED if len(earlier) else UNSETTLED,
        len(earlier), "rows",
        "earlier rows on sex trafficking in Serbia with Chinese nationals, of all rows that tell a nationality",
        n=len(mentioned), source_ids=join_ids(mentioned["source_id"]),
    )  # fmt: skip


def _country(category: str) -> str:
    """A category of citizenship as a reader knows it; UNODC's nationals are citizens of Serbia."""
    code = COUNTRY if category == "nationals" else category
    return schemas.COUNTRIES.get(code, code.replace("_", " ").replace(";", ", ").capitalize())


def accounted_for(victims: pd.DataFrame, unodc: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """How many of each year's victims have a citizenship that is told.

    Returns
    -------
    pandas.DataFrame
        By `year`: `total` (the largest published, persons), `told` (people whose citizenship UNODC names, the
        smallest number that its withheld counts allow), `named` (all countries named), `not_told` (the largest number
        of people without). A year without figures has blanks.
    """
    whole = victims[
        victims["measure"].eq("victims_identified") & victims["dimension"].eq("total") & victims["category"].eq("total")
        & victims["period_kind"].eq("full_year") & victims["preferred"].eq(1) & victims["series"].ne("astra")
    ]  # fmt: skip
    detected = unodc[unodc["indicator"].eq("detected_trafficking_victims") & unodc["sex"].eq("total")]
    detected = detected[detected["age"].eq("total")]
    lowest = detected["value"].map(lambda v: SUPPRESSED[v][0] if v in SUPPRESSED else int(v)).astype("Int64")
    detected = detected.assign(count=lowest)
    by_country = detected[detected["dimension"].eq("by_citizenship")]
    totals = pd.concat([whole[["year", "count"]], detected.loc[detected["dimension"].eq("total"), ["year", "count"]]])
    quoted = victims[victims["dimension"].eq("citizenship") & victims["measure"].eq("victims_identified")
                     & victims["series"].isin(AUTHORITIES)]  # fmt: skip
    rows = []
    for year in range(first_year, last_year + 1):
        named, total = by_country[by_country["year"].eq(year)], totals.loc[totals["year"].eq(year), "count"].max()
        countries = map(_country, [*named["category"], *quoted.loc[quoted["year"].eq(year), "category"]])
        told = named["count"].sum() if len(named) else pd.NA
        not_told = pd.NA if pd.isna(total) else max(int(total) - (0 if told is pd.NA else int(told)), 0)
        rows.append({"year": year, "total": total, "told": told, "named": ", ".join(dict.fromkeys(countries)),
                     "not_told": not_told})  # fmt: skip
    return pd.DataFrame(rows).astype({"total": "Int64", "told": "Int64", "not_told": "Int64"})


ACCOUNTED_NOTE = (
    "Persons; total: the largest published; named: every citizenship that UNODC or an authority names; not told: the "
    f"largest number of people without; {counted.WITHHELD_NOTE}."
)


def shown_accounted(years: pd.DataFrame) -> pd.DataFrame:
    """Years as of `accounted_for` for a page. People without a told citizenship are a difference of published figures
    that nobody published, so that fewer than three of them are withheld, with what would give them away."""
    known = years["told"].notna() & years["not_told"].notna()
    shown = years.astype({"told": object, "not_told": object})
    if known.any():
        parts = years.loc[known, ["told", "not_told"]].to_numpy("float64")
        published = np.zeros((len(parts) + 1, 3), bool)
        published[:-1, 2] = True  # the totals of years
        hidden = counted.withheld(parts, published)[:-1, :-1]
        for place, column in enumerate(("told", "not_told")):
            shown.loc[shown.index[known][hidden[:, place]], column] = counted.WITHHELD
    return shown


def none_recorded(years: pd.DataFrame, pattern: str = "(?i:china)") -> Ruling:
    """C02. Contradicted when a breakdown names the country; supported when all years are accounted for; partly
    supported when some are; else it cannot be settled.

    Parameters
    ----------
    years : pandas.DataFrame
        As of `accounted_for`.
    """
    whole = years["not_told"].eq(0).fillna(False)
    if years["named"].str.contains(pattern).any():
        verdict = CONTRADICTED
    elif whole.any():
        verdict = SUPPORTED if whole.all() else PARTLY
    else:
        verdict = UNSETTLED
    return Ruling(
        verdict, int(years["told"].sum()), "persons",
        "victims of these years whose citizenship is told, of all identified under the largest totals",
        n=int(years["total"].sum()), source_ids="unodc-001",
    )  # fmt: skip


def recognised(groups: dict[str, pd.DataFrame], size: dict[str, int]) -> Ruling:
    """C10. Contradicted when a breakdown names a group's country; supported when in all years of all groups fewer
    people are without a told citizenship than the group has; partly supported when that holds for one group; else it
    cannot be settled.

    Parameters
    ----------
    groups : dict of str to pandas.DataFrame
        By a pattern of the country's names: the years from the group's own to the account, as of `accounted_for`.
    size : dict of str to int
        Smallest published size of each group.
    """
    found = [years["named"].str.contains(pattern).any() for pattern, years in groups.items()]
    covered = [years["told"].notna().all() and (years["not_told"] < size[pattern]).all()
               for pattern, years in groups.items()]  # fmt: skip
    verdict = CONTRADICTED if any(found) else SUPPORTED if all(covered) else PARTLY if any(covered) else UNSETTLED
    every_year = pd.concat(groups.values()).drop_duplicates("year")
    with_figures = every_year[every_year["told"].notna()]
    return Ruling(
        verdict, None, "persons",
        f"victims whose citizenship is not told, in the {_in_words(len(with_figures))} of {_in_words(len(every_year))} "
        "years that have such figures; so many of these workers can be among those identified",
        low=0, high=int(with_figures["not_told"].sum()), source_ids="unodc-001",
    )  # fmt: skip


# --- C03: a count for part of a year -------------------------------------------------------------------------------


def expected_by(n: int, share: float, within: bool) -> tuple[float, int, int]:
    """How many to expect in a part of a year, and between which bounds with 95 percent probability.

    Parameters
    ----------
    n : int
        People counted in a period.
    share : float
        Length of the part, as a share of that period.
    within : bool
        Whether the part lies within the period counted. If so the count is binomial, given n. If not, both counts are
        Poisson with one rate, and the bounds are those that the conditional binomial test does not reject (Nelson
        1970, *IEEE Transactions on Reliability* R-19: 42-49).
    """
    if within:
        low, high = stats.binom.interval(LEVEL, n, share)
    else:
        possible = np.arange(10 * n + 50)
        both = stats.binom(possible + n, share / (1 + share))
        kept = possible[(both.cdf(possible) > (1 - LEVEL) / 2) & (both.sf(possible - 1) > (1 - LEVEL) / 2)]
        low, high = kept[0], kept[-1]
    return n * share, int(low), int(high)


COUNTED_BY = {"center": "the Centre", "other": "another body"}


def paces(victims: pd.DataFrame) -> pd.DataFrame:
    """What published totals lead one to expect up to early September of the account's year.

    Returns
    -------
    pandas.DataFrame
        A line for each total of the year before (full year) or of the year itself (to a later day): `total_of` (who
        counted, which year), `n`, `expected`, `low`, `high`, `source_ids`; persons.
    """
    totals = victims[
        victims["measure"].eq("victims_identified") & victims["dimension"].eq("total") & victims["category"].eq("total")
        & victims["preferred"].eq(1) & victims[["year", "count", "period_start", "period_end"]].notna().all(axis=1)
        & victims["series"].isin(list(COUNTED_BY))
    ]  # fmt: skip
    rows = []
    for row in totals.itertuples():
        start, end = date.fromisoformat(row.period_start), date.fromisoformat(row.period_end)
        within = row.year == ACCOUNT_YEAR and start == date(ACCOUNT_YEAR, 1, 1) and end > EARLY_SEPTEMBER
        if within or (row.year == ACCOUNT_YEAR - 1 and row.period_kind == "full_year"):
            n_days = (EARLY_SEPTEMBER - date(ACCOUNT_YEAR, 1, 1)).days + 1
            expected = expected_by(int(row.count), n_days / ((end - start).days + 1), within)
            rows.append([f"{COUNTED_BY[row.series]}, {row.year}", int(row.count), *expected, row.source_ids])
    return pd.DataFrame(rows, columns=["total_of", "n", "expected", "low", "high", "source_ids"])


def same_period(victims: pd.DataFrame) -> list[int]:
    """The Centre's own counts for a part of the account's year that ends in August or in September."""
    end = victims["period_end"].fillna("")
    own = victims[
        victims["series"].eq("center") & victims["measure"].eq("victims_identified") & victims["dimension"].eq("total")
        & victims["category"].eq("total") & end.ge(f"{ACCOUNT_YEAR}-08-15") & end.le(f"{ACCOUNT_YEAR}-09-30")
    ]  # fmt: skip
    return [int(count) for count in own["count"].dropna()]


def so_far(claimed: int, own_counts: list[int], pace: pd.DataFrame) -> Ruling:
    """C03. The Centre's own count for the period decides. Without it, a number within all expected ranges is partly
    supported (it is plausible); otherwise it cannot be settled, since other bodies and years do not count the same.
    """
    within = [row.low <= claimed <= row.high for row in pace.itertuples()]
    if own_counts:
        verdict = SUPPORTED if claimed in own_counts else CONTRADICTED
    else:
        verdict = PARTLY if within and all(within) else UNSETTLED
    numbers = own_counts or [round(expected, 1) for expected in pace["expected"]]
    what = "the Centre's own count" if own_counts else "victims to expect by early September at the published paces"
    return Ruling(
        verdict, numbers, "persons", what,
        low=None if own_counts or pace.empty else int(pace["low"].min()),
        high=None if own_counts or pace.empty else int(pace["high"].max()),
        n=int(pace["n"].max()) if len(pace) else None, source_ids=join_ids(pace["source_ids"]),
    )  # fmt: skip


# --- C04, C05: the law and the sentences ---------------------------------------------------------------------------


def paragraphs(statutes: pd.DataFrame, year: int = ACCOUNT_YEAR) -> pd.DataFrame:
    """The paragraphs of the Article on trafficking in force in a year: minimum and maximum in months, as printed."""
    from_year = pd.to_numeric(statutes["valid_from"].astype("str").str[:4], errors="coerce")
    to_year = pd.to_numeric(statutes["valid_to"].astype("str").str[:4], errors="coerce")
    in_force = (from_year <= year) & ~(to_year <= year)
    article = statutes[statutes["iso3"].eq(COUNTRY) & statutes["form"].eq("article") & statutes["article"].eq("388")]
    return article[in_force.reindex(article.index)]


def longest_term(claimed_years: int, law: pd.DataFrame) -> Ruling:
    """C04. Supported when the basic form (paragraph 1) has the maximum claimed and no paragraph goes beyond it; partly
    supported when some paragraph does, by a higher maximum or by printing a minimum and no maximum; contradicted when
    the basic form has another maximum; else it cannot be settled.
    """
    basic = law.loc[law["paragraph"].eq("1"), "max_months"].dropna().unique()
    beyond = law[(law["max_months"] > 12 * claimed_years).fillna(False)
                 | (law["max_months"].isna() & law["min_months"].notna())]  # fmt: skip
    if len(basic) != 1:
        verdict = UNSETTLED
    elif basic[0] != 12 * claimed_years:
        verdict = CONTRADICTED
    else:
        verdict = PARTLY if len(beyond) else SUPPORTED
    return Ruling(
        verdict, int(basic[0]) if len(basic) == 1 else None, "months",
        "maximum of the basic form, and up to the highest maximum that a paragraph prints",
        low=int(basic.min()) if len(basic) else None,
        high=int(law["max_months"].max()) if law["max_months"].notna().any() else None,
        n=len(law), source_ids=join_ids(law["source_ids"]),
    )  # fmt: skip


def serbian_values(content: dict) -> dict[str, dict]:
    """Values of a values file when its run was about Serbia, else none."""
    return content["values"] if content["parameters"].get("country", COUNTRY) == COUNTRY else {}


SHARES = {
    "bounds_all_36_60": "possible share among all convicted, unreported terms unknown",
    "monitor_share_36_60": "estimate of a model for monitored judgments, with its interval",
}


def share(values: dict[str, dict], name: str) -> dict:
    """`value`, `low`, `high` and `n` of a share that another notebook computed; blanks where it did not."""
    told = values.get(name, {})
    return {key: told.get(key) for key in ("value", "low", "high", "n")} | {"sources": told.get("source_ids", "")}


def yearly_bounds(values: dict[str, dict]) -> pd.DataFrame:
    """Bounds of the share of monitored terms from three to five years, by year, in percent."""
    rows = [
        [int(name.split("_")[2]), round(100 * entry["low"]), round(100 * entry["high"])]
        for name, entry in sorted(values.items())
        if re.fullmatch(r"bounds_monitor_\d{4}_36_60", name) and None not in (entry.get("low"), entry.get("high"))
    ]
    return pd.DataFrame(rows, columns=["year", "smallest_percent", "largest_percent"])


def usual_range(values: dict[str, dict]) -> Ruling:
    """C05. "Usually" is more than half. Supported when the smallest possible share among all convicted is over a half;
    partly supported when only that among monitored judgments is; contradicted when the largest possible share among
    monitored judgments is under a half; else it cannot be settled. The model's estimate takes no part.

    Parameters
    ----------
    values : dict of str to dict
        With `bounds_monitor_36_60` and `bounds_all_36_60`, each with `low` and `high`, shares.
    """
    monitored, everybody = share(values, "bounds_monitor_36_60"), share(values, "bounds_all_36_60")
    # An end that is not known is as far out as it can be.
    if (everybody["low"] or 0) > 0.5:
        verdict = SUPPORTED
    elif (monitored["low"] or 0) > 0.5:
        verdict = PARTLY
    else:
        verdict = CONTRADICTED if monitored["high"] is not None and monitored["high"] < 0.5 else UNSETTLED
    return Ruling(
        verdict, None, "share", "possible share of monitored prison terms from three to five years, without a model",
        low=monitored["low"], high=monitored["high"], n=monitored["n"], source_ids=monitored["sources"],
    )  # fmt: skip


# --- C06, C07: proceedings -----------------------------------------------------------------------------------------


def times_told(claimed: int, proceedings: pd.DataFrame) -> Ruling:
    """C06. Without a row that counts how often victims are heard it cannot be tested; with rows it is supported when
    one of them rounds to the number claimed, else contradicted.
    """
    heard = r"(?:statements?|hearings?|interviews?|testimon(?:y|ies)) (?:of|by|per|with) (?:the |a )?victim"
    what = proceedings["indicator"].str.contains(heard, case=False)
    rows = proceedings[what & proceedings["value"].notna()]
    analysed = proceedings.loc[proceedings["source"].eq("astra_case_law"), "source_id"]
    verdict = UNTESTABLE if rows.empty else SUPPORTED if rows["value"].round().eq(claimed).any() else CONTRADICTED
    return Ruling(
        verdict, len(rows), "rows", "rows that count how often victims are heard, of all rows on proceedings",
        n=len(proceedings), source_ids=join_ids(analysed),
    )  # fmt: skip


def durations(proceedings: pd.DataFrame) -> pd.DataFrame:
    """Rows on the longest proceedings (months) and on the share of those over three years (percent)."""
    longest = proceedings["indicator"].str.match("longest") & proceedings["unit"].eq("months")
    over = proceedings["indicator"].eq("proceedings lasting over 3 years") & proceedings["unit"].eq("percent")
    return proceedings.loc[longest | over, ["year", "indicator", "value", "unit", "source_id"]].sort_values("year")


def long_proceedings(rows: pd.DataFrame) -> Ruling:
    """C07. Supported when any trial lasted over three years, contradicted when durations are told and none did, and not
    testable when none is told.
    """
    months = rows.loc[rows["unit"].eq("months"), "value"]
    long = (months > LONG_MONTHS).any() or (rows.loc[rows["unit"].eq("percent"), "value"] > 0).any()
    verdict = UNTESTABLE if rows.empty else SUPPORTED if long else CONTRADICTED
    return Ruling(
        verdict, None if months.empty else int(months.max()), "months", "the longest proceeding in any year analysed",
        n=len(rows), source_ids=join_ids(rows["source_id"]),
    )  # fmt: skip


# --- C08, C09: groups of workers -----------------------------------------------------------------------------------


def published_sizes(victims: pd.DataFrame, country: str, year: int) -> pd.DataFrame:
    """Rows on the number of workers of a country said to be victims in a year."""
    return victims[victims["dimension"].eq("citizenship") & victims["category"].eq(country) & victims["year"].eq(year)
                   & victims["measure"].eq("victims_presumed") & victims["count"].notna()]  # fmt: skip


def found_by_authority(victims: pd.DataFrame, country: str, years: range) -> bool:
    """Whether an authority is told to have identified victims of a country in these years."""
    named = victims["category"].str.split(";").map(lambda names: country in names)
    return bool((named & victims["dimension"].eq("citizenship") & victims["series"].isin(AUTHORITIES)
                 & victims["measure"].eq("victims_identified") & victims["year"].isin(years)).any())  # fmt: skip


def number_and_finding(claimed: int, sizes: pd.DataFrame, found: bool) -> Ruling:
    """C08. Without a published number it cannot be settled; when no published number is the one claimed, it is
    contradicted; when one is, it is supported if all agree and an authority found exploitation, else partly supported.
    """
    numbers = sorted({int(count) for count in sizes["count"]})
    if not numbers:
        verdict = UNSETTLED
    elif claimed not in numbers:
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if found and numbers == [claimed] else PARTLY
    return Ruling(
        verdict, numbers, "persons", "published numbers of Vietnamese workers said to be victims; none is a finding"
        if not found else "published numbers of Vietnamese workers, some identified as victims",
        n=len(sizes), source_ids=join_ids(sizes["source_ids"]),
    )  # fmt: skip


def indian_workers(proceedings: pd.DataFrame) -> pd.DataFrame:
    """Rows on the number of Indian workers at the site in the account's year."""
    about = proceedings["indicator"].str.contains("Indian workers") & proceedings["year"].eq(ACCOUNT_YEAR).fillna(False)
    return proceedings[about & proceedings["unit"].eq("count") & proceedings["value"].notna()]


def smaller_group(rows: pd.DataFrame, other_sizes: list[int], found: bool) -> Ruling:
    """C09. Without a number of both groups it cannot be settled; a number that is not smaller contradicts; a smaller
    one supports when another publisher tells it and an authority found trafficking, else it supports in part.
    """
    if rows.empty or not other_sizes:
        verdict = UNSETTLED
    elif rows["value"].min() >= min(other_sizes):
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if found and _other_publishers(rows["source_id"]) else PARTLY
    return Ruling(
        verdict, None if rows.empty else int(rows["value"].max()), "persons",
        "Indian workers named in a criminal complaint", source_ids=join_ids(rows["source_id"]),
    )  # fmt: skip


# --- C11, C12: what a report says, when a trial opened -------------------------------------------------------------


def edition_mentions(tip: pd.DataFrame) -> Ruling:
    """C11. Supported by a row of the edition that mentions Chinese nationals; contradicted when the trafficking profile
    of the edition was read and no row does; else it cannot be settled.
    """
    edition = tip[tip["iso3"].eq(COUNTRY) & tip["report_year"].eq(ACCOUNT_YEAR).fillna(False)]
    told = edition["indicator"].fillna("") + " " + edition["note"].fillna("")
    mentioned = edition[told.str.contains("chinese|china|prc", case=False)]
    read = edition["locator"].fillna("").str.contains("profile", case=False).any()
    verdict = SUPPORTED if len(mentioned) else CONTRADICTED if read else UNSETTLED
    return Ruling(
        verdict, len(mentioned), "rows", "rows of the edition that mention Chinese nationals, of all rows read from it",
        n=len(edition), source_ids=join_ids(edition["source_id"]),
    )  # fmt: skip


def openings(cases: pd.DataFrame) -> pd.DataFrame:
    """Hearings told to have opened, in cases with Chinese defendants: `court`, `day`, `source_id`."""
    chinese = cases[cases["defendant_nationality"].fillna("").str.contains("CHN")]
    day = chinese["note"].str.extract(r"hearing opened (\d{1,2} [A-Z][a-z]{2} \d{4})")[0].dropna()
    told = chinese.loc[day.index, ["court", "source_id"]]
    return told.assign(day=[datetime.strptime(text, "%d %b %Y").date() for text in day])


def trial_opened(claim: str, told: pd.DataFrame) -> Ruling:
    """C12. Supported when another publisher tells the same court and day, partly supported when only the publisher of
    the account does, contradicted when all that is told differs, and not settled when nothing is told.
    """
    place, day = re.search(r"in (\S+) from (\d+ \w+ \d{4})", claim).groups()
    same = told[told["court"].str.contains(place) & told["day"].eq(datetime.strptime(day, "%d %B %Y").date())]
    if told.empty:
        verdict = UNSETTLED
    elif same.empty:
        verdict = CONTRADICTED
    else:
        verdict = SUPPORTED if _other_publishers(same["source_id"]) else PARTLY
    return Ruling(
        verdict, ", ".join(f"{day.day} {day:%B %Y}" for day in told["day"]) or None, "date",
        "day on which the hearing is told to have opened", n=len(told), source_ids=join_ids(told["source_id"]),
    )  # fmt: skip
