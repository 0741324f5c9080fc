"""Queries, late rows, thin windows, exclusions and retention."""

from datetime import UTC, datetime

import pytest

from driftwatch.config.settings import Exclusion, RelationSettings, RetentionSettings
from driftwatch.window import Interval
from tests.config.conftest import Load, Tell, monitor

DAY = 86_400


class TestRelation:
    def test_rows_of_a_query(self, load: Load) -> None:
        text = monitor("where: a > 1", "partition: dt", "updated_at: changed").replace(
            "table: predictions", "query: select * from p"
        )

        (found,) = load(text).monitors

        assert found.relation == RelationSettings(
            "the query of monitor 'delay'",
            None,
            "scored_at",
            where="a > 1",
            query="select * from p",
            partition="dt",
            updated_at="changed",
        )

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("table: a\n    query: select 1", "5: monitors[0].query: stands beside table; keep on"),
            ("min_rows: 5", "3: monitors[0].table: missing; name the table or view that holds the"),
            ("table: ", "4: monitors[0].table: has no value; name the table or view that holds th"),
            ("query: ' '", "4: monitors[0].query: must not be blank; remove the key or write a v"),
        ],
    )
    def test_a_table_or_a_query(self, tell: Tell, written: str, told: str) -> None:
        (line,) = tell(monitor().replace("table: predictions", written))

        assert line.startswith(told)

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("partition: '@dt'", "partition: '@dt' begins with @, which is kept for"),
            ("updated_at: [a]", "updated_at: must be text"),
            ("ready: true", 'ready: must be text; put it in quotes: "..."'),
            ("ready: ' '", "ready: must not be blank; remove the key or write a value"),
        ],
    )
    def test_columns_and_sql_are_text(self, tell: Tell, line: str, told: str) -> None:
        assert tell(monitor(line))[0].startswith(f"8: monitors[0].{told}")

    def test_each_monitor_has_rows_of_its_own(self, tell: Tell) -> None:
        lines = tell(f"defaults: {{query: select 1}}\n{monitor()}")

        assert lines == ["1: defaults.query: belongs to each monitor; move it there"]

    def test_null_undoes_the_defaults(self, load: Load) -> None:
        keys = ("partition", "updated_at", "ready")
        shared = ", ".join(f"{key}: x" for key in keys)
        text = f"defaults: {{{shared}, widen: 1d}}\n"

        (kept,) = load(text + monitor()).monitors
        (undone,) = load(text + monitor(*(f"{key}: ~" for key in (*keys, "widen")))).monitors

        assert (kept.relation.partition, kept.relation.updated_at, kept.ready) == ("x", "x", "x")
        assert kept.widen_seconds == DAY
        assert (undone.relation.partition, undone.relation.updated_at) == (None, None)
        assert (undone.ready, undone.widen_seconds) == (None, None)


class TestRecheck:
    @pytest.mark.parametrize(
        ("lines", "ages"),
        [
            ((), (900, 3_600, 21_600, 86_400)),
            (("pane: 30m",), (3_600, 21_600, 86_400)),
            (("pane: 1d", "windows: [1d]"), (86_400,)),
            (("recheck: []",), ()),
            (("recheck: [10m, 2d]",), (600, 2 * DAY)),
        ],
    )
    def test_ages(self, load: Load, lines: tuple[str, ...], ages: tuple[int, ...]) -> None:
        (found,) = load(monitor(*lines)).monitors

        assert found.recheck_seconds == ages

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("[1h, 15m]", ": ages must rise; sort them, each once"),
            ("[1h, 60m]", ": ages must rise; sort them, each once"),
            ("[7m, 1h]", "[0]: an age (7m) is not a multiple of the pane (5m); change one of them"),
            ("[1h, never]", "[1]: 'never' is not a duration; write it like 30s"),
            ("[0s]", "[0]: '0s' must be longer than nothing"),
            ("1h", ": must be a list of durations, such as [15m, 1h, 6h, 1d], not text"),
            ("", ": has no value; write one, or remove the key"),
            (f"[{', '.join(f'{i}h' for i in range(1, 18))}]", ": must have at most 16 entries"),
        ],
    )
    def test_ages_that_do_not_fit(self, tell: Tell, written: str, told: str) -> None:
        (line,) = tell(monitor(f"recheck: {written}"))

        assert line.startswith(f"8: monitors[0].recheck{told}")

    def test_ages_that_are_written_as_a_default_fit_every_pane(self, tell: Tell) -> None:
        text = "defaults: {recheck: [15m, 1h]}\n" + monitor("pane: 30m")

        assert tell(text) == [
            "1: defaults.recheck[0]: an age (15m) is not a multiple of the pane (30m); change one "
            "of them"
        ]


