"""Segments, and who is in those that journeys watch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("label", postgresql.JSONB(), nullable=False),
        sa.Column("description", postgresql.JSONB(), nullable=False),
        sa.Column(
            "rule",
            postgresql.JSONB(none_as_null=True),
            comment="NULL: deleted. What Tropa ships under that name holds again",
        ),
        sa.PrimaryKeyConstraint("name", "version", name="segments_pkey"),
        comment="The newest version of a name is in force. None: what Tropa ships",
    )
    op.create_table(
        "segment_watches",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False, comment="Digest of the rule by which its members were found"),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("segment", name="segment_watches_pkey"),
        comment="Segments that a journey watches, once their members have been found for the first time",
    )
    op.create_table(
        "segment_members",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("segment", "customer", name="segment_members_pkey"),
        comment="Who is in a watched segment",
    )
    op.create_index("segment_members_customer_idx", "segment_members", ["customer"])
    op.create_index(
        "events_name_customer_idx",
        "events",
        ["name", "customer", "occurred_at"],
        postgresql_where=sa.text("number IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("events_name_customer_idx", table_name="events", postgresql_where=sa.text("number IS NOT NULL"))
    op.drop_table("segment_members")
    op.drop_table("segment_watches")
    op.drop_table("segments")
