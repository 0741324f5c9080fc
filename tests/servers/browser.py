"""A real Chromium, asked for one page at a time."""

import struct
import subprocess
import zlib
from pathlib import Path

from tests.servers.parts import require_program

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=900,700",
)  # fmt: skip


def document(url: str, folder: Path) -> str:
    """The document as the browser has it when everything has run."""
    return _asked(url, folder, "--dump-dom").decode()


def corner(url: str, folder: Path) -> tuple[int, int, int]:
    """The colour of the page's first pixel, as it is painted."""
    picture = folder / "page.png"
    _asked(url, folder, f"--screenshot={picture}")
    return _first_pixel(picture.read_bytes())


def _asked(url: str, folder: Path, wanted: str) -> bytes:
    program = require_program("chromium", package="chromium")
    command = [str(program), *_FLAGS, f"--user-data-dir={folder / 'profile'}", wanted, url]
    return subprocess.run(command, capture_output=True, check=True, timeout=90).stdout


def _first_pixel(png: bytes) -> tuple[int, int, int]:
    """Of a PNG of 8 bits per channel: whatever filter its first row has, its first pixel is the
    bytes behind it, for there is nothing to the left of it and above."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        at += 12 + size
    _, red, green, blue, *_ = zlib.decompress(packed)
    return red, green, blue
