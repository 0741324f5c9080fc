"""Joint counts of features with the prediction, and what they explain."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Types as they are in the database. A migration is a record: it does not follow later changes of
# driftwatch.store.schema.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "joint_count",
        sa.Column("monitor_id", ID, nullable=False),
        sa.Column("prediction_axis_id", ID, nullable=False),
        sa.Column("seconds", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitor.id"], name="fk_joint_count_monitor_id"),
        sa.ForeignKeyConstraint(
            ["prediction_axis_id"], ["axis.id"], name="fk_joint_count_prediction_axis_id"
        ),
        sa.PrimaryKeyConstraint(
            "monitor_id", "prediction_axis_id", "seconds", "start", name="pk_joint_count"
        ),
    )
    op.create_table(
        "joint_reference",
        sa.Column("reference_id", ID, nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reference_id"],
            ["reference.id"],
            name="fk_joint_reference_reference_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reference_id", name="pk_joint_reference"),
    )
    op.create_table(
        "explained_share",
        sa.Column("result_id", ID, nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("applicable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["result_id"],
            ["result.id"],
            name="fk_explained_share_result_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("result_id", "feature", name="pk_explained_share"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for name in ("explained_share", "joint_reference", "joint_count"):
        op.drop_table(name)
