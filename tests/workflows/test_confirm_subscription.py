"""ConfirmSubscription, as customers live it: double opt-in. A yes that nobody proved allows nothing."""

import re

import httpx

from domain.durations import days, hours
from tests.api.conftest import client_of
from tests.support.playback import Playback
from tests.workflows.stories.confirm_subscription import ASKED, asks_again, never_answers
from tropa.serve import api_app

JOURNEYS = "ConfirmSubscription,WelcomeChain"


async def test_one_letter_and_then_silence(play: Playback) -> None:
    await nobody_asked_yet(play)
    await never_answers(play)

    assert await play.sent() == ["please_confirm"]
    assert await play.ending() == "lapsed"
    assert await consents(play) == []


async def test_a_request_allows_nothing_and_a_press_does(play: Playback) -> None:
    await nobody_asked_yet(play)
    await play.does("consent_requested", **ASKED)
    await play.does("order_placed")
    assert await play.sends() == [("please_confirm", "accepted"), ("greeting", "refused")]

    await play.after(hours(1))
    async with client_of(api_app(play.house)) as browser:
        page = await letters_page(play, browser)
        assert await play.ending("ConfirmSubscription") is None  # looking is not pressing
        shown = re.findall(r'name="request" value="([^"]+)"', page.text)
        pressed = await browser.post(page.url, data={"request": shown})
    pressed_at = play.clock.now()
    await play.catch_up()

    assert "it is confirmed" in pressed.text
    assert await play.ending("ConfirmSubscription") == "converted"
    (word,) = await consents(play)
    assert (word["status"], word["source"], word["at"]) == ("granted", "double opt-in", pressed_at)
    assert word["wording"] == "May Example Company write to you? “News and offers, at most weekly” [Yes, write to me]"
    assert "by shop (https://shop.example/join); confirmed on /y/" in str(word["proof"])
    await play.after(days(2))
    assert "basics" in await play.sent("WelcomeChain")


async def test_a_form_sent_twice_brings_one_letter_and_asking_again_one_more(play: Playback) -> None:
    await nobody_asked_yet(play)
    await asks_again(play)

    assert await play.sent() == ["please_confirm", "please_confirm"]
    assert await play.ending() == "lapsed"


async def test_who_had_left_everything_and_asks_again_is_asked_whether_they_mean_it(play: Playback) -> None:
    await play.does("opted_out")
    await play.after(days(1))
    await play.does("order_placed")
    assert await play.enrollments() == []

    await play.does("consent_requested", **ASKED)

    assert await play.sent() == ["please_confirm"]
    assert {word["status"] for word in await consents(play) if word["channel"] == "all"} == {"denied"}


async def test_another_channels_request_is_none_of_its_business(play: Playback) -> None:
    await play.does("consent_requested", channel="whatsapp")

    assert await play.enrollments() == []


async def nobody_asked_yet(play: Playback) -> None:
    """Anna of whom we know the address, and no word."""
    await play.rows("DELETE FROM consents RETURNING customer")


async def consents(play: Playback) -> list[dict[str, object]]:
    return await play.rows("SELECT channel, status, source, at, wording, proof FROM consents")


async def letters_page(play: Playback, browser: httpx.AsyncClient) -> httpx.Response:
    """The page behind the latest letter's button."""
    letters = await play.rows("SELECT html FROM sandbox_outbox ORDER BY at DESC")
    link = re.search(r'href="http://127.0.0.1:8080(/y/[^"]+)"', letters[0]["html"])
    assert link is not None, letters[0]["html"]
    page = await browser.get(link[1])
    assert page.status_code == 200
    return page
