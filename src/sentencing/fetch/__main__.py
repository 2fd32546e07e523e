"""The command: python -m sentencing.fetch --years 2018 --countries SRB,BGR (or: make fetch)."""

import argparse
import csv
import io
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import filelock
from tqdm import tqdm

from .. import paths
from ..schemas import country_name, without_formulas
from . import addresses, pages
from .client import USER_AGENT, WORKBOOK, Client, Fetched, FetchError, NotFound

COLUMNS = ("iso3", "country", "report_year", *pages.SECTIONS)


@dataclass
class Result:
    """What a run got: rows of narratives, what it says of each page, and what failed."""

    rows: list[dict[str, str | int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def parse_years(text: str) -> list[int]:
    """Years of editions: "2018" or "2017,2019-2021". Raises ValueError for anything else."""
    years: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text)):
        if not (found := re.fullmatch(r"(20\d\d)(?:-(20\d\d))?", part)) or (found[2] and found[2] < found[1]):
            raise ValueError(f"years {part!r}: a year, several joined by commas, or a range such as 2019-2021")
        years |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    for year in years:
        addresses.index_addresses(year)
    return sorted(years)


def parse_countries(text: str) -> list[str]:
    """Codes of countries, in their order. Raises ValueError for an unknown one, with the nearest known."""
    codes = list(dict.fromkeys(filter(None, re.split(r"[,\s]+", text.upper()))))
    for code in codes:
        country_name(code)
    return codes


def fetch_page(client: Client, year: int, iso3: str, base: str, archive: str) -> Fetched:
    """A country's page of an edition: from the cache, at its address, or where the edition's index says it is.

    Raises
    ------
    FetchError
        When it cannot be had, with every address that was tried.
    """
    place = base if year >= addresses.FIRST_NAMED_YEAR else archive
    folder = urlsplit(place).netloc.replace(":", "_")
    name = f"{folder}/{iso3}-{year}.html"
    if found := client.cached(name):
        return found
    tried = []
    if year >= addresses.FIRST_NAMED_YEAR:
        for url in addresses.page_addresses(year, iso3, base):
            try:
                return client.get(url, name)
            except NotFound:
                tried.append(url)
    for i, url in enumerate(addresses.index_addresses(year, base, archive)):
        tried.append(url)
        try:
            index = client.get(url, f"{folder}/index/{year}-{i}.html")
        except NotFound:
            continue
        if listed := addresses.find_country(index.path.read_bytes(), index.url, iso3):
            return client.get(listed, name)
    raise NotFound(f"no page of {country_name(iso3)} in the edition of {year} was found; tried {', '.join(tried)}")


def fetch_workbook(client: Client, url: str) -> Fetched:
    """UNODC's workbook, at `url` or, if that is a page, at the address that the page links to.

    Raises
    ------
    FetchError
        When the page links to no such workbook, or what comes is none.
    """
    folder = f"unodc/{urlsplit(url).netloc.replace(':', '_')}"
    if not urlsplit(url).path.endswith(".xlsx"):
        page = client.get(url, f"{folder}/workbook-page.html")
        if not (linked := addresses.find_workbook(page.path.read_bytes(), page.url)):
            raise FetchError(f"{url}: links to no workbook data_glotip.xlsx; {_kept(page.path)}")
        url = linked
    # The address has the month of release in it: another release is another file.
    name = "-".join(urlsplit(url).path.rsplit("/", 2)[-2:])
    workbook = client.get(url, f"{folder}/{name}", WORKBOOK)
    if not zipfile.is_zipfile(workbook.path):
        raise FetchError(f"{url}: what came is no workbook; {_kept(workbook.path)}")
    return workbook


def collect(
    years: list[int], countries: list[str], page_of: Callable[[int, str], tuple[Path, str | None, str]],
    progress: bool | None = None,
) -> Result:  # fmt: skip
    """Get and read every page; what fails is noted and does not stop the others.

    `page_of(year, iso3)` gives the page's file, its encoding if the server named it, and a note; it may raise
    FetchError or OSError.
    """
    result = Result()
    wanted = [(year, iso3) for year in years for iso3 in countries]
    for year, iso3 in tqdm(wanted, unit="page", disable=None if progress is None else not progress):
        label = f"{iso3} {year}"
        try:
            path, encoding, note = page_of(year, iso3)
            if note:
                result.notes.append(f"{label}: {note}")
            narrative = pages.parse(path.read_bytes(), iso3, year, encoding)
        except pages.LayoutError as error:
            result.failures.append(f"{label}: the page's layout is not known here: {error}; {_kept(path)}")
        except (FetchError, OSError) as error:
            result.failures.append(f"{label}: {error}")
        else:
            result.rows.append({"iso3": iso3, "country": country_name(iso3), "report_year": year, **narrative})
    return result


