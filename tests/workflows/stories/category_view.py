"""What customers live through in CategoryView."""

from domain.durations import days, hours
from services.product_reading import ProductToKeep
from tests.support.playback import Playback

LAPTOPS = [
    ("Dear", 2000, 4.9),
    ("Good", 900, 4.7),
    ("Cheap", 400, 3.1),
    ("Poor", 800, 2.0),
    ("Plain", 700, 4.0),
    ("Worst", 1900, 1.0),
]


async def looks_and_leaves(play: Playback) -> None:
    """Looks at laptops, once more an hour later, and that is all."""
    await _a_shop(play)
    await play.does("category_viewed", category="laptops")
    await play.after(hours(1))
    await play.does("category_viewed", category="laptops")
    for each in (hours(3), days(3)):
        await play.after(each)


async def looks_and_chooses(play: Playback) -> None:
    """Has put one into the cart before we say a word."""
    await play.does("category_viewed", category="laptops")
    await play.after(hours(1))
    await play.does("cart_updated", about="C-1", product="Good")


async def looks_and_orders(play: Playback) -> None:
    """The shortlist helps."""
    await _a_shop(play)
    await play.does("category_viewed", category="laptops")
    await play.after(hours(3))
    await play.does("order_placed", about="A-1", product="Good")


async def _a_shop(play: Playback) -> None:
    await play.house.products.keep(
        [
            ProductToKeep(id=name, name=name, category="laptops", price=price, currency="EUR", rating=rating)
            for name, price, rating in LAPTOPS
        ]
    )
