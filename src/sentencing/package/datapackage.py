"""`datapackage.json`: every table of the repository with its columns, key, bytes, checksum, licence and sources.

One package at the root, since the paths of a package may not lead out of its folder. It follows version 2.0 of the Data
Package standard (https://datapackage.org); checks of values are written so that programs for version 1 apply them too.
Raw tables are described from their sidecars, the others from the codebook.
"""

import csv
import re
from pathlib import Path

from .. import paths, sources
from ..schemas import PATTERNS
from . import citation, codebook, programs

FILE = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"
# Types of sidecars and of the codebook, in those of a Table Schema.
TYPES = {"integer": "integer", "whole number": "integer", "number": "number", "year": "year", "flag": "boolean",
         "true or false": "boolean"}  # fmt: skip
TRUTH = {"flag": (["1"], ["0"]), "true or false": (["True"], ["False"])}
LICENCE = {"name": "CC-BY-4.0", "title": citation.SPDX["CC-BY-4.0"],
           "path": "https://creativecommons.org/licenses/by/4.0/"}  # fmt: skip


def build() -> dict:
    """The whole descriptor."""
    about = citation.citation()
    return {
        "$schema": PROFILE,
        "name": citation.NAME,
        "title": about["title"],
        "description": about["abstract"],
        "version": about["version"],
        "keywords": about["keywords"],
        "licenses": [LICENCE],
        "contributors": [{"title": author["name"], "roles": ["author"]} for author in about["authors"]],
        "sources": [{"title": title} for title in citation.data_sources()],
        "resources": raw_tables() + described_tables(),
    }


# --- Raw tables -----------------------------------------------------------------------------------------------------


def raw_tables() -> list[dict]:
    """A resource for each raw table, from its sidecar."""
    return [_raw_table(table) for table in sources.list_tables()]


def _raw_table(table: str) -> dict:
    sidecar, path = sources.read_sidecar(table), paths.RAW / table
    fields = [_raw_field(name, spec) for name, spec in sidecar["columns"].items()]
    schema = {"fields": fields, "missingValues": [""]}
    if key := sidecar.get("key"):
        schema["primaryKey"] = key
    if links := _links_to_sources(path, sidecar["columns"]):
        schema["foreignKeys"] = links
    about = [f"One row is {sidecar['one_row_is']}.", sidecar["transcribed"],
             *(f"Known trouble: {trouble}" for trouble in sidecar.get("known_troubles", []))]  # fmt: skip
    told = {"title": sidecar["title"], "description": "\n\n".join(about)}
    return _table("raw", path, told, schema) | {"licenses": [LICENCE | {"title": sidecar["licence"]}]}


def _raw_field(name: str, spec: dict) -> dict:
    kind = spec["type"]
    field = _field(name, kind, spec["description"])
    rules = field["constraints"]
    if spec.get("required"):
        rules["required"] = True
    for bound, rule in (("min", "minimum"), ("max", "maximum")):
        if bound in spec and not spec.get("codes"):
            rules[rule] = spec[bound]
    if kind == "category":
        rules["enum"] = list(map(str, spec["values"]))
        field["categories"] = [{"value": str(v), "label": label} for v, label in spec["values"].items()]
    if codes := spec.get("codes"):  # stays text: a code is not a number, nor is it missing
        field |= {"type": "string", "codes": [{"value": str(code), "label": label} for code, label in codes.items()]}
        rules["pattern"] = f"^({PATTERNS[kind][0]}|{'|'.join(re.escape(str(code)) for code in codes)})$"
    if "unit" in spec:
        field["unit"] = spec["unit"]
    return field


def _links_to_sources(path: Path, columns: dict) -> list[dict]:
    """A link for each column of sources in which every row names one; lists of several cannot be linked."""
    named = [column for column, spec in columns.items() if spec["type"] == "source"]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {"fields": [column], "reference": {"resource": resource_name("raw", sources.SOURCES), "fields": ["source_id"]}}
        for column in named
        if not any(";" in row[column] for row in rows)
    ]


# --- Processed tables and tables of results --------------------------------------------------------------------------


def described_tables() -> list[dict]:
    """A resource for each table of the codebook."""
    return [_described_table(stage, home, told)
            for stage, home in zip(("processed", "results"), codebook.HOMES, strict=True)
            for _, told in sorted(codebook.read(home).items())]  # fmt: skip


def _described_table(stage: str, home: Path, told: codebook.Table) -> dict:
    fields = [_described_field(name, column, name in told.key) for name, column in told.columns.items()]
    schema = {"fields": fields, "missingValues": [""]} | ({"primaryKey": told.key} if told.key else {})
    about = {"title": f"{stage}: {told.file.name}", "description": told.one_row_is}
    program = programs.makers()[paths.relative(told.file)]
    made = {"program": program.path, "command": program.command, "madeFrom": list(program.reads)}
    return _table(stage, told.file, about, schema) | {"licenses": [LICENCE], "madeBy": made}


def _described_field(name: str, column: codebook.Column, in_key: bool) -> dict:
    field = _field(name, column.kind, column.meaning)
    if column.blank == "never" or in_key:
        field["constraints"]["required"] = True
    else:
        field["missingValues"] = [{"value": "", "label": column.blank}]
    if "unique" in column.type:
        field["constraints"]["unique"] = True
    if column.unit:
        field["unit"] = column.unit
    return field


# --- What all have in common -----------------------------------------------------------------------------------------


def resource_name(stage: str, table: str) -> str:
    """The name of a resource, of letters, digits and hyphens: `raw-tip-tiers` for the raw table tip/tiers.csv."""
    stem = table.removesuffix(".csv")
    return f"{stage}-{stem}".lower().replace("/", "-").replace("_", "-").replace(".", "-")


def fixity(path: Path) -> dict:
    """Bytes and checksum of a file."""
    return {"bytes": path.stat().st_size, "hash": f"sha256:{sources.sha256(path)}"}


def _table(stage: str, path: Path, told: dict, schema: dict) -> dict:
    below = path.relative_to(paths.RAW).as_posix() if stage == "raw" else path.name
    form = {"type": "table", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
    rows, _ = codebook.counts(path)
    name = {"$schema": RESOURCE_PROFILE, "name": resource_name(stage, below), "path": paths.relative(path)}
    return name | told | form | fixity(path) | {"rows": rows, "schema": schema}


def _field(name: str, kind: str, description: str) -> dict:
    """A field with what its type alone says; lists stay text, joined by ";"."""
    field = {"name": name, "type": TYPES.get(kind, "string"), "description": description, "constraints": {}}
    if kind in TRUTH:
        field |= dict(zip(("trueValues", "falseValues"), TRUTH[kind], strict=True))
    if kind in ("date", "figure"):
        field["constraints"]["pattern"] = f"^({PATTERNS[kind][0]})$"
    if kind == "country":
        field["constraints"]["pattern"] = "^[A-Z]{3}$"
    return field
