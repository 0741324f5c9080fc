"""`driftwatch accept` and `driftwatch exclude`: what people mean to happen."""

import pytest

from tests.cli.shop import Shop


@pytest.fixture
def drifted(any_shop: Shop) -> Shop:
    """Prices doubled on 11 September; the alert fires since then."""
    any_shop.fill()
    any_shop.drift()
    any_shop.config()
    assert any_shop.run("evaluate", "--once").code == 3
    return any_shop


ACCEPT = ("accept", "shop", "price", "--since", "2026-09-11", "--reason", "new price list")
EXCLUDE = ("exclude", "shop", "--from", "2026-09-11", "--to", "2026-09-20", "--reason", "sale")


def test_accepted_it_does_not_fire_any_more(drifted: Shop) -> None:
    said = drifted.run(*ACCEPT)
    assert (said.code, said.err) == (0, "")
    first, second = said.out.splitlines()
    assert first == "price: reference version 2, 228 rows, since 2026-09-11 00:00Z: new price list"
    assert second.strip().startswith("resolved: price (drift, 1d)")
    assert drifted.run("evaluate", "--once").code == 0
    assert "new price list" in drifted.run("reference", "list", "shop").out


def test_all_of_a_monitor(drifted: Shop) -> None:
    said = drifted.run("accept", "shop", "--since", "2026-09-11", "--reason", "a new shop")
    assert [line.split(":")[0] for line in said.out.splitlines()[:3]] == [
        "@volume", "price", "city",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "code", "told"),
    [
        ("2026-09-13T09:00", 1, "nothing since then could be accepted"),
        ("2026-09-13T05:00", 1, "16 rows in"),
        ("soon", 2, "'soon' is not a moment"),
        ("9999-12-31T23:59:59Z", 2, "is not a moment of the years 1970 to 9998"),
    ],
)
def test_what_cannot_be_accepted(drifted: Shop, since: str, code: int, told: str) -> None:
    said = drifted.run("accept", "shop", "--since", since, "--reason", "x")
    assert said.code == code
    assert told in said.err
    assert drifted.run("evaluate", "--once").code == 3, "it goes on"


def test_one_thing_at_a_time(shop: Shop) -> None:
    shop.config()
    said = shop.run("exclude", "shop", "--list", "--remove", "1")
    assert said.code == 2
    assert "one at a time" in said.err


def test_a_reason_is_needed(shop: Shop) -> None:
    shop.config()
    for words in (("accept", "shop", "--since", "2026-09-11"), EXCLUDE[:-2]):
        assert shop.run(*words).code == 2
        said = shop.run(*words, "--reason", " ")
        assert said.code == 2
        assert "say why" in said.err


def test_excluded_it_does_not_fire_any_more(drifted: Shop) -> None:
    said = drifted.run(*EXCLUDE)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].startswith("excluded [2026-09-11T00:00:00Z, 2026-09-20")
    assert "resolved: price (drift, 1d)" in said.out
    assert drifted.run("evaluate", "--once").code == 0
    line = drifted.run("status").line("sale")
    assert line.split() == [
        "shop", "(all", "features)", "[2026-09-11", "00:00Z,", "2026-09-20", "00:00Z)", "sale",
    ]  # fmt: skip
    assert "was excluded already" in drifted.run(*EXCLUDE).out


def test_windows_in_it_say_so(drifted: Shop) -> None:
    drifted.run(*EXCLUDE)
    drifted.sql("INSERT INTO orders SELECT * FROM orders WHERE at >= '2026-09-13 00:00:00'")
    drifted.now = drifted.now.replace(day=14, hour=1)
    assert drifted.run("evaluate", "--once").code == 0
    said = drifted.run("explain", "shop", "price")
    assert said.out.splitlines()[0].endswith("critical")
    assert said.line("price: JS distance").endswith("; excluded: sale")


def test_listed_and_taken_back(drifted: Shop) -> None:
    assert drifted.run("exclude", "shop", "--list").out == "nothing of shop was ever excluded\n"
    drifted.config(drifted.monitor(exclude="[{from: 2026-09-01, to: 2026-09-02, reason: opening}]"))
    drifted.run("evaluate", "--once")
    drifted.run(*EXCLUDE)
    said = drifted.run("exclude", "shop", "--list")
    configured, by_command = said.line("opening").split()[0], said.line("sale").split()[0]
    assert "config" in said.line("opening")
    taken = drifted.run("exclude", "shop", "--remove", by_command)
    assert taken.out == f"exclusion {by_command} of shop is taken back\n"
    assert "taken back 2026-09-13" in drifted.run("exclude", "shop", "--list").line("sale")
    assert "sale" not in drifted.run("status").out
    refused = drifted.run("exclude", "shop", "--remove", configured)
    assert (refused.code, refused.out) == (1, "")
    assert "take it out of `exclude`" in refused.err


def test_exclude_needs_a_range(shop: Shop) -> None:
    shop.config()
    said = shop.run("exclude", "shop", "--from", "2026-09-01")
    assert said.code == 2
    assert "--to" in said.err
    assert shop.run("exclude", "shop", "prise", *EXCLUDE[2:]).code == 2


def test_it_may_be_excluded_before_anything_runs(shop: Shop) -> None:
    shop.config()
    assert "nothing was evaluated yet" in shop.run("exclude", "shop", "--list").out
    assert shop.run(*EXCLUDE).code == 0
    assert "sale" in shop.run("exclude", "shop", "--list").out
