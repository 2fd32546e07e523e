"""What the repository proves of itself: two builds compared, and what was found written down and shown."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentencing import paths, trust
from sentencing.package import citation, programs
from sentencing.trust import compare, newest, verify

FOUND = trust.Proof("make audit", True, "2 of 2 checks passed", {"checks_passed": 2}, [{"check": "a", "n": 1}], ["x"])

# --- How alike two files are ------------------------------------------------------------------------------------------


def level(one: str, two: str) -> str:
    found = compare.contents("f.csv", one.encode(), two.encode())
    return found.level if found else compare.SAME


@pytest.mark.parametrize("one, two, expected", [
    ("a,1.5\n", "a,1.5\n", compare.SAME),
    ("a,1.50001\n", "a,1.50002\n", compare.CLOSE),
    ("a,-0.333333\n", "a,-0.333332\n", compare.CLOSE),
    ("x 1.00001e-05 y", "x 1.00002e-05 y", compare.CLOSE),
    ("0.000000001,", "0,", compare.CLOSE),
    ('{"low": 36.1234, "n": 5}', '{"low": 36.1235, "n": 5}', compare.CLOSE),
    ("a,1.5\n", "a,1.6\n", compare.OTHER),
    ("a,1.5\n", "a,-1.5\n", compare.OTHER),
    ("a,1.5\n", "b,1.5\n", compare.OTHER),
    ("a,1.5\n", "a,1.5\na,1.5\n", compare.OTHER),
    ("n,100000\n", "n,100001\n", compare.OTHER),  # a whole number counts something or names it
    ("2018-04-01", "2018-04-02", compare.OTHER),
    ("row_1.50001x", "row_1.50002x", compare.OTHER),
    ("a,1.5,\n", "a,1.5,1.5\n", compare.OTHER),
    ("", "1", compare.OTHER),
])  # fmt: skip
def test_two_texts_are_the_same_or_close_or_different(one, two, expected):
    assert level(one, two) == level(two, one) == expected


@given(st.floats(1e-3, 1e6), st.floats(-1e-2, 1e-2))
def test_numbers_are_close_within_the_tolerance_and_different_beyond_it(number, change):
    one, two = f"x,{number!r}\n", f"x,{number * (1 + change)!r}\n"
    size = abs(change)
    if size > 1.01 * compare.RELATIVE and size * number > 2 * compare.ABSOLUTE:
        assert level(one, two) == compare.OTHER
    elif size < 0.99 * compare.RELATIVE:
        assert level(one, two) in (compare.SAME, compare.CLOSE)


def test_what_is_no_text_must_be_the_same_to_the_byte():
    assert compare.contents("f.png", b"\xff\x001.50001", b"\xff\x001.50002").level == compare.OTHER


def test_first_place_that_differs_is_told():
    found = compare.contents("f.csv", b"a,b\n1,two\n", b"a,b\n1,too\n")
    assert "line 2: '1,two' and '1,too'" in found.told
    assert "(no such line)" in compare.contents("f.csv", b"a\nb", b"a\nb\nc").told


def test_trees_are_compared_by_name_and_what_one_lacks_is_told(tmp_path):
    for side, content in (("one", "1.5"), ("two", "1.5")):
        (tmp_path / side).mkdir()
        (tmp_path / side / "same").write_text(content)
    (tmp_path / "one" / "lone").write_text("x")
    found = compare.trees(["same", "lone"], tmp_path / "one", tmp_path / "two")
    assert (found.files, found.size_bytes) == (2, 3)
    assert [(d.file, d.told) for d in found.differences] == [("lone", "only in the first")]


# --- Two builds -------------------------------------------------------------------------------------------------------

# What a build could depend on, as a line of its recipe, and whether two builds then give the same.
PLANTED = {
    "nothing": ("@printf '1.5\\n'", True),
    "time zone": ("@date +%H", False),
    "order of a set": ("@python3 -c \"print(list({'a', 'b', 'c', 'd', 'e'}))\"", False),
    "folder": ("@pwd", False),
    "jobs": ("@echo $(MAKEFLAGS)", False),
    "home": ("@echo $$HOME", False),
    "locale": ("@echo $$LC_ALL", False),
    "rights of new files": ("@umask", False),
    "chance": ("@python3 -c 'import random; print(random.random())'", False),
}


def git(root: Path, *command: str) -> None:
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b.example", *command], cwd=root, check=True)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Make a git repository of a Makefile with one recipe, whose output is written to a result."""
    monkeypatch.setattr(verify.programs, "makers", lambda root: {"results/r.csv": programs.LONGER[-1]})
    monkeypatch.setattr(verify, "_not_made", lambda root, remade: [])
    monkeypatch.setattr(
        verify, "make_locale", lambda name, to: {}
    )  # takes five seconds; its name is given all the same

    def make(recipe: str, committed: str = "1.5\n"):
        root = tmp_path / "repository"
        (root / "results").mkdir(parents=True)
        (root / "results" / "r.csv").write_text(committed)
        line = recipe.removeprefix("@")
        (root / "Makefile").write_text(f"all:\n\t@{{ {line}; }} > results/r.csv\n")
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
            git(root, *command)
        return root

    return make


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.mark.parametrize("planted", PLANTED)
def test_a_build_that_depends_on_its_circumstances_is_found(small, folder, planted):
    recipe, same = PLANTED[planted]
    found, lines = verify.verify(small(recipe), folder)
    assert found.passed is same
    assert (found.figures["files_that_differ_between_builds"] == 0) is same
    assert any("results/r.csv: different" in line for line in lines) is not same


