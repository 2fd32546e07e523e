"""What every target of `make` was made from, by content; and folders in which one process works at a time.

    python -m sentencing.made run TARGET --from INPUT … [--with OUTPUT …] -- COMMAND …
    python -m sentencing.made unfit TARGET …

`make` looks at times, and times may lie: a clock was set back, a file was changed while it was read, or cut off when
the machine stopped. So `run` writes beside each target (build/.made) the checksums of what it was made from and of what
came of it, and `unfit` names the targets for which they do not hold any more. Those are made anew, whatever their time.
"""

import argparse
import contextlib
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from . import paths

RECORDS = ".made"  # folder of the records below build


def digest(path: str | Path, without: Iterable[str] = ()) -> str:
    """SHA-256 of a file, or of all names and files below a folder but for hidden ones and compiled code.

    `without` names folders below it that are left out.
    """
    path, found = paths.resolve(path), hashlib.sha256()
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if not path.exists():
        return "absent"
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") or part in ("__pycache__", *without) for part in name.parts):
            found.update(json.dumps([name.as_posix(), digest(file)]).encode())
    return found.hexdigest()


@contextlib.contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """An empty folder for one process at a time, removed in the end; the next waits.

    What a process that was killed has left there is removed before.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


# --- Targets of make ----------------------------------------------------------------------------------------------


def record_of(target: str) -> Path:
    """Where the record of a target below build stands."""
    below = paths.resolve(target).relative_to(paths.ROOT / "build")
    return paths.ROOT / "build" / RECORDS / f"{below.as_posix()}.json"


def fits(target: str, digest: functools.partial = digest) -> bool:
    """Whether the inputs of a target hold what it was made from, and it and its outputs are as they were made."""
    try:
        recorded = json.loads(record_of(target).read_bytes())
    except (FileNotFoundError, ValueError):  # never made, or the machine stopped while it was written
        return False
    return all(digest(name) == written for name, written in recorded.items())


def unfit(targets: Iterable[str]) -> list[str]:
    """Targets that are there, but not as they were made, or not made from what is there now."""
    once = functools.cache(digest)  # all notebooks are made from the same code
    return [target for target in targets if paths.resolve(target).exists() and not fits(target, once)]


def make(target: str, inputs: list[str], outputs: list[str], command: list[str]) -> int:
    """Run the command that makes a target; give its exit code, or 1 when the result cannot be trusted.

    Parameters
    ----------
    target : str
        Below build. It gets the time of now, or of its newest input where that lies in the future: then it is not
        older than what it was made from, and nothing is made again and again.
    inputs : list of str
        All that it is made from. Those that are also among `outputs` count as outputs.
    outputs : list of str
        What the command writes beside the target, files or folders.
    """
    record, place = record_of(target), paths.resolve(target)
    with _alone(record) as waited:
        if waited and fits(target):
            return 0  # another make has just made it
        before = {name: digest(name) for name in inputs if name not in outputs}
        place.parent.mkdir(parents=True, exist_ok=True)
        code = _run(command)
        if code < 0:
            told = f"was ended by signal {-code} ({signal.Signals(-code).name})"
            print(f"{target}: its command {told}; nothing half made is in its place. Type make again.", file=sys.stderr)
            return 128 - code
        if code:
            return code
        if changed := [name for name, found in before.items() if digest(name) != found]:
            told = f"{', '.join(changed)} changed while it was made, so it is not trusted. Type make again."
            print(f"{target}: {told}", file=sys.stderr)
            return 1
        place.touch()
        newest = max([time.time_ns(), *(p.stat().st_mtime_ns for p in map(paths.resolve, before) if p.exists())])
        os.utime(place, ns=(newest, newest))
        content = before | {name: digest(name) for name in [target, *outputs]}
        partial = record.with_name(f"{record.name}.partial")
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(record)
    return 0


def _run(command: list[str]) -> int:
    """Exit code of a command. An interruption from the keyboard reaches it as well, and is for it to handle."""
    with subprocess.Popen(command) as process:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


@contextlib.contextmanager
def _alone(record: Path) -> Iterator[bool]:
    """While it lasts no other process makes the target of this record; tells whether it had to be waited for."""
    record.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(record.with_name(f"{record.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{record.stem}: another make is at it; waiting", flush=True)
        lock.acquire()
        waited = True
    else:
        waited = False
    try:
        yield waited
    finally:
        lock.release()


def main(arguments: list[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    words, command = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(prog="python -m sentencing.made", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the command after -- and write down what its target was made from")
    run.add_argument("target")
    run.add_argument("--from", nargs="*", default=[], dest="inputs", metavar="INPUT")
    run.add_argument("--with", nargs="*", default=[], dest="outputs", metavar="OUTPUT")
    name = commands.add_parser("unfit", help="name the targets that have to be made anew")
    name.add_argument("targets", nargs="*")
    chosen = parser.parse_args(words)
    try:
        if chosen.command == "unfit":
            print("\n".join(unfit(chosen.targets)))
            return 0
        if not command:
            parser.error("run: which command? It comes after --")
        return make(chosen.target, chosen.inputs, chosen.outputs, command)
    except OSError as error:
        print(f"{getattr(chosen, 'target', 'make')}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
