"""Forked kernels: the same results as ordinary ones, nothing passed on between notebooks, nothing left running."""

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import nbformat
import papermill
import psutil
import pytest
from conftest import wait_until, write_notebook
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import papermill_engines

from sentencing import kernels, notebooks, paths

pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(bool(kernels.why_not()), reason=f"no forked kernels here: {kernels.why_not()}"),
]
PARAMETERS = "country = 'SRB'"
# A server that imports nothing ahead, for tests of processes rather than of results.
QUICK = kernels.BOOT.replace("kernels.serve(", "kernels.PRELOADED = (); kernels.serve(")


# What other tests of this process left running, such as the tracker of its processes that Python keeps.
OTHERS: set[int] = set()


@pytest.fixture(scope="module", autouse=True)
def engine():
    """The engine; one server for the whole file, ended with it."""
    kernels.stop_servers()  # of tests that ran before in this process
    OTHERS.update(child.pid for child in psutil.Process().children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        # papermill goes to the folder of a notebook and back; of several threads that do, the last goes elsewhere.
        patch.chdir(Path.cwd())
        for name, value in kernels.SETTINGS.items():
            patch.setenv(name, value)
        patch.delenv(kernels.SERVER_VARIABLE, raising=False)
        kernels.prepare(os.environ, paths.ROOT)
        yield kernels.register()
    servers = [server.process for server in kernels._servers.values()]
    kernels.stop_servers()
    assert [process.returncode for process in servers] == [0] * len(servers)


@pytest.fixture
def run(tmp_path):
    """Runs cells in a kernel of their own and gives what each printed."""

    def printed(*cells: str, name: str = "made-up", ordinary: str = "error", **options) -> list[str]:
        place = write_notebook(tmp_path / f"{name}.ipynb", PARAMETERS, *cells)
        with warnings.catch_warnings():
            warnings.simplefilter(ordinary, RuntimeWarning)  # of an ordinary kernel in place of a forked one
            done = papermill.execute_notebook(
                place, tmp_path / f"{name}-executed.ipynb", engine_name=kernels.ENGINE, kernel_name=notebooks.KERNEL,
                progress_bar=False, shutdown_kernel="immediate", cwd=str(tmp_path), **options,
            )  # fmt: skip
        return ["".join(o.get("text", "") for o in cell.outputs) for cell in done.cells if cell.cell_type == "code"][1:]

    return printed


def children() -> list[psutil.Process]:
    """Everything that tests of this file have started and that has not been reaped, zombies too."""
    return [child for child in psutil.Process().children(recursive=True) if child.pid not in OTHERS]


# --- Results ------------------------------------------------------------------------------------------------------

SHOWING = (
    "import os, sys, warnings\nimport numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "rng = np.random.default_rng(1)\nx = rng.normal(size=(80, 80))\nprint(repr(np.linalg.eigvalsh(x @ x.T)[:5]))",
    "pd.DataFrame({'term': [24.5, 36.0]}).style.set_uuid('t')",
    "figure, axes = plt.subplots()\naxes.plot([1, 2])\nfigure",
    "{'b', 'a', 'c'}, hash('word'), plt.get_backend(), sorted(os.environ.items())[:0]",
    "warnings.warn('careful')\nprint('to stderr', file=sys.stderr)",
    "os.system('echo from a child'); os.write(1, b'from below\\n')",
    "print(os.getcwd(), os.environ.get('SENTENCING_STAGE'), __name__, sys.argv[0][-21:], sys.path[-2:], sys.flags)",
    "1 / 0",
)


def test_executed_notebook_is_the_same_to_the_byte_as_with_ordinary_kernels(tmp_path):
    place = write_notebook(tmp_path / "made-up.ipynb", PARAMETERS, *SHOWING)
    made = {}
    for engine in notebooks.ENGINES:
        copy = tmp_path / f"{engine}.ipynb"
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            fault = notebooks._execute(place, copy, {"country": "MKD"}, tmp_path, engine)
        assert "ZeroDivisionError" in fault
        executed = notebooks.normalise(nbformat.read(copy, as_version=4), tmp_path)
        for number, cell in enumerate(executed.cells):
            cell["id"] = str(number)  # papermill names the cells that tell of the error by chance
        made[engine] = nbformat.writes(executed)
    assert made[notebooks.ORDINARY] == made[notebooks.FORKED]
    for shown in ("careful", "from a child", "from below", "Figure size", "text/html", "to stderr"):
        assert shown in made[notebooks.FORKED], shown


def test_engine_is_known_to_papermill_by_the_name_that_the_package_declares():
    assert papermill_engines.get_engine("forked") is kernels.ForkedEngine
    assert kernels.ENGINE == notebooks.FORKED


# --- Isolation ----------------------------------------------------------------------------------------------------


def test_nothing_that_one_notebook_sets_is_seen_by_the_next(run):
    look = (
        "import os, random, signal, sys, warnings, logging, threading\nimport numpy as np, pandas as pd\n"
        "import matplotlib as mpl\nimport sentencing.tables as tables\n"
        "print(['secret' in globals(), 'SECRET' in os.environ, os.getcwd(), mpl.rcParams['lines.linewidth'],\n"
        "  pd.get_option('display.max_rows'), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,\n"
        "  signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL, hasattr(tables, 'secret'), '/secret' in sys.path,\n"
        "  np.geterr()['divide'], logging.root.level])"
    )
    change = (
        "secret = 1; os.environ['SECRET'] = 'x'; os.chdir('/'); mpl.rcParams['lines.linewidth'] = 99\n"
        "pd.set_option('display.max_rows', 3); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN); tables.secret = 1; sys.path.append('/secret')\n"
        "np.seterr(divide='ignore'); logging.root.setLevel(1); random.seed(1); np.random.seed(1)"
    )
    before, _, changed = run(look, change, look.splitlines()[-4] + "\n" + "\n".join(look.splitlines()[-3:]))
    draw = "import random\nimport numpy as np\nprint([random.random(), np.random.random()])"
    after, first = run(look, draw)
    (second,) = run(draw)
    assert after == before
    differing = [a == b for a, b in zip(ast.literal_eval(before), ast.literal_eval(changed), strict=True)]
    assert not any(differing), "the notebook was to change all of them"
    # Two forks of one process would draw the same numbers were they not seeded anew.
    assert not set(ast.literal_eval(first)) & set(ast.literal_eval(second))


def test_each_kernel_has_the_environment_and_folder_of_its_start_and_they_may_differ(run, monkeypatch):
    show = "import os\nprint([os.environ.get('STAGE_A'), os.environ.get('STAGE_B'), os.getcwd()])"
    monkeypatch.setenv("STAGE_A", "one")
    first = ast.literal_eval(run(show)[0])
    monkeypatch.delenv("STAGE_A")
    monkeypatch.setenv("STAGE_B", "two")
    second = ast.literal_eval(run(show)[0])
    assert (first[:2], second[:2]) == (["one", None], [None, "two"])
    assert len(kernels._servers) == 1


def test_what_a_fork_cannot_change_asks_for_another_server(tmp_path):
    def fixed(folder=tmp_path, options=(), **changed):
        return kernels.Start(sys.executable, options, (), {"A": "1", "TZ": "UTC"} | changed, str(folder)).fixed()

    assert fixed() == fixed(A="2") == fixed(folder="/")
    other = tmp_path / "other"
    other.mkdir()
    (other / "matplotlibrc").write_text("lines.linewidth: 3\n")
    variants = [fixed(), fixed(TZ="CET"), fixed(LC_ALL="C"),
                fixed(PYTHONHASHSEED="7"), fixed(OMP_NUM_THREADS="1"), fixed(MPLBACKEND="svg"),
                fixed(options=("-Xdev",)), fixed(folder=other)]  # fmt: skip
    assert len(set(variants)) == len(variants)


def test_sockets_have_paths_that_the_system_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(kernels, "SOCKET_BYTES", len(str(tmp_path)))
    assert kernels.folder_for_sockets() == str(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", f"{tmp_path}/č")
    assert kernels.folder_for_sockets() == "/tmp"


def test_a_server_without_kernels_ends_when_another_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "BOOT", QUICK)
    monkeypatch.setattr(kernels, "_servers", {})
    started = []
    for zone in ("UTC", "CET"):
        arguments = ("-f", str(tmp_path / f"{zone}.json"))
        environment = os.environ | {"TZ": zone}
        kernel = kernels.fork_kernel(kernels.Start(sys.executable, (), arguments, environment, str(tmp_path)))
        started.append((kernel, list(kernels._servers.values())[-1].process))
        if zone == "UTC":
            kernel.kill()
    assert [process.poll() for _, process in started] == [0, None]
    kernels.stop_servers()
    assert [kernel.wait(5) for kernel, _ in started] == [-signal.SIGKILL] * 2


def test_two_kernels_run_at_once(run):
    wait = (
        "import pathlib, time\npathlib.Path('{mine}').touch()\n"
        "while not pathlib.Path('{theirs}').exists():\n    time.sleep(0.01)\nprint('met')"
    )
    met = {}

    def meet(mine: str, theirs: str) -> None:
        met[mine] = run(wait.format(mine=mine, theirs=theirs), name=mine, execution_timeout=20)

    both = [threading.Thread(target=meet, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert met == {"a": ["met\n"], "b": ["met\n"]}


# --- Ends ---------------------------------------------------------------------------------------------------------


def test_a_kernel_that_dies_is_noticed_and_reaped(run):
    with pytest.raises(DeadKernelError):
        run("import os\nos.kill(os.getpid(), 9)")
    assert_only_the_server_is_left()


def test_a_cell_that_never_ends_is_ended_and_with_it_what_it_started(run, tmp_path):
    with pytest.raises(CellTimeoutError):
        run(
            "import subprocess, time\nchild = subprocess.Popen(['sleep', '60'])\n"
            "open('pid', 'w').write(str(child.pid))\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n"
            "    time.sleep(60)",
            execution_timeout=1,
        )
    assert_only_the_server_is_left()
    wait_until(lambda: not running(int((tmp_path / "pid").read_text())))


def test_fonts_are_listed_once_and_before_a_cell_needs_them(tmp_path, monkeypatch):
    monkeypatch.setitem(kernels.SETTINGS, "MPLCONFIGDIR", str(tmp_path / "fonts"))
    kernels.list_fonts()
    (listed,) = (tmp_path / "fonts").glob("fontlist-*.json")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("listed again"))
    kernels.list_fonts()
    assert json.loads(listed.read_text(encoding="utf-8"))["ttflist"]


def test_an_exception_is_told_with_its_cell(run):
    with pytest.raises(papermill.PapermillExecutionError, match="of no use"):
        run("raise ValueError('of no use')")
    assert_only_the_server_is_left()


def assert_only_the_server_is_left() -> None:
    (server,) = kernels._servers.values()
    assert [(child.pid, child.status() == psutil.STATUS_ZOMBIE) for child in children()] == [
        (server.process.pid, False)
    ]


def test_a_server_that_was_killed_takes_its_kernels_along_and_is_replaced(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "BOOT", QUICK)
        patch.setattr(kernels, "_servers", {})
        connection = tmp_path / "c.json"
        start = kernels.Start(sys.executable, (), ("-f", str(connection)), dict(os.environ), str(tmp_path))
        first = kernels.fork_kernel(start)
        (server,) = kernels._servers.values()
        first.poll()
        assert first.returncode is None and psutil.pid_exists(first.pid)
        wait_until(connection.exists)
        server.process.kill()
        assert first.wait(5) == -signal.SIGKILL
        wait_until(lambda: not running(first.pid))
        second = kernels.fork_kernel(start)
        second.terminate()
        assert second.wait(5) == -signal.SIGTERM
        (server,) = kernels._servers.values()
        kernels.stop_servers()
        assert server.process.returncode == 0 and not Path(server.folder).exists()


CLIENT = f"""
import os, sys, time
from sentencing import kernels
kernels.BOOT = {QUICK!r}
start = kernels.Start(sys.executable, (), ("-f", os.path.abspath("c.json")), dict(os.environ), os.getcwd())
kernel = kernels.fork_kernel(start)
(server,) = kernels._servers.values()
print([kernel.pid, server.process.pid, server.folder], flush=True)
time.sleep(60)
"""


def test_killing_the_client_ends_its_server_and_kernels_and_clears_their_folder(tmp_path):
    client = subprocess.Popen([sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    with client:
        kernel, server, folder = ast.literal_eval(client.stdout.readline())
        assert psutil.pid_exists(kernel) and psutil.pid_exists(server) and Path(folder).exists()
        client.kill()
    wait_until(lambda: not any(map(running, (kernel, server))) and not Path(folder).exists())


ASKING = """
import os, sys
from sentencing import kernels, paths
start = kernels.Start(sys.executable, (), ("-f", os.path.abspath("c.json")), dict(os.environ), os.getcwd())
kernel = kernels.fork_kernel(start)
print([len(kernels._servers), os.environ[paths.ENGINE_VARIABLE], os.environ[kernels.SERVER_VARIABLE]])
sys.exit(3)
"""


def test_a_command_run_around_a_server_uses_it_and_gives_its_exit_code(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(kernels, "BOOT", QUICK)
    monkeypatch.chdir(tmp_path)
    assert kernels.main(["around", sys.executable, "-W", "error::UserWarning", "-c", ASKING]) == 3
    own_servers, engine, address = ast.literal_eval(capfd.readouterr().out)
    assert (own_servers, engine) == (0, kernels.ENGINE)
    assert not Path(address).exists()


def running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


# --- Where kernels cannot be forked -------------------------------------------------------------------------------


def test_where_nothing_can_be_forked_an_ordinary_kernel_runs_and_it_is_said(run, monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.warns(RuntimeWarning, match=r"cannot be forked: this system has no fork\. An ordinary one is started"):
        (parent,) = run("import os\nprint(os.getppid())", ordinary="always")
    assert int(parent) == os.getpid()
    assert_only_the_server_is_left()


def test_nothing_is_forked_on_macos(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(kernels.ForkingUnavailable, match="macOS"):
        kernels.fork_kernel(kernels.Start(sys.executable, (), (), {}, "/"))


@pytest.mark.parametrize(
    "command", [["R", "--slave", "-e", "kernel"], [sys.executable, "-m", "other_kernel"],
                [sys.executable, "-O", "-m", "ipykernel_launcher"], ["/bin/sh", "-m", "ipykernel_launcher"]]
)  # fmt: skip
def test_kernels_that_are_not_of_this_python_are_not_forked(command):
    with pytest.raises(kernels.ForkingUnavailable, match=command[0]):
        kernels.Start.of(command, dict(os.environ), "/")


def test_a_server_that_cannot_import_says_so_and_no_kernel_is_waited_for(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(kernels, "BOOT", kernels.BOOT.replace("kernels.serve(", "import not_there; kernels.serve("))
    monkeypatch.setattr(kernels, "_servers", {})
    with pytest.raises(kernels.ForkingUnavailable, match="server of kernels"):
        kernels.fork_kernel(kernels.Start(sys.executable, (), (), dict(os.environ), str(tmp_path)))
    kernels.stop_servers()
    assert "not_there" in capfd.readouterr().err
