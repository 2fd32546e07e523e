"""What a deposit needs: the data package and the codebook are current, true, and find what is wrong with a table."""

import json
import re
import shutil
import subprocess
import tomllib

import frictionless
import pytest
from conftest import write_notebook

import sentencing
from sentencing import package, paths, schemas, sources
from sentencing.package import citation, codebook, crate, datapackage, programs

PACKAGE = json.loads((paths.ROOT / datapackage.FILE).read_text(encoding="utf-8"))
RESOURCES = {resource["name"]: resource for resource in PACKAGE["resources"]}


def test_everything_that_is_written_is_current():
    assert [paths.relative(path) for path in package.stale()] == [], "run make package"


def test_a_file_that_is_out_of_date_is_found_and_written(monkeypatch, tmp_path):
    (tmp_path / "old").write_text("old\n")
    monkeypatch.setattr(package, "written", lambda: {tmp_path / "old": "new\n", tmp_path / "missing": "too\n"})
    assert list(package.stale()) == [tmp_path / "old", tmp_path / "missing"]
    assert len(package.write()) == 2 and package.write() == []
    assert (tmp_path / "old").read_text() == "new\n"


# --- Data package -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read_package():
    return frictionless.Package(str(paths.ROOT / datapackage.FILE))


@pytest.mark.parametrize("name", RESOURCES)
def test_resource_is_valid(name, read_package):
    """Bytes, checksum, types, allowed values, keys and links to the sources, as another program reads them."""
    report = read_package.get_resource(name).validate()
    assert report.flatten(["type", "rowNumber", "fieldName", "note"])[:5] == []


def test_every_table_of_the_repository_is_in_the_package():
    tables = {paths.relative(p) for place in (paths.RAW, paths.PROCESSED, paths.RESULTS) for p in place.rglob("*.csv")}
    assert tables == {resource["path"] for resource in RESOURCES.values()} and len(RESOURCES) == len(tables)


