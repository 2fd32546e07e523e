"""One executed notebook as it goes to its page: text, folded code, outputs, and the parameters in use."""

import ast
import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import nbformat
import pandas as pd
from markupsafe import Markup
from nbconvert.filters import markdown2html, strip_ansi
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from .. import schemas

PARAMETERS, INJECTED = "parameters", "injected-parameters"
DRAWING = re.compile(r'src="data:image/svg\+xml,([^"]*)"')
CAPTION = re.compile(r"<figcaption>(.*?)</figcaption>", re.DOTALL)
BELOW_CAPTION = re.compile(r"(</figcaption>)(.*?)</figure>", re.DOTALL)
FIGURES, TABLES = "figures", "tables"  # folders of the site for what readers can take along


class Parameter(NamedTuple):
    """A parameter as the run used it, and the notebook's own default."""

    name: str
    value: str
    default: str

    @property
    def is_path(self) -> bool:
        """Whether it names a file or folder; readers come for the choices."""
        return self.name.startswith(("raw_", "in_", "out_")) or self.name.endswith(("_dir", "_file"))


class Cell(NamedTuple):
    """A cell for a page: what it says (`text`, of markdown), its source, its outputs as HTML, and each one's table."""

    id: str
    source: str
    text: Markup | None = None
    outputs: tuple[Markup, ...] = ()
    data: tuple[str, ...] = ()  # CSV behind each output; blank where there is none
    parameters: tuple[Parameter, ...] = ()


class Notebook(NamedTuple):
    """A notebook for a page. The title is its first heading, the summary the first paragraph after that."""

    name: str
    title: str
    summary: str
    cells: list[Cell]


def read_notebook(path: Path, link: Callable[[str], str] = str) -> Notebook:
    """Read an executed notebook for its page; `link` puts links to sources into its outputs.

    Raises
    ------
    ValueError
        When the notebook has no heading, or shows something that no reader of the page could see or hear read.
    """
    content = nbformat.read(path, as_version=4)
    parameters = _parameters(content.cells)
    cells = []
    for number, cell in enumerate(content.cells):
        if cell.cell_type == "markdown":
            cells.append(Cell(cell.get("id", ""), cell.source, text=Markup(markdown2html(cell.source))))
        elif cell.cell_type == "code" and cell.source.strip() and not _tagged(cell, INJECTED):
            outputs = [_output(output, f"{path.name}, cell {number}") for output in cell.outputs]
            shown = [(output, kept.get("data", {}).get("text/csv", ""))
                     for output, kept in zip(outputs, cell.outputs, strict=True) if output]  # fmt: skip
            cells.append(
                Cell(
                    cell.get("id", ""),
                    cell.source,
                    outputs=tuple(Markup(link(output)) for output, _ in shown),
                    data=tuple(csv for _, csv in shown),
                    parameters=parameters if _tagged(cell, PARAMETERS) else (),
                )
            )
    text = "".join(cell.text for cell in cells if cell.text)
    title = re.search(r"<h1[^>]*>(.*?)<a class=.anchor-link|<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    if not title:
        raise ValueError(f"{path.name}: a notebook starts with a heading; it has none")
    summary = re.search(r"<p>(.*?)</p>", text[title.end() :], re.DOTALL)
    return Notebook(path.stem, _plain(title[1] or title[2]), _plain(summary[1]) if summary else "", cells)


def anchor(cell_id: str) -> str:
    """Where on its page a cell stands."""
    return f"cell-{cell_id}"


def for_sphinx(
    notebook: Notebook, below_title: Markup, told: dict[str, Markup], numbers: Markup, **metadata
) -> nbformat.NotebookNode:
    """The notebook as MyST-NB reads it: code folded, every output as HTML, each code cell with its anchor.

    Parameters
    ----------
    below_title, numbers : Markup
        What stands below the first cell of text, and what at the end under a heading of its own (if anything).
    told : dict of str to Markup
        What stands above the folded code of a cell, by the cell's id.
    **metadata
        For the page as a whole, as in the front matter of a MyST file.
    """
    cells = []
    for cell in notebook.cells:
        if cell.text is not None:
            cells.append(new_markdown_cell(cell.source, id=cell.id))
            if below_title:
                cells.append(_shown(below_title))
                below_title = Markup("")
            continue
        if cell.id in told:
            cells.append(_shown(told[cell.id]))
        marks = {"tags": ["hide-input"], "anchor": anchor(cell.id)}
        cells.append(new_code_cell(cell.source, id=cell.id, metadata=marks, outputs=_outputs(cell.outputs)))
    if numbers:
        cells += [new_markdown_cell("## Numbers of this page"), _shown(numbers)]
    return new_notebook(cells=cells, metadata=_LANGUAGE | metadata)


_LANGUAGE = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}


def _shown(markup: Markup) -> nbformat.NotebookNode:
    """A cell that has an output only; MyST-NB leaves out one without source."""
    return new_code_cell("...", outputs=_outputs([markup]), metadata={"tags": ["remove-input"]})


def _outputs(markup) -> list[nbformat.NotebookNode]:
    return [new_output("display_data", {"text/html": str(output)}) for output in markup]


