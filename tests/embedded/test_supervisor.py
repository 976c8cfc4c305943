"""The supervisor starts parts in order, restarts what dies, and ends exactly what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.embedded.helpers import SMALL, eventually, gone, line_of, postgres, python, query
from tropa.embedded.files import EmbeddedError, open_log
from tropa.embedded.ports import free_port
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.processes import command_line, spawn
from tropa.embedded.supervisor import Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Notes its start and its gentle end in the file it is given.
DIARIST = """
import signal, sys, time
name, diary = sys.argv[1:]
def note(what):
    with open(diary, "a") as file:
        file.write(what + " " + name + "\\n")
def leave(*_):
    note("stop")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGINT, lambda *_: note("interrupted"))
note("start")
time.sleep(60)
"""
SUPERVISING = """
import sys
from pathlib import Path
from tropa.embedded.supervisor import Supervisor
home, diary, diarist = sys.argv[1:4]
noted = lambda name: Path(diary).exists() and f"start {name}" in Path(diary).read_text()
with Supervisor(Path(home), say=print) as s:
    if "postgres" in sys.argv:
        s.start_postgres({"shared_buffers": "16MB", "fsync": "off"})
    for name in ("one", "two"):
        s.start(name, [sys.executable, "-c", diarist, name, diary], ready=lambda: noted(name))
    print(s.pid("one"), s.pid("two"), s.pid("postgres"), flush=True)
    s.wait()
