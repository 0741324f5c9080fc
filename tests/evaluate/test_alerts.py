"""Which results move which alerts, and what ends them."""

from typing import Any

import pytest

from driftwatch.alert.policy import AlertPolicy, AlertState, Severity
from driftwatch.config.settings import (
    FeatureSettings,
    MonitorSettings,
    SegmentGroup,
    SegmentSettings,
    VersionSettings,
)
from driftwatch.evaluate.alerts import Change, reset_alerts, retire
from driftwatch.store import alerts
from driftwatch.verdict.policy import VOLUME
from tests.evaluate.findings import found, history, take
from tests.evaluate.log import day
from tests.evaluate.world import DAY, FIXED, QUARTER, K, World, X, monitor

P = FeatureSettings("p", prediction=True, threshold=FIXED)
ONCE = AlertPolicy(k=1, of=1)
COUNTRIES = SegmentSettings((SegmentGroup(("country",)),), (DAY,))
PAGING = SegmentSettings(
    (SegmentGroup(("country",)), SegmentGroup(("country", "device"))), (DAY,), page=True
)


@pytest.fixture
def settings(small_empty_world: World) -> MonitorSettings:
    return monitor(small_empty_world.log)


def states(world: World) -> dict[tuple[str, str, str, int], str]:
    """The state of every alert that is not inactive."""
    with world.store.read() as connection:
        known = alerts.load(connection, "m")
    return {
        (key.feature, key.segment, key.kind.value, key.window_seconds): record.status.state.value
        for key, record in sorted(known.items())
        if record.status.state is not AlertState.INACTIVE
    }


def reset(world: World, features: set[str] | None = None, **changes: Any) -> list[Change]:
    usual = {"at": 20.0, "notify": True}
    chosen = {**usual, **changes}
    with world.store.write() as connection:
        return reset_alerts(
            connection, "m", features, day(chosen.pop("at")), "it was meant", day(31), **chosen
        )


def end_unwatched(world: World, settings: MonitorSettings, *, notify: bool = True) -> list[Change]:
    with world.store.write() as connection:
        return retire(connection, settings, day(31), notify=notify)


