"""Provenance: the sidecar beside each raw table, the list of sources, and the checksums.

A raw table `data/raw/<group>/<name>.csv` has a sidecar `<name>.yml` with its title, how it was transcribed,
its licence, its SHA-256 and its columns (type, unit, allowed values, meaning). What a sidecar may hold is
told in `data/raw/README.md`.

    python -m sentencing.sources --record     write the present checksums into the sidecars
"""

import argparse
import csv
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import yaml

from . import paths

SOURCES = "sources.csv"
Declared = TypeVar("Declared")


def list_tables(raw_dir: Path = paths.RAW) -> list[str]:
    """Names of all raw tables, as paths below `raw_dir` ("tip/tiers.csv"), sorted."""
    return sorted(path.relative_to(raw_dir).as_posix() for path in Path(raw_dir).rglob("*.csv"))


def join_ids(cells: Iterable) -> str:
    """All ids that cells name, each cell one or several joined by ";": once each, sorted, joined by ";".

    Cells without any (blank or missing) are left out.
    """
    return ";".join(sorted({i for cell in cells if isinstance(cell, str) for i in cell.split(";") if i}))


# Far above any file here; a text beyond these is no list of columns or choices.
MAX_YAML_LETTERS, MAX_YAML_NODES, MAX_YAML_DEPTH = 1_000_000, 100_000, 50


def read_yaml(path: str | Path):
    """Content of a YAML file of plain data; see `parse_yaml`."""
    try:
        return parse_yaml(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise yaml.YAMLError(f"not UTF-8 text: {error}") from None


def parse_yaml(text: str):
    """Content of a YAML text of plain data, by the fast parser: every notebook reads several such files.

    Raises
    ------
    yaml.YAMLError
        Also for what is no plain data (objects of Python), and for a text that is too long, nested too deeply, or that
        would grow too large where its aliases (`*name`) are filled in.
    """
    if len(text) > MAX_YAML_LETTERS:
        raise yaml.YAMLError(f"{len(text):,} letters; at most {MAX_YAML_LETTERS:,} are read")
    _check_growth(text)
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except ValueError as error:  # a day that does not exist, a number of thousands of digits
        raise yaml.YAMLError(f"a value that cannot be: {error}") from None


def _check_growth(text: str) -> None:
    """Count the nodes of a text as they are when aliases are filled in, without filling in any."""
    sizes: dict[str, int] = {}  # by anchor; those that are still open have none
    open_nodes: list[list] = [[None, 0]]  # anchor and nodes so far
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise yaml.YAMLError(f"the alias *{event.anchor} names nothing that stands before it and is complete")
            open_nodes[-1][1] += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append([event.anchor, 1])
        elif isinstance(event, yaml.ScalarEvent):
            open_nodes[-1][1] += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            open_nodes[-1][1] += size
            sizes[anchor] = size
        if len(open_nodes) > MAX_YAML_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_YAML_DEPTH} deep")
        if open_nodes[-1][1] > MAX_YAML_NODES:
            raise yaml.YAMLError(f"more than {MAX_YAML_NODES:,} values once its aliases are filled in")


def read_declared(path: str | Path, declare: Callable[[dict], Declared]) -> Declared:
    """What a YAML file declares, as `declare` makes it of the content.

    Raises
    ------
    ValueError
        Naming the file and everything that `declare` finds wrong in it.
    """
    try:
        return declare(read_yaml(paths.resolve(path)))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{paths.relative(path)}: {error}") from None


def sidecar_path(table: str, raw_dir: Path = paths.RAW) -> Path:
    return Path(raw_dir) / Path(table).with_suffix(".yml")


def read_sidecar(table: str, raw_dir: Path = paths.RAW) -> dict:
    """Read the sidecar of a raw table.

    Raises
    ------
    FileNotFoundError
        When there is none; the message names the place where it belongs.
    """
    path = sidecar_path(table, raw_dir)
    if not path.exists():
        raise FileNotFoundError(f"{paths.relative(path)}: every raw table needs a sidecar here; there is none")
    return read_yaml(path)


def sha256(path: Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read_sources(raw_dir: Path = paths.RAW) -> dict[str, dict[str, str]]:
    """The list of sources by `source_id`, each a dict of publisher, title, kind, url and dates."""
    path = Path(raw_dir) / SOURCES
    return _read_sources(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read_sources(path: Path, _modified: int) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["source_id"]: row for row in csv.DictReader(file)}


def describe(source_ids: str, raw_dir: Path = paths.RAW) -> str:
    """Publishers and titles behind one or more source ids joined by ";", for captions and tables."""
    known = read_sources(raw_dir)
    return "; ".join(dict.fromkeys(_label(known[source_id]) for source_id in source_ids.split(";")))


def _label(source: dict[str, str]) -> str:
    return f"{source['publisher']}, {source['title']}" if source["title"] else source["publisher"]


def record_checksums(raw_dir: Path = paths.RAW) -> list[str]:
    """Write each table's present SHA-256 into its sidecar; return the tables whose checksum changed.

    Only the line `sha256: …` is replaced, so comments and order stay as they are.
    """
    changed = []
    for table in list_tables(raw_dir):
        digest = sha256(Path(raw_dir) / table)
        if read_sidecar(table, raw_dir).get("sha256") == digest:
            continue
        path = sidecar_path(table, raw_dir)
        text, n_replaced = re.subn(
            r"^sha256:.*$", f"sha256: {digest}", path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE
        )
        if not n_replaced:
            raise ValueError(f"{paths.relative(path)}: has no line 'sha256: …' to put the checksum in")
        path.write_text(text, encoding="utf-8", newline="\n")
        changed.append(table)
    return changed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.sources", description="Checksums of the raw tables.")
    parser.add_argument("--record", action="store_true", help="write the present checksums into the sidecars")
    if not parser.parse_args(arguments).record:
        parser.print_help()
        return 2
    changed = record_checksums()
    print("\n".join(f"recorded: {table}" for table in changed) or "all checksums were current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