class TestWiden:
    def test_how_far(self, load: Load) -> None:
        (found,) = load(monitor("widen: 7d")).monitors

        assert found.widen_seconds == 7 * DAY

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("61m", "widen (1h1m) is not a multiple of the pane (5m); change one of them"),
            ("30m", "widen (30m) is below the shortest window (1h), so no window could be widened"),
            ("far", "'far' is not a duration; write it like"),
        ],
    )
    def test_what_does_not_fit(self, tell: Tell, written: str, told: str) -> None:
        (line,) = tell(monitor(f"widen: {written}"))

        assert line.startswith(f"8: monitors[0].widen: {told}")


class TestDelay:
    def test_of_a_column_that_is_joined_later(self, load: Load) -> None:
        columns = "features: [distance, {name: returned, delay: 2d}, {name: b, delay: 2m}]"

        (found,) = load(monitor(columns=columns)).monitors

        assert [feature.delay_seconds for feature in found.features] == [None, 2 * DAY, 120]

    def test_it_is_not_below_that_of_the_monitor(self, tell: Tell) -> None:
        columns = "features: [{name: returned, delay: 5m}]"

        assert tell(monitor("delay: 10m", columns=columns)) == [
            "7: monitors[0].features[0].delay: '5m' is below the monitor's delay (10m); a column "
            "comes with its rows or later"
        ]


def between(start: str, end: str) -> Interval:
    moments = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    return Interval(*moments)


class TestExclude:
    def test_ranges_may_overlap(self, load: Load) -> None:
        (found,) = load(
            monitor(
                "exclude:",
                "  - {from: 2026-11-23, to: 2026-11-28, reason: black week}",
                "  - {from: 2026-11-25T01:07+02:00, to: 2026-12-01, reason: b, feature: distance}",
                "  - {from: 2026-11-26, to: 2026-11-27, reason: c, feature: '@volume'}",
                "  - {from: 2026-11-26, to: 2026-11-27, reason: d, feature: p}",
                "prediction: p",
            )
        ).monitors

        assert found.exclusions == (
            Exclusion(between("2026-11-23", "2026-11-28"), "black week"),
            Exclusion(between("2026-11-24T23:07", "2026-12-01"), "b", "distance"),
            Exclusion(between("2026-11-26", "2026-11-27"), "c", "@volume"),
            Exclusion(between("2026-11-26", "2026-11-27"), "d", "p"),
        )

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("{from: 2026-11-23}", ": must be a list, such as [{from: 2026-11-23, to: 2026-11-28,"),
            ("[2026-11-23]", "[0]: must be a mapping with from, to and reason, not text"),
            ("[{from: 2026-11-23, reason: a}]", "[0].to: missing; add it"),
            ("[{from: 2026-11-23, to: 2026-11-24}]", "[0].reason: missing; add it"),
            ("[{from: a, to: 2026-11-24, reason: b}]", "[0].from: 'a' is not a date; write"),
            (
                "[{from: 2026-11-24, to: 2026-11-24, reason: a}]",
                "[0]: from must lie before to (which is the first moment after it)",
            ),
            (
                "[{from: 2026-11-23, to: 2026-11-24, reason: ' '}]",
                "[0].reason: must not be blank; remove the key or write a value",
            ),
            (
                "[{from: 2026-11-23, to: 2026-11-24, reason: a, feature: distanc}]",
                "[0].feature: 'distanc' is not watched by monitor 'delay'; did you mean 'distance'",
            ),
        ],
    )
    def test_ranges_that_do_not_fit(self, tell: Tell, written: str, told: str) -> None:
        (line,) = tell(monitor(f"exclude: {written}"))

        assert line.startswith(f"8: monitors[0].exclude{told}")

    def test_a_column_that_is_broken_itself_is_watched(self, tell: Tell) -> None:
        exclude = "exclude: [{from: 2026-11-23, to: 2026-11-24, reason: a, feature: distance}]"

        (line,) = tell(monitor(exclude, columns="features: [{name: distance, bins: 0}]"))

        assert line.startswith("7: monitors[0].features[0].bins: must be at least 2")


