"""What people sent by forms, until they prove that the address is theirs."""

from sqlalchemy import Boolean, Column, Table, Text, text

from adapters.database.tables.base import INSTANT, customer_column, metadata

form_entries = Table(
    "form_entries",
    metadata,
    customer_column(primary_key=True),
    Column("form", Text, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("event_id", Text, nullable=False, comment="Of the event that told of it, with the answers"),
    Column("agreed", Boolean, nullable=False, comment="Whether the tick was set; it counts once it is confirmed"),
    Column("wording", Text, nullable=False, server_default=text("''"), comment="What they ticked"),
    Column("frequency", Text),
    Column("visitor", Text, comment="Who sent it, as a visitor: the company's id, not ours"),
    Column("confirmed_at", INSTANT),
    comment="The last of each form. Anybody may have sent it: nothing follows before the address is proven.",
)
