"""How far, in one unit for every feature and any number of rows: equivalent standard deviations."""

from functools import cache

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.probability import LN_2, js_of_probabilities

EFFECT_MAX = 8.0
"""The largest effect that is told: two normals so far apart have a JS of ln 2 - 0.0001."""

_STEPS = 1600


def effect(
    current: IntArray,
    reference: IntArray,
    *,
    statistic: npt.ArrayLike,
    expected: npt.ArrayLike,
    phi: npt.ArrayLike = 1.0,
) -> FloatArray:
    """The shift of a normal feature, in standard deviations, that has the same debiased JS.

    current, reference: rows per cell, shape (..., K), padding of zeros does not matter;
    statistic: Pearson's X² of the table of both, expected: its mean E if nothing but sampling is at
    work, phi: by how much the reference's own windows exceed that mean, each of shape (...).

    0..`EFFECT_MAX`: 0 where sampling (or phi) explains all of it, NaN where n = 0 or m = 0. See
    `debiased_js` and `sigmas_of_js`. 0.05, 0.1, 0.2 and 0.5 are a js_distance of 0.021, 0.042,
    0.085 and 0.21. On 20 quantile bins with four tail cells it reads 0.4 % low up to 1.5, 2 % at 4
    (bins blur), which is left as it is.

    >>> reference, current = np.array([[159, 341, 341, 159]]), np.array([[67, 242, 382, 309]])
    >>> print(effect(current, reference, statistic=[104.66], expected=[3.0]).round(2))
    [0.46]
    """
    return sigmas_of_js(
        debiased_js(current, reference, statistic=statistic, expected=expected, phi=phi)
    )


def debiased_js(
    current: IntArray,
    reference: IntArray,
    *,
    statistic: npt.ArrayLike,
    expected: npt.ArrayLike,
    phi: npt.ArrayLike = 1.0,
) -> FloatArray:
    """JS without what sampling adds to it: max(0, min(J (1 - phi E/X²), J - b)), in nats.

    Arguments and shapes as those of `effect`. With P = L/n, Q = M/m and A = (P + Q)/2 over all
    cells, J is JS with weights of 1/2 and b is its bias to first order,
    [(kP - 1) - 1/2 sum P(1-P)/A]/(4n) + [(kQ - 1) - 1/2 sum Q(1-Q)/A]/(4m), kP and kQ the cells
    with rows: with P = Q it is the noise floor (k-1)/(8 nt). The other term takes off the share of
    X² that phi times its mean explains, of the given X² or of that over all cells, whichever leaves
    more: merged cells hide a value that the reference never had beside one that it has. 0 where all
    rows are in one cell, NaN where n = 0 or m = 0. Source: the delta method, as Miller, Note on the
    Bias of Information Estimates (1955).
    """
    n = current.sum(axis=-1, keepdims=True)
    m = reference.sum(axis=-1, keepdims=True)
    usable = (n > 0) & (m > 0)
    n, m = np.where(usable, n, np.nan), np.where(usable, m, np.nan)
    p, q = current / n, reference / m
    js = js_of_probabilities(p, q)
    merged = _share_of(np.asarray(expected), np.asarray(statistic, dtype=np.float64))
    explained = np.asarray(phi) * np.minimum(merged, _chance_share(current, reference))
    remains = js * (1 - np.minimum(explained, 1.0))
    unbiased = js - _bias(p, q, n[..., 0], m[..., 0])
    return np.asarray(np.maximum(np.minimum(remains, unbiased), 0.0))


def wobble(
    *, expected: npt.ArrayLike, phi: npt.ArrayLike, effective_rows: npt.ArrayLike
) -> FloatArray:
    """How far the reference's own windows usually are from it beyond sampling, as an effect.

    They have X² = phi E on average, of which (phi - 1) E is no sampling: a JS of (phi - 1) E/8nt,
    brought to sigmas by `sigmas_of_js`. A drift that is no larger cannot be told from it. All of
    one shape; 0 where phi is 1, NaN where nt is.

    >>> print(wobble(expected=23.0, phi=[1.0, 1.6], effective_rows=580.0).round(3))
    [0.    0.154]
    """
    beyond = (np.asarray(phi) - 1.0) * np.asarray(expected) / (8 * np.asarray(effective_rows))
    return sigmas_of_js(np.minimum(beyond, LN_2))


