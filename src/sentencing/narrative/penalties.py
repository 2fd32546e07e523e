"""Rules for prescribed penalties: what the law allows, not what courts imposed."""

import re
from collections.abc import Iterator

from .grammar import Term, terms
from .rows import Fact
from .split import Sentence

_LAW = re.compile(
    r"\b(?=\w)(?:prescrib|penalt(?:y|ies)\b|punish(?:able|ments?|ed)\b|carr(?:y|ies|ied|ying)\b|provid\w+ for\b"
    r"|crime\b|stipulat|criminaliz|terms? of imprisonment\b|impos(?:es|ing|ed) (?:penalties|a penalty)"
    r"|prohibit|(?:law|act|code|article \S+|section \S+) impose[sd]?\b|subject to (?!a fine)|fac(?:e|es|ed)\b)",
    re.IGNORECASE,
)
_DRAFT = re.compile(
    r"\bdraft(?:ed|ing)?\b|\bproposed\b|\bwould (?:increase|prescribe|raise|impose|provide|criminalize)|\bpending\b"
    r"|\bawaiting\b|\bbegan revising\b|\brecidivis|\bstatute of limitations",
    re.IGNORECASE,
)
# Before a length of time: words of the law, and words of a court, which only "which prescribes" overrules.
_LAW_CUE = re.compile(
    r"\b(?:prescrib\w*|punishable|punish\w*|penalt\w+|carr(?:y|ies|ied|ying)|provid\w+ for|stipulat\w+|criminaliz\w+"
    r"|prohibit\w*|crime|article|section|statutory|law|fac(?:e|es|ed)|sentences? (?:of|from)|increas\w+)\b",
    re.IGNORECASE,
)
_COURT_CUE = re.compile(
    r"\b(?:sentenced|sentencing|convict(?:ed|ing|s|ions?)|received|receiving|served|serving|acquitted|did not suspend"
    r"|(?:courts?|judges?) (?:issued|imposed|handed down)"
    r"|(?:sentences|penalties) imposed|sentences ranged|on average|below the minimum"
    r"|of the (?:[a-z]+|\d{1,3}) (?:traffickers|defendants|sentences))\b",
    re.IGNORECASE,
)
_OVERRULE = re.compile(
    r"\b(?:which|that|punishable|penalties under)\b[^.]*?\b(?:prescrib|carr(?:y|ie)|punishable|under|criminaliz)"
    r"|\bprescrib\w+ (?:penalties|punishments|an? (?:maximum|minimum) )",
    re.IGNORECASE,
)
_COULD = re.compile(
    r"\b(?:could|may|can|shall|must|to) (?:be|receive|face)\b|\bfac(?:e|es|ed)\b|\bliable\b|\bsubject to\b",
    re.IGNORECASE,
)
_TO_MAXIMUM = re.compile(
    r"(?: imprisonment| in prison)?,?(?: and| but| to| nor| or| with)?(?: a| for)? ?"
    r"(?:(?:maximum|max)(?: [a-z]+)?(?: of)?|up to|not? more than|not exceeding|no longer than) (?:a )?",
    re.IGNORECASE,
)
_PRISON = re.compile(
    r"imprison|prison|jail|penalt|punish|sentence|detention|incarcerat|hard labor|prescrib|deprivation", re.I
)
_MAXIMUM = re.compile(
    r"(?:up to|maximum(?: (?:penalty|penalties|sentences?|punishments?|terms?|prison|fine|imprisonment|jail))*"
    r"(?: (?:for|from) [a-z ]{3,40})?(?: (?:of|to|from|between|is|was))*(?: up to)?|not (?:more than|exceeding|to "
    r"exceed)"
    r"|no more than|not exceed|as much as|less than|under|cannot exceed|maximum sentence to between)\s*(?:a )?$",
    re.IGNORECASE,
)
_MINIMUM = re.compile(
    r"(?:at least|minimum(?: (?:penalty|penalties|sentences?|punishments?|terms?|prison|imprisonment|jail))*"
    r"(?: (?:for|from) [a-z ]{3,40})?(?: (?:of|to|from|is|was|increased))*"
    r"|no(?:t)? less than|no fewer than|more than|not below|starting at|as low "
    r"as)\s*(?:a )?$",
    re.IGNORECASE,
)
# "A minimum of one year for adult and six years for child trafficking": both are minima.
_LISTED_WITH = re.compile(r"(?!.*\b(?:penalt|sentenc|prescrib|punish))[^;.]{0,140},? and ")
_FIXED = re.compile(r"\bprescrib\w+ (?:penalties|punishments) of $|\ba penalty of $")
_INCREASED = re.compile(r"(?:increas|rais|extend)\w* (?:the |its )?(?:[a-z]+ ){0,6}from\s*$", re.IGNORECASE)
_FINE = re.compile(
    r"\bor (?:a |by |both |an? )?(?:[a-z]+ )?fines?\b|\bfines?(?: of)?[^.;]{0,90}?, or both\b|\bor both\b", re.I
)
_CHILD = re.compile(r"\bchild|\bminors?\b|\bunder (?:the age of )?1\d\b|\bgirls?\b", re.IGNORECASE)
_ADULT = re.compile(r"\badults?\b|\bmale victims?\b", re.IGNORECASE)
_AGGRAVATED = re.compile(
    r"\baggravat|\bincreas(?:ed|es|ing) (?:to|the penalt)|\bresulted in|\bdeath of|\bif the victim", re.I
)
_RELATED = re.compile(r"pimp|procur|brothel|prostitution|slavery|smuggl|kidnap|migration act|immigration|organ\b", re.I)
_SEX = re.compile(r"sex(?:ual)? (?:traffick|exploit|servitude)|forced prostitution|sexual", re.IGNORECASE)
_LABOR = re.compile(r"labor|servitude|debt bondage|bonded", re.IGNORECASE)
_REACH = 130


