"""Mutants: which are tried, what their fates mean, and a small repository in which one has to survive."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentencing.trust import mutation
from sentencing.trust.mutation import KILLED, SURVIVED, UNREACHED, Mutant, NotTried

COUNTS = st.dictionaries(st.text("abc", min_size=1), st.integers(1, 2000), min_size=1)


@given(COUNTS, st.integers(0, 3000), st.integers(0, 9))
def test_a_sample_has_the_size_asked_for_and_each_module_its_share(counts, size, seed):
    total = sum(counts.values())
    chosen = mutation.sample(counts, size, seed)
    assert sum(map(len, chosen.values())) == min(size, total)
    for module, places in chosen.items():
        assert places == sorted(set(places)) and set(places) <= set(range(counts[module]))
        assert abs(len(places) - min(size, total) * counts[module] / total) < 1


def test_the_seed_alone_decides_which_are_tried():
    counts = {"a": 1000, "b": 500}
    assert mutation.sample(counts, 60, 1) == mutation.sample(counts, 60, 1) != mutation.sample(counts, 60, 2)
    assert mutation.sample(counts, None, 1) == {"a": list(range(1000)), "b": list(range(500))}


def proof(enumerated: int = 1000, **numbers: int):
    outcomes = [outcome.replace("_", " ") for outcome, n in numbers.items() for _ in range(n)]
    return mutation.proof_of({"a": enumerated}, [Mutant("a", 1, "x", "y")] * len(outcomes), outcomes, "make mutation")


def test_the_score_counts_those_in_time_and_out_of_time_of_all_that_were_tried():
    found = proof(killed=60, timed_out=20, survived=15, without_test=5)
    assert found.passed and found.figures["share_killed_percent"] == 80.0
    names = ("mutants_tried", "mutants_killed", "mutants_timed_out", "mutants_survived", "mutants_without_test")
    assert [found.figures[name] for name in names] == [100, 60, 20, 15, 5]
    assert found.details == [
        {"module": "a", "mutants": 1000, "tried": 100, "killed": 80, "survived": 20, "share": 80.0}
    ]


@pytest.mark.parametrize(("killed", "survived", "passed"), [(80, 20, True), (799, 201, False), (0, 3, False)])
def test_less_than_four_of_five_is_not_enough(killed, survived, passed):
    assert proof(killed=killed, survived=survived, enumerated=2000).passed == passed


def test_the_interval_has_as_its_ends_the_shares_that_are_just_not_rejected():
    figures = proof(killed=83, survived=17).figures
    for end in (figures["share_killed_low_percent"] / 100, figures["share_killed_high_percent"] / 100):
        assert abs(0.83 - end) / (end * (1 - end) / 100) ** 0.5 == pytest.approx(1.96, abs=0.02)


def test_where_all_were_tried_nothing_is_uncertain():
    figures = proof(enumerated=10, killed=9, survived=1).figures
    assert figures["share_killed_low_percent"] == figures["share_killed_high_percent"] == 90.0


def test_without_a_mutant_there_is_no_score():
    with pytest.raises(NotTried):
        proof()


@pytest.mark.parametrize(
    ("codes", "told"),
    [({"a": 1}, "were not tried: b"), ({"a": 1, "b": 255}, "not known"), ({"a": 1, "b": None}, "not known")],
)
def test_a_mutant_of_which_nothing_is_known_is_no_result(codes, told):
    with pytest.raises(NotTried, match=told):
        mutation.check({**codes, "nothing": 0}, ["a", "b"], ["nothing"])


@pytest.mark.parametrize("code", [1, -27])
def test_tests_that_fail_though_nothing_is_changed_give_no_result(code):
    with pytest.raises(NotTried, match="nothing is changed"):
        mutation.check({"a": 1, "nothing": code}, ["a"], ["nothing"])


def test_a_tool_that_fails_is_told_and_leaves_no_record(monkeypatch, capsys):
    def fail(*_):
        raise NotTried("it broke")

    monkeypatch.setattr(mutation, "try_mutants", fail)
    monkeypatch.setattr(mutation, "record", lambda *_: pytest.fail("recorded"))
    assert mutation.main(["--mutants", "3"]) == 2
    assert "it broke" in capsys.readouterr().err


@pytest.mark.parametrize(("killed", "code"), [(8, 0), (7, 1)])
def test_the_exit_code_is_that_of_the_score_and_survivors_are_listed(killed, code, monkeypatch, tmp_path, capsys):
    found = proof(killed=killed, survived=10 - killed)
    left = mutation.survivors([Mutant("models/custody", 7, "a <\n  b", "a <= b")] * 2, [KILLED, SURVIVED])
    kept = {}
    monkeypatch.setattr(mutation, "try_mutants", lambda *_: (found, left))
    monkeypatch.setattr(mutation, "record", kept.__setitem__)
    monkeypatch.setattr(mutation, "SURVIVORS", tmp_path / "survivors")
    assert mutation.main([]) == code and kept == {"mutation": found}
    said = "src/sentencing/models/custody.py:7 (survived)\n  - a < b\n  + a <= b\n"
    assert said in capsys.readouterr().out and (tmp_path / "survivors.txt").read_text(encoding="utf-8") == said
    assert json.loads((tmp_path / "survivors.json").read_text(encoding="utf-8"))[0]["line"] == 7


CODE = """
def larger(a, b):
    return a if a > b else b


