"""Declared corrections: each action, each way to be refused, and every entry of the repository."""

import copy
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import digests
from hypothesis import given
from hypothesis import strategies as st

from sentencing import corrections, paths, schemas, sources

TABLE = "tip/figures.csv"
REASON = "The source itself prints another figure on the page named."


def frame() -> pd.DataFrame:
    content = pd.DataFrame(
        {
            "row_id": ["A", "B", "C"],
            "iso3": ["SRB", "SRB", "MKD"],
            "n": pd.array([5, 7, None], dtype="Int64"),
            "low": [12.5, None, 36.0],
            "note": pd.array(["x", None, "z"], dtype="str"),
        }
    )
    content.index = pd.Index([2, 3, 4], name="row")
    return content


def entry(action: str, **given) -> dict:
    base = {"id": "mend", "table": TABLE, "rows": {"row_id": "A"}, "guard": {"n": 5}, "reason": REASON}
    return base | {"action": action} | given


def apply(*entries: dict) -> corrections.Corrected:
    return corrections.apply(frame(), TABLE, list(entries))


def refused(*entries: dict) -> str:
    with pytest.raises(corrections.CorrectionError) as caught:
        apply(*entries)
    return str(caught.value)


# --- Actions ------------------------------------------------------------------------------------------------------


def test_drop_leaves_the_row_out_and_logs_it():
    corrected, log = apply(entry("drop", source_id="good-001"))
    assert list(corrected.index) == [3, 4]
    assert log.to_dict("records") == [
        {"correction_id": "mend", "table": TABLE, "row": 2, "action": "drop", "column": "", "raw_value": "",
         "used_value": "left out", "reason": REASON, "source_id": "good-001"}
    ]  # fmt: skip


def test_override_puts_the_value_in_place_and_logs_both():
    corrected, log = apply(entry("override", set={"n": 6, "note": "printed 6"}))
    assert corrected.at[2, "n"] == 6 and corrected.at[2, "note"] == "printed 6"
    assert corrected["n"].dtype == "Int64"
    assert log[["row", "column", "raw_value", "used_value"]].values.tolist() == [
        [2, "n", "5", "6"], [2, "note", "x", "printed 6"],
    ]  # fmt: skip


def test_only_a_flag_flags():
    corrected, _ = apply(entry("override", set={"n": 6}))
    assert corrected["correction_ids"].tolist() == ["mend", "", ""] and corrected["flag_ids"].tolist() == ["", "", ""]


def test_override_fills_a_blank():
    corrected, log = apply(entry("override", rows={"row_id": "C"}, guard={"n": ""}, set={"n": 3}))
    assert corrected.at[4, "n"] == 3
    assert log.at[0, "raw_value"] == "" and log.at[0, "used_value"] == "3"


def test_flag_keeps_row_and_values_and_marks_it():
    corrected, log = apply(entry("flag"))
    pd.testing.assert_frame_equal(corrected.drop(columns=["correction_ids", "flag_ids"]), frame())
    assert corrected["correction_ids"].tolist() == corrected["flag_ids"].tolist() == ["mend", "", ""]
    assert log["row"].tolist() == [2]


def test_choose_keeps_what_matches_and_leaves_out_the_others():
    corrected, log = apply(
        entry("choose", rows={"iso3": "SRB"}, n_rows=2, keep={"row_id": "B"}, guard=[{"n": 5}, {"n": 7}])
    )
    assert list(corrected.index) == [3, 4] and corrected.at[3, "correction_ids"] == "mend"
    assert log[["row", "used_value"]].values.tolist() == [[2, "left out"], [3, "kept"]]


def test_rows_that_no_entry_names_are_unchanged():
    corrected, _ = apply(entry("override", set={"n": 6}))
    pd.testing.assert_frame_equal(
        corrected.loc[[3, 4]].drop(columns=["correction_ids", "flag_ids"]), frame().loc[[3, 4]]
    )


