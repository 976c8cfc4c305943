"""Homes for the tests, empty and with PostgreSQL data in them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.helpers import fresh_home, postgres, query


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home."""
    with fresh_home() as path:
        yield path


@pytest.fixture(scope="session")
def used_home() -> Iterator[Path]:
    """A home, to be copied, of a stopped PostgreSQL with one row in it: a copy costs less than a first
    start."""
    with fresh_home() as path:
        with postgres(path) as server:
            query(server, "create table kept (id int)")
            query(server, "insert into kept values (7)")
        yield path


@pytest.fixture
def kept_home(used_home: Path, home: Path) -> Path:
    """A home with the stopped PostgreSQL of `used_home`."""
    subprocess.run(["cp", "-a", str(used_home), str(home)], check=True)
    return home
