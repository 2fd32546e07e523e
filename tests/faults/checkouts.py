"""Copies of this repository that are built and disturbed; nothing is installed, and nothing written outside them.

The environment of a copy is made of links to the one here, with a time stamp of its own, so that `make` never finds it
out of date; were it to install something all the same, that would go to a folder of the copy.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from conftest import digests

from sentencing import paths
from sentencing.package import files

MAKE = ("make", "-o", ".venv/.ready")  # as old as can be: it is never made
SECONDS = 600  # for a command, on a busy machine
ENDED_SECONDS = 30  # for what a killed process had started to end
OLD = (0, 0)
# What an undisturbed build gives: files and folders whose bytes are compared.
RESULTS = ("data/processed", "results", "build/notebooks", "build/site", "build/parameters", "build/profiles", "docs",
           "README.md", "datapackage.json", "ro-crate-metadata.json", "codemeta.json")  # fmt: skip


@dataclass(frozen=True)
class Done:
    """Exit code, and everything that was printed."""

    code: int
    told: str

    @property
    def well(self) -> bool:
        return self.code == 0

    def in_words(self, *expected: str) -> bool:
        """Whether it failed, said what was the matter, and not by a traceback."""
        return bool(self.code) and all(e in self.told for e in expected) and "Traceback" not in self.told


@dataclass
class Checkout:
    """A copy of the repository at `root`; `scratch` is its folder for temporary files."""

    root: Path
    scratch: Path
    given: dict[str, str] = field(default_factory=dict)  # further environment variables

    @property
    def environment(self) -> dict[str, str]:
        ours = ("MAKE", "MFLAGS", "SENTENCING_", "PYTEST_", "PIP_", "UV_", "JUPYTER", "TMP", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        never = str(self.root / "build" / "never")
        return kept | {
            "PYTHONPATH": str(self.root / "src"), "TMPDIR": str(self.scratch), "PIP_TARGET": never, "PIP_NO_INDEX": "1",
            "JUPYTER_RUNTIME_DIR": str(self.scratch / "jupyter"), "UV_OFFLINE": "1", "GIT_OPTIONAL_LOCKS": "0",
        } | self.given  # fmt: skip

    def start(self, *command: str) -> subprocess.Popen:
        """Start a command as the first process of a group of its own; what it prints goes to a file."""
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=output, start_new_session=True)  # fmt: skip

    @property
    def output(self) -> Path:
        return self.scratch / "printed.txt"

    def finish(self, process: subprocess.Popen) -> Done:
        """Wait for a process; one that never ends is killed with all it started, and the test fails."""
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            end(family(process.pid))
            raise
        return Done(process.returncode, self.output.read_text(encoding="utf-8", errors="replace"))

    def run(self, *command: str) -> Done:
        return self.finish(self.start(*command))

    def make(self, *arguments: str) -> Done:
        return self.run(*MAKE, *arguments)

    def state(self, *places: str) -> dict[str, str]:
        """Checksums of everything that a build gives, by path; a folder's own files for work are not among it."""
        found = {}
        for name in places or RESULTS:
            place = self.root / name
            below = digests(place) if place.is_dir() else {"": digests(place.parent).get(place.name, "absent")}
            found |= {f"{name}/{below_it}": digest for below_it, digest in below.items()}
        return {name: digest for name, digest in found.items() if not _of_work(name)}

    def edit(self, name: str, change=lambda text: text + "\n") -> None:
        place = self.root / name
        place.write_text(change(place.read_text(encoding="utf-8")), encoding="utf-8")


def _of_work(name: str) -> bool:
    """Locks, and the folders in which notebooks run."""
    return name.endswith(".lock") or "/.running/" in name


def create(root: Path) -> None:
    """A copy of what is, or would be, committed here, with what is built of it, as a repository of its own."""
    for path in files.tracked(paths.ROOT, others=True):
        place = root / path.relative_to(paths.ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    built = paths.ROOT / "build"
    for name in (".made", ".checked", ".summary", ".readme", ".package", "notebooks", "parameters", "site"):
        if (built / name).is_dir():
            shutil.copytree(built / name, root / "build" / name)
        elif (built / name).exists():
            shutil.copy2(built / name, root / "build" / name)
    environment = root / ".venv"
    environment.mkdir()
    for path in (paths.ROOT / ".venv").iterdir():
        if path.name not in ("pyvenv.cfg", ".ready"):
            (environment / path.name).symlink_to(path.resolve())
    shutil.copy2(paths.ROOT / ".venv" / "pyvenv.cfg", environment)
    (environment / ".ready").touch()
    for name in ("requirements.txt", "pyproject.toml", ".venv/.ready"):
        os.utime(root / name, OLD)
    if shutil.which("git"):
        for command in ("init -q", "add -A", "-c user.name=x -c user.email= commit -qm x"):
            subprocess.run(["git", *command.split()], cwd=root, check=True)


def copy(root: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(root), str(to)], check=True)


# --- Processes ----------------------------------------------------------------------------------------------------


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started, and these."""
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def part(processes: list[psutil.Process], name: str) -> psutil.Process | None:
    """The process that plays a part in running a notebook: make, its wrapper, the runner, or the kernel."""
    words = {"make": "-o", "wrapper": "sentencing.made", "runner": "sentencing.notebooks",
             "kernel": "ipykernel_launcher"}  # fmt: skip
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if words[name] in process.cmdline()[1:4]:
                return process
    return None


def kill_group(process: subprocess.Popen) -> list[psutil.Process]:
    """Kill a whole process group at once; gives all that belonged to the process, in whatever group."""
    belonged = family(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return belonged


def all_ended(processes: list[psutil.Process]) -> bool:
    """Whether these end by themselves within a while."""
    deadline = time.monotonic() + ENDED_SECONDS
    while left := [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]:
        if time.monotonic() > deadline:
            end(left)
            return False
        time.sleep(0.1)
    return True


# --- Notebooks ----------------------------------------------------------------------------------------------------


def n_code_cells(root: Path, name: str) -> int:
    return (root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8").count('"cell_type": "code"')


def wait_for_cell(checkout: Checkout, process: subprocess.Popen, name: str, number: int) -> None:
    """Wait until so many cells of a running notebook are done, or it has ended."""
    running = checkout.root / "build" / "notebooks" / ".running" / name / f"{name}.ipynb"

    def reached() -> bool:
        if process.poll() is not None:
            return True
        with contextlib.suppress(FileNotFoundError):
            return running.read_bytes().count(b'"status": "completed"') >= number
        return False

    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline, f"{name} did not come to its cell {number}"
        time.sleep(0.1)


def executed(name: str) -> str:
    return f"build/notebooks/{name}.ipynb"
