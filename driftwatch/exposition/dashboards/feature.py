"""One feature: the window against the reference, bin by bin, and its figures over time."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import (
    barchart,
    stat,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.models import common

from driftwatch.exposition.dashboards import link, look, panel, query, sql, variable
from driftwatch.exposition.dashboards.monitor import annotations

OF_FEATURE = 'monitor="$monitor",feature="$feature",window="$window"'

_DASHED = look.prop("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})


def feature(store: sql.Store) -> Dashboard:
    """The view of one feature."""
    made = panel.view(
        link.FEATURE,
        "feature",
        "One feature: the newest window of the shown time against its reference, bin by bin, what"
        " carries the drift, missing and unseen values, and its figures over time.",
        since="now-14d",
        refresh="5m",
    )
    panel.choosing(
        made,
        variable.prometheus(),
        variable.store(store.kind),
        variable.monitor(),
        variable.feature(),
        variable.window(),
        variable.segment(store.kind),
    )
    of_feature = f"n.monitor = {sql.MONITOR} AND n.feature IN ('', {sql.FEATURE})"
    for note in annotations(store, of_feature):
        made.annotation(note)
    panel.laid(made.with_row(Row("Now")), _tiles(), wide=4, high=4)
    return (
        made.with_row(Row("Current against reference"))
        .with_panel(panel.placed(_bins(store), wide=24, high=11))
        .with_panel(panel.placed(_carriers(store), wide=14, high=10))
        .with_panel(panel.placed(_missing(), wide=10, high=10))
        .with_row(Row("Over time"))
        .with_panel(panel.placed(_judged(), wide=12, high=9))
        .with_panel(panel.placed(_effect(), wide=12, high=9))
        .with_panel(panel.placed(_divergences(), wide=12, high=9))
        .with_panel(panel.placed(_rows(), wide=12, high=9))
        .with_row(Row("Segments and results"))
        .with_panel(panel.placed(_segments(store), wide=24, high=10))
        .with_panel(panel.placed(_results(store), wide=24, high=12))
    )


def _latest(metric: str, by: str = "feature") -> str:
    return f"max by ({by}) (driftwatch_{metric}{{{OF_FEATURE}}})"


def _tiles() -> Iterator[stat.Panel]:
    verdict, unknown = _latest("verdict_level"), _latest("window_rows")
    yield panel.asking(
        panel.number("Verdict", "The verdict of the latest window.", panel.NUMBER).mappings(
            [look.verdict_numbers()]
        ),
        query.at_end(f"{verdict} or {unknown} * 0 {look.NOT_JUDGED:+d}"),
    )
    for title, metric, label, nothing in (
        ("Change", "change_info", "change", "nothing flagged"),
        ("Look next at", "change_info", "next_step", "nothing flagged"),
        ("Not judged because", "not_judged", "reason", "it is judged"),
    ):
        yield panel.asking(
            panel.number(
                title, f"The label {label} of driftwatch_{metric}, in words.", panel.NUMBER
            )
            .text_mode(common.BigValueTextMode.NAME)
            .color_mode(common.BigValueColorMode.NONE)
            .no_value(nothing),
            query.at_end(_latest(metric, label), f"{{{{{label}}}}}"),
        )
    yield panel.asking(
        panel.number("Reference", "Rows of the active reference.").color_mode(
            common.BigValueColorMode.NONE
        ),
        query.at_end(
            'max(driftwatch_reference_rows{monitor="$monitor",feature="$feature"})', "rows"
        ),
    )
    yield panel.asking(
        panel.number("Segments", "Segments in which the feature drifts.")
        .thresholds(look.bad_from(1, look.ORANGE))
        .no_value("none"),
        query.at_end(f"{_latest('segments_drifting')} or vector(0)"),
    )


def _pictured(store: sql.Store) -> str:
    """The newest result of the shown time whose bins are kept, and the rows of both sides."""
    return (
        "WITH chosen AS (SELECT r.id FROM result r"
        f" WHERE r.monitor = {sql.MONITOR} AND r.feature = {sql.FEATURE}"
        f" AND r.segment = {sql.SEGMENT} AND {sql.in_window('r')} AND r.window_end <= {store.end}"
        " AND EXISTS (SELECT 1 FROM result_bin k WHERE k.result_id = r.id)"
        " ORDER BY r.window_end DESC, r.reference_version DESC LIMIT 1),"
        " bins AS (SELECT b.*, SUM(b.current_rows) OVER () AS current_total,"
        " SUM(b.reference_rows) OVER () AS reference_total"
        " FROM result_bin b JOIN chosen c ON c.id = b.result_id)"
    )


_SHARES = (
    "1.0 * b.reference_rows / NULLIF(b.reference_total, 0) AS reference,"
    ' 1.0 * b.current_rows / NULLIF(b.current_total, 0) AS "current"'
)


def _bins(store: sql.Store) -> barchart.Panel:
    asked = f"{_pictured(store)} SELECT b.label AS bin, {_SHARES} FROM bins b ORDER BY b.cell"
    made = (
        panel.bars(
            "Current against reference",
            "Share of the rows in each bin, level, other, unseen and missing: of the reference and"
            " of the newest window in the shown time whose bins are kept (that is the newest one,"
            " and each that was flagged). Move the end of the shown time to see an older one.",
            panel.RATIO,
            named_by="bin",
        )
        .min(0)
        .override_by_name("reference", [look.fixed(look.GREY)])
        .override_by_name("current", [look.fixed(look.BLUE)])
    )
    return panel.asking(made, store.query(asked), of=sql.datasource(store.kind))


def _carriers(store: sql.Store) -> table.Panel:
    asked = (
        f"{_pictured(store)} SELECT b.label AS bin,"
        " CASE WHEN b.carries THEN 'carries the change' ELSE '' END AS role,"
        f" {_SHARES}, b.js_contribution AS js, b.p_value AS p"
        " FROM bins b ORDER BY b.carries DESC, COALESCE(b.js_contribution, 0) DESC, b.cell"
    )
    shares = [look.prop("unit", panel.RATIO), look.prop("decimals", 1)]
    numbers = [look.prop("unit", panel.NUMBER)]
    made = (
        panel.rows_of(
            "What carries the drift",
            "Bins by what they add to the JS divergence (nats), those in which the change of a"
            " flagged window lies first; p: how likely the rows of this bin alone are without"
            " drift.",
        )
        .override_by_name(
            "role", look.in_colour(look.values(("carries the change", "carries it", look.ORANGE)))
        )
        .override_by_name("reference", shares)
        .override_by_name("current", shares)
        .override_by_name("js", [*numbers, look.prop("decimals", 4)])
        .override_by_name("p", [look.prop("unit", "sci")])
    )
    return panel.asking(made, store.query(asked), of=sql.datasource(store.kind))


def _missing() -> timeseries.Panel:
    made = panel.curves(
        "Missing and unseen",
        "Share of the window's rows without a value (NULL or NaN), and with a level that the"
        " reference did not hold.",
        panel.RATIO,
    ).min(0)
    return panel.asking(
        made,
        query.over_time(_latest("missing_ratio"), "missing", "A"),
        query.over_time(_latest("unseen_ratio"), "unseen", "B"),
    )


def _judged() -> timeseries.Panel:
    made = (
        panel.curves(
            "What is judged, and its limits",
            "The value that the verdict is about, in the unit of its measure, and the limits that"
            " it is held against. Of @volume: rows over the median of the reference's own"
            " windows; a limit f is also reached at 1/f and below.",
            panel.NUMBER,
        )
        .override_by_regexp("/warning/", [look.fixed(look.ORANGE), _DASHED])
        .override_by_regexp("/critical/", [look.fixed(look.RED), _DASHED])
        .min(0)
    )
    return panel.asking(
        made,
        query.over_time(_latest("drift_value", "measure"), "{{measure}}", "A"),
        query.over_time(_latest("drift_threshold", "measure, severity"), "{{severity}}", "B"),
    )


def _effect() -> timeseries.Panel:
    made = panel.curves(
        "Effect",
        "How far the window is, in standard deviations: the shift of a normal feature with the same"
        " divergence, sampling taken off.",
        panel.NUMBER,
    ).min(0)
    return panel.asking(made, query.over_time(_latest("effect_size"), "effect"))


def _divergences() -> timeseries.Panel:
    made = panel.curves(
        "Divergences",
        "In nats: JS, symmetric, at most 0.693; KL(current‖reference), the reference smoothed by"
        " half a row per bin.",
        panel.NUMBER,
    ).min(0)
    return panel.asking(
        made,
        query.over_time(_latest("js_divergence_nats"), "JS", "A"),
        query.over_time(_latest("kl_divergence_nats"), "KL", "B"),
    )


def _rows() -> timeseries.Panel:
    made = panel.curves("Rows of the window", "Rows that were compared.", panel.COUNT).min(0)
    return panel.asking(made, query.over_time(_latest("window_rows"), "rows"))


def _segments(store: sql.Store) -> statushistory.Panel:
    asked = (
        f"SELECT {store.moment('MAX(r.window_end)')} AS \"time\", CASE WHEN r.segment = ''"
        f" THEN '{sql.ALL_ROWS}' ELSE r.segment END AS segment, MAX({sql.effect('r')}) AS effect"
        f" FROM result r WHERE r.monitor = {sql.MONITOR} AND r.feature = {sql.FEATURE}"
        f" AND r.segment NOT LIKE '@%' AND {sql.in_window('r')} AND {store.shown('r.window_end')}"
        " AND r.reference_version = (SELECT MAX(o.reference_version) FROM result o"
        " WHERE o.monitor = r.monitor AND o.feature = r.feature AND o.segment = r.segment"
        " AND o.window_seconds = r.window_seconds AND o.window_end = r.window_end)"
        f" GROUP BY r.segment, {store.slot('r.window_end')}"
        f" ORDER BY r.segment, {store.slot('r.window_end')}"
    )
    made = (
        panel.heat_map(
            "How far it is in each segment",
            "Effect of each window, in standard deviations; all rows first. Grey was not judged.",
            panel.NUMBER,
        )
        .transformations([panel.series_per("segment")])
        .display_name("${__field.labels.segment}")
    )
    return panel.asking(made, store.query(asked, "time"), of=sql.datasource(store.kind))


def _results(store: sql.Store) -> table.Panel:
    asked = (
        f'SELECT {store.moment("r.window_end")} AS "until", r.verdict, r.effect, r.value,'
        " r.rows, r.change, r.next_step,"
        " COALESCE(NULLIF(r.explanation, ''), r.message) AS says, r.compared_with, r.excluded"
        f" FROM result r WHERE r.monitor = {sql.MONITOR} AND r.feature = {sql.FEATURE}"
        f" AND r.segment = {sql.SEGMENT} AND {sql.in_window('r')} AND {store.shown('r.window_end')}"
        " ORDER BY r.window_end DESC, r.reference_version DESC LIMIT 500"
    )
    numbers = [look.prop("unit", panel.NUMBER), look.prop("decimals", 3)]
    renamed = {"next_step": "next step", "compared_with": "compared with"}
    made = (
        panel.rows_of(
            "Results",
            "Every window of the shown time, newest first: its verdict, what changed and where to"
            " look next, what it was compared with, and why it pages nobody where it is excluded.",
        )
        .transformations([panel.without(renamed=renamed)])
        .override_by_name("verdict", look.in_colour(look.verdict_words()))
        .override_by_name("effect", numbers)
        .override_by_name("value", numbers)
        .override_by_name("says", [look.prop("custom.minWidth", 400)])
    )
    return panel.asking(made, store.query(asked, "until"), of=sql.datasource(store.kind))
