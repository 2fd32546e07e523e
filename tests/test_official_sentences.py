"""A distribution of sentences that an authority publishes, typed into its table: what becomes of it and of the rest."""

import functools
import shutil

import pandas as pd
import pytest

from sentencing import courts, estimands, evidence, paths, schemas, sentences, sources
from sentencing.models import NotEstimable

TABLE = courts.SERBIA_OFFICIAL
ROW = {
    "year": 2023, "judgment": "final", "sanction": "prison", "low_inclusive": 1, "high_inclusive": 1, "n_persons": 1,
    "covers_all": 1, "source_id": "astra-001",
}  # fmt: skip
# Of 12 convicted: three under three years, five from three to five, two over five; a fine and a suspended sentence.
YEAR = [
    ROW | {"high_months": 36, "high_inclusive": 0, "n_persons": 3},
    ROW | {"low_months": 36, "high_months": 60, "n_persons": 5},
    ROW | {"low_months": 60, "low_inclusive": 0, "n_persons": 2},
    ROW | {"sanction": "fine"},
    ROW | {"sanction": "suspended", "low_months": 24, "high_months": 24},
]


@functools.cache
def columns_of(name: str) -> pd.DataFrame:
    """A raw table without its rows."""
    return schemas.load_raw(name).iloc[:0]


def table(*rows: dict) -> pd.DataFrame:
    """Rows with the columns and types of the official table; the index counts lines from 2."""
    template = columns_of(TABLE)
    frame = pd.DataFrame([{"row_id": f"R{line}"} | row for line, row in enumerate(rows, 2)], columns=list(template))
    frame = frame.where(frame.notna(), pd.NA).astype(template.dtypes.to_dict())
    return frame.assign(correction_ids="").set_index(pd.RangeIndex(2, len(rows) + 2, name="row"))


def groups(**changes) -> pd.DataFrame:
    """One person of another Serbian table, in GROUP_COLUMNS."""
    row = dict.fromkeys(courts.GROUP_COLUMNS, pd.NA) | {
        "table": courts.SERBIA_GROUPS, "key": "G", "row": 2, "group": "G", "iso3": "SRB", "year": 2023, "n": 1,
        "n_basis": "stated", "kind": "exact", "low_months": 48, "high_months": 48, "low_inclusive": 1,
        "high_inclusive": 1, "covers_all": 0, "sanction": "prison", "term_basis": "imposed", "aggregate_sentence": 0,
        "offence": "trafficking", "exploitation": "sex", "instance": "first", "level": "subset",
        "source_kind": "publicised", "source_id": "page", "correction_ids": "",
    } | changes  # fmt: skip
    row = {"year_low": row["year"], "year_high": row["year"]} | {k: v for k, v in row.items() if not pd.isna(v)}
    types = dict.fromkeys(courts.GROUP_COLUMNS, "str") | dict.fromkeys(courts.WHOLE_COLUMNS, "Int64")
    types |= dict.fromkeys(courts.NUMBER_COLUMNS, "float64") | {"row": "int64"}
    return pd.DataFrame([row], columns=courts.GROUP_COLUMNS).astype(types)


def assembled(rows: list[dict], *others: pd.DataFrame) -> pd.DataFrame:
    found = evidence.assemble([courts.official_sentences(table(*rows)), *others])
    return found.set_index(found["row_id"].str.rpartition(":")[2])


def custody(*rows: dict) -> pd.DataFrame:
    nothing = map(columns_of, (courts.CODED_CUSTODY, courts.SERBIA_GROUPS))
    return courts.clean_custody(*nothing, table(*rows)).set_index("reference_year")


@pytest.fixture
def typed_into(tmp_path):
    """Types rows into a copy of the table with its own sidecar, in a raw folder of its own, and gives the folder."""
    for name in (sources.SOURCES, TABLE):
        for suffix in (".csv", ".yml"):
            place = (tmp_path / name).with_suffix(suffix)
            place.parent.mkdir(exist_ok=True)
            shutil.copy((paths.RAW / name).with_suffix(suffix), place)

    def type_in(*lines: str):
        place = tmp_path / TABLE
        old = sources.sha256(place)
        header = place.read_text().partition("\n")[0]
        place.write_text("".join(f"{line}\n" for line in (header, *lines)))
        sidecar = place.with_suffix(".yml")
        sidecar.write_text(sidecar.read_text().replace(old, sources.sha256(place)))
        return tmp_path

    return type_in


