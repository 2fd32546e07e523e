"""The readable pages: executed notebooks, raw tables, corrections and sources as plain HTML that needs no network.

    python -m sentencing.site --executed build/notebooks --results results --to build/site

Everything else in the package is unaware of how pages are made; only `build` and `write_findings` (the same findings
and claims in the README) are for use from outside.
"""

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from pygments.formatters import HtmlFormatter

from .. import corrections, paths, sources
from .. import countries as country_pages
from ..figures import svg_address
from ..tables import claim_ids, in_words
from . import countries as country_tables
from .check import faults
from .notebook import Notebook, PageRenderer, anchor, read_notebook, source_linker
from .numbers import typed_numbers, unsupported_numbers

# What the first page says the data show: notebook, name of a value in results/<notebook>.json, sentence. In a
# sentence stand {value}, {low}, {high}, {n}, {unit} and {label} of that value, with format codes such as
# {value:,} or {value:.0%}, and {all[name]} for another value of the same notebook.
FINDINGS: list[tuple[str, str, str]] = [
    ("05-sentences-in-serbia", "finding_people", "{value}"),
    ("05-sentences-in-serbia", "finding_monitor", "{value}"),
    ("05-sentences-in-serbia", "finding_official", "{value}"),
    ("05-sentences-in-serbia", "finding_all", "{value}"),
    (
        "08-check-claims",
        "C05_verdict",
        "The claim that sentences are usually from three to five years: {value}. How many of the convicted went to "
        "prison at all is not published in a usable form.",
    ),
]

# The notebook that rules on the claims, and the one whose figure the first page shows: the name of the value with its
# words for those who do not see it, and its file in results.
CLAIMS = "08-check-claims"
FIGURE = ("05-sentences-in-serbia", "figure_alt", "sentences-in-serbia.svg")

# The notebook that computes how far two coders agree, and the scores of the program that reads narratives.
CODERS, SCORES = "01-clean-tip-report", "narrative-scores.csv"

HERE = Path(__file__).parent
LIGHT_CODE, DARK_CODE = "default", "github-dark"


class SiteError(ValueError):
    """The pages cannot be made as they should be; the message lists everything that is wrong."""


class Finding(NamedTuple):
    """A sentence of the first page and the notebook its numbers come from."""

    sentence: str
    notebook: str


class Claim(NamedTuple):
    """A claim in our words, its verdict, what was computed for it, and the notebook and cell that ruled on it."""

    name: str
    text: str
    verdict: str
    computed: str
    notebook: str
    cell: str


class Picture(NamedTuple):
    """A figure of the first page: its words, its file, and the notebook it comes from."""

    alt: str
    file: Path
    notebook: str


