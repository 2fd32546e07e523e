"""Raw tables: read one, check everything about it, and report all problems at once.

The checks come from the table's sidecar, so a new row needs no code and a new table only a sidecar.

    python -m sentencing.schemas              check every raw table; exit 1 and list all problems if there are any
"""

import csv
import datetime
import difflib
import io
import re
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import iso3166
import pandas as pd
import pandera.pandas as pa
import yaml

from . import paths, sources

# States that no longer exist but have TIP reports of their own time.
FORMER_COUNTRIES = {"SCG": "Serbia and Montenegro", "ANT": "Netherlands Antilles"}
COUNTRIES = {code: entry.apolitical_name for code, entry in iso3166.countries_by_alpha3.items()} | FORMER_COUNTRIES

TIERS = ("1", "2", "2WL", "3", "special", "2_or_2WL")
NUMBER = r"-?[0-9]+(\.[0-9]+)?"
PATTERNS = {
    "integer": (r"-?[0-9]{1,18}", "a whole number of at most 18 digits"),
    "number": (NUMBER, "a number"),
    "year": (r"(19|20)[0-9]{2}", "a year, such as 2017"),
    "date": (r"(19|20)[0-9]{2}(-[0-9]{2}(-[0-9]{2})?)?", "a date: 2017, 2017-05 or 2017-05-31"),
    "flag": (r"[01]", "0 or 1"),
    "figure": (rf"{NUMBER}|{'|'.join(TIERS)}", "a number, or a tier"),
}
TYPES = {*PATTERNS, "text", "category", "country", "countries", "source"}

MAX_LETTERS = 5_000  # of a cell; the longest has 323
SHOWN_LETTERS = 100  # of a value in a message
SHOWN_COLUMNS = 10  # that are too many
# What a spreadsheet runs: a cell that begins with one of these signs, after blanks or not; or a line of one, or what
# stands right behind a ";", since where the comma is the decimal sign spreadsheets part cells there. Prose has a blank
# behind a semicolon, and then nothing is run ("post-appeal; = 34 + 7 + 17").
_FORMULA = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_SIGNED = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf)\s*(?=[;\t\r\n]|\Z)"
_RUN = re.compile(rf"((?:\A|[\r\n])[\s\"]*+|[;\t]\"*+)(?={_FORMULA})(?!{_SIGNED})")
_RUN_BEHIND_QUOTES = re.compile(rf"(?:(?:\A|[\r\n])[\s\"']*+|[;\t][\"']*+)(?={_FORMULA})(?!{_SIGNED})")
_STOPPED = re.compile(rf"((?:\A|[\r\n])[\s\"]*+|[;\t]\"*+)'(?={_FORMULA})")
TABLE_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


def country_name(iso3: str) -> str:
    """The usual English name of a country.

    Raises
    ------
    ValueError
        When the code is not known; the message names the nearest.
    """
    if iso3 not in COUNTRIES:
        nearest = difflib.get_close_matches(iso3, COUNTRIES, n=1, cutoff=0.0)[0]
        raise ValueError(f"country {iso3!r} is not an ISO 3166-1 alpha-3 code; the nearest is {nearest!r}")
    return COUNTRIES[iso3]


@dataclass(frozen=True)
class Problem:
    """One fault of a raw table. `row` is the line of the file, counting the header as 1; 0 is the whole file."""

    file: str
    row: int
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {_shortened(self.column)}" if self.column else ""
        found = f": found {_shortened(self.value)!r}" if self.row or self.value else ""
        return _visible(f"{_shortened(self.file)}{row}{column}{found}; expected {self.expected}")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}… ({len(text):,} letters)"


def _visible(text: str) -> str:
    """A text on one line, with signs that nobody sees by their numbers."""
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)


def without_formulas(text: str) -> str:
    """A text as it may stand in a cell of a file that readers open in a spreadsheet.

    An apostrophe is put before what would be run: spreadsheets take what follows as text. To refuse such a text would
    stop honest ones too ("-3.1 (-7.5 to 1.1) %"), and to leave the sign out would change what they say. Numbers stay
    as they are.
    """
    return _RUN.sub(r"\1'", text)


