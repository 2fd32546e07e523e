"""The evidence table: every published description of sentenced people, made disjoint, with the reason for each row
that cannot be used.

One row is one group of offenders that nobody else's row contains. Its columns are told in `COLUMNS`.
"""

import pandas as pd

from . import courts, grouping, schemas
from .sources import join_ids

COLUMNS = {
    "evidence_id": "the published group (for cases: the case) a row comes from; rows that share it are one cluster",
    "row_id": "unique id of the row",
    "iso3": "country",
    "year": "year the sentences were passed; blank where only a span is known",
    "year_low": "first possible year",
    "year_high": "last possible year",
    "n": "offenders, persons; blank where unknown or where only a share is printed",
    "n_basis": "stated, derived, approximate, minimum, inferred_total, base, unknown",
    "share_percent": "share of an unprinted base, percent",
    "base_candidates": "bases the year's shares can have, joined by ';'",
    "count_candidates": "persons of this row under each of those bases, joined by ';'",
    "convictions_known": "convictions known for the year, which no base can exceed; blank = none known",
    "kind": "exact, interval, range, mean, typical, unknown",
    "low_months": "lower bound, months; blank = open",
    "high_months": "upper bound, months; blank = open",
    "low_inclusive": "1: the lower bound belongs to the group; 0: its terms are longer",
    "high_inclusive": "1: the upper bound belongs to the group; 0: its terms are shorter",
    "low_attained": "1: somebody in this row received the lower bound",
    "high_attained": "1: somebody in this row received the upper bound",
    "attained_allowed": "1: attained ends may enter the likelihood (everyone covered, n stated, both ends prison)",
    "covers_all": "1: the text says that it describes everyone convicted or sentenced",
    "sanction": "kind of sanction: prison, suspended, fine, …; unspecified where mixed or not told",
    "low_sanction": "sanction at the lower end, where another",
    "high_sanction": "sanction at the upper end, where another",
    "term_basis": "imposed, to_serve, served",
    "aggregate_sentence": "1: one term for several offences, an upper bound for the trafficking part",
    "offence": "trafficking, related, other, unspecified",
    "exploitation": "sex, labor, mixed, other, unspecified",
    "instance": "first, appeal, final, unknown",
    "level": "national, subset, case",
    "source_kind": "official, monitor, publicised, other",
    "is_remainder": "1: what a published group leaves after the groups inside it",
    "subset_of": "row of the published group that contains this one",
    "same_as": "rows about the same people",
    "source_id": "source",
    "locator": "place in the source",
    "raw_row": "table and line",
    "used": "1: can enter a model of prison terms",
    "why_not": "why it cannot",
    "correction_ids": "declared corrections that touched it",
    "note": "note of the raw row",
}

# Of these, the columns that say where a row was read and not what it tells.
PROVENANCE = ["raw_row", "locator", "note", "correction_ids"]

# Of rows about the same people, the one from the table that stands first is kept: what an authority published in full,
# the coded narratives, then the tables with one person or one band a row, then summaries, then the press abroad.
PREFERENCE = [
    courts.SERBIA_OFFICIAL,
    courts.CODED,
    courts.SERBIA_CASES,
    courts.SERBIA_BANDS,
    courts.SERBIA_GROUPS,
    courts.OTHER_GROUPS,
    courts.WORLD_CASES,
]

# Figures about proceedings are no groups of sentenced people, so a link to them counts nobody twice.
NOT_ABOUT_PEOPLE = ["courts/serbia_proceedings.csv"]

SOURCE_KINDS = {
    "monitor": "monitored judgments",
    "official": "government figures",
    "publicised": "publicised cases",
    "other": "other sources",
}

# Whose reading of the 2018 edition: the adjudicated one, or one of the two coders' own where there are two.
ADJUDICATED, CODERS = "adjudicated", ("first", "second")

