"""What is written and shown: digits, blanks, bytes, whole files or none, and escaped text."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentencing import paths, sources, tables

HOSTILE = '<script>alert("x & y")</script>'


@pytest.fixture(autouse=True)
def no_stage(monkeypatch):
    monkeypatch.delenv(paths.STAGE_VARIABLE, raising=False)


def written(frame: pd.DataFrame, tmp_path) -> str:
    tables.write_csv(frame, tmp_path / "t.csv")
    return (tmp_path / "t.csv").read_bytes().decode("utf-8")


def cells(values, tmp_path, dtype=None) -> list[str]:
    return written(pd.DataFrame({"a": pd.Series(values, dtype=dtype), "end": "."}), tmp_path).split("\n")[1:-1]


def test_shown_table_carries_its_values_and_an_empty_one_carries_none():
    frame = pd.DataFrame({"a b": [HOSTILE, None], "x": [1 / 3, 2.0]})
    assert tables.show(frame, "c")._repr_mimebundle_() == {"text/csv": tables.csv_text(frame)}
    assert tables.show(frame[:0], "c")._repr_mimebundle_() == {} == tables.say("x")._repr_mimebundle_()


# --- Files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (1 / 3, "0.333333"), (2 / 3, "0.666667"), (12.0, "12"), (-1.50, "-1.5"), (1e-9, "1e-09"),
     (99.99999999, "100"), (123456.0, "123456"), (0.0, "0")],
)  # fmt: skip
def test_floats_have_six_significant_digits_and_no_trailing_zeros(tmp_path, value, text):
    assert cells([value], tmp_path) == [f"{text},."]


def test_noise_in_the_last_bits_never_reaches_a_file(tmp_path):
    noisy = pd.DataFrame({"a": [0.1 + 0.2, 1.1 * 3, 100 * 1.1]})
    clean = pd.DataFrame({"a": [0.3, 3.3, 110.0]})
    assert not noisy.equals(clean)
    assert written(noisy, tmp_path) == written(clean, tmp_path)


def test_noise_never_reaches_a_file_from_a_column_of_mixed_kinds(tmp_path):
    assert cells([0.1 + 0.2, "text", None], tmp_path, "object") == ["0.3,.", "text,.", ",."]


@pytest.mark.parametrize("dtype", ["float32", "Float64"])
def test_other_kinds_of_float_have_six_digits_too(tmp_path, dtype):
    assert cells([1 / 3], tmp_path, dtype) == ["0.333333,."]


def test_zero_has_no_sign(tmp_path):
    """Whether 0 * -1 keeps its sign is an accident of the arithmetic."""
    assert cells([-0.0], tmp_path) == ["0,."]


def test_whole_numbers_stay_whole_beside_blanks(tmp_path):
    assert cells([1, None, 12_345_678], tmp_path, "Int64") == ["1,.", ",.", "12345678,."]


@pytest.mark.parametrize("dtype", ["float64", "Float64", "Int64", "str", "object"])
def test_missing_is_blank_and_zero_is_not(tmp_path, dtype):
    zero = "0" if dtype == "str" else 0
    assert cells([zero, None], tmp_path, dtype) == ["0,.", ",."]


def test_file_is_utf8_with_line_feeds_and_commas_and_no_index(tmp_path):
    frame = pd.DataFrame({"name": ["Šabac", 'a, "b"'], "n": [1, 2]}, index=[7, 8])
    tables.write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == 'name,n\nŠabac,1\n"a, ""b""",2\n'.encode()


