"""Results tell effect and significance."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBERS = ("effect", "detectable_effect", "p_value", "adjusted_p", "inflation", "alpha")


def upgrade() -> None:
    """The default stays, so that the table need not be written anew, and the release before this
    one can still write to it."""
    for name in NUMBERS:
        op.add_column("result", sa.Column(name, sa.Double(), nullable=True))
    op.add_column(
        "result", sa.Column("caveats", sa.Text(), nullable=False, server_default=sa.text("''"))
    )


def downgrade() -> None:
    with op.batch_alter_table("result") as batch:
        for name in (*NUMBERS, "caveats"):
            batch.drop_column(name)