def test_two_entries_on_a_row_are_both_named():
    corrected, log = apply(entry("flag"), entry("override", id="second", set={"n": 6}))
    assert corrected.at[2, "correction_ids"] == "mend;second"
    assert log["correction_id"].tolist() == ["mend", "second"]


def test_entries_of_other_tables_do_nothing():
    corrected, log = apply(entry("drop", table="plain.csv"))
    assert len(corrected) == 3 and log.empty and list(log.columns) == corrections.LOG_COLUMNS


def test_the_frame_and_the_entries_handed_in_are_not_changed():
    before, entries = frame(), [entry("override", set={"n": 6}), entry("drop", id="two")]
    told = copy.deepcopy(entries)
    corrections.apply(before, TABLE, entries)
    pd.testing.assert_frame_equal(before, frame())
    assert entries == told


def test_several_rows_may_share_one_guard():
    corrected, _ = apply(entry("flag", rows={"iso3": "SRB"}, n_rows=2, guard={"iso3": "SRB"}))
    assert corrected["correction_ids"].tolist() == ["mend", "mend", ""]


# --- Refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", corrections.ACTIONS)
def test_guard_that_no_longer_holds_names_entry_row_column_and_both_values(action):
    text = refused(entry(action, guard={"iso3": "SRB", "n": 4}, set={"n": 6}, keep={"row_id": "A"}))
    for part in ("entry mend", TABLE, "row 2", "column n", "'5'", "'4'"):
        assert part in text


def test_guards_one_for_each_row_belong_to_the_rows_in_order():
    text = refused(entry("flag", rows={"iso3": "SRB"}, n_rows=2, guard=[{"n": 7}, {"n": 5}]))
    assert "row 2" in text and "found '5'" in text


def test_number_of_guards_other_than_that_of_rows_is_refused():
    assert "1 guards for 2 rows" in refused(entry("flag", rows={"iso3": "SRB"}, n_rows=2, guard=[{"n": 5}]))


@pytest.mark.parametrize(
    ("found", "declared", "holds"),
    [
        (5.0, 5, True), (5.0, 5.0, True), (5, "5", True), (12.5, 12.5, True), (12.5, "12.5", True), (pd.NA, "", True),
        (float("nan"), "", True), ("", None, True), ("2WL", "2WL", True), (5, 6, False), (pd.NA, 0, False),
        (0, "", False), ("2", "2WL", False), (1_000_001.0, 1_000_002, False), (123_456.25, 123_456.5, False),
        (6_945_235.0, 6_945_235, True),
    ],
)  # fmt: skip
def test_guard_compares_values_not_their_spelling(found, declared, holds):
    content = pd.DataFrame({"row_id": ["A"], "value": pd.array([found], dtype="object")}, index=[2])
    declared_entry = entry("flag", guard={"value": declared})
    if holds:
        assert len(corrections.apply(content, TABLE, [declared_entry]).frame) == 1
    else:
        with pytest.raises(corrections.CorrectionError, match="guard fails"):
            corrections.apply(content, TABLE, [declared_entry])


@given(st.floats(1e5, 1e9).map(lambda v: round(v, 1)), st.sampled_from([0.1, 1.0, 10.0]))
def test_guard_notices_any_change_of_a_large_number(value, change):
    content = pd.DataFrame({"row_id": ["A"], "value": [value + change]}, index=[2])
    with pytest.raises(corrections.CorrectionError, match="guard fails"):
        corrections.apply(content, TABLE, [entry("flag", guard={"value": value})])


@pytest.mark.parametrize(
    ("rows", "n_rows", "found"), [({"iso3": "SRB"}, 1, 2), ({"row_id": "Z"}, 1, 0), ({"row_id": "A"}, 2, 1)]
)
def test_another_number_of_rows_than_declared_is_refused(rows, n_rows, found):
    text = refused(entry("flag", rows=rows, n_rows=n_rows, guard={"iso3": "SRB"}))
    assert f"selects {found} rows; expected {n_rows}" in text and "entry mend" in text


