"""The link in every message: looking changes nothing, one press is enough, and it holds at once."""

from datetime import timedelta

import httpx
import pytest

from domain.messages import Channel
from tests.api.stories import ANNA, know_anna, rows
from tests.support.factories import SettableClock
from tropa.wiring import House

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def link(api: httpx.AsyncClient, house: House, **profile: str) -> str:
    anna = await know_anna(api, **profile)
    return house.links.unsubscribe(anna["id"], Channel.EMAIL).replace("http://127.0.0.1:8080", "")


async def opt_outs(house: House) -> list[str]:
    return [row["source"] for row in await rows(house, "SELECT source FROM events WHERE name = 'opted_out'")]


async def test_looking_a_hundred_times_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    address = await link(api, house)

    statuses = {(await stranger.get(address)).status_code for _ in range(99)}
    statuses.add((await stranger.head(address)).status_code)

    assert statuses == {200}
    assert await opt_outs(house) == []
    assert [row["status"] for row in await rows(house, "SELECT status FROM consents")] == ["granted"]


async def test_two_presses_are_one_opt_out(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    address = await link(api, house)
    clock.pass_(timedelta(hours=1))

    first = await stranger.post(address, data=ONE_CLICK)
    again = await stranger.post(address, data=ONE_CLICK)

    assert (first.status_code, again.status_code) == (200, 200)
    assert "Done: no more emails" in first.text
    assert await opt_outs(house) == ["unsubscribe link"]
    assert (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]["email"]["status"] == "denied"


async def test_after_a_new_yes_the_same_link_works_again(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House, clock: SettableClock
) -> None:
    address = await link(api, house)
    await stranger.post(address, data=ONE_CLICK)
    clock.pass_(timedelta(days=1))
    await api.patch(f"/v1/customers/{ANNA}", json={"consents": {"email": {"status": "granted"}}})
    clock.pass_(timedelta(days=1))

    await stranger.post(address, data=ONE_CLICK)

    assert (await api.get(f"/v1/customers/{ANNA}")).json()["consents"]["email"]["status"] == "denied"
    assert len(await opt_outs(house)) == 2


async def test_a_mail_program_may_send_it_as_multipart(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    address = await link(api, house)

    done = await stranger.post(address, files={"List-Unsubscribe": (None, "One-Click")})

    assert done.status_code == 200
    assert len(await opt_outs(house)) == 1


async def test_a_post_that_does_not_say_so_changes_nothing(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    address = await link(api, house)

    assert (await stranger.post(address)).status_code == 400
    assert (await stranger.post(address, data={"List-Unsubscribe": "No"})).status_code == 400
    assert await opt_outs(house) == []


async def test_it_speaks_the_customers_language(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    address = await link(api, house, locale="ru-KZ")

    assert "Отписаться" in (await stranger.get(address)).text
    assert "больше никаких писем" in (await stranger.post(address, data=ONE_CLICK)).text


async def test_the_page_tells_nobody_anything(
    api: httpx.AsyncClient, stranger: httpx.AsyncClient, house: House
) -> None:
    shown = await stranger.get(await link(api, house))

    assert ANNA not in shown.text
    assert "Anna" not in shown.text
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    assert "noindex" in shown.headers["x-robots-tag"]
    assert "set-cookie" not in shown.headers
    assert "script" not in shown.headers["content-security-policy"]


@pytest.mark.parametrize("token", ["x", "a.b", "%20", "WyJjdXNfMSIsImVtYWlsIl0.forged", "é", "x" * 3000])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_wrong_link_is_told_kindly(asking: httpx.AsyncClient, method: str, token: str) -> None:
    answer = await asking.request(method, f"/u/{token}", data=ONE_CLICK if method == "POST" else None)

    assert answer.status_code == 404
    assert "This link is not right" in answer.text


async def test_a_link_of_a_customer_who_is_gone_is_a_wrong_link(asking: httpx.AsyncClient, untouched: House) -> None:
    address = untouched.links.unsubscribe("cus_gone", Channel.EMAIL).replace("http://127.0.0.1:8080", "")

    assert (await asking.get(address)).status_code == 404
    assert (await asking.post(address, data=ONE_CLICK)).status_code == 404
