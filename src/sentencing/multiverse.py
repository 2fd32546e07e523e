"""Every design that declared choices leave, fitted and written down: `results/multiverse.csv` for terms in one country,
`results/multiverse-countries.csv` for the comparison of countries.

    python -m sentencing.multiverse --declared params/multiverse.yml --to build/multiverse
    python -m sentencing.multiverse … --workers 2 --result results/multiverse.csv
    python -m sentencing.multiverse … --scheduler tcp://host:8786
    python -m sentencing.multiverse … --quick

Designs go out in batches; each batch comes back as a file of rows, which is kept. A run does only the batches that are
missing or out of date, so a run that was killed goes on where it was. The one table of all rows is put together in the
order of the designs when every batch is there: the same bytes whatever the workers did, and in which order. Of the
comparison of countries there is a second table, of the first design without each country.
"""

import argparse
import functools
import sys
from pathlib import Path

import pandas as pd

from . import between, corrections, designs, evidence, fanout, paths, robustness, sources, tables, within

BATCH = 16  # designs; a kill costs no more than those under way
LEFT_OUT = 4  # countries in a task


def read(path: str | Path) -> designs.Declared:
    """The choices declared in a file.

    Raises
    ------
    ValueError
        Naming the file and everything that is wrong in it.
    """
    return sources.read_declared(path, designs.declare)


def load(study: designs.Study):
    """What the designs of a study take, from the files that it names.

    Returns
    -------
    pandas.DataFrame or between.Tables
        For a country the evidence table with all coders; for countries all tables.
    """
    return _load(study, _digests(study))


def _digests(study: designs.Study) -> tuple[str, ...]:
    return tuple(fanout.digest(name) for name in files(study))


@functools.lru_cache(maxsize=1)
def _prepared(study: designs.Study, digests: tuple[str, ...]):
    return designs.study_of(study).Prepared(_load(study, digests), study)


@functools.lru_cache(maxsize=1)
def _load(study: designs.Study, digests: tuple[str, ...]):
    """Read once as long as the content stays."""
    own = evidence.with_coders(tables.read_csv(study.evidence), tables.read_csv(study.evidence_by_coder))
    if isinstance(study, within.Study):
        return own
    controls = corrections.Reader(paths.RAW, study.corrections)(study.controls)
    return between.Tables(own, tables.read_csv(study.tiers), controls, tables.read_csv(study.statutes))


def files(study: designs.Study) -> tuple[str, ...]:
    """The files that a study rests on."""
    named = (study.evidence, study.evidence_by_coder)
    if isinstance(study, within.Study):
        return named
    raw = f"{paths.relative(paths.RAW)}/{study.controls}"
    return (*named, study.tiers, study.statutes, raw, study.corrections)


def tasks(declared: designs.Declared, found: designs.Designs, batch: int = BATCH) -> list[fanout.Task]:
    """Tasks for `fit_batch`, each of so many designs."""
    given = [[d.combination, d.combinations] for d in found.distinct]
    return _batches("", declared, "given", given, batch)


def tasks_left_out(declared: designs.Declared, found: designs.Designs) -> list[fanout.Task]:
    """Tasks for `fit_batch` of the first design without each country; none where no countries are compared."""
    if isinstance(declared.study, within.Study):
        return []
    first = found.distinct[0].combination
    rows = between.rows_of(load(declared.study), declared.study, first)
    given = [[first, iso3] for iso3 in ("", *sorted(set(rows.entered.rows["iso3"])))]
    return _batches("without-", declared, "left_out", given, LEFT_OUT)


def _batches(prefix: str, declared: designs.Declared, what: str, given: list, batch: int) -> list[fanout.Task]:
    study = {"about": about(declared.study)} | declared.study._asdict()
    names = ((start, f"{prefix}{start:05d}") for start in range(0, len(given), batch))
    return [fanout.Task(name, {"name": name, "study": study, what: given[start : start + batch]})
            for start, name in names]  # fmt: skip


def about(study: designs.Study) -> str:
    """The key of a study in `designs.STUDIES`."""
    return next(name for name, module in designs.STUDIES.items() if isinstance(study, module.Study))


def fit_batch(name: str, study: dict, given: list = (), left_out: list = ()) -> dict[str, bytes]:
    """Fit some designs; their rows as the content of one file.

    Parameters
    ----------
    name : str
        Of the file.
    study : dict
        `about`, and the fields of that `Study`.
    given : list of (dict, int)
        The combination that stands for each design, and how many lead to it.
    left_out : list of (dict, str)
        In place of that: a combination, and the country without which it is fitted; blank: with all.
    """
    own = dict(study)
    chosen = designs.STUDIES[own.pop("about")].Study(**own)
    columns = robustness.WITHOUT if left_out else designs.results_columns(chosen)
    prepared, rows = _prepared(chosen, _digests(chosen)), []
    for combination, times in given:
        rows += designs.fit_rows(prepared.rows(combination), chosen, combination, times)
    for combination, iso3 in left_out:
        rows += robustness.leave_one_country_out(load(chosen), chosen, combination, [iso3])
    return fanout.part(name, tables.csv_text(pd.DataFrame(rows, columns=columns)))


def kept(folder: str | Path, declared: designs.Declared) -> fanout.Kept:
    """The folder of the parts, with what they rest on."""
    return fanout.Kept(paths.resolve(folder), files(declared.study))


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
        The table; written only when every batch is there. That of `tasks_left_out` stands beside it, `-without` added
        to its name.
    workers, scheduler
        As of `fanout.run`.
    batch : int
        Designs in a task.

    Returns
    -------
    list of fanout.Failure
        Batches that broke. A design that cannot be estimated is no failure: its rows say why.
    """
    found = designs.designs(load(declared.study), declared)
    print(found.told(), flush=True)
    fitted, left_out, place = tasks(declared, found, batch), tasks_left_out(declared, found), kept(folder, declared)
    every = [*fitted, *left_out]
    todo = place.missing(every)
    print(f"Batches of designs: {len(every) - len(todo)} of {len(every)} up to date", flush=True)
    failures = fanout.run(fit_batch, todo, place.write, workers=workers, scheduler=scheduler,
                          label="Batches of designs", needs=place.needs)  # fmt: skip
    if not failures:
        tables.write_text(fanout.together(folder, fitted), result)
        if left_out:
            tables.write_text(fanout.together(folder, left_out), _beside(result))
    return failures


def _beside(result: str | Path) -> Path:
    path = paths.resolve(result)
    return path.with_name(f"{path.stem}-without{path.suffix}")


def read_results(path: str | Path = "results/multiverse.csv") -> pd.DataFrame:
    """A table of all rows, `designs.results_columns`: texts blank rather than missing, numbers as floats.

    `none` is a word in it. It reads a table of `tasks_left_out`, too.
    """
    frame = tables.read_csv(path)
    options = [name for kind in designs.STUDIES.values() for name, known in kind.OPTIONS.items()
               if isinstance(known, float)]  # fmt: skip
    numbers = ["estimate", "low", "high", "boot_low", "boot_high", "people", *options]
    typed = frame.astype(dict.fromkeys([name for name in numbers if name in frame], "float64"))
    blank = {name: frame[name].fillna("") for name in ("reason", "without") if name in frame}
    typed = typed.assign(design=frame["design"].astype(str), **blank)
    return typed.astype({"converged": bool}) if "converged" in typed else typed


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
    # Under its own name: what is sent to other processes has to be found there, and `__main__` is another module there.
    from sentencing import multiverse

    sys.exit(multiverse.main())