def test_frame_written_is_not_changed(tmp_path):
    frame = pd.DataFrame({"a": [1 / 3, None]})
    before = frame.copy()
    tables.write_csv(frame, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(frame, before)


def test_table_without_rows_is_its_header(tmp_path):
    assert written(pd.DataFrame({"a": pd.Series(dtype="float64"), "b": pd.Series(dtype="str")}), tmp_path) == "a,b\n"


def test_writing_makes_the_folder_and_leaves_nothing_beside_the_file(tmp_path):
    tables.write_text("text", tmp_path / "new" / "t.txt")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["t.txt"]


def test_write_that_fails_leaves_the_old_file_as_it_was(tmp_path):
    place = tmp_path / "t.txt"
    tables.write_text("old", place)
    with pytest.raises(UnicodeEncodeError):
        tables.write_text("x" * 100_000 + "\ud800", place)
    assert place.read_text(encoding="utf-8") == "old"


def test_write_that_fails_at_the_last_step_leaves_the_old_file_as_it_was(tmp_path, monkeypatch):
    place = tmp_path / "t.txt"
    tables.write_text("old", place)

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="no space"):
        tables.write_text("new", place)
    assert place.read_text(encoding="utf-8") == "old"


# --- Staging ------------------------------------------------------------------------------------------------------


def test_output_goes_to_the_stage_while_one_is_set_and_to_its_place_else(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setenv(paths.STAGE_VARIABLE, str(tmp_path / "stage"))
    tables.write_text("staged", "results/t.txt")
    assert (tmp_path / "stage" / "results" / "t.txt").read_text(encoding="utf-8") == "staged"
    assert not (tmp_path / "results").exists()
    monkeypatch.delenv(paths.STAGE_VARIABLE)
    tables.write_text("in place", "results/t.txt")
    assert (tmp_path / "results" / "t.txt").read_text(encoding="utf-8") == "in place"


def test_staged_output_outside_the_root_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(paths.STAGE_VARIABLE, str(tmp_path / "stage"))
    with pytest.raises(ValueError, match="must lie below"):
        tables.write_text("text", tmp_path / "t.txt")
    assert not (tmp_path / "t.txt").exists()


def test_table_written_by_the_same_run_is_read_from_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    tables.write_csv(pd.DataFrame({"a": [1]}), "t.csv")
    monkeypatch.setenv(paths.STAGE_VARIABLE, str(tmp_path / "stage"))
    assert tables.read_csv("t.csv")["a"].tolist() == [1]
    tables.write_csv(pd.DataFrame({"a": [2]}), "t.csv")
    assert tables.read_csv("t.csv")["a"].tolist() == [2]


# --- Reading back -------------------------------------------------------------------------------------------------


def test_table_comes_back_as_it_was_written(tmp_path):
    frame = pd.DataFrame(
        {
            "name": ["Šabac", "NA", "null"],
            "n": pd.array([1, None, 12_345_678], dtype="Int64"),
            "all_known": pd.array([1, 2, 3], dtype="int64"),
            "share": [0.5, None, 0.333333],
            "note": [None, "x", 'a, "b"\nc'],
        }
    )
    tables.write_csv(frame, tmp_path / "t.csv")
    back = tables.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == ["Šabac", "NA", "null"]
    assert back["n"].dtype == "Int64" and back["n"].isna().tolist() == [False, True, False]
    assert back["n"].iloc[2] == 12_345_678 and back["all_known"].tolist() == [1, 2, 3]
    assert back["share"].dtype == "float64" and back["share"].iloc[2] == 0.333333
    assert back["note"].isna().tolist() == [True, False, False] and back["note"].iloc[2] == 'a, "b"\nc'
    tables.write_csv(back, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "t.csv").read_bytes()


def test_column_that_is_blank_throughout_survives(tmp_path):
    tables.write_csv(pd.DataFrame({"a": [1], "b": [None]}), tmp_path / "t.csv")
    assert tables.read_csv(tmp_path / "t.csv")["b"].isna().all()


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda v: float(f"{v:.6g}"))), min_size=1, max_size=8))
def test_floats_of_six_digits_come_back_equal(tmp_path_factory, values):
    place = tmp_path_factory.mktemp("t") / "t.csv"
    tables.write_csv(pd.DataFrame({"a": pd.Series(values, dtype="float64"), "b": 1}), place)
    back = tables.read_csv(place)["a"]
    assert [None if pd.isna(v) else float(v) for v in back] == values


# --- Values -------------------------------------------------------------------------------------------------------


