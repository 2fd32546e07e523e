"""A small raw folder and a small repository of notebooks, made anew for each test that asks for them."""

import csv
import hashlib
import io
import time
from pathlib import Path

import hypothesis
import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from recording import pytest_addoption, pytest_collection_modifyitems, pytest_configure  # noqa: F401  the option

from sentencing import paths, schemas, sources

# How long an example takes says nothing on a busy machine; which examples are tried must not differ between runs.
hypothesis.settings.register_profile("repository", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repository")

SIDECAR = {"one_row_is": "a row", "transcribed": "by hand", "licence": "CC BY 4.0", "sha256": "not yet"}
TABLES = {
    "sources.csv": {
        "title": "Sources",
        "key": ["source_id"],
        "columns": {
            "source_id": {"type": "text", "required": True, "description": "Identifier."},
            "publisher": {"type": "text", "required": True, "description": "Publisher."},
            "title": {"type": "text", "description": "Title."},
        },
    },
    "tip/figures.csv": {
        "title": "Figures",
        "key": ["row_id"],
        "not_above": [["low", "high"], ["period_start", "period_end"]],
        "columns": {
            "row_id": {"type": "text", "required": True, "description": "Identifier."},
            "iso3": {"type": "country", "required": True, "description": "Country."},
            "partners": {"type": "countries", "description": "Countries."},
            "year": {"type": "year", "description": "Year."},
            "stage": {"type": "category", "required": True, "values": {"conviction": "c", "prosecution": "p"},
                      "description": "Stage."},
            "n": {"type": "integer", "min": 0, "max": 1000, "unit": "persons", "description": "People."},
            "share": {"type": "number", "min": 0, "max": 100, "unit": "percent", "description": "Share."},
            "low": {"type": "number", "unit": "months", "description": "Low."},
            "high": {"type": "number", "unit": "months", "description": "High."},
            "period_start": {"type": "date", "description": "Start."},
            "period_end": {"type": "date", "description": "End."},
            "small": {"type": "integer", "min": 0, "codes": {"<5": "1 to 4"}, "unit": "persons",
                      "description": "Count, small ones withheld."},
            "alone": {"type": "flag", "description": "Flag."},
            "figure": {"type": "figure", "description": "Number or tier."},
            "source_id": {"type": "source", "required": True, "description": "Source."},
            "note": {"type": "text", "description": "Remark."},
        },
    },
    "plain.csv": {
        "title": "No key",
        "columns": {
            "iso3": {"type": "country", "required": True, "description": "Country."},
            "n": {"type": "integer", "min": 0, "unit": "persons", "description": "People."},
        },
    },
}  # fmt: skip
CONTENT = {
    "sources.csv": """source_id,publisher,title
good-001,Council,Yearly report
good-002,Court,
""",
    "tip/figures.csv": """\
row_id,iso3,partners,year,stage,n,share,low,high,period_start,period_end,small,alone,figure,source_id,note
R1,SRB,,2017,conviction,13,12.5,24,144,2016-04,2017-03-31,<5,0,2WL,good-001,"a comma, and Šabac"
R2,MKD,SRB;XKX,,prosecution,,,,,2017,,7,,3.5,good-001;good-002,
R3,SCG,,2004,conviction,0,100,36,36,2004-02-29,2004-02-29,,1,2,good-002,
""",
    "plain.csv": "iso3,n\nSRB,1\nMKD,\n",
}


class RawFolder:
    """A raw folder of three tables; every change is followed by recording the checksum unless told otherwise."""

    def __init__(self, folder: Path):
        self.path = folder
        for table, sidecar in TABLES.items():
            self.sidecar(table, SIDECAR | sidecar)
            self.write(table, CONTENT[table])

    def sidecar(self, table: str, content: dict) -> None:
        place = self.path / Path(table).with_suffix(".yml")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def edit_sidecar(self, table: str, change) -> None:
        content = sources.read_sidecar(table, self.path)
        change(content)
        self.sidecar(table, content)

    def write(self, table: str, content: str | bytes, record: bool = True) -> None:
        place = self.path / table
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        if record:
            digest = hashlib.sha256(place.read_bytes()).hexdigest()
            self.edit_sidecar(table, lambda sidecar: sidecar.update(sha256=digest))

    def rows(self, table: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO((self.path / table).read_text(encoding="utf-8"))))

    def write_rows(self, table: str, rows: list[list[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.write(table, text.getvalue())

    def put(self, table: str, line: int, column: str, value: str) -> None:
        """Put `value` into the file's line `line` (the header is 1)."""
        rows = self.rows(table)
        rows[line - 1][rows[0].index(column)] = value
        self.write_rows(table, rows)

    def load(self, table: str = "tip/figures.csv"):
        return schemas.load_raw(table, self.path)

    def problems(self, table: str = "tip/figures.csv") -> list[schemas.Problem]:
        with pytest.raises(schemas.RawDataError) as caught:
            self.load(table)
        for problem in caught.value.problems:
            assert str(problem) in str(caught.value)
        return caught.value.problems


@pytest.fixture
def raw(tmp_path) -> RawFolder:
    return RawFolder(tmp_path / "raw")


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def raw_untouched():
    """Fails a module's tests when one of them changed, added or removed a file below data/raw."""
    before = digests(paths.RAW)
    yield
    assert digests(paths.RAW) == before


def write_notebook(place: Path, parameters: str, *cells: str) -> Path:
    """A notebook of a title, a parameters cell and code cells."""
    content = [
        new_markdown_cell("# Title", id="title"),
        new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}),
        *(new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells, 1)),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = new_notebook(cells=content, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return place


def wait_until(holds, seconds: float = 20) -> None:
    """Wait until `holds()` is true; a test that waits in vain fails."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def built_site(tmp_path_factory):
    """The folder of a small site with every kind of page, and what it was made of; for tests that change neither."""
    import small_site  # Sphinx takes a second to import, which few tests need

    return small_site.build(tmp_path_factory.mktemp("small"))
