"""Which program makes which file, from what: read from the notebooks' parameters, and told here for longer commands."""

import ast
from pathlib import Path
from typing import NamedTuple

import nbformat

from .. import notebooks, paths, sources


class Program(NamedTuple):
    """A notebook or a script, how it is run, and the files it reads and writes (paths below the repository)."""

    name: str
    path: str
    command: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


class Exhibit(NamedTuple):
    """A figure or table of a page: its notebook, the cell that makes it, and which of the two it is."""

    notebook: str
    cell: str
    kind: str


# Results that take too long for every build, or whose sources are not kept here. The Makefile has the commands.
LONGER = (
    Program("multiverse", "src/sentencing/multiverse.py", "make multiverse",
            ("params/multiverse.yml", "params/multiverse-countries.yml", "data/corrections.yml",
             "data/raw/controls/country_year.csv", "data/processed/evidence.csv",
             "data/processed/evidence_by_coder.csv", "data/processed/statutes.csv", "data/processed/tiers.csv"),
            ("results/multiverse.csv", "results/multiverse-countries.csv",
             "results/multiverse-countries-without.csv")),
    Program("publication-designs", "src/sentencing/publication.py", "make publication-designs",
            ("params/publication.yml", "data/processed/evidence.csv", "data/processed/justice.csv"),
            ("results/publication-designs.csv",)),
    Program("simulate", "benchmarks/simulation.py", "make simulate", (), ("results/simulation.csv",)),
    Program("extract", "src/sentencing/narrative/__main__.py",
            "make extract NARRATIVES=… SCORES=results/narrative-scores.csv",
            tuple(f"data/raw/tip/coded_2018_{table}.csv"
                  for table in ("counts", "custody", "flags", "sentences", "statutes")),
            ("results/narrative-scores.csv",)),
    Program("trust", "src/sentencing/trust/__main__.py", "make trust", (), (f"results/{paths.TRUST}",)),
)  # fmt: skip


def programs(root: Path = paths.ROOT) -> list[Program]:
    """Every program that writes a committed table or result, the notebooks first."""
    return [_notebook(name, root) for name in notebooks.list_notebooks(root / "notebooks")] + list(LONGER)


def makers(root: Path = paths.ROOT) -> dict[str, Program]:
    """The program by each file that it writes."""
    return {file: program for program in programs(root) for file in program.writes}


def _notebook(name: str, root: Path) -> Program:
    path = f"notebooks/{name}.ipynb"
    reads, writes = set(), []
    for key, value in notebooks.declared_parameters(root / path).items():
        if not isinstance(value, str):
            continue
        if key.startswith("out_"):
            writes.append(value)
        elif (root / "data" / "raw" / value).is_file():
            reads.add(f"data/raw/{value}")
        elif key == "double_coded":
            tables = sources.list_tables(root / "data" / "raw")
            reads |= {f"data/raw/{table}" for table in tables if _is_coding(table, value)}
        elif (root / value).is_file():
            reads.add(value)
    return Program(name, path, f"make build/notebooks/{name}.ipynb", tuple(sorted(reads)), tuple(writes))


def _is_coding(table: str, prefix: str) -> bool:
    return table.startswith(f"{prefix}_") and table.endswith(("_first.csv", "_second.csv")) and "_flags_" not in table


def exhibits(notebook: Path) -> list[Exhibit]:
    """What a stored notebook shows, in its order: calls of the module `figures`, and of `tables.show` and the like."""
    found = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        calls = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        named = {ast.unparse(call.func) for call in calls}
        if any(name.startswith("figures.") for name in named):
            found.append(Exhibit(notebook.stem, cell.id, "figure"))
        if any(name.startswith("tables.show") for name in named):
            found.append(Exhibit(notebook.stem, cell.id, "table"))
    return found


# --- The list in the README -------------------------------------------------------------------------------------------

BEGIN, END = "<!-- exhibits: written by make -->", "<!-- end of exhibits -->"


def with_list(text: str) -> str:
    """The text of the README with the list of tables and figures between its marks.

    Raises
    ------
    ValueError
        When a mark is missing or stands twice.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md: needs the marks {BEGIN!r} and {END!r}, once each")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n" + "\n".join(_rows()) + f"\n\n{END}{after}"


def _rows() -> list[str]:
    """A row for each program: its figures and tables by cell, and the files it writes beside its values."""
    rows = ["| program | figures | tables | files |", "|---|---|---|---|"]
    for program in programs():
        shown = exhibits(paths.ROOT / program.path) if program.path.endswith(".ipynb") else []
        cells = {kind: ", ".join(f"`{e.cell}`" for e in shown if e.kind == kind) for kind in ("figure", "table")}
        files = ", ".join(f"[{Path(file).name}]({file})" for file in program.writes)
        name = program.name if shown else f"`{program.command}`"
        rows.append(
            f"| [{name}]({program.path}) | {cells['figure']} | {cells['table']} | {files} |".replace("|  |", "| |")
        )
    return rows
