"""The command `python -m sentencing.trust`."""

import argparse
import sys

from . import gather


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.trust", description="Gather what the checks found.")
    parser.parse_args(arguments)
    gathered = gather()
    for name, proof in gathered.items():
        print(f"{'ok' if proof['passed'] else 'FAILED':8}{name}: {proof['told']} ({proof['day']}, {proof['commit']})")
    return int(not all(proof["passed"] for proof in gathered.values()))


if __name__ == "__main__":
    sys.exit(main())
