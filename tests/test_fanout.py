"""Many tasks: the same bytes wherever they are done, failures told, and only what is missing done again."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import test_multiverse
import works
from conftest import digests, wait_until, write_notebook

from sentencing import countries, fanout, kernels, notebooks, paths
from sentencing.fanout import Failure, Kept, Task, Unavailable

SEARCHED = os.pathsep.join([str(paths.ROOT / "src"), str(paths.ROOT / "tests")])


def draws(n: int, **arguments) -> list[Task]:
    return [Task(f"draw-{seed}", {"seed": seed} | arguments) for seed in range(n)]


def done(work, tasks, **where) -> tuple[dict, list[Failure]]:
    kept = {}
    failures = fanout.run(work, tasks, lambda task, result: kept.update({task.name: result}), **where)
    return kept, failures


class Cluster:
    """A scheduler and workers of this machine, each a process with a log of its own."""

    def __init__(self, folder: Path, **settings):
        self.folder, self.processes = folder, []
        self.environment = os.environ | {f"DASK_DISTRIBUTED__{k}": str(v) for k, v in settings.items()}
        self.place = folder / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-show")
        wait_until(lambda: self.place.exists() and self.place.read_text())
        self.address = json.loads(self.place.read_text())["address"]

    def start(self, kind: str, *options: str, searched: str = SEARCHED) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", kind, "--scheduler-file", str(self.place), "--no-dashboard", *options]
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder,
                                       env=self.environment | {"PYTHONPATH": searched})  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, *options: str, **given) -> subprocess.Popen:
        return self.start("worker", "--nthreads", "1", "--local-directory", str(self.folder),
                          *(options or ["--no-nanny"]), **given)  # fmt: skip

    def await_workers(self, n: int) -> None:
        import distributed

        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(n, timeout=20)

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):  # a nanny's worker, kernels
                    child.kill()
                process.kill()
                process.wait()


@pytest.fixture
def start(tmp_path):
    """Starts a cluster of so many workers, which ends with the test."""
    with contextlib.ExitStack() as ends:

        def started(workers: int, *options: str, **settings) -> Cluster:
            folder = tmp_path / "cluster"
            folder.mkdir()
            cluster = Cluster(folder, **settings)
            ends.callback(cluster.end)
            cluster.workers = [cluster.worker(*options) for _ in range(workers)]
            if workers:
                cluster.await_workers(workers)
            return cluster

        yield started


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster of two workers for tests that leave it whole."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for _ in range(2):
            cluster.worker()
        cluster.await_workers(2)
        yield cluster
    finally:
        cluster.end()


# --- Results ------------------------------------------------------------------------------------------------------


@pytest.mark.build
def test_results_are_the_same_to_the_byte_here_in_processes_and_on_a_cluster(cluster):
    here, failures = done(works.draw, draws(8))
    assert failures == [] and list(here) == names(draws(8))
    for where in ({"workers": 2}, {"workers": 3}, {"scheduler": cluster.address}):
        assert done(works.draw, draws(8), **where) == (here, []), where


@pytest.mark.build
def test_a_task_that_fails_is_told_in_the_same_words_everywhere_and_the_others_are_done(cluster):
    tasks = draws(5, wrong=[1, 3])
    for where in ({}, {"workers": 2}, {"scheduler": cluster.address}):
        kept, failures = done(works.draw_but, tasks, **where)
        assert failures == [Failure(f"draw-{n}", f"Odd: {n} and nothing") for n in (1, 3)], where
        assert sorted(kept) == ["draw-0", "draw-2", "draw-4"], where


def test_work_that_asks_to_end_the_program_only_fails():
    assert done(works.leave, [Task("a", {"code": 3})]) == ({}, [Failure("a", "SystemExit: 3")])


def test_what_keeping_a_result_raises_ends_the_run():
    def full(task, result):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fanout.run(works.draw, draws(2), full)


def test_two_tasks_of_one_name_no_worker_and_both_places_are_refused():
    with pytest.raises(ValueError, match="more than one task is named draw-0"):
        fanout.run(works.draw, draws(1) * 2, print)
    for where in ({"workers": 0}, {"workers": 2, "scheduler": "tcp://a:1"}):
        with pytest.raises(ValueError, match=f"workers={where['workers']}"):
            fanout.run(works.draw, draws(1), print, **where)


def test_without_a_terminal_there_is_one_line_and_failures_are_listed_with_an_exit_code(capsys):
    _, failures = done(works.draw_but, draws(3, wrong=[1]), label="profiles")
    assert capsys.readouterr().err == "profiles: 2 done, 1 failed in 0 s\n"
    assert fanout.report(failures) == 1 and fanout.report([]) == 0
    assert capsys.readouterr().err == "draw-1: Odd: 1 and nothing\n"


def test_options_of_a_command_are_the_parameters_of_a_run(capsys):
    parser = argparse.ArgumentParser()
    fanout.add_options(parser)
    assert vars(parser.parse_args([])) == {"workers": 1, "scheduler": ""}
    assert vars(parser.parse_args(["--workers", "3"])) == {"workers": 3, "scheduler": ""}
    with pytest.raises(SystemExit):
        parser.parse_args(["--workers", "3", "--scheduler", "tcp://a:1"])
    assert "not allowed with" in capsys.readouterr().err


# --- Resuming -----------------------------------------------------------------------------------------------------


@pytest.fixture
def inputs(tmp_path) -> Path:
    place = tmp_path / "inputs" / "table.csv"
    place.parent.mkdir()
    place.write_text("iso3\nSRB\n")
    return place


@pytest.fixture
def kept(tmp_path, inputs):
    """A record of results made from `inputs`, read anew at every call as a new run would."""

    def anew() -> Kept:
        return Kept(tmp_path / "results", (str(inputs.parent),))

    fanout.run(works.draw, draws(3), anew().write)
    assert anew().missing(draws(3)) == []
    return anew


def names(tasks: list[Task]) -> list[str]:
    return [task.name for task in tasks]


def test_a_resumed_run_does_only_what_is_missing(kept):
    assert names(kept().missing(draws(5))) == ["draw-3", "draw-4"]


def test_files_are_those_that_the_work_gave(kept, tmp_path):
    given, _ = done(works.draw, draws(3))
    for name, content in (given["draw-0"] | given["draw-1"] | given["draw-2"]).items():
        assert (tmp_path / "results" / name).read_bytes() == content
    assert not list((tmp_path / "results").rglob("*.partial"))


def test_changed_arguments_are_done_again(kept):
    changed = [Task("draw-0", {"seed": 0}), Task("draw-1", {"seed": 7})]
    assert names(kept().missing(changed)) == ["draw-1"]


@pytest.mark.parametrize("change", [
    lambda place: place.write_text("iso3\nMKD\n"), lambda place: place.rename(place.with_name("other.csv")),
    lambda place: place.with_name("second.csv").touch(), lambda place: shutil.rmtree(place.parent),
])  # fmt: skip
def test_changed_inputs_are_done_again(kept, inputs, change):
    change(inputs)
    assert len(kept().missing(draws(3))) == 3


def test_hidden_files_and_compiled_code_are_no_inputs(kept, inputs):
    for folder in (".ipynb_checkpoints", "__pycache__"):
        (inputs.parent / folder).mkdir()
        (inputs.parent / folder / "file").touch()
    assert kept().missing(draws(3)) == []


@pytest.mark.parametrize("other", [{"numpy": "0.1"}, {fanout.CODE: "0"}, {"python": "2.7.18"}])
def test_with_other_packages_or_code_all_is_done_again(kept, monkeypatch, other):
    imported = fanout._imported() | other
    monkeypatch.setattr(fanout, "_imported", lambda: imported)
    assert len(kept().missing(draws(3))) == 3


@pytest.mark.parametrize("damage", [
    lambda place: place.write_bytes(place.read_bytes()[:10]), lambda place: place.unlink(),
])  # fmt: skip
@pytest.mark.parametrize("file", ["1.bin", "more/1.json", ".made/draw-1.json"])
def test_a_file_that_is_not_as_it_was_written_is_not_trusted(kept, tmp_path, file, damage):
    damage(tmp_path / "results" / file)
    assert names(kept().missing(draws(3))) == ["draw-1"]


def test_a_write_that_breaks_off_leaves_nothing_that_is_trusted(kept, tmp_path, monkeypatch):
    (task,) = draws(1)
    put = Kept._put

    def fail_at_the_second(self, place, content):
        if place.suffix == ".json":
            raise OSError("no space left")
        put(self, place, content)

    monkeypatch.setattr(Kept, "_put", fail_at_the_second)
    with pytest.raises(OSError):
        kept().write(task, works.draw(9))
    assert names(kept().missing(draws(3))) == ["draw-0"]


def test_inputs_that_change_during_a_run_are_seen_by_the_next(kept, inputs):
    run = kept()
    tasks = run.missing(draws(4))
    inputs.write_text("iso3\nXKX\n")
    fanout.run(works.draw, tasks, run.write)
    assert len(kept().missing(draws(4))) == 4


def test_what_a_task_no_longer_writes_is_removed(kept, tmp_path):
    kept().write(draws(1)[0], {"other.txt": b"x"})
    assert (tmp_path / "results/other.txt").exists() and not (tmp_path / "results/0.bin").exists()
    assert kept().missing(draws(3)) == []


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt"])
def test_files_outside_the_folder_are_refused(kept, name):
    with pytest.raises(ValueError, match="must lie below"):
        kept().write(draws(1)[0], {name: b""})
    assert kept().missing(draws(3)) == []


# --- Processes that die -------------------------------------------------------------------------------------------


@pytest.mark.build
def test_a_task_whose_process_is_killed_is_tried_three_times_and_the_others_are_done(tmp_path):
    deaths = {0: 1, 2: 2, 3: 99}
    tasks = [Task(f"draw-{n}", {"seed": n, "deaths": deaths.get(n, 0), "folder": str(tmp_path)}) for n in range(6)]
    kept, failures = done(works.draw_or_die, tasks, workers=2)
    assert failures == [Failure("draw-3", "its process died, 3 times; it may have run out of memory")]
    expected, _ = done(works.draw, [t for t in draws(6) if t.name != "draw-3"])
    assert kept == expected
    assert len(list(tmp_path.glob("3-*"))) == 3


CLIENT = """
import sys
import works
from sentencing import fanout

