"""CategoryView, as customers live it (S30)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.category_view import looks_and_chooses, looks_and_leaves, looks_and_orders

JOURNEYS = "CategoryView"  # that events start


async def test_three_hours_after_the_last_look_the_best_five_and_then_lapsed(play: Playback) -> None:
    await looks_and_leaves(play)

    [send] = await play.rows("SELECT message, channel, state, slot_at FROM sends")
    assert (send["message"], send["channel"], send["state"]) == ("top_five", "email", "accepted")
    assert round((send["slot_at"] - (await play.enrollments())[0]["started_at"]) / hours(1)) == 4
    assert await play.ending() == "lapsed"
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    listed = [line.split(" ")[1].rstrip(",") for line in letter["text"].splitlines() if line.startswith("* ")]
    assert listed == ["Cheap", "Plain", "Good", "Dear", "Poor"]


async def test_who_puts_something_into_the_cart_has_chosen(play: Playback) -> None:
    await looks_and_chooses(play)
    await play.after(days(1))

    assert await play.ending() == "exited"
    assert await play.sends() == []


async def test_an_order_after_the_letter_converts(play: Playback) -> None:
    await looks_and_orders(play)

    assert await play.ending() == "converted"


async def test_who_only_looks_at_a_product_is_left_alone(play: Playback) -> None:
    await play.does("product_viewed", product="Good")
    await play.after(days(1))

    assert await play.enrollments() == []


async def test_a_category_with_nothing_to_show_is_no_letter(play: Playback) -> None:
    await play.does("category_viewed", category="hats")
    await play.after(hours(3))

    assert await play.sends() == [("top_five", "refused")]


async def test_a_look_in_the_evening_is_answered_in_the_morning(play: Playback) -> None:
    await play.is_known(hour=20)
    await looks_and_leaves(play)
    assert await play.sends() == [("top_five", "accepted")]
    [send] = await play.rows("SELECT wished_at, slot_at FROM sends")
    assert hours(8) < send["slot_at"] - send["wished_at"] < hours(10)


async def test_a_control_customer_gets_nothing(play: Playback) -> None:
    await play.is_held_out("CategoryView")
    await looks_and_leaves(play)

    assert await play.sends() == [("top_five", "holdout")]
    assert await play.ending() == "lapsed"
