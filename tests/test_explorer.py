"""The explorer: its data are those of the notebooks, its script counts as the package does, and anybody can work it."""

import base64
import hashlib
import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sentencing import compare, estimands, evidence, notebooks, paths, sources, tables
from sentencing.inference import share_bounds
from sentencing.site import explorer

HOSTILE = "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\"> & <!--"


@pytest.fixture(scope="module")
def parameters():
    resolved = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})
    return resolved[explorer.SERBIA], resolved[explorer.COMPARED]


@pytest.fixture(scope="module")
def inputs(parameters):
    serbia, compared = parameters
    names = (serbia["in_evidence"], serbia["out_fitted"], compared["out_countries"])
    return [*map(tables.read_csv, names), serbia, compared]


@pytest.fixture(scope="module")
def content(inputs):
    return explorer.data(*inputs)


def fit_of(content, iso3, kind, notebook):
    (found,) = (f for f in content["fits"] if (f["c"], f["k"], f["notebook"]) == (iso3, kind, notebook))
    return found


def shorter(fit, months):
    return [column[int(months / fit["step"])] for column in fit["curve"]]


def rows_of(inputs, iso3, kind, years):
    rows = estimands.select(inputs[0], iso3, *years, **explorer._rules(inputs[3]))
    return rows[rows["source_kind"] == kind]


# --- Data -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["monitor", "publicised"])
def test_curves_say_what_the_notebook_reports(content, kind):
    values = tables.read_values(f"results/{explorer.SERBIA}.json")["values"]
    fit, ends = fit_of(content, "SRB", kind, "serbia"), ("value", "low", "high")
    assert shorter(fit, 36) == [values[f"{kind}_share_under_36"][end] for end in ends]
    over = values[f"{kind}_share_over_60"]
    share, low, high = (1 - s for s in shorter(fit, 60 + fit["grid"]))
    assert [share, high, low] == pytest.approx([over[end] for end in ends], abs=1.1e-6)
    if kind == "monitor":  # the case that the notebook places is none of these rows, so it is the same fit
        case = values["case_monitor_share_shorter"]
        assert shorter(fit, 48) == [case[end] for end in ends]


def test_kind_without_a_curve_has_the_reason_of_the_notebook(content):
    fit = fit_of(content, "SRB", "official", "serbia")
    label = tables.read_values(f"results/{explorer.SERBIA}.json")["values"]["official_median_months"]["label"]
    assert "curve" not in fit and f"(refused: {fit['why']})" in label


def test_country_reaches_one_half_at_its_median_and_at_the_ends_of_its_interval(inputs):
    countries, compared = inputs[2], inputs[4]
    grid = compared["grid_months"]
    known = countries[countries["median"].notna()].reset_index(drop=True)
    assert len(known) > 10
    for place, end in enumerate(["median", "upper", "lower"]):
        months = known[end].to_numpy(float) + grid / 2
        shares = compare.shares_shorter(known, compared["family"], grid, months)
        assert np.diagonal(shares[:, :, place]) == pytest.approx(np.full(len(known), 0.5))


def test_every_country_with_a_median_of_one_kind_of_source_has_its_curve(content, inputs):
    countries, compared = inputs[2], inputs[4]
    months = estimands.thresholds(compared["grid_months"])
    with_curve = {f["c"] for f in content["fits"] if f["notebook"] == "compared" and "curve" in f}
    assert with_curve == set(countries.loc[countries["said"] == "estimated", "iso3"])
    expected = compare.shares_shorter(countries, compared["family"], compared["grid_months"], months)
    for iso3, curve in zip(countries["iso3"], expected, strict=True):
        if iso3 in with_curve:
            kind = next(f["k"] for f in content["fits"] if f["notebook"] == "compared" and f["c"] == iso3)
            found = np.array(fit_of(content, iso3, kind, "compared")["curve"]).T
            assert found == pytest.approx(curve, rel=1e-3)


def test_curves_rise_and_lie_within_their_intervals(content):
    for fit in content["fits"]:
        if "curve" in fit:
            share, low, high = np.array(fit["curve"], dtype=float)
            assert len(share) == len(estimands.thresholds(fit["grid"]))
            assert (np.diff(share) >= 0).all() and share[0] == 0
            assert (low <= share).all() and (share <= high).all()


