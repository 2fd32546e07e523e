"""Tries mutants: runs the tests that reach each, in a process of its own. Started by `sentencing.trust.mutation`:

    python trying.py plan.json outcome.json

in a folder that holds `mutants`, a copy of the repository in which mutated functions choose, when they are called,
which of their mutants they are (mutmut's arrangement). Only tests of the copy import the package, from there; nothing
here may import it.
"""

import contextlib
import functools
import json
import signal
import sys
import time
from pathlib import Path

import hypothesis
import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from mutmut.workers.isolation import ForkServerRunner

# Cheap tests first, but not each time one of another module: fixtures of a module would be made again and again.
STEPS = (0.1, 1.0)
# Examples are those of the ordinary run. The first that fails is enough, no smaller one is looked for.
hypothesis.settings.register_profile(
    "mutation", deadline=None, derandomize=True, report_multiple_bugs=False,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    suppress_health_check=list(hypothesis.HealthCheck),  # else a busy machine would kill mutants
)  # fmt: skip


class Reach:
    """While functions reached by tests are recorded: what was made once for several tests is reached by all of them.

    Otherwise only the test that happens to be the first would be run on a mutant in a shared fixture or cached helper.
    """

    def __init__(self):
        self.reached = {}  # functions and seconds, by fixture or call

    @contextlib.contextmanager
    def following(self, key):
        before, state()._stats = state()._stats, set()
        started = time.monotonic()
        try:
            yield
        finally:
            self.reached[key] = state()._stats, time.monotonic() - started
            state()._stats = before | state()._stats

    def cached(self, function):
        """In place of functools.cache."""
        kept = {}

        @functools.wraps(function)
        def call(*given):
            if given not in kept:
                with self.following((function, given)):
                    kept[given] = function(*given)
            state()._stats |= self.reached[function, given][0]
            return kept[given]

        return call

    def pytest_collection_finish(self):
        state()._stats.clear()  # what is reached outside of tests

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        with self.following(fixturedef.argname):
            return (yield)

    def pytest_runtest_call(self, item):
        for name in item.fixturenames:
            reached, seconds = self.reached.get(name, (set(), 0))
            state()._stats |= reached
            state().duration_by_test[item.nodeid] += seconds


class Limits:
    """While a mutant is tried: nothing is known from before, and no test runs for ever."""

    slack = 0.0

    def pytest_collection_finish(self, session):
        for module in {item.module for item in session.items}:
            for helper in vars(module).values():
                if hasattr(helper, "cache_clear"):
                    helper.cache_clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        signal.setitimer(signal.ITIMER_PROF, self.slack + 5 * state().duration_by_test[item.nodeid])
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


class Runner(PytestRunner):
    """mutmut's, with the plugins above."""

    plugin = Limits()

    def execute_pytest(self, params, plugins=(), **given):
        return super().execute_pytest(params, plugins=[*plugins, self.plugin], **given)

    def run_stats(self, *, tests):
        self.plugin = Reach()
        functools.cache = self.plugin.cached  # in the process that records only, before it imports a test
        return super().run_stats(tests=tests)


def main(plan_file: str, outcome_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    sys.path.insert(0, str(Path("mutants/src").resolve()))
    Limits.slack = plan["slack"]
    runner = ForkServerRunner(plan["workers"], Runner, {})
    started = time.monotonic()
    set_mutant_under_test("stats")
    if code := runner.collect_stats(None):
        sys.exit(f"with nothing changed the tests end with {code}")
    say(f"{len(state().duration_by_test)} tests pass, {time.monotonic() - started:.0f} s")
    set_mutant_under_test("fail")
    if runner.run_forced_fail() == 0:
        sys.exit("tests pass though every mutated function fails")
    set_mutant_under_test("")
    codes = try_all(runner, plan["names"])
    Path(outcome_file).write_text(json.dumps(codes), encoding="utf-8")


def try_all(runner: ForkServerRunner, names: list[str]) -> dict[str, int]:
    """Exit code by mutant."""
    codes = {}

    def take():
        result = runner.wait_for_result()
        codes[result.mutant_name] = result.exit_code
        print(result.mutant_name, result.exit_code, flush=True)
        if len(codes) % 50 == 0:
            say(f"{len(codes)} of {len(names)} tried")

    runner.startup()
    try:
        for name in names:
            while not runner.has_capacity():
                take()
            tests = tests_of(name)
            seconds = sum(state().duration_by_test[test] for test in tests)
            # Of processor time; half of it is the limit by the clock. Only what sleeps, or never ends a test, meets it.
            runner.submit(name, tests, 2 * (120 + 10 * int(seconds)), seconds)
        runner.signal_work_complete()
        while runner.pending_count():
            take()
    except BaseException:
        runner.stop_all_workers()
        raise
    runner.shutdown()
    return codes


def tests_of(name: str) -> list[str]:
    """The tests that reach the function of a mutant, in the order in which they are run."""
    tests = state().tests_by_mangled_function_name.get(mangled_name_from_mutant_name(name), ())
    took = state().duration_by_test
    return sorted(tests, key=lambda test: (sum(took[test] > step for step in STEPS), test.split("::")[0], took[test]))


def say(text: str) -> None:
    print(f"mutation: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