NO_PRISON_TERM = {
    "fine": "a fine: no prison term",
    "probation": "probation: no prison term",
    "house_arrest": "house arrest: no prison term",
    "community": "community service: no prison term",
    "suspended": "suspended: no prison term to serve; counts as a kind of sanction",
}


def read_groups(read, tables: list[str]) -> list[pd.DataFrame]:
    """Read the named raw tables, each put into `courts.GROUP_COLUMNS`; `read` gives a corrected table by name."""
    return [courts.GROUPS[table](read(table)) for table in tables]


def assemble(groups: list[pd.DataFrame]) -> pd.DataFrame:
    """Build the evidence table from described groups.

    Parameters
    ----------
    groups : list of pandas.DataFrame
        In `courts.GROUP_COLUMNS`, of any tables.

    Returns
    -------
    pandas.DataFrame
        Columns as in COLUMNS; sorted by country, year and id. Rows that cannot be used stay, with `why_not`.

    Raises
    ------
    grouping.NestingError
        When nested groups do not fit into each other; the message names the rows.
    ValueError
        When `same_as` or `subset_of` names a row that does not exist, or shares fit no base.
    """
    frame = pd.concat(groups, ignore_index=True)
    frame.index = pd.Index(frame["table"] + ":" + frame["key"], name="id")
    if frame.index.has_duplicates:
        raise ValueError(f"rows with the same key: {sorted(set(frame.index[frame.index.duplicated()]))}")
    frame = frame.sort_index()
    frame["why_not"] = ""
    _set_aside(frame, same_people(frame))
    _take_over_place(frame)
    _set_aside(frame, _follow_wholes(frame))
    _set_aside(frame, described_in_full(frame[frame["why_not"] == ""]))
    _set_aside(frame, presumed_same_people(frame[frame["why_not"] == ""]))
    _set_aside(frame, _unsplittable(frame[frame["why_not"] == ""]))
    leaves = _disjoint(frame)
    leaves = _with_bases(leaves)
    reasons = leaves.apply(_why_not, axis=1)
    leaves["why_not"] = leaves["why_not"].where(leaves["why_not"] != "", reasons)
    leaves["used"] = (leaves["why_not"] == "").astype(int)
    leaves["attained_allowed"] = _attained_allowed(leaves)
    return leaves[list(COLUMNS)].sort_values(["iso3", "year_low", "row_id"], ignore_index=True)


def by_coder(read, groups: list[pd.DataFrame], prefix: str) -> pd.DataFrame:
    """The evidence on the countries coded twice, as each coder's own rows would have made it.

    All else that is published on these countries is the same under both. The coders' own rows lack what adjudication
    added: none says that its people are all who were sentenced.

    Parameters
    ----------
    read : callable
        Gives a corrected raw table by name.
    groups : list of pandas.DataFrame
        As of `read_groups`.
    prefix : str
        The coders' tables are `<prefix>_sentences_<coder>.csv`; `<prefix>_flags_<coder>.csv` tells of each country
        that was coded.

    Returns
    -------
    pandas.DataFrame
        `coder` (one of CODERS), then COLUMNS as of `assemble`; ids are those of the adjudicated table.

    Raises
    ------
    ValueError
        When nothing at all is left of a country under one coder: the table cannot say so.
    """
    flags = {coder: read(f"{prefix}_flags_{coder}.csv") for coder in CODERS}
    twice = set.intersection(*(set(table["iso3"]) for table in flags.values()))
    kept = [g[g["iso3"].isin(twice) & g["table"].ne(courts.CODED)] for g in groups]
    before = {iso3 for g in groups for iso3 in g["iso3"]} & twice
    parts = []
    for coder in CODERS:
        table = f"{prefix}_sentences_{coder}.csv"
        found = assemble([*kept, courts.coded_groups(read(table))])
        if before - set(found["iso3"]):
            raise ValueError(f"{table}: under it nothing is left of {', '.join(sorted(before - set(found['iso3'])))}")
        found["raw_row"] = found["raw_row"].str.replace(f"{courts.CODED}:", f"{table}:", regex=False)
        parts.append(found.assign(coder=coder))
    return pd.concat(parts, ignore_index=True)[["coder", *COLUMNS]]