if __name__ == "__main__":
    fanout.run(works.stay, [fanout.Task(name, {"folder": sys.argv[1]}) for name in "ab"], print, workers=2)
"""


@pytest.mark.build
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_their_client(tmp_path, number):
    (tmp_path / "client.py").write_text(CLIENT)
    marks = tmp_path / "marks"
    marks.mkdir()
    environment = os.environ | {"PYTHONPATH": SEARCHED}
    with subprocess.Popen([sys.executable, str(tmp_path / "client.py"), str(marks)], env=environment) as client:
        wait_until(lambda: len(list(marks.iterdir())) == 2)
        started = psutil.Process(client.pid).children(recursive=True)
        assert {int(mark.name) for mark in marks.iterdir()} <= {child.pid for child in started}
        client.send_signal(number)
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []


@pytest.mark.build
def test_processes_that_cannot_begin_are_told_at_once():
    """A program from standard input cannot be imported by a process that it starts."""
    code = CLIENT.replace("works.stay", "works.draw").replace('{"folder": sys.argv[1]}', '{"seed": 1}')
    told = subprocess.run([sys.executable], input=code, env=os.environ | {"PYTHONPATH": SEARCHED}, capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert told.returncode == 1 and "Unavailable: processes end before they have begun" in told.stderr


# --- Clusters -----------------------------------------------------------------------------------------------------


@pytest.mark.build
def test_a_worker_killed_half_way_costs_no_result(start):
    cluster = start(2)
    kept = {}

    def keep(task, result):
        kept[task.name] = result
        if len(kept) == 10:
            cluster.workers[0].kill()

    failures = fanout.run(works.draw, draws(20, seconds=0.1), keep, scheduler=cluster.address)
    assert (kept, failures) == done(works.draw, draws(20))
    assert cluster.workers[0].wait(5) == -signal.SIGKILL


@pytest.mark.build
def test_a_task_that_kills_workers_is_told_and_those_beside_it_are_done(start, tmp_path):
    cluster = start(2, "--nanny", SCHEDULER__ALLOWED_FAILURES=0)
    tasks = [Task(f"draw-{n}", {"seed": n, "deaths": 99 * (n == 2), "folder": str(tmp_path)}) for n in range(12)]
    kept, failures = done(works.draw_or_die, tasks, scheduler=cluster.address)
    assert [failure.name for failure in failures] == ["draw-2"] and "KilledWorker" in failures[0].message
    assert len(kept) == 11


@pytest.mark.build
@pytest.mark.parametrize("lost", ["workers", "scheduler"])
def test_a_cluster_that_is_lost_is_not_waited_for_without_end(start, monkeypatch, lost):
    monkeypatch.setattr(fanout, "LOST_SECONDS", 1)
    cluster = start(1)
    kept = []

    def keep(task, result):
        kept.append(task.name)
        for process in cluster.workers if lost == "workers" else [cluster.scheduler]:
            process.kill()

    failures = fanout.run(works.draw, draws(6, seconds=0.2), keep, scheduler=cluster.address)
    assert sorted([*kept, *(failure.name for failure in failures)]) == names(draws(6)) and len(failures) >= 3
    assert all("not done" in failure.message for failure in failures)


def test_no_scheduler_is_told():
    for address in ("tcp://127.0.0.1:1", "nonsense", "ftp://127.0.0.1:1"):
        with pytest.raises(Unavailable, match=f"{address}: no scheduler of Dask answers there"):
            fanout.run(works.draw, draws(1), print, scheduler=address)


@pytest.mark.build
def test_a_scheduler_without_workers_is_told_with_the_command_that_starts_one(start, monkeypatch):
    monkeypatch.setattr(fanout, "CONNECT_SECONDS", 1)
    cluster = start(0)
    with pytest.raises(Unavailable, match=f"has no worker; start some: dask worker {cluster.address} --nthreads 1"):
        fanout.run(works.draw, draws(1), print, scheduler=cluster.address)


@pytest.mark.build
def test_workers_with_other_code_packages_or_inputs_or_none_are_refused(start, tmp_path):
    cluster = start(1)
    copy = tmp_path / "copy"
    shutil.copytree(paths.ROOT / "src/sentencing", copy / "src/sentencing")
    (copy / "data").mkdir()
    for name in ("data/corrections.yml", "data/processed", "notebooks"):
        (copy / name).symlink_to(paths.ROOT / name)
    with (copy / "src/sentencing/law.py").open("a") as code:
        code.write("# changed\n")
    (copy / "packages/numpy-0.1.dist-info").mkdir(parents=True)
    (copy / "packages/numpy-0.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    other = [copy / "packages", copy / "src", paths.ROOT / "tests"]
    cluster.worker(searched=os.pathsep.join(map(str, other)))
    (copy / "empty/sentencing").mkdir(parents=True)
    (copy / "empty/sentencing/__init__.py").touch()
    cluster.worker(searched=str(copy / "empty"))
    cluster.await_workers(3)
    with pytest.raises(Unavailable) as told:
        done(works.draw, draws(4), scheduler=cluster.address)
    first, *listed = str(told.value).splitlines()
    assert "would not give the same results" in first and len(listed) == 2
    assert any("src/sentencing differs from the one here" in line and "numpy is 0.1, here" in line
               and "data/raw is absent, here" in line and line.count(";") == 2 for line in listed)  # fmt: skip
    assert any("cannot import sentencing.fanout" in line for line in listed)


def test_a_worker_that_joins_later_is_checked_by_its_first_task():
    expected = fanout.surroundings() | {"numpy": "0.1"}
    fault, result = fanout._do(works.draw, fanout.NEEDS, tuple(expected.items()), {"seed": 1})
    assert "would not give the same result: numpy is" in fault and "here 0.1" in fault and result is None


@pytest.mark.build
def test_a_worker_of_several_threads_does_one_task_at_a_time(start, tmp_path):
    cluster = start(1, "--no-nanny", "--nthreads", "4")
    tasks = [Task(str(n), {"folder": str(tmp_path / "marks")}) for n in range(8)]
    (tmp_path / "marks").mkdir()
    kept, failures = done(works.look, tasks, scheduler=cluster.address)
    assert failures == [] and {result["alone"] for result in kept.values()} == {b"true"} and len(kept) == 8


def test_module_can_be_imported_without_dask():
    code = """
