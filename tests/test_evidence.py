"""The evidence table: everybody once, every row with its reason, and what a likelihood gets to see."""

import functools
import itertools

import pandas as pd
import pytest

from sentencing import corrections, courts, evidence, grouping

CODED, OTHER, WORLD = courts.CODED, courts.OTHER_GROUPS, courts.WORLD_CASES
SERBIA, CASES, BANDS = courts.SERBIA_GROUPS, courts.SERBIA_CASES, courts.SERBIA_BANDS
OPEN = float("nan")

GROUP = {
    "table": CODED, "key": "A", "iso3": "AAA", "year": 2017, "n": 10, "n_basis": "stated", "kind": "interval",
    "low_months": 6.0, "high_months": 96.0, "low_inclusive": 1, "high_inclusive": 1, "covers_all": 0,
    "sanction": "prison", "term_basis": "imposed",
    "aggregate_sentence": 0, "offence": "trafficking", "exploitation": "unspecified", "instance": "unknown",
    "level": "national", "source_kind": "official", "share_percent": OPEN, "convictions_known": OPEN,
    "source_id": "report", "locator": "page 1", "correction_ids": "",
}  # fmt: skip
RANGE = {"kind": "range", "covers_all": 1}
EXACT = {"kind": "exact", "n": 1}
NO_LENGTH = {"kind": "unknown", "low_months": OPEN, "high_months": OPEN}
PRESS = {"table": WORLD, "outcome": "convicted", "source_kind": "publicised", "level": "case", **EXACT}
BAND = {
    "table": BANDS, "group": "2018", "year": 2018, "n": pd.NA, "n_basis": "base", "source_kind": "monitor",
    "level": "subset", "iso3": "SRB",
}  # fmt: skip


def term(months: float) -> dict:
    return EXACT | {"low_months": float(months), "high_months": float(months)}


def band(key: str, low: float, high: float, share: float, **changes) -> dict:
    return BAND | {"key": key, "low_months": low, "high_months": high, "share_percent": share} | changes


def group_frame(*changes: dict) -> pd.DataFrame:
    """Groups as the functions of `courts` give them: GROUP with `changes`, typed alike."""
    rows = [dict.fromkeys(courts.GROUP_COLUMNS, pd.NA) | GROUP | change for change in changes]
    for line, row in enumerate(rows, start=2):
        row["row"] = line
        row["group"] = row["key"] if pd.isna(row["group"]) else row["group"]
        for column in ("year_low", "year_high"):
            row[column] = row["year"] if pd.isna(row[column]) else row[column]
    types = dict.fromkeys(courts.GROUP_COLUMNS, "str") | dict.fromkeys(courts.WHOLE_COLUMNS, "Int64")
    types |= dict.fromkeys(courts.NUMBER_COLUMNS, "float64") | {"row": "int64"}
    return pd.DataFrame(rows, columns=courts.GROUP_COLUMNS).astype(types)


def assembled(*changes: dict) -> pd.DataFrame:
    """The evidence table of groups, indexed by the row's id without its table."""
    table = evidence.assemble([group_frame(*changes)])
    return table.set_index(table["row_id"].str.rpartition(":")[2])


def used_people(*changes: dict) -> int:
    table = assembled(*changes)
    return int(table.loc[table["used"] == 1, "n"].sum())


@functools.cache
def published() -> tuple[pd.DataFrame, ...]:
    read = corrections.Reader("data/raw", "data/corrections.yml")
    return tuple(reader(read(table)) for table, reader in courts.GROUPS.items())


@functools.cache
def real() -> pd.DataFrame:
    return evidence.assemble(list(published()))


def real_used(**wanted) -> pd.DataFrame:
    rows = real()[real()["used"] == 1]
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


# ---------------------------------------------------------------------------- Serbia


def test_serbian_people_by_year():
    known = evidence.people(real_used(iso3="SRB"))
    by_years = {(r.year_low, r.year_high): r.n_smallest for r in known.itertuples()}
    assert by_years == {
        (2006, 2006): 1, (2011, 2011): 47, (2013, 2013): 4, (2015, 2015): 19, (2016, 2016): 1, (2017, 2017): 13,
        (2018, 2018): 8, (2019, 2019): 4, (2020, 2020): 6, (2020, 2021): 1, (2021, 2021): 9, (2022, 2022): 5,
        (2025, 2025): 1,
    }  # fmt: skip
    assert sum(by_years.values()) == 119


def test_serbian_people_by_kind_of_source():
    known = evidence.people(real_used(iso3="SRB")).groupby("source_kind")["n_smallest"].sum()
    assert known.to_dict() == {"official": 60, "monitor": 51, "publicised": 8}


