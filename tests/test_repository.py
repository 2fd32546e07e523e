"""What holds for the repository as a whole: environments, notebooks, Makefile, tables, and who imports whom."""

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

import sentencing
from sentencing import fanout, notebooks, paths, sources
from sentencing.package import files

ROOT = paths.ROOT
NOTEBOOKS = notebooks.list_notebooks()
# From the left: a module imports only what stands before it.
LINE = ["paths", "sources", "schemas", "corrections", "periods", "facts", "narrative", "fetch", "tip", "centre",
        "courts", "grouping", "evidence", "stages", "models", "inference", "sentences", "law", "estimands",
        "compare", "within", "between", "designs", "robustness", "profiles", "victims", "claims", "lessons", "power",
        "tables", "figures", "made", "kernels", "notebooks", "fanout", "multiverse", "publication", "countries",
        "site", "package", "trust", "audit"]  # fmt: skip


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    """Files that are or would be committed; in a copy without git all that are not built."""
    return files.tracked(ROOT, others=True)


# --- Environments -------------------------------------------------------------------------------------------------


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_dependencies() -> set[str]:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = project["dependencies"] + sum(project.get("optional-dependencies", {}).values(), [])
    return {normalised(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in wanted}


def pins() -> dict[str, tuple[str, str]]:
    """Version and the rest of the entry by package, from requirements.txt."""
    found = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text("requirements.txt")):
        if pinned := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(.*)", entry, re.DOTALL):
            found[normalised(pinned[1])] = (pinned[2], pinned[3])
    return found


def conda_dependencies() -> list:
    return yaml.safe_load(text("environment.yml"))["dependencies"]


def by_pip() -> list[str]:
    (pip,) = (d["pip"] for d in conda_dependencies() if isinstance(d, dict))
    return pip


def test_every_direct_dependency_is_pinned():
    assert direct_dependencies() <= pins().keys()


def test_every_pinned_package_has_hashes_and_nothing_else_stands_in_the_requirements():
    for name, (_, rest) in pins().items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
    lines = [line for line in text("requirements.txt").splitlines() if line and line.lstrip()[0] not in "#-"]
    assert all(re.match(r"[A-Za-z0-9._-]+==", line) for line in lines)


def test_requirements_name_no_place_to_install_from():
    content = text("requirements.txt").lower()
    for word in ("://", "index-url", "find-links", "trusted-host", "pypi", "pythonhosted", "anaconda", "mirror", " @ "):
        assert word not in content, word


def test_conda_environment_has_the_same_dependencies_in_the_same_versions():
    versions = {normalised(d.split("=")[0]): d for d in conda_dependencies() if isinstance(d, str)}
    versions |= {normalised(d.split("==")[0]): d.replace("==", "=") for d in by_pip() if d != "-e ."}
    for other in ("python", "pip", "make"):
        versions.pop(other, None)
    assert versions.keys() == direct_dependencies()
    assert versions == {name: f"{name}={pins()[name][0]}" for name in versions}


def test_conda_environment_installs_by_pip_the_package_itself_and_what_conda_lacks():
    assert "pip" in conda_dependencies()
    assert {d.split("==")[0] for d in by_pip()} == {"-e .", "axe-playwright-python", "mutmut", "playwright"}
    environment = yaml.safe_load(text("environment.yml"))
    assert environment["name"] == "sentencing" and environment["channels"][0] == "conda-forge"


def test_the_python_of_all_environments_is_one_that_the_package_allows():
    settings = tomllib.loads(text("pyproject.toml"))
    lowest = tuple(map(int, re.fullmatch(r">=(\d+)\.(\d+)", settings["project"]["requires-python"]).groups()))
    (python,) = (d for d in conda_dependencies() if isinstance(d, str) and re.match(r"python\b", d))
    assert tuple(map(int, re.fullmatch(r"python\s*>?=(\d+)\.(\d+)", python).groups())) >= lowest
    assert settings["tool"]["ruff"]["target-version"] == f"py{lowest[0]}{lowest[1]}"
    assert sys.version_info[:2] >= lowest


# --- Notebooks ----------------------------------------------------------------------------------------------------


