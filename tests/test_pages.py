"""The pages as readers meet them: in a browser, from the disk, without a network, light and dark, wide and narrow."""

import shutil
from pathlib import Path

import pytest
import small_site

from sentencing import paths, schemas
from sentencing.site import countries as country_tables

playwright = pytest.importorskip("playwright.sync_api", reason="pages are read with playwright, which is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(not BROWSER, reason="pages are read in chromium, which is not installed"),
    pytest.mark.build,
]

# One page of each kind.
KINDS = ("index", "01-first", "country-hrv", "countries", "claims", "readers", "data", "corrections", "sources",
         "method", "glossary", "bibliography", "search")  # fmt: skip
# What a reader must reach by keyboard; the sign beside a heading only repeats what the table of contents has.
REACHED = "article :is(summary, a[href]:not(.headerlink), .scroll, pre[tabindex='0'])"
TELEPHONE, DESK = {"width": 375, "height": 700}, {"width": 1280, "height": 800}
# Those of WCAG 2.2 AA, and of good habits such as landmarks. Style sheets are not fetched: a browser that reads from a
# disk refuses.
RULES = {
    "preload": False,
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        # Inside a container chromium has no sandbox of its own to start.
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Reader:
    """A page of the browser that notes whatever goes wrong or would leave the folder of the site."""

    def __init__(self, browser, site: Path, **how):
        self.site, self.troubles = site, []
        self.page = browser.new_context(**how).new_page()
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.troubles.append(said.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        self.page.on("request", self._asked)

    def _asked(self, request) -> None:
        if not request.url.startswith((self.site.as_uri(), "data:")):
            self.troubles.append(f"outside: {request.url}")

    def open(self, name: str):
        self.page.goto(f"{self.site.as_uri()}/{name}.html")
        return self.page

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture(scope="module")
def open_site(browser, built_site):
    """Make readers of the small site; keyword arguments as those of a browser context."""
    opened = []

    def reader(**how) -> Reader:
        opened.append(Reader(browser, built_site.to, **how))
        return opened[-1]

    yield reader
    for one in opened:
        one.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def coloured(request, open_site):
    return open_site(color_scheme=request.param, viewport=DESK)


@pytest.fixture(scope="module")
def telephone(open_site):
    return open_site(viewport=TELEPHONE, has_touch=True)


@pytest.fixture
def desk(open_site):
    return open_site(viewport=DESK)


def violations(page) -> dict[str, list]:
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return {fault["id"]: [(node["target"], node["failureSummary"]) for node in fault["nodes"]] for fault in found}


def unfolded(page):
    page.evaluate("""() => {
      document.querySelectorAll('details').forEach(folded => folded.open = true);
      return new Promise(done => setTimeout(done, 50));  // events of it come after
    }""")
    return page


def goes_over_the_edge(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("name", KINDS)
def test_page_is_accessible_and_loads_nothing_else(coloured, name):
    assert violations(unfolded(coloured.open(name))) == {}
    assert coloured.troubles == []


@pytest.mark.parametrize("name", KINDS)
def test_page_fits_a_telephone(telephone, name):
    page = unfolded(telephone.open(name))
    assert not goes_over_the_edge(page)
    assert (
        page.evaluate("""() => Array.from(document.querySelectorAll('article :is(table, pre, math[display])'))
        .filter(thing => {
          for (let box = thing; box.tagName !== 'ARTICLE'; box = box.parentElement)
            if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(box).overflowX)) return false;
          return thing.getBoundingClientRect().right > innerWidth;
        }).map(thing => thing.outerHTML)""")
        == []
    )


def test_every_other_page_loads_without_trouble(open_site, built_site):
    reader = open_site(viewport=DESK)
    for path in sorted(built_site.to.glob("*.html")):
        reader.open(path.stem)
    assert reader.troubles == []


def test_pages_of_the_last_build_load_without_trouble_and_fit_a_telephone(browser):
    """Those of `make`, if there are any: with real notebooks, tables and texts. Of countries one is enough."""
    site = paths.BUILD / "site"
    if not (site / "_static" / "style.css").exists():
        pytest.skip("there is no site in build/site; make renders it")
    names = sorted(path.stem for path in site.glob("*.html"))
    assert "explorer" in names
    countries = [name for name in names if name.startswith("country-") and name != "country-profile"]
    reader = Reader(browser, site, viewport=TELEPHONE)
    too_wide = [name for name in names if name not in countries[1:] and goes_over_the_edge(reader.open(name))]
    assert too_wide == [] and reader.troubles == []
    assert violations(reader.open("explorer")) == {}
    reader.close()


# --- Search, keyboard, colours ----------------------------------------------------------------------------------------


def test_search_finds_words_of_a_page(desk):
    page = desk.open("index")
    page.keyboard.press("Control+k")
    page.keyboard.type("suspended sentence")
    page.keyboard.press("Enter")
    hit = page.locator("#search-results li a").first
    hit.wait_for()
    assert "method.html" in hit.get_attribute("href")
    hit.click()
    assert page.locator("h1").inner_text().startswith("Method") and desk.troubles == []


FOCUSED = """things => {
  const here = document.activeElement;
  if (here.tagName === 'SUMMARY' && !here.parentElement.open) here.click();
  const seen = here === document.body || getComputedStyle(here).outlineStyle !== 'none';
  return seen ? Array.from(document.querySelectorAll(things)).indexOf(here) : `no sign of it: ${here.outerHTML}`;
}"""


def test_keyboard_leads_to_the_text_the_code_and_every_box_that_scrolls(desk):
    page = desk.open("01-first")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(FOCUSED, REACHED))
    assert page.locator(REACHED).count() > 20
    assert reached - {-1} == set(range(page.locator(REACHED).count()))


def test_code_is_folded_and_one_click_away(desk):
    page = desk.open("01-first")
    code = page.locator("#cell-shown pre").first
    assert not code.is_visible()
    page.locator("#cell-shown summary").click()
    assert code.is_visible() and "tables.show(frame)" in code.inner_text()


def test_number_leads_to_its_cell_and_to_its_source_in_two_clicks(desk):
    page = desk.open("01-first")
    page.get_by_text("All 4 values").click()
    page.locator("table.numbers a[href='#cell-shown']").first.click()
    assert page.locator("#cell-shown").is_visible() and page.url.endswith("#cell-shown")
    page.locator("table.numbers a[href='sources.html#good-001']").first.click()
    assert "Yearly report" in page.locator("li:target").inner_text()


def test_reader_chooses_dark_and_keeps_it(desk):
    page = desk.open("index")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.locator(".theme-switch-button").first.click()
    page.locator(".theme-change-button[data-mode=dark]").first.click()
    dark = page.evaluate(colour)
    assert dark != light
    assert desk.open("data").evaluate(colour) == dark


# --- Countries ------------------------------------------------------------------------------------------------------


def shown_countries(page) -> list[str]:
    return page.locator("#table-of-countries tbody tr:visible .muted").all_inner_texts()


def test_reader_searches_and_sorts_the_table_of_countries(desk):
    page = desk.open("countries")
    box, told = page.locator("#search"), page.locator("#found")
    everybody = sorted(small_site.SEEN, key=schemas.country_name)
    assert shown_countries(page) == everybody and told.inner_text() == "4 of 4 countries"
    for words, found in (("COTE", ["CIV"]), ("  srb", ["SRB"]), ("serbia 12", ["SRB"]), ("<script>", ["HRV"]),
                         ("nowhere", []), ("", everybody)):  # fmt: skip
        box.fill(words)
        assert shown_countries(page) == found and told.inner_text() == f"{len(found)} of 4 countries"
    place = 1 + list(country_tables.COLUMNS).index("last_convicted_unodc")
    head = page.locator("#table-of-countries th[scope=col]").nth(place)
    # What was not seen comes last in either order.
    for order, ordered in (("ascending", ["HRV", "SRB", "CIV", "MKD"]), ("descending", ["CIV", "SRB", "HRV", "MKD"])):
        head.locator("button").click()
        assert shown_countries(page) == ordered and head.get_attribute("aria-sort") == order
        assert page.locator("[aria-sort]").count() == 1
    assert desk.troubles == []


def test_table_of_countries_is_whole_without_scripts(open_site):
    page = open_site(viewport=DESK, java_script_enabled=False).open("countries")
    assert shown_countries(page) == sorted(small_site.SEEN, key=schemas.country_name)
    assert not page.locator("#search").is_visible()
