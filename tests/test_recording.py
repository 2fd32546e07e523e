"""Suites that record what they found: every test counted once, and nothing passes that was not tried."""

import json

import pytest
import recording

from sentencing import paths, trust

pytest_plugins = ["pytester"]
HOOKS = f"""import sys
sys.path.insert(0, {str(paths.ROOT / "tests")!r})
from recording import pytest_addoption, pytest_collection_modifyitems, pytest_configure
"""
SUITE = '''"""Tests of a small suite."""
import os
import pytest

@pytest.mark.parametrize("n", range(3))
def test_killed(n):
    """Something is killed."""
    assert n >= LEAST

@pytest.mark.skipif(True, reason="there is no such tool here")
@pytest.mark.parametrize("n", range(2))
def test_full(n):
    """The disk is full.

    More words.
    """

def test_late():
    if SKIPS:
        pytest.skip("it has no time")

@pytest.fixture
def after():
    yield
    assert WHOLE

def test_of_words(after):
    pass
'''


@pytest.fixture
def suite(pytester, tmp_path, monkeypatch):
    """Runs the small suite with the recorder and gives its exit code and the record."""
    monkeypatch.setattr(trust, "RECORDS", tmp_path / "trust")

    def run(*options: str, code: str = "", source: str = SUITE, name="faults", **changed) -> tuple[int, dict]:
        settings = {"LEAST": 0, "SKIPS": False, "WHOLE": True} | changed
        header = "".join(f"{key} = {value}\n" for key, value in settings.items())
        pytester.makepyfile(test_small=source.replace("import os\n", f"import os\n{header}{code}"))
        pytester.makeconftest(HOOKS)
        given = ("-p", "no:cacheprovider", "--record", name, f"make {name}", *options)
        done = pytester.runpytest_inprocess(*given, no_reraise_ctrlc=True)
        return int(done.ret), json.loads((tmp_path / "trust" / f"{name}.json").read_text(encoding="utf-8"))

    return run


def rows(record: dict) -> dict[str, tuple[int, int, int]]:
    return {row["kind"]: (row["tried"], row["survived"], row["skipped"]) for row in record["details"]}


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)])
def test_each_test_counts_once_in_the_row_of_its_function(suite, workers):
    code, record = suite(*workers)
    assert (code, record["passed"], record["command"]) == (0, True, "make faults")
    assert record["figures"] == {"faults_tried": 5, "faults_survived": 5, "faults_skipped": 2}
    assert rows(record) == {"Something is killed": (3, 3, 0), "The disk is full": (0, 0, 2), "late": (1, 1, 0),
                            "of words": (1, 1, 0)}  # fmt: skip
    assert record["limits"] == ["2 not tried: there is no such tool here"]
    assert record["told"] == "5 faults tried, 5 survived, 2 could not be tried here."


@pytest.mark.parametrize(
    ("changed", "row", "counted"),
    [({"LEAST": 1}, "Something is killed", (3, 2, 0)), ({"WHOLE": False}, "of words", (1, 0, 0))],
    ids=["test fails", "fails afterwards"],
)
def test_one_that_fails_is_tried_and_did_not_survive(suite, changed, row, counted):
    code, record = suite(**changed)
    assert (code, record["passed"], rows(record)[row]) == (1, False, counted)
    assert record["figures"]["faults_tried"] == record["figures"]["faults_survived"] + 1


def test_what_is_skipped_while_it_runs_is_not_tried(suite):
    _, record = suite(SKIPS=True)
    assert rows(record)["late"] == (0, 0, 1) and "1 not tried: it has no time" in record["limits"]


@pytest.mark.parametrize(
    ("options", "source"),
    [(("-k", "nothing"), SUITE), (("-k", "full"), SUITE), ((), "import os\nimport not_there"),
     (("-k", "killed"), SUITE + "\ndef test_killed_by_hand():\n    raise KeyboardInterrupt\n")],
    ids=["no test", "all skipped", "not collected", "interrupted"],
)  # fmt: skip
def test_a_run_that_tried_nothing_or_broke_off_has_not_passed(suite, options, source):
    code, record = suite(*options, source=source)
    assert not record["passed"] and (code == 0 or any("broke off" in limit for limit in record["limits"]))


@pytest.mark.slow
def test_a_worker_that_crashes_takes_the_record_with_it(suite):
    code, record = suite("-n", "1", code="def test_crash():\n    os._exit(1)\n\n")
    assert code != 0 and not record["passed"] and rows(record)["crash"] == (1, 0, 0)


def test_a_run_that_is_killed_leaves_no_earlier_record(suite, tmp_path):
    suite()
    recorder = recording.Recorder("faults", "make faults")
    recorder.pytest_sessionstart()
    assert list((tmp_path / "trust").iterdir()) == []


def test_many_tests_are_counted_by_file(suite):
    _, record = suite(name="tests")
    assert record["details"] == [{"kind": "Tests of a small suite", "tried": 5, "passed": 5, "skipped": 2}]
    assert record["told"] == "5 tests tried, 5 passed, 2 could not be tried here."


def test_other_suites_have_no_record(pytester):
    pytester.makeconftest(HOOKS)
    done = pytester.runpytest_inprocess("--record", "others", "make others")
    assert done.ret == pytest.ExitCode.USAGE_ERROR


def test_every_suite_that_can_be_recorded_has_its_place_on_the_page():
    assert set(recording.WORDS) <= set(trust.ORDER)
