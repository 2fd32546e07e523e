"""Rules for what is said not to be: "did not convict any traffickers" is none, "did not provide data" not reported."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from .clauses import Clauses, When
from .vocabulary import NEGATIONS, NOUNS, PAST, STAGE, VICTIMS, words

_LONGEST_CLAUSE = 300
_REPORTING = words("""report provide share collect maintain compile release publish have disaggregate make keep track
    submit supply disclose""")  # fmt: skip
_DOING = words("""initiate secure obtain achieve conduct make result open begin proactively pursue complete any launch
    hand formally successfully undertake""")  # fmt: skip
OFFICIALS = re.compile(
    r"\bcomplicit|\bcorrupt|\b(?:of|any|convict\w*|prosecut\w*|investigat\w*|against) (?:[a-z]+,? ){0,3}"
    r"(?:officials?|employees|officers|peacekeepers|soldiers|diplomats?)\b",
    re.I,
)
_END = re.compile(
    r";|, wh(?:ile|ereas)\b|\bbut\b|\b(?:compared|contrasted)\b|\bhowever\b|\balthough\b|\bdespite\b|\bnor did\b|\b(?:a"
    r"|an) (?:decrease|increase|decline)"
    r"|\(|,? including\b|,? or (?:any )?(?:allegedly )?(?:complicit|officials)|\bbecause\b"
    r"|, (?:and|it|the|which) [a-z]+ed\b"
)
_VERB = re.compile(r"\s*(?:[a-z]+ly )?(?P<verb>[a-z]+)")
_THINGS = r"(?:data|statistics|information|numbers?|figures|records|details|how many|whether|totals?)\b"
_DATA = re.compile(
    rf"\s*[a-z]+ly [a-z]+ [^;]{{0,80}}?\b{_THINGS}|\s*[a-z]+ (?:[a-z-]+,? (?:or |and )?){{0,5}}{_THINGS}"
)
_EFFORTS = re.compile(r"\b(?:efforts?|allegations?|results|outcome)\b")
_OBJECT = re.compile(
    r"\bany(?:one)?\b|\ba (?:single )?(?:trafficker|case|suspect|traffick)|\btraffickers\b|^,"
    r"|\btrafficking (?:cases?|offend|offenses?|crimes)|^\s*$"
)
_ANY = re.compile(r"\b(?:any|new|no|investigat|prosecut|convict|initiat|identifying|acquit)")
_NO_VICTIMS = re.compile(
    r"\s*(?:[a-z]+ly )?(?:report )?(?:identify|identified|identifying|the identification of|having identified)"
    r"(?:(?: or| and|,) [a-z]+(?: [a-z]+){0,4})? (?:any|an?|a single)\b(?! (?:foreign|additional|adult|child|male)\b)"
    r"(?: [a-z-]+){0,5}? (?:trafficking )?victims?\b"
    r"(?:\s*$|[.,]|;| (?:and|or|during|in|since|this|the|for the|of trafficking)\b)"
)
_NOR_VICTIMS = re.compile(
    r"\bor (?:the )?(?:formally )?identif\w+(?: of| and| or| [a-z]+ion| [a-z]+ing){0,4} any (?:[a-z]+ ){0,3}victims\b"
)
_VICTIM_DATA = re.compile(
    r"(?:number of|how many)[^,;]{0,30} victims|victims? identif\w+ (?:data|statistics|information)"
    r"|victims identified|(?:data|statistics|information) (?:on|regarding|about) identified (?:[a-z]+ )?victims"
    r"|(?:data|statistics|information) (?:on|regarding|about) (?:[a-z]+ )?victim identification"
)
_NO_REPORTS = re.compile(
    r"\b(?:no reports? of|[Ww]ithout(?: any)?|[Nn]either|no reported|no known|not (?:been )?any)"
    r"(?: new| any| trafficking| "
    r"criminal)? "
    r"(?P<nouns>(?:investigations?|prosecutions?|convictions?)"
    r"(?:,? (?:and |n?or )?(?:trafficking )?(?:investigations?|prosecutions?|convictions?)){0,2})\b"
    r"(?! of (?:[a-z]+ ){0,3}officials)"
)
# "These investigations" are told of already.
_STEP = re.compile(rf"(?<!these )(?<!those )(?<!the )\b(?:{'|'.join(sorted(NOUNS | PAST))})\b", re.I)
CONSECUTIVE = re.compile(r"\bconsecutive (?:reporting )?(?:year|period)")
_NO_ONE = re.compile(
    r"\b(?:[Nn]o(?:body| one)|[Nn]ot (?:a single|one) [a-z]+) (?:was|were|had been|has been)"
    r" (?P<verbs>[a-z]+(?:,? (?:and |or )?[a-z]+){0,2})"
    r"|\b(?P<verb>investigated|prosecuted|indicted|charged|convicted) no(?:body| one)\b"
)
_NONE_OF = re.compile(
    r"\b[Nn]one (?:have|had|has|of (?:the|these|those|which))[^.;]{0,60}? (?:resulted in|led to|ended in) (?:a "
    r"|any )?(?:[a-z]+ )?"
    r"(?P<noun>prosecution|conviction|indictment)s?\b"
)


_UNKNOWN = re.compile(
    r"\b(?=\w)(?:"
    r"(?:data|statistics|information|figures|numbers?) (?:on|regarding|for|about|of) (?P<before>[^.;]{0,120}?)"
    r" (?:was|were) (?:not (?:available|provided|reported|known|shared|released)|unavailable|unknown)\b"
    r"|(?:no|lack(?:ed|s)?|lack of|unable to (?:provide|report|share|produce)) (?:[a-z]+ ){0,3}?"
    r"(?:data|statistics|information|figures|numbers) "
    r"(?:(?:were|was) available )?(?:on|regarding|about|of) (?:the number of )?"
    r"(?P<lacking>[^.;]{0,80})"
    r"|(?:unclear|unknown|could not (?:say|report|provide|determine|specify)) how many (?P<after>[^.;]{0,60})"
    r"|(?P<kind>(?:investigations?|prosecutions?|convictions?)"
    r"(?:,? (?:and |or )?(?:prosecutions?|convictions?)){0,2})"
    r" (?:data|statistics|figures) (?:was|were) (?:not (?:available|provided|reported)|unavailable)\b)",
    re.I,
)


class Nothing(NamedTuple):
    """A step of which there was nothing (`data` False) or of which no data were given (`data` True)."""

    start: int
    end: int
    stage: str
    when: When
    data: bool
    clause: str


def nothing(clauses: Clauses, victims_only: bool) -> Iterator[Nothing]:
    """Yield the steps that a sentence says did not happen or were not reported."""
    text = clauses.text
    for negation, following in itertools.pairwise([*NEGATIONS.finditer(text), None]):
        start = negation.end()
        stop = _END.search(text, start)
        end = min(found.start() if found else len(text) for found in (stop, following))
        if end - start <= _LONGEST_CLAUSE and not OFFICIALS.search(text, start, end):
            yield from _negated(clauses, negation, end, victims_only)
    for match in _UNKNOWN.finditer(text):
        if victims_only:
            if "identif" in match[0] and _VICTIM_DATA.search(match[0]):
                yield Nothing(match.start(), match.end(), VICTIMS[0], When((clauses.base,)), True, "")
            continue
        for named in _STEP.findall(match["before"] or match["after"] or match["lacking"] or match["kind"]):
            yield Nothing(match.start(), match.end(), STAGE[named.lower()], When((clauses.base,)), True, "")
    if victims_only:
        return
    for match in _NO_REPORTS.finditer(text):
        for noun in re.findall(r"[a-z]+", match["nouns"]):
            if noun in NOUNS:
                yield Nothing(match.start(), match.end(), STAGE[noun], When((clauses.base,)), False, "")
    for match in _NO_ONE.finditer(text):
        for verb in re.findall(r"[a-z]+", match["verbs"] or match["verb"]):
            if verb in PAST:
                yield Nothing(match.start(), match.end(), STAGE[verb], When((clauses.base,)), False, "")
    for match in _NONE_OF.finditer(text):
        yield Nothing(match.start(), match.end(), STAGE[match["noun"]], When((clauses.base,)), False, "")


def _negated(clauses: Clauses, negation: re.Match, end: int, victims_only: bool) -> Iterator[Nothing]:
    start = negation.end()
    clause = clauses.text[start:end]
    verb = _VERB.match(clause)
    # "Convict anyone on trafficking charges" is about convictions alone.
    told = [t for t in clauses.tokens if start <= t.start < end and t.low != "charges"]
    hits = [t for t in told if t.low in STAGE or t.low == "investigative"]
    if not verb or not hits:
        return
    base = verb["verb"] if verb["verb"] in STAGE else _base(verb["verb"])
    data = base in _REPORTING and _DATA.match(clause) is not None
    last = hits[-1]
    if not _speaks_of_all(base, clause, data, clauses.text[last.end : min(end, last.end + 60)]):
        return
    for token in hits:
        stage = STAGE.get(token.low, "investigation")
        if stage == "victims_identified" and not (_VICTIM_DATA.search(clause) if data else _no_victims(clause)):
            continue
        if victims_only and stage != "victims_identified":
            continue
        for when in _when(clauses, start, end):
            yield Nothing(max(0, start - 8), max(last.end, token.end), stage, when, data, clause)


def _speaks_of_all(base: str, clause: str, data: bool, follow: str) -> bool:
    """Whether the clause denies the step as a whole, and not one effort, one suspect or the sentences."""
    if base not in _REPORTING and base not in STAGE and base not in _DOING:
        return False
    if not _NO_VICTIMS.match(clause) and _EFFORTS.search(clause):
        return False
    if re.search(r"\bsentences?\b", clause[:40]):
        return False
    if base in STAGE and not _OBJECT.search(follow):
        return False
    return base not in _REPORTING or data or _ANY.search(clause[:50]) is not None


def _no_victims(clause: str) -> bool:
    return (_NO_VICTIMS.match(clause) or _NOR_VICTIMS.search(clause)) is not None


def _base(verb: str) -> str:
    """The infinitive of a form in -ed or -ing where it is one of the verbs known: "report" of "reported"."""
    stem = re.sub(r"(?:ed|ing)$", "", verb)
    return next((known for known in (stem, stem + "e") if known in _REPORTING | _DOING), verb)


def _when(clauses: Clauses, start: int, end: int) -> list[When]:
    inside = [m for m in clauses.mentions if start <= m.start < end and not m.fronted]
    inside = inside or [m for m in clauses.mentions if m.fronted and m.start < start]
    as_before = re.search(
        r"\b(?:[Aa]s in|[Ss]imilar to|[Ll]ike) (?:the )?(?:previous|prior|past) (?:reporting )?(?:year|period)\b",
        clauses.text[:start],
    )
    if inside and not (as_before and inside[0].years == (clauses.base,)):
        return [When(inside[0].years[k : k + 1], inside[0].period) for k in range(len(inside[0].years))]
    at = clauses.token_at(start)
    if clauses.kind(clauses.inner[at]) == "comparison":
        return [clauses.when(at, clauses.inner[at], {})]
    again = CONSECUTIVE.search(clauses.text)
    return [When((clauses.base - k,)) for k in range(1 + bool(as_before or again))]
