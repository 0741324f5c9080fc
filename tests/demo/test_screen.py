"""What the demo says, on a terminal and elsewhere."""

import io
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from driftwatch.demo.screen import Screen
from driftwatch.store.results import ResultRow
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from tests.cli.shop import unstyled

ROW = ResultRow(
    monitor="delay-model",
    feature="dep_delay",
    window_seconds=86_400,
    window_start=datetime(2013, 2, 9, tzinfo=UTC),
    window_end=datetime(2013, 2, 10, tzinfo=UTC),
    rows=748,
    verdict=Verdict.CRITICAL,
    reason=Reason.ABOVE_THRESHOLD,
    message="dep_delay: JS distance 0.654 reaches critical 0.5 over 748 rows; 70 % missing",
    convention="",
    evaluated_at=datetime(2013, 2, 10, tzinfo=UTC),
)
VOLUME_ROW = replace(ROW, feature=VOLUME, verdict=Verdict.OK, message="")


def shown(width: int, *, terminal: bool) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
    )
    return Screen(console), file


def test_on_a_terminal_a_message_wraps_below_itself() -> None:
    screen, file = shown(60, terminal=True)
    screen.day([VOLUME_ROW, ROW])
    assert "\x1b[" in file.getvalue()
    first, *rest = unstyled(file.getvalue()).splitlines()
    assert first.startswith("  Sat 09 Feb    748 flights  critical  dep_delay:")
    assert rest
    assert all(line.startswith(" " * 39) for line in rest)
    assert max(map(len, [first, *rest])) <= 60


def test_elsewhere_a_day_is_a_line() -> None:
    screen, file = shown(60, terminal=False)
    screen.day([VOLUME_ROW, ROW])
    screen.day([VOLUME_ROW])
    assert file.getvalue().splitlines() == [
        f"  Sat 09 Feb    748 flights  critical  {ROW.message}",
        "  Sat 09 Feb    748 flights  ok",
    ]


def test_nothing_fired() -> None:
    screen, file = shown(60, terminal=False)
    screen.alerts([])
    assert file.getvalue() == "\nAlerts: none\n\n"
