"""No typed results: a number that a page says is a value of its notebook, one of its parameters, or no result at all.

Numbers written as words are not looked at; neither are tables and drawings, whose numbers are data.
"""

import ast
import re
from html.parser import HTMLParser

from .notebook import Notebook

NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?")
YEARS = range(1990, 2036)

# Numbers that are no results, and why. They are taken out of a text before its numbers are looked at.
NO_RESULTS = {
    r'"[^"]*"|“[^”]*”': "quoted: the words of a source or of an exercise",
    r"\$[^$]+\$": "a formula",
    r"\b(?:[Aa]rticles?|[Aa]rts?\.) \d+(?:\(\d+\))?(?:(?:, | and | to )\d+(?:\(\d+\))?)*": "names articles of a law",
    r"\b[Pp]aragraphs? \d+(?:(?:, | and | to )\d+)*": "names paragraphs of an article",
    r"\b[Nn]otebooks? \d\d(?:(?:, | and | to )\d\d)*": "names notebooks",
    r"\b\d\d-[a-z]+(?:-[a-z]+)*": "the name of a notebook",
    r"\b[Ee]xercises? \d+": "names an exercise",
    r"\bTier \d": "names a tier of the TIP Report, a grade and no count",
    r"\b1 (?:to|and) 4\b": "what '<5' stands for, as UNODC prints counts it withholds",
    r"\b95 ?(?:%|percent)": "the level of every interval here, a custom and no finding",
    r"\bfrom 0 to 1\b": "the ends of a scale",
    r"\bC\d\d\b": "names a claim",
}
_NO_RESULTS = re.compile("|".join(NO_RESULTS))


def unsupported_numbers(text: str, values: dict[str, dict], parameters: dict) -> list[str]:
    """The numbers of a text that are neither values nor parameters, nor years, nor in NO_RESULTS.

    A number is supported when a value (or its low, high or n), a number in a value that is a list or a text, or a
    parameter rounds to it at the precision at which it is printed. A share may be printed in percent.

    Parameters
    ----------
    text : str
        As readers see it.
    values : dict of str to dict
        `values` of a values file.
    parameters : dict
        Parameters of the notebook: plain values by name.

    Returns
    -------
    list of str
        As printed, in order.
    """
    known = [number for entry in values.values() for number in _known(entry)]
    given = [number for value in parameters.values() for number in _numbers(value)]
    known += given + [100 * number for number in given if 0 < number < 1]
    return [printed for printed in NUMBER.findall(_NO_RESULTS.sub(" ", text)) if not _supported(printed, known)]


def _supported(printed: str, known: list[float]) -> bool:
    number, digits = _as_number(printed)
    if printed.isdecimal() and int(number) in YEARS:
        return True
    # A half may have been rounded either way; the rest is the noise of the arithmetic.
    return any(abs(abs(value) - number) <= 0.5 * 10.0**-digits * (1 + 1e-9) for value in known)


def _as_number(printed: str) -> tuple[float, int]:
    """The number, and the place of its last printed digit after the point."""
    plain = re.sub("[,\u00a0\u202f]", "", printed)
    mantissa, _, exponent = plain.partition("e")
    return float(plain), len(mantissa.partition(".")[2]) - int(exponent or 0)


def _known(entry: dict) -> list[float]:
    numbers = [number for key in ("value", "low", "high", "n") for number in _numbers(entry.get(key))]
    return numbers + ([100 * number for number in numbers] if entry.get("unit", "").startswith("share") else [])


def _numbers(thing) -> list[float]:
    if isinstance(thing, bool) or thing is None:
        return []
    if isinstance(thing, int | float):
        return [float(thing)]
    if isinstance(thing, str):
        return [_as_number(printed)[0] for printed in NUMBER.findall(thing)]
    items = thing.values() if isinstance(thing, dict) else thing
    return [number for item in items for number in _numbers(item)]


def typed_numbers(notebook: Notebook, results: dict) -> list[str]:
    """Every number that a page says and that its notebook did not compute, as faults that name the place.

    Parameters
    ----------
    notebook : Notebook
        As read for its page.
    results : dict
        Content of its values file.
    """
    chosen = [p for cell in notebook.cells for p in cell.parameters if not p.is_path]
    parameters = results.get("parameters", {}) | {p.name: _parameter(p.value) for p in chosen}
    found = []
    for cell in notebook.cells:
        texts = _texts(cell.text or "", everything=True) + [t for output in cell.outputs for t in _texts(output)]
        for text in texts:
            found += [
                f"{notebook.name}.html, cell {cell.id}: {number} is no value of results/{notebook.name}.json, "
                f"no parameter and no year: {_around(text, number)!r}"
                for number in unsupported_numbers(text, results.get("values", {}), parameters)
            ]
    return found


def _parameter(shown: str):
    try:
        return ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        return shown


def _around(text: str, number: str, letters: int = 60) -> str:
    at = text.find(number)
    return text[max(0, at - letters) : at + len(number) + letters].strip()


def _texts(markup: str, everything: bool = False) -> list[str]:
    reader = _Texts(everything)
    reader.feed(str(markup))
    reader.close()
    return reader.texts


class _Texts(HTMLParser):
    """Collects what a page says: sentences, captions and notes of an output, or everything of markdown but code."""

    def __init__(self, everything: bool):
        super().__init__()
        self.everything = everything
        self.texts: list[str] = []
        self.open: list[tuple[str, bool]] = []  # tags, and whether text in them is read

    @property
    def reads(self) -> bool:
        return self.open[-1][1] if self.open else self.everything

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "br", "hr", "wbr", "input"):
            return
        classes = (dict(attrs).get("class") or "").split()
        said = tag == "figcaption" or (tag == "p" and {"said", "source"} & set(classes))
        left_out = tag in ("code", "pre", "style") or (tag == "span" and "source" in classes)
        if said or (self.everything and tag in ("p", "li", "h1", "h2", "h3", "h4", "td", "th", "blockquote")):
            self.texts.append("")
        self.open.append((tag, (self.reads or bool(said)) and not left_out))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.reads:
            self.texts = self.texts or [""]
            self.texts[-1] += data

    def close(self) -> None:
        super().close()
        self.texts = [text.strip() for text in self.texts if text.strip() and not text.startswith("Source: ")]
