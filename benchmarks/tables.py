"""From what was measured to Markdown: medians, with the least and the most in brackets."""

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.exposition import Scrape
from benchmarks.first_scan import FLOORS, FirstScan
from benchmarks.floor import statement
from benchmarks.tick import WINDOWS, Tick

STAGES = ("scan", "store", "judge", "whole", "publish")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Iterable[float], *, scale: float = 1.0, digits: int = 1) -> str:
    """The median and the extremes.

    >>> spread([0.003, 0.001, 0.002], scale=1000)
    '2.0 (1.0-3.0)'
    """
    found = sorted(value * scale for value in values)
    low, middle, high = (f"{one:,.{digits}f}" for one in (found[0], median(found), found[-1]))
    return f"{middle} ({low}-{high})"


def ratio(values: Iterable[float], floors: Iterable[float]) -> str:
    """Median over median: the pairs are of the same rows, one after another."""
    return f"{median(values) / median(floors):.1f}"


def tick_page(ticks: Sequence[Tick]) -> str:
    """The tables of the ticks."""
    logs = list(dict.fromkeys((one.database, one.log_rows) for one in ticks))
    return "\n\n".join(
        [
            "# A tick: one 5-minute pane of 21 columns",
            "Milliseconds of wall clock. The floor is the store's own look at the rows of the pane "
            f"by the same index: `{_floor_text()}`, and the same with `max`.",
            "## Against the floor: windows of 1 hour, 1, 7 and 30 days at once",
            _against_floor(ticks, logs, "ordinary"),
            "The same when the pane ends a window of every length: four windows are summed and "
            "judged, 88 results and their pictures stored.",
            _against_floor(ticks, logs, "windows end"),
            "## By window: a longer one costs no more",
            "A whole evaluation, without `publish`. In each row one length of windows is "
            "configured, the ledger always holds 30 days. Ordinary: no window ends with the pane. "
            "At a window's end its panes are summed and judged.",
            _by_window(ticks, logs),
            "## Where a tick goes",
            "scan: the statement over the source. store: reading and writing driftwatch's own "
            "tables, roll-ups of hours and days included. judge: summing the windows and judging "
            "them. whole: the evaluation, commit included. publish: rendering its metrics, "
            "afterwards. Four lengths of windows.",
            _stages(ticks, logs),
        ]
    )


def _floor_text() -> str:
    whole = statement("count", "?")
    return whole.replace(whole[whole.index(", count(x01)") : whole.index(" FROM")], ", ...")


Log = tuple[str, int]


def _chosen(ticks: Sequence[Tick], log: Log, windows: str, kind: str) -> list[Tick]:
    return [
        one
        for one in ticks
        if (one.database, one.log_rows, one.windows, one.kind) == (*log, windows, kind)
    ]


def _against_floor(ticks: Sequence[Tick], logs: Sequence[Log], kind: str) -> str:
    head = [
        "store", "rows in 7 days", "rows in the pane", "floor: count", "floor: max", "scan",
        "scan / count", "scan / max", "whole tick", "tick / count", "tick / max",
    ]  # fmt: skip
    rows = []
    for log in logs:
        found = _chosen(ticks, log, "all four", kind)
        counted, looked = [t.floor_count for t in found], [t.floor_max for t in found]
        scan, whole = [t.scan for t in found], [t.whole for t in found]
        rows.append(
            [
                log[0], f"{log[1]:,}", f"{median(t.pane_rows for t in found):,.0f}",
                spread(counted, scale=1000, digits=2), spread(looked, scale=1000, digits=2),
                spread(scan, scale=1000), ratio(scan, counted), ratio(scan, looked),
                spread(whole, scale=1000), ratio(whole, counted), ratio(whole, looked),
            ]
        )  # fmt: skip
    return table(head, rows)


def _by_window(ticks: Sequence[Tick], logs: Sequence[Log]) -> str:
    head = ["store", "rows in 7 days", "windows", "ordinary tick", "tick at a window's end"]
    return table(
        head,
        (
            [log[0], f"{log[1]:,}", windows]
            + [
                spread((t.whole for t in _chosen(ticks, log, windows, kind)), scale=1000)
                for kind in ("ordinary", "windows end")
            ]
            for log in logs
            for windows in WINDOWS
        ),
    )


