"""Log lines on standard error, as logfmt or JSON."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType

log = logging.getLogger(__name__)

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
    """Send every log line of this process to standard error, those of libraries, too.

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


def log_the_rest() -> None:
    """Make log lines of what Python itself would print in many lines: its warnings, and what ends
    a thread or this process. It cannot be undone."""
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended
    sys.excepthook = _process_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit or ended.exc_value is None:
        return
    name = ended.thread.name if ended.thread else "of unknown name"
    log.error("thread %s ended: unexpected error", name, exc_info=ended.exc_value)


def _process_ended(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("driftwatch ended: unexpected error", exc_info=(kind, error, trace))


class _Formatter(logging.Formatter):
    def __init__(self, log_format: LogFormat) -> None:
        super().__init__()
        self._json = log_format is LogFormat.JSON

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": _message(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if self._json:
            return "{" + ", ".join(f'"{k}": {_escaped(v)}' for k, v in fields.items()) + "}"
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage().strip("\n")
    except (
        TypeError,
        ValueError,
        KeyError,
    ):  # a defect of whoever logs, which is no reason to fail
        return f"{record.msg} {record.args!r}"


def _quoted(value: str) -> str:
    plain = value and not any(c in value for c in ' "=') and value.isprintable()
    return value if plain else _escaped(value)


def _escaped(value: str) -> str:
    r"""As a text of JSON in which nothing moves a cursor, ends a line or turns the direction.

    >>> print(_escaped("a\nb"), _escaped("\x7f\x85\u2028\u202e\ud800"), _escaped("Zürich 漢 😀"))
    "a\nb" "\u007f\u0085\u2028\u202e\ud800" "Zürich 漢 😀"
    """
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _code(one) for one in text)


def _code(one: str) -> str:
    return "\\u007f" if one == "\x7f" else json.dumps(one)[1:-1]  # which leaves that one as it is
