"""`tropa demo`, from the outside: a whole small shop walks, and the demo says who walked what."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tropa.demo import stood_still
from tropa.embedded.ports import free_port
from tropa.tally import Tally

WITHIN = 60.0  # seconds from the first customer
PORTS = ("TROPA_PORT", "TROPA_TEMPORAL_PORT", "TROPA_TEMPORAL_UI_PORT", "TROPA_METRICS_PORT")


class Demo:
    """A running demo in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        own = {"TROPA_HOME": str(folder / "home"), **{port: str(free_port()) for port in PORTS}}
        self._output = folder / "said.txt"
        with self._output.open("w") as written:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tropa", "demo"],
                env={**os.environ, **own},
                stdout=written,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """All that it printed so far."""
        return self._output.read_text()

    def spoke(self) -> int:
        """How many journeys have sent something, as it says each day."""
        return max((int(each) for each in re.findall(r"(\d+) journeys spoke", self.said)), default=0)

    def end(self) -> int:
        """Ctrl-C. Answers the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="tropa-demo-") as folder:
        Path(folder).chmod(0o711)
        running = Demo(Path(folder))
        yield running
        if running.process.poll() is None:
            running.end()


@pytest.mark.timeout(180)
def test_at_least_eight_journeys_speak_within_a_minute_and_it_says_who_walked_what(demo: Demo) -> None:
    began = None
    while demo.spoke() < 8:
        assert demo.process.poll() is None, demo.said
        began = began or (time.monotonic() if "  day   0" in demo.said else None)
        assert began is None or time.monotonic() - began < WITHIN, demo.said
        time.sleep(0.2)
    assert demo.end() == 0, demo.said

    sent = re.search(r"Sent by (\d+) journeys: (.+)", demo.said)
    assert sent and int(sent[1]) >= 8, demo.said
    assert {"email", "sms"} <= {each.split()[1] for each in sent[2].split(", ")}
    walked = dict(re.findall(r"^([A-Z]\w+) +(\d+) ", demo.said, re.MULTILINE))
    assert len(walked) >= 10, demo.said


def test_a_demo_in_which_nothing_was_sent_says_so_and_fails() -> None:
    said: list[str] = []
    assert stood_still(Tally(journeys=[], channels={}, others={}), said.append)
    assert "nobody entered a journey" in said[0]
    assert not stood_still(Tally(journeys=[], channels={"email": 1}, others={}), said.append)
