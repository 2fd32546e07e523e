"""How alike two files or two trees of files are: to the byte, within a tolerance of their numbers, or not."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

SAME, CLOSE, OTHER = "same bytes", "equal within tolerance", "different"

# Tables hold six significant digits; another processor or library may change the last of them by a few units.
RELATIVE, ABSOLUTE = 2e-5, 1e-8

# A number that stands alone: digits within names ("row_12a") and in dates are text, which must be equal.
NUMBER = re.compile(r"(?<![\w.\-])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]|-\d)")
WHOLE = re.compile(r"[-+]?\d+")
SHOWN = 60  # characters of a place that differs


class Difference(NamedTuple):
    """A file that is not the same in both places.

    Parameters
    ----------
    file : str
    level : str
        CLOSE or OTHER.
    told : str
        What differs first, in words.
    """

    file: str
    level: str
    told: str


class Comparison(NamedTuple):
    """Of a set of files: how many there are in the first place, their bytes, and those that differ."""

    files: int
    size_bytes: int
    differences: list[Difference]

    def count(self, level: str) -> int:
        return sum(difference.level == level for difference in self.differences)


def trees(names: Iterable[str], one: Path, two: Path) -> Comparison:
    """Compare the files of these names below two folders; a file that one of them lacks is a difference."""
    names = sorted(names)
    differences, size_bytes = [], 0
    for name in names:
        here, there = one / name, two / name
        if not (here.is_file() and there.is_file()):
            differences.append(Difference(name, OTHER, f"only in the {'first' if here.is_file() else 'second'}"))
            continue
        content = here.read_bytes()
        size_bytes += len(content)
        if found := contents(name, content, there.read_bytes()):
            differences.append(found)
    return Comparison(len(names), size_bytes, differences)


def contents(name: str, one: bytes, two: bytes) -> Difference | None:
    """What differs between two versions of a file; None where no byte does.

    Text whose numbers alone differ, each by no more than `RELATIVE` of the greater one or `ABSOLUTE`, is CLOSE:
    every other character, the number of numbers and their order must be equal, and whole numbers, since they count or
    name something.
    """
    if one == two:
        return None
    try:
        first, second = one.decode("utf-8"), two.decode("utf-8")
    except UnicodeDecodeError:
        return Difference(name, OTHER, f"{len(one)} and {len(two)} bytes that are no text")
    largest = _largest_change(first, second)
    if largest is None:
        return Difference(name, OTHER, _first_place(first, second))
    told = f"numbers differ by up to {largest:.1e} of their size"
    return Difference(name, CLOSE, f"{told}; {_first_place(first, second)}")


def _largest_change(one: str, two: str) -> float | None:
    """The largest relative change of a number; None where anything else differs, or a number by more than allowed."""
    if NUMBER.sub("0", one) != NUMBER.sub("0", two):
        return None
    largest = 0.0
    for first, second in zip(NUMBER.findall(one), NUMBER.findall(two), strict=True):
        if first == second:
            continue
        a, b = float(first), float(second)
        whole = WHOLE.fullmatch(first) and WHOLE.fullmatch(second)
        if whole or not math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            return None
        if size := max(abs(a), abs(b)):
            largest = max(largest, abs(a - b) / size)
    return largest


def _first_place(one: str, two: str) -> str:
    """The first line that differs, from shortly before the first character that does."""
    first, second = one.split("\n"), two.split("\n")
    line = _first(first, second)
    a, b = (lines[line] if line < len(lines) else "(no such line)" for lines in (first, second))
    column = _first(a, b)
    start = max(0, column - SHOWN // 3)
    return f"line {line + 1}: {a[start : start + SHOWN]!r} and {b[start : start + SHOWN]!r}"


def _first(one: Sequence, two: Sequence) -> int:
    """The first place at which two sequences differ; the length of the shorter where it begins the other."""
    return next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