import sys
sys.modules.update(dask=None, distributed=None)
from sentencing import fanout
try:
    fanout.run(print, [fanout.Task("a")], print, scheduler="tcp://127.0.0.1:1")
except fanout.Unavailable as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert told.stdout.startswith("a scheduler needs the package distributed, which is not here"), told.stderr


# --- Notebooks ----------------------------------------------------------------------------------------------------

OUT = "results/made-up-for-a-test.txt"
PARAMETERS = f'country = "SRB"\nout_text = "{OUT}"'
CELLS = (
    "import matplotlib.pyplot as plt\nimport numpy as np\nfrom sentencing import paths\n"
    "figure, axes = plt.subplots()\naxes.plot([1, 2])\nfigure",
    "x = np.random.default_rng(1).normal(size=(300, 300))\nnp.linalg.eigvalsh(x.T @ x)[:3].tolist(), set('abc')",
    "place = paths.output(out_text)\nplace.parent.mkdir(parents=True)\nplace.write_text(country)\nprint(place)",
    "if country == 'XXX':\n    raise ValueError('there is no such country')",
)


@pytest.fixture
def server(monkeypatch):
    """One server of kernels for this process and those that it starts; workers of a cluster have their own."""
    environment = os.environ | kernels.SETTINGS
    server = kernels.Server(kernels.Start(sys.executable, (), (), environment, str(paths.ROOT)))
    monkeypatch.setenv(kernels.SERVER_VARIABLE, server.address)
    yield server
    server.stop()


