"""Running notebooks: parameters are checked before any kernel starts, and outputs appear whole or not at all."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import write_notebook

from sentencing import notebooks, paths
from sentencing.notebooks import NotebookFailed, ParameterError

PARAMETERS = '''country = "SRB"
first_year = 2000
share = 0.5
quick = False
years = [2016, 2017]
raw_table = "tip/tiers.csv"
in_other = "data/processed/other.csv"
out_table = "data/processed/table.csv"
out_values = "results/values.json"'''
DEFAULTS = {
    "country": "SRB", "first_year": 2000, "share": 0.5, "quick": False, "years": [2016, 2017],
    "raw_table": "tip/tiers.csv", "in_other": "data/processed/other.csv", "out_table": "data/processed/table.csv",
    "out_values": "results/values.json",
}  # fmt: skip

OUTPUTS = '''out_table = "data/processed/table.csv"
out_values = "results/values.json"
country = "SRB"'''
IMPORTS = """from sentencing import paths

def write(place, text):
    place = paths.output(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)"""
WRITE_TABLE = 'write(out_table, f"iso3\\n{country}\\n")'
WRITE_VALUES = 'write(out_values, "{}\\n")'


# --- Parameters ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "notebooks"
    write_notebook(place / "01-first.ipynb", PARAMETERS)
    write_notebook(place / "02-second.ipynb", 'country = "SRB"\nlast_year = 2024')
    return place


@pytest.fixture
def resolve(folder, tmp_path):
    def given(sections=None, **command_line):
        params = tmp_path / "params.yml"
        params.write_text(yaml.safe_dump(sections) if sections else "# only defaults\n", encoding="utf-8")
        return notebooks.resolve_parameters(params, command_line, folder)

    return given


def faults(resolve, sections=None, **command_line) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        resolve(sections, **command_line)
    return str(caught.value).splitlines()


def test_defaults_are_those_of_the_parameters_cell_in_order(resolve):
    assert list(resolve()["01-first"].items()) == list(DEFAULTS.items())


def test_section_overrides_defaults_and_the_command_line_overrides_both(resolve):
    resolved = resolve({"01-first": {"country": "MKD", "first_year": 2010}}, first_year="2015")
    assert (resolved["01-first"]["country"], resolved["01-first"]["first_year"]) == ("MKD", 2015)
    assert resolved["02-second"] == {"country": "SRB", "last_year": 2024}


def test_parameter_of_the_command_line_goes_to_every_notebook_that_has_it(resolve):
    assert [p["country"] for p in resolve(country="XKX").values()] == ["XKX", "XKX"]
    assert [p.get("last_year") for p in resolve(last_year="2020").values()] == [None, 2020]


def test_text_parameter_takes_what_looks_like_another_type(resolve):
    assert resolve(country="NO")["01-first"]["country"] == "NO"
    assert resolve(country="2017")["01-first"]["country"] == "2017"


@pytest.mark.parametrize(("misspelt", "nearest"), [("contry", "country"), ("firstyear", "first_year")])
def test_misspelt_parameter_is_told_the_nearest(resolve, misspelt, nearest):
    in_file = faults(resolve, {"01-first": {misspelt: 1}})
    assert len(in_file) == 1 and f"{misspelt!r}; the nearest is {nearest!r}" in in_file[0]
    assert "section 01-first" in in_file[0]
    assert f"{misspelt!r}; the nearest is {nearest!r}" in faults(resolve, **{misspelt: "1"})[0]


def test_unknown_section_is_told_the_nearest_notebook(resolve):
    (fault,) = faults(resolve, {"01-frist": {"country": "MKD"}})
    assert "no notebook '01-frist'; the nearest is '01-first'" in fault


@pytest.mark.parametrize(
    ("key", "value", "found", "right"),
    [("first_year", "2010", "str", "int"), ("first_year", 2010.0, "float", "int"), ("first_year", True, "bool", "int"),
     ("first_year", None, "NoneType", "int"), ("country", 7, "int", "str"), ("country", False, "bool", "str"),
     ("share", True, "bool", "float"), ("share", "half", "str", "float"), ("quick", 1, "int", "bool"),
     ("quick", "yes", "str", "bool"), ("years", 2016, "int", "list")],
)  # fmt: skip
def test_wrong_type_is_told_with_the_right_one(resolve, key, value, found, right):
    (fault,) = faults(resolve, {"01-first": {key: value}})
    assert f"parameter {key!r} is {value!r} ({found}); expected {right}, such as {DEFAULTS[key]!r}" in fault


def test_wrong_type_on_the_command_line_is_told(resolve):
    assert "expected int" in faults(resolve, first_year="soon")[0]
    assert "expected int" in faults(resolve, first_year="2010.5")[0]


def test_whole_number_is_accepted_for_a_float_and_becomes_one(resolve):
    value = resolve({"01-first": {"share": 1}})["01-first"]["share"]
    assert value == 1.0 and type(value) is float


def test_all_faults_are_told_at_once(resolve):
    told = faults(resolve, {"01-first": {"contry": "MKD", "first_year": "x", "share": True}, "03-third": {}},
                  last_year="never", nothing="1")  # fmt: skip
    assert len(told) == 6
    for part in ("'contry'", "'first_year'", "'share'", "'03-third'", "'last_year'", "'nothing'"):
        assert sum(part in line for line in told) == 1


@pytest.mark.parametrize(
    "content", ["- a\n- b\n", "01-first: text\n", "01-first: [a, b]\n", "01-first: {country: [\n"],
    ids=["list", "text for a section", "list for a section", "broken"],
)  # fmt: skip
def test_parameter_file_of_another_shape_is_a_fault_that_names_it(folder, tmp_path, content):
    place = tmp_path / "params.yml"
    place.write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"params\.yml"):
        notebooks.resolve_parameters(place, {}, folder)


@pytest.mark.parametrize(
    "source",
    ["import os\ncountry = 'SRB'", "country = str(1)", "a = b = 1", "x: int = 1", "x += 1", "if True:\n    x = 1",
     "(a, b) = (1, 2)", "a.b = 1", "a[0] = 1", "country = f'{1}'", "print('x')", "x = =", "x = {[1]: 2}"],
)  # fmt: skip
def test_parameters_cell_with_anything_but_plain_assignments_is_refused(tmp_path, source):
    place = write_notebook(tmp_path / "01-first.ipynb", source)
    with pytest.raises(ParameterError, match=r"01-first\.ipynb"):
        notebooks.declared_parameters(place)


def test_first_code_cell_has_to_be_the_tagged_one(tmp_path):
    place = write_notebook(tmp_path / "01-first.ipynb", "x = 1")
    notebook = nbformat.read(place, as_version=4)
    notebook.cells[1].metadata = nbformat.NotebookNode()
    nbformat.write(notebook, place)
    with pytest.raises(ParameterError, match="first code cell must be tagged"):
        notebooks.declared_parameters(place)


def test_root_moves_what_is_read_and_written_between_notebooks_but_not_raw_tables(resolve, tmp_path):
    notebooks.write_parameters(resolve(), tmp_path / "p", "build/runs/country=MKD")
    written = yaml.safe_load((tmp_path / "p" / "01-first.yml").read_text(encoding="utf-8"))
    moved = {k: f"build/runs/country=MKD/{v}" for k, v in DEFAULTS.items() if k.startswith(("in_", "out_"))}
    assert len(moved) == 3 and written == DEFAULTS | moved


def test_without_a_root_paths_stay(resolve, tmp_path):
    notebooks.write_parameters(resolve(), tmp_path / "p")
    assert yaml.safe_load((tmp_path / "p" / "01-first.yml").read_text(encoding="utf-8")) == DEFAULTS


def test_parameter_file_is_left_alone_unless_its_content_changes(resolve, tmp_path):
    notebooks.write_parameters(resolve(), tmp_path / "p")
    files = [tmp_path / "p" / f"{name}.yml" for name in ("01-first", "02-second")]
    for place in files:
        os.utime(place, (1, 1))
    notebooks.write_parameters(resolve(), tmp_path / "p")
    assert [place.stat().st_mtime for place in files] == [1, 1]
    notebooks.write_parameters(resolve(last_year="2020"), tmp_path / "p")
    assert files[0].stat().st_mtime == 1 and files[1].stat().st_mtime > 1


# --- A repository of its own --------------------------------------------------------------------------------------


class Repository:
    """A copy of the package with notebooks of its own, run by the command as make does."""

    def __init__(self, root: Path):
        self.root = root
        skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "site")
        shutil.copytree(paths.ROOT / "src", root / "src", ignore=skip)
        (root / "build").mkdir()

    def notebook(self, *cells: str, parameters: str = OUTPUTS, name: str = "01-first") -> None:
        write_notebook(self.root / "notebooks" / f"{name}.ipynb", parameters, *cells)

    def start(self, *arguments: str) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": str(self.root / "src")}
        environment.pop(paths.STAGE_VARIABLE, None)
        command = [sys.executable, "-m", "sentencing.notebooks", *arguments]
        return subprocess.Popen(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def write_parameters(self, root: str = "", **given) -> None:
        declared = notebooks.declared_parameters(self.root / "notebooks" / "01-first.ipynb")
        notebooks.write_parameters({"01-first": declared | given}, self.root / "build" / "parameters", root)

    def start_run(self) -> subprocess.Popen:
        return self.start("run", "01-first", "--parameters", "build/parameters/01-first.yml",
                          "--to", "build/notebooks/01-first.ipynb")  # fmt: skip

    def run_by_command(self) -> subprocess.CompletedProcess:
        self.write_parameters()
        process = self.start_run()
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run(self, root: str = "", **given) -> None:
        """Run in this process, which is faster than the command."""
        self.write_parameters(root, **given)
        parameters = yaml.safe_load((self.root / "build/parameters/01-first.yml").read_text(encoding="utf-8"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paths, "ROOT", self.root)
            place = self.root / "notebooks" / "01-first.ipynb"
            notebooks.run(place, parameters, self.executed, self.root / "build" / "failed")

    def fails(self) -> str:
        with pytest.raises(NotebookFailed) as caught:
            self.run()
        return str(caught.value)

    @property
    def executed(self) -> Path:
        return self.root / "build" / "notebooks" / "01-first.ipynb"

    @property
    def outputs(self) -> list[Path]:
        return [self.root / "data" / "processed" / "table.csv", self.root / "results" / "values.json"]

    def put_old_outputs(self) -> None:
        for place in self.outputs:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("old", encoding="utf-8")

    def strays(self) -> list[str]:
        """Files that are none of sources, parameters, outputs, executed and failed notebooks, nor a list of fonts."""
        known = {*self.outputs, self.executed, self.root / "build/failed/01-first.ipynb"}
        return [
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if not path.is_dir() and path not in known and "__pycache__" not in path.parts
            and not path.is_relative_to(self.root / "src") and not path.is_relative_to(self.root / "notebooks")
            and not path.is_relative_to(self.root / "build" / "parameters") and path.suffix != ".lock"
            and not path.is_relative_to(self.root / "build" / "matplotlib")
        ]  # fmt: skip


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "repository")


def last_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[-1]


# --- The command --------------------------------------------------------------------------------------------------


def resolve_by_command(folder: Path, *settings: str, params: str = "") -> int:
    """What `make` runs first, on the notebooks of this repository."""
    (folder / "params.yml").write_text(params, encoding="utf-8")
    given = [word for pair in settings for word in ("--set", pair)]
    return notebooks.main(["parameters", "--params", str(folder / "params.yml"), "--to", str(folder / "p"), *given])


def test_command_refuses_bad_parameters_before_it_writes_anything(tmp_path, capsys):
    section = notebooks.list_notebooks()[0]
    assert resolve_by_command(tmp_path, "contry=MKD", params=f"{section}: {{country: 7}}") == 1
    told = capsys.readouterr().err
    assert "'contry'; the nearest is 'country'" in told and "expected str" in told
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("pair", ["country", "first_year=["])
def test_command_refuses_a_setting_it_cannot_read_in_words(tmp_path, capsys, pair):
    try:
        assert resolve_by_command(tmp_path, pair) == 1
    except SystemExit as usage:
        assert usage.code == 2
    assert pair.rstrip("=[") in capsys.readouterr().err


def test_value_with_an_equals_sign_is_taken_whole(tmp_path):
    assert resolve_by_command(tmp_path, "country=A=B") == 0
    written = [yaml.safe_load(place.read_text(encoding="utf-8")) for place in (tmp_path / "p").glob("*.yml")]
    assert {parameters["country"] for parameters in written if "country" in parameters} == {"A=B"}


# --- Runs that succeed --------------------------------------------------------------------------------------------


@pytest.mark.build
def test_outputs_appear_only_after_the_last_cell(repository):
    repository.put_old_outputs()
    seen = f"from pathlib import Path\nprint([Path(p).read_text() for p in {[str(p) for p in repository.outputs]}])"
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES, seen)
    repository.run()
    assert "['old', 'old']" in repository.executed.read_text(encoding="utf-8")
    assert [p.read_text(encoding="utf-8") for p in repository.outputs] == ["iso3\nSRB\n", "{}\n"]
    assert repository.strays() == []


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """One notebook run in two folders; its cells print what differs from run to run."""
    cells = [
        IMPORTS, WRITE_TABLE, WRITE_VALUES,
        "import os\nprint(os.getcwd(), paths.ROOT, paths.output(out_table))",
        "print(object(), [object()])\nobject()",
        "paths.ROOT",
        "{'b': paths.output(out_table), 'a': {'x', 'y', 'z'}}",
        "raise_not = country\nfrom IPython.display import HTML\nHTML(f'<a href=\"{paths.ROOT}\">x</a>')",
    ]  # fmt: skip
    done = []
    for number in range(2):
        repository = Repository(tmp_path_factory.mktemp(f"run{number}") / "repository")
        repository.notebook(*cells)
        done.append((repository, repository.run_by_command()))
    return done


@pytest.mark.build
def test_two_runs_give_the_same_bytes(twice):
    (first, _), (second, _) = twice
    assert first.executed.read_bytes() == second.executed.read_bytes()


@pytest.mark.build
def test_executed_notebook_holds_no_path_time_or_memory_address(twice):
    repository, done = twice[0]
    assert done.returncode == 0, done.stderr
    text = repository.executed.read_text(encoding="utf-8")
    for trace in (str(repository.root), str(repository.root.parent), "/.running", str(Path.home()), sys.prefix):
        assert trace not in text
    assert not re.search(r"0x[0-9a-f]{6,}", text)
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d|start_time|duration|papermill", text)
    notebook = json.loads(text)
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]


@pytest.mark.build
def test_executed_notebook_is_valid_and_keeps_the_ids_of_its_cells(twice):
    notebook = nbformat.read(twice[0][0].executed, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert ids[:3] == ["title", "parameters", "injected-parameters"] and ids[3] == "cell-1"
    assert len(set(ids)) == len(ids)


@pytest.mark.build
def test_run_says_what_it_does_and_warns_of_nothing(twice):
    for _, done in twice:
        assert done.stderr == ""
        assert re.fullmatch(r"01-first: running\n01-first: done in \d+ s\n", done.stdout)


@pytest.mark.build
def test_notebook_and_its_outputs_have_one_time_so_none_is_out_of_date(twice):
    repository, _ = twice[0]
    assert len({place.stat().st_mtime_ns for place in [*repository.outputs, repository.executed]}) == 1


@pytest.mark.build
def test_run_leaves_nothing_else_behind(twice):
    for repository, _ in twice:
        assert repository.strays() == []
        assert not (repository.root / "build" / "failed" / "01-first.ipynb").exists()


@pytest.mark.build
def test_warning_in_a_cell_gives_the_same_bytes_on_every_run(tmp_path):
    """A warning names the file of the cell, which the kernel makes anew below the folder for temporary files."""
    texts = []
    for number in range(2):
        repository = Repository(tmp_path / str(number))
        repository.notebook(IMPORTS, "import warnings\nwarnings.warn('look out')", WRITE_TABLE, WRITE_VALUES)
        repository.run()
        texts.append(repository.executed.read_text(encoding="utf-8"))
    assert "look out" in texts[0]
    assert texts[0] == texts[1]
    assert "ipykernel_" not in texts[0]


@pytest.mark.build
def test_given_parameters_reach_the_cells_and_the_run_knows_them(repository):
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES)
    repository.run("build/runs/mkd", country="MKD")
    tree = repository.root / "build" / "runs" / "mkd"
    assert last_line(tree / "data" / "processed" / "table.csv") == "MKD" and (tree / "results" / "values.json").exists()
    assert not (repository.root / "data").exists() and not (repository.root / "results").exists()


@pytest.mark.build
def test_run_inside_the_handling_of_another_error_keeps_its_outputs(repository):
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES)
    try:
        raise KeyError("another")
    except KeyError:
        repository.run()
    assert last_line(repository.outputs[0]) == "SRB"


# --- Runs that fail -----------------------------------------------------------------------------------------------


def check_failed(repository: Repository, told: str, *parts: str) -> None:
    for part in ("01-first failed", "failed/01-first.ipynb", *parts):
        assert part in told
    assert nbformat.read(repository.root / "build" / "failed" / "01-first.ipynb", as_version=4).cells
    assert not repository.executed.exists()
    assert [p.read_text(encoding="utf-8") for p in repository.outputs] == ["old", "old"]
    assert repository.strays() == []


@pytest.mark.build
def test_notebook_that_raises_names_cell_and_error_and_leaves_old_outputs(repository):
    repository.put_old_outputs()
    repository.notebook(IMPORTS, WRITE_TABLE, "raise KeyError('no such country')", WRITE_VALUES)
    done = repository.run_by_command()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    check_failed(repository, done.stderr, "KeyError", "no such country", "build/failed/01-first.ipynb")
    assert re.search(r"cell \d+", done.stderr)
    kept = (repository.root / "build" / "failed" / "01-first.ipynb").read_text(encoding="utf-8")
    assert "no such country" in kept


@pytest.mark.build
def test_run_that_succeeds_removes_the_failed_copy_of_an_earlier_one(repository):
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES)
    failed = repository.root / "build" / "failed" / "01-first.ipynb"
    failed.parent.mkdir()
    failed.write_text("{}", encoding="utf-8")
    repository.run()
    assert not failed.exists()


@pytest.mark.build
def test_kernel_that_dies_is_a_failure(repository):
    repository.put_old_outputs()
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES, "import os\nos._exit(3)")
    check_failed(repository, repository.fails(), "died")


@pytest.mark.build
def test_kernel_that_does_not_start_is_a_failure_in_words(repository, monkeypatch, tmp_path):
    """Its first import fails, as in one that gets no memory."""
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES)
    (tmp_path / "ipykernel_launcher.py").write_text("raise MemoryError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "its kernel did not start" in repository.fails()


@pytest.mark.build
def test_notebook_that_does_not_write_a_declared_output_is_a_failure(repository):
    repository.put_old_outputs()
    repository.notebook(IMPORTS, WRITE_TABLE)
    check_failed(repository, repository.fails(), "without writing results/values.json")


@pytest.mark.build
def test_cell_that_never_ends_is_a_failure_in_words(repository, monkeypatch):
    monkeypatch.setattr(notebooks, "CELL_TIMEOUT_SECONDS", 2)
    repository.put_old_outputs()
    repository.notebook(IMPORTS, WRITE_TABLE, WRITE_VALUES, "import time\ntime.sleep(60)")
    check_failed(repository, repository.fails(), "time")


@pytest.mark.build
def test_run_that_was_killed_leaves_nothing_that_looks_finished_and_the_next_succeeds(repository):
    slow = 'write(out_table, "half")\nimport time\ntime.sleep(1.5)\nwrite(out_values, "from the killed run")'
    repository.notebook(IMPORTS, slow, WRITE_TABLE, WRITE_VALUES)
    repository.write_parameters()
    process = repository.start_run()
    staged = repository.executed.parent / ".running" / "01-first" / "data" / "processed" / "table.csv"
    until = time.monotonic() + 60
    while not staged.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert staged.exists() and not repository.executed.exists()
    assert not any(place.exists() for place in repository.outputs)
    repository.notebook(IMPORTS, WRITE_TABLE, "import time\ntime.sleep(2)", WRITE_VALUES)
    repository.run()
    assert [p.read_text(encoding="utf-8") for p in repository.outputs] == ["iso3\nSRB\n", "{}\n"]
    assert repository.strays() == []


@pytest.mark.build
def test_two_runs_of_a_notebook_at_once_both_succeed_one_after_the_other(repository, tmp_path):
    journal = tmp_path / "journal"
    note = "import os, time\nwith open({!r}, 'a') as file:\n    print(os.getpid(), {!r}, file=file)"
    begins, ends = (note.format(str(journal), word) for word in ("begins", "ends"))
    repository.notebook(IMPORTS, begins, "time.sleep(1)", WRITE_TABLE, WRITE_VALUES, ends)
    repository.write_parameters()
    both = [repository.start_run() for _ in range(2)]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [err for _, err in told] == ["", ""]
    words = [line.split() for line in journal.read_text(encoding="utf-8").splitlines()]
    assert [word for _, word in words] == ["begins", "ends"] * 2
    assert words[0][0] == words[1][0] != words[2][0] == words[3][0]
    assert all(place.exists() for place in [*repository.outputs, repository.executed])
    assert repository.strays() == []


# --- Normalising --------------------------------------------------------------------------------------------------


def test_normalising_twice_changes_nothing_more(tmp_path):
    notebook = nbformat.v4.new_notebook(metadata={"papermill": {"start_time": "now"}, "widgets": {}})
    text = f"{paths.ROOT}/data/x.csv and {paths.ROOT} and {tmp_path}/y at 0x7f3a2b1c4d5e"
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=text),
        nbformat.v4.new_output("execute_result", data={"text/html": text, "text/plain": text}, execution_count=1),
    ]
    notebook.cells = [nbformat.v4.new_code_cell("x", outputs=outputs, metadata={"execution": {"iopub.status": "now"}})]
    once = json.dumps(notebooks.normalise(notebook, tmp_path))
    assert "0x7f" not in once and str(paths.ROOT) not in once and str(tmp_path) not in once and "now" not in once
    assert "data/x.csv and . and y at 0x" in json.loads(once)["cells"][0]["outputs"][0]["text"]
    assert json.dumps(notebooks.normalise(notebook, tmp_path)) == once
