"""Deliberate bugs, for the judge to find: one that lets them pass proves nothing."""

import math
from enum import Enum
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.channels.twilio import TwilioGateway
from adapters.database import sends
from domain.deliveries import Lost, Trace
from domain.sends import SendState
from services import calling, steps


class Bug(Enum):
    """What is wrong with a worker."""

    NO_CLAIM = "the provider is called while the send is still reserved"
    OWN_IDS = "every attempt has a send id of its own"
    NO_LOOK_UP = "a lost answer means that nothing was taken"
    NO_HURRY = "a claim is good for a call at any later time"

    def plant(self) -> None:
        """Put it into this process."""
        match self:
            case Bug.NO_CLAIM:
                patch.object(sends, "claim", _claim).start()
                patch.object(sends, "record", _record).start()
            case Bug.OWN_IDS:
                patch.object(steps, "send_id", lambda *step: uuid4()).start()
            case Bug.NO_LOOK_UP:
                patch.object(TwilioGateway, "look_up", _look_up).start()
            case Bug.NO_HURRY:
                patch.object(calling, "AT_ONCE", math.inf).start()


async def _claim(connection: AsyncConnection, send: UUID, *, fence: UUID, gateway: str, **_: Any) -> bool:
    await connection.execute(
        text("UPDATE sends SET fence = :fence, gateway = :gateway WHERE id = :id"),
        {"id": send, "fence": fence, "gateway": gateway},
    )
    return True


async def _record(
    connection: AsyncConnection, send: UUID, *, fence: UUID, state: SendState, rule: str, provider_id: str | None
) -> bool:
    await connection.execute(
        text(
            "UPDATE sends SET state = :state, rule = :rule, provider_id = :provider WHERE id = :id AND fence = :fence"
        ),
        {"id": send, "fence": fence, "state": state.value, "rule": rule, "provider": provider_id},
    )
    return True


async def _look_up(self: TwilioGateway, lost: Lost) -> Trace:
    return Trace(outcome="absent")