class TestAdvance:
    def test_flagged_windows_make_an_alert(self, empty_world: World) -> None:
        settings = monitor(empty_world.log)
        changes = take(empty_world.store, settings, history(11, ".wwc"))
        assert empty_world.events("x", "drift") == [
            (12, "pending"), (13, "firing"), (14, "firing"),
        ]  # fmt: skip
        assert [change.message for change in changes] == [
            "x on day 12: w", "x on day 13: w", "x on day 14: c",
        ]  # fmt: skip
        assert [row["value"] for row in empty_world.table("alert_event")] == [0.25] * 3
        assert states(empty_world) == {("x", "", "drift", DAY): "firing"}
        assert empty_world.table("alert", kind="drift")[0]["since"] == day(11)

    def test_doing_it_twice_is_doing_it_once(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, ".ww!0"))
        before = [small_empty_world.table(name) for name in ("alert", "alert_event")]
        assert take(small_empty_world.store, settings, history(11, ".ww!0")) == []
        assert [small_empty_world.table(name) for name in ("alert", "alert_event")] == before

    def test_changes_are_in_the_order_of_their_windows(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        judged = [*history(11, "ww"), *history(11, "ww", "k")]
        changes = take(small_empty_world.store, settings, judged)
        ends = [change.transition.window_end for change in changes]
        assert ends == [day(11), day(11), day(12), day(12)]

    def test_windows_judged_again_resolve_what_they_had_made_fire(self, empty_world: World) -> None:
        settings = monitor(empty_world.log)
        take(empty_world.store, settings, history(11, "ww"))
        sent = empty_world.table("alert_event")
        (change,) = take(empty_world.store, settings, [found(11, "."), found(12, ".")])
        assert change.message == "judged again: x on day 12: ."
        assert states(empty_world) == {("x", "", "drift", DAY): "resolved"}
        assert empty_world.table("alert_event")[: len(sent)] == sent
        assert empty_world.events("x", "drift") == [
            (11, "pending"), (12, "firing"), (12, "resolved"),
        ]  # fmt: skip
        assert empty_world.outbox() == [
            ("x", "drift", DAY, 12, "firing", "warning"),
            ("x", "drift", DAY, 12, "resolved", None),
        ]

    def test_of_windows_judged_again_together_the_end_alone_is_a_change(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        """While one of them is corrected and the other is not, it would have been resolved."""
        take(small_empty_world.store, settings, history(11, "w.w"))
        again = [found(11, "."), found(12, "w"), found(13, "c"), found(14, "w")]
        (change,) = take(small_empty_world.store, settings, again)
        assert change.transition.from_state is change.transition.to_state is AlertState.FIRING
        assert change.transition.to_severity is Severity.CRITICAL
        assert change.transition.window_end == day(13)
        assert small_empty_world.events("x", "drift") == [(11, "pending"), (13, "firing")]

    def test_a_past_that_would_have_fired_long_ago_is_told_to_nobody(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "........"))
        assert take(small_empty_world.store, settings, history(11, "ccccc")) == []
        assert small_empty_world.table("alert_event") == []
        assert small_empty_world.outbox() == []

    def test_a_widened_window_counts_once(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        widened = [found(number, "w", days=3) for number in (13, 14, 15, 16)]
        take(small_empty_world.store, settings, widened)
        assert small_empty_world.events("x", "drift") == [(13, "pending"), (16, "firing")]
        assert small_empty_world.table("alert", kind="drift")[0]["since"] == day(10)

    def test_what_is_excluded_ends_the_alert(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "ww"))
        take(small_empty_world.store, settings, [found(13, "c", excluded="black week")])
        take(small_empty_world.store, settings, history(14, "ww"))
        assert small_empty_world.events("x", "drift") == [
            (11, "pending"), (12, "firing"), (13, "resolved"), (14, "pending"), (15, "firing"),
        ]  # fmt: skip

    def test_the_severity_is_capped(self, small_empty_world: World) -> None:
        settings = monitor(small_empty_world.log, alert=ONCE)
        take(small_empty_world.store, settings, [found(11, "c", cap=Severity.WARNING)])
        assert small_empty_world.outbox() == [("x", "drift", DAY, 11, "firing", "warning")]


class TestColumn:
    def test_it_is_told_at_once_and_once(self, empty_world: World) -> None:
        settings = monitor(empty_world.log)
        short = [found(11 + at / 4, word, seconds=QUARTER) for at, word in enumerate(".!!!!.")]
        take(empty_world.store, settings, [*short, *history(11, ".!")])
        assert empty_world.events("x", "column", QUARTER) == [
            (11.25, "firing"), (12.25, "resolved"),
        ]  # fmt: skip
        assert empty_world.events("x", "column", DAY) == []
        assert states(empty_world) == {("x", "", "column", QUARTER): "resolved"}

    def test_a_window_in_which_it_was_counted_in_part_says_nothing(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        quarters = [found(11 + at / 4, word, seconds=QUARTER) for at, word in enumerate("!/n!/?")]
        take(small_empty_world.store, settings, quarters)
        assert small_empty_world.events("x", "column", QUARTER) == [
            (11, "firing"), (12.25, "resolved"),
        ]  # fmt: skip

    def test_it_says_nothing_about_drift(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        shortest = history(11, "cc!!!", seconds=QUARTER)
        take(small_empty_world.store, settings, shortest)
        assert states(small_empty_world)["x", "", "drift", QUARTER] == "firing"

    def test_rows_that_stop_are_no_trouble_of_a_column(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "0000", seconds=QUARTER))
        assert states(small_empty_world) == {}


class TestNoData:
    def test_empty_windows_are_told_by_the_volume(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, ".00", VOLUME))
        assert states(small_empty_world) == {(VOLUME, "", "no_data", DAY): "firing"}
        assert small_empty_world.outbox() == [(VOLUME, "no_data", DAY, 13, "firing", "critical")]

    def test_where_windows_are_empty_by_nature_nobody_is_told(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "000", VOLUME, expected=False))
        assert states(small_empty_world) == {}

    def test_before_there_is_a_reference_nothing_is_said(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "00nnn", VOLUME))
        assert states(small_empty_world) == {(VOLUME, "", "no_data", DAY): "firing"}


