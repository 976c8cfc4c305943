"""PurchaseNps, as customers live it (S37, C6, S58)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.purchase_nps import asked_ten_days_after_delivery, late_and_complained_of, sent_back

JOURNEYS = "PurchaseNps"


async def test_ten_days_after_delivery_at_ten_and_who_is_unhappy_is_called(play: Playback) -> None:
    await asked_ten_days_after_delivery(play)

    assert await play.sent() == ["how_was_this_order"]
    assert await play.ending() == "converted"
    assert [row["name"] for row in await play.rows("SELECT name FROM tasks")] == ["call_the_unhappy"]


async def test_what_was_sent_back_is_not_asked_about(play: Playback) -> None:
    await sent_back(play)
    await play.after(days(10))

    assert await play.ending() == "exited"
    assert await play.sent() == []


async def test_who_complained_before_it_came_is_not_asked_how_it_was_until_that_is_settled(play: Playback) -> None:
    await late_and_complained_of(play)

    assert await play.sent() == []
    assert await play.ending() == "exited"


async def test_what_was_settled_meanwhile_stands_in_no_way(play: Playback) -> None:
    await play.does("complaint_opened", about="A-7")
    await play.does("order_delivered", about="A-7")
    await play.does("complaint_resolved", about="A-7")
    await play.after(days(11))

    assert await play.sent() == ["how_was_this_order"]


async def test_two_orders_in_a_quarter_are_one_question_and_a_seven_calls_nobody(play: Playback) -> None:
    await play.does("order_delivered", about="A-7")
    await play.does("order_delivered", about="A-8")
    await play.after(days(10))
    await play.after(hours(24))
    await play.answers("how_was_this_order", score=7)

    assert len(await play.enrollments()) == 1
    assert await play.rows("SELECT 1 FROM tasks") == []
