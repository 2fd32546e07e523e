"""The explorer: readers choose countries, years and kinds of source, see the evidence, and put a threshold to it.

    files(data(evidence, fitted, countries, serbia, compared), Links())

No drawing library is used. What is drawn are bars, points, one curve and one band for each kind of source; a script of
its own draws them at the width of the screen, so that text stays readable on a telephone, where a library would bring
one to five megabytes. It needs no `eval`, so the page keeps a policy that allows this one script and nothing else. And
it fits nothing: shares come from the notebooks, at thresholds half a step apart, and the script looks them up. What it
counts itself, the smallest and the largest share that the shown rows allow, is `inference.share_bounds` again, and is
tested against it.

A generator of pages takes the parts that `files` gives, and puts them where it wants. The data stand in the fragment:
a page opened as a file cannot fetch any.
"""

import json
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from .. import compare, estimands, evidence, figures, paths, schemas, sentences, sources, tables

HERE = Path(__file__).parent
SERBIA, COMPARED = "05-sentences-in-serbia", "06-compare-countries"
START_MONTHS = 48
FAMILIES = {"lognormal": "log-normal", "loglogistic": "log-logistic", "weibull": "Weibull"}
# More than a page prints; the notebooks report no share of a country.
DIGITS = 4


class Links(NamedTuple):
    """Addresses of other pages, as seen from the explorer."""

    serbia: str = f"{SERBIA}.html"
    compared: str = f"{COMPARED}.html"
    sources: str = "sources.html"
    check: str = "readers.html#how-to-check-a-row"


LINKS = Links()


def read(parameters: Path) -> dict:
    """`data` from the tables that a build wrote.

    Parameters
    ----------
    parameters : Path
        Folder of resolved parameters, `<notebook>.yml`, as `sentencing.notebooks parameters` writes it.
    """
    serbia, compared = (sources.read_yaml(paths.resolve(parameters) / f"{name}.yml") for name in (SERBIA, COMPARED))
    read_in = (serbia["in_evidence"], serbia["out_fitted"], compared["out_countries"])
    return data(*map(tables.read_csv, read_in), serbia, compared)


def data(table: pd.DataFrame, fitted: pd.DataFrame, countries: pd.DataFrame, serbia: dict, compared: dict) -> dict:
    """Everything the script needs, as plain values.

    Parameters
    ----------
    table : pandas.DataFrame
        The evidence table.
    fitted : pandas.DataFrame
        As of `estimands.fitted_shares`.
    countries : pandas.DataFrame
        As of `compare.by_country`.
    serbia, compared : dict
        Parameters of the notebooks that fitted them. Rows are chosen by their rules.

    Returns
    -------
    dict
        `rows`, one a row of the evidence (`_row`); `fits` (`_fit`), with the places of the rows they rest on; names of
        countries, kinds and sources; where the page starts.
    """
    spans = table.loc[table["used"].eq(1), ["year_low", "year_high"]]
    rows = compare.select(table, spans.min().min(), spans.max().max(), **_rules(serbia))
    received = estimands.with_received_ends(rows, serbia["range_rule"])
    groups = {name: place for place, name in enumerate(dict.fromkeys(rows["evidence_id"]))}
    named = {name: place for place, name in enumerate(sources.join_ids(rows["source_id"]).split(";"))}
    packed = [
        _row(row, ends, groups[row["evidence_id"]], named)
        for row, ends in zip(rows.to_dict("records"), received.to_dict("records"), strict=True)
    ]
    _check_readings(packed)
    places = {_key(row): place for place, row in enumerate(rows.to_dict("records"))}
    fits = [*_fits_of_kinds(table, fitted, places, serbia), *_fits_of_countries(table, countries, places, compared)]
    present = sorted(set(rows["iso3"]), key=lambda iso3: schemas.country_name(iso3).casefold())
    return {
        "rows": packed,
        "fits": fits,
        "countries": {iso3: schemas.country_name(iso3) for iso3 in present},
        "kinds": {kind: label for kind, label in evidence.SOURCE_KINDS.items() if kind in set(rows["source_kind"])},
        "sources": [[source_id, sources.describe(source_id)] for source_id in named],
        "years": [int(rows["year_low"].min()), int(rows["year_high"].max())],
        "largest_months": int(estimands.LARGEST_MONTHS),
        "life_months": serbia["life_cap_months"],
        "step_months": _step(serbia),
        "undated": len(_undated(table, serbia)),
        "start": {
            "countries": [iso3 for iso3 in present if iso3 == serbia["country"]],
            "years": [serbia["first_year"], serbia["last_year"]],
            "months": START_MONTHS,
        },
    }


