"""the scale of engagement, as the daily sweep measures it; tasks that settle a low score"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "engagement_scales",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scale", sa.Double(), nullable=False, comment="At which the median active customer scores 50"),
        sa.Column("customers", sa.Integer(), nullable=False, comment="Over how many active ones it was measured"),
        sa.PrimaryKeyConstraint("id", name=op.f("engagement_scales_pkey")),
        comment="The scale of engagement each time that a sweep changed it; the newest is in force",
    )
    op.add_column(
        "tasks",
        sa.Column(
            "settles",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Done, it settles the low score that it was made for",
        ),
    )


def downgrade() -> None:
    op.drop_column("tasks", "settles")
    op.drop_table("engagement_scales")