FAULTS = {
    "bytes": ("processed-tiers", lambda text: text + "SRB,Serbia,1999,,,,,,,,,\n", "byte-count"),
    "type": ("processed-tiers", lambda text: text.replace(",2001,", ",soon,", 1), "type-error"),
    "key": ("processed-tiers", lambda text: text + text.splitlines()[1] + "\n", "primary-key"),
    "blank": ("processed-tiers", lambda text: text.replace("AFG,", ",", 1), "constraint-error"),
    "category": ("raw-tip-tiers", lambda text: text.replace(",2,", ",two,", 1), "constraint-error"),
    "column": ("results-simulation", lambda text: text.replace("seed,", "sown,", 1), "incorrect-label"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault, tmp_path):
    name, plant, expected = FAULTS[fault]
    described = RESOURCES[name] | {"path": "table.csv"}
    text = (paths.ROOT / RESOURCES[name]["path"]).read_text(encoding="utf-8")
    assert plant(text) != text
    (tmp_path / "table.csv").write_text(plant(text), encoding="utf-8", newline="\n")
    described["schema"] = {key: part for key, part in described["schema"].items() if key != "foreignKeys"}
    report = frictionless.Resource.from_descriptor(described, basepath=str(tmp_path)).validate()
    assert expected in {kind for (kind,) in report.flatten(["type"])}


def test_a_source_that_is_not_listed_is_found(tmp_path):
    for name in ("raw-centre-outside-estimates", "raw-sources"):
        place = tmp_path / RESOURCES[name]["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        text = (paths.ROOT / RESOURCES[name]["path"]).read_text(encoding="utf-8")
        rows = list(sources.read_sources())
        place.write_text(text if name == "raw-sources" else text.replace(next(s for s in rows if s in text), "nobody"))
    two = PACKAGE | {"resources": [RESOURCES["raw-centre-outside-estimates"], RESOURCES["raw-sources"]]}
    (tmp_path / datapackage.FILE).write_text(json.dumps(two))
    report = frictionless.Package(str(tmp_path / datapackage.FILE)).validate()
    assert "foreign-key" in {kind for (kind,) in report.flatten(["type"])}


@pytest.mark.parametrize("name", RESOURCES)
def test_every_column_has_a_meaning_and_every_number_a_unit(name):
    fields = RESOURCES[name]["schema"]["fields"]
    assert all(field["description"].strip() for field in fields)
    lacking = [f["name"] for f in fields if f["type"] in ("integer", "number") and not f.get("unit")]
    assert lacking == [f for f in lacking if f in WITHOUT_UNIT]


# An order, a line, a running number; and one count whose table says of what.
WITHOUT_UNIT = {"tier_rank", "row", "vintage"}


def test_a_suppressed_count_is_neither_a_number_nor_missing():
    (value,) = (f for f in RESOURCES["raw-unodc-country-totals"]["schema"]["fields"] if f["name"] == "value")
    assert value["type"] == "string" and [code["value"] for code in value["codes"]] == ["<5"]
    assert RESOURCES["raw-unodc-country-totals"]["schema"]["missingValues"] == [""]


def test_package_says_what_the_citation_says():
    about = citation.citation()
    assert (PACKAGE["title"], PACKAGE["version"]) == (about["title"], about["version"])
    assert len(PACKAGE["sources"]) >= 5 and all(source["title"].strip() for source in PACKAGE["sources"])


# --- Crate, CodeMeta, citation ----------------------------------------------------------------------------------------

CRATE = json.loads((paths.ROOT / crate.FILE).read_text(encoding="utf-8"))
GRAPH = {entity["@id"]: entity for entity in CRATE["@graph"]}


def references(entity):
    """Every identifier that an entity refers to."""
    for key, value in entity.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and key != "@context":
                yield item["@id"]


def test_crate_is_of_the_version_and_profile_it_says():
    assert len(GRAPH) == len(CRATE["@graph"])
    assert GRAPH["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert GRAPH["ro-crate-metadata.json"]["conformsTo"]["@id"] == CRATE["@context"][0].removesuffix("/context")
    root = GRAPH["./"]
    assert root["conformsTo"]["@id"].startswith("https://w3id.org/ro/wfrun/process/")
    assert all(root[key] for key in ("name", "description", "license")) and schemas._is_date(root["datePublished"])


def test_everything_that_the_crate_refers_to_is_in_it_and_every_file_is_here():
    # The versions of the specification themselves are no entities.
    wanted = {name for entity in GRAPH.values() for name in references(entity)} - {crate.CRATE}
    assert wanted - set(GRAPH) == set()
    kept = {name for name, entity in GRAPH.items() if "File" in entity["@type"]}
    assert {name for name in kept if not (paths.ROOT / name).is_file()} == set()
    assert kept <= {part["@id"] for part in GRAPH["./"]["hasPart"]}


def test_files_of_the_crate_are_those_it_tells_of():
    told = {name: entity["sha256"] for name, entity in GRAPH.items() if "sha256" in entity}
    assert {name for name, digest in told.items() if sources.sha256(paths.ROOT / name) != digest} == set()
    assert {paths.relative(path) for path in paths.RESULTS.glob("*.json")} <= set(told)


def test_a_result_leads_back_to_raw_tables():
    """results/05 → its notebook → the evidence table → notebook 03 → raw tables with their sidecars."""
    by_result = {}
    for entity in GRAPH.values():
        if entity["@type"] == "CreateAction":
            result = entity["result"] if isinstance(entity["result"], list) else [entity["result"]]
            by_result |= {item["@id"]: entity for item in result}
    run = by_result["results/05-sentences-in-serbia.json"]
    assert run["instrument"] == {"@id": "notebooks/05-sentences-in-serbia.ipynb"}
    assert {"@id": "data/processed/evidence.csv"} in run["object"]
    before = by_result["data/processed/evidence.csv"]["object"]
    assert {"@id": "data/raw/courts/serbia_cases.csv"} in before and {
        "@id": "data/raw/courts/serbia_cases.yml"
    } in before
    assert set(by_result) == set(programs.makers())


def test_notebooks_name_the_pinned_versions_of_their_packages():
    needed = GRAPH["notebooks/05-sentences-in-serbia.ipynb"]["softwareRequirements"]
    versions = {GRAPH[item["@id"]]["name"]: GRAPH[item["@id"]]["softwareVersion"] for item in needed}
    assert versions["pandas"] == citation.pins()["pandas"] and set(versions) == set(citation.direct())


def test_codemeta_says_what_the_citation_and_the_package_say():
    told = json.loads((paths.ROOT / crate.CODEMETA).read_text(encoding="utf-8"))
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert told["@context"] == "https://w3id.org/codemeta/3.0" and told["@type"] == "SoftwareSourceCode"
    assert told["version"] == project["version"] == sentencing.__version__ == citation.citation()["version"]
    assert told["license"].endswith(f"/{project['license']}") and project["license"] == citation.citation()["license"]
    wanted = {re.match(r"[A-Za-z0-9._-]+", requirement)[0] for requirement in project["dependencies"]}
    assert {package["name"] for package in told["softwareRequirements"]} == wanted
    assert told["runtimePlatform"] == f"Python {project['requires-python']}"


def test_day_is_that_of_the_release_or_the_newest_of_the_changes(monkeypatch, tmp_path):
    (tmp_path / "changelog.md").write_text(
        "# C\n\n## 0.1.0 (May 2025, not yet)\n\n### 7 May\n\n- x\n\n### 3 and 4 May\n"
    )
    monkeypatch.setattr(paths, "DOCS", tmp_path)
    assert citation.date() == "2025-05-07"
    monkeypatch.setattr(citation, "citation", lambda: {"date-released": "2025-06-01"})
    assert citation.date() == "2025-06-01"
    monkeypatch.setattr(citation, "citation", dict)
    (tmp_path / "changelog.md").write_text("# C\n")
    with pytest.raises(ValueError, match="changelog"):
        citation.date()


# --- Programs ---------------------------------------------------------------------------------------------------------


def test_every_result_has_a_program_that_is_there():
    written = {paths.relative(p) for place in (paths.PROCESSED, paths.RESULTS) for p in place.iterdir()}
    assert set(programs.makers()) == written - {"data/processed/README.md", "results/README.md"}
    for program in programs.programs():
        assert (paths.ROOT / program.path).is_file()
        assert all((paths.ROOT / file).is_file() for file in program.reads), program.name


def test_longer_commands_are_those_of_the_makefile():
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    for program in programs.LONGER:
        target = program.command.split()[1]
        command = ["make", "-n", target, "NARRATIVES=x", "SCORES=results/narrative-scores.csv"]
        recipe = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
        module = program.path.removeprefix("src/").removesuffix("/__main__.py").removesuffix(".py").replace("/", ".")
        assert program.path in recipe or module in recipe, target
        # A second table of the same run stands beside the first, under a longer name.
        assert all(file.replace("-without", "") in recipe for file in program.writes), target


def test_list_in_the_readme_names_every_program_result_and_exhibit():
    listed = README.split(programs.BEGIN)[1].split(programs.END)[0]
    for program in programs.programs():
        assert f"]({program.path}) |" in listed and all(f"]({file})" in listed for file in program.writes)
    shown = [e for path in paths.NOTEBOOKS.glob("*.ipynb") for e in programs.exhibits(path)]
    assert len(shown) > 50 and listed.count("`") >= 2 * len(shown)


def test_figures_and_tables_are_told_apart_and_other_cells_left_out(tmp_path):
    cells = ['tables.show(frame, "A table")', "axis = figures.panels([1])", "tables.write_csv(frame, out)", "x = 1"]
    notebook = write_notebook(tmp_path / "01-x.ipynb", "x = 1", *cells)
    shown = programs.exhibits(notebook)
    assert [(e.cell, e.kind) for e in shown] == [("cell-1", "table"), ("cell-2", "figure")]


@pytest.mark.parametrize("text", ["no marks", f"{programs.BEGIN} {programs.BEGIN} {programs.END}"])
def test_a_readme_without_marks_is_refused(text):
    with pytest.raises(ValueError, match="once each"):
        programs.with_list(text)


# --- README and transparency ------------------------------------------------------------------------------------------

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
TRANSPARENCY = (paths.ROOT / "TRANSPARENCY.md").read_text(encoding="utf-8")
# The order of the template README of the Social Science Data Editors, in our words.
ORDER = ["Data availability and provenance", "Computational requirements", "Description of the programs",
         "Instructions", "List of tables and figures", "References, licences, citation"]  # fmt: skip
# The names of the TOP Guidelines 2025.
PRACTICES = ["Study Registration", "Study Protocol", "Analysis Plan", "Materials Transparency",
             "Analysis Code Transparency", "Data Transparency", "Reporting Transparency"]  # fmt: skip
VERIFICATION = ["Results Transparency", "Computational Transparency"]
STUDIES = ["Replication", "Registered Reports", "Multiverse", "Many Analysts"]


def test_readme_has_the_sections_of_a_replication_package_in_their_order():
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert [heading for heading in headings if heading in ORDER] == ORDER


def test_every_practice_has_a_level_or_an_answer_and_a_place_to_see_it():
    rows = [re.split(r" \| ", row.strip("| ")) for row in re.findall(r"^\| .+ \|$", TRANSPARENCY, re.MULTILINE)]
    told = {row[0]: row for row in rows if row[0] not in ("practice", "kind")}
    assert list(told) == PRACTICES + VERIFICATION + STUDIES
    assert {told[name][1] for name in PRACTICES} <= {"1 Disclosed", "2 Shared and Cited", "3 Certified"}
    assert {told[name][1] for name in VERIFICATION} <= {"yes", "no"}


@pytest.mark.parametrize("page", ["README.md", "TRANSPARENCY.md", "REPRODUCING.md", "data/processed/README.md",
                                  "results/README.md", "data/raw/README.md", "data/README.md"])  # fmt: skip
def test_links_lead_to_files_that_are_here(page):
    text, place = (paths.ROOT / page).read_text(encoding="utf-8"), (paths.ROOT / page).parent
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    addresses = {a.partition("#")[0] for a in re.findall(r"\]\(([^)\s]+)\)", prose) if not a.startswith("https://")}
    assert {address for address in addresses if address and not (place / address).exists()} == set()


# --- Codebook ---------------------------------------------------------------------------------------------------------

HOME = """# Tables

## small.csv

One row is a thing.

Key: `a`.

| column | type | meaning | blank means |
|---|---|---|---|
| `a` | text, unique | Name. | never |
| `b` | whole number; persons | People. | not told |
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "small.csv").write_text("a,b\nx,1\ny,\nz,3\n")
    (tmp_path / "README.md").write_text(HOME)
    return tmp_path / "README.md"


def test_fill_rates_are_counted(home):
    told = codebook.filled(home)
    assert "| `a` | text, unique | Name. | never | 100 % |" in told and "| not told | 67 % |" in told
    assert "filled in 3 rows |\n|---|---|---|---|---|\n" in told
    home.write_text(told)
    assert codebook.filled(home) == told
    (home.parent / "small.csv").write_text("a,b\nx,\n")
    assert "| not told | 0 % |" in codebook.filled(home)


def test_what_is_told_of_a_table_is_read(home):
    table = codebook.read(home)["small.csv"]
    assert (table.one_row_is, table.key, list(table.columns)) == ("One row is a thing.", ["a"], ["a", "b"])
    assert (table.columns["b"].kind, table.columns["b"].unit) == ("whole number", "persons")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("| `b` | whole number; persons | People. | not told |\n", "", "not the columns"),
        ("| Name. |", "| |", "needs a type"),
        ("| `b` |", "| `a` |", "two entries"),
    ],
)
def test_a_codebook_that_is_not_that_of_the_table_is_refused(home, old, new, told):
    home.write_text(HOME.replace(old, new))
    with pytest.raises(codebook.CodebookError, match=told):
        codebook.filled(home)


@pytest.mark.parametrize(
    ("filled", "rows", "rate"),
    [(0, 0, "–"), (0, 9, "0 %"), (9, 9, "100 %"), (1, 1000, "under 1 %"), (999, 1000, "99 %"), (1, 3, "33 %")],
)
def test_a_rate_says_none_and_all_only_of_none_and_all(filled, rows, rate):
    assert codebook.rate(filled, rows) == rate
