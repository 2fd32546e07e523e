"""What happens to real builds of this repository when things go wrong: killed, disk full, clock wrong, tools missing.

After each fault: a message in plain words, nothing half made that a later `make` would trust, and `make` again gives
the same bytes as a build that nobody disturbed. Each test is one fault in a copy of the repository (`checkouts`).

    make faults                    # all, once
    make faults KILLS=3 SEED=7     # three kills of each kind for each notebook, at other moments
"""

import contextlib
import csv
import functools
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import checkouts
import psutil
import pytest
import test_fetch
import yaml
from checkouts import MAKE, SECONDS, Checkout, all_ended, executed, kill_group, wait_for_cell
from conftest import wait_until
from filelock import FileLock

from sentencing import notebooks, paths
from sentencing.fetch import addresses
from sentencing.site import pdf

pytestmark = pytest.mark.faults
SEED = int(os.environ.get("SEED") or 1)
KILLS = int(os.environ.get("KILLS") or 1)
NOTEBOOKS = notebooks.list_notebooks()
SHORT = "02-clean-national-centre"  # a notebook that takes seconds
LAST = "how-the-estimator-works"  # one of which no other notebook is made, only the pages
PARTS = ("kernel", "runner", "wrapper", "make")
DAY = 86400


def chance(*about) -> random.Random:
    """Random numbers for one fault, the same whenever SEED is."""
    return random.Random(f"{SEED} {about}")


# --- Copies -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A built copy, made once for all processes of this run, and removed when the last of them ends."""
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    mine = place / "users" / str(os.getpid())
    installed = checkouts.digests((paths.ROOT / ".venv").resolve() / "bin")
    with FileLock(place / "base.lock"):
        mine.parent.mkdir(exist_ok=True)
        mine.touch()
        checkout = Checkout(place / "base", place / "base-scratch")
        if not checkout.scratch.exists():
            checkouts.create(checkout.root)
            checkout.scratch.mkdir()
            done = checkout.make("-j2")
            assert done.well, done.told
            assert not (checkout.root / "build" / "never").exists()
    yield checkout
    with FileLock(place / "base.lock"):
        mine.unlink()
        if not list(mine.parent.iterdir()):
            shutil.rmtree(checkout.root)
            shutil.rmtree(checkout.scratch)
    assert checkouts.digests((paths.ROOT / ".venv").resolve() / "bin") == installed


@pytest.fixture
def checkout_at(base, tmp_path_factory):
    """Copies the built copy to a folder of the given name; what is left running there is ended."""
    made = []

    def at(name: str = "r") -> Checkout:
        place = tmp_path_factory.mktemp("c")
        made.append(place)
        checkouts.copy(base.root, place / name)
        (place / "t").mkdir()
        return Checkout(place / name, place / "t")

    yield at
    for place in made:
        checkouts.end([process for process in psutil.process_iter() if _works_in(process, place)])
        shutil.rmtree(place, ignore_errors=True)


def _works_in(process: psutil.Process, place: Path) -> bool:
    with contextlib.suppress(psutil.Error):  # it has just ended, or is another user's
        return Path(process.cwd()).is_relative_to(place)
    return False


@pytest.fixture
def checkout(checkout_at) -> Checkout:
    return checkout_at()


@pytest.fixture
def state(base) -> dict[str, str]:
    """Checksums of all that the undisturbed build gave."""
    return base.state()


def touch(checkout: Checkout, *names: str) -> None:
    for name in names:
        os.utime(checkout.root / name)


def running(checkout: Checkout, name: str, drawn: random.Random) -> subprocess.Popen:
    """Start the notebook by make and wait for a moment drawn from the time between its first cell and its last."""
    touch(checkout, f"notebooks/{name}.ipynb")
    process = checkout.start(*MAKE, executed(name))
    wait_for_cell(checkout, process, name, drawn.randrange(checkouts.n_code_cells(checkout.root, name)))
    time.sleep(drawn.uniform(0, 0.2))
    assert process.poll() is None, checkout.output.read_text()
    return process


def comes_to_the_same(checkout: Checkout, state: dict[str, str], *targets: str) -> None:
    """Make, once more, gives the bytes of the undisturbed build, and after that finds nothing to do."""
    done = checkout.make(*targets)
    assert done.well, done.told
    assert checkout.state() == state
    again = checkout.make(*targets)
    assert again.well and ": running" not in again.told and "pages:" not in again.told, again.told


