"""Intake: what the database refuses in a batch of events costs that event alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from adapters.database.events import NewEvent
from services.ingest import Ingest


@dataclass(kw_only=True)
class Taken:
    """What became of a batch. The lists hold positions."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


async def take_in(ingest: Ingest, batch: Sequence[NewEvent]) -> Taken:
    """Accept a batch in one commit; or, when the database refuses a row of it, each event by itself."""
    if not batch:
        return Taken()
    try:
        whole = await ingest.accept(batch)
    except DBAPIError as error:
        if not _blames_a_row(error):
            raise
        return await _one_by_one(ingest, batch)
    return Taken(accepted=whole.accepted, duplicates=whole.duplicates, conflicts=whole.conflicts)


async def _one_by_one(ingest: Ingest, batch: Sequence[NewEvent]) -> Taken:
    taken = Taken()
    for position, event in enumerate(batch):
        try:
            one = await ingest.accept([event])
        except DBAPIError as error:
            if not _blames_a_row(error):
                raise
            taken.refused.append(position)
            continue
        taken.accepted += one.accepted
        taken.duplicates += one.duplicates
        taken.conflicts += [position] * len(one.conflicts)
    return taken


def _blames_a_row(error: DBAPIError) -> bool:
    """SQLSTATE classes 22 (data) and 23 (integrity); anything else is about the server."""
    return str(getattr(error.orig, "sqlstate", None) or "")[:2] in ("22", "23")
