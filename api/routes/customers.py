"""Customers: their profiles, their consents, and everything that happened to them."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import CallerHere, allowed
from api.customer_view import CustomerView
from api.fields import (
    Attributes,
    CompanyId,
    Currency,
    CustomerInPath,
    Email,
    Instant,
    Locale,
    Phone,
    Strict,
    Words,
    Zone,
)
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.ads import ADS
from domain.companies import BuyingRole
from domain.customers import EVERY_CHANNEL, Consent, ConsentRequest, ConsentStatus
from domain.errors import InvalidInput
from domain.messages import Channel
from services.audit import Actor
from services.customers import PROFILE, Change
from services.timeline import Page

Scope = Literal["email", "sms", "whatsapp", "telegram", "web_push", "in_app", "all", "all/ads"]
AHEAD = timedelta(minutes=5)  # two clocks may differ by so much

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["Customers"], route_class=CheckedRoute)


PENDING = "pending"


class ConsentGiven(Strict):
    """A customer's word about a channel. `pending` is none yet: a letter asks them, and until they confirm it nothing
    is allowed (double opt-in); for `email` alone.
    """

    status: Literal["granted", "denied", "pending"]
    at: Instant | None = Field(default=None, description="When it was given; left out: now.")
    source: Annotated[Words, Field(min_length=1, max_length=100)] = Field(
        default="api", description="Through what: a form, a call, a shop."
    )
    wording: Annotated[Words, Field(max_length=2000)] = Field(default="", description="What they were asked.")
    proof: Annotated[Words, Field(max_length=500)] = Field(default="", description="Where that can be seen again.")


class NeedsCard(Strict):
    """What a business customer wants (S9). A field of null is taken off the card."""

    need: Annotated[Words, Field(max_length=1000)] | None = None
    budget: Annotated[float, Field(ge=0, le=1e12, strict=False)] | None = None
    currency: Currency | None = None
    decision_date: Annotated[date, Field(strict=False)] | None = Field(default=None, examples=["2026-06-30"])
    criteria: Annotated[Words, Field(max_length=1000)] | None = Field(default=None, description="What they decide by.")
    competitors: Annotated[Words, Field(max_length=500)] | None = None
    next_step: Annotated[Words, Field(max_length=500)] | None = None


class Profile(Strict):
    """What to know of a customer. `consents` are by channel, or about all of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "email": "anna@example.com",
                "phone": "+4930901820",
                "locale": "en",
                "timezone": "Europe/Berlin",
                "attributes": {"first_name": "Anna", "plan": "team"},
                "owner": "mira@acme.example",
                "needs": {"need": "Fewer lost leads", "budget": 5000, "currency": "EUR", "decision_date": "2026-06-30"},
                "consents": {"email": {"status": "granted", "at": "2026-03-02T10:00:00Z", "source": "sign-up form"}},
            }
        }
    )

    email: Email | None = None
    phone: Phone | None = None
    locale: Locale | None = None
    timezone: Zone | None = None
    preferred_channel: Annotated[Channel, Field(strict=False)] | None = Field(
        default=None, description="Which channel a cascade tries first."
    )
    attributes: Attributes | None = Field(default=None, description="Your own facts, at most 32 KiB altogether.")
    owner: Email | None = Field(default=None, description="The colleague who looks after them.")
    company_id: CompanyId | None = Field(default=None, description="Your own id of the company that they decide for.")
    buying_role: Annotated[BuyingRole, Field(strict=False)] | None = Field(
        default=None, description="What part they have in their company's decision."
    )
    needs: NeedsCard | None = Field(default=None, description="What they want, what they can pay, by when.")
    consents: dict[Scope, ConsentGiven] = Field(
        default_factory=dict, description="`all/ads` is about ads elsewhere, and needs a yes of its own."
    )

    def change(self, now: datetime, by: Actor) -> Change:
        """What this asks for. Raises InvalidInput for a consent of the future."""
        given = {scope: each.at or now for scope, each in self.consents.items()}
        words = {scope: each for scope, each in self.consents.items() if each.status != PENDING}
        if wrong := [scope for scope in self.consents.keys() - words.keys() if scope != "email"]:
            raise InvalidInput([f"consents.{scope}.status: only email can be confirmed by a letter" for scope in wrong])
        if late := [scope for scope, at in given.items() if at > now + AHEAD]:
            raise InvalidInput([f"consents.{scope}.at: is in the future" for scope in late])
        return Change(
            columns={name: getattr(self, name) for name in PROFILE if name in self.model_fields_set},
            attributes=self.attributes if "attributes" in self.model_fields_set else None,
            needs=self._needs(),
            consents={
                scope: Consent(
                    status=ConsentStatus(each.status),
                    at=given[scope],
                    source=each.source,
                    wording=each.wording,
                    proof=each.proof,
                )
                for scope, each in words.items()
            },
            requests={
                scope: ConsentRequest(at=given[scope], source=each.source, wording=each.wording, proof=each.proof)
                for scope, each in self.consents.items()
                if scope not in words
            },
            by=by,
        )

    def _needs(self) -> dict[str, Any] | None:
        """What is said of the needs card. A card of null has nothing on it; one that is left out stays."""
        if "needs" not in self.model_fields_set:
            return None
        if self.needs is None:
            return dict.fromkeys(NeedsCard.model_fields)
        return self.needs.model_dump(mode="json", exclude_unset=True)


