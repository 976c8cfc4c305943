"""Who meets a trigger enters, and the customer beside them, who nearly does, does not (S65–S69)."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.segments import shipped_segments
from domain.errors import InvalidDeclaration
from domain.journeys import Plan, Reentry
from domain.segment_uses import watched_by
from domain.triggers import On, Trigger, at_least, at_most, entering_segment, entering_stage, leaving_segment
from services.catalogue import Catalogue
from services.project import Projector
from services.segment_catalogue import SegmentCatalogue
from services.segments import Segments
from tests.services.bench import Bench

DAY = timedelta(days=1)
Deed = tuple[str, dict[str, Any]]

S65: Trigger = On("downloaded", {"kind": "whitepaper"})
S66: Trigger = On("page_viewed", {"page": "pricing"})
S67: Trigger = "engagement_lost"
S68: Trigger = "deal_won"
S69: Trigger = On("survey_answered", {"score": at_most(6)})


@pytest.mark.parametrize(
    ("trigger", "meets", "nearly"),
    [
        (S65, ("downloaded", {"kind": "whitepaper"}), ("downloaded", {"kind": "price list"})),
        (S66, ("page_viewed", {"page": "pricing"}), ("page_viewed", {"page": "about"})),
        (S67, ("engagement_lost", {}), ("became_dormant", {})),
        (S68, ("deal_won", {"deal": "D-1"}), ("deal_lost", {"deal": "D-1"})),
        (S69, ("survey_answered", {"score": 6}), ("survey_answered", {"score": 7})),
        (entering_segment("vip"), ("segment_entered", {"segment": "vip"}), ("segment_entered", {"segment": "lost"})),
    ],
    ids=["S65", "S66", "S67", "S68", "S69", "segment"],
)
async def test_exactly_who_meets_it_enters(bench: Bench, trigger: Trigger, meets: Deed, nearly: Deed) -> None:
    bench = bench.with_plans(Trial=Plan(starts_on=(trigger,)))
    await bench.does(meets[0], "anna", **meets[1])
    await bench.does(nearly[0], "boris", **nearly[1])

    assert await entered(bench) == [("anna", "Trial")]


async def test_entering_a_stage_starts_a_journey(bench: Bench) -> None:
    bench = bench.with_stages().with_plans(Trial=Plan(starts_on=(entering_stage("onboarding"),)))
    for event in ("page_viewed", "order_placed", "order_delivered", "order_delivered"):
        await bench.does(event, "anna")
    await bench.does("order_placed", "boris")

    assert await entered(bench) == [("anna", "Trial")]
    anna = (await bench.rows("SELECT stage FROM customers WHERE customer_id = 'anna'"))[0]
    assert anna["stage"] == "onboarding"


async def test_stages_of_the_past_start_nothing(bench: Bench) -> None:
    bench = bench.with_stages().with_plans(Trial=Plan(starts_on=(entering_stage("purchase"),)))
    await bench.does("order_placed", "anna", source="import", at=bench.clock.now() - 400 * DAY)
    await bench.does(
        "order_placed", "boris", at=bench.clock.now() - 3 * DAY, received=bench.clock.now(), event_id="heard late"
    )

    assert await entered(bench) == []
    stages = await bench.rows("SELECT customer_id, stage, stage_since FROM customers ORDER BY customer_id")
    assert [(row["customer_id"], row["stage"]) for row in stages] == [("anna", "purchase"), ("boris", "purchase")]
    assert stages[0]["stage_since"] == bench.clock.now() - 400 * DAY


async def test_a_goal_and_an_exit_may_ask_more_than_a_name(bench: Bench) -> None:
    plan = Plan(
        starts_on=("signed_up",),
        goal=On("order_placed", {"total": at_least(100)}),
        exits=(On("page_viewed", {"page": "careers"}),),
        reentry=Reentry.NEVER,
    )
    bench = bench.with_plans(Trial=plan)
    for who in ("anna", "boris", "clara"):
        await bench.does("signed_up", who)
    await bench.does("order_placed", "anna", total=250)
    await bench.does("order_placed", "boris", total=99.5)
    await bench.does("page_viewed", "boris", page="pricing")
    await bench.does("page_viewed", "clara", page="careers")

    rows = await bench.rows(
        "SELECT c.customer_id, e.outcome FROM enrollments e JOIN customers c ON c.id = e.customer ORDER BY 1"
    )
    assert [tuple(row.values()) for row in rows] == [("anna", "converted"), ("boris", None), ("clara", "exited")]


async def test_the_way_through_the_stages_is_on_record(bench: Bench) -> None:
    bench = bench.with_stages()
    now = bench.clock.now()
    for days, event in ((10, "signed_up"), (4, "order_placed"), (2, "order_delivered")):
        await bench.does(event, at=now - days * DAY)
    await bench.does("page_viewed", at=now, page="pricing")

    visits = await bench.rows("SELECT stage, entered_at, exited_at, cause FROM stage_visits ORDER BY id")
    assert [tuple(visit.values()) for visit in visits] == [
        ("consideration", now - 10 * DAY, now - 4 * DAY, "signed_up"),
        ("purchase", now - 4 * DAY, now - 2 * DAY, "order_placed"),
        ("onboarding", now - 2 * DAY, None, "order_delivered"),
    ]


async def test_several_stages_in_one_go_are_all_on_record(bench: Bench) -> None:
    bench = bench.with_stages()
    for event in ("page_viewed", "signed_up", "order_placed"):
        await bench.does(event, project=False)
        bench.clock.pass_(timedelta(minutes=1))
    await bench.project()

    visits = await bench.rows("SELECT stage, exited_at IS NULL AS open FROM stage_visits ORDER BY id")
    assert [tuple(visit.values()) for visit in visits] == [
        ("awareness", False), ("consideration", False), ("purchase", True),
    ]  # fmt: skip
    told = await bench.rows(
        "SELECT properties ->> 'stage' AS stage FROM events WHERE name = 'stage_entered' ORDER BY 1"
    )
    assert [row["stage"] for row in told] == ["awareness", "consideration", "purchase"]


async def test_two_who_are_one_are_where_either_came_furthest(bench: Bench) -> None:
    bench = bench.with_stages()
    await bench.a_customer("visitor")
    await bench.does("signed_up", "anna")
    await bench.does("order_placed", "visitor")
    await bench.merge("anna", "visitor")

    anna = (await bench.rows("SELECT stage FROM customers WHERE customer_id = 'anna'"))[0]
    open_visits = await bench.rows("SELECT stage FROM stage_visits WHERE exited_at IS NULL")
    assert (anna["stage"], [row["stage"] for row in open_visits]) == ("purchase", ["purchase"])


async def test_coming_into_a_segment_and_leaving_it_start_journeys(bench: Bench) -> None:
    coming, going = Plan(starts_on=(entering_segment("complains"),)), Plan(starts_on=(leaving_segment("complains"),))
    bench = bench.with_plans(Trial=coming, Cart=going)
    catalogue = SegmentCatalogue(bench.clock, shipped_segments())
    watched = watched_by(bench.catalogue.journeys())
    segments = Segments(bench.clock, catalogue, watched=watched)
    bench.projector = Projector(bench.database, bench.clock, bench.pace, bench.catalogue, segments)
    async with bench.database.transaction() as connection:
        await segments.refresh(connection, "complains", bench.clock.now())
    await bench.does("complaint_opened", "anna")
    await bench.does("complaint_opened", "boris", source="import", at=bench.clock.now() - 30 * DAY)
    assert await entered(bench) == [("anna", "Trial")]

    await bench.does("complaint_resolved", "anna")
    bench.clock.pass_(366 * DAY)
    moved = await segments.refresh_all(bench.database, bench.clock.now())
    await bench.project()

    assert moved["complains"].left == 1, "boris' complaint of the import was never resolved"
    assert await entered(bench) == [("anna", "Cart"), ("anna", "Trial")]


async def entered(bench: Bench) -> list[tuple[str, str]]:
    rows = await bench.rows(
        "SELECT c.customer_id, e.journey FROM enrollments e JOIN customers c ON c.id = e.customer ORDER BY 1, 2"
    )
    return [(row["customer_id"], row["journey"]) for row in rows]


async def test_only_the_journeys_of_an_installation_start_by_themselves(bench: Bench) -> None:
    declared = bench.catalogue.journeys()
    some = Catalogue(declared, bench.library, bench.surrogates, starting=["Cart"])
    async with bench.database.transaction() as connection:
        routing, settings = await some.routing(connection), await some.settings(connection)

    assert {name: set(listed.starts_on) for name, listed in routing.journeys.items()} == {
        "Cart": {"cart_left"},
        "Trial": set(),
    }
    assert settings == {"Trial": {"starts_on": []}}  # as marketers read it, too
    with pytest.raises(InvalidDeclaration, match="TROPA_JOURNEYS names 'Carts'; there are: Cart, Trial"):
        Catalogue(declared, bench.library, bench.surrogates, starting=["Carts"])
