"""What the repository proves of itself: what each of its checks tried and found, on which state of it.

Checks that take minutes (two builds compared, faults, mutants) are not part of a build. Each records what it found
below build/trust; one command gathers these records into the table that is committed and shown on a page:

    python -m sentencing.trust      gather build/trust/*.json into results/trust.json; exit 1 when one did not pass
"""

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from .. import paths, tables

RECORDS = paths.BUILD / "trust"
GATHERED = paths.RESULTS / paths.TRUST
ORDER = ("tests", "verify", "audit", "faults", "hostile", "mutation", "newest")  # on the page


class Proof(NamedTuple):
    """What one check found.

    Parameters
    ----------
    command : str
        By which anybody can repeat it.
    passed : bool
    told : str
        One sentence, with the figures that matter.
    figures : dict of str to int or float
        By name with unit, as in `{"faults_tried": 41, "faults_survived": 41}`.
    details : list of dict
        Rows of a table: the same keys in each, values that are text or numbers.
    limits : list of str
        What was left out and why, a sentence each.
    """

    command: str
    passed: bool
    told: str
    figures: dict[str, int | float]
    details: list[dict] = []
    limits: list[str] = []


def record(name: str, proof: Proof, folder: Path = RECORDS, on: dict[str, str] | None = None) -> Path:
    """Write `proof` to `folder`/`name`.json, with the `circumstances` it was found in: those of now, or `on`.

    Raises
    ------
    ValueError
        For a name that has no place on the page.
    """
    if name not in ORDER:
        raise ValueError(f"{name}: not one of {', '.join(ORDER)}")
    content = {**proof._asdict(), **(on or circumstances())}
    to = folder / f"{name}.json"
    tables.write_text(tables.json_text(content), to)
    return to


def circumstances() -> dict[str, str]:
    """On which commit (marked where files differ from it), which day, with which Python and system."""
    return {
        "commit": _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"),
        "day": datetime.now(UTC).date().isoformat(),
        "made_with": f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    }


def _git(*arguments: str) -> str:
    """What git says; nothing in a copy without it."""
    try:
        done = subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def gather(folder: Path = RECORDS, to: Path = GATHERED) -> dict[str, dict]:
    """The records of `folder`, put in the place of older ones of the same name in `to`; all that are there then."""
    there = json.loads(to.read_text(encoding="utf-8")) if to.exists() else {}
    new = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    both = {**there, **new}
    content = {name: both[name] for name in ORDER if name in both}
    tables.write_text(tables.json_text(content), to)
    return content
