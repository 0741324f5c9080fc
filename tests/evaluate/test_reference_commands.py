"""References that a person asks for: from the ledger or the source, with new bins, an older one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    RollingReference,
    SegmentGroup,
    SegmentSettings,
    Start,
    VersionSettings,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate.backfill import run as backfill
from driftwatch.evaluate.rebase import Rebased
from driftwatch.evaluate.reference_commands import (
    Request,
    activate,
    capture_again,
    choose,
    estimate,
)
from driftwatch.evaluate.reference_diff import difference, mean, missing_ratio
from driftwatch.store import axes, references
from driftwatch.store.references import ReferenceRecord
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, HOUR, K, World, X, natural

PER_DAY = 24 * ROWS_PER_HOUR
AT_ONCE = AlertPolicy(k=1, of=1)


def captured(
    world: World, start: float, end: float, column: str | None = None, **said: Any
) -> Rebased:
    columns = choose(world.monitor, column, refit=said.get("refit", False))
    wanted = Request(world.monitor, columns, Interval(day(start), day(end)), **said)
    return capture_again(wanted, source=world.source, store=world.store, now=day(40), notify=True)


def activated(world: World, version: int, column: str | None = None) -> Rebased:
    return activate(world.monitor, version, column, store=world.store, now=day(41), notify=True)


def stored(world: World, column: str = "x") -> dict[int, ReferenceRecord]:
    with world.store.read() as connection:
        every = references.history(connection, 1, column)
    return {one.version: one for one in every if not one.segment}


def in_use(world: World) -> dict[str, int]:
    return {
        r["column_name"]: r["version"] for r in world.table("reference", active=True, segment="")
    }


@pytest.fixture
def changed(world: World) -> World:
    """Since day 12 x is otherwise, and its alert fires."""
    world.configure(features=(X, K), window_seconds=(DAY,), alert=AT_ONCE)
    world.live([*rows(10, 12), *rows(12, 16, x=shifted)])
    world.catch_up(14)
    return world


def test_a_range_that_was_counted_costs_the_source_nothing(changed: World) -> None:
    changed.log.execute("DELETE FROM events")
    found = captured(changed, 12, 14, "x", reason="a new sensor")
    assert (found.from_ledger, found.again) == (True, None)
    new = stored(changed)[2]
    assert (new.rows, new.note, str(new.origin)) == (2 * PER_DAY, "a new sensor", "command")
    assert in_use(changed) == {"@volume": 1, "x": 2, "k": 1}
    assert [one.key.feature for one in found.changes] == ["x"]
    assert [(one[0], one[4]) for one in changed.outbox()] == [("x", "firing"), ("x", "resolved")]
    (note,) = changed.table("annotation")
    assert (str(note["kind"]), note["feature"], note["message"]) == (
        "reference", "x", "a new sensor",
    )  # fmt: skip


def test_a_running_daemon_compares_with_it_and_keeps_it(changed: World) -> None:
    kept = changed.prepared
    captured(changed, 12, 14)
    changed.prepared = kept
    changed.catch_up(15)
    assert changed.verdicts("x")[-1][0] == "ok"
    changed.configure(features=(X, K), window_seconds=(DAY,), alert=AT_ONCE)  # a restart
    changed.catch_up(16)
    assert in_use(changed) == {"@volume": 2, "x": 2, "k": 2}
    assert str(changed.verdicts("x")[-1][0]) == "ok"


def test_until_another_reference_is_configured(changed: World) -> None:
    captured(changed, 12, 14, "x")
    changed.configure(features=(X, K), window_seconds=(DAY,), reference=Interval(day(1), day(9)))
    changed.catch_up(15)
    assert stored(changed)[3].interval == Interval(day(1), day(9))
    assert stored(changed)[3].active


def test_a_range_that_was_not_counted_is_scanned(world: World) -> None:
    """The counts are those that a scan of the ledger's axis gives."""
    world.configure(features=(X, K), window_seconds=(DAY,), start=Start(to_epoch(day(12))))
    world.live(rows(10, 14))
    world.catch_up(14)
    found = captured(world, 10, 12)
    assert not found.from_ledger
    assert [one.rows for one in found.references] == [2 * PER_DAY] * 3
    again = captured(world, 10, 12)
    assert (again.from_ledger, again.references) == (True, ()), "it is in the ledger now"


