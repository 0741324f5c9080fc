"""Files that are written whole or not at all."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

_NOT_BESIDE = (errno.EACCES, errno.EBUSY, errno.EPERM)
"""No file may be made beside it, or it is mounted by itself, as in a container."""


def write_whole(file: Path, text: str) -> None:
    """Write or replace a file. What reads it takes the half that a full disk leaves, and alerts are
    gone.

    OSError: the file is as it was.
    """
    there = Path(os.path.realpath(file))
    if there.exists() and not there.is_file():  # a pipe, a device
        file.write_text(text, encoding="utf-8")
        return
    made = there.with_name(f".{there.name}.new")
    try:
        made.write_text(text, encoding="utf-8")
        if there.exists():
            shutil.copymode(there, made)
        made.replace(there)
    except OSError as error:
        with suppress(OSError):
            made.unlink()
        if error.errno not in _NOT_BESIDE:
            raise
        file.write_text(text, encoding="utf-8")
