"""What walks tell the staff and the CRM: once, in their own time, with patience; never the customer."""

import asyncio
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.people import CrmRequest, TaskRequest, TellRequest
from adapters.channels.email import EmailGateway
from adapters.crm.none import NoCrm
from adapters.database.notices import Notice
from adapters.staff_words import StaffWords
from domain.crm import CrmAnswer, CrmUpdate
from domain.journeys import Outcome
from services.announcing import WAITS
from services.crm import TellingCrm
from services.people import People
from services.telling import Telling
from tests.services.bench import Bench
from tests.services.test_tasks import MIRA, announced, listens, tasks
from tests.support.mail_server import Mailbox, mail_server
from tests.support.providers import RETRY, UNKNOWN

MINUTE = timedelta(minutes=1)
DONE = CrmAnswer(outcome="done", detail="taken")
LATER = CrmAnswer(outcome="later", detail="did not answer")
WORDS = """
[en]
title = "{{ customer.name or 'Somebody' }} is hot"
text = '''
They read <prices>.

Their need: {{ customer.needs.need or 'not known' }}; about {{ about or 'nothing' }}.
'''
[ru]
title = "Горячий клиент"
text = "Смотрит цены."
"""


@pytest.fixture(scope="session")
def staff_words(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StaffWords]:
    """What the journey Trial says to the staff."""
    folder: Path = tmp_path_factory.mktemp("staff")
    for kind, name in (("tasks", "call"), ("notices", "hot")):
        (folder / kind / "trial").mkdir(parents=True)
        (folder / kind / "trial" / f"{name}.toml").write_text(WORDS, encoding="utf-8")
    return {
        "task_words": StaffWords("task", "en", folder / "tasks"),
        "notice_words": StaffWords("notice", "en", folder / "notices"),
    }


@pytest.fixture
async def walk(bench: Bench, staff_words: dict[str, StaffWords]) -> str:
    """Anna, whom Mira looks after, walks Trial, which has words for the staff."""
    await bench.a_customer(
        owner=MIRA, attributes='{"first_name": "Anna", "last_name": "Petrova"}', needs='{"need": "fewer lost leads"}'
    )
    bench.telling = Telling(bench.database, bench.email, sender="Acme <a@acme.test>", console="https://acme.test/c")
    bench.people = People(
        bench.database, bench.pace, bench.catalogue, tasks=bench.tasks, telling=bench.telling,
        desk=bench.tasks._desk, **staff_words,
    )  # fmt: skip
    return await bench.a_walk()


async def tell(bench: Bench, walk: str, visit: int = 1) -> None:
    request = TellRequest(enrollment=walk, customer=bench.ours["anna"], name="hot", visit=visit)
    await bench.people.tell(request, started=bench.clock.now())


async def update(bench: Bench, walk: str, visit: int = 1, **facts: Any) -> None:
    request = CrmRequest(enrollment=walk, customer=bench.ours["anna"], visit=visit, **facts)
    await bench.people.update_crm(request, started=bench.clock.now())


async def later(bench: Bench, table: str, waiting: timedelta) -> None:
    """Time passes by the machine's clock."""
    await bench.change(f"UPDATE {table} SET due_at = due_at - cast(:waiting AS interval)", waiting=waiting)


# The staff -----------------------------------------------------------------------------------------------------------


async def test_whose_customer_it_is_gets_a_mail_once_and_support_sees_it(bench: Bench, walk: str) -> None:
    await listens(bench, "staff.told")

    for _ in range(2):
        await tell(bench, walk)
    while await bench.telling.mail_some():
        pass

    [call] = bench.email.calls
    assert (call.letter.to, call.letter.subject) == (MIRA, "Anna Petrova is hot")
    assert "They read <prices>." in call.letter.text and "They read &lt;prices&gt;." in call.letter.html
    assert "fewer lost leads; about nothing" in call.letter.text
    assert call.letter.text.endswith("https://acme.test/c/anna\n")
    assert await bench.words(state="told") == ["The staff were told: Anna Petrova is hot"]
    [(name, data)] = await announced(bench)
    assert (name, data["name"], data["customer_id"]) == ("staff.told", "hot", "anna")
    assert "Petrova" not in str(data) and MIRA not in str(data)
    assert await bench.rows("SELECT 1 FROM sends") == []


