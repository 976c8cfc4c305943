"""ConfirmSignUp, as customers live it: one letter, or two, and silence (S13, S47)."""

from tests.support.playback import Playback
from tests.workflows.stories.confirm_sign_up import (
    GUIDE,
    a_form_confirmed_within_the_hour,
    a_form_sent_again_and_again,
    a_form_sent_for_weeks,
    a_form_that_nobody_confirms,
)

JOURNEYS = "ConfirmSignUp"  # that events start


async def test_one_letter_asks_and_silence_is_no(play: Playback) -> None:
    await play.is_known(consent="denied")  # the answer to a form needs no yes, and no refusal of letters forbids it

    await a_form_that_nobody_confirms(play)

    assert await play.sent() == ["was_it_you"]
    assert await play.ending() == "lapsed"
    letter = (await play.rows("SELECT rendered FROM sends"))[0]["rendered"]
    assert "/m/" in letter["text"]
    assert "Seven criteria" in letter["text"]


async def test_a_press_ends_it(play: Playback) -> None:
    await a_form_confirmed_within_the_hour(play)

    assert await play.sent() == ["was_it_you"]
    assert await play.ending() == "converted"


async def test_however_often_the_form_comes_two_letters_are_all(play: Playback) -> None:
    await a_form_sent_again_and_again(play)

    assert await play.sent() == ["was_it_you"] * 2
    assert await play.ending() == "lapsed"


async def test_a_stranger_cannot_fill_a_mailbox_by_waiting_in_between(play: Playback) -> None:
    await play.is_known(consent="denied")

    await a_form_sent_for_weeks(play)

    assert await play.sent() == ["was_it_you"] * 6


async def test_who_left_everything_is_left_alone(play: Playback) -> None:
    await play.does("opted_out")

    await play.does("form_submitted", about="laptop_guide", **GUIDE)

    assert await play.enrollments() == []


async def test_a_form_that_asks_nothing_needs_no_letter(play: Playback) -> None:
    await play.does("form_submitted", about="contact", form="contact", title="Contact", confirm=False)

    assert await play.enrollments() == []
