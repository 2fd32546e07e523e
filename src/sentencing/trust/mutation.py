"""Do the tests notice when the code is changed? Small changes (mutants) are made to the code that results rest on,
one at a time, and the tests that reach the changed function are run; a mutant that no test fails on has survived.

    python -m sentencing.trust.mutation                  try a sample of the mutants
    python -m sentencing.trust.mutation --mutants all    try all of them
    python -m sentencing.trust.mutation --seed 7         try another sample

Mutants, and how they are run, are those of mutmut; which ones are tried is decided here. Exit code 1 when less than
LEAST of those tried were noticed. Needs the packages of the tests.
"""

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from statsmodels.stats.proportion import proportion_confint

from .. import paths, tables
from ..package import files
from . import Proof, record

MUTATED = ("periods", "facts", "tip", "centre", "courts", "corrections", "schemas",
           "grouping", "evidence", "stages", "models/*")  # fmt: skip
TESTS = ("periods", "tip", "centre", "courts", "official_sentences", "corrections", "schemas", "grouping", "evidence",
         "stages", "sentences", "processed_tables", "victims", "interval_regression", "turnbull", "custody",
         "random_intercept", "groups", "oracles", "estimands")  # fmt: skip
# Almost half the time of all of them goes into these four: many cases, or many fits, of one property each.
LEFT_OUT = (
    "interval_regression::test_shares_on_both_sides_of_one_edge_do_not_tell_location_from_scale",
    "interval_regression::test_groups_with_scales_of_their_own_are_refused_if_and_only_if_one_of_them_alone_is",
    "turnbull::test_interval_ends_where_the_profile_crosses_the_quantile",
    "centre::test_the_order_of_the_raw_rows_changes_nothing",
)
LEAST = 0.8
SAMPLE = 600
SEED = 20240912
WORKERS = 2
CONTROLS = 5  # nothing is changed in these, so they have to survive
# A test may take this many seconds of processor time and five times what it took with nothing changed. What several
# tests share takes up to some seconds, and any of them may be the one that has to make it.
SLACK = 20
FOLDER = paths.BUILD / "mutation"
SURVIVORS = paths.BUILD / "trust-detail" / "mutation-survivors"
KILLED, TIMED_OUT, SURVIVED, UNREACHED = "killed", "timed out", "survived", "without test"
# What pytest, the system and mutmut's runner end with. -27: a test ran too long; -24: all of them together did; other
# signals: the process was ended from within, as by a stack that overflowed, or for want of memory.
OUTCOMES = {0: SURVIVED, 1: KILLED, 3: KILLED, -6: KILLED, -9: KILLED, -11: KILLED, -24: TIMED_OUT, -27: TIMED_OUT,
            33: UNREACHED}  # fmt: skip
LIMITS = [
    "Only the bodies of functions and methods are mutated: nothing that is run when a module is imported, no class "
    "attribute, and no function with a decorator (cached properties, for one).",
    f"Only tests of these modules are run: {', '.join(f'test_{name}' for name in TESTS)}.",
    f"Not run, since they take long: {', '.join(LEFT_OUT)}.",
    "A mutant is tried by the tests that reach its function; those that reach it through another process do not count.",
    "A mutant on which a test does not end, or the process breaks down, counts as noticed.",
    "No mutant is left out, those that change nothing or only the words of a message not either.",
]


class NotTried(RuntimeError):
    """The tool failed, so nothing is known of the tests."""


class Mutant(NamedTuple):
    module: str  # periods, models/custody
    line: int
    before: str
    after: str


class Source(NamedTuple):
    """A module and all its mutants: as mutmut made them, and in words."""

    module: str
    tree: object
    mutations: list
    mutants: list[Mutant]


def read_source(file: Path, package: Path) -> Source:
    """The module in `file` with every mutant that mutmut makes of it."""
    import libcst
    from libcst.metadata import MetadataWrapper, PositionProvider
    from mutmut.mutation.file_mutation import create_mutations

    module = file.relative_to(package).with_suffix("").as_posix()
    tree, mutations, _, _ = create_mutations(str(file), file.read_text(encoding="utf-8"))
    mutations = [m for m in mutations if isinstance(m.contained_by_top_level_function, libcst.FunctionDef)]
    place = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    mutants = []
    for m in mutations:
        before, after = (tree.code_for_node(node).strip() for node in (m.original_node, m.mutated_node))
        mutants.append(Mutant(module, place[m.original_node].start.line, before, after))
    return Source(module, tree, mutations, mutants)


