"""A shell in which the commands of a page are run as a reader types them: one after another, with
what they set and where they went kept."""

import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ENDED = "--- the commands have ended ---"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Shell:
    """A running bash that stops at the first command that fails."""

    process: subprocess.Popen[str]
    folder: Path

    def run(self, commands: str) -> str:
        """What these commands say, errors too; AssertionError with it where one of them fails."""
        script = self.folder / "commands.sh"
        script.write_text(commands, encoding="utf-8")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # Read from a file, so that no command takes the ones that follow for its input.
        self.process.stdin.write(f". {script} </dev/null\necho; echo '{_ENDED}'\n")
        self.process.stdin.flush()
        said: list[str] = []
        for line in self.process.stdout:
            if line.strip() == _ENDED:
                return "".join(said)
            said.append(line)
        raise AssertionError(f"a command failed, of:\n{commands}\nthey said:\n{''.join(said)}")


@contextmanager
def shell(folder: Path, where: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """A shell that begins in `where`; scripts lie in `folder`. What it left running is ended by
    whoever started it."""
    with subprocess.Popen(
        ["bash", "--noprofile", "--norc", "-e", "-u", "-o", "pipefail"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=where,
        env=dict(environment),
    ) as process:
        try:
            yield Shell(process, folder)
        finally:
            process.send_signal(signal.SIGKILL)


def missing(shown: str, said: str) -> list[str]:
    """The lines of an excerpt that the output does not have in the same order.

    Any number stands for any other, and `...` at the end of a line for the rest of it.
    """
    lines = iter(said.splitlines())
    return [
        line
        for line in shown.splitlines()
        if not any(_pattern(line).fullmatch(one.strip()) for one in lines)
    ]


def _pattern(line: str) -> re.Pattern[str]:
    start, elided, _ = line.strip().partition("...")
    return re.compile(_NUMBER.sub(r"\\d+", re.escape(start)) + (".*" if elided else ""))
