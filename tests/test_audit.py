"""Every check of the audit finds a fault that is planted, and lets pass what is as it should be."""

import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import nbformat
import pytest
from conftest import RawFolder, write_notebook
from nbformat.v4 import new_output

from sentencing import audit, package, paths
from sentencing.audit import checks, texts
from sentencing.audit.__main__ import main
from sentencing.package import archive, programs

PARAMETERS = 'out_table = "data/processed/small.csv"\nout_values = "results/01-small.json"'
SHOWS = "tables.show(frame)"


@pytest.fixture
def place(tmp_path, monkeypatch) -> audit.Place:
    """A small repository without git: two raw tables, a notebook, its two outputs, its executed copy, its page."""
    root = tmp_path / "repository"
    RawFolder(root / "data" / "raw")
    for suffix in ("csv", "yml"):  # a table without sources
        (root / "data" / "raw" / f"plain.{suffix}").unlink()
    stored = write_notebook(root / "notebooks" / "01-small.ipynb", PARAMETERS, SHOWS)
    for name, content in {
        "data/processed/small.csv": "iso3,n\nSRB,1\n",
        "results/01-small.json": json.dumps({"values": {"n": {"value": 1, "cell": "cell-1"}}}) + "\n",
        "README.md": "Read me.\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    executed = nbformat.read(stored, as_version=4)
    table = "<figure class='table'><figcaption>A table</figcaption></figure>"
    for count, cell in enumerate((c for c in executed.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
    executed.cells[-1].outputs = [new_output("display_data", {"text/html": table})]
    found = audit.Place(root, root / "build" / "notebooks", root / "build" / "site")
    found.executed.mkdir(parents=True)
    found.site.mkdir()
    nbformat.write(executed, found.executed / "01-small.ipynb")
    (found.site / "01-small.html").write_text(f"<p>Words</p>{table}")
    monkeypatch.setattr(programs, "LONGER", ())
    return found


def edit(place: audit.Place, change) -> None:
    """Change the executed notebook."""
    path = place.executed / "01-small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change([c for c in notebook.cells if c.cell_type == "code"])
    nbformat.write(notebook, path)


def add(place: audit.Place, name: str, text: str) -> None:
    path = place.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + text, encoding="utf-8")


OF_FILES = ["manifest", "raw tables", "results", "figures and tables", "execution", "paths", "secrets", "personal data",
            "small counts", "formulas"]  # fmt: skip


@pytest.mark.parametrize("name", OF_FILES)
def test_a_sound_repository_passes(place, name):
    outcome = audit.CHECKS[name](place)
    assert (outcome.status, outcome.faults) == (audit.OK, [])


# What is planted is put together here, so that the audit of this repository does not find its own tests.
AT, NUMBER = "@", "01019907100" + "08"
FAULTS = {
    "empty file": ("manifest", lambda p: add(p, "results/01-small.svg", ""), "is empty"),
    "raw table changed": ("raw tables", lambda p: add(p, "data/raw/sources.csv", "good-003,Police,\n"), "checksum"),
    "raw table without licence": (
        "raw tables", lambda p: edit_sidecar(p, lambda sidecar: sidecar.pop("licence")), "licence"),
    "raw table without sources": (
        "raw tables",
        lambda p: edit_sidecar(p, lambda s: s["columns"]["source_id"].pop("required")), "must name a source"),
    "stranger among raw tables": ("raw tables", lambda p: add(p, "data/raw/notes.txt", "x\n"), "without a sidecar"),
    "result of no program": ("results", lambda p: add(p, "results/orphan.csv", "a\n1\n"), "no program"),
    "promised result": ("results", lambda p: (p.root / "data/processed/small.csv").unlink(), "promised by"),
    "value of no cell": (
        "results", lambda p: (p.root / "results/01-small.json").write_text('{"values": {"n": {"cell": "gone"}}}'),
        "no cell of a notebook makes the value n"),
    "table of a cell that makes none": (
        "figures and tables",
        lambda p: edit(p, lambda cells: cells[0].update(outputs=cells[-1].outputs)), "parameters"),
    "table that is lacking": (
        "figures and tables", lambda p: edit(p, lambda cells: cells[-1].update(outputs=[])), "nothing is shown"),
    "table typed into a page": (
        "figures and tables", lambda p: add(p, "build/site/01-small.html", "<figcaption>Typed</figcaption>"), "Typed"),
    "cells out of order": (
        "execution", lambda p: edit(p, lambda cells: cells[-1].update(execution_count=7)), "execution counts"),
    "cell with an error": (
        "execution", lambda p: edit(p, lambda cells: cells[-1].update(
            outputs=[new_output("error", ename="E", evalue="", traceback=[])])), "ended with an error"),
    "other code run": (
        "execution", lambda p: edit(p, lambda cells: cells[-1].update(source="other")), "not what is stored"),
    "notebook not run": ("execution", lambda p: write_notebook(p.root / "notebooks/02-new.ipynb", "x = 1"), "02-new"),
    "path in a page": ("paths", lambda p: add(p, "build/site/01-small.html", "see /ho" + "me/me/x"), "/ho" + "me/me"),
    "path in data": ("paths", lambda p: add(p, "data/processed/small.csv", "C:\\" + "Users\\me"), "C:"),
    "key": ("secrets", lambda p: add(p, "src/x.py", "-----BEGIN RSA PRIV" + "ATE KEY-----"), "private key"),
    "token": ("secrets", lambda p: add(p, "src/x.py", "ghp" + "_" + "a1" * 18), "known form"),
    "password": ("secrets", lambda p: add(p, "x.yml", "pass" + "word: 'hunter2hunter2'"), "name for secrets"),
    "address with password": ("secrets", lambda p: add(p, "x.md", "https://me:pw" + "@host/x"), "password in it"),
    "e-mail": ("personal data", lambda p: add(p, "README.md", f"write to me{AT}host.rs"), "e-mail"),
    "telephone": ("personal data", lambda p: add(p, "data/processed/small.csv", "+381 64 " + "123 4567"), "telephone"),
    "Serbian telephone": ("personal data", lambda p: add(p, "README.md", "064/123" + "-4567"), "telephone"),
    "identification number": ("personal data", lambda p: add(p, "results/x.csv", f"id {NUMBER}\n"), "identification"),
    "date of birth": ("personal data", lambda p: add(p, "README.md", "date of bi" + "rth: 1 May 1970"), "birth"),
    "name beside a role": ("personal data", lambda p: add(p, "README.md", "the defen" + "dant Petar Petrović"), "role"),
    "name in Cyrillic": ("personal data", lambda p: add(p, "README.md", "окривље" + "ни Петар Петровић"), "role"),
    "name in an executed notebook": (
        "personal data", lambda p: edit(p, lambda cells: cells[-1].update(
            outputs=[new_output("stream", text="victim " + "Ana Anić")])), "role"),
    "small count in results": (
        "small counts", lambda p: add(p, "results/x.csv", "age,forced_begging,labour\nchild,2,7\n"), "'2' under"),
    "small count by two columns": (
        "small counts", lambda p: add(p, "results/x.csv", "a,b,n\nwomen,forced begging,1\n"), "'1' under 'n'"),
    "small count of a page": (
        "small counts", lambda p: edit(p, lambda cells: cells[-1].update(outputs=[new_output(
            "display_data", {"text/csv": "citizenship,women and girls\nAlbania,1 of 8: 12 %\n"})])), "cell-1, row 2"),
    "small count that nobody printed": ("small counts", lambda p: (
        add(p, "data/raw/centre/victims.csv", "row_id,dimension,category\nCV-1,age_group,child\n"),
        add(p, "data/processed/victims.csv",
            "victims_id,dimension,category,count,raw_rows\nV-1,sex_x_age,child_male,2,CV-1\n")), "no raw row says"),
    "formula in data": (
        "formulas", lambda p: add(p, "data/processed/small.csv", '"=HYPERLINK(""x"")",1\n'), "row 3: a spreadsheet"),
    "formula behind a semicolon": ("formulas", lambda p: add(p, "results/x.csv", "a\nseen;@SUM(1)\n"), "would run"),
    "formula for a head": ("formulas", lambda p: add(p, "results/x.csv", "a,+b\n1,2\n"), "row 1"),
    "formula in a download": ("formulas", lambda p: add(p, "build/site/tables/x.csv", "a\n-1 (-2 to 0) %\n"), "row 2"),
    "column of names": ("personal data", lambda p: add(p, "results/x.csv", "iso3,surname\n"), "'surname'"),
}  # fmt: skip


def edit_sidecar(place: audit.Place, change) -> None:
    folder = RawFolder.__new__(RawFolder)  # the one that is there, not a new one
    folder.path = place.root / "data" / "raw"
    folder.edit_sidecar("tip/figures.csv", change)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(place, fault):
    name, plant, told = FAULTS[fault]
    plant(place)
    outcome = audit.CHECKS[name](place)
    assert outcome.status == audit.FAILED and any(told in f for f in outcome.faults), outcome.faults


def test_a_file_that_was_changed_since_it_was_packed_is_found(place):
    add(place, archive.MANIFEST, f"{'0' * 64}  README.md\n{'0' * 64}  gone.md\n")
    outcome = checks.manifest(place)
    assert [fault.split(":")[0] for fault in outcome.faults] == ["README.md", "gone.md"]


def test_a_result_that_git_does_not_know_is_found(place):
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    for command in (["init", "-q"], ["add", "README.md"]):
        subprocess.run(["git", *command], cwd=place.root, check=True)
    add(place, "results/new.csv", "a\n")
    assert any("results/new.csv: git does not know" in fault for fault in checks.manifest(place).faults)


@pytest.mark.parametrize("name", ["figures and tables", "execution"])
def test_without_a_build_a_check_is_skipped_and_says_so(place, name):
    shutil.rmtree(place.executed)
    outcome = audit.CHECKS[name](place)
    assert outcome.status == audit.SKIPPED and "make" in outcome.told


def test_a_description_out_of_date_is_found(monkeypatch):
    assert checks.descriptions(audit.Place()).status == audit.OK
    monkeypatch.setattr(package, "stale", lambda: {paths.ROOT / "datapackage.json": ""})
    assert checks.descriptions(audit.Place()).faults == ["datapackage.json: out of date; run make package"]


# --- What may stay ----------------------------------------------------------------------------------------------------


def test_a_hit_that_is_allowed_passes_and_is_told_with_its_reason(place):
    add(place, "data/processed/victims.csv", "note\nVictim Assistance " + "Program\n")
    outcome = checks.no_personal_data(place)
    assert outcome.status == audit.OK and "1 hits allowed" in outcome.told
    add(place, "results/other.csv", "note\nVictim Assistance " + "Program\n")
    assert checks.no_personal_data(place).status == audit.FAILED


@pytest.mark.parametrize("allowed", checks.ALLOWED, ids=lambda entry: entry.words)
def test_what_is_allowed_is_there_and_has_a_reason(allowed):
    """Only what stands in the data can be looked up without a build."""
    assert allowed.reason
    tables = [path for path in (paths.ROOT / "data").rglob("*.csv") if re.fullmatch(allowed.file, paths.relative(path))]
    assert tables or allowed.file.startswith("build/")
    assert not tables or re.search(allowed.words, "\n".join(path.read_text(encoding="utf-8") for path in tables))


@pytest.mark.parametrize("words", ["0101990710007", "3213990710006", "1234567890123", "59c0892275352639"])
def test_thirteen_digits_that_are_no_identification_number_pass(words):
    assert list(texts.search(words, "x", texts.PERSONS)) == []


@pytest.mark.parametrize("words", ["2019,,astra_case_law", "2016-2018", "18,000 to 20,000", "0.35 0.71 0.65", "12/2016",
                                   "victims of trafficking", "victims in Serbia", "court of Novi Sad"])  # fmt: skip
def test_ordinary_words_and_numbers_pass(words):
    assert list(texts.search(words, "x", texts.PERSONS + texts.SECRETS + texts.PLACES)) == []


def test_a_search_says_what_it_cannot_find(place):
    assert "cannot find: a name without such a word" in checks.no_personal_data(place).detail["limits"]


# --- Software ---------------------------------------------------------------------------------------------------------


def test_another_version_than_the_pinned_is_found(monkeypatch):
    assert "pandas" in checks.versions(audit.Place()).told
    there = checks._installed()
    monkeypatch.setattr(checks, "_installed", lambda: there | {"pandas": ("0.1", there["pandas"][1])})
    (fault,) = (f for f in checks.versions(audit.Place()).faults if f.startswith("pandas"))
    assert fault.startswith("pandas: 0.1 is installed")


def test_a_licence_that_is_neither_permissive_nor_excepted_is_found(monkeypatch):
    assert checks.licences(audit.Place()).faults == []
    there = checks._installed()
    metadata = there["pandas"][1]
    del metadata["License-Expression"]
    metadata["License-Expression"] = "GPL-3.0-only"
    monkeypatch.setattr(checks, "_installed", lambda: there)
    assert "pandas" in checks.licences(audit.Place()).faults[0]


@pytest.mark.parametrize(
    ("told", "permissive"),
    [("MIT", True), ("Apache-2.0 OR GPL-2.0", True), ("MIT AND GPL-2.0", False), ("BSD License", True), ("", False),
     ("(Apache-2.0 AND MIT) OR Proprietary", True), ("Limited", False), ("MITRE", False), ("LGPL", False)],
)  # fmt: skip
def test_permissive_licences_are_told_from_others(told, permissive):
    assert checks.is_permissive(told) == permissive


def answer(stdout="", stderr=""):
    return lambda *_, **__: SimpleNamespace(stdout=stdout, stderr=stderr, returncode=1)


def test_a_known_vulnerability_is_found():
    vulnerable = {"name": "pandas", "version": "3.1.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.2"]}]}
    found = {"dependencies": [vulnerable, {"name": "numpy", "version": "1", "vulns": []}]}
    outcome = checks.vulnerabilities(audit.Place(), answer(json.dumps(found)))
    assert outcome.faults == ["pandas 3.1.1: PYSEC-1, mended in 3.1.2"] and outcome.status == audit.FAILED
    found["dependencies"].pop(0)
    assert checks.vulnerabilities(audit.Place(), answer(json.dumps(found))).status == audit.OK