# --- Killed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeat", range(KILLS))
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_killed_with_all_processes(checkout, state, name, repeat):
    """Run of a notebook killed, all processes at once."""
    process = running(checkout, name, chance("group", name, repeat))
    assert all_ended(kill_group(process))
    assert checkout.state() == state
    comes_to_the_same(checkout, state, executed(name))


@pytest.mark.parametrize("repeat", range(KILLS))
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_one_process_of_a_notebook_is_killed(checkout, state, name, repeat):
    """Run of a notebook of which one process is killed: the kernel, the runner, its wrapper or make."""
    victim = PARTS[(NOTEBOOKS.index(name) + repeat) % len(PARTS)]
    process = running(checkout, name, chance("one", name, repeat))
    wait_until(lambda: checkouts.part(checkouts.family(process.pid), victim), SECONDS)
    belonged = checkouts.family(process.pid)
    checkouts.part(belonged, victim).kill()
    done = checkout.finish(process)
    told = {"kernel": "its kernel died", "runner": "SIGKILL", "wrapper": "Killed", "make": ""}
    assert done.code == -signal.SIGKILL if victim == "make" else done.in_words(told[victim]), done.told
    comes_to_the_same(checkout, state, executed(name))  # what goes on without its make is waited for
    assert all_ended(belonged)


