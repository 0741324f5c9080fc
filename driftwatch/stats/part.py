"""How much of a change a simple account of it explains.

The change is measured by the triangular discrimination D(P, Q) = sum (P - Q)²/A, A = (P + Q)/2, of
probabilities P and Q: 0..4, about 8 times JS for small changes, and finite where a cell is empty.
It is a sum of squares under the weights A, so that an account with few parameters explains a part
of it as a regression explains a part of a variance: merging cells loses what was among them, and a
score on cells explains the square of its correlation with (P - Q)/A.
Source: F. Topsøe, Some inequalities for information divergence and related measures of
discrimination, IEEE Trans. Information Theory 46 (2000).
"""

import numpy as np

from driftwatch.stats.counts import FloatArray, IntArray


def discrimination(p: FloatArray, q: FloatArray) -> float:
    """D(P, Q) of two distributions over K cells, shape (K,): 0..4, symmetric.

    >>> discrimination(np.array([0.5, 0.5]), np.array([1.0, 0.0])).__round__(6)
    1.333333
    """
    middle = (p + q) / 2
    held = middle > 0
    return float(np.sum(np.square(p - q)[held] / middle[held]))


def among(p: FloatArray, q: FloatArray, groups: IntArray) -> float:
    """D of the groups' sums: what is explained if within each group nothing but its size changed.

    groups: the number of each cell's group, 0.., shape (K,).

    >>> p, q = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.4, 0.4])
    >>> bool(np.isclose(among(p, q, np.array([0, 1, 1])), discrimination(p, q)))
    True
    """
    now, before = (np.bincount(groups, side).astype(np.float64) for side in (p, q))
    return discrimination(now, before)


def one_cell(p: FloatArray, q: FloatArray) -> FloatArray:
    """For each cell, D of that cell against all others together: (p - q)²/(a (1 - a)), shape (K,).

    0 for a cell that holds nothing or all on both sides.

    >>> print(one_cell(np.array([0.5, 0.5]), np.array([1.0, 0.0])).round(6))
    [1.333333 1.333333]
    """
    middle = (p + q) / 2
    weight = middle * (1 - middle)
    return np.divide(np.square(p - q), weight, out=np.zeros_like(p), where=weight > 1e-15)


def rank_parts(p: FloatArray, q: FloatArray) -> tuple[float, float]:
    """What location and spread explain of D, by scores on mid-ranks of ordered cells.

    With u_i the share of A below cell i and half of its own: location has the score u, spread u²
    made orthogonal to u and to the constant under the weights A (Mood's and Wilcoxon's scores).
    (0, 0) where fewer cells are held than a score needs.

    >>> p, q = np.array([0.0, 0.5, 0.5]), np.array([0.5, 0.5, 0.0])
    >>> location, spread = rank_parts(p, q)
    >>> round(location, 6), round(spread, 6), discrimination(p, q)
    (2.0, 0.0, 2.0)
    """
    weight = (p + q) / 2
    held = weight > 0
    weight, moved = weight[held], (p - q)[held]
    rank = np.cumsum(weight) - weight / 2
    basis: list[FloatArray] = [np.ones_like(rank)]
    parts = []
    for score in (rank, np.square(rank)):
        left = score
        for earlier in basis:
            left = left - earlier * np.sum(weight * left * earlier)
        size = float(np.sum(weight * np.square(left)))
        if size < 1e-12:
            parts.append(0.0)
            continue
        basis.append(left / np.sqrt(size))
        parts.append(float(np.sum(moved * basis[-1])) ** 2)
    return parts[0], parts[1]


def without_noise(part: float, parameters: int, noise: float) -> float:
    """A part of D less what sampling alone gives it: 1/n + 1/m for each parameter; at least 0.

    >>> without_noise(0.05, 2, 0.01).__round__(6)
    0.03
    """
    return max(part - parameters * noise, 0.0)
