"""`driftwatch check` of references of every kind, and of columns that other keys name."""

import pytest

from tests.cli.shop import Shop

FINE = {
    "rolling": "{rolling: 5d}",
    "seasonal": "{seasonal: 1w}",
    "table": "{table: orders}",
    "query": '{query: "select * from orders where price > 0"}',
    "cohort": "{cohort: \"city = 'Rome'\"}",
}


@pytest.mark.parametrize("kind", FINE)
def test_a_reference_of_each_kind_is_fine(any_shop: Shop, kind: str) -> None:
    any_shop.fill()
    any_shop.config(any_shop.monitor(reference=FINE[kind]))
    said = any_shop.run("check")
    assert (said.code, said.err) == (0, ""), said.out


WRONG = {
    "{table: prices}": "prices",
    '{query: "select price from orders"}': "city",
    "{cohort: \"city = 'Paris'\"}": "the cohort has no rows in",
    "{file: nowhere.csv}": "nowhere.csv",
}


@pytest.mark.parametrize("reference", WRONG)
def test_what_is_not_there_is_told(any_shop: Shop, reference: str) -> None:
    any_shop.fill()
    any_shop.config(any_shop.monitor(reference=reference))
    said = any_shop.run("check")
    assert said.code == 1
    assert WRONG[reference] in said.line("problem:")


def test_a_file_without_a_column(shop: Shop) -> None:
    shop.fill()
    (shop.folder / "train.csv").write_text("price\n1.5\n2.5\n")
    shop.config(shop.monitor(reference="{file: train.csv}"))
    said = shop.run("check")
    assert said.code == 1
    assert "'city'" in said.line("problem:")


KEYS = {
    "segments: [county]": "segments: ",
    "updated_at: changed": "updated_at: ",
    "partition: dt": "for its partitions",
    "ready: \"select 'soon'\"": "ready",
}


@pytest.mark.parametrize("key", KEYS)
def test_columns_that_other_keys_name_must_be_there(any_shop: Shop, key: str) -> None:
    any_shop.fill()
    name, _, value = key.partition(": ")
    any_shop.config(any_shop.monitor(**{name: value}))
    said = any_shop.run("check")
    assert said.code == 1, said.out
    assert KEYS[key] in said.line("problem:")


def test_the_clock_is_shown(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(zone="Europe/Oslo"))
    assert shop.run("check").line("windows").endswith("by the clock of Europe/Oslo")


def test_what_ready_says_is_shown(any_shop: Shop) -> None:
    any_shop.fill()
    up_to = "complete up to 2026-09-13 09:00Z"
    never = "select max(at) from orders where price < 0"
    for query, told, code in (
        ("select max(at) from orders", up_to, 0),
        ("select 1 = 1", "is complete, as far as the delay says", 0),
        (never, "does not say that it is complete", 3),
        ("select 1 = 0", "nothing is counted until it does", 3),
    ):
        any_shop.config(any_shop.monitor(ready=f'"{query}"'))
        said = any_shop.run("check")
        assert said.code == code
        assert told in said.out
    assert "ready " not in any_shop.run("check", "--offline").out


def test_the_reference_of_the_monitor_counts_though_no_feature_has_it(shop: Shop) -> None:
    shop.fill()
    feature = "{name: price, reference: {rolling: 5d}}"
    empty = "{from: 2020-01-01, to: 2020-02-01}"
    shop.config(shop.monitor(features=f"[{feature}]", reference=empty))
    assert "holds no rows" in shop.run("check").line("problem:")


def test_a_zone_that_changes_nothing(postgres_shop: Shop) -> None:
    postgres_shop.fill()
    postgres_shop.config(postgres_shop.monitor(timestamp="{column: at, zone: Europe/Oslo}"))
    said = postgres_shop.run("check")
    assert said.code == 3
    assert "timestamp.zone (Europe/Oslo) changes nothing" in said.line("warning:")


def test_an_excluded_column_that_nobody_watches(shop: Shop) -> None:
    shop.fill()
    one = "{from: 2026-09-10, to: 2026-09-11, reason: sale, feature: prise}"
    shop.config(shop.monitor(exclude=f"[{one}]"))
    said = shop.run("check")
    assert said.code == 1
    assert "is not watched by monitor" in said.err