def test_entry_that_does_not_say_how_many_rows_means_one():
    assert "selects 2 rows; expected 1" in refused(entry("flag", rows={"iso3": "SRB"}, guard={"iso3": "SRB"}))


@pytest.mark.parametrize(
    "given_entry",
    [entry("flag", rows={"row": "A"}), entry("flag", guard={"row": 5}), entry("override", set={"row": 5}),
     entry("choose", rows={"iso3": "SRB"}, n_rows=2, guard={}, keep={"row": "A"})],
    ids=["rows", "guard", "set", "keep"],
)  # fmt: skip
def test_column_that_the_table_does_not_have_is_refused(given_entry):
    assert "no column 'row'" in refused(given_entry)


@pytest.mark.parametrize(("keep", "n_out"), [({"row_id": "Z"}, 2), ({"iso3": "SRB"}, 0)], ids=["none", "all"])
def test_choice_that_chooses_nothing_is_refused(keep, n_out):
    text = refused(entry("choose", rows={"iso3": "SRB"}, n_rows=2, guard={"iso3": "SRB"}, keep=keep))
    assert f"leaves out {n_out} of 2" in text


def test_value_of_another_type_than_the_column_is_refused_naming_the_entry():
    text = refused(entry("override", set={"n": "many"}))
    assert "entry mend" in text and "many" in text


# --- The file of entries ------------------------------------------------------------------------------------------


def write(folder: Path, entries) -> Path:
    place = folder / "corrections.yml"
    place.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return place


def refused_file(folder: Path, *entries: dict) -> str:
    with pytest.raises(corrections.CorrectionError) as caught:
        corrections.read_declared(write(folder, list(entries)))
    return str(caught.value)


def test_file_without_entries_declares_nothing(tmp_path):
    place = tmp_path / "corrections.yml"
    place.write_text("# nothing\n", encoding="utf-8")
    assert corrections.read_declared(place) == []


@pytest.mark.parametrize("key", ["id", "table", "rows", "guard", "action", "reason"])
def test_entry_that_lacks_something_is_refused(tmp_path, key):
    incomplete = entry("drop")
    del incomplete[key]
    assert f"lacks {key}" in refused_file(tmp_path, incomplete)


def test_unknown_action_is_refused_with_the_known_ones(tmp_path):
    text = refused_file(tmp_path, entry("delete"))
    assert "'delete'" in text and "drop, override, flag, choose" in text


@pytest.mark.parametrize(("action", "need"), [("override", "set"), ("choose", "keep")])
def test_action_without_what_it_needs_is_refused(tmp_path, action, need):
    assert f"needs '{need}'" in refused_file(tmp_path, entry(action))


def test_id_used_twice_is_refused(tmp_path):
    assert "entry mend: the id is used twice" in refused_file(tmp_path, entry("drop"), entry("flag"))


def test_misspelt_entry_of_an_entry_is_refused(tmp_path):
    """A misspelt `source_id` or `n_rows` would else be passed over without a word."""
    assert "sources_id" in refused_file(tmp_path, entry("drop", sources_id="good-001"))


def test_entry_that_guards_nothing_is_refused(tmp_path):
    assert "guard" in refused_file(tmp_path, entry("drop", guard={}))


KNOWN = "id, table, rows, n_rows, guard, action, set, keep, reason, source_id"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"table": None, "reason": None}, "entry mend: lacks reason, table"),
        ({"id": None}, "entry (without id): lacks id"),
        ({"b": 1, "a": 2}, f"entry mend: unknown a, b; known are {KNOWN}"),
        ({"rows": {}}, "entry mend: rows and guard must each name a column and its value"),
        ({"guard": []}, "entry mend: rows and guard must each name a column and its value"),
        ({"action": "Drop"}, "entry mend: action 'Drop' is not one of drop, override, flag, choose"),
        ({"action": "override"}, "entry mend: action override needs 'set'"),
        ({"action": "choose", "set": {"n": 1}}, "entry mend: action choose needs 'keep'"),
    ],
)  # fmt: skip
def test_refusal_of_an_entry_names_file_entry_and_fault(tmp_path, change, told):
    declared = {key: value for key, value in (entry("drop") | change).items() if value is not None}
    assert refused_file(tmp_path, entry("flag", id="good"), declared) == (
        f"{paths.relative(tmp_path / 'corrections.yml')}, {told}"
    )