assert {*get_args(Scope)} == {*Channel, EVERY_CHANNEL, ADS}  # noqa: S101  a new channel is a new key of consents


class EntryView(BaseModel):
    """One line of a timeline. `text` is the whole sentence; the rest are its facts."""

    model_config = ConfigDict(extra="allow")

    at: datetime
    kind: Literal["event", "send", "enrollment", "task", "decision"]
    state: str = Field(description="What kind of line: an event's name, or for example deferred, accepted, entered.")
    text: str = Field(
        examples=["“basics” waits. Quiet hours from 21:00 to 09:00 in Europe/Berlin; it may go at 03 Mar 09:12"]
    )


class TimelineView(BaseModel):
    """A page of a timeline, newest first. `cursor` asks for the page before; null on the last one."""

    entries: list[EntryView]
    timezone: str
    cursor: str | None

    @classmethod
    def of(cls, page: Page) -> "TimelineView":
        """A page."""
        entries: list[Any] = [
            {**e.details, "at": e.at, "kind": e.kind, "state": e.state, "text": e.text} for e in page.entries
        ]
        return cls.model_validate({"entries": entries, "timezone": page.zone, "cursor": page.cursor})


@router.get("", dependencies=[allowed("customers:read")], responses=answers(404), summary="Look at a customer")
async def read_customer(customer_id: CustomerInPath, house: House) -> CustomerView:
    """Profile and consents as they stand now."""
    async with house.database.transaction() as connection:
        return CustomerView.of(await house.customers.get(connection, customer_id), house.clock.now())


@router.put(
    "",
    dependencies=[allowed("customers:write")],
    responses={201: {"model": CustomerView, "description": "A new customer"}, **answers(400, 409, 413, 422)},
    summary="Set a customer's whole profile",
)
async def put_customer(
    customer_id: CustomerInPath, body: Profile, house: House, who: CallerHere, response: Response
) -> CustomerView:
    """Replaces the profile: what you leave out is cleared. Creates a customer whom we do not know yet.

    Consents that you do not name stay as they are, and an older word never replaces a newer one.
    """
    change = body.change(house.clock.now(), who)
    async with house.database.transaction() as connection:
        now = await house.customers.replace(connection, customer_id, change)
    house.database.wake()
    response.status_code = 201 if now.created else 200
    return CustomerView.of(now, house.clock.now())


@router.patch(
    "",
    dependencies=[allowed("customers:write")],
    responses=answers(400, 404, 409, 413, 422),
    summary="Change some of a customer's profile",
)
async def patch_customer(customer_id: CustomerInPath, body: Profile, house: House, who: CallerHere) -> CustomerView:
    """Changes what you name and leaves the rest. null clears a field; an attribute set to null is removed."""
    change = body.change(house.clock.now(), who)
    async with house.database.transaction() as connection:
        now = await house.customers.change(connection, customer_id, change)
    house.database.wake()
    return CustomerView.of(now, house.clock.now())


@router.get(
    "/timeline",
    dependencies=[allowed("customers:read")],
    responses=answers(404, 422),
    summary="Why did they get this, and why not that?",
)
async def read_timeline(
    customer_id: CustomerInPath,
    house: House,
    cursor: Annotated[str | None, Query(max_length=300, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    locale: Annotated[Literal["en", "ru"], Query(description="The language of the sentences.")] = "en",
) -> TimelineView:
    """Everything about one customer, newest first: events, messages sent and not sent with the reason, journeys
    entered and ended, tasks. Instants inside the sentences are in the customer's time zone.
    """
    async with house.database.transaction() as connection:
        page = await house.timeline.read(connection, customer_id, locale=locale, cursor=cursor, limit=limit)
    return TimelineView.of(page)
