"""What an installation settles once, and what a marketer may set."""

from datetime import timedelta

import pytest

from domain.errors import Misconfigured
from tests.support.factories import STAFF, SettableClock, an_event, compiled, settings_for
from tropa.wiring import House, build


async def test_a_database_keeps_the_pace_it_began_with(database_url: str) -> None:
    first = await build(settings_for(database_url, pace=60), library=compiled())
    again = await build(settings_for(database_url, pace=60), library=compiled())

    with pytest.raises(Misconfigured, match="keeps its pace"):
        await build(settings_for(database_url, pace=1), library=compiled())

    assert again.pace == first.pace
    await first.close()
    await again.close()


async def test_a_sign_up_starts_the_welcome_chain_once_a_marketer_adds_it(house: House, clock: SettableClock) -> None:
    async def entered() -> int:
        await house.projector.project_some()
        async with house.database.transaction() as connection:
            return len((await connection.exec_driver_sql("SELECT 1 FROM enrollments")).all())

    await house.ingest.accept([an_event("signed_up", "anna", at=clock.now())])
    before = await entered()
    async with house.database.transaction() as connection:
        await house.catalogue.set_options(
            connection, "WelcomeChain", {"starts_on": ["order_placed", "signed_up"]}, actor=STAFF
        )
    clock.pass_(timedelta(minutes=1))
    await house.ingest.accept([an_event("signed_up", "boris", at=clock.now())])

    assert (before, await entered()) == (0, 1)
