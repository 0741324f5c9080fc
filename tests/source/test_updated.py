"""Which panes hold rows that were changed, by a column that every change sets."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import types

from driftwatch.config.settings import RelationSettings
from driftwatch.errors import SourceError
from driftwatch.source import ScanPlan, Source
from driftwatch.source.timestamp import Timestamp, timestamp_of
from driftwatch.source.updated import at_most
from driftwatch.stats.axis import NumericAxis
from driftwatch.window import Interval, to_epoch
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, run

LATER = datetime(2026, 3, 9, 12, tzinfo=UTC)
"""When the rows of the tests were changed, a week after they were written."""

FAR = datetime(2100, 1, 1, tzinfo=UTC)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def kind(url: str) -> str:
    return "TEXT" if is_sqlite(url) else "timestamptz"


def written(url: str, moment: datetime | None) -> object:
    sqlite = is_sqlite(url)
    return moment.strftime("%Y-%m-%d %H:%M:%S") if sqlite and moment is not None else moment


def place(updated_at: str | None = "changed_at", **settings: str) -> RelationSettings:
    return RelationSettings("logs", None, "scored_at", updated_at=updated_at, **settings)


def fill(url: str, changes: Sequence[tuple[float, datetime | None]], *, index: bool = True) -> None:
    """Rows of some minutes of the day, and when each was changed."""
    rows = [[minutes(minute), written(url, change), 1.0] for minute, change in changes]
    create(
        url,
        {"changed_at": kind(url), "x": "REAL" if is_sqlite(url) else "float8"},
        rows,
        index=index,
    )


def plan_of(source: Source, where: RelationSettings | None = None) -> ScanPlan:
    return planned(source, {"x": NumericAxis((0.0,))}, where or place())


def hours(count: float) -> datetime:
    return LATER + timedelta(hours=count)


@pytest.mark.parametrize("index", [True, False], ids=["index", "no index"])
def test_panes_with_rows_changed_since_a_moment(database_url: str, index: bool) -> None:
    changes = [
        (0, hours(1)),
        (1, hours(-1)),
        (6, hours(-2)),
        (12, hours(0)),
        (13, None),
        (18, None),
    ]
    fill(database_url, changes, index=index)
    with opened(database_url) as source:
        plan = plan_of(source)
        everything = between(0, 20)

        def panes(since: datetime | None, interval: Interval = everything) -> list[float]:
            starts, _ = source.updated_panes(plan, interval, since, before=FAR)
            return [(start - to_epoch(minutes(0))) / 60 for start in starts]

        assert panes(hours(0)) == [0, 10]
        assert panes(hours(-1.5)) == [0, 10]
        assert panes(hours(-2)) == [0, 5, 10]
        assert panes(hours(1)) == [0]
        assert panes(hours(2)) == []
        assert panes(hours(-9), between(5, 15)) == [5, 10]
        assert panes(None) == []


def test_the_newest_change_is_the_next_since(database_url: str) -> None:
    """None: nothing was changed since then. Asked again, the newest is seen again."""
    fill(database_url, [(0, hours(1)), (6, hours(3)), (12, hours(2)), (18, None)])
    with opened(database_url) as source:
        plan, day = plan_of(source), between(0, 20)
        assert source.updated_panes(plan, day, None, before=FAR) == ((), hours(3))
        assert source.updated_panes(plan, between(0, 5), None, before=FAR) == ((), hours(1))
        assert source.updated_panes(plan, between(15, 20), None, before=FAR) == ((), None)
        assert source.updated_panes(plan, between(20, 60), None, before=FAR) == ((), None)
        starts, newest = source.updated_panes(plan, day, hours(3), before=FAR)
        assert (starts, newest) == ((to_epoch(minutes(5)),), hours(3))
        assert source.updated_panes(plan, day, hours(4), before=FAR) == ((), None)
        run(database_url, f"UPDATE logs SET changed_at = '{hours(5):%Y-%m-%d %H:%M:%S}+00' "
            "WHERE changed_at IS NULL" if not is_sqlite(database_url) else
            f"UPDATE logs SET changed_at = '{hours(5):%Y-%m-%d %H:%M:%S}' "
            "WHERE changed_at IS NULL")  # fmt: skip
        starts, newest = source.updated_panes(plan, day, hours(3), before=FAR)
        assert (starts, newest) == (
            (to_epoch(minutes(5)), to_epoch(minutes(15))),
            hours(5),
        )


def test_fractions_of_a_second_are_not_lost(database_url: str) -> None:
    fill(database_url, [(0, None)])
    run(
        database_url,
        "UPDATE logs SET changed_at = '2026-03-09 12:00:00.75"
        + ("'" if is_sqlite(database_url) else "+00'"),
    )
    with opened(database_url) as source:
        plan = plan_of(source)
        moment = LATER + timedelta(seconds=0.75)
        assert source.updated_panes(plan, between(0, 5), None, before=FAR) == ((), moment)
        assert source.updated_panes(plan, between(0, 5), moment, before=FAR)[0] == (
            to_epoch(minutes(0)),
        )
        assert (
            source.updated_panes(plan, between(0, 5), LATER + timedelta(seconds=1), before=FAR)[0]
            == ()
        )


FORMS = {
    "timestamp": ("timestamp", "'2026-03-09 12:00:00'", LATER),
    "date": ("date", "'2026-03-09'", LATER.replace(hour=0)),
    "timestamptz": ("timestamptz", "'2026-03-09 14:00:00+02'", LATER),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_time_of_its_own_type_in_postgresql(postgres_url: str, form: str) -> None:
    """Whatever the timestamp itself is kept in."""
    sql_type, value, moment = FORMS[form]
    run(
        postgres_url,
        f"CREATE TABLE logs (scored_at bigint, changed_at {sql_type}, x float8)",
        f"INSERT INTO logs VALUES ({to_epoch(minutes(1))}, {value}, 1)",
    )
    with opened(postgres_url) as source:
        plan = plan_of(source, place(timestamp_format="epoch_s"))
        assert source.updated_panes(plan, between(0, 5), None, before=FAR) == ((), moment)
        panes = (to_epoch(minutes(0)),)
        for since in (moment, moment + timedelta(minutes=1) if form == "date" else moment):
            assert source.updated_panes(plan, between(0, 5), since, before=FAR) == (panes, moment)
        assert source.updated_panes(
            plan, between(0, 5), moment + timedelta(days=1), before=FAR
        ) == ((), None)


@pytest.mark.parametrize(("form", "per_second"), [("epoch_s", 1), ("epoch_ms", 1000)])
def test_seconds_and_milliseconds(database_url: str, form: str, per_second: int) -> None:
    change = to_epoch(LATER) * per_second
    run(
        database_url,
        "CREATE TABLE logs (scored_at bigint, changed_at bigint, x float)",
        f"INSERT INTO logs VALUES ({to_epoch(minutes(1)) * per_second}, {change}, 1)",
    )
    with opened(database_url) as source:
        plan = plan_of(source, place(timestamp_format=form))
        found = source.updated_panes(plan, between(0, 5), LATER, before=FAR)
        assert found == ((to_epoch(minutes(0)),), LATER)


@pytest.mark.parametrize("pattern", ["%Y%m%d%H%M%S", "%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])
def test_texts_in_a_declared_format(database_url: str, pattern: str) -> None:
    pattern = "%Y/%m/%d %H" if pattern == "%d" else pattern
    text = LATER.strftime(pattern)
    run(
        database_url,
        "CREATE TABLE logs (scored_at TEXT, changed_at TEXT, x float)",
        f"INSERT INTO logs VALUES ('{minutes(0).strftime(pattern)}', '{text}', 1)",
    )
    with opened(database_url) as source:
        plan = plan_of(source, place(timestamp_format=pattern))
        read = LATER.replace(hour=0) if pattern.endswith("%d") else LATER
        later = LATER + timedelta(seconds=20)  # the text says no seconds: it may be later
        since = later if "%S" not in pattern else LATER
        found = source.updated_panes(plan, between(0, 5), since, before=FAR)
        assert found == ((to_epoch(minutes(0)),), read)


def test_a_change_in_the_hour_that_a_clock_shows_twice(database_url: str) -> None:
    """Berlin, 2026-10-25: 02:30 is 00:30 or 01:30 UTC. It is given again rather than lost."""
    sql_type = "TEXT" if is_sqlite(database_url) else "timestamp"
    run(
        database_url,
        f"CREATE TABLE logs (scored_at {sql_type}, changed_at {sql_type}, x float)",
        "INSERT INTO logs VALUES ('2026-10-20 12:00:00', '2026-10-25 02:10:00', 1)",
    )
    set_back = datetime(2026, 10, 25, 1, tzinfo=UTC)
    noon = datetime(2026, 10, 20, 10, tzinfo=UTC)
    interval = Interval(noon, noon + timedelta(minutes=5))
    with opened(database_url) as source:
        plan = plan_of(source, place(timestamp_zone="Europe/Berlin"))
        for since in (set_back - timedelta(minutes=15), set_back + timedelta(minutes=10)):
            starts, newest = source.updated_panes(plan, interval, since, before=FAR)
            assert starts == (to_epoch(noon),)
            assert newest == set_back - timedelta(minutes=50)
        assert (
            source.updated_panes(plan, interval, set_back + timedelta(hours=1), before=FAR)[0] == ()
        )


@given(
    since=st.integers(0, 31_536_000),
    later=st.integers(0, 200_000) | st.integers(0, 40_000_000),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"]),
    pattern=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y%m%d%H", "%Y-%m-%d"]),
)
def test_no_later_change_is_below_the_bound(
    since: int, later: int, zone: str, pattern: str
) -> None:
    """The text that is written at a later moment does not sort before the bound."""
    moment = NEW_YEAR + timedelta(seconds=since)
    updated = timestamp_of("sqlite", types.Text(), pattern, zone)
    assert updated.wall is not None
    change = updated.wall.shown(moment + timedelta(seconds=later))
    assert change.strftime(pattern) >= str(at_most(updated, moment))


@given(st.integers(0, 31_536_000))
def test_a_date_is_not_below_a_moment_of_its_day(since: int) -> None:
    moment = NEW_YEAR + timedelta(seconds=since)
    updated: Timestamp = timestamp_of("postgresql", types.Date(), None)
    bound = at_most(updated, moment)
    assert isinstance(bound, date)
    assert bound == moment.date()


def test_a_column_that_is_not_there(database_url: str) -> None:
    fill(database_url, [(0, LATER)])
    with opened(database_url) as source:
        plan = plan_of(source, place("change_at"))
        with pytest.raises(
            SourceError, match=r"source 'logs': .*'change_at' for its .*did you mean 'chang"
        ):
            source.updated_panes(plan, between(0, 5), LATER, before=FAR)
        plan = plan_of(source)
        run(database_url, "ALTER TABLE logs RENAME COLUMN changed_at TO changed")
        with pytest.raises(SourceError, match=r"no column 'changed_at' for its updated_at; did"):
            source.updated_panes(plan, between(0, 5), LATER, before=FAR)
        assert source.scan(plan, between(0, 5)).rows.tolist() == [1]
        run(database_url, "ALTER TABLE logs RENAME COLUMN changed TO changed_at")
        assert source.updated_panes(plan, between(0, 5), None, before=FAR) == ((), LATER)


def test_a_column_that_is_no_time(postgres_url: str) -> None:
    fill(postgres_url, [(0, LATER)])
    with opened(postgres_url) as source:
        plan = plan_of(source, place("x"))
        with pytest.raises(SourceError, match=r"updated_at 'x' is 'double precision'; it takes"):
            source.updated_panes(plan, between(0, 5), LATER, before=FAR)


def test_values_that_are_no_times(sqlite_url: str) -> None:
    fill(sqlite_url, [(0, LATER)])
    run(sqlite_url, "UPDATE logs SET changed_at = 'yesterday'")
    told = r"values such as 'yesterday', not text such as"
    with opened(sqlite_url) as source, pytest.raises(SourceError, match=told):
        source.updated_panes(plan_of(source), between(0, 5), None, before=FAR)


def test_a_relation_that_names_no_such_column(sqlite_url: str) -> None:
    fill(sqlite_url, [(0, LATER)])
    with opened(sqlite_url) as source:
        with pytest.raises(ValueError, match="has no `updated_at`"):
            source.updated_panes(plan_of(source, place(None)), between(0, 5), None, before=FAR)
        with pytest.raises(ValueError, match="not made of panes"):
            source.updated_panes(plan_of(source), between(0, 6), None, before=FAR)


def test_where_is_kept(database_url: str) -> None:
    fill(database_url, [(0, LATER), (6, LATER)])
    run(database_url, f"UPDATE logs SET x = 2 WHERE scored_at >= '{minutes(5):%Y-%m-%d %H:%M:%S}"
        + ("'" if is_sqlite(database_url) else "+00'"))  # fmt: skip
    with opened(database_url) as source:
        plan = plan_of(source, place(where="x > 1"))
        assert source.updated_panes(plan, between(0, 10), LATER, before=FAR)[0] == (
            to_epoch(minutes(5)),
        )


def test_the_index_of_the_timestamp_is_used(sqlite_url: str) -> None:
    fill(sqlite_url, [(0, LATER)])
    with opened(sqlite_url) as source:
        plan = plan_of(source)
        source.updated_panes(plan, between(0, 5), LATER, before=FAR)
        text = plan.kept["updated",].grouped.text
    assert '"scored_at" >= :start' in text
    assert '"changed_at" >= :since' in text


@pytest.mark.parametrize("never", ["infinity", "9999-12-31 23:59:59", "2099-12-31 00:00:00"])
def test_a_change_in_the_far_future_is_none(database_url: str, never: str) -> None:
    """One such row would hide every change that comes before it."""
    fill(database_url, [(0, LATER), (5, LATER), (7, hours(1))])
    run(database_url, f"UPDATE logs SET changed_at = '{never}' WHERE x = 1 AND {_at(5)}")
    before = LATER + timedelta(days=1)
    with opened(database_url) as source:
        plan = plan_of(source)
        assert source.updated_panes(plan, between(0, 5), None, before=before) == ((), LATER)
        assert source.updated_panes(plan, between(5, 10), None, before=before) == ((), hours(1))
        panes = (to_epoch(minutes(0)), to_epoch(minutes(5)))
        assert source.updated_panes(plan, between(0, 10), LATER, before=before)[0] == panes


def _at(minute: int) -> str:
    return f"scored_at = '{minutes(minute):%Y-%m-%d %H:%M:%S}'"
