"""driftwatch itself: whether it runs, and what it costs."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery

from driftwatch.exposition.dashboards import link, look, panel, query, variable

PROCESS = 'job=~"$job",instance=~"$instance"'
RATE = "[$__rate_interval]"
PER_SECOND = "ops"


def health() -> Dashboard:
    """The view of the daemon."""
    made = panel.view(
        link.HEALTH,
        "health and cost",
        "driftwatch itself: whether it is scraped, turns and reaches its stores; how evaluations"
        " end and how long they take; what it reads, exposes and uses.",
        since="now-24h",
        refresh="1m",
    )
    panel.choosing(
        made,
        variable.prometheus(),
        variable.several("job", "Job", "label_values(driftwatch_build_info, job)"),
        variable.several(
            "instance", "Instance", 'label_values(driftwatch_build_info{job=~"$job"}, instance)'
        ),
    )
    panel.laid(made.with_row(Row("Health")), _tiles(), wide=4, high=4)
    panel.laid(made, [_sources()], wide=24, high=6)
    panel.laid(made.with_row(Row("Evaluations")), _evaluations(), wide=12, high=8)
    panel.laid(made, [_slowest()], wide=24, high=9)
    panel.laid(made.with_row(Row("Cost")), _cost(), wide=12, high=8)
    panel.laid(made.with_row(Row("Messages")), _messages(), wide=12, high=8)
    return made


def _of(metric: str, more: str = "") -> str:
    return f"{metric}{{{PROCESS}{more}}}"


def _tiles() -> Iterator[stat.Panel]:
    yield panel.asking(
        panel.number(
            "Scraped", "Daemons that Prometheus reaches, of those that it knows."
        ).thresholds(look.steps((None, look.RED), (1, look.GREEN))),
        query.at_end(f"sum({_of('up')})", "up"),
        query.at_end(f"count({_of('up')})", "known", "B"),
    )
    yield panel.asking(
        panel.number(
            "Heartbeat", "Age of the last turn of the scheduler's loop.", panel.SECONDS
        ).thresholds(look.bad_from(300)),
        query.at_end(
            f"time() - max({_of('driftwatch_scheduler_heartbeat_timestamp_seconds')})", "age"
        ),
    )
    for title, description, metric, words in (
        (
            "Store",
            "Whether driftwatch's own store answered when it was last used.",
            "driftwatch_store_up",
            ("answers", "does not answer"),
        ),
        (
            "Configuration",
            "Whether the configuration that was read last is the one in use.",
            "driftwatch_config_last_reload_successful",
            ("in use", "refused"),
        ),
    ):
        yield panel.asking(
            panel.number(title, description, panel.NUMBER).mappings([look.up_down(*words)]),
            query.at_end(f"min({_of(metric)})", title.lower()),
        )
    yield panel.asking(
        panel.number("Notifications", "Notifications that wait for their delivery.").thresholds(
            look.bad_from(1, look.ORANGE)
        ),
        query.at_end(f"max({_of('driftwatch_notifications_pending')})", "waiting"),
    )
    yield panel.asking(
        panel.number("Left out", "Series that a limit of series keeps off the page.").thresholds(
            look.bad_from(1, look.ORANGE)
        ),
        query.at_end(f"sum(max by (monitor) ({_of('driftwatch_dropped_series')}))", "series"),
    )


def _sources() -> statetimeline.Panel:
    made = panel.timeline(
        "Sources", "Whether the latest query of each source was answered."
    ).mappings([look.up_down("answers", "does not answer")])
    asked = f"min by (source) ({_of('driftwatch_source_up')})"
    return panel.asking(made, query.over_time(asked, "{{source}}"))


def _evaluations() -> Iterator[timeseries.Panel]:
    yield _sums(
        "Evaluations by outcome",
        "Evaluations that ended; success and no_data are fine.",
        "driftwatch_evaluations_total",
        "outcome",
    )
    yield _sums(
        "Evaluations that did not start",
        "They were due and did not start, by reason.",
        "driftwatch_evaluations_skipped_total",
        "reason",
    )
    yield panel.asking(
        panel.curves(
            "Duration of the stages",
            "Of one evaluation: half and 95 of 100 are shorter. Scan is the time of the source,"
            " store that of driftwatch's tables, judge that of the statistics.",
            panel.SECONDS,
        ).min(0),
        *_quantiles("driftwatch_evaluation_stage_duration_seconds", "stage"),
    )
    yield panel.asking(
        panel.curves(
            "Delay of the schedule",
            "From when an evaluation was due to when it began: half and 95 of 100 are shorter.",
            panel.SECONDS,
        ).min(0),
        *_quantiles("driftwatch_schedule_delay_seconds"),
    )


def _sums(title: str, description: str, counter: str, label: str) -> timeseries.Panel:
    made = panel.amounts(title, description, panel.COUNT)
    asked = f"sum by ({label}) (increase({_of(counter)}{RATE}))"
    return panel.asking(made, query.over_time(asked, f"{{{{{label}}}}}"))


def _quantiles(metric: str, label: str = "") -> Iterator[Dataquery]:
    by = f"le, {label}" if label else "le"
    buckets = f"sum by ({by}) (rate({_of(f'{metric}_bucket')}{RATE}))"
    name = f"{{{{{label}}}}} " if label else ""
    for number, quantile in enumerate((0.5, 0.95)):
        asked = f"histogram_quantile({quantile}, {buckets})"
        yield query.over_time(asked, f"{name}{quantile:.0%}", query.ref(number))


def _slowest() -> table.Panel:
    def longest(metric: str) -> str:
        return f"max by (monitor) ({_of(metric)})"

    asked = (
        ("took", longest("driftwatch_evaluation_last_duration_seconds")),
        ("every", longest("driftwatch_evaluation_interval_seconds")),
        (
            "evaluated",
            f"time() - {longest('driftwatch_evaluation_last_completion_timestamp_seconds')}",
        ),
        ("not counted", longest("driftwatch_features_not_counted")),
        ("held", longest("driftwatch_ready_hold")),
        ("series", longest("driftwatch_exposed_series")),
    )
    names = {f"Value #{query.ref(number)}": name for number, (name, _) in enumerate(asked)}
    made = panel.rows_of(
        "Monitors",
        "How long the latest evaluation took, how often there is one and how long ago it ended;"
        " features that the newest scan could not count; 1 where the readiness query holds the"
        " watermark; series on the page.",
    ).transformations([panel.joined(), panel.without("Time", renamed=names)])
    for name in ("took", "every", "evaluated"):
        made = made.override_by_name(name, [look.prop("unit", panel.SECONDS)])
    made = made.override_by_name("monitor", [look.linked(link.to_monitor(link.of_row("monitor")))])
    queries = [query.as_rows(one, query.ref(number)) for number, (_, one) in enumerate(asked)]
    return panel.asking(made, *queries)


def _cost() -> Iterator[timeseries.Panel]:
    def per_second(metric: str) -> str:
        return f"rate({_of(metric)}{RATE})"

    yield panel.asking(
        panel.curves("Rows that sources count for us", "They never leave the source.", "rps").min(
            0
        ),
        query.over_time(
            f"sum by (source) ({per_second('driftwatch_source_rows_read_total')})", "{{source}}"
        ),
    )
    yield panel.asking(
        panel.curves("Queries of sources", "Sent, and not answered.", PER_SECOND).min(0),
        query.over_time(
            f"sum by (source) ({per_second('driftwatch_source_queries_total')})", "{{source}}", "A"
        ),
        query.over_time(
            f"sum by (source) ({per_second('driftwatch_source_query_failures_total')})",
            "{{source}} not answered",
            "B",
        ),
    )
    busy = per_second("driftwatch_evaluation_stage_duration_seconds_sum")
    yield panel.asking(
        panel.curves(
            "Evaluations at work",
            "Seconds of each stage per second: 100 % is one evaluation at all times.",
            panel.RATIO,
        ).min(0),
        query.over_time(f"sum by (stage) ({busy})", "{{stage}}"),
    )
    yield panel.asking(
        panel.curves("Processor", "Of the daemon: 100 % is one core.", panel.RATIO).min(0),
        query.over_time(
            f"sum by (instance) ({per_second('process_cpu_seconds_total')})", "{{instance}}"
        ),
    )
    yield panel.asking(
        panel.curves("Memory", "Resident memory of the daemon.", "bytes").min(0),
        query.over_time(
            f"max by (instance) ({_of('process_resident_memory_bytes')})", "{{instance}}"
        ),
    )
    series = f"max by (monitor) ({_of('driftwatch_exposed_series')})"
    yield panel.asking(
        panel.curves("Series per monitor", "The ten with most of them.", panel.COUNT).min(0),
        query.over_time(f"topk(10, {series})", "{{monitor}}"),
    )


def _messages() -> Iterator[timeseries.Panel]:
    yield _sums("Messages of the log", "By level.", "driftwatch_log_messages_total", "level")
    yield _sums(
        "Deliveries of notifications",
        "Attempts, by outcome.",
        "driftwatch_notifications_total",
        "outcome",
    )
    yield panel.asking(
        panel.amounts(
            "Panes counted again",
            "Because the log had changed, late rows included; and panes of which the log has lost"
            " rows, whose counts were kept.",
            panel.COUNT,
        ),
        query.over_time(
            f"sum(increase({_of('driftwatch_revised_panes_total')}{RATE}))", "counted again", "A"
        ),
        query.over_time(
            f"sum(increase({_of('driftwatch_shrunk_panes_total')}{RATE}))", "lost rows", "B"
        ),
    )
    yield _sums(
        "Rows deleted by age",
        "Of driftwatch's own tables, by table.",
        "driftwatch_pruned_rows_total",
        "table",
    )
