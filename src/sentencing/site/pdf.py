"""Pages of the site as PDF, printed by Chromium in the print style of the pages.

    python -m sentencing.site.pdf --site build/site --to build/pdf [--pages 05-sentences-in-serbia,country-srb]

Without --pages it is the page of each notebook. Chromium is a program of the system, not a package of Python.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .. import paths
from ..made import workplace
from .reported import SiteError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "PDF is printed by Chromium, and none is installed here (looked for: " + ", ".join(BROWSERS) + "). "
    "On Debian: apt install chromium. The pages themselves need no browser of a certain kind."
)
# A page on paper leads to its own parts and to the web, but not to files of the machine that printed it.
TO_FILES = re.compile(r'(<a\b[^>]*?)\s+href="(?!#|https?:|mailto:)[^"]*"')
SECONDS = 120


def browser() -> str:
    """Where Chromium is.

    Raises
    ------
    SiteError
        When there is none; the message tells what to install.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SiteError(NO_BROWSER)
    return found


def print_pages(site: Path, to: Path, pages: list[str] | None = None) -> list[Path]:
    """Print pages of a site to `to`/NAME.pdf.

    Parameters
    ----------
    site, to : Path
        Folder of the site, and that of the PDF files.
    pages : list of str, optional
        Names of pages, without ending; all notebooks when left out.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    SiteError
        When Chromium is absent or gives no PDF, or when pages are not there, all of which are named.
    """
    site, to, chromium = paths.resolve(site).resolve(), paths.resolve(to).resolve(), browser()
    names = pages or sorted(path.stem for path in site.glob("*.ipynb"))
    there = {path.stem for path in site.glob("*.html")}  # names of pages, so that no path is one
    absent = [name for name in names if name not in there]
    if absent or not names:
        raise SiteError(
            f"{paths.relative(site)}: no page {', '.join(absent) or 'of a notebook'}; make site renders them"
        )
    to.mkdir(parents=True, exist_ok=True)
    return [_print(chromium, site, name, to) for name in names]


def _print(chromium: str, site: Path, name: str, to: Path) -> Path:
    with workplace(to.with_name(f".{to.name}")) as place:
        for part in (path for path in site.iterdir() if path.is_dir()):
            (place / part.name).symlink_to(part)
        for style in site.glob("*.css"):
            (place / style.name).symlink_to(style)
        page, printed = place / f"{name}.html", place / "printed.pdf"
        text = (site / page.name).read_text(encoding="utf-8")
        page.write_text(TO_FILES.sub(r"\1", text), encoding="utf-8")
        command = [
            chromium, "--headless", "--disable-gpu", "--no-sandbox", f"--user-data-dir={place / '.browser'}",
            "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode or not printed.exists():
            raise SiteError(f"{name}: Chromium printed nothing\n{done.stderr.strip()}")
        return printed.replace(to / f"{name}.pdf")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.site.pdf", description="Print pages as PDF.")
    parser.add_argument("--site", type=Path, default=paths.BUILD / "site", help="folder of the site")
    parser.add_argument("--to", type=Path, default=paths.BUILD / "pdf", help="folder of the PDF files")
    parser.add_argument("--pages", default="", help="names of pages joined by commas; all notebooks when left out")
    chosen = parser.parse_args(arguments)
    try:
        printed = print_pages(chosen.site, chosen.to, [name for name in chosen.pages.split(",") if name])
    except (SiteError, OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    for path in printed:
        print(f"{paths.relative(path)}: {path.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
