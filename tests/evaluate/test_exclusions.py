"""What is known to be unusual: verdicts show, nobody is paged, the alert starts anew."""

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import Exclusion
from driftwatch.window import Interval
from tests.evaluate.log import day, rows, shifted
from tests.evaluate.world import DAY, K, World, X

FAIR = Exclusion(Interval(day(12), day(14)), "trade fair")


def test_an_excluded_range_shows_and_pages_nobody(world: World) -> None:
    world.configure(
        features=(X,), window_seconds=(DAY,), alert=AlertPolicy(k=1, of=1), exclusions=(FAIR,)
    )
    world.live([*rows(10, 12), *rows(12, 14, x=shifted), *rows(14, 15)])
    for one in range(11, 16):
        world.catch_up(one)
    found = world.results("x")
    assert [str(r["verdict"]) for r in found] == ["ok", "ok", "critical", "critical", "ok"]
    assert [r["excluded"] for r in found] == ["", "", "trade fair", "trade fair", ""]
    assert world.outbox() == []
    (note,) = world.table("annotation")
    assert (str(note["kind"]), note["range_start"], note["range_end"], note["message"]) == (
        "excluded", day(12), day(14), "trade fair",
    )  # fmt: skip


def test_a_drift_that_lasts_is_told_after_it(world: World) -> None:
    world.configure(
        features=(X,), window_seconds=(DAY,), alert=AlertPolicy(k=2, of=3), exclusions=(FAIR,)
    )
    world.live([*rows(10, 11), *rows(11, 17, x=shifted)])
    for one in range(11, 18):
        world.catch_up(one)
    assert world.events("x", "drift")[-1] == (16, "firing")
    assert [one[3:5] for one in world.outbox()] == [(16, "firing")]


def test_of_one_feature_alone(world: World) -> None:
    only = Exclusion(FAIR.interval, FAIR.reason, feature="k")
    world.configure(
        features=(X, K), window_seconds=(DAY,), alert=AlertPolicy(k=1, of=1), exclusions=(only,)
    )
    world.live([*rows(10, 12), *rows(12, 14, x=shifted, k="b")])
    world.catch_up(14)
    assert {one[0] for one in world.outbox()} == {"x"}
