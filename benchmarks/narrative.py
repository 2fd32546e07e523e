"""Time the reading of country narratives, and measure the memory it needs.

    python benchmarks/narrative.py [NARRATIVES]

NARRATIVES is what `make extract` takes; narratives are not kept in the repository, so without them the run says so
and ends. Reads them once, then 5,000 by repetition, each in a process of its own, and prints seconds, narratives per
second and peak memory. Times are information: the exit code is 0 whatever they are.
"""

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANY = 5_000
TARGET_SECONDS = 5.0


def measure(source: Path, n: int | None) -> dict:
    """Read `n` narratives (all, when None) and write the tables and the page; seconds and peak memory in MiB."""
    from sentencing.narrative import narratives
    from sentencing.narrative.write import write

    def repeated():
        while True:
            yield from narratives(source)

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        totals = write(narratives(source) if n is None else itertools.islice(repeated(), n), Path(folder))
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"narratives": totals.narratives, "rows": sum(totals.rows.values()), "seconds": seconds, "peak_mib": peak}


def main() -> int:
    if len(sys.argv) < 2 or not Path(sys.argv[1]).exists():
        print("Narratives: none given (make bench NARRATIVES=path), nothing timed.")
        return 0
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]) or None)))
        return 0
    print(f"{'narratives':>10}  {'rows':>7}  {'seconds':>8}  {'per second':>10}  {'peak MiB':>8}")
    for n in (0, MANY):
        done = subprocess.run(
            [sys.executable, __file__, sys.argv[1], str(n)], capture_output=True, text=True, check=True
        )
        m = json.loads(done.stdout)
        print(f"{m['narratives']:>10}  {m['rows']:>7}  {m['seconds']:>8.2f}  {m['narratives'] / m['seconds']:>10.0f}  "
              f"{m['peak_mib']:>8.0f}")  # fmt: skip
        if not n:
            reached = "reached" if m["seconds"] < TARGET_SECONDS else "not reached"
            print(f"            target: once through in under {TARGET_SECONDS:.0f} s on one core: {reached}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
