"""Where things are. Found from this file's place, never from the working directory."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RAW = ROOT / "data" / "raw"
CORRECTIONS = ROOT / "data" / "corrections.yml"
PROCESSED = ROOT / "data" / "processed"
RESULTS = ROOT / "results"
NOTEBOOKS = ROOT / "notebooks"
DOCS = ROOT / "docs"
PARAMS = ROOT / "params"
BUILD = ROOT / "build"

TRUST = "trust.json"  # of the results, the only JSON file that no notebook writes

STAGE_VARIABLE = "SENTENCING_STAGE"
ENGINE_VARIABLE = "SENTENCING_ENGINE"


def resolve(path: str | Path) -> Path:
    """Give `path` as it stands when absolute, else below the repository's root."""
    path = Path(path)
    return path if path.is_absolute() else ROOT / path


def relative(path: str | Path) -> str:
    """Give `path` as readers see it: below the root where possible, with forward slashes."""
    path = resolve(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()


def output(path: str | Path) -> Path:
    """Where to write the output that is to stand at `path`.

    While a notebook is run by the build, the environment variable SENTENCING_STAGE names a folder; outputs
    go there and are moved to their places only after the last cell has succeeded, so that a failed
    or killed run leaves nothing that looks finished. In JupyterLab the output goes straight to its place.
    """
    stage = os.environ.get(STAGE_VARIABLE)
    if not stage:
        return resolve(path)
    path = Path(os.path.normpath(resolve(path)))  # "data/../.." is not below anything
    if not path.is_relative_to(ROOT):
        raise ValueError(f"{path}: outputs of a build must lie below {ROOT}")
    return Path(stage) / path.relative_to(ROOT)
