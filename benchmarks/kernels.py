"""Time forked kernels beside the plain papermill command and beside the notebooks' own work, in one run.

    python benchmarks/kernels.py [--quick]

Prints seconds per notebook and their ratios, then what is left of processes and memory after many notebooks.
Times are information: the exit code is 0 whatever they are. How to read the tables is told in README.md.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import nbformat
import papermill
import psutil

from sentencing import kernels, notebooks, paths

NOTEBOOKS = ("02-clean-national-centre", "04-victims-and-justice", "05-sentences-in-serbia")
SMALL = (
    "import numpy as np\nimport pandas as pd\nfrom sentencing import tables",
    "rng = np.random.default_rng(2018)\nframe = pd.DataFrame({'months': rng.lognormal(np.log(45), 0.7, 200)})",
    "frame.describe()",
)
MANY = 187
OVERHEAD_SECONDS = 1.0
TIMES_LESS = 5.0
# The command of the package as it is after installation; here the engine is told of in words.
COMMAND = "from sentencing import kernels; kernels.register(); from papermill.__main__ import papermill; papermill()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two repetitions, and 20 small notebooks in place of 187")
    quick = parser.parse_args().quick
    os.environ.update(kernels.SETTINGS)
    kernels.register()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # What the notebooks write goes here.
        os.environ[paths.STAGE_VARIABLE] = folder
        small = write_small(Path(folder))
        print(f"Load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        started = time.perf_counter()
        in_process(small, Path(folder))
        print(f"First notebook, with the start of the server: {time.perf_counter() - started:.2f} s (once a run)\n")
        places = [small, *(paths.NOTEBOOKS / f"{name}.ipynb" for name in NOTEBOOKS)]
        compare(places, Path(folder), repetitions=2 if quick else 4)
        endurance(small, Path(folder), 20 if quick else MANY)


def write_small(folder: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in SMALL]
    kernel = {"name": notebooks.KERNEL, "display_name": "Python 3", "language": "python"}
    place = folder / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), place)
    return place


# --- Ways to run a notebook ---------------------------------------------------------------------------------------


def plain(place: Path, folder: Path) -> None:
    """The command as anyone types it."""
    command = [str(Path(sys.executable).with_name("papermill")), str(place), str(folder / "plain.ipynb")]
    quietly([*command, "--no-progress-bar", "--cwd", str(paths.ROOT)])


def by_command(place: Path, folder: Path) -> None:
    """The command with the engine, whose server is there already (`python -m sentencing.kernels around …`)."""
    (server,) = kernels._servers.values()
    command = [sys.executable, "-c", COMMAND, str(place), str(folder / "command.ipynb"), "--engine", kernels.ENGINE]
    address = {kernels.SERVER_VARIABLE: server.address}
    quietly([*command, "--no-progress-bar", "--cwd", str(paths.ROOT)], os.environ | address)


def quietly(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


def in_process(place: Path, folder: Path) -> None:
    """The engine called from Python, as a program does that runs many notebooks."""
    copy = folder / "forked.ipynb"
    papermill.execute_notebook(
        place, copy, engine_name=kernels.ENGINE, kernel_name=notebooks.KERNEL, progress_bar=False,
        shutdown_kernel="immediate", cwd=str(paths.ROOT),
    )  # fmt: skip


def own_work(place: Path, _: Path) -> float:
    """Seconds that the cells themselves take, in a fork of this process, where all imports are done: the floor."""
    cells = [cell.source for cell in nbformat.read(place, as_version=4).cells if cell.cell_type == "code"]
    reading, writing = os.pipe()
    if os.fork() == 0:
        code = 1
        try:
            os.close(reading)
            started, names = time.perf_counter(), {"__name__": "__main__"}
            with contextlib.redirect_stdout(io.StringIO()):
                for source in cells:
                    exec(compile(source, place.name, "exec"), names)
            os.write(writing, json.dumps(time.perf_counter() - started).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as result:  # noqa: PTH123
        seconds = result.read()
    os.wait()
    if not seconds:
        raise RuntimeError(f"{place.name}: the cells failed")
    return json.loads(seconds)


# --- Tables -------------------------------------------------------------------------------------------------------


def seconds(way: Callable[[Path, Path], float | None], place: Path, folder: Path) -> float:
    """By the clock; a way that gives seconds itself is believed."""
    started = time.perf_counter()
    told = way(place, folder)
    return time.perf_counter() - started if told is None else told


def compare(places: list[Path], folder: Path, repetitions: int) -> None:
    # The floor forks this process, so its imports, and the threads of linear algebra, are settled first.
    kernels._preload()
    import matplotlib.pyplot  # noqa: F401

    print(f"Seconds per notebook, best of {repetitions}")
    heads = ("notebook", "plain", "command", "engine", "own work", "over: plain", "command", "engine", "plain/engine")
    print(f"{heads[0]:26}" + "".join(f"{head:>13}" for head in heads[1:]))
    overheads, ratios = [], []
    for place in places:
        # In turns, so that other work on the machine falls on all alike.
        rounds = [
            [seconds(way, place, folder) for way in (plain, by_command, in_process, own_work)]
            for _ in range(repetitions)
        ]
        *times, floor = map(min, zip(*rounds, strict=True))
        over = [taken - floor for taken in times]
        overheads.append(over[2])
        ratios.append(over[0] / over[2])
        cells = [f"{value:.2f}" for value in (*times, floor, *over)] + [f"{ratios[-1]:.1f} times"]
        print(f"{place.stem:26}" + "".join(f"{cell:>13}" for cell in cells), flush=True)
    over, less = max(overheads), min(ratios)
    print(
        f"\nOver the own work at worst {over:.2f} s; at most {OVERHEAD_SECONDS} s: {reached(over <= OVERHEAD_SECONDS)}"
    )
    print(f"Times less over it than plain at least {less:.1f}; {TIMES_LESS:.0f}: {reached(less >= TIMES_LESS)}\n")


def reached(holds: bool) -> str:
    return "reached" if holds else "missed"


def endurance(place: Path, folder: Path, n: int) -> None:
    """Run a small notebook `n` times, twice, and print what is left of it."""
    (server,) = kernels._servers.values()
    ours, served = psutil.Process(), psutil.Process(server.process.pid)
    print(f"{n} small notebooks, twice in a row")
    heads = ("", "seconds each", "processes", "zombies", "open files", "client MB", "server MB")
    print("".join(f"{head:>13}" for head in heads))

    def show(when: str, taken: float | None) -> None:
        left = [child for child in ours.children(recursive=True) if child.pid != served.pid]
        zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in left)
        megabytes = [f"{process.memory_info().rss / 2**20:.1f}" for process in (ours, served)]
        figures = [f"{taken:.2f}" if taken else "", len(left), zombies, ours.num_fds(), *megabytes]
        print("".join(f"{cell:>13}" for cell in (when, *figures)), flush=True)

    show("before", None)
    for when in ("once", "twice"):
        started = time.perf_counter()
        for _ in range(n):
            in_process(place, folder)
        show(when, (time.perf_counter() - started) / n)
    kernels.stop_servers()
    print(f"Left when the server has ended: {len(ours.children(recursive=True))} processes")


if __name__ == "__main__":
    main()
