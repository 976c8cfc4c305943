"""Runs the tests, and leaves as every command does. All of them run side by side, a file at a time; some one by one."""

import os
import signal
import sys

import pytest

from tropa.leaving import leave

# A shell that runs this in the background ignores Ctrl-C for it, and every process that a test starts and interrupts
# would inherit that and never hear.
signal.signal(signal.SIGINT, signal.default_int_handler)

arguments = sys.argv[1:]
if not arguments:
    arguments = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
leave(pytest.main(arguments))