@pytest.mark.slow
def test_one_notebook_for_several_countries_gives_the_same_bytes_wherever(cluster, server, tmp_path, capfd):
    notebook = write_notebook(tmp_path / "made-up.ipynb", PARAMETERS, *CELLS)
    tasks = [
        Task(country, {"notebook": str(notebook), "executed": f"{country}.ipynb",
                       "parameters": {"country": country, "out_text": OUT}})
        for country in ("SRB", "XXX", "MKD")
    ]  # fmt: skip
    before = digests(paths.RESULTS)
    here, failures = done(notebooks.run_apart, tasks)
    assert [f.name for f in failures] == ["XXX"] and "there is no such country" in failures[0].message
    assert here["MKD"].keys() == {"MKD.ipynb", OUT} and here["MKD"][OUT] == b"MKD"
    assert b"Figure size" in here["SRB"]["SRB.ipynb"] and f'"{OUT}\\n"'.encode() in here["SRB"]["SRB.ipynb"]
    assert here["SRB"] == notebooks.run_apart(**tasks[0].arguments, engine=notebooks.ORDINARY)
    for where in ({"workers": 2}, {"scheduler": cluster.address}):
        assert done(notebooks.run_apart, tasks, **where) == (here, failures), where
    assert "of no use" not in capfd.readouterr().err  # each kernel came from the one server
    assert digests(paths.RESULTS) == before and [p.name for p in tmp_path.iterdir()] == ["made-up.ipynb"]


