"""Files that are imported, read row by row: which columns there are, and what each may hold (docs/enroll-many.md)."""

import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import TypeAdapter, ValidationError

from adapters.csv_rows import Columns, Row, rows
from adapters.database.events import NewEvent
from adapters.database.profiles import CONTACT
from adapters.field_errors import told
from api.fields import Email, Locale, Phone, Words, Zone
from api.reading_events import AHEAD, EARLIEST, EventToTakeIn, new_event
from domain.ads import ADS
from domain.customers import EVERY_CHANNEL, Consent, ConsentStatus
from domain.events import EVENT_NAME, IMPORT
from domain.imports import Kind
from domain.messages import Channel
from services.importing import Read
from services.importing_customers import CustomerRow, Problem

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?")
_INSTANT = re.compile(r"\d{4}-?\d\d-?\d\d([T ].*)?")
_DECIMAL_COMMA = re.compile(r"(\d+),(\d{1,2})")
LONGEST_ID = 150  # of an order: event ids and the orders' table are made of it
YES, NO = frozenset({"yes", "true", "1", "granted"}), frozenset({"no", "false", "0", "denied"})
_FIELDS: Mapping[str, TypeAdapter[Any]] = {
    "email": TypeAdapter(Email),
    "phone": TypeAdapter(Phone),
    "locale": TypeAdapter(Locale),
    "timezone": TypeAdapter(Zone),
    "preferred_channel": TypeAdapter(Literal["email", "sms", "whatsapp", "telegram", "web_push", "in_app"]),
    "consent_source": TypeAdapter(Words),
    "consent_wording": TypeAdapter(Words),
    "consent_proof": TypeAdapter(Words),
}
_SCOPES = (*(channel.value for channel in Channel), EVERY_CHANNEL, ADS)
_CONSENT = ("consent_at", "consent_source", "consent_wording", "consent_proof")
COLUMNS: Mapping[Kind, Columns] = {
    Kind.CUSTOMERS: Columns(
        known=frozenset({"customer_id", *CONTACT, *_CONSENT, *(f"consent.{scope}" for scope in _SCOPES)}),
        must=frozenset({"customer_id"}),
        families=("attribute.",),
    ),
    Kind.EVENTS: Columns(
        known=frozenset({"customer_id", "name", "occurred_at", "event_id", "about"}),
        must=frozenset({"customer_id", "name", "occurred_at"}),
        families=("property.",),
    ),
    Kind.ORDERS: Columns(
        known=frozenset({"customer_id", "placed_at", "total", "order", "currency", "products", "codes"}),
        must=frozenset({"customer_id", "placed_at", "total"}),
        families=("property.",),
    ),
}


class Wrong(Exception):
    """A cell that cannot be used. The message is `field: words`."""


async def read_file(kind: Kind, chunks: AsyncIterator[bytes], *, now: datetime, zone: str) -> AsyncIterator[Read]:
    """The rows of a file. `zone` is that of instants which name none.

    Raises InvalidInput at once for columns that it must have and has not, or that nobody knows.
    """
    reader = _Reader(kind, now=now, zone=zone)
    found = rows(chunks, columns=COLUMNS[kind])
    first = await anext(found, None)

    async def reading() -> AsyncIterator[Read]:
        if first:
            yield reader.read(first)
        async for row in found:
            yield reader.read(row)

    return reading()


