"""The committed tables: told column by column, what the code gives today, traced to their sources, and blank where
nothing is stated."""

import csv
import functools
import re
from collections import Counter
from itertools import zip_longest

import pandas as pd
import pytest

from sentencing import centre, corrections, courts, evidence, notebooks, paths, schemas, sources, tables, tip
from sentencing.package import codebook

README = paths.PROCESSED / "README.md"
TABLES = sorted(path.name for path in paths.PROCESSED.glob("*.csv"))
TOLD = codebook.read(README)
KEYS = {table: told.key for table, told in TOLD.items()}
CENTRE_TABLES = ["victims.csv", "victims_conflicts.csv"]
CUSTODY_COUNTS = ["n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only", "n_other_noncustodial"]


@functools.cache
def committed(table: str) -> pd.DataFrame:
    """A processed table as text, as it stands; blanks are ""."""
    return pd.read_csv(paths.PROCESSED / table, dtype=str, keep_default_na=False)


@functools.cache
def raw_lines(table: str) -> dict[int, dict[str, str]]:
    """The rows of a raw table as text, by the line they end on (the header is 1)."""
    with (paths.RAW / table).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return dict((reader.line_num, row) for row in reader)


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.where(column != ""))


def parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


# --- The README tells every column --------------------------------------------------------------------------------


@functools.cache
def told() -> dict[str, dict[str, tuple[str, str, str]]]:
    """By table and column, the parts of the column's entry: type, meaning, what a blank means."""
    return {table: {name: tuple(column) for name, column in entry.columns.items()} for table, entry in TOLD.items()}


def test_readme_has_a_heading_for_every_table_and_no_other():
    assert sorted(told()) == TABLES
    assert sorted(KEYS) == TABLES


@pytest.mark.parametrize("table", TABLES)
class TestReadme:
    def test_tells_every_column_and_no_other_in_the_order_of_the_table(self, table):
        assert list(told()[table]) == list(committed(table).columns)

    def test_tells_a_key(self, table):
        assert KEYS[table] and set(KEYS[table]) <= set(told()[table])

    def test_names_every_value_of_a_category(self, table):
        unnamed = {}
        for column, (kind, meaning, _) in told()[table].items():
            if not kind.startswith("category"):
                continue
            split = parts if "list" in kind else lambda cell: [cell]
            found = {value for cell in committed(table)[column].unique() if cell for value in split(cell)}
            if missing := found - set(re.findall(r"`([^`]+)`", meaning)):
                unnamed[column] = missing
        assert unnamed == {}

    def test_says_never_blank_only_of_columns_without_blanks(self, table):
        never = {column for column, (_, _, blank) in told()[table].items() if blank == "never"}
        assert {column for column in never if committed(table)[column].eq("").any()} == set()

    def test_says_flag_only_of_columns_of_0_and_1(self, table):
        flags = [column for column, (kind, _, _) in told()[table].items() if kind == "flag"]
        assert {value for column in flags for value in committed(table)[column].unique()} <= {"0", "1", ""}

    def test_says_number_and_year_only_of_such(self, table):
        pattern = {"whole number": r"-?\d+", "number": r"-?\d+(\.\d+)?(e[+-]\d+)?", "year": r"\d{4}"}
        wrong = {}
        for column, (kind, _, _) in told()[table].items():
            wanted = next((p for name, p in pattern.items() if re.match(rf"{name}\b", kind)), None)
            values = committed(table)[column]
            if wanted and not values[values != ""].str.fullmatch(wanted).all():
                wrong[column] = kind
        assert wrong == {}


def test_readme_gives_the_meaning_of_the_evidence_columns_that_the_code_gives():
    assert list(told()["evidence.csv"]) == list(evidence.COLUMNS)
    assert list(told()["evidence_by_coder.csv"]) == ["coder", *evidence.COLUMNS]


@pytest.mark.parametrize("place", ["../raw/README.md", "../raw/sources.csv", "../corrections.yml"])
def test_readme_leads_to_where_rows_are_traced(place):
    text = README.read_text(encoding="utf-8")
    assert f"]({place}" in text
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (paths.PROCESSED / target).exists(), target


