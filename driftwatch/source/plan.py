"""A scan, planned: what is counted by which statements, and what cannot be counted and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.place import Place, numeric_scale
from driftwatch.source.statement import Queries, ScanColumn, Statement, build_statement
from driftwatch.stats.axis import CategoricalAxis
from driftwatch.stats.counts import ColumnTrouble
from driftwatch.stats.segment import Grouping

COLUMNS_PER_STATEMENT = 200
"""PostgreSQL takes 1,664 targets, SQLite 2,000 columns; a column needs up to six."""

_SLICE_SECONDS = 3_600
"""SQLite sends one character per column and row of a slice; longer panes are cut into slices."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ScanPlan:
    """Compiled once, run with new times every tick.

    groupings: what rows are to be counted by, besides all together; `counted` are those whose
    columns are there. troubles: the columns that cannot be scanned, or that segments cannot be told
    by. slice_seconds divides pane_seconds. parts, kept: what has been built when it was first
    needed: statements of some columns, and queries of other questions about the same rows.
    """

    place: Place
    info: RelationInfo
    columns: tuple[ScanColumn, ...]
    groupings: tuple[Grouping, ...]
    counted: tuple[Grouping, ...]
    pane_seconds: int
    slice_seconds: int
    statements: tuple[Statement, ...]
    troubles: tuple[ColumnTrouble, ...]
    parts: dict[tuple[tuple[str, ...], tuple[Grouping, ...]], Statement] = field(
        default_factory=dict, repr=False
    )
    kept: dict[tuple[str, ...], Queries] = field(default_factory=dict, repr=False)

    def part(self, columns: Sequence[ScanColumn], groupings: Sequence[Grouping]) -> Statement:
        """The statement of some of the columns and groupings, built when it is first needed."""
        key = (tuple(column.name for column in columns), tuple(groupings))
        if key not in self.parts:
            self.parts[key] = _statement(
                self.place, self.info, columns, groupings, self.slice_seconds
            )
        return self.parts[key]

    @property
    def fingerprint(self) -> tuple[tuple[str, str] | None, ...]:
        return fingerprint(self, self.info.columns)


def make_plan(
    place: Place,
    info: RelationInfo,
    columns: Sequence[ScanColumn],
    pane_seconds: int,
    groupings: Sequence[Grouping] = (),
) -> ScanPlan:
    """The plan of these columns; those that are gone or of another type become troubles, and so do
    columns that are gone by which segments would be told.

    ValueError if two groupings have the same columns: their segments would have the same keys.
    """
    if len({grouping.columns for grouping in groupings}) != len(groupings):
        raise ValueError("two groupings have the same columns")
    names = dict.fromkeys(name for grouping in groupings for name in grouping.columns)
    missing = [name for name in names if info.column(name) is None]
    troubles = {name: _missing(place, info, name) for name in missing}
    for column in columns:
        trouble = _trouble(place, info, column)
        if trouble is not None:
            troubles[column.name] = trouble
    good = [column for column in columns if column.name not in troubles]
    counted = tuple(one for one in groupings if not set(missing) & set(one.columns))
    slice_seconds = pane_seconds
    if place.dialect == "sqlite" and pane_seconds % _SLICE_SECONDS == 0:
        slice_seconds = _SLICE_SECONDS
    parts = [
        good[first : first + COLUMNS_PER_STATEMENT]
        for first in range(0, len(good), COLUMNS_PER_STATEMENT)
    ] or [[]]
    return ScanPlan(
        place=place,
        info=info,
        columns=tuple(columns),
        groupings=tuple(groupings),
        counted=counted,
        pane_seconds=pane_seconds,
        slice_seconds=slice_seconds,
        statements=tuple(_statement(place, info, part, counted, slice_seconds) for part in parts),
        troubles=tuple(troubles.values()),
    )


def fingerprint(
    plan: ScanPlan, columns: Sequence[ColumnInfo]
) -> tuple[tuple[str, str] | None, ...]:
    """What the plan relies on: the SQL types of its columns, of those that tell its segments, and
    of those that say when and where a row is."""
    types = {column.name: (column.name, column.sql_type) for column in columns}
    relation = plan.place.relation
    names = (
        *(relation.timestamp, relation.partition, relation.updated_at),
        *(column.name for column in plan.columns),
        *(name for grouping in plan.groupings for name in grouping.columns),
    )
    return tuple(types.get(name or "") for name in names)


def _statement(
    place: Place,
    info: RelationInfo,
    columns: Sequence[ScanColumn],
    groupings: Sequence[Grouping],
    slice_seconds: int,
) -> Statement:
    infos = {column.name: column for column in info.columns}
    pairs = [(column, infos[column.name]) for column in columns]
    segments = [(grouping, [infos[name] for name in grouping.columns]) for grouping in groupings]
    return build_statement(place, pairs, segments, slice_seconds)


def _trouble(place: Place, info: RelationInfo, column: ScanColumn) -> ColumnTrouble | None:
    found = info.column(column.name)
    if found is None:
        return _missing(place, info, column.name)
    if found.column_type is not column.column_type or not _countable(place, found, column):
        return ColumnTrouble(
            column.name,
            "type_changed",
            f"{_where(place, column.name)} is {found.sql_type or 'without a type'!r} now, which is "
            f"counted as {found.column_type}, but its axis was fitted to {column.column_type}; "
            "change it back, or fit a new reference",
        )
    return None


def _countable(place: Place, info: ColumnInfo, column: ScanColumn) -> bool:
    """Whether values of this type can be compared with this axis."""
    if isinstance(column.axis, CategoricalAxis):
        return True
    return numeric_scale(place.dialect, info.column_type) is column.axis.scale


def _missing(place: Place, info: RelationInfo, name: str) -> ColumnTrouble:
    return ColumnTrouble(name, "column_missing", f"{_where(place, name)}: {info.missing(name)}")


def _where(place: Place, name: str) -> str:
    return f"{place.relation.table!r}, column {name!r}"
