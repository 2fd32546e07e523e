"""The readable pages: executed notebooks, raw tables, corrections and sources as HTML that needs no network.

    python -m sentencing.site --executed build/notebooks --results results --to build/site

This package prepares sources for Sphinx: notebooks with their parameters, values and links to sources, pages made from
tables, the texts of docs/. What belongs to pages in general (navigation, search, markup, theme) is left to Sphinx.
Everything else in the package is unaware of how pages are made; only `build` and `write_findings` (the same findings
and claims in the README) are for use from outside.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat

from .. import corrections, paths, sources
from .. import countries as country_pages
from ..made import workplace
from . import countries as country_tables
from . import explorer as explorer_page
from . import glossary, reported
from .check import faults
from .notebook import Notebook, for_sphinx, read_notebook, source_linker, take_files
from .numbers import typed_numbers
from .pages import MADE, Templates, made_pages, navigation, parameter_tables, refuse_double_names
from .reported import SiteError, write_findings

__all__ = ["SiteError", "build", "write_findings"]


def build(
    executed_dir: Path,
    results_dir: Path,
    raw_dir: Path,
    corrections_file: Path,
    to: Path,
    profiles_dir: Path | None = None,
    parameters: Path | None = None,
    explorer: Path | None = None,
    docs_dir: Path = paths.DOCS,
) -> list[str]:
    """Make the whole site and put it at `to` in one step; when anything fails the old site stays as it was.

    Parameters
    ----------
    executed_dir : Path
        Folder of executed notebooks.
    results_dir : Path
        Folder of values files, `<notebook>.json`.
    raw_dir, corrections_file : Path
        Raw tables with their sidecars, and the declared corrections.
    to : Path
        Folder of the site. What is there is replaced, if it is an earlier site.
    profiles_dir, parameters : Path, optional
        Folder of the countries' pages, and the parameters they are made with. Pages that are out of date are left out.
    explorer : Path, optional
        Folder of the notebooks' resolved parameters, which name the tables of the explorer; without it there is none.
    docs_dir : Path
        Texts in MyST Markdown, one page each, and a list of references (.bib) for them.

    Returns
    -------
    list of str
        Names of the pages.

    Raises
    ------
    SiteError
        When there is no notebook, a finding has no value, a number was typed, Sphinx warns of anything, a link leads
        nowhere, an image has no alternative text, something would be loaded from elsewhere, or `to` holds something
        other than a site.
    """
    from . import render  # Sphinx takes a second to import; findings for the README do not need it

    to = paths.resolve(to)
    if to.exists() and any(to.iterdir()) and not (to / "_static" / "style.css").exists():
        raise SiteError(f"{paths.relative(to)}: holds something other than a site; it is left alone")
    with workplace(to.parent.resolve() / f".{to.name}") as folder:
        source, new, old = (folder / name for name in ("source", "new", "old"))
        prepare(
            executed_dir, results_dir, raw_dir, corrections_file, source, profiles_dir, parameters, explorer, docs_dir
        )
        render.run(source, new, folder / "work")
        if (source / "glossary.md").exists():
            glossary.mark_pages(new, glossary.read((source / "glossary.md").read_text(encoding="utf-8")))
        if wrong := faults(new):
            raise SiteError("\n".join(wrong))
        if to.exists():
            to.rename(old)
        try:
            new.rename(to)
        except OSError:
            if old.exists():
                old.rename(to)
            raise
    return sorted(path.name for path in to.glob("*.html"))


def prepare(
    executed_dir: Path,
    results_dir: Path,
    raw_dir: Path,
    corrections_file: Path,
    source: Path,
    profiles_dir: Path | None,
    parameters: Path | None,
    explorer: Path | None,
    docs_dir: Path,
) -> None:
    """Write what Sphinx makes pages of to the folder `source`, and files for download to `source/extra`.

    Parameters and errors as of `build`.
    """
    raw_dir, docs_dir = paths.resolve(raw_dir), paths.resolve(docs_dir)
    executed = sorted(paths.resolve(executed_dir).glob("*.ipynb"), key=lambda path: path.stem)
    if not executed:
        raise SiteError(f"{paths.relative(executed_dir)}: there is no executed notebook here")
    known = sources.read_sources(raw_dir)
    link = source_linker({source_id: sources.describe(source_id, raw_dir) for source_id in known})
    notebooks = [read_notebook(path, link) for path in executed]
    profiled, stale = _profiled(profiles_dir, parameters, link)
    results = reported.read_results(results_dir)
    wrong = [fault for notebook in notebooks for fault in typed_numbers(notebook, results.get(notebook.name, {}))]
    if wrong := wrong + reported.typed(results):
        raise SiteError("\n".join(wrong))
    written = sorted(path.stem for path in docs_dir.glob("*.md")) + ["explorer"] * bool(explorer)
    names = [notebook.name for notebook in notebooks]
    refuse_double_names(names, written, list(MADE), [country.notebook.name for country in profiled])

    templates, extra = Templates(notebooks), source / "extra"
    shown = reported.picture(results, results_dir)
    log = corrections.log_all(raw_dir, paths.resolve(corrections_file)).to_dict("records")
    parts = navigation(names, written)
    figure = (shown.alt, shown.notebook) if shown else None
    for name, text in made_pages(templates, results, raw_dir, log, profiled, stale, parts, figure).items():
        _write(source / name, text)
    if shown:
        _write(extra / "figures" / "findings.svg", shown.file.read_text(encoding="utf-8"))
    shutil.copytree(docs_dir, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ipynb"))
    extra.mkdir(exist_ok=True)
    if explorer:
        _write_explorer(explorer_page.files(explorer_page.read(explorer)), source)
    for path in executed:
        shutil.copyfile(path, extra / path.name)
    for table in sources.list_tables(raw_dir):
        (extra / "raw" / table).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(raw_dir / table, extra / "raw" / table)
    for notebook in notebooks:
        values = results.get(notebook.name, {}).get("values", {})
        _write_notebook(notebook, values, templates, source)
    for country in profiled:
        _write_notebook(country.notebook, country.values, templates, source, orphan=True)


def _write_explorer(parts: dict[str, str], source: Path) -> None:
    """Write the page of the explorer; its parts stay as they are, to the byte."""
    body = f'<link rel="stylesheet" href="explorer.css">\n{parts["explorer.html"]}<script src="explorer.js"></script>\n'
    _write(source / "explorer-body.html", body)
    _write(source / "explorer.md", "# Explore the evidence\n\n```{raw} html\n:file: explorer-body.html\n```\n")
    for name in ("explorer.css", "explorer.js"):
        _write(source / "extra" / name, parts[name])


def _write_notebook(notebook: Notebook, values: dict, templates: Templates, source: Path, **metadata) -> None:
    """Write a notebook for Sphinx, with tables of its parameters and values, and its drawings as files."""
    # Country pages are hundreds: their data would weigh more than the rest of the site.
    notebook, files = take_files(notebook, with_data="orphan" not in metadata)
    for name, text in files.items():
        _write(source / "extra" / name, text)
    told = {cell.id: parameter_tables(templates, cell.parameters) for cell in notebook.cells if cell.parameters}
    prepared = for_sphinx(
        notebook, templates.part("below_title", notebook), told, templates.part("numbers", values), **metadata
    )
    _write(source / f"{notebook.name}.ipynb", nbformat.writes(prepared))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _profiled(
    folder: Path | None, parameters: Path | None, link: Callable[[str], str]
) -> tuple[list[country_tables.Country], list[str]]:
    """The countries whose pages are up to date, and the codes of those that have an old page."""
    if folder is None or parameters is None or not paths.resolve(folder).exists():
        return [], []
    codes, stale = country_pages.current(folder, country_pages.read_parameters(parameters))
    return country_tables.read(folder, codes, link), stale
