"""Rules for sentences that courts imposed: whose, how long, and of what kind."""

import re
from typing import NamedTuple

from .grammar import WORDS, Term, number, terms
from .penalties import is_law
from .people import People
from .people import before as people_before
from .rows import Fact
from .split import Sentence
from .years import MONTH, mentions

_COURT = re.compile(
    r"\b(?=\w)(?:sentenc\w+|imprison\w*|prison|jail\w*|received|imposed|issued|penalt\w+|incarcerat\w+|probation"
    r"|suspended|fined|fines?|served?|"
    r"house arrest|custod\w+|terms?|given [\w-]+ (?:years|months))\b",
    re.I,
)
_AFTER = re.compile(
    r"[' ]{0,2}(?:(?:each|of|in|imprisonment|prison|jail|to|years?|effective|actual|fully|partially|suspended) ?){0,4}"
    r"(?:imprison|prison|jail|detention|probation|house arrest|home|incarcerat|term|sentence|hard labor|custod"
    r"|suspended|community|penitentiary|behind bars|for\b|with\b|and\b|each|plus)"
    r"|\s*[.,;:()]|,? respectively| conditional"
    r"| or (?:more|less|longer|greater|fewer|over)\b| - |\s*$| in (?:the )?(?:20\d\d|previous)|,? compared",
    re.I,
)
_BEFORE = re.compile(
    r"(?:sentenc\w+|penalt\w+|terms?|imprison\w*|prison|jail|detention|punishments?|probation|received|average"
    r"|served?|verdicts?|ranging|ranged|varied|"
    r"handed down|given|custody|fines?|arrest|issued|suspended|imposed|required|trafficker\w*|convict\w*|others?"
    r"|defendants?|respectively of|[Oo]ne|two|three)\b[^.;]{0,95}$",
    re.I,
)
_NOT_TERM = re.compile(
    r"(?:in|over|during|within|for|after|since|last|past|previous|first|every|next|under|nearly|took|lasting|covering) "
    r"(?:the )?(?:past |last |previous |first |next |more than |nearly |at least |over )?$",
    re.I,
)
_IN_PRISON = re.compile(r"[' ]{0,2}(?:of |in )?(?:imprison|prison|jail|probation|detention|house)", re.I)
_OTHER_SPAN = re.compile(
    r"[ -]+(?:old|deprivation|ban\b|driving|residen|action|national|plan|period(?! in)|strategy|investigation"
    r"|supervised|of supervised|of age|delay|contract|visa|"
    r"backlog|project|campaign|program|moratorium|reflection|ago|later|earlier|prior|after|before|work|temporary"
    r"|permit|trafficking|reporting|decline|increase|"
    r"statute|agreement|assessment|study|training|course|cooperation|grant|stay|mandate|collab|pending|average of)",
    re.I,
)
_MORE = re.compile(
    r"(?:more than|over|longer than|greater than|at least|no less than|not less than|exceeding|exceeded|minimum of"
    r"|in excess of|of not less than|above)\s*(?:a |an )?$",
    re.I,
)
_LESS = re.compile(
    r"(?:less than|under|up to|at most|no more than|not more than|not exceeding|fewer than|maximum of|shorter than"
    r"|below|a maximum|no longer than)\s*(?:a |an )?$",
    re.I,
)
_OR_MORE = re.compile(
    r"[' ]{0,2}(?:imprisonment |in prison |of imprisonment )?or (?:more|longer|greater|above)\b", re.I
)
_OR_LESS = re.compile(r"[' ]{0,2}(?:imprisonment |in prison |of imprisonment )?or (?:less|fewer|shorter|under)\b", re.I)
_LIST = re.compile(
    r"(?P<list>(?<![\w,])(?:[a-z]+(?:-[a-z]+)?|\d+)(?:, (?:[a-z]+(?:-[a-z]+)?|\d+)){1,6},? and "
    r"(?:[a-z]+(?:-[a-z]+)?|\d+)) (?P<unit>years|months)\b"
)
# The verb phrase comes first: whom it is about is looked for after it ("on four"), before it, or (where the group says
# so) within it.
_GOT = (
    r"(?:receiv(?:ed|ing)|given|sentenc(?:ed|ing)(?: (?:them|him|her|all|both|each))? to|issued|impos(?:ed|ing)|had"
    r"|carried|resulted in)(?: (?:a|an|only|just|fully|wholly|completely|either))*"
)
_SUSPENDED = (
    r"(?:suspended|conditional|deferred)(?: (?:prison|jail|custodial))? (?:sentences?|terms?|imprisonment"
    r"|penalt(?:y|ies))"
)
_NUMBER = rf"(?:\d[\d,]*|{'|'.join(sorted(WORDS, key=len, reverse=True))})"
_CONVICTS = r"(?:traffickers?|defendants?|offenders?|perpetrators?|individuals|convicts|others)"
_SUSPEND = re.compile(
    rf"\b(?:{_GOT}|with(?: an?)?)"
    rf"(?P<part> partially| partly)?(?: fully| wholly)? {_SUSPENDED}\b"
    rf"|\b(?P<n4>[\w-]+) (?:to|in|with)(?: an?)?(?: fully| wholly)? {_SUSPENDED}\b"
    rf"|\bsuspend(?:ed|ing) the sentences? (?:of|for) (?:the )?(?:remaining |other )?(?P<n5>{_NUMBER})\b"
    r"|(?<!partially )\bsuspend(?:ed|ing) (?P<every>all|both)(?: of)?(?: (?:the|their|these))?(?: [a-z]+)? "
    r"(?:sentences|terms)\b"
    r"|\bsuspend(?:ed|ing) (?:only |the sentences? (?:of|for) (?:the )?|sentences (?:of|for) )?(?P<n>[\w-]+) "
    r"(?:(?:out )?of (?:the )?(?:\w+ )?)?(?:convicted |prison |jail |imprisonment )?"
    rf"(?:sentences?|prison|{_CONVICTS}|(?<=out of )[\w-]+)"
    r"|\b(?:received|given) (?:jail|prison) sentences (?:that|which) the courts? suspended\b"
    r"|(?<!of which )\b(?:were|was) (?P<part2>partially |partly )?(?:fully |wholly )?suspended\b"
    rf"|\bsentenced conditionally\b|\bto (?:either )?(?:a fine or )?(?:a |fully )?{_SUSPENDED}\b"
    rf"|\b(?P<n3>{_NUMBER}) {_SUSPENDED}\b"
    rf"|\b{_SUSPENDED} (?:for|to|against|on) (?P<n2>[\w-]+)\b",
    re.I,
)
_FINED = re.compile(
    rf"\b(?:{_GOT}|(?:paid|ordered to pay)(?: (?:only|just|an?))*) fines?\b"
    r"|\bwith (?:only )?(?:the|an) option (?:of|to pay) (?:a |paying a )?fine"
    r"|\b(?P<n4>[\w-]+) (?:to|in) (?:a )?fines?\b|\bfines? on (?P<n2>[\w-]+)\b"
    r"|\b(?:were|was) (?:only )?fined\b|\b(?:courts?|judges?|government|authorities) (?:only )?fined "
    rf"(?P<n>[\w-]+) (?:\w+ )?{_CONVICTS}",
    re.I,
)
_ELSE = re.compile(
    rf"\b(?:{_GOT}|sentenced(?: [\w-]+){{1,3}} to|(?:placed|put|released) on"
    rf"|ordered to (?:perform|complete)|(?P<n4>[\w-]+) to)(?: [\d,]+ hours of)? "
    r"(?P<else>probation|community service|house arrest|(?:mandatory )?hospital orders?"
    r"|(?:correctional|compulsory|public) (?:labor|work))\b",
    re.I,
)
# A word without which the costlier pattern beside it finds nothing.
_WITHOUT_LENGTH = (
    (re.compile(r"suspend|conditional|deferred", re.I), _SUSPEND, "suspended"),
    (re.compile(r"fine", re.I), _FINED, "fine"),
    (re.compile(r"probation|service|arrest|hospital|labor|work", re.I), _ELSE, "community"),
)
_TO_SOME = re.compile(r" (?:on|to|for|against) (?P<n>[\w-]+)\b(?!-| (?:years?|months?|days?|counts?)\b)")
# A fine or probation beside prison, or in place of a suspended sentence told before, makes no group of its own.
_PRISON_TOO = re.compile(r"(?<!no )\b(?:prison|jail|imprison\w*|suspended|years?|months?)\b")
_ANOTHER = re.compile(r"\b(?:an)?other|\b(?:remaining|rest|latter|third)\b")
_SANCTIONS = {"probation": "probation", "house arrest": "house_arrest"}
_HIGHEST = re.compile(r"\b(?:highest|longest|maximum|most severe|stiffest|harshest)\b", re.I)
_AVERAGE = re.compile(r"\b(?:average|mean|median)\b", re.I)
_SKIP = re.compile(
    r"\b(?:could be sentenced|may be sentenced|would face|could face|prescrib(?:es?|ed) (?:penalties|punishment)"
    r"|statute of limitations|maximum penalty"
    r"|eligible (?:for|to)|recommended sentence|sought sentences?|appeal(?:ed|ing) for"
    r"|awaiting trial|faced? up to|facing up to|if convicted)\b"
)
_TO_NEXT = re.compile(r"(?: [\w' ]{0,40})? to (?:a |up to )?")


