"""What the written pages promise: their links lead somewhere; commands, parameters and files they name exist."""

import csv
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from sentencing import notebooks, paths, sources
from sentencing.site import pages

PAGES = sorted(paths.DOCS.glob("*.md"))
# Pages of the site that are made from tables and values.
MADE = set(pages.MADE)
OTHERS = [paths.ROOT / name for name in ("README.md", "REPRODUCING.md")]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Without blocks of code."""
    return re.sub(r"^```(?!\{).*?^```$", "", text(path), flags=re.DOTALL | re.MULTILINE)


def test_there_are_pages():
    names = {path.stem for path in PAGES}
    assert {"students", "rerun", "glossary", "method", "bibliography", "codebook"} <= names
    assert not names & (MADE | set(notebooks.list_notebooks()))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
class TestPage:
    def test_has_one_title_and_says_first_what_it_is_for(self, page):
        lines = text(page).splitlines()
        assert re.match(r"# \S", lines[0]) and not any(re.match(r"# \S", line) for line in prose(page).splitlines()[1:])
        first = next(line for line in lines[1:] if line.strip())
        assert re.match(r"[A-Z]", first), first

    def test_links_lead_to_pages_of_the_site(self, page):
        there = {f"{name}.md" for name in {path.stem for path in PAGES} | MADE}
        there |= {f"{name}.ipynb" for name in notebooks.list_notebooks()} | {f"{name}.html" for name in MADE}
        for address in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if not address.startswith(("https://", "mailto:")):
                target, _, anchor = address.partition("#")
                assert target in there | {""}, address
                if anchor and (not target or (paths.DOCS / target).exists()):
                    assert anchor in anchors(paths.DOCS / target if target else page), address

    def test_names_no_empty_address(self, page):
        assert not re.search(r"\]\(\s*\)|example\.(org|com)/|TODO|FIXME|XXX", prose(page))


def anchors(page: Path) -> set[str]:
    """Of headings, as MyST names them."""
    headings = re.findall(r"^#{1,4} (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [paths.DOCS / "rerun.md", *OTHERS], ids=lambda path: path.stem)
def test_commands_of_make_that_a_page_names_exist(page):
    targets = set(re.findall(r"^([a-z-]+):(?!=)", text(paths.ROOT / "Makefile"), re.MULTILINE))
    named = re.findall(r"(?:`|^|around )make((?: [A-Z]+=\S+| -?[a-z]+\d*)*)(?=`|  |$)", text(page), re.MULTILINE)
    words = {word for rest in named for word in rest.split() if "=" not in word and word[0] != "-"}
    assert named and words - targets == set()


def test_parameters_that_the_page_on_rerunning_names_exist_and_all_choices_of_the_published_results_are_told():
    table = text(paths.DOCS / "rerun.md").split("| parameter |")[1].split("\n\n")[0]
    told = {name for row in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", row)}  # fmt: skip
    declared = {key for name in notebooks.list_notebooks()
                for key in notebooks.declared_parameters(paths.NOTEBOOKS / f"{name}.ipynb")}  # fmt: skip
    assert told and told <= declared
    shown = {name for name in re.findall(r"^  (\w+):", text(paths.PARAMS / "default.yml"), re.MULTILINE)}
    assert shown - told <= {"country", "first_year", "last_year"}


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda path: path.stem)
def test_files_that_a_page_names_exist(page):
    named = re.findall(r"`((?:data|params|results|src|docs|tests)/[\w./-]+\.\w+)`", text(page))
    named += [f"data/raw/{name}" for name in re.findall(r"`((?:tip|courts|centre|unodc)/[\w/]+\.csv)`", text(page))]
    assert [name for name in named if not (paths.ROOT / name).exists()] == []


def test_no_page_names_a_source_by_an_id_that_is_unknown():
    for page in PAGES:
        for source_id in re.findall(r"sources\.\w+#([\w-]+)", text(page)):
            assert source_id in sources.read_sources(), (page.name, source_id)


# --- The row that the codebook checks -------------------------------------------------------------------------------


def test_row_that_the_codebook_checks_is_the_one_it_says():
    told = text(paths.DOCS / "codebook.md").split("## One row checked")[1]
    table, line = re.search(r"`(data/raw/\S+\.csv)`, line (\d+)", told).groups()
    with (paths.ROOT / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    row = rows[int(line) - 2]
    shown = re.search(r"as a spreadsheet shows it\): (.+?)\. So", told)[1].replace("`", "").split(", ")
    assert shown == [row[c] for c in ("iso3", "reference_year", "stage", "unit", "value", "qualifier")]
    assert f"`{row['source_id']}`" in told and f"`{row['locator']}`" in told
    beside = [r["reference_year"] for r in rows if r["iso3"] == row["iso3"] and r["locator"] == row["locator"]]
    assert sorted(beside) == ["2015", "2016", "2017"]


# --- Citation -------------------------------------------------------------------------------------------------------


def test_citation_file_is_valid_and_agrees_with_the_package_and_the_page():
    cited = yaml.safe_load(text(paths.ROOT / "CITATION.cff"))
    allowed = {"cff-version", "message", "title", "type", "version", "license", "authors", "abstract", "keywords"}
    assert set(cited) <= allowed and {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0" and cited["type"] == "software"
    project = tomllib.loads(text(paths.ROOT / "pyproject.toml"))["project"]
    assert (str(cited["version"]), cited["license"]) == (project["version"], project["license"])
    (author,) = cited["authors"]
    year, holder = re.search(r"Copyright \(c\) (\d{4}) (.+)", text(paths.ROOT / "LICENSE")).groups()
    assert author == {"name": holder}
    page = text(paths.DOCS / "cite.md")
    assert f"{holder} ({year}). *{cited['title']}*, version {cited['version']}" in page
    assert f"version = {{{cited['version']}}}" in page and f"year    = {{{year}}}" in page
    readme = " ".join(text(paths.ROOT / "README.md").split())
    assert f"*{cited['title']}*, version {cited['version']}, {year}" in readme
    assert f"## {cited['version']}" in text(paths.DOCS / "changelog.md")


# --- Notebooks as teaching material ---------------------------------------------------------------------------------


def cells(name: str, kind: str) -> list[str]:
    notebook = json.loads(text(paths.NOTEBOOKS / f"{name}.ipynb"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("name", notebooks.list_notebooks())
def test_every_exercise_has_its_solution_folded_below_it(name):
    (last,) = (cell for cell in cells(name, "markdown") if "## Exercises\n" in cell)
    exercises = last.split("## Exercises\n")[1]
    parts = re.split(r"^(\d+)\. ", exercises, flags=re.MULTILINE)[1:]
    assert [int(number) for number in parts[::2]] == list(range(1, len(parts) // 2 + 1)) and len(parts) >= 4
    for told in parts[1::2]:
        # Blank lines around it: otherwise its Markdown is not read as such.
        solution = re.fullmatch(
            r"[^\n<]+\n\n<details><summary>Solution</summary>\n\n(.+?)\n\n</details>\s*", told, re.DOTALL
        )
        assert solution and len(solution[1]) > 80, told[:60]


@pytest.mark.parametrize("name", notebooks.list_notebooks())
def test_notebook_with_figures_says_how_to_read_them(name):
    drawn = any(re.search(r"\bfigures\.\w+\(", cell) for cell in cells(name, "code"))
    box = re.compile(r"^> \*\*How to read (?:this|these) figures?\.\*\*", re.MULTILINE)
    assert drawn == any(box.search(cell) for cell in cells(name, "markdown"))


def test_exercises_that_the_page_for_students_sorts_are_those_there_are():
    sorted_ones = text(paths.DOCS / "students.md").split("## Exercises")[1].split("\n## ")[0]
    counts = {name: max(int(n) for cell in cells(name, "markdown") if "## Exercises\n" in cell
                        for n in re.findall(r"^(\d+)\. ", cell.split("## Exercises\n")[1], re.MULTILINE))
              for name in notebooks.list_notebooks()}  # fmt: skip
    short = {
        "the lesson": "how-the-estimator-works",
        "the profile": "country-profile",
        "what to publish": "what-to-publish",
        "07 on countries": "07-robustness-countries",
    }
    short |= {name[:2]: name for name in set(counts) - set(short.values()) if name[:2].isdecimal()}
    told = {name: set() for name in counts}
    names = "|".join(sorted(short, key=len, reverse=True))
    for label, numbers in re.findall(rf"({names}) \(([^)]+)\)", sorted_ones):
        everything = set(range(1, counts[short[label]] + 1))
        told[short[label]] |= (
            everything if numbers in ("all", "both") else {int(n) for n in re.findall(r"\d+", numbers)}
        )
    assert told == {name: set(range(1, n + 1)) for name, n in counts.items()}
