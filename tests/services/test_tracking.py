"""Opens and clicks: kept as they come, graded a moment later, told once, and a human one is seen."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from activities.walking import MissedRequest
from adapters.database.hits import A_DAY
from domain.errors import NotFound
from domain.journeys import Declaration, Plan
from domain.options import Id
from domain.sends import SendResult, SendState
from domain.tracking import SETTLES_AFTER, Grade, TrackingMode
from services.catalogue import Catalogue
from services.project import Projector
from services.saying import event_sentence
from services.tracking import Tracking
from services.walking import Walking
from tests.services.bench import Bench

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "accept-language": "en"}
SCANNER = {"user-agent": "Proofpoint-URLDefense/1.0"}
APPLE = {"user-agent": "Mozilla/5.0"}
GMAIL = {"user-agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"}
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


async def sent(bench: Bench, message: str = "note", **step: Any) -> UUID:
    """A letter that went out an hour ago."""
    walk = await bench.a_walk()
    result = await bench.sending.send(bench.request(walk, message, **step), started=bench.clock.now())
    assert result.state is SendState.ACCEPTED
    bench.clock.pass_(HOUR)
    return bench.email.calls[-1].letter.send_id


async def click(bench: Bench, send: UUID, number: int = 1, headers: dict[str, str] = BROWSER) -> None:
    token = bench.links.click(send, number).rpartition("/")[2]
    await bench.tracking.clicked(await bench.tracking.read(token), headers)


async def opens(bench: Bench, send: UUID, headers: dict[str, str] = BROWSER) -> None:
    await bench.tracking.opened(bench.links.open(send).rpartition("/")[2].removesuffix(".gif"), headers)


async def settle(bench: Bench) -> None:
    bench.clock.pass_(SETTLES_AFTER)
    await bench.tracking.settle_some()
    await bench.project()


async def told(bench: Bench) -> list[tuple[str, str, str]]:
    query = "SELECT name, properties FROM events WHERE source = 'tropa' ORDER BY occurred_at, event_id"
    found = await bench.rows(query)
    return [(row["name"], row["properties"]["grade"], row["properties"]["reason"]) for row in found]


async def seen(bench: Bench) -> bool:
    return (await bench.rows("SELECT seen_at FROM sends ORDER BY leg LIMIT 1"))[0]["seen_at"] is not None


async def test_the_letter_that_goes_out_and_the_one_in_the_ledger_lead_over_us(bench: Bench) -> None:
    send = await sent(bench)
    letter = bench.email.calls[0].letter
    row = (await bench.rows("SELECT rendered, links FROM sends"))[0]

    links = re.findall(r"https://mail\.acme\.test/c/([\w.-]+)", letter.text)
    assert [bench.links.read_click(token) for token in links] == [(send, 1), (send, 2)]
    assert row["rendered"]["html"] == letter.html
    assert row["links"][1].startswith("https://acme.test/news?utm_source=tropa&utm_medium=email&utm_campaign=trial")


async def test_a_human_click_is_told_in_words_and_seen(bench: Bench) -> None:
    send = await sent(bench)
    await click(bench, send)
    at = bench.clock.now()
    await settle(bench)

    event = (await bench.rows("SELECT * FROM events WHERE name = 'message_clicked'"))[0]
    assert (event["occurred_at"], event["customer"], event["source"]) == (at, bench.ours["anna"], "tropa")
    assert event["properties"] == {
        "send": str(send),
        "message": "note",
        "journey": "Trial",
        "channel": "email",
        "grade": "human",
        "reason": "",
        "link": 1,
    }
    assert [event_sentence(event["name"], event["properties"], lang) for lang in ("en", "ru")] == [
        "Followed a link in “note”",
        "Переход по ссылке из «note»",
    ]
    assert (await bench.rows("SELECT seen_at FROM sends"))[0]["seen_at"] == at


async def test_nothing_of_the_request_is_kept_but_what_speaks_against_it(bench: Bench) -> None:
    send = await sent(bench)
    await click(bench, send, headers={**SCANNER, "x-forwarded-for": "203.0.113.7"})
    await settle(bench)

    kept = repr(await bench.rows("SELECT * FROM hits")) + repr(await bench.rows("SELECT * FROM events"))
    assert "scanner" in kept
    assert not re.search(r"Proofpoint|203\.0\.113|anna@", kept)


@pytest.mark.parametrize(
    ("headers", "grade", "words"),
    [
        (SCANNER, Grade.MACHINE, "A mail filter followed a link in “note”"),
        ({"user-agent": BROWSER["user-agent"]}, Grade.UNSURE, "May have followed a link in “note”"),
    ],
)
async def test_another_click_is_told_as_what_it_is_and_is_not_seen(
    bench: Bench, headers: dict[str, str], grade: Grade, words: str
) -> None:
    send = await sent(bench)
    await click(bench, send, headers=headers)
    await settle(bench)

    event = (await bench.rows("SELECT name, properties FROM events"))[0]
    assert (event["name"], event["properties"]["grade"]) == ("message_clicked", grade)
    assert event_sentence(event["name"], event["properties"], "en") == words
    assert not await seen(bench)


async def test_a_filter_with_a_browsers_name_gives_itself_away_by_its_second_link(bench: Bench) -> None:
    send = await sent(bench)
    await click(bench, send, 1)
    bench.clock.pass_(SECOND)
    await click(bench, send, 2)
    await settle(bench)

    assert await told(bench) == [("message_clicked", "machine", "together")] * 2
    assert not await seen(bench)


async def test_a_filter_that_takes_its_time_gives_itself_away_by_the_bait(bench: Bench) -> None:
    send = await sent(bench)
    for number in (0, 1, 2):
        await click(bench, send, number)
        bench.clock.pass_(10 * SECOND)
        await bench.tracking.settle_some()
    await settle(bench)

    assert await told(bench) == [("message_clicked", "machine", "bait")] * 3
    assert not await seen(bench)


async def test_an_open_in_doubt_is_told_again_when_its_reader_clicks(bench: Bench) -> None:
    send = await sent(bench)
    await opens(bench, send, GMAIL)
    await settle(bench)
    assert await told(bench) == [("message_opened", "unsure", "proxy")]
    assert not await seen(bench)

    await click(bench, send)
    await settle(bench)

    assert sorted(await told(bench)) == [
        ("message_clicked", "human", ""),
        ("message_opened", "human", "clicked_later"),
        ("message_opened", "unsure", "proxy"),
    ]


@pytest.mark.parametrize(("headers", "verified"), [(BROWSER, True), (GMAIL, False), (APPLE, False), (SCANNER, False)])
async def test_only_a_verified_open_is_seen(bench: Bench, headers: dict[str, str], verified: bool) -> None:
    send = await sent(bench)
    await opens(bench, send, headers)
    await settle(bench)

    assert await seen(bench) is verified


async def test_f40_a_thousand_fetches_of_one_link_are_ten_rows_and_one_event(bench: Bench) -> None:
    send = await sent(bench)
    link = await bench.tracking.read(bench.links.click(send, 1).rpartition("/")[2])
    for _ in range(20):
        await asyncio.gather(*(bench.tracking.clicked(link, SCANNER) for _ in range(50)))
        bench.clock.pass_(SECOND)
    await settle(bench)

    assert await bench.rows("SELECT count(*) AS n FROM hits") == [{"n": A_DAY}]
    assert await told(bench) == [("message_clicked", "machine", "scanner")]


async def test_a_person_still_counts_where_a_filter_has_been_at_work(bench: Bench) -> None:
    send = await sent(bench)
    for _ in range(20):
        await click(bench, send, headers=SCANNER)
        bench.clock.pass_(SECOND)
    await click(bench, send)
    await settle(bench)

    assert sorted(await told(bench)) == [("message_clicked", "human", ""), ("message_clicked", "machine", "scanner")]
    assert await seen(bench)


async def test_the_same_link_on_another_day_is_told_again(bench: Bench) -> None:
    send = await sent(bench)
    for _ in range(2):
        await click(bench, send)
        bench.clock.pass_(MINUTE)
        await click(bench, send)
        await settle(bench)
        bench.clock.pass_(timedelta(days=1))

    assert await told(bench) == [("message_clicked", "human", "")] * 2


async def test_two_workers_that_grade_at_once_tell_it_once(bench: Bench) -> None:
    send = await sent(bench)
    await click(bench, send)
    bench.clock.pass_(SETTLES_AFTER)

    await asyncio.gather(*(bench.tracking.settle_some() for _ in range(8)))

    assert await told(bench) == [("message_clicked", "human", "")]


@pytest.mark.parametrize(("mode", "kept"), [(TrackingMode.CLICKS, ["click"]), (TrackingMode.OFF, [])])
async def test_what_is_turned_off_is_not_kept_and_old_links_still_lead(
    bench: Bench, mode: TrackingMode, kept: list[str]
) -> None:
    send = await sent(bench)
    bench.tracking = Tracking(bench.database, bench.clock, bench.links, mode)

    await click(bench, send)
    await opens(bench, send)

    assert [row["kind"] for row in await bench.rows("SELECT kind FROM hits")] == kept


async def test_a_link_whose_send_is_kept_no_longer_leads_nowhere(bench: Bench) -> None:
    send = await sent(bench)
    token = bench.links.click(send, 1).rpartition("/")[2]
    await bench.change("UPDATE sends SET links = NULL")

    with pytest.raises(NotFound):
        await bench.tracking.read(token)
    with pytest.raises(NotFound):
        await bench.tracking.read(bench.links.click(UUID(int=1), 1).rpartition("/")[2])
    with pytest.raises(NotFound):
        await bench.tracking.read(bench.links.click(send, 99).rpartition("/")[2])


async def test_of_who_is_erased_nothing_more_is_told(bench: Bench) -> None:
    send = await sent(bench)
    await click(bench, send)
    await bench.change("UPDATE customers SET erased_at = :at", at=bench.clock.now())
    await settle(bench)

    assert await told(bench) == []
    assert await bench.tracking.settle_some() == 0


# What follows from it ----------------------------------------------------------------------------------------------


async def next_leg(bench: Bench, walk: str) -> SendResult:
    request = bench.request(walk, "either", cascade=True, leg=1)
    return await bench.sending.send(request, started=bench.clock.now())


@pytest.mark.parametrize(
    ("headers", "number", "goes_on"),
    [(BROWSER, 1, False), (SCANNER, 1, True), (BROWSER, 0, True), ({"user-agent": "Firefox"}, 1, True)],
)
async def test_a_cascade_stops_after_a_human_click_and_after_no_other(
    bench: Bench, headers: dict[str, str], number: int, goes_on: bool
) -> None:
    send = await sent(bench, "either", cascade=True, leg=0)
    walk = (await bench.rows("SELECT id FROM enrollments"))[0]["id"]
    await click(bench, send, number, headers)
    await settle(bench)

    result = await next_leg(bench, walk)

    assert (result.state, result.rule) == ((SendState.ACCEPTED, "accepted") if goes_on else (SendState.REFUSED, "seen"))


LISTENS = Plan(
    starts_on=("message_opened",),
    hears=("message_clicked",),
    exits=("message_opened",),
    properties={"message_clicked": {"message": Id, "grade": Grade, "link": int}},
)


def listening(bench: Bench) -> Bench:
    """A bench whose journey Trial hears clicks, and starts and ends by opens."""
    declared = Declaration(name="Trial", folder="trial", plan=LISTENS, story="")
    catalogue = Catalogue((declared,), bench.library, bench.surrogates)
    bench.projector = Projector(bench.database, bench.clock, bench.pace, catalogue)
    bench.walking = Walking(bench.database, bench.clock, catalogue, bench.projector, zone="UTC")
    return bench


async def test_a_journey_hears_a_human_click_with_what_it_declared(bench: Bench) -> None:
    send = await sent(listening(bench))
    await click(bench, send, 2)
    await settle(bench)

    heard = (await bench.rows("SELECT payload FROM dispatches WHERE kind = 'customer_event'"))[0]["payload"]
    assert (heard["name"], heard["properties"]) == (
        "message_clicked",
        {"message": bench.surrogates.of("note"), "grade": "human", "link": 2},
    )


@pytest.mark.parametrize("headers", [GMAIL, APPLE, SCANNER])
async def test_no_journey_hears_starts_or_ends_by_what_a_machine_may_have_done(
    bench: Bench, headers: dict[str, str]
) -> None:
    send = await sent(listening(bench))
    await opens(bench, send, headers)
    await click(bench, send, headers=headers)
    await settle(bench)
    await bench.does("message_clicked", grade="machine")
    await bench.does("message_opened", "somebody else")

    assert len(await told(bench)) == 2
    assert await bench.rows("SELECT kind FROM dispatches") == [{"kind": "start"}]
    assert await bench.rows("SELECT 1 FROM decisions WHERE state IN ('entered', 'ended')") == []


async def test_what_a_journey_reads_of_what_it_missed_has_no_machine_in_it(bench: Bench) -> None:
    send = await sent(listening(bench))
    walk = (await bench.rows("SELECT id FROM enrollments"))[0]["id"]
    await click(bench, send, headers=SCANNER)
    bench.clock.pass_(HOUR)
    await click(bench, send)
    await settle(bench)

    missed = await bench.walking.missed(MissedRequest(enrollment=walk, customer=bench.ours["anna"], after=0))

    assert [event.properties["grade"] for event in missed] == ["human"]


async def test_a_verified_open_ends_what_declares_it(bench: Bench) -> None:
    send = await sent(listening(bench))
    await opens(bench, send)
    await settle(bench)

    assert (await bench.rows("SELECT outcome FROM enrollments"))[0]["outcome"] == "exited"
