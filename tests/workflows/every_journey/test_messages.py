"""Every message of every journey in every language by every channel: for whom we know well, and for whom we do not."""

import functools
import itertools
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.link_tracking import LinkTracking
from adapters.links import Links
from adapters.templates import LOCALES
from domain.messages import Channel, Message, Rendered
from domain.offers import Code
from domain.products import Product
from domain.tracking import TrackingMode
from services.letters import Company, Letters
from tests.support.factories import SettableClock, compiled
from workflows.registry import declarations

LINKS = Links(["a secret of the tests"], "https://shop.test", telegram_bot="shop_bot", web_push=True)
CLOCK = SettableClock(datetime(2026, 3, 2, 10, tzinfo=UTC))
COMPANY = Company(
    name="Shop & Sons",
    url="https://shop.example",
    address="1 Long Street",
    sender="Shop & Sons <shop@shop.example>",
    mailbox="shop@shop.example",
    locale="en",
)
CUSTOMER = "cus_0192f0c1a2b37c4d8e5f60718293a4b5"
KNOWN = {"first_name": "Zoë", "last_name": "Ash", "industry": "retail", "vip": True}
EVENT = {
    "about": "A-17",
    "currency": "EUR",
    "feature": "reports",
    "form": "f-1",
    "limit": 5,
    "link": "https://shop.example/l/1",
    "receipt": "https://shop.example/r/1",
    "title": "Nine ways",
    "topic": "stock",
    "total": 49.9,
    "tracking": "https://shop.example/t/1",
}
LEFTOVERS = re.compile(r"\bNone\b|\{\{|\}\}|\{%|%\}|jinja\d|</?mj-")
FETCHES = re.compile(r"@import|<link|<script|url\(")
GMAIL_CLIPS = 102_000  # bytes
IN_A_LINE = 50  # characters of a subject, as mailboxes show them

EVERY = [
    pytest.param(message, channel, locale, known, id=f"{message.journey}/{message.name}-{channel}-{locale}-{known}")
    for message in compiled().messages()
    for channel, locale, known in itertools.product(message.channels, LOCALES, ("known", "unknown"))
]
every_text = pytest.mark.parametrize(("message", "channel", "locale", "known"), EVERY)
every_letter = pytest.mark.parametrize(
    ("message", "locale", "known"),
    [
        pytest.param(message, locale, known, id=each.id)
        for each in EVERY
        for message, channel, locale, known in [each.values]
        if channel is Channel.EMAIL
    ],
)


def test_no_journey_is_left_out() -> None:
    silent = {declared.folder for declared in declarations() if not declared.says}

    assert {message.journey for message in compiled().messages()} == {each.folder for each in declarations()} - silent


@every_text
def test_a_text_is_whole_and_in_its_language(message: Message, channel: Channel, locale: str, known: str) -> None:
    said = rendered(message, channel, locale, known)
    words = " ".join(filter(None, (said.subject, said.preview, said.text)))

    assert said.locale == locale
    assert said.text.strip()
    assert not LEFTOVERS.search(" ".join(filter(None, (words, said.html, said.url))))
    assert bool(re.search("[а-яё]", words)) == (locale == "ru")
    assert not re.search(r"\n{3}|^ | $", said.text, re.MULTILINE)


@every_letter
def test_a_letter_says_why_it_comes_who_sends_it_and_how_to_stop_it(message: Message, locale: str, known: str) -> None:
    """And fetches nothing but pictures of products (S94)."""
    letter = rendered(message, Channel.EMAIL, locale, known)
    html = letter.html or ""

    assert letter.subject and letter.preview
    assert len(letter.subject) <= IN_A_LINE
    assert "1 Long Street" in letter.text and "1 Long Street" in html
    assert letter.text.startswith("Shop & Sons\n\n") and "Shop &amp; Sons" in html
    assert not re.search(r"<[a-z/!]|&[a-z#]+;|\]\(", letter.text)
    assert f"({LINKS.unsubscribe(CUSTOMER, Channel.EMAIL)})" in letter.text
    assert not FETCHES.search(html)
    assert set(re.findall(r'<img[^>]*src="([^"]*)"', html)) <= {"https://shop.example/i/1"}
    assert "@media" in html and len(html.encode()) < GMAIL_CLIPS


@functools.cache
def letters() -> Letters:
    tracking = LinkTracking(LINKS, mode=TrackingMode.FULL, utm=True, site=COMPANY.url)
    return Letters(CLOCK, compiled(), LINKS, COMPANY, tracking)


def rendered(message: Message, channel: Channel, locale: str, known: str) -> Rendered:
    """As `send` writes it; of whom we do not know, and with as little in the lists as it goes out with."""
    known_well = known == "known"
    return letters().render(
        message.journey,
        message.name,
        channel,
        {
            "customer": CUSTOMER,
            "email": "zoe@example.com",
            "locale": locale,
            "attributes": KNOWN if known_well else {},
        },
        unsubscribe=LINKS.unsubscribe(CUSTOMER, channel),
        preferences=LINKS.preferences(CUSTOMER),
        survey="https://shop.test/s/1",
        event=EVENT if known_well else {"form": "f-1"},
        shop=shop_of(message, known_well),
    )


def shop_of(message: Message, known_well: bool) -> dict[str, Any]:
    """What the shop says for it: full lists, or the shortest that go out, of what has a name and nothing else."""
    whole = Product(
        id="k-1",
        name="Kettle",
        category="kettles",
        price="€9.50",
        amount=9.5,
        currency="EUR",
        url="https://shop.example/k/1",
        image="https://shop.example/i/1",
        rating=4.5,
        stock=3,
    )
    lists = {
        name: [whole] * listing.most if known_well else [Product(id="k-2", name="k-2")] * listing.at_least
        for name, listing in message.products.items()
    }
    said: dict[str, Any] = {"products": SimpleNamespace(**lists)} if lists else {}
    code = Code(text="WELCOME5-CCCCC-CCCCC", valid_until="9.03.2026", discount="5%")
    return {**said, "code": code} if message.offer else said
