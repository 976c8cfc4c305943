"""The tables. Our own customer id is the column `customer`; `customer_id` is the company's, as in the API."""

from adapters.database.tables import crm, knowing, people, running, sending, walks, webhooks  # noqa: F401  to be declared
from adapters.database.tables.base import metadata

__all__ = ["metadata"]
