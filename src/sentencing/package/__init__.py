"""What a deposit needs beside the repository itself, made from what is there: descriptions for machines, the codebook's
fill rates, the list of figures and tables in the README, and the archive.

    python -m sentencing.package              write everything that is out of date
    python -m sentencing.package --check      only say what is; exit 1 if there is anything
    python -m sentencing.package archive      build/….zip: the files of the repository, to be deposited

Only the audit knows of it.
"""

from pathlib import Path

from .. import paths, tables
from . import codebook, crate, datapackage, programs

README = paths.ROOT / "README.md"


def written() -> dict[Path, str]:
    """Every file that is made here, with the text it should have now. None has a checksum of another."""
    return {
        **{home: codebook.filled(home) for home in codebook.HOMES},
        README: programs.with_list(README.read_text(encoding="utf-8")),
        paths.ROOT / datapackage.FILE: tables.json_text(datapackage.build()),
        paths.ROOT / crate.CODEMETA: tables.json_text(crate.codemeta()),
        paths.ROOT / crate.FILE: tables.json_text(crate.build()),
    }


def stale() -> dict[Path, str]:
    """Those of `written` that are missing or have another text."""
    return {path: text for path, text in written().items()
            if not path.exists() or path.read_text(encoding="utf-8") != text}  # fmt: skip


def write() -> list[Path]:
    """Write every file that is out of date; their paths."""
    changed = stale()
    for path, text in changed.items():
        tables.write_text(text, path)
    return list(changed)
