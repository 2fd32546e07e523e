"""Raw tables: every kind of bad input is told by file, row, column, value and what would be right."""

import math
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from conftest import CONTENT, TABLES, digests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentencing import corrections, paths, schemas, sources

FIGURES = "tip/figures.csv"


def only(problems: list[schemas.Problem]) -> schemas.Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


# --- Good input ---------------------------------------------------------------------------------------------------


def test_good_table_comes_typed_with_its_lines_as_index(raw):
    frame = raw.load()
    assert list(frame) == list(TABLES[FIGURES]["columns"])
    assert list(frame.index) == [2, 3, 4] and frame.index.name == "row"
    assert frame["n"].dtype == "Int64" and frame["year"].dtype == "Int64" and frame["alone"].dtype == "Int64"
    assert frame["low"].dtype == "float64"
    assert frame.at[2, "note"] == "a comma, and Šabac"
    assert pd.isna(frame.at[3, "n"]) and pd.isna(frame.at[3, "note"]) and frame.at[4, "n"] == 0


def test_column_with_codes_stays_text(raw):
    assert raw.load()["small"].iloc[:2].tolist() == ["<5", "7"]


def test_lines_are_those_of_the_file_after_a_cell_with_a_line_break(raw):
    raw.put(FIGURES, 2, "note", "two\nlines")
    assert list(raw.load().index) == [3, 4, 5]


def test_figure_may_be_a_number_or_a_tier(raw):
    assert raw.load()["figure"].tolist() == ["2WL", "3.5", "2"]


def test_blank_cells_are_allowed_where_not_required(raw):
    blank = ["R9", "SRB", "", "", "conviction", *[""] * 9, "good-001", ""]
    raw.write_rows(FIGURES, [*raw.rows(FIGURES), blank])
    assert raw.load().loc[5].drop(["row_id", "iso3", "stage", "source_id"]).isna().all()


# --- Bad cells ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("iso3", "SBR", "alpha-3"),
        ("iso3", "srb", "alpha-3"),
        ("iso3", "SRB ", "alpha-3"),
        ("iso3", "SRB;MKD", "alpha-3"),
        ("iso3", "", "may not be blank"),
        ("partners", "SRB;XXX", "joined by ;"),
        ("partners", "SRB;", "joined by ;"),
        ("stage", "convicted", "one of conviction, prosecution"),
        ("stage", "Conviction", "one of conviction, prosecution"),
        ("stage", "", "may not be blank"),
        ("source_id", "bad-001", "source_id of sources.csv"),
        ("source_id", "good-001; good-002", "source_id of sources.csv"),
        ("source_id", "", "may not be blank"),
        ("n", "many", "a whole number"),
        ("n", "1.5", "a whole number"),
        ("n", "1,000", "a whole number"),
        ("n", "1e2", "a whole number"),
        ("n", " 5", "a whole number"),
        ("n", "5\n", "a whole number"),
        ("n", "<5", "a whole number"),
        ("n", "nan", "a whole number"),
        ("n", "NA", "a whole number"),
        ("n", "-1", "at least 0"),
        ("n", "1001", "at most 1000"),
        ("share", "half", "a number"),
        ("share", "12,5", "a number"),
        ("share", "inf", "a number"),
        ("share", "-0.1", "at least 0"),
        ("share", "100.01", "at most 100"),
        ("year", "1817", "a year"),
        ("year", "17", "a year"),
        ("year", "2017-18", "a year"),
        ("small", "<6", "a whole number"),
        ("small", "-1", "at least 0"),
        ("alone", "2", "0 or 1"),
        ("alone", "yes", "0 or 1"),
        ("alone", "True", "0 or 1"),
        ("figure", "4WL", "a number, or a tier"),
        ("period_end", "2017-13", "a date that exists"),
        ("period_end", "2017-02-29", "a date that exists"),
        ("period_end", "2017-00", "a date that exists"),
        ("period_end", "31.12.2017", "a date: 2017"),
        ("period_end", "2017-1-1", "a date: 2017"),
        ("period_end", "2017-12-31T00:00", "a date: 2017"),
    ],
)
def test_bad_cell_is_told_by_file_row_column_value_and_what_is_right(raw, column, value, expected):
    raw.put(FIGURES, 2, column, value)
    problem = only(raw.problems())
    row = 3 if "\n" in value else 2
    assert (problem.file, problem.row, problem.column, problem.value) == (
        paths.relative(raw.path / FIGURES), row, column, value,
    )  # fmt: skip
    assert expected in problem.expected
    assert str(problem).startswith(f"{problem.file}, row {row}, column {column}: found {value!r}; expected ")


