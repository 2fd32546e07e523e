"""The words by which counts are read: steps of the proceedings, what is counted, what a number cannot be."""

import re


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_STEPS = {
    "investigation": """investigation investigations investigated investigating investigate probes probe probed
        probing inquiry inquiries""",
    "prosecution": """prosecution prosecutions prosecuted prosecuting prosecute charges indictment indictments indicted
        indicting indict charged charging arraigned tried""",
    "conviction": "conviction convictions convicted convicting convict",
    "acquittal": "acquittal acquittals acquitted acquitting acquit",
    "victims_identified": "identified identifying identify identification identifications",
}
STAGE = {word: stage for stage, forms in _STEPS.items() for word in words(forms)}
VICTIMS = ("victims_identified",)
NOUNS = words("""charges investigation investigations probes probe inquiry inquiries prosecution prosecutions indictment
    indictments conviction convictions acquittal acquittals""")
PAST = words("investigated probed prosecuted indicted charged arraigned tried convicted acquitted identified")
GERUNDS = {word for word in STAGE if word.endswith("ing")} | words("""initiating opening launching filing bringing
    obtaining securing achieving completing conducting continuing reporting""")
PARTICIPLES = PAST | words("""initiated reported confirmed opened referred launched filed recorded secured obtained
    achieved certified registered""")
# Verbs that tell of identification, and of investigation, only with the right object.
RECOGNISED = words("""confirmed certified recognized registered detected certifying confirming recognizing
    registering detecting""")
OPENED = words("""opened opening initiated initiating launched launching registered registering began detected
    detecting recorded recording""")
# Charges count only where they are brought.
BRINGING = words("filed brought pressed pursued filing laid initiated bringing pursuing")

# What is counted.
CASES = words("case cases trials trial offenses offences instances crimes incidents incident files file")
VICTIM = words("victim victims")
PERSONS = words("""person persons people individual individuals suspect suspects trafficker traffickers defendant
    defendants offender offenders perpetrator perpetrators man men woman women national nationals citizen citizens
    foreigner foreigners criminals criminal accused facilitators employers employer pimps members smugglers couples
    couple owners owner operators operator managers agents parents males females adults drivers pimp madams fugitives
    detainees crew leaders smuggler buyers clients brokers sponsors recruiters recruiter convicts exploiters abusers""")
CHILDREN = words("child children girl girls boy boys minor minors")

# Words that end the phrase of a number.
STOP = words("""resulted resulting ended for in of on to from with under against involving by at during after through
    among who that which whom whose were was had have has received where when as since while but compared because is are
    exploited subjected be been being included including remained continued led involved without within into than the a
    an it they this
    ; : ( ) . - \"""")
# Verbs after which a number is of something else than the step before.
BLOCK = words("""sentenced sentencing received receiving arrested arresting arrests arrest detained detaining trained
    training trainings assisted assisting provided providing provide served ordered awarded deported rescued rescuing
    inspected inspections inspecting repatriated screened screening fined dismissed imprisoned issued revoked allocated
    conducted extradited interviewed hosted required opened housed sheltered removed freed located intercepted""")
SOFT_BLOCK = words("referred referring")
SUBJECTS = words("it the they courts court authorities officials police judges prosecutors there law an a one no all")

# What stands beside a number that counts nothing of this kind.
UNITS_AFTER = words("""percent million billion years year months month days day hours weeks week dollars euros hour
    minutes kilometers % - '""")
LEGAL_BEFORE = words("""article articles section sections art no law chapter title paragraph act decree convention
    protocol code resolution number $ € under age aged ages tier top""")

# Forms of exploitation.
_SEX = re.compile(r"\bsex(?:ual|ually)?\b|\bprostitut|\bpimping|\bpornograph|\bprocur", re.I)
_LABOR = re.compile(
    r"\blabor\b(?! (?:inspect|minist|attach|court|law|code|union|recruit|offic|tribunal))|\bservitude\b"
    r"|\bbondage\b|\bdomestic (?:work|serv)|\bbonded\b|\bforced work",
    re.I,
)
_OTHER = re.compile(
    r"\bbegging\b|\bcrimin(?:al activit|ality)|\bmarriage|\borgans?\b|\bunspecified|\bunknown|\buncategorized"
    r"|\barmed (?:groups?|forces?|conflict)"
    r"|\bboth (?:sex|labor|forms|forced)|\b(?:for|of) both\b|\bother (?:forms|purposes)|\bmultiple|\bundetermined"
    r"|\bslavery",
    re.I,
)
RELATED = re.compile(r"\bpimp|\bprocur|\bprostitution|\bsmuggl|\bbrothel|\bchild sex tour|\bpander", re.I)
NEGATIONS = re.compile(
    r"\b(?=\w)(?:(?:did|have|has|had|does|do|was|were) not|never|failed to|neither"
    r"|(?<!or )not (?:yet )?(?=(?:report|initiat|investigat|prosecut|convict|identify|obtain|secur|provid)[a-z]*ing\b)"
    r"|declined to|took no steps to|made no (?:efforts?|attempts?) to"
    r"|nor did (?:it|they|the government|authorities|officials)|(?:has|have|had) yet to)\b",
    re.I,
)


def form(phrase: str) -> str:
    """The form of exploitation that words name: sex, labor, other, all (both named), or "" for none."""
    if _OTHER.search(phrase):
        return "other"
    sex, labor = _SEX.search(phrase), _LABOR.search(phrase)
    if sex and labor:
        return "all"
    return "sex" if sex else "labor" if labor else ""
