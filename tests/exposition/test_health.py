import logging
import time
from datetime import timedelta
from threading import Thread

import pytest

from driftwatch.exposition.health import Health, LogCounter
from driftwatch.exposition.outcomes import (
    LOG_LEVELS,
    OUTCOMES,
    PRUNED_TABLES,
    SKIP_REASONS,
    DeliveryOutcome,
)
from driftwatch.exposition.scrape import Format, render_health
from tests.exposition.readings import NOW, busy_health, samples, value_of

EVALUATIONS = "driftwatch_evaluations_total"
LAST_SUCCESS = "driftwatch_evaluation_last_success_timestamp_seconds"
LAST_COMPLETION = "driftwatch_evaluation_last_completion_timestamp_seconds"


def text_of(health: Health) -> bytes:
    return render_health(health, Format.TEXT)


def test_every_child_is_at_zero_before_anything_happened() -> None:
    health = Health()
    health.source_added("logs")
    health.monitor_added("m", now=NOW, interval_seconds=300)
    text = text_of(health)
    for outcome in OUTCOMES:
        assert value_of(text, EVALUATIONS, monitor="m", outcome=outcome) == 0
    for reason in SKIP_REASONS:
        name = "driftwatch_evaluations_skipped_total"
        assert value_of(text, name, monitor="m", reason=reason) == 0
    for delivery in DeliveryOutcome:
        assert value_of(text, "driftwatch_notifications_total", outcome=delivery) == 0
    for level in LOG_LEVELS:
        assert value_of(text, "driftwatch_log_messages_total", level=level) == 0
    for name in ("queries", "query_failures", "rows_read"):
        assert value_of(text, f"driftwatch_source_{name}_total", source="logs") == 0
    assert value_of(text, "driftwatch_evaluation_interval_seconds", monitor="m") == 300
    assert value_of(text, "driftwatch_monitor_added_timestamp_seconds") == NOW.timestamp()


def test_what_is_learnt_of_the_log_is_added_up_and_a_hold_holds_until_it_ends() -> None:
    names = ("revised_panes_total", "shrunk_panes_total", "ready_hold")
    health = Health()
    health.monitor_added("m", now=NOW, interval_seconds=300)
    shown = [[value_of(text_of(health), f"driftwatch_{name}", monitor="m") for name in names]]
    for revised, shrunk, held in ((3, 0, True), (1, 2, False)):
        health.log_compared("m", revised_panes=revised, shrunk_panes=shrunk, held=held)
        shown.append(
            [value_of(text_of(health), f"driftwatch_{name}", monitor="m") for name in names]
        )
    assert shown == [[0, 0, 0], [3, 0, 1], [4, 2, 0]]
    health.monitor_removed("m")
    health.log_compared("m", revised_panes=1, shrunk_panes=1, held=True)
    assert [value_of(text_of(health), f"driftwatch_{name}") for name in names] == [None] * 3


def test_the_figures_of_the_process_are_those_of_the_latest_heartbeat() -> None:
    health = Health()

    def spent() -> float:
        found = value_of(text_of(health), "process_cpu_seconds_total")
        assert found is not None
        return found

    before, begun = spent(), time.process_time()
    while time.process_time() < begun + 0.1:
        pass
    assert spent() == before
    health.heartbeat(NOW)
    assert spent() >= before + 0.05


def test_what_was_forgotten_is_added_up_by_table() -> None:
    health = Health()
    for rows in ({"result": 5, "evaluation": 2}, {"result": 1}):
        health.rows_pruned(rows)
    health.prune_failed()
    text = text_of(health)
    found = {
        table: value_of(text, "driftwatch_pruned_rows_total", table=table)
        for table in PRUNED_TABLES
    }
    assert {table: count for table, count in found.items() if count} == {
        "result": 6,
        "evaluation": 2,
    }
    assert None not in found.values()
    assert value_of(text, "driftwatch_prune_failures_total") == 1
    with pytest.raises(ValueError, match="nowhere"):
        health.rows_pruned({"nowhere": 1})