def take_files(notebook: Notebook, with_data: bool) -> tuple[Notebook, dict[str, str]]:
    """The notebook with what readers can take along as files of their own, and these: text by address on the site.

    A drawing becomes an SVG file, which takes a quarter less room than in the address of an image. `with_data`: below
    each figure and table stand links to its files, the data as CSV and a table as LaTeX too.
    """
    files: dict[str, str] = {}
    cells = []
    for cell in notebook.cells:
        outputs = []
        for number, (output, csv) in enumerate(zip(cell.outputs, cell.data, strict=True), 1):
            stem = f"{notebook.name}-{cell.id}" + (f"-{number}" if number > 1 else "")
            output, taken = _take(output, csv if with_data else "", stem)
            outputs.append(_with_links(output, taken) if with_data else output)
            files |= taken
        cells.append(cell._replace(outputs=tuple(outputs)))
    return notebook._replace(cells=cells), files


def _take(output: Markup, csv: str, stem: str) -> tuple[Markup, dict[str, str]]:
    """An output with its drawing as a file, and the files of it by address."""
    drawing, caption = DRAWING.search(output), CAPTION.search(output)
    files = {}
    if drawing:
        # The caption of a figure is its last part in HTML; its sources come after it.
        output = Markup(BELOW_CAPTION.sub(r"\1</figure>\2", str(output)))
        files[f"{FIGURES}/{stem}.svg"] = unquote(drawing[1])
        output = Markup(str(output).replace(drawing[0], f'src="{FIGURES}/{stem}.svg"'))
    if csv:
        folder = FIGURES if drawing else TABLES
        files[f"{folder}/{stem}.csv"] = csv
        if not drawing:
            files[f"{folder}/{stem}.tex"] = _latex(csv, _plain(caption[1]) if caption else "")
    return output, files


LINKS = {".svg": "figure (SVG)", ".csv": "data (CSV)", ".tex": "table (LaTeX)"}


def _with_links(output: Markup, files: dict[str, str]) -> Markup:
    """A figure or table with links to its files below it."""
    if not files:
        return output
    links = " · ".join(f'<a href="{name}" download>{LINKS[name[-4:]]}</a>' for name in files)
    return output + Markup(f'<p class="files">Download: {links}</p>')


def _latex(csv: str, caption: str) -> str:
    """A table of a CSV file for LaTeX with the package booktabs; its text is escaped."""
    frame = pd.read_csv(io.StringIO(csv), dtype=str, keep_default_na=False)
    frame = frame.map(schemas.as_before).rename(columns=schemas.as_before)  # what is for spreadsheets only
    shown = frame.replace("", "–").rename(columns=lambda name: name.replace("_", " "))
    escaped = shown.map(_in_latex).rename(columns=_in_latex)
    return escaped.to_latex(index=False, escape=False, caption=_in_latex(caption) or None)


_LATEX = {sign: f"\\{sign}" for sign in "&%$#_{}"}
_LATEX |= {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "\n": " "}


def _in_latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _parameters(cells: list[nbformat.NotebookNode]) -> tuple[Parameter, ...]:
    """Parameters in the order of the notebook; values that the run injected take the place of defaults."""
    default, injected = {}, {}
    for cell in cells:
        for tag, values in ((PARAMETERS, default), (INJECTED, injected)):
            if _tagged(cell, tag):
                values.update(_assigned(cell.source))
    return tuple(Parameter(name, (default | injected)[name], default.get(name, "")) for name in default | injected)


def _assigned(source: str) -> dict[str, str]:
    """Names and values that a cell of plain assignments sets; strings without their quotes."""
    pairs = [(node.targets[0].id, node.value) for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    return {name: _shown_value(value) for name, value in pairs}


def _shown_value(node: ast.expr) -> str:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    return text or ast.unparse(node)


def _output(output: nbformat.NotebookNode, place: str) -> Markup:
    """Markup of one output, in the richest form that is readable without pictures."""
    if output.output_type == "stream":
        return _preformatted(output.text)
    data = output.get("data", {})
    if "text/html" in data:
        return Markup(data["text/html"])
    if "text/markdown" in data:
        return Markup(markdown2html(data["text/markdown"]))
    if "text/plain" in data and not any(kind.startswith("image/") for kind in data):
        return _preformatted(data["text/plain"])
    raise ValueError(f"{place}: shows an error, or an image without alternative text; images go through figures.show")


def _preformatted(text: str) -> Markup:
    return Markup('<pre tabindex="0">{}</pre>').format(strip_ansi(text)) if text.strip() else Markup("")


def source_linker(names: dict[str, str]) -> Callable[[str], str]:
    """Make the function that links source lines, and table cells of source ids, to the list of sources.

    Parameters
    ----------
    names : dict of str to str
        How source lines name each source, by its id. Of sources that share a name the first is linked; on the
        list the others follow it.
    """
    ids: dict[str, str] = {}
    for source_id in sorted(names):
        ids.setdefault(html.escape(names[source_id]), source_id)
    either = "|".join(map(re.escape, sorted(ids, key=len, reverse=True)))
    name = re.compile(rf"(?:^|(?<=; ))(?:{either})(?=; |$)")

    def line(match: re.Match) -> str:
        return match[1] + name.sub(lambda found: _to_source(ids[found[0]], found[0]), match[2])

    def cell(match: re.Match) -> str:
        cited = match[1].split(";")
        return f"<td>{'; '.join(_to_source(i, i) for i in cited)}</td>" if all(i in names for i in cited) else match[0]

    def link(markup: str) -> str:
        markup = re.sub(r'(class="source">Source: )([^<]+)', line, markup)
        return re.sub(r"<td>([^<>\s]+)</td>", cell, markup)

    return link


def _to_source(source_id: str, text: str) -> str:
    return f'<a href="sources.html#{html.escape(source_id)}">{text}</a>'