def test_run_is_interrupted_from_the_keyboard(checkout, state):
    """Run of a notebook interrupted from the keyboard."""
    process = running(checkout, SHORT, chance("interrupted"))
    belonged = checkouts.family(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    done = checkout.finish(process)
    assert done.code and "Traceback" not in done.told, done.told
    assert all_ended(belonged) and checkout.state() == state
    comes_to_the_same(checkout, state, executed(SHORT))


def small_multiverse(checkout: Checkout) -> None:
    """Two choices with two options each, for one country, in both files."""
    declared = yaml.safe_load((checkout.root / "params" / "multiverse.yml").read_text(encoding="utf-8"))
    for number, choice in enumerate(declared["choices"]):
        choice["options"] = choice["options"][: 2 if number in (1, 2) else 1]
    kept = {key: value for key, value in declared.items() if not key.startswith("exclu")}
    kept["study"]["replicates"] = 20
    for name in ("multiverse", "multiverse-countries"):
        (checkout.root / "params" / f"{name}.yml").write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")


def small_simulation(checkout: Checkout) -> None:
    checkout.edit("params/publication.yml", lambda text: re.sub(r"samples: \d+", "samples: 2", text))
    checkout.edit("params/publication.yml", lambda text: re.sub(r"years: \[.*\]", "years: [1, 2]", text))


def made_up_narratives(checkout: Checkout) -> None:
    words = "Courts convicted 12 traffickers (nine in 2016). All received prison sentences of at least one year. "
    with (checkout.root / "build" / "narratives.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["iso3", "country", "report_year", "prosecution"])
        writer.writerows([code, code, year, words * 20] for code in ("SRB", "MKD", "HRV") for year in range(2001, 2025))


# What has to be done before, and what the command gives beside the build itself.
COMMANDS = {
    "site": (lambda checkout: touch(checkout, "docs/method.md"), ()),
    "readme": (lambda checkout: touch(checkout, "README.md"), ()),
    "package": (lambda checkout: touch(checkout, "CITATION.cff"), ()),
    "check": (lambda checkout: None, ()),
    "profile COUNTRY=MKD": (lambda checkout: None, ("build/profiles", "build/site")),
    "multiverse QUICK=yes": (small_multiverse, ("build/multiverse-quick", "build/multiverse-countries-quick")),
    "publication-designs": (small_simulation, ("build/publication", "results/publication-designs.csv")),
    "archive": (lambda checkout: None, ("build/sentencing-serbia-0.1.0.zip",)),
    "audit": (lambda checkout: None, ()),
    "extract NARRATIVES=build/narratives.csv": (made_up_narratives, ("build/extract",)),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_killed_twice(checkout_at, state, command):
    """Command killed twice, all its processes at once (site, profile, multiverse, archive, audit and others)."""
    prepare, gives = COMMANDS[command]
    drawn, words = chance("command", command), command.split()
    calm, disturbed = checkout_at(), checkout_at()
    for checkout in (calm, disturbed):
        prepare(checkout)
    undisturbed = calm.make(*words) if gives else None
    for longest in (1.5, 8):
        process = disturbed.start(*MAKE, *words)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(drawn.uniform(0.2, longest))
        assert longest > 1.5 or process.poll() is None
        assert all_ended(kill_group(process))
        if not gives:
            assert half_made(disturbed, state) == {}
    done = disturbed.make(*words)
    assert done.well and (undisturbed is None or undisturbed.well), done.told
    expected = calm.state(*gives) if gives else state
    assert disturbed.state(*gives) == expected and expected


def half_made(checkout: Checkout, state: dict[str, str]) -> dict[str, str]:
    """Files that are there and neither as they were nor gone."""
    return {name: digest for name, digest in checkout.state().items() if digest != state.get(name)}


@pytest.mark.skipif(not any(map(shutil.which, pdf.BROWSERS)), reason="PDF is printed by chromium, not installed here")
def test_printing_is_killed_twice(checkout):
    """Command killed twice, all its processes at once: pdf."""
    drawn = chance("pdf")
    for longest in (1.5, 6):
        process = checkout.start(*MAKE, "pdf", "PRINT=method")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(drawn.uniform(0.2, longest))
        kill_group(process)
    done = checkout.make("pdf", "PRINT=method")
    assert done.well, done.told
    (printed,) = (checkout.root / "build" / "pdf").iterdir()
    content = printed.read_bytes()
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert not (checkout.root / "build" / ".pdf").exists()


def test_fetching_is_killed(checkout):
    """Fetching killed in the middle of a page."""
    content, sent = test_fetch.LAYOUTS["h2 in sections"], threading.Event()

    def half(handler) -> None:
        test_fetch.answer(content[: len(content) // 2], length=len(content))(handler)
        sent.set()
        handler.server.released.wait(SECONDS)

    with test_fetch.Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = addresses.page_addresses(2018, "SRB", server.url)[0]
        server.on(urlsplit(url).path, half, test_fetch.answer(content))
        options = f"FETCH=--base {server.url} --archive {server.url} --delay 0"
        checkout.given["NO_PROXY"] = "127.0.0.1"
        process = checkout.start(*MAKE, "fetch", options)
        assert sent.wait(SECONDS)
        assert all_ended(kill_group(process))
        fetched = checkout.root / "build" / "fetched"
        assert not (fetched / "narratives.csv").exists()
        server.released.set()
        done = checkout.make("fetch", options)
        server.shutdown()
    assert done.well, done.told
    with (fetched / "narratives.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["prosecution"] == test_fetch.SAY["prosecution"]


# --- Cut off, or left behind --------------------------------------------------------------------------------------

CUT_OFF = {
    "executed notebook": (executed(SHORT), 0), "half an executed notebook": (executed(SHORT), 0.5),
    "values file": (f"results/{SHORT}.json", 0), "table": ("data/processed/victims.csv", 0.5),
    "parameters": (f"build/parameters/{SHORT}.yml", 0), "record": (f"build/.made/notebooks/{SHORT}.ipynb.json", 0.5),
}  # fmt: skip


@pytest.mark.parametrize("what", CUT_OFF)
def test_file_is_cut_off_and_newer_than_all(checkout, state, what):
    """File cut off, with a time newer than all others: an executed notebook, values, a table, parameters, a record."""
    name, share = CUT_OFF[what]
    content = (checkout.root / name).read_bytes()
    (checkout.root / name).write_bytes(content[: int(len(content) * share)])
    comes_to_the_same(checkout, state, executed(SHORT))


def test_page_is_cut_off(checkout, state):
    """Page cut off, with a time newer than all others."""
    (checkout.root / "build" / "site" / "method.html").write_bytes(b"")
    comes_to_the_same(checkout, state, "site")


def test_things_of_earlier_runs_were_left(checkout, state):
    """Left behind by a run that was killed: half files, folders of work, sockets, locks."""
    left = ["results/02-clean-national-centre.json.partial", "README.md.partial", "build/.site/new/index.html",
            f"build/notebooks/.running/{SHORT}/{SHORT}.ipynb", f"build/notebooks/.running/{SHORT}/kernel/socket-1",
            f"build/.made/notebooks/{SHORT}.ipynb.json.partial", "build/.site.lock"]  # fmt: skip
    for name in left:
        place = checkout.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("left")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(checkout.scratch / "socket-1"))
    touch(checkout, f"notebooks/{SHORT}.ipynb", "docs/method.md", "CITATION.cff")
    for targets in ((executed(SHORT),), ("readme",), ("package",)):
        done = checkout.make(*targets)
        assert done.well, done.told
    found = {name: digest for name, digest in checkout.state().items() if not name.rstrip("/").endswith(".partial")}
    assert found == state


# --- Disks --------------------------------------------------------------------------------------------------------

# In a space of its own for mounts, so that nothing stays mounted. $1: an empty folder, $2: the checkout, $3: kB free.
SMALL_DISK = """
set -e
mount -t tmpfs -o size=1g tmpfs "$1"
cp -a "$2/." "$1"
cd "$1"
used=$(df -k --output=used . | tail -n 1)
mount -o remount,size=$((used + $3))k "$1"
shift 3
set +e
"$@" && echo "IT FITTED"
mount -o remount,size=1g "$PWD"
echo "NOW THERE IS ROOM"
"$@" && rm -rf ../after && cp -a . ../after
"""
ANOTHER_DISK = 'mount --bind "$1" "$1" && shift && exec "$@"'
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
FULL = {"a notebook": (executed(SHORT), 64), "the pages": ("site", 2000), "the archive": ("archive", 500)}


@functools.cache
def why_no_mounts() -> str:
    """Why nothing can be mounted here; blank where it can."""
    if not shutil.which("unshare"):
        return "a small disk needs unshare (Linux)"
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    return f"nothing can be mounted here ({tried.stderr.strip()})" if tried.returncode else ""


@pytest.fixture
def mounts():
    if reason := why_no_mounts():
        pytest.skip(reason)


@pytest.mark.parametrize("what", FULL)
def test_disk_is_full(mounts, checkout, state, what):
    """Disk full while a notebook runs, pages are rendered, or the archive is packed."""
    target, free = FULL[what]
    touch(checkout, f"notebooks/{SHORT}.ipynb" if target == executed(SHORT) else "docs/method.md")
    disk = checkout.root.with_name("disk")
    disk.mkdir()
    small = Checkout(disk, checkout.scratch)
    command = ["unshare", "-rm", "sh", "-c", SMALL_DISK, "sh", str(disk), str(checkout.root), str(free)]
    done = small.run(*command, *MAKE, target)
    full, _, room = done.told.partition("NOW THERE IS ROOM")
    assert "IT FITTED" not in full and "No space left on device" in full and "Traceback" not in full, full
    after = Checkout(checkout.root.with_name("after"), checkout.scratch)
    assert done.well, room
    assert after.state() == state
    assert list((after.root / "build").glob("*.zip")) if target == "archive" else True


@pytest.mark.parametrize("folder", ["data/processed", "build"])
def test_folder_is_on_another_disk(mounts, checkout, state, folder):
    """Folder on another disk than the rest of the checkout: data/processed, build."""
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run("unshare", "-rm", "sh", "-c", ANOTHER_DISK, "sh", folder, *MAKE, executed(SHORT))
    assert done.well and f"{SHORT}: done" in done.told, done.told
    comes_to_the_same(checkout, state, executed(SHORT))


@pytest.mark.parametrize("folder", ["data/processed", "results", "build"])
def test_folder_is_read_only(mounts, checkout, state, folder):
    """Folder that may only be read: data/processed, results, build."""
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run("unshare", "-rm", "sh", "-c", READ_ONLY, "sh", folder, *MAKE, executed(SHORT))
    assert done.in_words("Read-only file system"), done.told
    assert checkout.state() == state
    comes_to_the_same(checkout, state, executed(SHORT))


# --- Two at once --------------------------------------------------------------------------------------------------


def test_two_builds_at_once(checkout, state):
    """Two builds at once in one checkout."""
    touch(checkout, f"notebooks/{LAST}.ipynb", "README.md", "CITATION.cff")
    (checkout.scratch / "other").mkdir()
    both = [checkout, Checkout(checkout.root, checkout.scratch / "other")]
    processes = [one.start(*MAKE) for one in both]
    done = [one.finish(process) for one, process in zip(both, processes, strict=True)]
    assert [d.code for d in done] == [0, 0], [d.told for d in done]
    comes_to_the_same(checkout, state)


# --- Time ---------------------------------------------------------------------------------------------------------


def shift(checkout: Checkout, seconds: float, *folders: str) -> None:
    """Let all files of these folders have been changed so many seconds from now."""
    when = time.time() + seconds
    for folder in folders:
        for path in (checkout.root / folder).rglob("*"):
            os.utime(path, (when, when))


def test_sources_are_of_the_future(checkout, state):
    """Sources with times of tomorrow."""
    shift(checkout, DAY, "notebooks", "src", "data", "params")
    comes_to_the_same(checkout, state, executed(SHORT))


def add_a_word(text: str) -> str:
    return text.replace('"cell_type": "markdown"', '"cell_type":  "markdown"', 1).replace('"# ', '"# Again: ', 1)


def test_clock_is_set_back(checkout, state):
    """Clock set back after a build, and a source changed then."""
    shift(checkout, DAY, "build", "results", "data/processed")
    name = f"notebooks/{SHORT}.ipynb"
    stored = (checkout.root / name).read_text(encoding="utf-8")
    checkout.edit(name, add_a_word)
    done = checkout.make(executed(SHORT))
    assert done.well and "Again: " in (checkout.root / executed(SHORT)).read_text(encoding="utf-8"), done.told
    checkout.edit(name, lambda _: stored)
    comes_to_the_same(checkout, state, executed(SHORT))


def test_source_is_replaced_by_one_that_looks_older(checkout, state):
    """Source replaced by another with an older time, as from a backup."""
    place = checkout.root / "data" / "corrections.yml"
    stored = place.read_bytes()
    for content in (stored + b"# more\n", stored):
        place.write_bytes(content)
        os.utime(place, checkouts.OLD)
        done = checkout.make(executed(SHORT))
        assert done.well and f"{SHORT}: done" in done.told, done.told
    comes_to_the_same(checkout, state, executed(SHORT))


@pytest.mark.skipif(
    not shutil.which("faketime"), reason="to run under another clock takes faketime, not installed here"
)
def test_build_runs_under_another_clock(checkout, state):
    """Build under a clock that is a day behind."""
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run("faketime", "-f", "-1d", *MAKE, executed(SHORT))
    assert done.well, done.told
    comes_to_the_same(checkout, state, executed(SHORT))


# --- Changed meanwhile --------------------------------------------------------------------------------------------


def test_input_changes_while_a_notebook_reads_it(checkout, state):
    """Input changed while the notebook that reads it runs."""
    name, changed = "01-clean-tip-report", "data/corrections.yml"
    stored = (checkout.root / changed).read_text(encoding="utf-8")
    process = running(checkout, name, chance("changed"))
    checkout.edit(changed, lambda text: text + "# more\n")
    done = checkout.finish(process)
    assert done.in_words(f"{changed} changed while it was made"), done.told
    checkout.edit(changed, lambda _: stored)
    comes_to_the_same(checkout, state, executed(name))


def test_text_changes_while_pages_are_rendered(checkout, state):
    """Text changed while the pages are rendered."""
    touch(checkout, "docs/method.md")
    stored = (checkout.root / "docs" / "method.md").read_text(encoding="utf-8")
    process = checkout.start(*MAKE, "site")
    wait_until(lambda: (checkout.root / "build" / ".site" / "new").exists(), SECONDS)
    checkout.edit("docs/method.md", lambda text: text + "\nMore.\n")
    done = checkout.finish(process)
    assert done.in_words("docs/method.md changed while it was made"), done.told
    checkout.edit("docs/method.md", lambda _: stored)
    comes_to_the_same(checkout, state, "site")


# --- Memory -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="a limit of memory for a running kernel needs Linux")
@pytest.mark.parametrize("name", [SHORT, "06-compare-countries"])
def test_kernel_gets_no_more_memory(checkout, state, name):
    """Kernel that gets no more memory."""
    process = running(checkout, name, chance("memory", name))
    wait_until(lambda: checkouts.part(checkouts.family(process.pid), "kernel"), SECONDS)
    kernel = checkouts.part(checkouts.family(process.pid), "kernel")
    kernel.rlimit(resource.RLIMIT_AS, (kernel.memory_info().vms,) * 2)
    done = checkout.finish(process)
    # The kernel itself may have printed a traceback; the last word is that of the run.
    said = [line for line in done.told.splitlines() if not line.startswith("make")]
    assert done.code and any(line.startswith(f"{name} failed") for line in said[-2:]), done.told
    assert checkout.state() == state
    comes_to_the_same(checkout, state, executed(name))


# --- Tools and surroundings ---------------------------------------------------------------------------------------

NEEDED = ("make", "sh", "test", "true")
OPTIONAL = {
    "pdf PRINT=method": "none is installed here", "archive": "git is not installed",
}  # fmt: skip


@pytest.fixture
def bare(checkout) -> Checkout:
    """A checkout where neither R, Chromium, git nor uv can be found."""
    tools = checkout.scratch / "bin"
    tools.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(shutil.which(name))
    checkout.given["PATH"] = str(tools)
    return checkout


def test_build_without_optional_tools(bare, state):
    """Build without R, Chromium, git and uv."""
    touch(bare, f"notebooks/{LAST}.ipynb", "README.md", "CITATION.cff")
    comes_to_the_same(bare, state)


@pytest.mark.parametrize("command", OPTIONAL)
def test_command_that_needs_a_tool_says_so(bare, state, command):
    """Command without the tool that it needs: pdf without Chromium, archive without git."""
    done = bare.make(*command.split())
    assert done.in_words(OPTIONAL[command]), done.told
    assert bare.state() == state and not list((bare.root / "build").glob("*.zip"))


def test_no_network(checkout, state):
    """No network: a build, and fetching."""
    if reason := why_no_mounts():
        pytest.skip(reason)
    apart = ("unshare", "-rn")
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run(*apart, *MAKE, executed(SHORT))
    assert done.well, done.told
    done = checkout.run(*apart, *MAKE, "fetch", "FETCH=--delay 0 --timeout 2")
    assert done.in_words("could not be had", "is there a connection?"), done.told
    comes_to_the_same(checkout, state, executed(SHORT))


def test_checkout_has_a_difficult_name(checkout_at, state):
    """Checkout in a folder whose name has spaces, letters beyond ASCII, and signs of the shell."""
    checkout = checkout_at("it's čšž  and трговина $HOME; (1) #%")
    touch(checkout, f"notebooks/{LAST}.ipynb", "README.md", "CITATION.cff")
    comes_to_the_same(checkout, state)
    done = checkout.make("archive")
    assert done.well, done.told
    (packed,) = (checkout.root / "build").glob("*.zip")
    assert zipfile.ZipFile(packed).testzip() is None


# Names of folders stand for ones below that of the copy.
SURROUNDINGS = {
    "no home": {"HOME": "none/home"}, "no folder for temporary files": {"TMPDIR": "none/tmp"},
    "folder for temporary files with a long name": {"TMPDIR": "x" * 120}, "locale C": {"LC_ALL": "C"},
}  # fmt: skip


@pytest.mark.parametrize("what", SURROUNDINGS)
def test_surroundings_are_poor(checkout, state, what):
    """Surroundings: no home, no folder for temporary files or one with a long name, a plain locale."""
    (checkout.scratch / ("x" * 120)).mkdir()
    for name, value in SURROUNDINGS[what].items():
        checkout.given[name] = value if name == "LC_ALL" else str(checkout.scratch / value)
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    comes_to_the_same(checkout, state, executed(SHORT))


def test_home_is_read_only(mounts, checkout, state):
    """Home that may only be read."""
    home = checkout.scratch / "home"
    home.mkdir()
    checkout.given["HOME"] = str(home)
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run("unshare", "-rm", "sh", "-c", READ_ONLY, "sh", str(home), *MAKE, executed(SHORT))
    assert done.well, done.told
    comes_to_the_same(checkout, state, executed(SHORT))


def test_folder_for_temporary_files_is_full(mounts, checkout, state):
    """Folder for temporary files full."""
    full = 'mount -t tmpfs -o size=4k tmpfs "$TMPDIR"; yes > "$TMPDIR/full" 2>/dev/null; exec "$@"'
    place = checkout.scratch / "full"
    place.mkdir()
    checkout.given["TMPDIR"] = str(place)
    touch(checkout, f"notebooks/{SHORT}.ipynb")
    done = checkout.run("unshare", "-rm", "sh", "-c", full, "sh", *MAKE, executed(SHORT))
    assert done.well or done.in_words("No space left on device"), done.told
    comes_to_the_same(checkout, state, executed(SHORT))
