"""Puts invented people into a database as they are, past ingest and projection."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.tables import metadata
from tests.support.segment_oracle import Person

TABLES = metadata.tables


async def settle(connection: AsyncConnection, people: Sequence[Person]) -> None:
    """Everybody with all their rows; their ids are set."""
    for person in people:
        person.id = f"cus_{uuid4().hex}"
    of_customers = TABLES["customers"].columns.keys()
    rows = {
        "customers": [
            {
                **{name: value for name, value in person.row.items() if name in of_customers},
                "id": person.id,
                "attributes": person.attributes,
                "orders": sum(order.facts["stands"] for order in person.orders),
                "revenue": sum(order.facts["net"] for order in person.orders if order.facts["stands"]),
                "last_order_at": max((order.at for order in person.orders if order.facts["stands"]), default=None),
            }
            for person in people
        ],
        "consents": [
            {
                **dict(zip(("channel", "topic"), f"{scope}/".split("/"), strict=False)),
                "customer": person.id,
                "status": consent.status.value,
                "at": consent.at,
                "source": "",
            }
            for person in people
            for scope, consent in person.consents.items()
        ],
        "events": [
            {
                "event_id": f"{person.id}-{number}",
                "customer_id": person.row["customer_id"],
                "name": event.name,
                "occurred_at": event.at,
                "received_at": event.at,
                "source": "",
                "about": "",
                "properties": event.facts,
                "digest": b"",
                "customer": person.id,
                "number": number,
            }
            for person in people
            for number, event in enumerate(person.events)
        ],
        "orders": [
            {
                "customer": person.id,
                "order": str(number),
                "placed_at": order.at,
                "status": order.facts["status"],
                "currency": order.facts["currency"],
                "net": order.facts["net"],
                "codes": order.facts["codes"],
                **dict.fromkeys(("gross", "refunded"), order.facts["net"]),
                "rate": 1,
            }
            for person in people
            for number, order in enumerate(person.orders)
        ],
        "enrollments": [
            {"id": f"enr-{person.id}", "customer": person.id, "journey": "", "about": "", "cause": ""}
            | {"started_at": person.row["first_seen_at"]}
            for person in people
        ],
        "sends": [
            {
                "id": uuid4(),
                "enrollment": f"enr-{person.id}",
                "customer": person.id,
                "message": "",
                "visit": number,
                **dict.fromkeys(("leg", "priority"), 0),
                **dict.fromkeys(("kind", "rule"), ""),
                **dict.fromkeys(("wished_at", "expires_at", "slot_at", "called_at"), send.at),
                **{name: send.facts[name] for name in ("state", "purpose", "channel", "seen_at")},
            }
            for person in people
            for number, send in enumerate(person.sends)
        ],
    }
    rows["rfm"] = [
        {"customer": person.id, "as_of": person.rfm["since"], **person.rfm} for person in people if person.rfm
    ]
    for table, each in rows.items():
        if each:
            await connection.execute(insert(TABLES[table]), each)
