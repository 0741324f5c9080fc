"""The demo's folder: its configuration, its log, its store, and nobody else's files."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path

from driftwatch.errors import ConfigError, DriftwatchError

CONFIG, LOG, STORE = "config.yaml", "log.db", "store.db"

_LOCK = "demo.lock"
_ENDINGS = ("", "-wal", "-shm", "-journal")
_OWN = {CONFIG, _LOCK, *(f"{name}{end}" for name in (LOG, STORE) for end in _ENDINGS)}
_UNQUOTABLE = '?%"\\'


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone.

    DriftwatchError when it cannot be had: another demo runs in it, it holds files that are not the
    demo's (nothing is touched then), it cannot be written, or its name cannot stand in a URL.
    """
    if any(one in _UNQUOTABLE or not one.isprintable() for one in str(folder.absolute())):
        raise ConfigError(
            f"--folder {str(folder)!r}: a question mark, percent sign, quote, backslash or "
            "control character cannot stand in the URL of a SQLite file; choose another folder"
        )
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_strangers(folder)
            lock = stack.enter_context((folder / _LOCK).open("w"))
            _take(lock.fileno(), folder)
        except OSError as error:
            raise DriftwatchError(
                f"the demo cannot use the folder {folder}: {error.strerror or error}; choose "
                "another with --folder"
            ) from error
        yield


def write_config(folder: Path, listen: str) -> None:
    """The configuration of the demo, with absolute paths: it serves from wherever one stands."""
    template = resources.files("driftwatch.demo").joinpath(CONFIG).read_text("utf-8")
    # What is interpolated doubles its dollars.
    place = folder.absolute().as_posix().replace("$", "$$")
    path = folder / CONFIG
    path.write_text(template.format(folder=place, listen=listen.replace("$", "$$")), "utf-8")


def _refuse_strangers(folder: Path) -> None:
    found = {one.name for one in folder.iterdir()}
    # A folder of somebody's own configuration looks like a demo's; the lock tells them apart.
    strangers = found - _OWN or (found if _LOCK not in found else set())
    if strangers:
        some = ", ".join(sorted(strangers)[:3]) + (" ..." if len(strangers) > 3 else "")
        raise DriftwatchError(
            f"the folder {folder} holds files that are not the demo's ({some}); nothing was "
            "touched. Choose an empty or a new folder with --folder"
        )


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DriftwatchError(
            f"another demo runs in the folder {folder}; stop it, or choose another folder with "
            "--folder (and another port with --listen)"
        ) from error
