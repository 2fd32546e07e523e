"""What the pages and the README say the data show: sentences, claims and the figure, all from values of notebooks."""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from .. import paths
from ..tables import claim_ids, in_words, write_text
from .numbers import unsupported_numbers

# What the first page says the data show: notebook, name of a value in results/<notebook>.json, sentence. In a
# sentence stand {value}, {low}, {high}, {n}, {unit} and {label} of that value, with format codes such as
# {value:,} or {value:.0%}, and {all[name]} for another value of the same notebook.
FINDINGS: list[tuple[str, str, str]] = [
    ("05-sentences-in-serbia", "finding_people", "{value}"),
    ("05-sentences-in-serbia", "finding_monitor", "{value}"),
    ("05-sentences-in-serbia", "finding_official", "{value}"),
    ("05-sentences-in-serbia", "finding_all", "{value}"),
    (
        "08-check-claims",
        "C05_verdict",
        "The claim that sentences are usually from three to five years: {value}. How many of the convicted went to "
        "prison at all is not published in a usable form.",
    ),
]

# The notebook that rules on the claims, and the one whose figure the first page shows: the name of the value with its
# words for those who do not see it, and its file in results.
CLAIMS = "08-check-claims"
FIGURE = ("05-sentences-in-serbia", "figure_alt", "sentences-in-serbia.svg")


class SiteError(ValueError):
    """The pages cannot be made as they should be; the message lists everything that is wrong."""


class Finding(NamedTuple):
    """A sentence of the first page and the notebook its numbers come from."""

    sentence: str
    notebook: str


class Claim(NamedTuple):
    """A claim in our words, its verdict, what was computed for it, and the notebook and cell that ruled on it."""

    name: str
    text: str
    verdict: str
    computed: str
    notebook: str
    cell: str


class Picture(NamedTuple):
    """A figure of the first page: its words, its file, and the notebook it comes from."""

    alt: str
    file: Path
    notebook: str


def findings(results: dict[str, dict], wanted: list[tuple[str, str, str]] | None = None) -> list[Finding]:
    """Turn values of the notebooks into sentences.

    Parameters
    ----------
    results : dict of str to dict
        Content of the values files by notebook, as `tables.Values` writes them.
    wanted : list of (notebook, value name, template), optional
        FINDINGS unless told.

    Raises
    ------
    SiteError
        Naming every value that is missing or does not fit its template.
    """
    found, wrong = [], []
    for notebook, name, template in FINDINGS if wanted is None else wanted:
        values = results.get(notebook, {}).get("values", {})
        if values.get(name, {}).get("value") is None:
            wrong.append(f"results/{notebook}.json: there is no value {name!r}, which the first page reports")
            continue
        try:
            sentence = template.format(**values[name], all={key: entry["value"] for key, entry in values.items()})
        except (LookupError, ValueError, TypeError) as error:
            wrong.append(f"results/{notebook}.json: value {name!r} does not fit {template!r} ({error!r})")
            continue
        found.append(Finding(sentence, notebook))
    if wrong:
        raise SiteError("\n".join(wrong))
    return found


def claims(results: dict[str, dict]) -> list[Claim]:
    """Every claim that the notebook on claims ruled on.

    Raises
    ------
    SiteError
        When there is no claim, or a claim lacks what was computed for it.
    """
    values = results.get(CLAIMS, {}).get("values", {})
    named = claim_ids(values)
    if not named:
        raise SiteError(f"results/{CLAIMS}.json: there is no claim, which the first page reports")
    if lacking := [name for name in named if name not in values]:
        raise SiteError(f"results/{CLAIMS}.json: there is no value for {', '.join(lacking)}")
    found = []
    for name in named:
        entry, verdict = values[name], values[f"{name}_verdict"]
        computed = f"{in_words(entry)}: {entry['label']}"
        found.append(Claim(name, verdict["label"], verdict["value"], computed, CLAIMS, entry.get("cell", "")))
    return found


def picture(results: dict[str, dict], results_dir: Path) -> Picture | None:
    """The figure of the first page; None when its notebook drew none, as for a country of which nothing is published.

    Raises
    ------
    SiteError
        When there are words for it, but no file.
    """
    notebook, name, file = FIGURE
    alt = results.get(notebook, {}).get("values", {}).get(name, {}).get("value")
    if not alt:
        return None
    path = paths.resolve(results_dir) / file
    if not path.exists():
        raise SiteError(f"{paths.relative(path)}: there is no such figure, which the first page shows")
    return Picture(alt, path, notebook)


BEGIN, END = "<!-- findings: written by make -->", "<!-- end of findings -->"
BEGIN_CLAIMS, END_CLAIMS = "<!-- claims: written by make -->", "<!-- end of claims -->"


def write_findings(readme: Path, results_dir: Path) -> bool:
    """Put findings, figure and claims between their marks in the README; tell whether that changed anything.

    Raises
    ------
    SiteError
        When a mark, a value or the figure is missing.
    """
    text, results = readme.read_text(encoding="utf-8"), read_results(results_dir)
    shown = picture(results, results_dir)
    if not shown:
        raise SiteError(f"results/{FIGURE[0]}.json: there is no value {FIGURE[1]!r}, the words for the figure")
    found = [f"- {_in_markdown(f.sentence)} ({_link(f.notebook)})" for f in findings(results)]
    image = f"![{_in_markdown(shown.alt)}]({os.path.relpath(shown.file, readme.parent)})"
    rows = [[_in_markdown(f"{c.name}: {c.text}"), _in_markdown(c.verdict), _in_markdown(c.computed), _link(c.notebook)]
            for c in claims(results)]  # fmt: skip
    head = ["| claim | verdict | what was computed | notebook |", "|---|---|---|---|"]
    written = _put_between(text, BEGIN, END, [*found, "", image], readme)
    table = head + [f"| {' | '.join(row)} |" for row in rows]
    written = _put_between(written, BEGIN_CLAIMS, END_CLAIMS, table, readme)
    if written != text:
        write_text(written, readme)
    return written != text


def _put_between(text: str, begin: str, end: str, lines: list[str], readme: Path) -> str:
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SiteError(f"{paths.relative(readme)}: needs the marks {begin!r} and {end!r}, once each")
    before, after = text.split(begin)[0], text.split(end)[1]
    return f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{after}"


def _link(notebook: str) -> str:
    return f"[{notebook}](notebooks/{notebook}.ipynb)"


def _in_markdown(text: str) -> str:
    """A text on one line, without what Markdown would take for a column, a link, a formula, a sign or markup."""
    return re.sub(r"([\\|\[\]<*_`$~&])", r"\\\1", " ".join(text.split()))


def read_results(results_dir: Path) -> dict[str, dict]:
    """Content of the values files, by notebook."""
    files = (path for path in sorted(paths.resolve(results_dir).glob("*.json")) if path.name != paths.TRUST)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def typed(results: dict[str, dict]) -> list[str]:
    """Numbers that a finding or a claim says although no notebook computed them, as faults that name the place."""
    sentences = [(f.sentence, f.notebook) for f in findings(results)]
    sentences += [(text, claim.notebook) for claim in claims(results) for text in (claim.text, claim.computed)]
    found = []
    for sentence, notebook in sentences:
        content = results[notebook]
        numbers = unsupported_numbers(sentence, content["values"], content.get("parameters", {}))
        found += [f"index.html: {number} is no value of results/{notebook}.json: {sentence!r}" for number in numbers]
    return found
