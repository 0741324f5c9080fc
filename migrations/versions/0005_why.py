"""Results tell what kind of change they show, where to look, and how much the reference wobbles."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The defaults stay, so that no table need be written anew, and the release before this one can
    still write to them."""
    op.add_column("result", sa.Column("wobble", sa.Double(), nullable=True))
    op.add_column("result", sa.Column("change", sa.Text(), nullable=True))
    op.add_column("result", sa.Column("change_share", sa.Double(), nullable=True))
    op.add_column("result", sa.Column("next_step", sa.Text(), nullable=True))
    op.add_column(
        "result", sa.Column("explanation", sa.Text(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column("result_bin", sa.Column("p_value", sa.Double(), nullable=True))
    op.add_column(
        "result_bin", sa.Column("carries", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    with op.batch_alter_table("result") as batch:
        for name in ("wobble", "change", "change_share", "next_step", "explanation"):
            batch.drop_column(name)
    for name in ("p_value", "carries"):  # not in a batch, which would forget WITHOUT ROWID
        op.drop_column("result_bin", name)
