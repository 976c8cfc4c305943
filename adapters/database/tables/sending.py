"""The ledger: sends, what providers reported, and every decision."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.database.tables.base import INSTANT, customer_column, enrollment_column, metadata

sends = Table(
    "sends",
    metadata,
    Column("id", Uuid, primary_key=True),
    enrollment_column(),
    customer_column(),
    Column("message", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="Of its journey: triggered, scheduled or reactivation"),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("channel", Text),
    Column("wished_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("slot_at", INSTANT, nullable=False),
    Column("rule", Text, nullable=False),
    Column("fence", Uuid),
    Column("claimed_at", INSTANT, comment="Real time: machinery"),
    Column("called_at", INSTANT, comment="Business time of the claim that led to the call"),
    Column("gateway", Text),
    Column("provider_id", Text),
    Column("recipient", Text),
    Column("rendered", JSONB),
    Column("links", ARRAY(Text), comment="Where the links of its letter lead, by their numbers from 0"),
    Column("seen_at", INSTANT, comment="When its customer certainly had it before their eyes"),
    Column("delivery", Text, comment="How far the provider says that it has come"),
    Column("delivery_rank", Integer, nullable=False, server_default=text("0")),
    Column("delivery_code", Text),
    Column("delivery_asked_at", INSTANT),
    UniqueConstraint("enrollment", "message", "visit", "leg"),
)
Index("sends_customer_slot_at_idx", sends.c.customer, sends.c.slot_at)
Index("sends_claimed_idx", sends.c.claimed_at, postgresql_where=text("state = 'claimed'"))
Index("sends_unknown_idx", sends.c.claimed_at, postgresql_where=text("state = 'unknown'"))
WAITS = text("state IN ('deferred', 'held', 'reserved')")
Index("sends_waiting_idx", sends.c.slot_at, postgresql_where=WAITS)
Index("sends_held_idx", sends.c.rule, postgresql_where=text("state = 'held'"))
Index("sends_failed_idx", func.coalesce(sends.c.called_at, sends.c.slot_at), postgresql_where=text("state = 'failed'"))
Index("sends_provider_id_idx", sends.c.provider_id, postgresql_where=text("provider_id IS NOT NULL"))

AWAITED = text("state = 'accepted' AND delivery_rank < 5")
Index("sends_undelivered_idx", sends.c.gateway, sends.c.called_at, postgresql_where=AWAITED)

hits = Table(
    "hits",
    metadata,
    Column("send", Uuid, ForeignKey("sends.id"), primary_key=True),
    Column("kind", Text, primary_key=True, comment="click or open"),
    Column("number", Integer, primary_key=True, comment="The link's; 0 of an open"),
    Column("sign", Text, primary_key=True, comment="What the request told of its sender; nothing else of it is kept"),
    Column("at", INSTANT, primary_key=True, comment="In whole seconds"),
    Column("grade", Text),
    Column("reason", Text),
    comment="Opens and clicks, graded a moment later. At most ten a day for each link and sign.",
)
Index("hits_ungraded_idx", hits.c.at, postgresql_where=text("grade IS NULL"))

reports = Table(
    "reports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("send", Uuid, comment="Set when the report's own signature names it"),
    Column("received_at", INSTANT, nullable=False),
    Column("applied_at", INSTANT),
    Column("orphaned_at", INSTANT, comment="Given up: no send of ours"),
    UniqueConstraint("gateway", "provider_id", "status", "code"),
    comment="What providers reported of sends, as it came. A repeat is the same row.",
)

PARKED = text("applied_at IS NULL AND orphaned_at IS NULL")
Index("reports_parked_idx", reports.c.received_at, postgresql_where=PARKED)
Index("reports_orphaned_idx", reports.c.orphaned_at, postgresql_where=text("orphaned_at IS NOT NULL"))

decisions = Table(
    "decisions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    customer_column(),
    enrollment_column(nullable=True),
    Column("send", Uuid, ForeignKey("sends.id")),
    Column("state", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("words", Text, nullable=False),
)
Index("decisions_customer_at_idx", decisions.c.customer, decisions.c.at)
Index("decisions_enrollment_at_idx", decisions.c.enrollment, decisions.c.at)

sandbox_outbox = Table(
    "sandbox_outbox",
    metadata,
    Column("send", Uuid, ForeignKey("sends.id"), primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text),
    Column("html", Text),
    Column("text", Text, nullable=False),
)
Index("sandbox_outbox_at_idx", sandbox_outbox.c.at)
