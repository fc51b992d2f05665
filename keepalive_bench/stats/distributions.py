"""Quantiles of Student's t and of the beta distribution, and the hypergeometric one's tail.

Formulas are those of M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions" (1964),
where nothing else is said.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, log1p
from statistics import NormalDist

LEAST_FREEDOM = 2.0
"""Of fewer degrees of freedom, t has no spread, and what is made of it no bound."""
_NEARLY_NORMAL = 1_000.0
_BISECTIONS = 60
_MOST_STEPS = 500
_PRECISE = 1e-14
_TINY = 1e-300
_NEGLIGIBLE = 1e-12


@lru_cache(maxsize=256)
def student(level: float, freedom: float) -> float:
    """The value below which t lies with a probability of `level` (above a half).

    Degrees of freedom below 2 count as 2. By bisection of 26.7.1; from 1,000 degrees of freedom on,
    26.7.5 to the second term.
    """
    freedom, normal = max(freedom, LEAST_FREEDOM), NormalDist().inv_cdf(level)
    if freedom >= _NEARLY_NORMAL:
        first = (normal**3 + normal) / (4 * freedom)
        return normal + first + (5 * normal**5 + 16 * normal**3 + 3 * normal) / (96 * freedom**2)
    low, high = 0.0, 1.0
    while _beyond(high, freedom) > 1 - level:
        low, high = high, 2 * high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _beyond(middle, freedom) > 1 - level else (low, middle)
    return (low + high) / 2


def _beyond(value: float, freedom: float) -> float:
    """How probable it is that t exceeds a positive value: 26.7.1."""
    square = value * value
    return (
        beta_below(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square)) / 2
    )


@lru_cache(maxsize=256)
def beta_quantile(level: float, one: float, other: float) -> float:
    """The share below which a beta variable of two positive parameters lies with a probability."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = beta_below(one, other, middle, 1 - middle)
        low, high = (middle, high) if below < level else (low, middle)
    return (low + high) / 2


def beta_below(one: float, other: float, share: float, rest: float) -> float:
    """The regularised incomplete beta function of a share; `rest` is 1 less that: 26.5.2."""
    if share > (one + 1) / (one + other + 2):  # where the fraction doesn't converge
        return 1 - _incomplete_beta(other, one, rest)
    return _incomplete_beta(one, other, share)


def _incomplete_beta(one: float, other: float, share: float) -> float:
    """By a continued fraction, 26.5.8, with W. J. Lentz's method (1976)."""
    if not share:
        return 0.0
    scale = exp(
        lgamma(one + other) - lgamma(one) - lgamma(other) + one * log(share) + other * log1p(-share)
    )
    above, below = 1.0, 1 / _apart(1 - (one + other) * share / (one + 1))
    fraction = below
    for number in range(1, _MOST_STEPS):
        doubled = one + 2 * number
        for term in (
            number * (other - number) * share / ((doubled - 1) * doubled),
            -(one + number) * (one + other + number) * share / (doubled * (doubled + 1)),
        ):
            below = 1 / _apart(1 + term * below)
            above = _apart(1 + term / above)
            fraction *= above * below
        if abs(above * below - 1) < _PRECISE:
            break
    return scale * fraction / one


def _apart(value: float) -> float:
    """Never 0, so that it can be divided by."""
    return value if abs(value) > _TINY else _TINY


def hypergeometric_tail(hits: int, chances: int, all_hits: int, all_chances: int) -> float:
    """How probable it is that so many of all hits, or more, fall to some of all chances.

    That is by chance alone, as R. A. Fisher's exact test has it: "The Logic of Inductive
    Inference", Journal of the Royal Statistical Society 98 (1935). Those chances have no less than
    their share of the hits, so terms fall from the first one on.
    """
    probability, whole = 0.0, _log_ways(all_chances, all_hits)
    for number in range(hits, min(all_hits, chances) + 1):
        others = _log_ways(all_chances - chances, all_hits - number)
        term = exp(_log_ways(chances, number) + others - whole)
        probability += term
        if term <= probability * _NEGLIGIBLE:
            break
    return min(probability, 1.0)


def _log_ways(count: int, chosen: int) -> float:
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)
