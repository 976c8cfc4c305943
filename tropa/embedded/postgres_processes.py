"""Which processes belong to a PostgreSQL data folder, and making way after a server that was killed."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from tropa.embedded.files import EmbeddedError
from tropa.embedded.processes import command_line, end_stranger, in_use


def postmaster_of(data: Path) -> int | None:
    """The pid of the live server of the folder `data` (resolved); None when there is none.

    A live pid in PostgreSQL's own pid file is not enough: after a crash or in a new container it may be
    anybody's.
    """
    pid = _recorded_pid(data)
    return pid if pid is not None and _works_in(data, pid) else None


def identity_of(data: Path) -> str | None:
    """What distinguishes the server that runs on `data` from any earlier or later one; None when none
    runs."""
    if postmaster_of(data) is None:
        return None
    try:
        lines = _pid_file(data).read_text().splitlines()
    except OSError:
        return None
    return f"{lines[0]}@{lines[2]}" if len(lines) > 2 else None


def clear_leftovers(data: Path) -> None:
    """Make way on `data`, whose server does not live: its orphans hold the shared memory, its pid file
    misleads.

    Raises EmbeddedError when an orphan cannot be ended.
    """
    for pid in _processes_of(data):
        still_there = partial(_works_in, data, pid)
        deadline = time.monotonic() + 1  # most notice by themselves that their postmaster is gone
        while still_there() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not end_stranger(pid, still_there, grace=2):
            raise EmbeddedError(f"the process {pid} of a killed PostgreSQL does not end; end it by hand")
    recorded = _recorded_pid(data)
    if recorded is not None and in_use(recorded):
        # A stranger, or the killed server itself that nobody collected (containers often have no init).
        # PostgreSQL asks for the number alone, would see a living server in it and refuse to start.
        _pid_file(data).unlink(missing_ok=True)


def _processes_of(data: Path) -> list[int]:
    if sys.platform != "linux":
        return []  # not to be found without /proc: the start is tried again until they have left
    running = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in running if _works_in(data, pid)]


def _works_in(data: Path, pid: int) -> bool:
    if sys.platform != "linux":
        return str(data) in command_line(pid)
    process = Path(f"/proc/{pid}")
    try:  # every server process works in its data folder; a zombie has no folder any more
        return (process / "cwd").readlink() == data and (process / "comm").read_text() == "postgres\n"
    except OSError:
        return False


def _recorded_pid(data: Path) -> int | None:
    try:
        return int(_pid_file(data).read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _pid_file(data: Path) -> Path:
    return data / "postmaster.pid"