def mutated(source: Source, chosen: list[int]) -> tuple[str, list[str]]:
    """Code in which the chosen mutants of a module can be switched on, and their names, in the order of `chosen`.

    Parameters
    ----------
    chosen : list of int
        Places among the module's mutants, rising.
    """
    from mutmut.mutation.file_mutation import combine_mutations_to_source

    made = combine_mutations_to_source(source.tree, [source.mutations[i] for i in chosen])
    if len(made.mutant_names) != len(chosen):
        raise NotTried(f"{source.module}: {len(chosen)} mutants were asked for, {len(made.mutant_names)} made")
    ast.parse(made.code, source.module)
    dotted = source.module.removesuffix("/__init__").replace("/", ".")
    return made.code, [f"sentencing.{dotted}.{name}" for name in made.mutant_names]


def shares(counts: dict[str, int], size: int) -> dict[str, int]:
    """How many of a sample of `size` fall to each module: in proportion, the rest to the largest remainders."""
    total = sum(counts.values())
    exact = {module: size * count / total for module, count in counts.items()}
    given = {module: int(value) for module, value in exact.items()}
    for module in sorted(exact, key=lambda name: given[name] - exact[name])[: size - sum(given.values())]:
        given[module] += 1
    return given


def sample(counts: dict[str, int], size: int | None, seed: int) -> dict[str, list[int]]:
    """Places of the mutants to try in each module, rising; all of them where `size` is None or no less than all."""
    if size is None or size >= sum(counts.values()):
        return {module: list(range(count)) for module, count in counts.items()}
    chance = random.Random(seed)
    return {module: sorted(chance.sample(range(counts[module]), n)) for module, n in shares(counts, size).items()}


def prepare(folder: Path, code: dict[str, str], root: Path) -> None:
    """Copy the repository into `folder`/mutants, anew, with `code` in place of the modules' own."""
    if folder.exists():
        shutil.rmtree(folder)
    copy = folder / "mutants"
    for file in files.tracked(root, others=True):
        place = copy / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    for module, text in code.items():
        (copy / "src" / "sentencing" / f"{module}.py").write_text(text, encoding="utf-8")
    tests = [f"tests/test_{name}.py" for name in TESTS]
    arguments = ["-n", "0", "-p", "no:cacheprovider", "--hypothesis-profile", "mutation"]
    arguments += [f"--deselect=tests/test_{name}.py::{test}" for name, test in (k.split("::") for k in LEFT_OUT)]
    settings = f"[tool.mutmut]\nsource_paths = ['src']\npytest_add_cli_args = {arguments}\n"
    settings += f"pytest_add_cli_args_test_selection = {tests}\n"
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")


def run(folder: Path, names: list[str], controls: list[str]) -> dict[str, int]:
    """With what the tests of each mutant ended, by name, as `trying.py` found it; of `controls` too.

    Raises
    ------
    NotTried
        When tests fail with nothing changed, the tool breaks off, or a mutant ends in a way that is not known.
    """
    plan = {"names": [*controls, *names], "workers": WORKERS, "slack": SLACK}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(Path(__file__).with_name("trying.py")), "plan.json", "outcome.json"]
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log)
    outcome = folder / "outcome.json"
    if done.returncode or not outcome.exists():
        raise NotTried(f"nothing was tried, exit code {done.returncode}; see {paths.relative(folder / 'log.txt')}")
    codes = json.loads(outcome.read_text(encoding="utf-8"))
    check(codes, names, controls)
    return codes


def check(codes: dict[str, int], names: list[str], controls: list[str]) -> None:
    """Raise NotTried when the exit codes cannot be those of mutants that were all tried by tests that work."""
    if absent := {*names, *controls} - codes.keys():
        raise NotTried(f"{len(absent)} mutants were not tried: {', '.join(sorted(absent)[:5])}")
    if unknown := {name: code for name, code in codes.items() if code not in OUTCOMES}:
        raise NotTried(f"mutants ended in ways that are not known: {dict(list(unknown.items())[:5])}")
    if failed := [name for name in controls if OUTCOMES[codes[name]] not in (SURVIVED, UNREACHED)]:
        raise NotTried(f"tests fail though nothing is changed: {', '.join(failed)}")


def control_of(name: str) -> str:
    """The name under which a mutated function is what it was."""
    return name.rpartition("_")[0] + "_0"


def rows_of(enumerated: dict[str, int], tried: list[Mutant], outcomes: list[str]) -> list[dict]:
    """For each module: mutants, and how many of them were tried, killed (also by time) and survived."""
    counts = Counter((mutant.module, outcome) for mutant, outcome in zip(tried, outcomes, strict=True))
    rows = []
    for module, mutants in enumerated.items():
        of = {outcome: counts[module, outcome] for outcome in (KILLED, TIMED_OUT, SURVIVED, UNREACHED)}
        n = sum(of.values())
        noticed = of[KILLED] + of[TIMED_OUT]
        share = round(100 * noticed / n, 1) if n else ""
        rows.append({"module": module, "mutants": mutants, "tried": n, "killed": noticed, "survived": n - noticed,
                     "share": share})  # fmt: skip
    return rows


