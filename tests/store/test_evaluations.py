"""What ran, how it ended and what it cost."""

from datetime import timedelta
from typing import Any

from driftwatch.store import evaluations
from driftwatch.store.engine import Store
from driftwatch.store.evaluations import Cost, EvaluationRow
from tests.store.samples import NOW, hours

MINUTE = timedelta(minutes=1)


def evaluation(minutes: int, **changes: Any) -> EvaluationRow:
    values: dict[str, Any] = {
        "monitor": "m",
        "started_at": NOW + minutes * MINUTE,
        "finished_at": NOW + minutes * MINUTE + timedelta(seconds=2),
        "now": NOW + minutes * MINUTE,
        "outcome": "success",
        "scan": hours(0, 1),
        "rows_scanned": 100,
        "panes": 12,
        "windows_judged": 3,
        "scan_seconds": 0.5,
        "store_seconds": 0.25,
        "judge_seconds": 0.125,
    }
    return EvaluationRow(**(values | changes))


def record(store: Store, *rows: EvaluationRow) -> None:
    with store.write() as connection:
        for row in rows:
            evaluations.record(connection, row)


def test_the_last_and_the_last_good_one_come_back(store: Store) -> None:
    good = evaluation(0)
    empty = evaluation(5, outcome="no_data", scan=None, rows_scanned=0)
    bad = evaluation(10, outcome="source_error", message="the source m went away", scan=None)
    record(store, good, empty, bad, evaluation(20, monitor="other"))
    with store.read() as connection:
        assert evaluations.last(connection, "m") == bad
        assert evaluations.last_success(connection, "m") == empty
        assert evaluations.last(connection, "nobody") is None
        assert evaluations.last_success(connection, "nobody") is None


def test_costs_are_added_up_per_monitor_since_a_moment(store: Store) -> None:
    record(
        store,
        evaluation(-60 * 25),
        evaluation(0),
        evaluation(5, outcome="timeout", rows_scanned=0, panes=0, windows_judged=0),
        evaluation(5, outcome="no_data", monitor="a"),
    )
    with store.read() as connection:
        found = evaluations.cost(connection, NOW - timedelta(hours=24))
        assert evaluations.cost(connection, NOW + timedelta(hours=24)) == []
    assert found == [
        Cost("a", 1, 0, 100, 12, 3, 0.5, 0.25, 0.125),
        Cost("m", 2, 1, 100, 12, 3, 1.0, 0.5, 0.25),
    ]
