"""The first signal asks for an orderly end, the second does not ask."""

import os
import signal
import subprocess
import sys

import pytest

from driftwatch.daemon.signals import stop_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_sets_the_event_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(2)
    assert signal.getsignal(number) is before


_IGNORES = """
import os, signal
from driftwatch.daemon.signals import stop_signals
with stop_signals() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    stop.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    print("still here")
"""


def test_the_second_signal_ends_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", _IGNORES], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (128 + signal.SIGTERM, b"")
