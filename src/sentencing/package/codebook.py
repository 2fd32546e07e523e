"""The codebook of the processed tables and of the tables of results: what each column means, and how far it is filled.

It stands in `data/processed/README.md` and `results/README.md` and nowhere else: under a heading for each table what a
row is, the key, and a list of the columns. Meanings are written by hand; the last column of each list is computed.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .. import paths

HOMES = (paths.PROCESSED / "README.md", paths.RESULTS / "README.md")
HEAD = "| column | type | meaning | blank means |"
_TABLE = re.compile(r"## (\S+\.csv)")
_COLUMN = re.compile(r"\| `(\w+)` \|(.*)\|")


class CodebookError(ValueError):
    """A list of columns cannot be read, or is not that of its table."""


class Column(NamedTuple):
    """An entry of the codebook. `type` has the unit behind a semicolon, if there is one."""

    type: str
    meaning: str
    blank: str

    @property
    def kind(self) -> str:
        return re.split(r"[;,]", self.type)[0].strip()

    @property
    def unit(self) -> str:
        """The unit; for `whole number, as value` that of the other column, in words."""
        return self.type.partition(";")[2].strip() or (re.findall(r"\bas `?\w+`?", self.type) or [""])[0]


class Table(NamedTuple):
    """What is told of a table: what a row is, the columns that tell rows apart, and all columns in their order."""

    file: Path
    one_row_is: str
    key: list[str]
    columns: dict[str, Column]


def read(home: Path) -> dict[str, Table]:
    """Every table that a README tells of, by name.

    Raises
    ------
    CodebookError
        Naming the file and the entry that is told twice or lacks a part.
    """
    found: dict[str, Table] = {}
    for name, section in _sections(home.read_text(encoding="utf-8")):
        place, columns = f"{paths.relative(home)}, {name}", {}
        for column, cells in _entries(section):
            if column in columns:
                raise CodebookError(f"{place}: two entries for {column}")
            if len(cells) < 3 or not all(cells[:3]):
                raise CodebookError(f"{place}: {column} needs a type, a meaning, and what a blank means")
            columns[column] = Column(*cells[:3])
        if name in found or not columns:
            raise CodebookError(f"{place}: needs one heading with one list of columns")
        about = section.strip().split("\n\n")[0].replace("\n", " ")
        key = re.search(r"^Key: (.+)\.$", section, re.MULTILINE)
        found[name] = Table(home.parent / name, about, re.findall(r"`(\w+)`", key[1]) if key else [], columns)
    return found


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^(## .*)$", text, flags=re.MULTILINE)
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        if named := _TABLE.fullmatch(heading.replace("`", "")):
            yield named[1], body


def _entries(section: str) -> Iterator[tuple[str, list[str]]]:
    for line in section.splitlines():
        if entry := _COLUMN.fullmatch(line):
            yield entry[1], [cell.strip() for cell in entry[2].split("|")]


def counts(table: Path) -> tuple[int, dict[str, int]]:
    """Rows of a CSV file, and by column in how many of them it is filled."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = next(rows)
        n_rows, filled = 0, [0] * len(columns)
        for row in rows:
            n_rows += 1
            for place, cell in enumerate(row):
                filled[place] += cell != ""
    return n_rows, dict(zip(columns, filled, strict=True))


def rate(filled: int, rows: int) -> str:
    """A share of rows in whole percent: 0 and 100 are said of none and all only."""
    if not rows or filled in (0, rows):
        return "–" if not rows else f"{100 * filled // rows} %"
    return f"{min(max(round(100 * filled / rows), 1), 99)} %" if filled * 200 >= rows else "under 1 %"


def filled(home: Path) -> str:
    """The text of a README with the fill rates as the tables are now.

    Raises
    ------
    CodebookError
        When a list is not that of its table: columns missing, extra, or in another order.
    """
    told, lines, n_rows, found = read(home), [], 0, None
    for line in home.read_text(encoding="utf-8").splitlines():
        if heading := _TABLE.fullmatch(line.replace("`", "")):
            table = told[heading[1]]
            n_rows, found = counts(table.file)
            if list(found) != list(table.columns):
                apart = set(found) ^ set(table.columns) or "their order"
                raise CodebookError(f"{paths.relative(home)}, {heading[1]}: not the columns of the table: {apart}")
        elif line.startswith(HEAD):
            line = f"{HEAD} filled in {n_rows:,} rows |"
        elif found and line.startswith("|---") and lines[-1].startswith(HEAD):
            line = "|---|---|---|---|---|"
        elif found and (entry := _COLUMN.fullmatch(line)):
            cells = [cell.strip() for cell in entry[2].split("|")][:3]
            line = f"| `{entry[1]}` | {' | '.join(cells)} | {rate(found[entry[1]], n_rows)} |"
        lines.append(line)
    return "\n".join(lines) + "\n"
