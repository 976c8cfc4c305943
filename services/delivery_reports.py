"""Delivery reports: how far the provider says that a send has come. Kept once, applied by rank, in any order."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol, runtime_checkable

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import enrollments, reports, sends
from adapters.database.connection import Database, lock_customer
from adapters.surrogates import Surrogates
from domain.clock import Clock
from domain.decisions import Decision
from domain.deliveries import Delivery, Report
from domain.errors import Unavailable
from domain.messages import Channel
from domain.sends import SendState
from services import verdicts

PARKED = timedelta(hours=24)  # that a report waits for its send (F30)
ASK_AFTER = timedelta(hours=1)  # of silence (F31)
ASK_AGAIN_AFTER = timedelta(hours=6)
SILENT_FOR_GOOD = timedelta(hours=72)  # (F32)
SOME = 100  # of each, in one round

# The words on the timeline. What lies between handing over and the end is on the ledger alone.
_RULES = {
    Delivery.DELIVERED: "delivered",
    Delivery.READ: "read",
    Delivery.UNDELIVERED: "undelivered",
    Delivery.FAILED: "undelivered",
    Delivery.CANCELED: "undelivered",
    Delivery.COMPLAINED: "complained",
    Delivery.UNKNOWN: "delivery_unknown",
}
log = logging.getLogger(__name__)


@runtime_checkable
class Reporting(Protocol):
    """A provider that can be asked how far a letter has come."""

    @property
    def name(self) -> str:
        """As the ledger calls it."""
        ...

    async def report(self, provider_id: str) -> Report | None:
        """How far. None when it knows no such letter. Raises Unavailable."""
        ...

    def read(self, provider_id: str, status: str, code: str) -> Report:
        """A report kept earlier, in our words."""
        ...


class DeliveryReports:
    """Takes reports in, and asks for those that do not come."""

    def __init__(
        self, database: Database, clock: Clock, surrogates: Surrogates, providers: Sequence[Reporting] = ()
    ) -> None:
        self._database, self._clock, self._surrogates = database, clock, surrogates
        self._providers = {provider.name: provider for provider in providers}

    async def take(self, report: Report) -> None:
        """Keep a report and do what it says; one that came before changes nothing, one of no send is parked."""
        async with self._database.transaction() as connection:
            about = await reports.find_send(connection, report)
            if about is not None:
                about = await self._locked(connection, about)
            kept = await reports.insert(connection, report, self._clock.now())
            if kept is not None and about is not None:
                await self._apply(connection, report, about)
                await reports.applied(connection, kept, self._clock.now())

    async def sweep(self) -> None:
        """Apply what was parked, ask for what was never reported, and give up what is hopeless."""
        await self._unpark()
        async with self._database.transaction() as connection:
            now = self._clock.now()
            if orphans := await reports.give_up(connection, before=now - PARKED, at=now):
                log.warning("delivery reports of no send of ours", extra={"count": orphans})
        await self._ask()
        await self._give_up()

    async def _unpark(self) -> None:
        async with self._database.transaction() as connection:
            waiting = await reports.parked(connection, SOME)
        for row in waiting:
            if row["gateway"] not in self._providers:
                continue
            read = self._providers[row["gateway"]].read(row["provider_id"], row["status"], row["code"])
            report = replace(read, send=row["send"])
            async with self._database.transaction() as connection:
                about = await reports.find_send(connection, report)
                if about is not None:
                    about = await self._locked(connection, about)
                    await self._apply(connection, report, about)
                    await reports.applied(connection, row["id"], self._clock.now())

    async def _ask(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            silent = await reports.silent(
                connection,
                list(self._providers),
                after=now - SILENT_FOR_GOOD,
                before=now - ASK_AFTER,
                asked_before=now - ASK_AGAIN_AFTER,
                limit=SOME,
            )
            await reports.asked(connection, [row["id"] for row in silent], now)
        for row in silent:
            try:
                report = await self._providers[row["gateway"]].report(row["provider_id"])
            except Unavailable as error:
                log.warning("a provider cannot be asked how far its letters are", extra={"error": str(error)})
                return
            if report is not None:
                await self.take(report)

    async def _give_up(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            silent = await reports.silent(
                connection,
                list(self._providers),
                after=now - 10 * SILENT_FOR_GOOD,
                before=now - SILENT_FOR_GOOD,
                asked_before=now,
                limit=SOME,
            )
        for row in silent:
            async with self._database.transaction() as connection:
                about = await self._locked(connection, row)
                await self._rise(connection, about, Delivery.UNKNOWN, "")

    @staticmethod
    async def _locked(connection: AsyncConnection, send: RowMapping) -> RowMapping:
        """A send as it is under its customer's lock."""
        await lock_customer(connection, send["customer"])
        return await sends.one(connection, send["id"])

    async def _apply(self, connection: AsyncConnection, report: Report, about: RowMapping) -> None:
        """Under the customer's lock: acceptance, then how far it came, then what it says of the address."""
        await self._prove(connection, report, about)
        if report.delivery is not None:
            await self._rise(connection, about, report.delivery, report.code, report.rule)
        channel, now = Channel(about["channel"]), self._clock.now()
        if report.permanent_for_address:
            await verdicts.bounced(connection, self._surrogates, about, gateway=report.gateway, at=now)
        if report.opted_out:
            await verdicts.opt_out(
                connection, about["customer"], channel, send=about["id"], gateway=report.gateway, at=now
            )
        if report.complained:
            await verdicts.complained(connection, self._surrogates, about, gateway=report.gateway, at=now)

    async def _prove(self, connection: AsyncConnection, report: Report, about: RowMapping) -> None:
        """Whoever reports on a send has it (F12, F29)."""
        rule = "accepted" if about["state"] == SendState.CLAIMED else "resolved_by_report"
        if await reports.prove(connection, about["id"], report.provider_id, rule):
            facts = {"gateway": report.gateway, "channel": about["channel"]}
            await self._tell(connection, about, SendState.ACCEPTED.value, Decision(rule=rule, facts=facts))

    async def _rise(
        self, connection: AsyncConnection, about: RowMapping, delivery: Delivery, code: str, rule: str = ""
    ) -> None:
        if not await reports.rise(connection, about["id"], delivery, code) or not delivery.final:
            return
        if delivery is Delivery.READ:
            await sends.mark_seen(connection, about["id"], self._clock.now())
        rule, facts = rule or _RULES[delivery], {"gateway": about["gateway"], "code": code or delivery.value}
        await self._tell(connection, about, rule, Decision(rule=rule, facts=facts))

    async def _tell(self, connection: AsyncConnection, about: RowMapping, state: str, decision: Decision) -> None:
        await enrollments.decide(
            connection,
            customer=about["customer"],
            enrollment=about["enrollment"],
            send=about["id"],
            at=self._clock.now(),
            state=state,
            decision=decision,
        )
