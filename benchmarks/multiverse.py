"""Time the multiverse: fits per second on one worker and two, and how the time grows with the number of designs.

    python benchmarks/multiverse.py [--every 4] [--declared params/multiverse-countries.yml]

Every so many designs of `params/multiverse.yml` are taken (1: all, some fifteen minutes), with all their replicates;
the comparison of countries has none, and no target.
Half of these, these, and these twice (the second time with another seed) are run on two workers, and these on one.
Times are information: the exit code is 0 whatever they are. How to read them is told in README.md.
"""

import argparse
import contextlib
import io
import math
import os
import tempfile
import time
from pathlib import Path

import pandas as pd

from sentencing import designs, fanout, multiverse, paths

FITS_PER_SECOND = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=4, help="take every so many designs (%(default)s)")
    parser.add_argument("--declared", type=Path, default=paths.PARAMS / "multiverse.yml", help="file of choices")
    chosen = parser.parse_args()
    every, declared = chosen.every, multiverse.read(chosen.declared)
    started = time.perf_counter()
    found = designs.designs(multiverse.load(declared.study), declared)
    print(f"Load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{found.told()}; found in {time.perf_counter() - started:.1f} s")
    # Spread over all choices: neighbours are alike, and some are much slower than others.
    taken = found.distinct[::every]
    print(f"\n{'designs':>12}{'workers':>10}{'fits':>10}{'seconds':>10}{'fits/s':>10}")
    half, _ = timed(declared, found._replace(distinct=taken[::2]), workers=2)
    whole, speed = timed(declared, found._replace(distinct=taken), workers=2)
    twice, _ = timed(declared, found._replace(distinct=taken), workers=2, seeds=2)
    timed(declared, found._replace(distinct=taken), workers=1)
    print(f"\nTime grows as the number of designs to the power {math.log(whole / half, 2):.2f} from half to all, "
          f"{math.log(twice / whole, 2):.2f} from all to twice")  # fmt: skip
    if has_seed(declared):
        reached = "reached" if speed >= FITS_PER_SECOND else "missed"
        print(f"At least {FITS_PER_SECOND} fits per second on two workers: {reached}")


def has_seed(declared: designs.Declared) -> bool:
    """Whether designs are fitted to samples too."""
    return "seed" in declared.study._fields


def timed(declared: designs.Declared, found: designs.Designs, workers: int, seeds: int = 1) -> tuple[float, float]:
    """Seconds by the clock, processes and part files included, and fits per second."""
    tasks = []
    for seed in range(seeds):
        other = declared
        if has_seed(declared):
            other = declared._replace(study=declared.study._replace(seed=declared.study.seed + seed))
        tasks += [fanout.Task(f"{seed}-{task.name}", task.arguments | {"name": f"{seed}-{task.name}"})
                  for task in multiverse.tasks(other, found)]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, contextlib.redirect_stderr(io.StringIO()):
        kept = multiverse.kept(folder, declared)
        started = time.perf_counter()
        failures = fanout.run(multiverse.fit_batch, tasks, kept.write, workers=workers, needs=kept.needs)
        seconds = time.perf_counter() - started
        parts = [pd.read_csv(part) for part in sorted(Path(folder, fanout.PARTS).glob("*.csv"))]
    if failures:
        raise RuntimeError(failures[0].message)
    fits = sum(n_fits(part) for part in parts)
    print(
        f"{seeds * len(found.distinct):>12}{workers:>10}{fits:>10}{seconds:>10.1f}{fits / seconds:>10.0f}", flush=True
    )
    return seconds, fits / seconds


def n_fits(rows: pd.DataFrame) -> int:
    """Maximisations that designs took: their own, each replicate, and each cluster left out."""
    own = rows.drop_duplicates("design")
    drawn = own[own["replicates"] > 0]
    return int(own["converged"].sum() + drawn["replicates"].sum() + drawn["clusters"].sum())


if __name__ == "__main__":
    main()
