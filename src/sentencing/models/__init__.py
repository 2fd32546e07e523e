"""Estimators for lengths known in every which way: exactly, between bounds, on one side, on average.

Nothing here knows what the lengths are of; everything takes arrays or frames.
"""

from .custody import Custody, CustodyResults, Hurdle, NoOverdispersion
from .errors import NotConverged, NotEstimable
from .groups import GroupRows, expand_groups
from .interval import IntervalRegression, IntervalRegressionResults
from .likelihood import UnknownSize
from .random_intercept import RandomInterceptIntervalRegression, RandomInterceptResults
from .turnbull import TurnbullResult, turnbull

__all__ = [
    "Custody",
    "CustodyResults",
    "GroupRows",
    "Hurdle",
    "IntervalRegression",
    "IntervalRegressionResults",
    "NoOverdispersion",
    "NotConverged",
    "NotEstimable",
    "RandomInterceptIntervalRegression",
    "RandomInterceptResults",
    "TurnbullResult",
    "UnknownSize",
    "expand_groups",
    "turnbull",
]
