"""Entering many at once, and what was handed over in files."""

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import EMPTY, INSTANT, enrollment_column, metadata

bulks = Table(
    "bulks",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'blk_' || replace(uuidv7()::text, '-', '')")),
    Column("journey", Text, nullable=False),
    Column("source", Text, nullable=False, comment="list, csv, or segment and its name"),
    Column("options", JSONB, nullable=False, server_default=EMPTY),
    Column("state", Text, nullable=False),
    Column("audience", Integer, nullable=False, comment="How many were named"),
    Column("entering", Integer, nullable=False, comment="How many of them are to enter: places 1 to this"),
    Column("reachable", JSONB, nullable=False, comment="How many of these each channel may reach"),
    Column("volume", JSONB, nullable=False, comment="The forecast, at the rate it was drafted with"),
    Column("per_second", Double, nullable=False),
    Column("canary", Integer, comment="How many enter before somebody looks"),
    Column("looked", Boolean, nullable=False, server_default=text("false")),
    Column("reached", Integer, nullable=False, server_default=text("0"), comment="The last place that was dealt with"),
    Column("refused", Integer, nullable=False, server_default=text("0"), comment="How many of these did not enter"),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("drafted_at", INSTANT, nullable=False),
    Column("approver", Text),
    Column("approver_name", Text),
    Column("approved_at", INSTANT),
    Column("started_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("ended_by", Text, comment="Who cancelled it"),
    Column("stretch_at", INSTANT, comment="Real time: since when it has been running without a pause"),
    Column("stretch_from", Integer, comment="The place that it had reached then"),
    Column("chunk_at", INSTANT, comment="Real time: when some entered last"),
    Column("asked", Integer, nullable=False, server_default=text("0"), comment="Commands that its workflow is to hear"),
    Column("told", Integer, nullable=False, server_default=text("0"), comment="How many of these it was told"),
)
Index("bulks_untold_idx", bulks.c.id, postgresql_where=text("told < asked"))

bulk_customers = Table(
    "bulk_customers",
    metadata,
    Column("bulk", Text, ForeignKey("bulks.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("customer_id", Text, nullable=False, comment="As they were named"),
    Column("about", Text, nullable=False),
    Column("customer", Text, ForeignKey("customers.id")),
    Column("state", Text, nullable=False, comment="waits, entered, refused, or left_out from the beginning"),
    Column("rule", Text),
    Column("facts", JSONB, nullable=False, server_default=EMPTY),
    enrollment_column(nullable=True),
    Column("at", INSTANT, comment="When it was decided, or told to those who were left out"),
    comment="Whom a bulk named, frozen when it was drafted, and what became of each.",
)
Index("bulk_customers_customer_idx", bulk_customers.c.customer, postgresql_where=text("customer IS NOT NULL"))
Index("bulk_customers_named_idx", bulk_customers.c.customer_id, postgresql_where=text("customer IS NULL"))
Index(
    "bulk_customers_rule_idx",
    bulk_customers.c.bulk,
    bulk_customers.c.rule,
    bulk_customers.c.place,
    postgresql_where=text("rule IS NOT NULL"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'imp_' || replace(uuidv7()::text, '-', '')")),
    Column("kind", Text, nullable=False, comment="customers, events or orders"),
    Column("state", Text, nullable=False, comment="running, done, or broken off"),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("rows", Integer, nullable=False, server_default=text("0")),
    Column("stored", Integer, nullable=False, server_default=text("0")),
    Column("known", Integer, nullable=False, server_default=text("0"), comment="Stored before, by the same content"),
    Column("wrong", Integer, nullable=False, server_default=text("0"), comment="Rows that were not stored"),
)

import_problems = Table(
    "import_problems",
    metadata,
    Column("import", Text, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("problem", Text, nullable=False, comment="In our own words, never the value itself"),
)
