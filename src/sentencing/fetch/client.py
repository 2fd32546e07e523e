"""One polite client: it asks permission, waits, retries, resumes, keeps what it got and knows it again.

- Only hosts of the publishers are asked, encrypted, and those that the caller names; redirects lead nowhere else.
- A body has an end: in bytes, in time, and in redirects; and it has to be of the type that is expected.
- robots.txt of each host is read first (urllib.robotparser). What it disallows is refused. A robots.txt that
  cannot be read (no answer, 401, 403, 429, 5xx) counts as a refusal too, unless the caller says otherwise; that
  the file does not exist (404, 410 and the like) allows everything (RFC 9309 draws the line in the same way, but
  for 401, 403 and 429). Python's parser takes `*` and `$` inside a path literally.
- Between two requests to a host lie at least `delay_s` seconds, more when robots.txt asks for it.
- 429, 500, 502, 503, 504 and lost connections are tried again, each wait twice the one before, or as long as
  the answer's Retry-After says (urllib3.util.Retry).
- A body that breaks off is continued from where it stopped if the server gave something to tell the file by
  (ETag or Last-Modified) and answers with exactly the missing range; otherwise it starts anew.
- Files are moved to their places by pooch after they are complete. The manifest records url, SHA-256, bytes, time
  of access and status of each; a file that still has its checksum is not asked for again.
"""

import datetime
import json
import logging
import math
import re
import time
import urllib.robotparser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pooch
import requests
import requests.adapters
import urllib3
from tqdm import tqdm

ROBOT = "sentencing-research"
# Another project that reads the same publisher reports that it answers 403 to names which do not begin with
# "Mozilla/5.0"; "(compatible; …)" is the usual form for programs that say what they are.
USER_AGENT = f"Mozilla/5.0 (compatible; {ROBOT}; open research on how traffickers are sentenced)"
HTML = ("text/html", "application/xhtml+xml")
WORKBOOK = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream")
RETRIED = (429, 500, 502, 503, 504)
MAX_REDIRECTS = 5
# Whose hosts are asked, and those below them. What is on this machine has no publisher and need not be encrypted.
PUBLISHERS = ("state.gov", "unodc.org", "un.org")
HERE = ("127.0.0.1", "localhost", "::1")
# A page has up to one million bytes, the workbook some; robots.txt is read as far as RFC 9309 asks at least.
MOST_BYTES, MOST_ROBOTS_BYTES, MOST_S = 50_000_000, 512_000, 600.0
MANIFEST = "manifest.json"

pooch.get_logger().setLevel(logging.WARNING)


class FetchError(RuntimeError):
    """A file could not be had; the message says why."""


class Refused(FetchError):
    """robots.txt does not allow it, or could not be read."""


class NotFound(FetchError):
    """The publisher says that there is no such page (404, 410)."""


class Retry(urllib3.Retry):
    """urllib3's Retry that never waits less than `pause_s`, and waits with a function that tests can replace."""

    def __init__(self, *args, pause_s: float = 0.0, wait: Callable[[float], None] = time.sleep, **options):
        super().__init__(*args, **options)
        self.pause_s, self.wait = pause_s, wait

    def new(self, **options):
        return super().new(pause_s=self.pause_s, wait=self.wait, **options)

    def sleep(self, response=None) -> None:
        asked = self.get_retry_after(response) if response is not None else None
        self.wait(max(self.pause_s, asked if asked is not None else self.get_backoff_time()))


@dataclass(frozen=True)
class Fetched:
    """A file in the cache. `note` tells what a reader should know, such as that an older copy was damaged."""

    name: str
    path: Path
    url: str
    sha256: str
    from_cache: bool
    note: str = ""


