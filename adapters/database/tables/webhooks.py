"""What we tell other systems, and how far each has been told. Machinery: real time."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.database.tables.base import INSTANT, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'whe_' || replace(uuidv7()::text, '-', '')")),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False, comment="Signs what we send; shown once"),
    Column("events", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("failing_since", INSTANT),
    Column("disabled_at", INSTANT),
    Column("disabled_why", Text),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("endpoint", Text, ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("done_at", INSTANT),
    Column("result", Text, comment="Of the last attempt: a status, or what went wrong"),
)
Index("webhook_deliveries_due_idx", webhook_deliveries.c.due_at, postgresql_where=text("done_at IS NULL"))
Index("webhook_deliveries_endpoint_idx", webhook_deliveries.c.endpoint)
