"""Rules for counts: who was investigated, prosecuted, convicted, acquitted, or identified as a victim, and how many.

A sentence is read from left to right. Each number takes its step of the proceedings from the noun it counts
("12 prosecutions"), from a verb after it ("12 suspects were prosecuted") or from the last verb before it
("prosecuted 12 suspects"). A comparison ("compared with nine in 2016", "(nine in 2016)") takes over the step of what
it is compared with.
"""

import itertools
import re
from typing import NamedTuple

from .clauses import Clauses, When
from .grammar import number as number_of
from .heads import Number, countable, is_number, names_form, number_at
from .nothing import CONSECUTIVE, nothing
from .rows import Fact
from .split import Sentence
from .vocabulary import (
    BLOCK,
    BRINGING,
    NEGATIONS,
    NOUNS,
    OPENED,
    PAST,
    PERSONS,
    RECOGNISED,
    RELATED,
    SOFT_BLOCK,
    STAGE,
    SUBJECTS,
    VICTIMS,
    form,
    words,
)
from .years import MONTH

_NOWHERE = -99
_PEOPLE = r"(?:traffickers?|defendants?|suspects?|individuals|people|persons|men|women|perpetrators?|offenders?)"
_GOVERNMENT = r"(?:government|authorities|police|courts?|ministry)"
# A sentence with none of these words counts nothing; most sentences go no further.
_RELEVANT = re.compile(
    r"nvestigat|nquir|roceeding|rosecut|ndict|harge|onvict|cquit|dentif|victim|guilty|sentenc"
    r"|trafficking (?:crimes|offenses)|\b(?:prob|cases?\b|tri(?:al|ed))"
    r"|^\s*(?:Of|These|This|It|By|In|The total|Overall|Among|Within)\b"
)
# Single stories, other bodies than the government, and joint cases abroad are not counted.
_SKIP = re.compile(
    r"^\s*(?:(?:for example|for instance|in one (?:case|instance|notable)|in another|media report"
    r"|in (?:an?|this|that|the|another) (?:[a-z]+ ){0,3}case)\b"
    r"|since (?:\w+ )?(?:19|20)\d\d,"
    r"|foreign (?:authorities|courts|governments|police)\b"
    r"|(?:(?:an?|one|several|local|some|two|three|four|other|many|the) )?(?:second |local |foreign |domestic )?"
    r"(?:ngos?|international organizations?|iom|civil society(?: organizations)?)\b"
    rf"(?![^.]*\b{_GOVERNMENT} (?:had |has |did not )?(?:investigat|prosecut|convict|identif|report|initiat|open"
    rf"|charg|indict)))"
    r"|\b(?=\w)(?:(?:cooperated|collaborated|worked) with (?!an? |ngos?\b|international)(?:the )?(?:foreign"
    r"|(?-i:[A-Z][a-z]+)|counterparts|authorities in|police in)"
    r"|extradit|mutual legal|joint(?:ly)? (?:investigat|operation))",
    re.I,
)
_OTHERS = re.compile(
    r"(?<!and )(?<!and an )(?<!with )(?<!with an )(?<!and local )"
    r"\b(?:NGOs?|[Ii]nternational organizations?|IOM|[Cc]ivil society(?: organizations?| groups?)?)"
    r" (?:reported |also |(?:had|has|have) |provided services to and |independently )?$"
)
_ANECDOTE = re.compile(
    rf"\b(?:in|on) (?:early |late |mid-)?{MONTH.pattern}[^.;]{{0,20}}?,? (?:an?|the|one) (?:[A-Z]?[\w']+ ){{0,4}}?"
    r"(?:court|judge|tribunal)\b",
    re.I,
)
_DATED = re.compile(rf"\s*(?:Also )?(?:In|On|During|Since) (?:early |late |mid-)?{MONTH.pattern}")
_COMPLICIT = re.compile(r"\bcomplicit|\bcomplicity|\bcorrupt", re.I)
_LOOKS_BACK = re.compile(
    r"\s*(?:The (?:[\w,-]+ )?(?:cases|investigations|prosecutions) (?:involved|included)|Of |This|These"
    r"|It compare|By comparison|In comparison|In total|The total|Overall)"
)
_OF_SAME = re.compile(r"\s*(?:Of (?:these|those|the)|These|Among (?:these|them)|All of (?:these|them))\b")
_ALSO = re.compile(r"\b(?:also|[Aa]dditionally|additional|another|[Ss]eparately|[Ii]n addition)\b")

# After a verb.
_VICTIMS_NEXT = re.compile(r" (?:at least |approximately |a total of )?(?:\d|[a-z]+(?:-[a-z]+)? (?:\w+ ){0,4}victims)")
_SUSPECTS_NEXT = re.compile(r" (?:[\w,-]+ ){1,5}(?:traffickers|suspects|perpetrators|offenders)\b")
_NEW_CASES = re.compile(
    r" (?:at least |approximately |a total of )?[\w,-]+ (?:(?:new|additional|potential|suspected|possible|alleged"
    r"|human"
    r"|sex|labor|trafficking|criminal) ){0,5}(?:(?:trafficking[\w -]{0,40}|new )?cases\b"
    r"|trafficking (?:crimes|offenses|incidents)\b"
    r"|(?:cases|crimes|offenses|incidents) (?:of|for|involving) "
    r"(?:suspected |alleged |potential )?(?:human |sex |labor |child )?(?:traffick"
    r"|forced))"
)
_ASSISTED = re.compile(
    r"\b(?:assisted|assisting|referred|referring|sheltered|supported|helped|rescued|removed|registered|recorded"
    r"|reported"
    r"|there were|received referrals? (?:of|for)|(?:assistance|services|care|support|shelter|protection) (?:to|for))"
    r"(?: at least| approximately| a total of| over| more than)? $"
)
_WERE_ASSISTED = re.compile(
    r" (?:were|was|received) (?:assist|help|refer|shelter|support|register|record|services|care)"
)

