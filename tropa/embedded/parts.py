"""What a supervisor watches, each behind the same few questions."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tropa.embedded.files import EmbeddedError, open_log
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.processes import end, spawn, sweep
from tropa.embedded.temporal import EmbeddedTemporal

Hurry = Callable[[], bool]


class Part(Protocol):
    """One thing that runs, can die, and can be started again in the same place."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    def start(self) -> None:
        """Start it (again); raises EmbeddedError when that fails."""

    def alive(self) -> bool:
        """Whether it runs; asked several times a second."""

    def pid(self) -> int | None:
        """The process it is, if it runs."""

    def ending(self) -> str:
        """How it ended, in words, once it is no longer alive."""

    def stop(self, grace: float, hurry: Hurry) -> None:
        """End it if it is ours: gently for `grace` seconds or until `hurry()`, then by force."""


class PostgresPart:
    """PostgreSQL: no child of ours, perhaps not even started by us."""

    name = "postgres"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self.log = server.log
        self._url: str | None = None

    def start(self) -> None:
        self.server.ensure()
        url = self.server.url()
        # Everybody else was told the first address; a server elsewhere would be no help to them.
        if self._url not in (None, url):
            raise EmbeddedError("PostgreSQL came back on another port; stop everything and start again")
        self._url = url

    def alive(self) -> bool:
        return self.pid() is not None

    def pid(self) -> int | None:
        return self.server.postmaster()

    def ending(self) -> str:
        return "is gone"

    def stop(self, grace: float, hurry: Hurry) -> None:
        if self.server.started_here:
            self.server.stop()


class TemporalPart:
    """Temporal: a child of ours."""

    name = "temporal"

    def __init__(self, server: EmbeddedTemporal) -> None:
        self.server = server
        self.log = server.log

    def start(self) -> None:
        self.server.start()

    def alive(self) -> bool:
        # Its process alone: a server too busy to accept a connection for a moment is not to be restarted.
        return self.server.pid is not None

    def pid(self) -> int | None:
        return self.server.pid

    def ending(self) -> str:
        return "is gone"

    def stop(self, grace: float, hurry: Hurry) -> None:
        self.server.stop(0 if hurry() else grace)


class CommandPart:
    """Any program, a child of ours."""

    def __init__(self, name: str, log: Path, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        self._argv = list(argv)
        # Unbuffered, or the log would show a Python program's last words too late to help.
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open_log(self.log) as log:
            self.process = spawn(self._argv, log=log, env=self._env)

    def alive(self) -> bool:
        if self.process is None:
            return False
        if self.process.poll() is None:
            return True
        sweep(self.process)
        return False

    def pid(self) -> int | None:
        return self.process.pid if self.process and self.alive() else None

    def ending(self) -> str:
        code = self.process.returncode if self.process else None
        return f"was killed (signal {-code})" if code is not None and code < 0 else f"ended with code {code}"

    def stop(self, grace: float, hurry: Hurry) -> None:
        if self.process is not None:
            end(self.process, grace, hurry)


def page_answers(url: str) -> bool:
    """Whether `url` is answered with a good status within two seconds."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through somebody's proxy
    try:
        with direct.open(url, timeout=2) as response:
            return 200 <= int(response.status) < 400
    except (OSError, urllib.error.URLError, ValueError):
        return False
