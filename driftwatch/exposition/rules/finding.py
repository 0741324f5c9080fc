"""Alerts about what was found: drift of features, volumes and segments, and empty windows."""

from collections.abc import Iterator

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import LinkSettings
from driftwatch.exposition.rules import annotation as text
from driftwatch.exposition.rules.annotation import name
from driftwatch.exposition.rules.document import INFO, Alert, Group
from driftwatch.exposition.rules.expression import (
    HELD_LEVEL,
    HELD_SEGMENT_LEVEL,
    Joined,
    merged,
    records,
)

_LEVELS = ((Severity.CRITICAL, 2), (Severity.WARNING, 1))
_OF_ALERT = ("job", "monitor", "feature", "window", "kind")
_NO_FOR = (
    "No `for:` here: k of m windows is counted by the daemon, and a `for:` would only repeat one "
    "result. The kind of change is no label: it may differ from window to window, and each would "
    "be another alert."
)
_WHERE = f"{name('monitor')}: {name('feature')} over {name('window')}"


def groups(join: Joined, links: LinkSettings) -> tuple[Group, ...]:
    """The rules about findings, with the records that they read."""
    found = (
        *_drift(links),
        *_volume(links),
        *_of_segments(links),
        *_shared(join, links),
        *_no_data(links),
        _column(links),
    )
    return (
        Group("driftwatch-findings", (*records(join), *found)),
        Group("driftwatch-by-threshold", (_above_threshold(join, links),)),
    )


def _links(links: LinkSettings, alert: str, *more: str) -> dict[str, str]:
    of_feature = ("monitor", "feature", "window")
    return {
        **text.explanation(links, *more),
        **text.dashboard(links, "driftwatch-feature", *of_feature),
        **text.runbook(links, alert),
    }


