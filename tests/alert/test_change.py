import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftwatch.alert.change import AlertChange, encode, message, payload
from driftwatch.alert.policy import AlertKind, AlertState, Severity

END = datetime(2013, 2, 9, tzinfo=UTC)
FIRING = AlertChange(
    monitor="delay-model",
    feature="dep_delay",
    segment="",
    window_seconds=86_400,
    kind=AlertKind.DRIFT,
    state=AlertState.FIRING,
    severity=Severity.CRITICAL,
    since=END - timedelta(days=1),
    window_end=END,
    measure="js_distance",
    value=0.5123,
    threshold=0.2,
    rows=930,
    reason="above_threshold",
)


def test_the_payload_by_hand() -> None:
    told = replace(FIRING, change="missing_data", next_step="data", explanation="So it is.")
    assert json.loads(encode(payload(told))) == {
        "version": 1,
        "monitor": "delay-model",
        "feature": "dep_delay",
        "segment": "",
        "window": "1d",
        "kind": "drift",
        "state": "firing",
        "severity": "critical",
        "since": "2013-02-08T00:00:00Z",
        "window_end": "2013-02-09T00:00:00Z",
        "measure": "js_distance",
        "value": 0.5123,
        "threshold": 0.2,
        "rows": 930,
        "reason": "above_threshold",
        "change": "missing_data",
        "next_step": "data",
        "explanation": "So it is.",
        "message": "delay-model: dep_delay drifts (critical) over 1d up to 2013-02-09T00:00:00Z: "
        "js_distance 0.512, limit 0.2, 930 rows. So it is.",
    }
    untold = json.loads(encode(payload(FIRING)))
    assert [untold[key] for key in ("change", "next_step", "explanation")] == [None] * 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"state": AlertState.RESOLVED, "severity": None, "value": 0.04, "threshold": None},
            "delay-model: dep_delay no longer drifts over 1d up to 2013-02-09T00:00:00Z: "
            "js_distance 0.04, 930 rows.",
        ),
        (
            {"kind": AlertKind.VOLUME, "feature": "@volume", "measure": "volume", "value": 0.2,
             "threshold": 4.0},
            "delay-model: the number of rows is unusual (critical) over 1d up to "
            "2013-02-09T00:00:00Z: rows / median 0.2, limit 4, 930 rows.",
        ),
        (
            {"kind": AlertKind.NO_DATA, "measure": "rows", "value": 0.0, "threshold": None,
             "rows": 0, "severity": Severity.WARNING},
            "delay-model: dep_delay has no data (warning) over 1d up to 2013-02-09T00:00:00Z: "
            "0 rows.",
        ),
        (
            {"kind": AlertKind.NO_DATA, "state": AlertState.RESOLVED, "severity": None},
            "delay-model: dep_delay has data again over 1d up to 2013-02-09T00:00:00Z: 930 rows.",
        ),
        (
            {"state": AlertState.PENDING, "severity": Severity.WARNING},
            "delay-model: the drift alert of dep_delay is pending (warning) over 1d up to "
            "2013-02-09T00:00:00Z: js_distance 0.512, limit 0.2, 930 rows.",
        ),
        (
            {"segment": "EWR", "value": math.nan, "reason": "too_few_rows"},
            "delay-model: dep_delay[EWR] drifts (critical) over 1d up to 2013-02-09T00:00:00Z: "
            "the newest window is not judged (too_few_rows), 930 rows.",
        ),
        (
            {"segment": "EWR", "state": AlertState.PENDING},
            "delay-model: the drift alert of dep_delay[EWR] is pending (critical) over 1d up to "
            "2013-02-09T00:00:00Z: js_distance 0.512, limit 0.2, 930 rows.",
        ),
        (
            {"kind": AlertKind.COLUMN, "measure": "rows", "value": math.nan, "threshold": None,
             "severity": Severity.WARNING, "reason": "column_missing"},
            "delay-model: dep_delay is not counted (warning) over 1d up to 2013-02-09T00:00:00Z: "
            "column_missing, 930 rows.",
        ),
        (
            {"kind": AlertKind.COLUMN, "state": AlertState.RESOLVED, "severity": None,
             "reason": "within_threshold"},
            "delay-model: dep_delay is counted again over 1d up to 2013-02-09T00:00:00Z: 930 rows.",
        ),
        (
            {"widened": "judged on 4 days"},
            "delay-model: dep_delay drifts (critical) over 1d (judged on 4 days) up to "
            "2013-02-09T00:00:00Z: js_distance 0.512, limit 0.2, 930 rows.",
        ),
        (
            {"state": AlertState.RESOLVED, "severity": None, "note": "it is no longer configured"},
            "delay-model: the drift alert of dep_delay over 1d ended at 2013-02-09T00:00:00Z: it "
            "is no longer configured.",
        ),
    ],
)  # fmt: skip
def test_the_sentence(changes: dict[str, object], expected: str) -> None:
    assert message(replace(FIRING, **changes)) == expected  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("state", list(AlertState))
def test_every_kind_and_state_has_a_sentence(kind: AlertKind, state: AlertState) -> None:
    assert message(replace(FIRING, kind=kind, state=state)).endswith(" rows.")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_known_is_null(value: float) -> None:
    assert json.loads(encode(payload(replace(FIRING, value=value))))["value"] is None


def test_no_reason_is_null() -> None:
    assert json.loads(encode(payload(replace(FIRING, reason=""))))["reason"] is None


def test_hostile_names_are_carried_whole() -> None:
    hostile = '"},{\\\n漢字'
    sent = json.loads(encode(payload(replace(FIRING, monitor=hostile, feature="a\udce4"))))
    assert (sent["monitor"], sent["feature"]) == (hostile, "a?")
