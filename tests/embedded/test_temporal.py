"""The embedded Temporal starts, is found again, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.helpers import eventually, fresh_home, gone, line_of, python, stranger_on
from tropa.embedded import temporal as temporal_module
from tropa.embedded.files import EmbeddedError, write_state
from tropa.embedded.ports import answers, free_port
from tropa.embedded.temporal import EmbeddedTemporal, address_of

PROGRAM = str(Path(sys.executable).parent / "temporal")

OWNER = """
import sys
from pathlib import Path
from tropa.embedded.temporal import EmbeddedTemporal
server = EmbeddedTemporal(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), in_memory=True)
server.start()
print(server.pid, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedTemporal]:
    """One server on a file, running at the start of each test that asks for it."""
    with fresh_home() as home:
        running = EmbeddedTemporal(home, free_port(), free_port())
        running.start()
        yield running
        running.stop()


def ask(server: EmbeddedTemporal, *words: str) -> str:
    return subprocess.check_output([PROGRAM, *words, "--address", server.address], text=True)


def test_a_started_server_is_healthy_and_set_up(server: EmbeddedTemporal) -> None:
    assert server.alive()
    assert server.healthy()
    with urllib.request.urlopen(server.ui_url) as page:
        assert b"<html" in page.read()
    attributes = [line.split() for line in ask(server, "operator", "search-attribute", "list").splitlines()]
    assert ["CustomerId", "Keyword"] in attributes
    assert ["Stage", "Keyword"] in attributes
    # The server's own day would have closed executions vanish under the console's links.
    assert "876000h" in ask(server, "operator", "namespace", "describe", "-n", "default")
    assert (server.home / "temporal.db").stat().st_mode & 0o077 == 0


def test_a_killed_server_comes_back_in_its_place_with_what_it_had(server: EmbeddedTemporal) -> None:
    address, before = server.address, server.pid
    assert before is not None
    ask(server, "workflow", "start", "--type", "Walk", "--task-queue", "none", "--workflow-id", "anna")
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: not server.alive())
    assert not server.healthy()
    # Numbers are given again: the one on record may be anybody's now.
    with subprocess.Popen(["sleep", "60"]) as stranger:
        write_state(server.home / "temporal.json", {"pid": stranger.pid})
        server.start()
        assert stranger.poll() is None
        stranger.kill()
    assert server.pid not in (None, before)
    assert server.address == address
    assert "WORKFLOW_EXECUTION_STATUS_RUNNING" in ask(
        server, "workflow", "describe", "--workflow-id", "anna", "-o", "json"
    )


def test_another_process_can_learn_where_the_server_is_while_it_is_meant_to_run(server: EmbeddedTemporal) -> None:
    assert address_of(server.home) == server.address

    server.stop()
    gone = address_of(server.home)
    server.start()

    assert (gone, address_of(server.home)) == (None, server.address)


def test_a_second_owner_of_the_file_is_refused(server: EmbeddedTemporal) -> None:
    with pytest.raises(EmbeddedError, match="another process runs Temporal"):
        EmbeddedTemporal(server.home, free_port(), free_port()).start()
    assert server.healthy()


def test_a_restart_does_not_move_when_its_port_was_taken_meanwhile(server: EmbeddedTemporal) -> None:
    port = int(server.address.split(":")[1])
    server.stop()
    assert not answers(port)
    with stranger_on(port), pytest.raises(EmbeddedError, match=f"port {port} was taken"):
        server.start()
    server.start()
    assert server.healthy()


def test_an_older_file_gets_the_search_attributes_that_came_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedTemporal(home, free_port(), free_port())
    try:
        with monkeypatch.context() as earlier:
            earlier.setattr(temporal_module, "SEARCH_ATTRIBUTES", {"CustomerId": "Keyword"})
            server.start()
            assert "Stage" not in ask(server, "operator", "search-attribute", "list")
            server.stop()
        server.start()
        assert "Stage" in ask(server, "operator", "search-attribute", "list")
    finally:
        server.stop()


def test_taken_ports_move_the_server_and_tell(home: Path) -> None:
    said: list[str] = []
    port, ui_port = free_port(), free_port()
    server = EmbeddedTemporal(home, port, ui_port, in_memory=True, say=said.append)
    with stranger_on(port), stranger_on(ui_port):
        server.start()
    try:
        assert server.healthy()
        assert str(port) not in server.address
        assert [line.split(" is taken")[0] for line in said] == [
            f"Temporal: port {port}",
            f"Temporal Web UI: port {ui_port}",
        ]
        assert not (home / "temporal.db").exists()
    finally:
        server.stop()
    assert not server.alive()


def test_a_server_left_on_the_file_is_ended_first(home: Path) -> None:
    home.mkdir()
    ports = ["--port", str(free_port()), "--ui-port", str(free_port()), "--log-level", "error"]
    left = subprocess.Popen(
        [PROGRAM, "server", "start-dev", "--headless", "--db-filename", str(home / "temporal.db"), *ports],
        stdout=subprocess.DEVNULL,
    )
    server = EmbeddedTemporal(home, free_port(), free_port())
    try:
        assert eventually((home / "temporal.db").exists)
        write_state(home / "temporal.json", {"pid": left.pid})
        server.start()
        assert left.poll() is not None or gone(left.pid)
        assert server.healthy()
    finally:
        server.stop()
        left.kill()
        left.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_the_server_dies_with_its_owner(home: Path) -> None:
    with python(OWNER, home, free_port(), free_port()) as owner:
        pid = int(line_of(owner))
        assert not gone(pid)
        owner.kill()
    assert eventually(lambda: gone(pid), within=3)
