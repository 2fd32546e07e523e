"""Searches of text for what must not be in a deposit: places on a machine, secrets, data on private persons.

What such a search can find: numbers and addresses of a fixed form (e-mail, telephone with a country code or in the
Serbian form, personal identification numbers with a right check digit), two capitalised words right after a word for a
role ("defendant"), dates of birth that are called so, and columns named for such things. What it cannot find: a name
without such a word before it, a single name, initials, a nickname, a person who can be told from the facts of a case,
or a name in the text of a source that a link leads to. A clean search is no proof that nobody can be recognised.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

CAPITAL, SMALL = "A-ZŠĐČĆŽА-ЯЉЊЏЂЋЈ", "a-zšđčćžа-яљњџђћј"
ROLES = (
    "defendants?|accused|suspects?|victims?|injured part(?:y|ies)|convicts?|traffickers?|offenders?|perpetrators?|"
    "witness(?:es)?|judges?|prosecutors?|lawyers?|attorneys?|"
    "okrivljen[aei]|osuđen[aei]|osumnjičen[aei]|oštećen[aei]|žrtv[aeu]|svedok(?:inja)?|sudija|tužilac|tužiteljka|"
    "окривљен[аеи]|осуђен[аеи]|осумњичен[аеи]|оштећен[аеи]|жртв[аеу]|судија|тужилац"
)
NAME = rf"[{CAPITAL}][{SMALL}]{{2,}}"


class Search(NamedTuple):
    """One thing to look for. `holds` says of a match whether it really is one."""

    kind: str
    told: str
    pattern: re.Pattern
    holds: Callable[[str], bool] = lambda _: True


def _is_identification_number(digits: str) -> bool:
    """Whether 13 digits are a personal identification number (JMBG): a day that exists, and the check digit mod 11."""
    year = int(digits[4:7])
    try:
        datetime.date(year + (2000 if year < 800 else 1000), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return False
    weighed = sum(int(d) * w for d, w in zip(digits[:12], (7, 6, 5, 4, 3, 2) * 2, strict=True))
    check = 11 - weighed % 11
    return digits[12] == str(0 if check > 9 else check)


PLACES = [
    Search("absolute path", "a place on somebody's machine",
           re.compile(r"(?<![\w.:/%-])/(?:home|root|work|Users|tmp|mnt|opt)/\w+|\b[A-Z]:\\\\?Users")),
]  # fmt: skip
SECRETS = [
    Search("secret", "a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY")),
    Search("secret", "a key of a known form",
           re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[baprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35})")),
    Search("secret", "a value given to a name for secrets",
           re.compile(r"(?i)\b(?:\w*password|passwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token)\b"
                      r"""["']?\s*[:=]\s*["'][^"'$\s{]{8,}["']""")),
    Search("secret", "an address with a password in it", re.compile(r"\b\w+://[^\s/:@\"'<>]+:[^\s/@\"'<>]+@")),
]  # fmt: skip
PERSONS = [
    Search("personal data", "an e-mail address",
           re.compile(r"[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")),
    Search("personal data", "a telephone number",
           re.compile(r"(?<![\w.+-])\+[1-9]\d{0,2}[ /.-]?\(?\d{1,4}\)?(?:[ /.-]?\d{2,4}){2,4}(?![\w-])"
                      r"|(?<![\w./-])0\d{1,2}[/ ]\d{2,4}[ -]\d{2,4}(?:-\d{2,4})?(?![\w./-])")),
    Search("personal data", "a personal identification number",
           re.compile(r"(?<![0-9A-Za-z])\d{13}(?![0-9A-Za-z])"), _is_identification_number),
    Search("personal data", "a date of birth",
           re.compile(r"(?i)\b(?:born (?:on|in)|date of birth|birth ?date|dob|rođen[ao]?|datum rođenja|рођен[ао]?)"
                      r"\b[^\n,;]{0,15}\d")),
    Search("personal data", "a name beside a role",
           re.compile(rf"(?i:\b(?:{ROLES})),?:? (?:named |called |zvan[ai] )?{NAME} {NAME}")),
]  # fmt: skip
COLUMNS = re.compile(
    r"(?i)^(?:(?:first|last|given|family|full|person|victim|defendant)_?name|name|surname|ime|prezime|jmbg|e_?mail|"
    r"phone|telephone|(?:home_)?address|(?:date_of_)?birth(?:_?date|day)?|passport(?:_no)?)$"
)


class Hit(NamedTuple):
    """What was found: in which file and line, of which kind, and the words."""

    file: str
    line: int
    kind: str
    told: str
    words: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.told}: {self.words!r}"


def search(text: str, file: str, searches: list[Search]) -> Iterator[Hit]:
    """Every match in a text, in the order of the searches."""
    for sought in searches:
        for match in sought.pattern.finditer(text):
            if sought.holds(match[0]):
                line = text.count("\n", 0, match.start()) + 1
                yield Hit(file, line, sought.kind, sought.told, match[0][:80])


class Allowed(NamedTuple):
    """A hit that may stay, and why. `file` and `words` are patterns that must fit the whole."""

    file: str
    kind: str
    words: str
    reason: str

    def fits(self, hit: Hit) -> bool:
        return bool(hit.kind == self.kind and re.fullmatch(self.file, hit.file) and re.fullmatch(self.words, hit.words))