def test_table_may_stand_empty_and_then_describes_nobody():
    empty = columns_of(TABLE).assign(correction_ids="")
    assert sources.read_sidecar(TABLE)["may_be_empty"] is True
    assert courts.official_sentences(empty).empty and list(courts.official_sentences(empty)) == courts.GROUP_COLUMNS
    assert courts._official_custody(empty).empty


def test_rows_typed_in_are_read_and_become_evidence(typed_into):
    folder = typed_into(
        "S1,2023,final,,,prison,,36,1,0,3,1,astra-001,table 1,",
        "S2,2023,final,,,prison,36,60,1,1,5,1,astra-001,table 1,",
        "S3,2023,final,,,prison,60,,0,1,0,1,astra-001,table 1,",
        "S4,2023,final,,,fine,,,1,1,1,1,astra-001,table 1,",
    )
    raw = schemas.load_raw(TABLE, folder)
    found = evidence.assemble([courts.official_sentences(raw.assign(correction_ids=""))]).set_index("row_id")
    assert found["n"].to_dict() == {f"{TABLE}:S1": 3, f"{TABLE}:S2": 5, f"{TABLE}:S4": 1}
    assert found["used"].tolist() == [1, 1, 0]
    assert found.at[f"{TABLE}:S1", "raw_row"] == f"{TABLE}:2" and found.at[f"{TABLE}:S1", "locator"] == "table 1"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("S1,2023,final,,,prison,60,36,1,1,3,1,astra-001,,", "low_months"),
        ("S1,2023,both,,,prison,,36,1,1,3,1,astra-001,,", "judgment"),
        ("S1,2023,final,,,death,,36,1,1,3,1,astra-001,,", "sanction"),
        ("S1,2023,final,,,prison,,36,1,,3,1,astra-001,,", "high_inclusive"),
        ("S1,2023,final,,,prison,,36,1,0,-3,1,astra-001,,", "n_persons"),
        ("S1,2023,final,,,prison,,36,1,0,3,1,nobody-001,,", "source_id"),
        ("S1,2023,final,,,prison,,36,1,0,3,,astra-001,,", "covers_all"),
    ],
)
def test_row_typed_wrong_is_told_with_its_column(typed_into, line, column):
    with pytest.raises(schemas.RawDataError) as caught:
        schemas.load_raw(TABLE, typed_into(line))
    assert column in {problem.column for problem in caught.value.problems}


def test_rows_enter_with_the_number_stated_their_flags_and_one_group_a_year():
    found = assembled(YEAR)
    used = found[found["used"] == 1]
    assert used["n"].tolist() == [3, 5, 2] and set(used["n_basis"]) == {"stated"}
    assert set(used["evidence_id"]) == {f"{TABLE}:2023"} and set(used["source_kind"]) == {"official"}
    assert used[["low_inclusive", "high_inclusive"]].to_numpy().tolist() == [[1, 0], [1, 1], [0, 1]]
    assert set(used["instance"]) == {"final"} and set(used["iso3"]) == {"SRB"} and used["covers_all"].eq(1).all()
    assert found.at["R5", "why_not"] == "a fine: no prison term"
    assert found.at["R6", "why_not"].startswith("suspended")


def test_flags_reach_the_likelihood_and_the_bounds():
    rows = assembled([YEAR[0], YEAR[1], YEAR[2]]).reset_index(drop=True)
    _, expanded = sentences.expand(rows, life_cap_months=480)
    assert expanded.high_inclusive.tolist() == [False, True, True]
    assert expanded.low_inclusive.tolist() == [True, True, False]
    found = estimands.bounds(rows, "official", "g").set_index("name")[["low", "high"]]
    assert found.loc["bounds_official_36_60"].tolist() == pytest.approx([0.5, 0.5])
    # Were both edges part of their bands, those people might have got just three or five years.
    loose = rows.assign(low_inclusive=1, high_inclusive=1)
    wider = estimands.bounds(loose, "official", "g").set_index("name")[["low", "high"]]
    assert wider.loc["bounds_official_36_60"].tolist() == pytest.approx([0.5, 1])


