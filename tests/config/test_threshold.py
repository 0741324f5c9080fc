"""Limits of divergences and of volume."""

import pytest

from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold, Measure, VolumeThreshold
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
        ("thresholds: 0.1", "thresholds: must be a mapping, such as {effect: {warning: 0.05"),
        ("thresholds: ", "thresholds: has no value; write a mapping, such as {effect"),
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
        (
            "thresholds: {warning: 1}",
            "thresholds.warning: unknown measure; known here: effect, hellinger",
        ),
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
        (
            "thresholds: {effect: {critical: 9}}",
            "thresholds.effect.critical: is never reached: effect is at most 8; write",
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


def test_limits_of_the_effect_are_calibrated_at_alpha(load: Load) -> None:
    """The monitor's, unless the column has one of its own."""
    lines = ("alpha: 0.01", "thresholds: {effect: {warning: 0.1}}")
    text = monitor(*lines, columns="features: {b: {}, c: {alpha: 0.001}}")
    (found,) = load(text).monitors

    own = {one.name: one.threshold for one in found.features}
    assert own["b"] == CalibratedThreshold(0.1, None, clear=0.08, alpha=0.01)
    assert own["c"] == CalibratedThreshold(0.1, None, clear=0.08, alpha=0.001)


def test_nothing_written_is_calibrated(load: Load) -> None:
    (found,) = load(monitor("min_rows: 50")).monitors

    assert {one.threshold for one in found.features} == {CalibratedThreshold()}


def test_an_alpha_alone_is_of_the_usual_limits(load: Load) -> None:
    (found,) = load(monitor("alpha: 0.01")).monitors

    assert {one.threshold for one in found.features} == {CalibratedThreshold(alpha=0.01)}


def test_who_is_woken_is_the_monitors_or_the_columns_own(load: Load) -> None:
    text = monitor("severity: warning", columns="features: {a: {}, b: {severity: by_limit}}")
    (found,) = load(text).monitors

    assert [one.severity.value for one in found.features] == ["warning", "by_limit"]


def test_an_unknown_severity_is_told_with_a_suggestion(tell: Tell) -> None:
    said = tell(monitor("severity: by_harmm"))
    (told,) = said
    assert told.endswith("severity: 'by_harmm' is unknown; did you mean 'by_harm'?")


OWN = "features: {a: {alpha: 0.01, threshold: {psi: {warning: 0.1}}}}"
HIGH = "features: {a: {threshold: {effect: {warning: 0.3, critical: 0.2}}}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (monitor("alpha: 0"), "alpha: must be above 0"),
        (monitor("alpha: 0.2"), "alpha: must be at most 0.05"),
        (monitor(columns=OWN), "features.a.alpha: psi is a fixed threshold, which knows no alpha"),
        (monitor(columns=HIGH), "features.a.threshold.effect: warning (0.3) must not exceed"),
    ],
)
def test_an_alpha_that_does_not_fit(tell: Tell, text: str, told: str) -> None:
    (found,) = tell(text)

    assert f"monitors[0].{told}" in found
