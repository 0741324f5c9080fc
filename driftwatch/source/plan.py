"""A scan, planned: what is counted by which statements, and what cannot be counted and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.place import Place, numeric_scale
from driftwatch.source.statement import ScanColumn, Statement, build_statement
from driftwatch.stats.axis import CategoricalAxis
from driftwatch.stats.counts import ColumnTrouble

_COLUMNS_PER_STATEMENT = 200
"""PostgreSQL takes 1,664 targets, SQLite 2,000 columns; a column needs up to six."""

_SLICE_SECONDS = 3_600
"""SQLite sends one character per column and row of a slice; longer panes are cut into slices."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ScanPlan:
    """Compiled once, run with new times every tick.

    troubles: the columns that cannot be scanned. slice_seconds divides pane_seconds.
    """

    place: Place
    info: RelationInfo
    columns: tuple[ScanColumn, ...]
    pane_seconds: int
    slice_seconds: int
    statements: tuple[Statement, ...]
    troubles: tuple[ColumnTrouble, ...]
    parts: dict[tuple[str, ...], Statement] = field(default_factory=dict, repr=False)

    def part(self, columns: Sequence[ScanColumn]) -> Statement:
        """The statement of some of the columns only, built when it is first needed."""
        names = tuple(column.name for column in columns)
        if names not in self.parts:
            self.parts[names] = _statement(self.place, self.info, columns, self.slice_seconds)
        return self.parts[names]

    @property
    def fingerprint(self) -> tuple[tuple[str, str] | None, ...]:
        return fingerprint(self, self.info.columns)


def make_plan(
    place: Place, info: RelationInfo, columns: Sequence[ScanColumn], pane_seconds: int
) -> ScanPlan:
    """The plan of these columns; those that are gone or of another type become troubles."""
    troubles = [
        trouble for column in columns if (trouble := _trouble(place, info, column)) is not None
    ]
    troubled = {trouble.column for trouble in troubles}
    good = [column for column in columns if column.name not in troubled]
    slice_seconds = pane_seconds
    if place.dialect == "sqlite" and pane_seconds % _SLICE_SECONDS == 0:
        slice_seconds = _SLICE_SECONDS
    groups = [
        good[first : first + _COLUMNS_PER_STATEMENT]
        for first in range(0, len(good), _COLUMNS_PER_STATEMENT)
    ] or [[]]
    return ScanPlan(
        place=place,
        info=info,
        columns=tuple(columns),
        pane_seconds=pane_seconds,
        slice_seconds=slice_seconds,
        statements=tuple(_statement(place, info, group, slice_seconds) for group in groups),
        troubles=tuple(troubles),
    )


def fingerprint(
    plan: ScanPlan, columns: Sequence[ColumnInfo]
) -> tuple[tuple[str, str] | None, ...]:
    """What the plan relies on: the SQL types of its columns and of the timestamp."""
    types = {column.name: (column.name, column.sql_type) for column in columns}
    names = (plan.place.relation.timestamp or "", *(column.name for column in plan.columns))
    return tuple(types.get(name) for name in names)


def _statement(
    place: Place, info: RelationInfo, columns: Sequence[ScanColumn], slice_seconds: int
) -> Statement:
    infos = {column.name: column for column in info.columns}
    pairs = [(column, infos[column.name]) for column in columns]
    return build_statement(place, pairs, slice_seconds)


def _trouble(place: Place, info: RelationInfo, column: ScanColumn) -> ColumnTrouble | None:
    found = info.column(column.name)
    where = f"{place.relation.table!r}, column {column.name!r}"
    if found is None:
        return ColumnTrouble(column.name, "column_missing", f"{where}: {info.missing(column.name)}")
    if found.column_type is not column.column_type or not _countable(place, found, column):
        return ColumnTrouble(
            column.name,
            "type_changed",
            f"{where} is {found.sql_type or 'without a type'!r} now, which is counted as "
            f"{found.column_type}, but its axis was fitted to {column.column_type}; change it "
            "back, or fit a new reference",
        )
    return None


def _countable(place: Place, info: ColumnInfo, column: ScanColumn) -> bool:
    """Whether values of this type can be compared with this axis."""
    if isinstance(column.axis, CategoricalAxis):
        return True
    return numeric_scale(place.dialect, info.column_type) is column.axis.scale
