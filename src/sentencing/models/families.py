"""Standard error distributions on the real line, in a form that keeps its digits in both tails.

A family gives logarithms of densities, tails and interval probabilities with their first two derivatives. An
interval is described by its midpoint m and width w, not by its ends: the derivatives of log(F(b) - F(a)) by a and b
each grow like 1/w, and their difference would lose all digits for narrow intervals, while the derivatives by m, and
by log w, stay of order one.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
_SQRT_HALF = np.sqrt(0.5)
# The largest x with exp(x) finite, less a margin for one product.
_LARGEST_EXPONENT = 700.0


class Point(NamedTuple):
    """A log density or log tail at z with its first and second derivative by z; arrays of one shape."""

    value: np.ndarray
    d1: np.ndarray
    d2: np.ndarray


class Cell(NamedTuple):
    """log(F(m + w/2) - F(m - w/2)) and its derivatives by m and by w, those by w times the power of w."""

    value: np.ndarray
    dm: np.ndarray
    w_dw: np.ndarray
    dm_dm: np.ndarray
    w_dm_dw: np.ndarray
    w2_dw_dw: np.ndarray


class Normal:
    """Standard normal: T is lognormal under the log link."""

    name = "lognormal"
    mean, variance = 0.0, 1.0

    @staticmethod
    def log_density(z):
        return Point(-0.5 * z * z - _LOG_SQRT_2PI, -z, np.full_like(z, -1.0))

    @staticmethod
    def log_cdf(z):
        value = special.log_ndtr(z)
        # f/F through the scaled complementary error function: no ratio of two underflowing numbers.
        d1 = np.sqrt(2.0 / np.pi) / special.erfcx(-z * _SQRT_HALF)
        return Point(value, d1, np.clip(-d1 * (z + d1), -1.0, 0.0))

    @classmethod
    def log_sf(cls, z):
        value, d1, d2 = cls.log_cdf(-z)
        return Point(value, -d1, d2)

    @classmethod
    def log_cell(cls, m, w):
        narrow = 0.5 * w * np.maximum(1.0, np.abs(m)) < 0.1
        if narrow.all():
            return cls._narrow_cell(m, w)
        if not narrow.any():
            return cls._wide_cell(m, w)
        parts = [np.empty(np.shape(m)) for _ in Cell._fields]
        for chosen, cell in ((narrow, cls._narrow_cell), (~narrow, cls._wide_cell)):
            for whole, part in zip(parts, cell(m[chosen], w[chosen]), strict=True):
                whole[chosen] = part
        return Cell(*parts)

    @staticmethod
    def _narrow_cell(m, w):
        # (1/w) ∫ f(m + t) dt / f(m) over [-w/2, w/2] is the sum of (w/2)^2k He_2k(m) / (2k + 1)!, He the Hermite
        # polynomials, since the derivatives of the density are f^(k) = (-1)^k He_k f (Abramowitz & Stegun 26.2.31).
        # Four terms leave less than 1e-17 for |w m| < 0.2.
        m2, h2 = m * m, 0.25 * w * w
        he1, he2, he3 = m, m2 - 1.0, m * (m2 - 3.0)
        he4, he5 = m2 * (m2 - 6.0) + 3.0, m * (m2 * (m2 - 10.0) + 15.0)
        he6, he7 = m2 * (m2 * (m2 - 15.0) + 45.0) - 15.0, m * (m2 * (m2 * (m2 - 21.0) + 105.0) - 105.0)
        he8 = m2 * (m2 * (m2 * (m2 - 28.0) + 210.0) - 420.0) + 105.0
        c1, c2, c3, c4 = h2 / 6.0, h2**2 / 120.0, h2**3 / 5040.0, h2**4 / 362880.0
        # He_k' = k He_(k-1); a power h^2k is multiplied by 2k when w is differentiated by its logarithm.
        excess = c1 * he2 + c2 * he4 + c3 * he6 + c4 * he8
        g = 1.0 + excess
        g_m = 2 * c1 * he1 + 4 * c2 * he3 + 6 * c3 * he5 + 8 * c4 * he7
        g_mm = 2 * c1 + 12 * c2 * he2 + 30 * c3 * he4 + 56 * c4 * he6
        g_w = 2 * c1 * he2 + 4 * c2 * he4 + 6 * c3 * he6 + 8 * c4 * he8
        g_mw = 4 * c1 * he1 + 16 * c2 * he3 + 36 * c3 * he5 + 64 * c4 * he7
        g_ww = 4 * c1 * he2 + 16 * c2 * he4 + 36 * c3 * he6 + 64 * c4 * he8
        r_m, r_w = g_m / g, g_w / g
        return Cell(
            -0.5 * m2 - _LOG_SQRT_2PI + np.log(w) + np.log1p(excess),
            -m + r_m,
            1.0 + r_w,
            -1.0 + g_mm / g - r_m * r_m,
            g_mw / g - r_m * r_w,
            # w² ∂²/∂w² = (w ∂/∂w)² - w ∂/∂w
            g_ww / g - r_w * r_w - (1.0 + r_w),
        )

    @staticmethod
    def _wide_cell(m, w):
        # By symmetry only intervals with midpoint >= 0 are computed: then the lower end's tail is the larger one.
        sign = np.where(m < 0.0, -1.0, 1.0)
        m = np.abs(m)
        a, b = m - 0.5 * w, m + 0.5 * w
        tail = a > 0.0
        a_pos = np.where(tail, a, 0.0)
        # exp(-b²/2) / exp(-a²/2) with b² - a² = 2 m w, exact where the difference of squares would cancel.
        ratio = np.exp(-m * w)
        scaled = 0.5 * (special.erfcx(a_pos * _SQRT_HALF) - ratio * special.erfcx(b * _SQRT_HALF))
        across = special.ndtr(b) - special.ndtr(np.where(tail, 0.0, a))
        value = np.where(tail, -0.5 * a * a + np.log(np.where(tail, scaled, 1.0)), np.log(across))
        density = np.exp(-_LOG_SQRT_2PI)
        r_a = np.where(tail, density / scaled, density * np.exp(-0.5 * np.minimum(a, 0.0) ** 2) / across)
        r_b = r_a * ratio
        d_a, d_b = -r_a, r_b
        # (f(b) - f(a)) / P = -r_a (1 - ratio)
        dm = r_a * np.expm1(-m * w)
        # ∂²/∂b² = -b r_b - r_b², ∂²/∂a² = a r_a - r_a², ∂²/∂a∂b = r_a r_b. Where an end lies so far out that its
        # product with a vanished density would be inf * 0, the product is 0.
        b_rb, a_ra = np.where(r_b > 0.0, b * r_b, 0.0), np.where(r_a > 0.0, a * r_a, 0.0)
        d_aa, d_bb, d_ab = a_ra - r_a * r_a, -b_rb - r_b * r_b, r_a * r_b
        return Cell(
            value,
            sign * dm,
            0.5 * w * (d_b - d_a),
            np.clip(d_aa + 2.0 * d_ab + d_bb, -1.0, 0.0),
            sign * 0.5 * w * (d_bb - d_aa),
            0.25 * w * w * (d_bb - 2.0 * d_ab + d_aa),
        )

    @staticmethod
    def quantile(q):
        return special.ndtri(q)

    @staticmethod
    def log_moment(k, sigma):
        """log E[exp(k sigma e)] with its first and second derivative by sigma; e standard normal."""
        return 0.5 * (k * sigma) ** 2, k * k * sigma, np.full_like(sigma, float(k * k))


def _half_coth(w):
    """(w/2) coth(w/2) and (w/2)² / sinh²(w/2), both 1 at w = 0."""
    h = 0.5 * np.minimum(w, _LARGEST_EXPONENT)
    sinh = np.sinh(h)
    small = h < 1e-4
    over_sinh = np.where(small, 1.0 - h * h / 6.0, h / np.where(small, 1.0, sinh))
    return np.where(w > _LARGEST_EXPONENT, 0.5 * w, over_sinh * np.cosh(h)), over_sinh**2


class Logistic:
    """Standard logistic: T is log-logistic under the log link."""

    name = "loglogistic"
    mean, variance = 0.0, np.pi**2 / 3.0

    @staticmethod
    def log_density(z):
        f, s = special.expit(z), special.expit(-z)
        return Point(special.log_expit(z) + special.log_expit(-z), s - f, -2.0 * f * s)

    @staticmethod
    def log_cdf(z):
        s = special.expit(-z)
        return Point(special.log_expit(z), s, -s * special.expit(z))

    @classmethod
    def log_sf(cls, z):
        value, d1, d2 = cls.log_cdf(-z)
        return Point(value, -d1, d2)

    @staticmethod
    def log_cell(m, w):
        # F(b) - F(a) = F(b) S(a) (1 - exp(-w)): a product, so nothing cancels.
        a, b = m - 0.5 * w, m + 0.5 * w
        f_a, s_b = special.expit(a), special.expit(-b)
        v_a, v_b = f_a * special.expit(-a), s_b * special.expit(b)
        c, sinh_term = _half_coth(w)
        return Cell(
            special.log_expit(b) + special.log_expit(-a) + np.log(-np.expm1(-w)),
            s_b - f_a,
            # w / expm1(w) = (w/2) coth(w/2) - w/2
            0.5 * w * (s_b + f_a - 1.0) + c,
            -v_a - v_b,
            0.5 * w * (v_a - v_b),
            -0.25 * w * w * (v_a + v_b) - sinh_term,
        )

    @staticmethod
    def quantile(q):
        return special.logit(q)

    @staticmethod
    def log_moment(k, sigma):
        """log E[exp(k sigma e)] = log(pi k sigma / sin(pi k sigma)), for k sigma < 1; derivatives by sigma."""
        x = np.pi * k * sigma
        small = x < 1e-3
        x_or_one = np.where(small, 1.0, x)
        sin, cos = np.sin(x_or_one), np.cos(x_or_one)
        with np.errstate(invalid="ignore"):
            value = np.where(small, x * x / 6.0 + x**4 / 180.0, np.log(x_or_one / sin))
        d1 = np.where(small, x / 3.0 + x**3 / 45.0, 1.0 / x_or_one - cos / sin)
        d2 = np.where(small, 1.0 / 3.0 + x * x / 15.0, 1.0 / sin**2 - 1.0 / x_or_one**2)
        scale = np.pi * k
        return value, scale * d1, scale * scale * d2


def _over_expm1(x):
    """x / (e^x - 1) for x >= 0, and its derivative by log x; 1 and 0 at x = 0, both 0 at infinity."""
    x = np.minimum(x, _LARGEST_EXPONENT)
    tiny = x < 1e-8
    safe = np.where(tiny, 1.0, x)
    rho = np.where(tiny, 1.0 - 0.5 * x, safe / np.expm1(safe))
    return rho, np.where(tiny, -0.5 * x, rho * (1.0 + safe / np.expm1(-safe)))


class SmallestExtremeValue:
    """Standard smallest extreme value, F(z) = 1 - exp(-e^z): T is Weibull under the log link."""

    name = "weibull"
    mean, variance = -np.euler_gamma, np.pi**2 / 6.0

    @staticmethod
    def log_density(z):
        t = np.exp(np.minimum(z, _LARGEST_EXPONENT))
        return Point(z - t, 1.0 - t, -t)

    @staticmethod
    def log_sf(z):
        t = np.exp(np.minimum(z, _LARGEST_EXPONENT))
        return Point(-t, -t, -t)

    @staticmethod
    def log_cdf(z):
        t = np.exp(np.minimum(z, _LARGEST_EXPONENT))
        rho, kappa = _over_expm1(t)
        with np.errstate(divide="ignore"):
            value = np.where(t > 1e-12, np.log(-np.expm1(-t)), z - 0.5 * t)
        return Point(value, rho, kappa)

    @staticmethod
    def log_cell(m, w):
        # exp(-t_a) - exp(-t_b) = exp(-t_a) (1 - exp(-delta)), t = e^z, delta = t_a (e^w - 1)
        a = m - 0.5 * w
        t_a = np.exp(np.minimum(a, _LARGEST_EXPONENT))
        c, sinh_term = _half_coth(w)
        log_growth = np.where(w > 1.0, w + np.log(-np.expm1(-w)), np.log(np.expm1(np.minimum(w, 1.0))))
        log_delta = a + log_growth
        delta = np.exp(np.minimum(log_delta, _LARGEST_EXPONENT))
        rho, kappa = _over_expm1(delta)
        with np.errstate(divide="ignore"):
            log_mass = np.where(delta > 1e-12, np.log(-np.expm1(-delta)), log_delta - 0.5 * delta)
        w_ta = w * t_a
        return Cell(
            -t_a + log_mass,
            -t_a + rho,
            # w ∂delta/∂w = c delta with c = (w/2) coth(w/2), at a fixed midpoint
            0.5 * w_ta + c * rho,
            -t_a + kappa,
            0.5 * w_ta + c * kappa,
            -0.25 * w * w_ta - sinh_term * rho + c * c * kappa,
        )

    @staticmethod
    def quantile(q):
        return np.log(-np.log1p(-np.asarray(q, dtype=float)))

    @staticmethod
    def log_moment(k, sigma):
        """log E[exp(k sigma e)] = log Gamma(1 + k sigma), with its derivatives by sigma."""
        x = 1.0 + k * sigma
        return special.gammaln(x), k * special.digamma(x), k * k * special.polygamma(1, x)


FAMILIES = {family.name: family for family in (Normal, Logistic, SmallestExtremeValue)}