_COMPARED_WITH = re.compile(r",? (?:compared (?:to|with) |\()(?P<n>[\w-]+) in (?P<y>20\d\d)")


ONE_CASE = re.compile(
    rf"\b(?:[Ii]n the same month|[Ii]n (?:an?|one|another)(?: [\w-]+){{0,2}} case|[Ff]or example|[Ff]or instance)\b"
    rf"|(?:^|[,;] |\b(?:and|although|while|but) )[Ii]n {MONTH.pattern}"
)


_GIVEN_TO = re.compile(
    r" (?:to|for|on) (?P<n>[\w-]+) (?:[a-z]+ ){0,3}(?:traffickers?|defendants?|offenders?|perpetrators?|men|women)\b"
)


_BETWEEN = re.compile(r"(?:between|rang\w+(?: in length)?(?: from| between)?|from)\s+(?:approximately )?$")
_FROM_NO_PRISON = re.compile(
    r"rang\w+ from (?:an? |no )?(?:fines?|jail|prison time|probation|community service|suspended|conditional)\b"
    r"[^.;]* to $"
)
_PRESCRIBED = re.compile(r"prescrib\w*|criminaliz\w+|punishable|penalties for", re.I)
_BY_COURTS = re.compile(r"convicted|sentenced|received|ranged|reported|issued|handed|imposed|average|courts?\b", re.I)
_DEATH = re.compile(r"(?:sentenced to|sentences? (?:of|to)|rang(?:ing|ed) from .{0,60}to) $")
_NOT_IMPOSED = re.compile(
    r"\b(?:in lieu|instead) of $"
    r"|\b(?:allow|permit|entitl)\w* (?:[a-z]+ ){0,6}(?:terms|sentences) of (?:less than |up to |under )?$"
)
# "Reduced from ten years to six": the second is the sentence.
_CHANGED_TO = re.compile(
    r"[^.;]{0,60}\b(?:reduced|lowered|commuted|shortened|increased|raised) (?:(?:it|this|the) )?(?:sentence )?to $"
)
_CHANGED = re.compile(r"\b(?:reduc|lower|commut|shorten|increas|rais|extend)\w* (?:[\w']+ ){0,8}from $")
_SUPERVISED = re.compile(r"[' ]{0,2}(?:of )?(?:supervised|parole)")
_FOLLOWED = re.compile(r"(?:supervised release|followed by|and then) ?$")
_TERM_FOR = re.compile(r"(?:probation|sentences? (?:were|was)|prison) for (?:approximately )?$")
_N_FOR = re.compile(
    r"(?:^|[,;:(]|\band) ?(\w+) for (?:approximately |more than |less than |over |under |at least |up to )?$"
)
_PART_OF_IT = re.compile(r"[^.;]{0,30}, [\w-]+ (?:(?:years?|months?) )?of which (?:were |was )?suspended")
_SUSPENDED_PART = re.compile(r"(?:imprisonment|prison|jail|years?|months?),? (?:with|of which) $")
_OF_THE_LAW = re.compile(r"(?:penalt(?:y|ies)|minimum|maximum) (?:term |sentence |penalty )?of $|below the .{0,30}$")