@pytest.mark.parametrize(
    ("low_column", "low", "high_column", "high"),
    [("low", "60", "high", "59.9"), ("low", "100", "high", "9"), ("low", "0", "high", "-1"),
     ("period_start", "2018-04-01", "period_end", "2018-03-31"), ("period_start", "2018", "period_end", "2017"),
     ("period_start", "2018-02", "period_end", "2018-01")],
)  # fmt: skip
def test_low_above_high_names_both_values(raw, low_column, low, high_column, high):
    raw.put(FIGURES, 2, low_column, low)
    raw.put(FIGURES, 2, high_column, high)
    problem = only(raw.problems())
    assert (problem.row, problem.column, problem.value) == (2, low_column, low)
    assert problem.expected == f"not above {high_column}, which is {high}"


@pytest.mark.parametrize("value", ["24", "24.0"])
def test_equal_ends_are_not_low_above_high(raw, value):
    raw.put(FIGURES, 2, "low", value)
    raw.put(FIGURES, 2, "high", "24")
    raw.load()


@pytest.mark.parametrize(("start", "end"), [("2017-05", "2017"), ("2017-05-31", "2017-05"), ("2017", "2017-05")])
def test_period_whose_ends_are_told_to_different_precision_may_lie_within_itself(raw, start, end):
    """An end of "2017" means some day of 2017, so a start in May of it is not above it."""
    raw.put(FIGURES, 2, "period_start", start)
    raw.put(FIGURES, 2, "period_end", end)
    raw.load()


@pytest.mark.parametrize(("column", "value"), [("n", "١٢"), ("n", "１２"), ("year", "20１7"), ("share", "٥.5")])
def test_digits_of_other_scripts_are_not_numbers(raw, column, value):
    raw.put(FIGURES, 2, column, value)
    assert only(raw.problems()).value == value


def test_number_too_long_for_a_machine_is_a_problem_not_a_crash(raw):
    raw.edit_sidecar(FIGURES, lambda sidecar: sidecar["columns"]["n"].pop("max"))
    raw.put(FIGURES, 2, "n", "9" * 30)
    assert only(raw.problems()).column == "n"


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
def test_white_space_is_no_value_where_one_is_required(raw, blank):
    raw.put(FIGURES, 2, "row_id", blank)
    assert only(raw.problems()).column == "row_id"


def test_same_fault_in_two_rows_is_two_problems(raw):
    raw.put(FIGURES, 2, "iso3", "XXX")
    raw.put(FIGURES, 4, "iso3", "XXX")
    assert [(p.row, p.value) for p in raw.problems()] == [(2, "XXX"), (4, "XXX")]


def test_code_for_a_withheld_number_is_allowed_only_where_declared(raw):
    raw.put("plain.csv", 2, "n", "<5")
    problem = only(raw.problems("plain.csv"))
    assert (problem.row, problem.column, problem.value) == (2, "n", "<5")
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar["columns"]["n"].update(codes={"<5": "1 to 4"}))
    assert raw.load("plain.csv").at[2, "n"] == "<5"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8))
def test_any_text_in_a_number_column_is_either_a_number_or_told(raw, value):
    raw.put("plain.csv", 2, "n", value)
    try:
        found = raw.load("plain.csv")["n"].iloc[0]
    except schemas.RawDataError as error:
        assert [(p.column, p.value) for p in error.problems] == [("n", value)]
    else:
        assert (value == "" and pd.isna(found)) or str(found) == str(int(value))


# --- Bad shapes ---------------------------------------------------------------------------------------------------


def test_missing_file_is_named(raw):
    (raw.path / FIGURES).unlink()
    problem = only(raw.problems())
    assert problem.file == paths.relative(raw.path / FIGURES) and "missing" in str(problem)


def test_wrong_checksum_tells_both_and_what_to_do(raw):
    raw.write(FIGURES, CONTENT[FIGURES].replace("13", "31"), record=False)
    problem = only(raw.problems())
    assert problem.file == paths.relative(raw.path / FIGURES)
    assert sources.sha256(raw.path / FIGURES)[:12] in problem.expected
    assert sources.read_sidecar(FIGURES, raw.path)["sha256"][:12] in problem.expected
    assert "corrections.yml" in problem.expected and "--record" in problem.expected