def forever(n):
    while n > 0:
        n = n - 1
    return n


def unasked(a):
    return a + 1
"""
TESTS = """
import functools

from sentencing import periods


@functools.cache
def found():
    return periods.larger(3, 2)


def test_first():
    assert found() is not None


def test_second():
    assert found() == 3


def test_forever():
    assert periods.forever(4) == 0
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A repository with one module, in a folder with a space in its name."""
    root = tmp_path / "a repository"
    for name, content in {"src/sentencing/__init__.py": "", "src/sentencing/periods.py": CODE,
                          "tests/test_periods.py": TESTS}.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    for name, value in {"TESTS": ("periods",), "LEFT_OUT": (), "MUTATED": ("periods",)}.items():
        monkeypatch.setattr(mutation, name, value)
    monkeypatch.setattr(mutation, "SLACK", 0.3)
    return root


def test_in_a_small_repository_the_fate_of_each_mutant_is_what_it_has_to_be(small):
    found, left = mutation.try_mutants(None, 0, "make mutation", small, small / "build" / "mutation")
    fate = {(s["before"], s["after"]): s["outcome"] for s in left}
    assert fate["> b", ">= b"] == SURVIVED  # gives the same
    assert fate["a + 1", "a - 1"] == UNREACHED
    assert ("n - 1", "n + 1") not in fate and found.figures["mutants_timed_out"] >= 1
    # By the second of two tests, though the first had the helper's value computed.
    assert ("a if a > b else b", "a if (a > b) and False else b") not in fate
    assert sum(found.figures[f"mutants_{o}"] for o in ("killed", "timed_out", "survived", "without_test")) == \
        found.figures["mutants_tried"] == found.figures["mutants_enumerated"]  # fmt: skip


def test_in_a_small_repository_whose_tests_fail_nothing_is_tried(small):
    test = small / "tests" / "test_periods.py"
    test.write_text(TESTS.replace("== 3", "== 4"), encoding="utf-8")
    with pytest.raises(NotTried, match="exit code 1"):
        mutation.try_mutants(None, 0, "make mutation", small, small / "build" / "mutation")


def test_the_command_told_tries_the_same_again():
    assert mutation.command_of("all", mutation.SEED) == "make mutation MUTANTS=all"
    assert mutation.command_of("9", 7).endswith("sentencing.trust.mutation --mutants 9 --seed 7")


def test_every_module_and_test_that_is_named_is_there():
    package = mutation.paths.ROOT / "src" / "sentencing"
    assert all(list(package.glob(f"{name}.py")) for name in mutation.MUTATED)
    for name in mutation.TESTS:
        assert (mutation.paths.ROOT / "tests" / f"test_{name}.py").exists(), name
    for left_out in mutation.LEFT_OUT:
        name, test = left_out.split("::")
        assert f"def {test}(" in (mutation.paths.ROOT / "tests" / f"test_{name}.py").read_text(encoding="utf-8")
