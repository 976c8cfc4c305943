"""Temporal, as the services use it: connecting, and telling walks what they need to hear."""

import dataclasses
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.failure.v1 import Failure
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from activities.bulk import BulkRequest
from domain.errors import Unavailable
from domain.journeys import Enrollment

TASK_QUEUE = "tropa"
log = logging.getLogger(__name__)
CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
STAGE = SearchAttributeKey.for_keyword("Stage")


class SafeFailureConverter(DefaultFailureConverter):
    """Keeps our error types and codes, and drops what could carry personal data: foreign messages, causes, traces."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """As the default, then silenced."""
        super().to_failure(exception, payload_converter, failure)
        _silence(failure, ours=isinstance(exception, FailureError))


def _silence(failure: Failure, *, ours: bool) -> None:
    failure.stack_trace = ""
    if failure.HasField("application_failure_info") and not ours:
        failure.message = failure.application_failure_info.type
    if failure.HasField("cause"):
        # A cause of ours was silenced when it was encoded; any other is known by its type alone.
        inner = failure.cause
        if inner.HasField("application_failure_info"):
            inner.message = inner.application_failure_info.type
        _silence(inner, ours=True)


DATA_CONVERTER = dataclasses.replace(DataConverter.default, failure_converter_class=SafeFailureConverter)


async def connect(address: str, *, namespace: str = "default", metrics: str | None = None) -> Client:
    """A client. `metrics` is host:port for the SDK's Prometheus. Raises Unavailable."""
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics))) if metrics else None
    try:
        return await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER, runtime=runtime)
    except (RuntimeError, RPCError) as error:
        raise Unavailable(
            f"Temporal at {address} does not answer ({error}). Start it, or set TROPA_TEMPORAL_ADDRESS."
        ) from error


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that enrollments start with, where they are missing."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {CUSTOMER_ID.name, STAGE.name} - set(known.custom_attributes)
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes=dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
            )
        )


class Walks:
    """Starts, signals and cancels enrollments' workflows. Every call may be repeated without harm."""

    def __init__(self, client: Client, *, task_queue: str = TASK_QUEUE, searchable: bool = True) -> None:
        """`searchable=False` leaves search attributes out, for Temporal's time-skipping test server."""
        self._client, self._task_queue, self._searchable = client, task_queue, searchable

    async def start(
        self, journey: str, enrollment: Enrollment, *, cause: str, priority: int, stage: str | None = None
    ) -> str | None:
        """Start an enrollment's workflow, once. Answers the run's id, as far as Temporal tells."""
        pairs = [SearchAttributePair(CUSTOMER_ID, enrollment.customer)]
        attributes = TypedSearchAttributes(pairs + ([SearchAttributePair(STAGE, stage)] if stage else []))
        try:
            handle = await self._client.start_workflow(
                journey,
                enrollment,
                id=enrollment.id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=attributes if self._searchable else None,
                static_summary=f"{journey}: started by {cause}",
                static_details=_details(journey, enrollment, cause),
                priority=Priority(priority_key=priority),
            )
        except WorkflowAlreadyStartedError as error:
            return error.run_id
        except RPCError as error:
            raise _told(error) from error
        return handle.first_execution_run_id

    async def signal(self, enrollment: str, name: str, payload: Mapping[str, Any] | None) -> str:
        """Signal a walk. Answers what became of it: "told", "closed" or "refused" (beyond Temporal's limits)."""
        return await _answered(self._handle(enrollment).signal(name, args=[] if payload is None else [payload]))

    async def cancel(self, enrollment: str, reason: str) -> str:
        """Cancel a walk. Answers as `signal`."""
        return await _answered(self._handle(enrollment).cancel(reason=reason))

    def _handle(self, enrollment: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(enrollment)


class BulkRuns:
    """Starts the workflows of bulks, or tells them to look how their bulk stands. May be repeated without harm."""

    def __init__(self, client: Client, *, task_queue: str = TASK_QUEUE) -> None:
        self._client, self._task_queue = client, task_queue

    async def look(self, bulk: str, journey: str) -> None:
        """Have somebody work on a bulk, unless its workflow has ended. Raises Unavailable."""
        try:
            await self._client.start_workflow(
                "BulkEnrollment",
                BulkRequest(bulk=bulk),
                id=bulk,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                start_signal="look",
                static_summary=f"{journey}: many customers enter",
                priority=Priority(priority_key=1),  # who pauses it is heard, however many walks wait for a worker
            )
        except WorkflowAlreadyStartedError:
            log.info("the workflow of a bulk has ended already", extra={"bulk": bulk})
        except RPCError as error:
            raise _told(error) from error


async def _answered(asked: Awaitable[None]) -> str:
    try:
        await asked
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return "closed"
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            # Repeating it cannot help, and must not keep the walk's later rows, such as its cancel, waiting.
            log.error("Temporal refuses a signal for good", extra={"error": error.status.name})
            return "refused"
        raise _told(error) from error
    return "told"


def _told(error: RPCError) -> Unavailable:
    return Unavailable(f"Temporal refused for now: {error.status.name}")


def _details(journey: str, enrollment: Enrollment, cause: str) -> str:
    options = "\n".join(f"- {name}: {value}" for name, value in enrollment.options.items()) or "- none"
    return (
        f"**{journey}** for customer `{enrollment.customer}`, started by `{cause}` at "
        f"{enrollment.started_at:%Y-%m-%d %H:%M}. Times are business time, UTC.\n\n"
        f'Options:\n\n{options}\n\nAll of this customer: `CustomerId="{enrollment.customer}"`'
    )