def _chance_share(current: IntArray, reference: IntArray) -> FloatArray:
    """E/X² over all cells, by the same formulas as `stats.omnibus`; 1 where X² = 0."""
    both = (current + reference).astype(np.float64)
    total = both.sum(axis=-1)
    n, m = current.sum(axis=-1), reference.sum(axis=-1)
    off = current - both * np.where(total > 0, n / np.maximum(total, 1), 0.0)[..., np.newaxis]
    spread = (np.square(off) / np.where(both > 0, both, 1.0)).sum(axis=-1)
    x2 = np.square(total) / np.maximum(n * m, 1) * spread
    expected = total * ((both > 0).sum(axis=-1) - 1) / np.maximum(total - 1, 1)
    return _share_of(expected, x2)


def _share_of(expected: FloatArray, x2: FloatArray) -> FloatArray:
    return np.asarray(np.where(x2 > 0, expected / np.where(x2 > 0, x2, 1.0), 1.0))


def _bias(p: FloatArray, q: FloatArray, n: FloatArray, m: FloatArray) -> FloatArray:
    twice_mixture = p + q
    twice_mixture[twice_mixture == 0] = 1.0
    of_current = (p > 0).sum(axis=-1) - 1 - (p * (1 - p) / twice_mixture).sum(axis=-1)
    of_reference = (q > 0).sum(axis=-1) - 1 - (q * (1 - q) / twice_mixture).sum(axis=-1)
    return np.asarray(of_current / (4 * n) + of_reference / (4 * m))


def sigmas_of_js(js: npt.ArrayLike) -> FloatArray:
    """The d with JS(N(0,1), N(d,1)) = js (nats, weights of 1/2), of the shape of js.

    0 for 0, rising, `EFFECT_MAX` from JS(N(0,1), N(8,1)) to ln 2; NaN for NaN. sqrt(8 js) is its
    limit for small ones and reads low above: 0.94 for 1, 1.64 for 2. Read off a table whose error
    is below 0.00001.

    >>> print(sigmas_of_js([0.0, 0.0012484, 0.0303113, 0.6931]).round(3))
    [0.  0.1 0.5 8. ]
    """
    distances, sigmas = _table()
    return np.asarray(np.interp(np.sqrt(np.asarray(js, dtype=np.float64)), distances, sigmas))


def js_of_sigmas(sigmas: npt.ArrayLike) -> FloatArray:
    """JS(N(0,1), N(d,1)) in nats with weights of 1/2, by quadrature, of the shape of sigmas.

    By symmetry it is KL(N(0,1) || A) = ln 2 - E ln(1 + exp(d x - d²/2)), x standard normal. The
    trapezium rule of an analytic function that vanishes at both ends errs by less than 1e-15.

    >>> print(js_of_sigmas([0.0, 0.5, 1.0]).round(6))
    [0.       0.030311 0.111421]
    """
    d = np.asarray(sigmas, dtype=np.float64)[..., np.newaxis]
    x, step = np.linspace(-9.0, 9.0, 901, retstep=True)
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    mean = (np.logaddexp(0.0, d * x - d * d / 2) * density).sum(axis=-1) * step
    return np.asarray(np.clip(LN_2 - mean, 0.0, LN_2))


@cache
def _table() -> tuple[FloatArray, FloatArray]:
    """sqrt(JS), ascending, and its shift: nearly a straight line near 0, where JS is a parabola."""
    sigmas = np.linspace(0.0, EFFECT_MAX, _STEPS + 1)
    return np.sqrt(js_of_sigmas(sigmas)), sigmas
