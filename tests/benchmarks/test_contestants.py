"""The ways of a first scan count the same rows the same way, on both stores."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import contestants, load
from benchmarks.databases import Database, conninfo
from benchmarks.floor import FUNCTIONS, Floor
from benchmarks.rows import FLOATS, INTEGERS, LEVELS, LOG, PREDICTION, level_text
from driftwatch.source import ColumnType
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis

ROWS = 4_000
NUMERIC = NumericAxis((-10.0, -1.0, 0.0, 0.25, 1.0, 5.0, 100.0))


@pytest.fixture
def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    if database_url.startswith("postgresql"):
        load.fill_postgres(conninfo(database_url), ROWS)
        return Database("PostgreSQL", database_url, ROWS)
    monkeypatch.setattr(load, "CACHE", tmp_path / "cache")
    return Database("SQLite", f"sqlite:///{load.sqlite_log(ROWS)}", ROWS)


def axes() -> contestants.Axes:
    found: dict[str, tuple[Axis, ColumnType]] = dict.fromkeys(
        (*FLOATS, *INTEGERS, PREDICTION), (NUMERIC, ColumnType.NUMBER)
    )
    for name in LEVELS:
        texts = [level_text(name, level) for level in range(4)]
        found[name] = (CategoricalAxis((texts[0], texts[2]), (texts[1],)), ColumnType.TEXT)
    return found


def test_all_ways_count_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "FETCHED_ROWS", 1_500)
    ours, *peers = [way(database, axes()) for way in contestants.WAYS.values()]
    assert len(ours) == 21
    for name, counts in ours.items():
        assert counts.shape == (7 * 24, axes()[name][0].cells)
        assert counts.sum() == ROWS
        for peer in peers:
            assert np.array_equal(counts, peer[name]), name
    assert ours["x00"][:, -1].sum() > 0, "some are missing"
    assert ours["c5"][:, -2].sum() > 0, "some are unseen"


def test_the_floor_looks_at_all_rows(database: Database) -> None:
    floor = Floor(database)
    try:
        for function in FUNCTIONS:
            assert floor.seconds(LOG, function) > 0
            ((rows, *values),) = floor.look(LOG, function)
            assert rows == ROWS
            assert len(values) == 21
            assert None not in values
    finally:
        floor.close()


def test_a_log_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "CACHE", tmp_path)
    first = load.sqlite_log(10)
    written = first.stat().st_mtime_ns
    assert load.sqlite_log(10) == first
    assert first.stat().st_mtime_ns == written
    assert list(tmp_path.iterdir()) == [first]
