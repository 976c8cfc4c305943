"""Whose turn it is to pump: where releases stand side by side, that of the one that walks follow.

An older one would project events by its own journeys, so that whom it meets never begins a new one.
"""

import asyncio
import logging

from adapters.releases import Releases
from domain.errors import Unavailable

LOOK_EVERY = 10.0

log = logging.getLogger(__name__)


class Turn:
    """A worker's own. It is ours from the beginning, and for as long as Temporal does not tell otherwise; `current` is
    the release that walks follow, as far as it told.
    """

    def __init__(self, releases: Releases, release: str) -> None:
        self._releases, self._release = releases, release
        self.ours, self.current = True, ""

    async def look(self) -> None:
        """Whether it is ours now: walks follow our release, or none."""
        try:
            self.current = await self._releases.current()
        except Unavailable as error:
            log.warning("whose turn it is to pump cannot be asked", extra={"error": str(error)})
            return
        ours = self.current in ("", self._release)
        if ours != self.ours:
            words = (
                "walks follow this release: its pumps go" if ours else "walks follow another release: its pumps rest"
            )
            log.info(words, extra={"release": self._release, "current": self.current})
        self.ours = ours

    async def watch(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception:  # pumps that rest must not rest for ever because one look failed
                log.exception("whose turn it is to pump cannot be told; looking again")
