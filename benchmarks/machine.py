"""On what was measured: enough to compare with another machine, nothing that names this one."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import driftwatch

_LIBRARIES = ("numpy", "pandas", "SQLAlchemy", "psycopg", "prometheus_client")


def describe(postgres: str = "") -> dict[str, str]:
    """Machine and versions. postgres: the version of the server, "" if none was measured."""
    found = {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "RAM": f"{_memory_gib():.0f} GiB",
        "OS": f"{_os_name()}, Linux {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": postgres,
        **{name: version(name) for name in _LIBRARIES},
        "driftwatch": driftwatch.__version__,
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    return {name: value for name, value in found.items() if value}


def load() -> float:
    """Processes that wanted to run in the last minute, our own included."""
    return round(os.getloadavg()[0], 2)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