@pytest.mark.parametrize("content", ["mend: {}", "- drop", "- {id: a}\n- b", "5"])
def test_file_that_is_no_list_of_entries_is_refused(tmp_path, content):
    place = tmp_path / "corrections.yml"
    place.write_text(content, encoding="utf-8")
    with pytest.raises(corrections.CorrectionError) as caught:
        corrections.read_declared(place)
    assert str(caught.value) == f"{paths.relative(place)}: must be a list of entries"


def test_file_that_is_no_yaml_is_refused_with_the_reason(tmp_path):
    place = tmp_path / "corrections.yml"
    place.write_text("- id: [", encoding="utf-8")
    with pytest.raises(corrections.CorrectionError) as caught:
        corrections.read_declared(place)
    assert str(caught.value).startswith(f"{paths.relative(place)}: not readable as YAML: while parsing")


AT = f"data/corrections.yml, entry mend ({TABLE}): "


@pytest.mark.parametrize(
    ("given_entry", "told"),
    [
        (entry("flag", rows={"iso3": "SRB"}), "{'iso3': 'SRB'} selects 2 rows; expected 1"),
        (entry("flag", rows={"x": "A"}), "the table has no column 'x'"),
        (entry("flag", guard=[{"n": 5}, {"n": 7}]), "2 guards for 1 rows; give one or one for each"),
        (entry("flag", guard={"iso3": "SRB", "low": 12}),
         "guard fails at row 2, column low: found '12.5', the entry was written for '12'. The raw value has changed: "
         "look at it and mend or remove the entry"),
        (entry("override", set={"n": "many"}), "n cannot be 'many'; it holds Int64"),
        (entry("choose", keep={"row_id": "A"}), "leaves out 0 of 1 rows; nothing is chosen"),
        (entry("choose", keep={"row_id": "B"}), "leaves out 1 of 1 rows; nothing is chosen"),
    ],
)  # fmt: skip
def test_refusal_to_apply_names_entry_table_and_fault(given_entry, told):
    assert refused(given_entry) == AT + told


def test_refusal_of_a_table_that_does_not_exist_names_it(raw, tmp_path):
    with pytest.raises(corrections.CorrectionError) as caught:
        corrections.log_all(raw.path, write(tmp_path, [entry("drop", table="tip/figure.csv")]))
    assert str(caught.value) == (
        "data/corrections.yml, entry mend (tip/figure.csv): there is no raw table 'tip/figure.csv'"
    )


def test_unknown_table_is_refused_by_the_log_of_all(raw, tmp_path):
    place = write(tmp_path, [entry("drop", table="tip/figure.csv")])
    with pytest.raises(corrections.CorrectionError, match=r"entry mend.*'tip/figure\.csv'"):
        corrections.log_all(raw.path, place)


def test_unknown_table_stops_the_reading_of_any_table(raw, tmp_path):
    """A notebook reads table by table; an entry with a misspelt table would never be applied."""
    place = write(tmp_path, [entry("drop", table="tip/figure.csv")])
    with pytest.raises(corrections.CorrectionError, match=r"tip/figure\.csv"):
        corrections.read(TABLE, raw.path, place)


# --- From files ---------------------------------------------------------------------------------------------------


