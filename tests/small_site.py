"""A small repository to make pages of: every kind of page, with text in it that must not be taken for markup."""

import json
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sentencing import claims, countries, figures, notebooks, paths, site, sources, tables
from sentencing.site import countries as country_tables
from sentencing.site import explorer

HOSTILE = '<script>alert("x")</script> `{{raw}}` [x](y)\n\n```\n# H'
SOURCES = """source_id,publisher,title,kind,url,published,accessed,page_key,note
good-001,Council & Court,Yearly report,official,https://example.org/a?b=1&c=2,2019,2026-01-02,k1,
bad-001,"{hostile}","<img src=x onerror=y>",press,javascript:alert(1),,2026-01-02,k2,<b>note</b>
bad-002,Page,,press,(withheld) example.com,,2026-01-02,k3,
"""
SOURCE_LINE = '<p class="source">Source: Council &amp; Court, Yearly report</p>'
COLUMNS = {
    "iso3": {"type": "country", "required": True, "description": "Country."},
    "n": {"type": "integer", "unit": "persons", "min": 0, "description": "People, <b>not</b> cases."},
    "kind": {"type": "category", "values": {"a": "one <i>kind</i>", "b": "another"}, "description": "Kind."},
    "note": {"type": "text", "description": "Remark."},
    "source_id": {"type": "source", "description": "Source."},
}
FINDINGS = [
    ("01-first", "n_convicted", "{value:,} people <b>."),
    ("01-first", "share", "{value:.0%} of {all[n_convicted]}"),
]
DOCS = {
    "codebook.md": "# How narratives are coded\n\nSee [the tables](data.md#tables).",
    "method.md": "# Method\n\nWhere $x_i \\le 2$ [](glossary.md), {term}`custody`, {cite}`someone2020`:\n\n"
    "$$\n\\sum_i \\frac{x_i}{n}\n$$\n\n```python\nprint('a suspended sentence')\n```\n\n"
    "| a | b |\n|---|---|\n| c | d |",
    "glossary.md": "# Glossary\n\n```{glossary}\ncustody\n  Prison or not.\n```",
    "bibliography.md": "# Bibliography\n\n```{bibliography}\n```",
    "references.bib": "@article{someone2020, author={Some, One}, title={A title}, journal={J}, year={2020}}",
    "sazetak.md": "# Sažetak",
    "unnamed.md": "# A page named nowhere",
}
# What is seen of each country: the last number of convicted that UNODC printed.
SEEN = {"CIV": "at least 100 (2010)", "HRV": "<5 (2017)", "MKD": "no figure was seen", "SRB": "12 (2018)"}


class Inputs(NamedTuple):
    """What `site.build` takes, in its order."""

    executed: Path
    results: Path
    raw: Path
    corrections: Path
    to: Path
    profiles: Path
    parameters: Path
    explorer: Path | None
    docs: Path


def write_table(folder, name, text, columns, hostile=HOSTILE, **more):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    sidecar = {
        "title": f"Title of {name} {hostile}", "one_row_is": "a row", "transcribed": "By AI readers.",
        "licence": "CC BY 4.0", "sha256": sources.sha256(path), "known_troubles": [f"Trouble {hostile}"],
        "columns": columns,
    }  # fmt: skip
    path.with_suffix(".yml").write_text(yaml.safe_dump(sidecar | more, sort_keys=False), encoding="utf-8")


def html_output(rendered):
    shown = {"text/html": rendered.markup, "text/plain": rendered.text}
    return new_output("execute_result", shown | rendered._repr_mimebundle_())


def code(source, *outputs, tag=None, **more):
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": [tag] if tag else []}, **more)


def write_claims(results, *rulings):
    """A values file of claims: name, verdict, value and low of each."""
    values = tables.Values("08-check-claims", {})
    for name, verdict, value, low in rulings:
        values.add(name, value, "share" if low else "persons", "what | was computed", low=low, high=low and 0.5)
        values.add(f"{name}_verdict", verdict, "verdict", f"Claim <{name}>")
    values.write(results / "08-check-claims.json")


def make(folder: Path, monkeypatch, hostile: str = HOSTILE) -> Inputs:
    """Two tables, three sources, one correction, two executed notebooks, four countries, values and texts.

    `hostile` stands wherever text of raw tables, sidecars, corrections, values and notebooks' outputs is shown.
    """
    inputs = Inputs(
        executed=folder / "executed", results=folder / "results", raw=folder / "raw",
        corrections=folder / "corrections.yml", to=folder / "out" / "site", profiles=folder / "profiles",
        parameters=folder / "parameters.yml", explorer=None, docs=folder / "docs",
    )  # fmt: skip
    for place in (inputs.executed, inputs.results, inputs.docs):
        place.mkdir(parents=True)
    text = {"type": "text", "description": "Text."}
    columns = dict.fromkeys(SOURCES.splitlines()[0].split(","), text)
    listed = SOURCES.replace("{hostile}", hostile.replace('"', '""'))
    write_table(inputs.raw, "sources.csv", listed, columns, hostile, key=["source_id"])
    write_table(
        inputs.raw, "tip/mini.csv", "iso3,n,kind,note,source_id\nSRB,3,a,,good-001\nHRV,,b,,bad-002\n", COLUMNS,
        hostile, double_coding={"countries": 41, "f1": 0.75, "countries_here": 21, "f1_here": 0.5},
    )  # fmt: skip
    inputs.corrections.write_text(yaml.safe_dump(_corrections(hostile)), encoding="utf-8")
    _write_notebooks(inputs.executed, hostile)
    _write_values(inputs.results, monkeypatch, hostile)
    for name, content in DOCS.items():
        (inputs.docs / name).write_text(content + "\n", encoding="utf-8")
    _write_countries(inputs, hostile)
    return inputs


