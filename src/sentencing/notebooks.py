"""Execution: resolve a notebook's parameters strictly, run it with papermill, and put its outputs in place.

    python -m sentencing.notebooks parameters --params params/default.yml --to build/parameters
    python -m sentencing.notebooks run 01-clean-tip-report --parameters build/parameters/… --to build/notebooks/…

A notebook's first code cell is tagged `parameters` and assigns plain values. Names say what a path is for:
`raw_…` a table below data/raw, `in_…` a file another notebook wrote, `out_…` a file this notebook writes.
"""

import argparse
import ast
import contextlib
import difflib
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import yaml

from . import paths, sources
from .made import workplace

KERNEL = "python3"
CELL_TIMEOUT_SECONDS = 600
# Papermill's engines: kernels started one by one, or forked from a server (`kernels`). The results are the same.
ORDINARY, FORKED = ENGINES = ("nbclient", "forked")


class ParameterError(ValueError):
    """A parameter is unknown or of the wrong type; raised before any kernel starts."""


class NotebookFailed(RuntimeError):
    """A cell raised, or the kernel died. The message says where the failed copy is, which cell, which error."""


def list_notebooks(folder: Path = paths.NOTEBOOKS) -> list[str]:
    return sorted(path.stem for path in Path(folder).glob("*.ipynb"))


def declared_parameters(notebook: Path) -> dict:
    """The parameters of a notebook with their default values, in order.

    Raises
    ------
    ParameterError
        When there is no cell tagged `parameters`, when it is not the first code cell, or when it holds
        anything but assignments of plain values.
    """
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    if not cells or "parameters" not in cells[0].metadata.get("tags", []):
        raise ParameterError(f"{paths.relative(notebook)}: the first code cell must be tagged 'parameters'")
    declared = {}
    try:
        assignments = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise ParameterError(f"{paths.relative(notebook)}: the parameters cell is no Python: {error}") from None
    for node in assignments:
        plain = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        if not plain:
            raise ParameterError(f"{paths.relative(notebook)}: the parameters cell may only hold name = value")
        name = node.targets[0].id
        try:
            declared[name] = ast.literal_eval(node.value)
        except (ValueError, TypeError):
            raise ParameterError(f"{paths.relative(notebook)}: parameter {name} must be a plain value") from None
    return declared


def resolve_parameters(params_file: Path, given: dict[str, str], notebook_dir: Path = paths.NOTEBOOKS) -> dict:
    """Parameters of every notebook: defaults of the notebook, then its section of `params_file`, then `given`.

    Parameters
    ----------
    params_file : Path
        YAML with one section for each notebook.
    given : dict of str to str
        From the command line; each goes to every notebook that has a parameter of that name.

    Returns
    -------
    dict of str to dict
        By notebook.

    Raises
    ------
    ParameterError
        With all faults: unknown notebook or parameter (naming the nearest right one) and wrong types.
    """
    declared = {n: declared_parameters(Path(notebook_dir) / f"{n}.ipynb") for n in list_notebooks(notebook_dir)}
    name, faults = paths.relative(params_file), []
    sections = _read_sections(params_file)
    for notebook in sections.keys() - declared.keys():
        faults.append(f"{name}: there is no notebook {notebook!r}{_nearest(notebook, declared)}")
    resolved = {}
    for notebook, defaults in declared.items():
        resolved[notebook] = dict(defaults)
        for key, value in (sections.get(notebook) or {}).items():
            faults += _put(resolved[notebook], key, value, f"{name}, section {notebook}")
    for key, text in given.items():
        takers = [notebook for notebook in resolved if key in resolved[notebook]]
        if not takers:
            everything = {k for d in declared.values() for k in d}
            faults.append(f"command line: no notebook has a parameter {key!r}{_nearest(key, everything)}")
        for notebook in takers:
            value = text if isinstance(resolved[notebook][key], str) else _read_value(text)
            faults += _put(resolved[notebook], key, value, f"command line, for {notebook}")
    for notebook, chosen in resolved.items():
        faults += [f"for {notebook}: {fault}" for fault in _misplaced(chosen)]
    if faults:
        raise ParameterError("\n".join(sorted(set(faults))))
    return resolved


