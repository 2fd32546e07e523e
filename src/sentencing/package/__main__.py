"""The command `python -m sentencing.package`."""

import argparse
import sys

from .. import paths, sources
from . import archive, stale, write


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sentencing.package", description="What a deposit needs.")
    parser.add_argument("command", nargs="?", choices=["archive"], help="pack the repository instead")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is out of date")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command:
            to = paths.BUILD / f"{archive.name()}.zip"
            print(f"{len(archive.write(to))} files: {paths.relative(to)}, SHA-256 {sources.sha256(to)}")
            return 0
        found = list(stale()) if chosen.check else write()
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in found:
        print(f"{paths.relative(path)}: {'out of date; run make package' if chosen.check else 'written'}")
    if not found:
        print("Descriptions of the data and of the software are current")
    return int(chosen.check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
