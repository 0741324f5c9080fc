"""`driftwatch status`: what fires since when, what is blind and why, and what it cost."""

from datetime import UTC, datetime, timedelta

from driftwatch.cli.caveat import SAYS
from driftwatch.stats.calibration import Shortcoming
from tests.cli.shop import ORDERS, Said, Shop, Values

RELEASE = datetime(2026, 9, 11, tzinfo=UTC)
TROUBLES = "Evaluations that failed, are late, or left a note"


def part(said: Said, title: str) -> list[str]:
    """The lines below a title."""
    _, _, rest = said.out.partition(f"\n{title}")
    body = rest.partition("\n")[2]
    return body.split("\n\n")[0].splitlines()


def test_there_is_no_store_and_none_is_made(shop: Shop) -> None:
    shop.config()
    said = shop.run("status")
    assert said.code == 0
    assert said.out == (
        f"store store.db does not exist (in {shop.folder}): nothing was evaluated yet. "
        "`driftwatch serve` or `driftwatch evaluate --once` makes it.\n"
    )
    assert not (shop.folder / "store.db").exists()
    (shop.folder / "store.db").touch()
    assert shop.run("status").out.startswith("store store.db is empty: nothing was evaluated")
    assert (shop.folder / "store.db").stat().st_size == 0


