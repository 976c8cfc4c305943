"""What several tests of the embedded servers need."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg

from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.processes import command_line

ROOT = Path(__file__).parents[2]
PACKAGES = sysconfig.get_path("purelib")
# Processes are killed here, never the machine, so nothing has to wait for the disk.
SMALL = {"shared_buffers": "16MB", "fsync": "off"}


@contextmanager
def fresh_home() -> Iterator[Path]:
    """A home that the server's own user can reach, unlike the closed folders pytest makes for root."""
    outer = Path(tempfile.mkdtemp(prefix="tropa-test-"))
    outer.chmod(0o711)
    try:
        yield outer / "home"
    finally:
        shutil.rmtree(outer, ignore_errors=True)


@contextmanager
def postgres(home: Path, say: Callable[[str], None] = lambda _: None) -> Iterator[EmbeddedPostgres]:
    """A running server on `home` that is stopped afterwards."""
    server = EmbeddedPostgres(home, settings=SMALL, say=say)
    server.ensure()
    try:
        yield server
    finally:
        server.stop()


def query(server: EmbeddedPostgres, sql: str) -> object:
    """The first value that `sql` gives, asked over the address that the program itself would use."""

    async def ask() -> object:
        connection = await asyncpg.connect(server.url().replace("+asyncpg", ""))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


@contextmanager
def stranger_on(port: int) -> Iterator[None]:
    """Somebody else listening on `port`, who hangs up on whoever calls."""

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", port)) as listener:
        caller = threading.Thread(target=hang_up)
        caller.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            caller.join()


@contextmanager
def python(
    code: str, *arguments: object, user: int | None = None, program: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """A Python process running `code` from the checkout, to be talked to; killed if it outlives the block."""
    with subprocess.Popen(
        [program, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"},
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that `process` prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def gone(pid: int) -> bool:
    """Whether `pid` runs no more; what nobody has collected yet counts as gone."""
    return command_line(pid) == ""


def eventually(check: Callable[[], bool], within: float = 10) -> bool:
    """Whether `check` becomes true in time."""
    deadline = time.monotonic() + within
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