def with_coders(evidence: pd.DataFrame, recoded: pd.DataFrame) -> pd.DataFrame:
    """The evidence table and `by_coder` in one, for `of_coder`: with a column `coder`."""
    return pd.concat([evidence.assign(coder=ADJUDICATED), recoded], ignore_index=True)


def of_coder(table: pd.DataFrame, coder: str) -> pd.DataFrame:
    """The evidence table under one coder's reading: that coder's where two are known, elsewhere the adjudicated one.

    Parameters
    ----------
    table : pandas.DataFrame
        As of `with_coders`; the evidence table alone has only the adjudicated reading.

    Raises
    ------
    ValueError
        When the table has no row of that coder.
    """
    whose = table["coder"] if "coder" in table else pd.Series(ADJUDICATED, index=table.index)
    own = table[whose == coder]
    if not len(own):
        raise ValueError(f"the table has no row of coder {coder!r}, only of {', '.join(sorted(set(whose)))}")
    if coder != ADJUDICATED:
        twice = set(table.loc[whose != ADJUDICATED, "iso3"])
        own = pd.concat([table[(whose == ADJUDICATED) & ~table["iso3"].isin(twice)], own], ignore_index=True)
    return own.drop(columns="coder", errors="ignore")


def coders_differ(evidence: pd.DataFrame, recoded: pd.DataFrame) -> list[str]:
    """Countries whose usable evidence is not the same under every coder, of those in `by_coder`."""
    told = [column for column in COLUMNS if column not in PROVENANCE]
    table = with_coders(evidence, recoded)
    whose = [of_coder(table, coder) for coder in (ADJUDICATED, *CODERS)]

    def of(iso3: str) -> list[pd.DataFrame]:
        rows = (t.loc[t["iso3"].eq(iso3) & t["used"].eq(1), told] for t in whose)
        return [own.reset_index(drop=True).astype("object") for own in rows]

    return [iso3 for iso3 in sorted(set(recoded["iso3"])) if not all(each.equals(of(iso3)[0]) for each in of(iso3)[1:])]


def coders_told(evidence: pd.DataFrame, recoded: pd.DataFrame) -> str:
    """How many countries `by_coder` is about, and of which the evidence hangs on the coder, in words."""
    differ = coders_differ(evidence, recoded)
    n = recoded["iso3"].nunique()
    told = f"There is evidence on {n} of the countries coded twice. Its usable rows are the same under both coders and "
    names = ", ".join(map(schemas.country_name, differ)) or "none"
    return f"{told}after adjudication in {n - len(differ)}; they hang on the coder in {len(differ)}: {names}."


def _set_aside(frame: pd.DataFrame, reasons: dict[str, str]) -> None:
    for row_id, reason in reasons.items():
        if not frame.at[row_id, "why_not"]:
            frame.at[row_id, "why_not"] = reason


def _take_over_place(frame: pd.DataFrame) -> None:
    """A kept row that lacks years, or a place inside another group, takes them from a row about the same people."""
    aside = frame[frame["why_not"].str.startswith("same people as")]
    for _, row in aside.iterrows():
        for kept in row["why_not"].removeprefix("same people as ").split(", "):
            for column in ("year_low", "year_high", "subset_of"):
                if pd.isna(frame.at[kept, column]) and not pd.isna(row[column]):
                    frame.at[kept, column] = row[column]


