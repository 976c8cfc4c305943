"""`tropa demo`: a crowd of invented customers walks its journeys at a fast pace, for people to watch."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from adapters.settings import Settings
from services.keys import console_link
from tropa import keys
from tropa.crowd import Crowd
from tropa.embedded.files import EmbeddedError
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.supervisor import Supervisor
from tropa.stack import Addresses, start
from tropa.tally import Tally, tally

DAY = 5.0  # real seconds
SWEEP = '{"dormant_after": "7 days", "gone_after": "21 days"}'  # so that a demo of minutes sees who falls silent
STAFF, HEAD = "mira@example.com", "head@example.com"
THROWAWAY = {"fsync": "off", "synchronous_commit": "off"}  # a demo's data is not worth a disk's patience

Say = Callable[[str], None]


def demo(settings: Settings, *, say: Say) -> int:
    """Run in a fresh folder until Ctrl-C, or for DEMO_SECONDS from the first customer. Answers the exit code."""
    seconds = float(os.environ.get("DEMO_SECONDS", "0"))
    home = settings.home / "demo"
    own = settings.model_copy(update={"home": home, "pace": 86400 / DAY, "reconcile_every": 5.0})
    try:
        with Supervisor(home, say=say) as supervisor:
            _forget(home)
            say("Starting PostgreSQL, Temporal, worker and API; this demo's data is made anew each time ...")
            addresses = start(supervisor, own, say=say, env=_env(own), postgres=THROWAWAY)
            key = asyncio.run(keys.own(addresses.database, home))
            _introduce(own, addresses, seconds, say)
            show = _Show(addresses, key, seconds, supervisor, say)
            show.start()
            supervisor.wait()
            show.join(timeout=10)
            told = asyncio.run(tally(addresses.database))
            say(told.words())
    except EmbeddedError as error:
        say(str(error))
        return 1
    return 1 if show.failure or stood_still(told, say) else 0


class _Show(threading.Thread):
    """The crowd and the running commentary, beside the supervisor, which needs the main thread for its signals."""

    def __init__(self, addresses: Addresses, key: str, seconds: float, supervisor: Supervisor, say: Say) -> None:
        super().__init__(daemon=True)
        self._addresses, self._key, self._seconds = addresses, key, seconds
        self._supervisor, self._say = supervisor, say
        self._first: float | None = None
        self._arrived = 0
        self.failure = False

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:  # whatever it was, the demo must not end green
            self.failure = not self._supervisor.stop_asked
            if self.failure:
                self._say(f"The crowd could not go on: {type(error).__name__}. Logs are in .tropa/demo/logs.")
        finally:
            if self._seconds or self.failure:
                self._supervisor.ask_to_stop()

    async def _run(self) -> None:
        crowd = asyncio.create_task(Crowd(self._addresses.api, self._key, day=DAY).live(self._note))
        try:
            while not self._supervisor.stop_asked and not self._over():
                if crowd.done():
                    crowd.result()
                await asyncio.sleep(0.2)
                await self._comment()
        finally:
            crowd.cancel()
            await asyncio.gather(crowd, return_exceptions=True)

    def _note(self, arrived: int) -> None:
        self._first = self._first or time.monotonic()
        self._arrived = arrived

    def _over(self) -> bool:
        return bool(self._seconds and self._first and time.monotonic() - self._first >= self._seconds)

    async def _comment(self) -> None:
        """A line for each day that begins."""
        day = int((time.monotonic() - self._first) / DAY) if self._first else -1
        if day > getattr(self, "_day", -1):
            self._day = day
            told = await tally(self._addresses.database)
            walks = f"{len(told.speaking)} journeys spoke   {told.walked:>4} walks, {told.open} of them open"
            self._say(f"  day {day:>3}   {self._arrived:>3} customers   {walks}   {told.sent:>4} messages sent")


def _introduce(settings: Settings, addresses: Addresses, seconds: float, say: Say) -> None:
    secrets = [secret.get_secret_value() for secret in settings.secrets]
    until = f"for {seconds:g} seconds" if seconds else "until Ctrl-C"
    say(f"""
200 invented customers arrive over forty seconds; a day lasts {DAY:g} seconds, and it goes on {until}. Watch

  Messages and customers   {console_link(secrets, addresses.api)}
  Their walks in Temporal  {addresses.temporal_ui or addresses.temporal}
  API                      {addresses.api}/docs

and ask in another terminal, say: TROPA_HOME={settings.home} .venv/bin/tropa journeys
""")


def _env(settings: Settings) -> dict[str, str]:
    """What the demo sets for worker and API where nobody has set anything."""
    return {
        "TROPA_SWEEP": settings.sweep or SWEEP,
        "TROPA_STAFF_EMAIL": settings.staff_email or STAFF,
        "TROPA_HEAD_EMAIL": settings.head_email or HEAD,
    }


def stood_still(told: Tally, say: Say) -> bool:
    """Whether nothing moved, which is said: a demo that shows nothing must not end green."""
    if told.sent:
        return False
    went_wrong = "no message was sent" if told.walked else "nobody entered a journey"
    say(f"\nThe demo failed: {went_wrong}. Logs are in .tropa/demo/logs.")
    return True


def _forget(home: Path) -> None:
    """Throw away the last demo's data, its server first if a killed run left one behind."""
    server = EmbeddedPostgres(home)
    if server.answers():
        server.stop()
    for each in home.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "up.lock":
            each.unlink()
