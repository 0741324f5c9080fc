"""`driftwatch check`: what it says of everything that can be in the way, and that it touches
nothing."""

import re
from datetime import timedelta

import pytest
import yaml

from driftwatch.store.engine import open_store
from driftwatch.store.schema import VERSION_TABLE
from tests.cli.shop import FIRST, ORDERS, SECRET, Shop, Values, plain
from tests.servers.postgres import PostgresServer


def test_all_is_well_and_nothing_is_made(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config()
    before = set(any_shop.folder.iterdir())
    said = any_shop.run("check")
    assert (said.code, said.err) == (0, "")
    assert "0 problems, 0 warnings" in said.out
    assert "monitor shop (config.yaml:" in said.out
    assert said.line("feature     price").endswith("numeric, 20 quantile bins")
    assert said.line("feature     city").endswith("categorical, the 50 most frequent levels")
    assert said.line("store.db is empty yet").startswith("store store.db")
    assert "by_time" in said.out.partition("plan of a tick")[2], "the plan, by its index"
    assert set(any_shop.folder.iterdir()) == before


def test_a_store_that_is_there_answers(shop: Shop) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    said = shop.run("check")
    assert (said.code, said.line("store store.db")) == (0, "store store.db answers")


def test_offline_connects_to_nothing(shop: Shop) -> None:
    shop.store = "postgresql://nobody@127.0.0.1:1/store"
    shop.config(source="postgresql://nobody@127.0.0.1:1/logs")
    said = shop.run("check", "--offline")
    assert (said.code, said.err) == (0, "")
    assert said.line("features").split() == ["features", "price,", "city"]


def test_without_an_index_each_tick_reads_the_whole_table(any_shop: Shop) -> None:
    any_shop.fill(index=False)
    any_shop.config()
    said = any_shop.run("check")
    assert said.code == 3
    assert "no index or partition serves 'at'" in said.line("warning:")
    assert "0 problems, 1 warning" in said.out


AWKWARD = 'we"ird; DROP TABLE x; -- %s :a $b Zürich 東京'


@pytest.mark.parametrize("name", ["city", "two words", AWKWARD, "yes", "null", "12"])
def test_an_undeclared_text_gets_a_proposal_that_can_be_pasted(any_shop: Shop, name: str) -> None:
    shop = any_shop
    shop.fill({name: ORDERS["city"]})
    written = "'" + name.replace("$", "$$") + "'"
    shop.config(shop.monitor(features=f"[{written}]"))
    said = shop.run("check")
    assert said.code == 1
    assert f"{name!r} is" in said.line("its kind is never guessed")
    proposal = said.line("kind: categorical}")
    assert yaml.safe_load(proposal)[0]["kind"] == "categorical"
    assert "3 distinct of" in proposal
    shop.config(shop.monitor(features="\n" + "      " + proposal.strip()))
    assert shop.run("check").code == 0


def test_a_text_that_is_declared_numeric(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config(any_shop.monitor(features="[price, {name: city, kind: numeric}]"))
    said = any_shop.run("check")
    assert said.code == 1
    assert "'city' is" in said.line("problem:")
    assert "declare `kind: categorical`" in said.line("problem:")


def test_what_is_misspelled_names_the_nearest(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    for changed, told in (
        ({"features": "[prize]"}, "there is no column 'prize'; did you mean 'price'?"),
        ({"timestamp": "att"}, "'orders' has no column 'att' for its timestamp"),
        ({"table": "order"}, "did you mean 'orders'?"),
    ):
        shop.config(shop.monitor(**changed))
        said = shop.run("check")
        assert said.code == 1
        assert told in said.line("problem:")


def test_one_broken_monitor_hides_no_other(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor("broken", table="nothing"), shop.monitor("fine"))
    said = shop.run("check")
    assert said.code == 1
    assert "1 problem, 0 warnings" in said.out
    fine = said.out.partition("monitor fine")[2]
    assert "plan of a tick" in fine


def test_references_that_cannot_serve(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.config(shop.monitor(reference="{from: 2020-01-01, to: 2020-02-01}"))
    said = shop.run("check")
    assert said.code == 1
    assert "holds no rows; check `reference`" in said.line("problem:")
    shop.config(shop.monitor(reference="{from: 2026-09-12, to: 2026-10-12}"))
    said = shop.run("check")
    assert said.code == 3
    assert "is not over yet" in said.line("warning:")


def test_a_table_without_rows(any_shop: Shop) -> None:
    any_shop.fill(types={"price": "double precision", "city": "text"}, end=FIRST)
    any_shop.config()
    said = any_shop.run("check")
    assert said.code == 1
    assert "holds no rows" in said.line("problem:")


def test_an_identifier_had_better_be_left_out(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill({"id": lambda n, moment, rng: f"order-{n}"})
    shop.config(shop.monitor(features="[{name: id, kind: categorical}]"))
    said = shop.run("check")
    assert said.code == 3
    assert "leave 'id' out" in said.line("warning:")


def test_a_broken_where_names_table_and_key(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    for where in ("nonsense = 1", "1=1); DROP TABLE orders; --", "price >"):
        shop.config(shop.monitor(where=f'"{where}"'))
        said = shop.run("check")
        assert said.code == 1
        assert "source 'logs': it refused to read 'orders'" in said.line("problem:")
        assert "check `where`" in said.line("problem:")
    shop.config()
    assert shop.run("check").code == 0, "the table is still there"


def test_a_wrong_format_of_the_timestamp_names_the_right_one(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(timestamp="{column: at, format: '%Y-%m-%dT%H:%M:%S'}"))
    told = shop.run("check").line("problem:")
    assert "set its `format` to '%Y-%m-%d %H:%M:%S'" in told
    shop.config(shop.monitor(timestamp="{column: at, format: '%Y-%m-%d %H:%M:%S'}"))
    assert shop.run("check").code == 0


def test_integers_as_timestamps(any_shop: Shop) -> None:
    shop = any_shop
    stamp = {"stamp": lambda n, moment, rng: int(moment.timestamp()), **ORDERS}
    shop.fill(stamp, types={"stamp": "bigint"})
    shop.sql("CREATE INDEX by_stamp ON orders (stamp)")
    shop.config(shop.monitor(timestamp="stamp"))
    said = shop.run("check")
    assert said.code == 1
    assert re.search(r"`format`.* epoch_s", said.line("problem:"))
    shop.config(shop.monitor(timestamp="{column: stamp, format: epoch_s}"))
    assert shop.run("check").code == 0


def test_sources_that_are_no_database(shop: Shop) -> None:
    path = shop.folder / "orders.db"
    shop.config()
    assert f"there is no SQLite file '{path}'" in shop.run("check").line("problem:")
    path.mkdir()
    assert f"there is no SQLite file '{path}'" in shop.run("check").line("problem:")
    path.rmdir()
    path.write_text("nothing of the kind " * 100)
    assert "it is not a SQLite file" in shop.run("check").line("problem:")


def test_servers_that_do_not_let_us_in(postgres: PostgresServer, postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.fill()
    address = f"127.0.0.1:{postgres.port}"
    postgres.execute(f"DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
    hba = postgres.folder / "data" / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(f"host all guest 127.0.0.1/32 scram-sha-256\n{before}")
    postgres.execute("SELECT pg_reload_conf()")
    database = shop.source_url.rpartition("/")[2]
    try:
        for source, told in (
            (f"postgresql://guest:{SECRET}x@{address}/{database}", "password authentication"),
            (f"postgresql://guest:{SECRET}@127.0.0.1:1/{database}", "Connection refused"),
            (f"postgresql://guest:{SECRET}@nowhere.invalid/{database}", "nowhere.invalid"),
            (f"postgresql://guest:{SECRET}@{address}/nothing", "does not exist"),
            (f"postgresql://guest:{SECRET}@{address}/{database}", "SELECT is granted"),
        ):
            shop.config(source=source)
            said = shop.run("check")
            assert said.code == 1
            assert told in said.line("problem:  source 'logs'")
    finally:
        hba.write_text(before)
        postgres.execute("SELECT pg_reload_conf()")


def test_stores_that_cannot_be_used(shop: Shop) -> None:
    shop.fill()
    path = shop.folder / "store.db"
    for store, prepare, told in (
        ("sqlite:///no/such/store.db", None, "does not exist. Create the folder"),
        ("sqlite:///store.db", path.mkdir, "could not be opened"),
        ("sqlite:///store.db", lambda: path.write_text("x" * 9999), "is not an SQLite database"),
    ):
        if prepare is not None:
            prepare()
        shop.store = store
        shop.config()
        said = shop.run("check")
        assert said.code == 1
        assert told in said.line("problem:")
        assert "plan of a tick" in said.out, "the monitors are checked all the same"
        if path.is_dir():
            path.rmdir()


def test_a_store_with_the_tables_of_another_release_or_program(shop: Shop) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    _execute(f"sqlite:///{shop.folder}/store.db", f"UPDATE {VERSION_TABLE} SET version_num = '9'")
    for words in (["check"], ["status"], ["explain", "shop", "price"], ["serve"], ["migrate"]):
        said = shop.run(*words)
        assert said.code == 1
        assert "newer than this release" in said.line("store store.db has schema 9")
    shop.store = "sqlite:///other.db"
    shop.config()
    _execute(f"sqlite:///{shop.folder}/other.db", "CREATE TABLE monitor (x int)")
    assert "tables that are not driftwatch's (monitor)" in shop.run("check").line("problem:")


def test_whether_a_store_could_be_made_is_tried_and_taken_back(
    postgres: PostgresServer, postgres_url: str, shop: Shop
) -> None:
    shop.fill()
    postgres.execute("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
    database = postgres_url.rpartition("/")[2]
    shop.store = f"postgresql://stranger@127.0.0.1:{postgres.port}/{database}"
    shop.config()
    assert "denied a right" in shop.run("check").line("problem:")
    shop.store = plain(postgres_url)
    shop.config()
    for _ in range(2):
        assert "is empty yet" in shop.run("check").line("store postgresql")
    shop.run("evaluate", "--once")
    assert shop.run("check").code == 0
    shop.store = f"postgresql://stranger@127.0.0.1:{postgres.port}/{database}"
    shop.config()
    assert "denied a right" in shop.run("check").line("problem:"), "it may not write"


def test_a_mistake_in_the_file_comes_before_everything(shop: Shop) -> None:
    shop.config(shop.monitor(widnows="[1d]", min_rows="many"))
    for words in (["check"], ["check", "--offline"], ["evaluate", "--once"], ["status"], ["serve"]):
        said = shop.run(*words)
        assert said.code == 1
        assert "config.yaml:" in said.line("did you mean 'windows'?")
        assert "min_rows" in said.err
        assert said.out == ""
    assert not (shop.folder / "store.db").exists()


def test_now_is_the_pane_whose_plan_is_shown(postgres_shop: Shop) -> None:
    postgres_shop.fill()
    postgres_shop.config()
    plan = postgres_shop.run("check").out.partition("plan of a tick")[2]
    end = postgres_shop.now.replace(minute=0)
    assert f"{end - timedelta(hours=1):%Y-%m-%d %H:%M}" in plan
    assert f"{end:%Y-%m-%d %H:%M}" in plan


def _execute(url: str, statement: str) -> None:
    store = open_store(url)
    try:
        with store.write() as connection:
            connection.exec_driver_sql(statement)
    finally:
        store.close()


def test_a_version_that_names_something_else(shop: Shop) -> None:
    numbered: Values = {**ORDERS, "order_id": lambda n, moment, rng: f"order-{n}"}
    shop.fill(numbered)
    shop.config(shop.monitor(features="[]", prediction="price", version="order_id"))
    said = shop.run("check")
    assert said.code == 3
    assert "'order_id' does not look like a version of the model" in said.out


def test_the_web_configuration_is_looked_at(shop: Shop) -> None:
    shop.fill()
    shop.config(head="web: {config_file: web.yml}")
    said = shop.run("check")
    assert said.code == 1
    assert "web.yml: cannot be read: No such file or directory" in said.line("problem:")
    hashed = "$2b$04$" + "a" * 53
    (shop.folder / "web.yml").write_text(f'basic_auth_users: {{prom: "{hashed}"}}')
    assert shop.run("check").line("web ") == "web http, for 1 user"
