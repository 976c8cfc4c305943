"""AbandonedCart, as customers live it (S31, C1, C12)."""

from domain.durations import days, hours
from services.product_reading import ProductToKeep
from tests.support.playback import Playback
from tests.workflows.stories.abandoned_cart import (
    a_cart_emptied,
    a_cart_nobody_wants,
    a_cart_of_the_evening,
    a_cart_ordered_in_time,
)

JOURNEYS = "AbandonedCart"  # that events start


async def test_two_hours_after_the_last_change_and_not_before(play: Playback) -> None:
    await play.does("cart_updated", about="C-1")
    await play.after(hours(1))
    await play.does("cart_updated", about="C-1")
    await play.after(hours(1.5))
    assert await play.sent("AbandonedCart") == []

    await play.after(hours(0.5))

    assert await play.sent("AbandonedCart") == ["order_by_six"]
    assert len(await play.enrollments()) == 1


async def test_a_letter_then_whatsapp_four_hours_later_then_lapsed(play: Playback) -> None:
    """And no text: here texts are for transactional messages (C2)."""
    await a_cart_nobody_wants(play)

    assert await legs(play) == [
        ("order_by_six", 0, "email", "accepted"),
        ("order_by_six", 1, "whatsapp", "accepted"),
        ("order_by_six", 2, None, "refused"),
    ]
    slots = [row["slot_at"] for row in await play.rows("SELECT slot_at FROM sends ORDER BY leg")]
    assert round((slots[1] - slots[0]) / hours(1)) == 4
    assert "Here SMS is not used for messages of this purpose (offer)" in await play.words()
    assert await play.ending("AbandonedCart") == "lapsed"


async def test_an_order_of_the_cart_ends_it_at_once_and_nothing_follows(play: Playback) -> None:
    await a_cart_ordered_in_time(play)

    assert await play.ending("AbandonedCart") == "converted"
    await play.after(days(4))
    assert await play.sent("AbandonedCart") == ["order_by_six"]


async def test_an_emptied_cart_is_forgotten(play: Playback) -> None:
    await a_cart_emptied(play)

    assert await play.ending("AbandonedCart") == "exited"
    await play.after(days(4))
    assert await play.sent("AbandonedCart") == []


async def test_who_has_seen_the_letter_gets_nothing_more(play: Playback) -> None:
    await play.is_known(hour=9)
    await play.has_a_phone()
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    await play.sees("order_by_six")
    await play.after(hours(4))

    assert await legs(play) == [("order_by_six", 0, "email", "accepted"), ("order_by_six", 1, None, "refused")]
    assert "They have seen it already, by email" in (await play.words())[-1]


async def test_who_prefers_whatsapp_gets_it_first_and_the_letter_after_it(play: Playback) -> None:
    await play.is_known(hour=9)
    await play.has_a_phone()
    await play.prefers("whatsapp")
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    await play.after(hours(4))

    assert [(leg, channel) for _, leg, channel, _ in await legs(play)] == [(0, "whatsapp"), (1, "email")]


async def test_who_has_no_phone_gets_one_letter_and_the_timeline_says_why(play: Playback) -> None:
    await play.is_known(hour=9)
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    await play.after(hours(4))

    assert [row[2:] for row in await legs(play)] == [("email", "accepted"), (None, "refused")]
    assert (await play.words())[-1] == "There is no address for WhatsApp"


async def test_who_wants_no_letters_gets_whatsapp_at_once(play: Playback) -> None:
    await play.has_a_phone()
    await play.does("opted_out", channel="email")
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))

    assert await legs(play) == [("order_by_six", 0, "whatsapp", "accepted")]


async def test_a_complaint_holds_the_reminder_until_it_is_resolved(play: Playback) -> None:
    await play.is_known(hour=9)
    await play.does("complaint_opened")
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    assert await play.sends() == [("order_by_six", "held")]

    await play.does("complaint_resolved")

    assert await play.sends() == [("order_by_six", "accepted")]


