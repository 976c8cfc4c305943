"""The list of who was erased, for a restored backup."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from adapters.database import erasures
from domain.errors import InvalidInput
from services.audit import COMMAND_LINE
from services.erasing import Erasing
from tropa.wiring import House


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One erasure: the keyed surrogate of the company's id, our id, and when."""

    key: UUID
    customer: str
    at: datetime


async def listed(house: House) -> list[str]:
    """Every erasure as a line of JSON, oldest first."""
    async with house.database.transaction() as connection:
        return [msgspec.json.encode(Line(**row)).decode() for row in await erasures.every(connection)]


def read(file: Path) -> list[Line]:
    """A list that was printed before. Raises InvalidInput."""
    try:
        return [msgspec.json.decode(line, type=Line) for line in file.read_bytes().splitlines() if line.strip()]
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput([f"{file}: is not a list that `tropa erasures` printed ({type(error).__name__})"]) from None


async def replayed(house: House, lines: list[Line]) -> list[str]:
    """Erase again who is on a list and came back with a backup. Answers what to say."""
    again = 0
    for line in lines:
        async with house.database.transaction() as connection:
            erasing = Erasing(house.clock, house.restrictions)
            again += await erasing.replay(connection, [(line.key, line.customer, line.at)], actor=COMMAND_LINE)
    house.database.wake()
    return [f"{len(lines)} on the list, {again} erased again."]
