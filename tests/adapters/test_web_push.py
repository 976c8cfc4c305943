"""Browser notifications against a push service that checks who sends and decrypts what arrives."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.channels.web_push import WebPushGateway
from adapters.outward import Outward
from adapters.settings import Settings
from adapters.vapid import check_browser_keys, new_private_key, public_key
from domain.deliveries import Address, Letter, Receipt
from domain.errors import InvalidInput, Misconfigured
from tests.support.push_simulator import Browser, Fault, PushService, simulating

PRIVATE = new_private_key()
PUBLIC = public_key(PRIVATE)
SEND = UUID("00000000-0000-5000-8000-0000000001f4")


@pytest.fixture(scope="module")
async def serving(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PushService]:
    async with simulating(tmp_path_factory.mktemp("tls")) as simulator:
        yield simulator


@pytest.fixture
def service(serving: PushService) -> PushService:
    serving.forget()
    return serving


def gateway_by(outward: Outward) -> WebPushGateway:
    return WebPushGateway(PRIVATE, "mailto:hello@shop.test", outward, one_try=0.5, between=0.01)


@pytest.fixture
async def gateway(service: PushService) -> AsyncIterator[WebPushGateway]:
    outward = service.outward()
    yield gateway_by(outward)
    await outward.close()


def a_letter(*browsers: Browser, text: str = "Ваш заказ в пути", lasts: timedelta = timedelta(hours=2)) -> Letter:
    everywhere = tuple(Address(address=b.endpoint, keys=b.subscription["keys"]) for b in browsers)
    return Letter(
        send_id=SEND, to="push.test", sender="", subject="Привет!", html="", text=text, unsubscribe_url=None,
        list_id=None, journey="trial", message="note", url="https://shop.test/orders", everywhere=everywhere,
        lasts=lasts,
    )  # fmt: skip


async def deliver(gateway: WebPushGateway, letter: Letter) -> Receipt:
    async with gateway.connection() as connection:
        return await connection.deliver(letter)


async def test_only_the_browser_can_read_what_it_is_shown(service: PushService, gateway: WebPushGateway) -> None:
    browser = service.browser(PUBLIC)

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, receipt.code) == ("accepted", "201")
    assert browser.pushed == [
        {
            "title": "Привет!",
            "body": "Ваш заказ в пути",
            "url": "https://shop.test/orders",
            "tag": str(SEND),
            "ttl": 7200,
            "topic": "AAAAAAAAUACAAAAAAAAB9A",
        }
    ]


@pytest.mark.parametrize(
    ("lasts", "ttl"),
    [(timedelta(seconds=-5), 0), (timedelta(seconds=90.7), 90), (timedelta(days=400), 28 * 24 * 3600)],
)
async def test_it_waits_for_the_browser_as_long_as_it_is_worth_showing(
    service: PushService, gateway: WebPushGateway, lasts: timedelta, ttl: int
) -> None:
    browser = service.browser(PUBLIC)

    await deliver(gateway, a_letter(browser, lasts=lasts))

    assert browser.pushed[0]["ttl"] == ttl


async def test_every_browser_gets_it_and_those_that_are_gone_are_named(
    service: PushService, gateway: WebPushGateway
) -> None:
    browsers = [service.browser(PUBLIC) for _ in range(3)]
    browsers[1].gone = True

    receipt = await deliver(gateway, a_letter(*browsers))

    assert (receipt.outcome, receipt.gone) == ("accepted", (browsers[1].endpoint,))
    assert [len(browser.pushed) for browser in browsers] == [1, 0, 1]


async def test_where_every_browser_is_gone_it_is_refused(service: PushService, gateway: WebPushGateway) -> None:
    browser = service.browser(PUBLIC)
    browser.gone = True

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, receipt.code, receipt.gone) == ("refused", "410", (browser.endpoint,))
    assert not receipt.permanent_for_address
    assert service.requests == 1


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500), Fault(status=503), Fault(kind="cut"), Fault(kind="silent", lasting=0.8)],
    ids=["500", "503", "cut", "silent"],
)
@pytest.mark.parametrize("takes", [True, False])
async def test_a_lost_answer_is_tried_again_and_the_browser_shows_it_once(
    service: PushService, gateway: WebPushGateway, fault: Fault, takes: bool
) -> None:
    browser = service.browser(PUBLIC)
    service.faults = [replace(fault, takes=takes)]

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, service.requests) == ("accepted", 2)
    assert len(browser.pushed) == 1 + takes
    assert len({pushed["topic"] for pushed in browser.pushed}) == 1
    assert len(browser.shown) == 1


async def test_after_three_tries_the_outcome_is_unknown(service: PushService, gateway: WebPushGateway) -> None:
    browser = service.browser(PUBLIC)
    service.faults = [Fault(status=500)] * 5

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, service.requests) == ("unknown", 3)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "99999999"}, timedelta(hours=1)),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_f17_a_busy_service_is_tried_when_it_says(
    service: PushService, gateway: WebPushGateway, headers: dict[str, str], wait: timedelta | None
) -> None:
    browser = service.browser(PUBLIC)
    service.faults = [Fault(status=429, headers=headers)]

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, receipt.retry_after, service.requests) == ("retry", wait, 1)


async def test_a_browser_that_subscribed_for_another_key_refuses_ours(
    service: PushService, gateway: WebPushGateway
) -> None:
    browser = service.browser(public_key(new_private_key()))

    receipt = await deliver(gateway, a_letter(browser))

    assert (receipt.outcome, receipt.code, browser.pushed) == ("refused", "403", [])


async def test_what_is_too_long_for_a_notification_is_refused_without_a_call(
    service: PushService, gateway: WebPushGateway
) -> None:
    browser = service.browser(PUBLIC)

    assert (await deliver(gateway, a_letter(browser, text="ы" * 1900))).code == "413"
    assert service.requests == 0


async def test_the_longest_that_goes_fits_into_what_services_take(
    service: PushService, gateway: WebPushGateway
) -> None:
    browser = service.browser(PUBLIC)

    assert (await deliver(gateway, a_letter(browser, text="x" * 3600))).outcome == "accepted"


async def test_a_service_that_is_not_there_is_tried_later(service: PushService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = PushService(port=port, authority=service.authority)
    outward = gone.outward()

    receipt = await deliver(gateway_by(outward), a_letter(gone.browser(PUBLIC)))

    assert (receipt.outcome, receipt.code) == ("retry", "no way")
    await outward.close()


async def test_an_address_that_leads_inside_by_now_is_forgotten_without_a_call(service: PushService) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["10.0.0.7"]

    outward, browser = service.outward(resolve=inside), service.browser(PUBLIC)

    receipt = await deliver(gateway_by(outward), a_letter(browser))

    assert (receipt.outcome, receipt.gone, service.requests) == ("refused", (browser.endpoint,), 0)
    await outward.close()


# Keys ----------------------------------------------------------------------------------------------------------------


def test_a_private_key_has_its_public_half_and_nonsense_is_refused_by_name() -> None:
    given = {"public_url": "https://shop.test", "vapid_private_key": PRIVATE}

    assert Settings.model_validate(given).checked().push_key == PUBLIC
    assert Settings.model_validate({}).checked().push_key == ""
    for wrong in ("nonsense!", "AAAA", PUBLIC):
        with pytest.raises(Misconfigured, match="tropa keys vapid"):
            Settings.model_validate({**given, "vapid_private_key": wrong}).checked()
    with pytest.raises(Misconfigured, match="TROPA_PUBLIC_URL"):
        Settings.model_validate({"vapid_private_key": PRIVATE}).checked()


def test_a_browsers_keys_are_checked() -> None:
    keys = Browser(endpoint="", public_key=PUBLIC).subscription["keys"]
    check_browser_keys(**keys)
    for wrong in ({"p256dh": "AAAA"}, {"auth": "AAAA"}, {"p256dh": "ы"}, {"p256dh": keys["p256dh"][:-4] + "AAAA"}):
        with pytest.raises(InvalidInput, match="p256dh and auth"):
            check_browser_keys(**{**keys, **wrong})
