"""The pages: whole, linked, escaped, the same on every build, and loading nothing from outside."""

import html
import json
import re
import shutil

import nbformat
import pandas as pd
import pytest
import small_site
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from small_site import HOSTILE, SEEN, code, write_claims

from sentencing import paths, schemas, site, trust
from sentencing.site import check, explorer, pages, reported
from sentencing.site import countries as country_tables
from sentencing.site.notebook import read_notebook


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.setattr(reported, "FINDINGS", small_site.FINDINGS)
    return small_site.make(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def texts(built_site):
    return {path.name: path.read_text(encoding="utf-8") for path in built_site.to.glob("*.html")}


def article(text):
    """What stands on a page between navigation and footer."""
    return text.split('<article class="bd-article">')[1].split("</article>")[0]


def prepare(inputs):
    """What Sphinx would be given, which takes a tenth of the time of a build."""
    source = inputs.to.parent / "source"
    site.prepare(*inputs[:4], source, *inputs[5:])
    return source


def snapshot(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- The whole ------------------------------------------------------------------------------------------------------


def test_every_page_is_there(texts):
    docs = {name.replace(".md", ".html") for name in small_site.DOCS if name.endswith(".md")}
    countries = {f"country-{code.lower()}.html" for code in SEEN}
    made = {f"{name}.html" for name in (*pages.MADE, "search", "01-first", "02-second")}
    assert set(texts) == made | docs | countries


def test_pages_have_the_bones_of_a_page(texts):
    for name, text in texts.items():
        assert text.startswith("\n\n<!DOCTYPE html>") or text.lstrip().startswith("<!DOCTYPE html>"), name
        for part in ('<html lang="en"', 'name="viewport"', 'href="#main-content"', "<main ", "<nav ", "<title>"):
            assert part in text, (name, part)


def test_navigation_has_every_page_but_those_of_countries_which_would_be_hundreds(texts):
    navigation = texts["index.html"].split('aria-label="Main"')[1].split("</nav>")[0]
    linked = set(re.findall('href="([^"#]+)"', navigation))
    assert linked == {name for name in texts if not name.startswith(("country-", "search", "index"))}
    for name, text in texts.items():
        assert len(re.findall('href="country-[a-z]{3}.html"', text)) == (4 if name == "countries.html" else 0), name


def test_page_named_nowhere_stands_in_the_last_part():
    parts = pages.navigation(["01-first"], ["unnamed", "codebook"])
    assert parts[pages.NOTEBOOKS] == ["01-first"] and "codebook" in parts["Data"]
    assert list(parts.values())[-1] == ["unnamed"]


def beside(place):
    """Names in the folder of a site; the lock that two builds at once wait at stays there."""
    return [path.name for path in place.parent.iterdir() if path.suffix != ".lock"]


def test_same_inputs_give_the_same_bytes_in_another_folder(built_site, tmp_path, monkeypatch):
    monkeypatch.setattr(reported, "FINDINGS", small_site.FINDINGS)
    elsewhere = tmp_path / "quite" / "another" / "place"
    site.build(*built_site[:4], elsewhere, *built_site[5:])
    assert snapshot(elsewhere) == snapshot(built_site.to)
    assert beside(elsewhere) == ["place"]


def test_no_place_of_this_machine_stands_on_a_page(built_site):
    for name, content in snapshot(built_site.to).items():
        for place in (built_site.to.parents[1], paths.ROOT):
            assert str(place).encode() not in content, name


def test_hostile_text_is_escaped_and_not_linked(texts):
    shown = html.escape(" ".join(HOSTILE.split()), quote=False)
    for name, text in texts.items():
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>note" not in text, name
        assert 'href="javascript:' not in text and 'href="y"' not in text, name
    for name in ("sources", "corrections", "data", "01-first", "countries"):
        found = html.unescape(re.sub(r"</?(?:wbr|span|code)[^>]*>", "", article(texts[f"{name}.html"])))
        assert html.unescape(shown) in " ".join(found.split()), name
    assert "javascript:alert(1)" in texts["sources.html"]
    assert '<a href="https://example.org/a?b=1&amp;c=2"' in texts["sources.html"]
    assert "one &lt;i&gt;kind&lt;/i&gt;" in texts["data.html"]
    assert "&lt;b&gt;plain&lt;/b&gt;</pre>" in texts["01-first.html"]


# --- The first page, and the README -----------------------------------------------------------------------------------


def test_first_page_reports_values_and_notebooks(texts):
    text = article(texts["index.html"])
    assert "1,234 people &lt;b&gt;." in text and "25% of 1234" in text
    assert "No person has" in text and 'href="readers.html' in text
    assert "First &amp; foremost" in text and "What is asked here?" in text
    assert '<img alt="A drawing of [3] | &lt;i&gt;bands&lt;/i&gt;." src="figures/findings.svg">' in text


def test_page_of_claims_has_every_claim_in_order(texts):
    first, second = re.findall("<tr><th scope=.row.><strong>.*?</tr>", texts["claims.html"])
    assert "C01</strong> Claim &lt;C01&gt;" in first and "verdict-cannot-be-settled" in first
    assert "<td>from 25 % to 50 %: what | was computed</td>" in first
    assert "C02</strong>" in second and "<td>7 persons: what | was computed</td>" in second


def test_missing_values_are_named(inputs, monkeypatch):
    monkeypatch.setattr(reported, "FINDINGS", [("01-first", "absent", "{value}"), ("09-none", "x", "{value}")])
    with pytest.raises(site.SiteError, match="(?s)01-first.json.*'absent'.*09-none.json.*'x'"):
        prepare(inputs)


def test_number_typed_into_a_claim_is_refused(inputs):
    place = inputs.results / "08-check-claims.json"
    place.write_text(place.read_text(encoding="utf-8").replace("Claim <C01>", "Claim of 77"), encoding="utf-8")
    with pytest.raises(site.SiteError, match="index.html: 77 is no value of results/08-check-claims.json"):
        prepare(inputs)


@pytest.mark.parametrize(
    ("rulings", "message"),
    [([], "there is no claim"), ([("C01", "supported", 1, None)], "no value for C01")],
)
def test_claims_that_are_not_whole_are_refused(tmp_path, rulings, message):
    write_claims(tmp_path, *rulings)
    content = reported.read_results(tmp_path)
    content["08-check-claims"]["values"].pop("C01", None)
    with pytest.raises(site.SiteError, match=message):
        reported.claims(content)


def test_page_without_a_figure_has_none_but_the_readme_needs_it(inputs, tmp_path):
    (inputs.results / "05-sentences-in-serbia.json").unlink()
    assert reported.picture(reported.read_results(inputs.results), inputs.results) is None
    assert "<img" not in (prepare(inputs) / "index.md").read_text(encoding="utf-8")
    with pytest.raises(site.SiteError, match="05-sentences-in-serbia.json: there is no value 'figure_alt'"):
        site.write_findings(readme(tmp_path), inputs.results)


def test_words_without_their_figure_are_refused(inputs):
    (inputs.results / "sentences-in-serbia.svg").unlink()
    with pytest.raises(site.SiteError, match="sentences-in-serbia.svg: there is no such figure"):
        prepare(inputs)


MARKS = [reported.BEGIN, reported.END, reported.BEGIN_CLAIMS, reported.END_CLAIMS]


def readme(folder, marks=MARKS):
    place = folder / "README.md"
    place.write_text("before\n\n{}\nold\n{}\n\nbetween\n\n{}\n{}\nafter\n".format(*marks), encoding="utf-8")
    return place


def test_readme_gets_findings_figure_and_claims_once(inputs, tmp_path):
    place = readme(tmp_path)
    assert site.write_findings(place, inputs.results)
    assert place.read_text(encoding="utf-8").splitlines() == [
        "before", "", reported.BEGIN, "",
        "- 1,234 people \\<b>. ([01-first](notebooks/01-first.ipynb))",
        "- 25% of 1234 ([01-first](notebooks/01-first.ipynb))",
        "", r"![A drawing of \[3\] \| \<i>bands\</i>.](results/sentences-in-serbia.svg)", "",
        reported.END, "", "between", "",
        reported.BEGIN_CLAIMS, "", "| claim | verdict | what was computed | notebook |", "|---|---|---|---|",
        r"| C01: Claim \<C01> | cannot be settled | from 25 % to 50 %: what \| was computed | "
        "[08-check-claims](notebooks/08-check-claims.ipynb) |",
        r"| C02: Claim \<C02> | supported | 7 persons: what \| was computed | "
        "[08-check-claims](notebooks/08-check-claims.ipynb) |",
        "", reported.END_CLAIMS, "after",
    ]  # fmt: skip
    assert not site.write_findings(place, inputs.results)


@pytest.mark.parametrize("lacking", range(4))
def test_readme_without_a_mark_is_refused_and_left_alone(inputs, tmp_path, lacking):
    place = readme(tmp_path, [*MARKS[:lacking], "", *MARKS[lacking + 1 :]])
    before = place.read_text(encoding="utf-8")
    with pytest.raises(site.SiteError, match="needs the marks"):
        site.write_findings(place, inputs.results)
    assert place.read_text(encoding="utf-8") == before


def test_first_page_says_five_things():
    assert len(reported.FINDINGS) == 5


def test_number_typed_into_a_finding_is_refused(inputs, monkeypatch):
    monkeypatch.setattr(reported, "FINDINGS", [("01-first", "n_convicted", "{value} of 77 people")])
    with pytest.raises(site.SiteError, match="index.html: 77 is no value of results/01-first.json"):
        prepare(inputs)


def test_value_that_does_not_fit_its_sentence_is_named():
    results = {"a": {"values": {"x": {"value": "text"}, "y": {"value": None}}}}
    for name, template in (("x", "{value:.1f}"), ("x", "{low}"), ("x", "{all[z]}"), ("y", "{value}")):
        with pytest.raises(site.SiteError, match=f"results/a.json.*'{name}'"):
            reported.findings(results, [("a", name, template)])


# --- Notebooks ------------------------------------------------------------------------------------------------------


def test_notebook_page(built_site, texts):
    text = article(texts["01-first.html"])
    row = re.search(r"<code>year_from</code></th><td>(.*?)</td><td>(.*?)</td>", text)
    assert row.groups() == ("2013", "2010")
    assert re.search(r"<code>in_path</code></th><td>a/&lt;b&gt;\.csv</td><td>.*the same", text)
    assert text.count('<details class="code">') == 6 and "<details open" not in text and "# Parameters" not in text
    assert 'alt="It says &quot;nothing&quot;."' in text and '<td class="number">1</td>' in text
    assert 'href="02-second.html#part"' in text
    assert (built_site.to / "01-first.ipynb").read_bytes() == (built_site.executed / "01-first.ipynb").read_bytes()
    assert '<a href="01-first.ipynb" download>' in text


def test_drawing_is_a_file_of_its_own(built_site, texts):
    assert 'src="figures/01-first-drawn.svg"' in texts["01-first.html"] and "data:image" not in texts["01-first.html"]
    drawing = (built_site.to / "figures" / "01-first-drawn.svg").read_text(encoding="utf-8")
    assert drawing.startswith("<?xml") and "</svg>" in drawing and "%3C" not in drawing


def test_figures_and_tables_can_be_taken_along(built_site, texts):
    links = re.findall('<a href="([^"]+)" download>', article(texts["01-first.html"]))
    assert links == ["01-first.ipynb", "tables/01-first-shown.csv", "tables/01-first-shown.tex",
                     "figures/01-first-drawn.svg", "figures/01-first-drawn.csv"]  # fmt: skip
    frame = pd.read_csv(built_site.to / "tables/01-first-shown.csv")
    assert frame["note"].tolist() == [HOSTILE, "x"] and frame["n"].tolist() == [1, 2]
    written = (built_site.to / "tables/01-first-shown.tex").read_text(encoding="utf-8")
    assert r"\caption{A table}" in written and "note & source id & n \\\\" in written
    assert r"`\{\{raw\}\}`" in written and r"\toprule" in written and "\n\n" not in written
    assert not list(built_site.to.glob("*/country-*.csv"))


def test_numbers_of_a_page_lead_to_their_cells_and_sources(texts):
    assert "Numbers of this page" not in texts["02-second.html"]
    text = article(texts["01-first.html"])
    assert "All 4 values" in text and re.search('<div class="cell[^"]*" id="cell-shown">', text)
    rows = {
        re.search("<code>(.+?)</code>", row)[1]: row for row in re.findall("(?s)<tr><th scope=.row.>.*?</tr>", text)
    }
    rows = {name: row for name, row in rows.items() if "data-label" in row}
    assert list(rows) == ["n_convicted", "share", "hostile", "unknown"]
    assert '1234 <span class="muted">persons' in rows["n_convicted"] and ">1000 – 1300<" in rows["n_convicted"]
    assert all('<a href="#cell-shown">shown</a>' in row for row in rows.values())
    assert '<a href="sources.html#bad-002">bad-002</a>' in rows["hostile"] and "n = 7" in rows["hostile"]
    assert ">– – 5<" in rows["hostile"] and ", 2 <" in rows["hostile"]
    assert '– <span class="muted">persons' in rows["unknown"]


def test_figures_lead_to_their_sources(texts):
    text = texts["01-first.html"]
    assert '<td><a href="sources.html#good-001">good-001</a>; <a href="sources.html#bad-002">bad-002</a></td>' in text
    assert "<td>none</td>" in text
    assert 'Source: <a href="sources.html#good-001">Council &amp; Court, Yearly report</a></p>' in text
    assert '<a href="sources.html#good-001">good-001</a>; <a href="sources.html#bad-002">' in texts["corrections.html"]


# --- Other pages ----------------------------------------------------------------------------------------------------


def test_page_on_reading_tells_agreement_and_scores(inputs, texts, monkeypatch, tmp_path):
    assert "0.75" in texts["readers.html"] and 'id="how-to-check-a-row"' in texts["readers.html"]
    scores = tmp_path / "scores" / pages.SCORES
    scores.parent.mkdir()
    scores.write_text("countries,n_countries,table,precision,recall,f1,shared,read,coded\n"
                      "held out,7,counts,0.812,0.623,0.705,5,6,8\n", encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(paths, "RESULTS", scores.parent)
    told = (prepare(inputs) / "readers.md").read_text(encoding="utf-8")
    assert "held out (7)" in told and all(number in told for number in ("0.812", "0.623", "0.705"))


def test_page_on_checks_tells_what_they_found_as_it_stands(inputs, monkeypatch, tmp_path):
    (tmp_path / "found").mkdir()
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "found")
    assert "Nothing is recorded here yet" in (prepare(inputs) / "trust.md").read_text(encoding="utf-8")
    bad = "<script>alert(1)</script>"
    proof = trust.Proof(
        "make verify", False, f"2 of 3 {bad}", {"files_compared": 12_345}, [{"kind": bad, "n": 7}], [bad]
    )
    trust.record("verify", proof, tmp_path / "records")
    trust.gather(tmp_path / "records", tmp_path / "found" / paths.TRUST)
    told = (prepare(inputs) / "trust.md").read_text(encoding="utf-8")
    for part in ("not passed", "2 of 3 &lt;script", "files compared", "12,345", "<code>make verify</code>", ">7<"):
        assert part in told
    assert "<script" not in told


def test_data_dictionary_tells_of_every_table(built_site, texts):
    text = texts["data.html"]
    for part in ("Title of sources.csv", 'id="tip-mini"', "<code>kind</code>", 'href="raw/tip/mini.csv"', "0 or more"):
        assert part in text
    assert (built_site.to / "raw/tip/mini.csv").read_bytes() == (built_site.raw / "tip/mini.csv").read_bytes()


def test_formulas_are_markup_that_needs_no_script(texts):
    text = article(texts["method.html"])
    assert text.count("<math") == 2 and "<munderover>" in text or "<munder>" in text
    assert "MathJax" not in texts["method.html"] and "$" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)


def test_words_of_the_glossary_lead_there_and_another_language_is_marked(texts):
    assert re.search('<a class="term" href="glossary.html#term-custody" [^>]*>custody</a>', texts["readers.html"])
    assert '<article class="bd-article" lang="sr-Latn">' in texts["sazetak.html"]
    assert not any('<article class="bd-article" lang' in text for name, text in texts.items() if name != "sazetak.html")


def test_references_lead_to_the_bibliography(texts):
    target = re.search('href="(bibliography.html#[^"]+)"', texts["method.html"])[1]
    assert f'id="{target.split("#")[1]}"' in texts["bibliography.html"] and "A title" in texts["bibliography.html"]


def test_explorer_is_a_page_where_its_tables_are_told(inputs, texts, monkeypatch):
    # That page shows what was found in the repository itself, whatever the site.
    assert not any("explorer" in text for name, text in texts.items() if name != "trust.html")
    content = {
        "rows": [], "fits": [], "countries": {}, "kinds": {"monitor": HOSTILE}, "sources": [], "years": [2000, 2001],
        "largest_months": 240, "step_months": 3, "undated": 0,
    }  # fmt: skip
    links = explorer.Links("01-first.html", "02-second.html")
    make = explorer.files
    monkeypatch.setattr(explorer, "read", lambda folder: content)
    monkeypatch.setattr(explorer, "files", lambda content: make(content, links))
    site.build(*inputs._replace(explorer=inputs.executed))
    text = (inputs.to / "explorer.html").read_text(encoding="utf-8")
    (data,) = re.findall('(?s)<script type="application/json"[^>]*>(.*?)</script>', text)
    assert json.loads(data)["kinds"] == {"monitor": HOSTILE} and '<script src="explorer.js">' in text
    assert (inputs.to / "explorer.js").read_text("utf-8") == make(content, links)["explorer.js"]
    assert 'href="explorer.html"' in (inputs.to / "01-first.html").read_text(encoding="utf-8")


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("# T\n\n[a](nowhere.md) [b](01-first.ipynb#nowhere) [c](#nowhere)\n\n#### Too deep",
         ["nowhere.md", "03-broken.ipynb.*01-first", "'nowhere'", "Non-consecutive header"]),
        ('# T\n\n![x](https://example.org/x.png) <img src="data:image/png;base64,AA=="> <a href="gone.html">g</a> '
         '<a id="main-content"></a> <a href="index.html#gone">g</a> <script src="https://example.org/x.js"></script>'
         "\n\n# Again",
         ["would load 'https://example.org/x.png'", "without alternative text", "'gone.html' leads nowhere",
          "'main-content' twice", "'index.html#gone' leads nowhere", "would load 'https://example.org/x.js'",
          "2 first-level headings"]),
    ],
)  # fmt: skip
def test_failed_build_names_all_faults_and_leaves_the_old_site(inputs, source, messages):
    inputs.to.mkdir(parents=True)
    (inputs.to / "_static").mkdir()
    (inputs.to / "_static" / "style.css").write_text("an earlier site", encoding="utf-8")
    before = snapshot(inputs.to)
    nbformat.write(new_notebook(cells=[new_markdown_cell(source)]), inputs.executed / "03-broken.ipynb")
    with pytest.raises(site.SiteError) as refused:
        site.build(*inputs)
    for message in messages:
        assert re.search(message, str(refused.value)), message
    assert str(inputs.to.parent) not in str(refused.value)
    assert snapshot(inputs.to) == before and beside(inputs.to) == ["site"]


