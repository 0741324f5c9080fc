"""What was compared with what, and when: references as they followed each other in event time.

A change that was accepted, and a version that got a reference of its own, begin where the rows end
that they were counted of. Of a reference that was captured for any other reason the store does not
say from which window on it served: it stands for all that came before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from driftwatch.config.settings import MonitorSettings
from driftwatch.evaluate.basis import Basis, reference_rows
from driftwatch.store import references
from driftwatch.store.references import ReferenceRecord
from driftwatch.store.schema import ReferenceOrigin
from driftwatch.verdict.policy import VOLUME

ColumnOf = tuple[str, str]
"""A column and a segment ("": all rows)."""

_BEGINS = (ReferenceOrigin.ACCEPT, ReferenceOrigin.VERSION)


@dataclass(frozen=True, slots=True)
class Era:
    """The basis from a moment on (None: from the beginning), and whose reference is another one
    since then."""

    since: datetime | None
    basis: Basis
    renewed: frozenset[ColumnOf] = frozenset()


def eras(connection: Connection, monitor: MonitorSettings, basis: Basis) -> list[Era]:
    """Oldest first; the last one is in use now."""
    chains = _chains(references.history(connection, basis.monitor_id))
    begins = {record.interval.end for chain in chains.values() for record in chain[1:]
              if record is not None and record.interval is not None}  # fmt: skip
    made = []
    for since in (None, *sorted(begins)):
        serving = {place: _at(chain, since) for place, chain in chains.items()}
        renewed = frozenset(
            place for place, record in serving.items() if since and _begins(record) == since
        )
        made.append(Era(since, _with(connection, monitor, basis, serving), renewed))
    return made


def _chains(
    records: Iterable[ReferenceRecord],
) -> dict[ColumnOf, list[ReferenceRecord | None]]:
    """By column and segment: what served from the beginning (None: nothing did), and what followed
    it up to the active one, oldest first."""
    found: dict[ColumnOf, list[ReferenceRecord]] = {}
    for record in records:
        found.setdefault((record.column, record.segment), []).append(record)
    return {place: _chain(some) for place, some in found.items()}


def _chain(records: Sequence[ReferenceRecord]) -> list[ReferenceRecord | None]:
    """records: in the order of versions."""
    at = next((n for n, one in enumerate(records) if one.active), None)
    if at is None:
        return [None]
    chain: list[ReferenceRecord | None] = []
    for record in reversed(records[: at + 1]):
        began, later = _begins(record), _begins(chain[0]) if chain else None
        if began is not None and later is not None and began >= later:
            continue
        chain.insert(0, record)
        if began is None:
            return chain
    return [None, *chain]


def _begins(record: ReferenceRecord | None) -> datetime | None:
    if record is None or record.interval is None or record.origin not in _BEGINS:
        return None
    return record.interval.end


def _at(chain: Sequence[ReferenceRecord | None], since: datetime | None) -> ReferenceRecord | None:
    serving = chain[0]
    for record in chain[1:]:
        began = _begins(record)
        if since is not None and began is not None and began <= since:
            serving = record
    return serving


def _with(
    connection: Connection,
    monitor: MonitorSettings,
    basis: Basis,
    serving: Mapping[ColumnOf, ReferenceRecord | None],
) -> Basis:
    own: dict[str, dict[str, ReferenceRecord]] = {}
    for (column, segment), record in serving.items():
        if record is not None:
            own.setdefault(segment, {})[column] = record
    of_all = own.pop("", {})
    volume = of_all.get(VOLUME)
    rows = basis.reference_rows
    if volume != basis.references.get(VOLUME):
        rows = reference_rows(connection, monitor, basis.monitor_id, volume)
    return replace(basis, references=of_all, segment_references=own, reference_rows=rows)
