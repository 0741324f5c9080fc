"""Values come back as they were, in a form that SQL itself can work with."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from driftwatch.errors import DriftwatchError
from driftwatch.store import monitors
from driftwatch.store.engine import Store
from driftwatch.store.schema import evaluation, monitor
from tests.store.samples import NOW

MOMENTS = [
    datetime(2013, 2, 8, tzinfo=UTC),
    datetime(2013, 2, 8, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 0, tzinfo=UTC),
    datetime(2040, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
]


def save(store: Store, moments: list[datetime]) -> None:
    with store.write() as connection:
        for number, moment in enumerate(moments):
            monitors.ensure(connection, str(number), moment)


def test_moments_come_back_aware_and_sort_as_they_follow_each_other(store: Store) -> None:
    save(store, MOMENTS)
    with store.read() as connection:
        found = list(connection.scalars(sa.select(monitor.c.created_at).order_by(monitor.c.id)))
        ordered = list(
            connection.scalars(sa.select(monitor.c.created_at).order_by(monitor.c.created_at))
        )
        later = list(
            connection.scalars(
                sa.select(monitor.c.created_at).where(monitor.c.created_at > MOMENTS[1])
            )
        )
    assert found == MOMENTS
    assert all(moment.tzinfo is UTC for moment in found)
    assert ordered == sorted(MOMENTS)
    assert later == [MOMENTS[3]]


def test_a_moment_elsewhere_is_the_same_moment(store: Store) -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    save(store, [NOW.astimezone(kathmandu)])
    with store.read() as connection:
        assert connection.scalar(sa.select(monitor.c.created_at)) == NOW


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises((ValueError, DriftwatchError), match="has no time zone"):
        save(store, [datetime(2013, 2, 8)])  # noqa: DTZ001 - that is the mistake


def test_sqlites_date_functions_read_the_text(store: Store) -> None:
    if not store.is_sqlite:
        return
    save(store, [datetime(2013, 2, 8, 23, 59, 58, 250_000, tzinfo=UTC)])
    with store.read() as connection:
        found = connection.execute(
            sa.text("SELECT created_at, date(created_at), strftime('%s', created_at) FROM monitor")
        ).one()
    assert tuple(found) == ("2013-02-08T23:59:58.250000Z", "2013-02-08", "1360367998")


def test_nothing_is_null_in_both_ways(store: Store) -> None:
    with store.read() as connection:
        assert (
            connection.scalar(sa.select(sa.cast(sa.null(), evaluation.c.scan_start.type))) is None
        )
