"""Local time without its zone, texts, epochs and partitions: every row in its pane, and once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import Source
from driftwatch.source.wall import Wall
from driftwatch.stats.axis import Axis, NumericAxis
from driftwatch.window import Interval, from_epoch, to_epoch
from tests.source.logs import create, is_sqlite, opened, planned, relation, run

AXES: dict[str, Axis] = {"x": NumericAxis((0.0,))}
MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Form:
    """A way in which a log keeps local time."""

    kind: str
    write: str
    format: str | None = None
    fraction: str = ""

    def text(self, shown: datetime) -> str:
        return shown.strftime(self.write) + self.fraction


FORMS = {
    "sqlite": [
        Form("TEXT", "%Y-%m-%d %H:%M:%S"),
        Form("TEXT", "%Y%m%dT%H%M", "%Y%m%dT%H%M"),
        Form("TEXT", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", ".999"),
    ],
    "postgresql": [
        Form("timestamp", "%Y-%m-%d %H:%M:%S"),
        Form("timestamp", "%Y-%m-%d %H:%M:%S", None, ".999"),
        Form("text", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
        Form("varchar(30)", "%Y%m%dT%H%M", "%Y%m%dT%H%M"),
        Form("text", "at %Y/%m/%d 5%% %H:%M:%S", "at %Y/%m/%d 5%% %H:%M:%S.%f", ".999"),
    ],
}


def forms(url: str) -> list[Form]:
    return FORMS["sqlite" if is_sqlite(url) else "postgresql"]


def shown(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def every(step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step


def counted(
    source: Source, place: RelationSettings, interval: Interval, pane_seconds: int
) -> dict[datetime, int]:
    """Rows per pane of a scan of all of the interval, which scans of each pane must confirm."""
    plan = planned(source, AXES, place, pane_seconds=pane_seconds)
    counts = source.scan(plan, interval)
    together = dict(zip(counts.starts.tolist(), counts.rows.tolist(), strict=True))
    alone = {}
    for start in range(to_epoch(interval.start), to_epoch(interval.end), pane_seconds):
        pane = Interval(from_epoch(start), from_epoch(start + pane_seconds))
        (rows,) = source.scan(plan, pane).rows.tolist() or (0,)
        if rows:
            alone[start] = rows
    assert together == alone
    return {from_epoch(start): rows for start, rows in together.items()}


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
@pytest.mark.parametrize("pane", [300, 3_600])
class TestChangesOfTheClock:
    """A row every minute, in the local time of Berlin, over the night of a change."""

    def counts(
        self, url: str, form: Form, at: Sequence[str], interval: Interval, how: tuple[int, bool]
    ) -> dict[datetime, int]:
        pane, index = how
        run(url, "DROP TABLE IF EXISTS logs")
        create(url, {"x": "REAL"}, [[text, 1.0] for text in at], kind=form.kind, index=index)
        place = relation(timestamp_format=form.format, timestamp_zone=BERLIN)
        with opened(url) as source:
            return counted(source, place, interval, pane)

    def test_autumn(self, database_url: str, pane: int, index: bool) -> None:
        """What the clock shows twice is counted in the first pass, and the second one is empty."""
        interval = Interval(
            datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 6, tzinfo=UTC)
        )
        again = Interval(
            datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
        )
        around = (interval.start - 300 * MINUTE, interval.end + 300 * MINUTE)
        for form in forms(database_url):
            at = [form.text(shown(moment, BERLIN)) for moment in every(MINUTE, *around)]
            found = self.counts(database_url, form, at, interval, (pane, index))
            assert found == {
                start: pane
                // 60
                * (2 if again.start <= start + timedelta(hours=1) < again.end else 1)
                for start in every(timedelta(seconds=pane), interval.start, interval.end)
                if not again.start <= start < again.end
            }, form
            assert sum(found.values()) == interval.seconds // 60

    def test_spring(self, database_url: str, pane: int, index: bool) -> None:
        """What the clock never showed is counted in the pane before the change."""
        interval = Interval(
            datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)
        )
        before = datetime(2026, 3, 29, 1, tzinfo=UTC) - timedelta(seconds=pane)
        around = (interval.start - 300 * MINUTE, interval.end + 300 * MINUTE)
        for form in forms(database_url):
            at = [form.text(shown(moment, BERLIN)) for moment in every(MINUTE, *around)]
            skipped = [
                form.text(datetime(2026, 3, 29, 2, minute, tzinfo=UTC)) for minute in (0, 30, 59)
            ]
            found = self.counts(database_url, form, [*at, *skipped], interval, (pane, index))
            assert found == {
                start: pane // 60 + (3 if start == before else 0)
                for start in every(timedelta(seconds=pane), interval.start, interval.end)
            }, form

    def test_days_in_which_the_clock_changes(
        self, database_url: str, pane: int, index: bool
    ) -> None:
        """Panes of a day: the change lies in the midst of one."""
        interval = Interval(datetime(2026, 10, 23, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC))
        step = timedelta(minutes=30)
        around = (interval.start - 30 * step, interval.end + 30 * step)
        form = forms(database_url)[0]
        at = [form.text(shown(moment, BERLIN)) for moment in every(step, *around)]
        found = self.counts(database_url, form, at, interval, (86_400, index))
        assert list(found.values()) == [48] * 5


def test_kathmandu(database_url: str) -> None:
    """5:45 ahead: local midnight is 18:15 of the day before."""
    zone = "Asia/Kathmandu"
    midnight = datetime(2026, 3, 1, 18, 15, tzinfo=UTC)
    interval = Interval(midnight - timedelta(hours=6), midnight + timedelta(hours=6))
    for form in forms(database_url):
        run(database_url, "DROP TABLE IF EXISTS logs")
        moments = every(MINUTE, interval.start - 60 * MINUTE, interval.end + 60 * MINUTE)
        rows = [[form.text(shown(moment, zone)), 1.0] for moment in moments]
        create(database_url, {"x": "REAL"}, rows, kind=form.kind)
        place = relation(timestamp_format=form.format, timestamp_zone=zone)
        with opened(database_url) as source:
            found = counted(source, place, interval, 900)
            assert list(found.values()) == [15] * 48
            plan = planned(source, AXES, place, pane_seconds=900)
            day = Interval(midnight, midnight + timedelta(minutes=15))
            assert source.scan(plan, day).rows.tolist() == [15], form


def test_a_local_date_is_its_midnight(postgres_url: str) -> None:
    create(
        postgres_url, {"x": "REAL"}, [[date(2026, 3, day), 1.0] for day in (1, 2, 3)], kind="date"
    )
    with opened(postgres_url) as source:
        place = relation(timestamp_zone=BERLIN)
        days = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
        assert list(counted(source, place, days, 3_600)) == [
            datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC),
        ]  # fmt: skip


@pytest.mark.parametrize(("declared", "per_second"), [("epoch_s", 1), ("epoch_ms", 1_000)])
@pytest.mark.parametrize("kind", ["bigint", "REAL", "numeric(20, 3)"])
def test_epochs_know_no_zone(database_url: str, declared: str, per_second: int, kind: str) -> None:
    if kind == "REAL" and not is_sqlite(database_url):
        kind = "double precision"
    interval = Interval(
        datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 6, tzinfo=UTC)
    )
    rows = [[to_epoch(m) * per_second, 1.0] for m in every(MINUTE, interval.start, interval.end)]
    create(database_url, {"x": "REAL"}, rows, kind=kind)
    with opened(database_url) as source:
        for zone in ("UTC", BERLIN):
            place = relation(timestamp_format=declared, timestamp_zone=zone)
            assert list(counted(source, place, interval, 300).values()) == [5] * 96


def test_timestamps_with_a_zone_of_their_own_ignore_it(database_url: str) -> None:
    sqlite = is_sqlite(database_url)
    interval = Interval(datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
    moments = every(timedelta(minutes=30), interval.start, interval.end)
    rows = [[m.strftime("%Y-%m-%dT%H:%M:%SZ") if sqlite else m, 1.0] for m in moments]
    create(database_url, {"x": "REAL"}, rows)
    declared = "%Y-%m-%dT%H:%M:%SZ" if sqlite else None
    place = relation(timestamp_format=declared, timestamp_zone=BERLIN)
    with opened(database_url) as source:
        assert list(counted(source, place, interval, 3_600).values()) == [2] * 48


class TestTextInPostgresql:
    def test_midnight_and_fractions(self, postgres_url: str) -> None:
        at = ["2026-03-01 23:59:59.999", "2026-03-02 00:00:00", "2026-03-02 00:00:00.000001",
              "2026-03-02 23:59:59.9", "2026-03-03 00:00:00", "2026-03-02 12:00:00Z"]  # fmt: skip
        create(postgres_url, {"x": "REAL"}, [[text, 1.0] for text in at], kind="text")
        place = relation(timestamp_format="%Y-%m-%d %H:%M:%S.%f")
        days = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
        with opened(postgres_url) as source:
            assert list(counted(source, place, days, 86_400).values()) == [1, 4, 1]

    def test_it_is_compared_byte_by_byte_and_so_is_its_index(self, postgres_url: str) -> None:
        """Other collations read past the blank and the T, so that days would mingle."""
        create(postgres_url, {"x": "REAL"}, kind='text COLLATE "en-x-icu"', index=False)
        place = relation(timestamp_format="%Y-%m-%d %H:%M:%S")
        with opened(postgres_url) as source:
            run(postgres_url, "CREATE INDEX other ON logs (scored_at)")
            assert not source.inspect(place).timestamp_served
            run(postgres_url, 'CREATE INDEX bytes ON logs (scored_at COLLATE "C")')
            assert source.inspect(place).timestamp_served

    def test_garbage_stops_no_scan(self, postgres_url: str) -> None:
        garbage = ["2026-03-02 00:0x", "2026-03-02 00:61:00", "2026-02-30 00:00:00", "zzz", "",
                   "2026-13-02 00:00:00", "2026-03-02 0é:00:00"]  # fmt: skip
        rows: list[list[object]] = [[text, 1.0] for text in ["2026-03-02 00:01:00", *garbage]]
        create(postgres_url, {"x": "REAL"}, [*rows, [None, 1.0]], kind="text", index=False)
        days = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
        with opened(postgres_url) as source:
            plan = planned(
                source, AXES, relation(timestamp_format="%Y-%m-%d %H:%M:%S"), pane_seconds=3_600
            )
            counts = source.scan(plan, days)
            found = dict(zip(counts.starts.tolist(), counts.rows.tolist(), strict=True))
            assert found == {
                to_epoch(datetime(2026, 3, 2, tzinfo=UTC)): 1,
                to_epoch(datetime(2026, 3, 2, 1, tzinfo=UTC)): 1,  # as SQLite reads 61 minutes
            }

    def test_values_in_another_format(self, postgres_url: str) -> None:
        create(postgres_url, {"x": "REAL"}, [["2026-03-02T00:01:00Z", 1.0]], kind="text")
        with opened(postgres_url) as source:
            with pytest.raises(SourceError, match=r"to '%Y-%m-%dT%H:%M:%SZ'"):
                source.inspect(relation(timestamp_format="%Y-%m-%d %H:%M:%S"))
            with pytest.raises(SourceError, match=r"for text set its `format`"):
                source.inspect(relation())


class TestPartitions:
    def test_only_partitions_of_the_days_are_read(self, postgres_url: str) -> None:
        run(
            postgres_url,
            "CREATE TABLE logs (scored_at timestamptz, dt date, x float8) PARTITION BY RANGE (dt)",
            *(
                f"CREATE TABLE day{day} PARTITION OF logs FOR VALUES FROM ('2026-03-0{day}') "
                f"TO ('2026-03-0{day + 1}')"
                for day in range(1, 7)
            ),
            "INSERT INTO logs SELECT m, (m AT TIME ZONE 'UTC')::date, 1 FROM "
            "generate_series('2026-03-01 00:00Z', '2026-03-06 23:59Z', interval '1 minute') m",
        )
        days = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
        hour = Interval(days.end - timedelta(hours=1), days.end)
        with opened(postgres_url) as source:
            assert not source.inspect(relation()).timestamp_served
            assert source.inspect(relation(partition="dt")).timestamp_served
            for place, interval, expected in (
                (relation(), hour, {1, 2, 3, 4, 5, 6}),
                (relation(partition="dt"), hour, {3}),
                (relation(partition="dt"), days, {2, 3}),
            ):
                plan = planned(source, AXES, place, pane_seconds=3_600)
                lines = "\n".join(source.explain(plan, interval))
                assert {day for day in range(1, 7) if f"day{day} " in lines} == expected, lines
                assert source.scan(plan, interval).rows.tolist() == [60] * (
                    interval.seconds // 3_600
                )

    @pytest.mark.parametrize("kind", ["date", "text"])
    def test_the_dates_are_those_of_the_zone(self, database_url: str, kind: str) -> None:
        """As local time writes them: each row has the date that its timestamp begins with."""
        start = datetime(2026, 10, 24, tzinfo=UTC)
        interval = Interval(start, start + timedelta(days=3))
        moments = every(MINUTE * 10, start - timedelta(days=1), interval.end + timedelta(days=1))
        texts = [shown(moment, BERLIN).strftime("%Y-%m-%d %H:%M:%S") for moment in moments]
        rows = [[text, text[:10], 1.0] for text in texts]
        local = "TEXT" if is_sqlite(database_url) else "timestamp"
        create(database_url, {"dt": kind, "x": "REAL"}, rows, kind=local)
        with opened(database_url) as source:
            bare, cut = (
                counted(source, relation(timestamp_zone=BERLIN, partition=dt), interval, 3_600)
                for dt in (None, "dt")
            )
            assert bare == cut
            assert sum(cut.values()) == 3 * 144

    def test_other_types_and_texts_are_refused(self, database_url: str) -> None:
        create(database_url, {"dt": "TEXT", "n": "INTEGER", "x": "REAL"},
               [[datetime(2026, 3, 2, tzinfo=UTC), "20260302", 20260302, 1.0]])  # fmt: skip
        with opened(database_url) as source:
            for name in ("dt", "n"):
                with pytest.raises(SourceError, match=f"partition '{name}' .*'2026-12-31'"):
                    source.inspect(relation(partition=name))
            with pytest.raises(SourceError, match=r"no column 'd' for its partitions; did you"):
                source.inspect(relation(partition="d"))


ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
     "Africa/Casablanca", "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Antarctica/Troll"]
)  # fmt: skip
SECONDS = st.integers(to_epoch(datetime(2011, 12, 1, tzinfo=UTC)),
                      to_epoch(datetime(2027, 1, 1, tzinfo=UTC)))  # fmt: skip


class TestWall:
    """Local time, cut without overlap and without a gap."""

    @given(ZONES, SECONDS, st.integers(0, 400_000))
    def test_the_latest_reading_never_falls(self, zone: str, at: int, later: int) -> None:
        wall = Wall(zone)
        first, second = wall.latest(from_epoch(at)), wall.latest(from_epoch(at + later))
        assert wall.shown(from_epoch(at)) <= first <= second

    @given(ZONES, SECONDS)
    def test_until_is_the_last_moment_of_a_reading(self, zone: str, at: int) -> None:
        wall, reading = Wall(zone), from_epoch(at)
        until = wall.until(reading)
        assert wall.latest(until) <= reading < wall.latest(until + timedelta(seconds=1))

    @given(ZONES, SECONDS, st.sampled_from([900, 3_600, 86_400]), st.integers(1, 40))
    @settings(deadline=None)
    def test_parts_number_slices_as_their_edges_do(
        self, zone: str, at: int, step: int, slices: int
    ) -> None:
        wall = Wall(zone)
        start = from_epoch(at // step * step)
        edges = [start + timedelta(seconds=step * index) for index in range(slices + 1)]
        interval = Interval(start, edges[-1])
        readings = [wall.latest(edge) for edge in edges]
        for part in wall.parts(interval, step):
            origin = wall.latest(part.start)
            first = (part.start - start) // timedelta(seconds=step)
            reading, end = origin, wall.latest(part.end)
            while reading < end:
                seconds = min(to_epoch(reading) - to_epoch(origin), part.seconds - 1)
                number = first + seconds // step
                assert readings[number] <= reading < readings[number + 1]
                reading += timedelta(seconds=step // 4)

    @given(ZONES, SECONDS, st.integers(1, 200))
    def test_the_days_are_those_that_the_clock_shows(self, zone: str, at: int, hours: int) -> None:
        wall = Wall(zone)
        interval = Interval(from_epoch(at), from_epoch(at + hours * 3_600))
        first, last = wall.days(interval)
        for moment in every(timedelta(minutes=15), interval.start, interval.end):
            assert first <= wall.shown(moment).date() <= last
        early = wall.shown(interval.start).date()
        assert early - first <= timedelta(days=1)
