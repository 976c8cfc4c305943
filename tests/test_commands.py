"""The operators' commands, through the command line and on a real database; no Temporal is near."""

import re
import subprocess
import sys

import msgspec
import pytest
from sqlalchemy import text

from adapters.settings import Settings
from domain.errors import InvalidInput
from tests.support.factories import STAFF, an_event
from tests.support.typing_commands import Tropa, anna
from tropa import commands
from tropa.wiring import House


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
    assert (row.goal, row.starts_on) == ("activated", ["order_placed", "deal_won"])
    assert row.messages == sum(d.name == "WelcomeChain" for d, _ in house.catalogue.messages())

    code, said, _ = await tropa("journeys")
    line = next(each for each in said.splitlines() if "WelcomeChain" in each)
    cells = [cell.strip() for cell in line.strip("│┃").split("│")]
    assert (code, cells) == (0, ["WelcomeChain", "order_placed, deal_won", "activated", str(row.messages), *"11112"])


async def test_a_journey_started_by_another_event_here_says_so(house: House) -> None:
    async with house.database.transaction() as connection:
        await house.catalogue.set_options(connection, "WelcomeChain", {"starts_on": []}, actor=STAFF)

    assert [each.starts_on for each in await commands.journeys(house) if each.name == "WelcomeChain"] == [[]]


async def test_the_touchpoint_map_is_a_row_for_each_message_task_and_notice(house: House, tropa: Tropa) -> None:
    code, said, _ = await tropa("journeys", "--map")
    assert code == 0
    lines = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in said.splitlines()]
    chain = next(number for number, cells in enumerate(lines) if cells[0] == "WelcomeChain: purchase")
    assert lines[chain][1:4] == ["greeting", "email", "service"]
    assert lines[chain + 1][0] == "order_placed, deal_won"

    code, said, _ = await tropa("journeys", "--map", "--json")
    rows = msgspec.json.decode(said)
    assert len([row for row in rows if row["reached"] == "customer"]) == len(house.catalogue.messages())
    assert next(row for row in rows if row["name"] == "order_by_six")["channels"] == ["email", "whatsapp", "sms"]
    people = {row["name"]: row["goal"] for row in rows if row["journey"] == "HotLead"}  # it writes to no customer
    assert people["call_hot_lead"] == "Call a lead: they are looking at the prices"
    assert all(row["goal"] for row in rows)
    assert (await tropa("journeys", "--json"))[0] == 2


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


# keys and bots -------------------------------------------------------------------------------------------------------


async def test_a_new_vapid_key_is_one_that_the_settings_take(tropa: Tropa, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed, _ = await tropa("keys", "vapid")
    _, another, _ = await tropa("keys", "vapid")

    name, _, key = printed.strip().partition("=")
    monkeypatch.setenv(name, key)
    assert (code, name) == (0, "TROPA_VAPID_PRIVATE_KEY")
    assert len(Settings.read().push_key) == 87
    assert another != printed


async def test_without_a_bot_telegram_cannot_be_told_anything(tropa: Tropa) -> None:
    code, _, complaint = await tropa("telegram")

    assert code == 1
    assert "TROPA_TELEGRAM_TOKEN" in complaint


# sweep ---------------------------------------------------------------------------------------------------------------


async def test_a_sweep_by_hand_prints_what_it_found(house: House, tropa: Tropa) -> None:
    await anna(house)

    code, said, progress = await tropa("sweep")

    assert code == 0
    first, *lines = said.splitlines()
    assert re.fullmatch(r"Swept as of \d{4}-\d\d-\d\d \d\d:\d\d UTC, silently: it is the first\.", first)
    assert [" ".join(line.split()) for line in lines] == [
        "1 customers looked at",
        "2 states set silently, which start nothing",
        "0 with RFM, 0 of them in another segment than before",
        "0 visitors without a name forgotten",
    ]
    assert "RFM: scoring everybody" in progress


def test_a_program_leaves_with_its_code_whatever_an_interpreter_would_do_on_its_way_out() -> None:
    """Temporal's SDK aborts some (134 in place of 0): exit codes are what pipelines read."""
    program = """
import atexit, os, sys
atexit.register(os._exit, 134)
sys.argv = ["tropa", *sys.argv[1:]]
from tropa.__main__ import main
main()
"""
    left = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, check=False)

    assert left.returncode == 0
