"""Telling the workflows of bulks that somebody started, resumed or cancelled them."""

import logging

from adapters.database import bulks
from adapters.database.connection import Database
from adapters.temporal import BulkRuns
from domain.errors import Unavailable

log = logging.getLogger(__name__)


class BulkTelling:
    """A pump: the commands are in the database, and Temporal hears of them at least once."""

    def __init__(self, database: Database, runs: BulkRuns) -> None:
        self._database, self._runs = database, runs

    async def tell_some(self) -> int:
        """Tell each workflow that has not heard the latest. Answers how many were told."""
        async with self._database.transaction() as connection:
            waiting = await bulks.to_tell(connection)
        told = 0
        for row in waiting:
            try:
                await self._runs.look(row["id"], row["journey"])
            except Unavailable as error:
                log.warning("could not tell Temporal of a bulk; trying again", extra={"error": str(error)})
                break
            async with self._database.transaction() as connection:
                await bulks.told(connection, row["id"], row["asked"])
            told += 1
        return told
