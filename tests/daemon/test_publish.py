"""What of a snapshot becomes a reading: all rows by value, parts of them by number and alert."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.alert.state import AlertKey, AlertStatus
from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    SegmentGroup,
    SegmentSettings,
    VersionSettings,
)
from driftwatch.daemon.publish import VERSIONS_SHOWN, reading
from driftwatch.evaluate.groups import NO_VERSION
from driftwatch.exposition.reading import MonitorReading
from driftwatch.exposition.render import render
from driftwatch.store.alerts import AlertRecord
from driftwatch.store.explained import ExplainedShare
from driftwatch.store.results import ResultRecord, ResultRow
from driftwatch.store.segments import SegmentRow
from driftwatch.store.snapshot import MonitorSnapshot
from driftwatch.store.versions import VersionRow
from driftwatch.verdict.policy import VOLUME, Reason, Verdict
from tests.evaluate.log import Log, day
from tests.evaluate.world import DAY, FIXED, HOUR, K, X, monitor

SEGMENTS = ("country=DE", "country=FR", "country=(other)")
PREDICTION = FeatureSettings("p", prediction=True, threshold=FIXED)


def watched(*, page: bool = False) -> MonitorSettings:
    groups = (SegmentGroup(("country",)),)
    return monitor(
        Log("sqlite://"),
        features=(X, K, PREDICTION),
        window_seconds=(HOUR, DAY),
        segments=SegmentSettings(groups, (DAY,), page=page),
        version=VersionSettings("v"),
    )


def result(
    feature: str, segment: str = "", verdict: Verdict = Verdict.OK, *, excluded: str = "",
    seconds: int = DAY, number: int = 1,
) -> ResultRecord:  # fmt: skip
    row = ResultRow(
        monitor="m",
        feature=feature,
        segment=segment,
        window_seconds=seconds,
        window_start=day(11) - timedelta(seconds=seconds),
        window_end=day(11),
        reference_version=1,
        axis_version=1,
        rows=100,
        verdict=verdict,
        reason=Reason.WITHIN_THRESHOLD if verdict is Verdict.OK else Reason.ABOVE_THRESHOLD,
        message="",
        evaluated_at=day(12),
        excluded=excluded,
    )
    return ResultRecord(number, 1, row)


def alert(feature: str, segment: str, state: AlertState) -> AlertRecord:
    key = AlertKey("m", feature, segment, DAY, AlertKind.DRIFT)
    severity = Severity.WARNING if state is not AlertState.INACTIVE else None
    return AlertRecord(key, AlertStatus(state=state, severity=severity))


def snapshot(
    *results: ResultRecord,
    alerts: tuple[AlertRecord, ...] = (),
    versions: int = 2,
) -> MonitorSnapshot:
    return MonitorSnapshot(
        monitor="m",
        watermark=day(11),
        scanned_from=day(10),
        results=results,
        alerts=alerts,
        references={},
        last_evaluation=None,
        last_success=None,
        versions=tuple(VersionRow(f"v{n}", seen(n), None) for n in range(1, versions + 1)),
        segments=tuple(
            SegmentRow(f"country={level}", ("country",), (level,), n)
            for n, level in enumerate(("DE", "FR"))
        ),
    )


def seen(number: int) -> datetime:
    return day(number)


def read(found: MonitorSnapshot, settings: MonitorSettings) -> MonitorReading:
    made = reading(found, settings, expires_at=None)
    assert render(made).core, "what is read can be shown"
    return made


def test_values_are_those_of_all_rows_and_segments_are_counted() -> None:
    found = snapshot(
        result("x"),
        result("x", SEGMENTS[0], Verdict.CRITICAL),
        result("x", SEGMENTS[1], Verdict.WARNING),
        result("x", SEGMENTS[2]),
        result("k"),
        result("k", SEGMENTS[0]),
        result("p"),
        result("p", "version=v2", Verdict.CRITICAL),
        result("x", "@cohort"),
    )
    made = read(found, watched())
    assert [one.feature for one in made.features] == ["x", "k", "p"]
    assert {one.verdict for one in made.features} == {Verdict.OK}
    assert made.segments == 3
    assert {(one.feature, one.window_seconds): one.drifting for one in made.of_segments} == {
        ("x", DAY): 2, ("k", DAY): 0,
    }  # fmt: skip


def test_labels_are_those_of_the_configuration_and_alerts_tell_since_when() -> None:
    began = day(10)
    key = AlertKey("m", "x", "", DAY, AlertKind.DRIFT)
    status = AlertStatus(state=AlertState.FIRING, severity=Severity.WARNING, since=began)
    found = snapshot(alerts=(AlertRecord(key, status),))
    made = read(found, replace(watched(), labels={"team": "risk"}))
    assert made.labels == {"team": "risk"}
    assert [one.since for one in made.alerts] == [began]


def test_a_monitor_without_segments_and_versions_shows_none_though_some_are_stored() -> None:
    found = snapshot(result("x"), result("x", SEGMENTS[0], Verdict.CRITICAL))
    made = read(found, monitor(Log("sqlite://"), features=(X,)))
    assert (made.segments, made.of_segments, made.versions) == (None, (), ())


@pytest.mark.parametrize("page", [False, True])
def test_alerts_of_parts_are_shown_where_they_page_and_while_they_are_not_at_rest(
    page: bool,
) -> None:
    found = snapshot(
        alerts=(
            alert("x", "", AlertState.INACTIVE),
            alert("x", SEGMENTS[0], AlertState.FIRING),
            alert("x", SEGMENTS[1], AlertState.INACTIVE),
            alert("x", "country=gone", AlertState.FIRING),
            alert("p", "version=v2", AlertState.PENDING),
            alert("p", "version=v1", AlertState.RESOLVED),
        )
    )
    shown = {(one.feature, one.segment) for one in read(found, watched(page=page)).alerts}
    of_segments = {("x", SEGMENTS[0])} if page else set()
    assert shown == {("x", ""), ("p", "version=v2")} | of_segments


def test_of_many_versions_the_newest_are_shown_and_no_alert_of_an_older_one() -> None:
    alerts = (
        alert("p", "version=v1", AlertState.FIRING),
        alert("p", "version=v9", AlertState.FIRING),
    )
    made = read(snapshot(alerts=alerts, versions=15), watched())
    assert [one.version for one in made.versions] == [f"v{n}" for n in range(6, 16)]
    assert len(made.versions) == VERSIONS_SHOWN
    assert [one.segment for one in made.alerts] == ["version=v9"]


def test_one_excluded_feature_is_named_and_all_of_them_are_the_monitor() -> None:
    some = snapshot(result("x", excluded="storm"), result("x", seconds=HOUR), result(VOLUME))
    assert read(some, watched()).excluded == ("x",)
    whole = snapshot(result("x", excluded="storm"), result(VOLUME, excluded="storm"))
    assert read(whole, watched()).excluded == ("", "x", VOLUME)
    none = snapshot(result("x"), result("x", SEGMENTS[0], excluded="storm"))
    assert read(none, watched()).excluded == ()


def test_an_alert_on_rows_without_a_version_is_shown() -> None:
    firing = (alert("p", NO_VERSION, AlertState.FIRING),)
    made = read(snapshot(alerts=firing), watched())
    assert [one.segment for one in made.alerts] == [NO_VERSION]


@pytest.mark.parametrize("verdict", [Verdict.CRITICAL, Verdict.OK])
def test_what_explains_a_flagged_prediction_is_shown_of_its_features(verdict: Verdict) -> None:
    found = replace(
        snapshot(
            result("x"), result("k"), result("x", seconds=HOUR), result("p", "", verdict, number=7)
        ),
        explained={
            7: [
                ExplainedShare("x", 0.9, applicable=True),
                ExplainedShare("k", 0.0, applicable=False),
                ExplainedShare("gone", 0.5, applicable=True),
            ]
        },
    )
    made = read(found, replace(watched(), explained_by=("x", "k")))
    shown = {
        (one.feature, one.window_seconds): one.explained_share
        for one in made.features
        if not math.isnan(one.explained_share)
    }
    assert shown == ({("x", DAY): 0.9} if verdict is Verdict.CRITICAL else {})