def test_read_applies_entries_to_a_checked_table_and_leaves_the_file_alone(raw, tmp_path):
    place = write(tmp_path, [entry("override", rows={"row_id": "R1"}, guard={"n": 13, "small": "<5"}, set={"n": 14})])
    before = digests(raw.path)
    corrected, log = corrections.read(TABLE, raw.path, place)
    assert corrected.at[2, "n"] == 14 and len(log) == 1
    assert digests(raw.path) == before
    assert raw.load().at[2, "n"] == 13


def test_read_refuses_a_table_with_problems(raw, tmp_path):
    raw.put(TABLE, 2, "iso3", "XXX")
    with pytest.raises(schemas.RawDataError, match="XXX"):
        corrections.read(TABLE, raw.path, write(tmp_path, []))


def test_column_filled_by_corrections_is_blank_until_an_entry_fills_it(raw, tmp_path):
    raw.edit_sidecar(TABLE, lambda sidecar: sidecar.update(filled_by_corrections={"subset_of": "the group around"}))
    assert "subset_of" not in (raw.path / TABLE).read_text(encoding="utf-8")
    loaded = raw.load()
    assert loaded["subset_of"].isna().all() and list(loaded)[-1] == "subset_of"
    place = write(
        tmp_path,
        [entry("override", rows={"row_id": "R1"}, guard={"n": 13, "subset_of": ""}, set={"subset_of": "R3"})],
    )
    corrected, log = corrections.read(TABLE, raw.path, place)
    assert corrected["subset_of"].fillna("").tolist() == ["R3", "", ""]
    assert log[["column", "raw_value", "used_value"]].values.tolist() == [["subset_of", "", "R3"]]


def test_reader_keeps_the_log_of_all_tables_it_read(raw, tmp_path):
    place = write(
        tmp_path,
        [entry("flag", rows={"row_id": "R1"}, guard={"n": 13}),
         entry("flag", id="other", table="plain.csv", rows={"iso3": "SRB"}, guard={"n": 1})],
    )  # fmt: skip
    read = corrections.Reader(raw.path, place)
    assert read.log.empty and list(read.log.columns) == corrections.LOG_COLUMNS
    read("sources.csv")
    assert read.log.empty
    assert read("plain.csv")["correction_ids"].tolist() == ["other", ""]
    read(TABLE)
    assert read.log["correction_id"].tolist() == ["other", "mend"]


def test_log_of_all_is_in_the_order_of_the_file(raw, tmp_path):
    entries = [
        entry("flag", id="first", table="plain.csv", rows={"iso3": "MKD"}, guard={"n": ""}),
        entry("flag", id="second", rows={"row_id": "R2"}, guard={"n": ""}),
        entry("flag", id="third", table="plain.csv", rows={"iso3": "SRB"}, guard={"n": 1}),
    ]
    assert corrections.log_all(raw.path, write(tmp_path, entries))["correction_id"].tolist() == [
        "first", "second", "third",
    ]  # fmt: skip


def test_rows_of_an_entry_stay_in_their_order_in_the_log_of_all(raw, tmp_path):
    """More rows than any sort leaves in place by itself, and an entry of another table between those of one."""
    countries = [code for code in sorted(schemas.COUNTRIES) if code not in ("SRB", "MKD")][:80]
    raw.write("plain.csv", "iso3,n\n" + "".join(f"{code},{n % 2}\n" for n, code in enumerate(countries)))
    plain = {"action": "flag", "table": "plain.csv", "n_rows": 40, "source_id": "good-002"}
    entries = [
        entry(id="z", rows={"n": 1}, guard={"n": 1}, **plain),
        entry("flag", id="m", rows={"row_id": "R1"}, guard={"n": 13}),
        entry(id="a", rows={"n": 0}, guard={"n": 0}, **plain),
    ]
    log = corrections.log_all(raw.path, write(tmp_path, entries))
    assert list(log) == corrections.LOG_COLUMNS and list(log.index) == list(range(81))
    assert log["row"].tolist() == [*range(3, 82, 2), 2, *range(2, 82, 2)]
    assert log["correction_id"].tolist() == ["z"] * 40 + ["m"] + ["a"] * 40
    assert log["source_id"].tolist() == ["good-002"] * 40 + [""] + ["good-002"] * 40
    assert set(log["action"]) == {"flag"} and set(log[["column", "raw_value", "used_value"]].values.ravel()) == {""}


