"""SQL for what people sent by forms."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text
from domain.customers import Frequency
from domain.forms import Entry


async def keep(connection: AsyncConnection, entry: Entry) -> None:
    """The newest entry of a customer by a form takes the place of the one before."""
    await connection.execute(
        text("""
            INSERT INTO form_entries (customer, form, at, event_id, agreed, wording, frequency, visitor, confirmed_at)
            VALUES (:customer, :form, :at, :event_id, :agreed, :wording, :frequency, :visitor, :confirmed_at)
            ON CONFLICT (customer, form) DO UPDATE SET at = excluded.at, event_id = excluded.event_id,
                agreed = excluded.agreed, wording = excluded.wording, frequency = excluded.frequency,
                visitor = excluded.visitor, confirmed_at = excluded.confirmed_at
        """),
        asdict(entry),
    )


async def get(connection: AsyncConnection, customer: str, form: str) -> Entry | None:
    """What a customer sent last by a form."""
    rows = await connection.execute(
        text("SELECT * FROM form_entries WHERE customer = :customer AND form = :form"),
        {"customer": customer, "form": form},
    )
    row = rows.mappings().one_or_none()
    return _entry(row) if row else None


async def confirm(connection: AsyncConnection, customer: str, form: str, at: datetime) -> None:
    """They proved that it was they."""
    await connection.execute(
        text("UPDATE form_entries SET confirmed_at = :at WHERE customer = :customer AND form = :form"),
        {"customer": customer, "form": form, "at": at},
    )


async def join(connection: AsyncConnection, both: Mapping[str, str]) -> None:
    """Of what both sent by one form the newer counts."""
    await connection.execute(
        text("""
            DELETE FROM form_entries e USING form_entries other
            WHERE e.customer IN (:merged, :into) AND other.customer IN (:merged, :into) AND other.form = e.form
              AND (other.at, other.customer) > (e.at, e.customer)
        """),
        both,
    )
    await connection.execute(text("UPDATE form_entries SET customer = :into WHERE customer = :merged"), both)


def _entry(row: RowMapping) -> Entry:
    frequency = Frequency(row["frequency"]) if row["frequency"] else None
    return Entry(**{**row, "frequency": frequency})
