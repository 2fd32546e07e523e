"""Time country pages made by a loop of the plain papermill command, by our engine, and by two processes, in one run.

    python benchmarks/countries.py [--countries 8] [--endurance]

Prints seconds a page and their ratios. With `--endurance` all countries with data are made twice in this process, and
what is left of processes and memory is printed. Times are information: the exit code is 0 whatever they are.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from sentencing import countries, fanout, kernels, notebooks, paths

TIMES_AS_FAST = 4.0
WORKERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--countries", type=int, default=20, help="pages that are timed (%(default)s)")
    parser.add_argument("--endurance", action="store_true", help="all pages twice, and what is left of them")
    chosen = parser.parse_args()
    parameters = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})[countries.NOTEBOOK]
    everywhere = countries.with_data(parameters)
    some = everywhere[:: len(everywhere) // chosen.countries][: chosen.countries]
    os.environ.update(kernels.SETTINGS)
    server = kernels.Server(kernels.Start(sys.executable, (), (), dict(os.environ), str(paths.ROOT)))
    os.environ[kernels.SERVER_VARIABLE] = server.address
    try:
        compare(countries.tasks(parameters, some))
        if chosen.endurance:
            endurance(countries.tasks(parameters, everywhere))
    finally:
        server.stop()


def plain(tasks: list[fanout.Task], folder: Path) -> None:
    """The command as anyone types it, once for each page; what the notebook writes goes to `folder`."""
    for task in tasks:
        papermill(task, folder)


def papermill(task: fanout.Task, folder: Path) -> None:
    given = [word for name, value in task.arguments["parameters"].items() for word in ("-r", name, value)
             if isinstance(value, str)]  # fmt: skip
    command = [str(Path(sys.executable).with_name("papermill")), str(paths.resolve(task.arguments["notebook"])),
               str(folder / "plain.ipynb"), "--no-progress-bar", "--cwd", str(paths.ROOT), *given]  # fmt: skip
    done = subprocess.run(command, env=os.environ | {paths.STAGE_VARIABLE: str(folder)}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


def compare(tasks: list[fanout.Task]) -> None:
    """Time the ways one after the other; that of two processes is first and last, for other work to fall on both."""
    print(f"Country pages, {len(tasks)} of them; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        processes = [seconds(made_by, tasks, WORKERS)]
        engine = seconds(made_by, tasks, 1)
        loop = seconds(plain, tasks, Path(folder))
        processes.append(seconds(made_by, tasks, WORKERS))
    rows = {
        "a loop of plain papermill": loop,
        "our engine, in this process": engine,
        f"our engine, {WORKERS} processes": sum(processes) / 2,
    }
    for label, taken in rows.items():
        print(f"  {label:30} {taken / len(tasks):6.2f} s a page   {loop / taken:5.1f} times as fast as plain")
    reached = loop >= TIMES_AS_FAST * sum(processes) / 2
    print(f"  {TIMES_AS_FAST:.0f} times as fast with {WORKERS} processes: {'reached' if reached else 'missed'}")


def seconds(way, *arguments) -> float:
    started = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - started


def made_by(tasks: list[fanout.Task], workers: int) -> None:
    failures = fanout.run(notebooks.run_apart, tasks, lambda task, files: None, workers=workers, label="pages")
    if failures:
        raise RuntimeError(failures)


def endurance(tasks: list[fanout.Task]) -> None:
    """Make all pages twice in this process, and print what is left of them."""
    ours = psutil.Process()
    print(f"\n{len(tasks)} country pages, twice in a row")

    def show(when: str) -> None:
        left = ours.children(recursive=True)
        zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in left)
        megabytes = ours.memory_info().rss / 2**20
        # One process is there on purpose: the server that kernels are forked from.
        print(f"  {when:8} {len(left)} processes below, {zombies} zombies, {ours.num_fds()} open files, "
              f"{megabytes:.0f} MB in this process", flush=True)  # fmt: skip

    show("before")
    for when in ("once", "twice"):
        made_by(tasks, 1)
        show(when)


if __name__ == "__main__":
    main()
