"""Everything that is written as a table or printed as one: CSV files, values files, tables on pages.

Numbers are written with `SIGNIFICANT_DIGITS` significant digits, so that the last bits of a floating-point
result, which differ between machines, never reach a file.
"""

import html
import json
import math
import sys
from pathlib import Path

import pandas as pd

from . import claims, paths, schemas, sources

SIGNIFICANT_DIGITS = 6
SENTENCE_LETTERS = 60


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write `frame` without its index to the output that stands at `path`: UTF-8, as `csv_text` gives it.

    The file appears whole or not at all.
    """
    write_text(csv_text(frame), path)


def csv_text(frame: pd.DataFrame) -> str:
    """`frame` without its index as the text of a CSV file: comma, line feed.

    Missing values are blank; floats have at most SIGNIFICANT_DIGITS significant digits and no trailing zeros. No cell
    and no head is a formula to a spreadsheet (`schemas.without_formulas`).
    """
    texts = {c: [_written(v) for v in frame[c]] for c in frame if frame[c].dtype.kind in "fO"}
    written = frame.assign(**{c: pd.Series(cells, index=frame.index, dtype=object) for c, cells in texts.items()})
    written = written.rename(columns=lambda name: schemas.without_formulas(str(name)))
    return written.to_csv(index=False, lineterminator="\n")


def json_text(content) -> str:
    """`content` as the text of a JSON file: letters as they are, a line for each entry."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def write_text(text: str, path: str | Path) -> None:
    """Write `text` to the output that stands at `path`, replacing what was there in one step."""
    target = paths.output(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a processed table: whole-number columns as `Int64`, others as pandas infers, blanks as missing.

    While a build is running, a table written by the same run is taken from where that run put it.
    """
    staged = paths.output(path)
    place = staged if staged.exists() else paths.resolve(path)
    frame = pd.read_csv(place, keep_default_na=False, na_values=[""], low_memory=False)
    whole = [c for c in frame if pd.api.types.is_float_dtype(frame[c]) and (frame[c].dropna() % 1 == 0).all()]
    return frame.astype({c: "Int64" for c in whole if frame[c].notna().any()})


def _written(value):
    """A float as text with its significant digits, text without formulas, other things as they are.

    A zero has no sign.
    """
    if isinstance(value, str):
        return schemas.without_formulas(value)
    if not isinstance(value, float):
        return value
    return None if pd.isna(value) else f"{value or 0.0:.{SIGNIFICANT_DIGITS}g}"


class Values:
    """The numbers a notebook reports, collected as they are computed and written to `results/<notebook>.json`.

    Pages and the README take their numbers from these files; prose never holds a typed one. A value added by a cell
    of a notebook is written with the id of that cell (`cell`), so that a reader can go from a number to its code.
    """

    def __init__(self, notebook: str, parameters: dict):
        self.notebook = notebook
        self.parameters = parameters
        self.values: dict[str, dict] = {}
        self._made_by: dict[str, str] = {}

    def add(self, name: str, value, unit: str, label: str, *, sources: str = "", n=None, low=None, high=None):
        """Keep one value and give it back.

        Parameters
        ----------
        name : str
            Unique within the notebook, words joined by "_".
        value : int, float, str or list of these
        unit : str
            "persons", "rows", "months", "share", …
        label : str
            What the value is, as a phrase for a reader.
        sources : str
            Source ids joined by ";".
        n : int, optional
            People or rows the value rests on.
        low, high : optional
            Ends of its interval or bounds.

        Raises
        ------
        ValueError
            When the name is already taken.
        """
        if name in self.values:
            raise ValueError(f"value {name!r} is already in results/{self.notebook}.json")
        entry = {"label": label, "value": value, "unit": unit, "n": n, "low": low, "high": high, "source_ids": sources}
        plain = {key: _plain(item) for key, item in entry.items()}
        self.values[name] = {k: v for k, v in plain.items() if k == "value" or (v is not None and v != "")}
        self._made_by[name] = running_source()
        return value

    def add_all(self, reported: pd.DataFrame) -> pd.DataFrame:
        """Keep every row of a table in `estimands.REPORTED` columns, and give the table back."""
        for row in reported.to_dict("records"):
            label = f"{row['group']}: {row['quantity']}" + f" (refused: {row['refused']})" * bool(row["refused"])
            kept = {key: row[key] for key in ("value", "unit", "n", "low", "high")}
            self.add(row["name"], label=label, sources=row["source_ids"], **kept)
        return reported

    def add_rows(self, frame: pd.DataFrame, name: str, unit: str, label: str, **columns: str) -> None:
        """Keep one value for each row of a table that has one, or has bounds.

        Parameters
        ----------
        frame : pandas.DataFrame
        name, unit, label : str
            Templates filled with the row's columns, such as "share_{body}_{year}".
        **columns : str
            For `value`, `sources`, `n`, `low` and `high` of `add` the column that has them; `value` or `low` at least.
        """
        numbers = [columns[key] for key in ("value", "low") if key in columns]
        for row in frame[frame[numbers].notna().any(axis=1)].to_dict("records"):
            more = {"value": None} | {key: row[column] for key, column in columns.items()}
            self.add(name.format(**row), unit=unit.format(**row), label=label.format(**row), **more)

    def __getitem__(self, name: str):
        return self.values[name]["value"]

    def write(self, path: str | Path) -> None:
        """Write all values; the cell of one is left out where it was not made by a cell of the stored notebook."""
        cells = cell_ids(paths.NOTEBOOKS / f"{self.notebook}.ipynb")
        made = {name: cells.get(source) for name, source in self._made_by.items()}
        values = {name: entry | ({"cell": made[name]} if made[name] else {}) for name, entry in self.values.items()}
        content = {"notebook": self.notebook, "parameters": self.parameters, "values": values}
        write_text(json_text(content), path)


def running_source() -> str:
    """Source of the notebook cell that is running now; blank outside a notebook."""
    # Jupyter is not imported for this: where it runs a cell, it has been imported already.
    jupyter = sys.modules.get("IPython")
    shell = jupyter.get_ipython() if jupyter else None
    return shell.history_manager.input_hist_raw[-1].strip() if shell else ""


def cell_ids(notebook: Path) -> dict[str, str]:
    """Ids of a stored notebook's code cells by their source; without those whose source another cell has too."""
    if not notebook.exists():
        return {}
    stored = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    # A notebook file holds the source of a cell as one text or as a list of lines.
    code = [("".join(cell["source"]).strip(), cell.get("id")) for cell in stored if cell["cell_type"] == "code"]
    sources_seen = [source for source, _ in code]
    return {source: cell for source, cell in code if source and sources_seen.count(source) == 1}


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    value = value.item() if hasattr(value, "item") else value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("an infinite value is no result; refuse the quantity instead")
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def read_values(path: str | Path) -> dict:
    """Content of a values file that another notebook wrote: `notebook`, `parameters` and `values` by name."""
    staged = paths.output(path)
    place = staged if staged.exists() else paths.resolve(path)
    return json.loads(place.read_text(encoding="utf-8"))


def in_words(entry: dict) -> str:
    """A value of a values file with its unit and its interval or bounds, as pages and the README print it.

    Shares are printed in percent. "of n" follows a count of rows.
    """
    unit, value = entry["unit"], entry.get("value")
    low, high = entry.get("low"), entry.get("high")
    told = "" if value is None else _told(value, unit)
    if low is not None or high is not None:
        ends = [_told(end, unit) if end is not None else "an unknown number" for end in (low, high)]
        told = f"{told} (from {ends[0]} to {ends[1]})" if told else f"from {ends[0]} to {ends[1]}"
    counted = unit in ("rows", "persons") and isinstance(value, int) and "n" in entry and low is None
    of = f" of {entry['n']}" if counted else ""
    named = "" if value == [] or unit in ("share", "date", "text", "sentence", "verdict") else f" {unit}"
    return f"{told}{of}{named}" if told else "not known"


def _told(value, unit: str) -> str:
    if isinstance(value, list):
        return " and ".join(_told(item, unit) for item in value) or "none"
    if unit == "share" and not isinstance(value, str):
        return f"{100 * value:.0f} %"
    return f"{value:g}" if isinstance(value, float) else str(value)


class Rendered:
    """A piece of a page: HTML for readers, the same in words where HTML is not shown, and the table behind it."""

    def __init__(self, markup: str, text: str, data: pd.DataFrame | None = None):
        self.markup, self.text, self.data = markup, text, data

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """What Jupyter keeps beside the two: the table as CSV, for pages to offer."""
        return {} if self.data is None or self.data.empty else {"text/csv": csv_text(self.data.rename(columns=str))}


def show(
    frame: pd.DataFrame,
    caption: str,
    *,
    source_ids: str = "",
    note: str = "",
    empty: str = "none",
    heads_rows: bool = False,
) -> Rendered:
    """Show a table on the page with its caption, its note on units and its source line.

    All text is escaped. Columns are headed by their names with "_" as spaces; missing values show as "–"
    (not stated), never as 0. An empty table is said in words (`empty`). `heads_rows`: the first column says what each
    row is about.
    """
    head = f"<figcaption>{html.escape(caption)}</figcaption>"
    foot = _footer(note, source_ids)
    if frame.empty:
        body = f"<p>{html.escape(empty)}</p>"
    else:
        shown = frame.rename(columns=lambda c: str(c).replace("_", " "))
        numeric = [pd.api.types.is_numeric_dtype(shown.iloc[:, i]) for i in range(shown.shape[1])]
        body = f'<div class="scroll" tabindex="0">{_table(shown, numeric, heads_rows)}</div>'
    return Rendered(
        f'<figure class="table">{head}{body}{foot}</figure>', f"{caption}\n{frame.to_string(index=False)}", frame
    )


# How a number of each unit is printed: a factor, a format and what stands behind it.
UNITS = {
    "share": (100, ".0f", " %"), "percent": (1, ".1f", " %"), "months": (1, ".0f", " months"), "ratio": (1, ".2f", ""),
    "persons": (1, ".0f", " people"), "p": (1, ".2g", ""), "number": (1, ".3g", ""),
}  # fmt: skip


def in_brief(row) -> str:
    """A reported number with its interval: "46 (41 to 52) months", "3 to 97 %", or "no estimate".

    Parameters
    ----------
    row : mapping
        A row in `estimands.REPORTED` columns. An open end is "…".
    """
    factor, form, unit = UNITS[row["unit"]]
    if row["unit"] == "p" and row["value"] < 0.001:
        return "below 0.001"
    value, low, high = ("" if pd.isna(row[key]) else f"{factor * row[key]:{form}}" for key in ("value", "low", "high"))
    if not (value or low or high):
        return "no estimate"
    span = f"{low or '…'} to {high or '…'}" if low or high else ""
    if value and span:
        return f"{value} ({span}){unit}"
    return f"{value or (low if low == high else span)}{unit}"


def show_reported(
    reported: pd.DataFrame, caption: str, *, note: str = "", empty: str = "There is nothing to reckon with."
) -> Rendered:
    """Show numbers in `estimands.REPORTED` columns: quantities down, one column for each group.

    Reasons why something was refused stand below the table, once each.
    """
    if reported.empty:
        return show(reported, caption, note=note, empty=empty)
    shown = reported.assign(told=[in_brief(row) for row in reported.to_dict("records")])
    wide = shown.pivot_table(index="quantity", columns="group", values="told", aggfunc="first", sort=False)
    people = reported.groupby("group", sort=False)["n"].agg(["min", "max"])
    same = people["max"][people["min"] == people["max"]]
    wide = wide.rename(columns={group: f"{group} ({same[group]} people)" for group in wide if group in same})
    wide = wide.reset_index()
    refused = reported[reported["refused"] != ""].drop_duplicates(["group", "refused"])
    reasons = [f"{row['group'].capitalize()}: {row['refused']}." for row in refused.to_dict("records")]
    note = " ".join([note, *reasons]).strip()
    return show(
        wide.rename_axis(columns=None), caption, note=note, source_ids=sources_of(reported), heads_rows=True
    )  # fmt: skip


def claim(values: Values, row: dict, ruling: claims.Ruling) -> Rendered:
    """Keep what was ruled on a claim, and show it as a card.

    Three values are kept: the claim in our words, what was computed, and the verdict, under the identifier of the
    claim and that with `_claim` and `_verdict`.

    Parameters
    ----------
    row : dict
        The claim: `claim_id`, `claim`, `speaker`, `source_id`.
    ruling : claims.Ruling
        Its verdict and value.
    """
    name, question = row["claim_id"], claims.QUESTIONS[row["claim_id"]]
    verdict, value, unit, label, low, high, n, source_ids = ruling
    if verdict not in claims.VERDICTS:
        raise ValueError(f"{name}: {verdict!r} is none of {', '.join(claims.VERDICTS)}")
    values.add(f"{name}_claim", row["claim"], "text", "the claim, in our words", sources=row["source_id"])
    values.add(name, value, unit, label, low=low, high=high, n=n, sources=source_ids)
    values.add(f"{name}_verdict", verdict, "verdict", row["claim"], sources=source_ids)
    computed = f"{in_words(values.values[name])}: {label}"
    parts = {
        "What would have to be true": question.must_be_true,
        "Data": question.data,
        "Computed": computed,
        "What would change it": question.would_change,
    }
    terms = "".join(f'<dt>{term}</dt><dd><p class="said">{html.escape(text)}</p></dd>' for term, text in parts.items())
    badge = f'<p class="verdict verdict-{verdict.replace(" ", "-")}">{verdict}</p>'
    head = f'<p class="said claim-text"><strong>{name}</strong> {html.escape(row["claim"])}</p>'
    speaker = f'<p class="muted">said by: {html.escape(row["speaker"])}</p>'
    foot = f"<details><summary>Sources</summary>{_footer('', source_ids)}</details>" if source_ids else ""
    card = f'<div class="claim">{head}{speaker}{badge}<dl>{terms}</dl>{foot}</div>'
    told = "\n".join(f"{term}: {text}" for term, text in parts.items())
    return Rendered(card, f"{name} {row['claim']} ({row['speaker']})\nVerdict: {verdict}\n{told}")


def claim_ids(values: dict[str, dict]) -> list[str]:
    """Identifiers of the claims that have a verdict among the values of a values file, sorted."""
    return sorted(name.removesuffix("_verdict") for name, entry in values.items() if entry["unit"] == "verdict")


def verdicts(values: Values) -> pd.DataFrame:
    """All claims ruled on so far: `claim`, `verdict`, and what was `computed`."""
    rows = [
        [f"{name}: {values[f'{name}_claim']}", values[f"{name}_verdict"], in_words(values.values[name])]
        for name in claim_ids(values.values)
    ]
    return pd.DataFrame(rows, columns=["claim", "verdict", "computed"])


def sources_of(frame: pd.DataFrame, column: str = "source_ids") -> str:
    """All source ids that a column of a table names, once each, joined by ";"."""
    return sources.join_ids(frame[column])


def _table(frame: pd.DataFrame, numeric: list[bool], heads_rows: bool) -> str:
    classes = [' class="number"' if n else "" for n in numeric]
    head = "".join(f'<th scope="col"{k}>{html.escape(c)}</th>' for c, k in zip(frame.columns, classes, strict=True))
    rows = []
    for row in frame.itertuples(index=False):
        cells = [f"<td{k or _of_text(v)}>{_cell(v)}</td>" for v, k in zip(row, classes, strict=True)]
        if heads_rows:
            cells[0] = f'<th scope="row">{_cell(row[0])}</th>'
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _of_text(value) -> str:
    """The class of a cell that holds a sentence: it may be broken into lines, which figures may not."""
    return ' class="prose"' if isinstance(value, str) and len(value) > SENTENCE_LETTERS else ""


def _cell(value) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.4g}"
    return html.escape(str(value))


def _footer(note: str, source_ids: str) -> str:
    told = f'<p class="source">{html.escape(note)}</p>' if note else ""
    return told + source_line(source_ids)


FEW_SOURCES = 3


def source_line(source_ids: str) -> str:
    """Markup that names sources; many of them are folded, so that they do not crowd out what they are for."""
    if not source_ids:
        return ""
    line = f'<p class="source">Source: {html.escape(sources.describe(source_ids))}</p>'
    several = len(source_ids.split(";"))
    return line if several <= FEW_SOURCES else f"<details><summary>Sources ({several})</summary>{line}</details>"


def say(text: str) -> Rendered:
    """Show a sentence whose numbers were computed. `text` is plain; blank lines part paragraphs."""
    paragraphs = [f'<p class="said">{html.escape(p.strip())}</p>' for p in text.split("\n\n") if p.strip()]
    return Rendered("".join(paragraphs), text)
