"""SQL for companies and their people."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database.statements import text


async def put(
    connection: AsyncConnection,
    company_id: str,
    *,
    name: str,
    owner: str | None,
    attributes: str,
    at: datetime,
) -> tuple[str, bool]:
    """Set a company, new or known; `attributes` are JSON. Answers our id, and whether it is new."""
    rows = await connection.execute(
        text("""
            INSERT INTO companies AS c (company_id, name, owner, attributes, created_at)
            VALUES (:company_id, :name, :owner, cast(:attributes AS jsonb), :at)
            ON CONFLICT (company_id) DO UPDATE
                SET name = excluded.name, owner = excluded.owner, attributes = excluded.attributes
            RETURNING id, xmax = 0 AS created
        """),
        {
            "company_id": company_id,
            "name": name,
            "owner": owner,
            "attributes": attributes,
            "at": at,
        },
    )
    row = rows.one()
    return row.id, row.created


async def get(connection: AsyncConnection, company_id: str) -> RowMapping | None:
    """A company by its own id, with how many people it has."""
    rows = await connection.execute(
        text("""
            SELECT c.*, (SELECT count(*) FROM customers p WHERE p.company = c.id) AS people
            FROM companies c WHERE c.company_id = :id
        """),
        {"id": company_id},
    )
    return rows.mappings().one_or_none()


async def ours(connection: AsyncConnection, company_id: str) -> str | None:
    """Our id of a company."""
    rows = await connection.execute(text("SELECT id FROM companies WHERE company_id = :id"), {"id": company_id})
    return rows.scalar_one_or_none()


async def called(connection: AsyncConnection, company: str) -> str:
    """A company's own id."""
    rows = await connection.execute(text("SELECT company_id FROM companies WHERE id = :id"), {"id": company})
    return str(rows.scalar_one())


async def people(
    connection: AsyncConnection, company: str, *, after: str | None = None, limit: int
) -> Sequence[RowMapping]:
    """Some people of a company, in the order of our ids, after one."""
    rows = await connection.execute(
        text("""
            SELECT id, customer_id, buying_role, owner, email, last_active_at FROM customers
            WHERE company = :company AND (cast(:after AS text) IS NULL OR id > :after) ORDER BY id LIMIT :limit
        """),
        {"company": company, "after": after, "limit": limit},
    )
    return rows.mappings().all()