# Where notebooks put what they write; a run with other parameters has the same folders in a tree of its own.
OUTPUTS = ("data/processed", "results")


def _misplaced(parameters: dict) -> list[str]:
    """Outputs that would be written elsewhere than to the folders of outputs."""
    return [
        f"parameter {key!r} is {value!r}; expected a file in {' or '.join(OUTPUTS)}"
        for key, value in parameters.items()
        if key.startswith("out_") and not re.fullmatch(rf"({'|'.join(OUTPUTS)})(/\w[\w.-]*)+", str(value), re.ASCII)
    ]


def _read_sections(params_file: Path) -> dict[str, dict]:
    name = paths.relative(params_file)
    if not Path(params_file).exists():
        raise ParameterError(f"{name}: there is no such file of parameters")
    try:
        sections = sources.read_yaml(params_file) or {}
    except (yaml.YAMLError, OSError) as error:
        raise ParameterError(f"{name}: not readable as YAML: {error}") from None
    if not isinstance(sections, dict) or not all(isinstance(s, dict | None) for s in sections.values()):
        raise ParameterError(f"{name}: must have one section for each notebook, with name: value lines")
    return sections


def _read_value(text: str):
    """A value from the command line; what cannot be read stays text, which then is of the wrong type."""
    try:
        return sources.parse_yaml(text)
    except yaml.YAMLError:
        return text


def _put(resolved: dict, key: str, value, place: str) -> list[str]:
    if key not in resolved:
        return [f"{place}: there is no parameter {key!r}{_nearest(key, resolved)}"]
    default = resolved[key]
    widened = isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool)
    if type(value) is not type(default) and not widened:
        found, right = type(value).__name__, type(default).__name__
        return [f"{place}: parameter {key!r} is {value!r:.100} ({found}); expected {right}, such as {default!r}"]
    resolved[key] = float(value) if widened else value
    return []


def _nearest(name: str, known) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; the nearest is {near[0]!r}" if near else ""


