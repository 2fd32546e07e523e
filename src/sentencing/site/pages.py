"""The pages that are made from tables and values rather than written: as MyST Markdown, from templates."""

import csv
import json
import re
from pathlib import Path

import jinja2

from .. import paths, sources
from . import countries as country_tables
from .markdown import plain, raw
from .notebook import Notebook, Parameter, anchor
from .reported import SiteError, claims, findings

HERE = Path(__file__).parent
MADE = ("index", "claims", "countries", "readers", "data", "corrections", "sources", "trust")  # those with a template

# The notebook that computes how far two coders agree, and the scores of the program that reads narratives.
CODERS, SCORES = "01-clean-tip-report", "narrative-scores.csv"

# Parts of the navigation and their pages in order; a page that is not there is left out, and one that is named nowhere
# goes to the last part, or to that of the notebooks if it is one.
NOTEBOOKS = "Notebooks"
PARTS = {
    "Start here": ["students", "rerun", "sazetak"],
    NOTEBOOKS: [],
    "Look up": ["countries", "explorer", "claims", "glossary"],
    "Data": ["readers", "data", "codebook", "corrections", "sources"],
    "Method": ["method", "trust", "bibliography"],
    "About": ["cite", "changelog"],
}

LANGUAGES = {"sazetak": "sr-Latn"}  # of pages in another language than English


def navigation(notebooks: list[str], written: list[str]) -> dict[str, list[str]]:
    """Pages by part of the navigation.

    Parameters
    ----------
    notebooks, written : list of str
        Names of the notebooks' pages, and of those written in docs/.
    """
    there = {*notebooks, *written, *MADE}
    parts = {part: [page for page in pages if page in there] for part, pages in PARTS.items()}
    parts[NOTEBOOKS] += notebooks
    *_, last = parts
    parts[last] += sorted(there - {"index"} - {page for pages in parts.values() for page in pages})
    return parts


class Templates:
    """The templates, with what all of them may tell."""

    def __init__(self, notebooks: list[Notebook]):
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self.environment.filters |= {
            "anchor": table_anchor, "cell_anchor": anchor, "plainly": _plainly, "plain": plain, "raw": raw,
            "in_words": lambda name: name.replace("_", " "),
        }  # fmt: skip
        self.environment.globals |= {"notebooks": notebooks, "titles": {n.name: n.title for n in notebooks}}

    def page(self, name: str, **shown) -> str:
        """The Markdown of one of the pages in MADE."""
        return self.environment.get_template(f"{name}.md.j2").render(**shown)

    def part(self, macro: str, *arguments):
        """HTML that a macro gives."""
        return getattr(self.environment.get_template("macros.j2").module, macro)(*arguments)


def made_pages(
    templates: Templates,
    results: dict[str, dict],
    raw_dir: Path,
    log: list[dict],
    profiled: list[country_tables.Country],
    stale: list[str],
    parts: dict[str, list[str]],
    figure: tuple[str, str] | None,
) -> dict[str, str]:
    """Markdown of the pages in MADE, by file name.

    Parameters
    ----------
    results : dict of str to dict
        Content of the values files, by notebook.
    raw_dir : Path
        Raw tables and sidecars.
    log : list of dict
        Corrections applied, as `corrections.log_all` gives them.
    profiled, stale
        Countries with a page, and codes of those whose page is out of date.
    parts : dict of str to list of str
        As `navigation` gives them.
    figure : (str, str), optional
        Words for the figure of the first page, and its notebook.
    """
    tables = [_describe(table, raw_dir) for table in sources.list_tables(raw_dir)]
    known = sources.read_sources(raw_dir)
    # Sources with the same publisher and title stand together, so a link by name reaches all of them.
    listed = sorted(known.values(), key=lambda s: (s["publisher"].casefold(), s["title"].casefold(), s["source_id"]))
    shared = {
        "findings": findings(results), "claims": claims(results), "figure": figure, "tables": tables,
        "agreement": _agreement(tables), "log": log, "sources": listed,
        "kinds": next((t["columns"]["kind"].get("values", {}) for t in tables if t["path"] == sources.SOURCES), {}),
        "scores": _scores(), "computed": _computed_agreement(results), "countries": profiled, "stale": stale,
        "columns": list(country_tables.COLUMNS.values()), "parts": parts, "proofs": _proofs(),
    }  # fmt: skip
    return {f"{name}.md": templates.page(name, **shared) for name in MADE}


def parameter_tables(templates: Templates, parameters: tuple[Parameter, ...]):
    """The parameters of a run as HTML: choices, and apart from them files and folders."""
    return templates.part("parameters", parameters)


def table_anchor(table: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", table.removesuffix(".csv").lower())


def refuse_double_names(*names: list[str]) -> None:
    """Raise SiteError when two pages would have one name."""
    every = [name for some in names for name in some]
    if twice := sorted({name for name in every if every.count(name) > 1}):
        raise SiteError(f"more than one page would be named {', '.join(twice)}")


def _describe(table: str, raw_dir: Path) -> dict:
    """What the data page tells about one raw table: its sidecar, its anchor, its rows and its checksum."""
    with (raw_dir / table).open(encoding="utf-8", newline="") as file:
        n_rows = sum(1 for _ in csv.reader(file)) - 1
    known = {"path": table, "anchor": table_anchor(table), "n_rows": n_rows, "sha256": sources.sha256(raw_dir / table)}
    return sources.read_sidecar(table, raw_dir) | known


def _agreement(tables: list[dict]) -> list[dict]:
    """Tables coded twice, without the two coders' own rows, which carry the same figures."""
    own_rows = ("_first.csv", "_second.csv")
    return [table for table in tables if "double_coding" in table and not table["path"].endswith(own_rows)]


def _scores() -> list[dict]:
    """How far the program that reads narratives agrees with the coded tables, as `make extract` recorded it."""
    path = paths.RESULTS / SCORES
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _proofs() -> dict[str, dict]:
    """What the checks of the repository found, as `make trust` gathered it."""
    path = paths.RESULTS / paths.TRUST
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _computed_agreement(results: dict[str, dict]) -> dict[str, dict]:
    """Agreement of the two coders by table, as notebook 01 computed it."""
    values = results.get(CODERS, {}).get("values", {})
    return {name.removeprefix("agreement_"): v for name, v in values.items() if name.startswith("agreement_")}


def _plainly(value) -> str:
    """A value as the index of numbers shows it."""
    if isinstance(value, list):
        return ", ".join(map(_plainly, value)) or "none"
    if value is None or isinstance(value, jinja2.Undefined):
        return "–"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
