"""Policies as the command line writes them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.alternative import Alternative, alternative, written
from driftwatch.config.settings import FeatureSettings, MonitorSettings
from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold, Measure, Policy
from tests.evaluate.log import Log
from tests.evaluate.world import monitor


def judged(text: str, *configured: Policy) -> list[Policy]:
    features = tuple(FeatureSettings(f"x{n}", threshold=one) for n, one in enumerate(configured))
    made = alternative(text).of(settings(features=features))
    return [one.threshold for one in made.features]


def settings(**changes: Any) -> MonitorSettings:
    return monitor(Log(f"sqlite:///{Path('unused.db')}"), **changes)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("configured", Alternative()),
        ("configured:1/1", Alternative(alert=AlertPolicy(1, 1))),
        ("calibrated", Alternative(Measure.EFFECT)),
        ("effect@0.0001", Alternative(Measure.EFFECT, alpha=0.0001)),
        ("effect:.1@1e-4:3/5", Alternative(Measure.EFFECT, 0.1, None, 1e-4, AlertPolicy(3, 5))),
        ("fixed:0.1,0.2", Alternative(Measure.JS_DISTANCE, 0.1, 0.2)),
        ("psi:,0.25", Alternative(Measure.PSI, None, 0.25)),
    ],
)
def test_a_policy_says_what_differs(text: str, meant: Alternative) -> None:
    assert alternative(text) == meant


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no policy; write MEASURE"),
        ("effect:", "is no policy"),
        ("effect:0.1;2/3", "is no policy"),
        ("efect:0.1", "no measure is named 'efect'; did you mean 'effect'"),
        ("drift:0.1", "there are: configured, calibrated, fixed, js,"),
        ("configured:0.1", "has limits and alpha of its own"),
        ("configured@0.1", "has limits and alpha of its own"),
        ("psi:0.1@0.01", "psi is a fixed threshold, which knows no alpha"),
        ("js_distance:1.2", "js_distance is at most 1"),
        ("effect:0.1,8.1", "effect is at most 8"),
        ("psi:1e400", "a limit is a finite number"),
        ("effect@0.2", "alpha lies in (0, 0.05], not 0.2"),
        ("effect@0", "alpha lies in (0, 0.05], not 0.0"),
        ("effect:0.3,0.1", "warning (0.3) must not exceed critical (0.1)"),
        ("effect:0", "limits are positive"),
        ("configured:3/2", "k of m needs 1 <= k <= m <= 32, not 3 of 2"),
    ],
)
def test_what_is_no_policy_is_told_with_its_remedy(text: str, told: str) -> None:
    with pytest.raises(ValueError) as found:  # noqa: PT011 - the text is looked at below
        alternative(text)
    assert told in str(found.value)


def test_what_is_not_written_stays_as_it_is_configured() -> None:
    own = CalibratedThreshold(0.3, 0.6, 0.2, alpha=0.01)
    fixed = FixedThreshold()
    assert judged("effect@0.0001", own, fixed) == [
        replace(own, alpha=0.0001),
        CalibratedThreshold(alpha=0.0001),
    ]
    assert judged("effect:0.5", own, fixed) == [
        CalibratedThreshold(0.5, None, 0.4, alpha=0.01),
        CalibratedThreshold(0.5, None, 0.4),
    ]
    assert judged("configured", own, fixed) == [own, fixed]
    assert alternative("fixed").of(settings(alert=AlertPolicy(1, 4))).alert == AlertPolicy(1, 4)
    assert alternative("fixed:2/2").of(settings()).alert == AlertPolicy(2, 2)


def test_a_measure_without_limits_is_one_that_is_configured() -> None:
    psi = FixedThreshold(Measure.PSI, 0.2, 0.4, 0.1)
    assert judged("psi", psi) == [psi]
    with pytest.raises(ValueError, match="psi has no usual limits; write them, like psi:0"):
        judged("psi", FixedThreshold())


@pytest.mark.parametrize(
    "policy",
    [
        CalibratedThreshold(),
        CalibratedThreshold(0.1, None, 0.08, alpha=1e-5),
        FixedThreshold(Measure.PSI, None, 0.25, 0.2),
    ],
)
def test_what_is_written_is_read_again(policy: Policy) -> None:
    assert judged(written(policy), FixedThreshold()) == [policy]
