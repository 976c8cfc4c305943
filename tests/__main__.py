"""Runs the tests, and leaves as every command does."""

import sys

import pytest

from tropa.leaving import leave

leave(pytest.main(sys.argv[1:]))