def test_serbian_bases_under_the_largest_choice():
    known = evidence.people(real_used(iso3="SRB", source_kind="monitor"))
    largest = dict(zip(known["year_low"], known["n_largest"], strict=True))
    assert largest == {2015: 19, 2018: 13, 2019: 12, 2020: 18, 2021: 9, 2022: 15}


def test_the_serbian_range_of_2017_is_one_row():
    row = real_used(iso3="SRB", year=2017).squeeze()
    assert (row.n, row.low_months, row.high_months, row.kind) == (13, 12, 96, "range")
    assert (row.low_attained, row.high_attained, row.n_basis) == (1, 1, "inferred_total")
    assert row.attained_allowed == 0


def test_the_share_no_serbian_band_covers_is_a_row_of_its_own():
    rests = real_used(iso3="SRB", is_remainder=1).set_index("year")
    bounds = {year: (row.low_months, row.high_months, row.count_candidates) for year, row in rests.iterrows()}
    assert set(bounds) == {2018, 2020, 2021}
    assert bounds[2020] == (36, 60, "4;8;12")
    assert pd.isna(bounds[2018][0]) and bounds[2018][1:] == (60, "5;8")
    assert pd.isna(bounds[2021][0]) and bounds[2021][1:] == (60, "8")


def test_serbian_averages_and_shares_in_words_are_not_used():
    rows = real().set_index("raw_row")
    words = rows[(rows["iso3"] == "SRB") & (rows["n_basis"] == "base") & rows["share_percent"].isna()]
    assert words["why_not"].tolist() == ["a share in words, of an unknown base"]
    assert (rows.loc[(rows["iso3"] == "SRB") & (rows["kind"] == "mean"), "used"] == 0).all()


# ---------------------------------------------------------------------------- everybody once, everything told


def test_every_published_row_is_in_the_evidence():
    told = {raw for cell in real()["raw_row"] for raw in cell.split(";")}
    assert told == {
        f"{table}:{row}" for frame in published() for table, row in zip(frame.table, frame.row, strict=True)
    }


def test_rows_are_used_or_have_a_reason_and_have_ids_of_their_own():
    assert ((real()["used"] == 1) == (real()["why_not"] == "")).all()
    assert real()["row_id"].is_unique
    assert list(real()) == list(evidence.COLUMNS)


def real_links() -> list[tuple[str, str]]:
    frame = pd.concat(published())
    ids = list(frame["table"] + ":" + frame["key"])
    links = []
    for own, cell in zip(ids, frame["same_as"], strict=True):
        for link in [] if pd.isna(cell) else cell.removeprefix("possibly ").split(";"):
            links += [(own, other) for other in ids if other == link or other.startswith(link + "|")]
    return links


def test_of_rows_about_the_same_people_one_side_at_most_is_used():
    used = set(real_used()["row_id"].str.removesuffix("#rest"))
    both = [link for link in real_links() if used.issuperset(link)]
    assert len(real_links()) > 40
    assert both == []


def test_people_linked_through_several_tables_are_used_from_one():
    used = real_used().assign(raw_id=lambda f: f["row_id"].str.removesuffix("#rest"))
    table_of = dict(zip(used["raw_id"], used["row_id"].str.partition(":")[0], strict=True))
    tables: dict[str, set] = {}
    for a, b in real_links() * 2:  # twice, so that chains are followed to their end
        joined = tables.get(a, {a}) | tables.get(b, {b})
        for member in joined:
            tables[member] = joined
    for members in tables.values():
        assert len({table_of[m] for m in members if m in table_of}) <= 1


def test_every_nest_of_known_size_holds_its_people_once():
    frame = pd.concat(published())
    size = dict(zip(frame["table"] + ":" + frame["key"], frame["n"], strict=True))
    aside = r"^(?:same people|presumed|inside the mean|time |all its people)"
    leaves = real()[~real()["why_not"].str.contains(aside) & real()["n"].notna()]
    held = leaves.groupby("evidence_id")["n"].sum()
    nested = [root for root, rows in leaves.groupby("evidence_id") if len(rows) > 1 and pd.notna(size.get(root))]
    assert len(nested) > 10
    assert {root: held[root] for root in nested} == {root: size[root] for root in nested}


@pytest.mark.parametrize(
    ("country", "leaves"),
    [
        ("SVN", {"02#rest": (5, 24, 96, 0, 0), "03": (1, 96, 96, 0, 0), "01#rest": (4, 6, 96, 1, 0)}),
        ("GHA", {"02": (2, 60, 60, 0, 0), "03": (2, 12, 12, 0, 0), "04": (2, 6, 6, 0, 0)}),
        ("AFG", {"02": (28, 12, 252, 0, 1), "03": (1, 6, 6, 0, 0)}),
    ],
)
def test_nests_of_the_2018_edition(country, leaves):
    found = real_used(evidence_id=f"{CODED}:{country}-2017-01")
    columns = ["n", "low_months", "high_months", "low_attained", "high_attained"]
    assert {r["row_id"].rpartition("-")[2]: tuple(r[columns]) for _, r in found.iterrows()} == leaves


