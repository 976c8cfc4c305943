"""History handed over: it builds profiles and starts nothing; the next live event does."""

import time
from datetime import timedelta

from domain.events import IMPORT
from tests.support.factories import SettableClock, an_event
from tropa.wiring import House

CUSTOMERS, MONTHS = 1000, 36
BATCH = 1000


async def test_three_years_of_a_thousand_customers_start_nothing_and_are_counted(
    house: House, clock: SettableClock
) -> None:
    now = clock.now()
    history = [
        an_event(
            "order_placed",
            f"c{n}",
            event_id=f"{n}-{month}",
            at=now - timedelta(days=30 * month, minutes=n),
            received=now,
            source=IMPORT,
            about=f"order-{n}-{month}",
            total=19.9,
        )
        for month in range(MONTHS)
        for n in range(CUSTOMERS)
    ]

    began = time.monotonic()
    for first in range(0, len(history), BATCH):
        await house.ingest.accept(history[first : first + BATCH])
    stored = time.monotonic()
    while await house.projector.project_some():
        pass
    projected = time.monotonic()

    print(  # noqa: T201  a figure for the report
        f"ingest {len(history) / (stored - began):.0f} rows/s, project {len(history) / (projected - stored):.0f} rows/s"
    )
    assert await count(house, "enrollments") == await count(house, "sends") == await count(house, "dispatches") == 0
    assert await count(house, "decisions") == 0
    assert await count(house, f"customers WHERE orders = {MONTHS} AND events >= {MONTHS}") == CUSTOMERS
    assert await count(house, "customers WHERE last_order_at > now() - interval '10 years'") == CUSTOMERS

    await house.ingest.accept([an_event("order_placed", "c7", at=now)])
    await house.projector.project_some()
    assert await count(house, "enrollments WHERE journey = 'WelcomeChain' AND cause = 'order_placed'") == 1
    assert await count(house, "dispatches WHERE kind = 'start'") == 1


async def count(house: House, of: str) -> int:
    async with house.database.transaction() as connection:
        found = await connection.exec_driver_sql(f"SELECT count(*) FROM {of}")
        return int(found.scalar_one())
