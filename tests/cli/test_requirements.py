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
