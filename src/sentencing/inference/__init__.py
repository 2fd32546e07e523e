"""Inference beyond one fit: resampling, tests, bounds that need no model, and checks of the fitted distribution."""

from ..models.profile import profile_interval, profile_intervals_together
from .bootstrap import FEWEST_CLUSTERS, BootstrapResult, cluster_bootstrap, refit, refit_maxima
from .bounds import BandGroup, ShareBounds, add_unknown, share_bounds, share_table
from .free_thresholds import FreeThresholdTest, free_threshold_test
from .predictive import predict_extremes
from .wild import WildScoreResult, wild_score_test

__all__ = [
    "FEWEST_CLUSTERS",
    "BandGroup",
    "BootstrapResult",
    "FreeThresholdTest",
    "ShareBounds",
    "WildScoreResult",
    "add_unknown",
    "cluster_bootstrap",
    "free_threshold_test",
    "predict_extremes",
    "profile_interval",
    "profile_intervals_together",
    "refit",
    "refit_maxima",
    "share_bounds",
    "share_table",
    "wild_score_test",
]
