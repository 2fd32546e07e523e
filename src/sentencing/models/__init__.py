"""Estimators for lengths known in every which way: exactly, between bounds, on one side, on average.

Nothing here knows what the lengths are of; everything takes arrays or frames.
"""

from .errors import NotConverged, NotEstimable
from .groups import GroupRows, expand_groups
from .interval import IntervalRegression, IntervalRegressionResults
from .likelihood import UnknownSize

__all__ = [
    "GroupRows",
    "IntervalRegression",
    "IntervalRegressionResults",
    "NotConverged",
    "NotEstimable",
    "UnknownSize",
    "expand_groups",
]