def same_people(frame: pd.DataFrame) -> dict[str, str]:
    """Rows to set aside because another row is about the same people, by id, with the reason.

    Links are followed through any number of tables. Of the rows so linked, those of the table that stands first in
    PREFERENCE are kept; within one table the row that points away is set aside.

    Raises
    ------
    ValueError
        When a link leads nowhere; the message names both ends.
    """
    links = [(row_id, target) for row_id, text in frame["same_as"].dropna().items() for target in _targets(text, frame)]
    missing = [f"{a}: same_as names {b}, which does not exist" for a, b in links if b not in frame.index]
    if missing:
        raise ValueError("\n".join(missing))
    reasons, both_ways = {}, {*links, *((b, a) for a, b in links)}
    for members in _connected(links):
        best = min(PREFERENCE.index(frame.at[m, "table"]) for m in members)
        kept = [m for m in members if PREFERENCE.index(frame.at[m, "table"]) == best]
        pointing = {a for a, b in links if a in kept and b in kept and a != b}
        kept = [m for m in kept if m not in pointing] or kept[:1]
        for member in members:
            if member not in kept:
                direct = [other for other in kept if (member, other) in both_ways]
                reasons[member] = f"same people as {', '.join(direct or kept)}"
    return reasons


def _targets(text: str, frame: pd.DataFrame) -> list[str]:
    """Ids behind a `same_as` cell. A case without a defendant's number means all its defendants."""
    targets = []
    for link in text.split(";"):
        link = link.strip().removeprefix("possibly ")
        if link.partition(":")[0] in NOT_ABOUT_PEOPLE:
            continue
        whole_case = [i for i in frame.index if i.startswith(link + "|")]
        targets += [link] if link in frame.index or not whole_case else whole_case
    return targets


def _connected(links: list[tuple[str, str]]) -> list[list[str]]:
    cluster: dict[str, set[str]] = {}
    for a, b in links:
        joined = cluster.get(a, {a}) | cluster.get(b, {b})
        for member in joined:
            cluster[member] = joined
    unique = {id(members): members for members in cluster.values()}
    return sorted(sorted(members) for members in unique.values())


def _follow_wholes(frame: pd.DataFrame) -> dict[str, str]:
    """Put parts of a group that was set aside under the row that stands for it; set aside those that have none.

    Raises
    ------
    ValueError
        When `subset_of` names a row that does not exist.
    """
    parts = frame["subset_of"].dropna()
    lost = [f"{part}: subset_of names {whole}, which does not exist" for part, whole in parts.items()
            if whole not in frame.index]  # fmt: skip
    if lost:
        raise ValueError("\n".join(lost))
    reasons = {}
    for part, whole in parts.items():
        why = frame.at[whole, "why_not"]
        if not why.startswith("same people as"):
            continue
        standing = why.removeprefix("same people as ").split(", ")
        if len(standing) == 1 and standing[0] != part:
            frame.at[part, "subset_of"] = standing[0]
        elif part not in standing:
            reasons[part] = f"inside {whole}, whose people stand in {', '.join(standing)}"
    return reasons


def described_in_full(frame: pd.DataFrame) -> dict[str, str]:
    """Rows to set aside because an authority's own table of those years covers everyone convicted, by id."""
    whole = frame[(frame["table"] == courts.SERBIA_OFFICIAL) & frame["covers_all"].eq(1)]
    first = whole.reset_index().groupby(["iso3", "year"])["id"].first().to_dict()
    others = frame[(frame["table"] != courts.SERBIA_OFFICIAL) & frame["year_low"].notna() & frame["year_high"].notna()]
    reasons = {}
    for row_id, row in others.iterrows():
        of_years = [first.get((row["iso3"], year)) for year in range(row["year_low"], row["year_high"] + 1)]
        if all(of_years):
            reasons[row_id] = f"among the people of {of_years[0]}, which covers everyone of that year"
    return reasons


