"""Tasks for people: owner, deadline, one escalation, an outcome that a journey hears; replies become one (S63, S64)."""

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.people import TaskRequest
from adapters.staff_words import StaffWords
from domain.errors import Conflict, InvalidDeclaration, NotFound
from domain.journeys import Declaration, Plan
from domain.messages import Channel
from domain.replies import Reply, meaning
from domain.tasks import Desk, TaskCause, TaskOutcome
from services.catalogue import Catalogue
from services.customers import Customers
from services.people import People
from services.project import Projector
from services.replies import Incoming, Replies
from services.tasks import NewTask, Tasks
from tests.services.bench import Bench
from tests.services.test_erasing import dump
from tests.support.factories import STAFF

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIRA, HEAD = "mira@acme.test", "head@acme.test"


async def a_task(bench: Bench, customer_id: str = "anna", *, due_in: timedelta = HOUR, **more: Any) -> UUID:
    """Somebody is to call a customer."""
    if customer_id not in bench.ours:
        await bench.a_customer(customer_id)
    due = bench.clock.now() + due_in
    new = NewTask(id=uuid4(), name="call", cause=TaskCause.STAFF, title="Call", text="Call them", due_at=due, **more)
    async with bench.database.transaction() as connection:
        await bench.tasks.create(connection, customer_id, new, actor=STAFF)
    return new.id


async def close(bench: Bench, task: UUID, outcome: TaskOutcome = TaskOutcome.DONE, note: str | None = None) -> None:
    async with bench.database.transaction() as connection:
        await bench.tasks.close(connection, task, outcome, note, actor=STAFF)


async def tasks(bench: Bench) -> list[dict[str, Any]]:
    return await bench.rows("SELECT * FROM tasks ORDER BY created_at, id")


async def told(bench: Bench, name: str) -> list[dict[str, Any]]:
    """The properties of the customers' events of a name, projected."""
    await bench.project()
    found = await bench.rows("SELECT properties, about FROM events WHERE name = :name ORDER BY number", name=name)
    return [{**row["properties"], "about": row["about"]} for row in found]


async def listens(bench: Bench, *names: str) -> None:
    """Another system wants to be told."""
    await bench.change(
        "INSERT INTO webhook_endpoints (url, secret, events) VALUES ('https://crm.test', 's', :names)",
        names=list(names),
    )


async def announced(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    found = await bench.rows("SELECT payload FROM webhook_deliveries ORDER BY id")
    return [(row["payload"]["type"], row["payload"]["data"]) for row in found]


# Whose it is ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "customers", "whose"),
    [(MIRA, "olaf@acme.test", MIRA), (None, MIRA, MIRA), (None, None, "staff@acme.test")],
)
async def test_a_task_is_whose_it_is_said_to_be_or_the_customers_owners_or_the_staffs(
    bench: Bench, asked: str | None, customers: str | None, whose: str
) -> None:
    await bench.a_customer(owner=customers)

    await a_task(bench, owner=asked)

    assert [row["owner"] for row in await tasks(bench)] == [whose]


async def test_a_journeys_task_is_there_once_and_announced_without_its_words(bench: Bench) -> None:
    await listens(bench, "task.created")
    walk, words = await bench.a_walk(), StaffWords("task", "en")
    request = TaskRequest(
        enrollment=walk, customer=bench.ours["anna"], name="personal_help", visit=1, due_at=bench.clock.now() + DAY
    )
    people = People(
        bench.database, bench.pace, renamed(bench, Plan()), tasks=bench.tasks, telling=bench.telling,
        desk=bench.tasks._desk, task_words=words, notice_words=words,
    )  # fmt: skip

    for _ in range(2):
        await people.create_task(request, started=bench.clock.now())

    row = (await tasks(bench))[0]
    assert (row["cause"], row["title"]) == ("journey", "Help a new customer to get going")
    [(name, data)] = await announced(bench)
    assert (name, data["task"], data["name"]) == ("task.created", str(row["id"]), "personal_help")
    assert "title" not in data and "Help" not in str(data)
    assert await bench.words(state="task") == ["Task for a person: Help a new customer to get going"]


