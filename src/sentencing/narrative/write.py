"""Writes what was read: four tables, row by row, and a page that shows the words behind each figure."""

import csv
import html
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TextIO

from ..schemas import without_formulas
from .assemble import extract
from .read import Narrative
from .rows import COLUMNS
from .split import SECTIONS

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figures read from country narratives</title>
<style>
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; overflow-wrap: anywhere;
  color: #1b1b1b; background: #fff; }
mark { background: #ffe08a; padding: 0 .1em; }
nav { columns: 11rem; } nav a { display: block; padding: .2rem 0; }
summary { cursor: pointer; font-weight: 600; padding: .4rem 0; } h2, h3 { line-height: 1.25; }
article { border-top: 1px solid #bbb; } ul { font-size: .85rem; padding-left: 1.2rem; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #161616; } mark { background: #7a5c00; color: #fff; }
  a { color: #9cc4ff; } }
</style></head><body>
<h1>Figures read from country narratives</h1>
<p>Rules read these figures; no person has checked them. The words that a figure rests on are highlighted; each
highlight names its rule and its row, and so does the list below the text. Open a country to see its text.</p>
"""


class Totals(NamedTuple):
    """How many narratives were read, and how many rows each table has."""

    narratives: int
    rows: dict[str, int]


def write(narratives: Iterable[Narrative], folder: Path) -> Totals:
    """Read narratives one by one and write `<table>.csv` and `report.html`; one narrative is held at a time.

    Files get their names when everything is read, so a broken input leaves earlier output as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{table}.csv" for table in COLUMNS] + ["report.html"]
    parts = {name: folder / f".{name}.part" for name in (*names, "articles")}
    totals = dict.fromkeys(COLUMNS, 0)
    index: list[tuple[str, str, int]] = []
    try:
        with ExitStack() as stack:
            files = {name: stack.enter_context(_open(path)) for name, path in parts.items()}
            writers = {
                table: csv.DictWriter(files[f"{table}.csv"], COLUMNS[table], lineterminator="\n") for table in COLUMNS
            }
            for writer in writers.values():
                writer.writeheader()
            for narrative in narratives:
                tables = extract(narrative)
                for table, rows in tables.items():
                    writers[table].writerows({c: _cell(v) for c, v in row.items()} for row in rows)
                    totals[table] += len(rows)
                anchor = f"n{len(index) + 1}"
                index.append((anchor, _title(narrative), sum(map(len, tables.values()))))
                files["articles"].write(article(narrative, tables, anchor))
            _write_page(files["report.html"], index, files["articles"], parts["articles"])
        for name in names:
            parts[name].replace(folder / name)
    finally:
        for path in parts.values():
            path.unlink(missing_ok=True)
    return Totals(len(index), totals)


def _open(path: Path) -> TextIO:
    return path.open("w", newline="", encoding="utf-8")


def _cell(value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return without_formulas(value)
    return int(value) if isinstance(value, float) and value == int(value) else value


def _title(narrative: Narrative) -> str:
    name = narrative.country if narrative.country != narrative.iso3 else ""
    return (
        f"{name} ({narrative.iso3}), {narrative.report_year}" if name else f"{narrative.iso3}, {narrative.report_year}"
    )


def _write_page(page: TextIO, index: list[tuple[str, str, int]], articles: TextIO, written: Path):
    articles.flush()
    page.write(_HEAD)
    page.write('<nav aria-label="Countries">\n')
    for anchor, title, n in index:
        page.write(f'<a href="#{anchor}">{html.escape(title)}: {n}</a>\n')
    page.write("</nav>\n")
    with written.open(encoding="utf-8", newline="") as read:
        while block := read.read(1 << 16):
            page.write(block)
    page.write("</body></html>\n")


def article(narrative: Narrative, tables: dict[str, list[dict]], anchor: str) -> str:
    """The part of the page on one narrative: its text, the words of its figures marked, everything escaped.

    The anchor stands inside what is folded away, so that a link to it unfolds it.
    """
    spans: dict[str, list[tuple[int, int, str]]] = {}
    for table, rows in tables.items():
        for row in rows:
            section, _, offsets = row["locator"].partition(":")
            start, _, end = offsets.partition("-")
            spans.setdefault(section, []).append((int(start), int(end), f"{row['rule']}: {describe(table, row)}"))
    n_rows = sum(map(len, tables.values()))
    out = [
        f"<article><h2>{html.escape(_title(narrative))}</h2>\n",
        f'<details><summary>{n_rows} figures in the text</summary>\n<div id="{anchor}">\n',
    ]
    for section in SECTIONS:
        if section in spans:
            heading = section.replace("_", " ").capitalize()
            out.append(f"<h3>{heading}</h3><p>{marked(narrative.sections[section], spans[section])}</p>\n<ul>")
            out += [f"<li>{html.escape(title)}</li>" for *_, title in sorted(spans[section])]
            out.append("</ul>\n")
    out.append("</div></details></article>\n")
    return "".join(out)


def describe(table: str, row: dict) -> str:
    """A row in a few words."""
    skip = ("iso3", "locator", "rule", "note", "group_id", "source_id", "subset_of")
    return f"{table} " + " ".join(f"{c}={_cell(v)}" for c, v in row.items() if c not in skip and v is not None)


def marked(text: str, spans: list[tuple[int, int, str]]) -> str:
    """Text with its spans in `<mark>`; spans that overlap share a mark, whose title names all their rows."""
    out, done = [], 0
    for start, end, titles in _joined(spans):
        title = html.escape("; ".join(dict.fromkeys(titles)), quote=True)
        out.append(html.escape(text[done:start]))
        out.append(f'<mark title="{title}">{html.escape(text[start:end])}</mark>')
        done = end
    out.append(html.escape(text[done:]))
    return "".join(out)


def _joined(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, list[str]]]:
    joined: list[tuple[int, int, list[str]]] = []
    for start, end, title in sorted(spans):
        if joined and start < joined[-1][1]:
            first, last, titles = joined[-1]
            joined[-1] = (first, max(last, end), [*titles, title])
        else:
            joined.append((start, end, [title]))
    return joined