def _rules(parameters: dict) -> dict:
    return {"aggregate": parameters["aggregate_sentences"], "related": parameters["related_offences"]}


def _key(row: dict) -> tuple:
    """What must be the same in two rows for them to be the same evidence."""
    bounds = tuple(None if pd.isna(row[end]) else float(row[end]) for end in ("low_months", "high_months"))
    return row["row_id"], *bounds, row["low_attained"], row["high_attained"]


def _row(row: dict, received: dict, group: int, named: dict[str, int]) -> dict:
    """A row of the evidence; what is as in most rows is left out.

    `c` country, `k` kind of source, `g` published group, `y` years, `n` people (several numbers where the base of a
    share is open), `p` people and `t` term in words, `s` sources, `lo` and `hi` bounds in months. Letters of `f`: l, h:
    the bound does not belong to the row; L, H: somebody is said to have got it; A: and is counted as having got it; m:
    an average; u: life.
    """
    flags = {
        "l": not row["low_inclusive"],
        "h": not row["high_inclusive"],
        "L": row["low_attained"] == 1,
        "H": row["high_attained"] == 1,
        "A": received["low_attained"] == 1 or received["high_attained"] == 1,
        "m": row["kind"] == "mean",
        "u": row["sanction"] == "life" and pd.isna(row["low_months"]) and pd.isna(row["high_months"]),
    }
    packed = {
        "c": row["iso3"],
        "k": row["source_kind"],
        "g": group,
        "y": [int(row["year_low"]), int(row["year_high"])],
        "n": [_number(n) for n in sentences.possible_people(row["n"], row["count_candidates"])],
        "p": figures.people_in_words(row),
        "t": figures.length_in_words(row),
        "s": [named[source_id] for source_id in row["source_id"].split(";")],
        "f": "".join(letter for letter, holds in flags.items() if holds),
    }
    ends = {"lo": row["low_months"], "hi": row["high_months"]}
    return packed | {name: _number(end) for name, end in ends.items() if not pd.isna(end)}


def _check_readings(rows: list[dict]) -> None:
    """Rows of a group whose numbers of people are open are open together: the first of each belong to one base."""
    readings: dict[int, set[int]] = {}
    for row in rows:
        readings.setdefault(row["g"], set()).add(len(row["n"]))
    if wrong := [group for group, many in readings.items() if len(many - {1}) > 1]:
        raise ValueError(f"published groups {wrong} have rows of different numbers of bases")


def _number(value) -> int | float:
    value = float(value)
    return int(value) if value.is_integer() else value


def _fit(iso3: str, kind: str, notebook: str, parameters: dict, rows: list[int], **more) -> dict:
    """A fit, or the reason why there is none, with the places of its rows; without `curve` there is none.

    `curve` has three lists over the thresholds, `step` months apart: share of shorter terms, low, high.
    """
    return {
        "c": iso3,
        "k": kind,
        "notebook": notebook,
        "years": [parameters["first_year"], parameters["last_year"]],
        "rows": rows,
        "family": FAMILIES[parameters["family"]],
        "step": _step(parameters),
        "grid": _number(parameters["grid_months"]),
    } | more


def _step(parameters: dict) -> int | float:
    """Distance of two thresholds, months."""
    return _number(np.diff(estimands.thresholds(parameters["grid_months"]))[0])


