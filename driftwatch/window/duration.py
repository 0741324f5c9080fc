"""Durations as Prometheus writes them: 30s, 5m, 1h, 1d, 2w, 1h30m."""

import re

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(
    r"(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?", re.ASCII
)


def parse_duration(text: str) -> int:
    """Seconds of a duration; ValueError if it is not one.

    >>> parse_duration("5m"), parse_duration("1h30m"), parse_duration("7d"), parse_duration("0s")
    (300, 5400, 604800, 0)
    """
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError(
            f"{text!r} is not a duration; write whole units from large to small, such as 30s, 5m, "
            "1h30m, 1d or 2w"
        )
    return sum(_UNITS[unit] * int(value) for unit, value in match.groupdict(default="0").items())


def format_duration(seconds: int) -> str:
    """The shortest form that `parse_duration` reads back, without weeks.

    >>> format_duration(300), format_duration(5400), format_duration(604800), format_duration(0)
    ('5m', '1h30m', '7d', '0s')
    """
    if seconds < 0:
        raise ValueError(f"a duration is not negative: {seconds}")
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
