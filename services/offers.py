"""Offers: set up by marketers, their codes given to customers one by one, and looked at by the shop's checkout."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import offers
from adapters.database.offers import Counts, Giving
from adapters.offer_codes import CodeMaker
from domain.clock import Clock
from domain.decisions import Decision
from domain.durations import spoken
from domain.errors import Conflict, NotFound, Unavailable
from domain.offers import Discount, Offer, OfferKind, key_of
from services import audit
from services.audit import Actor
from services.catalogue import Catalogue

NOT_SET_UP, NO_CODE_LEFT = "offer_not_set_up", "no_code_left"
ATTEMPTS = 5  # made codes may meet others'; five times in a row is no accident


@dataclass(kw_only=True)
class Added:
    """What became of codes for a pool. `duplicates` are the places of those that were there before, in any offer."""

    added: int = 0
    duplicates: list[int] = field(default_factory=list)


class CodeState(StrEnum):
    """How a code stands at the checkout."""

    VALID = "valid"
    NOT_GIVEN = "not_given"
    EXPIRED = "expired"
    REDEEMED = "redeemed"


@dataclass(frozen=True, kw_only=True)
class CodeNow:
    """A code as it stands, and what it takes off. Not whose it is: a code is shown to whoever has it."""

    code: str
    offer: str
    state: CodeState
    discount: Discount
    valid_until: datetime | None
    redeemed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OfferNow:
    """An offer, and how its codes stand."""

    offer: Offer
    counts: Counts


class Offers:
    """Works in the caller's transaction."""

    def __init__(self, clock: Clock, catalogue: Catalogue, codes: CodeMaker) -> None:
        self._clock, self._catalogue, self._codes = clock, catalogue, codes

    async def set(self, connection: AsyncConnection, offer: Offer, *, actor: Actor) -> OfferNow:
        """Set an offer up, or anew; what waited for that may go."""
        before = await offers.get(connection, offer.name)
        if before != offer:
            await offers.put(connection, offer, self._clock.now())
            said = {"before": _settings(before) if before else None, "after": _settings(offer)}
            await audit.write(connection, actor, "offer.set", kind="offer", subject=offer.name, **said)
            await self.release(connection)
        return await self.get(connection, offer.name)

    async def get(self, connection: AsyncConnection, name: str) -> OfferNow:
        """One offer. Raises NotFound."""
        offer = await offers.get(connection, name)
        if offer is None:
            raise NotFound("offer", name)
        counted = await offers.counts(connection, name, self._clock.now())
        return OfferNow(offer=offer, counts=counted.get(name, Counts()))

    async def every(self, connection: AsyncConnection) -> list[OfferNow]:
        """All offers, by name."""
        counted = await offers.counts(connection, None, self._clock.now())
        return [
            OfferNow(offer=each, counts=counted.get(each.name, Counts())) for each in await offers.every(connection)
        ]

    async def add(self, connection: AsyncConnection, name: str, codes: Sequence[str], *, actor: Actor) -> Added:
        """Put codes into a pool; as many sends as there are now codes, and that wait for one, may go.

        Raises NotFound, and Conflict for an offer whose codes we make.
        """
        offer = (await self.get(connection, name)).offer
        if offer.kind is not OfferKind.POOL:
            raise Conflict(f"The codes of the offer {name} are generated; set its kind to pool before you add any.")
        first = {key: place for place, key in reversed([*enumerate(map(key_of, codes))])}
        new = await offers.add(connection, name, [codes[place] for place in sorted(first.values())])
        if new:
            await audit.write(
                connection, actor, "offer.codes_added", kind="offer", subject=name, after={"codes": len(new)}
            )
            await self.release(connection)
        taken = {first[key] for key in new}
        return Added(added=len(new), duplicates=[place for place in range(len(codes)) if place not in taken])

    async def check(self, connection: AsyncConnection, code: str) -> CodeNow:
        """How a code stands. Raises NotFound."""
        row = await offers.find(connection, code)
        offer = await offers.get(connection, row["offer"]) if row else None
        if row is None or offer is None:
            raise NotFound("code", "as given")
        state = CodeState.VALID
        if row["redeemed_at"]:
            state = CodeState.REDEEMED
        elif row["given_at"] is None:
            state = CodeState.NOT_GIVEN
        elif row["valid_until"] <= self._clock.now():
            state = CodeState.EXPIRED
        return CodeNow(
            code=row["code"],
            offer=offer.name,
            state=state,
            discount=offer.discount,
            valid_until=row["valid_until"],
            redeemed_at=row["redeemed_at"],
        )

    async def give(self, connection: AsyncConnection, offer: Offer, giving: Giving) -> tuple[str, datetime] | Decision:
        """The code of a step and until when it is good, or why there is none. The caller holds the customer's lock.

        The same step gets the same code, however often it asks, and no code goes to two steps.
        """
        row = await offers.given(connection, giving)
        if row is None and offer.kind is OfferKind.POOL:
            row = await offers.take(connection, giving)
        elif row is None:
            for attempt in range(ATTEMPTS):
                made = self._codes.make(offer.name, offer.prefix, giving.send, attempt)
                if row := await offers.write(connection, giving, made):
                    break
            else:
                raise Unavailable(f"no code of the offer {offer.name} could be made; try again")
        if row is None:
            return Decision(rule=NO_CODE_LEFT, facts={"offer": offer.name})
        return row["code"], row["valid_until"]

    async def release(self, connection: AsyncConnection) -> int:
        """Let the messages go that are held for want of a code and have one by now. Answers how many.

        At once when codes are added; and each minute, for whoever came to be held in that very moment, or was let go
        and did not go.
        """
        giving = [(journey.name, each.name, each.offer) for journey, each in self._catalogue.messages() if each.offer]
        return await offers.release(connection, giving, [NOT_SET_UP, NO_CODE_LEFT]) if giving else 0


def _settings(offer: Offer) -> dict[str, object]:
    """For the audit log."""
    discount = {name: value for name, value in asdict(offer.discount).items() if value}
    lasting = spoken(offer.valid_for) if offer.valid_for else None
    return {"kind": offer.kind.value, "prefix": offer.prefix, "discount": discount, "valid_for": lasting}
