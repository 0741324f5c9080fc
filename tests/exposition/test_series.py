import math
from datetime import UTC, datetime

import pytest

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.exposition.families import MONITOR_INFO, OF_RESULTS
from driftwatch.exposition.reading import AlertReading, MonitorReading, SegmentReading
from driftwatch.exposition.series import (
    feature_samples,
    monitor_samples,
    reference_samples,
    segment_sample,
)
from driftwatch.verdict.policy import Reason, Verdict
from tests.exposition.readings import DAY, END, feature_reading, full_reading, monitor_reading

FEATURE = 'monitor="m",feature="dep_delay",window="1d"'


def of_feature(**changes: object) -> dict[str, float]:
    found = feature_samples("m", feature_reading(**changes))
    return {f"{one.family.name}{{{one.labels}}}": one.value for one in found}


def test_a_judged_window_by_hand() -> None:
    start = datetime(2013, 2, 8, tzinfo=UTC).timestamp()
    measured = f'{FEATURE},measure="js_distance"'
    assert of_feature() == {
        f"driftwatch_verdict_level{{{FEATURE}}}": 2,
        f"driftwatch_window_start_timestamp_seconds{{{FEATURE}}}": start,
        f"driftwatch_window_end_timestamp_seconds{{{FEATURE}}}": start + DAY,
        f"driftwatch_window_rows{{{FEATURE}}}": 930,
        f"driftwatch_missing_ratio{{{FEATURE}}}": 0.49,
        f"driftwatch_unseen_ratio{{{FEATURE}}}": 0,
        f"driftwatch_effect_size{{{FEATURE}}}": 1.1,
        f"driftwatch_detectable_effect_size{{{FEATURE}}}": 0.2,
        f"driftwatch_inflation_ratio{{{FEATURE}}}": 1.5,
        f"driftwatch_reference_wobble_size{{{FEATURE}}}": 0.07,
        f"driftwatch_p_value{{{FEATURE}}}": 1e-9,
        f'driftwatch_verdict_caveat{{{FEATURE},reason="few_windows"}}': 1,
        f'driftwatch_change_info{{{FEATURE},change="missing_data",next_step="data"}}': 1,
        f"driftwatch_explained_share_ratio{{{FEATURE}}}": 0.93,
        f"driftwatch_js_divergence_nats{{{FEATURE}}}": 0.17,
        f"driftwatch_js_distance_ratio{{{FEATURE}}}": 0.5,
        f"driftwatch_js_divergence_noise_nats{{{FEATURE}}}": 0.003,
        f"driftwatch_kl_divergence_nats{{{FEATURE}}}": 0.8,
        f"driftwatch_drift_value{{{measured}}}": 0.5,
        f'driftwatch_drift_threshold{{{measured},severity="warning"}}': 0.1,
        f'driftwatch_drift_threshold{{{measured},severity="critical"}}': 0.2,
    }


@pytest.mark.parametrize(
    ("verdict", "level"), [(Verdict.OK, 0), (Verdict.WARNING, 1), (Verdict.CRITICAL, 2)]
)
def test_the_level_of_a_verdict(verdict: Verdict, level: int) -> None:
    found = of_feature(verdict=verdict)
    assert found[f"driftwatch_verdict_level{{{FEATURE}}}"] == level
    assert not any(name.startswith("driftwatch_not_judged") for name in found)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if not verdict.judged])
def test_grey_is_not_green(verdict: Verdict) -> None:
    found = of_feature(verdict=verdict, reason=Reason.COLUMN_MISSING)
    assert found[f'driftwatch_not_judged{{{FEATURE},reason="column_missing"}}'] == 1
    names = {name.partition("{")[0] for name in found}
    assert names == {
        "driftwatch_not_judged",
        "driftwatch_window_start_timestamp_seconds",
        "driftwatch_window_end_timestamp_seconds",
        "driftwatch_window_rows",
        "driftwatch_missing_ratio",
        "driftwatch_unseen_ratio",
        "driftwatch_drift_threshold",
    }


def test_what_is_not_known_has_no_sample() -> None:
    unknown = dict.fromkeys(
        (
            *("js", "js_distance", "js_noise", "kl", "value", "missing_ratio", "unseen_ratio"),
            *("effect", "detectable_effect", "inflation", "wobble", "p_value"),
            "explained_share",
        ),
        math.nan,
    )
    found = of_feature(**unknown, thresholds={}, caveats=(), change=None)
    names = {name.partition("{")[0] for name in found}
    assert names == {
        "driftwatch_verdict_level",
        "driftwatch_window_start_timestamp_seconds",
        "driftwatch_window_end_timestamp_seconds",
        "driftwatch_window_rows",
    }


