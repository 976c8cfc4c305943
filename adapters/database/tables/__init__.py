"""The tables. Our own customer id is the column `customer`; `customer_id` is the company's, as in the API."""

from adapters.database.tables import (  # noqa: F401  imported to be declared
    bulks,
    crm,
    knowing,
    people,
    running,
    segments,
    sending,
    shop,
    sweeping,
    walks,
    webhooks,
)
from adapters.database.tables.base import metadata

__all__ = ["metadata"]
