"""OfferLadder, as customers live it (S52)."""

from domain.durations import days
from tests.support.factories import STAFF
from tests.support.playback import Playback
from tests.workflows.stories.offer_ladder import comes_back_without_a_bonus, nothing_tempts_them, up_the_ladder

JOURNEYS = "OfferLadder"  # that events start


async def rungs(play: Playback) -> list[tuple[str, int]]:
    query = """
        SELECT message, slot_at - started_at AS after FROM sends s JOIN enrollments e ON e.id = s.enrollment
        WHERE s.state = 'accepted' ORDER BY slot_at
    """
    return [(row["message"], round(row["after"] / days(1))) for row in await play.rows(query)]


async def test_two_offers_and_then_peace(play: Playback) -> None:
    await nothing_tempts_them(play)

    assert await rungs(play) == [("welcome_discount", 0), ("personal_offer", 10)]
    assert await play.ending() == "lapsed"
    said = [row["text"] for row in await play.rows("SELECT text FROM sandbox_outbox ORDER BY at")]
    assert "5% off" in said[0] and "WELCOME5-" in said[0]
    assert "10% off" in said[1] and "PERSONAL10-" in said[1]


async def test_a_bonus_a_week_after_the_first_order_and_the_second_converts(play: Playback) -> None:
    await up_the_ladder(play)

    assert await rungs(play) == [("welcome_discount", 0), ("personal_offer", 10), ("repeat_bonus", 17)]
    assert await play.ending() == "converted"


async def test_who_comes_back_by_themselves_needs_no_bonus(play: Playback) -> None:
    await comes_back_without_a_bonus(play)

    assert await rungs(play) == [("welcome_discount", 0)]
    assert await play.ending() == "converted"


async def test_the_welcome_may_be_another_journeys_and_nobody_climbs_twice(play: Playback) -> None:
    async with play.house.database.transaction() as connection:
        await play.house.catalogue.set_options(connection, "OfferLadder", {"welcome": False}, actor=STAFF)
    await nothing_tempts_them(play)
    await play.does("signed_up")

    assert await rungs(play) == [("personal_offer", 10)]


async def test_a_control_customer_gets_no_offer(play: Playback) -> None:
    await play.is_held_out("OfferLadder")
    await nothing_tempts_them(play)

    assert await play.sends() == [("welcome_discount", "holdout"), ("personal_offer", "holdout")]
