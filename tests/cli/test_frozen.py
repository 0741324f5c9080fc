"""What the configuration says of bins and an axis that is stored does not heed."""

import pytest

from tests.cli.shop import Shop


@pytest.mark.parametrize(
    ("features", "column"),
    [
        ("[{name: price, bins: {edges: [10, 20]}}, {name: city, kind: categorical}]", "price"),
        ("[{name: price, kind: categorical}, {name: city, kind: categorical}]", "price"),
        ("[price, {name: city, kind: categorical, levels: 2}]", "city"),
    ],
)
def test_check_warns_of_bins_that_stay_as_they_were(shop: Shop, features: str, column: str) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    shop.config(shop.monitor(features=features))
    said = shop.run("check")
    assert said.code == 3
    assert f"the bins of '{column}' were fitted otherwise (axis version 1)" in said.all


def test_other_changes_of_a_feature_are_no_matter(shop: Shop) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    shop.config(shop.monitor(features="[{name: price, threshold: {psi: {warning: 0.2}}}]"))
    assert "fitted otherwise" not in shop.run("check").all


def test_check_warns_of_a_monitor_that_reads_other_rows_by_now(shop: Shop) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    assert "reads other rows" not in shop.run("check").all
    shop.config(shop.monitor(where="price > 0"))
    said = shop.run("check")
    assert said.code == 3
    assert "reads other rows" in said.all
    assert "give the monitor another name" in " ".join(said.all.split())
