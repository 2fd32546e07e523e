"""The files of the repository, as git knows them or, in a copy without git, as they lie there."""

import shutil
import subprocess
from pathlib import Path

from .. import paths

BUILT = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints"}


def tracked(root: Path = paths.ROOT, others: bool = False) -> list[Path]:
    """Files that are committed, sorted; with `others` also those that would be with `git add`.

    In a copy without git (an unpacked archive) all that are not built.
    """
    if not has_git(root):
        found = (p for p in root.rglob("*") if p.is_file() and not _built(p.relative_to(root)))
        return sorted(found, key=lambda path: path.relative_to(root).as_posix())
    command = ["git", "ls-files", "--cached", *(["--others", "--exclude-standard"] if others else []), "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    return sorted((root / name for name in set(listed) if name and (root / name).is_file()),
                  key=lambda path: path.relative_to(root).as_posix())  # fmt: skip


def needs_git(root: Path = paths.ROOT) -> bool:
    """Whether `root` is a working tree of git that cannot be asked, since git is not installed."""
    return (root / ".git").exists() and shutil.which("git") is None


def has_git(root: Path = paths.ROOT) -> bool:
    """Whether `root` is a working tree of git, and git is installed."""
    return (root / ".git").exists() and shutil.which("git") is not None


def _built(path: Path) -> bool:
    return bool(BUILT & set(path.parts)) or any(part.endswith(".egg-info") for part in path.parts)


def read_text(path: Path) -> str | None:
    """Content of a text file; None where it is none."""
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8")


def changed(root: Path = paths.ROOT) -> list[str]:
    """Committed files with changes that are not committed; none in a copy without git."""
    if not has_git(root):
        return []
    command = ["git", "status", "--porcelain", "--untracked-files=no", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    return [line[3:] for line in listed if line]
