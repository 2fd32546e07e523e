"""The pages: whole, linked, escaped, the same on every build, and loading nothing from outside."""

import re

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sentencing import figures, paths, site, sources, tables

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
        "index.html", "data.html", "codebook.html", "corrections.html", "sources.html", "01-first.html",
        "02-second.html"
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
