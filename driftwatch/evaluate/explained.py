"""How much of the drift of a flagged prediction each feature explains, from joint counts."""

from collections.abc import Iterable, Mapping

import numpy as np
from sqlalchemy import Connection

from driftwatch.config.settings import Exclusion, MonitorSettings
from driftwatch.evaluate.compare import Look, Past, past_of, reference_pieces
from driftwatch.evaluate.joint_capture import moves
from driftwatch.evaluate.judged import Judged
from driftwatch.evaluate.memory import Stored
from driftwatch.evaluate.prepare import Prepared
from driftwatch.evaluate.versions import prediction
from driftwatch.stats.counts import IntArray
from driftwatch.stats.joint import explained_share
from driftwatch.store import explained, joint
from driftwatch.store.explained import ExplainedShare
from driftwatch.window import Interval, Window


def explained_shares(
    connection: Connection, monitor: MonitorSettings, prepared: Prepared, look: Look, past: Past
) -> list[ExplainedShare]:
    """The shares of one window, of all rows: the greatest first; of features that were counted
    together with the prediction in all of the window, and of which the reference has joint counts.
    """
    plan = prepared.joint
    if plan is None:
        return []
    now = joint.sum_pieces(connection, plan.axes, [look.span])
    before = _reference(connection, monitor, prepared, look, past)
    names = [
        name for name, one in now.items() if one.seconds == look.span.seconds and name in before
    ]
    if not names:
        return []
    current = _stacked([now[name].cells for name in names])
    reference = _stacked([before[name] for name in names])
    cells = np.array([len(now[name].cells) for name in names])
    found = explained_share(current, reference, cells)
    shares = [
        ExplainedShare(name, float(share), bool(applicable))
        for name, share, applicable in zip(names, found.share, found.applicable, strict=True)
    ]
    return sorted(shares, key=lambda one: (-one.share, one.feature))


def explain_predictions(
    connection: Connection,
    monitor: MonitorSettings,
    prepared: Prepared,
    judged: Iterable[Judged],
    excluded: tuple[Exclusion, ...],
) -> None:
    """Note the shares of every flagged result of the prediction over windows that have just been
    judged, be it for the prediction or for a feature whose rows were joined later; results that
    are not flagged (any more) have none."""
    if prepared.joint is None:
        return
    windows = {
        (one.row.window_seconds, one.row.window_end) for one in judged if not one.row.segment
    }
    name = prediction(monitor).name
    shares: dict[int, list[ExplainedShare]] = {}
    for one in explained.results_over(connection, monitor.name, name, windows):
        shares[one.id] = []
        if one.flagged:
            span = Interval(one.window_start, one.window_end)
            look = Look(Window(one.window_seconds, span), span)
            past = past_of(Stored(connection, monitor), monitor, excluded, [look])
            shares[one.id] = explained_shares(connection, monitor, prepared, look, past)
    explained.replace(connection, shares)


def _reference(
    connection: Connection, monitor: MonitorSettings, prepared: Prepared, look: Look, past: Past
) -> Mapping[str, IntArray]:
    """Joint counts of what the prediction is compared with; of a reference that moves, of as much
    as was counted."""
    plan, own = prepared.joint, prediction(monitor)
    record = prepared.references.get(own.name)
    if plan is None or record is None:
        return {}
    if moves(monitor, own.name):
        pieces = reference_pieces(monitor, prepared, own, look, past)
        found = joint.sum_pieces(connection, plan.axes, pieces)
        return {name: one.cells for name, one in found.items() if one.seconds}
    if record.axis_id != plan.axes.prediction.id:
        return {}
    return joint.of_reference(connection, plan.axes, record.id)


def _stacked(tables: list[IntArray]) -> IntArray:
    """Shape (F, Kx, Ky), padded along x."""
    wide = max(len(one) for one in tables)
    return np.stack([np.pad(one, ((0, wide - len(one)), (0, 0))) for one in tables])
