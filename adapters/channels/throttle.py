"""How fast a provider is called: evenly, and not at all while it asks to be left alone (F17)."""

import asyncio
import time
from datetime import timedelta

from domain.errors import Unavailable

PATIENCE = 10.0  # seconds for a turn; then the send tries again later, with a fresh look at the policy
_REST = timedelta(seconds=1)  # for a provider that is busy and does not say for how long


class Throttle:
    """Turns at calling one provider as one sender, for this process. Real time."""

    def __init__(self, per_second: float) -> None:
        self._apart, self._next, self._rests_until = 1 / per_second, 0.0, 0.0

    async def turn(self) -> None:
        """Wait for a turn. Raises Unavailable when it would not come soon."""
        now = time.monotonic()
        at = max(now, self._next, self._rests_until)
        if at - now > PATIENCE:
            raise Unavailable("The provider has more to do than it can take now.")
        self._next = at + self._apart
        await asyncio.sleep(at - now)
        if time.monotonic() < self._rests_until:  # it was told to others meanwhile
            raise Unavailable("The provider asks us to wait.")

    def rest(self, lasting: timedelta | None) -> None:
        """No turns for a while."""
        self._rests_until = max(self._rests_until, time.monotonic() + (lasting or _REST).total_seconds())
