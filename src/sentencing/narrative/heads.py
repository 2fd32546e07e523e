"""What a number counts: cases, persons, victims, prosecutions, or nothing of these."""

import re
from typing import NamedTuple

from .clauses import Clauses
from .vocabulary import (
    CASES,
    CHILDREN,
    LEGAL_BEFORE,
    NEGATIONS,
    NOUNS,
    PARTICIPLES,
    PAST,
    PERSONS,
    STAGE,
    STOP,
    UNITS_AFTER,
    VICTIM,
    form,
    words,
)
from .years import MONTH

_REACH = 11
_LIST_OF_ARTICLES = 30
_LINKS = ("and", "or", ",")
_LEAD = re.compile(
    r"\s*(?:of (?:whom|which|them|the(?:se)? (?:victims|cases|investigations|prosecutions|convictions)) )?"
    r"(?:who |that )?(?:were |was )?(?:victims? |cases? )?"
    r"(?:(?:involved|involving|exploited|subjected|related|concerned|concerning|reported) )?"
    r"(?:predominantly |primarily |mostly |solely |exclusively |only )?(?:for|of|in|to|with|involving|involved)?\s*\"?"
    r"(?:alleged |suspected |potential |child |adult |exploitation (?:for|in) )*(?P<form>[^,;.()]{0,30})"
)
_FORM_FIRST = re.compile(
    r"sex|labor|forced|domestic|debt|bonded|begging|prostitution|pimping|both (?:sex|forms)|child (?:sex|labor)"
    r"|commercial sex|unspecified|multiple|organ|slavery|servitude|trafficking for (?:sex|labor|forced|other)"
    r"|(?:an )?(?:unspecified|unknown|undetermined|other form|other purpose)"
)
_FORM_LAST = re.compile(r"(?:trafficking|labor|servitude|begging|prostitution|exploitation|marriage|criminality|sex)$")


_ARTICLES = words("a an first")
_ONE = words("trafficker defendant suspect perpetrator offender")
_KINDS = words("potential suspected alleged possible new human sex labor child trafficking forced foreign female male")
_ONE_STEP = words("conviction prosecution investigation indictment")
_ATTAINED = words("obtained secured achieved initiated recorded attained obtaining securing achieving initiating")
_ADJECTIVES = words("""alleged suspected forced bonded unidentified confirmed unspecified related organized accused
    unconfirmed""")
_GROUPS = words("adult child male female foreign domestic")
_GROUP_NOUNS = words("child children adult adults man men woman women boy boys girl girls males females minors")
_TAKES_PEOPLE = words("convicted convicting prosecuted prosecuting indicted indicting acquitted acquitting charged")
_NOT_ACCUSED = words("officials officers policemen soldiers diplomats employees counts crimes victims charges")


class Number(NamedTuple):
    """A number that may count something.

    `at` and `stop` are the first and last token of its phrase; `unit` is cases, persons, victims, children,
    unspecified (a step is named, which `stages` has) or bare (the noun is left out); `words` are those between;
    `joined` tells that the value adds up two groups: "three adult and six child victims".
    """

    at: int
    value: int
    unit: str
    stages: tuple[str, ...]
    stop: int
    words: str
    joined: bool = False


def is_number(clauses: Clauses, i: int, victims_only: bool) -> bool:
    """Whether a token is a number in words or digits, "no", "none", or an article that means one."""
    token = clauses.tokens[i]
    return token.value is not None or token.low in ("no", "none") or _article(clauses, i, victims_only)


def _article(clauses: Clauses, i: int, victims_only: bool) -> bool:
    """Whether "convicted a trafficker", "its first conviction" means one."""
    low = clauses.tokens[i].low
    if low not in _ARTICLES:
        return False
    before = clauses.low(i - 1)
    if low != "first":
        if victims_only and before in ("identified", "identifying"):
            denied = NEGATIONS.search(clauses.text, 0, clauses.tokens[i].start)
            return not denied and any(token.low == "victim" for token in clauses.tokens[i + 1 : i + 6])
        return (
            before in STAGE
            and before not in NOUNS
            and _singular(clauses, i + 1)
            and not NEGATIONS.search(clauses.text, 0, clauses.tokens[i].start)
        )
    if before not in ("its", "the"):
        return False
    named = next((token.low for token in clauses.tokens[i + 1 : i + 5] if token.low in NOUNS), "")
    return named in _ONE_STEP and (before == "its" or clauses.low(i - 2) in _ATTAINED)


