"""One row per pane: the counts of all its columns in one pack."""

import json
import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Types as they are in the database. A migration is a record: it does not follow later changes of
# driftwatch.store, so the two forms of stored counts are written down here once more.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")

PORTION = 200
"""How many panes are in memory at once."""

WIDTHS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}
LIMITS = (0xFF, 0xFFFF, 0xFFFFFFFF)
BEFORE = sa.table(
    "pane_before",
    *map(sa.column, ("monitor_id", "segment", "seconds", "start", "rows", "revision")),
    sa.column("scanned_at", MOMENT), sa.column("counts", sa.LargeBinary),
)  # fmt: skip
PANE = sa.table(
    "pane", *map(sa.column, ("monitor_id", "segment", "seconds", "start", "rows", "revision")),
    sa.column("scanned_at", MOMENT), sa.column("apart", sa.Boolean),
    sa.column("folded", sa.Boolean), sa.column("counts", sa.LargeBinary),
)  # fmt: skip
COLUMN = sa.table(
    "pane_column", *map(sa.column, ("axis_id", "segment", "seconds", "start", "infinite", "total")),
    *map(sa.column, ("total_squares", "minimum", "maximum")), sa.column("counts", sa.LargeBinary),
)  # fmt: skip
AXIS = sa.table("axis", *map(sa.column, ("id", "monitor_id", "definition")))


def upgrade() -> None:
    _rename_pane()
    _create_pane(
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=True),
    )
    for panes in _panes_before():
        packs = _packed(panes)
        values = [
            dict(one, apart=True, folded=False, counts=packs.get(one["start"])) for one in panes
        ]
        op.get_bind().execute(sa.insert(PANE), values)
    op.drop_table("pane_column")
    op.drop_table("pane_before")


def downgrade() -> None:
    _rename_pane()
    _create_pane(sqlite_with_rowid=False)
    _create_pane_column()
    for panes in _panes_before():
        values = [{k: v for k, v in one.items() if k != "counts"} for one in panes]
        op.get_bind().execute(sa.insert(PANE), values)
        columns = [column for one in panes for column in _unpacked(one)]
        if columns:
            op.get_bind().execute(sa.insert(COLUMN), columns)
    op.drop_table("pane_before")


def _rename_pane() -> None:
    op.rename_table("pane", "pane_before")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("ALTER INDEX pk_pane RENAME TO pk_pane_before")


def _create_pane(*columns: sa.Column[Any], **options: bool) -> None:
    op.create_table(
        "pane",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_pane_monitor_id"),
        sa.PrimaryKeyConstraint("monitor_id", "segment", "seconds", "start", name="pk_pane"),
        **options,
    )


def _create_pane_column() -> None:
    op.create_table(
        "pane_column",
        sa.Column("axis_id", ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("infinite", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=True),
        sa.Column("total_squares", sa.Double(), nullable=True),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["axis_id"], ["axis.id"], name="fk_pane_column_axis_id"),
        sa.PrimaryKeyConstraint("axis_id", "segment", "seconds", "start", name="pk_pane_column"),
        sqlite_with_rowid=False,
    )


def _panes_before() -> Iterator[list[dict[str, Any]]]:
    """All panes of the renamed table in portions, each of one monitor, segment and length."""
    table, connection = BEFORE.c, op.get_bind()
    packed = [table.counts] if "counts" in _columns("pane_before") else []
    fields = [column for column in table if column.name != "counts"] + packed
    series = sa.select(table.monitor_id, table.segment, table.seconds).distinct()
    for monitor_id, segment, seconds in connection.execute(series).all():
        last = -(2**62)
        while True:
            statement = (
                sa.select(*fields)
                .where(
                    table.monitor_id == monitor_id,
                    table.segment == segment,
                    table.seconds == seconds,
                    table.start > last,
                )
                .order_by(table.start)
                .limit(PORTION)
            )
            panes = [dict(row) for row in connection.execute(statement).mappings()]
            if not panes:
                break
            yield panes
            last = panes[-1]["start"]


def _columns(table: str) -> set[str]:
    return {str(one["name"]) for one in sa.inspect(op.get_bind()).get_columns(table)}


