"""What an installation runs on: its clock, keys and settings, and tasks for people."""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.database.tables.base import INSTANT, customer_column, enrollment_column, metadata

clock = Table(
    "clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("anchor", INSTANT, nullable=False),
    Column("pace", Double, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    customer_column(),
    enrollment_column(),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
)
Index("tasks_customer_idx", tasks.c.customer)
Index("tasks_enrollment_idx", tasks.c.enrollment)
Index("tasks_open_idx", tasks.c.due_at, postgresql_where=text("closed_at IS NULL"))

contact_policies = Table(
    "contact_policies",
    metadata,
    Column("version", Integer, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("policy", JSONB, nullable=False),
    comment="The newest is in force. None: the defaults of domain.contact_policy",
)

journey_settings = Table(
    "journey_settings", metadata, Column("journey", Text, primary_key=True), Column("options", JSONB, nullable=False)
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("expires_at", INSTANT),
    Column("revoked_at", INSTANT),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("api_key", Text, ForeignKey("api_keys.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("body", JSONB),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()")),
)
Index("idempotency_keys_created_at_idx", idempotency_keys.c.created_at)
