"""What must hold for every page before it is put in place: links lead somewhere, nothing is loaded from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

OUTSIDE = ("http", "https", "mailto")  # where a reader may be led, but from where nothing is loaded
LOADING = ("src", "srcset", "poster", "data", "background")
STYLE_LOADS = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:[a-z]+:)?//[^"')\s]*)""")


class _Page(HTMLParser):
    """Collects from a page its anchors, its links, what it loads, and faults that need no other page."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.faults: list[str] = []
        self.n_titles = 0
        self.feed(text)
        if self.n_titles != 1:
            self.faults.append(f"has {self.n_titles} first-level headings; a page has one")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.n_titles += tag == "h1"
        if "id" in attributes:
            if attributes["id"] in self.ids:
                self.faults.append(f"has the id {attributes['id']!r} twice")
            self.ids.add(attributes["id"])
        if tag == "img" and not attributes.get("alt", "").strip():
            self.faults.append("has an image without alternative text")
        if "href" in attributes:
            # What a search engine or the browser's own list of pages would use is neither loaded nor shown.
            goes = tag in ("a", "area") or attributes.get("rel") in ("search", "next", "prev", "index")
            (self.links if goes else self.loads).append(attributes["href"])
        self.loads += [attributes[name] for name in LOADING if name in attributes]


def faults(site: Path) -> list[str]:
    """List everything that is wrong with the pages in the folder of a site."""
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    read = {name: _Page((site / name).read_text("utf-8")) for name in sorted(files) if name.endswith(".html")}
    found = []
    for name, page in read.items():
        found += [f"{name}: {fault}" for fault in page.faults]
        found += [
            f"{name}: would load {address[:80]!r}; a page loads nothing from outside the site"
            for address in page.loads
            if urlsplit(address).scheme != "data" and (_outside(address) or urlsplit(address).path not in files)
        ]
        found += [
            f"{name}: the link {address[:80]!r} leads nowhere"
            for address in page.links
            if not _leads_somewhere(name, address, read, files)
        ]
    for name in sorted(name for name in files if name.endswith(".css")):
        loads = STYLE_LOADS.findall((site / name).read_text("utf-8"))
        found += [
            f"{name}: would load {address[:80]!r}; a page loads nothing from outside the site" for address in loads
        ]
    return found


def _outside(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.scheme or parts.netloc)


def _leads_somewhere(name: str, address: str, read: dict[str, _Page], files: set[str]) -> bool:
    if _outside(address):
        return urlsplit(address).scheme in OUTSIDE
    target, _, anchor = address.partition("#")
    target = unquote(target) or name
    if target in read:
        return not anchor or unquote(anchor) in read[target].ids
    return target in files and not anchor