def _singular(clauses: Clauses, i: int) -> bool:
    """Whether one person is named, after words that only tell of the kind: "potential sex trafficker"."""
    for k in range(i, i + 4):
        if clauses.low(k) in _ONE:
            return True
        if clauses.low(k) not in _KINDS:
            return False
    return False


def countable(clauses: Clauses, i: int) -> bool:
    """Whether a number can be a count: no year, date, sum, share, article of a law or pronoun."""
    token, before, after = clauses.tokens[i], clauses.low(i - 1), clauses.low(i + 1).rstrip("'")
    if token.value is not None and token.text.isdigit() and 1900 <= token.value <= 2100:
        return False
    if before in LEGAL_BEFORE or after in UNITS_AFTER:
        return False
    if before in ("-", "/") and clauses.tokens[i - 1].start <= clauses.tokens[i - 2].end:
        return False
    if any(0 <= k < len(clauses.tokens) and MONTH.fullmatch(clauses.tokens[k].text) for k in (i - 1, i + 1)):
        return False
    if token.low == "one":
        back = ("this", "that", "which", "previous", "the", "no", "any", "last")
        if before in back or after in ("another", "or"):
            return before == "the" and after in CASES
    if i >= 3 and before in ("and", "or", "to", "through", ",") and clauses.tokens[i - 2].value is not None:
        return not _in_list_of_articles(clauses, i) or after in PERSONS or after in NOUNS or after == "under"
    return True


def _in_list_of_articles(clauses: Clauses, i: int) -> bool:
    back = i - 2
    links = (*_LINKS, "-", "to", "(", ")")
    while back > max(1, i - _LIST_OF_ARTICLES) and (
        clauses.tokens[back].value is not None or clauses.low(back) in links
    ):
        back -= 1
    return clauses.low(back) in LEGAL_BEFORE - {"number", "no", "under", "top"}


def number_at(clauses: Clauses, i: int, may_share: bool = True) -> Number | None:
    """What the number at a token counts; None where it counts something else.

    `may_share`: whether it may take its noun from the next number, as in "127 federal and 298 state cases".
    """
    words: list[str] = []
    stop = i
    for j in range(i + 1, min(i + _REACH, len(clauses.tokens))):
        token, low, after = clauses.tokens[j], clauses.low(j), clauses.low(j + 1)
        if low in NOUNS:
            if words and words[-1] in ("and", "or"):
                break
            return _of_steps(clauses, i, j, words)
        unit = "children" if low in CHILDREN and after == "and" and _is_value(clauses, j + 2) else _unit(low, after)
        if unit == "compound":
            continue
        if unit:
            number = _made(clauses, i, unit, (), j, words)
            return _with_others(clauses, number, low) if may_share else number
        if may_share and token.value is not None and words and words[-1] == "and" and countable(clauses, j):
            return _sharing(clauses, i, j, words)
        if token.value is not None or low in STOP or (low == "," and not words):
            break
        if not words and low in PARTICIPLES and (not after or after in STOP or after in (",", "last")):
            break
        if not words and low in PAST and after == "and" and _is_value(clauses, j + 2):
            break
        if low in _LINKS:
            if low == "," or after in STOP or _verb(after):
                break
            words.append(low)
            continue
        if (low == "others" and not words) or (low == "forms" and words):
            return _made(clauses, i, "bare", (), j, words)
        if _other_noun(token.text):
            return _made(clauses, i, "persons", (), j, words) if _accused(clauses, i, low) else None
        words.append(low)
        stop = j
    return None if clauses.low(i) == "no" else _made(clauses, i, "bare", (), stop, words)


def _accused(clauses: Clauses, i: int, noun: str) -> bool:
    """Whether a plural is the direct object of a verb that takes people alone: "convicted three slaveholders"."""
    return clauses.low(i - 1) in _TAKES_PEOPLE and noun not in _NOT_ACCUSED


def _verb(word: str) -> bool:
    if word in STAGE:
        return word not in NOUNS
    if word.endswith("ed"):
        return word not in _ADJECTIVES and "-" not in word
    return word.endswith("ing") and word not in ("trafficking", "begging", "smuggling", "pimping", "fishing")


