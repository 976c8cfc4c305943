"""The sandbox outbox: the default gateway of every channel. It keeps each message in a table, for all to see."""

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import text

from adapters.database.connection import Database
from domain.clock import Clock
from domain.deliveries import Letter, Lost, Receipt, Trace
from domain.messages import Channel


class SandboxGateway:
    """Delivers into `sandbox_outbox`. A send id is taken once, so nothing can be delivered twice."""

    name = "sandbox"
    can_look_up = True

    def __init__(self, channel: Channel, database: Database, clock: Clock) -> None:
        self._channel, self._database, self._clock = channel, database, clock

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["SandboxGateway"]:
        """Ready at once."""
        yield self

    async def deliver(self, letter: Letter) -> Receipt:
        """Keep the message, unless its customer is erased meanwhile; FOR SHARE waits for an erasure, or it for us."""
        async with self._database.transaction() as connection:
            await connection.execute(
                text("""
                    INSERT INTO sandbox_outbox (send, at, channel, recipient, subject, html, text)
                    SELECT s.id, :at, :channel, :recipient, :subject, :html, :text
                    FROM sends s JOIN customers c ON c.id = s.customer
                    WHERE s.id = :send AND c.erased_at IS NULL FOR SHARE OF c
                    ON CONFLICT (send) DO NOTHING
                """),
                {
                    "send": letter.send_id,
                    "at": self._clock.now(),
                    "channel": self._channel.value,
                    "recipient": letter.to,
                    "subject": letter.subject,
                    "html": letter.html,
                    "text": letter.text,
                },
            )
        return Receipt(outcome="accepted", detail="kept in the sandbox outbox", provider_id=str(letter.send_id))

    async def look_up(self, lost: Lost) -> Trace:
        """Whether a claimed message was kept after all."""
        async with self._database.transaction() as connection:
            query = text("SELECT 1 FROM sandbox_outbox WHERE send = :send")
            rows = await connection.execute(query, {"send": lost.send_id})
            if rows.first():
                return Trace(outcome="accepted", provider_ids=(str(lost.send_id),))
            return Trace(outcome="absent")
