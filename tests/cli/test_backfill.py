"""`driftwatch backfill` and `driftwatch prune`: the past counted again, and forgotten."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta

import pytest

from tests.cli.shop import Shop
from tests.cli.test_commands import on_a_terminal

PROGRAM = [sys.executable, "-c", "from driftwatch.cli import main; main()"]


@pytest.fixture
def counted(any_shop: Shop) -> Shop:
    any_shop.fill()
    any_shop.config(any_shop.monitor(recheck="[]"))
    assert any_shop.run("evaluate", "--once").code == 0
    return any_shop


RANGE = ("--from", "2026-09-10", "--to", "2026-09-12")


def test_after_a_bug_upstream_history_is_revised_and_nobody_is_paged(counted: Shop) -> None:
    counted.sql(
        "UPDATE orders SET price = price * 2 "
        "WHERE at >= '2026-09-10 00:00:00' AND at < '2026-09-11 00:00:00'"
    )
    said = counted.run("backfill", "shop", *RANGE)
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "counted [2026-09-10 00:00Z, 2026-09-12 00:00Z) again: 192 rows, 24 panes changed, "
        "1 window judged again\n"
    )
    told = counted.run("explain", "shop", "price", "--end", "2026-09-11")
    assert told.out.splitlines()[0].endswith("critical")
    assert counted.run("evaluate", "--once").code == 0
    assert "0 panes changed, 0 windows" in counted.run("backfill", "shop", *RANGE).out


def interrupted(shop: Shop) -> None:
    """As if the process had ended after the first of the two days."""
    assert shop.run("backfill", "shop", *RANGE).code == 0
    with closing(sqlite3.connect(shop.folder / "store.db")) as store, store:
        store.execute(
            "UPDATE backfill SET finished_at = NULL, done_until = '2026-09-11T00:00:00.000000Z', "
            "rows = 96"
        )


def test_one_that_goes_on_says_from_where_and_what_it_read(counted: Shop) -> None:
    interrupted(counted)
    counted.now += timedelta(days=9)
    said = counted.run("backfill", "shop", *RANGE)
    assert said.out.splitlines() == [
        "goes on from 2026-09-11 00:00Z, begun at 2026-09-13 09:03Z; `driftwatch backfill` with "
        "--restart counts all of it again",
        "counted [2026-09-11 00:00Z, 2026-09-12 00:00Z) again: 96 rows, 0 panes changed, "
        "0 windows judged again",
        "in all since 2026-09-13 09:03Z: 192 rows, 0 panes changed",
    ]
    assert "goes on" not in counted.run("backfill", "shop", *RANGE).out, "it was done by then"


def test_restart_counts_all_of_it(counted: Shop) -> None:
    interrupted(counted)
    counted.sql("UPDATE orders SET price = price * 2 WHERE at < '2026-09-11 00:00:00'")
    said = counted.run("backfill", "shop", *RANGE, "--restart")
    assert said.out.splitlines()[0] == (
        "counted [2026-09-10 00:00Z, 2026-09-12 00:00Z) again: 192 rows, 24 panes changed, "
        "1 window judged again"
    )
    assert "goes on" not in said.out


def test_what_lies_after_the_watermark_is_not_said_to_be_counted(counted: Shop) -> None:
    said = counted.run("backfill", "shop", "--from", "2026-09-12", "--to", "2026-09-14")
    assert said.out.startswith("counted [2026-09-12 00:00Z, 2026-09-13 09:00Z) again: 132 rows")


MENDED = "UPDATE orders SET price = price * 2 WHERE at < '2026-09-10 00:00:00'"


def test_a_reference_in_the_range_stays_as_it_was_captured(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill()
    shop.config(shop.monitor(start="2026-09-02", recheck="[]"))
    assert shop.run("evaluate", "--once").code == 0
    words = ("backfill", "shop", "--from", "2026-09-08", "--to", "2026-09-10")
    assert "reference" not in shop.run(*words).out, "nothing has changed"
    shop.sql(MENDED)
    said = shop.run(*words)
    hint = "driftwatch reference capture shop --from 2026-09-02 --to 2026-09-09"
    assert said.line("stays as it was captured").endswith(hint)
    assert shop.run(*hint.split()[1:]).code == 0
    shop.sql(MENDED)
    later = shop.run("backfill", "shop", "--from", "2026-09-09", "--to", "2026-09-10")
    assert "24 panes changed" in later.out
    assert "reference" not in later.out, "it holds none of the range"


def test_columns_with_references_of_their_own_are_named(shop: Shop) -> None:
    shop.fill()
    other = "{from: 2026-09-01T12:00Z, to: 2026-09-08}"
    features = f"[{{name: price, reference: {other}}}, {{name: city, kind: categorical}}]"
    rolling = "{rolling: 3d}"
    shop.config(shop.monitor(start="2026-09-02", features=features, reference=rolling))
    assert shop.run("evaluate", "--once").code == 0
    shop.sql(MENDED)
    said = shop.run("backfill", "shop", "--from", "2026-09-02", "--to", "2026-09-10")
    assert said.line("stays as it was captured").endswith(
        "driftwatch reference capture shop price --from 2026-09-01T12:00:00Z --to 2026-09-08"
    )


def test_a_log_that_expires_empties_nothing(counted: Shop) -> None:
    counted.sql("DELETE FROM orders WHERE at < '2026-09-11 00:00:00'")
    said = counted.run("backfill", "shop", *RANGE)
    assert said.code == 0
    assert said.line("24 panes kept as they were").endswith("say --allow-shrink")
    told = counted.run("explain", "shop", "price", "--end", "2026-09-11")
    assert "96 rows" in told.out
    said = counted.run("backfill", "shop", *RANGE, "--allow-shrink")
    assert "24 panes changed" in said.out
    assert "kept" not in said.out
    told = counted.run("explain", "shop", "price", "--end", "2026-09-11")
    assert "no rows in the window" in told.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--from", "2026-09-20", "--to", "2026-09-21"), 1, "nothing to count again"),
        (("--from", "2026-09-12", "--to", "2026-09-11"), 2, "is not before --to"),
        (("--from", "soon", "--to", "2026-09-11"), 2, "'soon' is not a moment"),
        (("--from", "2026-09-11"), 2, "--to"),
    ],
)
def test_ranges_that_cannot_be(shop: Shop, words: tuple[str, ...], code: int, told: str) -> None:
    shop.fill()
    shop.config()
    shop.run("evaluate", "--once")
    said = shop.run("backfill", "shop", *words)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_before_anything_was_counted(shop: Shop) -> None:
    shop.fill()
    shop.config()
    assert "has counted nothing yet" in shop.run("backfill", "shop", *RANGE).err


def test_ctrl_c_ends_it_and_the_same_command_goes_on(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.fill()
    shop.config(shop.monitor(where='"slow(price)"'))
    define = "CREATE OR REPLACE FUNCTION slow(double precision) RETURNS boolean LANGUAGE plpgsql AS"
    shop.sql(f"{define} $$BEGIN RETURN true; END$$")
    assert shop.run("evaluate", "--once").code == 0
    shop.sql(f"{define} $$BEGIN PERFORM pg_sleep(0.02); RETURN true; END$$")
    words = ["backfill", "shop", "--from", "2026-09-03", "--to", "2026-09-09"]
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=shop.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as process:  # fmt: skip
        _wait_for_a_step(shop)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Traceback" not in out
    stopped = out.strip().splitlines()[-1]
    assert stopped.startswith("stopped, counted up to 2026-09-0")
    assert stopped.endswith("; the same command goes on from there")
    shop.sql(f"{define} $$BEGIN RETURN true; END$$")
    said = shop.run(*words)
    assert said.code == 0
    assert said.line("goes on from 2026-09-0")
    assert "again: 576 rows" not in said.out, "those of before the interruption are not among them"
    assert said.line("in all since").endswith(": 576 rows, 0 panes changed")


def _wait_for_a_step(shop: Shop) -> None:
    """Until the first day of a backfill is stored."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(shop.folder / "store.db")) as store:
            if store.execute("SELECT 1 FROM backfill WHERE rows > 0").fetchone():
                return
        time.sleep(0.05)
    raise AssertionError("no step in a minute")


def test_on_a_terminal_a_bar_shows_how_far_it_is(counted: Shop) -> None:
    text = on_a_terminal(counted, 100, "backfill", "shop", *RANGE)
    assert "counting" in text
    assert "rows/s" in text
    assert "left" in text
    assert "counted [2026-09-10 00:00Z" in text


def test_prune_says_what_it_deleted(any_shop: Shop) -> None:
    shop = any_shop
    shop.fill(end=shop.now + timedelta(days=5))
    shop.config()
    shop.run("evaluate", "--once")
    assert shop.run("prune").out == "store store.db: deleted 0 rows\n"
    shop.config(head="listen: 127.0.0.1:0\nretention: {panes: 2d, hours: 2d, results: 2d}")
    shop.now += timedelta(days=4)
    shop.run("evaluate", "--once")
    said = shop.run("prune")
    assert (said.code, said.err) == (0, "")
    deleted = {line.split()[0]: int(line.split()[1]) for line in said.out.splitlines()[1:]}
    assert set(deleted) == {"pane", "result"}
    assert said.out.startswith(f"store store.db: deleted {sum(deleted.values()):,} rows")
    assert shop.run("prune").out == "store store.db: deleted 0 rows\n"
    assert shop.run("evaluate", "--once").code == 0