def _corrections(hostile: str) -> list[dict]:
    entry = {"id": "mend-1", "table": "tip/mini.csv", "rows": {"iso3": "SRB"}, "guard": {"n": 3}, "action": "override",
             "set": {"note": hostile}, "reason": f"Because {hostile}.", "source_id": "good-001;bad-002"}  # fmt: skip
    return [entry]


def build(folder: Path, with_explorer: bool = False, hostile: str = HOSTILE) -> Inputs:
    """The small site; an explorer shows the committed tables."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        inputs = make(folder, monkeypatch, hostile)
        if with_explorer:
            inputs = inputs._replace(explorer=folder / "parameters")
            inputs.explorer.mkdir()
            resolved = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})
            for name in (explorer.SERBIA, explorer.COMPARED):
                (inputs.explorer / f"{name}.yml").write_text(yaml.safe_dump(resolved[name]), encoding="utf-8")
            links = explorer.Links("01-first.html", "02-second.html")
            files = explorer.files
            monkeypatch.setattr(explorer, "files", lambda content: files(content, links))
        monkeypatch.setattr(site.reported, "FINDINGS", FINDINGS)
        site.build(*inputs)
    return inputs


def _write_notebooks(folder: Path, hostile: str) -> None:
    frame = tables.pd.DataFrame({"note": [hostile, "x"], "source_id": ["good-001;bad-002", "none"], "n": [1, 2]})
    drawing, _ = figures.panels(["A panel"])
    shown = figures.show(drawing, "What it shows.", 'It says "nothing".', data=frame)
    row = {"claim_id": "C01", "claim": f"It is so {hostile}", "speaker": "somebody", "source_id": "good-001"}
    ruling = claims.Ruling("supported", 7, "persons", "people", None, None, None, "")
    first = new_notebook(cells=[
        new_markdown_cell("# First & foremost\n\nWhat is *asked* here?\n\n[Next](02-second.ipynb#part)"),
        code('year_from = 2010\nin_path = "a/<b>.csv"', id="parameters", tag="parameters"),
        code("# Parameters\nyear_from = 2013", tag="injected-parameters"),
        code("tables.show(frame)", html_output(tables.show(frame, "A table")), id="shown"),
        code("figures.show(figure)", html_output(shown), id="drawn"),
        code("source  # " + "a long line, " * 12, html_output(tables.Rendered(SOURCE_LINE, ""))),
        code("print(1)", new_output("stream", name="stdout", text="<b>plain</b>\x1b[31m")),
        code("claim", html_output(tables.claim(tables.Values("01-first", {}), row, ruling)), id="claimed"),
        new_markdown_cell("## Part\n\n| a | b |\n|---|---|\n| c | d |"),
    ])  # fmt: skip
    second = new_notebook(cells=[new_markdown_cell("# Second\n\n## Part")])
    for name, notebook in (("01-first", first), ("02-second", second)):
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _write_values(results: Path, monkeypatch, hostile: str) -> None:
    values = tables.Values("01-first", {})
    values.add("n_convicted", 1234, "persons", "people convicted", low=1000, high=1300)
    values.add("share", 0.25, "share", "of them")
    values.add("hostile", [hostile, 2], "words", hostile, n=7, low=None, high=5, sources="good-001;bad-002")
    values.add("unknown", None, "persons", "not estimable")
    with monkeypatch.context() as patched:
        patched.setattr(tables, "cell_ids", lambda _: {"": "shown"})
        values.write(results / "01-first.json")
    write_claims(results, ("C02", "supported", 7, None), ("C01", "cannot be settled", None, 0.25))
    of_figure = tables.Values("05-sentences-in-serbia", {})
    of_figure.add("figure_alt", "A drawing of [3] | <i>bands</i>.", "text", "words for the figure")
    of_figure.write(results / "05-sentences-in-serbia.json")
    (results / "sentences-in-serbia.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")


def _write_countries(inputs: Inputs, hostile: str) -> None:
    """Pages of four countries, as they are kept, and the parameters they were made with."""
    parameters = {"country": "SRB", "raw_dir": str(inputs.raw), "corrections_file": str(inputs.corrections)}
    inputs.parameters.write_text(yaml.safe_dump(parameters), encoding="utf-8")
    kept = countries.kept(inputs.profiles, parameters)
    notebook = nbformat.writes(new_notebook(cells=[new_markdown_cell("# Country profile\n\nText"), code("1", id="x")]))
    for task in countries.tasks(parameters, SEEN):
        cells = dict.fromkeys(country_tables.COLUMNS, hostile if task.name == "HRV" else "no figure was seen")
        cells["last_convicted_unodc"] = SEEN[task.name]
        values = {name: {"value": cell, "label": "told", "unit": "text", "cell": "x"} for name, cell in cells.items()}
        written = json.dumps({"values": values}).encode()
        kept.write(task, {f"{task.name}.ipynb": notebook.encode(), f"values/{task.name}.json": written})