def build(
    executed_dir: Path,
    results_dir: Path,
    raw_dir: Path,
    corrections_file: Path,
    to: Path,
    profiles_dir: Path | None = None,
    parameters: Path | None = None,
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

    Returns
    -------
    list of str
        Names of the pages.

    Raises
    ------
    SiteError
        When there is no notebook, a finding has no value, a number was typed, a link leads nowhere, an image has no
        alternative text, something would be loaded from elsewhere, or `to` holds something other than a site.
    """
    to, raw_dir = paths.resolve(to), paths.resolve(raw_dir)
    if to.exists() and any(to.iterdir()) and not (to / "style.css").exists():
        raise SiteError(f"{paths.relative(to)}: holds something other than a site; it is left alone")
    known = sources.read_sources(raw_dir)
    executed = sorted(paths.resolve(executed_dir).glob("*.ipynb"), key=lambda path: path.stem)
    if not executed:
        raise SiteError(f"{paths.relative(executed_dir)}: there is no executed notebook here")
    link = source_linker({source_id: sources.describe(source_id, raw_dir) for source_id in known})
    notebooks = [read_notebook(path, link) for path in executed]
    log = corrections.log_all(raw_dir, paths.resolve(corrections_file)).to_dict("records")
    tables = [_describe(table, raw_dir) for table in sources.list_tables(raw_dir)]
    results = _read_results(results_dir)
    profiled, stale = _profiled(profiles_dir, parameters, link)
    pages = _pages(notebooks, results, picture(results, results_dir), tables, log, known, profiled, stale)
    files = {path.name: path for path in executed} | {
        f"raw/{table['path']}": raw_dir / table["path"] for table in tables
    }
    wrong = faults(pages, {*files, "style.css"}) + _typed(notebooks, results)
    if wrong:
        raise SiteError("\n".join(wrong))
    _put(pages | {"style.css": _stylesheet()}, files, to)
    return list(pages)


def findings(results: dict[str, dict], wanted: list[tuple[str, str, str]] | None = None) -> list[Finding]:
    """Turn values of the notebooks into sentences.

    Parameters
    ----------
    results : dict of str to dict
        Content of the values files by notebook, as `tables.Values` writes them.
    wanted : list of (notebook, value name, template), optional
        FINDINGS unless told.

    Raises
    ------
    SiteError
        Naming every value that is missing or does not fit its template.
    """
    found, wrong = [], []
    for notebook, name, template in FINDINGS if wanted is None else wanted:
        values = results.get(notebook, {}).get("values", {})
        if values.get(name, {}).get("value") is None:
            wrong.append(f"results/{notebook}.json: there is no value {name!r}, which the first page reports")
            continue
        try:
            sentence = template.format(**values[name], all={key: entry["value"] for key, entry in values.items()})
        except (LookupError, ValueError, TypeError) as error:
            wrong.append(f"results/{notebook}.json: value {name!r} does not fit {template!r} ({error!r})")
            continue
        found.append(Finding(sentence, notebook))
    if wrong:
        raise SiteError("\n".join(wrong))
    return found


def claims(results: dict[str, dict]) -> list[Claim]:
    """Every claim that the notebook on claims ruled on.

    Raises
    ------
    SiteError
        When there is no claim, or a claim lacks what was computed for it.
    """
    values = results.get(CLAIMS, {}).get("values", {})
    named = claim_ids(values)
    if not named:
        raise SiteError(f"results/{CLAIMS}.json: there is no claim, which the first page reports")
    if lacking := [name for name in named if name not in values]:
        raise SiteError(f"results/{CLAIMS}.json: there is no value for {', '.join(lacking)}")
    found = []
    for name in named:
        entry, verdict = values[name], values[f"{name}_verdict"]
        computed = f"{in_words(entry)}: {entry['label']}"
        found.append(Claim(name, verdict["label"], verdict["value"], computed, CLAIMS, entry.get("cell", "")))
    return found


def picture(results: dict[str, dict], results_dir: Path) -> Picture | None:
    """The figure of the first page; None when its notebook drew none, as for a country of which nothing is published.

    Raises
    ------
    SiteError
        When there are words for it, but no file.
    """
    notebook, name, file = FIGURE
    alt = results.get(notebook, {}).get("values", {}).get(name, {}).get("value")
    if not alt:
        return None
    path = paths.resolve(results_dir) / file
    if not path.exists():
        raise SiteError(f"{paths.relative(path)}: there is no such figure, which the first page shows")
    return Picture(alt, path, notebook)


BEGIN, END = "<!-- findings: written by make -->", "<!-- end of findings -->"
BEGIN_CLAIMS, END_CLAIMS = "<!-- claims: written by make -->", "<!-- end of claims -->"


def write_findings(readme: Path, results_dir: Path) -> bool:
    """Put findings, figure and claims between their marks in the README; tell whether that changed anything.

    Raises
    ------
    SiteError
        When a mark, a value or the figure is missing.
    """
    text, results = readme.read_text(encoding="utf-8"), _read_results(results_dir)
    shown = picture(results, results_dir)
    if not shown:
        raise SiteError(f"results/{FIGURE[0]}.json: there is no value {FIGURE[1]!r}, the words for the figure")
    found = [f"- {f.sentence} ({_link(f.notebook)})" for f in findings(results)]
    image = f"![{_in_markdown(shown.alt)}]({os.path.relpath(shown.file, readme.parent)})"
    rows = [[_in_markdown(f"{c.name}: {c.text}"), c.verdict, _in_markdown(c.computed), _link(c.notebook)]
            for c in claims(results)]  # fmt: skip
    head = ["| claim | verdict | what was computed | notebook |", "|---|---|---|---|"]
    written = _put_between(text, BEGIN, END, [*found, "", image], readme)
    table = head + [f"| {' | '.join(row)} |" for row in rows]
    written = _put_between(written, BEGIN_CLAIMS, END_CLAIMS, table, readme)
    if written != text:
        readme.write_text(written, encoding="utf-8", newline="\n")
    return written != text


def _put_between(text: str, begin: str, end: str, lines: list[str], readme: Path) -> str:
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SiteError(f"{paths.relative(readme)}: needs the marks {begin!r} and {end!r}, once each")
    before, after = text.split(begin)[0], text.split(end)[1]
    return f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{after}"


def _link(notebook: str) -> str:
    return f"[{notebook}](notebooks/{notebook}.ipynb)"


def _in_markdown(text: str) -> str:
    """A text on one line, without what Markdown would take for a column, a link or markup."""
    return re.sub(r"([\\|\[\]<*_`])", r"\\\1", " ".join(text.split()))


def _read_results(results_dir: Path) -> dict[str, dict]:
    """Content of the values files, by notebook."""
    files = sorted(paths.resolve(results_dir).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def _describe(table: str, raw_dir: Path) -> dict:
    """What the data page tells about one raw table: its sidecar, its anchor, its rows and its checksum."""
    with (raw_dir / table).open(encoding="utf-8", newline="") as file:
        n_rows = sum(1 for _ in csv.reader(file)) - 1
    known = {"path": table, "anchor": _anchor(table), "n_rows": n_rows, "sha256": sources.sha256(raw_dir / table)}
    return sources.read_sidecar(table, raw_dir) | known


def _anchor(table: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", table.removesuffix(".csv").lower())


def _agreement(tables: list[dict]) -> list[dict]:
    """Tables coded twice, without the two coders' own rows, which carry the same figures."""
    own_rows = ("_first.csv", "_second.csv")
    return [table for table in tables if "double_coding" in table and not table["path"].endswith(own_rows)]


def _pages(
    notebooks: list[Notebook],
    results: dict[str, dict],
    shown: Picture | None,
    tables: list[dict],
    log: list[dict],
    known: dict[str, dict],
    profiled: list[country_tables.Country],
    stale: list[str],
) -> dict[str, str]:
    """All pages by file name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"anchor": _anchor, "cell_anchor": anchor, "plainly": _plainly, "svg_address": svg_address}
    # Sources with the same publisher and title stand together, so a link by name reaches all of them.
    listed = sorted(known.values(), key=lambda s: (s["publisher"].casefold(), s["title"].casefold(), s["source_id"]))
    shared = {
        "notebooks": notebooks, "titles": {n.name: n.title for n in notebooks}, "findings": findings(results),
        "claims": claims(results), "picture": shown, "tables": tables,
        "agreement": _agreement(tables), "log": log, "sources": listed,
        "kinds": next((t["columns"]["kind"].get("values", {}) for t in tables if t["path"] == sources.SOURCES), {}),
        "text": _prose("codebook"), "scores": _scores(), "computed": _computed_agreement(results),
        "countries": profiled, "stale": stale, "columns": list(country_tables.COLUMNS.values()),
    }  # fmt: skip
    # A page without the table has nothing to search, and allows no script.
    shared["script"], shared["script_hash"] = country_tables.search_script() if profiled else ("", "'none'")
    pages = {}
    for page in ("index", "countries", "data", "codebook", "corrections", "sources"):
        pages[f"{page}.html"] = environment.get_template(f"{page}.html.j2").render(shared, page=page)
    template = environment.get_template("notebook.html.j2")
    for before, notebook, after in zip([None, *notebooks], notebooks, [*notebooks[1:], None], strict=False):
        if f"{notebook.name}.html" in pages:
            raise SiteError(f"{notebook.name}.ipynb: the site has a page of this name already")
        pages[f"{notebook.name}.html"] = template.render(
            shared, page=notebook.name, notebook=notebook, before=before, after=after,
            values=results.get(notebook.name, {}).get("values", {}),
        )  # fmt: skip
    for before, country, after in zip([None, *profiled], profiled, [*profiled[1:], None], strict=False):
        pages[country.page] = template.render(
            shared, page=country.notebook.name, notebook=country.notebook, values=country.values,
            before=before and before.notebook, after=after and after.notebook,
        )  # fmt: skip
    return pages


def _profiled(
    folder: Path | None, parameters: Path | None, link: Callable[[str], str]
) -> tuple[list[country_tables.Country], list[str]]:
    """The countries whose pages are up to date, and the codes of those that have an old page."""
    if folder is None or parameters is None or not paths.resolve(folder).exists():
        return [], []
    codes, stale = country_pages.current(folder, country_pages.read_parameters(parameters))
    return country_tables.read(folder, codes, link), stale


def _prose(name: str) -> Markup:
    """A text of docs/ as a part of a page."""
    return Markup(
        MarkdownWithMath(renderer=PageRenderer({"content"})).render((paths.DOCS / f"{name}.md").read_text("utf-8"))
    )


def _scores() -> list[dict]:
    """How far the program that reads narratives agrees with the coded tables, as `make extract` recorded it."""
    path = paths.RESULTS / SCORES
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _computed_agreement(results: dict[str, dict]) -> dict[str, dict]:
    """Agreement of the two coders by table, as notebook 01 computed it."""
    values = results.get(CODERS, {}).get("values", {})
    return {name.removeprefix("agreement_"): v for name, v in values.items() if name.startswith("agreement_")}


def _typed(notebooks: list[Notebook], results: dict[str, dict]) -> list[str]:
    """Numbers that a page or a finding says although no notebook computed them."""
    found = [fault for notebook in notebooks for fault in typed_numbers(notebook, results.get(notebook.name, {}))]
    sentences = [(f.sentence, f.notebook) for f in findings(results)]
    sentences += [(text, claim.notebook) for claim in claims(results) for text in (claim.text, claim.computed)]
    for sentence, notebook in sentences:
        content = results[notebook]
        typed = unsupported_numbers(sentence, content["values"], content.get("parameters", {}))
        found += [f"index.html: {number} is no value of results/{notebook}.json: {sentence!r}" for number in typed]
    return found


def _plainly(value) -> str:
    """A value as the index of numbers shows it."""
    if isinstance(value, list):
        return ", ".join(map(_plainly, value)) or "none"
    if value is None or isinstance(value, jinja2.Undefined):
        return "–"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _stylesheet() -> str:
    """The style of the pages, with the colours of code for light and for dark screens."""
    light, dark = (
        "\n".join(HtmlFormatter(style=style).get_token_style_defs(".highlight")) for style in (LIGHT_CODE, DARK_CODE)
    )
    style = (HERE / "style.css").read_text(encoding="utf-8")
    light = f"@media print, (prefers-color-scheme: light) {{\n{light}\n}}"
    return f"{style}\n{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _put(texts: dict[str, str], files: dict[str, Path], to: Path) -> None:
    """Write texts and copies of files to a folder beside `to`, then put it in the place of `to`."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as folder:
        new, old = Path(folder, "new"), Path(folder, "old")
        for name, text in texts.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8", newline="\n")
        for name, path in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, new / name)
        if to.exists():
            to.rename(old)
        try:
            new.rename(to)
        except OSError:
            if old.exists():
                old.rename(to)
            raise
