"""The command `python -m sentencing.trust`."""

import argparse
import sys
from pathlib import Path

from .. import paths
from . import GATHERED, gather


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.trust", description="Gather what the checks found.")
    parser.add_argument("--to", type=Path, default=GATHERED, help="the JSON file that is committed")
    gathered = gather(to=paths.resolve(parser.parse_args(arguments).to))
    for name, proof in gathered.items():
        print(f"{'ok' if proof['passed'] else 'FAILED':8}{name}: {proof['told']} ({proof['day']}, {proof['commit']})")
    return int(not all(proof["passed"] for proof in gathered.values()))


if __name__ == "__main__":
    sys.exit(main())
