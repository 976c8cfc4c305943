"""Nurturing, as leads live it (S38, S40, S46, S47, S65)."""

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.workflows.stories.nurturing import (
    asks_for_a_demo,
    bought_long_ago,
    reads_nothing,
    reads_the_case_and_waits,
)

JOURNEYS = "Nurturing"
LESSONS = ["material", "cost_of_nothing", "three_mistakes", "win_over_colleagues", "first_month"]


async def test_silence_brings_lessons_first_the_case_twice_and_one_invitation_at_the_end(play: Playback) -> None:
    await reads_nothing(play)

    assert await play.sent() == [*LESSONS, "webinar", "case", "case_in_short", "roi_calculator", "demo"]
    assert await play.ending() == "lapsed"
    assert await play.rows("SELECT 1 FROM tasks") == []


async def test_each_letter_comes_on_a_tuesday_at_ten_by_the_leads_clock(play: Playback) -> None:
    await play.is_known(hour=23)
    await reads_nothing(play)

    query = """
        SELECT to_char(slot_at AT TIME ZONE c.timezone, 'FMday HH24') AS at
        FROM sends s JOIN customers c ON c.id = s.customer WHERE message <> 'material'
    """
    assert {row["at"] for row in await play.rows(query)} == {"tuesday 10"}


async def test_who_saw_the_case_is_asked_and_who_knows_the_rest_is_not_told_it(play: Playback) -> None:
    await reads_the_case_and_waits(play)

    assert await play.sent() == [*LESSONS, "case", "what_stops_you", "demo"]
    [task] = await play.rows("SELECT name, due_at - created_at AS within FROM tasks")
    assert (task["name"], round(task["within"] / days(1))) == ("personal_offer", 2)


async def test_asking_for_a_demo_ends_it_at_once(play: Playback) -> None:
    await asks_for_a_demo(play)
    await play.after(days(30))

    assert await play.sent() == LESSONS[:3]
    assert await play.ending() == "converted"


async def test_a_customer_gets_what_they_asked_for_and_no_lessons(play: Playback) -> None:
    await bought_long_ago(play)

    assert await play.sent() == ["material"]
    assert await play.ending() == "exited"


async def test_the_material_is_on_their_topic_and_the_case_opens_at_their_industry(play: Playback) -> None:
    await play.has(industry="retail & more")
    await play.does(
        "downloaded", kind="whitepaper", title="Calm stock", topic="stock", link="https://acme.example/w.pdf"
    )
    for _ in range(8):
        await play.after(days(7))

    letters = {row["message"]: row for row in await play.rows("SELECT message, rendered, links FROM sends")}
    assert "Calm stock" in letters["material"]["rendered"]["text"]
    assert "https://acme.example/w.pdf" in letters["material"]["links"]
    assert "cases?industry=retail%20%26%20more" in str(letters["case"]["links"])


async def test_control_other_files_late_news_doubles_and_a_deal(play: Playback) -> None:
    await play.does("downloaded", kind="price_list")
    await play.does("downloaded", kind="guide", at=play.clock.now() - hours(30))
    assert await play.enrollments() == []

    for _ in range(2):
        await play.does("downloaded", kind="guide", event_id="guide-1")
    await play.does("downloaded", kind="checklist")
    assert await play.sent() == ["material"]

    await play.does("deal_opened", about="D-1")
    assert await play.ending() == "exited"
