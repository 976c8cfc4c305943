"""A step changes while a hundred are inside: who would break is named before, and all finish, each letter sent once."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from adapters.releases import Releases
from domain.errors import Conflict, NotFound
from services.findings import Finding
from services.workers import without_workers
from tests.end_to_end.live import Live, walking
from tests.services.bench import NO_LIMITS, write_messages
from tests.support.changed_journey import CarefulTrial, CarelessTrial, Trial
from tests.support.factories import an_event
from tropa.replaying.judging import Judge
from tropa.replaying.looking import replay_running
from tropa.replaying.releasing import Released, release
from tropa.replaying.walks import running
from tropa.turn import Turn
from tropa.worker import build_worker
from workflows.registry import declarations
from workflows.toolkit import Journey


class Shop:
    """A bench whose workers come in releases."""

    def __init__(self, live: Live, stack: AsyncExitStack, task_queue: str) -> None:
        self.live, self._stack, self.task_queue = live, stack, task_queue
        self.releases = Releases(live.client, task_queue)

    async def starts(self, name: str, journey: type[Journey]) -> Worker:
        """A worker of a release."""
        worker = build_worker(
            self.live.house, self.live.client, task_queue=self.task_queue, release=name, also=(journey,)
        )
        await self._stack.enter_async_context(worker)

        async def asks() -> bool:
            if not name:
                return True
            try:
                await self.releases.check(name)
            except NotFound:
                return False
            return True

        await self.live.until(asks)
        return worker

    async def releases_it(self, name: str, journey: type[Journey], *, stay: bool) -> Released:
        """As the command does, with this code."""
        judge = Judge([journey])
        return await release(self.live.client, name, stay=stay, task_queue=self.task_queue, judge=judge, settles=0)

    async def enter(self, first: int, last: int) -> None:
        """So many customers, until each has the note."""
        names = [f"c{number}" for number in range(first, last)]
        for name in names:
            await self.live.is_known(name)
        await self.all_do("trial_started", names)
        await self.live.until(lambda: self.waiting(last), within=25)

    async def all_do(self, event: str, names: list[str]) -> None:
        """At once, as a shop tells it."""
        at = self.live.house.clock.now()
        await self.live.house.ingest.accept([an_event(event, name, at=at) for name in names])

    async def waiting(self, many: int) -> bool:
        """Temporal lists them a moment after."""
        if (await self.letters())["note"] < many:
            return False
        return len(await running(self.live.client, task_queue=self.task_queue)) == many

    async def everybody_looks(self, many: int) -> None:
        """And so each walk ends."""
        await self.all_do("looked", [f"c{number}" for number in range(many)])

        async def ended() -> bool:
            return len(await self.live.rows("SELECT id FROM enrollments WHERE outcome = 'lapsed'")) == many

        await self.live.until(ended, within=25)

    async def is_told(self, *, since: datetime, waits: bool) -> list[Finding]:
        """What the doctor finds, of workers that have asked for work since then; with `waits`, once a step waits."""
        releases = Releases(self.live.client, self.task_queue, seen_within=datetime.now(UTC) - since)
        found = await without_workers(releases)
        return found if not waits or any(each.oldest for each in found) else []

    async def is_well(self, *, since: datetime) -> bool:
        """Whether there is a worker for everybody."""
        return not await self.is_told(since=since, waits=False)

    async def letters(self) -> Counter[str]:
        """Letters that went out. Nobody has one twice."""
        rows = await self.live.rows("SELECT enrollment, message FROM sends WHERE state = 'accepted'")
        told = Counter((row["enrollment"], row["message"]) for row in rows)
        assert set(told.values()) <= {1}
        return Counter(message for _, message in told)


@pytest.fixture
async def shop(database_url: str, client: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    library = write_messages(Path(tmp_path_factory.mktemp("messages")) / "messages")
    parts: dict[str, Any] = {"library": library, "declared": declarations((Trial,)), "policy": NO_LIMITS}
    async with walking(database_url, client, workers=0, also=(Trial,), **parts) as live, AsyncExitStack() as stack:
        yield Shop(live, stack, f"live-{database_url[-8:]}")


async def test_a_hundred_who_would_break_are_named_stay_and_finish(shop: Shop) -> None:
    await shop.starts("one", Trial)
    await shop.releases_it("one", Trial, stay=False)
    await shop.enter(0, 100)
    walks = {row["id"] for row in await shop.live.rows("SELECT id FROM enrollments")}
    await shop.starts("two", CarelessTrial)

    judge = Judge([CarelessTrial])
    found = await replay_running(shop.live.client, task_queue=shop.task_queue, judge=judge)
    assert {each.enrollment for each in found.breaks} == walks and found.whole
    [alike] = found.alike
    assert alike.words == "at event 5: the code wants “look at the customer”, the history has “send note”"

    done = await shop.releases_it("two", CarelessTrial, stay=True)
    assert (done.done, done.held) == (True, 100)
    await shop.live.until(lambda: held(shop, 100))

    await shop.enter(100, 101)
    await shop.everybody_looks(101)
    assert await shop.letters() == {"note": 101, "receipt": 101, "either": 1}
    await shop.live.until(lambda: held(shop, 0))


async def held(shop: Shop, many: int) -> bool:
    """How many stay on the first release."""
    return {(each.name, each.current, each.held, each.workers) for each in await shop.releases.all()} == {
        ("two", True, 0, 1),
        ("one", False, many, 1),
    }


async def test_walks_whose_release_has_no_worker_are_told_until_it_has_one_again(shop: Shop) -> None:
    first = await shop.starts("one", Trial)
    await shop.releases_it("one", Trial, stay=False)
    await shop.enter(0, 2)
    second = await shop.starts("two", CarelessTrial)
    await shop.releases_it("two", CarelessTrial, stay=True)
    await shop.live.until(lambda: held(shop, 2))
    await first.shutdown()
    stopped = datetime.now(UTC)
    await shop.all_do("looked", ["c0"])
    await shop.enter(2, 3)

    [finding] = await shop.live.until(lambda: shop.is_told(since=stopped, waits=True))
    assert (finding.name, finding.count) == ("release_without_workers", 2)
    assert "stay on the release one" in finding.words and "TROPA_RELEASE=one" in finding.advice
    assert [each.needed for each in await shop.releases.all()] == [True, True]

    again = await shop.starts("one", Trial)
    await shop.everybody_looks(3)
    await shop.live.until(lambda: shop.is_well(since=stopped))
    await again.shutdown()
    await second.shutdown()
    [nobody] = await without_workers(Releases(shop.live.client, shop.task_queue, seen_within=timedelta(0)))
    assert (nobody.name, nobody.count) == ("no_workers", 0)


async def test_walks_that_follow_a_release_without_workers_are_told_with_the_release_that_has_some(shop: Shop) -> None:
    first = await shop.starts("one", Trial)
    await shop.releases_it("one", Trial, stay=False)
    await shop.enter(0, 1)
    await first.shutdown()
    stopped = datetime.now(UTC)
    await shop.starts("two", CarefulTrial)
    turns = [Turn(shop.releases, name) for name in ("one", "two", "")]

    async def are_told() -> list[Finding]:  # nobody is heard at the very first
        found = await shop.is_told(since=stopped, waits=False)
        return found if [each.name for each in found] == ["release_without_workers"] else []

    [finding] = await shop.live.until(are_told)
    assert finding.count == 1
    assert "follow the release one" in finding.words and "`tropa release two`" in finding.advice
    for turn in turns:
        await turn.look()
    assert [turn.ours for turn in turns] == [True, False, False]  # the pumps of a release that is to come rest, too


async def test_whoever_replays_follows_and_finishes(shop: Shop) -> None:
    first = await shop.starts("one", Trial)
    await shop.releases_it("one", Trial, stay=False)
    await shop.enter(0, 5)
    await shop.starts("two", CarefulTrial)

    done = await shop.releases_it("two", CarefulTrial, stay=False)
    await first.shutdown()

    assert (done.done, done.held) == (True, 0)
    await shop.enter(5, 6)
    await shop.everybody_looks(6)
    assert await shop.letters() == {"note": 6, "receipt": 6, "either": 1}


async def test_who_stayed_follows_the_release_in_which_they_replay(shop: Shop) -> None:
    await shop.starts("one", Trial)
    await shop.releases_it("one", Trial, stay=False)
    await shop.enter(0, 3)
    await shop.starts("two", CarelessTrial)
    refused = await shop.releases_it("two", CarelessTrial, stay=False)
    assert (refused.done, len(refused.found.breaks)) == (False, 3)
    await shop.releases_it("two", CarelessTrial, stay=True)
    await shop.starts("three", CarefulTrial)

    done = await shop.releases_it("three", CarefulTrial, stay=False)

    assert (done.done, done.let_go, done.found.staying) == (True, 3, 0)


async def test_who_has_no_release_to_stay_on_must_be_kept_by_the_code(shop: Shop) -> None:
    await shop.starts("", Trial)
    await shop.enter(0, 2)
    await shop.starts("one", CarelessTrial)

    with pytest.raises(Conflict, match="2 walks would break that no release can keep"):
        await shop.releases_it("one", CarelessTrial, stay=True)
    assert [(each.current, each.new, each.needed) for each in await shop.releases.all()] == [(False, True, True)]


async def test_a_release_that_nobody_runs_is_none(shop: Shop) -> None:
    with pytest.raises(NotFound, match="TROPA_RELEASE=nine"):
        await shop.releases_it("nine", Trial, stay=True)
