"""Pages of countries: the executed profiles as pages of the site, and the table in which a reader finds one."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .. import countries, paths, schemas
from .markdown import plain
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
    first = next(place for place, cell in enumerate(notebook.cells) if cell.text is not None)
    headed = re.sub(r"^# .*", lambda _: f"# {plain(title)}", notebook.cells[first].source, count=1, flags=re.MULTILINE)
    cells = [*notebook.cells[:first], notebook.cells[first]._replace(source=headed), *notebook.cells[first + 1 :]]
    return notebook._replace(name=f"country-{code.lower()}", title=title, cells=cells)