def penalties(sentence: Sentence) -> Iterator[Fact]:
    """Yield the statutory ranges of a sentence of the introduction or the section on prosecution."""
    text = sentence.text
    if not _LAW.search(text) or not _PRISON.search(text) or (_DRAFT.search(text) and not re.search("prescrib", text)):
        return
    found = [term for term in terms(text) if is_law(term, text) and _is_penalty(term, text)]
    found = [term for i, term in enumerate(found) if not (i and term.end == "life" and not term.joint
             and re.fullmatch(r"(?: imprisonment)?,? or (?:a )?", text[found[i - 1].stop : term.start]))]  # fmt: skip
    last = ""
    for i, term in enumerate(found := _merged(found, text)):
        left = found[i - 1].stop if i else 0
        right = found[i + 1].start if i + 1 < len(found) else len(text)
        bounds = _bounds(term, text, last if _LISTED_WITH.fullmatch(text, left, term.start) else "")
        if bounds is None:
            continue
        low, high, life, rule = bounds
        last = rule
        near = text[left : min(right, term.stop + _REACH)]
        yield Fact("statutes", sentence.part.section, sentence.part.role, sentence.start + term.start,
                   sentence.start + term.stop, rule,
                   {"form": form(text[:left], text[left:term.start], text[term.stop:right]), "min_months": low,
                    "max_months": high, "life_max": int(life),
                    "fine_alternative": int(bool(_FINE.search(near)))})  # fmt: skip


def _merged(found: list[Term], text: str) -> list[Term]:
    """Join "at least five years and up to ten" to one range."""
    joined: list[Term] = []
    for term in found:
        last = joined[-1] if joined else None
        if (
            last
            and not last.joint
            and not last.end
            and not term.joint
            and (
                _TO_MAXIMUM.fullmatch(text[last.stop : term.start])
                and _MINIMUM.search(text[max(0, last.start - 70) : last.start])
            )
        ):
            joined[-1] = last._replace(high=term.high, end=term.end, joint="to", stop=term.stop)
        else:
            joined.append(term)
    return joined


def is_law(term: Term, text: str) -> bool:
    before = text[: term.start]
    courts = [cue.end() for cue in _COURT_CUE.finditer(before)]
    if courts:
        return bool(_OVERRULE.search(before, courts[-1]) or _COULD.search(before))
    if _LAW_CUE.search(before):
        return True
    return _LAW_CUE.search(text, term.stop) is not None and not _COURT_CUE.search(text, term.stop)


def _is_penalty(term: Term, text: str) -> bool:
    if term.end == "death" and not term.joint and not text[: term.start].endswith("up to "):
        return False
    before, after = text[max(0, term.start - 40) : term.start].lower(), text[term.stop : term.stop + 40].lower()
    if re.search(
        r"(?:under|below|aged?|over|older than|younger than|the age of|for the (?:past|last)|within|every|after"
        r"|between(?: the)? ages(?: of)?)(?: the age of| ages?)? ?$",
        before,
    ):
        return bool(re.match(r" (?:of |in )?(?:imprisonment|prison|jail)", after))
    if re.search(r"(?:suspension|closure|ban|rights|license|deprivation|house arrest)\b[a-z ]{0,20}$", before):
        return False
    return not re.match(
        r" of (?:forced|compulsory|correctional) labor|[ -](?:deprivation|period|consecutive|national|action|old"
        r"|strategy|probation)|\.\d",
        after,
    )


def _bounds(term: Term, text: str, last: str) -> tuple[float | None, float | None, bool, str] | None:
    before = text[max(0, term.start - 70) : term.start]
    if _INCREASED.search(before):
        before, term = "", term._replace(low=term.high) if term.joint == "to" else term
    life = term.end == "life" or bool(re.match(r"(?: imprisonment)?,? or (?:a )?life\b", text[term.stop :]))
    if life:
        term = term._replace(high=None)
    if term.joint:
        if _MAXIMUM.search(before) and not re.search(r"(?:under|less than)\s*$", before):
            return None, term.high, life, "statute: maximum between two terms"
        return term.low, term.high, life, "statute: range"
    if term.end:
        return None, None, life, f"statute: {term.end}"
    if _MINIMUM.search(before) or re.match(r"[- ]minimum", text[term.stop :]):
        return term.low, None, False, "statute: minimum"
    if _MAXIMUM.search(before):
        return None, term.high, False, "statute: maximum"
    if last == "statute: minimum":
        return term.low, None, False, last
    if _FIXED.search(before) or last == "statute: fixed":
        return term.low, term.high, False, "statute: fixed"
    return None, term.high, False, "statute: one term, read as maximum"


def form(earlier: str, before: str, after: str) -> str:
    """Which form of the crime a range is for, by the words around it (nearest first)."""
    after = re.split(r"[;.]|, and |, or |which (?:were|are)|these penalties", after)[0][:_REACH]
    whole = earlier + before
    for words in (after, before):
        if _CHILD.search(words) and not (_ADULT.search(words) and words is before):
            return "child"
        if _ADULT.search(words):
            return "adult"
        if _AGGRAVATED.search(words):
            return "aggravated"
        if re.search(r"sex and labor traff|labor and sex traff|sex trafficking and labor|all forms", words, re.I):
            return "basic_all"
        if _RELATED.search(words) and not re.search("trafficking", words, re.I):
            return "related"
        if _LABOR.search(words) and not _SEX.search(words):
            return "labor"
        if _SEX.search(words) and not _LABOR.search(words):
            return "sex"
    return "related" if _RELATED.search(whole) and not re.search("trafficking", whole, re.I) else "basic_all"
