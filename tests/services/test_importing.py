"""Imports: good rows are stored once, wrong ones are named, and nothing starts."""

import gzip
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.reading_imports import read_file
from domain.imports import Kind
from services.erasing import Erasing
from services.intake import Intake
from tests.support.factories import STAFF, SettableClock, an_event
from tests.support.typing_commands import Tropa
from tropa.importing import importing
from tropa.wiring import House

CDNOW = Path(__file__).parent.parent / "data" / "cdnow_master.txt.gz"


async def imported(house: House, kind: Kind, file: str, *, zone: str = "UTC") -> dict[str, Any]:
    """Import a file. Answers its counts and problems."""
    rows = await read_file(kind, pieces(file.encode(errors="surrogateescape")), now=house.clock.now(), zone=zone)
    done = await importing(house, Intake(house.ingest)).run(kind, rows, actor=STAFF)
    found = (await rows_of(house, f"SELECT state, rows, stored, known, wrong FROM imports WHERE id = '{done}'"))[0]
    wrong = await rows_of(house, f"SELECT line, field FROM import_problems WHERE import = '{done}' ORDER BY number")
    return {**found, "problems": [(each["line"], each["field"]) for each in wrong]}


async def pieces(file: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(file), size):
        yield file[start : start + size]


async def rows_of(house: House, query: str) -> list[dict[str, Any]]:
    async with house.database.transaction() as connection:
        return [dict(row) for row in (await connection.execute(text(query))).mappings()]


async def project(house: House) -> None:
    while await house.projector.project_some():
        pass


def counts(rows: int, stored: int, known: int, *problems: tuple[int, str]) -> dict[str, Any]:
    said = {"state": "done", "rows": rows, "stored": stored, "known": known}
    return {**said, "wrong": len(problems), "problems": list(problems)}


async def test_orders_are_counted_once_however_often_their_file_comes_and_start_nothing(house: House) -> None:
    lines = gzip.decompress(CDNOW.read_bytes()).decode().splitlines()[1:501]
    cells = [line.split() for line in lines]
    file = "customer_id,placed_at,property.cds,total\n" + "\n".join(",".join(each) for each in cells)

    first = await imported(house, Kind.ORDERS, file)
    again = await imported(house, Kind.ORDERS, file)
    await project(house)

    assert (first, again) == (counts(500, 500, 0), counts(500, 0, 500))
    found = await rows_of(house, "SELECT sum(orders) AS orders, count(*) AS people FROM customers")
    assert found == [{"orders": 500, "people": len({each[0] for each in cells})}]
    for table in ("enrollments", "dispatches", "decisions"):
        assert await rows_of(house, f"SELECT 1 FROM {table}") == []


async def test_an_order_is_known_by_its_number_and_says_what_was_bought(house: House) -> None:
    file = (
        "Customer_ID;Order;Placed_at;Total;Currency;Products;Codes;Property.Shop\n"
        'anna;1001;2025-11-30T18:05;49,90;eur;kettle | "cups";AUTUMN;07\n'
        "anna;1001;2025-11-30T18:05;49,95;eur;kettle;;07\n"
        "anna;1002;20251130;5;;;;\n"
    )

    assert await imported(house, Kind.ORDERS, file, zone="Europe/Berlin") == counts(3, 2, 0, (3, "event_id"))

    found = await rows_of(house, "SELECT * FROM events ORDER BY event_id")
    assert [(row["event_id"], row["source"], row["about"]) for row in found] == [
        ("import:order_placed:1001", "import", "1001"),
        ("import:order_placed:1002", "import", "1002"),
    ]
    assert found[0]["occurred_at"] == datetime.fromisoformat("2025-11-30T17:05Z")
    assert found[1]["occurred_at"] == datetime.fromisoformat("2025-11-29T23:00Z")
    said = {"total": 49.9, "currency": "EUR", "products": ["kettle", '"cups"'], "codes": ["AUTUMN"], "Shop": "07"}
    assert found[0]["properties"] == said


async def test_wrong_rows_are_named_and_the_others_stored(house: House) -> None:
    file = (
        "\ufeffcustomer_id,name,occurred_at,property.note\r\n"
        'anna,looked,2025-11-30,"two\r\nlines, and a ""word"""\r\n'  # lines 2 and 3
        "\r\n"
        ",looked,2025-11-30,\r\n"
        "anna,Looked,2025-11-30,\r\n"
        "anna,looked,30.11.2025,\r\n"
        "anna,looked,2031-01-01,\r\n"
        "anna,looked,2025-11-30\r\n"
        "anna,looked,2025-11-30,\udcff\r\n"
        'anna,looked,2025-11-30,"a"b\r\n'
        "anna,opted_out,2025-11-30,,\r\n"
        'anna,looked,2025-11-30,"never closed\r\n'
    )

    assert await imported(house, Kind.EVENTS, file) == counts(
        10,
        2,
        0,
        (5, "customer_id"),
        (6, "name"),
        (7, "occurred_at"),
        (8, "occurred_at"),
        (9, "row"),
        (10, "property.note"),
        (11, "row"),
        (13, "row"),
    )
    found = await rows_of(house, "SELECT properties FROM events WHERE name = 'looked'")
    assert found == [{"properties": {"note": 'two\r\nlines, and a "word"'}}]
    assert await rows_of(house, "SELECT status FROM consents") == [{"status": "denied"}]  # it is in force at once


