"""The alert's machine: a table of cases, and what it promises for any order of windows."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.alert.policy import AlertPolicy, AlertState, Severity
from driftwatch.alert.state import (
    AlertStatus,
    Mark,
    Observation,
    Transition,
    advance,
    reset,
    transition,
)
from tests.alert.windows import (
    DAY,
    OBSERVED,
    START,
    grades,
    history,
    moment,
    observe,
    policies,
    states,
)

windows_of = st.text("CcWw-.?", max_size=24)


@pytest.mark.parametrize(
    ("k_of_m", "windows", "expected"),
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
        # so plain that one window is enough, which a clear one ends
        ((2, 3), "W", "f"),
        ((2, 3), ".C..", "iFri"),
        ((3, 3), "..Www.", "iifffr"),
        ((2, 3), "wC..", "pFFr"),
        ((2, 3), ".Ww.", "ifff"),
        # excluded: what goes on ends, and nothing before it counts
        ((1, 1), "wxw", "frf"),
        ((1, 1), "xx.x", "iiii"),
        ((2, 3), "wxw", "pip"),
        ((2, 3), "wwx.", "pfri"),
        ((2, 3), "wwxxw.w", "pfrrppf"),
        ((2, 3), "wwx-", "pfrr"),
        ((2, 3), "ccxww", "PFrpf"),
    ],
)
def test_table_of_cases(k_of_m: tuple[int, int], windows: str, expected: str) -> None:
    assert states(history(windows, AlertPolicy(*k_of_m))) == expected


def test_the_times_that_it_remembers() -> None:
    """since: the start of the first flagged window while pending or firing, else an end."""
    statuses = history(".w.w?w...w", AlertPolicy(2, 3))
    assert states(statuses) == "ippffffrip"
    since = [(status.since - START).days for status in statuses if status.since]
    assert since == [1, 1, 1, 1, 1, 1, 8, 9, 9]
    fired = [status.fired_at and (status.fired_at - START).days for status in statuses]
    assert fired == [None, None, None, 4, 4, 4, 4, 4, None, None]
    assert [status.window_end for status in statuses] == [moment(day + 1) for day in range(10)]


def test_it_drifts_since_the_first_window_that_made_it_fire() -> None:
    """A flagged window that was forgotten by then is no part of it."""
    last = history("w..w.w", AlertPolicy(2, 3))[-1]
    assert (last.since, last.fired_at) == (moment(3), moment(6))


def test_firing_again_has_a_time_of_its_own() -> None:
    last = history("w.w", AlertPolicy(1, 1))[-1]
    assert (last.since, last.fired_at) == (moment(2), moment(3))


def test_marks_are_of_judged_windows_and_at_most_m() -> None:
    assert [grades(status) for status in history("w?-.c", AlertPolicy(2, 3))] == [
        "w", "w", "w-", "w-.", "-.c",
    ]  # fmt: skip
    first, *_ = history("w", AlertPolicy(2, 3))
    assert first.marks == (Mark(moment(0), moment(1), "w"),)


def test_a_policy_of_fewer_windows_forgets_the_older_ones() -> None:
    firing = history("ww.", AlertPolicy(2, 3))[-1]
    after = advance(firing, observe(3, "w"), AlertPolicy(1, 1))
    assert (after.state, grades(after)) == (AlertState.FIRING, "w")


def test_a_policy_that_asks_for_less_fires_on_a_flagged_window_only() -> None:
    pending = history("w", AlertPolicy(2, 3))[-1]
    less = AlertPolicy(1, 3)
    assert advance(pending, observe(1, "."), less).state is AlertState.PENDING
    assert advance(pending, observe(1, "w"), less).state is AlertState.FIRING


@pytest.mark.parametrize("window", list(OBSERVED))
@pytest.mark.parametrize("day", [-3, -1, 0, 1])
def test_a_window_that_is_older_than_the_remembered_ones_changes_nothing(
    window: str, day: int
) -> None:
    status = history("..w", AlertPolicy(1, 1))[-1]
    assert advance(status, observe(day, window), AlertPolicy(1, 1)) is status


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
    assert (with_gaps.phase, with_gaps.marks) == (without.phase, without.marks)


@given(windows_of, policies)
def test_what_holds_of_every_status(windows: str, policy: AlertPolicy) -> None:
    judged = ""
    before = AlertStatus()
    for window, status in zip(windows, history(windows, policy), strict=True):
        judged += window.replace("?", "")
        remembered = judged[-policy.of :]
        flagged = sum(mark in "CcWw" for mark in remembered)
        plain = not set("CW").isdisjoint(remembered)
        kept = sum(mark != "." for mark in remembered)
        assert grades(status) == remembered
        if status.state is AlertState.FIRING:
            assert kept >= policy.k or (plain and remembered[-1] != ".")
            begins = flagged >= policy.k or remembered[-1] in "CW"
            assert before.state is AlertState.FIRING or begins
        else:
            assert flagged < policy.k
            assert not remembered or remembered[-1] not in "CW"
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
        moment(2), AlertState.PENDING, AlertState.FIRING, Severity.WARNING, Severity.CRITICAL
    )
    assert transition(firing, resolved) == Transition(
        moment(4), AlertState.FIRING, AlertState.RESOLVED, Severity.CRITICAL, None
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
    naive = datetime(2013, 2, 8)  # noqa: DTZ001
    for start, end in ((naive, moment(1)), (moment(-1), naive)):
        with pytest.raises(ValueError, match="no time zone"):
            Observation(start, end, None, above_clear=False, judged=True)
    status = history("w", AlertPolicy(1, 1))[-1]
    elsewhere = timezone(timedelta(hours=9))
    start, end = (moment(day).astimezone(elsewhere) for day in (0, 1))
    same = Observation(start, end, Severity.WARNING, above_clear=True, judged=True)
    assert advance(status, same, AlertPolicy(1, 1)) is status


def test_a_window_has_a_length() -> None:
    with pytest.raises(ValueError, match="starts before it ends"):
        observe(0, "w", days=0)


def test_marks_from_elsewhere_are_checked() -> None:
    with pytest.raises(ValueError, match="unknown grade 'x'"):
        Mark(moment(0), moment(1), "x")


@pytest.mark.parametrize(
    ("severity", "cap", "grade"),
    [
        (Severity.CRITICAL, None, "c"),
        (Severity.CRITICAL, Severity.CRITICAL, "c"),
        (Severity.CRITICAL, Severity.WARNING, "w"),
        (Severity.WARNING, Severity.WARNING, "w"),
        (Severity.WARNING, Severity.CRITICAL, "w"),
        (None, Severity.WARNING, "-"),
    ],
)
def test_the_severity_is_at_most_the_cap(
    severity: Severity | None, cap: Severity | None, grade: str
) -> None:
    seen = Observation(moment(0), moment(1), severity, above_clear=True, judged=True, cap=cap)
    assert seen.mark.grade == grade


@pytest.mark.parametrize(
    ("windows", "expected"), [("ww", "fr"), ("w", "pi"), ("ww..", "rr"), (".", "ii"), ("cc", "Fr")]
)
def test_reset_ends_what_goes_on(windows: str, expected: str) -> None:
    before = history(windows, AlertPolicy(2, 3))[-1]
    after = reset(before, moment(20))
    assert states([before, after]) == expected
    assert (after.window_end, after.marks) == (moment(20), ())
    if before.state is not after.state:
        assert after.since == moment(20)
    assert after.fired_at == before.fired_at


def test_nothing_that_ended_before_a_reset_counts_after_it() -> None:
    policy = AlertPolicy(1, 1)
    status = reset(history("w", policy)[-1], moment(3))
    for day in range(-1, 3):
        for window in OBSERVED:
            assert advance(status, observe(day, window), policy) is status
    # One that was begun before it and ends after it does.
    assert advance(status, observe(3, "w", days=3), policy).state is AlertState.FIRING


def test_a_reset_of_the_past_is_one_of_the_present() -> None:
    status = reset(history("www", AlertPolicy(2, 3))[-1], moment(1))
    assert (status.window_end, status.since) == (moment(3), moment(3))
    assert advance(status, observe(2, "w"), AlertPolicy(1, 1)) is status


def test_an_alert_that_was_reset_before_it_saw_a_window_begins_then() -> None:
    status = reset(AlertStatus(), moment(3))
    assert states([status]) == "i"
    assert advance(status, observe(3, "w"), AlertPolicy(1, 1)).state is AlertState.FIRING


@given(windows_of, windows_of, policies)
def test_after_a_reset_or_an_excluded_window_it_starts_fresh(
    before: str, after: str, policy: AlertPolicy
) -> None:
    """But that `resolved` is left as ever."""
    excluded = before + "x"
    status = history(excluded, policy)[-1]
    if before:
        settled = reset(history(before, policy)[-1], moment(len(excluded)))
        assert status == settled
    fresh = AlertStatus()
    for day, window in enumerate(after):
        seen = observe(len(excluded) + day, window)
        status, fresh = advance(status, seen, policy), advance(fresh, seen, policy)
        assert status.marks == fresh.marks
        if fresh.state is not AlertState.INACTIVE:
            assert status.phase == fresh.phase
        else:
            assert status.state in (AlertState.INACTIVE, AlertState.RESOLVED)


@pytest.mark.parametrize(
    ("widths", "windows", "expected"),
    [
        # Each overlaps the first: one window, that says what the newest says.
        ((4, 4, 4, 4), "wwww", "pppp"),
        ((4, 4, 4, 4), "w.w.", "pipi"),
        # The fifth begins where the first ended.
        ((4, 4, 4, 4, 4), "wwwww", "ppppf"),
        ((4, 4, 4, 4, 4), "w...w", "piiip"),
        ((4, 4, 4, 4, 4), "...ww", "iiipf"),
        # A window of its own length again is disjoint from the widened one before.
        ((4, 4, 4, 1), "wwww", "pppf"),
        ((3, 1, 1, 1), "wwww", "pfff"),
        # Fires, and ends when two disjoint ones of the last three are clear.
        ((2, 2, 2, 2, 2, 2), "wwwwww", "ppffff"),
        ((2, 2, 2, 2, 2, 2, 2), "www-...", "ppffffr"),
        # Not judged in spite of it: nothing is replaced.
        ((4, 4, 4, 1), "w??w", "pppf"),
    ],
)
def test_widened_windows_count_once(widths: tuple[int, ...], windows: str, expected: str) -> None:
    policy, status, seen = AlertPolicy(2, 3), AlertStatus(), []
    for day, (width, window) in enumerate(zip(widths, windows, strict=True)):
        status = advance(status, observe(day, window, days=width), policy)
        seen.append(status)
    assert states(seen) == expected


def test_a_widened_window_drifts_since_its_own_start() -> None:
    first = advance(AlertStatus(), observe(0, "w", days=4), AlertPolicy(1, 1))
    assert first.since == moment(-3)
    again = advance(first, observe(1, "w", days=4), AlertPolicy(1, 1))
    assert (again.since, again.fired_at) == (moment(-3), moment(1))


def test_a_cleared_stretch_that_is_flagged_later_drifts_since_then() -> None:
    """The widened window that replaces another has its own start, unless both are flagged."""
    policy, status = AlertPolicy(1, 1), AlertStatus()
    for day, window in enumerate(".ww"):
        status = advance(status, observe(day, window, days=4), policy)
    assert status.since == moment(-2)


@given(st.text("cw-.?", max_size=24), policies, st.data())
def test_k_windows_that_fire_are_disjoint(
    windows: str, policy: AlertPolicy, data: st.DataObject
) -> None:
    """However wide they are: firing needs k times the days of the shortest that was flagged."""
    status = AlertStatus()
    ends: list[datetime] = []
    for day, window in enumerate(windows):
        seen = observe(day, window, days=data.draw(st.integers(1, 6)))
        before, status = status, advance(status, seen, policy)
        if seen.judged and (not ends or seen.window_start >= ends[-1]):
            ends.append(seen.window_end)
        begins_to_fire = status.state is AlertState.FIRING is not before.state
        if begins_to_fire:
            assert len(ends) >= policy.k
            assert status.since is not None
            assert status.fired_at is not None
            assert status.since <= status.fired_at - policy.k * DAY


def test_an_alert_of_an_older_release_goes_on() -> None:
    """Its windows cannot be judged again, but they count: those of a store that was upgraded."""
    policy = AlertPolicy(2, 3)
    pending = history("w", policy)[-1]
    phase, marks = pending.phase, (Mark(moment(1), moment(1), "w"),)
    old = replace(
        pending,
        marks=(),
        settled=replace(pending.settled, phase=phase, marks=marks, until=moment(1)),
    )
    assert advance(old, observe(0, "."), policy) is old
    firing = advance(old, observe(1, "w"), policy)
    assert firing.state is AlertState.FIRING
