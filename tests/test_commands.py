"""The operators' commands, through the command line and on a real database; no Temporal is near."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.database import customers
from domain.customers import Consent, ConsentStatus
from domain.errors import InvalidInput
from domain.messages import Channel
from tests.support.factories import an_event, settings_for
from tropa import commands
from tropa.__main__ import main
from tropa.embedded.files import write_state
from tropa.embedded.ports import free_port, is_free
from tropa.printing import duration
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
            await asyncio.to_thread(main)
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *capsys.readouterr()

    return run


async def anna(house: House, *, consent: bool = True) -> str:
    now = house.clock.now()
    async with house.database.transaction() as connection:
        ours = (await customers.identify(connection, ["anna"], now))["anna"]
        await customers.update_profile(connection, ours, {"email": "anna@example.com", "timezone": "Asia/Tokyo"})
        word = Consent(status=ConsentStatus.GRANTED if consent else ConsentStatus.DENIED, at=now, source="test")
        for channel in Channel:
            await customers.put_consent(connection, ours, channel.value, word)
    return ours


async def enrollments(house: House) -> list[dict[str, object]]:
    async with house.database.transaction() as connection:
        rows = await connection.execute(
            text("""
                SELECT e.id, e.journey, e.options, d.kind, d.done_at FROM enrollments e
                LEFT JOIN dispatches d ON d.enrollment = e.id
            """)
        )
        return [dict(row) for row in rows.mappings()]


# journeys ------------------------------------------------------------------------------------------------------------


async def test_journeys_are_counted_by_how_they_stand(house: House, tropa: Tropa) -> None:
    ours = await anna(house)
    ended = {"converted": "outcome", "lapsed": "outcome", "exited": "outcome", "stopped": "leaving", "fuse": "leaving"}
    async with house.database.transaction() as connection:
        for word, column in ended.items():
            await connection.execute(
                text(f"""
                    INSERT INTO enrollments (customer, journey, about, cause, started_at, ended_at, {column})
                    VALUES (:ours, 'WelcomeChain', '', 'test', now(), now(), :word)
                """),
                {"ours": ours, "word": word},
            )
        await connection.execute(
            text("""
                INSERT INTO enrollments (customer, journey, about, cause, started_at)
                VALUES (:ours, 'WelcomeChain', '', 'test', now())
            """),
            {"ours": ours},
        )

    row = next(each for each in await commands.journeys(house) if each.name == "WelcomeChain")
    assert (row.walking, row.converted, row.lapsed, row.exited, row.left) == (1, 1, 1, 1, 2)
    assert (row.goal, row.starts_on) == ("activated", ["order_placed"])
    assert row.messages == sum(d.name == "WelcomeChain" for d, _ in house.catalogue.messages())

    code, said, _ = await tropa("journeys")
    line = next(each for each in said.splitlines() if "WelcomeChain" in each)
    cells = [cell.strip() for cell in line.strip("│┃").split("│")]
    assert (code, cells) == (0, ["WelcomeChain", "order_placed", "activated", str(row.messages), *"11112"])


async def test_a_journey_started_by_another_event_here_says_so(house: House) -> None:
    async with house.database.transaction() as connection:
        await house.catalogue.set_options(connection, "WelcomeChain", {"starts_on": []})

    assert [each.starts_on for each in await commands.journeys(house) if each.name == "WelcomeChain"] == [[]]


# timeline ------------------------------------------------------------------------------------------------------------


async def test_a_timeline_is_told_oldest_first_in_the_customers_own_time(house: House, tropa: Tropa) -> None:
    await anna(house)
    at = house.clock.now()  # 10:00 UTC is 19:00 in Tokyo
    await house.ingest.accept([an_event("signed_up", at=at), an_event("[bold]odd", at=at.replace(minute=5))])

    code, said, _ = await tropa("timeline", "anna")

    assert code == 0
    assert said.splitlines() == [
        "Times are of Asia/Tokyo.",
        "2026-03-02 19:00  Signed up",
        "2026-03-02 19:05  Event: [bold]odd",
    ]


async def test_a_timeline_speaks_russian_and_shows_the_newest_when_it_is_cut(house: House, tropa: Tropa) -> None:
    await anna(house)
    at = house.clock.now()
    await house.ingest.accept([an_event("signed_up", at=at), an_event("signed_in", at=at.replace(minute=5))])

    code, said, _ = await tropa("timeline", "anna", "--locale", "ru", "--limit", "1")

    assert code == 0
    assert "Вход в сервис" in said and "Регистрация" not in said
    assert "earlier entries" in said


async def test_a_stranger_has_no_timeline(tropa: Tropa) -> None:
    assert await tropa("timeline", "nobody") == (1, "", "There is no customer 'nobody'.\n")


# enroll --------------------------------------------------------------------------------------------------------------


async def test_enrolling_prints_the_id_and_leaves_the_start_to_a_worker(house: House, tropa: Tropa) -> None:
    await anna(house)

    code, said, _ = await tropa("enroll", "WelcomeChain", "anna", "--option", "basics_on_day=3 days")

    (row,) = await enrollments(house)
    assert (code, said) == (0, f"{row['id']}\n")
    assert (row["journey"], row["kind"], row["done_at"]) == ("WelcomeChain", "start", None)
    assert isinstance(row["options"], dict) and row["options"]["basics_on_day"] == "3 days"
    _, told, _ = await tropa("timeline", "anna")
    assert "Entered WelcomeChain: staff, from the command line" in told


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["WelcomeChain", "nobody"], "There is no customer 'nobody'."),
        (["Nowhere", "anna"], "There is no journey 'Nowhere'."),
        (["WelcomeChain", "anna", "--about", "cart-1"], "not about any one thing"),
        (["WelcomeChain", "anna", "--option", "basics_on_day"], "write it as name=value"),
        (["WelcomeChain", "anna", "--option", "basics_on_day=never"], "basics_on_day"),
        (["WelcomeChain", "anna", "--option", "no_such=1"], "no_such"),
        (["WelcomeChain", "an\x1bna"], "customer: must be"),
    ],
)
async def test_what_cannot_be_enrolled_says_why_and_leaves_nothing(
    house: House, tropa: Tropa, words: list[str], reason: str
) -> None:
    await anna(house)

    code, said, complained = await tropa("enroll", *words)

    assert (code, said) == (1, "")
    assert reason in complained
    assert await enrollments(house) == []


async def test_a_refusal_prints_its_reason(house: House, tropa: Tropa) -> None:
    await anna(house)
    await tropa("enroll", "WelcomeChain", "anna")

    code, said, complained = await tropa("enroll", "WelcomeChain", "anna")

    assert (code, said) == (1, "") and "WelcomeChain" in complained
    assert len(await enrollments(house)) == 1


async def test_commands_set_no_clock_and_keep_to_the_databases_own(house: House, tropa: Tropa) -> None:
    await anna(house)
    await tropa("enroll", "WelcomeChain", "anna")
    async with house.database.transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM clock"))).scalar_one() == 0
        await connection.execute(text("INSERT INTO clock (one, anchor, pace) VALUES (true, now(), 17280)"))

    assert (await tropa("journeys"))[0] == 0


def test_options_are_json_where_they_are_and_text_where_not() -> None:
    given = ["days=3", "on=true", "list=[1]", 'id="7"', "wait=2 days", "empty=", "eq=a=b"]

    assert commands.parsed_options(given) == {
        "days": 3, "on": True, "list": [1], "id": "7", "wait": "2 days", "empty": "", "eq": "a=b",
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="twice"):
        commands.parsed_options(["a=1", "a=2"])


# doctor --------------------------------------------------------------------------------------------------------------


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
async def test_temporal_is_looked_for_where_it_is_said_to_be(
    tropa: Tropa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, embedded: bool
) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if embedded:
        write_state(tmp_path / "temporal.json", {"pid": 1, "port": port})
    else:
        monkeypatch.setenv("TROPA_TEMPORAL_ADDRESS", f"127.0.0.1:{port}")

    well = await tropa("doctor")
    server.close()
    await server.wait_closed()
    assert is_free(port)
    down = await tropa("doctor")

    assert (well[0], well[1]) == (0, "All is well.\n")
    assert down[0] == 1 and "Temporal does not answer" in down[1]


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
                    INSERT INTO sends (id, enrollment, customer, message, visit, leg, purpose, priority, state,
                                       channel, wished_at, expires_at, slot_at, rule)
                    SELECT gen_random_uuid(), id, :ours, 'm', 1, 0, 'value', 3, 'accepted', 'email', :at, :at, :at, ''
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
