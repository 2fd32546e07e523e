"""Typed results: which numbers of a page its values support, and which are found."""

import json
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sentencing import paths, tables
from sentencing.site import numbers
from sentencing.site.notebook import read_notebook

VALUES = {
    "share": {"value": 0.3512, "low": 0.105, "high": 0.625, "unit": "share of judgments", "n": 39},
    "people": {"value": 12345, "unit": "persons"},
    "totals": {"value": [36, 40], "unit": "persons"},
    "months": {"value": 41.5, "unit": "months", "low": -2.25, "high": None},
    "told": {"value": "from 51.3 to 61 percent, or 2e-05", "unit": "sentence"},
    "unknown": {"value": None, "unit": "persons"},
}


def found(text, values=VALUES, **parameters):
    return numbers.unsupported_numbers(text, values, parameters)


@pytest.mark.parametrize(
    "text",
    [
        "35 % of 39", "35.1 percent", "35.12 %", "0.35, or 0.3512", "between 10.5 and 62.5 %", "11 to 63 %",
        "10 to 62 %", "12,345 people", "12345", "12\u00a0345", "12,345.0", "36 or 40", "41.5 months", "42 or 41 months",
        "-2.25",
        "51.3 to 61 percent", "p = 2e-05", "in 1990, 2016 and 2035", "no number at all", "the F1 score, MKD3 and v0.x",
    ],
)  # fmt: skip
def test_value_at_the_printed_precision_passes(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("37 people", ["37"]),
        ("36 %, 34 %, 35.2 %", ["34", "35.2"]),  # 36 is a total; no share rounds to the others
        ("12,346 people and 12,3", ["12,346", "12", "3"]),
        ("12 thousand", ["12"]),
        ("41.6 months, 43", ["41.6", "43"]),
        ("in 1989 and 2036", ["1989", "2036"]),
        ("2,016 people, 2016.0", ["2,016", "2016.0"]),  # no plain year
        ("3e-05", ["3e-05"]),
        ("3612 %", ["3612"]),
    ],
)
def test_typed_number_is_found_as_it_is_printed(text, typed):
    assert found(text) == typed


def test_only_shares_may_be_printed_in_percent():
    assert found("30 %", {"n": {"value": 0.3, "unit": "log months"}}) == ["30"]
    assert found("30 %", {"n": {"value": 0.3, "unit": "share"}}) == []


def test_parameters_support_numbers_and_true_is_none():
    assert found("first 7, level 90 %, months 12 and 60", {}, first=7, level=0.9, edges=[12, 60]) == []
    assert found("1", {}, flag=True) == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        'The court said "more than 77 of 99"', "Article 388 and Articles 388(1), 389 and 390", "Art. 388",
        "paragraph 7", "notebooks 01 to 03", "see 03-assemble-sentences", "exercise 8", "Tier 3", "suppressed (1 to 4)",
        "95 % interval", "95 percent", "a scale from 0 to 1", "claim C07", "where $x^2 + 77 = 0$",
    ],
)  # fmt: skip
def test_numbers_that_are_no_results_pass(text):
    assert found(text, {}) == []


@pytest.mark.parametrize(
    "text", ["the 388 people", "95 people", "notebook 777", "exercises, 8", "tiers 3", "from 0 to 12"]
)
def test_numbers_that_only_look_like_those_are_found(text):
    assert found(text, {}) != []


def test_every_kind_of_number_that_is_no_result_has_a_reason():
    assert all(re.compile(pattern) and reason.strip() for pattern, reason in numbers.NO_RESULTS.items())


# --- Pages ----------------------------------------------------------------------------------------------------------


def page(tmp_path, *outputs, text="# T"):
    cells = [
        new_markdown_cell(text, id="told"),
        new_code_cell("first = 7\nraw_table = '88.csv'", id="parameters", metadata={"tags": ["parameters"]}),
        *(new_code_cell("x = 99", outputs=[new_output("display_data", {"text/html": o.markup})], id=f"made-{i}")
          for i, o in enumerate(outputs)),
    ]  # fmt: skip
    nbformat.write(new_notebook(cells=cells), tmp_path / "01-x.ipynb")
    return read_notebook(tmp_path / "01-x.ipynb")


def typed(notebook, values=VALUES):
    """Cell and number of every fault."""
    faults = numbers.typed_numbers(notebook, {"values": values, "parameters": {"seed": 5}})
    assert all(fault.startswith("01-x.html, cell ") and "results/01-x.json" in fault for fault in faults)
    return [tuple(re.match(r"01-x.html, cell (\S*): (\S+) is", fault).groups()) for fault in faults]


def test_page_whose_numbers_were_computed_passes(tmp_path):
    said = tables.say("35 % of 39; first 7, seed 5; <b>\n\n41.5 months")
    frame = tables.pd.DataFrame({"n": [777]})
    shown = tables.show(frame, "12,345 people & 36", note="Months; 41.5.")
    assert typed(page(tmp_path, said, shown, text="# In 2016\n\n`n = 888`, 35 percent.\n\n1. one\n2. two")) == []


def test_typed_numbers_are_found_wherever_a_page_says_them(tmp_path):
    frame = tables.pd.DataFrame({"n": [777]})
    source = next(iter(tables.sources.read_sources()))
    notebook = page(
        tmp_path, tables.say("201 people\n\n202"), tables.show(frame, "203 rows", note="204.", source_ids=source),
        text='# T 205\n\n*206* [207](https://example.org/888)\n\n- 208\n\n| 209 |\n|---|\n| 210 |\n\n"211" and 88',
    )  # fmt: skip
    told, said, shown = [("told", str(n)) for n in (205, 206, 207, 208, 209, 210, 88)], ["201", "202"], ["203", "204"]
    assert typed(notebook) == told + [("made-0", n) for n in said] + [("made-1", n) for n in shown]


def test_figure_captions_are_read_without_their_sources(tmp_path):
    caption = (
        '<figure class="plot"><img alt="x" src="data:,"><figcaption>205 <span class="source">Source: 206</span> 207'
    )
    notebook = page(tmp_path, tables.Rendered(caption + "</figcaption></figure><p>208</p>", ""))
    assert typed(notebook) == [("made-0", "205"), ("made-0", "207")]


# --- The README -----------------------------------------------------------------------------------------------------


def written_by_make(begin: str, end: str) -> list[str]:
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    return [line for line in text.split(begin)[1].split(end)[0].splitlines() if line.startswith(("- ", "| C"))]


def test_every_number_of_the_findings_in_the_readme_is_a_value():
    lines = written_by_make("<!-- findings: written by make -->", "<!-- end of findings -->")
    assert lines
    for line in lines:
        sentence, name = re.fullmatch(r"- (.+) \(\[([\w-]+)\]\(notebooks/\2\.ipynb\)\)", line).groups()
        content = json.loads((paths.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        assert numbers.unsupported_numbers(sentence, content["values"], content["parameters"]) == [], line


def test_every_number_of_the_claims_in_the_readme_is_a_value():
    content = json.loads((paths.RESULTS / "08-check-claims.json").read_text(encoding="utf-8"))
    lines = written_by_make("<!-- claims: written by make -->", "<!-- end of claims -->")
    assert len(lines) == sum(entry["unit"] == "verdict" for entry in content["values"].values())
    for line in lines:
        claim, _, computed, _ = re.fullmatch(r"\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|", line).groups()
        text = f"{claim.partition(': ')[2]} {computed}"
        assert numbers.unsupported_numbers(text, content["values"], content["parameters"]) == [], line