@pytest.mark.parametrize("committed, passed, close", [("1.5\n", True, 0), ("1.50001\n", True, 1), ("1.6\n", False, 0)])
def test_a_build_is_compared_with_what_is_committed_at_two_levels(small, folder, committed, passed, close):
    found, lines = verify.verify(small("@printf '1.5\\n'", committed), folder)
    assert found.passed is passed and found.figures["files_equal_within_tolerance_only"] == close
    assert any("NOTICE" in line for line in lines) is bool(close)
    assert found.figures["bytes_compared_between_builds"] == len("1.5\n")


def test_a_result_that_is_committed_but_not_made_is_no_success(small, folder):
    """A build that leaves the committed file alone would compare it with itself."""
    root = small("@true")
    (root / "Makefile").write_text("all:\n\t@true\n")
    git(root, "commit", "-qam", "One that makes nothing")
    found, _ = verify.verify(root, folder)
    assert not found.passed and found.figures["files_other_than_committed"] == 1


def test_a_build_that_fails_is_told_with_the_end_of_its_log(small, folder):
    with pytest.raises(verify.Failed, match=r"exit code 2(?s:.)*no room"):
        verify.verify(small("@echo no room >&2; false"), folder)


def test_results_of_longer_commands_are_made_anew_when_asked_for(small, folder, monkeypatch):
    root = small("@printf '1.5\\n'")
    (root / "results" / "long.csv").write_text("1\n")
    with (root / "Makefile").open("a") as file:
        file.write("long:\n\techo $(WORKERS) > results/long.csv\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "With a longer command")
    long = programs.Program("long", "", "make long", (), ("results/long.csv",))
    monkeypatch.setattr(verify.programs, "LONGER", (*programs.LONGER, long))
    for name in ("short", "long"):
        (folder / name).mkdir()
    assert verify.verify(root, folder / "short")[0].passed
    found, lines = verify.verify(root, folder / "long", ("long",))
    assert not found.passed and found.figures["files_made_anew"] == 2
    assert any("results/long.csv" in line for line in lines)


def test_changes_that_are_not_committed_are_refused(small, folder):
    root = small("@true")
    (root / "Makefile").write_text("all:\n\t@true\n")
    with pytest.raises(ValueError, match="Commit first.*Makefile"):
        verify.verify(root, folder)


def test_a_build_inherits_neither_options_of_make_nor_python_nor_language(tmp_path):
    given_ = {"PATH": os.environ["PATH"], "MAKEFLAGS": "n", "PYTHONPATH": "/x", "COUNTRY": "MKD", "PIP_INDEX": "y"}
    seen = verify.surroundings(verify.SETTINGS[0], tmp_path, given_)
    assert {"MAKEFLAGS", "PYTHONPATH", "COUNTRY"}.isdisjoint(seen) and seen["PIP_INDEX"] == "y"
    first, second = verify.SETTINGS
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_a_locale_that_the_system_lacks_is_made(tmp_path):
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/tr_TR").exists():
        pytest.skip("localedef or its definitions are not here")
    variables = {"PATH": os.environ["PATH"], "LC_ALL": "tr_TR.UTF-8", **verify.make_locale("tr_TR.UTF-8", tmp_path)}
    assert verify.has_locale(variables)
    assert not verify.has_locale({**variables, "LC_ALL": "xx_XX.UTF-8"})


def test_every_table_and_result_is_made_anew_or_named_as_not():
    made = {name for name, program in programs.makers().items() if program not in programs.LONGER}
    kept = {name for program in programs.LONGER for name in program.writes}
    there = {path.relative_to(paths.ROOT).as_posix() for kind in ("processed tables", "results")
             for pattern in verify.KINDS[kind] for path in paths.ROOT.glob(pattern)}  # fmt: skip
    assert there - {"data/processed/README.md", "results/README.md"} <= made | kept


# --- With newest packages ---------------------------------------------------------------------------------------------


def test_packages_that_are_newer_than_their_pins_are_listed():
    pins = citation.pins()
    asked = citation.direct(tests=True)
    assert set(asked) <= set(pins) and "pandas" in asked
    rows = newest.newer(["pandas", "numpy"], {"pandas": "3.0", "numpy": "2.0"}, {"Pandas": "3.1", "numpy": "2.0"})
    assert rows == [{"package": "pandas", "pinned": "3.0", "newest": "3.1"}]


def test_other_results_with_newer_packages_are_a_failure():
    close = compare.Comparison(2, 10, [compare.Difference("a", compare.CLOSE, "")])
    other = compare.Comparison(2, 10, [compare.Difference("a", compare.OTHER, "")])
    assert newest.proof({"results": close}, ["a"], [], "5 passed", 3).passed
    assert not newest.proof({"results": other}, ["a"], [], "5 passed", 3).passed


# --- Written down and shown -------------------------------------------------------------------------------------------


def test_what_was_found_is_written_with_the_state_it_was_found_on(tmp_path):
    path = trust.record("audit", FOUND, tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["figures"] == {"checks_passed": 2} and content["passed"] is True
    assert len(content["day"]) == 10 and content["made_with"].startswith("Python 3")
    with pytest.raises(ValueError, match="nonsense"):
        trust.record("nonsense", FOUND, tmp_path)


def test_records_are_gathered_in_order_and_replace_older_ones(tmp_path):
    to = tmp_path / "trust.json"
    trust.record("mutation", FOUND, tmp_path / "one")
    trust.record("verify", FOUND, tmp_path / "one")
    assert list(trust.gather(tmp_path / "one", to)) == ["verify", "mutation"]
    trust.record("verify", FOUND._replace(passed=False), tmp_path / "two")
    gathered = trust.gather(tmp_path / "two", to)
    assert [gathered[name]["passed"] for name in ("verify", "mutation")] == [False, True]
    assert json.loads(to.read_text(encoding="utf-8")) == gathered