@pytest.mark.parametrize("owner", [None, "anna@example.com", "Anna@Example.com"])
async def test_without_an_owner_it_is_the_staffs_and_never_the_customer_is_written_to(
    bench: Bench, walk: str, owner: str | None
) -> None:
    await bench.change("UPDATE customers SET owner = :owner", owner=owner)

    await tell(bench, walk)
    await bench.telling.mail_some()

    assert [call.letter.to for call in bench.email.calls] == ["staff@acme.test"]


async def test_each_visit_is_told_and_a_walk_that_ended_tells_nothing(bench: Bench, walk: str) -> None:
    await tell(bench, walk, 1)
    await tell(bench, walk, 2)
    await bench.does("bought")

    await tell(bench, walk, 3)
    await update(bench, walk, stage="decision")

    assert len(await bench.rows("SELECT 1 FROM notices")) == 2
    assert await bench.rows("SELECT 1 FROM crm_updates") == []


async def test_a_busy_mail_server_is_asked_again_and_a_lost_answer_is_not_repeated(bench: Bench, walk: str) -> None:
    bench.email.script = [RETRY, UNKNOWN]
    await tell(bench, walk)

    first = await bench.telling.mail_some()
    early = await bench.telling.mail_some()
    await later(bench, "notices", timedelta(seconds=8))
    second = await bench.telling.mail_some()
    await later(bench, "notices", timedelta(days=1))
    third = await bench.telling.mail_some()

    assert (first, early, second, third) == (1, 0, 1, 0)
    assert [row["result"] for row in await bench.rows("SELECT result FROM notices")] == ["unknown: no answer"]


async def test_whoever_dies_with_a_notice_leaves_it_to_the_next(bench: Bench, walk: str) -> None:
    await tell(bench, walk)
    await bench.change("UPDATE notices SET attempts = 1, due_at = now() + interval '2 minutes'")  # leased

    early = await bench.telling.mail_some()
    await later(bench, "notices", 2 * MINUTE)

    assert (early, await bench.telling.mail_some()) == (0, 1)


async def test_without_a_mail_server_it_is_a_row_that_says_so(bench: Bench, walk: str) -> None:
    telling = Telling(bench.database, None, sender="a@acme.test", console="")
    notice = Notice(
        id=uuid4(), customer=bench.ours["anna"], name="hot", recipient=MIRA, title="Hot",
        text="Hot", at=bench.clock.now(),
    )  # fmt: skip
    async with bench.database.transaction() as connection:
        await telling.tell(connection, [notice])

    assert await telling.mail_some() == 0
    [row] = await bench.rows("SELECT result, done_at IS NOT NULL AS done FROM notices")
    assert row == {"result": "no mail server is set up", "done": True}


async def test_a_real_mail_server_gets_a_letter_that_nobody_can_forge_headers_into(bench: Bench, walk: str) -> None:
    mailbox = Mailbox()
    await bench.change("UPDATE customers SET attributes = :bad", bad='{"first_name": "A\\r\\nBcc: x@evil.test"}')
    await tell(bench, walk)

    with mail_server(mailbox) as address:
        gateway = EmailGateway(f"smtp://{address}", "Acme <a@acme.test>")
        telling = Telling(bench.database, gateway, sender="Acme <a@acme.test>", console="https://acme.test/c")
        await telling.mail_some()
        await gateway.close()

    [letter] = mailbox.letters
    read = message_from_bytes(letter.original_content or b"", policy=default)
    assert (letter.rcpt_tos, read["Subject"], read["Bcc"]) == ([MIRA], "A Bcc: x@evil.test is hot", None)


# The CRM -------------------------------------------------------------------------------------------------------------


class Ledger:
    """A CRM that answers as it is told, and remembers."""

    name = "ledger"

    def __init__(self, *answers: CrmAnswer) -> None:
        self.answers, self.told = list(answers), list[CrmUpdate]()

    async def update(self, update: CrmUpdate) -> CrmAnswer:
        """Take it, or not."""
        self.told.append(update)
        return self.answers.pop(0) if self.answers else DONE

    async def close(self) -> None:
        """Nothing."""


