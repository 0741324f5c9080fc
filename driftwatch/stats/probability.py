"""Divergences of probabilities: every formula once, along the last axis.

Each function takes p, the current distribution, and q, the reference, of one shape (..., K) whose
last axis sums to 1 (not checked), and gives an array of shape (...). A row with NaN in p gives NaN.
Logarithms are natural, so that units are nats. Nothing is smoothed here: what is zero is zero, and
a divergence that is infinite is infinite.
"""

import math

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray

LN_2 = math.log(2.0)


def kl_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Kullback-Leibler divergence KL(p||q) = sum p ln(p/q), in nats, 0..inf.

    0 only where p equals q. A cell with p = 0 adds nothing; one with p > 0 = q makes it infinite.
    Source: Kullback and Leibler, On Information and Sufficiency, Ann. Math. Stat. 22 (1951).

    >>> print(kl_of_probabilities([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]).round(10))
    0.0252671539
    >>> print(kl_of_probabilities([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]))
    inf
    """
    return _at_least_zero(kl_terms(_floats(p), _floats(q)).sum(axis=-1))


def js_of_probabilities(
    p: npt.ArrayLike, q: npt.ArrayLike, *, weight: npt.ArrayLike = 0.5
) -> FloatArray:
    """Jensen-Shannon divergence w KL(p||a) + (1-w) KL(q||a), a = w p + (1-w) q, in nats.

    weight: w, that of p, 0 < w < 1, one number or an array of shape (...). With w = 1/2 it is
    symmetric and lies in 0..ln 2: 0 only where p equals q, ln 2 only where they share no cell.
    With w = n/(n+m) it is the likelihood-ratio statistic of the two-row table, G / (2 (n+m)).
    Source: Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. IT 37 (1991).

    >>> print(js_of_probabilities([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]).round(10))
    0.0063671983
    """
    terms = js_terms(_floats(p), _floats(q), _floats(weight)[..., np.newaxis])
    return np.asarray(np.clip(terms.sum(axis=-1), 0.0, LN_2))


def js_distance_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Jensen-Shannon distance sqrt(JS / ln 2), the root of JS in bits: a metric in 0..1.

    Source: Endres and Schindelin, A New Metric for Probability Distributions, IEEE Trans. IT 49
    (2003).

    >>> print(js_distance_of_probabilities([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]).round(10))
    0.0958432338
    """
    return np.sqrt(js_of_probabilities(p, q) / LN_2)


def psi_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Population stability index sum (p - q) ln(p/q) = KL(p||q) + KL(q||p), in nats, 0..inf.

    Also known as Jeffreys' divergence. Infinite where exactly one of them is 0 in some cell.
    Source: Siddiqi, Credit Risk Scorecards (2006); Jeffreys, Proc. R. Soc. A 186 (1946).

    >>> print(psi_of_probabilities([0.4, 0.6], [0.8, 0.2]).round(4))
    0.7167
    """
    p, q = _floats(p), _floats(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.asarray(p / q)
        np.log(terms, out=terms)
        terms *= p - q
    terms[p == q] = 0.0
    return np.asarray(terms.sum(axis=-1))


def hellinger_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Hellinger distance sqrt(1/2 sum (sqrt p - sqrt q)^2), a metric in 0..1.

    Source: Le Cam and Yang, Asymptotics in Statistics (2000), section 3.1.

    >>> print(hellinger_of_probabilities([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    squares = np.square(np.sqrt(_floats(p)) - np.sqrt(_floats(q)))
    return np.asarray(np.sqrt(np.minimum(squares.sum(axis=-1) / 2, 1.0)))


def total_variation_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Total variation distance 1/2 sum |p - q|, 0..1: the share of rows that changed their cell.

    >>> print(total_variation_of_probabilities([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]).round(10))
    0.1
    """
    differences = np.abs(_floats(p) - _floats(q))
    return np.asarray(np.minimum(differences.sum(axis=-1) / 2, 1.0))


def l_infinity_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Largest change of one cell, max |p - q|, 0..1; 0 where there are no cells.

    >>> print(l_infinity_of_probabilities([0.5, 0.3, 0.2], [0.1, 0.4, 0.5]))
    0.4
    """
    return np.asarray(np.abs(_floats(p) - _floats(q)).max(axis=-1, initial=0.0))


def ks_of_probabilities(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Kolmogorov-Smirnov distance max |F_p - F_q| over the upper edges of ordered cells, 0..1.

    On bins it is a lower bound of the distance between the samples, which may lie inside a bin.
    Source: Smirnov, Table for Estimating the Goodness of Fit, Ann. Math. Stat. 19 (1948).

    >>> print(ks_of_probabilities([0.5, 0.3, 0.2], [0.1, 0.4, 0.5]).round(10))
    0.4
    """
    differences = np.cumsum(_floats(p) - _floats(q), axis=-1)
    return np.asarray(np.minimum(np.abs(differences).max(axis=-1, initial=0.0), 1.0))


def entropy_of_probabilities(p: npt.ArrayLike) -> FloatArray:
    """Shannon's entropy H(p) = -sum p ln p, in nats, 0..ln K; a cell with p = 0 adds nothing.

    Source: Shannon, A Mathematical Theory of Communication, Bell Syst. Tech. J. 27 (1948).

    >>> print(entropy_of_probabilities([0.25, 0.25, 0.25, 0.25]).round(10))
    1.3862943611
    """
    p = _floats(p)
    return _at_least_zero(-kl_terms(p, np.ones_like(p)).sum(axis=-1))


def kl_terms(p: FloatArray, q: FloatArray) -> FloatArray:
    """What each cell adds to KL(p||q): p ln(p/q), 0 where p = 0; of the shape of p and q.

    numpy's logarithm is about six times faster here than scipy.special.rel_entr, its equal.
    """
    # In place: fresh memory for each step would cost more than the logarithm.
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.asarray(p / q)
        np.log(terms, out=terms)
        terms *= p
    terms[p == 0] = 0.0
    return terms


def js_terms(p: FloatArray, q: FloatArray, weight: FloatArray | float = 0.5) -> FloatArray:
    """What each cell adds to JS: w p ln(p/a) + (1-w) q ln(q/a), never negative but by rounding."""
    mixture = np.asarray(weight * p + (1 - weight) * q)
    terms, of_reference = kl_terms(p, mixture), kl_terms(q, mixture)
    terms *= weight
    of_reference *= 1 - weight
    terms += of_reference
    return terms


def _at_least_zero(values: FloatArray) -> FloatArray:
    """Without the last digit's rounding below zero; NaN stays NaN."""
    return np.asarray(np.maximum(values, 0.0))


def _floats(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)
