"""Build twice from clean clones, in circumstances as different as one machine allows, and compare.

    python -m sentencing.trust.verify            exit 1 when the builds differ, or others come out than are committed
    python -m sentencing.trust.verify --long     with the results of the longer commands (an hour)

First the two builds: every table, result, executed notebook and page must be the same to the byte. Then the first of
them with what is committed: the same bytes, or, with a notice, numbers equal within the tolerance of `compare`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from .. import paths
from ..package import files, programs
from . import Proof, circumstances, compare, record

# Parts of what is compared and their files, as patterns below the repository.
KINDS = {
    "processed tables": ("data/processed/*",),
    "results": ("results/*",),
    "descriptions": ("README.md", "docs/sazetak.md", "datapackage.json", "ro-crate-metadata.json", "codemeta.json"),
    "executed notebooks": ("build/notebooks/*.ipynb",),
    "pages and their files": ("build/site/**/*",),
}
COMMITTED = ("processed tables", "results", "descriptions")
# Of the caller's surroundings a build sees only these, so that it inherits neither options of make nor a locale.
KEPT = ("PATH", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
KEPT_BEGIN = ("PIP_", "UV_", "http", "HTTP", "no_proxy", "NO_PROXY")
# Targets of make that take long and need nothing from elsewhere.
LONG = ("multiverse", "publication-designs", "simulate")
LAST_LINES = 30  # of the log of a build that failed


class Setting(NamedTuple):
    """The circumstances of one build; `umask` in octal as for the shell, `locale` as `localedef` knows its language."""

    folder: str
    jobs: int
    locale: str
    time_zone: str
    hash_seed: int
    umask: int

    def told(self) -> str:
        return (f"folder '{self.folder}', make -j{self.jobs}, locale {self.locale}, time zone {self.time_zone}, "
                f"PYTHONHASHSEED={self.hash_seed}, umask {self.umask:03o}")  # fmt: skip


# Turkish, since its letter i has another capital and its numbers a decimal comma.
SETTINGS = (
    Setting("first", 1, "C.UTF-8", "UTC", 0, 0o022),
    Setting("druga kopija Š", 2, "tr_TR.UTF-8", "Pacific/Kiritimati", 4242, 0o077),
)


class Failed(Exception):
    """A build did not come to its end."""


# --- Clones and builds ----------------------------------------------------------------------------------------------


def clone(root: Path, to: Path) -> None:
    """A clean copy of what is committed: a clone, or of an unpacked archive its files.

    Raises
    ------
    ValueError
        When committed files have changes that are not committed: a clone would not have them.
    """
    if changed := files.changed(root):
        raise ValueError(f"Commit first; a clone would not have these changes: {', '.join(changed[:10])}")
    if files.has_git(root):
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(to)], check=True)
        return
    for path in files.tracked(root):
        target = to / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def written_by(long: Collection[str]) -> list[str]:
    """Files that these longer programs write."""
    return [file for program in programs.LONGER if program.name in long for file in program.writes]


def remove_made(root: Path) -> list[str]:
    """Take away every file that a build makes, so that what is there afterwards was made by it; their names."""
    long = written_by([program.name for program in programs.LONGER])
    made = sorted(name for name in programs.makers(root) if name not in long and (root / name).is_file())
    for name in made:
        (root / name).unlink()
    return made


def surroundings(setting: Setting, home: Path, given: dict[str, str]) -> dict[str, str]:
    """Environment variables of a build: of those `given` only what installing needs, and a home of its own."""
    kept = {name: value for name, value in given.items() if name in KEPT or name.startswith(KEPT_BEGIN)}
    owner = Path(given.get("HOME", "/"))
    caches = {
        # What was downloaded before need not be again: bytes are checked by hash all the same.
        "PIP_CACHE_DIR": given.get("PIP_CACHE_DIR", str(owner / ".cache" / "pip")),
        "UV_CACHE_DIR": given.get("UV_CACHE_DIR", str(owner / ".cache" / "uv")),
    }
    home.mkdir(parents=True, exist_ok=True)
    return {
        **kept, **caches, "HOME": str(home), "USER": "reader", "LANG": setting.locale, "LC_ALL": setting.locale,
        "LANGUAGE": setting.locale.split(".")[0], "TZ": setting.time_zone, "PYTHONHASHSEED": str(setting.hash_seed),
        **make_locale(setting.locale, home / "locales"),
    }  # fmt: skip


def make_locale(name: str, to: Path) -> dict[str, str]:
    """Compile a locale that the system does not have, where its definition is there; the variable that tells where."""
    language, coding = name.split(".")
    have = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.lower().replace("-", "").split()
    if name.lower().replace("-", "") in have or not shutil.which("localedef"):
        return {}
    to.mkdir(parents=True, exist_ok=True)
    command = ["localedef", "-i", language, "-f", coding, str(to / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    return {"LOCPATH": str(to)} if done.returncode == 0 else {}


def has_locale(variables: dict[str, str]) -> bool:
    """Whether programs with these variables get the locale that they name."""
    code = "import locale; locale.setlocale(locale.LC_ALL, '')"
    return subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True).returncode == 0


def start(
    root: Path, setting: Setting, variables: dict[str, str], log: Path, long: tuple[str, ...] = ()
) -> subprocess.Popen:
    """Begin `make` in a clone, and then the `long` targets of make and what follows from them; words go to `log`."""
    build = f"make -j{setting.jobs}"
    steps = [build]
    if long:
        steps += [f"rm {' '.join(written_by(long))}", f"make {' '.join(long)} WORKERS={setting.jobs}", build]
    command = ["sh", "-c", " && ".join(steps)]
    with log.open("w", encoding="utf-8") as said:
        return subprocess.Popen(command, cwd=root, env=variables, stdout=said, stderr=subprocess.STDOUT,
                                umask=setting.umask, start_new_session=True)  # fmt: skip


def refuse_failure(code: int, log: Path) -> None:
    """Raise Failed with the end of the log where a command ended with another code than 0."""
    if code:
        end = "\n".join(log.read_text(encoding="utf-8").splitlines()[-LAST_LINES:])
        raise Failed(f"It failed with exit code {code}. The end of {log}:\n{end}")


# --- Comparing ------------------------------------------------------------------------------------------------------


def listed(kind: str, *roots: Path) -> set[str]:
    """Names of the files of a kind that any of these trees has."""
    return {path.relative_to(root).as_posix() for root in roots for pattern in KINDS[kind]
            for path in root.glob(pattern) if path.is_file()}  # fmt: skip


def compare_all(first: Path, second: Path, committed: Path) -> tuple[dict, dict]:
    """By kind: the two builds, and the first build with the committed files."""
    builds = {kind: compare.trees(listed(kind, first, second), first, second) for kind in KINDS}
    kept = {kind: compare.trees(listed(kind, first, committed), first, committed) for kind in COMMITTED}
    return builds, kept


def proof(builds: dict, kept: dict, made: list[str], settings: list[str], limits: list[str]) -> Proof:
    """What the comparisons of `compare_all` come to."""
    differ = sum(len(c.differences) for c in builds.values())
    close = sum(c.count(compare.CLOSE) for c in kept.values())
    other = sum(c.count(compare.OTHER) for c in kept.values())
    figures = {
        "files_compared_between_builds": sum(c.files for c in builds.values()),
        "bytes_compared_between_builds": sum(c.size_bytes for c in builds.values()),
        "files_that_differ_between_builds": differ,
        "files_compared_with_committed": sum(c.files for c in kept.values()),
        "files_made_anew": len(made),
        "files_equal_within_tolerance_only": close,
        "files_other_than_committed": other,
    }
    details = [
        {"compared": f"{which}: {kind}", "files": c.files, "bytes": c.size_bytes,
         "same bytes": c.files - len(c.differences), "within tolerance": c.count(compare.CLOSE),
         "different": c.count(compare.OTHER)}
        for which, found in (("two builds", builds), ("build and commit", kept)) for kind, c in found.items()
    ]  # fmt: skip
    told = (
        f"two builds gave {figures['files_compared_between_builds']} files of "
        f"{figures['bytes_compared_between_builds']:,} bytes, of which {differ} differ; of "
        f"{figures['files_compared_with_committed']} committed files {close} were equal within tolerance only and "
        f"{other} were others"
    )
    limits = [f"The builds: {'; '.join(settings)}.", *limits]
    return Proof("make verify", not differ and not other, told, figures, details, limits)


def in_words(builds: dict, kept: dict) -> list[str]:
    """A line for each comparison, those that differ below it."""
    lines = []
    for which, found in (("two builds", builds), ("build and commit", kept)):
        for kind, c in found.items():
            same = c.files - len(c.differences)
            lines.append(f"{which}, {kind}: {c.files} files, {c.size_bytes:,} bytes, {same} the same to the byte")
            lines += [f"  - {'NOTICE ' if d.level == compare.CLOSE else ''}{d.file}: {d.level}; {d.told}"
                      for d in c.differences]  # fmt: skip
    return lines


# --- The command ----------------------------------------------------------------------------------------------------


def verify(root: Path, folder: Path, long: tuple[str, ...] = ()) -> tuple[Proof, list[str]]:
    """Build and compare below `folder`, with the results of the `long` targets; what is proved, and the words for it.

    Raises
    ------
    Failed
        When a build fails, with the end of its log.
    ValueError
        When there are changes that are not committed.
    """
    running, limits = [], []
    for setting in SETTINGS:
        clone(root, folder / setting.folder)
        made = remove_made(folder / setting.folder)
        variables = surroundings(setting, folder / f"home of {setting.folder}", dict(os.environ))
        if not has_locale(variables):
            limits.append(f"The locale {setting.locale} is not on this machine; programs fell back to the C locale.")
        log = folder / f"{setting.folder}.log"
        running.append((start(folder / setting.folder, setting, variables, log, long), log))
    clone(root, folder / "committed")
    for code, log in [(process.wait(), log) for process, log in running]:
        refuse_failure(code, log)
    made += written_by(long)
    first, second = (folder / setting.folder for setting in SETTINGS)
    builds, kept = compare_all(first, second, folder / "committed")
    limits += _not_made(root, long)
    settings = [setting.told() for setting in SETTINGS]
    return proof(builds, kept, made, settings, limits), in_words(builds, kept)


def _not_made(root: Path, remade: tuple[str, ...]) -> list[str]:
    """A sentence for each program whose results were not made anew, leaving out those of what is found here."""
    longer = [p for p in programs.LONGER if p.name not in ("trust", *remade) and (root / p.writes[0]).is_file()]
    return [f"Not made anew, since it is no part of a build: {', '.join(p.writes)} ({p.command})." for p in longer]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.trust.verify", description="Build twice and compare.")
    parser.add_argument("--long", action="store_true", help=f"make these, too: {', '.join(LONG)}")
    long = LONG if parser.parse_args(arguments).long else ()
    folder, began = Path(tempfile.mkdtemp(prefix="sentencing-verify-")), circumstances()
    told = (setting.told() for setting in SETTINGS)
    print("Building twice from clean clones; takes some minutes:", *told, sep="\n  ", flush=True)
    try:
        found, lines = verify(paths.ROOT, folder, long)
    except (Failed, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*lines, *found.limits, found.told]))
    record("verify", found, on=began)
    if found.passed:
        shutil.rmtree(folder)
    else:
        print(f"Both builds are kept in {folder}")
    return int(not found.passed)


if __name__ == "__main__":
    sys.exit(main())
