"""What every fit by maximum likelihood offers: standard errors, tests and intervals of its parameters."""

import numpy as np
import pandas as pd
from scipy import stats


class LikelihoodResults:
    """Common part of the results of a fit.

    A subclass sets `params` (pandas.Series, length p), `_cov` (p, p), `_free` (bool, length p: estimated, not held
    fixed), `llf` and `nobs` (people), and offers `_profile_intervals`.
    """

    params: pd.Series
    llf: float
    nobs: float
    _cov: np.ndarray
    _free: np.ndarray

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the estimates, shape (p, p); 0 for fixed parameters, NaN where there is none."""
        return pd.DataFrame(self._cov, index=self.params.index, columns=self.params.index)

    @property
    def bse(self) -> pd.Series:
        return pd.Series(np.sqrt(np.diag(self._cov)), index=self.params.index)

    @property
    def tvalues(self) -> pd.Series:
        with np.errstate(divide="ignore"):
            return self.params / self.bse

    @property
    def pvalues(self) -> pd.Series:
        return pd.Series(2 * stats.norm.sf(np.abs(self.tvalues)), index=self.params.index)

    @property
    def aic(self) -> float:
        return 2.0 * int(self._free.sum()) - 2.0 * self.llf

    @property
    def bic(self) -> float:
        return float(np.log(self.nobs)) * int(self._free.sum()) - 2.0 * self.llf

    def conf_int(self, alpha: float = 0.05, method: str = "wald") -> pd.DataFrame:
        """Confidence intervals of the parameters.

        Parameters
        ----------
        alpha : float
            One minus the confidence.
        method : {"wald", "profile"}
            Estimate ± normal quantile x standard error; or all values that the likelihood-ratio test does not reject.
            An end is infinite where the likelihood never falls far enough.

        Returns
        -------
        pandas.DataFrame
            Columns `lower` and `upper`; NaN for a parameter without a standard error.

        Raises
        ------
        ValueError
            Unknown method.
        NotConverged
            When a constrained maximum of a profile is not found.
        """
        if method == "profile":
            return self._profile_intervals(alpha)
        if method != "wald":
            raise ValueError(f"method {method!r} is not one of wald, profile")
        half = stats.norm.isf(alpha / 2) * self.bse
        return pd.DataFrame({"lower": self.params - half, "upper": self.params + half})

    def _profile_intervals(self, alpha: float) -> pd.DataFrame:
        raise NotImplementedError(f"{type(self).__name__} has Wald intervals only")