def test_missing_column_is_named(raw):
    raw.write_rows(FIGURES, [row[:1] + row[2:] for row in raw.rows(FIGURES)])
    problem = only(raw.problems())
    assert problem.column == "iso3" and "missing" in problem.expected


def test_extra_column_is_named(raw):
    raw.write_rows(FIGURES, [[*row, "x"] for row in raw.rows(FIGURES)])
    problem = only(raw.problems())
    assert problem.column == "x" and "not among them" in problem.expected


def test_misspelt_column_is_both_missing_and_extra(raw):
    raw.write(FIGURES, CONTENT[FIGURES].replace("stage", "Stage", 1))
    assert sorted(p.column for p in raw.problems()) == ["Stage", "stage"]


def test_columns_in_another_order_are_told_the_right_one(raw):
    raw.write_rows(FIGURES, [[row[1], row[0], *row[2:]] for row in raw.rows(FIGURES)])
    assert "row_id, iso3, partners" in only(raw.problems()).expected


def test_column_named_twice_is_told(raw):
    raw.write("plain.csv", "iso3,n,n\nSRB,1,2\n")
    problem = only(raw.problems("plain.csv"))
    assert problem.row == 1 and problem.value == "n" and "once" in problem.expected


def test_repeated_key_names_both_rows(raw):
    raw.put(FIGURES, 4, "row_id", "R1")
    problem = only(raw.problems())
    assert (problem.row, problem.column, problem.value) == (4, "row_id", "R1")
    assert "row 2" in problem.expected


def test_repeated_whole_row_is_told_where_no_key_is_declared(raw):
    raw.write("plain.csv", "iso3,n\nSRB,1\nMKD,\nMKD,\nSRB,1\n")
    assert [(p.row, p.value) for p in raw.problems("plain.csv")] == [(4, "MKD, "), (5, "SRB, 1")]
    assert "row 3" in raw.problems("plain.csv")[0].expected


def test_rows_that_share_all_but_one_cell_are_no_duplicates(raw):
    raw.write("plain.csv", "iso3,n\nSRB,1\nSRB,2\nSRB,\n")
    assert len(raw.load("plain.csv")) == 3


def test_table_of_a_header_only_is_empty(raw):
    raw.write("plain.csv", "iso3,n\n")
    assert "empty" in only(raw.problems("plain.csv")).expected


def test_table_of_a_header_only_is_fine_where_its_sidecar_says_so_and_its_columns_are_checked_all_the_same(raw):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.update(may_be_empty=True))
    raw.write("plain.csv", "iso3,n\n")
    empty = raw.load("plain.csv")
    assert empty.empty and empty.dtypes.astype(str).to_dict()["n"] == "Int64"
    raw.write("plain.csv", "iso3\n")
    assert only(raw.problems("plain.csv")).column == "n"
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.update(may_be_empty=False))
    raw.write("plain.csv", "iso3,n\n")
    assert "empty" in only(raw.problems("plain.csv")).expected


def test_file_of_no_bytes_is_empty_and_lacks_its_columns(raw):
    raw.write("plain.csv", b"")
    problems = raw.problems("plain.csv")
    assert {p.column for p in problems} == {"iso3", "n", ""}
    assert any("empty" in p.expected for p in problems)


def test_byte_order_mark_is_told_and_hides_no_other_problem(raw):
    raw.write("plain.csv", b"\xef\xbb\xbfiso3,n\nXXX,1\n")
    problems = raw.problems("plain.csv")
    assert "byte order mark" in problems[0].expected
    assert [(p.row, p.column, p.value) for p in problems[1:]] == [(2, "iso3", "XXX")]


def test_bytes_that_are_not_utf8_are_told_by_their_line(raw):
    raw.write(FIGURES, CONTENT[FIGURES].encode().replace("Šabac".encode(), "Orléans".encode("latin-1")))
    problem = only(raw.problems())
    assert problem.row == 2 and "e9" in problem.value and problem.expected == "UTF-8 text"


@pytest.mark.parametrize(("line", "n_fields"), [("SRB", 1), ("SRB,1,2", 3), ("", 0)])
def test_row_with_too_few_or_too_many_fields_is_told(raw, line, n_fields):
    raw.write("plain.csv", f"iso3,n\nSRB,1\n{line}\nMKD,2\n")
    problem = only(raw.problems("plain.csv"))
    assert problem.row == 3 and problem.value == line
    assert "2 fields" in problem.expected and f"has {n_fields}" in problem.expected


