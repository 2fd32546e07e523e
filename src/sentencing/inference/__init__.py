"""Inference beyond one fit: resampling, tests, bounds that need no model, and checks of the fitted distribution."""

from ..models.profile import profile_interval
from .bootstrap import BootstrapResult, cluster_bootstrap
from .predictive import predict_extremes

__all__ = ["BootstrapResult", "cluster_bootstrap", "predict_extremes", "profile_interval"]
