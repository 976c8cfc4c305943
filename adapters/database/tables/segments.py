"""Segments: every version of their rules, and who is in those that journeys watch."""

from sqlalchemy import Column, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import INSTANT, metadata

segments = Table(
    "segments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("label", JSONB, nullable=False),
    Column("description", JSONB, nullable=False),
    Column("rule", JSONB(none_as_null=True), comment="NULL: deleted. What Tropa ships under that name holds again"),
    comment="The newest version of a name is in force. None: what Tropa ships",
)

segment_watches = Table(
    "segment_watches",
    metadata,
    Column("segment", Text, primary_key=True),
    Column("rule", Text, nullable=False, comment="Digest of the rule by which its members were found"),
    Column("refreshed_at", INSTANT, nullable=False),
    comment="Segments that a journey watches, once their members have been found for the first time",
)

segment_members = Table(
    "segment_members",
    metadata,
    Column("segment", Text, primary_key=True),
    # No reference: many are written at once, without the locks of the customers, and a profile may be merged meanwhile.
    Column("customer", Text, primary_key=True),
    Column("since", INSTANT, nullable=False),
    comment="Who is in a watched segment",
)
Index("segment_members_customer_idx", segment_members.c.customer)
