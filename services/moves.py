"""Customers move through stages: written down, and told as events that journeys start on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import events, stages
from adapters.database.events import NewEvent, told_once
from domain.events import OURS, SILENT
from domain.stages import Move
from domain.triggers import STAGE_ENTERED


async def write_moves(
    connection: AsyncConnection, customer: str, customer_id: str, model: str, moves: Sequence[Move], now: datetime
) -> None:
    """A customer moved through stages. What history moved is told silently, and starts nothing."""
    await stages.enter(connection, customer, model, moves)
    await events.insert(connection, [_told(customer_id, move, now) for move in moves])


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
