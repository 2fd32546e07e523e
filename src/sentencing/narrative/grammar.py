"""Reads numbers, in words and digits, and lengths of time, as points, ranges and lists."""

import re
from typing import NamedTuple

DAYS_PER_MONTH = 30.4
WEEKS_PER_MONTH = DAYS_PER_MONTH / 7

_UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = {word: n for n, word in enumerate(_UNITS)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}
WORDS |= {f"{tens}-{unit}": WORDS[tens] + n for tens in _TENS for n, unit in enumerate(_UNITS[1:10], 1)}

_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[A-Za-z]+(?:['-][A-Za-z]+)*'?|[^\sA-Za-z\d]")


class Token(NamedTuple):
    """A word, number or sign of a sentence; `value` is set where it is a number."""

    text: str
    low: str
    start: int
    end: int
    value: int | None


def tokens(sentence: str) -> list[Token]:
    """Cut a sentence into words, numbers and signs, with offsets."""
    found = []
    for match in _TOKEN.finditer(sentence):
        start, end = match.span()
        text = match[0].rstrip(",") or ","
        low, stop = text.lower(), start + len(text)
        found.append(Token(text, low, start, stop, number(low)))
        if stop < end:
            found.append(Token(",", ",", stop, stop + 1, None))
    return found


def number(word: str) -> int | None:
    """The whole number that a lower-case word or a run of digits stands for; None if it is none."""
    if word[:1].isdigit():
        digits = word.replace(",", "")
        return int(digits) if digits.isdecimal() and len(digits) < 10 else None
    return WORDS.get(word)


# ---------------------------------------------------------------------------- lengths of time

_IN_WORDS = rf"(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_UNITS[1:10])}))?|{'|'.join(reversed(_UNITS))}"
_N = rf"(?:\d{{1,4}}(?:\.\d+)?|{_IN_WORDS}|an?)"
_HALF = r"(?:[- ]and[- ](?:a|one)[- ]half| and half)?"
_TIME = r"(?:years?|months?|days?|weeks?)(?:'s|')?(?![a-z])"
_POINT = (
    rf"{_N}{_HALF}[- ]{_TIME}(?:(?: and|,) (?:(?<!months, ){_N} (?:months?|days?)(?![a-z])|an? half(?! )"
    r"| (?:a|one)[- ]half))?"
)
_TERM = re.compile(
    rf"(?<![\w$€.,'-])(?:(?P<low>{_POINT}|{_N}{_HALF}(?=-? (?:(?:up )?to|and|or|-) |-\d))-?"
    rf"(?:(?: imprisonment| in prison)? (?P<joint>(?:up )?to|and|or|-) (?:(?:an? )?(?:maximum|up to|more than|over"
    rf"|approximately|about)(?: of)? )?|(?P<hyphen>(?<=-)(?=\d))))?"
    rf"(?:(?P<high>{_POINT})|(?P<end>life(?:time)?(?: imprisonment| in prison| sentences?)?|(?:the )?death(?: "
    rf"penalty)?)"
    rf"(?![a-z-]))",
    re.IGNORECASE,
)
_PARTS = re.compile(rf"({_N})({_HALF})(?:[- ]({_TIME}))?", re.IGNORECASE)
_OLD = re.compile(r"(?:-| )(?:old|of age)\b|(?:'s?)? (?:of age|old|later|ago|earlier|prior|after|before|younger)\b")


class Term(NamedTuple):
    """A length of time, or a range of them, in months.

    `low` and `high` are the ends (equal for a single length; `high` is None where the range ends in life or death);
    `end` is "", "life" or "death"; `joint` is "", "to", "and" or "or", the word between the ends.
    """

    low: float | None
    high: float | None
    end: str
    joint: str
    start: int
    stop: int


def terms(sentence: str) -> list[Term]:
    """All lengths of time of a sentence, ages left out; "five to ten years" is one range."""
    found = []
    for match in _TERM.finditer(sentence):
        if _OLD.match(sentence, match.end()):
            continue
        end = (match["end"] or "").lower()
        end = "death" if "death" in end else "life" if end else ""
        high = months(match["high"]) if match["high"] else None
        low = high
        if match["low"]:
            low = months(match["low"]) if re.search(r"year|month|day|week", match["low"], re.I) else None
            if low is None and match["high"]:
                low = months(f"{match['low'].rstrip('-')} {_unit(match['high'])}")
        if low is None and match["low"]:
            low = months(f"{match['low'].rstrip('-')} years")
        joint = "to" if match["hyphen"] is not None else (match["joint"] or "").lower().removeprefix("up ")
        if joint == "and" and _compound(match, low, high, sentence[: match.start()]):
            low = high = round(low + high, 2)
            joint = ""
        found.append(Term(low, high, end, "to" if joint == "-" else joint, match.start(), match.end()))
    return found


def _compound(match: re.Match, low: float | None, high: float | None, before: str) -> bool:
    """ "One year and six months" is one length, unless "between" makes it two."""
    if (
        low is None
        or high is None
        or not re.search("year", match["low"], re.IGNORECASE)
        or re.search("year", match["high"], re.IGNORECASE)
    ):
        return False
    return high < 12 and not before.endswith("between ")


def months(text: str) -> float:
    """Months of a single length of time: years x 12, days / 30.4.

    Raises
    ------
    ValueError
        Where the text holds no length of time.
    """
    total, last = 0.0, None
    pieces = _PARTS.findall(text)
    if not pieces:
        raise ValueError(f"{text!r} is no length of time")
    for amount, half, unit in pieces:
        if not unit:
            continue
        low = amount.lower()
        last = _months_per(unit)
        total += ((1 if low in ("a", "an") else WORDS[low] if low in WORDS else float(low)) + bool(half) / 2) * last
    if last is None:
        raise ValueError(f"{text!r} has no unit of time")
    if re.search(r"(?:years?|months?) and (?:a|one)[- ]half", text, re.IGNORECASE):
        total += last / 2
    return round(total, 2)


def _unit(text: str) -> str:
    return re.search(r"year|month|day|week", text, re.IGNORECASE)[0]


def _months_per(unit: str) -> float:
    return {"y": 12, "m": 1, "w": 1 / WEEKS_PER_MONTH, "d": 1 / DAYS_PER_MONTH}[unit[0].lower()]