def _drift(links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchDrift"
    change = f"; change {text.word('change')}, look first at {text.word('next_step')}"
    for severity, level in _LEVELS:
        yield Alert(
            alert,
            f'{HELD_LEVEL}{{kind="drift"}} == {level}',
            severity,
            f"A feature of a monitor drifts from its reference: {severity}.",
            {
                "description": f"{_WHERE} drifts"
                + text.clause(
                    "driftwatch_effect_size", f": effect {text.value()} standard deviations"
                )
                + text.clause(
                    "driftwatch_drift_value",
                    f"; {text.value()} by {text.word('measure')}",
                    ',measure!="effect"',
                )
                + text.clause(
                    "driftwatch_drift_threshold",
                    f", limit {text.value()}",
                    f',severity="{severity}"',
                )
                + text.clause("driftwatch_change_info", change)
                + ".",
                "since": text.since("driftwatch_alert_since_timestamp_seconds", _OF_ALERT),
                "top_features": text.top_features(),
                **_links(links, alert),
            },
            why=_NO_FOR if severity is Severity.CRITICAL else "",
        )


def _volume(links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchVolume"
    for severity, level in _LEVELS:
        yield Alert(
            alert,
            f'{HELD_LEVEL}{{kind="volume"}} == {level}',
            severity,
            f"A monitor has far more or far fewer rows than usual: {severity}.",
            {
                "description": f"{name('monitor')}: the number of rows over {name('window')} is "
                "not what it usually is"
                + text.clause("driftwatch_window_rows", f": {text.value('%.0f')} rows")
                + text.clause("driftwatch_drift_value", f", {text.value()} times as many")
                + text.clause(
                    "driftwatch_drift_threshold",
                    f"; limit {text.value()} times, or that fraction",
                    f',severity="{severity}"',
                )
                + ".",
                "since": text.since("driftwatch_alert_since_timestamp_seconds", _OF_ALERT),
                **_links(links, alert),
            },
        )


def _of_segments(links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchSegmentDrift"
    for severity, level in _LEVELS:
        yield Alert(
            alert,
            f'{HELD_SEGMENT_LEVEL}{{kind=~"drift|volume"}} == {level}',
            severity,
            f"A segment or a version of a monitor drifts from its reference: {severity}.",
            {
                "description": f"{_WHERE} drifts in {name('segment')}; driftwatch explain "
                "--segment shows it. The numbers on /metrics are those of all rows.",
                "since": text.since(
                    "driftwatch_segment_alert_since_timestamp_seconds", (*_OF_ALERT, "segment")
                ),
                **_links(links, alert, "segment"),
            },
        )


def _shared(join: Joined, links: LinkSettings) -> Iterator[Alert]:
    """One alert of one feature in several monitors. With the user's labels in its identity, so
    that each team is told where the alerts that it mutes would have gone."""
    alert = "DriftwatchSharedFeature"
    drift = f'{HELD_LEVEL}{{kind="drift"}}'
    labels = ", ".join(("job", "source", "feature", *join.names))
    of_feature = ("job", "source", "feature")
    filled = text.selector(HELD_LEVEL, of_feature, ',kind="drift"')
    monitors = text.several(
        f"topk(20, max by (monitor) ({filled}))",
        of_feature,
        '{{ $one | label "monitor" }}',
    )
    for severity, level in _LEVELS:
        yield Alert(
            alert,
            f"max by ({labels}) ({drift}) == {level}\n"
            "and on (job, source, feature)\n"
            f"count by (job, source, feature) (group by (job, source, feature, monitor) ({drift}))"
            " > 1",
            severity,
            f"The same feature drifts in several monitors of a source: {severity}.",
            {
                "description": f"{name('feature')} of source {name('source')} drifts in several "
                "monitors: look upstream, at what they have in common.",
                "monitors": monitors,
                **text.dashboard(links, "driftwatch-fleet"),
                **text.runbook(links, alert),
            },
        )


def _no_data(links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchNoData"
    for severity, level in _LEVELS:
        yield Alert(
            alert,
            f'{HELD_LEVEL}{{kind="no_data"}} == {level}',
            severity,
            f"The windows of a monitor are empty: {severity}.",
            {
                "description": f"{name('monitor')}: no rows over {name('window')}.",
                "since": text.since("driftwatch_alert_since_timestamp_seconds", _OF_ALERT),
                **text.dashboard(links, "driftwatch-monitor", "monitor"),
                **text.runbook(links, alert),
            },
        )


def _column(links: LinkSettings) -> Alert:
    alert = "DriftwatchColumn"
    return Alert(
        alert,
        f'{HELD_LEVEL}{{kind="column"}} > 0',
        Severity.WARNING,
        "A column is gone, has another type or cannot be read.",
        {
            "description": f"{name('monitor')}: {name('feature')} is not counted; driftwatch "
            "status says why. The other features are.",
            "since": text.since("driftwatch_alert_since_timestamp_seconds", _OF_ALERT),
            **text.dashboard(links, "driftwatch-monitor", "monitor"),
            **text.runbook(links, alert),
        },
        why="Told by the daemon when the shortest window that lacks the column ends.",
    )


def _above_threshold(join: Joined, links: LinkSettings) -> Alert:
    alert = "DriftwatchAboveThreshold"
    value, limit = "driftwatch_drift_value", "driftwatch_drift_threshold"
    lowest = "min without (instance, pod, severity)"
    expr = f"""\
{merged(value)} >= {lowest} ({limit})
or
{merged(f'{value}{{measure="volume"}}')} <= 1 / {lowest} ({limit}{{measure="volume"}})"""
    return Alert(
        alert,
        join.to(expr),
        INFO,
        "The newest window of a feature is beyond its lowest limit.",
        {
            "description": f'{_WHERE} is at {{{{ $value | printf "%.3g" }}}} by {name("measure")}.',
            **_links(links, alert),
        },
        why=(
            "For those who want Prometheus alone to decide: value against limit, nothing else. It "
            "does not know whether the difference is real, k of m, exclusions or harm, so its "
            "severity is info and nobody is paged twice. It asks for no numbers: there may be one "
            "for each feature. Of a volume a limit f is reached at f and above and at 1/f and "
            "below."
        ),
    )