# --- The committed tables are what the code gives from the raw tables -----------------------------------------------


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    """A folder with all processed tables made anew, by the calls of the notebooks and the default parameters."""
    stage = tmp_path_factory.mktemp("stage")
    given = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.STAGE_VARIABLE, str(stage))
        _write_tip(given["01-clean-tip-report"])
        _write_victims(given["02-clean-national-centre"])
        _write_sentences(given["03-assemble-sentences"])
    return stage / paths.relative(paths.PROCESSED)


def _write_tip(p: dict) -> None:
    read = corrections.Reader(p["raw_dir"], p["corrections_file"])
    flags, serbia = read(p["raw_flags"]), read(p["raw_serbia"])
    justice = tip.clean_justice(read(p["raw_counts"]), serbia, read(p["raw_other"]), read(p["raw_unodc"]))
    tiers = tip.clean_tiers(read(p["raw_tiers"]), serbia)
    named = set(tiers["iso3"]) - set(schemas.FORMER_COUNTRIES) | set(flags["iso3"])
    grid = tip.coverage_grid(justice, flags, named, range(p["first_year"], p["last_year"] + 1))
    tables.write_csv(justice, p["out_justice"])
    tables.write_csv(tip.revisions(justice), p["out_revisions"])
    tables.write_csv(tiers, p["out_tiers"])
    tables.write_csv(grid, p["out_coverage"])


def _write_victims(p: dict) -> None:
    published = corrections.Reader(p["raw_dir"], p["corrections_file"])(p["raw_victims"])
    known_sources = sources.read_sources()
    victims = centre.clean_victims(published, p["conflict_rule"], known_sources)
    centre.check_breakdowns(victims)
    tables.write_csv(victims, p["out_victims"])
    conflicts = centre.victim_conflicts(published, p["conflict_rule"], known_sources)
    tables.write_csv(conflicts, p["out_conflicts"])


def _write_sentences(p: dict) -> None:
    read = corrections.Reader(p["raw_dir"], p["corrections_file"])
    described = ["sentences", "other_groups", "serbia_groups", "serbia_cases", "serbia_bands", "serbia_official"]
    described += ["world_cases"]
    groups = evidence.read_groups(read, [p[f"raw_{name}"] for name in described])
    counted = ["custody", "serbia_groups", "serbia_official"]
    custody = courts.clean_custody(*(read(p[f"raw_{name}"]) for name in counted))
    laws = [read(p[name]) for name in ("raw_serbia_statute", "raw_statutes", "raw_other_figures")]
    tables.write_csv(evidence.assemble(groups), p["out_evidence"])
    tables.write_csv(evidence.by_coder(read, groups, p["double_coded"]), p["out_by_coder"])
    tables.write_csv(custody, p["out_custody"])
    tables.write_csv(courts.clean_statutes(*laws), p["out_statutes"])


def test_every_table_is_made(remade):
    assert sorted(path.name for path in remade.iterdir()) == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_committed_table_is_what_the_code_gives(table, remade):
    now, then = ((folder / table).read_bytes().decode("utf-8") for folder in (remade, paths.PROCESSED))
    if now == then:
        return
    now, then = now.split("\n"), then.split("\n")
    at, shown = next((i, p) for i, p in enumerate(zip_longest(then, now, fillvalue="(no such line)")) if p[0] != p[1])
    pytest.fail(
        f"data/processed/{table} is not what the code gives from the raw tables: run make and look at the change.\n"
        f"committed: {len(then) - 1} lines, made anew: {len(now) - 1}; they first differ at line {at + 1}:\n"
        f"- {shown[0]}\n+ {shown[1]}",
        pytrace=False,
    )