def renamed(bench: Bench, plan: Plan) -> Catalogue:
    """A journey of this plan, with the words of the welcome chain, in place of Trial."""
    declared = Declaration(name="Trial", folder="welcome_chain", plan=plan, story="")
    return Catalogue((declared,), bench.library, bench.surrogates, currency="EUR")


# Escalation ----------------------------------------------------------------------------------------------------------


async def test_a_late_task_goes_once_to_the_head_who_is_told(bench: Bench) -> None:
    await listens(bench, "task.escalated")
    await bench.a_customer(owner=MIRA)
    task = await a_task(bench)
    bench.clock.pass_(HOUR - timedelta(seconds=1))
    early = await bench.tasks.escalate_some()
    bench.clock.pass_(timedelta(seconds=1))

    at_once = [await bench.tasks.escalate_some() for _ in range(2)]
    bench.clock.pass_(DAY)
    later = await bench.tasks.escalate_some()

    assert (early, at_once, later) == (0, [1, 0], 0)
    row = (await tasks(bench))[0]
    assert (row["owner"], row["closed_at"], row["escalated_at"]) == (HEAD, None, row["due_at"])
    assert await told(bench, "task_escalated") == [{"task": "call", "task_id": str(task), "about": ""}]
    assert [(name, data["task"]) for name, data in await announced(bench)] == [("task.escalated", str(task))]
    [notice] = await bench.rows("SELECT recipient, title, text FROM notices")
    assert (notice["recipient"], notice["title"]) == (HEAD, "Overdue, and now yours: Call")
    assert notice["text"] == f"It was due 02 Mar 11:00 and {MIRA} was to do it.\n\nCall them"


async def test_a_task_that_says_where_it_goes_goes_there(bench: Bench) -> None:
    await a_task(bench, escalate_to="board@acme.test")
    bench.clock.pass_(HOUR)

    await bench.tasks.escalate_some()

    assert [row["owner"] for row in await tasks(bench)] == ["board@acme.test"]


async def test_what_is_closed_in_time_is_not_escalated_and_what_is_late_can_still_be_closed(bench: Bench) -> None:
    in_time, late = await a_task(bench), await a_task(bench)
    await close(bench, in_time)
    bench.clock.pass_(2 * HOUR)

    escalated = await bench.tasks.escalate_some()
    await close(bench, late, TaskOutcome.DECLINED)

    assert escalated == 1
    assert [event["outcome"] for event in await told(bench, "task_closed")] == ["done", "declined"]


async def test_four_workers_escalate_each_task_once_while_customers_merge_and_are_erased(bench: Bench) -> None:
    people = [f"customer-{n}" for n in range(8)]
    for person in people:
        [await a_task(bench, person) for _ in range(4)]
    bench.clock.pass_(HOUR)

    async def escalate() -> None:
        while await bench.tasks.escalate_some(limit=7):
            pass

    await asyncio.gather(
        *(escalate() for _ in range(4)), bench.merge(people[0], people[1]), bench.erase(people[2]),
        bench.merge(people[4], people[3]),
    )  # fmt: skip
    await escalate()

    open_ = await bench.rows("SELECT escalated_at IS NOT NULL AS told FROM tasks WHERE closed_at IS NULL")
    assert [row["told"] for row in open_] == [True] * 28
    await bench.project()
    events = await bench.rows("SELECT event_id FROM events WHERE name = 'task_escalated' AND customer_id <> ''")
    assert len({row["event_id"] for row in events}) == len(events) >= 28
    assert await bench.rows("SELECT 1 FROM customers WHERE customer_id = :id", id=people[2]) == []


# Closing -------------------------------------------------------------------------------------------------------------


class Work(StrEnum):
    CALL = "call"


