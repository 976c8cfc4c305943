"""Invented customers for the demo: each has a temper, and acts on the API as a shop's systems would."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

ARRIVE_WITHIN = 20.0  # real seconds
NAMES = {
    "en": (
        ("Anna", "Alice", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Jack", "Kate", "Leo", "Mia", "Noah"),
        ("Adams", "Baker", "Clark", "Davies", "Evans", "Foster", "Green", "Hill", "King", "Lewis", "Moore", "Owen"),
    ),
    "ru": (
        ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Илья", "Ксения", "Лев", "Мария", "Никита"),
        ("Ким", "Лем", "Шевченко", "Коваль", "Бондаренко", "Мороз", "Новик", "Кравец", "Гончар", "Литвин", "Савич"),
    ),
}
PRODUCTS = {
    "en": ("Red kettle", "Blue teapot", "Two cups", "Linen towel", "Oak tray", "Glass jar"),
    "ru": ("Красный чайник", "Синий заварник", "Две чашки", "Льняное полотенце", "Дубовый поднос", "Стеклянная банка"),
}
YES = {"status": "granted", "source": "checkout"}
ZONES = ("Europe/Berlin", "Europe/London", "Asia/Almaty", "Europe/Lisbon", "Asia/Tbilisi", "America/New_York")


@dataclass(frozen=True)
class Deed:
    """Something a customer does, this many days after arriving."""

    day: float
    name: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Temper:
    """How a kind of customer behaves. `share` is their weight in the crowd; a day may vary by a fifth.

    They come with an order, unless they come with a cart.
    """

    share: int
    deeds: tuple[Deed, ...]
    consents: bool = True
    cart: bool = False


TEMPERS = {
    "comes back for the cart": Temper(12, (Deed(0.4, "order_placed"), Deed(4, "activated")), cart=True),
    "empties the cart": Temper(4, (Deed(0.3, "cart_emptied"),), cart=True),
    "forgets the cart": Temper(14, (), cart=True),
    "takes to it at once": Temper(20, (Deed(0.7, "feature_used"), Deed(2.5, "activated"))),
    "uses it, slowly": Temper(15, (Deed(1.2, "feature_used"), Deed(6, "activated"))),
    "gets there on day 4": Temper(10, (Deed(4, "activated"),)),
    "gets stuck, then gets there": Temper(12, (Deed(0.8, "setup_stuck"), Deed(3, "activated"))),
    "gets stuck and goes quiet": Temper(8, (Deed(1.5, "setup_stuck"),)),
    "stays silent": Temper(20, ()),
    "wants no letters after the second": Temper(10, (Deed(3, "opted_out"),)),
    "wants no email": Temper(3, (Deed(1.5, "opted_out", {"channel": "email"}),)),
    "never said yes to letters": Temper(5, (), consents=False),
}


class Crowd:
    """People who arrive over the first seconds and then live their lives. The same every time, by its seed."""

    def __init__(self, api: str, key: str, *, day: float, people: int = 200, seed: int = 7) -> None:
        """`day` is how long a business day lasts, in real seconds."""
        self._day, self._people, self._random = day, people, random.Random(seed)  # noqa: S311  nothing secret
        self._client = httpx.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self._done = 0

    async def live(self, arrived: Callable[[int], None]) -> None:
        """Everybody's life, side by side. `arrived` hears how many have come so far."""
        tempers = self._random.choices(
            list(TEMPERS.values()), weights=[temper.share for temper in TEMPERS.values()], k=self._people
        )
        lives = [
            asyncio.create_task(self._life(number, temper, ARRIVE_WITHIN * number / self._people, arrived))
            for number, temper in enumerate(tempers)
        ]
        try:
            await asyncio.gather(*lives)
        finally:
            for life in lives:
                life.cancel()
            await self._client.aclose()

    async def _life(self, number: int, temper: Temper, arrives: float, arrived: Callable[[int], None]) -> None:
        luck = random.Random(number)  # noqa: S311  their own, so that one life does not change another
        await asyncio.sleep(arrives)
        language = luck.choice(("en", "ru"))
        first, last = (luck.choice(names) for names in NAMES[language])
        customer = f"customer-{number:03}"
        profile = {
            "email": f"{customer}@example.com",
            "phone": f"+1555010{number:04}",
            "locale": language,
            "timezone": luck.choice(ZONES),
            "attributes": {"first_name": first, "last_name": last},
            "consents": dict.fromkeys(("email", "whatsapp", "sms"), YES) if temper.consents else {},
        }
        await self._tell("PUT", f"/v1/customers/{customer}", profile)
        cart = {"cart": f"C-{number:05}", "products": luck.sample(PRODUCTS[language], 2)}
        await self._does(customer, Deed(0, "cart_updated") if temper.cart else Deed(0, "order_placed"), cart)
        self._done += 1
        arrived(self._done)
        since = 0.0
        for deed in temper.deeds:
            await asyncio.sleep((deed.day - since) * self._day * luck.uniform(0.8, 1.2))
            since = deed.day
            await self._does(customer, deed, cart)

    async def _does(self, customer: str, deed: Deed, cart: Mapping[str, object]) -> None:
        of_the_cart = cart if deed.name in ("cart_updated", "cart_emptied", "order_placed") else {}
        event = {
            "event_id": f"{customer}-{deed.name}",
            "customer_id": customer,
            "name": deed.name,
            "source": "demo",
            "properties": {**of_the_cart, **deed.properties},
        }
        await self._tell("POST", "/v1/events", {"events": [event]})

    async def _tell(self, method: str, path: str, body: object) -> None:
        answer = await self._client.request(method, path, json=body)
        answer.raise_for_status()
