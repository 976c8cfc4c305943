"""The blast radius of a bulk: who would enter, who would not and why, and how much they would get. Changes nothing."""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import bulks, customers, erasures
from adapters.database.bulks import Line
from adapters.surrogates import Surrogates
from domain.bulk import DAY, FORECAST, NAMED_TWICE, UNKNOWN, BulkState, volume
from domain.clock import Clock
from domain.contact_policy import ContactPolicy
from domain.decisions import Decision
from domain.errors import InvalidInput
from domain.journeys import Declaration
from domain.messages import Channel, Message
from services import audit
from services.audiences import Asked, Members, audience_of
from services.audit import Actor
from services.catalogue import Catalogue
from services.entering import Candidate, Reach, against, candidates, unreached
from services.policies import Policies

AT_ONCE = 500  # customers that one look reads: others wait while it is thought about
STORED_AT_ONCE = 5000
DRAFTS_LAST = 30 * DAY


class BulkDrafting:
    """Drafts bulks in the caller's transaction. It looks without locks: each is decided again when they enter."""

    def __init__(
        self,
        clock: Clock,
        catalogue: Catalogue,
        surrogates: Surrogates,
        reach: Reach,
        policies: Policies,
        segments: Members,
    ) -> None:
        self._clock, self._catalogue, self._surrogates = clock, catalogue, surrogates
        self._reach, self._policies, self._segments = reach, policies, segments

    async def draft(
        self,
        connection: AsyncConnection,
        journey: str,
        asked: Asked,
        *,
        options: dict[str, object],
        per_second: float,
        actor: Actor,
    ) -> str:
        """Freeze an audience and say what would become of it. Answers the bulk's id.

        Raises NotFound for an unknown journey or segment, and InvalidInput.
        """
        declaration, now = self._catalogue.journey(journey), self._clock.now()
        full = await self._catalogue.options(connection, journey, options)
        audience = await audience_of(connection, asked, self._segments)
        _check_abouts(declaration, audience.customers)
        messages = self._catalogue.messages_of(journey)
        look = _Look(
            declaration,
            messages,
            await self._policies.in_force(connection),
            reach=self._reach,
            surrogates=self._surrogates,
            now=now,
        )
        for first in range(0, len(audience.customers), AT_ONCE):
            await look.at(connection, audience.customers[first : first + AT_ONCE])
        entering, out = look.entering, look.left_out
        count = len(entering) + len(out)
        habit = await bulks.habit(connection, journey, before=now - FORECAST * DAY, days=FORECAST)
        forecast = volume(len(entering), per_second, messages, look.policy, declaration.plan.kind, habit)
        await bulks.forget_drafts(connection, now - DRAFTS_LAST)
        bulk = await bulks.insert(
            connection,
            {
                "journey": journey,
                "source": audience.source,
                "options": full,
                "state": BulkState.DRAFTED.value,
                "audience": count,
                "entering": len(entering),
                "reachable": {channel.value: count for channel, count in look.reached.most_common()},
                "volume": asdict(forecast),
                "per_second": per_second,
                "actor": actor.id,
                "actor_name": actor.name,
                "drafted_at": now,
            },
        )
        # In an order that nobody chose, so that those who enter first are a fair sample of all.
        random.Random(bulk).shuffle(entering)  # noqa: S311  nothing secret
        ordered = entering + out
        for first in range(0, len(ordered), STORED_AT_ONCE):
            await bulks.insert_lines(connection, bulk, ordered[first : first + STORED_AT_ONCE], first=first + 1)
        said = {"journey": journey, "audience": count, "entering": len(entering)}
        await audit.write(connection, actor, "bulk.drafted", kind="bulk", subject=bulk, after=said)
        return bulk


class _Look:
    """A look at some after others: who is to enter, who is left out, and how many each channel may reach."""

    def __init__(
        self,
        declaration: Declaration,
        messages: Sequence[Message],
        policy: ContactPolicy,
        *,
        reach: Reach,
        surrogates: Surrogates,
        now: datetime,
    ) -> None:
        self._declaration, self._messages, self.policy = declaration, messages, policy
        self._reach, self._surrogates, self._now = reach, surrogates, now
        self.entering: list[Line] = []
        self.left_out: list[Line] = []
        self.reached = Counter[Channel]()
        self._seen: set[tuple[str, str]] = set()

    async def at(self, connection: AsyncConnection, named: Sequence[tuple[str, str]]) -> None:
        """Sort some of those who are named, each with what it is about."""
        ours = await customers.ours(connection, [customer_id for customer_id, _ in named])
        keys = {self._surrogates.customer(each): each for each, _ in named if each not in ours}
        erased = {keys[key]: row["customer"] for key, row in (await erasures.latest(connection, list(keys))).items()}
        found = await candidates(connection, self._declaration.name, sorted(set(ours.values())))
        may_reach = await self._reach.of(connection, self._messages, self.policy, found)
        for customer_id, about in named:
            customer = ours.get(customer_id)
            if customer is None and customer_id in erased:  # what was erased is not written down again
                gone = Decision(rule="journey_erased", facts={"journey": self._declaration.name})
                self.left_out.append(Line(f"erased:{erased[customer_id]}", "", None, gone))
            elif customer is None:
                self.left_out.append(Line(customer_id, about, None, Decision(rule=UNKNOWN)))
            elif (customer, about) in self._seen:  # by another one of the company's ids
                self.left_out.append(Line(customer_id, about, None, Decision(rule=NAMED_TWICE)))
            else:
                self._seen.add((customer, about))
                self._sort(Line(customer_id, about, customer, None), found[customer], may_reach[customer])

    def _sort(self, line: Line, candidate: Candidate, channels: Collection[Channel]) -> None:
        refusal = against(self._declaration, line.about, candidate, now=self._now)
        if refusal is None and self._messages and not channels:
            refusal = unreached(self._declaration.name)
        if refusal:
            self.left_out.append(line._replace(decision=refusal))
        else:
            self.entering.append(line)
            self.reached.update(channels)


def _check_abouts(declaration: Declaration, named: Sequence[tuple[str, str]]) -> None:
    journey, about = declaration.name, declaration.plan.about
    if about and (silent := sum(1 for _, each in named if not each)):
        raise InvalidInput(
            [f"about: {journey} is about a {about}, and {silent} lines name none; send CSV with customer_id,about"]
        )
    if not about and any(each for _, each in named):
        raise InvalidInput([f"about: {journey} is not about any one thing; leave it out"])
