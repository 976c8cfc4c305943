"""NextPurchase, as customers live it (S35, S39, S56, S6)."""

from domain.durations import days
from tests.support.factories import STAFF
from tests.support.playback import Playback
from tests.workflows.stories.next_purchase import (
    a_first_order,
    a_regular,
    ordered_again_by_themselves,
    returned_before,
)

JOURNEYS = "NextPurchase"  # that events start


async def slots(play: Playback) -> list[tuple[str, str, int]]:
    query = """
        SELECT message, channel, slot_at - started_at AS after FROM sends s JOIN enrollments e ON e.id = s.enrollment
        WHERE s.state = 'accepted' ORDER BY slot_at
    """
    return [(row["message"], row["channel"], round(row["after"] / days(1))) for row in await play.rows(query)]


async def test_a_month_after_a_first_order_what_goes_with_it_for_less(play: Playback) -> None:
    await a_first_order(play)

    assert await slots(play) == [("accessories", "email", 30)]
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    assert "Bag B1, €39" in letter["text"] and "15% off" in letter["text"] and "ACCESSORIES15-" in letter["text"]
    assert "* Laptop" not in letter["text"]
    assert await play.ending() == "lapsed"


async def test_a_regular_is_reminded_before_their_own_day(play: Playback) -> None:
    await a_regular(play)

    assert await slots(play) == [("time_for_more", "email", 19)]
    [letter] = await play.rows("SELECT text FROM sandbox_outbox")
    assert "Coffee, 1 kg" in letter["text"]
    assert await play.ending() == "lapsed"


async def test_an_order_after_the_letter_counts(play: Playback) -> None:
    await play.gives("accessories15", 15)
    await play.does("order_placed", about="A-1")
    await play.after(days(30))
    await play.does("order_placed", about="A-2")
    await play.after(days(14))

    assert [row["outcome"] for row in await play.enrollments()] == ["converted", None]


async def test_who_orders_by_themselves_is_asked_by_the_newer_order(play: Playback) -> None:
    await ordered_again_by_themselves(play)

    first, second = await play.enrollments()
    assert (first["outcome"], second["outcome"]) == ("exited", None)
    assert [(row["enrollment"], row["state"]) for row in await play.rows("SELECT enrollment, state FROM sends")] == [
        (second["id"], "refused")  # nothing goes with what has no name
    ]


async def test_what_went_back_needs_nothing(play: Playback) -> None:
    await returned_before(play)
    await play.after(days(30))

    assert await play.ending() == "exited"
    assert await play.sends() == []


async def test_where_nothing_is_bought_again_and_again_regulars_get_accessories(play: Playback) -> None:
    async with play.house.database.transaction() as connection:
        await play.house.catalogue.set_options(connection, "NextPurchase", {"by_rhythm": False}, actor=STAFF)
    await a_regular(play)

    assert [message for message, _ in await play.sends()] == ["accessories"]


async def test_a_control_customer_gets_neither(play: Playback) -> None:
    await play.is_held_out("NextPurchase")
    await a_first_order(play)

    assert await play.sends() == [("accessories", "holdout")]
