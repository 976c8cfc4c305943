"""A send whose activity is cancelled, once or again and again, ends with its record."""

import asyncio
from datetime import datetime

import pytest
from temporalio.testing import ActivityEnvironment

from activities.sending import SendingActivities, SendRequest
from domain.sends import SendResult, SendState


class Slowly:
    """A provider that takes its time between claim and record."""

    def __init__(self) -> None:
        self.claimed, self.answers, self.recorded = asyncio.Event(), asyncio.Event(), False

    async def send(self, request: SendRequest, *, started: datetime, run: str) -> SendResult:
        """Claim, wait for the answer, record."""
        self.claimed.set()
        await self.answers.wait()
        self.recorded = True
        return SendResult(state=SendState.ACCEPTED, rule="accepted")


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_nothing_comes_between_claim_and_record_however_often_it_is_cancelled(times: int) -> None:
    provider = Slowly()
    request = SendRequest(enrollment="enr_1", customer="cus_1", message="greeting", visit=1)
    sending = asyncio.ensure_future(ActivityEnvironment().run(SendingActivities(provider).send, request))
    await provider.claimed.wait()

    for _ in range(times):
        sending.cancel()
        await asyncio.sleep(0.01)
    provider.answers.set()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert provider.recorded
