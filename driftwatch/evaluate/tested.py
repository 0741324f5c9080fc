"""All features of one window, tested together: what is real, how far, and what could be found."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from driftwatch.evaluate.calibrate import OfLength
from driftwatch.evaluate.rows import Case, Tests
from driftwatch.stats.calibration import REFERENCE_RATIO, Shortcoming
from driftwatch.stats.combination import CATEGORICAL, NUMERIC
from driftwatch.stats.counts import IntArray
from driftwatch.stats.detectable import detectable_effect
from driftwatch.stats.discovery import discoveries
from driftwatch.stats.effect import effect, wobble
from driftwatch.stats.noise import effective_rows
from driftwatch.stats.significance import significance
from driftwatch.verdict.judge import DISCOVERY_RATE
from driftwatch.verdict.policy import CalibratedThreshold


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of F features on both sides; see `stats.divergence.divergences`."""

    current: IntArray
    reference: IntArray
    cells: IntArray
    ordered: npt.NDArray[np.bool_]


def tested(
    counts: Counts, cases: Sequence[Case], of_length: OfLength, *, lengths: int
) -> list[Tests]:
    """What the tests say of each case, in their order, before they are seen together.

    lengths: over how many window lengths alpha is shared.
    """
    n, m = counts.current.sum(axis=1), counts.reference.sum(axis=1)
    nt = effective_rows(current=n, reference=m)
    null = of_length.null([(case.feature.name, case.compared.in_phase) for case in cases], nt)
    found = significance(
        counts.current, counts.reference, ordered=counts.ordered, cells=counts.cells, null=null
    )
    whole = found.omnibus
    phi = null.at(whole.effective_rows)
    far = effect(
        counts.current, counts.reference,
        statistic=whole.statistic, expected=whole.expected, phi=phi,
    )  # fmt: skip
    usual = wobble(expected=whole.expected, phi=phi, effective_rows=whole.effective_rows)
    alpha = np.array([_alpha(case) for case in cases]) / lengths
    detectable = detectable_effect(
        current_rows=n,
        reference_rows=m,
        cells=whole.cells,
        omnibus_alpha=np.where(counts.ordered, NUMERIC.omnibus, CATEGORICAL.omnibus) * alpha,
        location_alpha=np.where(counts.ordered, NUMERIC.location, 0.0) * alpha,
        phi=phi,
        cv2=null.cv2,
        location_rms=null.location_rms,
    )
    return [
        Tests(
            p_value=float(found.p[i]),
            adjusted_p=math.nan,
            effect=float(far[i]),
            detectable_effect=float(detectable[i]),
            inflation=float(phi[i]),
            wobble=float(usual[i]),
            alpha=float(alpha[i]) if _is_calibrated(case) else math.nan,
            caveats=_caveats(case, of_length, short=bool(m[i] < REFERENCE_RATIO * n[i])),
            p_cells=found.p_cells[i],
        )
        for i, case in enumerate(cases)
    ]


def seen_together(cases: Sequence[Case], tests: Sequence[Tests], *, min_rows: int) -> list[Tests]:
    """The same with p adjusted for all of them; those of fewer than min_rows count for nothing."""
    p = [
        test.p_value if int(case.current.sum()) >= min_rows else math.nan
        for case, test in zip(cases, tests, strict=True)
    ]
    adjusted = discoveries(p, q=DISCOVERY_RATE).adjusted_p
    return [replace(test, adjusted_p=float(one)) for test, one in zip(tests, adjusted, strict=True)]


def _is_calibrated(case: Case) -> bool:
    return isinstance(case.feature.threshold, CalibratedThreshold)


def _alpha(case: Case) -> float:
    threshold = case.feature.threshold
    if isinstance(threshold, CalibratedThreshold):
        return threshold.alpha
    return CalibratedThreshold().alpha


def _caveats(case: Case, of_length: OfLength, *, short: bool) -> tuple[str, ...]:
    """Of the calibration and, windows or not, of the counts themselves. short: m is below 10 n."""
    if not _is_calibrated(case):
        return ()
    found = set(of_length.shortcomings(case.feature.name, case.compared.in_phase))
    if short:
        found.add(Shortcoming.SHORT_REFERENCE)
    if np.count_nonzero(case.reference) == 1:
        found.add(Shortcoming.CONSTANT)
    return tuple(sorted(found))
