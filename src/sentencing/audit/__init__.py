"""The repository looked at as a data editor of a journal would.

Are the files those described, does everything shown have a program and every figure a source, is anything there that
should not be?

    python -m sentencing.audit      every check in plain words, build/audit.json; exit 1 when one fails

A check that cannot be made says "skipped" and why; that is no failure, and no success either.
"""

from ..trust import Proof
from .checks import CHECKS, FAILED, OK, SKIPPED, Outcome, Place

__all__ = ["CHECKS", "FAILED", "OK", "SKIPPED", "Outcome", "Place", "audit", "in_words", "proof"]

SHOWN = 20  # faults of one check that are printed; the JSON has all


def audit(place: Place | None = None, checks: dict | None = None) -> dict[str, Outcome]:
    """The outcome of every check, by name."""
    place = place or Place()
    return {name: check(place) for name, check in (checks or CHECKS).items()}


def in_words(found: dict[str, Outcome]) -> str:
    """Outcomes as lines of text, the faults below each."""
    lines = []
    for name, outcome in found.items():
        lines.append(f"{outcome.status:8}{name}: {outcome.told}")
        lines += [f"          - {fault}" for fault in outcome.faults[:SHOWN]]
        if len(outcome.faults) > SHOWN:
            lines.append(f"          … and {len(outcome.faults) - SHOWN} more")
        if limits := outcome.detail.get("limits"):
            lines.append(f"          {limits}")
    return "\n".join([*lines, _sum(found)])


def _count(found: dict[str, Outcome], status: str) -> int:
    return sum(outcome.status == status for outcome in found.values())


def _sum(found: dict[str, Outcome]) -> str:
    return f"{_count(found, OK)} checks passed, {_count(found, FAILED)} failed, {_count(found, SKIPPED)} skipped"


def proof(found: dict[str, Outcome]) -> Proof:
    """What the outcomes come to, for the page of all checks."""
    return Proof(
        "make audit", not _count(found, FAILED), _sum(found),
        {f"checks_{name}": _count(found, status) for name, status in
         (("passed", OK), ("failed", FAILED), ("skipped", SKIPPED))},
        [{"check": name, "found": outcome.status, "what": outcome.told} for name, outcome in found.items()],
    )  # fmt: skip
