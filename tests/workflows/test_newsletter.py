"""Newsletter, as customers live it (S55, S60, S84, S85)."""

from zoneinfo import ZoneInfo

from domain.durations import days, hours
from tests.support.playback import Playback
from tests.support.set_up import a_setting, content, reads_actively
from tests.workflows.stories.newsletter import a_quarter, falls_asleep_for_good, three_weeks

JOURNEYS = "Newsletter"
SENDS = """
    SELECT message, slot_at, c.timezone FROM sends s JOIN customers c ON c.id = s.customer
    WHERE state = 'accepted' ORDER BY slot_at
"""


async def days_of(play: Playback) -> list[tuple[str, str]]:
    """Each message, with its weekday and hour where she lives."""
    found = await play.rows(SENDS)
    return [(row["message"], f"{row['slot_at'].astimezone(ZoneInfo(row['timezone'])):%a %H}") for row in found]


async def test_education_a_story_an_offer_on_tuesdays_at_ten(play: Playback) -> None:
    await three_weeks(play)

    assert await days_of(play) == [
        ("something_to_learn", "Tue 10"),
        ("a_customers_story", "Tue 10"),
        ("an_offer", "Tue 10"),
        ("something_to_learn", "Tue 10"),
    ]
    assert await play.ending() is None


async def test_who_hardly_reads_hears_every_fourth_week(play: Playback) -> None:
    await content(play, "guides", "stories")
    await play.does("newsletter_signed_up")
    for _ in range(8):
        await play.after(days(7))

    assert await play.sent() == ["something_to_learn", "a_customers_story"]


async def test_whoever_buys_again_and_again_gets_the_loyalty_stream_and_no_offers(play: Playback) -> None:
    await content(play, "guides", "news", "events")
    for number in range(3):
        await play.does("order_placed", about=f"A-{number}")
    await play.does("newsletter_signed_up")
    for _ in range(4):
        await reads_actively(play)
        await play.after(days(7))

    assert await play.sent() == ["a_tip", "what_is_new", "an_invitation", "a_tip"]


async def test_with_nothing_to_show_nothing_is_sent(play: Playback) -> None:
    await reads_actively(play)
    await play.does("newsletter_signed_up")
    await play.after(days(7))

    assert await play.sends() == [("something_to_learn", "refused")]


async def test_notices_tell_who_reads_the_next_morning_and_others_of_all_at_once(play: Playback) -> None:
    await a_setting(play, "Newsletter", stream="notices")
    await reads_actively(play)
    await play.does("newsletter_signed_up")
    await play.does("content_published", about="issue-1", title="On kettles", link="https://acme.test/1")
    await play.after(hours(24))
    assert await play.sent() == ["new_content"]

    await play.after(days(60))  # what they read fades
    await play.does("page_viewed")
    for number in (2, 3):
        await play.does("content_published", about=f"issue-{number}", title=f"Issue {number}")
        await play.after(days(2))
    assert await play.sent() == ["new_content"]
    await play.after(days(30))

    assert await play.sent() == ["new_content"] * 2
    [_, letter] = await play.rows("SELECT rendered ->> 'subject' AS subject FROM sends ORDER BY slot_at")
    assert letter["subject"] == "New: Issue 3"


async def test_the_first_piece_of_content_begins_the_stream_and_is_told_of(play: Playback) -> None:
    await a_setting(play, "Newsletter", stream="notices", starts_on=["content_published"])
    await reads_actively(play)
    await play.does("content_published", about="issue-1", title="On kettles", link="https://acme.test/1")
    await play.after(hours(24))
    assert await play.sent() == ["new_content"]

    await play.does("content_published", about="issue-2", title="On cups", link="https://acme.test/2")
    await play.after(hours(24))

    assert await play.sent() == ["new_content"] * 2
    [first, second] = await play.rows("SELECT rendered ->> 'subject' AS subject FROM sends ORDER BY slot_at")
    assert (first["subject"], second["subject"]) == ("New: On kettles", "New: On cups")


async def test_gone_ends_it(play: Playback) -> None:
    await falls_asleep_for_good(play)

    assert await play.ending() == "exited"
    assert await play.sent() == ["something_to_learn"]


async def test_who_sleeps_hears_nothing(play: Playback) -> None:
    await content(play, "guides", "stories")
    await play.does("newsletter_signed_up", at=play.clock.now() - hours(20))
    await play.after(days(92))
    before = await play.sent()
    await play.after(days(60))

    assert await play.sent() == before


async def test_a_quarter_is_two_runs_and_one_walk(play: Playback) -> None:
    await a_quarter(play)

    sent = await play.sent()
    assert sent == (["something_to_learn", "a_customers_story", "an_offer"] * 5)[: len(sent)]
    assert len(sent) >= 12
    began = (await play.history()).events[0].workflow_execution_started_event_attributes
    assert began.continued_execution_run_id


async def test_signing_up_twice_is_one_newsletter(play: Playback) -> None:
    await content(play, "guides")
    await reads_actively(play)
    await play.does("newsletter_signed_up")
    await play.does("newsletter_signed_up")
    await play.after(days(7))

    assert len(await play.enrollments()) == 1
    assert await play.sent() == ["something_to_learn"]
