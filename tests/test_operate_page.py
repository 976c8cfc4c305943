"""What docs/operate.md tells an operator to paste exists and works."""

import re
from pathlib import Path

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from adapters.database.counts import Waiting
from api.measuring import Meters
from services.intake import Taken
from services.keys import SCOPES
from services.watching import Counts
from tests.support.factories import an_event
from tests.support.typing_commands import anna
from tropa.__main__ import app
from tropa.wiring import House

PAGE = (Path(__file__).parent.parent / "docs" / "operate.md").read_text(encoding="utf-8")
STATEMENTS = re.findall(r"`((?:SELECT|UPDATE) [^`]+)`", PAGE)
AGAIN = next(each for each in STATEMENTS if each.startswith("UPDATE events"))


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_every_statement_runs(house: House, statement: str) -> None:
    some_id = statement.replace("…", "00000000-0000-0000-0000-000000000000")

    async with house.database.transaction() as connection:
        await connection.execute(text(some_id))


async def test_an_event_taken_out_of_quarantine_is_applied(house: House) -> None:
    await anna(house)
    await house.ingest.accept([an_event("signed_up", at=house.clock.now())])
    async with house.database.transaction() as connection:
        await connection.execute(text("UPDATE events SET quarantined = 'a bug', customer = (SELECT id FROM customers)"))
    assert await house.projector.project_some() == 0

    async with house.database.transaction() as connection:
        event = (await connection.execute(text("SELECT id FROM events"))).scalar_one()
        await connection.execute(text(AGAIN.replace("…", str(event))))

    assert await house.projector.project_some()
    async with house.database.transaction() as connection:
        found = await connection.execute(text("SELECT number FROM events WHERE name = 'signed_up'"))
        assert found.scalar_one() == 1


def test_every_metric_of_an_alert_is_one_that_we_expose() -> None:
    meters = Meters()
    meters.took(Taken(), 0)
    meters.answered("GET", "/", 200, 0.1)
    told = meters.text(
        Counts(
            backlog=0,
            sends={"unknown": 1},
            open_enrollments={"WelcomeChain": 1},
            waiting=Waiting(events=0, oldest_event=0, oldest_unknown=0, orphans=0),
        )
    ).decode()
    exposed = {sample.name for family in text_string_to_metric_families(told) for sample in family.samples}

    named = set(re.findall(r"\btropa_[a-z_]+\b", PAGE.partition("### Alerts")[2]))

    assert named and named <= exposed


def test_every_command_that_is_named_exists() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group

    named = set(re.findall(r"`tropa ([a-z]+)", PAGE))

    assert known - {"demo"} <= named <= known


def test_every_scope_of_a_key_is_named() -> None:
    assert set(re.findall(r"`([a-z:]+)`", PAGE)) >= SCOPES
