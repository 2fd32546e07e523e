"""Kernels that start in a moment: a papermill engine whose kernels are forks of one process with all imports done.

    papermill --engine forked notebook.ipynb executed.ipynb
    python -m sentencing.notebooks run … --engine forked
    python -m sentencing.kernels around make        # one server for all commands that make starts

Most of the time of a short notebook goes into starting Python and importing the same libraries. Here a server
process imports them once; each kernel is a fork of it. A kernel gets its environment, working directory, signals,
random state and streams after the fork, and makes its sockets and event loop itself, so nothing passes from one
notebook to the next. What is read only while Python and its libraries start (`START_VARIABLES`, the options of the
interpreter, this package's own code) cannot be put right after a fork: kernels that differ in it get another server.

Three processes take part. The *client* runs papermill. The *server* has one thread, listens on a socket in a folder
that only its user may open, starts kernels and reaps them. Each *kernel* has one connection from client to server:
what the client sends on it are signals for the kernel, what it gets are the process id and the exit code, and when
it closes the kernel is killed. The server ends when its standard input does, that is with its client, however
that ended.

`multiprocessing`'s fork server would have been less code, but leaves kernels running when their client is killed,
imports the client's main module anew in every fork, hides failed imports, and cannot serve several commands.
"""

import argparse
import atexit
import contextlib
import gc
import importlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import warnings
import weakref
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

from . import paths

ENGINE = "forked"
SERVER_VARIABLE = "SENTENCING_KERNELS"  # names the socket of a server to use, rather than one of the client's own
SOCKET_BYTES = 80  # in the name of a folder with sockets; the system allows about a hundred for the whole path
START_SECONDS = 60  # for the imports of a server, on a busy machine
END_SECONDS = 5
SAVE_SECONDS = 1.0  # between two writings of the executed copy; the last is always written

# Not pyplot, nor what imports it: while it is imported it looks for the running kernel.
PRELOADED = (
    "IPython.core.completer",
    "sqlite3",
    "tornado.platform.asyncio",
    "psutil",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "numpy",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "statsmodels.api",
    "sentencing.lessons",
    "sentencing.tables",
    "sentencing.victims",
)
# Environment variables that Python, or a library at its import, reads once.
START_VARIABLES = re.compile(
    "(PYTHON|OMP_|OPENBLAS_|MKL_|BLIS_|NPY_|NUMEXPR_|PANDAS_|MPL|IPYTHON|JUPYTER|XDG_|LC_|LD_)"
    "|(LANG|LANGUAGE|TZ|HOME|VIRTUAL_ENV)$"
)
# What kernels of the build are started with, that two runs may be the same to the byte. The number of threads of linear
# algebra decides in which order sums are taken, and so about their last digits.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# The folder of matplotlib is not the user's: that may be read-only, which cells would tell, or hold other settings.
SETTINGS = {"PYTHONHASHSEED": "0", "MPLBACKEND": "agg", "MPLCONFIGDIR": str(paths.BUILD / "matplotlib")} | THREADS
# What a kernel sets for itself when nothing is set, but too late for a matplotlib that is imported already.
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"


class ForkingUnavailable(RuntimeError):
    """No kernel can be forked here; the message says why."""


# --- What a kernel is started with --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """How one kernel is to be started: its command split up, its environment and its working directory."""

    python: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str

    @classmethod
    def of(cls, command: list[str], environment: dict[str, str], folder: str) -> "Start":
        """Read a kernel's command, `python [-X option …] -m ipykernel_launcher [argument …]`.

        Raises
        ------
        ForkingUnavailable
            When the command is another one: another language, another Python, another way to start it.
        """
        module = command.index("-m") if "-m" in command else len(command)
        options = tuple(command[1:module])
        if command[module + 1 : module + 2] != ["ipykernel_launcher"] or not all(o[:2] == "-X" for o in options):
            raise ForkingUnavailable(f"{command[0]!r} does not start a Python kernel in the usual way")
        found = shutil.which(command[0], path=environment.get("PATH"))
        # Compared as it stands: the python of a virtual environment is a link to another one.
        if not found or os.path.abspath(found) != os.path.abspath(sys.executable):  # noqa: PTH100
            raise ForkingUnavailable(f"the kernel asked for is one of another Python, {command[0]!r}")
        return cls(command[0], options, tuple(command[module + 2 :]), environment, folder)

    def fixed(self) -> str:
        """All that a fork cannot change any more, as text that can be compared."""
        read = {name: value for name, value in self.environment.items() if START_VARIABLES.match(name)}
        sources = Path(__file__).parent.rglob("*.py")
        # matplotlib looks for its settings in the folder in which it is imported.
        folder = self.folder if Path(self.folder, "matplotlibrc").exists() else ""
        parts = [self.options, sorted(read.items()), max(source.stat().st_mtime_ns for source in sources), folder]
        return json.dumps(parts)

    def for_server(self) -> dict[str, str]:
        """The environment of a server of such kernels.

        Forks have the hash seed of their server; it is 0 unless set, so that no two servers differ.
        """
        unset = {"PYTHONHASHSEED": "0", "MPLBACKEND": INLINE_BACKEND}
        return self.environment | {k: v for k, v in unset.items() if not self.environment.get(k)}


