"""Whether the columns are there by which `version` and `segments` tell rows apart.

They have no counts of their own. A result says that one cannot be read, for as long as that is so,
and one that it can be read again: its alert is that of any column that is not counted.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from driftwatch.alert.policy import AlertKind, AlertState
from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate import sentence
from driftwatch.evaluate.judge import Seen
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.memory import Memory
from driftwatch.evaluate.rows import plain_row
from driftwatch.stats.counts import ColumnTrouble
from driftwatch.verdict.judge import Judgement
from driftwatch.verdict.policy import Reason, Verdict


def judge_grouping(
    memory: Memory,
    monitor: MonitorSettings,
    windows: Sequence[Seen],
    troubles: Mapping[str, ColumnTrouble],
    now: datetime,
) -> Iterator[Judged]:
    """Results of these columns over the shortest windows, mostly none. windows: of all rows."""
    shortest = [one for one in windows if one.look.window.seconds == min(monitor.window_seconds)]
    names = monitor.grouped_by
    if not names or not shortest:
        return
    alarmed = {
        key.feature
        for key, status in memory.statuses().items()
        if key.kind is AlertKind.COLUMN and status.state is AlertState.FIRING
    }
    for seen in shortest:
        for name in names:
            if name in troubles:
                trouble = troubles[name]
                judgement = _judgement(Verdict.ERROR, Reason(trouble.reason))
                yield _judged(monitor, name, seen, judgement, trouble.message, now)
            elif name in alarmed:
                judgement = _judgement(Verdict.OK, Reason.WITHIN_THRESHOLD)
                yield _judged(monitor, name, seen, judgement, sentence.told_apart_again(name), now)


def _judgement(verdict: Verdict, reason: Reason) -> Judgement:
    return Judgement(verdict, reason, math.nan, above_clear=False)


def _judged(
    monitor: MonitorSettings,
    name: str,
    seen: Seen,
    judgement: Judgement,
    message: str,
    now: datetime,
) -> Judged:
    row = plain_row(
        monitor, name, seen.look, judgement,
        message=message, rows=seen.counts.rows, reference=(0, 0), now=now,
    )  # fmt: skip
    return Judged(row)
