"""Opens and clicks of letters: kept as they come, graded a moment later, and told as events."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from adapters.database import events, hits, sends
from adapters.database.connection import Database, lock_customer
from adapters.database.events import NewEvent, told_once
from adapters.links import Links
from domain.clock import Clock
from domain.errors import NotFound
from domain.events import OURS
from domain.tracking import CLICKED, OPENED, SETTLES_AFTER, Grade, Hit, HitKind, TrackingMode, evidence, judge

_NAMES = {HitKind.CLICK: CLICKED, HitKind.OPEN: OPENED}
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of a letter, and where it leads."""

    send: UUID
    number: int
    target: str


class Tracking:
    """Knows where links lead, and who followed them.

    However often a link is fetched (F40), it costs at most ten rows a day for each kind of sender, and each link of a
    letter tells each grade at most once a day.
    """

    def __init__(self, database: Database, clock: Clock, links: Links, mode: TrackingMode) -> None:
        self._database, self._clock, self._links, self._mode = database, clock, links, mode

    async def read(self, token: str) -> Link:
        """The link behind a token. Changes nothing. Raises NotFound when it is not ours, or kept no longer."""
        send, number = self._links.read_click(token)
        async with self._database.transaction() as connection:
            target = await hits.target(connection, send, number)
        if target is None:
            raise NotFound("link", token[:12])
        return Link(send=send, number=number, target=target)

    async def clicked(self, link: Link, headers: Mapping[str, str]) -> None:
        """Somebody follows a link. Whoever does is on their way, so that a failure to count is only logged."""
        if self._mode is not TrackingMode.OFF:
            await self._keep(link.send, HitKind.CLICK, link.number, headers)

    async def opened(self, token: str, headers: Mapping[str, str]) -> None:
        """Somebody loads a letter's picture. A token that is not ours counts for nothing."""
        try:
            send = self._links.read_open(token)
        except NotFound:
            return
        if self._mode is TrackingMode.FULL:
            await self._keep(send, HitKind.OPEN, 0, headers)

    async def settle_some(self, limit: int = 200) -> int:
        """Grade what is due. Answers how many letters that concerned."""
        async with self._database.autocommit() as connection:
            due = await hits.ungraded(connection, self._clock.now() - SETTLES_AFTER, limit)
        for letter in due:
            await self._settle(letter["id"], letter["customer"])
        if due:
            self._database.wake()
        return len(due)

    async def _keep(self, send: UUID, kind: HitKind, number: int, headers: Mapping[str, str]) -> None:
        at = self._clock.now().replace(microsecond=0)
        try:
            async with self._database.transaction() as connection:
                await hits.keep(connection, send, Hit(kind=kind, number=number, at=at, sign=evidence(kind, headers)))
        except (SQLAlchemyError, OSError) as error:
            log.warning("an open or a click was not counted", extra={"error": type(error).__name__})

    async def _settle(self, send: UUID, customer: str) -> None:
        """Grades, events and "seen" of one letter, in one transaction under its customer's lock."""
        async with self._database.transaction() as connection:
            await lock_customer(connection, customer)  # the letter says whose it is by now
            letter = await hits.letter(connection, send)
            known = await hits.of_letter(connection, send)
            now = self._clock.now()
            graded = list(judge(known, handed_at=letter["called_at"], now=now).values())
            await hits.store_grades(connection, send, graded)
            if letter["erased_at"]:
                return
            told: dict[str, NewEvent] = {}
            for event in (self._event(letter, hit) for hit in graded):
                told.setdefault(event.event_id, event)
            await events.insert(connection, list(told.values()))
            if seen := [hit.at for hit in graded if hit.grade is Grade.HUMAN]:
                await sends.mark_seen(connection, send, min(seen))

    def _event(self, letter: RowMapping, hit: Hit) -> NewEvent:
        said = {
            "send": letter["id"],
            "message": letter["message"],
            "journey": letter["journey"],
            "channel": letter["channel"],
            "grade": hit.grade,
            "reason": hit.reason,
        }
        return told_once(
            f"{hit.kind}:{letter['id']}:{hit.number}:{hit.grade}:{hit.at.date()}",
            customer_id=letter["customer_id"],
            name=_NAMES[hit.kind],
            at=hit.at,
            received_at=self._clock.now(),
            source=OURS,
            about=letter["about"],
            properties=said | ({"link": hit.number} if hit.kind is HitKind.CLICK else {}),
        )
