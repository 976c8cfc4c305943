"""One send of the ledger, as those who work on it pass it around."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sending import SendRequest
from adapters.database import enrollments
from adapters.database.connection import lock_customer
from domain.decisions import Decision
from domain.messages import Channel
from domain.sends import SendResult, SendState, send_id


@dataclass(frozen=True, kw_only=True)
class Step:
    """A send's id, and the request that it comes from."""

    send: UUID
    request: SendRequest

    @classmethod
    def of(cls, request: SendRequest) -> "Step":
        """The step that a request asks for."""
        return cls(send=send_id(request.enrollment, request.message, request.visit, request.leg), request=request)

    @classmethod
    def in_ledger(cls, row: RowMapping) -> "Step":
        """The step of a ledger's row."""
        request = SendRequest(
            enrollment=row["enrollment"],
            customer=row["customer"],
            message=row["message"],
            visit=row["visit"],
            leg=row["leg"],
        )
        return cls(send=row["id"], request=request)

    async def locked(self, connection: AsyncConnection) -> "Step":
        """Take the customer's lock. Answers this step for whoever that is by now: a walk keeps its first id."""
        customer = await lock_customer(connection, self.request.customer)
        return replace(self, request=replace(self.request, customer=customer))

    async def decide(self, connection: AsyncConnection, state: SendState, decision: Decision, at: datetime) -> None:
        """Store why this send came to stand where it does."""
        await enrollments.decide(
            connection,
            customer=self.request.customer,
            enrollment=self.request.enrollment,
            send=self.send,
            at=at,
            state=state.value,
            decision=decision,
        )


def result_of(row: RowMapping | None) -> SendResult:
    """What the ledger says of a send, as a journey learns it. One that has no row will not have one any more."""
    if row is None or row["state"] is None:
        return SendResult(state=SendState.WITHDRAWN, rule="ended")
    state = SendState(row["state"])
    until = {SendState.DEFERRED: row["slot_at"], SendState.HELD: row["expires_at"]}.get(state)
    channel = Channel(row["channel"]) if row["channel"] else None
    return SendResult(state=state, rule=row["rule"], channel=channel, until=until)
