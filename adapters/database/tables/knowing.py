"""What is known of customers from what they did: their orders, and the stages of their lives with us."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.database.tables.base import INSTANT, customer_column, metadata

MONEY = Numeric(14, 2)
NONE = text("'{}'")

orders = Table(
    "orders",
    metadata,
    customer_column(primary_key=True),
    Column("order", Text, primary_key=True),
    Column("placed_at", INSTANT, nullable=False),
    Column("status", Text, nullable=False),
    Column("gross", MONEY, nullable=False, comment="As the shop said it, in the order's own currency"),
    Column("refunded", MONEY, nullable=False),
    Column("rate", Numeric(20, 8), nullable=False, comment="Of the installation's currency for one of the order's"),
    Column("net", MONEY, nullable=False, comment="What is left of it, in the installation's currency"),
    Column("currency", Text, nullable=False),
    Column("products", ARRAY(Text), nullable=False, server_default=NONE),
    Column("codes", ARRAY(Text), nullable=False, server_default=NONE, comment="Offer codes that were used"),
    comment="Kept true by projection from order_placed, order_cancelled and order_refunded",
)
Index("orders_customer_placed_at_idx", orders.c.customer, orders.c.placed_at)
Index("orders_placed_at_idx", orders.c.placed_at)

assignments = Table(
    "assignments",
    metadata,
    customer_column(primary_key=True),
    Column("experiment", Text, primary_key=True, comment="journey/experiment"),
    Column("variant", Text, nullable=False),
    Column("exposed_at", INSTANT, nullable=False, comment="When they first came to where the variants part"),
)
Index("assignments_experiment_idx", assignments.c.experiment, assignments.c.variant)

stage_visits = Table(
    "stage_visits",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    customer_column(),
    Column("model", Text, nullable=False, comment="Which set of stages"),
    Column("stage", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("entered_at", INSTANT, nullable=False),
    Column("exited_at", INSTANT),
    Column("cause", Text, nullable=False),
    comment="Append-only but for exited_at; one is open for a customer and model",
)
Index(
    "stage_visits_open_key",
    stage_visits.c.customer,
    stage_visits.c.model,
    unique=True,
    postgresql_where=text("exited_at IS NULL"),
)
Index("stage_visits_customer_idx", stage_visits.c.customer, stage_visits.c.id)
Index("stage_visits_stage_idx", stage_visits.c.stage, stage_visits.c.entered_at)
