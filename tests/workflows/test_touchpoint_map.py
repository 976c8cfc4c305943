"""The touchpoint map, row by row (S28–S37, S43, S49, S65–S69): who does this gets exactly that, there and then.

Anna does what the row says; beside her Boris, in the same house on the same days, all but does. A line is a day
(counted from a Monday, day 0), a time where they live, and what happens: an event with what it says, or

    answers MESSAGE score=9     on the page of that message's survey
    sweep                       the daily sweep goes through everybody

`gets` is all that reaches Anna from `since` to the end of `until`, by whatever journey: a channel and a message, or
what the staff are asked to do (task) and told (staff). Boris gets none of it.
"""

import json
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.durations import days
from services.product_reading import ProductToKeep
from tests.support.playback import Playback

SHOP = (
    "AbandonedCart, Announcement, Birthday, CategoryView, Newsletter, NewsletterWelcome, NextPurchase, "
    "OrderAndDelivery, PurchaseNps, Reactivation, Referral, SupportRating, VipWelcome, WinBack"
)
COMPANY = (
    "Announcement, Birthday, FirstSuccess, HotLead, LeadRequest, Newsletter, Nps, Nurturing, "
    "Reactivation, Referral, SilentLoss, SupportRating, Upsell, VipWelcome, WelcomeChain, WinBack"
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the map. `words` are in the first message that it brings."""

    rule: str
    does: tuple[str, ...]
    control: tuple[str, ...]
    gets: tuple[str, ...]
    since: int = 0
    until: int
    words: tuple[str, ...] = ()
    journeys: str = SHOP


ROWS = (
    Row(
        rule="S28 sign-up: welcome, 5% off the first order and the buying guide",
        does=("day 0 10:00 newsletter_signed_up",),
        control=("day 0 10:00 signed_up",),
        gets=("day 0 10:00 email welcome",),
        until=1,
        words=("5% off", "WELCOME5-", "guide"),
    ),
    Row(
        rule="S29 sign-up + 2 days: seven criteria for choosing",
        does=("day 0 10:00 newsletter_signed_up",),
        control=("day 0 10:00 newsletter_signed_up", "day 1 12:00 order_placed about=B-1"),
        gets=("day 2 10:00 email seven_criteria",),
        since=1,
        until=4,
    ),
    Row(
        rule="S30 category viewed: the five with the most for the money",
        does=("day 0 10:00 category_viewed category=laptops",),
        control=("day 0 10:00 category_viewed category=laptops", "day 0 11:00 cart_updated about=C-2"),
        gets=("day 0 13:00 email top_five",),
        until=3,
        words=("Laptop", "Bag"),
    ),
    Row(
        rule="S31 in the cart, not bought, 2 hours: it waits, by letter, then by WhatsApp where that was not seen (C1)",
        does=("day 0 10:00 cart_updated about=C-1 product=laptop",),
        control=("day 0 10:00 cart_updated about=C-2", "day 0 11:30 order_placed about=B-1 cart=C-2"),
        gets=("day 0 12:00 email order_by_six", "day 0 16:00 whatsapp order_by_six"),
        until=3,
        words=("Laptop", "18:00"),
    ),
    Row(
        rule="S32 order placed: confirmation by text, receipt by letter",
        does=("day 0 10:00 order_placed about=A-1 product=laptop total=900 currency=EUR",),
        control=("day 0 10:00 product_viewed product=laptop",),
        gets=("day 0 10:00 sms received", "day 0 10:00 email receipt"),
        until=1,
        words=("A-1",),
    ),
    Row(
        rule="S33 the day after delivery: is everything fine? by WhatsApp",
        does=("day 0 10:00 order_placed about=A-1", "day 2 15:00 order_delivered about=A-1"),
        control=(
            "day 0 10:00 order_placed about=B-1",
            "day 2 15:00 order_delivered about=B-1",
            "day 2 18:00 complaint_opened about=B-1",
        ),
        gets=("day 3 15:00 whatsapp is_everything_fine",),
        since=1,
        until=4,
    ),
    Row(
        rule="S34 three days after delivery: five tips for the new device (C7)",
        does=("day 0 10:00 order_placed about=A-1", "day 2 15:00 order_delivered about=A-1"),
        control=(
            "day 0 10:00 order_placed about=B-1",
            "day 2 15:00 order_delivered about=B-1",
            "day 4 10:00 order_returned about=B-1",
        ),
        gets=("day 5 15:00 email five_tips",),
        since=4,
        until=7,
    ),
    Row(
        rule="S35 30 days after the purchase: accessories for it with 15% off (S39: never what was just bought)",
        does=("day 0 10:00 order_placed about=A-1 product=laptop",),
        control=(
            "day 0 10:00 order_placed about=B-1 product=laptop",
            "day 20 10:00 order_placed about=B-2 product=coffee",
        ),
        gets=("day 30 10:00 email accessories",),
        since=3,
        until=32,
        words=("Bag", "15% off", "ACCESSORIES15-"),
    ),
    Row(
        rule="S36 90 days without activity: 10% off, by letter, and by WhatsApp where that was not seen (C2: no texts)",
        does=("day 0 10:00 product_viewed product=laptop", "day 0 12:00 sweep", "day 91 03:00 sweep"),
        control=("day 0 10:00 product_viewed product=laptop", "day 85 10:00 product_viewed product=laptop"),
        gets=("day 95 10:00 email come_back_for_less", "day 96 10:00 whatsapp come_back_for_less"),
        since=92,
        until=98,
        words=("10%", "COMEBACK-"),
    ),
    Row(
        rule="S37 14 days after the purchase and a 9 or 10: a friend's code (C6: by a survey of its own)",
        does=(
            "day 0 10:00 order_placed about=A-1",
            "day 1 12:00 order_delivered about=A-1",
            "day 12 18:00 answers how_was_this_order score=9",
        ),
        control=(
            "day 0 10:00 order_placed about=B-1",
            "day 1 12:00 order_delivered about=B-1",
            "day 12 18:00 answers how_was_this_order score=8",
        ),
        gets=("day 14 10:00 email for_your_friends",),
        since=13,
        until=20,
        words=("FRIEND-",),
    ),
    Row(
        rule="S43 after the purchase of a product to be learnt: first steps, basics, did it work?, a person",
        does=("day 0 10:00 deal_won about=D-1",),
        control=("day 0 10:00 deal_opened about=D-2",),
        gets=(
            "day 0 10:00 email greeting",
            "day 2 10:00 email basics",
            "day 5 10:00 email did_it_work",
            "day 7 10:00 task personal_help",
            "day 7 10:00 email personal_help",
        ),
        until=10,
        journeys=COMPANY,
    ),
    Row(
        rule="S49 reactivation: a soft reminder, an offer, why did you go? in 14 days",
        does=("day 0 10:00 product_viewed product=laptop", "day 0 12:00 sweep", "day 91 03:00 sweep"),
        control=("day 0 10:00 product_viewed product=laptop", "day 85 10:00 product_viewed product=laptop"),
        gets=(
            "day 91 10:00 email what_is_new",
            "day 95 10:00 email come_back_for_less",
            "day 96 10:00 whatsapp come_back_for_less",
            "day 100 10:00 email why_did_you_go",
        ),
        since=1,
        until=105,
    ),
    Row(
        rule="S65 a whitepaper downloaded: lessons, beginning with its topic",
        does=('day 0 10:00 downloaded kind=whitepaper title="Calm stock" topic=stock',),
        control=('day 0 10:00 downloaded kind=price_list title="Calm prices" topic=stock',),
        gets=("day 0 10:00 email material", "day 8 10:00 email cost_of_nothing"),
        until=9,
        words=("Calm stock",),
        journeys=COMPANY,
    ),
    Row(
        rule="S66 the prices were looked at: the lead is hot, and a colleague calls",
        does=("day 0 10:00 page_viewed page=pricing",),
        control=("day 0 10:00 page_viewed page=about",),
        gets=("day 0 10:00 staff looks_at_the_prices", "day 0 10:00 task call_hot_lead"),
        until=2,
        journeys=COMPANY,
    ),
    Row(
        rule="S67 nothing opened for 30 days: reactivation (C5: a click or a visit is life, too)",
        does=("day 0 10:00 page_viewed page=home", "day 0 12:00 sweep", "day 31 03:00 sweep"),
        control=("day 0 10:00 page_viewed page=home", "day 20 10:00 page_viewed page=home"),
        gets=("day 31 10:00 email what_is_new",),
        since=1,
        until=38,
    ),
    Row(
        rule="S68 a deal is closed: onboarding begins",
        does=("day 0 10:00 deal_won about=D-1",),
        control=("day 0 10:00 deal_lost about=D-2",),
        gets=("day 0 10:00 email greeting",),
        until=1,
        journeys=COMPANY,
    ),
    Row(
        rule="S69 a score below 7: their manager calls",
        does=(
            "day 0 10:00 order_placed about=A-1",
            "day 0 12:00 sweep",
            "day 88 10:00 page_viewed page=home",
            "day 99 03:00 sweep",  # everybody's own day of the quarter has come
            "day 100 15:00 answers would_you_recommend_us score=6",
        ),
        control=(
            "day 0 10:00 order_placed about=B-1",
            "day 88 10:00 page_viewed page=home",
            "day 100 15:00 answers would_you_recommend_us score=7",
        ),
        gets=("day 100 15:00 task call_the_unhappy",),
        since=100,
        until=108,
        journeys=COMPANY,
    ),
)
PRODUCTS = [
    ProductToKeep(id="laptop", name="Laptop", category="laptops", price=900, currency="EUR", related=["bag"]),
    ProductToKeep(id="bag", name="Bag", category="laptops", price=39, currency="EUR"),
    ProductToKeep(id="coffee", name="Coffee", category="coffee", price=19, currency="EUR"),
]
OFFERS = {"welcome5": 5, "accessories15": 15, "comeback": 10, "friend": 10}
HERE = ZoneInfo("Asia/Almaty")
BORIS = "boris@example.com"


@pytest.fixture
async def play(database_url: str, row: Row) -> AsyncIterator[Playback]:
    monday = datetime.now(HERE).replace(hour=10, minute=0, second=0, microsecond=0)
    monday += days(7 - monday.weekday())
    async with Playback.on(
        None, database_url, journeys=row.journeys.replace(" ", ""), began=monday.astimezone(UTC)
    ) as bench:
        await bench.has_a_phone()
        await bench.house.products.keep(PRODUCTS)
        for offer, percent in OFFERS.items():
            await bench.gives(offer, percent)
        yield bench


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule.partition(" ")[0])
async def test_who_does_this_gets_exactly_that_and_who_does_not_does_not(play: Playback, row: Row) -> None:
    began, boris = play.clock.now(), play.beside(BORIS)
    await boris.is_known(email=BORIS)
    await boris.has_a_phone("+4915187654321")

    lines = [(*_parsed(line, began), who) for who, told in ((play, row.does), (boris, row.control)) for line in told]
    for at, what, details, who in sorted(lines, key=lambda line: line[0]):
        await play.until(max(at, play.clock.now()))
        await _do(who, what, details)
    await play.until(began + days(row.until + 1))

    got = [line for line in await reached(play, began) if int(line.split()[1]) >= row.since]
    assert got == list(row.gets)
    assert {*_whats(await reached(boris, began))} & {*_whats(row.gets)} == set()
    found = await play.rows("SELECT message, text FROM sandbox_outbox o JOIN sends s ON s.id = o.send")
    texts = " ".join(" ".join(each["text"].split()) for each in found if each["message"] == row.gets[0].split()[-1])
    assert [word for word in row.words if word not in texts] == []


async def reached(play: Playback, began: datetime) -> list[str]:
    """All that reached a customer, and what the staff were asked and told of them, in order."""
    found = await play.rows(f"""
        SELECT at, how, what FROM (
            SELECT customer, called_at AS at, channel AS how, message AS what FROM sends WHERE state = 'accepted'
            UNION ALL SELECT customer, created_at, 'task', name FROM tasks
            UNION ALL SELECT customer, at, 'staff', name FROM notices
        ) AS every JOIN customers c ON c.id = customer WHERE c.customer_id = '{play.customer_id}' ORDER BY at, how DESC
    """)
    monday = began.astimezone(HERE).date()
    local = [(row["at"].astimezone(HERE), row["how"], row["what"]) for row in found]
    return [f"day {(at.date() - monday).days} {at:%H:%M} {how} {what}" for at, how, what in local]


def _whats(lines: list[str] | tuple[str, ...]) -> list[str]:
    return [line.split()[-1] for line in lines]


def _parsed(line: str, began: datetime) -> tuple[datetime, str, dict[str, object]]:
    """When, what, and what it says: `name=value`, the value as JSON or a word."""
    _, day, clock, what, *told = shlex.split(line)
    hour, minute = clock.split(":")
    at = began.astimezone(HERE).replace(hour=int(hour), minute=int(minute)) + timedelta(days=int(day))
    details = dict(each.split("=", 1) for each in told if "=" in each)
    if what == "answers":
        details["message"] = told[0]
    return at.astimezone(UTC), what, {name: _value(value) for name, value in details.items()}


def _value(word: str) -> object:
    return json.loads(word) if word.isdecimal() else word


async def _do(who: Playback, what: str, details: dict[str, object]) -> None:
    match what:
        case "sweep":
            await who.house.sweeping.sweep()
            await who.catch_up()
        case "answers":
            await who.answers(str(details["message"]), score=int(str(details["score"])))
        case _:
            await who.does(what, **details)
