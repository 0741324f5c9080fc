"""A person excludes a range at run time: alerts on it end, windows in it page nobody."""

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import Exclusion, RollingReference
from driftwatch.errors import StoreError
from driftwatch.evaluate.exclude import Excluded, exclude, remove
from driftwatch.store import exclusions
from driftwatch.window import Interval
from tests.evaluate.log import ROWS_PER_HOUR, day, rows, shifted
from tests.evaluate.world import DAY, QUARTER, K, World, X, natural

AT_ONCE = AlertPolicy(k=1, of=1)


def excluded(world: World, start: float, end: float, feature: str = "") -> Excluded:
    wanted = Exclusion(Interval(day(start), day(end)), "black week", feature)
    return exclude(world.monitor, wanted, store=world.store, now=day(40), notify=True)


@pytest.fixture
def campaign(world: World) -> World:
    """From day 12 to 14 x is otherwise, which fires."""
    world.configure(features=(X, K), window_seconds=(DAY,), alert=AT_ONCE)
    world.live([*rows(10, 12), *rows(12, 14, x=shifted), *rows(14, 16)])
    world.catch_up(13)
    return world


def test_what_fires_in_it_ends_and_pages_nobody_again(campaign: World) -> None:
    kept = campaign.prepared
    found = excluded(campaign, 12, 14)
    assert found.new
    assert [(one.key.feature, one.transition.window_end) for one in found.changes] == [
        ("x", day(13))
    ]
    campaign.prepared = kept  # the daemon knows nothing of the command
    campaign.catch_up(16)
    assert [v for v, _ in campaign.verdicts("x")][2:] == ["critical", "critical", "ok", "ok"]
    assert [r["excluded"] for r in campaign.results("x")][2:] == [*["black week"] * 2, "", ""]
    assert [(one[0], one[4]) for one in campaign.outbox()] == [("x", "firing"), ("x", "resolved")]


def test_it_ends_alerts_whose_newest_window_lies_after_it(world: World) -> None:
    """The alert over days fires still, hours after the range: no whole day was judged since."""
    world.configure(features=(X, K), window_seconds=(QUARTER, DAY))
    world.live([*rows(10, 12), *rows(12, 14, x=shifted), *rows(14, 16)])
    world.catch_up(14.25)
    firing = [(one.key.feature, one.key.window_seconds) for one in excluded(world, 12, 14).changes]
    assert firing == [("x", QUARTER), ("x", DAY)]
    world.catch_up(16)
    assert {str(one["state"]) for one in world.table("alert", kind="drift")} == {"inactive"}
    told = [(one[0], one[4]) for one in world.outbox()]
    assert sorted(told) == [("x", "firing")] * 2 + [("x", "resolved")] * 2


def test_a_flagged_window_in_it_counts_no_more(world: World) -> None:
    """Excluded a day later, it is no first of two for the next one that is flagged."""
    world.configure(features=(X, K), window_seconds=(DAY,))
    world.live([*rows(10, 12), *rows(12, 13, x=shifted), *rows(13, 14), *rows(14, 15, x=shifted)])
    world.catch_up(14)
    excluded(world, 12, 13)
    world.catch_up(15)
    (alert,) = world.table("alert", feature="x", kind="drift")
    assert str(alert["state"]) == "pending"


def test_it_leaves_a_trace(campaign: World) -> None:
    excluded(campaign, 12, 14, "x")
    (note,) = campaign.table("annotation")
    assert (note["feature"], str(note["kind"]), note["message"]) == ("x", "excluded", "black week")
    assert (note["range_start"], note["range_end"]) == (day(12), day(14))


@pytest.mark.parametrize(("start", "end", "feature"), [(8, 11, ""), (20, 21, ""), (12, 14, "k")])
def test_alerts_on_other_windows_and_columns_go_on(
    campaign: World, start: float, end: float, feature: str
) -> None:
    assert excluded(campaign, start, end, feature).changes == ()
    (alert,) = campaign.table("alert", feature="x", kind="drift")
    assert str(alert["state"]) == "firing"


def test_the_same_again_changes_nothing(campaign: World) -> None:
    excluded(campaign, 12, 14)
    before = natural(campaign.store)
    assert excluded(campaign, 12, 14) == Excluded(new=False)
    assert natural(campaign.store) == before


def test_nothing_is_learned_from_it(empty_world: World) -> None:
    world = empty_world
    world.live(rows(0, 20))
    world.configure(features=(X,), window_seconds=(DAY,), reference=RollingReference(4 * DAY))
    world.catch_up(11)
    excluded(world, 8, 10)
    world.catch_up(12)
    used = [r["reference_rows"] // (24 * ROWS_PER_HOUR) for r in world.results("x")]
    assert used == [4, 2]


def test_taken_back_it_pages_again(campaign: World) -> None:
    excluded(campaign, 12, 14)
    with campaign.store.read() as connection:
        ((row),) = exclusions.listed(connection, "m")
    assert remove(campaign.monitor, row.id, store=campaign.store, now=day(41))
    assert not remove(campaign.monitor, row.id, store=campaign.store, now=day(42))
    campaign.catch_up(14)
    assert campaign.events("x", "drift")[-1] == (14, "firing")
    assert {r["excluded"] for r in campaign.results("x")} == {""}
    assert campaign.table("annotation") == []


def test_what_the_configuration_excludes_is_removed_there(campaign: World) -> None:
    with campaign.store.write() as connection:
        one = Exclusion(Interval(day(1), day(2)), "incident")
        exclusions.sync_config(connection, "m", [one], day(40))
    with campaign.store.read() as connection:
        (row,) = exclusions.listed(connection, "m")
    for number, told in ((row.id, "is configured"), (row.id + 1, "has no exclusion")):
        with pytest.raises(StoreError, match=told):
            remove(campaign.monitor, number, store=campaign.store, now=day(41))


def test_a_monitor_that_never_ran_can_be_excluded_ahead(small_world: World) -> None:
    small_world.configure(features=(X,), window_seconds=(DAY,), alert=AT_ONCE)
    assert excluded(small_world, 12, 14) == Excluded(new=True)
    small_world.live([*rows(10, 12), *rows(12, 14, x=shifted)])
    small_world.catch_up(14)
    assert small_world.verdicts("x")[-1][0] == "critical"
    assert small_world.outbox() == []