@pytest.mark.parametrize(
    ("change", "kind", "low", "high"),
    [
        ({"low_months": 48, "high_months": 48}, "exact", 48, 48),
        ({"low_months": 0, "high_months": 36}, "interval", None, 36),
        ({"sanction": "partly_suspended", "low_months": 36, "high_months": 60}, "interval", 36, 60),
        ({"sanction": "life"}, "unknown", None, None),
    ],
)
def test_terms_of_every_form_enter(change, kind, low, high):
    row = assembled([ROW | change]).squeeze()
    assert (row["used"], row["kind"]) == (1, kind)
    for bound, months in (("low_months", low), ("high_months", high)):
        assert pd.isna(row[bound]) if months is None else row[bound] == months


def test_term_of_unknown_length_stays_with_its_reason():
    assert assembled([ROW]).squeeze()["why_not"] == "no length published"


@pytest.mark.parametrize(
    "other",
    [
        groups(),
        groups(table=courts.SERBIA_CASES, key="C|1", outcome="convicted"),
        groups(table=courts.CODED, n=9, kind="range", low_months=6, high_months=90, source_kind="official"),
        groups(table=courts.WORLD_CASES, key="W|1", outcome="convicted"),
        groups(table=courts.OTHER_GROUPS, year_low=2023, year_high=2023, year=pd.NA),
    ],
    ids=["group", "case", "report", "press", "span"],
)
def test_year_that_covers_everyone_sets_aside_all_other_descriptions_of_it(other):
    found = assembled(YEAR, other)
    aside = found[found["raw_row"].str.partition(":")[0] != TABLE].squeeze()
    assert aside["used"] == 0
    assert aside["why_not"] == f"among the people of {TABLE}:R2, which covers everyone of that year"
    assert estimands.people_by_year(found, "SRB")["people"].tolist() == [10]


def test_monitored_shares_of_the_year_are_set_aside_with_what_they_leave():
    band = groups(
        table=courts.SERBIA_BANDS, n=pd.NA, n_basis="base", kind="interval", share_percent=25, low_months=60,
        high_months=pd.NA, low_inclusive=0, source_kind="monitor", group="2023",
    )  # fmt: skip
    assert (assembled(YEAR, band)["used"] == 1).sum() == 3
    assert len(assembled([ROW | {"year": 2022, "low_months": 48, "high_months": 48}], band)) == 3


@pytest.mark.parametrize(
    ("change", "people"),
    [({"year": 2022}, 1), ({"iso3": "MKD"}, 1), ({"year": pd.NA, "year_low": 2022, "year_high": 2023}, 1)],
    ids=["another year", "another country", "a span that reaches beyond"],
)
def test_people_of_whom_the_table_does_not_tell_stay(change, people):
    found = assembled(YEAR, groups(**change))
    assert found.loc[found["raw_row"].str.startswith(courts.SERBIA_GROUPS), "used"].sum() == people


def test_span_of_years_is_set_aside_once_all_of_them_are_covered():
    both = [*YEAR, *(row | {"year": 2022} for row in YEAR)]
    assert assembled(both, groups(year=pd.NA, year_low=2022, year_high=2023)).at["G", "used"] == 0


def test_year_that_does_not_cover_everyone_sets_nobody_aside_and_gives_no_custody_figure():
    some = [row | {"covers_all": 0} for row in YEAR]
    found = assembled(some, groups())
    assert found.at["G", "used"] == 1 and found["used"].sum() == 4
    row = custody(*some).loc[2023]
    assert (row["used"], row["why_not"]) == (0, "does not cover everyone convicted that year")
    assert pd.isna(row["n_convicted"]) and pd.isna(row["n_unknown"]) and row["n_prison"] == 10


