"""A bulk on the ground of a storm: people enter the welcome chain together."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from services.audiences import Asked
from services.bulks import BulkNow
from tests.kills.ground import Ground, Person
from tests.support.factories import STAFF


async def let_enter(ground: Ground, people: Sequence[Person], *, per_second: float) -> str:
    """Draft and start a bulk. Answers its id."""
    house, asked = ground.house, Asked(customers=[(person.customer_id, "") for person in people])
    async with house.database.transaction() as connection:
        bulk = await house.bulk_drafting.draft(
            connection, "WelcomeChain", asked, options={}, per_second=per_second, actor=STAFF
        )
        await house.bulks.start(connection, bulk, actor=STAFF)
    return bulk


async def stands(ground: Ground, bulk: str) -> BulkNow:
    """How a bulk stands."""
    async with ground.house.database.transaction() as connection:
        return await ground.house.bulks.get(connection, bulk)


async def walks(ground: Ground, people: Sequence[Person]) -> list[dict[str, Any]]:
    """The walks of people, each with how often its start was queued."""
    query = text("""
        SELECT e.id, e.customer, e.run_id, (SELECT count(*) FROM dispatches d WHERE d.enrollment = e.id) AS starts
        FROM enrollments e WHERE e.customer = ANY(:customers)
    """)
    async with ground.house.database.transaction() as connection:
        rows = await connection.execute(query, {"customers": [person.customer for person in people]})
        return [dict(row) for row in rows.mappings()]


async def until_done(ground: Ground, bulk: str, people: Sequence[Person], *, within: float) -> list[dict[str, Any]]:
    """Wait until the bulk's workflow is done and every walk has begun; then end them, and answer what began.

    What dead workers had leased is free at once: production waits half a minute for that.
    """
    async with ground.house.database.transaction() as connection:
        await connection.execute(text("UPDATE dispatch_leases SET until = now()"))
    await asyncio.wait_for(ground.temporal.get_workflow_handle(bulk).result(), within)
    deadline, found = time.monotonic() + within, await walks(ground, people)
    while not all(row["run_id"] for row in found):
        assert time.monotonic() < deadline, "some walks never began"
        await asyncio.sleep(0.1)
        found = await walks(ground, people)
    await asyncio.gather(*(ground.temporal.get_workflow_handle(row["id"]).terminate() for row in found))
    return found
