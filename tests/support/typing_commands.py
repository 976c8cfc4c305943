"""Typing commands of the command line on a test's own database, in a folder where nothing else runs."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.database import customers
from domain.customers import Consent, ConsentStatus
from domain.messages import Channel
from tropa.__main__ import command_line
from tropa.wiring import House

Tropa = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def tropa(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tropa:
    """Types a command; answers its exit code, what it printed, and what it complained of."""
    monkeypatch.setenv("TROPA_DATABASE_URL", house.settings.database_url or "")
    monkeypatch.setenv("TROPA_HOME", str(tmp_path))
    monkeypatch.delenv("TROPA_TEMPORAL_ADDRESS", raising=False)

    async def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tropa", *words])
        capsys.readouterr()
        code = 0
        try:
            await asyncio.to_thread(command_line)
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *capsys.readouterr()

    return run


async def anna(house: House) -> str:
    """A customer in Tokyo who said yes to every channel. Answers our id."""
    now = house.clock.now()
    async with house.database.transaction() as connection:
        ours = (await customers.identify(connection, ["anna"], now))["anna"]
        await customers.update_profile(connection, ours, {"email": "anna@example.com", "timezone": "Asia/Tokyo"})
        word = Consent(status=ConsentStatus.GRANTED, at=now, source="test")
        for channel in Channel:
            await customers.put_consent(connection, ours, channel.value, word)
    return ours
