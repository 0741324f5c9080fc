"""Pane, windows, reference, start and the timestamp's format must fit together."""

import pytest

from driftwatch.window import Interval
from tests.config.conftest import Load, Tell, monitor


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["pane: 7m"], "8: monitors[0].pane: a pane of 7m does not divide a day; write one"),
        (["pane: 2d"], "8: monitors[0].pane: a pane of 2d does not divide a day; write one"),
        (["pane: 0s"], "8: monitors[0].pane: '0s' must be longer than nothing; write it like"),
        (["pane: 5 min"], "8: monitors[0].pane: '5 min' is not a duration; write it like 30s"),
        (["pane: -5m"], "8: monitors[0].pane: '-5m' is not a duration; write it like 30s"),
        (["pane: [5m]"], "8: monitors[0].pane: a list is not a duration; write it like 30s"),
        (["pane: "], "8: monitors[0].pane: has no value; write one, or remove the key"),
        (["every: 99999w"], "8: monitors[0].every: '99999w' is longer than 3650d; write"),
        (["delay: -1m"], "8: monitors[0].delay: '-1m' is not a duration; write it like"),
        (["delay: 60"], "8: monitors[0].delay: '60' is not a duration; write it like"),
        (
            ["pane: 2h"],
            "8: monitors[0].pane: a window (1h) is not a multiple of the pane (2h); change one",
        ),
        (
            ["pane: 1h", "windows: [1d, 90m]"],
            "9: monitors[0].windows[1]: a window (1h30m) is not a multiple of the pane (1h)",
        ),
        (["windows: [1h, 60m]"], "8: monitors[0].windows[1]: 1h is written twice; keep one"),
        (["windows: []"], "8: monitors[0].windows: must have at least 1 entry"),
        (["windows: 1h"], "8: monitors[0].windows: must be a list of durations, such as [1h, 1d]"),
        (["windows: "], "8: monitors[0].windows: has no value; write"),
        (["catch_up: 7m"], "8: monitors[0].catch_up: catch_up (7m) is not a multiple of the pane"),
        (["start: 2026-10-01T00:02"], "8: monitors[0].start: '2026-10-01T00:02' is not the start"),
        (["start: tomorrow"], "8: monitors[0].start: 'tomorrow' is not a date; write 2026-09-01 ("),
        (["start: 20260901"], "8: monitors[0].start: '20260901' is not a date; write 2026-09-01 ("),
        (["start: 2026-02-30"], "8: monitors[0].start: '2026-02-30' is not a date of the calendar"),
        (
            ["start: 0001-01-01T00:00+02:00"],
            "8: monitors[0].start: '0001-01-01T00:00+02:00' is not a date of the calendar",
        ),
        (["start: 2026-09-01T25:00"], "8: monitors[0].start: '2026-09-01T25:00' is not a date of"),
        (["start: 2026-09-01T06:00 CET"], "8: monitors[0].start: '2026-09-01T06:00 CET' is not a"),
    ],
)
def test_lengths_and_moments_that_do_not_fit(tell: Tell, lines: list[str], told: str) -> None:
    (line,) = tell(monitor(*lines))

    assert line.startswith(told)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("{from: 2026-09-01, to: 2026-09-01}", "reference: from must lie before to"),
        ("{from: 2026-09-02, to: 2026-09-01}", "reference: from must lie before to"),
        ("{from: 2026-09-01T00:03, to: 2026-10-01}", "reference.from: '2026-09-01T00:03' is not"),
        ("{from: 2026-09-01, to: 2026-10-01T00:00:30Z}", "reference.to: '2026-10-01T00:00:30Z' is"),
        ("{from: 2026-09-01}", "reference.to: missing; add it: a range has"),
        ("{from: 2026-09-01, to: }", "reference.to: has no value; write the moment: a range has"),
        (
            "{from: 2026-09-01, till: 2026-10-01}",
            "reference.till: unknown key; known here: cohort, file, from,",
        ),
        ("2026-09-01", "reference: must be a mapping, such as {from: 2026-09-01, to: 2026-10-01}"),
        ("", "reference: has no value; write what is compared with, such as {from: 2026"),
    ],
)
def test_references_that_do_not_fit(tell: Tell, reference: str, told: str) -> None:
    text = monitor().replace("{from: 2026-09-01, to: 2026-10-01}", reference)

    assert any(line.startswith(f"6: monitors[0].{told}") for line in tell(text)), tell(text)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-09-11", "2026-09-11T00:00:00+00:00"),
        ("2026-09-11 06:05", "2026-09-11T06:05:00+00:00"),
        ("2026-09-11T06:05:00", "2026-09-11T06:05:00+00:00"),
        ("2026-09-11T06:05Z", "2026-09-11T06:05:00+00:00"),
        ("2026-09-11 06:05 Z", "2026-09-11T06:05:00+00:00"),
        ("2026-09-11T06:05+05:45", "2026-09-11T00:20:00+00:00"),
        ("2026-09-11 06:05 -02:00", "2026-09-11T08:05:00+00:00"),
    ],
)
def test_moments_are_utc(load: Load, written: str, utc: str) -> None:
    text = monitor().replace("2026-09-01", f"'{written}'")

    reference = load(text).monitors[0].reference
    assert isinstance(reference, Interval)
    assert reference.start.isoformat() == utc


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%d %H:%M",
        "%Y%m%d%H%M%S",
        "epoch_s",
        "epoch_ms",
    ],
)
def test_formats_that_sort_as_time_does(load: Load, form: str) -> None:
    text = monitor().replace("scored_at", f"{{column: at, format: '{form}'}}")

    assert load(text).monitors[0].relation.timestamp_format == form


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y %H:%M", "%Y-%m-%d", "%y-%d-%m %H:%M", "%Y-%m-%d %I:%M %p", "%H:%M", "iso"]
)
def test_formats_that_would_lose_rows(tell: Tell, form: str) -> None:
    (line,) = tell(monitor().replace("scored_at", f"{{column: at, format: '{form}'}}"))

    assert line.startswith(f"5: monitors[0].timestamp.format: '{form}' does not sort as time does")


def test_a_format_of_days_is_fine_for_panes_of_days(load: Load) -> None:
    text = monitor("pane: 1d", "windows: [1d]")

    (found,) = load(text.replace("scored_at", "{column: at, format: '%Y-%m-%d'}")).monitors

    assert found.relation.timestamp_format == "%Y-%m-%d"


@pytest.mark.parametrize("form", ["epoch_s", "%Y-%m-%d %H:%M:%S"])
def test_postgresql_may_hold_integers_and_text(load: Load, form: str) -> None:
    text = monitor().replace("scored_at", f"{{column: at, format: '{form}'}}")
    (found,) = load(text.replace("sqlite:///logs.db", "postgresql://h/db")).monitors
    assert found.relation.timestamp_format == form