@pytest.mark.parametrize(
    ("state", "severity", "expected"),
    [
        (AlertState.INACTIVE, None, (0, 0)),
        (AlertState.PENDING, Severity.WARNING, (1, 0)),
        (AlertState.FIRING, Severity.WARNING, (2, 1)),
        (AlertState.FIRING, Severity.CRITICAL, (2, 2)),
        (AlertState.RESOLVED, None, (0, 0)),
    ],
)
def test_the_numbers_of_an_alert(
    state: AlertState, severity: Severity | None, expected: tuple[int, int]
) -> None:
    alert = AlertReading("x", DAY, AlertKind.DRIFT, state, severity)
    found = {
        one.family.name: one
        for one in monitor_samples(MonitorReading("m", "logs", alerts=(alert,)))
    }
    shown = (found["driftwatch_alert_state"], found["driftwatch_alert_level"])
    assert tuple(one.value for one in shown) == expected
    assert shown[0].labels == 'monitor="m",feature="x",window="1d",kind="drift"'


def test_an_alert_of_a_segment_has_metrics_of_its_own() -> None:
    alerts = (
        AlertReading("x", DAY, AlertKind.DRIFT),
        AlertReading(
            "x", DAY, AlertKind.DRIFT, AlertState.FIRING, Severity.WARNING, 'city="New York"', END
        ),
    )
    found = {
        one.family.name: (one.labels, one.value)
        for one in monitor_samples(MonitorReading("m", "logs", alerts=alerts))
        if one.family is not MONITOR_INFO
    }
    of_all = 'monitor="m",feature="x",window="1d",kind="drift"'
    of_part = of_all + r',segment="city=\"New York\""'
    assert found == {
        "driftwatch_alert_state": (of_all, 0),
        "driftwatch_alert_level": (of_all, 0),
        "driftwatch_segment_alert_state": (of_part, 2),
        "driftwatch_segment_alert_level": (of_part, 1),
        "driftwatch_segment_alert_since_timestamp_seconds": (of_part, END.timestamp()),
    }


@pytest.mark.parametrize("state", AlertState)
def test_since_is_told_of_what_goes_on_alone(state: AlertState) -> None:
    alert = AlertReading("x", DAY, AlertKind.DRIFT, state, since=END)
    told = [
        one.value
        for one in monitor_samples(MonitorReading("m", "logs", alerts=(alert,)))
        if one.family.name == "driftwatch_alert_since_timestamp_seconds"
    ]
    goes_on = state in (AlertState.PENDING, AlertState.FIRING)
    assert told == ([END.timestamp()] if goes_on else [])


def test_of_segments_there_are_numbers_and_no_names() -> None:
    reading = MonitorReading(
        "m",
        "logs",
        segments=21,
        of_segments=(SegmentReading("x", DAY, 3), SegmentReading("k", DAY, 0)),
    )
    found = {
        f"{one.family.name}{{{one.labels}}}": one.value
        for one in [
            *monitor_samples(reading),
            *(segment_sample("m", each) for each in reading.of_segments),
        ]
    }
    del found['driftwatch_monitor_info{monitor="m",source="logs"}']
    assert found == {
        'driftwatch_segments{monitor="m"}': 21,
        'driftwatch_segments_drifting{monitor="m",feature="x",window="1d"}': 3,
        'driftwatch_segments_drifting{monitor="m",feature="k",window="1d"}': 0,
    }


def test_what_is_excluded_is_1_and_all_of_a_monitor_has_an_empty_feature() -> None:
    found = monitor_samples(MonitorReading("m", "logs", excluded=("", "x")))
    labels = [one.labels for one in found if one.family.name == "driftwatch_excluded"]
    assert labels == ['monitor="m",feature=""', 'monitor="m",feature="x"']


def test_a_monitor_without_results_says_what_it_is() -> None:
    (info,) = monitor_samples(MonitorReading("m", "logs", labels={"team": "risk"}))
    assert (info.family.name, info.labels, info.value) == (
        "driftwatch_monitor_info", 'monitor="m",source="logs",team="risk"', 1,
    )  # fmt: skip


def test_features_are_counted_by_window_and_severity() -> None:
    hour = feature_reading("x", window_seconds=3600, verdict=Verdict.NO_DATA)
    reading = monitor_reading()
    reading = monitor_reading(features=(*reading.features, hour))
    found = {
        one.labels: one.value
        for one in monitor_samples(reading)
        if one.family.name == "driftwatch_features_drifting"
    }
    name = 'monitor="delay-model"'
    assert found == {
        f'{name},window="1h",severity="warning"': 0,
        f'{name},window="1h",severity="critical"': 0,
        f'{name},window="1d",severity="warning"': 1,
        f'{name},window="1d",severity="critical"': 1,
    }
    grey = {
        one.labels: one.value
        for one in monitor_samples(reading)
        if one.family.name == "driftwatch_features_not_judged"
    }
    assert grey == {f'{name},window="1h"': 1, f'{name},window="1d"': 1}


def test_every_family_has_the_labels_that_it_declares() -> None:
    reading = full_reading(labels={})
    found = [*monitor_samples(reading)]
    found += [one for each in reading.references for one in reference_samples("m", each)]
    found += [segment_sample("m", each) for each in reading.of_segments]
    found += [one for result in reading.features for one in feature_samples("m", result)]
    assert {one.family.name for one in found} == {family.name for family in OF_RESULTS}
    for one in found:
        names = tuple(part.partition("=")[0] for part in one.labels.split(","))
        assert names == one.family.labels
