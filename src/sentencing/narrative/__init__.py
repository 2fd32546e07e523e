"""Reads figures from country narratives of the Trafficking in Persons Report by rules that can be followed.

A narrative passes through small stages: `read` brings it in, `normalise` mends what printing broke and keeps the way
back, `split` finds sections and sentences, `grammar` numbers and lengths of time, `years` the year of a figure,
`events` (counts), `penalties` (statutes), `terms` and `people` (sentences) and `custody` hold the rules, `assemble`
decides what stands, `write` writes. `agreement` compares the outcome with what people coded. Each row names its rule
and the place of its words.
"""

from .agreement import development_countries
from .assemble import extract
from .read import BadInput, Narrative, narratives

__all__ = ["BadInput", "Narrative", "development_countries", "extract", "narratives"]