def write_rows(rows: list[dict[str, str | int]], path: Path) -> None:
    """Write narratives as CSV, one a row, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({c: without_formulas(v) if isinstance(v, str) else v for c, v in row.items()} for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    new.replace(path)


def _shown(path: Path) -> str:
    return paths.relative(path)


def _kept(path: Path) -> str:
    return f"kept at {_shown(path)} (remove it to have it fetched again)"


def _encoding(client: Client, name: str) -> str | None:
    found = re.search(r"charset=[\"']?([\w-]+)", client.manifest["files"][name]["content_type"], re.I)
    return found[1] if found else None


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sentencing.fetch", description="Download country narratives.")
    parser.add_argument("--years", default="2018", help="editions: 2018, or 2017,2019-2021 (default 2018)")
    parser.add_argument("--countries", default="SRB", help="ISO 3166-1 alpha-3 codes joined by commas (default SRB)")
    parser.add_argument("--workbook", nargs="?", const=addresses.WORKBOOK_PAGE, metavar="ADDRESS",
                        help="also UNODC's workbook: its address, or that of a page that links to it")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=paths.BUILD / "fetched", help="folder (default build/fetched)")
    parser.add_argument("--to", type=Path, help="CSV of the narratives asked for (default narratives.csv in the cache)")
    parser.add_argument("--saved", type=Path, metavar="FOLDER",
                        help="read pages saved with a browser, FOLDER/SRB-2018.html, instead of asking")  # fmt: skip
    parser.add_argument("--base", default=addresses.BASE, help="site of the editions since 2017")
    parser.add_argument("--archive", default=addresses.ARCHIVE, help="site of the editions before 2017")
    parser.add_argument("--delay", type=float, default=2.0, metavar="SECONDS", help="least time between requests")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="how long to wait for an answer")
    parser.add_argument("--user-agent", default=USER_AGENT, help="how to name this program; add how to reach you")
    parser.add_argument("--robots-unreachable", choices=("refuse", "allow"), default="refuse",
                        help="what to do when robots.txt cannot be read (default refuse)")  # fmt: skip
    return parser


def main(arguments: list[str] | None = None, **client_options) -> int:
    """Fetch what is asked for; 0 when all of it came, 1 when something failed, 2 when the question is wrong."""
    parser = _arguments()
    options = parser.parse_args(arguments)
    try:
        years, countries = parse_years(options.years), parse_countries(options.countries)
    except ValueError as error:
        parser.error(str(error))
    cache = paths.resolve(options.cache)
    for place in (cache, paths.resolve(options.to or cache)):
        if place.resolve().is_relative_to(paths.RAW.resolve()):
            parser.error("what is downloaded never goes to data/raw; give another --cache and --to")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(cache / ".lock", timeout=0):
            return _run(options, years, countries, cache, client_options)
    except filelock.Timeout:
        print(f"another run is writing to {_shown(cache)}; try again when it has ended", file=sys.stderr)
    except (FetchError, OSError) as error:
        print(error, file=sys.stderr)
    return 1


def _run(options: argparse.Namespace, years: list[int], countries: list[str], cache: Path, client_options: dict) -> int:
    named = tuple(filter(None, (options.base, options.archive, options.workbook)))
    client = Client(
        cache, hosts=named, delay_s=options.delay, timeout_s=options.timeout, user_agent=options.user_agent,
        robots_unreachable=options.robots_unreachable, **client_options,
    )  # fmt: skip
    base, archive = options.base.rstrip("/"), options.archive.rstrip("/")

    def download(year: int, iso3: str) -> tuple[Path, str | None, str]:
        page = fetch_page(client, year, iso3, base, archive)
        return page.path, _encoding(client, page.name), page.note

    def saved(year: int, iso3: str) -> tuple[Path, str | None, str]:
        return options.saved / f"{iso3}-{year}.html", None, ""

    result = collect(years, countries, saved if options.saved else download, client.progress)
    if options.workbook:
        try:
            workbook = fetch_workbook(client, options.workbook)
            result.notes.append(f"UNODC's workbook: {_shown(workbook.path)}{workbook.note and f' ({workbook.note})'}")
        except FetchError as error:
            result.failures.append(f"UNODC's workbook: {error}")
    to = paths.resolve(options.to) if options.to else cache / "narratives.csv"
    write_rows(result.rows, to)
    print(f"{len(result.rows)} of {len(years) * len(countries)} narratives in {_shown(to)}")
    for note in result.notes:
        print(f"  note: {note}")
    if result.failures:
        print(f"{len(result.failures)} could not be had:", file=sys.stderr)
        for failure in result.failures:
            print(f"  {failure}", file=sys.stderr)
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
