"""Estimators for lengths known in every which way: exactly, between bounds, on one side, on average.

Nothing here knows what the lengths are of; everything takes arrays or frames.
"""

from .errors import NotConverged, NotEstimable
from .interval import IntervalRegression, IntervalRegressionResults
from .likelihood import UnknownSize

__all__ = ["IntervalRegression", "IntervalRegressionResults", "NotConverged", "NotEstimable", "UnknownSize"]
