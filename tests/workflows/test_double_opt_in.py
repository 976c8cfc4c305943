"""DoubleOptIn, as customers live it: one letter, and silence; a yes that nobody proved allows nothing (S13, S47)."""

import re

import httpx

from adapters.forms import form_names
from domain.durations import days, hours
from tests.api.conftest import client_of
from tests.api.sites import with_sites
from tests.support.playback import Playback
from tests.workflows.stories.double_opt_in import ASKED, GUIDE, asks_again, confirms, never_answers

JOURNEYS = "DoubleOptIn,WelcomeChain"


async def test_one_letter_and_then_silence(play: Playback) -> None:
    await nobody_asked_yet(play)
    await never_answers(play)

    assert await play.sent() == ["please_confirm"]
    assert await play.ending() == "lapsed"
    assert await consents(play) == []


async def test_a_request_allows_nothing_and_a_press_does(play: Playback) -> None:
    await nobody_asked_yet(play)
    await play.does("opt_in_requested", **ASKED)
    await play.does("order_placed")
    assert await play.sends() == [("please_confirm", "accepted"), ("greeting", "refused")]

    await play.after(hours(1))
    pressed_at = play.clock.now()
    pressed = await press(play)

    assert "it is confirmed" in pressed.text
    assert await play.ending("DoubleOptIn") == "converted"
    (word,) = await consents(play)
    assert (word["status"], word["source"], word["at"]) == ("granted", "double opt-in", pressed_at)
    assert word["wording"] == "“News and offers, at most weekly” [Yes, I confirm]"
    assert "by shop (https://shop.example/join); confirmed on /y/" in str(word["proof"])
    await play.after(days(2))
    assert "basics" in await play.sent("WelcomeChain")


async def test_the_letter_says_what_it_is_about_in_our_own_words_alone(play: Playback) -> None:
    await play.has(first_name="Mallory http://evil.example")

    await confirms(play)

    assert await play.sent() == ["please_confirm"]
    assert await play.ending() == "converted"
    (letter,) = await play.rows("SELECT rendered FROM sends")
    assert "the form “How to choose a laptop: seven criteria”" in letter["rendered"]["text"]
    assert "Mallory" not in str(letter["rendered"])


async def test_a_form_sent_twice_brings_one_letter_and_asking_again_one_more(play: Playback) -> None:
    await nobody_asked_yet(play)
    await asks_again(play)

    assert await play.sent() == ["please_confirm", "please_confirm"]
    assert await play.ending() == "lapsed"


async def test_a_stranger_cannot_fill_a_mailbox_nor_keep_its_owner_from_a_letter(play: Playback) -> None:
    for _ in range(40):
        await play.does("opt_in_requested", **GUIDE)
        await play.after(hours(23))

    letters = [row["slot_at"] for row in await play.rows("SELECT slot_at FROM sends ORDER BY slot_at")]
    assert max(sum(at <= each < at + days(30) for each in letters) for at in letters) <= 8
    assert {state for _, state in await play.sends()} == {"accepted"}  # and no fuse

    asked = play.clock.now()
    await play.does("opt_in_requested", **ASKED)
    await play.after(days(8))
    (own,) = await play.rows("SELECT max(slot_at) AS at FROM sends")
    assert own["at"] >= asked  # a week later at most
    await press(play)
    assert "“News and offers, at most weekly”" in str((await consents(play))[0]["wording"])


async def test_who_had_left_everything_comes_back_by_a_form_once_the_mailbox_says_so(play: Playback) -> None:
    await play.does("opted_out")
    await play.after(days(1))
    await play.does("order_placed")
    assert await play.enrollments() == []

    await play.does("opt_in_requested", **ASKED, source="form", form="newsletter", title="News by e-mail")
    assert await play.sent() == ["please_confirm"]
    assert {word["status"] for word in await consents(play) if word["channel"] == "all"} == {"denied"}
    await press(play)

    words = {word["channel"]: word["status"] for word in await consents(play)}
    assert words == {"all": "denied", "email": "granted"}  # the newer word counts, and for email alone
    await play.does("order_placed")
    assert await play.sent("WelcomeChain") == ["greeting"]


async def test_who_called_it_spam_gets_no_letter_whoever_asks(play: Playback) -> None:
    await play.does("complained", channel="email")

    await play.does("opt_in_requested", **GUIDE)

    assert await play.sends() == [("please_confirm", "refused")]


async def test_another_channels_request_is_none_of_its_business(play: Playback) -> None:
    await play.does("opt_in_requested", channel="whatsapp")
    await play.does("form_submitted", source="form", form="contact", title="Contact")

    assert await play.enrollments() == []


async def nobody_asked_yet(play: Playback) -> None:
    """Anna of whom we know the address, and no word."""
    await play.rows("DELETE FROM consents RETURNING customer")


async def consents(play: Playback) -> list[dict[str, object]]:
    return await play.rows("SELECT channel, status, source, at, wording, proof FROM consents ORDER BY channel")


async def press(play: Playback) -> httpx.Response:
    """She looks at the page behind the latest letter's button, which changes nothing, and presses."""
    before = await consents(play)
    letters = await play.rows("SELECT html FROM sandbox_outbox ORDER BY at DESC")
    link = next(filter(None, (re.search(r'href="http://127.0.0.1:8080(/y/[^"]+)"', each["html"]) for each in letters)))
    async with client_of(with_sites(play.house, forms=list(form_names()))) as browser:
        page = await browser.get(link[1])
        assert (page.status_code, await consents(play)) == (200, before)
        pressed = await browser.post(page.url, data={"wish": re.findall(r'name="wish" value="([^"]+)"', page.text)})
    await play.catch_up()
    return pressed
