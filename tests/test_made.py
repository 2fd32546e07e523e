"""Targets of make: made anew when what they were made from, or they themselves, are not as they were."""

import os
import signal
import sys
import threading
import time

import pytest
from conftest import wait_until
from filelock import FileLock

from sentencing import made, paths

TARGET = "build/out/table.csv"
WRITE = "import pathlib, sys; a, b = map(pathlib.Path, sys.argv[1:]); b.write_bytes(a.read_bytes() * 2)"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An empty repository with one input."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "in.csv").write_text("1\n")
    return tmp_path


def run(source: str = WRITE, *outputs: str) -> int:
    given = ["--from", "in.csv", "not-there", "--with", *outputs]
    return made.main(["run", TARGET, *given, "--", sys.executable, "-c", source, "in.csv", TARGET])


def named(capsys) -> list[str]:
    """Targets that have to be made anew, of the one and of one that is not there."""
    capsys.readouterr()
    assert made.main(["unfit", TARGET, "build/none"]) == 0
    return capsys.readouterr().out.split()


def test_target_fits_until_it_or_an_input_or_an_output_changes(root, capsys):
    (root / "more").mkdir()
    (root / "more" / "page.html").write_text("page")
    assert run(WRITE, "more") == 0 and named(capsys) == []
    for place in (root / TARGET, root / "in.csv", root / "more" / "page.html"):
        content = place.read_bytes()
        place.write_bytes(b"")
        os.utime(place, (0, 0))
        assert named(capsys) == [TARGET], place
        place.write_bytes(content)
        assert named(capsys) == []
    (root / "not-there").write_text("now it is")
    assert named(capsys) == [TARGET]


def test_target_without_a_whole_record_is_made_anew(root, capsys):
    run()
    record = made.record_of(TARGET)
    whole = record.read_bytes()
    for content in (b"", whole[:-5]):
        record.write_bytes(content)
        assert named(capsys) == [TARGET]
    record.unlink()
    assert named(capsys) == [TARGET]
    (root / TARGET).unlink()
    assert named(capsys) == []


def test_what_a_command_changes_itself_is_output(root, capsys):
    assert run(WRITE + "; a.write_text('2')", "in.csv") == 0
    assert named(capsys) == []


def test_input_that_changes_meanwhile_is_told_and_the_target_is_not_trusted(root, capsys):
    assert run(WRITE + "; a.write_text('2')") == 1
    assert "in.csv changed while it was made" in capsys.readouterr().err
    assert named(capsys) == [TARGET]


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_command_that_fails_or_is_killed_gives_no_record_and_keeps_its_exit_code(root, capsys, end, code):
    run()
    (root / "in.csv").write_text("2\n")
    assert run(WRITE + "; " + end) == code
    assert (signal.Signals(9).name in capsys.readouterr().err) == (code == 137)
    assert named(capsys) == [TARGET]


def test_target_is_not_older_than_inputs_of_the_future(root, capsys):
    future = time.time() + 86400
    os.utime(root / "in.csv", (future, future))
    run()
    assert (root / TARGET).stat().st_mtime_ns == (root / "in.csv").stat().st_mtime_ns
    os.utime(root / "in.csv", (0, 0))
    run()
    assert abs((root / TARGET).stat().st_mtime - time.time()) < 60


def test_stamp_is_made_where_the_command_writes_nothing(root):
    assert run("pass") == 0 and (root / TARGET).read_bytes() == b""


def test_second_of_two_waits_and_does_not_repeat_what_the_first_did(root, capsys):
    run()
    ended = []
    with FileLock(made.record_of(TARGET).with_name("table.csv.json.lock")):
        other = threading.Thread(target=lambda: ended.append(run("sys.exit('it was run')")))
        other.start()
        told = []
        wait_until(lambda: told.append(capsys.readouterr().out) or "another make is at it" in "".join(told))
    other.join()
    assert ended == [0]


def test_fault_of_the_disk_is_told_in_words(root, capsys):
    (root / "build" / ".made").write_text("a file where a folder has to be")
    assert run() == 1
    assert TARGET in capsys.readouterr().err


def test_workplace_is_empty_whatever_was_left_and_removed_in_the_end(tmp_path):
    place = tmp_path / "not yet" / "place"
    with made.workplace(place):
        (place / "x").write_text("x")
    assert not place.exists()
    place.mkdir()
    (place / "left").write_text("by one that was killed")
    with pytest.raises(KeyError), made.workplace(place) as folder:
        assert list(folder.iterdir()) == []
        raise KeyError
    assert not place.exists()


def test_run_without_a_command_is_refused(root):
    with pytest.raises(SystemExit):
        made.main(["run", TARGET, "--from", "in.csv"])