def presumed_same_people(frame: pd.DataFrame) -> dict[str, str]:
    """Press cases abroad that look like people the government reported.

    They are those with the same country, year, sanction and exact term as reported people, and those of a country and
    year for which a report covers everyone sentenced.

    A person counted twice weighs double; one left out of some hundreds of press cases does little. So the press row
    is set aside, with the reason, though nothing proves that it is the same person; but never more people than
    the government reported.
    """
    exact = frame[(frame["kind"] == "exact") & frame["year"].notna() & frame["n"].notna()]
    fact = ["iso3", "year", "low_months", "sanction"]
    reported = exact[exact["table"].isin([courts.CODED, courts.OTHER_GROUPS])]
    left = {key: [(row_id, int(n)) for row_id, n in rows["n"].items()] for key, rows in reported.groupby(fact)}
    reasons = {}
    for row_id, row in exact[exact["table"] == courts.WORLD_CASES].iterrows():
        twins = left.get(tuple(row[fact]), [])
        place = next((i for i, (_, n) in enumerate(twins) if n >= row["n"]), None)
        if place is not None:
            twin, n = twins[place]
            twins[place] = (twin, n - int(row["n"]))
            reasons[row_id] = f"presumed the same people as {twin}: same country, year, sanction and term"
    everyone = frame[frame["covers_all"].eq(1).fillna(False) & frame["table"].ne(courts.WORLD_CASES)]
    for row_id, row in frame[frame["table"] == courts.WORLD_CASES].iterrows():
        wholes = everyone[(everyone["iso3"] == row["iso3"]) & everyone["year"].eq(row["year"]).fillna(False)]
        if row_id not in reasons and row["offence"] != "related" and len(wholes):
            reasons[row_id] = f"presumed among the people of {wholes.index[0]}, which covers everyone of that year"
    return reasons


def _unsplittable(frame: pd.DataFrame) -> dict[str, str]:
    """Groups inside another one that cannot be cut out of it."""
    reasons = {}
    for row_id, row in frame[frame["subset_of"].notna()].iterrows():
        for whole in _wholes(row_id, frame):
            if frame.at[whole, "kind"] == "mean":
                reasons[row_id] = f"inside the mean of {whole}, which cannot be split"
            elif row["term_basis"] != "imposed" and frame.at[whole, "term_basis"] == "imposed":
                reasons[row_id] = f"time {row['term_basis']}, of people already in {whole} by the term imposed"
    return reasons


def _wholes(row_id: str, frame: pd.DataFrame) -> list[str]:
    """The groups that contain a row, from the nearest outwards."""
    found: list[str] = []
    at = frame.at[row_id, "subset_of"]
    while at in frame.index and at not in found:
        found.append(at)
        at = frame.at[at, "subset_of"]
    return found


