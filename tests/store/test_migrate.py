"""Migrations make exactly the tables of the schema, once, and only on a store that they know."""

import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from driftwatch.alert.policy import AlertState
from driftwatch.config.settings import Exclusion
from driftwatch.errors import SchemaVersionError, StoreError
from driftwatch.stats.axis import NumericAxis
from driftwatch.store import (
    alerts,
    annotations,
    axes,
    exclusions,
    ledger,
    notifications,
    references,
    results,
    snapshot,
)
from driftwatch.store.encoding import encode
from driftwatch.store.engine import Store, open_store
from driftwatch.store.migrate import (
    ensure_schema,
    look,
    migrate,
    migrations_folder,
    script_directory,
)
from driftwatch.store.references import NewReference
from driftwatch.store.schema import SCHEMA_VERSION, VERSION_TABLE, ReferenceOrigin, metadata
from driftwatch.window import to_epoch
from tests.store.samples import MONDAY, NOW, column_panes, hours


@pytest.fixture
def empty(database_url: str) -> Iterator[Store]:
    store = open_store(database_url)
    yield store
    store.close()


def differences(connection: sa.Connection) -> list[Any]:
    options = {
        "version_table": VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def set_version(store: Store, version: str) -> None:
    with store.write() as connection:
        connection.execute(
            sa.text(f"UPDATE {VERSION_TABLE} SET version_num = :version"), {"version": version}
        )


def revisions() -> list[str]:
    """Every migration, oldest first."""
    return [script.revision for script in script_directory().walk_revisions()][::-1]


def upgrade_to(store: Store, revision: str) -> None:
    with store.write() as connection:
        command.upgrade(config_of(connection), revision)


def config_of(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def test_migrations_equal_the_schema(empty: Store) -> None:
    assert migrate(empty) == revisions()
    with empty.read() as connection:
        assert differences(connection) == []


def test_a_difference_would_be_seen(empty: Store) -> None:
    """The comparison above finds a column, an index and a type that differ."""
    migrate(empty)
    with empty.write() as connection:
        connection.execute(sa.text("DROP INDEX ix_evaluation_finished_at"))
        connection.execute(sa.text("ALTER TABLE monitor DROP COLUMN watermark"))
        connection.execute(sa.text("ALTER TABLE monitor ADD COLUMN watermark INTEGER"))
        found = str(differences(connection))
    assert "ix_evaluation_finished_at" in found
    assert "modify_type" in found


def test_names_of_keys_are_those_of_the_schema(empty: Store) -> None:
    """Later migrations name what they change, so the names must be there."""
    migrate(empty)
    with empty.read() as connection:
        inspector = sa.inspect(connection)
        for name, table in metadata.tables.items():
            unique = {str(found["name"]) for found in inspector.get_unique_constraints(name)}
            wanted = {
                str(constraint.name)
                for constraint in table.constraints
                if isinstance(constraint, sa.UniqueConstraint)
            }
            assert unique == wanted
            assert inspector.get_pk_constraint(name)["name"] == f"pk_{name}"


def test_the_release_names_the_newest_migration() -> None:
    assert script_directory().get_current_head() == SCHEMA_VERSION
    assert (migrations_folder() / "env.py").is_file()


def test_an_empty_store_is_migrated_automatically_and_once(empty: Store) -> None:
    ensure_schema(empty)
    ensure_schema(empty)
    assert migrate(empty) == []
    with empty.read() as connection:
        assert look(connection).version == SCHEMA_VERSION


def test_a_newer_schema_is_refused(empty: Store) -> None:
    ensure_schema(empty)
    set_version(empty, "0999")
    for attempt in (ensure_schema, migrate):
        with pytest.raises(SchemaVersionError, match=r"schema 0999, which is newer than this"):
            attempt(empty)
    with empty.read() as connection:
        assert look(connection).version == "0999"


def test_an_older_schema_asks_for_migrate(empty: Store) -> None:
    upgrade_to(empty, "0001")
    with pytest.raises(SchemaVersionError, match=r"has schema 0001; .*run `driftwatch migrate`"):
        ensure_schema(empty)


def test_tables_of_somebody_else_are_left_alone(empty: Store) -> None:
    with empty.write() as connection:
        connection.execute(sa.text("CREATE TABLE alert (theirs INTEGER)"))
    with pytest.raises(SchemaVersionError, match=r"not driftwatch's \(alert\).*of its own"):
        ensure_schema(empty)
    with empty.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["alert"]


def test_a_migration_that_fails_leaves_nothing(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Config, revision: str) -> None:
        run(config, revision)
        raise RuntimeError("stopped half way")

    run = command.upgrade
    monkeypatch.setattr("driftwatch.store.migrate.command.upgrade", fail)
    with pytest.raises(RuntimeError, match="stopped half way"):
        migrate(empty)
    with empty.read() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    code = (
        "import sys; from driftwatch.store.engine import open_store; "
        "from driftwatch.store.migrate import ensure_schema; "
        "store = open_store(sys.argv[1]); sys.stdin.readline(); ensure_schema(store); store.close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, database_url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, trouble = process.communicate(timeout=60)
        assert (process.returncode, trouble) == (0, "")
    store = open_store(database_url)
    with store.read() as connection:
        assert differences(connection) == []
    store.close()


def test_the_way_back_removes_what_was_made(empty: Store) -> None:
    migrate(empty)
    with empty.rebuild() as connection:
        command.downgrade(config_of(connection), "base")
        assert sa.inspect(connection).get_table_names() == [VERSION_TABLE]


def first_store(store: Store) -> None:
    """A store as the first release left it, with rows in every table."""
    upgrade_to(store, "0001")
    moment = "2026-11-16T00:00:00.000000Z"
    end = "2026-11-16T01:00:00.000000Z"
    day = "2026-11-17T00:00:00.000000Z"
    counts = encode(np.array([[1, 2, 3, 4]]))[0]
    moments = {"infinite": 0, "total": 1.0, "total_squares": 2.0, "minimum": -1.0, "maximum": 9.0}
    series = {"monitor": "m", "feature": "c0", "segment": "", "window_seconds": 3600}
    alert = series | {"kind": "drift", "window_end": end}
    found = series | {
        "window_start": moment, "window_end": end, "reference_version": 1, "axis_version": 1,
        "revision": 2, "rows": 10, "missing_rows": 4, "unseen_rows": 0, "infinite_rows": 0,
        "reference_rows": 10, "js": 0.5, "convention": "nats", "verdict": "critical",
        "reason": "above_threshold", "message": "c0: moved", "evaluated_at": day,
    }  # fmt: skip
    rows: list[tuple[str, dict[str, Any]]] = [
        ("monitor", {"name": "m", "created_at": moment, "watermark": day, "scanned_from": moment,
                     "definition": "{}"}),
        ("axis", {"monitor_id": 1, "column_name": "c0", "version": 1,
                  "definition": axes.to_json(NumericAxis((0.0, 1.0))), "column_type": "number",
                  "fitted_start": moment, "fitted_end": day, "created_at": day, "active": True}),
        ("reference", {"monitor_id": 1, "column_name": "c0", "version": 1, "axis_id": 1,
                       "interval_start": moment, "interval_end": day, "rows": 10,
                       "counts": counts, **moments, "smoothing": "reference +0.5",
                       "created_at": day, "active": False}),
        ("reference", {"monitor_id": 1, "column_name": "c0", "version": 2, "axis_id": 1,
                       "interval_start": moment, "interval_end": day, "rows": 10,
                       "counts": counts, **moments, "smoothing": "reference +0.5",
                       "created_at": day, "active": True}),
        ("pane", {"monitor_id": 1, "segment": "", "seconds": 3600, "start": to_epoch(MONDAY),
                  "rows": 10, "revision": 1, "scanned_at": day}),
        ("pane_column", {"axis_id": 1, "segment": "", "seconds": 3600, "start": to_epoch(MONDAY),
                         "counts": counts, **moments}),
        ("result", found),
        ("result", found | {"reference_version": 2, "verdict": "warning"}),
        ("latest_result", series | {"result_id": 2, "window_end": end, "reference_version": 2}),
        ("result_bin", {"result_id": 1, "cell": 0, "label": "(-inf, 0)", "current_rows": 1,
                        "reference_rows": 2, "js_contribution": 0.5}),
        ("alert", alert | {"state": "firing", "severity": "critical", "since": end,
                           "fired_at": end, "marks": "c", "version": 3}),
        ("alert_event", alert | {"from_state": "inactive", "to_state": "firing",
                                 "to_severity": "critical", "value": 0.5, "message": "moved",
                                 "recorded_at": day}),
        ("notification", alert | {"state": "firing", "payload": "{}", "created_at": day,
                                  "attempts": 0, "next_attempt_at": day}),
        ("evaluation", {"monitor": "m", "started_at": day, "finished_at": day, "now": day,
                        "outcome": "success", "message": "", "rows_scanned": 10, "panes": 1,
                        "windows_judged": 1, "scan_seconds": 0.1, "store_seconds": 0.1,
                        "judge_seconds": 0.1}),
    ]  # fmt: skip
    with store.write() as connection:
        for table, values in rows:
            names = ", ".join(values)
            places = ", ".join(f":{name}" for name in values)
            connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def seen(store: Store) -> dict[str, object]:
    """What today's functions find in the store of `first_store`."""
    with store.read() as connection:
        found = snapshot.read(connection, "m")
        history = references.history(connection, 1)
        known = axes.active(connection, 1)
        (window,) = ledger.sum_windows(connection, 1, known, [hours(0, 1)])
        (event,) = alerts.events(connection, "m", since=MONDAY)
        every = results.history(connection, "m", "c0", 3600, MONDAY)
        return {
            "watermark": found.watermark,
            "axes": [(one.axis, one.fitted) for one in known.values()],
            "references": [
                (one.version, one.active, one.segment, one.specification, one.origin, one.note)
                for one in history
            ],
            "interval": {one.interval for one in history},
            "counts": [one.counts.cells.tolist() for one in history if one.counts is not None],
            "window": (window.rows, window.columns["c0"].cells.tolist()),
            "results": [
                (one.id, one.revision, one.row.compared_with, one.row.excluded, one.row.js)
                for one in every
            ],
            "latest": [one.id for one in found.results],
            "bins": [one.label for one in results.bins_of(connection, 1)],
            "alerts": [(one.key.feature, one.status.state, one.version) for one in found.alerts],
            "event": (event.from_state, event.to_state, event.message),
            "due": [one.payload for one in notifications.due(connection, NOW)],
            "evaluation": found.last_evaluation and found.last_evaluation.rows_scanned,
            "new": (found.versions, found.segments, found.exclusions),
            "annotations": annotations.of(connection, "m", MONDAY),
        }


AS_IT_WAS = {
    "watermark": MONDAY + timedelta(1),
    "axes": [(NumericAxis((0.0, 1.0)), hours(0, 24))],
    "references": [
        (1, False, "", "", ReferenceOrigin.CONFIG, ""),
        (2, True, "", "", ReferenceOrigin.CONFIG, ""),
    ],
    "interval": {hours(0, 24)},
    "counts": [[[1, 2, 3, 4]]] * 2,
    "window": (10, [[1, 2, 3, 4]]),
    "results": [(1, 2, "", "", 0.5), (2, 2, "", "", 0.5)],
    "latest": [2],
    "bins": ["(-inf, 0)"],
    "alerts": [("c0", AlertState.FIRING, 3)],
    "event": (AlertState.INACTIVE, AlertState.FIRING, "moved"),
    "due": ["{}"],
    "evaluation": 10,
    "new": ((), (), ()),
    "annotations": [],
}


def test_a_store_of_the_first_release_keeps_all_that_it_holds(empty: Store) -> None:
    first_store(empty)
    assert migrate(empty) == revisions()[1:]
    with empty.read() as connection:
        assert differences(connection) == []
    assert seen(empty) == AS_IT_WAS
    with empty.write() as connection:
        (axis,) = axes.active(connection, 1).values()
        panes = column_panes(np.random.default_rng(0), np.array([7]), 4)
        new = NewReference(
            column="c0", axis=axis, interval=None, counts=panes, rows=7, segment="country=DE"
        )
        assert references.capture(connection, 1, new, NOW).version == 1
        known = results.latest(connection, "m")[0].row
        assert results.upsert(connection, [known]) == 0
        assert results.upsert(connection, [replace(known, rows=11)]) == 1
        exclusions.add(connection, "m", Exclusion(hours(0, 1), "outage"), NOW)


def test_what_refers_to_what_still_counts_after_a_migration(empty: Store) -> None:
    """The connection that migrated is used again, and what it copied is still referred to."""
    first_store(empty)
    migrate(empty)
    with pytest.raises(StoreError), empty.write() as connection:
        connection.execute(sa.text("DELETE FROM monitor"))
    with empty.write() as connection:
        connection.execute(sa.text("DELETE FROM result WHERE id = 1"))
        assert results.bins_of(connection, 1) == []


def test_a_store_that_lost_rows_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}")
    first_store(store)
    store.close()
    with sqlite3.connect(path) as damage:
        damage.execute("DELETE FROM axis")
    damage.close()
    with pytest.raises(StoreError, match=r"refer to rows of table 'axis' that are not there"):
        migrate(store)
    with store.read() as connection:
        assert look(connection).version == "0001"
        assert not sa.inspect(connection).has_table("annotation")
    store.close()


def test_the_way_back_keeps_what_the_first_release_knows(empty: Store) -> None:
    first_store(empty)
    migrate(empty)
    with empty.write() as connection:
        untimed = axes.save(
            connection, 1, "c1", NumericAxis((5.0,)), "number", None, MONDAY + timedelta(1)
        )
        panes = column_panes(np.random.default_rng(0), np.array([7]), untimed.axis.cells)
        new = NewReference(column="c1", axis=untimed, interval=None, counts=panes, rows=7)
        references.capture(connection, 1, new, NOW)
        later = replace(new, interval=hours(0, 1), segment="country=DE")
        references.capture(connection, 1, later, NOW)
    with empty.rebuild() as connection:
        command.downgrade(config_of(connection), "0001")
    with empty.read() as connection:
        names = {column["name"] for column in sa.inspect(connection).get_columns("reference")}
        assert names.isdisjoint({"segment", "specification", "origin", "note"})
        fitted = sa.text("SELECT count(fitted_start), count(*) FROM axis")
        assert tuple(connection.execute(fitted).one()) == (2, 2)
    migrate(empty)
    with empty.write() as connection:
        connection.execute(sa.text("DELETE FROM axis WHERE id = 2"))
    assert seen(empty) == AS_IT_WAS


def test_alembic_by_itself_says_how_it_is_run() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with pytest.raises(RuntimeError, match="run `driftwatch migrate`"):
        command.upgrade(config, "head")


def test_the_wheel_carries_its_migrations(tmp_path: Path) -> None:
    """The package as it is installed, away from the source tree, makes a store ready."""
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    code = (
        "import sys; from driftwatch.store import engine, migrate; "
        "store = engine.open_store(sys.argv[1]); migrate.ensure_schema(store); store.close(); "
        "print(migrate.migrations_folder())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'store.db'}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.strip() == str(tmp_path / "installed" / "driftwatch" / "migrations")