def test_rows_that_were_deleted_leave_the_ledger_as_it_is(changed: World) -> None:
    """A reference from the source in new bins; the other columns' panes keep their rows."""
    changed.log.execute("DELETE FROM events WHERE x > 4.5")
    before = natural(changed.store)
    captured(changed, 12, 14, "x", refit=True)
    assert stored(changed)[2].rows < 2 * PER_DAY
    captured(changed, 12, 14, "k")
    assert stored(changed, "k")[2].rows == 2 * PER_DAY
    after = natural(changed.store)
    assert [after[name] for name in ("result", "pane")] == [
        before[name] for name in ("result", "pane")
    ]


def test_new_bins_are_fitted_to_the_range(changed: World) -> None:
    wanted = Request(changed.monitor, ("x",), Interval(day(12), day(14)), refit=True)
    expected = estimate(wanted, changed.store)
    assert expected.rows == 2 * PER_DAY
    found = captured(changed, 12, 14, "x", refit=True)
    assert (found.from_ledger, found.again) == (False, expected.again)
    with changed.store.read() as connection:
        axis = axes.active(connection, 1)["x"]
    assert (axis.version, axis.fitted) == (2, Interval(day(12), day(14)))
    counts = stored(changed)[2].counts
    assert counts is not None
    assert int(counts.cells.sum()) == 2 * PER_DAY


def test_windows_under_way_are_counted_again_in_the_new_bins(changed: World) -> None:
    """Half of day 14 is counted in the old bins when they are replaced."""
    changed.catch_up(14.5)
    again = captured(changed, 12, 14, "x", refit=True).again
    assert again == Interval(day(14), day(14.5))
    backfill(
        changed.monitor, again, source=changed.source, store=changed.store,
        process_now=lambda: day(40),
    )  # fmt: skip
    changed.catch_up(15)
    newest = changed.results("x")[-1]
    assert (newest["window_end"], str(newest["verdict"])) == (day(15), "ok")
    assert (newest["rows"], newest["axis_version"]) == (PER_DAY, 2)


def test_bins_of_a_moving_reference_can_be_fitted_anew(changed: World) -> None:
    changed.configure(
        features=(X,), window_seconds=(DAY,), reference=RollingReference(2 * DAY), alert=AT_ONCE
    )
    changed.catch_up(15)
    with pytest.raises(ConfigError, match="a range would change nothing"):
        captured(changed, 12, 14)
    found = captured(changed, 12, 14, refit=True)
    assert [one.column for one in found.references] == ["x"]
    assert found.again == Interval(day(12), day(15)), "all that the next window is compared with"
    backfill(
        changed.monitor, found.again, source=changed.source, store=changed.store,
        process_now=lambda: day(40),
    )  # fmt: skip
    changed.catch_up(16)
    newest = changed.results("x")[-1]
    assert (newest["axis_version"], newest["reference_rows"] > 0) == (2, True)


def test_segments_come_with_it(empty_world: World) -> None:
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN country text")
    world.live([row for c in ("DE", "FR") for row in rows(0, 14, country=c)])
    by = SegmentSettings((SegmentGroup(("country",)),), (DAY,))
    world.configure(features=(X, K), window_seconds=(DAY,), segments=by)
    world.catch_up(14)
    for refit in (False, True):
        assert captured(world, 11, 13, "x", refit=refit).parts == 3
        with world.store.read() as connection:
            active = references.active_segments(connection, 1)
            axis = axes.active(connection, 1)["x"]
        found = {key: (of["x"].rows, of["x"].axis_id) for key, of in active.items()}
        assert found == {
            "country=DE": (2 * PER_DAY, axis.id),
            "country=FR": (2 * PER_DAY, axis.id),
            "country=(other)": (0, axis.id),
        }
    activated(world, 1, "x")
    with world.store.read() as connection:
        active = references.active_segments(connection, 1)
    assert {of["x"].version for of in active.values()} == {1}


def test_versions_of_the_model_keep_references_of_their_own_days(empty_world: World) -> None:
    """In the new bins; and in the old ones, when these come back."""
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN version text")
    world.live([*rows(0, 12, version="v1"), *rows(12, 18, version="v2", x=shifted)])
    prediction = replace(X, prediction=True)
    world.configure(
        features=(prediction,), window_seconds=(DAY,), version=VersionSettings("version", 2 * DAY)
    )
    for one in range(11, 17):
        world.catch_up(one)

    def of_versions() -> dict[str, tuple[Any, ...]]:
        with world.store.read() as connection:
            found = references.active_segments(connection, 1)
        return {key: (of["x"].interval, of["x"].axis_version) for key, of in found.items()}

    before = of_versions()
    assert before["version=v2"] == (Interval(day(12), day(14)), 1)
    again = captured(world, 10, 16, "x", refit=True).again
    assert of_versions() == {key: (interval, 2) for key, (interval, _) in before.items()}
    assert again is not None
    world.catch_up(17)
    newest = world.table("result", segment="version=v2")[-1]
    assert (newest["axis_version"], str(newest["verdict"])) == (2, "ok")
    activated(world, 1, "x")
    assert of_versions() == before
    world.catch_up(18)
    assert str(world.table("result", segment="version=v2")[-1]["verdict"]) == "ok"


