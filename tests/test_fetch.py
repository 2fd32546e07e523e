"""Downloading: what a server may do wrong is told in words, and a page is read whole or not at all.

The server is a local one that misbehaves as it is told; time is made up. All pages here are made up, too.
"""

import csv
import gzip
import hashlib
import http.server
import io
import json
import threading
import zipfile
from functools import partial

import filelock
import pytest

from sentencing import paths
from sentencing.fetch import addresses, client, pages
from sentencing.fetch.__main__ import COLUMNS, main, parse_years

SAY = {
    "intro": "The made-up government does what made-up governments do, and this text stands for a summary of it.",
    "recommendations": "Write longer sentences of made-up text. • Read them aloud, to everyone who will listen.",
    "prosecution": "Courts of the made-up country convicted seven made-up traffickers; one was sentenced to 5 years.",
    "protection": "The made-up centre identified nine made-up victims, whom it gave a place to stay & made-up care.",
    "prevention": "A made-up council met twice in a made-up house and adopted a plan that nobody has made up yet.",
    "trafficking_profile": "As told in made-up reports, made-up people are exploited in a country that does not exist.",
}
SAY = {name: " ".join([words] * 3) for name, words in SAY.items()}
HEADS = {"recommendations": "PRIORITIZED RECOMMENDATIONS:", "prosecution": "PROSECUTION", "protection": "PROTECTION",
         "prevention": "PREVENTION", "trafficking_profile": "TRAFFICKING PROFILE"}  # fmt: skip
FURNITURE = """<header class="site"><nav><a href="#">PROTECTION</a></nav>
<h1>2018 Trafficking in Persons Report: Serbia</h1>
</header><div class="site-menu">SERBIA: Tier 1</div>
<ul><li><a href="#a">Prosecution</a></li><li><a href="#b">Prevention</a></li></ul>"""
END = (
    """<footer><h2>Stay connected</h2><p>Office of made-up websites</p></footer><script>var PROSECUTION = 1;</script>"""
)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;")


def page(
    section,
    title: str = "<h2>SERBIA (Tier&nbsp;2 Watch List)</h2>",
    inside: str = "<div class='entry-content'>{}</div>",
    last: str = "",
    say: dict[str, str] = SAY,
    heads: dict[str, str] = HEADS,
) -> bytes:
    body = title + f"<p>{escaped(say['intro'])}</p>"
    body += "".join(section(head, escaped(say[name])) for name, head in heads.items()) + last
    return f"<html><head><title>x</title></head><body>{FURNITURE}{inside.format(body)}{END}</body></html>".encode()


def headed(head: str, text: str, tag: str = "h2") -> str:
    return f"<section><{tag} class='report__section-title'>{head.title()}</{tag}><div><p>{text}</p></div></section>"


def listed(head: str, text: str) -> str:
    return f"<h3><span>{head}</span></h3><ul>" + "".join(f"<li>{t}</li>" for t in text.split(" • ")) + "</ul>"


