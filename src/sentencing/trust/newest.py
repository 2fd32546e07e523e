"""Build and test with the newest releases of the packages in place of those that are pinned.

    python -m sentencing.trust.newest      exit 1 when a build or test fails, or other results come out

The clone that is built and its environment lie in a folder of their own; the pins stay as they are. What fails here
tells what will have to change when the pins are renewed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .. import paths
from ..package import citation
from . import Proof, circumstances, compare, record
from .verify import Failed, clone, compare_all, in_words, refuse_failure, remove_made

VERSIONS = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def newer(packages: list[str], pins: dict[str, str], installed: dict[str, str]) -> list[dict]:
    """A row for each of these packages whose installed version is another than the pinned one."""
    have = {citation.normalised(name): version for name, version in installed.items()}
    return [{"package": name, "pinned": pins.get(name), "newest": have.get(name)}
            for name in packages if pins.get(name) != have.get(name)]  # fmt: skip


def run(command: list[str], root: Path, log: Path) -> None:
    """Run a command in `root`; what it says goes to `log`.

    Raises
    ------
    Failed
        When it ends with another exit code than 0.
    """
    with log.open("w", encoding="utf-8") as said:
        done = subprocess.run(command, cwd=root, env=_without_make(), stdout=said, stderr=subprocess.STDOUT)
    refuse_failure(done.returncode, log)


def _without_make() -> dict[str, str]:
    """Environment variables without the options of the `make` that runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHONPATH"))}


def newest(root: Path, folder: Path) -> tuple[Proof, list[str]]:
    """Install, build, compare and test below `folder`; what is proved, and the report in words.

    Raises
    ------
    Failed
        When packages cannot be installed, or the build or a test fails.
    ValueError
        When there are changes that are not committed.
    """
    built, committed, log = folder / "built", folder / "committed", folder / "log"
    clone(root, built)
    clone(root, committed)
    made = remove_made(built)
    python = built / ".venv" / "bin" / "python"
    run([sys.executable, "-m", "venv", ".venv"], built, log)
    run([str(python), "-m", "pip", "install", "--upgrade", "--editable", ".[test]"], built, log)
    (built / ".venv" / ".ready").touch()  # so that make does not install the pins
    run(["make"], built, log)
    _, kept = compare_all(built, built, committed)
    run(["make", "test"], built, log)
    tested = log.read_text(encoding="utf-8").rstrip().splitlines()[-1]
    installed = subprocess.run([str(python), "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
    asked = sorted(citation.direct(root, tests=True))
    rows = newer(asked, citation.pins(root), json.loads(installed))
    return proof(kept, made, rows, tested, len(asked)), in_words({}, kept)


def proof(kept: dict, made: list[str], rows: list[dict], tested: str, asked: int) -> Proof:
    """What the comparison with the committed files and the tests come to."""
    close, other = (sum(c.count(level) for c in kept.values()) for level in (compare.CLOSE, compare.OTHER))
    figures = {
        "packages_asked_for": asked,
        "packages_newer_than_pinned": len(rows),
        "files_compared_with_committed": sum(c.files for c in kept.values()),
        "files_made_anew": len(made),
        "files_equal_within_tolerance_only": close,
        "files_other_than_committed": other,
    }
    files = figures["files_compared_with_committed"]
    told = (
        f"with {len(rows)} of {asked} packages newer than pinned, {close} of {files} committed files were equal within "
        f"tolerance only and {other} were others; tests: {tested.strip('= ')}"
    )
    return Proof("make newest", not other, told, figures, rows, [])


def main() -> int:
    print("Building and testing with the newest packages; takes ten minutes and more", flush=True)
    began = circumstances()
    with tempfile.TemporaryDirectory(prefix="sentencing-newest-") as folder:
        try:
            found, lines = newest(paths.ROOT, Path(folder))
        except (Failed, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    print("\n".join([*lines, found.told]))
    record("newest", found, on=began)
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main())