def test_what_never_happened_has_no_time() -> None:
    health = Health()
    health.source_added("logs")
    health.monitor_added("m", now=NOW, interval_seconds=300)
    for name in (LAST_SUCCESS, LAST_COMPLETION, "driftwatch_source_up"):
        assert value_of(text_of(health), name) is None


def test_times_are_there_right_after_a_restart() -> None:
    health = Health()
    success = NOW - timedelta(hours=2)
    completion = NOW - timedelta(hours=1)
    health.monitor_added(
        "m", now=NOW, interval_seconds=300, last_success=success, last_completion=completion
    )
    assert value_of(text_of(health), LAST_SUCCESS, monitor="m") == success.timestamp()
    assert value_of(text_of(health), LAST_COMPLETION, monitor="m") == completion.timestamp()


def test_a_success_and_then_a_failure() -> None:
    health = busy_health("m")
    later = NOW + timedelta(minutes=5)
    health.evaluation_finished("m", outcome="timeout", finished=later, seconds=30)
    text = text_of(health)
    assert value_of(text, EVALUATIONS, monitor="m", outcome="success") == 1
    assert value_of(text, EVALUATIONS, monitor="m", outcome="timeout") == 1
    assert value_of(text, LAST_SUCCESS, monitor="m") == NOW.timestamp()
    assert value_of(text, LAST_COMPLETION, monitor="m") == later.timestamp()
    assert value_of(text, "driftwatch_evaluation_last_duration_seconds", monitor="m") == 30


def test_features_that_are_not_counted_are_those_of_the_newest_scan() -> None:
    name = "driftwatch_features_not_counted"
    health = Health()
    health.monitor_added("m", now=NOW, interval_seconds=300)
    shown = [value_of(text_of(health), name, monitor="m")]
    for count in (2, None, 1, 0):
        health.evaluation_finished(
            "m", outcome="success", finished=NOW, seconds=1, not_counted=count
        )
        shown.append(value_of(text_of(health), name, monitor="m"))
    assert shown == [0, 2, 2, 1, 0]


def test_no_data_is_not_failure() -> None:
    health = Health()
    health.monitor_added("m", now=NOW, interval_seconds=300)
    health.evaluation_finished("m", outcome="no_data", finished=NOW, seconds=0.1)
    assert value_of(text_of(health), LAST_SUCCESS, monitor="m") == NOW.timestamp()


def test_stages_and_delays_are_histograms() -> None:
    text = text_of(busy_health())
    name = "driftwatch_evaluation_stage_duration_seconds"
    assert value_of(text, f"{name}_count", stage="scan") == 1
    assert value_of(text, f"{name}_sum", stage="scan") == 1.0
    assert value_of(text, f"{name}_bucket", stage="store", le="0.25") == 0
    assert value_of(text, f"{name}_bucket", stage="store", le="0.5") == 1
    assert value_of(text, "driftwatch_schedule_delay_seconds_sum") == 0.2


def test_running_goes_up_and_down() -> None:
    health = Health()
    health.evaluation_started()
    assert value_of(text_of(health), "driftwatch_evaluations_running") == 1
    health.evaluation_ended()
    assert value_of(text_of(health), "driftwatch_evaluations_running") == 0


def test_a_removed_monitor_leaves_nothing_and_does_not_come_back() -> None:
    health = busy_health("m")
    health.monitor_added("other", now=NOW, interval_seconds=60)
    health.monitor_removed("m")
    health.monitor_removed("never there")
    health.evaluation_finished("m", outcome="success", finished=NOW, seconds=1, not_counted=1)
    health.evaluation_skipped("m", "still_running")
    assert b'monitor="m"' not in text_of(health)
    assert value_of(text_of(health), EVALUATIONS, monitor="other", outcome="success") == 0


def test_a_source_goes_down_and_is_removed() -> None:
    health = busy_health()
    assert value_of(text_of(health), "driftwatch_source_up", source="logs") == 1
    health.source_failed("logs")
    text = text_of(health)
    assert value_of(text, "driftwatch_source_up", source="logs") == 0
    assert value_of(text, "driftwatch_source_queries_total", source="logs") == 2
    assert value_of(text, "driftwatch_source_query_failures_total", source="logs") == 1
    assert value_of(text, "driftwatch_source_rows_read_total", source="logs") == 930
    health.source_removed("logs")
    assert b'source="logs"' not in text_of(health)