class _Reader:
    """Reads rows of one kind, and remembers what it has seen."""

    def __init__(self, kind: Kind, *, now: datetime, zone: str) -> None:
        self._now, self._zone, self._seen = now, ZoneInfo(zone), Counter[bytes]()
        readers: dict[Kind, Callable[[Mapping[str, str]], NewEvent | CustomerRow]] = {
            Kind.CUSTOMERS: self._customer,
            Kind.EVENTS: self._event,
            Kind.ORDERS: self._order,
        }
        self._read = readers[kind]

    def read(self, row: Row) -> Read:
        """What a row says, or what is wrong with it."""
        try:
            if row.problem:
                raise Wrong(row.problem)
            return Read(line=row.line, says=self._read(row.cells))
        except (Wrong, ValueError) as error:
            said = told(error, "row") if isinstance(error, msgspec.MsgspecError) else str(error)
            field, words = said.split(": ", 1) if ": " in said else ("row", said)
            return Read(line=row.line, problems=[Problem(field=field, words=words)])

    # One row of each kind --------------------------------------------------------------------------------------------

    def _customer(self, cells: Mapping[str, str]) -> CustomerRow:
        checked = {name: _checked(name, cells[name]) for name in _FIELDS if cells.get(name)}
        said = {scope: cell for scope in _SCOPES if (cell := cells.get(f"consent.{scope}", ""))}
        at = self._instant("consent_at", cells["consent_at"]) if cells.get("consent_at") else None
        if at is None and any(cell.lower() in YES for cell in said.values()):
            raise Wrong("consent_at: must say when they said yes: an old yes would outweigh a later no")
        if at and at > self._now:
            raise Wrong("consent_at: is in the future")
        return CustomerRow(
            customer_id=_customer_id(cells),
            columns={name: checked[name] for name in CONTACT if name in checked},
            attributes=_own(cells, "attribute"),
            consents={
                scope: Consent(
                    status=_status(scope, cell),
                    at=at or self._now,
                    source=checked.get("consent_source") or IMPORT,
                    wording=checked.get("consent_wording", ""),
                    proof=checked.get("consent_proof", ""),
                )
                for scope, cell in said.items()
            },
            dated=at is not None,
        )

    def _event(self, cells: Mapping[str, str]) -> NewEvent:
        if not EVENT_NAME.fullmatch(cells.get("name", "")):
            raise Wrong("name: must be small letters, digits and underscores, such as order_placed")
        return self._made(
            {
                "event_id": cells.get("event_id", ""),
                "customer_id": _customer_id(cells),
                "name": cells["name"],
                "occurred_at": self._instant("occurred_at", cells.get("occurred_at", "")),
                "about": cells.get("about", ""),
                "properties": _own(cells, "property"),
            }
        )

    def _order(self, cells: Mapping[str, str]) -> NewEvent:
        order = cells.get("order", "")
        if len(order) > LONGEST_ID:
            raise Wrong(f"order: must be at most {LONGEST_ID} characters")
        listed = {n: [each.strip() for each in cells[n].split("|")] for n in ("products", "codes") if cells.get(n)}
        currency = {"currency": cells["currency"].upper()} if cells.get("currency") else {}
        properties = {**_own(cells, "property"), "total": _amount(cells.get("total", "")), **currency, **listed}
        return self._made(
            {
                "event_id": f"import:order_placed:{order}" if order else "",
                "customer_id": _customer_id(cells),
                "name": "order_placed",
                "occurred_at": self._instant("placed_at", cells.get("placed_at", "")),
                "about": order,
                "properties": properties,
            }
        )

    def _made(self, said: dict[str, Any]) -> NewEvent:
        """The event. One without an id is named by what it says, and by how often the file has said the same before."""
        if not said["event_id"]:
            what = msgspec.json.encode([said[name] for name in sorted(said)], order="sorted")
            digest = hashlib.sha256(what).digest()[:16]
            said["event_id"] = f"import:{digest.hex()}:{self._seen[digest]}"
            self._seen[digest] += 1
            if said["name"] == "order_placed":
                said["about"] = said["about"] or said["event_id"].removeprefix("import:")
        return new_event(msgspec.convert({**said, "source": IMPORT}, EventToTakeIn), self._now)

    # Cells -----------------------------------------------------------------------------------------------------------

    def _instant(self, name: str, cell: str) -> datetime:
        try:
            if not _INSTANT.fullmatch(cell):
                raise ValueError
            found = datetime.fromisoformat(cell)
        except ValueError:
            raise Wrong(f"{name}: must be ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z") from None
        at = found if found.tzinfo else found.replace(tzinfo=self._zone)
        if not EARLIEST <= at <= self._now + AHEAD:
            raise Wrong(f"{name}: is before 1970, or more than a day in the future")
        return at


def _amount(cell: str) -> float:
    if comma := _DECIMAL_COMMA.fullmatch(cell):  # as spreadsheets write it in half of the world
        cell = f"{comma[1]}.{comma[2]}"
    if not _NUMBER.fullmatch(cell) or cell.startswith("-"):
        raise Wrong("total: must be a number such as 1234.50, without signs of currency or thousands")
    return float(cell)


def _customer_id(cells: Mapping[str, str]) -> str:
    customer_id = cells.get("customer_id", "")
    if not 1 <= len(customer_id) <= 200 or not customer_id.isprintable():
        raise Wrong("customer_id: must have 1 to 200 characters that can be printed")
    return customer_id


def _checked(name: str, cell: str) -> Any:
    try:
        return _FIELDS[name].validate_python(cell)
    except ValidationError as error:
        raise Wrong(f"{name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _status(scope: str, cell: str) -> ConsentStatus:
    if cell.lower() not in YES | NO:
        raise Wrong(f"consent.{scope}: must be yes or no, or empty")
    return ConsentStatus.GRANTED if cell.lower() in YES else ConsentStatus.DENIED


def _own(cells: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The file's own columns, by their names. Numbers and true or false are taken as such; empty cells say nothing."""
    return {
        name.partition(".")[2]: _typed(cell) for name, cell in cells.items() if cell and name.startswith(f"{kind}.")
    }


def _typed(cell: str) -> object:
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell == "true" if cell in ("true", "false") else cell