_COMPARED = re.compile(r"(?:compared (?:to|with)|an increase from|a decrease from|(?:up|down) from|\()[^;.]{0,30}$")


# Officials sentenced for something else than trafficking are told of for their complicity, not counted.
_OFFICIAL = re.compile(
    r"\b(?:police|immigration|border|military|army|government|public|customs) (?:officers?|officials?|guards?)\b"
    r"|\b(?:officials?|soldiers?|peacekeepers?|mayor|brib\w+)\b"
)


# Words with "trafficking" in them that name no crime that somebody is convicted of.
_NO_OFFENCE = re.compile(
    r"anti-trafficking(?! (?:laws?|acts?|statutes?|articles?))|trafficking[- ](?:related|specialized)"
    r"|(?:for|of) (?:[a-z]+ ){0,2}brib\w+[^.;]*"
)
_OFFENCE = re.compile(r"traffick|\bforced (?:labor|prostitution|begging)|servitude|slavery|child soldiers")
_OTHER_CRIME = re.compile(
    r"\b(?:convicted|sentenced)\b[^.;]{0,60}\b(?:of|for) (?:[a-z]+ )?(?:smuggling|rape|fraud|corruption|negligence"
    r"|kidnapping|bribery|extortion|money laundering|pornography)\b"
)
_ANNULLED = re.compile(
    r"\b(?:overturn|annul|quash|vacat|overrul)\w* (?:the |his |her |their |its )?(?:[\w-]+ ){0,3}"
    r"(?:convictions?|sentences?|verdicts?)\b"
)
_ABROAD = re.compile(
    r"\bextradit\w+ [^.;]*\b(?:sentenced|convicted)\b"
    r"|\b(?:courts?|authorities|judges?|officials|police) (?:in|of|from) (?:an?(?:other)?|the) (?:[a-z]+ )?country\b"
    r"|\b(?:foreign|neighboring) (?:courts?|authorities|judges?|governments?|countr(?:y|ies)) (?:also )?"
    r"(?:convicted|sentenced)|\b(?:convicted|sentenced|tried|imprisoned) (?:[a-z]+ )?abroad\b"
)


