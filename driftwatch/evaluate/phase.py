"""In which phase of a season a window lies, by the clock on the wall, and how that is said."""

from datetime import datetime
from zoneinfo import ZoneInfo

from driftwatch.stats.season import SeasonKey
from driftwatch.stats.year import SLICES, around, slice_of

WITHOUT_YEAR = tuple(key for key in SeasonKey if not key.of_year)
"""The keys of a reference that does not hold every time of the year."""

WORDS = {
    SeasonKey.NONE: "",
    SeasonKey.HOUR: "the same hours of the day in ",
    SeasonKey.HOUR_WEEKEND: "the same hours of working days or weekends in ",
    SeasonKey.HOUR_OF_WEEK: "the same hours of the week in ",
    SeasonKey.YEAR: "the same time of year in ",
    SeasonKey.HOUR_YEAR: "the same hours of the day at the same time of year in ",
    SeasonKey.HOUR_WEEKEND_YEAR: "the same hours of working days or weekends at the same time of "
    "year in ",
    SeasonKey.HOUR_OF_WEEK_YEAR: "the same hours of the week at the same time of year in ",
}
"""What stands before the words of a reference."""


def phase(season: SeasonKey, start: datetime, zone: str) -> int:
    """Where a window that starts then lies in a season, by the clock of the zone.

    >>> from datetime import UTC
    >>> saturday = datetime(2026, 11, 28, 23, tzinfo=UTC)
    >>> [phase(season, saturday, "Europe/Berlin") for season in SeasonKey]
    [0, 0, 24, 144, 47, 47, 1295, 7535]
    """
    wall = start.astimezone(ZoneInfo(zone))
    match season:
        case SeasonKey.NONE | SeasonKey.YEAR:
            found = 0
        case SeasonKey.HOUR | SeasonKey.HOUR_YEAR:
            found = wall.hour
        case SeasonKey.HOUR_WEEKEND | SeasonKey.HOUR_WEEKEND_YEAR:
            found = wall.hour + 24 * (wall.weekday() >= 5)
        case SeasonKey.HOUR_OF_WEEK | SeasonKey.HOUR_OF_WEEK_YEAR:
            found = wall.hour + 24 * wall.weekday()
    return found * SLICES + slice_of(wall) if season.of_year else found


def compared_phases(season: SeasonKey, start: datetime, zone: str) -> list[int]:
    """The phases that a window which starts then is compared with: its own, and under a key with
    the time of year those of the weeks around it."""
    own = phase(season, start, zone)
    return around(own) if season.of_year else [own]