def test_the_order_of_the_tables_does_not_matter_for_the_real_ones():
    pd.testing.assert_frame_equal(evidence.assemble(list(published())[::-1]), real())


def test_the_published_groups_are_not_changed_by_assembling_them():
    frames = group_frame({"same_as": f"{CODED}:B"}, {"key": "B", "year_low": pd.NA, "year_high": pd.NA, "year": pd.NA})
    before = frames.copy(deep=True)
    evidence.assemble([frames])
    pd.testing.assert_frame_equal(frames, before)


# ---------------------------------------------------------------------------- the same people


def test_the_coded_narrative_is_preferred_and_the_reason_names_it():
    table = assembled({"table": OTHER, "key": "O", "same_as": f"{CODED}:A"}, {})
    assert table["used"].to_dict() == {"A": 1, "O": 0}
    assert table.at["O", "why_not"] == f"same people as {CODED}:A"


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_links_are_followed_through_several_tables(order):
    rows = [
        {"table": CASES, "key": "C|1", "same_as": f"{WORLD}:W|1", "outcome": "convicted", **EXACT},
        {"table": WORLD, "key": "W|1", "same_as": f"{SERBIA}:S", **EXACT},
        {"table": SERBIA, "key": "S", "same_as": f"{CODED}:A", **EXACT},
        EXACT,
    ]
    assert assembled(*(rows[i] for i in order))["used"].to_dict() == {"A": 1, "C|1": 0, "S": 0, "W|1": 0}


def test_a_case_without_a_number_means_all_its_defendants():
    table = assembled(
        {"table": SERBIA, "key": "S", "n": 2, "same_as": f"{CASES}:C"},
        *({"table": CASES, "key": f"C|{i}", "group": "C", "outcome": "convicted", **EXACT} for i in (1, 2)),
    )
    assert table["used"].to_dict() == {"C|1": 1, "C|2": 1, "S": 0}


def test_within_a_table_the_row_that_points_away_is_set_aside():
    assert assembled({"same_as": f"{CODED}:B"}, {"key": "B"})["used"].to_dict() == {"A": 0, "B": 1}


def test_rows_of_one_table_that_point_at_each_other_are_counted_once():
    assert used_people({"same_as": f"{CODED}:B"}, {"key": "B", "same_as": f"{CODED}:A"}) == 10


def test_possibly_the_same_people_count_once():
    assert used_people({"same_as": f"possibly {CODED}:B"}, {"key": "B"}) == 10


@pytest.mark.parametrize(
    "link",
    [f"{CODED}:nobody", f"{CODED}:B;{CODED}:nobody", f"possibly {CODED}:nobody", f"{CODED}:B; possibly {CODED}:nobody"],
)
def test_a_link_to_no_row_is_an_error_that_names_both_ends(link):
    with pytest.raises(ValueError, match=rf"{CODED}:A: same_as names {CODED}:nobody"):
        assembled({"same_as": link}, {"key": "B"})


def test_a_link_to_no_table_is_an_error():
    with pytest.raises(ValueError, match="coded_2018_sentense.csv"):
        assembled({"same_as": "tip/coded_2018_sentense.csv:B"}, {"key": "B"})


def test_a_link_to_figures_about_proceedings_leads_to_no_people():
    assert used_people({"same_as": "courts/serbia_proceedings.csv:2020|plea judgments"}) == 10