class TestSegments:
    @pytest.mark.parametrize(
        ("segments", "segment", "seconds", "told"),
        [
            (None, "country=DE", DAY, False),
            (COUNTRIES, "country=DE", DAY, False),
            (PAGING, "country=DE", DAY, True),
            (PAGING, "country=DE", QUARTER, False),
            (PAGING, "country=(other)", DAY, True),
            (PAGING, 'country="a, b"', DAY, True),
            (PAGING, "country=DE, device=ios", DAY, True),
            (PAGING, "device=ios", DAY, False),
            (PAGING, "country=DE, device=ios, os=17", DAY, False),
        ],
    )
    def test_they_have_alerts_where_they_page(
        self,
        small_empty_world: World,
        segments: SegmentSettings | None,
        segment: str,
        seconds: int,
        told: bool,
    ) -> None:
        settings = monitor(small_empty_world.log, segments=segments, alert=ONCE)
        judged = [
            found(11, "c", segment=segment, seconds=seconds),
            found(11, "c", VOLUME, segment=segment, seconds=seconds),
            found(11, "!", "k", segment=segment, seconds=seconds),
        ]
        changes = take(small_empty_world.store, settings, judged)
        assert {(one.key.feature, one.key.segment) for one in changes} == (
            {("x", segment), (VOLUME, segment)} if told else set()
        )

    @pytest.mark.parametrize("segments", [None, COUNTRIES])
    def test_versions_have_alerts_and_all_predictions_together_have_none(
        self, small_empty_world: World, segments: SegmentSettings | None
    ) -> None:
        settings = monitor(
            small_empty_world.log, features=(X, P), alert=ONCE,
            version=VersionSettings("v"), segments=segments,
        )  # fmt: skip
        judged = [
            found(11, "c", "p"), found(11, "c"), found(11, "c", VOLUME),
            found(11, "c", "p", segment="version=v2"), found(11, "c", segment="version=v2"),
            found(11, "!", "p", seconds=QUARTER),
        ]  # fmt: skip
        take(small_empty_world.store, settings, judged)
        assert set(states(small_empty_world)) == {
            ("p", "version=v2", "drift", DAY),
            ("x", "", "drift", DAY),
            (VOLUME, "", "volume", DAY),
            ("p", "", "column", QUARTER),
        }

    def test_without_versions_a_column_of_that_name_is_as_any(
        self, small_empty_world: World
    ) -> None:
        by = SegmentSettings((SegmentGroup(("version",)),), (DAY,))
        settings = monitor(small_empty_world.log, segments=by, alert=ONCE)
        assert take(small_empty_world.store, settings, [found(11, "c", segment="version=v2")]) == []


class TestReset:
    def test_it_resolves_tells_and_starts_anew(self, empty_world: World) -> None:
        settings = monitor(empty_world.log)
        take(empty_world.store, settings, [*history(11, "ww"), *history(11, ".w", "k")])
        changes = reset(empty_world)
        assert [(one.key.feature, one.transition.to_state.value) for one in changes] == [
            ("k", "inactive"), ("x", "resolved"),
        ]  # fmt: skip
        assert {change.message for change in changes} == {"it was meant"}
        assert empty_world.events("x", "drift")[-1] == (20, "resolved")
        assert empty_world.events("k", "drift")[-1] == (20, "inactive")
        assert empty_world.table("alert_event")[-1]["message"] == "it was meant"
        assert empty_world.outbox()[1:] == [("x", "drift", DAY, 20, "resolved", None)]
        assert take(empty_world.store, settings, history(13, "cccccccc")) == []
        take(empty_world.store, settings, history(21, "ww"))
        assert empty_world.events("x", "drift")[-2:] == [(21, "pending"), (22, "firing")]

    def test_twice_is_once(self, small_empty_world: World, settings: MonitorSettings) -> None:
        take(small_empty_world.store, settings, history(11, "ww"))
        assert len(reset(small_empty_world)) == 1
        before = small_empty_world.events("x", "drift"), small_empty_world.outbox()
        assert reset(small_empty_world) == []
        assert (small_empty_world.events("x", "drift"), small_empty_world.outbox()) == before

    def test_of_these_features_or_this_segment_alone(self, small_empty_world: World) -> None:
        settings = monitor(small_empty_world.log, segments=PAGING, alert=ONCE)
        judged = [
            found(11, "c"), found(11, "c", "k"), found(11, "c", VOLUME),
            found(11, "c", segment="country=DE"),
        ]  # fmt: skip
        take(small_empty_world.store, settings, judged)
        reset(small_empty_world, {"x"}, segment="country=DE")
        assert states(small_empty_world)["x", "country=DE", "drift", DAY] == "resolved"
        assert states(small_empty_world)["x", "", "drift", DAY] == "firing"
        reset(small_empty_world, {"x", VOLUME})
        assert [key for key, state in states(small_empty_world).items() if state == "firing"] == [
            ("k", "", "drift", DAY)
        ]

    def test_what_no_reference_can_change_goes_on(self, small_empty_world: World) -> None:
        settings = monitor(small_empty_world.log, alert=ONCE)
        judged = [found(11, "0", VOLUME), found(11, "!", seconds=QUARTER)]
        take(small_empty_world.store, settings, judged)
        assert reset(small_empty_world) == []
        assert set(states(small_empty_world).values()) == {"firing"}

    def test_nobody_hears_of_the_end_of_what_was_not_told(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "ww"), notify=False)
        reset(small_empty_world)
        assert small_empty_world.outbox() == []

    def test_without_a_webhook_it_is_told_when_there_is_one(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "ww"))
        reset(small_empty_world, notify=False)
        assert len(small_empty_world.outbox()) == 1
        take(small_empty_world.store, settings, [])
        assert small_empty_world.outbox()[1:] == [("x", "drift", DAY, 20, "resolved", None)]

    def test_a_moment_of_the_past_is_the_newest_window(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "www"))
        (change,) = reset(small_empty_world, at=11)
        assert change.transition.window_end == day(13)