def test_the_store_the_scheduler_and_the_notifications() -> None:
    health = busy_health()
    health.store_answered(False)
    health.notification(DeliveryOutcome.FAILED)
    health.notifications_pending(3)
    text = text_of(health)
    assert value_of(text, "driftwatch_store_up") == 0
    assert value_of(text, "driftwatch_notifications_total", outcome="failed") == 1
    assert value_of(text, "driftwatch_notifications_pending") == 3
    heartbeat = value_of(text, "driftwatch_scheduler_heartbeat_timestamp_seconds")
    assert heartbeat == NOW.timestamp()


def test_a_refused_configuration_keeps_the_time_of_the_good_one() -> None:
    health = busy_health()
    health.config_loaded(NOW + timedelta(hours=1), successful=False)
    text = text_of(health)
    assert value_of(text, "driftwatch_config_last_reload_successful") == 0
    name = "driftwatch_config_last_reload_success_timestamp_seconds"
    assert value_of(text, name) == NOW.timestamp()


def test_an_evaluation_that_is_skipped() -> None:
    health = busy_health("m")
    health.evaluation_skipped("m", "still_running")
    name = "driftwatch_evaluations_skipped_total"
    assert value_of(text_of(health), name, monitor="m", reason="still_running") == 1


def test_labels_come_from_closed_lists() -> None:
    health = busy_health("m")
    with pytest.raises(ValueError, match="'bad' is not an outcome of the closed list"):
        health.evaluation_finished("m", outcome="bad", finished=NOW, seconds=1)
    with pytest.raises(ValueError, match="closed list"):
        health.evaluation_finished(
            "m", outcome="success", finished=NOW, seconds=1, stages={"nap": 1}
        )
    with pytest.raises(ValueError, match="closed list"):
        health.evaluation_skipped("m", "bored")


def test_messages_are_counted_by_level() -> None:
    health = Health()
    logger = logging.getLogger("tests.exposition.health")
    handler = LogCounter(health)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.warning("one")
        logger.error("two")
        logger.log(35, "between warning and error")
    finally:
        logger.removeHandler(handler)
    text = text_of(health)
    assert value_of(text, "driftwatch_log_messages_total", level="warning") == 2
    assert value_of(text, "driftwatch_log_messages_total", level="error") == 1


def test_hostile_names_do_not_break_the_page() -> None:
    hostile = 'a"\\\n\udce4\0'
    health = busy_health(hostile)
    health.source_added(hostile)
    shown = {dict(labels).get("monitor") for _, labels in samples(text_of(health))}
    assert 'a"\\\n\ufffd\ufffd' in shown
    health.monitor_removed(hostile)
    health.source_removed(hostile)
    assert "\ufffd" not in text_of(health).decode()


def test_the_process_and_the_build_are_there_and_no_created_series() -> None:
    names = {name for name, _ in samples(text_of(Health()))}
    assert {"driftwatch_build_info", "python_info", "process_start_time_seconds"} <= names
    assert not [name for name in names if name.endswith("_created")]


def test_what_is_removed_during_the_account_of_it_does_not_come_back() -> None:
    health = Health()
    health.monitor_added("m", now=NOW, interval_seconds=60)
    evaluations = health._instruments.evaluations
    add = evaluations.add
    remover = Thread(target=health.monitor_removed, args=["m"])

    def interrupted(*values: str, amount: float = 0.0) -> None:
        remover.start()
        remover.join(0.2)  # it waits for the account to be complete
        add(*values, amount=amount)

    evaluations.add = interrupted  # type: ignore[method-assign]
    health.evaluation_finished("m", outcome="success", finished=NOW, seconds=1.0)
    remover.join()
    assert all(b'"m"' not in one.text(openmetrics=False) for one in health.labelled)
