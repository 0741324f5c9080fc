"""The picture of a replay: which character stands for which window."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from driftwatch.alert.policy import AlertKind, Severity
from driftwatch.alert.state import AlertKey
from driftwatch.cli.timeline import Mark, axis, cells, drawn, marks_of, width_of
from driftwatch.evaluate.raised import Finding, Raised
from driftwatch.verdict.policy import Verdict
from driftwatch.window import Interval

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
OK, WARNING, LEARNING = Verdict.OK, Verdict.WARNING, Verdict.LEARNING


def day(days: float) -> datetime:
    return MONDAY + timedelta(days=days)


def days(*verdicts: Verdict, length: float = 1) -> list[Finding]:
    return [
        Finding(Interval(day(length * n), day(length * (n + 1))), verdict, 0.0)
        for n, verdict in enumerate(verdicts)
    ]


def row(width: int, whole: float, findings: list[Finding], *alerts: tuple[float, float]) -> str:
    key = AlertKey("m", "x", "", 86_400, AlertKind.DRIFT)
    raised = [Raised(key, day(a), day(b), Severity.WARNING) for a, b in alerts]
    signs = dict(zip(Mark, " ?.o#", strict=True))
    whole_interval = Interval(day(0), day(whole))
    return "".join(signs[one] for one in cells(whole_interval, findings, raised, width))


def test_a_character_for_each_window() -> None:
    found = days(OK, WARNING, WARNING, OK, LEARNING)
    assert row(5, 5, found) == ".oo.?"
    assert row(6, 6, found) == ".oo.? ", "what has no window stays empty"


def test_an_alert_fires_from_the_window_at_which_it_fired_to_the_one_at_which_it_ended() -> None:
    assert row(5, 5, days(OK, WARNING, WARNING, OK, OK), (3, 5)) == ".o##."


def test_the_worst_of_what_a_character_stands_for_shows() -> None:
    found = days(OK, OK, WARNING, OK, LEARNING, LEARNING, LEARNING, OK)
    assert row(4, 8, found) == ".o?."
    assert row(1, 8, found, (8, 9)) == "#"


def test_a_long_window_fills_what_it_holds() -> None:
    assert row(6, 6, days(OK, WARNING, length=3)) == "...ooo"


@pytest.mark.parametrize("width", [7, 13, 50])
def test_no_window_is_lost_and_no_gap_appears(width: int) -> None:
    for at in range(100):
        verdicts = [WARNING if n == at else OK for n in range(100)]
        drawn_row = row(width, 100, days(*verdicts))
        assert drawn_row.count("o") == 1
        assert drawn_row.count(".") == width - 1


def test_dates_stand_where_they_lie() -> None:
    text = axis(Interval(day(0), day(40)), 40)
    assert text.index("11-10") == 8
    assert axis(Interval(day(0), day(2)), 20).split("   ")[0] == "02 00:00"


def test_it_fits_the_terminal_and_its_characters() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    assert width_of(terminal, 20, windows=1_000) == 60
    assert width_of(terminal, 20, windows=12) == 12
    assert width_of(terminal, 75, windows=1_000) == 20
    ascii_only = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert "".join(marks_of(ascii_only).values()) == " ?.o#"
    assert drawn(ascii_only, [Mark.OK, Mark.FIRING]).plain == ".#"
