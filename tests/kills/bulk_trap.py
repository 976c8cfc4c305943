"""A trap for whoever lets customers of a bulk enter: it kills the process at a chunk, before or behind its commit."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.database import bulks
from adapters.database.connection import Database

_wrote: ContextVar[bool] = ContextVar("wrote", default=False)


@dataclass(frozen=True, kw_only=True)
class BulkDeath:
    """Die at this chunk, counted from 1 in this process: when it is written, or when it is committed."""

    chunk: int
    committed: bool

    def lay(self) -> None:
        """Put it into this process."""
        reach, transaction, order = bulks.reach, Database.transaction, self
        chunks = 0

        async def reaching(*what: Any, **more: Any) -> None:
            nonlocal chunks
            await reach(*what, **more)
            chunks += 1
            _wrote.set(True)

        @contextlib.asynccontextmanager
        async def telling(self: Database) -> AsyncIterator[AsyncConnection]:
            _wrote.set(False)
            async with transaction(self) as connection:
                yield connection
                if _wrote.get() and chunks == order.chunk and not order.committed:
                    os.kill(os.getpid(), signal.SIGKILL)
            if _wrote.get() and chunks == order.chunk:
                os.kill(os.getpid(), signal.SIGKILL)

        patch.object(bulks, "reach", reaching).start()
        patch.object(Database, "transaction", telling).start()