def test_values_are_written_with_what_is_known_of_them(tmp_path):
    values = tables.Values("04-x", {"country": "SRB"})
    assert values.add("share", 1 / 3, "share", "a third", n=np.int64(9), low=0.1 + 0.2, sources="good-001") == 1 / 3
    values.add("bases", [np.int64(19), 20], "persons", "bases")
    assert values["bases"] == [19, 20]
    values.write(tmp_path / "v.json")
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert json.loads(text) == {
        "notebook": "04-x",
        "parameters": {"country": "SRB"},
        "values": {
            "share": {"label": "a third", "value": 0.333333, "unit": "share", "n": 9, "low": 0.3,
                      "source_ids": "good-001"},
            "bases": {"label": "bases", "value": [19, 20], "unit": "persons"},
        },
    }  # fmt: skip
    assert text.endswith("}\n")


def test_name_taken_is_refused_and_the_first_value_stays():
    values = tables.Values("04-x", {})
    values.add("n", 1, "rows", "rows")
    with pytest.raises(ValueError, match=r"'n' is already in results/04-x\.json"):
        values.add("n", 2, "rows", "rows")
    assert values["n"] == 1


def test_zero_is_a_value():
    values = tables.Values("04-x", {})
    values.add("n", 0, "rows", "rows", low=0)
    assert values["n"] == 0 and values.values["n"]["low"] == 0


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA])
def test_missing_value_is_null_in_the_file(tmp_path, missing):
    values = tables.Values("04-x", {})
    values.add("n", missing, "rows", "rows", high=missing)
    values.write(tmp_path / "v.json")
    entry = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))["values"]["n"]
    assert entry["value"] is None and entry.get("high") is None


@pytest.mark.parametrize("value", [float("inf"), np.float64("-inf")])
def test_value_that_json_cannot_hold_is_refused_or_null(tmp_path, value):
    values = tables.Values("04-x", {})
    try:
        values.add("n", value, "rows", "rows")
        values.write(tmp_path / "v.json")
    except ValueError:
        return
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert "Infinity" not in text


@pytest.mark.parametrize("value", [np.int64(3), np.float64(3), np.float32(3), pd.Series([3], dtype="Int64").iloc[0]])
def test_values_of_numpy_are_written_as_numbers(tmp_path, value):
    values = tables.Values("04-x", {})
    values.add("n", value, "rows", "rows")
    values.write(tmp_path / "v.json")
    assert json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))["values"]["n"]["value"] == 3


CELLS = [
    {"cell_type": "markdown", "id": "told", "source": "values.add('a')"},
    {"cell_type": "code", "id": "counted", "source": ["values.add('a')\n", "values.add('b')"]},
    {"cell_type": "code", "id": "twin-one", "source": "same"},
    {"cell_type": "code", "id": "twin-two", "source": "same\n"},
]


@pytest.mark.parametrize(
    ("running", "cell"),
    [
        ("values.add('a')\nvalues.add('b')\n", "counted"),
        ("values.add('a')", None),  # the source of no code cell
        ("same", None),  # two cells have it, so which one ran is not known
        ("", None),
    ],
)
def test_value_is_written_with_the_cell_that_made_it(tmp_path, monkeypatch, running, cell):
    (tmp_path / "04-x.ipynb").write_text(json.dumps({"cells": CELLS}), encoding="utf-8")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(tables, "running_source", lambda: running.strip())
    values = tables.Values("04-x", {})
    values.add("n", 1, "rows", "rows")
    monkeypatch.setattr(tables, "running_source", lambda: "values.write(out_values)")
    values.write(tmp_path / "v.json")
    entry = json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))["values"]["n"]
    assert entry == {"label": "rows", "value": 1, "unit": "rows"} | ({"cell": cell} if cell else {})


def test_outside_a_notebook_no_cell_is_running(monkeypatch):
    assert tables.running_source() == ""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert tables.running_source() == ""


def test_inside_a_notebook_the_running_cell_is_the_last_input(monkeypatch):
    shell = SimpleNamespace(history_manager=SimpleNamespace(input_hist_raw=["", "first", "second\n"]))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert tables.running_source() == "second"


