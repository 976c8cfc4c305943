"""`tropa up`, from the outside: whatever is killed, nothing is lost, and Ctrl-C stops all that it started."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tropa.embedded.ports import free_port

CANARIES = ("canary-person", "canarina", "kenarova", "4155552671", "canary-order", "canary-note")
PERSON = "canary-person@example.com"
PROFILE = {
    "email": PERSON,
    "phone": "+14155552671",
    "attributes": {"first_name": "Canarina", "last_name": "Kenarova"},
    "consents": {"email": {"status": "granted", "source": "test"}},
}


class Up:
    """A running `tropa up` in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._env = {
            **os.environ,
            "TROPA_HOME": str(home),
            "TROPA_JOURNEYS": "WelcomeChain",
            "TROPA_PORT": str(free_port()),
            "TROPA_TEMPORAL_PORT": str(free_port()),
            "TROPA_TEMPORAL_UI_PORT": str(free_port()),
            "TROPA_METRICS_PORT": str(free_port()),
        }
        self.start()

    def start(self) -> None:
        """Run it, and wait for its invitation."""
        self.said = ""
        output = self.home.parent / "said.txt"
        with output.open("w") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tropa", "up"], env=self._env, stdout=written, stderr=subprocess.STDOUT
            )
        self.until(lambda: "Ctrl-C stops what this started" in output.read_text(), 90)
        self.said = output.read_text()
        found = re.search(r"API +(http://\S+)/docs", self.said)
        assert found, self.said
        self.base, self.key = found[1], (self.home / "api-key").read_text().strip()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API until it answers: a part that was killed takes a moment to be back."""
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = httpx.request(
                    method, f"{self.base}{path}", json=body, headers={"Authorization": f"Bearer {self.key}"}, timeout=5
                )
                if answer.status_code < 500:
                    assert answer.status_code < 300, answer.text
                    return answer.json()
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, "the API did not come back"
            time.sleep(0.2)

    def until(self, seen: Callable[[], Any], within: float = 40) -> Any:
        """What `seen` answers, as soon as it is true."""
        deadline = time.monotonic() + within
        while not (found := seen()):
            assert self.process.poll() is None, "tropa up ended by itself"
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.1)
        return found

    def told(self) -> list[str]:
        """The timeline's sentences, oldest first."""
        answer = self.call("GET", f"/v1/customers/{PERSON}/timeline?limit=100")
        return [entry["text"] for entry in reversed(answer["entries"])]

    def pids(self) -> dict[str, int]:
        """The parts' processes."""
        found = {"postgres": int((self.home / "postgres/data/postmaster.pid").read_text().split()[0])}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_text().split("\0")
                env = (folder / "environ").read_text()
            except OSError:
                continue
            if f"TROPA_HOME={self.home}" in env:
                for part in ("worker", "api", "temporal"):
                    if part in words or words[0].endswith(f"/{part}"):
                        found[part] = int(folder.name)
        return found


@pytest.fixture
def up() -> Iterator[Up]:
    with tempfile.TemporaryDirectory(prefix="tropa-up-") as folder:
        Path(folder).chmod(0o711)
        running = Up(Path(folder) / "home")
        yield running
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGINT)
            running.process.wait(60)


def test_f01_f06_f09_killing_any_part_and_all_of_it_loses_nothing(up: Up) -> None:
    up.call("PUT", f"/v1/customers/{PERSON}", PROFILE | {"timezone": _where_it_is_day()})
    _happens(up, "order_placed", 1)
    up.until(lambda: any("sent by email" in text for text in up.told()))

    for number, part in enumerate(("worker", "api", "temporal", "postgres"), start=2):
        os.kill(up.pids()[part], signal.SIGKILL)
        _happens(up, "feature_used", number)

    os.kill(up.process.pid, signal.SIGKILL)
    up.process.wait()
    up.start()
    _happens(up, "activated", 9)
    up.until(lambda: any("reached the goal" in text for text in up.told()))

    told = up.told()
    assert sum("sent by email" in text for text in told) == 1
    assert len([text for text in told if "feature_used" in text or "Used the product" in text]) >= 4

    parts = up.pids()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0
    assert set(parts) == {"postgres", "worker", "api", "temporal"}
    assert [part for part, pid in parts.items() if _runs(pid)] == []
    assert _canaries(up.home) == {}


def _happens(up: Up, name: str, number: int) -> None:
    event = {
        "event_id": f"canary-person-{number}",
        "customer_id": PERSON,
        "name": name,
        "about": "canary-order-77",
        "properties": {"note": "canary-note", "phone": "+14155552671"},
    }
    assert up.call("POST", "/v1/events", {"events": [event]})["rejected"] == []


def _canaries(home: Path) -> dict[str, list[str]]:
    """Which file holds which canary: logs, and all that Temporal keeps. PostgreSQL's folder is where they belong."""
    files = [file for file in home.rglob("*") if file.is_file() and "postgres" not in file.relative_to(home).parts]
    assert {"temporal.db", "worker.log", "api.log", "temporal.log"} <= {file.name for file in files}
    found = {
        file.name: [canary for canary in CANARIES if canary.encode() in file.read_bytes().lower()] for file in files
    }
    return {name: canaries for name, canaries in found.items() if canaries}


def _runs(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _where_it_is_day() -> str:
    hour = time.gmtime().tm_hour
    return f"Etc/GMT{hour - 12:+d}" if hour != 12 else "Etc/GMT"
