"""What is said of the repository as a whole, read from where it is written: CITATION.cff, LICENSE-DATA.md, the pins."""

import datetime
import re
import tomllib
from pathlib import Path

import yaml

from .. import paths

NAME = "sentencing-serbia"
SPDX = {"MIT": "MIT License", "CC-BY-4.0": "Creative Commons Attribution 4.0 International"}


def citation() -> dict:
    """Content of CITATION.cff, dates as text."""
    return yaml.load((paths.ROOT / "CITATION.cff").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def data_sources() -> list[str]:
    """The groups of sources that the tables draw on: first column of the list in LICENSE-DATA.md, no markup."""
    text = (paths.ROOT / "LICENSE-DATA.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!source \|)([^|]+?) \| [^|]+ \|$", text, re.MULTILINE)
    return [re.sub(r"[*`]", "", row) for row in rows]


def pins(root: Path = paths.ROOT) -> dict[str, str]:
    """Version of every pinned package, by name."""
    text = (root / "requirements.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it, and as it is written in the pins."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(root: Path = paths.ROOT, tests: bool = False) -> list[str]:
    """Names of the packages that the project itself asks for; with `tests` those for tests, too."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["test"] if tests else [])
    return [re.match(r"[A-Za-z0-9._-]+", requirement)[0] for requirement in wanted]


def date() -> str:
    """The day of this version: that of its release, or, before it is released, the newest day of the list of changes.

    Raises
    ------
    ValueError
        When there is neither.
    """
    if released := citation().get("date-released"):
        return released
    text = (paths.DOCS / "changelog.md").read_text(encoding="utf-8")
    version = re.search(r"^## [^\n(]+\([A-Z][a-z]+ (\d{4})\b", text, re.MULTILINE)
    newest = version and re.search(r"^### (?:[^\n]* )?(\d{1,2} [A-Z][a-z]+)$", text[version.end() :], re.MULTILINE)
    if not newest:
        raise ValueError("docs/changelog.md: expected '## version (month year)' and below it '### day month'")
    return datetime.datetime.strptime(f"{newest[1]} {version[1]}", "%d %B %Y").date().isoformat()


def python() -> str:
    """The versions of Python that the package allows, such as ">=3.11"."""
    text = (paths.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^requires-python = "([^"]+)"', text, re.MULTILINE)[1]
