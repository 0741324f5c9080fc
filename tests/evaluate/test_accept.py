"""A change is accepted: alerts end, what came since is right, and what came before is forgotten."""

from dataclasses import replace

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    RollingReference,
    SeasonalReference,
    SegmentGroup,
    SegmentSettings,
    Start,
    TableReference,
)
from driftwatch.errors import ConfigError
from driftwatch.evaluate.accept import Acceptance, accept
from driftwatch.evaluate.rebase import Rebased
from driftwatch.window import to_epoch
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, K, World, X, natural

PER_DAY = 24 * ROWS_PER_HOUR
AT_ONCE = AlertPolicy(k=1, of=1)


def accepted(world: World, since: float, column: str | None = None) -> Rebased:
    wanted = Acceptance(world.monitor, column, day(since), "as planned")
    return accept(wanted, store=world.store, now=day(40), notify=True)


@pytest.fixture
def changed(world: World) -> World:
    """Since day 12 x is otherwise, and its alert fires."""
    world.configure(features=(X, K), window_seconds=(DAY,), alert=AT_ONCE)
    world.live([*rows(10, 12), *rows(12, 14, x=shifted)])
    world.catch_up(14)
    assert world.events("x", "drift") == [(13, "firing")]
    return world


def test_the_alert_ends_and_the_change_is_what_is_right(changed: World) -> None:
    found = accepted(changed, 12)
    assert [(one.column, one.rows) for one in found.references] == [
        ("@volume", 2 * PER_DAY), ("x", 2 * PER_DAY), ("k", 2 * PER_DAY),
    ]  # fmt: skip
    assert changed.events("x", "drift") == [(13, "firing"), (14, "resolved")]
    assert [(one[0], one[4]) for one in changed.outbox()] == [("x", "firing"), ("x", "resolved")]
    changed.live(rows(14, 16, x=shifted))
    changed.catch_up(16)
    assert [v for v, _ in changed.verdicts("x")] == ["ok", "ok", "critical", "critical", "ok", "ok"]
    newest = changed.results("x")[-1]
    assert (newest["reference_version"], newest["reference_rows"]) == (2, 2 * PER_DAY)
    assert changed.events("x", "drift")[2:] == [(15, "inactive")]
    assert len(changed.outbox()) == 2, "nobody is paged again"


def test_it_leaves_a_trace(changed: World) -> None:
    accepted(changed, 12, "x")
    (note,) = changed.table("annotation")
    assert (note["feature"], str(note["kind"]), note["message"]) == ("x", "accepted", "as planned")
    assert (note["range_start"], note["range_end"]) == (day(12), day(14))
    (stored,) = changed.table("reference", active=True, column_name="x")
    assert (str(stored["origin"]), stored["note"]) == ("accept", "as planned")
    assert (stored["interval_start"], stored["interval_end"]) == (day(12), day(14))


def test_one_column_leaves_the_others_alone(changed: World) -> None:
    accepted(changed, 12, "x")
    versions = {r["column_name"]: r["version"] for r in changed.table("reference", active=True)}
    assert versions == {"@volume": 1, "x": 2, "k": 1}


def test_doing_it_twice_changes_nothing(changed: World) -> None:
    accepted(changed, 12)
    before = natural(changed.store)
    found = accepted(changed, 12)
    assert (found.references, found.changes) == ((), ())
    assert natural(changed.store) == before


def test_what_changes_back_fires_again(changed: World) -> None:
    accepted(changed, 12)
    changed.live(rows(14, 15))
    changed.catch_up(15)
    assert changed.events("x", "drift")[-1] == (15, "firing")


def test_a_daemon_that_runs_notices(changed: World) -> None:
    """It keeps what it has prepared, and looks whether that is still what is stored."""
    kept = changed.prepared
    accepted(changed, 12)
    changed.live(rows(14, 15, x=shifted))
    changed.prepared = kept
    changed.catch_up(15)
    assert changed.verdicts("x")[-1][0] == "ok"


def test_since_the_middle_of_a_pane_begins_with_the_next(changed: World) -> None:
    found = accepted(changed, 12 + 1 / 48, "x")
    assert found.references[0].rows == 2 * PER_DAY - ROWS_PER_HOUR


