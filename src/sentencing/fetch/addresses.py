"""Where a country's page of a year is, and where UNODC's workbook is.

Editions since 2017 have an address made of the year and the country's name; the address is known for each edition
from 2017 to 2023 and for 2025, for some countries each, from stored copies and links (2019 also with `-2` after
the year's part). Editions of 2010 to 2016 lie in the publisher's archive under numbers that follow no rule (two
editions are known, 2015 and 2016); a country's number is found through the edition's index page, whose address
and layout could not be confirmed. Older editions have several countries on a page and are not fetched.
"""

import re
import unicodedata
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup

from ..schemas import country_name

BASE = "https://www.state.gov"
ARCHIVE = "https://2009-2017.state.gov"
FIRST_YEAR, FIRST_NAMED_YEAR = 2010, 2017

# The page on which UNODC's data portal offers the workbook of its data on trafficking. The workbook's own address
# has the month of its release in it, so it is looked up here each time. Two public projects read it this way.
WORKBOOK_PAGE = "https://data.unodc.org/datareport/tip-victims"
WORKBOOK_FILE = re.compile(r"/data_glotip(?:_\d+)?\.xlsx(?:$|\?)")

# Names under which the report lists a country, where they are not (only) those of ISO 3166; the likeliest first.
# From general knowledge of the report, but for Macedonia, Moldova and St. Maarten, whose addresses
# were seen. A wrong one costs one request that is answered with 404.
NAMES = {
    "BHS": ("The Bahamas", "Bahamas"), "BOL": ("Bolivia",), "BRN": ("Brunei",),
    "COD": ("Democratic Republic of the Congo",), "COG": ("Republic of the Congo",),
    "CZE": ("Czech Republic", "Czechia"), "FSM": ("Micronesia",), "GBR": ("United Kingdom",),
    "GMB": ("The Gambia", "Gambia"), "IRN": ("Iran",), "KNA": ("St. Kitts and Nevis",),
    "KOR": ("South Korea", "Republic of Korea"), "LAO": ("Laos",),
    "LCA": ("St. Lucia",), "MAC": ("Macau",), "MDA": ("Moldova",), "MKD": ("North Macedonia", "Macedonia"),
    "MMR": ("Burma",), "PRK": ("North Korea", "Democratic People's Republic of Korea"), "RUS": ("Russia",),
    "SWZ": ("Eswatini", "Swaziland"), "SXM": ("St. Maarten", "Sint Maarten"), "SYR": ("Syria",),
    "TUR": ("Turkey", "Türkiye"), "TZA": ("Tanzania",), "VCT": ("St. Vincent and the Grenadines",),
    "VEN": ("Venezuela",), "VNM": ("Vietnam",),
}  # fmt: skip


def names(iso3: str) -> tuple[str, ...]:
    """Names under which the report may list a country, likeliest first. Raises ValueError for an unknown code."""
    return tuple(dict.fromkeys((*NAMES.get(iso3, ()), country_name(iso3))))


def slug(name: str) -> str:
    """A name as it stands in an address: "Côte d'Ivoire" is cote-divoire."""
    return "-".join(re.findall(r"[a-z0-9]+", re.sub(r"['’`.]", "", _plain(name))))


def same_country(name: str, iso3: str) -> bool:
    """Whether a heading or link names the country, whatever the order of its words ("CONGO, REPUBLIC OF THE")."""
    return bool(_words(name)) and any(_words(name) == _words(known) for known in names(iso3))


def page_addresses(year: int, iso3: str, base: str = BASE) -> list[str]:
    """Addresses at which the page of an edition since 2017 may be, likeliest first.

    Raises
    ------
    ValueError
        For an earlier year (its pages are found through `index_addresses`) or an unknown country.
    """
    if year < FIRST_NAMED_YEAR:
        raise ValueError(f"{year}: editions before {FIRST_NAMED_YEAR} have no addresses with names")
    editions = [index_addresses(year, base)[0]]
    if year == 2019:
        editions.append(f"{base}/reports/2019-trafficking-in-persons-report-2/")
    slugs = dict.fromkeys(slug(name) for name in names(iso3))
    return [f"{edition}{country}/" for country in slugs for edition in editions]


def index_addresses(year: int, base: str = BASE, archive: str = ARCHIVE) -> list[str]:
    """Addresses at which the list of an edition's countries may be, likeliest first. Raises ValueError before 2010."""
    if year < FIRST_YEAR:
        raise ValueError(f"{year}: editions before {FIRST_YEAR} have several countries on a page and are not fetched")
    if year >= FIRST_NAMED_YEAR:
        return [f"{base}/reports/{year}-trafficking-in-persons-report/"]
    return [f"{archive}/j/tip/rls/tiprpt/{place}/index.htm" for place in (f"countries/{year}", year)]


def find_country(content: bytes, url: str, iso3: str) -> str | None:
    """The address that an index page gives for a country; links to other hosts do not count."""
    for link in BeautifulSoup(content, "html.parser").find_all("a", href=True):
        target = urljoin(url, link["href"])
        if urlsplit(target).netloc == urlsplit(url).netloc and same_country(link.get_text(" "), iso3):
            return target.partition("#")[0]
    return None


def find_workbook(content: bytes, url: str) -> str | None:
    """The address of UNODC's workbook on the page that offers it; the one that comes last in the alphabet is the
    newest, because the month of release stands before the name."""
    links = (urljoin(url, a["href"]) for a in BeautifulSoup(content, "html.parser").find_all("a", href=True))
    return max((link for link in links if WORKBOOK_FILE.search(link)), default=None)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()


def _words(name: str) -> frozenset[str]:
    words = {"saint" if word == "st" else word for word in slug(name).split("-")}
    return frozenset(words - {"the", "of", "and", ""})
