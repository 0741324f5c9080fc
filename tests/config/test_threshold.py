"""Limits of divergences and of volume."""

import pytest

from driftwatch.verdict.policy import FixedThreshold, Measure, VolumeThreshold
from tests.config.conftest import Load, Tell, monitor


@pytest.mark.parametrize(
    ("written", "threshold"),
    [
        ("{psi: {warning: 0.1, critical: 0.25}}", (Measure.PSI, 0.1, 0.25, 0.08)),
        ("{kl: {critical: 3}}", (Measure.KL, None, 3.0, 2.4)),
        ("{ks: {warning: 0.1, clear: 0.01}}", (Measure.KS, 0.1, None, 0.01)),
        ("{js: {warning: 0.1, critical: 0.1}}", (Measure.JS, 0.1, 0.1, 0.08)),
    ],
)
def test_limits_of_a_divergence(
    load: Load, written: str, threshold: tuple[Measure, float | None, float | None, float]
) -> None:
    (found,) = load(monitor(f"thresholds: {written}")).monitors

    assert found.features[0].threshold == FixedThreshold(*threshold)


@pytest.mark.parametrize("measure", list(Measure))
def test_every_measure_may_be_limited(load: Load, measure: Measure) -> None:
    (found,) = load(monitor(f"thresholds: {{{measure}: {{warning: 0.1}}}}")).monitors

    assert found.features[0].threshold.measure is measure


def test_limits_of_volume(load: Load) -> None:
    (found,) = load(monitor("volume: {warning: 1.5, critical: 10}")).monitors

    assert found.volume == VolumeThreshold(1.5, 10, 1.4)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("thresholds: 0.1", "thresholds: must be a mapping, such as {js_distance: {warning: 0.1"),
        ("thresholds: ", "thresholds: has no value; write a mapping, such as {js_distance"),
        ("thresholds: {}", "thresholds: one measure at a time decides a verdict; keep one of js,"),
        (
            "thresholds: {js: {warning: 0.1}, psi: {warning: 0.1}}",
            "thresholds: one measure at a time decides a verdict; keep js or psi",
        ),
        (
            "thresholds: {jsd: {}}",
            "thresholds.jsd: unknown measure; did you mean 'js' or 'js_distance'?",
        ),
        ("thresholds: {tv: {}}", "thresholds.tv: unknown measure; did you mean 'total_variation'?"),
        ("thresholds: {kld: {}}", "thresholds.kld: unknown measure; did you mean 'kl'?"),
        ("thresholds: {warning: 1}", "thresholds.warning: unknown measure; known here: hellinger"),
        ("thresholds: {js: 0.1}", "thresholds.js: must be a mapping of keys, not a number"),
        ("thresholds: {js: }", "thresholds.js: has no value; write a mapping of keys"),
        ("thresholds: {js: {}}", "thresholds.js: a threshold needs a warning or a critical limit"),
        (
            "thresholds: {kl: {warning: 0.3, critical: 0.2}}",
            "thresholds.kl: warning (0.3) must not exceed critical (0.2); write them like",
        ),
        (
            "thresholds: {kl: {warning: 0.3, clear: 0.4}}",
            "thresholds.kl: clear (0.4) must not exceed the lowest limit (0.3); write them like",
        ),
        ("thresholds: {kl: {warning: 0}}", "thresholds.kl.warning: must be above 0"),
        ("thresholds: {kl: {clear: -1}}", "thresholds.kl.clear: must be above 0"),
        ("thresholds: {kl: {warning: .nan}}", "thresholds.kl.warning: must be a finite number"),
        ("thresholds: {kl: {warning: high}}", "thresholds.kl.warning: must be a number, not text"),
        ("thresholds: {kl: {warn: 1}}", "thresholds.kl.warn: unknown key; did you mean 'warning'?"),
        ("thresholds: {js: {warning: 0.7}}", "thresholds.js.warning: is never reached: js is at"),
        (
            "thresholds: {js_distance: {warning: 0.1, critical: 1.2}}",
            "thresholds.js_distance.critical: is never reached: js_distance is at most 1; write",
        ),
        ("volume: 2", "volume: must be a mapping of keys, not a number"),
        ("volume: {}", "volume: a threshold needs a warning or a critical limit; write them like"),
        ("volume: {warning: 1}", "volume: factors of volume are above 1; write them like"),
        ("volume: {warning: 4, critical: 2}", "volume: the order must be clear <= warning <="),
        ("alert: {k: 4}", "alert: k (4) must not exceed of (3); write it like {k: 2, of: 3}"),
        ("alert: {of: 1}", "alert: k (2) must not exceed of (1); write it like {k: 2, of: 3}"),
        ("alert: {k: 0}", "alert.k: must be at least 1"),
        ("alert: {of: 33}", "alert.of: must be at most 32"),
        ("alert: {m: 3}", "alert.m: unknown key; known here: k, of"),
        ("min_rows: 0", "min_rows: must be at least 1"),
        ("min_rows: 1.5", "min_rows: must be a whole number, not a number with a fraction"),
        ("name: delay", "name: written twice, first on line 3; keep one"),
    ],
)
def test_limits_that_do_not_fit(tell: Tell, line: str, told: str) -> None:
    (found,) = tell(monitor(line))

    assert found.startswith(f"8: monitors[0].{told}")
