"""The shop: its products, its offers, and the codes that customers were given."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.database.tables.base import EMPTY, INSTANT, metadata
from adapters.database.tables.knowing import MONEY, NONE

products = Table(
    "products",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", JSONB, nullable=False, comment="A text for all languages, or an object of them"),
    Column("category", Text, nullable=False),
    Column("price", MONEY),
    Column("currency", Text),
    Column("url", Text),
    Column("image", Text),
    Column("rating", Numeric(5, 2)),
    Column("stock", Integer),
    Column("available", Boolean, nullable=False),
    Column("attributes", JSONB, nullable=False, server_default=EMPTY),
    Column("related", ARRAY(Text), nullable=False, server_default=NONE, comment="Its accessories, best first"),
    Column("updated_at", INSTANT, nullable=False),
    Column("withdrawn_at", INSTANT),
    comment="The shop's own feed, the newest word of each",
)
Index("products_category_idx", products.c.category, products.c.id, postgresql_where=text("withdrawn_at IS NULL"))

offers = Table(
    "offers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="generated or pool"),
    Column("prefix", Text, nullable=False),
    Column("percent", Numeric(5, 2)),
    Column("amount", MONEY),
    Column("currency", Text),
    Column("words", JSONB, nullable=False, server_default=EMPTY),
    Column("valid_for", Interval, comment="None: as long as its message is worth sending"),
    Column("updated_at", INSTANT, nullable=False),
)

offer_codes = Table(
    "offer_codes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("offer", Text, ForeignKey("offers.name"), nullable=False),
    Column("code", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True, comment="The same code, however it is typed"),
    Column("customer", Text, ForeignKey("customers.id")),
    Column("send", Uuid, ForeignKey("sends.id"), comment="The first leg of the step that it was given at"),
    Column("given_at", INSTANT),
    Column("valid_until", INSTANT),
    Column("redeemed_at", INSTANT),
    Column("redeemed_by", Text, comment="The order, where it is the customer's own"),
    UniqueConstraint("send", "offer"),
    comment="Codes of a pool wait here until they are given; a generated one is written when it is",
)
Index("offer_codes_customer_idx", offer_codes.c.customer)
FREE = text("given_at IS NULL AND redeemed_at IS NULL")
Index("offer_codes_free_idx", offer_codes.c.offer, offer_codes.c.id, postgresql_where=FREE)
Index("offer_codes_given_idx", offer_codes.c.offer, offer_codes.c.given_at)