def test_without_entries_the_log_of_all_is_empty(raw, tmp_path):
    log = corrections.log_all(raw.path, write(tmp_path, []))
    assert log.empty and list(log) == corrections.LOG_COLUMNS


def test_choice_among_three_logs_who_was_left_out_before_who_was_kept():
    chosen = entry("choose", rows={"iso3": ""}, n_rows=3, guard={"iso3": ""}, keep={"row_id": "A"})
    corrected, log = corrections.apply(frame().assign(iso3=""), TABLE, [chosen])
    assert list(corrected.index) == [2] and corrected["flag_ids"].tolist() == [""]
    assert log[["row", "action", "column", "raw_value", "used_value"]].values.tolist() == [
        [3, "choose", "", "", "left out"], [4, "choose", "", "", "left out"], [2, "choose", "", "", "kept"],
    ]  # fmt: skip


def test_values_are_logged_as_they_would_be_written():
    _, log = apply(
        entry("override", rows={"row_id": "B"}, guard={"n": 7}, set={"low": 24.0, "note": None}),
        entry("override", id="other", set={"low": 0.1, "n": None}),
    )
    assert log[["column", "raw_value", "used_value"]].values.tolist() == [
        ["low", "", "24"], ["note", "", ""], ["low", "12.5", "0.1"], ["n", "5", ""],
    ]  # fmt: skip
    assert log["source_id"].tolist() == [""] * 4


def test_log_in_words_counts_entries_not_rows():
    log = pd.DataFrame({"correction_id": ["b", "b", "a"]})
    end = ". Each stands with its reason on the page of corrections."
    assert corrections.in_words(log) == f"Declared corrections applied: 2 (b, a){end}"
    assert corrections.in_words(log.iloc[:0]) == f"Declared corrections applied: 0 (none){end}"


# --- The entries of the repository --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return corrections.log_all()


def test_every_entry_applies_to_the_raw_tables_as_they_are(log):
    declared = [e["id"] for e in corrections.read_declared()]
    assert declared and list(dict.fromkeys(log["correction_id"])) == declared


@pytest.mark.parametrize("declared", corrections.read_declared(), ids=lambda e: e["id"])
def test_entry_has_a_reason_a_guard_and_a_known_source(declared):
    assert len(declared["reason"].strip()) >= 40
    guards = declared["guard"] if isinstance(declared["guard"], list) else [declared["guard"]]
    assert all(guards)
    named = [declared.get("source_id"), (declared.get("set") or {}).get("convictions_source_id")]
    assert {i for i in named if i} <= sources.read_sources().keys()


def test_overridden_values_would_pass_the_checks_of_their_columns():
    """A correction may not bring in what a raw table may not hold."""
    for declared in corrections.read_declared():
        sidecar = sources.read_sidecar(declared["table"], paths.RAW)
        for column, value in (declared.get("set") or {}).items():
            if column in sidecar.get("filled_by_corrections", {}):
                continue
            spec = sidecar["columns"][column]
            schemas._column_schema(spec, paths.RAW).set_name(column).validate(pd.DataFrame({column: [str(value)]}))


def test_columns_filled_by_corrections_are_not_in_the_raw_table_and_have_a_meaning(log):
    filled = {
        (table, column): meaning
        for table in sources.list_tables()
        for column, meaning in sources.read_sidecar(table).get("filled_by_corrections", {}).items()
    }
    assert filled and all(len(meaning) > 20 for meaning in filled.values())
    assert not [pair for pair in filled if pair[1] in sources.read_sidecar(pair[0])["columns"]]
    assert set(filled) & set(zip(log["table"], log["column"], strict=True))
