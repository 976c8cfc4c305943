"""Surrogates: what Temporal is told never holds a name, an address or a foreign id."""

import json
from collections.abc import Mapping
from typing import Any

from activities.walking import MissedRequest
from domain.journeys import Enrollment
from services.audit import Actor
from services.dispatch import Dispatcher
from tests.services.bench import Bench
from tests.support.factories import an_event

CANARY = "canary"
PHONE = "15550987"


class Listening:
    """In Temporal's place: writes down all that it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start."""
        self.told.append(f"start {journey} {enrollment} {cause} {priority} {stage}")
        return "run"

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal."""
        self.told.append(f"{name} {enrollment} {json.dumps(payload)}")
        return "told"

    async def cancel(self, enrollment: str, reason: str) -> str:
        """Cancel."""
        self.told.append(f"cancel {enrollment} {reason}")
        return "told"


async def test_nothing_that_temporal_is_told_holds_a_canary(bench: Bench) -> None:
    who = f"{CANARY}@example.com"
    await bench.a_customer(who, email=who, phone=f"+{PHONE}", attributes=json.dumps({"first_name": CANARY}))
    about, now = f"cart of {CANARY} {PHONE}", bench.clock.now()
    sung: dict[str, object] = {"first_name": CANARY, "phone": PHONE, "comment": f"call {CANARY} at +{PHONE}", CANARY: 1}
    wrong_kinds: list[dict[str, object]] = [
        {"product": {"name": CANARY}},
        {"product": [PHONE]},
        {"count": CANARY},
        {"size": CANARY},
        {"product": f"{CANARY}-{PHONE}", "count": 3, "size": "big"},
    ]
    stories = ["trial_started", "cart_left", *["looked"] * len(wrong_kinds), "complained"]
    kinds = iter(wrong_kinds)
    await bench.ingest.accept(
        [
            an_event(
                name,
                who,
                event_id=f"{CANARY}-{n}-{PHONE}",
                at=now,
                about=about,
                source=CANARY,
                **{**sung, **(next(kinds) if name == "looked" else {})},  # type: ignore[arg-type]  # properties
            )
            for n, name in enumerate(stories)
        ]
    )
    await bench.project()
    async with bench.database.transaction() as connection:
        walks = await bench.rows("SELECT id, journey FROM enrollments ORDER BY journey")
        await bench.enrolling.leave(
            connection, walks[0]["id"], reason=f"{CANARY} called", actor=Actor(id=CANARY, name=CANARY)
        )
    await bench.ingest.accept([an_event("opted_out", who, at=now, reason=CANARY)])

    walking = Listening()
    dispatcher = Dispatcher(bench.database, walking, bench.catalogue, bench.surrogates, bench.pace)
    payloads = await bench.rows("SELECT kind || payload::text AS said FROM dispatches ORDER BY id")
    await bench.change("UPDATE enrollments SET ended_at = NULL")  # so that even the starts are told
    while await dispatcher.dispatch_some():
        pass

    assert [walk["journey"] for walk in walks] == ["Cart", "Trial"]
    heard = [told for told in walking.told if told.startswith("customer_event")]
    assert len(heard) == 2 * len(wrong_kinds)
    assert any(bench.surrogates.of(f"{CANARY}-{PHONE}") in told for told in heard)
    assert {told.split()[0] for told in walking.told} == {"start", "customer_event", "cancel"}
    assert [said for said in [*walking.told, *(row["said"] for row in payloads)] if sings(said)] == []


async def test_what_a_walk_reads_of_what_it_missed_holds_no_canary(bench: Bench) -> None:
    walk = await bench.a_walk()
    await bench.does("looked", product={"name": CANARY}, count=PHONE, note=CANARY, event_id=CANARY)
    await bench.does("looked", product=CANARY, count=2)

    missed = await bench.walking.missed(MissedRequest(enrollment=walk, customer=bench.ours["anna"], after=0))

    assert [each.properties for each in missed] == [{}, {"product": bench.surrogates.of(CANARY), "count": 2}]
    assert not sings(repr(missed))


async def test_the_facts_of_a_customer_hold_no_canary(bench: Bench) -> None:
    ours = await bench.a_customer("anna", email=f"{CANARY}@example.com", phone=f"+{PHONE}")

    facts = await bench.walking.facts(ours)

    assert [channel.value for channel in facts.reachable] == ["email", "sms", "whatsapp"]
    assert not sings(repr(facts))


def sings(said: str) -> bool:
    return CANARY in said.casefold() or PHONE in said
