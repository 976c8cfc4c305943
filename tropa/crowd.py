"""Invented customers for the demo: each has a temper, and acts on the API as a shop's systems would."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tropa.goods import COMPANIES, CURRENCY, OFFERS, PRODUCTS, SITE, SOLD
from tropa.tempers import TELLS, TEMPERS, Deed, Temper

ARRIVE_WITHIN = 40.0  # real seconds
AT_WORK_EVERY = 0.5  # days
ANNOUNCED_ON = 7  # day
COMES_BY = (3, 6)  # days between visits of who has done all that they came for
STAYS = 0.8  # how likely another visit is
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
YES = {"status": "granted", "source": "checkout"}
ZONES = ("Europe/Berlin", "Europe/London", "Asia/Almaty", "Europe/Lisbon", "Asia/Tbilisi", "America/New_York")
SURVEYS = {
    "how_did_it_start": "onboarding",
    "how_was_this_order": "purchase_nps",
    "did_we_help": "support",
}
"""What each letter that asks something asks."""

Life = Mapping[str, Any]
"""What a customer's deeds are about: their cart, their order, what is in it."""


class Crowd:
    """People who arrive over the first seconds and then live their lives. The same every time, by its seed."""

    def __init__(
        self,
        api: str,
        key: str,
        *,
        day: float,
        people: int = 200,
        arrive_within: float = ARRIVE_WITHIN,
        seed: int = 7,
    ) -> None:
        """`day` is how long a business day lasts, in real seconds."""
        self._day, self._people, self._random = day, people, random.Random(seed)  # noqa: S311  nothing secret
        self._arrive_within = arrive_within
        self._client = httpx.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self._done = 0

    async def live(self, arrived: Callable[[int], None]) -> None:
        """Open the shop, then everybody's life, side by side. `arrived` hears how many have come so far."""
        kinds = list(TEMPERS.values())
        first = self._random.sample(kinds, min(len(kinds), self._people))  # one of each kind, whatever the weights
        tempers = first + self._random.choices(
            kinds, weights=[temper.share for temper in kinds], k=self._people - len(first)
        )
        lives: list[asyncio.Task[None]] = []
        try:
            await self._open()
            lives = [
                asyncio.create_task(self._life(number, temper, self._arrive_within * number / self._people, arrived))
                for number, temper in enumerate(tempers)
            ]
            lives += [asyncio.create_task(self._staff()), asyncio.create_task(self._announces())]
            await asyncio.gather(*lives)
        finally:
            for life in lives:
                life.cancel()
            await self._client.aclose()

    async def _open(self) -> None:
        await self._tell("POST", "/v1/products", {"products": PRODUCTS})
        for offer, said in OFFERS.items():
            await self._tell("PUT", f"/v1/offers/{offer}", said)
        for company, said in COMPANIES.items():
            await self._tell("PUT", f"/v1/companies/{company}", said)

    async def _life(self, number: int, temper: Temper, arrives: float, arrived: Callable[[int], None]) -> None:
        luck = random.Random(number)  # noqa: S311  their own, so that one life does not change another
        await asyncio.sleep(arrives)
        customer = f"customer-{number:03}"
        await self._tell("PUT", f"/v1/customers/{customer}", _profile(customer, number, temper, luck))
        life = _about(number, luck)
        since = 0.0
        for which, deed in enumerate(temper.deeds):
            await asyncio.sleep((deed.day - since) * self._day * luck.uniform(0.8, 1.2))
            since = deed.day
            await self._does(customer, which, deed, life)
            if which == 0:
                self._done += 1
                arrived(self._done)
        which = len(temper.deeds)
        while luck.random() < STAYS:
            await asyncio.sleep(luck.uniform(*COMES_BY) * self._day)
            await self._does(customer, which, Deed(0, "page_viewed", {"page": "home"}), life)
            which += 1

    async def _does(self, customer: str, which: int, deed: Deed, life: Life) -> None:
        said = {name: life[name] for name in TELLS.get(deed.name, ())} | dict(deed.properties)
        if deed.name == "survey_answered":
            asked = await self._asked(customer)
            if asked is None:
                return
            said |= asked
        event = {
            "event_id": f"{customer}-{which}",
            "customer_id": customer,
            "name": deed.name,
            "source": "demo",
            "about": said.pop("order", said.get("cart", "")),
            "properties": said,
        }
        await self._tell("POST", "/v1/events", {"events": [event]})

    async def _asked(self, customer: str) -> dict[str, str] | None:
        """The last thing that we asked a customer, as the answer names it."""
        timeline = await self._tell("GET", f"/v1/customers/{customer}/timeline?limit=100")
        for entry in timeline["entries"]:
            if entry["kind"] == "send" and entry["state"] == "accepted" and entry["message"] in SURVEYS:
                return {"survey": SURVEYS[entry["message"]], "send": entry["send"]}
        return None

    async def _staff(self) -> None:
        """Colleagues, who do most of what they are asked to."""
        luck, seen = random.Random(1), set()  # noqa: S311
        while True:
            await asyncio.sleep(AT_WORK_EVERY * self._day)
            for task in (await self._tell("GET", "/v1/tasks?limit=50"))["tasks"]:
                if task["id"] not in seen:
                    seen.add(task["id"])
                    outcome = luck.choice(("done", "done", "done", "no_answer", "declined", None))
                    if outcome:
                        await self._tell("POST", f"/v1/tasks/{task['id']}:close", {"outcome": outcome})

    async def _announces(self) -> None:
        """A marketer, who sends an invitation to the new customers."""
        await asyncio.sleep(ANNOUNCED_ON * self._day)
        whom = {"segment": "new_customers", "options": {"message": "invitation", "when": "at_hour", "hour": 10}}
        bulk = await self._tell("POST", "/v1/journeys/Announcement/enrollments:bulk", whom)
        if bulk["entering"]:
            await self._tell("POST", f"/v1/bulks/{bulk['id']}:start", {"per_second": 10})

    async def _tell(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


def _profile(customer: str, number: int, temper: Temper, luck: random.Random) -> dict[str, Any]:
    language = luck.choice(("en", "ru"))
    first, last = (luck.choice(names) for names in NAMES[language])
    attributes = {"first_name": first, "last_name": last}
    if luck.random() < 0.2:  # soon enough for the demo to see it
        attributes["birthday"] = f"{datetime.now(UTC) + timedelta(days=luck.randint(3, 12)):%m-%d}"
    profile = {
        "email": f"{customer}@example.com",
        "phone": f"+1555010{number:04}",
        "locale": language,
        "timezone": luck.choice(ZONES),
        "attributes": attributes,
        "consents": dict.fromkeys(("email", "whatsapp", "sms"), YES) if temper.consents else {},
    }
    if temper.company:
        company = luck.choice(list(COMPANIES))
        profile |= {"company_id": company, "buying_role": "signatory", "owner": COMPANIES[company]["owner"]}
    return profile


def _about(number: int, luck: random.Random) -> Life:
    products = luck.sample(list(SOLD), 2)
    order = f"A-{number:05}"
    return {
        "cart": f"C-{number:05}",
        "order": order,
        "products": products,
        "total": round(sum(SOLD[each] for each in products), 2),
        "currency": CURRENCY,
        "category": luck.choice(("kettles", "teapots")),
        "link": f"{SITE}/cart",
        "tracking": f"{SITE}/orders/{order}",
        "receipt": f"{SITE}/orders/{order}/receipt",
    }
