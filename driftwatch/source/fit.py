"""Axes, fitted in the store to the rows of a reference."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, literal_column, select

from driftwatch.config.settings import BinMethod, FeatureSettings, Kind
from driftwatch.source.catalog import ColumnInfo
from driftwatch.source.inspect import RelationInfo
from driftwatch.source.link import StatementError
from driftwatch.source.place import first, numeric_scale
from driftwatch.source.quantile import Extent, RowReader, quantile_edges, read_extent, uniform_edges
from driftwatch.source.value import ColumnType
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.stats.counts import ColumnTrouble

KNOWN_LEVELS = 10_000
"""So many levels an axis knows beside those that have a cell of their own."""

_IDENTIFIER_LEVELS = 1_000


class _CannotFitError(Exception):
    """Why one column has no axis; the others are fitted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def fit_features(
    reader: RowReader, info: RelationInfo, features: Sequence[FeatureSettings]
) -> Mapping[str, Axis | ColumnTrouble]:
    """The axis of each feature over the reader's rows, or why it has none.

    Categorical axes hold the most frequent `levels` of the levels with at least 2 rows (ties by
    text) and know up to 10,000 of the others; every other value is `unseen`, as rare ones are in
    the reference itself (see `stats.unseen`). Where there are more than 10,000 others, those are
    known that come first by their text: chosen by their rows, which are what
    they happened to have in the reference, they would have fewer in any other window, and that
    would look like drift. For numeric ones see `quantile_edges` and `uniform_edges`.
    """
    ((rows,),) = reader.run(reader.place.select(func.count()))
    fitted: dict[str, Axis | ColumnTrouble] = {}
    for feature in features:
        try:
            if rows == 0:
                raise _CannotFitError("no_reference", "the reference has no rows")
            fitted[feature.name] = _fit(reader, info, feature)
        except (_CannotFitError, StatementError) as error:
            reason = error.reason if isinstance(error, _CannotFitError) else "unreadable"
            message = f"{reader.place.relation.table!r}, column {feature.name!r}: {error}"
            fitted[feature.name] = ColumnTrouble(feature.name, reason, message)
    return fitted


def _fit(reader: RowReader, info: RelationInfo, feature: FeatureSettings) -> Axis:
    found = info.column(feature.name)
    if found is None:
        raise _CannotFitError("column_missing", info.missing(feature.name))
    kind = feature.kind or _own_kind(found)
    if kind is Kind.CATEGORICAL:
        return _categorical(reader, found, feature)
    scale = numeric_scale(reader.place.dialect, found.column_type)
    if scale is None:
        raise _CannotFitError(
            "unreadable",
            f"its type {found.sql_type!r} has no numbers; declare kind: categorical, or watch a "
            "view that casts it",
        )
    return _numeric(reader, found, feature, scale)


def _own_kind(found: ColumnInfo) -> Kind:
    """The kind of a column whose kind is not declared, where its type leaves no doubt."""
    if found.column_type is ColumnType.BOOLEAN:
        return Kind.CATEGORICAL
    if found.column_type in (ColumnType.NUMBER, ColumnType.TIME):
        return Kind.NUMERIC
    numeric = "kind: numeric or " if not found.sql_type else ""  # SQLite's untyped hold both
    raise _CannotFitError(
        "unreadable",
        f"its type {found.sql_type!r} does not say how to count it; declare {numeric}kind: "
        "categorical (or leave the column out); `driftwatch check` proposes a kind",
    )


def _numeric(
    reader: RowReader, found: ColumnInfo, feature: FeatureSettings, scale: Scale
) -> NumericAxis:
    extent = read_extent(reader, found)
    if extent is None:
        raise _CannotFitError(
            "all_missing", "the reference has no finite value in it; leave the column out"
        )
    return NumericAxis(_edges(reader, found, feature, extent), scale)


def _edges(
    reader: RowReader, found: ColumnInfo, feature: FeatureSettings, extent: Extent
) -> tuple[float, ...]:
    binning = feature.binning
    if binning.method is BinMethod.EXPLICIT:
        return binning.edges
    if binning.method is BinMethod.UNIFORM:
        return uniform_edges(extent, binning.count)
    return quantile_edges(reader, found, extent, binning.count)


def _categorical(reader: RowReader, found: ColumnInfo, feature: FeatureSettings) -> CategoricalAxis:
    text = reader.place.text(found)
    groups = (
        reader.place.select(text.label("level"), func.count().label("rows"))
        .where(text.is_not(None))
        .group_by(literal_column("1"))
        .subquery("groups")
    )
    ((levels, values),) = reader.run(select(func.count(), func.sum(groups.c.rows)))
    if not levels:
        raise _CannotFitError(
            "all_missing", "the reference has no value in it; leave the column out"
        )
    if levels > _IDENTIFIER_LEVELS and 2 * levels > values:
        raise _CannotFitError(
            "too_many_levels",
            f"{levels} distinct of {values} values look like an identifier; leave the column out, "
            "or watch a view with a coarser column",
        )
    repeated = select(groups.c.level).where(groups.c.rows >= literal_column("2"))
    by_rows = first(repeated.order_by(groups.c.rows.desc(), groups.c.level), feature.levels)
    by_text = first(
        repeated.add_columns(groups.c.rows).order_by(groups.c.level),
        feature.levels + KNOWN_LEVELS,
    )
    # Texts that cannot be decoded may look alike here; their rows stay unseen.
    frequent = dict.fromkeys(str(level) for (level,) in reader.run(by_rows))
    known = {str(level): rows for level, rows in reader.run(by_text)}
    others = [level for level in known if level not in frequent][:KNOWN_LEVELS]
    twice = sum(known[level] == 2 for level in others)
    return CategoricalAxis(tuple(frequent), tuple(others), twice)
