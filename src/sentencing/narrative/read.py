"""Brings narratives in: a table with one row per narrative, or a folder of texts and pages. One at a time."""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .split import SECTIONS

REQUIRED = ("iso3", "country", "report_year")
_FILE = re.compile(r"(?P<iso3>[A-Z]{3})-(?P<year>(?:19|20)\d\d)")
_BLOCKS = ["p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "br", "section", "article"]


class BadInput(Exception):
    """The input cannot be read; the message says where and why."""


class Narrative(NamedTuple):
    """One country's narrative of one edition: the text of each section, as given."""

    iso3: str
    country: str
    report_year: int
    sections: dict[str, str]


def narratives(source: Path) -> Iterator[Narrative]:
    """Yield the narratives of a CSV file or of a folder.

    Parameters
    ----------
    source : Path
        A UTF-8 CSV with columns iso3, country, report_year and at least one section (`split.SECTIONS`); or a folder
        of .txt, .html and .htm files named ISO3-year.

    Raises
    ------
    BadInput
        When there is nothing there, a column is missing, a name or year does not say what it should, or a file is
        not UTF-8.
    """
    if source.is_dir():
        yield from _folder(source)
    elif source.is_file():
        yield from _table(source)
    else:
        raise BadInput(f"{source}: no such file or folder")


def _table(source: Path) -> Iterator[Narrative]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with source.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        try:
            names = rows.fieldnames or []
            missing = [name for name in REQUIRED if name not in names]
            if missing:
                raise BadInput(f"{source}: column {', '.join(missing)} missing; there are {', '.join(names) or 'none'}")
            if not set(SECTIONS) & set(names):
                raise BadInput(f"{source}: no section; expected one or more of {', '.join(SECTIONS)}")
            for row in rows:
                yield _row(row, f"{source}, line {rows.line_num}")
        except UnicodeDecodeError as error:
            raise BadInput(f"{source}: not UTF-8 after line {rows.line_num} ({error.reason})") from None
        except csv.Error as error:
            raise BadInput(f"{source}, line {rows.line_num}: {error}") from None


def _row(row: dict, place: str) -> Narrative:
    iso3, year = (row["iso3"] or "").strip(), (row["report_year"] or "").strip()
    if not re.fullmatch(r"[A-Z]{3}", iso3):
        raise BadInput(f"{place}: iso3 is {iso3!r}, expected three capital letters")
    if not re.fullmatch(r"(?:19|20)\d\d", year):
        raise BadInput(f"{place}: report_year is {year!r}, expected a year")
    sections = {name: row[name] for name in SECTIONS if row.get(name)}
    return Narrative(iso3, (row["country"] or "").strip(), int(year), sections)


def _folder(source: Path) -> Iterator[Narrative]:
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in (".txt", ".html", ".htm"))
    if not files:
        raise BadInput(f"{source}: no .txt or .html files")
    for path in files:
        name = _FILE.fullmatch(path.stem)
        if not name:
            raise BadInput(f"{path}: the name should be ISO3-year, as in SRB-2018{path.suffix}")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from None
        if path.suffix.lower() != ".txt":
            text = page_text(text)
        yield Narrative(name["iso3"], name["iso3"], int(name["year"]), {"intro": text})


def page_text(html: str) -> str:
    """The words of a page, blocks on lines of their own, without scripts and styles."""
    from bs4 import BeautifulSoup  # only pages need it, and loading it takes time

    soup = BeautifulSoup(html, "html.parser")
    for tag in soup(["script", "style", "nav", "header", "footer", "template"]):
        tag.decompose()
    for tag in soup(_BLOCKS):
        tag.append("\n")
    return re.sub(r"[ \t\r\f\v]*\n\s*", "\n", soup.get_text()).strip()
