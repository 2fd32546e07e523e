"""The findings in Serbian: the same numbers as in English, no noun after a number, and on the page as they are."""

import copy
import json
import re

import pytest

from sentencing import claims, estimands, paths
from sentencing.site import numbers, serbian

PAGE = paths.DOCS / "sazetak.md"
RESULTS = {
    name: json.loads((paths.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    for name in (serbian.SENTENCES, serbian.CLAIMS)
}
VALUES = RESULTS[serbian.SENTENCES]["values"]
ENGLISH = [VALUES[f"finding_{key}"]["value"] for key in ("people", "monitor", "official", "all")]


def english_numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")))


def serbian_numbers(text: str) -> list[str]:
    plain = re.sub(r"(?<=\d)\.(?=\d{3}\b)", "", text)
    return sorted(number.replace(",", ".") for number in re.findall(r"\d+(?:,\d+)?", plain))


def changed(**values) -> dict:
    """The results with other values of the notebook on Serbia."""
    results = copy.deepcopy(RESULTS)
    for name, entry in values.items():
        results[serbian.SENTENCES]["values"][name] |= entry
    return results


def test_there_is_a_sentence_for_every_finding():
    assert len(serbian.findings(RESULTS)) == len(ENGLISH) + 1  # and the claim, which has no number


@pytest.mark.parametrize("place", range(len(ENGLISH)))
def test_each_sentence_has_the_numbers_of_the_english_one(place):
    told = serbian.findings(RESULTS)[place]
    assert english_numbers(ENGLISH[place]) and serbian_numbers(told) == english_numbers(ENGLISH[place])


def test_the_sentence_on_the_claim_has_no_number():
    assert not re.search(r"\d", serbian.findings(RESULTS)[-1])


def test_every_number_is_a_value_of_its_notebook():
    for sentence in serbian.findings(RESULTS):
        english = re.sub(r"(?<=\d),(?=\d)", ".", sentence)
        assert numbers.unsupported_numbers(english, VALUES, RESULTS[serbian.SENTENCES]["parameters"]) == []


def test_sentences_follow_when_estimates_come_or_go():
    refused = {"value": None, "low": None, "high": None}
    given = {"value": 0.61, "low": 0.5, "high": 0.7}
    months = {"value": 1044.6, "low": None, "high": None}
    results = changed(
        monitor_share_36_60=refused, monitor_median_months=refused,
        official_share_36_60=given, official_median_months=months, bounds_official_36_60={"low": 0.25, "high": 0.25},
    )  # fmt: skip
    _, monitor, official, *_ = serbian.findings(results)
    assert monitor.endswith(serbian.REFUSED)
    assert official.endswith(
        "iznosi 25 %; model ga procenjuje na 61 (od 50 do 70) %, a medijanu kazne, u mesecima, na 1.045."
    )


def test_no_noun_follows_a_number():
    """Its form would depend on the number."""
    for sentence in serbian.findings(RESULTS):
        after = re.findall(r"\d(?: %)? *([^\W\d_]+)", sentence)
        assert set(after) <= {"do"}, sentence


def test_every_verdict_has_words():
    assert set(serbian.VERDICTS) == set(claims.VERDICTS)


@pytest.mark.parametrize(
    ("value", "digits", "written"), [(46.4, 0, "46"), (0.5, 1, "0,5"), (1234.5, 1, "1.234,5"), (1e6, 0, "1.000.000")]
)
def test_numbers_are_written_as_in_serbian(value, digits, written):
    assert serbian.number(value, digits) == written


def test_page_holds_the_findings_as_they_are(tmp_path):
    copied = tmp_path / "page.md"
    copied.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    assert serbian.write(copied, paths.RESULTS) is False
    for sentence in serbian.findings(RESULTS):
        assert f"- {sentence}\n" in PAGE.read_text(encoding="utf-8")


def test_findings_take_the_place_of_old_ones_and_nothing_else_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"a\n{serbian.BEGIN}\nold\n{serbian.END}\nb\n", encoding="utf-8")
    assert serbian.write(page, paths.RESULTS) is True
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"a\n{serbian.BEGIN}\n\n- Broj") and text.endswith(f"{serbian.END}\nb\n")
    assert "old" not in text and serbian.write(page, paths.RESULTS) is False


@pytest.mark.parametrize("text", ["nothing", f"{serbian.BEGIN}", f"{serbian.BEGIN}{serbian.END}{serbian.END}"])
def test_page_without_its_marks_is_refused(tmp_path, text):
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="page.md"):
        serbian.write(tmp_path / "page.md", paths.RESULTS)


def test_missing_value_is_named():
    results = changed()
    del results[serbian.SENTENCES]["values"]["share_unknown"]
    with pytest.raises(KeyError, match="share_unknown"):
        serbian.findings(results)


def test_page_is_in_latin_script_and_has_no_number_beside_the_findings_but_years_articles_and_the_level():
    text = PAGE.read_text(encoding="utf-8")
    assert not re.search(r"[\u0400-\u04ff]", text)
    rest = text.split(serbian.BEGIN)[0] + text.split(serbian.END)[1]
    rest = re.sub(r"\]\([^)]*\)|<!--.*?-->|CC BY 4\.0|verzija [\d.]+", "", rest)
    assert set(re.findall(r"\d+", rest)) <= {"2024", "2026", "388", "95"}


def test_labels_of_kinds_are_those_that_have_an_english_finding():
    assert set(serbian.KINDS) < set(estimands.KINDS)
