"""Many independent tasks: here one after the other, in processes of this machine, or on a cluster of Dask's.

    failures = fanout.run(work, tasks, kept.write)                                    # in this process
    failures = fanout.run(work, tasks, kept.write, workers=4)                         # in four others
    failures = fanout.run(work, tasks, kept.write, scheduler="tcp://host:8786")       # wherever its workers are

The results are the same to the byte. A task is plain data that goes to a worker, its result is plain data that comes
back, and only the client writes: workers need no folder in common with it. What they do need, the same code, packages
and input files, is compared before they get a task. One task at a time is done in a process, whatever its threads.
"""

import argparse
import collections
import contextlib
import functools
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import queue
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import threadpoolctl
from tqdm import tqdm

from . import paths
from .made import digest

TRIES = 3  # of a task whose process is killed; Dask has its own number, `allowed-failures`
CONNECT_SECONDS = 10  # for the scheduler to answer, and then for a first worker
LOST_SECONDS = 60  # without any worker, after which what is left is given up

CODE = "src/sentencing"
NO_RESULTS = ("site", "narrative", "fetch", "package", "trust", "audit")
PARTS = "parts"  # folder of the files of rows that tasks give
NEEDS = ("data/raw", "data/corrections.yml", "data/processed", "notebooks")
# Those that results come from or pass through.
PACKAGES = ("dask", "distributed", "ipykernel", "jinja2", "matplotlib", "nbclient", "nbformat", "numpy", "pandas",
            "papermill", "scipy", "statsmodels")  # fmt: skip


class Unavailable(RuntimeError):
    """Tasks cannot be done there; the message says why."""


