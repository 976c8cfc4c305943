"""Telling the CRM what journeys said, in each customer's order, with patience."""

import asyncio
import logging
import time
from typing import Protocol

from sqlalchemy import RowMapping

from adapters.database import crm_updates
from adapters.database.connection import Database
from domain.crm import CrmAnswer, CrmTask, CrmUpdate
from services.announcing import WAITS

AT_ONCE = 4
log = logging.getLogger(__name__)


class Crm(Protocol):
    """A CRM."""

    @property
    def name(self) -> str:
        """Its name, as people know it."""
        ...

    async def update(self, update: CrmUpdate) -> CrmAnswer:
        """Tell it one update; told again, nothing is there twice. Never raises for what a CRM may say."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class TellingCrm:
    """Hands over what waits."""

    def __init__(self, database: Database, crm: Crm) -> None:
        self._database, self._crm = database, crm
        self._rests_until = 0.0

    async def push_some(self, limit: int = AT_ONCE) -> int:
        """One attempt for some updates that are due. Answers how many there were."""
        if time.monotonic() < self._rests_until:
            return 0
        async with self._database.transaction() as connection:
            due = await crm_updates.lease(connection, limit)
        await asyncio.gather(*(self._push(row) for row in due))
        return len(due)

    async def close(self) -> None:
        """Hang up."""
        await self._crm.close()

    async def _push(self, row: RowMapping) -> None:
        answer = await self._crm.update(_update(row))
        again = None
        if answer.outcome == "later" and row["attempts"] <= len(WAITS):
            again = answer.busy_for or WAITS[row["attempts"] - 1]
        if answer.busy_for:
            self._rests_until = max(self._rests_until, time.monotonic() + answer.busy_for.total_seconds())
        async with self._database.transaction() as connection:
            await crm_updates.tried(connection, row["id"], f"{answer.outcome}: {answer.detail}", again)
        if answer.outcome != "done":
            log.warning("the CRM did not take an update", extra={"error": answer.detail, "count": row["attempts"]})


def _update(row: RowMapping) -> CrmUpdate:
    task = None
    if row["task"]:
        task = CrmTask(
            id=row["task"],
            title=row["title"],
            text=row["text"],
            due_at=row["task_due_at"],
            owner=row["task_owner"],
            outcome=row["task_outcome"],
        )
    return CrmUpdate(
        id=row["id"],
        customer_id=row["customer_id"],
        journey=row["journey"],
        email=row["email"],
        owner=row["owner"],
        stage=row["facts"]["stage"],
        outcome=row["facts"]["outcome"],
        task=task,
    )
