"""Log lines: one line each, as logfmt or JSON."""

import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.cli.logs import LogFormat, LogLevel, _Formatter, start_logging

Capsys = pytest.CaptureFixture[str]


def test_logfmt_is_one_line_with_what_needs_it_in_quotes(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.INFO)
    logging.getLogger("a.b").info("monitor %s: two\nlines \x1b[2J", 'x="1"')
    (line,) = capsys.readouterr().err.splitlines()
    fields = line.split(" ", 3)
    assert fields[0].startswith("ts=20")
    assert fields[1:3] == ["level=info", "logger=a.b"]
    assert json.loads(fields[3].removeprefix("msg=")) == 'monitor x="1": two\nlines \x1b[2J'
    assert "\x1b" not in line


def test_json_is_one_object_a_line(capsys: Capsys) -> None:
    start_logging(LogFormat.JSON, LogLevel.DEBUG)
    try:
        raise ValueError("no good")
    except ValueError:
        logging.getLogger("a").exception("Zürich")
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert (fields["level"], fields["msg"]) == ("error", "Zürich")
    assert fields["exception"].endswith("ValueError: no good")


def test_levels(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.WARNING)
    logging.getLogger("a").info("quiet")
    logging.getLogger("a").warning("loud")
    assert "quiet" not in (err := capsys.readouterr().err)
    assert "loud" in err


def test_of_a_muted_logger_errors_alone_are_shown(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.INFO, muted="a")
    logging.getLogger("a").warning("muted")
    logging.getLogger("a").error("a defect")
    logging.getLogger("b").warning("other")
    err = capsys.readouterr().err
    assert "msg=muted" not in err
    assert "a defect" in err
    assert "msg=other" in err


def test_lines_are_not_doubled_by_a_second_start(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.INFO)
    start_logging(LogFormat.LOGFMT, LogLevel.INFO)
    logging.getLogger("a").info("once")
    assert capsys.readouterr().err.count("msg=once") == 1


HOSTILE = st.text(st.characters(), max_size=60)


@given(HOSTILE, st.sampled_from(LogFormat))
def test_whatever_is_logged_is_one_line_that_can_be_read_back(text: str, kind: LogFormat) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "got: %s", (text,), None)
    line = _Formatter(kind).format(record)
    assert line.isprintable(), "no control, line separator or change of direction"
    assert line.splitlines() == [line]
    told = f"got: {text}".strip("\n")
    if kind is LogFormat.JSON:
        assert json.loads(line)["msg"] == told
    else:
        assert json.loads(line.partition(" msg=")[2]) == told


def test_a_traceback_is_in_the_line(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.INFO)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("a").exception("x")
    (line,) = capsys.readouterr().err.splitlines()
    trace = json.loads(line.partition(" exception=")[2])
    assert trace.startswith("Traceback")
    assert trace.endswith("ValueError: two\nlines")


def test_a_message_that_cannot_be_made_is_shown_as_it_is(capsys: Capsys) -> None:
    start_logging(LogFormat.LOGFMT, LogLevel.INFO)
    logging.getLogger("a").warning("%d rows", "many")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("msg=\"%d rows ('many',)\"")


_PROCESS = """
import logging, threading, time, warnings
from driftwatch.cli.logs import LogFormat, LogLevel, log_the_rest, start_logging
start_logging(LogFormat.JSON, LogLevel.INFO)
log_the_rest()
warnings.warn("deprecated\\nfor long", DeprecationWarning)
logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
def fail(): raise OSError("in a thread")
thread = threading.Thread(target=fail, name="worker")
thread.start(); thread.join()
raise ValueError("at the end")
"""


def test_warnings_and_what_ends_a_thread_or_the_process_are_lines_too() -> None:
    command = [sys.executable, "-W", "always", "-c", _PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    warned, served, thread, ended = (json.loads(line) for line in done.stderr.splitlines())
    assert (warned["level"], warned["logger"]) == ("warning", "py.warnings")
    assert "DeprecationWarning: deprecated\nfor long" in warned["msg"]
    assert (served["level"], served["logger"]) == ("warning", "uvicorn.error")
    assert (thread["level"], thread["msg"]) == ("error", "thread worker ended: unexpected error")
    assert thread["exception"].endswith("OSError: in a thread")
    assert (ended["level"], ended["msg"]) == ("critical", "driftwatch ended: unexpected error")
    assert ended["exception"].endswith("ValueError: at the end")
