"""Runs the tests, and leaves as every command does."""

import signal
import sys

import pytest

from tropa.leaving import leave

# A shell that runs this in the background ignores Ctrl-C for it, and every process that a test starts and interrupts
# would inherit that and never hear.
signal.signal(signal.SIGINT, signal.default_int_handler)

leave(pytest.main(sys.argv[1:]))
