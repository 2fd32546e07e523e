"""Pages of countries: the executed profiles as pages of the site, and the table in which a reader finds one."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from .. import countries, paths, schemas
from .notebook import Notebook, read_notebook

# Columns of the table: name of a value of the profile, head. The first is the country.
COLUMNS = {
    "last_tier": "Tier",
    "last_victims_tip": "Victims, TIP Report",
    "last_victims_unodc": "Victims, UNODC",
    "last_convicted_tip": "Convicted, TIP Report",
    "last_convicted_unodc": "Convicted, UNODC",
    "last_law": "Law, basic form",
    "last_known_terms": "Terms of those sentenced",
}
HERE = Path(__file__).parent


class Country(NamedTuple):
    """A country with its page: code, name, the notebook as parts of a page, and its values by name."""

    code: str
    name: str
    notebook: Notebook
    values: dict[str, dict]

    @property
    def page(self) -> str:
        return f"{self.notebook.name}.html"

    @property
    def cells(self) -> list[str]:
        """What the table says of it, a cell for each of COLUMNS."""
        return [self.values[name]["value"] for name in COLUMNS]


def read(folder: Path, codes: list[str], link: Callable[[str], str]) -> list[Country]:
    """The countries of a folder of profiles, in the order of their names.

    Parameters
    ----------
    codes : list of str
        Those whose pages are up to date.
    link : function
        Puts links to sources into outputs; see `source_linker`.
    """
    folder, found = paths.resolve(folder), []
    for code in codes:
        notebook = read_notebook(folder / f"{code}.ipynb", link)
        values = json.loads((folder / countries.VALUES / f"{code}.json").read_text(encoding="utf-8"))["values"]
        name = schemas.country_name(code)
        found.append(Country(code, name, _named(notebook, code, name), values))
    return sorted(found, key=lambda country: country.name)


def _named(notebook: Notebook, code: str, name: str) -> Notebook:
    """The notebook under the name of its page, with the country in its heading."""
    title = f"{name}: {notebook.title.lower()}"
    cells = [cell._replace(text=_headed(cell.text, title)) for cell in notebook.cells]
    return notebook._replace(name=f"country-{code.lower()}", title=title, cells=cells)


def _headed(text: Markup, title: str) -> Markup:
    return Markup(re.sub(r"(<h1[^>]*>).*?(</h1>)", lambda m: f"{m[1]}{Markup.escape(title)}{m[2]}", text, flags=re.S))


def inline(name: str) -> tuple[Markup, str]:
    """A script of this folder to stand in a page, and its SHA-256 as the page's policy names it."""
    script = (HERE / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup(script), f"'sha256-{digest}'"