def test_of_rows_about_the_same_people_that_of_the_authority_is_kept():
    some = [row | {"covers_all": 0} for row in YEAR]
    same = groups(table=courts.CODED, same_as=f"{TABLE}:R2", source_kind="official")
    found = assembled(some, same)
    assert found.at["R2", "used"] == 1
    assert found.at["G", "why_not"] == f"same people as {TABLE}:R2"


def test_row_of_nobody_describes_no_one_and_counts_nobody():
    nobody = [*YEAR, ROW | {"low_months": 120, "high_months": 180, "n_persons": 0}]
    assert "R7" not in assembled(nobody).index
    pd.testing.assert_series_equal(custody(*nobody).loc[2023], custody(*YEAR).loc[2023])


def test_year_that_covers_everyone_gives_a_custody_figure():
    row = custody(*YEAR, ROW | {"year": 2022, "sanction": "community"}).loc[2023]
    counts = ["n_convicted", "n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial", "n_not_prison"]
    assert row[counts].tolist() == [12, 10, 1, 1, 0, 2]
    assert (row["n_unknown"], row["used"], row["iso3"], row["remainder"]) == (0, 1, "SRB", "none")
    assert (row["table"], row["row"], row["source_id"]) == (TABLE, 2, "astra-001")


def test_every_sanction_is_counted_as_what_it_is():
    kinds = {
        "n_prison": ["prison", "partly_suspended", "life"], "n_suspended": ["suspended"], "n_fine_only": ["fine"],
        "n_other_noncustodial": ["house_arrest", "community", "probation"],
    }  # fmt: skip
    sanctions = [(column, sanction) for column, those in kinds.items() for sanction in those]
    rows = [ROW | {"sanction": sanction, "year": 2010 + place} for place, (_, sanction) in enumerate(sanctions)]
    counted, described = custody(*rows), assembled(rows)
    assert described["sanction"].tolist() == [sanction for _, sanction in sanctions]
    for (column, _), (_, row) in zip(sanctions, counted.iterrows(), strict=True):
        assert row[list(kinds)].to_dict() == dict.fromkeys(kinds, 0) | {column: 1}
        assert row["n_convicted"] == 1 and row["n_not_prison"] == (column != "n_prison")


def test_sidecar_has_no_sanction_that_is_not_counted():
    assert set(sources.read_sidecar(TABLE)["columns"]["sanction"]["values"]) == set(courts.CUSTODY_COUNT)


def test_share_in_prison_follows_from_the_table():
    found = estimands.custody(custody(*YEAR).reset_index(), "SRB")
    assert found[["share_low", "share_high"]].to_numpy().tolist() == [[pytest.approx(10 / 12)] * 2]


def test_year_in_which_nobody_was_convicted_has_no_share_in_prison():
    nobody = custody(ROW | {"n_persons": 0, "low_months": 36})
    assert nobody["why_not"].tolist() == ["nobody was convicted"]
    with pytest.raises(NotEstimable, match="nobody was convicted"):
        estimands.custody(nobody.reset_index(), "SRB")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"judgment": "first"}, "2023: judgment must be the same in all rows"),
        ({"covers_all": 0}, "2023: covers_all must be the same in all rows"),
        ({"paragraph": "388(1)"}, "2023: paragraph must be given in all rows or in none"),
        ({"exploitation": "sex"}, "2023: exploitation must be given in all rows or in none"),
    ],
)
def test_people_who_would_be_counted_twice_within_a_year_are_an_error(change, fault):
    with pytest.raises(ValueError, match=fault):
        courts.official_sentences(table(*YEAR, ROW | change))
    courts.official_sentences(table(*YEAR, ROW | change | {"year": 2024}))


def test_parts_of_a_table_that_all_have_their_paragraph_are_fine():
    rows = [row | {"paragraph": f"388({place})"} for place, row in enumerate(YEAR, 1)]
    assert len(courts.official_sentences(table(*rows))) == 5
