"""One executed notebook as the parts of a page: text, folded code, outputs, and the parameters in use."""

import ast
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

PARAMETERS, INJECTED = "parameters", "injected-parameters"
IDS_OF_PAGE = {"content", "numbers"}


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
    """A cell for a page: `text` of a markdown cell; `code`, `outputs` and `parameters` of a code cell."""

    id: str
    text: Markup = Markup("")
    code: Markup = Markup("")
    outputs: tuple[Markup, ...] = ()
    parameters: tuple[Parameter, ...] = ()


class Notebook(NamedTuple):
    """A notebook for a page. The title is its first heading, the summary the first paragraph after that."""

    name: str
    title: str
    summary: str
    cells: list[Cell]


class PageRenderer(IPythonRenderer):
    """Markdown of one notebook: one first-level heading, anchors, scrolling tables, links between pages."""

    def __init__(self, taken: set[str]):
        """`taken`: ids that the page has for other things than headings."""
        super().__init__(escape=False, allow_harmful_protocols=False)
        self.taken = set(taken)
        self.has_title = False

    def heading(self, text: str, level: int, **attrs) -> str:
        level = max(level, 2) if self.has_title else 1
        self.has_title = True
        stem = re.sub(r"[\W_]+", "-", _plain(text).lower()).strip("-") or "section"
        anchor, number = stem, 1
        while anchor in self.taken:
            number += 1
            anchor = f"{stem}-{number}"
        self.taken.add(anchor)
        link = f' <a class="anchor" href="#{anchor}" aria-label="Link to this section">¶</a>' if level > 1 else ""
        return f'<h{level} id="{anchor}">{text}{link}</h{level}>\n'

    def table(self, text: str) -> str:
        return f'<div class="scroll" tabindex="0"><table>{text}</table></div>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        page = re.sub(r"^([^/:?#]+)\.ipynb(?=#|$)", r"\1.html", url)
        return super().link(text, page, title)


def read_notebook(path: Path, link: Callable[[str], str] = str) -> Notebook:
    """Read an executed notebook for its page; `link` puts links to sources into its outputs.

    Raises
    ------
    ValueError
        When the notebook has no heading, or shows something that no reader of the page could see or hear read.
    """
    content = nbformat.read(path, as_version=4)
    markdown = MarkdownWithMath(
        renderer=PageRenderer(IDS_OF_PAGE | {anchor(cell.get("id", "")) for cell in content.cells})
    )
    highlight = Highlight2HTML(pygments_lexer="ipython3")
    parameters = _parameters(content.cells)
    cells = []
    for number, cell in enumerate(content.cells):
        if cell.cell_type == "markdown":
            cells.append(Cell(cell.get("id", ""), text=Markup(markdown.render(cell.source))))
        elif cell.cell_type == "code" and cell.source.strip():
            place = f"{path.name}, cell {number}"
            outputs = (_output(output, markdown, place) for output in cell.outputs)
            cells.append(
                Cell(
                    cell.get("id", ""),
                    code=Markup(highlight(cell.source)),
                    outputs=tuple(Markup(link(output)) for output in outputs if output),
                    parameters=parameters if _tagged(cell, PARAMETERS) else (),
                )
            )
    text = "".join(cell.text for cell in cells)
    title = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    if not title:
        raise ValueError(f"{path.name}: a notebook starts with a heading; it has none")
    summary = re.search(r"<p>(.*?)</p>", text[title.end() :], re.DOTALL)
    return Notebook(path.stem, _plain(title[1]), _plain(summary[1]) if summary else "", cells)


def anchor(cell_id: str) -> str:
    """Where on its page a cell stands."""
    return f"cell-{cell_id}"


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
    return {name: _shown(value) for name, value in pairs}


def _shown(node: ast.expr) -> str:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    return text or ast.unparse(node)


def _output(output: nbformat.NotebookNode, markdown: MarkdownWithMath, place: str) -> Markup:
    """Markup of one output, in the richest form that is readable without pictures."""
    if output.output_type == "stream":
        return _preformatted(output.text)
    data = output.get("data", {})
    if "text/html" in data:
        return Markup(data["text/html"])
    if "text/markdown" in data:
        return Markup(markdown.render(data["text/markdown"]))
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
