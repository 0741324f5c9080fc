"""What the benchmark judges by is what the daemon judges by."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from benchmarks.detection import many
from benchmarks.detection.history import START, Course, Past, alarms, counts, in_windows, pasts
from benchmarks.detection.regimes import REGIMES
from benchmarks.detection.verdict import Measured, adjusted, evidence, flagged, judgements
from driftwatch.config.settings import FeatureSettings
from driftwatch.evaluate import tested as daemon
from driftwatch.evaluate.calibrate import OfLength
from driftwatch.evaluate.rows import Case
from driftwatch.stats.calibration import calibrate
from driftwatch.stats.season import SeasonKey
from driftwatch.verdict.policy import Verdict

FEATURES = 12


def test_p_effect_and_discoveries_are_the_daemons_own() -> None:
    """Calibrated features, half of them drifted, through `evaluate.tested`."""
    random = np.random.default_rng(1)
    shares = np.append(np.full(10, 0.099), 0.01)
    hours = random.multinomial(400, shares, size=(60, FEATURES))
    moved = shares + np.append(np.linspace(-0.03, 0.03, 10), 0.0)
    current = np.concatenate(
        [
            random.multinomial(400, shares, size=FEATURES // 2),
            random.multinomial(400, moved, size=FEATURES // 2),
        ]
    )
    ordered = np.ones(FEATURES, np.bool_)
    phases = {SeasonKey.NONE: np.zeros(60, np.int64)}
    calibration = calibrate(hours, ordered=ordered, phases=phases)
    reference = hours.sum(axis=0)
    found = evidence(
        current, reference, ordered=True,
        null=calibration.null, usual_rows=calibration.effective_rows,
    )  # fmt: skip
    names = [f"x{number}" for number in range(FEATURES)]
    cases = [
        SimpleNamespace(
            feature=FeatureSettings(name),
            current=rows,
            reference=before,
            compared=SimpleNamespace(in_phase=False),
        )
        for name, rows, before in zip(names, current, reference, strict=True)
    ]
    alone = daemon.tested(
        daemon.Counts(current, reference, np.full(FEATURES, 11), ordered),
        cast("list[Case]", cases),
        OfLength({name: (calibration, at) for at, name in enumerate(names)}),
        lengths=1,
    )
    daemons = daemon.seen_together(cast("list[Case]", cases), alone, min_rows=100)
    assert found.p.tolist() == [one.p_value for one in daemons]
    assert found.effect.tolist() == [one.effect for one in daemons]
    together = adjusted(found.p[np.newaxis])[0]
    assert together.tolist() == [one.adjusted_p for one in daemons]
    assert 0 < flagged(found, adjusted_p=together).sum() <= FEATURES // 2


def test_a_flag_needs_all_three() -> None:
    """p, the effect, and that it is a discovery among the features of the window."""
    tests = Measured(np.array([1e-4, 1e-4, 0.005, 1e-8]), np.array([0.1, 0.04, 0.1, 0.3]))
    assert flagged(tests).tolist() == [True, False, False, True]
    assert flagged(tests, alpha=0.01).tolist() == [True, False, True, True]
    barred = np.array([0.02, 0.02, 0.02, 1e-7])
    assert flagged(tests, adjusted_p=barred).tolist() == [False, False, False, True]
    found = judgements(tests)
    assert [one.plain for one in found] == [False, False, False, True]
    assert [one.above_clear for one in found] == [True, True, True, True]
    assert found[3].verdict is Verdict.CRITICAL


def test_four_lengths_share_alpha() -> None:
    tests = Measured(np.array([0.0004, 0.0002]), np.array([0.1, 0.1]))
    verdicts = [one.verdict for one in judgements(tests, lengths=4)]
    assert verdicts == [Verdict.OK, Verdict.WARNING]


def test_alarms_are_two_of_three_or_one_that_is_plain() -> None:
    def after(*p: float) -> list[bool]:
        judged = judgements(Measured(np.array(p), np.full(len(p), 0.1)))
        return [bool(one) for one in alarms(judged, range(len(p)), 1)]

    assert after(1e-4, 0.5, 1e-4, 0.5) == [False, False, True, False]
    assert after(1e-4, 0.5, 0.5, 1e-4) == [False] * 4
    assert after(1e-7, 0.5) == [True, False]


def flat(hours: int, features: int) -> Course:
    return REGIMES["none"](hours, features, np.random.default_rng(0))


def past_of(course: Course, lengths: list[int]) -> dict[int, Past]:
    random = np.random.default_rng(3)
    edges = np.tile(np.linspace(-2, 2, 9), (course.mean.shape[1], 1))
    return dict(pasts(counts(course, edges, 300, random), lengths))


def test_a_season_is_compared_with_its_own_phase() -> None:
    course = REGIMES["daily, half a sigma"](4 * 168, 2, np.random.default_rng(0))
    past = past_of(course, [1])[1]
    assert set(past.calibration.season) == {SeasonKey.HOUR}
    kept = past.compared_with([24, 30, 100 * 24 + 6])
    assert kept.shape == (3, 2, 11)
    assert kept.sum(axis=2).tolist() == [[28 * 300] * 2] * 3
    assert kept[1].tolist() == kept[2].tolist() == past.windows[6::24].sum(axis=0).tolist()
    assert kept[0].tolist() != kept[1].tolist()


def test_long_windows_carry_the_calibration_of_short_ones() -> None:
    found = past_of(flat(4 * 168, 2), [1, 168])
    assert found[168].windows.shape == (4, 2, 11)
    assert found[168].calibration.null.windows.tolist() == [4 * 168] * 2
    assert found[168].calibration.current_rows.tolist() == [168 * 300] * 2
    assert (found[168].compared_with([4 * 168]) == found[1].windows.sum(axis=0)).all()


def test_windows_are_whole_and_in_order() -> None:
    hourly = np.arange(7)[:, np.newaxis, np.newaxis] * np.ones((1, 1, 2), np.int64)
    assert in_windows(hourly, 3)[:, 0, 0].tolist() == [0 + 1 + 2, 3 + 4 + 5]
    assert START.weekday() == 0


@pytest.mark.parametrize("regime", REGIMES)
def test_a_regime_has_a_course_for_every_hour(regime: str) -> None:
    course = REGIMES[regime](200, 3, np.random.default_rng(0))
    assert course.mean.shape == course.sigma.shape == course.missing.shape == (200, 3)
    assert (course.sigma > 0).all()
    assert ((course.missing > 0) & (course.missing < 0.1)).all()


def test_false_discoveries_are_a_share_of_what_is_flagged() -> None:
    """Two windows: one with five right ones and one false one, one with nothing flagged."""
    still, moved = np.zeros((2, 50)), np.zeros((2, 50))
    still[0, 7], moved[0, :6] = 1, 1
    found = many.added(many.Found(0, 0, 0.0, 0), still, moved)
    assert found == many.Found(windows=2, alarmed=1, discoveries=1 / 6, caught=5)
    assert found.false_share == pytest.approx(1 / 12)
