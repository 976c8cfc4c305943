"""What customers live through in NextPurchase."""

from domain.durations import days
from services.product_reading import ProductToKeep
from tests.support.playback import Playback


async def a_first_order(play: Playback) -> None:
    """A laptop; a month later the bag for it, which nobody wants."""
    await _a_shop(play)
    await play.does("order_placed", about="A-1", product="laptop")
    for each in (days(30), days(14), days(1)):
        await play.after(each)


async def ordered_again_by_themselves(play: Playback) -> None:
    """The second order comes first."""
    await play.does("order_placed", about="A-1")
    await play.after(days(20))
    await play.does("order_placed", about="A-2")
    for each in (days(10), days(20)):
        await play.after(each)


async def a_regular(play: Playback) -> None:
    """Coffee every three weeks; reminded two days before, and there is enough left."""
    await _a_shop(play)
    began = play.clock.now()
    for ago in (63, 42, 21):
        await play.does("order_placed", about=f"A-{ago}", at=began - days(ago), source="import")
    await play.does("order_placed", about="A-0", product="coffee")
    for each in (days(19), days(14), days(1)):
        await play.after(each)


async def returned_before(play: Playback) -> None:
    """Nothing goes with what went back."""
    await play.does("order_placed", about="A-1")
    await play.after(days(10))
    await play.does("order_returned", about="A-1")


async def _a_shop(play: Playback) -> None:
    await play.house.products.keep(
        [
            ProductToKeep(id="laptop", name="Laptop L1", related=["bag", "laptop"]),
            ProductToKeep(id="bag", name="Bag B1", price=39, currency="EUR"),
            ProductToKeep(id="coffee", name="Coffee, 1 kg", price=19, currency="EUR"),
        ]
    )
    await play.gives("accessories15", 15)