def _fits_of_kinds(table: pd.DataFrame, fitted: pd.DataFrame, places: dict, parameters: dict) -> list[dict]:
    rows = estimands.select(
        table, parameters["country"], parameters["first_year"], parameters["last_year"],
        publicised=parameters["publicised_cases"], **_rules(parameters),
    )  # fmt: skip
    found = []
    for (iso3, kind), shares in fitted.groupby(["iso3", "source_kind"], sort=False):
        own = _places(rows[rows["source_kind"] == kind], places)
        if shares["threshold_months"].isna().all():
            more = {"why": shares["refused"].iloc[0]}
        else:
            curve = shares[["share_shorter", "low", "high"]].astype("float64").to_numpy()
            more = {"curve": _lists(curve, tables.SIGNIFICANT_DIGITS)}
        found += [_fit(iso3, kind, "serbia", parameters, own, **more)] if own else []
    return found


def _fits_of_countries(table: pd.DataFrame, countries: pd.DataFrame, places: dict, parameters: dict) -> list[dict]:
    """Fits of countries whose evidence is of one kind of source."""
    rows = compare.select(
        table, parameters["first_year"], parameters["last_year"], publicised=parameters["press_cases"],
        **_rules(parameters),
    )  # fmt: skip
    months = estimands.thresholds(parameters["grid_months"])
    shares = compare.shares_shorter(countries, parameters["family"], parameters["grid_months"], months)
    found = []
    for country, curve in zip(countries.to_dict("records"), shares, strict=True):
        of_country = rows[rows["iso3"] == country["iso3"]]
        own = _places(of_country, places)
        if own and of_country["source_kind"].nunique() == 1:
            estimated = country["said"] == "estimated"
            more = {"why": f"the model gives none; known is: {country['said']}"}
            if estimated:
                share = _number(f"{country['own_information']:.{DIGITS}g}")
                more = {"curve": _lists(curve, DIGITS), "own": share}
            kind = of_country["source_kind"].iloc[0]
            found.append(_fit(country["iso3"], kind, "compared", parameters, own, **more))
    return found


def _places(rows: pd.DataFrame, places: dict) -> list[int]:
    """Places of rows among those of the page; none when one of them is not there, or not the same."""
    found = [places.get(_key(row)) for row in rows.to_dict("records")]
    return [] if None in found else found


def _lists(curve: np.ndarray, digits: int) -> list[list[float | None]]:
    return [[None if np.isnan(v) else _number(f"{v:.{digits}g}") for v in column] for column in curve.T]


def _undated(table: pd.DataFrame, parameters: dict) -> pd.DataFrame:
    """Usable rows that no choice of years shows, since one end of their years is not told."""
    used = table[table["used"].eq(1) & (parameters["related_offences"] | table["offence"].ne("related"))]
    return used[used["year_low"].isna() | used["year_high"].isna()]


def as_json(content: dict) -> str:
    """Data as JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def files(content: dict, links: Links = LINKS) -> dict[str, str]:
    """The parts of the page by file name: `explorer.html` for the body, below a first-level heading; `explorer.css`;
    `explorer.js`, which is to run after the body has been read.

    Parameters
    ----------
    content : dict
        As of `data`.
    links : Links
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    told = content | {"links": links._asdict()}
    fragment = environment.get_template("explorer.html.j2").render(**told, embedded=Markup(as_json(told)))
    return {"explorer.html": fragment, "explorer.css": _style(), "explorer.js": _text("explorer.js")}


def _style() -> str:
    """The style, with the colours that kinds of source have in figures."""
    looks = zip(evidence.SOURCE_KINDS, figures.COLOURS.values(), strict=False)
    rule = "#explorer .kind-{} {{ --kind: {}; }}\n"
    plain, mixed = "", ""
    for kind, colour in looks:
        plain += rule.format(kind, colour)
        mixed += rule.format(kind, f"light-dark({colour}, color-mix(in srgb, {colour} 70%, white))")
    return f"{_text('explorer.css')}{plain}@supports (color: light-dark(red, red)) {{\n{mixed}}}\n"


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