def test_rows_of_a_fit_are_the_people_it_was_made_of(content, inputs):
    fitted, countries = inputs[1], inputs[2].set_index("iso3")
    people = fitted.groupby("source_kind")["people"].first()
    for fit in content["fits"]:
        smallest = sum(content["rows"][place]["n"][0] for place in fit["rows"])
        assert smallest == (people[fit["k"]] if fit["notebook"] == "serbia" else countries.loc[fit["c"], "people"])
        assert {content["rows"][place]["k"] for place in fit["rows"]} == {fit["k"]}


def test_fit_is_left_out_where_its_rows_are_not_those_of_the_page(content, inputs):
    table, fitted, _, serbia, _ = inputs
    several = table["aggregate_sentence"].eq(1) & table["used"].eq(1) & table["iso3"].eq("SRB")
    assert several.any()  # else nothing differs
    kinds = set(table.loc[several, "source_kind"])
    rows = estimands.select(table, "SRB", 2006, 2025, aggregate="exact")
    places = {explorer._key(row): 0 for row in rows.to_dict("records")}
    with_differing = explorer._fits_of_kinds(table, fitted, places, serbia)
    assert {f["k"] for f in content["fits"] if f["notebook"] == "serbia"} == {"monitor", "official", "publicised"}
    assert {f["k"] for f in with_differing} == {"monitor", "official", "publicised"} - kinds


def test_rows_are_all_that_can_be_used_and_name_known_sources(content, inputs):
    table, serbia = inputs[0], inputs[3]
    assert not serbia["related_offences"]
    usable = table[table["used"].eq(1) & table["offence"].ne("related")]
    undated = usable[["year_low", "year_high"]].isna().any(axis=1)
    # One term for several offences without an upper bound tells nothing.
    nothing = usable["aggregate_sentence"].eq(1) & usable["high_months"].isna() & ~undated
    assert len(content["rows"]) == len(usable) - undated.sum() - nothing.sum() > 300
    assert content["undated"] == undated.sum() > 0
    assert {source_id for source_id, _ in content["sources"]} <= sources.read_sources().keys()


def test_rows_with_several_numbers_of_bases_in_one_group_are_refused():
    rows = [{"g": 1, "n": [1, 2]}, {"g": 1, "n": [3]}, {"g": 2, "n": [1, 2, 3]}]
    explorer._check_readings(rows)
    with pytest.raises(ValueError, match=r"\[1\] have rows of different numbers of bases"):
        explorer._check_readings([*rows, {"g": 1, "n": [1, 2, 3]}])


def test_same_tables_give_the_same_bytes_and_little_of_them(content, inputs):
    parts = explorer.files(content)
    again = explorer.files(explorer.data(*(i.copy() for i in inputs)))
    assert parts == again
    assert sum(len(text.encode()) for text in parts.values()) < 300_000


def embedded(parts) -> dict:
    (text,) = re.findall(
        r'<script type="application/json" id="explorer-data">(.*?)</script>', parts["explorer.html"], re.S
    )
    return json.loads(text)


@pytest.fixture(scope="module")
def hostile(inputs):
    """The page of tables in which every text that reaches it is hostile."""
    table, fitted, countries, serbia, compared = (i.copy() for i in inputs)
    fitted["refused"] = fitted["refused"].where(fitted["refused"].isna(), HOSTILE)
    countries["said"] = countries["said"].where(countries["said"] == "estimated", HOSTILE)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sources, "describe", lambda source_id: f"{HOSTILE} {source_id}")
        return explorer.data(table, fitted, countries, serbia, compared)


def test_hostile_text_stays_text(hostile):
    parts = explorer.files(hostile)
    assert parts["explorer.html"].count("<script") == parts["explorer.html"].count("</script") == 1
    assert "<img" not in parts["explorer.html"] and "<!--" not in parts["explorer.html"]
    assert embedded(parts)["fits"] == hostile["fits"] and embedded(parts)["sources"][0][1].startswith(HOSTILE)


def test_script_needs_no_leave_to_make_code_or_markup_of_text_and_asks_for_nothing():
    script = (Path(explorer.__file__).parent / "explorer.js").read_text(encoding="utf-8")
    forbidden = (
        r"\beval\b|\bFunction\(|innerHTML|outerHTML|insertAdjacent|document\.write|\bfetch\b|XMLHttpRequest|import\("
    )
    assert re.findall(forbidden, script) == []
    markup = "".join(explorer.files(json.loads(json.dumps(EMPTY)))[name] for name in ("explorer.html", "explorer.css"))
    assert re.findall(r"\son\w+=|style=|url\(|@import|https?:", markup) == []


