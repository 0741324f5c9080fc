"""Segments, versions, exclusions, annotations, backfills; where references come from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("monitor") as table:
        table.add_column(sa.Column("updated_until", MOMENT, nullable=True))
    _upgrade_reference()
    _create_segment()
    _create_model_version()
    _create_exclusion()
    _create_annotation()
    _create_backfill()
    _add_text("result", "compared_with")
    _add_text("result", "excluded")


def downgrade() -> None:
    raise NotImplementedError("restore the store from the backup that was made before the upgrade")