# --- Form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
class TestForm:
    def test_lines_end_in_a_line_feed_and_no_line_is_blank(self, table):
        content = (paths.PROCESSED / table).read_bytes()
        assert b"\r" not in content and b"\n\n" not in content
        assert content.endswith(b"\n") and not content.startswith(b"\xef\xbb\xbf")

    def test_ids_are_never_blank_and_unique(self, table):
        keys = committed(table)[KEYS[table]]
        assert not keys.eq("").any(axis=None)
        assert keys[keys.duplicated()].empty

    def test_nothing_missing_is_written_as_a_word(self, table):
        words = r"(?:^|[;|:.\s])(?:nan|NaN|NaT|None|NA|N/A|null|NULL|[-+]?inf)(?:$|[;|:.\s])|<NA>"
        found = {}
        for column in committed(table):
            values = committed(table)[column].drop_duplicates()
            # A remark is a sentence, and some begin with "None".
            hits = values[values.str.contains("<NA>|NaT|^(?:nan|NaN|None)$" if column == "note" else words)]
            if len(hits):
                found[column] = list(hits[:3])
        assert found == {}

    def test_no_cell_begins_or_ends_with_a_space_or_a_separator(self, table):
        frame = committed(table)
        ragged = r"^\s|\s$|^[;|]|[;|]$|;;"
        found = {c for c in frame if c != "note" and frame[c].drop_duplicates().str.contains(ragged).any()}
        assert found == set()

    def test_numbers_have_at_most_six_significant_digits(self, table):
        kinds = {column: kind for column, (kind, _, _) in told()[table].items()}
        long = {}
        for column in (c for c, kind in kinds.items() if kind.startswith("number")):
            digits = committed(table)[column].str.replace(r"e.*|[-.]", "", regex=True).str.lstrip("0")
            if digits.str.len().gt(tables.SIGNIFICANT_DIGITS).any():
                long[column] = digits.max()
        assert long == {}

    def test_countries_are_known(self, table):
        if "iso3" in committed(table):
            for iso3 in committed(table)["iso3"].unique():
                schemas.country_name(iso3)


# --- Where the rows come from -------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [t for t in TABLES if t != "coverage.csv"])
def test_every_source_is_in_the_list_of_sources(table):
    column = next(c for c in ("source_ids", "source_id") if c in committed(table))
    named = [parts(cell) for cell in committed(table)[column]]
    assert all(named)
    assert {s for cell in named for s in cell} - set(sources.read_sources()) == set()


def references(table: str) -> list[tuple[int, str, int]]:
    """Row of the processed table, raw table and line, for every reference to a raw line."""
    frame = committed(table)
    if table == "custody.csv":
        return [(i, *pair) for i, pair in enumerate(zip(frame["table"], map(int, frame["row"]), strict=True))]
    column = "raw_row" if "raw_row" in frame else "raw_rows"
    split = [(i, part.rpartition(":")) for i, cell in enumerate(frame[column]) for part in parts(cell)]
    assert {i for i, _ in split} == set(range(len(frame)))
    return [(i, raw, int(line)) for i, (raw, _, line) in split]


TRACED = [t for t in TABLES if t not in (*CENTRE_TABLES, "coverage.csv", "revisions.csv")]


@pytest.mark.parametrize("table", TRACED)
class TestRawRows:
    def test_lead_to_a_line_about_the_same_country(self, table):
        countries, lost = committed(table)["iso3"], []
        assert {raw for _, raw, _ in references(table)} <= set(sources.list_tables())
        for i, raw, line in references(table):
            row = raw_lines(raw).get(line)
            # Monitored bands have no column for the country: all are of Serbia.
            if row is None or row.get("iso3", "SRB") != countries[i]:
                lost.append(f"{table}, row {i + 2}: {raw}:{line}")
        assert lost == []

    def test_lead_to_lines_of_the_sources_named(self, table):
        assert unnamed_sources(table, joined=False) == []


def unnamed_sources(table: str, joined: bool) -> list[str]:
    """Raw lines whose source the row does not name; of rows made of several lines (`joined`) or of one."""
    frame = committed(table)
    named = frame[next(c for c in ("source_ids", "source_id") if c in frame)]
    n_lines = Counter(i for i, _, _ in references(table))
    return [
        f"{table}, row {i + 2}: {raw}:{line}"
        for i, raw, line in references(table)
        if (n_lines[i] > 1) == joined and not set(parts(raw_lines(raw)[line]["source_id"])) <= set(parts(named[i]))
    ]


@pytest.mark.parametrize("table", ["justice.csv", "statutes.csv"])
def test_rows_made_of_several_lines_name_the_sources_of_all(table):
    assert unnamed_sources(table, joined=True) == []


def test_evidence_made_of_several_lines_names_the_sources_of_all():
    assert unnamed_sources("evidence.csv", joined=True) == []


@pytest.mark.parametrize("table", CENTRE_TABLES)
def test_raw_rows_of_victims_are_row_ids_that_give_the_same_measure_and_value(table):
    raw = {row["row_id"]: row for row in raw_lines("centre/victims.csv").values()}
    for row in committed(table).to_dict("records"):
        assert parts(row["raw_rows"])
        for row_id in parts(row["raw_rows"]):
            assert (raw[row_id]["measure"], raw[row_id]["value"]) == (row["measure"], row["value"]), row_id