def test_quotation_mark_that_is_never_closed_is_told(raw):
    """Else all that follows it disappears into one cell."""
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar["columns"].update(note={"type": "text", "description": "."}))
    raw.write("plain.csv", 'iso3,n,note\nSRB,1,"open\nMKD,2,lost\nALB,3,lost\n')
    (problem,) = raw.problems("plain.csv")
    assert problem.expected == "quotation marks that open and close around one field"


def test_all_problems_of_several_faults_are_told_at_once(raw):
    for column, value in {"iso3": "XXX", "n": "many", "stage": "", "period_end": "2017-02-30", "low": "999"}.items():
        raw.put(FIGURES, 2, column, value)
    raw.put(FIGURES, 3, "row_id", "R1")
    raw.put(FIGURES, 4, "source_id", "bad-001")
    text = (raw.path / FIGURES).read_text(encoding="utf-8")
    raw.write(FIGURES, text + "R4,SRB\n", record=False)
    problems = raw.problems()
    places = {(p.row, p.column) for p in problems}
    assert places >= {(2, "iso3"), (2, "n"), (2, "stage"), (2, "period_end"), (2, "low"), (3, "row_id"),
                      (4, "source_id"), (5, ""), (0, "")}  # fmt: skip
    with pytest.raises(schemas.RawDataError, match=rf"^{len(problems)} problems in the raw data\n"):
        raw.load()


def test_missing_columns_hide_no_bad_cell(raw):
    raw.write_rows("plain.csv", [["iso3", "m"], ["XXX", "1"]])
    assert {(p.row, p.column) for p in raw.problems("plain.csv")} == {(0, "n"), (0, "m"), (2, "iso3")}


# --- Bad sidecars -------------------------------------------------------------------------------------------------


def test_missing_sidecar_is_told_by_its_place(raw):
    (raw.path / "tip" / "figures.yml").unlink()
    problem = only(raw.problems())
    assert "tip/figures" in problem.file and "sidecar" in problem.expected


def test_missing_sidecar_does_not_end_the_check_of_the_other_tables(raw):
    (raw.path / "tip" / "figures.yml").unlink()
    raw.put("plain.csv", 2, "iso3", "XXX")
    n_rows, problems = schemas.check_all(raw.path)
    assert any("figures.yml" in str(p) for p in problems) and any(p.value == "XXX" for p in problems)
    assert set(n_rows) == {"sources.csv"}


@pytest.mark.parametrize("key", ["title", "one_row_is", "transcribed", "licence", "sha256", "columns"])
def test_sidecar_that_lacks_an_entry_is_told(raw, key):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.pop(key))
    problem = only(raw.problems("plain.csv"))
    assert problem.file.endswith("plain.yml") and repr(key) in problem.expected


@pytest.mark.parametrize("misspelt", ["keys", "Title", "not_bellow", "sha"])
def test_misspelt_entry_of_a_sidecar_is_told(raw, misspelt):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.update({misspelt: ["iso3"]}))
    problem = only(raw.problems("plain.csv"))
    assert problem.file.endswith("plain.yml") and repr(misspelt) in problem.expected


@pytest.mark.parametrize("misspelt", ["requierd", "minimum", "Type"])
def test_misspelt_entry_of_a_column_is_told(raw, misspelt):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar["columns"]["n"].update({misspelt: 1}))
    problem = only(raw.problems("plain.csv"))
    assert problem.column == "n" and repr(misspelt) in problem.expected


def test_unknown_type_is_told_with_the_known_ones(raw):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar["columns"]["n"].update(type="int"))
    problem = only(raw.problems("plain.csv"))
    assert (problem.column, problem.value) == ("n", "int") and "integer" in problem.expected


@pytest.mark.parametrize(
    "rule", [{"key": ["iso"]}, {"not_above": [["n", "nn"]]}, {"not_above": [["n"]]}], ids=["key", "pair", "single"]
)
def test_rule_on_a_column_that_the_sidecar_does_not_have_is_told(raw, rule):
    """Else a misspelt name would switch the rule off without a word."""
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.update(rule))
    assert raw.problems("plain.csv")[0].file.endswith("plain.yml")


def test_category_without_its_values_is_told(raw):
    raw.edit_sidecar(FIGURES, lambda sidecar: sidecar["columns"]["stage"].pop("values"))
    assert only(raw.problems()).column == "stage"


