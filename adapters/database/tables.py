"""The tables. Our own customer id is the column `customer`; `customer_id` is the company's, as in the API."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

INSTANT = DateTime(timezone=True)
EMPTY = text("'{}'::jsonb")


def _customer(**options: bool) -> Column[str]:
    return Column("customer", Text, ForeignKey("customers.id"), nullable=False, **options)  # type: ignore[arg-type]


def _enrollment(*, nullable: bool = False) -> Column[str]:
    return Column("enrollment", Text, ForeignKey("enrollments.id"), nullable=nullable)


clock = Table(
    "clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("anchor", INSTANT, nullable=False),
    Column("pace", Double, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'cus_' || replace(uuidv7()::text, '-', '')")),
    Column("customer_id", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("timezone", Text),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("events", Integer, nullable=False, server_default=text("0")),
    Column("orders", Integer, nullable=False, server_default=text("0")),
    Column("last_order_at", INSTANT),
    Column("feature_used_at", INSTANT),
    Column("activated_at", INSTANT),
    Column("erased_at", INSTANT),
)
Index("customers_phone_idx", customers.c.phone, postgresql_where=text("phone IS NOT NULL"))

consents = Table(
    "consents",
    metadata,
    _customer(primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("source", Text, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address_key", Uuid, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("event_id", Text, nullable=False, unique=True),
    Column("customer_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("source", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("properties", JSONB, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("customer", Text, ForeignKey("customers.id")),
    Column("number", Integer),
    Column("quarantined", Text),
)
Index(
    "events_pending_idx",
    events.c.customer_id,
    postgresql_where=text("number IS NULL AND quarantined IS NULL"),
)
Index("events_customer_number_idx", events.c.customer, events.c.number, unique=True)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'enr_' || replace(uuidv7()::text, '-', '')")),
    _customer(),
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
Index("enrollments_customer_journey_idx", enrollments.c.customer, enrollments.c.journey)

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _enrollment(),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False, server_default=EMPTY),
    Column("due_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("done_at", INSTANT),
    Column("result", Text),
    comment="What Temporal is to be told. Machinery: real time.",
)
Index("dispatches_pending_idx", dispatches.c.enrollment, dispatches.c.id, postgresql_where=text("done_at IS NULL"))

dispatch_leases = Table(
    "dispatch_leases",
    metadata,
    Column("enrollment", Text, ForeignKey("enrollments.id"), primary_key=True),
    Column("token", Uuid, nullable=False),
    Column("until", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
)

sends = Table(
    "sends",
    metadata,
    Column("id", Uuid, primary_key=True),
    _enrollment(),
    _customer(),
    Column("message", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
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
    Column("delivery", Text, comment="How far the provider says that it has come"),
    Column("delivery_rank", Integer, nullable=False, server_default=text("0")),
    Column("delivery_code", Text),
    Column("delivery_asked_at", INSTANT),
    UniqueConstraint("enrollment", "message", "visit", "leg"),
)
Index("sends_customer_slot_at_idx", sends.c.customer, sends.c.slot_at)
Index("sends_claimed_idx", sends.c.claimed_at, postgresql_where=text("state = 'claimed'"))
Index("sends_unknown_idx", sends.c.claimed_at, postgresql_where=text("state = 'unknown'"))
Index("sends_provider_id_idx", sends.c.provider_id, postgresql_where=text("provider_id IS NOT NULL"))
AWAITED = text("state = 'accepted' AND delivery_rank < 5")
Index("sends_undelivered_idx", sends.c.gateway, sends.c.called_at, postgresql_where=AWAITED)

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

decisions = Table(
    "decisions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    _customer(),
    _enrollment(nullable=True),
    Column("send", Uuid, ForeignKey("sends.id")),
    Column("state", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("words", Text, nullable=False),
)
Index("decisions_customer_at_idx", decisions.c.customer, decisions.c.at)
Index("decisions_enrollment_at_idx", decisions.c.enrollment, decisions.c.at)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    _customer(),
    _enrollment(),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("closed_at", INSTANT),
)
Index("tasks_customer_idx", tasks.c.customer)
Index("tasks_enrollment_idx", tasks.c.enrollment)

journey_settings = Table(
    "journey_settings", metadata, Column("journey", Text, primary_key=True), Column("options", JSONB, nullable=False)
)

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

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("seen_until", INSTANT, nullable=False),
)
