"""Judgements: a table of cases for each policy, and what they promise for any input."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.divergence import Divergence, divergences
from driftwatch.stats.noise import noise
from driftwatch.verdict.judge import (
    Evidence,
    Judgement,
    judge,
    judge_calibrated,
    judge_fixed,
    judge_volume,
    measured,
)
from driftwatch.verdict.policy import (
    CalibratedThreshold,
    FixedThreshold,
    Measure,
    Reason,
    Verdict,
    VolumeThreshold,
)

NAMES = [field.name for field in fields(Divergence)]
NOTHING = Divergence(**dict.fromkeys(NAMES, math.nan))


def evidence(
    *,
    js: float = 0.01,
    js_distance: float = 0.12,
    js_guard: float = 0.001,
    rows: int = 1000,
    reference_rows: int = 10_000,
    min_rows: int = 100,
) -> Evidence:
    return Evidence(
        rows=rows,
        reference_rows=reference_rows,
        min_rows=min_rows,
        divergence=replace(NOTHING, js=js, js_distance=js_distance),
        js_guard=js_guard,
    )


THRESHOLD = FixedThreshold(warning=0.1, critical=0.2, clear=0.08)


class TestFixed:
    @pytest.mark.parametrize(
        ("js_distance", "js_guard", "verdict", "reason", "above_clear"),
        [
            (0.05, 0.001, Verdict.OK, Reason.WITHIN_THRESHOLD, False),
            (0.08, 0.001, Verdict.OK, Reason.WITHIN_THRESHOLD, True),
            (0.08, 0.01, Verdict.OK, Reason.WITHIN_THRESHOLD, False),
            (0.0999, 0.001, Verdict.OK, Reason.WITHIN_THRESHOLD, True),
            (0.1, 0.001, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (0.1999, 0.001, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (0.2, 0.001, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
            (0.2, 0.0099, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
            (0.2, 0.01, Verdict.OK, Reason.WITHIN_NOISE, False),
            (0.9, 0.02, Verdict.OK, Reason.WITHIN_NOISE, False),
        ],
    )
    def test_a_window_is_flagged_if_it_is_far_and_real(
        self,
        js_distance: float,
        js_guard: float,
        verdict: Verdict,
        reason: Reason,
        above_clear: bool,
    ) -> None:
        found = judge_fixed(THRESHOLD, evidence(js_distance=js_distance, js_guard=js_guard))
        assert found == Judgement(verdict, reason, js_distance, above_clear)

    @pytest.mark.parametrize(
        ("rows", "reference_rows", "verdict", "reason"),
        [
            (0, 10_000, Verdict.NO_DATA, Reason.EMPTY_WINDOW),
            (0, 0, Verdict.NO_DATA, Reason.EMPTY_WINDOW),
            (1, 10_000, Verdict.LEARNING, Reason.TOO_FEW_ROWS),
            (99, 10_000, Verdict.LEARNING, Reason.TOO_FEW_ROWS),
            (99, 0, Verdict.LEARNING, Reason.TOO_FEW_ROWS),
            (100, 0, Verdict.LEARNING, Reason.NO_REFERENCE),
        ],
    )
    def test_what_cannot_be_judged_says_so(
        self, rows: int, reference_rows: int, verdict: Verdict, reason: Reason
    ) -> None:
        seen = evidence(rows=rows, reference_rows=reference_rows, js_distance=0.9, js=0.5)
        found = judge_fixed(THRESHOLD, seen)
        assert found == Judgement(verdict, reason, 0.9, above_clear=False)

    def test_the_smallest_judged_window_has_min_rows(self) -> None:
        assert judge_fixed(THRESHOLD, evidence(rows=100)).verdict is Verdict.WARNING

    def test_a_limit_that_is_none_is_never_reached(self) -> None:
        far = evidence(js_distance=0.9)
        warning_alone = FixedThreshold(warning=0.1, critical=None, clear=0.05)
        assert judge_fixed(warning_alone, far).verdict is Verdict.WARNING
        critical_alone = FixedThreshold(warning=None, critical=0.1, clear=0.05)
        assert judge_fixed(critical_alone, far).verdict is Verdict.CRITICAL
        assert judge_fixed(critical_alone, evidence(js_distance=0.09)).verdict is Verdict.OK

    @pytest.mark.parametrize("measure", [one for one in Measure if one is not Measure.EFFECT])
    def test_every_measure_is_judged_by_its_own_value_and_the_one_guard(
        self, measure: Measure
    ) -> None:
        divergence = replace(Divergence(*[0.0] * len(NAMES)), **{measure.value: 0.15, "js": 0.15})
        threshold = replace(THRESHOLD, measure=measure)
        seen = replace(evidence(), divergence=divergence)
        assert measured(measure, divergence) == 0.15
        assert judge_fixed(threshold, seen).verdict is Verdict.WARNING
        guarded = judge_fixed(threshold, replace(seen, js_guard=0.15))
        assert (guarded.verdict, guarded.reason) == (Verdict.OK, Reason.WITHIN_NOISE)

    def test_ks_without_values_is_grey(self) -> None:
        """All rows of the window are missing: KS cannot see it, and must not call it good."""
        found = judge_fixed(replace(THRESHOLD, measure=Measure.KS), evidence())
        assert (found.verdict, found.reason) == (Verdict.NO_DATA, Reason.NO_ORDERED_VALUES)
        assert math.isnan(found.value)
        assert not found.above_clear

    def test_the_type_of_the_policy_chooses_the_function(self) -> None:
        assert judge(THRESHOLD, evidence()) == judge_fixed(THRESHOLD, evidence())

    def test_small_windows_without_drift_are_held_back_by_the_guard(self) -> None:
        """At 100 rows and 25 cells every window exceeds a JS distance of 0.1 by sampling alone.

        The guard's quantile is that of many rows; with 4 rows a cell 1 % exceed it, not 0.1 %.
        """
        random = np.random.default_rng(3)
        current = random.multinomial(100, np.full(25, 1 / 25), size=2_000)
        reference = np.broadcast_to(np.full(25, 4_000), current.shape)
        found, floor = divergences(current, reference), noise(current, reference)
        judgements = [
            judge_fixed(
                THRESHOLD, Evidence(100, 100_000, 100, found.at(row), float(floor.js_guard[row]))
            )
            for row in range(len(current))
        ]
        reasons = [judgement.reason for judgement in judgements]
        assert reasons.count(Reason.WITHIN_NOISE) > 1_950
        assert reasons.count(Reason.ABOVE_THRESHOLD) < 40

    def test_a_drift_far_above_the_noise_is_flagged_at_the_same_rows(self) -> None:
        current = np.array([[50, 20, 10, 10, 10]])
        reference = np.full((1, 5), 20_000)
        found, floor = divergences(current, reference), noise(current, reference)
        seen = Evidence(100, 100_000, 100, found.at(0), float(floor.js_guard[0]))
        assert judge_fixed(THRESHOLD, seen).verdict is Verdict.CRITICAL

    @given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
    def test_a_flagged_window_is_always_above_clear(
        self, js: float, js_distance: float, js_guard: float
    ) -> None:
        found = judge_fixed(THRESHOLD, evidence(js=js, js_distance=js_distance, js_guard=js_guard))
        flagged = found.verdict in (Verdict.WARNING, Verdict.CRITICAL)
        assert not flagged or found.above_clear
        assert flagged == (js_distance >= 0.1 and js > js_guard)


class TestVolume:
    WINDOWS = np.array([80, 100, 100, 100, 120])

    @pytest.mark.parametrize(
        ("rows", "verdict", "reason", "above_clear"),
        [
            (100, Verdict.OK, Reason.WITHIN_THRESHOLD, False),
            (179, Verdict.OK, Reason.WITHIN_THRESHOLD, False),
            (180, Verdict.OK, Reason.WITHIN_THRESHOLD, True),
            (199, Verdict.OK, Reason.WITHIN_THRESHOLD, True),
            (200, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (399, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (400, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
            (56, Verdict.OK, Reason.WITHIN_THRESHOLD, False),
            (51, Verdict.OK, Reason.WITHIN_THRESHOLD, True),
            (50, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (26, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True),
            (25, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
            (1, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True),
        ],
    )
    def test_a_factor_counts_both_ways(
        self, rows: int, verdict: Verdict, reason: Reason, above_clear: bool
    ) -> None:
        found = judge_volume(VolumeThreshold(), rows=rows, reference_window_rows=self.WINDOWS)
        assert found == Judgement(verdict, reason, rows / 100, above_clear)

    def test_what_the_reference_did_itself_is_never_flagged(self) -> None:
        windows = np.array([10, 100, 100, 100, 900])
        for rows in (10, 20, 500, 900):
            found = judge_volume(VolumeThreshold(), rows=rows, reference_window_rows=windows)
            assert (found.verdict, found.reason) == (Verdict.OK, Reason.WITHIN_NOISE)
            assert not found.above_clear
        for rows in (9, 901):
            found = judge_volume(VolumeThreshold(), rows=rows, reference_window_rows=windows)
            assert found.verdict is Verdict.CRITICAL

    def test_no_rows_are_no_data_even_where_the_reference_had_such_windows(self) -> None:
        windows = np.array([0, 0, 100, 100, 100])
        found = judge_volume(VolumeThreshold(), rows=0, reference_window_rows=windows)
        assert found == Judgement(Verdict.NO_DATA, Reason.EMPTY_WINDOW, 0.0, above_clear=False)

    @pytest.mark.parametrize("count", [0, 1, 4])
    def test_few_windows_of_the_reference_do_not_tell(self, count: int) -> None:
        windows = np.full(count, 100)
        found = judge_volume(VolumeThreshold(), rows=5000, reference_window_rows=windows)
        assert (found.verdict, found.reason) == (Verdict.LEARNING, Reason.FEW_REFERENCE_WINDOWS)
        assert math.isnan(found.value) == (count == 0)

    def test_rows_where_the_reference_mostly_had_none(self) -> None:
        windows = np.array([0, 0, 0, 0, 7])
        seen = judge_volume(VolumeThreshold(), rows=7, reference_window_rows=windows)
        assert (seen.verdict, seen.value) == (Verdict.OK, math.inf)
        more = judge_volume(VolumeThreshold(), rows=8, reference_window_rows=windows)
        assert (more.verdict, more.value) == (Verdict.CRITICAL, math.inf)

    def test_no_rows_against_no_rows_have_no_factor(self) -> None:
        found = judge_volume(
            VolumeThreshold(), rows=0, reference_window_rows=np.zeros(5, dtype=np.int64)
        )
        assert found.verdict is Verdict.NO_DATA
        assert math.isnan(found.value)

    @given(st.lists(st.integers(0, 1000), min_size=5, max_size=30), st.data())
    def test_no_window_of_the_reference_is_flagged_by_its_own_threshold(
        self, windows: list[int], data: st.DataObject
    ) -> None:
        rows = data.draw(st.sampled_from(windows))
        found = judge_volume(VolumeThreshold(), rows=rows, reference_window_rows=np.array(windows))
        assert found.verdict in (Verdict.OK, Verdict.NO_DATA)


class TestCalibrated:
    THRESHOLD = CalibratedThreshold(warning=0.05, critical=0.2, clear=0.04, alpha=0.001)

    @pytest.mark.parametrize(
        ("effect", "p_value", "adjusted_p", "verdict", "reason", "above_clear", "plain"),
        [
            (0.04, 1e-9, 1e-8, Verdict.OK, Reason.WITHIN_THRESHOLD, True, False),
            (0.03, 1e-9, 1e-8, Verdict.OK, Reason.WITHIN_THRESHOLD, False, False),
            (0.05, 0.0005, 0.004, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True, False),
            (0.05, 0.0005, 0.011, Verdict.OK, Reason.WITHIN_NOISE, True, False),
            (0.3, 0.0006, 0.004, Verdict.OK, Reason.WITHIN_NOISE, True, False),
            (0.3, 0.006, 0.006, Verdict.OK, Reason.WITHIN_NOISE, False, False),
            (0.2, 0.0005, 0.004, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True, False),
            (0.2, 1e-8, 5e-7, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True, True),
            (0.1, 1e-8, 5e-7, Verdict.WARNING, Reason.ABOVE_THRESHOLD, True, True),
            # Plain by itself, but one of many features that are seen together.
            (0.2, 1e-8, 6e-7, Verdict.CRITICAL, Reason.ABOVE_THRESHOLD, True, False),
        ],
    )
    def test_real_and_far_over_two_lengths_of_window(
        self,
        effect: float,
        p_value: float,
        adjusted_p: float,
        verdict: Verdict,
        reason: Reason,
        above_clear: bool,
        plain: bool,
    ) -> None:
        seen = replace(evidence(), effect=effect, p_value=p_value, adjusted_p=adjusted_p, lengths=2)
        found = judge(self.THRESHOLD, seen)
        assert found == Judgement(verdict, reason, effect, above_clear, plain)

    @pytest.mark.parametrize(
        ("seen", "verdict", "reason"),
        [
            (evidence(rows=0), Verdict.NO_DATA, Reason.EMPTY_WINDOW),
            (evidence(rows=99), Verdict.LEARNING, Reason.TOO_FEW_ROWS),
            (evidence(reference_rows=0), Verdict.LEARNING, Reason.NO_REFERENCE),
        ],
    )
    def test_what_cannot_be_judged_is_never_green(
        self, seen: Evidence, verdict: Verdict, reason: Reason
    ) -> None:
        found = judge_calibrated(self.THRESHOLD, seen)
        assert (found.verdict, found.reason) == (verdict, reason)
        assert not found.above_clear
        assert not found.plain
