"""Results: one row per monitor, feature, segment, window length, window end and reference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from math import isnan, nan
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.stats.kind import ChangeKind
from driftwatch.store.dialect import insert_into
from driftwatch.store.schema import ALL_ROWS_FLAGGED, latest_result, result, result_bin
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.policy import Measure, Reason, Verdict
from driftwatch.window import Interval

T = TypeVar("T")


class Series(NamedTuple):
    """What results follow each other in: one feature over windows of one length."""

    monitor: str
    feature: str
    segment: str
    window_seconds: int


class ResultKey(NamedTuple):
    """The natural key of a result."""

    monitor: str
    feature: str
    segment: str
    window_seconds: int
    window_end: datetime
    reference_version: int

    @property
    def series(self) -> Series:
        return Series(*self[:4])


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """What was found of one feature in one window; NaN is "not known" and stored as NULL.

    segment: "" for all rows; window_seconds: the configured length, which `window_start` may lie
    further back than; reference_version: 0 where there is no reference; axis_version: None for the
    volume; divergences in the units and directions that `convention` states; measure: what `value`
    is and the thresholds limit, None for the volume (rows over the reference's median); effect,
    detectable_effect and wobble in equivalent standard deviations; alpha: what `p_value` was held
    against, its share for this length of window; inflation: how much more the reference's own
    windows vary than sampling alone; caveats: see `stats.null`; change, next_step: the kind of
    change of what is flagged, and where to look, None where it is not; change_share: how much of
    the change that kind explains, 0..1; explanation: all that in one sentence;
    compared_with: what the reference was, in words; excluded: why this window pages nobody and
    teaches nothing, "" where it does.
    """

    monitor: str
    feature: str
    segment: str = ""
    window_seconds: int
    window_start: datetime
    window_end: datetime
    reference_version: int = 0
    axis_version: int | None = None
    rows: int = 0
    missing_rows: int = 0
    unseen_rows: int = 0
    infinite_rows: int = 0
    reference_rows: int = 0
    mean: float = nan
    standard_deviation: float = nan
    kl: float = nan
    kl_reverse: float = nan
    js: float = nan
    js_distance: float = nan
    psi: float = nan
    hellinger: float = nan
    total_variation: float = nan
    l_infinity: float = nan
    ks: float = nan
    entropy: float = nan
    cross_entropy: float = nan
    perplexity: float = nan
    js_noise: float = nan
    js_guard: float = nan
    measure: Measure | None = None
    value: float = nan
    threshold_warning: float = nan
    threshold_critical: float = nan
    effect: float = nan
    detectable_effect: float = nan
    p_value: float = nan
    adjusted_p: float = nan
    inflation: float = nan
    wobble: float = nan
    alpha: float = nan
    caveats: str = ""
    change: ChangeKind | None = None
    change_share: float = nan
    next_step: NextStep | None = None
    explanation: str = ""
    convention: str = ""
    compared_with: str = ""
    excluded: str = ""
    verdict: Verdict
    reason: Reason
    message: str = ""
    evaluated_at: datetime

    @property
    def key(self) -> ResultKey:
        return ResultKey(
            self.monitor,
            self.feature,
            self.segment,
            self.window_seconds,
            self.window_end,
            self.reference_version,
        )

    @property
    def flagged(self) -> bool:
        return self.verdict in _FLAGGED


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """A stored result. revision: 1, and one more for each time its counts changed."""

    id: int
    revision: int
    row: ResultRow


@dataclass(frozen=True, slots=True)
class ResultBin:
    """One cell of a result's picture. js_contribution in nats and p_value, 0..1, of the cell alone;
    NaN where there is none. carries: whether the change lies in this cell, of what is flagged."""

    cell: int
    label: str
    current_rows: int
    reference_rows: int
    js_contribution: float = nan
    p_value: float = nan
    carries: bool = False


_FLAGGED = (Verdict.WARNING, Verdict.CRITICAL)
_NAMES = tuple(field.name for field in fields(ResultRow))
_KEY = ResultKey._fields
# What follows from the counts: a change of these is a new revision. The rest follows from the
# configuration, too.
_COUNTED = _NAMES[_NAMES.index("axis_version") : _NAMES.index("measure")]
_COMPARED = tuple(name for name in _NAMES if name not in (*_KEY, "evaluated_at"))


def upsert(
    connection: Connection,
    results: Sequence[ResultRow],
    bins: Mapping[ResultKey, Sequence[ResultBin]] | None = None,
) -> int:
    """Store results and the bins of those that are flagged or the latest of their series.

    Returns how many results are new or changed; the others are not touched, `evaluated_at`
    included. Bins of a result that is not flagged go when a newer one of its series comes.
    """
    rows = {row.key: row for row in results}
    changed = _write(connection, list(rows.values()))
    before = _latest(connection, {key.monitor for key in rows})
    newest: dict[Series, ResultKey] = {}
    for key in changed:
        known = newest.get(key.series) or (before[key.series][0] if key.series in before else None)
        if known is None or _age(key) >= _age(known):
            newest[key.series] = key
    moved = {series: key for series, key in newest.items() if not _is(before, series, key)}
    _point(connection, moved, changed)
    displaced = [
        before[series][1] for series in moved if series in before and not before[series][2]
    ]
    kept = {key for key in changed if rows[key].flagged or newest.get(key.series) == key}
    _replace_bins(
        connection,
        [*displaced, *changed.values()],
        {changed[key]: found for key, found in (bins or {}).items() if key in kept},
    )
    return len(changed)


def latest(connection: Connection, monitor: str) -> list[ResultRecord]:
    """The newest result of each feature, segment and window length, in the order of these.

    Features that are not configured any more are among them: who shows results chooses.
    """
    statement = (
        sa.select(result)
        .join(latest_result, latest_result.c.result_id == result.c.id)
        .where(latest_result.c.monitor == monitor)
        .order_by(result.c.feature, result.c.segment, result.c.window_seconds)
    )
    return [_record(row) for row in connection.execute(statement).mappings()]


def history(
    connection: Connection,
    monitor: str,
    feature: str,
    window_seconds: int,
    since: datetime,
    *,
    segment: str = "",
) -> list[ResultRecord]:
    """Results of one series whose window ended after `since`, oldest first."""
    statement = (
        sa.select(result)
        .where(
            result.c.monitor == monitor,
            result.c.feature == feature,
            result.c.segment == segment,
            result.c.window_seconds == window_seconds,
            result.c.window_end > since,
        )
        .order_by(result.c.window_end, result.c.reference_version)
    )
    return [_record(row) for row in connection.execute(statement).mappings()]


def flagged_intervals(
    connection: Connection, monitor: str, window_seconds: int, since: datetime, until: datetime
) -> dict[str, list[Interval]]:
    """What was flagged by feature, in as few intervals as there can be, oldest first.

    Of all rows, over windows of this length that hold a part of [since, until), by the newest
    reference that they were judged by; without what was excluded.
    """
    newer = result.alias("newer")
    statement = (
        sa.select(result.c.feature, result.c.window_start, result.c.window_end)
        .where(
            ALL_ROWS_FLAGGED,
            result.c.excluded == "",
            result.c.monitor == monitor,
            result.c.window_seconds == window_seconds,
            result.c.window_end > since,
            result.c.window_start < until,
            ~sa.exists().where(
                *(newer.c[name] == result.c[name] for name in _KEY[:-1]),
                newer.c.reference_version > result.c.reference_version,
            ),
        )
        .order_by(result.c.window_start, result.c.window_end)
    )
    found: dict[str, list[Interval]] = {}
    for feature, start, end in connection.execute(statement):
        merged = found.setdefault(feature, [])
        if merged and start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Interval(start, end))
    return found


def mark_excluded(
    connection: Connection,
    monitor: str,
    feature: str,
    interval: Interval,
    reason: Callable[[str, Interval], str],
) -> int:
    """Let stored results over windows that touch an interval say why they page nobody.

    feature: "" for all; reason: gives it for a feature and a window, "" where it may page. Returns
    how many results changed; their counts did not, so their revision stays.
    """
    touched = sa.select(
        result.c.id, result.c.feature, result.c.window_start, result.c.window_end, result.c.excluded
    ).where(
        result.c.monitor == monitor,
        result.c.window_end > interval.start,
        result.c.window_start < interval.end,
        *([result.c.feature == feature] if feature else []),
    )
    by_reason: dict[str, list[int]] = {}
    for number, name, start, end, before in connection.execute(touched):
        now = reason(name, Interval(start, end))
        if now != before:
            by_reason.setdefault(now, []).append(number)
    for text, numbers in by_reason.items():
        for some in _parts(numbers, 10_000):
            connection.execute(sa.update(result).where(result.c.id.in_(some)).values(excluded=text))
    return sum(map(len, by_reason.values()))


def carrying(
    connection: Connection,
    monitor: str,
    feature: str,
    window_seconds: int,
    window_end: datetime,
) -> list[ResultRecord]:
    """The segments of one window, what is flagged first, then by `js_distance`, greatest first;
    those without one last. Of each segment the newest reference."""
    statement = (
        sa.select(result)
        .where(
            result.c.monitor == monitor,
            result.c.feature == feature,
            result.c.window_seconds == window_seconds,
            result.c.window_end == window_end,
            result.c.segment != "",
        )
        .order_by(result.c.segment, result.c.reference_version)
    )
    rows = connection.execute(statement).mappings()
    newest = {record.row.segment: record for record in map(_record, rows)}
    return sorted(newest.values(), key=lambda one: _strength(one.row), reverse=True)


def _strength(row: ResultRow) -> tuple[bool, float]:
    return row.flagged, -1.0 if isnan(row.js_distance) else row.js_distance


def bins_of(connection: Connection, result_id: int) -> list[ResultBin]:
    """The picture of a result, in cell order; empty where it is not kept (any more)."""
    statement = (
        sa.select(
            result_bin.c.cell,
            result_bin.c.label,
            result_bin.c.current_rows,
            result_bin.c.reference_rows,
            result_bin.c.js_contribution,
            result_bin.c.p_value,
            result_bin.c.carries,
        )
        .where(result_bin.c.result_id == result_id)
        .order_by(result_bin.c.cell)
    )
    return [ResultBin(*row) for row in connection.execute(statement)]


def _write(connection: Connection, rows: Sequence[ResultRow]) -> dict[ResultKey, int]:
    """Insert or update; the keys and ids of what is new or changed."""
    if not rows:
        return {}
    insert = insert_into(connection, result)
    new = insert.excluded
    recounted = sa.or_(*(result.c[name].is_distinct_from(new[name]) for name in _COUNTED))
    statement = insert.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={
            **{name: new[name] for name in (*_COMPARED, "evaluated_at")},
            "revision": result.c.revision + sa.case((recounted, 1), else_=0),
        },
        where=sa.or_(*(result.c[name].is_distinct_from(new[name]) for name in _COMPARED)),
    ).returning(result.c.id, *(result.c[name] for name in _KEY))
    values = [{name: getattr(row, name) for name in _NAMES} | {"revision": 1} for row in rows]
    return {ResultKey(*row[1:]): row[0] for row in connection.execute(statement, values)}


def _latest(
    connection: Connection, monitors: set[str]
) -> dict[Series, tuple[ResultKey, int, bool]]:
    """Key, id and "is flagged" of the latest result of each series."""
    keys = [latest_result.c[name] for name in _KEY]
    statement = (
        sa.select(*keys, result.c.id, result.c.verdict)
        .join(result, latest_result.c.result_id == result.c.id)
        .where(latest_result.c.monitor.in_(monitors))
    )
    found = {}
    for *key, result_id, verdict in connection.execute(statement):
        known = ResultKey(*key)
        found[known.series] = (known, result_id, verdict in _FLAGGED)
    return found


def _age(key: ResultKey) -> tuple[datetime, int]:
    return key.window_end, key.reference_version


def _is(
    before: Mapping[Series, tuple[ResultKey, int, bool]], series: Series, key: ResultKey
) -> bool:
    return series in before and before[series][0] == key


def _point(
    connection: Connection, moved: Mapping[Series, ResultKey], ids: Mapping[ResultKey, int]
) -> None:
    """Let the series point at their new latest results, unless somebody was newer still."""
    if not moved:
        return
    insert = insert_into(connection, latest_result)
    new = insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=list(Series._fields),
        set_={name: new[name] for name in ("result_id", "window_end", "reference_version")},
        where=sa.or_(
            new.window_end > latest_result.c.window_end,
            sa.and_(
                new.window_end == latest_result.c.window_end,
                new.reference_version > latest_result.c.reference_version,
            ),
        ),
    )
    values = [key._asdict() | {"result_id": ids[key]} for key in moved.values()]
    connection.execute(statement, values)


def _replace_bins(
    connection: Connection, stale: Sequence[int], bins: Mapping[int, Sequence[ResultBin]]
) -> None:
    for some in _parts(stale, 10_000):
        connection.execute(sa.delete(result_bin).where(result_bin.c.result_id.in_(some)))
    values = [
        {
            "result_id": result_id,
            "cell": found.cell,
            "label": found.label,
            "current_rows": found.current_rows,
            "reference_rows": found.reference_rows,
            "js_contribution": found.js_contribution,
            "p_value": found.p_value,
            "carries": found.carries,
        }
        for result_id, of_result in bins.items()
        for found in of_result
    ]
    if values:
        connection.execute(sa.insert(result_bin), values)


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _record(row: Mapping[Any, Any]) -> ResultRecord:
    return ResultRecord(
        row["id"], row["revision"], ResultRow(**{name: row[name] for name in _NAMES})
    )