def test_every_raw_row_of_victims_is_in_exactly_one_figure():
    named = Counter(row_id for cell in committed("victims.csv")["raw_rows"] for row_id in parts(cell))
    assert named == Counter(row["row_id"] for row in raw_lines("centre/victims.csv").values())


def test_rows_of_other_tables_that_are_named_exist():
    justice_ids = {i for cell in committed("revisions.csv")["justice_ids"] for i in parts(cell)}
    assert justice_ids <= set(committed("justice.csv")["justice_id"])
    conflicts = set(committed("victims_conflicts.csv")["conflict_id"])
    assert set(committed("victims.csv")["conflict_id"]) - {""} == conflicts
    frame = committed("evidence.csv")
    assert set(frame["subset_of"]) - {""} <= set(frame["row_id"].str.removesuffix("#rest"))


def test_corrections_that_are_named_are_declared():
    declared = {entry["id"] for entry in corrections.read_declared()}
    with_ids = [t for t in TABLES if "correction_ids" in committed(t)]
    assert {i for t in with_ids for cell in committed(t)["correction_ids"] for i in parts(cell)} <= declared


# --- A blank is no zero -------------------------------------------------------------------------------------------


def test_what_is_not_reported_has_no_value_and_a_suppressed_count_is_one_to_four():
    justice = committed("justice.csv")
    silent = justice[justice["qualifier"] == "not_reported"]
    assert len(silent) and silent[["value", "value_low", "value_high"]].eq("").all(axis=None)
    hidden = justice[justice["qualifier"] == "suppressed"]
    assert len(hidden) and hidden["value"].eq("").all()
    assert hidden["value_low"].eq("1").all() and hidden["value_high"].eq("4").all()
    assert justice.loc[justice["value"] == "", "qualifier"].isin(["not_reported", "suppressed"]).all()


def test_every_value_of_justice_is_that_of_its_raw_lines():
    values, wrong = committed("justice.csv")["value"], []
    for i, raw, line in references("justice.csv"):
        printed = raw_lines(raw)[line]["value"].removesuffix(".0")
        if values[i] != ("" if printed == "<5" else printed):
            wrong.append(f"{raw}:{line}")
    assert wrong == []


def test_bounds_hold_the_value():
    justice = committed("justice.csv")
    value, low, high = (number(justice[c]) for c in ("value", "value_low", "value_high"))
    assert not ((low > value) | (value > high) | (low > high)).any()
    frame = committed("evidence.csv")
    assert not (number(frame["low_months"]) > number(frame["high_months"])).any()


def test_custody_counts_are_blank_exactly_where_the_raw_ones_are():
    custody = committed("custody.csv")
    for i, raw, line in references("custody.csv"):
        if raw == courts.CODED_CUSTODY:
            assert {c: raw_lines(raw)[line][c] for c in CUSTODY_COUNTS} == custody.loc[i, CUSTODY_COUNTS].to_dict()
        else:
            assert custody.loc[i, [*CUSTODY_COUNTS, "n_not_prison", "n_unknown"]].eq("").all()


def test_used_custody_rows_add_up_to_the_convicted():
    used = committed("custody.csv").query("used == '1'")
    known = used[["n_prison", "n_not_prison", "n_unknown"]].apply(number).sum(axis=1)
    assert known.eq(number(used["n_convicted"])).all()


def test_number_of_offenders_is_blank_where_no_line_gives_one():
    frame = committed("evidence.csv")
    wrong = []
    for i, raw, line in references("evidence.csv"):
        row = raw_lines(raw)[line]
        # A row on Serbian cases is a defendant; those and no others have no column n.
        if raw != courts.SERBIA_CASES and not row.get("n") and frame.at[i, "n"]:
            wrong.append(frame.at[i, "row_id"])
    assert wrong == []


def test_figures_without_a_count_say_why_and_others_do_not():
    victims = committed("victims.csv")
    assert (victims["count"].eq("") == victims["why_no_count"].ne("")).all()
    printed = victims[victims["value_kind"] == "count"]
    assert (printed["count"] == printed["value"]).all()


