"""Runs the parts of Tropa on one machine, in order, restarts what dies, and ends them all in reverse
order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from tropa.embedded.files import (
    EmbeddedError,
    log_tail,
    make_folder,
    read_state,
    silent,
    try_lock,
    write_state,
)
from tropa.embedded.parts import CommandPart, Part, PostgresPart, TemporalPart, page_answers
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.temporal import EmbeddedTemporal

LOOK_EVERY = 0.2
STARTING = "starting"  # in the record: the PostgreSQL that we were starting again when we were killed


class StopAsked(Exception):
    """A signal or `ask_to_stop()` came while a part was starting; the supervisor's `with` block ends quietly
    on it."""


@dataclass(slots=True)
class _Watched:
    part: Part
    deaths: deque[float] = field(default_factory=deque)
    again_at: float | None = None  # dead, to be started again at this instant


class Supervisor:
    """Starts parts, watches them, and stops exactly what it started.

        with Supervisor(home, say=print) as s:
            postgres = s.start_postgres() temporal = s.start_temporal() s.start("api", [...],
            {"TROPA_DATABASE_URL": postgres.url()}, ready="http://127.0.0.1:8000/healthz") s.wait()

    In the main thread SIGINT, SIGTERM and SIGHUP end `wait()` and any start under way; a second signal ends
    the patience with children that take their time. In another thread signals are left alone: call
    `ask_to_stop()`. A home has one supervisor at a time.
    """

    def __init__(
        self,
        home: Path,
        *,
        say: Callable[[str], None] = silent,
        grace: float = 15,
        deaths: int = 5,
        period: float = 60,
        backoff: float = 0.5,
    ) -> None:
        """`grace`: seconds between SIGTERM and SIGKILL. A part that dies `deaths` times within `period`
        seconds is given up; before each restart it waits `backoff` seconds, doubled with every death in the
        period."""
        self.home = home.resolve()
        self._say, self._grace = say, grace
        self._deaths, self._period, self._backoff = deaths, period, backoff
        self._watched: list[_Watched] = []
        self._lock_file: IO[str] | None = None
        self._work = threading.RLock()
        # Plain numbers, not Events: a signal handler may interrupt whoever holds an Event's lock.
        self._asked = 0
        self._left_behind: str | int | None = None  # the PostgreSQL of a supervisor that was killed
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        make_folder(self.home)
        self._lock_file = try_lock(self.home / "up.lock")
        if self._lock_file is None:
            owner = read_state(self._record_file).get("pid", "unknown")
            raise EmbeddedError(f"Tropa is already up on {self.home} (process {owner}); stop it or use another home")
        if threading.current_thread() is threading.main_thread():
            for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(sign) is not signal.SIG_IGN:  # nohup means it
                    self._handlers[sign] = signal.signal(sign, self._on_signal)
        self._left_behind = read_state(self._record_file).get("postgres")
        self._record()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            self.stop()
        finally:
            for sign, handler in self._handlers.items():
                signal.signal(sign, handler)
            self._handlers.clear()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None
        return isinstance(error, StopAsked)

    # -- starting

    def start_postgres(self, settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
        """Start or attach to the PostgreSQL of the home and return it; only one started by us is stopped by
        us.

        One that a killed supervisor of this home had started counts as ours. Raises EmbeddedError as
        `EmbeddedPostgres.ensure` does, StopAsked when asked to stop.
        """
        server = EmbeddedPostgres(self.home, say=self._say, settings=settings)
        part = PostgresPart(server)
        self._add(part)
        if not server.started_here and self._left_behind in (STARTING, server.identity()):
            self._say("PostgreSQL: taking over the server that an interrupted run left behind")
            server.adopt()
        self._record()
        return server

    def start_temporal(
        self, port: int | None = None, ui_port: int | None = None, *, in_memory: bool = False
    ) -> EmbeddedTemporal:
        """Start Temporal and return it once it serves. Raises as `EmbeddedTemporal.start` does, or
        StopAsked."""
        server = EmbeddedTemporal(self.home, port, ui_port, in_memory, say=self._say)
        self._add(TemporalPart(server))
        return server

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        ready: str | Callable[[], bool] | None = None,
        within: float = 60,
    ) -> None:
        """Start the program `argv` as the part `name`, its output in `home/logs/<name>.log`, and wait until
        ready.

        `env` is added to this process's environment. `ready` is a URL that must be answered well, or a
        function; None means started is ready. Raises EmbeddedError with the last lines of the log when the
        program ends before it is ready or is not ready `within` seconds, StopAsked when asked to stop
        meanwhile.
        """
        part = CommandPart(name, self.home / "logs" / f"{name}.log", argv, env or {})
        self._add(part)
        check = (lambda: page_answers(ready)) if isinstance(ready, str) else ready
        deadline = time.monotonic() + within
        while check is not None and not check():
            self._heed()
            if not part.alive():
                raise EmbeddedError(f"{name} {part.ending()} before it was ready\n{_last_words(part)}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{name} is not ready after {within:.0f} s\n{_last_words(part)}")
            time.sleep(0.05)

    def pid(self, name: str) -> int | None:
        """The process of the part `name` right now; None when there is no such part or it is not running."""
        return next((watched.part.pid() for watched in self._watched if watched.part.name == name), None)

    # -- watching

    def wait(self) -> None:
        """Watch and restart until a signal or `ask_to_stop()`. Raises EmbeddedError when a part is given
        up."""
        while not self._asked:
            self.poll()
            time.sleep(LOOK_EVERY)

    def poll(self) -> None:
        """Look once at every part and restart what died and has waited enough. Raises EmbeddedError when a
        part died too often; the others still run then, until `stop()`."""
        with self._work:
            for watched in self._watched:
                if self._asked:
                    return
                if watched.again_at is None:
                    if not watched.part.alive():
                        self._note_death(watched, watched.part.ending())
                elif time.monotonic() >= watched.again_at:
                    self._start_again(watched)

    def ask_to_stop(self) -> None:
        """End `wait()` and any start under way, from any thread."""
        self._asked += 1

    @property
    def stop_asked(self) -> bool:
        """Whether a signal or `ask_to_stop()` came."""
        return self._asked > 0

    def stop(self) -> None:
        """Stop what was started, last first; parts that do not heed SIGTERM are killed after the grace.
        Harmless when repeated. A part that cannot be stopped is told and does not keep the others running."""
        with self._work:
            while self._watched:
                part = self._watched.pop().part
                try:
                    part.stop(self._grace, lambda: self._asked > 1)
                except EmbeddedError as trouble:
                    self._say(f"{part.name}: {trouble}")
            if self._lock_file is not None:
                self._record_file.unlink(missing_ok=True)

    # -- inside

    def _add(self, part: Part) -> None:
        with self._work:
            self._heed()
            if any(watched.part.name == part.name for watched in self._watched):
                raise EmbeddedError(f"there is already a part named {part.name}")
            # Watched before it starts: what is half started when something goes wrong is stopped too.
            self._watched.append(_Watched(part))
            part.start()
            self._heed()

    def _heed(self) -> None:
        if self._asked:
            raise StopAsked

    def _note_death(self, watched: _Watched, how: str) -> None:
        part, now = watched.part, time.monotonic()
        watched.deaths.append(now)
        while watched.deaths[0] < now - self._period:
            watched.deaths.popleft()
        count = len(watched.deaths)
        if count >= self._deaths:
            raise EmbeddedError(
                f"{part.name} {how}, for the {count}th time within {self._period:.0f} s: giving up\n{_last_words(part)}"
            )
        pause = self._backoff * 2 ** (count - 1)
        watched.again_at = now + pause
        self._say(f"{part.name} {how}; starting it again in {pause:g} s (log: {part.log})")

    def _start_again(self, watched: _Watched) -> None:
        watched.again_at = None
        if isinstance(watched.part, PostgresPart) and not watched.part.alive():
            self._record(starting=True)
        try:
            watched.part.start()
        except EmbeddedError as trouble:
            self._note_death(watched, f"did not start ({trouble})")
            return
        self._record()

    @property
    def _record_file(self) -> Path:
        return self.home / "up.json"

    def _record(self, *, starting: bool = False) -> None:
        """Note who we are and which PostgreSQL is ours, for a second supervisor and for one after a kill
        -9. `starting`: the next one to run in this home is."""
        record: dict[str, str | int] = {"pid": os.getpid()}
        if self._left_behind:
            record["postgres"] = self._left_behind
        for watched in self._watched:
            part = watched.part
            if isinstance(part, PostgresPart) and (starting or part.server.started_here):
                record["postgres"] = STARTING if starting else part.server.identity() or ""
        write_state(self._record_file, record)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1


def _last_words(part: Part) -> str:
    return f"its log is {part.log}; the last lines:\n{log_tail(part.log) or '(nothing)'}"