def why_not() -> str:
    """Why kernels cannot be forked on this system; blank where they can."""
    if not hasattr(os, "fork"):
        return "this system has no fork"
    if sys.platform == "darwin":
        return "the system libraries of macOS may crash in a fork"
    return ""


# --- Server -------------------------------------------------------------------------------------------------------

HANDLED = () if why_not() else (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


@dataclass
class _Request:
    """What a client asks for: arguments and environment of a kernel, and its three standard streams."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    fixed: str
    streams: list[int]


@dataclass
class _Server:
    """The loop that starts kernels on request, passes signals on, and reaps.

    `fixed` is what `Start.fixed` said of the kernel for which the server was started.
    """

    listening: socket.socket
    fixed: str
    kernels: dict[int, socket.socket] = field(default_factory=dict)

    def run(self) -> _Request | None:
        """Serve until standard input ends or a signal says so, then give None; in every fork, give its request."""
        self.waiting = selectors.DefaultSelector()
        self.woken, self.waking = socket.socketpair()
        self.waking.setblocking(False)
        for number in HANDLED:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self.waking.fileno(), warn_on_full_buffer=False)
        for source in (0, self.listening, self.woken):
            self.waiting.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.waiting.select():
                if key.fileobj == 0:
                    return self._end()
                if key.fileobj is self.woken:
                    if {signal.SIGTERM, signal.SIGINT} & set(self.woken.recv(4096)):
                        return self._end()
                    self._reap()
                elif key.fileobj is self.listening:
                    if request := self._accept():
                        return request
                elif key.fileobj in self.kernels.values():
                    self._pass_signals(key.fileobj)

    def _accept(self) -> _Request | None:
        """Start one kernel; in it, give the request."""
        connection, _ = self.listening.accept()
        connection.settimeout(END_SECONDS)
        try:
            request = _receive(connection)
        except (OSError, ValueError):  # the client went away, or is none
            connection.close()
            return None
        pid, refused = None, "" if request.fixed == self.fixed else "the server was started with other settings"
        if not refused:
            # Until the fork has its own handlers, a signal for it would be taken for one for the server.
            signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
            try:
                pid = os.fork()
            except OSError as error:
                refused = f"the system allows no further process ({error})"
            if pid != 0:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for held in (self.waiting, self.listening, self.woken, self.waking, connection, *self.kernels.values()):
                held.close()
            return request
        for stream in request.streams:
            os.close(stream)
        if refused:
            _tell(connection, refused=refused)
            connection.close()
            return None
        self.kernels[pid] = connection
        self.waiting.register(connection, selectors.EVENT_READ)
        _tell(connection, pid=pid)
        return None

    def _pass_signals(self, connection: socket.socket) -> None:
        (pid,) = (pid for pid, known in self.kernels.items() if known is connection)
        try:
            numbers = connection.recv(64)
        except ConnectionError:
            numbers = b""
        if not numbers:
            self.waiting.unregister(connection)
        for number in numbers or [signal.SIGKILL]:
            _signal(pid, number)

    def _reap(self) -> None:
        while self.kernels and (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
            # Before it is reaped, so that its number cannot be another's: what it started goes with it.
            _signal(ended.si_pid, signal.SIGKILL)
            _, status = os.waitpid(ended.si_pid, 0)
            connection = self.kernels.pop(ended.si_pid)
            with contextlib.suppress(KeyError):  # the client closed first
                self.waiting.unregister(connection)
            _tell(connection, exit=os.waitstatus_to_exitcode(status))
            connection.close()

    def _end(self) -> None:
        for pid in self.kernels:
            _signal(pid, signal.SIGKILL)
        for pid in self.kernels:
            os.waitpid(pid, 0)


def _signal(pid: int, number: int) -> None:
    """Signal a kernel not yet reaped and all it started; a kernel only just forked has no group of its own yet."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        os.kill(pid, number)


def _tell(connection: socket.socket, **what) -> None:
    with contextlib.suppress(ConnectionError):  # the client has gone; its kernel is killed when that is seen
        connection.sendall(json.dumps(what).encode() + b"\n")


def _receive(connection: socket.socket) -> _Request:
    """Read one request: a line of JSON, with the streams beside its first byte."""
    data, streams, _, _ = socket.recv_fds(connection, 1, 3)
    try:
        if data:
            with connection.makefile("rb") as rest:
                data += rest.readline()
        return _Request(streams=list(streams), **json.loads(data))
    except (OSError, ValueError, TypeError) as error:
        for stream in streams:
            os.close(stream)
        raise ValueError("no request") from error


def _threads() -> int:
    """Threads of this process as the system counts them, those of libraries too; 1 where it does not tell."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def _preload() -> None:
    """Import everything, and make sure that a fork is safe.

    Raises
    ------
    ForkingUnavailable
        When threads are left, whose locks a fork would copy as they happen to be.
    """
    for name in PRELOADED:
        importlib.import_module(name)
    # The libraries of linear algebra have threads from the start; they end them before a fork and start them anew in
    # the fork at the first need. This fork is for that alone.
    if (trial := os.fork()) == 0:
        os._exit(0)
    os.waitpid(trial, 0)
    for _ in range(100):
        if _threads() == 1:
            break
        time.sleep(0.01)
    else:
        raise ForkingUnavailable("a library keeps threads, with which no process can be forked safely")
    gc.collect()
    gc.freeze()  # else the first collection in every kernel would touch, and so copy, all pages


def _become_kernel(request: _Request) -> None:
    """Make of this fresh fork what a kernel started by itself would be, and run it to its end."""
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    for target, stream in enumerate(request.streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    import ipykernel_launcher
    from ipykernel.kernelapp import IPKernelApp
    from numpy import random

    random.seed()  # the standard library's generator does so by itself
    sys.argv = [ipykernel_launcher.__file__, *request.arguments]
    # Its parent is the server: should that be killed, the kernel ends too.
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    IPKernelApp.launch_instance(list(request.arguments), parent_handle=os.getppid())


def serve(descriptor: int, fixed: str) -> None:
    """Serve on the listening socket `descriptor` until standard input ends. In each fork, be a kernel."""
    _preload()
    listening = socket.socket(fileno=descriptor)
    server = _Server(listening, fixed)
    folder = Path(listening.getsockname()).parent
    if request := server.run():
        _become_kernel(request)
    else:
        shutil.rmtree(folder, ignore_errors=True)  # its client may have been killed, or do the same just now


# --- Client -------------------------------------------------------------------------------------------------------

# A server's first step is to leave the working directory out of where modules are looked for, as kernels do.
BOOT = "import sys; del sys.path[0]; from sentencing import kernels; kernels.serve(int(sys.argv[1]), sys.argv[2])"


def folder_for_sockets() -> str:
    """Where temporary files go, unless its name is too long for the path of a socket."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= SOCKET_BYTES else "/tmp"


class Server:
    """A server process of the client's own.

    Attributes
    ----------
    address : str
        Of the socket it listens on.
    """

    def __init__(self, start: Start):
        self.kernels = weakref.WeakSet()
        self.folder = tempfile.mkdtemp(prefix="kernels-", dir=folder_for_sockets())
        self.address = f"{self.folder}/socket"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.address)
            listening.listen(128)
            self.process = subprocess.Popen(
                [start.python, *start.options, "-c", BOOT, str(listening.fileno()), start.fixed()],
                stdin=subprocess.PIPE,
                env=start.for_server(),
                cwd=start.folder,
                pass_fds=[listening.fileno()],
                start_new_session=True,  # an interruption from the keyboard is the client's to handle
            )

    def stop(self) -> None:
        """End the server and with it all its kernels. Does nothing when it has ended."""
        self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self) -> None:
        """Let go of it in a fork of the client: it belongs to the client."""
        self.process.stdin.close()
        self.process.returncode = 0