async def test_a_journey_hears_how_a_task_ended_and_nothing_of_the_note(bench: Bench) -> None:
    properties = {"task_closed": {"task": Work, "outcome": TaskOutcome, "note": Work}}
    plan = Plan(hears=("task_closed",), properties=properties)
    bench.projector = Projector(bench.database, bench.clock, bench.pace, renamed(bench, plan))
    walk = await bench.a_walk()
    task = await a_task(bench)

    await close(bench, task, TaskOutcome.NO_ANSWER, "Their secretary is called Canary")
    await bench.project()

    [signal] = await bench.rows("SELECT payload FROM dispatches WHERE kind = 'customer_event'")
    assert signal["payload"]["properties"] == {"task": "call", "outcome": "no_answer"}
    assert await bench.dispatched(walk) == ["start", "customer_event"]
    assert "Canary" not in (await dump(bench))["events"]
    row = (await tasks(bench))[0]
    assert (row["closed_by"], row["note"]) == ("staff", "Their secretary is called Canary")


async def test_the_closing_of_a_walks_task_is_about_what_the_walk_is_about(bench: Bench) -> None:
    walk = await bench.a_walk(journey="Cart", about="C-9")
    task = await a_task(bench, enrollment=walk)
    await listens(bench, "task.closed")

    await close(bench, task)

    said = {"task": "call", "task_id": str(task), "enrollment": walk, "outcome": "done", "about": "C-9"}
    assert await told(bench, "task_closed") == [said]
    [(name, data)] = await announced(bench)
    assert (name, data["about"], data["outcome"], data["journey"]) == ("task.closed", "C-9", "done", "Cart")


@pytest.mark.parametrize(
    ("opened", "ends", "trouble"),
    [
        ((), ((0, TaskOutcome.DONE), (1, TaskOutcome.DONE)), None),
        ((), ((0, TaskOutcome.DONE),), "low_score"),  # another low score still has its task
        ((), ((0, TaskOutcome.DONE), (1, TaskOutcome.NO_ANSWER)), "low_score"),  # nobody has spoken with them
        (("complaint_opened",), ((0, TaskOutcome.DONE), (1, TaskOutcome.DONE)), "complaint"),  # that is another matter
    ],
)
async def test_the_tasks_for_low_scores_done_no_offer_is_held_for_them(
    bench: Bench, opened: tuple[str, ...], ends: tuple[tuple[int, TaskOutcome], ...], trouble: str | None
) -> None:
    settling = [await a_task(bench, settles=True) for _ in range(2)]
    another = await a_task(bench)
    await bench.does("survey_answered", score=2)
    for name in opened:
        await bench.does(name)

    await close(bench, another)
    for place, outcome in ends:
        await close(bench, settling[place], outcome)
    await bench.project()

    assert await bench.rows("SELECT trouble FROM customers") == [{"trouble": trouble}]


async def test_closed_alike_it_stays_and_closed_otherwise_it_is_refused(bench: Bench) -> None:
    task = await a_task(bench)
    await close(bench, task, note="first")

    await close(bench, task, note="second")
    with pytest.raises(Conflict, match="done"):
        await close(bench, task, TaskOutcome.DROPPED)
    with pytest.raises(NotFound):
        await close(bench, uuid4())

    assert [row["note"] for row in await tasks(bench)] == ["first"]
    assert len(await told(bench, "task_closed")) == 1


# Replies -------------------------------------------------------------------------------------------------------------


async def writes(bench: Bench, words: str, *, number: str = "1", phone: str = "+15550100") -> bool:
    """A customer answers a text."""
    known = Customers(bench.clock, bench.restrictions)
    replies = Replies(bench.database, bench.clock, bench.ingest, known, bench.tasks)
    incoming = Incoming(
        channel=Channel.SMS, gateway="texts", provider_id=number, address=phone, text=words, means=meaning(words)
    )
    return await replies.take(incoming)


async def test_a_reply_that_no_rule_answers_is_a_task_and_further_ones_are_added_to_it(bench: Bench) -> None:
    await bench.a_customer(owner=MIRA, attributes='{"first_name": "Anna"}')
    for number, words in enumerate(["Where is my order?", "Hello?", "Where is my order?"]):
        await writes(bench, words, number=str(number))
    await writes(bench, "Hello?", number="1")  # told again by the provider

    [row] = await tasks(bench)

    assert (row["name"], row["cause"], row["title"], row["owner"]) == ("answer", "reply", "Answer Anna", MIRA)
    assert (row["times"], row["due_at"]) == (3, bench.clock.now() + 4 * HOUR)
    assert row["text"] == "They wrote by SMS:\n\nWhere is my order?\n\nHello?\n\nWhere is my order?"
    assert len(await told(bench, "replied")) == 3