def proof_of(enumerated: dict[str, int], tried: list[Mutant], outcomes: list[str], command: str) -> Proof:
    """The score, with a 95 % interval for what it would be if all mutants were tried."""
    counts = Counter(outcomes)
    total, n = sum(enumerated.values()), len(tried)
    if not n:
        raise NotTried("there is no mutant to try")
    noticed = counts[KILLED] + counts[TIMED_OUT]
    low, high = (noticed / n,) * 2 if n == total else proportion_confint(noticed, n, method="wilson")
    figures = {
        "mutants_enumerated": total, "mutants_tried": n, "mutants_killed": counts[KILLED],
        "mutants_timed_out": counts[TIMED_OUT], "mutants_survived": counts[SURVIVED],
        "mutants_without_test": counts[UNREACHED], "share_killed_percent": round(100 * noticed / n, 1),
        "share_killed_low_percent": round(100 * low, 1), "share_killed_high_percent": round(100 * high, 1),
        "share_required_percent": round(100 * LEAST, 1),
    }  # fmt: skip
    told = f"Of {total} small changes to the code that results rest on, {n} were tried; the tests notice {noticed}"
    told += f" ({figures['share_killed_percent']} %"
    told += f", 95 % interval {100 * low:.1f} to {100 * high:.1f} %)." if n < total else ")."
    return Proof(command, noticed >= LEAST * n, told, figures, rows_of(enumerated, tried, outcomes), LIMITS)


def survivors(tried: list[Mutant], outcomes: list[str]) -> list[dict]:
    """File, line and change of each mutant that no test noticed."""
    left = [(m, o) for m, o in zip(tried, outcomes, strict=True) if o in (SURVIVED, UNREACHED)]
    return [{"file": f"src/sentencing/{m.module}.py", "line": m.line, "before": m.before, "after": m.after,
             "outcome": o} for m, o in left]  # fmt: skip


def write_survivors(found: list[dict], to: Path) -> str:
    """Write the list as `to`.json and `to`.txt; give the text."""
    lines = [f"{s['file']}:{s['line']} ({s['outcome']})\n  - {_line(s['before'])}\n  + {_line(s['after'])}\n"
             for s in found]  # fmt: skip
    tables.write_text(tables.json_text(found), to.with_suffix(".json"))
    tables.write_text("".join(lines), to.with_suffix(".txt"))
    return "".join(lines)


def _line(code: str) -> str:
    return " ".join(code.split())


def modules(package: Path) -> list[Path]:
    """The files of MUTATED."""
    return [file for name in MUTATED for file in sorted(package.glob(f"{name}.py"))]


def try_mutants(
    size: int | None, seed: int, command: str, root: Path = paths.ROOT, folder: Path = FOLDER
) -> tuple[Proof, list[dict]]:
    """Sample mutants, try them in `folder`, and say what was found: the proof and the survivors."""
    package = root / "src" / "sentencing"
    sources = {s.module: s for s in (read_source(file, package) for file in modules(package))}
    enumerated = {module: len(s.mutants) for module, s in sources.items() if s.mutants}
    chosen = {module: places for module, places in sample(enumerated, size, seed).items() if places}
    made = {module: mutated(sources[module], places) for module, places in chosen.items()}
    prepare(folder, {module: code for module, (code, _) in made.items()}, root)
    names = [name for _, some in made.values() for name in some]
    tried = [sources[module].mutants[i] for module, places in chosen.items() for i in places]
    some = random.Random(seed).sample(names, min(CONTROLS, len(names)))
    codes = run(folder, names, sorted({control_of(name) for name in some}))
    outcomes = [OUTCOMES[codes[name]] for name in names]
    return proof_of(enumerated, tried, outcomes, command), survivors(tried, outcomes)


def command_of(mutants: str, seed: int) -> str:
    """The command that tries the same mutants again."""
    if seed == SEED:
        return f"make mutation MUTANTS={mutants}"
    return f".venv/bin/python -m sentencing.trust.mutation --mutants {mutants} --seed {seed}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sentencing.trust.mutation", description="Do the tests notice when the code is changed?"
    )
    parser.add_argument("--mutants", default=str(SAMPLE), help=f"how many are tried, or all (default {SAMPLE})")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample")
    given = parser.parse_args(arguments)
    size = None if given.mutants == "all" else int(given.mutants)
    try:
        proof, left = try_mutants(size, given.seed, command_of(given.mutants, given.seed))
    except NotTried as error:
        print(f"mutation: {error}", file=sys.stderr)
        return 2
    print(write_survivors(left, SURVIVORS), end="")
    for row in proof.details:
        print("{module:26}{tried:5} of {mutants:5} tried, {killed:5} noticed, {share} %".format(**row))
    print(proof.told)
    record("mutation", proof)
    return int(not proof.passed)


if __name__ == "__main__":
    sys.exit(main())