def _stages(ticks: Sequence[Tick], logs: Sequence[Log]) -> str:
    head = ["store", "rows in 7 days", "tick", "ticks", *STAGES]
    rows = []
    for log in logs:
        for kind in ("first", "ordinary", "windows end"):
            found = _chosen(ticks, log, "all four", kind)
            stages = [spread((getattr(t, s) for t in found), scale=1000) for s in STAGES]
            rows.append([log[0], f"{log[1]:,}", kind, str(len(found)), *stages])
    return table(head, rows)


def first_scan_page(found: Sequence[FirstScan]) -> str:
    """The tables of the first scan."""
    rows = max(one.log_rows for one in found)
    parts = [
        f"# The first scan: {rows:,} rows of 21 columns in 7 days",
        "Counts per hour and cell of every column on the same axes, equal cell by cell in all ways "
        "(this is checked in the run). Seconds; CPU is client and server together; peak memory of "
        "the client in MB, of which the interpreter and its libraries are "
        f"{spread((one.before_mb for one in found), digits=0)}. driftwatch also takes sums, "
        "squares, minima and maxima; pandas does not. `in parts`: 50,000 rows at a time. A new "
        "monitor fits its axes first, once, in the store: that row comes on top. The ways of "
        "pandas have no such row, they are given the axes.",
    ]
    for database in dict.fromkeys(one.database for one in found):
        parts += [f"## {database}", _scan_table([o for o in found if o.database == database])]
    return "\n\n".join(parts)


def _scan_table(found: Sequence[FirstScan]) -> str:
    by_way = {
        way: [one for one in found if one.way == way]
        for way in dict.fromkeys(one.way for one in found)
    }
    count, look = ([one.cpu for one in by_way[way]] for way in FLOORS)
    head = ["way", "wall", "CPU", "CPU / floor count", "CPU / floor max", "peak MB", "runs"]
    rows = [
        [
            way if way != "fit" else "fit of the axes (once per reference)",
            spread((one.wall for one in ones), digits=2),
            spread((one.cpu for one in ones), digits=2),
            ratio((one.cpu for one in ones), count), ratio((one.cpu for one in ones), look),
            spread((one.peak_mb for one in ones), digits=0),
            str(len(ones)),
        ]
        for way, ones in by_way.items()
    ]  # fmt: skip
    return table(head, rows)


def exposition_page(found: Sequence[Scrape]) -> str:
    """The table of the scrapes."""
    ways = dict.fromkeys(one.way for one in found)
    columns = (
        *("CPU ms", "of prometheus_client", "ms", "body MB"),
        *("allocated MB at the peak", "kept MB"),
    )
    peer = _cpu(found, next(iter(ways)))
    rows = []
    for way in ways:
        ones = [one for one in found if one.way == way]
        cpu = _cpu(found, way)
        rows.append(
            [
                way,
                spread(cpu, scale=1000) if cpu else "",
                f"{median(cpu) / median(peer):.4f}" if cpu else "",
                spread((one.wall_seconds for one in ones), scale=1000),
                f"{ones[0].body_mb:.1f}",
                spread((one.allocated_mb for one in ones), digits=0),
                f"{ones[0].kept_mb:.0f}",
            ]
        )
    return "\n\n".join(
        [
            f"# A scrape of {found[0].series:,} series",
            "Families, labels and values are equal on both sides (this is checked in the run). "
            "`driftwatch` serves bytes that were rendered and compressed after each evaluation, "
            "and renders the daemon's own metrics at each scrape. All but the text is gzip. CPU is "
            "that of the daemon's process, over HTTP with the server's part and without the "
            "client's; ms is what the client waits.",
            table(["way", *columns], rows),
        ]
    )


def _cpu(found: Sequence[Scrape], way: str) -> list[float]:
    return [one.cpu_seconds for one in found if one.way == way and one.cpu_seconds is not None]