# --- Pages --------------------------------------------------------------------------------------------------------


def test_all_text_of_a_table_is_escaped():
    frame = pd.DataFrame({HOSTILE: [HOSTILE], "b": ["a & b"]})
    markup = tables.show(frame, f"caption {HOSTILE}", note=f"note {HOSTILE}")._repr_html_()
    assert "<script" not in markup and '"x' not in markup
    assert markup.count("&lt;script&gt;") == 4 and "a &amp; b" in markup


def test_words_for_an_empty_table_are_escaped():
    markup = tables.show(pd.DataFrame({"a": []}), "c", empty=HOSTILE).markup
    assert "<script" not in markup and "&lt;script&gt;" in markup and "<table" not in markup


def test_missing_is_shown_as_a_dash_and_zero_as_zero():
    frame = pd.DataFrame({"a": pd.array([None, 0], dtype="Int64"), "b": [None, 0.0], "c": pd.array([None, "x"])})
    markup = tables.show(frame, "c").markup
    first, second = markup.split("<tbody>")[1].split("</tr><tr>")
    assert first.count("–") == 3 and "nan" not in first.lower()
    assert "–" not in second and second.count(">0<") == 2


def test_columns_are_headed_with_spaces_and_numbers_marked():
    markup = tables.show(pd.DataFrame({"two_words": ["x"], "n_rows": [1]}), "c").markup
    assert '<th scope="col">two words</th><th scope="col" class="number">n rows</th>' in markup
    assert '<td>x</td><td class="number">1</td>' in markup


@pytest.mark.parametrize("value", [14_897.0, 6_945_235.0])
def test_whole_number_held_as_float_is_shown_in_full(value):
    assert f">{value:.0f}<" in tables.show(pd.DataFrame({"n": [value, None]}), "c").markup


def test_caption_and_note_and_source_stand_with_the_table():
    source_id = next(iter(tables.sources.read_sources()))
    markup = tables.show(pd.DataFrame({"a": [1]}), "A caption", note="Persons.", source_ids=source_id).markup
    assert "<figcaption>A caption</figcaption>" in markup
    assert '<p class="source">Persons.</p><p class="source">Source: ' in markup


def test_table_has_words_where_html_is_not_shown():
    text = repr(tables.show(pd.DataFrame({"a": ["x"]}), "A caption"))
    assert text.startswith("A caption\n") and "x" in text


def test_sentence_is_escaped_and_parted_into_paragraphs():
    said = tables.say(f"One {HOSTILE}\n\n  Two  \n\n\n\nThree")
    assert said._repr_html_() == (
        '<p class="said">One &lt;script&gt;alert(&quot;x &amp; y&quot;)&lt;/script&gt;</p>'
        '<p class="said">Two</p><p class="said">Three</p>'
    )
    assert repr(said).startswith("One <script>")


# --- Numbers in estimands.REPORTED columns ------------------------------------------------------------------------

OPEN = float("nan")


def told(**changes) -> dict:
    row = {"name": "a", "group": "monitored judgments", "quantity": "median term", "value": OPEN, "low": OPEN,
           "high": OPEN, "unit": "months", "n": 19, "source_ids": "", "refused": ""}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": 46.4, "low": 41.2, "high": 51.9}, "46 (41 to 52) months"),
        ({"value": 46.4}, "46 months"),
        ({"value": 46.4, "low": 41.2}, "46 (41 to …) months"),
        ({"value": 46.4, "high": 51.9}, "46 (… to 52) months"),
        ({"low": 0.03, "high": 0.97, "unit": "share"}, "3 to 97 %"),
        ({"low": 0.751, "high": 0.749, "unit": "share"}, "75 %"),
        ({"low": 0.03, "unit": "share"}, "3 to … %"),
        ({"value": 0.0, "low": 0.0, "high": 0.1, "unit": "share"}, "0 (0 to 10) %"),
        ({"value": -2.25, "low": -9.0, "high": 4.0, "unit": "percent"}, "-2.2 (-9.0 to 4.0) %"),
        ({"value": 0.00123, "unit": "p"}, "0.0012"),
        ({"value": 12.3456, "unit": "number"}, "12.3"),
        ({"value": 1.236, "unit": "ratio"}, "1.24"),
        ({"value": 60, "unit": "persons"}, "60 people"),
        ({}, "no estimate"),
        ({"value": pd.NA, "low": None}, "no estimate"),
    ],
)
def test_reported_number_is_told_with_its_interval(change, words):
    assert tables.in_brief(told(**change)) == words


