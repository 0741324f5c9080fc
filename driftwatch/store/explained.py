"""How much of the change of a flagged prediction each feature explains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from driftwatch.store.schema import ALL_ROWS_FLAGGED, explained_share, latest_result, result
from driftwatch.verdict.policy import Verdict

_FLAGGED = (Verdict.WARNING, Verdict.CRITICAL)


@dataclass(frozen=True, slots=True)
class ExplainedShare:
    """share: 0..1 of the prediction's change, 0 where it is not applicable: the prediction did
    not change beyond what sampling does, on its coarse axis."""

    feature: str
    share: float
    applicable: bool


@dataclass(frozen=True, slots=True)
class WindowResult:
    """A result of all rows over one window, by the newest reference."""

    id: int
    window_seconds: int
    window_start: datetime
    window_end: datetime
    flagged: bool


def flagged_over(
    connection: Connection, monitor: str, window_seconds: int, window_end: datetime
) -> set[str]:
    """The features whose result of all rows over one window is flagged, by the newest reference."""
    newer = result.alias("newer")
    same = ("monitor", "feature", "segment", "window_seconds", "window_end")
    statement = sa.select(result.c.feature).where(
        ALL_ROWS_FLAGGED,
        result.c.monitor == monitor,
        result.c.window_seconds == window_seconds,
        result.c.window_end == window_end,
        ~sa.exists().where(
            *(newer.c[name] == result.c[name] for name in same),
            newer.c.reference_version > result.c.reference_version,
        ),
    )
    return set(connection.scalars(statement))


def results_over(
    connection: Connection, monitor: str, feature: str, windows: set[tuple[int, datetime]]
) -> list[WindowResult]:
    """Results of one feature over these windows (length and end), oldest first."""
    found: dict[tuple[int, datetime], WindowResult] = {}
    for seconds in sorted({length for length, _ in windows}):
        ends = [end for length, end in windows if length == seconds]
        statement = (
            sa.select(result.c.id, result.c.window_start, result.c.window_end, result.c.verdict)
            .where(
                result.c.monitor == monitor,
                result.c.feature == feature,
                result.c.segment == "",
                result.c.window_seconds == seconds,
                result.c.window_end.between(min(ends), max(ends)),
            )
            .order_by(result.c.window_end, result.c.reference_version)
        )
        for row in connection.execute(statement):
            if (seconds, row.window_end) in windows:
                found[seconds, row.window_end] = WindowResult(
                    row.id, seconds, row.window_start, row.window_end, row.verdict in _FLAGGED
                )
    return list(found.values())


def replace(connection: Connection, shares: Mapping[int, Sequence[ExplainedShare]]) -> None:
    """Let these results (by id) have these shares, and no others."""
    if not shares:
        return
    ids = sorted(shares)
    connection.execute(sa.delete(explained_share).where(explained_share.c.result_id.in_(ids)))
    values = [
        {
            "result_id": result_id,
            "feature": one.feature,
            "share": one.share,
            "applicable": one.applicable,
        }
        for result_id in ids
        for one in shares[result_id]
    ]
    if values:
        connection.execute(sa.insert(explained_share), values)


def of_result(connection: Connection, result_id: int) -> list[ExplainedShare]:
    """The shares of one result, the greatest first; empty where none were kept."""
    statement = _SHARES.where(explained_share.c.result_id == result_id)
    return [ExplainedShare(*row[1:]) for row in connection.execute(statement)]


def latest(connection: Connection, monitor: str) -> dict[int, list[ExplainedShare]]:
    """The shares of the newest results of a monitor, by the id of the result."""
    statement = _SHARES.join(
        latest_result, latest_result.c.result_id == explained_share.c.result_id
    ).where(latest_result.c.monitor == monitor)
    found: dict[int, list[ExplainedShare]] = {}
    for result_id, *share in connection.execute(statement):
        found.setdefault(result_id, []).append(ExplainedShare(*share))
    return found


_SHARES = sa.select(
    explained_share.c.result_id,
    explained_share.c.feature,
    explained_share.c.share,
    explained_share.c.applicable,
).order_by(explained_share.c.share.desc(), explained_share.c.feature)
