"""Reads country narratives: `python -m sentencing.narrative INPUT OUTDIR [--compare data/raw/tip/coded_2018_]`."""

import argparse
import sys
from pathlib import Path

from .agreement import printout, score_rows, write_scores
from .read import BadInput, narratives
from .write import write


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when all was read, 1 when it could not be written, 2 when the input could not be read."""
    about = "Reads numbers, penalties and sentences from country narratives of the Trafficking in Persons Report."
    parser = argparse.ArgumentParser(prog="python -m sentencing.narrative", description=about)
    parser.add_argument("input", type=Path, help="a CSV with iso3, country, report_year and sections; or a folder of "
                        ".txt and .html files named ISO3-year")  # fmt: skip
    parser.add_argument(
        "outdir", type=Path, help="where counts.csv, custody.csv, sentences.csv, statutes.csv and report.html go"
    )
    parser.add_argument("--compare", metavar="PREFIX", help="compare with coded tables, as data/raw/tip/coded_2018_")
    parser.add_argument(
        "--scores", type=Path, metavar="FILE", help="write how far they agree to this CSV; with --compare"
    )
    given = parser.parse_args(arguments)
    try:
        totals = write(narratives(given.input), given.outdir)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    rows = ", ".join(f"{n} {table}" for table, n in totals.rows.items())
    print(f"{totals.narratives} narratives: {rows}. See {given.outdir / 'report.html'}")
    if given.compare:
        found = score_rows(given.outdir, given.compare)
        print(printout(found))
        if given.scores:
            write_scores(found, given.scores)
    return 0


if __name__ == "__main__":
    sys.exit(main())
