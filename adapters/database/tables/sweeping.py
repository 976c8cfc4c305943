"""What the daily sweep finds: each customer's RFM, and the sweeps themselves."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Identity, Integer, Numeric, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.database.tables.base import INSTANT, customer_column, metadata

rfm = Table(
    "rfm",
    metadata,
    customer_column(primary_key=True),
    Column("as_of", INSTANT, nullable=False),
    Column("recency_days", Integer, nullable=False),
    Column("frequency", Integer, nullable=False, comment="Days with orders"),
    Column("monetary", Numeric(16, 2), nullable=False),
    Column("r", SmallInteger, nullable=False),
    Column("f", SmallInteger, nullable=False),
    Column("m", SmallInteger, nullable=False),
    Column("segment", Text, nullable=False, comment="What the code says"),
    Column("effective_segment", Text, nullable=False, comment="What they act as: guarded, and held for two runs"),
    Column("candidate", Text, comment="What the last run would have had them act as instead"),
    Column("since", INSTANT, nullable=False, comment="When they entered the segment that they act as"),
    Column("vip", Boolean, nullable=False),
    Column("one_off", Boolean, nullable=False),
    comment="Of every customer with an order that counts; made anew by each sweep",
    postgresql_with={"fillfactor": 50},  # each sweep renews every row: in place, it is three times as quick
)

engagement_scales = Table(
    "engagement_scales",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("scale", Double, nullable=False, comment="At which the median active customer scores 50"),
    Column("customers", Integer, nullable=False, comment="Over how many active ones it was measured"),
    comment="The scale of engagement each time that a sweep changed it; the newest is in force",
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("as_of", INSTANT, nullable=False),
    Column("took", Double, nullable=False, comment="Real seconds"),
    Column("silent", Text, comment="Why no journey was to start: first, rules or import"),
    Column("rules", JSONB, nullable=False),
    Column("ranked", Boolean, nullable=False, comment="Whether customers were compared, or scored by bounds"),
    Column("imports_until", INSTANT, nullable=False, comment="Imports received until then had been applied"),
    Column("counts", JSONB, nullable=False),
    comment="Every sweep that came to its end, the newest last",
)
