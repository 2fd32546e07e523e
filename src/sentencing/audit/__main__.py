"""The command `python -m sentencing.audit`."""

import argparse
import sys
from pathlib import Path

from .. import paths, tables, trust
from . import audit, in_words, proof


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.audit", description="Look as a data editor would.")
    parser.add_argument("--to", type=Path, default=paths.BUILD / "audit.json", help="the outcomes as JSON")
    chosen = parser.parse_args(arguments)
    try:
        found = audit()
        content = {name: outcome._asdict() for name, outcome in found.items()}
        tables.write_text(tables.json_text(content), paths.resolve(chosen.to))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(in_words(found))
    proved = proof(found)
    trust.record("audit", proved, paths.resolve(chosen.to).parent / trust.RECORDS.name)
    return int(not proved.passed)


if __name__ == "__main__":
    sys.exit(main())