class TestRetire:
    @pytest.mark.parametrize(
        "changes",
        [
            {"features": (K,)},
            {"window_seconds": (QUARTER,)},
            {"window_seconds": (QUARTER, 7 * DAY)},
        ],
    )
    def test_what_is_no_longer_configured_ends_and_is_told_once(
        self, empty_world: World, changes: dict[str, Any]
    ) -> None:
        take(empty_world.store, monitor(empty_world.log), history(11, "ww"))
        after = monitor(empty_world.log, **changes)
        (change,) = end_unwatched(empty_world, after)
        assert change.message == "it is no longer configured"
        assert states(empty_world) == {("x", "", "drift", DAY): "resolved"}
        assert empty_world.outbox()[1:] == [("x", "drift", DAY, 12, "resolved", None)]
        payload = empty_world.table("notification")[-1]["payload"]
        assert "ended at 2026-11-14T00:00:00Z: it is no longer configured." in payload
        assert end_unwatched(empty_world, after) == []
        assert len(empty_world.outbox()) == 2

    def test_what_is_configured_goes_on(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        judged = [*history(11, "ww"), *history(11, "00", VOLUME), found(12, "!", seconds=QUARTER)]
        take(small_empty_world.store, settings, judged)
        before = small_empty_world.table("alert")
        assert end_unwatched(small_empty_world, settings) == []
        assert small_empty_world.table("alert") == before

    def test_a_column_is_told_over_the_windows_that_are_now_the_shortest(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, [found(11, "!", seconds=QUARTER)])
        shorter = monitor(small_empty_world.log, window_seconds=(3_600, QUARTER, DAY))
        (change,) = end_unwatched(small_empty_world, shorter)
        assert change.key.window_seconds == QUARTER

    @pytest.mark.parametrize(
        "segments",
        [None, SegmentSettings(PAGING.groups, (DAY,)),
         SegmentSettings((SegmentGroup(("device",)),), (DAY,), page=True),
         SegmentSettings(PAGING.groups, (QUARTER,), page=True)],
    )  # fmt: skip
    def test_segments_that_page_no_more(
        self, small_empty_world: World, segments: SegmentSettings | None
    ) -> None:
        paging = monitor(small_empty_world.log, segments=PAGING)
        take(small_empty_world.store, paging, history(11, "ww", segment="country=DE"))
        (change,) = end_unwatched(
            small_empty_world, monitor(small_empty_world.log, segments=segments)
        )
        assert change.key.segment == "country=DE"

    def test_the_predictions_of_all_versions_together(self, small_empty_world: World) -> None:
        before = monitor(small_empty_world.log, features=(X, P))
        take(small_empty_world.store, before, [*history(11, "ww", "p"), *history(11, "ww")])
        after = monitor(small_empty_world.log, features=(X, P), version=VersionSettings("v"))
        (change,) = end_unwatched(small_empty_world, after)
        assert change.key.feature == "p"

    def test_what_is_pending_ends_and_was_never_told(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "w"))
        (change,) = end_unwatched(small_empty_world, monitor(small_empty_world.log, features=(K,)))
        assert change.transition.to_state is AlertState.INACTIVE
        assert small_empty_world.outbox() == []

    def test_without_a_webhook_it_is_told_when_there_is_one(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "ww"))
        after = monitor(small_empty_world.log, features=(K,))
        assert len(end_unwatched(small_empty_world, after, notify=False)) == 1
        assert end_unwatched(small_empty_world, after, notify=False) == []
        assert len(small_empty_world.outbox()) == 1
        assert end_unwatched(small_empty_world, after) == []
        assert small_empty_world.outbox()[1:] == [("x", "drift", DAY, 12, "resolved", None)]

    def test_what_is_configured_again_goes_on_from_its_end(
        self, small_empty_world: World, settings: MonitorSettings
    ) -> None:
        take(small_empty_world.store, settings, history(11, "ww"))
        end_unwatched(small_empty_world, monitor(small_empty_world.log, features=(K,)))
        assert take(small_empty_world.store, settings, history(11, "cc")) == []
        take(small_empty_world.store, settings, history(13, "ww"))
        assert small_empty_world.events("x", "drift")[-2:] == [(13, "pending"), (14, "firing")]
