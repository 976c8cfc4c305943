"""Profiles and consents from a file: many customers in one transaction, under their locks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import customers, events
from adapters.database import profiles as profiles_at_once
from adapters.database.connection import Database, lock_customers
from adapters.database.events import told_once
from adapters.database.profiles import CONTACT
from adapters.surrogates import Surrogates
from domain.clock import Clock
from domain.customers import Consent, ConsentStatus
from domain.events import CONSENT_CHANGED, OURS, PROFILE_CHANGED, SILENT
from services import identities
from services.customers import LARGEST_ATTRIBUTES, Customers


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a row: the field, and what and what next; never the value itself."""

    field: str
    words: str


ERASED = Problem(field="customer_id", words="was erased, and an import brings nobody back; take the row out")
TOO_LARGE = Problem(
    field="attribute", words=f"all attributes together must be at most {LARGEST_ATTRIBUTES // 1024} KiB"
)


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """What a row says of a customer. What it leaves out stays as it is.

    `dated`: it says when its consents were given. Otherwise that is the time of the import, and to say again what is on
    record is no news.
    """

    customer_id: str
    columns: Mapping[str, str]
    attributes: Mapping[str, Any]
    consents: Mapping[str, Consent]
    dated: bool = True


@dataclass(kw_only=True)
class Stored:
    """What became of rows; `problems` are by place."""

    changed: int = 0
    unchanged: int = 0
    problems: list[tuple[int, Problem]] = field(default_factory=list)


class ImportedCustomers:
    """Stores rows, a batch in one transaction of its own."""

    def __init__(self, database: Database, clock: Clock, surrogates: Surrogates, known: Customers) -> None:
        self._database, self._clock, self._surrogates, self._customers = database, clock, surrogates, known

    async def store(self, rows: Sequence[CustomerRow]) -> Stored:
        """Create and change customers. Later rows of the same customer win over earlier ones."""
        if not rows:
            return Stored()
        async with self._database.transaction() as connection:
            stored = await self._store(connection, rows)
        self._database.wake()
        return stored

    async def _store(self, connection: AsyncConnection, rows: Sequence[CustomerRow]) -> Stored:
        ids, now = [row.customer_id for row in rows], self._clock.now()
        before = await customers.ours(connection, ids)
        found = await identities.identify(connection, self._surrogates, ids, now)
        await lock_customers(connection, sorted(set(found.values())))
        ours = await customers.ours(connection, ids)  # again: merged or erased before the locks were ours
        stands = await customers.of_ids(connection, sorted(set(ours.values())))
        said = await customers.consents_of_all(connection, list(stands))
        stored, profiles, touched = Stored(), dict[str, dict[str, Any]](), set[str]()
        for place, row in enumerate(rows):
            customer = ours.get(row.customer_id)
            if customer is None:
                stored.problems.append((place, ERASED))
                continue
            profile = profiles.get(customer) or {name: stands[customer][name] for name in (*CONTACT, "attributes")}
            wanted = {**profile, **row.columns, "attributes": {**profile["attributes"], **row.attributes}}
            if len(msgspec.json.encode(wanted["attributes"])) > LARGEST_ATTRIBUTES:
                stored.problems.append((place, TOO_LARGE))
                continue
            profiles[customer] = wanted
            known = said[customer]
            new = {s: word for s, word in row.consents.items() if _counts(word, known.get(s), dated=row.dated)}
            said[customer] |= new
            if wanted != profile or new or row.customer_id not in before:
                stored.changed += 1
            else:
                stored.unchanged += 1
            if new:
                touched.add(customer)
        await self._write_profiles(connection, stands, profiles, now)
        await self._write_consents(connection, stands, {customer: said[customer] for customer in touched}, now)
        return stored

    @staticmethod
    async def _write_profiles(
        connection: AsyncConnection,
        stands: Mapping[str, RowMapping],
        profiles: Mapping[str, Mapping[str, Any]],
        now: datetime,
    ) -> None:
        changed = {
            customer: fields
            for customer, profile in profiles.items()
            if (fields := sorted(name for name, value in profile.items() if stands[customer][name] != value))
        }
        await profiles_at_once.write(connection, [(customer, profiles[customer]) for customer in changed])
        told = [(stands[customer], PROFILE_CHANGED, {"fields": fields}) for customer, fields in changed.items()]
        await _append(connection, told, now)

    async def _write_consents(
        self,
        connection: AsyncConnection,
        stands: Mapping[str, RowMapping],
        consents: Mapping[str, Mapping[str, Consent]],
        now: datetime,
    ) -> None:
        """Each yes in one statement; each no by itself, because walks may end with it."""
        before = await customers.consents_of_all(connection, list(consents))
        new = [
            (customer, scope, word)
            for customer, words in consents.items()
            for scope, word in sorted(words.items())
            if before[customer].get(scope) != word
        ]
        granted = [each for each in new if each[2].status is ConsentStatus.GRANTED]
        await profiles_at_once.grant(connection, granted)
        told = [
            (stands[customer], CONSENT_CHANGED, {"channel": scope, "status": word.status.value})
            for customer, scope, word in granted
        ]
        await _append(connection, told, now)
        for customer, scope, word in new:
            if word.status is ConsentStatus.DENIED:
                await self._customers.hear(connection, stands[customer], scope, word)


def _counts(word: Consent, known: Consent | None, *, dated: bool) -> bool:
    """Whether a word is news: newer than the one on record; at the same instant a no wins."""
    if known is None:
        return True
    if not dated and known.status is word.status:
        return False
    return word.at > known.at or (word.at == known.at and word.status is ConsentStatus.DENIED is not known.status)


async def _append(
    connection: AsyncConnection, told: Iterable[tuple[RowMapping, str, dict[str, Any]]], now: datetime
) -> None:
    """The events of changes, silent ones: an import starts nothing."""
    batch = [
        told_once(
            f"{name}:{uuid4()}",
            customer_id=row["customer_id"],
            name=name,
            at=now,
            source=OURS,
            properties={**properties, SILENT: True},
        )
        for row, name, properties in told
    ]
    if batch:
        await events.insert(connection, batch)
