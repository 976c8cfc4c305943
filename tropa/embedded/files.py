"""Folders, locks, logs and small state files that the embedded servers share."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOG_LIMIT = 10 * 1024 * 1024


class EmbeddedError(RuntimeError):
    """An embedded part cannot do what was asked; the text tells a person what to do about it."""


def silent(_message: str) -> None:
    """The `say` of whoever does not want to hear anything."""


def make_folder(path: Path) -> Path:
    """Make `path` and its missing parents, closed to other users, and return it.

    Root's folders can be passed through (0711), because PostgreSQL refuses to run as root and the user it
    runs as has to reach its own data inside. A folder that already exists keeps the mode somebody gave it.
    """
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


def try_lock(path: Path) -> IO[str] | None:
    """Lock `path` for this process, or return None when somebody holds it.

    The lock lasts until the returned file is closed or the process dies, however it dies. Child processes do
    not inherit it.
    """
    file = _open_private(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock on `path` for the length of the block, waiting for whoever has it.

    Gives the lock's file descriptor: a child that inherits it keeps the lock until it ends, even if we die.
    """
    with _open_private(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def write_state(path: Path, state: Mapping[str, str | int]) -> None:
    """Replace `path` by `state` as JSON, readable by its owner alone, in one step that a crash cannot
    halve."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with _open_private(fresh) as file:
        json.dump(dict(state), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_state(path: Path) -> dict[str, str | int]:
    """What `write_state` wrote; empty when there is no such file or it is not readable as JSON."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def open_log(path: Path) -> IO[bytes]:
    """Open the log `path` for appending; a log above 10 MB is put aside first, as `<name>.1`."""
    make_folder(path.parent)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return open(path, "ab", opener=_private)


def log_tail(path: Path, since: int = 0, lines: int = 8) -> str:
    """The last `lines` lines that `path` gained after byte `since`; empty when there are none."""
    try:
        with path.open("rb") as file:
            file.seek(max(since, path.stat().st_size - 20_000))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def _open_private(path: Path) -> IO[str]:
    return open(path, "a+", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
