"""`driftwatch replay`: what another policy would have led to, without the log or a write."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from driftwatch.store.engine import open_store
from tests.cli.shop import Said, Shop
from tests.store.samples import dump


@pytest.fixture
def drifted(any_shop: Shop) -> Shop:
    """Prices double on 11 September; four days were judged, and the log is gone."""
    any_shop.fill()
    any_shop.drift()
    any_shop.config()
    assert any_shop.run("evaluate", "--once").code == 3
    any_shop.sql("DROP TABLE orders")
    return any_shop


@pytest.fixture
def simple(shop: Shop) -> Shop:
    shop.fill()
    shop.drift()
    shop.config()
    shop.run("evaluate", "--once")
    return shop


def lines_of(said: Said, start: str) -> list[list[str]]:
    """Cells of the lines that begin so."""
    return [
        re.split(r"  +", line.strip()) for line in said.out.splitlines() if line.startswith(start)
    ]


def test_what_is_configured_raises_what_was_raised(drifted: Shop) -> None:
    said = drifted.run("replay", "shop")
    assert said.code == 0
    assert said.line("shop, 2026-09-09 to 2026-09-13 09:00Z") == said.out.splitlines()[0]
    assert said.line("A  configured: js_distance:0.1,0.2; alert 1/1")
    assert lines_of(said, "critical alerts") == [["critical alerts", "1"]]
    assert lines_of(said, "price  ") == [["price", "1d", "1", "2", "4"]]
    assert lines_of(said, "price 1d") == [["price 1d", "··██"]]
    (alert,) = lines_of(said, "critical  price")
    assert alert[:4] == ["critical", "price 1d", "2026-09-12", "fires still"]
    assert re.fullmatch(r"0\.\d+ on 2026-09-1[12]", alert[4])


def test_two_policies_stand_side_by_side(drifted: Shop) -> None:
    said = drifted.run("replay", "shop", "--alpha", "0.001", "--effect", "0.1,8", "--alert", "2/2")
    assert said.code == 0
    assert said.line("A  effect:0.1,8@0.001:2/2: effect:0.1,8@0.001; alert 2/2")
    assert said.line("B  configured: js_distance:0.1,0.2; alert 1/1")
    assert lines_of(said, "critical alerts") == [["critical alerts", "0", "1"]]
    assert lines_of(said, "warning alerts") == [["warning alerts", "1", "0"]]
    assert said.line("Both raise 1 alert, A alone 0, B alone 0.")
    (mine,), (other,) = lines_of(said, "both: A"), lines_of(said, "both: B")
    assert mine[1:3] == ["warning", "price 1d"]
    assert other[1:3] == ["critical", "price 1d"]
    assert float(mine[5].split()[0]) > 1 > float(other[5].split()[0])


def test_nothing_is_written(drifted: Shop) -> None:
    store = open_store(f"sqlite:///{drifted.folder / 'store.db'}")
    before = dump(store)
    for words in ([], ["--policy", "psi:0.1,0.25:1/1"], ["--alpha", "0.01", "--against", "fixed"]):
        assert drifted.run("replay", "shop", *words).code == 0
    assert dump(store) == before
    store.close()


def test_it_waits_for_nobody_who_writes(simple: Shop) -> None:
    """Whoever wrote, or even asked for leave to, would wait in vain."""
    with closing(sqlite3.connect(simple.folder / "store.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        said = simple.run("replay", "shop", "--alpha", "0.001")
    assert (said.code, said.err) == (0, "")


def test_a_range_a_window_and_a_feature_choose(simple: Shop) -> None:
    said = simple.run(
        "replay", "shop", "--from", "2026-09-10", "--to", "2026-09-12", "--window", "1d",
        "--feature", "price",
    )  # fmt: skip
    assert said.line("2026-09-10 to 2026-09-12")
    assert lines_of(said, "price  ") == [["price", "1d", "1", "1", "2"]]
    assert "city" not in said.out


def test_without_an_alert_it_says_so(simple: Shop) -> None:
    said = simple.run("replay", "shop", "--to", "2026-09-11")
    assert said.line("No alert fires.")
    assert lines_of(said, "all") == [["all", "0", "0", "6"]]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["nobody"], 2, "no monitor is named 'nobody'"),
        (["shop", "--policy", ""], 2, "'' is no policy; write MEASURE"),
        (["shop", "--policy", "psi0.1"], 2, "'psi0.1' is no policy; write MEASURE"),
        (["shop", "--against", "efect"], 2, "did you mean 'effect'?"),
        (["shop", "--alpha", "0.2"], 2, "alpha lies in (0, 0.05], not 0.2"),
        (["shop", "--alpha", "often"], 2, "'effect@often' is no policy"),
        (["shop", "--policy", "psi"], 2, "psi has no usual limits; write them"),
        (["shop", "--policy", "fixed", "--alpha", "0.01"], 2, "write all in one"),
        (["shop", "--feature", "prise"], 2, "did you mean 'price'?"),
        (["shop", "--window", "1h"], 2, "has no window of 1h; it has: 1d"),
        (["shop", "--from", "soon"], 2, "'soon' is not a moment"),
        (["shop", "--from", "2026-09-11", "--to", "2026-09-10"], 2, "is not before --to"),
        (["shop", "--from", "2027-01-01"], 1, "no history in that range: it has counted ["),
    ],
)
def test_a_mistake_is_told_with_its_remedy(
    simple: Shop, words: list[str], code: int, told: str
) -> None:
    said = simple.run("replay", *words)
    assert said.code == code
    assert told in " ".join(said.err.split())
    assert said.out == ""


def test_without_a_store_or_a_history_it_says_what_makes_one(shop: Shop) -> None:
    shop.fill()
    shop.config()
    said = shop.run("replay", "shop")
    assert (said.code, "does not exist" in said.err) == (1, True)
    assert not Path(shop.folder / "store.db").exists()
    shop.run("migrate")
    said = shop.run("replay", "shop")
    assert (said.code, "has no history yet" in said.err) == (1, True)
