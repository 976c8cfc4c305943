"""Messages of the tests' own journeys that show products and give codes, and a small shop."""

import shutil
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.templates import MESSAGES, MessageLibrary
from domain.messages import Channel
from domain.offers import Discount, Offer, OfferKind
from services.product_reading import ProductToKeep
from tests.services.bench import Bench, folders
from tests.support.factories import STAFF

_TOML = """
purpose = "{purpose}"
goal = "The customer finds what they need."
channels = {channels}
shelf_life = "3 days"
limit = {{ times = 1000, within = "30 days" }}
{offer}
[why]
en = "You asked for it."
ru = "Вы об этом просили."
{products}
"""
_SHOWN = "{{ p.name }}{% if p.price %} {{ p.price }}{% endif %}{% if not p.available %} (gone){% endif %};"
_CODE = "{{ code.text }} {{ code.discount }} {{ code.valid_until }}"

# folder: purpose, channels, offer, lists, text
MESSAGES_OF_THE_SHOP = {
    "trial/top": ("value", ["email"], "", '[products]\nbest = { of = "category", most = 3, by = "value" }', "best"),
    "trial/extras": (
        "offer", ["email"], "", '[products]\nextras = { of = "accessories", most = 2, at_least = 1 }', "extras",
    ),
    "trial/receipt": ("transactional", ["email"], "", '[products]\nbought = { of = "event" }', "bought"),
    "cart/waits": ("offer", ["email"], "", '[products]\ncart = { of = "event", most = 2 }', "cart"),
    "trial/coupon": ("offer", ["email", "sms"], 'offer = "welcome5"', "", ""),
}  # fmt: skip


def write_shop(folder: Path) -> MessageLibrary:
    """The messages, in their folders, compiled."""
    shutil.copytree(MESSAGES, folder, ignore=folders)
    for name, (purpose, channels, offer, products, shown) in MESSAGES_OF_THE_SHOP.items():
        message = folder / name
        message.mkdir(parents=True)
        toml = _TOML.format(purpose=purpose, channels=channels, offer=offer, products=products)
        (message / "message.toml").write_text(toml, encoding="utf-8")
        text = f"[{{% for p in products.{shown} %}}{_SHOWN}{{% endfor %}}]" if shown else _CODE
        for locale in ("en", "ru"):
            letter = f"subject: Shop\n\n<mj-text><p>{text}</p></mj-text>\n"
            (message / f"email.{locale}.mjml").write_text(letter, encoding="utf-8")
            if "sms" in channels:
                (message / f"sms.{locale}.txt").write_text(text, encoding="utf-8")
    return MessageLibrary(folder)


def a_product(product: str, price: float | None = None, **more: Any) -> ProductToKeep:
    """A product in euro, unless it has no price."""
    money = {} if price is None else {"price": price, "currency": "EUR"}
    return ProductToKeep(**{"id": product, "name": product, **money, **more})


async def a_shop(bench: Bench) -> None:
    """Laptops, and what goes with them."""
    laptops = {"category": "laptops", "related": ["bag", "mouse", "gone-dock", "old-case", "hub"]}
    await bench.products.keep(
        [
            a_product("dear", 2000, rating=4.9, **laptops),
            a_product("good", 900, rating=4.7, name={"en": "Good one", "ru": "Хороший"}, **laptops),
            a_product("cheap", 400, rating=3.1, **laptops),
            a_product("poor", 800, rating=2.0, **laptops),
            a_product("sold-out", 300, rating=5, stock=0, **laptops),
            a_product("withdrawn", 200, rating=5, **laptops),
            a_product("cup", 5, category="cups"),
            a_product("bag", 1299.9),
            a_product("mouse", 20, name={"en": "Mouse", "ru": "Мышь"}),
            a_product("gone-dock", 70, available=False),
            a_product("old-case", 7),
            a_product("hub", 40),
        ]
    )
    await bench.products.withdraw("withdrawn")
    await bench.products.withdraw("old-case")


async def an_offer(bench: Bench, *codes: str, kind: str = "pool", valid_for: timedelta | None = None) -> None:
    """The offer of the message *coupon*: five per cent, by a pool of these codes."""
    offer = Offer(
        name="welcome5",
        kind=OfferKind(kind),
        prefix="WELCOME5",
        discount=Discount(percent=Decimal(5)),
        valid_for=valid_for,
    )
    async with bench.database.transaction() as connection:
        await bench.offers.set(connection, offer, actor=STAFF)
        if codes:
            await bench.offers.add(connection, offer.name, codes, actor=STAFF)


async def written(bench: Bench, enrollment: str, message: str, *, visit: int = 1) -> str:
    """What the letter said beneath the company's name, as the ledger keeps it."""
    row = await bench.ledger(enrollment, message, visit=visit)
    return _beneath_the_name(row["rendered"]["text"])


def _beneath_the_name(text: str) -> str:
    return [line for line in text.replace("\u00a0", " ").splitlines() if line][1]


async def previewed(bench: Bench, message: str, event: dict[str, object]) -> str:
    """What a letter to a Russian would say, for those who look at it."""
    declared = bench.library.message("trial", message)
    shop = await bench.shop.preview(declared, locale="ru", event=event)
    nobody: dict[str, Any] = {"attributes": {}, "locale": "ru"}
    seen = bench.letters.render(
        "trial", message, Channel.EMAIL, nobody, unsubscribe="", preferences="", event=event, shop=shop
    )
    return _beneath_the_name(seen.text)


async def ordered(bench: Bench, *products: str, at: datetime | None = None, **more: Any) -> None:
    """Anna ordered these."""
    await bench.does("order_placed", products=list(products), at=at or bench.clock.now(), **more)