def test_heading_and_numbers_are_asked_of_every_notebook(inputs):
    place = inputs.executed / "03-broken.ipynb"
    for source, message in (("no heading", "starts with a heading"), ("# T\n\n77 people", "03-broken.*77 is no value")):
        nbformat.write(new_notebook(cells=[new_markdown_cell(source)]), place)
        with pytest.raises(ValueError, match=message):
            prepare(inputs)


@pytest.mark.parametrize(
    "output",
    [
        new_output("display_data", {"image/png": "AA==", "text/plain": "<Figure>"}),
        new_output("error", ename="ValueError", evalue="no", traceback=["no"]),
    ],
)
def test_image_without_words_and_error_are_refused(tmp_path, output):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# T"), code("plot()", output)]), tmp_path / "03-x.ipynb")
    with pytest.raises(ValueError, match="03-x.ipynb, cell 1.*figures.show"):
        read_notebook(tmp_path / "03-x.ipynb")


def test_style_that_loads_from_outside_is_found(tmp_path):
    (tmp_path / "a.css").write_text(
        "a{background:url('https://x.org/a.png')} @import \"//x.org/b.css\"; b{src:url(c.woff)}"
        " c{background:url('data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/%22')}",
        encoding="utf-8",
    )
    found = check.faults(tmp_path)
    assert len(found) == 2 and "https://x.org/a.png" in found[0] and "//x.org/b.css" in found[1]


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<div><p>a</div>", "closes <div> within <p>"),
        ("<p>a<div>b</div></p>", "<div> within <p>"),
        ("a</span>", "closes <span>, which is not open"),
        ("<section>", "does not close <section>"),
        ("<ul><p>a</p></ul>", "<p> right within <ul>"),
        ("<table><tr><td>a</td></tr></table>", "<tr> right within <table>"),
        ("<a href='#a'>a <a href='#a'>b</a></a>", "<a> within <a>"),
        ("<figure>a<b>c</b><figcaption>b</figcaption><p>c</p></figure>", "a caption in the middle"),
        ("<p class='a' class='b'>a</p>", "an attribute of <p> twice"),
        ("<ul><li>a<br><svg><path d=''/></svg></li></ul><figure><img alt='a'><figcaption>b</figcaption></figure>", ""),
    ],
)
def test_markup_that_is_not_whole_is_found(tmp_path, markup, fault):
    (tmp_path / "x.html").write_text(f"<!DOCTYPE html><h1 id='a'>A</h1>{markup}", encoding="utf-8")
    found = check.faults(tmp_path)
    assert fault in found[0] if fault else found == []