def test_a_kept_row_takes_missing_years_from_one_about_the_same_people():
    table = assembled(
        {"table": CASES, "key": "C|1", "year": pd.NA, "outcome": "convicted", **EXACT},
        {"table": SERBIA, "key": "S", "year": pd.NA, "year_low": 2020, "year_high": 2021, "same_as": f"{CASES}:C|1"},
    )
    assert table.loc["C|1", ["year_low", "year_high"]].tolist() == [2020, 2021]
    assert pd.isna(table.at["C|1", "year"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_years_taken_over_do_not_depend_on_the_order_of_the_tables(order):
    frames = [
        group_frame({"table": CASES, "key": "C|1", "year": pd.NA, "outcome": "convicted", **EXACT}),
        group_frame({"table": SERBIA, "key": "S", "year": 2020, "same_as": f"{CASES}:C|1"}),
        group_frame({"table": WORLD, "key": "W|1", "year": 2019, "same_as": f"{CASES}:C|1", **EXACT}),
    ]
    pd.testing.assert_frame_equal(evidence.assemble([frames[i] for i in order]), evidence.assemble(frames))


def test_a_group_kept_for_another_takes_its_place_inside_a_larger_one():
    """Portugal 2016: the five suspended of fifteen are told by another table too."""
    table = assembled(
        {"table": OTHER, "key": "all", "n": 15},
        {"table": OTHER, "key": "told again", "n": 5, "subset_of": f"{OTHER}:all", "same_as": f"{CODED}:A"},
        {"n": 5, "sanction": "suspended"},
    )
    assert table.loc[table["used"] == 1, "n"].to_dict() == {"all#rest": 10}


def test_a_part_of_a_group_that_another_row_stands_for_is_not_counted_beside_it():
    assert used_people(
        {"n": 10},
        {"table": OTHER, "key": "again", "n": 10, "same_as": f"{CODED}:A"},
        {"table": OTHER, "key": "part", "n": 3, "low_months": 12.0, "subset_of": f"{OTHER}:again"},
    ) == 10  # fmt: skip


# ---------------------------------------------------------------------------- presumed the same people


def test_a_press_case_with_a_reported_term_is_presumed_the_same_person():
    table = assembled(term(60), PRESS | term(60) | {"key": "W|1"})
    assert table["used"].to_dict() == {"A": 1, "W|1": 0}
    assert f"presumed the same people as {CODED}:A" in table.at["W|1", "why_not"]


@pytest.mark.parametrize("other", [{"iso3": "BBB"}, {"year": 2016}, term(61), {"year": pd.NA}, {"kind": "interval"}])
def test_a_press_case_of_another_country_year_or_term_stays(other):
    assert assembled(term(60), PRESS | term(60) | other | {"key": "W|1"}).at["W|1", "used"] == 1


def test_serbian_cases_are_never_presumed_to_be_somebody_else():
    table = assembled(term(60), term(60) | {"table": CASES, "key": "C|1", "outcome": "convicted"})
    assert table["used"].tolist() == [1, 1]


def test_presumed_same_people_names_the_row_set_aside_and_its_twin():
    frame = group_frame(term(60), PRESS | term(60) | {"key": "W|1"}, PRESS | term(72) | {"key": "W|2"})
    frame.index = pd.Index(frame["table"] + ":" + frame["key"], name="id")
    reasons = evidence.presumed_same_people(frame)
    assert list(reasons) == [f"{WORLD}:W|1"]
    assert f"{CODED}:A" in reasons[f"{WORLD}:W|1"]


def test_the_twin_named_does_not_depend_on_the_order_of_the_tables():
    frames = [group_frame(term(60)), group_frame(term(60) | {"table": OTHER, "key": "O"})]
    press = group_frame(PRESS | term(60) | {"key": "W|1"})
    pd.testing.assert_frame_equal(
        evidence.assemble([*frames, press]), evidence.assemble([press, *frames[::-1]])
    )  # fmt: skip


# ---------------------------------------------------------------------------- groups inside groups


def test_a_part_larger_than_its_whole_is_an_error_that_names_both():
    with pytest.raises(grouping.NestingError) as error:
        assembled({"key": "whole", "n": 5}, {"key": "part", "n": 7, "subset_of": f"{CODED}:whole"})
    assert f"{CODED}:whole" in str(error.value) and f"{CODED}:part" in str(error.value)


def test_a_part_of_no_group_is_an_error():
    with pytest.raises(ValueError, match="nowhere"):
        assembled({"subset_of": f"{CODED}:nowhere"})


def test_leaves_keep_the_cluster_and_the_kind_of_source_of_the_whole():
    table = assembled(
        RANGE, term(24) | {"key": "B", "source_kind": "publicised", "level": "case", "subset_of": f"{CODED}:A"}
    )
    assert set(table["evidence_id"]) == {f"{CODED}:A"}
    assert set(table["source_kind"]) == {"official"}
    assert table["n"].to_dict() == {"A#rest": 9, "B": 1}


def test_a_range_whose_ends_went_elsewhere_is_an_interval_and_one_that_gained_an_end_a_range():
    table = assembled(
        RANGE,
        {"key": "B", "n": 1, "low_months": 24.0, "high_months": OPEN, "subset_of": f"{CODED}:A"},
    )
    assert table["kind"].to_dict() == {"A#rest": "range", "B": "interval"}
    table = assembled(RANGE, {"key": "B", "n": 10, "high_months": OPEN, "subset_of": f"{CODED}:A"})
    assert table.loc["B", ["kind", "low_attained", "high_attained"]].tolist() == ["range", 1, 1]
    assert table.at["A", "why_not"] == "all its people are in the groups inside it"
    table = assembled(
        RANGE, term(6) | {"key": "B", "subset_of": f"{CODED}:A"}, term(96) | {"key": "C", "subset_of": f"{CODED}:A"}
    )
    assert table.at["A#rest", "kind"] == "interval"


def test_a_part_cut_to_a_single_term_is_exact():
    table = assembled({"low_months": 12.0}, {"key": "B", "n": 2, "high_months": 12.0, "subset_of": f"{CODED}:A"})
    assert table.loc["B", ["kind", "low_months", "high_months"]].tolist() == ["exact", 12, 12]


def test_parts_of_a_mean_are_set_aside_and_the_mean_stays_whole():
    table = assembled(
        {"kind": "mean", "low_months": 40.0, "high_months": 40.0}, {"key": "B", "n": 3, "subset_of": f"{CODED}:A"}
    )
    assert table["n"].to_dict() == {"A": 10, "B": 3}
    assert table["used"].to_dict() == {"A": 1, "B": 0}
    assert "inside the mean of" in table.at["B", "why_not"]
    assert table.at["A", "kind"] == "mean"


def test_a_part_of_a_part_of_a_mean_is_set_aside_too():
    assert used_people(
        {"kind": "mean", "low_months": 40.0, "high_months": 40.0},
        {"key": "B", "n": 3, "subset_of": f"{CODED}:A"},
        term(40) | {"key": "C", "subset_of": f"{CODED}:B"},
    ) == 10  # fmt: skip


@pytest.mark.parametrize("vague", [{"kind": "mean"}, {"kind": "typical"}])
def test_an_end_that_people_of_a_mean_or_most_of_whom_something_is_said_could_hold_is_not_guessed(vague):
    table = assembled(
        RANGE, vague | {"key": "B", "n": 4, "low_months": 30.0, "high_months": 30.0, "subset_of": f"{CODED}:A"}
    )
    assert table.loc["A#rest", ["low_attained", "high_attained"]].tolist() == [0, 0]


@pytest.mark.parametrize("basis", ["to_serve", "served"])
def test_time_to_serve_of_people_known_by_the_term_imposed_is_set_aside(basis):
    table = assembled({}, {"key": "B", "n": 3, "term_basis": basis, "subset_of": f"{CODED}:A"})
    assert table["used"].to_dict() == {"A": 1, "B": 0}
    assert table.at["A", "n"] == 10
    assert table.at["B", "why_not"].startswith(f"time {basis}")


@pytest.mark.parametrize("sanction", ["suspended", "fine", "probation"])
def test_parts_without_a_prison_term_are_taken_out_of_the_whole(sanction):
    table = assembled({}, {"key": "B", "n": 4, "sanction": sanction, "subset_of": f"{CODED}:A", **NO_LENGTH} | {"n": 4})
    assert table["used"].to_dict() == {"A#rest": 1, "B": 0}
    assert table.at["A#rest", "n"] == 6


# ---------------------------------------------------------------------------- why not


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outcome": "does_not_stand"}, "annulled or quashed"),
        ({"outcome": "acquitted"}, "no conviction"),
        ({"outcome": "annulled"}, "no conviction"),
        ({"outcome": "quashed"}, "no conviction"),
        ({"sanction": "suspended"}, "suspended"),
        ({"sanction": "fine"}, "a fine"),
        ({"sanction": "probation"}, "probation"),
        ({"sanction": "house_arrest"}, "house arrest"),
        ({"sanction": "community"}, "community"),
        ({"kind": "typical"}, "said of most"),
        ({"term_basis": "to_serve"}, "time to_serve"),
        ({"term_basis": "served"}, "time served"),
        ({"offence": "other"}, "another offence"),
        (NO_LENGTH, "no length"),
        ({"low_months": 0.0, "high_months": OPEN}, "exclude nothing"),
        ({"n": pd.NA, "n_basis": "unknown"}, "number of people not stated"),
        ({"table": CASES, "key": "A|1"}, "outcome not visible"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(change, reason):
    row = assembled(change).iloc[0]
    assert row.used == 0
    assert reason in row.why_not


@pytest.mark.parametrize(
    "change",
    [
        {}, RANGE, {"low_months": OPEN}, {"high_months": OPEN}, {"sanction": "partly_suspended"},
        {"offence": "related"},
        {"kind": "mean", "low_months": 40.0, "high_months": 40.0}, {"low_months": 0.0, "high_months": 12.0},
        {"aggregate_sentence": 1}, {"n_basis": "minimum"}, {"sanction": "unspecified"}, {"outcome": "convicted"},
        {"table": CASES, "key": "A|1", "outcome": "convicted_inferred"},
        {"sanction": "life", **NO_LENGTH}, {"sanction": "death", **NO_LENGTH},
    ],
)  # fmt: skip
def test_a_row_that_can_be_used_is(change):
    assert assembled(change)["used"].tolist() == [1]


def test_real_rows_without_a_prison_term_or_a_standing_conviction_are_unused():
    rows = real()
    assert not rows.loc[rows["sanction"].isin(["suspended", "fine", "probation"]), "used"].any()
    assert not rows.loc[rows["kind"] == "typical", "used"].any()
    assert not rows.loc[rows["term_basis"] != "imposed", "used"].any()
    assert rows["why_not"].str.contains("annulled or quashed").sum() == 5
    assert rows["why_not"].str.contains("no conviction").sum() > 20


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, 1),
        ({"covers_all": 0}, 0),
        ({"n_basis": "inferred_total"}, 0),
        ({"n_basis": "minimum"}, 0),
        ({"low_sanction": "fine"}, 0),
        ({"high_sanction": "life"}, 0),
        ({"low_sanction": "prison"}, 1),
        ({"sanction": "partly_suspended"}, 0),
        ({"sanction": "unspecified"}, 0),
        ({"kind": "interval"}, 0),
    ],
)
def test_attained_ends_may_enter_only_where_all_are_covered_counted_and_imprisoned(change, allowed):
    assert assembled(RANGE | change)["attained_allowed"].tolist() == [allowed]