def test_reported_number_can_be_told_without_its_unit_and_of_an_unknown_unit_not_at_all():
    with pytest.raises(KeyError, match="furlongs"):
        tables.in_brief(told(value=1, unit="furlongs"))


def test_reported_rows_are_kept_as_values_with_the_reason_where_refused():
    reported = pd.DataFrame([told(value=46.4, low=41.2, high=51.9), told(name="b", refused="two ranges alone")])
    values = tables.Values("n", {})
    assert values.add_all(reported) is reported
    assert values.values["a"] == {"label": "monitored judgments: median term", "value": 46.4, "unit": "months",
                                  "n": 19, "low": 41.2, "high": 51.9}  # fmt: skip
    assert values["b"] is None and set(values.values["b"]) == {"label", "value", "unit", "n"}
    assert values.values["b"]["label"].endswith("median term (refused: two ranges alone)")
    with pytest.raises(ValueError, match="'a' is already"):
        values.add_all(reported)


def test_keeping_no_rows_keeps_nothing():
    values = tables.Values("n", {})
    assert values.add_all(pd.DataFrame([told()]).iloc[:0]).empty and values.values == {}


def test_reported_numbers_are_shown_with_groups_side_by_side_and_each_reason_once():
    source_id = next(iter(sources.read_sources()))
    rows = [
        told(value=46.4, source_ids=source_id), told(quantity="share", value=0.5, unit="share", n=17),
        told(group="government figures", refused=f"only ranges {HOSTILE}", n=60),
        told(group="government figures", quantity="share", unit="share", refused=f"only ranges {HOSTILE}", n=60),
        told(group="publicised cases", quantity="share", value=0.25, unit="share", n=8),
    ]  # fmt: skip
    shown = tables.show_reported(pd.DataFrame(rows), "Caption", note="Note.")
    # Where quantities are of different numbers of people, no number stands at the head.
    heads = ["quantity", "monitored judgments", "government figures (60 people)",
             "publicised cases (8 people)"]  # fmt: skip
    assert [shown.markup.index(f">{head}</th>") for head in heads] == sorted(
        shown.markup.index(f">{head}</th>") for head in heads
    )
    assert '<th scope="row">median term</th><td>46 months</td><td>no estimate</td><td>–</td>' in shown.markup
    assert '<th scope="row">share</th><td>50 %</td><td>no estimate</td><td>25 %</td>' in shown.markup
    assert shown.markup.count("only ranges") == 1 and "Government figures: only ranges" in shown.markup
    assert "Note." in shown.markup and "Source: " in shown.markup and "<script" not in shown.markup


def test_many_sources_are_folded_and_few_are_not():
    several = list(sources.read_sources())[: tables.FEW_SOURCES + 1]
    assert "<details>" not in tables.source_line(";".join(several[:-1]))
    assert tables.source_line(";".join(several)).startswith(f"<details><summary>Sources ({len(several)})</summary>")
    assert tables.source_line("") == ""


def test_nothing_reported_is_said_in_words():
    shown = tables.show_reported(pd.DataFrame([told()]).iloc[:0], "Caption", empty="Nobody.")
    assert "<p>Nobody.</p>" in shown.markup


def test_sources_of_a_table_are_named_once_each_and_blanks_are_none():
    frame = pd.DataFrame({"source_ids": ["b;a", "", None, "a"]})
    assert tables.sources_of(frame) == "a;b"
    assert tables.sources_of(frame.iloc[1:3]) == ""