# After a number and its noun.
_ONGOING = re.compile(
    r"(?: (?!and\b)[\w-]+){0,4}? (?:remain|remained|remains|were ongoing|was ongoing|were still|were pending|was "
    r"pending"
    r"|continued)\b"
)
_EARLIER = re.compile(r" identified in (?:a |the )?(?:previous|prior|earlier)\b")
_GROUP = re.compile(r"\b(?:child|adult|female|male|foreign|domestic|minor|internal|underage)\b")
_LED_TO = re.compile(
    r" (?:of (?:the|these|those) (?:[\w-]+ ){0,3}(?:cases|investigations|prosecutions|trials) |of which )?"
    r"(?:led to|resulted in|ended in|resulting in|leading to"
    r"|(?:in|to)(?= (?:prosecutions|convictions|indictments|acquittals)\b)) "
    r"(?:a |the )?"
    r"(?:trafficking |criminal )?(?P<noun>prosecutions?|convictions?|indictments?|acquittals?)\b"
    r"(?! of (?:\d|[a-z]+ (?:trafficker|suspect|defendant|individual)))"
)
_TO_TRIAL = re.compile(
    r" (?:of which |of whom )?(?:went to (?:trial|court)|stood trial|proceeded to trial"
    r"|were (?:sent|brought|taken) (?:to|before) (?:a |the )?(?:trial|courts?)"
    r"|were referred (?:to court|for prosecution))\b"
)
_UNDER_INVESTIGATION = re.compile(
    r"(?: of wh(?:om|ich))?(?: (?:were|are|was|is|remain|remained))?(?: still| currently)? under investigation\b"
)
_GUILTY = re.compile(r"(?: of wh(?:om|ich))? (?:(?:were|was|have been) (?:later )?found|pleaded|pled) guilty\b")
_BEGUN = re.compile(
    r"\b(?:(?P<filed>filed|filing|brought|bringing)|(?:initiat|open|launch|institut|commenc)(?:ed|ing)|began)"
    r" (?:new |criminal |court |judicial |legal |trafficking ){0,3}$"
)
_ON_TRIAL = re.compile(r"\b(?:put|placed|brought|bringing|putting|sent|sending|took) (?:on|to) $")
_AS_VICTIMS = re.compile(r"(?:,? (?:and )?\w+){0,3}? as (?:[a-z]+ ){0,4}victims\b")
_VICTIMS_OF = re.compile(
    r"(?: of (?:the|these)(?: \d+| [a-z]+)?(?: victims)?)?(?: of whom| victims)? (?:were |was )?"
    r"(?:victims of |exploited in |subjected to |exploited |for )(?:child )?"
    r"(?:sex|forced|labor|domestic|debt|both|an unspecified)"
)
# What is counted does something else: "two suspects were released", "three traffickers received".
_SUBJECT_OF = re.compile(
    r" (?:were|was|received|had|have|has|are|is|did|served|fled|appealed|pleaded|pled|faced|awaited|later|also"
    r"|who (?:were|was|had))\b"
)
_ALL_OF_FORM = re.compile(
    r"(?: [\w'-]+){0,6}?,? (?:- |\()?(?:all|each|both(?= (?:of|were|for|in)\b))(?: of (?:whom|which"
    r"|them))?(?: were| was)?"
    r"(?: for| involv(?:ed|ing)| in| on| related to| exploited in)? (?:child )?"
    r"(?P<form>sex|labor|forced labor|sexual|prostitution|domestic servitude)"
)
_TOPIC = re.compile(r"\s*(?:For|Regarding|In) (?P<form>(?:sex|labor|forced labor) (?:trafficking|cases)?),? ")
_OF_WHOM = re.compile(r"^ of (?:whom|which)\b")
_OWN = re.compile(
    r"[,;:.()]|(?<= )-(?= )|\bincluding\b|\bof wh|\bwhile\b|\bcompared\b|\band [a-z]+ed\b|\band the\b"
    r"|\band (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)

# After a number whose noun is left out.
_SECOND = re.compile(
    r"\s*(?:(?:were |was )?(?:for|of|in|to|as|with|under) (?!which|whom|20|the|these|those|a |an )[a-z]"
    r"|(?:involved|involving) [a-z]|(?:were )?un\w+)"
)
_FOR_ANOTHER = re.compile(r"\s*(?:were |was )?(?:for|under|on charges of) (?:[a-z\"]|20)")
_OF_THESE = re.compile(
    r"\s*of (?:them\b|those\b|(?:[\w-]+ )?defendants\b|(?:these|those|the) (?:\w+ )?(?:traffickers|suspects"
    r"|defendants|individuals|offenders"
    r"|accused|cases|prosecuted|arrested|victims))"
)
_OF_CRIME = re.compile(r" of (?:[a-z]+ ){0,3}(?:trafficking|forced|slavery|servitude|exploitation|pimping|procuring)")
_RESPECTIVELY = re.compile(r"\s*(?:,|and\b)?\s*(?:[\w]+,? ?(?:and|in))?[^.;()]{0,25}\brespectively")
_IN_YEAR = re.compile(
    r"\s*(?:it |they |the government )?(?:(?:initiated|reported|confirmed|opened|referred|launched|filed"
    r"|recorded"
    r"|secured|obtained|achieved|certified|registered|cases|identified|convicted|prosecuted|investigated"
    r"|indicted)\s+)?(?:in|during|for|from|the year|the)\s*(?:the )?"
    r"(?:20\d\d|previous|prior|last|preceding|year|fiscal|calendar)"
)
_IN_OTHER_YEAR = re.compile(
    r"\s*(?:in|during) (?:20\d\d|the (?:previous|prior|last) (?:reporting )?(?:year|period))\s*(?:$|[.,;)])"
)
_AFTER_VERB = words(". , ; : for under in and ( during on with last more as")
_AFTER_COMPARED = words(". , ; in during the and for under ( as ) last previous")
_AFTER_ELLIPSIS = words(". ; , ) and in for under on by of during") | {""}
_AFTER_PASSIVE = words("""and , or reportedly officially subsequently also the government authorities it that police
    later formally ever yet""")

_AMOUNTS = words("totaled totalled numbered reached")
_LINKED = _AMOUNTS | words("of against into on was were")
_UNDONE = words("overturned overturning reversed annulled quashed vacated dismissed dropped withdrew")
_FILLERS = words("at least approximately about more than over only a total nearly almost some")

# Whole phrases.
_REFERRED = re.compile(
    r"\b(?:referred|sent|submitted|forwarded|transferred|brought|took|taken|referring"
    r"|sending) (?P<n>[\w,-]+)(?: [\w'-]+){0,8}? "
    r"(?:for (?:criminal )?(?:prosecution|indictment|trial)|to (?:the )?courts?|to trial)\b"
)
_CHANGED = re.compile(
    r"\b(?=\w)(?P<noun>[Ii]nvestigations?|[Pp]rosecutions?|[Cc]onvictions?|[Ii]ndictments?|[Aa]cquittals?"
    rf"|{_PEOPLE} (?P<verb>investigated|prosecuted|convicted|indicted|acquitted)"
    r"|(?:identified )?(?:trafficking )?victims(?: identified)?)\b(?! rate)[^.;(),]{0,45}?"
    r" (?:increased|decreased|declined|rose|fell|dropped|grew|doubled|tripled) (?:[a-z]+ )?"
    r"(?:(?:from (?P<a>[\w,-]+)(?: in (?P<ya>20\d\d))? )?to (?P<b>[\w-]+)(?:,? from (?P<d>[\w,-]+))?"
    r"|from (?P<c>[\w,-]+))(?!\.\d| percent)"
)
_N = r"(?P<n>\d[\d,]*|[a-z]+(?:-[a-z]+)?)"
_FOUND_GUILTY = (
    re.compile(rf"\bfound (?P<n>[\w,-]+) (?:[a-z]+ ){{0,3}}{_PEOPLE} guilty\b"),
    re.compile(r"\b(?:guilty|convicting) verdicts? (?:for|against|in) (?P<n>[\w,-]+)\b"),
    re.compile(rf"\b{_N} (?:guilty|convicting) verdicts\b"),
)


_STOOD = re.compile(
    r"\b(?P<noun>investigations|prosecutions|convictions|indictments|acquittals)\b[^.;(),\d]{0,40}?"
    rf" (?:remained|stood|stayed)(?: [a-z]+){{0,3}}? at (?:only |just )?{_N}\b"
)


class Context(NamedTuple):
    """What a sentence needs to know from outside: the edition, and steps and years of the sentence before.

    `skipped` tells that the sentence before was about other bodies or a single story.
    """

    report_year: int
    stages: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    skipped: bool = False


class Counted(NamedTuple):
    """Facts of a sentence, and the context that it leaves to the next."""

    facts: list[Fact]
    context: Context


def counts(sentence: Sentence, context: Context) -> Counted:
    """Read the counts of one sentence of the introduction or the sections on prosecution and protection."""
    if not _RELEVANT.search(sentence.text):
        return Counted([], context._replace(years=(), skipped=False))
    if context.skipped and _OF_SAME.match(sentence.text):
        return Counted([], context._replace(years=()))
    if _SKIP.search(sentence.text) or _ANECDOTE.search(sentence.text) or _DATED.match(sentence.text):
        return Counted([], context._replace(years=(), skipped=True))
    reader = _Reader(sentence, context)
    reader.read()
    years = [fact.cells["reference_year"] for fact in reader.found if fact.cells["value"]]
    left = Context(context.report_year, reader.last_stages or context.stages, (max(years),) if years else ())
    return Counted(reader.found, left)


class _Reader:
    """Reads one sentence from left to right; what it remembers on the way stands in `__init__`."""

    def __init__(self, sentence: Sentence, context: Context):
        self.sentence, self.text = sentence, sentence.text
        self.clauses = Clauses(sentence.text, context.report_year, context.years)
        self.victims_only = sentence.part.role == "protection"
        self.found: list[Fact] = []
        self.last_stages: tuple[str, ...] = ()
        # The steps that a number takes over, and the token that told them; those of each segment.
        self.carried = _LOOKS_BACK.match(sentence.text) is not None
        self.stages: tuple[str, ...] = context.stages if self.carried else ()
        self.stage_at = _NOWHERE
        self.by_segment: dict[int, tuple[str, ...]] = {}
        # The segment in which another verb has taken over, if any.
        self.blocked: int | None = None
        self.including = False
        # Whether the number before counted, and whether one has counted in each segment's clause.
        self.counted = True
        self.counted_in: dict[int, bool] = {}
        # Years, and forms of exploitation told first and last, that later numbers take over, by segment.
        self.years: dict[int, When] = {}
        self.forms: dict[int, str] = {}
        self.latest: dict[int, str] = {}
        self.listed = self.parted = 0
        topic = _TOPIC.match(sentence.text)
        self.topic = form(topic["form"]) if topic else ""
        # The steps counted so far in each segment, in order: what "respectively" goes by.
        self.order: dict[int, list[tuple[str, ...]]] = {}
        # Set while figures stand in for others: assisted for identified.
        self.assisted = False

    def read(self):
        """Fill `found`."""
        self._referred()
        taken = {fact.start - self.sentence.start for fact in self.found}
        self._nothing()
        self._phrases()
        i = 0
        while i < len(self.clauses.tokens):
            i = self._step(i, taken) + 1
        self._same()
        if self.stages and not self.carried:
            self.last_stages = self.stages

    # ------------------------------------------------------------------ from left to right

    def _step(self, i: int, taken: set[int]) -> int:
        """Take in one token; the position of the last token that was used up."""
        clauses, token, segment = self.clauses, self.clauses.tokens[i], self.clauses.inner[i]
        if stages := self._told_by(i):
            self.stages, self.stage_at, self.blocked, self.carried = stages, i, None, False
            self.by_segment[segment] = stages
            self.including = self.including and token.low in NOUNS
        elif self._blocks(i):
            self.blocked = segment
        elif token.low == ";":
            # A comparison after a semicolon still is one with what stands before it.
            if i + 1 < len(clauses.tokens) and clauses.kind(clauses.inner[i + 1]) != "comparison":
                self.forms.pop(segment, None)
                self.counted_in[segment] = False
            self.blocked, self.including = None, False
        elif token.low in ("including", "included", "include", "includes"):
            self.including = True
        elif token.low in (")", "compared", "-"):
            self.including = False
        elif token.start not in taken and is_number(clauses, i, self.victims_only) and countable(clauses, i):
            number = number_at(clauses, i)
            if number is not None:
                return self._count(number, segment)
        return i

    def _told_by(self, i: int) -> tuple[str, ...]:
        """The steps that a token tells; empty where it tells none."""
        token = self.clauses.tokens[i]
        if self.victims_only and token.low in RECOGNISED and _VICTIMS_NEXT.match(self.text, token.end):
            return VICTIMS
        if token.low in STAGE:
            if (
                self._adjective(i)
                or not self._governs(i)
                or self._denied(i)
                or self._by_others(i)
                or (token.low in NOUNS and self._undone(i))
            ):
                return ()
            stage = STAGE[token.low]
            if stage == "victims_identified" and _SUSPECTS_NEXT.match(self.text, token.end):
                stage = "investigation"
            fillers = (",", "and", "or", "/", "new", "any", "report", "reported", "reporting", "initiated")
            between = self.clauses.tokens[self.stage_at + 1 : i] if self.stage_at >= 0 else None
            joined = between is not None and all(t.low in fillers for t in between)
            return (*self.stages, stage) if joined and stage not in self.stages and not self.carried else (stage,)
        if self.victims_only:
            return ()
        if token.low == "trial" and _ON_TRIAL.search(self.clauses.left(i, 20)):
            return ("prosecution",)
        if token.low in ("proceedings", "cases") and self.clauses.low(i + 1) in ("against", "in"):
            begun = _BEGUN.search(self.clauses.left(i, 45))
            if begun:
                return ("prosecution",) if token.low == "proceedings" or begun["filed"] else ("investigation",)
        if token.low in OPENED and _NEW_CASES.match(self.text, token.end):
            return ("investigation",)
        return ()

    def _adjective(self, i: int) -> bool:
        """Whether a past form is no verb: "the convicted traffickers"."""
        before = ("the", "those", "all", "these", "of", "for", "any")
        counted = i > 0 and self.clauses.tokens[i - 1].value is not None and self.clauses.low(i + 1) in PERSONS
        alone = self.clauses.low(i - 1) in before and self.clauses.low(i + 1) != "in"
        return self.clauses.low(i) in PAST and (counted or alone)

    def _denied(self, i: int) -> bool:
        """Whether a verb stands after "but not yet" and so has no part in the number after it."""
        return re.search(r"\bbut (?:had |has |did )?not (?:yet )?$", self.clauses.left(i, 20)) is not None

    def _undone(self, i: int) -> bool:
        """Whether a higher court undoes what was done: "overturned the convictions of four"."""
        return any(self.clauses.low(k) in _UNDONE for k in range(i - 3, i))

    def _by_others(self, i: int) -> bool:
        """Whether a verb of identification has another subject than the government: "an NGO identified"."""
        return (
            STAGE[self.clauses.low(i)] == "victims_identified" and _OTHERS.search(self.clauses.left(i, 70)) is not None
        )

    def _governs(self, i: int) -> bool:
        """Whether a word for a step says what the next number is about; "during investigations" does not."""
        clauses, low, after = self.clauses, self.clauses.low(i), self.clauses.low(i + 1)
        if low not in NOUNS:
            return True
        if after == "involving" and i + 2 < len(clauses.tokens) and clauses.tokens[i + 2].value is not None:
            return True
        if low == "charges":
            return after == "against" or any(t.low in BRINGING for t in clauses.tokens[max(0, i - 4) : i])
        if after in ("of", "against", "into") or i - self.stage_at <= 3:
            return True
        if after in _AMOUNTS or (after in ("was", "were") and "number" in map(clauses.low, range(i - 4, i))):
            return True
        if after in ("for", "on") and i + 2 < len(clauses.tokens) and clauses.tokens[i + 2].value is not None:
            return True
        if after in ("and", "or"):
            for k in (i + 2, i + 3):
                if clauses.low(k) in NOUNS and clauses.low(k + 1) in ("of", "against", "into"):
                    return True
        following = i + 2 < len(clauses.tokens) and clauses.tokens[i + 2].value is not None
        if after == "in" and following and countable(clauses, i + 2):
            return True
        return NEGATIONS.search(self.text) is not None

    def _blocks(self, i: int) -> bool:
        """Whether a verb takes over from the step told before."""
        clauses, low, near = self.clauses, self.clauses.tokens[i].low, i - self.stage_at
        if low == "services":
            return clauses.low(i + 1) in ("to", "for") and near > 4
        if low in SOFT_BLOCK:
            if clauses.low(i - 1) == "and" and "victims_identified" in self.stages:
                return False
        elif low not in BLOCK:
            return False
        linked = clauses.low(i - 1) in ("and", "or", ",") or clauses.low(i - 2) == "and"
        return not (near <= 3 and linked and low not in ("arrested", "trained"))

    def _count(self, number: Number, segment: int) -> int:
        """Make facts of a number, if it counts a step; the position of the last token used up."""
        stages = self._stages_of(number, segment) if self._tells_something_new(number, segment) else ()
        if number.unit == "bare" and segment and not self._may_follow(segment) and not names_form(self.clauses, number):
            stages = ()
        if self.including and not number.stages and self._exploitation(number, segment) == "all":
            stages = ()
        self.counted = bool(stages)
        if not stages:
            return number.at
        self.counted_in[segment] = True
        self.stage_at = _NOWHERE
        if number.unit == "bare" and names_form(self.clauses, number):
            self.listed = number.at
        if self.clauses.kind(segment) == "main":
            self.parted = number.at
        if number.joined:
            self._emit(number, stages, segment)
            return number.stop
        self._emit(number, stages, segment)
        self.by_segment[segment] = stages
        self.order.setdefault(segment, []).append(stages)
        self.stages = self.stages or stages
        if not number.stages:
            return number.at
        self.stages, self.blocked, self.carried = number.stages, None, False
        return min(number.stop, number.at + 8)

    def _may_follow(self, segment: int) -> bool:
        """Whether a comparison or bracket has a figure to take its step from."""
        if self.clauses.kind(segment) == "bracket":
            return self.counted
        around = self.clauses.segments[segment].parent
        return self.counted_in.get(segment, False) or self.counted_in.get(around, bool(self.found) or self.carried)

    def _tells_something_new(self, number: Number, segment: int) -> bool:
        """Whether a number does more than look back, as in "of the 12 cases"."""
        i, before = number.at, self.clauses.low(number.at - 1)
        if self.clauses.low(i) == "first":
            return True
        if self.clauses.kind(segment) != "main" and before == "the":
            return True
        if before in ("the", "these", "those", "all", "both", "its") or (before == "of" and i == 1):
            return number.unit == "victims" and before in ("the", "of") and bool(self._passive(number, False))
        return not (before == "of" and i > 1 and self.clauses.tokens[i - 2].value is not None)

    # ------------------------------------------------------------------ which step a number counts

    def _stages_of(self, number: Number, segment: int) -> tuple[str, ...]:
        end, unit, kind = self.clauses.tokens[number.stop].end, number.unit, self.clauses.kind(segment)
        blocked = self.blocked == segment
        if unit in ("bare", "persons", "cases") and _UNDER_INVESTIGATION.match(self.text, end):
            return ("investigation",)
        if _ONGOING.match(self.text, end) or (kind == "main" and _EARLIER.match(self.text, end)):
            return ()
        if number.stages:
            aside = (blocked and self.clauses.low(number.at - 1) == "in") or self._undone(number.at)
            return () if aside else number.stages
        if unit in ("bare", "persons") and _GUILTY.match(self.text, end):
            return ("conviction",)
        led = _LED_TO.match(self.text, end)
        if led and self.clauses.low(number.at) != "none" and unit in ("bare", "cases", "persons"):
            return (STAGE[led["noun"].lower()],)
        if _TO_TRIAL.match(self.text, end) and unit in ("bare", "cases", "persons"):
            return ("prosecution",)
        if not (blocked and unit == "victims"):
            after = self._passive(number, kind == "comparison" or not self.stages)
            if after:
                return after
        told = (self.by_segment.get(segment) if kind == "bracket" else None) or self.stages
        if (
            self.victims_only
            and (unit in ("victims", "bare") or number.joined)
            and not blocked
            and _VICTIMS_OF.match(self.text, end)
        ):
            return VICTIMS
        if unit == "victims" and kind == "main" and "identified" in number.words.split():
            return VICTIMS
        if not told or blocked:
            if self.victims_only and unit == "victims" and kind == "main":
                assisted = _ASSISTED.search(self.clauses.left(number.at, 60)) or _WERE_ASSISTED.match(self.text, end)
                self.assisted = self.assisted or assisted is not None
                return VICTIMS if assisted else ()
            return ()
        return self._inherited(number, told, segment)

    def _inherited(self, number: Number, told: tuple[str, ...], segment: int) -> tuple[str, ...]:
        """The step told before, where the number can be of it."""
        clauses, kind, unit = self.clauses, self.clauses.kind(segment), number.unit
        if unit == "victims":
            counted = any(fact.cells["value"] for fact in self.found)
            group = _GROUP.search(number.words) and counted and not self._form_of(number, segment)
            return told if told == VICTIMS and not group else ()
        as_victims = _AS_VICTIMS.match(self.text, clauses.tokens[number.stop].end)
        if told == VICTIMS and unit == "persons" and as_victims and clauses.low(number.at - 1) != "and":
            return told
        if "victims_identified" in told and unit in ("cases", "persons") and not self._form_of(number, segment):
            return ()
        if unit == "children":
            alone = not self.found or number.joined
            return told if told == VICTIMS and self._form_of(number, segment) and alone else ()
        if unit == "bare":
            return self._respective(segment, told) if self._stands_alone(number, kind) else ()
        subject = kind == "main" and _SUBJECT_OF.match(self.text, clauses.tokens[number.stop].end)
        if subject and not names_form(clauses, number):
            return ()
        if unit == "cases" and number.value == 1 and clauses.low(number.at - 1) == "in":
            return ()
        return told

    def _respective(self, segment: int, told: tuple[str, ...]) -> tuple[str, ...]:
        """The step of a number in a comparison that goes through the steps before it "respectively"."""
        where = self.clauses.segments[segment]
        steps = self.order.get(where.parent, []) if where.kind == "comparison" else []
        n = len(self.order.get(segment, []))
        if n < len(steps) and any(t.low == "respectively" for t in self.clauses.tokens[where.start : where.end]):
            return steps[n]
        return told

    def _passive(self, number: Number, loose: bool) -> tuple[str, ...]:
        """The steps of verbs after what is counted: "seven suspects were prosecuted"."""
        clauses = self.clauses
        opens = number.at == 0 or clauses.low(number.at - 1) in (";", "and", ",", "which", "whom", "these", "them")
        alone = number.unit == "bare" and not number.words and (opens or loose)
        if number.unit not in ("persons", "cases", "victims") and not alone:
            return ()
        first = number.stop + 1 + (clauses.low(number.stop + 1) == "officially")
        if number.unit == "bare" and clauses.low(first) in PAST and clauses.low(first + 1) in _AFTER_ELLIPSIS:
            return (STAGE[clauses.low(first)],)
        if clauses.low(first) in PAST and (number.unit == "victims" or loose):
            stage = STAGE[clauses.low(first)]
            return () if number.unit == "victims" and stage != "victims_identified" else (stage,)
        found = []
        first = number.stop + 1
        if clauses.low(first) == "(" and clauses.low(first + 2) == "percent":
            first += 4
        if clauses.low(first) == "of" and clauses.low(first + 1) in ("whom", "which", "them", "these"):
            first += 2
        elif (
            clauses.low(first) == "of" and clauses.low(first + 1) == "the" and clauses.low(first + 3) in ("were", "was")
        ):
            first += 3
        # "Six of whom it prosecuted": the verb is no passive, but its object stands before it.
        seen = clauses.low(first - 1) in ("whom", "which") and clauses.low(first) in SUBJECTS
        for token in clauses.tokens[first : first + 8]:
            if token.low in PAST and seen:
                found.append(STAGE[token.low])
            elif token.low in ("were", "was", "been", "being", "have", "had", "has"):
                seen = True
            elif token.low not in _AFTER_PASSIVE:
                break
        if number.unit == "victims" and found and found[0] != "victims_identified":
            return ()
        return tuple(dict.fromkeys(found))

    def _stands_alone(self, number: Number, kind: str) -> bool:
        """Whether a number without a noun counts what was counted before."""
        clauses = self.clauses
        after, rest, left = (
            clauses.low(number.stop + 1) or ".",
            clauses.rest(number.stop, 60),
            clauses.low(number.at - 1),
        )
        if re.search(r"\b(?:of|against|including) (?:\S+ ){0,2}officials\b", clauses.left(number.at, 60)):
            return False
        if self._is_part(number, rest):
            self.listed = number.at
            return True
        direct = self._is_object(number)
        if direct and _OF_THESE.match(rest):
            return True
        if number.words and number.words != "total":
            return number.words in ("confirmed", "potential", "suspected") and after == "and"
        if direct and (after in _AFTER_VERB or _OF_CRIME.match(rest)):
            return True
        if kind == "main":
            return self.counted and left in ("and", ",", ";") and _IN_OTHER_YEAR.match(rest) is not None
        if _RESPECTIVELY.match(rest) or _IN_YEAR.match(rest):
            return True
        if kind == "comparison" and (
            left in ("with", "to", "from", "over", "than")
            or clauses.low(number.at - 2) in ("with", "to", "from", "than")
        ):
            return after in _AFTER_COMPARED or re.match(r" of \d", rest) is not None
        return re.match(r"\s*in 20\d\d", rest) is not None

    def _is_object(self, number: Number) -> bool:
        """Whether a number follows a word for a step at once: "convicted 12", "prosecution of at least 12"."""
        k = number.at - 1
        while self.clauses.low(k) in _FILLERS:
            k -= 1
        # "identified and referred two": both verbs have the object.
        if self.clauses.low(k - 1) == "and" and self.clauses.low(k) in (
            "referred",
            "assisted",
            "referring",
            "protected",
        ):
            k -= 2
        return k == self.stage_at or (k - 1 == self.stage_at and self.clauses.low(k) in _LINKED)

    def _is_part(self, number: Number, rest: str) -> bool:
        if names_form(self.clauses, number):
            return True
        if self.listed and number.at - self.listed < 14 and _SECOND.match(rest):
            return True
        # "convicted three for one crime, four for another": parts that tell of what each was for.
        if self.parted and number.at - self.parted < 16 and not number.words and _FOR_ANOTHER.match(rest):
            self.parted = number.at
            return self.clauses.low(number.at - 1) in (",", "and", ";", ":", "-", "(")
        # "45 under article 2 and 12 under article 3": the second counts as the first does.
        if number.words or not rest.startswith(" under ") or number.at < 2:
            return False
        return self.clauses.low(number.at - 1) in (",", "-") or (
            re.search(r" under [^;.]{0,60}$", self.clauses.left(number.at, 70)) is not None
        )

    # ------------------------------------------------------------------ rows

    def _form_of(self, number: Number, segment: int) -> str:
        """The form of exploitation that a number is of, or takes over; "" where none is told."""
        told = (
            form(number.words)
            or self.topic
            or form(_OWN.split(_OF_WHOM.sub("", self.clauses.rest(number.stop, 60)))[0])
        )
        if told or number.unit != "bare" or not segment:
            return told
        where = self.clauses.segments[segment]
        return (self.latest if where.kind == "bracket" else self.forms).get(where.parent, "")

    def _exploitation(self, number: Number, segment: int) -> str:
        return self._form_of(number, segment) or "all"

    def _emit(self, number: Number, stages: tuple[str, ...], segment: int):
        if self.victims_only and any(stage not in ("victims_identified", "acquittal") for stage in stages):
            return
        if self._complicit(number.at):
            return
        when = self.clauses.when(number.at, segment, self.years)
        self.years[segment] = when
        last = self.clauses.tokens[number.stop]
        if not number.value and CONSECUTIVE.search(self.text, last.end):
            when = when._replace(years=(*when.years, when.years[0] - 1))
        told = self._exploitation(number, segment)
        self.latest[segment] = told
        self.forms.setdefault(segment, told)
        forms = [told]
        whole = _ALL_OF_FORM.match(self.text, last.end) if told == "all" or number.unit != "bare" else None
        if whole and number.value:
            forms = list(dict.fromkeys(["all", form(whole["form"]) or "all"]))
        unit = {"victims": "persons", "children": "persons", "bare": "unspecified"}.get(number.unit, number.unit)
        compared = self.clauses.kind(segment) != "main"
        for year, stage, exploitation in itertools.product(when.years, stages, forms):
            self._fact(self.clauses.tokens[number.at].start, last.end, self._rule(number, stage), {
                "reference_year": year, "stage": stage, "unit": "persons" if stage == "victims_identified" else unit,
                "value": number.value, "qualifier": self._qualifier(number), "exploitation": exploitation,
                "law": self._law(number), "period": when.period,
                "continuing": 1 if self._continuing(number.at) else None}, compared)  # fmt: skip

    def _rule(self, number: Number, stage: str) -> str:
        if self.assisted and stage == "victims_identified":
            return "count: victims assisted"
        return f"count: {number.unit}"

    def _complicit(self, at: int) -> bool:
        """Whether the clause is about officials: those are told apart and not counted."""
        start = self.clauses.tokens[at].start
        left, right = self.text.rfind(";", 0, start) + 1, self.text.find(";", start)
        return _COMPLICIT.search(self.text, left, right if right >= 0 else len(self.text)) is not None

    def _qualifier(self, number: Number) -> str:
        if not number.value:
            return "none"
        before = self.clauses.left(number.at, 22).lower()
        if re.search(r"(?:at least|more than|over|no fewer than|not less than) $", before):
            return "at_least"
        if re.search(r"(?:up to|at most|fewer than|as many as|no more than) $", before):
            return "at_most"
        return "approx" if re.search(r"(?:approximately|about|around|nearly|almost|some) $", before) else "exact"

    def _law(self, number: Number) -> str:
        near = self.text[self.clauses.tokens[number.at].start : self.clauses.tokens[number.stop].end + 40]
        return "related" if RELATED.search(near) and "traffick" not in near else "trafficking"

    def _continuing(self, at: int) -> bool:
        before = self.clauses.left(at, 60).lower()
        return re.search(r"\b(?:continued|continuing|ongoing|pending)\b[^,;]*$", before) is not None

    def _fact(self, start: int, end: int, rule: str, cells: dict, compared: bool = False):
        part, offset = self.sentence.part, self.sentence.start
        place = (part.section, part.role, offset + start, offset + end)
        also = _ALSO.search(self.text) is not None
        self.found.append(Fact("counts", *place, rule, cells, also, compared))

    def _plain(
        self,
        start: int,
        end: int,
        rule: str,
        stage: str,
        when: When,
        value: int | None,
        told: str = "all",
        unit: str = "",
    ):
        persons = stage in ("conviction", "victims_identified")
        qualifier = "not_reported" if value is None else "exact" if value else "none"
        for year in when.years:
            self._fact(start, end, rule, {
                "reference_year": year, "stage": stage, "unit": unit or ("persons" if persons else "unspecified"),
                "value": value, "qualifier": qualifier, "exploitation": told, "law": "trafficking",
                "period": when.period, "continuing": None})  # fmt: skip

    # ------------------------------------------------------------------ whole phrases

    def _nothing(self):
        for denied in nothing(self.clauses, self.victims_only):
            rule, value = ("count: not reported", None) if denied.data else ("count: none", 0)
            self._plain(denied.start, denied.end, rule, denied.stage, denied.when, value, form(denied.clause) or "all")
            self.last_stages = (denied.stage,)

    def _phrases(self):
        """Read "convictions rose from three to five", "found two defendants guilty"."""
        base = self.clauses.base
        for match in _CHANGED.finditer(self.text):
            stage = "victims_identified" if "victim" in match["noun"] else STAGE[match["verb"] or match["noun"].lower()]
            if self.victims_only != (stage == "victims_identified"):
                continue
            for group, year in (("a", int(match["ya"] or base - 1)), ("b", base), ("c", base - 1), ("d", base - 1)):
                value = number_of(match[group].lower().rstrip(",")) if match[group] else None
                if value is not None and not 1990 < value < 2100:
                    self._plain(
                        match.start(group), match.end(group), "count: rose or fell", stage, When((year,)), value
                    )
        for match in () if self.victims_only else _STOOD.finditer(self.text):
            value, at = number_of(match["n"].lower()), self.clauses.token_at(match.start("n"))
            if value is not None and not 1990 < value < 2100:
                when = self.clauses.when(at, self.clauses.inner[at], {})
                self._plain(match.start("n"), match.end(), "count: stood at", STAGE[match["noun"]], when, value)
        told = not self.victims_only and ("guilty" in self.text or "verdict" in self.text)
        for pattern in _FOUND_GUILTY if told else ():
            for match in pattern.finditer(self.text):
                value = number_of(match["n"].lower())
                if value is not None and not 1990 < value < 2100:
                    start, end = match.start("n"), match.end()
                    self._plain(start, end, "count: found guilty", "conviction", When((base,)), value)

    def _referred(self):
        """Read "referred 18 cases for prosecution", "sent 85 cases to court": prosecutions."""
        if self.victims_only:
            return
        clauses = self.clauses
        for match in _REFERRED.finditer(self.text):
            at = clauses.token_at(match.start("n"))
            if clauses.tokens[at].value is None or not countable(clauses, at):
                continue
            people = re.search("suspect|trafficker|defendant|individual", match[0])
            unit = "cases" if "case" in match[0] else "persons" if people else "unspecified"
            when = clauses.when(at, clauses.inner[at], {})
            found = [(at, when)]
            later = self._comparison_after(at, clauses.token_at(match.end()))
            if later is not None:
                parent = clauses.segments[clauses.inner[later]].parent
                found.append((later, clauses.when(later, clauses.inner[later], {parent: when})))
            for k, then in found:
                token = clauses.tokens[k]
                self._plain(
                    token.start,
                    token.end,
                    "count: referred for prosecution",
                    "prosecution",
                    then,
                    token.value,
                    unit=unit,
                )

    def _comparison_after(self, at: int, end: int) -> int | None:
        """The first number of the comparison, or bracket, that follows a phrase."""
        for later in self.clauses.segments[1:]:
            beside = later.kind == "bracket" and 0 < later.start - end < 3
            if (later.kind == "comparison" and later.start > at) or beside:
                for k in range(later.start, min(later.start + 4, later.end)):
                    if self.clauses.tokens[k].value is not None and countable(self.clauses, k):
                        return k
                return None
        return None

    def _same(self):
        """Read "the same number as in 2016": the figure before it, for another year."""
        for match in self.clauses.same:
            earlier = [
                f for f in self.found if f.cells["value"] is not None and f.start - self.sentence.start < match.start()
            ]
            later = [m for m in self.clauses.mentions if m.end > match.end() - 5]
            if not earlier or not later or earlier[-1].cells["reference_year"] in later[0].years:
                continue
            for year in later[0].years:
                again = {**earlier[-1].cells, "reference_year": year, "period": later[0].period}
                self._fact(
                    match.start(), max(match.end(), later[0].end), "count: the same number", again, compared=True
                )