# ---------------------------------------------------------------------------- shares of an unprinted base


def test_bands_get_the_bases_of_their_year_and_a_row_for_the_rest():
    table = assembled(band("long", 60.0, OPEN, 38.0, convictions_known=14.0))
    rest = table.loc["2018#rest"]
    assert table["base_candidates"].tolist() == ["8;13", "8;13"]
    assert (table.at["long", "count_candidates"], rest.count_candidates) == ("3;5", "5;8")
    assert pd.isna(rest.low_months) and rest.high_months == 60
    assert (rest.share_percent, rest.is_remainder, rest.used, rest.evidence_id) == (62, 1, 1, f"{BANDS}:2018")
    assert pd.isna(rest["n"]) and rest.n_basis == "base"


def test_bands_that_cover_everyone_leave_no_rest_and_an_empty_band_is_not_used():
    table = assembled(band("long", 60.0, OPEN, 20.0), band("middle", 36.0, 60.0, 0.0), band("short", OPEN, 36.0, 80.0))
    assert table["count_candidates"].to_dict() == {"long": "1;2;3", "middle": "0;0;0", "short": "4;8;12"}
    assert table["used"].to_dict() == {"long": 1, "middle": 0, "short": 1}
    assert table.at["middle", "why_not"] == "nobody in this band under any base"


