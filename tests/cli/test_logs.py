"""Log lines: one line each, as logfmt or JSON."""

import json
import logging

import pytest

from driftwatch.cli.logs import LogFormat, LogLevel, start_logging

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