def write_parameters(resolved: dict[str, dict], folder: Path, root: str = "") -> None:
    """Write each notebook's parameters to `folder/<notebook>.yml`; leave files alone that already say the same.

    `root` (below the repository) is put before every `in_…` and `out_…` path, so that a run with other than
    the default parameters has its own tree and never touches the committed tables.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    for notebook, parameters in resolved.items():
        moved = {k: f"{root}/{v}" if root and k.startswith(("in_", "out_")) else v for k, v in parameters.items()}
        path = Path(folder) / f"{notebook}.yml"
        text = yaml.safe_dump(moved, sort_keys=False, allow_unicode=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")


def run(
    notebook: Path,
    parameters: dict,
    executed: Path,
    failed_dir: Path = paths.BUILD / "failed",
    engine: str = ORDINARY,
) -> None:
    """Run one notebook and move what it wrote, and its executed copy, to their places.

    Everything is written to a folder of the run's own first. Only when the last cell has succeeded and every
    `out_…` file is there are they moved, the executed notebook last, so that `make` trusts only whole runs.

    Raises
    ------
    NotebookFailed
        The failed copy is kept below `failed_dir`; nothing else is left behind.
    """
    name, executed = notebook.stem, paths.resolve(executed)
    stage = executed.parent / ".running" / name
    copy = stage / f"{name}.ipynb"
    with workplace(stage):
        fault = _execute(notebook, copy, parameters, stage, engine) or _missing_outputs(parameters, stage)
        if fault:
            raise NotebookFailed(_keep_failed(name, copy, Path(failed_dir), fault))
        _put_in_place(parameters, stage, copy, executed)
        Path(failed_dir, f"{name}.ipynb").unlink(missing_ok=True)


def run_apart(notebook: str, parameters: dict, executed: str, engine: str = FORKED) -> dict[str, bytes]:
    """Run one notebook in a folder of its own and give what it wrote; nothing is put anywhere.

    Several processes can so run one notebook with different parameters at once. In one process only one run at a
    time may go on: the environment that the kernel gets is the process's.

    Parameters
    ----------
    notebook : str
        Path below the repository.
    executed : str
        The name under which the executed copy is given.

    Returns
    -------
    dict of str to bytes
        The executed copy, and every `out_…` file by its path in the parameters.

    Raises
    ------
    NotebookFailed
        With the cell and the error; no copy is kept.
    """
    place = paths.resolve(notebook)
    with tempfile.TemporaryDirectory(prefix="notebook-", ignore_cleanup_errors=True) as folder:
        stage = Path(folder).resolve()
        copy = stage / place.name
        fault = _execute(place, copy, parameters, stage, engine, progress=False)
        if fault := fault or _missing_outputs(parameters, stage):
            raise NotebookFailed(f"{place.stem} failed; {fault}")
        nbformat.write(normalise(nbformat.read(copy, as_version=4), stage), copy)
        made = {path.as_posix(): path for path in _outputs(parameters)} | {executed: copy.name}
        return {name: (stage / path).read_bytes() for name, path in made.items()}


def _execute(
    notebook: Path, copy: Path, parameters: dict, stage: Path, engine: str = ORDINARY, progress: bool = True
) -> str:
    """Run all cells in a kernel of their own; give the fault in words, blank when there is none."""
    from . import kernels

    environment = {paths.STAGE_VARIABLE: str(stage)} | kernels.SETTINGS
    kernels.list_fonts()
    if engine == FORKED:
        kernels.prepare(os.environ | environment, paths.ROOT)

    import papermill  # slow to import, and only running needs it
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    kernels.register()
    before = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    try:
        place = kernels.folder_for_sockets()
        with tempfile.TemporaryDirectory(prefix="kernel-", dir=place, ignore_cleanup_errors=True) as sockets:
            papermill.execute_notebook(
                notebook,
                copy,
                parameters=parameters,
                engine_name=engine,
                kernel_name=KERNEL,
                cwd=str(paths.ROOT),
                execution_timeout=CELL_TIMEOUT_SECONDS,
                progress_bar=progress and sys.stderr.isatty(),
                # Sockets of its own keep kernels that run side by side apart and off the network; a kernel that has
                # done its work is not asked to wind down.
                config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/socket"}),
                shutdown_kernel="immediate",
            )
    except papermill.PapermillExecutionError as error:
        return f"cell {error.cell_index} ({error.exec_count}) raised {error.ename}: {_without_colours(error.evalue)}"
    except CellTimeoutError:
        return f"a cell ran for more than {CELL_TIMEOUT_SECONDS} s, which is all the time a cell has"
    except DeadKernelError:
        return "its kernel died; it may have run out of memory"
    except RuntimeError as error:  # of nbclient, before the first cell
        return f"its kernel did not start ({error}); it may have run out of memory"
    finally:
        _restore(before)
    return ""


def _restore(environment: dict[str, str | None]) -> None:
    for key, value in environment.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


def _outputs(parameters: dict) -> list[Path]:
    return [Path(v) for k, v in parameters.items() if k.startswith("out_")]


def _missing_outputs(parameters: dict, stage: Path) -> str:
    missing = [str(path) for path in _outputs(parameters) if not (stage / path).exists()]
    return f"it ended without writing {', '.join(missing)}" if missing else ""


def _keep_failed(name: str, copy: Path, failed_dir: Path, fault: str) -> str:
    """Keep the failed copy where it can be looked at, and give the message that says so."""
    if not copy.exists():
        return f"{name} failed; {fault}"
    failed_dir.mkdir(parents=True, exist_ok=True)
    kept = copy.replace(failed_dir / copy.name)
    return f"{name} failed; {fault}\n  the failed copy is {paths.relative(kept)}"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _put_in_place(parameters: dict, stage: Path, copy: Path, executed: Path) -> None:
    nbformat.write(normalise(nbformat.read(copy, as_version=4), stage), copy)
    now = time.time()
    # The executed notebook goes last: were the run killed between two moves, make would find it missing or old.
    places = [(stage / path, paths.resolve(path)) for path in _outputs(parameters)] + [(copy, executed)]
    with contextlib.ExitStack() as in_the_end:
        moves = []
        for made, place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_name(f"{place.name}.partial")
            in_the_end.callback(partial.unlink, missing_ok=True)
            # A folder may be on another disk, or that disk full: all is copied beside its place before anything moves.
            shutil.copyfile(made, partial)
            # One time for all: make then sees neither the notebook nor its outputs as older than the other.
            os.utime(partial, (now, now))
            moves.append((partial, place))
        for partial, place in moves:
            partial.replace(place)


def normalise(notebook: nbformat.NotebookNode, stage: Path | None = None) -> nbformat.NotebookNode:
    """Take out of an executed notebook all that differs between two runs of the same thing.

    Times, versions of the machine, random cell ids of injected parameters, absolute paths, memory addresses.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
            if "text" in output:
                output["text"] = _placeless(output["text"], stage)
            for kind, data in output.get("data", {}).items():
                if isinstance(data, str) and kind.startswith("text/"):
                    output["data"][kind] = _placeless(data, stage)
    return notebook