@pytest.mark.parametrize("content", ["", "title: [", "just text"], ids=["empty", "broken", "no mapping"])
def test_sidecar_that_is_no_mapping_is_told_and_ends_no_check(raw, content):
    (raw.path / "plain.yml").write_text(content, encoding="utf-8")
    _, problems = schemas.check_all(raw.path)
    assert any("plain.yml" in str(p) for p in problems)


def test_missing_list_of_sources_is_told(raw):
    (raw.path / "sources.csv").unlink()
    (raw.path / "sources.yml").unlink()
    assert any("sources.csv" in str(p) for p in raw.problems())


def change_column(column: str, **entries):
    return lambda sidecar: sidecar["columns"][column].update(entries)


def put(**entries):
    return lambda sidecar: sidecar.update(entries)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put(title=""), [("", "", "an entry 'title'")]),
        (put(Title="x"), [("", "", "no entry 'Title': unknown")]),
        (put(key=["iso"]), [("iso", "", "only columns of the table in key")]),
        (put(not_above=[["n", "m"]]), [("m", "", "only columns of the table in not_above")]),
        (put(not_above=[["n"]]), [("", "['n']", "two columns in each pair of not_above")]),
        (change_column("n", type="category"), [("n", "", "for a category its allowed values and their meaning")]),
        (change_column("n", Type="x"), [("n", "", "no 'Type': unknown")]),
        (change_column("n", type="int"),
         [("n", "int", "a type among category, countries, country, date, figure, flag, integer, number, source, text, "
           "year")]),
        (change_column("n", min="0"), [("n", "", "a number under 'min'")]),
        (change_column("n", min=True), [("n", "", "a number under 'min'")]),
        (change_column("n", max=math.nan), [("n", "", "a number under 'max'")]),
        (change_column("n", required=1), [("n", "", "true or false under 'required'")]),
        (change_column("n", values=["a"]), [("n", "", "entries such as 'name: …' under 'values'")]),
        (change_column("n", unit=5, description=["x"]),
         [("n", "", "text under 'unit'"), ("n", "", "text under 'description'")]),
        (put(title=5), [("", "", "text under 'title'")]),
        (put(key="iso3"), [("", "", "a list under 'key'")]),
        (put(may_be_empty="yes"), [("", "", "true or false under 'may_be_empty'")]),
        (put(key=[5]), [("", "", "lists of texts, not [5]")]),
        (put(known_troubles=[["x"]]), [("", "", "lists of texts, not [['x']]")]),
        (put(not_above=["n"]), [("", "", "lists of texts, not n")]),
        (put(columns={"n": "text"}),
         [("n", "", "a name of letters, digits and _, and entries such as 'type: text'")]),
        (put(columns={"a b": {"type": "text"}}),
         [("a b", "", "a name of letters, digits and _, and entries such as 'type: text'")]),
        (put(columns=["n"]), [("", "", "entries such as 'title: …', and under 'columns' one each")]),
        (put(title="a\u200bb"), [("", "a\u200bb", "text without signs that nobody sees; it has U+200B")]),
        (change_column("n", codes={"<5": "a\u202eb"}),
         [("", "a\u202eb", "text without signs that nobody sees; it has U+202E")]),
        (put(known_troubles=["fine", "\u200b"]),
         [("", "\u200b", "text without signs that nobody sees; it has U+200B")]),
    ],
)  # fmt: skip
def test_fault_of_a_sidecar_is_told_in_words_with_its_place(raw, change, told):
    """All of the sidecar at once, the file's own rows not before it is whole."""
    raw.edit_sidecar("plain.csv", change)
    raw.put("sources.csv", 2, "publisher", "Another")
    name = paths.relative(raw.path / "plain.yml")
    assert [(p.file, p.row, p.column, p.value, p.expected) for p in raw.problems("plain.csv")] == [
        (name, 0, *fault) for fault in told
    ]


def test_entries_without_a_value_and_texts_of_one_sign_less_than_too_many_are_fine(raw):
    longest = "x" * schemas.MAX_LETTERS
    raw.edit_sidecar("plain.csv", put(known_troubles=None, title=longest))
    assert len(raw.load("plain.csv")) == 2
    raw.edit_sidecar("plain.csv", put(title=longest + "x"))
    assert only(raw.problems("plain.csv")).expected == "at most 5,000 letters; it has 5,001"