class ForkedProcess:
    """A kernel as its client sees it, with the methods of `subprocess.Popen` that jupyter_client calls."""

    stdin = stdout = stderr = None

    def __init__(self, address: str, start: Start):
        """Ask the server at `address` for a kernel and wait until the process is there.

        Raises
        ------
        ForkingUnavailable
            When the server says no or nothing.
        """
        self.returncode, self._read = None, b""
        self.connection = socket.socket(socket.AF_UNIX)
        request = {
            "arguments": start.arguments,
            "environment": start.environment,
            "folder": start.folder,
            "fixed": start.fixed(),
        }
        try:
            self.connection.settimeout(START_SECONDS)
            self.connection.connect(address)
            self._ask(json.dumps(request).encode() + b"\n")
            answer = json.loads(self._read_line() or '{"refused": "the server of kernels has ended"}')
        except OSError as error:
            self.connection.close()
            raise ForkingUnavailable(f"the server of kernels does not answer ({error})") from error
        if "refused" in answer:
            self.connection.close()
            raise ForkingUnavailable(answer["refused"])
        self.pid = answer["pid"]

    def _ask(self, request: bytes) -> None:
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123
            socket.send_fds(self.connection, [request[:1]], [nothing.fileno(), 1, 2])
        self.connection.sendall(request[1:])

    def _read_line(self) -> bytes:
        """One answer of the server; nothing when it has ended. What came before a time-out is kept."""
        while b"\n" not in self._read:
            if not (part := self.connection.recv(4096)):
                return b""
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _hear(self, seconds: float | None) -> int | None:
        """The exit code, waited for at most so long; None while the kernel runs."""
        if self.returncode is None:
            self.connection.settimeout(seconds)
            try:
                answer = self._read_line()
            except (BlockingIOError, TimeoutError):
                return None
            except ConnectionError:
                answer = b""
            # A server that has ended says nothing, and its kernels have ended with it.
            self.returncode = json.loads(answer)["exit"] if answer else -signal.SIGKILL
            self.connection.close()
        return self.returncode

    def poll(self) -> int | None:
        return self._hear(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._hear(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("kernel", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ConnectionError):  # it has just ended, which the next poll tells
                self.connection.sendall(bytes([number]))

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
        self._hear(END_SECONDS)


_servers: dict[str, Server] = {}
_one_at_a_time = threading.Lock()


def fork_kernel(start: Start) -> ForkedProcess:
    """A kernel from the server named in the environment, else from one of this process's own, started if need be.

    Raises
    ------
    ForkingUnavailable
    """
    if reason := why_not():
        raise ForkingUnavailable(reason)
    if address := os.environ.get(SERVER_VARIABLE):
        try:
            return ForkedProcess(address, start)
        except ForkingUnavailable as reason:
            warnings.warn(f"{SERVER_VARIABLE} is of no use ({reason}); another server is started.", stacklevel=3)
    with _one_at_a_time:
        server = _server_for(start)
        kernel = ForkedProcess(server.address, start)
        server.kernels.add(kernel)
    return kernel


def list_fonts() -> None:
    """Let matplotlib list the fonts of this machine once, before a cell has to: it would tell when that takes long."""
    if not any(Path(SETTINGS["MPLCONFIGDIR"]).glob("fontlist-*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=os.environ | SETTINGS, capture_output=True, check=True)


def prepare(environment: dict[str, str], folder: Path) -> None:
    """Let a server for kernels of this environment and folder begin its imports, without waiting for it."""
    if not (why_not() or os.environ.get(SERVER_VARIABLE)):
        with _one_at_a_time:
            _server_for(Start(sys.executable, (), (), dict(environment), str(folder)))


def _server_for(start: Start) -> Server:
    """The server of such kernels; when a new one is started, those without a kernel end, for each holds memory."""
    fixed = start.fixed()
    if fixed in _servers and _servers[fixed].process.poll() is None:
        return _servers[fixed]
    for other, server in list(_servers.items()):
        if server.process.poll() is not None or not any(kernel.returncode is None for kernel in server.kernels):
            _servers.pop(other).stop()
    return _servers.setdefault(fixed, Server(start))


@atexit.register
def stop_servers() -> None:
    """End all servers of this process and their kernels."""
    while _servers:
        _servers.popitem()[1].stop()


def _forget_servers() -> None:
    while _servers:
        _servers.popitem()[1].forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_servers)


class ForkedProvisioner(LocalProvisioner):
    """Gives jupyter_client a forked kernel, or says why not and gives an ordinary one."""

    async def launch_kernel(self, cmd: list[str], **options):
        folder = str(options.get("cwd") or Path.cwd())
        try:
            self.process = fork_kernel(Start.of(cmd, options["env"], folder))
        except ForkingUnavailable as reason:
            warnings.warn(
                f"Kernels cannot be forked: {reason}. An ordinary one is started, which takes some seconds longer.",
                RuntimeWarning,
                stacklevel=2,
            )
            return await super().launch_kernel(cmd, **options)
        self.pid, self.cwd = self.process.pid, folder
        # No group is named: signals then go through the server, which knows whether the kernel still runs.
        self.pgid = None
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        if isinstance(self.process, ForkedProcess):
            self.process.kill()
        else:
            await super().kill(restart)


class ForkedKernelManager(AsyncKernelManager):
    """A kernel manager whose kernels come from a server."""

    _to_be_killed = False

    async def _async_pre_start_kernel(self, **options):
        self.kernel_id = self.kernel_id or options.pop("kernel_id", str(uuid.uuid4()))
        if self.provisioner is None:
            self.provisioner = ForkedProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**options)

    async def _async_shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        self._to_be_killed = now
        try:
            await super()._async_shutdown_kernel(now=now, restart=restart)
        finally:
            self._to_be_killed = False

    shutdown_kernel = _async_shutdown_kernel

    async def _async_interrupt_kernel(self) -> None:
        # One that is killed the next moment would only have time for a line on the terminal about it.
        if not self._to_be_killed:
            await super()._async_interrupt_kernel()

    interrupt_kernel = _async_interrupt_kernel


class ForkedEngine:
    """Papermill's own engine with another kernel manager, which writes the executed copy less often.

    No subclass of it: papermill imports this module while it is being imported itself.
    """

    @staticmethod
    def execute_notebook(
        nb, kernel_name, output_path=None, progress_bar=True, log_output=False, autosave_cell_every=30, **options
    ):
        from papermill.engines import NBClientEngine, NotebookExecutionManager

        manager = NotebookExecutionManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        save = manager.save

        # Papermill writes the whole copy twice a cell, figures and all.
        def save_at_times(**given) -> None:
            if (manager.now() - manager.last_save_time).total_seconds() >= SAVE_SECONDS:
                save(**given)

        manager.notebook_start()
        manager.save = save_at_times
        try:
            options = {"kernel_manager_class": ForkedKernelManager} | options
            NBClientEngine.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
        finally:
            manager.save = save
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @staticmethod
    def nb_kernel_name(nb, name=None):
        from papermill.engines import NBClientEngine

        return NBClientEngine.nb_kernel_name(nb, name)

    @staticmethod
    def nb_language(nb, language=None):
        from papermill.engines import NBClientEngine

        return NBClientEngine.nb_language(nb, language)


def register() -> str:
    """Tell papermill of the engine where the installed package does not, and give its name."""
    from papermill.engines import papermill_engines

    papermill_engines.register(ENGINE, ForkedEngine)
    return ENGINE


# --- One server for several commands ------------------------------------------------------------------------------


def around(command: list[str]) -> int:
    """Run a command that finds a server in its environment, and the engine chosen; give its exit code."""
    environment = os.environ | SETTINGS
    list_fonts()
    if reason := why_not():
        print(f"Kernels cannot be forked: {reason}. Ordinary ones are started.", file=sys.stderr)
        return subprocess.run(command, env=environment).returncode
    server = Server(Start(sys.executable, (), (), environment, str(Path.cwd())))
    try:
        chosen = {SERVER_VARIABLE: server.address, paths.ENGINE_VARIABLE: ENGINE}
        return subprocess.run(command, env=environment | chosen).returncode
    finally:
        server.stop()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.kernels", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    given = commands.add_parser("around", help="run a command whose notebooks all get kernels of one server")
    given.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND …")
    chosen = parser.parse_args(arguments)
    if not chosen.words:
        parser.error("around: which command?")
    return around(chosen.words)


if __name__ == "__main__":
    sys.exit(main())
