"""Keyed surrogates: what stands for a foreign id or an address where the thing itself must not be."""

import hashlib
import hmac
from uuid import UUID, uuid5

_SPACE = UUID("0b8f4f1e-6a2d-5c3b-8e4f-54726f706131")


class Surrogates:
    """Makes the same surrogate for the same thing, which nobody without the key can make or reverse.

    The OLDEST secret keys them: surrogates outlive the rotation of signing keys.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"surrogates" + secret.encode()).digest()

    def of(self, value: str) -> str:
        """The surrogate of a foreign id: a version 5 UUID of its HMAC-SHA256."""
        return str(self._uuid("id", value))

    def address(self, channel: str, address: str) -> UUID:
        """The surrogate of an address, the same however it is capitalised."""
        return self._uuid(channel, address.strip().casefold())

    def customer(self, customer_id: str) -> UUID:
        """The surrogate of the company's id of a customer, by which one who was erased is recognized."""
        return self._uuid("customer", customer_id)

    def event(self, event_id: str) -> str:
        """What an erased event is called: a repeat of it is recognized, and nothing can be read from it."""
        return f"erased:{self._uuid('event', event_id)}"

    def _uuid(self, kind: str, value: str) -> UUID:
        return uuid5(_SPACE, hmac.new(self._key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest())