print("left by itself", flush=True)
"""


def diarist(name: str, diary: Path) -> list[str]:
    return [sys.executable, "-c", DIARIST, name, str(diary)]


def noted(diary: Path, line: str) -> bool:
    return diary.exists() and line in diary.read_text().splitlines()


def test_parts_start_in_order_once_ready_and_stop_in_reverse(home: Path) -> None:
    diary = home.parent / "diary"
    with Supervisor(home) as s:
        for name in ("one", "two", "three"):
            s.start(name, diarist(name, diary), ready=lambda name=name: noted(diary, f"start {name}"))  # type: ignore[misc]
        pids = [s.pid(name) for name in ("one", "two", "three")]
    assert diary.read_text().split("\n")[:-1] == [
        *("start one", "start two", "start three"),
        *("stop three", "stop two", "stop one"),
    ]
    assert all(pid is not None and gone(pid) for pid in pids)


def test_a_page_tells_that_a_part_is_ready_and_the_log_has_its_words(home: Path) -> None:
    port = free_port()
    slow = f"import time; time.sleep(0.4); from http.server import *; \
HTTPServer(('127.0.0.1', {port}), SimpleHTTPRequestHandler).serve_forever()"
    with Supervisor(home) as s:
        began = time.monotonic()
        s.start("api", [sys.executable, "-c", slow], ready=f"http://127.0.0.1:{port}/")
        assert time.monotonic() - began >= 0.4
        assert '"GET / HTTP/1.1" 200' in (home / "logs" / "api.log").read_text()


def test_children_get_the_environment_and_not_the_terminals_ctrl_c(home: Path) -> None:
    with Supervisor(home) as s:
        tell = "import os, time; print(os.environ['TROPA_HELLO'], os.getsid(0)); time.sleep(60)"
        s.start("part", [sys.executable, "-c", tell], {"TROPA_HELLO": "there"})
        log = home / "logs" / "part.log"
        assert eventually(lambda: log.read_text() == f"there {s.pid('part')}\n")


def test_a_part_that_ends_before_it_is_ready_is_told_with_its_last_words(home: Path) -> None:
    with Supervisor(home) as s:
        with pytest.raises(EmbeddedError, match=r"(?s)api ended with code 3 before .*logs/api\.log.*no such color"):
            s.start("api", ["sh", "-c", "echo no such color; exit 3"], ready=lambda: False)
        with pytest.raises(EmbeddedError, match="worker is not ready after 0 s"):
            s.start("worker", SLEEPER, ready=lambda: False, within=0.2)
        with pytest.raises(EmbeddedError, match=r"(?s)absent ended with code 1 .*cannot start no-such-program"):
            s.start("absent", ["no-such-program"], ready=lambda: False)


def test_a_killed_part_is_started_again_and_the_others_stay(home: Path) -> None:
    said: list[str] = []
    with Supervisor(home, say=said.append, backoff=0.05) as s:
        s.start("worker", SLEEPER)
        s.start("api", SLEEPER)
        worker, api = s.pid("worker"), s.pid("api")
        assert worker is not None
        os.kill(worker, signal.SIGKILL)

        def is_back() -> bool:
            s.poll()
            return s.pid("worker") not in (None, worker)

        assert eventually(is_back)
        assert s.pid("api") == api
    log = home.resolve() / "logs" / "worker.log"
    assert said == [f"worker was killed (signal 9); starting it again in 0.05 s (log: {log})"]


def test_a_part_that_keeps_dying_is_given_up_and_the_log_named(home: Path) -> None:
    said: list[str] = []
    with Supervisor(home, say=said.append, backoff=0.01) as s:
        s.start("worker", ["sh", "-c", "echo cannot find the way; exit 4"])
        with pytest.raises(
            EmbeddedError,
            match=r"(?s)worker ended with code 4, for the 5th time within 60 s.*worker\.log.*the way",
        ):
            s.wait()
    assert len(said) == 4
    assert (home / "logs" / "worker.log").read_text() == "cannot find the way\n" * 5


def test_what_a_dead_part_left_running_is_ended_before_the_restart(home: Path) -> None:
    with Supervisor(home, backoff=60) as s:
        s.start("api", ["sh", "-c", "sleep 60 & echo $!; wait"])
        log = home / "logs" / "api.log"
        assert eventually(lambda: log.read_text().endswith("\n"))
        server, api = int(log.read_text()), s.pid("api")
        assert api is not None
        os.kill(api, signal.SIGKILL)

        def is_swept() -> bool:
            s.poll()
            return gone(server)

        assert eventually(is_swept)


def test_a_part_deaf_to_sigterm_is_killed_after_the_grace(home: Path) -> None:
    with Supervisor(home, grace=0.3) as s:
        s.start("deaf", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"])
        assert eventually(lambda: (home / "logs" / "deaf.log").read_text() == "deaf\n")
        pid, began = s.pid("deaf"), time.monotonic()
        s.stop()
        assert 0.3 <= time.monotonic() - began < 5
        assert pid is not None
        assert gone(pid)


def test_a_second_supervisor_of_the_home_is_refused(home: Path) -> None:
    with Supervisor(home) as s:
        s.start("worker", SLEEPER)
        with pytest.raises(EmbeddedError, match=rf"already up on {home} \(process {os.getpid()}\)"):
            Supervisor(home).__enter__()
        assert s.pid("worker") is not None
    with Supervisor(home):
        pass


def test_another_thread_may_supervise_and_be_asked_to_stop(home: Path) -> None:
    started = threading.Event()
    supervisor = Supervisor(home)
    pids: list[int | None] = []

    def supervise() -> None:
        with supervisor as s:
            s.start("worker", SLEEPER)
            pids.append(s.pid("worker"))
            started.set()
            s.wait()

    thread = threading.Thread(target=supervise)
    thread.start()
    assert started.wait(5)
    supervisor.ask_to_stop()
    thread.join(5)
    assert not thread.is_alive()
    assert pids[0] is not None
    assert gone(pids[0])


def test_a_child_outlives_the_thread_that_started_it(home: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        started.append(spawn(SLEEPER, log=log))
        # The thread has to live until the kernel knows whom the child is tied to.
        eventually(lambda: command_line(started[0].pid).startswith(" ".join(SLEEPER)))

    with open_log(home / "logs" / "part.log") as log:
        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
    time.sleep(0.3)
    try:
        assert started[0].poll() is None
    finally:
        started[0].kill()
        started[0].wait()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_gently(home: Path, sign: signal.Signals) -> None:
    diary = home.parent / "diary"
    with python(SUPERVISING, home, diary, DIARIST) as supervising:
        pids = [int(word) for word in line_of(supervising).split()[:2]]
        os.kill(supervising.pid, sign)
        assert supervising.wait(timeout=10) == 0
        assert line_of(supervising) == "left by itself"
    assert diary.read_text().split("\n")[:-1] == ["start one", "start two", "stop two", "stop one"]
    assert all(gone(pid) for pid in pids)


def test_a_signal_ends_a_start_that_waits(home: Path) -> None:
    with Supervisor(home) as s:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        s.start("worker", SLEEPER, ready=lambda: False, within=30)
        pytest.fail("the start went on")
    assert s.stop_asked
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_supervisor_leaves_no_child_and_its_postgres_to_the_next(kept_home: Path) -> None:
    with python(SUPERVISING, kept_home, kept_home.parent / "diary", DIARIST, "postgres") as supervising:
        one, two, server = (int(word) for word in line_of(supervising).split())
        assert not gone(one)
        supervising.kill()
    assert eventually(lambda: gone(one) and gone(two), within=3)
    with Supervisor(kept_home) as s:
        s.start_postgres(SMALL)
        assert s.pid("postgres") == server
    assert gone(server)


def test_a_supervisor_killed_while_it_restarted_postgres_leaves_it_to_the_next(kept_home: Path) -> None:
    with postgres(kept_home) as running:
        (kept_home / "up.json").write_text('{"pid": 1, "postgres": "starting"}')
        with Supervisor(kept_home) as s:
            s.start_postgres(SMALL)
        assert running.postmaster() is None


def test_postgres_is_stopped_by_who_started_it_alone(kept_home: Path) -> None:
    with postgres(kept_home) as running:
        pid = running.postmaster()
        with Supervisor(kept_home) as s:
            s.start_postgres(SMALL)
            assert s.pid("postgres") == pid
        assert running.postmaster() == pid
        running.stop()
        with Supervisor(kept_home, backoff=0.05) as s:
            mine = s.start_postgres(SMALL)
            first = s.pid("postgres")
            assert first is not None
            os.kill(first, signal.SIGKILL)

            def is_back() -> bool:
                s.poll()
                return s.pid("postgres") not in (None, first)

            assert eventually(is_back)
            assert query(mine, "select 1") == 1
        assert EmbeddedPostgres(kept_home).postmaster() is None
