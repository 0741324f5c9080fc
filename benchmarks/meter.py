"""What a piece of work costs: wall clock, CPU of this process, CPU of a server, peak memory."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """One piece of work. Memory in MB (1e6 bytes): the peak of the process, and what it held before
    the work began (the interpreter and its libraries)."""

    wall_seconds: float
    client_cpu_seconds: float
    peak_mb: float
    before_mb: float


def measure(work: Callable[[], object]) -> Cost:
    """Do the work once. The peak is that of the whole process: use a fresh one for each."""
    before = _memory_mb("VmRSS")
    cpu, wall = _own_cpu_seconds(), time.perf_counter()
    work()
    return Cost(
        wall_seconds=time.perf_counter() - wall,
        client_cpu_seconds=_own_cpu_seconds() - cpu,
        peak_mb=_memory_mb("VmHWM"),
        before_mb=before,
    )


def _own_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(f"the kernel does not say {name}")


def tree_cpu_seconds(pid: int) -> float:
    """CPU that a process, its children and those of them that have ended have used (in steps of
    10 ms): a PostgreSQL server with its backends and parallel workers."""
    processes = dict(_processes())
    total, left = 0.0, [pid]
    while left:
        one = left.pop()
        if one in processes:
            total += processes[one].own + processes[one].reaped
            left += [child for child, found in processes.items() if found.parent == one]
    return total


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    own: float
    reaped: float


def _processes() -> list[tuple[int, _Process]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue  # it has ended meanwhile
        fields = text.rpartition(")")[2].split()
        user, system, reaped_user, reaped_system = (int(one) / _TICKS for one in fields[11:15])
        process = _Process(int(fields[1]), user + system, reaped_user + reaped_system)
        found.append((int(path.parent.name), process))
    return found
