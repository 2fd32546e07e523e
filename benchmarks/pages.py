"""Weigh the pages of a site and time how soon the first one shows something.

    python benchmarks/pages.py [SITE]

SITE is build/site when left out. Chromium opens pages from the disk; what it asks for meanwhile is what a visitor
loads. Bytes are told as they lie there and as a web server sends them: text with gzip, fonts and pictures as they are.
Times are information: the exit code is 0 whatever they are. `tests/test_pages.py` asserts the bytes.
"""

import gzip
import shutil
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
FIRST_PAGE_BYTES, FIRST_PAINT_SECONDS, SITE_BYTES = 300_000, 1.0, 90_000_000
PACKED = {".woff2", ".png"}
OPENED = 5


def weights(addresses: Iterable[str]) -> dict[Path, tuple[int, int]]:
    """Bytes of files on the disk and as sent, by file; `addresses` are those a browser asked for (`file:`)."""
    found = {}
    for address in addresses:
        if urlsplit(address).scheme != "file":
            continue
        path = Path(unquote(urlsplit(address).path))
        content = path.read_bytes()
        sent = content if path.suffix in PACKED else gzip.compress(content, 6, mtime=0)
        found[path] = len(content), len(sent)
    return found


def open_page(browser, address: str) -> tuple[list[str], float]:
    """What a new visitor's browser asks for on a page, and the seconds until it has painted something."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, wait_until="networkidle")
    painted = page.evaluate("performance.getEntriesByName('first-paint')[0].startTime") / 1000
    context.close()
    return asked, painted


def main() -> int:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site").resolve()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not (site / "index.html").exists() or not chromium:
        print("Pages: there is no site (make site renders it) or no chromium, nothing measured.")
        return 0
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("Pages: playwright is not installed, nothing measured.")
        return 0
    print(f"{'page':<28}  {'files':>5}  {'kB on disk':>10}  {'kB sent':>8}  {'first paint, s (median of 5)':>28}")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        reached = []
        for name in ("index", "05-sentences-in-serbia", "explorer", "countries", "sources", "search"):
            if not (site / f"{name}.html").exists():
                continue
            opened = [open_page(browser, (site / f"{name}.html").as_uri()) for _ in range(OPENED)]
            found = weights(opened[0][0])
            raw, sent = (sum(sizes) for sizes in zip(*found.values(), strict=True))
            painted = statistics.median(seconds for _, seconds in opened)
            print(f"{name:<28}  {len(found):>5}  {raw / 1000:>10.0f}  {sent / 1000:>8.0f}  {painted:>28.2f}")
            if name == "index":
                reached = [sent < FIRST_PAGE_BYTES, painted < FIRST_PAINT_SECONDS]
        browser.close()
    whole = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
    print(f"whole site: {len(whole)} files, {sum(whole) / 1e6:.1f} MB")
    reached.append(sum(whole) < SITE_BYTES)
    targets = (
        f"first page under {FIRST_PAGE_BYTES // 1000} kB sent",
        f"and under {FIRST_PAINT_SECONDS:.0f} s to paint",
        f"site under {SITE_BYTES // 1_000_000} MB",
    )
    for target, is_reached in zip(targets, reached, strict=True):
        print(f"target: {target}: {'reached' if is_reached else 'not reached'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
