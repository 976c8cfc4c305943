"""What an installation runs on: its clock, keys and settings, and the log of who changed what."""

from sqlalchemy import (
    BigInteger,
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
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.database.tables.base import INSTANT, metadata

clock = Table(
    "clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("anchor", INSTANT, nullable=False),
    Column("pace", Double, nullable=False),
)

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

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="Our own id of it, never a person's or a company's"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("request", Text, comment="The caller's own id of the request"),
    comment="Who changed what. Append-only by a trigger, and without foreign keys: it outlives what it tells of.",
)
Index("audit_subject_idx", audit.c.subject, audit.c.id)
Index("audit_actor_idx", audit.c.actor, audit.c.id)