def test_years_have_bases_of_their_own():
    table = assembled(
        band("a", 60.0, OPEN, 50.0, convictions_known=2.0),
        band("b", 60.0, OPEN, 33.0, group="2019", year=2019, convictions_known=3.0),
    )
    assert table["base_candidates"].to_dict() == {"a": "2", "2018#rest": "2", "b": "3", "2019#rest": "3"}


def test_without_a_known_total_the_smallest_three_bases_are_considered():
    assert assembled(band("a", 60.0, OPEN, 50.0))["base_candidates"].tolist() == ["2;4;6"] * 2


def test_shares_no_base_can_give_are_an_error_with_their_row():
    with pytest.raises(ValueError, match=rf"{BANDS}:2.*no base up to 5.*38"):
        assembled(band("long", 60.0, OPEN, 38.0, convictions_known=5.0))


def test_bands_set_aside_for_another_row_do_not_count_towards_the_base():
    table = assembled(
        band("long", 60.0, OPEN, 38.0, convictions_known=14.0),
        BAND | {"table": SERBIA, "key": "S", "share_percent": 38.0, "same_as": f"{BANDS}:long"},
    )
    assert table.at["long", "base_candidates"] == "8;13"
    assert table.at["S", "used"] == 0


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ([(60, OPEN)], (OPEN, 60)),
        ([(OPEN, 36)], (36, OPEN)),
        ([(OPEN, 36), (60, OPEN)], (36, 60)),
        ([(60, OPEN), (OPEN, 36)], (36, 60)),
        ([(36, 60)], (OPEN, OPEN)),
        ([(0, 36), (36, 60)], (60, OPEN)),
        ([(OPEN, 12), (24, 36), (48, OPEN)], (12, 48)),
        ([(12, 36), (36, OPEN)], (OPEN, 12)),
    ],
)
def test_lengths_that_no_band_covers(bands, expected):
    assert evidence.uncovered(bands) == pytest.approx(expected, nan_ok=True)


UNDER_36, OVER_60 = {"high_inclusive": 0}, {"low_inclusive": 0}


