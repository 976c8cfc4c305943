"""Erased in the middle of a journey: the walk ends, and what Temporal keeps never held a name."""

from datetime import timedelta

from services.erasing import Erasing
from services.merging import Merging
from tests.support.factories import STAFF, an_event
from tests.support.playback import Playback

JOURNEYS = "WelcomeChain"  # that events start
WHO = "anna@example.com"


async def test_f45_a_walk_of_somebody_erased_ends_and_its_history_holds_no_name(play: Playback) -> None:
    await play.does("order_placed", about="order of Anna", total=49.9, comment="call anna@example.com")
    await play.after(timedelta(days=1))

    async with play.house.database.transaction() as connection:
        await Erasing(play.house.clock, play.house.restrictions).erase(connection, WHO, actor=STAFF)
    await play.catch_up()

    assert await play.ending() == "erased"
    assert await play.closed() in ("canceled", "completed")
    assert "anna" not in (await play.history()).to_json().casefold()
    assert "anna" not in str(await play.rows("SELECT * FROM sandbox_outbox")).casefold()
    assert "anna" not in str(await play.rows("SELECT * FROM sends")).casefold()


async def test_f44_a_walk_of_a_merged_profile_goes_on_as_the_survivors(play: Playback) -> None:
    house = play.house
    before = play.clock.now()
    await house.ingest.accept([an_event("order_placed", "anja@example.com", at=before, received=before)])
    await play.catch_up()
    merging = Merging(house.clock, house.restrictions, Erasing(house.clock, house.restrictions))
    sent = len(await play.sent())

    async with house.database.transaction() as connection:
        await merging.merge(connection, WHO, "anja@example.com", actor=STAFF)
    await play.after(timedelta(days=3))
    await house.ingest.accept([an_event("activated", "anja@example.com", at=play.clock.now())])
    await play.catch_up()

    assert await play.ending() == "converted"
    assert len(await play.sent()) > sent
    assert {row["recipient"] for row in await play.rows("SELECT recipient FROM sends WHERE state = 'accepted'")} == {
        WHO
    }
    assert len(await play.rows("SELECT DISTINCT customer FROM sends")) == 1
