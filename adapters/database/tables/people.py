"""Customers, what they allowed, and what happened to them."""

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import EMPTY, INSTANT, customer_column, metadata
from domain.visits import PREFIX

customers = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True, server_default=text("'cus_' || replace(uuidv7()::text, '-', '')")),
    Column("customer_id", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("timezone", Text),
    Column("preferred_channel", Text),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY),
    Column("owner", Text, comment="The colleague who looks after them, by their e-mail address"),
    Column("needs", JSONB, nullable=False, server_default=EMPTY, comment="The needs card: what they want, by when"),
    Column("company", Text, ForeignKey("companies.id")),
    Column("buying_role", Text, comment="What part they have in their company's decision"),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("events", Integer, nullable=False, server_default=text("0")),
    Column("orders", Integer, nullable=False, server_default=text("0")),
    Column("revenue", Numeric(14, 2), nullable=False, server_default=text("0"), comment="Of orders that stand"),
    Column("last_order_at", INSTANT),
    Column("feature_used_at", INSTANT),
    Column("activated_at", INSTANT),
    Column("last_active_at", INSTANT, comment="When they last did anything that we heard of"),
    Column("engaged_at", INSTANT, comment="Their last verified open, click or visit"),
    Column("engagement", Double, nullable=False, server_default=text("0"), comment="As it was at engagement_at"),
    Column("engagement_at", INSTANT),
    Column("first_touch", JSONB(none_as_null=True)),
    Column("stage", Text),
    Column("stage_since", INSTANT),
    Column("frequency", Text, comment="How often at most, by their own choice"),
    Column("snoozed_until", INSTANT),
    Column("trouble", Text, comment="An open complaint or a low score: no offers until it is resolved"),
    Column("erased_at", INSTANT),
    Column("forgotten_until", INSTANT, comment="What happened until then was erased, under the same company's id"),
)
Index("customers_phone_idx", customers.c.phone, postgresql_where=text("phone IS NOT NULL"))
Index("customers_email_idx", func.lower(customers.c.email), postgresql_where=text("email IS NOT NULL"))
BIRTHDAY = text("\"right\"(attributes ->> 'birthday', 5)")
Index("customers_birthday_idx", BIRTHDAY, customers.c.id, postgresql_where=text("attributes ? 'birthday'"))
Index("customers_visitors_idx", customers.c.id, postgresql_where=text(f"customer_id LIKE '{PREFIX}%'"))
Index("customers_company_idx", customers.c.company, postgresql_where=text("company IS NOT NULL"))

consents = Table(
    "consents",
    metadata,
    customer_column(primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("topic", Text, primary_key=True, server_default=text("''")),
    Column("status", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("source", Text, nullable=False),
    Column("wording", Text, nullable=False, server_default=text("''"), comment="What they were asked"),
    Column("proof", Text, nullable=False, server_default=text("''"), comment="Where it can be seen again"),
)

customer_aliases = Table(
    "customer_aliases",
    metadata,
    Column("id", Text, primary_key=True, comment="Our id of the profile that was merged away"),
    customer_column(),
    Column("customer_id", Text, nullable=False, unique=True),
    Column("merged_at", INSTANT, nullable=False),
    comment="Who else a customer was, always one step away. Temporal and old links still say these ids.",
)
Index("customer_aliases_customer_idx", customer_aliases.c.customer)

erasures = Table(
    "erasures",
    metadata,
    Column("key", Uuid, primary_key=True, comment="Keyed surrogate of the company's id"),
    Column("customer", Text, primary_key=True, comment="Our id; no reference, since a restored backup may lack it"),
    Column("at", INSTANT, nullable=False),
    comment="Who was erased, for those who would bring them back: late events, imports, backups.",
)

addresses = Table(
    "addresses",
    metadata,
    customer_column(primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("keys", JSONB, nullable=False, server_default=EMPTY, comment="What a browser gave for its push messages"),
    Column("added_at", INSTANT, nullable=False),
    Column("last_inbound_at", INSTANT, comment="When they last wrote to us from there"),
    comment="What the profile does not hold: chats, browsers, and who wrote to us when",
)
Index("addresses_channel_address_idx", addresses.c.channel, addresses.c.address)

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
# For segments. Without what is not projected yet: taking events in does not touch it.
Index(
    "events_name_customer_idx",
    events.c.name,
    events.c.customer,
    events.c.occurred_at,
    postgresql_where=text("number IS NOT NULL"),
)
Index("events_quarantined_idx", events.c.received_at, postgresql_where=text("quarantined IS NOT NULL"))
Index("events_imported_idx", events.c.received_at, postgresql_where=text("source = 'import'"))
