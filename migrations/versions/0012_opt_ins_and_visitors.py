"""what waits for a yes from the mailbox is told by events, and needs no table; visitors are found by an index"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.drop_table("form_entries")
    op.create_index(
        "customers_visitors_idx",
        "customers",
        ["id"],
        unique=False,
        postgresql_where=sa.text("customer_id LIKE 'visitor-%'"),
    )


def downgrade() -> None:
    op.drop_index(
        "customers_visitors_idx", table_name="customers", postgresql_where=sa.text("customer_id LIKE 'visitor-%'")
    )
    op.create_table(
        "form_entries",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, comment="Of the event that told of it, with the answers"),
        sa.Column(
            "agreed", sa.Boolean(), nullable=False, comment="Whether the tick was set; it counts once it is confirmed"
        ),
        sa.Column("wording", sa.Text(), server_default=sa.text("''"), nullable=False, comment="What they ticked"),
        sa.Column("frequency", sa.Text(), nullable=True),
        sa.Column(
            "visitor", sa.Text(), nullable=True, comment="Who sent it, as a visitor: the company's id, not ours"
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer"], ["customers.id"], name=op.f("form_entries_customer_fkey")),
        sa.PrimaryKeyConstraint("customer", "form", name=op.f("form_entries_pkey")),
        comment="The last of each form. Anybody may have sent it: nothing follows before the address is proven.",
    )