def test_failure_while_putting_the_site_in_place_leaves_the_old_one(inputs, built_site, monkeypatch):
    shutil.copytree(built_site.to, inputs.to)
    before, rename = snapshot(inputs.to), type(inputs.to).rename

    def fail(path, target):
        if path.name == "new":
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(type(inputs.to), "rename", fail)
    with pytest.raises(OSError, match="disk full"):
        site.build(*inputs)
    assert snapshot(inputs.to) == before and beside(inputs.to) == ["site"]


def test_a_folder_that_is_no_site_is_left_alone(inputs):
    inputs.to.mkdir(parents=True)
    (inputs.to / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(site.SiteError, match="left alone"):
        site.build(*inputs)
    assert (inputs.to / "thesis.txt").exists()


def test_no_notebook_is_an_error(inputs, tmp_path):
    with pytest.raises(site.SiteError, match="no executed notebook"):
        prepare(inputs._replace(executed=tmp_path / "empty"))


def test_two_pages_of_one_name_are_refused(inputs):
    (inputs.docs / "01-first.md").write_text("# T\n", encoding="utf-8")
    with pytest.raises(site.SiteError, match="one page would be named 01-first"):
        prepare(inputs)


# --- Countries ------------------------------------------------------------------------------------------------------


def table_rows(text: str) -> list[list[str]]:
    body = re.search("<tbody>(.*?)</tbody>", text, re.S)[1]
    return [re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", body, re.S)]


def test_every_country_has_a_row_and_a_page_in_the_order_of_names(texts):
    rows, ordered = table_rows(article(texts["countries.html"])), sorted(SEEN, key=schemas.country_name)
    place = 1 + list(country_tables.COLUMNS).index("last_convicted_unodc")
    for row, iso3 in zip(rows, ordered, strict=True):
        page, name = f"country-{iso3.lower()}.html", schemas.country_name(iso3)
        assert f'<a href="{page}">' in row[0] and iso3 in row[0] and html.unescape(row[place]) == SEEN[iso3]
        assert name in html.unescape(row[0])
        title = html.unescape(re.search("<h1>(.*?)<", article(texts[page]))[1])
        assert title == f"{name}: country profile" and 'href="countries.html"' in article(texts[page])
    assert "out of date" not in texts["countries.html"] and "&lt;5 (2017)" in texts["countries.html"]


def test_pages_out_of_date_are_left_out_and_told(inputs):
    (inputs.profiles / "MKD.ipynb").write_text("{}", encoding="utf-8")
    source = prepare(inputs)
    text = (source / "countries.md").read_text(encoding="utf-8")
    assert "1 further country pages are out of date" in text and "MKD" not in re.sub("COUNTRY=MKD", "", text)
    assert not (source / "country-mkd.ipynb").exists() and (source / "country-srb.ipynb").exists()
    assert len(table_rows(text)) == len(SEEN) - 1


def test_site_without_country_pages_says_how_they_are_made(inputs, tmp_path):
    text = (prepare(inputs._replace(profiles=tmp_path / "none")) / "countries.md").read_text(encoding="utf-8")
    assert "make profiles" in text and "<table" not in text and "<script" not in text
