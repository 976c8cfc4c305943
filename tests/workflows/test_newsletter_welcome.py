"""NewsletterWelcome, as readers live it (S28, S29, S45, S38, S6)."""

from domain.durations import days, hours
from services.product_reading import ProductToKeep
from tests.support.factories import STAFF
from tests.support.playback import Playback
from tests.workflows.stories.newsletter_welcome import (
    a_newcomer_who_follows_and_orders,
    a_newcomer_who_looks,
    a_newcomer_who_reads_nothing,
    a_regular,
    somebody_of_the_autumn,
    somebody_who_was_gone,
)

JOURNEYS = "NewsletterWelcome"


async def test_s28_s29_the_welcome_at_once_and_the_criteria_two_days_later(play: Playback) -> None:
    await a_newcomer_who_reads_nothing(play)

    assert await days_of_letters(play) == [
        ("welcome", 0),
        ("seven_criteria", 2),
        ("your_choice", 5),
        ("first_order", 9),
    ]
    assert await play.ending() == "lapsed"
    [welcome] = await play.rows("SELECT rendered FROM sends WHERE message = 'welcome'")
    assert "5% off with the code WELCOME5-" in " ".join(welcome["rendered"]["text"].split())


async def test_s38_seen_and_not_followed_brings_another_approach(play: Playback) -> None:
    await a_newcomer_who_looks(play)

    assert await play.sent() == ["welcome", "seven_criteria", "looking_for"]


async def test_who_follows_sees_what_others_choose_and_an_order_ends_it(play: Playback) -> None:
    for number, price in enumerate((20, 30, 40, 50)):
        kept = ProductToKeep(id=f"k{number}", name=f"Kettle {number}", category="kettles", price=price, currency="EUR")
        await play.house.products.keep([kept])
    await a_newcomer_who_follows_and_orders(play)
    await play.after(days(9))

    assert await play.sent() == ["welcome", "seven_criteria", "others_choose"]
    assert await play.ending() == "converted"
    [letter] = await play.rows("SELECT rendered FROM sends WHERE message = 'others_choose'")
    assert [name for name in ("Kettle 0", "Kettle 2", "Kettle 3") if name in letter["rendered"]["text"]] == [
        "Kettle 0",
        "Kettle 2",
    ]


async def test_s6_a_regular_gets_no_strangers_discount(play: Playback) -> None:
    await a_regular(play)

    assert await days_of_letters(play) == [("welcome_regular", 0), ("make_it_last", 4), ("looking_for", 9)]


async def test_s6_who_comes_with_the_season_hears_two_weeks_ahead_of_it(play: Playback) -> None:
    await somebody_of_the_autumn(play)

    assert await days_of_letters(play) == [("welcome_seasonal", 0), ("before_your_time", 180 - 90 - 14)]
    assert await play.ending() == "lapsed"


async def test_s6_who_was_gone_gets_one_letter_and_another_only_for_following_it(play: Playback) -> None:
    await somebody_who_was_gone(play)

    assert await days_of_letters(play) == [("welcome_back", 0), ("others_choose", 14)]


async def test_where_addresses_are_confirmed_first_the_confirmation_starts_it(play: Playback) -> None:
    await play.gives("welcome5", 5)
    async with play.house.database.transaction() as connection:
        await play.house.catalogue.set_options(
            connection, "NewsletterWelcome", {"starts_on": ["opt_in_confirmed"]}, actor=STAFF
        )
    await play.does("newsletter_signed_up")
    assert await play.sent() == []

    await play.does("opt_in_confirmed", letters=False)  # a gift, and no letters
    assert await play.sent() == []
    await play.does("opt_in_confirmed", letters=True)
    assert await play.sent() == ["welcome"]


async def test_control_other_sign_ups_late_news_and_doubles(play: Playback) -> None:
    await play.gives("welcome5", 5)
    await play.does("signed_up")
    await play.does("newsletter_signed_up", at=play.clock.now() - hours(30))
    assert await play.enrollments() == []

    for _ in range(2):
        await play.does("newsletter_signed_up", event_id="up-1")
    await play.after(days(17))
    await play.does("newsletter_signed_up")
    assert len(await play.enrollments()) == 1


async def test_opting_out_midway_leaves_and_a_sign_up_of_the_night_waits_for_the_morning(play: Playback) -> None:
    await play.gives("welcome5", 5)
    await play.is_known(hour=23)
    await play.does("newsletter_signed_up")
    assert await play.sends() == [("welcome", "deferred")]
    await play.after(hours(11))
    await play.does("opted_out")
    await play.after(days(3))

    assert await play.sent() == ["welcome"]
    assert await play.ending() == "opted_out"


async def days_of_letters(play: Playback) -> list[tuple[str, int]]:
    query = """
        SELECT message, round(extract(epoch FROM slot_at - started_at) / 86400)::int AS day
        FROM sends s JOIN enrollments e ON e.id = s.enrollment WHERE s.state = 'accepted' ORDER BY slot_at
    """
    return [(row["message"], row["day"]) for row in await play.rows(query)]
