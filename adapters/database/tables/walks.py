"""Enrollments, and what Temporal is to be told of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import EMPTY, INSTANT, customer_column, enrollment_column, metadata

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'enr_' || replace(uuidv7()::text, '-', '')")),
    customer_column(),
    Column("journey", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=EMPTY),
    Column("cause", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("after_event", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", INSTANT),
    Column("outcome", Text),
    Column("leaving", Text),
    Column("paused_at", INSTANT),
    Column("run_id", Text),
    Column("signals", Integer, nullable=False, server_default=text("0")),
    Column("hearing", JSONB, nullable=False, server_default=EMPTY),
)
Index(
    "enrollments_open_key",
    enrollments.c.customer,
    enrollments.c.journey,
    enrollments.c.about,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
)
UNSTARTED = text("ended_at IS NULL AND run_id IS NULL")
Index("enrollments_unstarted_idx", enrollments.c.started_at, postgresql_where=UNSTARTED)
Index("enrollments_customer_journey_idx", enrollments.c.customer, enrollments.c.journey)

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    enrollment_column(),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False, server_default=EMPTY),
    Column("due_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("done_at", INSTANT),
    Column("result", Text),
    comment="What Temporal is to be told. Machinery: real time.",
)
Index("dispatches_done_idx", dispatches.c.done_at, postgresql_where=text("done_at IS NOT NULL"))
Index("dispatches_pending_idx", dispatches.c.enrollment, dispatches.c.id, postgresql_where=text("done_at IS NULL"))

dispatch_leases = Table(
    "dispatch_leases",
    metadata,
    Column("enrollment", Text, ForeignKey("enrollments.id"), primary_key=True),
    Column("token", Uuid, nullable=False),
    Column("until", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("seen_until", INSTANT, nullable=False),
)
