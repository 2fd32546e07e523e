"""Declared choices between evidence and estimate, the distinct designs that they lead to, and what each design says.

A design is known by the hash of the rows and the model it comes to, so that choices that change nothing are not counted
twice. What may be chosen, how a combination of options becomes rows and a model, and what is read of the fit differs
between the studies, `within` a country and `between` countries; all else is here. A study is a module that offers

    Study                      fields of its `study` section
    OPTIONS, ESTIMANDS, UNITS  what may be chosen; what is estimated, in which unit
    APART                      the choice whose options are never looked at together; blank: none
    rows_of, digest            the rows of a combination (with `people`, `clusters` and `estimands`), and their hash
    Prepared                   the same rows and hash for very many combinations
    points, read               estimates of a design, and estimates with intervals

How all designs are run is told in `multiverse`, what their results say together in `robustness`.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import between, within
from .models import NotConverged, NotEstimable

STUDIES = {"country": within, "countries": between}  # by what `about` says
Study = within.Study | between.Study
Combination = dict[str, str | float]  # an option for each choice


def study_of(study: Study) -> ModuleType:
    """The module of a study."""
    return within if isinstance(study, within.Study) else between


def results_columns(study: Study) -> list[str]:
    """Columns of a table of results, one row for each design and estimand."""
    return ["design", *study_of(study).OPTIONS, "combinations", "estimand", "estimate", "low", "high", "boot_low",
            "boot_high", "people", "clusters", "converged", "replicates", "failed_replicates", "reason"]  # fmt: skip


# --- What is declared -----------------------------------------------------------------------------------------------


class Choice(NamedTuple):
    """One thing to choose. `equivalent`: no option is better founded, and all estimate the same quantity.

    `alone` are options that are not combined with such options of other choices, nor with any but the first option of
    equivalent choices.
    """

    id: str
    options: tuple
    reason: str
    equivalent: bool
    touches: tuple[str, ...]
    alone: tuple = ()

    @property
    def crossed(self) -> tuple:
        """Options that are combined with all others that are."""
        return tuple(option for option in self.options if option not in self.alone)


class Exclusion(NamedTuple):
    """Options that make no sense together."""

    where: dict
    reason: str

    def holds(self, combination: Combination) -> bool:
        return all(combination[choice] == option for choice, option in self.where.items())


class Declared(NamedTuple):
    """Everything that stands in a file of choices. `why_alone`: why some options are not combined with each other."""

    study: Study
    estimands: dict[str, str]
    choices: tuple[Choice, ...]
    exclusions: tuple[Exclusion, ...]
    why_alone: str = ""

    def names(self, equivalent: bool, crossed: bool = False) -> list[str]:
        """Choices that are equivalent, or those that are not; without the one whose options are never mixed.

        With `crossed` not those of which all options but one are tried alone.
        """
        apart = study_of(self.study).APART
        chosen = [c for c in self.choices if c.equivalent == equivalent and c.id != apart]
        return [c.id for c in chosen if not (crossed and c.alone and len(c.crossed) == 1)]

    def quick(self) -> "Declared":
        """At most two options of every choice and few replicates, to try things out."""
        short = tuple(choice._replace(options=choice.options[:2]) for choice in self.choices)
        short = tuple(c._replace(alone=tuple(o for o in c.alone if o in c.options)) for c in short)
        left = {choice.id: choice.options for choice in short}
        exclusions = tuple(e for e in self.exclusions if all(o in left[c] for c, o in e.where.items()))
        study = self.study
        if isinstance(study, within.Study):
            study = study._replace(replicates=min(20, study.replicates))
        return self._replace(study=study, choices=short, exclusions=exclusions)


PARTS = ("study", "estimands", "choices")


def declare(content: dict) -> Declared:
    """Check what a file of choices holds.

    Parameters
    ----------
    content : dict
        `study` (with `about`, a key of STUDIES), `estimands`, `choices`, and perhaps `why_alone` and `exclusions`, as
        in `params/multiverse.yml`.

    Raises
    ------
    ValueError
        Listing everything that is wrong.
    """
    content = content if isinstance(content, dict) else {}
    faults = [f"{part!r} is missing" for part in PARTS if not content.get(part)]
    faults += _unknown("part", content, (*PARTS, "why_alone", "exclusions"))
    study, named = dict(content.get("study") or {}), content.get("estimands") or {}
    about = study.pop("about", None)
    faults += _unknown("study, about", [about], tuple(STUDIES)) if study else []
    kind = STUDIES.get(about, within)
    faults += _unknown("study", study, kind.Study._fields)
    faults += [f"study: {field!r} is missing" for field in kind.Study._fields if study and field not in study]
    types = kind.Study.__annotations__.items()
    faults += [f"study: {field!r} is {study[field]!r}, not of type {wanted.__name__}"
               for field, wanted in types if field in study and type(study[field]) is not wanted]  # fmt: skip
    faults += _unknown("estimand", named, kind.ESTIMANDS)
    entries = content.get("choices") or []
    ids = [entry.get("id") for entry in entries]
    faults += [f"choice {name!r} is declared {times} times" for name, times in Counter(ids).items() if times > 1]
    faults += _unknown("choice", ids, tuple(kind.OPTIONS))
    faults += [f"choice {name!r} is not declared" for name in kind.OPTIONS if name not in ids] if entries else []
    for entry in entries:
        faults += _faults_of_choice(entry, tuple(named), kind.OPTIONS)
    why_alone = str(content.get("why_alone") or "").strip()
    faults += ["'why_alone' is missing"] if not why_alone and any(entry.get("alone") for entry in entries) else []
    options = {entry.get("id"): entry.get("options") or [] for entry in entries}
    for number, entry in enumerate(content.get("exclusions") or [], 1):
        where, about = entry.get("where") or {}, f"exclusion {number}"
        faults += _unknown(about, entry, Exclusion._fields)
        faults += [] if where else [f"{about}: 'where' is missing"]
        faults += [] if str(entry.get("reason") or "").strip() else [f"{about}: 'reason' is missing"]
        for name, option in where.items():
            if name not in options:
                faults += _unknown(about, [name], tuple(options))
            elif option not in options[name]:
                faults.append(f"{about}: {option!r} is no declared option of {name!r}")
    if faults:
        raise ValueError("choices: " + "; ".join(faults))
    return Declared(
        kind.Study(**study),
        dict(named),
        tuple(
            Choice(e["id"], tuple(_plain(o) for o in e["options"]), e["reason"].strip(), e["equivalent"],
                   tuple(e["touches"]), tuple(_plain(o) for o in e.get("alone") or [])) for e in entries
        ),
        tuple(
            Exclusion({name: _plain(o) for name, o in e["where"].items()}, e["reason"].strip())
            for e in content.get("exclusions") or []
        ),
        why_alone,
    )  # fmt: skip


def _plain(option):
    """Numbers as floats, so that 6 and 6.0 are one option."""
    return float(option) if isinstance(option, int | float) else option


def _unknown(about: str, found: Iterable, known: tuple) -> list[str]:
    return [f"{about}: {name!r} is not one of {', '.join(map(str, known))}" for name in found if name not in known]


def _faults_of_choice(entry: dict, declared: tuple[str, ...], known_options: dict) -> list[str]:
    name, options = entry.get("id"), entry.get("options") or []
    about = f"choice {name!r}"
    faults = _unknown(about, entry, Choice._fields)
    faults += [] if options else [f"{about}: 'options' is missing"]
    faults += [f"{about}: option {o!r} stands there {n} times" for o, n in Counter(options).items() if n > 1]
    faults += [] if str(entry.get("reason") or "").strip() else [f"{about}: 'reason' is missing"]
    faults += [] if isinstance(entry.get("equivalent"), bool) else [f"{about}: 'equivalent' has to be true or false"]
    faults += [] if entry.get("touches") else [f"{about}: 'touches' is missing"]
    faults += _unknown(f"{about}, touches", entry.get("touches") or [], declared)
    faults += _unknown(f"{about}, alone (the first never is)", entry.get("alone") or [], tuple(options[1:]))
    known = known_options.get(name)
    if isinstance(known, tuple):
        return faults + _unknown(about, options, known)
    if known is None:
        return faults
    unit = "years" if name.endswith("years") else "months"
    wrong = [o for o in options if isinstance(o, bool) or not isinstance(o, int | float) or not known <= o < np.inf]
    return faults + [f"{about}: {o!r} is no number of {unit} from {known:g} on" for o in wrong]


# --- Designs ----------------------------------------------------------------------------------------------------------


class Design(NamedTuple):
    """A distinct design: its hash, the first combination that leads to it, and how many do."""

    hash: str
    combination: Combination
    combinations: int


class Designs(NamedTuple):
    """What declared choices come to.

    Attributes
    ----------
    product : int
        Combinations of all options.
    excluded : int
        Of which declared exclusions take away so many; `by_exclusion` says how many the first that holds.
    combinations : pandas.DataFrame
        Those left, one row each: a column for every choice, and `design`.
    distinct : tuple of Design
        In the order in which combinations lead to them.
    """

    product: int
    excluded: int
    by_exclusion: dict[str, int]
    combinations: pd.DataFrame
    distinct: tuple[Design, ...]

    @property
    def duplicates(self) -> int:
        return len(self.combinations) - len(self.distinct)

    def told(self) -> str:
        """How many there are, and why."""
        return (
            f"{len(self.distinct)} distinct designs = {self.product} combinations - {self.excluded} excluded - "
            f"{self.duplicates} that lead to the same rows and model as another"
        )


def designs(table, declared: Declared) -> Designs:
    """Every distinct design of the declared choices.

    Parameters
    ----------
    table
        What the study takes: see `multiverse.load`.
    """
    names = [choice.id for choice in declared.choices]
    by_exclusion, left, hashes = {e.reason: 0 for e in declared.exclusions}, [], []
    prepared, combined = study_of(declared.study).Prepared(table, declared.study), 0
    for options in _combined(declared.choices):
        combined += 1
        combination = dict(zip(names, options, strict=True))
        reason = next((e.reason for e in declared.exclusions if e.holds(combination)), None)
        if reason is None:
            left.append(options)
            hashes.append(prepared.digest(combination))
        else:
            by_exclusion[reason] += 1
    product = math.prod(len(choice.options) for choice in declared.choices)
    if declared.why_alone:
        by_exclusion[declared.why_alone] = product - combined
    combinations = pd.DataFrame(left, columns=names).assign(design=hashes)
    times, first = Counter(hashes), dict(zip(reversed(hashes), reversed(left), strict=True))
    distinct = tuple(Design(h, dict(zip(names, first[h], strict=True)), n) for h, n in times.items())
    return Designs(product, product - len(left), by_exclusion, combinations, distinct)


def _combined(choices: tuple[Choice, ...]) -> Iterator[tuple]:
    """Combinations of options but for those that `Choice.alone` rules out."""
    yield from itertools.product(*(choice.crossed for choice in choices))
    for place, choice in enumerate(choices):
        others = [other.options[:1] if other.equivalent else other.crossed for other in choices]
        for option in choice.alone:
            yield from itertools.product(*others[:place], (option,), *others[place + 1 :])


# --- What a design says -----------------------------------------------------------------------------------------------


def fit_design(
    table, study: Study, combination: Combination, combinations: int = 1, replicates: int | None = None
) -> list[dict]:
    """Fit one design and read every estimand of it.

    Parameters
    ----------
    table
        What the study takes: see `multiverse.load`.
    combinations : int
        How many combinations lead to the design.
    replicates : int, optional
        Of the bootstrap, where the study has one; default those of the study; 0: none.

    Returns
    -------
    list of dict
        A row in `results_columns` for each estimand. What `low`, `high`, `boot_low` and `boot_high` are is told in the
        study's `read`. `people` are those the estimates are of (persons; not whole under the mean base), `clusters` the
        published groups, or the countries, that inform the model. `estimate` is blank where it cannot be estimated, and
        `reason` says why; it also says why an interval is missing.
    """
    return fit_rows(study_of(study).rows_of(table, study, combination), study, combination, combinations, replicates)


def fit_rows(
    rows, study: Study, combination: Combination, combinations: int = 1, replicates: int | None = None
) -> list[dict]:
    """`fit_design` of rows that are known already."""
    kind = study_of(study)
    blank = dict.fromkeys(("estimate", "low", "high", "boot_low", "boot_high"), np.nan)
    common = {"design": kind.digest(rows, combination), **combination, "combinations": combinations, **blank,
              "people": rows.people, "clusters": rows.clusters, "converged": False, "replicates": 0,
              "failed_replicates": 0, "reason": ""}  # fmt: skip
    try:
        found, converged = kind.read(rows, study, combination, replicates), True
    except (NotEstimable, NotConverged) as refusal:
        found, converged = {name: {"reason": refusal.reason} for name in rows.estimands}, False
    told = [common | {"estimand": name, "converged": converged} | part for name, part in found.items()]
    return [{column: row[column] for column in results_columns(study)} for row in told]
