"""Who asks Temporal for work on a task queue, and for how long the oldest task there has waited."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue, TaskQueueStats
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

SEEN_WITHIN = timedelta(minutes=3)  # Temporal hears from a poller at least once a minute, and remembers it for five
WALKS, ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
Kind: TypeAlias = TaskQueueType.ValueType


@dataclass(frozen=True, kw_only=True)
class Polled:
    """The workers (identity and release, empty for none) that ask, and how long the oldest task has waited: None where
    none does.
    """

    workers: frozenset[tuple[str, str]]
    waits: timedelta | None

    def of(self, release: str) -> int:
        """How many workers of a release ask."""
        return len({identity for identity, its in self.workers if its == release})


async def look_at(client: Client, task_queue: str, kind: Kind, *, seen_within: timedelta = SEEN_WITHIN) -> Polled:
    """Raises RPCError."""
    told = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=kind,
            report_stats=True,
        ),
        timeout=timedelta(seconds=5),
    )
    since = datetime.now(UTC) - seen_within
    return Polled(
        workers=frozenset(
            (each.identity, each.deployment_options.build_id)
            for each in told.pollers
            if each.last_access_time.ToDatetime(UTC) > since
        ),
        waits=waited(told.stats),
    )


def waited(stats: TaskQueueStats) -> timedelta | None:
    """How long the oldest task has waited."""
    return stats.approximate_backlog_age.ToTimedelta() if stats.approximate_backlog_count else None
