"""The pages: whole, linked, escaped, the same on every build, and loading nothing from outside."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sentencing import countries, figures, paths, schemas, site, sources, tables
from sentencing.site import countries as country_tables

HOSTILE = '<script>alert("x")</script>'
SOURCES = f"""source_id,publisher,title,kind,url,published,accessed,page_key,note
good-001,Council & Court,Yearly report,official,https://example.org/a?b=1&c=2,2019,2026-01-02,k1,
bad-001,"{HOSTILE.replace('"', '""')}","<img src=x onerror=y>",press,javascript:alert(1),,2026-01-02,k2,<b>note</b>
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
CORRECTIONS = [
    {"id": "mend-1", "table": "tip/mini.csv", "rows": {"iso3": "SRB"}, "guard": {"n": 3}, "action": "override",
     "set": {"note": HOSTILE}, "reason": f"Because {HOSTILE}.", "source_id": "good-001;bad-002"},
]  # fmt: skip


def write_table(folder, name, text, columns, **more):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    sidecar = {
        "title": f"Title of {name}", "one_row_is": "a row", "transcribed": "By AI readers.", "licence": "CC BY 4.0",
        "sha256": sources.sha256(path), "known_troubles": [f"Trouble {HOSTILE}"], "columns": columns,
    }  # fmt: skip
    path.with_suffix(".yml").write_text(yaml.safe_dump(sidecar | more, sort_keys=False), encoding="utf-8")


def html_output(rendered):
    return new_output("execute_result", {"text/html": rendered.markup, "text/plain": rendered.text})


def code(source, *outputs, tag=None, **more):
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": [tag] if tag else []}, **more)


def write_claims(results, *rulings):
    """A values file of claims: name, verdict, value and low of each."""
    values = tables.Values("08-check-claims", {})
    for name, verdict, value, low in rulings:
        values.add(name, value, "share" if low else "persons", "what | was computed", low=low, high=low and 0.5)
        values.add(f"{name}_verdict", verdict, "verdict", f"Claim <{name}>")
    values.write(results / "08-check-claims.json")


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """A small repository: two tables, three sources, one correction, two executed notebooks, one values file."""
    raw = tmp_path / "raw"
    text = {"type": "text", "description": "Text."}
    columns = dict.fromkeys(SOURCES.splitlines()[0].split(","), text)
    write_table(raw, "sources.csv", SOURCES, columns, key=["source_id"])
    write_table(
        raw, "tip/mini.csv", "iso3,n,kind,note,source_id\nSRB,3,a,,good-001\nHRV,,b,,bad-002\n", COLUMNS,
        double_coding={"countries": 41, "f1": 0.75, "countries_here": 21, "f1_here": 0.5},
    )  # fmt: skip
    corrections_file = tmp_path / "corrections.yml"
    corrections_file.write_text(yaml.safe_dump(CORRECTIONS), encoding="utf-8")

    frame = tables.pd.DataFrame({"note": [HOSTILE, "x"], "source_id": ["good-001;bad-002", "none"], "n": [1, 2]})
    figure, _ = figures.panels(["A panel"])
    shown = figures.show(figure, "What it shows.", 'It says "nothing".')
    first = new_notebook(cells=[
        new_markdown_cell("# First & foremost\n\nWhat is *asked* here?\n\n[Next](02-second.ipynb#part)"),
        code('year_from = 2010\nin_path = "a/<b>.csv"', tag="parameters"),
        code("# Parameters\nyear_from = 2013", tag="injected-parameters"),
        code("tables.show(frame)", html_output(tables.show(frame, "A table")), id="shown"),
        code("figures.show(figure)", html_output(shown)),
        code("source", html_output(tables.Rendered(SOURCE_LINE, ""))),
        code("print(1)", new_output("stream", name="stdout", text="<b>plain</b>\x1b[31m")),
        new_markdown_cell("## Part\n\n## Part\n\n# Late title\n\n| a | b |\n|---|---|\n| c | d |"),
    ])  # fmt: skip
    second = new_notebook(cells=[new_markdown_cell("# Second\n\n## Part")])
    executed = tmp_path / "executed"
    executed.mkdir()
    for name, notebook in (("01-first", first), ("02-second", second)):
        nbformat.write(notebook, executed / f"{name}.ipynb")
    results = tmp_path / "results"
    values = tables.Values("01-first", {})
    values.add("n_convicted", 1234, "persons", "people convicted", low=1000, high=1300)
    values.add("share", 0.25, "share", "of them")
    results.mkdir()
    values.add("hostile", [HOSTILE, 2], "words", HOSTILE, n=7, low=None, high=5, sources="good-001;bad-002")
    values.add("unknown", None, "persons", "not estimable")
    with monkeypatch.context() as patched:
        patched.setattr(tables, "cell_ids", lambda _: {"": "shown"})
        values.write(results / "01-first.json")
    write_claims(results, ("C02", "supported", 7, None), ("C01", "cannot be settled", None, 0.25))
    of_figure = tables.Values("05-sentences-in-serbia", {})
    of_figure.add("figure_alt", "A drawing of [3] | <i>bands</i>.", "text", "words for the figure")
    of_figure.write(results / "05-sentences-in-serbia.json")
    (results / "sentences-in-serbia.svg").write_text("<svg/>", encoding="utf-8")
    return [executed, results, raw, corrections_file, tmp_path / "out" / "site"]


