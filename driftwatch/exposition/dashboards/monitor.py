"""One monitor: its features by time, and what happened to it."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import (
    bargauge,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard, Row

from driftwatch.exposition.dashboards import link, look, panel, query, sql, variable
from driftwatch.verdict.policy import VOLUME

CHOSEN = 'monitor="$monitor"'
IN_WINDOW = f'{CHOSEN},window="$window"'

_ANNOTATIONS = (
    ("Releases", "purple", True, ("new_version", "hand_over")),
    ("Exclusions", look.GREY, True, ("excluded",)),
    ("Accepted changes", look.BLUE, True, ("accepted", "reference")),
    ("Counted again", "light-yellow", False, ("revised",)),
)
"""Name, colour, whether it is shown at first, and kinds of the table `annotation`."""


def monitor(store: sql.Store) -> Dashboard:
    """The view of one monitor."""
    made = panel.view(
        link.MONITOR,
        "monitor",
        "One monitor: its features by time as a heat map, with releases, exclusions and accepted"
        " changes; what its newest windows say; segments and alerts.",
        since="now-14d",
        refresh="5m",
    )
    panel.choosing(
        made,
        variable.prometheus(),
        variable.store(store.kind),
        variable.monitor(),
        variable.window(),
        variable.segment(store.kind),
    )
    for note in annotations(store, f"n.monitor = {sql.MONITOR}"):
        made.annotation(note)
    panel.laid(made.with_row(Row("Now")), _tiles(), wide=4, high=4)
    return (
        made.with_row(Row("Features by time"))
        .with_panel(panel.placed(_effects(store), wide=24, high=14))
        .with_panel(panel.placed(_verdicts(store), wide=24, high=12))
        .with_row(Row("The newest windows"))
        .with_panel(panel.placed(_newest(store), wide=24, high=11))
        .with_panel(panel.placed(_explained(), wide=12, high=9))
        .with_panel(panel.placed(_volume(), wide=12, high=9))
        .with_row(Row("Segments and alerts"))
        .with_panel(panel.placed(_segments(store), wide=12, high=10))
        .with_panel(panel.placed(_events(store), wide=12, high=10))
    )


def annotations(store: sql.Store, which: str) -> Iterator[AnnotationQuery]:
    """What happened, beside the curves; which: a condition on the rows of `annotation` (n)."""
    for name, color, enabled, kinds in _ANNOTATIONS:
        listed = ", ".join(f"'{kind}'" for kind in kinds)
        asked = (
            f'SELECT {store.moment("n.range_start")} AS "time",'
            f' {store.moment("n.range_end")} AS "timeEnd",'
            f" n.message AS text, n.kind AS tags, n.feature AS title"
            f" FROM annotation n WHERE {which} AND n.kind IN ({listed})"
            f" AND n.range_start <= {store.end} AND n.range_end >= {store.start}"
            " ORDER BY n.range_start"
        )
        yield (
            AnnotationQuery()
            .name(name)
            .datasource(sql.datasource(store.kind))
            .enable(enabled)
            .icon_color(color)
            .target(store.query(asked, "time", "timeEnd"))
        )


def _tiles() -> Iterator[stat.Panel]:
    def features(severity: str) -> str:
        return (
            f'max by (monitor) (driftwatch_features_drifting{{severity="{severity}",{IN_WINDOW}}})'
        )

    worst = f"max by (monitor) (driftwatch_verdict_level{{{IN_WINDOW}}})"
    unknown = f"max by (monitor) (driftwatch_monitor_info{{{CHOSEN}}}) * 0 {look.NOT_JUDGED:+d}"
    yield panel.asking(
        panel.number("Verdict", "The worst verdict of the latest windows.", panel.NUMBER).mappings(
            [look.verdict_numbers()]
        ),
        query.at_end(f"{worst} or {unknown}"),
    )
    for title, expression, color in (
        ("Critical", features("critical"), look.RED),
        ("Warning", features("warning"), look.ORANGE),
        (
            "Not judged",
            f"max by (monitor) (driftwatch_features_not_judged{{{IN_WINDOW}}})",
            look.GREY,
        ),
    ):
        yield panel.asking(
            panel.number(title, f"Features whose latest window is: {title.lower()}.").thresholds(
                look.bad_from(1, color)
            ),
            query.at_end(expression),
        )
    yield panel.asking(
        panel.number(
            "Behind",
            "Age of the event time up to which the log is scanned.",
            panel.SECONDS,
        ).decimals(0),
        query.at_end(
            f"time() - max by (monitor) (driftwatch_watermark_timestamp_seconds{{{CHOSEN}}})"
        ),
    )
    yield panel.asking(
        panel.number("Firing", "Alerts of the monitor that fire, of any window.").thresholds(
            look.bad_from(1)
        ),
        query.at_end(
            "count(max by (feature, window, kind, segment)"
            f' ({{__name__=~"driftwatch_(segment_)?alert_level",{CHOSEN}}}) > 0) or vector(0)'
        ),
    )


def _history(store: sql.Store, value: str, name: str, *, volume: bool) -> str:
    """A row per feature and part of the shown time, the worst value in it; the features with the
    worst newest window first."""
    without_volume = "" if volume else f" AND r.feature <> '{VOLUME}'"
    # By window functions alone: joined with itself, SQLite compares each row with every other. The
    # features are listed so that the table is found by its key, which has them before the time.
    return (
        f"WITH shown AS (SELECT r.feature, r.window_end, r.effect, {value} AS shown_value,"
        f" {sql.level('r')} AS verdict_level, {store.slot('r.window_end')} AS slot,"
        " ROW_NUMBER() OVER (PARTITION BY r.feature, r.window_end"
        " ORDER BY r.reference_version DESC) AS older"
        f" FROM result r WHERE r.monitor = {sql.MONITOR} AND r.segment = {sql.SEGMENT}"
        f" AND r.feature IN (SELECT l.feature FROM latest_result l WHERE l.monitor = {sql.MONITOR})"
        f" AND {sql.in_window('r')} AND {store.shown('r.window_end')}{without_volume}),"
        " ranked AS (SELECT s.feature, s.window_end, s.shown_value, s.slot,"
        " FIRST_VALUE(s.verdict_level) OVER newest AS newest_level,"
        " FIRST_VALUE(COALESCE(s.effect, -1)) OVER newest AS newest_effect"
        " FROM shown s WHERE s.older = 1"
        " WINDOW newest AS (PARTITION BY s.feature ORDER BY s.window_end DESC))"
        f' SELECT {store.moment("MAX(r.window_end)")} AS "time", r.feature,'
        f" MAX(r.shown_value) AS {name}"
        " FROM ranked r GROUP BY r.feature, r.slot, r.newest_level, r.newest_effect"
        " ORDER BY r.newest_level DESC, r.newest_effect DESC, r.feature, r.slot"
    )


def _effects(store: sql.Store) -> statushistory.Panel:
    """A status history and not a heat map panel: that one takes rows for buckets of a number, and
    leaves out most names of 80 features."""
    made = (
        panel.heat_map(
            "How far each feature is",
            "Effect of each window, in standard deviations: the shift of a normal feature that"
            f" differs as much. Darkest from {look.FAR_EFFECT} on; grey was not judged. The"
            " features with the worst newest window stand first. Time is that of the rows: a"
            " window stands at its end.",
            panel.NUMBER,
        )
        .transformations([panel.series_per("feature")])
        .display_name("${__field.labels.feature}")
        .data_links(
            [
                link.to_feature(
                    link.chosen("monitor"), link.of_series("feature"), link.chosen("window")
                )
            ]
        )
    )
    asked = _history(store, sql.effect("r"), "effect", volume=False)
    return panel.asking(made, store.query(asked, "time"), of=sql.datasource(store.kind))


def _verdicts(store: sql.Store) -> statetimeline.Panel:
    made = (
        panel.timeline(
            "Verdict of each feature",
            "The same windows by verdict, with the number of rows (@volume). Grey was not judged.",
        )
        .transformations([panel.series_per("feature")])
        .display_name("${__field.labels.feature}")
        .data_links(
            [
                link.to_feature(
                    link.chosen("monitor"), link.of_series("feature"), link.chosen("window")
                )
            ]
        )
    )
    asked = _history(store, sql.level("r"), "verdict", volume=True)
    return panel.asking(made, store.query(asked, "time"), of=sql.datasource(store.kind))


def _newest(store: sql.Store) -> table.Panel:
    asked = (
        "SELECT r.feature, r.verdict, r.effect, r.change, r.next_step,"
        " COALESCE(NULLIF(r.explanation, ''), r.message) AS says,"
        " CASE WHEN r.rows > 0 THEN 1.0 * r.missing_rows / r.rows END AS missing,"
        " CASE WHEN r.rows > 0 THEN 1.0 * r.unseen_rows / r.rows END AS unseen,"
        f' r.rows, {store.moment("r.window_end")} AS "until"'
        " FROM latest_result l JOIN result r ON r.id = l.result_id"
        f" WHERE l.monitor = {sql.MONITOR} AND l.segment = {sql.SEGMENT}"
        f" AND {sql.in_window('l')}"
        f" ORDER BY {sql.level('r')} DESC, COALESCE(r.effect, -1) DESC, r.feature"
    )
    shares = [look.prop("unit", panel.RATIO), look.prop("decimals", 1)]
    made = (
        panel.rows_of(
            "Newest window of each feature",
            "The worst first, with what changed, how, and where to look next. Of the chosen"
            " window and segment.",
        )
        .transformations([panel.without(renamed={"next_step": "next step"})])
        .override_by_name("verdict", look.in_colour(look.verdict_words()))
        .override_by_name("effect", [look.prop("unit", panel.NUMBER), look.prop("decimals", 2)])
        .override_by_name("missing", shares)
        .override_by_name("unseen", shares)
        .override_by_name("says", [look.prop("custom.minWidth", 400)])
        .override_by_name(
            "feature",
            [
                look.linked(
                    link.to_feature(
                        link.chosen("monitor"), link.of_row("feature"), link.chosen("window")
                    )
                )
            ],
        )
    )
    return panel.asking(made, store.query(asked, "until"), of=sql.datasource(store.kind))


def _explained() -> bargauge.Panel:
    made = panel.shares(
        "What explains the prediction's drift",
        "How much of the drift of the prediction each feature explains, where that is flagged and"
        " explain_prediction is on. Shares overlap: they may add up to more than all.",
    ).no_value("the prediction is not flagged, or explain_prediction is off")
    share = f"max by (feature) (driftwatch_explained_share_ratio{{{IN_WINDOW}}})"
    return panel.asking(made, query.at_end(f"sort_desc({share})", "{{feature}}"))


def _volume() -> timeseries.Panel:
    made = panel.curves("Rows per window", "Rows of the latest window.", panel.COUNT).min(0)
    volume = f'driftwatch_window_rows{{feature="{VOLUME}",{CHOSEN}}}'
    return panel.asking(made, query.over_time(f"max by (window) ({volume})", "rows in {{window}}"))


def _segments(store: sql.Store) -> table.Panel:
    asked = (
        "SELECT r.segment, r.feature, r.verdict, r.effect, r.rows,"
        f' {store.moment("r.window_end")} AS "until"'
        " FROM latest_result l JOIN result r ON r.id = l.result_id"
        f" WHERE l.monitor = {sql.MONITOR} AND l.segment <> '' AND l.segment NOT LIKE '@%'"
        f" AND {sql.in_window('l')} AND r.verdict IN ('warning', 'critical')"
        f" ORDER BY {sql.level('r')} DESC, COALESCE(r.effect, -1) DESC, r.segment, r.feature"
        " LIMIT 200"
    )
    made = (
        panel.rows_of(
            "Segments that drift",
            "Parts of the rows, versions of the model included, whose newest window is flagged;"
            " the worst first.",
        )
        .override_by_name("verdict", look.in_colour(look.verdict_words()))
        .override_by_name("effect", [look.prop("unit", panel.NUMBER), look.prop("decimals", 2)])
        .no_value("no segment drifts")
    )
    return panel.asking(made, store.query(asked, "until"), of=sql.datasource(store.kind))


def _events(store: sql.Store) -> table.Panel:
    asked = (
        f'SELECT {store.moment("e.window_end")} AS "until", e.feature, e.kind, e.segment,'
        " e.to_state, e.to_severity, e.message"
        f" FROM alert_event e WHERE e.monitor = {sql.MONITOR} AND {store.shown('e.window_end')}"
        " ORDER BY e.window_end DESC, e.id DESC LIMIT 200"
    )
    renamed = {"to_state": "became", "to_severity": "severity"}
    made = (
        panel.rows_of(
            "Alerts", "Every change of an alert in the shown time, newest first; of any window."
        )
        .transformations([panel.without(renamed=renamed)])
        .override_by_name("severity", look.in_colour(look.verdict_words()))
        .override_by_name("message", [look.prop("custom.minWidth", 300)])
        .no_value("no alert changed")
    )
    return panel.asking(made, store.query(asked, "until"), of=sql.datasource(store.kind))
