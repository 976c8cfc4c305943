"""Runs the tests and leaves at once: Temporal's SDK may crash an interpreter on its way out (sdk-python #300)."""

import os
import sys

import pytest

code = pytest.main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
