"""What was typed after the command, held against the configuration."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

import typer

from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, format_duration, parse_duration

USAGE = 2
"""The exit code of everything here."""


def find_monitors(settings: Settings, names: Sequence[str]) -> list[MonitorSettings]:
    """The monitors of these names, each once; all, if none is named. BadParameter otherwise."""
    known = {monitor.name: monitor for monitor in settings.monitors}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"no monitor is named {name!r}; {_nearest(name, known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def find_feature(monitor: MonitorSettings, name: str) -> str:
    """The name of a feature of the monitor, or the volume. BadParameter otherwise."""
    known = [*(one.name for one in monitor.features), VOLUME]
    if name not in known:
        raise typer.BadParameter(
            f"monitor {monitor.name!r} has no feature {name!r}; {_nearest(name, known)}"
        )
    return name


def window_length(monitor: MonitorSettings, text: str | None) -> int:
    """The seconds of one of the monitor's windows; the longest if none is asked for."""
    if text is None:
        return max(monitor.window_seconds)
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from error
    if seconds not in monitor.window_seconds:
        lengths = ", ".join(format_duration(one) for one in sorted(monitor.window_seconds))
        raise typer.BadParameter(
            f"monitor {monitor.name!r} has no window of {text}; it has: {lengths}",
            param_hint="--window",
        )
    return seconds


def window_end(text: str | None) -> datetime | None:
    """The moment of --end, if it is given."""
    return None if text is None else moment_of(text, "--end")


_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""A window, and a day for any zone, has room before and after each moment of these."""


def interval_of(start: str, end: str) -> Interval:
    """The range of --from and --to. BadParameter otherwise."""
    found = moment_of(start, "--from"), moment_of(end, "--to")
    if found[0] >= found[1]:
        raise typer.BadParameter(f"--from {start} is not before --to {end}")
    return Interval(*found)


def moment_of(text: str, option: str) -> datetime:
    """A moment; in UTC where no zone is written, midnight where no time is. BadParameter if not."""
    try:
        # As in the configuration, a space may stand before the zone.
        found = datetime.fromisoformat(re.sub(r"\s(?=Z|[+-]\d\d:)", "", text.strip()))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            raise ValueError("beyond what is counted in seconds since 1970")
        return found
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is not a moment of the years {_FIRST_YEAR} to {_LAST_YEAR}; write it like "
            "2013-02-10 or 2013-02-10T06:00Z",
            param_hint=option,
        ) from error


def reason_of(text: str) -> str:
    """Why somebody did something, which others read later. BadParameter if it says nothing."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("say why, in one line of text", param_hint="--reason")
    return text.strip()


def _nearest(name: str, known: Sequence[str] | dict[str, MonitorSettings]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(map(repr, known))}"