LAYOUTS = {
    "h2 in sections": page(headed),
    "h3 and lists": page(listed),
    "bold paragraphs": page(
        lambda head, text: f"<p><strong>{head}</strong></p>\n<p>{text}</p>", "<p><b>SERBIA: TIER 2 WATCH LIST</b></p>"
    ),
    "styled paragraphs": page(
        lambda head, text: f"<p style='font-weight: bold'>{head}</p><p>{text}", "<p>SERBIA: Tier 2</p>"
    ),
    "bold words glued to the text": page(lambda head, text: f"<p><strong>{head}</strong>{text}</p>"),
    "capitals glued to the text": page(lambda head, text: f"<p>{head}{text}</p>"),
    "lines broken in one element": page(
        lambda head, text: f"<b>{head}</b><br>{text}<br><br>", "<b>SERBIA: Tier 2</b><br/>"
    ),
    "a table": page(
        lambda head, text: f"<b>{head}</b><p>{text}<p>",
        "<b>Serbia (Tier 2)</b>",
        "<table><tr><td class='nav'><a href='#'>Home</a><td id='centerblock'>{}</td></tr></table>",
    ),
    "furniture after the text": page(
        headed, inside="<div class='entry-content'>{}</div><div>Made-up websites are made up.</div>"
    ),
    "furniture in the text": page(headed, last="<div class='social-links'>Follow a made-up account</div>"),
    "words that close the text": page(headed, last="<p>Tags: made-up, more made-up</p><p>More</p>"),
    "text within something named like furniture": page(headed, inside="<div class='page no-sidebar'>{}</div>"),
    "something added": page(
        headed,
        last="<h2>Related made-up articles</h2><p>Read on</p><div class='share'>Share this page</div>",
    ),
    "shadow copies": page(headed, last="<div hidden><h2>PROSECUTION</h2>copy</div><p style='display:none'>copy</p>"),
}


def flat(text: str) -> str:
    return " ".join(text.replace("•", " ").split())


# --- Pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_sections(layout):
    narrative = pages.parse(LAYOUTS[layout], "SRB", 2018)
    assert {name: flat(text) for name, text in narrative.items()} == {
        **{name: flat(text) for name, text in SAY.items()},
        "government_efforts": "",
    }


def test_edition_before_2017_has_its_profile_in_the_first_paragraphs():
    heads = {name: head for name, head in HEADS.items() if name != "trafficking_profile"}
    heads["recommendations"] = "RECOMMENDATIONS FOR SERBIA:"
    old = page(lambda head, text: f"<p><b>{head}</b> {text}</p>", "<p>SERBIA: Tier 2</p>", heads=heads)
    narrative = pages.parse(old.replace(b"2018 Traff", b"Traff"), "SRB", 2016)
    assert narrative["trafficking_profile"] == "" and narrative["recommendations"] == SAY["recommendations"]


def test_special_case_has_one_section_of_efforts():
    say = {"intro": SAY["intro"], "government_efforts": SAY["prosecution"] * 3, "trafficking_profile": SAY["intro"]}
    heads = {"government_efforts": "GOVERNMENT EFFORTS", "trafficking_profile": "TRAFFICKING PROFILE"}
    content = page(headed, "<h2>LIBYA (Special Case)</h2>", say=say, heads=heads)
    assert pages.parse(content, "LBY", 2018)["government_efforts"] == say["government_efforts"]


