"""The alert's machine: a table of cases, and what it promises for any order of windows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.alert.policy import AlertPolicy, AlertState, Severity
from driftwatch.alert.state import AlertStatus, Observation, Transition, advance, transition

START = datetime(2013, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)

OBSERVED = {
    "c": (Severity.CRITICAL, True, True),
    "w": (Severity.WARNING, True, True),
    "-": (None, True, True),
    ".": (None, False, True),
    "?": (None, False, False),
}
"""A window in one character: critical, warning, above clear, clear, not judged."""

NAMES = {
    "i": (AlertState.INACTIVE, None),
    "p": (AlertState.PENDING, Severity.WARNING),
    "P": (AlertState.PENDING, Severity.CRITICAL),
    "f": (AlertState.FIRING, Severity.WARNING),
    "F": (AlertState.FIRING, Severity.CRITICAL),
    "r": (AlertState.RESOLVED, None),
}
"""A state and its severity in one character; capitals are critical."""

windows_of = st.text("cw-.?", max_size=24)
policies = st.integers(1, 5).flatmap(
    lambda of: st.builds(AlertPolicy, k=st.integers(1, of), of=st.just(of))
)


def observe(day: int, window: str) -> Observation:
    severity, above_clear, judged = OBSERVED[window]
    return Observation(START + day * DAY, severity, above_clear=above_clear, judged=judged)


def history(windows: str, policy: AlertPolicy) -> list[AlertStatus]:
    """The status after each window, one window a day."""
    statuses, status = [], AlertStatus()
    for day, window in enumerate(windows):
        status = advance(status, observe(day, window), policy)
        statuses.append(status)
    return statuses


@pytest.mark.parametrize(
    ("k_of_m", "windows", "states"),
    [
        # quiet
        ((2, 3), ".....", "iiiii"),
        ((1, 1), ".-.", "iii"),
        ((2, 3), "---", "iii"),  # above clear alone neither begins nor fires
        # 1 of 1: at once, and over with the first clear window
        ((1, 1), "w", "f"),
        ((1, 1), ".c.", "iFr"),
        ((1, 1), "w-.", "ffr"),
        ((1, 1), "ww..", "ffri"),
        # 2 of 3
        ((2, 3), "ww", "pf"),
        ((2, 3), "w.w", "ppf"),
        ((2, 3), ".w.w", "ippf"),
        # at the border of the three remembered: the fourth window has forgotten the first
        ((2, 3), "w..", "ppp"),
        ((2, 3), "w...", "pppi"),
        ((2, 3), "w..w", "pppp"),
        ((2, 3), "w...w", "pppip"),
        ((2, 3), "w..ww", "ppppf"),
        ((2, 3), "w-w", "ppf"),
        # 3 of 3 and 2 of 2 allow no gap
        ((3, 3), "wwww", "ppff"),
        ((3, 3), "ww.ww.", "pppppp"),
        ((2, 2), "w.w.", "pppp"),
        ((3, 3), "www.", "ppfr"),
        ((2, 2), "ww.", "pfr"),
        # the end: fewer than k of the last m above clear
        ((2, 3), "ww.", "pff"),
        ((2, 3), "ww..", "pffr"),
        ((2, 3), "ww...", "pffri"),
        ((2, 3), "ww.w", "pfff"),
        ((2, 3), "ww.w.w..", "pfffrfri"),
        # the clear level: what is not flagged but above it keeps the alert firing, not resolved
        ((2, 3), "ww------", "pfffffff"),
        ((2, 3), "ww-.-.-", "pffffrr"),
        ((2, 3), "ww--..", "pffffr"),
        # resolved, then above clear: it stays resolved until a clear window
        ((1, 1), "w.--.", "frrri"),
        # resolved, then flagged again: pending or firing without a step between
        ((1, 1), "w.w", "frf"),
        ((2, 3), "ww..w", "pffrp"),
        ((2, 3), "ww..ww", "pffrpf"),
        ((2, 3), "ww...ww", "pffripf"),
        # an old flagged window still counts after the alert was resolved: k of the last m
        ((2, 5), "w..w..w", "pppffrf"),
        ((2, 4), "w..w...w", "pppfriip"),
        ((2, 5), "ww....w", "pffffrp"),
        # no data between: neither for nor against
        ((2, 3), "?", "i"),
        ((2, 3), "w?w", "ppf"),
        ((2, 3), "w?????w", "ppppppf"),
        ((2, 3), "ww???", "pffff"),
        ((2, 3), "ww?.?.", "pffffr"),
        ((1, 1), "w?.?", "ffrr"),
        # the severity: up at once, down when the critical window is forgotten
        ((1, 1), "wcw.", "fFfr"),
        ((1, 3), "wcw...", "fFFFfr"),
        ((2, 3), "cw", "PF"),
        ((2, 3), "wc", "pF"),
        ((2, 3), "c...", "PPPi"),
        ((2, 3), "wwcww", "pfFFF"),
        ((2, 3), "wwcwww", "pfFFFf"),
        ((2, 3), "cwww", "PFFf"),
        # above clear keeps the severity that was, flagged windows renew it
        ((2, 3), "cc----", "PFFFFF"),
        ((2, 3), "cc---w", "PFFFFf"),
        ((2, 3), "ww---c", "pffffF"),
        ((1, 1), "c-w.", "FFfr"),
    ],
)
def test_table_of_cases(k_of_m: tuple[int, int], windows: str, states: str) -> None:
    seen = [(status.state, status.severity) for status in history(windows, AlertPolicy(*k_of_m))]
    assert seen == [NAMES[state] for state in states]


def test_the_times_that_it_remembers() -> None:
    statuses = history("w.w?w...w", AlertPolicy(2, 3))
    states = [str(status.state) for status in statuses]
    assert states == [
        "pending", "pending", "firing", "firing", "firing", "firing", "resolved", "inactive",
        "pending",
    ]  # fmt: skip
    since = [(status.since - START).days for status in statuses if status.since]
    assert since == [0, 0, 2, 2, 2, 2, 6, 7, 8]
    fired = [status.fired_at and (status.fired_at - START).days for status in statuses]
    assert fired == [None, None, 2, 2, 2, 2, 2, None, None]
    assert [status.window_end for status in statuses] == [START + day * DAY for day in range(9)]


def test_firing_again_has_a_time_of_its_own() -> None:
    last = history("w.w", AlertPolicy(1, 1))[-1]
    assert last.fired_at == last.since == START + 2 * DAY


def test_marks_are_of_judged_windows_and_at_most_m() -> None:
    assert [status.marks for status in history("w?-.c", AlertPolicy(2, 3))] == [
        "w", "w", "w-", "w-.", "-.c",
    ]  # fmt: skip


def test_a_policy_of_fewer_windows_forgets_the_older_ones() -> None:
    firing = history("ww.", AlertPolicy(2, 3))[-1]
    after = advance(firing, observe(3, "w"), AlertPolicy(1, 1))
    assert (after.state, after.marks) == (AlertState.FIRING, "w")


def test_a_policy_that_asks_for_less_fires_on_a_flagged_window_only() -> None:
    pending = history("w", AlertPolicy(2, 3))[-1]
    less = AlertPolicy(1, 3)
    assert advance(pending, observe(1, "."), less).state is AlertState.PENDING
    assert advance(pending, observe(1, "w"), less).state is AlertState.FIRING


@pytest.mark.parametrize("window", list(OBSERVED))
@pytest.mark.parametrize("day", [0, 1])
def test_a_window_that_was_seen_or_is_older_changes_nothing(window: str, day: int) -> None:
    status = history(".w", AlertPolicy(1, 1))[-1]
    assert advance(status, observe(day, window), AlertPolicy(1, 1)) is status


def test_a_window_that_was_not_judged_is_noted_and_settled() -> None:
    """A later judgement of that window does not count: its time has passed."""
    status = history("w?", AlertPolicy(2, 3))[-1]
    assert status.window_end == START + DAY
    assert advance(status, observe(1, "w"), AlertPolicy(2, 3)) is status


@given(windows_of, policies)
def test_doing_it_twice_is_doing_it_once(windows: str, policy: AlertPolicy) -> None:
    once = AlertStatus()
    twice = AlertStatus()
    for day, window in enumerate(windows):
        once = advance(once, observe(day, window), policy)
        twice = advance(advance(twice, observe(day, window), policy), observe(day, window), policy)
    assert twice == once


@given(windows_of, policies, st.data())
def test_replays_and_restarts_end_where_an_undisturbed_run_ends(
    windows: str, policy: AlertPolicy, data: st.DataObject
) -> None:
    """Killed after any window and begun again at any earlier one, as often as one likes."""
    status, day = AlertStatus(), 0
    restarts = data.draw(st.lists(st.integers(0, len(windows)), max_size=4))
    while day < len(windows):
        status = advance(status, observe(day, windows[day]), policy)
        day += 1
        if restarts and restarts[-1] <= day:
            day = restarts.pop()
    expected = history(windows, policy)[-1] if windows else AlertStatus()
    assert status == expected


@given(windows_of, policies)
def test_windows_that_were_not_judged_leave_no_trace_but_their_end(
    windows: str, policy: AlertPolicy
) -> None:
    with_gaps = AlertStatus()
    without = AlertStatus()
    for day, window in enumerate(windows):
        with_gaps = advance(with_gaps, observe(day, window), policy)
        if window != "?":
            without = advance(without, observe(day, window), policy)
    assert (with_gaps.state, with_gaps.severity, with_gaps.marks) == (
        without.state, without.severity, without.marks,
    )  # fmt: skip
    assert (with_gaps.since, with_gaps.fired_at) == (without.since, without.fired_at)


@given(windows_of, policies)
def test_what_holds_of_every_status(windows: str, policy: AlertPolicy) -> None:
    judged = ""
    before = AlertStatus()
    for window, status in zip(windows, history(windows, policy), strict=True):
        judged += window.replace("?", "")
        remembered = judged[-policy.of :]
        flagged = sum(mark in "cw" for mark in remembered)
        kept = sum(mark != "." for mark in remembered)
        assert status.marks == remembered
        if status.state is AlertState.FIRING:
            assert kept >= policy.k
            assert before.state is AlertState.FIRING or flagged >= policy.k
        else:
            assert flagged < policy.k
        active = status.state in (AlertState.PENDING, AlertState.FIRING)
        assert (status.severity is not None) == active
        fired = status.state in (AlertState.FIRING, AlertState.RESOLVED)
        assert (status.fired_at is not None) == fired
        if status.state is AlertState.RESOLVED:
            assert before.state in (AlertState.FIRING, AlertState.RESOLVED)
        before = status


@given(windows_of, policies)
def test_transitions_tell_every_change_and_nothing_else(windows: str, policy: AlertPolicy) -> None:
    state, severity = AlertState.INACTIVE, None
    before = AlertStatus()
    for status in history(windows, policy):
        change = transition(before, status)
        if change is not None:
            assert (change.from_state, change.from_severity) == (state, severity)
            assert change.window_end == status.window_end
            state, severity = change.to_state, change.to_severity
        assert (state, severity) == (status.state, status.severity)
        before = status


def test_a_transition_names_both_sides() -> None:
    pending, firing, still_firing, resolved = history("wc..", AlertPolicy(2, 3))
    assert transition(firing, still_firing) is None
    assert transition(pending, firing) == Transition(
        START + DAY, AlertState.PENDING, AlertState.FIRING, Severity.WARNING, Severity.CRITICAL
    )
    assert transition(firing, resolved) == Transition(
        START + 3 * DAY, AlertState.FIRING, AlertState.RESOLVED, Severity.CRITICAL, None
    )


def test_a_severity_alone_is_a_transition() -> None:
    warned, critical = history("wc", AlertPolicy(1, 1))
    change = transition(warned, critical)
    assert change is not None
    assert change.from_state is change.to_state is AlertState.FIRING
    assert change.to_severity is Severity.CRITICAL


def test_no_change_is_no_transition() -> None:
    first, second = history("ww", AlertPolicy(1, 1))
    assert first != second
    assert transition(first, second) is None
    assert transition(AlertStatus(), AlertStatus()) is None


def test_a_change_needs_a_window() -> None:
    with pytest.raises(ValueError, match="has seen none"):
        transition(AlertStatus(state=AlertState.FIRING), AlertStatus())


def test_moments_are_aware() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Observation(datetime(2013, 2, 8), None, above_clear=False, judged=True)  # noqa: DTZ001
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    status = advance(AlertStatus(window_end=START), observe(0, "w"), AlertPolicy(1, 1))
    same = Observation(elsewhere, Severity.WARNING, above_clear=True, judged=True)
    assert advance(status, same, AlertPolicy(1, 1)) is status


def test_marks_from_elsewhere_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown marks"):
        AlertStatus(marks="wx")
