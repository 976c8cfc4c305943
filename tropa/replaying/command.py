"""`tropa replay`, `tropa release` and `tropa releases`: where these settings say that Temporal is."""

import logging
from collections.abc import Sequence
from pathlib import Path

from temporalio.client import Client

from adapters.releases import Release, Releases
from adapters.settings import Settings
from adapters.temporal import TASK_QUEUE, connect
from domain.errors import Misconfigured, NotFound
from tropa.embedded.temporal import address_of
from tropa.replaying import releasing
from tropa.replaying.findings import Findings
from tropa.replaying.judging import Judge
from tropa.replaying.looking import replay_folder, replay_running
from tropa.replaying.releasing import Released


async def replay(settings: Settings, *, journey: str, histories: Path | None, sample: int | None) -> Findings:
    """Who would break. Raises Misconfigured, Unavailable, InvalidInput and NotFound."""
    judge = _judge()
    if histories:
        found = await replay_folder(histories, journey=journey, judge=judge)
    else:
        found = await replay_running(
            await connected(settings), journey=journey, sample=sample, task_queue=TASK_QUEUE, judge=judge
        )
    if journey and not found.found and journey not in judge.known:  # a slip of the pen is no good news
        raise NotFound("journey", f"{journey} (there are: {', '.join(sorted(judge.known))})")
    return found


async def connected(settings: Settings) -> Client:
    """Temporal, where these settings or `tropa up` have it. Raises Misconfigured and Unavailable."""
    address = settings.temporal_address or address_of(settings.home)
    if not address:
        raise Misconfigured("Nothing here says where Temporal is: set TROPA_TEMPORAL_ADDRESS, or give --histories.")
    return await connect(address, namespace=settings.temporal_namespace)


async def release(settings: Settings, name: str, *, stay: bool) -> Released:
    """Make a release current. Raises what `releasing.release` raises, and Misconfigured."""
    client = await connected(settings)
    return await releasing.release(client, name, stay=stay, task_queue=TASK_QUEUE, judge=_judge())


async def releases(settings: Settings, name: str = "") -> Sequence[Release]:
    """All of them, or the one of a name. Raises Misconfigured, Unavailable and NotFound."""
    found = await Releases(await connected(settings), TASK_QUEUE).all()
    if name and name not in (each.name for each in found):
        raise NotFound("release", f"{name} (there are: {', '.join(each.name for each in found) or 'none'})")
    return [each for each in found if name in ("", each.name)]


def _judge() -> Judge:
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # what breaks is told by the findings
    return Judge()