def cells(name: str, kind: str = "code") -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def parameters(name: str) -> dict:
    return notebooks.declared_parameters(paths.NOTEBOOKS / f"{name}.ipynb")


def code_lines(cell) -> int:
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in cell.source.splitlines())


def trees(name: str) -> list[ast.Module]:
    return [ast.parse(cell.source) for cell in cells(name)]


def walk(name: str):
    for tree in trees(name):
        yield from ast.walk(tree)


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
class TestNotebook:
    def test_is_committed_without_outputs(self, name):
        for cell in cells(name):
            assert not cell.outputs and cell.execution_count is None, cell.id

    def test_is_valid_and_has_ids_that_a_person_chose(self, name):
        notebook = nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4)
        nbformat.validate(notebook)
        raw = json.loads(text(f"notebooks/{name}.ipynb"))
        ids = [cell.get("id") for cell in raw["cells"]]
        assert None not in ids and len(set(ids)) == len(ids)
        assert [i for i in ids if not re.fullmatch(r"[a-z][a-z0-9-]*", i) or re.fullmatch(r"[0-9a-f-]{8,}", i)] == []

    def test_asks_for_the_common_kernel_and_names_no_version_of_a_machine(self, name):
        metadata = nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4).metadata
        assert metadata.kernelspec.name == notebooks.KERNEL
        assert set(metadata) <= {"kernelspec", "language_info"} and "version" not in metadata.language_info

    def test_first_code_cell_alone_is_tagged_parameters(self, name):
        tagged = [cell for cell in cells(name) if "parameters" in cell.metadata.get("tags", [])]
        assert tagged == cells(name)[:1]
        assert parameters(name)

    def test_is_short(self, name):
        """At most 70 lines of code in all and 15 in a cell; what is longer belongs in the package."""
        first, *others = cells(name)
        assert code_lines(first) + sum(map(code_lines, others)) <= 70
        assert {cell.id: code_lines(cell) for cell in others if code_lines(cell) > 15} == {}

    def test_defines_nothing(self, name):
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert [node.name for node in walk(name) if isinstance(node, defined)] == []

    def test_imports_nothing_local_but_the_package(self, name):
        imported = set()
        for node in walk(name):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module)
        local = {path.stem for place in (ROOT, ROOT / "src", paths.NOTEBOOKS) for path in place.iterdir()}
        assert {module for module in imported if module.split(".")[0] in local} <= {"sentencing"}
        assert "sys" not in imported and not any(m.startswith(("importlib", "subprocess", "os")) for m in imported)

    def test_last_cell_writes_the_values_file_and_says_the_right_name(self, name):
        notebook = nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4)
        assert notebook.cells[-1].cell_type == "code"
        assert notebook.cells[-1].source.strip() == "values.write(out_values)"
        (made,) = (n for n in walk(name) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("Values"))
        assert ast.literal_eval(made.args[0]) == name
        assert parameters(name)["out_values"] == f"results/{name}.json"

    def test_every_parameter_is_used(self, name):
        used = {n.id for tree in trees(name)[1:] for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert set(parameters(name)) - used == set()

    def test_paths_among_the_parameters_are_those_of_tables(self, name):
        for key, value in parameters(name).items():
            if key.startswith("raw_") and key != "raw_dir":
                assert value in sources.list_tables(), key
            if key.startswith("in_"):
                assert value in {v for n in NOTEBOOKS if n != name for k, v in parameters(n).items() if k[:4] == "out_"}
            if key.startswith("out_"):
                assert re.fullmatch(r"(data/processed|results)/[\w.-]+", value), key

    def test_no_path_stands_in_the_code_beside_the_parameters(self, name):
        texts = {n.value for tree in trees(name)[1:] for n in ast.walk(tree)
                 if isinstance(n, ast.Constant) and isinstance(n.value, str)}  # fmt: skip
        assert {t for t in texts if re.search(r"\.(csv|json|yml|ipynb)$|^(data|results|build)/", t)} == set()


def test_no_two_notebooks_write_the_same_file():
    written = [value for name in NOTEBOOKS for key, value in parameters(name).items() if key.startswith("out_")]
    assert len(set(written)) == len(written)


# What is declared for the multiverse and for the simulation of publications are no parameters of notebooks.
DECLARED = {*paths.PARAMS.glob("multiverse*.yml"), paths.PARAMS / "publication.yml"}
PARAMETER_SETS = sorted(set(paths.PARAMS.glob("*.yml")) - DECLARED)


@pytest.mark.parametrize("params", PARAMETER_SETS, ids=lambda path: path.name)
def test_parameter_set_fits_the_notebooks(params):
    assert set(notebooks.resolve_parameters(params, {})) == set(NOTEBOOKS)


def test_default_parameters_are_those_of_the_notebooks():
    """Who opens a notebook by hand gets the published results."""
    assert notebooks.resolve_parameters(paths.PARAMS / "default.yml", {}) == {n: parameters(n) for n in NOTEBOOKS}


# --- Makefile -----------------------------------------------------------------------------------------------------


VARIANTS = {
    "": [],
    "country": ["COUNTRY=MKD"],
    "set of parameters": ["PARAMS=params/quick.yml"],
    "one parameter": ["SET=conflict_rule=latest"],
    "all": ["COUNTRY=MKD", "PARAMS=params/quick.yml", "SET=conflict_rule=latest"],
}


def make(*arguments: str) -> subprocess.CompletedProcess:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


def rules(*arguments: str) -> dict[str, set[str]]:
    """Prerequisites of every target, from the data base that make prints."""
    found: dict[str, set[str]] = {}
    for line in make("-pn", *arguments).stdout.splitlines():
        if rule := re.match(r"([^\s#:=][^:=]*):(?!=) *(.*)$", line):
            for target in rule[1].split():
                found.setdefault(target, set()).update(rule[2].replace("|", " ").split())
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_make_can_plan_everything(variant):
    planned = make("-n", *VARIANTS[variant])
    assert planned.returncode == 0 and planned.stderr == ""


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_make_knows_what_a_notebook_reads_and_writes(name, variant):
    known = rules(*VARIANTS[variant])
    (executed,) = (t for t in known if t.endswith(f"notebooks/{name}.ipynb") and t.startswith("build/"))
    root = executed.removesuffix(f"notebooks/{name}.ipynb")
    assert (root == "build/") == (variant == "")
    tree = "" if variant == "" else root
    needs = {f"notebooks/{name}.ipynb", f"{root}parameters/{name}.yml", "data/raw/sources.csv"}
    for key, value in parameters(name).items():
        if key == "corrections_file":
            needs.add(value)
        elif key.startswith("raw_") and key != "raw_dir":
            needs |= {f"data/raw/{value}", f"data/raw/{Path(value).with_suffix('.yml').as_posix()}"}
        elif key == "double_coded":
            needs |= {f"data/raw/{table}" for table in double_coded(name)}
        elif key.startswith("in_"):
            needs.add(tree + value)
        elif key.startswith("out_"):
            assert known.get(tree + value) == {executed}, value
            if tree:
                assert executed not in known.get(value, ())
    assert needs - known[executed] == set()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src" / "sentencing").glob("*.py")}
    assert modules - known[executed] == set()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_make_has_no_prerequisite_that_a_notebook_does_not_read(name):
    """Else a change of an unrelated table would run the notebook again."""
    values = {value for value in parameters(name).values() if isinstance(value, str)}
    tables = {
        p.removeprefix("data/raw/").removesuffix(".csv") + ".csv"
        for p in rules()[f"build/notebooks/{name}.ipynb"]
        if p.startswith("data/raw/") and p.endswith(".csv")
    }
    assert tables - values - set(double_coded(name)) <= {sources.SOURCES}


def double_coded(name: str) -> list[str]:
    """The two coders' own tables that a notebook reads, by the beginning of their names."""
    prefix = parameters(name).get("double_coded")
    every = {"01-clean-tip-report": ("counts", "custody", "sentences", "statutes"),
             "03-assemble-sentences": ("flags", "sentences")}  # fmt: skip
    kinds = every[name] if prefix else ()
    return [f"{prefix}_{kind}_{coder}.csv" for kind in kinds for coder in ("first", "second")]


def test_make_help_names_every_command():
    shown = make("help").stdout
    for command in ("all", "test", "clean", "check", "site", "lab"):
        assert re.search(rf"make {command}\s", shown), command


# --- Tables -------------------------------------------------------------------------------------------------------


def test_every_raw_table_has_a_sidecar_and_every_sidecar_a_table():
    tables = {path.with_suffix("") for path in paths.RAW.rglob("*.csv")}
    assert tables and tables == {path.with_suffix("") for path in paths.RAW.rglob("*.yml")}


def test_raw_folder_holds_nothing_else():
    suffixes = {p.relative_to(paths.RAW).as_posix() for p in paths.RAW.rglob("*") if p.is_file()}
    assert {name for name in suffixes if not name.endswith((".csv", ".yml"))} == {"README.md"}


def test_every_raw_table_is_named_where_the_tables_are_told():
    told = text("data/raw/README.md")
    for table in sources.list_tables():
        assert f"({table.removesuffix('.csv')}.yml)" in told, table


def test_every_processed_table_and_values_file_is_the_output_of_a_notebook_and_there():
    written = {value for name in NOTEBOOKS for key, value in parameters(name).items() if key.startswith("out_")}
    there = {path.relative_to(ROOT).as_posix() for place in (paths.PROCESSED, paths.RESULTS)
             for path in place.rglob("*") if path.is_file()}  # fmt: skip
    # Some take too long for every build, and the narratives are not kept here: they have own commands.
    apart = {"results/simulation.csv", "results/narrative-scores.csv", "results/multiverse.csv",
             "results/multiverse-countries.csv", "results/multiverse-countries-without.csv",
             "results/publication-designs.csv", f"results/{paths.TRUST}"}  # fmt: skip
    assert all(path in text("Makefile") for path in apart)
    assert there - {"data/processed/README.md", "results/README.md", *apart} == written


def test_readme_tells_the_agreement_that_the_sidecars_record():
    tables = ("counts", "sentences", "custody", "statutes")
    coded = {t: sources.read_sidecar(f"tip/coded_2018_{t}.csv")["double_coding"] for t in tables}
    told = re.search(
        r"F1 = ([\d.]+) \(counts\), ([\d.]+) \(sentences\), ([\d.]+) \(custody\) and ([\d.]+)", text("README.md")
    )
    assert [float(f1) for f1 in told.groups()] == [coded[table]["f1"] for table in tables]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_values_file_is_of_its_notebook_and_every_value_has_a_label_a_unit_and_known_sources(name):
    content = json.loads(text(f"results/{name}.json"), parse_constant=lambda constant: pytest.fail(constant))
    assert content["notebook"] == name and content["values"]
    for key, entry in content["values"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_]+", key)
        assert entry["label"].strip() and entry["unit"].strip() and "value" in entry
        assert set(filter(None, entry.get("source_ids", "").split(";"))) <= sources.read_sources().keys()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_value_names_the_code_cell_that_made_it(name):
    made_by = {key: entry.get("cell") for key, entry in json.loads(text(f"results/{name}.json"))["values"].items()}
    assert {key: cell for key, cell in made_by.items() if cell not in {c.id for c in cells(name)}} == {}


@pytest.mark.parametrize(
    ("file", "digest"),
    [
        ("expected.csv", "0321d656dc61b8519697bfcf09cc0150f3126171a8d3bfd548f7b6aac411ab05"),
        ("files.csv", "e67a77c3a734b45a18e6e4a3241d2d6f77e4ad6f1562aed7467ff2653c21a8db"),
        ("t1_mixed.csv", "e4cdac17b81f1573843e3d785fea1b600dc512a93cacd0e86ec92912b920f731"),
        ("t3_turbine.csv", "0f2bfa68c4be95a91aa0bb2d1690ac057c4d6b81d2dd8aafd8059cd0efdf7429"),
    ],
)
def test_reference_values_are_those_that_were_put_here(file, digest):
    """They come from other software; a test that fails against them is not mended by changing them."""
    assert hashlib.sha256((ROOT / "tests" / "oracles" / file).read_bytes()).hexdigest() == digest


def test_there_are_no_other_reference_values():
    assert len(list((ROOT / "tests" / "oracles").iterdir())) == 4


# --- All text -----------------------------------------------------------------------------------------------------


def test_no_file_names_a_place_on_a_machine_or_a_host_to_install_from():
    place = re.compile(r"(?<![\w.:/%-])/(?:home|root|work|Users|tmp)/\w|[A-Z]:\\Users")
    hosts = r"pypi|pythonhosted|anaconda\.(?:org|com)|artifactory|devpi|jfrog|(?:index|registry)[-_]url"
    host = re.compile(hosts, re.IGNORECASE)
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if place.search(line) or (path != Path(__file__) and host.search(line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line[:120]}")
    assert found == []


def test_text_files_end_lines_with_line_feeds_and_the_last_line_too():
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content and content and (b"\r" in content or not content.endswith(b"\n")):
            found.append(path.relative_to(ROOT).as_posix())
    assert found == []


# --- Who imports whom ---------------------------------------------------------------------------------------------


def imports(module: str) -> set[str]:
    """Modules of the package that a module (or any file of a subpackage) imports."""
    package = Path(sentencing.__file__).parent
    files = list((package / module).glob("*.py")) if (package / module).is_dir() else [package / f"{module}.py"]
    found = set()
    for file in files:
        depth = len(file.relative_to(package).parts)  # dots that lead to the package itself
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("sentencing.")}
                assert "sentencing" not in {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.level == depth or node.module == "sentencing"):
                named = node.module if node.level else None
                found |= {named.split(".")[0]} if named else {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module.startswith("sentencing."):
                found.add(node.module.split(".")[1])
    return found


def modules() -> set[str]:
    package = Path(sentencing.__file__).parent
    return {p.stem for p in package.iterdir() if p.name not in ("__init__.py", "__pycache__") and
            (p.suffix == ".py" or (p / "__init__.py").exists())}  # fmt: skip


def test_every_module_has_its_place_in_the_line():
    assert modules() == set(LINE)


@pytest.mark.parametrize("module", LINE)
def test_module_imports_only_what_stands_before_it(module):
    # Itself: a module that is run imports itself by the name under which other processes know it.
    assert imports(module) <= set(LINE[: LINE.index(module) + 1])


@pytest.mark.parametrize("module", ["tip", "centre", "courts", "grouping", "evidence", "stages", "models", "inference",
                                    "sentences", "claims"])  # fmt: skip
def test_module_that_computes_neither_writes_nor_draws(module):
    assert imports(module) & {"tables", "figures", "kernels", "notebooks", "site"} == set()


def test_code_that_no_result_rests_on_is_imported_by_none_that_gives_results():
    """Results are kept while it changes."""
    elsewhere = set(LINE) - {*fanout.NO_RESULTS, "countries"}
    assert {module: used for module in elsewhere if (used := imports(module) & set(fanout.NO_RESULTS))} == {}
    assert not re.search(
        r"sentencing import .*\b(site|narrative|fetch)\b", "".join(text(f"notebooks/{n}.ipynb") for n in NOTEBOOKS)
    )


def test_line_is_told_as_it_is():
    told = re.search(r"import only from the left:\n\n(.+?)(?:\n\n|\Z)", sentencing.__doc__, re.DOTALL)[1]
    assert re.findall(r"[a-z]+", told) == LINE


def test_package_can_be_imported_without_jupyter():
    code = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in ("nbformat", "papermill", "nbconvert", "nbclient", "IPython", "ipykernel", "filelock"):
            raise ImportError(f"{name} is blocked")
        if top.startswith("jupyter"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
import sentencing.corrections, sentencing.schemas, sentencing.periods
import sentencing.tip, sentencing.centre, sentencing.courts, sentencing.grouping, sentencing.evidence
import sentencing.stages, sentencing.tables, sentencing.figures
print("imported")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "imported\n", "")


def test_command_that_checks_parameters_loads_neither_plotting_nor_tables():
    """make runs it every time, so it has to answer at once."""
    code = "import sys, sentencing.notebooks; print(sorted({'papermill', 'matplotlib', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr
