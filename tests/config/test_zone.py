"""Zones of windows and of timestamps, and what must be a multiple of the pane in them."""

import pytest

from driftwatch.window import UTC, Calendar
from tests.config.conftest import Load, Tell, monitor


def test_without_a_zone_it_is_utc(load: Load) -> None:
    (found,) = load(monitor()).monitors

    assert found.calendar == UTC
    assert found.relation.timestamp_zone == "UTC"


def test_zones_of_windows_and_of_timestamps_are_apart(load: Load) -> None:
    text = monitor("zone: America/New_York").replace(
        "scored_at", "{column: at, zone: Europe/Berlin}"
    )

    (found,) = load(text).monitors

    assert found.calendar == Calendar("America/New_York")
    assert found.relation.timestamp_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("zone", "advice"),
    [
        ("Europe/Berlim", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("Kathmandu", "did you mean 'Asia/Kathmandu'?"),
        ("new york", "did you mean 'America/New_York'?"),
        ("utc", "did you mean 'UTC'?"),
        ("'+02:00'", "write a name such as Europe/Berlin, or UTC"),
        ("localtime", "write a name such as Europe/Berlin, or UTC"),
        ("Factory", "write a name such as Europe/Berlin, or UTC"),
        ("../UTC", "did you mean"),
    ],
)
def test_what_is_no_zone(tell: Tell, zone: str, advice: str) -> None:
    shown = zone.strip("'")
    told = f"{shown!r} is not a zone of the IANA database; {advice}"

    (line,) = tell(monitor(f"zone: {zone}"))
    assert line.startswith(f"8: monitors[0].zone: {told}")

    (line,) = tell(monitor().replace("scored_at", f"{{column: at, zone: {zone}}}"))
    assert line.startswith(f"5: monitors[0].timestamp.zone: {told}")


@pytest.mark.parametrize(
    ("zone", "pane", "told"),
    [
        (
            "Asia/Kathmandu",
            "1h",
            "Asia/Kathmandu is 5h45m from UTC, which is not a multiple of the pane (1h); a pane "
            "of 15m or 5m works",
        ),
        (
            "Asia/Kathmandu",
            "30m",
            "Asia/Kathmandu is 5h45m from UTC, which is not a multiple of the pane (30m); a pane "
            "of 15m or 5m works",
        ),
        (
            "America/St_Johns",
            "1h",
            "America/St_Johns is 3h30m from UTC, which is not a multiple of the pane (1h); a pane "
            "of 30m or 15m works",
        ),
        (
            "Europe/Berlin",
            "1d",
            "Europe/Berlin is 1h from UTC, which is not a multiple of the pane (1d); a pane of "
            "1h or 30m works",
        ),
    ],
)
def test_distances_from_utc_are_multiples_of_the_pane(
    tell: Tell, zone: str, pane: str, told: str
) -> None:
    lines = (f"pane: {pane}", "windows: [1d]")

    assert tell(monitor(f"zone: {zone}", *lines)) == [f"8: monitors[0].zone: {told}"]
    timestamp = f"{{column: at, zone: {zone}}}"
    assert tell(monitor(*lines).replace("scored_at", timestamp)) == [
        f"5: monitors[0].timestamp.zone: {told}"
    ]


@pytest.mark.parametrize(
    ("zone", "pane"),
    [
        ("Asia/Kathmandu", "15m"),
        ("Asia/Kathmandu", "5m"),
        ("Australia/Lord_Howe", "30m"),
        ("Europe/Berlin", "1h"),
        ("Etc/UTC", "1d"),
    ],
)
def test_a_pane_that_fits(load: Load, zone: str, pane: str) -> None:
    (found,) = load(monitor(f"zone: {zone}", f"pane: {pane}", "windows: [1d]")).monitors

    assert found.calendar.zone == zone


@pytest.mark.parametrize("window", ["5h", "36h", "10h", "25h"])
def test_a_window_by_the_clock_divides_a_day_or_is_whole_days(
    tell: Tell, load: Load, window: str
) -> None:
    lines = ("pane: 1h", f"windows: [1d, {window}]")

    (line,) = tell(monitor("zone: Europe/Berlin", *lines))

    assert line.startswith("10: monitors[0].windows[1]: a window of ")
    assert line.endswith(
        " in Europe/Berlin: but for UTC, a window divides a day or is whole days; write one such "
        "as 6h, 12h, 1d or 7d"
    )
    assert load(monitor(*lines)).monitors[0].calendar == UTC


def test_windows_that_divide_a_day_or_are_whole_days(load: Load) -> None:
    (found,) = load(monitor("zone: Europe/Berlin", "windows: [20m, 6h, 1d, 3d, 7d]")).monitors

    assert found.window_seconds == (1_200, 21_600, 86_400, 259_200, 604_800)


def test_bare_dates_are_utc_in_every_zone(load: Load) -> None:
    (here,) = load(monitor()).monitors
    (there,) = load(monitor("zone: Asia/Tokyo")).monitors

    assert there.reference == here.reference


@pytest.mark.parametrize("form", ["epoch_s", "epoch_ms", "%Y-%m-%dT%H:%M:%SZ"])
def test_timestamps_that_say_utc_have_no_zone(tell: Tell, load: Load, form: str) -> None:
    text = monitor().replace("scored_at", f"{{column: at, format: '{form}', zone: Asia/Tokyo}}")

    assert tell(text) == [
        f"5: monitors[0].timestamp.zone: timestamps of the format {form!r} say UTC themselves; "
        "remove zone"
    ]
    (found,) = load(text.replace("Asia/Tokyo", "UTC")).monitors
    assert found.relation.timestamp_format == form