CHANGED = {
    "no heading known": (page(lambda head, text: f"<h2>Part</h2><p>{text}</p>"), "none of the known headings"),
    "no title": (page(headed, ""), "no line with the country and its tier"),
    "another country": (page(headed, "<h2>BULGARIA (Tier 2)</h2>"), "BULGARIA"),
    "another edition": (page(headed).replace(b"<h1>2018", b"<h1>2021"), "edition of 2021"),
    "a section missing": (
        page(headed, heads={k: v for k, v in HEADS.items() if k != "protection"}),
        "no heading, or no text, for protection",
    ),
    "a section empty": (page(headed, say=SAY | {"prevention": ""}), "no heading, or no text, for prevention"),
    "a section short": (page(headed, say=SAY | {"prevention": "It met."}), "characters in prevention"),
    "all too short": (page(headed, say={name: text[:90] for name, text in SAY.items()}), "characters in all"),
    "a heading twice": (page(headed, last=headed("PREVENTION", SAY["prevention"])), "more than one heading for prev"),
    "a new heading": (page(headed, heads={"prosecution": "PROSECUTION", **HEADS}).replace(
        b">Protection</h2>", b">Partnership</h2>"), "a heading that is not known: 'Partnership'"),
    "a new bold heading": (page(lambda head, text: f"<p><b>{head}</b></p><p>{text}</p>").replace(
        b"<b>PROTECTION</b>", b"<b>PARTNERSHIP</b>"), "not known: 'PARTNERSHIP'"),
    "a new styled heading": (page(lambda head, text: f"<p style='font-weight:700'>{head}</p><p>{text}</p>").replace(
        b">PROTECTION</p>", b">PARTNERSHIP</p>"), "a heading that is not known: 'PARTNERSHIP'"),
    "a new last section": (page(headed, last=headed("Outlook", SAY["prevention"] * 3)), "'Outlook'"),
    "no page at all": (b"\x00\xff<![x", "none of the known headings|cannot be read"),
    "nested too deeply": (b"<div>" * 3000 + b"PROSECUTION", "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGED)
def test_changed_layout_is_told_and_never_half_read(change):
    content, reason = CHANGED[change]
    with pytest.raises(pages.LayoutError, match=reason):
        pages.parse(content, "SRB", 2018)


def test_text_is_not_cut_at_words_of_its_own_that_are_headings_elsewhere():
    say = SAY | {"prevention": "Prevention of made-up crimes was praised. Prosecution was not. " * 3}
    assert flat(pages.parse(page(headed, say=say), "SRB", 2018)["prevention"]) == flat(say["prevention"])


# --- Addresses ----------------------------------------------------------------------------------------------------


def test_addresses_are_made_of_year_and_name():
    assert addresses.page_addresses(2023, "SRB") == [
        "https://www.state.gov/reports/2023-trafficking-in-persons-report/serbia/"
    ]
    assert [url.split("/reports/")[1] for url in addresses.page_addresses(2019, "MKD", "")] == [
        "2019-trafficking-in-persons-report/north-macedonia/",
        "2019-trafficking-in-persons-report-2/north-macedonia/",
        "2019-trafficking-in-persons-report/macedonia/",
        "2019-trafficking-in-persons-report-2/macedonia/",
    ]
    assert [addresses.slug(addresses.names(code)[0]) for code in ("CIV", "BIH", "SXM", "GNB")] == [
        "cote-divoire", "bosnia-and-herzegovina", "st-maarten", "guinea-bissau"]  # fmt: skip


def test_country_is_known_whatever_the_order_of_its_words():
    assert addresses.same_country("CONGO, DEMOCRATIC REPUBLIC OF THE", "COD")
    assert addresses.same_country("Saint Lucia", "LCA") and addresses.same_country("TÜRKIYE", "TUR")
    assert not addresses.same_country("CONGO, DEMOCRATIC REPUBLIC OF THE", "COG")
    assert not addresses.same_country("", "SRB") and not addresses.same_country("Guinea", "GNB")


def test_every_exception_is_a_country():
    assert all(len(addresses.names(code)) > 1 for code in addresses.NAMES)


def test_years_are_single_or_ranges():
    assert parse_years("2017, 2019-2021") == [2017, 2019, 2020, 2021]


@pytest.mark.parametrize("wrong", ["18", "2019-2017", "two", "2009", "2018;2019"])
def test_years_that_are_none_or_too_early_are_refused(wrong):
    with pytest.raises(ValueError, match=wrong[:4]):
        parse_years(wrong)


# --- A server that misbehaves -------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Answers each path with the behaviours listed for it, one a request, the last one again and again."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours, self.requests, self.released = {}, [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.on("/robots.txt", answer(status=404))

    def on(self, path: str, *behaviours):
        self.behaviours[path] = list(behaviours)

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for where, headers in self.requests if where == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        behaviours = self.server.behaviours.get(self.path, [answer(status=404)])
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, *_):
        pass


def answer(body: bytes = b"", status: int = 200, kind: str = "text/html; charset=utf-8", length=None, **headers):
    def behave(handler: Handler) -> None:
        handler.send_response(status)
        named = {"Content-Type": kind, "Content-Length": str(len(body) if length is None else length)}
        for name, value in (named | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return behave


def stall(handler: Handler) -> None:
    handler.server.released.wait(5)


def resume(body: bytes, shift: int = 0):
    """Answer a request for the rest of `body` with it, or with a range shifted by some bytes."""

    def behave(handler: Handler) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-")) + shift
        span = f"bytes {start}-{len(body) - 1}/{len(body)}"
        answer(body[start:], 206, ETag='"a"', Content_Range=span)(handler)

    return behave


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=partial(running.serve_forever, poll_interval=0.01), daemon=True)
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


class Time:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.now, self.waits = 0.0, []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def make(tmp_path, time, server):
    hosts = (server.url, "http://127.0.0.1:9")
    options = {
        "hosts": hosts,
        "sleep": time.sleep,
        "clock": lambda: time.now,
        "progress": False,
        "attempts": 3,
        "timeout_s": 1.0,
    }
    return lambda **changes: client.Client(tmp_path, **options | changes)


def test_file_comes_with_its_checksum_and_is_not_asked_for_again(server, make, tmp_path):
    server.on("/a", answer(b"made up"))
    first = make().get(f"{server.url}/a", "x/a.html")
    n = len(server.requests)
    again = make().get(f"{server.url}/a", "x/a.html")
    assert len(server.requests) == n and again.from_cache and not first.from_cache
    entry = json.loads((tmp_path / "manifest.json").read_text())["files"]["x/a.html"]
    assert entry["url"] == f"{server.url}/a" and entry["bytes"] == 7 and entry["status"] == 200
    assert entry["sha256"] == hashlib.sha256(b"made up").hexdigest()
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"a.html"}


