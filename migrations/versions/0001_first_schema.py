"""The first schema: monitors, axes, references, the ledger, results, alerts, the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types as they are in the database. A migration is a record: it does not follow later changes of
# driftwatch.store.schema.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    _create_monitor()
    _create_axis()
    _create_reference()
    _create_pane()
    _create_pane_column()
    _create_result()
    _create_latest_result()
    _create_result_bin()
    _create_alert()
    _create_alert_event()
    _create_notification()
    _create_evaluation()


def downgrade() -> None:
    for table in (
        "evaluation",
        "notification",
        "alert_event",
        "alert",
        "result_bin",
        "latest_result",
        "result",
        "pane_column",
        "pane",
        "reference",
        "axis",
        "monitor",
    ):
        op.drop_table(table)


def _create_monitor() -> None:
    op.create_table(
        "monitor",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("watermark", MOMENT, nullable=True),
        sa.Column("scanned_from", MOMENT, nullable=True),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_monitor"),
        sa.UniqueConstraint("name", name="uq_monitor_name"),
    )


def _create_axis() -> None:
    op.create_table(
        "axis",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("column_type", sa.Text(), nullable=False),
        sa.Column("fitted_start", MOMENT, nullable=False),
        sa.Column("fitted_end", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_axis_monitor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_axis"),
        sa.UniqueConstraint(
            "monitor_id", "column_name", "version", name="uq_axis_monitor_id_column_name_version"
        ),
    )


def _create_reference() -> None:
    op.create_table(
        "reference",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("axis_id", ID, nullable=True),
        sa.Column("interval_start", MOMENT, nullable=False),
        sa.Column("interval_end", MOMENT, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=True),
        sa.Column("infinite", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=True),
        sa.Column("total_squares", sa.Double(), nullable=True),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("smoothing", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["axis_id"], ["axis.id"], name="fk_reference_axis_id"),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_reference_monitor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reference"),
        sa.UniqueConstraint(
            "monitor_id",
            "column_name",
            "version",
            name="uq_reference_monitor_id_column_name_version",
        ),
    )


def _create_pane() -> None:
    op.create_table(
        "pane",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_pane_monitor_id"),
        sa.PrimaryKeyConstraint("monitor_id", "segment", "seconds", "start", name="pk_pane"),
        sqlite_with_rowid=False,
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


def _create_result() -> None:
    op.create_table(
        "result",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("window_start", MOMENT, nullable=False),
        sa.Column("window_end", MOMENT, nullable=False),
        sa.Column("reference_version", sa.Integer(), nullable=False),
        sa.Column("axis_version", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("missing_rows", sa.BigInteger(), nullable=False),
        sa.Column("unseen_rows", sa.BigInteger(), nullable=False),
        sa.Column("infinite_rows", sa.BigInteger(), nullable=False),
        sa.Column("reference_rows", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=True),
        sa.Column("standard_deviation", sa.Double(), nullable=True),
        sa.Column("kl", sa.Double(), nullable=True),
        sa.Column("kl_reverse", sa.Double(), nullable=True),
        sa.Column("js", sa.Double(), nullable=True),
        sa.Column("js_distance", sa.Double(), nullable=True),
        sa.Column("psi", sa.Double(), nullable=True),
        sa.Column("hellinger", sa.Double(), nullable=True),
        sa.Column("total_variation", sa.Double(), nullable=True),
        sa.Column("l_infinity", sa.Double(), nullable=True),
        sa.Column("ks", sa.Double(), nullable=True),
        sa.Column("entropy", sa.Double(), nullable=True),
        sa.Column("cross_entropy", sa.Double(), nullable=True),
        sa.Column("perplexity", sa.Double(), nullable=True),
        sa.Column("js_noise", sa.Double(), nullable=True),
        sa.Column("js_guard", sa.Double(), nullable=True),
        sa.Column("measure", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("threshold_warning", sa.Double(), nullable=True),
        sa.Column("threshold_critical", sa.Double(), nullable=True),
        sa.Column("convention", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("evaluated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_result_monitor"),
        sa.PrimaryKeyConstraint("id", name="pk_result"),
        sa.UniqueConstraint(
            "monitor",
            "feature",
            "segment",
            "window_seconds",
            "window_end",
            "reference_version",
            name="uq_result_key",
        ),
    )


def _create_latest_result() -> None:
    op.create_table(
        "latest_result",
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("result_id", ID, nullable=False),
        sa.Column("window_end", MOMENT, nullable=False),
        sa.Column("reference_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_latest_result_monitor"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["result.id"], name="fk_latest_result_result_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "monitor", "feature", "segment", "window_seconds", name="pk_latest_result"
        ),
    )


def _create_result_bin() -> None:
    op.create_table(
        "result_bin",
        sa.Column("result_id", ID, nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("current_rows", sa.BigInteger(), nullable=False),
        sa.Column("reference_rows", sa.BigInteger(), nullable=False),
        sa.Column("js_contribution", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["result_id"], ["result.id"], name="fk_result_bin_result_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("result_id", "cell", name="pk_result_bin"),
        sqlite_with_rowid=False,
    )


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("fired_at", MOMENT, nullable=True),
        sa.Column("window_end", MOMENT, nullable=True),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("notified_state", sa.Text(), nullable=True),
        sa.Column("notified_severity", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_alert_monitor"),
        sa.PrimaryKeyConstraint(
            "monitor", "feature", "segment", "window_seconds", "kind", name="pk_alert"
        ),
    )


def _create_alert_event() -> None:
    op.create_table(
        "alert_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("window_end", MOMENT, nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("from_severity", sa.Text(), nullable=True),
        sa.Column("to_severity", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_alert_event_monitor"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
        sa.UniqueConstraint(
            "monitor",
            "feature",
            "segment",
            "window_seconds",
            "kind",
            "window_end",
            "to_state",
            name="uq_alert_event_key",
        ),
    )


def _create_notification() -> None:
    op.create_table(
        "notification",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("window_end", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=False),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["monitor"], ["monitor.name"], name="fk_notification_monitor"),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint(
            "monitor",
            "feature",
            "segment",
            "window_seconds",
            "kind",
            "window_end",
            "state",
            name="uq_notification_key",
        ),
    )
    op.create_index(
        "ix_notification_delivered_at_next_attempt_at",
        "notification",
        ["delivered_at", "next_attempt_at"],
        unique=False,
    )


def _create_evaluation() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", ID, nullable=False),
        sa.Column("monitor", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.Column("now", MOMENT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("scan_start", MOMENT, nullable=True),
        sa.Column("scan_end", MOMENT, nullable=True),
        sa.Column("rows_scanned", sa.BigInteger(), nullable=False),
        sa.Column("panes", sa.Integer(), nullable=False),
        sa.Column("windows_judged", sa.Integer(), nullable=False),
        sa.Column("scan_seconds", sa.Double(), nullable=False),
        sa.Column("store_seconds", sa.Double(), nullable=False),
        sa.Column("judge_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
    )
    op.create_index("ix_evaluation_finished_at", "evaluation", ["finished_at"], unique=False)
    op.create_index(
        "ix_evaluation_monitor_outcome_finished_at",
        "evaluation",
        ["monitor", "outcome", "finished_at"],
        unique=False,
    )
