"""`driftwatch explain`: reference against current, bin by bin, and what it says instead."""

import io
import re
import sqlite3
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from driftwatch.cli.explain import explain_page
from driftwatch.cli.picture import bars
from driftwatch.config.load import load_settings
from driftwatch.exposition.pages import ExplainRequest, PageError
from tests.cli.shop import ORDERS, Shop, Values


def drawn(out: str) -> dict[str, tuple[str, str, str]]:
    """label -> the bar, the current and the reference share."""
    pattern = re.compile(
        r"^(.*?)  +([▀▄█]*) +([\d.]+%) +([\d.]+%) +[\d.]+(?: +[\d.e-]+)?$", re.MULTILINE
    )
    return {m[1]: (m[2], m[3], m[4]) for m in pattern.finditer(out)}


@pytest.fixture
def drifted(any_shop: Shop) -> Shop:
    any_shop.fill()
    any_shop.drift()
    any_shop.config()
    any_shop.run("evaluate", "--once")
    return any_shop


def test_the_newest_window(drifted: Shop) -> None:
    said = drifted.run("explain", "shop", "price")
    assert (said.code, said.err) == (0, "")
    title, sentence, numbers = said.out.splitlines()[:3]
    assert title == "shop price  1d [2026-09-12 00:00Z, 2026-09-13 00:00Z)  critical"
    assert sentence.startswith("price: JS distance")
    assert "KL(current‖reference)" in numbers
    assert "96 rows, reference (version 1) 672 rows" in said.out
    assert said.line("compared with:").endswith("[2026-09-02T00:00:00Z, 2026-09-09T00:00:00Z)")
    bins = drawn(said.out)
    assert len(bins) > 10
    shares = [[float(one[side].rstrip("%")) for one in bins.values()] for side in (1, 2)]
    assert [sum(found) for found in shares] == pytest.approx([100, 100], abs=1)
    (last,) = [one for label, one in bins.items() if label.endswith("inf)")]
    assert set(last[0]) <= {"▀", "█"}
    assert "▀" in last[0], "prices have risen"


def test_levels_are_as_long_as_their_shares(drifted: Shop) -> None:
    bins = drawn(drifted.run("explain", "shop", "city").out)
    assert set(bins) >= {"Lima", "Oslo", "Rome"}
    assert all("█" in bar for bar, _, _ in (bins[c] for c in ("Lima", "Oslo", "Rome")))


def test_a_window_of_the_past(drifted: Shop) -> None:
    said = drifted.run("explain", "shop", "price", "--end", "2026-09-12", "--window", "1d")
    assert said.code == 0
    assert "[2026-09-11 00:00Z, 2026-09-12 00:00Z)  critical" in said.out
    assert drawn(said.out), "flagged windows keep their bins"
    said = drifted.run("explain", "shop", "price", "--end", "2026-09-10T02:00+02:00")
    assert said.code == 0
    kept = said.line("its picture is not kept")
    assert "of the newest window and of flagged ones are" in kept
    assert "give --end one of 2026-09-13T00:00Z, 2026-09-12T00:00Z, or leave it out" in kept
    assert drawn(drifted.run("explain", "shop", "price", "--end", "2026-09-12T00:00Z").out)
    said = drifted.run("explain", "shop", "price", "--end", "2026-09-12T01:00")
    assert said.code == 1
    assert "there is no result of 'price' over 1d" in said.err
    assert "ends at 2026-09-12 01:00Z" in said.err


def test_the_volume_has_no_bins(drifted: Shop) -> None:
    said = drifted.run("explain", "shop", "@volume")
    assert said.code == 0
    assert "96 rows are" in said.out
    assert not drawn(said.out)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["shp", "price"], "no monitor is named 'shp'; did you mean 'shop'?"),
        (["shop", "prise"], "no feature 'prise'; did you mean 'price'?"),
        (["shop", "zzz"], "there are: 'price', 'city', '@volume'"),
        (["shop", "price", "--window", "2d"], "no window of 2d; it has: 1d"),
        (["shop", "price", "--window", "soon"], "'soon' is not a duration"),
        (["shop", "price", "--end", "soon"], "'soon' is not a moment"),
        (["shop", "price", "--end", "0001-01-01T00:00+14:00"], "is not a moment"),
        (["shop"], "FEATURE"),
    ],
)
def test_usage(shop: Shop, words: list[str], told: str) -> None:
    shop.config()
    said = shop.run("explain", *words)
    assert said.code == 2
    assert told.casefold() in said.err.casefold()


