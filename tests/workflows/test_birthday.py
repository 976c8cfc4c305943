"""Birthday, as customers live it (S54)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.birthday import a_birthday, a_present_used, the_birthday_of_a_vip

JOURNEYS = "Birthday"  # that events start


async def test_wishes_and_a_present_in_the_morning_of_the_day(play: Playback) -> None:
    await a_birthday(play)

    [send] = await play.rows("SELECT message, channel, state, slot_at - wished_at AS waited FROM sends")
    assert (send["message"], send["channel"], send["state"]) == ("present", "email", "accepted")
    assert hours(4) < send["waited"] < hours(6)
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    assert "10% off with the code BIRTHDAY-" in letter["text"]
    assert await play.ending() == "lapsed"
    assert await play.rows("SELECT * FROM tasks") == []


async def test_a_present_that_is_used_converts(play: Playback) -> None:
    await a_present_used(play)

    assert await play.ending() == "converted"


async def test_a_colleague_congratulates_a_vip(play: Playback) -> None:
    await the_birthday_of_a_vip(play)

    assert await play.sent() == ["present"]
    assert [row["title"] for row in await play.rows("SELECT title FROM tasks")] == [
        "Congratulate a VIP customer: it is their birthday"
    ]


async def test_nobody_is_congratulated_two_days_late_or_twice_a_year(play: Playback) -> None:
    await play.does("birthday", on="03-02", at=play.clock.now() - days(3))
    assert await play.enrollments() == []
    await play.gives("birthday", 10)
    await play.does("birthday", on="03-02")
    await play.after(days(15))
    await play.does("birthday", on="03-02")

    assert await play.sent() == ["present"]


async def test_without_a_present_nobody_is_wished_well_a_day_late(play: Playback) -> None:
    """The offer is not set up before the next evening."""
    await play.does("birthday", on="03-02")
    await play.after(days(1))
    await play.gives("birthday", 10)

    assert await play.sends() == [("present", "expired")]


async def test_a_control_customer_and_who_left_get_nothing(play: Playback) -> None:
    await play.is_held_out("Birthday")
    await play.does("birthday", on="03-02")
    assert await play.sends() == [("present", "holdout")]
    await play.does("opted_out")

    assert await play.ending() == "opted_out"
