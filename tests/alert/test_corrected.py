"""Windows that are judged again: what was corrected is as if it had always been so."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.alert.policy import AlertPolicy, AlertState
from driftwatch.alert.state import AlertStatus, Observation, advance
from tests.alert.windows import grades, history, moment, observe, policies, states

anything = st.sampled_from("CcWw-.?x")
mostly_judged = st.sampled_from("CcWw-..?x")


@dataclass
class Run:
    """An alert that is shown windows in any order, and what it has heard of each."""

    policy: AlertPolicy
    status: AlertStatus = field(default_factory=AlertStatus)
    heard: list[Observation] = field(default_factory=list)

    def next(self, window: str, *, days: int = 1) -> None:
        seen = observe(len(self.heard), window, days=days)
        self.heard.append(seen)
        self.status = advance(self.status, seen, self.policy)

    def again(self, day: int, window: str, *, days: int = 1) -> None:
        """It is heard unless the alert has settled what was there before."""
        seen = observe(day, window, days=days)
        until = self.status.settled.until
        assert until is not None
        if seen.window_end > until:
            self.heard[day] = seen
        self.status = advance(self.status, seen, self.policy)

    def in_order(self) -> AlertStatus:
        """The status of an alert that has heard the final words alone, in their order."""
        status = AlertStatus()
        for seen in self.heard:
            status = advance(status, seen, self.policy)
        return status

    def holds(self) -> None:
        """Firing or not, with severity and times, and the remembered windows are those."""
        expected = self.in_order()
        firing = AlertState.FIRING
        assert (self.status.state is firing) == (expected.state is firing)
        if self.status.state is firing:
            assert self.status.phase == expected.phase
        remembered = len(self.status.marks)
        assert remembered == 0 or self.status.marks == expected.marks[-remembered:]
        assert self.status.window_end == expected.window_end


@given(policies, st.data())
def test_corrections_in_any_order_end_where_an_undisturbed_run_ends(
    policy: AlertPolicy, data: st.DataObject
) -> None:
    """With windows of any width, excluded ones and ones that could not be judged among them. Exact,
    since what was before the remembered windows is kept with the state that it came to, and the
    remembered ones are counted anew from there: hysteresis is replayed, not guessed."""
    run = Run(policy)
    for _ in range(data.draw(st.integers(1, 30), label="steps")):
        width = data.draw(st.sampled_from([1, 1, 1, 2, 4]), label="days")
        again = data.draw(st.booleans(), label="again")
        if run.heard and again:
            back = data.draw(st.integers(1, min(len(run.heard), policy.of + 2)), label="back")
            run.again(len(run.heard) - back, data.draw(anything, label="window"), days=width)
        else:
            run.next(data.draw(mostly_judged, label="window"), days=width)
        run.holds()


@given(st.text("CcWw-.?x", max_size=16), policies, st.data())
def test_the_order_of_corrections_is_of_no_account(
    windows: str, policy: AlertPolicy, data: st.DataObject
) -> None:
    """Of windows that were judged and still are: none of them settles another."""
    run = Run(policy)
    for window in windows:
        run.next(window)
    remembered = [(mark.window_end - moment(1)).days for mark in run.status.marks]
    corrected = {day: data.draw(st.sampled_from("CcWw-.")) for day in remembered}
    ends = []
    for days in (remembered, data.draw(st.permutations(remembered))):
        status = run.status
        for day in days:
            status = advance(status, observe(day, corrected[day]), policy)
        ends.append((status.state is AlertState.FIRING, status.marks))
    assert ends[0] == ends[1]


@given(st.text("CcWw-.?x", max_size=16), policies, anything, st.integers(0, 8))
def test_judging_again_twice_is_judging_again_once(
    windows: str, policy: AlertPolicy, window: str, back: int
) -> None:
    run = Run(policy)
    for one in windows:
        run.next(one)
    if windows:
        seen = observe(max(len(windows) - 1 - back, 0), window)
        once = advance(run.status, seen, policy)
        assert advance(once, seen, policy) == once


@given(st.text("CcWw-.", min_size=1, max_size=16), policies, anything)
def test_a_window_older_than_the_remembered_ones_changes_nothing(
    windows: str, policy: AlertPolicy, window: str
) -> None:
    status = history(windows, policy)[-1]
    for day in range(-2, len(windows) - policy.of):
        assert advance(status, observe(day, window), policy) is status


@pytest.mark.parametrize(
    ("k_of_m", "windows", "day", "window", "expected"),
    [
        # cleared: what fires is resolved, even where one flagged window is left
        ((1, 1), "w", 0, ".", "r"),
        ((2, 3), "ww", 1, ".", "r"),
        ((2, 3), "ww", 0, ".", "r"),
        # with hysteresis: had the second window only been above clear, it had not fired
        ((2, 3), "ww", 1, "-", "r"),
        ((2, 3), "ww-", 2, ".", "f"),
        ((2, 3), "ww-", 1, ".", "r"),
        # flagged after all
        ((2, 3), "w.", 1, "w", "f"),
        ((2, 3), ".w", 0, "c", "F"),
        ((2, 3), "ww..", 3, "w", "f"),
        # the severity moves both ways
        ((2, 3), "ww", 1, "c", "F"),
        ((2, 3), "wc", 1, "w", "f"),
        # pending as if it had always been so
        ((2, 3), "w.", 0, ".", "i"),
        ((2, 3), "..", 0, "w", "p"),
        # one that could not be judged is put in its place
        ((2, 3), "w?.", 1, "w", "f"),
        ((2, 3), "w?", 1, "w", "f"),
        # ... unless the alert had forgotten the windows around it
        ((2, 2), "?w..", 0, "w", "i"),
        # and one that cannot be judged any more is forgotten
        ((2, 3), "ww", 0, "?", "r"),
        ((2, 3), "w.w", 1, "?", "f"),
        # firing long ago would have been told then: nothing is told now
        ((2, 3), "w.....", 1, "w", "i"),
        ((1, 1), "..", 0, "c", "i"),
        # excluded afterwards: resolved; what came after it counts by itself
        ((2, 3), "ww", 1, "x", "r"),
        ((2, 3), "www", 0, "x", "f"),
        ((2, 3), "www", 1, "x", "r"),
        ((2, 3), "w", 0, "x", "i"),
    ],
)
def test_table_of_corrections(
    k_of_m: tuple[int, int], windows: str, day: int, window: str, expected: str
) -> None:
    policy = AlertPolicy(*k_of_m)
    status = history(windows, policy)[-1]
    after = advance(status, observe(day, window), policy)
    assert states([after]) == expected
    assert after.window_end == status.window_end


def test_what_was_taken_back_is_resolved_until_the_next_window() -> None:
    policy = AlertPolicy(2, 3)
    firing = history("ww", policy)[-1]
    resolved = advance(firing, observe(1, "."), policy)
    assert (resolved.since, resolved.fired_at) == (moment(2), moment(2))
    assert states([advance(resolved, observe(2, "."), policy)]) == "i"
    assert states([advance(resolved, observe(2, "w"), policy)]) == "f"


def test_since_and_fired_at_follow_the_corrected_windows() -> None:
    policy = AlertPolicy(2, 3)
    firing = history("w.w", policy)[-1]
    assert (firing.since, firing.fired_at) == (moment(0), moment(3))
    earlier = advance(firing, observe(1, "w"), policy)
    assert (earlier.since, earlier.fired_at) == (moment(0), moment(2))
    later = advance(earlier, observe(0, "."), policy)
    assert (later.since, later.fired_at) == (moment(1), moment(3))


def test_the_start_of_a_long_firing_is_not_lost_by_a_correction() -> None:
    policy = AlertPolicy(2, 3)
    status = history("ww------..", policy)[-1]
    assert states([status]) == "r"
    again = advance(status, observe(9, "-"), policy)
    assert (again.state, again.since, again.fired_at) == (
        AlertState.FIRING, moment(0), moment(2),
    )  # fmt: skip


def test_what_was_excluded_stays_forgotten() -> None:
    policy = AlertPolicy(2, 3)
    status = history("wwx", policy)[-1]
    for day in range(3):
        assert advance(status, observe(day, "w"), policy) is status


def test_a_window_of_its_own_length_after_all() -> None:
    """Rows that came late: the window need not be widened any more, and counts for itself."""
    policy, status = AlertPolicy(2, 3), AlertStatus()
    for day in (0, 1):
        status = advance(status, observe(day, "w", days=4), policy)
    assert states([status]) == "p"
    status = advance(status, observe(1, "w", days=1), policy)
    assert (states([status]), grades(status)) == ("f", "ww")