# --- Words of the faults of a file --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("iso3,n,x\nSRB,1,2\n", [(0, "x", "", "only the columns of the sidecar; this one is not among them")]),
        ("iso3\nSRB\n", [(0, "n", "", "this column; it is missing")]),
        ("n,iso3\n1,SRB\n", [(0, "", "", "the columns in the order iso3, n")]),
        ("iso3,n,n,a,a\nSRB,1,2,3,4\n", [(1, "", "a, n", "each column once")]),
        ("iso3,n\n", [(0, "", "", "at least one row; the table is empty")]),
        ("iso3,n\nSRB\n", [(2, "", "SRB", "2 fields, as in the header; it has 1"),
                           (0, "", "", "at least one row; the table is empty")]),
        ("iso3,n\nSRB,1\nSRB,1,5\n", [(3, "", "SRB,1,5", "2 fields, as in the header; it has 3")]),
        ("iso3,n\nSRB,1\nSRB,1\n", [(3, "", "SRB, 1", "rows that differ; this repeats row 2")]),
        ("iso3,n\r\nSRB,1\r\n", [(1, "", "\r", "lines that end with a line feed alone, as on Linux and macOS")]),
        ("iso3,n\nSRB,1\nMKD,2\rALB,3\n",
         [(3, "", "\r", "lines that end with a line feed alone, as on Linux and macOS"),
          (3, "", "MKD,2 ALB,3", "2 fields, as in the header; it has 3")]),
        ("\ufeffiso3,n\nSRB,1\n", [(0, "", "", "UTF-8 without a byte order mark; the file starts with one")]),
        ("iso3,n\n,-1\nXXX,\n",
         [(2, "iso3", "", "a value; this column may not be blank"), (2, "n", "-1", "at least 0"),
          (3, "iso3", "XXX", "an ISO 3166-1 alpha-3 country code")]),
    ],
)  # fmt: skip
def test_fault_of_a_file_is_told_in_words_with_its_place(raw, content, told):
    raw.write("plain.csv", content)
    name = paths.relative(raw.path / "plain.csv")
    assert [(p.file, p.row, p.column, p.value, p.expected) for p in raw.problems("plain.csv")] == [
        (name, *fault) for fault in told
    ]


def test_of_many_columns_too_many_ten_are_named(raw):
    extra = [f"x{number:02d}" for number in range(12)]
    raw.write_rows("plain.csv", [["iso3", "n", *extra], ["SRB", "1", *extra]])
    told = [(p.column, p.expected) for p in raw.problems("plain.csv")]
    assert [column for column, _ in told] == [*extra[:10], ""]
    assert told[10][1] == "only the columns of the sidecar; 2 more are not"
    raw.write_rows("plain.csv", [["iso3", "n", *extra[:10]], ["SRB", "1", *extra[:10]]])
    assert [p.column for p in raw.problems("plain.csv")] == extra[:10]


@pytest.mark.parametrize(
    "table", [".plain.csv", "-plain.csv", "a b.csv", "tip/../plain.csv", "plain.csv/", "šabac.csv"]
)
def test_name_that_no_table_may_have_is_refused(raw, table):
    problem = only(raw.problems(table))
    assert (problem.row, problem.column, problem.value) == (0, "", "")
    assert problem.expected == (
        "a name of letters without accents, digits and . _ - and not one that begins with . or -"
    )


@pytest.mark.parametrize("missing", ["plain.csv", "sources.csv"])
def test_file_that_is_missing_is_told_by_its_own_name(raw, missing):
    (raw.path / missing).unlink()
    problem = only(raw.problems("plain.csv"))
    assert str(problem) == f"{paths.relative(raw.path / missing)}; expected the file to be here; it is missing"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (("f", 0, "", "", "rows"), "f; expected rows"),
        (("f", 0, "c", "", "rows"), "f, column c; expected rows"),
        (("f", 0, "", "v", "rows"), "f: found 'v'; expected rows"),
        (("f", 1, "", "", "rows"), "f, row 1: found ''; expected rows"),
        (("f", 7, "c", "v", "rows"), "f, row 7, column c: found 'v'; expected rows"),
        (("f", 7, "c", "a\u200bb\x07", "rows\nor none"),
         "f, row 7, column c: found 'a\\u200bb\\x07'; expected rows\\u000aor none"),
        (("f", 7, "c" * 101, "v" * 1001, "rows"),
         f"f, row 7, column {'c' * 100}… (101 letters): found '{'v' * 100}… (1,001 letters)'; expected rows"),
        (("f" * 100, 7, "c" * 100, "v" * 100, "rows"),
         f"{'f' * 100}, row 7, column {'c' * 100}: found '{'v' * 100}'; expected rows"),
    ],
)  # fmt: skip
def test_a_problem_is_one_line(fault, told):
    assert str(schemas.Problem(*fault)) == told


