"""The command `python -m sentencing.site`."""

import argparse
import sys
from pathlib import Path

from .. import paths
from . import build, write_findings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.site", description="Make the readable pages.")
    parser.add_argument("--executed", type=Path, help="folder of executed notebooks")
    parser.add_argument("--results", type=Path, default=paths.RESULTS, help="folder of values files")
    parser.add_argument("--raw", type=Path, default=paths.RAW, help="folder of raw tables")
    parser.add_argument("--corrections", type=Path, default=paths.CORRECTIONS, help="the declared corrections")
    parser.add_argument("--profiles", type=Path, help="folder of the countries' pages")
    parser.add_argument("--parameters", type=Path, help="parameters that those are made with")
    parser.add_argument("--explorer", type=Path, help="folder of resolved parameters, to make the explorer from")
    parser.add_argument("--to", type=Path, help="folder of the site; an earlier site is replaced")
    parser.add_argument("--readme", type=Path, help="instead of the site, write the findings into this README")
    chosen = parser.parse_args(arguments)
    if not chosen.readme and not (chosen.executed and chosen.to):
        parser.error("--executed and --to are needed, or --readme")
    try:
        if chosen.readme:
            changed = write_findings(paths.resolve(chosen.readme), chosen.results)
            print(f"{chosen.readme}: findings {'written' if changed else 'current'}")
            return 0
        places = (chosen.executed, chosen.results, chosen.raw, chosen.corrections, chosen.to)
        pages = build(*places, chosen.profiles, chosen.parameters, chosen.explorer)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(pages)} pages: {paths.relative(chosen.to / 'index.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
