"""The four tables: their columns, and the rows that rules hand over."""

from typing import NamedTuple

COLUMNS = {
    "counts": ("iso3", "reference_year", "stage", "unit", "value", "qualifier", "exploitation", "law", "period",
               "continuing", "note", "locator", "source_id", "rule"),
    "custody": ("iso3", "reference_year", "n_convicted", "n_sentenced", "n_prison", "n_suspended", "n_fine_only",
                "n_other_noncustodial", "qualifier", "law", "exploitation", "scope", "remainder", "note", "locator",
                "source_id", "rule"),
    "sentences": ("iso3", "reference_year", "group_id", "kind", "n", "n_qualifier", "low_months", "high_months",
                  "sanction", "offence", "exploitation", "level", "subset_of", "covers_all", "term_basis",
                  "low_sanction", "high_sanction", "note", "locator", "source_id", "rule"),
    "statutes": ("iso3", "form", "min_months", "max_months", "life_max", "fine_alternative", "law_name_short", "note",
                 "locator", "source_id", "rule"),
}  # fmt: skip


class Fact(NamedTuple):
    """One row of one table before it is written.

    `also` tells that the sentence adds to what was said, `compared` that the fact is given for comparison only.
    `start` and `end` are offsets in the mended text of the section; `cells` are the columns that the rule filled.
    """

    table: str
    section: str
    role: str
    start: int
    end: int
    rule: str
    cells: dict
    also: bool = False
    compared: bool = False