def test_request_names_the_project_and_asks_for_plain_bytes(server, make):
    server.on("/a", answer(b"made up"))
    make().get(f"{server.url}/a", "a")
    for headers in (*server.asked("/robots.txt"), *server.asked("/a")):
        assert client.ROBOT in headers["User-Agent"] and headers["Accept-Encoding"] == "identity"


def test_missing_page_is_told_and_recorded(server, make):
    one = make()
    with pytest.raises(client.NotFound, match=r"/none: there is no such page \(HTTP 404\)"):
        one.get(f"{server.url}/none", "none")
    assert len(server.asked("/none")) == 1
    assert "404" in one.manifest["failed"]["none"]["status"] and "none" not in one.manifest["files"]


def test_server_is_left_alone_as_long_as_it_asks(server, make, time):
    server.on("/a", answer(status=429, Retry_After="17"), answer(b"made up"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"
    assert 17 in time.waits


def test_server_that_asks_for_patience_each_time_is_given_up(server, make):
    server.on("/a", answer(status=429, Retry_After="1"))
    with pytest.raises(client.FetchError, match="HTTP 429 each time"):
        make().get(f"{server.url}/a", "a")
    assert len(server.asked("/a")) == 3


def test_error_of_the_server_is_tried_again_after_growing_waits(server, make, time):
    server.on("/a", answer(status=500), answer(status=500), answer(b"made up"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"
    assert time.waits[-2:] == [2.0, 4.0]


def test_server_that_does_not_answer_is_given_up(server, make):
    server.on("/a", stall)
    with pytest.raises(client.FetchError, match=r"no answer .*tried 2 times"):
        make(timeout_s=0.05, attempts=2).get(f"{server.url}/a", "a")
    assert len(server.asked("/a")) == 2


def test_host_that_is_not_there_is_told(make):
    with pytest.raises(client.FetchError, match=r"no answer .*refused.*is there a connection"):
        make(attempts=1).get("http://127.0.0.1:9/a", "a")


def test_truncated_body_is_never_taken_for_a_page(server, make, tmp_path):
    server.on("/a", answer(b"made", length=7))
    with pytest.raises(client.FetchError, match="broke off after 4 of 7 bytes; tried 3 times"):
        make().get(f"{server.url}/a", "a")
    assert not (tmp_path / "a").exists()


def test_broken_body_is_continued_where_it_stopped(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'), resume(b"made up"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"
    second = server.asked("/a")[1]
    assert second["Range"] == "bytes=4-" and second["If-Range"] == '"a"'


def test_broken_body_is_continued_by_a_later_run(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'), resume(b"made up"))
    with pytest.raises(client.FetchError, match="broke off"):
        make(attempts=1).get(f"{server.url}/a", "a")
    assert make(attempts=1).get(f"{server.url}/a", "a").path.read_bytes() == b"made up"


def test_server_that_sends_all_of_it_again_is_believed(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'), answer(b"new text", ETag='"b"'))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"new text"


def test_other_range_than_asked_for_is_not_appended(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'), resume(b"made up", shift=1), answer(b"made up"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"
    assert "Range" not in server.asked("/a")[2]


def test_range_that_the_server_does_not_have_is_asked_for_no_more(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'), answer(status=416), answer(b"made up"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"
    assert "Range" not in server.asked("/a")[2]


def test_body_compressed_unasked_is_read_all_the_same(server, make):
    server.on("/a", answer(gzip.compress(b"made up"), Content_Encoding="gzip"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"made up"


def test_part_of_another_page_is_not_continued(server, make):
    server.on("/a", answer(b"made", length=7, ETag='"a"'))
    server.on("/b", answer(b"new text"))
    with pytest.raises(client.FetchError, match="broke off"):
        make().get(f"{server.url}/a", "page")
    assert make().get(f"{server.url}/b", "page").path.read_bytes() == b"new text"
    assert "Range" not in server.asked("/b")[0]


@pytest.mark.parametrize("tag", [{}, {"ETag": 'W/"a"'}])
def test_body_of_which_nothing_tells_it_is_the_same_starts_anew(server, make, tag):
    server.on("/a", answer(b"made", length=7, **tag), answer(b"new text"))
    assert make().get(f"{server.url}/a", "a").path.read_bytes() == b"new text"
    assert "Range" not in server.asked("/a")[1]


def test_wrong_type_is_told_and_not_kept(server, make, tmp_path):
    server.on("/a", answer(b"%PDF", kind="application/pdf"))
    with pytest.raises(client.FetchError, match="comes as application/pdf, not as text/html"):
        make().get(f"{server.url}/a", "a")
    assert not (tmp_path / "a").exists()


def test_damaged_file_of_the_cache_is_noticed_put_aside_and_fetched_again(server, make, tmp_path):
    server.on("/a", answer(b"made up"))
    make().get(f"{server.url}/a", "a")
    (tmp_path / "a").write_bytes(b"made uq")
    assert make().cached("a") is None
    again = make().get(f"{server.url}/a", "a")
    assert "not as recorded" in again.note and "publisher" not in again.note
    assert (tmp_path / "a").read_bytes() == b"made up" and (tmp_path / "a.damaged").read_bytes() == b"made uq"


def test_page_that_the_publisher_changed_is_told(server, make, tmp_path):
    server.on("/a", answer(b"made up"), answer(b"rewritten"))
    make().get(f"{server.url}/a", "a")
    (tmp_path / "a").unlink()
    assert "the publisher changed it" in make().get(f"{server.url}/a", "a").note


def test_manifest_that_cannot_be_read_stops_the_run(make, tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(client.FetchError, match="manifest cannot be read"):
        make()


def test_what_robots_disallows_is_not_asked_for(server, make):
    rules = f"User-agent: {client.ROBOT}\nDisallow: /reports/\n\nUser-agent: *\nDisallow:\n"
    server.on("/robots.txt", answer(rules.encode(), kind="text/plain"))
    with pytest.raises(client.Refused, match=r"robots\.txt does not allow it"):
        make().get(f"{server.url}/reports/a", "a")
    assert server.asked("/reports/a") == []


def test_redirect_to_a_page_that_robots_disallows_is_not_followed(server, make):
    server.on("/robots.txt", answer(b"User-agent: *\nDisallow: /b\n", kind="text/plain"))
    server.on("/a", answer(status=302, Location="/b"))
    with pytest.raises(client.Refused, match="/b: not fetched"):
        make().get(f"{server.url}/a", "a")
    assert server.asked("/b") == []


def test_redirect_is_followed_and_recorded_but_not_for_ever(server, make):
    server.on("/a", answer(status=301, Location="/b"))
    server.on("/b", answer(b"made up"))
    server.on("/c", answer(status=301, Location="/c"))
    assert make().get(f"{server.url}/a", "a").url == f"{server.url}/b"
    with pytest.raises(client.FetchError, match="more than 5 redirects"):
        make().get(f"{server.url}/c", "c")


@pytest.mark.parametrize("status", [403, 503])
def test_robots_that_cannot_be_read_is_a_refusal_unless_told_otherwise(server, make, status):
    server.on("/robots.txt", answer(status=status))
    server.on("/a", answer(b"made up"))
    with pytest.raises(client.Refused, match=f"could not be read .HTTP {status}"):
        make().get(f"{server.url}/a", "a")
    assert server.asked("/a") == []
    assert make(robots_unreachable="allow").get(f"{server.url}/a", "a").path.exists()


def test_requests_to_a_host_keep_their_distance_and_longer_if_robots_asks_for_it(server, make, time):
    for path in ("/a", "/b", "/c"):
        server.on(path, answer(b"made up"))
    one = make()
    for path in ("/a", "/b", "/c"):
        one.get(server.url + path, path[1:])
    assert time.waits == [2.0, 2.0, 2.0]  # after robots.txt and between the pages
    server.on("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 9\n", kind="text/plain"))
    one, time.waits[:] = make(), []
    for path in ("/a", "/b"):
        one.get(server.url + path, f"new{path[1:]}")
    assert time.waits[-1] == 9.0


def test_refusal_of_the_program_says_what_to_do(server, make):
    server.on("/a", answer(status=403))
    with pytest.raises(client.Refused, match="--saved"):
        make().get(f"{server.url}/a", "a")


# --- The command --------------------------------------------------------------------------------------------------

EDITION = "/reports/2018-trafficking-in-persons-report/"


@pytest.fixture
def command(server, tmp_path, time, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        given = ["--cache", str(tmp_path), "--base", server.url, "--archive", server.url, *arguments]
        status = main(given, sleep=time.sleep, clock=lambda: time.now, progress=False, attempts=2)
        return status, *capsys.readouterr()

    return run


def rows(tmp_path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((tmp_path / "narratives.csv").read_text(encoding="utf-8"))))


def test_command_writes_a_row_for_each_narrative_and_keeps_the_pages(server, command, tmp_path):
    server.on(f"{EDITION}serbia/", answer(LAYOUTS["h2 in sections"]))
    status, out, err = command()
    assert (status, err) == (0, "") and "1 of 1 narratives" in out
    (row,) = rows(tmp_path)
    assert (
        tuple(row) == COLUMNS and row["iso3"] == "SRB" and row["country"] == "Serbia" and row["report_year"] == "2018"
    )
    assert row["prosecution"] == SAY["prosecution"] and "made-up care" in row["protection"]
    (kept,) = tmp_path.glob("*/SRB-2018.html")
    assert kept.read_bytes() == LAYOUTS["h2 in sections"]


def test_failures_are_listed_and_do_not_stop_the_others(server, command, tmp_path):
    server.on(f"{EDITION}serbia/", answer(LAYOUTS["h3 and lists"]))
    server.on(
        f"{EDITION}bulgaria/", answer(page(headed, "<h2>BULGARIA (Tier 2)</h2>", heads={"prevention": "PREVENTION"}))
    )
    server.on(f"{EDITION}croatia/", answer(status=500))
    status, out, err = command("--countries", "BGR,HRV,ALB,SRB")
    assert status == 1 and "1 of 4 narratives" in out and [row["iso3"] for row in rows(tmp_path)] == ["SRB"]
    assert "3 could not be had" in err
    assert "BGR 2018: the page's layout is not known here" in err and "BGR-2018.html" in err
    assert "HRV 2018" in err and "HTTP 500" in err
    assert "ALB 2018: no page of Albania in the edition of 2018 was found" in err
    assert list(tmp_path.glob("*/BGR-2018.html"))


def test_page_with_another_address_is_found_through_the_index(server, command):
    server.on(EDITION, answer(f"<a href='{EDITION}republic-of-serbia/#top'><span>Serbia</span></a>".encode()))
    server.on(f"{EDITION}republic-of-serbia/", answer(LAYOUTS["bold paragraphs"]))
    assert command()[0] == 0


def test_page_of_the_archive_is_found_by_its_number(server, command, tmp_path):
    links = {"http://127.0.0.1:9/": "Serbia", "1.htm": "Seychelles", "2.htm": "SERBIA"}
    index = "".join(f"<li><a href='{link}'>{name}</a>" for link, name in links.items())
    server.on("/j/tip/rls/tiprpt/2016/index.htm", answer(index.encode()))
    server.on("/j/tip/rls/tiprpt/2016/2.htm", answer(LAYOUTS["a table"].replace(b"2018 Traff", b"Traff")))
    assert command("--years", "2016")[0] == 0 and rows(tmp_path)[0]["report_year"] == "2016"


def test_page_saved_with_a_browser_is_read_without_a_request(server, command, tmp_path):
    (tmp_path / "SRB-2018.html").write_bytes(LAYOUTS["a table"])
    status, _, err = command("--saved", str(tmp_path), "--countries", "SRB,BGR")
    assert status == 1 and "BGR 2018" in err and server.requests == [] and len(rows(tmp_path)) == 1


def workbook() -> bytes:
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


def test_newest_workbook_is_found_on_its_page(server, command, tmp_path):
    server.on(f"{EDITION}serbia/", answer(LAYOUTS["h2 in sections"]))
    files = ("/files/2025-04/data_glotip.xlsx", "/files/2026-05/data_glotip_0.xlsx", "/files/z.xlsx")
    server.on("/page", answer("".join(f"<a href='{file}'>x</a>" for file in files).encode()))
    server.on("/files/2026-05/data_glotip_0.xlsx", answer(workbook(), kind=client.WORKBOOK[0]))
    assert command("--workbook", f"{server.url}/page")[0] == 0
    assert list(tmp_path.glob("unodc/*/2026-05-data_glotip_0.xlsx"))


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answer(b"<p>moved</p>"), "links to no workbook"),
        (answer(b"<a href='/data_glotip.xlsx'>x</a>"), "what came is no workbook"),
    ],
)
def test_workbook_that_is_none_is_told(server, command, behaviour, reason):
    server.on(f"{EDITION}serbia/", answer(LAYOUTS["h2 in sections"]))
    server.on("/page", behaviour)
    server.on("/data_glotip.xlsx", answer(b"no", kind=client.WORKBOOK[0]))
    status, _, err = command("--workbook", f"{server.url}/page")
    assert status == 1 and reason in err


def test_two_runs_do_not_write_to_one_cache(server, command, tmp_path):
    with filelock.FileLock(tmp_path / ".lock"):
        status, _, err = command()
    assert status == 1 and "another run" in err and server.requests == []


@pytest.mark.parametrize("wrong", [["--years", "1999"], ["--countries", "SRX"], ["--cache", str(paths.RAW / "x")]])
def test_wrong_question_is_answered_without_a_request(server, command, wrong):
    with pytest.raises(SystemExit) as stopped:
        command(*wrong)
    assert stopped.value.code == 2 and server.requests == []
