"""One executed notebook as it goes to its page: text, folded code, outputs, and the parameters in use."""

import ast
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import nbformat
from markupsafe import Markup
from nbconvert.filters import markdown2html, strip_ansi
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PARAMETERS, INJECTED = "parameters", "injected-parameters"
DRAWING = re.compile(r'src="data:image/svg\+xml,([^"]*)"')
FIGURES = "figures"  # folder of the drawings on the site


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
    """A cell for a page: what it says (`text`, of markdown), its source, and its outputs as HTML."""

    id: str
    source: str
    text: Markup | None = None
    outputs: tuple[Markup, ...] = ()
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
            outputs = (_output(output, f"{path.name}, cell {number}") for output in cell.outputs)
            cells.append(
                Cell(
                    cell.get("id", ""),
                    cell.source,
                    outputs=tuple(Markup(link(output)) for output in outputs if output),
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


def take_drawings(notebook: Notebook) -> tuple[Notebook, dict[str, str]]:
    """The notebook with the drawings of its outputs as files of their own, and these: SVG by address on the site.

    As a file a drawing takes a quarter less room than in the address of an image, and can be kept by readers.
    """
    drawings: dict[str, str] = {}

    def file(match: re.Match, stem: str) -> str:
        number = sum(name.startswith(f"{FIGURES}/{stem}") for name in drawings)
        name = f"{FIGURES}/{stem}{f'-{number + 1}' if number else ''}.svg"
        drawings[name] = unquote(match[1])
        return f'src="{name}"'

    cells = [
        cell._replace(
            outputs=tuple(
                Markup(DRAWING.sub(lambda found, cell=cell: file(found, f"{notebook.name}-{cell.id}"), output))
                for output in cell.outputs
            )
        )
        for cell in notebook.cells
    ]
    return notebook._replace(cells=cells), drawings


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