@pytest.mark.parametrize(
    ("stderr", "status"),
    [("requests.exceptions.ConnectionError: no route", audit.SKIPPED), ("No module named pip_audit", audit.SKIPPED),
     ("ValueError: a requirement without a hash", audit.FAILED)],
)  # fmt: skip
def test_a_database_out_of_reach_is_said_and_another_failure_is_one(stderr, status):
    assert checks.vulnerabilities(audit.Place(), answer("", stderr)).status == status


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(audit.OK, 0), (audit.SKIPPED, 0), (audit.FAILED, 1)])
def test_command_says_everything_writes_it_and_fails_only_on_failures(status, code, tmp_path, monkeypatch, capsys):
    outcome = audit.Outcome(status, "told", ["a fault"] * (audit.SHOWN + 1) if code else [])
    monkeypatch.setattr("sentencing.audit.__main__.audit", lambda: {"one": outcome})
    assert main(["--to", str(tmp_path / "audit.json")]) == code
    assert json.loads((tmp_path / "trust" / "audit.json").read_text(encoding="utf-8"))["passed"] is (code == 0)
    printed = capsys.readouterr().out
    assert f"{status:8}one: told" in printed and ("and 1 more" in printed) == bool(code)
    assert json.loads((tmp_path / "audit.json").read_text())["one"]["status"] == status
