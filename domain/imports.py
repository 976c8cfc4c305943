"""What may be imported from a file."""

from enum import StrEnum


class Kind(StrEnum):
    """What a file holds."""

    CUSTOMERS = "customers"
    EVENTS = "events"
    ORDERS = "orders"