async def test_answered_it_is_closed_and_the_next_reply_is_another_task(bench: Bench) -> None:
    await bench.a_customer()
    await writes(bench, "Where is my order?")
    await close(bench, (await tasks(bench))[0]["id"])
    bench.clock.pass_(HOUR)

    await writes(bench, "Thank you!", number="2")

    assert [(row["closed_at"] is None, row["times"]) for row in await tasks(bench)] == [(False, 1), (True, 1)]


@pytest.mark.parametrize("words", ["STOP", "стоп", "Start", "HELP"])
async def test_what_a_rule_answers_is_nobodys_task(bench: Bench, words: str) -> None:
    await bench.a_customer()

    assert meaning(words) is not Reply.OTHER
    assert await writes(bench, words)

    assert await tasks(bench) == []


async def test_replies_at_once_are_one_task(bench: Bench) -> None:
    await bench.a_customer()

    await asyncio.gather(*(writes(bench, f"Hello {n}", number=str(n)) for n in range(8)))

    assert [row["times"] for row in await tasks(bench)] == [8]


async def test_two_profiles_with_a_task_to_answer_each_have_one_when_merged(bench: Bench) -> None:
    await bench.a_customer("anna", phone="+15550100")
    await writes(bench, "From my old phone")
    bench.clock.pass_(HOUR)
    await bench.a_customer("anja", phone="+15550101")
    await writes(bench, "From my new phone", number="2", phone="+15550101")

    await bench.merge("anja", "anna")

    old, new = await tasks(bench)
    assert (old["closed_at"], old["times"], new["outcome"]) == (None, 2, "dropped")
    assert old["text"] == "They wrote by SMS:\n\nFrom my old phone\n\nThey wrote by SMS:\n\nFrom my new phone"


# Words ---------------------------------------------------------------------------------------------------------------

GOOD = '[en]\ntitle = "Call"\ntext = "Call them"\n[ru]\ntitle = "Звонок"\ntext = "Позвонить"\n'


@pytest.mark.parametrize(
    ("words", "taught"),
    [
        ("[en]\ntitle = 'Call'\n", r"needs \[en\]"),
        (GOOD.replace("[ru]", "[de]"), r"needs \[ru\]"),
        (f"due_within = 'soon'\n{GOOD}", "a duration"),
        (f"due_within = 4\n{GOOD}", "a duration"),
        (f"escalate_to = 'the boss'\n{GOOD}", "one e-mail address"),
        (f"color = 'red'\n{GOOD}", "there is no color"),
        (GOOD.replace("Позвонить", "{{ x() }}"), "cannot call"),
        (GOOD.replace("Позвонить", "{{ custmer.name }}"), "custmer"),
        (GOOD.replace("Call them", "{{ words }}"), "words"),
        ("=", "trial/call.toml"),
    ],
)
def test_words_written_wrongly_are_refused_at_start_by_file(
    tmp_path_factory: pytest.TempPathFactory, words: str, taught: str
) -> None:
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "trial").mkdir()
    (folder / "trial" / "call.toml").write_text(words, encoding="utf-8")

    with pytest.raises(InvalidDeclaration, match=taught):
        StaffWords("task", "en", folder)


def test_what_tropa_itself_asks_of_people_must_have_its_words(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nothing = StaffWords("task", "en", tmp_path_factory.mktemp("none"))

    with pytest.raises(InvalidDeclaration, match=r"templates/tasks/replies/answer\.toml is missing"):
        Tasks(
            bench.database, bench.clock, desk=Desk(), words=nothing, notices=StaffWords("notice", "en"),
            telling=bench.telling, zone="UTC", locale="en",
        )  # fmt: skip


def test_a_notice_has_no_deadline(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("notices")
    (folder / "trial").mkdir()
    (folder / "trial" / "hot.toml").write_text(f"due_within = '1 hour'\n{GOOD}", encoding="utf-8")

    with pytest.raises(InvalidDeclaration, match="a notice has no due_within"):
        StaffWords("notice", "ru", folder)