_IN_BRACKETS = re.compile(r"[a-z ]{0,40}\([^)]*")
_ASIDE = re.compile(r"(?<=[a-z]) - [^-;.]{3,90} - (?=[a-z])")


# A conviction is of one person: "12 convictions carried prison sentences".
_ONE_EACH = re.compile(r"\b([\w-]+) (?:trafficking )?(?:convictions|verdicts) (?:that |which )?$")
_NEAR = 60
_PART_OF = re.compile(r"\b([\w-]+) of $")
_RECEIVED = re.compile(r"\b(?:received|sentenced|given|imposed)\b")
_HALF = re.compile(r"(?<!and a )(?<!and one )(?<![-a-z])[Hh]alf\b")


class Described(NamedTuple):
    """How many people a description is about, and how that is known."""

    n: int | None
    qualifier: str
    covers_all: int | None


def sentences_imposed(
    sentence: Sentence, report_year: int, year: int | None = None, convicted: dict[int, int] | None = None
) -> list[Fact]:
    """Read the groups of sentenced people of one sentence.

    Parameters
    ----------
    sentence : Sentence
    report_year : int
        Edition; sentences without a year are those of the year before.
    year : int, optional
        Year that the sentence before was about.
    convicted : dict, optional
        How many were convicted, as told before, by year.
    """
    text = sentence.text
    if not _COURT.search(text) or _SKIP.search(text) or is_of_others(text):
        return []
    reader = _Reader(sentence, report_year, year, convicted or {})
    found = [
        *reader.lengths(),
        *([] if re.search(r"[Ii]n addition to (?:prison|the prison|imprison)", text) else reader.without_length()),
    ]
    return [fact for fact in found if fact.cells["reference_year"] <= report_year]


def _one_each(groups: list[Fact]) -> list[Fact]:
    """Give each person a term where as many terms as people are told: "two men to five and six years"."""
    n = groups[0].cells["n"] if groups else None
    if len(groups) < 2 or n != len(groups) or any(group.cells["n"] != n for group in groups):
        return groups
    return [group._replace(cells={**group.cells, "n": 1, "covers_all": 0}) for group in groups]