def test_all_is_quiet(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config(any_shop.monitor(), any_shop.monitor("other"))
    any_shop.run("evaluate", "--once", "-m", "shop")
    said = any_shop.run("status")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("store store.db, 2026-09-13 09:03Z\n")
    assert said.line("3 ok").split()[:4] == ["shop", "3", "ok", "2026-09-13"]
    assert "never evaluated" in said.line("other")
    for title in ("Firing", "Pending", "Blind", TROUBLES):
        assert said.line(title).endswith(": nothing")
    (cost,) = part(said, "Cost")[1:]
    assert cost.split()[:4] == ["shop", "1", "0", "1,092"]


def test_what_fires_since_when_and_how_it_is_now(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.drift()
    any_shop.config()
    any_shop.run("evaluate", "--once")
    said = any_shop.run("status")
    (line,) = part(said, "Firing")
    assert line.startswith("  critical  shop price (drift, 1d)  since 2026-09-11 00:00Z  newest")
    assert "JS distance" in line
    assert "1 critical, 2 ok" in said.out


def test_what_fires_is_said_once(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.drift()
    any_shop.sql("DELETE FROM orders WHERE at >= '2026-09-12' AND at < '2026-09-12 20:00:00'")
    any_shop.config()
    any_shop.run("evaluate", "--once")
    volume, price = sorted(part(any_shop.run("status"), "Firing"))
    assert volume.count("times the median window") == 1
    assert volume.endswith(
        "(critical); look at the workflow: who sends rows, and whether all of them arrive."
    )
    assert price.count("price: ") == 1
    explained = any_shop.run("explain", "shop", "@volume")
    assert explained.out.count("times the median window") == 1
    assert explained.line("look at the workflow").startswith("look at the workflow: who sends")


def test_what_is_flagged_but_does_not_fire_yet(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.drift()
    any_shop.config(any_shop.monitor(alert="{k: 3, of: 3}"))
    any_shop.run("evaluate", "--once")
    said = any_shop.run("status")
    assert said.line("Firing").endswith(": nothing")
    (line,) = part(said, "Pending")
    assert line.startswith("  critical  shop price (drift, 1d)  since 2026-09-11 00:00Z")


def test_features_that_are_blind_for_one_reason_share_a_line(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    names = "price, {name: city, kind: categorical}, a, b, c, d"
    shop.config(
        shop.monitor(features=f"[{names}]", reference="{from: 2026-09-02, to: 2027-01-01}"),
        shop.monitor("gone", features="[missing, price]"),
    )
    shop.run("evaluate", "--once")
    said = shop.run("status")
    waiting, missing = part(said, "Blind")
    assert waiting.split()[:2] == ["learning", "no_reference"]
    assert "@volume (1d), a (1d), b (1d), c (1d) and 3 more" in waiting
    assert "is not complete" in waiting
    assert missing.split()[:2] == ["error", "column_missing"]
    assert "gone missing (1d)" in missing
    assert "there is no column 'missing'" in missing


def test_what_fails_and_what_is_late(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    shop.config(shop.monitor(), shop.monitor("broken", table="nothing"))
    shop.run("evaluate", "--once")
    (line,) = part(shop.run("status"), TROUBLES)
    assert line.startswith("  broken  source_error  at 2026-09-13 09:03")
    assert "no table or view 'nothing'" in line
    shop.now += timedelta(days=2)
    said = shop.run("status")
    assert [row.split()[:2] for row in part(said, TROUBLES)] == [
        ["shop", "late"],
        ["broken", "source_error"],
        ["broken", "late"],
    ]
    assert said.line("Cost of the scans").endswith(": none")


def test_piped_it_is_plain_and_whole(shop: Shop) -> None:
    shop.fill()
    shop.config(shop.monitor(features="[" + ", ".join("abcdefgh") + "]"))
    shop.run("evaluate", "--once")
    shop.monkeypatch.setenv("COLUMNS", "40")
    out = shop.run("status").out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())
    assert any(len(line) > 100 for line in out.splitlines()), "nothing is cut or wrapped"


def test_segments_do_not_flood_it_and_say_what_carries_a_drift(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.sql("UPDATE orders SET price = price * 2 WHERE at >= '2026-09-11' AND city = 'Rome'")
    shop.config(shop.monitor(features="[price]", segments="[city]"))
    shop.run("evaluate", "--once")
    said = shop.run("status")
    overview = said.line("2026-09-13 09:00Z")
    assert "1 critical, 1 ok" in overview, "of all rows alone"
    assert overview.endswith("1 of 3 drift")
    (line,) = part(said, "Firing")
    carried = line.partition("carried by ")[2]
    assert carried.startswith("city=Rome (JS distance 0.")
    assert not {"city=Oslo", "city=Lima"} & set(carried.split()), "they are as they were"


def test_versions_with_what_they_are_compared_with(any_shop: Shop) -> None:
    shop = any_shop
    model: Values = {**ORDERS, "model": lambda n, moment, rng: "v2" if moment > RELEASE else "v1"}
    shop.fill(model)
    shop.config(
        shop.monitor(features="[]", prediction="price", version="{column: model, handover: 7d}")
    )
    shop.run("evaluate", "--once")
    newest, first = part(shop.run("status"), "Versions")
    assert newest.split()[:3] == ["shop", "v2", "since"]
    assert newest.endswith("after v1  compared with v1")
    assert first.split()[1] == "v1"
    assert first.endswith("there before the first window")


def test_windows_that_reached_back_for_rows(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.config(shop.monitor(features="[price]", min_rows="300", widen="5d"))
    shop.run("evaluate", "--once")
    (line,) = part(shop.run("status"), "Widened")
    assert line.split()[:3] == ["shop", "price", "(1d)"]
    assert line.endswith("judged on [2026-09-09 00:00Z, 2026-09-13 00:00Z)  384 rows")


def test_what_there_is_not_has_no_heading(shop: Shop) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    said = shop.run("status")
    for title in ("Widened", "Excluded", "Versions", "segments"):
        assert title not in said.out


def test_a_store_that_is_away_promises_nothing(shop: Shop) -> None:
    """The daemon tries again; a command that ends does not."""
    shop.store = "postgresql://nobody@127.0.0.1:1/store"
    shop.config()
    for words in (("status",), ("migrate",), ("prune",), ("reference", "list", "shop")):
        said = shop.run(*words)
        assert (said.code, said.out) == (1, "")
        assert "could not be reached" in said.err
        assert "again" not in said.err


def test_what_a_verdict_could_not_rest_on_stands_beside_it(any_shop: Shop) -> None:
    any_shop.fill()
    limits = "{effect: {warning: 0.05, critical: 0.2}}"
    any_shop.config(any_shop.monitor(windows="[6h, 1d]", min_rows="20", thresholds=limits))
    any_shop.run("evaluate", "--once")
    lines = part(any_shop.run("status"), "Judged with a caveat")
    found = {line.split()[0]: line for line in lines}
    assert "shop city (1d), price (1d)" in found["short_reference"]
    assert found["few_windows"].endswith("fewer than 30 windows of this length")


def test_without_a_caveat_there_is_no_word_of_them(any_shop: Shop) -> None:
    any_shop.fill()
    any_shop.config()
    any_shop.run("evaluate", "--once")
    assert "caveat" not in any_shop.run("status").out


def test_every_caveat_has_words() -> None:
    assert set(SAYS) == set(Shortcoming)