def test_problems_are_counted_and_each_stands_on_a_line_of_its_own():
    fault = schemas.Problem("f", 2, "c", "v", "rows")
    line = "  f, row 2, column c: found 'v'; expected rows"
    assert str(schemas.RawDataError([fault])) == f"1 problem in the raw data\n{line}"
    error = schemas.RawDataError([fault, fault])
    assert str(error) == f"2 problems in the raw data\n{line}\n{line}" and error.problems == [fault, fault]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("=1+1", "text that no spreadsheet takes for a formula: no part of it may begin with = + - or @"),
        ("'=1+1", "text that no spreadsheet takes for a formula: no part of it may begin with = + - or @"),
        ("a;@b", "text that no spreadsheet takes for a formula: no part of it may begin with = + - or @"),
        ("-12.5", ""), ("a; = b", ""), ("a=b", ""), ("two\nlines", ""), ("no\u00a0break", ""), ("", ""),
        ("\u200d\u200c\u200b\u00ad", "text without signs that nobody sees; it has U+00AD, U+200B, U+200C"),
        ("a\tb", "text without signs that nobody sees; it has U+0009"),
        ("x" * 5_000, ""), ("x" * 5_001, "at most 5,000 letters; it has 5,001"),
    ],
)  # fmt: skip
def test_text_that_nobody_honest_writes_is_told_in_words(raw, value, told):
    raw.put(FIGURES, 2, "note", value)
    if told:
        problem = only(raw.problems())
        assert (problem.row, problem.column, problem.value, problem.expected) == (
            2 + value.count("\n"), "note", value, told,
        )  # fmt: skip
    else:
        raw.load()


def test_key_that_repeats_is_shown_up_to_eighty_letters(raw):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar["columns"].update(note={"type": "text"}))
    raw.edit_sidecar("plain.csv", put(key=["iso3", "note"]))
    for length, shown in ((75, "SRB, " + "x" * 75), (76, "SRB, " + "x" * 72 + "…")):
        raw.write("plain.csv", f"iso3,n,note\nSRB,1,{'x' * length}\nSRB,2,{'x' * length}\n")
        problem = only(raw.problems("plain.csv"))
        assert (problem.row, problem.column, problem.value) == (3, "iso3, note", shown)


def test_key_of_no_columns_lets_rows_repeat(raw):
    raw.edit_sidecar("plain.csv", put(key=[]))
    raw.write("plain.csv", "iso3,n\nSRB,1\nSRB,1\n")
    assert len(raw.load("plain.csv")) == 2


@pytest.mark.parametrize(("n", "share"), [("0", "0"), ("1000", "100"), ("0", "100.0")])
def test_values_at_their_bounds_are_allowed(raw, n, share):
    raw.put(FIGURES, 2, "n", n)
    raw.put(FIGURES, 2, "share", share)
    frame = raw.load()
    assert (frame.at[2, "n"], frame.at[2, "share"]) == (int(n), float(share))


def test_checks_of_all_tables_count_rows_and_keep_every_problem(raw):
    assert schemas.check_all(raw.path) == ({"plain.csv": 2, "sources.csv": 2, "tip/figures.csv": 3}, [])
    raw.put("plain.csv", 2, "iso3", "XXX")
    (raw.path / "tip" / "figures.csv").unlink()
    n_rows, problems = schemas.check_all(raw.path)
    assert n_rows == {"sources.csv": 2}
    assert [(p.file, p.value) for p in problems] == [
        (paths.relative(raw.path / "plain.csv"), "XXX"), (paths.relative(raw.path / FIGURES), ""),
    ]  # fmt: skip


# --- Checksums ----------------------------------------------------------------------------------------------------