def people_told(text: str, end: int, reach: int = 110) -> People | None:
    """The people named last before an offset; three, and not all, in "three of these traffickers"."""
    each = _ONE_EACH.search(text, max(0, end - _NEAR), end)
    if each and (n := number(each[1].lower())) is not None:
        return People(n, False, each.start())
    people = people_before(text, end, reach)
    part = _PART_OF.search(text, max(0, people.start - 20), people.start) if people and people.n is None else None
    n = number(part[1].lower()) if part else None
    return people if n is None else People(n, False, part.start())


def is_of_others(text: str) -> bool:
    """Whether a sentence tells of punishment for other crimes, of courts abroad, or of what was annulled."""
    if _ABROAD.search(text) or _ANNULLED.search(text):
        return True
    other = _OFFICIAL.search(text) or _OTHER_CRIME.search(text)
    return bool(other) and not _OFFENCE.search(_NO_OFFENCE.sub("", text))


def is_single_case(text: str) -> bool:
    """Whether a sentence tells of one case, or of officials, and not of the convicted of a year."""
    return bool(ONE_CASE.search(text) or _OFFICIAL.search(text))


def _beside_prison(between: str) -> bool:
    """Whether the words between people and their fine or probation give the same people a prison sentence."""
    return bool(_PRISON_TOO.search(between)) and not _ANOTHER.search(between)