def test_an_older_version_comes_back_with_its_bins(changed: World) -> None:
    captured(changed, 12, 14, "x")
    captured(changed, 12, 14, "x", refit=True)
    found = activated(changed, 1, "x")
    assert [(one.column, one.version) for one in found.references] == [("x", 1)]
    assert found.again == Interval(day(13), day(14))
    with changed.store.read() as connection:
        assert axes.active(connection, 1)["x"].version == 1
    changed.configure(features=(X, K), window_seconds=(DAY,), alert=AT_ONCE)
    changed.catch_up(15)
    assert in_use(changed)["x"] == 1, "the daemon keeps it"
    assert changed.verdicts("x")[-1][0] == "critical"
    assert activated(changed, 1, "x") == Rebased(())


def test_a_version_of_some_columns(changed: World) -> None:
    captured(changed, 12, 14, "x")
    activated(changed, 1)
    assert in_use(changed) == {"@volume": 1, "x": 1, "k": 1}
    activated(changed, 2)
    assert in_use(changed) == {"@volume": 1, "x": 2, "k": 1}
    for version, column, there in ((3, None, "1, 2"), (2, "k", "1"), (9, "@volume", "1")):
        with pytest.raises(ConfigError, match=f"has no reference of version .*there are: {there}"):
            activated(changed, version, column)


def test_ranges_that_cannot_be(changed: World) -> None:
    before = natural(changed.store)
    for start, end, told in (
        (12, 15, "ends after that"),
        (12.01, 14, "whole panes"),
        (-9, -8, "holds no rows"),
    ):
        with pytest.raises(ConfigError, match=told):
            captured(changed, start, end)
    assert natural(changed.store) == before


def test_a_column_that_is_gone(changed: World) -> None:
    changed.log.execute("ALTER TABLE events RENAME COLUMN x TO y")
    with pytest.raises(ConfigError, match="'x'"):
        captured(changed, 12, 14, "x", refit=True)
    assert in_use(changed)["x"] == 1


def test_nothing_is_written_twice(changed: World) -> None:
    captured(changed, 12, 14, "x")
    before = natural(changed.store)
    assert captured(changed, 12, 14, "x").references == ()
    assert natural(changed.store) == before


def test_how_far_two_versions_are_apart(changed: World) -> None:
    """Against the same numbers worked out with numpy."""
    captured(changed, 12, 14, "x")
    versions = stored(changed)
    with changed.store.read() as connection:
        axis = axes.active(connection, 1)["x"]
    found = difference(versions[1], versions[2], axis)
    first, second = versions[1].counts, versions[2].counts
    assert first is not None
    assert second is not None
    p, q = second.cells[0] / second.cells.sum(), first.cells[0] / first.cells.sum()
    assert found.divergence is not None
    assert found.divergence.total_variation == pytest.approx(float(np.abs(p - q).sum() / 2))
    assert sum(one.js_contribution for one in found.bins) == pytest.approx(found.divergence.js)
    assert [one.current_rows for one in found.bins] == second.cells[0].tolist()
    assert mean(versions[2]) - mean(versions[1]) == pytest.approx(4, abs=0.2)
    assert missing_ratio(versions[1]) == pytest.approx(0.05, abs=0.005)


def test_versions_in_other_bins_are_not_compared_bin_by_bin(changed: World) -> None:
    captured(changed, 12, 14, "x", refit=True)
    versions = stored(changed)
    with changed.store.read() as connection:
        axis = axes.by_id(connection, [versions[1].axis_id or 0])[versions[1].axis_id or 0]
    found = difference(versions[1], versions[2], axis)
    assert (found.divergence, found.bins) == (None, ())
    volume = stored(changed, "@volume")[1]
    assert difference(volume, replace(volume, rows=5), None).divergence is None


def test_panes_finer_than_an_hour(empty_world: World) -> None:
    empty_world.live(rows(0, 3))
    empty_world.configure(
        features=(X,), pane_seconds=HOUR // 4, window_seconds=(HOUR,),
        reference=Interval(day(0), day(1)), start=Start(to_epoch(day(2))),
    )  # fmt: skip
    empty_world.catch_up(3)
    found = captured(empty_world, 1 + 1 / 96, 1.5)
    assert [one.rows for one in found.references] == [11 * ROWS_PER_HOUR + 15] * 2