EMPTY = {
    "rows": [], "fits": [], "countries": {}, "kinds": {"monitor": "x"}, "sources": [], "years": [2000, 2001],
    "largest_months": 240, "life_months": 480, "step_months": 3, "undated": 0,
    "start": {"countries": [], "years": [2000, 2001], "months": 48},
}  # fmt: skip


# --- In a browser ---------------------------------------------------------------------------------------------------

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
         "--remote-allow-origins=*"]  # fmt: skip


class Browser:
    """One tab of a browser, spoken to by the DevTools protocol; `events` are what it reported."""

    def __init__(self, command: str, folder: Path, websocket):
        self.process = subprocess.Popen(
            [command, *FLAGS, f"--user-data-dir={folder}", "about:blank"], stderr=subprocess.DEVNULL
        )
        try:
            port = self._port(folder / "DevToolsActivePort")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
                tab = next(t for t in json.load(answer) if t["type"] == "page")
            self.socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=60)
        except BaseException:
            self.close()
            raise
        self.events, self._ids = [], itertools.count(1)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def _port(self, file: Path) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if file.exists() and "\n" in (text := file.read_text()):
                return text.split()[0]
            time.sleep(0.05)
        raise RuntimeError("the browser did not start")

    def __call__(self, method: str, **given):
        number = next(self._ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def js(self, expression: str):
        found = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, address: str, width: int = 1280) -> None:
        self("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
        self("Page.navigate", url="about:blank")
        self("Page.navigate", url=address)
        self.wait("!!document.getElementById('explorer-answer')?.textContent")

    def wait(self, condition: str) -> None:
        until = time.monotonic() + 30
        while not self.js(condition):
            assert time.monotonic() < until, condition
            time.sleep(0.05)

    def press(self, key: str, times: int = 1) -> None:
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9, " ": 32, "Enter": 13}
        text = {" ": " ", "Enter": "\r"}.get(key, key if len(key) == 1 else "")
        known = {"key": key, "windowsVirtualKeyCode": codes.get(key) or ord(key.upper())}
        for _ in range(times):
            self("Input.dispatchKeyEvent", type="keyDown", text=text, **known)
            self("Input.dispatchKeyEvent", type="keyUp", **known)

    def told(self) -> str:
        return self.js("document.getElementById('explorer-answer').textContent")

    def answers(self) -> dict[str, list[str]]:
        """Cells of the table of answers by kind of source and country."""
        rows = self.js("[...document.querySelectorAll('#explorer-answers tbody tr')]"
                       ".map(row => [...row.cells].map(cell => cell.textContent))")  # fmt: skip
        return {row[0]: row[1:] for row in rows}

    def errors(self) -> list[dict]:
        wrong = (
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        )
        return [e for e in self.events if e["method"] in wrong]

    def asked_for(self) -> set[str]:
        asked = {e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"}
        return {address.split("#")[0] for address in asked} - {"about:blank"}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    websocket = pytest.importorskip("websocket", reason="websocket-client is not installed")
    command = next(filter(None, map(shutil.which, BROWSERS)), None)
    if command is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    opened = Browser(command, tmp_path_factory.mktemp("browser"), websocket)
    yield opened
    opened.close()


def write_page(content: dict, place: Path) -> str:
    """The parts as one page with the policy of the site, which allows this script alone; its address."""
    parts = explorer.files(content)
    digest = base64.b64encode(hashlib.sha256(parts["explorer.js"].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    place.write_text(
        f"""<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Explorer</title><link rel="icon" href="data:,"><style>{parts["explorer.css"]}</style></head>
<body><main><h1>Explorer</h1>{parts["explorer.html"]}</main><script>{parts["explorer.js"]}</script></body></html>""",
        encoding="utf-8",
    )
    return place.as_uri()


@pytest.fixture(scope="module")
def address(content, tmp_path_factory):
    return write_page(content, tmp_path_factory.mktemp("page") / "explorer.html")


@pytest.fixture
def page(browser, address):
    """The page as it starts; after the test nothing was reported as wrong, and nothing was asked for but the page."""
    browser.events.clear()
    browser.open(address)
    yield browser
    browser.js("1")
    assert browser.errors() == []
    assert browser.asked_for() <= {address}


def printed(share: float) -> str:
    return f"{100 * share:.0f}"


def curve_told(fit: dict, months: float, longer: bool = False) -> str:
    at = months + fit["grid"] * longer
    below, rest = divmod(at, fit["step"])
    ends = [shorter(fit, below * fit["step"] + step) for step in (0, fit["step"] if rest else 0)]
    share, low, high = (a + rest / fit["step"] * (b - a) for a, b in zip(*ends, strict=True))
    share, low, high = (1 - share, 1 - high, 1 - low) if longer else (share, low, high)
    return f"{printed(share)} % ({printed(low)} to {printed(high)})"


def bounds_told(rows: pd.DataFrame, months: float, parameters: dict, longer: bool = False) -> str:
    rows = estimands.with_received_ends(rows, parameters["range_rule"])
    # The package needs no more than that a life term is longer than its largest edge.
    life = rows["sanction"].eq("life") & rows[["low_months", "high_months"]].isna().all(axis=1)
    low = rows["low_months"].astype("float64").mask(life, parameters["life_cap_months"])
    groups = estimands.band_groups(rows.assign(low_months=low))
    ends = (months, np.nan) if longer else (np.nan, months)
    found = share_bounds(groups, *ends, low_inclusive=False, high_inclusive=False)
    low, high = printed(found.smallest), printed(found.largest)
    return f"{low} %" if low == high else f"{low} to {high} %"


def test_slider_moves_by_keyboard_and_the_page_answers(page, content):
    fit = fit_of(content, "SRB", "monitor", "serbia")
    assert page.told().startswith(f"Shorter than 48 months: Serbia, monitored judgments: {curve_told(fit, 48)} by ")
    page.js("document.getElementById('explorer-range').focus()")
    page.press("ArrowRight", 4)
    assert page.told().startswith(f"Shorter than 60 months: Serbia, monitored judgments: {curve_told(fit, 60)} by ")
    assert page.js("document.getElementById('explorer-range').getAttribute('aria-valuetext')") == "60 months, 5 years"
    page.press("Home")
    assert page.told().startswith("Shorter than 0 months: Serbia, monitored judgments: 0 % (0 to 0) by ")
    page.press("End")
    assert page.told().startswith("Shorter than 240 months: ")


def test_threshold_can_be_typed_and_what_is_no_number_changes_nothing(page, content):
    fit = fit_of(content, "SRB", "monitor", "serbia")
    page.js("document.getElementById('explorer-months').select()")
    for key in "37":
        page.press(key)
    assert page.told().startswith(f"Shorter than 37 months: Serbia, monitored judgments: {curve_told(fit, 37)} by ")
    assert curve_told(fit, 36) != curve_told(fit, 37) != curve_told(fit, 39)
    page.js(
        "const box = document.getElementById('explorer-months'); box.value = ''; box.dispatchEvent(new Event('input'))"
    )
    assert page.told().startswith("Shorter than 37 months: ")


def test_page_prints_the_numbers_of_the_notebook(page):
    values = tables.read_values(f"results/{explorer.SERBIA}.json")["values"]

    def told(name):
        entry = values[name]
        low, high = printed(entry["low"]), printed(entry["high"])
        if entry["value"] is None:
            return f"{low} %" if low == high else f"{low} to {high} %"
        return f"{printed(entry['value'])} % ({low} to {high})"

    for months, name, places in ((36, "under_36", (1, 2)), (60, "over_60", (3, 4))):
        page.js(f"location.hash = 't={months}'")
        page.wait(f"document.getElementById('explorer-answer').textContent.startsWith('Shorter than {months} months')")
        answers = page.answers()
        assert set(answers) == {f"Serbia, {evidence.SOURCE_KINDS[k]}" for k in ("monitor", "official", "publicised")}
        for kind in ("monitor", "official", "publicised"):
            cells = answers[f"Serbia, {evidence.SOURCE_KINDS[kind]}"]
            assert cells[places[0]] == told(f"bounds_{kind}_{name}")
            fitted = "no curve" if kind == "official" else told(f"{kind}_share_{name}")
            assert cells[places[1]] == fitted


# Many publicised cases; life terms; averages; bases that are open; an open end; ranges with ends that somebody got.
COUNTRIES = ("AFG", "GBR", "KWT", "PRT", "SRB", "USA", "VNM", "ZAF")


def compare_bounds(page: Browser, content: dict, inputs: list, parameters: dict, months: int) -> None:
    """Hold what the page says of COUNTRIES against the package."""
    years, kinds = content["years"], content["kinds"]
    page.js(f"location.hash = 'c={'.'.join(COUNTRIES)}&y={years[0]}-{years[1]}&t={months}'")
    page.wait("document.querySelectorAll('#explorer-answers tbody tr').length > 8")
    page.wait(f"document.getElementById('explorer-months').value === '{months}'")
    answers = page.answers()
    for iso3, (kind, label) in itertools.product(COUNTRIES, kinds.items()):
        rows = rows_of(inputs, iso3, kind, years)
        cells = answers.pop(f"{content['countries'][iso3]}, {label}", None)
        assert (cells is None) == rows.empty
        if cells:
            assert cells[0].startswith(f"{evidence.n_people(rows)} ")
            assert cells[1] == bounds_told(rows, months, parameters)
            assert cells[3] == bounds_told(rows, months, parameters, longer=True)
    assert answers == {}


@pytest.mark.parametrize("months", [1, 12, 36, 37, 48, 60, 96, 156, 240])
def test_shares_that_the_rows_allow_are_those_of_the_package(page, content, inputs, months):
    compare_bounds(page, content, inputs, inputs[3], months)


def test_somebody_at_an_end_of_a_range_counts_where_the_rule_says_so(browser, inputs, tmp_path):
    table, fitted, countries, serbia, compared = inputs
    bolder = serbia | {"range_rule": "attained"}
    content = explorer.data(table, fitted, countries, bolder, compared)
    counted = {row["f"] for row in content["rows"] if row["c"] in COUNTRIES and "A" in row["f"]}
    assert any("L" in f and "H" not in f for f in counted) or any("H" in f and "L" not in f for f in counted)
    browser.open(write_page(content, tmp_path / "bolder.html"))
    for months in (12, 48, 240):
        compare_bounds(browser, content, inputs, bolder, months)


def test_curve_of_a_country_stands_where_its_rows_are_shown(page, content):
    page.js("location.hash = 'c=PRT.ROU&k=official&y=2016-2017&t=60'")
    page.wait("document.querySelectorAll('#explorer-answers tbody tr').length === 2")
    fit = fit_of(content, "PRT", "official", "compared")
    cells = page.answers()["Portugal, government figures"]
    assert cells[2] == curve_told(fit, 60) and cells[4] == curve_told(fit, 60, longer=True)
    assert page.answers()["Romania, government figures"][2] == "no curve"
    why = fit_of(content, "ROU", "official", "compared")["why"]
    assert f"No curve: {why}." in page.js("document.getElementById('explorer-figures').textContent")


def test_other_years_have_no_curve_and_one_button_brings_it_back(page):
    page.js("const to = document.getElementById('explorer-to'); to.value = 2018; to.dispatchEvent(new Event('change'))")
    assert page.answers()["Serbia, monitored judgments"][2] == "no curve"
    section = "document.querySelector('#explorer-figures .kind-monitor')"
    assert "none was fitted to the rows of these years" in page.js(f"{section}.textContent")
    assert page.js(f"{section}.querySelector('svg .curve')") is None
    page.js(f"{section}.querySelector('button').focus()")
    page.press("Enter")
    assert page.answers()["Serbia, monitored judgments"][2] != "no curve"
    assert page.js(f"!!{section}.querySelector('svg .curve')")


def test_everything_is_reached_by_tab_and_worked_by_keys(page):
    page.js("document.activeElement.blur()")
    reached = []
    for _ in range(20):
        page.press("Tab")
        reached.append(
            page.js("document.activeElement.id || document.activeElement.value || document.activeElement.tagName")
        )
    for name in ("SUMMARY", "monitor", "official", "publicised", "explorer-from", "explorer-to", "explorer-reset",
                 "explorer-range", "explorer-months"):  # fmt: skip
        assert name in reached, (name, reached)
    page.js("document.querySelector('#explorer-kinds input[value=official]').focus()")
    page.press(" ")
    assert "Serbia, government figures" not in page.answers()
    page.press(" ")
    assert "Serbia, government figures" in page.answers()
    page.js("document.querySelector('#explorer-box summary').focus()")
    page.press("Enter")
    assert page.js("document.getElementById('explorer-box').open")
    page.press("Tab")
    for key in "alba":
        page.press(key)
    visible = "[...document.querySelectorAll('#explorer-countries label')].filter(l => l.checkVisibility())"
    assert page.js(f"{visible}.map(label => label.textContent.split(' (')[0].trim())") == ["Albania"]
    page.press("Tab")
    if not page.js("document.activeElement.matches('input')"):  # the list itself can be scrolled by keys
        page.press("Tab")
    page.press(" ")
    assert any(name.startswith("Albania, ") for name in page.answers())


def test_address_holds_the_choice_and_a_reset_forgets_it(page, address):
    page.js("document.querySelector('#explorer-kinds input[value=official]').click()")
    page.js("document.getElementById('explorer-range').focus()")
    page.press("ArrowRight", 2)
    page.wait("location.hash.includes('t=54')")
    choice, answers = page.js("location.hash"), page.answers()
    assert choice == "#c=SRB&k=monitor.publicised&y=2006-2025&t=54"
    page.open(address + choice)
    assert page.answers() == answers and page.told().startswith("Shorter than 54 months")
    page.js("document.getElementById('explorer-reset').click()")
    assert page.js("location.hash") == "" and len(page.answers()) == 3 and "48 months" in page.told()


@pytest.mark.parametrize(
    "choice", ["#c=XXX.__proto__&k=constructor&y=1-99999&t=-5", "#reading", "#c=&k=&t=9999", "#y=2016"]
)
def test_addresses_that_make_no_sense_break_nothing(page, address, choice):
    page.open(address + choice)
    assert page.told()
    assert page.js("document.getElementById('explorer-months').value") in ("48", "240")


STATES = ["", "#c=GBR.SRB.USA&y=1990-2026", "#c=ROU.CUB.COD&k=official&y=2016-2017&t=7", "#c="]


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("choice", STATES)
def test_nothing_is_wider_than_the_screen(page, address, choice, width):
    page.open(address + choice, width)
    page.js("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.js("document.documentElement.scrollWidth") <= page.js("document.documentElement.clientWidth") <= width
    outside = page.js("""[...document.querySelectorAll('#explorer svg text')].filter(text => {
        const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect();
        return own.left < all.left - 1 || own.right > all.right + 1;
    }).map(text => text.textContent)""")
    assert outside == []


def test_screen_readers_find_a_name_for_every_control_and_figure(page):
    page.js("for (const part of document.querySelectorAll('details')) part.open = true")
    tree = page("Accessibility.getFullAXTree")["nodes"]
    named = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored")]
    roles = {role for role, _ in named}
    assert {"slider", "spinbutton", "checkbox", "searchbox", "button", "status", "image", "table"} <= roles
    needing = {"slider", "spinbutton", "checkbox", "searchbox", "button", "image", "link", "heading", "region", "group"}
    # Groups that fold have their summary.
    folding = {role for role, name in named if role in needing and not name.strip()} - {"group"}
    assert folding == set()
    assert ("slider", "Shorter than how many months?") in named
    images = [name for role, name in named if role == "image"]
    assert len(images) == 3 and all(name.startswith("Serbia, ") and "table below" in name for name in images)


def test_rows_stand_in_a_table_with_links_to_their_sources(page, content, inputs):
    rows = page.js(
        "[...document.querySelectorAll('.kind-monitor tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
    )
    assert len(rows) == len(rows_of(inputs, "SRB", "monitor", content["start"]["years"]))
    assert ["2015", "16 people (84 %)", "36 to 60 months"] in [row[:3] for row in rows]
    links = page.js("[...document.querySelectorAll('#explorer-figures td a')].map(a => a.getAttribute('href'))")
    known = {f"sources.html#{source_id}" for source_id, _ in content["sources"]}
    assert links and set(links) <= known


def test_hostile_text_is_shown_as_text(browser, hostile, tmp_path):
    browser.events.clear()
    browser.open(write_page(hostile, tmp_path / "hostile.html"))
    shown = browser.js("document.getElementById('explorer-figures').textContent")
    assert f"No curve: {HOSTILE}." in shown and f"{HOSTILE} astra" in shown
    assert browser.js("document.title") == "Explorer" and browser.js("document.querySelectorAll('img').length") == 0
    assert browser.errors() == []
