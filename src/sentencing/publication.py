"""Every form of publication of `params/publication.yml`, simulated and written down: `results/publication-designs.csv`.

    python -m sentencing.publication --declared params/publication.yml --to build/publication
    python -m sentencing.publication … --workers 2 --result results/publication-designs.csv
    python -m sentencing.publication … --scheduler tcp://host:8786

A task is one form under one truth with so many people a year: all numbers of years, with a change and without. Its rows
come back as a file, which is kept; a run that was stopped goes on where it was, and the table of all rows has the same
bytes whatever the workers did, and in which order.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from . import fanout, paths, power, sources, tables

RESULT = "results/publication-designs.csv"


def read(path: str | Path) -> power.Declared:
    """The parameters declared in a file.

    Raises
    ------
    ValueError
        Naming the file and everything that is wrong in it.
    """
    return sources.read_declared(path, power.declare)


def designs(declared: power.Declared) -> list[power.Design]:
    """Designs for the tables that the parameters name."""
    study = declared.study
    return power.designs(tables.read_csv(study.evidence), tables.read_csv(study.justice), declared)


def tasks(found: list[power.Design]) -> list[fanout.Task]:
    """Tasks for `simulate`, one for each design."""
    names = [f"{number:03d}-{d.scenario}-{d.form}-{d.people}" for number, d in enumerate(found)]
    return [
        fanout.Task(name, {"name": name, "design": design._asdict() | {"truth": list(design.truth)}})
        for name, design in zip(names, found, strict=True)
    ]


def simulate(name: str, design: dict) -> dict[str, bytes]:
    """Simulate one design; its rows as the content of a file of that name."""
    rows = power.simulate(power.Design(**design))
    return fanout.part(name, tables.csv_text(pd.DataFrame(rows, columns=power.RESULTS)))


def kept(folder: str | Path) -> fanout.Kept:
    """The folder of the parts. All that a task needs are its arguments: no file."""
    return fanout.Kept(paths.resolve(folder), ())


def run(
    found: list[power.Design], folder: str | Path, result: str | Path, workers: int = 1, scheduler: str = ""
) -> list[fanout.Failure]:
    """Simulate every design and write the table of all rows; only when none failed.

    Parameters
    ----------
    found : list of power.Design
    folder : path
        Where parts are kept.
    result : path
        The table.
    workers, scheduler
        As of `fanout.run`.
    """
    every, place = tasks(found), kept(folder)
    todo = place.missing(every)
    print(f"Forms of publication: {len(every) - len(todo)} of {len(every)} up to date", flush=True)
    failures = fanout.run(simulate, todo, place.write, workers=workers, scheduler=scheduler,
                          label="Forms of publication", needs=place.needs)  # fmt: skip
    if not failures:
        tables.write_text(fanout.together(folder, every), result)
    return failures


def read_results(path: str | Path = RESULT) -> pd.DataFrame:
    """The table of all rows, `power.RESULTS`; months and shares as floats."""
    frame = tables.read_csv(path)
    numbers = ["people_a_year", "change_months", "power", "low", "high", "by_formula", "calibrated_power",
               "median_months", "log_scale", "correlation"]  # fmt: skip
    return frame.astype(dict.fromkeys(numbers, "float64"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.publication", description=__doc__.splitlines()[0])
    parser.add_argument("--declared", type=Path, default=paths.PARAMS / "publication.yml", help="file of parameters")
    parser.add_argument("--to", type=Path, default=paths.BUILD / "publication", help="folder of the parts")
    parser.add_argument("--result", type=Path, help="table of all rows (publication-designs.csv in that folder)")
    fanout.add_options(parser)
    chosen = parser.parse_args(arguments)
    try:
        result = chosen.result or paths.resolve(chosen.to) / Path(RESULT).name
        failures = run(designs(read(chosen.declared)), chosen.to, result, chosen.workers, chosen.scheduler)
    except (ValueError, OSError, fanout.Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return fanout.report(failures)


if __name__ == "__main__":
    # Under its own name: what is sent to other processes has to be found there, and `__main__` is another module there.
    from sentencing import publication

    sys.exit(publication.main())
