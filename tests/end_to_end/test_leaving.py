"""Processes that used Temporal's SDK end with their own exit code (sdk-python #300 crashed 4 of 12)."""

import subprocess
import sys

from tropa.embedded.temporal import EmbeddedTemporal


def test_twenty_processes_that_used_the_sdk_end_with_code_0(temporal: EmbeddedTemporal) -> None:
    command = [sys.executable, "-m", "tests.support.used_the_sdk", temporal.address]
    codes = []
    for _ in range(5):
        running = [subprocess.Popen(command) for _ in range(4)]
        codes += [process.wait(60) for process in running]

    assert codes == [0] * 20