@pytest.mark.parametrize(
    ("bands", "flags"),
    [
        ([band("u", OPEN, 36, 17, **UNDER_36), band("o", 60, OPEN, 17, **OVER_60)], (1, 1)),
        ([band("o", 60, OPEN, 38, **OVER_60)], (1, 1)),
        ([band("o", 60, OPEN, 38)], (1, 0)),
        ([band("u", OPEN, 36, 38, **UNDER_36)], (1, 1)),
        ([band("u", OPEN, 36, 38)], (0, 1)),
        ([band("u", OPEN, 36, 25, **UNDER_36), band("b", 36, 60, 50)], (0, 1)),
        ([band("b", 36, 60, 50), band("o", 60, OPEN, 25, **OVER_60)], (1, 0)),
    ],
)
def test_edge_that_no_printed_band_holds_belongs_to_the_rest_of_the_year(bands, flags):
    rest = assembled(*bands).loc["2018#rest"]
    assert (rest["low_inclusive"], rest["high_inclusive"]) == flags


def test_real_rests_of_serbia_hold_the_edges_that_under_and_over_leave_out():
    rests = real_used(iso3="SRB", is_remainder=1)
    assert rests[["low_inclusive", "high_inclusive"]].eq(1).all(axis=None)
    strict = real_used(iso3="SRB", is_remainder=0, source_kind="monitor")
    assert (strict["high_inclusive"].eq(0) == (strict["high_months"] == 36)).all()
    assert (strict["low_inclusive"].eq(0) == (strict["low_months"] == 60)).all()


def test_bound_cut_to_that_of_the_whole_belongs_to_the_part():
    part = {"key": "B", "n": 2, "low_months": 0.0, "high_months": 200.0, "low_inclusive": 0, "high_inclusive": 0}
    table = assembled({}, part | {"subset_of": f"{CODED}:A"})
    assert table.loc["B", ["low_months", "high_months", "low_inclusive", "high_inclusive"]].tolist() == [6, 96, 1, 1]
    inside = part | {"low_months": 12.0, "high_months": 60.0, "subset_of": f"{CODED}:A"}
    assert assembled({}, inside).loc["B", ["low_inclusive", "high_inclusive"]].tolist() == [0, 0]


def test_bands_of_all_lengths_leave_nothing_uncovered():
    with pytest.raises(ValueError, match="leave nothing uncovered"):
        evidence.uncovered([(OPEN, 36), (36, OPEN)])


# ---------------------------------------------------------------------------- people, and rows of a likelihood


def test_people_are_summed_by_country_years_and_kind_of_source():
    table = evidence.assemble([group_frame(
        {"n": 10}, {"key": "B", "n": 3}, {"key": "C", "n": 2, "source_kind": "publicised"},
        {"key": "D", "n": 4, "year": pd.NA, "year_low": 2016, "year_high": 2017},
        {"key": "E", "n": 9, "kind": "typical"},
        band("long", 60.0, OPEN, 38.0, convictions_known=14.0),
    )])  # fmt: skip
    found = {tuple(row[:4]): tuple(row[4:]) for row in evidence.people(table).itertuples(index=False)}
    assert found == {
        ("AAA", 2016, 2017, "official"): (4, 4, 1),
        ("AAA", 2017, 2017, "official"): (13, 13, 2),
        ("AAA", 2017, 2017, "publicised"): (2, 2, 1),
        ("SRB", 2018, 2018, "monitor"): (8, 13, 2),
    }


# ---------------------------------------------------------------------------- two coders


