"""Sphinx with MyST-NB and its book theme, set so that pages need no network and two builds give the same bytes.

As an extension of Sphinx (`setup`) it adds what those lack: formulas as MathML, anchors of notebook cells, and markup
that people who do not see the page are served by.
"""

import io
import os
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from .pages import LANGUAGES
from .reported import SiteError

HERE = Path(__file__).parent
TITLE = "Sentencing of human traffickers in Serbia"
NOTICE = (
    "<p>All figures were transcribed, coded or taken over by AI readers; no person has checked them. "
    '<a href="readers.html#how-to-check-a-row">How to check a row</a>.</p>'
)
SETTINGS = {
    "project": TITLE,
    "html_title": TITLE,
    "language": "en",
    "extensions": ["myst_nb", __name__],
    "exclude_patterns": ["extra"],
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {
        "navbar_persistent": [],  # else a second button to search
        "use_download_button": False,
        "use_fullscreen_button": False,
        "show_toc_level": 2,
        "search_bar_text": "Search these pages",
        "extra_footer": NOTICE,
        "footer_content_items": ["extra-footer.html"],
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "a11y-high-contrast-dark",
    },
    "html_sidebars": {"**": ["site-name.html", "search-button-field.html", "sbt-sidebar-nav.html"]},
    "html_context": {"default_mode": "auto", "languages": LANGUAGES},
    "html_static_path": [str(HERE / "static")],
    "templates_path": [str(HERE / "theme")],
    "html_css_files": ["style.css"],
    "html_js_files": ["folded.js"],
    "html_extra_path": ["extra"],
    # Sources are the notebooks and tables offered for download; a summary of hits could not be fetched from a disk.
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,
    "html_use_index": False,
    "html_last_updated_fmt": None,
    "html_show_copyright": False,
    "smartquotes": False,
    "html_math_renderer": "mathml",
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"],
    "myst_heading_anchors": 4,
    "myst_url_schemes": ["http", "https", "mailto"],
}
# What Sphinx and its themes leave behind for their own use; of no use to a page.
NOT_FOR_READERS = (
    ".buildinfo", "objects.inv", "_static/**/*.map", "_static/**/*.html", "_static/**/.gitignore",
    "_static/**/fontawesome.js*", "_static/locales/**/*.?o",
)  # fmt: skip
PLACES = re.compile(r"\x1b\[[0-9;]*m")


def run(source: Path, to: Path, work: Path) -> None:
    """Make HTML pages in `to` from the MyST files and notebooks in `source`; `work` holds what only Sphinx needs.

    Raises
    ------
    SiteError
        With every warning of Sphinx.
    """
    told = io.StringIO()
    settings = SETTINGS | _bibliography(source)
    with patch_docutils(source), docutils_namespace():
        application = Sphinx(
            source, None, to, work, "html", settings, status=None, warning=told, freshenv=True,
            parallel=os.cpu_count() or 1,
        )  # fmt: skip
        application.build(force_all=True)
    # Rendered text names places in the folder of this build; readers know those of the repository.
    if warnings := PLACES.sub("", told.getvalue()).replace(f"{source}/", "").strip():
        raise SiteError(warnings)
    for path in {path for pattern in NOT_FOR_READERS for path in to.glob(pattern)}:
        path.unlink()


def _bibliography(source: Path) -> dict:
    files = sorted(path.name for path in source.glob("*.bib"))
    if not files:
        return {}
    return {"extensions": [*SETTINGS["extensions"], "sphinxcontrib.bibtex"], "bibtex_bibfiles": files}


def setup(application: Sphinx) -> dict:
    """Called by Sphinx."""
    application.add_html_math_renderer("mathml", (_inline_formula, None), (_formula, None))
    application.connect("doctree-read", _anchor_cells)
    application.add_node(HideCodeCellNode, override=True, html=(_open_code, _close_code))
    application.add_node(nodes.citation, override=True, html=(_open_reference, _close_reference))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _anchor_cells(_application: Sphinx, document: nodes.document) -> None:
    for cell in document.findall(nodes.container):
        if anchor := cell.get("cell_metadata", {}).get("anchor"):
            cell["ids"].append(anchor)


def _open_code(writer, _node: nodes.Element) -> None:
    writer.body.append('<details class="code"><summary>Code</summary>\n')


def _close_code(writer, _node: nodes.Element) -> None:
    writer.body.append("</details>\n")


def _open_reference(writer, node: nodes.Element) -> None:
    # Docutils gives it a role that is deprecated, in a list with other things than items.
    writer.body.append(writer.starttag(node, "div", classes=["citation"]))


def _close_reference(writer, _node: nodes.Element) -> None:
    writer.body.append("</div>\n")


def _inline_formula(writer, node: nodes.Element) -> None:
    writer.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def _formula(writer, node: nodes.Element) -> None:
    number = node.get("number")
    told = f'<span class="eqno">({escape(str(number))})</span>' if number else ""
    start = writer.starttag(node, "div", CLASS="formula", tabindex="0")
    writer.body.append(f"{start}{_mathml(node, as_block=True)}{told}</div>\n")
    raise nodes.SkipNode


def _mathml(node: nodes.Element, as_block: bool) -> str:
    return tex2mathml(node.astext(), as_block=as_block)