@pytest.mark.parametrize("table", ["evidence.csv", "custody.csv"])
def test_rows_are_used_or_say_why_not(table):
    frame = committed(table)
    assert (frame["used"].eq("1") == frame["why_not"].eq("")).all()


# --- Facts that anyone can look up ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "convicted"), [(2015, 20), (2016, 22), (2017, 13)])
def test_convictions_in_serbia_as_the_2018_edition_gives_them(year, convicted):
    rows = committed("justice.csv").query(
        f"iso3 == 'SRB' and edition == '2018' and stage == 'conviction' and reference_year == '{year}'"
    )
    columns = ["series", "value", "value_low", "value_high", "unit", "qualifier", "exploitation"]
    n = str(convicted)
    assert rows[columns].values.tolist() == [["tip", n, n, n, "persons", "exact", "all"]]


def test_sentences_of_2017_in_serbia_range_from_one_to_eight_years_for_thirteen_people():
    used = committed("evidence.csv").query("used == '1'")
    rows = used.query("iso3 == 'SRB' and year == '2017' and source_kind == 'official'")
    columns = ["n", "kind", "low_months", "high_months", "sanction"]
    assert rows[columns].values.tolist() == [["13", "range", "12", "96", "prison"]]


def test_unodc_suppresses_the_prosecutions_of_2017_in_serbia():
    rows = committed("justice.csv").query(
        "iso3 == 'SRB' and series == 'unodc' and stage == 'prosecution' and reference_year == '2017'"
    )
    columns = ["value", "value_low", "value_high", "qualifier"]
    assert rows[columns].values.tolist() == [["", "1", "4", "suppressed"]]


@pytest.mark.parametrize(
    ("year", "published", "chosen"),
    [(2016, {49, 57}, 57), (2017, {40, 43}, 43), (2018, {76, 53}, 76), (2019, {36, 39}, 39)],
)
def test_contradicting_totals_of_victims_under_the_rule_primary(year, published, chosen):
    given = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})
    assert given["02-clean-national-centre"]["conflict_rule"] == "primary"
    rows = committed("victims_conflicts.csv").query(f"conflict_id == 'victims_identified/{year}/total/total'")
    assert set(map(int, rows["value"])) == published
    assert list(map(int, rows.loc[rows["chosen"] == "1", "value"])) == [chosen]


def test_exactly_one_value_of_each_conflict_is_chosen_and_it_was_published():
    raw = {row["row_id"]: row["value"] for row in raw_lines("centre/victims.csv").values()}
    for conflict_id, rows in committed("victims_conflicts.csv").groupby("conflict_id"):
        assert list(rows["chosen"]).count("1") == 1, conflict_id
        assert rows["value"].nunique() > 1, conflict_id
        for row in rows.to_dict("records"):
            assert {raw[row_id] for row_id in parts(row["raw_rows"])} == {row["value"]}


def test_a_series_speaks_once_about_a_fact_and_never_with_a_doubtful_figure():
    spoken = committed("victims.csv").query("preferred == '1'")
    assert not spoken.duplicated(["series", *centre.FACT]).any()
    assert not spoken["note"].str.contains("not preferred").any()


def test_grid_of_coverage_is_full_and_has_only_the_four_statuses():
    grid = committed("coverage.csv")
    assert set(grid["status"]) == {"reported", "reported_as_none", "not_reported", "not_covered"} == set(tip.STATUSES)
    years = sorted(grid["reference_year"].unique())
    assert list(map(int, years)) == list(range(int(years[0]), int(years[-1]) + 1))
    assert set(grid["stage"]) == set(tip.STAGES)
    assert len(grid) == grid["iso3"].nunique() * len(years) * len(tip.STAGES)
    assert not grid.duplicated(["iso3", "reference_year", "stage"]).any()
    assert (grid["editions"].eq("") == grid["status"].eq("not_covered")).all()


def test_used_rows_of_a_published_group_hold_no_more_people_than_it_has():
    """Adding up used rows counts nobody twice."""
    used = committed("evidence.csv").query("used == '1'")
    published = {f"{courts.CODED}:{row['group_id']}": row["n"] for row in raw_lines(courts.CODED).values()}
    people = number(used["n"]).groupby(used["evidence_id"]).sum()
    known = {group: int(n) for group, n in published.items() if n and group in people}
    assert known and {group: people[group] for group, n in known.items() if people[group] > n} == {}
