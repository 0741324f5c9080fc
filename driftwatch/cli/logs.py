"""Log lines on standard error, as logfmt or JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum

_QUIET = {
    # It warns of each run that is skipped because the last one still runs; a metric counts those.
    "apscheduler": logging.ERROR,
    "alembic": logging.WARNING,
    "uvicorn": logging.WARNING,
    "asyncio": logging.WARNING,
}
"""Libraries that tell what only their own authors need, and from which level on we listen."""


class LogFormat(StrEnum):
    LOGFMT = "logfmt"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def start_logging(log_format: LogFormat, log_level: LogLevel, *, muted: str = "") -> None:
    """Send every log line of this process to standard error.

    muted: a logger of which errors alone are shown.
    """
    level = logging.getLevelNamesMapping()[log_level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(log_format))
    handler.addFilter(lambda one: one.name != muted or one.levelno >= logging.ERROR)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


class _Formatter(logging.Formatter):
    def __init__(self, log_format: LogFormat) -> None:
        super().__init__()
        self._json = log_format is LogFormat.JSON

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if self._json:
            return json.dumps(fields, ensure_ascii=False)
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())


def _quoted(value: str) -> str:
    plain = value and not any(c in value for c in ' "=') and value.isprintable()
    return value if plain else json.dumps(value, ensure_ascii=False)