def _is_value(clauses: Clauses, i: int) -> bool:
    return i < len(clauses.tokens) and clauses.tokens[i].value is not None


def _unit(low: str, after: str) -> str:
    if low in CASES:
        return "compound" if after in NOUNS else "cases"
    if low in VICTIM:
        return "victims"
    if low in PERSONS and after not in CASES | PERSONS | NOUNS | VICTIM:
        return "persons"
    if low in CHILDREN and (not after or after in STOP or after in ",.;"):
        return "children"
    return ""


def _other_noun(text: str) -> bool:
    """Whether a word looks like a plural that is none of the nouns counted: "officers", "trainings"."""
    low = text.lower()
    plural = low.endswith("s") and not low.endswith(("'s", "ss", "us")) and not text[0].isupper()
    return plural and low not in ("suspects", "previous", "others")


def _of_steps(clauses: Clauses, i: int, j: int, words: list[str]) -> Number:
    """The number of a step, or of several: "eight investigations and prosecutions"."""
    stages, stop = [STAGE[clauses.low(j)]], j
    while clauses.low(stop + 1) in _LINKS:
        k = stop + 2 + (clauses.low(stop + 2) in ("and", "or"))
        while clauses.low(k) in ("new", "trafficking", "subsequent"):
            k += 1
        if clauses.low(k) not in NOUNS or (clauses.low(k + 1) in ("of", "against") and clauses.low(i) != "no"):
            break
        stages.append(STAGE[clauses.low(k)])
        stop = k
    return _made(clauses, i, "unspecified", tuple(dict.fromkeys(stages)), stop, words)


def _sharing(clauses: Clauses, i: int, j: int, words: list[str]) -> Number:
    """A number that shares the noun of the next: "81 federal and 92 state investigations"."""
    shared = number_at(clauses, j, may_share=False)
    if shared is not None and shared.unit != "bare":
        words = words[:-1]
        if len(words) == 1 and _same_kind(clauses, j - 2, j, shared):
            together = _made(clauses, i, shared.unit, shared.stages, shared.stop, [shared.words.split(" ", 1)[-1]])
            return together._replace(value=together.value + shared.value, joined=True)
        if not CHILDREN & set(words) and "adults" not in words:
            return _made(clauses, i, shared.unit, shared.stages, j - 2, words)
        words = [*words, "and"]
    return _made(clauses, i, "bare", (), j - 2, words)


def _with_others(clauses: Clauses, number: Number, noun: str) -> Number:
    """A number of one group with that of the other: "82 children and 134 adults"; the number itself where alone."""
    k = number.stop + 2
    other = clauses.low(k + 1)
    if number.words or clauses.low(k - 1) != "and" or not _is_value(clauses, k):
        return number
    if noun not in _GROUP_NOUNS or other not in _GROUP_NOUNS or other == noun:
        return number
    total = number.value + clauses.tokens[k].value
    return number._replace(value=total, unit="children", stop=k + 1, joined=True)


def _same_kind(clauses: Clauses, i: int, j: int, shared: Number) -> bool:
    """Whether two numbers that share a noun are told apart by age, sex or nationality, and so add up."""
    first, second = clauses.tokens[i].text, clauses.tokens[j + 1].text if j + 1 < len(clauses.tokens) else ""
    if not shared.words:
        return False
    return {first, second} <= _GROUPS or (first[:1].isupper() and second[:1].isupper())


def _made(clauses: Clauses, i: int, unit: str, stages: tuple[str, ...], stop: int, words: list[str]) -> Number:
    while unit == "bare" and words and words[-1] in _LINKS:
        words = words[:-1]
    value = clauses.tokens[i].value
    if value is None:
        value = 0 if clauses.low(i) in ("no", "none") else 1
    return Number(i, value, unit, stages, stop, " ".join(words))


def names_form(clauses: Clauses, number: Number) -> bool:
    """Whether a number is a part by form of exploitation: "five for forced labor", "12 sex trafficking"."""
    if number.words.split(" ")[0] in ("unspecified", "unknown", "uncategorized", "undetermined"):
        return True
    if number.words and _FORM_LAST.search(number.words) and form(number.words):
        return True
    rest = clauses.rest(number.stop, 70)
    if not rest.strip() or rest.strip()[0] in ",.;)":
        return False
    return _FORM_FIRST.match(_LEAD.match(rest)["form"].split(" and ")[0].strip()) is not None