def test_recording_checksums_changes_one_line_of_the_sidecars_that_need_it(raw):
    raw.write("plain.csv", "iso3,n\nSRB,5\n", record=False)
    place = raw.path / "plain.yml"
    place.write_text("# a remark\n" + place.read_text(encoding="utf-8"), encoding="utf-8")
    before = place.read_text(encoding="utf-8").splitlines()
    others = digests(raw.path)
    assert sources.record_checksums(raw.path) == ["plain.csv"]
    after = place.read_text(encoding="utf-8").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [f"sha256: {sources.sha256(raw.path / 'plain.csv')}"]
    assert {k: v for k, v in digests(raw.path).items() if k != "plain.yml"} == {
        k: v for k, v in others.items() if k != "plain.yml"
    }
    assert len(raw.load("plain.csv")) == 1
    assert sources.record_checksums(raw.path) == []


def test_recording_refuses_a_sidecar_without_a_line_for_the_checksum(raw):
    raw.write("plain.csv", "iso3,n\nSRB,5\n", record=False)
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.pop("sha256"))
    with pytest.raises(ValueError, match=r"plain\.yml.*sha256"):
        sources.record_checksums(raw.path)


# --- Countries and sources ----------------------------------------------------------------------------------------


def test_country_names_are_those_of_the_codes():
    assert schemas.country_name("SRB") == "Serbia"
    assert schemas.country_name("SCG") == "Serbia and Montenegro"
    assert "Kosovo" in schemas.country_name("XKX")


def test_unknown_country_is_told_the_nearest():
    with pytest.raises(ValueError, match=r"'SRV'.*'SRB'|'SRV'.*nearest is '[A-Z]{3}'"):
        schemas.country_name("SRV")
    with pytest.raises(ValueError, match="nearest is '[A-Z]{3}'"):
        schemas.country_name("9")  # nothing is like it


def test_sources_are_read_anew_when_the_list_changes(raw):
    assert set(sources.read_sources(raw.path)) == {"good-001", "good-002"}
    raw.write("sources.csv", CONTENT["sources.csv"] + "new-001,New,\n")
    assert sources.describe("new-001;good-001", raw.path) == "New; Council, Yearly report"


# --- The real tables ----------------------------------------------------------------------------------------------


def test_every_raw_table_is_without_problem():
    n_rows, problems = schemas.check_all()
    assert not problems, schemas.RawDataError(problems)
    assert set(n_rows) == set(sources.list_tables())
    empty = {table for table, n in n_rows.items() if not n}
    assert empty <= {table for table in n_rows if sources.read_sidecar(table).get("may_be_empty")}


def test_frames_handed_out_are_not_the_files(raw_untouched):
    frame = corrections.Reader("data/raw", "data/corrections.yml")("tip/global_law_enforcement.csv")
    frame.loc[frame.index[0], "region"] = "changed"
    assert "changed" not in schemas.load_raw("tip/global_law_enforcement.csv")["region"].tolist()


def run_module(folder, module="sentencing.schemas", *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *arguments], cwd=folder, capture_output=True, text=True,
        env={"PYTHONPATH": str(folder / "src"), "PATH": ""}, timeout=120,
    )  # fmt: skip


@pytest.fixture
def copy(raw, tmp_path):
    """A repository that holds the package and the small raw folder."""
    folder = tmp_path / "repository"
    shutil.copytree(paths.ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(raw.path, folder / "data" / "raw")
    return folder


def test_command_exits_0_and_counts_when_all_is_well(copy):
    done = run_module(copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 raw tables, 7 rows" in done.stdout


def test_command_exits_1_and_lists_all_problems_of_all_tables(copy):
    for table, old, new in (("plain.csv", "SRB", "XXX"), ("tip/figures.csv", "MKD", "YYY")):
        place = copy / "data" / "raw" / table
        place.write_text(place.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    done = run_module(copy)
    assert done.returncode == 1 and done.stdout == ""
    assert "data/raw/plain.csv, row 2, column iso3: found 'XXX'" in done.stderr
    assert "data/raw/tip/figures.csv, row 3, column iso3: found 'YYY'" in done.stderr
    assert "4 problems" in done.stderr and "Traceback" not in done.stderr


def test_command_that_records_checksums_says_what_it_recorded(copy):
    place = copy / "data" / "raw" / "plain.csv"
    place.write_text("iso3,n\nSRB,9\n", encoding="utf-8")
    done = run_module(copy, "sentencing.sources", "--record")
    assert (done.returncode, done.stdout, done.stderr) == (0, "recorded: plain.csv\n", "")
    assert "current" in run_module(copy, "sentencing.sources", "--record").stdout
    assert run_module(copy, "sentencing.sources").returncode == 2
