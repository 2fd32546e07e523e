"""What a run of a suite found, counted for `sentencing.trust`: pytest --record faults "make faults".

Each test is one thing tried. Rows are of one test function each, told by the first line of its docstring; of all tests
of the repository, which are many, of one file each. Counted where reports come together, so with pytest-xdist too.
"""

import collections
import inspect

import pytest

from sentencing import trust

# What is tried by each suite that can be recorded, and what is said of one that went well.
WORDS = {"faults": ("faults", "survived"), "hostile": ("hostile inputs", "survived"), "tests": ("tests", "passed")}
KIND = "kind"
WENT_WELL, WENT_WRONG, NOT_TRIED = "well", "wrong", "not tried"


def pytest_addoption(parser: pytest.Parser) -> None:
    told = f"record what this run finds: {', '.join(WORDS)}, and the command that repeats it"
    parser.addoption("--record", nargs=2, metavar=("NAME", "COMMAND"), help=told)


def pytest_configure(config: pytest.Config) -> None:
    if not (given := config.getoption("record")):
        return
    if given[0] not in WORDS:
        raise pytest.UsageError(f"--record {given[0]}: expected one of {', '.join(WORDS)}")
    if not hasattr(config, "workerinput"):  # reports of all workers come together in the process that started them
        config.pluginmanager.register(Recorder(*given), "recorder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if given := config.getoption("record"):
        for item in items:
            item.user_properties.append((KIND, kind(item, given[0])))


def kind(item: pytest.Item, name: str) -> str:
    """In words, what a test tries: the row in which it is counted."""
    told = inspect.getdoc(item.module if name == "tests" else item.function)
    named = item.path.stem if name == "tests" else getattr(item, "originalname", item.name)
    return told.splitlines()[0].rstrip(".") if told else named.removeprefix("test_").replace("_", " ")


class Recorder:
    """A plugin that counts reports and writes one record when the session ends."""

    def __init__(self, name: str, command: str):
        self.name, self.command, self.folder = name, command, trust.RECORDS
        self.outcomes: dict[str, str] = {}  # by test
        self.kinds: dict[str, str] = {}
        self.reasons: dict[str, str] = {}  # why a test was skipped
        self.broken: list[str] = []  # what the suite itself failed of

    def pytest_sessionstart(self) -> None:
        # Were this run killed, no record of an earlier one would stand for it.
        (self.folder / f"{self.name}.json").unlink(missing_ok=True)

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid} could not be collected.")

    def pytest_runtest_logreport(self, report) -> None:
        test = report.nodeid
        # A worker that crashes reports without what its tests said of themselves.
        self.kinds[test] = dict(report.user_properties).get(KIND) or self.kinds.get(test, test.partition("::")[2])
        if report.failed or hasattr(report, "wasxfail"):
            self.outcomes[test] = WENT_WRONG
        elif report.skipped:
            self.outcomes[test] = NOT_TRIED
            self.reasons[test] = report.longrepr[2].removeprefix("Skipped: ")
        elif report.when == "call":
            self.outcomes.setdefault(test, WENT_WELL)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        trust.record(self.name, self.proof(exitstatus), self.folder)

    def proof(self, exitstatus: int) -> trust.Proof:
        """What was found; passed only when the suite ran to its end, tried something, and all of it went well."""
        things, well = WORDS[self.name]
        total = _counted(self.outcomes.values(), well)
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not self.broken
        broken = [] if ended else [f"The run broke off (pytest's exit code is {int(exitstatus)}).", *self.broken]
        by_kind = collections.defaultdict(list)
        for test, outcome in self.outcomes.items():
            by_kind[self.kinds[test]].append(outcome)
        skips = collections.Counter(self.reasons.values())
        return trust.Proof(
            command=self.command,
            passed=exitstatus == pytest.ExitCode.OK and ended and 0 < total["tried"] == total[well],
            told=f"{total['tried']} {things} tried, {total[well]} {well}, {total['skipped']} could not be tried here.",
            figures={f"{self.name}_{what}": count for what, count in total.items()},
            details=[{"kind": told, **_counted(found, well)} for told, found in sorted(by_kind.items())],
            limits=broken + [f"{times} not tried: {reason}" for reason, times in sorted(skips.items())],
        )


def _counted(outcomes, well: str) -> dict[str, int]:
    found = collections.Counter(outcomes)
    return {"tried": found[WENT_WELL] + found[WENT_WRONG], well: found[WENT_WELL], "skipped": found[NOT_TRIED]}