class Client:
    """Downloads into `cache`.

    Parameters
    ----------
    cache : pathlib.Path
        Folder for the files and the manifest.
    delay_s : float
        Least time between two requests to a host, in seconds.
    timeout_s : float
        How long to wait for a connection, and for each next piece of an answer, in seconds.
    hosts : tuple of str
        Further hosts that may be asked, as "https://host"; with "http://" on this machine only.
    most_bytes : int
    most_s : float
        How large a body may be, and how long it may take to come.
    attempts : int
        How often a request is tried, and how often a broken body is continued.
    user_agent : str
        How the client names itself.
    robots_unreachable : {"refuse", "allow"}
        What to do when robots.txt cannot be read.
    sleep, clock : callables
        Wait some seconds; seconds that have passed. Tests replace them.
    progress : bool or None
        Show a bar for each body; None: only in a terminal.
    """

    def __init__(
        self,
        cache: Path,
        *,
        delay_s: float = 2.0,
        timeout_s: float = 60.0,
        hosts: tuple[str, ...] = (),
        most_bytes: int = MOST_BYTES,
        most_s: float = MOST_S,
        attempts: int = 4,
        user_agent: str = USER_AGENT,
        robots_unreachable: str = "refuse",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        progress: bool | None = None,
    ):
        if robots_unreachable not in ("refuse", "allow"):
            raise ValueError(f"robots_unreachable is 'refuse' or 'allow', not {robots_unreachable!r}")
        self.cache = Path(cache)
        self.delay_s, self.timeout_s, self.attempts = delay_s, timeout_s, attempts
        self.hosts, self.most_bytes, self.most_s = {_origin(host) for host in hosts}, most_bytes, most_s
        self.robots_unreachable, self.progress = robots_unreachable, progress
        self.sleep, self.clock = sleep, clock
        self.manifest = self._read_manifest()
        self._rules: dict[str, urllib.robotparser.RobotFileParser | str] = {}
        self._next: dict[str, float] = {}  # when a host may be asked again
        self._session = requests.Session()
        # Ranges count the bytes that are sent, so nothing may be compressed on the way.
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
        retry = Retry(
            attempts - 1, status_forcelist=RETRIED, allowed_methods={"GET"}, backoff_factor=max(delay_s, 0.5),
            retry_after_max=600, raise_on_status=False, pause_s=delay_s, wait=self.sleep,
        )  # fmt: skip
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))

    # --- Cache ----------------------------------------------------------------------------------------------------

    def cached(self, name: str) -> Fetched | None:
        """The file `name` if it is here with the checksum that the manifest records; no request is made."""
        entry, path = self.manifest["files"].get(name), self.cache / name
        if not entry or not path.exists() or pooch.file_hash(str(path)) != entry["sha256"]:
            return None
        return Fetched(name, path, entry["url"], entry["sha256"], True)

    def get(self, url: str, name: str, types: tuple[str, ...] = HTML) -> Fetched:
        """The file at `url`, from the cache when it is there as recorded, else downloaded to `name` in the cache.

        A file of the cache that has another checksum than recorded, or none, is put aside as `<name>.damaged`.

        Raises
        ------
        Refused, NotFound, FetchError
            With the address and the reason.
        """
        if found := self.cached(name):
            return found
        path, recorded = self.cache / name, self.manifest["files"].get(name)
        notes = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(path.with_name(f"{path.name}.damaged"))
            notes.append(f"the copy in the cache was not as recorded; it is kept as {name}.damaged")
        told: dict[str, str | int] = {}

        def receive(address: str, output: str, _pooch) -> None:
            part = path.with_name(f"{path.name}.part")
            told.update(self._receive(address, part, types))
            part.replace(output)
            _about(part).unlink(missing_ok=True)

        try:
            pooch.retrieve(url, known_hash=None, fname=path.name, path=path.parent, downloader=receive)
        except FetchError as error:
            self.manifest["failed"][name] = {"url": url, "accessed": _now(), "status": str(error)}
            self._write_manifest()
            raise
        digest = pooch.file_hash(str(path))
        if recorded and recorded["sha256"] != digest:
            notes.append(f"it is not the same as the one recorded on {recorded['accessed']}: the publisher changed it")
        self.manifest["failed"].pop(name, None)
        self.manifest["files"][name] = {
            "url": told["url"], "asked": url, "sha256": digest, "bytes": path.stat().st_size, "accessed": _now(),
            "status": told["status"], "content_type": told["content_type"],
        }  # fmt: skip
        self._write_manifest()
        return Fetched(name, path, str(told["url"]), digest, False, "; ".join(notes))

    def _read_manifest(self) -> dict:
        path = self.cache / MANIFEST
        if not path.exists():
            return {"files": {}, "failed": {}}
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            return {"files": dict(manifest["files"]), "failed": dict(manifest["failed"])}
        except (ValueError, KeyError, TypeError) as error:
            message = f"{path}: this manifest cannot be read ({error}); move it away to begin a new one"
            raise FetchError(message) from None

    def _write_manifest(self) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        new = self.cache / f"{MANIFEST}.new"
        new.write_text(json.dumps(self.manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(self.cache / MANIFEST)

    # --- Bodies ---------------------------------------------------------------------------------------------------

    def _receive(self, url: str, part: Path, types: tuple[str, ...]) -> dict[str, str | int]:
        """Write the body at `url` to `part`, continuing what is there; give the final url, status and type."""
        reason = ""
        for attempt in range(self.attempts):
            if attempt:
                self.sleep(self.delay_s * 2 ** (attempt - 1))
            start, validator = _resumable(part, url)
            headers = {"Range": f"bytes={start}-", "If-Range": validator} if start else {}
            with self._request(url, headers) as response:
                if response.status_code == 416 or (
                    response.status_code == 206 and (not start or _range_start(response) != start)
                ):
                    part.unlink(missing_ok=True)
                    reason = "the server answered with another range than the one asked for"
                    continue
                _check_status(response)
                _check_type(response, types)
                start = start if response.status_code == 206 else 0
                # Compressed all the same, the bytes here are not those of the range, and the length is another.
                plain = response.headers.get("Content-Encoding", "identity") == "identity"
                about = {"url": url, "validator": _validator(response) if plain else ""}
                _about(part).write_text(json.dumps(about), encoding="utf-8")
                length = response.headers.get("Content-Length", "") if plain else ""
                total = int(length) + start if length.isdigit() else None
                if total is not None and total > self.most_bytes:
                    raise FetchError(f"{url}: is said to have {total:,} bytes; at most {self.most_bytes:,} are taken")
                broken = self._write_body(response, part, start, total)
            size = part.stat().st_size
            if not broken and total in (None, size):
                final = {"url": response.url, "status": response.status_code}
                return final | {"content_type": response.headers.get("Content-Type", "")}
            of = f" of {total}" if total is not None else ""
            reason = f"its body broke off after {size}{of} bytes"
        raise FetchError(f"{url}: {reason}; tried {self.attempts} times")

    def _write_body(self, response: requests.Response, part: Path, start: int, total: int | None) -> bool:
        """Append the body from byte `start` on; True when the connection broke off or stalled."""
        # Else urllib3 throws away what came of a body that is too short; a known length is checked by the caller.
        response.raw.enforce_content_length = total is None
        with (
            part.open("ab" if start else "wb") as file,
            tqdm(total=total, initial=start, unit="B", unit_scale=True, leave=False, desc=part.stem,
                 disable=None if self.progress is None else not self.progress) as bar,
        ):  # fmt: skip
            try:
                for chunk in self._pieces(response, self.most_bytes - start):
                    file.write(chunk)
                    bar.update(len(chunk))
            except FetchError:
                part.unlink()  # nothing to go on from
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError):
                return True
        return False

    def _pieces(self, response: requests.Response, most_bytes: int) -> Iterator[bytes]:
        """What comes of a body, as soon as it comes. Raises FetchError when it is too much or takes too long."""
        n, started = 0, self.clock()
        while chunk := response.raw.read1(65536, decode_content=True):
            n += len(chunk)
            if n > most_bytes:
                raise FetchError(f"{response.url}: has more than {most_bytes:,} bytes, which are all that is taken")
            if self.clock() - started > self.most_s:
                raise FetchError(f"{response.url}: took more than {self.most_s:g} s to come")
            yield chunk

    # --- Requests -------------------------------------------------------------------------------------------------

    def _request(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Ask for `url` and follow redirects, each of which has to be allowed, too."""
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            self._check_allowed(url)
            response = self._send(url, headers)
            if not response.is_redirect:
                return response
            response.close()
            url = urljoin(url, response.headers["Location"])
        raise FetchError(f"{asked}: more than {MAX_REDIRECTS} redirects")

    def _send(self, url: str, headers: dict[str, str]) -> requests.Response:
        self._check_host(url)
        host = urlsplit(url).netloc
        wait = self._next.get(host, -math.inf) - self.clock()
        if wait > 0:
            self.sleep(wait)
        try:
            return self._session.get(url, headers=headers, stream=True, allow_redirects=False, timeout=self.timeout_s)
        except requests.Timeout:
            raise FetchError(f"{url}: no answer within {self.timeout_s:g} s; tried {self.attempts} times") from None
        except requests.RequestException as error:
            raise FetchError(f"{url}: no answer ({_short(error)}); tried {self.attempts} times") from None
        finally:
            self._next[host] = self.clock() + self._pause(url)

    def _pause(self, url: str) -> float:
        rules = self._rules.get(_origin(url))
        asked = rules.crawl_delay(ROBOT) if isinstance(rules, urllib.robotparser.RobotFileParser) else None
        return max(self.delay_s, float(asked or 0))

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        named, here = _origin(url) in self.hosts, parts.hostname in HERE
        if parts.scheme != "https" and not (parts.scheme == "http" and named and here):
            raise FetchError(f"{url}: not fetched, because it is not encrypted (https)")
        whole = f"https://{parts.hostname}" == _origin(url).lower()  # without a port, a user or a password
        if not named and not (whole and any(f".{parts.hostname}".endswith(f".{name}") for name in PUBLISHERS)):
            raise FetchError(f"{url}: not fetched, because it is not one of the publishers ({', '.join(PUBLISHERS)})")

    def _check_allowed(self, url: str) -> None:
        self._check_host(url)
        origin = _origin(url)
        if origin not in self._rules:
            self._rules[origin] = self._read_rules(origin)
        rules = self._rules[origin]
        if isinstance(rules, str):
            if self.robots_unreachable == "refuse":
                if rules.startswith("no answer"):
                    raise FetchError(f"{url}: not fetched, because {origin} gives {rules}; is there a connection?")
                raise Refused(
                    f"{url}: not fetched, because {origin}/robots.txt could not be read ({rules}) and so it is not "
                    "known whether the publisher allows it; --robots-unreachable allow fetches all the same"
                )
        elif not rules.can_fetch(ROBOT, url):
            raise Refused(f"{url}: not fetched, because the publisher's robots.txt does not allow it")

    def _read_rules(self, origin: str) -> urllib.robotparser.RobotFileParser | str:
        """The rules of a host, or in words why they could not be read."""
        url = f"{origin}/robots.txt"
        try:
            with self._send(url, {}) as response:
                hops = 0
                while response.is_redirect and hops < MAX_REDIRECTS:
                    response.close()
                    url, hops = urljoin(url, response.headers["Location"]), hops + 1
                    response = self._send(url, {})
                status = response.status_code
                if status in (401, 403, 429) or status >= 500 or 300 <= status < 400:
                    return f"HTTP {status}"
                read = b"".join(self._pieces(response, MOST_ROBOTS_BYTES)) if status < 300 else b""
        except FetchError as error:
            return str(error).partition(": ")[2]
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return _short(error)
        rules = urllib.robotparser.RobotFileParser(url)
        rules.parse(read.decode("utf-8", "replace").splitlines())
        return rules


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _short(error: Exception) -> str:
    cause = getattr(error.args[0], "reason", None) if error.args else None
    words = re.sub(r"\s+", " ", str(cause or error) or type(error).__name__)
    return re.sub(r"^\w+\(host=.*?\): ", "", words)[:200]


def _about(part: Path) -> Path:
    """What is known of a partial file: where it came from, and what to tell the whole file by."""
    return part.with_name(f"{part.name}.json")


def _resumable(part: Path, url: str) -> tuple[int, str]:
    """Bytes that are here and the validator of the file they belong to; (0, "") when it has to start anew."""
    about = _about(part)
    if not part.exists() or not about.exists() or not part.stat().st_size:
        return 0, ""
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
    except ValueError:
        return 0, ""
    if known.get("url") != url or not known.get("validator"):
        return 0, ""
    return part.stat().st_size, known["validator"]


def _validator(response: requests.Response) -> str:
    """What If-Range may carry: a strong ETag, else the date of the last change (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _range_start(response: requests.Response) -> int | None:
    found = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", response.headers.get("Content-Range", "").strip())
    return int(found[1]) if found else None


def _check_status(response: requests.Response) -> None:
    status, url = response.status_code, response.url
    if status in (404, 410):
        raise NotFound(f"{url}: there is no such page (HTTP {status})")
    if status == 403:
        raise Refused(
            f"{url}: the publisher refuses this program (HTTP 403). Save the page with a browser and give its "
            "folder with --saved"
        )
    if status in RETRIED:
        raise FetchError(f"{url}: HTTP {status} each time it was tried; try again later")
    if status not in (200, 206):
        raise FetchError(f"{url}: HTTP {status} instead of a page")


def _check_type(response: requests.Response, types: tuple[str, ...]) -> None:
    found = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if found not in types:
        raise FetchError(f"{response.url}: comes as {found or 'nothing named'}, not as {' or '.join(types)}")
