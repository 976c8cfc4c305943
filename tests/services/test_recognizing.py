"""A visitor who gives a name is recognized: their visits become one person's past, and nobody else's."""

import pytest

from domain.errors import Conflict
from tests.services.bench import Bench
from tests.support.factories import STAFF


async def one_row(bench: Bench, customer_id: str) -> dict[str, object]:
    return (await bench.rows("SELECT * FROM customers WHERE customer_id = :id", id=customer_id))[0]


async def identify(bench: Bench, customer_id: str, visitor: str) -> None:
    async with bench.database.transaction() as connection:
        await bench.merging.identify(connection, customer_id, visitor, actor=STAFF)


async def test_a_visitor_who_gives_a_name_brings_their_visits_before_and_after(bench: Bench) -> None:
    await bench.a_customer("anna")
    await bench.does("looked", "visitor-1")

    await identify(bench, "anna", "visitor-1")
    await bench.does("looked", "visitor-1")
    await identify(bench, "anna", "visitor-1")

    names = await bench.rows("SELECT name FROM events WHERE customer = :id ORDER BY number", id=bench.ours["anna"])
    assert sorted(row["name"] for row in names) == ["identified", "looked", "looked"]


async def test_either_may_be_new(bench: Bench) -> None:
    await identify(bench, "anna", "visitor-1")
    await bench.does("looked", "visitor-1")

    assert [row["customer_id"] for row in await bench.rows("SELECT customer_id FROM customers")] == ["anna"]
    assert (await one_row(bench, "anna"))["events"] == 2


async def test_a_shared_computer_joins_nobody(bench: Bench) -> None:
    for person in ("anna", "boris"):
        await bench.a_customer(person)
    await identify(bench, "anna", "visitor-1")

    for customer, visitor in (("boris", "visitor-1"), ("boris", "anna"), ("anna", "anna")):
        with pytest.raises(Conflict):
            await identify(bench, customer, visitor)

    assert len(await bench.rows("SELECT 1 FROM customers")) == 2


async def test_somebody_erased_is_not_recognized(bench: Bench) -> None:
    await bench.a_customer("anna")
    await bench.erase("anna")

    with pytest.raises(Conflict, match="erased"):
        await identify(bench, "anna", "visitor-1")

    assert await bench.rows("SELECT 1 FROM customers WHERE customer_id IN ('anna', 'visitor-1')") == []
