"""A worker that lives is never missed, however long an activity takes; what the activity said stays said."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from tropa import beating
from tropa.beating import Beating


@activity.defn
async def long_one(seconds: float) -> tuple[int, list[str]]:
    """It says something once, and fails at its first attempt. Answers the attempt, and what was said before."""
    if activity.info().attempt == 2:
        return 2, list(activity.info().heartbeat_details)
    activity.heartbeat("half")
    await asyncio.sleep(seconds)
    raise RuntimeError


async def test_an_activity_of_many_silences_goes_on_to_its_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beating, "BEAT", 0.1)
    queue, silence = uuid4().hex, timedelta(seconds=1)
    async with Worker(
        client,
        task_queue=queue,
        activities=[long_one],
        interceptors=[Beating()],
        max_heartbeat_throttle_interval=timedelta(seconds=0.1),
    ):
        began = asyncio.get_running_loop().time()
        answered = await client.execute_activity(
            long_one,
            3.0,
            id=queue,
            task_queue=queue,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=silence,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
        )

    assert list(answered) == [2, ["half"]]
    assert asyncio.get_running_loop().time() - began >= 3  # Temporal did not give up on it before
