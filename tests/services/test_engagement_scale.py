"""The scale of engagement: measured by the sweep over who is active, the same for everybody, and no crowd by itself."""

from datetime import timedelta

from adapters.database import engagement
from api.customer_view import CustomerView
from domain.engagement import SCALE
from domain.journeys import Plan
from domain.segment_uses import watched_by
from domain.segments import Segment
from domain.sweep import SweepRules
from domain.triggers import entering_segment
from services.customers import Customers
from services.project import Projector
from services.segment_catalogue import SegmentCatalogue
from services.segments import Segments
from services.sweep import Sweeping
from services.walking import Walking
from tests.services.bench import Bench
from tests.support.factories import an_event

DAY = timedelta(days=1)
ENGAGED = Segment(
    name="engaged",
    label={"en": "Engaged", "ru": "Вовлечённые"},
    description={"en": "", "ru": ""},
    rule={"customer": {"engagement": {"at_least": 40}}},
)


def watching(bench: Bench) -> Segments:
    """Segments as a process has them that has just begun."""
    catalogue = SegmentCatalogue(bench.clock, {"engaged": ENGAGED})
    return Segments(bench.clock, catalogue, watched=watched_by(bench.catalogue.journeys()))


async def scores(bench: Bench, customer_id: str) -> tuple[int, int]:
    """As the API and the console tell it, and as journeys are told."""
    known = Customers(bench.clock, bench.restrictions)
    walking = Walking(bench.database, bench.clock, bench.catalogue, bench.projector, zone="UTC")
    async with bench.database.transaction() as connection:
        now = await known.get(connection, customer_id)
    view = CustomerView.of(now, bench.clock.now())
    return view.engagement, (await walking.facts(now.row["id"])).engagement


async def test_the_sweep_measures_it_and_nobody_crosses_a_threshold_by_that_alone(bench: Bench) -> None:
    bench = bench.with_plans(Trial=Plan(starts_on=(entering_segment("engaged"),)))
    segments = watching(bench)
    bench.projector = Projector(bench.database, bench.clock, bench.pace, bench.catalogue, segments)
    sweeping = Sweeping(bench.database, bench.clock, SweepRules(), "UTC", segments=segments)
    await sweeping.sweep()
    now = bench.clock.now()
    people = [f"customer-{n}" for n in range(30)]
    looks = [an_event("page_viewed", name, at=now) for name in people for _ in range(4)]
    strangers = [an_event("page_viewed", f"visitor-{n}", at=now) for n in range(90)]
    await bench.ingest.accept([*looks, *strangers])
    await bench.project()
    assert await scores(bench, "customer-0") == (18, 18)  # four pages, by the scale to begin with
    bench.clock.pass_(DAY)

    await sweeping.sweep()
    await bench.project()

    async with bench.database.transaction() as connection:
        assert 5 < await engagement.scale(connection) < 6 < SCALE
        assert (await segments.count(connection, ENGAGED.rule)).count == len(people)
    assert await scores(bench, "customer-0") == (50, 50)
    assert await bench.rows("SELECT 1 FROM events WHERE name = 'segment_entered'") == []
    assert len(await bench.rows("SELECT 1 FROM segment_members")) == len(people)

    # A worker remembers the rules that are watched for some seconds; this one has not.
    bench.projector = Projector(bench.database, bench.clock, bench.pace, bench.catalogue, watching(bench))
    await bench.does("order_placed", "newcomer")  # who crosses it by what they do is told of as ever
    assert [row["customer"] for row in await bench.rows("SELECT customer FROM enrollments")] == [
        (await bench.rows("SELECT id FROM customers WHERE customer_id = 'newcomer'"))[0]["id"]
    ]
