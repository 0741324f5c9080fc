"""Time limits, cancelling, lost connections, rights, and secrets that stay out of messages."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from driftwatch.config.settings import FeatureSettings, SourceSettings
from driftwatch.errors import (
    ConfigError,
    SourceCancelledError,
    SourceError,
    SourceTimeoutError,
)
from driftwatch.source import ScanPlan, Source, open_source
from driftwatch.source.link import Link, sqlite_query
from driftwatch.source.postgres_link import PostgresLink
from driftwatch.source.scan import scan
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis
from driftwatch.stats.counts import PaneCounts
from driftwatch.window import Interval
from tests.servers.postgres import PostgresServer
from tests.source.logs import (
    between,
    create,
    is_sqlite,
    minutes,
    opened,
    planned,
    relation,
    run,
    writing,
)

AXES: dict[str, Axis] = {"x": NumericAxis((0.0, 1.0))}
SLOW = {
    "sqlite": [
        "CREATE VIEW slow AS SELECT scored_at, x + 0 * (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
        "SELECT i + 1 FROM n LIMIT 100000000) SELECT count(*) FROM n) AS x FROM logs"
    ],
    "postgresql": [
        # Said to be stable, so that it is not computed where only other columns are read.
        "CREATE FUNCTION slowly(float8) RETURNS float8 LANGUAGE sql STABLE AS "
        "'SELECT $1 FROM pg_sleep(30)'",
        "CREATE VIEW slow AS SELECT scored_at, slowly(x) AS x FROM logs",
    ],
}


def create_slow(url: str) -> None:
    """A table, and a view of it whose column x takes half a minute."""
    kind = "sqlite" if is_sqlite(url) else "postgresql"
    create(url, {"x": "REAL" if kind == "sqlite" else "float8"}, [[minutes(1), 0.5]])
    run(url, *SLOW[kind])


@contextmanager
def scanning(source: Source, *, table: str = "slow", count: int = 1) -> Iterator[list[object]]:
    """Scans in other threads; gives what came of them when they have ended."""
    plan = planned(source, AXES, relation(table))
    outcomes: list[object] = []

    def work() -> None:
        try:
            outcomes.append(source.scan(plan, between(0, 5)))
        except SourceError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield outcomes
    for thread in threads:
        thread.join(timeout=20)
        assert not thread.is_alive()


def wait_until_running(url: str) -> None:
    """Wait until a slow scan runs, as the server says; in SQLite nobody says."""
    if is_sqlite(url):
        time.sleep(0.2)
        return
    query = (
        "SELECT 1 FROM pg_stat_activity "
        "WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    for _ in range(500):
        with writing(url) as connection:
            if connection.exec_driver_sql(query).all():
                return
        time.sleep(0.02)
    raise AssertionError("the scan never ran")


def test_a_statement_that_takes_too_long(database_url: str) -> None:
    create_slow(database_url)
    with opened(database_url, timeout_seconds=0.5) as source:
        plan = planned(source, AXES, relation("slow"))
        started = time.monotonic()
        with pytest.raises(SourceTimeoutError, match=r"source 'logs'.*statement_timeout of 0\.5 s"):
            source.scan(plan, between(0, 5))
        assert time.monotonic() - started < 10
        assert source.scan(planned(source, AXES), between(0, 5)).rows.tolist() == [1]


def test_cancel_stops_what_runs_and_what_waits(database_url: str) -> None:
    create_slow(database_url)
    with opened(database_url, max_concurrent=1) as source:
        with scanning(source, count=3) as outcomes:
            wait_until_running(database_url)
            started = time.monotonic()
            source.cancel()
            assert time.monotonic() - started < 5
        assert [type(outcome) for outcome in outcomes] == [SourceCancelledError] * 3
        assert str(outcomes[0]) == "source 'logs': the scan was cancelled"
        assert source.scan(planned(source, AXES), between(0, 5)).rows.tolist() == [1]


def test_cancel_of_nothing_does_nothing(database_url: str) -> None:
    create_slow(database_url)
    with opened(database_url) as source:
        source.cancel()
        assert source.scan(planned(source, AXES), between(0, 5)).rows.tolist() == [1]


def test_no_more_at_once_than_allowed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create_slow(database_url)
    running: list[int] = []
    most: list[int] = []

    def counted(link: Link, plan: ScanPlan, interval: Interval) -> PaneCounts:
        running.append(1)
        most.append(len(running))
        time.sleep(0.05)
        running.pop()
        return scan(link, plan, interval)

    monkeypatch.setattr("driftwatch.source.source.scan", counted)
    with opened(database_url, max_concurrent=2) as source:
        with scanning(source, table="logs", count=8) as outcomes:
            pass
        assert all(isinstance(outcome, PaneCounts) for outcome in outcomes)
        assert max(most) == 2
        assert len(source._connections._idle) == 2


def test_a_server_that_goes_away_in_the_middle(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        with scanning(source) as outcomes:
            wait_until_running(postgres_url)
            run(
                postgres_url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event = 'PgSleep' AND datname = current_database()",
            )
        (error,) = outcomes
        assert type(error) is SourceError
        assert "went away" in str(error)
        assert source.scan(planned(source, AXES), between(0, 5)).rows.tolist() == [1]


def test_an_idle_connection_that_died_is_replaced_without_a_word(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        plan = planned(source, AXES)
        source.scan(plan, between(0, 5))
        run(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
        assert source.scan(plan, between(0, 5)).rows.tolist() == [1]


def test_somebody_else_cancels_a_statement(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        with scanning(source) as outcomes:
            wait_until_running(postgres_url)
            run(
                postgres_url,
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event = 'PgSleep' AND datname = current_database()",
            )
        assert str(outcomes[0]) == "source 'logs': somebody cancelled the statement there"


def test_a_pooler_that_loses_prepared_statements(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        plan = planned(source, AXES)
        for _ in range(3):
            source.scan(plan, between(0, 5))
        (link,) = source._connections._idle
        assert isinstance(link, PostgresLink)
        link._connection.pgconn.exec_(b"DEALLOCATE ALL")
        for _ in range(3):
            assert source.scan(plan, between(0, 5)).rows.tolist() == [1]
        assert link._connection.prepare_threshold is None


def test_a_timestamp_whose_type_changes_under_a_prepared_statement(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        for _ in range(3):
            assert source.inspect(relation()).timestamp_type == "timestamp with time zone"
        run(postgres_url, "DROP VIEW slow", "ALTER TABLE logs ALTER scored_at TYPE date")
        for _ in range(3):
            assert source.inspect(relation()).timestamp_type == "date"


def test_a_source_that_is_down_at_the_start(tmp_path: Path) -> None:
    settings = SourceSettings("logs", "postgresql://me:s3cret@127.0.0.1:1/db")
    source = open_source(settings)
    for _ in range(2):
        with pytest.raises(SourceError, match="source 'logs': it cannot be reached") as caught:
            source.inspect(relation())
        assert "s3cret" not in str(caught.value)
    path = tmp_path / "late.db"
    with opened(f"sqlite:///{path}") as late:
        with pytest.raises(SourceError, match="there is no SQLite file"):
            late.inspect(relation())
        create(f"sqlite:///{path}", {"x": "REAL"}, [[minutes(1), 0.5]])
        assert late.inspect(relation()).column("x") is not None


def test_no_password_in_any_message(postgres: PostgresServer, postgres_url: str) -> None:
    url = make_url(postgres_url).set(
        username="nobody", password="s3cret/@:%", database="s3cret/@:%"
    )
    source = open_source(SourceSettings("logs", url.render_as_string(hide_password=False)))
    with pytest.raises(SourceError) as caught:
        source.inspect(relation())
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(SourceSettings("logs", url.render_as_string(hide_password=False)))


def test_a_driver_that_tells_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise psycopg.OperationalError(f"no: {options}")

    monkeypatch.setattr("psycopg.connect", refuse)
    for url in ("postgresql://me:s3cret@h/db", "postgresql://me@h/db?sslpassword=s3cret"):
        with pytest.raises(SourceError, match="cannot be reached") as caught:
            open_source(SourceSettings("logs", url)).inspect(relation())
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:p@host:s3cret/db", "s3cret", "mysql://a:s3cret@h/x", ""],
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigError, match="source 'logs'") as caught:
        open_source(SourceSettings("logs", url))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("where", ["host={0.folder}", "host=127.0.0.1&password=s3cret"])
def test_the_address_may_stand_among_the_options(
    postgres: PostgresServer, postgres_url: str, where: str
) -> None:
    """A socket of this machine has no other place in a URL; user and password may, too."""
    create(postgres_url, {"x": "float8"}, [[minutes(1), 0.5]])
    options = f"user=driftwatch&port={postgres.port}&{where.format(postgres)}"
    with opened(f"postgresql:///{make_url(postgres_url).database}?{options}") as source:
        assert source.inspect(relation()).column("x") is not None


def test_an_option_that_libpq_does_not_know(postgres_url: str) -> None:
    with (
        opened(postgres_url + "?nonsense=1") as source,
        pytest.raises(SourceError, match=r"cannot be reached.*nonsense"),
    ):
        source.inspect(relation())


class TestSelectAlone:
    def test_a_role_that_has_nothing_else(
        self, postgres: PostgresServer, postgres_url: str
    ) -> None:
        rows = [[minutes(m), float(m), "a", 1.0] for m in range(40)]
        create(postgres_url, {"x": "float8", "c": "text", "secret": "float8"}, rows)
        name = make_url(postgres_url).database
        role = f"reader_{name}"
        run(
            postgres_url,
            f"CREATE ROLE {role} LOGIN",
            f"REVOKE ALL ON DATABASE {name} FROM public",
            f"GRANT CONNECT ON DATABASE {name} TO {role}",
            "REVOKE ALL ON SCHEMA public FROM public",
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"GRANT SELECT (scored_at, x, c) ON logs TO {role}",
            "CREATE TABLE other (scored_at timestamptz, x float8)",
        )
        try:
            with opened(postgres.url(str(name), user=role)) as source:
                info = source.inspect(relation())
                axes: dict[str, Axis] = {"x": NumericAxis((5.0,)), "c": CategoricalAxis(("a",))}
                fitted = source.fit(
                    relation(), info, [FeatureSettings("x"), FeatureSettings("secret")],
                    between(0, 60),
                )  # fmt: skip
                assert isinstance(fitted["x"], NumericAxis)
                assert "permission denied" in getattr(fitted["secret"], "message", "")
                counts = source.scan(planned(source, axes), between(0, 60))
                assert counts.rows.sum() == 40
                plan = planned(source, {**axes, "secret": NumericAxis((5.0,))})
                counts = source.scan(plan, between(0, 60))
                assert [t.column for t in counts.troubles] == ["secret"]
                assert set(counts.columns) == {"x", "c"}
                assert source.explain(planned(source, axes), between(0, 5))
                with pytest.raises(SourceError, match="permission denied"):
                    source.inspect(relation("other"))
        finally:
            run(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")

    def test_a_transaction_that_cannot_write(self, postgres_url: str) -> None:
        create_slow(postgres_url)
        run(
            postgres_url,
            "CREATE FUNCTION sneak() RETURNS float8 LANGUAGE sql AS "
            "'INSERT INTO logs VALUES (now(), 1) RETURNING x'",
            "CREATE VIEW sneaky AS SELECT scored_at, sneak() AS x FROM logs",
        )
        with (
            opened(postgres_url) as source,
            pytest.raises(SourceError, match="cannot execute INSERT in a read-only transaction"),
        ):
            source.inspect(relation("sneaky"))

    def test_a_read_only_file_in_a_read_only_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "logs"
        folder.mkdir()
        url = f"sqlite:///{folder / 'logs.db'}"
        create(url, {"x": "REAL"}, [[minutes(1), 0.5]])
        before = (folder / "logs.db").read_bytes()
        (folder / "logs.db").chmod(0o444)
        folder.chmod(0o555)
        try:
            with opened(url) as source:
                assert source.scan(planned(source, AXES), between(0, 5)).rows.tolist() == [1]
                (link,) = source._connections._idle
                with pytest.raises(SourceError, match="readonly database"):
                    list(link.run(sqlite_query("INSERT INTO logs VALUES (1, 2)"), {}))
            assert [path.name for path in folder.iterdir()] == ["logs.db"]
            assert (folder / "logs.db").read_bytes() == before
        finally:
            folder.chmod(0o755)


class TestSqliteFiles:
    def test_a_file_with_a_difficult_name(self, tmp_path: Path) -> None:
        path = tmp_path / "a b?c#d%20.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE logs (scored_at TEXT, x REAL)")
        connection.close()
        url = "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")
        source = open_source(SourceSettings("logs", url))
        try:
            assert source.inspect(relation()).column("x") is not None
        finally:
            source.close()

    def test_a_file_that_is_replaced_is_opened_anew(self, tmp_path: Path) -> None:
        old, new = f"sqlite:///{tmp_path}/logs.db", f"sqlite:///{tmp_path}/new.db"
        create(old, {"x": "REAL"}, [[minutes(1), 0.5]])
        create(new, {"x": "REAL"}, [[minutes(1), 0.5]] * 2)
        with opened(old) as source:
            plan = planned(source, AXES)
            assert source.scan(plan, between(0, 5)).rows.tolist() == [1]
            (tmp_path / "new.db").replace(tmp_path / "logs.db")
            assert source.scan(plan, between(0, 5)).rows.tolist() == [2]
            (tmp_path / "logs.db").unlink()
            with pytest.raises(SourceError, match="there is no SQLite file"):
                source.scan(plan, between(0, 5))

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "logs.db").write_text("scored_at,x\n" * 1_000)
        with (
            opened(f"sqlite:///{tmp_path}/logs.db") as source,
            pytest.raises(SourceError, match="it is not a SQLite file"),
        ):
            source.inspect(relation())

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        path = tmp_path / "logs.db"
        create(f"sqlite:///{path}", {"x": "REAL"}, [[minutes(1), 0.5]] * 5_000)
        with opened(f"sqlite:///{path}") as source:
            plan = planned(source, AXES)
            with path.open("r+b") as file:
                file.seek(4096)
                file.write(b"\xff" * 100_000)
            with pytest.raises(SourceError, match=r"logs.db: .*(malformed|disk)"):
                source.scan(plan, between(0, 5))

    def test_a_writer_that_holds_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("driftwatch.source.sqlite_link._BUSY_SECONDS", 0.1)
        url = f"sqlite:///{tmp_path}/logs.db"
        create(url, {"x": "REAL"}, [[minutes(1), 0.5]])
        with opened(url) as source:
            writer = sqlite3.connect(tmp_path / "logs.db", isolation_level=None)
            writer.execute("BEGIN EXCLUSIVE")
            with pytest.raises(SourceError, match=r"database is locked.*use WAL mode"):
                source.inspect(relation())
            writer.execute("ROLLBACK")
            writer.close()
            assert source.inspect(relation()).columns


def test_a_scan_that_outlives_close_closes_its_own(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        with scanning(source):
            wait_until_running(postgres_url)
            source.close()
            source.cancel()
        assert source._connections._idle == []


def test_every_connection_is_closed(postgres_url: str) -> None:
    create_slow(postgres_url)
    with opened(postgres_url) as source:
        source.scan(planned(source, AXES), between(0, 5))
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        (others,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'driftwatch' "
            "AND datname = current_database()"
        ).fetchone() or (None,)
    assert others == 0
