"""Thresholds refuse limits that could not mean anything."""

import pytest

from driftwatch.verdict.policy import (
    CalibratedThreshold,
    FixedThreshold,
    Measure,
    Verdict,
    VolumeThreshold,
)


@pytest.mark.parametrize(
    ("warning", "critical", "clear", "message"),
    [
        (None, None, 0.1, "a warning or a critical"),
        (0.3, 0.2, 0.1, "must not exceed critical"),
        (0.1, 0.2, 0.15, "clear"),
        (None, 0.2, 0.25, "clear"),
        (0.0, 0.2, 0.1, "positive"),
        (0.1, 0.2, 0.0, "positive"),
    ],
)
def test_limits_of_a_divergence(
    warning: float | None, critical: float | None, clear: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FixedThreshold(warning=warning, critical=critical, clear=clear)
    with pytest.raises(ValueError, match=message):
        CalibratedThreshold(warning=warning, critical=critical, clear=clear)


def test_what_is_calibrated_and_what_is_fixed() -> None:
    with pytest.raises(ValueError, match="calibrated"):
        FixedThreshold(Measure.EFFECT)
    for alpha in (0.0, 0.06):
        with pytest.raises(ValueError, match="alpha lies in"):
            CalibratedThreshold(alpha=alpha)


@pytest.mark.parametrize(
    ("warning", "critical", "clear", "message"),
    [
        (None, None, 1.5, "a warning or a critical"),
        (4.0, 2.0, 1.5, "order"),
        (2.0, 4.0, 2.5, "order"),
        (0.5, 4.0, 1.5, "above 1"),
        (2.0, 4.0, 1.0, "above 1"),
    ],
)
def test_factors_of_volume(
    warning: float | None, critical: float | None, clear: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        VolumeThreshold(warning=warning, critical=critical, clear=clear)


def test_limits_may_be_equal() -> None:
    assert FixedThreshold(warning=0.2, critical=0.2, clear=0.2).clear == 0.2
    assert VolumeThreshold(warning=2, critical=2, clear=2).clear == 2


def test_grey_is_not_green() -> None:
    judged = [verdict.value for verdict in Verdict if verdict.judged]
    assert judged == ["ok", "warning", "critical"]