@pytest.fixture
def pages(inputs, monkeypatch):
    wanted = [
        ("01-first", "n_convicted", "{value:,} people <b>."),
        ("01-first", "share", "{value:.0%} of {all[n_convicted]}"),
    ]
    monkeypatch.setattr(site, "FINDINGS", wanted)
    site.build(*inputs)
    return {path.name: path.read_text(encoding="utf-8") for path in inputs[-1].glob("*.html")}


def snapshot(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_page_is_there_with_what_it_links(inputs, pages):
    assert set(pages) == {
        "index.html", "countries.html", "data.html", "codebook.html", "corrections.html", "sources.html",
        "01-first.html", "02-second.html",
    }  # fmt: skip
    files = {p.relative_to(inputs[-1]).as_posix() for p in inputs[-1].rglob("*") if p.is_file()}
    ids = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    for name, text in pages.items():
        for address in re.findall(r'<a [^>]*href="([^"]+)"', text):
            if address.startswith("https://"):
                continue
            target, _, anchor = address.partition("#")
            assert (target or name) in files, (name, address)
            assert not anchor or anchor in ids[target or name], (name, address)
    for page in ("01-first.html", "02-second.html", "data.html", "corrections.html", "sources.html"):
        assert f'href="{page}"' in pages["index.html"]
    assert 'rel="next" href="02-second.html"' in pages["01-first.html"]
    assert 'rel="prev" href="01-first.html"' in pages["02-second.html"]
    assert 'href="02-second.html#part"' in pages["01-first.html"]


def test_pages_have_the_bones_of_a_page(pages):
    for text in pages.values():
        assert text.startswith('<!DOCTYPE html>\n<html lang="en-GB">')
        assert text.count("<h1") == 1
        for part in ('name="viewport"', '<a class="skip" href="#content">', '<main id="content"', "<nav ", "<title>"):
            assert part in text


def test_first_page_reports_values_agreement_and_notebooks(pages):
    text = pages["index.html"]
    assert "1,234 people &lt;b&gt;." in text
    assert "25% of 1234" in text
    assert "No person has" in text and 'href="data.html#check-a-row"' in text
    assert "0.75 over 41 countries" in text
    assert "First &amp; foremost" in text and "What is asked here?" in text


def test_missing_values_are_named(inputs, monkeypatch):
    monkeypatch.setattr(site, "FINDINGS", [("01-first", "absent", "{value}"), ("09-none", "x", "{value}")])
    with pytest.raises(site.SiteError, match="(?s)01-first.json.*'absent'.*09-none.json.*'x'"):
        site.build(*inputs)


def test_first_page_has_the_figure_and_every_claim_in_order(pages):
    text = pages["index.html"]
    assert '<img alt="A drawing of [3] | &lt;i&gt;bands&lt;/i&gt;." src="data:image/svg+xml,%3Csvg/%3E"' in text
    first, second = re.findall("<tr><th scope=.row.><strong>.*?</tr>", text)
    assert "C01</strong> Claim &lt;C01&gt;" in first and "verdict-cannot-be-settled" in first
    assert "<td>from 25 % to 50 %: what | was computed</td>" in first
    assert "C02</strong>" in second and "<td>7 persons: what | was computed</td>" in second


def test_number_typed_into_a_claim_is_refused(inputs, pages):
    place = inputs[1] / "08-check-claims.json"
    place.write_text(place.read_text(encoding="utf-8").replace("Claim <C01>", "Claim of 77"), encoding="utf-8")
    with pytest.raises(site.SiteError, match="index.html: 77 is no value of results/08-check-claims.json"):
        site.build(*inputs)


@pytest.mark.parametrize(
    ("rulings", "message"),
    [([], "there is no claim"), ([("C01", "supported", 1, None)], "no value for C01")],
)
def test_claims_that_are_not_whole_are_refused(tmp_path, rulings, message):
    write_claims(tmp_path, *rulings)
    content = site._read_results(tmp_path)
    content["08-check-claims"]["values"].pop("C01", None)
    with pytest.raises(site.SiteError, match=message):
        site.claims(content)


def test_page_without_a_figure_has_none_but_the_readme_needs_it(inputs, pages, tmp_path, monkeypatch):
    (inputs[1] / "05-sentences-in-serbia.json").unlink()
    assert site.picture(site._read_results(inputs[1]), inputs[1]) is None
    site.build(*inputs)
    assert "data:image/svg" not in (inputs[-1] / "index.html").read_text(encoding="utf-8")
    with pytest.raises(site.SiteError, match="05-sentences-in-serbia.json: there is no value 'figure_alt'"):
        site.write_findings(readme(tmp_path), inputs[1])


def test_words_without_their_figure_are_refused(inputs):
    (inputs[1] / "sentences-in-serbia.svg").unlink()
    with pytest.raises(site.SiteError, match="sentences-in-serbia.svg: there is no such figure"):
        site.picture(site._read_results(inputs[1]), inputs[1])


MARKS = [site.BEGIN, site.END, site.BEGIN_CLAIMS, site.END_CLAIMS]


def readme(folder, marks=MARKS):
    place = folder / "README.md"
    place.write_text("before\n\n{}\nold\n{}\n\nbetween\n\n{}\n{}\nafter\n".format(*marks), encoding="utf-8")
    return place


def test_readme_gets_findings_figure_and_claims_once(inputs, pages, tmp_path):
    place = readme(tmp_path)
    assert site.write_findings(place, inputs[1])
    assert place.read_text(encoding="utf-8").splitlines() == [
        "before", "", site.BEGIN, "",
        "- 1,234 people <b>. ([01-first](notebooks/01-first.ipynb))",
        "- 25% of 1234 ([01-first](notebooks/01-first.ipynb))",
        "", r"![A drawing of \[3\] \| \<i>bands\</i>.](results/sentences-in-serbia.svg)", "",
        site.END, "", "between", "",
        site.BEGIN_CLAIMS, "", "| claim | verdict | what was computed | notebook |", "|---|---|---|---|",
        r"| C01: Claim \<C01> | cannot be settled | from 25 % to 50 %: what \| was computed | "
        "[08-check-claims](notebooks/08-check-claims.ipynb) |",
        r"| C02: Claim \<C02> | supported | 7 persons: what \| was computed | "
        "[08-check-claims](notebooks/08-check-claims.ipynb) |",
        "", site.END_CLAIMS, "after",
    ]  # fmt: skip
    assert not site.write_findings(place, inputs[1])


@pytest.mark.parametrize("lacking", range(4))
def test_readme_without_a_mark_is_refused_and_left_alone(inputs, pages, tmp_path, lacking):
    place = readme(tmp_path, [*MARKS[:lacking], "", *MARKS[lacking + 1 :]])
    before = place.read_text(encoding="utf-8")
    with pytest.raises(site.SiteError, match="needs the marks"):
        site.write_findings(place, inputs[1])
    assert place.read_text(encoding="utf-8") == before


def test_first_page_says_five_things():
    assert len(site.FINDINGS) == 5


def test_number_typed_into_a_finding_is_refused(inputs, monkeypatch):
    monkeypatch.setattr(site, "FINDINGS", [("01-first", "n_convicted", "{value} of 77 people")])
    with pytest.raises(site.SiteError, match="index.html: 77 is no value of results/01-first.json"):
        site.build(*inputs)


def test_value_that_does_not_fit_its_sentence_is_named():
    results = {"a": {"values": {"x": {"value": "text"}, "y": {"value": None}}}}
    for name, template in (("x", "{value:.1f}"), ("x", "{low}"), ("x", "{all[z]}"), ("y", "{value}")):
        with pytest.raises(site.SiteError, match=f"results/a.json.*'{name}'"):
            site.findings(results, [("a", name, template)])


def test_hostile_text_is_escaped_and_not_linked(pages):
    for text in pages.values():
        assert "<script" not in text
        assert "<img src=x" not in text
        assert 'href="javascript:' not in text
    assert "&lt;script&gt;" in pages["sources.html"]
    assert "javascript:alert(1)" in pages["sources.html"]
    assert '<a href="https://example.org/a?b=1&amp;c=2"' in pages["sources.html"]
    assert "&lt;script&gt;" in pages["corrections.html"]
    assert "&lt;script&gt;" in pages["data.html"]
    assert "one &lt;i&gt;kind&lt;/i&gt;" in pages["data.html"]
    assert "&lt;script&gt;" in pages["01-first.html"]
    assert "&lt;b&gt;plain&lt;/b&gt;</pre>" in pages["01-first.html"]


def test_nothing_is_loaded_from_outside(inputs, pages):
    for text in pages.values():
        for address in re.findall(r'\bsrc="([^"]*)"', text) + re.findall(r'<link [^>]*href="([^"]*)"', text):
            assert address.startswith("data:") or address == "style.css"
    style = (inputs[-1] / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style and "@import" not in style


def test_notebook_page(inputs, pages):
    text = pages["01-first.html"]
    row = re.search(r"<code>year_from</code></th><td>(.*?)</td><td>(.*?)</td>", text)
    assert row.groups() == ("2013", "2010")
    assert re.search(r"<code>in_path</code></th><td>a/&lt;b&gt;\.csv</td><td>.*the same", text)
    assert text.count('<details class="code">') == 6 and "<details open" not in text
    assert 'alt="It says &quot;nothing&quot;."' in text
    assert '<figure class="plot">' in text and '<td class="number">1</td>' in text
    assert '<h2 id="part">' in text and '<h2 id="part-2">' in text and '<h2 id="late-title">' in text
    assert '<div class="scroll" tabindex="0"><table><thead>' in text
    assert (inputs[-1] / "01-first.ipynb").read_bytes() == (inputs[0] / "01-first.ipynb").read_bytes()


def test_numbers_of_a_page_lead_to_their_cells_and_sources(pages):
    assert "Numbers of this page" not in pages["02-second.html"]
    text = pages["01-first.html"]
    index = text.split('<h2 id="numbers">')[1]
    assert "All 4 values" in index and '<div class="cell" id="cell-shown">' in text
    rows = {
        re.search("<code>(.+?)</code>", row)[1]: row for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", index)
    }
    assert list(rows) == ["n_convicted", "share", "hostile", "unknown"]
    assert '1234 <span class="muted">persons' in rows["n_convicted"] and ">1000 – 1300<" in rows["n_convicted"]
    assert all('<a href="#cell-shown">shown</a>' in row for row in rows.values())
    assert '<a href="sources.html#bad-002">bad-002</a>' in rows["hostile"] and "n = 7" in rows["hostile"]
    assert ">– – 5<" in rows["hostile"] and ", 2 <" in rows["hostile"]
    assert '– <span class="muted">persons' in rows["unknown"]


def test_heading_never_takes_the_anchor_of_a_cell(inputs):
    cells = [new_markdown_cell("# T"), new_markdown_cell("## Cell x\n\n## Numbers\n\n## Content"), code("1", id="x")]
    nbformat.write(new_notebook(cells=cells), inputs[0] / "03-x.ipynb")
    read = site.read_notebook(inputs[0] / "03-x.ipynb")
    assert re.findall('<h2 id="(.+?)"', "".join(cell.text for cell in read.cells)) == [
        "cell-x-2", "numbers-2", "content-2"
    ]  # fmt: skip


def test_figures_lead_to_their_sources(pages):
    text = pages["01-first.html"]
    assert '<td><a href="sources.html#good-001">good-001</a>; <a href="sources.html#bad-002">bad-002</a></td>' in text
    assert "<td>none</td>" in text
    assert 'Source: <a href="sources.html#good-001">Council &amp; Court, Yearly report</a></p>' in text
    assert '<a href="sources.html#good-001">good-001</a>; <a href="sources.html#bad-002">' in pages["corrections.html"]


def test_codebook_tells_rules_agreement_and_scores(inputs, pages, monkeypatch, tmp_path):
    assert "<h1" in pages["codebook.html"] and "0.75" in pages["codebook.html"]
    scores = tmp_path / "scores" / site.SCORES
    scores.parent.mkdir()
    scores.write_text("countries,n_countries,table,precision,recall,f1,shared,read,coded\n"
                      "held out,7,counts,0.812,0.623,0.705,5,6,8\n", encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(paths, "RESULTS", scores.parent)
    site.build(*inputs)
    told = (inputs[-1] / "codebook.html").read_text(encoding="utf-8")
    assert "held out (7)" in told and all(number in told for number in ("0.812", "0.623", "0.705"))


def test_data_page_tells_of_every_table(pages):
    text = pages["data.html"]
    for part in ("Title of sources.csv", 'id="tip-mini"', "<code>kind</code>", 'href="raw/tip/mini.csv"', "0 or more"):
        assert part in text


def test_same_inputs_give_the_same_bytes(inputs, pages):
    first = snapshot(inputs[-1])
    site.build(*inputs)
    assert snapshot(inputs[-1]) == first
    assert [p.name for p in inputs[-1].parent.iterdir()] == ["site"]


@pytest.mark.parametrize(
    "source, message",
    [
        ("no heading", "starts with a heading"),
        ("# T\n\n[gone](nowhere.html)", "'nowhere.html' leads nowhere"),
        ("# T\n\n[gone](01-first.html#nowhere)", "leads nowhere"),
        ("# T\n\n![x](https://example.org/x.png)", "would load"),
        ("# T\n\n![](data:image/png;base64,AA==)", "without alternative text"),
        ("# T\n\n77 people", "03-broken.html, cell .*: 77 is no value of results/03-broken.json"),
    ],
)
def test_failed_build_leaves_the_old_site(inputs, pages, source, message):
    before = snapshot(inputs[-1])
    nbformat.write(new_notebook(cells=[new_markdown_cell(source)]), inputs[0] / "03-broken.ipynb")
    with pytest.raises(ValueError, match=message):
        site.build(*inputs)
    assert snapshot(inputs[-1]) == before
    assert [p.name for p in inputs[-1].parent.iterdir()] == ["site"]


def test_failure_while_writing_leaves_the_old_site(inputs, pages, monkeypatch):
    before = snapshot(inputs[-1])

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(site.shutil, "copyfile", fail)
    with pytest.raises(OSError, match="disk full"):
        site.build(*inputs)
    assert snapshot(inputs[-1]) == before
    assert [p.name for p in inputs[-1].parent.iterdir()] == ["site"]


def test_image_without_words_is_refused(inputs):
    picture = new_output("display_data", {"image/png": "AA==", "text/plain": "<Figure>"})
    nbformat.write(new_notebook(cells=[new_markdown_cell("# T"), code("plot()", picture)]), inputs[0] / "03-x.ipynb")
    with pytest.raises(ValueError, match="03-x.ipynb, cell 1.*figures.show"):
        site.build(*inputs)


def test_a_folder_that_is_no_site_is_left_alone(inputs):
    inputs[-1].mkdir(parents=True)
    (inputs[-1] / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(site.SiteError, match="left alone"):
        site.build(*inputs)
    assert (inputs[-1] / "thesis.txt").exists()


def test_no_notebook_is_an_error(inputs, tmp_path):
    with pytest.raises(site.SiteError, match="no executed notebook"):
        site.build(tmp_path / "empty", *inputs[1:])


def test_explorer_is_a_page_where_its_tables_are_told(inputs, pages, monkeypatch):
    assert not any("explorer" in text for text in pages.values())
    content = {
        "rows": [], "fits": [], "countries": {}, "kinds": {"monitor": HOSTILE}, "sources": [], "years": [2000, 2001],
        "largest_months": 240, "step_months": 3, "undated": 0,
    }  # fmt: skip
    links = site.explorer_page.Links("01-first.html", "02-second.html")
    make = site.explorer_page.files
    monkeypatch.setattr(site.explorer_page, "read", lambda folder: content)
    monkeypatch.setattr(site.explorer_page, "files", lambda content: make(content, links))
    site.build(*inputs, explorer=inputs[-1].parent)
    text = (inputs[-1] / "explorer.html").read_text(encoding="utf-8")
    data, script = re.findall("<script([^>]*)>(.*?)</script>", text, re.S)
    assert 'type="application/json"' in data[0] and json.loads(data[1])["kinds"] == {"monitor": HOSTILE}
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html.unescape(text)
    for page in inputs[-1].glob("*.html"):
        assert '<a href="explorer.html"' in page.read_text(encoding="utf-8")


# --- Countries ------------------------------------------------------------------------------------------------------

SEEN = {"CIV": "at least 100 (2010)", "HRV": "<5 (2017)", "MKD": "no figure was seen", "SRB": "12 (2018)"}


@pytest.fixture
def profiled(inputs, tmp_path):
    """Pages of four countries, as they are kept, and the parameters they were made with."""
    file, folder, raw = tmp_path / "parameters.yml", tmp_path / "profiles", str(inputs[2])
    parameters = {"country": "SRB", "raw_dir": raw, "corrections_file": str(inputs[3])}
    file.write_text(yaml.safe_dump(parameters), encoding="utf-8")
    kept = countries.kept(folder, parameters)
    notebook = nbformat.writes(new_notebook(cells=[new_markdown_cell("# Country profile\n\nText"), code("1", id="x")]))
    for task in countries.tasks(parameters, SEEN):
        cells = dict.fromkeys(country_tables.COLUMNS, HOSTILE if task.name == "HRV" else "no figure was seen")
        cells["last_convicted_unodc"] = SEEN[task.name]
        values = {name: {"value": cell, "label": "told", "unit": "text", "cell": "x"} for name, cell in cells.items()}
        written = json.dumps({"values": values}).encode()
        kept.write(task, {f"{task.name}.ipynb": notebook.encode(), f"values/{task.name}.json": written})
    return folder, file


@pytest.fixture
def with_countries(inputs, profiled, monkeypatch):
    monkeypatch.setattr(site, "FINDINGS", [])
    site.build(*inputs, *profiled)
    return {path.name: path.read_text(encoding="utf-8") for path in inputs[-1].glob("*.html")}


def table_rows(text: str) -> list[list[str]]:
    body = re.search("<tbody>(.*?)</tbody>", text, re.S)[1]
    return [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body, re.S)]


def test_every_country_has_a_row_and_a_page_in_the_order_of_names(with_countries):
    text = with_countries["countries.html"]
    rows, ordered = table_rows(text), sorted(SEEN, key=schemas.country_name)
    place = 1 + list(country_tables.COLUMNS).index("last_convicted_unodc")
    for row, iso3 in zip(rows, ordered, strict=True):
        page, name = f"country-{iso3.lower()}.html", html.escape(schemas.country_name(iso3), quote=False)
        assert f'<a href="{page}">' in row[0] and iso3 in row[0] and html.unescape(row[place]) == SEEN[iso3]
        assert html.unescape(name) in html.unescape(row[0])
        title = html.unescape(re.search("<h1.*?>(.*?)</h1>", with_countries[page])[1])
        assert title == f"{schemas.country_name(iso3)}: country profile"
        assert "script-src 'none'" in with_countries[page] and 'href="countries.html"' in with_countries[page]
    for iso3, after in zip(ordered, ordered[1:], strict=False):
        assert f'rel="next" href="country-{after.lower()}.html"' in with_countries[f"country-{iso3.lower()}.html"]


def test_what_a_table_of_countries_says_is_text(with_countries):
    text = with_countries["countries.html"]
    assert HOSTILE not in text and HOSTILE not in with_countries["country-hrv.html"]
    assert html.escape(HOSTILE, quote=False).replace('"', "&#34;") in text
    assert "&lt;5 (2017)" in text


def test_only_the_script_that_searches_may_run_and_nothing_needs_it(with_countries):
    text = with_countries["countries.html"]
    (script,) = re.findall("<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html.unescape(text) and text.count("<script") == 1
    assert '<p id="searching" hidden>' in text and len(table_rows(text)) == len(SEEN)
    for name, other in with_countries.items():
        assert name == "countries.html" or ("script-src 'none'" in other and "<script" not in other), name


def test_pages_out_of_date_are_left_out_and_told(inputs, profiled, with_countries):
    (profiled[0] / "MKD.ipynb").write_text("{}", encoding="utf-8")
    pages = site.build(*inputs, *profiled)
    text = (inputs[-1] / "countries.html").read_text(encoding="utf-8")
    assert "1 further country pages are out of date" in text and "MKD" not in re.sub("COUNTRY=MKD", "", text)
    assert "country-mkd.html" not in pages and not (inputs[-1] / "country-mkd.html").exists()
    assert len(table_rows(text)) == len(SEEN) - 1 and "out of date" not in with_countries["countries.html"]


def test_site_without_country_pages_says_how_they_are_made(pages):
    text = html.unescape(pages["countries.html"])
    assert "make profiles" in text and "<table" not in text and "script-src 'none'" in text


# Stands before the page's policy, which therefore does not hold for it, and types and clicks as a reader would.
READER = """<script>addEventListener("DOMContentLoaded", () => {
  const rows = () => Array.from(document.querySelectorAll("#countries tbody tr")).filter(row => !row.hidden)
    .map(row => row.querySelector(".muted").textContent);
  const box = document.getElementById("search"), told = document.getElementById("found"), seen = {};
  const heads = Array.from(document.querySelectorAll("#countries th[scope=col]")), head = heads[PLACE];
  seen.start = [rows(), told.textContent, document.getElementById("searching").hidden];
  for (const words of ["COTE", "  srb", "serbia 12", "<script>", "nowhere", ""]) {
    box.value = words;
    box.dispatchEvent(new Event("input"));
    seen[words] = [rows(), told.textContent];
  }
  const button = head.querySelector("button");
  for (const time of ["first", "second"]) {
    if (button) button.click();
    seen[time] = [rows(), head.getAttribute("aria-sort"), document.querySelectorAll("[aria-sort]").length];
  }
  seen.alerts = document.querySelectorAll("td script").length;
  const report = document.createElement("pre");
  report.id = "report";
  report.textContent = JSON.stringify(seen);
  document.body.append(report);
});</script>"""


def seen_by_a_reader(folder, text: str) -> dict:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        pytest.skip("there is no browser here")
    page, place = folder / "read.html", 1 + list(country_tables.COLUMNS).index("last_convicted_unodc")
    head, rest = text.split("<head>")
    page.write_text(f"{head}<head>{READER.replace('PLACE', str(place))}{rest}", encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'browser'}",
               "--dump-dom", page.as_uri()]  # fmt: skip
    dumped = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout
    return json.loads(html.unescape(re.search('<pre id="report">(.*?)</pre>', dumped, re.S)[1]))


def test_reader_searches_and_sorts_the_table(with_countries, tmp_path):
    seen = seen_by_a_reader(tmp_path, with_countries["countries.html"])
    everybody = sorted(SEEN, key=schemas.country_name)
    assert seen["start"] == [everybody, "4 of 4 countries", False] and seen[""] == [everybody, "4 of 4 countries"]
    assert seen["COTE"] == [["CIV"], "1 of 4 countries"] and seen["  srb"][0] == seen["serbia 12"][0] == ["SRB"]
    assert seen["<script>"][0] == ["HRV"] and seen["nowhere"] == [[], "0 of 4 countries"] and seen["alerts"] == 0
    # What was not seen comes last in either order.
    assert seen["first"] == [["HRV", "SRB", "CIV", "MKD"], "ascending", 1]
    assert seen["second"] == [["CIV", "SRB", "HRV", "MKD"], "descending", 1]


def test_table_is_whole_where_the_script_may_not_run(with_countries, tmp_path):
    refused = with_countries["countries.html"].replace("(() => {", "(() => { ", 1)
    seen = seen_by_a_reader(tmp_path, refused)
    assert seen["start"] == [sorted(SEEN, key=schemas.country_name), "", True]
    assert seen["nowhere"][0] == seen["start"][0] == seen["second"][0]
