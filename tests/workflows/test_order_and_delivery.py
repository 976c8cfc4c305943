"""OrderAndDelivery, as customers live it (S32–S34, C7)."""

from domain.durations import days, hours
from services.product_reading import ProductToKeep
from tests.support.playback import Playback
from tests.workflows.stories.order_and_delivery import (
    delivered_and_broken,
    late_and_complained_of,
    never_delivered,
    ordered_and_delivered,
    returned,
)

JOURNEYS = "OrderAndDelivery"  # that events start


async def by_channel(play: Playback) -> list[tuple[str, str, str]]:
    found = await play.rows("SELECT message, channel, state FROM sends ORDER BY wished_at, slot_at")
    return [(row["message"], row["channel"], row["state"]) for row in found]


async def test_every_step_by_its_channel_on_its_day(play: Playback) -> None:
    await ordered_and_delivered(play)

    assert await by_channel(play) == [
        ("received", "sms", "accepted"),
        ("receipt", "email", "accepted"),
        ("on_its_way", "sms", "accepted"),
        ("is_everything_fine", "whatsapp", "accepted"),
        ("five_tips", "email", "accepted"),
    ]
    began = (await play.enrollments())[0]["started_at"]
    slots = [row["slot_at"] - began for row in await play.rows("SELECT slot_at FROM sends ORDER BY slot_at")]
    assert [round(slot / days(1)) for slot in slots] == [0, 0, 1, 3, 5]
    assert await play.ending() == "converted"


async def test_the_receipt_says_what_was_ordered_and_for_how_much(play: Playback) -> None:
    kettle = ProductToKeep(id="kettle-2", name={"en": "Kettle K2", "ru": "Чайник K2"}, price=49.9, currency="EUR")
    await play.house.products.keep([kettle])
    await play.does("order_placed", about="A-7", product="kettle-2", total=49.9, currency="EUR")

    [letter] = await play.rows("SELECT text FROM sandbox_outbox WHERE channel = 'email'")
    assert "Order A-7 is with us." in letter["text"]
    assert "* Kettle K2, €49.90" in letter["text"]
    assert "Total: 49.9 EUR" in letter["text"]


async def test_an_order_in_the_night_is_confirmed_in_the_night_and_asked_about_in_the_morning(play: Playback) -> None:
    await play.is_known(hour=3)
    await play.does("order_placed", about="A-1")
    await play.does("order_delivered", about="A-1")
    await play.after(days(1))
    assert (await by_channel(play))[1:] == [
        ("receipt", "email", "accepted"),
        ("is_everything_fine", "email", "deferred"),
    ]

    await play.after(hours(7))

    assert (await by_channel(play))[-1] == ("is_everything_fine", "email", "accepted")


async def test_who_complains_after_delivery_gets_a_person_and_no_tips(play: Playback) -> None:
    await delivered_and_broken(play)

    assert await play.sent() == ["receipt", "is_everything_fine"]
    assert await play.ending() == "exited"


async def test_who_complained_before_it_came_is_not_asked_whether_everything_is_fine(play: Playback) -> None:
    await late_and_complained_of(play)

    assert await play.sent() == ["receipt", "on_its_way"]
    assert await play.ending() == "exited"


async def test_a_complaint_about_another_order_is_none_about_this(play: Playback) -> None:
    await play.does("order_placed", about="A-1")
    await play.does("order_delivered", about="A-1")
    await play.does("complaint_opened", about="A-0")
    await play.after(days(1))
    await play.after(days(2))

    assert await play.sent() == ["receipt", "is_everything_fine", "five_tips"]


async def test_who_returns_it_hears_no_more_of_it(play: Playback) -> None:
    await returned(play)
    await play.after(days(2))

    assert await play.ending() == "exited"
    assert "five_tips" not in await play.sent()


async def test_what_is_never_delivered_is_not_asked_about(play: Playback) -> None:
    await never_delivered(play)

    assert await play.sent() == ["receipt", "on_its_way"]
    assert await play.ending() == "lapsed"


async def test_two_orders_walk_apart_and_the_same_news_twice_is_one(play: Playback) -> None:
    for order in ("A-1", "A-2"):
        await play.does("order_placed", about=order)
    for _ in range(2):
        await play.does("order_placed", about="A-1", event_id="again")
        await play.does("order_shipped", about="A-2", event_id="shipped")

    assert [row["about"] for row in await play.enrollments()] == ["A-1", "A-2"]
    assert sorted(await play.sent()) == ["on_its_way", "receipt", "receipt"]


async def test_a_delivery_that_we_hear_of_late_is_asked_about_by_its_own_day(play: Playback) -> None:
    await play.does("order_placed", about="A-1")
    await play.after(days(5))
    await play.does("order_delivered", about="A-1", at=play.clock.now() - days(2))
    assert await play.sent() == ["receipt", "is_everything_fine"]

    await play.after(days(1))

    assert (await play.sent())[-1] == "five_tips"


async def test_a_control_customer_gets_the_receipt_and_help_and_no_tips(play: Playback) -> None:
    await play.is_held_out("OrderAndDelivery")
    await ordered_and_delivered(play)

    states = [(message, state) for message, _, state in await by_channel(play)]
    assert states[-2:] == [("is_everything_fine", "accepted"), ("five_tips", "holdout")]
    assert [state for _, state in states[:3]] == ["accepted"] * 3


async def test_who_leaves_everything_still_gets_what_their_orders_need_and_nothing_more(play: Playback) -> None:
    await play.does("order_placed", about="A-1")
    await play.does("opted_out")
    await play.does("order_shipped", about="A-1")
    await play.does("order_placed", about="A-2")
    await play.does("order_delivered", about="A-1")
    await play.after(days(3))

    states = [(message, state) for message, _, state in await by_channel(play)]
    assert [message for message, state in states if state == "accepted"] == ["receipt", "on_its_way", "receipt"]
    assert {message: state for message, state in states if state == "refused"}.keys() >= {"five_tips"}
    assert [row["outcome"] for row in await play.enrollments()] == ["converted", None]  # A-2 is awaited