class TestRetention:
    def test_nothing_written(self, load: Load) -> None:
        assert load(monitor()).retention == RetentionSettings()

    def test_everything_written(self, load: Load) -> None:
        written = (
            "{panes: 2d, hours: 2d, days: 800d, results: forever, evaluations: 1d, events: 30d, "
            "notifications: 1h}"
        )

        assert load(f"retention: {written}\n{monitor()}").retention == RetentionSettings(
            2 * DAY, 2 * DAY, 800 * DAY, None, DAY, 30 * DAY, 3_600
        )

    def test_forever_is_longer_than_everything(self, load: Load) -> None:
        retention = load(f"retention: {{panes: forever, hours: forever}}\n{monitor()}").retention

        assert (retention.panes_seconds, retention.hours_seconds) == (None, None)

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("{panes: 36h}", ".panes: '36h' is too short for late rows; keep panes at least 2d"),
            (
                "{hours: 20d}",
                ".hours: hours are kept for 20d, panes for 30d: hours are made of panes; keep "
                "them at least as long",
            ),
            (
                "{panes: forever}",
                ".panes: hours are kept for 400d, panes for forever: hours are made of panes; keep",
            ),
            ("{days: 1d}", ".days: days are kept for 1d, hours for 400d: days are made of hours;"),
            (
                "{panes: always}",
                ".panes: 'always' is not a duration; write it like 30d, or forever",
            ),
            ("{panes: 30 d}", ".panes: '30 d' is not a duration; write it like 30s, 5m"),
            ("{panes: }", ".panes: has no value; write one, or remove the key"),
            ("{results: 0s}", ".results: '0s' must be longer than nothing"),
            ("{pane: 30d}", ".pane: unknown key; did you mean 'panes'?"),
            ("30d", ": must be a mapping, such as {panes: 30d, days: forever}, not text"),
        ],
    )
    def test_ages_that_do_not_fit(self, tell: Tell, written: str, told: str) -> None:
        (line,) = tell(f"retention: {written}\n{monitor()}")

        assert line.startswith(f"1: retention{told}")


class TestReach:
    @pytest.mark.parametrize(
        ("reference", "lines", "told"),
        [
            (
                "{seasonal: 8w}",
                ("windows: [15m, 1h]",),
                "6: monitors[0].reference: looks back 56d from windows that are sums of panes, "
                "which are kept for 30d; keep them longer (retention: {panes: 56d1h}), or look "
                "back less",
            ),
            (
                "{rolling: 400d}",
                (),
                "6: monitors[0].reference: looks back 400d from windows that are sums of hours, "
                "which are kept for 400d; keep them longer (retention: {hours: 401d}), or look "
                "back less",
            ),
            (
                "{rolling: 400d}",
                ("windows: [1d]", "zone: Europe/Berlin"),
                "6: monitors[0].reference: looks back 400d from windows that are sums of hours, "
                "which are kept for 400d; keep them longer (retention: {hours: 401d}), or look "
                "back less",
            ),
            (
                "{rolling: 1d}",
                ("recheck: [1h, 30d]",),
                "8: monitors[0].recheck: panes are compared at the age of 30d, and kept for 30d; "
                "write lower ages, or keep panes longer (retention)",
            ),
        ],
    )
    def test_counts_are_kept_as_long_as_they_are_looked_at(
        self, tell: Tell, load: Load, reference: str, lines: tuple[str, ...], told: str
    ) -> None:
        text = monitor(*lines).replace("{from: 2026-09-01, to: 2026-10-01}", reference)

        assert tell(text) == [told]
        assert load(f"{text}retention: {{panes: forever, hours: forever}}\n").monitors

    def test_whole_days_of_utc_are_sums_of_days(self, load: Load) -> None:
        text = monitor("windows: [1d]")

        assert load(text.replace("{from: 2026-09-01, to: 2026-10-01}", "{rolling: 800d}")).monitors

    def test_of_a_column(self, tell: Tell) -> None:
        columns = "features: [b, {name: a, reference: {rolling: 401d}}]"

        (line,) = tell(monitor("prediction: p", columns=columns))

        assert line.startswith("7: monitors[0].features[1].reference: looks back 401d from window")
