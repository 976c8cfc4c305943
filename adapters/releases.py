"""Releases of our code in Temporal (worker deployment versions): which one walks follow, and who is held on theirs.

A worker with a release gets walks only once that release is current. A walk follows the current release from its next
step on, unless it is held on one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.deployment.v1 import WorkerDeploymentInfo, WorkerDeploymentVersion
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from adapters.pollers import SEEN_WITHIN, WALKS, look_at, waited
from domain.errors import NotFound, Unavailable

_NOT_YET = (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION)
_HELD = VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release, whether it is current, or `new`, which is never yet current; how many walks are held on it, and how
    many workers of it ask for work.
    """

    name: str
    current: bool
    new: bool
    held: int
    workers: int

    @property
    def needed(self) -> bool:
        """Whether its workers should not stop."""
        return self.current or self.new or self.held > 0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Who walks on what. `walks` are all that are open; `current` is the release that they follow, empty for workers
    without one, of whom `unnamed` ask for work; `waits` is how long the oldest step of all has waited for a worker.
    """

    walks: int
    current: str
    unnamed: int
    releases: Sequence[Release]
    waits: timedelta | None


class Releases:
    """Those of the workers of one task queue, whose deployment has the queue's name. A worker counts that has asked for
    work `seen_within` this time.
    """

    def __init__(self, client: Client, task_queue: str, *, seen_within: timedelta = SEEN_WITHIN) -> None:
        self._client, self._deployment, self._seen_within = client, task_queue, seen_within

    async def check(self, name: str) -> None:
        """Whether workers of it ever asked for work. Raises NotFound, which says how to start one, and Unavailable."""
        asked = DescribeWorkerDeploymentVersionRequest(
            namespace=self._client.namespace, deployment_version=self._version(name)
        )
        try:
            await self._client.workflow_service.describe_worker_deployment_version(asked)
        except RPCError as error:
            raise self._told(error, name) from error

    async def make_current(self, name: str) -> None:
        """From now on everybody who is not held walks it. Raises NotFound, which says how to start a worker of it, and
        Unavailable.
        """
        asked = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self._client.namespace, deployment_name=self._deployment, build_id=name
        )
        try:
            await self._client.workflow_service.set_worker_deployment_current_version(asked)
        except RPCError as error:
            raise self._told(error, name) from error

    async def hold(self, walk: str, run: str, name: str) -> None:
        """Let a walk stay on a release, fresh runs of it too. One that has ended has. Raises Unavailable."""
        pinned = VersioningOverride.PinnedOverride(behavior=_HELD, version=self._version(name))
        await self._set(walk, run, WorkflowExecutionOptions(versioning_override=VersioningOverride(pinned=pinned)))

    async def let_go(self, walk: str, run: str) -> None:
        """Let a walk follow. One that has ended has. Raises Unavailable."""
        await self._set(walk, run, WorkflowExecutionOptions())

    async def all(self) -> Sequence[Release]:
        """The newest first; none where workers have no releases. Raises Unavailable."""
        return (await self.stand()).releases

    async def current(self) -> str:
        """The one that walks follow; empty for none. Raises Unavailable."""
        try:
            return (await self._known()).routing_config.current_deployment_version.build_id
        except RPCError as error:
            raise Unavailable(f"Temporal does not tell its releases ({error.status.name}).") from error

    async def stand(self) -> Standing:
        """How releases, workers and walks stand to each other. Raises Unavailable."""
        try:
            polled = await look_at(self._client, self._deployment, WALKS, seen_within=self._seen_within)
            known = await self._known()
            current = known.routing_config.current_deployment_version.build_id
            return Standing(
                walks=await self._count(f"TaskQueue = '{self._deployment}'"),
                current=current,
                unnamed=polled.of(""),
                releases=[
                    Release(
                        name=name,
                        current=name == current,
                        new=not each.HasField("first_activation_time"),
                        held=await self._held(name),
                        workers=polled.of(name),
                    )
                    for each in known.version_summaries
                    for name in [each.deployment_version.build_id]
                ],
                waits=polled.waits,
            )
        except RPCError as error:
            raise Unavailable(f"Temporal does not tell its releases ({error.status.name}).") from error

    async def waits(self, name: str) -> timedelta | None:
        """How long the oldest step of those who walk a release has waited for a worker of it. Raises Unavailable."""
        asked = DescribeWorkerDeploymentVersionRequest(
            namespace=self._client.namespace, deployment_version=self._version(name), report_task_queue_stats=True
        )
        try:
            told = await self._client.workflow_service.describe_worker_deployment_version(asked)
        except RPCError as error:
            raise self._told(error, name) from error
        return max(filter(None, (waited(each.stats) for each in told.version_task_queues)), default=None)

    async def _known(self) -> WorkerDeploymentInfo:
        """An empty one where no worker ever had a release."""
        asked = DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=self._deployment)
        try:
            return (await self._client.workflow_service.describe_worker_deployment(asked)).worker_deployment_info
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return WorkerDeploymentInfo()
            raise

    async def _held(self, name: str) -> int:
        version = f"TemporalWorkerDeploymentVersion = '{self._deployment}:{name}'"
        return await self._count(f"{version} AND TemporalWorkflowVersioningBehavior = 'Pinned'")

    async def _count(self, query: str) -> int:
        return (await self._client.count_workflows(f"{query} AND ExecutionStatus = 'Running'")).count

    async def _set(self, walk: str, run: str, options: WorkflowExecutionOptions) -> None:
        asked = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=walk, run_id=run),
            workflow_execution_options=options,
            update_mask=FieldMask(paths=["versioning_override"]),
        )
        try:
            await self._client.workflow_service.update_workflow_execution_options(asked)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise Unavailable(f"Temporal does not hold {walk} on its release ({error.status.name}).") from error

    def _version(self, name: str) -> WorkerDeploymentVersion:
        return WorkerDeploymentVersion(deployment_name=self._deployment, build_id=name)

    def _told(self, error: RPCError, name: str) -> NotFound | Unavailable:
        if error.status in _NOT_YET:
            return NotFound("release", f"{name} (no worker of it asks for work: start one with TROPA_RELEASE={name})")
        return Unavailable(f"Temporal refused for now: {error.status.name}")
