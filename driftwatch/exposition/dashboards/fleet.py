"""All monitors at once: who is worst, who is blind, what fires."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row

from driftwatch.exposition.dashboards import link, look, panel, query, variable
from driftwatch.verdict.policy import Reason

CHOSEN = 'monitor=~"$monitor"'
IN_WINDOWS = f'{CHOSEN},window=~"$window"'

WAITING = (
    Reason.TOO_FEW_ROWS,
    Reason.NO_REFERENCE,
    Reason.FEW_REFERENCE_WINDOWS,
    Reason.NOT_SCANNED,
)
"""Reasons of `learning` that pass by themselves."""

ALERTS = '{__name__=~"driftwatch_(segment_)?alert_level",%s}'
"""Levels of all alerts, those of segments included."""


def fleet() -> Dashboard:
    """The view of all monitors."""
    made = panel.view(
        link.FLEET,
        "fleet",
        "Every monitor by its worst verdict, the worst first; what is judged, learning or stale;"
        " what fires. Grey is not green: nothing was judged there.",
        since="now-14d",
        refresh="5m",
    )
    panel.choosing(
        made,
        variable.prometheus(),
        variable.several("monitor", "Monitor", "label_values(driftwatch_monitor_info, monitor)"),
        variable.several(
            "window",
            "Window",
            'label_values(driftwatch_features_drifting{monitor=~"$monitor"}, window)',
        ),
    )
    panel.laid(made.with_row(Row("Coverage")), _tiles(), wide=4, high=4)
    return (
        made.with_row(Row("Monitors"))
        .with_panel(panel.placed(_verdicts(), wide=24, high=12))
        .with_panel(panel.placed(_firing(), wide=24, high=9))
        .with_panel(panel.placed(_monitors(), wide=24, high=10))
        .with_row(Row("What is judged"))
        .with_panel(panel.placed(_drifting(), wide=12, high=9))
        .with_panel(panel.placed(_not_judged(), wide=12, high=9))
    )


def _tiles() -> Iterator[stat.Panel]:
    judged = f"count by (monitor) (driftwatch_verdict_level{{{CHOSEN}}})"
    waiting = f'driftwatch_not_judged{{{CHOSEN},reason=~"{"|".join(WAITING)}"}}'
    yield _tile(
        "Watched",
        "Monitors that are configured.",
        f"count by (monitor) (driftwatch_monitor_info{{{CHOSEN}}})",
        look.BLUE,
    )
    yield _tile(
        "Firing",
        "Monitors with an alert that fires, segments included.",
        f"count by (monitor) ({ALERTS % CHOSEN} > 0)",
        look.RED,
    )
    yield _tile(
        "Judged", "Monitors with a verdict in their latest windows.", judged, look.GREEN, good=True
    )
    yield _tile(
        "Learning",
        "Monitors without a verdict that wait for rows, for a reference or for a whole window.",
        f"count by (monitor) ({waiting}) unless {judged}",
        look.ORANGE,
    )
    yield _tile(
        "Blind",
        "Monitors that are watched and have no verdict at all, whatever the reason.",
        f"count by (monitor) (driftwatch_monitor_info{{{CHOSEN}}}) unless {judged}",
        look.ORANGE,
    )
    yield _tile(
        "Stale",
        "Monitors without a successful evaluation for three of their intervals and five minutes.",
        _stale(),
        look.RED,
    )


def _tile(
    title: str, description: str, monitors: str, color: str, *, good: bool = False
) -> stat.Panel:
    steps = (
        look.steps((None, look.GREY), (1, color))
        if good or color == look.BLUE
        else look.bad_from(1, color)
    )
    tile = panel.number(title, description).thresholds(steps)
    return panel.asking(tile, query.at_end(f"count({monitors}) or vector(0)", title))


def _stale() -> str:
    def newest(name: str) -> str:
        return f"max by (monitor) (driftwatch_{name}{{{CHOSEN}}})"

    succeeded = newest("evaluation_last_success_timestamp_seconds")
    patience = f"3 * {newest('evaluation_interval_seconds')} + 300"
    return (
        f"time() - {succeeded} > {patience}"
        f" or (time() - {newest('monitor_added_timestamp_seconds')} > {patience}"
        f" unless {succeeded})"
    )


def _drifting_at(severity: str, at: str = "") -> str:
    """Monitors with features of this severity; at: " @ end()" for those of the end."""
    one = f'driftwatch_features_drifting{{severity="{severity}",{IN_WINDOWS}}}'
    features = f"{one}{at}" if at else f"max_over_time({one}[$__rate_interval])"
    return f"max by (monitor) ({features}) > 0"


def _state() -> str:
    """The worst verdict of each monitor over time; -1 wherever nothing is known of it."""
    return (
        f"({_drifting_at('critical')}) * 0 {look.CRITICAL:+d}"
        f" or ({_drifting_at('warning')}) * 0 {look.WARNING:+d}"
        f" or max by (monitor) (driftwatch_verdict_level{{{IN_WINDOWS}}}) * 0"
        f" or max by (monitor) (last_over_time(driftwatch_monitor_info{{{CHOSEN}}}[$__range]"
        f" @ end())) * 0 {look.NOT_JUDGED:+d}"
    )


def _verdicts() -> statetimeline.Panel:
    """One query per verdict of the end: panels keep the order of their queries, and so the worst
    monitors stand first. A range query cannot sort."""
    now = " @ end()"
    critical, warning = _drifting_at("critical", now), _drifting_at("warning", now)
    judged = f"max by (monitor) (driftwatch_verdict_level{{{IN_WINDOWS}}} @ end())"
    groups = (
        f"and on (monitor) ({critical})",
        f"and on (monitor) ({warning}) unless on (monitor) ({critical})",
        f"unless on (monitor) {judged}",
        f"and on (monitor) {judged} unless on (monitor) ({critical} or {warning})",
    )
    made = (
        panel.timeline(
            "Worst verdict per monitor",
            "One row per monitor, the worst first: critical now, warning now, not judged now, ok"
            " now; by name among these. Grey: nothing was judged, or nobody looked. It follows the"
            " time of the evaluations, not that of the rows.",
        )
        .interval("5m")
        .max_data_points(336)
        .display_name("${__field.labels.monitor}")
        .data_links([link.to_monitor(link.of_series("monitor"))])
    )
    asked = [
        query.over_time(f"({_state()}) {group}", "{{monitor}}", query.ref(number))
        for number, group in enumerate(groups)
    ]
    return panel.asking(made, *asked)


def _firing() -> table.Panel:
    by = "monitor, feature, window, kind, segment"
    alerts = f"max by ({by}) ({ALERTS % IN_WINDOWS}) > 0"
    whole = f'{IN_WINDOWS},segment=""'
    of_all_rows = f"max by ({by}) ({ALERTS % whole}) > 0"
    # The change of all rows; two replicas may tell two for a moment, and a join takes one.
    change = (
        "topk by (monitor, feature, window) (1, max by (monitor, feature, window, change,"
        f" next_step) (driftwatch_change_info{{{IN_WINDOWS}}}))"
    )
    explained = (
        f"({of_all_rows}) * on (monitor, feature, window) group_left (change, next_step) {change}"
    )
    made = (
        panel.rows_of(
            "What fires",
            "Alerts that fire, critical ones first, with the kind of change and where to look"
            " next. A feature named @volume is the number of rows.",
        )
        .transformations(
            [panel.without("Time", renamed={"Value": "severity", "next_step": "next step"})]
        )
        .override_by_name("severity", look.in_colour(look.alert_numbers()))
        .override_by_name("monitor", [look.linked(link.to_monitor(link.of_row("monitor")))])
        .override_by_name("feature", [look.linked(_feature_of_row())])
        .sort_by([TableSortByFieldState().display_name("severity").desc(True)])
        .no_value("nothing fires")
    )
    return panel.asking(made, query.as_rows(f"sort_desc({explained} or on ({by}) {alerts})"))


def _feature_of_row() -> DashboardLink:
    row = link.of_row
    return link.to_feature(row("monitor"), row("feature"), row("window"))


def _monitors() -> table.Panel:
    drifting = f'driftwatch_features_drifting{{severity="%s",{IN_WINDOWS}}}'
    asked = (
        ("critical", f"max by (monitor) ({drifting % 'critical'})"),
        ("warning", f"max by (monitor) ({drifting % 'warning'})"),
        ("not judged", f"max by (monitor) (driftwatch_features_not_judged{{{IN_WINDOWS}}})"),
        (
            "behind",
            f"time() - max by (monitor) (driftwatch_watermark_timestamp_seconds{{{CHOSEN}}})",
        ),
        (
            "evaluated",
            "time() - max by (monitor)"
            f" (driftwatch_evaluation_last_success_timestamp_seconds{{{CHOSEN}}})",
        ),
    )
    names = {f"Value #{query.ref(number)}": name for number, (name, _) in enumerate(asked)}
    ages = [look.prop("unit", panel.SECONDS), look.prop("decimals", 0)]
    made = (
        panel.rows_of(
            "Monitors",
            "Features of the window that has most of them: critical, warning, not judged. Behind:"
            " age of the event time that is scanned. Evaluated: age of the last success.",
        )
        .transformations([panel.joined(), panel.without("Time", renamed=names)])
        .override_by_name(
            "critical", look.in_colour(thresholds=((None, look.GREEN), (1, look.RED)))
        )
        .override_by_name(
            "warning", look.in_colour(thresholds=((None, look.GREEN), (1, look.ORANGE)))
        )
        .override_by_name(
            "not judged", look.in_colour(thresholds=((None, look.GREEN), (1, look.GREY)))
        )
        .override_by_name("behind", ages)
        .override_by_name("evaluated", ages)
        .override_by_name("monitor", [look.linked(link.to_monitor(link.of_row("monitor")))])
        .sort_by(
            [
                TableSortByFieldState().display_name(name).desc(True)
                for name in ("critical", "warning", "not judged")
            ]
        )
    )
    queries = [query.as_rows(one, query.ref(number)) for number, (_, one) in enumerate(asked)]
    return panel.asking(made, *queries)


def _drifting() -> timeseries.Panel:
    made = panel.curves(
        "Features that drift",
        "Features with the verdict warning or critical, of the window that has most of them.",
        panel.COUNT,
    ).min(0)
    flagged = f"sum by (monitor, window) (driftwatch_features_drifting{{{IN_WINDOWS}}})"
    return panel.asking(made, query.over_time(f"max by (monitor) ({flagged})", "{{monitor}}"))


def _not_judged() -> timeseries.Panel:
    made = panel.amounts(
        "Features that are not judged",
        "By reason, over all monitors and windows. Waiting passes by itself; what cannot be"
        " watched as it is does not.",
        panel.COUNT,
    )
    grey = f"max by (monitor, feature, window, reason) (driftwatch_not_judged{{{IN_WINDOWS}}})"
    return panel.asking(made, query.over_time(f"sum by (reason) ({grey})", "{{reason}}"))