async def test_the_crm_is_told_once_with_what_is_known_then(bench: Bench, walk: str) -> None:
    await listens(bench, "crm.updated")
    crm = Ledger()
    task = TaskRequest(
        enrollment=walk, customer=bench.ours["anna"], name="call", visit=1, due_at=bench.clock.now() + MINUTE
    )
    await bench.people.create_task(task, started=bench.clock.now())
    for _ in range(2):
        await update(bench, walk, stage="decision", outcome=Outcome.CONVERTED, task="call", task_visit=1)
    await bench.change("UPDATE customers SET email = 'new@example.com'")

    while await TellingCrm(bench.database, crm).push_some():
        pass

    [told] = crm.told
    [row] = await tasks(bench)
    assert (told.email, told.owner, told.journey, told.stage, told.outcome) == (
        "new@example.com", MIRA, "Trial", "decision", "converted",
    )  # fmt: skip
    assert told.task is not None
    assert (told.task.id, told.task.title, told.task.owner) == (row["id"], "Anna Petrova is hot", MIRA)
    assert await bench.words(state="crm") == ["The CRM is told stage: decision, outcome: converted, task: call"]
    [(name, data)] = await announced(bench)
    assert (name, data["stage"], data["outcome"], data["task"]) == (
        "crm.updated", "decision", "converted", str(row["id"]),
    )  # fmt: skip


async def test_of_one_customer_the_older_news_comes_first_and_others_do_not_wait(bench: Bench, walk: str) -> None:
    crm = Ledger(LATER)
    await update(bench, walk, 1, stage="consideration")
    bench.clock.pass_(MINUTE)
    await update(bench, walk, 2, stage="decision")
    pushing = TellingCrm(bench.database, crm)

    first = await pushing.push_some()
    held_back = await pushing.push_some()
    await later(bench, "crm_updates", WAITS[0])
    while await pushing.push_some():
        pass

    assert (first, held_back) == (1, 0)
    assert [told.stage for told in crm.told] == ["consideration", "consideration", "decision"]
    assert crm.told[0].id == crm.told[1].id


async def test_a_crm_that_is_busy_is_left_in_peace(bench: Bench, walk: str) -> None:
    crm = Ledger(CrmAnswer(outcome="later", detail="429", busy_for=timedelta(seconds=30)))
    await update(bench, walk, stage="decision")
    pushing = TellingCrm(bench.database, crm)
    await pushing.push_some()
    await later(bench, "crm_updates", MINUTE)

    meanwhile = await pushing.push_some()
    pushing._rests_until -= 31

    assert (meanwhile, await pushing.push_some(), len(crm.told)) == (0, 1, 2)


async def test_what_it_refuses_or_never_takes_is_given_up_and_said(bench: Bench, walk: str) -> None:
    refusing, silent = Ledger(CrmAnswer(outcome="refused", detail="400")), Ledger(*[LATER] * 20)
    await update(bench, walk, 1, stage="decision")
    await TellingCrm(bench.database, refusing).push_some()
    await update(bench, walk, 2, stage="decision")
    for _ in range(10):
        await TellingCrm(bench.database, silent).push_some()
        await later(bench, "crm_updates", timedelta(days=1))

    rows = await bench.rows("SELECT result, done_at IS NOT NULL AS done FROM crm_updates ORDER BY attempts")
    assert rows == [{"result": "refused: 400", "done": True}, {"result": "later: did not answer", "done": True}]
    assert len(silent.told) == len(WAITS) + 1


async def test_four_workers_tell_each_once_and_without_a_crm_nothing_waits(bench: Bench, walk: str) -> None:
    crm = Ledger()
    for visit in range(6):
        await update(bench, walk, visit, stage="decision")
        bench.clock.pass_(MINUTE)

    async def push() -> None:
        for _ in range(8):
            await TellingCrm(bench.database, crm).push_some()

    await asyncio.gather(*(push() for _ in range(4)))
    await update(bench, walk, 6, stage="decision")
    await TellingCrm(bench.database, NoCrm()).push_some()

    assert len({told.id for told in crm.told}) == len(crm.told) == 6
    [last] = await bench.rows("SELECT result FROM crm_updates ORDER BY at DESC LIMIT 1")
    assert last["result"] == "done: no CRM is connected"
