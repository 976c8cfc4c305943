"""Customers move through stages: written down, and told as events that journeys start on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import events, stages
from adapters.database.events import NewEvent, told_once
from domain.events import OURS, SILENT, Event
from domain.stages import Move
from domain.triggers import STAGE_ENTERED


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A customer, by our id and the company's, and the stages that they went through."""

    customer: str
    customer_id: str
    moves: Sequence[Move]


async def write_moves(
    connection: AsyncConnection, model: str, moved: Sequence[Moved], now: datetime
) -> dict[str, list[Event]]:
    """Customers moved through stages of a set. What history moved is told silently, and starts nothing.

    Answers the events of it, which are to be applied, by customer.
    """
    if not moved:
        return {}
    await stages.enter(connection, model, {each.customer: each.moves for each in moved})
    told = {each.customer: [_told(each.customer_id, move, now) for move in each.moves] for each in moved}
    stored = await events.insert_to_apply(connection, [event for each in told.values() for event in each])
    return {customer: [stored[e.event_id] for e in each if e.event_id in stored] for customer, each in told.items()}


def _told(customer_id: str, move: Move, now: datetime) -> NewEvent:
    said: dict[str, object] = {"stage": move.stage.name, "from": move.left, "cause": move.by.name}
    return told_once(
        f"{STAGE_ENTERED}:{move.by.id}",
        customer_id=customer_id,
        name=STAGE_ENTERED,
        at=move.at,
        received_at=now,
        source=OURS,
        properties=said | ({SILENT: True} if move.by.imported else {}),
    )
