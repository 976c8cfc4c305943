"""The Bot API against a stateful simulator: what each answer, or none, means."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from adapters.channels.telegram import TelegramGateway, webhook_secret
from adapters.links import Links
from adapters.settings import Settings
from domain.deliveries import Letter, Lost, Receipt
from domain.errors import Misconfigured, NotFound, Unavailable
from tests.support.telegram_simulator import BOT, TOKEN, Fault, Telegram, simulating
from tropa.telegram import listen

CHAT = 5550001
CUSTOMER = "cus_019cae2f4c7f7d5f8f2b6a1c3d4e5f60"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
async def serving() -> AsyncIterator[Telegram]:
    async with simulating() as simulator:
        yield simulator


@pytest.fixture
def telegram(serving: Telegram) -> Telegram:
    serving.forget()
    serving.chats = {CHAT}
    return serving


@pytest.fixture
async def gateway(telegram: Telegram) -> AsyncIterator[TelegramGateway]:
    made = TelegramGateway(TOKEN, telegram.base_url, timeout=httpx.Timeout(0.5))
    yield made
    await made.close()


def a_letter(text: str = "Hello!", to: int = CHAT) -> Letter:
    return Letter(
        send_id=uuid4(), to=str(to), sender="", subject="", html="", text=text, unsubscribe_url=None, list_id=None,
        journey="trial", message="note",
    )  # fmt: skip


async def deliver(gateway: TelegramGateway, letter: Letter | None = None) -> Receipt:
    async with gateway.connection() as connection:
        return await connection.deliver(letter or a_letter())


async def test_a_message_reaches_its_chat_as_it_is_written(telegram: Telegram, gateway: TelegramGateway) -> None:
    receipt = await deliver(gateway, a_letter("Привет, *Анна*!\n"))

    assert (receipt.outcome, receipt.provider_id) == ("accepted", "1000")
    assert [(m["chat"]["id"], m["text"]) for m in telegram.messages] == [(CHAT, "Привет, *Анна*!")]


@pytest.mark.parametrize("text", ["x" * 4097, " \n"])
async def test_a_text_that_cannot_be_one_is_refused_without_a_call(
    telegram: Telegram, gateway: TelegramGateway, text: str
) -> None:
    assert ((await deliver(gateway, a_letter(text))).outcome, telegram.requests) == ("refused", 0)


@pytest.mark.parametrize(
    ("status", "description", "opted_out", "dead"),
    [
        (403, "Forbidden: bot was blocked by the user", True, False),
        (403, "Forbidden: user is deactivated", False, True),
        (400, "Bad Request: chat not found", False, True),
        (400, "Bad Request: message text is empty", False, False),
        (413, "Request Entity Too Large", False, False),
    ],
)
async def test_a_refusal_is_final_and_says_what_it_is_about(
    telegram: Telegram, gateway: TelegramGateway, status: int, description: str, opted_out: bool, dead: bool
) -> None:
    telegram.faults = [Fault(status=status, description=description)]

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.code, telegram.requests) == ("refused", str(status), 1)
    assert (receipt.opted_out, receipt.permanent_for_address) == (opted_out, dead)


@pytest.mark.parametrize(
    ("parameters", "wait"),
    [
        ({"retry_after": 7}, timedelta(seconds=7)),
        ({"retry_after": 0}, timedelta(seconds=1)),
        ({"retry_after": 10**9}, timedelta(hours=1)),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
async def test_f17_a_busy_telegram_is_tried_when_it_says(
    telegram: Telegram, gateway: TelegramGateway, parameters: dict[str, object], wait: timedelta | None
) -> None:
    telegram.faults = [Fault(status=429, description="Too Many Requests: retry after 7", parameters=parameters)]

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.retry_after) == ("retry", wait)


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize(
    "fault",
    [Fault(kind="silent", lasting=0.8), Fault(kind="cut"), Fault(kind="garbage"), Fault(status=502)],
    ids=["silent", "cut", "garbage", "502"],
)
async def test_f13_f14_f18_a_lost_answer_is_unknown_and_nobody_can_be_asked(
    telegram: Telegram, gateway: TelegramGateway, fault: Fault, takes: bool
) -> None:
    telegram.faults = [replace(fault, takes=takes)]
    letter = a_letter()

    receipt = await deliver(gateway, letter)

    lost = Lost(send_id=letter.send_id, to=letter.to, text=letter.text, handed_at=datetime.now(UTC))
    assert (receipt.outcome, telegram.requests, len(telegram.messages)) == ("unknown", 1, int(takes))
    assert ((await gateway.look_up(lost)).outcome, gateway.can_look_up) == ("unknown", False)


async def test_a_connection_that_is_refused_has_carried_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gateway = TelegramGateway(TOKEN, f"http://127.0.0.1:{port}")

    assert (await deliver(gateway)).outcome == "retry"
    await gateway.close()


async def test_a_token_that_is_turned_down_stops_the_channel(telegram: Telegram) -> None:
    gateway = TelegramGateway("1:wrong", telegram.base_url)

    receipt = await deliver(gateway)

    assert (receipt.outcome, receipt.code) == ("retry", "401")
    with pytest.raises(Unavailable):
        await deliver(gateway)
    await gateway.close()


# Start links ---------------------------------------------------------------------------------------------------------

LINKS = Links(["a new secret", "an old secret"], "https://shop.test", telegram_bot=BOT)


def test_a_start_link_is_short_enough_for_telegram_and_names_the_customer() -> None:
    link = LINKS.telegram_start(CUSTOMER, NOW)

    assert link is not None
    address, _, token = link.partition("?start=")
    assert address == f"https://t.me/{BOT}"
    assert len(token) <= 64 and set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert LINKS.read_telegram_start(token, NOW + timedelta(days=29)) == CUSTOMER
    with pytest.raises(NotFound):
        LINKS.read_telegram_start(token, NOW + timedelta(days=31))


def test_an_older_secrets_link_is_good_and_a_strangers_is_not() -> None:
    older = Links(["an old secret"], "https://shop.test", telegram_bot=BOT).telegram_start(CUSTOMER, NOW)
    strange = Links(["a stranger's"], "https://shop.test", telegram_bot=BOT).telegram_start(CUSTOMER, NOW)

    assert older is not None and strange is not None
    assert LINKS.read_telegram_start(older.rpartition("=")[2], NOW) == CUSTOMER
    with pytest.raises(NotFound):
        LINKS.read_telegram_start(strange.rpartition("=")[2], NOW)


@pytest.mark.parametrize(
    "change", [lambda t: "B" + t[1:], lambda t: t[:-1], lambda t: "", lambda t: t + "x", lambda t: "ы"]
)
def test_a_token_that_was_touched_means_nothing(change: object) -> None:
    token = (LINKS.telegram_start(CUSTOMER, NOW) or "").rpartition("=")[2]

    with pytest.raises(NotFound):
        LINKS.read_telegram_start(change(token), NOW)  # type: ignore[operator]  # one of those above


def test_without_a_bot_there_is_no_link() -> None:
    assert Links(["a secret"], "https://shop.test").telegram_start(CUSTOMER, NOW) is None
    assert UUID(CUSTOMER.removeprefix("cus_"))


# Settings ------------------------------------------------------------------------------------------------------------

SETTINGS = {"telegram_token": TOKEN, "telegram_bot": BOT, "public_url": "https://shop.test"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"telegram_token": ""}, "TROPA_TELEGRAM_TOKEN"),
        ({"telegram_token": "nonsense"}, "TROPA_TELEGRAM_TOKEN"),
        ({"telegram_bot": "@shop_test_bot"}, "TROPA_TELEGRAM_BOT"),
        ({"public_url": ""}, "TROPA_PUBLIC_URL"),
        ({"environment": "production", "telegram_base_url": "http://127.0.0.1:1"}, "TROPA_TELEGRAM_BASE_URL"),
    ],
)
def test_half_of_a_bot_is_refused_by_name_and_its_token_is_not_told(changes: dict[str, str], named: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        Settings.model_validate({**SETTINGS, **changes}).checked()

    assert named in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_telegram_is_told_once_where_to_report_and_what_to_show(telegram: Telegram) -> None:
    settings = Settings.model_validate({**SETTINGS, "telegram_base_url": telegram.base_url})

    address = await listen(settings)

    assert address == telegram.webhook["url"] == "https://shop.test/webhooks/telegram"
    assert telegram.webhook["secret_token"] == webhook_secret(TOKEN)
    assert telegram.webhook["allowed_updates"] == ["message", "my_chat_member"]
    with pytest.raises(Unavailable, match="An HTTPS URL must be provided"):
        await listen(settings.model_copy(update={"public_url": "http://shop.test"}))
    with pytest.raises(Misconfigured, match="BotFather"):
        await listen(Settings.model_validate({}))
