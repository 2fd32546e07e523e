"""Work for tests of running many tasks: in a module of its own, for workers to import without the tests."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np


def draw(seed: int, seconds: float = 0.0) -> dict[str, bytes]:
    """Files with numbers that depend on the seed and, in their last digits, on the threads of linear algebra."""
    time.sleep(seconds)
    x = np.random.default_rng(seed).normal(size=(300, 300))
    return {
        f"{seed}.bin": np.linalg.eigvalsh(x.T @ x).tobytes(),
        f"more/{seed}.json": json.dumps({"seed": seed}).encode(),
    }


class Odd(Exception):
    """Cannot be read back from what `pickle` writes of it."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def draw_but(seed: int, wrong: list[int]) -> dict[str, bytes]:
    if seed in wrong:
        raise Odd(seed, "nothing")
    return draw(seed)


def leave(code: int) -> dict[str, bytes]:
    raise SystemExit(code)


def draw_or_die(seed: int, deaths: int, folder: str) -> dict[str, bytes]:
    """Kill the own process as often as asked for; each death leaves a file in `folder`."""
    before = len(list(Path(folder).glob(f"{seed}-*")))
    if before < deaths:
        Path(folder, f"{seed}-{before}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(seed, seconds=0.05)


def stay(folder: str) -> dict[str, bytes]:
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)
    return {}


def look(folder: str) -> dict[str, bytes]:
    """Say whether two tasks were in this process at once."""
    mark = Path(folder, f"{os.getpid()}")
    alone = not mark.exists()
    mark.touch()
    time.sleep(0.05)
    mark.unlink()
    return {"alone": json.dumps(alone).encode()}