def test_before_anything_was_evaluated(shop: Shop) -> None:
    shop.fill()
    shop.config()
    said = shop.run("explain", "shop", "price")
    assert (said.code, said.out) == (1, "")
    assert "nothing was evaluated yet" in said.err
    assert not (shop.folder / "store.db").exists()
    shop.config(shop.monitor(table="nothing"))
    shop.run("evaluate", "--once")
    said = shop.run("explain", "shop", "price")
    assert (said.code, said.out) == (1, "")
    assert "there is no result of 'price' over 1d of monitor 'shop' yet" in said.err


def test_before_the_longest_window_has_ended(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(windows="[1h, 6h, 7d]"))
    shop.run("evaluate", "--once")
    said = shop.run("explain", "shop", "price")
    assert said.code == 1
    assert "of 'price' over 7d of monitor 'shop' yet; there is one over 1h, 6h, see --window" in (
        said.err
    )


def test_results_of_a_store_that_kept_no_wobble(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(thresholds=""))
    shop.run("evaluate", "--once")
    told = {}
    for wobble in ("0.2", "NULL"):
        with sqlite3.connect(shop.folder / "store.db") as store:
            store.execute(f"UPDATE result SET inflation = 2, wobble = {wobble}, caveats = ''")
        store.close()
        said = shop.run("explain", "shop", "price")
        assert (said.code, said.err) == (0, "")
        told[wobble] = " ".join(said.out.split())
    assert "2 times as much as by sampling alone (they wobble by 0.2 sigma); so many" in told["0.2"]
    assert "2 times as much as by sampling alone; so many rows" in told["NULL"]
    assert "nan" not in told["NULL"]


def test_what_was_not_judged_says_why(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(features="[price, gone]"))
    shop.run("evaluate", "--once")
    said = shop.run("explain", "shop", "gone")
    assert said.code == 0
    assert said.out.splitlines()[0].endswith("error")
    assert "there is no column 'gone'" in said.out


def test_where_the_terminal_knows_no_blocks(drifted: Shop) -> None:
    raw = io.BytesIO()
    drifted.monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    drifted.run("explain", "shop", "price")
    sys.stdout.flush()
    text = raw.getvalue().decode("ascii")
    assert "+ current  - reference  # both" in text
    assert re.search(r"\+{5,}", text)


def test_two_bars_in_one_line() -> None:
    marks = ("▀", "▄", "█")
    assert [bars(now, before, marks) for now, before in ((3, 3), (4, 1), (0, 2), (0, 0))] == [
        "███",
        "█▀▀▀",
        "▄▄",
        "",
    ]


def test_an_empty_window_has_no_picture(shop: Shop) -> None:
    shop.fill(end=shop.now - timedelta(days=2))
    shop.config()
    shop.run("evaluate", "--once")
    said = shop.run("explain", "shop", "price")
    assert said.code == 0
    assert "no_data" in said.out
    assert "no rows in the window" in said.out
    assert "nan" not in said.out
    assert "0.0%" not in said.out


@pytest.fixture
def parted(any_shop: Shop) -> Shop:
    any_shop.fill()
    any_shop.sql("UPDATE orders SET price = price * 2 WHERE at >= '2026-09-12' AND city = 'Rome'")
    any_shop.config(any_shop.monitor(features="[price]", segments="[city]"))
    any_shop.run("evaluate", "--once")
    return any_shop


def test_which_segments_carry_it(parted: Shop) -> None:
    said = parted.run("explain", "shop", "price")
    carried = said.line("carried by")
    assert carried.startswith("carried by city=Rome (JS distance 0.")
    assert carried.endswith("; `--segment` draws one of them")