async def test_what_they_have_just_bought_elsewhere_is_not_offered(play: Playback) -> None:
    await play.is_known(hour=9)
    await play.does("cart_updated", about="C-1", products=["Red kettle"])
    await play.after(hours(1))
    await play.does("order_placed", about="A-1", products=["Red kettle"])
    await play.after(hours(1))

    assert ("order_by_six", "refused") in await play.sends()
    assert any("They have just bought Red kettle" in words for words in await play.words())


async def test_the_promise_of_tomorrow_is_not_made_after_five(play: Playback) -> None:
    await play.is_known(hour=16)
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))

    assert await play.sends() == [("order_by_six", "expired"), ("still_waiting", "accepted")]


async def test_an_evening_cart_waits_for_the_morning_without_the_promise(play: Playback) -> None:
    await a_cart_of_the_evening(play)

    assert await play.sent("AbandonedCart") == ["still_waiting"]
    assert [state for _, state in await play.sends()][:2] == ["expired", "accepted"]


async def test_a_cart_of_the_night_is_promised_tomorrow_in_the_morning(play: Playback) -> None:
    await play.is_known(hour=3)
    await play.does("cart_updated", about="C-1")
    await play.after(hours(2))
    assert await play.sends() == [("order_by_six", "deferred")]

    await play.after(hours(5))

    assert await play.sends() == [("order_by_six", "accepted")]


async def test_two_carts_walk_apart_and_an_order_ends_its_own(play: Playback) -> None:
    await play.does("cart_updated", about="C-1")
    await play.after(hours(1))
    await play.does("cart_updated", about="C-2")
    await play.does("order_placed", about="A-7", cart="C-1")

    endings = {row["about"]: row["outcome"] for row in await play.enrollments() if row["about"]}
    assert endings == {"C-1": "converted", "C-2": None}
    await play.after(hours(4))  # the order is greeted meanwhile, and touches stay four hours apart
    assert await play.sent("AbandonedCart") == ["order_by_six"]


async def test_an_order_that_names_no_cart_ends_no_cart(play: Playback) -> None:
    await play.does("cart_updated", about="C-1")
    await play.does("order_placed", about="A-7")

    assert [row["outcome"] for row in await play.enrollments() if row["journey"] == "AbandonedCart"] == [None]


async def test_two_carts_share_the_gap_between_touches(play: Playback) -> None:
    await play.does("cart_updated", about="C-1")
    await play.does("cart_updated", about="C-2")
    await play.after(hours(2))

    assert sorted(state for _, state in await play.sends()) == ["accepted", "deferred"]


async def test_the_letter_shows_the_cart_as_it_is_now(play: Playback) -> None:
    await play.does("cart_updated", about="C-1", products=["Red kettle"], link="https://shop.example/c/1")
    await play.does("cart_updated", about="C-2", products=["Green cup"])
    await play.house.products.keep([ProductToKeep(id="Blue pot", name="Pot, blue", price=12.5, currency="EUR")])
    await play.after(hours(1))
    await play.does("cart_updated", about="C-1", products=["Red kettle", "Blue pot"], link="https://shop.example/c/1")
    await play.after(hours(1))
    await play.after(hours(4))

    rows = await play.rows(LETTERS)
    letters, links = ({row["about"]: row[part] for row in rows} for part in ("text", "links"))
    assert "Green cup" in letters["C-2"]
    assert "Red kettle" in letters["C-1"] and "Pot, blue, €12.50" in letters["C-1"]  # as the feed has it, where it does
    assert "https://shop.example/c/1" in links["C-1"]
    assert "Green cup" not in letters["C-1"]


LETTERS = """
    SELECT e.about, o.text, s.links
    FROM sandbox_outbox o JOIN sends s ON s.id = o.send JOIN enrollments e ON e.id = s.enrollment
"""


async def legs(play: Playback) -> list[tuple[str, int, str | None, str]]:
    rows = await play.rows("SELECT message, leg, channel, state FROM sends ORDER BY message, leg")
    return [(row["message"], row["leg"], row["channel"], row["state"]) for row in rows]
