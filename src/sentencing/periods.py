"""Reference periods as the sources write them ("2017", "FY2014", "2018-01/2018-05"), read into dates."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

KINDS = (
    "calendar_year", "reporting_period", "fiscal_year", "part_year", "multi_year", "statute", "open",
    "unknown",
)  # fmt: skip
PRECISIONS = ("day", "month", "quarter", "half_year", "year", "unknown")
EXAMPLES = {
    "a calendar year": "2017",
    "a reporting period of two adjacent years": "2012-2013",
    "the same, shortened": "2022-23",
    "several years": "2017-2021",
    "a fiscal year": "FY2014",
    "a month": "2018-12",
    "from month to month": "2018-01/2018-05",
    "from year to year": "2012/2016",
    "a quarter": "2016-Q1",
    "a half-year": "2005-H1",
    "everything up to a year": "to early 2018",
    "the law in force": "statute",
    "the law as of a year": "statute 2009",
    "not stated": "",
}
ACCEPTED = "; ".join(f"{meaning}: {example!r}" for meaning, example in EXAMPLES.items())
MONTHS_IN = {"Q": 3, "H": 6}


@dataclass(frozen=True)
class Period:
    """A stretch of time that a figure refers to.

    Attributes
    ----------
    start, end : datetime.date or None
        First and last day that the text can mean; None where it is open or not told.
    kind : str
        One of `KINDS`. `part_year` is a stretch of at most twelve months that is no calendar year,
        `multi_year` one of more than a year.
    precision : str
        One of `PRECISIONS`: how finely the text tells both ends. With "year" a reporting period lies
        somewhere in its two years, and a fiscal year is near, not equal to, the calendar year.
    """

    start: date | None
    end: date | None
    kind: str
    precision: str

    @property
    def reference_year(self) -> int | None:
        """The single year in which the period mostly lies, or None where there is none.

        None for statutes, open and unknown periods, and those of more than a year. A two-year reporting
        period ("2012-2013") gives its first year, because the project files what the edition of year Y
        reports under Y - 1. Where two years hold equally many days, the first is given.
        """
        if self.start is None or self.end is None or self.kind == "multi_year":
            return None
        if self.kind == "reporting_period":
            return self.start.year
        return max(range(self.start.year, self.end.year + 1), key=lambda year: (self._days_in(year), -year))

    def _days_in(self, year: int) -> int:
        first, last = max(self.start, date(year, 1, 1)), min(self.end, date(year, 12, 31))
        return (last - first).days + 1


def parse_period(text: str | None, iso3: str | None = None) -> Period:
    """Read a reference period as the `reference_period` columns write it.

    Parameters
    ----------
    text : str or missing
        One of the forms of `EXAMPLES`. "2003-04" is a shortened reporting period, since the years are
        adjacent; "2004-03" is a month.
    iso3 : str, optional
        The country. Only the fiscal year of the United States (1 October to 30 September) is known
        here; other countries' fiscal years get the calendar year's bounds with precision "year".

    Raises
    ------
    ValueError
        For anything else, also impossible months and periods that end before they begin; the message
        quotes the text and lists the accepted forms.
    """
    if text is None or pd.isna(text) or not str(text).strip():
        return Period(None, None, "unknown", "unknown")
    for pattern, build in FORMS:
        match = re.fullmatch(pattern, str(text).strip(), flags=re.ASCII)
        period = build(match, iso3) if match else None
        if period:
            return period
    raise ValueError(f"cannot read the period {text!r}; accepted are {ACCEPTED}")


def _first_day(year: int, month: int = 1) -> date:
    return date(year, month, 1)


def _last_day(year: int, month: int = 12) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _years(first: int, last: int, kind: str) -> Period:
    return Period(_first_day(first), _last_day(last), kind, "year")


def _months(start: tuple[int, int], end: tuple[int, int], precision: str) -> Period | None:
    n_months = (end[0] - start[0]) * 12 + end[1] - start[1] + 1
    if n_months < 1 or not (1 <= start[1] <= 12 and 1 <= end[1] <= 12):
        return None
    whole_year = n_months == 12 and start[1] == 1
    kind = "calendar_year" if whole_year else "part_year" if n_months <= 12 else "multi_year"
    return Period(_first_day(*start), _last_day(*end), kind, precision)


def _hyphen(match: re.Match, iso3: str | None) -> Period | None:
    first, last = map(int, match.groups())
    if last <= first:
        return None
    return _years(first, last, "reporting_period" if last == first + 1 else "multi_year")


def _short_hyphen(match: re.Match, iso3: str | None) -> Period | None:
    year, number = map(int, match.groups())
    if number == (year + 1) % 100:
        return _years(year, year + 1, "reporting_period")
    return _months((year, number), (year, number), "month")


def _from_year_to_year(match: re.Match, iso3: str | None) -> Period | None:
    first, last = map(int, match.groups())
    return _years(first, last, "multi_year") if last > first else None


def _from_month_to_month(match: re.Match, iso3: str | None) -> Period | None:
    first, first_month, last, last_month = map(int, match.groups())
    return _months((first, first_month), (last, last_month), "month")


def _fiscal(match: re.Match, iso3: str | None) -> Period:
    year = int(match[1])
    if iso3 == "USA":
        return Period(date(year - 1, 10, 1), date(year, 9, 30), "fiscal_year", "day")
    return _years(year, year, "fiscal_year")


def _part(match: re.Match, iso3: str | None) -> Period:
    year, letter, number = int(match[1]), match[2][0], int(match[2][1])
    length = MONTHS_IN[letter]
    precision = {"Q": "quarter", "H": "half_year"}[letter]
    return _months((year, (number - 1) * length + 1), (year, number * length), precision)


def _open(match: re.Match, iso3: str | None) -> Period:
    return Period(None, _last_day(int(match[1])), "open", "year")


def _statute(match: re.Match, iso3: str | None) -> Period:
    if match[1] is None:
        return Period(None, None, "statute", "unknown")
    return Period(_first_day(int(match[1])), None, "statute", "year")


YEAR = r"((?:19|20)\d\d)"
FORMS: list[tuple[str, Callable[[re.Match, str | None], Period | None]]] = [
    (YEAR, lambda match, iso3: _years(int(match[1]), int(match[1]), "calendar_year")),
    (rf"{YEAR}-{YEAR}", _hyphen),
    (rf"{YEAR}-(\d\d)", _short_hyphen),
    (rf"FY{YEAR}", _fiscal),
    (rf"{YEAR}/{YEAR}", _from_year_to_year),
    (rf"{YEAR}-(\d\d)/{YEAR}-(\d\d)", _from_month_to_month),
    (rf"{YEAR}-(Q[1-4]|H[12])", _part),
    (rf"to (?:(?:early|mid|late) )?{YEAR}", _open),
    (rf"statute(?: {YEAR})?", _statute),
]
