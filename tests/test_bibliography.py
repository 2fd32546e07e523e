"""The list of works cited: complete, well formed, and every key that a page names is there."""

import re

import pytest

from sentencing import paths

BIB = (paths.DOCS / "references.bib").read_text(encoding="utf-8")
# What an entry of each kind has to have, for a reader to find the work.
NEEDED = {
    "article": {"author", "title", "journal", "year", "volume", "pages"},
    "book": {"author", "title", "publisher", "year"},
    "inproceedings": {"author", "title", "booktitle", "pages", "year"},
    "techreport": {"author", "title", "institution", "number", "year"},
}
NO_PAGES = {"delgiudice2021"}  # a journal that numbers its articles
# "Kline & Santos (2012)", "Canay, Santos & Shaikh 2021", "Turnbull (1976)", "Chao's interval (Biometrics 43, 1987)".
CITED = re.compile(r"\b([A-Z][a-zé]+)(?:, [A-Z]\w+)*(?: (?:&|and) [A-Z]\w+ \(?|,? \()((?:18|19|20)\d\d)\b")
NO_WORKS = {"edition", "serbia", "april"}


def entries() -> dict[str, tuple[str, dict[str, str]]]:
    """Kind and fields of each entry by key."""
    found = {}
    for kind, key, body in re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}$", BIB, re.DOTALL | re.MULTILINE):
        fields = re.findall(r"^  (\w+) *= \{(.*?)\},?$", body, re.DOTALL | re.MULTILINE)
        assert key not in found, key
        found[key] = (kind, dict(fields))
    return found


def test_every_entry_is_read_and_they_stand_in_order():
    keys = list(entries())
    assert keys and len(keys) == BIB.count("\n@") and keys == sorted(keys)


@pytest.mark.parametrize("key", entries())
def test_entry_has_what_a_reader_needs_and_a_key_that_tells_author_and_year(key):
    kind, fields = entries()[key]
    assert (NEEDED[kind] - ({"pages"} if key in NO_PAGES else set())) - fields.keys() == set()
    assert key.endswith(fields["year"])
    surname = re.sub(r"[^a-z]", "", fields["author"].strip("{}").split(",")[0].lower())
    assert surname.startswith(key[:-4]) or key == "gao2016"
    assert all(value.strip() for value in fields.values())
    assert re.fullmatch(r"10\.\d{4,5}/\S+", fields.get("doi", "10.1000/none"))


def test_no_doi_stands_there_twice():
    given = [fields["doi"].lower() for _, fields in entries().values() if "doi" in fields]
    assert len(set(given)) == len(given)


def test_every_key_that_a_page_cites_is_there():
    cited = {
        key.strip()
        for place in (paths.DOCS.glob("*.md"), paths.NOTEBOOKS.glob("*.ipynb"))
        for path in place
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", path.read_text(encoding="utf-8"))
        for key in keys.split(",")
    }
    assert cited and cited <= entries().keys()


def test_every_work_that_the_code_names_with_its_year_is_there():
    known = {key for key, _ in entries().items()}
    named = {
        f"{surname.lower()}{year}"
        for path in (paths.ROOT / "src").rglob("*.py")
        for surname, year in CITED.findall(path.read_text(encoding="utf-8"))
        if surname.lower() not in NO_WORKS
    }
    assert len(named) > 10 and named <= known


def test_every_doi_that_the_code_names_is_there():
    named = {
        doi.rstrip(".,;)").lower()
        for path in (paths.ROOT / "src").rglob("*.py")
        for doi in re.findall(r"\bdoi (10\.\d{4,5}/\S+)", path.read_text(encoding="utf-8"))
    }
    assert named and named <= {fields.get("doi", "").lower() for _, fields in entries().values()}
