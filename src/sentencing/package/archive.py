"""The archive that is deposited: the files of the repository as a zip of the same bytes every time.

Only committed files go in, in the order of their names, all with one date and with the rights that git keeps, and
beside them a list of their checksums, which `sha256sum -c` and the audit read.
"""

import hashlib
import zipfile
from pathlib import Path

from .. import paths
from ..made import workplace
from . import citation, files

MANIFEST = "MANIFEST.sha256"
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
PLAIN, EXECUTABLE = 0o100644, 0o100755


def name() -> str:
    """Of the archive, without its suffix, and of the folder in it."""
    return f"{citation.NAME}-{citation.citation()['version']}"


def write(to: Path, root: Path = paths.ROOT) -> list[str]:
    """Pack every committed file below one folder; the names of the files.

    Raises
    ------
    ValueError
        When a committed file has changes that are not committed: what is deposited must have a name. Or when git,
        which alone knows what is committed, is not installed.
    """
    if files.needs_git(root):
        raise ValueError("Not packed: git is not installed, and it alone knows which files are committed")
    if changed := files.changed(root):
        raise ValueError(f"Not packed, since these changes are not committed: {', '.join(changed[:10])}")
    packed = [path for path in files.tracked(root) if path.name != MANIFEST]
    contents = {path.relative_to(root).as_posix(): path.read_bytes() for path in packed}
    rights = {path.relative_to(root).as_posix(): path.stat().st_mode & 0o111 for path in packed}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    contents[MANIFEST] = sums.encode()
    with workplace(to.with_name(f".{to.name}")) as folder:
        with zipfile.ZipFile(folder / to.name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packing:
            for file, content in sorted(contents.items()):
                entry = zipfile.ZipInfo(f"{name()}/{file}", DATE)
                entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3  # as on Unix, for the rights
                entry.external_attr = (EXECUTABLE if rights.get(file) else PLAIN) << 16
                packing.writestr(entry, content)
        (folder / to.name).replace(to)
    return sorted(contents)


def read_manifest(path: Path) -> list[tuple[str, str]]:
    """Checksum and name of every file of a list."""
    return [tuple(line.split("  ", 1)) for line in path.read_text(encoding="utf-8").splitlines()]
