"""`tropa doctor`, through the command line: what it prints, how it leaves, and where it looks for Temporal."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.factories import an_event, settings_for
from tests.support.typing_commands import Tropa, anna
from tropa import commands
from tropa.embedded.files import write_state
from tropa.embedded.ports import free_port, is_free
from tropa.printing import duration
from tropa.wiring import House


async def test_a_well_installation_leaves_with_zero(tropa: Tropa) -> None:
    code, said, _ = await tropa("doctor")

    assert code == 0
    assert said.splitlines()[0] == "All is well."
    assert "Temporal was not asked" in said


async def test_something_to_look_at_is_one_line_and_leaves_with_one(house: House, tropa: Tropa) -> None:
    await anna(house)
    await house.ingest.accept([an_event("signed_up", at=house.clock.now(), received=house.clock.now())])

    code, said, _ = await tropa("doctor")
    assert code == 1
    (line,) = [each for each in said.splitlines() if "→" in each]
    assert line.startswith("look        1  events were received over a minute ago and not applied (oldest: ")

    code, said, _ = await tropa("doctor", "--json")
    told = json.loads(said)
    assert (code, told["verdict"], told["temporal"]) == (1, "look", "not asked")
    (finding,) = told["findings"]
    assert (finding["name"], finding["count"]) == ("projection_backlog", 1)
    assert finding["oldest_seconds"] > 60 and finding["advice"]


@pytest.mark.parametrize("embedded", [True, False])
async def test_temporal_is_looked_for_where_it_is_said_to_be_and_who_only_listens_there_is_none(
    tropa: Tropa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, embedded: bool
) -> None:
    called: list[bool] = []

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(True)
        writer.close()

    monkeypatch.setattr(commands, "PATIENCE", 0.3)
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if embedded:
        write_state(tmp_path / "temporal.json", {"pid": 1, "port": port})
    else:
        monkeypatch.setenv("TROPA_TEMPORAL_ADDRESS", f"127.0.0.1:{port}")

    stranger, heard = await tropa("doctor"), len(called)
    server.close()
    await server.wait_closed()
    assert is_free(port)
    down = await tropa("doctor")

    assert heard > 1  # once for the connection, and then asked as one asks Temporal
    for code, said, _ in (stranger, down):
        assert code == 1 and "Temporal does not answer" in said


async def test_a_database_that_is_down_is_told_by_every_command(tropa: Tropa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROPA_DATABASE_URL", f"postgresql+asyncpg://u:secret@127.0.0.1:{free_port()}/x")

    code, said, _ = await tropa("doctor", "--json")
    assert (code, json.loads(said)["verdict"]) == (2, "broken")
    for words in (["journeys"], ["timeline", "anna"], ["enroll", "WelcomeChain", "anna"]):
        code, _, complained = await tropa(*words)
        assert code == 1 and "Run `tropa doctor`" in complained and "secret" not in complained


async def test_a_folder_where_nothing_runs_is_told(tropa: Tropa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TROPA_DATABASE_URL")

    code, said, _ = await tropa("doctor")
    assert code == 2 and "run `tropa up`" in said
    code, _, complained = await tropa("journeys")
    assert code == 1 and "run `tropa up`" in complained


async def test_production_looks_into_the_sandbox_outbox(house: House) -> None:
    ours = await anna(house)
    async with house.database.transaction() as connection:
        await connection.execute(
            text("""
                WITH walk AS (
                    INSERT INTO enrollments (customer, journey, about, cause, started_at, ended_at, outcome)
                    VALUES (:ours, 'WelcomeChain', '', 'test', :at, :at, 'lapsed') RETURNING id
                ), send AS (
                    INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, kind, priority, state,
                                       channel, wished_at, expires_at, slot_at, rule)
                    SELECT gen_random_uuid(), id, :ours, 'm', 1, 0, 'value', 'triggered', 3, 'accepted',
                           'email', :at, :at, :at, ''
                    FROM walk RETURNING id
                )
                INSERT INTO sandbox_outbox (send, at, channel, recipient, text)
                SELECT id, :at, 'email', 'a@example.com', 'Hello' FROM send
            """),
            {"ours": ours, "at": house.clock.now()},
        )
    url = house.settings.database_url or ""
    found = [
        await commands.diagnose(settings_for(url, environment=name), clock=house.clock)
        for name in ("development", "production")
    ]

    assert [[each.name for each in one.findings] for one in found] == [[], ["sandbox_in_production"]]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (180000, "2 d")],
)
def test_ages_are_said_in_one_unit(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words
