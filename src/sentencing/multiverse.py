"""Every design that declared choices leave, fitted and written down: `results/multiverse.csv`.

    python -m sentencing.multiverse --declared params/multiverse.yml --to build/multiverse
    python -m sentencing.multiverse … --workers 2 --result results/multiverse.csv
    python -m sentencing.multiverse … --scheduler tcp://host:8786
    python -m sentencing.multiverse … --quick

Designs go out in batches; each batch comes back as a file of rows, which is kept. A run does only the batches that are
missing or out of date, so a run that was killed goes on where it was. The one table of all rows is put together in the
order of the designs when every batch is there: the same bytes whatever the workers did, and in which order.
"""

import argparse
import functools
import sys
from pathlib import Path

import pandas as pd
import yaml

from . import designs, fanout, paths, tables

BATCH = 16  # designs; a kill costs no more than those under way
PARTS = "parts"


def read(path: str | Path) -> designs.Declared:
    """The choices declared in a file.

    Raises
    ------
    ValueError
        Naming the file and everything that is wrong in it.
    """
    try:
        return designs.declare(yaml.safe_load(paths.resolve(path).read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{paths.relative(path)}: {error}") from None


def tasks(declared: designs.Declared, found: designs.Designs, batch: int = BATCH) -> list[fanout.Task]:
    """Tasks for `fit_batch`, each of so many designs."""
    given = [[d.combination, d.combinations] for d in found.distinct]
    study = declared.study._asdict()
    return [
        fanout.Task(f"{start:05d}", {"name": f"{start:05d}", "study": study, "given": given[start : start + batch]})
        for start in range(0, len(given), batch)
    ]


def fit_batch(name: str, study: dict, given: list) -> dict[str, bytes]:
    """Fit some designs; their rows as the content of one file.

    Parameters
    ----------
    name : str
        Of the file.
    study : dict
        Fields of `designs.Study`.
    given : list of (dict, int)
        The combination that stands for each design, and how many lead to it.
    """
    chosen = designs.Study(**study)
    evidence = _evidence(chosen.evidence, fanout.digest(chosen.evidence))
    rows = [row for combination, times in given for row in designs.fit_design(evidence, chosen, combination, times)]
    return {f"{PARTS}/{name}.csv": tables.csv_text(pd.DataFrame(rows, columns=designs.RESULTS)).encode()}


@functools.lru_cache(maxsize=1)
def _evidence(path: str, digest: str) -> pd.DataFrame:
    """The table at `path`, read once as long as its content stays."""
    return tables.read_csv(path)


def kept(folder: str | Path, declared: designs.Declared) -> fanout.Kept:
    """The folder of the parts, with what they rest on."""
    return fanout.Kept(paths.resolve(folder), (declared.study.evidence,))


def together(folder: str | Path, done: list[fanout.Task]) -> str:
    """The one table: the rows of all parts, in the order of the designs."""
    place = paths.resolve(folder) / PARTS
    parts = [(place / f"{task.name}.csv").read_text(encoding="utf-8").partition("\n") for task in done]
    return parts[0][0] + "\n" + "".join(rows for _, _, rows in parts)


def run(
    declared: designs.Declared, folder: str | Path, result: str | Path, workers: int = 1, scheduler: str = "",
    batch: int = BATCH,
) -> list[fanout.Failure]:  # fmt: skip
    """Fit every design and write the table of all rows.

    Parameters
    ----------
    folder : path
        Where parts are kept.
    result : path
        The table; written only when every batch is there.
    workers, scheduler
        As of `fanout.run`.
    batch : int
        Designs in a task.

    Returns
    -------
    list of fanout.Failure
        Batches that broke. A design that cannot be estimated is no failure: its rows say why.
    """
    found = designs.designs(tables.read_csv(declared.study.evidence), declared)
    print(found.told(), flush=True)
    every, place = tasks(declared, found, batch), kept(folder, declared)
    todo = place.missing(every)
    print(f"Batches of designs: {len(every) - len(todo)} of {len(every)} up to date", flush=True)
    failures = fanout.run(fit_batch, todo, place.write, workers=workers, scheduler=scheduler,
                          label="Batches of designs", needs=place.needs)  # fmt: skip
    if not failures:
        tables.write_text(together(folder, every), result)
    return failures


def read_results(path: str | Path = "results/multiverse.csv") -> pd.DataFrame:
    """The table of all rows, `designs.RESULTS`: texts blank rather than missing, `none` a word, months as floats."""
    frame = tables.read_csv(path)
    numbers = ["estimate", "low", "high", "boot_low", "boot_high", "people",
               *(name for name, known in designs.OPTIONS.items() if isinstance(known, float))]  # fmt: skip
    return frame.astype(dict.fromkeys(numbers, "float64")).assign(
        design=frame["design"].astype(str), converged=frame["converged"].astype(bool), reason=frame["reason"].fillna("")
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.multiverse", description=__doc__.splitlines()[0])
    parser.add_argument("--declared", type=Path, default=paths.PARAMS / "multiverse.yml", help="file of choices")
    parser.add_argument("--to", type=Path, default=paths.BUILD / "multiverse", help="folder of the parts")
    parser.add_argument("--result", type=Path, help="table of all rows (multiverse.csv in that folder)")
    parser.add_argument("--quick", action="store_true", help="two options of each choice, few replicates")
    parser.add_argument("--batch", type=int, default=BATCH, help="designs in a task (%(default)s)")
    fanout.add_options(parser)
    chosen = parser.parse_args(arguments)
    try:
        declared = read(chosen.declared)
        result = chosen.result or paths.resolve(chosen.to) / "multiverse.csv"
        failures = run(
            declared.quick() if chosen.quick else declared, chosen.to, result, chosen.workers, chosen.scheduler,
            chosen.batch,
        )  # fmt: skip
    except (ValueError, OSError, fanout.Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return fanout.report(failures)


if __name__ == "__main__":
    sys.exit(main())
