"""The first scan: all rows of the log, all columns, beside pandas.read_sql with numpy.

Every way has a process of its own; the ways take turns, each repetition in another order, and their
counts must be equal cell by cell.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contestants import WAYS
from benchmarks.databases import Database
from benchmarks.floor import FUNCTIONS
from benchmarks.meter import Cost

FLOORS = tuple(f"floor {function}" for function in FUNCTIONS)
ORDER = (*FLOORS, *WAYS)


@dataclass(frozen=True, slots=True)
class FirstScan:
    """One way, once. Seconds and MB as in `Cost`; server_cpu: the server with its workers."""

    database: str
    log_rows: int
    way: str
    wall: float
    client_cpu: float
    server_cpu: float
    peak_mb: float
    before_mb: float

    @property
    def cpu(self) -> float:
        return self.client_cpu + self.server_cpu


def measure_first_scan(database: Database, repetitions: int) -> list[FirstScan]:
    """The fit of the axes once, then every way as often as asked.

    RuntimeError: two ways did not count the same.
    """
    with tempfile.TemporaryDirectory(prefix="driftwatch-benchmarks-scan-") as name:
        folder = Path(name)
        found = [_go(database, "fit", folder)]
        for repetition in range(repetitions):
            turned = [*ORDER[repetition % len(ORDER) :], *ORDER[: repetition % len(ORDER)]]
            found += [_go(database, way, folder) for way in turned]
        _compare(folder)
    return found


def _go(database: Database, way: str, folder: Path) -> FirstScan:
    before = database.server_cpu_seconds()
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.contestants", way, database.name, database.url,
            str(folder / "axes.pickle"), str(_counts_file(folder, way)),
        ],
        check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    cost = Cost(**json.loads(done.stdout))
    return FirstScan(
        database=database.name,
        log_rows=database.rows,
        way=way,
        wall=cost.wall_seconds,
        client_cpu=cost.client_cpu_seconds,
        server_cpu=database.server_cpu_seconds() - before,
        peak_mb=cost.peak_mb,
        before_mb=cost.before_mb,
    )


def _counts_file(folder: Path, way: str) -> Path:
    return folder / f"{way.replace(', ', '-').replace(' ', '-')}.npz"


def _compare(folder: Path) -> None:
    files: Sequence[Path] = [_counts_file(folder, way) for way in WAYS]
    first, *others = [dict(np.load(path)) for path in files]
    for path, other in zip(files[1:], others, strict=True):
        for name, counts in first.items():
            if not np.array_equal(counts, other[name]):
                raise RuntimeError(f"{path.stem} counted {name} otherwise than driftwatch")
