"""`ready`: up to when the log is complete, as SQL of the user says it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftwatch.config.settings import RelationSettings, SourceSettings
from driftwatch.errors import SourceError, SourceTimeoutError
from driftwatch.source import Source, open_source
from tests.source.logs import DAY, create, is_sqlite, minutes, opened, relation, run

AT = DAY + timedelta(hours=7, minutes=30)


def answer(url: str, sql: str, place: RelationSettings | None = None) -> datetime | bool:
    with opened(url) as source:
        return source.ready_until(sql, place or relation())


@pytest.fixture
def log_url(database_url: str) -> str:
    """A log of one row, and a table that says that it was loaded until 07:30."""
    create(database_url, {"x": "REAL"}, [[minutes(1), 1.0]])
    kind = "TEXT" if is_sqlite(database_url) else "timestamptz"
    run(
        database_url,
        f"CREATE TABLE loads (loaded_until {kind}, done BOOLEAN)",
        "INSERT INTO loads VALUES ('2026-03-02 07:30:00', true)"
        if is_sqlite(database_url)
        else "INSERT INTO loads VALUES ('2026-03-02 07:30:00Z', true)",
    )
    return database_url


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT max(loaded_until) FROM loads", AT),
        ("select loaded_until from loads order by 1 desc; -- the newest; 100%", AT),
        ("SELECT done FROM loads", True),
        ("SELECT count(*) > 0 FROM loads", True),
        ("SELECT count(*) > 5 FROM loads", False),
        ("SELECT NOT done FROM loads", False),
        ("SELECT max(loaded_until) FROM loads WHERE NOT done", False),
        ("SELECT loaded_until FROM loads WHERE NOT done", False),
        ("SELECT NULL", False),
    ],
)
def test_what_it_says(log_url: str, sql: str, expected: datetime | bool) -> None:
    found = answer(log_url, sql)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT loaded_until, done FROM loads", "`ready` gives 2 columns; it takes one row"),
        ("SELECT 1 UNION ALL SELECT 0", "`ready` gives more than one row"),
        ("SELECT 'soon'", "`ready` gives 'soon', but the timestamp 'scored_at' is"),
        ("SELECT 17.5", "`ready` gives .*17.5"),
        ("SELECT max(loaded_until) FROM nowhere", "`ready` was refused: .*nowhere.*SELECT"),
        ("DELETE FROM loads", "`ready` was refused"),
        ("SELECT 1; SELECT 2", "`ready`: there is a second statement"),
        ("", "`ready`: there is no statement"),
    ],
)
def test_what_it_may_not_say(log_url: str, sql: str, says: str) -> None:
    with pytest.raises(SourceError, match=f"source 'logs': {says}"):
        answer(log_url, sql)
    assert answer(log_url, "SELECT done FROM loads") is True


class TestForms:
    """A moment is read as the timestamp column holds it."""

    def at(self, url: str, kind: str, sql: str, **settings: Any) -> datetime | bool:
        create(url, {"x": "REAL"}, kind=kind)
        return answer(url, sql, relation(**settings))

    @pytest.mark.parametrize("kind", ["bigint", "numeric"])
    def test_epochs(self, database_url: str, kind: str) -> None:
        seconds = int(AT.timestamp())
        assert self.at(database_url, kind, f"SELECT {seconds}", timestamp_format="epoch_s") == AT
        place = relation(timestamp_format="epoch_ms")
        later = AT + timedelta(milliseconds=250)
        assert answer(database_url, f"SELECT {seconds}250", place) == later
        assert answer(database_url, f"SELECT {seconds}250.0", place) == later

    def test_text_in_local_time(self, database_url: str) -> None:
        settings: dict[str, Any] = {
            "timestamp_format": "%Y-%m-%dT%H:%M:%S",
            "timestamp_zone": "Europe/Berlin",
        }
        found = self.at(database_url, "TEXT", "SELECT '2026-03-02T08:30:00'", **settings)
        assert found == AT
        place = relation(**settings)
        repeated = answer(database_url, "SELECT '2026-10-25T02:30:00'", place)
        assert repeated == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        skipped = answer(database_url, "SELECT '2026-03-29T02:30:00'", place)
        assert skipped == datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
        with pytest.raises(SourceError, match="read as Europe/Berlin"):
            answer(database_url, "SELECT '2026-02-30T02:30:00'", place)

    @pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "date"])
    def test_types_of_postgresql(self, postgres_url: str, kind: str) -> None:
        create(postgres_url, {"x": "REAL"}, kind=kind)
        for zone, local in (("UTC", "07:30"), ("Asia/Kathmandu", "13:15")):
            place = relation(timestamp_zone=zone)
            for sql in (f"timestamp '2026-03-02 {local}'", "timestamptz '2026-03-02 07:30Z'"):
                assert answer(postgres_url, f"SELECT {sql}", place) == AT
        kathmandu = relation(timestamp_zone="Asia/Kathmandu")
        midnight = datetime(2026, 3, 1, 18, 15, tzinfo=UTC)
        assert answer(postgres_url, "SELECT date '2026-03-02'", kathmandu) == midnight


def test_it_has_the_time_of_a_statement(postgres_url: str) -> None:
    create(postgres_url, {"x": "float8"})
    source: Source = open_source(SourceSettings("logs", postgres_url, 0.2))
    try:
        with pytest.raises(SourceTimeoutError, match="`ready`: no answer within"):
            source.ready_until("SELECT true FROM pg_sleep(20)", relation())
    finally:
        source.close()
