"""What a marketer has set up before a story begins: an offer with codes, and what there is to read."""

from decimal import Decimal

from domain.offers import Discount, Offer, OfferKind
from services.product_reading import ProductToKeep
from tests.support.factories import STAFF
from tests.support.playback import Playback


async def an_offer(play: Playback, name: str) -> None:
    """Ten per cent off, by codes that are made."""
    offer = Offer(name=name, kind=OfferKind.GENERATED, prefix=name.upper()[:8], discount=Discount(percent=Decimal(10)))
    async with play.house.database.transaction() as connection:
        await play.house.offers.set(connection, offer, actor=STAFF)


async def content(play: Playback, *categories: str) -> None:
    """Two things to read in each of these categories of the product feed."""
    things = [
        ProductToKeep(id=f"{category}-{number}", name=f"{category.title()} {number}", category=category)
        for category in categories
        for number in (1, 2)
    ]
    await play.house.products.keep(things)


async def reads_actively(play: Playback) -> None:
    """A lively week: engaged enough for a letter in each."""
    for _ in range(4):
        await play.does("downloaded")


async def a_setting(play: Playback, journey: str, **options: object) -> None:
    """What a marketer set of a journey."""
    async with play.house.database.transaction() as connection:
        await play.house.catalogue.set_options(connection, journey, dict(options), actor=STAFF)