def _disjoint(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[frame["why_not"] == ""]
    # What is said of most, of an average or of time served bounds nobody's term, so it cuts nothing and holds no end.
    bounding = ~kept["kind"].isin(["mean", "typical"]) & kept["term_basis"].eq("imposed")
    prison_ends = kept["low_sanction"].fillna("prison").eq("prison") & kept["high_sanction"].fillna("prison").eq(
        "prison"
    )
    ends = kept["kind"].eq("range") & bounding & prison_ends & kept["n"].ne(1).fillna(True).astype(bool)
    plain = pd.DataFrame(
        {
            "parent": kept["subset_of"].where(kept["subset_of"].isin(kept.index)),
            "n": kept["n"].astype("float64"),
            "low": kept["low_months"].where(bounding),
            "high": kept["high_months"].where(bounding),
            "low_attained": ends & kept["low_months"].notna(),
            "high_attained": ends & kept["high_months"].notna(),
        }
    )
    leaves = grouping.disjoint_leaves(plain)
    rows = frame.loc[leaves["id"]].reset_index(drop=True)
    rows = rows.assign(
        row_id=leaves["id"] + leaves["is_remainder"].map({True: "#rest", False: ""}),
        evidence_id=[frame.at[root, "table"] + ":" + frame.at[root, "group"] for root in leaves["root"]],
        # Parts of what a government reported stay part of that report, also where one is told as a case: taking
        # the told cases out would leave a remainder that stands for nobody.
        source_kind=frame.loc[leaves["root"], "source_kind"].to_numpy(),
        is_remainder=leaves["is_remainder"].astype(int),
        n=leaves["n"].astype("Int64"),
        low_months=leaves["low"].where(bounding.loc[leaves["id"]].to_numpy(), rows["low_months"]),
        high_months=leaves["high"].where(bounding.loc[leaves["id"]].to_numpy(), rows["high_months"]),
        # A bound cut to that of the containing group belongs to the group, as that one's does.
        low_inclusive=rows["low_inclusive"].where(rows["low_months"].eq(leaves["low"]), 1),
        high_inclusive=rows["high_inclusive"].where(rows["high_months"].eq(leaves["high"]), 1),
        low_attained=leaves["low_attained"].astype(int),
        high_attained=leaves["high_attained"].astype(int),
    )
    rows["kind"] = _leaf_kind(rows)
    emptied = kept.index.difference(leaves["id"])
    frame.loc[emptied, "why_not"] = "all its people are in the groups inside it"
    aside = frame[frame["why_not"] != ""].reset_index()
    aside = aside.assign(row_id=aside["id"], evidence_id=aside["table"] + ":" + aside["group"], is_remainder=0)
    aside = aside.assign(low_attained=0, high_attained=0)
    both = pd.concat([rows, aside], ignore_index=True)
    return both.assign(raw_row=both["table"] + ":" + both["row"].astype(str), base_candidates="", count_candidates="")


def _leaf_kind(rows: pd.DataFrame) -> pd.Series:
    """A range whose ends went to parts of it is now only an interval; one cut to a point is exact."""
    attained = (rows["low_attained"] + rows["high_attained"]) > 0
    kind = rows["kind"].mask((rows["kind"] == "range") & ~attained, "interval")
    kind = kind.mask((kind == "interval") & attained, "range")
    described = kind.isin(["range", "interval", "unknown"]) & ~(rows["low_months"].isna() & rows["high_months"].isna())
    kind = kind.mask(described & (kind == "unknown"), "interval")
    return kind.mask(described & (rows["low_months"] == rows["high_months"]), "exact")


def _with_bases(leaves: pd.DataFrame) -> pd.DataFrame:
    """Give the bands of each year the bases their shares can have, and add the part of the year no band covers."""
    banded = (leaves["n_basis"] == "base") & leaves["share_percent"].notna() & (leaves["why_not"] == "")
    added = []
    for _, bands in leaves[banded].groupby("evidence_id"):
        shares = list(bands["share_percent"])
        cap = bands["convictions_known"].max()
        # Beyond 100 several counts fit a whole percent, and shares tell nothing of the base any more.
        bases = grouping.feasible_bases(shares, at_most=100 if pd.isna(cap) else min(int(cap), 100))
        if not bases:
            raise ValueError(f"{bands['raw_row'].iloc[0]}: no base up to {cap} can give the shares {shares} percent")
        bases = grouping.considered_bases(bases, cap_known=not pd.isna(cap))
        counts = [grouping.share_counts(shares, base)[0] for base in bases]
        leaves.loc[bands.index, "base_candidates"] = _joined(bases)
        leaves.loc[bands.index, "count_candidates"] = [_joined(column) for column in zip(*counts, strict=True)]
        rest = [base - sum(count) for base, count in zip(bases, counts, strict=True)]
        if any(rest):
            added.append(_rest_of_year(bands, bases, rest))
    return pd.concat([leaves, *added], ignore_index=True)


def _joined(numbers) -> str:
    return ";".join(map(str, numbers))


def _rest_of_year(bands: pd.DataFrame, bases: list[int], rest: list[int]) -> pd.DataFrame:
    low, high = uncovered(list(zip(bands["low_months"], bands["high_months"], strict=True)))
    # An edge that a printed band leaves out belongs to the rest, and the other way round.
    taken_low = bands.loc[bands["high_months"] == low, "high_inclusive"].any()
    taken_high = bands.loc[bands["low_months"] == high, "low_inclusive"].any()
    row = bands.iloc[[0]].assign(
        row_id=bands["evidence_id"].iloc[0] + "#rest",
        is_remainder=1,
        share_percent=100 - bands["share_percent"].sum(),
        low_months=low,
        high_months=high,
        low_inclusive=int(not taken_low),
        high_inclusive=int(not taken_high),
        base_candidates=_joined(bases),
        count_candidates=_joined(rest),
        raw_row=";".join(bands["raw_row"]),
        source_id=join_ids(bands["source_id"]),
        same_as=pd.NA,
        note="the share of the year that no published band covers",
    )
    return row


def uncovered(bands: list[tuple[float, float]]) -> tuple[float, float]:
    """The smallest interval that holds all lengths outside the given bands; NaN where open.

    Bands are (low, high) in months with NaN for open ends; they may meet but not overlap.
    """
    edges = sorted((0.0 if pd.isna(a) else a, float("inf") if pd.isna(b) else b) for a, b in bands)
    gaps, at = [], 0.0
    for low, high in edges:
        if low > at:
            gaps.append((at, low))
        at = max(at, high)
    if at < float("inf"):
        gaps.append((at, float("inf")))
    if not gaps:
        raise ValueError(f"the bands {bands} leave nothing uncovered")
    low, high = gaps[0][0], gaps[-1][1]
    return (low if low > 0 else float("nan"), high if high < float("inf") else float("nan"))


def _why_not(row: pd.Series) -> str:
    """The first reason why a row cannot enter a model of prison terms; blank when there is none."""
    open_low, open_high = pd.isna(row["low_months"]), pd.isna(row["high_months"])
    for_life = row["sanction"] in ("life", "death")
    nobody = row["n_basis"] == "base" and not pd.isna(row["share_percent"]) and not _any_people(row["count_candidates"])
    reasons = [
        (row["outcome"] == "does_not_stand", "the judgment was annulled or quashed"),
        (row["outcome"] in ("acquitted", "acquittal_quashed", "quashed", "annulled"), "no conviction that stands"),
        (row["table"] == courts.SERBIA_CASES and pd.isna(row["outcome"]), "outcome not visible in the source"),
        (row["offence"] == "other", "mostly another offence"),
        (row["sanction"] in NO_PRISON_TERM, NO_PRISON_TERM.get(row["sanction"])),
        (row["term_basis"] != "imposed", f"time {row['term_basis']}, not the term imposed"),
        (row["kind"] == "typical", "said of most, not of all"),
        (row["n_basis"] == "base" and pd.isna(row["share_percent"]), "a share in words, of an unknown base"),
        (open_low and open_high and not for_life, "no length published"),
        (row["low_months"] == 0 and open_high, "bounds that exclude nothing"),
        (pd.isna(row["n"]) and row["n_basis"] != "base", "number of people not stated"),
        (nobody, "nobody in this band under any base"),
    ]
    return next((reason for applies, reason in reasons if applies), "")


def _any_people(counts: str) -> bool:
    return any(count not in ("", "0") for count in counts.split(";"))


def _attained_allowed(leaves: pd.DataFrame) -> pd.Series:
    """Whether attained ends may enter as such: everyone is covered and n is stated (ends are prison terms already)."""
    attained = (leaves["low_attained"] + leaves["high_attained"]) > 0
    stated = leaves["n_basis"].eq("stated") & leaves["covers_all"].eq(1)
    return (attained & stated & leaves["sanction"].eq("prison")).astype(int)


BANDS = {
    (0, 36): "under_3_years",
    (36, 60): "3_to_5_years",
    (0, 60): "under_5_years_undivided",
    (60, float("inf")): "over_5_years",
}


def bases(evidence: pd.DataFrame) -> pd.DataFrame:
    """The printed shares of each year by band, and the bases they can have, for readers.

    Returns
    -------
    pandas.DataFrame
        `year`; one text column for each of BANDS that occurs, from short to long ("84 %: 16 people", under the
        smallest base; "rest" where no band was printed); `possible_bases` (text); `n_smallest` (persons);
        `source_ids`.
    """
    bands = evidence[(evidence["n_basis"] == "base") & evidence["share_percent"].notna()]
    rows = []
    for year, shares in bands.groupby("year"):
        told = {_band(row): _told_share(row) for row in shares.to_dict("records")}
        candidates = shares["base_candidates"].iloc[0].split(";")
        capped = shares["convictions_known"].notna().any()
        possible = ", ".join(candidates) + ("" if capped else " or more")
        sources = join_ids(shares["source_id"])
        rows.append(
            {"year": year}
            | told
            | {"possible_bases": possible, "n_smallest": int(candidates[0]), "source_ids": sources}
        )
    found = {label for row in rows for label in row} - {"year", "possible_bases", "n_smallest", "source_ids"}
    columns = [label for label in BANDS.values() if label in found] + sorted(found - set(BANDS.values()))
    return pd.DataFrame(rows, columns=["year", *columns, "possible_bases", "n_smallest", "source_ids"])


def _band(row: dict) -> str:
    low = 0 if pd.isna(row["low_months"]) else row["low_months"]
    high = float("inf") if pd.isna(row["high_months"]) else row["high_months"]
    return BANDS.get((low, high), f"{low:g}_to_{high:g}_months")


def _told_share(row: dict) -> str:
    people = row["count_candidates"].split(";")[0]
    share = "rest" if row["is_remainder"] else f"{row['share_percent']:g} %"
    return f"{share}: {people}"


def unused(evidence: pd.DataFrame) -> pd.DataFrame:
    """How many rows cannot be used for which reason; reasons that name another row are taken together."""
    reasons = evidence.loc[evidence["used"] == 0, "why_not"]
    reasons = reasons.str.replace(r"(as|of|in|inside) (tip|courts)/\S+\.csv:.*", r"\1 another row", regex=True)
    return reasons.value_counts().rename_axis("reason").reset_index(name="rows")


def people(evidence: pd.DataFrame) -> pd.DataFrame:
    """People in the used evidence by country, year and source kind: with the smallest and largest base.

    Returns
    -------
    pandas.DataFrame
        `iso3`, `year_low`, `year_high`, `source_kind`, `n_smallest`, `n_largest` (persons), `n_rows`.
    """
    used = evidence[evidence["used"] == 1]
    candidates = used["count_candidates"].fillna("").map(lambda c: [int(x) for x in str(c).split(";")] if c else None)
    smallest = used["n"].astype("float64").fillna(candidates.map(lambda c: c[0] if c else float("nan")))
    largest = used["n"].astype("float64").fillna(candidates.map(lambda c: c[-1] if c else float("nan")))
    counted = used.assign(n_smallest=smallest, n_largest=largest)
    keys = ["iso3", "year_low", "year_high", "source_kind"]
    summed = counted.groupby(keys, dropna=False).agg(
        n_smallest=("n_smallest", "sum"), n_largest=("n_largest", "sum"), n_rows=("row_id", "size")
    )
    return summed.astype("Int64").reset_index()


def people_by_kind(known: pd.DataFrame) -> pd.DataFrame:
    """`people` added up, and by kind of source: `kind` ("smallest" for all), `label`, `n` (persons, smallest bases)."""
    by_kind = known.groupby("source_kind")["n_smallest"].sum()
    rows = [("smallest", "people sentenced, smallest bases", int(by_kind.sum()))]
    rows += [(kind, f"of these, through {label}", int(by_kind.get(kind, 0))) for kind, label in SOURCE_KINDS.items()]
    return pd.DataFrame(rows, columns=["kind", "label", "n"])


def n_people(evidence: pd.DataFrame) -> int:
    """People in the used evidence, under the smallest bases."""
    return int(people(evidence)["n_smallest"].sum())
