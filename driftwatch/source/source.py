"""A store of logs, read with SELECT alone."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import literal_column

from driftwatch.config.settings import FeatureSettings, RelationSettings, SourceSettings
from driftwatch.errors import SourceCancelledError, SourceError, SourceTimeoutError
from driftwatch.source.catalog import require_columns
from driftwatch.source.census import census
from driftwatch.source.connection import Connections
from driftwatch.source.fit import fit_features
from driftwatch.source.inspect import RelationInfo, explain, inspect_relation
from driftwatch.source.joint import joint
from driftwatch.source.kinds import KindProposal, propose_kinds
from driftwatch.source.link import Link, StatementError
from driftwatch.source.place import first, make_place
from driftwatch.source.plan import ScanPlan, make_plan
from driftwatch.source.quantile import RowReader
from driftwatch.source.ready import ready_until
from driftwatch.source.scan import ChangedError, queries, scan
from driftwatch.source.statement import ScanColumn
from driftwatch.source.updated import updated_panes
from driftwatch.source.values import LevelList, read_levels
from driftwatch.stats.axis import Axis
from driftwatch.stats.counts import ColumnTrouble, JointCounts, PaneCensus, PaneCounts
from driftwatch.stats.segment import Grouping
from driftwatch.window import Interval

_Found = TypeVar("_Found")


def open_source(settings: SourceSettings) -> "Source":
    """The source of these settings. Nothing is opened before it is used, so it may be down.

    ConfigError if its url is none that can be read.
    """
    return Source(settings)


class Source:
    """Inspects, fits and scans. Many threads may use it at once.

    Every method raises SourceError (SourceTimeoutError, SourceCancelledError) with the name of the
    source and what to do; the next call connects again.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.name = settings.name
        self._connections = Connections(settings)
        self._dialect = self._connections.dialect
        self._lock = threading.Lock()
        self._current: WeakKeyDictionary[ScanPlan, ScanPlan] = WeakKeyDictionary()

    @property
    def dialect(self) -> str:
        """The store's kind: "sqlite" or "postgresql"."""
        return self._dialect

    def inspect(self, relation: RelationSettings) -> RelationInfo:
        """Columns and types of a table, view or query, and whether an index serves its timestamp.

        SourceError, with the nearest names, if the relation or its timestamp is not there or if
        the values of the timestamp do not look as declared.
        """
        with self._snapshot(relation) as link:
            return inspect_relation(link, self._dialect, relation)

    def plan(
        self,
        relation: RelationSettings,
        info: RelationInfo,
        columns: Sequence[ScanColumn],
        pane_seconds: int,
        *,
        groupings: Sequence[Grouping] = (),
    ) -> ScanPlan:
        """Compile the scan of these columns, once; `scan` binds nothing but times.

        groupings: the segments that are counted besides all rows. A column that they are told by
        is compared by its text, as a categorical one is. ValueError if two have the same columns.
        """
        with self._named(relation):
            place = make_place(self._dialect, relation, info.columns)
            return make_plan(place, info, columns, pane_seconds, groupings)

    def explain(self, plan: ScanPlan, interval: Interval) -> list[str]:
        """How the store itself says that it would run the scan of an interval."""
        with self._snapshot(plan.place.relation) as link:
            return [
                line
                for query, times in queries(plan, interval)
                for line in explain(link, self._dialect, query, times)
            ]

    def scan(self, plan: ScanPlan, interval: Interval, *, capture: bool = False) -> PaneCounts:
        """Counts of every pane with rows in an interval that is made of whole panes.

        capture: of a reference, under `capture_timeout` instead of `statement_timeout`.

        All columns are counted in one snapshot. A column that vanished, changed its type or cannot
        be read becomes a trouble and the others are counted; so are all rows, and the segments that
        are not told by it. ValueError if the interval is not made of whole panes.
        """
        return self._read(plan, lambda link, one: scan(link, one, interval), capture=capture)

    def scan_all(self, plan: ScanPlan) -> PaneCounts:
        """Counts of all rows of a relation without a timestamp, as one pane that starts at 0.

        As `scan` is, in the time of `capture_timeout`. No pane where there are no rows.
        """
        return self._read(plan, lambda link, one: scan(link, one, None), capture=True)

    def census(self, plan: ScanPlan, intervals: Sequence[Interval]) -> list[PaneCensus]:
        """Rows of every pane with rows in each interval, and how many values of each column are not
        missing, as `scan` would count them, at a fraction of its cost. All in one snapshot.

        Columns in trouble are left out. ValueError if an interval is not made of whole panes.
        """
        return self._read(plan, lambda link, one: census(link, one, intervals))

    def joint(
        self,
        plan: ScanPlan,
        prediction: str,
        interval: Interval | None,
        *,
        capture: bool = False,
    ) -> JointCounts:
        """Rows by the bin of each column of the plan and the bin of one of them, the prediction, in
        every pane with rows; of all rows (None) of a relation without a timestamp.

        The plan's axes are coarse: at most 200 characters name the cells of one. Columns in trouble
        are left out, and with the prediction in trouble all are. ValueError if the interval is not
        made of whole panes.
        """
        return self._read(
            plan, lambda link, one: joint(link, one, prediction, interval), capture=capture
        )

    def updated_panes(
        self, plan: ScanPlan, interval: Interval, since: datetime | None, *, before: datetime
    ) -> tuple[tuple[int, ...], datetime | None]:
        """The panes of an interval with rows that were changed at `since` or later, by the
        relation's `updated_at`, and the newest of these changes (None if there are none).

        Panes are given by their starts, seconds since 1970. since: None asks for no panes, only
        for the newest change of all. before: later times of change are none, such as an infinite
        one. Rows without a time of change count as never changed. What
        was changed about the moment `since` itself may be given again. SourceError if the column
        is not there or holds no times; ValueError if the relation names none, or if the interval
        is not made of whole panes.
        """
        return self._read(plan, lambda link, one: updated_panes(link, one, interval, since, before))

    def levels(
        self,
        relation: RelationSettings,
        info: RelationInfo,
        columns: Sequence[str],
        interval: Interval | None,
        *,
        limit: int,
        min_rows: int,
    ) -> LevelList:
        """The most frequent combinations of the values of some columns over an interval, or over
        all rows (None) of a relation without a timestamp, and how much is left out.

        At most `limit` of them, of at least `min_rows` rows each; values are texts, NULL is None.
        It has the time of `capture_timeout`. ValueError without columns or with a limit below 1.
        """
        with self._snapshot(relation, capture=True) as link:
            place = make_place(self._dialect, relation, info.columns)
            reader = RowReader(link, place, interval)
            return read_levels(reader, info, columns, limit=limit, min_rows=min_rows)

    def fit(
        self,
        relation: RelationSettings,
        info: RelationInfo,
        features: Sequence[FeatureSettings],
        interval: Interval | None,
    ) -> Mapping[str, Axis | ColumnTrouble]:
        """The axis of each feature, fitted in the store to the rows of an interval; to all rows
        (None) of a relation without a timestamp.

        Its statements have the time of `capture_timeout`.
        """
        with self._snapshot(relation, capture=True) as link:
            place = make_place(self._dialect, relation, info.columns)
            return fit_features(RowReader(link, place, interval), info, features)

    def suggest_kinds(
        self, relation: RelationSettings, info: RelationInfo, names: Sequence[str]
    ) -> list[KindProposal]:
        """What kind each column seems to be, and why; for a person to accept."""
        with self._snapshot(relation) as link:
            place = make_place(self._dialect, relation, info.columns)
            return propose_kinds(link, place, info, names)

    def has_rows(self, relation: RelationSettings, info: RelationInfo, interval: Interval) -> bool:
        """Whether any row of the relation lies in an interval."""
        with self._snapshot(relation) as link:
            place = make_place(self._dialect, relation, info.columns)
            statement = first(place.select(literal_column("1")), 1)
            return any(True for _ in link.run(place.compile(statement), place.times(interval)))

    def ready_until(self, query: str, relation: RelationSettings) -> datetime | bool:
        """Up to when the log is complete, by SQL of the user that gives one value.

        A UTC moment, read as the relation's timestamp is; True: as far as the delay says; False
        (also for NULL and for no row): not at all yet. SourceError if it is anything else.
        """
        with self._snapshot(relation) as link:
            columns = require_columns(link, self._dialect, relation)
            return ready_until(link, make_place(self._dialect, relation, columns), query)

    def cancel(self) -> None:
        """Cancel every running statement, from any thread."""
        self._connections.cancel()

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _read(
        self, plan: ScanPlan, work: Callable[[Link, ScanPlan], _Found], *, capture: bool = False
    ) -> _Found:
        """What comes of a plan, or of one of the same columns for the relation as it is now, which
        is then kept."""
        with self._lock:
            current = self._current.get(plan, plan)
        relation = plan.place.relation
        try:
            with (
                self._named(relation, keep=ChangedError),
                self._connections.snapshot(capture=capture) as link,
            ):
                return work(link, current)
        except ChangedError:
            pass
        with self._snapshot(relation, capture=capture) as link:
            info = inspect_relation(link, self._dialect, relation)
            place = make_place(self._dialect, relation, info.columns)
            current = make_plan(place, info, plan.columns, plan.pane_seconds, plan.groupings)
            found = work(link, current)
        with self._lock:
            self._current[plan] = current
        return found

    @contextmanager
    def _snapshot(self, relation: RelationSettings, *, capture: bool = False) -> Iterator[Link]:
        with self._named(relation), self._connections.snapshot(capture=capture) as link:
            yield link

    @contextmanager
    def _named(
        self, relation: RelationSettings, *, keep: type[SourceError] | None = None
    ) -> Iterator[None]:
        """Say which source an error is about, and of a refused statement what it read."""
        try:
            yield
        except SourceError as error:
            if keep is not None and isinstance(error, keep):
                raise
            kinds = (SourceTimeoutError, SourceCancelledError)
            kind = next((kind for kind in kinds if isinstance(error, kind)), SourceError)
            text = str(error)
            if isinstance(error, StatementError):
                written = [f"`{name}`" for name in ("query", "where") if getattr(relation, name)]
                checks = " and ".join([*written, "that SELECT is granted on it"])
                text = f"it refused to read {relation.table!r}: {error}; check {checks}"
            raise kind(f"source {self.name!r}: {text}") from error
