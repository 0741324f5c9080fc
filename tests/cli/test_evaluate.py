"""`driftwatch evaluate --once`: what it says, its exit codes; one trouble stays one trouble."""

import re
import threading
import time
from datetime import timedelta

import psycopg
import pytest

from tests.cli.shop import ORDERS, Shop, plain
from tests.servers.postgres import PostgresServer


def test_nothing_fires(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config()
    said = any_shop.run("evaluate", "--once")
    assert (said.code, said.err) == (0, "")
    assert said.out == "shop: counted 1,092 rows, judged 4 windows\n"
    again = any_shop.run("evaluate", "--once")
    assert (again.code, again.out.split(",")[0]) == (0, "shop: counted 0 rows")


def test_an_alert_fires_and_still_fires(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.drift()
    any_shop.config()
    for _ in range(2):
        said = any_shop.run("evaluate", "--once")
        assert said.code == 3
        assert said.line("price").strip() == "critical: price (drift, 1d) since 2026-09-11 00:00Z"
    any_shop.config(any_shop.monitor(features="[{name: city, kind: categorical}]"))
    assert any_shop.run("evaluate", "--once").code == 0, "it is not watched any more"


def test_a_failed_monitor_leaves_the_others_alone(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.drift()
    shop.config(shop.monitor("broken", table="nothing"), shop.monitor("fine"))
    said = shop.run("evaluate", "--once")
    assert said.code == 1, "a failure outweighs drift"
    assert said.err == said.line("no table or view 'nothing'") + "\n", "it is told once"
    assert said.err.startswith("broken: source_error: source 'logs': ")
    assert "fine: counted 1,092 rows" in said.out
    assert shop.run("evaluate", "--once", "-m", "fine").code == 3
    assert shop.run("evaluate", "--once", "--monitor", "broken").code == 1


def test_a_reference_that_is_over_and_holds_no_rows(any_shop: Shop) -> None:
    """One that is not over yet is no failure: it comes by itself."""
    shop = any_shop
    shop.fill()
    empty, ahead = "{from: 2026-08-01, to: 2026-08-02}", "{from: 2026-09-02, to: 2026-09-20}"
    shop.config(shop.monitor(reference=empty))
    said = shop.run("evaluate", "--once")
    assert said.code == 1
    assert "holds no rows" in said.out
    shop.config(shop.monitor("later", reference=ahead))
    assert shop.run("evaluate", "--once").code == 0
    own = f"[price, {{name: city, kind: categorical, reference: {empty}}}]"
    shop.config(shop.monitor("parted", features=own))
    assert shop.run("evaluate", "--once").code == 1


def test_what_drifts_in_a_segment_alone_is_no_finding_unless_it_pages(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.sql("UPDATE orders SET price = price * 2 WHERE at >= '2026-09-11' AND city = 'Rome'")
    lenient = "[{name: price, threshold: {js_distance: {warning: 0.6, critical: 0.7}}}]"
    for name, segments, code in (
        ("quiet", "{by: [city], windows: [1d]}", 0),
        ("loud", "{by: [city], windows: [1d], page: true}", 3),
    ):
        shop.config(shop.monitor(name, features=lenient, segments=segments))
        said = shop.run("evaluate", "--once")
        assert said.code == code, said.all
    assert said.line("critical:").strip().startswith("critical: price [city=Rome] (drift, 1d)")


def test_usage(shop: Shop) -> None:
    shop.config()
    said = shop.run("evaluate")
    assert said.code == 2
    assert "--once" in said.line("Error:")
    said = shop.run("evaluate", "--once", "-m", "shp")
    assert said.code == 2
    assert "no monitor is named 'shp'; did you mean 'shop'?" in said.line("Error:")


def test_columns_in_trouble_are_named_and_the_others_judged(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill(
        {
            **ORDERS,
            "constant": lambda n, moment, rng: 7,
            "nothing": lambda n, moment, rng: None,
            "id": lambda n, moment, rng: f"order-{n}" if n else "a-text",
        },
    )
    wide = "[price, constant, nothing, gone, {name: id, kind: categorical, levels: 5}, city]"
    shop.config(shop.monitor(features=wide))
    said = shop.run("evaluate", "--once")
    assert said.code == 1, "what cannot be counted outweighs what fires"
    named = said.line("not judged").partition("window: ")[2].partition(";")[0]
    assert {"city", "gone", "nothing"} <= set(named.split(", "))
    assert not {"price", "constant"} & set(named.split(", "))
    told = shop.run("status").out
    assert "there is no column 'gone'" in told
    assert "declare kind: categorical" in told, "city is text"
    assert "no finite value" in told
    assert shop.run("explain", "shop", "price").code == 0


def test_a_column_that_vanishes_or_changes_its_type(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill(end=shop.now + timedelta(days=3))
    shop.config()
    assert shop.run("evaluate", "--once").code == 0
    shop.sql("ALTER TABLE orders RENAME COLUMN city TO town")
    shop.now += timedelta(days=1)
    said = shop.run("evaluate", "--once")
    assert said.line("not judged").split(";")[0].endswith("window: city")
    assert "there is no column 'city'" in shop.run("status").out
    shop.sql("ALTER TABLE orders RENAME COLUMN town TO city")
    if not shop.is_sqlite:
        shop.sql("ALTER TABLE orders ALTER COLUMN price TYPE text")
    shop.now += timedelta(days=2)
    said = shop.run("evaluate", "--once")
    if shop.is_sqlite:
        assert "not judged" not in said.out
    else:
        assert said.line("not judged").split(";")[0].endswith("window: price")
        assert "is 'text' now" in shop.run("status").out


AWKWARD = 'we"ird; DROP TABLE orders; -- %s %(x)s :a {b} [bold] Zürich 東京'
LEVELS = ["a'b", 'c"d', "%(x)s", ":y", "; DROP TABLE orders", "\x1b[2J", "tab\t", "", "東京", "[b]"]


def test_names_and_values_with_sql_in_them(any_shop: Shop) -> None:
    shop = any_shop
    name = AWKWARD if shop.is_sqlite else AWKWARD[:40]  # PostgreSQL cuts names at 63 bytes
    shop.table_name = name
    shop.fill(
        {
            "price": ORDERS["price"],
            name: lambda n, moment, rng: LEVELS[n % len(LEVELS)],
        },
        timestamp="scored at: 100%",
    )
    text = "'" + name + "'"
    shop.config(
        shop.monitor(
            "'a b; \"c\" %s 東京'",
            table=f"{{name: {text}}}",
            timestamp="'scored at: 100%'",
            features=f"[price, {{name: {text}, kind: categorical}}]",
            where="\"price > -1000 and '%' <> ':a' -- [bold]\"",
        )
    )
    assert shop.run("check").code == 0
    said = shop.run("evaluate", "--once")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith('a b; "c" %s 東京: counted 1,092 rows')
    drawn = shop.run("explain", 'a b; "c" %s 東京', name)
    assert drawn.code == 0
    assert "\x1b" not in drawn.all
    for level in LEVELS:
        shown = {"\x1b[2J": "\\x1b[2J", "tab\t": "tab\\t", "": '""'}.get(level, level)
        assert re.search(rf"^{re.escape(shown)}  +█", drawn.out, re.MULTILINE), level
    assert shop.run("status").code == 0


def test_a_slow_source_is_left_to_the_next_call(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.fill(end=shop.now + timedelta(days=1))
    slow = shop.monitor(where='"slow(price)"', catch_up="2h")
    define = "CREATE OR REPLACE FUNCTION slow(double precision) RETURNS boolean LANGUAGE plpgsql AS"
    shop.sql(f"{define} $$BEGIN RETURN true; END$$")
    shop.config(slow, limits="statement_timeout: 1s, capture_timeout: 60s")
    assert shop.run("evaluate", "--once").code == 0
    shop.sql(f"{define} $$BEGIN PERFORM pg_sleep(2); RETURN true; END$$")
    shop.now += timedelta(hours=4)
    begun = time.monotonic()
    said = shop.run("evaluate", "--once")
    assert (said.code, said.out) == (1, "")
    assert "shop: timeout: source 'logs': no answer within the statement_timeout" in said.err
    assert time.monotonic() - begun < 20, "it does not try for ever"


def test_a_source_that_goes_away_in_the_middle(
    postgres: PostgresServer, postgres_shop: Shop
) -> None:
    shop = postgres_shop
    shop.fill()
    shop.config(shop.monitor(where='"pg_sleep(0.01) is not null"'))
    database = shop.source_url.rpartition("/")[2]

    def end_it() -> None:
        with psycopg.connect(plain(postgres.url()), autocommit=True) as connection:
            for _ in range(1000):
                (ended,) = connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = %s AND state = 'active' AND query LIKE '%%pg_sleep%%'",
                    [database],
                ).fetchone() or (0,)
                if ended:
                    return
                time.sleep(0.01)

    thread = threading.Thread(target=end_it)
    thread.start()
    said = shop.run("evaluate", "--once")
    thread.join()
    assert said.code == 1
    assert "shop: source_error: source 'logs': it went away" in said.err
    shop.config()
    assert shop.run("evaluate", "--once").code == 0, "nothing was lost"


@pytest.mark.parametrize("words", [["evaluate", "--once"], ["serve"], ["migrate"]])
def test_a_store_that_cannot_be_made_is_an_error_before_anything_runs(
    shop: Shop, words: list[str]
) -> None:
    shop.fill()
    shop.store = "sqlite:///no/such/store.db"
    shop.config()
    said = shop.run(*words)
    assert (said.code, said.out) == (1, "")
    assert "Check that its folder exists" in said.line("store no/such/store.db")
