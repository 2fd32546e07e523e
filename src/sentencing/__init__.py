"""How human traffickers are sentenced in Serbia: evidence, its cleaning, and what it can carry.

The modules stand in one line and import only from the left:

    paths, sources, schemas, corrections -> periods, facts, narrative, fetch, tip, centre, courts
    -> grouping, evidence, stages -> models, inference -> sentences, law, estimands, compare, within, between, designs,
    robustness, profiles, victims, claims, lessons, power -> tables, figures -> made, kernels, notebooks, fanout,
    multiverse, publication, countries, site, package, trust, audit
"""

__version__ = "0.1.0"
