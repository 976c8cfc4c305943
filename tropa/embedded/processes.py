"""Starting, recognizing and ending processes."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO

LEASH = Path(__file__).with_name("leash.py")


def spawn(
    argv: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None, umask: int = -1
) -> subprocess.Popen[bytes]:
    """Start `argv` with its output in `log`, out of the terminal's reach, and dying with this process.

    `env` replaces the environment when given. The child leads its own session, so Ctrl-C reaches us alone and
    we decide the order of the end. On Linux the kernel kills it the moment this process dies, even by kill
    -9. Returns at once; a program that does not exist shows as an exit code other than 0 and a line in `log`.
    """
    leashed = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *argv]
    return _keeper().call(
        lambda: subprocess.Popen(
            leashed,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            umask=umask,
            start_new_session=True,
        )
    )


def end(process: subprocess.Popen[bytes], grace: float, hurry: Callable[[], bool] = lambda: False) -> bool:
    """End what `spawn` started: SIGTERM, then SIGKILL after `grace` seconds or once `hurry()` says so.

    Whatever the program itself started and left behind in its session goes too. Returns whether it ended by
    itself within the grace. Ending a process that has already ended is harmless.
    """
    deadline = time.monotonic() + grace
    gently = True
    if process.poll() is None:
        process.terminate()
    while process.poll() is None:
        if time.monotonic() > deadline or hurry():
            process.kill()
            process.wait()
            gently = False
            break
        time.sleep(0.02)
    sweep(process)
    return gently


def sweep(process: subprocess.Popen[bytes]) -> None:
    """Kill what an ended child left behind in its session (a reloader's server would keep its port)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def command_line(pid: int) -> str:
    """The command line of `pid`, arguments joined by spaces; empty when there is no such process (or a
    zombie)."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def in_use(pid: int) -> bool:
    """Whether the number `pid` belongs to any process, be it a stranger's or dead and not yet collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_stranger(pid: int, is_still: Callable[[], bool], grace: float) -> bool:
    """End a process that is not our child: SIGTERM, then SIGKILL after `grace` seconds.

    `is_still` is asked before each signal and tells whether `pid` is still the process that was meant,
    because a pid alone says nothing. Returns whether it is gone; a process that we may not signal stays.
    """
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        with suppress(ProcessLookupError, PermissionError):
            if is_still():
                os.kill(pid, sign)
        while is_still() and time.monotonic() < deadline:
            time.sleep(0.05)
    return not is_still()


class _Keeper:
    """One thread that starts every child and lives as long as the process.

    The kernel ties a leashed child to the *thread* that started it. Started from a passing thread, the child
    would be killed when that thread is done, so all of them are started from this one.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._jobs = queue.SimpleQueue()
        threading.Thread(target=self._work, name="tropa-spawn", daemon=True).start()

    def call(self, job: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((job, answer))
        return answer.result()

    def _work(self) -> None:
        while True:
            job, answer = self._jobs.get()
            try:
                answer.set_result(job())
            except BaseException as failure:  # the caller's thread is the one to hear it
                answer.set_exception(failure)


_the_keeper: tuple[int, _Keeper] | None = None
_keeper_lock = threading.Lock()


def _keeper() -> _Keeper:
    global _the_keeper
    with _keeper_lock:
        # A forked copy of this process has no threads but the one that forked.
        if _the_keeper is None or _the_keeper[0] != os.getpid():
            _the_keeper = (os.getpid(), _Keeper())
        return _the_keeper[1]
