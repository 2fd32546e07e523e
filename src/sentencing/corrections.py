"""Declared corrections: every change made to a raw value, with its reason and a guard.

A raw file is never written to. `data/corrections.yml` lists what is changed on the way in; each entry has

    id        short and unique
    table     the raw table, as a path below data/raw
    rows      column: value pairs that select the rows (all must match)
    n_rows    how many rows that must select (1 unless told)
    guard     column: value pairs the selected rows must still hold, or a list of such, one for each selected row
    action    drop      leave the rows out
              override  put the values of `set` in their place
              flag      keep the rows, marked with the id of this entry
              choose    of rows that contradict each other keep those that match `keep`, leave out the others
    reason    why, in a sentence that a reader can check
    source_id optional: the source that speaks for the change

A guard that no longer holds means that the raw table was repaired or replaced: the entry then has to be looked
at again, so it stops the build instead of being applied blindly.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from . import paths, schemas, sources

ACTIONS = ("drop", "override", "flag", "choose")
ENTRY_KEYS = ("id", "table", "rows", "n_rows", "guard", "action", "set", "keep", "reason", "source_id")
LOG_COLUMNS = [
    "correction_id", "table", "row", "action", "column", "raw_value", "used_value", "reason", "source_id"
]  # fmt: skip


class CorrectionError(ValueError):
    """A correction cannot be applied as declared."""


class Corrected(NamedTuple):
    """A corrected table and what was done to it: `log` has one row for each raw row and column touched."""

    frame: pd.DataFrame
    log: pd.DataFrame


def read(table: str, raw_dir: Path = paths.RAW, corrections_file: Path = paths.CORRECTIONS) -> Corrected:
    """Read a raw table, checked, with its declared corrections applied.

    Returns
    -------
    Corrected
        `frame` as of `schemas.load_raw`, with the columns `correction_ids` (ids of all entries that touched the row,
        joined by ";", blank for none) and `flag_ids` (of those that flag it).

    Raises
    ------
    schemas.RawDataError, CorrectionError
    """
    declared = read_declared(corrections_file)
    _check_tables(declared, raw_dir)
    return apply(schemas.load_raw(table, raw_dir), table, declared)


class Reader:
    """Reads corrected tables of one run: call it with a table's name; `log` tells what was done to all of them.

    Parameters
    ----------
    raw_dir, corrections_file : str or Path
        Below the repository's root unless absolute.
    """

    def __init__(self, raw_dir: str | Path, corrections_file: str | Path):
        self.raw_dir, self.corrections_file = paths.resolve(raw_dir), paths.resolve(corrections_file)
        self._logs = [pd.DataFrame(columns=LOG_COLUMNS)]

    def __call__(self, table: str) -> pd.DataFrame:
        corrected = read(table, self.raw_dir, self.corrections_file)
        self._logs.append(corrected.log)
        return corrected.frame

    @property
    def log(self) -> pd.DataFrame:
        return pd.concat([log for log in self._logs if len(log)] or self._logs, ignore_index=True)


def read_declared(corrections_file: Path = paths.CORRECTIONS) -> list[dict]:
    """Read `corrections.yml` and check that each entry is complete and names a known action and table."""
    name = paths.relative(corrections_file)
    try:
        entries = sources.read_yaml(corrections_file) or []
    except yaml.YAMLError as error:
        raise CorrectionError(f"{name}: not readable as YAML: {error}") from None
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise CorrectionError(f"{name}: must be a list of entries")
    seen: set[str] = set()
    for entry in entries:
        label = f"{name}, entry {entry.get('id', '(without id)')}"
        missing = {"id", "table", "rows", "guard", "action", "reason"} - set(entry)
        if missing:
            raise CorrectionError(f"{label}: lacks {', '.join(sorted(missing))}")
        unknown = set(entry) - set(ENTRY_KEYS)
        if unknown:
            raise CorrectionError(f"{label}: unknown {', '.join(sorted(unknown))}; known are {', '.join(ENTRY_KEYS)}")
        if not entry["rows"] or not entry["guard"]:
            raise CorrectionError(f"{label}: rows and guard must each name a column and its value")
        if entry["action"] not in ACTIONS:
            raise CorrectionError(f"{label}: action {entry['action']!r} is not one of {', '.join(ACTIONS)}")
        needs = {"override": "set", "choose": "keep"}.get(entry["action"])
        if needs and needs not in entry:
            raise CorrectionError(f"{label}: action {entry['action']} needs {needs!r}")
        if entry["id"] in seen:
            raise CorrectionError(f"{label}: the id is used twice")
        seen.add(entry["id"])
    return entries


def apply(frame: pd.DataFrame, table: str, declared: list[dict]) -> Corrected:
    """Apply the entries of `declared` that concern `table` to a copy of `frame`.

    Raises
    ------
    CorrectionError
        When an entry selects another number of rows than it says, when its guard no longer holds, or
        when it names a column the table does not have. The message names entry, row, column and values.
    """
    corrected = frame.assign(correction_ids="", flag_ids="")
    dropped: list[int] = []
    log: list[dict] = []
    for entry in (e for e in declared if e["table"] == table):
        rows = _select(frame, entry["rows"], entry)
        _check_guard(frame, rows, entry)
        for column in ("correction_ids", "flag_ids") if entry["action"] == "flag" else ("correction_ids",):
            before = corrected.loc[rows, column]
            corrected.loc[rows, column] = [";".join(filter(None, [ids, entry["id"]])) for ids in before]
        if entry["action"] == "override":
            for column, value in entry["set"].items():
                _require_column(frame, column, entry)
                log += [_logged(entry, row, column, frame.at[row, column], value) for row in rows]
                try:
                    corrected.loc[rows, column] = value
                except (TypeError, ValueError):
                    kind = frame[column].dtype
                    raise CorrectionError(f"{_label(entry)}: {column} cannot be {value!r}; it holds {kind}") from None
        elif entry["action"] == "flag":
            log += [_logged(entry, row, "", "", "") for row in rows]
        else:
            kept = _select(frame.loc[rows], entry["keep"], entry, any_number=True) if "keep" in entry else []
            out = [row for row in rows if row not in set(kept)]
            if not out or ("keep" in entry and len(kept) == 0):
                raise CorrectionError(f"{_label(entry)}: leaves out {len(out)} of {len(rows)} rows; nothing is chosen")
            dropped += out
            log += [_logged(entry, row, "", "", "left out") for row in out]
            log += [_logged(entry, row, "", "", "kept") for row in kept]
    return Corrected(corrected.drop(index=dropped), pd.DataFrame(log, columns=LOG_COLUMNS))


def log_all(raw_dir: Path = paths.RAW, corrections_file: Path = paths.CORRECTIONS) -> pd.DataFrame:
    """Apply every declared correction and return the log of all, in the order of the file.

    Raises
    ------
    CorrectionError
        Also when an entry names a table that does not exist.
    """
    declared = read_declared(corrections_file)
    _check_tables(declared, raw_dir)
    tables = dict.fromkeys(entry["table"] for entry in declared)
    logs = [apply(schemas.load_raw(table, raw_dir), table, declared).log for table in tables]
    order = {entry["id"]: place for place, entry in enumerate(declared)}
    log = pd.concat(logs) if logs else pd.DataFrame(columns=LOG_COLUMNS)
    return log.sort_values("correction_id", key=lambda s: s.map(order), kind="stable", ignore_index=True)


def _check_tables(declared: list[dict], raw_dir: Path) -> None:
    """An entry for a table that does not exist would never be applied, so it stops any reading."""
    known = sources.list_tables(raw_dir)
    for entry in declared:
        if entry["table"] not in known:
            raise CorrectionError(f"{_label(entry)}: there is no raw table {entry['table']!r}")


def in_words(log: pd.DataFrame) -> str:
    """How many corrections a log holds and where to read them."""
    n = log["correction_id"].nunique()
    names = ", ".join(dict.fromkeys(log["correction_id"])) or "none"
    return f"Declared corrections applied: {n} ({names}). Each stands with its reason on the page of corrections."


def _label(entry: dict) -> str:
    return f"data/corrections.yml, entry {entry['id']} ({entry['table']})"


def _require_column(frame: pd.DataFrame, column: str, entry: dict) -> None:
    if column not in frame:
        raise CorrectionError(f"{_label(entry)}: the table has no column {column!r}")


def _select(frame: pd.DataFrame, match: dict, entry: dict, any_number: bool = False) -> list[int]:
    chosen = pd.Series(True, index=frame.index)
    for column, value in match.items():
        _require_column(frame, column, entry)
        chosen &= frame[column].map(lambda found, wanted=value: _same(found, wanted)).astype(bool)
    rows = list(frame.index[chosen])
    wanted = entry.get("n_rows", 1)
    if not any_number and len(rows) != wanted:
        raise CorrectionError(f"{_label(entry)}: {match} selects {len(rows)} rows; expected {wanted}")
    return rows


def _check_guard(frame: pd.DataFrame, rows: list[int], entry: dict) -> None:
    guards = entry["guard"] if isinstance(entry["guard"], list) else [entry["guard"]] * len(rows)
    if len(guards) != len(rows):
        raise CorrectionError(f"{_label(entry)}: {len(guards)} guards for {len(rows)} rows; give one or one for each")
    for row, guard in zip(rows, guards, strict=True):
        for column, value in guard.items():
            _require_column(frame, column, entry)
            if not _same(frame.at[row, column], value):
                raise CorrectionError(
                    f"{_label(entry)}: guard fails at row {row}, column {column}: "
                    f"found {_text(frame.at[row, column])!r}, "
                    f"the entry was written for {_text(value)!r}. The raw value has changed: look at it and mend or "
                    "remove the entry"
                )


def _same(found, wanted) -> bool:
    return _text(found) == _text(wanted)


def _text(value) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(float(value))
    return str(value)


def _logged(entry: dict, row: int, column: str, raw_value, used_value) -> dict:
    values = (
        entry["id"], entry["table"], row, entry["action"], column, _text(raw_value), _text(used_value),
        entry["reason"], entry.get("source_id", ""),
    )  # fmt: skip
    return dict(zip(LOG_COLUMNS, values, strict=True))
