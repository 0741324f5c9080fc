"""Many features, one window: which of them to believe (Benjamini and Hochberg)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftwatch.stats.counts import FloatArray


@dataclass(frozen=True, slots=True)
class Discoveries:
    """What is believed of F features, each of shape (F,).

    found: whether the feature is a discovery; adjusted_p: the smallest q at which it is one, p..1,
    NaN where p is.
    """

    found: npt.NDArray[np.bool_]
    adjusted_p: FloatArray


def discoveries(p: npt.ArrayLike, *, q: float) -> Discoveries:
    """The step-up rule: among what it finds, at most a share q is false on average.

    p: shape (F,), NaN where a feature was not judged, which then counts for nothing. Of the J
    judged ones, sorted, the first r are found, r being the last with p_(r) <= q r / J; adjusted_p
    is min over s >= r of p_(s) J / s, at most 1. Holds for independent p and for those that rise
    together. ValueError for q outside (0, 1) or p outside 0..1. Source: Benjamini and Hochberg,
    Controlling the False Discovery Rate, J. R. Stat. Soc. B 57 (1995).

    >>> believed = discoveries([0.001, np.nan, 0.04, 0.02], q=0.05)
    >>> believed.found.tolist(), believed.adjusted_p.round(3).tolist()
    ([True, False, True, True], [0.003, nan, 0.04, 0.03])
    """
    values = np.asarray(p, dtype=np.float64)
    if not 0 < q < 1:
        raise ValueError(f"q lies in (0, 1), not {q}")
    if values.ndim != 1:
        raise ValueError(f"p has shape (F,), not {values.shape}")
    if np.any((values < 0) | (values > 1)):
        raise ValueError("a p lies in 0..1")
    adjusted = np.full(values.shape, np.nan)
    judged = np.flatnonzero(~np.isnan(values))
    order = judged[np.argsort(values[judged], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    stepped = values[order] * (order.size / ranks)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return Discoveries(found=adjusted <= q, adjusted_p=adjusted)
