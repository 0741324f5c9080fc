"""Segments, versions, exclusions, annotations, backfills; where references come from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Types as they are in the database. A migration is a record: it does not follow later changes of
# driftwatch.store.schema.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")

RESULT_KEY_BEFORE = [
    "monitor", "feature", "segment", "window_seconds", "window_end", "reference_version"
]  # fmt: skip
RESULT_KEY = [
    "monitor", "feature", "window_seconds", "window_end", "segment", "reference_version"
]  # fmt: skip
REFERENCE_KEY_BEFORE = ["monitor_id", "column_name", "version"]
REFERENCE_KEY = ["monitor_id", "column_name", "segment", "version"]
ALL_ROWS_FLAGGED = sa.text("segment = '' AND verdict IN ('warning', 'critical')")


def upgrade() -> None:
    op.add_column("monitor", sa.Column("updated_until", MOMENT, nullable=True))
    _upgrade_axis()
    _upgrade_reference()
    _upgrade_result()
    op.create_index("ix_latest_result_result_id", "latest_result", ["result_id"], unique=False)
    _create_segment()
    _create_model_version()
    _create_exclusion()
    _create_annotation()
    _create_backfill()


def downgrade() -> None:
    """What 0001 has no place for goes: references of segments and those of rows without a time."""
    for name in ("backfill", "annotation", "exclusion", "model_version", "segment"):
        op.drop_table(name)
    op.drop_index("ix_latest_result_result_id", "latest_result")
    _downgrade_result()
    _downgrade_reference()
    _downgrade_axis()
    with op.batch_alter_table("monitor") as table:
        table.drop_column("updated_until")


def _add_text(table: str, column: str, *, default: str = "") -> None:
    """A text that is never NULL. The default is for the rows that are there: whoever alters the
    table next takes it off."""
    new = sa.Column(column, sa.Text(), nullable=False, server_default=default)
    op.add_column(table, new)


def _upgrade_axis() -> None:
    with op.batch_alter_table("axis") as table:
        table.alter_column("fitted_start", existing_type=MOMENT, nullable=True)
        table.alter_column("fitted_end", existing_type=MOMENT, nullable=True)


def _downgrade_axis() -> None:
    op.execute(  # fitted to whatever there was
        "UPDATE axis SET fitted_start = '1970-01-01T00:00:00.000000Z', fitted_end = created_at"
        " WHERE fitted_start IS NULL"
    )
    with op.batch_alter_table("axis") as table:
        table.alter_column("fitted_start", existing_type=MOMENT, nullable=False)
        table.alter_column("fitted_end", existing_type=MOMENT, nullable=False)


def _upgrade_reference() -> None:
    defaults = {"segment": "", "specification": "", "origin": "config", "note": ""}
    for column, default in defaults.items():
        _add_text("reference", column, default=default)
    with op.batch_alter_table("reference") as table:
        for column in defaults:
            table.alter_column(column, existing_type=sa.Text(), server_default=None)
        table.alter_column("interval_start", existing_type=MOMENT, nullable=True)
        table.alter_column("interval_end", existing_type=MOMENT, nullable=True)
        table.drop_constraint("uq_reference_monitor_id_column_name_version", type_="unique")
        table.create_unique_constraint(
            "uq_reference_monitor_id_column_name_segment_version", REFERENCE_KEY
        )


def _downgrade_reference() -> None:
    op.execute("DELETE FROM reference WHERE segment <> '' OR interval_start IS NULL")
    with op.batch_alter_table("reference") as table:
        table.drop_constraint("uq_reference_monitor_id_column_name_segment_version", type_="unique")
        table.create_unique_constraint(
            "uq_reference_monitor_id_column_name_version", REFERENCE_KEY_BEFORE
        )
        table.alter_column("interval_start", existing_type=MOMENT, nullable=False)
        table.alter_column("interval_end", existing_type=MOMENT, nullable=False)
        for column in ("segment", "specification", "origin", "note"):
            table.drop_column(column)


def _upgrade_result() -> None:
    added = ("compared_with", "excluded")
    for column in added:
        _add_text("result", column)
    with op.batch_alter_table("result") as table:
        for column in added:
            table.alter_column(column, existing_type=sa.Text(), server_default=None)
        table.drop_constraint("uq_result_key", type_="unique")
        table.create_unique_constraint("uq_result_key", RESULT_KEY)
    op.create_index(
        "ix_result_flagged",
        "result",
        ["monitor", "window_seconds", "window_end"],
        unique=False,
        sqlite_where=ALL_ROWS_FLAGGED,
        postgresql_where=ALL_ROWS_FLAGGED,
    )


def _downgrade_result() -> None:
    op.drop_index("ix_result_flagged", "result")
    with op.batch_alter_table("result") as table:
        table.drop_constraint("uq_result_key", type_="unique")
        table.create_unique_constraint("uq_result_key", RESULT_KEY_BEFORE)
        for column in ("compared_with", "excluded"):
            table.drop_column(column)


def _create_segment() -> None:
    op.create_table(
        "segment",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("levels", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_segment_monitor_id"),
        sa.PrimaryKeyConstraint("monitor_id", "segment", name="pk_segment"),
    )


def _create_model_version() -> None:
    op.create_table(
        "model_version",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("predecessor", sa.Text(), nullable=True),
        sa.Column("handed_over_at", MOMENT, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_model_version_monitor_id"),
        sa.PrimaryKeyConstraint("monitor_id", "version", name="pk_model_version"),
    )


def _create_exclusion() -> None:
    op.create_table(
        "exclusion",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("range_start", MOMENT, nullable=False),
        sa.Column("range_end", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_exclusion_monitor"),
        sa.PrimaryKeyConstraint("id", name="pk_exclusion"),
        sa.UniqueConstraint(
            "monitor", "feature", "range_start", "range_end", "origin", name="uq_exclusion_key"
        ),
    )


def _create_annotation() -> None:
    op.create_table(
        "annotation",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("range_start", MOMENT, nullable=False),
        sa.Column("range_end", MOMENT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_annotation_monitor"),
        sa.PrimaryKeyConstraint("id", name="pk_annotation"),
        sa.UniqueConstraint(
            "monitor",
            "feature",
            "kind",
            "range_start",
            "range_end",
            "message",
            name="uq_annotation_key",
        ),
    )


def _create_backfill() -> None:
    op.create_table(
        "backfill",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("range_start", MOMENT, nullable=False),
        sa.Column("range_end", MOMENT, nullable=False),
        sa.Column("done_until", MOMENT, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("panes_changed", sa.BigInteger(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("advanced_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_backfill_monitor_id"),
        sa.PrimaryKeyConstraint("monitor_id", "range_start", "range_end", name="pk_backfill"),
    )