def test_what_a_calibrated_verdict_rests_on(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config(
        any_shop.monitor(thresholds="{effect: {warning: 0.1, critical: 0.3}}", alpha="0.01")
    )
    any_shop.run("evaluate", "--once")
    said = any_shop.run("explain", "shop", "price")
    assert "effect" in said.out.splitlines()[1]
    rests = said.line("alpha 0.01")
    assert "the reference's own windows differ" in rests
    assert rests.endswith("sigma or more")
    assert "nan" not in said.out
    few = "caveat: few_windows: the reference has fewer than 30 windows of this length"
    assert said.line("caveat: few") == few


def test_training_data_have_no_windows_to_tell_of(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config(
        any_shop.monitor(
            thresholds="{effect: {warning: 0.1, critical: 0.3}}", reference="{table: orders}"
        )
    )
    any_shop.run("evaluate", "--once")
    said = any_shop.run("explain", "shop", "price")
    assert "sampling alone is what is usual; so many rows can show" in said.line("alpha 0.001")
    assert "own windows" not in said.out
    assert said.line("caveat: no_windows").endswith("sampling alone is what is usual")


def test_one_segment(parted: Shop) -> None:
    said = parted.run("explain", "shop", "price", "--segment", "city=Rome")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("shop price [city=Rome]  1d [2026-09-12 00:00Z, 2026-09-13 00:00Z)")
    assert said.out.splitlines()[0].endswith("critical")
    assert drawn(said.out)
    assert "carried by" not in said.out


def test_a_segment_that_was_never_flagged_has_no_picture(parted: Shop) -> None:
    said = parted.run("explain", "shop", "price", "--segment", "city=Oslo")
    assert said.code == 0
    kept = said.line("its picture is not kept")
    assert "of a segment, only those of flagged windows are, and none was flagged" in kept
    older = parted.run("explain", "shop", "price", "--segment", "city=Rome", "--end", "2026-09-11")
    assert older.line("its picture").endswith("To see one, give --end one of 2026-09-13T00:00Z")


def test_a_segment_that_is_none_names_those_that_are(parted: Shop) -> None:
    said = parted.run("explain", "shop", "price", "--segment", "city=Paris")
    assert (said.code, said.out) == (1, "")
    assert "its segments are: 'city=Lima', 'city=Oslo', 'city=Rome'" in said.err
    parted.config(parted.monitor("plain"))
    parted.run("evaluate", "--once")
    assert "it has no segments yet" in parted.run(
        "explain", "plain", "price", "--segment", "city=Rome"
    ).err  # fmt: skip


TAXED: Values = {
    **ORDERS,
    "taxed": lambda n, moment, rng: 0.0,
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("price = price + 6, taxed = taxed + 6", "explained by: price 99 %"),
        (
            "taxed = taxed + 6",
            "prediction only: model, serving or an unwatched input (the best input, ",
        ),
    ],
)
def test_what_explains_a_prediction(any_shop: Shop, change: str, told: str) -> None:
    any_shop.fill(TAXED)
    any_shop.sql("UPDATE orders SET taxed = price * 1.2")
    any_shop.sql(f"UPDATE orders SET {change} WHERE at >= '2026-09-11 00:00:00'")
    shop = any_shop.monitor(prediction="taxed", explain_prediction="true")
    any_shop.config(shop)
    any_shop.run("evaluate", "--once")
    said = any_shop.run("explain", "shop", "taxed")
    assert (
        said.line("explained by" if told.startswith("explained") else "prediction only")[
            : len(told)
        ]
        == told
    )
    assert "explain" not in any_shop.run("explain", "shop", "price").out
    quiet = any_shop.run("explain", "shop", "taxed", "--end", "2026-09-10").out
    assert "explained by" not in quiet
    assert "prediction only" not in quiet


def page(**asked: str) -> str:
    return explain_page(load_settings("config.yaml"), ExplainRequest("shop", **asked))


def test_the_page_of_the_server_says_what_the_command_says(drifted: Shop) -> None:
    command = drifted.run("explain", "shop", "price").out
    told = page(feature="price")
    assert max(map(len, told.splitlines())) <= 100
    assert told.splitlines()[0] == command.splitlines()[0]
    assert drawn(told) == drawn(command)
    assert told.split() == command.split(), "wrapped, and otherwise the same"
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"feature": "prize"}, 404, "has no feature 'prize'; did you mean 'price'?"),
        ({"feature": "price", "window": "7d"}, 400, "has no window of 7d; it has: "),
        ({"feature": "price", "window": "long"}, 400, "is not a duration"),
        ({"feature": "price", "end": "yesterday"}, 400, "is not a moment"),
        ({"feature": "price", "end": "2020-01-01"}, 404, "there is no result of 'price'"),
        ({"feature": "price", "segment": "a=b"}, 404, "it has no segments yet"),
    ],
)
def test_pages_that_cannot_be_given(
    drifted: Shop, asked: dict[str, str], status: int, told: str
) -> None:
    with pytest.raises(PageError, match=re.escape(told)) as caught:
        page(**asked)
    assert caught.value.status == status


def test_an_unknown_monitor_and_a_store_that_is_down(shop: Shop) -> None:
    shop.config()
    settings = load_settings("config.yaml")
    with pytest.raises(PageError, match="no monitor is named 'shp'; did you mean") as caught:
        explain_page(settings, ExplainRequest("shp", "price"))
    assert caught.value.status == 404
    with pytest.raises(PageError) as caught:
        explain_page(settings, ExplainRequest("shop", "price"))
    assert caught.value.status == 404, "nothing was evaluated yet"
    down = replace(settings, store_url="postgresql://nobody:s3cret@127.0.0.1:1/store")
    with pytest.raises(PageError, match="could not be reached") as caught:
        explain_page(down, ExplainRequest("shop", "price"))
    assert caught.value.status == 503
    assert "s3cret" not in str(caught.value)


def test_config_show(shop: Shop) -> None:
    shop.config()
    said = shop.run("config", "show")
    assert (said.code, said.err) == (0, "")
    assert "\n- name: shop\n  source: logs\n" in said.out
    assert shop.run("config", "show", "--config", "none.yaml").code == 1