def as_before(text: str) -> str:
    """The text that `without_formulas` made `text` of."""
    return _STOPPED.sub(r"\1", text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run a cell, or a part of it; an apostrophe before it makes it a text."""
    return bool(_RUN.search(text))


def _dishonest(text: str) -> str:
    """What a cell should be instead; blank when nothing is wrong with it."""
    if not (wrong := _hidden_or_long(text)) and _RUN_BEHIND_QUOTES.search(text):
        return "text that no spreadsheet takes for a formula: no part of it may begin with = + - or @"
    return wrong


def _hidden_or_long(text: str) -> str:
    if len(text) > MAX_LETTERS:
        return f"at most {MAX_LETTERS:,} letters; it has {len(text):,}"
    # Separators of words other than a space are not printable either, and honest.
    hidden = {s for s in text if not s.isprintable() and s != "\n" and unicodedata.category(s) not in ("Zs", "Cn")}
    if hidden:
        named = ", ".join(f"U+{ord(sign):04X}" for sign in sorted(hidden)[:3])
        return f"text without signs that nobody sees; it has {named}"
    return ""


class RawDataError(ValueError):
    """Raised with every problem found, one line each."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        n = len(problems)
        super().__init__(f"{n} problem{'s' * (n != 1)} in the raw data\n" + "\n".join(f"  {p}" for p in problems))


def load_raw(table: str, raw_dir: Path = paths.RAW) -> pd.DataFrame:
    """Read and check one raw table.

    Parameters
    ----------
    table : str
        Path below `raw_dir`, such as "tip/tiers.csv".

    Returns
    -------
    pandas.DataFrame
        Columns in the file's order, typed by the sidecar (integers and years `Int64`, numbers `float64`, the
        rest `str`), blanks as missing. The index, named `row`, is the line of the file (the header is 1), so
        that any figure can be traced to its row.

    Raises
    ------
    RawDataError
        With all problems of the table: missing file, wrong checksum, byte order mark, missing or extra
        columns, empty table, wrong types, values outside the allowed ones, unknown countries or sources,
        lower bounds above upper ones, repeated rows, and text that is not honest: too long, with signs that nobody
        sees, or a formula to a spreadsheet.
    """
    path = Path(raw_dir) / table
    name = paths.relative(path)
    if not TABLE_NAME.fullmatch(table):
        expected = "a name of letters without accents, digits and . _ - and not one that begins with . or -"
        raise RawDataError([Problem(name, 0, "", "", expected)])
    for needed in (path, Path(raw_dir) / sources.SOURCES):
        if not needed.exists():
            raise RawDataError([Problem(paths.relative(needed), 0, "", "", "the file to be here; it is missing")])
    sidecar = _read_complete_sidecar(table, raw_dir)
    problems, text = _check_bytes(path, name, sidecar)
    if text is None:
        raise RawDataError(problems)
    frame, malformed = _read_rows(text.replace("\r\n", "\n").replace("\r", " "), name)
    problems += malformed
    if frame.columns.has_duplicates:
        twice = ", ".join(sorted(set(frame.columns[frame.columns.duplicated()])))
        raise RawDataError([*problems, Problem(name, 1, "", twice, "each column once")])
    problems += _check_columns(frame, name, sidecar)
    frame = frame[[column for column in frame if column in sidecar["columns"]]]
    if frame.empty and not sidecar.get("may_be_empty"):
        problems.append(Problem(name, 0, "", "", "at least one row; the table is empty"))
    problems += _check_cells(frame, name, sidecar, raw_dir)
    problems += _check_texts(frame, name, sidecar)
    problems += _check_rows(frame, name, sidecar)
    if problems:
        raise RawDataError(problems)
    return _typed(frame, sidecar)


SIDECAR_KEYS = {
    "title", "one_row_is", "transcribed", "licence", "sha256", "units", "known_troubles", "double_coding", "key",
    "not_above", "filled_by_corrections", "may_be_empty", "columns",
}  # fmt: skip
COLUMN_KEYS = {"type", "required", "unit", "min", "max", "values", "codes", "description"}
# What stands under an entry: kinds of YAML values, and these in words.
SHAPES = {
    "text": (str, ("title", "one_row_is", "transcribed", "licence", "sha256", "type", "unit", "description")),
    "a list": (list, ("known_troubles", "key", "not_above")),
    "entries such as 'name: …'": (dict, ("columns", "double_coding", "filled_by_corrections", "values", "codes")),
    "a number": ((int, float), ("min", "max")),
    "true or false": (bool, ("required", "may_be_empty")),
}
_SHAPES = {key: (words, kind) for words, (kind, keys) in SHAPES.items() for key in keys}


def _read_complete_sidecar(table: str, raw_dir: Path) -> dict:
    """A sidecar with nothing missing and nothing misspelt: a rule that is not read would check nothing."""
    name = paths.relative(sources.sidecar_path(table, raw_dir))
    try:
        sidecar = sources.read_sidecar(table, raw_dir)
    except (FileNotFoundError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise RawDataError([Problem(name, 0, "", "", f"a sidecar here that can be read: {told}")]) from None
    if not isinstance(sidecar, dict) or not isinstance(sidecar.get("columns", {}), dict):
        raise RawDataError([Problem(name, 0, "", "", "entries such as 'title: …', and under 'columns' one each")])
    if problems := _check_shapes(sidecar, name):
        raise RawDataError(problems)
    problems = [
        Problem(name, 0, "", "", f"an entry {key!r}")
        for key in ("title", "one_row_is", "transcribed", "licence", "sha256", "columns")
        if not sidecar.get(key)
    ]
    problems += [Problem(name, 0, "", "", f"no entry {key!r}: unknown") for key in sidecar if key not in SIDECAR_KEYS]
    columns = sidecar.get("columns", {})
    for rule, named in [("key", sidecar.get("key", [])), *(("not_above", p) for p in sidecar.get("not_above", []))]:
        if rule == "not_above" and len(named) != 2:
            problems.append(Problem(name, 0, "", str(named), "two columns in each pair of not_above"))
        problems += [Problem(name, 0, c, "", f"only columns of the table in {rule}") for c in named if c not in columns]
    for column, spec in columns.items():
        if spec.get("type") == "category" and not isinstance(spec.get("values"), dict):
            problems.append(Problem(name, 0, column, "", "for a category its allowed values and their meaning"))
        problems += [Problem(name, 0, column, "", f"no {key!r}: unknown") for key in spec if key not in COLUMN_KEYS]
        if spec.get("type") not in TYPES:
            problems.append(Problem(name, 0, column, str(spec.get("type")), f"a type among {', '.join(sorted(TYPES))}"))
    if problems:
        raise RawDataError(problems)
    return sidecar


def _check_shapes(sidecar: dict, name: str) -> list[Problem]:
    """Entries that are no text, list or number where they should be one; text that is not honest."""
    columns = sidecar.get("columns", {})
    problems = [
        Problem(name, 0, str(column), "", "a name of letters, digits and _, and entries such as 'type: text'")
        for column, spec in columns.items()
        if not (isinstance(column, str) and column.isidentifier() and isinstance(spec, dict))
    ]
    for column, content in [("", sidecar), *columns.items()]:
        for key, value in content.items() if isinstance(content, dict) else ():
            words, kind = _SHAPES.get(key, ("", object))
            if value is not None and not _is_of(value, kind):  # an entry without a value is told where it is needed
                problems.append(Problem(name, 0, str(column), "", f"{words} under {key!r}"))
    if problems:
        return problems
    lists = [sidecar.get("known_troubles") or [], sidecar.get("key") or [], *(sidecar.get("not_above") or [])]
    for items in lists:
        if not (isinstance(items, list) and all(isinstance(item, str) for item in items)):
            problems.append(Problem(name, 0, "", "", f"lists of texts, not {_shortened(str(items))}"))
    return problems + [
        Problem(name, 0, "", text, wrong) for text in _texts(sidecar) if (wrong := _hidden_or_long(text))
    ]


def _is_of(value, kind) -> bool:
    """Whether a value is of a kind; true is no number, and neither is what is none."""
    return isinstance(value, kind) and (kind in (bool, object) or not isinstance(value, bool)) and value == value


def _texts(content) -> list[str]:
    if isinstance(content, dict):
        return [text for pair in content.items() for item in pair for text in _texts(item)]
    if isinstance(content, list):
        return [text for item in content for text in _texts(item)]
    return [content] if isinstance(content, str) else []


def check_all(raw_dir: Path = paths.RAW) -> tuple[dict[str, int], list[Problem]]:
    """Check every raw table: rows by table, and all problems of all tables."""
    n_rows, problems = {}, []
    described = {path.relative_to(raw_dir).with_suffix(".csv").as_posix() for path in Path(raw_dir).rglob("*.yml")}
    for table in sorted({*sources.list_tables(raw_dir), *described}):
        try:
            n_rows[table] = len(load_raw(table, raw_dir))
        except RawDataError as error:
            problems += error.problems
    return n_rows, problems


def _check_bytes(path: Path, name: str, sidecar: dict) -> tuple[list[Problem], str | None]:
    content = path.read_bytes()
    problems = []
    if content.startswith(b"\xef\xbb\xbf"):
        problems.append(Problem(name, 0, "", "", "UTF-8 without a byte order mark; the file starts with one"))
        content = content[3:]
    if b"\r" in content:
        row = content[: content.index(b"\r")].count(b"\n") + 1
        problems.append(Problem(name, row, "", "\r", "lines that end with a line feed alone, as on Linux and macOS"))
    digest = sources.sha256(path)
    if digest != sidecar["sha256"]:
        expected = (
            f"the checksum recorded in its sidecar ({sidecar['sha256'][:12]}…); the file has {digest[:12]}…. Raw "
            "files are not edited by hand: put changes into data/corrections.yml, or, where the table itself was "
            "issued anew, record it with 'python -m sentencing.sources --record'"
        )
        problems.append(Problem(name, 0, "", "", expected))
    try:
        return problems, content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        return [*problems, Problem(name, row, "", repr(content[error.start : error.end]), "UTF-8 text")], None


def _read_rows(text: str, name: str) -> tuple[pd.DataFrame, list[Problem]]:
    """Rows as text, indexed by the line they end on; rows of another length than the header are problems."""
    reader = csv.reader(io.StringIO(text), strict=True)
    rows, lines, problems = [], [], []
    header: list[str] = []
    # A long cell is told with all other problems; the reader would stop at it.
    before = csv.field_size_limit(len(text) + 1)
    try:
        header = next(reader, [])
        rest = list(_with_lines(reader))
    except csv.Error as error:
        found = Problem(name, reader.line_num, "", str(error), "quotation marks that open and close around one field")
        raise RawDataError([found]) from None
    finally:
        csv.field_size_limit(before)
    for line, row in rest:
        if len(row) == len(header):
            rows.append(row)
            lines.append(line)
        else:
            expected = f"{len(header)} fields, as in the header; it has {len(row)}"
            problems.append(Problem(name, line, "", ",".join(row), expected))
    return pd.DataFrame(rows, columns=header, index=pd.Index(lines, name="row", dtype="int64"), dtype="str"), problems


def _with_lines(reader):
    for row in reader:
        yield reader.line_num, row


def _check_columns(frame: pd.DataFrame, name: str, sidecar: dict) -> list[Problem]:
    wanted = list(sidecar["columns"])
    missing = [Problem(name, 0, c, "", "this column; it is missing") for c in wanted if c not in frame]
    extra = [
        Problem(name, 0, c, "", "only the columns of the sidecar; this one is not among them")
        for c in frame
        if c not in wanted
    ]
    further = len(extra) - SHOWN_COLUMNS
    if further > 0:
        extra[SHOWN_COLUMNS:] = [Problem(name, 0, "", "", f"only the columns of the sidecar; {further:,} more are not")]
    problems = missing + extra
    if not problems and list(frame) != wanted:
        problems.append(Problem(name, 0, "", "", f"the columns in the order {', '.join(wanted)}"))
    return problems


def _check_cells(frame: pd.DataFrame, name: str, sidecar: dict, raw_dir: Path) -> list[Problem]:
    columns = {c: _column_schema(spec, raw_dir) for c, spec in sidecar["columns"].items() if c in frame}
    try:
        pa.DataFrameSchema(columns).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases.sort_values(["index", "column"], kind="stable")
        return [
            Problem(name, int(f["index"]), f["column"], str(f["failure_case"]), f["check"])
            for f in failures.to_dict("records")
        ]
    return []


def _check_texts(frame: pd.DataFrame, name: str, sidecar: dict) -> list[Problem]:
    """Cells of text that nobody honest writes; cells of other types are held to those."""
    problems = []
    for column, spec in ((c, spec) for c, spec in sidecar["columns"].items() if spec["type"] == "text" and c in frame):
        # White space where a value is required is told as none.
        values = {value for value in frame[column] if value.strip() or not spec.get("required")}
        wrong = {value: found for value in values if (found := _dishonest(value))}
        told = frame[column][frame[column].isin(list(wrong))]
        problems += [Problem(name, row, column, value, wrong[value]) for row, value in told.items()]
    return problems


def _column_schema(spec: dict, raw_dir: Path) -> pa.Column:
    """Checks of one column. All work on text, so that what a cell holds is reported as it stands there."""
    kind = spec["type"]
    also = set(map(str, spec.get("codes", {})))  # such as "<5": a code that stands for a withheld number
    checks = []
    if spec.get("required"):
        checks.append(pa.Check(lambda s: s.str.strip() != "", error="a value; this column may not be blank"))
    if kind in PATTERNS:
        pattern, meaning = PATTERNS[kind]
        checks.append(_check(lambda v: bool(re.fullmatch(pattern, v)) or v in also, meaning))
    if kind == "category":
        allowed = set(map(str, spec["values"]))
        checks.append(_check(allowed.__contains__, "one of " + ", ".join(sorted(allowed))))
    if kind == "date":
        checks.append(_check(_is_date, "a date that exists"))
    if kind == "country":
        checks.append(_check(COUNTRIES.__contains__, "an ISO 3166-1 alpha-3 country code"))
    if kind == "countries":
        checks.append(_check(_are_countries, "ISO 3166-1 alpha-3 country codes joined by ;"))
    if kind == "source":
        known = sources.read_sources(raw_dir)
        checks.append(_check(lambda v: all(i in known for i in v.split(";")), f"a source_id of {sources.SOURCES}"))
    for bound, holds in (("min", float.__ge__), ("max", float.__le__)):
        if bound in spec:
            limit, word = float(spec[bound]), {"min": "at least", "max": "at most"}[bound]
            meaning = f"{word} {spec[bound]}"
            checks.append(_check(lambda v, h=holds, at=limit: not re.fullmatch(NUMBER, v) or h(float(v), at), meaning))
    return pa.Column(checks=checks)


def _check(holds, meaning: str) -> pa.Check:
    return pa.Check(lambda s: s.map(lambda v: v == "" or holds(v)).astype(bool), error=meaning)


def _is_date(value: str) -> bool:
    """Whether a full date exists in the calendar; a value that is no date at all is told by the pattern."""
    year, month, day = (value.split("-") + ["01", "01"])[:3]
    try:
        datetime.date(int(year), int(month), int(day))
    except ValueError:
        return not re.fullmatch(PATTERNS["date"][0], value)
    return True


def _are_countries(value: str) -> bool:
    return all(code in COUNTRIES for code in value.split(";"))


def _check_rows(frame: pd.DataFrame, name: str, sidecar: dict) -> list[Problem]:
    problems = []
    for small, large in sidecar.get("not_above", []):
        if small in frame and large in frame:
            low, high = (_comparable(frame[c], sidecar["columns"][c]) for c in (small, large))
            if sidecar["columns"][small]["type"] == "date":
                low, high = _to_the_same_precision(low, high)
            problems += [
                Problem(name, row, small, frame.at[row, small], f"not above {large}, which is {frame.at[row, large]}")
                for row in frame.index[(low > high).fillna(False).astype(bool)]
            ]
    key = sidecar.get("key", list(frame.columns))
    if key and set(key) <= set(frame.columns):
        rows = frame.index.to_series()
        first = rows.groupby([frame[c] for c in key], dropna=False, sort=False).transform("first")
        problems += [
            Problem(name, row, ", ".join(key) if "key" in sidecar else "", _key_text(frame, row, key),
                    f"rows that differ; this repeats row {first[row]}")
            for row in frame.index[frame.duplicated(key)]
        ]  # fmt: skip
    return problems


def _comparable(column: pd.Series, spec: dict) -> pd.Series:
    """Numbers as numbers; dates as text, which sorts as they do, with blanks missing."""
    if spec["type"] == "date":
        return column.where(column != "", pd.NA)
    return pd.to_numeric(column, errors="coerce")


def _to_the_same_precision(start: pd.Series, end: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Cut two dates to the shorter of the two: 2017-05 to 2017 is a period within that year."""
    known = start.notna() & end.notna()
    pairs = [(a[: len(b)], b[: len(a)]) for a, b in zip(start[known], end[known], strict=True)]
    cut = pd.DataFrame(pairs, index=start.index[known], columns=["start", "end"], dtype="str").reindex(start.index)
    return cut["start"], cut["end"]


def _key_text(frame: pd.DataFrame, row: int, key: list[str]) -> str:
    text = ", ".join(str(v) for v in frame.loc[row, key])
    return text if len(text) <= 80 else text[:77] + "…"


def _typed(frame: pd.DataFrame, sidecar: dict) -> pd.DataFrame:
    typed = frame.replace("", pd.NA)
    for column, spec in sidecar["columns"].items():
        if spec.get("codes"):
            continue  # stays text: a code is not a number
        if spec["type"] in ("integer", "year", "flag"):
            typed[column] = pd.to_numeric(typed[column]).astype("Int64")
        elif spec["type"] == "number":
            typed[column] = pd.to_numeric(typed[column]).astype("float64")
    for column in sidecar.get("filled_by_corrections", {}):
        typed[column] = pd.Series(pd.NA, index=typed.index, dtype="str")
    return typed


def main() -> int:
    n_rows, problems = check_all()
    if problems:
        print(RawDataError(problems), file=sys.stderr)
        return 1
    print(f"{len(n_rows)} raw tables, {sum(n_rows.values())} rows: no problem")
    return 0


if __name__ == "__main__":
    sys.exit(main())
