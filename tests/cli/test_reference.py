"""`driftwatch reference`: listed, shown, compared, captured again, activated."""

import re

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


@pytest.fixture
def small(shop: Shop) -> Shop:
    """The same over SQLite alone, for what no database can change."""
    shop.fill()
    shop.drift()
    shop.config()
    assert shop.run("evaluate", "--once").code == 3
    return shop


CAPTURE = ("reference", "capture", "shop", "--from", "2026-09-11", "--to", "2026-09-13")
LINE = re.compile(r"^(\S+) +(\d+) +(active)? +(config|command|accept) +([\d,]+)", re.MULTILINE)


def listed(shop: Shop) -> list[tuple[str, ...]]:
    """Column, version, "active", origin, rows."""
    said = shop.run("reference", "list", "shop")
    assert (said.code, said.err) == (0, "")
    return LINE.findall(said.out)


def test_every_version_is_listed(drifted: Shop) -> None:
    drifted.run(*CAPTURE, "price", "--reason", "new price list")
    assert listed(drifted) == [
        ("@volume", "1", "active", "config", "672"),
        ("city", "1", "active", "config", "672"),
        ("price", "1", "", "config", "672"),
        ("price", "2", "active", "command", "192"),
    ]
    said = drifted.run("reference", "list", "shop")
    assert "[2026-09-11 00:00Z, 2026-09-13 00:00Z)" in said.line("new price list")


def test_capturing_ends_the_alert_and_says_so(drifted: Shop) -> None:
    said = drifted.run(*CAPTURE, "price")
    assert (said.code, said.err) == (0, "")
    captured, ended = said.out.splitlines()
    assert captured.startswith("price: reference version 2, 192 rows, of [2026-09-11T00:00:00Z")
    assert captured.endswith("counted by the ledger")
    assert ended.strip().startswith("resolved: price (drift, 1d)")
    assert drifted.run("evaluate", "--once").code == 0
    again = drifted.run(*CAPTURE, "price")
    assert again.out.startswith("nothing changed: ")


def test_new_bins_say_first_what_they_cost(drifted: Shop) -> None:
    said = drifted.run(*CAPTURE, "price", "--refit")
    assert said.code == 0
    first, second, third, *_, last = said.out.splitlines()
    assert "to fit new bins and to count it, about 192 rows" in first
    assert second.startswith("then counts [2026-09-13T00:00:00Z, 2026-09-13T09:00:00Z) again, 36")
    assert "counted by the source" in third
    assert last.startswith("counted [2026-09-13 00:00Z, 2026-09-13 09:00Z) again: 36 rows")


def test_one_reference_bin_by_bin(drifted: Shop) -> None:
    said = drifted.run("reference", "show", "shop", "city")
    assert (said.code, said.err) == (0, "")
    title, rows, origin, _, *bins = said.out.splitlines()
    assert title == "shop city  reference version 1 (active)"
    assert rows == "672 rows of [2026-09-02 00:00Z, 2026-09-09 00:00Z), axis version 1"
    assert origin == "captured 2026-09-13 09:03Z by config"
    counts = {line.split()[0]: int(line.split()[1]) for line in bins}
    assert set(counts) == {"Lima", "Oslo", "Rome"}
    assert sum(counts.values()) == 672
    shares = [float(line.split()[2].rstrip("%")) for line in bins]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert "axis" not in drifted.run("reference", "show", "shop", "@volume").out


def test_how_far_two_versions_are_apart(drifted: Shop) -> None:
    drifted.run(*CAPTURE)
    said = drifted.run("reference", "diff", "shop", "1", "2", "price")
    assert (said.code, said.err) == (0, "")
    assert said.line("  rows").split() == ["rows", "672", "192"]
    before, after = map(float, said.line("  mean").split()[1:])
    assert after / before == pytest.approx(2, rel=0.05)
    assert "KL(2‖1)" in said.out
    assert "▀ version 2  ▄ version 1" in said.out
    every = drifted.run("reference", "diff", "shop", "1", "2").out
    assert [line.split()[0] for line in every.splitlines() if " and 2 (" in line] == [
        "@volume", "city", "price",
    ]  # fmt: skip


def test_versions_in_other_bins(drifted: Shop) -> None:
    drifted.run(*CAPTURE, "price", "--refit")
    said = drifted.run("reference", "diff", "shop", "1", "2", "price")
    assert "cannot be compared bin by bin" in said.out
    assert said.line("  missing").split() == ["missing", "0.0%", "0.0%"]
    assert "JS" not in said.out


def test_an_older_version_comes_back(drifted: Shop) -> None:
    drifted.run(*CAPTURE)
    said = drifted.run("reference", "activate", "shop", "1", "price")
    assert said.out.startswith("price: reference version 1, 672 rows, in use again")
    drifted.run("evaluate", "--once")
    active = {line[0]: line[1] for line in listed(drifted) if line[2]}
    assert active == {"@volume": "2", "city": "2", "price": "1"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "shop", "price", "--version", "7"), "no reference of version 7; there are: 1"),
        (("diff", "shop", "1", "2"), "no column has both versions 1 and 2; there are: 1"),
        (("diff", "shop", "1", "2", "price"), "'price' has not both versions 1 and 2"),
        (("activate", "shop", "4"), "no reference of version 4; there are: 1"),
        (
            ("capture", "shop", "--from", "2026-09-12", "--to", "2026-09-15"),
            "has counted up to 2026-09-13T09:00Z",
        ),
        (
            ("capture", "shop", "--from", "2026-08-12", "--to", "2026-08-15"),
            "holds no rows",
        ),
    ],
)
def test_what_cannot_be_done_says_why(small: Shop, words: tuple[str, ...], told: str) -> None:
    said = small.run("reference", *words)
    assert (said.code, said.out) == (1, "")
    assert told in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list", "shp"), "no monitor is named 'shp'"),
        (("show", "shop", "prise"), "did you mean 'price'?"),
        (("activate", "shop", "one"), "valid integer"),
        (("capture", "shop", "--from", "2026-09-12"), "--to"),
        (("capture", "shop", "--from", "soon", "--to", "2026-09-12"), "'soon' is not a moment"),
        (
            ("capture", "shop", "--from", "2026-09-12", "--to", "2026-09-12"),
            "is not before --to",
        ),
    ],
)
def test_usage(shop: Shop, words: tuple[str, ...], told: str) -> None:
    shop.config()
    said = shop.run("reference", *words)
    assert said.code == 2
    assert told in said.err


def test_before_there_is_a_reference(shop: Shop) -> None:
    shop.fill()
    shop.config()
    said = shop.run("reference", "list", "shop")
    assert (said.code, said.out) == (1, "")
    assert "nothing was evaluated yet" in said.err
    assert not (shop.folder / "store.db").exists()
    assert "has counted nothing yet" in shop.run(*CAPTURE).err
    assert "has no reference yet" in shop.run("reference", "list", "shop").err


def test_what_moves_cannot_be_captured(small: Shop) -> None:
    small.config(small.monitor(reference="{rolling: 5d}"))
    said = small.run(*CAPTURE)
    assert said.code == 1
    assert "moves along with the windows" in said.err