class _Reader:
    def __init__(self, sentence: Sentence, report_year: int, year: int | None, convicted: dict[int, int]):
        self.sentence, self.text, self.convicted = sentence, sentence.text, convicted
        self.base = report_year - 1
        self.year = year
        self.mentions = mentions(sentence.text, report_year)
        self.used: list[tuple[int, int]] = []
        self.other: list[tuple[int, int]] = []

    def lengths(self) -> list[Fact]:
        """Groups whose terms are told."""
        found = []
        for term in self._terms():
            low, high, kind = self._bounds(term)
            if low is not None and high is not None and low > high:
                continue
            span = (term.start, term.stop)
            year, sanction = self._year(*span), self._sanction(term)
            who = self._who(*span, self.convicted.get(year))
            highest = _HIGHEST.search(self.text[max(0, term.start - 90) : term.start])
            if kind == "exact" and highest and not ONE_CASE.search(self.text):
                who = Described(1, "at_least", 0)
            found.append(self._fact(*span, f"sentence: {kind}", kind, who, (low, high), sanction, year))
            self.used.append(span)
        return _one_each(found)

    def _terms(self) -> list[Term]:
        """The lengths of time that courts imposed: "five and six years" is two, "from five to six years" one."""
        kept, listed = self._listed(), _LIST.search(self.text)
        text = self.text
        for term in terms(text):
            if kept and listed and listed.start() <= term.start < listed.end():
                continue
            if not self._imposed(term):
                self.other.append((term.start, term.stop))
                continue
            before = self.text[max(0, term.start - 30) : term.start]
            if kept and _CHANGED_TO.match(self.text, kept[-1].stop, term.start):
                kept.pop()
            if term.joint == "and" and _SUPERVISED.match(self.text, term.stop):
                kept.append(term._replace(high=term.low, joint=""))
                continue
            if term.joint == "and" and not _BETWEEN.search(before):
                cut = re.compile(r"(?:imprisonment|prison|jail)(?= and )").search(text, term.start, term.stop)
                kept.append(term._replace(high=term.low, joint="", end="", stop=cut.end() if cut else term.stop))
                kept.append(term._replace(low=term.high, joint=""))
                continue
            if term.joint == "to" and (one := self._of_people(term, kept)) is not None:
                kept.append(one)
                continue
            last = kept[-1] if kept else None
            if last and not last.joint and not last.end and not term.joint and self._goes_on(last, term):
                kept[-1] = last._replace(high=term.high, end=term.end, joint="to", stop=term.stop)
                continue
            kept.append(term)
        return kept

    def _listed(self) -> list[Term]:
        """Terms of a list that names the unit once: "23, 43, and 64 months"."""
        listed = _LIST.search(self.text)
        values = [number(word) for word in re.split(r", (?:and )?| and ", listed["list"])] if listed else []
        if not listed or None in values:
            return []
        scale = 12 if listed["unit"] == "years" else 1
        return [Term(value * scale, value * scale, "", "", listed.start(), listed.end()) for value in values]

    def _of_people(self, term: Term, kept: list[Term]) -> Term | None:
        """The single term of "one to eight years" where "one" are people: "sentenced two to 10 years, one to eight"."""
        words = self.text[term.start : term.stop]
        split = re.match(r"[A-Za-z\d-]+ to (?=[a-z\d])", words)
        before = self.text[max(0, term.start - 20) : term.start]
        after_verb = re.search(r"\bsentenc(?:ed|ing) $", before)
        in_list = re.search(r"(?:\band|[,;]) $", before) and kept and self.text[: kept[-1].start].endswith(" to ")
        descends = term.low is not None and term.high is not None and term.low > term.high
        if split and (after_verb or in_list or descends):
            return term._replace(low=term.high, joint="", start=term.start + split.end())
        return None

    def _goes_on(self, last: Term, term: Term) -> bool:
        """Whether a range has words between its ends: "from one year of house arrest to nine years"."""
        ranging = re.search(r"rang\w+ from |varied from ", self.text[max(0, last.start - 30) : last.start])
        return bool(ranging and _TO_NEXT.fullmatch(self.text[last.stop : term.start]))

    def _imposed(self, term: Term) -> bool:
        """Whether a length of time is a sentence, and not a penalty of the law, an age, or the time of something."""
        text = self.text
        before, after = text[: term.start], text[term.stop :]
        near = before[-130:]
        if _NOT_IMPOSED.search(near):
            return False
        if is_law(term, text):
            if term.end == "life" and not term.joint:
                return False
            if _PRESCRIBED.search(near) and not re.search(r"convicted|sentenced", near):
                return False
            if not term.end and not _BY_COURTS.search(near):
                return False
        if term.end == "death" and not term.joint and not _DEATH.search(near):
            return False
        supervised = _SUPERVISED.match(after) and term.joint != "and"
        if (_OTHER_SPAN.match(after) and not _SUPERVISED.match(after)) or supervised or _FOLLOWED.search(near):
            return False
        if _SUSPENDED_PART.search(near) and re.match(r"(?: of (?:it|which|them))? suspended", after):
            return False
        listed = _N_FOR.search(near)
        if listed and number(listed[1].lower()) is not None:
            return True
        if _NOT_TERM.search(before[-30:]) and not _IN_PRISON.match(after) and not _TERM_FOR.search(near):
            return False
        if not (_AFTER.match(after) or _SUPERVISED.match(after) or _GIVEN_TO.match(after)) or not _BEFORE.search(near):
            return False
        return (
            bool(_GIVEN_TO.match(after))
            or not _OF_THE_LAW.search(before[-40:])
            or bool(re.search(r"convicted", before))
        )

    def _bounds(self, term: Term) -> tuple[float | None, float | None, str]:
        before, after = self.text[max(0, term.start - 60) : term.start], self.text[term.stop :]
        if term.end and not term.joint:
            return None, None, "exact"
        if term.end:
            return term.low, None, "range"
        if term.joint == "to" and _CHANGED.search(before):
            return term.high, term.high, "exact"
        if term.joint:
            inner = self.text[term.start : term.stop]
            if _LESS.search(before):
                return 0, term.high, "interval"
            if re.search(r"more than|over", inner):
                return term.low, None, "interval"
            if _AVERAGE.search(before):
                return term.low, term.high, "mean"
            return term.low, term.high, "range" if term.joint != "or" else "interval"
        if _FROM_NO_PRISON.search(before):
            return 0, term.high, "interval"
        if _MORE.search(before) or _OR_MORE.match(after):
            return term.low, None, "interval"
        if _LESS.search(before) or _OR_LESS.match(after):
            return 0, term.high, "interval"
        return term.low, term.high, "mean" if _AVERAGE.search(before) else "exact"

    def _sanction(self, term: Term) -> str:
        if term.end:
            return term.end
        left = max(
            self.text.rfind(mark, 0, term.start) for mark in (";", ", and ", ", but ", ", while ", ", whereas ", ". ")
        )
        stop = max((stop for _, stop in self.used if stop <= term.start), default=0)
        if _RECEIVED.search(self.text, stop, term.start):
            left = max(left, stop)
        right = re.compile(r"[;,.]| but | while | whereas | and (?!suspended)").search(self.text, term.stop)
        before, after = (
            self.text[max(left, 0) : term.start],
            self.text[term.stop : right.start() if right else term.stop + 60].lower(),
        )
        if re.search(
            r"partially suspend|partly suspend|(?:with|of which) [\w -]{2,30}(?:years?|months?) (?:were )?suspended"
            r"|\bof which (?:were )?suspended",
            before + after,
        ) or _PART_OF_IT.match(self.text, term.stop):
            return "partly_suspended"
        if _FROM_NO_PRISON.search(before):
            return "prison"
        if re.search(r"suspend|conditional sentence", before + after, re.I) and not re.search(
            r"(?:not|without) (?:be )?suspend", before + after
        ):
            return "suspended"
        for word, sanction in (
            ("probation", "probation"),
            ("house arrest", "house_arrest"),
            ("home ", "house_arrest"),
            ("community service", "community"),
        ):
            if word in after[:32] or re.search(rf"{word}(?: for| of) $", before):
                return sanction
        return "prison"

    def _who(self, start: int, stop: int, convicted: int | None) -> Described:
        given = _GIVEN_TO.match(self.text, stop)
        if given and (n := number(given["n"].lower())) is not None:
            return Described(n, "exact", int(n == convicted))
        near = self.text[max(0, start - 60) : start]
        if _COMPARED.search(near) and not _N_FOR.search(near):
            return Described(None, "unknown", 0)
        named = _ASIDE.sub(" ", self._without_terms(start))
        people = people_told(named, len(named))
        if people is None:
            if _HALF.search(self.text[max(0, start - 110) : start]) and convicted:
                return Described(convicted // 2, "approx", 0)
            return Described(convicted, "inferred_total" if convicted else "unknown", 0)
        if people.n is None:
            return Described(convicted, "inferred_total" if convicted else "unknown", 1 if people.all else 0)
        everyone = people.all or people.n == convicted
        return Described(people.n, "exact", 1 if everyone else 0)

    def _without_terms(self, end: int) -> str:
        """What stands before an offset, without the lengths before it: their numbers are no people.

        Within brackets only what they hold counts.
        """
        text = self.text[:end]
        for start, stop in (*self.used, *((start, stop) for start, stop in self.other if stop <= end)):
            text = text[:start] + " " * (min(stop, end) - start) + text[stop:]
        bracket = text.rfind("(")
        return text if bracket <= text.rfind(")") else text[:bracket] + ";" + text[bracket + 1 :]

    def _year(self, start: int, stop: int) -> int:
        clause_end = self.text.find(";", stop)
        clause_end = len(self.text) if clause_end < 0 else clause_end
        comparison = re.search(
            r"(?:compared (?:to|with)|an increase from|a decrease from|(?:up|down) from)[^;]*$",
            self.text[max(0, start - 60) : start],
        )
        for mention in self.mentions:
            if (
                stop <= mention.start < min(clause_end, stop + 60)
                and not mention.fronted
                and not re.search(r"compared|,|\(", self.text[stop : mention.start])
            ):
                return mention.years[0]
        if comparison:
            later = [m for m in self.mentions if m.start >= stop]
            return later[0].years[0] if later else self.base - 1
        left = max(self.text.rfind(";", 0, start), -1)
        before = [m for m in self.mentions if left < m.start < start and self._dates(m)]
        if before:
            return before[-1].years[-1]
        return self.year or self.base

    def _dates(self, mention) -> bool:
        """Whether a year told earlier in the clause is that of the sentences: "In 2016, ...", "convicted in 2016"."""
        before = self.text[: mention.start]
        if re.match(r",? (?:when|who|(?:for|in) which)\b", self.text[mention.end :]):
            return True
        if before.count("(") > before.count(")") or re.search(r"compared|on par|than|same (?:as|number)", before[-40:]):
            return False
        if mention.fronted or re.search(
            rf"(?:^|[;,]|\b(?:and|although|while|but|when)) ?(?:[Ii]n|[Oo]n|[Dd]uring) (?:early |late |mid-)?"
            rf"{MONTH.pattern}(?: \d+,?)? $",
            before[-40:],
        ):
            return (
                re.search(
                    r"case (?:that )?(?:began|from|initiated)|(?:commenced|began|initiated|arrested|opened) in $",
                    before[-40:],
                )
                is None
            )
        return (
            re.search(
                r"(?:convicted|sentenced|sentences|sentences issued|verdict|convictions?|issued|imposed|sentencing)(?: "
                r"[a-z]+){0,3} in (?:the )?$",
                before[-50:],
            )
            is not None
        )

    def without_length(self) -> list[Fact]:
        found = []
        for cue, pattern, sanction in _WITHOUT_LENGTH:
            for match in pattern.finditer(self.text) if cue.search(self.text) else ():
                if self._has_length(match):
                    continue
                groups, year = match.groupdict(), self._year(match.start(), match.end())
                convicted = self.convicted.get(year)
                start, n, everyone = self._subject(match, convicted)
                if n is None or sanction != "suspended" and _beside_prison(self.text[start : match.start()]):
                    continue
                kind = "partly_suspended" if groups.get("part") or groups.get("part2") else sanction
                if sanction == "suspended" and "fine or" in match[0]:
                    kind = "unspecified"
                kind = _SANCTIONS.get((groups.get("else") or "").lower(), kind)
                form = "interval" if sanction == "suspended" else "exact"
                rule = f"sentence: {sanction} without length"
                who = Described(n, "exact", int(everyone or n == convicted))
                found.append(self._fact(start, match.end(), rule, form, who, (None, None), kind, year))
                for m, first, end, year in self._compared(match.end()):
                    found.append(self._fact(first, end, rule, form, Described(m, "exact", 0), (None, None), kind, year))
        return found

    def _has_length(self, match: re.Match) -> bool:
        detailed = _IN_BRACKETS.match(self.text, match.end())
        return any(
            detailed
            and detailed.start() < start < detailed.end()
            or match.start() < stop
            and match.end() > start
            or 0 <= start - match.end() < 40
            and not re.search(r"[;,] (?:and|but|while)|;|\(", self.text[match.end() : start])
            for start, stop in self.used
        )

    def _subject(self, match: re.Match, convicted: int | None) -> tuple[int, int | None, bool]:
        """Where the people of an outcome are told, how many they are, and whether the text says all of them."""
        groups = match.groupdict()
        if groups.get("every"):
            return match.start(), 2 if groups["every"].lower() == "both" else convicted, True
        given = _TO_SOME.match(self.text, match.end())
        if given and (n := number(given["n"].lower())) is not None:
            return match.start(), n, False
        for group in ("n", "n2", "n3", "n5"):
            if groups.get(group):
                share = re.match(r" percent|%", self.text[match.end(group) :])
                return match.start(), None if share else number(match[group].lower()), False
        end = match.end("n4") if groups.get("n4") else match.start()
        people = people_told(self._without_terms(end), end, 80)
        if people is None:
            half = _HALF.search(self.text[max(0, match.start() - 60) : match.start()])
            return match.start(), convicted // 2 if half and convicted else None, False
        return people.start, convicted if people.n is None and people.all else people.n, people.all

    def _compared(self, end: int) -> list[tuple[int, int, int, int]]:
        match = _COMPARED_WITH.match(self.text, end)
        n = number(match["n"].lower()) if match else None
        return [(n, match.start("n"), match.end(), int(match["y"]))] if n else []

    def _fact(
        self, start: int, end: int, rule: str, kind: str, who: Described, bounds: tuple, sanction: str, year: int
    ) -> Fact:
        part, offset = self.sentence.part, self.sentence.start
        near = self.text[max(0, start - 100) : end + 100]
        sex, labor = re.search(r"\bsex|prostitut", near, re.I), re.search(r"\blabor|servitude|bonded", near, re.I)
        national = who.covers_all or who.qualifier == "inferred_total"
        cells = {
            "reference_year": year,
            "kind": kind,
            "n": who.n,
            "n_qualifier": who.qualifier,
            "low_months": bounds[0],
            "high_months": bounds[1],
            "sanction": sanction,
            "offence": "trafficking",
            "exploitation": "both" if sex and labor else "sex" if sex else "labor" if labor else "unspecified",
            "level": "case" if is_single_case(self.text) else "national" if national else "subset",
            "covers_all": who.covers_all,
            "term_basis": "imposed",
        }
        return Fact("sentences", part.section, part.role, offset + start, offset + end, rule, cells)