@dataclass(frozen=True)
class Task:
    """A name, which no other task has, and the keyword arguments of the work, plain data."""

    name: str
    arguments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The name of a task and what it failed of, in words."""

    name: str
    message: str


# Each task as it ends, with its fault (blank when there is none) and its result.
Outcomes = Iterator[tuple[Task, str, object]]


def run(
    work: Callable,
    tasks: Iterable[Task],
    keep: Callable[[Task, object], None],
    workers: int = 1,
    scheduler: str = "",
    label: str = "tasks",
    needs: Iterable[str] = NEEDS,
) -> list[Failure]:
    """Do all tasks and hand each result to `keep`, in the order in which they end.

    Parameters
    ----------
    work : function
        Of a module that workers can import; called as `work(**task.arguments)`.
    keep : function
        Called here with each task that succeeded and its result. What it raises ends the run.
    workers : int
        Processes to start; with 1 all is done in this one.
    scheduler : str
        Address of a scheduler of `dask.distributed`, such as `tcp://host:8786`, in place of processes.
    needs : iterable of str
        Files and folders below the repository that tasks read, beside the code. They have to be the same there.

    Returns
    -------
    list of Failure
        In the order of the tasks. A task that fails stops no other.

    Raises
    ------
    Unavailable
        When processes cannot be started, the scheduler does not answer, or a worker differs from this checkout.
    """
    tasks, needs, failures, began = list(tasks), tuple(needs), {}, time.monotonic()
    if twice := [name for name, n in collections.Counter(task.name for task in tasks).items() if n > 1]:
        raise ValueError(f"{label}: more than one task is named {', '.join(twice)}")
    if workers < 1 or (workers > 1 and scheduler):
        raise ValueError(f"workers={workers}, scheduler={scheduler!r}: expected at least one, and either the one or "
                         "the other")  # fmt: skip
    if not tasks:
        return []
    do = functools.partial(_do, work, needs, tuple(surroundings(needs).items()))
    if scheduler:
        outcomes = _on_cluster(do, tasks, scheduler, needs)
    else:
        outcomes = _in_processes(do, tasks, workers) if workers > 1 else _here(do, tasks)
    # Without a terminal there is no bar.
    with contextlib.closing(outcomes), tqdm(total=len(tasks), desc=label, disable=None) as bar:
        for task, fault, result in outcomes:
            if fault:
                failures[task.name] = Failure(task.name, fault)
                bar.set_postfix(failed=len(failures))
            else:
                keep(task, result)
            bar.update()
    if bar.disable:
        done, seconds = len(tasks) - len(failures), time.monotonic() - began
        print(f"{label}: {done} done, {len(failures)} failed in {seconds:.0f} s", file=sys.stderr)
    return [failures[task.name] for task in tasks if task.name in failures]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a command the options `--workers` and `--scheduler`, named as the parameters of `run`."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--workers", type=int, default=1, help="processes on this machine (%(default)s)")
    either.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster, as tcp://host:8786")


def report(failures: list[Failure]) -> int:
    """List the failures on standard error; give the exit code of the command."""
    for failure in failures:
        print(f"{failure.name}: {failure.message}", file=sys.stderr)
    return int(bool(failures))


# --- What results depend on ---------------------------------------------------------------------------------------


@functools.cache
def _imported() -> dict[str, str]:
    """Versions, and the digest of the code, asked for once: a process keeps the code that it has imported.

    Code from which no result comes is left out: how pages are made comes after all results, and what reads narratives
    or fetches them is used by no notebook.
    """
    found = {"python": platform.python_version(), CODE: digest(Path(__file__).parent, NO_RESULTS)}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def surroundings(needs: Iterable[str] = NEEDS) -> dict[str, str]:
    """All that results depend on beside the arguments: versions of packages, digests of code and input files."""
    return _imported() | {name: digest(name) for name in needs}


def _differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    """In words, what a worker has otherwise than the client."""
    versions = ("python", *PACKAGES)
    return [
        f"{name} is {there.get(name)}, here {value}" if name in versions or "absent" in (value, there.get(name))
        else f"{name} differs from the one here"
        for name, value in here.items() if there.get(name) != value
    ]  # fmt: skip


@functools.cache
def _differences_in_this_process(needs: tuple[str, ...], expected: tuple[tuple[str, str], ...]) -> list[str]:
    return _differences(dict(expected), surroundings(needs))


def part(name: str, text: str) -> dict[str, bytes]:
    """The rows that a task gives, the text of a CSV file, as its result."""
    return {f"{PARTS}/{name}.csv": text.encode()}


def together(folder: str | Path, done: list[Task]) -> str:
    """The one table: the rows of all parts, in the order of the tasks."""
    place = paths.resolve(folder) / PARTS
    parts = [(place / f"{task.name}.csv").read_text(encoding="utf-8").partition("\n") for task in done]
    return parts[0][0] + "\n" + "".join(rows for _, _, rows in parts)


@dataclass(frozen=True)
class Kept:
    """Results that are files, below one folder, with a record of what each task's files were made from.

    Attributes
    ----------
    folder : Path
    needs : tuple of str
        What tasks read, as in `run`; read once, so that inputs that change during a run are seen by the next.
    """

    folder: Path
    needs: tuple[str, ...] = NEEDS

    @functools.cached_property
    def _surroundings(self) -> dict[str, str]:
        return surroundings(self.needs)

    def missing(self, tasks: Iterable[Task]) -> list[Task]:
        """The tasks to be done: never done, done from other inputs or code, or with files that are not as written."""
        return [task for task in tasks if not self._is_whole(task)]

    def write(self, task: Task, files: dict[str, bytes]) -> None:
        """Write the files of a task, each in one step, and then the record by which they are trusted.

        Parameters
        ----------
        files : dict of str to bytes
            By path below the folder. What the task had written before and now does not is removed.
        """
        record = self._record(task)
        before = self._read(task).get("files", {})
        places = {name: self._place(name) for name in {**before, **files}}
        record.unlink(missing_ok=True)
        for name in before.keys() - files.keys():
            places[name].unlink(missing_ok=True)
        for name, content in files.items():
            self._put(places[name], content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
        content = {"made_from": self._fingerprint(task), "files": digests}
        self._put(record, json.dumps(content, indent=1).encode())

    def _is_whole(self, task: Task) -> bool:
        record = self._read(task)
        return record.get("made_from") == self._fingerprint(task) and all(
            digest(self._place(name)) == written for name, written in record["files"].items()
        )

    def _fingerprint(self, task: Task) -> str:
        parts = [task.name, task.arguments, self._surroundings]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _record(self, task: Task) -> Path:
        return self._place(f".made/{task.name}.json")

    def _read(self, task: Task) -> dict:
        try:
            return json.loads(self._record(task).read_bytes())
        except (FileNotFoundError, ValueError):  # never done, or the machine stopped while it was written
            return {}

    def _place(self, name: str) -> Path:
        folder = paths.resolve(self.folder)
        place = folder / name
        if not place.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{name}: a task's files must lie below {paths.relative(folder)}")
        return place

    def _put(self, place: Path, content: bytes) -> None:
        partial = self._place(f".made/{uuid.uuid4().hex}.partial")
        for folder in (partial.parent, place.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            partial.replace(place)
        finally:
            partial.unlink(missing_ok=True)


# --- In a worker --------------------------------------------------------------------------------------------------

_one_at_a_time = threading.Lock()


def _do(work: Callable, needs: tuple, expected: tuple, arguments: dict) -> tuple[str, object]:
    """Do one task; give its fault, blank when there is none, and its result.

    Faults come back as text, for not every exception can be sent.
    """
    import scipy.linalg  # noqa: F401  its library and numpy's must be loaded to be limited

    # A worker that joins later, or is started anew, is checked by its first task.
    if differing := _differences_in_this_process(needs, expected):
        return f"its worker would not give the same result: {'; '.join(differing)}", None
    # The number of threads decides in which order sums are taken, and so about the last digits.
    with _one_at_a_time, threadpoolctl.threadpool_limits(1):
        try:
            return "", work(**arguments)
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__}: {error}", None


# --- Places -------------------------------------------------------------------------------------------------------


def _here(do: Callable, tasks: list[Task]) -> Outcomes:
    for task in tasks:
        yield task, *do(task.arguments)


def _in_processes(do: Callable, tasks: list[Task], workers: int) -> Outcomes:
    """Each process is an executor of its own: when it dies we know of which task, and no other is disturbed."""
    idle = [_process() for _ in range(min(workers, len(tasks)))]
    waiting, running, deaths = collections.deque(tasks), {}, collections.Counter()
    try:
        while waiting or running:
            while waiting and idle:
                process, task = idle.pop(), waiting.popleft()
                running[process.submit(do, task.arguments)] = process, task
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                process, task = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    process.shutdown()
                    idle.append(_process(check=True))
                    deaths[task.name] += 1
                    if deaths[task.name] < TRIES:
                        waiting.append(task)
                        continue
                    yield task, f"its process died, {TRIES} times; it may have run out of memory", None
                else:
                    idle.append(process)
                    yield task, *_outcome(future)
    finally:
        for process in [*idle, *(process for process, _ in running.values())]:
            process.shutdown(cancel_futures=True)


def _process(check: bool = False) -> ProcessPoolExecutor:
    """A process to be; with `check` it is made sure that one can be started at all.

    Spawned: a fork would copy the locks of this process's threads as they happen to be.
    """
    process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_client)
    if check:
        try:
            process.submit(os.getpid).result()
        except BrokenProcessPool:
            raise Unavailable("processes end before they have begun; what they wrote above says why") from None
    return process


def _end_with_client() -> None:
    """Let this process end when its client does, however that ends; else it would wait for tasks for ever."""

    def follow() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _outcome(future: Future | None) -> tuple[str, object]:
    """Fault and result of a task that ended, or that never will."""
    if future is None or future.cancelled():
        return "not done: the cluster has no worker any more, or its scheduler is gone", None
    try:
        return future.result(LOST_SECONDS)  # Dask fetches it now
    except Exception as error:
        return f"{type(error).__name__}: {error}", None


def _on_cluster(do: Callable, tasks: list[Task], scheduler: str, needs: tuple) -> Outcomes:
    try:
        import distributed
    except ImportError as error:
        raise Unavailable(f"a scheduler needs the package distributed, which is not here ({error})") from None
    with _connect(scheduler) as client:
        _check_workers(client, needs)
        blamed = []
        for task, future in _ended(client, do, tasks):
            if future and isinstance(future.exception(), distributed.KilledWorker):
                blamed.append(task)
            else:
                yield task, *_outcome(future)
        # Dask blames all tasks that a dead worker had been given; alone, a task can be blamed for its own deaths only.
        for task in blamed:
            for _, future in _ended(client, do, [task]):
                yield task, *_outcome(future)


def _connect(scheduler: str):
    """A client of the scheduler, which has a worker."""
    import distributed

    try:
        # A client that found nobody would hold up the end of the program for a while.
        place = distributed.comm.get_address_host_port(scheduler, strict=True)
        socket.create_connection(place, CONNECT_SECONDS).close()
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unavailable(f"{scheduler}: no scheduler of Dask answers there ({error})") from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        client.close()
        raise Unavailable(f"{scheduler}: the scheduler has no worker; start some: dask worker {scheduler} "
                          "--nthreads 1") from None  # fmt: skip
    return client


def _check_workers(client, needs: tuple[str, ...]) -> None:
    here, alike = surroundings(needs), collections.defaultdict(list)
    for address, there in sorted(client.run(surroundings, needs, on_error="return").items()):
        if isinstance(there, Exception):
            alike[f"cannot import sentencing.fanout, or read what tasks need ({there})"].append(address)
        elif differing := _differences(here, there):
            alike["; ".join(differing)].append(address)
    if alike:
        told = "\n".join(f"  {', '.join(addresses)}: {fault}" for fault, addresses in alike.items())
        raise Unavailable("workers that would not give the same results (one that was started before its checkout "
                          f"changed has to be started anew):\n{told}")  # fmt: skip


def _ended(client, do: Callable, tasks: list[Task]) -> Iterator[tuple[Task, Future | None]]:
    """Each task as it ends, with its future; without one when the cluster was lost."""
    ended, run_id = queue.SimpleQueue(), f"sentencing-{uuid.uuid4().hex}"
    # One family of keys: the scheduler then keeps back what workers cannot begin yet.
    keys = [(run_id, number) for number in range(len(tasks))]
    futures = client.map(do, [task.arguments for task in tasks], key=keys, pure=False)
    waiting = dict(zip(futures, tasks, strict=True))
    for future in futures:
        future.add_done_callback(ended.put)
    del futures
    while waiting:
        try:
            future = ended.get(timeout=LOST_SECONDS)
        except queue.Empty:
            if _has_workers(client):
                continue
            yield from ((task, None) for task in waiting.values())
            return
        yield waiting.pop(future), future


def _has_workers(client) -> bool:
    try:
        return bool(client.nthreads())
    except (OSError, TimeoutError):
        return False