def _packed(panes: Sequence[dict[str, Any]]) -> dict[int, bytes]:
    """By start, the pack of the columns that were counted in each of these panes."""
    first, last = panes[0], panes[-1]
    table = COLUMN.c
    definitions = _definitions(first["monitor_id"])
    statement = (
        sa.select(COLUMN)
        .where(
            table.axis_id.in_(sorted(definitions)),
            table.segment == first["segment"],
            table.seconds == first["seconds"],
            table.start.between(first["start"], last["start"]),
        )
        .order_by(table.start, table.axis_id)
    )
    found = op.get_bind().execute(statement).mappings().all() if definitions else []
    packs = {}
    for start, columns in groupby(found, key=lambda row: int(row["start"])):
        counted = [(row, _counts(row["counts"])) for row in columns]
        held = [(row, counts) for row, counts in counted if counts.any()]
        if held:
            packs[start] = _pack(held, definitions)
    return packs


def _definitions(monitor_id: int) -> dict[int, bool]:
    """The axes of a monitor, and whether they are numeric: whether the columns have moments."""
    statement = sa.select(AXIS.c.id, AXIS.c.definition).where(AXIS.c.monitor_id == monitor_id)
    return {
        axis_id: json.loads(definition)["kind"] == "numeric"
        for axis_id, definition in op.get_bind().execute(statement)
    }


def _counts(blob: bytes) -> Any:
    """Counts as 0001 kept them: a byte `16 + width`, then the cells."""
    if blob[0] // 16 != 1:
        raise ValueError(f"stored counts have encoding {blob[0]:#04x}; the release that wrote them "
                         "must migrate them")  # fmt: skip
    return np.frombuffer(blob, WIDTHS[blob[0] % 16], offset=1).astype(np.int64)


def _pack(columns: Sequence[tuple[Any, Any]], numeric: dict[int, bool]) -> bytes:
    rows = [row for row, _ in columns]
    with_moments = [row for row in rows if numeric[row["axis_id"]]]
    counts = np.concatenate(
        [*(cells for _, cells in columns), [row["infinite"] for row in with_moments]]
    ).astype(np.int64)
    moments = [
        [math.nan if row[name] is None else row[name] for row in with_moments]
        for name in ("total", "total_squares", "minimum", "maximum")
    ]
    width = 1 << int(np.searchsorted(LIMITS, counts.max()))
    shape = [2 * cells.size + numeric[row["axis_id"]] for row, cells in columns]
    head = np.array([len(rows), width, *(row["axis_id"] for row in rows), *shape], "<u4")
    payload = b"".join(
        (head.tobytes(), _planes(counts.astype(WIDTHS[width])), _planes(np.array(moments, "<f8")))
    )
    deflated = zlib.compress(payload, 6)
    return b"\x01" + deflated if len(deflated) < len(payload) else b"\x81" + payload


def _planes(numbers: Any) -> bytes:
    """All first bytes, then all second bytes, and so on."""
    single = numbers.ravel().view(np.uint8).reshape(-1, numbers.dtype.itemsize)
    return bytes(single.T.tobytes())


def _unplaned(data: bytes, dtype: str) -> Any:
    width = np.dtype(dtype).itemsize
    return np.frombuffer(data, np.uint8).reshape(width, -1).T.copy().view(dtype).ravel()


def _unpacked(pane: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of `pane_column` that a pack was made of."""
    blob = pane["counts"]
    if blob is None:
        return
    payload = zlib.decompress(blob[1:]) if blob[:1] == b"\x01" else blob[1:]
    columns, width = np.frombuffer(payload[:8], "<u4").tolist()
    head = np.frombuffer(payload[8 : 8 + 8 * columns], "<u4").tolist()
    shape = [divmod(one, 2) for one in head[columns:]]
    with_moments = sum(has for _, has in shape)
    end = 8 + 8 * columns + width * (sum(cells for cells, _ in shape) + with_moments)
    counts = _unplaned(payload[8 + 8 * columns : end], WIDTHS[width]).astype(np.int64)
    floats = iter(_unplaned(payload[end:], "<f8").reshape(4, with_moments).T.tolist())
    infinite = iter(counts[counts.size - with_moments :].tolist())
    at = 0
    for axis_id, (cells, has) in zip(head[:columns], shape, strict=True):
        four = next(floats) if has else [0.0, 0.0, None, None]
        moments = zip(("total", "total_squares", "minimum", "maximum"), four, strict=True)
        yield {
            "axis_id": axis_id,
            "segment": pane["segment"],
            "seconds": pane["seconds"],
            "start": pane["start"],
            "counts": _narrow(counts[at : at + cells]),
            "infinite": next(infinite) if has else 0,
            **{n: None if v is None or math.isnan(v) else v for n, v in moments},
        }
        at += cells


def _narrow(counts: Any) -> bytes:
    width = 1 << int(np.searchsorted(LIMITS, counts.max()))
    return bytes([16 + width]) + bytes(counts.astype(WIDTHS[width]).tobytes())
