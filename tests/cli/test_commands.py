"""The command line itself: help, versions, errors, and how it looks on a terminal."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from typing import Any

import pytest
from typer.main import get_command

import driftwatch
from driftwatch.cli.commands import app
from tests.cli.shop import Shop, unstyled

COMMANDS: dict[str, Any] = dict(get_command(app).commands)  # type: ignore[attr-defined]  # a group
PROGRAM = [sys.executable, "-c", "from driftwatch.cli import main; main()"]


def test_help_lists_every_command_whole(shop: Shop) -> None:
    said = shop.run("--help")
    assert said.code == 0
    for name in COMMANDS:
        words = said.line(f"  {name} ").split()
        assert len(words) > 2
        assert not words[-1].endswith("..."), "its summary fits in a line"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_helps(shop: Shop, name: str) -> None:
    said = shop.run(name, "--help")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "\x1b" not in said.out


SUBCOMMANDS = [(name, sub) for name, of in COMMANDS.items() for sub in getattr(of, "commands", ())]


@pytest.mark.parametrize(("name", "sub"), SUBCOMMANDS)
def test_each_subcommand_helps(shop: Shop, name: str, sub: str) -> None:
    said = shop.run(name, sub, "--help")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    words = shop.run(name, "--help").line(f"  {sub} ").split()
    assert len(words) > 2
    assert not words[-1].endswith("..."), "its summary fits in a line"


def test_version(shop: Shop) -> None:
    assert shop.run("version").out == f"driftwatch {driftwatch.__version__}\n"


@pytest.mark.parametrize("words", [["chekc"], ["check", "--ofline"], ["serve", "--log-level", "x"]])
def test_usage(shop: Shop, words: list[str]) -> None:
    said = shop.run(*words)
    assert (said.code, said.out) == (2, "")
    assert "Error:" in said.err


def test_a_configuration_that_is_not_there(shop: Shop) -> None:
    for words in (["check"], ["serve"], ["status"], ["migrate"], ["evaluate", "--once"]):
        said = shop.run(*words, "-c", "missing.yaml")
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("missing.yaml: cannot be read")


def test_migrate_says_what_it_did(any_shop: Shop) -> None:
    any_shop.config()
    assert "applied 0001" in any_shop.run("migrate").out
    assert any_shop.run("migrate").out.endswith(": up to date\n")


def test_a_port_that_is_taken(shop: Shop) -> None:
    import socket  # noqa: PLC0415 - here alone

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shop.config(head=f"listen: 127.0.0.1:{port}")
        said = shop.run("serve")
    assert said.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in said.err
    assert "`listen` in the configuration" in said.err


def test_output_that_cannot_be_written(shop: Shop) -> None:
    shop.config()
    command = [*PROGRAM, "check", "--offline"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        full_disk = subprocess.run(
            command, cwd=shop.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert full_disk.returncode == 1
    assert full_disk.stderr.startswith("the output cannot be written: [Errno 28] No space left")
    assert "Traceback" not in full_disk.stderr


def test_ctrl_c_ends_an_evaluation(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.fill()
    shop.config(shop.monitor(where='"pg_sleep(0.05) is not null"'))
    with subprocess.Popen(
        [*PROGRAM, "evaluate", "--once"],
        cwd=shop.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        store = shop.folder / "store.db"
        deadline = time.monotonic() + 30
        while not (store.exists() and store.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode in (1, 130)
    assert b"Traceback" not in out, out.decode()
    assert shop.run("check").code == 0, "nothing is left locked"


def on_a_terminal(shop: Shop, columns: int, *words: str) -> str:
    """What a terminal of this width is sent."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color"}
    with subprocess.Popen(
        [*PROGRAM, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=shop.folder,
        env=environment,
    ) as process:
        os.close(theirs)
        parts = []
        while select.select([ours], [], [], 30)[0]:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            parts.append(part)
        assert process.wait(10) in (0, 1, 3)
    os.close(ours)
    return b"".join(parts).decode()


@pytest.fixture
def told(shop: Shop) -> Shop:
    """A store with something of everything in it."""
    shop.fill({"price": lambda n, moment, rng: rng.gauss(20, 5), "id": lambda n, m, r: f"x{n}"})
    shop.drift()
    shop.config(
        shop.monitor(features="[price, gone, id, {name: id2, kind: categorical}]"),
        shop.monitor("broken", table="nothing"),
    )
    shop.run("evaluate", "--once")
    return shop


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["status"],
        ["explain", "shop", "price"],
        ["reference", "list", "shop"],
        ["reference", "show", "shop", "price"],
    ],
)
def test_on_a_terminal_it_has_colours_and_keeps_to_its_width(told: Shop, words: list[str]) -> None:
    text = on_a_terminal(told, 72, *words)
    assert "\x1b[" in text
    lines = unstyled(text).splitlines()
    assert max(map(len, lines)) <= 72
    plain = told.run(*words).out
    assert "\x1b" not in plain
    # The process has a clock of its own (nothing cost it anything today), and bars are as wide as
    # there is room.
    told_always = plain.partition("Cost of the scans")[0]
    steady = {word for word in told_always.split() if not re.search(r"[\d▀▄█]", word)}
    assert len(steady) > 10
    assert steady <= set(unstyled(text).split()), "words wrap whole, and none is cut"
