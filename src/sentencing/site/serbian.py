"""The findings of the first page in Serbian (Latin script), from the same values, for the summary in docs/sazetak.md.

    python -m sentencing.site.serbian --results results --page docs/sazetak.md

Nouns after a number change their form in Serbian (46 meseci, 52 meseca), so sentences are built in such a way that no
noun follows one.
"""

import argparse
import json
import sys
from pathlib import Path

from .. import paths, tables

SENTENCES, CLAIMS = "05-sentences-in-serbia", "08-check-claims"
BEGIN, END = "<!-- nalazi: upisuje make -->", "<!-- kraj nalaza -->"
KINDS = {"monitor": "Praćene presude", "official": "Podaci vlade"}
VERDICTS = {
    "supported": "potvrđena je",
    "partly supported": "delimično je potvrđena",
    "contradicted": "opovrgnuta je",
    "cannot be settled": "podaci je ni potvrđuju ni opovrgavaju",
    "cannot be tested": "ne može se proveriti",
}
PEOPLE = (
    "Broj ljudi osuđenih za trgovinu ljudima u Srbiji o čijoj je dužini kazne nešto objavljeno: {n} (najmanji broj "
    "koji odgovara objavljenim procentima). Izvori se ne odnose na iste ljude."
)
KIND = "{kind} (broj osuđenih: {n}): ako su objavljene brojke tačne, udeo kazni od tri do pet godina iznosi {band} %; "
ESTIMATED = "model ga procenjuje na {share} %, a medijanu kazne, u mesecima, na {median}."
REFUSED = "bez dodatnih pretpostavki medijana se ne može proceniti."
EVERYONE = (
    "Među svima koji su osuđeni u godinama za koje je objavljen ukupan broj, udeo kazni od tri do pet godina iznosi "
    "{band} %: više se iz brojki ne može reći, jer o kaznama nije objavljeno ništa za udeo osuđenih koji iznosi "
    "{unknown} %."
)
CLAIM = (
    "Tvrdnja da su kazne obično od tri do pet godina: {verdict}. Koliko je osuđenih uopšte otišlo u zatvor, nije "
    "objavljeno u upotrebljivom obliku."
)


def number(value: float, digits: int = 0) -> str:
    """A number as it is written in Serbian: a comma before decimals, a point between thousands."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def findings(results: dict[str, dict]) -> list[str]:
    """One sentence or two for each finding of the first page, in the same order.

    Parameters
    ----------
    results : dict of str to dict
        Content of the values files, by notebook.

    Raises
    ------
    KeyError
        When a value is missing, or a verdict is new.
    """
    values = results[SENTENCES]["values"]
    kinds = [_of_kind(values, kind) for kind in KINDS]
    everyone = EVERYONE.format(band=_span(values["bounds_all_36_60"]), unknown=_span(values["share_unknown"]))
    verdict = VERDICTS[results[CLAIMS]["values"]["C05_verdict"]["value"]]
    people = PEOPLE.format(n=number(values["people_known"]["value"]))
    return [people, *kinds, everyone, CLAIM.format(verdict=verdict)]


def _of_kind(values: dict[str, dict], kind: str) -> str:
    names = (f"bounds_{kind}_36_60", f"{kind}_share_36_60", f"{kind}_median_months")
    band, share, median = (values[name] for name in names)
    told = KIND.format(kind=KINDS[kind], n=number(band["n"]), band=_span(band))
    if share["value"] is None or median["value"] is None:
        return told + REFUSED
    return told + ESTIMATED.format(share=_estimated(share, 100), median=_estimated(median, 1))


def _span(entry: dict) -> str:
    low, high = (number(100 * entry[end]) for end in ("low", "high"))
    return low if low == high else f"od {low} do {high}"


def _estimated(entry: dict, factor: float) -> str:
    told = number(factor * entry["value"])
    if entry["low"] is None or entry["high"] is None:
        return told
    return f"{told} (od {number(factor * entry['low'])} do {number(factor * entry['high'])})"


def write(page: Path, results_dir: Path) -> bool:
    """Put the findings between their marks on a page; tell whether that changed anything.

    Raises
    ------
    ValueError
        When a mark is missing or stands there twice.
    """
    results = {
        name: json.loads((results_dir / f"{name}.json").read_text(encoding="utf-8")) for name in (SENTENCES, CLAIMS)
    }
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{paths.relative(page)}: needs the marks {BEGIN!r} and {END!r}, once each")
    lines = "\n".join(f"- {sentence}" for sentence in findings(results))
    written = f"{text.split(BEGIN)[0]}{BEGIN}\n\n{lines}\n\n{END}{text.split(END)[1]}"
    if written != text:
        tables.write_text(written, page)
    return written != text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the findings in Serbian into a page.")
    parser.add_argument("--results", type=Path, required=True, help="folder of values files")
    parser.add_argument("--page", type=Path, required=True, help="page with the marks")
    given = parser.parse_args()
    try:
        write(paths.resolve(given.page), paths.resolve(given.results))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
