"""The archive that is deposited: committed files only, the same bytes every time, whole after unpacking."""

import hashlib
import shutil
import subprocess
import zipfile

import pytest

from sentencing import paths
from sentencing.package import archive, files

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
NAME = archive.name()


@pytest.fixture
def repository(tmp_path):
    """A working tree with a plain file, a program, a hidden file, one that is ignored and one that is not committed."""
    root = tmp_path / "a place"
    for name, content in {
        "z.txt": "last\n", "a/č.txt": "first\n", "run": "#!/bin/sh\n", ".hidden/x": "x\n", ".gitignore": "build/\n",
        "build/made": "made\n",
    }.items():  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    (root / "run").chmod(0o755)
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "later.txt").write_text("not committed\n")
    return root


def test_committed_files_and_their_checksums_are_packed_in_order(repository, tmp_path):
    names = archive.write(tmp_path / "out.zip", repository)
    assert names == [".gitignore", ".hidden/x", "MANIFEST.sha256", "a/č.txt", "run", "z.txt"]
    with zipfile.ZipFile(tmp_path / "out.zip") as packed:
        assert packed.namelist() == [f"{NAME}/{name}" for name in names]
        assert {entry.date_time for entry in packed.infolist()} == {archive.DATE}
        rights = {entry.filename: entry.external_attr >> 16 for entry in packed.infolist()}
        sums = packed.read(f"{NAME}/{archive.MANIFEST}").decode()
    assert rights[f"{NAME}/run"] == 0o100755 and rights[f"{NAME}/z.txt"] == 0o100644
    assert f"{hashlib.sha256(b'last' + bytes([10])).hexdigest()}  z.txt\n" in sums and sums.count("\n") == 5


def test_the_same_files_give_the_same_bytes_whatever_their_times_and_place(repository, tmp_path):
    archive.write(tmp_path / "one.zip", repository)
    copy = tmp_path / "other"
    shutil.copytree(repository, copy, symlinks=True)
    for path in copy.glob("*.txt"):
        path.touch()
    subprocess.run(["git", "status", "--porcelain"], cwd=copy, check=True, capture_output=True)
    archive.write(tmp_path / "two.zip", copy)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_changes_that_are_not_committed_are_refused(repository, tmp_path):
    (repository / "z.txt").write_text("changed\n")
    with pytest.raises(ValueError, match=r"z\.txt"):
        archive.write(tmp_path / "out.zip", repository)
    assert not (tmp_path / "out.zip").exists()


def test_without_git_a_working_tree_is_not_packed(repository, tmp_path, monkeypatch):
    """It has files that are not committed, and nobody to ask which."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="git is not installed"):
        archive.write(tmp_path / "out.zip", repository)
    assert not any(".git" in path.relative_to(repository).parts for path in files.tracked(repository))


def test_an_unpacked_archive_packs_itself_again(repository, tmp_path):
    """Without git all that is not built is packed: the same archive."""
    archive.write(tmp_path / "one.zip", repository)
    shutil.unpack_archive(tmp_path / "one.zip", tmp_path / "unpacked")
    root = tmp_path / "unpacked" / NAME
    (root / "run").chmod(0o755)  # which the program that unpacks may not keep
    (root / "build").mkdir()
    (root / "build" / "made").write_text("made\n")
    assert not files.has_git(root)
    archive.write(tmp_path / "two.zip", root)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_files_of_this_repository_are_told_with_and_without_git():
    names = {paths.relative(path) for path in files.tracked()}
    assert {"Makefile", ".ci/run", "data/raw/sources.csv", "README.md"} <= names
    assert not any(name.startswith(("build/", ".venv")) for name in names)