@pytest.mark.slow
def test_twenty_country_pages_are_whole_and_the_same_when_a_worker_is_killed_half_way(start, server, tmp_path):
    parameters = notebooks.resolve_parameters(paths.PARAMS / "default.yml", {})[countries.NOTEBOOK]
    tasks = countries.tasks(parameters, countries.with_data(parameters)[::9][:20])
    here, there = (countries.kept(tmp_path / place, parameters) for place in ("here", "there"))
    assert fanout.run(notebooks.run_apart, tasks, here.write, needs=here.needs) == []
    cluster, n_kept = start(2), 0

    def keep(task, files):
        nonlocal n_kept
        there.write(task, files)
        n_kept += 1
        if n_kept == len(tasks) // 2:
            cluster.workers[0].kill()

    assert fanout.run(notebooks.run_apart, tasks, keep, scheduler=cluster.address, needs=there.needs) == []
    assert cluster.workers[0].wait(5) == -signal.SIGKILL
    assert there.missing(tasks) == [] and n_kept == len(tasks) == 20
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    assert len(list((tmp_path / "there").glob("*.ipynb"))) == 20


@pytest.mark.slow
def test_a_command_that_fits_designs_writes_the_same_table_on_a_cluster(start, tmp_path):
    """As typed: the work is then a function of the module that runs, which other processes know by another name."""
    command = [sys.executable, "-m", "sentencing.multiverse", "--declared", test_multiverse.small(tmp_path)]
    where = {"here": [], "there": ["--scheduler", start(2).address]}
    for place, options in where.items():
        done = subprocess.run([*command, "--to", str(tmp_path / place), *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    here, there = ((tmp_path / place / "multiverse.csv").read_bytes() for place in where)
    assert here == there and here.count(b"\n") > 10
