"""The values that columns take together, the most frequent ones first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from driftwatch.errors import SourceError
from driftwatch.source.catalog import nearest
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.place import first
from driftwatch.source.quantile import RowReader


@dataclass(frozen=True, slots=True)
class LevelList:
    """Combinations of values, the most frequent first (ties by text, NULL last).

    levels: one value per column, None for NULL; rows: of each; left_out: how many combinations are
    not listed, and left_out_rows the rows that they have together.
    """

    levels: tuple[tuple[str | None, ...], ...]
    rows: tuple[int, ...]
    left_out: int
    left_out_rows: int


def read_levels(
    reader: RowReader, info: RelationInfo, columns: Sequence[str], *, limit: int, min_rows: int
) -> LevelList:
    """The most frequent combinations over the reader's rows: at most `limit`, of at least
    `min_rows` rows each. What is left out is counted in the store and does not leave it.

    ValueError without columns or with a limit below 1; SourceError if a column is not there.
    """
    if not columns or limit < 1:
        raise ValueError("levels need at least one column and a limit of at least 1")
    place = reader.place
    for name in columns:
        if info.column(name) is None:
            near = nearest(name, [column.name for column in info.columns])
            raise SourceError(
                f"{place.relation.table!r} has no column {name!r} to tell segments by{near}"
            )
    found = (info.column(name) for name in columns)
    texts = [place.text(one).label(f"v{index}") for index, one in enumerate(found) if one]
    groups = (
        place.select(*texts, func.count().label("rows"))
        .group_by(*(literal_column(str(index + 1)) for index in range(len(texts))))
        .subquery("groups")
    )
    values = [groups.c[f"v{index}"] for index in range(len(columns))]
    order: list[ColumnElement[Any]] = [groups.c.rows.desc()]
    for value in values:
        order += [value.is_(None), value]
    statement = select(
        *values, groups.c.rows, func.count().over(), func.sum(groups.c.rows).over()
    ).order_by(*order)
    records = reader.run(first(statement, limit))
    if not records:
        return LevelList((), (), 0, 0)
    *_, combinations, all_rows = records[0]
    listed: dict[tuple[str | None, ...], int] = {}
    for *level, rows, _, _ in records:
        if rows >= min_rows:
            # Texts that cannot be decoded may look alike; only the first of them is listed.
            listed.setdefault(tuple(level), rows)
    return LevelList(
        levels=tuple(listed),
        rows=tuple(listed.values()),
        left_out=combinations - len(listed),
        left_out_rows=int(all_rows) - sum(listed.values()),
    )
