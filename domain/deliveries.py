"""One letter on its way to one address, and what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a gateway needs to send one email. `sender` is the From header, `to` a bare address.

    `unsubscribe_url` is None where nobody may opt out; `list_id` names the stream, written like a host name.
    """

    send_id: UUID
    to: str
    sender: str
    subject: str
    html: str
    text: str
    unsubscribe_url: str | None
    list_id: str | None
    journey: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider said to one send. Nothing personal: no address, none of the provider's own words.

    *accepted*: it has taken the letter. *refused*: it will not, and asking again is useless. *retry*: it has
    certainly not taken it, and may later. *unknown*: it may have taken it, so nothing is sent again blindly.
    """

    outcome: Literal["accepted", "refused", "retry", "unknown"]
    detail: str
    provider_id: str | None = None
    code: str | None = None
    permanent_for_address: bool = False
    retry_after: timedelta | None = None
