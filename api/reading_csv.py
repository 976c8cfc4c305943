"""CSV in requests: who is to enter a journey."""

from collections.abc import AsyncIterator

from adapters.csv_rows import Columns, rows
from domain.errors import InvalidInput

MOST_PROBLEMS = 20
COLUMNS = Columns(known=frozenset({"customer_id", "about"}), must=frozenset({"customer_id"}), others=True)


async def read_people(body: bytes) -> list[tuple[str, str]]:
    """Customers by the company's ids, each with what it is about: columns customer_id and about; others are ignored.

    Raises InvalidInput naming the lines that are wrong: who enters is to be known before, so all of them must be right.
    """
    people, problems = [], []
    async for row in rows(_whole(body), columns=COLUMNS):
        customer_id, about = row.cells.get("customer_id", ""), row.cells.get("about", "")
        wrong = row.problem or _wrong("customer_id", customer_id, least=1) or _wrong("about", about)
        if wrong:
            problems.append(f"line {row.line}: {wrong}")
        people.append((customer_id, about))
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more lines"] if len(problems) > MOST_PROBLEMS else []
        raise InvalidInput(problems[:MOST_PROBLEMS] + more)
    return people


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _wrong(name: str, value: str, *, least: int = 0) -> str:
    if not least <= len(value) <= 200:
        return f"{name}: must have {least} to 200 characters"
    return f"{name}: holds a control character" if not value.isprintable() else ""
