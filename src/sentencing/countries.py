"""A page for every country: the notebook `country-profile` run for each, and kept until something it rests on changes.

    python -m sentencing.countries --parameters build/parameters/country-profile.yml --to build/profiles
    python -m sentencing.countries … --countries MKD,HRV --workers 2
    python -m sentencing.countries … --scheduler tcp://host:8786

Of each country two files are kept: the executed notebook `<code>.ipynb`, and its values `values/<code>.json`. A run
does only what is missing or out of date. A country that fails stops no other; the exit code is then not zero.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from . import fanout, notebooks, paths, profiles, schemas, sources, tables

NOTEBOOK = "country-profile"
VALUES = "values"  # folder of values files below that of the pages
# Parameters that name tables which make a country one with data. Grids and estimates have other countries in them too.
TABLES = ("in_justice", "in_tiers", "in_statutes", "in_evidence", "in_custody")


def with_data(parameters: dict) -> list[str]:
    """Codes of all countries of which the tables of the notebook have anything.

    Parameters
    ----------
    parameters : dict
        Of the notebook, as `notebooks.resolve_parameters` gives them.
    """
    return profiles.with_data(*(tables.read_csv(parameters[name]) for name in TABLES))


def tasks(parameters: dict, countries: Iterable[str]) -> list[fanout.Task]:
    """A task for each country: the notebook with the parameters as they are, but for the country and its output.

    Raises
    ------
    ValueError
        Naming every code that is none of a country.
    """
    countries = list(countries)
    if unknown := [code for code in countries if code not in schemas.COUNTRIES]:
        raise ValueError(f"no country has the code {', '.join(unknown)}; codes are those of ISO 3166-1, as MKD")
    return [
        fanout.Task(
            code,
            {
                "notebook": f"notebooks/{NOTEBOOK}.ipynb",
                "parameters": parameters | {"country": code, "out_values": f"{VALUES}/{code}.json"},
                "executed": f"{code}.ipynb",
            },
        )
        for code in countries
    ]


def kept(folder: Path, parameters: dict) -> fanout.Kept:
    """The folder of the pages, with what they rest on."""
    read = [value for name, value in parameters.items() if name.startswith("in_")]
    raw = [parameters["raw_dir"], parameters["corrections_file"]]
    return fanout.Kept(paths.resolve(folder), (*raw, *read, f"notebooks/{NOTEBOOK}.ipynb"))


def current(folder: Path, parameters: dict) -> tuple[list[str], list[str]]:
    """Codes of the countries whose pages are in a folder: those that are up to date, and those that are not."""
    there = sorted(path.stem for path in paths.resolve(folder).glob("*.ipynb"))
    stale = [task.name for task in kept(folder, parameters).missing(tasks(parameters, there))]
    return [code for code in there if code not in stale], stale


def read_parameters(path: Path) -> dict:
    """Parameters of the notebook as `python -m sentencing.notebooks parameters` wrote them."""
    return sources.read_yaml(paths.resolve(path))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.countries", description=__doc__.splitlines()[0])
    parser.add_argument("--parameters", type=Path, required=True, help="parameters of the notebook, one file")
    parser.add_argument("--to", type=Path, required=True, help="folder of the pages")
    parser.add_argument("--countries", default="", metavar="CODE,…", help="these only; else all with data")
    fanout.add_options(parser)
    chosen = parser.parse_args(arguments)
    try:
        parameters = read_parameters(chosen.parameters)
        codes = [code for code in chosen.countries.upper().split(",") if code] or with_data(parameters)
        place = kept(chosen.to, parameters)
        todo = place.missing(tasks(parameters, codes))
        print(f"Country pages: {len(codes) - len(todo)} of {len(codes)} up to date", flush=True)
        failures = fanout.run(
            notebooks.run_apart, todo, place.write, workers=chosen.workers, scheduler=chosen.scheduler,
            label="Country pages", needs=place.needs,
        )  # fmt: skip
    except (ValueError, OSError, fanout.Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    return fanout.report(failures)


if __name__ == "__main__":
    sys.exit(main())
