"""`ro-crate-metadata.json`: from raw table to notebook to result, with the software, as a Process Run Crate.

RO-Crate 1.1 with the profile Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process): each notebook and each longer
command is a run that takes files and gives files. When it ran is not told, since the results are the same whenever.
And `codemeta.json`: what the software is, in the terms of CodeMeta 3.0.
"""

from collections.abc import Sequence
from pathlib import Path

from .. import paths
from . import citation, codebook, datapackage, programs

FILE, CODEMETA = "ro-crate-metadata.json", "codemeta.json"
CRATE, PROFILE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
AUTHOR, PYTHON, PACKAGE = "#contributors", "#python", "src/sentencing/"
MEDIA = {".csv": "text/csv", ".yml": "application/yaml", ".json": "application/json", ".svg": "image/svg+xml",
         ".ipynb": "application/x-ipynb+json", ".md": "text/markdown", ".txt": "text/plain", ".py": "text/x-python",
         ".cff": "application/yaml", ".toml": "application/toml"}  # fmt: skip
# Files that belong to no program, with what they are.
OTHERS = {
    "README.md": "What this is, and how to run it",
    "REPRODUCING.md": "Particulars of running it again",
    "Makefile": "What is made from what, by which command",
    "requirements.txt": "Every package in the version that was used, with checksums",
    "LICENSE": "Licence of the code",
    "LICENSE-DATA.md": "Licence of data and text",
    "CITATION.cff": "How to cite it",
    "data/corrections.yml": "Every change made to a raw value",
    **{paths.relative(home): "Codebook" for home in codebook.HOMES},
    "data/raw/README.md": "How the raw tables were made and are read",
    datapackage.FILE: "Description of every table for programs",
    CODEMETA: "Description of the software for programs",
}


def build() -> dict:
    """The whole graph."""
    about, made = citation.citation(), programs.programs()
    tables = {resource["path"]: resource for resource in datapackage.build()["resources"]}
    raw = [name for table in tables if table.startswith("data/raw/") for name in (table, _sidecar(table))]
    written = [name for program in made for name in program.writes]
    read = [name for program in made for name in program.reads]
    notebooks = [program.path for program in made]
    names = sorted({*raw, *written, *read, *notebooks, *OTHERS})
    entities = [_file(name, tables, notebooks) for name in names]
    runs = [_run(program) for program in made]
    root = {
        "@id": "./", "@type": "Dataset", "name": about["title"], "description": about["abstract"],
        "version": about["version"], "keywords": about["keywords"], "datePublished": citation.date(),
        "license": _id(_spdx("CC-BY-4.0")), "author": _id(AUTHOR), "conformsTo": _id(PROFILE),
        "hasPart": [_id(PACKAGE), *(_id(name) for name in names)], "mentions": [_id(run["@id"]) for run in runs],
    }  # fmt: skip
    descriptor = {"@id": FILE, "@type": "CreativeWork", "about": _id("./"), "conformsTo": _id(CRATE)}
    return {"@context": CONTEXT, "@graph": [descriptor, root, *_context(), *entities, *runs, *_software()]}


def _context() -> list[dict]:
    about = citation.citation()
    code = {
        "@id": PACKAGE, "@type": ["Dataset", "SoftwareSourceCode"], "name": "Python package sentencing",
        "description": "The functions that the notebooks call", "version": about["version"],
        "programmingLanguage": _id(PYTHON), "license": _id(_spdx("MIT")),
    }  # fmt: skip
    return [
        {"@id": AUTHOR, "@type": "Organization", "name": about["authors"][0]["name"]},
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": PYTHON, "@type": "ComputerLanguage", "name": "Python", "url": "https://www.python.org/"},
        *({"@id": _spdx(key), "@type": "CreativeWork", "name": name} for key, name in citation.SPDX.items()),
        code,
    ]


def _file(name: str, tables: dict[str, dict], runnable: list[str]) -> dict:
    path = paths.ROOT / name
    entity = {"@id": name, "@type": "File", "name": tables.get(name, {}).get("title") or OTHERS.get(name) or path.name}
    entity["encodingFormat"] = MEDIA.get(path.suffix, "text/plain")
    if name in runnable:
        entity |= {"@type": ["File", "SoftwareSourceCode"], "programmingLanguage": _id(PYTHON)}
        entity["version"] = citation.citation()["version"]
        entity |= {"license": _id(_spdx("MIT")), "softwareRequirements": [_id(package) for package in _packages()]}
    if name in tables or name.startswith(("results/", "notebooks/")) and name not in OTHERS:
        kept = datapackage.fixity(path)
        entity |= {"contentSize": str(kept["bytes"]), "sha256": kept["hash"].removeprefix("sha256:")}
    return entity


def _run(program: programs.Program) -> dict:
    read = [name for table in program.reads for name in (table, _sidecar(table)) if (paths.ROOT / name).exists()]
    return {
        "@id": f"#run-{program.name}", "@type": "CreateAction", "name": f"Run of {program.name}",
        "description": f"By the command: {program.command}", "instrument": _id(program.path), "agent": _id(AUTHOR),
        "object": _ids([PACKAGE, *dict.fromkeys(read)]), "result": _ids(program.writes),
    }  # fmt: skip


def _sidecar(table: str) -> str:
    return str(Path(table).with_suffix(".yml").as_posix()) if table.startswith("data/raw/") else table


def _packages() -> dict[str, tuple[str, str]]:
    """Name and version of the packages that the project asks for, by identifier."""
    pins = citation.pins()
    return {f"#{name}": (name, pins[name]) for name in citation.direct()}


def _software() -> list[dict]:
    return [{"@id": key, "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
            for key, (name, version) in _packages().items()]  # fmt: skip


def _id(name: str) -> dict:
    return {"@id": name}


def _ids(names: Sequence[str]) -> list[dict] | dict:
    """References to several entities; one stands alone, as RO-Crate recommends."""
    return [_id(name) for name in names] if len(names) > 1 else _id(names[0])


def _spdx(key: str) -> str:
    return f"https://spdx.org/licenses/{key}"


def codemeta() -> dict:
    """The software in the terms of CodeMeta."""
    about = citation.citation()
    return {
        "@context": "https://w3id.org/codemeta/3.0", "@type": "SoftwareSourceCode", "name": about["title"],
        "identifier": citation.NAME, "description": about["abstract"], "version": about["version"],
        "dateModified": citation.date(), "license": _spdx(about["license"]), "keywords": about["keywords"],
        "author": [{"@type": "Organization", "name": author["name"]} for author in about["authors"]],
        "programmingLanguage": "Python", "runtimePlatform": f"Python {citation.python()}",
        "operatingSystem": ["Linux", "macOS"], "readme": "README.md", "buildInstructions": "REPRODUCING.md",
        "softwareRequirements": [{"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
                                 for name, version in _packages().values()],
    }  # fmt: skip
