"""Offers: set up by marketers, and how their codes stand."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints, model_validator

from api.access import CallerHere, allowed
from api.fields import Strict, Words
from api.needs import House
from api.problems import answers
from api.reading import CheckedRoute
from domain.durations import days, minutes, parse_duration, spoken
from domain.errors import InvalidInput
from domain.offers import Discount, Offer, OfferKind
from services.offers import OfferNow

LONGEST = days(366)

router = APIRouter(prefix="/v1", tags=["Shop"], route_class=CheckedRoute)

OfferName = Annotated[
    str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="As `message.toml` names it.", examples=["welcome5"])
]
Lang = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Share = Annotated[float, Field(gt=0, le=100, examples=[5])]
Sum = Annotated[float, Field(gt=0, lt=1e12, description="At most two digits behind the point.")]


class DiscountBody(Strict):
    """What is off: `percent`, or an `amount` in a `currency`; `text`, by language, says it in their place."""

    percent: Share | None = None
    amount: Sum | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])] | None = None
    text: dict[Lang, Annotated[Words, Field(min_length=1)]] = Field(
        default_factory=dict, examples=[{"en": "a gift", "ru": "подарок"}]
    )

    @model_validator(mode="after")
    def _is_one(self) -> "DiscountBody":
        if (self.amount is None) != (self.currency is None):
            raise ValueError("an amount needs its currency, and a currency its amount")
        if (self.percent is None) == (self.amount is None) and not (self.percent is None and self.text):
            raise ValueError("write percent, or amount and currency, or text alone")
        if any(round(each, 2) != each for each in (self.percent, self.amount) if each is not None):
            raise ValueError("at most two digits behind the point")
        return self

    @classmethod
    def of(cls, discount: Discount) -> "DiscountBody":
        """A discount as it is set."""
        return cls(
            percent=None if discount.percent is None else float(discount.percent),
            amount=None if discount.amount is None else float(discount.amount),
            currency=discount.currency,
            text=dict(discount.words),
        )

    def discount(self) -> Discount:
        """What it means."""
        return Discount(
            percent=None if self.percent is None else Decimal(str(self.percent)).quantize(Decimal("0.01")),
            amount=None if self.amount is None else Decimal(str(self.amount)).quantize(Decimal("0.01")),
            currency=self.currency,
            words=self.text,
        )


class OfferBody(Strict):
    """An offer. Its codes are `generated`, or come from a `pool` that you fill."""

    kind: Annotated[OfferKind, Field(strict=False)] = OfferKind.GENERATED
    prefix: Annotated[str, Field(pattern="^[A-Z0-9]{0,12}$", examples=["WELCOME5"])] = Field(
        default="", description="Of generated codes."
    )
    discount: DiscountBody
    valid_for: Annotated[str, Field(max_length=40, examples=["7 days"])] | None = Field(
        default=None,
        description="From when a code is given; whole days last to the end of the customer's day. "
        "Left out: as long as its message is worth sending.",
    )

    def offer(self, name: str) -> Offer:
        """What it means. Raises InvalidInput."""
        return Offer(
            name=name,
            kind=self.kind,
            prefix=self.prefix,
            discount=self.discount.discount(),
            valid_for=self._lasting(),
        )

    def _lasting(self) -> timedelta | None:
        if self.valid_for is None:
            return None
        try:
            lasting = parse_duration(self.valid_for)
        except InvalidInput as error:
            raise InvalidInput([f"valid_for: {problem}" for problem in error.problems]) from None
        if not minutes(1) <= lasting <= LONGEST:
            raise InvalidInput([f"valid_for: must be between 1 minute and {spoken(LONGEST)}"])
        return lasting


class CodesView(BaseModel):
    """How an offer's codes stand. `expired` were given and not used in time; `left` wait in the pool."""

    given: int
    redeemed: int
    expired: int
    left: int | None = Field(description="null where codes are generated.")


class OfferView(BaseModel):
    """An offer as it is set up."""

    offer: str = Field(examples=["welcome5"])
    kind: OfferKind
    prefix: str
    discount: DiscountBody
    valid_for: str | None
    codes: CodesView

    @classmethod
    def of(cls, now: OfferNow) -> "OfferView":
        """As it stands."""
        offer, counts = now.offer, now.counts
        return cls(
            offer=offer.name,
            kind=offer.kind,
            prefix=offer.prefix,
            discount=DiscountBody.of(offer.discount),
            valid_for=spoken(offer.valid_for) if offer.valid_for else None,
            codes=CodesView(
                given=counts.given,
                redeemed=counts.redeemed,
                expired=counts.expired,
                left=counts.left if offer.kind is OfferKind.POOL else None,
            ),
        )


class OffersView(BaseModel):
    """All offers."""

    offers: list[OfferView]


@router.put(
    "/offers/{offer}",
    dependencies=[allowed("offers:write")],
    responses=answers(400, 422),
    summary="Set up an offer",
)
async def set_offer(offer: OfferName, body: OfferBody, house: House, who: CallerHere) -> OfferView:
    """Binds codes that are given from now on. Messages that were held because the offer was not set up may go."""
    wanted = body.offer(offer)
    async with house.database.transaction() as connection:
        answer = OfferView.of(await house.offers.set(connection, wanted, actor=who))
    house.database.wake()
    return answer


@router.get("/offers", dependencies=[allowed("offers:read")], responses=answers(), summary="Which offers are there?")
async def list_offers(house: House) -> OffersView:
    """Every offer, and how its codes stand."""
    async with house.database.transaction() as connection:
        return OffersView(offers=[OfferView.of(each) for each in await house.offers.every(connection)])


@router.get(
    "/offers/{offer}",
    dependencies=[allowed("offers:read")],
    responses=answers(404, 422),
    summary="How does an offer stand?",
)
async def get_offer(offer: OfferName, house: House) -> OfferView:
    """How many codes were given, used, and not used in time."""
    async with house.database.transaction() as connection:
        return OfferView.of(await house.offers.get(connection, offer))