def _placeless(text: str, stage: Path | None) -> str:
    for place in filter(None, [stage, paths.ROOT]):
        text = text.replace(f"{place}/", "").replace(str(place), ".")
    # A kernel names its cells after its process in the warnings they raise. (Looked for only where it is named: a
    # figure is one word of some 100,000 letters.)
    if "ipykernel_" in text:
        text = re.sub(r"\S*ipykernel_\d+", "ipykernel", text)
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x…", text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=VALUE")
    return name, value


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.notebooks", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    resolve = commands.add_parser("parameters", help="check all parameters and write them, one file a notebook")
    resolve.add_argument("--params", type=Path, required=True, help="a parameter set, such as params/default.yml")
    resolve.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="set one parameter"
    )
    resolve.add_argument("--root", default="", help="folder below the repository for this run's own tables")
    resolve.add_argument("--to", type=Path, required=True)
    execute = commands.add_parser("run", help="run one notebook")
    execute.add_argument("notebook")
    execute.add_argument("--parameters", type=Path, required=True)
    execute.add_argument("--to", type=Path, required=True)
    engine = os.environ.get(paths.ENGINE_VARIABLE, ORDINARY)
    execute.add_argument("--engine", choices=ENGINES, default=engine, help="how kernels are started (%(default)s)")
    chosen = parser.parse_args(arguments)
    if chosen.command == "run" and chosen.engine not in ENGINES:  # choices hold for what is typed only
        parser.error(f"{paths.ENGINE_VARIABLE}={chosen.engine}: expected one of {', '.join(ENGINES)}")
    try:
        if chosen.command == "parameters":
            write_parameters(resolve_parameters(chosen.params, dict(chosen.set)), chosen.to, chosen.root)
        else:
            started = time.monotonic()
            print(f"{chosen.notebook}: running", flush=True)
            parameters = sources.read_yaml(chosen.parameters)
            run(paths.NOTEBOOKS / f"{chosen.notebook}.ipynb", parameters, chosen.to, engine=chosen.engine)
            print(f"{chosen.notebook}: done in {time.monotonic() - started:.0f} s", flush=True)
    except (ParameterError, NotebookFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was put in place", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
