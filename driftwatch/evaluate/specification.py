"""What is compared with, as it is configured: as text that is kept with a captured reference."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    MonitorSettings,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    TableReference,
)
from driftwatch.evaluate.definition import rows_of
from driftwatch.evaluate.progress import first_moment
from driftwatch.verdict.policy import VOLUME
from driftwatch.window import Interval, floor

Moving = RollingReference | SeasonalReference | CohortReference
"""References that are summed from the ledger for each window."""

_WEEK = timedelta(weeks=1)
_COHORT_SPAN = timedelta(days=28)
"""A cohort's axes are fitted to so much of its rows, before anything is judged."""


def reference_of(monitor: MonitorSettings, name: str) -> ReferenceSettings:
    """What a feature, or the volume, is compared with."""
    if name == VOLUME:
        return monitor.reference
    feature = next(one for one in monitor.features if one.name == name)
    return monitor.reference_of(feature)


def specification(reference: ReferenceSettings) -> str:
    """JSON with sorted keys. Equal text: a reference that was captured serves what is configured.

    >>> specification(RollingReference(86400))
    '{"rolling": 86400}'
    """
    return json.dumps(_parts(reference), sort_keys=True, ensure_ascii=False)


def _parts(reference: ReferenceSettings) -> dict[str, object]:
    match reference:
        case Interval():
            return {"from": reference.start.isoformat(), "to": reference.end.isoformat()}
        case RollingReference():
            return {"rolling": reference.seconds}
        case SeasonalReference():
            return {"seasonal": reference.weeks}
        case CohortReference():
            return {"cohort": reference.where.strip()}
        case TableReference():
            source = reference.source.name if reference.source else None
            return {"rows": rows_of(reference.relation), "source": source}
        case FileReference():
            return {"file": str(reference.path)}


def cohort_key(reference: CohortReference) -> str:
    """The segment that keeps a cohort's counts.

    >>> cohort_key(CohortReference("model = 'champion'"))
    '@cohort-fd4342a7'
    """
    digest = blake2b(reference.where.strip().encode(), digest_size=4).hexdigest()
    return f"@cohort-{digest}"


def cohort_relation(monitor: MonitorSettings, reference: CohortReference) -> RelationSettings:
    """The rows of a cohort: those of the monitor's table for which its own `where` is true."""
    return replace(monitor.relation, where=reference.where)


def bootstrap(
    monitor: MonitorSettings, reference: Moving, now: datetime, watermark: datetime | None
) -> Interval:
    """The rows to which a moving reference's axes are fitted: those before what is judged next."""
    begin = floor(watermark or first_moment(monitor, now), monitor.pane_seconds)
    match reference:
        case RollingReference():
            span = timedelta(seconds=reference.seconds)
        case SeasonalReference():
            span = reference.weeks * _WEEK
        case CohortReference():
            span = max(_COHORT_SPAN, timedelta(seconds=max(monitor.window_seconds)))
    return Interval(floor(begin - span, monitor.pane_seconds), begin)