@pytest.mark.parametrize(
    "reference", [RollingReference(7 * DAY), SeasonalReference(2)], ids=["rolling", "seasonal"]
)
def test_what_moves_learns_from_then_on_alone(
    empty_world: World, reference: RollingReference | SeasonalReference
) -> None:
    """Flagged days are not learned from; accepted, they are, and nothing before them any more."""
    world = empty_world
    world.configure(
        features=(X,), window_seconds=(DAY,), reference=reference, alert=AT_ONCE,
        start=Start(to_epoch(day(21))),
    )  # fmt: skip
    world.live([*rows(0, 22), *rows(22, 40, x=shifted)])
    world.catch_up(24)
    assert [v for v, _ in world.verdicts("x")] == ["ok", "critical", "critical"]
    accepted(world, 22)
    assert world.events("x", "drift")[-1] == (24, "resolved")
    world.catch_up(32)
    found = {(r["window_end"] - day(0)).days: r for r in world.results("x")}
    first = 25 if isinstance(reference, RollingReference) else 30
    assert {str(found[n]["verdict"]) for n in range(first, 33)} == {"ok"}
    assert found[first]["reference_rows"] == (2 if first == 25 else 1) * PER_DAY
    assert world.events("x", "drift")[1:] == [(24, "resolved"), (first, "inactive")]
    volume = {str(r["verdict"]) for r in world.results("@volume") if r["window_end"] > day(30)}
    assert volume == {"ok"}


def test_segments_come_with_it_where_they_have_rows(empty_world: World) -> None:
    world = empty_world
    world.log.execute("ALTER TABLE events ADD COLUMN country text")
    for country, start, end in (("DE", 0, 14), ("FR", 0, 11)):
        world.live(rows(start, end, country=country, x=shifted if start == 12 else None))
    by = SegmentSettings((SegmentGroup(("country",)),), (DAY,))
    world.configure(features=(K,), window_seconds=(DAY,), segments=by)
    world.catch_up(14)
    found = accepted(world, 12)
    assert found.parts == 1
    active = {
        (r["column_name"], r["segment"]): (r["version"], r["rows"])
        for r in world.table("reference", active=True)
    }
    assert active["k", "country=DE"] == (2, 2 * PER_DAY)
    assert active["k", "country=FR"] == (1, 10 * PER_DAY), "no row came since"


REFUSED = [
    (CohortReference("k = 'a'"), "it follows its cohort by itself"),
    (TableReference(None), "bring that table up to date"),  # type: ignore[arg-type]  # not read
    (FileReference(None), "name a newer file"),  # type: ignore[arg-type]  # not read
]


@pytest.mark.parametrize(("reference", "told"), REFUSED)
def test_what_no_moment_bounds_is_refused(
    small_world: World, reference: CohortReference, told: str
) -> None:
    small_world.live(rows(10, 12))
    small_world.catch_up(12)
    before = natural(small_world.store)
    small_world.monitor = replace(small_world.monitor, reference=reference)
    with pytest.raises(ConfigError, match=told):
        accepted(small_world, 11)
    assert natural(small_world.store) == before


def test_too_little_to_compare_with_is_refused(changed: World) -> None:
    for since, told in (
        (14, "has counted up to 2026-11-16T00:00Z: nothing since then"),
        (20, "nothing since then could be accepted"),
        (13.9, "40 rows in .* are too few to compare with .min_rows is 100"),
        (-1, "not all of .* was counted"),
    ):
        with pytest.raises(ConfigError, match=told):
            accepted(changed, since)
    assert {r["version"] for r in changed.table("reference")} == {1}


def test_a_column_without_a_reference(small_world: World) -> None:
    small_world.configure(features=(X, replace(X, name="gone")))
    small_world.live(rows(10, 12))
    small_world.catch_up(12)
    with pytest.raises(ConfigError, match="'gone' has no reference yet"):
        accepted(small_world, 11, "gone")
    assert {one.column for one in accepted(small_world, 11).references} == {"@volume", "x"}


def test_before_anything_was_counted(small_empty_world: World) -> None:
    with pytest.raises(ConfigError, match="has counted nothing yet"):
        accepted(small_empty_world, 1)