async def test_profiles_come_in_without_taking_back_what_was_said_later(house: House, clock: SettableClock) -> None:
    file = (
        "customer_id,email,phone,attribute.age,attribute.City,consent.email,consent.all/ads,consent_at,consent_source\n"
        "anna,Anna@Example.com,+49 30 901820,37,Köln,yes,yes,2026-02-01,a fair\n"
        "boris,boris@example.com,,,,yes,,2026-01-01,a fair\n"
        "clara,no address,,,,,,,\n"
        "dora,dora@example.com,,,,yes,,,\n"
        "erik,,12,,,no,,,\n"
        "gone,,,,,,,,\n"
    )
    for customer in ("boris", "gone"):
        await house.ingest.accept([an_event("signed_up", customer, at=clock.now() - timedelta(days=9))])
    await project(house)
    denied = an_event("opted_out", "boris", at=clock.now() - timedelta(days=8), channel="email")
    await house.ingest.accept([denied])
    await project(house)
    active = await rows_of(house, "SELECT last_active_at FROM customers WHERE customer_id = 'boris'")
    async with house.database.transaction() as connection:
        await Erasing(house.clock, house.restrictions).erase(connection, "gone", actor=STAFF)

    first = await imported(house, Kind.CUSTOMERS, file)
    again = await imported(house, Kind.CUSTOMERS, file)
    await project(house)

    wrong = ((4, "email"), (5, "consent_at"), (6, "phone"), (7, "customer_id"))
    assert (first, again) == (counts(6, 2, 0, *wrong), counts(6, 0, 2, *wrong))
    anna = (await rows_of(house, "SELECT * FROM customers WHERE customer_id = 'anna'"))[0]
    assert (anna["email"], anna["phone"], anna["attributes"]) == (
        "Anna@example.com",
        "+4930901820",
        {"age": 37, "City": "Köln"},
    )
    assert anna["last_active_at"] is None  # she did nothing
    assert await rows_of(house, "SELECT last_active_at FROM customers WHERE customer_id = 'boris'") == active
    said = await rows_of(
        house,
        """SELECT c.customer_id, o.channel, o.topic, o.status, o.source FROM consents o
        JOIN customers c ON c.id = o.customer ORDER BY 1, 2, 3""",
    )
    assert [tuple(row.values()) for row in said] == [
        ("anna", "all", "ads", "granted", "a fair"),
        ("anna", "email", "", "granted", "a fair"),
        ("boris", "email", "", "denied", "shop"),
    ]
    changes = await rows_of(
        house, "SELECT customer_id, name, properties FROM events WHERE name ~ 'changed' ORDER BY 1, 2"
    )
    assert [(row["customer_id"], row["name"]) for row in changes] == [
        ("anna", "consent_changed"),
        ("anna", "consent_changed"),
        ("anna", "profile_changed"),
        ("boris", "profile_changed"),
    ]
    assert all(row["properties"]["silent"] for row in changes)


async def test_a_no_from_a_file_ends_walks_at_once(house: House) -> None:
    await imported(house, Kind.CUSTOMERS, "customer_id,email\nanna,anna@example.com\n")
    async with house.database.transaction() as connection:
        await house.enrolling.enroll(connection, "WelcomeChain", "anna", about="", options={}, actor=STAFF)

    file = "customer_id,consent.all\nanna,no\n"
    assert await imported(house, Kind.CUSTOMERS, file) == counts(1, 1, 0)
    assert await imported(house, Kind.CUSTOMERS, file) == counts(1, 0, 1)

    assert await rows_of(house, "SELECT leaving FROM enrollments") == [{"leaving": "opted_out"}]


async def test_an_import_that_breaks_off_keeps_what_was_stored(house: House) -> None:
    file = b"customer_id,name,occurred_at\n" + b"anna,looked,2025-11-30\n" * 1500

    async def failing() -> AsyncIterator[bytes]:
        async for piece in pieces(file[:28_000]):
            yield piece
        raise OSError("the disk is gone")

    rows = await read_file(Kind.EVENTS, failing(), now=house.clock.now(), zone="UTC")
    with pytest.raises(OSError, match="the disk"):
        await importing(house, Intake(house.ingest)).run(Kind.EVENTS, rows, actor=STAFF)

    assert await rows_of(house, "SELECT state, stored FROM imports") == [{"state": "broken off", "stored": 1000}]


async def test_the_command_line_tells_what_became_of_a_file(house: House, tropa: Tropa, tmp_path: Path) -> None:
    file, wrong = tmp_path / "events.csv", tmp_path / "wrong.csv"
    file.write_text("customer_id,name,occurred_at\nanna,looked,2025-11-30\nanna,=looked,2025-11-30\n")

    code, said, _ = await tropa("import", "events", str(file), "--problems", str(wrong))
    missing = await tropa("import", "events", str(tmp_path / "nowhere.csv"))

    assert code == 1
    assert said.splitlines()[0] == "2 rows: 1 stored, 0 known from before, 1 wrong."
    assert wrong.read_text().splitlines()[1].startswith('3,name,"must be small letters')
    assert missing[0] == 1 and "cannot be opened (No such file or directory)" in missing[2]