def two_coders() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Evidence on AAA and BBB, and what two coders made of AAA: the first the same, the second another number."""
    table = assembled({"key": "A"}, {"key": "B", "iso3": "BBB"}).reset_index(drop=True)
    own = table[table["iso3"] == "AAA"]
    return table, pd.concat([own.assign(coder="first"), own.assign(coder="second", n=11)], ignore_index=True)


def test_under_one_coder_only_the_countries_coded_twice_are_read_anew():
    table, recoded = two_coders()
    both = evidence.with_coders(table, recoded)
    assert sorted(both["coder"]) == ["adjudicated", "adjudicated", "first", "second"]
    for coder, n in (("adjudicated", 10), ("first", 10), ("second", 11)):
        own = evidence.of_coder(both, coder)
        assert "coder" not in own and dict(zip(own["iso3"], own["n"], strict=True)) == {"AAA": n, "BBB": 10}


def test_a_table_of_evidence_alone_has_the_adjudicated_reading_only():
    table, _ = two_coders()
    pd.testing.assert_frame_equal(evidence.of_coder(table, "adjudicated"), table)
    with pytest.raises(ValueError, match="no row of coder 'first', only of adjudicated"):
        evidence.of_coder(table, "first")


def test_countries_whose_evidence_hangs_on_the_coder_are_told():
    table, recoded = two_coders()
    table, recoded = (frame.replace({"iso3": {"AAA": "MKD", "BBB": "HRV"}}) for frame in (table, recoded))
    assert evidence.coders_differ(table, recoded) == ["MKD"]
    told = evidence.coders_told(table, recoded)
    assert "on 1 of the countries coded twice" in told and "adjudication in 0;" in told
    assert told.endswith("in 1: North Macedonia.")
    alike = recoded.assign(n=10, locator="page 7")  # where it stands is no difference
    assert evidence.coders_differ(table, alike) == []
    assert evidence.coders_told(table, alike).endswith("they hang on the coder in 0: none.")
    unused = recoded.assign(used=[1, 0])
    assert evidence.coders_differ(table, unused) == ["MKD"]


def by_coder(second: pd.DataFrame) -> pd.DataFrame:
    """`evidence.by_coder` of AAA, coded twice, and BBB, coded once; the second coder's groups are `second`."""
    flags = {"first": pd.DataFrame({"iso3": ["AAA", "BBB"]}), "second": pd.DataFrame({"iso3": ["AAA"]})}
    coded = {"first": group_frame({"key": "A"}), "second": second}

    def read(table: str) -> pd.DataFrame:
        (coder,) = (coder for coder in coded if table.endswith(f"_{coder}.csv"))
        return flags[coder] if table == f"tip/some_flags_{coder}.csv" else coded[coder]

    groups = [group_frame({"key": "A"}), group_frame({"key": "P", "iso3": "AAA", "year": 2015, **PRESS})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(courts, "coded_groups", lambda frame: frame)
        return evidence.by_coder(read, groups, "tip/some")


def test_each_coders_reading_is_assembled_with_what_other_tables_say_of_the_country():
    found = by_coder(group_frame({"key": "A", "n": 12}))
    assert list(found.columns) == ["coder", *evidence.COLUMNS]
    told = found[found["row_id"].str.endswith(":A")].set_index("coder")
    assert told["n"].to_dict() == {"first": 10, "second": 12}
    assert told.loc["second", "raw_row"].startswith("tip/some_sentences_second.csv:")
    assert (found["row_id"].str.endswith(":P").groupby(found["coder"]).sum() == 1).all()


def test_a_country_that_is_left_with_nothing_under_a_coder_is_refused():
    flags = pd.DataFrame({"iso3": ["AAA"]})
    tables = {"flags_first": flags, "flags_second": flags, "sentences_first": group_frame({"key": "A"}),
              "sentences_second": group_frame({"key": "B", "iso3": "BBB"})}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(courts, "coded_groups", lambda frame: frame)
        with pytest.raises(ValueError, match="some_sentences_second.csv: under it nothing is left of AAA"):
            evidence.by_coder(lambda name: tables[name[len("tip/some_") : -4]], [group_frame({"key": "A"})], "tip/some")


# ---------------------------------------------------------------------------- what notebooks show of it


def test_reasons_why_rows_are_not_used_are_counted():
    rows = [(1, pd.NA), (0, "no length"), (0, "no length"), (0, "inside tip/a.csv:A, courts/b.csv:B"),
            (0, "inside courts/b.csv:C"), (0, "same people as tip/a.csv:D")]  # fmt: skip
    found = evidence.unused(pd.DataFrame(rows, columns=["used", "why_not"]))
    assert found.set_index("reason")["rows"].to_dict() == {
        "no length": 2, "inside another row": 2, "same people as another row": 1
    }  # fmt: skip
    assert evidence.unused(real())["rows"].sum() == (real()["used"] == 0).sum()


def test_a_share_is_told_with_its_smallest_number_of_people_and_a_remainder_as_the_rest():
    row = {"count_candidates": "3;6", "share_percent": 37.5, "is_remainder": 0}
    assert evidence._told_share(row) == "37.5 %: 3"
    assert evidence._told_share(row | {"is_remainder": 1}) == "rest: 3"


def test_bases_of_printed_shares_are_told_by_band_and_add_up_to_the_smallest():
    found = evidence.bases(real_used(iso3="SRB")).set_index("year")
    assert found["n_smallest"].to_dict() == {2015: 19, 2018: 8, 2019: 4, 2020: 6, 2021: 9, 2022: 5}
    bands = list(found.columns[:-3])
    assert list(found.columns[-3:]) == ["possible_bases", "n_smallest", "source_ids"]
    assert bands == [label for label in evidence.BANDS.values() if label in bands] and len(bands) > 1
    for row in found.to_dict("records"):
        told = [row[band] for band in bands if isinstance(row[band], str)]
        assert sum(int(cell.rpartition(": ")[2]) for cell in told) == row["n_smallest"]
        assert all(cell.startswith("rest: ") or " %: " in cell for cell in told)
        assert row["possible_bases"].split(", ")[0].split(" ")[0] == str(row["n_smallest"]) and row["source_ids"]
