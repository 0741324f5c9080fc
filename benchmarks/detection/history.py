"""A reference of hours, calibrated as the daemon does it, and what comes after it.

Features are normal; a regime says how mean, spread and missing rows of each hour go.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from scipy import special

from benchmarks.detection.axis import numeric_axis
from benchmarks.detection.verdict import Measured, evidence
from driftwatch.alert.policy import AlertPolicy, AlertState, Severity
from driftwatch.alert.state import AlertStatus, Observation, advance
from driftwatch.evaluate.phase import phase
from driftwatch.stats.calibration import Calibration, calibrate, no_calibration
from driftwatch.stats.carry import carried
from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.null import Null
from driftwatch.stats.season import SeasonKey
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Verdict

START = datetime(2026, 1, 5, tzinfo=UTC)
"""Hour 0, a Monday's first."""
_FITTED_ROWS = 100_000
_SEVERITY = {Verdict.WARNING: Severity.WARNING, Verdict.CRITICAL: Severity.CRITICAL}


@dataclass(frozen=True, slots=True)
class Course:
    """Mean, standard deviation and share of missing rows of each hour, shape (hours, features)."""

    mean: FloatArray
    sigma: FloatArray
    missing: FloatArray

    def between(self, first: int, last: int) -> "Course":
        some = slice(first, last)
        return Course(self.mean[some], self.sigma[some], self.missing[some])

    def moved(self, by: npt.ArrayLike) -> "Course":
        return Course(self.mean + np.asarray(by), self.sigma, self.missing)


Regime = Callable[[int, int, np.random.Generator], Course]
"""Of so many hours and features."""


def fitted(course: Course, random: np.random.Generator) -> FloatArray:
    """The edges of each feature's axis, by rows of all hours, shape (features, edges)."""
    found = []
    for mean, sigma in zip(course.mean.T, course.sigma.T, strict=True):
        hour = random.integers(0, mean.size, _FITTED_ROWS)
        values = np.sort(mean[hour] + sigma[hour] * random.normal(size=_FITTED_ROWS))
        found.append(numeric_axis(values, np.ones(values.size, np.int64)).edges)
    return np.array(found)


def counts(course: Course, edges: FloatArray, rows: int, random: np.random.Generator) -> IntArray:
    """Rows per cell of each hour, shape (hours, features, edges + 2); the last cell is missing."""
    below = special.ndtr((edges - course.mean[..., np.newaxis]) / course.sigma[..., np.newaxis])
    limits = np.pad(below, [(0, 0), (0, 0), (1, 1)])
    limits[..., -1] = 1.0
    present = np.diff(limits) * (1 - course.missing[..., np.newaxis])
    return random.multinomial(
        rows, np.concatenate([present, course.missing[..., np.newaxis]], axis=-1)
    )


def in_windows(hourly: IntArray, hours: int) -> IntArray:
    """Counts of whole windows of so many hours, shape (windows, features, cells)."""
    windows = len(hourly) // hours
    return np.asarray(hourly[: windows * hours].reshape(windows, hours, *hourly.shape[1:]).sum(1))


def phases(starts: Sequence[int]) -> Mapping[SeasonKey, IntArray]:
    """Where windows that start at these hours lie in each season, in UTC."""
    moments = [START + timedelta(hours=int(hour)) for hour in starts]
    return {key: np.array([phase(key, one, "UTC") for one in moments]) for key in SeasonKey}


@dataclass(frozen=True, slots=True)
class Past:
    """The reference in windows of one length, shape (windows, features, cells), from hour 0 on."""

    hours: int
    windows: IntArray
    calibration: Calibration

    def compared_with(self, starts: Sequence[int]) -> IntArray:
        """The reference of each window that starts then: the same phase of it, under each
        feature's season; shape (windows, features, cells)."""
        own, now = phases(range(0, len(self.windows) * self.hours, self.hours)), phases(starts)
        found = np.empty((len(starts), *self.windows.shape[1:]), np.int64)
        for key in set(self.calibration.season):
            of_key = np.array([season is key for season in self.calibration.season])
            for one in np.unique(now[key]):
                total = self.windows[own[key] == one].sum(axis=0)
                found[np.ix_(now[key] == one, of_key)] = total[of_key]
        return found

    def tested(self, current: IntArray, starts: Sequence[int]) -> Measured:
        """p and effect of windows that start then, shape (windows, features)."""
        shape = current.shape[:2]
        kept = self.compared_with(starts)
        null = self.calibration.null
        every = Null(*(np.tile(getattr(null, name), shape[0]) for name in Null.__slots__))
        width = current.shape[2]
        found = evidence(
            current.reshape(-1, width),
            kept.reshape(-1, width),
            ordered=True,
            null=every,
            usual_rows=np.tile(self.calibration.effective_rows, shape[0]),
        )
        return Measured(found.p.reshape(shape), found.effect.reshape(shape))


def pasts(hourly: IntArray, lengths: Sequence[int]) -> Mapping[int, Past]:
    """By length in hours, the shortest first: longer ones with few windows carry its calibration,
    as in `evaluate.calibrate`."""
    found: dict[int, Past] = {}
    rows = float(hourly.sum(axis=(0, 2)).max())
    shorter: Calibration | None = None
    for hours in lengths:
        windows = in_windows(hourly, hours)
        features = windows.shape[1]
        own = no_calibration(features)
        if len(windows) > 1:
            ordered = np.ones(features, np.bool_)
            starts = range(0, len(windows) * hours, hours)
            own = calibrate(windows, ordered=ordered, phases=phases(starts))
        if shorter is None:
            shorter = own
        else:
            share = hours / len(hourly)
            own = carried(own, shorter, current_rows=rows * share, reference_rows=rows)
        found[hours] = Past(hours, windows, own)
    return found


def alarms(judged: Sequence[Judgement], starts: Sequence[int], hours: int) -> npt.NDArray[np.bool_]:
    """After which windows the alert of one feature fires, by the policy that is shipped."""
    status, policy = AlertStatus(), AlertPolicy()
    firing = []
    for one, start in zip(judged, starts, strict=True):
        begun = START + timedelta(hours=int(start))
        observation = Observation(
            begun, begun + timedelta(hours=hours), _SEVERITY.get(one.verdict),
            above_clear=one.above_clear, judged=True, plain=one.plain,
        )  # fmt: skip
        status = advance(status, observation, policy)
        firing.append(status.state is AlertState.FIRING)
    return np.array(firing, np.bool_)
